"""Sync replication under thousands of schedules: is an acknowledged write ever lost?

    python benchmarks/replication_search.py [SCHEDULES] [FIRST SEED] [MODE]

By default 100 000 schedules, which take hours on one core; other seeds can run beside them. Each has up to five faults
of any kind but lies, at most one machine of which stays down for good: what one copy besides the leader's promises.
"""

from __future__ import annotations

import sys
import time

from dscourse.exploration import FaultMix, search
from dscourse.replication import acknowledged_writes_survive, replicated_store
from dscourse.simulation import OpenLoop, Scenario

SECONDS = 4.0
MIX = FaultMix(crashes=1, most=5)
ALL_COME_BACK = FaultMix(most=5, heal_at=3.0)


def store(mode: str = "sync") -> Scenario:
    """A small store under load: one client at the leader, one at the gateway, an operator in a hurry."""
    writes = [[("put", f"k{number % 2}", f"{name}{number}") for number in range(12)] for name in "ab"]
    clients = [
        OpenLoop(operations, rate=6.0, to=node, timeout=1.0)
        for operations, node in zip(writes, ("n0", "g0"), strict=True)
    ]
    return replicated_store(mode=mode, clients=clients, timeout=0.5, interval=0.25)


def main() -> None:
    """Search in parts, so that something is said on the way."""
    given = sys.argv[1:]
    count, first, mode = (
        *map(int, [*given[:2], *("100000", "0")[len(given) :]]),
        given[2] if given[2:] else "sync",
    )
    started = time.perf_counter()
    for begin in range(first, first + count, 1000):
        seeds = range(begin, min(begin + 1000, first + count))
        for mix in (MIX, ALL_COME_BACK):
            found = search(store(mode), acknowledged_writes_survive, until=SECONDS, seeds=seeds, faults=mix)
            if not found:
                print(found, found.counterexample.faults if found.counterexample else "")
                raise SystemExit(1)
        print(
            f"{seeds.stop - first} seeds, two mixes: nothing found, {time.perf_counter() - started:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
