"""The shop's store: who numbers the orders, how others have copies, and who takes over.

Each kind keeps a *book*, the keys of the orders in the order in which they were sold: the n-th has item n. A minute of
trouble may leave two books; at the end of the day the last one in force counts, and what the other one had sold is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.chaos.design import GATEWAY, WATCHER, Design
from dscourse.chaos.servers import (
    CPU_SECONDS,
    STORE_SECONDS,
    Answer,
    Order,
    PrimaryIs,
    Sell,
    ShopServer,
    Sold,
    WorkTime,
)
from dscourse.consensus import RaftNode
from dscourse.simulation import Context, Node, Request

PIECES = 150  # of a copy of the store
PACE = 0.2  # seconds between two pieces of a paced copy
SILENT_FOR = 2.0  # seconds after which a copy that comes back is made anew
SHED_AT = 20  # orders that may wait at a store that sheds
PING_EVERY = 0.5
TELL_EVERY = 4  # pings
HEARTBEAT = 0.25


@dataclass(frozen=True)
class Disk:
    """What a copy must find again after a crash."""

    epoch: int
    book: tuple[str, ...]

    def __deepcopy__(self, _: dict[int, Any]) -> Disk:
        return self  # nobody can change it


@dataclass(frozen=True)
class Piece:
    """A piece of a copy that is made anew."""

    number: int


@dataclass(frozen=True)
class Replicate:
    """Of a primary: these come in the book after so many."""

    epoch: int
    after: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Replicated:
    """My book is as long as that now."""

    epoch: int
    length: int


@dataclass(frozen=True)
class Ping:
    """Of the watcher: are you well? It waits its turn behind the orders."""


@dataclass(frozen=True)
class Well:
    """I am."""

    epoch: int
    length: int


class Counter:
    """The queue of a store: orders, pieces of copies and pings, one after another; a part of its node."""

    def __init__(self, *, sheds: bool) -> None:
        self._sheds = sheds
        self._jobs: deque[tuple[str, Any]] = deque()
        self._work_time = WorkTime()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, ctx: Context, sender: str, job: Any) -> bool:
        """Queue a job; False if an order is refused, as too many wait."""
        if self._sheds and isinstance(job, Sell) and len(self._jobs) >= SHED_AT:
            return False
        self._jobs.append((sender, job))
        if len(self._jobs) == 1:
            self._begin(ctx)
        return True

    def done(self, ctx: Context) -> tuple[str, Any]:
        """Take out the job whose time is over, and begin the next."""
        sender, job = self._jobs.popleft()
        while self._sheds and self._jobs and self._is_too_late(ctx, self._jobs[0][1]):
            self._jobs.popleft()
        if self._jobs:
            self._begin(ctx)
        else:
            self._work_time.turn(ctx.now, busy=False)
        return sender, job

    def tell_load(self, ctx: Context, label: str, status: str) -> None:
        """Record how busy it was."""
        share = self._work_time.look(ctx.now)
        ctx.record("load", utilization=share, occupied=share, waiting=len(self._jobs))
        ctx.record("status", status=status, label=f"{label}, {100 * share:.0f} %")

    def _begin(self, ctx: Context) -> None:
        self._work_time.turn(ctx.now, busy=True)
        ctx.set_timer("counter", 0.001 if isinstance(self._jobs[0][1], Ping) else STORE_SECONDS)

    @staticmethod
    def _is_too_late(ctx: Context, job: Any) -> bool:
        return isinstance(job, Sell) and job.deadline < ctx.now


class _Copies:
    """Who of the other copies has been silent, and the pieces that are still to be sent to those who came back."""

    def __init__(self, design: Design, peers: Sequence[str]) -> None:
        self._paced = design.repair == "paced"
        self._heard = dict.fromkeys(peers, 0.0)
        self.to_send: deque[str] = deque()

    def hear(self, ctx: Context, peer: str) -> bool:
        """Note an answer; True if that copy must be made anew."""
        silent = ctx.now - self._heard[peer] > SILENT_FOR
        self._heard[peer] = ctx.now
        if silent:
            ctx.record("repair", copy=peer)
        return silent

    def begin_to_listen(self, now: float) -> None:
        """Whoever was silent towards another is not yet silent towards me."""
        self._heard = dict.fromkeys(self._heard, now)
        self.to_send.clear()

    def order(self, ctx: Context, counter: Counter, copy: str) -> None:
        """Send all pieces at once, or begin to send them."""
        if self._paced:
            self.to_send.extend([copy] * PIECES)
            ctx.set_timer("piece", PACE)
        else:
            for number in range(PIECES):
                counter.put(ctx, copy, Piece(number))

    def next_piece(self, ctx: Context, counter: Counter) -> None:
        """Put the next piece into the queue."""
        if self.to_send:
            counter.put(ctx, self.to_send.popleft(), Piece(len(self.to_send)))
            ctx.set_timer("piece", PACE)


def close_of_business(ctx: Context, seconds: float) -> None:
    """Set the timer at which a copy shows its book, just before the end of the day."""
    if ctx.now < seconds - 0.01:
        ctx.set_timer("close", seconds - 0.01 - ctx.now)


class PrimaryStore(Node):
    """A copy of the store that sells as long as it is the primary, and else stands by.

    Args:
        node_id: its name.
        peers: those it is linked with.
        design: of the shop.
        seconds: how long the day is.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> None:
        super().__init__(node_id, peers)
        self._design, self._seconds = design, seconds
        self._others = tuple(copy for copy in design.layout.copies if copy != node_id)
        self._counter = Counter(sheds=design.shedding)
        self._copies = _Copies(design, self._others)
        self._lengths: dict[str, int | None] = dict.fromkeys(self._others)
        self._unanswered: dict[int, tuple[str, int]] = {}  # item → who waits for it
        self._items: dict[str, int] = {}  # key → item
        self.role = "standby"
        self.epoch = 0
        self.book: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        """How much waits for it."""
        return len(self._counter)

    def on_start(self, ctx: Context) -> None:
        """The first copy sells at first; after a crash only one without others does so unasked."""
        is_first = ctx.stored is None and self.node_id == self._design.layout.copies[0]
        if ctx.stored is not None:
            self.epoch, self.book = ctx.stored.epoch, ctx.stored.book
            self._items = {key: place for place, key in enumerate(self.book, start=1)}
        if is_first or not self._others:
            self._lead(ctx, max(1, self.epoch))
        ctx.set_timer("second", 1.0)
        close_of_business(ctx, self._seconds)
        self._save(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An order, a ping, news of the primary or of a copy."""
        if isinstance(message, Sell | Ping):
            if not self._counter.put(ctx, sender, message):
                ctx.send(sender, Answer(message.ticket, None))
        elif isinstance(message, Replicate):
            self._follow(ctx, sender, message)
        elif isinstance(message, Replicated) and self.role == "primary" and message.epoch == self.epoch:
            self._lengths[sender] = message.length
            if self._copies.hear(ctx, sender):
                self._copies.order(ctx, self._counter, sender)
            self._answer(ctx)
        elif isinstance(message, PrimaryIs) and message.epoch >= self.epoch:
            if message.primary == self.node_id and self.role != "primary":
                self._lead(ctx, message.epoch)
            elif message.primary != self.node_id:
                self.role, self._unanswered = "standby", {}

    def on_timer(self, ctx: Context, name: str) -> None:
        """A job is done; a second has passed; a piece is due; or the day is over."""
        if name == "counter":
            self._do(ctx, *self._counter.done(ctx))
        elif name == "piece":
            self._copies.next_piece(ctx, self._counter)
        elif name == "close" and self.role == "primary":
            ctx.record("book", epoch=self.epoch, keys=self.book)
        elif name == "second":
            if self.role == "primary":
                self._replicate(ctx)
            status = "leader" if self.role == "primary" else "follower"
            self._counter.tell_load(ctx, f"{len(self.book)} sold", status)
            ctx.set_timer("second", 1.0)

    def _do(self, ctx: Context, sender: str, job: Any) -> None:
        if isinstance(job, Ping):
            ctx.send(sender, Well(self.epoch, len(self.book)))
        elif isinstance(job, Piece):
            ctx.send(sender, job)
        elif self.role == "primary":
            self._sell(ctx, sender, job)
        else:
            ctx.send(sender, Answer(job.ticket, None))

    def _sell(self, ctx: Context, server: str, order: Sell) -> None:
        item = self._items.get(order.key) if self._design.order_keys else None
        if item is None:
            self.book = (*self.book, order.key)
            item = self._items[order.key] = len(self.book)
            self._save(ctx)
        if self._design.store == "waiting primary" and self._others:
            self._unanswered[item] = (server, order.ticket)
            self._replicate(ctx)
            self._answer(ctx)
        else:
            ctx.send(server, Answer(order.ticket, item))

    def _answer(self, ctx: Context) -> None:
        """Answer the orders that one other copy has, too."""
        safe = max((length or 0 for length in self._lengths.values()), default=0)
        for item in [item for item in self._unanswered if item <= safe]:
            server, ticket = self._unanswered.pop(item)
            ctx.send(server, Answer(ticket, item))

    def _replicate(self, ctx: Context) -> None:
        for copy, length in self._lengths.items():
            after = 0 if length is None else length
            ctx.send(copy, Replicate(self.epoch, after, self.book[after:]))

    def _follow(self, ctx: Context, primary: str, message: Replicate) -> None:
        if message.epoch < self.epoch:
            return
        if message.epoch > self.epoch and message.after > 0:
            ctx.send(primary, Replicated(message.epoch, 0))
            return
        if message.epoch > self.epoch or message.after <= len(self.book):
            if message.epoch > self.epoch or message.after + len(message.keys) > len(self.book):
                self.book = (*self.book[: message.after], *message.keys)
                self._items = {key: place for place, key in enumerate(self.book, start=1)}
            self.role, self.epoch = "standby", message.epoch
            self._save(ctx)
        ctx.send(primary, Replicated(message.epoch, len(self.book)))

    def _lead(self, ctx: Context, epoch: int) -> None:
        self.role, self.epoch = "primary", epoch
        self._lengths = dict.fromkeys(self._others, len(self.book) if epoch == 1 else None)
        self._copies.begin_to_listen(ctx.now)
        self._save(ctx)
        ctx.record("leads", epoch=epoch)

    def _save(self, ctx: Context) -> None:
        ctx.save(Disk(self.epoch, self.book))


class Watcher(Node):
    """Asks all copies whether they are well, and puts another in the place of a primary that is silent.

    Args:
        node_id: its name.
        peers: those it is linked with.
        design: of the shop.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design) -> None:
        super().__init__(node_id, peers)
        self._design = design
        self._heard: dict[str, tuple[float, Well]] = {}
        self._pings = 0
        self.primary, self.epoch = design.layout.copies[0], 1

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk, and begin to ask."""
        if ctx.stored is not None:
            self.primary, self.epoch = ctx.stored
        self._heard = {self.primary: (ctx.now, Well(self.epoch, 0))}
        ctx.set_timer("ask", PING_EVERY)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """A copy is well."""
        if isinstance(message, Well):
            self._heard[sender] = (ctx.now, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Judge, and ask again."""
        since = self._heard[self.primary][0]
        if ctx.now - since > self._design.detection:
            self._replace(ctx)
        self._pings += 1
        for copy in self._design.layout.copies:
            ctx.send(copy, Ping())
        if self._pings % TELL_EVERY == 0:
            self._tell(ctx)
        ctx.set_timer("ask", PING_EVERY)

    def _replace(self, ctx: Context) -> None:
        well = [
            (message.epoch, message.length, copy)
            for copy, (at, message) in self._heard.items()
            if copy != self.primary and ctx.now - at < 3 * PING_EVERY
        ]
        if not well:
            return
        ctx.record("suspect", peer=self.primary)
        self.primary, self.epoch = max(well, key=lambda one: one[:2])[2], self.epoch + 1
        self._heard[self.primary] = (ctx.now, self._heard[self.primary][1])
        ctx.save((self.primary, self.epoch))
        self._tell(ctx)

    def _tell(self, ctx: Context) -> None:
        for peer in self.peers:
            ctx.send(peer, PrimaryIs(self.primary, self.epoch))


class QuorumStore(RaftNode):
    """A member of a store that agrees on its book: what a majority has is sold, and whoever they elect sells.

    Args:
        node_id: its name.
        peers: those it is linked with.
        design: of the shop.
        seconds: how long the day is.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> None:
        super().__init__(
            node_id,
            peers,
            members=design.layout.copies,
            election_timeout=(design.detection, 1.5 * design.detection),
            heartbeat_interval=HEARTBEAT,
            pre_vote=design.careful_elections,
            check_quorum=design.careful_elections,
        )
        self._design, self._seconds = design, seconds
        self._counter = Counter(sheds=design.shedding)
        self._copies = _Copies(design, [copy for copy in design.layout.copies if copy != node_id])
        self._items: dict[str, int] = {}
        self.book: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        """How much waits for it."""
        return len(self._counter)

    def on_start(self, ctx: Context) -> None:
        """Follow; the first copy stands at once when the shop opens."""
        is_new = ctx.stored is None
        super().on_start(ctx)
        ctx.set_timer("second", 1.0)
        close_of_business(ctx, self._seconds)
        if is_new and self.node_id == self._design.layout.copies[0]:
            self._heard = {}
            self.stand_for_election(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An order waits its turn at the leader; all else is Raft's."""
        if not isinstance(message, Sell):
            super().on_message(ctx, sender, message)
        elif self.role != "leader" or not self._counter.put(ctx, sender, message):
            ctx.send(sender, Answer(message.ticket, None, self.leader))

    def on_timer(self, ctx: Context, name: str) -> None:
        """A job is done; a second has passed; a piece is due; the day is over; or it is Raft's."""
        if name == "counter":
            sender, job = self._counter.done(ctx)
            if isinstance(job, Piece):
                ctx.send(sender, job)
            elif self.role == "leader":
                self.on_request(ctx, sender, Request(job.ticket, job.key))
            else:
                ctx.send(sender, Answer(job.ticket, None, self.leader))
        elif name == "piece":
            self._copies.next_piece(ctx, self._counter)
        elif name == "close":
            ctx.record("book", epoch=0, keys=self.book)
        elif name == "second":
            self._counter.tell_load(ctx, f"{len(self.book)} sold, term {self.current_term}", self.role)
            ctx.set_timer("second", 1.0)
        else:
            super().on_timer(ctx, name)

    def lead(self, ctx: Context) -> None:
        """Lead, and begin to listen to the others."""
        self._copies.begin_to_listen(ctx.now)
        super().lead(ctx)

    def on_append_reply(self, ctx: Context, sender: str, message: Any) -> None:
        """A copy that was silent for long is made anew."""
        super().on_append_reply(ctx, sender, message)
        if self.role == "leader" and self._copies.hear(ctx, sender):
            self._copies.order(ctx, self._counter, sender)

    def apply(self, command: Any) -> int | None:
        """Sell; an order that has come before gets what it got, if orders have keys."""
        if command is None:
            return None
        if not self._design.order_keys or command not in self._items:
            self.book = (*self.book, command)
            self._items[command] = len(self.book)
        return self._items[command]

    def reply(self, ctx: Context, client: str, number: int, value: Any) -> None:
        """Tell the server which item it is."""
        ctx.send(client, Answer(number, value))


class OneMachine(ShopServer):
    """A server that keeps the book itself, as strong as so many servers.

    Args:
        node_id: its name.
        peers: the gateway.
        design: of the shop.
        seconds: how long the day is.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> None:
        super().__init__(node_id, peers, design=design)
        self._day = seconds
        self._seconds = (CPU_SECONDS + STORE_SECONDS) / design.servers
        self._items: dict[str, int] = {}
        self.book: tuple[str, ...] = ()

    def on_start(self, ctx: Context) -> None:
        """Find the book again."""
        if ctx.stored is not None:
            self.book = ctx.stored.book
            self._items = {key: place for place, key in enumerate(self.book, start=1)}
        super().on_start(ctx)
        close_of_business(ctx, self._day)

    def on_timer(self, ctx: Context, name: str) -> None:
        """The day is over, or an order is done."""
        if name == "close":
            ctx.record("book", epoch=0, keys=self.book)
        else:
            super().on_timer(ctx, name)

    def _done(self, ctx: Context, gateway: str, order: Order) -> None:
        item = self._items.get(order.key) if self._design.order_keys else None
        if item is None:
            self.book = (*self.book, order.key)
            item = self._items[order.key] = len(self.book)
            ctx.save(Disk(0, self.book))
        ctx.send(gateway, Sold(order.ticket, item))


def shop_node(node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> Node:
    """Make a part of the shop."""
    from dscourse.chaos.servers import OrderGateway

    if node_id == GATEWAY:
        return OrderGateway(node_id, peers, design=design)
    if node_id == WATCHER:
        return Watcher(node_id, peers, design=design)
    if design.store == "one machine":
        return OneMachine(node_id, peers, design=design, seconds=seconds)
    if node_id in design.layout.servers:
        return ShopServer(node_id, peers, design=design)
    store = QuorumStore if design.store == "quorum" else PrimaryStore
    return store(node_id, peers, design=design, seconds=seconds)
