"""The customers' side of the shop: a gateway that hands orders to servers, and the servers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.chaos.design import GATEWAY, Design
from dscourse.resilience import RetryBudget, finagle_budget
from dscourse.simulation import Context, Node, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

GATEWAY_PATIENCE = 0.8  # seconds for one attempt
LAST_PATIENCE = 3.5  # seconds for an order that is not tried again
MOST_ATTEMPTS = {"none": 1, "at once": 5, "budget": 3}
BUDGET = {"ratio": 0.2, "retries_per_second": 1.0, "window": 10.0}  # see `finagle_budget`
EJECTED_FOR = 8.0
CPU_SECONDS = 0.2  # of a server, for an order
STORE_SECONDS = 0.03  # of the store, for an order or a piece of a copy
WAITING_LIMIT = 4  # orders that may wait at a server that sheds
STORE_PATIENCE = 0.5
START_UP = 3.0  # seconds until a server that was switched on works
LOOK_EVERY = 2.0
CPU_TARGET, WORK_TARGET = 0.6, 1.0


@dataclass(frozen=True)
class Order:
    """Sell to that customer; nobody waits for the answer after the deadline."""

    ticket: int
    key: str
    deadline: float


@dataclass(frozen=True)
class Sold:
    """What became of it: the number of the item; None: the server is too busy, or got no answer of the store."""

    ticket: int
    item: int | None
    is_busy: bool = False


@dataclass(frozen=True)
class Sell:
    """To the store: an order."""

    ticket: int
    key: str
    deadline: float


@dataclass(frozen=True)
class Answer:
    """Of the store: the item; None: not here, but perhaps at the leader that it names."""

    ticket: int
    item: int | None
    leader: str | None = None


@dataclass(frozen=True)
class PrimaryIs:
    """Of the watcher: that copy sells, since so many changes."""

    primary: str
    epoch: int


@dataclass(frozen=True)
class Load:
    """Of a server: for which share of the last second its processor worked, and how many orders are with it."""

    utilization: float
    orders: int


class WorkTime:
    """For how much of the time since the last look somebody worked."""

    def __init__(self) -> None:
        self._looked = self._since = self._sum = 0.0
        self._is_busy = False

    def turn(self, now: float, *, busy: bool) -> None:
        """Work begins or ends."""
        if self._is_busy:
            self._sum += now - self._since
        self._since, self._is_busy = now, busy

    def look(self, now: float) -> float:
        """Return the share, and begin anew."""
        self.turn(now, busy=self._is_busy)
        share = self._sum / (now - self._looked) if now > self._looked else 0.0
        self._looked, self._sum = now, 0.0
        return min(1.0, round(share, 4))


class OrderGateway(Node):
    """Hands each order to a server, tries again as its policy says, and switches servers on and off.

    Args:
        node_id: its name.
        peers: the servers.
        design: of the shop.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design) -> None:
        super().__init__(node_id, peers)
        self._design = design
        self._servers = design.layout.servers
        self._attempts = MOST_ATTEMPTS[design.retries]
        self._pending = PendingRequests(LAST_PATIENCE if self._attempts == 1 else GATEWAY_PATIENCE)
        self._tickets = self._next = 0
        self._unanswered: dict[
            str, float
        ] = {}  # server → when the first attempt of those without answer was made
        self._back_at: dict[str, float] = {}
        self._loads: dict[str, tuple[float, Load]] = {}
        self._budget = finagle_budget(**BUDGET) if design.retries == "budget" else RetryBudget()
        self.on = design.fewest_servers  # servers that get orders: the first so many

    def on_start(self, ctx: Context) -> None:
        """Begin to look at the fleet, if it scales."""
        self._show(ctx)
        if self._design.fewest_servers < len(self._servers):
            ctx.set_timer("look", LOOK_EVERY)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An order of a customer, an answer of a server, or its load."""
        if isinstance(message, Request):
            self._tickets += 1
            request = self._pending.open(sender, message.number, self._tickets)
            if request is not None:
                self._budget.begin(ctx.now)
                self._attempt(ctx, request)
        elif isinstance(message, Sold):
            self._sold(ctx, sender, message)
        elif isinstance(message, Load):
            self._loads[sender] = (ctx.now, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """An attempt was in vain; or it is time for a look at the fleet, or for new servers."""
        if name == "look":
            self._scale(ctx)
        elif name.startswith("on "):
            self.on = max(self.on, int(name.split()[1]))
            self._show(ctx)
        elif name.startswith("again "):
            request = self._pending.get(name.split()[1])
            if request is not None:
                self._attempt(ctx, request)
        else:
            late = self._pending.expired(name)
            if late is not None:
                for server in late.waiting:
                    self._note_silence(ctx, server)
                self._again(ctx, late)

    def _sold(self, ctx: Context, sender: str, message: Sold) -> None:
        if message.item is not None or message.is_busy:
            self._unanswered.pop(sender, None)
        else:
            self._note_silence(ctx, sender)
        request = self._pending.answer(message.ticket, sender, message.item)
        if request is None:
            return
        if message.item is not None:
            self._budget.success(ctx.now, retry=request.attempts > 1)
            self._pending.reply(ctx, request, "ok", message.item)
        elif not request.waiting:
            self._again(ctx, request)

    def _attempt(self, ctx: Context, request: PendingRequest) -> None:
        server = self._choose(ctx.now)
        request.answers.pop(server, None)
        self._pending.ask(ctx, request, [server])
        key = f"{request.client}/{request.number}"
        ctx.send(server, Order(request.key, key, round(ctx.now + self._pending.patience, 6)))  # type: ignore[operator]
        self._unanswered.setdefault(server, ctx.now)

    def _choose(self, now: float) -> str:
        on = self._servers[: self.on]
        well = [server for server in on if self._back_at.get(server, 0.0) <= now]
        if 2 * len(well) < len(on):  # so many can't be dead: the fault must be elsewhere
            well = list(on)
        self._next += 1
        return well[self._next % len(well)]

    def _note_silence(self, ctx: Context, server: str) -> None:
        """No order has come back sold for so long: leave it out for a while."""
        since = self._unanswered.get(server)
        if since is not None and ctx.now - since >= self._design.detection:
            self._back_at[server] = ctx.now + EJECTED_FOR
            del self._unanswered[server]
            ctx.record("suspect", peer=server)

    def _again(self, ctx: Context, request: PendingRequest) -> None:
        self._budget.failure(ctx.now, retry=request.attempts > 1)
        if request.attempts < self._attempts and self._budget.may_retry(ctx.now):
            if request.waiting:  # a silent server has cost a second already
                self._attempt(ctx, request)
            else:
                ctx.set_timer(f"again {request.key}", 0.05 + 0.2 * ctx.rng.random())
        else:
            self._pending.reply(ctx, request, "fail")

    def _scale(self, ctx: Context) -> None:
        """The share of CPU, or the orders under way, over what is right, times the servers that are on."""
        ctx.set_timer("look", LOOK_EVERY)
        fresh = [load for at, load in (self._loads.get(s, (-9.0, None)) for s in self._servers[: self.on])
                 if load is not None and at > ctx.now - 2.5]  # fmt: skip
        if not fresh:
            return
        wanted = self.on * sum(load.utilization for load in fresh) / len(fresh) / CPU_TARGET
        if self._design.scaling == "by work":
            wanted = max(wanted, self.on * sum(load.orders for load in fresh) / len(fresh) / WORK_TARGET)
        number = max(self._design.fewest_servers, min(len(self._servers), math.ceil(wanted - 1e-9)))
        if number > self.on:
            ctx.set_timer(f"on {number}", START_UP)
        elif number < self.on:
            self.on -= 1
            self._show(ctx)

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status="up", label=f"{self.on} on")
        ctx.record("fleet", on=self.on)


class ShopServer(Node):
    """Works on one order at a time, and waits for the store with it: no other is begun meanwhile.

    Args:
        node_id: its name.
        peers: those it is linked with.
        design: of the shop.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design) -> None:
        super().__init__(node_id, peers)
        self._design = design
        self._copies = design.layout.copies
        self._queue: deque[tuple[str, Order]] = deque()
        self._work: tuple[str, Order] | None = None
        self._work_time, self._order_time = WorkTime(), WorkTime()
        self._pending = PendingRequests(STORE_PATIENCE)
        self._tickets = self._epoch = 0
        self._seconds = CPU_SECONDS
        self.leader = self._copies[0] if self._copies else node_id

    @property
    def waiting(self) -> int:
        """How many orders wait for the server itself."""
        return len(self._queue)

    def on_start(self, ctx: Context) -> None:
        """Tell every second how busy it is."""
        self._work_time.look(ctx.now)
        self._order_time.look(ctx.now)
        ctx.set_timer("second", 1.0)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """An order, an answer of the store, or the watcher's word."""
        if isinstance(message, Order):
            if self._design.shedding and len(self._queue) >= WAITING_LIMIT:
                ctx.send(sender, Sold(message.ticket, None, is_busy=True))
                return
            self._queue.append((sender, message))
            self._begin(ctx)
        elif isinstance(message, Answer):
            self._answer(ctx, sender, message)
        elif isinstance(message, PrimaryIs) and message.epoch >= self._epoch:
            self.leader, self._epoch = message.primary, message.epoch

    def on_timer(self, ctx: Context, name: str) -> None:
        """The work on an order is done; a second has passed; or the store doesn't answer."""
        if name == "work":
            self._work_time.turn(ctx.now, busy=False)
            if self._work is not None:
                (gateway, order), self._work = self._work, None
                self._done(ctx, gateway, order)
            if not self._pending:
                self._order_time.turn(ctx.now, busy=False)
            self._begin(ctx)
        elif name == "second":
            self._tell_load(ctx)
        else:
            request = self._pending.expired(name)
            if request is not None:
                if request.waiting[0] == self.leader and self._design.store == "quorum":
                    place = self._copies.index(self.leader)
                    self.leader = self._copies[(place + 1) % len(self._copies)]
                self._finish(ctx, request, None)

    def _begin(self, ctx: Context) -> None:
        while self._work is None and self._queue and not len(self._pending):
            gateway, order = self._queue.popleft()
            if self._design.shedding and order.deadline < ctx.now:
                continue
            self._work = (gateway, order)
            self._work_time.turn(ctx.now, busy=True)
            self._order_time.turn(ctx.now, busy=True)
            ctx.set_timer("work", self._seconds)

    def _done(self, ctx: Context, gateway: str, order: Order) -> None:
        self._tickets += 1
        request = self._pending.open(gateway, order.ticket, self._tickets, order)
        if request is not None:
            self._ask(ctx, request, self.leader)

    def _ask(self, ctx: Context, request: PendingRequest, copy: str) -> None:
        self._pending.ask(ctx, request, [copy], afresh=True)
        ctx.send(copy, Sell(request.key, request.state.key, request.state.deadline))

    def _answer(self, ctx: Context, sender: str, message: Answer) -> None:
        request = self._pending.answer(message.ticket, sender, message)
        if request is None:
            return
        if message.item is not None:
            self._finish(ctx, request, message.item)
        elif message.leader is not None and message.leader != sender and request.attempts < 3:
            self.leader = message.leader
            self._ask(ctx, request, message.leader)
        else:
            self._finish(ctx, request, None)

    def _finish(self, ctx: Context, request: PendingRequest, item: int | None) -> None:
        self._pending.close(ctx, request)
        ctx.send(request.client, Sold(request.number, item))
        self._order_time.turn(ctx.now, busy=self._work is not None)
        self._begin(ctx)

    def _tell_load(self, ctx: Context) -> None:
        orders = len(self._queue) + len(self._pending) + (self._work is not None)
        load = Load(self._work_time.look(ctx.now), orders)
        occupied = self._order_time.look(ctx.now)
        ctx.record("load", utilization=load.utilization, occupied=occupied, waiting=len(self._queue))
        ctx.record("status", status="up", label=f"{100 * occupied:.0f} %, {orders}")
        if self._design.scaling != "fixed":
            ctx.send(GATEWAY, load)
        ctx.set_timer("second", 1.0)
