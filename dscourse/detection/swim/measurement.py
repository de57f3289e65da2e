"""What is measured on SWIM groups: how soon a member is probed, and SWIM's side of speed against mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from dscourse import datasets
from dscourse.arguments import real, whole
from dscourse.detection.quality import detector_quality
from dscourse.detection.replay import TradeOff
from dscourse.detection.suspicions import check_run
from dscourse.detection.swim.member import SwimMember
from dscourse.exploration import sweep
from dscourse.readable import readable_number
from dscourse.simulation import Crash, Empirical, Network, Run, Scenario

_MOST_PERIODS = 1_000_000


def seattle_network(members: int = 9) -> Network:
    """A full mesh on which every link has the delays of another pair of the Seattle hosts (their order is lost).

    Args:
        members: at most 9, since 40 pairs were measured and 9 members have 36 links.
    """
    size = whole("members", members, at_least=2, at_most=9)
    graph = nx.complete_graph(size)
    graph = nx.relabel_nodes(graph, {number: f"n{number}" for number in range(size)})
    pairs = [name for name in datasets.load("latency/seattle_rtt").columns if name != "slice"]
    for (a, b), pair in zip(graph.edges, pairs, strict=False):
        graph.edges[a, b]["latency"] = Empirical("latency/seattle_rtt", column=pair, scale=0.5)
    return Network(graph)


def measure_swim(
    network: Network,
    multipliers: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 4.0),
    *,
    seconds: float = 400.0,
    crashes: int = 8,
    seed: int = 1,
) -> TradeOff:
    """Run a SWIM group for each of several suspicion multipliers; judge its last word ("faulty").

    A group judges as a whole, so that no recording can be replayed. Mistakes are counted in one long run in which
    nobody crashes; the detection time is the mean over short runs with one crash each, with its interval at 95 %.

    Args:
        network: of the group.
        multipliers: how many periods (times log₁₀ N) a suspect has to answer at least; 0 is SWIM without suspicion.
        seconds: of the long run.
        crashes: number of short runs.
        seed: of the long run; the short ones have the next ones.
    """
    length = real("seconds", seconds, above=0.0)
    victim, first = next(iter(network.graph)), seed + 1

    def detection(seed: int, multiplier: float) -> dict[str, float]:
        crash = Crash(victim, at=10.0 + (seed - first) / crashes)
        run = Scenario(_member(multiplier), network, faults=(crash,), seed=seed).run(60.0)
        return {"detection_time": detector_quality(run, verdict="confirm").detection_time}

    seeds = range(first, first + whole("crashes", crashes, at_least=1))
    times = sweep(detection, {"multiplier": list(multipliers)}, seeds=seeds).summary()
    healthy = [
        detector_quality(Scenario(_member(multiplier), network, seed=seed).run(length), verdict="confirm")
        for multiplier in multipliers
    ]
    return TradeOff(
        "SWIM",
        "suspicion multiplier",
        np.array(multipliers, dtype=np.float64),
        times["mean"].to_numpy(),
        np.array([quality.mistake_rate for quality in healthy]),
        np.array([quality.mistake_duration for quality in healthy]),
        np.array([quality.query_accuracy for quality in healthy]),
        (times["low"].to_numpy(), times["high"].to_numpy()),
    )


def _member(multiplier: float) -> partial[SwimMember]:
    return partial(SwimMember, suspicion_multiplier=multiplier)


def first_probe_waits(run: Run, period: float = 1.0) -> NDArray[np.float64]:
    """Whole periods that pass until some member first probes another, from many moments on and for every member.

    SWIM's law of the first detection is about their mean. Take a run in which all are healthy: then every ping is a
    probe, and whom the next probe hits does not depend on whether it is alive.

    Args:
        run: of ``SwimMember`` nodes.
        period: theirs, in seconds.
    """
    check_run(run)
    length = real("period", period, above=0.0)
    pings = run.trace.select(kind="send", name="Ping").indices
    moments, targets = run.trace.time_us[pings] / 1e6, run.trace.peer_code[pings]
    if not len(pings):
        raise ValueError(
            "nobody probes anybody in this run; first_probe_waits takes a run of SwimMember nodes"
        )
    if not 10 * length < run.until <= _MOST_PERIODS * length:
        raise ValueError(
            f"the run must last more than 10 periods and at most {readable_number(_MOST_PERIODS)}; "
            f"got {run.until:g} s and periods of {length:g} s"
        )
    starts = np.arange(1, int(run.until / length)) * length
    starts = starts[starts < run.until - 9 * length]  # (1/e)⁹: one wait in eight thousand is longer
    waits = []
    for target in range(len(run.nodes)):
        probed = moments[targets == target]
        following = np.searchsorted(probed, starts)
        inside = following < len(probed)
        waits.append(np.ceil((probed[following[inside]] - starts[inside]) / length))
    return np.concatenate(waits)
