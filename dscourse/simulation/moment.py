"""One moment of a run: what every node knows, what is on its way, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dscourse.simulation.engine.kernel import CopyOnTheWay, Kernel
from dscourse.simulation.engine.process import CRASHED, HeldTimer, Process
from dscourse.simulation.faults import Fault, Pair
from dscourse.simulation.names import unknown
from dscourse.simulation.node import _copy, public_fields
from dscourse.simulation.recorder import FAULT, RECORD
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


class NodeFields(dict[str, dict[str, Any]]):
    """Public fields by node; one that is down or has not booted yet has none, and says so when asked."""

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refused  # type: ignore[assignment]

    def __init__(self, fields: dict[str, dict[str, Any]], processes: dict[str, Process], time: float) -> None:
        super().__init__(fields)
        self._processes = processes
        self._time = time

    def __missing__(self, name: str) -> dict[str, Any]:
        process = self._processes.get(name)
        if process is None or process.is_client:
            raise unknown("node", name, [m.name for m in self._processes.values() if not m.is_client])
        if process.condition != CRASHED:
            raise LookupError(
                f"{name} has not booted yet at {self._time:g} s: it was paused before it could; see .condition"
            )
        raise LookupError(
            f"{name} is down at {self._time:g} s and remembers nothing; see .condition and .stored"
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

    Attributes:
        event: in a property, the event just past; otherwise None.
        trace: in a property, the whole trace of the run.
    """

    def __init__(
        self,
        kernel: Kernel,
        beliefs: Beliefs,
        sent: Callable[[int], int],
        time: int,
        fields: Callable[[], dict[str, dict[str, Any]]] | None = None,
        event: Event | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._kernel = kernel
        self._beliefs = beliefs
        self._sent = sent
        self._time = time
        self._fields = fields
        self.event = event
        self.trace = trace
        self._is_made = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_is_made" in self.__dict__:
            _refused()
        super().__setattr__(name, value)

    @property
    def time(self) -> float:
        """True time in seconds."""
        return self._time / MICROSECONDS

    @cached_property
    def nodes(self) -> NodeFields:
        """Public fields of every node that has booted and not crashed since, by id."""
        if self._fields is not None:
            fields = self._fields()
        else:
            fields = {m.name: public_fields(m.node) for m in self._nodes() if m.node is not None}
        return NodeFields(fields, self._kernel.processes, self.time)

    @property
    def condition(self) -> dict[str, str]:
        """``"up"``, ``"crashed"`` or ``"paused"``, by node id."""
        return {m.name: m.condition for m in self._nodes()}

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
        found = []
        for when, order, link, actor, what in self._kernel.heap:
            if link is not None:
                found.append((when, order, link, actor, what, 0))
            elif isinstance(actor, CopyOnTheWay):
                found.append((when, order, actor.link, actor.message, actor.number, actor.copy))
        found.sort(key=lambda entry: entry[:2])
        return tuple(
            InFlight(
                number, copy, link.source.name, link.target.name,
                self._sent(number) / MICROSECONDS, when / MICROSECONDS, message,
            )
            for when, _, link, message, number, copy in found
        )  # fmt: skip

    @property
    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Messages that wait at each node: queued (the one in service first) or held by a pause."""
        found = {}
        for process in self._nodes():
            mails = [
                Waiting(
                    mail.number, mail.copy, mail.link.source.name, mail.arrived / MICROSECONDS, mail.message
                )
                for mail in process.waiting_mail()
            ]
            if mails:
                found[process.name] = tuple(mails)
        return found

    @property
    def queue_length(self) -> dict[str, int]:
        """How many messages wait at each node, the one in service included."""
        return {m.name: sum(1 for _ in m.waiting_mail()) for m in self._nodes()}

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return tuple(fault for _, fault in sorted(self._kernel.active.items()))

    def can_talk(self, a: str, b: str) -> bool:
        """Whether no partition and no cut stands between ``a`` and ``b``."""
        for name in (a, b):
            if not isinstance(name, str):
                raise TypeError(f"can_talk takes the ids of two nodes, got {name!r}")
            if name not in self._kernel.processes:
                raise unknown("node", name, self._kernel.processes)
        return self._kernel.active_faults.can_talk(a, b)

    @cached_property
    def cuts(self) -> tuple[Pair, ...]:
        """Directed links of the graph that carry nothing."""
        if not self._kernel.active_faults.is_disturbed:
            return ()
        network, can_talk = self._kernel.scenario.network, self._kernel.active_faults.can_talk
        return tuple((a, b) for a in network.node_ids for b in network.peers(a) if not can_talk(a, b))

    @property
    def timers(self) -> dict[str, dict[str, float]]:
        """Pending timers of each node and when they are due, in true seconds; one held by a pause is overdue."""
        due: dict[str, dict[str, float]] = {}
        for when, order, link, actor, what in self._kernel.heap:
            if link is None and isinstance(actor, Process) and actor.timers.get(what) == order:
                due.setdefault(actor.name, {})[what] = when / MICROSECONDS
        for process in self._nodes():
            for item in process.held:
                if isinstance(item, HeldTimer) and process.timers.get(item.name) == item.order:
                    due.setdefault(process.name, {})[item.name] = item.due / MICROSECONDS
        return {
            name: dict(sorted(timers.items(), key=lambda item: item[1]))
            for name, timers in sorted(due.items())
        }

    @property
    def clock(self) -> dict[str, float]:
        """What each node's clock says, in seconds."""
        return {m.name: m.local_time(self._time) / MICROSECONDS for m in self._nodes()}

    @property
    def stored(self) -> dict[str, Any]:
        """What each node has saved; a node that never saved is missing."""
        return {m.name: _copy(m.saved) for m in self._nodes() if m.saved is not None}

    def __repr__(self) -> str:
        lines = [f"at {self.time:g} s, {len(self.in_flight)} messages in flight"]
        for process in self._nodes():
            status = self._beliefs.status.get(process.name)
            words = [process.condition]
            words += [f"{name}={value!r}" for name, value in self.nodes.get(process.name, {}).items()]
            if status is not None:
                words.append(f"({status.label or status.status})")
            lines.append(f"  {process.name}: {', '.join(words)}")
        lines += [f"  in force: {fault.describe()}" for fault in self.faults]
        return "\n".join(lines)

    def _nodes(self) -> Iterator[Process]:
        return (process for process in self._kernel.processes.values() if not process.is_client)
