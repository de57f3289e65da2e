"""One node's part of the data: reads and writes, index entries, and its side of two-phase commit."""

from __future__ import annotations

from typing import Any, TypeAlias, TypedDict

from dscourse.partitioning.fleet import fingerprint
from dscourse.partitioning.partitioner import Partitioner
from dscourse.partitioning.store.deduplication import Saved, remember
from dscourse.partitioning.store.messages import Answer, Ask, Change

Entry: TypeAlias = tuple[int | str, int | str]  # a value, and the key of a record that has it
_KEPT = ("values", "entries", "due", "entered", "promises", "answered", "ended")  # on the disk


class Promise(TypedDict):
    """A transaction that this node has promised to commit if told so."""

    coordinator: str
    changes: tuple[Change, ...]


class Shard:
    """The records of one node.

    What has been written or promised survives a crash (`to_save`, `restore`); locks follow from the promises. So does
    the memory of what was done and how it ended: a network may deliver a message twice, and the second copy late.
    A copy takes no effect as long as fewer than `deduplication.MEMORY` other writes, or ends of transactions, have come
    between; after that its operation is forgotten, and the copy is taken for new. Promises are never forgotten.

    Under a global index a record's entries are on other nodes. What is to be entered there is noted with the record, at
    once and on the same disk (an outbox), and kept until it is there: so no crash and no lost message in between leaves
    a wrong entry for good.

    Args:
        node: its name.
        owners: says which keys are its own.
        index: "local" or "global".
    """

    def __init__(self, node: str, owners: Partitioner, index: str = "local") -> None:
        self._node = node
        self._owners = owners
        self._fingerprint = fingerprint(owners.nodes)
        self._global = index == "global"
        self.values: dict[int | str, Any] = {}
        self.versions = 0  # how many records were written here
        # (value, key of a record) -> the version of the record that decided, whether the record has the value
        self.entries: dict[Entry, tuple[int, bool]] = {}
        self.due: dict[Entry, tuple[int, bool]] = {}  # own records', as long as their nodes may not know
        self.entered: dict[int | str, int | str] = {}  # key -> the value under which it was entered last
        self.promises: dict[str, Promise] = {}
        self.answered: dict[str, tuple[bool, Any, int]] = {}  # a write -> ok, value, version
        self.ended: dict[str, bool] = {}  # transaction -> whether it was committed here

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what was saved before a crash."""
        self.versions = saved["versions"]
        for name in _KEPT:
            setattr(self, name, dict(saved[name]))

    def to_save(self) -> dict[str, Any]:
        """Return what must survive a crash."""
        return {"versions": self.versions, **{name: Saved(getattr(self, name)) for name in _KEPT}}

    def due_with(self, version: int) -> list[tuple[Entry, bool]]:
        """Return the entries that a write has made right and that their nodes may not know of yet."""
        return [(entry, has) for entry, (written, has) in self.due.items() if written == version]

    def entry_made(self, entry: Entry, version: int) -> None:
        """Note that an entry is where it belongs, unless a later write has changed it again."""
        if self.due.get(entry, (0, False))[0] == version:
            del self.due[entry]

    def answer(self, sender: str, ask: Ask) -> Answer:
        """Do what is asked; what was done already isn't done again, but answered as before."""
        owner = self._other_owner(ask)
        if owner is not None:
            return Answer(ask.operation, ask.step, ok=False, moved=owner)
        deed = f"{ask.do} {ask.operation}"
        if deed in self.answered:
            ok, value, version = self.answered[deed]
            return Answer(ask.operation, ask.step, ok=ok, value=value, version=version)
        answer: Answer = getattr(self, f"_{ask.do.replace(' ', '_')}")(sender, ask)
        if ask.do in ("put", "add", "index", "unindex"):
            remember(self.answered, deed, (answer.ok, answer.value, answer.version))
        return answer

    def decide(self, coordinator: str, operation: str, *, commit: bool) -> None:
        """Do as the coordinator has decided; hearing it twice does no harm.

        Only the coordinator to which the promise was made can redeem it: a request that was delivered twice may have
        come to two.
        """
        promise = self.promises.get(operation)
        if promise is None:
            remember(self.ended, operation, self.ended.get(operation, commit))
        elif promise["coordinator"] == coordinator:
            del self.promises[operation]
            remember(self.ended, operation, commit)
            if commit:
                self._apply(promise["changes"])

    def locked(self) -> set[int | str]:
        """Return the keys on which a promise is open."""
        return {key for promise in self.promises.values() for key, _ in promise["changes"]}

    def _get(self, _sender: str, ask: Ask) -> Answer:
        """Read, unless a promise is open: it may be committed, and its client told so, before this node hears of it."""
        if ask.key in self.locked():
            return Answer(ask.operation, ask.step, ok=False)
        return Answer(ask.operation, ask.step, ok=True, value=self.values.get(ask.key))  # type: ignore[arg-type]

    def _put(self, _sender: str, ask: Ask) -> Answer:
        if ask.key in self.locked():
            return Answer(ask.operation, ask.step, ok=False)
        before = self.values.get(ask.key)  # type: ignore[arg-type]
        self.values[ask.key] = ask.value  # type: ignore[index]
        self.versions += 1
        if self._global:
            self._enter_anew(ask.key, ask.value)
        return Answer(ask.operation, ask.step, ok=True, value=before, version=self.versions)

    def _enter_anew(self, key: Any, value: Any) -> None:
        """Note that a record is to be found under its new value, and no more under the old one.

        The new entry is written even if the record was entered under this value before: it may be on its way still.
        """
        self.due[value, key] = (self.versions, True)
        old = self.entered.get(key)
        if old is not None and old != value:
            self.due[old, key] = (self.versions, False)
        self.entered[key] = value

    def _find(self, _sender: str, ask: Ask) -> Answer:
        """Local index: which records of this node have the value; and who else there is, if the asker can't know."""
        found = tuple(key for key, value in self.values.items() if value == ask.key)
        everyone = () if ask.known == self._fingerprint else self._owners.nodes
        return Answer(ask.operation, ask.step, ok=True, value=found, nodes=everyone)

    def _look_up(self, _sender: str, ask: Ask) -> Answer:
        """Global index: which records anywhere have the value, as far as the entries here know."""
        found = tuple(key for (value, key), (_, has) in self.entries.items() if has and value == ask.key)
        return Answer(ask.operation, ask.step, ok=True, value=found)

    def _index(self, _sender: str, ask: Ask) -> Answer:
        return self._enter(ask, has=True)

    def _unindex(self, _sender: str, ask: Ask) -> Answer:
        return self._enter(ask, has=False)

    def _enter(self, ask: Ask, *, has: bool) -> Answer:
        """Note whether a record has a value, unless a later version of the record has been here before."""
        entry: Any = (ask.key, ask.value)
        version, _ = self.entries.get(entry, (0, False))
        if ask.version > version:
            self.entries[entry] = (ask.version, has)
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
