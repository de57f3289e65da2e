"""One node's part of the data: reads and writes, index entries, and its side of two-phase commit."""

from __future__ import annotations

from typing import Any, TypedDict

from dscourse.partitioning.protocol import Partitioner
from dscourse.partitioning.store_messages import Answer, Ask, Change


class Promise(TypedDict):
    """A transaction that this node has promised to commit if told so."""

    coordinator: str
    changes: tuple[Change, ...]


class Shard:
    """The records of one node.

    What has been written or promised survives a crash (`to_save`, `restore`); locks follow from the promises.

    Args:
        node: its name.
        owners: says which keys are its own.
    """

    def __init__(self, node: str, owners: Partitioner) -> None:
        self._node = node
        self._owners = owners
        self.values: dict[int | str, Any] = {}
        self.entries: dict[int | str, list[int | str]] = {}
        self.promises: dict[str, Promise] = {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what was saved before a crash."""
        self.values, self.entries, self.promises = saved["values"], saved["entries"], saved["promises"]

    def to_save(self) -> dict[str, Any]:
        """Return what must survive a crash."""
        return {"values": self.values, "entries": self.entries, "promises": self.promises}

    def answer(self, sender: str, ask: Ask) -> Answer:
        """Do what is asked."""
        if ask.do in ("get", "put"):
            owner = self._owners.owner(ask.key)  # type: ignore[arg-type]
            if owner != self._node:
                return Answer(ask.operation, ask.step, ok=False, moved=owner)
        return getattr(self, f"_{ask.do.replace(' ', '_')}")(sender, ask)  # type: ignore[no-any-return]

    def decide(self, operation: str, *, commit: bool) -> None:
        """Do as the coordinator has decided; hearing it twice does no harm."""
        promise = self.promises.pop(operation, None)
        if promise is not None and commit:
            self._apply(promise["changes"])

    def locked(self) -> set[int | str]:
        """Return the keys on which a promise is open."""
        return {key for promise in self.promises.values() for key, _ in promise["changes"]}

    def _get(self, _sender: str, ask: Ask) -> Answer:
        return Answer(ask.operation, ask.step, ok=True, value=self.values.get(ask.key))  # type: ignore[arg-type]

    def _put(self, _sender: str, ask: Ask) -> Answer:
        if ask.key in self.locked():
            return Answer(ask.operation, ask.step, ok=False)
        before = self.values.get(ask.key)  # type: ignore[arg-type]
        self.values[ask.key] = ask.value  # type: ignore[index]
        return Answer(ask.operation, ask.step, ok=True, value=before)

    def _find(self, _sender: str, ask: Ask) -> Answer:
        """Local index: which records of this node have the value."""
        found = tuple(key for key, value in self.values.items() if value == ask.key)
        return Answer(ask.operation, ask.step, ok=True, value=found)

    def _look_up(self, _sender: str, ask: Ask) -> Answer:
        """Global index: which records anywhere have the value, as far as the entries here know."""
        return Answer(ask.operation, ask.step, ok=True, value=tuple(self.entries.get(ask.key, ())))  # type: ignore[arg-type]

    def _index(self, _sender: str, ask: Ask) -> Answer:
        entries = self.entries.setdefault(ask.key, [])  # type: ignore[arg-type]
        if ask.value not in entries:
            entries.append(ask.value)  # type: ignore[arg-type]
        return Answer(ask.operation, ask.step, ok=True)

    def _unindex(self, _sender: str, ask: Ask) -> Answer:
        entries = self.entries.get(ask.key, [])  # type: ignore[arg-type]
        if ask.value in entries:
            entries.remove(ask.value)  # type: ignore[arg-type]
        return Answer(ask.operation, ask.step, ok=True)

    def _add(self, _sender: str, ask: Ask) -> Answer:
        """A transaction of which all keys are here: no ceremony needed."""
        allowed = self._may(ask.changes)
        if allowed:
            self._apply(ask.changes)
        return Answer(ask.operation, ask.step, ok=allowed)

    def _prepare(self, sender: str, ask: Ask) -> Answer:
        """First phase: promise to commit, and lock the keys until told; or vote no, which binds to nothing."""
        if ask.operation not in self.promises:
            if not self._may(ask.changes):
                return Answer(ask.operation, ask.step, ok=False)
            self.promises[ask.operation] = Promise(coordinator=sender, changes=ask.changes)
        return Answer(ask.operation, ask.step, ok=True)

    def _commit(self, _sender: str, ask: Ask) -> Answer:
        self.decide(ask.operation, commit=True)
        return Answer(ask.operation, ask.step, ok=True)

    def _abort(self, _sender: str, ask: Ask) -> Answer:
        self.decide(ask.operation, commit=False)
        return Answer(ask.operation, ask.step, ok=True)

    def _may(self, changes: tuple[Change, ...]) -> bool:
        """Whether no key is locked and none would fall below zero."""
        locked = self.locked()
        return all(key not in locked and self.values.get(key, 0) + amount >= 0 for key, amount in changes)

    def _apply(self, changes: tuple[Change, ...]) -> None:
        for key, amount in changes:
            self.values[key] = self.values.get(key, 0) + amount
