"""Five kinds of trouble that look alike from outside: a run of each, with the same luck in all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, whole
from dscourse.detection.heartbeat import HeartbeatDetector
from dscourse.detection.ping import EchoReply, EchoRequest, PingDetector
from dscourse.simulation import (
    Constant,
    Crash,
    CutLink,
    Lossy,
    Network,
    Node,
    Pause,
    Run,
    Scenario,
    Slow,
    Uniform,
    topology,
)

if TYPE_CHECKING:
    from dscourse.simulation import Context

STRIKES_AT = 10.2  # seconds
PAUSE_ENDS_AT = 35.0
OBSERVER, PEER, SECOND_OBSERVER = "n0", "n1", "n2"
CAUSES = ("crashed", "paused", "overloaded", "lossy link", "one-way link")

_SERVICE_TIME = 0.02
_AS_SLOW = 500  # times: a job of 20 ms takes ten seconds


def silence(
    cause: str, until: float = 20.0, *, detector: str = "ping", observers: int = 2, seed: int = 1
) -> Run:
    """Let ``n0`` and ``n2`` watch ``n1`` every second, and strike ``n1`` (or its link to ``n0``) at 10.2 s.

    Args:
        cause: ``"crashed"``, ``"paused"`` (until 35 s), ``"overloaded"`` (something else takes nearly all of its
            processor: an answer takes 10 s), ``"lossy link"`` (n0–n1 loses 99 %) or ``"one-way link"`` (n1 no longer
            hears n0, but could answer; with heartbeats the other way round).
        until: seconds.
        detector: ``"ping"``, or ``"heartbeat"``, which n1 sends of its own accord.
        observers: 1 leaves ``n2`` out.
        seed: the same for all causes, so that nothing but the cause differs.

    Raises:
        ValueError: another cause or detector.
    """
    name = one_of("cause", cause, CAUSES)
    pings = one_of("detector", detector, ("ping", "heartbeat")) == "ping"
    graph = topology.full_mesh(1 + whole("observers", observers, at_least=1, at_most=2))
    graph.nodes[PEER]["service_time"] = Constant(_SERVICE_TIME)
    ways = (OBSERVER, PEER) if pings else (PEER, OBSERVER)
    faults = {
        "crashed": Crash(PEER, at=STRIKES_AT),
        "paused": Pause(PEER, at=STRIKES_AT, until=PAUSE_ENDS_AT),
        "overloaded": Slow(_AS_SLOW, at=STRIKES_AT, node=PEER),
        "lossy link": Lossy(0.99, at=STRIKES_AT, link=(OBSERVER, PEER)),
        "one-way link": CutLink(*ways, at=STRIKES_AT, one_way=True),
    }
    return Scenario(
        _observer_or_peer if pings else partial(HeartbeatDetector, interval=1.0, timeout=1.9),
        Network(graph, latency=Uniform(0.01, 0.05)),
        faults=(faults[name],),
        seed=seed,
    ).run(real("until", until, above=0.0))


class Answerer(Node):
    """Answers whoever asks whether it is there, and does nothing else."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a ping."""
        if isinstance(message, EchoRequest):
            ctx.send(sender, EchoReply(message.generation, message.number))


def _observer_or_peer(node_id: str, peers: tuple[str, ...]) -> Node:
    if node_id == PEER:
        return Answerer(node_id, peers)
    return PingDetector(node_id, (PEER,), interval=1.0, timeout=0.9)


def observations(run: Run, observer: str = OBSERVER) -> list[tuple[float, str]]:
    """All that ``observer`` has ever got to know of ``n1``: what arrived from it, and when (seconds)."""
    return [(event.time, event.name) for event in run.trace.select(kind="deliver", node=observer, peer=PEER)]


def unanswered(run: Run, observer: str = OBSERVER) -> list[float]:
    """When ``observer`` sent the pings that have had no answer so far."""
    answered = {
        event.message.number for event in run.trace.select(kind="deliver", node=observer, name="EchoReply")
    }
    pings = run.trace.select(kind="send", node=observer, name="EchoRequest")
    return [event.time for event in pings if event.message.number not in answered]
