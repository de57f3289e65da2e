"""What the partitioners that go by the hash of a key have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dscourse.partitioning.keys import Hashes, Key, hash_key, hash_keys
from dscourse.partitioning.members import Members
from dscourse.partitioning.replication_order import choose_replicas

Table = TypeVar("Table")


class HashPartitioner(ABC, Generic[Table]):
    """A partitioner whose look-up table follows from its members alone.

    A subclass says how to make the table and how to read it. A change first makes the new table and only then puts it
    in place, so that a change that is refused changes nothing.
    """

    takes_weights = True

    def __init__(self, nodes: Iterable[str], weights: Mapping[str, float] | None = None) -> None:
        self._install(Members.of(nodes, weights))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes, in order."""
        return self._members.nodes

    @property
    def weights(self) -> dict[str, float]:
        """How much each node is meant to carry, in proportion."""
        return dict(zip(self._members.nodes, self._members.weights, strict=True))

    @property
    @abstractmethod
    def table_bytes(self) -> int:
        """Size of what has to be known for a look-up besides the names, in bytes."""

    def owner(self, key: Key) -> str:
        """Return the node that owns a key.

        Raises:
            TypeError: if it is no key (a whole number, a text or bytes).
        """
        return self._members.nodes[self._index_of(hash_key(key))]

    def owners(self, keys: Any) -> npt.NDArray[np.str_]:
        """Return the owners of an array of keys, the same that `owner` gives for each.

        Raises:
            TypeError: keys of another kind, or of more than one.
        """
        return self._names[self.owner_indices(keys)]

    def owner_indices(self, keys: Any) -> npt.NDArray[np.intp]:
        """Return the owners as places in `nodes`, for counting."""
        return self._indices_of(hash_keys(keys))

    def add_node(self, node: str, weight: float = 1.0) -> None:
        """Let a node join.

        Raises:
            ValueError: if it is a member already, or the weight isn't a number above 0 (or isn't 1 where the
                algorithm has no weights).
        """
        self._install(self._members.plus(node, weight))

    def remove_node(self, node: str) -> None:
        """Let a node leave.

        Raises:
            LookupError: if it isn't a member.
            ValueError: if it is the last one.
        """
        self._install(self._members.minus(node))

    def replicas(self, key: Key, count: int, racks: Mapping[str, str] | None = None) -> list[str]:
        """Return distinct nodes to hold copies of a key, the owner first.

        Args:
            key: whose copies.
            count: of nodes.
            racks: {node: rack}; if given, no two copies stand in one rack.

        Raises:
            ValueError: more copies than nodes or racks.
            LookupError: if a node has no rack.
        """
        return choose_replicas(self._preferred_nodes(key), self.nodes, count, racks)

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self.nodes)} nodes"

    def _preferred_nodes(self, key: Key) -> Iterator[str]:
        return (self.nodes[index] for index in self._preference(hash_key(key)))

    def _install(self, members: Members) -> None:
        if not self.takes_weights and any(weight != 1.0 for weight in members.weights):
            raise ValueError(f"{type(self).__name__} has no weights: every node counts 1")
        table = self._make_table(members)
        self._members, self._table, self._names = members, table, np.array(members.nodes)

    @abstractmethod
    def _make_table(self, members: Members) -> Table:
        """Return what a look-up needs."""

    @abstractmethod
    def _index_of(self, hashed: int) -> int:
        """Return the place of the owner of a hash."""

    @abstractmethod
    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        """Return the places of the owners of many hashes."""

    @abstractmethod
    def _preference(self, hashed: int) -> Iterator[int]:
        """Return all places in a key's order of preference, the owner first; some may come again."""


def successors(first: int, count: int) -> Iterator[int]:
    """Return the places 0 … count − 1, beginning with `first` and going round."""
    return ((first + step) % count for step in range(count))


def walk_table(table: npt.NDArray[np.int32], slot: int, nodes: int) -> Iterator[int]:
    """Return the places that a table holds from a slot on, going round, each once; then those that it lacks."""
    seen, first = np.unique(np.roll(table, -slot), return_index=True)
    walked = seen[np.argsort(first)].tolist()
    yield from walked
    yield from (place for place in range(nodes) if place not in walked)
