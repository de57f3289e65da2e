"""A store that agrees: what a majority of its members has is sold, and whoever they elect sells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.chaos.counter import Copies, Counter, Piece, close_of_business
from dscourse.chaos.design import Design
from dscourse.chaos.servers import Answer, Sell
from dscourse.consensus import RaftNode
from dscourse.simulation import Context, Request

HEARTBEAT = 0.25


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
        self._copies = Copies(design, [copy for copy in design.layout.copies if copy != node_id])
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
        if is_new:
            self._heard = {}  # nobody can have heard a leader before
            if self.node_id == self._design.layout.copies[0]:
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
