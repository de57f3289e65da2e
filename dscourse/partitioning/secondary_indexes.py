"""Finding records by something else than their key: an index beside each partition, or an index partitioned by itself.

The two kinds as M. Kleppmann tells them apart (*Designing Data-Intensive Applications*, 2017, chapter 6): partitioned
by document, and partitioned by term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dscourse.partitioning.keys import Key, plain_key
from dscourse.partitioning.protocol import Partitioner


@dataclass(frozen=True)
class Found:
    """The answer to a query by term.

    Attributes:
        keys: of the records with that term, each once.
        asked: the nodes that had to be asked.
    """

    keys: tuple[Key, ...]
    asked: tuple[str, ...]


class SecondaryIndex(Protocol):
    """An index over one attribute of the records, their term."""

    def put(self, key: Key, term: Key) -> tuple[str, ...]:
        """Write a record with its term, and return the nodes that had to write something."""

    def find(self, term: Key) -> Found:
        """Return the keys of all records with a term."""


class LocalIndex:
    """Every node indexes the records that it holds: a write stays on one node, a query has to ask them all.

    Args:
        partitioner: says which node holds a record.
    """

    def __init__(self, partitioner: Partitioner) -> None:
        self._partitioner = _checked(partitioner)
        self._records: dict[Key, Key] = {}

    def put(self, key: Key, term: Key) -> tuple[str, ...]:
        """Write a record and its index entry, on one node."""
        record, new = plain_key(key), plain_key(term)
        node = self._partitioner.owner(record)
        self._records[record] = new
        return (node,)

    def find(self, term: Key) -> Found:
        """Ask every node, since any may hold a record with the term (scatter and gather)."""
        wanted = plain_key(term)
        keys = tuple(key for key, held in self._records.items() if held == wanted)
        return Found(keys, self._partitioner.nodes)


class GlobalIndex:
    """The index is partitioned by term: a query asks one node, a write may touch three.

    A write touches the node of the record, the node of the new term, and the node of the old term if it has changed.
    Databases often update such an index later, since doing it at once takes a transaction across nodes.

    Args:
        partitioner: says which node holds a record, and which holds the entries of a term.
    """

    def __init__(self, partitioner: Partitioner) -> None:
        self._partitioner = _checked(partitioner)
        self._records: dict[Key, Key] = {}
        self._entries: dict[Key, dict[Key, None]] = {}

    def put(self, key: Key, term: Key) -> tuple[str, ...]:
        """Write a record, take it off its old term's entries and put it on its new term's."""
        record, new = plain_key(key), plain_key(term)
        old = self._records.get(record)
        terms = [] if old == new else [new] if old is None else [old, new]
        touched = [
            self._partitioner.owner(name) for name in (record, *terms)
        ]  # may refuse: before anything changes
        if terms:
            if old is not None:
                del self._entries[old][record]
            self._entries.setdefault(new, {})[record] = None
        self._records[record] = new
        return tuple(dict.fromkeys(touched))

    def find(self, term: Key) -> Found:
        """Ask the one node that holds the entries of the term."""
        wanted = plain_key(term)
        keys = tuple(self._entries.get(wanted, {}))
        return Found(keys, (self._partitioner.owner(wanted),))


def _checked(partitioner: object) -> Partitioner:
    if not isinstance(partitioner, Partitioner):
        raise TypeError(f"An index needs a partitioner, such as a ConsistentHashRing; got {partitioner!r}")
    return partitioner
