"""Five kinds of trouble that look alike from outside: a run of each, with the same luck in all of them."""

from __future__ import annotations

from functools import partial

from dscourse.arguments import one_of, real
from dscourse.detection.heartbeat import HeartbeatDetector
from dscourse.detection.ping import PingDetector
from dscourse.simulation import (
    Constant,
    Crash,
    CutLink,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Pause,
    Run,
    Scenario,
    Uniform,
    topology,
)

STRIKES_AT = 10.2  # seconds
PAUSE_ENDS_AT = 35.0
OBSERVER, PEER, SECOND_OBSERVER = "n0", "n1", "n2"
CAUSES = ("crashed", "paused", "overloaded", "lossy link", "one-way link")

_SERVICE_TIME = 0.02
_BURST = 1500  # requests: half a minute of work


def silence(cause: str, until: float = 20.0, *, detector: str = "ping", seed: int = 1) -> Run:
    """Let ``n0`` and ``n2`` watch ``n1`` every second, and strike ``n1`` (or its link to ``n0``) at 10.2 s.

    Args:
        cause: ``"crashed"``, ``"paused"`` (until 35 s), ``"overloaded"`` (half a minute of work arrives at once),
            ``"lossy link"`` (n0–n1 loses 99 %) or ``"one-way link"`` (n1 no longer hears n0, but could answer; with
            heartbeats the other way round).
        until: seconds.
        detector: ``"ping"``, or ``"heartbeat"``, which n1 sends of its own accord.
        seed: the same for all causes, so that nothing but the cause differs.

    Raises:
        ValueError: another cause or detector.
    """
    name = one_of("cause", cause, CAUSES)
    pings = one_of("detector", detector, ("ping", "heartbeat")) == "ping"
    graph = topology.full_mesh(3)
    graph.nodes[PEER]["service_time"] = Constant(_SERVICE_TIME)
    faults = {
        "crashed": Crash(PEER, at=STRIKES_AT),
        "paused": Pause(PEER, at=STRIKES_AT, until=PAUSE_ENDS_AT),
        "lossy link": Lossy(0.99, at=STRIKES_AT, link=(OBSERVER, PEER)),
        "one-way link": CutLink(
            *((OBSERVER, PEER) if pings else (PEER, OBSERVER)), at=STRIKES_AT, one_way=True
        ),
    }
    clients = []
    if name == "overloaded":
        work = tuple(("work", number) for number in range(_BURST))
        clients.append(
            OpenLoop(work, rate=5000.0, to=PEER, timeout=60.0, start=STRIKES_AT, arrivals="regular")
        )
    network = Network(graph, latency=Uniform(0.01, 0.05))
    scenario = Scenario(
        _two_observers if pings else partial(HeartbeatDetector, interval=1.0, timeout=1.9),
        network,
        faults=(faults[name],) if name in faults else (),
        clients=tuple(clients),
        seed=seed,
    )
    return scenario.run(real("until", until, above=0.0))


def _two_observers(node_id: str, _peers: tuple[str, ...]) -> Node:
    """``n1`` only answers; the other two ask only it."""
    watched = () if node_id == PEER else (PEER,)
    return PingDetector(node_id, watched, interval=1.0, timeout=0.9)


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
