"""Let the computer look for a treason that works: who betrays, what was ordered, and who is told which lie.

    treason = find_treason(generals=3, traitors=1)
    treason.found          # Decisions that break IC1 or IC2, or None
    treason.replay()       # the same decisions again, from what was found alone

The search tries every placement of the traitors and every order. For each it tries every lie if there are few
enough, which is a proof if none works. Otherwise it tries two-faced traitors first (each keeps one story for each
peer) and then lies at random, which proves nothing if none works.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dscourse.arguments import truth, whole
from dscourse.fault_tolerance.byzantine import (
    ORDERS,
    Decisions,
    oral_messages,
    oral_paths,
    refuse_endless,
    signed_messages,
)
from dscourse.readable import readable_number

#: Who betrays, what was ordered, and the lies.
Case = tuple[tuple[int, ...], str, dict[Any, Any]]

_MOST_PLACEMENTS = 10_000


@dataclass(frozen=True)
class Treason:
    """What a search for a treason came to.

    Attributes:
        found: decisions that break IC1 or IC2; None if nothing tried did.
        tried: number of runs, each with a placement, an order and a set of lies.
        exhaustive: whether every placement, order and lie there is was among them (if none was found).
    """

    found: Decisions | None
    tried: int
    exhaustive: bool
    _what: str = field(repr=False)

    def replay(self) -> Decisions:
        """Run the algorithm again with the traitors, the order and the lies that were found.

        Raises:
            ValueError: if nothing was found.
        """
        if self.found is None:
            raise ValueError(f"no treason was found that could be replayed: {self!r}")
        run = oral_messages if self.found.algorithm == "OM" else signed_messages
        return run(
            self.found.generals,
            self.found.traitors,
            self.found.order,
            self.found.rounds,
            lies=self.found.lies,  # type: ignore[arg-type]
        )

    def __repr__(self) -> str:
        tried = readable_number(self.tried)
        if self.found is not None:
            return f"{self._what}: broken, found at try {tried}\n{self.found!r}"
        if self.exhaustive:
            return f"{self._what}: no treason works; all {tried} placements, orders and lies were tried"
        return f"{self._what}: no treason found in {tried} tries (not all there are)"


def find_treason(
    generals: int,
    traitors: int,
    rounds: int | None = None,
    *,
    signed: bool = False,
    seed: int = 0,
    most_tries: int = 20_000,
) -> Treason:
    """Search for a placement of traitors, an order and lies that break OM(m), or SM(m) if `signed`.

    Args:
        generals: how many, the commander included; at least 2.
        traitors: how many of them are traitors; fewer than `generals`.
        rounds: m; by default as many as there are traitors.
        signed: signed instead of oral messages.
        seed: of the random lies.
        most_tries: all lies are tried if they are no more than this; otherwise so many are sampled.
    """
    count = whole("generals", generals, at_least=2)
    bad = whole("traitors", traitors, at_least=0, at_most=count - 1)
    m = bad if rounds is None else whole("rounds", rounds, at_least=0)
    limit = whole("most_tries", most_tries, at_least=1)
    start = whole("seed", seed, at_least=0)
    truth("signed", signed)
    what = f"{'SM' if signed else 'OM'}({m}), {count} generals, {bad} traitor{'s' if bad != 1 else ''}"
    run: Any = signed_messages if signed else oral_messages
    exhaustive, cases = treasons(count, bad, m, signed=signed, seed=start, most_tries=limit)
    for tried, (placement, order, lies) in enumerate(cases, start=1):  # there is at least one
        decisions = run(count, placement, order, m, lies=lies)
        if not decisions.hold:
            return Treason(decisions, tried, exhaustive, what)
    return Treason(None, tried, exhaustive, what)


def treasons(
    generals: int, traitors: int, rounds: int, *, signed: bool, seed: int, most_tries: int
) -> tuple[bool, Iterator[Case]]:
    """Return whether all treasons can be tried within `most_tries`, and those to try: (placement, order, lies)."""
    ways = math.comb(generals, traitors)
    if ways > _MOST_PLACEMENTS:
        raise ValueError(
            f"there are {readable_number(ways)} ways to place {traitors} traitors among {generals} generals; "
            f"this goes up to {readable_number(_MOST_PLACEMENTS)}"
        )
    if not signed:
        refuse_endless(generals, rounds)
    choices = _signed_choices if signed else _oral_choices
    cases = list(_cases(generals, traitors))
    sizes = (math.prod(map(len, choices(generals, placement, rounds).values())) for placement, _ in cases)
    if sum(sizes) <= most_tries:
        return True, _every(generals, rounds, cases, choices)
    return False, _some(generals, rounds, cases, choices, signed, most_tries, seed)


def _cases(generals: int, traitors: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Every placement with every order; a traitor in command has no order of his own, so one stands for both."""
    for placement in itertools.combinations(range(generals), traitors):
        for order in ORDERS[:1] if 0 in placement else ORDERS:
            yield placement, order


def _oral_choices(generals: int, placement: tuple[int, ...], rounds: int) -> dict[Any, tuple[Any, ...]]:
    """Each lie told to a loyal general, and what it may be. What traitors tell each other changes nothing."""
    return {
        (path, to): ORDERS
        for path in oral_paths(generals, rounds)
        if path[-1] in placement
        for to in range(1, generals)
        if to not in path and to not in placement
    }


def _signed_choices(generals: int, placement: tuple[int, ...], rounds: int) -> dict[Any, tuple[Any, ...]]:
    subsets = ((), ORDERS[:1], ORDERS[1:], ORDERS)
    return {
        (number, sender, to): subsets
        for number in range(1, min(rounds + 2, generals + 1))
        for sender in placement
        if sender != 0 or number == 1  # the commander signs first, so he speaks in the first round only
        if sender == 0 or number > 1  # and everybody else after him
        for to in range(1, generals)
        if to not in placement
    }


def _every(generals: int, rounds: int, cases: Any, choices: Any) -> Iterator[Case]:
    for placement, order in cases:
        options = choices(generals, placement, rounds)
        for picked in itertools.product(*options.values()):
            yield placement, order, dict(zip(options, picked, strict=True))


def _some(
    generals: int, rounds: int, cases: Any, choices: Any, signed: bool, limit: int, seed: int
) -> Iterator[Case]:
    rng = random.Random(f"treason {seed}")
    options = {placement: choices(generals, placement, rounds) for placement, _ in cases}
    left = limit
    if not signed:
        # Every lie that depends on the traitor and the peer only, whatever the report is about.
        for placement, order in cases:
            pairs = [(s, to) for s in placement for to in range(1, generals) if to not in placement]
            if 2 ** len(pairs) * len(cases) > limit // 2:
                break
            for picked in itertools.product(ORDERS, repeat=len(pairs)):
                face = dict(zip(pairs, picked, strict=True))
                yield placement, order, {key: face[key[0][-1], key[1]] for key in options[placement]}
                left -= 1
    for number in range(left):
        placement, order = cases[number % len(cases)]
        lies = {key: each[int(rng.random() * len(each))] for key, each in options[placement].items()}
        yield placement, order, lies
