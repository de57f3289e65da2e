"""What the services need: a cache, databases, another firm's payment service. And an operator who watches."""

from __future__ import annotations

from collections.abc import Sequence

from dscourse.resilience.incidents.design import Design
from dscourse.resilience.incidents.graph import (
    EDGE,
    FRONT_PAGE,
    INSTANCES,
    Answer,
    Ask,
    Command,
    Health,
    Ping,
    Pong,
    Tally,
)
from dscourse.simulation import Context, Node

PAGE_LIVES, FRONT_PAGE_LIVES = 60.0, 600.0  # seconds for which the cache keeps a page
CHECK_EVERY, MISSES = 1.0, 2  # seconds; questions without an answer after which an instance counts as dead
ALERT_SHARE, ALERT_SECONDS = 0.2, 3.0  # more lost requests than that, for so long, wake somebody up
CUSTOMERS_PHONE = 30.0  # seconds until somebody notices without an alert
RUNBOOK, NO_RUNBOOK, SCRIPT = 5.0, 30.0, 1.0  # seconds from noticing to acting
RESTORE = 10.0  # seconds from the command until a backup is back in place
DRAIN_SHARE = (
    0.5  # with more lost requests than that, nearly all traffic is stopped until the queues are empty
)
ADMIT, ADMIT_FOR = 0.1, 4.0  # the share that is let in meanwhile, and for how many seconds


class CacheNode(Node):
    """Pages in memory, each for a while. It answers at once, and begins with all pages, of all ages.

    Args:
        node_id: its name.
        peers: those it is linked with.
        pages: how many pages there are.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, pages: int) -> None:
        super().__init__(node_id, peers)
        self._until = {page: PAGE_LIVES * (0.618 * page % 1.0) for page in range(pages)}
        self._until[FRONT_PAGE] = FRONT_PAGE_LIVES

    def on_start(self, ctx: Context) -> None:
        """After a crash nothing is left."""
        if ctx.stored is not None:
            self._until.clear()
        ctx.save(True)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Say whether a page is there, or keep one."""
        if isinstance(message, Ping):
            ctx.send(sender, Pong())
        if not isinstance(message, Ask):
            return
        if message.kind == "put":
            lives = FRONT_PAGE_LIVES if message.key == FRONT_PAGE else PAGE_LIVES
            self._until[message.key] = ctx.now + lives
            return
        hit = self._until.get(message.key, -1.0) > ctx.now
        ctx.send(sender, Answer(message.number, ok=True, reason="hit" if hit else "miss"))


class DatabaseNode(Node):
    """Answers each query when its time has come: the queue before it is the simulator's.

    Args:
        node_id: its name.
        peers: those it is linked with.
        deleted_at: when somebody deletes the table; the other database follows suit. None: never.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, deleted_at: float | None = None) -> None:
        super().__init__(node_id, peers)
        self._deleted_at = float("inf") if deleted_at is None else deleted_at
        self.restoring = False

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer."""
        if isinstance(message, Ping):
            ctx.send(sender, Pong())
        elif isinstance(message, Command):
            if not self.restoring:  # to begin again would only make it later
                ctx.set_timer("restored", RESTORE)
            self.restoring = True
        elif isinstance(message, Ask):
            there = ctx.now < self._deleted_at
            if not there:
                ctx.record("lost", request=message.root, reason="data deleted", where=self.node_id)
            reason, where = ("", "") if there else ("data deleted", self.node_id)
            ctx.send(sender, Answer(message.number, there, reason, where))

    def on_timer(self, ctx: Context, name: str) -> None:
        """The backup is back."""
        self.restoring = False
        self._deleted_at = float("inf")
        ctx.record("status", status="up", label="restored")


class PaymentNode(Node):
    """Charges for an order each time that it is asked; with keys, once an order.

    Args:
        node_id: its name.
        peers: those it is linked with.
        idempotency: whether the number of the order is a key under which the answer is kept.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, idempotency: bool) -> None:
        super().__init__(node_id, peers)
        self._keys: set[int] | None = set() if idempotency else None

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Charge, and say so."""
        if isinstance(message, Ask):
            if self._keys is None or message.root not in self._keys:
                ctx.record("charged", request=message.root)
            if self._keys is not None:
                self._keys.add(message.root)
            ctx.send(sender, Answer(message.number, ok=True))


class OperatorNode(Node):
    """Whoever looks after the services: health checks by machine, the rest by people, who take their time.

    Args:
        node_id: its name.
        peers: whom it watches.
        design: which of its means there are.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design) -> None:
        super().__init__(node_id, peers)
        self._design = design
        self._checked = [peer for peer in peers if peer != EDGE]
        self._silent: dict[str, int] = dict.fromkeys(self._checked, 0)
        self._bad_since: float | None = None
        self._bad_share = 0.0
        self.state = "calm"

    def on_start(self, ctx: Context) -> None:
        """Begin the health checks."""
        if self._design.health_checks:
            ctx.set_timer("check", CHECK_EVERY)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """An instance is alive, or the edge tells how it goes."""
        if isinstance(message, Pong):
            if self._silent[sender] >= MISSES:
                self._tell(ctx, sender, healthy=True)
            self._silent[sender] = 0
        elif isinstance(message, Tally):
            self._judge(ctx, message)

    def _judge(self, ctx: Context, tally: Tally) -> None:
        total = tally.good + tally.lost
        self._bad_share = tally.lost / max(1, total)
        if self._bad_share <= ALERT_SHARE:
            if self.state == "calm":
                self._bad_since = None
            return
        if self._bad_since is None:
            self._bad_since = ctx.now
        notice = ALERT_SECONDS if self._design.alert else CUSTOMERS_PHONE
        if self.state == "calm" and ctx.now - self._bad_since >= notice:
            self.state = "called"
            act = SCRIPT if self._design.post_mortem else RUNBOOK if self._design.runbook else NO_RUNBOOK
            ctx.record("status", status="candidate", label="called")
            ctx.set_timer("act", act)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Check, act, or let all traffic in again."""
        if name == "check":
            self._check(ctx)
        elif name == "act":
            self._act(ctx)
        else:
            ctx.send(EDGE, Command("admit", 1.0))
            ctx.record("status", status="up", label="calm")
            self.state, self._bad_since = "calm", None

    def _check(self, ctx: Context) -> None:
        for instance in self._checked:
            self._silent[instance] += 1
            if self._silent[instance] == MISSES + 1:
                self._tell(ctx, instance, healthy=False)
            ctx.send(instance, Ping())
        ctx.set_timer("check", CHECK_EVERY)

    def _tell(self, ctx: Context, instance: str, *, healthy: bool) -> None:
        for asker in (EDGE, *INSTANCES["catalog"], *INSTANCES["checkout"]):
            ctx.send(asker, Health(instance, healthy))

    def _act(self, ctx: Context) -> None:
        self.state = "acts"
        ctx.record("status", status="leader", label="acts")
        for service in (*INSTANCES["catalog"], *INSTANCES["checkout"]):
            ctx.send(service, Command("roll back"))
        if self._design.backups:
            for database in INSTANCES["database"]:
                ctx.send(database, Command("restore"))
        if self._bad_share > DRAIN_SHARE:
            ctx.send(EDGE, Command("admit", ADMIT))
        ctx.set_timer("open", ADMIT_FOR)
