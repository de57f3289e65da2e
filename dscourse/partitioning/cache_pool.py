"""A pool of caches in front of a database, and what the database feels when a machine is added to the pool.

    run = cache_pool(ModuloPartitioner(["s1", "s2", "s3", "s4"])).run(16.0)
    database_load(run, since=4.0)         # questions a second

The application's own library knows who caches what. What a cache lacks, the library gets from the database, one
question after the other, and hands it to the cache that ought to have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.partitioning.partitioner import Partitioner
from dscourse.partitioning.skew import zipf_keys
from dscourse.simulation import Network, Node, OpenLoop, Reply, Request, Run, Scenario

if TYPE_CHECKING:
    from dscourse.simulation import Context

APPLICATION, DATABASE = "app", "db"


@dataclass(frozen=True)
class LookUp:
    """Have you cached this?"""

    request: str
    key: int


@dataclass(frozen=True)
class Cached:
    """The answer of a cache."""

    request: str
    key: int
    hit: bool


@dataclass(frozen=True)
class Query:
    """Fetch this from the disk."""

    request: str
    key: int


@dataclass(frozen=True)
class Row:
    """The answer of the database."""

    request: str
    key: int


@dataclass(frozen=True)
class Fill:
    """Keep this from now on."""

    key: int


class Cache(Node):
    """Keeps in its memory whatever it is given."""

    def __init__(self, node_id: str, peers: Sequence[str], keys: Sequence[int]) -> None:
        super().__init__(node_id, peers)
        self.cached = list(keys)

    def on_start(self, ctx: Context) -> None:
        """Show how full it is."""
        ctx.record("status", status="up", label=f"{len(self.cached)} keys")

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Say whether it has a key, or keep one."""
        if isinstance(message, LookUp):
            ctx.send(sender, Cached(message.request, message.key, message.key in self.cached))
        elif message.key not in self.cached:
            self.cached.append(message.key)
            self.on_start(ctx)


class Database(Node):
    """Has everything, and takes its time: the service time of its machine."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a query."""
        ctx.send(sender, Row(message.request, message.key))


class CachingApplication(Node):
    """Asks the cache that owns a key, then the database.

    Args:
        node_id: its name.
        peers: all others.
        before: who owns which key at first.
        after: and from ``at`` seconds on.
        at: when its list of caches is changed.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], before: Partitioner, after: Partitioner, at: float
    ) -> None:
        super().__init__(node_id, peers)
        self._owners, self._after, self._at = before, after, at
        self.hits, self.misses = 0, 0

    def on_start(self, ctx: Context) -> None:
        """Wait for the new list."""
        ctx.set_timer("change", self._at)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Go by the new list."""
        self._owners = self._after
        ctx.record("status", status="up", label=f"{len(self._after.nodes)} caches")

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Carry a request one step further."""
        match message:
            case Request(number, (_, key)):
                ctx.send(self._owners.owner(key), LookUp(f"{sender}/{number}", key))
            case Cached(request, key, hit=False):
                self.misses += 1
                ctx.send(DATABASE, Query(request, key))
            case Cached(request):
                self.hits += 1
                self._reply(ctx, request)
            case Row(request, key):
                ctx.send(self._owners.owner(key), Fill(key))
                self._reply(ctx, request)

    def _reply(self, ctx: Context, request: str) -> None:
        client, _, number = request.rpartition("/")
        ctx.send(client, Reply(int(number), "ok"))


def cache_pool(
    partitioner: Partitioner, *, add: str = "s5", at: float = 4.0, keys: int = 150, rate: float = 25.0
) -> Scenario:
    """Return a pool that is warm at first, and gets one more cache, which is empty.

    The database answers 10 questions a second; a message takes 30 ms.

    Args:
        partitioner: says which cache owns a key; stays as it is.
        add: the name of the new cache.
        at: when the application's list is changed, seconds.
        keys: how many there are, all equally popular.
        rate: requests a second.
    """
    import networkx as nx

    grown = deepcopy(partitioner)
    grown.add_node(add)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(APPLICATION, pos=(1.0, -1.0))
    for place, name in enumerate(grown.nodes):
        graph.add_edge(APPLICATION, name)
        graph.nodes[name]["pos"] = (float(place), 0.0)
    graph.add_edge(APPLICATION, DATABASE)
    graph.nodes[DATABASE].update(pos=(len(grown.nodes) - 2.0, -1.0), service_time=0.1)
    requests = tuple(("get", int(key)) for key in zipf_keys(1000, keys, theta=0.0, seed=1))
    return Scenario(
        partial(_pool_node, before=partitioner, after=grown, at=at, keys=keys),
        Network(graph, latency=0.03),
        clients=[OpenLoop(requests, rate=rate, to=APPLICATION, timeout=9.0, repeat=True)],
    )


def _pool_node(
    node_id: str, peers: Sequence[str], *, before: Partitioner, after: Partitioner, at: float, keys: int
) -> Node:
    if node_id == APPLICATION:
        return CachingApplication(node_id, peers, before, after, at)
    if node_id == DATABASE:
        return Database(node_id, peers)
    return Cache(node_id, peers, [key for key in range(keys) if before.owner(key) == node_id])


def database_load(run: Run, since: float, until: float) -> float:
    """Return how many questions a second the database of a `cache_pool` was asked between two times, seconds."""
    asked = run.trace.select(kind="send", peer=DATABASE, name="Query", between=(since, until))
    return len(asked) / (until - since)
