"""Requests under way: each is answered once, by those who were asked, or given up."""

from collections import Counter
from dataclasses import dataclass

import networkx as nx
import pytest

from dscourse.simulation import (
    Crash,
    Duplicate,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Reply,
    Request,
    Scenario,
    Uniform,
)
from dscourse.simulation.pending_requests import PendingRequests


class Hand:
    """A context that notes what it is told."""

    def __init__(self):
        self.timers = {}
        self.sent = []

    def set_timer(self, name, delay):
        self.timers[name] = delay

    def cancel_timer(self, name):
        self.timers.pop(name, None)

    def send(self, to, message):
        self.sent.append((to, message))


def asked(*whom, patience=0.5):
    ctx, pending = Hand(), PendingRequests(patience)
    request = pending.open("c0", 7)
    pending.ask(ctx, request, whom)
    return ctx, pending, request


def test_a_request_is_answered_once_and_forgotten():
    ctx, pending, request = asked("r1", "r2")
    assert (request.key, request.attempts, request.waiting) == ("c0/7", 1, ["r1", "r2"])
    assert ctx.timers == {"patience c0/7": 0.5}
    assert pending.answer("c0/7", "r2", "blue") is request
    assert (request.answers, request.waiting) == ({"r2": "blue"}, ["r1"])
    pending.reply(ctx, request, "ok", "blue")
    assert ctx.sent == [("c0", Reply(7, "ok", "blue"))]
    assert ctx.timers == {}
    assert len(pending) == 0
    assert (
        pending.get("c0/7") is pending.answer("c0/7", "r1", "red") is pending.expired("patience c0/7") is None
    )


def test_only_those_who_were_asked_answer_and_each_once():
    _, pending, request = asked("r1", "r2")
    assert pending.answer("c0/7", "r3", "blue") is None
    assert pending.answer("c0/8", "r1", "blue") is None
    assert pending.answer("c0/7", "r1", "blue") is request
    assert pending.answer("c0/7", "r1", "red") is None
    assert request.answers == {"r1": "blue"}


def test_a_request_that_is_delivered_twice_is_taken_on_once():
    _, pending, request = asked("r1")
    assert pending.open("c0", 7) is None
    assert pending.get("c0/7") is request
    assert pending.open("c0", 8).key == "c0/8"
    assert pending.open("c0", 7, key=1, state="mine").state == "mine"
    assert len(pending) == 3


def test_another_attempt_waits_anew_and_takes_late_answers_too():
    ctx, pending, request = asked("r1", "r2")
    pending.answer("c0/7", "r1", "blue")
    ctx.timers.clear()
    assert pending.expired("patience c0/7") is request
    assert pending.expired("heartbeat") is None
    pending.ask(ctx, request, ["r1", "r2", "r3"])
    assert ctx.timers == {"patience c0/7": 0.5}
    assert (request.attempts, request.waiting) == (2, ["r2", "r3"])  # r1 has answered
    assert pending.answer("c0/7", "r2", "late") is request


def test_another_question_takes_no_answers_to_the_one_before():
    ctx, pending, request = asked("r1", "r2")
    pending.answer("c0/7", "r1", "yes")
    pending.ask(ctx, request, ["r1"], afresh=True)
    assert (request.waiting, request.answers, request.attempts) == (["r1"], {}, 2)
    assert pending.answer("c0/7", "r2", "no") is None


def test_without_patience_there_is_no_timer():
    ctx, pending, request = asked("r1", patience=None)
    assert ctx.timers == {}
    pending.close(ctx, request)
    assert ctx.sent == []


@dataclass(frozen=True)
class Get:
    key: str


@dataclass(frozen=True)
class Found:
    key: str
    value: str


class Replica(Node):
    def on_message(self, ctx, sender, message):
        ctx.send(sender, Found(message.key, self.__class__.__name__))


class Coordinator(Node):
    """Two of three replicas must answer; after two attempts the client is told that it failed."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.pending = PendingRequests(0.05)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            request = self.pending.open(sender, message.number)
            if request is not None:
                self.ask(ctx, request)
        else:
            request = self.pending.answer(message.key, sender, message.value)
            if request is not None and len(request.answers) == 2:
                self.pending.reply(ctx, request, "ok", "+".join(request.answers))

    def on_timer(self, ctx, name):
        request = self.pending.expired(name)
        if request.attempts < 2:
            self.ask(ctx, request)
        else:
            self.pending.reply(ctx, request, "fail")

    def ask(self, ctx, request):
        self.pending.ask(ctx, request, ["r1", "r2", "r3"])
        for replica in request.waiting:
            ctx.send(replica, Get(request.key))


def make(node_id, peers):
    return (Coordinator if node_id == "front" else Replica)(node_id, peers)


@pytest.mark.parametrize("seed", range(20))
def test_a_quorum_coordinator_replies_once_whatever_the_network_does(seed):
    graph = nx.star_graph(["front", "r1", "r2", "r3"])
    client = OpenLoop([("get", 1)] * 50, rate=20.0, to="front", timeout=1.0)
    faults = [Lossy(0.3, at=0.0), Duplicate(0.3, at=0.0), Crash("r3", 1.0)]
    network = Network(graph, latency=Uniform(0.001, 0.06))
    run = Scenario(make, network, faults=faults, clients=[client], seed=seed).run(5.0)
    replies = Counter(
        event.message.number for event in run.trace.select(kind="send") if isinstance(event.message, Reply)
    )
    assert set(replies.values()) == {1}
    assert {op.outcome for op in run.history()} == {"ok", "fail"}
    assert all(len(set(op.value.split("+"))) == 2 for op in run.history() if op.outcome == "ok")
    assert len(run.at(5.0).nodes["front"]["pending"]) == 0
