"""Overload that stays after its cause has gone: one server, clients who ask again, and a short trigger.

N. Bronson, A. Aghayev, A. Charapko, T. Zhu, *Metastable Failures in Distributed Systems*, HotOS 2021: a server that
does 300 requests a second, a timeout of 1 s and one retry. Up to 150 requests a second it is stable whatever happens;
from there on it is vulnerable: something may push it into a state in which all work is for clients that have left.

    outcome = overload_run(160.0, trigger=10.0)
    outcome.goodput, outcome.attempts
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import real
from dscourse.resilience.calls import Call
from dscourse.resilience.composition import Stack, compose
from dscourse.resilience.incidents.graph import Answer, Ask
from dscourse.resilience.outcomes import FAILED, OK, Outcome
from dscourse.resilience.policies.retries import Retry
from dscourse.resilience.policies.timeout import Timeout
from dscourse.simulation import Context, Network, Node, Pause, Reply, Request, Scenario

if TYPE_CHECKING:
    from dscourse.simulation import Run

CAPACITY = 300.0  # requests a second
TIMEOUT = 1.0  # seconds
TRIGGER_AT = 20.0  # seconds
_SETTLED = 150.0  # seconds from the end of the trigger to the window of twenty in which it is measured
_WINDOW = 20.0


def ask_once() -> Stack:
    """Return the policies of a client that waits for one second and gives up."""
    return compose(Timeout(TIMEOUT))


def ask_twice() -> Stack:
    """Return the policies of Bronson's client: it waits for one second, and asks once more, at once."""
    return compose(Retry(2, base=0.0, jitter="none"), Timeout(TIMEOUT))


class Front(Node):
    """Passes requests of clients on to a server, through a stack of policies.

    Args:
        node_id: its name.
        peers: the server.
        policies: makes the stack.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, policies: Callable[[], Stack]) -> None:
        super().__init__(node_id, peers)
        self._stack = policies()
        self._calls: dict[int, tuple[str, int, Call]] = {}
        self._asked: dict[int, tuple[int, int]] = {}  # ticket → request, attempt
        self._tickets: dict[tuple[int, int], int] = {}
        self._count = 0

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Begin a call, or hear an answer."""
        if isinstance(message, Request):
            self._calls[message.number] = (sender, message.number, self._stack.call(ctx.now, ctx.rng))
            self._drive(ctx, message.number)
        elif isinstance(message, Answer) and message.number in self._asked:
            number, attempt = self._asked.pop(message.number)
            del self._tickets[number, attempt]
            self._calls[number][2].answer(ctx.now, attempt, Outcome(OK if message.ok else FAILED))
            self._drive(ctx, number)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A policy wants to go on."""
        self._calls[int(name)][2].tick(ctx.now)
        self._drive(ctx, int(name))

    def _drive(self, ctx: Context, number: int) -> None:
        client, _, call = self._calls[number]
        for attempt in call.take_attempts():
            self._count += 1
            self._asked[self._count] = number, attempt.number
            self._tickets[number, attempt.number] = self._count
            ctx.send(self.peers[0], Ask(self._count, number, "browse", 0))
        for cancelled in call.take_cancelled():
            self._asked.pop(self._tickets.pop((number, cancelled), -1), None)
        if call.outcome is not None:
            ctx.cancel_timer(str(number))
            ctx.send(client, Reply(number, "ok" if call.outcome.ok else "fail", call.outcome.kind))
            del self._calls[number]
        elif call.wake_at is not None:
            ctx.set_timer(str(number), max(0.0, call.wake_at - ctx.now))


class OneServer(Node):
    """Answers everything, after its turn in the simulator's queue."""

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer."""
        if isinstance(message, Ask):
            ctx.send(sender, Answer(message.number, ok=True))


def overload_scenario(
    load: float,
    trigger: float = 10.0,
    policies: Callable[[], Stack] = ask_twice,
    *,
    capacity: float = CAPACITY,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: clients ask a front, which asks one server that stands still for a while from second 20 on.

    Args:
        load: requests a second.
        trigger: seconds for which the server stands still.
        policies: makes the front's stack of policies.
        capacity: requests a second that the server does.
        seed: of the scenario.
    """
    import networkx as nx

    from dscourse.simulation import OpenLoop

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node("front", pos=(0.0, 0.0))
    graph.add_node("server", pos=(1.0, 0.0), service_time=1.0 / real("capacity", capacity, above=0.0))
    graph.add_edge("front", "server")
    seconds = real("trigger", trigger, at_least=0.0)
    faults = [Pause("server", at=TRIGGER_AT, until=TRIGGER_AT + seconds)] if seconds else []
    client = OpenLoop(("do",), real("load", load, above=0.0), to="front", timeout=60.0, repeat=True)
    factory = partial(_front_or_server, policies=policies)
    return Scenario(factory, Network(graph, latency=0.0005), clients=[client], faults=faults, seed=seed)


def _front_or_server(node_id: str, peers: Sequence[str], *, policies: Callable[[], Stack]) -> Node:
    return Front(node_id, peers, policies=policies) if node_id == "front" else OneServer(node_id, peers)


@dataclass(frozen=True)
class Overload:
    """What a server and its clients come to, long after the trigger.

    Attributes:
        goodput: requests a second that succeed.
        attempts: that reach the server, a second.
        run: the run.
    """

    goodput: float
    attempts: float
    run: Run

    @property
    def share(self) -> float:
        """Of the requests asked for in the window, how many succeed."""
        begin = self.run.until - _WINDOW
        asked = [one for one in self.run.history() if begin - 10.0 <= one.invoked < self.run.until - 10.0]
        return sum(one.outcome == "ok" for one in asked) / max(1, len(asked))


def overload_run(
    load: float,
    trigger: float = 10.0,
    policies: Callable[[], Stack] = ask_twice,
    *,
    capacity: float = CAPACITY,
    settled: float = _SETTLED,
    seed: int = 0,
) -> Overload:
    """Run `overload_scenario`, and measure in twenty seconds long after the trigger.

    Args:
        load: requests a second.
        trigger: seconds for which the server stands still.
        policies: makes the front's stack of policies.
        capacity: requests a second that the server does.
        settled: seconds from the end of the trigger to the beginning of the window.
        seed: of the scenario.
    """
    end = TRIGGER_AT + trigger + settled + _WINDOW
    run = overload_scenario(load, trigger, policies, capacity=capacity, seed=seed).run(end)
    window = (end - _WINDOW, end)
    good = len(run.trace.select(kind="ok", between=window))
    sent = len(run.trace.select(kind="send", node="front", peer="server", between=window))
    return Overload(good / _WINDOW, sent / _WINDOW, run)
