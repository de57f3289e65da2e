"""A value on several replicas, a front end that asks for it, and clients who want it right and in time.

The smallest service in which crashes, omissions and late answers can be told apart from each other, and in which one
replica more or less decides. The front end asks one replica; if no answer has come after `patience`, it asks the next,
up to `attempts` times in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import instance, real, whole
from dscourse.simulation import Context, Node, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Run, Scenario

VALUE = "42"
_ONE_WAY = 0.010  # seconds, each way between front end and replica


@dataclass(frozen=True)
class Get:
    """The front end asks a replica for the value."""

    ticket: int


@dataclass(frozen=True)
class Answer:
    """A replica tells the value."""

    ticket: int
    value: str


class Replica(Node):
    """Holds the value and tells it."""

    def __init__(self) -> None:
        self.value = VALUE

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer a question."""
        if isinstance(message, Get):
            ctx.send(sender, Answer(message.ticket, self.value))


class FrontEnd(Node):
    """Asks the replicas on behalf of clients: one after the other, each for `patience` seconds.

    Args:
        replicas: whom to ask, in this order, over and over.
        patience: seconds to wait for an answer before the next replica is asked.
        attempts: questions in all, before the client is told that it failed.
    """

    def __init__(self, replicas: Sequence[str], patience: float, attempts: int) -> None:
        self._replicas, self._attempts = tuple(replicas), attempts
        self._pending = PendingRequests(patience)
        self.tickets = 0
        self.retries = 0

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a client's question, or a replica's answer."""
        if isinstance(message, Request):
            self.tickets += 1
            request = self._pending.open(sender, message.number, key=self.tickets)
            if request is not None:
                self._ask(ctx, request)
        elif isinstance(message, Answer):
            request = self._pending.answer(message.ticket, sender, message.value)
            if request is not None:
                self._pending.reply(ctx, request, "ok", message.value)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Lose patience with one replica, and turn to the next."""
        request = self._pending.expired(name)
        if request is None:
            return
        if request.attempts < self._attempts:
            self.retries += 1
            self._ask(ctx, request)
        else:
            self._pending.reply(ctx, request, "fail")

    def _ask(self, ctx: Context, request: PendingRequest) -> None:
        replica = self._replicas[request.attempts % len(self._replicas)]
        ctx.send(replica, Get(request.key))
        self._pending.ask(ctx, request, [replica])


def read_scenario(
    replicas: int,
    *,
    attempts: int = 3,
    patience: float = 0.1,
    deadline: float = 0.5,
    reads: int = 40,
    rate: float = 8.0,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: clients read a value from replicas "r1", "r2" … through a front end "front".

    Args:
        replicas: how many, at least 1.
        attempts: questions that the front end asks for one client, at least 1.
        patience: seconds it waits for each answer.
        deadline: seconds after which an answer is of no use to the client.
        reads: how many reads, evenly spaced.
        rate: reads a second.
        seed: of the scenario.
    """
    from dscourse.simulation import Constant, Network, OpenLoop, Scenario

    names = tuple(f"r{number}" for number in range(1, whole("replicas", replicas, at_least=1) + 1))
    factory = partial(
        _read_node,
        replicas=names,
        patience=real("patience", patience, above=0.0),
        attempts=whole("attempts", attempts, at_least=1),
    )
    asks = (("get", "answer"),) * whole("reads", reads, at_least=1)
    pace, limit = real("rate", rate, above=0.0), real("deadline", deadline, above=0.0)
    client = OpenLoop(asks, rate=pace, to="front", timeout=limit, arrivals="regular")
    network = Network(_star("front", names), latency=Constant(_ONE_WAY))
    return Scenario(factory, network, clients=(client,), seed=seed)


def reads_answered(run: Run) -> str:
    """Say which reads weren't answered rightly and in time; "" if all were.

    The promise of the experiments, to be given to `tolerates`. Reads whose time wasn't up at the end don't count.
    """
    from dscourse.simulation import Run

    if not instance("run", run, Run, "a run, such as read_scenario(2).run(10.0)").scenario.clients:
        raise ValueError("nobody reads in this run; take a run of read_scenario")
    patience = max(client.timeout for client in run.scenario.clients)
    due = [op for op in run.history() if op.outcome != "unknown" or op.invoked + patience < run.until]
    counts = (
        (sum(op.outcome == "ok" and op.value != VALUE for op in due), "answered wrongly"),
        (sum(op.outcome == "fail" for op in due), "refused"),
        (sum(op.outcome == "unknown" for op in due), "not answered in time"),
    )
    return ", ".join(f"{count} of {len(due)} reads {what}" for count, what in counts if count)


def _read_node(
    node_id: str, _peers: Sequence[str], *, replicas: tuple[str, ...], patience: float, attempts: int
) -> Node:
    return FrontEnd(replicas, patience, attempts) if node_id == "front" else Replica()


def _star(centre: str, others: Sequence[str]) -> nx.Graph[str]:
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(centre, pos=(0.0, 0.0))
    for place, other in enumerate(others):
        graph.add_node(other, pos=(1.0, (len(others) - 1) / 2 - place))
        graph.add_edge(centre, other)
    return graph
