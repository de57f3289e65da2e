"""Mistakes that learners make are answered in words of the course, not of the interpreter."""

from dataclasses import dataclass
from functools import partial

import pytest

from dscourse.simulation import ClosedLoop, Network, Node, NodeError, Reply, Scenario, topology


@dataclass(frozen=True)
class Ping:
    number: int = 0


class Quiet(Node):
    def __init__(self, node_id, peers, colour="red"):
        self.node_id = node_id
        self.peers = peers


def scenario(factory, **more):
    return Scenario(factory, Network(topology.ring(3)), **more)


def test_a_factory_must_take_the_id_and_the_peers():
    class NoInit:  # not even a Node
        pass

    class OnlyId(Node):
        def __init__(self, node_id):
            pass

    words = r"called with \(node_id, peers\), which \S*NoInit\(\) does not take.*Give the class def __init__"
    with pytest.raises(TypeError, match=words):
        scenario(NoInit)
    with pytest.raises(TypeError, match=r"OnlyId\(node_id\) does not take: too many positional arguments"):
        scenario(OnlyId)
    with pytest.raises(TypeError, match="does not take"):
        scenario(lambda node_id, peers, mood: None)
    with pytest.raises(TypeError, match=r"missing a required (keyword-only )?argument: 'size'"):
        scenario(lambda node_id, peers, *, size: None)
    for factory in (Quiet, partial(Quiet, colour="blue"), lambda *both: Quiet(*both)):
        scenario(factory).run(1.0)


@pytest.mark.parametrize("several", [list, tuple, set])
def test_send_takes_one_node(several):
    class Broadcaster(Quiet):
        def on_start(self, ctx):
            ctx.send(several(self.peers), Ping())

    with pytest.raises(
        NodeError, match=r"send takes the id of one node, a str, got .*; send to each of them in a loop"
    ):
        scenario(Broadcaster).run(1.0)


def test_send_to_a_number_is_refused():
    class Counter(Quiet):
        def on_start(self, ctx):
            ctx.send(1, Ping())

    with pytest.raises(NodeError, match="send takes the id of one node, a str, got 1\n"):
        scenario(Counter).run(1.0)


def test_a_handler_that_waits_is_refused_since_it_would_do_nothing():
    class Generator(Quiet):
        def on_timer(self, ctx, name):
            yield 1.0

    class Coroutine(Quiet):
        async def on_message(self, ctx, sender, message):
            pass

    class Both(Quiet):
        async def on_start(self, ctx):
            yield 1.0

    for kind, handler in ((Generator, "on_timer"), (Coroutine, "on_message"), (Both, "on_start")):
        with pytest.raises(TypeError, match=f"{handler} of {kind.__name__} holds yield, async or await"):
            scenario(kind).run(1.0)


class Recorder(Quiet):
    def on_start(self, ctx):
        ctx.record("list", items=[1, [2]], pairs={"a": [3]})

    def on_message(self, ctx, sender, message):
        ctx.send(sender, Reply(message.number, "ok"))


def recorded():
    return scenario(Recorder, clients=[ClosedLoop([("look", 1)], 1.0, to="n0", timeout=1.0)]).run(2.0)


def test_what_a_trace_hands_out_can_be_changed_without_changing_the_trace():
    run = recorded()
    for event in run.trace.select(kind="record"):
        event.detail["items"].append(4)
        event.detail["items"][1].append(4)
        event.detail["pairs"]["a"].append(4)
        event.detail["more"] = 4
    assert run.trace.select(kind="record")[0].detail == {"items": [1, [2]], "pairs": {"a": [3]}}
    assert run.at(1.0).time == 1.0  # compares the trace with another run
    operation = run.trace.select(kind="invoke")[0].detail["operation"]
    assert operation == ("look", 1)


def test_select_asks_for_texts():
    trace = recorded().trace
    with pytest.raises(
        TypeError, match="kind of event must be a text or several, such as a list of texts, got 5"
    ):
        trace.select(kind=5)
    with pytest.raises(TypeError, match="name must be a text or several"):
        trace.select(name=5)
    with pytest.raises(TypeError, match="node must be a text or several"):
        trace[:3].select(node=0)
    assert len(trace.select(kind=["record", "invoke"], name={"list"})) == 3


def test_latencies_are_those_of_a_client():
    run = recorded()
    assert len(run.latencies(client="c0")) == 1
    with pytest.raises(LookupError, match="there is no client 'n0'"):
        run.latencies(client="n0")
    with pytest.raises(LookupError, match="there is no client 'c7'; "):
        run.latencies(client="c7")
