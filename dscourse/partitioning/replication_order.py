"""Which nodes hold the copies of a key: down its order of preference, past nodes whose rack is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dscourse.arguments import whole


def choose_replicas(
    preference: Iterable[str], nodes: tuple[str, ...], count: int, racks: Mapping[str, str] | None = None
) -> list[str]:
    """Return the first `count` nodes of a key's preference, at most one from each rack if racks are given.

    Args:
        preference: the nodes in the key's order of preference; a node that comes again is passed over.
        nodes: all nodes.
        count: of copies, at least 1.
        racks: {node: rack} for every node, or None if racks don't matter.

    Raises:
        ValueError: more copies than nodes, or than racks.
        LookupError: if a node has no rack.
    """
    wanted = whole("count", count, at_least=1)
    if wanted > len(nodes):
        raise ValueError(f"{wanted} copies need {wanted} nodes, but there are {len(nodes)}")
    rack_of = {node: node for node in nodes} if racks is None else _known(racks, nodes)
    if wanted > len(set(rack_of.values())):
        raise ValueError(
            f"{wanted} copies need {wanted} racks, but the nodes stand in {len(set(rack_of.values()))}"
        )
    chosen: list[str] = []
    taken: set[str] = set()
    for node in preference:
        if rack_of[node] not in taken:
            chosen.append(node)
            taken.add(rack_of[node])
            if len(chosen) == wanted:
                break
    return chosen


def _known(racks: Mapping[str, str], nodes: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(racks, Mapping):
        raise TypeError(f"racks must be a mapping {{node: rack}}, got {racks!r}")
    for node in nodes:
        if node not in racks:
            raise LookupError(f"racks says nothing of node {node!r}: every node needs one, or none does")
    return {node: racks[node] for node in nodes}
