"""Looking at an engine after each event: what has changed in its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dscourse.simulation.faults import Pair
from dscourse.simulation.moment import Beliefs, Engine, InFlight, Moment, NodeFields, Status
from dscourse.simulation.node_state import copied, public_fields, same_value, shown_fields
from dscourse.simulation.recorder import RECORD, SEND
from dscourse.simulation.recording import Change
from dscourse.simulation.trace import Event, Trace, event_of_row
from dscourse.simulation.virtual_time import MICROSECONDS

_UNREAD = 1_000  # rows; the recorder holds four times as many, unless a run has nearly too many events
_set_field = dict.__setitem__  # `NodeFields` refuses changes by others


class NeedsTraceError(LookupError):
    """A property asked for the whole trace while the run still goes on."""


class LiveMoment(Moment):
    """A moment that moves on with the run and shows the nodes' own values, not copies: for thousands of runs.

    It is as cheap as can be: what nobody asks for is not read. It trusts properties not to change what they see;
    `Run.check` doesn't.
    """

    _engine: Engine
    _all: NodeFields
    _seen: int  # rows of the trace before the event just past
    _read: int  # rows that beliefs and times of sending take account of
    _sent: dict[int, int]
    _status: dict[str, Status]

    def __init__(self, engine: Engine) -> None:
        sent: dict[int, int] = {}
        super().__init__(engine.state(sent.__getitem__), Beliefs(), 0)
        own = vars(self)  # nobody else may change it
        own.update(
            _engine=engine,
            _all=NodeFields({}, self._state, lambda: self.time),
            _seen=0,
            _read=0,
            _sent=sent,
            _status={},
        )

    @property
    def nodes(self) -> NodeFields:  # type: ignore[override]
        """Public fields of every node that has booted and not crashed since, by id."""
        fields, engine = self._all, self._engine
        if engine.touched:
            has_joined = False
            for name in engine.touched:
                process = engine.processes[name]
                if name not in fields:
                    has_joined = has_joined or (process.node is not None and not process.is_client)
                elif process.node is None:
                    dict.pop(fields, name)
                else:
                    _set_field(fields, name, shown_fields(process.node))
            if has_joined:
                self._add_newcomers(fields, engine.touched)
            engine.touched.clear()
        return fields

    def _add_newcomers(self, fields: NodeFields, touched: set[str]) -> None:
        """Take in who has booted, each in its old place: a set has no order."""
        in_order = {
            name: fields[name] if name in fields else shown_fields(process.node)
            for name, process in self._engine.processes.items()
            if name in fields or (name in touched and process.node is not None and not process.is_client)
        }
        dict.clear(fields)
        dict.update(fields, in_order)

    def read_rows(self) -> None:
        """Take account of the rows that came since somebody asked."""
        recorder = self._engine.recorder
        fresh = len(recorder) - self._read
        if not fresh:
            return
        own, names, news = vars(self), self._state.ids, False
        own["_read"] += fresh
        for row in recorder.rows[-fresh:]:
            kind = row[1]
            if kind == SEND:
                self._sent[row[4]] = row[0]
            elif kind >= RECORD and row[2] >= 0:
                self._beliefs.take(kind, names[row[2]], row[6])
                news = True
        if news:
            own["_status"] = dict(self._beliefs.status)

    @property
    def status(self) -> dict[str, Status]:
        """What each node last asked to be shown as; a node that never did, or has crashed since, is missing."""
        self.read_rows()
        return self._status

    @property
    def suspicions(self) -> dict[str, tuple[str, ...]]:
        """Whom each node suspects, by observer."""
        self.read_rows()
        return super().suspicions

    @property
    def in_flight(self) -> tuple[InFlight, ...]:  # type: ignore[override]
        """Messages on their way, in the order in which they are due."""
        self.read_rows()
        return self._state.in_flight()

    @property
    def cuts(self) -> tuple[Pair, ...]:  # type: ignore[override]
        """Directed links of the graph that carry nothing."""
        return self._state.cuts()

    @property
    def event(self) -> Event | None:
        """The event just past."""
        fresh = len(self._engine.recorder) - self._seen
        if not fresh:
            return None
        return event_of_row(self._seen, self._engine.recorder.rows[-fresh], self._state.ids)

    @property
    def trace(self) -> Trace:
        """Nothing yet."""
        raise NeedsTraceError(
            "the run still goes on; a property that needs all of it is written with holds(...)"
        )


class LiveWatcher:
    """Shows an engine's moments to judges, at little more than the price of the run."""

    def __init__(self, engine: Engine, see: Callable[[Moment], None]) -> None:
        self._engine = engine
        self._see = see
        self._moment = LiveMoment(engine)
        self._own = vars(self._moment)  # it moves on; nobody else may change it

    def __call__(self) -> None:
        """An event is over."""
        own, recorder = self._own, self._engine.recorder
        own["_time"] = self._engine.now
        self._see(self._moment)
        own["_seen"] = len(recorder)
        if len(recorder.rows) >= _UNREAD:
            self._moment.read_rows()  # the recorder soon moves them away


class Watcher:
    """Looks at an engine after each event and knows what has changed."""

    def __init__(
        self, engine: Engine, trace: Trace | None, see: Callable[[Moment, list[Change]], None]
    ) -> None:
        self._fields: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, dict[str, Any]] = {}  # a second copy, for those who look
        self._engine = engine
        self._trace = trace
        self._see = see
        self._names = list(engine.processes)
        self._beliefs = Beliefs()
        self._sent: dict[int, int] = {}
        self._rows = 0
        self._state = engine.state(self._sent.__getitem__)

    def __call__(self) -> None:
        """An event is over."""
        engine = self._engine
        count = len(engine.recorder)
        fresh = count - self._rows
        self._rows = count
        for when, kind, node, _, number, _, cell, _ in engine.recorder.rows[-fresh:] if fresh else ():
            if kind == SEND:
                self._sent[number] = when
            elif node >= 0:
                self._beliefs.take(kind, self._names[node], cell)
        changes = [change for name in sorted(engine.touched) for change in self._changes(name, count - 1)]
        engine.touched.clear()
        event = (
            self._trace[count - fresh]
            if self._trace is not None and fresh and count <= len(self._trace)
            else None
        )
        moment = Moment(self._state, self._beliefs, engine.now, self._to_show, event, self._trace)
        self._see(moment, changes)

    def _changes(self, name: str, index: int) -> list[Change]:
        process = self._engine.processes[name]
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
        return [Change(index, self._engine.now / MICROSECONDS, name, new, gone, crashed)]

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
