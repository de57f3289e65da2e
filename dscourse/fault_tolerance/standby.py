"""Hot, warm and cold standby: how soon somebody else does the work, what is lost, and what waiting costs.

    Standby("warm").measure(crash_at=47.0)

A front end passes requests on to the active server "a"; "b" stands by. Each request adds an item to the state.

- **hot** (active): both servers do every request. If one dies the other is there, with all the work.
- **warm** (passive): b runs, and gets a's state every `checkpoint_interval`. If heartbeats stop, b takes over with the
  last state it got.
- **cold** (spare): b is switched off. a's state goes to a store every `backup_interval`. If heartbeats stop, b is
  switched on, boots, fetches the last backup and takes over.

The front end takes a server for dead after a silence: of its heartbeats, or, with ``watch="answers"``, of its answers
while there is something to answer.

Everything is measured in the run: nothing here computes a recovery time from the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from dscourse.arguments import keep, one_of, real
from dscourse.simulation import Context, Node, Request, register_behaviour
from dscourse.simulation.pending_requests import PendingRequests

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Run, Scenario

MODES = ("hot", "warm", "cold")
WATCHES = ("heartbeats", "answers")
_ONE_WAY = 0.005  # seconds between any two machines


@dataclass(frozen=True)
class Apply:
    """Do one request."""

    item: int


@dataclass(frozen=True)
class Applied:
    """It is done."""

    item: int


@dataclass(frozen=True)
class Heartbeat:
    """I am alive."""


@dataclass(frozen=True)
class State:
    """All items so far: a checkpoint, or a backup."""

    items: tuple[int, ...]


@dataclass(frozen=True)
class TakeOver:
    """Become the active server; switch yourself on first, if need be."""


@dataclass(frozen=True)
class Fetch:
    """Send me the last backup."""


@dataclass(frozen=True)
class Ready:
    """I have taken over."""


@register_behaviour
@dataclass(frozen=True)
class OnlyHeartbeats:
    """Half dead: says that it is alive, and nothing else."""

    words: ClassVar[str] = "sends heartbeats, and nothing else"

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Swallow whatever is no heartbeat."""
        return message if isinstance(message, Heartbeat) else None


@dataclass(frozen=True)
class Standby:
    """A pair of servers, one of which stands by.

    Args:
        mode: "hot", "warm" or "cold".
        heartbeat_interval: seconds between heartbeats of the active server.
        timeout: seconds without one after which it is taken for dead.
        checkpoint_interval: warm: seconds between copies of the state to the standby.
        takeover_time: warm: seconds the standby needs to become active.
        backup_interval: cold: seconds between copies of the state to the store.
        boot_time: cold: seconds from power on until the backup can be fetched.
        rate: requests a second.
        watch: "heartbeats" or "answers": whose silence counts.
    """

    mode: str
    heartbeat_interval: float = 0.5
    timeout: float = 2.0
    checkpoint_interval: float = 5.0
    takeover_time: float = 1.0
    backup_interval: float = 30.0
    boot_time: float = 25.0
    rate: float = 10.0
    watch: str = "heartbeats"

    def __post_init__(self) -> None:
        one_of("mode", self.mode, MODES)
        one_of("watch", self.watch, WATCHES)
        for name in ("heartbeat_interval", "timeout", "checkpoint_interval", "backup_interval", "rate"):
            keep(self, **{name: real(name, getattr(self, name), above=0.0)})
        for name in ("takeover_time", "boot_time"):
            keep(self, **{name: real(name, getattr(self, name), at_least=0.0)})
        if self.timeout <= self.heartbeat_interval:
            raise ValueError(
                f"timeout must be longer than heartbeat_interval, or healthy servers are taken for dead; "
                f"got {self.timeout:g} and {self.heartbeat_interval:g}"
            )

    def scenario(self, crash_at: float | None, until: float, seed: int = 0) -> Scenario:
        """Return the scenario: requests all the time, and server a crashes at `crash_at`; None: not at all."""
        from dscourse.simulation import Constant, Crash, Network, OpenLoop, Scenario

        moment = 0.0 if crash_at is None else real("crash_at", crash_at, above=0.0)
        items = tuple(("add", item) for item in range(int(real("until", until, above=moment) * self.rate)))
        requests = OpenLoop(items, rate=self.rate, to="front", timeout=1.0, arrivals="regular")
        return Scenario(
            partial(_standby_node, design=self),
            Network(_machines(self.mode), latency=Constant(_ONE_WAY)),
            faults=() if crash_at is None else (Crash("a", moment),),
            clients=(requests,),
            seed=seed,
        )

    def measure(self, crash_at: float = 47.0, seed: int = 0) -> Recovery:
        """Crash the active server and measure what users notice.

        Args:
            crash_at: when, in seconds.
            seed: of the scenario.
        """
        longest = self.timeout + self.heartbeat_interval + self.boot_time + self.takeover_time
        until = real("crash_at", crash_at, above=0.0) + longest + 5.0
        run = self.scenario(crash_at, until, seed).run(until)
        return _measured(self, run, float(crash_at))


@dataclass(frozen=True)
class Recovery:
    """What a crash of the active server did to the users.

    Attributes:
        mode: of the standby.
        recovery_time: seconds from the crash until a request sent after it was answered.
        lost_work: requests that had been acknowledged before the crash, and of which the survivor knows nothing.
        failed_requests: requests that were not answered.
        machines: servers switched on before the crash.
        work: requests done by all servers together for each that was asked for, before the crash.
        messages: messages between machines for each request, before the crash.
        kept: the requests that the survivor knows of in the end.
        run: the run itself.
    """

    mode: str
    recovery_time: float
    lost_work: int
    failed_requests: int
    machines: int
    work: float
    messages: float
    kept: frozenset[int] = field(repr=False)
    run: Run = field(repr=False)


class Server(Node):
    """Does requests: server a from the beginning, b as the mode will have it."""

    def __init__(self, name: str, design: Standby) -> None:
        self._name = name
        self._design = design
        self._copy_interval = design.checkpoint_interval if design.mode == "warm" else design.backup_interval
        self._power = name == "a" or design.mode != "cold"
        self.active = name == "a" or design.mode == "hot"
        self.items: tuple[int, ...] = ()

    def on_start(self, ctx: Context) -> None:
        """Start the clocks of the active server."""
        if self.active:
            self._begin(ctx)
        elif self._power:
            ctx.record("status", status="follower", label="standing by")
        else:
            ctx.record("status", status="off", label="switched off")

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Do what is asked, if switched on."""
        if isinstance(message, TakeOver) and not self.active:
            wait = self._design.takeover_time if self._power else self._design.boot_time
            ctx.record("status", status="candidate", label="taking over" if self._power else "booting")
            ctx.set_timer("take over" if self._power else "booted", wait)
        elif not self._power:
            return
        elif isinstance(message, Apply) and self.active:
            self.items = (*self.items, message.item)
            ctx.record("work", item=message.item)
            ctx.send(sender, Applied(message.item))
        elif isinstance(message, State) and not self.active:
            self.items = message.items
            if sender == "store":
                self._take_over(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Heartbeats, copies of the state, and the steps of taking over."""
        if name == "heartbeat":
            ctx.send("front", Heartbeat())
            ctx.set_timer(name, self._design.heartbeat_interval)
        elif name == "copy":
            ctx.send("b" if self._design.mode == "warm" else "store", State(self.items))
            ctx.set_timer(name, self._copy_interval)
        elif name == "booted":
            self._power = True
            ctx.send("store", Fetch())
        elif name == "take over":
            self._take_over(ctx)

    def _take_over(self, ctx: Context) -> None:
        self.active = True
        ctx.send("front", Ready())
        self._begin(ctx)

    def _begin(self, ctx: Context) -> None:
        ctx.record("status", status="leader", label="active")
        ctx.send("front", Heartbeat())
        ctx.set_timer("heartbeat", self._design.heartbeat_interval)
        if self._name == "a" and self._design.mode != "hot":
            ctx.set_timer("copy", self._copy_interval)


class BackupServer(Node):
    """Keeps the last backup on its disk."""

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Keep a backup, or hand it out."""
        if isinstance(message, State):
            ctx.save(list(message.items))
        elif isinstance(message, Fetch):
            ctx.send(sender, State(tuple(ctx.stored or ())))


class FailoverProxy(Node):
    """Passes requests on to whoever is active, and watches their heartbeats."""

    def __init__(self, design: Standby) -> None:
        self._design = design
        self._pending = PendingRequests(patience=None)
        self._unanswered: set[str] = set()  # who has been asked since its last answer
        self.active: tuple[str, ...] = ("a", "b") if design.mode == "hot" else ("a",)

    def on_start(self, ctx: Context) -> None:
        """Watch the active servers."""
        for server in self.active:
            ctx.set_timer(f"silence of {server}", self._design.timeout)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Requests go down, answers up, heartbeats reset the clock."""
        if isinstance(message, Request):
            item = int(message.operation[1])
            request = self._pending.open(sender, message.number, key=item)
            if request is not None:
                self._pending.ask(ctx, request, self.active)
                self._unanswered |= set(self.active)
                for server in self.active:
                    ctx.send(server, Apply(item))
        elif isinstance(message, Applied):
            self._unanswered.discard(sender)
            if self._design.watch == "answers":
                ctx.set_timer(f"silence of {sender}", self._design.timeout)
            request = self._pending.answer(message.item, sender, message)
            if request is not None:
                self._pending.reply(ctx, request, "ok")
        elif isinstance(message, Heartbeat) and self._hears(sender):
            ctx.set_timer(f"silence of {sender}", self._design.timeout)
        elif isinstance(message, Ready):
            self.active = (sender,)

    def _hears(self, server: str) -> bool:
        """Whether a heartbeat counts as a sign of life."""
        return self._design.watch == "heartbeats" or server not in self._unanswered

    def on_timer(self, ctx: Context, name: str) -> None:
        """A server has been silent for too long."""
        silent = name.removeprefix("silence of ")
        ctx.record("suspect", peer=silent)
        self.active = tuple(server for server in self.active if server != silent)
        if silent == "a" and self._design.mode != "hot":
            ctx.send("b", TakeOver())


def answered_share(run: Run, since: float) -> float:
    """Return the share of the requests made from `since` on, and settled before the end, that were answered."""
    asked = [op for op in run.history() if op.invoked >= since]
    settled = [op for op in asked if op.outcome != "unknown" or op.invoked + 1.0 < run.until]
    return sum(op.outcome == "ok" for op in settled) / len(settled)


def _standby_node(node_id: str, peers: Sequence[str], *, design: Standby) -> Node:
    if node_id == "front":
        return FailoverProxy(design)
    return BackupServer(node_id, peers) if node_id == "store" else Server(node_id, design)


def _machines(mode: str) -> nx.Graph[str]:
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    places = {"front": (0.0, 0.0), "a": (1.0, 0.6), "b": (1.0, -0.6)}
    if mode == "cold":
        places["store"] = (2.0, 0.0)
    for name, place in places.items():
        graph.add_node(name, pos=place)
    graph.add_edges_from([("front", "a"), ("front", "b"), ("a", "b")])
    if mode == "cold":
        graph.add_edges_from([("a", "store"), ("b", "store")])
    return graph


def _measured(design: Standby, run: Run, crash: float) -> Recovery:
    history = run.history()
    answered = [op for op in history if op.outcome == "ok"]
    after = [op.completed for op in answered if op.invoked >= crash and op.completed is not None]
    kept = frozenset(run.at(run.until).nodes["b"]["items"])
    promised = [op.operation[1] for op in answered if op.completed is not None and op.completed <= crash]
    before = run.trace.select(between=(0.0, crash))
    asked = max(1, len(before.select(kind="invoke")))
    settled = [op for op in history if op.outcome != "unknown" or op.invoked + 1.0 < run.until]
    return Recovery(
        mode=design.mode,
        recovery_time=min(after) - crash if after else float("inf"),
        lost_work=sum(item not in kept for item in promised),
        failed_requests=sum(op.outcome != "ok" for op in settled),
        machines=1 if design.mode == "cold" else 2,
        work=len(before.select(kind="record", name="work")) / asked,
        messages=len(before.select(kind="send", peer=run.nodes)) / asked,
        kept=kept,
        run=run,
    )
