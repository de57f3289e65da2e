"""The services of a shop as a graph, and what they say to each other.

Clients ask the edge; it asks one of two instances of `catalog` for a page ("browse 17": page 17) and of `checkout` for
an order. Both need the database; `catalog` looks into a cache first, `checkout` asks a payment service of another firm.
An operator watches all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dscourse.simulation.latency import Constant, Exponential

if TYPE_CHECKING:
    import networkx as nx

EDGE, CACHE, PAYMENT, OPERATOR = "edge", "cache", "payment", "operator"
FRONT_PAGE = -1  # its key in the cache
DEADLINE = 2.0  # seconds for which a client waits; what comes later is no goodput
DATABASE_SECONDS = 0.018  # mean time of a query
ONE_WAY, TO_PAYMENT = 0.001, 0.03  # seconds between two machines
#: service → its instances, in the order in which they are preferred where only one may work
INSTANCES = {
    "catalog": ("catalog-1", "catalog-2"),
    "checkout": ("checkout-1", "checkout-2"),
    "cache": (CACHE,),
    "database": ("database-1", "database-2"),
    "payment": (PAYMENT,),
}
_PLACES = {
    EDGE: (0.0, 0.5),
    "catalog-1": (1.0, 1.3),
    "catalog-2": (1.0, 0.75),
    "checkout-1": (1.0, 0.2),
    "checkout-2": (1.0, -0.35),
    CACHE: (2.0, 1.3),
    "database-1": (2.0, 0.75),
    "database-2": (2.0, 0.2),
    PAYMENT: (2.0, -0.35),
    OPERATOR: (0.0, -0.35),
}


@dataclass(frozen=True)
class Ask:
    """Do this for a request.

    Attributes:
        number: the asker's own; the answer bears it.
        root: the number that the edge has given to the client's request behind it.
        kind: "browse", "front" (page), "order", "poison", or for the cache "get" and "put".
        key: of the page or order.
        deadline: after which nobody wants the answer any more, if that was said.
    """

    number: int
    root: int
    kind: str
    key: int
    deadline: float | None = None


@dataclass(frozen=True)
class Answer:
    """It is done, or it failed: why, and where."""

    number: int
    ok: bool
    reason: str = ""
    where: str = ""


@dataclass(frozen=True)
class Ping:
    """Are you there?"""


@dataclass(frozen=True)
class Pong:
    """I am."""


@dataclass(frozen=True)
class Health:
    """The operator's word that an instance answers, or doesn't."""

    instance: str
    healthy: bool


@dataclass(frozen=True)
class Tally:
    """What became of the requests of the last second, as the edge counts them."""

    good: int
    lost: int


@dataclass(frozen=True)
class Command:
    """What the operator wants done: "roll back", "restore", or "admit" a share of the requests."""

    what: str
    share: float = 1.0


def service_graph(zones: bool = False, database_seconds: float = DATABASE_SECONDS) -> nx.Graph[str]:
    """Return the services as a graph, with `service`, `zone` and `pos` at the nodes.

    Databases have a `service_time`, so their queues are the simulator's own. The edge, the payment service and the
    operator stand outside all zones.

    Args:
        zones: whether the second instance of everything stands in zone "b", and not in "a" as the first does.
        database_seconds: mean time of a query.
    """
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    of = {instance: service for service, all_of in INSTANCES.items() for instance in all_of}
    for node, place in _PLACES.items():
        zone = "" if node in (EDGE, PAYMENT, OPERATOR) else "b" if zones and node.endswith("2") else "a"
        graph.add_node(node, service=of.get(node, node), zone=zone, pos=place)
    for node in INSTANCES["database"]:
        graph.nodes[node]["service_time"] = Exponential(database_seconds)
    for service, needs in (("catalog", ("cache", "database")), ("checkout", ("database", "payment"))):
        for caller in INSTANCES[service]:
            graph.add_edge(EDGE, caller)
            for need in needs:
                graph.add_edges_from((caller, callee) for callee in INSTANCES[need])
    for caller in INSTANCES["checkout"]:
        graph.edges[caller, PAYMENT]["latency"] = Constant(TO_PAYMENT)
    watched = (EDGE, CACHE, *INSTANCES["catalog"], *INSTANCES["checkout"], *INSTANCES["database"])
    graph.add_edges_from((OPERATOR, node) for node in watched)
    return graph


def zone_members(graph: nx.Graph[str], zone: str) -> tuple[str, ...]:
    """Return the nodes that stand in a zone."""
    return tuple(node for node, attributes in graph.nodes(data=True) if attributes["zone"] == zone)
