"""Counters that several replicas can change at once (Shapiro et al., INRIA RR-7506, 2011)."""

from __future__ import annotations

from dataclasses import dataclass, field

from dscourse.arguments import whole
from dscourse.replication.merging.version_vector import NOTHING, VersionVector


@dataclass(frozen=True)
class GCounter:
    """A counter that only grows: of each replica the sum of what it has added. Each method returns a new one.

    A replica that has lost its memory must take a new name: if it began again from 0 under the old one, what it adds
    would be swallowed until it had caught up with itself.

    Args:
        replica: whose copy this is; copies that know the same are equal.
        counts: by replica.
    """

    replica: str = field(compare=False)
    counts: VersionVector = NOTHING

    def increment(self, amount: int = 1) -> GCounter:
        """Add so much, at least 0."""
        return self.merge(self.increment_delta(amount))

    def increment_delta(self, amount: int = 1) -> GCounter:
        """Only what adding so much changes: a small counter, to be merged here and elsewhere."""
        sum_here = self.counts[self.replica] + whole("amount", amount, at_least=0)
        return GCounter(self.replica, VersionVector({self.replica: sum_here}))

    def merge(self, other: GCounter) -> GCounter:
        """What one or the other knows: of each replica the larger sum, never the sum of both."""
        return GCounter(self.replica, self.counts.merge(other.counts))

    @property
    def value(self) -> int:
        """How much all replicas together have added, as far as it is known here."""
        return sum(dict(self.counts.counts).values())


@dataclass(frozen=True)
class PNCounter:
    """A counter that goes up and down: two that only grow, and their difference. Each method returns a new one.

    Args:
        replica: whose copy this is; copies that know the same are equal.
        added: what each replica has added.
        taken: what each has taken away.
    """

    replica: str = field(compare=False)
    added: VersionVector = NOTHING
    taken: VersionVector = NOTHING

    def increment(self, amount: int = 1) -> PNCounter:
        """Add so much; take it away where it is negative."""
        return self.merge(self.increment_delta(amount))

    def decrement(self, amount: int = 1) -> PNCounter:
        """Take so much away."""
        return self.increment(-amount)

    def increment_delta(self, amount: int = 1) -> PNCounter:
        """Only what adding so much changes: a small counter, to be merged here and elsewhere."""
        if amount < 0:
            taken = GCounter(self.replica, self.taken).increment_delta(-amount)
            return PNCounter(self.replica, taken=taken.counts)
        added = GCounter(self.replica, self.added).increment_delta(amount)
        return PNCounter(self.replica, added=added.counts)

    def merge(self, other: PNCounter) -> PNCounter:
        """What one or the other knows."""
        return PNCounter(self.replica, self.added.merge(other.added), self.taken.merge(other.taken))

    @property
    def value(self) -> int:
        """What was added less what was taken, as far as it is known here."""
        return GCounter("", self.added).value - GCounter("", self.taken).value
