"""A service as a node: threads that do a request step by step, and wait for whoever they need.

A request holds a thread from its beginning to its end, also while it waits for a callee: so a slow callee takes a
caller's threads away, and the slowness spreads. What protects the caller is one stack of policies a callee, the same
objects as around a real call, and one breaker an instance.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.resilience.calls import Call
from dscourse.resilience.incidents.design import Design
from dscourse.resilience.incidents.graph import (
    DEADLINE,
    EDGE,
    INSTANCES,
    OPERATOR,
    Answer,
    Ask,
    Command,
    Health,
    Ping,
    Pong,
    Tally,
)
from dscourse.resilience.incidents.stacks import patience, stack_for
from dscourse.resilience.outcomes import FAILED, OPEN, TIMED_OUT, Outcome
from dscourse.resilience.policies.admission import LoadShedder, TokenBucket
from dscourse.resilience.policies.circuit_breaker import CircuitBreaker
from dscourse.simulation import Context, Node, Reply, Request

THREADS = {"edge": 32, "catalog": 12, "checkout": 12}
WORK = 0.004  # seconds that a service computes for a request
QUEUE_LIMIT = 2_000
SHED_AFTER = (
    0.6,
    0.3,
)  # seconds that the first in the queue has waited: who comes then is refused; orders, and page views
LOOK = 0.5  # seconds between two looks at itself
RESTART = 3.0  # seconds that a process needs after a crash
ADMITTED = 90.0  # requests a second for which the services were tested
FRONT_PAGE_QUERIES = 8  # of which the front page is put together
_NEVER = (math.inf, math.inf)


@dataclass(slots=True)
class Job:
    """A request in a service."""

    asker: str
    number: int
    root: int
    kind: str
    key: int
    deadline: float
    arrived: float
    identity: int
    step: int = 0
    call: Call | None = None
    service: str = ""  # that it needs at the moment
    target: str = ""  # whom it has asked last
    wake: float | None = None
    ended: bool = False
    holds_thread: bool = False


class ServiceNode(Node):
    """The edge, or an instance of `catalog` or `checkout`.

    Args:
        node_id: its name; the service is what stands before the "-".
        peers: those it is linked with.
        design: what protects it.
        bad_release: from when to when it runs a release that fails every request at once.
        threads: how many requests it has in hand at a time.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        design: Design,
        bad_release: tuple[float, float] = _NEVER,
        threads: int | None = None,
    ) -> None:
        super().__init__(node_id, peers)
        self.service = node_id.partition("-")[0]
        self.queue: deque[Job] = deque()
        self.threads = THREADS[self.service] if threads is None else threads
        self.busy = 0
        self.open_breakers: tuple[str, ...] = ()
        self._design = design
        self._release = bad_release
        self._stacks = {service: stack_for(design, self.service, service) for service in NEEDS[self.service]}
        self._breakers = {
            target: CircuitBreaker(
                window=20, minimum_calls=10, open_for=3.0, half_open_calls=3, probe_timeout=1.0
            )
            for service in NEEDS[self.service]
            for target in INSTANCES[service]
            if design.breaker
        }
        self._bucket = TokenBucket(ADMITTED, ADMITTED / 4) if design.rate_limit else None
        self._shedder = LoadShedder(SHED_AFTER) if design.shedding else None
        self._asked: dict[
            int, tuple[Job, int, str, Any, float]
        ] = {}  # ticket → job, attempt, target, token, since
        self._tickets: dict[tuple[int, int], int] = {}  # (job, attempt) → ticket
        self._load: dict[str, int] = dict.fromkeys(peers, 0)
        self._unhealthy: dict[str, None] = {}
        self._jobs: dict[int, Job] = {}
        self._flights: dict[int, list[Job]] = {}  # key → those who wait for the one who asks
        self._count = self._tick = 0
        self._down_until = -1.0
        self._serving = False
        self._good = self._lost = 0
        self._share = self._credit = 1.0

    # ── In ────────────────────────────────────────────────────────────────────────────────────────────────

    def on_start(self, ctx: Context) -> None:
        """Begin to look at itself."""
        ctx.set_timer("look", LOOK)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a request, an answer, or the operator's word."""
        if ctx.now < self._down_until:
            if isinstance(message, Ask):
                self._record_loss(ctx, message.root, "crashed")
        elif isinstance(message, Answer):
            self._answered(ctx, message)
        elif isinstance(message, Ask):
            deadline = math.inf if message.deadline is None else message.deadline
            self._arrive(ctx, sender, message.number, message.root, message.kind, message.key, deadline)
        elif isinstance(message, Request):
            kind, _, key = message.operation.partition(" ")
            due = ctx.now + DEADLINE
            self._arrive(ctx, sender, message.number, self._count + 1, kind, int(key), due)
        elif isinstance(message, Ping):
            ctx.send(sender, Pong())
        elif isinstance(message, Health):
            self._unhealthy.pop(message.instance, None)
            if not message.healthy:
                self._unhealthy[message.instance] = None
        elif isinstance(message, Command):
            self._obey(message)

    def _obey(self, command: Command) -> None:
        if command.what == "roll back":
            self._release = _NEVER
        elif command.what == "admit":
            self._share = command.share

    def _arrive(
        self, ctx: Context, asker: str, number: int, root: int, kind: str, key: int, deadline: float
    ) -> None:
        self._count += 1
        job = Job(asker, number, root, kind, key, deadline, ctx.now, self._count)
        self._jobs[job.identity] = job
        if self.service == EDGE:
            ctx.set_timer(f"late {job.identity}", DEADLINE)
        refusal = self._refusal(ctx, job)
        if refusal:
            self._fail(ctx, job, refusal, self.node_id)
            return
        self.queue.append(job)
        self._serve(ctx)

    def _refusal(self, ctx: Context, job: Job) -> str:
        """Why a request isn't let in; empty if it is."""
        design = self._design
        if self.service == EDGE:
            if design.validation and job.kind == "poison":
                return "invalid"
            self._credit += self._share
            if self._credit < 1.0:
                return "paused by the operator"
            self._credit -= 1.0
            if self._bucket is not None and not self._bucket.take(ctx.now):
                return "rate limited"
        if len(self.queue) >= QUEUE_LIMIT:
            return "queue full"
        waited = ctx.now - self.queue[0].arrived if self.queue else 0.0
        if self._shedder is not None and not self._shedder.admit(waited, _priority(job.kind)):
            return "shed"
        return ""

    def _serve(self, ctx: Context) -> None:
        if self._serving:
            return  # an earlier call of this very method goes on with the queue
        self._serving = True
        while self.queue and self.busy < self.threads:
            job = self.queue.popleft()
            if self._design.deadline and ctx.now >= job.deadline:
                self._fail(ctx, job, "deadline passed", self.node_id)
                continue
            self.busy += 1
            job.holds_thread = True
            if self._release[0] <= ctx.now < self._release[1]:
                self._fail(ctx, job, "bad release", self.node_id)
            elif job.kind == "poison" and self.service != EDGE:
                self._crash(ctx, job)
            elif self.service == EDGE:
                self._go_on(ctx, job)
            else:
                ctx.set_timer(f"work {job.identity}", WORK)
        self._serving = False

    def _crash(self, ctx: Context, poison: Job) -> None:
        """The process dies of a request, and with it all that it had in hand."""
        for job in self._jobs.values():
            self._record_loss(ctx, job.root, "crashed" if job is not poison else "poison")
        self.queue.clear()
        for lost in (self._jobs, self._asked, self._tickets, self._flights):
            lost.clear()
        self.busy = 0
        self._load = dict.fromkeys(self._load, 0)
        self._stacks = {service: stack_for(self._design, self.service, service) for service in self._stacks}
        self._down_until = ctx.now + RESTART
        ctx.record("status", status="down", label="restarts")

    # ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, ctx: Context, job: Job) -> None:
        job.service = PLANS[self.service, job.kind][job.step]
        job.step += 1
        if job.service == "cache" and "cache" in self._unhealthy:
            self._go_on(ctx, job)
            return
        if self.service == "catalog" and job.step == 2 and self._joins_flight(job):
            return
        deadline = job.deadline if self._design.deadline else math.inf
        job.call = self._stacks[job.service].call(ctx.now, ctx.rng, deadline=deadline)
        job.wake = None
        self._drive(ctx, job)

    def _joins_flight(self, job: Job) -> bool:
        if not self._design.single_flight:
            return False
        waiting = self._flights.get(job.key)
        if waiting is None:
            self._flights[job.key] = []
            return False
        waiting.append(job)
        return True

    def _drive(self, ctx: Context, job: Job) -> None:
        """Do what the stack of policies wants done now."""
        call = job.call
        assert call is not None  # noqa: S101
        attempts = call.take_attempts()
        while attempts:
            for attempt in attempts:
                self._ask(ctx, job, call, attempt.number)
            attempts = call.take_attempts()
        for number in call.take_cancelled():
            self._give_up(ctx, job, number)
        if call.outcome is not None:
            if job.wake is not None:
                ctx.cancel_timer(f"call {job.identity}")
            self._called(ctx, job, call.outcome)
            return
        wake = call.wake_at
        if wake != job.wake and wake is not None:
            ctx.set_timer(f"call {job.identity}", max(0.0, wake - ctx.now))
        job.wake = wake

    def _ask(self, ctx: Context, job: Job, call: Call, attempt: int) -> None:
        target, token = self._choose(ctx, job.service, job.target)
        if target is None:
            call.answer(ctx.now, attempt, Outcome(OPEN))
            return
        self._tick += 1
        ticket = self._tick
        job.target = target
        self._asked[ticket] = (job, attempt, target, token, ctx.now)
        self._tickets[job.identity, attempt] = ticket
        self._load[target] += 1
        kind = "get" if job.service == "cache" else job.kind
        due = job.deadline if self._design.deadline and job.deadline < math.inf else None
        ctx.send(target, Ask(ticket, job.root, kind, job.key, due))

    def _choose(self, ctx: Context, service: str, before: str) -> tuple[str | None, Any]:
        """The instance to ask: of the healthy ones that which has least in hand, rather not the one before."""
        instances = INSTANCES[service]
        able = [one for one in instances if one not in self._unhealthy] or list(instances)
        if service == "database":
            able = able[:1]  # the others stand by
        elif len(able) > 1:
            able.sort(key=lambda one: (one == before, self._load[one]))
        if not self._design.breaker:
            return able[0], None
        for target in able:
            token = self._breakers[target].allow(ctx.now)
            if token is not None:
                return target, token
        return None, None

    def _give_up(self, ctx: Context, job: Job, attempt: int) -> None:
        ticket = self._tickets.pop((job.identity, attempt), None)
        if ticket is None:
            return
        _, _, target, token, since = self._asked.pop(ticket)
        self._load[target] -= 1
        if token is not None and ctx.now - since >= patience(self._design, job.service) - 1e-5:
            self._breakers[target].record(ctx.now, False, token)

    def _answered(self, ctx: Context, answer: Answer) -> None:
        asked = self._asked.pop(answer.number, None)
        if asked is None:
            return  # nobody waits for it any more
        job, attempt, target, token, _ = asked
        del self._tickets[job.identity, attempt]
        self._load[target] -= 1
        if token is not None:
            self._breakers[target].record(ctx.now, answer.ok, token)
        call = job.call
        assert call is not None  # noqa: S101
        value = answer.reason if answer.ok else (answer.reason, answer.where)
        call.answer(ctx.now, attempt, Outcome("ok" if answer.ok else FAILED, value))
        self._drive(ctx, job)

    def _called(self, ctx: Context, job: Job, outcome: Outcome) -> None:
        """A callee has answered, or the policies have given up."""
        if job.service == "cache" and outcome.ok and outcome.value == "hit":
            self._end(ctx, job, ok=True)
            return
        if job.service == "cache" or (outcome.ok and job.step < len(PLANS[self.service, job.kind])):
            self._go_on(ctx, job)
            return
        followers: list[Job] = []
        if self.service == "catalog":
            followers = self._flights.pop(job.key, followers)
            if outcome.ok:
                for cache in INSTANCES["cache"]:
                    ctx.send(cache, Ask(0, job.root, "put", job.key))
        for one in (job, *followers):
            if outcome.ok:
                self._end(ctx, one, ok=True)
            elif outcome.kind == FAILED:
                self._fail(ctx, one, *outcome.value, told=True)
            else:
                place = job.target if outcome.kind == TIMED_OUT else self.node_id
                self._fail(ctx, one, outcome.kind, place)

    # ── Out ───────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(self, ctx: Context, job: Job, reason: str, where: str, *, told: bool = False) -> None:
        """A request is lost: here, or at a callee who has told its reason already."""
        if self.service == EDGE and self._design.fallback and job.kind != "order" and not job.ended:
            self._end(ctx, job, ok=True, value="old page")
            return
        if not told:
            self._record_loss(ctx, job.root, reason, where)
        self._end(ctx, job, ok=False, reason=reason, where=where)

    def _record_loss(self, ctx: Context, root: int, reason: str, where: str = "") -> None:
        ctx.record("lost", request=root, reason=reason, where=where or self.node_id)

    def _record_end(self, ctx: Context, job: Job, reason: str, where: str) -> None:
        ctx.record(
            "request lost", request=job.root, client=job.asker, number=job.number, reason=reason, where=where
        )

    def _end(
        self, ctx: Context, job: Job, *, ok: bool, value: str = "", reason: str = "", where: str = ""
    ) -> None:
        self._jobs.pop(job.identity, None)
        if self.service != EDGE:
            ctx.send(job.asker, Answer(job.number, ok, reason, where))
        elif not job.ended:
            ctx.cancel_timer(f"late {job.identity}")
            if ok:
                self._good += not value
                self._lost += bool(
                    value
                )  # an old page is no loss to the client, but nothing to be calm about
                ctx.send(job.asker, Reply(job.number, "ok", value or None))
            else:
                self._lost += 1
                self._record_end(ctx, job, reason, where)
                ctx.send(job.asker, Reply(job.number, "fail", reason))
        job.ended = True
        if job.holds_thread:
            job.holds_thread = False
            self.busy -= 1
            self._serve(ctx)

    # ── Time ──────────────────────────────────────────────────────────────────────────────────────────────

    def on_timer(self, ctx: Context, name: str) -> None:
        """Work is done, a policy wants to go on, a client has left, or it is time to look."""
        what, _, number = name.partition(" ")
        if what == "look":
            self._look(ctx)
            return
        job = self._jobs.get(int(number))
        if job is None:
            return
        if what == "work":
            self._go_on(ctx, job)
        elif what == "call" and job.call is not None:
            job.wake = None
            job.call.tick(ctx.now)
            self._drive(ctx, job)
        elif what == "late":
            self._lost += 1
            job.ended = True
            where = job.target if job.holds_thread else self.node_id
            self._record_end(ctx, job, "too late", where)

    def _look(self, ctx: Context) -> None:
        ctx.set_timer("look", LOOK)
        if ctx.now < self._down_until:
            return
        self.open_breakers = tuple(
            target for target, breaker in self._breakers.items() if breaker.state != "closed"
        )
        open_now = ", ".join(self.open_breakers)
        status = "open" if open_now else "up"
        label = f"{self.busy} busy, {len(self.queue)} wait"
        ctx.record(
            "status", status=status, label=label, busy=self.busy, waiting=len(self.queue), open=open_now
        )
        if self.service == EDGE and OPERATOR in self.peers:
            ctx.send(OPERATOR, Tally(self._good, self._lost))
            self._good = self._lost = 0


def _priority(kind: str) -> int:
    return 0 if kind == "order" else 1  # who wants to pay goes first


#: What a service needs, and the steps of each kind of request.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "edge": ("catalog", "checkout"),
    "catalog": ("cache", "database"),
    "checkout": ("database", "payment"),
}
PLANS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("edge", "browse"): ("catalog",),
    ("edge", "poison"): ("catalog",),
    ("edge", "order"): ("checkout",),
    ("catalog", "browse"): ("cache", "database"),
    ("edge", "front"): ("catalog",),
    ("catalog", "front"): ("cache", *("database",) * FRONT_PAGE_QUERIES),
    ("checkout", "order"): ("database", "payment"),
}
