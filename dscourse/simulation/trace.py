"""What happened: the events of a run, in columns, and questions to ask of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.simulation.faults import Crash, Fault, fault_from_json_value
from dscourse.simulation.messages import encode, message_fields, readable, says_the_same
from dscourse.simulation.names import unknown
from dscourse.simulation.recorder import DELIVER, DROP, FAULT, KINDS, NOBODY, SEND, Recorder, Row
from dscourse.simulation.virtual_time import MICROSECONDS, instant

if TYPE_CHECKING:
    import pandas as pd

Names = str | Iterable[str]
_SHOWN = 12


@dataclass(frozen=True)
class Event:
    """One event of a run.

    Attributes:
        index: its place in the trace.
        time_us: true time in microseconds.
        kind: one of ``KINDS``.
        node: where it happened, or whom it is about.
        peer: the other party, if there is one.
        message: what was sent.
        message_id: the same for a message's sending and its delivery or loss.
        name: of the timer, the record, the fault, the type of message; the reason of a drop; the operation of a client.
        detail: what else is known.
    """

    index: int
    time_us: int
    kind: str
    node: str | None
    peer: str | None
    message: Any
    message_id: int | None
    name: str
    detail: dict[str, Any]

    @property
    def time(self) -> float:
        """True time in seconds."""
        return self.time_us / MICROSECONDS

    @property
    def text(self) -> str:
        """The event in words."""
        return f"{self.time:.6g} s: {_in_words(self)}"

    def __repr__(self) -> str:
        return f"<{self.index}: {self.text}>"


def event_of_row(index: int, row: Row, ids: Sequence[str]) -> Event:
    """The event that a row of the recorder tells of."""
    time, kind, node, peer, number, message, cell, _ = row
    said = cell if isinstance(cell, str) else "" if cell is None else str(cell[0])
    return Event(
        index,
        time,
        KINDS[kind],
        None if node == NOBODY else ids[node],
        None if peer == NOBODY else ids[peer],
        message,
        None if number == NOBODY else number,
        type(message).__name__ if kind <= DELIVER else said,
        _copy_of_containers(cell[1]) if isinstance(cell, tuple) else {},
    )


class Selection(Sequence[Event]):
    """Some events of a trace, in order of time."""

    def __init__(self, trace: Trace, indices: np.ndarray[Any, Any]) -> None:
        self._trace = trace
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __bool__(self) -> bool:
        return len(self.indices) > 0

    def __iter__(self) -> Iterator[Event]:
        return map(self._trace.event, self.indices.tolist())

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Selection(self._trace, self.indices[place])
        return self._trace.event(int(self.indices[place]))

    def __repr__(self) -> str:
        lines = [event.text for event in self[:_SHOWN]]
        if len(self) > _SHOWN:
            lines.append(f"… and {len(self) - _SHOWN} more")
        return "\n".join([f"{len(self)} events", *lines])

    @property
    def names(self) -> set[str]:
        """The names that occur: kinds of records, timers, types of messages, reasons."""
        return {self._trace.name(index) for index in self.indices.tolist()}

    @property
    def times(self) -> list[float]:
        """Seconds of each event."""
        return (self._trace.time_us[self.indices] / MICROSECONDS).tolist()  # type: ignore[no-any-return]

    def select(
        self,
        *,
        kind: Names | None = None,
        node: Names | None = None,
        peer: Names | None = None,
        between: tuple[float, float] | None = None,
        name: Names | None = None,
    ) -> Selection:
        """The events among these that fit; see `Trace.select`."""
        chosen = self._trace.select(kind=kind, node=node, peer=peer, between=between)
        kept = Selection(self._trace, np.intersect1d(self.indices, chosen.indices, assume_unique=True))
        return kept._named(name)

    def frame(self) -> pd.DataFrame:
        """A table with one row an event: time, kind, node, peer, message, detail, message_id."""
        import pandas as pd  # a table is wanted: only now is its library loaded

        trace, indices = self._trace, self.indices
        numbers = trace.message_id[indices]
        places = indices.tolist()
        return pd.DataFrame(
            {
                "time": trace.time_us[indices] / MICROSECONDS,
                "kind": _objects([KINDS[code] for code in trace.kind_code[indices].tolist()]),
                "node": _ids(trace, trace.node_code[indices]),
                "peer": _ids(trace, trace.peer_code[indices]),
                "message": _objects([_shown(trace.messages[place]) for place in places]),
                "detail": _objects([trace.detail_text(place) for place in places]),
                "message_id": pd.arrays.IntegerArray(numbers.copy(), numbers == NOBODY),
            },
            index=pd.Index(indices, name="event"),
        )

    def _named(self, name: Names | None) -> Selection:
        if name is None:
            return self
        wanted = _wanted("name", name)
        kept = [index for index in self.indices.tolist() if self._trace.name(index) in wanted]
        return Selection(self._trace, np.array(kept, dtype=np.int64))


class Trace(Sequence[Event]):
    """All events of a run, in order of time.

    Columns, for pictures and for your own analysis (copy them if you want to change something): ``time_us``,
    ``kind_code`` (an index into ``KINDS``), ``node_code`` and ``peer_code`` (indices into ``ids``, −1 for none),
    ``message_id`` (−1 for none), ``messages``, ``names``, ``details``.
    """

    def __init__(self, recorder: Recorder, ids: Sequence[str], until: int) -> None:
        columns = recorder.columns()
        self.ids: tuple[str, ...] = tuple(ids)
        self._until = until  # µs
        self.time_us = columns.time
        self.kind_code = columns.kind
        self.node_code = columns.node
        self.peer_code = columns.peer
        self.message_id = columns.number
        for column in columns[:5]:
            column.setflags(write=False)  # type: ignore[union-attr]
        self.messages = tuple(columns.messages)
        self._cells = columns.cells

    def __len__(self) -> int:
        return len(self.time_us)

    def __iter__(self) -> Iterator[Event]:
        return map(self.event, range(len(self)))

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Selection(self, np.arange(len(self))[place])
        return self.event(self._place(place))

    def __repr__(self) -> str:
        return repr(Selection(self, np.arange(len(self))))

    @cached_property
    def names(self) -> list[str]:
        """The name of every event."""
        return [self.name(index) for index in range(len(self))]

    @cached_property
    def details(self) -> list[dict[str, Any]]:
        """The detail of every event."""
        return [self.detail(index) for index in range(len(self))]

    def event(self, index: int) -> Event:
        """One event."""
        index = self._place(index)
        numbers = (self.time_us, self.kind_code, self.node_code, self.peer_code, self.message_id)
        time, kind, node, peer, number = (int(column[index]) for column in numbers)
        row = (time, kind, node, peer, number, self.messages[index], self._cells[index], "")
        return event_of_row(index, row, self.ids)

    def name(self, index: int) -> str:
        """The name of one event."""
        cell = self._cells[index]
        if self.kind_code[index] <= DELIVER:
            return type(self.messages[index]).__name__
        return cell if isinstance(cell, str) else str(cell[0])

    def cell(self, index: int) -> Any:
        """Name and detail of one event as the kernel wrote them."""
        return self._cells[index]

    def detail(self, index: int) -> dict[str, Any]:
        """The detail of one event, a copy."""
        cell = self._cells[index]
        return _copy_of_containers(cell[1]) if isinstance(cell, tuple) else {}

    def detail_text(self, index: int) -> str:
        """Name and detail of one event as a short text, for tables."""
        kind, detail = self.kind_code[index], self.detail(index)
        name = "" if kind <= DELIVER else self.name(index)
        if kind == FAULT:
            return (
                f"{name} {detail['phase']}{' (moot)' if detail.get('moot') else ''} {_plain(detail['fault'])}"
            )
        return f"{name} {_plain(detail)}".strip() if detail else name

    def select(
        self,
        *,
        kind: Names | None = None,
        node: Names | None = None,
        peer: Names | None = None,
        between: tuple[float, float] | None = None,
        name: Names | None = None,
    ) -> Selection:
        """The events that fit everything that is asked for.

        Args:
            kind: one kind of event, or several.
            node: where it happened: one id or several. A delivery happens at the receiver.
            peer: the other party. Messages from n1 to n2: ``kind="send", node="n1", peer="n2"``.
            between: [from, to) in seconds.
            name: of the record, timer, fault, type of message, reason of a drop.

        Raises:
            LookupError: there is no such kind or node.
        """
        fits = np.ones(len(self), dtype=bool)
        if kind is not None:
            fits &= np.isin(self.kind_code, _codes("kind of event", kind, KINDS))
        if node is not None:
            fits &= np.isin(self.node_code, _codes("node", node, self.ids))
        if peer is not None:
            fits &= np.isin(self.peer_code, _codes("node", peer, self.ids))
        if between is not None:
            begin, end = _interval(between)
            fits &= (self.time_us >= begin) & (self.time_us < end)
        return Selection(self, np.flatnonzero(fits))._named(name)

    def causes(self, event: Event | int) -> Selection:
        """The causal past of an event: everything that messages can have told its node of, and the event itself.

        An event happened before another if both are at one node and it came first, if it is the sending of a
        message and the other its delivery, or by any chain of these (Lamport 1978). What is not in here had no
        influence by messages. It may have had one by silence: when a timeout expires because a peer has crashed, or
        because a link was cut, that fault is not in here.
        """
        last = self._place(event.index if isinstance(event, Event) else event)
        if isinstance(event, Event) and self.event(last).text != event.text:
            raise ValueError(f"{event!r} is an event of another run")
        known: dict[int, int] = {}  # node → last event of it that is known to come before
        chosen = [last]
        if self._happens_at_node(last):
            pending = [last]
        else:  # the loss of a message happens on the way: only its sending led to it
            pending = [self._sends[int(self.message_id[last])]] if self.kind_code[last] == DROP else []
        places = self._places_of_nodes
        while pending:
            index = pending.pop()
            node = int(self.node_code[index])
            before = known.get(node, -1)
            if index <= before:
                continue
            known[node] = index
            of_node = places[node]
            begin, end = np.searchsorted(of_node, [before + 1, index + 1])
            newly = of_node[begin:end]
            chosen.extend(newly.tolist())
            for place in newly[self.kind_code[newly] == DELIVER].tolist():
                pending.append(self._sends[int(self.message_id[place])])
        return Selection(self, np.unique(np.array(chosen, dtype=np.int64)))

    def fault_intervals(self) -> tuple[tuple[Fault, float, float], ...]:
        """Each fault that was in force, with the seconds from when to when, in order of its beginning.

        One that lasts ends with the run; one that happens at one moment (a clock jumps, a message is lost) ends as it
        begins. Faults that were moot aren't there, nor those that only end others (`Restart`, `Resume`, `Heal`).
        """
        return self._fault_intervals

    def downtimes(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """From when to when each node was down after a crash, in seconds; nodes that never were are missing."""
        found: dict[str, list[tuple[float, float]]] = {}
        for fault, begin, end in self._fault_intervals:
            if isinstance(fault, Crash):
                found.setdefault(fault.node, []).append((begin, end))
        return {node: tuple(intervals) for node, intervals in found.items()}

    @cached_property
    def _fault_intervals(self) -> tuple[tuple[Fault, float, float], ...]:
        begun: list[tuple[Fault, int]] = []
        ends: dict[int, int] = {}  # place in ``begun`` → µs
        for index in np.flatnonzero(self.kind_code == FAULT).tolist():
            detail, now = self.detail(index), int(self.time_us[index])
            if detail.get("moot"):
                continue
            fault = fault_from_json_value(detail["fault"])
            in_force = [place for place in range(len(begun)) if place not in ends]
            if detail["phase"] == "end":
                ends[next(place for place in in_force if begun[place][0] == fault)] = now
                continue
            ends |= {place: now for place in in_force if fault.ends(begun[place][0])}
            if not fault.ends_others:
                begun.append((fault, now))
                if fault.is_instant:
                    ends[len(begun) - 1] = now
        return tuple(
            (fault, begin / MICROSECONDS, ends.get(place, self._until) / MICROSECONDS)
            for place, (fault, begin) in enumerate(begun)
        )

    def frame(self) -> pd.DataFrame:
        """A table with one row an event: time, kind, node, peer, message, detail, message_id."""
        return Selection(self, np.arange(len(self))).frame()

    def first_difference(self, other: Trace, before: int | None = None) -> int | None:
        """The first event in which two traces differ, up to a time in µs; None if there is none."""
        if not isinstance(other, Trace):
            raise TypeError(f"first_difference takes another trace, got {other!r}")
        mine = len(self) if before is None else int(np.searchsorted(self.time_us, before))
        its = len(other) if before is None else int(np.searchsorted(other.time_us, before))
        count = min(mine, its)
        pairs = (
            (self.time_us, other.time_us),
            (self.kind_code, other.kind_code),
            (self.node_code, other.node_code),
            (self.peer_code, other.peer_code),
            (self.message_id, other.message_id),
        )
        same = np.ones(count, dtype=bool)
        for a, b in pairs:
            same &= a[:count] == b[:count]
        differing = np.flatnonzero(~same)
        first = int(differing[0]) if len(differing) else count
        inside = self._first_other_content(other, first)
        if inside is not None:
            return inside
        return first if first < max(mine, its) else None

    @cached_property
    def _sends(self) -> dict[int, int]:
        places = np.flatnonzero(self.kind_code == SEND)
        return dict(zip(self.message_id[places].tolist(), places.tolist(), strict=True))

    @cached_property
    def _places_of_nodes(self) -> list[np.ndarray[Any, Any]]:
        at_node = self.kind_code != DROP
        return [np.flatnonzero(at_node & (self.node_code == node)) for node in range(len(self.ids))]

    def _place(self, index: Any) -> int:
        if isinstance(index, bool) or not hasattr(type(index), "__index__"):
            raise TypeError(f"an event is named by its number in the trace, a whole number, got {index!r}")
        try:
            return range(len(self))[index]  # type: ignore[no-any-return]
        except (IndexError, TypeError):  # TypeError: an array that is no scalar
            raise IndexError(
                f"there is no event {index}; the trace has {len(self)}, numbered from 0"
            ) from None

    def _happens_at_node(self, index: int) -> bool:
        return bool(self.kind_code[index] != DROP and self.node_code[index] != NOBODY)

    def _first_other_content(self, other: Trace, count: int) -> int | None:
        """The first of ``count`` events, alike in all else, that says something else, by the measure of the digest.

        That measure is the canonical JSON: 1, 1.0 and True are three different things. A delivery or a drop says what
        was sent, so only the sending is looked at.
        """
        mine = its = None  # the message before: a broadcast sends one object many times
        rows = zip(
            self.kind_code[:count].tolist(),
            self.messages,
            other.messages,
            self._cells,
            other._cells,
            strict=False,
        )
        for i, (kind, message, its_message, cell, its_cell) in enumerate(rows):
            if kind == SEND and not (message is mine and its_message is its):
                mine, its = message, its_message
                if not says_the_same(mine, its):
                    return i
            if cell is not its_cell and not _is_same_cell(cell, its_cell):
                return i
        return None

    def _id(self, code: Any) -> str | None:
        return None if code == NOBODY else self.ids[code]


def _is_same_cell(a: Any, b: Any) -> bool:
    """Whether two events have the same name and the same detail, values and types."""
    return bool(a == b) and (isinstance(a, str) or _text_of(a) == _text_of(b))


def _text_of(cell: Any) -> str:
    return json.dumps(cell, sort_keys=True, default=encode)


def _copy_of_containers(value: Any) -> Any:
    """A copy whose dicts and lists are its own; all else that stands in a trace can't be changed."""
    if isinstance(value, dict):
        return {name: _copy_of_containers(item) for name, item in value.items()}
    return [_copy_of_containers(item) for item in value] if isinstance(value, list) else value


def _wanted(what: str, names: Names) -> tuple[str, ...]:
    wanted = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, Iterable) else (None,)
    if not all(isinstance(one, str) for one in wanted):
        raise TypeError(f"{what} must be a text or several, such as a list of texts, got {names!r}")
    return wanted


def _codes(what: str, names: Names, known: Sequence[str]) -> list[int]:
    wanted = _wanted(what, names)
    for name in wanted:
        if name not in known:
            raise unknown(what, name, known)
    return [known.index(name) for name in wanted]


def _interval(between: tuple[float, float]) -> tuple[int, int]:
    if not isinstance(between, tuple | list) or len(between) != 2:
        raise TypeError(f"between must be two times in seconds, such as (3.0, 4.0), got {between!r}")
    begin, end = instant("begin of between", between[0]), instant("end of between", between[1])
    if end < begin:
        raise ValueError(f"between must go forward in time, got {between!r}")
    return begin, end


def _ids(trace: Trace, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _objects([trace._id(code) for code in codes.tolist()])


def _objects(values: list[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _shown(message: Any) -> str | None:
    return None if message is None else repr(message)


def _plain(detail: dict[str, Any]) -> str:
    shown = {name: value if isinstance(value, dict) else _readable(value) for name, value in detail.items()}
    return json.dumps(shown, ensure_ascii=False)


def _readable(value: Any) -> Any:
    return value if isinstance(value, list) else readable(value)


def _message(event: Event) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in message_fields(event.message).items())
    name = type(event.message).__name__
    return f"{name}({fields})" if fields else name


def _of_send(event: Event) -> str:
    lie = f" (a lie: {event.detail['byzantine']})" if "byzantine" in event.detail else ""
    twice = " (the network copies it)" if "copies" in event.detail else ""
    return f"{event.node} sends {_message(event)} to {event.peer}{lie}{twice}"


def _of_deliver(event: Event) -> str:
    copy = "a copy of " if "copy" in event.detail else ""
    waited = f" after waiting since {event.detail['arrived']:.6g} s" if "arrived" in event.detail else ""
    return f"{event.node} gets {copy}{_message(event)} from {event.peer}{waited}"


def _of_record(event: Event) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in event.detail.items())
    return f"{event.node} records {event.name}" + (f": {fields}" if fields else "")


def _of_fault(event: Event) -> str:
    words = fault_from_json_value(event.detail["fault"]).describe()
    return f"{'end of: ' if event.detail['phase'] == 'end' else ''}{words}" + (
        " (without effect)" if event.detail.get("moot") else ""
    )


def _of_drop(event: Event) -> str:
    copy = "a copy of " if "copy" in event.detail else ""
    return f"{copy}{_message(event)} from {event.peer} to {event.node} is dropped: {event.name}"


def _of_client(event: Event) -> str:
    client, node, operation = event.node, event.peer, event.name
    if event.kind == "invoke":
        return f"{client} asks {node}: {operation}"
    if event.kind == "ok":
        return f"{client} has its answer to {operation!r} from {node}: {event.detail['value']!r}"
    if event.kind == "fail":
        return f"{client} is refused {operation!r} by {node}"
    return f"{client} gives up waiting for {operation!r} from {node}"


def _of_timer(event: Event) -> str:
    return f"timer {event.name!r} of {event.node} is due"


_WORDS: dict[str, Callable[[Event], str]] = {
    "send": _of_send,
    "deliver": _of_deliver,
    "drop": _of_drop,
    "timer": _of_timer,
    "record": _of_record,
    "fault": _of_fault,
}


def _in_words(event: Event) -> str:
    return _WORDS.get(event.kind, _of_client)(event)
