"""Is there any schedule that breaks this? Run after run, each with luck and faults of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import instance, items, one_of, real, truth, whole
from dscourse.exploration.counterexample import NO_ERROR, Counterexample, unreached
from dscourse.exploration.fault_mix import FaultMix
from dscourse.exploration.progress_bar import progress_bar
from dscourse.exploration.shrink import EVENT_LIMIT, shrink_scenario, whole_run
from dscourse.exploration.untimed_search import search_untimed
from dscourse.simulation.errors import EventLimit, NodeError
from dscourse.simulation.properties import Property
from dscourse.simulation.run import judged_run
from dscourse.simulation.scenario import Scenario

_LONGEST = 1_000_000  # events of a run that may still come to its end


@dataclass(frozen=True)
class Search:
    """What a search came to; true if nothing was found.

    Attributes:
        tried: how many runs were made.
        seed: of the run that was found, before it was shrunk; None if none was.
        never_reached: names of the `sometimes` that came true in no run: what they ask for was never tested.
        counterexample: the shortest run that breaks a property; None if none was found.
    """

    tried: int
    seed: int | None
    never_reached: tuple[str, ...]
    counterexample: Counterexample | None

    def __bool__(self) -> bool:
        return self.counterexample is None

    def __repr__(self) -> str:
        runs = "1 run" if self.tried == 1 else f"{self.tried} runs"
        if self.counterexample is not None:
            lines = [f"Found in {runs} (seed {self.seed}): {self.counterexample.explanation}"]
        else:
            lines = [f"Nothing found in {runs}."]
        lines += [f"Never reached: {name}. The search says nothing of it." for name in self.never_reached]
        return "\n".join(lines)


def search(
    scenario: Scenario,
    properties: Property | Iterable[Property],
    *,
    until: float,
    seeds: int | Iterable[int] = 100,
    faults: FaultMix = FaultMix(),  # noqa: B008 - frozen
    adversary: str = "timed",
    progress: bool = False,
    event_limit: int | None = None,
) -> Search:
    """Look for a run in which a property does not hold, and shrink the first one found.

    Each seed gives one run, with luck and faults of its own besides those of the scenario. A handler that raises an
    error, or a run that doesn't end, counts as broken.

    Args:
        scenario: its nodes, network, clients and own faults.
        properties: `always`, `never`, `eventually` and `holds` must hold in each run; a `sometimes` in one of them.
        until: seconds of each run; of the untimed adversary the number of steps.
        seeds: how many, or which.
        faults: what else may go wrong.
        adversary: "timed" (delays as the network has them) or "untimed" (chooses what arrives, from whom, in which
            order; of the scenario only nodes, links and the clients' operations are used).
        progress: show a bar.
        event_limit: of the timed adversary: a run with more events counts as one that doesn't end; by default four
            times as many as the scenario has without further faults, and at least 50 000.

    Raises:
        TypeError, ValueError: what is wrong with an argument, or a property changes what it sees.
    """
    asked = _properties(properties)
    instance("scenario", scenario, Scenario, "a Scenario")
    if scenario.is_script:
        raise TypeError(
            "scenario is that of a script, whose steps stand fixed; give a Scenario of the same nodes, and "
            'adversary="untimed" to have other steps tried'
        )
    instance("faults", faults, FaultMix, "a FaultMix, such as FaultMix(crashes=1)")
    truth("progress", progress)
    chosen = _seeds(seeds)
    if one_of("adversary", adversary, ("timed", "untimed")) == "untimed":
        steps = whole("until", until, at_least=1)
        with progress_bar(len(chosen), shown=progress) as advance:
            found = search_untimed(scenario, asked, until=steps, seeds=chosen, faults=faults, advance=advance)
        return Search(*found)
    end = real("until", until, above=0.0)
    with progress_bar(len(chosen), shown=progress) as advance:
        limit = _limit(scenario, end) if event_limit is None else event_limit
        return _search_in_time(scenario, asked, end, chosen, faults, advance, limit)


def _limit(scenario: Scenario, until: float) -> int:
    """How many events a run may have: one that is merely long is not endless."""
    try:
        return max(EVENT_LIMIT, 4 * scenario.run(until, trace=False, event_limit=_LONGEST).event_count)
    except (NodeError, EventLimit):  # the search will tell
        return EVENT_LIMIT


def _search_in_time(
    scenario: Scenario,
    properties: Sequence[Property],
    until: float,
    seeds: Sequence[int],
    faults: FaultMix,
    advance: Callable[[int, int], None],
    event_limit: int,
) -> Search:
    must = [item for item in properties if item.kind != "sometimes"]
    not_yet = [item for item in properties if item.kind == "sometimes"]
    for tried, seed in enumerate(seeds, start=1):
        one = scenario.changed(seed=seed, faults=(*scenario.faults, *faults.draw(scenario, until, seed)))
        broken = first_broken(one, until, [*must, *not_yet], event_limit)
        found = [item for item in broken if item.kind != "sometimes"]
        if found:
            counterexample = shrink_scenario(one, until, found[0], event_limit=event_limit)
            run = whole_run(one, until, event_limit)
            return Search(tried, seed, unreached(run, not_yet), counterexample)
        not_yet = [item for item in not_yet if item in broken]
        if tried == 1:  # judged runs show the nodes themselves: does a property change what it sees?
            one.run(until, event_limit=event_limit).check(*properties)
        advance(1, 0)
    return Search(len(seeds), None, tuple(item.name for item in not_yet), None)


def first_broken(
    scenario: Scenario, until: float, properties: Sequence[Property], event_limit: int = EVENT_LIMIT
) -> tuple[Property, ...]:
    """The properties that don't hold in a run, or `NO_ERROR` if a handler failed or the run did not end."""
    try:
        return judged_run(scenario, until, properties, event_limit=event_limit)[1]
    except (NodeError, EventLimit):
        return (NO_ERROR,)


def _properties(properties: Any) -> tuple[Property, ...]:
    several = (
        (properties,)
        if isinstance(properties, Property)
        else items(
            "properties", properties, "a list of properties, such as [always(lambda now: …)]", Property
        )
    )
    if not several:
        raise ValueError(
            "properties is empty: a search must know what to look for, such as always(lambda now: …)"
        )
    return several


def _seeds(seeds: Any) -> Sequence[int]:
    if isinstance(seeds, Iterable):
        chosen = [whole("each of seeds", seed, at_least=0) for seed in seeds]
        if not chosen:
            raise ValueError("seeds must hold at least one seed, got none")
        return chosen
    return range(whole("seeds", seeds, at_least=1))
