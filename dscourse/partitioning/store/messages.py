"""What the machines of a partitioned store say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Change: TypeAlias = tuple[int | str, int]  # a key, and what is to be added to its value


@dataclass(frozen=True)
class Ask:
    """Do something with your part of the data.

    Attributes:
        operation: the whole operation that this is part of; unique in a run.
        step: of the operation; answers to an earlier step are out of date.
        do: "get", "put", "find", "look up", "index", "unindex", "add", "prepare", "commit", "abort".
        key: the key, the term of a search, or None for a transaction.
        value: what to write, or the key to be indexed.
        changes: of a transaction, those on this node.
        version: of the record whose entry is to be written or taken away.
        known: a search: a number that stands for the nodes that the asker knows of (`fingerprint`).
    """

    operation: str
    step: int
    do: str
    key: int | str | None = None
    value: int | str | None = None
    changes: tuple[Change, ...] = ()
    version: int = 0
    known: int = 0


@dataclass(frozen=True)
class Answer:
    """What came of an `Ask`.

    Attributes:
        operation: as asked.
        step: as asked.
        ok: whether it was done; for "prepare", the vote.
        value: what was found.
        moved: the node that owns the key, if the one that was asked doesn't.
        version: of the record that was written; later writes on its node have higher ones.
        nodes: all nodes that hold data, if the asker of a search knows of others.
    """

    operation: str
    step: int
    ok: bool
    value: int | str | tuple[int | str, ...] | None = None
    moved: str | None = None
    version: int = 0
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pass:
    """Carry out an operation for me: to a proxy, or to any node of the store."""

    operation: str
    what: tuple[object, ...]


@dataclass(frozen=True)
class Result:
    """What came of a `Pass`."""

    operation: str
    outcome: str  # "ok" or "fail"
    value: int | str | tuple[int | str, ...] | None = None


@dataclass(frozen=True)
class Outcome:
    """How did this transaction end? I have promised to do as you decide, and have heard no more."""

    operation: str


@dataclass(frozen=True)
class Decided:
    """The answer to `Outcome`."""

    operation: str
    commit: bool
