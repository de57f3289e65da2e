"""The trace on its way to the browser: columns of numbers, a table of texts, compressed, sent once.

Layout before compression (all little endian): length of the header (u4), header (JSON, padded with blanks), then the
columns one after the other, those with the widest numbers first. ``header["columns"]`` lists name, type, offset, count.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import numpy as np

from dscourse.simulation import KINDS, Fault, Run
from dscourse.simulation.behaviours import Behaviour, behaviour_in_words
from dscourse.simulation.faults import fault_from_json_value
from dscourse.views import palette
from dscourse.views.player.commands import lies_of
from dscourse.views.player.fault_intervals import Band, Mark, bands, marks
from dscourse.views.player.lanes import Lane
from dscourse.views.player.positions import positions
from dscourse.views.player.scene import BY_FAULT, never_told, queue_changes, waiting_at_end
from dscourse.views.player.strips import COLOURS, strips

_NOBODY = 0xFFFF
_NO_MESSAGE = 0xFFFFFFFF
_LONGEST_TEXT = 300  # characters of a message or a detail that the player shows
_ON_LIGHT = [
    palette.BLUE,
    palette.ORANGE,
    palette.GREEN,
    palette.PURPLE,
    palette.SKY,
    palette.YELLOW,
    palette.GREY,
]
_ON_DARK = [
    palette.SKY,
    palette.ORANGE,
    palette.GREEN,
    palette.PURPLE,
    palette.BLUE,
    palette.YELLOW,
    palette.LIGHT_GREY,
]
_TYPES: dict[str, Any] = {"u4": np.dtype("<u4"), "u2": np.dtype("<u2"), "u1": np.dtype("u1")}


def pack(
    run: Run,
    hidden: Collection[Fault] = (),
    lanes: Sequence[Lane] = (),
    changed_from: float | None = None,
    lies: Sequence[Behaviour] = (),
) -> bytes:
    """Return a run as the player's JavaScript reads it.

    Args:
        run: the run.
        hidden: faults of which nothing may be in it.
        lanes: what to draw over time under the time line.
        changed_from: from when on (seconds) it isn't the run that `play` was given; None if it is.
        lies: behaviours that the learner may give to any node, besides those that the run names.

    Raises:
        ValueError: if the run has more parties or a longer silence than the columns can hold.
    """
    header, columns = unpacked(run, hidden)
    header["lanes"] = [lane.drawn(run, changed_from) for lane in lanes]
    header["lies"] = [] if hidden else [behaviour_in_words(one) for one in lies_of(run, lies)]
    layout: list[list[Any]] = []
    blocks: list[bytes] = []
    offset = 0
    for name, (kind, values) in columns.items():
        block = np.ascontiguousarray(values, dtype=_TYPES[kind]).tobytes()
        layout.append([name, kind, offset, len(values)])
        blocks.append(block)
        offset += len(block)
    text = _with_offsets(header, layout)
    return zlib.compress(len(text).to_bytes(4, "little") + text + b"".join(blocks), 6)


def _with_offsets(header: dict[str, Any], layout: list[list[Any]]) -> bytes:
    """The header as JSON in which the columns' offsets count from the start of the block."""
    start = 0
    while True:  # the offsets stand in the header and depend on its length: two rounds settle it
        shifted = [[name, kind, start + offset, count] for name, kind, offset, count in layout]
        text = json.dumps({**header, "columns": shifted}, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-(4 + len(text)) % 4)
        if 4 + len(text) == start:
            return text
        start = 4 + len(text)


def unpacked(run: Run, hidden: Collection[Fault] = ()) -> tuple[dict[str, Any], dict[str, tuple[str, Any]]]:
    """Return header and columns before they are packed."""
    trace = run.trace
    if len(trace.ids) >= _NOBODY:
        raise ValueError(f"the player shows up to {_NOBODY - 1} nodes and clients, got {len(trace.ids)}")
    told = _told(run, hidden) if hidden else np.ones(len(trace), dtype=bool)
    gaps = np.diff(np.asarray(trace.time_us, dtype=np.int64)[told], prepend=0)
    if len(gaps) and int(gaps.max()) > 0xFFFFFFFF:
        raise ValueError(
            f"the player can't show a run in which nothing happens for {gaps.max() / 1e6:.0f} s; the limit is 4294 s"
        )
    words = _Words(run, told)
    stops = marks(run, hidden)
    still_waiting = {} if hidden else waiting_at_end(run)
    places = {party: index for index, party in enumerate(trace.ids)}
    header = {
        "until": round(run.until * 1e6),
        "kinds": list(KINDS),
        "types": list(words.types),
        "texts": list(words.texts),
        "parties": _parties(run),
        "links": _links(run, places),
        "takesFaults": run.scenario.takes_faults,
        "directed": bool(run.scenario.network.graph.is_directed()),
        "bands": [_band(number, band, places) for number, band in enumerate(bands(run, hidden))],
        "marks": _marks(run, stops, places, hidden),
        "arrivals": _arrivals(run, told),
        "waiting": [
            [message.message_id, round(message.arrived * 1e6)]
            for held in still_waiting.values()
            for message in held
        ],
        "looks": _looks(run, stops),
        "untold": sorted(never_told(run)) if hidden else [],
        "strips": strips(run),
        "stripColours": COLOURS,
        "series": _ON_LIGHT,
        "seriesOnDark": _ON_DARK,
    }
    columns = {
        "delta": ("u4", gaps),
        "type": ("u4", words.type),
        "text": ("u4", words.text),
        "message": ("u4", _unsigned(trace.message_id[told], _NO_MESSAGE)),
        "node": ("u2", _unsigned(trace.node_code[told], _NOBODY)),
        "peer": ("u2", _unsigned(trace.peer_code[told], _NOBODY)),
        "kind": ("u1", trace.kind_code[told]),
    }
    return header, columns


def _told(run: Run, hidden: Collection[Fault]) -> Any:
    """Return which events are sent along: not those of hidden faults, nor a loss with its reason."""
    trace = run.trace
    told = np.ones(len(trace), dtype=bool)
    for index in np.flatnonzero(trace.kind_code == KINDS.index("fault")).tolist():
        told[index] = fault_from_json_value(trace.details[index]["fault"]) not in hidden
    for index in np.flatnonzero(trace.kind_code == KINDS.index("drop")).tolist():
        told[index] = trace.names[index] not in BY_FAULT
    return told


def _unsigned(codes: Any, nobody: int) -> Any:
    values = np.asarray(codes, dtype=np.int64)
    return np.where(values < 0, nobody, values)


class _Words:
    """Names and texts of all events, each told once and then referred to by number."""

    def __init__(self, run: Run, told: Any) -> None:
        self.types: dict[str, int] = {}
        self.texts: dict[str, int] = {"": 0}
        self.type: list[int] = []
        self.text: list[int] = []
        trace = run.trace
        message_texts: dict[int, int] = {}  # by identity: a broadcast sends one object many times
        rows = zip(trace.kind_code.tolist(), trace.messages, trace.names, trace.details, strict=True)
        for index, (code, message, name, detail) in enumerate(rows):
            if not told[index]:
                continue
            kind, text = KINDS[code], 0
            if kind == "send":
                text = message_texts.get(id(message), 0)
                if not text:
                    text = message_texts[id(message)] = self._text(in_words(message))
            elif kind == "drop":
                text = self._text(json.dumps(name))
                name = type(message).__name__
            elif kind == "fault":
                text = self._text(json.dumps(trace[index].text.split(": ", 1)[1]))
            elif detail and kind not in ("deliver", "timer"):
                text = self._text(_detail(detail))
            self.type.append(self.types.setdefault(name, len(self.types)))
            self.text.append(text)

    def _text(self, text: str) -> int:
        if len(text) > _LONGEST_TEXT and not text.startswith("{"):
            text = text[:_LONGEST_TEXT] + "…"
        return self.texts.setdefault(text, len(self.texts))


def in_words(message: Any) -> str:
    """Return a message in words: ``Vote: term 3, granted yes`` for ``Vote(term=3, granted=True)``."""
    if is_dataclass(message):
        parts = ", ".join(
            f"{field.name.replace('_', ' ')} {_value(getattr(message, field.name))}"
            for field in fields(message)
        )
        return type(message).__name__ + (f": {parts}" if parts else "")
    return f"{type(message).__name__}: {_value(message)}"


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_value, value))})"
    return f"({in_words(value)})" if is_dataclass(value) else str(value)


def _detail(detail: dict[str, Any]) -> str:
    """A record's fields as JSON, long values cut short."""
    return json.dumps({name: _short(value) for name, value in detail.items()})


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=in_words)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def _parties(run: Run) -> list[dict[str, Any]]:
    graph = run.scenario.network.graph
    placed = positions(run)
    parties = []
    for party in run.trace.ids:
        x, y = placed[party]
        attributes = graph.nodes[party] if party in graph else {}
        queues = attributes.get("service_time") is not None
        parties.append(
            {
                "id": party,
                "x": x,
                "y": y,
                "client": party not in graph,
                "queues": queues,
                "queueLimit": attributes.get("queue_limit") if queues else None,
            }
        )
    return parties


def _links(run: Run, places: dict[str, int]) -> list[list[int]] | None:
    """Pairs of numbers; None stands for every pair of nodes."""
    graph = run.scenario.network.graph
    if graph.graph.get("complete"):
        return None
    pairs: Iterable[tuple[int, int]] = ((places[a], places[b]) for a, b in graph.edges if a != b)
    return [list(pair) for pair in dict.fromkeys(tuple(sorted(pair)) for pair in pairs)]


def _band(number: int, band: Band, places: dict[str, int]) -> dict[str, Any]:
    return {
        "number": number,
        "kind": band.kind,
        "label": band.label,
        "from": band.begin,
        "to": band.end,
        "nodes": [places[node] for node in band.nodes],
        "link": None if band.link is None else [places[end] for end in band.link],
        "groups": [[places[node] for node in group] for group in band.groups],
        "oneWay": band.one_way,
    }


def _arrivals(run: Run, told: Any) -> list[list[int]]:
    """[row, µs] of messages that reached their node before they were worked on: the row says when that was."""
    kinds = run.trace.kind_code
    over = np.flatnonzero((kinds == KINDS.index("deliver")) | (kinds == KINDS.index("drop")))
    details = ((row, run.trace.details[row]) for row in over.tolist())
    sent_as = np.cumsum(told) - 1
    return [
        [int(sent_as[row]), round(detail["arrived"] * 1e6)]
        for row, detail in details
        if "arrived" in detail and told[row]
    ]


def _marks(run: Run, stops: list[Mark], places: dict[str, int], hidden: Collection[Fault]) -> list[list[Any]]:
    """[µs, party, change] in order of time; a number as change is added to the length of the node's queue."""
    rows: list[list[Any]] = [[mark.microseconds, places[mark.node], mark.change] for mark in stops]
    rows += [[time, places[node], change] for time, node, change in queue_changes(run, hidden=hidden)]
    return sorted(rows, key=lambda row: row[0])


def _looks(run: Run, stops: list[Mark]) -> dict[str, dict[str, Any]]:
    """How every status that can be seen in this run is drawn; ``seen`` says whether it is."""
    seen: dict[str, bool] = {"up": False, "crashed": False, "paused": False}
    announced: set[str] = set()
    for event in run.trace.select(kind="record", name="status"):
        seen[str(event.detail.get("status", "up"))] = True
        if event.time_us == 0 and event.node is not None:
            announced.add(event.node)
    seen["up"] = seen["up"] or len(announced) < len(run.nodes)
    for mark in stops:
        if mark.change in ("down", "paused"):
            seen["crashed" if mark.change == "down" else "paused"] = True
    return {status: {**asdict(palette.look(status)), "seen": shown} for status, shown in seen.items()}
