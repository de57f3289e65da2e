"""A supervisor restarts what has crashed. If the cause is still there, it crashes again: a crash loop.

A worker takes messages from a durable queue in their order. One that it can't bear makes it crash; since it wasn't
acknowledged, it is the first again after the restart. Waiting longer each time (as Kubernetes does: 10 s, 20 s, 40 s,
… 300 s, and anew after 600 s without a crash) spares everybody else the restarts, and doesn't help the queue: for
that, a message that has failed too often is set aside, in a dead-letter queue.

Many that crash at once are restarted at once, and all load their state from the same database: a restart storm. Who is
not loaded in time gives up and is restarted, and the database goes on with what nobody waits for. Back-off thins the
requests out; jitter keeps them from coming all together (M. Brooker, *Exponential Backoff And Jitter*, AWS, 2015).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import real, whole
from dscourse.simulation import Context, Network, Node, Run, Scenario, topology

_LOAD_TIME, _LOADED_WITHIN = 0.5, 2.0  # seconds


class Supervisor:
    """Says how long to wait before a restart; the wait doubles with each crash that follows soon upon a start.

    Args:
        first: seconds before the first restart; 0: it restarts at once, always.
        cap: seconds; it never waits longer.
        reset_after: seconds of work after which a crash counts as the first.
    """

    def __init__(self, *, first: float = 10.0, cap: float = 300.0, reset_after: float = 600.0) -> None:
        self._first = real("first", first, at_least=0.0)
        self._cap = real("cap", cap, at_least=first)
        self._reset_after = real("reset_after", reset_after, above=0.0)
        self._next = self._first

    def crashed(self, worked: float) -> float:
        """Return how many seconds to wait before the restart, after so many seconds of work."""
        if real("worked", worked, at_least=0.0) >= self._reset_after:
            self._next = self._first
        wait, self._next = self._next, min(2 * self._next, self._cap)
        return wait


@dataclass(frozen=True)
class WorkReport:
    """What became of a queue.

    Attributes:
        done: messages that were worked off.
        restarts: of the worker.
        set_aside: messages in the dead-letter queue.
        waiting: messages still in the queue.
    """

    done: int
    restarts: int
    set_aside: int
    waiting: int


def work_off(
    poisoned: Sequence[bool],
    supervisor: Supervisor,
    *,
    until: float,
    seconds_each: float = 1.0,
    start_time: float = 2.0,
    set_aside_after: int | None = None,
) -> WorkReport:
    """Let a supervised worker work off a queue, and return what became of it.

    Args:
        poisoned: for each message, whether it makes the worker crash.
        supervisor: decides when it is restarted.
        until: seconds that it has.
        seconds_each: for a message, also for one that ends in a crash.
        start_time: seconds of a restart.
        set_aside_after: crashes after which a message is set aside; None: never.
    """
    limit = None if set_aside_after is None else whole("set_aside_after", set_aside_after, at_least=1)
    queue, done, restarts, aside, tries = deque(poisoned), 0, 0, 0, 0
    each, start = real("seconds_each", seconds_each, above=0.0), real("start_time", start_time, at_least=0.0)
    now = started = 0.0
    while queue and now + each <= until:
        now += each
        if not queue[0]:
            queue.popleft()
            done, tries = done + 1, 0
            continue
        tries += 1
        if tries == limit:
            queue.popleft()
            aside, tries = aside + 1, 0
        now += supervisor.crashed(now - started) + start
        if now > until:
            break
        started = now
        restarts += 1
    return WorkReport(done, restarts, aside, len(queue))


@dataclass(frozen=True)
class Load:
    """Give me my state, says a worker; here it is, says the database."""

    attempt: int


class StateDatabase(Node):
    """Hands out the state of workers, one after the other; it doesn't learn who has given up."""

    def on_start(self, ctx: Context) -> None:
        """Begin with an empty queue."""
        self._queue = deque[tuple[str, Load]]()

    def on_message(self, ctx: Context, sender: str, message: Load) -> None:
        """Take it into the queue."""
        self._queue.append((sender, message))
        if len(self._queue) == 1:
            ctx.set_timer("loaded", _LOAD_TIME)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A state is there; on with the next."""
        worker, load = self._queue.popleft()
        ctx.send(worker, load)
        if self._queue:
            ctx.set_timer("loaded", _LOAD_TIME)


class SupervisedWorker(Node):
    """Works as soon as its state is loaded; if that takes longer than two seconds, it crashes, and is restarted.

    Args:
        node_id: its id.
        peers: the database.
        backoff: settings of its `Supervisor`.
        jitter: the share of each wait that is left to chance.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], *, backoff: Mapping[str, Any], jitter: float
    ) -> None:
        super().__init__(node_id, peers)
        self._supervisor = Supervisor(**backoff)
        self._jitter = real("jitter", jitter, at_least=0.0, at_most=1.0)
        self.attempts = 0
        self.waits = False

    def on_start(self, ctx: Context) -> None:
        """Load its state."""
        self.attempts += 1
        self.waits = True
        ctx.send(self.peers[0], Load(self.attempts))
        ctx.set_timer("too late", _LOADED_WITHIN)
        ctx.record("status", status="starting", label=f"start {self.attempts}")

    def on_message(self, ctx: Context, sender: str, message: Load) -> None:
        """Work, if that is what this start asked for."""
        if message.attempt == self.attempts and self.waits:
            ctx.cancel_timer("too late")
            self.waits = False
            ctx.record("status", status="up", label="works")

    def on_timer(self, ctx: Context, name: str) -> None:
        """Crash, or be started again."""
        if name == "restart":
            self.on_start(ctx)
            return
        self.waits = False
        wait = self._supervisor.crashed(0.0)
        ctx.set_timer("restart", wait * (1 - self._jitter * ctx.rng.random()))
        ctx.record("status", status="idle", label="crashed")


def restart_storm(
    workers: int = 12, *, backoff: Mapping[str, Any], jitter: float = 0.0, seed: int = 0
) -> Scenario:
    """Workers n1, n2 … that have all just crashed, and the database n0.

    Args:
        workers: how many.
        backoff: settings of each worker's `Supervisor`.
        jitter: the share of each wait that is left to chance.
        seed: of the run.
    """

    def node(node_id: str, peers: Sequence[str]) -> Node:
        if node_id == "n0":
            return StateDatabase(node_id, peers)
        return SupervisedWorker(node_id, peers, backoff=backoff, jitter=jitter)

    return Scenario(node, Network(topology.star(workers + 1), latency=0.005), seed=seed)


def at_work_since(run: Run) -> list[float]:
    """Return since when each worker of a `restart_storm` that came up has worked, in seconds."""
    told = run.trace.select(kind="record", name="status")
    return [event.time for event in told if event.detail["label"] == "works"]
