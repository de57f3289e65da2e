"""The naive way: hash of the key, modulo the number of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from dscourse.partitioning.hashed import HashPartitioner, successors
from dscourse.partitioning.keys import Hashes
from dscourse.partitioning.members import Members


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

    def _make_table(self, members: Members) -> int:
        return len(members.nodes)

    def _index_of(self, hashed: int) -> int:
        return hashed % self._table

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        return (hashed % np.uint64(self._table)).astype(np.intp)

    def _preference(self, hashed: int) -> Iterator[int]:
        return successors(self._index_of(hashed), self._table)
