"""A load test, message by message: a tester that waits for each answer, and users who don't.

    run = stall_scenario().run(12.0)

The tester is the simple kind, of which G. Tene said that it and the system agree not to look while it is bad
(*How NOT to Measure Latency*; his wrk2 counts from when a request was due): coordinated omission.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dscourse.simulation import Context, Node, Reply, Request

if TYPE_CHECKING:
    from dscourse.simulation import Network, Scenario

INTERVAL = 0.25  # seconds from one request that is due to the next
SERVICE_SECONDS = 0.05
TRAVEL = 0.08
SLOW = 0.3  # seconds from which on an answer is late


@dataclass(frozen=True)
class Ask:
    """A load generator's request."""

    number: int


@dataclass(frozen=True)
class Answer:
    """The answer to the request of that number."""

    number: int


class ProbedServer(Node):
    """Answers one request after the other, users' and testers' alike, as they come."""

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Its work is done (the simulator has waited for it): answer."""
        if isinstance(message, Ask):
            ctx.send(sender, Answer(message.number))
        elif isinstance(message, Request):
            ctx.send(sender, Reply(message.number, "ok"))


class WaitingTester(Node):
    """Means to send a request every `INTERVAL`, but waits for each answer before it sends the next."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self.latencies: list[float] = []
        self._sent = 0.0

    def on_start(self, ctx: Context) -> None:
        """Send the first."""
        self.on_timer(ctx, "send")

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send the next, and look at the clock."""
        self._sent = ctx.now
        ctx.send(self.peers[0], Ask(len(self.latencies)))

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Note how long it took; go on when the next is due, or at once if that is over."""
        took = ctx.now - self._sent
        self.latencies.append(took)
        ctx.set_timer("send", max(0.0, INTERVAL - took))
        slow = sum(seconds > SLOW for seconds in self.latencies)
        ctx.record("status", status="up", label=f"reports {slow} slow of {len(self.latencies)}")


def probed_network(generator: str, server: str) -> Network:
    """Return a load generator beside a server that works on one request at a time."""
    import networkx as nx

    from dscourse.simulation import Network

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(generator, pos=(0.0, 0.0))
    graph.add_node(server, pos=(1.0, 0.0), service_time=SERVICE_SECONDS)
    graph.add_edge(generator, server)
    return Network(graph, latency=TRAVEL)


def stall_scenario(*, at: float = 3.0, until: float = 7.0) -> Scenario:
    """Return a scenario: users and a tester ask one server, each every 0.25 s, and the server stalls for a while.

    Args:
        at: when it stalls, in seconds.
        until: when it goes on.
    """
    from dscourse.simulation import OpenLoop, Pause, Scenario

    users = OpenLoop(
        (("play",),),
        rate=1 / INTERVAL,
        to="server",
        timeout=1e3,
        start=INTERVAL / 2,
        repeat=True,
        arrivals="regular",
    )
    network = probed_network("tester", "server")
    return Scenario(_node, network, clients=[users], faults=[Pause("server", at=at, until=until)])


def _node(node_id: str, peers: Sequence[str]) -> Node:
    return {"tester": WaitingTester, "server": ProbedServer}[node_id](node_id, peers)
