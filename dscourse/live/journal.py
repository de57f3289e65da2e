"""What every process has written down, put in one order, and made a trace of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dscourse.live.wire import Classes, from_wire
from dscourse.simulation.faults import Crash, Fault, Pause, Restart, Resume
from dscourse.simulation.messages import canonical_json, encode
from dscourse.simulation.recorder import DELIVER, DROP, FAULT, NOBODY, RECORD, SEND, TIMER, Row

_UNDER_WAY = 500_000  # µs; a message between processes takes less, or never arrives
Key = tuple[str, int, int]  # of a message: sender, incarnation, number


class Entry(NamedTuple):
    """One thing that happened.

    Attributes:
        time: µs.
        party: where.
        incarnation: in which life of it.
        kind: "boot", "deliver", "timer", "send", "record", "save", "drop", "stray", "error", "fault", or "told" by a
            client.
        values: what else is known.
    """

    time: int
    party: str
    incarnation: int
    kind: str
    values: tuple[Any, ...]


@dataclass
class Step:
    """Something that came in to a party, or a fault, with the rows of the trace that follow from it.

    Attributes:
        time: µs.
        party: to whom it came; empty for a fault.
        given: to a node: ("boot", incarnation), ("deliver", sender, message) or ("timer", name); None for a client.
        rows: of the trace.
        failed: whether the node's handler raised an error.
        fault: that begins, if one does.
    """

    time: int
    party: str
    given: tuple[Any, ...] | None = None
    rows: list[Row] = field(default_factory=list)
    failed: bool = False
    fault: Fault | None = None


class JournalFile:
    """The journal of one life of a node, read as it grows."""

    def __init__(self, path: Path, party: str, incarnation: int) -> None:
        self.path = path
        self.party = party
        self.incarnation = incarnation
        self.entries: list[Entry] = []
        self._place = 0

    def read_on(self, classes: Classes) -> list[Entry]:
        """Read what is new; a line that isn't complete was never finished."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._place)
                content = file.read()
        except FileNotFoundError:
            return []
        end = content.rfind(b"\n") + 1
        self._place += end
        new = [self._entry(json.loads(line), classes) for line in content[:end].splitlines()]
        self.entries += new
        return new

    @property
    def last_time(self) -> int:
        """When the last thing in it happened, in µs."""
        return self.entries[-1].time if self.entries else 0

    @property
    def saved_version(self) -> int | None:
        """Which of its states counts as saved; None if none in this life."""
        return next((entry.values[0] for entry in reversed(self.entries) if entry.kind == "save"), None)

    def _entry(self, line: list[Any], classes: Classes) -> Entry:
        kind, time, *values = line
        if kind == "send":
            values[-1] = from_wire(values[-1], classes)
        return Entry(time, self.party, self.incarnation, kind, tuple(values))


def steps_of(entries: Iterable[Entry], ids: Sequence[str], until: int) -> list[Step]:
    """Put entries in order and make steps of them.

    Args:
        entries: of all parties, those of one life in the order in which they were written.
        ids: of nodes and clients.
        until: µs; what was written of a later time isn't looked at.
    """
    places = {name: place for place, name in enumerate(ids)}
    kept = [entry for entry in entries if entry.time < until]
    kept.sort(key=lambda entry: (entry.time, places.get(entry.party, -1), entry.incarnation))
    return _Merge(places, until).steps(kept)


class _Message(NamedTuple):
    number: int
    sender: str
    to: str
    sent: int
    message: Any


class _Merge:
    def __init__(self, places: Mapping[str, int], until: int) -> None:
        self._places = places
        self._until = until
        self._messages: dict[Key, _Message] = {}
        self._open: dict[int, _Message] = {}  # sent, and neither delivered nor dropped
        self._steps: list[Step] = []
        self._paused: set[str] = set()  # at the end

    def steps(self, entries: Iterable[Entry]) -> list[Step]:
        latest: dict[str, Step] = {}
        times: dict[type, dict[str, list[int]]] = {Crash: {}, Restart: {}}
        for entry in entries:
            if entry.kind in ("send", "record", "save", "error"):
                step = latest[entry.party]
            else:
                step = latest[entry.party] = Step(entry.time, entry.party)
                self._steps.append(step)
            getattr(self, f"_{entry.kind}")(entry, step)
            if isinstance(step.fault, Crash | Restart):
                times[type(step.fault)].setdefault(step.fault.node, []).append(entry.time)
            if isinstance(step.fault, Pause):
                self._paused.add(step.fault.node)
            elif isinstance(step.fault, Resume | Crash):
                self._paused.discard(step.fault.node)
        self._lose(times[Crash], times[Restart])
        self._steps.sort(key=lambda step: step.time)
        return self._steps

    # ── One kind of entry each ──

    def _boot(self, entry: Entry, step: Step) -> None:
        step.given = ("boot", entry.incarnation)

    def _timer(self, entry: Entry, step: Step) -> None:
        (name,) = entry.values
        step.given = ("timer", name)
        step.rows.append(self._row(entry, TIMER, None, NOBODY, None, name, canonical_json(name)))

    def _deliver(self, entry: Entry, step: Step) -> None:
        sent = self._messages[entry.values]  # type: ignore[index]
        self._open.pop(sent.number, None)
        step.given = ("deliver", sent.sender, sent.message)
        step.rows.append(self._row(entry, DELIVER, sent.sender, sent.number, sent.message, None, ""))

    def _send(self, entry: Entry, step: Step) -> None:
        to, number, is_cut, message = entry.values
        sent = _Message(len(self._messages), entry.party, to, entry.time, message)
        self._messages[entry.party, entry.incarnation, number] = sent
        self._open[sent.number] = sent
        step.rows.append(self._row(entry, SEND, to, sent.number, message, None, encode(message)))
        if is_cut:
            step.rows.append(self._dropped(sent, "cut", entry.time))

    def _drop(self, entry: Entry, step: Step) -> None:
        step.rows.append(self._dropped(self._messages[entry.values], "cut", entry.time))  # type: ignore[index]

    def _record(self, entry: Entry, step: Step) -> None:
        kind, detail = entry.values
        peer = detail.get("peer")
        peer = peer if type(peer) is str and peer in self._places else None
        text = canonical_json([kind, detail])
        step.rows.append(self._row(entry, RECORD, peer, NOBODY, None, (kind, detail), text))

    def _save(self, entry: Entry, step: Step) -> None:
        """It is done again when the handler is."""

    def _stray(self, entry: Entry, step: Step) -> None:
        """It is counted, and is no event of the run."""

    def _error(self, entry: Entry, step: Step) -> None:
        step.failed = True

    def _told(self, entry: Entry, step: Step) -> None:
        step.rows.append((entry.time, *entry.values))

    def _fault(self, entry: Entry, step: Step) -> None:
        (fault,) = entry.values
        pair = fault.link_pair
        named = (getattr(fault, "node", None), None) if pair is None else pair
        node, peer = (NOBODY if name is None else self._places[name] for name in named)
        detail = {"phase": "start", "fault": fault.to_json_value()}
        cell = (type(fault).__name__, detail)
        step.fault, step.party = fault, ""
        step.rows.append((entry.time, FAULT, node, peer, NOBODY, None, cell, canonical_json(detail)))

    # ── What nobody has written down ──

    def _lose(self, crashes: Mapping[str, list[int]], restarts: Mapping[str, list[int]]) -> None:
        """Tell what became of messages that never came out anywhere: nearly all met a process that was dead.

        What was sent shortly before the end, or to somebody who was then paused, is still under way.
        """
        for sent in list(self._open.values()):
            died = _last_before(crashes.get(sent.to, ()), sent.sent)
            is_down = died is not None and died > (_last_before(restarts.get(sent.to, ()), sent.sent) or -1)
            dies = next((time for time in crashes.get(sent.to, ()) if time >= sent.sent), None)
            if is_down or dies is not None:
                when = sent.sent + 1 if is_down or dies is None else dies
                self._steps.append(Step(when, "", rows=[self._dropped(sent, "crashed", when)]))
            elif sent.to not in self._paused and sent.sent < self._until - _UNDER_WAY:
                when = sent.sent + 1
                self._steps.append(Step(when, "", rows=[self._dropped(sent, "lost", when)]))

    # ── Rows ──

    def _row(
        self, entry: Entry, kind: int, peer: str | None, number: int, message: Any, cell: Any, text: str
    ) -> Row:
        place = NOBODY if peer is None else self._places[peer]
        return (entry.time, kind, self._places[entry.party], place, number, message, cell, text)

    def _dropped(self, sent: _Message, reason: str, time: int) -> Row:
        self._open.pop(sent.number, None)
        places = self._places
        text = canonical_json([reason, {}])
        return (time, DROP, places[sent.to], places[sent.sender], sent.number, sent.message, reason, text)


def _last_before(times: Sequence[int], when: int) -> int | None:
    return max((time for time in times if time <= when), default=None)
