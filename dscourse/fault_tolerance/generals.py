"""The generals as nodes of a simulated cluster: algorithm OM(m) over messages that take time.

General i is node "ni", n0 commands. Whoever isn't heard in time is taken to have said "retreat". A traitor runs the
same code as everybody else; a `Byzantine` fault rewrites what he sends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from dscourse.arguments import instance, one_of, whole
from dscourse.fault_tolerance.byzantine import (
    ORDERS,
    Decisions,
    OralLies,
    Path,
    majority_decision,
    oral_paths,
    refuse_endless,
    refuse_unheard,
    traitors_of,
)
from dscourse.simulation import Byzantine, Context, Node, register_behaviour

if TYPE_CHECKING:
    from dscourse.simulation import Run, Scenario

_ROUND = 1.0  # seconds; messages take half of it


@dataclass(frozen=True)
class Report:
    """What the first of `path` is said to have ordered, by way of the others.

    Attributes:
        path: numbers of the generals it has come through, the commander first, the sender last.
        order: "attack" or "retreat".
    """

    path: Path
    order: str


@register_behaviour
@dataclass(frozen=True)
class TellLies:
    """A traitor with a script: which lie goes to whom, report by report.

    Args:
        script: (path, to, order) for each lie; what isn't in it passes as the traitor would honestly say it.
    """

    words: ClassVar[str] = "may say what it likes"
    script: tuple[tuple[Path, int, str], ...]

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Put in the order that the script has for this report and this peer."""
        if isinstance(message, Report):
            for path, peer, order in self.script:
                if tuple(path) == message.path and _node(peer) == to:
                    return replace(message, order=order)
        return message


@register_behaviour
@dataclass(frozen=True)
class Contradict:
    """A traitor who says to everybody the opposite of what he would honestly say."""

    words: ClassVar[str] = "says the opposite of what it has heard"

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Turn the order round."""
        if not isinstance(message, Report):
            return message
        return replace(message, order=next(order for order in ORDERS if order != message.order))


class General(Node):
    """A general who follows OM(m).

    Args:
        node_id: "n" and his number; 0 commands.
        peers: all the others.
        order: what the commander orders; the others don't know it.
        rounds: m.

    Attributes:
        heard: what he was told, "path → order".
        decision: his decision, once he has made it.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, order: str, rounds: int) -> None:
        super().__init__(node_id, peers)
        self._number, self._generals = int(node_id.removeprefix("n")), len(peers) + 1
        self._order, self._rounds = order, rounds
        self._told: dict[tuple[Path, int], str] = {}
        self.heard: dict[str, str] = {}
        self.decision = ""

    def on_start(self, ctx: Context) -> None:
        """The commander gives his order; the others look at the clock."""
        if self._number == 0:
            ctx.record("status", status="leader", label=f"orders {self._order}")
            self._tell(ctx, (0,), self._order)
        else:
            ctx.set_timer("decide", (self._rounds + 1) * _ROUND)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Note a report, and pass it on with one's own name added."""
        if not isinstance(message, Report) or not self._credible(sender, message):
            return
        self._told[message.path, self._number] = message.order
        self.heard["-".join(map(str, message.path))] = message.order
        if len(message.path) <= self._rounds:
            self._tell(ctx, (*message.path, self._number), message.order)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Everything has arrived that ever will: decide by majority."""
        self.decision = majority_decision(self._told, (0,), self._number, self._generals, self._rounds)
        ctx.record("status", status=self.decision, label=self.decision)

    def _credible(self, sender: str, report: Report) -> bool:
        """Whether its sender is the last on its path (nobody can pretend to be another), and it is new."""
        path = report.path
        return (
            _node(path[-1]) == sender
            and self._number not in path
            and (path, self._number) not in self._told
            and len(path) <= self._rounds + 1
        )

    def _tell(self, ctx: Context, path: Path, order: str) -> None:
        for peer in range(1, self._generals):
            if peer not in path:
                ctx.send(_node(peer), Report(path, order))


def generals_scenario(
    generals: int,
    order: str,
    rounds: int,
    lies: OralLies | None = None,
    traitors: Collection[int] = (),
    seed: int = 0,
) -> Scenario:
    """Return a scenario in which generals agree by OM(m), with traitors who lie by a script.

    Args:
        generals: how many, the commander included.
        order: "attack" or "retreat".
        rounds: m.
        lies: as in `Decisions.lies`.
        traitors: numbers of the traitors.
        seed: of the scenario.
    """
    from dscourse.simulation import Constant, Network, Scenario, topology

    count, m = whole("generals", generals, at_least=1), whole("rounds", rounds, at_least=0)
    refuse_endless(count, m)
    told = instance("lies", {} if lies is None else lies, Mapping, 'a dict such as {((0, 2), 1): "attack"}')
    factory = partial(General, order=one_of("order", order, ORDERS), rounds=m)
    network = Network(topology.full_mesh(count), latency=Constant(_ROUND / 2))
    faults, bad = [], traitors_of(traitors, count)
    can_lie = {(path, to) for path in oral_paths(count, m) if path[-1] in bad for to in range(1, count)}
    refuse_unheard(told, can_lie, "((0, 2), 1) is what general 2 tells general 1 that the commander has said")
    for traitor in sorted(bad):
        script = tuple((path, to, said) for (path, to), said in told.items() if path[-1] == traitor)
        faults.append(Byzantine(_node(traitor), TellLies(script), at=0.0))
    return Scenario(factory, network, faults=faults, seed=seed)


def replay_on_cluster(decisions: Decisions) -> Run:
    """Let the generals of `oral_messages`, with the same traitors and lies, agree on the simulated cluster.

    Raises:
        ValueError: decisions that were made with signed messages.
    """
    instance("decisions", decisions, Decisions, "what oral_messages returns")
    if decisions.algorithm != "OM":
        raise ValueError(f"only oral messages run on the cluster, got {decisions.algorithm}")
    lies: Any = decisions.lies
    scenario = generals_scenario(
        decisions.generals, decisions.order, decisions.rounds, lies, decisions.traitors
    )
    return scenario.run(length_of_agreement(decisions.rounds))


def length_of_agreement(rounds: int) -> float:
    """Return the seconds after which OM(m) has been decided on the cluster."""
    return (rounds + 1) * _ROUND + _ROUND / 2


def decisions_of(run: Run) -> dict[str, str]:
    """Return what each loyal lieutenant decided in a run: {"n1": "attack", …}."""
    from dscourse.simulation import Run

    instance("run", run, Run, "a run of generals, such as replay_on_cluster(decisions)")
    traitors = {fault.node for fault in run.faults if isinstance(fault, Byzantine)}
    decided = run.trace.select(kind="record", name="status")
    return {
        event.node: event.detail["status"]
        for event in decided
        if event.node is not None and event.node not in {"n0", *traitors}
    }


def generals_agree(run: Run) -> str:
    """Say which of the conditions IC1 and IC2 a run broke; "" if neither. A promise for `tolerates`."""
    decided = decisions_of(run)
    words = ", ".join(f"{node} decides {decision}" for node, decision in decided.items())
    if len(set(decided.values())) > 1:
        return f"IC1 broken: {words}"
    loyal = not any(isinstance(fault, Byzantine) and fault.node == "n0" for fault in run.faults)
    orders = run.trace.select(kind="record", node="n0", name="status") if "n0" in run.nodes else ()
    if not orders:
        raise ValueError("no general n0 has given an order in this run; take a run of generals_scenario")
    order = orders[0].detail["label"].removeprefix("orders ")
    if loyal and any(decision != order for decision in decided.values()):
        return f"IC2 broken: n0 says {order}, {words}"
    return ""


def _node(number: int) -> str:
    return f"n{number}"
