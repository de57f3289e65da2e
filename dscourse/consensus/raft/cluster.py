"""A Raft cluster as a scenario: members n0, n1 … and gateways g0, g1 … for their clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import whole
from dscourse.consensus.raft.node import RaftNode
from dscourse.consensus.raft.store import KeyValueNode, RaftGateway
from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Fault, LatencyModel, Scenario, Workload

_OF_GATEWAY = ("patience", "attempts", "sessions")


def raft_machine(
    node_id: str, peers: Sequence[str], *, members: Sequence[str], node: type[RaftNode], **settings: Any
) -> Node:
    """Make one machine: a member of the cluster if it is among ``members``, else a gateway."""
    of_gateway = {name: settings.pop(name) for name in _OF_GATEWAY if name in settings}
    if node_id in members:
        return node(node_id, peers, members=members, **settings)
    return RaftGateway(node_id, peers, members=members, **of_gateway)


def raft_cluster(
    members: int = 5,
    gateways: int = 0,
    *,
    node: type[RaftNode] = KeyValueNode,
    latency: LatencyModel | float | None = None,
    clients: Iterable[Workload] = (),
    faults: Iterable[Fault] = (),
    seed: int = 0,
    **settings: Any,
) -> Scenario:
    """Return a scenario of a Raft cluster.

    Args:
        members: how many take part: n0, n1 …
        gateways: how many gateways there are: g0, g1 …; clients may also ask the members themselves.
        node: the class of the members.
        latency: of every link, one way; by default between 2 and 10 ms.
        clients: who asks for what.
        faults: what goes wrong.
        seed: of the scenario.
        settings: of the class of the members, and ``patience``, ``attempts``, ``sessions`` of `RaftGateway`.
    """
    import networkx as nx

    from dscourse.simulation import Network, Scenario, Uniform, topology

    names = tuple(f"n{number}" for number in range(whole("members", members, at_least=1)))
    graph: nx.Graph[str] = topology.full_mesh(members)
    for place in range(gateways):
        graph.add_node(f"g{place}", pos=(-1.6, (gateways - 1) / 2 - place))
        graph.add_edges_from((f"g{place}", name) for name in names)
    network = Network(graph, latency=Uniform(0.002, 0.01) if latency is None else latency)
    factory = partial(raft_machine, members=names, node=node, **settings)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed)
