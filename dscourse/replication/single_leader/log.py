"""The log that a leader writes and its followers copy, and the messages that carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Position: TypeAlias = tuple[int, int]  # epoch in which an entry was written, and its index from 1
START: Position = (0, 0)


@dataclass(frozen=True)
class Entry:
    """One write.

    Attributes:
        epoch: of the leader that wrote it: 1, and one more with every failover.
        key: what was written.
        value: the new value.
        request: which request it was, so that one that is sent twice is written once.
    """

    epoch: int
    key: Any
    value: Any
    request: str

    def __deepcopy__(self, _: dict[int, Any]) -> Entry:
        return self  # nobody can change it, and logs of them are saved with every write


@dataclass(frozen=True)
class Disk:
    """What a replica keeps through a crash.

    Attributes:
        epoch: the latest that it knows.
        leader: who leads it, as far as it knows.
        followers: if it leads itself: whose acknowledgements count.
        log: all entries it has.
    """

    epoch: int
    leader: str | None
    followers: tuple[str, ...]
    log: tuple[Entry, ...]

    def __deepcopy__(self, _: dict[int, Any]) -> Disk:
        return self  # see `Entry`


@dataclass(frozen=True)
class Append:
    """A leader hands on what it has written.

    Attributes:
        epoch: of the leader.
        after: position of the entry before the first of these; what came before must be the same.
        entries: the next ones; none, to ask how far a follower is.
    """

    epoch: int
    after: Position
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Received:
    """A follower says how far its log is that of the leader.

    Attributes:
        epoch: the latest that it knows; a leader of an earlier one has been replaced.
        index: it has everything up to here on its disk; or, if something is missing, may have.
        complete: whether nothing was missing before the entries that it was sent.
    """

    epoch: int
    index: int
    complete: bool


@dataclass(frozen=True)
class Inspect:
    """The operator asks how things stand. With a new epoch, the leader of the old one may lead no more."""

    epoch: int


@dataclass(frozen=True)
class Report:
    """How things stand at a replica.

    Attributes:
        epoch: the latest that it knows.
        leading: whether it leads that epoch, and is ready to.
        last: position of its last entry: what it has received.
        applied: how many entries of it can be read there.
        acknowledged: if it leads: up to which index clients have been told that their writes are safe.
    """

    epoch: int
    leading: bool
    last: Position
    applied: int
    acknowledged: int


@dataclass(frozen=True)
class Promote:
    """The operator makes a replica the leader of an epoch.

    Attributes:
        epoch: the new one.
        followers: whose acknowledgements count; others may copy the log, too.
    """

    epoch: int
    followers: tuple[str, ...]


def last_position(log: Sequence[Entry]) -> Position:
    """Where a log ends."""
    return position_at(log, len(log))


def position_at(log: Sequence[Entry], index: int) -> Position:
    """The position of the entry at an index from 1; `START` for 0."""
    return (log[index - 1].epoch, index) if index else START


def holds_position(log: Sequence[Entry], position: Position) -> bool:
    """Whether a log has the entry written at a position, and so everything that was before it there."""
    return position[1] <= len(log) and position_at(log, position[1]) == position


def copies_needed(mode: str, followers: int, acknowledgements: int) -> int:
    """How many of the followers must have a write on their disks before the client is told that it is safe.

    Sync waits for all of them, and for no fewer than ``acknowledgements``: a leader left alone writes nothing.
    """
    return {"sync": max(followers, acknowledgements), "semi-sync": acknowledgements, "async": 0}[mode]
