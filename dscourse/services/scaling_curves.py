"""How five patterns scale, measured: throughput at 1, 2, 4 … nodes, and the law that fits.

    measure_scaling("read replicas", [1, 2, 4, 8, 16, 32, 64]).fit.contention

Each size is run at full tilt: so many users a node, each of whom asks again as soon as the answer is there. So what
comes out is what the system can do, and where it waits. Times are in mean service times of one node, throughput in
requests per service time: one node alone does nearly 1.

A station (a node, a lock, a store) works on one thing at a time, in order of arrival; all work takes an exponential
time. With users asking nodes at random, theory has an exact answer to compare with (a closed network of queues: W.
Gordon and G. Newell, *Operations Research* 15(2), 1967): K users at N equal stations get N·K/(N + K − 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.arguments import items, one_of, probability, real, whole
from dscourse.scaling.fitting import USLFit, fit_usl

if TYPE_CHECKING:
    import pandas as pd

PATTERNS = ("shared-nothing", "partitioning", "read replicas", "stateless", "asynchronous")
_KEYS = 1_000
_WARM_UP = 0.1
_DRAWS = 1 << 14  # random numbers made at a time
_NOBODY = -1  # who isn't a user: the replicas hear of a write

# What each pattern is good for, and what ends it; the measured columns of the summary table stand beside these.
_WORDS = {
    "shared-nothing": ("work that divides into independent parts", "whatever is still shared"),
    "partitioning": ("data and writes, one partition a request", "requests that need all partitions"),
    "read replicas": ("reads that may be a little old", "writes, which every replica must do again"),
    "stateless": ("computing for each request, on any machine", "the store that keeps the state instead"),
    "asynchronous": ("work that may be done later, at the workers' pace", "the one queue, and the wait"),
}  # fmt: skip


@dataclass(frozen=True)
class ScalingCurve:
    """What a pattern did at each size.

    Attributes:
        pattern: its name.
        nodes: the sizes.
        throughput: requests answered in a mean service time, at each size.
        median: median time of a request in mean service times, at each size.
        p99: its 99th percentile.
        stale_share: of read replicas, the share of reads that missed a write already acknowledged; else zeros.
        utilization: at the largest size, the share of the time for which each kind of station worked, by name: of
            nodes, the busiest one.
    """

    pattern: str
    nodes: tuple[int, ...]
    throughput: tuple[float, ...]
    median: tuple[float, ...]
    p99: tuple[float, ...]
    stale_share: tuple[float, ...]
    utilization: dict[str, float] = field(repr=False)

    @property
    def fit(self) -> USLFit:
        """The Universal Scalability Law that fits best; at least three sizes are needed."""
        return fit_usl(self.nodes, self.throughput)

    @property
    def speedup(self) -> tuple[float, ...]:
        """Throughput over that of the first size."""
        return tuple(value / self.throughput[0] for value in self.throughput)

    @property
    def bottleneck(self) -> str:
        """What worked for the greatest share of the time at the largest size: "node", "lock", "store" or "broker"."""
        return max(self.utilization, key=lambda name: self.utilization[name])


def measure_scaling(
    pattern: str,
    nodes: Sequence[int] | int = (1, 2, 4, 8, 16, 32, 64),
    *,
    shared: float = 0.0,
    cross_partition: float = 0.0,
    writes: float = 0.1,
    lag: float = 10.0,
    store: float = 0.02,
    broker: float = 0.01,
    users: int = 16,
    requests: int = 100_000,
    seed: int = 0,
) -> ScalingCurve:
    """Measure how a pattern scales.

    - "shared-nothing": each node has its own users, and needs nobody, but for the `shared` part of each request, which
      goes through something that all have in common: a lock, or a disk.
    - "partitioning": each request goes to the node that owns its key; a share `cross_partition` must ask every node,
      and waits for the last.
    - "read replicas": reads go to any node, writes to the leader, and then to all the others, which learn of them `lag`
      later. Every node does every write.
    - "stateless": any node takes any request, and fetches its state from one store.
    - "asynchronous": requests go into one queue, at one broker, from which whoever is idle takes the next one.

    Args:
        pattern: one of `PATTERNS`.
        nodes: the sizes, or the largest: 64 stands for 1, 2, 4 … 64.
        shared: shared-nothing: the share of a request's work in the shared part.
        cross_partition: partitioning: share of the requests.
        writes: read replicas: share of the requests.
        lag: read replicas: mean service times until the others hear of a write.
        store: stateless: work of the store for a request, over that of a node.
        broker: asynchronous: work of the broker for a request.
        users: of each node. With few, nodes also stand idle while their users wait elsewhere.
        requests: how many at each size; the first tenth is warm-up.
        seed: of the random numbers.

    Raises:
        TypeError, ValueError: what is wrong with an argument.
    """
    one_of("pattern", pattern, PATTERNS)
    sizes = _sizes(nodes)
    settings = {
        "shared": probability("shared", shared),
        "cross_partition": probability("cross_partition", cross_partition),
        "writes": probability("writes", writes),
        "lag": real("lag", lag, at_least=0.0),
        "store": real("store", store, at_least=0.0),
        "broker": real("broker", broker, at_least=0.0),
    }
    count, start = whole("requests", requests, at_least=100), whole("seed", seed, at_least=0)
    each = whole("users", users, at_least=1)
    points = [
        _run(pattern, size, settings, each * size, max(count, 10 * each * size), start) for size in sizes
    ]
    throughput, median, p99, stale_share = zip(*(measured for measured, _ in points), strict=True)
    return ScalingCurve(pattern, sizes, throughput, median, p99, stale_share, points[-1][1])


def pattern_table(nodes: Sequence[int] | int = (1, 2, 4, 8, 16, 32, 64), **settings: Any) -> pd.DataFrame:
    """Return the table of all five patterns: what each scales, how far it came, what ended it.

    Args:
        nodes: as for `measure_scaling`.
        settings: likewise.
    """
    import pandas as pd

    rows = {}
    for pattern in PATTERNS:
        curve = measure_scaling(pattern, nodes, **settings)
        use, limit = _WORDS[pattern]
        rows[pattern] = {
            "speedup": curve.speedup[-1],
            "contention": curve.fit.contention,
            "most": curve.fit.peak_throughput,
            "p99": curve.p99[-1],
            "stale reads": curve.stale_share[-1],
            "bottleneck": curve.bottleneck,
            "limit": limit,
            "use": use,
        }
    return pd.DataFrame(rows).T.infer_objects()


class _System:
    """The stations of a pattern: `first` and `second` are what a request does, each returns when it is done there."""

    def __init__(self, nodes: int, settings: dict[str, float], rng: np.random.Generator) -> None:
        self.nodes = nodes
        self.free = [0.0] * (nodes + 1)  # from when on; the last one is what all share
        self.worked = [0.0] * (nodes + 1)
        self.settings = settings
        self.stale = self.reads = 0
        self.applying: float | None = None  # when the replicas will hear of the write that has just been done
        self._need = _forever(lambda: rng.exponential(1.0, _DRAWS).tolist()).__next__
        self._draw = _forever(lambda: rng.random(_DRAWS).tolist()).__next__

    shared_name = "nothing"

    def first(self, user: int, now: float) -> float:
        """Do the first part of a request that begins now."""
        raise NotImplementedError

    def second(self, user: int, now: float) -> float | None:
        """Do the second part; None if there is none."""
        return None

    def apply(self, now: float) -> None:
        """Let the replicas do a write."""

    def visit(self, station: int, now: float, mean: float = 1.0) -> float:
        """Return when work that came at `now` is done. Visits of one station must come in order of time."""
        begin, need = self.free[station], mean * self._need()
        self.worked[station] += need
        self.free[station] = done = (now if begin < now else begin) + need
        return done

    def visit_all(self, stations: range, now: float) -> float:
        """Return when all of them have done work that came at `now`."""
        free, worked, draw, last = self.free, self.worked, self._need, now
        for station in stations:
            need, begin = draw(), free[station]
            worked[station] += need
            free[station] = done = (now if begin < now else begin) + need
            if done > last:
                last = done
        return last

    def any_node(self) -> int:
        """A node at random."""
        return int(self._draw() * self.nodes)

    def utilization(self, until: float) -> dict[str, float]:
        """The share of the time for which each kind of station worked."""
        busy = [
            (worked - max(0.0, free - until)) / until  # what it is still to do has been counted as it came
            for worked, free in zip(self.worked, self.free, strict=True)
        ]
        return {"node": max(busy[:-1])} | ({self.shared_name: busy[-1]} if self.worked[-1] else {})


class _SharedNothing(_System):
    shared_name = "lock"

    def first(self, user: int, now: float) -> float:
        return self.visit(user % self.nodes, now, 1.0 - self.settings["shared"])

    def second(self, user: int, now: float) -> float | None:
        part = self.settings["shared"]
        return self.visit(self.nodes, now, part) if part else None


class _Partitioned(_System):
    def first(self, user: int, now: float) -> float:
        if self._draw() < self.settings["cross_partition"]:
            return self.visit_all(range(self.nodes), now)
        return self.visit(self.any_node(), now)


class _ReadReplicas(_System):
    """Node 0 is the leader."""

    def __init__(self, nodes: int, settings: dict[str, float], rng: np.random.Generator) -> None:
        super().__init__(nodes, settings, rng)
        self._writing: dict[int, int] = {}  # which user writes which key
        self._written = [-1e18] * _KEYS  # when a write of each key was acknowledged last

    def first(self, user: int, now: float) -> float:
        key = int(self._draw() * _KEYS)
        if self._draw() < self.settings["writes"]:
            self._writing[user] = key
            return self.visit(0, now)
        node = self.any_node()
        self.reads += 1
        # acknowledged by now, and not yet heard of here: whoever asks now misses it
        self.stale += node > 0 and self._written[key] <= now < self._written[key] + self.settings["lag"]
        return self.visit(node, now)

    def second(self, user: int, now: float) -> float | None:
        key = self._writing.pop(user, None)
        if key is not None:  # the leader has done it, and says so
            self._written[key] = now
            self.applying = now + self.settings["lag"]
        return None

    def apply(self, now: float) -> None:
        self.visit_all(range(1, self.nodes), now)


class _Stateless(_System):
    shared_name = "store"

    def first(self, user: int, now: float) -> float:
        return self.visit(self.nodes, now, self.settings["store"])

    def second(self, user: int, now: float) -> float | None:
        return self.visit(self.any_node(), now)


class _Asynchronous(_System):
    """Whoever is idle takes the next job: the nodes are one station with many servers."""

    shared_name = "broker"

    def __init__(self, nodes: int, settings: dict[str, float], rng: np.random.Generator) -> None:
        super().__init__(nodes, settings, rng)
        self._idle_from = [0.0] * nodes

    def first(self, user: int, now: float) -> float:
        return self.visit(self.nodes, now, self.settings["broker"])

    def second(self, user: int, now: float) -> float | None:
        need = self._need()
        done = max(now, self._idle_from[0]) + need
        heapreplace(self._idle_from, done)
        self.worked[0] += need / self.nodes
        return done

    def utilization(self, until: float) -> dict[str, float]:
        self.free[0] = until + sum(max(0.0, idle - until) for idle in self._idle_from) / self.nodes
        return super().utilization(until)


_SYSTEMS: dict[str, type[_System]] = {
    "shared-nothing": _SharedNothing,
    "partitioning": _Partitioned,
    "read replicas": _ReadReplicas,
    "stateless": _Stateless,
    "asynchronous": _Asynchronous,
}


def _forever(batch: Callable[[], list[float]]) -> Iterator[float]:
    while True:
        yield from batch()


def _run(
    pattern: str, nodes: int, settings: dict[str, float], users: int, requests: int, seed: int
) -> tuple[tuple[float, float, float, float], dict[str, float]]:
    """Run one size at full tilt: throughput, median, p99, share of stale reads; and how busy each station was."""
    system = _SYSTEMS[pattern](nodes, settings, np.random.default_rng([seed, nodes, 7]))
    calls = [(0.0, user, True) for user in range(users)]  # a heap of who goes on when: does a request begin?
    begun = [0.0] * len(calls)
    ended: list[tuple[float, float]] = []
    now = 0.0
    while len(ended) < requests:
        now, user, begins = heappop(calls)
        if user == _NOBODY:
            system.apply(now)
            continue
        if begins:
            begun[user] = now
            heappush(calls, (system.first(user, now), user, False))
            continue
        done = system.second(user, now)
        done = now if done is None else done
        ended.append((done, done - begun[user]))
        heappush(calls, (done, user, True))
        if system.applying is not None:
            heappush(calls, (system.applying, _NOBODY, False))
            system.applying = None
    ends, times = np.array(ended).T
    order = np.argsort(ends)
    ends, times = ends[order], times[order]
    counted = slice(int(_WARM_UP * requests), int(np.searchsorted(ends, now, side="right")))
    took, span = times[counted], ends[counted]
    throughput = float((span.size - 1) / (span[-1] - span[0]))
    stale = system.stale / max(system.reads, 1)
    median, p99 = np.quantile(took, (0.5, 0.99)).tolist()
    return (throughput, median, p99, stale), system.utilization(now)


def _sizes(nodes: object) -> tuple[int, ...]:
    if isinstance(nodes, Sequence) or hasattr(nodes, "__iter__"):
        given = items("nodes", nodes, "a list of whole numbers")
        if not given:
            raise ValueError("nodes must not be empty")
        return tuple(whole("a number in nodes", each, at_least=1) for each in given)
    largest = whole("nodes", nodes, at_least=1)
    return tuple(1 << power for power in range(largest.bit_length()))
