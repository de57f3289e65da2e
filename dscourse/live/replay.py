"""What really happened, as a scenario that comes out the same whenever it is run.

A node is a function of what it is given and when, and all of that stands in the journals. So the states of a live run
are had by giving everything to new objects once more; what they then do otherwise than the processes did is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from dscourse.live.journal import Step
from dscourse.live.machine import Identity, Machine, Recorded, Sent
from dscourse.simulation.clients import Workload
from dscourse.simulation.engine.active_faults import ActiveFaults
from dscourse.simulation.errors import NotDeterministic
from dscourse.simulation.faults import Crash, Fault, Pause, Restart, Resume
from dscourse.simulation.messages import says_the_same
from dscourse.simulation.moment import InFlight, Waiting
from dscourse.simulation.network import Network
from dscourse.simulation.node_state import copied, public_fields
from dscourse.simulation.recorder import DELIVER, DROP, RECORD, SEND, Recorder
from dscourse.simulation.run import Run
from dscourse.simulation.scenario import Scenario, refuse_clients_names
from dscourse.simulation.virtual_time import MICROSECONDS

UP, CRASHED, PAUSED = "up", "crashed", "paused"


class LiveScenario(Scenario):
    """The scenario of a live run. It can be looked at, and not be changed: nobody can have the same luck again.

    Args:
        node_factory: of the nodes.
        network: who may send to whom.
        faults: what was done to the processes, and when.
        clients: that ran by themselves.
        seed: of the nodes' own luck.
        steps: all that happened, in order.
        clients_in_all: those by themselves, and one for the questions of `LiveCluster.ask`.
    """

    takes_faults: ClassVar[bool] = False

    def __init__(
        self,
        node_factory: Callable[..., Any],
        network: Network,
        *,
        faults: Iterable[Fault],
        clients: Sequence[Workload],
        seed: int,
        steps: Sequence[Step],
        clients_in_all: int,
    ) -> None:
        self.steps = tuple(steps)
        self._clients_in_all = clients_in_all
        super().__init__(node_factory, network, faults=faults, clients=clients, seed=seed)

    def new_engine(self, recorder: Recorder, _: int) -> ReplayEngine:
        """What goes through it once more."""
        return ReplayEngine(self, recorder)

    def with_faults(self, *faults: Fault) -> Scenario:
        """Refuse, unless they are its own."""
        if faults == self.faults:
            return self
        raise ValueError(
            "this run was live, and what has happened can't happen otherwise; run the same nodes in a Scenario to try "
            "what would have been"
        )

    def to_json(self) -> str:
        """Refuse: no scenario in JSON would give this run again."""
        raise TypeError("a live run has no scenario that would give it again; keep run.frame() instead")

    def _check_names(self) -> None:
        self.client_ids = tuple(f"c{number}" for number in range(self._clients_in_all))
        refuse_clients_names(self.node_ids, self.client_ids)


def live_run(scenario: LiveScenario, until: float) -> Run:
    """The run of a live scenario, without looking yet whether its nodes would do the same again."""
    recorder = Recorder(keep=True)
    for step in scenario.steps:
        for row in step.rows:
            recorder.write(row)
    recorder.flush()
    return Run(scenario, until, recorder)


class Party:
    """A node or a client while a live run is gone through.

    Attributes:
        machine: of a node; None while it is down.
        saved: what a node that is down has on its disk.
    """

    def __init__(self, name: str, *, is_client: bool) -> None:
        self.name = name
        self.is_client = is_client
        self.behaviours: list[Any] = []  # none: processes don't lie here
        self.condition = UP
        self.machine: Machine | None = None
        self.saved: Any = None

    @property
    def node(self) -> Any:
        """The node's present object; None while it is down."""
        return None if self.machine is None else self.machine.node

    def crash(self) -> None:
        """Lose everything but what is saved."""
        self.condition = CRASHED
        if self.machine is not None:
            self.saved, self.machine = self.machine.saved, None


class ReplayEngine:
    """Goes through a live run; see `dscourse.simulation.moment.Engine`."""

    def __init__(self, scenario: LiveScenario, recorder: Recorder) -> None:
        self.scenario = scenario
        self.recorder = recorder
        self.now = 0
        self.touched: set[str] = set()
        self.processes = {name: Party(name, is_client=False) for name in scenario.node_ids}
        self.processes |= {name: Party(name, is_client=True) for name in scenario.client_ids}
        self.in_flight: dict[int, tuple[int, str, str, Any]] = {}
        self.faults: dict[int, Fault] = {}
        self.active_faults = ActiveFaults(self.processes, 0)  # type: ignore[arg-type] # it asks no more of them
        self._ids = (*scenario.node_ids, *scenario.client_ids)
        self._looks: list[int] = []

    def run(self, until: int, observe: Callable[[], None] | None = None) -> None:
        """Go through every step before ``until`` (µs), with ``observe`` called after each; once."""
        try:
            for step in self.scenario.steps:
                if step.time >= until:
                    break
                self._look_until(step.time, observe)
                self.now = step.time
                self._take(step)
                if observe is not None:
                    observe()
            self._look_until(until, observe)
        finally:
            self.recorder.flush()

    def look_at(self, when: int) -> None:
        """Call the observer at ``when``, too, even if nothing happens then."""
        self._looks.append(when)

    def state(self, _: Callable[[int], int]) -> LiveState:
        """What a moment shows of it."""
        return LiveState(self)

    def _take(self, step: Step) -> None:
        for row in step.rows:
            self.recorder.write(row)
            _, kind, node, peer, number, message, *_ = row
            if kind == SEND:
                self.in_flight[number] = (step.time, self._ids[node], self._ids[peer], message)
            elif kind in (DELIVER, DROP):
                self.in_flight.pop(number, None)
        if step.fault is not None:
            self._change(step.fault)
        if step.given is not None and not self.processes[step.party].is_client:
            self.touched.add(step.party)
            self._give(step)

    def _give(self, step: Step) -> None:
        """Give a node what it was given, and see whether it does what it did."""
        party = self.processes[step.party]
        kind, *arguments = step.given or ()
        if kind == "boot":
            scenario = self.scenario
            identity = Identity(
                party.name, tuple(scenario.network.peers(party.name)), scenario.client_ids, scenario.seed, arguments[0]
            )  # fmt: skip
            party.machine = Machine(identity, party.saved)
            party.machine.make(scenario.node_factory)
            arguments = []
        machine = party.machine
        if machine is None:
            raise NotDeterministic(
                f"{party.name} got something at {step.time / MICROSECONDS:g} s while it was down"
            )
        if kind == "timer":
            machine.timers.pop(arguments[0], None)
        handler = {"boot": "on_start", "deliver": "on_message", "timer": "on_timer"}[kind]
        try:
            machine.call(handler, step.time, *arguments)
        except BaseException as error:
            if step.failed:
                return
            raise _differs(step, f"{handler} raises {type(error).__name__}: {error}") from error
        if not step.failed and not _same(machine.effects, step, self._ids):
            raise _differs(step, f"{handler} does {machine.effects}")

    def _change(self, fault: Fault) -> None:
        for ended in [number for number, other in self.faults.items() if fault.ends(other)]:
            del self.faults[ended]
        if not fault.ends_others:
            self.faults[len(self.recorder)] = fault
        if isinstance(fault, Crash | Restart | Pause | Resume):
            party = self.processes[fault.node]
            self.touched.add(party.name)
            party.condition = PAUSED if isinstance(fault, Pause) else UP
            if isinstance(fault, Crash):
                party.crash()
        self.active_faults.update(self.faults)

    def _look_until(self, when: int, observe: Callable[[], None] | None) -> None:
        for look in sorted(look for look in self._looks if self.now <= look < when):
            self.now = look
            if observe is not None:
                observe()
        self._looks = [look for look in self._looks if look >= when]


def _same(effects: Sequence[Sent | Recorded], step: Step, ids: Sequence[str]) -> bool:
    """Whether a handler has sent and recorded what the rows of a step tell."""
    told = [
        Sent(ids[peer], message) if kind == SEND else Recorded(*cell)
        for _, kind, _, peer, _, message, cell, _ in step.rows
        if kind in (SEND, RECORD)
    ]
    return len(told) == len(effects) and all(
        one.to == other.to and says_the_same(one.message, other.message)
        if isinstance(one, Sent) and isinstance(other, Sent)
        else one == other
        for one, other in zip(told, effects, strict=True)
    )


def _differs(step: Step, now: str) -> NotDeterministic:
    return NotDeterministic(
        f"at {step.time / MICROSECONDS:g} s {step.party} does another thing than in its process when it is given the "
        f"same again: now {now[:300]}. A node must take its luck from ctx.rng and its time from ctx.now, and keep "
        "nothing outside itself."
    )


class LiveState:
    """What a moment shows of a live run; see `dscourse.simulation.moment.ClusterState`.

    When a message that is under way is due, nobody knows. What waits at a paused process counts as under way.
    """

    def __init__(self, engine: ReplayEngine) -> None:
        self._engine = engine
        self.node_ids: tuple[str, ...] = engine.scenario.node_ids

    @property
    def ids(self) -> tuple[str, ...]:
        """All nodes and clients."""
        return tuple(self._engine.processes)

    def fields(self) -> dict[str, dict[str, Any]]:
        """Public fields of every node that has a memory."""
        return {one.name: public_fields(one.node) for one in self._nodes() if one.node is not None}

    def conditions(self) -> dict[str, str]:
        """Whether each node is "up", "crashed" or "paused"."""
        return {one.name: one.condition for one in self._nodes()}

    def in_flight(self) -> tuple[InFlight, ...]:
        """Messages that were sent and have not arrived, in order of sending."""
        return tuple(
            InFlight(number, 0, sender, to, sent / MICROSECONDS, float("inf"), message)
            for number, (sent, sender, to, message) in sorted(self._engine.in_flight.items())
        )

    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Nothing that anybody could see."""
        return {}

    def queue_length(self) -> dict[str, int]:
        """Nothing that anybody could see."""
        return dict.fromkeys(self.node_ids, 0)

    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return tuple(self._engine.faults.values())

    def can_talk(self, a: str, b: str) -> bool:
        """Whether nothing is cut between two that are there."""
        return self._engine.active_faults.can_talk(a, b)

    def cuts(self) -> tuple[tuple[str, str], ...]:
        """Directed links that carry nothing."""
        network = self._engine.scenario.network
        return tuple((a, b) for a in self.node_ids for b in network.peers(a) if not self.can_talk(a, b))

    def timers(self) -> dict[str, dict[str, float]]:
        """When each pending timer is due, in seconds."""
        return {
            one.name: {
                name: due / MICROSECONDS
                for name, due in sorted(one.machine.timers.items(), key=lambda item: item[1])
            }
            for one in sorted(self._nodes(), key=lambda one: one.name)
            if one.machine is not None and one.machine.timers
        }

    def clocks(self, time: int) -> dict[str, float]:
        """One clock for all processes of a machine."""
        return dict.fromkeys(self.node_ids, time / MICROSECONDS)

    def stored(self) -> dict[str, Any]:
        """What each node has saved."""
        found = {one.name: one.saved if one.machine is None else one.machine.saved for one in self._nodes()}
        return {name: copied(saved) for name, saved in found.items() if saved is not None}

    def _nodes(self) -> list[Party]:
        return [party for party in self._engine.processes.values() if not party.is_client]
