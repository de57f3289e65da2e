"""What a search costs: a run with its property looked at against the bare run, and five hundred seeds.

    python benchmarks/exploration_search.py

Seconds of CPU; ratios are of the same run of this script. A shrink of a typical counterexample comes last.
"""

import time

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import FaultMix, search, shrink
from dscourse.simulation import Network, Partition, Pause, Scenario, Slow, Uniform, never, topology
from dscourse.simulation.run import judged_run

ROUNDS = 40
ONE_LEADER = never(
    lambda now: sum(status.status == "leader" for status in now.status.values()) > 1,
    name="one leader at a time",
)
QUIET = never(lambda now: any(fields["leader"] is False for fields in now.nodes.values()), name="never so")
SCENARIO = Scenario(NaiveFailoverNode, Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2)), seed=1)


def cpu(action, rounds=ROUNDS):
    """Least seconds of CPU of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def main():
    """Print the table."""
    bare = cpu(lambda: SCENARIO.run(10.0))
    run = SCENARIO.run(10.0)
    rows = [
        ("bare run of 10 s, 5 nodes", bare),
        ("with a property over records", cpu(lambda: judged_run(SCENARIO, 10.0, [ONE_LEADER]))),
        ("with a property over all nodes' fields", cpu(lambda: judged_run(SCENARIO, 10.0, [QUIET]))),
        ("run.check afterwards", cpu(lambda: run.check(ONE_LEADER), 10)),
    ]
    for name, seconds in rows:
        print(f"{name:<40} {seconds * 1e3:7.2f} ms  {seconds / bare:5.2f} × the bare run")
    start = time.process_time()
    found = search(SCENARIO, QUIET, until=10.0, seeds=500, faults=FaultMix())
    print(f"500 seeds, nothing found: {time.process_time() - start:.1f} s ({found.tried} runs)")
    noise = [Pause("n3", at=0.7, until=1.1), Slow(2.0, at=1.0, node="n4")]
    split = Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=2.1234, until=7.5)
    failing = SCENARIO.with_faults(*noise, split).run(10.0)
    print(f"a shrink from 3 faults to 1: {cpu(lambda: shrink(failing, ONE_LEADER), 3):.2f} s")


if __name__ == "__main__":
    main()
