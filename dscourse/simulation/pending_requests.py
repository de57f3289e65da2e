"""Requests under way: a node carries them out for others, and waits for answers that may never come.

Front ends, gateways and coordinators keep theirs in one place, and answer each once:

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            request = self.pending.open(sender, message.number)
            if request is not None:                                    # None: it is open already, delivered twice
                self.pending.ask(ctx, request, ["r1", "r2"])
                for replica in request.waiting: ctx.send(replica, Get(request.key))
        elif isinstance(message, Found):
            request = self.pending.answer(message.key, sender, message)
            if request is not None and len(request.answers) == 2:
                self.pending.reply(ctx, request, "ok", message.value)

    def on_timer(self, ctx, name):
        request = self.pending.expired(name)
        if request is not None:                                        # or ask again, up to so many attempts
            self.pending.reply(ctx, request, "fail")

All is lost in a crash, as a node's memory is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dscourse.simulation.messages import Reply

if TYPE_CHECKING:
    from dscourse.simulation.node import Context


@dataclass
class PendingRequest:
    """A request that has not been answered yet.

    Attributes:
        client: who wants the answer.
        number: the client's own number of the request, which the reply must bear.
        key: what it is known by between this node and those it asks.
        attempts: how often somebody has been asked.
        waiting: who has been asked and has not answered.
        answers: who has answered what, in the order in which the answers came.
        state: whatever else the node must know about it.
    """

    client: str
    number: int
    key: Any
    attempts: int = 0
    waiting: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    state: Any = None


@dataclass
class PendingRequests:
    """The requests under way at one node.

    Args:
        patience: seconds to wait for the answers of one attempt; None to wait without end.
        timer: what the timer of a request is called, before its key; nodes with timers of their own tell them by it.
    """

    patience: float | None
    timer: str = "patience "
    _open: dict[str, PendingRequest] = field(default_factory=dict, init=False)  # by the name of the timer

    def __len__(self) -> int:
        return len(self._open)

    def get(self, key: str | int) -> PendingRequest | None:
        """Return the request of that key, or None if it isn't under way (any more)."""
        return self._open.get(f"{self.timer}{key}")

    def open(
        self, client: str, number: int, key: str | int | None = None, state: Any = None
    ) -> PendingRequest | None:
        """Take a request on; its key is "client/number" if none is given. None if that one is under way already."""
        request = PendingRequest(client, number, f"{client}/{number}" if key is None else key, state=state)
        name = f"{self.timer}{request.key}"
        return request if self._open.setdefault(name, request) is request else None

    def ask(
        self, ctx: Context, request: PendingRequest, whom: Iterable[str], *, afresh: bool = False
    ) -> None:
        """Note who is asked now, and begin to wait for them anew; to send the messages is the node's own part.

        Afresh: it is another question, so that what was asked and answered before no longer counts. Otherwise those
        who were asked earlier may still answer.
        """
        if afresh:
            request.waiting, request.answers = [], {}
        request.attempts += 1
        request.waiting += [
            node for node in whom if node not in request.waiting and node not in request.answers
        ]
        if self.patience is not None:
            ctx.set_timer(f"{self.timer}{request.key}", self.patience)

    def answer(self, key: str | int, sender: str, answer: Any) -> PendingRequest | None:
        """Take an answer in, and return its request; None if nobody waits for that answer (any more)."""
        request = self.get(key)
        if request is None or sender not in request.waiting:
            return None
        request.waiting.remove(sender)
        request.answers[sender] = answer
        return request

    def expired(self, timer: str) -> PendingRequest | None:
        """Return the request whose patience has run out, or None if that timer is none of these."""
        return self._open.get(timer)

    def close(self, ctx: Context, request: PendingRequest) -> None:
        """Forget a request; answers to it come too late from now on."""
        name = f"{self.timer}{request.key}"
        del self._open[name]
        ctx.cancel_timer(name)

    def reply(self, ctx: Context, request: PendingRequest, outcome: str, value: Any = None) -> None:
        """Close a request and tell the client how it ended: "ok" or "fail", and the value."""
        self.close(ctx, request)
        ctx.send(request.client, Reply(request.number, outcome, value))
