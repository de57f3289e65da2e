"""Clients while a run goes on: what they ask when, and what they note of it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from dscourse.simulation.clients import ClosedLoop, OpenLoop, Workload, words_of_operation
from dscourse.simulation.engine.port import KernelPort
from dscourse.simulation.engine.process import Process
from dscourse.simulation.latency import as_latency
from dscourse.simulation.messages import Reply, Request, canonical_json, readable
from dscourse.simulation.node import Context
from dscourse.simulation.random_streams import Stream, key_of
from dscourse.simulation.recorder import FAIL, INVOKE, NOBODY, OK, UNKNOWN
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

_OUTCOMES = {"ok": OK, "fail": FAIL}


class Client:
    """A client while a run goes on."""

    def __init__(self, workload: Workload, kernel: KernelPort, process: Process) -> None:
        self._workload = workload
        self._kernel = kernel
        self._process = process
        self._timeout = to_microseconds(workload.timeout)
        self._open: dict[int, int] = {}  # number → when it was asked
        self._number = 0
        self.begin_luck_anew()

    def begin_luck_anew(self) -> None:
        """Draw from a new stream from now on."""
        self._luck = Stream(key_of(self._kernel.seed, "client", self._process.name))

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
        cell = (words_of_operation(operation), detail)
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

    def __init__(self, workload: ClosedLoop, kernel: KernelPort, process: Process) -> None:
        super().__init__(workload, kernel, process)
        self._think = as_latency("think_time", workload.think_time).sampler()

    def start(self) -> None:
        """Plan the first operation."""
        self._kernel.put_off(to_microseconds(self._workload.start), self._ask, self._process)

    def _closed(self) -> None:
        if self._has_more():
            self._kernel.put_off(self._kernel.now + self._think(self._luck.draw()), self._ask, self._process)


def client_actor(workload: Workload, kernel: KernelPort, process: Process) -> Client:
    """The actor that does what a workload says."""
    kinds: dict[type, type[Client]] = {OpenLoop: OpenLoopClient, ClosedLoop: ClosedLoopClient}
    return kinds[type(workload)](workload, kernel, process)
