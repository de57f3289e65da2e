"""One small service, with a knob for each bottleneck that stops a metric from scaling.

A request passes five stations in a row. Each is a line in front of one or more servers, as in the *staged
event-driven architecture* of M. Welsh, D. Culler and E. Brewer (SOSP 2001):

1. a **worker thread** of its node, which is held, together with a database connection, while the database answers;
2. a **CPU core** of its node;
3. the **disk** of its node; a write is done on every copy, so that copies cost disk time on all nodes;
4. a **lock** that all nodes share, where there is one;
5. perhaps a **pause**: garbage collection, a page fault, a background job.

The load grows with the cluster: every node brings the same number of requests per second with it, which is how one
asks whether a system scales. With no bottleneck turned on, each metric then behaves as it should: throughput,
users and data grow in proportion, latencies stay.

Stations 1 to 4 are simulated, customer by customer, with `simulate_queue`; the formulas for M/M/c are the check on
it. How many users and how much data fit follows from counting (Little's law and the interactive response time law,
P. J. Denning and J. P. Buzen, *ACM Computing Surveys* 10(3), 1978).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.arguments import items, keep, probability, real, whole
from dscourse.scaling.latencies import latency_quantile
from dscourse.scaling.queue_simulation import QueueResult, simulate_queue

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.arguments import Floats

_REQUESTS = 10_000  # simulated for each size of the cluster
_SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class System:
    """A service of equal nodes. Times in seconds; what isn't said to be shared is per node.

    Attributes:
        load_per_node: requests per second that come with each node.
        workers: worker threads; each waits for the database with one request at a time.
        database_seconds: mean time the database takes, which a worker and a connection are held for.
        cores: CPU cores.
        cpu_seconds: mean CPU time of a request.
        io_seconds: mean disk time of a request.
        write_share: the share of requests that write.
        copies: how many nodes hold each item; a write must reach all of them.
        lock_seconds: mean time for which a request holds the lock that all nodes share; 0 if there is none.
        queue_limit: who finds so many waiting at a station is turned away.
        pause_probability: the chance that a request meets a pause.
        pause_seconds: how long a pause is.
        session_memory: GB that a node has for sessions.
        session_size: MB that one session takes.
        session_copies: how many nodes hold each session.
        connections: database connections that all nodes *share*; each node gets an equal part.
        think_seconds: how long a user takes between an answer and the next request.
        disk: TB.
        refill_rate: MB per second at which the cluster, as a whole, moves data to nodes that came or were replaced.
        days_between_changes: how long a node stays before it is replaced, on average.

    Raises:
        TypeError: not a number.
        ValueError: out of range.
    """

    load_per_node: float = 400.0
    workers: int = 32
    database_seconds: float = 0.02
    cores: int = 4
    cpu_seconds: float = 0.004
    io_seconds: float = 0.001
    write_share: float = 0.25
    copies: int = 1
    lock_seconds: float = 0.0
    queue_limit: int = 200
    pause_probability: float = 0.0
    pause_seconds: float = 0.25
    session_memory: float = 16.0
    session_size: float = 1.0
    session_copies: int = 1
    connections: int = 5_000
    think_seconds: float = 10.0
    disk: float = 4.0
    refill_rate: float = 1_000.0
    days_between_changes: float = 30.0

    def __post_init__(self) -> None:
        above = (
            "load_per_node",
            "database_seconds",
            "cpu_seconds",
            "io_seconds",
            "session_memory",
            "session_size",
        )
        for name in (*above, "think_seconds", "disk", "refill_rate", "days_between_changes"):
            keep(self, **{name: real(name, getattr(self, name), above=0.0)})
        for name in ("lock_seconds", "pause_seconds"):
            keep(self, **{name: real(name, getattr(self, name), at_least=0.0)})
        for name in ("workers", "cores", "copies", "session_copies", "connections"):
            keep(self, **{name: whole(name, getattr(self, name), at_least=1)})
        for name in ("write_share", "pause_probability"):
            keep(self, **{name: probability(name, getattr(self, name))})
        keep(self, queue_limit=whole("queue_limit", self.queue_limit, at_least=0))

    def changed(self, **knobs: Any) -> System:
        """Return a copy with other settings: ``system.changed(workers=4)``.

        Raises:
            LookupError: no setting of that name.
        """
        unknown = sorted(set(knobs) - set(asdict(self)))
        if unknown:
            raise LookupError(f"A System has no {unknown[0]!r}. It has: {', '.join(asdict(self))}.")
        return replace(self, **knobs)

    def measure(self, nodes: int, seed: int = 0) -> SystemMetrics:
        """Run ``nodes`` nodes under their load and return the five metrics.

        Args:
            nodes: size of the cluster, 1 to as many as there are connections.
            seed: of the random numbers.

        Raises:
            TypeError: not whole numbers.
            ValueError: no node, or more nodes than connections.
        """
        count = whole("nodes", nodes, at_least=1)
        start = whole("seed", seed, at_least=0)
        if count > self.connections:
            raise ValueError(
                f"{count} nodes need at least one database connection each, got {self.connections} in all"
            )
        capacity = self.throughput_limit(count)
        latencies, served_share = self._run(count, start)
        offered = count * self.load_per_node
        return SystemMetrics(
            nodes=count,
            throughput=min(offered * served_share, capacity),
            median=latency_quantile(latencies, 0.5),
            p99=latency_quantile(latencies, 0.99),
            users=self.most_users(count),
            data=self.most_data(count),
        )

    def curve(self, nodes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64), seed: int = 0) -> pd.DataFrame:
        """Return the five metrics for several sizes of the cluster, one row each."""
        import pandas as pd

        sizes = items("nodes", nodes, "a list of whole numbers")
        if not sizes:
            raise ValueError("nodes must not be empty")
        return pd.DataFrame([asdict(self.measure(count, seed)) for count in sizes]).set_index("nodes")

    def throughput_limit(self, nodes: int) -> float:
        """Requests per second that the busiest station can pass on: the bottleneck law."""
        count = whole("nodes", nodes, at_least=1)
        own = min(
            self._threads(count) / self.database_seconds,
            self.cores / self.cpu_seconds,
            1.0 / self._disk_seconds(count),
        )
        shared = 1.0 / self.lock_seconds if self.lock_seconds > 0.0 else float("inf")
        return min(count * own, shared)

    def most_users(self, nodes: int) -> float:
        """Users who can be there at once: their sessions must fit, and their requests must be carried.

        A user sends one request per thinking time and answer, so that requests at a rate X keep X · (answer +
        thinking time) users busy: the interactive response time law.
        """
        count = whole("nodes", nodes, at_least=1)
        held = min(self.session_copies, count)
        by_memory = count * self.session_memory * 1_000.0 / (self.session_size * held)
        answer = self.database_seconds + self.cpu_seconds + self.io_seconds + self.lock_seconds
        return min(by_memory, self.throughput_limit(count) * (answer + self.think_seconds))

    def most_data(self, nodes: int) -> float:
        """TB of different data that the cluster can keep, and go on keeping.

        The copies must fit on the disks. And each node that is replaced must be refilled: on average one in every
        ``days_between_changes`` / nodes, so that data beyond rate × days would leave the cluster ever further behind.
        """
        count = whole("nodes", nodes, at_least=1)
        on_disks = count * self.disk
        refilled = self.refill_rate * 1e-6 * self.days_between_changes * _SECONDS_PER_DAY
        return min(on_disks, refilled) / min(self.copies, count)

    def _threads(self, nodes: int) -> int:
        return min(self.workers, self.connections // nodes)

    def _disk_seconds(self, nodes: int) -> float:
        """Disk time that each request costs a node, the copies of other nodes' writes included."""
        extra = self.write_share * (min(self.copies, nodes) - 1)
        return self.io_seconds * (1.0 + extra)

    def _run(self, nodes: int, seed: int) -> tuple[Floats, float]:
        """Return the latencies of requests that were served, and which share of all that was."""
        # A node's own stations don't see how many others there are, so one node stands for all.
        node_time, node_share, uniform = _through_node(
            self.load_per_node,
            self._threads(nodes),
            self.database_seconds,
            self.cores,
            self.cpu_seconds,
            self._disk_seconds(nodes),
            self.queue_limit,
            seed,
        )
        total, share = node_time, node_share
        if self.lock_seconds > 0.0:
            rate = nodes * self.load_per_node * node_share
            lock = _station(total.size, rate, self.lock_seconds, 1, self.queue_limit, seed)
            total = total[lock.accepted] + lock.sojourn_times
            uniform = uniform[lock.accepted]
            share *= float(lock.accepted.mean())
        return total + np.where(uniform < self.pause_probability, self.pause_seconds, 0.0), share


@dataclass(frozen=True)
class SystemMetrics:
    """The five metrics of a cluster of a given size.

    Attributes:
        nodes: its size.
        throughput: requests per second that were answered.
        median: half of the answers took no longer, seconds.
        p99: ninety-nine of a hundred answers took no longer, seconds.
        users: users who can be there at once.
        data: TB of different data that it can keep.
    """

    nodes: int
    throughput: float
    median: float
    p99: float
    users: float
    data: float


@functools.lru_cache(maxsize=256)
def _through_node(
    rate: float,
    workers: int,
    database_seconds: float,
    cores: int,
    cpu_seconds: float,
    disk_seconds: float,
    limit: int,
    seed: int,
) -> tuple[Floats, float, Floats]:
    """Send requests through the stations of one node: time in the node, share served, one uniform number each."""
    rng = np.random.default_rng([seed, 1])
    # All is drawn before anything is decided, so that turning one knob leaves everybody else's random numbers alone.
    arrivals = np.cumsum(rng.exponential(1.0 / rate, _REQUESTS))
    needs = rng.exponential(1.0, (3, _REQUESTS))
    uniform = rng.random(_REQUESTS)
    came = arrivals
    stations = ((workers, database_seconds), (cores, cpu_seconds), (1, disk_seconds))
    for place, (servers, seconds) in enumerate(stations):
        order = np.argsort(arrivals, kind="stable")
        arrivals, came, uniform, needs = arrivals[order], came[order], uniform[order], needs[:, order]
        gaps = np.diff(arrivals, prepend=0.0)
        passed = simulate_queue(gaps, needs[place] * seconds, servers, queue_limit=limit)
        kept = passed.accepted
        arrivals, came, uniform, needs = passed.departure_times, came[kept], uniform[kept], needs[:, kept]
    return arrivals - came, arrivals.size / _REQUESTS, uniform


def _station(count: int, rate: float, seconds: float, servers: int, limit: int, seed: int) -> QueueResult:
    """Run one station that all nodes share; the requests of many nodes together come like a Poisson process."""
    rng = np.random.default_rng([seed, 2])
    gaps = rng.exponential(1.0, count) / rate
    return simulate_queue(gaps, rng.exponential(1.0, count) * seconds, servers, queue_limit=limit)
