"""How good a failure detector is: the measures of Chen, Toueg and Aguilera, taken from a run of the simulation.

*On the quality of service of failure detectors*, IEEE Transactions on Computers 51(5), 2002 (the May reprint
corrects the January one). A detector is judged by how fast it detects (detection time) and by how well it
avoids mistakes (how often, how long, and how much of the time it is right).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

from dscourse.arguments import node_ids
from dscourse.detection.suspicions import Pair, Suspicion, Uptime, check_run, suspicion_history
from dscourse.simulation import Run


@dataclass(frozen=True)
class DetectorQuality:
    """Quality of service of a failure detector, per ordered pair (observer, peer), averaged.

    Attributes:
        detection_time: seconds from a crash to the beginning of the suspicion that stays; nan if nothing
            crashed (or nobody noticed).
        mistake_rate: wrong suspicions of a peer that is up, per second of its being up.
        mistake_duration: seconds that a wrong suspicion lasts; nan if there was none.
        query_accuracy: chance that the detector, asked at a random moment while the peer is up, trusts it.
        undetected: pairs in which a crash was never noticed (they are not in ``detection_time``).
    """

    detection_time: float
    mistake_rate: float
    mistake_duration: float
    query_accuracy: float
    undetected: int = 0

    def __repr__(self) -> str:
        if math.isnan(self.detection_time):
            words = "no crash was noticed" if self.undetected else "nothing crashed"
        else:
            words = f"notices a crash after {self.detection_time:.2f} s"
        if self.undetected:
            words += f" ({self.undetected} went unnoticed)"
        words += f"; {self.mistake_rate * 3600:.3g} mistakes an hour"
        if not math.isnan(self.mistake_duration):
            words += f" of {self.mistake_duration:.2f} s each"
        return f"{words}; right {100 * self.query_accuracy:.3f} % of the time"


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
    check_run(run)
    return len(run.trace.select(kind="send")) / len(run.nodes) / run.until


def _watching(run: Run, observers: Collection[str] | None) -> dict[str, None]:
    if observers is None:
        return dict.fromkeys(run.nodes)
    ids = node_ids("observers", observers)
    if unknown := [name for name in ids if name not in run.nodes]:
        raise LookupError(f"{unknown[0]!r} is no node of this run; its nodes are {', '.join(run.nodes)}")
    return dict.fromkeys(ids)


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
