"""The usual clusters as graphs: node ids n0, n1 …, and a place to draw each node at (attribute ``pos``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import networkx as nx

from dscourse import datasets
from dscourse.arguments import real, whole
from dscourse.simulation.latency import LatencyModel, Uniform, as_latency
from dscourse.simulation.names import unknown

MOST_NODES = 1_000_000
_MOST_MESHED = 3000  # nodes that hold links to each other: 4.5 million links are about 2 GB
_MOST_EDGES_HELD = 100  # nodes up to which a full mesh holds its edges

# Longitude and latitude in degrees.
CITIES = {
    "Dallas": (-96.8, 32.8),
    "Washington DC": (-77.0, 38.9),
    "Sao Paulo": (-46.6, -23.6),
    "London": (-0.1, 51.5),
    "Frankfurt": (8.7, 50.1),
    "Mumbai": (72.9, 19.1),
    "Tokyo": (139.7, 35.7),
    "Sydney": (151.2, -33.9),
}

Graph: TypeAlias = "nx.Graph[Any]"


def full_mesh(n: int, *, complete: bool | None = None) -> Graph:
    """Everybody can talk to everybody.

    Args:
        n: number of nodes, at least 1.
        complete: mark the graph as complete instead of holding its edges, which is what makes thousands of nodes
            possible; by default from 101 nodes on. Edges that you add then carry attributes only.
    """
    count = whole("n", n, at_least=1, at_most=MOST_NODES)
    if complete is not None and not isinstance(complete, bool):
        raise TypeError(f"complete must be True, False or None, got {complete!r}")
    if complete is False:
        _check_meshed(count, "leave out complete=False")
    graph = _circle(count)
    if complete if complete is not None else count > _MOST_EDGES_HELD:
        graph.graph["complete"] = True
    else:
        graph.add_edges_from((f"n{i}", f"n{j}") for i in range(count) for j in range(i + 1, count))
    return graph


def ring(n: int) -> Graph:
    """Everybody can talk to the next and the previous one.

    Args:
        n: number of nodes, at least 3.
    """
    count = whole("n", n, at_least=3, at_most=MOST_NODES)
    graph = _circle(count)
    graph.add_edges_from((f"n{i}", f"n{(i + 1) % count}") for i in range(count))
    return graph


def star(n: int) -> Graph:
    """All can talk to n0 in the middle, and only to it.

    Args:
        n: number of nodes, at least 2, the middle included.
    """
    count = whole("n", n, at_least=2, at_most=MOST_NODES)
    graph: Graph = nx.Graph()
    graph.add_node("n0", pos=(0.0, 0.0))
    for i in range(1, count):
        graph.add_node(f"n{i}", pos=_on_circle(i - 1, count - 1))
        graph.add_edge("n0", f"n{i}")
    return graph


def tree(branching: int, depth: int) -> Graph:
    """Each node has ``branching`` children, down to ``depth`` levels below n0.

    Args:
        branching: children of a node, at least 1.
        depth: levels below the root, at least 1.
    """
    children = whole("branching", branching, at_least=1, at_most=MOST_NODES)
    levels = whole("depth", depth, at_least=1, at_most=MOST_NODES)
    total = levels + 1 if children == 1 else (children ** min(levels + 1, 21) - 1) // (children - 1)
    if total > MOST_NODES:
        raise ValueError(
            f"a tree of branching {children} and depth {levels} has more than {MOST_NODES} nodes, too many"
        )
    graph: Graph = nx.Graph()
    graph.add_node("n0", pos=(0.0, 1.0))
    first, count = 0, 1  # of the level above
    for level in range(1, levels + 1):
        below = count * children
        for i in range(below):
            node = f"n{first + count + i}"
            graph.add_node(node, pos=(_rounded((2 * i + 1) / below - 1), _rounded(1 - 2 * level / levels)))
            graph.add_edge(f"n{first + i // children}", node)
        first, count = first + count, below
    return graph


def two_data_centers(
    nodes_per_center: int = 3,
    *,
    within: LatencyModel | float = Uniform(0.0002, 0.0008),  # noqa: B008 - frozen
    between: LatencyModel | float = Uniform(0.03, 0.05),  # noqa: B008 - frozen
) -> Graph:
    """Two groups, near inside and far from each other; everybody can talk to everybody.

    Nodes have the attribute ``center`` (``"east"`` or ``"west"``).

    Args:
        nodes_per_center: in each.
        within: latency inside a center, one way.
        between: latency between the centers, one way.
    """
    count = whole("nodes_per_center", nodes_per_center, at_least=1)
    _check_meshed(2 * count, "take fewer nodes per center")
    near, far = as_latency("within", within), as_latency("between", between)
    graph: Graph = nx.Graph()
    for i in range(2 * count):
        center, place = divmod(i, count)
        x, y = _on_circle(place, count)
        graph.add_node(
            f"n{i}",
            center=("west", "east")[center],
            pos=(_rounded(0.4 * x + (-0.6, 0.6)[center]), _rounded(0.4 * y)),
        )
    for i in range(2 * count):
        for j in range(i + 1, 2 * count):
            graph.add_edge(f"n{i}", f"n{j}", latency=near if i // count == j // count else far)
    return graph


def regions(
    names: Sequence[str] | None = None,
    nodes_per_region: int = 1,
    *,
    jitter: float = 0.1,
    within: LatencyModel | float = Uniform(0.0002, 0.0008),  # noqa: B008 - frozen
) -> Graph:
    """Nodes in regions of the world, as far apart as measured (data set ``latency/region_rtt``).

    One way takes half of the mean round trip, give or take ``jitter`` (uniform; the source gives means only).
    Nodes have the attribute ``region``.

    Args:
        names: of regions; by default all eight.
        nodes_per_region: in each.
        jitter: share of the latency by which it varies, from 0 up to, not including, 1.
        within: latency inside a region, one way; assumed, not measured.
    """
    if names is not None and (not isinstance(names, Iterable) or isinstance(names, set | frozenset)):
        raise TypeError(f"names must be a list of regions, such as ['London', 'Tokyo'], got {names!r}")
    measured = _round_trips()
    known = list(CITIES)
    chosen = known if names is None else [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in known:
            raise unknown("region", name, known)
    if len(set(chosen)) != len(chosen) or not chosen:
        raise ValueError(f"names must be different regions, at least one, got {chosen!r}")
    spread = real("jitter", jitter, at_least=0.0)
    if spread >= 1.0:
        raise ValueError(f"jitter must be below 1, got {spread:g}")
    near = as_latency("within", within)
    each = whole("nodes_per_region", nodes_per_region, at_least=1)
    _check_meshed(each * len(chosen), "take fewer nodes per region")
    graph: Graph = nx.Graph()
    placed = [name for name in chosen for _ in range(each)]
    for i, name in enumerate(placed):
        longitude, latitude = CITIES[name]
        x, y = _on_circle(i % nodes_per_region, nodes_per_region)
        spot = 0.08 if nodes_per_region > 1 else 0.0
        pos = (_rounded(longitude / 160 + spot * x), _rounded(latitude / 80 + spot * y))
        graph.add_node(f"n{i}", region=name, pos=pos)
    for i, here in enumerate(placed):
        for j in range(i + 1, len(placed)):
            latency: LatencyModel = near
            if here != placed[j]:
                way = measured[frozenset((here, placed[j]))] / 2
                latency = Uniform(_rounded(way * (1 - spread)), _rounded(way * (1 + spread)))
            graph.add_edge(f"n{i}", f"n{j}", latency=latency)
    return graph


def _check_meshed(count: int, advice: str) -> None:
    if count > _MOST_MESHED:
        raise ValueError(
            f"{count} nodes that all have links to each other would need {count * (count - 1) // 2} of them; at most "
            f"{_MOST_MESHED} such nodes can be held: {advice}"
        )


def _round_trips() -> dict[frozenset[str], float]:
    table = datasets.load("latency/region_rtt")
    return {
        frozenset((str(row["from"]), str(row["to"]))): float(row["rtt_ms"]) / 1000
        for row in table.to_dict("records")
    }


def _circle(count: int) -> Graph:
    graph: Graph = nx.Graph()
    for i in range(count):
        graph.add_node(f"n{i}", pos=_on_circle(i, count))
    return graph


def _on_circle(place: int, count: int) -> tuple[float, float]:
    """Clockwise from the top."""
    angle = 2 * math.pi * place / count
    return (_rounded(math.sin(angle)), _rounded(math.cos(angle)))


def _rounded(value: float) -> float:
    """Six digits: more would differ between machines, and mean nothing."""
    result: Any = round(value, 6)
    return float(result) + 0.0
