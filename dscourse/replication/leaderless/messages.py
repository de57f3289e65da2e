"""What nodes of a leaderless store send to each other, and what they keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dscourse.replication.merging.registers import NEVER, Stamp, tie_break


@dataclass(frozen=True)
class Version:
    """What was written of a key, or that it was deleted.

    Attributes:
        value: what was written; None if the key was deleted.
        stamp: when and by whom; the larger one wins.
        deleted: whether this is a tombstone. Without it, a replica that missed the deletion would bring the value back.
    """

    value: Any
    stamp: Stamp
    deleted: bool = False

    def newer_than(self, other: Version) -> bool:
        """Whether it wins against another; between equal stamps the values decide, on all replicas alike."""
        if self.stamp != other.stamp:
            return self.stamp > other.stamp
        return (self.deleted, tie_break(self.value)) > (other.deleted, tie_break(other.value))


ABSENT = Version(None, NEVER)


@dataclass(frozen=True)
class Store:
    """Keep this version, and say so unless ``request`` is empty. ``home``: who should, if you stand in."""

    request: str
    key: Any
    version: Version
    home: str = ""


@dataclass(frozen=True)
class Stored:
    """I keep that version, or a newer one, on my disk."""

    request: str
    key: Any
    version: Version


@dataclass(frozen=True)
class Fetch:
    """What do you have?"""

    request: str
    key: Any


@dataclass(frozen=True)
class Found:
    """This is what I have."""

    request: str
    version: Version


@dataclass(frozen=True)
class Digests:
    """Nodes of a Merkle tree: (path, digest). Which of them are different from yours?"""

    digests: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Leaves:
    """All that I have in some leaves of the tree: (key, version). ``wanted``: send me what you have there."""

    paths: tuple[str, ...]
    items: tuple[tuple[Any, Version], ...]
    wanted: bool
