"""A scenario fits into one pasted line, and gives the same run there."""

import json
from dataclasses import dataclass
from functools import partial

import networkx as nx
import pytest

from dscourse.simulation import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    ClosedLoop,
    Constant,
    Corrupt,
    Crash,
    CutLink,
    Duplicate,
    Empirical,
    Equivocate,
    Exponential,
    Heal,
    LogNormal,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    Reply,
    Restart,
    Resume,
    Scenario,
    Silent,
    Slow,
    Uniform,
    register_behaviour,
    topology,
)


@dataclass(frozen=True)
class Beat:
    number: int


class Beater(Node):
    def __init__(self, node_id, peers, interval=0.2, label=""):
        self._peers, self._interval, self._number = peers, interval, 0

    def on_start(self, ctx):
        ctx.set_timer("beat", self._interval)

    def on_timer(self, ctx, name):
        self._number += 1
        for peer in self._peers:
            ctx.send(peer, Beat(self._number))
        ctx.set_timer("beat", self._interval)

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Beat):
            ctx.send(sender, Reply(message.number, "ok", message.operation))


@register_behaviour
@dataclass(frozen=True)
class Boast:
    by: int

    def rewrite(self, rng, to, message):
        return Beat(message.number + self.by)


FAULTS = [
    Crash("n0", at=1.0, restart_at=2.0),
    Crash("n1", at=1.0),
    Restart("n1", at=1.5),
    Pause("n2", at=1.0, until=2.0),
    Pause("n3", at=1.0),
    Resume("n3", at=2.0),
    Partition([["n2", "n1"], ["n0", "c0"]], at=2.0, until=3.0),
    CutLink("n0", "n1", at=2.0, until=3.0, one_way=True),
    Heal(at=2.5, link=("n0", "n1")),
    Heal(at=2.6),
    Lossy(0.1, at=1.0, until=2.0, link=("n0", "n1")),
    Lossy(0.1, at=1.0),
    Slow(2.0, at=1.0, until=2.0, node="n0"),
    Slow(2.0, at=1.0, link=("n0", "n1")),
    Duplicate(0.2, at=1.0),
    ClockOffset("n0", -1.0, at=1.0),
    ClockDrift("n1", 0.1, at=1.0),
    Byzantine("n0", Silent(to=("n1",)), at=1.0, until=2.0),
    Byzantine("n1", Equivocate("number", (1, 2)), at=1.0),
    Byzantine("n2", Corrupt(0.5), at=1.0),
    Byzantine("n3", Boast(10), at=2.5),
]


def rich():
    graph = topology.full_mesh(4)
    graph.nodes["n0"].update(service_time=Exponential(0.01), queue_limit=5, rack="r1")
    graph.edges["n0", "n1"].update(latency=LogNormal(0.05, 0.5), loss=0.1, duplication=0.1)
    graph.edges["n0", "n2"].update(capacity=50.0, queue_limit=3)
    graph.edges["n0", "n3"].update(latency=Empirical([0.01, 0.02, 0.5]))
    graph.edges["n1", "n2"].update(latency=Empirical("latency/seattle_rtt", column="n32_n56", scale=0.5))
    network = Network(
        graph, latency=Uniform(0.01, 0.1), loss=0.05, duplication=0.02, client_latency=Constant(0.01)
    )
    clients = [
        OpenLoop([("put", "x", 1), "get", None, (1, (2.5, True))], 5.0, ("n0", "n1"), 0.5, repeat=True),
        ClosedLoop(["get"], Exponential(0.1), "n2", 1.0, start=0.5),
    ]
    return Scenario(
        partial(Beater, interval=0.1), network, faults=FAULTS, clients=clients, seed=-3, shuffle_ties=True
    )


def test_everything_survives_a_round_trip():
    scenario = rich()
    text = scenario.to_json()
    assert "\n" not in text
    again = Scenario.from_json(text, partial(Beater, interval=0.1))
    assert again.to_json() == text
    assert again.faults == scenario.faults
    assert again.clients == scenario.clients
    assert again.run(4.0).digest() == scenario.run(4.0).digest()
    assert again.network.graph.nodes["n1"]["pos"] == scenario.network.graph.nodes["n1"]["pos"]


def test_a_digraph_and_a_complete_graph_survive_too():
    for graph in (nx.DiGraph([("n0", "n1"), ("n1", "n2")]), topology.full_mesh(300)):
        scenario = Scenario(Beater, Network(graph, latency=Constant(0.01)))
        again = Scenario.from_json(scenario.to_json(), Beater)
        assert again.run(0.3).digest() == scenario.run(0.3).digest()


def test_groups_are_sorted_so_that_the_same_partition_is_the_same_text():
    a, b = Partition([["n2", "n1"], ["n0"]], at=1.0), Partition([["n0"], ["n1", "n2"]], at=1.0)
    assert a == b
    assert a.canonical() == '{"at":1.0,"fault":"Partition","groups":[["n0"],["n1","n2"]]}'


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_the_repr_of_a_fault_is_code_that_makes_it_again(fault):
    assert eval(repr(fault)) == fault


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "has version 2, and this dscourse reads version 1"),
        ({"colour": "red"}, "a scenario has no field 'colour'"),
        ({"network__wind": 3}, "a network has no field 'wind'"),
        ({"faults__0__depth": 3}, "Crash has no field 'depth'"),
        ({"clients__0__OpenLoop__mood": 3}, "OpenLoop has no field 'mood'"),
        ({"network__latency__Uniform__peak": 3}, "Uniform has no field 'peak'"),
        ({"faults__17__behaviour__volume": 3}, "Silent has no field 'volume'"),
        ({"network__latency": 3}, "a latency model in JSON looks like"),
        ({"faults__0": 3}, "a fault in JSON is an object"),
        ({"network__links": [["n0", "n9", {}]]}, "leads to a node that isn't there"),
    ],
)
def test_what_is_not_understood_is_refused(changes, words):
    value = json.loads(rich().to_json())
    for key, new in changes.items():
        *parents, last = key.split("__")
        inner = value
        for parent in parents:
            inner = inner[int(parent)] if parent.isdigit() else inner[parent]
        inner[int(last) if last.isdigit() else last] = new
    with pytest.raises(ValueError, match=words):
        Scenario.from_json(json.dumps(value), partial(Beater, interval=0.1))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("fault", "kind of fault 'Flood'"),
        ("model", "latency model 'Gamma'"),
        ("behaviour", "registered behaviour 'Sing'"),
    ],
)
def test_unknown_kinds_are_refused(kind, words):
    value = json.loads(rich().to_json())
    if kind == "fault":
        value["faults"][0]["fault"] = "Flood"
    elif kind == "model":
        value["network"]["latency"] = {"Gamma": {}}
    else:
        value["faults"][17]["behaviour"]["behaviour"] = "Sing"
    with pytest.raises(LookupError, match=words):
        Scenario.from_json(json.dumps(value), partial(Beater, interval=0.1))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"seed": 1}', '{"version": 1}'])
def test_what_is_no_scenario_is_refused(text):
    with pytest.raises(ValueError, match="scenario"):
        Scenario.from_json(text, Beater)


def test_another_factory_is_refused_unless_the_caller_insists():
    text = rich().to_json()
    for factory in (
        Beater,
        partial(Beater, interval=0.2),
        partial(Beater, interval=0.1, label="x"),
        Node,
        lambda node_id, peers: None,
    ):
        with pytest.raises(ValueError, match=r"(?s)made with the node factory .*Beater.*insist=True"):
            Scenario.from_json(text, factory)
    assert Scenario.from_json(text, Beater, insist=True).node_factory is Beater
    assert Scenario.from_json(text, partial(partial(Beater, interval=5), interval=0.1)).seed == -3


def test_what_has_no_json_form_is_said_so():
    network = Network(topology.ring(3))
    with pytest.raises(TypeError, match="setting of the node factory"):
        Scenario(partial(Beater, label=object()), network).to_json()
    long = Network(topology.ring(3), latency=Empirical([0.1] * 1001))
    with pytest.raises(ValueError, match="Use the name of a data set"):
        Scenario(Beater, long).to_json()
    with pytest.raises(TypeError, match="operations of a client"):
        Scenario(Beater, network, clients=[OpenLoop([Beat(1)], 1.0, "n0", 1.0)]).to_json()


def test_a_behaviour_must_be_registered_frozen_and_able_to_rewrite():
    class Loose:
        def rewrite(self, rng, to, message):
            return message

    @dataclass(frozen=True)
    class Unregistered(Loose):
        pass

    @dataclass
    class Thawed(Loose):
        pass

    @dataclass(frozen=True)
    class Mute:
        pass

    with pytest.raises(TypeError, match="registered behaviour"):
        Byzantine("n0", Unregistered(), at=1.0)
    for kind, words in (
        (Loose, "frozen dataclass"),
        (Thawed, "must be frozen"),
        (Mute, "must have a method rewrite"),
    ):
        with pytest.raises(TypeError, match=words):
            register_behaviour(kind)

    def another():
        @dataclass(frozen=True)
        class Silent(Loose):
            pass

        return Silent

    with pytest.raises(ValueError, match="another behaviour is called Silent already"):
        register_behaviour(another())


def test_a_behaviour_of_ones_own_rewrites_what_is_sent():
    network = Network(topology.full_mesh(2), latency=Constant(0.01))
    run = Scenario(Beater, network, faults=[Byzantine("n0", Boast(100), at=0.5)]).run(1.1)
    assert [e.message.number for e in run.trace.select(kind="send", node="n0")] == [1, 2, 103, 104, 105]
    assert [e.detail for e in run.trace.select(kind="send", node="n0")][2] == {"byzantine": "Boast"}


def test_a_lie_must_be_a_message_too():
    @register_behaviour
    @dataclass(frozen=True)
    class Babble:
        def rewrite(self, rng, to, message):
            return "babble"

    from dscourse.simulation import NodeError

    network = Network(topology.full_mesh(2))
    with pytest.raises(NodeError, match="must be a frozen dataclass"):
        Scenario(Beater, network, faults=[Byzantine("n0", Babble(), at=0.0)]).run(1.0)
