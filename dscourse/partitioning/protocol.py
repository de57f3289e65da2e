"""What every partitioner can do, whatever happens inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from dscourse.partitioning.keys import Key


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
