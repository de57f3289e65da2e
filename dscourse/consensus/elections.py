"""How long an election takes, by the same nodes, and how likely it is that nobody wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real, whole
from dscourse.consensus.raft.messages import Entry
from dscourse.consensus.raft.node import RaftNode
from dscourse.simulation.node import Context
from dscourse.simulation.random_streams import key_of

if TYPE_CHECKING:
    from dscourse.simulation import LatencyModel, Scenario


def split_vote_probability(members: int, failed: int, spread: float) -> float:
    """How likely it is that nobody wins, because others stand before the first candidate's request arrives.

    Ongaro's dissertation, section 9.2: of the s members that are up, each stands too if its timeout ends within one
    latency of the first candidate's; the vote is split if too few are left to vote for that one.

    Args:
        members: of the cluster.
        failed: how many of them are down.
        spread: one-way latency divided by the width of the range of timeouts; in [0, 1].
    """
    up = whole("members", members, at_least=1) - whole("failed", failed, at_least=0)
    share = real("spread", spread, at_least=0.0, at_most=1.0)
    too_many = up - members // 2 + 1
    return sum(
        math.comb(up, k) * share**k * (1 - share) ** (up - k) for k in range(max(0, too_many - 1), up + 1)
    )


class Orphaned(RaftNode):
    """A member in the moment after its leader's last heartbeat: it knows the term, and its patience begins."""

    def __init__(
        self, node_id: str, peers: Sequence[str], *, behind: Sequence[str] = (), **settings: Any
    ) -> None:
        super().__init__(node_id, peers, own_entry=False, heartbeat_interval=60.0, **settings)
        self.current_term = 1
        self.log = () if node_id in behind else (Entry(1, "x"),)

    def on_start(self, ctx: Context) -> None:
        """Begin to wait."""
        self.save(ctx)
        super().on_start(ctx)


def election_downtimes(
    election_timeout: tuple[float, float],
    *,
    members: int = 5,
    failed: int = 1,
    behind: int = 2,
    latency: LatencyModel | float | None = None,
    heartbeat_interval: float | None = None,
    trials: int = 100,
    longest: float = 30.0,
    seed: int = 0,
) -> list[float]:
    """Seconds from the crash of a leader until another one leads, once a trial.

    All followers got its last heartbeat at the same moment. It crashed some time after, drawn uniformly from the
    heartbeat interval.

    Args:
        election_timeout: shortest and longest, in seconds.
        members: of the cluster, the leader included.
        failed: how many are down in all, the leader included.
        behind: how many of those that are up lack the last entry, and can't be elected while a majority has it.
        latency: one way, of every link; by default lognormal with a median of 3 ms and a sigma of 0.6, by which the
            times are much like those of the dissertation's figure 9.8, whose latencies are not told.
        heartbeat_interval: seconds; by default half of the shortest timeout; 0 counts from the last heartbeat.
        trials: how many elections.
        longest: seconds after which a trial is given up, and counts as this much.
        seed: of the first trial.
    """
    from dscourse.simulation import Crash, LogNormal, Network, Scenario, topology

    up = members - failed
    interval = election_timeout[0] / 2 if heartbeat_interval is None else heartbeat_interval
    names = tuple(f"n{number}" for number in range(members))
    node = partial(Orphaned, members=names, behind=names[up - behind : up], election_timeout=election_timeout)
    network = Network(
        topology.full_mesh(members), latency=LogNormal(0.003, 0.6) if latency is None else latency
    )
    found = []
    for trial in range(trials):
        number = seed + trial
        scenario = Scenario(node, network, seed=number, faults=[Crash(name, 0.0) for name in names[up:]])
        elapsed = _first_leader(scenario, longest)
        found.append(max(0.0, elapsed - interval * Random(key_of(number, "crash")).random()))
    return found


def _first_leader(scenario: Scenario, longest: float) -> float:
    span = 0.5
    while True:
        leads = scenario.run(span).trace.select(kind="record", name="leads")
        if leads:
            return float(leads[0].time)
        if span >= longest:
            return longest
        span = min(longest, span * 2)
