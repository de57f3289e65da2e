"""The node of notebook 10: a reconciler, which keeps a fleet at its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._exercise import Unfit
from dscourse.exercises.wrong_nodes.recovery import RIGHT, STUB, WRONG
from dscourse.exploration import FaultMix
from dscourse.recovery import Create, FleetController, Forget, Machine, Remove
from dscourse.recovery.fleet import Boot, machine_states
from dscourse.recovery.reconciler import DEAD, UNREACHABLE
from dscourse.simulation import Context, Crash, LoseMessage, Network, Node, Pause, Run, topology

_SECTION = "A fleet that heals itself"
CONTROLLER = "n0"
MACHINES, WORKING = 12, 3
WANTED, FEWER, FEWER_FROM = 5, 4, 80.0  # machines, and seconds
UNDER_WAY = 3
SILENT_FOR, LOST_AFTER = 10.0, 20.0  # seconds that the silent, and an order, are waited for
SHORT_PAUSE = 8.0  # seconds: shorter than what a silent machine is waited for
REPLACED_WITHIN = (
    35.0  # seconds: 15 to take a machine out, 7 to boot another, twice where more than three are missing
)


class Fleet(FleetController):
    """A controller that wants one machine less after a while, and tells what its policy saw and did."""

    _silent_since: Mapping[str, float] = {}

    def on_timer(self, ctx: Context, name: str) -> None:
        """Look, decide, order."""
        self.desired = WANTED if ctx.now < FEWER_FROM else FEWER
        super().on_timer(ctx, name)

    def decide(self, ctx: Context, observed: dict[str, str]) -> list[Any]:
        """Return what the policy wants, and note it."""
        actions = super().decide(ctx, observed)
        removed = [action.member for action in actions if isinstance(action, Remove)]
        staying = [member for member in observed if member not in removed]
        ordered = sum(action.count for action in actions if isinstance(action, Create))
        pending = [order for order in self.pending if Forget(order) not in actions]
        self._silent_since = {
            member: self._silent_since.get(member, ctx.now)
            for member, state in observed.items()
            if state == UNREACHABLE
        }
        ctx.record(
            "look",
            desired=self.desired,
            staying=len(staying),
            silent=" ".join(member for member in staying if observed[member] != "up"),
            healthy_removed=" ".join(member for member in removed if observed.get(member) == "up"),
            pending=len(pending),
            ordered=ordered,
            overdue=" ".join(self._overdue(observed, ctx.now)),
        )
        return actions

    def _overdue(self, observed: Mapping[str, str], now: float) -> Iterator[str]:
        """Yield whom it need not wait for any longer, and since when: the dead, the silent, and orders."""
        for member, state in observed.items():
            if state == DEAD or now - self._silent_since.get(member, now) >= SILENT_FOR:
                yield f"{member}@{self._heard[member]:g}"
        for order, since in self.pending.items():
            if now - since >= LOST_AFTER:
                yield f"{order}@{since:g}"


def as_fleet(answer: Any) -> Callable[..., Node]:
    """Put a reconciler into the controller of a fleet, or raise `Unfit`."""
    if not isinstance(answer, type) or not callable(getattr(answer, "step", None)):
        raise Unfit
    try:
        answer()
    except TypeError as problem:
        raise Unfit(problem) from None

    def node(node_id: str, peers: tuple[str, ...]) -> Node:
        return Fleet(node_id, peers, desired=WANTED, policy=answer(), working=WORKING)

    return node


def _wanted(time: float) -> int:
    return WANTED if time < FEWER_FROM else FEWER


def _long_pauses(run: Run) -> list[tuple[str, float, float]]:
    return [
        (fault.node, begin, end)
        for fault, begin, end in run.trace.fault_intervals()
        if isinstance(fault, Pause) and end - begin >= SHORT_PAUSE
    ]


def _boots_too_many(run: Run) -> Iterator[Breach]:
    """A machine boots although enough work or boot; one that stands still for long may be replaced."""
    away = _long_pauses(run)
    for time, states in machine_states(run):
        there = [
            machine
            for machine, state in states.items()
            if state != "idle" and not any(machine == node and time >= begin for node, begin, _ in away)
        ]
        if len(there) > WANTED:
            yield Breach(time, f"{len(there)} machines work or boot, and {_wanted(time)} are wanted")


def _stays_short(run: Run) -> Iterator[Breach]:
    """Fewer work than wanted for too long after the last thing that went wrong."""
    troubles = [
        time for _, begin, end in run.trace.fault_intervals() for time in (begin, end) if time < run.until
    ]
    troubles += [event.time for event in run.trace.select(kind="drop") if isinstance(event.message, Boot)]
    since: float | None = 0.0
    for time, states in [*machine_states(run), (run.until, {})]:
        if since is not None:
            begin = max([since, *(trouble for trouble in troubles if trouble < time)])
            if time - begin > REPLACED_WITHIN:
                yield Breach(
                    begin + REPLACED_WITHIN,
                    f"fewer work than wanted, {REPLACED_WITHIN:g} s after the last thing that went wrong",
                )
        if sum(state == "works" for state in states.values()) >= _wanted(time):
            since = None
        elif since is None:
            since = time


def _looks(run: Run) -> Iterator[tuple[float, Mapping[str, Any]]]:
    for event in run.trace.select(kind="record", name="look"):
        yield event.time, event.detail


def _orders_too_many(run: Run) -> Iterator[Breach]:
    for time, look in _looks(run):
        if look["ordered"] and look["pending"] + look["ordered"] > UNDER_WAY:
            yield Breach(time, f"{look['pending'] + look['ordered']} creations are under way at once")


def _orders_in_vain(run: Run) -> Iterator[Breach]:
    """More is ordered than was missing at first, has died, was silent for the limit, or than orders were lost.

    Who is paused until the end is as good as dead. Of a machine's deaths and lost orders, and of what the controller
    saw of it, the greater number counts: a death may be noticed later, or not at all.
    """
    losses = [
        (begin, fault.node)
        for fault, begin, end in run.trace.fault_intervals()
        if isinstance(fault, Crash) or (isinstance(fault, Pause) and end >= run.until)
    ]
    losses += [
        (event.time, event.node or "")
        for event in run.trace.select(kind="drop")
        if isinstance(event.message, Boot)
    ]
    ordered, overdue = 0, set[str]()
    for time, look in _looks(run):
        ordered += look["ordered"]
        overdue.update(look["overdue"].split())
        seen = Counter(one.partition("@")[0] for one in overdue)
        needed = WANTED - WORKING + (seen | Counter(machine for at, machine in losses if at <= time)).total()
        if look["ordered"] and ordered > needed:
            yield Breach(time, f"{ordered} machines have been ordered, and {needed} were needed")


def _stops_the_healthy(run: Run) -> Iterator[Breach]:
    for time, look in _looks(run):
        if look["healthy_removed"] and look["silent"]:
            words = f"{look['healthy_removed']}, which is well, is taken out, and {look['silent']}, which is silent, stays"
            yield Breach(time, words)
        elif look["healthy_removed"] and look["staying"] + look["pending"] < look["desired"]:
            yield Breach(time, f"{look['healthy_removed']}, which is well, is taken out, and is needed")


def _keeps_too_many(run: Run) -> Iterator[Breach]:
    for time, look in _looks(run):
        if look["staying"] > look["desired"]:
            yield Breach(time, f"{look['staying']} members stay, and {look['desired']} are wanted")


keep_the_fleet = NodeExercise(
    "recovery.keep_the_fleet",
    task=(
        "Write a reconciler. It is asked once a second and returns a list of `Remove(member)`, `Forget(id)` and `Create(n)`. "
        "`observed` says of each member, oldest first, whether it is up, unreachable or dead, as far as is known; `pending` says "
        "since when each ordered machine is waited for. Orders travel for 1.5 s and may get lost; a machine boots for 4 s. The dead, and "
        "who is unreachable for 10 s, are taken out and replaced. Who stands still for a few seconds is not. An order is given up "
        "after 20 s. No more than three creations may be under way."
    ),
    expects="your class, such as Reconciler, without brackets; it has a method `step(desired, observed, pending, now)`",
    success=(
        "Right: never more than wanted, nobody waited for in vain, and a machine that was only slow is still there. Which of your "
        "three limits would you change for machines that take ten minutes to boot?"
    ),
    hints=(
        'Who is gone: `observed[member] == "dead"`, or `now - self.silent_since.get(member, now) >= 10`.',
        "Who stays and what is still under way both count as there. The difference to `desired` says whether there are too few or too many.",
        "Too few: the smaller of what is missing and what may still be ordered, if it is above 0.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    examination=ClusterExamination(
        network=Network(topology.star(MACHINES + 1), latency=1.5),
        until=100.0,
        others={f"n{number}": partial(Machine, works=number <= WORKING) for number in range(1, MACHINES + 1)},
        as_node=as_fleet,
        requirements=(
            Requirement(unbroken("no more machines than wanted work or boot", _boots_too_many), _SECTION),
            Requirement(unbroken("who is missing is replaced in time", _stays_short), _SECTION),
            Requirement(unbroken("at most three creations are under way", _orders_too_many), _SECTION),
            Requirement(
                unbroken(
                    "nobody healthy is taken out who is needed, or before the silent", _stops_the_healthy
                ),
                _SECTION,
            ),
            Requirement(unbroken("who is too many is taken out", _keeps_too_many), _SECTION),
            Requirement(
                unbroken("no more are ordered than died, were silent too long or lost", _orders_in_vain),
                _SECTION,
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a machine dies", (Crash("n2", at=20.0),)),
            Schedule("a machine stands still for seven seconds", (Pause("n1", at=20.0, until=27.0),)),
            Schedule("an order gets lost", (LoseMessage("n0", "n4", 1),)),
            Schedule(
                "four machines die at once",
                tuple(Crash(f"n{number}", at=20.0) for number in (1, 2, 3, 4)),
            ),
            Schedule("a machine is silent when one less is wanted", (Crash("n1", at=72.0),)),
            Schedule("a machine stands still for nine seconds", (Pause("n1", at=20.0, until=29.0),)),
        ),
        faults=FaultMix.only(crashes=4, pauses=1, loss=0.3, most=4, spared=(CONTROLLER,)),
        seeds=60,
    ),
)
