"""Copies near the users: what reads and writes take from five regions of the world, and how many reads copies serve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import items, probability, real, text, whole
from dscourse.replication.single_leader.gateway import Gateway
from dscourse.replication.single_leader.replica import SingleLeaderReplica
from dscourse.simulation import Node
from dscourse.simulation.names import unknown

if TYPE_CHECKING:
    import pandas as pd

FIVE_REGIONS = ("Washington DC", "Sao Paulo", "Frankfurt", "Mumbai", "Tokyo")
FIBRE_KM_PER_SECOND = 200_000.0  # light in glass: about two thirds of its speed in a vacuum, 5 µs a kilometre
_EARTH_RADIUS_KM = 6371.0
_PAIRS = 150  # of a write and a read, by each gateway
_CLIENTS_A_REPLICA = 4
_CYCLE = 200


def distance_km(a: str, b: str) -> float:
    """The way from one region to another along a great circle, in km.

    Args:
        a: a region of the data set ``latency/region_rtt``, such as "Frankfurt".
        b: another.
    """
    from dscourse.simulation.topology import CITIES

    for region in (a, b):
        if text("a region", region) not in CITIES:
            raise unknown("region", region, CITIES)
    (x1, y1), (x2, y2) = ([math.radians(degrees) for degrees in CITIES[region]] for region in (a, b))
    chord = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(chord))


def light_floor(a: str, b: str) -> float:
    """Seconds that a question and its answer take between two regions if nothing but light in glass is slow."""
    return 2 * distance_km(a, b) / FIBRE_KM_PER_SECOND


def measure_regions(
    replicas: Sequence[str] = FIVE_REGIONS,
    *,
    users: Sequence[str] = FIVE_REGIONS,
    mode: str = "async",
    seed: int = 0,
) -> pd.DataFrame:
    """Let users in several regions read from the replica nearest to them, and write to the leader.

    Args:
        replicas: regions that hold a copy; the first leads.
        users: regions with users.
        mode: of the replicas: "sync", "semi-sync" or "async".
        seed: of the run.

    Returns:
        One row a region of users, with times in seconds: ``read_p50``, ``read_p99``, ``write_p50``, ``write_p99``, and
        the least that light allows: ``read_floor`` to that replica, ``write_floor`` to the leader and, under
        sync, on to the replica farthest from it.
    """
    import numpy as np
    import pandas as pd

    from dscourse.simulation import Network, OpenLoop, Scenario, topology

    copies = items("replicas", replicas, "a list of regions", str)
    places = items("users", users, "a list of regions", str)
    graph = topology.regions(list(dict.fromkeys((*copies, *places))), 2)
    at = {(attributes["region"], int(node[1:]) % 2): node for node, attributes in graph.nodes(data=True)}
    names = tuple(at[region, 0] for region in copies)
    near = {}
    for region in places:
        delay = {copy: graph.edges[at[region, 1], at[copy, 0]]["latency"].quantile(0.5) for copy in copies}
        near[region] = min(copies, key=delay.__getitem__)
    gateways = {at[region, 1]: at[copy, 0] for region, copy in near.items()}
    keys = [f"k{number % 9}" for number in range(_PAIRS)]
    pairs = [(("put", key, number), ("get", key)) for number, key in enumerate(keys)]
    operations = tuple(operation for pair in pairs for operation in pair)
    clients = [OpenLoop(operations, rate=10.0, to=gateway, timeout=5.0) for gateway in gateways]
    network = Network(graph.subgraph([node for node in graph if node in names or node in gateways]))
    factory = partial(_regional_node, replicas=names, near=gateways, mode=mode)
    history = Scenario(factory, network, clients=clients, seed=seed).run(_PAIRS / 4.0).history()
    onward = max(light_floor(copies[0], copy) for copy in copies) if mode == "sync" else 0.0
    rows = []
    for place, region in enumerate(places):
        row: dict[str, object] = {"region": region}
        for word, kind in (("read", "get"), ("write", "put")):
            taken = [
                one.latency
                for one in history
                if (one.client, one.operation[0], one.outcome) == (f"c{place}", kind, "ok")
            ]
            row |= {f"{word}_p50": np.quantile(taken, 0.5), f"{word}_p99": np.quantile(taken, 0.99)}
        row["read_floor"] = light_floor(region, near[region])
        row["write_floor"] = light_floor(region, copies[0]) + onward
        rows.append(row)
    return pd.DataFrame(rows)


def _regional_node(
    node_id: str, peers: Sequence[str], *, replicas: Sequence[str], near: Mapping[str, str], mode: str
) -> Node:
    """A replica, or a gateway that reads from the replica nearest to it and waits long enough for an ocean."""
    if node_id in near:
        return Gateway(node_id, peers, replicas=replicas, reads=near[node_id], patience=2.0)
    return SingleLeaderReplica(
        node_id, peers, replicas=replicas, leader=replicas[0], mode=mode, resend_after=2.0
    )


def read_throughput(
    replicas: int, write_share: float, *, service_time: float = 0.001, seconds: float = 2.0, seed: int = 0
) -> float:
    """Keep all replicas busy, and measure how many reads and writes a second they do together.

    Reads are divided among the replicas; but each of them does every write. With a share ``s`` of writes, ``n``
    replicas do at most ``1 / (service_time · (s + (1 − s) / n))`` operations a second, which never exceeds
    ``1 / (service_time · s)``: Amdahl's law with the writes as its serial part.

    Args:
        replicas: how many machines hold copies (async).
        write_share: of the operations, from 0 to 1.
        service_time: seconds that a machine takes for a message.
        seconds: how long it is measured.
        seed: of the run.
    """
    from dscourse.simulation import ClosedLoop, Constant, Network, Scenario, topology

    share = probability("write_share", write_share)
    graph = topology.full_mesh(whole("replicas", replicas, at_least=1))
    for node in graph:
        graph.nodes[node]["service_time"] = Constant(real("service_time", service_time, above=0.0))
    clients = []
    for place, node in enumerate(graph):
        for each in range(_CLIENTS_A_REPLICA):
            # Writes evenly among the reads: the number of them that are due goes up by one.
            start = place * _CLIENTS_A_REPLICA + each
            is_put = [
                int((start + number + 1) * share) > int((start + number) * share) for number in range(_CYCLE)
            ]
            asks = tuple(
                ("put", node, f"{start}/{number}") if put else ("get", node)
                for number, put in enumerate(is_put)
            )
            to = tuple("n0" if put else str(node) for put in is_put)
            clients.append(ClosedLoop(asks, 0.0, to=to, timeout=60.0, repeat=True))
    factory = partial(SingleLeaderReplica, mode="async")
    run = Scenario(factory, Network(graph, latency=0.0001), clients=clients, seed=seed).run(seconds)
    return len(run.latencies(between=(seconds / 4, seconds))) / (seconds * 3 / 4)
