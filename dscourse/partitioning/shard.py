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

    What has been written or promised survives a crash (`to_save`, `restore`); locks follow from the promises. So does
    the memory of what was done and how it ended: a network may deliver a message twice, and the second copy late.
    (Real stores forget it after a while. Here it is kept for ever.)

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
        self.answered: dict[str, tuple[bool, Any]] = {}  # what was written for an operation -> ok, value
        self.ended: dict[str, bool] = {}  # transaction -> whether it was committed here

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what was saved before a crash."""
        self.values, self.entries, self.promises = saved["values"], saved["entries"], saved["promises"]
        self.answered, self.ended = saved["answered"], saved["ended"]

    def to_save(self) -> dict[str, Any]:
        """Return what must survive a crash."""
        return {
            "values": self.values,
            "entries": self.entries,
            "promises": self.promises,
            "answered": self.answered,
            "ended": self.ended,
        }

    def answer(self, sender: str, ask: Ask) -> Answer:
        """Do what is asked; what was done already isn't done again, but answered as before."""
        owner = self._other_owner(ask)
        if owner is not None:
            return Answer(ask.operation, ask.step, ok=False, moved=owner)
        deed = f"{ask.do} {ask.operation}"
        if deed in self.answered:
            ok, value = self.answered[deed]
            return Answer(ask.operation, ask.step, ok=ok, value=value)
        answer: Answer = getattr(self, f"_{ask.do.replace(' ', '_')}")(sender, ask)
        if ask.do in ("put", "add", "index", "unindex"):
            self.answered[deed] = (answer.ok, answer.value)
        return answer

    def decide(self, coordinator: str, operation: str, *, commit: bool) -> None:
        """Do as the coordinator has decided; hearing it twice does no harm.

        Only the coordinator to which the promise was made can redeem it: a request that was delivered twice may have
        come to two.
        """
        promise = self.promises.get(operation)
        if promise is None:
            self.ended.setdefault(operation, commit)
        elif promise["coordinator"] == coordinator:
            del self.promises[operation]
            self.ended[operation] = commit
            if commit:
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
        if ask.operation in self.promises:
            mine = self.promises[ask.operation]["coordinator"] == sender
            return Answer(ask.operation, ask.step, ok=mine)
        if ask.operation in self.ended or not self._may(ask.changes):
            return Answer(ask.operation, ask.step, ok=False)
        self.promises[ask.operation] = Promise(coordinator=sender, changes=ask.changes)
        return Answer(ask.operation, ask.step, ok=True)

    def _commit(self, sender: str, ask: Ask) -> Answer:
        self.decide(sender, ask.operation, commit=True)
        return Answer(ask.operation, ask.step, ok=True)

    def _abort(self, sender: str, ask: Ask) -> Answer:
        self.decide(sender, ask.operation, commit=False)
        return Answer(ask.operation, ask.step, ok=True)

    def _other_owner(self, ask: Ask) -> str | None:
        """Return who owns a key that is asked for, if it isn't this node; a whole search has no owner."""
        keys: list[Any] = [key for key, _ in ask.changes]
        if ask.do in ("get", "put", "look up", "index", "unindex"):
            keys.append(ask.key)
        owners = (self._owners.owner(key) for key in keys)
        return next((owner for owner in owners if owner != self._node), None)

    def _may(self, changes: tuple[Change, ...]) -> bool:
        """Whether no key is locked, all hold numbers, and none would fall below zero by all its changes together."""
        locked = self.locked()
        after: dict[int | str, Any] = {}
        for key, amount in changes:
            held = after.get(key, self.values.get(key, 0))
            if key in locked or not isinstance(held, int | float):
                return False
            after[key] = held + amount
        return all(value >= 0 for value in after.values())

    def _apply(self, changes: tuple[Change, ...]) -> None:
        for key, amount in changes:
            self.values[key] = self.values.get(key, 0) + amount
