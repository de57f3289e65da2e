"""Consistent hashing: keys and nodes on one ring, each key goes to the next node clockwise.

D. Karger and others, *Consistent hashing and random trees*, STOC 1997; virtual nodes as in I. Stoica and others,
*Chord*, SIGCOMM 2001, and G. DeCandia and others, *Dynamo*, SOSP 2007.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from dscourse.arguments import whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import GAMMA, Hashes, Key, hash_key, mix_all
from dscourse.partitioning.partitioner import HashPartitioner

MOST_POINTS = 1 << 24
CIRCUMFERENCE = float(1 << 64)


@dataclass(frozen=True)
class RingPoints:
    """All points of a ring, clockwise, and the node that each belongs to.

    Attributes:
        positions: sorted, 0 … 2⁶⁴ − 1.
        owners: place of the owning node, one for each point.
        position_list: the same as Python numbers, which are faster to search one key at a time.
        owner_list: likewise, and the owner of the first point once more at the end: beyond the last point the ring
            goes on with the first.
    """

    positions: Hashes
    owners: npt.NDArray[np.int32]
    position_list: list[int]
    owner_list: list[int]

    @classmethod
    def of(cls, fleet: Fleet, virtual_nodes: int) -> RingPoints:
        """Put `virtual_nodes` × weight points (at least one) of each node on the ring.

        Where the points of a node lie depends on its name alone, so the others' points stay when it comes or goes.
        """
        counts = [max(1, round(virtual_nodes * weight)) for weight in fleet.weights]
        if sum(counts) > MOST_POINTS:
            raise ValueError(
                f"That makes {sum(counts)} points on the ring; at most {MOST_POINTS} are allowed. "
                "Take fewer virtual nodes or smaller weights: only their proportion matters."
            )
        scattered = np.concatenate(
            [points_of(node, count) for node, count in zip(fleet.nodes, counts, strict=True)]
        )
        order = np.argsort(scattered, kind="stable")
        positions = scattered[order]
        owners = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[order]
        return cls(positions, owners, positions.tolist(), [*owners.tolist(), int(owners[0])])

    def __deepcopy__(self, _: dict[int, Any]) -> RingPoints:
        """Itself: points are never changed, only replaced by others, so the copy of a ring may share them."""
        return self

    def owner_of(self, hashed: int) -> int:
        """Return the owner of the first point at a hash or clockwise of it."""
        return self.owner_list[bisect_left(self.position_list, hashed)]

    def next_points(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        """Return for each hash the number of the first point at it or clockwise of it."""
        points = np.searchsorted(self.positions, hashed)
        points[points == len(self.positions)] = 0
        return points

    def owners_from(self, hashed: int) -> Iterator[int]:
        """Return the owners of all points, clockwise, beginning at a hash."""
        point = bisect_left(self.position_list, hashed)
        yield from self.owner_list[point:]
        yield from self.owner_list[:point]

    def arcs(self) -> npt.NDArray[np.float64]:
        """Return the length of the arc before each point, which it owns, as a fraction of the ring."""
        if len(self.positions) == 1:
            return np.ones(1)
        gaps = np.diff(self.positions, prepend=self.positions[-1:])  # unsigned: it wraps round by itself
        return gaps / CIRCUMFERENCE

    @property
    def bytes(self) -> int:
        """Size of positions and owners as arrays."""
        return self.positions.nbytes + self.owners.nbytes


def points_of(node: str, count: int) -> Hashes:
    """Return where the first `count` points of a node lie: a SplitMix64 stream that begins at the hash of its name.

    Not XXH3 of the name with the numbers as seeds: for names of up to three bytes that only flips bits of name and
    seed against each other before mixing, so that nodes "n0" and "n1" would have most of their points in common.
    """
    start = np.uint64(xxh3_64_intdigest(node.encode("utf-8", "surrogatepass")))
    return mix_all(start + np.arange(count, dtype=np.uint64) * np.uint64(GAMMA))


class ConsistentHashRing(HashPartitioner[RingPoints]):
    """A ring of hashes on which every node has many points; the next point clockwise owns a key.

    A newcomer takes keys only from the points that follow its own, and a node that leaves gives its keys only to
    the points that follow: nothing else moves. With V points a node the standard error of its share is near
    1/√V, so balance costs memory.

    Args:
        nodes: names.
        virtual_nodes: V, points of a node of weight 1.
        weights: {node: weight}; a node of weight 2 has 2·V points. 1 where nothing is said.

    Example:
        >>> ring = ConsistentHashRing(["n0", "n1", "n2"])
        >>> ring.owner("user:42")
        'n0'
    """

    def __init__(
        self, nodes: Iterable[str], virtual_nodes: int = 128, weights: Mapping[str, float] | None = None
    ) -> None:
        self._virtual_nodes = whole("virtual_nodes", virtual_nodes, at_least=1, at_most=MOST_POINTS)
        super().__init__(nodes, weights)

    @property
    def virtual_nodes(self) -> int:
        """Points of a node of weight 1."""
        return self._virtual_nodes

    @property
    def points(self) -> RingPoints:
        """The points of the ring, for pictures and measurements."""
        return self._table

    @property
    def table_bytes(self) -> int:
        """A position of 8 bytes and an owner of 4 for every point."""
        return self._table.bytes

    def owner(self, key: Key) -> str:
        """Return the node that owns a key: that of the next point clockwise.

        Raises:
            TypeError: if it is no key (a whole number, a text or bytes).
        """
        return self._fleet.nodes[self._table.owner_of(hash_key(key))]

    def shares(self) -> dict[str, float]:
        """Return the exact fraction of the ring that each node owns: the sum of its arcs."""
        owned = np.bincount(self._table.owners, weights=self._table.arcs(), minlength=len(self.nodes))
        return dict(zip(self.nodes, owned.tolist(), strict=True))

    def _make_table(self, fleet: Fleet) -> RingPoints:
        return RingPoints.of(fleet, self._virtual_nodes)

    def _index_of(self, hashed: int) -> int:
        return self._table.owner_of(hashed)

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        return self._table.owners[self._table.next_points(hashed)].astype(np.intp)

    def _preference(self, hashed: int) -> Iterator[int]:
        return self._table.owners_from(hashed)
