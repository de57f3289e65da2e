"""Servers are upgraded, and servers are added, while clients go on asking.

    run = upgrade_scenario(servers=4).run(20.0)
    run = joining_scenario(servers=8, threads=7).run(14.0)

An upgrade of one machine is a stop; of several it can roll through them. And a fleet in which everybody keeps a thread
for everybody else grows well until one machine too many joins: this happened to Amazon Kinesis on 25 November 2020
(aws.amazon.com/message/11201).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import real, whole
from dscourse.services.load_balancer import Done, LoadBalancer, Server, Work, tiers
from dscourse.services.policies import RoundRobin
from dscourse.simulation import Context, Node

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Fault, Scenario

_RATE = 24.0  # requests a second that come
_STRENGTH = 48.0  # requests a second that all servers together can do
_BEGIN = 4.0  # of the first upgrade, seconds
_GAP = 0.5  # seconds between two upgrades, in which the server that is back finds its feet
_DRAIN = 1.0  # seconds for which a server is left to finish what it has, before it is stopped
_PATIENCE = 1.0
_JOIN = 5.0  # when the new server joins


@dataclass(frozen=True)
class RollingUpgrade:
    """What an upgrade of n servers, some at a time, leaves to the users; of one server, it is a stop.

    Attributes:
        seconds: how long it takes in all.
        least_capacity: the share of the servers that is there while some are being upgraded.
        two_versions: seconds for which old and new servers answer side by side.
    """

    seconds: float
    least_capacity: float
    two_versions: float


def rolling_upgrade(servers: int, seconds_each: float, at_once: int = 1) -> RollingUpgrade:
    """Return what it takes to upgrade `servers` servers, `at_once` at a time, each gone for `seconds_each`."""
    count = whole("servers", servers, at_least=1)
    group = whole("at_once", at_once, at_least=1, at_most=count)
    each = real("seconds_each", seconds_each, at_least=0.0)
    rounds = math.ceil(count / group)
    return RollingUpgrade(rounds * each, (count - group) / count, (rounds - 1) * each)


class ToldBalancer(LoadBalancer):
    """A balancer that is told beforehand when to take a server out, and when to put it in (again).

    Args:
        node_id: its name.
        peers: those it is linked with.
        servers: all that there will be.
        out: those of them that get no requests at first.
        plan: (seconds, "out" or "in", server), as often as needed.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        servers: Sequence[str],
        out: Sequence[str] = (),
        plan: Sequence[tuple[float, str, str]] = (),
    ) -> None:
        super().__init__(node_id, peers, servers=servers, policy=RoundRobin, patience=_PATIENCE)
        self.servers = tuple(server for server in servers if server not in out)
        self._plan = plan

    def on_start(self, ctx: Context) -> None:
        """Set a timer for each part of the plan."""
        super().on_start(ctx)
        for at, act, server in self._plan:
            if at > ctx.now:
                ctx.set_timer(f"{act} {server}", at - ctx.now)
        self._say(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Do what is due."""
        act, _, server = name.partition(" ")
        if act not in ("in", "out"):
            super().on_timer(ctx, name)
            return
        others = tuple(one for one in self.servers if one != server)
        self.servers = (*others, server) if act == "in" else others
        self._say(ctx)

    def _say(self, ctx: Context) -> None:
        count = len(self.servers)
        ctx.record("status", status="up", label=f"{count} server{'s' * (count != 1)}")


class VersionedServer(Server):
    """A server that comes back from a restart with the next version, and answers with its number."""

    def on_start(self, ctx: Context) -> None:
        """Read on the disk what was installed before."""
        self.version = 1 + (ctx.stored or 0)
        ctx.save(self.version)
        ctx.record("status", status="up", label=f"version {self.version}")

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer with the version."""
        if isinstance(message, Work):
            ctx.send(sender, Done(message.ticket, "ok", self.version))


def upgrade_scenario(
    servers: int, *, seconds_each: float = 3.0, drain: bool = True, seed: int = 0
) -> Scenario:
    """Return a scenario: a balancer "b0" and servers "s0" …, upgraded one after another from 4 s on.

    All servers together are always equally strong, and half busy. A server is gone while it is upgraded.

    Args:
        servers: how many.
        seconds_each: for which each is gone.
        drain: whether the balancer is told: it then sends a server no more requests for a second before it goes, and
            until it is back.
        seed: of the scenario.
    """
    from dscourse.simulation import Crash

    names = [f"s{k}" for k in range(whole("servers", servers, at_least=1))]
    gone = real("seconds_each", seconds_each, above=0.0)
    begins = [_BEGIN + place * (gone + (_DRAIN if drain else 0.0) + _GAP) for place in range(len(names))]
    plan: list[tuple[float, str, str]] = []
    if drain:
        for at, name in zip(begins, names, strict=True):
            plan += [(at - _DRAIN, "out", name), (at + gone, "in", name)]
    factory = partial(_upgraded_node, servers=tuple(names), plan=tuple(plan))
    faults = [Crash(name, at=at, restart_at=at + gone) for at, name in zip(begins, names, strict=True)]
    graph = tiers(["b0"], names)
    for place, name in enumerate(names):  # in two rows, so that there is room for what they say
        graph.nodes[name]["pos"] = (1.0 + place // 2, 0.5 - place % 2 if len(names) > 1 else 0.0)
    return _scenario(factory, graph, len(names), faults, seed)


@dataclass(frozen=True)
class Joined:
    """I belong to the fleet; or, as an answer: so do I."""

    is_answer: bool = False


class PeeringServer(Server):
    """A server that keeps a thread for every other server of its fleet, to hear who is responsible for what.

    With more than it may have, it can't keep up with who is responsible, and fails whatever it is asked until it is
    started anew.

    Args:
        node_id: its name.
        peers: those it is linked with.
        fleet: the other servers that are there from the beginning.
        newcomer: the one that joins later.
        threads: how many it may have for others.
        joins_at: seconds at which the newcomer joins.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        fleet: Sequence[str],
        newcomer: str,
        threads: int,
        joins_at: float,
    ) -> None:
        super().__init__(node_id, peers)
        self.known: list[str] = []
        self.is_lost = False
        self._fleet, self._newcomer = tuple(fleet), newcomer
        self._most, self._joins_at = threads, joins_at

    def on_start(self, ctx: Context) -> None:
        """Know those who are there from the beginning; or join now, after a restart; or later, as the newcomer."""
        if self.node_id == self._newcomer and ctx.now < self._joins_at:
            ctx.record("status", status="off", label="not there yet")
            ctx.set_timer("join", self._joins_at - ctx.now)
        elif ctx.now > 0.0:
            self._join(ctx)
        else:
            self.known = list(self._fleet)
            self._say(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Join."""
        self._join(ctx)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Make a thread for whoever joins, and let it know of oneself; or do the work, if that is still possible."""
        if isinstance(message, Joined):
            if sender not in self.known:
                self.known.append(sender)
                self.is_lost = self.is_lost or len(self.known) > self._most
            if not message.is_answer:
                ctx.send(sender, Joined(is_answer=True))
            self._say(ctx)
        elif isinstance(message, Work) and self.is_lost:
            ctx.send(sender, Done(message.ticket, "fail"))
        else:
            super().on_message(ctx, sender, message)

    def _join(self, ctx: Context) -> None:
        self._say(ctx)
        late = [self._newcomer] if ctx.now > self._joins_at else []
        for other in [*self._fleet, *late]:
            if other != self.node_id:
                ctx.send(other, Joined())

    def _say(self, ctx: Context) -> None:
        status = "failing" if self.is_lost else "up"
        ctx.record("status", status=status, label=f"{len(self.known)} threads")


def joining_scenario(servers: int, *, threads: int = 7, seed: int = 0) -> Scenario:
    """Return a scenario: servers "s0" … behind a balancer "b0" are half busy; at 5 s one more joins.

    All servers but the last together are always equally strong: fewer of them are bigger.

    Args:
        servers: how many there are at first.
        threads: how many each may have for the others.
        seed: of the scenario.
    """
    count = whole("servers", servers, at_least=1)
    names = [f"s{k}" for k in range(count + 1)]
    graph = tiers(["b0"], names)
    graph.add_edges_from((one, other) for one in names for other in names if one < other)
    for place, name in enumerate(
        names
    ):  # on an oval with a gap at the lower right, where the player's legend stands
        angle = math.radians(-15.0 + 300.0 * place / count)
        graph.nodes[name]["pos"] = (1.2 + 0.7 * math.cos(angle), math.sin(angle))
    plan = ((_JOIN + _GAP, "in", names[-1]),)
    factory = partial(
        _peering_node, fleet=tuple(names), plan=plan, threads=whole("threads", threads, at_least=0)
    )
    return _scenario(factory, graph, count, [], seed)


def _scenario(
    factory: Callable[..., Node], graph: nx.Graph[str], strong: int, faults: Sequence[Fault], seed: int
) -> Scenario:
    """Make servers so strong that `strong` of them do together what all can do, and let clients ask."""
    from dscourse.simulation import Exponential, Network, OpenLoop, Scenario

    for name in graph:
        if name != "b0":
            graph.nodes[name]["service_time"] = Exponential(strong / _STRENGTH)
    client = OpenLoop((("get",),), rate=_RATE, to="b0", timeout=3 * _PATIENCE, repeat=True)
    return Scenario(factory, Network(graph, latency=0.02), clients=[client], faults=tuple(faults), seed=seed)


def _upgraded_node(
    node_id: str, peers: Sequence[str], *, servers: tuple[str, ...], plan: tuple[tuple[float, str, str], ...]
) -> Node:
    if node_id == "b0":
        return ToldBalancer(node_id, peers, servers=servers, plan=plan)
    return VersionedServer(node_id, peers)


def _peering_node(
    node_id: str,
    peers: Sequence[str],
    *,
    fleet: tuple[str, ...],
    plan: tuple[tuple[float, str, str], ...],
    threads: int,
) -> Node:
    if node_id == "b0":
        return ToldBalancer(node_id, peers, servers=fleet, out=fleet[-1:], plan=plan)
    return PeeringServer(
        node_id,
        peers,
        fleet=[name for name in fleet[:-1] if name != node_id],
        newcomer=fleet[-1],
        threads=threads,
        joins_at=_JOIN,
    )
