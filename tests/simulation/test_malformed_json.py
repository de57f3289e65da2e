"""Scenarios in JSON from elsewhere: what is malformed is a ValueError in words; what a factory is set to, counts."""

import json
from dataclasses import dataclass
from functools import lru_cache, partial

import pytest

from dscourse.simulation import (
    Byzantine,
    ClosedLoop,
    Equivocate,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Partition,
    Scenario,
    Uniform,
    topology,
)


class Sized(Node):
    def __init__(self, node_id, peers, size=1):
        self.size = size


def scenario(factory=Sized):
    return Scenario(
        factory,
        Network(topology.ring(3), latency=Uniform(0.1, 0.2)),
        faults=[
            Lossy(0.1, at=1.0, link=("n0", "n1")),
            Partition([["n0"], ["n1", "n2"]], at=1.0),
            Byzantine("n2", Equivocate("x", (1, 2)), at=1.0),
        ],
        clients=[OpenLoop([1], 1.0, "n0", 1.0), ClosedLoop([1], 1.0, "n0", 1.0)],
    )


GONE = object()


@pytest.mark.parametrize(
    ("place", "new", "words"),
    [
        ("version", True, "has version True"),
        ("version", 1.0, "has version 1.0"),
        ("seed", GONE, "a scenario lacks seed"),
        ("seed", "7", "seed in JSON should be a whole number, got '7'"),
        ("shuffle_ties", 0, "shuffle_ties in JSON should be true or false, got 0"),
        ("faults", None, "faults in JSON should be a list, got None"),
        ("faults/0/fault", [1], "the kind of a fault in JSON should be a text"),
        ("faults/0/at", GONE, "Lossy lacks at"),
        ("faults/0/rate", GONE, "Lossy lacks rate"),
        ("faults/0/rate", "much", "can't be read: rate of Lossy must be a number, got 'much'"),
        ("faults/0/link", 3, "can't be read: link of Lossy must be two node ids"),
        ("faults/1/groups", None, "can't be read: groups must be groups of node ids"),
        ("faults/2/behaviour", "Silent", "a behaviour in JSON is an object"),
        ("faults/2/behaviour/behaviour", 3, "the name of a behaviour in JSON should be a text"),
        ("faults/2/behaviour/values", GONE, "Equivocate lacks values"),
        ("clients", 3, "clients in JSON should be a list"),
        ("clients/0", [], "a client in JSON looks like"),
        ("clients/0/OpenLoop", None, "OpenLoop in JSON should be an object, got None"),
        ("clients/0/OpenLoop/rate", GONE, "OpenLoop lacks rate"),
        ("clients/0/OpenLoop/to", None, "can't be read: to must be the id of a node, or several"),
        ("network", [], "a network in JSON should be an object"),
        ("network/directed", "no", "directed in JSON should be true or false, got 'no'"),
        ("network/nodes", "n0", "nodes in JSON should be a list"),
        ("network/nodes/0", 1, "a node in JSON should be a list of a text, an object, got 1"),
        ("network/nodes/0/0", [1], "entry 0 of a node in JSON should be a text"),
        ("network/nodes/0/1", None, "entry 1 of a node in JSON should be an object"),
        ("network/links/0", ["n0", "n1"], "a link in JSON should be a list of a text, a text, an object"),
        ("network/latency", {"Uniform": {"low": 0.1}}, "Uniform lacks high"),
        ("network/latency", {"Uniform": None}, "Uniform in JSON should be an object"),
        (
            "network/latency",
            {"Empirical": {"samples": None}},
            "can't be read: samples must be numbers of seconds",
        ),
        ("network/loss", "some", "can't be read: loss must be a number"),
    ],
)
def test_what_is_malformed_is_refused_in_words(place, new, words):
    value = json.loads(scenario().to_json())
    *parents, last = (int(step) if step.isdigit() else step for step in place.split("/"))
    inner = value
    for parent in parents:
        inner = inner[parent]
    if new is GONE:
        del inner[last]
    else:
        inner[last] = new
    with pytest.raises(ValueError, match=words):
        Scenario.from_json(json.dumps(value), Sized)


def test_attributes_of_any_name_survive():
    graph = topology.ring(3)
    graph.nodes["n0"]["node_for_adding"] = "a name that networkx uses itself"
    graph.edges["n0", "n1"]["u_of_edge"] = 3
    text = Scenario(Sized, Network(graph)).to_json()
    assert Scenario.from_json(text, Sized).to_json() == text


@dataclass(frozen=True)
class Factory:
    size: int

    def __call__(self, node_id, peers):
        return Sized(node_id, peers, self.size)


class Maker:
    def __init__(self, size):
        self._size = size

    def __call__(self, node_id, peers):
        return Sized(node_id, peers, self._size)

    def make(self, node_id, peers):
        return self(node_id, peers)


def _function(node_id, peers):
    return Sized(node_id, peers)


@pytest.mark.parametrize(
    "of_size",
    [Factory, Maker, lambda size: Maker(size).make, lambda size: partial(Sized, size=size)],
    ids=["a dataclass", "an object", "a method", "a partial"],
)
def test_the_settings_of_a_factory_count(of_size):
    text = scenario(of_size(1)).to_json()
    assert Scenario.from_json(text, of_size(1)).to_json() == text
    with pytest.raises(ValueError, match=r"made with the node factory .*1.*insist=True"):
        Scenario.from_json(text, of_size(2))
    assert Scenario.from_json(text, of_size(2), insist=True).run(1.0).at(0.5).nodes["n0"]["size"] == 2


def test_a_partial_without_settings_is_the_factory_itself():
    text = scenario(Sized).to_json()
    assert scenario(partial(Sized)).to_json() == text
    assert Scenario.from_json(text, partial(partial(Sized))).to_json() == text
    assert Scenario.from_json(scenario(_function).to_json(), _function).seed == 0


def test_a_factory_in_a_wrapper_has_its_name():
    text = scenario(lru_cache(_function)).to_json()
    assert json.loads(text)["factory"] == {"name": f"{__name__}._function"}


def test_settings_without_a_json_form_are_said_so_and_can_be_insisted_upon():
    odd = Maker(object())
    with pytest.raises(TypeError, match=r"a setting of the node factory\['_size'\] is object"):
        scenario(odd).to_json()
    assert Scenario.from_json(scenario().to_json(), odd, insist=True).node_factory is odd


def test_a_class_among_the_settings_is_told_by_its_name():
    def made_of(node_id, peers, *, kind):
        return kind(node_id, peers)

    text = scenario(partial(made_of, kind=Node)).to_json()
    assert '"name":"dscourse.simulation.node.Node"' in text
    assert Scenario.from_json(text, partial(made_of, kind=Node)).to_json() == text
    with pytest.raises(ValueError, match="factory"):
        Scenario.from_json(text, partial(made_of, kind=Sized))
