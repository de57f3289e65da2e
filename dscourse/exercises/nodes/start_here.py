"""The node of notebook 00: greet everybody, and count who answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dscourse.arguments import shown
from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._exercise import Unfit
from dscourse.exercises.wrong_nodes.start_here import EQUIVALENTS, RIGHT, STUB, WRONG
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    Crash,
    CutLink,
    LoseMessage,
    Network,
    RepeatMessage,
    Run,
    always,
    topology,
)

_SECTION = "Write a node"


def _answered(fields: dict[str, Any]) -> list[Any]:
    names = fields.get("answered", ())
    if not isinstance(names, list | tuple | set | frozenset | dict):
        raise Unfit(
            f"`self.answered` must hold who has answered, as in `self.answered = []`; it is {shown(names)}"
        )
    return list(names)


def _greets_everybody(run: Run) -> Iterator[Breach]:
    boots = {(0.0, node) for node in run.nodes}
    boots |= {
        (end, node) for node, spans in run.trace.downtimes().items() for _, end in spans if end < run.until
    }
    boots -= {(start, node) for node, spans in run.trace.downtimes().items() for start, _ in spans}
    for time, node in sorted(boots):
        sent = run.trace.select(kind="send", node=node, between=(time, time + 1e-6))
        greeted = [event.peer for event in sent if event.name == "Hello"]
        peers = run.scenario.network.peers(node)
        if sorted(map(str, greeted)) != sorted(peers):
            yield Breach(
                time,
                f"{node} starts and greets {', '.join(map(str, greeted)) or 'nobody'}; its peers are {', '.join(peers)}",
            )


def _answers_each_greeting(run: Run) -> Iterator[Breach]:
    owed: Breach | None = None
    for event in run.trace.select(kind=("deliver", "send", "timer")):
        if event.kind == "send" and event.name == "Welcome":
            owed = None
            continue
        if owed is not None:
            yield owed
        owed = None
        if event.kind == "deliver" and event.name == "Hello":
            owed = Breach(event.time, f"{event.node} does not answer the greeting of {event.peer}")
    if owed is not None:
        yield owed


def _answers_nothing_else(run: Run) -> Iterator[Breach]:
    greeted: tuple[float, str | None, str | None] | None = None
    for event in run.trace.select(kind=("deliver", "send")):
        if event.kind == "deliver":
            greeted = (event.time, event.node, event.peer) if event.name == "Hello" else None
        elif event.name == "Welcome":
            if greeted != (event.time, event.node, event.peer):
                yield Breach(
                    event.time, f"{event.node} sends {event.peer} a Welcome for which no Hello has come"
                )
            greeted = None


def _counts_who_answered(run: Run) -> Iterator[Breach]:
    """What each node shows is the number of those whose Welcome has come since it booted."""
    heard: dict[str, set[str]] = {node: set() for node in run.nodes}
    for event in run.trace.select(kind=("deliver", "record", "fault")):
        node = str(event.node)
        if event.kind == "fault" and event.name == "Crash" and event.detail["phase"] == "start":
            heard[node] = set()
        elif event.kind == "deliver" and event.name == "Welcome":
            heard[node].add(str(event.peer))
        elif event.kind == "record" and event.name == "status":
            counted, right = event.detail.get("label"), f"{len(heard[node])} answered"
            if counted != right:
                who = ", ".join(sorted(heard[node])) or "nobody"
                yield Breach(event.time, f"{node} says “{counted}”; an answer has come from {who}")


greet_and_count = NodeExercise(
    "start_here.greet_and_count",
    task=(
        "Write a node. It greets every peer when it starts, answers whoever greets it, and keeps in `self.answered` who has "
        "answered, each peer once: messages get lost, and some arrive twice. Fill the three gaps of the cell below and run it."
    ),
    expects="your class of nodes, such as Greeter, without brackets",
    success=(
        "Right, also when messages get lost, arrive twice, or a node crashes. Who is missing in `self.answered` may be dead, slow "
        "or cut off: your node can't know."
    ),
    hints=(
        "`ctx.send(peer, Hello())` sends one greeting; in `on_message`, `sender` is who to answer.",
        "`self.answered.append(sender)` notes a peer; the line above it sees to it that nobody is noted twice.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(3), latency=0.1),
        until=2.0,
        requirements=(
            Requirement(unbroken("a node that starts greets every peer", _greets_everybody), _SECTION),
            Requirement(unbroken("each greeting is answered", _answers_each_greeting), _SECTION),
            Requirement(unbroken("nothing but a greeting is answered", _answers_nothing_else), _SECTION),
            Requirement(
                always(
                    lambda now: all(
                        len(set(names)) == len(names) for names in map(_answered, now.nodes.values())
                    ),
                    name="nobody stands in self.answered twice",
                ),
                _SECTION,
            ),
            Requirement(
                unbroken("a node counts exactly those who have answered it", _counts_who_answered), _SECTION
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("an answer gets lost", (LoseMessage("n1", "n0", 2),)),
            Schedule("an answer arrives twice", (RepeatMessage("n1", "n0", 2),)),
            Schedule("a peer is dead from the start", (Crash("n2", 0.0),)),
            Schedule("a link carries nothing in one direction", (CutLink("n0", "n1", 0.0, one_way=True),)),
            Schedule("a node crashes and starts anew", (Crash("n0", 0.5, restart_at=1.0),)),
        ),
        faults=FaultMix(slow=False, clocks=False, pauses=False),
    ),
)
