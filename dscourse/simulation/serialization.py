"""Scenarios as JSON: one line that can be pasted somewhere else, and gives the same run there.

What isn't understood is refused, not guessed: a newer version, an unknown field, another node factory.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any

import networkx as nx

from dscourse.simulation.clients import ClosedLoop, OpenLoop, Workload
from dscourse.simulation.faults import Fault, fault_from_json_value
from dscourse.simulation.json_parts import check_fields, named, part, rebuilt, row
from dscourse.simulation.latency import Constant, Empirical, Exponential, LatencyModel, LogNormal, Uniform
from dscourse.simulation.messages import canonical_json, plain_json
from dscourse.simulation.names import unknown
from dscourse.simulation.network import Network

VERSION = 1
_LONGEST_INLINE = 1000  # samples of Empirical
_MODELS: dict[str, type[LatencyModel]] = {
    model.__name__: model for model in (Constant, Uniform, Exponential, LogNormal, Empirical)
}
_WORKLOADS: dict[str, type[Workload]] = {"OpenLoop": OpenLoop, "ClosedLoop": ClosedLoop}
_FIELDS = ("version", "factory", "network", "faults", "clients", "seed", "shuffle_ties")
_NETWORK_FIELDS = (
    "directed",
    "attributes",
    "nodes",
    "links",
    "latency",
    "loss",
    "duplication",
    "client_latency",
)


def scenario_to_json(
    *,
    node_factory: Callable[..., Any],
    network: Network,
    faults: Sequence[Fault],
    clients: Sequence[Workload],
    seed: int,
    shuffle_ties: bool,
) -> str:
    """One line of JSON from what makes a scenario."""
    value: dict[str, Any] = {
        "version": VERSION,
        "factory": describe_factory(node_factory),
        "network": _network(network),
        "faults": [fault.to_json_value() for fault in faults],
        "clients": [_workload(client) for client in clients],
        "seed": seed,
        "shuffle_ties": shuffle_ties,
    }
    return canonical_json(value)


def scenario_from_json(text: str, node_factory: Callable[..., Any], *, insist: bool) -> dict[str, Any]:
    """The arguments of a `Scenario`, except for the factory."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"this is no scenario in JSON: {error}") from None
    if not isinstance(value, dict) or "version" not in value:
        raise ValueError('this is no scenario: it should be an object with "version" in it')
    if type(value["version"]) is not int or value["version"] != VERSION:
        raise ValueError(
            f"this scenario has version {value['version']!r}, and this dscourse reads version {VERSION}; "
            "install the dscourse that it was made with"
        )
    check_fields("a scenario", value, _FIELDS, needed=_FIELDS)
    if not insist and (found := describe_factory(node_factory)) != value["factory"]:
        raise ValueError(
            f"this scenario was made with the node factory {canonical_json(value['factory'])}, "
            f"got {canonical_json(found)}; "
            "with another factory it is another scenario. Pass insist=True if you want that."
        )
    try:
        return {
            "network": _network_from(value["network"]),
            "faults": [fault_from_json_value(fault) for fault in part("faults", value["faults"], list)],
            "clients": [_workload_from(client) for client in part("clients", value["clients"], list)],
            "seed": part("seed", value["seed"], int),
            "shuffle_ties": part("shuffle_ties", value["shuffle_ties"], bool),
        }
    except TypeError as error:  # a number where a text should be: in a text from outside that is a bad value
        raise ValueError(f"this scenario can't be read: {error}") from error


def describe_factory(factory: Callable[..., Any]) -> dict[str, Any]:
    """Qualified name and settings of a node factory.

    The settings are the keywords of a ``functools.partial``, and the attributes of an object that can be called. A
    setting may be another factory, such as a class of nodes.
    """
    arguments: list[Any] = []
    if isinstance(factory, functools.partial):
        inner = describe_factory(factory.func)
        name = inner["name"]
        settings = {**inner.get("settings", {}), **factory.keywords}
        arguments = [*inner.get("arguments", ()), *factory.args]
    else:
        kind = factory if hasattr(factory, "__qualname__") else type(factory)
        name = f"{kind.__module__}.{kind.__qualname__}"
        settings = _attributes_of(factory)
    described: dict[str, Any] = {"name": name}
    if settings:
        named = {name: _named(value) for name, value in settings.items()}
        described["settings"] = plain_json(named, "a setting of the node factory")
    if arguments:
        described["arguments"] = plain_json(
            [_named(value) for value in arguments], "an argument of the node factory"
        )
    return described


def _named(value: Any) -> Any:
    return describe_factory(value) if isinstance(value, type | FunctionType | functools.partial) else value


def _attributes_of(factory: Any) -> dict[str, Any]:
    if isinstance(factory, MethodType):
        factory = factory.__self__
    if hasattr(factory, "__qualname__"):
        return {}  # a class or a function: its name says all
    if dataclasses.is_dataclass(factory):
        return {field.name: getattr(factory, field.name) for field in dataclasses.fields(factory)}
    return dict(getattr(factory, "__dict__", {}))


def model_to_json_value(model: LatencyModel) -> dict[str, Any]:
    """A latency model by name and fields."""
    if type(model).__name__ not in _MODELS:
        raise TypeError(f"only {', '.join(_MODELS)} have a JSON form, got {model!r}")
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}  # type: ignore[arg-type]
    samples = fields.get("samples")
    if isinstance(samples, tuple) and len(samples) > _LONGEST_INLINE:
        raise ValueError(
            f"an Empirical of {len(samples)} samples is too long for JSON; at most {_LONGEST_INLINE} are written out. "
            "Use the name of a data set."
        )
    if isinstance(model, Empirical):
        fields = {name: value for name, value in fields.items() if value not in (None, 1.0)}
    return {type(model).__name__: plain_json(fields, type(model).__name__)}


def model_from_json_value(value: Any) -> LatencyModel:
    """The model again."""
    name, fields = named("a latency model", '{"Uniform":{"low":0.1,"high":0.2}}', value)
    if name not in _MODELS:
        raise unknown("latency model", name, _MODELS)
    model: LatencyModel = rebuilt(_MODELS[name], fields)
    return model


def _network(network: Network) -> dict[str, Any]:
    graph = network.graph
    value: dict[str, Any] = {
        "directed": graph.is_directed(),
        "attributes": _attributes(graph.graph, "the graph"),
        "nodes": [[node, _attributes(attributes, node)] for node, attributes in graph.nodes(data=True)],
        "links": [[a, b, _attributes(attributes, f"{a}–{b}")] for a, b, attributes in graph.edges(data=True)],
        "latency": model_to_json_value(network.latency),
        "loss": network.loss,
        "duplication": network.duplication,
    }
    if network.client_latency is not None:
        value["client_latency"] = model_to_json_value(network.client_latency)
    return value


def _network_from(value: Any) -> Network:
    check_fields("a network", value, _NETWORK_FIELDS, needed=_NETWORK_FIELDS[:-1])
    graph: nx.Graph[Any] = nx.DiGraph() if part("directed", value["directed"], bool) else nx.Graph()
    graph.graph.update(_attributes_from(part("attributes of a network", value["attributes"], dict)))
    for entry in part("nodes", value["nodes"], list):
        node, attributes = row("a node", entry, str, dict)
        graph.add_node(node)
        graph.nodes[node].update(_attributes_from(attributes))
    for entry in part("links", value["links"], list):
        a, b, attributes = row("a link", entry, str, str, dict)
        if a not in graph or b not in graph:
            raise ValueError(f"the link {a}–{b} leads to a node that isn't there")
        graph.add_edge(a, b)
        graph.edges[a, b].update(_attributes_from(attributes))
    client_latency = value.get("client_latency")
    return Network(
        graph,
        latency=model_from_json_value(value["latency"]),
        loss=value["loss"],
        duplication=value["duplication"],
        client_latency=None if client_latency is None else model_from_json_value(client_latency),
    )


def _attributes(attributes: Any, where: str) -> dict[str, Any]:
    return {
        name: {"model": model_to_json_value(value)}
        if isinstance(value, LatencyModel)
        else plain_json(value, f"{name} of {where}")
        for name, value in attributes.items()
    }


def _attributes_from(attributes: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, dict) and set(value) == {"model"}:
            result[name] = model_from_json_value(value["model"])
        else:
            result[name] = tuple(value) if name == "pos" and isinstance(value, list) else value
    return result


def _workload(workload: Workload) -> dict[str, Any]:
    fields = {field.name: getattr(workload, field.name) for field in dataclasses.fields(workload)}  # type: ignore[arg-type]
    for name, value in fields.items():
        if isinstance(value, LatencyModel):
            fields[name] = model_to_json_value(value)
        else:
            fields[name] = plain_json(value, name)
    if _holds_object(fields["operations"]):
        raise TypeError(
            "operations of a client go to JSON only if they are numbers, texts and tuples of these"
        )
    return {type(workload).__name__: fields}


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_object, value)))


def _workload_from(value: Any) -> Workload:
    name, fields = named("a client", '{"OpenLoop":{…}}', value)
    if name not in _WORKLOADS:
        raise unknown("kind of client", name, _WORKLOADS)
    if isinstance(part(name, fields, dict).get("think_time"), dict):
        fields = {**fields, "think_time": model_from_json_value(fields["think_time"])}
    workload: Workload = rebuilt(_WORKLOADS[name], fields)
    return workload
