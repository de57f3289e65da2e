"""What there is to see at a moment: the still picture of what the player's JavaScript works out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from dscourse.simulation import KINDS, Event, Fault, Moment, Run
from dscourse.simulation.moment import Waiting
from dscourse.views.player.fault_intervals import Band, bands
from dscourse.views.player.strips import strip_of, strip_words

BY_FAULT = ("lost", "cut", "crashed")  # reasons of a drop that tell of a fault
UNTOLD = "?"  # stands for each of them where faults are hidden: the message just never arrives


@dataclass(frozen=True)
class NodeState:
    """What a node shows.

    Attributes:
        condition: "up", "crashed" or "paused".
        status: what it last recorded; "up" if nothing since it started.
        label: what it calls that.
        suspected_by: number of live nodes that suspect it.
        peers: number of its live neighbours.
        strip: the cells of its log: index, term, whether it is committed; None if it has none.
    """

    condition: str
    status: str
    label: str
    suspected_by: int
    peers: int
    strip: tuple[tuple[int, ...], ...] | None = None

    @property
    def look(self) -> str:
        """The status as the eye sees it."""
        return self.status if self.condition == "up" else self.condition

    def words(self) -> str:
        """The state in words."""
        words = self.look + (f" ({self.label})" if self.label and self.condition != "crashed" else "")
        words += f", suspected by {self.suspected_by} of {self.peers} live peers" if self.suspected_by else ""
        return words if self.strip is None else f"{words}, {strip_words(self.strip)}"


@dataclass(frozen=True)
class Flight:
    """A message on its way: ``part`` of the way at the moment asked for; ``reason`` if it has just been dropped.

    Times are in microseconds. ``end`` of a message that is still under way when the run ends is a guess.
    """

    sender: str
    to: str
    type: str
    sent: int
    end: int
    reason: str | None
    typical: int
    part: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Everything there is to see at a moment."""

    nodes: dict[str, NodeState]
    flights: list[Flight]
    bands: list[Band]

    def can_talk(self, a: str, b: str) -> bool:
        """Whether every partition and every cut in the picture lets ``a`` talk to ``b``."""
        for band in self.bands:
            if band.kind == "cut":
                if band.link == (a, b) or (band.link == (b, a) and not band.one_way):
                    return False
            elif band.kind == "partition" and not any(a in group and b in group for group in band.groups):
                return False
        return True


def scene_at(run: Run, microseconds: int, hidden: Collection[Fault] = ()) -> Scene:
    """Return what there is to see after every event at or before a moment, if some faults are not to be seen."""
    now = run.at(microseconds / 1e6)
    flights = [
        _placed(flight, microseconds)
        for flight in _flights(run, microseconds, microseconds, hidden)
        if _visible(flight, microseconds)
    ]
    in_force = [band for band in bands(run, hidden) if band.holds_at(microseconds)]
    states = _told_states(run, microseconds, in_force) if hidden else _states(run, now)
    return Scene(states, flights, in_force)


def queueing(run: Run) -> set[str]:
    """Return the nodes with a queue: those that take time to serve a message."""
    graph = run.scenario.network.graph
    return {node for node in run.nodes if graph.nodes[node].get("service_time") is not None}


def waiting_at_end(run: Run) -> dict[str, tuple[Waiting, ...]]:
    """Return what waits in a queue or at a paused node when the run ends: it has left no row in the trace.

    It costs a re-run, so only runs that can have such messages are asked.
    """
    last = round(run.until * 1e6)
    if not queueing(run) and not any(band.kind == "pause" and band.holds_at(last) for band in bands(run)):
        return {}
    return {node: held for node, held in run.at(run.until).waiting.items() if held}


def flights_between(run: Run, begin: int, end: int, hidden: Collection[Fault] = ()) -> list[Flight]:
    """Return the messages that are under way, or are dropped, at some time in [begin, end)."""
    return [
        flight for flight in _flights(run, begin, end, hidden) if flight.sent < end and flight.end >= begin
    ]


def _states(run: Run, now: Moment) -> dict[str, NodeState]:
    neighbours, condition = _neighbours(run), now.condition
    doubts = Counter(peer for peers in now.suspicions.values() for peer in peers)
    states = {}
    for node in run.nodes:
        status, label = now.status.get(node, ("up", ""))
        live = sum(condition[peer] != "crashed" for peer in neighbours[node])
        cells = strip_of(now.nodes[node]) if node in now.nodes else None
        strip = None if cells is None else tuple(tuple(cell) for cell in cells)
        states[node] = NodeState(condition[node], status, label, doubts[node], live, strip)
    return states


def _told_states(run: Run, microseconds: int, in_force: list[Band]) -> dict[str, NodeState]:
    """What nodes told of themselves: of one that is secretly down, the last that it said."""
    stopped = {
        band.nodes[0]: {"crash": "crashed"}.get(band.kind, "paused")
        for band in in_force
        if band.kind in ("crash", "pause")
    }
    said, doubts = {}, set()
    for event in run.trace.select(kind="record"):
        if event.time_us > microseconds:
            break
        if event.name == "status":
            said[event.node] = (str(event.detail.get("status", "up")), str(event.detail.get("label") or ""))
        elif event.name == "suspect":
            doubts.add((event.node, event.peer))
        elif event.name == "trust":
            doubts.discard((event.node, event.peer))
    counts = Counter(peer for _, peer in doubts)
    neighbours = _neighbours(run)
    states = {}
    for node in run.nodes:
        live = sum(stopped.get(peer) != "crashed" for peer in neighbours[node])
        states[node] = NodeState(stopped.get(node, "up"), *said.get(node, ("up", "")), counts[node], live)
    return states


def _neighbours(run: Run) -> dict[str, set[str]]:
    graph = run.scenario.network.graph
    if graph.graph.get("complete"):
        return {node: set(run.nodes) - {node} for node in run.nodes}
    around: dict[str, set[str]] = {node: set() for node in run.nodes}
    for a, b in graph.edges:
        if a != b:
            around[a].add(b)
            around[b].add(a)
    return around


def queue_changes(run: Run, *, hidden: Collection[Fault] = ()) -> list[tuple[int, str, int]]:
    """Return (µs, node, +1 or -1): a message begins or ends to wait at a node with a queue; in order of time.

    Where faults are hidden, what waits until the run ends is left out: nobody outside knows that it has arrived.
    """
    queues, trace = queueing(run), run.trace
    rows: list[tuple[int, str, int]] = []
    over = np.isin(trace.kind_code, [KINDS.index("deliver"), KINDS.index("drop")])
    for index in np.flatnonzero(over).tolist() if queues else ():
        event = trace[index]
        if event.node in queues and "arrived" in event.detail:
            arrived = round(event.detail["arrived"] * 1e6)
            rows += [(arrived, str(event.node), 1), (event.time_us, str(event.node), -1)]
    for node, held in ({} if hidden else waiting_at_end(run)).items():
        if node in queues:
            rows += [(round(message.arrived * 1e6), node, 1) for message in held]
    return sorted(rows, key=lambda row: row[0])


def never_told(run: Run) -> set[int]:
    """Return the numbers of messages that nobody is told of where faults are hidden.

    They were lost for whatever reason a fault gives, or are held by their addressee when the run ends: from outside
    that is the same.
    """
    trace = run.trace
    delivered = set(trace.message_id[trace.kind_code == KINDS.index("deliver")].tolist())
    drops = np.flatnonzero(trace.kind_code == KINDS.index("drop")).tolist()
    lost = {int(trace.message_id[row]) for row in drops if trace.names[row] in BY_FAULT}
    held = {int(mail.message_id) for mails in waiting_at_end(run).values() for mail in mails}
    return (lost | held) - delivered


def _flights(run: Run, begin: int, end: int, hidden: Collection[Fault] = ()) -> list[Flight]:
    """Messages that are under way at some time in [begin, end], or have been dropped shortly before, by sending."""
    trace = run.trace
    ends = np.flatnonzero(np.isin(trace.kind_code, [KINDS.index("deliver"), KINDS.index("drop")]))
    sends = np.flatnonzero(trace.kind_code == KINDS.index("send"))
    sends = sends[np.argsort(trace.message_id[sends], kind="stable")]
    numbers = trace.message_id[sends]
    sending = sends[np.searchsorted(numbers, trace.message_id[ends])]
    delays = np.sort(trace.time_us[ends] - trace.time_us[sending])
    delays = delays[delays > 0]
    typical = int(delays[(len(delays) - 1) // 2]) if len(delays) else max(1, round(run.until * 1e4))
    seen = (trace.time_us[sending] <= end) & (trace.time_us[ends] >= begin - 2 * typical)
    flights = []
    secret = never_told(run) if hidden else set()
    for row, sent in zip(ends[seen].tolist(), sending[seen].tolist(), strict=True):
        over = trace[row]
        if hidden and over.kind == "drop" and over.name in BY_FAULT:
            if over.message_id in secret:
                flights.append(_flight(trace[sent], trace[sent].time_us + typical, UNTOLD, typical))
            continue
        arrival = round(over.detail.get("arrived", over.time) * 1e6)
        flights.append(_flight(trace[sent], arrival, over.name if over.kind == "drop" else None, typical))
    waits = {
        mail.message_id: round(mail.arrived * 1e6) for held in waiting_at_end(run).values() for mail in held
    }
    after = round(run.until * 1e6) + 2 * typical
    for sent in sends[~np.isin(numbers, trace.message_id[ends])].tolist():  # not over when the run ends
        event = trace[sent]
        if event.message_id in secret:
            flights.append(_flight(event, event.time_us + typical, UNTOLD, typical))
        elif event.time_us <= end:
            flights.append(_flight(event, waits.get(int(event.message_id or 0), after), None, typical))
    return sorted(flights, key=lambda flight: flight.sent)


def _flight(sent: Event, arrival: int, reason: str | None, typical: int) -> Flight:
    return Flight(str(sent.node), str(sent.peer), sent.name, sent.time_us, arrival, reason, typical)


def _visible(flight: Flight, now: int) -> bool:
    fades = 0 if flight.reason is None else 2 * flight.typical
    return flight.sent <= now < flight.end + fades


def _placed(flight: Flight, now: int) -> Flight:
    span = flight.end - flight.sent
    goal = 1.0 if flight.reason is None else 0.5 if flight.reason == UNTOLD else 0.82
    if flight.reason is not None and now >= flight.end:
        return replace(flight, part=0.33 if span == 0 else goal)
    return replace(flight, reason=None, part=goal * (now - flight.sent) / span if span else 0.0)
