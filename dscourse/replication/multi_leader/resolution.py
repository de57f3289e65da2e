"""What becomes of conflicting writes: one wins, all stay, the application merges them, or the type merges itself.

A function decides about a register whose concurrent writes, its siblings, all are kept until a later write has seen
them; replicas with the same siblings get the same value from it, in whatever order the writes arrived. Or a merging
type stands in place of the register.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from dscourse.arguments import function
from dscourse.replication.merging.counters import GCounter, PNCounter
from dscourse.replication.merging.or_set import ORSet
from dscourse.replication.merging.registers import LWWRegister, MVRegister, tie_break


@dataclass(frozen=True)
class Sibling:
    """One of several concurrent writes.

    Attributes:
        value: what was written.
        time: when, by the writer's clock (s).
        writer: the replica.
    """

    value: Any
    time: float
    writer: str


Resolve = Callable[[tuple[Sibling, ...]], Any]


def last_writer_wins(siblings: tuple[Sibling, ...]) -> Any:
    """The value with the latest time; of equal times that of the writer whose name is last. The others are lost."""
    return max(siblings, key=lambda one: (one.time, one.writer, tie_break(one.value))).value


def keep_siblings(siblings: tuple[Sibling, ...]) -> Any:
    """All values, if there are several: the application, or the user, has to settle it with a "put"."""
    return tuple(one.value for one in siblings) if len(siblings) > 1 else siblings[0].value


def union(siblings: tuple[Sibling, ...]) -> Any:
    """Every element of every value: what an application does that merges carts. A removed element may come back."""
    return _in_order({element for one in siblings for element in one.value or ()})


class Merging(Protocol):
    """A value that merges with another of its kind."""

    def merge(self, other: Self) -> Self:
        """What one or the other knows."""


class Resolution:
    """How the state of a key is changed, merged and read.

    Args:
        how: a function of the siblings, such as `last_writer_wins`, `keep_siblings`, `union` or your own; or a merging
            type: `ORSet`, `PNCounter`, `GCounter`, `LWWRegister`.
    """

    def __init__(self, how: Resolve | type) -> None:
        merging = isinstance(how, type) and issubclass(how, ORSet | PNCounter | GCounter | LWWRegister)
        self._type: Any = how if merging else MVRegister
        self._resolve: Resolve | None = (
            None if merging else function("resolution", how, "a function of siblings, or a merging type")
        )

    def empty(self, replica: str) -> Any:
        """The state of a key that nobody has written."""
        return self._type(replica)

    def read(self, state: Any) -> Any:
        """What is told of a state; of a set its elements in order."""
        if self._resolve is not None:
            return self._resolve(state.value) if state.value else None
        return _in_order(state.value) if isinstance(state, ORSet) else state.value

    def siblings(self, state: Any) -> tuple[Sibling, ...]:
        """The concurrent writes of a register; none of a merging type."""
        return state.value if self._resolve is not None else ()

    def change(self, state: Any, operation: tuple[Any, ...], now: float) -> Any:
        """The delta of an operation: ("put", value), ("add", element), ("remove", element) or ("increment", amount).

        None if it can't be done: a merging type has operations of its own, and a register whose siblings aren't
        settled takes only a "put".
        """
        what, operand = operation
        if self._resolve is not None:
            return self._change_register(state, what, operand, now)
        match what, state:
            case "put", LWWRegister():
                return state.write_delta(operand, now)
            case "add", ORSet():
                return state.add_delta(operand)
            case "remove", ORSet():
                return state.remove_delta(operand)
            case "increment", GCounter() | PNCounter():
                return state.increment_delta(operand)
        return None

    def _change_register(self, state: MVRegister, what: str, operand: Any, now: float) -> MVRegister | None:
        """Read, change, write: so do applications that keep a set or a number in a register."""
        if what != "put":
            if len(state.value) > 1 and self._resolve is keep_siblings:
                return None
            before = self.read(state)
            if what == "add":
                operand = _in_order({*(before or ()), operand})
            elif what == "remove":
                operand = _in_order({*(before or ())} - {operand})
            else:
                operand = (before or 0) + operand
        return state.write_delta(Sibling(operand, now, state.replica))


def _in_order(elements: Any) -> tuple[Any, ...]:
    return tuple(sorted(elements, key=tie_break))
