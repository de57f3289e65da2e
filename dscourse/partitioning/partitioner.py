"""What every partitioner can do, and what those that go by the hash of a key have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from dscourse.arguments import whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes, Key, hash_key, hash_keys

Table = TypeVar("Table")


@runtime_checkable
class Partitioner(Protocol):
    """Says which node owns a key.

    All of them answer the same questions, so you can put one in the place of another and compare. A refused call
    (a duplicate node, an unknown one …) leaves a partitioner as it was.
    """

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes, in the order that matters to this partitioner."""

    @property
    def weights(self) -> dict[str, float]:
        """How much each node is meant to carry, in proportion; 1.0 unless said otherwise."""

    @property
    def table_bytes(self) -> int:
        """Size of what has to be known for a look-up besides the names, in bytes, stored as plain arrays."""

    def owner(self, key: Key) -> str:
        """Return the node that owns a key."""

    def owners(self, keys: Any) -> npt.NDArray[np.str_]:
        """Return the owners of an array of keys of one kind, in the same order."""

    def add_node(self, node: str, weight: float = 1.0) -> None:
        """Let a node join."""

    def remove_node(self, node: str) -> None:
        """Let a node leave; its keys go to others."""

    def replicas(self, key: Key, count: int, racks: Mapping[str, str] | None = None) -> list[str]:
        """Return `count` distinct nodes to hold a key, the owner first; on distinct racks if `racks` is given."""


class HashPartitioner(ABC, Generic[Table]):
    """A partitioner whose look-up table follows from its fleet alone.

    A subclass says how to make the table and how to read it. A change first makes the new table and only then puts it
    in place, so that a change that is refused changes nothing.
    """

    takes_weights = True

    def __init__(self, nodes: Iterable[str], weights: Mapping[str, float] | None = None) -> None:
        self._install(Fleet.of(nodes, weights))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes, in order."""
        return self._fleet.nodes

    @property
    def weights(self) -> dict[str, float]:
        """How much each node is meant to carry, in proportion."""
        return dict(zip(self._fleet.nodes, self._fleet.weights, strict=True))

    @property
    @abstractmethod
    def table_bytes(self) -> int:
        """Size of what has to be known for a look-up besides the names, in bytes."""

    def owner(self, key: Key) -> str:
        """Return the node that owns a key.

        Raises:
            TypeError: if it is no key (a whole number, a text or bytes).
        """
        return self._fleet.nodes[self._index_of(hash_key(key))]

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
            ValueError: if it is there already, or the weight isn't a number above 0 (or isn't 1 where the
                algorithm has no weights).
        """
        self._install(self._fleet.plus(node, weight))

    def remove_node(self, node: str) -> None:
        """Let a node leave.

        Raises:
            LookupError: if it isn't there.
            ValueError: if it is the last one.
        """
        self._install(self._fleet.minus(node))

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

    def _install(self, fleet: Fleet) -> None:
        if not self.takes_weights and any(weight != 1.0 for weight in fleet.weights):
            raise ValueError(f"{type(self).__name__} has no weights: every node counts 1")
        table = self._make_table(fleet)
        self._fleet, self._table, self._names = fleet, table, np.array(fleet.nodes)

    @abstractmethod
    def _make_table(self, fleet: Fleet) -> Table:
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


def choose_replicas(
    preference: Iterable[str], nodes: tuple[str, ...], count: int, racks: Mapping[str, str] | None = None
) -> list[str]:
    """Return the first `count` nodes of a key's preference, at most one from each rack if racks are given.

    Args:
        preference: the nodes in the key's order of preference; a node that comes again is passed over.
        nodes: all nodes.
        count: of copies, at least 1.
        racks: {node: rack} for every node, or None if racks don't matter.

    Raises:
        ValueError: more copies than nodes, or than racks.
        LookupError: if a node has no rack.
    """
    wanted = whole("count", count, at_least=1)
    if wanted > len(nodes):
        raise ValueError(f"{wanted} copies need {wanted} nodes, but there are {len(nodes)}")
    rack_of = {node: node for node in nodes} if racks is None else _known(racks, nodes)
    if wanted > len(set(rack_of.values())):
        raise ValueError(
            f"{wanted} copies need {wanted} racks, but the nodes stand in {len(set(rack_of.values()))}"
        )
    chosen: list[str] = []
    taken: set[str] = set()
    for node in preference:
        if rack_of[node] not in taken:
            chosen.append(node)
            taken.add(rack_of[node])
            if len(chosen) == wanted:
                break
    return chosen


def _known(racks: Mapping[str, str], nodes: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(racks, Mapping):
        raise TypeError(f"racks must be a mapping {{node: rack}}, got {racks!r}")
    for node in nodes:
        if node not in racks:
            raise LookupError(f"racks says nothing of node {node!r}: every node needs one, or none does")
    return {node: racks[node] for node in nodes}
