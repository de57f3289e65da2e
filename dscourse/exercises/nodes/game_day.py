"""The node of notebook 12: broadcast. The same class runs in the simulator, as processes and under the public bench."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.game_day import EQUIVALENTS, RIGHT, STUB, WRONG
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    Crash,
    CutLink,
    Fault,
    LoseMessage,
    Lossy,
    Network,
    OpenLoop,
    Partition,
    Pause,
    RepeatMessage,
    Run,
    topology,
)

_SECTION = "Write a node that tells everybody"
_UNTIL, _CALM, _WITHIN = (
    5.0,
    2.3,
    2.0,
)  # seconds; after the calm begins, everybody must have everything within
_PATIENCE = 1.0  # seconds that a client may have to wait
_NODES = tuple(f"n{place}" for place in range(5))
_WRITES = OpenLoop(tuple(("broadcast", n) for n in range(1, 9)), 4.0, _NODES, timeout=3.0, arrivals="regular")
_READS = OpenLoop((("read",),) * 10, 25.0, _NODES, timeout=0.5, start=_UNTIL - 0.5, arrivals="regular")


def _network() -> Network:
    """A hub and a ring around it: without the hub, everybody can still reach everybody."""
    graph = topology.star(5)
    graph.add_edges_from((_NODES[1 + place], _NODES[1 + (place + 1) % 4]) for place in range(4))
    for place, (a, b) in enumerate(graph.edges):
        graph.edges[a, b]["latency"] = 0.02 + 0.002 * place  # no luck, which is keyed by names
    return Network(graph)


def _trouble(run: Run, node: str | None = None) -> list[tuple[Fault, float, float]]:
    """The faults that were in force, and from when to when; of a node: those that touch it itself."""
    found = run.trace.fault_intervals()
    return [
        entry for entry in found if node is None or (node in entry[0].nodes and entry[0].link_pair is None)
    ]


def _keeps_waiting(run: Run) -> Iterator[Breach]:
    for one in run.history():
        limit = one.invoked + _PATIENCE
        touched = [*_trouble(run, one.to), *_trouble(run, one.client)]
        touched += [entry for entry in _trouble(run) if set(entry[0].nodes) & {one.client}]
        if limit > run.until or any(begin <= limit and end >= one.invoked for _, begin, end in touched):
            continue
        if one.outcome != "ok" or one.latency > _PATIENCE:
            yield Breach(limit, f"{one.client} asked {one.to} for {one.operation[0]!r} and has no answer")


def _calm_since(run: Run) -> tuple[float, set[str]] | None:
    """Since when nothing but crashes for good is in force, and who is down; None if that isn't so at the end."""
    since, down = 0.0, set[str]()
    for fault, begin, end in _trouble(run):
        if end < run.until:
            since = max(since, end)
        elif isinstance(fault, Crash):
            since, down = max(since, begin), down | {fault.node}
        elif not fault.is_instant:
            return None
    graph = run.scenario.network.graph.subgraph([node for node in run.nodes if node not in down])
    connected = nx.is_connected(graph.to_undirected()) if len(graph) else False
    return (since, down) if connected else None


def _is_missing(run: Run) -> Iterator[Breach]:
    calm = _calm_since(run)
    if calm is None or calm[0] > run.until - _WITHIN - 0.6:
        return
    since, down = calm
    history = run.history()
    accepted = {
        one.operation[1]: one.to
        for one in history
        if one.operation[0] == "broadcast" and one.outcome == "ok"
        if one.to not in down or (one.completed or 0.0) + _WITHIN < _first_trouble(run)
    }
    late = [one for one in history if one.client == run.clients[-1] and one.invoked >= since + _WITHIN]
    for one in late:
        if one.outcome == "ok" and isinstance(one.value, tuple):
            missing = [value for value in accepted if value not in one.value]
            if missing:
                by = accepted[missing[0]]
                yield Breach(
                    one.invoked,
                    f"{one.to} has not got {missing[0]}, which {by} accepted; nothing has gone wrong since {since:.4g} s",
                )


def _first_trouble(run: Run) -> float:
    return min((begin for _, begin, _ in _trouble(run)), default=run.until)


def _stands_twice(run: Run) -> Iterator[Breach]:
    for one in run.history():
        if isinstance(one.value, tuple) and len(set(one.value)) < len(one.value):
            twice = next(value for value in one.value if one.value.count(value) > 1)
            yield Breach(one.completed or one.invoked, f"{one.to} answers with {twice} more than once")


def _goes_on_talking(run: Run) -> Iterator[Breach]:
    calm = _calm_since(run)
    if calm is None or calm[0] > run.until - _WITHIN - 0.6:
        return
    since, down = max(calm[0], _CALM), calm[1]
    for event in run.trace.select(kind="send", node=run.nodes, between=(since + _WITHIN, run.until)):
        if event.peer in run.nodes and event.peer not in down:
            yield Breach(event.time, f"{event.node} still tells {event.peer} something")


_NEIGHBOURS = Partition([["n0", "n1", "n2"], ["n3", "n4"]], 0.6, until=1.6)

tell_everybody = NodeExercise(
    "game_day.tell_everybody",
    task=(
        "Write a broadcast node. A client asks any node to `broadcast` a value, and is told ok at once; soon after, every node has "
        "it and shows it to whoever asks to `read`. Messages get lost, the network parts and heals, nodes crash, and a node that is "
        "down for good must stop nobody. When all have everything, nobody talks."
    ),
    expects="your class of nodes, such as Broadcaster, without brackets",
    success=(
        "Right: it owes each peer what that one has not acknowledged, and nothing else. The same class now runs as processes, and "
        "under a public bench."
    ),
    hints=(
        "A method `take_in(self, ctx, values, sender)` serves twice: for each value that isn't in `self.values`, append it there and "
        "to `self.owed[peer]` of every peer but the sender; then save.",
        "`Told(message.values, heard=True)` says that these have come; whoever hears it drops them from `self.owed[sender]`.",
        "The timer tells each peer `Told(tuple(self.owed[peer]))`, if there is anything, and crosses nothing out.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=ClusterExamination(
        network=_network(),
        until=_UNTIL,
        clients=(_WRITES, _READS),
        requirements=(
            Requirement(unbroken("whoever asks is answered within a second", _keeps_waiting), _SECTION),
            Requirement(
                unbroken("two seconds after the last trouble, every node has what was accepted", _is_missing),
                _SECTION,
            ),
            Requirement(unbroken("a value stands in an answer once", _stands_twice), _SECTION),
            Requirement(unbroken("when all have everything, nobody talks", _goes_on_talking), _SECTION),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a message gets lost", (LoseMessage("n0", "n1", 2),)),
            Schedule("a message comes twice", (RepeatMessage("n0", "n1", 2),)),
            Schedule("the network parts and heals", (_NEIGHBOURS,)),
            Schedule("every link loses messages", (Lossy(0.4, 0.0, until=_CALM),)),
            Schedule("a node stands still for a while", (Pause("n1", 0.3, until=2.0),)),
            Schedule("a node crashes and starts anew", (Crash("n2", 1.2, restart_at=1.9),)),
            Schedule(
                "the network parts and heals, and then all are restarted",
                (_NEIGHBOURS, *(Crash(node, 2.0, restart_at=2.1) for node in _NODES)),
            ),
            Schedule("the hub crashes for good", (Crash("n0", 0.9),)),
            Schedule("a link is cut in one direction", (CutLink("n0", "n1", 0.2, until=1.9, one_way=True),)),
        ),
        faults=FaultMix(clocks=False, slow=False, heal_at=_CALM),
        seeds=80,
    ),
)
