"""What may be sent, to whom, and what becomes of it."""

import enum
import math
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import pytest

from dscourse.simulation import (
    Constant,
    Crash,
    CutLink,
    Duplicate,
    Lossy,
    Network,
    Node,
    NodeError,
    OpenLoop,
    Partition,
    Reply,
    Scenario,
    Uniform,
    message_fields,
    topology,
)


@dataclass(frozen=True)
class Part:
    value: float


@dataclass(frozen=True)
class Letter:
    content: object = None


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclass
class Changeable:
    number: int


class Colour(enum.IntEnum):
    RED = 1


def send_once(message, to="n1", graph=None):
    """Run two nodes of which n0 sends one message; return the run."""

    class Sender(Node):
        def __init__(self, node_id, peers):
            self._id = node_id
            self.got = []

        def on_start(self, ctx):
            if self._id == "n0":
                ctx.send(to, message)

        def on_message(self, ctx, sender, message):
            self.got.append(message)

    return Scenario(Sender, Network(graph or topology.full_mesh(2), latency=Constant(0.1))).run(1.0)


def refusal(message, to="n1", graph=None):
    with pytest.raises(NodeError) as caught:
        send_once(message, to, graph)
    return caught.value.__cause__


@pytest.mark.parametrize(
    "content",
    [
        None,
        True,
        0,
        -5,
        10**30,
        1.5,
        -0.0,
        "",
        'text \ud800 " \n',
        (),
        (1, ("a", None)),
        Part(0.5),
        (Part(1.0), Part(2.0)),
        Empty(),
    ],
)
def test_a_message_holds_scalars_tuples_and_frozen_dataclasses(content):
    run = send_once(Letter(content))
    (got,) = run.at(1.0).nodes["n1"]["got"]
    assert got == Letter(content)
    assert [e.kind for e in run.trace] == ["send", "deliver"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("hello", "must be a frozen dataclass, got str 'hello'"),
        (None, "must be a frozen dataclass"),
        (Letter, "must be a frozen dataclass, got type"),
        (Changeable(1), "Changeable is a dataclass that can still be changed"),
        (Letter([1]), r"Letter.content is list \[1\]; .* Make it a tuple"),
        (Letter({1}), "Make it a tuple"),
        (Letter({"a": 1}), "tuple of pairs"),
        (Letter((1, [2])), r"Letter.content\[1\] is list"),
        (Letter(Part([1])), "Letter.content.value is list"),
        (Letter(Changeable(1)), "can still be changed"),
        (Letter(np.float64(1.0)), "Convert it first"),
        (Letter(Colour.RED), "Convert it first"),
        (Letter(b"bytes"), "Letter.content is bytes"),
        (Letter(object()), "Send its parts"),
    ],
)
def test_anything_else_is_refused_at_send_and_the_message_says_why(message, words):
    error = refusal(message)
    assert type(error) is TypeError
    with pytest.raises(TypeError, match=words):
        raise error


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_must_be_finite(number):
    for content in (number, (1, number), Part(number)):
        error = refusal(Letter(content))
        assert type(error) is ValueError
        assert "finite" in str(error)


def test_message_fields_are_plain_json():
    assert message_fields(Letter((1, Part(2.0)))) == {"content": [1, {"type": "Part", "value": 2.0}]}


def test_peers_are_the_graphs_neighbours_in_node_order():
    graph = nx.Graph([("b", "a"), ("c", "b"), ("d", "b")])  # node order: b a c d
    seen = {}
    Scenario(
        lambda node_id, peers: (seen.setdefault(node_id, peers) and None) or Node(node_id, peers),
        Network(graph),
    ).run(1.0)
    assert seen == {"b": ("a", "c", "d"), "a": ("b",), "c": ("b",), "d": ("b",)}


def test_peers_in_a_digraph_are_the_successors():
    graph = nx.DiGraph([("n0", "n1"), ("n1", "n2")])
    assert send_once(Empty(), graph=graph).at(1.0).nodes["n1"]["got"] == [Empty()]
    error = refusal(Empty(), to="n2", graph=graph)
    assert isinstance(error, LookupError)
    assert str(error) == "n0 has no link to n2; its peers are n1"


@pytest.mark.parametrize(
    ("to", "kind"), [("n0", LookupError), ("n999", LookupError), (1, TypeError), (None, TypeError)]
)
@pytest.mark.parametrize("size", [3, 200])
def test_sending_to_anyone_else_raises(to, kind, size):
    assert isinstance(refusal(Empty(), to=to, graph=topology.full_mesh(size)), kind)


def test_a_complete_graph_holds_no_edges_and_its_peers_are_a_lazy_sequence():
    graph = topology.full_mesh(2000)
    assert graph.number_of_edges() == 0
    network = Network(graph)
    everybody = tuple(graph)
    for me in ("n0", "n7", "n1999"):
        peers = network.peers(me)
        expected = tuple(node for node in everybody if node != me)
        assert peers == expected
        assert expected == tuple(peers)
        assert len(peers) == 1999
        assert (peers[0], peers[6], peers[7], peers[-1]) == (
            expected[0],
            expected[6],
            expected[7],
            expected[-1],
        )
        assert peers[5:9] == expected[5:9]
        assert me not in peers
        assert "n5" in peers
        assert 5 not in peers
        assert peers.index("n8") == expected.index("n8")
        assert hash(peers) == hash(expected)
        with pytest.raises(IndexError):
            peers[1999]


def test_a_complete_graph_gives_the_same_run_as_one_with_all_its_edges():
    class Talker(Node):
        def __init__(self, node_id, peers):
            self._peers = peers

        def on_start(self, ctx):
            for peer in self._peers:
                ctx.send(peer, Part(ctx.rng.random()))

    def run(complete):
        graph = topology.full_mesh(5, complete=complete)
        if not complete:
            graph.edges["n0", "n1"]["latency"] = Constant(3.0)
        else:
            graph.add_edge("n0", "n1", latency=Constant(3.0))  # an override
        return Scenario(
            Talker, Network(graph, latency=Uniform(0.0, 1.0)), faults=[CutLink("n2", "n3", at=0)]
        ).run(9.0)

    assert run(True).digest() == run(False).digest()
    assert run(True).trace.select(kind="deliver", node="n1", peer="n0").times == [3.0]


def test_edge_attributes_win_over_the_networks_own():
    graph = topology.full_mesh(3)
    graph.edges["n0", "n1"].update(latency=Constant(2.0), loss=0.0)
    graph.edges["n0", "n2"].update(latency=0.25, duplication=1.0, loss=0.0)

    class Sends(Node):
        def __init__(self, node_id, peers):
            self._id, self._peers = node_id, peers

        def on_start(self, ctx):
            for peer in self._peers:
                ctx.send(peer, Empty())

    trace = Scenario(Sends, Network(graph, latency=Constant(1.0), loss=1.0)).run(5.0).trace
    assert trace.select(kind="deliver", node="n1", peer="n0").times == [2.0]
    assert trace.select(kind="deliver", node="n2", peer="n0").times == [0.25, 0.25]
    assert trace.select(kind="send", node="n0", peer="n2")[0].detail == {"copies": 2}
    assert [e.name for e in trace.select(kind="drop", node="n2", peer="n1")] == ["lost"]


def test_the_graph_may_change_afterwards_and_the_scenario_does_not():
    graph = topology.full_mesh(2)
    network = Network(graph)
    graph.remove_edge("n0", "n1")
    assert network.peers("n0") == ("n1",)
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        network.graph.remove_edge("n0", "n1")
    scenario = Scenario(Every100Ms, network, seed=1)
    with pytest.raises(AttributeError, match="a scenario doesn't change"):
        scenario.seed = 2


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"latency": "fast"}, TypeError),
        ({"loss": 2}, ValueError),
        ({"capacity": 0}, ValueError),
        ({"queue_limit": 1.5}, TypeError),
    ],
)
def test_bad_attributes_are_refused(attributes, kind):
    graph = topology.full_mesh(2)
    graph.edges["n0", "n1"].update(attributes)
    with pytest.raises(kind, match="n0–n1"):
        Network(graph)


def test_a_network_needs_a_simple_graph_with_nodes_named_by_str():
    with pytest.raises(TypeError, match=r"nx\.Graph"):
        Network("n0")
    with pytest.raises(TypeError, match=r"nx\.Graph"):
        Network(nx.MultiGraph())
    with pytest.raises(ValueError, match="no nodes"):
        Network(nx.Graph())
    with pytest.raises(TypeError, match="node id"):
        Network(nx.complete_graph(3))
    with pytest.raises(TypeError, match="latency must be a latency model"):
        Network(topology.ring(3), latency="slow")


# ── What becomes of a message ─────────────────────────────────────────────────────────────────────────────────


class Every100Ms(Node):
    """n0 sends a numbered letter to n1 every 100 ms."""

    def __init__(self, node_id, peers):
        self._sends = node_id == "n0"
        self._number = 0

    def on_start(self, ctx):
        if self._sends:
            ctx.set_timer("next", 0.1)

    def on_timer(self, ctx, name):
        self._number += 1
        ctx.send("n1", Letter(self._number))
        ctx.set_timer("next", 0.1)


def stream(*faults, latency=Constant(0.25), seed=0, **more):  # noqa: B008 - frozen
    return Scenario(
        Every100Ms, Network(topology.full_mesh(2), latency=latency, **more), faults=faults, seed=seed
    ).run(10.0)


def test_a_message_is_dropped_if_its_link_is_cut_when_it_is_sent_or_when_it_is_due():
    run = stream(CutLink("n0", "n1", at=5.05, until=5.55))
    drops = run.trace.select(kind="drop")
    assert {event.name for event in drops} == {"cut"}
    lost = sorted(event.message.content for event in drops)
    sent_in_cut = [51, 52, 53, 54, 55]  # dropped when sent
    due_in_cut = [
        49,
        50,
    ]  # sent at 4.9 and 5.0, due at 5.15 and 5.25; letter 48 is due at 5.05, when the cut begins
    assert lost == [48, *due_in_cut, *sent_in_cut]
    times = {event.message.content: event.time for event in drops}
    assert times[51] == 5.1
    assert times[49] == 5.15


def test_loss_and_duplication_hold_their_rates():
    run = stream(latency=Uniform(0.0, 0.2), loss=0.2, seed=5)
    assert 10 <= len(run.trace.select(kind="drop", name="lost")) <= 32  # of 99; four standard deviations
    run = stream(latency=Uniform(0.0, 0.2), duplication=0.2, seed=5)
    copies = [event for event in run.trace.select(kind="deliver") if event.detail.get("copy")]
    assert 8 <= len(copies) <= 32
    delays = {e.message_id: e.time for e in run.trace.select(kind="deliver") if "copy" not in e.detail}
    assert any(event.time != delays[event.message_id] for event in copies)


def test_reordering_follows_from_delay():
    run = stream(latency=Uniform(0.0, 1.0))
    numbers = [event.message.content for event in run.trace.select(kind="deliver")]
    assert numbers != sorted(numbers)


def test_what_the_trace_tells_of_a_message():
    run = stream(Duplicate(1.0, at=0.0, until=0.15), Lossy(1.0, at=0.15, until=0.25), Crash("n1", at=9.0))
    first, second = run.trace.select(kind="send")[:2]
    rows = [e for e in run.trace if e.message_id == first.message_id]
    assert [(e.kind, e.node, e.peer, e.name, e.detail) for e in rows] == [
        ("send", "n0", "n1", "Letter", {"copies": 2}),
        ("deliver", "n1", "n0", "Letter", {}),
        ("deliver", "n1", "n0", "Letter", {"copy": 1}),
    ]
    rows = [e for e in run.trace if e.message_id == second.message_id]
    assert [(e.kind, e.time, e.node, e.peer, e.name) for e in rows] == [
        ("send", 0.2, "n0", "n1", "Letter"),
        ("drop", 0.2, "n1", "n0", "lost"),
    ]


def test_in_flight_messages():
    moment = stream(Duplicate(1.0, at=0.0)).at(0.15)
    assert [(m.sender, m.to, m.sent, m.due, m.copy, m.message) for m in moment.in_flight] == [
        ("n0", "n1", 0.1, 0.35, 0, Letter(1)),
        ("n0", "n1", 0.1, 0.35, 1, Letter(1)),
    ]


# ── Partitions and clients ────────────────────────────────────────────────────────────────────────────────────


class Echo(Node):
    def on_message(self, ctx, sender, message):
        ctx.send(sender, Reply(message.number, "ok", message.operation))


def test_clients_in_no_group_are_not_cut_and_those_in_a_group_are():
    def outcomes(groups):
        clients = [
            OpenLoop(["hello"], rate=1.0, to=f"n{i}", timeout=0.5, start=1.0, arrivals="regular")
            for i in (0, 1)
        ]
        scenario = Scenario(
            Echo,
            Network(topology.full_mesh(2)),
            faults=[Partition(groups, at=0.5)],
            clients=clients,
        )
        return [operation.outcome for operation in scenario.run(5.0).history()]

    assert outcomes([["n0"], ["n1"]]) == ["ok", "ok"]
    assert outcomes([["n0", "c0"], ["n1"]]) == ["ok", "ok"]
    assert outcomes([["n0"], ["n1", "c0"]]) == ["unknown", "ok"]


@dataclass(frozen=True)
class WithDefault:
    names: tuple[str, ...] = field(default=())


def test_a_message_type_may_have_defaults_and_slots():
    assert send_once(WithDefault()).trace[0].message == WithDefault()
    assert send_once(Empty()).trace[0].name == "Empty"
