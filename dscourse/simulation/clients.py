"""Clients: they stand outside the cluster, ask it for things, and note what came of it.

A client sends `Request(number, operation)` to a node; it answers ``ctx.send(sender, Reply(number, "ok", value))``. No
answer by the timeout means "unknown": it may have happened or not, or may still happen. Nothing is tried again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dscourse.arguments import real, text
from dscourse.simulation.latency import LatencyModel, as_latency
from dscourse.simulation.messages import Reply, Request, canonical_json, check_value, readable
from dscourse.simulation.node import Context
from dscourse.simulation.random_streams import Stream, key_of
from dscourse.simulation.recorder import FAIL, INVOKE, NOBODY, OK, UNKNOWN
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS, to_microseconds

if TYPE_CHECKING:
    from dscourse.simulation.engine.kernel import Kernel
    from dscourse.simulation.engine.process import Process

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

    def attach(self, kernel: Kernel, process: Process) -> None:
        """Put a client that does this into a run."""
        actor = self._actor(kernel, process)
        process.node = actor
        process.context = Context(kernel, process)

    def _actor(self, kernel: Kernel, process: Process) -> Client:
        raise NotImplementedError

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

    def _actor(self, kernel: Kernel, process: Process) -> Client:
        return OpenLoopClient(self, kernel, process)


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

    def _actor(self, kernel: Kernel, process: Process) -> Client:
        return ClosedLoopClient(self, kernel, process)


class Client:
    """A client while a run goes on."""

    def __init__(self, workload: Workload, kernel: Kernel, process: Process) -> None:
        self._workload = workload
        self._kernel = kernel
        self._process = process
        self._timeout = to_microseconds(workload.timeout)
        self._open: dict[int, int] = {}  # number → when it was asked
        self._number = 0
        self._luck = Stream(key_of(kernel.scenario.seed, "client", process.name))

    def start(self) -> None:
        """Plan the first operation."""
        raise NotImplementedError

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take an answer, if it is one that is still awaited and makes sense (a Byzantine node's may not)."""
        if not isinstance(message, Reply) or type(message.number) is not int:
            return
        if message.number in self._open and message.outcome in _OUTCOMES:
            self._close(message.number, _OUTCOMES[message.outcome], {"value": message.value})

    def _has_more(self) -> bool:
        return self._workload.repeat or self._number < len(self._workload.operations)

    def _ask(self) -> None:
        workload, kernel, number = self._workload, self._kernel, self._number
        operation = workload.operations[number % len(workload.operations)]
        self._number += 1
        self._open[number] = kernel.now
        self._note(INVOKE, number, {})
        kernel.put_off(kernel.now + self._timeout, partial(self._give_up, number), self._process)
        self._process.context.send(self._target(number), Request(number, operation))

    def _give_up(self, number: int) -> None:
        if number in self._open:
            self._close(number, UNKNOWN, {})

    def _close(self, number: int, kind: int, more: dict[str, Any]) -> None:
        asked = self._open.pop(number)
        self._note(kind, number, {**more, "seconds": (self._kernel.now - asked) / MICROSECONDS})
        self._closed()

    def _closed(self) -> None:
        """An operation is over."""

    def _target(self, number: int) -> str:
        return self._workload.to[number % len(self._workload.to)]

    def _note(self, kind: int, number: int, more: dict[str, Any]) -> None:
        kernel = self._kernel
        operation = self._workload.operations[number % len(self._workload.operations)]
        detail = {"number": number, "operation": operation, **more}
        peer = kernel.processes[self._target(number)].index
        shown = canonical_json({name: readable(value) for name, value in detail.items()})
        cell = (_words(operation), detail)
        kernel.write((kernel.now, kind, self._process.index, peer, NOBODY, None, cell, shown))


class OpenLoopClient(Client):
    """Plans the next question when it asks one."""

    _workload: OpenLoop

    def start(self) -> None:
        """Plan the first operation."""
        first = to_microseconds(self._workload.start)
        gap = 0 if self._workload.arrivals == "regular" else self._gap()
        self._kernel.put_off(first + gap, self._next, self._process)

    def _next(self) -> None:
        self._ask()
        if self._has_more():
            self._kernel.put_off(self._kernel.now + self._gap(), self._next, self._process)

    def _gap(self) -> int:
        mean = MICROSECONDS / self._workload.rate
        if self._workload.arrivals == "regular":
            return max(1, round(mean))
        return int(-mean * math.log1p(-self._luck.draw()) + 0.5)


class ClosedLoopClient(Client):
    """Plans the next question when the last one is over."""

    _workload: ClosedLoop

    def __init__(self, workload: ClosedLoop, kernel: Kernel, process: Process) -> None:
        super().__init__(workload, kernel, process)
        self._think = as_latency("think_time", workload.think_time).sampler()

    def start(self) -> None:
        """Plan the first operation."""
        self._kernel.put_off(to_microseconds(self._workload.start), self._ask, self._process)

    def _closed(self) -> None:
        if self._has_more():
            self._kernel.put_off(self._kernel.now + self._think(self._luck.draw()), self._ask, self._process)


def _words(operation: Any) -> str:
    if isinstance(operation, tuple):
        return " ".join(str(part) for part in operation)
    return str(operation)


def _tuples(value: Any) -> Any:
    """Lists become tuples: an operation may come from JSON."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
