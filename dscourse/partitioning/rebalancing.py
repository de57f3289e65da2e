"""What a change of the cluster costs: which keys move, and from whom to whom."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from dscourse.arguments import instance, numbers
from dscourse.partitioning.partitioner import HashPartitioner, Partitioner
from dscourse.partitioning.ranges import RangePartitioner

_SUCH_AS = "a partitioner, such as a ConsistentHashRing"


@dataclass(frozen=True)
class Rebalance:
    """How many keys changed owner.

    Attributes:
        moved: fraction of the keys that have another owner than before.
        least_possible: fraction that has to move if every node carries its fair share before and after: what newcomers
            are due, or leavers held. A newcomer that gets less than its due moves less.
        gives: {node: fraction of all keys that it lost}, for every node before and after.
        takes: {node: fraction of all keys that it gained}.
    """

    moved: float
    least_possible: float
    gives: dict[str, float]
    takes: dict[str, float]

    def __str__(self) -> str:
        return f"moved {self.moved:.3f} of the keys; least possible {self.least_possible:.3f}"

    __repr__ = __str__


def rebalance(
    partitioner: Partitioner,
    keys: Any,
    add: str | Mapping[str, float] | None = None,
    remove: str | None = None,
) -> Rebalance:
    """Change a copy of a partitioner and tell which keys have another owner afterwards.

    Args:
        partitioner: stays as it is.
        keys: an array of keys of one kind, at least one.
        add: a node that joins, or {node: weight} for several or weighted ones.
        remove: a node that leaves, after the others have joined.

    Raises:
        ValueError: if nothing is to change, or there are no keys; and whatever the partitioner refuses.
    """
    instance("partitioner", partitioner, Partitioner, _SUCH_AS)
    if add is not None and not isinstance(add, str | Mapping):
        raise TypeError(f"add must be the name of a node or {{node: weight}}, got {add!r}")
    if not add and add != "" and remove is None:
        raise ValueError('Nothing changes: say who joins (add="n4") or who leaves (remove="n0")')
    changed = deepcopy(partitioner)
    for node, weight in ({add: 1.0} if isinstance(add, str) else dict(add or {})).items():
        changed.add_node(node, weight)
    if remove is not None:
        changed.remove_node(remove)
    before, after = partitioner.owners(keys), changed.owners(keys)
    if not len(before):
        raise ValueError("There are no keys to look at")
    everyone = list(dict.fromkeys((*partitioner.nodes, *changed.nodes)))
    moved = before != after
    return Rebalance(
        moved=float(moved.mean()),
        least_possible=_least_possible(partitioner, changed),
        gives=_fractions(before[moved], everyone, len(before)),
        takes=_fractions(after[moved], everyone, len(before)),
    )


def load_counts(partitioner: Partitioner, keys: Any) -> dict[str, int]:
    """Return how many of the keys (or requests) each node owns, the idle ones too."""
    instance("partitioner", partitioner, Partitioner, _SUCH_AS)
    if isinstance(partitioner, HashPartitioner | RangePartitioner):  # numbers are counted faster than names
        counted = np.bincount(partitioner.owner_indices(keys), minlength=len(partitioner.nodes))
        return dict(zip(partitioner.nodes, counted.tolist(), strict=True))
    owners, counts = np.unique(partitioner.owners(keys), return_counts=True)
    owned = dict(zip(owners.tolist(), counts.tolist(), strict=True))
    return {node: owned.get(node, 0) for node in partitioner.nodes}


def load_imbalance(counts: Any) -> float:
    """Return the load of the busiest node over the mean load: 1 is perfect, 2 means twice its share.

    Args:
        counts: one number ≥ 0 for each node, as an array, a list or {node: number}; idle nodes count too.

    Raises:
        TypeError: if they are no numbers.
        ValueError: no node, a number below 0 or not finite, or no load at all.
    """
    given = list(counts.values()) if isinstance(counts, Mapping) else counts
    loads = numbers("counts", given, at_least=0.0, row=True)
    if not loads.any():
        raise ValueError("counts must not all be 0: without any load none can be out of balance")
    return (
        float(1.0 / (loads / loads.max()).mean())
        if loads.max() > 1e300
        else float(loads.max() / loads.mean())
    )


def _least_possible(before: Partitioner, after: Partitioner) -> float:
    old, new = (_shares(partitioner.weights) for partitioner in (before, after))
    return sum(max(0.0, share - old.get(node, 0.0)) for node, share in new.items())


def _shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {node: weight / total for node, weight in weights.items()}


def _fractions(owners: Any, everyone: list[str], total: int) -> dict[str, float]:
    nodes, counts = np.unique(owners, return_counts=True)
    counted = dict(zip(nodes.tolist(), counts.tolist(), strict=True))
    return {node: counted.get(node, 0) / total for node in everyone}
