"""Values that bear the dot of their write, and what was seen: the part that sets and registers of several values share.

A value is gone if the one side has seen its dot and doesn't have it any more; it is new if the one side hasn't seen
its dot. So nobody need keep what was removed (Bieniusa et al., An Optimized Conflict-Free Replicated Set, INRIA
RR-8083, 2012; Almeida, Shoker, Baquero, Delta State Replicated Data Types, JPDC 111, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dscourse.replication.merging.version_vector import NOTHING, Dot, VersionVector


@dataclass(frozen=True)
class Seen:
    """The writes that are known: for most replicas the first so many, and a few with gaps before them.

    Deltas that arrive out of order leave gaps. A version vector alone can't say so: it would claim that what lies in
    the gap is known, and a value that is known and isn't there counts as removed.

    Args:
        vector: all writes of each replica up to a number.
        beyond: those after a gap.
    """

    vector: VersionVector = NOTHING
    beyond: tuple[Dot, ...] = ()

    def __contains__(self, dot: Dot) -> bool:
        """Whether this write is known."""
        return dot in self.vector or dot in self.beyond

    def next_dot(self, replica: str) -> Dot:
        """The dot of a replica's next write: one that was never used, as long as the replica knows its own writes."""
        own = [number for name, number in self.beyond if name == replica]
        return replica, max([self.vector[replica], *own]) + 1

    def merge(self, other: Seen) -> Seen:
        """What is known to one or the other; gaps that are filled are forgotten."""
        vector = self.vector.merge(other.vector)
        beyond = []
        for dot in sorted({*self.beyond, *other.beyond}):
            replica, number = dot
            if number == vector[replica] + 1:
                vector = vector.increment(replica)
            elif dot not in vector:
                beyond.append(dot)
        return Seen(vector, tuple(beyond))


UNSEEN = Seen()


@dataclass(frozen=True)
class Dotted:
    """Values by the dot of their write, and everything that was seen.

    Args:
        values: (dot, value), by dot.
        seen: the dots of these, and of all that is gone.
    """

    values: tuple[tuple[Dot, Any], ...] = ()
    seen: Seen = UNSEEN

    def write(self, replica: str, value: Any, instead_of: tuple[Dot, ...]) -> Dotted:
        """The delta of a write that takes the place of what stood under other dots."""
        dot = self.seen.next_dot(replica)
        return Dotted(((dot, value),), UNSEEN.merge(Seen(beyond=(*instead_of, dot))))

    def without(self, dots: tuple[Dot, ...]) -> Dotted:
        """The delta that removes what stands under these dots: they are seen, and not there."""
        return Dotted((), UNSEEN.merge(Seen(beyond=dots)))

    def merge(self, other: Dotted) -> Dotted:
        """Keep what both have, and what the one has and the other has never seen."""
        mine, others = dict(self.values), dict(other.values)
        kept = {dot: value for dot, value in mine.items() if dot in others or dot not in other.seen}
        kept |= {dot: value for dot, value in others.items() if dot in mine or dot not in self.seen}
        return Dotted(tuple(sorted(kept.items(), key=lambda one: one[0])), self.seen.merge(other.seen))


EMPTY = Dotted()
