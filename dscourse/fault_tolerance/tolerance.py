"""Is it tolerant? Only *of what* makes that a statement that can be tested.

    report = tolerates(scenario, every_fault(Crash, ["r1", "r2"], f=1, moments=[2.0]), until=10, claim=reads_answered)

"Tolerant to faults of type F" means: whatever at most f nodes do of type F, and whenever they do it, what was promised
still holds. So go through the placements and the moments, run each, and look. One run in which the promise is broken
refutes the statement, and can be replayed. If none is found, the statement holds for what was tried, no more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from dscourse.arguments import function, instance, items, node_ids, real, whole
from dscourse.readable import readable_number
from dscourse.simulation import Fault, Run, Scenario

#: Says what is wrong with a run in a few words, or nothing ("") if the promise was kept.
Claim = Callable[[Run], str]

_MOST_WAYS = 100_000


@dataclass(frozen=True)
class Tolerance:
    """Whether a promise held in every run.

    Attributes:
        holds: true if it did.
        runs: how many runs were tried, the broken one included.
        faults: the faults of the run that broke it, or ().
        problem: what was wrong there, in words.
        run: that run, to look at; or the last one, if the promise held.
    """

    holds: bool
    runs: int
    faults: tuple[Fault, ...]
    problem: str
    run: Run = field(repr=False)

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        if self.holds:
            return f"tolerant: the promise held in all {self.runs} runs"
        words = ", ".join(map(repr, self.faults)) or "no fault at all"
        return f"not tolerant: {self.problem} in run {self.runs} ({words})"


def every_fault(
    make: Callable[[str, float], Fault], nodes: Sequence[str], f: int, moments: Iterable[float]
) -> list[tuple[Fault, ...]]:
    """Return every way to make at most `f` of the nodes faulty, all at the same one of some moments.

    Args:
        make: called as make(node, at), returns the fault: `Crash`, or a function of your own.
        nodes: who may be faulty.
        f: how many at most, 0 to all of them.
        moments: when it may begin, seconds.

    Raises:
        ValueError: a number out of range, no moment, or more than 100 000 ways.
    """
    names = node_ids("nodes", nodes)
    most = whole("f", f, at_least=0, at_most=len(names))
    function("make", make, "a function of a node and a time, such as Crash")
    listed = items("moments", moments, "a list of seconds, such as [1.0, 2.5]")
    times = [real("a moment", moment, at_least=0.0) for moment in listed]
    if not times:
        raise ValueError("moments must name at least one moment, got none")
    count_of_ways = 1 + len(times) * sum(math.comb(len(names), count) for count in range(1, most + 1))
    if count_of_ways > _MOST_WAYS:
        raise ValueError(
            f"that makes {readable_number(count_of_ways)} sets of faults to try; "
            f"this goes up to {readable_number(_MOST_WAYS)}"
        )
    ways: list[tuple[Fault, ...]] = [()]
    for count in range(1, most + 1):
        for chosen in itertools.combinations(names, count):
            ways += [tuple(_made(make, node, at) for node in chosen) for at in times]
    return ways


def _made(make: Callable[[str, float], Fault], node: str, at: float) -> Fault:
    fault: Fault = instance("what make returns", make(node, at), Fault, "a fault, such as Crash(node, at)")
    return fault


def tolerates(
    scenario: Scenario, fault_sets: Iterable[Sequence[Fault]], *, until: float, claim: Claim
) -> Tolerance:
    """Run a scenario with each of some sets of faults, until the promise breaks or all have been tried.

    Args:
        scenario: what runs; its own faults are in force too.
        fault_sets: sets of faults, such as those of `every_fault`.
        until: end of each run, seconds.
        claim: the promise; returns "" if a run kept it, else what was wrong.

    Raises:
        ValueError: no set of faults to try.
    """
    instance("scenario", scenario, Scenario, "a Scenario, such as read_scenario(2)")
    function("claim", claim, "a function of a run, such as reads_answered")
    sets = items("fault_sets", fault_sets, "a list of sets of faults, as of every_fault")
    if not sets:
        raise ValueError("there is no set of faults to try")
    for number, chosen in enumerate(sets, start=1):
        faults = items("each of fault_sets", chosen, 'a list of faults, such as [Crash("r1", 1.0)]', Fault)
        run = scenario.with_faults(*scenario.faults, *faults).run(until)
        problem = instance("what claim returns", claim(run), str, 'a text, "" if all is well')
        if problem:
            return Tolerance(False, number, faults, problem, run)
    return Tolerance(True, len(sets), (), "", run)
