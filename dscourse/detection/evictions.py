"""A service that gives up silent workers: what the patience of its failure detector costs the clients, both ways.

A front end passes requests to workers, each of which holds shares of the data. It asks every worker at regular
intervals whether it is there; one that has not answered for `timeout` is given up, and others load its shares before
they serve them. Questions, requests and pieces to load wait in the same queue, as they come. Whoever answers again gets
shares back, and loads them anew: a mistake is paid for twice, as by a group of Kafka consumers (KIP-735, 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import networkx as nx
import numpy as np

from dscourse.arguments import real
from dscourse.simulation import (
    Constant,
    Context,
    Fault,
    Network,
    Node,
    OpenLoop,
    Request,
    Run,
    Scenario,
    topology,
)
from dscourse.simulation.pending_requests import PendingRequests

FRONT = "front"
WORKERS = ("w1", "w2", "w3", "w4")
_STAR = ("n0", "n1", "n2", "n3", "n4")
_SHARES = 8
_PIECES = 40  # messages to load a share
_SERVICE_TIME = 0.02  # seconds, for each message
_RATE, _PATIENCE = 60.0, 1.0  # requests a second; seconds until a client gives up


@dataclass(frozen=True)
class Serve:
    """Answer this request, from that share of the data."""

    number: int
    share: int


@dataclass(frozen=True)
class Served:
    """The answer to that request."""

    number: int


@dataclass(frozen=True)
class AreYouThere:
    """A question of the failure detector."""


@dataclass(frozen=True)
class HereIAm:
    """The answer to it."""


@dataclass(frozen=True)
class Load:
    """A piece of a share that you are to hold from now on."""

    share: int


class Worker(Node):
    """Serves requests from its shares; all that it does takes its time (``service_time`` of the node)."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a request or a question; a piece is loaded when its time is over."""
        if isinstance(message, Serve):
            ctx.send(sender, Served(message.number))
        elif isinstance(message, AreYouThere):
            ctx.send(sender, HereIAm())


class FrontEnd(Node):
    """Passes requests on, and moves the shares of workers that it gives up.

    Args:
        node_id: its id.
        peers: the workers.
        interval: seconds between two questions to a worker.
        timeout: seconds without an answer, and a worker is given up.

    Attributes:
        owner: share → who holds it.
        given_up: workers that are, in order.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, interval: float, timeout: float) -> None:
        super().__init__(node_id, tuple(peers))
        self._interval = real("interval", interval, above=0.0)
        self._timeout = real("timeout", timeout, above=0.0)
        self._pending = PendingRequests(_PATIENCE)
        self._number = 0
        self.owner = {share: WORKERS[share % len(WORKERS)] for share in range(_SHARES)}
        self.given_up: list[str] = []

    def on_start(self, ctx: Context) -> None:
        """Begin to ask."""
        for worker in WORKERS:
            ctx.set_timer(f"silence {worker}", self._timeout)
        self.on_timer(ctx, "ask")

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask all workers; or give one up; or give a request up."""
        if name == "ask":
            for worker in WORKERS:
                ctx.send(worker, AreYouThere())
            ctx.set_timer("ask", self._interval)
        elif name.startswith("silence "):
            self._give_up(ctx, name.removeprefix("silence "))
        elif (request := self._pending.expired(name)) is not None:
            self._pending.reply(ctx, request, "fail")

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a request on, or take an answer in."""
        if isinstance(message, Request):
            self._pass_on(ctx, sender, message)
        elif isinstance(message, Served):
            if (answered := self._pending.answer(message.number, sender, message)) is not None:
                self._pending.reply(ctx, answered, "ok")
        elif isinstance(message, HereIAm):
            ctx.set_timer(f"silence {sender}", self._timeout)
            if sender in self.given_up:
                self._take_back(ctx, sender)

    def _pass_on(self, ctx: Context, client: str, message: Request) -> None:
        self._number += 1
        share = self._number % _SHARES
        request = self._pending.open(client, message.number, self._number)
        if request is not None:
            self._pending.ask(ctx, request, [self.owner[share]])
            ctx.send(self.owner[share], Serve(self._number, share))

    def _give_up(self, ctx: Context, worker: str) -> None:
        self.given_up.append(worker)
        ctx.record("suspect", peer=worker)
        self._show(ctx)
        others = [other for other in WORKERS if other not in self.given_up]
        for share in [share for share, owner in self.owner.items() if owner == worker]:
            if others:  # else it stays where it is
                self._move(ctx, share, min(others, key=self._shares_of))

    def _take_back(self, ctx: Context, worker: str) -> None:
        self.given_up.remove(worker)
        ctx.record("trust", peer=worker)
        self._show(ctx)
        while self._shares_of(worker) < _SHARES // (len(WORKERS) - len(self.given_up)):
            fullest = max(WORKERS, key=self._shares_of)
            if fullest == worker:
                return
            self._move(ctx, next(share for share, owner in self.owner.items() if owner == fullest), worker)

    def _move(self, ctx: Context, share: int, to: str) -> None:
        self.owner[share] = to
        for _ in range(_PIECES):
            ctx.send(to, Load(share))

    def _shares_of(self, worker: str) -> int:
        return sum(owner == worker for owner in self.owner.values())

    def _show(self, ctx: Context) -> None:
        label = f"gave up {', '.join(self.given_up)}" if self.given_up else ""
        ctx.record("status", status="suspicious" if label else "up", label=label)


def worker_service(timeout: float, *faults: Fault, interval: float = 0.5) -> Scenario:
    """A front end, four workers and their clients, 60 requests a second, each given up by its client after a second.

    Args:
        timeout: seconds without an answer, and a worker is given up.
        *faults: what goes wrong.
        interval: seconds between two questions to a worker.
    """
    graph = nx.relabel_nodes(
        topology.star(1 + len(WORKERS)), dict(zip(_STAR, (FRONT, *WORKERS), strict=True))
    )
    for worker in WORKERS:
        graph.nodes[worker]["service_time"] = Constant(_SERVICE_TIME)
    return Scenario(
        partial(_front_or_worker, interval=interval, timeout=timeout),
        Network(graph, latency=0.005),
        faults=faults,
        clients=[OpenLoop(("get",), _RATE, FRONT, _PATIENCE, repeat=True, arrivals="regular")],
        seed=1,
    )


def _front_or_worker(node_id: str, peers: Sequence[str], *, interval: float, timeout: float) -> Node:
    if node_id == FRONT:
        return FrontEnd(node_id, peers, interval=interval, timeout=timeout)
    return Worker(node_id, tuple(peers))


@dataclass(frozen=True)
class ServiceReport:
    """What a run of `worker_service` was like for its clients, and what the front end did.

    Attributes:
        failed: requests without an answer in time.
        p99: seconds within which 99 of 100 of the others were answered.
        given_up: how often a worker was.
        wrongly: how often one that was up.
        messages: between front end and workers about whether they are there, a second.
    """

    failed: int
    p99: float
    given_up: int
    wrongly: int
    messages: float


def failed_requests(run: Run) -> list[float]:
    """When those requests were asked that got no answer in time; the last ones of a run may still get theirs."""
    over = run.until - _PATIENCE
    return [
        one.invoked
        for one in run.history()
        if one.outcome != "ok" and (one.completed is not None or one.invoked < over)
    ]


def service_report(run: Run) -> ServiceReport:
    """Judge a run of `worker_service`."""
    good = [one.latency for one in run.history() if one.outcome == "ok"]
    down = run.trace.downtimes()
    verdicts = run.trace.select(kind="record", name="suspect")
    dead = sum(
        any(begin <= event.time < end for begin, end in down.get(str(event.peer), ())) for event in verdicts
    )
    asked = run.trace.select(kind="send", name=("AreYouThere", "HereIAm"))
    return ServiceReport(
        failed=len(failed_requests(run)),
        p99=round(float(np.quantile(good, 0.99)), 3),
        given_up=len(verdicts),
        wrongly=len(verdicts) - dead,
        messages=round(len(asked) / run.until, 1),
    )
