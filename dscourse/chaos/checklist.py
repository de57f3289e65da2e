"""Should it be distributed at all? A checklist with weights, and what the distribution costs in parts that can fail.

    should_distribute({"one machine is too small": 1.0, "must survive a data centre": 0.0, …})

The weights are ours, a help for a talk and no law: change them. What the list is for is that each reason is asked for,
and each price named, before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dscourse.arguments import instance, real
from dscourse.chaos.design import Design

#: Reasons for more than one machine, in points if they hold in full.
REASONS = {
    "one machine is too small": 5.0,  # for the load or the data of the next two years, after optimising
    "must survive a machine": 2.0,  # minutes to restore elsewhere are too long
    "must survive a data centre": 4.0,
    "users on several continents": 3.0,  # and their waiting matters
    "teams deploy on their own": 2.0,
}
#: What speaks for one machine, in points if it holds in full.
PRICES_TO_PAY = {
    "data must agree at once": 3.0,  # each write waits for a majority
    "nobody on call": 4.0,
    "few have run such a system": 3.0,
    "the product still changes weekly": 2.0,
    "an hour of outage costs little": 3.0,
}
_CLOSE = 2.0  # points within which the list doesn't decide


@dataclass(frozen=True)
class Advice:
    """What the checklist says.

    Attributes:
        reasons, prices: points for and against.
        verdict: "distribute", "one machine" or "close: prototype both".
    """

    reasons: float
    prices: float
    verdict: str


def should_distribute(
    answers: Mapping[str, float],
    *,
    reasons: Mapping[str, float] = REASONS,
    prices: Mapping[str, float] = PRICES_TO_PAY,
) -> Advice:
    """Add up the weights of what holds.

    Args:
        answers: {entry of the checklist: how much it holds, from 0 to 1}; what is left out doesn't hold.
        reasons: weights of what speaks for distributing.
        prices: weights of what speaks against it.

    Raises:
        LookupError: an answer to something that isn't on the list.
    """
    given = {}
    for name, share in instance("answers", answers, Mapping, "a dict of answers").items():
        if name not in reasons and name not in prices:
            raise LookupError(f"{name!r} is not on the checklist. It has: {', '.join([*reasons, *prices])}.")
        given[name] = real(f"the answer to {name!r}", share, at_least=0.0, at_most=1.0)
    for_it = sum(weight * given.get(name, 0.0) for name, weight in reasons.items())
    against = sum(weight * given.get(name, 0.0) for name, weight in prices.items())
    if abs(for_it - against) <= _CLOSE:
        verdict = "close: prototype both"
    else:
        verdict = "distribute" if for_it > against else "one machine"
    return Advice(for_it, against, verdict)


@dataclass(frozen=True)
class Complexity:
    """What somebody has to understand of a design, in numbers.

    Attributes:
        parts: machines that may stop on their own.
        links: pairs of them that may lose each other.
        pairs_of_failures: different pairs of parts and links that may fail together.
        decisions: settings that somebody has chosen, and must know the reason of.
    """

    parts: int
    links: int
    pairs_of_failures: int
    decisions: int


def complexity(design: Design) -> Complexity:
    """Count what somebody has to understand of a design."""
    graph = design.layout.graph()
    parts, links = graph.number_of_nodes() - 1, graph.number_of_edges()  # the gateway is the customers'
    things = parts + links
    decisions = len(design.choices()) + len(design.policies)
    return Complexity(parts, links, things * (things - 1) // 2, decisions)
