"""Nodes known by their number: hash modulo n, which is the naive way, and jump consistent hash.

J. Lamping, E. Veach, *A fast, minimal memory, consistent hash algorithm*, 2014 (arXiv:1406.2294): no table at all and
minimal movement, but only the last node may leave for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from dscourse.arguments import whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes
from dscourse.partitioning.partitioner import HashPartitioner, successors

_MASK = (1 << 64) - 1
_FACTOR = 2862933555777941757  # of the linear congruential generator in figure 1 of the paper
_MOST_BUCKETS = (1 << 31) - 1


class ModuloPartitioner(HashPartitioner[int]):
    """Key k belongs to node number hash(k) mod n.

    Balanced, without a table, as fast as can be, and right as long as n never changes. A key stays when n becomes
    n + 1 only if its hash leaves the same remainder by both, which one key in n + 1 does. It has no weights.

    Args:
        nodes: names, in order; the order matters.
    """

    takes_weights = False

    def __init__(self, nodes: Iterable[str]) -> None:
        super().__init__(nodes)

    @property
    def table_bytes(self) -> int:
        """Nothing but the number of nodes has to be known."""
        return 8

    def _make_table(self, fleet: Fleet) -> int:
        return len(fleet.nodes)

    def _index_of(self, hashed: int) -> int:
        return hashed % self._table

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        return (hashed % np.uint64(self._table)).astype(np.intp)

    def _preference(self, hashed: int) -> Iterator[int]:
        return successors(self._index_of(hashed), self._table)


def jump_hash(key: int, buckets: int) -> int:
    """Return the bucket of a 64-bit key among `buckets`, as in figure 1 of the paper.

    Think of the buckets as opened one after the other. When number j is opened, a key jumps into it with probability
    1 / (j + 1). Instead of tossing a coin for each j, the loop draws straight where the next jump lands, so it takes
    about ln(buckets) steps.

    Args:
        key: a whole number, taken modulo 2⁶⁴ (the paper's unsigned 64 bits).
        buckets: how many there are, 1 … 2³¹ − 1.

    Returns:
        A number from 0 to buckets − 1.

    Raises:
        TypeError: if one of them isn't a whole number.
        ValueError: if `buckets` is below 1 or above 2³¹ − 1.
    """
    number = whole("key", key, at_least=-(1 << 63), at_most=_MASK) & _MASK
    return _jump(number, whole("buckets", buckets, at_least=1, at_most=_MOST_BUCKETS))


def _jump(key: int, buckets: int) -> int:
    bucket, jump = -1, 0
    while jump < buckets:
        bucket = jump
        key = (key * 2862933555777941757 + 1) & 0xFFFFFFFFFFFFFFFF
        jump = int((bucket + 1) * (2147483648.0 / ((key >> 33) + 1)))
    return bucket


def jump_all(keys: Hashes, buckets: int) -> npt.NDArray[np.intp]:
    """Return `jump_hash` of many keys: all take a step together, those that have arrived drop out."""
    owner = np.zeros(len(keys), dtype=np.intp)
    under_way = np.arange(len(keys))
    state = keys.copy()
    bucket = np.zeros(len(keys), dtype=np.int64)
    while len(under_way):
        state = state * np.uint64(_FACTOR) + np.uint64(1)
        draw = 2147483648.0 / ((state >> np.uint64(33)) + np.uint64(1)).astype(np.float64)
        jump = (bucket + 1) * draw
        goes_on = jump < buckets
        owner[under_way[~goes_on]] = bucket[~goes_on]
        under_way, state, bucket = under_way[goes_on], state[goes_on], jump[goes_on].astype(np.int64)
    return owner


class JumpPartitioner(HashPartitioner[int]):
    """Numbers the nodes 0 … n − 1 and asks jump consistent hash for the number.

    Every node is equally likely to get a key, and there is no table. Adding a node at the end moves only what the
    newcomer gets; the last node may leave just as cheaply. Removing a node in the middle moves the last node into its
    slot, so that the keys of two nodes move. It has no weights.

    Args:
        nodes: names, in order; the order matters.
    """

    takes_weights = False

    def __init__(self, nodes: Iterable[str]) -> None:
        super().__init__(nodes)

    @property
    def table_bytes(self) -> int:
        """Nothing but the number of nodes has to be known."""
        return 8

    def remove_node(self, node: str) -> None:
        """Let a node leave; the last node takes over its slot.

        Raises:
            LookupError: if it isn't there.
            ValueError: if it is the only one.
        """
        self._install(self._fleet.minus_filling_the_gap(node))

    def _make_table(self, fleet: Fleet) -> int:
        return len(fleet.nodes)

    def _index_of(self, hashed: int) -> int:
        return _jump(hashed, self._table)

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        return jump_all(hashed, self._table)

    def _preference(self, hashed: int) -> Iterator[int]:
        return successors(self._index_of(hashed), self._table)
