"""Raft under schedules at random, by both adversaries; then all schedules of three members; then how fast it is.

    python benchmarks/raft_search.py [SEEDS] [FIRST]

SEEDS runs of each kind (1000), from seed FIRST (0) on; each kind prints a line when it is done, with what it has found.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from dscourse.consensus import (
    SAFETY,
    KeyValueNode,
    RaftNode,
    logs_match,
    raft_cluster,
    rules_of_every_moment,
    same_values,
    watched,
)
from dscourse.consistency import CasRegister, History, check_linearizable
from dscourse.exploration import Ask, FaultMix, explore, search
from dscourse.simulation import ClosedLoop, Exponential, Run, Scenario, holds

STATES = 1_000_000
BOTH = {"pre_vote": True, "check_quorum": True}


def linearizable(run: Run) -> object:
    """What clients saw can be explained by one store."""
    return check_linearizable(History.from_run(run), CasRegister())


def store(**settings: object) -> Scenario:
    """Five members, a gateway and three clients that read, write and change one key."""
    clients = []
    for client in range(3):
        kinds = (("put", "x", f"{client}"), ("cas", "x", f"{(client + 1) % 3}", f"{client}"), ("get", "x"))
        operations = tuple(
            (kind[0], "x", *(f"{value}.{place}" for value in kind[2:]))
            for place in range(6)
            for kind in kinds
        )
        clients.append(ClosedLoop(operations, Exponential(0.1), "g0", 1.5))
    return raft_cluster(5, 1, node=watched(KeyValueNode), clients=clients, patience=0.2, **settings)  # type: ignore[arg-type]


def untimed(members: int, **settings: object) -> Scenario:
    """Members that are each asked three times."""
    clients = [ClosedLoop(tuple(range(3)), 1.0, f"n{place}", 1.0) for place in range(members)]
    return raft_cluster(members, node=watched(RaftNode), clients=clients, **settings)  # type: ignore[arg-type]


def show(words: str, what: partial[object]) -> None:
    """Do it, and print how long it took and what came of it."""
    started = time.process_time()
    found = what()
    print(f"{words}: {time.process_time() - started:.1f} s. {found!r}", flush=True)


def main() -> None:
    """Print one line a search, one an exploration, and the speeds."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    seeds = range(first, first + count)
    run = raft_cluster(5, node=RaftNode)
    for _ in range(2):
        started = time.process_time()
        run.run(60.0)
        seconds = time.process_time() - started
    print(f"five members, 60 s without clients: {seconds:.3f} s")
    invariants = partial(
        search,
        raft_cluster(5, node=watched(RaftNode)),
        SAFETY,
        until=10.0,
        seeds=500,
        faults=FaultMix(most=6),
    )
    show("five members, 500 seeds of 10 s with all invariants", invariants)
    whole = (*SAFETY, same_values, holds(linearizable, name="linearizable"))
    for words, settings, mix in (
        ("by the log", {}, FaultMix(most=8)),
        ("by rounds", {"reads": "rounds"}, FaultMix(most=8)),
        ("by rounds, pre-vote and check-quorum", {"reads": "rounds", **BOTH}, FaultMix(most=8)),
        ("by lease", {"reads": "lease", "check_quorum": True}, FaultMix(most=8, clocks=False)),
    ):
        found = partial(search, store(**settings), whole, until=4.0, seeds=seeds, faults=mix)
        show(f"in time, {words}, {count} seeds of 4 s", found)
    for members in (3, 5):
        for words, settings in (
            ("plain", {}),
            ("as in the figures", {"own_entry": False, "most_entries": 1}),
            ("both", BOTH),
        ):
            found = partial(
                search, untimed(members, **settings), SAFETY, until=200, seeds=seeds, faults=FaultMix(most=8),
                adversary="untimed",
            )  # fmt: skip
            show(f"without time, {members} members, {words}, {count} seeds of 200 steps", found)
    member = partial(watched(RaftNode), election_timeout=(0.2, 0.2), own_entry=False)
    for fires in range(1, 5):
        all_orders = partial(
            explore, member, ("n0", "n1", "n2"), (logs_match, rules_of_every_moment), asks=[Ask("n0", "a")],
            crashes=1, fires=fires, states=STATES, megabytes=1500,
        )  # fmt: skip
        show(f"three members, one entry, one crash, {fires} timers", all_orders)


if __name__ == "__main__":
    main()
