"""Stores with several leaders as scenarios: one of three replicas with gateways, and one of two regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.replication.multi_leader.gateway import RegionalGateway
from dscourse.replication.multi_leader.replica import MultiLeaderReplica
from dscourse.replication.multi_leader.resolution import Resolve, last_writer_wins
from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import ClientOperation, Fault, Run, Scenario, Workload

CUT_AT, HEALED_AT = 2.0, 6.0  # seconds, of `two_regions`
_CART = "cart"


def multi_leader_node(
    node_id: str, peers: Sequence[str], *, replicas: Sequence[str], **settings: Any
) -> Node:
    """Make one machine of the store: a replica, or a gateway, g0 with n0 as the nearest replica, and so on."""
    if node_id in replicas:
        return MultiLeaderReplica(node_id, peers, replicas=replicas, **settings)
    place = int(node_id[1:]) % len(replicas)
    return RegionalGateway(node_id, peers, replicas=[*replicas[place:], *replicas[:place]])


def multi_leader_store(
    replicas: int = 3,
    gateways: int = 1,
    *,
    clients: Iterable[Workload] = (),
    faults: Iterable[Fault] = (),
    seed: int = 0,
    **settings: Any,
) -> Scenario:
    """Return a scenario of a store in which each replica takes writes.

    Args:
        replicas: how many machines hold copies: n0, n1 …
        gateways: how many gateways there are: g0, g1 …
        clients: who asks for what.
        faults: what goes wrong.
        seed: of the scenario.
        settings: of `MultiLeaderReplica`.
    """
    from dscourse.replication.single_leader.cluster import store_network
    from dscourse.simulation import Scenario

    names = tuple(f"n{number}" for number in range(replicas))
    factory = partial(multi_leader_node, replicas=names, **settings)
    network = store_network(replicas, gateways, operator=False)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed)


def two_regions(
    resolution: Resolve | type = last_writer_wins,
    *,
    europe: tuple[str, str] | None = ("remove", "eggs"),
    asia: tuple[str, str] | None = ("add", "jam"),
    faults: Sequence[Fault] | None = None,
    seed: int = 0,
) -> Scenario:
    """Return a scenario of a cart that is kept in two regions, which are cut off from each other for a while.

    Before the cut there are milk and eggs in the cart. During it, a user in Europe changes it at 3 s, and one in Asia
    half a second later. After it, both look.

    Args:
        resolution: what becomes of the conflict.
        europe: what is done in Europe, such as ("remove", "eggs"); None: nothing.
        asia: what is done in Asia.
        faults: in place of the cut from 2 s to 6 s.
        seed: of the scenario.
    """
    import networkx as nx

    from dscourse.simulation import Constant, Network, OpenLoop, Partition, Scenario

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node("europe", pos=(0.0, 0.0))
    graph.add_node("asia", pos=(0.0, -1.0))  # below, so that the labels have room
    graph.add_edge("europe", "asia")
    look = ("get", _CART)
    before = {"europe": (("add", _CART, "milk"), ("add", _CART, "eggs"), look), "asia": (look,) * 3}
    clients = []
    for region, change, start in (("europe", europe, 0.0), ("asia", asia, 0.5)):
        changes = look if change is None else (change[0], _CART, change[1])
        asks = (*before[region], changes, look, look, look)
        clients.append(OpenLoop(asks, 1.0, region, timeout=1.0, start=start, arrivals="regular"))
    cut = [Partition([["europe"], ["asia"]], CUT_AT, until=HEALED_AT)]
    return Scenario(
        partial(MultiLeaderReplica, resolution=resolution),
        Network(graph, latency=Constant(0.12)),
        clients=clients,
        faults=cut if faults is None else faults,
        seed=seed,
    )


def overruled_writes(run: Run) -> tuple[ClientOperation, ...]:
    """The acknowledged "put" operations whose value lost a conflict: it was thrown away, and nobody had read it."""
    lost = {
        (event.detail["key"], value)
        for event in run.trace.select(kind="record", name="conflict")
        for value in event.detail["values"]
        if value != event.detail["outcome"]
    }
    puts = [one for one in run.history() if one.operation[0] == "put" and one.outcome == "ok"]
    return tuple(one for one in puts if (str(one.operation[1]), one.operation[2]) in lost)
