"""Scripts: a schedule of exact steps, as a run like any other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import networkx as nx

from dscourse.arguments import node_ids as checked_node_ids, truth
from dscourse.exploration.random_steps import Allowance, RandomSteps
from dscourse.exploration.steps import Ask, Step, checked_steps, step_from_json_value
from dscourse.exploration.untimed import UntimedCluster
from dscourse.simulation.errors import EventLimit, NodeError
from dscourse.simulation.faults import Fault, OtherLuck
from dscourse.simulation.json_parts import part
from dscourse.simulation.messages import canonical_json
from dscourse.simulation.moment import InFlight, Waiting
from dscourse.simulation.names import unknown
from dscourse.simulation.network import Network
from dscourse.simulation.node_state import copied, public_fields
from dscourse.simulation.recorder import Recorder
from dscourse.simulation.run import EVENT_LIMIT, Run
from dscourse.simulation.scenario import Scenario, refuse_clients_names
from dscourse.simulation.serialization import scenario_from_json
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dscourse.exploration.process import Process

if TYPE_CHECKING:
    Cluster = Iterable[str] | nx.Graph[Any]


def script(
    node_factory: Callable[..., Any], node_ids: Cluster, steps: Iterable[Step], *, skip: bool = False
) -> Run:
    """Run a cluster by exactly these steps, in order.

    Nothing happens by itself: messages wait until a step delivers them, timers until a step fires them. A message takes
    no time. A node's ``ctx.now`` is the sum of the delays of the timers that it has fired, and ``ctx.rng`` its stream
    of seed 0. In the trace, step k stands at k seconds. The k-th `Ask` comes from client c(k-1).

    Args:
        node_factory: called with ``(node_id, peers)``, as in a `Scenario`.
        node_ids: names of the nodes, each linked with all others; or a graph, whose links say who may send to whom.
        steps: `Deliver`, `Lose`, `Repeat`, `Fire`, `Ask`, `Down`, `Up`.
        skip: pass over a step that can't be done.

    Returns:
        A run: look at it, check it, play it. ``run.fork(t, reseed=k)`` goes on with random steps, as many as were left.

    Raises:
        LookupError: a step names a node that isn't there, or can't be done; the message says what could be.
        NodeError: a handler of a node failed.
    """
    return ScriptScenario(node_factory, network_of(node_ids), steps, skip=skip).run()


def network_of(node_ids: Cluster) -> Network:
    """The network of a graph, or of nodes that are all linked with each other."""
    if isinstance(node_ids, nx.Graph):
        return Network(node_ids)
    graph: nx.Graph[Any] = nx.Graph(complete=True)
    graph.add_nodes_from(checked_node_ids("node_ids", node_ids))
    return Network(graph)


class ScriptScenario(Scenario):
    """A scenario whose runs follow a schedule of exact steps instead of delays.

    Args:
        node_factory: called with ``(node_id, peers)``.
        network: who may send to whom; all else in it is for scenarios in time.
        steps: what happens, in order.
        skip: pass over a step that can't be done.

    Attributes:
        steps: as given.
        skip: as given.
    """

    is_script: ClassVar[bool] = True
    takes_faults: ClassVar[bool] = False
    steps: tuple[Step, ...]
    skip: bool

    def __init__(
        self, node_factory: Callable[..., Any], network: Network, steps: Iterable[Step], *, skip: bool = False
    ) -> None:
        self.steps = checked_steps(steps)
        self.skip = truth("skip", skip)
        self._luck: OtherLuck | None = None
        super().__init__(node_factory, network)

    def __repr__(self) -> str:
        factory = getattr(self.node_factory, "__name__", repr(self.node_factory))
        return f"ScriptScenario({factory}, {self.network!r}, {len(self.steps)} steps)"

    @property
    def until(self) -> float:
        """When its runs end, in seconds: one after the last step."""
        return float(len(self.steps) + 1)

    def run(self, until: float | None = None, *, trace: bool = True, event_limit: int = EVENT_LIMIT) -> Run:
        """Take its steps; see `Scenario.run`. Without ``until`` all of them."""
        end = self.until if until is None else until
        if self._luck is not None:
            return self._drawn(self._luck, end).run(end, trace=trace, event_limit=event_limit)
        return super().run(end, trace=trace, event_limit=event_limit)

    def new_engine(self, recorder: Recorder, event_limit: int) -> ScriptEngine:
        """What takes the steps."""
        if self._luck is not None:
            return self._with_other_luck(self._luck, self.until, []).new_engine(recorder, event_limit)
        cluster = UntimedCluster(self.node_factory, self.network, self._clients, recorder)
        return ScriptEngine(cluster, self.steps, recorder, event_limit, skip=self.skip)

    def with_faults(self, *faults: Fault) -> ScriptScenario:
        """The same script, or one that goes on with random steps from the time of an `OtherLuck` on.

        Raises:
            ValueError: another fault is among them; in a script, steps do what goes wrong.
        """
        others = [fault for fault in faults if not isinstance(fault, OtherLuck)]
        if others:
            raise ValueError(
                f"a script takes no faults, got {others[0]!r}; write steps, such as Down, Up, Lose or Repeat"
            )
        scenario = ScriptScenario(self.node_factory, self.network, self.steps, skip=self.skip)
        if faults:
            object.__setattr__(scenario, "_luck", faults[-1])
        return scenario

    @property
    def _clients(self) -> int:
        """How many clients there are: one for each question."""
        return sum(isinstance(step, Ask) for step in self.steps)

    def to_json(self) -> str:
        """The scenario as one line of JSON; see `Scenario.to_json`."""
        steps = [step.to_json_value() for step in self.steps]
        return canonical_json(json.loads(super().to_json()) | {"steps": steps, "skip": self.skip})

    @classmethod
    def from_json(
        cls, text: str, node_factory: Callable[..., Any], *, insist: bool = False
    ) -> ScriptScenario:
        """Rebuild one; see `Scenario.from_json`.

        Raises:
            ValueError: the text is no script, is from a newer version or has another factory.
        """
        try:
            value = json.loads(text)
        except (TypeError, ValueError) as error:
            raise ValueError(f"this is no script in JSON: {error}") from None
        if not isinstance(value, dict) or not {"steps", "skip"} <= set(value):
            raise ValueError('this is no script: it should be an object with "steps" and "skip" in it')
        steps = [step_from_json_value(step) for step in part("steps", value.pop("steps"), list)]
        skip = part("skip", value.pop("skip"), bool)
        parts = scenario_from_json(canonical_json(value), node_factory, insist=insist)
        return cls(node_factory, parts["network"], steps, skip=skip)

    def _check_names(self) -> None:
        self.client_ids = tuple(f"c{number}" for number in range(self._clients))
        refuse_clients_names(self.node_ids, self.client_ids)
        nodes = dict.fromkeys(self.node_ids)
        for number, step in enumerate(self.steps, start=1):
            for name in step.nodes:
                if name not in nodes:
                    raise unknown(f"node (named in step {number}, {step!r})", name, nodes)

    def _with_other_luck(self, luck: OtherLuck, until: float, drawn: list[Step]) -> ChosenScenario:
        """Up to the time of ``luck`` the same steps, then random ones that may do as much as the rest of these did.

        Those are added to ``drawn`` as they are taken.
        """
        if luck.at > self.until:
            raise ValueError(
                f"the last step is over at {self.until:g} s, so random ones must begin by then, got {luck.at:g} s"
            )
        kept = _steps_before(luck.at, len(self.steps))
        past, rest = self.steps[:kept], self.steps[kept:]
        count = max(kept, _steps_before(until, None))

        def choose(cluster: UntimedCluster) -> Iterator[Step]:
            yield from past
            for step in RandomSteps(luck.number, Allowance.of(rest)).all(cluster, count - kept):
                drawn.append(step)
                yield step

        return ChosenScenario(self.node_factory, self.network, choose, count, self._clients, skip=self.skip)

    def _drawn(self, luck: OtherLuck, until: float) -> ScriptScenario:
        """The same with the steps that are drawn, as a script."""
        drawn: list[Step] = []
        chosen = self._with_other_luck(luck, until, drawn)
        with contextlib.suppress(NodeError):  # it fails again in the run, which tells of it
            chosen.new_engine(Recorder(keep=False), EVENT_LIMIT).run(to_microseconds(chosen.until))
        past = self.steps[: _steps_before(luck.at, len(self.steps))]
        return ScriptScenario(self.node_factory, self.network, [*past, *drawn], skip=self.skip)


class ChosenScenario(ScriptScenario):
    """A script whose steps are chosen while it runs.

    Args:
        node_factory: called with ``(node_id, peers)``.
        network: who may send to whom.
        choose: called with the cluster before it boots; gives one step after the other.
        count: how many steps there are, at most.
        clients: how many of them may be an `Ask`.
        skip: pass over a step that can't be done.

    Attributes:
        engine: that ran it last; its ``taken`` are the steps.
    """

    engine: ScriptEngine

    def __init__(
        self,
        node_factory: Callable[..., Any],
        network: Network,
        choose: Callable[[UntimedCluster], Iterator[Step]],
        count: int,
        clients: int,
        *,
        skip: bool = False,
    ) -> None:
        self._choose = choose
        self._count = count
        self._known_clients = clients
        super().__init__(node_factory, network, (), skip=skip)

    @property
    def until(self) -> float:
        """When its runs end, in seconds: one after the last step."""
        return float(self._count + 1)

    @property
    def _clients(self) -> int:
        return self._known_clients

    def new_engine(self, recorder: Recorder, event_limit: int) -> ScriptEngine:
        """What chooses and takes the steps."""
        cluster = UntimedCluster(self.node_factory, self.network, self._clients, recorder)
        engine = ScriptEngine(cluster, self._choose(cluster), recorder, event_limit, skip=self.skip)
        object.__setattr__(self, "engine", engine)
        return engine

    def as_script(self) -> ScriptScenario:
        """The steps that were taken last, as a script."""
        return ScriptScenario(self.node_factory, self.network, self.engine.taken)


class ScriptEngine:
    """Takes steps, one a second; see `dscourse.simulation.moment.Engine`.

    Args:
        cluster: that takes the steps.
        steps: in order; if they are chosen as it goes on, each is asked for when the one before is over.
        recorder: takes the rows of the trace.
        event_limit: a run with more events is stopped.
        skip: pass over a step that can't be done.

    Attributes:
        taken: the steps that were done so far.
    """

    def __init__(
        self,
        cluster: UntimedCluster,
        steps: Iterable[Step],
        recorder: Recorder,
        event_limit: int,
        *,
        skip: bool,
    ) -> None:
        self.recorder = recorder
        self.cluster = cluster
        self.now = 0
        self.touched = cluster.touched
        self.taken: list[Step] = []
        self._steps = steps
        self._event_limit = event_limit
        self._skip = skip
        self._looks: list[int] = []

    @property
    def processes(self) -> Mapping[str, Process]:
        """Nodes and clients by id."""
        return self.cluster.processes

    def run(self, until: int, observe: Callable[[], None] | None = None) -> None:
        """Take every step before ``until`` (µs), with ``observe`` called after each; once."""
        try:
            self.cluster.boot()
            self._seen(observe)
            for number, step in enumerate(self._steps, start=1):
                when = number * MICROSECONDS
                if when >= until:
                    break
                self._look_until(when, observe)
                self.now = self.cluster.now = when
                self._take(number, step)
                self._seen(observe)
            self._look_until(until, observe)
        finally:
            self.recorder.flush()

    def look_at(self, when: int) -> None:
        """Call the observer at ``when``, too, even if nothing happens then."""
        self._looks.append(when)

    def state(self, _: Callable[[int], int]) -> UntimedState:
        """What a moment shows of it."""
        return UntimedState(self.cluster)

    def _take(self, number: int, step: Step) -> None:
        self.taken.append(step)
        try:
            if not _take(self.cluster, step, skip=self._skip):
                self.taken.pop()
        except LookupError as error:
            raise LookupError(f"step {number}, {step!r}: {error.args[0]}") from None
        if len(self.recorder) > self._event_limit:
            raise EventLimit(f"the run was stopped after {number} steps and {self._event_limit} events")

    def _look_until(self, when: int, observe: Callable[[], None] | None) -> None:
        for look in sorted(look for look in self._looks if self.now <= look < when):
            self.now = look
            self._seen(observe)
        self._looks = [look for look in self._looks if look >= when]

    @staticmethod
    def _seen(observe: Callable[[], None] | None) -> None:
        if observe is not None:
            observe()


def _take(cluster: UntimedCluster, step: Step, *, skip: bool) -> bool:
    """Take a step; return whether it could be done."""
    try:
        cluster.take(step)
    except LookupError:
        if not skip:
            raise
        return False
    return True


def _steps_before(time: float, most: int | None) -> int:
    """How many steps lie before a time in seconds."""
    count = max(0, (to_microseconds(time) - 1) // MICROSECONDS)
    return count if most is None else min(count, most)


class UntimedState:
    """What a moment shows of a cluster without time; see `dscourse.simulation.moment.ClusterState`.

    A message that waits is on its way, and due at no time. A timer is due when its node's own clock would say so.
    """

    def __init__(self, cluster: UntimedCluster) -> None:
        self._cluster = cluster
        self.node_ids: tuple[str, ...] = cluster.network.node_ids

    @property
    def ids(self) -> tuple[str, ...]:
        """All nodes and clients."""
        return tuple(self._cluster.processes)

    def fields(self) -> dict[str, dict[str, Any]]:
        """Public fields of every node that has a memory."""
        return {one.name: public_fields(one.node) for one in self._nodes() if one.node is not None}

    def conditions(self) -> dict[str, str]:
        """Whether each node is "up" or "crashed"."""
        return {one.name: one.condition for one in self._nodes()}

    def in_flight(self) -> tuple[InFlight, ...]:
        """Messages that wait, in order of sending."""
        found = [
            InFlight(mail.number, mail.copy, *link, mail.sent / MICROSECONDS, float("inf"), mail.message)
            for link, mails in self._cluster.links.items()
            for mail in mails
        ]
        return tuple(sorted(found, key=lambda one: (one.message_id, one.copy)))

    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Nothing: what has arrived is handled at once."""
        return {}

    def queue_length(self) -> dict[str, int]:
        """Nothing waits at any node."""
        return dict.fromkeys(self.node_ids, 0)

    def faults(self) -> tuple[Fault, ...]:
        """The crashes of those that are down."""
        return tuple(self._cluster.down.values())

    def can_talk(self, a: str, b: str) -> bool:
        """Nothing is ever cut; the adversary just does not deliver."""
        return True

    def cuts(self) -> tuple[tuple[str, str], ...]:
        """None."""
        return ()

    def timers(self) -> dict[str, dict[str, float]]:
        """What each node's own clock would say when a timer fires, in seconds."""
        return {
            one.name: {
                name: (one.clock + delay) / MICROSECONDS
                for name, delay in sorted(one.timers.items(), key=lambda item: item[1])
            }
            for one in sorted(self._nodes(), key=lambda one: one.name)
            if one.timers
        }

    def clocks(self, _: int) -> dict[str, float]:
        """What each node's clock says, in seconds."""
        return {one.name: one.clock / MICROSECONDS for one in self._nodes()}

    def stored(self) -> dict[str, Any]:
        """What each node has saved."""
        return {one.name: copied(one.saved) for one in self._nodes() if one.saved is not None}

    def _nodes(self) -> list[Process]:
        return [process for process in self._cluster.processes.values() if not process.is_client]
