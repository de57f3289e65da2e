"""Nodes for the workloads of the public bench that no topic of the course has: see `dscourse.live.maelstrom`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.replication import MultiLeaderReplica, ORSet, PNCounter
from dscourse.simulation import Context, Node, Reply, Request

_BLOCK = 1000  # numbers that are taken from the disk at once
_KEY = "all"


class Echo(Node):
    """Answers ("echo", value) with the value."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Say it again."""
        ctx.send(sender, Reply(message.number, "ok", message.operation[1]))


class UniqueIds(Node):
    """Answers ("generate",) with an id that no other node gives, and that it never gives again, restarts included.

    It takes numbers in blocks: what is on the disk is above all that it has given.
    """

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self.given = self.taken = 0

    def on_start(self, ctx: Context) -> None:
        """Begin above all numbers of earlier lives."""
        self.given = self.taken = ctx.stored or 0

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Give the next."""
        if self.given == self.taken:
            self.taken += _BLOCK
            ctx.save(self.taken)
        self.given += 1
        ctx.send(sender, Reply(message.number, "ok", f"{self.node_id}-{self.given}"))


class _OneValue(MultiLeaderReplica):
    """A replica of a single value: operations name no key."""

    nothing: Any = None

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Put the key in."""
        if isinstance(message, Request):
            message = Request(message.number, self.keyed(message.operation))
            if message.operation[0] == "get" and _KEY not in self.values:
                ctx.send(sender, Reply(message.number, "ok", self.nothing))
                return
        super().on_message(ctx, sender, message)

    def keyed(self, operation: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operation on the one key."""
        raise NotImplementedError


class GrowOnlySet(_OneValue):
    """Takes ("add", element) and ("read",)."""

    nothing = ()

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers, resolution=ORSet)

    def keyed(self, operation: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operation on the one key."""
        return ("get", _KEY) if operation[0] == "read" else ("add", _KEY, operation[1])


class Counter(_OneValue):
    """Takes ("add", amount), which may be negative, and ("read",)."""

    nothing = 0

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers, resolution=PNCounter)

    def keyed(self, operation: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operation on the one key."""
        return ("get", _KEY) if operation[0] == "read" else ("increment", _KEY, operation[1])
