import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import (
    ClockDrift,
    ClockOffset,
    ClosedLoop,
    Constant,
    Crash,
    CutLink,
    DelayMessage,
    Duplicate,
    Exponential,
    Heal,
    LoseMessage,
    Lossy,
    Network,
    Node,
    Partition,
    Pause,
    RepeatMessage,
    Reply,
    Request,
    Restart,
    Resume,
    Scenario,
    Slow,
    Uniform,
    topology,
)  # fmt: skip
from dscourse.views.player.payload import pack

NODE = shutil.which("node")


@dataclass(frozen=True)
class Rumour:
    number: int
    about: str


class Restless(Node):
    """Does everything that a picture may have to show: beats, statuses, suspicions, replies to clients."""

    def __init__(self, node_id, peers):
        self.rumours = 0
        self.heard = {}
        self._id = node_id
        self._peers = tuple(peers)

    def on_start(self, ctx):
        ctx.set_timer("beat", 0.3)

    def on_timer(self, ctx, name):
        self.rumours += 1
        for peer in self._peers:
            ctx.send(peer, Rumour(self.rumours, self._id))
        if ctx.rng.random() < 0.5:
            status = ("leader", "follower", "odd")[int(3 * ctx.rng.random())]
            ctx.record("status", status=status, label=f"term {self.rumours}")
        if self._peers:
            peer = self._peers[int(len(self._peers) * ctx.rng.random())]
            ctx.record("suspect" if ctx.rng.random() < 0.6 else "trust", peer=peer)
        ctx.set_timer("beat", 0.1 + 0.3 * ctx.rng.random())

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            ctx.send(sender, Reply(message.number, "ok", self.rumours))
        else:
            self.heard[sender] = message.number


def restless(faults=(), *, graph=None, seed=3, until=4.0, clients=(), **network):
    network = {"latency": Exponential(0.08), **network}
    nodes = graph if graph is not None else topology.full_mesh(4)
    return Scenario(Restless, Network(nodes, **network), faults=faults, clients=clients, seed=seed).run(
        until=until
    )


def queueing_graph():
    graph = topology.full_mesh(3, complete=False)
    graph.nodes["n1"]["service_time"] = Constant(0.2)
    graph.nodes["n1"]["queue_limit"] = 6
    return graph


#: Runs in which every kind of fault begins, ends by itself, is ended by another, overlaps with its like and is moot.
RUNS = {
    "calm": lambda: restless(),
    "crashes": lambda: restless(
        [Crash("n0", at=0.5, restart_at=1.5), Crash("n0", at=0.7), Restart("n0", at=1.1), Crash("n2", at=2.0),
         Restart("n3", at=3.0)]
    ),
    "pauses": lambda: restless(
        [Pause("n1", at=0.5, until=2.0), Pause("n1", at=1.0, until=1.4), Crash("n1", at=1.7), Restart("n1", at=2.2),
         Pause("n2", at=0.8), Resume("n2", at=1.6), Resume("n2", at=1.9), Pause("n3", at=3.0)]
    ),
    "cuts": lambda: restless(
        [Partition([["n0", "n1"], ["n1", "n2"]], at=0.5, until=2.5),
         CutLink("n0", "n1", at=0.8, until=3.0, one_way=True),
         CutLink("n2", "n3", at=1.0), Heal(at=1.5, link=("n3", "n2")), Partition([["n3"]], at=1.8), Heal(at=2.2),
         CutLink("n0", "n3", at=2.8)]
    ),
    "weather": lambda: restless(
        [Lossy(0.4, at=0.5, until=2.0), Slow(5, at=0.6, until=1.5, node="n1"), Slow(3, at=1.0, link=("n0", "n2")),
         Duplicate(0.5, at=1.0, until=3.0)], loss=0.1, latency=Uniform(0.01, 0.3),
    ),
    "exact messages and clocks": lambda: restless(
        [LoseMessage("n0", "n1", 2), DelayMessage("n1", "n2", 3, by=0.5), RepeatMessage("n2", "n3", 1),
         ClockOffset("n0", 2.0, at=1.0), ClockDrift("n1", 0.1, at=1.0), ClockDrift("n1", 0.0, at=2.0)],
    ),
    "queues": lambda: restless([Crash("n1", at=2.0, restart_at=2.5)], graph=queueing_graph()),
    "clients": lambda: restless(
        [Crash("n0", at=1.0)], clients=[ClosedLoop([("get", "x")] * 20, 0.1, to=["n0", "n1"], timeout=0.3)]
    ),
    "ring": lambda: restless(
        [Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=1.0, until=2.0)], graph=topology.ring(5)
    ),
}  # fmt: skip


@pytest.fixture(scope="session", params=RUNS, ids=list(RUNS))
def run(request):
    return RUNS[request.param]()


@pytest.fixture(scope="session")
def calm():
    """The run of notebook 00."""
    network = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
    return Scenario(NaiveFailoverNode, network, seed=1).run(until=8.0)


@pytest.fixture(scope="session")
def peek(tmp_path_factory):
    """What the player's JavaScript makes of a run at some moments (µs), and the causal past of some events."""
    if NODE is None:
        pytest.skip("Node.js is not installed; the player's JavaScript is not tested")

    def look(run, moments=(), events=()):
        file = tmp_path_factory.mktemp("peek") / "payload.bin"
        file.write_bytes(pack(run))
        command = [
            NODE,
            Path(__file__).with_name("peek.mjs"),
            file,
            ",".join(map(str, moments)),
            ",".join(map(str, events)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return look
