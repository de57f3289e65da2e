"""A replicated store as a scenario: replicas n0, n1 …, gateways g0, g1 … for their users, and an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from dscourse.arguments import whole
from dscourse.replication.single_leader.failover import FailoverOperator
from dscourse.replication.single_leader.gateway import Gateway
from dscourse.replication.single_leader.replica import SingleLeaderReplica
from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Fault, LatencyModel, Network, Scenario, Workload

OPERATOR = "operator"
_OF_GATEWAY = ("reads", "guarantees", "attempts", "patience")
_OF_OPERATOR = ("accept_loss", "interval", "timeout")
_OF_BOTH = ("mode", "acknowledgements")


def store_node(
    node_id: str,
    peers: Sequence[str],
    *,
    replicas: Sequence[str],
    replica: type[Node] = SingleLeaderReplica,
    gateway: type[Node] = Gateway,
    **settings: Any,
) -> Node:
    """Make one machine of a replicated store: a gateway, the operator, or a replica.

    Args:
        node_id: g0, g1 … for gateways, "operator", or one of `replicas`.
        peers: those it is linked with.
        replicas: the machines that hold copies.
        replica: the class of these; one of your own, say.
        gateway: the class of gateways.
        settings: of `SingleLeaderReplica`, `FailoverOperator` and `Gateway`, for whom they concern.
    """
    of_operator = {name: settings.pop(name) for name in _OF_OPERATOR if name in settings}
    of_gateway = {name: settings.pop(name) for name in _OF_GATEWAY if name in settings}
    if node_id == OPERATOR:
        of_both = {name: settings[name] for name in _OF_BOTH if name in settings}
        return FailoverOperator(node_id, peers, replicas=replicas, **of_operator, **of_both)
    if node_id not in replicas:
        return gateway(node_id, peers, replicas=replicas, **of_gateway)  # type: ignore[call-arg]
    return replica(node_id, peers, replicas=replicas, **settings)  # type: ignore[call-arg]


def store_network(
    replicas: int = 3,
    gateways: int = 1,
    *,
    operator: bool = True,
    latency: LatencyModel | float | None = None,
    replica_latency: LatencyModel | float | None = None,
) -> Network:
    """Return a network that links all machines of a store with each other.

    Args:
        replicas: how many machines hold copies.
        gateways: how many gateways there are.
        operator: whether somebody watches over them.
        latency: of every link, one way; by default lognormal with a median of 5 ms.
        replica_latency: of the links between replicas, if they are farther apart.
    """
    import networkx as nx

    from dscourse.simulation import LogNormal, Network

    graph: nx.Graph[str] = nx.Graph()
    for place in range(gateways):
        graph.add_node(f"g{place}", pos=(0.0, _height(place, gateways)))
    # The leader stands in the middle, so that what is written below it has room; the followers at the right.
    graph.add_node("n0", pos=(1.0, 1.0 if operator else 0.0))
    for place in range(whole("replicas", replicas, at_least=1) - 1):
        graph.add_node(f"n{place + 1}", pos=(2.5, _height(place, replicas - 1)))
    if operator:
        graph.add_node(OPERATOR, pos=(1.0, -1.0))
    nodes = list(graph)
    graph.add_edges_from(combinations(nodes, 2))
    if replica_latency is not None:
        for a, b in combinations([node for node in nodes if node.startswith("n")], 2):
            graph.edges[a, b]["latency"] = replica_latency
    return Network(graph, latency=LogNormal(0.005, 0.5) if latency is None else latency)


def _height(place: int, count: int) -> float:
    """Where one of so many stands in a column, from 1 at the top to −1."""
    return 1.0 - 2.0 * place / (count - 1) if count > 1 else 0.0


def replicated_store(
    replicas: int = 3,
    gateways: int = 1,
    *,
    operator: bool = True,
    latency: LatencyModel | float | None = None,
    replica_latency: LatencyModel | float | None = None,
    clients: Iterable[Workload] = (),
    faults: Iterable[Fault] = (),
    seed: int = 0,
    **settings: Any,
) -> Scenario:
    """Return a scenario of a replicated store.

    Args:
        replicas: how many machines hold copies: n0, n1 …
        gateways: how many gateways there are: g0, g1 …; clients may also ask the replicas themselves.
        operator: whether somebody watches over them; without, a leader that is gone is not replaced.
        latency: of every link, one way; by default lognormal with a median of 5 ms.
        replica_latency: of the links between replicas, if they are farther apart.
        clients: who asks for what.
        faults: what goes wrong.
        seed: of the scenario.
        settings: of `store_node`: ``mode="semi-sync"``, ``guarantees=["monotonic reads"]`` …
    """
    from dscourse.simulation import Scenario

    network = store_network(
        replicas, gateways, operator=operator, latency=latency, replica_latency=replica_latency
    )
    names = tuple(f"n{number}" for number in range(replicas))
    factory = partial(store_node, replicas=names, **settings)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed)
