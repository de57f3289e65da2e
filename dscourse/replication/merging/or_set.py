"""A set to which several replicas may add and from which they may remove: an add wins against a concurrent remove."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from dscourse.replication.merging.dotted import EMPTY, Dotted


@dataclass(frozen=True)
class ORSet:
    """An observed-remove set: a remove takes away the adds that it has seen, and no others. Methods return new sets.

        here = ORSet("n0").add("milk")
        there = ORSet("n1").merge(here).remove("milk")
        here.add("milk").merge(there).value        # {"milk"}: that second add wasn't seen by the remove

    Shapiro et al., INRIA RR-7506, 2011; without tombstones as in `Dotted`.

    A replica that has lost its memory must take a new name: under the old one it would number its adds from 1 again,
    and the others, who have seen these numbers, would take what it adds for removed.

    Args:
        replica: whose copy this is; copies that know the same are equal.
        dotted: the elements, one for each add that is in force, and what was seen.
    """

    replica: str = field(compare=False)
    dotted: Dotted = EMPTY

    def add(self, element: Hashable) -> ORSet:
        """The set with an element in it."""
        return self.merge(self.add_delta(element))

    def remove(self, element: Hashable) -> ORSet:
        """The set without an element; nothing happens if it isn't there."""
        return self.merge(self.remove_delta(element))

    def add_delta(self, element: Hashable) -> ORSet:
        """Only what adding changes: a small set, to be merged here and elsewhere."""
        return ORSet(self.replica, self.dotted.write(self.replica, element, self._dots(element)))

    def remove_delta(self, element: Hashable) -> ORSet:
        """Only what removing changes: a small set, to be merged here and elsewhere."""
        return ORSet(self.replica, self.dotted.without(self._dots(element)))

    def merge(self, other: ORSet) -> ORSet:
        """What one or the other knows."""
        return ORSet(self.replica, self.dotted.merge(other.dotted))

    @property
    def value(self) -> frozenset[Hashable]:
        """The elements."""
        return frozenset(element for _, element in self.dotted.values)

    def _dots(self, element: Hashable) -> tuple[tuple[str, int], ...]:
        return tuple(dot for dot, value in self.dotted.values if value == element)
