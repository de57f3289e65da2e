"""What a design of exercise `design_a_fleet` is measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from dscourse.exercises import Unfit, told
from dscourse.partitioning import Partitioner, load_counts, rebalance

_FLEETS = (
    {"n0": 1.0, "n1": 1.0, "n2": 2.0, "n3": 1.0, "n4": 2.0},
    {**{f"n{number}": 1.0 for number in range(12)}, "n3": 2.0, "n7": 2.0},
)
_KEY_COUNT = 100_000


def try_design(make: Callable[[Sequence[str], Mapping[str, float]], Partitioner]) -> dict[str, float]:
    """Measure a design on two fleets and return the worst of each: overload, moved, bystanders, table_bytes.

    `overload` is the load of a node over what its weight entitles it to, `moved` the keys moved over the least possible,
    `bystanders` the fraction of keys that moved between nodes that neither joined nor left.
    """
    worst = {"overload": 0.0, "moved": 0.0, "bystanders": 0.0, "table_bytes": 0.0}
    keys = np.arange(_KEY_COUNT)
    for fleet in _FLEETS:
        partitioner = make(list(fleet), dict(fleet))
        shares = {node: weight / sum(fleet.values()) for node, weight in fleet.items()}
        counts = load_counts(partitioner, keys)
        measured = {
            "overload": max(counts[node] / _KEY_COUNT / share for node, share in shares.items()),
            "table_bytes": float(partitioner.table_bytes),
        }
        for change in (
            rebalance(partitioner, keys, add="fresh"),
            rebalance(partitioner, keys, remove="n1"),
            rebalance(partitioner, keys, remove="n3"),
        ):
            measured["moved"] = max(measured.get("moved", 0.0), change.moved / change.least_possible)
            touched = max(change.takes.get("fresh", 0.0), change.gives["n1"], change.gives["n3"])
            measured["bystanders"] = max(measured.get("bystanders", 0.0), change.moved - touched)
        worst = {name: max(value, measured[name]) for name, value in worst.items()}
    return worst


class FleetDesign:
    """A way to partition fleets, measured when it is first asked for."""

    def __init__(self, answer: Any) -> None:
        if not callable(answer):
            raise Unfit
        self.make = answer
        made = answer(list(_FLEETS[0]), dict(_FLEETS[0]))
        if not isinstance(made, Partitioner):
            raise Unfit(f"it returned {told(made)}")
        self.weights = set(made.weights.values())

    @cached_property
    def found(self) -> dict[str, float]:
        return try_design(self.make)
