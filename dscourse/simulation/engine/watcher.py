"""Looking at a kernel after each event: what has changed in its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dscourse.simulation.engine.kernel import Kernel
from dscourse.simulation.engine.state import KernelState
from dscourse.simulation.moment import Beliefs, Moment
from dscourse.simulation.node_state import copied, public_fields, same_value
from dscourse.simulation.recorder import SEND
from dscourse.simulation.recording import Change
from dscourse.simulation.trace import Trace
from dscourse.simulation.virtual_time import MICROSECONDS


class Watcher:
    """Looks at a kernel after each event and knows what has changed."""

    def __init__(
        self, kernel: Kernel, trace: Trace | None, see: Callable[[Moment, list[Change]], None]
    ) -> None:
        self._fields: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, dict[str, Any]] = {}  # a second copy, for those who look
        self._kernel = kernel
        self._trace = trace
        self._see = see
        self._names = list(kernel.processes)
        self._beliefs = Beliefs()
        self._sent: dict[int, int] = {}
        self._rows = 0
        self._state = KernelState(kernel, self._sent.__getitem__)

    def __call__(self) -> None:
        """An event is over."""
        kernel = self._kernel
        count = len(kernel.recorder)
        fresh = count - self._rows
        self._rows = count
        for when, kind, node, _, number, _, cell, _ in kernel.recorder.rows[-fresh:] if fresh else ():
            if kind == SEND:
                self._sent[number] = when
            elif node >= 0:
                self._beliefs.take(kind, self._names[node], cell)
        changes = [change for name in sorted(kernel.touched) for change in self._changes(name, count - 1)]
        kernel.touched.clear()
        event = (
            self._trace[count - fresh]
            if self._trace is not None and fresh and count <= len(self._trace)
            else None
        )
        moment = Moment(self._state, self._beliefs, kernel.now, self._to_show, event, self._trace)
        self._see(moment, changes)

    def _changes(self, name: str, index: int) -> list[Change]:
        process = self._kernel.processes[name]
        if process.is_client:
            return []
        self._check_unchanged(name)
        known = self._fields.pop(name, None)
        before = known or {}
        after: dict[str, Any] = {}
        if process.node is not None:
            after = self._fields[name] = public_fields(process.node)
        new = {
            field: value
            for field, value in after.items()
            if field not in before or not same_value(before[field], value)
        }
        gone = tuple(field for field in before if field not in after)
        if not new and not gone and (known is None) == (process.node is None):
            return []
        crashed = process.node is None
        return [Change(index, self._kernel.now / MICROSECONDS, name, new, gone, crashed)]

    def finish(self) -> None:
        """The run is over.

        Raises:
            ValueError: whoever looked has changed what was shown.
        """
        for name in list(self._shown):
            self._check_unchanged(name)

    def _to_show(self) -> dict[str, dict[str, Any]]:
        for name, fields in self._fields.items():
            if name not in self._shown:
                self._shown[name] = {field: copied(value) for field, value in fields.items()}
        return {name: self._shown[name] for name in self._names if name in self._fields}

    def _check_unchanged(self, name: str) -> None:
        shown = self._shown.pop(name, None)
        if shown is None:
            return
        fields = self._fields[name]
        for field in dict.fromkeys([*shown, *fields]):
            if field in shown and field in fields and same_value(shown[field], fields[field]):
                continue
            if field in fields and not same_value(copied(fields[field]), fields[field]):
                continue  # not even a fresh copy looks the same
            raise ValueError(
                f"a property changed what it was shown: the field {field!r} of {name}. It may only look, or the next "
                "one would judge something that never was; let it work on a copy (sorted(...), list(...), dict(...))"
            )
