"""A service on a graph: does the front end still reach a copy when any one node has crashed?

    single_points_by_crashing(graph, front="front", copies=["e"])      # one run a node
    networkx.articulation_points(graph)                                # the graph alone

Every node passes on each question and answer once, to all neighbours, so that whatever can arrive does arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import node_ids
from dscourse.simulation import Context, Node, Reply, Request

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Run, Scenario

_LENGTH, _CRASH_AT, _PATIENCE = 8.0, 2.0, 2.0


@dataclass(frozen=True)
class Question:
    """Who has a copy?"""

    number: int


@dataclass(frozen=True)
class Found:
    """Here is one."""

    number: int


class Relay(Node):
    """Passes on what it hears for the first time; answers if it holds a copy.

    Args:
        node_id: its name.
        peers: its neighbours.
        copies: who holds a copy.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, copies: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self._has_copy = node_id in copies
        self._passed_on: set[Question | Found] = set()
        self._clients: dict[int, str] = {}  # at the front end: number of an open question → who asks

    def on_start(self, ctx: Context) -> None:
        """Say whether it holds a copy."""
        if self._has_copy:
            ctx.record("status", status="copy", label="a copy")

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a client's question, or what neighbours pass on."""
        if isinstance(message, Request):
            self._clients[message.number] = sender
            self._hear(ctx, "", Question(message.number))
        elif isinstance(message, Question | Found):
            self._hear(ctx, sender, message)

    def _hear(self, ctx: Context, sender: str, message: Question | Found) -> None:
        if message in self._passed_on:
            return
        self._passed_on.add(message)
        if isinstance(message, Found) and message.number in self._clients:
            ctx.send(self._clients.pop(message.number), Reply(message.number, "ok"))
        elif isinstance(message, Question) and self._has_copy:
            self._hear(ctx, "", Found(message.number))
        else:
            for peer in self.peers:
                if peer != sender:
                    ctx.send(peer, message)


def reach_scenario(graph: nx.Graph[str], front: str, copies: Sequence[str]) -> Scenario:
    """Return a scenario: a client at `front` asks twice a second for what only some nodes hold.

    Args:
        graph: the network; its nodes are texts.
        front: the node that the client asks.
        copies: nodes that hold a copy.

    Raises:
        LookupError: one of them isn't in the graph.
    """
    from dscourse.simulation import Network, OpenLoop, Scenario

    names = node_ids("copies", copies)
    for node in (front, *names):
        if node not in graph:
            raise LookupError(
                f"there is no node {node!r} in the graph; there are {', '.join(map(str, graph))}"
            )
    count = int(2 * (_LENGTH - _PATIENCE))
    client = OpenLoop((("get",),) * count, rate=2.0, to=front, timeout=_PATIENCE, arrivals="regular")
    return Scenario(partial(Relay, copies=names), Network(graph, latency=0.1), clients=(client,))


def single_points_by_crashing(graph: nx.Graph[str], front: str, copies: Sequence[str]) -> tuple[str, ...]:
    """Crash each node but the front end, one a run, and return those without which its client gets nothing.

    The front end is left out: it is where the client is.
    """
    from dscourse.simulation import Crash

    scenario = reach_scenario(graph, front, copies)
    others = [node for node in graph if node != front]
    runs = {node: scenario.with_faults(Crash(node, _CRASH_AT)).run(_LENGTH) for node in others}
    return tuple(node for node, run in runs.items() if not still_served(run))


def still_served(run: Run, since: float = _CRASH_AT) -> bool:
    """Return whether every question from `since` on was answered."""
    return all(op.outcome == "ok" for op in run.history() if op.invoked >= since)
