"""Clients: they stand outside the cluster, ask it for things, and note what came of it.

A client sends `Request(number, operation)` to a node; it answers ``ctx.send(sender, Reply(number, "ok", value))``. No
answer by the timeout means "unknown": it may have happened or not, or may still happen. Nothing is tried again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dscourse.arguments import real, text
from dscourse.simulation.latency import LatencyModel, as_latency
from dscourse.simulation.messages import check_value
from dscourse.simulation.recorder import FAIL, OK
from dscourse.simulation.virtual_time import LONGEST

if TYPE_CHECKING:
    pass

_OUTCOMES = {"ok": OK, "fail": FAIL}


class ClientOperation(NamedTuple):
    """One operation of a client, as the client saw it.

    Attributes:
        client: who asked.
        number: of the client's operation, from 0.
        operation: what was asked for.
        to: the node that was asked.
        invoked: when, in seconds.
        completed: when the answer came; None if none did.
        outcome: ``"ok"``, ``"fail"`` (it had no effect) or ``"unknown"``.
        value: of the answer.
    """

    client: str
    number: int
    operation: Any
    to: str
    invoked: float
    completed: float | None
    outcome: str
    value: Any

    @property
    def latency(self) -> float:
        """Seconds from asking to the answer; nan if there was none."""
        return math.nan if self.completed is None else self.completed - self.invoked


class Workload:
    """What a client does. Give `OpenLoop` or `ClosedLoop` objects to a scenario, one a client."""

    operations: tuple[Any, ...]
    to: tuple[str, ...] | str  # a tuple, once it is made
    timeout: float
    start: float
    repeat: bool

    def _check(self) -> None:
        if isinstance(self.operations, str | bytes) or not isinstance(self.operations, Sequence):
            raise TypeError(
                f'operations must be a list, such as [("put", "x", 1), ("get", "x")], got {self.operations!r}'
            )
        if not self.operations:
            raise ValueError("operations is empty: the client would have nothing to do")
        if not isinstance(self.to, Iterable) or isinstance(self.to, set | frozenset):
            raise TypeError(
                f"to must be the id of a node, or several in a list (they are asked by turns), got {self.to!r}"
            )
        targets = (self.to,) if isinstance(self.to, str) else tuple(self.to)
        if not targets:
            raise ValueError("to is empty: name at least one node")
        operations = tuple(_tuples(operation) for operation in self.operations)
        for operation in operations:
            check_value(operation, "an operation")
        if not isinstance(self.repeat, bool):
            raise TypeError(f"repeat must be True or False, got {self.repeat!r}")
        changes = {
            "operations": operations,
            "to": tuple(text("to", target) for target in targets),
            "timeout": real("timeout", self.timeout, above=0.0, at_most=LONGEST),
            "start": real("start", self.start, at_least=0.0, at_most=LONGEST),
        }
        for name, value in changes.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class OpenLoop(Workload):
    """Asks at its own pace, whether or not earlier answers have come: like the users of a website.

    Args:
        operations: what to ask for, in order.
        rate: operations per second, on average.
        to: the node to ask, or several, asked by turns.
        timeout: seconds to wait for an answer.
        start: when it begins, in seconds.
        repeat: begin again after the last operation.
        arrivals: ``"poisson"`` (random gaps) or ``"regular"``.
    """

    operations: tuple[Any, ...]
    rate: float
    to: tuple[str, ...] | str
    timeout: float
    start: float = field(default=0.0, kw_only=True)
    repeat: bool = field(default=False, kw_only=True)
    arrivals: str = field(default="poisson", kw_only=True)

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(
            self, "rate", real("rate", self.rate, above=0.0, at_least=1.0 / LONGEST, at_most=1e6)
        )
        if not isinstance(self.arrivals, str) or self.arrivals not in ("poisson", "regular"):
            raise ValueError(f"arrivals must be 'poisson' or 'regular', got {self.arrivals!r}")


@dataclass(frozen=True)
class ClosedLoop(Workload):
    """Asks, waits for the answer (or the timeout), thinks, asks again: like a worker with one thing at a time.

    Args:
        operations: what to ask for, in order.
        think_time: between an answer and the next question: a latency model or seconds.
        to: the node to ask, or several, asked by turns.
        timeout: seconds to wait for an answer.
        start: when it begins, in seconds.
        repeat: begin again after the last operation.
    """

    operations: tuple[Any, ...]
    think_time: LatencyModel | float
    to: tuple[str, ...] | str
    timeout: float
    start: float = field(default=0.0, kw_only=True)
    repeat: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(self, "think_time", as_latency("think_time", self.think_time))


def words_of_operation(operation: Any) -> str:
    """An operation as a short text."""
    if isinstance(operation, tuple):
        return " ".join(str(part) for part in operation)
    return str(operation)


def _tuples(value: Any) -> Any:
    """Lists become tuples: an operation may come from JSON."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
