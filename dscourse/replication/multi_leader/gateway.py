"""Where users of a region come in: their requests go to the nearest replica, and to another if that is silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.arguments import node_ids, real
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests


class RegionalGateway(Node):
    """Passes requests on to one replica; as soon as that is silent, to the next one, and stays there.

    Args:
        node_id: its name.
        peers: those it is linked with.
        replicas: the nearest first.
        patience: seconds to wait for an answer.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], *, replicas: Sequence[str], patience: float = 0.2
    ) -> None:
        super().__init__(node_id, peers)
        self._replicas = node_ids("replicas", replicas)
        self._pending = PendingRequests(real("patience", patience, above=0.0))
        self._number = 0
        self.replica = self._replicas[0]

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a request on, or its answer back."""
        if isinstance(message, Request):
            request = self._pending.open(sender, message.number, self._number + 1, message.operation)
            if request is not None:
                self._number += 1
                self._ask(ctx, request)
        elif isinstance(message, Reply):
            answered = self._pending.answer(message.number, sender, message)
            if answered is not None:
                self._pending.reply(ctx, answered, message.outcome, message.value)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Turn to the next replica, once each; then give up, and leave the client in doubt."""
        request = self._pending.expired(name)
        if request is None:
            return
        if self.replica in request.waiting:
            following = (self._replicas.index(self.replica) + 1) % len(self._replicas)
            self.replica = self._replicas[following]
        if request.attempts < len(self._replicas):
            self._ask(ctx, request)
        else:
            self._pending.close(ctx, request)

    def _ask(self, ctx: Context, request: PendingRequest) -> None:
        self._pending.ask(ctx, request, [self.replica])
        ctx.send(self.replica, Request(request.key, request.state))
