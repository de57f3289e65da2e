"""Sync replication under thousands of schedules: is an acknowledged write ever lost?

    python benchmarks/replication_search.py [SCHEDULES] [FIRST SEED] [MODE]

By default 100 000 schedules, at about 12 ms each: twenty minutes of one core; other seeds can run beside them. Each has
up to five faults of any kind but lies. In half of them one machine may stay down for good, which is what one copy
besides the leader's promises to survive; in the others everybody is back in the end.
"""

from __future__ import annotations

import sys
import time

from dscourse.exploration import FaultMix, search
from dscourse.replication import disks_up, lost_writes, replicated_store
from dscourse.simulation import Moment, OpenLoop, Property, Run, Scenario, eventually, holds

SECONDS = 4.0
MIXES = (FaultMix(crashes=1, most=5), FaultMix(most=5, heal_at=3.0))
_PART = 500


def store(mode: str = "sync") -> Scenario:
    """A small store under load: one client at the leader, one at the gateway, an operator in a hurry."""
    writes = [[("put", f"k{number % 2}", f"{name}{number}") for number in range(12)] for name in "ab"]
    clients = [
        OpenLoop(operations, rate=6.0, to=node, timeout=1.0)
        for operations, node in zip(writes, ("n0", "g0"), strict=True)
    ]
    return replicated_store(mode=mode, clients=clients, timeout=0.5, interval=0.25)


def promises() -> list[Property]:
    """That acknowledged writes survive; the first notes the disks at the end, so that no run is run twice."""
    disks = {}

    def note(now: Moment) -> bool:
        disks.clear()
        disks.update(disks_up(now))
        return True

    def survive(run: Run) -> bool:
        return not lost_writes(run, disks)

    return [
        eventually(note, name="the end", after=SECONDS - 1e-6),
        holds(survive, name="acknowledged writes survive"),
    ]


def main() -> None:
    """Search in parts, so that something is said on the way."""
    defaults = ("100000", "0", "sync")
    schedules, seed, mode = (*sys.argv[1:], *defaults[len(sys.argv) - 1 :])
    count, first = int(schedules), int(seed)
    started, tried = time.perf_counter(), 0
    while tried < count:
        for mix in MIXES:
            seeds = range(first, first + min(_PART, count - tried))
            if not seeds:
                break
            found = search(store(mode), promises(), until=SECONDS, seeds=seeds, faults=mix)
            tried += found.tried
            if not found:
                print(found, found.counterexample.faults if found.counterexample else "")
                raise SystemExit(1)
        first += _PART
        print(f"{tried} schedules: nothing found, {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
