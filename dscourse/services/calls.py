"""Services that need others before they can answer, and what it costs to need them.

    anti_pattern_prices(["global lock", "one call per row"])

One kind of node does it all: a `CallingServer` makes its calls in rounds, those of a round side by side, one round
after the other. A shared lock, disk or database, a generator of ids, a participant of a transaction, the next service
of a chain: each is a server with a queue, and what makes it a friend or a foe is how many wait there for whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dscourse.arguments import items, real, whole
from dscourse.services.load_balancer import Done, LoadBalancer, Server, Work, tiers
from dscourse.services.policies import RoundRobin
from dscourse.simulation import Context, Node, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.simulation import Run, Scenario

Rounds: TypeAlias = tuple[tuple[str, ...], ...]

_CPU = 0.004  # seconds that a web server spends on a message: the request, and each answer that it gets to its calls
_STORE = 0.004  # seconds that a store spends on a call
_HOLD = 0.002  # seconds for which a request holds the lock
_COUNT = 0.0005  # seconds that it takes to hand out the next id
_CHAIN = 5  # services in a row
_ROWS = 10
_ONE_WAY = 0.0005  # seconds between two machines
_PATIENCE = 0.5
_STEPS = 1_000  # more than there are rounds: a ticket of a call is the request's, times this, and the round


@dataclass
class _Progress:
    """How far a request has come."""

    rounds: Rounds
    for_client: bool
    step: int = 0


class CallingServer(Node):
    """Answers when all its calls have been answered.

    Every message that it handles costs it its `service_time`: the request, and each answer. So calls cost the caller
    too, even where the called are fast.

    Args:
        node_id: its name.
        peers: those it is linked with.
        rounds: whom to call, round by round; the calls of one round go out together.
        patience: seconds to wait for the answers of a round before the request fails.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], *, rounds: Rounds = (), patience: float = _PATIENCE
    ) -> None:
        super().__init__(node_id, peers)
        self._rounds = rounds
        self._pending = PendingRequests(patience)
        self._tickets = 0

    def rounds_for(self, operation: object) -> Rounds:
        """Whom to call for an operation: for all the same, unless a server of another kind knows better."""
        return self._rounds

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Begin a request, or take the answer to a call."""
        if isinstance(message, Request | Work):
            self._tickets += 1
            number = message.number if isinstance(message, Request) else message.ticket
            state = _Progress(self.rounds_for(message.operation), isinstance(message, Request))
            request = self._pending.open(sender, number, self._tickets, state)
            if request is not None:
                self._go_on(ctx, request)
        elif isinstance(message, Done):
            ticket, step = divmod(message.ticket, _STEPS)
            waiting = self._pending.get(ticket)
            if waiting is None or waiting.state.step != step:
                return
            if self._pending.answer(ticket, sender, message.outcome) and not waiting.waiting:
                if "fail" in waiting.answers.values():
                    self._end(ctx, waiting, "fail")
                else:
                    self._go_on(ctx, waiting)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Somebody doesn't answer, so nothing can be answered here."""
        request = self._pending.expired(name)
        if request is not None:
            self._end(ctx, request, "fail")

    def _go_on(self, ctx: Context, request: PendingRequest) -> None:
        progress = request.state
        if progress.step == len(progress.rounds):
            self._end(ctx, request, "ok")
            return
        calls = progress.rounds[progress.step]
        progress.step += 1
        self._pending.ask(ctx, request, calls, afresh=True)
        for other in calls:
            ctx.send(other, Work(request.key * _STEPS + progress.step))

    def _end(self, ctx: Context, request: PendingRequest, outcome: str) -> None:
        if request.state.for_client:
            self._pending.reply(ctx, request, outcome)
        else:
            self._pending.close(ctx, request)
            ctx.send(request.client, Done(request.number, outcome))


@dataclass(frozen=True)
class _Design:
    """What each web server calls, beginning from a healthy one: its own store, once."""

    rounds: Mapping[str, Rounds]
    shared: Mapping[str, float]  # further machines, and how long a call takes there
    chain: tuple[str, ...] = ()  # machines of which each calls the next
    critical: str = ""  # the machine whose crash is measured


def _design(name: str, servers: Sequence[str], stores: Sequence[str]) -> _Design:
    own = dict(zip(servers, stores, strict=True))
    others = {s: (stores[k], stores[k - 1], stores[k - 2]) for k, s in enumerate(servers)}
    chain = tuple(f"t{number}" for number in range(1, _CHAIN))
    designs = {
        "healthy": _Design({s: ((own[s],),) for s in servers}, {}, critical=stores[0]),
        "global lock": _Design(
            {s: (("lock",), (own[s],)) for s in servers}, {"lock": _HOLD}, critical="lock"
        ),
        "one shared database": _Design(
            dict.fromkeys(servers, (("database",),)), {"database": _STORE}, critical="database"
        ),
        "central id generator": _Design(
            {s: (("ids",), (own[s],)) for s in servers}, {"ids": _COUNT}, critical="ids"
        ),
        "call chain": _Design(
            {s: ((chain[0],), (own[s],)) for s in servers},
            dict.fromkeys(chain, _CPU / (2 * len(servers))),  # strong ones: it is not load that is shown
            chain,
            chain[-1],
        ),
        "one call per row": _Design({s: ((own[s],),) * _ROWS for s in servers}, {}, critical=stores[0]),
        "distributed transaction": _Design(
            {s: (others[s], others[s]) for s in servers}, {}, critical=stores[0]
        ),
    }
    return designs[name]


ANTI_PATTERNS = (
    "global lock",
    "one shared database",
    "central id generator",
    "call chain",
    "one call per row",
    "distributed transaction",
)


def calls_scenario(
    name: str = "healthy",
    *,
    servers: int = 8,
    rate: float = 150.0,
    crash_at: float | None = None,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: a balancer "b0", web servers "s0" …, a store "d0" … for each, and one anti-pattern.

    Args:
        name: one of `ANTI_PATTERNS`, or "healthy".
        servers: web servers, at least 3.
        rate: requests a second.
        crash_at: when the machine that the pattern hangs on crashes for good (of a healthy system: one store); None:
            never.
        seed: of the scenario.

    Raises:
        LookupError: no such pattern.
    """
    from dscourse.simulation import Crash, Exponential, Network, OpenLoop, Scenario

    if name not in ("healthy", *ANTI_PATTERNS):
        raise LookupError(f"There is no anti-pattern {name!r}. There are: {', '.join(ANTI_PATTERNS)}.")
    count = whole("servers", servers, at_least=3)
    fronts, stores = [f"s{k}" for k in range(count)], [f"d{k}" for k in range(count)]
    design = _design(name, fronts, stores)
    graph = tiers(["b0"], fronts, [*stores, *design.shared])
    seconds = dict.fromkeys(fronts, _CPU) | dict.fromkeys(stores, _STORE) | dict(design.shared)
    for node, mean in seconds.items():
        graph.nodes[node]["service_time"] = Exponential(mean)
    rounds = dict(design.rounds)
    for before, after in zip(design.chain, design.chain[1:], strict=False):
        graph.add_edge(before, after)
        rounds[before] = ((after,),)
    factory = partial(_calling_node, servers=tuple(fronts), rounds=rounds)
    client = OpenLoop(
        (("get",),), rate=real("rate", rate, above=0.0), to="b0", timeout=2 * _PATIENCE, repeat=True
    )
    faults = [] if crash_at is None else [Crash(design.critical, at=crash_at)]
    return Scenario(factory, Network(graph, latency=_ONE_WAY), clients=[client], faults=faults, seed=seed)


def anti_pattern_prices(
    names: Sequence[str] = ANTI_PATTERNS,
    *,
    servers: int = 8,
    rate: float = 150.0,
    seconds: float = 4.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each anti-pattern costs an otherwise healthy system, measured, one a row; the first row is healthy.

    Columns: `median` and `p99` in seconds, `messages` a request, `busiest` machine and `most_rate`: the requests a
    second at which that one will be busy all the time (so far as it was measured at this rate), and `left_after_crash`:
    the share of requests that are still answered when the machine that it hangs on is gone.

    Args:
        names: of `ANTI_PATTERNS`.
        servers: web servers.
        rate: requests a second.
        seconds: how long each run lasts, more than 2.
        seed: of the runs.
    """
    import numpy as np
    import pandas as pd

    real(
        "seconds", seconds, above=1.0 + 2 * _PATIENCE
    )  # it crashes at 1 s, and the last answers are waited for
    rows = {}
    for name in ("healthy", *items("names", names, "a list of anti-patterns")):
        scenario = calls_scenario(name, servers=servers, rate=rate, seed=seed)
        run = scenario.run(seconds)
        crashed = calls_scenario(name, servers=servers, rate=rate, crash_at=1.0, seed=seed).run(seconds)
        done = run.latencies()
        busy = utilizations(run)
        busiest = max(busy, key=lambda node: busy[node])
        rows[name] = {
            "median": float(np.median(done)),
            "p99": float(np.quantile(done, 0.99)),
            "messages": len(run.trace.select(kind="send")) / len(run.history()),
            "busiest": busiest,
            "most_rate": rate / busy[busiest],
            "left_after_crash": _answered(crashed, 1.0, seconds - 2 * _PATIENCE),
        }
    return pd.DataFrame(rows).T.infer_objects()


def utilizations(run: Run) -> dict[str, float]:
    """Return the share of the run in which each machine that has a mean service time worked: jobs × mean / duration."""
    graph = run.scenario.network.graph
    handled = dict.fromkeys(run.nodes, 0)
    for event in run.trace.select(kind="deliver"):
        if event.node in handled:
            handled[event.node] += 1
    return {
        node: handled[node] * graph.nodes[node]["service_time"].mean / run.until
        for node in run.nodes
        if "service_time" in graph.nodes[node]
    }


def _answered(run: Run, begin: float, end: float) -> float:
    asked = [operation for operation in run.history() if begin <= operation.invoked < end]
    return sum(operation.outcome == "ok" for operation in asked) / len(asked)


def _calling_node(
    node_id: str, peers: Sequence[str], *, servers: tuple[str, ...], rounds: Mapping[str, Rounds]
) -> Node:
    if node_id == "b0":
        return LoadBalancer(node_id, peers, servers=servers, policy=RoundRobin)
    if node_id in rounds:
        return CallingServer(node_id, peers, rounds=rounds[node_id])
    return Server(node_id, peers)
