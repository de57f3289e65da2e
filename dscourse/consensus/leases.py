"""Leases: a lock that ends by itself, so that a dead holder locks nobody out; and what clocks and pauses do to it.

lock_cluster(faults=[Pause("h0", 1.2, until=8.0)])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real
from dscourse.consensus.fencing import FencedStorage, StorageNode, Write, Written
from dscourse.simulation.moment import Moment
from dscourse.simulation.node import Context, Node
from dscourse.simulation.properties import always

if TYPE_CHECKING:
    from dscourse.simulation import Fault, LatencyModel, Scenario

LOCK, STORAGE = "lock", "storage"


@dataclass(frozen=True)
class Acquire:
    """Give me the lease, or, if I have it, some more time; asked at this time on the asker's clock."""

    asked_at: float


@dataclass(frozen=True)
class Granted:
    """The lease is yours.

    Attributes:
        token: a number for each grant, higher than all before.
        seconds: how long it lasts.
        asked_at: from when on: when it was asked for, on the asker's own clock.
    """

    token: int
    seconds: float
    asked_at: float


@dataclass(frozen=True)
class Release:
    """I am done; ``token`` says with which lease."""

    token: int


class LockService(Node):
    """Grants one lease at a time.

    Its clock says when a lease is over. A token is minted for each new grant, and for nothing else: a holder that asks
    for more time keeps its own.

    Args:
        node_id: its name.
        peers: those it is linked with.
        seconds: how long a lease lasts.

    Attributes:
        token: of the latest grant; on disk, as are the next two.
        holder: who has the lease; None if nobody has.
        expires: when it is over, on the service's own clock.
    """

    def __init__(self, node_id: str, peers: Sequence[str], seconds: float = 2.0) -> None:
        super().__init__(node_id, peers)
        self._seconds = real("seconds", seconds, above=0.0)
        self.token = 0
        self.holder: str | None = None
        self.expires = 0.0

    def on_start(self, ctx: Context) -> None:
        """Remember who has the lease."""
        if ctx.stored is not None:
            self.token, self.holder, self.expires = ctx.stored

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Grant the lease, or take it back."""
        if isinstance(message, Acquire):
            is_free = self.holder is None or ctx.now >= self.expires
            if is_free:
                self.token, self.holder = self.token + 1, sender
            if self.holder == sender:
                self.expires = ctx.now + self._seconds
                self._save(ctx)
                ctx.send(sender, Granted(self.token, self._seconds, message.asked_at))
        elif isinstance(message, Release) and message.token == self.token and sender == self.holder:
            self.holder = None
            self._save(ctx)

    def _save(self, ctx: Context) -> None:
        ctx.save((self.token, self.holder, self.expires))
        ctx.record("status", status="leader", label=f"token {self.token}")


class LeaseHolder(Node):
    """Works only while it believes it has the lease, and writes what it has done to the storage.

    It counts the lease from when it asked for it, not from when the answer came, and takes off what its clock may be
    slow. Then it looks at its clock, works, and writes. Between the look and the write anything may happen to it.

    Args:
        node_id: its name.
        peers: those it is linked with.
        work_time: seconds between looking at the clock and writing.
        drift: by which share its clock may be slow.
        looks_again: whether it looks at its clock once more just before it writes.

    Attributes:
        token: of its lease; 0 if it believes it has none.
        valid_until: till when, on its own clock.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        work_time: float = 0.2,
        drift: float = 0.0,
        looks_again: bool = False,
        start_after: float = 0.0,
    ) -> None:
        super().__init__(node_id, peers)
        self._work_time = real("work_time", work_time, above=0.0)
        self._drift = real("drift", drift, at_least=0.0, at_most=1.0)
        self._looks_again = looks_again
        self._start_after = start_after
        self.token = 0
        self.valid_until = 0.0
        self._newest = 0  # token: an answer may come late
        self._done = 0

    def on_start(self, ctx: Context) -> None:
        """Ask for the lease."""
        self._show(ctx)
        ctx.set_timer("ask", self._start_after)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask, work or write."""
        if name == "ask":
            ctx.send(LOCK, Acquire(ctx.now))
            ctx.set_timer("ask", 0.5)
        elif name == "work":
            if ctx.now < self.valid_until:
                ctx.set_timer("write", self._work_time)
            else:
                self._give_up(ctx)
        elif name == "write":
            if self._looks_again and ctx.now >= self.valid_until:
                self._give_up(ctx)
            elif self.token:
                self._done += 1
                ctx.send(STORAGE, Write(self.token, "report", f"{self.node_id} {self._done}"))
                ctx.set_timer("work", 0.1)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Hear that the lease is given, or that it is long over."""
        if isinstance(message, Granted):
            if message.token < self._newest:
                return
            is_new = message.token != self.token
            self.token = self._newest = message.token
            self.valid_until = message.asked_at + message.seconds * (1 - self._drift)
            if is_new:
                self._show(ctx)
                ctx.set_timer("work", 0.0)
        elif isinstance(message, Written) and not message.accepted and message.token == self.token:
            self._give_up(ctx)

    def _give_up(self, ctx: Context) -> None:
        self.token = 0
        self._show(ctx)

    def _show(self, ctx: Context) -> None:
        holds = f"token {self.token}" if self.token else "waits"
        ctx.record("status", status="leader" if self.token else "follower", label=holds)


def believed_holders(now: Moment) -> tuple[str, ...]:
    """Who believes, by its own clock, that it has the lease."""
    return tuple(
        name
        for name, fields in now.nodes.items()
        if "valid_until" in fields and fields["token"] and now.clock[name] < fields["valid_until"]
    )


one_holder = always(lambda now: len(believed_holders(now)) <= 1, name="one holder of the lease at a time")


def lock_machine(
    node_id: str,
    peers: Sequence[str],
    *,
    seconds: float = 2.0,
    storage: Callable[[dict[str, Any]], Any] = FencedStorage,
    service: type[LockService] = LockService,
    **settings: Any,
) -> Node:
    """Make one machine: the lock service, the storage, or a holder; h1 asks a little later than h0, and so on."""
    if node_id == LOCK:
        return service(node_id, peers, seconds)
    if node_id == STORAGE:
        return StorageNode(node_id, peers, storage)
    return LeaseHolder(node_id, peers, start_after=0.1 * int(node_id[1:]), **settings)


def lock_cluster(
    holders: int = 2,
    *,
    latency: LatencyModel | float = 0.02,
    faults: Iterable[Fault] = (),
    seed: int = 0,
    **settings: Any,
) -> Scenario:
    """Return a scenario: a lock service, a storage, and holders h0, h1 … that take turns.

    Args:
        holders: how many want the lease.
        latency: of every link, one way.
        faults: what goes wrong.
        seed: of the scenario.
        settings: ``seconds`` of the lease, ``storage`` and ``service`` as classes, and those of `LeaseHolder`.
    """
    import networkx as nx

    from dscourse.simulation import Network, Scenario

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(LOCK, pos=(0.0, 1.0))
    graph.add_node(STORAGE, pos=(0.0, -1.0))
    for place in range(holders):
        graph.add_node(f"h{place}", pos=(2.0 * place - holders + 1, 0.0))
        graph.add_edges_from([(f"h{place}", LOCK), (f"h{place}", STORAGE)])
    factory = partial(lock_machine, **settings)
    return Scenario(factory, Network(graph, latency=latency), faults=faults, seed=seed)
