"""The network: who can talk to whom, how long it takes, and what gets lost on the way."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import networkx as nx

from dscourse.arguments import probability, real, text, whole
from dscourse.simulation.latency import Constant, LatencyModel, as_latency
from dscourse.simulation.peers import EverybodyElse
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS

LINK_ATTRIBUTES = frozenset({"latency", "loss", "duplication", "capacity", "queue_limit"})


class LinkSettings:
    """What a link does to messages; shared by all links that do the same."""

    __slots__ = ("capacity", "duplication", "loss", "queue_limit", "sample", "special", "transmission")

    def __init__(
        self,
        sample: Callable[[float], int],
        loss: float,
        duplication: float,
        capacity: float | None = None,
        queue_limit: int | None = None,
    ) -> None:
        self.sample = sample
        self.loss = loss
        self.duplication = duplication
        self.capacity = capacity
        self.queue_limit = queue_limit
        self.transmission = 0 if capacity is None else max(1, round(MICROSECONDS / capacity))
        self.special = loss > 0 or duplication > 0 or capacity is not None

    def made_special(self) -> LinkSettings:
        """The same, for a link on which every message is looked at."""
        settings = copy.copy(self)
        settings.special = True
        return settings


class Network:
    """Nodes and links, taken from a graph.

    Edge attributes ``latency``, ``loss`` and ``duplication`` win over the network's own. An edge may also have a
    ``capacity`` in messages per second, with a ``queue_limit``; a node a ``service_time`` (a latency model), with a
    ``queue_limit``. In a graph marked ``graph.graph["complete"] = True`` everybody is linked to everybody, and edges
    are only there to carry attributes. The graph is copied: change yours, and build another network from it.

    Args:
        graph: an nx.Graph, or an nx.DiGraph whose links lead one way; node ids are str.
        latency: how long a message travels: a latency model or seconds.
        loss: probability that a message is lost.
        duplication: probability that the network delivers a message twice.
        client_latency: of messages between clients and nodes; by default they take no time.

    Raises:
        TypeError, ValueError: what is wrong with the graph or a number.
    """

    def __init__(
        self,
        graph: nx.Graph[Any],
        *,
        latency: LatencyModel | float = Constant(0.01),  # noqa: B008 - frozen
        loss: float = 0.0,
        duplication: float = 0.0,
        client_latency: LatencyModel | float | None = None,
    ) -> None:
        if not isinstance(graph, nx.Graph) or graph.is_multigraph():
            raise TypeError(f"graph must be an nx.Graph or nx.DiGraph, got {type(graph).__name__}")
        if len(graph) == 0:
            raise ValueError("graph has no nodes; try topology.full_mesh(5)")
        self.graph: nx.Graph[Any] = nx.freeze(graph.copy())  # a run is data: nobody changes it afterwards
        self.latency = as_latency("latency", latency)
        self.loss = probability("loss", loss)
        self.duplication = probability("duplication", duplication)
        self.client_latency = None if client_latency is None else as_latency("client_latency", client_latency)
        for node in graph:
            text("a node id", node)
        self.node_ids: tuple[str, ...] = tuple(graph)
        self.is_complete = graph.graph.get("complete", False)
        if not isinstance(self.is_complete, bool):
            raise TypeError(f'graph.graph["complete"] must be True or False, got {self.is_complete!r}')
        self._places = {node: place for place, node in enumerate(self.node_ids)}
        self._samplers: dict[LatencyModel, Callable[[float], int]] = {}
        self._common = LinkSettings(self._sampler(self.latency), self.loss, self.duplication)
        self._to_clients = LinkSettings(self._sampler(self.client_latency or Constant(0.0)), 0.0, 0.0)
        self._has_overrides = any(
            not LINK_ATTRIBUTES.isdisjoint(attributes) for _, _, attributes in graph.edges(data=True)
        )
        self._check_attributes()

    def __repr__(self) -> str:
        kind = "complete" if self.is_complete else f"{self.graph.number_of_edges()} links"
        return f"Network({len(self.node_ids)} nodes, {kind}, latency={self.latency!r})"

    def without_luck(self) -> Network:
        """The same network, which neither loses nor doubles a message of its own accord."""
        graph = self.graph.copy()
        for _, _, attributes in graph.edges(data=True):
            for name in ("loss", "duplication"):
                attributes.pop(name, None)
        return Network(graph, latency=self.latency, client_latency=self.client_latency)

    @property
    def is_lucky(self) -> bool:
        """Whether it loses or doubles messages of its own accord, on some link at least."""
        links = (attributes for _, _, attributes in self.graph.edges(data=True))
        return bool(
            self.loss
            or self.duplication
            or (self._has_overrides and any(one.get("loss") or one.get("duplication") for one in links))
        )

    def peers(self, node: str) -> Sequence[str]:
        """Whom a node can send to, in node order."""
        if self.is_complete:
            return EverybodyElse(self.node_ids, self._places, node)
        return tuple(
            sorted((peer for peer in self.graph[node] if peer != node), key=self._places.__getitem__)
        )

    def has_link(self, a: str, b: str) -> bool:
        """Whether ``a`` can send to ``b`` while all is well."""
        if a == b or a not in self._places or b not in self._places:
            return False
        return self.is_complete or self.graph.has_edge(a, b)

    def link_settings(self, a: str, b: str) -> LinkSettings:
        """What the link from ``a`` to ``b`` does to messages."""
        if not self._has_overrides:
            return self._common
        attributes = self.graph.get_edge_data(a, b)
        if not attributes or LINK_ATTRIBUTES.isdisjoint(attributes):
            return self._common
        model = attributes.get("latency")
        return LinkSettings(
            self._common.sample if model is None else self._sampler(as_latency("latency", model)),
            float(attributes.get("loss", self.loss)),
            float(attributes.get("duplication", self.duplication)),
            attributes.get("capacity"),
            attributes.get("queue_limit"),
        )

    def client_settings(self) -> LinkSettings:
        """What happens to messages from and to clients."""
        return self._to_clients

    def service(self, node: str) -> tuple[Callable[[float], int] | None, int | None]:
        """Sampler of a node's service time, if it has one, and the limit of its queue."""
        attributes = self.graph.nodes[node]
        model = attributes.get("service_time")
        sampler = None if model is None else self._sampler(as_latency("service_time", model))
        return sampler, attributes.get("queue_limit")

    def _sampler(self, model: LatencyModel) -> Callable[[float], int]:
        sampler = self._samplers.get(model)
        if sampler is None:
            sampler = self._samplers[model] = model.sampler()
        return sampler

    def _check_attributes(self) -> None:
        for node, attributes in self.graph.nodes(data=True):
            if attributes.get("service_time") is not None:
                as_latency(f"service_time of {node}", attributes["service_time"])
            _check_limit(attributes, node)
        for a, b, attributes in self.graph.edges(data=True):
            _check_link(attributes, f"{a}–{b}")


def _check_link(attributes: Mapping[str, Any], where: str) -> None:
    if attributes.get("latency") is not None:
        as_latency(f"latency of {where}", attributes["latency"])
    for name in ("loss", "duplication"):
        if name in attributes:
            probability(f"{name} of {where}", attributes[name])
    if attributes.get("capacity") is not None:
        real(f"capacity of {where}", attributes["capacity"], above=0.0, at_least=1.0 / LONGEST)
    _check_limit(attributes, where)


def _check_limit(attributes: Mapping[str, Any], where: str) -> None:
    if attributes.get("queue_limit") is not None:
        whole(f"queue_limit of {where}", attributes["queue_limit"], at_least=0)
