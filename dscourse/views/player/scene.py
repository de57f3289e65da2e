"""What there is to see at a moment, read off the trace: the still picture of what the player's JavaScript works out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dscourse.simulation import KINDS, Event, Run
from dscourse.simulation.moment import Waiting
from dscourse.views.player.fault_intervals import Band, bands_and_marks, in_force


@dataclass
class NodeState:
    """What a node shows.

    Attributes:
        status: what it last recorded; "up" if nothing since it started.
        label: what it calls that.
        down: crashed.
        paused: paused.
        suspected_by: number of live nodes that suspect it.
        peers: number of its live neighbours.
    """

    status: str = "up"
    label: str = ""
    down: bool = False
    paused: bool = False
    suspected_by: int = 0
    peers: int = 0

    @property
    def look(self) -> str:
        """The status as the eye sees it."""
        return "crashed" if self.down else "paused" if self.paused else self.status

    def words(self) -> str:
        """The state in words."""
        words = self.look + (f" ({self.label})" if self.label and not self.down else "")
        return words + (
            f", suspected by {self.suspected_by} of {self.peers} live peers" if self.suspected_by else ""
        )


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
    all_bands: list[Band]


@dataclass(frozen=True)
class _Change:
    """A mark, or a record that changes what is shown: a status, or a suspicion that begins or ends."""

    microseconds: int
    node: str
    what: str
    peer: str = ""
    status: str = "up"
    label: str = ""

    def apply(self, states: dict[str, NodeState], suspects: dict[str, set[str]]) -> None:
        if self.what == "down":
            states[self.node] = NodeState(down=True)
            suspects[self.node].clear()
        elif self.what == "up":
            states[self.node].down = False
        elif self.what in ("paused", "resumed"):
            states[self.node].paused = self.what == "paused"
        elif self.what == "status":
            states[self.node].status, states[self.node].label = self.status, self.label
        elif self.what == "suspect":
            suspects[self.node].add(self.peer)
        else:
            suspects[self.node].discard(self.peer)


def scene_at(run: Run, microseconds: int) -> Scene:
    """Return what there is to see after every event at or before a moment."""
    bands, _ = bands_and_marks(run)
    flights = [
        _placed(flight, microseconds)
        for flight in _flights(run, microseconds, microseconds)
        if _visible(flight, microseconds)
    ]
    return Scene(_states(run, microseconds), flights, list(in_force(bands, microseconds)), bands)


def queueing(run: Run) -> set[str]:
    """Return the nodes with a queue: those that take time to serve a message."""
    graph = run.scenario.network.graph
    return {node for node in run.nodes if graph.nodes[node].get("service_time") is not None}


def waiting_at_end(run: Run) -> dict[str, tuple[Waiting, ...]]:
    """Return what waits in a queue or at a paused node when the run ends: it has left no row in the trace.

    It costs a re-run, so only runs that can have such messages are asked.
    """
    paused = {mark.node: mark.change == "paused" for mark in bands_and_marks(run)[1] if mark.change != "up"}
    if not queueing(run) and not any(paused.values()):
        return {}
    return {node: held for node, held in run.at(run.until).waiting.items() if held}


def flights_between(run: Run, begin: int, end: int) -> list[Flight]:
    """Return the messages that are under way, or are dropped, at some time in [begin, end)."""
    return [flight for flight in _flights(run, begin, end) if flight.sent < end and flight.end >= begin]


def _states(run: Run, until: int) -> dict[str, NodeState]:
    states = {node: NodeState() for node in run.nodes}
    suspects: dict[str, set[str]] = {node: set() for node in run.nodes}
    for change in _changes(run):
        if change.microseconds > until:
            break
        change.apply(states, suspects)
    neighbours = _neighbours(run)
    for node, state in states.items():
        state.suspected_by = sum(node in suspected for suspected in suspects.values())
        state.peers = sum(not states[peer].down for peer in neighbours[node])
    return states


def _changes(run: Run) -> list[_Change]:
    """All changes in order of time; at one moment the marks come first, as faults do."""
    changes = [_Change(mark.microseconds, mark.node, mark.change) for mark in bands_and_marks(run)[1]]
    for event in run.trace.select(kind="record"):
        if event.name == "status":
            label = event.detail.get("label")
            status = str(event.detail.get("status", "up"))
            words = "" if label is None else str(label)
            changes.append(_Change(event.time_us, str(event.node), "status", status=status, label=words))
        elif event.name in ("suspect", "trust"):
            changes.append(_Change(event.time_us, str(event.node), event.name, peer=str(event.peer)))
    return sorted(changes, key=lambda change: change.microseconds)


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


def _flights(run: Run, begin: int, end: int) -> list[Flight]:
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
    for row, sent in zip(ends[seen].tolist(), sending[seen].tolist(), strict=True):
        over = trace[row]
        arrival = round(over.detail.get("arrived", over.time) * 1e6)
        flights.append(_flight(trace[sent], arrival, over.name if over.kind == "drop" else None, typical))
    waits = {
        mail.message_id: round(mail.arrived * 1e6) for held in waiting_at_end(run).values() for mail in held
    }
    after = round(run.until * 1e6) + 2 * typical
    for sent in sends[~np.isin(numbers, trace.message_id[ends])].tolist():  # not over when the run ends
        event = trace[sent]
        if event.time_us <= end:
            flights.append(_flight(event, waits.get(int(event.message_id or 0), after), None, typical))
    return sorted(flights, key=lambda flight: flight.sent)


def _flight(sent: Event, arrival: int, reason: str | None, typical: int) -> Flight:
    return Flight(str(sent.node), str(sent.peer), sent.name, sent.time_us, arrival, reason, typical)


def _visible(flight: Flight, now: int) -> bool:
    fades = 0 if flight.reason is None else 2 * flight.typical
    return flight.sent <= now < flight.end + fades


def _placed(flight: Flight, now: int) -> Flight:
    span = flight.end - flight.sent
    goal = 1.0 if flight.reason is None else 0.82
    if flight.reason is not None and now >= flight.end:
        return replace(flight, part=0.33 if span == 0 else goal)
    return replace(flight, reason=None, part=goal * (now - flight.sent) / span if span else 0.0)
