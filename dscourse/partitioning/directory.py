"""A directory: many fixed slots, and a table that says which node holds each.

Redis Cluster does so with 16384 slots (Redis Cluster specification, "Key distribution model"), Couchbase with 1024
vBuckets, Riak with a ring of 64 partitions by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heapreplace
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes, Key, hash_key, key_column, plain_key
from dscourse.partitioning.partitioner import HashPartitioner, walk_table

Slots = npt.NDArray[np.int32]
_MOST_SLOTS = 1 << 24


class DirectoryPartitioner(HashPartitioner[Slots]):
    """Hashes a key to one of many slots; a table says which node holds the slot.

    The number of slots never changes, so a key's slot never does: only whole slots move, and which ones is for the
    table to decide. A newcomer is given its fair share from those that hold most, and nothing else moves. Single keys
    can be pinned to a node. The price: every client needs the table, or must ask whoever has it.

    Args:
        nodes: names.
        slots: how many, at least as many as nodes; more make finer shares.
        weights: {node: weight}; 1 where nothing is said. A node whose share is far below one slot begins with none, and
            waits until one is assigned to it.
    """

    def __init__(
        self, nodes: Iterable[str], slots: int = 16384, weights: Mapping[str, float] | None = None
    ) -> None:
        self._slots = whole("slots", slots, at_least=1, at_most=_MOST_SLOTS)
        self._pins: dict[Key, str] = {}
        self._table: Slots = np.empty(0, dtype=np.int32)
        self._fleet = Fleet((), ())
        super().__init__(nodes, weights)

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self._slots

    @property
    def pins(self) -> dict[Key, str]:
        """Keys that have a node of their own, whatever their slot."""
        return dict(self._pins)

    @property
    def table_bytes(self) -> int:
        """4 bytes for each slot, and 12 for each pinned key (its hash and its node)."""
        return self._table.nbytes + 12 * len(self._pins)

    def slot(self, key: Key) -> int:
        """Return the slot of a key."""
        return hash_key(key) % self._slots

    def assign(self, slot: int, node: str) -> None:
        """Hand a slot to a node.

        Raises:
            LookupError: if there is no such node.
            ValueError: if there is no such slot.
        """
        place = self._fleet.place(node)
        self._table[whole("slot", slot, at_least=0, at_most=self._slots - 1)] = place

    def pin(self, key: Key, node: str) -> None:
        """Give one key to a node, whatever its slot: for the customer who is as big as all the others."""
        self._fleet.place(node)
        self._pins[plain_key(key)] = node

    def owner(self, key: Key) -> str:
        """Return the node that owns a key: the one it is pinned to, or that of its slot."""
        if self._pins:
            pinned = self._pins.get(plain_key(key))
            if pinned is not None:
                return pinned
        return super().owner(key)

    def owner_indices(self, keys: Any) -> npt.NDArray[np.intp]:
        """Return the owners as places in `nodes`."""
        indices = super().owner_indices(keys)
        if self._pins:
            column = key_column(keys)
            for place, key in enumerate(column.tolist() if isinstance(column, np.ndarray) else column):
                if key in self._pins:
                    indices[place] = self._fleet.place(self._pins[key])
        return indices

    def remove_node(self, node: str) -> None:
        """Let a node leave: its slots go to those that hold least for their weight, pinned keys back to their slot.

        Raises:
            LookupError: if it isn't there.
            ValueError: if it is the last one.
        """
        super().remove_node(node)
        self._pins = {key: pinned for key, pinned in self._pins.items() if pinned != node}

    def _preferred_nodes(self, key: Key) -> Iterator[str]:
        pinned = self._pins.get(plain_key(key))
        yield from () if pinned is None else (pinned,)
        yield from super()._preferred_nodes(key)

    def _make_table(self, fleet: Fleet) -> Slots:
        if len(fleet.nodes) > self._slots:
            raise ValueError(f"{len(fleet.nodes)} nodes need as many slots, but there are {self._slots}")
        before, fair = self._fleet.nodes, _fair_slots(fleet, self._slots)
        if not before:
            blocks: Slots = np.repeat(np.arange(len(fair), dtype=np.int32), fair)
            return blocks
        place_now = {node: place for place, node in enumerate(fleet.nodes)}
        table = np.array([place_now.get(node, -1) for node in before], dtype=np.int32)[self._table]
        if len(fair) > len(before):
            return _give_to_newcomer(table, fair)
        return _fill_free_slots(table, fair)

    def _index_of(self, hashed: int) -> int:
        return int(self._table[hashed % self._slots])

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        slots = (hashed % np.uint64(self._slots)).astype(np.intp)
        return self._table[slots].astype(np.intp, copy=False)

    def _preference(self, hashed: int) -> Iterator[int]:
        return walk_table(self._table, hashed % self._slots, len(self.nodes))


def _fair_slots(fleet: Fleet, slots: int) -> list[int]:
    """Return how many slots each node should hold: in proportion to its weight, the largest remainders rounded up."""
    ideal = [share * slots for share in fleet.shares().values()]
    fair = [int(number) for number in ideal]
    by_remainder = sorted(range(len(ideal)), key=lambda place: fair[place] - ideal[place])
    for place in by_remainder[: slots - sum(fair)]:
        fair[place] += 1
    return fair


def _give_to_newcomer(table: Slots, fair: list[int]) -> Slots:
    """Hand the last node its fair share, from those that are most above theirs."""
    newcomer = len(fair) - 1
    held = np.bincount(table, minlength=len(fair))
    gives = _shared_out([int(held[place]) - fair[place] for place in range(newcomer)], fair[newcomer])
    for place, count in enumerate(gives):
        table[np.flatnonzero(table == place)[held[place] - count :]] = newcomer
    return table


def _fill_free_slots(table: Slots, fair: list[int]) -> Slots:
    """Hand the slots that nobody holds (−1) to those that are most below their fair share."""
    free = np.flatnonzero(table < 0)
    held = np.bincount(table[table >= 0], minlength=len(fair))
    takes = _shared_out([fair[place] - int(held[place]) for place in range(len(fair))], len(free))
    table[free] = np.repeat(np.arange(len(fair), dtype=np.int32), takes)
    return table


def _shared_out(need: list[int], count: int) -> list[int]:
    """Return how many of `count` things each gets, if each thing goes to the one that needs most at that time."""
    gets = [0] * len(need)
    queue = [(-wanted, place) for place, wanted in enumerate(need)]
    heapify(queue)
    for _ in range(count):
        wanted, place = queue[0]
        heapreplace(queue, (wanted + 1, place))
        gets[place] += 1
    return gets
