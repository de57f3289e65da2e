"""Load balancers and the servers behind them, as nodes: what a request goes through, message by message.

    run = balancing_scenario("two choices", servers=20, load=0.9).run(60.0)

How long a server works, and how many may wait there, are the attributes `service_time` and `queue_limit` of its node in
the graph, so the queues are the simulator's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, whole
from dscourse.services.policies import (
    LeastConnections,
    Policy,
    PowerOfTwoChoices,
    RandomChoice,
    RoundRobin,
    View,
)
from dscourse.simulation import Context, Node, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Scenario

_POLICIES: dict[str, type[Policy]] = {
    "random": RandomChoice,
    "round robin": RoundRobin,
    "least connections": LeastConnections,
    "two choices": PowerOfTwoChoices,
}
_REMEMBERED = 10  # answers of each server


@dataclass(frozen=True)
class Work:
    """Do this, and tell me when it is done."""

    ticket: int
    operation: Any = None


@dataclass(frozen=True)
class Done:
    """It is done, "ok" or "fail"."""

    ticket: int
    outcome: str = "ok"
    value: Any = None


class Server(Node):
    """Keeps nothing between requests, so that any other can take its place.

    Args:
        node_id: its name, which is also what it answers.
        peers: the balancers.
        fails: whether it answers that it failed, whatever is asked.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, fails: bool = False) -> None:
        super().__init__(node_id, peers)
        self._outcome = "fail" if fails else "ok"

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """The work is done (the simulator has waited for it): say so."""
        if isinstance(message, Work):
            ctx.send(sender, Done(message.ticket, self._outcome, self.node_id))


class LoadBalancer(Node):
    """Passes each request on to one of its servers, and the answer back.

    Args:
        node_id: its name.
        peers: those it is linked with.
        servers: whom to pass requests on to.
        policy: a function of (view, rng) that returns a server, or a class of such, of which it makes one.
        view_age: seconds for which it keeps its counts of open requests before it looks again; 0: always the present.
        patience: seconds to wait for an answer before it gives a server up; None: without end.
        attempts: servers asked for one request, the first included, before the client is told that it failed.
        joining: {server: seconds} for those of the servers that are passed on to only from then on.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        servers: Sequence[str],
        policy: Policy | type[Policy] = RandomChoice,
        view_age: float = 0.0,
        patience: float | None = None,
        attempts: int = 1,
        joining: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(node_id, peers)
        self._joining = dict(joining or {})
        self.servers: tuple[str, ...] = ()
        self.open_requests: dict[str, int] = {}
        self._policy: Policy = policy() if isinstance(policy, type) else policy
        self._view_age, self._attempts = view_age, attempts
        self._seen: dict[str, int] = self.open_requests if view_age == 0.0 else {}
        self._last: dict[str, deque[bool]] = {}  # did it fail?
        self._failures: dict[str, int] = {}
        self._answers: dict[str, int] = {}
        self._pending = PendingRequests(patience)
        self._tickets = 0
        self._take_in(server for server in servers if server not in self._joining)

    def _take_in(self, servers: Iterable[str]) -> None:
        for server in servers:
            self.servers += (server,)
            self.open_requests[server] = self._seen[server] = self._failures[server] = self._answers[
                server
            ] = 0
            self._last[server] = deque(maxlen=_REMEMBERED)

    def on_start(self, ctx: Context) -> None:
        """Begin to look at the load now and then, unless it is always seen."""
        if self._view_age > 0.0:
            ctx.set_timer("look", self._view_age)
        for server, at in self._joining.items():
            ctx.set_timer(f"join {server}", at)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a client's request, or a server's answer."""
        if isinstance(message, Request):
            self._tickets += 1
            request = self._pending.open(sender, message.number, self._tickets, ([], message.operation))
            if request is not None:
                self._pass_on(ctx, request)
        elif isinstance(message, Done):
            request = self._pending.answer(message.ticket, sender, message)
            if request is not None:
                self._note(sender, failed=message.outcome == "fail")
                if message.outcome == "ok" or request.attempts >= self._attempts:
                    self._pending.reply(ctx, request, message.outcome, message.value)
                else:
                    self._pass_on(ctx, request)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Look at the load again, take a newcomer in, or give a server up."""
        if name == "look":
            self._seen = dict(self.open_requests)
            ctx.set_timer("look", self._view_age)
            return
        if name.startswith("join "):
            self._take_in([name.removeprefix("join ")])
            return
        request = self._pending.expired(name)
        if request is None:
            return
        self._note(request.waiting[0], failed=True)
        if request.attempts < self._attempts:
            self._pass_on(ctx, request)
        else:
            self._pending.reply(ctx, request, "fail")

    def _pass_on(self, ctx: Context, request: PendingRequest) -> None:
        tried, operation = request.state
        key = str(operation[1]) if isinstance(operation, tuple) and len(operation) > 1 else ""
        if not self.servers:
            self._pending.reply(ctx, request, "fail", "no server")
            return
        view = View(self.servers, self._seen, self._failures, self._answers, tuple(tried), key)
        server = self._policy(view, ctx.rng)
        if server not in self.servers:
            raise LookupError(f"a policy must return one of view.servers, got {server!r}")
        tried.append(server)
        self.open_requests[server] += 1
        self._pending.ask(ctx, request, [server], afresh=True)
        ctx.send(server, Work(request.key, self.handed_on(request.key, operation)))

    def handed_on(self, ticket: int, operation: Any) -> Any:
        """What a server is told of an operation: all of it, as the client put it."""
        return operation

    def _note(self, server: str, *, failed: bool) -> None:
        self.open_requests[server] -= 1
        self._answers[server] += 1
        self._last[server].append(failed)
        self._failures[server] = sum(self._last[server])


def balancing_scenario(
    policy: str | Policy,
    *,
    servers: int = 20,
    load: float = 0.9,
    view_age: float = 0.0,
    balancers: int = 1,
    service_seconds: float = 1.0,
    service_factors: Mapping[str, float] | None = None,
    failing: Sequence[str] = (),
    queue_limit: int | None = None,
    patience: float | None = None,
    attempts: int = 1,
    joining: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: clients ask balancers "b0", "b1" … , which pass requests on to servers "s0", "s1" ….

    The same system as `simulate_balancing` stands for, message by message. Links take no time.

    Args:
        policy: the name of one, or a function `pick(view, rng)` of your own.
        servers: how many.
        load: work that comes, over what all servers can do.
        view_age: seconds for which a balancer's view of the load is kept.
        balancers: how many, each with clients of its own.
        service_seconds: mean time of a request, which is exponential.
        service_factors: {server: factor} for those that take longer, or shorter, than the rest.
        failing: servers that answer that they failed.
        queue_limit: how many may wait at a server; whoever comes then is dropped.
        patience: seconds until a balancer gives a server up.
        attempts: servers asked for one request, the first included.
        joining: {server: seconds} for those that balancers know only from then on.
        seed: of the scenario.
    """
    from dscourse.simulation import Exponential, Network, OpenLoop, Scenario

    count, several = whole("servers", servers, at_least=1), whole("balancers", balancers, at_least=1)
    names = tuple(f"s{place}" for place in range(count))
    fronts = tuple(f"b{place}" for place in range(several))
    mean = real("service_seconds", service_seconds, above=0.0)
    rate = real("load", load, above=0.0) * count / mean
    graph = tiers(fronts, names)
    for name in names:
        factor = (service_factors or {}).get(name, 1.0)
        graph.nodes[name].update(service_time=Exponential(mean * factor), queue_limit=queue_limit)
    factory = partial(
        _balancing_node,
        servers=names,
        policy=policy if callable(policy) else one_of("policy", policy, _POLICIES),
        view_age=real("view_age", view_age, at_least=0.0),
        patience=patience,
        attempts=whole("attempts", attempts, at_least=1),
        joining=dict(joining or {}),
        failing=tuple(failing),
    )
    clients = [
        OpenLoop((("get",),), rate=rate / several, to=front, timeout=1e4 * mean, repeat=True)
        for front in fronts
    ]
    return Scenario(factory, Network(graph, latency=0.0), clients=clients, seed=seed)


def _balancing_node(
    node_id: str, peers: Sequence[str], *, policy: str | Policy, failing: Sequence[str], **settings: Any
) -> Node:
    if node_id.startswith("b"):
        chosen = policy if callable(policy) else _POLICIES[policy]
        return LoadBalancer(node_id, peers, policy=chosen, **settings)
    return Server(node_id, peers, fails=node_id in failing)


def tiers(*levels: Sequence[str]) -> nx.Graph[str]:
    """Return a graph of tiers, from left to right, each linked with all of the next."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    for column, names in enumerate(levels):
        for row, name in enumerate(names):
            graph.add_node(name, pos=(float(column), (len(names) - 1) / 2 - row))
        if column:
            graph.add_edges_from((left, right) for left in levels[column - 1] for right in names)
    return graph
