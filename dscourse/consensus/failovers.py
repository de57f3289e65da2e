"""How a Raft cluster gets over the death of a leader: the same three times, read off a simulated or a real run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from dscourse.arguments import whole
from dscourse.consensus.raft.cluster import raft_machine
from dscourse.consensus.raft.store import KeyValueNode
from dscourse.simulation.random_streams import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dscourse.simulation import LatencyModel, Run

ELECTION_TIMEOUT = (0.3, 0.6)  # seconds
HEARTBEAT_INTERVAL = 0.1
_STEADY, _WRITES_PER_NODE = (
    2.5,
    6,
)  # seconds until a predicted crash, and how often each member is asked before


@dataclass(frozen=True)
class FailoverTimes:
    """What was seen of some failovers, in seconds.

    Attributes:
        detection: from a leader's death until the first other member stands for election.
        downtime: from a leader's death until another one leads.
        write: from a client's request to the answer, with a leader there.
    """

    detection: tuple[float, ...]
    downtime: tuple[float, ...]
    write: tuple[float, ...]

    @classmethod
    def of(cls, *runs: Run) -> FailoverTimes:
        """Those of all crashes of a leader in some runs, and of all writes that were done."""
        detection, downtime, write = [], [], []
        for run in runs:
            for crashed, stands, leads in _failovers(run):
                detection.append(stands - crashed)
                downtime.append(leads - crashed)
            write += [
                one.latency for one in run.history() if one.outcome == "ok" and one.operation[0] == "put"
            ]
        return cls(tuple(detection), tuple(downtime), tuple(write))


def members_of(names: Sequence[str]) -> Callable[..., Any]:
    """The factory of the members of a store whose failovers are measured."""
    return partial(
        raft_machine, members=tuple(names), node=KeyValueNode,
        election_timeout=ELECTION_TIMEOUT, heartbeat_interval=HEARTBEAT_INTERVAL,
    )  # fmt: skip


def predict_failovers(latency: LatencyModel | float, *, failovers: int = 100, seed: int = 0) -> FailoverTimes:
    """What the simulator expects of five members whose leader is killed at some moment between two heartbeats.

    Args:
        latency: of every message, one way: measured ones, for instance.
        failovers: how many are simulated.
        seed: of the first.
    """
    from dscourse.simulation import Crash, Network, OpenLoop, Scenario, topology

    network = Network(topology.full_mesh(5), latency=latency, client_latency=latency)
    names = network.node_ids
    writes = [("put", "x", number) for number in range(_WRITES_PER_NODE * len(names))]
    client = OpenLoop(tuple(writes), 20.0, names, timeout=1.0, start=1.0, arrivals="regular")
    runs = []
    for number in range(seed, seed + whole("failovers", failovers, at_least=1)):
        scenario = Scenario(members_of(names), network, clients=[client], seed=number)
        crash = _STEADY + HEARTBEAT_INTERVAL * Random(key_of(number, "crash")).random()
        run = scenario.run(crash)
        leads = run.trace.select(kind="record", name="leads")
        if leads:
            runs.append(run.fork(crash, Crash(leads[-1].node or "", crash), until=crash + 4.0))
    return FailoverTimes.of(*runs)


def _failovers(run: Run) -> list[tuple[float, float, float]]:
    """When a leader crashed, when somebody stood for election, and when somebody led, of each crash of a leader."""
    found = []
    status: dict[str, str] = {}
    crashed = stands = None
    for event in run.trace.select(kind=("fault", "record"), name=("Crash", "status")):
        node = str(event.node)
        if event.kind == "fault":
            if event.detail["phase"] == "start" and status.pop(node, "") == "leader":
                crashed, stands = event.time, None
            continue
        status[node] = str(event.detail["status"])
        if crashed is None:
            continue
        if status[node] == "candidate" and stands is None:
            stands = event.time
        elif status[node] == "leader" and stands is not None:
            found.append((crashed, stands, event.time))
            crashed = None
    return found
