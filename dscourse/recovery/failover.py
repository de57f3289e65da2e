"""Automatic failover as a budget of time: detect, elect, promote, redirect; each step measured in the run.

A controller asks the primary every `interval` whether it is well. After `misses` questions without an answer in time it
takes the primary for gone, asks the other observers for their word, promotes the standby, and tells whoever must know.
Until the applications know, their requests still go to the dead one; how long, depends on how they are redirected:

- "dns": a name is looked up, and remembered for its time to live;
- "virtual address": the address itself moves, and all notice at once;
- "client library": an application that gets no answer asks all databases who is the primary.

A proxy is an application of this kind, with all others behind it.

Real systems document their parts of the budget: Patroni's lock of a leader is good for 30 s and renewed every 10 s, so
that 20 to 30 s pass until it has run out (Patroni, "Dynamic configuration settings"); MongoDB calls an election after
10 s without heartbeats, which come every 2 s, and typically has a new primary within 12 s (MongoDB Manual, "Replica Set
Elections"). `DOCUMENTED` holds these as settings of the controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from dscourse.arguments import one_of, real, truth, whole
from dscourse.recovery.database import Check, Database, Demote, Promote, Promoted, Query, Result, Well
from dscourse.simulation import ClosedLoop, Constant, Context, Crash, Network, Node, Request, Run, Scenario
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

REDIRECTS = ("dns", "virtual address", "client library")
STEPS = ("detect", "elect", "promote", "redirect")
FIRST, SECOND, CONTROLLER, NAMES = "db1", "db2", "watch", "names"
DOCUMENTED: dict[str, dict[str, Any]] = {
    "Patroni": {"interval": 10.0, "misses": 2},
    "MongoDB": {"interval": 2.0, "misses": 4},
}
_ONE_WAY = 0.005  # seconds between any two machines


@dataclass(frozen=True)
class DoYouReach:
    """Does that database answer you?"""

    database: str


@dataclass(frozen=True)
class Reached:
    """It did, or didn't, when I last asked it."""

    database: str
    answer: bool


@dataclass(frozen=True)
class PrimaryIs:
    """That is the primary."""

    database: str


@dataclass(frozen=True)
class Lookup:
    """Who is the primary?"""


class FailoverController(Node):
    """Watches the primary, and puts the standby in its place.

    Args:
        node_id: its id.
        peers: those it is linked with.
        interval: seconds between two questions to a database.
        misses: so many unanswered questions, and it is gone.
        witnesses: who else must not reach it either: more than half of them; none: one observer's word is enough.
        cool_down: seconds after a failover in which there is no second one.
        fail_back: whether the first database becomes the primary again as soon as it answers.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        interval: float = 1.0,
        misses: int = 3,
        witnesses: Sequence[str] = (),
        cool_down: float = 0.0,
        fail_back: bool = False,
    ) -> None:
        super().__init__(node_id, peers)
        self._interval = real("interval", interval, above=0.0)
        self._misses = whole("misses", misses, at_least=1)
        self._witnesses = tuple(witnesses)
        self._cool_down = real("cool_down", cool_down, at_least=0.0)
        self._fail_back = truth("fail_back", fail_back)
        self.primary = FIRST
        self.missed = {FIRST: 0, SECOND: 0}
        self.failovers = 0
        self._round = 0
        self._quiet_until = 0.0
        self._words: dict[str, bool] = {}
        self._next: str | None = None  # who is being promoted

    def on_start(self, ctx: Context) -> None:
        """Begin to watch."""
        ctx.set_timer("ask", self._interval)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask both databases, and judge the last round."""
        for database in self.missed:
            self.missed[database] += 1
            ctx.send(database, Check(self._round + 1))
        self._round += 1
        ctx.set_timer("ask", self._interval)
        if self._next is not None:
            ctx.send(self._next, Promote())  # the order may have been lost
        if self._next is not None or ctx.now < self._quiet_until:
            return
        other = SECOND if self.primary == FIRST else FIRST
        if self.missed[self.primary] > self._misses:
            self._suspect(ctx, other)
        elif self._fail_back and self.primary == SECOND and self.missed[FIRST] <= 1:
            self._promote(ctx, FIRST)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An answer of a database, or the word of a witness."""
        if isinstance(message, Well) and message.number == self._round:
            if message.primary or sender != self.primary:  # one that came back as a standby is no primary
                self.missed[sender] = 0
        elif isinstance(message, Reached) and self._next is None and message.database == self.primary:
            self._words[sender] = message.answer
            if 2 * sum(not reached for reached in self._words.values()) > len(self._witnesses):
                self._promote(ctx, SECOND if self.primary == FIRST else FIRST)
        elif isinstance(message, Promoted) and sender == self._next:
            self._finish(ctx, sender)

    def _suspect(self, ctx: Context, other: str) -> None:
        ctx.record("failover", step="detect", database=self.primary)
        if not self._witnesses:
            self._promote(ctx, other)
            return
        self._words = {}
        for witness in self._witnesses:
            ctx.send(witness, DoYouReach(self.primary))

    def _promote(self, ctx: Context, database: str) -> None:
        ctx.record("failover", step="elect", database=database)
        self._next = database
        ctx.send(self.primary, Demote())
        ctx.send(database, Promote())

    def _finish(self, ctx: Context, database: str) -> None:
        ctx.record("failover", step="promote", database=database)
        self.primary, self._next = database, None
        self.failovers += 1
        self._quiet_until = ctx.now + self._cool_down
        for peer in self.peers:
            if peer not in self.missed:
                ctx.send(peer, PrimaryIs(database))


class Names(Node):
    """Knows which database a name stands for."""

    def on_start(self, ctx: Context) -> None:
        """Know the first one."""
        self.primary = FIRST if ctx.stored is None else ctx.stored

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Learn, or tell."""
        if isinstance(message, PrimaryIs):
            self.primary = message.database
            ctx.save(self.primary)
        elif isinstance(message, Lookup):
            ctx.send(sender, PrimaryIs(self.primary))


class Application(Node):
    """Serves clients with the help of the database that it takes for the primary.

    Args:
        node_id: its id.
        peers: those it is linked with.
        redirect: how it learns of a new primary.
        time_to_live: seconds for which it remembers what it has looked up ("dns").
        age: how old what it remembers is at the beginning.
        patience: seconds to wait for a database.
        keys: how many different ones it asks for, in turn.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        redirect: str = "virtual address",
        time_to_live: float = 60.0,
        age: float = 0.0,
        patience: float = 0.5,
        keys: int = 100,
    ) -> None:
        super().__init__(node_id, peers)
        self._redirect = one_of("redirect", redirect, REDIRECTS)
        self._time_to_live = real("time_to_live", time_to_live, above=0.0)
        self._age = real("age", age, at_least=0.0, at_most=self._time_to_live)
        self._pending = PendingRequests(real("patience", patience, above=0.0))
        self._keys = whole("keys", keys, at_least=1)
        self._number = 0
        self._reached: dict[str, bool] = {FIRST: True, SECOND: True}
        self.primary = FIRST

    def on_start(self, ctx: Context) -> None:
        """Begin to forget."""
        if self._redirect == "dns":
            ctx.set_timer("look up", self._time_to_live - self._age)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Serve a client; hear of a database."""
        if isinstance(message, Request):
            self._number += 1
            request = self._pending.open(sender, message.number, self._number)
            if request is not None:
                self._pending.ask(ctx, request, [self.primary])
                ctx.send(self.primary, Query(self._number, self._number % self._keys))
        elif isinstance(message, Result):
            self._result(ctx, sender, message)
        elif isinstance(message, DoYouReach):
            ctx.send(sender, Reached(message.database, self._reached[message.database]))
        elif isinstance(message, PrimaryIs):
            if sender != CONTROLLER or self._redirect == "virtual address":
                self._turn_to(ctx, message.database)
        elif isinstance(message, Well) and message.primary:
            self._turn_to(ctx, sender)

    def on_timer(self, ctx: Context, name: str) -> None:
        """What was looked up is too old, or a database has not answered."""
        if name == "look up":
            ctx.send(NAMES, Lookup())
            ctx.set_timer("look up", self._time_to_live)
            return
        request = self._pending.expired(name)
        if request is not None:
            self._reached[request.waiting[0]] = False
            self._fail(ctx, request)

    def _result(self, ctx: Context, sender: str, message: Result) -> None:
        self._reached[sender] = True
        request = self._pending.answer(message.number, sender, message)
        if request is None:
            return
        if message.done:
            self._pending.reply(ctx, request, "ok")
        else:
            self._fail(ctx, request)

    def _fail(self, ctx: Context, request: PendingRequest) -> None:
        self._pending.reply(ctx, request, "fail")
        if self._redirect == "client library":
            for database in (FIRST, SECOND):
                ctx.send(database, Check(self._number))

    def _turn_to(self, ctx: Context, database: str) -> None:
        if database != self.primary:
            self.primary = database
            ctx.record("failover", step="redirect", database=database)


def failover_scenario(
    *,
    redirect: str = "virtual address",
    time_to_live: float = 60.0,
    applications: int = 3,
    crash_at: float = 10.0,
    restart_at: float | None = None,
    seed: int = 0,
    controller: Mapping[str, Any] | None = None,
    database: Mapping[str, Any] | None = None,
    standby_is_warm: bool = True,
    patience: float = 0.5,
    think_time: float = 0.1,
) -> Scenario:
    """A pair of databases, a controller, names and applications, each with two clients; the primary crashes.

    Args:
        redirect: how the applications learn of the new primary.
        time_to_live: seconds that a looked up name is remembered; each application looked it up at another time.
        applications: how many.
        crash_at: seconds.
        restart_at: when the crashed database comes back, as a standby with an empty cache; None: it doesn't.
        seed: of the run.
        controller: settings of `FailoverController`.
        database: settings of `Database`.
        standby_is_warm: whether the cache of the standby holds everything.
        patience: seconds for which an application waits for a database.
        think_time: seconds between two requests of a client.
    """
    whole("applications", applications, at_least=1)
    names = [f"app{number}" for number in range(1, applications + 1)]

    def node(node_id: str, peers: Sequence[str]) -> Node:
        if node_id == CONTROLLER:
            return FailoverController(node_id, peers, **(controller or {}))
        if node_id == NAMES:
            return Names(node_id, peers)
        if node_id in (FIRST, SECOND):
            warm = node_id == FIRST or standby_is_warm
            return Database(node_id, peers, primary=node_id == FIRST, warm=warm, **(database or {}))
        age = time_to_live * names.index(node_id) / len(names)
        return Application(
            node_id, peers, redirect=redirect, time_to_live=time_to_live, age=age, patience=patience
        )

    clients = [
        ClosedLoop(("query",), think_time, to=name, timeout=10.0, repeat=True)
        for name in names
        for _ in range(2)
    ]
    network = Network(
        nx.complete_graph([CONTROLLER, FIRST, SECOND, NAMES, *names]), latency=Constant(_ONE_WAY)
    )
    return Scenario(
        node, network, faults=[Crash(FIRST, at=crash_at, restart_at=restart_at)], clients=clients, seed=seed
    )


@dataclass(frozen=True)
class FailoverReport:
    """What a failover took, and what clients saw of it.

    Attributes:
        steps: seconds of each step by name, of those that came to an end.
        total: seconds from the crash until the last application has turned to the new primary; None if one never did.
        failed: requests of clients that failed.
        misdirected: requests to a database that was no primary, or dead.
        failovers: how many there were.
    """

    steps: dict[str, float]
    total: float | None
    failed: int
    misdirected: int
    failovers: int


def failover_report(run: Run) -> FailoverReport:
    """Read from a run of `failover_scenario` what the failover after its first crash took."""
    crash = min(begin for fault, begin, _ in run.trace.fault_intervals() if isinstance(fault, Crash))
    records = list(run.trace.select(kind="record", name="failover"))
    applications = [node for node in run.nodes if node.startswith("app")]
    steps, last = {}, crash
    for step in STEPS[:3]:
        at = next(
            (event.time for event in records if event.detail["step"] == step and event.time >= last), None
        )
        if at is None:
            break
        steps[step], last = at - last, at
    turned = [
        next(
            (event.time for event in records if event.node == app and event.detail["step"] == "redirect"),
            None,
        )
        for app in applications
    ]
    reached = [time for time in turned if time is not None]
    whole_way = len(reached) == len(turned)
    if whole_way and "promote" in steps:
        steps["redirect"] = max(0.0, max(reached) - last)
    failed = sum(operation.outcome in ("fail", "unknown") for operation in run.history())
    refused = sum(
        not event.message.done
        for event in run.trace.select(kind="deliver")
        if isinstance(event.message, Result)
    )
    lost = sum(isinstance(event.message, Query) for event in run.trace.select(kind="drop"))
    promoted = sum(event.detail["step"] == "promote" for event in records)
    return FailoverReport(
        steps, max(reached) - crash if whole_way else None, failed, refused + lost, promoted
    )
