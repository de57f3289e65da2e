"""A fleet of machines that a reconciler keeps at its size: what it sees is late, and what it orders may get lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from dscourse.arguments import instance, real, whole
from dscourse.recovery.reconciler import DEAD, UNREACHABLE, UP, Action, Create, Forget, Reconciler, Remove
from dscourse.simulation import Context, Node, Run

HEARTBEAT = 1.0  # seconds between two signs of life
STATES = {"works": "up", "boots": "starting", "idle": "idle"}  # of a machine, and how each is shown


@dataclass(frozen=True)
class Boot:
    """Start to work."""


@dataclass(frozen=True)
class Stop:
    """Stop to work."""


@dataclass(frozen=True)
class Alive:
    """I work."""


class Machine(Node):
    """A machine that can be booted, works until it is stopped, and says so every second.

    Args:
        node_id: its id.
        peers: the controller.
        boot_time: seconds from the order until it works.
        works: whether it works from the beginning on.
    """

    def __init__(
        self, node_id: str, peers: tuple[str, ...], *, boot_time: float = 4.0, works: bool = False
    ) -> None:
        super().__init__(node_id, peers)
        self._boot_time = boot_time
        self.state = "works" if works else "idle"

    def on_start(self, ctx: Context) -> None:
        """A machine that comes back after a crash is idle, whatever it was before."""
        if ctx.stored is not None:
            self.state = "idle"
        ctx.save(True)
        self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Obey."""
        if isinstance(message, Boot) and self.state == "idle":
            self.state = "boots"
            ctx.set_timer("booted", self._boot_time)
        elif isinstance(message, Stop):
            self.state = "idle"
            ctx.cancel_timer("booted")
            ctx.cancel_timer("heartbeat")
        self._show(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Come up, or say so again."""
        self.state = "works"
        self._show(ctx)

    def _show(self, ctx: Context) -> None:
        ctx.record(
            "status",
            status=STATES[self.state],
            label=self.state,
        )
        if self.state == "works":
            ctx.send(self.peers[0], Alive())
            ctx.set_timer("heartbeat", HEARTBEAT)


class Policy(Protocol):
    """What decides: `Reconciler`, or one of a learner's."""

    def step(
        self, desired: int, observed: dict[str, str], pending: dict[str, float], now: float
    ) -> list[Action]:
        """Return what is to be done now."""


class FleetController(Node):
    """Looks once a second, asks its policy, and sends the orders.

    A machine that has been silent for three seconds is unreachable, after `dead_after` it is dead. New members are idle
    machines, in node order; one that was taken out is used again last.

    Args:
        node_id: its id.
        peers: the machines.
        desired: how many should work.
        policy: what decides.
        working: how many work at the beginning.
        dead_after: seconds of silence.
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        desired: int,
        policy: Policy | None = None,
        working: int = 0,
        silent_after: float = 3.0,
        dead_after: float = 30.0,
    ) -> None:
        super().__init__(node_id, peers)
        self.desired = whole("desired", desired, at_least=0)
        self._policy = Reconciler() if policy is None else policy
        self._silent_after = real("silent_after", silent_after, above=0.0)
        self._dead_after = real("dead_after", dead_after, above=silent_after)
        self._heard: dict[str, float] = dict.fromkeys(peers[:working], 0.0)
        self._idle = list(peers[working:])
        self.pending: dict[str, float] = {}
        self.members = working

    def on_start(self, ctx: Context) -> None:
        """Look for the first time; whom it knew at first is alive until it has been silent for long enough."""
        self._heard = dict.fromkeys(self._heard, ctx.now)
        ctx.set_timer("look", HEARTBEAT)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """A sign of life; whoever works is a member, even if it was given up."""
        if sender in self._idle:
            self._idle.remove(sender)
        self.pending.pop(sender, None)
        self._heard[sender] = ctx.now

    def on_timer(self, ctx: Context, name: str) -> None:
        """Look, decide, order."""
        for action in self.decide(ctx, self._observed(ctx.now)):
            self._carry_out(ctx, action)
        self.members = len(self._heard)
        ctx.record("status", status="leader", label=f"{self.members} + {len(self.pending)} of {self.desired}")
        ctx.set_timer("look", HEARTBEAT)

    def decide(self, ctx: Context, observed: dict[str, str]) -> list[Action]:
        """Return what the policy wants."""
        return self._policy.step(self.desired, observed, dict(self.pending), ctx.now)

    def _observed(self, now: float) -> dict[str, str]:
        return {
            member: UP
            if now - heard < self._silent_after
            else UNREACHABLE
            if now - heard < self._dead_after
            else DEAD
            for member, heard in self._heard.items()
        }

    def _carry_out(self, ctx: Context, action: Action) -> None:
        instance("an action", action, (Create, Remove, Forget), "Create(…), Remove(…) or Forget(…)")
        if isinstance(action, Create):
            for machine in self._idle[: action.count]:
                self.pending[machine] = ctx.now
                ctx.send(machine, Boot())
            del self._idle[: action.count]
            return
        machine = action.member if isinstance(action, Remove) else action.id
        self._heard.pop(machine, None)
        self.pending.pop(machine, None)
        if machine in self.peers and machine not in self._idle:
            self._idle.append(machine)
        if isinstance(action, Remove):
            ctx.send(machine, Stop())


@dataclass(frozen=True)
class FleetReport:
    """What became of a fleet.

    Attributes:
        peak: most machines that worked or booted at one time.
        creations: how many were ordered.
        under_target: share of the time in which fewer worked than should.
        working: how many worked at the end.
    """

    peak: int
    creations: int
    under_target: float
    working: int


def machine_states(run: Run) -> Iterator[tuple[float, dict[str, str]]]:
    """Yield (seconds, {machine: "works" | "boots" | "idle"}) after each change; who is paused is what it was before."""
    crashes = [(begin, node, "idle") for node, spans in run.trace.downtimes().items() for begin, _ in spans]
    told = [
        (event.time, str(event.node), str(event.detail["label"]))
        for event in run.trace.select(kind="record", name="status")
        if event.detail["label"] in STATES
    ]
    machines: dict[str, str] = {}
    for time, machine, state in sorted([*told, *crashes], key=lambda change: change[0]):
        machines = {**machines, machine: state}
        yield time, machines


def fleet_report(run: Run, desired: int) -> FleetReport:
    """Read from a run of machines what became of them."""
    peak = working = 0
    under = last = 0.0
    for time, machines in machine_states(run):
        under += (time - last) * (working < desired)
        last, states = time, list(machines.values())
        working = states.count("works")
        peak = max(peak, len(states) - states.count("idle"))
    under += (run.until - last) * (working < desired)
    ordered = sum(isinstance(event.message, Boot) for event in run.trace.select(kind="send"))
    return FleetReport(peak, ordered, under / run.until, working)
