"""The nodes of notebook 06: how two copies of a set become one, and the coordinator of a quorum."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import networkx as nx

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._quorum_homes import (
    COORDINATORS,
    HOMES,
    STANDS_IN,
    Fetch,
    Found,
    Home,
    StandIn,
    Store,
    Stored,
    answers_twice,
    is_kept_to_itself,
    is_no_register,
    is_not_stored,
    is_not_the_newest,
    is_not_written_back,
    leaves_without_answer,
)
from dscourse.exercises._set_copies import (
    has_too_little,
    has_too_much,
    knows_something_else,
    returns_no_set,
    set_node,
)
from dscourse.exercises.wrong_nodes.consistency import (
    QUORUM_EQUIVALENTS,
    QUORUM_RIGHT,
    QUORUM_STUB,
    QUORUM_WRONG,
    SET_EQUIVALENTS,
    SET_RIGHT,
    SET_STUB,
    SET_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    CutLink,
    DelayMessage,
    LoseMessage,
    Network,
    OpenLoop,
    Partition,
    RepeatMessage,
    Run,
    topology,
)

__all__ = ["Fetch", "Found", "Store", "Stored", "keep_the_promise", "merge_two_sets"]

_SETS, _QUORUMS = "Types that merge themselves", "A quorum is not yet a register"

# ── The merge of a set ────────────────────────────────────────────────────────────────────────────────────────────────


def _triangle() -> Network:
    """Copies between n0 and n2 are long under way, so that old ones arrive after newer ones by way of n1."""
    graph = topology.full_mesh(3)
    for (a, b), latency in {("n0", "n1"): 0.03, ("n1", "n2"): 0.05, ("n0", "n2"): 0.55}.items():
        graph.edges[a, b]["latency"] = latency
    return Network(graph)


def _shopper(node: str, *operations: str, start: float) -> OpenLoop:
    asks = tuple(tuple(operation.split()) for operation in operations)
    return OpenLoop(asks, 2.0, node, timeout=1.0, start=start, arrivals="regular")


merge_two_sets = NodeExercise(
    "consistency.merge_two_sets",
    task=(
        "Write `merge`. Three shops keep a copy each of one cart, change it on their own, and send their copies round, old ones "
        "after newer ones, too. An add bears a dot; a remove takes away the dots that its copy has. Whoever knows a dot and "
        "doesn't have it has removed it. Fill the gap: which dots stay, and what is known afterwards?"
    ),
    expects="your class with a method merge(other), such as ORSet, without brackets",
    success=(
        "Right, and without keeping anything of what was removed. What does a copy from last week do to yours? And your own copy?"
    ),
    hints=(
        "Go through the dots of both: `{**self.dots, **other.dots}.items()`.",
        "A dot stays unless one of the two knows it and doesn't have it: `dot in self.dots or not self.knows(dot)`.",
        "Of each replica the larger of the two counts is known afterwards.",
    ),
    solution=SET_RIGHT,
    stub=SET_STUB,
    wrong_nodes=SET_WRONG,
    equivalents=SET_EQUIVALENTS,
    examination=ClusterExamination(
        network=_triangle(),
        until=3.6,
        clients=(
            _shopper(
                "n0", "add milk", "add eggs", "remove milk", "add jam", "remove eggs", "add milk", start=0.0
            ),
            _shopper("n1", "add bread", "remove eggs", "add milk", "remove bread", "add eggs", start=0.2),
            _shopper("n2", "add milk", "add milk", "remove jam", "remove milk", "add jam", start=0.4),
        ),
        as_node=set_node,
        requirements=(
            Requirement(unbroken("merge returns a set", returns_no_set), _SETS),
            Requirement(unbroken("what a copy knows to be removed is not in it", has_too_much), _SETS),
            Requirement(
                unbroken("what was added and not removed is in every copy that knows", has_too_little), _SETS
            ),
            Requirement(
                unbroken("a copy knows the adds that reached it, and no others", knows_something_else), _SETS
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("one shop hears nothing for a while", (Partition([["n2"]], 0.6, until=2.0),)),
            Schedule("a copy comes twice, the second time late", (RepeatMessage("n1", "n0", 4),)),
            Schedule("a copy is late", (DelayMessage("n0", "n1", 4, by=0.9),)),
            Schedule("only neighbours hear of each other", (CutLink("n0", "n2", 0.0),)),
            Schedule(
                "two shops are cut off from each other for a while, and the third is shut",
                (Crash("n2", 0.0), CutLink("n0", "n1", 0.7, until=2.2)),
            ),
            Schedule("everybody is alone until late", (Partition([["n0"], ["n1"], ["n2"]], 0.0, until=3.0),)),
            Schedule("a shop is restarted", (Crash("n1", 1.3, restart_at=1.8),)),
        ),
        faults=FaultMix(clocks=False),
    ),
)

# ── A quorum's coordinator ────────────────────────────────────────────────────────────────────────────────────────────


def _three_coordinators() -> Network:
    """Each coordinator is near to other homes, so that two of three are seldom the same two."""
    graph: nx.Graph[str] = nx.Graph()
    for row, (nodes, x) in enumerate(((COORDINATORS, 0.0), (HOMES, 1.0))):
        for place, node in enumerate(nodes):
            graph.add_node(node, pos=(x, 1.0 - place + 0.02 * row))
    graph.add_node(STANDS_IN, pos=(1.7, 0.0))
    far = {"n0": (0.02, 0.2, 0.25), "n1": (0.02, 0.06, 0.09), "n2": (0.12, 0.02, 0.03)}
    for coordinator, latencies in far.items():
        for home, latency in zip(HOMES, latencies, strict=True):
            graph.add_edge(coordinator, home, latency=latency)
        graph.add_edge(coordinator, STANDS_IN, latency=0.01)
    for home in HOMES:
        graph.add_edge(home, STANDS_IN, latency=0.04)
    return Network(graph)


_READ = ("read",)


def _requirement(
    name: str, breaches: Callable[[Run], Iterator[Breach]], section: str = _QUORUMS
) -> Requirement:
    return Requirement(unbroken(name, breaches), section)


keep_the_promise = NodeExercise(
    "consistency.keep_the_promise",
    task=(
        "Write a coordinator whose three homes look like one register to all clients. A write is done when two homes have stored "
        "it. A read asks the homes, takes the newest of two answers, and sees to it that two homes have that before it says so. "
        "One home may be dead, slow or cut off; messages may come twice. `n6` keeps writes for silent homes and is none itself."
    ),
    expects="your class of nodes, such as Coordinator, without brackets",
    success=(
        "Right: linearizable, with one home of three out of order. This is the register of Attiya, Bar-Noy and Dolev. What do you "
        "need the clocks for, and what if two of them don't agree?"
    ),
    hints=(
        '`known = self.open[message.client, message.number]`; note an answer by `known["found"][sender] = message`.',
        "The newest of two answers: the larger of `(one.time, one.writer)`. Store it at all peers, with its own time and writer.",
        "On `Stored`: count each home once, and no others. At two, forget the request and reply.",
    ),
    solution=QUORUM_RIGHT,
    stub=QUORUM_STUB,
    wrong_nodes=QUORUM_WRONG,
    equivalents=QUORUM_EQUIVALENTS,
    examination=ClusterExamination(
        network=_three_coordinators(),
        until=5.0,
        clients=(
            ClosedLoop(
                (("write", "red"), ("write", "green"), ("write", "white"), _READ),
                0.6,
                "n0",
                timeout=4.0,
                start=0.1,
            ),
            ClosedLoop((_READ,) * 8, 0.13, "n1", timeout=4.0, start=0.17),
            ClosedLoop((("write", "blue"), *(_READ,) * 10), 0.09, "n2", timeout=4.0, start=0.1),
        ),
        others=dict.fromkeys(HOMES, Home) | {STANDS_IN: StandIn},
        requirements=(
            _requirement("a write is done when two homes have stored it", is_not_stored),
            _requirement("a read says the newest of what two homes told", is_not_the_newest),
            _requirement("what a read says is sent to two homes before", is_kept_to_itself),
            _requirement("what a read says is stored by two homes before", is_not_written_back),
            _requirement("clients see one register", is_no_register),
            _requirement("every client is answered", leaves_without_answer),
            _requirement("every client is answered once", answers_twice),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a home misses a write", (LoseMessage("n0", "n4", 2),)),
            Schedule("another home misses a write", (LoseMessage("n2", "n5", 1),)),
            Schedule("a home is dead", (Crash("n4", 0.0),)),
            Schedule("a home is restarted", (Crash("n3", 0.8, restart_at=1.6),)),
            Schedule("a home's word comes twice", (RepeatMessage("n3", "n0", 1),)),
            Schedule("two writes are not asked for at once", (DelayMessage("c2", "n2", 1, by=0.05),)),
            Schedule("the one that stands in is dead", (Crash("n6", 0.0),)),
            Schedule("a write is long under way", (DelayMessage("n0", "n4", 2, by=0.8),)),
        ),
        faults=FaultMix(clocks=False, partitions=False, victims=1, spared=COORDINATORS),
    ),
)
