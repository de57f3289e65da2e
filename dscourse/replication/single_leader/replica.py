"""A replicated key-value store with one leader: all writes go through it, and its log is copied to the followers.

factory = partial(SingleLeaderReplica, mode="semi-sync")
writes = [("put", "x", number) for number in range(20)]
Scenario(factory, Network(topology.full_mesh(3)), clients=[OpenLoop(writes, rate=10, to="n0", timeout=1.0)])

Who leads is decided elsewhere: by an operator (module `failover`), who gives every new leader an epoch of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dscourse.arguments import node_ids, one_of, real, whole
from dscourse.replication.single_leader.log import (
    START,
    Append,
    Disk,
    Entry,
    Inspect,
    Position,
    Promote,
    Received,
    Report,
    copies_needed,
    holds_position,
    last_position,
    position_at,
)
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.names import natural_order, unknown
from dscourse.simulation.pending_requests import PendingRequests

MODES = ("sync", "semi-sync", "async")


class WaitingRead(NamedTuple):
    """A read that waits until what its reader has seen elsewhere has been applied here."""

    client: str
    number: int
    key: Any
    token: Position


class SingleLeaderReplica(Node):
    """One of the machines that hold a copy of the data.

    ("put", key, value) is answered by the leader with the position of the write in the log, once enough copies are on
    disks; by others it is refused, with the leader's name as far as they know it. ("get", key) is answered by anyone
    with what it has applied. ("get", key, position) waits until that much has been applied, and is answered with the
    value and the position up to which it is true; it is refused if that position was lost in a failover.

    Modes differ in what the leader waits for before it tells the client that a write is safe: "sync" for all its
    followers, "semi-sync" for ``acknowledgements`` of them, "async" for none; there, a follower acknowledges many
    writes at once. With ``fallback_after``, a semi-sync leader that has waited so long goes on as async, and says so to
    nobody but its own status, until enough followers have everything again; that is what MySQL does after 10 s (MySQL
    Reference Manual, "Configuring Semisynchronous Replication", rpl_semi_sync_source_timeout).

    A replica that returns tells the others how far it is, and is sent what it lacks. A leader that was replaced
    meanwhile throws away what nobody but itself has, and says which writes these were (record "discarded").

    Args:
        node_id: its name.
        peers: those it is linked with.
        leader: who leads at first; by default the first in order of name.
        mode: "sync", "semi-sync" or "async".
        acknowledgements: how many followers a semi-sync leader waits for; a sync one waits for no fewer.
        fallback_after: seconds that a semi-sync leader waits; None for as long as it takes.
        replicas: the machines that hold copies, if others (gateways, an operator) are linked with them, too.
        apply_time: seconds that a follower takes to apply an entry it has received, one after the other.
        ship_every: seconds for which a leader collects writes before it sends them on together; 0: each at once.
        resend_after: seconds without progress after which a leader sends again.

    Attributes:
        role: "leader", "follower", or "taking over": it will lead as soon as all it has is applied, and safe.
        epoch: the latest that it knows.
        leader: who leads that epoch, as far as it knows.
        values: what a reader is told.
        received: how many entries its log has, all of them on its disk.
        applied: how many of them are in the values.
        acknowledged: of a leader: how many it has told its clients are safe.
        degraded: of a semi-sync leader: it has given up waiting.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        leader: str | None = None,
        mode: str = "sync",
        acknowledgements: int = 1,
        fallback_after: float | None = None,
        replicas: Sequence[str] | None = None,
        apply_time: float = 0.0,
        ship_every: float = 0.0,
        resend_after: float = 0.5,
    ) -> None:
        super().__init__(node_id, peers)
        names = (node_id, *peers) if replicas is None else node_ids("replicas", replicas)
        self._others = tuple(name for name in sorted(names, key=natural_order) if name != node_id)
        self._mode = one_of("mode", mode, MODES)
        self._acknowledgements = whole("acknowledgements", acknowledgements, at_least=1)
        if fallback_after is not None and mode != "semi-sync":
            raise ValueError(
                f"fallback_after must be None unless mode is 'semi-sync', got {fallback_after!r}"
            )
        patience = None if fallback_after is None else real("fallback_after", fallback_after, above=0.0)
        self._patience = patience
        self._apply_time = real("apply_time", apply_time, at_least=0.0)
        self._ship_every = real("ship_every", ship_every, at_least=0.0)
        self._resend_after = real("resend_after", resend_after, above=0.0)
        if leader is not None and leader not in names:
            raise unknown("replica (as leader)", leader, names)
        self.role = "follower"
        self.epoch = 1
        self.leader: str | None = min(names, key=natural_order) if leader is None else leader
        self.values: dict[Any, Any] = {}
        self.received = self.applied = self.acknowledged = 0
        self.degraded = False
        self._log: list[Entry] = []
        self._requests: dict[str, int] = {}  # request → index of its entry
        self._followers = self._others  # whose acknowledgements count
        self._confirmed: dict[str, int] = {}  # follower → up to which index it has this log on its disk
        self._before: dict[str, int] = {}  # the same when it was last looked whether there is progress
        self._sent: dict[str, int] = {}
        self._matched: int | None = (
            None  # how far its log is the leader's, if it is still to acknowledge that
        )
        self._is_applying = self._is_collecting = False
        self._inherited = 0  # entries that a new leader found in its log
        self._pending = PendingRequests(patience, timer="patience ")
        self._waiting: list[WaitingRead] = []

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk, and lead or follow as before."""
        if ctx.stored is not None:
            disk: Disk = ctx.stored
            self.epoch, self.leader, self._followers = disk.epoch, disk.leader, disk.followers
            self._replace_log(disk.log)
            self.applied = self.received
            self.values = {entry.key: entry.value for entry in self._log}
        if self.leader == self.node_id:
            self._take_over(ctx)
            return
        self._show(ctx)
        if ctx.stored is not None:
            for other in self._others:
                ctx.send(other, Received(self.epoch, self.received, False))

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Serve a client, copy the log, or do what the operator says."""
        match message:
            case Request(number, ("put", key, value)):
                self._write(ctx, sender, number, key, value)
            case Request(number, ("get", key, *token)):
                self._read(
                    ctx, WaitingRead(sender, number, key, tuple(token[0]) if token else START), bool(token)
                )
            case Append():
                self.on_append(ctx, sender, message)
            case Received():
                self.on_received(ctx, sender, message)
            case Inspect(epoch):
                if epoch > self.epoch:
                    self._learn_epoch(ctx, epoch, None)
                leading = self.role == "leader"
                last = last_position(self._log)
                ctx.send(sender, Report(self.epoch, leading, last, self.applied, self.acknowledged))
            case Promote(epoch, followers):
                if epoch >= self.epoch and self.leader is None:
                    self._followers = followers
                    self._learn_epoch(ctx, epoch, self.node_id)
                    self._take_over(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send again, apply the next entry, or give up waiting for followers."""
        if name == "resend":
            self._resend(ctx)
        elif name == "ship":
            self._ship(ctx)
        elif name == "acknowledge" and self.leader is not None and self._matched is not None:
            ctx.send(self.leader, Received(self.epoch, self._matched, True))
            self._matched = None
        elif name == "apply":
            self._is_applying = False
            self._apply(ctx, self.applied + 1)
            self._apply_in_time(ctx)
        elif self._pending.expired(name) is not None:
            self.degraded = True
            self._show(ctx)
            self.advance(ctx)

    # ── Follower ──

    def on_append(self, ctx: Context, sender: str, message: Append) -> None:
        """A follower's rule: in order, without gaps, first onto the disk, and only then acknowledged."""
        if message.epoch < self.epoch:
            ctx.send(sender, Received(self.epoch, 0, False))
            return
        if message.epoch > self.epoch or self.leader != sender:
            self._learn_epoch(ctx, message.epoch, sender)
        index = message.after[1]
        if not holds_position(self._log, message.after):
            ctx.send(sender, Received(self.epoch, self._before_conflict(index), False))
            return
        for place, entry in enumerate(message.entries, start=index):
            if place < self.received and self._log[place].epoch != entry.epoch:
                self._discard(ctx, place)
            if place == self.received:
                self.append(entry)
        end = index + len(message.entries)
        # A leader always sends all that it has inherited, to the end.
        if end < self.received and self._log[end].epoch < self.epoch:
            self._discard(ctx, end)
        self.save(ctx)
        self._apply_in_time(ctx)
        if self._mode != "async":
            ctx.send(sender, Received(self.epoch, end, True))
            return
        if self._matched is None:  # nobody waits for it: one acknowledgement for many writes
            ctx.set_timer("acknowledge", self._resend_after / 4)
        self._matched = end

    def append(self, entry: Entry) -> None:
        """Put an entry at the end of the log, in memory."""
        self._log.append(entry)
        self.received = self._requests[entry.request] = len(self._log)

    def save(self, ctx: Context) -> None:
        """Put everything that must survive a crash onto the disk."""
        ctx.save(Disk(self.epoch, self.leader, self._followers, tuple(self._log)))
        self._show(ctx)

    def _before_conflict(self, index: int) -> int:
        """The last index that may be the same as the leader's, if the entry at ``index`` isn't."""
        if index > self.received:
            return self.received
        epoch = self._log[index - 1].epoch
        return next((place for place in range(index, 0, -1) if self._log[place - 1].epoch != epoch), 0)

    def _discard(self, ctx: Context, keep: int) -> None:
        """Throw away what the new leader doesn't have."""
        gone = self._log[keep:]
        ctx.record("discarded", after=keep, writes=[[entry.key, entry.value] for entry in gone])
        self._replace_log(self._log[:keep])
        self.applied = min(self.applied, keep)
        self.values = {entry.key: entry.value for entry in self._log[: self.applied]}

    def _replace_log(self, log: Sequence[Entry]) -> None:
        self._log = list(log)
        self._requests = {entry.request: index for index, entry in enumerate(self._log, start=1)}
        self.received = len(self._log)

    def _apply_in_time(self, ctx: Context) -> None:
        if self._apply_time == 0.0:
            self._apply(ctx, self.received)
        elif self.applied < self.received and self.role != "leader" and not self._is_applying:
            self._is_applying = True
            ctx.set_timer("apply", self._apply_time)

    def _apply(self, ctx: Context, up_to: int) -> None:
        """Make the entries up to an index readable, and answer those who wait for them."""
        before = self.applied
        for entry in self._log[self.applied : up_to]:
            self.values[entry.key] = entry.value
            self.applied += 1
        if self.applied > before:
            self._show(ctx)
            if self.role == "taking over":
                self.advance(ctx)
        waiting, self._waiting = self._waiting, []
        for read in waiting:
            self._read(ctx, read, True)

    def _show(self, ctx: Context) -> None:
        """Say how it is to be shown: what it is, how long its log is, and how much of that can be read or is safe."""
        position = f"log {self.received}"
        if self.applied < self.received:
            position += f", {'safe' if self.role == 'leader' else 'shows'} {self.applied}"
        words = {"leader": "", "follower": "" if self.leader else "no leader · "}
        if self.epoch > 1:
            words["leader"] = f"epoch {self.epoch} · "
        label = words.get(self.role, "taking over · ") + ("alone · " if self.degraded else "") + position
        status = self.role if self.role in words else "candidate"
        ctx.record("status", status=status, label=label, received=self.received, applied=self.applied)

    # ── Leader ──

    def is_safe(self, index: int) -> bool:
        """A leader's rule: whether the client may be told that the write at an index will not be lost."""
        if self.degraded:
            return True
        needed = copies_needed(self._mode, len(self._followers), self._acknowledgements)
        return sum(self._confirmed[follower] >= index for follower in self._followers) >= needed

    def on_received(self, ctx: Context, sender: str, message: Received) -> None:
        """Note how far a follower is; send it what it lacks, and tell clients whose writes are safe now."""
        if message.epoch > self.epoch:
            self._learn_epoch(ctx, message.epoch, None)
        if self.role == "follower" or sender not in self._confirmed:
            return
        if message.complete and message.epoch == self.epoch:
            self._confirmed[sender] = max(self._confirmed[sender], message.index)
            self._recover(ctx)
            self.advance(ctx)
        elif self._confirmed[sender] <= message.index < self._sent[sender] or message.epoch < self.epoch:
            self._sent[sender] = min(message.index, self.received)
            self._hand_on(ctx, sender)

    def _write(self, ctx: Context, client: str, number: int, key: Any, value: Any) -> None:
        name = f"{client}/{number}"
        if self.role != "leader":
            ctx.send(client, Reply(number, "fail", None if self.leader == self.node_id else self.leader))
        elif name in self._requests:
            self._await_safety(ctx, client, number, self._requests[name])
        else:
            self.append(Entry(self.epoch, key, value, name))
            ctx.record("write", epoch=self.epoch, index=self.received, key=key, value=value)
            self.save(ctx)
            self._await_safety(ctx, client, number, self.received)
            if self._ship_every == 0.0:
                self._ship(ctx)
            elif not self._is_collecting:
                self._is_collecting = True
                ctx.set_timer("ship", self._ship_every)
            self.advance(ctx)

    def _ship(self, ctx: Context) -> None:
        """Send all followers what they haven't been sent."""
        self._is_collecting = False
        if self.role != "follower":
            for follower in self._others:
                self._hand_on(ctx, follower)

    def _await_safety(self, ctx: Context, client: str, number: int, index: int) -> None:
        if index <= self.acknowledged:
            ctx.send(client, Reply(number, "ok", position_at(self._log, index)))
            return
        request = self._pending.open(client, number, key=index)
        if request is not None:
            self._pending.ask(ctx, request, self._followers)

    def advance(self, ctx: Context) -> None:
        """Tell clients that their writes are safe, as far as they are; and begin to lead as soon as all is."""
        while self.acknowledged < self.received and self.is_safe(self.acknowledged + 1):
            self.acknowledged += 1
            request = self._pending.get(self.acknowledged)
            if request is not None:
                self._pending.reply(ctx, request, "ok", position_at(self._log, self.acknowledged))
        if self.role == "taking over" and min(self.acknowledged, self.applied) >= self._inherited:
            self.role = "leader"
            self._show(ctx)
        if self.role == "leader" and self.applied < self.acknowledged:
            self._apply(ctx, self.acknowledged)

    def _recover(self, ctx: Context) -> None:
        """Wait for followers again, once enough of them have everything."""
        if self.degraded:
            up_to_date = sum(self._confirmed[follower] >= self.received for follower in self._followers)
            if up_to_date >= self._acknowledgements:
                self.degraded = False
                self._show(ctx)

    def _hand_on(self, ctx: Context, follower: str) -> None:
        """Send a follower what it hasn't been sent."""
        index = self._sent[follower]
        ctx.send(follower, Append(self.epoch, position_at(self._log, index), tuple(self._log[index:])))
        self._sent[follower] = self.received

    def _resend(self, ctx: Context) -> None:
        if self.role == "follower":
            return
        for follower in self._others:
            confirmed = self._confirmed[follower]
            if confirmed == self._before.get(follower) and confirmed < self.received:
                self._sent[follower] = self.received if confirmed < 0 else confirmed
                self._hand_on(ctx, follower)
        self._before = dict(self._confirmed)
        ctx.set_timer("resend", self._resend_after)

    # ── Who leads ──

    def _take_over(self, ctx: Context) -> None:
        """Find out who has what, before anybody is served: first all that was received must be applied, and safe."""
        self.role, self.degraded = "taking over", False
        self.acknowledged, self._inherited = 0, self.received
        unknown_yet = 0 if ctx.stored is None else -1
        self._confirmed = dict.fromkeys(self._others, unknown_yet)
        self._sent = dict.fromkeys(self._others, self.received)
        self._before = {}
        self._pending = PendingRequests(self._patience)
        ctx.record(
            "epoch", epoch=self.epoch, after=list(last_position(self._log)), followers=list(self._followers)
        )
        self._show(ctx)
        ctx.set_timer("resend", self._resend_after)
        if unknown_yet:
            for other in self._others:
                self._hand_on(ctx, other)
        self._apply_in_time(ctx)
        self.advance(ctx)

    def _learn_epoch(self, ctx: Context, epoch: int, leader: str | None) -> None:
        """There is a newer epoch, or a leader of it: whoever led before leads no more, and answers nobody."""
        self.epoch, self.leader, self._matched = epoch, leader, None
        self._pending = PendingRequests(self._patience)
        self.role, self.degraded = "follower", False
        self.save(ctx)

    # ── Readers ──

    def has_applied(self, token: Position) -> bool:
        """Whether what a reader has seen elsewhere can be read here: applied, and not only received."""
        return holds_position(self._log, token) and token[1] <= self.applied

    def _read(self, ctx: Context, read: WaitingRead, with_position: bool) -> None:
        """Answer a read, refuse it, or let it wait."""
        value = self.values.get(read.key)
        epoch, index = read.token
        if self.role == "taking over":
            ctx.send(read.client, Reply(read.number, "fail", None))
        elif not with_position:
            ctx.send(read.client, Reply(read.number, "ok", value))
        elif self.has_applied(read.token):
            reply = (value, position_at(self._log, self.applied))
            ctx.send(read.client, Reply(read.number, "ok", reply))
        elif index <= self.received and self._log[index - 1].epoch > epoch:
            ctx.send(read.client, Reply(read.number, "fail", "lost"))  # another write stands in its place
        else:
            self._waiting.append(read)
