"""Registers that several replicas write: one keeps the last write by the clock, the other all that are concurrent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dscourse.replication.merging.dotted import EMPTY, Dotted
from dscourse.simulation.messages import canonical_json, readable


@dataclass(frozen=True, order=True)
class Stamp:
    """When and by whom something was written; the larger stamp wins.

    Args:
        time: what the writer's clock said, or the time of the write before if the clock stands further back.
        counter: tells apart the writes of one time.
        writer: by name; it decides between equal times, on all replicas alike.
    """

    time: float
    counter: int
    writer: str

    def following(self, now: float, writer: str) -> Stamp:
        """A stamp that is larger than this one whatever the clock says (Kulkarni et al., OPODIS 2014)."""
        if now > self.time:
            return Stamp(now, 0, writer)
        return Stamp(self.time, self.counter + 1, writer)


NEVER = Stamp(-1.0, 0, "")


def tie_break(value: Any) -> str:
    """A text by which values under equal stamps are told apart, the same on every replica."""
    return canonical_json(readable(value))


@dataclass(frozen=True)
class LWWRegister:
    """A register in which the last writer wins: the write with the larger stamp stays. Each method returns a new one.

    Of two concurrent writes one is lost, and nobody is told. Shapiro et al., INRIA RR-7506, 2011.

    Args:
        replica: whose copy this is; copies that hold the same are equal.
        value: what was written last; None before.
        stamp: of that write.
    """

    replica: str = field(compare=False)
    value: Any = None
    stamp: Stamp = NEVER

    def write(self, value: Any, now: float) -> LWWRegister:
        """The register with a new value, written at a time of the writer's clock (s)."""
        return LWWRegister(self.replica, value, self.stamp.following(now, self.replica))

    write_delta = write  # there is nothing smaller to send

    def merge(self, other: LWWRegister) -> LWWRegister:
        """The write with the larger stamp. If a forgetful writer used one twice, the values decide."""
        first, second = ((one.stamp, tie_break(one.value)) for one in (self, other))
        newer = self if first >= second else other
        return LWWRegister(self.replica, newer.value, newer.stamp)


@dataclass(frozen=True)
class MVRegister:
    """A register that keeps every write that no other write has seen: after a conflict it has several values.

    Each method returns a new one. A write takes the place of all values that its replica has seen (Shapiro et al.,
    INRIA RR-7506, 2011; with a dot for each value, as Preguiça et al., arXiv:1011.5808).

    Args:
        replica: whose copy this is; copies that know the same are equal.
        dotted: the values and what was seen.
    """

    replica: str = field(compare=False)
    dotted: Dotted = EMPTY

    def write(self, value: Any) -> MVRegister:
        """The register with one new value."""
        return self.merge(self.write_delta(value))

    def write_delta(self, value: Any) -> MVRegister:
        """Only what the write changes: to be merged here and elsewhere."""
        instead_of = tuple(dot for dot, _ in self.dotted.values)
        return MVRegister(self.replica, self.dotted.write(self.replica, value, instead_of))

    def merge(self, other: MVRegister) -> MVRegister:
        """What one or the other knows."""
        return MVRegister(self.replica, self.dotted.merge(other.dotted))

    @property
    def value(self) -> tuple[Any, ...]:
        """The concurrent values, in an order that is the same on every replica."""
        return tuple(value for _, value in self.dotted.values)
