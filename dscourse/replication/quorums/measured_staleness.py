"""The question of `probabilistically_bounded_staleness`, asked of the simulated store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import probability, real, whole
from dscourse.replication.leaderless.replica import LeaderlessReplica

if TYPE_CHECKING:
    from dscourse.simulation import LatencyModel

_LONG = 1000.0  # seconds: nobody gives up


@dataclass(frozen=True)
class MeasuredStaleness:
    """What clients of a store saw.

    Attributes:
        fresh: the share of reads that saw the write before them.
        reads: the times that the reads took, in ms, sorted.
        writes: the times that the writes took, in ms, sorted.
    """

    fresh: float
    reads: Sequence[float]
    writes: Sequence[float]

    @property
    def standard_error(self) -> float:
        """Of ``fresh``."""
        return math.sqrt(self.fresh * (1 - self.fresh) / len(self.reads))

    def read_latency(self, q: float) -> float:
        """The time in ms within which a share ``q`` of the reads ended."""
        return self.reads[max(0, math.ceil(probability("q", q) * len(self.reads)) - 1)]

    def write_latency(self, q: float) -> float:
        """The time in ms within which a share ``q`` of the writes ended."""
        return self.writes[max(0, math.ceil(probability("q", q) * len(self.writes)) - 1)]


def measure_staleness(
    write: LatencyModel | float,
    ack: LatencyModel | float,
    read: LatencyModel | float,
    response: LatencyModel | float,
    *,
    n: int,
    w: int,
    r: int,
    wait: float = 0.0,
    trials: int = 1000,
    seed: int = 0,
) -> MeasuredStaleness:
    """Let a client write by one coordinator of a leaderless store, wait, and read by another, many times.

    Args:
        write: latency of the links from the coordinator of writes to the replicas.
        ack: of the links back.
        read: of the links from the coordinator of reads to the replicas.
        response: of the links back.
        n: replicas.
        w: acknowledgements that end a write.
        r: responses that end a read.
        wait: how long after the end of a write the read begins, in ms.
        trials: how many writes and reads.
        seed: of the run.
    """
    import networkx as nx

    from dscourse.simulation import ClosedLoop, Network, Scenario

    storage = tuple(f"n{number}" for number in range(whole("n", n, at_least=1)))
    graph: nx.DiGraph[str] = nx.DiGraph()
    for node in storage:
        graph.add_edge("writer", node, latency=write)
        graph.add_edge(node, "writer", latency=ack)
        graph.add_edge("reader", node, latency=read)
        graph.add_edge(node, "reader", latency=response)
    pairs = [(("put", "x", number), ("get", "x")) for number in range(whole("trials", trials, at_least=1))]
    operations = tuple(operation for pair in pairs for operation in pair)
    pause = real("wait", wait, at_least=0.0) / 1000
    client = ClosedLoop(operations, pause, ("writer", "reader"), timeout=_LONG)
    factory = partial(LeaderlessReplica, n=n, w=w, r=r, read_repair=False, storage=storage, patience=_LONG)
    history = Scenario(factory, Network(graph), clients=[client], seed=seed).run(_LONG * trials).history()
    puts, gets = history[::2], history[1::2]
    fresh = sum(get.value == put.operation[2] for put, get in zip(puts, gets, strict=True)) / trials
    reads, writes = (sorted(one.latency * 1000 for one in each) for each in (gets, puts))
    return MeasuredStaleness(fresh, reads, writes)
