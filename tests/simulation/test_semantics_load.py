"""Queues and clients: messages and load on one clock."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from dscourse.simulation import (
    Byzantine,
    ClientOperation,
    ClosedLoop,
    Constant,
    Crash,
    Equivocate,
    Exponential,
    Network,
    Node,
    NodeError,
    OpenLoop,
    Pause,
    Reply,
    Request,
    Scenario,
    Slow,
    Uniform,
    topology,
)


@dataclass(frozen=True)
class Job:
    number: int


class Burst(Node):
    """n0 sends five jobs at once at 1 s; n1 notes when it handles each, and has a timer of its own."""

    def __init__(self, node_id, peers):
        self._id = node_id
        self.handled = []

    def on_start(self, ctx):
        ctx.set_timer("tick", 1.25)
        if self._id == "n0":
            ctx.set_timer("burst", 1.0)

    def on_timer(self, ctx, name):
        if name == "burst":
            for number in range(5):
                ctx.send("n1", Job(number))
        elif self._id == "n1":
            self.handled.append(("tick", ctx.now))

    def on_message(self, ctx, sender, message):
        self.handled.append((message.number, ctx.now))


def burst(*faults, node=None, link=None, until=10.0):
    graph = topology.full_mesh(2)
    graph.nodes["n1"].update(node or {})
    graph.edges["n0", "n1"].update(link or {})
    return Scenario(Burst, Network(graph, latency=Constant(0.1)), faults=faults).run(until)


def handled(run):
    return [(what, round(when, 6)) for what, when in run.at(run.until).nodes["n1"]["handled"]]


# ── Nodes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_message_runs_when_service_ends_and_timers_bypass_the_queue():
    run = burst(node={"service_time": Constant(0.1)})
    assert handled(run) == [(0, 1.2), ("tick", 1.25), (1, 1.3), (2, 1.4), (3, 1.5), (4, 1.6)]
    assert run.at(1.1).queue_length["n1"] == 5
    assert [(w.message.number, w.sender, w.arrived) for w in run.at(1.35).waiting["n1"]] == [
        (2, "n0", 1.1), (3, "n0", 1.1), (4, "n0", 1.1),
    ]  # fmt: skip
    assert {event.detail["arrived"] for event in run.trace.select(kind="deliver")} == {1.1}


def test_overflow_is_dropped_as_queue_full_and_the_one_in_service_does_not_count():
    run = burst(node={"service_time": Constant(0.1), "queue_limit": 2})
    assert [number for number, _ in handled(run) if number != "tick"] == [0, 1, 2]
    drops = run.trace.select(kind="drop")
    assert [(event.time, event.name, event.message.number) for event in drops] == [
        (1.1, "queue full", 3),
        (1.1, "queue full", 4),
    ]
    run = burst(node={"service_time": Constant(0.1), "queue_limit": 0})
    assert [number for number, _ in handled(run) if number != "tick"] == [0]


def test_a_crash_loses_queued_work_and_the_work_in_service():
    run = burst(Crash("n1", at=1.35, restart_at=2.0), node={"service_time": Constant(0.1)})
    assert handled(run) == [("tick", 3.25)]  # what it had noted is gone, too
    lost = run.trace.select(kind="drop", name="crashed")
    assert [(event.time, event.message.number, event.detail) for event in lost] == [
        (1.35, number, {"arrived": 1.1}) for number in (2, 3, 4)
    ]
    assert run.trace.select(kind="deliver").times == [1.2, 1.3]


def test_a_paused_server_does_not_work_and_goes_on_where_it_was():
    run = burst(Pause("n1", at=1.25, until=3.0), node={"service_time": Constant(0.1)})
    # Job 1 would have ended at 1.3: it stands still with 0.05 s left. The timer, due at 1.25, runs first.
    assert handled(run) == [(0, 1.2), ("tick", 3.0), (1, 3.05), (2, 3.15), (3, 3.25), (4, 3.35)]
    run = burst(Pause("n1", at=0.5, until=3.0), node={"service_time": Constant(0.1), "queue_limit": 1})
    assert [what for what, _ in handled(run)] == ["tick", 0, 1]


def test_slow_multiplies_the_service_time_of_a_node_and_not_its_delays():
    run = burst(Slow(3, at=0.0, node="n1"), node={"service_time": Constant(0.1)})
    assert handled(run)[:2] == [("tick", 1.25), (0, 1.4)]


def test_slow_without_service_time_multiplies_the_delay():
    assert handled(burst(Slow(3, at=0.0, node="n1")))[:2] == [("tick", 1.25), (0, 1.3)]


# ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_with_capacity_sends_one_after_the_other():
    run = burst(link={"capacity": 5.0})  # 200 ms each
    assert [(n, t) for n, t in handled(run) if n != "tick"] == [
        (0, 1.3),
        (1, 1.5),
        (2, 1.7),
        (3, 1.9),
        (4, 2.1),
    ]


def test_a_link_with_a_full_queue_drops_at_sending():
    run = burst(link={"capacity": 5.0, "queue_limit": 1})
    assert [number for number, _ in handled(run) if number != "tick"] == [0, 1]
    assert [(e.time, e.name) for e in run.trace.select(kind="drop")] == [(1.0, "queue full")] * 3


def test_a_queue_drains():
    class Twice(Burst):
        def on_timer(self, ctx, name):
            super().on_timer(ctx, name)
            if name == "burst" and not self.handled:
                self.handled.append("once")
                ctx.set_timer("burst", 0.4)

    graph = topology.full_mesh(2)
    graph.edges["n0", "n1"].update(capacity=5.0, queue_limit=2)
    run = Scenario(Twice, Network(graph, latency=Constant(0.0))).run(10.0)
    assert [e.message.number for e in run.trace.select(kind="deliver")] == [
        0,
        1,
        2,
        0,
        1,
    ]  # one still waits at 1.4 s


# ── Clients ───────────────────────────────────────────────────────────────────────────────────────────────────


class Register(Node):
    """Answers get and put; refuses what it doesn't know; does not answer "silence"."""

    def __init__(self, node_id, peers):
        self.value = 0

    def on_message(self, ctx, sender, message):
        match message.operation:
            case ("put", value):
                self.value = value
                ctx.send(sender, Reply(message.number, "ok"))
            case "get":
                ctx.send(sender, Reply(message.number, "ok", self.value))
            case "silence":
                pass
            case _:
                ctx.send(sender, Reply(message.number, "fail"))


def serve(*clients, faults=(), until=10.0, factory=Register, client_latency=None, node=None, seed=0):
    graph = topology.full_mesh(2)
    graph.nodes["n0"].update(node or {})
    network = Network(graph, client_latency=client_latency)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed).run(until)


def test_a_closed_loop_asks_waits_thinks_and_asks_again():
    run = serve(
        ClosedLoop([("put", 5), "get", "silence", "nonsense"], 0.5, "n0", timeout=1.0, start=1.0),
        client_latency=0.1,
    )
    assert run.history() == (
        ClientOperation("c0", 0, ("put", 5), "n0", 1.0, 1.2, "ok", None),
        ClientOperation("c0", 1, "get", "n0", 1.7, 1.9, "ok", 5),
        ClientOperation("c0", 2, "silence", "n0", 2.4, None, "unknown", None),
        ClientOperation("c0", 3, "nonsense", "n0", 3.9, 4.1, "fail", None),
    )
    unknown = run.trace.select(kind="unknown")
    assert unknown.times == [3.4]
    assert math.isnan(run.history()[2].latency)
    assert run.latencies().round(6).tolist() == [0.2, 0.2]
    assert run.latencies("unknown").tolist() == [1.0]
    assert run.latencies("fail", client="c0", between=(0.0, 4.0)).tolist() == []


def test_clients_have_no_latency_by_default_and_request_and_reply_are_in_the_trace():
    run = serve(ClosedLoop(["get"], 1.0, "n0", timeout=1.0))
    assert [(e.time, e.kind, e.node, e.peer, e.message) for e in run.trace] == [
        (0.0, "invoke", "c0", "n0", None),
        (0.0, "send", "c0", "n0", Request(0, "get")),
        (0.0, "deliver", "n0", "c0", Request(0, "get")),
        (0.0, "send", "n0", "c0", Reply(0, "ok", 0)),
        (0.0, "deliver", "c0", "n0", Reply(0, "ok", 0)),
        (0.0, "ok", "c0", "n0", None),
    ]
    assert run.trace[-1].detail == {"number": 0, "operation": "get", "value": 0, "seconds": 0.0}


def test_an_open_loop_asks_at_its_own_pace():
    run = serve(
        OpenLoop(["get", "silence"], 4.0, ("n0", "n1"), timeout=5.0, repeat=True, arrivals="regular"),
        until=2.0,
    )
    assert [(op.invoked, op.to, op.operation) for op in run.history()[:3]] == [
        (0.0, "n0", "get"), (0.25, "n1", "silence"), (0.5, "n0", "get"),
    ]  # fmt: skip
    assert [op.outcome for op in run.history()] == ["ok", "unknown"] * 4  # still open at the end: unknown
    assert len(run.trace.select(kind="unknown")) == 0


def test_poisson_arrivals_have_exponential_gaps():
    run = serve(OpenLoop(["get"], 100.0, "n0", timeout=1.0, repeat=True), until=100.0)
    gaps = np.diff([operation.invoked for operation in run.history()])
    assert abs(gaps.mean() * 100 - 1) < 0.04  # four standard errors at 10 000 gaps
    assert abs((gaps.std() / gaps.mean()) ** 2 - 1) < 0.12


def test_operations_are_done_once_unless_repeated():
    assert len(serve(OpenLoop(["get"] * 3, 10.0, "n0", timeout=1.0)).history()) == 3
    assert len(serve(ClosedLoop(["get"] * 3, 0.1, "n0", timeout=1.0)).history()) == 3


def test_a_late_answer_changes_nothing_and_nothing_is_tried_again():
    run = serve(ClosedLoop(["get"], 1.0, "n0", timeout=0.1), client_latency=0.2)
    assert [operation.outcome for operation in run.history()] == ["unknown"]
    assert len(run.trace.select(kind="deliver", node="c0")) == 1
    assert len(run.trace.select(kind="send", node="c0")) == 1


def test_a_crashed_node_answers_nothing():
    run = serve(
        OpenLoop(["get"], 1.0, "n0", timeout=0.5, repeat=True, arrivals="regular"),
        faults=[Crash("n0", at=2.5, restart_at=4.5)],
    )
    assert [op.outcome for op in run.history()] == ["ok"] * 3 + ["unknown"] * 2 + ["ok"] * 5


def test_each_client_has_luck_of_its_own():
    alone = serve(OpenLoop(["get"], 5.0, "n0", timeout=0.5, repeat=True))
    two = serve(*[OpenLoop(["get"], 5.0, "n0", timeout=0.5, repeat=True)] * 2)
    assert [op for op in two.history() if op.client == "c0"] == list(alone.history())
    assert [op.invoked for op in two.history() if op.client == "c1"] != [op.invoked for op in alone.history()]


def test_killing_the_server_shows_up_in_the_waiting_time():
    """Messages and load on one clock: a pause of the server is seen in the clients' 99th percentile."""
    client = OpenLoop(["get"], 50.0, "n0", timeout=10.0, repeat=True)
    node = {"service_time": Exponential(0.01)}
    calm = serve(client, node=node, until=100.0).latencies()
    paused = serve(client, node=node, until=100.0, faults=[Pause("n0", at=50.0, until=52.0)]).latencies()
    assert np.percentile(calm, 99) < 0.2
    assert np.percentile(paused, 99) > 1.0
    assert abs(np.median(paused) / np.median(calm) - 1) < 0.3


def test_the_queue_is_mm1():
    """At utilisation 0.7 the mean time in an M/M/1 system is 1 / (100 − 70) s; four standard errors of ten runs."""
    means = []
    for seed in range(10):
        client = OpenLoop(["get"], 70.0, "n0", timeout=100.0, repeat=True)
        means.append(
            serve(client, node={"service_time": Exponential(0.01)}, until=100.0, seed=seed).latencies().mean()
        )
    assert abs(np.mean(means) - 1 / 30) < 4 * np.std(means, ddof=1) / math.sqrt(10)
    assert np.std(means) > 0


def test_an_outcome_that_does_not_exist_is_a_mistake_of_the_node():
    class Wrong(Node):
        def on_message(self, ctx, sender, message):
            ctx.send(sender, Reply(message.number, "OK"))

    with pytest.raises(
        NodeError, match='n0 raised ValueError: outcome of a Reply must be "ok" or "fail", got \'OK\''
    ):
        serve(OpenLoop(["get"], 1.0, "n0", timeout=1.0), factory=Wrong)


def test_a_spoilt_answer_of_a_byzantine_node_is_none():
    client = OpenLoop(["get"], 10.0, "n0", timeout=0.5, repeat=True)
    run = serve(client, faults=[Byzantine("n0", Equivocate("outcome", ("never mind", "nonsense")), at=0.0)])
    assert {operation.outcome for operation in run.history()} == {"unknown"}


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: OpenLoop([], 1.0, "n0", 1.0), ValueError, "operations is empty"),
        (lambda: OpenLoop("get", 1.0, "n0", 1.0), TypeError, "operations must be a list"),
        (lambda: OpenLoop([{"a": 1}], 1.0, "n0", 1.0), TypeError, "an operation is dict"),
        (lambda: OpenLoop(["get"], 0, "n0", 1.0), ValueError, "rate must be above 0"),
        (lambda: OpenLoop(["get"], 1.0, "n0", 0), ValueError, "timeout must be above 0"),
        (lambda: OpenLoop(["get"], 1.0, (), 1.0), ValueError, "to is empty"),
        (
            lambda: OpenLoop(["get"], 1.0, "n0", 1.0, arrivals="sometimes"),
            ValueError,
            "'poisson' or 'regular'",
        ),
        (lambda: ClosedLoop(["get"], "long", "n0", 1.0), TypeError, "think_time must be a latency model"),
        (lambda: ClosedLoop(["get"], 1.0, "n0", 1.0, start=-1), ValueError, "start must be at least 0"),
        (lambda: serve(OpenLoop(["get"], 1.0, "n9", 1.0)), LookupError, "asked by client c0"),
    ],
)
def test_clients_that_make_no_sense_are_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_nodes_may_not_be_called_like_clients():
    import networkx as nx

    network = Network(nx.Graph([("c0", "c1")]))
    assert Scenario(Register, network).run(1.0).clients == ()
    with pytest.raises(ValueError, match="no node may be"):
        Scenario(Register, network, clients=[OpenLoop(["get"], 1.0, "c0", 1.0)])


def test_think_time_may_be_a_latency_model():
    run = serve(ClosedLoop(["get"], Uniform(0.1, 0.3), "n0", timeout=1.0, repeat=True))
    gaps = np.diff([op.invoked for op in run.history()])
    assert 0.1 <= gaps.min() < 0.15
    assert 0.25 < gaps.max() <= 0.3
