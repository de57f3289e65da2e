"""A run seen from inside: re-run event by event, with every change of every node's public fields."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real, whole
from dscourse.simulation.engine.kernel import Kernel
from dscourse.simulation.moment import Beliefs, Moment
from dscourse.simulation.node import _copy, public_fields, same_value
from dscourse.simulation.recorder import SEND
from dscourse.simulation.virtual_time import MICROSECONDS

if TYPE_CHECKING:
    from dscourse.simulation.trace import Trace


@dataclass(frozen=True)
class Change:
    """What an event changed in one node.

    Attributes:
        index: of the last row that the event wrote into the trace.
        time: in seconds.
        node: whose fields.
        fields: the fields that are new or different, with their new values.
        gone: the fields that are no longer there (all, when it crashes).
        crashed: whether it has lost its memory with this event.
    """

    index: int
    time: float
    node: str
    fields: dict[str, Any]
    gone: tuple[str, ...]
    crashed: bool = False


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
        moment = Moment(
            kernel, self._beliefs, self._sent.__getitem__, kernel.now, self._to_show, event, self._trace
        )
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
                self._shown[name] = {field: _copy(value) for field, value in fields.items()}
        return {name: self._shown[name] for name in self._names if name in self._fields}

    def _check_unchanged(self, name: str) -> None:
        shown = self._shown.pop(name, None)
        if shown is None:
            return
        fields = self._fields[name]
        for field in dict.fromkeys([*shown, *fields]):
            if field in shown and field in fields and same_value(shown[field], fields[field]):
                continue
            if field in fields and not same_value(_copy(fields[field]), fields[field]):
                continue  # not even a fresh copy looks the same
            raise ValueError(
                f"a property changed what it was shown: the field {field!r} of {name}. It may only look, or the next "
                "one would judge something that never was; let it work on a copy (sorted(...), list(...), dict(...))"
            )


class Recording:
    """Every change of the nodes' public fields in a run.

    Attributes:
        changes: all of them, in order.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._times: list[float] = []

    def take(self, _: Moment, changes: list[Change]) -> None:
        """Take in what one event changed."""
        self.changes += changes
        self._times += [change.time for change in changes]

    def fields_at(self, time: float) -> dict[str, dict[str, Any]]:
        """Public fields of all nodes that are not down, after all events up to ``time``."""
        time = real("time", time)
        fields: dict[str, dict[str, Any]] = {}
        for change in self.changes[: bisect_right(self._times, time)]:
            if change.crashed:
                fields.pop(change.node, None)
                continue
            of_node = fields.setdefault(change.node, {})
            for name in change.gone:
                of_node.pop(name, None)
            of_node.update(change.fields)
        return fields

    def changed_at(self, index: int) -> list[Change]:
        """What the event that wrote row ``index`` changed."""
        index = whole("index", index, at_least=0)
        place = next((i for i, change in enumerate(self.changes) if change.index >= index), len(self.changes))
        return [change for change in self.changes[place:] if change.index == self.changes[place].index]
