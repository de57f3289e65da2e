"""A store with a primary: it numbers the orders, other copies stand by, and a watcher puts one of them in its place.

It keeps a *book*, the keys of the orders in the order in which they were sold: the n-th has item n. Trouble may leave
two books; at the end of the day the last one in force counts, and what the other one had sold is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.chaos.counter import Copies, Counter, Disk, Piece, Ping, close_of_business
from dscourse.chaos.design import Design
from dscourse.chaos.servers import Answer, PrimaryIs, Sell
from dscourse.simulation import Context, Node

PING_EVERY = 0.5
TELL_EVERY = 4  # pings


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
class Well:
    """I am."""

    epoch: int
    length: int


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
        self._copies = Copies(design, self._others)
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
        ctx.record("status", status=self._status(), label=f"{len(self.book)} sold")

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An order, a ping, news of the primary or of a copy."""
        if isinstance(message, Ping):
            self._counter.put(ctx, sender, message)
        elif isinstance(message, Sell):
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
            self._counter.tell_load(ctx, f"{len(self.book)} sold", self._status())
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

    def _status(self) -> str:
        return "leader" if self.role == "primary" else "follower"

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
