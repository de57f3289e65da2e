"""The node of notebook 01: a load generator that counts from when a request was due."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from math import ceil

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.scaling_metrics import EQUIVALENTS, RIGHT, STUB, WRONG
from dscourse.exploration import FaultMix
from dscourse.scaling import Answer, Ask
from dscourse.scaling.load_generators import INTERVAL, ProbedServer, probed_network
from dscourse.simulation import Event, Pause, Run, Slow

SECTION = "The test that saw nothing"
CONNECTIONS, UNTIL = 4, 10.0
_GENERATOR, _SERVER = "n0", "n1"


def _sends(run: Run) -> Iterator[Event]:
    """The requests that the generator has sent."""
    return (
        event for event in run.trace.select(kind="send", node=_GENERATOR) if isinstance(event.message, Ask)
    )


def _answers(run: Run) -> Iterator[Event]:
    """The answers that have reached the generator."""
    return (
        event
        for event in run.trace.select(kind="deliver", node=_GENERATOR)
        if isinstance(event.message, Answer)
    )


def _too_many_under_way(run: Run) -> Iterator[Breach]:
    under_way = 0
    for event in run.trace.select(kind=("send", "deliver"), node=_GENERATOR):
        under_way += isinstance(event.message, Ask) - isinstance(event.message, Answer)
        if under_way > CONNECTIONS:
            yield Breach(
                event.time, f"{under_way} requests are under way, and there are {CONNECTIONS} connections"
            )


def _late_or_early(run: Run) -> Iterator[Breach]:
    """Whenever something is due or a connection becomes free, all that can be sent is sent, and no more."""
    away = [
        (begin, end)
        for fault, begin, end in run.trace.fault_intervals()
        if isinstance(fault, Pause) and fault.node == _GENERATOR
    ]
    went = Counter(round(event.time, 6) for event in _sends(run))
    came = Counter(round(event.time, 6) for event in _answers(run))
    turns = [number * INTERVAL for number in range(ceil(run.until / INTERVAL))] + [end for _, end in away]
    sent = answered = 0
    for time in sorted({*went, *came, *(round(turn, 6) for turn in turns if turn < run.until)}):
        sent, answered = sent + went[time], answered + came[time]
        due = int(time / INTERVAL + 1e-6) + 1
        if sent > due:
            yield Breach(time, f"number {sent - 1} is sent, and is due only at {(sent - 1) * INTERVAL:.2f} s")
        if any(begin <= time < end for begin, end in away):
            continue
        if sent < due and sent - answered < CONNECTIONS:
            yield Breach(
                time,
                f"{due} requests have been due and {sent} were sent, though {CONNECTIONS - sent + answered} of {CONNECTIONS} connections are free",
            )


def _left_out(run: Run) -> Iterator[Breach]:
    for number, event in enumerate(_sends(run)):
        if event.message.number != number:
            yield Breach(event.time, f"number {event.message.number} is sent, and number {number} is next")


def _counted_wrong(run: Run, *, at_all: bool) -> Iterator[Breach]:
    """Each answer that comes is counted at once, nothing else is; and each from when its request was due."""
    noted: dict[object, list[tuple[float, object]]] = {}
    for event in run.trace.select(kind="record", name="latency", node=_GENERATOR):
        noted.setdefault(event.detail.get("number"), []).append((event.time, event.detail.get("seconds")))
    for event in _answers(run):
        number = event.message.number
        (time, seconds), *more = noted.pop(number, None) or [(math.nan, None)]  # not noted: at no time
        right = event.time - number * INTERVAL
        if at_all and time != event.time:
            yield Breach(
                event.time,
                f"the answer to number {number} comes, {right:.1f} s after it was due, and is not counted",
            )
        elif at_all and more:
            yield Breach(more[0][0], f"the answer to number {number} is noted more than once")
        elif not at_all and not math.isnan(time) and not _close(seconds, right):
            yield Breach(event.time, f"number {number} was due at {number * INTERVAL:.2f} s; that makes {right:.2f} s, and {_shown(seconds)} is noted")  # fmt: skip
    for number, [(time, _), *_] in noted.items():
        if at_all:
            yield Breach(time, f"a latency is noted for number {number!r}, and no answer to it ever comes")


def _close(seconds: object, right: float) -> bool:
    return isinstance(seconds, int | float) and abs(seconds - right) < 0.006  # who rounds to 10 ms is right


def _shown(seconds: object) -> str:
    return f"{seconds:.2f} s" if isinstance(seconds, int | float) else repr(seconds)


load_generator = NodeExercise(
    "scaling_metrics.load_generator",
    task=(
        "Write a load generator. Request number k (0, 1, 2 …) is due at k · 0.25 s. There are four connections: at most four requests may be "
        "under way, and one that finds none free waits for it. Every answer is noted with the time since its request was due, also when "
        "the server stalls, or when your generator itself stands still for a while."
    ),
    expects="your class of nodes, such as LoadGenerator, without brackets",
    success=(
        "Right. Nothing that the server does keeps you from asking, and nothing that was slow is left out. In which case would a "
        "connection more change what you report, and would it be nearer to what users see?"
    ),
    hints=(
        'Number `self.due` is due at `self.due * INTERVAL`: set the timer "due" to what is left until then, `max(0, …)`.',
        "One is due while `self.sent < self.due`; a connection is free while `self.sent - self.answered < CONNECTIONS`.",
        "An answer took `ctx.now - message.number * INTERVAL`, and it frees a connection: `self.send(ctx)`.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=ClusterExamination(
        network=probed_network(_GENERATOR, _SERVER),
        until=UNTIL,
        others={_SERVER: ProbedServer},
        requirements=(
            Requirement(unbroken("at most four requests are under way", _too_many_under_way), SECTION),
            Requirement(unbroken("no request is left out, or sent twice", _left_out), SECTION),
            Requirement(
                unbroken("what is due is sent as soon as a connection is free", _late_or_early), SECTION
            ),
            Requirement(unbroken("every answer is counted", partial(_counted_wrong, at_all=True)), SECTION),
            Requirement(
                unbroken(
                    "a latency counts from when the request was due", partial(_counted_wrong, at_all=False)
                ),
                SECTION,
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("the server stalls for three seconds", (Pause(_SERVER, at=1.0, until=4.0),)),
            Schedule("the server is slow for two seconds", (Slow(9.0, at=1.0, until=3.0, node=_SERVER),)),
            Schedule("the generator itself stands still", (Pause(_GENERATOR, at=1.1, until=2.9),)),
        ),
        faults=FaultMix.only(pauses=2, slow=1, most=2, heal_at=6.0),
    ),
)
