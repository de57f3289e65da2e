"""The measures of Chen, Toueg and Aguilera, taken from a run of the simulation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import one_of, real, shown
from dscourse.detection.quality import DetectorQuality
from dscourse.detection.suspicions import Suspicion, Uptime, suspicions
from dscourse.readable import readable_number
from dscourse.simulation import Run

Pair = tuple[str, str]
_MOST_PERIODS = 1_000_000


def detector_quality(
    run: Run, *, verdict: str = "suspect", observers: Collection[str] | None = None
) -> DetectorQuality:
    """How fast and how accurate the detectors in a run were: each ordered pair by itself, then the mean over pairs.

    A pair is an observer and a peer that it can reach; what is recorded about others (hearsay) counts for nothing. A
    mistake is a suspicion that begins while both are up (a
    paused node is up); it lasts until it is taken back or the peer crashes. The detection time counts from a crash
    to the beginning of the suspicion that is still in force when the peer returns or the run ends; it is 0 if the
    peer was suspected already. Only observers that are up all that while count.

    Args:
        run: of nodes that record ``suspect`` and ``trust`` with a ``peer``.
        verdict: ``"suspect"``, or ``"confirm"`` for SWIM's final verdict "faulty".
        observers: whose verdicts count; by default every node's.

    Returns:
        The quality. ``detection_time`` is nan if nothing crashed.

    Raises:
        TypeError: no run.
        LookupError: an observer that is no node of the run.
    """
    history, uptime = suspicion_history(run, verdict=verdict)
    watching = _watching(run, observers)
    pairs = _number_of_pairs(run, watching)
    never_up = [pair for pair in _pairs_with_crashes(run, watching, uptime) if uptime.up_together(*pair) <= 0]
    counted = pairs - len(never_up)
    rates, durations, wrong_shares = [], [], []
    for pair, held in history.items():
        together = uptime.up_together(*pair)
        if pair[0] not in watching or pair[1] not in _peers(run, pair[0]) or together <= 0:
            continue
        mistakes = [s for s in held if uptime.is_up(s.peer, s.begin)]
        rates.append(len(mistakes) / together)
        if mistakes:
            durations.append(
                fmean(min(s.end, uptime.next_crash(s.peer, s.begin)) - s.begin for s in mistakes)
            )
        wrong_shares.append(sum(uptime.up_together(*pair, (s.begin, s.end)) for s in held) / together)
    detected, undetected = _detection_times(_pairs_with_crashes(run, watching, uptime), history, uptime)
    return DetectorQuality(
        detection_time=fmean(detected) if detected else math.nan,
        mistake_rate=math.fsum(rates) / counted if counted else math.nan,
        mistake_duration=fmean(durations) if durations else math.nan,
        query_accuracy=1.0 - math.fsum(wrong_shares) / counted if counted else math.nan,
        undetected=undetected,
    )


def message_load(run: Run) -> float:
    """Messages that a node sends a second, on average over the nodes and the run."""
    _check(run)
    return len(run.trace.select(kind="send")) / len(run.nodes) / run.until


def first_probe_waits(run: Run, period: float = 1.0) -> NDArray[np.float64]:
    """Whole periods that pass until some member first probes another, from many moments on and for every member.

    SWIM's law of the first detection is about their mean. Take a run in which all are healthy: then every ping is a
    probe, and whom the next probe hits does not depend on whether it is alive.

    Args:
        run: of ``SwimMember`` nodes.
        period: theirs, in seconds.
    """
    _check(run)
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


def suspicion_history(run: Run, *, verdict: str = "suspect") -> tuple[dict[Pair, list[Suspicion]], Uptime]:
    """Who suspected whom from when to when, by (observer, peer), and when each node was up."""
    _check(run)
    begins = one_of("verdict", verdict, ("suspect", "confirm"))
    uptime = Uptime(_ups_and_downs(run), run.until)
    verdicts = (
        (event.time, str(event.node), str(event.peer), event.name == begins)
        for event in run.trace.select(kind="record", name=(begins, "trust"))
    )
    return suspicions(verdicts, uptime), uptime


def _check(run: object) -> None:
    if not isinstance(run, Run):
        raise TypeError(f"run must be a run of a scenario, such as scenario.run(60.0), got {shown(run)}")


def _ups_and_downs(run: Run) -> Iterator[tuple[float, str, bool]]:
    for event in run.trace.select(kind="fault", name=("Crash", "Restart")):
        if not event.detail.get("moot"):
            back = event.name == "Restart" or event.detail["phase"] == "end"
            yield event.time, str(event.node), back


def _watching(run: Run, observers: Collection[str] | None) -> dict[str, None]:
    if observers is None:
        return dict.fromkeys(run.nodes)
    if isinstance(observers, str) or not isinstance(observers, Collection):
        raise TypeError(f'observers must be several node ids, such as ["n0", "n2"], got {shown(observers)}')
    if unknown := [name for name in observers if name not in run.nodes]:
        raise LookupError(f"{unknown[0]!r} is no node of this run; its nodes are {', '.join(run.nodes)}")
    return dict.fromkeys(observers)


def _complete(run: Run) -> bool:
    return bool(run.scenario.network.graph.graph.get("complete"))


def _peers(run: Run, observer: str) -> Collection[str]:
    return run.nodes if _complete(run) else run.scenario.network.graph[observer]


def _number_of_pairs(run: Run, watching: Iterable[str]) -> int:
    return sum(len(_peers(run, observer)) - _complete(run) for observer in watching)


def _pairs_with_crashes(run: Run, watching: Iterable[str], uptime: Uptime) -> Iterator[Pair]:
    """Pairs of which one crashed at some time; of a large group these are few."""
    crashed = dict.fromkeys(uptime.crashed)
    for observer in watching if crashed else ():
        peers = _peers(run, observer)
        for peer in peers if observer in crashed else crashed:
            if peer != observer and (_complete(run) or peer in peers):
                yield observer, peer


def _detection_times(
    pairs: Iterable[Pair], history: dict[Pair, list[Suspicion]], uptime: Uptime
) -> tuple[list[float], int]:
    """Mean detection time of each pair that has one, and the number of crashes that went unnoticed."""
    means, undetected = [], 0
    for observer, peer in pairs:
        times = []
        for crash, back in uptime.downtimes(peer):
            if uptime.up_together(observer, observer, (crash, back)) < back - crash:
                continue
            stays = [s for s in history.get((observer, peer), ()) if s.begin < back <= s.end]
            if stays:
                times.append(max(0.0, stays[0].begin - crash))
            else:
                undetected += 1
        if times:
            means.append(fmean(times))
    return means, undetected
