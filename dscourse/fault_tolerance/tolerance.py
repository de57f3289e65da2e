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
from typing import Any

from dscourse.arguments import real, shown, whole
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
        TypeError: a wrong type.
        ValueError: a number out of range, no moment, or more than 100 000 ways.
    """
    if isinstance(nodes, str) or not isinstance(nodes, Sequence):
        raise TypeError(f'nodes must be a list of node ids, such as ["r1", "r2"], got {shown(nodes)}')
    if twice := [node for place, node in enumerate(nodes) if node in nodes[:place]]:
        raise ValueError(f"nodes must name each node once, got {shown(twice[0])} twice")
    most = whole("f", f, at_least=0, at_most=len(nodes))
    if isinstance(moments, str | bytes) or not isinstance(moments, Iterable):
        raise TypeError(f"moments must be a list of seconds, such as [1.0, 2.5], got {shown(moments)}")
    if not callable(make):
        raise TypeError(f"make must be a function of a node and a time, such as Crash, got {shown(make)}")
    times = [real("a moment", moment, at_least=0.0) for moment in moments]
    if not times:
        raise ValueError("moments must name at least one moment")
    count_of_ways = 1 + len(times) * sum(math.comb(len(nodes), count) for count in range(1, most + 1))
    if count_of_ways > _MOST_WAYS:
        raise ValueError(
            f"that makes {readable_number(count_of_ways)} sets of faults to try; "
            f"this goes up to {readable_number(_MOST_WAYS)}"
        )
    ways: list[tuple[Fault, ...]] = [()]
    for count in range(1, most + 1):
        for chosen in itertools.combinations(nodes, count):
            ways += [tuple(_made(make, node, at) for node in chosen) for at in times]
    return ways


def _made(make: Callable[[str, float], Fault], node: str, at: float) -> Fault:
    fault: object = make(node, at)
    if not isinstance(fault, Fault):
        raise TypeError(f"make must return a fault, such as Crash(node, at), got {shown(fault)}")
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
        TypeError: a claim that doesn't return a text.
        ValueError: no set of faults to try.
    """
    if not isinstance(scenario, Scenario):
        raise TypeError(f"scenario must be a Scenario, such as read_scenario(2), got {shown(scenario)}")
    if not callable(claim):
        raise TypeError(f"claim must be a function of a run, such as reads_answered, got {shown(claim)}")
    if isinstance(fault_sets, str) or not isinstance(fault_sets, Iterable):
        raise TypeError(
            f"fault_sets must be several sets of faults, as of every_fault, got {shown(fault_sets)}"
        )
    runs = 0
    run: Run | None = None
    for faults in fault_sets:
        if isinstance(faults, str) or not isinstance(faults, Iterable):
            example = '[Crash("r1", 1.0)]'
            raise TypeError(
                f"each of fault_sets must be a list of faults, such as {example}, got {shown(faults)}"
            )
        runs += 1
        run = scenario.with_faults(*scenario.faults, *faults).run(until)
        problem: Any = claim(run)
        if not isinstance(problem, str):
            raise TypeError(f'claim must return a text ("" if all is well), got {shown(problem)}')
        if problem:
            return Tolerance(False, runs, tuple(faults), problem, run)
    if run is None:
        raise ValueError("there is no set of faults to try")
    return Tolerance(True, runs, (), "", run)
