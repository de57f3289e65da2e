"""The service of notebook 01: a gate, machines, and a lock that all of them share, message by message.

    run = launch_scenario(6, launch=50.0).run(12.0)

How long a machine works, and how long a request holds the lock, are the attribute `service_time` of a node in the
graph, so the queues are the simulator's own. `launch_latencies` stands in where a curve needs more requests than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import real, whole
from dscourse.simulation import Context, Node, Reply, Request

if TYPE_CHECKING:
    from dscourse.arguments import Floats
    from dscourse.simulation import Scenario

GATE, LOCK = "gate", "lock"
MACHINE_SECONDS = 0.1  # of work, on average, for each request
LOCK_SECONDS = 0.04  # for which each request holds the lock, on average
TRAVEL = 0.08  # seconds from one node to the next


@dataclass(frozen=True)
class Play:
    """Do this request."""

    ticket: int


@dataclass(frozen=True)
class Played:
    """It is done."""

    ticket: int


class Gate(Node):
    """Takes the players' requests, deals them out to the machines in turn, and passes the answers back."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self._machines = [peer for peer in peers if peer != LOCK]
        self._asked: dict[int, tuple[str, int]] = {}
        self._tickets = 0

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Pass a request on, or an answer back."""
        if isinstance(message, Request):
            self._asked[self._tickets] = (sender, message.number)
            ctx.send(self._machines[self._tickets % len(self._machines)], Play(self._tickets))
            self._tickets += 1
        elif isinstance(message, Played):
            player, number = self._asked.pop(message.ticket)
            ctx.send(player, Reply(number, "ok"))
        ctx.record("status", status="up", label=f"{len(self._asked)} inside")


class Machine(Node):
    """Its part of the work is done (the simulator has waited for it): hand the request on."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self._next = LOCK if LOCK in peers else GATE

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Send the request to the lock, or back."""
        if isinstance(message, Play):
            ctx.send(self._next, message if self._next == LOCK else Played(message.ticket))


class Lock(Node):
    """What only one request at a time may do."""

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Whoever held it is done."""
        if isinstance(message, Play):
            ctx.send(GATE, Played(message.ticket))


def launch_scenario(
    machines: int,
    *,
    plan: float = 1.0,
    launch: float = 0.0,
    launch_at: float = 2.0,
    lock_seconds: float = LOCK_SECONDS,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: players ask the gate, which deals out to machines "m1", "m2" …, which take a shared lock.

    Work and the holding of the lock take exponential times; players come at random.

    Args:
        machines: how many.
        plan: requests a second before the launch.
        launch: requests a second from `launch_at` on; not less than the plan. 0: no launch.
        launch_at: seconds.
        lock_seconds: for which each request holds the lock, on average; 0: there is none.
        seed: of the scenario.
    """
    import networkx as nx

    from dscourse.simulation import Exponential, Network, OpenLoop, Scenario

    count = whole("machines", machines, at_least=1)
    names = [f"m{number}" for number in range(1, count + 1)]
    held = real("lock_seconds", lock_seconds, at_least=0.0)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(GATE, pos=(0.0, 0.0))
    for place, name in enumerate(names):
        graph.add_node(name, pos=(1.0, (count - 1) / 2 - place), service_time=Exponential(MACHINE_SECONDS))
        graph.add_edge(GATE, name)
    if held:
        graph.add_node(LOCK, pos=(2.0, 0.0), service_time=Exponential(held))
        graph.add_edges_from((name, LOCK) for name in (GATE, *names))
    ask = partial(OpenLoop, (("play",),), to=GATE, timeout=1e3, repeat=True)
    clients = [ask(rate=real("plan", plan, above=0.0))]
    if launch:
        clients.append(ask(rate=real("launch", launch, above=plan) - plan, start=launch_at))
    return Scenario(_node, Network(graph, latency=TRAVEL), clients=clients, seed=seed)


def _node(node_id: str, peers: Sequence[str]) -> Node:
    return {GATE: Gate, LOCK: Lock}.get(node_id, Machine)(node_id, peers)


def launch_latencies(
    load: float, *, machines: int, lock_seconds: float = LOCK_SECONDS, requests: int = 20_000, seed: int = 0
) -> Floats:
    """Return how long each of many requests takes in the same service under a steady load, in seconds.

    Args:
        load: requests a second.
        machines: how many.
        lock_seconds: for which each request holds the lock, on average; 0: there is none.
        requests: how many, at least one for each machine.
        seed: of the random numbers.
    """
    import numpy as np

    from dscourse.scaling.queue_simulation import simulate_queue

    count, rate = whole("machines", machines, at_least=1), real("load", load, above=0.0)
    rng = np.random.default_rng(seed)
    came = np.cumsum(rng.exponential(1 / rate, whole("requests", requests, at_least=count)))
    work, holding = rng.exponential(1.0, (2, came.size))
    done = np.empty(came.size)
    for machine in range(count):
        mine = slice(machine, None, count)
        line = simulate_queue(np.diff(came[mine], prepend=0.0), work[mine] * MACHINE_SECONDS)
        done[mine] = line.departure_times
    if lock_seconds:
        order = np.argsort(done, kind="stable")
        line = simulate_queue(np.diff(done[order], prepend=0.0), holding * lock_seconds)
        done[order] = line.departure_times
    return np.asarray(done - came + TRAVEL * (3 if lock_seconds else 2))
