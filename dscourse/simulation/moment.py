"""One moment of a run: what every node knows, what is on its way, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dscourse.simulation.faults import Fault, Pair
from dscourse.simulation.names import unknown
from dscourse.simulation.recorder import FAULT, RECORD, Recorder
from dscourse.simulation.virtual_time import MICROSECONDS

if TYPE_CHECKING:
    from dscourse.simulation.trace import Event, Trace


class Status(NamedTuple):
    """How a node asked to be shown: the last ``ctx.record("status", status=…, label=…)`` since it booted."""

    status: str
    label: str


class InFlight(NamedTuple):
    """A message on its way. Times in seconds; ``copy`` is 0 for the message itself, 1 … for copies of the network."""

    message_id: int
    copy: int
    sender: str
    to: str
    sent: float
    due: float
    message: Any


class Waiting(NamedTuple):
    """A message that has arrived and is not handled yet: its node is busy or paused."""

    message_id: int
    copy: int
    sender: str
    arrived: float
    message: Any


def _refused(*_: Any, **__: Any) -> Any:
    raise TypeError(
        "a moment can be looked at, and not changed; copy what you want to change: dict(now.nodes)"
    )


class ClusterState(Protocol):
    """What a moment is read from: a cluster while it runs, in time or step by step."""

    @property
    def node_ids(self) -> tuple[str, ...]:
        """All nodes, in order."""

    @property
    def ids(self) -> tuple[str, ...]:
        """All nodes and clients."""

    def fields(self) -> dict[str, dict[str, Any]]:
        """Public fields of every node that has a memory."""

    def conditions(self) -> dict[str, str]:
        """Whether each node is "up", "crashed" or "paused"."""

    def in_flight(self) -> tuple[InFlight, ...]:
        """Messages on their way."""

    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Messages that wait at each node that has some."""

    def queue_length(self) -> dict[str, int]:
        """How many messages wait at each node."""

    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""

    def can_talk(self, a: str, b: str) -> bool:
        """Whether nothing is cut between two that are there."""

    def cuts(self) -> tuple[Pair, ...]:
        """Directed links of the graph that carry nothing."""

    def timers(self) -> dict[str, dict[str, float]]:
        """When each pending timer is due."""

    def clocks(self, time: int) -> dict[str, float]:
        """What each node's clock says, at true ``time`` (µs)."""

    def stored(self) -> dict[str, Any]:
        """What each node has saved."""


class Engine(Protocol):
    """What runs a scenario: the event loop in virtual time, or what takes the steps of a script.

    Attributes:
        recorder: takes the rows of the trace.
        now: µs.
        touched: nodes that have done something since somebody looked; who looks empties it.
        processes: nodes and clients by id, each with ``is_client`` and its present object ``node`` (None while down).
    """

    recorder: Recorder
    now: int
    touched: set[str]

    @property
    def processes(self) -> Mapping[str, Any]:
        """Nodes and clients by id."""

    def run(self, until: int, observe: Callable[[], None] | None = None) -> None:
        """Process every event before ``until`` (µs), with ``observe`` called after each; once."""

    def look_at(self, when: int) -> None:
        """Call the observer at ``when``, too, even if nothing happens then."""

    def state(self, sent: Callable[[int], int]) -> ClusterState:
        """What a moment shows of it."""


class NodeFields(dict[str, dict[str, Any]]):
    """Public fields by node; one that is down or has not booted yet has none, and says so when asked."""

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refused  # type: ignore[assignment]

    def __init__(
        self, fields: Mapping[str, dict[str, Any]], state: ClusterState, time: Callable[[], float]
    ) -> None:
        super().__init__(fields)
        self._state = state
        self._time = time

    def __missing__(self, name: str) -> dict[str, Any]:
        condition = self._state.conditions().get(name)
        if condition is None:
            raise unknown("node", name, self._state.node_ids)
        if condition != "crashed":
            raise LookupError(
                f"{name} has not booted yet at {self._time():g} s: it was paused before it could; see .condition"
            )
        raise LookupError(
            f"{name} is down at {self._time():g} s and remembers nothing; see .condition and .stored"
        )


class Beliefs:
    """What the records and faults so far say: the status of each node, and who suspects whom."""

    def __init__(self) -> None:
        self.status: dict[str, Status] = {}
        self.suspected: dict[str, list[str]] = {}

    def take(self, kind: int, node: str, cell: Any) -> None:
        """Take in one event, if it matters."""
        if kind == RECORD:
            name, detail = cell
            if name == "status":
                self.status[node] = Status(str(detail.get("status", "")), str(detail.get("label", "")))
            elif name in ("suspect", "trust"):
                self._suspect(node, str(detail.get("peer")), begins=name == "suspect")
        elif kind == FAULT:
            name, detail = cell
            if name == "Crash" and detail["phase"] == "start" and not detail.get("moot"):
                self.status.pop(node, None)
                self.suspected.pop(node, None)

    def _suspect(self, node: str, peer: str, *, begins: bool) -> None:
        suspected = self.suspected.setdefault(node, [])
        if peer in suspected:
            if not begins:
                suspected.remove(peer)
        elif begins:
            suspected.append(peer)


class Moment:
    """The state of a cluster after all events up to a time.

    In a property the moment is live: it shows the state after the event just past, and moves on with the run. It is
    there to be looked at; a property that changes something in it is refused.
    """

    def __init__(
        self,
        state: ClusterState,
        beliefs: Beliefs,
        time: int,
        fields: Callable[[], dict[str, dict[str, Any]]] | None = None,
        event: Event | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._state = state
        self._beliefs = beliefs
        self._time = time
        self._fields = fields or state.fields
        self._event = event
        self._trace = trace
        self._is_made = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_is_made" in self.__dict__:
            _refused()
        super().__setattr__(name, value)

    @property
    def event(self) -> Event | None:
        """In a property, the event just past; otherwise None."""
        return self._event

    @property
    def trace(self) -> Trace | None:
        """In a property, the whole trace of the run; otherwise None."""
        return self._trace

    @property
    def time_us(self) -> int:
        """True time in microseconds."""
        return self._time

    @property
    def time(self) -> float:
        """True time in seconds."""
        return self._time / MICROSECONDS

    @cached_property
    def nodes(self) -> NodeFields:
        """Public fields of every node that has booted and not crashed since, by id."""
        return NodeFields(self._fields(), self._state, lambda: self.time)

    @property
    def condition(self) -> dict[str, str]:
        """``"up"``, ``"crashed"`` or ``"paused"``, by node id."""
        return self._state.conditions()

    @property
    def status(self) -> dict[str, Status]:
        """What each node last asked to be shown as; a node that never did, or has crashed since, is missing."""
        return dict(self._beliefs.status)

    @property
    def suspicions(self) -> dict[str, tuple[str, ...]]:
        """Whom each node suspects, by observer."""
        return {node: tuple(peers) for node, peers in self._beliefs.suspected.items() if peers}

    @cached_property
    def in_flight(self) -> tuple[InFlight, ...]:
        """Messages on their way, in the order in which they are due."""
        return self._state.in_flight()

    @property
    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Messages that wait at each node: queued (the one in service first) or held by a pause."""
        return self._state.waiting()

    @property
    def queue_length(self) -> dict[str, int]:
        """How many messages wait at each node, the one in service included."""
        return self._state.queue_length()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return self._state.faults()

    def can_talk(self, a: str, b: str) -> bool:
        """Whether no partition and no cut stands between ``a`` and ``b``."""
        for name in (a, b):
            if not isinstance(name, str):
                raise TypeError(f"can_talk takes the ids of two nodes, got {name!r}")
            if name not in self._state.ids:
                raise unknown("node", name, self._state.ids)
        return self._state.can_talk(a, b)

    @cached_property
    def cuts(self) -> tuple[Pair, ...]:
        """Directed links of the graph that carry nothing."""
        return self._state.cuts()

    @property
    def timers(self) -> dict[str, dict[str, float]]:
        """Pending timers of each node and when they are due, in true seconds; one held by a pause is overdue."""
        return self._state.timers()

    @property
    def clock(self) -> dict[str, float]:
        """What each node's clock says, in seconds."""
        return self._state.clocks(self._time)

    @property
    def stored(self) -> dict[str, Any]:
        """What each node has saved; a node that never saved is missing."""
        return self._state.stored()

    def __repr__(self) -> str:
        lines = [f"at {self.time:g} s, {len(self.in_flight)} messages in flight"]
        for name, condition in self.condition.items():
            status = self._beliefs.status.get(name)
            words = [condition]
            words += [f"{field}={value!r}" for field, value in self.nodes.get(name, {}).items()]
            if status is not None:
                words.append(f"({status.label or status.status})")
            lines.append(f"  {name}: {', '.join(words)}")
        lines += [f"  in force: {fault.describe()}" for fault in self.faults]
        return "\n".join(lines)
