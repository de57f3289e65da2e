"""What this machine does: how long its messages take, and how its own processes get over the death of a leader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from dscourse.arguments import whole
from dscourse.consensus.failovers import HEARTBEAT_INTERVAL, members_of
from dscourse.live.cluster import LiveCluster
from dscourse.simulation.node import Context, Node
from dscourse.simulation.run import Run

_NODES = ("n0", "n1", "n2", "n3", "n4")
_INTERVAL = 0.02  # seconds between two rounds of messages
_WRITES = 5  # before each kill
_SETTLED = 0.3  # seconds from a new leader to the restart of the old one, and from there to the next kill


@dataclass(frozen=True)
class Ball:
    """It comes back."""

    number: int
    back: bool = False


class Thrower(Node):
    """Sends every peer a ball now and then, and sends back what comes."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self.thrown = 0

    def on_start(self, ctx: Context) -> None:
        """Begin."""
        ctx.set_timer("throw", _INTERVAL)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Throw to everybody."""
        self.thrown += 1
        for peer in self.peers:
            ctx.send(peer, Ball(self.thrown))
        ctx.set_timer("throw", _INTERVAL)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Throw back."""
        if not message.back:
            ctx.send(sender, Ball(message.number, back=True))


def message_delays(run: Run) -> tuple[float, ...]:
    """Seconds from the sending of each message that arrived to its delivery, in the order of arrival."""
    sent = {event.message_id: event.time for event in run.trace.select(kind="send")}
    return tuple(event.time - sent[event.message_id] for event in run.trace.select(kind="deliver"))


def loopback_delays(seconds: float = 1.0) -> tuple[float, ...]:
    """How long messages between processes take on this machine, in seconds: give them to `Empirical`.

    Args:
        seconds: how long five processes send each other messages.
    """
    with LiveCluster(Thrower, _NODES) as cluster:
        cluster.sleep(seconds)
    return message_delays(cluster.run)


def live_failovers(kills: int = 4) -> Run:
    """Let five processes elect a leader and write to it; kill it with ``kill -9``; and so on; return the run.

    Args:
        kills: how many leaders die. Each takes about two seconds.
    """
    luck = Random(kills)
    written = 0
    with LiveCluster(members_of(_NODES), _NODES) as cluster:
        for _ in range(whole("kills", kills, at_least=1)):
            leader = cluster.wait_for("leader")
            for _ in range(_WRITES):
                written += 1
                cluster.ask(leader, ("put", "x", written))
            cluster.sleep(_SETTLED + HEARTBEAT_INTERVAL * luck.random())
            cluster.kill(leader)
            cluster.wait_for("leader", timeout=20.0)
            cluster.sleep(_SETTLED)
            cluster.restart(leader)
        cluster.sleep(_SETTLED)
    return cluster.run
