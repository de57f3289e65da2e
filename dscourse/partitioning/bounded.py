"""Consistent hashing with bounded loads: a full node passes the key on.

V. Mirrokni, M. Thorup, M. Zadimoghaddam, *Consistent hashing with bounded loads*, SODA 2018 (arXiv:1608.01350).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import real, whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes, Key, hash_key, hash_keys, plain_key
from dscourse.partitioning.partitioner import HashPartitioner
from dscourse.partitioning.ring import MOST_POINTS, RingPoints


@dataclass(frozen=True)
class BoundedPoints:
    """A ring's points, and for each node the exact fraction (1 + ε)·weight/total weight as (numerator, denominator).

    Exact, because a float that is a hair too big would round up to one key too many.
    """

    points: RingPoints
    slack: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, fleet: Fleet, virtual_nodes: int, epsilon: float) -> BoundedPoints:
        """Make the ring and the fractions."""
        weights = [Fraction(str(weight)) for weight in fleet.weights]
        unit = (1 + Fraction(str(epsilon))) / sum(weights)
        slack = [unit * weight for weight in weights]
        return cls(RingPoints.of(fleet, virtual_nodes), tuple(share.as_integer_ratio() for share in slack))

    def bounds(self, placed: int) -> list[int]:
        """Return how many of `placed` keys each node may hold, rounded up."""
        return [-(-numerator * placed // denominator) for numerator, denominator in self.slack]


class BoundedLoadRing(HashPartitioner[BoundedPoints]):
    """A ring on which no node ever holds more than ⌈(1 + ε)·m/n⌉ of m placed keys.

    A key goes to the first node clockwise that has room. `owners(keys)` places exactly these keys, from empty, in
    order, and leaves the running load alone. `place` and `release` keep a running load, one key (or request) at
    a time; the same key may be placed several times. A release makes m smaller and so every bound tighter: nodes
    above it pass the key they got last on to the next node with room, and so it is when nodes come and go.

    Args:
        nodes: names.
        epsilon: ε > 0, the slack; taken as the decimal you write.
        virtual_nodes: points on the ring of a node of weight 1.
        weights: {node: weight}; a node's bound is in proportion, ⌈(1 + ε)·m·weight/total weight⌉.
    """

    def __init__(
        self,
        nodes: Iterable[str],
        epsilon: float = 0.25,
        virtual_nodes: int = 128,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._epsilon = real("epsilon", epsilon, above=0.0)
        self._virtual_nodes = whole("virtual_nodes", virtual_nodes, at_least=1, at_most=MOST_POINTS)
        self._running = _RunningLoad()
        super().__init__(nodes, weights)

    @property
    def epsilon(self) -> float:
        """The slack ε."""
        return self._epsilon

    @property
    def table_bytes(self) -> int:
        """The ring, and a counter of 8 bytes for each node."""
        return self._table.points.bytes + 8 * len(self.nodes)

    @property
    def loads(self) -> dict[str, int]:
        """How many placements each node holds at the moment."""
        return {node: self._running.load(node) for node in self.nodes}

    @property
    def moves(self) -> int:
        """How often a placement had to move to another node since the beginning."""
        return self._running.moves

    def capacity(self, node: str, placed: int | None = None) -> int:
        """Return the bound of a node: ⌈(1 + ε)·m·weight/total weight⌉.

        Args:
            node: which one.
            placed: m, the number of keys placed in all; the running number if None.
        """
        place = self._fleet.place(node)
        count = self._running.total if placed is None else whole("placed", placed, at_least=0)
        return self._table.bounds(count)[place]

    def owner_indices(self, keys: Any) -> npt.NDArray[np.intp]:
        """Return the owners of exactly these keys, placed from empty in order, as places in `nodes`."""
        return self._indices_of(hash_keys(keys))

    def place(self, key: Key) -> str:
        """Place a key (or a request for it) on the first node clockwise that has room, and return that node."""
        hashed = hash_key(key)
        node = self._first_with_room(hashed, self._table.bounds(self._running.total + 1))
        self._running.put(plain_key(key), hashed, node)
        return node

    def release(self, key: Key) -> str:
        """Take back the latest placement of a key, and return the node that held it.

        Raises:
            LookupError: if the key isn't placed.
        """
        node = self._running.take_back(plain_key(key))
        self._push_down()
        return node

    def _install(self, fleet: Fleet) -> None:
        super()._install(fleet)
        self._push_down()

    def _push_down(self) -> None:
        """Move placements clockwise until no node is above its bound."""
        bounds = self._table.bounds(self._running.total)
        for placement, hashed in self._running.evict(dict(zip(self.nodes, bounds, strict=True))):
            self._running.move(placement, self._first_with_room(hashed, bounds))

    def _first_with_room(self, hashed: int, bounds: list[int]) -> str:
        return next(
            self.nodes[index]
            for index in self._preference(hashed)
            if self._running.load(self.nodes[index]) < bounds[index]
        )

    def _make_table(self, fleet: Fleet) -> BoundedPoints:
        return BoundedPoints.of(fleet, self._virtual_nodes, self._epsilon)

    def _index_of(self, hashed: int) -> int:
        return self._table.points.owner_of(hashed)

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        owner_of, room = self._table.points.owner_list, self._table.bounds(len(hashed))
        onward = [*range(1, len(owner_of) - 1), 0]  # from a full point to the next that may have room
        placed = []
        for start in self._table.points.next_points(hashed).tolist():
            point = start
            while not room[owner_of[point]]:
                point = onward[point]
            if point != start:
                onward[start] = point  # a node that is full stays full: remember the way past it
            room[owner_of[point]] -= 1
            placed.append(owner_of[point])
        return np.array(placed, dtype=np.intp)

    def _preference(self, hashed: int) -> Iterator[int]:
        return self._table.points.owners_from(hashed)


class _RunningLoad:
    """Which node holds which placement; each placement has a number, the latest the highest."""

    def __init__(self) -> None:
        self.held: dict[str, dict[int, None]] = {}  # node -> its placements, in the order in which they came
        self.where: dict[int, tuple[Key, int, str]] = {}  # placement -> key, hash, node
        self.of_key: dict[tuple[str, Key], list[int]] = {}
        self.moves = 0
        self._next = 0

    @property
    def total(self) -> int:
        return len(self.where)

    def load(self, node: str) -> int:
        return len(self.held.get(node, ()))

    def put(self, key: Key, hashed: int, node: str) -> None:
        number, self._next = self._next, self._next + 1
        self.held.setdefault(node, {})[number] = None
        self.where[number] = (key, hashed, node)
        self.of_key.setdefault((type(key).__name__, key), []).append(number)

    def take_back(self, key: Key) -> str:
        numbers = self.of_key.get((type(key).__name__, key))
        if not numbers:
            raise LookupError(f"The key {key!r} isn't placed on any node")
        number = numbers.pop()
        if not numbers:
            del self.of_key[type(key).__name__, key]
        node = self.where.pop(number)[2]
        del self.held[node][number]
        return node

    def evict(self, bounds: dict[str, int]) -> list[tuple[int, int]]:
        """Take the latest placements off nodes above their bound or gone; return (number, hash), oldest first."""
        numbers: list[int] = []
        for node, held in self.held.items():
            while len(held) > bounds.get(node, 0):
                numbers.append(held.popitem()[0])
        self.held = {node: held for node, held in self.held.items() if held}
        return [(number, self.where[number][1]) for number in sorted(numbers)]

    def move(self, number: int, node: str) -> None:
        key, hashed, _ = self.where[number]
        self.where[number] = (key, hashed, node)
        self.held.setdefault(node, {})[number] = None
        self.moves += 1
