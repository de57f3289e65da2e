"""A prediction that points at a node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import networkx as nx

from dscourse.arguments import shown
from dscourse.exercises._prediction import Expectation, Outcome, Prediction


class NodePrediction(Prediction):
    """A node of a graph, held against the node that the run gives.

    Args:
        name: "module.name", where the prediction stands.
        question: which node will it be?
        graph: the cluster; nodes stand at their attribute "pos", or on a circle.
        right: what is said to who points at the node, or predicted nothing.
        typical: what is said to who points at certain others, by node.
        otherwise: what is said to who points at any other.
    """

    kind = "node"

    def __init__(
        self,
        name: str,
        *,
        question: str,
        graph: nx.Graph[Any],
        right: str,
        otherwise: str,
        typical: Mapping[str, Expectation] | None = None,
    ) -> None:
        super().__init__(name, question=question)
        self.graph = graph
        self._right = Expectation("what the run shows", right)
        self._otherwise = Expectation("another node", otherwise)
        self.typical = dict(typical or {})

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What may be expected, the right one first."""
        return (self._right, *self.typical.values())

    def _entry(self, answer: Any) -> str:
        wanted = answer.strip() if isinstance(answer, str) else answer
        if not isinstance(wanted, str) or wanted not in self.graph:
            raise LookupError(f"there is no node {shown(answer)}; choose one of {', '.join(self.graph)}")
        return wanted

    def _words(self, entry: Any) -> str:
        return str(entry)

    def _outcome(self, entry: Any | None, measured: Any) -> Outcome:
        result = self._entry(measured)
        if entry is None or entry == result:
            others = {node: one for node, one in self.typical.items() if node != result}
            told = tuple(replace(one, text=node) for node, one in others.items())
            return Outcome(result, said=self._right, right=entry is not None, others=told)
        rest = {node: one for node, one in self.typical.items() if node not in (entry, result)}
        told = (
            Expectation(result, self._right.explanation),
            *(replace(one, text=node) for node, one in rest.items()),
        )
        return Outcome(result, said=self.typical.get(entry, self._otherwise), right=False, others=told)

    def _settings(self) -> dict[str, Any]:
        return {"nodes": self._places(), "edges": [[a, b] for a, b in self.graph.edges]}

    def _places(self) -> list[list[Any]]:
        """Return [node, x, y] each, x and y from 0 to 1, y downwards."""
        around = {
            node: (math.sin(turn), math.cos(turn))
            for node, turn in zip(self.graph, _turns(len(self.graph)), strict=True)
        }
        places = {node: self.graph.nodes[node].get("pos", around[node]) for node in self.graph}
        xs, ys = [x for x, _ in places.values()], [y for _, y in places.values()]
        wide, tall = max(xs) - min(xs) or 1, max(ys) - min(ys) or 1
        return [
            [node, round((x - min(xs)) / wide, 4), round((max(ys) - y) / tall, 4)]
            for node, (x, y) in places.items()
        ]

    def _static(self) -> list[str]:
        return [f"One of the nodes {', '.join(self.graph)}."]

    def _example(self) -> str:
        return repr(next(iter(self.graph)))


def _turns(count: int) -> list[float]:
    return [2 * math.pi * place / count for place in range(count)]
