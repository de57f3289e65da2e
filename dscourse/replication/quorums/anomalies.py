"""How often a quorum isn't a register: clients write and read one key, and a checker judges what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import real, whole
from dscourse.replication.leaderless.replica import LeaderlessReplica

if TYPE_CHECKING:
    from dscourse.simulation import Run

OPERATIONS = 12  # of each client
READERS = 2
KEY = "x"
_LONG = 10_000.0  # seconds: longer than any run, so that nobody gives up


def quorum_run(
    n: int,
    w: int,
    r: int,
    *,
    write_back: bool = False,
    writers: int = 1,
    clock_skew: float = 0.0,
    seed: int = 0,
) -> Run:
    """Let writers and two readers use one key of a leaderless store, each by a coordinator of its own.

    Each does twelve operations, with a think time of mean 1.5 s between them, exponentially distributed; messages take
    1 s on average, exponentially as well. Nothing fails, and read repair is off.

    Args:
        n: homes of the key.
        w: of these must have a write before the writer is told.
        r: of these must have answered a read.
        write_back: whether a read makes sure of what it is going to say.
        writers: how many clients write.
        clock_skew: seconds by which each writer's clock is ahead of the writer's before it.
        seed: of the run.
    """
    import networkx as nx

    from dscourse.simulation import ClockOffset, ClosedLoop, Exponential, Network, Scenario

    storage = tuple(f"n{number}" for number in range(whole("n", n, at_least=1)))
    roles = [("writer", place) for place in range(whole("writers", writers, at_least=1))]
    roles += [("reader", place) for place in range(READERS)]
    graph: nx.Graph[str] = nx.Graph()
    clients = []
    for role, place in roles:
        graph.add_edges_from((f"{role}{place}", node) for node in storage)
        asks = [("get", KEY) if role == "reader" else ("put", KEY, f"{place}.{i}") for i in range(OPERATIONS)]
        clients.append(ClosedLoop(tuple(asks), Exponential(1.5), f"{role}{place}", timeout=_LONG))
    skew = real("clock_skew", clock_skew)
    faults = [ClockOffset(f"writer{place}", skew * place, 0.0) for place in range(1, writers) if skew]
    factory = partial(
        LeaderlessReplica,
        n=n,
        w=w,
        r=r,
        read_repair=False,
        write_back=write_back,
        storage=storage,
        patience=_LONG,
    )
    network = Network(graph, latency=Exponential(1.0))
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed).run(_LONG)


def quorum_anomalies(
    n: int,
    w: int,
    r: int,
    *,
    write_back: bool = False,
    writers: int = 1,
    clock_skew: float = 0.0,
    seeds: int | Sequence[int] = 300,
) -> float:
    """The share of runs of `quorum_run` whose history isn't linearizable.

    Args:
        n: homes of the key.
        w: of these must have a write before the writer is told.
        r: of these must have answered a read.
        write_back: whether a read makes sure of what it is going to say.
        writers: how many clients write.
        clock_skew: seconds by which each writer's clock is ahead of the writer's before it.
        seeds: how many runs, or their seeds.
    """
    from dscourse.consistency import History, Register, check_linearizable

    chosen = range(whole("seeds", seeds, at_least=1)) if isinstance(seeds, int) else list(seeds)
    illegal = 0
    for seed in chosen:
        run = quorum_run(n, w, r, write_back=write_back, writers=writers, clock_skew=clock_skew, seed=seed)
        verdict = check_linearizable(History.from_run(run), Register())
        illegal += verdict.outcome == "illegal"
    return illegal / len(chosen)
