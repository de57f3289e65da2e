"""Version vectors: how much of each replica's writes something has seen (Parker et al., IEEE TSE 9(3), 1983)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Dot = tuple[str, int]  # one write: the replica that made it, and its number there, from 1


@dataclass(frozen=True)
class VersionVector:
    """For each replica, how many of its writes are known. It never changes: each method returns a new one.

    Args:
        counts: {replica: number of writes}; replicas of which nothing is known are left out.
    """

    counts: tuple[tuple[str, int], ...] | Mapping[str, int] = ()

    def __post_init__(self) -> None:
        known = {replica: count for replica, count in dict(self.counts).items() if count > 0}
        object.__setattr__(self, "counts", tuple(sorted(known.items())))

    def __getitem__(self, replica: str) -> int:
        """How many writes of a replica are known."""
        return dict(self.counts).get(replica, 0)

    def increment(self, replica: str) -> VersionVector:
        """One more write of a replica."""
        return VersionVector({**dict(self.counts), replica: self[replica] + 1})

    def merge(self, other: VersionVector) -> VersionVector:
        """What is known to one or the other: of each replica the larger number."""
        counts = dict(self.counts)
        for replica, count in dict(other.counts).items():
            counts[replica] = max(count, counts.get(replica, 0))
        return VersionVector(counts)

    def compare(self, other: VersionVector) -> str:
        """Whether this is "equal" to another, "before" or "after" it, or "concurrent": each lacks something."""
        behind = any(self[replica] < count for replica, count in dict(other.counts).items())
        ahead = any(other[replica] < count for replica, count in dict(self.counts).items())
        if behind and ahead:
            return "concurrent"
        if behind or ahead:
            return "before" if behind else "after"
        return "equal"

    def __contains__(self, dot: Dot) -> bool:
        """Whether this write is known."""
        replica, number = dot
        return number <= self[replica]

    def __repr__(self) -> str:
        return f"⟨{', '.join(f'{replica}:{count}' for replica, count in dict(self.counts).items())}⟩"


NOTHING = VersionVector()
