"""Who is in the cluster, and how much each is meant to carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from xxhash import xxh3_64_intdigest

from dscourse.arguments import instance, real, shown

_HEAVIEST = 1e12  # far beyond any need; sums of weights stay exact enough


@dataclass(frozen=True)
class Fleet:
    """The nodes of a cluster in order, with their weights: never changed, only replaced by a new one.

    Since every change makes a new object, a refused change leaves no trace.

    Attributes:
        nodes: their names, in the order in which they joined.
        weights: as many numbers above 0; a node of weight 2 is meant to carry twice what one of weight 1 does.
    """

    nodes: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, nodes: Iterable[str], weights: Mapping[str, float] | None = None) -> Fleet:
        """Check names and weights; a node without a weight has 1.

        Raises:
            TypeError: if `nodes` is a single text, or a name is no text.
            ValueError: no node, one named twice, an empty name, or a weight that isn't a finite number above 0.
            LookupError: if a weight is given to a node that isn't there.
        """
        names = checked_names(nodes)
        fleet = cls((), ())
        given = dict(instance("weights", weights or {}, Mapping, "a mapping {node: weight}"))
        for node in names:
            fleet = fleet.plus(node, given.pop(node, 1.0))
        if not fleet.nodes:
            raise ValueError("A partitioner needs at least one node, got none")
        if given:
            raise LookupError(f"There is a weight for {next(iter(given))!r}, which is no node: {fleet}")
        return fleet

    def plus(self, node: str, weight: float = 1.0) -> Fleet:
        """Return the fleet after one more has joined at the end."""
        if checked_name(node) in self.nodes:
            raise ValueError(f"Node {node!r} is there already: {self}")
        heavy = real(f"the weight of {node!r}", weight, above=0.0, at_most=_HEAVIEST)
        return Fleet((*self.nodes, node), (*self.weights, heavy))

    def minus(self, node: str) -> Fleet:
        """Return the fleet after one has left; the others keep their order."""
        place = self.place(node)
        if len(self.nodes) == 1:
            raise ValueError(
                f"{node!r} is the last node: its keys would have no owner. Add another one first."
            )
        return replace(
            self,
            nodes=self.nodes[:place] + self.nodes[place + 1 :],
            weights=self.weights[:place] + self.weights[place + 1 :],
        )

    def minus_filling_the_gap(self, node: str) -> Fleet:
        """Return the fleet after one has left and the last one has taken its place in the order."""
        place = self.place(node)
        left = self.minus(node)
        if place >= len(left.nodes):
            return left
        nodes, weights = list(left.nodes), list(left.weights)
        nodes.insert(place, nodes.pop())
        weights.insert(place, weights.pop())
        return Fleet(tuple(nodes), tuple(weights))

    def place(self, node: str) -> int:
        """Return the place of a node in the order.

        Raises:
            LookupError: if it isn't there.
        """
        if checked_name(node) not in self.nodes:
            raise LookupError(f"There is no node {node!r}: {self}")
        return self.nodes.index(node)

    def shares(self) -> dict[str, float]:
        """Return the fraction of the keys that each node is meant to own."""
        total = sum(self.weights)
        return {node: weight / total for node, weight in zip(self.nodes, self.weights, strict=True)}

    def __str__(self) -> str:
        shown = ", ".join(self.nodes[:8]) + (", …" if len(self.nodes) > 8 else "")
        return f"the nodes are {shown}" if self.nodes else "there are no nodes yet"


def fingerprint(nodes: Iterable[str]) -> int:
    """Return a number that is the same for the same nodes in any order, and another one for others."""
    return xxh3_64_intdigest("\0".join(sorted(nodes)).encode("utf-8", "surrogatepass"))


def checked_names(nodes: object) -> tuple[str, ...]:
    """Return the names of nodes, each fit on its own, or say what was wrong with them."""
    if isinstance(nodes, str | bytes) or not isinstance(nodes, Iterable):
        raise TypeError(f"nodes must be a list of names such as ['n0', 'n1'], got {shown(nodes)}")
    return tuple(map(checked_name, nodes))


def checked_name(node: object) -> str:
    """Return the name of a node, or say what was wrong with it."""
    if not isinstance(node, str):
        raise TypeError(f"The name of a node is a text such as 'n0', got {node!r}")
    if not node:
        raise ValueError("The name of a node must not be empty")
    if node.endswith(
        "\0"
    ):  # an array of texts would drop it, and `owners` would name another node than `owner`
        raise ValueError(f"The name of a node must not end with a zero character, got {node!r}")
    return node
