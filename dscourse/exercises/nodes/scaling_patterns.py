"""The nodes of notebook 03: picking a server, and a worker with a bounded queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule, Unfit, told
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._cluster_examination import LINES
from dscourse.exercises._line_limit import limited_function
from dscourse.exercises.wrong_nodes.scaling_patterns import (
    PICK_RIGHT,
    PICK_STUB,
    PICK_WRONG,
    WORKER_EQUIVALENTS,
    WORKER_RIGHT,
    WORKER_STUB,
    WORKER_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.services import LoadBalancer, Server, View, Work, balancing_scenario
from dscourse.services.load_balancer import tiers
from dscourse.simulation import (
    Crash,
    Event,
    Network,
    Node,
    OpenLoop,
    Pause,
    Reply,
    Request,
    Run,
    Scenario,
    Slow,
)

# ── Picking a server ──────────────────────────────────────────────────────────────────────────────────────────

_MOST, _FAILED, _ENOUGH = 14, 0.1, 40
_BALANCING = "Write the balancer's choice"


def _handed_on(run: Run) -> Iterator[Event]:
    """The requests that balancers have sent to servers."""
    return (event for event in run.trace.select(kind="send") if isinstance(event.message, Work))


def _long_queue(run: Run) -> Iterator[Breach]:
    held = dict.fromkeys(run.nodes, 0)
    for event in run.trace.select(kind=("send", "deliver", "drop")):
        if isinstance(event.message, Work):
            place = event.peer if event.kind == "send" else event.node
            held[str(place)] += 1 if event.kind == "send" else -1
            if held[str(place)] > _MOST:
                yield Breach(
                    event.time,
                    f"{place} holds {held[str(place)]} requests; the others hold {_rest(held, place)}",
                )


def _rest(held: dict[str, int], place: object) -> str:
    return ", ".join(str(count) for node, count in held.items() if node[0] == "s" and node != place)


def _failures(run: Run) -> Iterator[Breach]:
    ended = [operation for operation in run.history() if operation.completed is not None]
    failed = [operation for operation in ended if operation.outcome == "fail"]
    if len(ended) >= _ENOUGH and len(failed) > _FAILED * len(ended):
        yield Breach(run.until, f"{len(failed)} of {len(ended)} requests have failed")


def _same_again(run: Run) -> Iterator[Breach]:
    tried: dict[tuple[str, int], list[str]] = {}
    for event in _handed_on(run):
        servers = tried.setdefault((str(event.node), event.message.ticket), [])
        if event.peer in servers:
            yield Breach(
                event.time,
                f"{event.node} asks {event.peer} again, which has left the same request unanswered",
            )
        servers.append(str(event.peer))


def _balancer(pick: Any) -> Callable[..., Node]:
    """A balancer of two servers that picks so, once it has been seen to pick at all."""
    if not callable(pick) or isinstance(pick, type):
        raise Unfit
    servers, nothing = ("s0", "s1"), {"s0": 0, "s1": 0}
    picked = limited_function(pick, LINES)(View(servers, nothing, nothing, nothing), Random(0))
    if not isinstance(picked, str) or picked not in servers:
        raise Unfit(f"of the servers s0 and s1 it picked {told(picked)}")
    return partial(LoadBalancer, servers=servers, policy=pick)


def _load(**settings: Any) -> Callable[[Any], Scenario]:
    return lambda pick: balancing_scenario(pick, **settings)


pick_a_server = NodeExercise(
    "scaling_patterns.pick_a_server",
    task=(
        "Write the function by which a balancer picks a server. It will meet six loads: a calm one; a server that joins, cold; a "
        "view five seconds old; 24 balancers, each of which sees only its own requests; a server that fails at once; one that falls "
        "silent, so that a request must be tried again. A request takes a server one second on average."
    ),
    expects="your function of (view, rng), without brackets; it returns one of view.servers",
    success=(
        "Right under all six. Two at random herd nowhere, and counting failures as load keeps you from the one that fails fast. "
        "What would you have to know to do better?"
    ),
    hints=(
        "Begin with who may be asked at all: those who are not in `view.tried`, if there are any.",
        "Who follows the least of a view runs where everybody runs. Draw two servers with `rng.random()` and compare these.",
        "A failure must count like a long queue: compare `view.open_requests[s] + 10 * view.failures[s]`.",
    ),
    solution=PICK_RIGHT,
    stub=PICK_STUB,
    wrong_nodes=PICK_WRONG,
    examination=ClusterExamination(
        network=Network(tiers(["n0"], ["s0", "s1"]), latency=0.0),
        until=36.0,
        others={"s0": Server, "s1": Server},
        as_node=_balancer,
        requirements=(
            Requirement(unbroken(f"no server holds more than {_MOST} requests", _long_queue), _BALANCING),
            Requirement(unbroken("fewer than one request in ten fails", _failures), _BALANCING),
            Requirement(unbroken("nobody is asked twice for one request", _same_again), _BALANCING),
        ),
        schedules=(
            Schedule("a calm load", cluster=_load(servers=6, load=0.85, seed=1)),
            Schedule(
                "a new server joins, cold",
                (Slow(8.0, at=10.0, node="s5"),),
                cluster=_load(servers=6, load=0.7, joining={"s5": 10.0}, seed=7),
            ),
            Schedule(
                "the view is five seconds old", cluster=_load(servers=8, load=0.85, view_age=5.0, seed=3)
            ),
            Schedule("many balancers", cluster=_load(servers=8, load=0.6, balancers=24, seed=0)),
            Schedule(
                "a server fails at once",
                cluster=_load(servers=6, load=0.7, service_factors={"s0": 0.01}, failing=["s0"], seed=6),
            ),
            Schedule(
                "a server falls silent",
                (Pause("s2", at=4.0),),
                cluster=_load(servers=6, load=0.4, patience=6.0, attempts=2, seed=3),
            ),
        ),
        faults=FaultMix(most=0),
        seeds=0,
    ),
)

# ── A worker with a bounded queue ─────────────────────────────────────────────────────────────────────────────

_WAITING, _TRIES, _SECOND, _SLACK = 4, 3, 1.0, 0.01
_WORKING = "Write the worker"
_ENDS = ("done", "set aside", "expired")


def _jobs(run: Run) -> dict[str, tuple[float, float, bool]]:
    """Each job that has reached the worker: when, when it is due, and whether it is sound."""
    return {
        f"{event.peer}/{event.message.number}": (event.time, event.time + event.message.operation[1], event.message.operation[2])
        for event in run.trace.select(kind="deliver", node="n0")
        if isinstance(event.message, Request)
    }  # fmt: skip


def _replies(run: Run) -> dict[str, Event]:
    return {
        f"{event.peer}/{event.message.number}": event
        for event in reversed(list(run.trace.select(kind="send", node="n0")))
        if isinstance(event.message, Reply)
    }


def _left_without_answer(run: Run) -> Iterator[Breach]:
    replies = _replies(run)
    for job, (came, _, _) in _jobs(run).items():
        if came + _SLACK < run.until and (job not in replies or replies[job].time > came + _SLACK):
            yield Breach(came + _SLACK, f"the worker leaves {job} without an answer")


def _too_many_or_too_few(run: Run, *, too_many: bool) -> Iterator[Breach]:
    there: set[str] = set()
    for event in run.trace.select(kind=("send", "record"), node="n0"):
        if event.kind == "record" and event.name in _ENDS:
            there.discard(str(event.detail.get("job")))
        elif isinstance(event.message, Reply) and event.message.outcome == "ok":
            there.add(f"{event.peer}/{event.message.number}")
            if too_many and len(there) > _WAITING + 1:
                yield Breach(event.time, f"{len(there) - 1} jobs wait behind the one in hand")
        elif isinstance(event.message, Reply) and not too_many and len(there) <= _WAITING:
            yield Breach(event.time, f"the worker refuses a job, while {max(0, len(there) - 1)} wait")


def _works_for_the_dead(run: Run) -> Iterator[Breach]:
    jobs = _jobs(run)
    for event in run.trace.select(kind="record", name="begin", node="n0"):
        job = str(event.detail.get("job"))
        if job in jobs and event.time > jobs[job][1] + _SLACK:
            yield Breach(
                event.time,
                f"the worker begins {job}, whose deadline was {event.time - jobs[job][1]:.1f} s ago",
            )


def _tries_for_ever(run: Run) -> Iterator[Breach]:
    begun: dict[str, int] = {}
    crashes = [down for down, _ in run.trace.downtimes().get("n0", ())]
    for event in run.trace.select(kind="record", name="begin", node="n0"):
        job = str(event.detail.get("job"))
        begun[job] = begun.get(job, 0) + 1
        if begun[job] > _TRIES + sum(time < event.time for time in crashes):
            yield Breach(event.time, f"the worker begins {job} for the {begun[job]}th time")


def _loses_a_job(run: Run) -> Iterator[Breach]:
    replies = _replies(run)
    ended = {
        str(event.detail.get("job"))
        for event in run.trace.select(kind="record", node="n0")
        if event.name in _ENDS
    }
    for job, (_, due, _) in _jobs(run).items():
        if job in replies and replies[job].message.outcome == "ok" and job not in ended:
            last = due + 2 * _SECOND
            for _, up in run.trace.downtimes().get("n0", ()):
                last = max(last, up + 2 * _SECOND)
            if last < run.until:
                yield Breach(last, f"{job} was accepted, and is neither done nor set aside nor expired")


def _clients(*arrivals: tuple[float, Sequence[tuple[str, float, bool]], float]) -> list[OpenLoop]:
    """Clients that bring jobs: when the first comes, which, and how many a second."""
    return [OpenLoop(tuple(jobs), rate=rate, to="n0", timeout=1.0, start=start, arrivals="regular") for start, jobs, rate in arrivals]  # fmt: skip


_ALONE = Network(tiers(["n0"]), latency=0.0)
_SOUND, _POISONED = ("do", 3.0, True), ("do", 9.0, False)
_QUIET = (0.5, [_SOUND] * 4, 0.7)
_BURST = (8.0, [_SOUND] * 8, 16.0)
_POISON = (1.0, [_POISONED, ("do", 9.0, True)], 5.0)


def _brought(*arrivals: Any) -> Callable[[Any], Scenario]:
    return lambda worker: Scenario(worker, _ALONE, clients=_clients(*arrivals))


bounded_worker = NodeExercise(
    "scaling_patterns.bounded_worker",
    task=(
        "Write a worker with a bounded queue. It answers at once: `ok` if it takes a job in, `fail` if four wait already. What it has "
        "taken in survives a crash. A job past its deadline is dropped when its turn comes. One that fails three times is set aside. "
        "A job is `(“do”, patience, sound)`; whether it is sound shows only when the work is done."
    ),
    expects="your class of nodes, such as Worker, without brackets",
    success="Right. Full, late, crashed or poisoned: whoever brings a job knows where it stands. Which of these would you want to be alerted of?",
    hints=(
        "The job in hand stays first in `self.jobs` until it has ended, so `len(self.jobs) - 1` wait.",
        "Save, then promise: `ctx.save(self.jobs)` comes before the reply. Begin if the new job is the only one.",
        "`while self.jobs and ctx.now > self.jobs[0][1]:` drops the dead. After a try: `job[3] += 1`, and is it over?",
    ),
    solution=WORKER_RIGHT,
    stub=WORKER_STUB,
    wrong_nodes=WORKER_WRONG,
    equivalents=WORKER_EQUIVALENTS,
    examination=ClusterExamination(
        network=_ALONE,
        until=26.0,
        clients=_clients(_QUIET, _BURST, (16.0, _POISON[1], 5.0)),
        requirements=(
            Requirement(unbroken("whoever brings a job is answered at once", _left_without_answer), _WORKING),
            Requirement(
                unbroken("no more than four jobs wait", partial(_too_many_or_too_few, too_many=True)), _WORKING
            ),
            Requirement(
                unbroken("nobody is refused while there is room", partial(_too_many_or_too_few, too_many=False)), _WORKING
            ),
            Requirement(unbroken("no work for a job past its deadline", _works_for_the_dead), _WORKING),
            Requirement(unbroken("a job is tried three times at most", _tries_for_ever), _WORKING),
            Requirement(unbroken("what was accepted is done, set aside or expired", _loses_a_job), _WORKING),
        ),
        schedules=(
            Schedule("a quiet hour", cluster=_brought(_QUIET)),
            Schedule("a burst of eight jobs", cluster=_brought(_BURST)),
            Schedule("a poisoned job", cluster=_brought(_POISON)),
            Schedule(
                "it crashes at work", (Crash("n0", 1.0, restart_at=1.5),), cluster=_brought((0.5, [_SOUND], 1.0))
            ),
            Schedule(
                "it crashes with a job waiting",
                (Crash("n0", 1.0, restart_at=1.5),),
                cluster=_brought((0.5, [_SOUND] * 2, 10.0)),
            ),
        ),
        faults=FaultMix(
            pauses=False, partitions=False, cuts=False, loss=False, duplicates=False, slow=False, clocks=False,
            most=2, heal_at=18.0,
        ),
    ),
)  # fmt: skip
