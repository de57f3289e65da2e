"""Plans for the addresses of a name, carried out by several workers and cleaned up after them.

Amazon Web Services, summary of the DynamoDB disruption of 19 and 20 October 2025 (aws.amazon.com/message/101925): a
planner makes plans; enactors look once whether theirs is newer than what is in use, then work through the endpoints,
then delete plans that are much older than theirs. One was held up so long that it put an old plan in the place of a
new one, and the other's clean-up deleted it: the name had no address, and no enactor could apply a plan any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.simulation import Reply, Request
from dscourse.simulation.node import Context, Node
from dscourse.simulation.properties import never

if TYPE_CHECKING:
    from dscourse.simulation import Scenario

PLANNER, TABLE = "planner", "table"
ENDPOINTS = ("regional", "IPv6", "FIPS")
_KEPT = 5  # plans that a clean-up leaves, before its own


@dataclass(frozen=True)
class Plan:
    """Which addresses the endpoints ought to have; later plans have higher numbers."""

    number: int


@dataclass(frozen=True)
class Look:
    """Which plan is the regional endpoint's?"""


@dataclass(frozen=True)
class InUse:
    """The number of that plan; None if there is no such plan any more."""

    number: int | None


@dataclass(frozen=True)
class Apply:
    """Let an endpoint have the addresses of a plan."""

    number: int
    endpoint: str


@dataclass(frozen=True)
class Applied:
    """Whether that was done."""

    number: int
    endpoint: str
    accepted: bool


@dataclass(frozen=True)
class CleanUp:
    """Delete all plans with lower numbers than this."""

    below: int


class Planner(Node):
    """Makes a new plan every second, and tells everybody."""

    def on_start(self, ctx: Context) -> None:
        """Begin with plan 1."""
        self.newest = 0
        ctx.set_timer("plan", 0.1)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Make the next plan."""
        self.newest += 1
        ctx.record("status", status="follower", label=f"made plan {self.newest}")
        for peer in self.peers:
            ctx.send(peer, Plan(self.newest))
        ctx.set_timer(name, 1.0)


class Table(Node):
    """The addresses of each endpoint: those of the plan it was given last, as long as that plan exists.

    Clients ask for ("resolve", endpoint).

    Args:
        node_id: its name.
        peers: those it is linked with.
        compares: whether it compares numbers at each `Apply`, and refuses an older plan than the one in use.
        spares: whether a clean-up leaves plans that are in use.

    Attributes:
        plans: the numbers of those that exist.
        endpoints: the number of the plan of each.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], *, compares: bool = False, spares: bool = False
    ) -> None:
        super().__init__(node_id, peers)
        self._compares, self._spares = compares, spares
        self.plans: tuple[int, ...] = ()
        self.endpoints: dict[str, int] = {}

    def resolve(self, endpoint: str) -> int | None:
        """The number of the plan whose addresses an endpoint has; None if it has none."""
        number = self.endpoints.get(endpoint)
        return number if number in self.plans else None

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Note a plan, change an endpoint, clean up, or tell a client."""
        match message:
            case Plan(number):
                self.plans = (*self.plans, number)
            case Look():
                ctx.send(sender, InUse(self.resolve(ENDPOINTS[0]) if self.endpoints else 0))
            case Apply(number, endpoint):
                newer = number >= self.endpoints.get(endpoint, 0) or not self._compares
                accepted = number in self.plans and newer
                if accepted:
                    self.endpoints[endpoint] = number
                ctx.record("accepted" if accepted else "refused", plan=number, endpoint=endpoint, by=sender)
                ctx.send(sender, Applied(number, endpoint, accepted))
            case CleanUp(below):
                used = self.endpoints.values() if self._spares else ()
                self.plans = tuple(number for number in self.plans if number >= below or number in used)
            case Request(number, ("resolve", endpoint)):
                plan = self.resolve(endpoint)
                ctx.send(sender, Reply(number, "fail" if plan is None else "ok", plan))
        if self.endpoints:
            plan = self.resolve(ENDPOINTS[0])
            words = "no address" if plan is None else f"addresses of plan {plan}"
            ctx.record("status", status="up" if plan else "candidate", label=words)


class Enactor(Node):
    """Carries out the newest plan it knows, one endpoint after the other, and then cleans up.

    It looks once, before it begins, whether its plan is newer than the one in use. If there is none in use it can't
    tell, and leaves everything as it is.

    Attributes:
        newest: the newest plan that it has heard of.
        plan: the one that it carries out; 0 if it rests.
    """

    def on_start(self, ctx: Context) -> None:
        """Wait for plans."""
        self.newest = self.plan = 0
        self._left: tuple[str, ...] = ()

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Hear of a plan, of what is in use, or of what was done."""
        match message:
            case Plan(number):
                self.newest = number
                if not self.plan:
                    self.plan = number
                    ctx.send(TABLE, Look())
            case InUse(number):
                if number is None or number >= self.plan:
                    self._rest(ctx, "can't compare" if number is None else "nothing to do")
                else:
                    self._left = ENDPOINTS
                    self._next(ctx)
            case Applied(number, _, accepted) if number == self.plan:
                if accepted:
                    self._next(ctx)
                else:
                    self._rest(ctx, f"plan {number} refused")

    def on_timer(self, ctx: Context, name: str) -> None:
        """Change the next endpoint, or clean up after the last."""
        if self._left:
            endpoint, *others = self._left
            self._left = tuple(others)
            ctx.send(TABLE, Apply(self.plan, endpoint))
        else:
            ctx.record("cleans up", below=self.plan - _KEPT)
            ctx.send(TABLE, CleanUp(self.plan - _KEPT))
            self._rest(ctx, f"plan {self.plan} done")

    def _next(self, ctx: Context) -> None:
        ctx.record("status", status="leader", label=f"plan {self.plan}")
        ctx.set_timer("next", 0.1)

    def _rest(self, ctx: Context, words: str) -> None:
        self.plan = 0
        ctx.record("status", status="follower", label=words)


always_an_address = never(
    lambda now: (
        bool(now.nodes[TABLE]["endpoints"])
        and not set(now.nodes[TABLE]["endpoints"].values()) <= set(now.nodes[TABLE]["plans"])
    ),
    name="every endpoint has an address",
)


def _machine(node_id: str, peers: Sequence[str], *, compares: bool, spares: bool) -> Node:
    if node_id == TABLE:
        return Table(node_id, peers, compares=compares, spares=spares)
    return (Planner if node_id == PLANNER else Enactor)(node_id, peers)


def late_clean_up(*, compares: bool = False, spares: bool = False) -> Scenario:
    """Return the scenario: a plan every second, two enactors, of which one is held up for six seconds.

    Modelled: three endpoints; e0's pause, between its look and its first change of an endpoint, ends while e1 is
    between its own change of that endpoint and its clean-up. Amazon doesn't say why no enactor could apply a plan
    afterwards; here it is that the look finds nothing to compare with. What followed in other services is left out.

    Args:
        compares: whether the table refuses, at each change, an older plan than the one in use.
        spares: whether a clean-up leaves plans that are in use.
    """
    import networkx as nx

    from dscourse.simulation import ClosedLoop, Network, Pause, Scenario

    graph: nx.Graph[str] = nx.Graph()
    for name, position in ((PLANNER, (-1.5, 0)), ("e0", (0, 1)), ("e1", (0, -1)), (TABLE, (1.5, 0))):
        graph.add_node(name, pos=position)
    graph.add_edges_from((a, b) for a in (PLANNER, TABLE) for b in ("e0", "e1"))
    graph.add_edge(PLANNER, TABLE)
    user = ClosedLoop((("resolve", "regional"),) * 80, 0.2, TABLE, 0.5, start=1.0)
    network = Network(graph, latency=0.02)
    faults = [Pause("e0", 2.2, until=8.3)]
    return Scenario(
        partial(_machine, compares=compares, spares=spares), network, clients=[user], faults=faults
    )
