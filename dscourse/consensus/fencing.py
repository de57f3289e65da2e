"""Storage that remembers the newest lease it has seen, and refuses older ones.

A lease is a belief about the time, and its holder may be wrong: paused, slow, or with a clock that drifts. So each new
grant bears a higher number, a token, and whoever stores something looks at it (Burrows, The Chubby lock service for
loosely-coupled distributed systems, OSDI 2006, section 2.4: sequencers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.simulation.breaches import Breach, unbroken
from dscourse.simulation.node import Context, Node
from dscourse.simulation.run import Run


@dataclass(frozen=True)
class Write:
    """The holder of a lease wants something stored.

    Attributes:
        token: of the lease.
        key: what is written.
        value: the new value.
    """

    token: int
    key: str
    value: Any


@dataclass(frozen=True)
class Written:
    """The storage's answer.

    Attributes:
        token: as in the `Write`.
        accepted: whether it was stored.
    """

    token: int
    accepted: bool


class Storage:
    """Keys and values; whoever writes is believed.

    Args:
        disk: a dict that outlives a crash; what is put into it is saved before the answer goes out.
    """

    def __init__(self, disk: dict[str, Any]) -> None:
        self.disk = disk

    def write(self, token: int, key: str, value: Any) -> bool:
        """Store a value; return whether that was done."""
        self.disk[key] = value
        return True


class FencedStorage(Storage):
    """Keys and values; a token below the highest seen is refused, whatever the key, and an equal one taken.

    Args:
        disk: a dict that outlives a crash; it keeps the values by their keys, and the token as ``"token"``.
    """

    def write(self, token: int, key: str, value: Any) -> bool:
        """Store a value unless the token is an old one; return whether that was done."""
        if token < self.disk.get("token", 0):
            return False
        self.disk["token"] = token
        self.disk[f"value of {key}"] = value
        return True


class StorageNode(Node):
    """A machine with a disk.

    Args:
        node_id: its name.
        peers: those it is linked with.
        storage: what decides about a write; called with the disk, again after each crash.

    Attributes:
        disk: what is saved.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        storage: Callable[[dict[str, Any]], Any] = FencedStorage,
    ) -> None:
        super().__init__(node_id, peers)
        self._make = storage
        self.disk: dict[str, Any] = {}

    def on_start(self, ctx: Context) -> None:
        """Find the disk as it was left."""
        self.disk = ctx.stored or {}
        self._storage = self._make(self.disk)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Store, save, answer."""
        if isinstance(message, Write):
            accepted = self._storage.write(message.token, message.key, message.value)
            ctx.save(self.disk)
            ctx.record("accepted" if accepted else "refused", token=message.token, key=message.key, by=sender)
            ctx.send(sender, Written(message.token, bool(accepted)))


def _old_tokens(run: Run) -> Iterator[Breach]:
    highest: dict[str, tuple[int, str]] = {}
    for event in run.trace.select(kind="record", name="accepted"):
        node, token, holder = str(event.node), event.detail["token"], event.detail["by"]
        newest, newer = highest.get(node, (0, ""))
        if token < newest:
            yield Breach(
                event.time, f"{node} accepts token {token} of {holder}, after token {newest} of {newer}"
            )
        else:
            highest[node] = (token, holder)


no_stale_writes = unbroken("no write of an older lease after one of a newer", _old_tokens)
