"""Where each party stands in the picture: 0 … 1 from left to right and from top to bottom."""

from __future__ import annotations

import math

from dscourse.simulation import Run


def positions(run: Run) -> dict[str, tuple[float, float]]:
    """Return a position for every node and client.

    Nodes stand where the graph's ``pos`` attributes put them, or else on a circle, the first at the top, clockwise.
    Clients stand outside the graph: in a column on the left.
    """
    graph = run.scenario.network.graph
    given = {node: graph.nodes[node]["pos"] for node in run.nodes if graph.nodes[node].get("pos") is not None}
    if len(given) == len(run.nodes):
        placed = _spread({node: (float(place[0]), -float(place[1])) for node, place in given.items()})
    else:
        placed = _circle(tuple(run.nodes))
    clients = tuple(run.clients)
    if clients:
        placed = {node: (0.24 + 0.76 * x, y) for node, (x, y) in placed.items()}
    for index, client in enumerate(clients):
        placed[client] = (0.0, (index + 1) / (len(clients) + 1))
    return placed


def _circle(nodes: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    if len(nodes) == 1:
        return {nodes[0]: (0.5, 0.5)}
    turn = 2 * math.pi / len(nodes)
    circle = {
        node: (0.5 + 0.5 * math.sin(index * turn), 0.5 - 0.5 * math.cos(index * turn))
        for index, node in enumerate(nodes)
    }
    return {node: (round(x, 4), round(y, 4)) for node, (x, y) in circle.items()}


def _spread(places: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Stretch positions so that they fill 0 … 1 in both directions; a direction without extent is centred."""
    stretched = []
    for axis in (0, 1):
        values = [place[axis] for place in places.values()]
        low, span = min(values), max(values) - min(values)
        stretched.append([round((value - low) / span, 4) if span > 1e-9 else 0.5 for value in values])
    return dict(zip(places, zip(*stretched, strict=True), strict=True))
