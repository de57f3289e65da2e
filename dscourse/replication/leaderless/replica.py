"""A store without a leader, after Dynamo (DeCandia et al., SOSP 2007) and with the stamps of Cassandra.

Each key has N homes. Whoever is asked coordinates: it sends a write to all homes and is done when W of them have it;
it asks all homes for a read and answers with the newest of R answers. With W + R > N, those R and those W have a
replica in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import node_ids, real, truth, whole
from dscourse.replication.leaderless.merkle import MerkleTree
from dscourse.replication.leaderless.messages import (
    ABSENT,
    Digests,
    Fetch,
    Found,
    Leaves,
    Store,
    Stored,
    Version,
)
from dscourse.replication.merging.registers import NEVER
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.names import natural_order
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests


@dataclass
class _Operation:
    """What a coordinator knows of an operation under way."""

    key: Any
    version: Version  # to be stored; of a read, the newest that was found
    is_read: bool
    storing: bool  # whether it waits for `Stored`, or for `Found`
    stand_ins: dict[str, str]  # who was asked in whose place
    answered: bool = False  # whether the client has its answer; some homes may still be silent


class LeaderlessReplica(Node):
    """Keeps copies, and coordinates the reads and writes that it is asked for.

    Clients ask any node for ("put", key, value), ("delete", key) or ("get", key). A write whose coordinator hears from
    fewer than W isn't answered: it may take effect yet. A read that hears from fewer than R fails.

    Two writes of one key are told apart by the clocks of their coordinators; the later one wins, also when its writer
    had never seen the other.

    Args:
        node_id: its name.
        peers: those it is linked with.
        n: how many homes each key has.
        w: how many must have stored a write before its client is told.
        r: how many must have answered a read.
        read_repair: send the newest version to homes that have answered a read with an older one.
        write_back: answer a read only when W homes have what it will say: then no later read says something older.
        sloppy: when homes are silent, other nodes stand in for them; they count, and hand over what they have taken as
            soon as the home can be reached.
        storage: the nodes that keep copies, all by default; the others only coordinate.
        patience: seconds to wait for homes, and once more for those who stand in.
        handoff_interval: seconds between attempts to hand over.
        grace: seconds after which tombstones are thrown away; None: never.
        anti_entropy: seconds between comparisons with another node, drawn at random; None: none.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        n: int,
        w: int,
        r: int,
        read_repair: bool = True,
        write_back: bool = False,
        sloppy: bool = False,
        storage: Sequence[str] | None = None,
        patience: float = 0.2,
        handoff_interval: float = 0.5,
        grace: float | None = None,
        anti_entropy: float | None = None,
    ) -> None:
        super().__init__(node_id, peers)
        everybody = sorted((node_id, *peers), key=natural_order) if storage is None else storage
        self._storage = node_ids("storage", everybody)
        self._n = whole("n", n, at_least=1)
        if self._n > len(self._storage):
            raise ValueError(f"n must be at most {len(self._storage)}, the nodes that keep copies, got {n}")
        self._w = whole("w", w, at_least=1, at_most=self._n)
        self._r = whole("r", r, at_least=1, at_most=self._n)
        self._read_repair = truth("read_repair", read_repair)
        self._write_back = truth("write_back", write_back)
        self._sloppy = truth("sloppy", sloppy)
        self._handoff_interval = real("handoff_interval", handoff_interval, above=0.0)
        self._grace = None if grace is None else real("grace", grace, above=0.0)
        self._anti_entropy = None if anti_entropy is None else real("anti_entropy", anti_entropy, above=0.0)
        self._pending = PendingRequests(real("patience", patience, above=0.0))
        self._stamp = NEVER
        self._versions: dict[Any, Version] = {}
        self._hints: dict[tuple[str, Any], Version] = {}  # home, key → what to hand over
        self._rankings: dict[Any, tuple[str, ...]] = {}

    @property
    def values(self) -> dict[str, Any]:
        """What is kept here, by key; tombstones too."""
        return {str(key): "(deleted)" if one.deleted else one.value for key, one in self._versions.items()}

    @property
    def hints(self) -> list[str]:
        """What is kept here for others."""
        return [f"{key} for {home}" for home, key in self._hints]

    def homes(self, key: Any) -> tuple[str, ...]:
        """The N nodes that ought to keep a key."""
        return self._ranking(key)[: self._n]

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk."""
        if ctx.stored is not None:
            self._versions, self._hints = ctx.stored
        self._show(ctx)
        self._collect(ctx)
        if self._hints:
            ctx.set_timer("handoff", self._handoff_interval)
        if self._anti_entropy is not None and self.node_id in self._storage:
            ctx.set_timer("anti-entropy", self._anti_entropy * (0.5 + ctx.rng.random()))

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Coordinate for a client, or do a replica's part."""
        match message:
            case Request(number, ("get", key)):
                self._read(ctx, sender, number, key)
            case Request(number, ("put", key, value)):
                self._write(ctx, sender, number, key, value, False)
            case Request(number, ("delete", key)):
                self._write(ctx, sender, number, key, None, True)
            case Store(request, key, version, home):
                self._store(ctx, key, version, home)
                if request:
                    self._tell(ctx, sender, Stored(request, key, version))
            case Fetch(request, key):
                self._tell(ctx, sender, Found(request, self._newest(key)))
            case Stored() | Found():
                self._hear(ctx, sender, message)
            case Digests(digests):
                self._compare(ctx, sender, digests)
            case Leaves():
                self._exchange(ctx, sender, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Give up waiting for homes, hand over, throw tombstones away, or compare."""
        request = self._pending.expired(name)
        if request is not None:
            self._lose_patience(ctx, request)
        elif name == "handoff":
            self._hand_over(ctx)
        elif name == "collect":
            self._collect(ctx)
        elif name == "anti-entropy" and self._anti_entropy is not None:
            others = [node for node in self._storage if node != self.node_id]
            if others:
                partner = ctx.rng.choice(others)
                ctx.send(partner, Digests((("", self._tree(partner).digest()),)))
            ctx.set_timer("anti-entropy", self._anti_entropy)

    # ── Coordinator ──

    def _write(self, ctx: Context, client: str, number: int, key: Any, value: Any, deleted: bool) -> None:
        self._stamp = self._stamp.following(ctx.now, self.node_id)
        version = Version(value, self._stamp, deleted)
        operation = _Operation(key, version, is_read=False, storing=True, stand_ins={})
        self._begin(ctx, client, number, operation)

    def _read(self, ctx: Context, client: str, number: int, key: Any) -> None:
        self._begin(ctx, client, number, _Operation(key, ABSENT, is_read=True, storing=False, stand_ins={}))

    def _begin(self, ctx: Context, client: str, number: int, operation: _Operation) -> None:
        request = self._pending.open(client, number, state=operation)
        if request is not None:
            self._ask(ctx, request, self.homes(operation.key))

    def _ask(self, ctx: Context, request: PendingRequest, nodes: Iterable[str]) -> None:
        """Send nodes what the operation wants of them now; those who stand in are told for whom."""
        # Itself last: its answer is there at once, and may begin what comes next.
        operation, asked = request.state, sorted(nodes, key=lambda node: node == self.node_id)
        self._pending.ask(ctx, request, asked)
        for node in asked:
            if operation.storing:
                home = operation.stand_ins.get(node, "")
                self._tell(ctx, node, Store(request.key, operation.key, operation.version, home))
            else:
                self._tell(ctx, node, Fetch(request.key, operation.key))

    def _hear(self, ctx: Context, sender: str, message: Stored | Found) -> None:
        """Take an answer in; enough of them are the client's."""
        if isinstance(message, Stored):
            self._forget_hint(ctx, sender, message)
        open_one = self._pending.get(message.request)
        if open_one is None or open_one.state.storing != isinstance(message, Stored):
            return  # too late, or an answer to the other half of a read with write-back
        request = self._pending.answer(message.request, sender, message.version)
        if request is None:
            return
        operation = request.state
        if message.version.newer_than(operation.version):
            operation.version = message.version
        if not operation.answered and len(request.answers) >= (self._w if operation.storing else self._r):
            self._have_enough(ctx, request)
        if operation.answered:
            if operation.is_read and not operation.storing:
                self._repair(ctx, request)
            if not request.waiting:
                self._pending.close(ctx, request)

    def _have_enough(self, ctx: Context, request: PendingRequest) -> None:
        operation = request.state
        if self._write_back and operation.is_read and not operation.storing and operation.version != ABSENT:
            have = {node: one for node, one in request.answers.items() if one == operation.version}
            if len(have) < self._w:
                operation.storing = True
                operation.stand_ins.clear()
                lacking = [node for node in self.homes(operation.key) if node not in have]
                self._pending.ask(ctx, request, (), afresh=True)
                request.answers.update(have)
                self._ask(ctx, request, lacking)
                return
        operation.answered = True
        ctx.send(
            request.client,
            Reply(request.number, "ok", operation.version.value if operation.is_read else None),
        )

    def _repair(self, ctx: Context, request: PendingRequest) -> None:
        """Send the newest version to homes that have answered with an older one."""
        operation = request.state
        for node, version in request.answers.items():
            if (
                self._read_repair
                and operation.version.newer_than(version)
                and node not in operation.stand_ins
            ):
                request.answers[node] = operation.version
                self._tell(ctx, node, Store("", operation.key, operation.version))

    def _lose_patience(self, ctx: Context, request: PendingRequest) -> None:
        """Turn to nodes that stand in for the silent homes; if there are none, give up."""
        operation = request.state
        silent = [node for node in request.waiting if node in self.homes(operation.key)]
        free = [node for node in self._ranking(operation.key)[self._n :] if node not in operation.stand_ins]
        if self._sloppy and free and silent and not operation.stand_ins:
            operation.stand_ins.update(zip(free, silent, strict=False))
            self._ask(ctx, request, tuple(operation.stand_ins))
        elif operation.answered or not operation.is_read:
            self._pending.close(ctx, request)
        else:
            self._pending.reply(ctx, request, "fail")

    # ── Replica ──

    def _newest(self, key: Any) -> Version:
        """What this node can say of a key: as a home of it, or as one who stands in for a home."""
        newest = self._versions.get(key, ABSENT)
        for (_, kept), version in self._hints.items():
            if kept == key and version.newer_than(newest):
                newest = version
        return newest

    def _store(self, ctx: Context, key: Any, version: Version, home: str = "") -> None:
        kept = self._hints.get((home, key), ABSENT) if home else self._versions.get(key, ABSENT)
        if not version.newer_than(kept):
            return
        if home:
            self._hints[home, key] = version
            ctx.set_timer("handoff", self._handoff_interval)
        else:
            self._versions[key] = version
        self._keep(ctx)
        if version.deleted:
            self._collect(ctx)

    def _hand_over(self, ctx: Context) -> None:
        for (home, key), version in self._hints.items():
            ctx.send(home, Store("handoff", key, version))
        if self._hints:
            ctx.set_timer("handoff", self._handoff_interval)

    def _forget_hint(self, ctx: Context, home: str, message: Stored) -> None:
        hint = self._hints.get((home, message.key))
        if hint is not None and not hint.newer_than(message.version):
            del self._hints[home, message.key]
            self._keep(ctx)

    def _collect(self, ctx: Context) -> None:
        """Throw tombstones away whose time has come. Whoever hasn't heard of the deletion by now never will."""
        if self._grace is None:
            return
        due = {key: one.stamp.time + self._grace for key, one in self._versions.items() if one.deleted}
        old = [key for key, time in due.items() if time <= ctx.now]
        for key in old:
            del self._versions[key]
            ctx.record("collected", key=str(key))
        if old:
            self._keep(ctx)
        left = [time for time in due.values() if time > ctx.now]
        if left:
            ctx.set_timer("collect", min(left) - ctx.now)

    def _keep(self, ctx: Context) -> None:
        ctx.save((self._versions, self._hints))
        self._show(ctx)

    # ── Anti-entropy ──

    def _shared(self, partner: str) -> dict[Any, Version]:
        """What is kept here and ought to be kept by the partner, too."""
        both = {self.node_id, partner}
        return {key: version for key, version in self._versions.items() if both <= set(self.homes(key))}

    def _tree(self, partner: str) -> MerkleTree:
        return MerkleTree(self._shared(partner))

    def _compare(self, ctx: Context, partner: str, digests: tuple[tuple[str, str], ...]) -> None:
        """Go one level down where the digests differ; at the leaves, send what is there."""
        tree = self._tree(partner)
        differing = [path for path, digest in digests if tree.digest(path) != digest]
        if not differing:
            return
        if len(differing[0]) == tree.depth:
            self._send_leaves(ctx, partner, tuple(differing), wanted=True)
        else:
            ctx.send(partner, Digests(tuple(child for path in differing for child in tree.children(path))))

    def _send_leaves(
        self,
        ctx: Context,
        partner: str,
        paths: tuple[str, ...],
        *,
        wanted: bool,
        known: Sequence[tuple[Any, Version]] = (),
    ) -> None:
        tree, theirs = self._tree(partner), dict(known)
        kept = [(key, self._versions[key]) for path in paths for key in tree.keys(path)]
        items = tuple((key, one) for key, one in kept if one.newer_than(theirs.get(key, ABSENT)))
        if wanted or items:
            ctx.send(partner, Leaves(paths, items, wanted))

    def _exchange(self, ctx: Context, partner: str, message: Leaves) -> None:
        if message.wanted:
            self._send_leaves(ctx, partner, message.paths, wanted=False, known=message.items)
        for key, version in message.items:
            self._store(ctx, key, version)

    # ── Both ──

    def _ranking(self, key: Any) -> tuple[str, ...]:
        """All nodes that keep copies, in the order in which they are responsible for a key."""
        if len(self._storage) == self._n:
            return self._storage
        if key not in self._rankings:
            from dscourse.partitioning import RendezvousPartitioner

            ranked = RendezvousPartitioner(self._storage).replicas(key, len(self._storage))
            self._rankings[key] = tuple(ranked)
        return self._rankings[key]

    def _tell(self, ctx: Context, to: str, message: Any) -> None:
        """Send a message; what a node says to itself takes no time."""
        if to == self.node_id:
            self.on_message(ctx, to, message)
        else:
            ctx.send(to, message)

    def _show(self, ctx: Context) -> None:
        if self.node_id not in self._storage:
            return
        kept = [f"{key}: {value}" for key, value in self.values.items()]
        label = ", ".join([*kept, *self.hints]) or "empty"
        ctx.record("status", status="up", label=label if len(label) <= 40 else f"{len(self._versions)} keys")
