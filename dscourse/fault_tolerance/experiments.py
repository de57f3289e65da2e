"""The four kinds of fault as experiments: with one replica too few the promise breaks, with enough it holds.

    fault_experiment("crash", replicas=1)      # not tolerant: …
    fault_experiment("crash", replicas=2)      # tolerant: the promise held in all 7 runs

Each goes through the placements of the faults, and runs each on the simulated cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dscourse.arguments import one_of, whole
from dscourse.fault_tolerance.byzantine_search import treasons
from dscourse.fault_tolerance.generals import generals_agree, generals_scenario, length_of_agreement
from dscourse.fault_tolerance.replicas import FAULT_TYPES, replicas_needed
from dscourse.fault_tolerance.replicated_reads import read_scenario, reads_answered
from dscourse.fault_tolerance.tolerance import Tolerance, every_fault, tolerates
from dscourse.simulation import Crash, Fault, Lossy, Slow

if TYPE_CHECKING:
    import pandas as pd

_UNTIL = 6.0
_MOMENTS = (0.0, 1.3, 2.6)
_MOST_TREASONS = 64


_FAULTS: dict[str, Callable[[str, float], Fault]] = {
    "crash": Crash,
    "omission": lambda node, at: Lossy(0.4, at, link=("front", node)),  # both questions and answers get lost
    "timing": lambda node, at: Slow(
        60, at, node=node
    ),  # 1.2 s instead of 0.02 s; clients want it within 0.5 s
}


def fault_experiment(
    fault: str, replicas: int | None = None, f: int = 1, *, attempts: int | None = None, seed: int = 0
) -> Tolerance:
    """Try every placement of up to `f` faulty nodes, and say whether the promise held.

    For "crash", "omission" and "timing" the promise is that each of 40 reads is answered rightly within half a second:
    a front end asks one of the replicas, and after 0.1 s without an answer the next. For "byzantine" it is that
    generals agree (IC1, IC2): every lie if there are at most 64 cases, else 64 of them.

    Args:
        fault: the kind of fault.
        replicas: how many; by default what `replicas_needed` says, with agreement for generals.
        f: how many nodes may be faulty.
        attempts: how often the front end asks for one read; by default f + 1, so that it gets to the last replica.
        seed: of the scenario.
    """
    kind = one_of("fault", fault, FAULT_TYPES)
    faulty = whole("f", f, at_least=0)
    asked = faulty + 1 if attempts is None else whole("attempts", attempts, at_least=1)
    count = _enough(kind, faulty) if replicas is None else whole("replicas", replicas, at_least=1)
    if kind == "byzantine":
        faulty = whole("f", faulty, at_least=0, at_most=count - 1)
        return _byzantine_experiment(count, faulty, whole("seed", seed, at_least=0))
    scenario = read_scenario(count, attempts=asked, seed=seed)
    names = [f"r{number}" for number in range(1, count + 1)]
    ways = every_fault(_FAULTS[kind], names, min(faulty, count), _MOMENTS)
    return tolerates(scenario, ways, until=_UNTIL, claim=reads_answered)


def _enough(kind: str, faulty: int) -> int:
    """Front ends read what all replicas hold; generals must agree among themselves."""
    return replicas_needed(kind, faulty, agreement=kind == "byzantine")


def _byzantine_experiment(generals: int, traitors: int, seed: int) -> Tolerance:
    _, cases = treasons(generals, traitors, traitors, signed=False, seed=seed, most_tries=_MOST_TREASONS)
    until = length_of_agreement(traitors)
    for number, (placement, order, lies) in enumerate(cases, start=1):
        run = generals_scenario(generals, order, traitors, lies, placement, seed=seed).run(until)
        problem = generals_agree(run)
        if problem:
            return Tolerance(False, number, run.faults, problem, run)
    return Tolerance(True, number, (), "", run)


def fault_table(f: int = 1) -> pd.DataFrame:
    """Measure, for each kind of fault, what happens with one replica too few and with enough."""
    import pandas as pd

    rows = []
    for kind in FAULT_TYPES:
        enough = _enough(kind, f)
        too_few, right = fault_experiment(kind, enough - 1, f), fault_experiment(kind, enough, f)
        rows.append(
            {
                "fault": kind,
                "one too few": f"{enough - 1}: {too_few.problem or 'held'}",
                "enough": f"{enough}: {'held' if right else right.problem} in {right.runs} runs",
            }
        )
    return pd.DataFrame(rows).set_index("fault")
