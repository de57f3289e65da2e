"""A database that may be the primary or stand by, and that answers slowly as long as its cache is cold."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import real, truth
from dscourse.simulation import Context, Node


@dataclass(frozen=True)
class Query:
    """Do something with a key; ``number`` is the asker's own."""

    number: int
    key: int


@dataclass(frozen=True)
class Result:
    """It is done, or isn't, since somebody else is the primary."""

    number: int
    done: bool


@dataclass(frozen=True)
class Check:
    """Are you well? It waits its turn behind what waits for the disk, so that an overloaded database answers late."""

    number: int


@dataclass(frozen=True)
class Well:
    """I am."""

    number: int
    primary: bool


@dataclass(frozen=True)
class Promote:
    """Become the primary."""


@dataclass(frozen=True)
class Demote:
    """Stand by."""


@dataclass(frozen=True)
class Promoted:
    """I am the primary now."""


class Database(Node):
    """One server of a pair.

    What its cache holds is answered at once; everything else is fetched from disk, one thing after another, and is in
    the cache from then on. A crash empties the cache.

    Args:
        node_id: its id.
        peers: those it is linked with.
        primary: whether it begins as the primary.
        warm: whether its cache holds everything at the beginning.
        disk_time: seconds for one fetch.
        promotion_time: seconds from the order until it is the primary: the rest of the log is applied.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        primary: bool = False,
        warm: bool = True,
        disk_time: float = 0.05,
        promotion_time: float = 1.0,
    ) -> None:
        super().__init__(node_id, peers)
        self.role = "primary" if truth("primary", primary) else "standby"
        self._warm = truth("warm", warm)
        self._disk_time = real("disk_time", disk_time, above=0.0)
        self._promotion_time = real("promotion_time", promotion_time, at_least=0.0)
        self.cached: set[int] = set()
        self._disk: deque[tuple[str, Query | Check]] = deque()

    @property
    def waiting(self) -> int:
        """How many queries wait for the disk."""
        return len(self._disk)

    def on_start(self, ctx: Context) -> None:
        """Begin; after a crash as standby, with an empty cache."""
        if ctx.stored is not None:
            self.role, self._warm = "standby", False
        ctx.save(True)
        self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer, or change the role."""
        if isinstance(message, Query) and self.role != "primary":
            ctx.send(sender, Result(message.number, done=False))
        elif isinstance(message, Query | Check):
            self._serve(ctx, sender, message)
        elif isinstance(message, Promote) and self.role == "primary":
            ctx.send(sender, Promoted())
        elif isinstance(message, Promote) and self.role == "standby":
            self.role = "being promoted"
            ctx.set_timer(f"promote {sender}", self._promotion_time)
        elif isinstance(message, Demote):
            self.role = "standby"
            self._show(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A fetch is over, or the promotion."""
        if name != "disk":
            self.role = "primary"
            self._show(ctx)
            ctx.send(name.removeprefix("promote "), Promoted())
            return
        sender, message = self._disk.popleft()
        if isinstance(message, Query):
            self.cached.add(message.key)
        self._answer(ctx, sender, message)
        while self._disk and self._needs_no_disk(self._disk[0][1]):
            self._answer(ctx, *self._disk.popleft())
        if self._disk:
            ctx.set_timer("disk", self._disk_time)

    def _needs_no_disk(self, message: Query | Check) -> bool:
        return self._warm or isinstance(message, Check) or message.key in self.cached

    def _serve(self, ctx: Context, sender: str, message: Query | Check) -> None:
        at_once = self._warm or isinstance(message, Query) or not self._disk
        if at_once and self._needs_no_disk(message):
            self._answer(ctx, sender, message)
            return
        self._disk.append((sender, message))
        if len(self._disk) == 1:
            ctx.set_timer("disk", self._disk_time)

    def _answer(self, ctx: Context, sender: str, message: Query | Check) -> None:
        if isinstance(message, Check):
            ctx.send(sender, Well(message.number, self.role == "primary"))
        else:
            ctx.send(sender, Result(message.number, done=True))

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status="leader" if self.role == "primary" else "follower", label=self.role)
