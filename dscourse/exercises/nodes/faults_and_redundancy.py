"""The node of notebook 07: a front end that asks three replicas, of which one may be faulty in any way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from dscourse.exercises import ClusterExamination, ExaminerExercise, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.faults_and_redundancy import (
    EQUIVALENTS,
    EXAMINER_MISTAKES,
    EXAMINER_RIGHT,
    EXAMINER_STUB,
    RIGHT,
    STUB,
    WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    Byzantine,
    ClosedLoop,
    Crash,
    Network,
    Node,
    RepeatMessage,
    Reply,
    Request,
    Run,
    Slow,
    register_behaviour,
    topology,
)

if TYPE_CHECKING:
    from dscourse.simulation import Context

VALUE, LIE = "blue", "red"
_SECTION = "Tolerant of what?"


@dataclass(frozen=True)
class Read:
    """What is the value? For a client's request of that number."""

    client: str
    number: int


@dataclass(frozen=True)
class Answer:
    """The value, as one replica says."""

    client: str
    number: int
    value: str


@register_behaviour
@dataclass(frozen=True)
class OtherValue:
    """Says another value than it holds, at once or now and then.

    Args:
        rate: share of its answers that are lies.
    """

    rate: float = 1.0

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Lie, if it will."""
        lies = rng.random() < self.rate and isinstance(message, Answer)
        return replace(message, value=LIE) if lies else message


class Replica(Node):
    """Holds a value and says it to whoever asks."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer."""
        if isinstance(message, Read):
            ctx.send(sender, Answer(message.client, message.number, VALUE))


def _tells_a_lie(run: Run) -> Iterator[Breach]:
    for event in run.trace.select(kind="send", node="n0"):
        if (
            isinstance(event.message, Reply)
            and event.message.outcome == "ok"
            and event.message.value != VALUE
        ):
            yield Breach(event.time, f"n0 tells {event.peer} “{event.message.value}”; the value is “{VALUE}”")


def _replies(run: Run) -> dict[tuple[str | None, int], list[Any]]:
    found: dict[tuple[str | None, int], list[Any]] = {}
    for event in run.trace.select(kind="send", node="n0"):
        if isinstance(event.message, Reply):
            found.setdefault((event.peer, event.message.number), []).append(event)
    return found


def _answers_twice(run: Run) -> Iterator[Breach]:
    for (client, number), events in _replies(run).items():
        if len(events) > 1:
            yield Breach(events[1].time, f"n0 answers request {number} of {client} again")


def _leaves_without_answer(run: Run) -> Iterator[Breach]:
    replies = _replies(run)
    for event in run.trace.select(kind="deliver", node="n0"):
        if isinstance(event.message, Request) and event.time + 0.5 < run.until:
            key = event.peer, event.message.number
            got = replies.get(key)
            if got is None or got[0].time > event.time + 0.5:
                yield Breach(
                    event.time + 0.5,
                    f"n0 has not answered request {key[1]} of {key[0]}, half a second after it came",
                )
            elif got[0].message.outcome != "ok":
                yield Breach(got[0].time, f"n0 refuses request {key[1]} of {key[0]}")


EXAMINATION = ClusterExamination(
    network=Network(topology.star(4), latency=0.05),
    until=3.0,
    clients=(
        ClosedLoop((("read",),) * 3, 0.3, "n0", timeout=0.8, start=0.1),
        ClosedLoop(
            (("read",),), 0.3, "n0", timeout=0.8, start=0.1
        ),  # its request has the number of another's
    ),
    others={"n1": Replica, "n2": Replica, "n3": Replica},
    requirements=(
        Requirement(unbroken("what a client is told is true", _tells_a_lie), _SECTION),
        Requirement(unbroken("a client is answered within half a second", _leaves_without_answer), _SECTION),
        Requirement(unbroken("a client is answered once", _answers_twice), _SECTION),
    ),
    schedules=(
        Schedule("all three are well"),
        Schedule("a replica lies", (Byzantine("n1", OtherValue(), 0.0),)),
        Schedule("another one lies", (Byzantine("n3", OtherValue(), 0.0),)),
        Schedule("a replica is dead", (Crash("n2", 0.0),)),
        Schedule("a replica is slow", (Slow(20.0, 0.0, node="n3"),)),
        Schedule(
            "a replica lies, and its lie arrives twice",
            (Byzantine("n1", OtherValue(), 0.0), RepeatMessage("n1", "n0", 1)),
        ),
        Schedule(
            "a replica comes and goes", (Crash("n1", 0.2, restart_at=0.6), Crash("n1", 1.0, restart_at=1.4))
        ),
    ),
    faults=FaultMix(
        partitions=False, clocks=False, byzantine=(OtherValue(), OtherValue(0.5)), victims=1, spared=("n0",)
    ),
)


believe_two = NodeExercise(
    "faults_and_redundancy.believe_two",
    task=(
        "Write a front end. Three replicas hold a value; one of them, you don't know which, may lie, be slow, lose messages or be "
        "dead. Ask all three, and answer each client once, with the true value, within half a second. Fill the gap: note an answer, "
        "and reply as soon as you know enough."
    ),
    expects="your class of nodes, such as FrontEnd, without brackets",
    success=(
        "Right: two that agree are the truth, whoever the third is. How many replicas would you need if two of them might lie?"
    ),
    hints=(
        "`self.answers[message.client, message.number][sender] = message.value` notes an answer, one for each replica.",
        "At most one replica lies. So what two of them say is true.",
        "After the reply, `del self.answers[message.client, message.number]`: a later answer then finds nothing open.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=EXAMINATION,
)

catch_the_wrong = ExaminerExercise(
    "faults_and_redundancy.catch_the_wrong",
    of=believe_two,
    task=(
        "Now you are the examiner. Somebody hands you front ends: one is right, five are wrong, each in its own way. Write what must "
        "hold of a run, as functions of the run. Your properties must accept the right front end, whatever one replica does, and "
        "catch as many of the others as you can. The value is “blue”; the client c0 asks three times."
    ),
    expects="a list of properties, such as [holds(told_the_truth, name='…')], or a list of faults",
    success=(
        "All five caught, and the right one let through. Which of your properties forbids something bad, and which demands something "
        "good? A front end that never answers keeps every property of the first kind."
    ),
    hints=(
        "`run.history()` has a row for each operation: `.outcome` is 'ok', 'fail' or 'unknown', `.value` what the client was told.",
        "One property for what is told, one that everything is answered. What would a front end do that breaks neither?",
        "What n0 sends is in `run.trace.select(kind='send', node='n0')`; what goes to a client has the `event.name` Reply.",
    ),
    stub=EXAMINER_STUB,
    solution=EXAMINER_RIGHT,
    mistakes=EXAMINER_MISTAKES,
)
