"""The Byzantine generals: agree on an order although some of you are traitors.

General 0 commands; the others are his lieutenants. A loyal general follows the algorithm; a traitor tells each peer
whatever he likes, and a different thing to each. Two conditions are wanted:

- **IC1** (agreement): all loyal lieutenants decide on the same order.
- **IC2** (validity): if the commander is loyal, every loyal lieutenant decides on the order he gave.

`oral_messages` is algorithm OM(m) and `signed_messages` algorithm SM(m) of L. Lamport, R. Shostak and M. Pease, *The
Byzantine generals problem*, ACM Transactions on Programming Languages and Systems 4(3), 1982. Both run in lock step:
what was sent in a round has arrived before the next one begins, so a message that is missing is noticed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from dscourse.arguments import instance, items, one_of, shown, whole
from dscourse.readable import readable_number

ATTACK = "attack"
RETREAT = "retreat"
ORDERS = (ATTACK, RETREAT)

#: The way a report has come: (0,) is the commander's own word, (0, 2) is "general 2 says that 0 said".
Path = tuple[int, ...]
#: What traitors say. Oral: {(path, to): order}, path ending with the traitor. Signed: {(round, sender, to): orders}.
OralLies = Mapping[tuple[Path, int], str]
SignedLies = Mapping[tuple[int, int, int], tuple[str, ...]]

_MOST_MESSAGES = 2_000_000


@dataclass(frozen=True)
class Decisions:
    """What the loyal lieutenants decided, and everything needed to have them decide it again.

    Attributes:
        algorithm: "OM" or "SM".
        generals: how many, the commander included.
        traitors: their numbers.
        order: the order given to the commander.
        rounds: m; messages are sent in m + 1 rounds.
        decided: the decision of each loyal lieutenant.
        messages: how many messages were sent.
        lies: what the traitors said, message by message; give it as `lies=` to replay the run.
        said: for pictures: every message that was sent, (sender, receiver, path) → what it said.
    """

    algorithm: str
    generals: int
    traitors: tuple[int, ...]
    order: str
    rounds: int
    decided: dict[int, str]
    messages: int
    lies: dict[tuple[Path, int], str] | dict[tuple[int, int, int], tuple[str, ...]] = field(repr=False)
    said: dict[tuple[Path, int], str] = field(repr=False)

    @property
    def ic1(self) -> bool:
        """Whether all loyal lieutenants decided the same."""
        return len(set(self.decided.values())) <= 1

    @property
    def ic2(self) -> bool:
        """Whether they obeyed a loyal commander; true if the commander is a traitor, who has no claim to it."""
        return 0 in self.traitors or all(decision == self.order for decision in self.decided.values())

    @property
    def hold(self) -> bool:
        """Whether both conditions hold."""
        return self.ic1 and self.ic2

    def __repr__(self) -> str:
        traitors = ", ".join(map(str, self.traitors)) or "none"
        commander = f"{'traitor' if 0 in self.traitors else 'loyal'} commander, order {self.order}"
        decided = ", ".join(f"{general} {said}" for general, said in self.decided.items()) or "nobody loyal"
        ic1, ic2 = ("holds" if condition else "BROKEN" for condition in (self.ic1, self.ic2))
        return (
            f"{self.algorithm}({self.rounds}), {self.generals} generals, traitors: {traitors} ({commander})\n"
            f"  decided: {decided}\n"
            f"  IC1 all the same: {ic1}; IC2 a loyal commander is obeyed: {ic2}; {self.messages} messages"
        )


def oral_messages(
    generals: int,
    traitors: Collection[int],
    order: str,
    rounds: int | None = None,
    seed: int = 0,
    *,
    lies: OralLies | None = None,
) -> Decisions:
    """Run OM(m): everybody tells everybody what he has heard, and the majority decides; a tie means retreat.

    Args:
        generals: how many, the commander (number 0) included.
        traitors: the numbers of the traitors.
        order: "attack" or "retreat", what a loyal commander says.
        rounds: m, the depth of the recursion; by default as many as there are traitors.
        seed: of the traitors' lies, each drawn on its own.
        lies: what the traitors say instead, as in `Decisions.lies`; a message not listed says "retreat", as does one
            that isn't sent at all.

    Returns:
        The decisions. Both conditions are certain if generals > 3·m and there are at most m traitors (theorem 1).

    Raises:
        ValueError: a number out of range, an unknown order, or so many generals and rounds that it would take more than
            two million messages.
    """
    m, bad = _checked(generals, traitors, order, rounds)
    refuse_endless(generals, m)
    instance("lies", {} if lies is None else lies, Mapping, 'a dict such as {((0, 2), 1): "attack"}')
    rng = random.Random(f"oral lies {whole('seed', seed, at_least=0)}")
    told: dict[tuple[Path, int], str] = {}
    for path in oral_paths(generals, m):
        for to in range(1, generals):
            if to in path:
                continue
            if path[-1] not in bad:
                told[path, to] = told[path[:-1], path[-1]] if len(path) > 1 else order
            elif lies is None:
                told[path, to] = ORDERS[rng.random() < 0.5]
            else:
                told[path, to] = one_of("a lie", lies.get((path, to), RETREAT), ORDERS)
    loyal = [general for general in range(1, generals) if general not in bad]
    decided = {general: majority_decision(told, (0,), general, generals, m) for general in loyal}
    kept = {key: said for key, said in told.items() if key[0][-1] in bad}
    refuse_unheard(lies, kept, "((0, 2), 1) is what general 2 tells general 1 that the commander has said")
    return Decisions("OM", generals, tuple(sorted(bad)), order, m, decided, len(told), kept, told)


def signed_messages(
    generals: int,
    traitors: Collection[int],
    order: str,
    rounds: int | None = None,
    seed: int = 0,
    *,
    lies: SignedLies | None = None,
) -> Decisions:
    """Run SM(m): each order travels with the signatures of all who passed it on, so nobody can invent one.

    A lieutenant who gets an order that is new to him, in round r with r different signatures of which the commander's
    is the first, signs it and sends it to all who haven't. In the end he obeys the one order he has seen; if he has
    seen both or none, he retreats. A traitor can hold orders back, sign two of them if he commands, and use the
    signatures of the other traitors. He can't forge a loyal general's.

    Args:
        generals: how many, the commander (number 0) included.
        traitors: the numbers of the traitors.
        order: "attack" or "retreat", what a loyal commander says.
        rounds: m; by default as many as there are traitors.
        seed: of the traitors' choice: which of the orders they *can* send they do send, to each peer on its own.
        lies: what they send instead, {(round, sender, to): orders}, as in `Decisions.lies`; an order they lack the
            signatures for is left out, and a message not listed isn't sent.

    Returns:
        The decisions. Both conditions are certain with at most m traitors, however many generals (theorem 2).
    """
    m, bad = _checked(generals, traitors, order, rounds)
    instance("lies", {} if lies is None else lies, Mapping, 'a dict such as {(2, 1, 2): ("attack",)}')
    rng = random.Random(f"signed lies {whole('seed', seed, at_least=0)}")
    loyal = [general for general in range(1, generals) if general not in bad]
    seen: dict[int, dict[str, Path]] = {general: {} for general in loyal}  # order → signatures it came with
    stolen: dict[str, list[Path]] = {ATTACK: [], RETREAT: []}  # signed by loyal generals, in traitors' hands
    outbox: list[tuple[Path, str, int]] = []
    if 0 in bad:
        stolen = {ATTACK: [()], RETREAT: [()]}  # whoever commands can have anything begin
    else:
        outbox = [((0,), order, to) for to in range(1, generals)]
    messages = 0
    kept: dict[tuple[int, int, int], tuple[str, ...]] = {}
    said: dict[tuple[Path, int], str] = {}
    steps = range(1, min(m + 2, generals + 1))  # nobody signs twice
    can_lie = set(itertools.product(steps, bad, loyal)) if lies else set()
    refuse_unheard(lies, can_lie, "(2, 1, 3) is what traitor 1 sends to the loyal lieutenant 3 in round 2")
    for number in steps:
        news: list[tuple[Path, str, int]] = list(outbox)
        for sender, to in itertools.product(sorted(bad), loyal):
            chains = {value: _forgeable(stolen[value], sender, to, bad, number) for value in ORDERS}
            can = {value: chain for value, chain in chains.items() if chain}
            if lies is None:
                chosen = [value for value in can if rng.random() < 0.5]
            else:
                chosen = [value for value in _orders(lies.get((number, sender, to), ())) if value in can]
            if chosen:
                kept[number, sender, to] = tuple(chosen)
            news += [(can[value], value, to) for value in chosen]
        outbox = []
        messages += len(news)
        for chain, value, to in news:
            said[chain, to] = value
            if to in bad:
                stolen[value].append(chain)
            elif value not in seen[to]:
                seen[to][value] = chain
                if number <= m:
                    signed = (*chain, to)
                    outbox += [(signed, value, peer) for peer in range(1, generals) if peer not in signed]
    decided = {general: _only(seen[general]) for general in loyal}
    return Decisions("SM", generals, tuple(sorted(bad)), order, m, decided, messages, kept, said)


def oral_paths(generals: int, rounds: int) -> Iterator[Path]:
    """Yield the way of every report of OM(m), the shorter ones first: (0,), then (0, 1), (0, 2), then (0, 1, 2)."""
    for extra in range(min(rounds + 1, generals)):
        for rest in itertools.permutations(range(1, generals), extra):
            yield (0, *rest)


def majority_decision(told: OralLies, path: Path, general: int, generals: int, rounds: int) -> str:
    """Return what `general` takes the last of `path` to have said, having asked all others what they heard.

    What isn't in `told` was never said, and counts as "retreat".
    """
    votes = [told.get((path, general), RETREAT)]
    if len(path) <= rounds:
        votes += [
            majority_decision(told, (*path, other), general, generals, rounds)
            for other in range(1, generals)
            if other != general and other not in path
        ]
    return ATTACK if 2 * votes.count(ATTACK) > len(votes) else RETREAT


def _forgeable(stolen: list[Path], sender: int, to: int, bad: frozenset[int], length: int) -> Path | None:
    """Return a chain of `length` signatures ending with `sender` that the traitors together can make, or None."""
    for base in stolen:
        if sender in base or to in base:
            continue
        start = base or ((0,) if sender else ())  # with a traitor in command they may sign in his name
        helpers = sorted(bad - {sender, *start})
        missing = length - len(start) - 1
        if not start:
            helpers = []  # the commander's own signature is the first or none
        if 0 <= missing <= len(helpers):
            return (*start, *helpers[:missing], sender)
    return None


def _only(seen: dict[str, Path]) -> str:
    return next(iter(seen)) if len(seen) == 1 else RETREAT


def _checked(
    generals: int, traitors: Collection[int], order: str, rounds: int | None
) -> tuple[int, frozenset[int]]:
    bad = traitors_of(traitors, whole("generals", generals, at_least=1, at_most=1_000))
    one_of("order", order, ORDERS)
    return (len(bad) if rounds is None else whole("rounds", rounds, at_least=0)), bad


def traitors_of(traitors: Collection[int], generals: int) -> frozenset[int]:
    """Return the numbers of the traitors, if there can be such; a set is as good as a list."""
    listed = list(traitors) if isinstance(traitors, Set) else traitors
    numbers = items("traitors", listed, "the traitors' numbers, such as {2} or [0, 3]")
    return frozenset(whole("a traitor's number", each, at_least=0, at_most=generals - 1) for each in numbers)


def refuse_unheard(lies: Mapping[Any, Any] | None, messages: Collection[Any], example: str) -> None:
    """Refuse lies in messages that no traitor sends: they would go unheard."""
    for key in lies or ():
        if key not in messages:
            raise LookupError(f"no traitor sends the message {shown(key)} of lies; {example}")


def _orders(values: object) -> list[str]:
    listed = items("what a traitor sends", values, 'a tuple of orders, such as ("attack",)')
    return [one_of("a lie", value, ORDERS) for value in listed]


def oral_message_count(generals: int, rounds: int) -> int:
    """Return how many messages OM(m) sends: (n−1) + (n−1)(n−2) + … + (n−1)(n−2)…(n−m−1)."""
    count = whole("generals", generals, at_least=1)
    total, product = 0, 1
    for step in range(1, min(whole("rounds", rounds, at_least=0) + 2, count)):  # then nobody is left to tell
        product *= count - step
        total += product
    return total


def refuse_endless(generals: int, rounds: int) -> None:
    """Refuse what would take more than two million oral messages."""
    messages = oral_message_count(generals, rounds)
    if messages > _MOST_MESSAGES:
        raise ValueError(
            f"OM({rounds}) with {generals} generals sends {readable_number(messages)} messages; "
            f"this goes up to {readable_number(_MOST_MESSAGES)}"
        )
