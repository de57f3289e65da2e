"""A store in which every replica takes writes, answers at once, and tells the others afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import node_ids, real
from dscourse.replication.multi_leader.resolution import Resolution, Resolve, last_writer_wins
from dscourse.simulation import Context, Node, Reply, Request


@dataclass(frozen=True)
class Update:
    """What I know of a key, or only what has changed there: merge it. The numbers are of my writes in it."""

    key: Any
    state: Any
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Merged:
    """I have these writes of yours on my disk."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Pull:
    """I have lost my memory, or never had one: tell me everything."""


@dataclass(frozen=True)
class Everything:
    """All that I know: (key, state)."""

    items: tuple[tuple[Any, Any], ...]


class MultiLeaderReplica(Node):
    """Takes reads and writes, answers from what it has, and sends what changed to all others until they have it.

    Clients ask any replica for ("put", key, value), ("get", key), ("add", key, element), ("remove", key, element) or
    ("increment", key, amount). Writes of one key at two replicas that haven't seen each other conflict; version vectors
    tell, and the resolution says what becomes of it. Replicas that have seen the same writes are equal.

    A replica that boots with an empty disk takes a new name for its writes. Under its old one it would number them from
    1 again, and the others would take them for what they have long seen.

    Args:
        node_id: its name.
        peers: those it is linked with.
        resolution: what becomes of conflicts: a function of the siblings, or a merging type (see `Resolution`).
        replicas: the nodes that keep copies; all by default.
        sync_every: seconds after which what isn't confirmed is sent again.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        resolution: Resolve | type = last_writer_wins,
        replicas: Sequence[str] | None = None,
        sync_every: float = 0.5,
    ) -> None:
        super().__init__(node_id, peers)
        everybody = (node_id, *peers) if replicas is None else node_ids("replicas", replicas)
        self._others = [node for node in everybody if node != node_id]
        self._resolution = Resolution(resolution)
        self._sync_every = real("sync_every", sync_every, above=0.0)
        self._states: dict[Any, Any] = {}
        self._number = 0  # of the last write here
        self._number_at_sync = 0
        self._unconfirmed: dict[str, dict[int, Any]] = {other: {} for other in self._others}  # number → key
        self._unasked: list[str] = []  # who has not told everything yet
        self.writes_as = node_id

    @property
    def values(self) -> dict[str, Any]:
        """What is told of each key."""
        return {str(key): self._resolution.read(state) for key, state in self._states.items()}

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk; without one, take a new name and ask the others."""
        if ctx.stored is None:
            self.writes_as = f"{self.node_id}.{int(ctx.rng.random() * 2**32):08x}"
            self._unasked = list(self._others)
            self._save(ctx)
        else:
            self.writes_as, self._states, self._number, self._unconfirmed, self._unasked = ctx.stored
            self._show(ctx)
        for other in self._unasked:
            ctx.send(other, Pull())
        ctx.set_timer("sync", self._sync_every)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a client, or merge what another replica knows."""
        match message:
            case Request(number, ("get", key)):
                state = self._states.get(key)
                value = None if state is None else self._resolution.read(state)
                ctx.send(sender, Reply(number, "ok", value))
            case Request(number, (what, key, operand)):
                done = self._change(ctx, key, (what, operand))
                ctx.send(sender, Reply(number, "ok" if done else "fail"))
            case Update(key, state, numbers):
                self._merge(ctx, ((key, state),))
                ctx.send(sender, Merged(numbers))
            case Merged(numbers):
                for one in numbers:
                    self._unconfirmed[sender].pop(one, None)
                self._save(ctx)
            case Pull():
                ctx.send(sender, Everything(tuple(self._states.items())))
            case Everything(items):
                self._unasked = [other for other in self._unasked if other != sender]
                self._merge(ctx, items)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send again what was sent before the last time and isn't confirmed: the whole state of each such key."""
        for other, writes in self._unconfirmed.items():
            late: dict[Any, list[int]] = {}
            for number, key in writes.items():
                if number <= self._number_at_sync:
                    late.setdefault(key, []).append(number)
            for key, numbers in late.items():
                ctx.send(other, Update(key, self._states[key], tuple(numbers)))
        for other in self._unasked:
            ctx.send(other, Pull())
        self._number_at_sync = self._number
        ctx.set_timer("sync", self._sync_every)

    def _change(self, ctx: Context, key: Any, operation: tuple[Any, ...]) -> bool:
        state = self._states.get(key)
        if state is None:
            state = self._resolution.empty(self.writes_as)
        delta = self._resolution.change(state, operation, ctx.now)
        if delta is None:
            return False
        self._states[key] = state.merge(delta)
        self._number += 1
        for writes in self._unconfirmed.values():
            writes[self._number] = key
        self._save(ctx)
        for other in self._others:
            ctx.send(other, Update(key, delta, (self._number,)))
        return True

    def _merge(self, ctx: Context, items: Sequence[tuple[Any, Any]]) -> None:
        for key, theirs in items:
            before = self._states.get(key)
            if before is None:
                before = self._resolution.empty(self.writes_as)
            after = before.merge(theirs)
            if after == before and key in self._states:
                continue
            self._states[key] = after
            siblings = self._resolution.siblings(after)
            if len(siblings) > 1:
                ctx.record(
                    "conflict",
                    key=str(key),
                    values=[one.value for one in siblings],
                    outcome=self._resolution.read(after),
                )
        self._save(ctx)

    def _save(self, ctx: Context) -> None:
        ctx.save((self.writes_as, self._states, self._number, self._unconfirmed, self._unasked))
        self._show(ctx)

    def _show(self, ctx: Context) -> None:
        conflicting = [
            key for key, state in self._states.items() if len(self._resolution.siblings(state)) > 1
        ]
        label = ", ".join(f"{key}: {_shown(value)}" for key, value in self.values.items()) or "empty"
        label = label if len(label) <= 40 else f"{len(self._states)} keys"
        ctx.record("status", status="in conflict" if conflicting else "up", label=label)


def _shown(value: Any) -> str:
    """A value in few letters; of a set its elements, of siblings each."""
    if not isinstance(value, tuple):
        return str(value)
    several = any(isinstance(one, tuple) for one in value)
    return (" | " if several else " ").join(_shown(one) or "nothing" for one in value)
