"""Recorded heartbeats, heard by many detectors at once: what each setting would have made of them.

A detector that only listens does not change what it hears. So one recording of delays is enough to judge every setting
of every such detector, without simulating any of them: arrivals and deadlines are arrays, and a mistake is a deadline
that comes before the next arrival. That is quick enough to draw a whole trade-off curve while a slider moves. The
tests hold each replay against the simulated node class of the same name.

Times are whole microseconds inside, as in the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dscourse.arguments import instance, numbers, one_of, real, whole
from dscourse.detection.accrual import tail_deviations
from dscourse.detection.delays import LONGEST, NEVER, Microseconds, RecordedDelays


@dataclass(frozen=True)
class TradeOff:
    """One detector under many settings, on one recording. All arrays have one entry a setting.

    Attributes:
        detector: its name.
        setting: name of the setting that was varied.
        values: its values.
        detection_time: seconds from a crash at a random moment to the suspicion that stays, mean.
        mistake_rate: wrong suspicions a second, per link.
        mistake_duration: seconds one lasts, mean; nan where there was none.
        query_accuracy: share of the time in which the peer is trusted.
        detection_interval: of the mean detection time, low and high at 95 %, where it was measured over several runs.
    """

    detector: str
    setting: str
    values: NDArray[np.float64]
    detection_time: NDArray[np.float64]
    mistake_rate: NDArray[np.float64]
    mistake_duration: NDArray[np.float64]
    query_accuracy: NDArray[np.float64]
    detection_interval: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def replay_heartbeat(
    recording: RecordedDelays, timeouts: Sequence[float] | ArrayLike, *, measure_from: str = "arrival"
) -> TradeOff:
    """What ``HeartbeatDetector`` would have done, for each of many timeouts (seconds)."""
    _check(recording)
    from_sending = one_of("measure_from", measure_from, ("arrival", "sending")) == "sending"
    values = _settings("timeouts", timeouts, LONGEST)
    heard = _Heard.of(recording)
    base = np.broadcast_to(heard.sent, heard.arrivals.shape) if from_sending else heard.arrivals
    results = []
    for timeout in values:
        patience = np.int64(max(1, round(timeout * 1e6)))
        expiry = np.where(heard.fresh, np.maximum(base + patience, heard.arrivals), 0)
        results.append(heard.judge(expiry, np.full(len(expiry), patience)))
    name = "timeout from sending (NFD-S)" if from_sending else "timeout from arrival"
    return TradeOff(name, "timeout", values, *np.array(results).T)


def replay_phi(
    recording: RecordedDelays,
    thresholds: Sequence[float] | ArrayLike,
    *,
    window: int = 1000,
    minimum_standard_deviation: float = 0.1,
    acceptable_pause: float = 0.0,
    distribution: str = "normal",
) -> TradeOff:
    """What ``PhiAccrualDetector`` would have done, for each of many thresholds of φ."""
    _check(recording)
    values = _settings("thresholds", thresholds)
    normal = one_of("distribution", distribution, ("normal", "exponential")) == "normal"
    stretch = np.array([tail_deviations(v) if normal else v * math.log(10.0) for v in values])[:, None]
    least = real("minimum_standard_deviation", minimum_standard_deviation, above=0.0) * 1e6
    pause = real("acceptable_pause", acceptable_pause, at_least=0.0) * 1e6

    def patience(gaps: _Gaps) -> Microseconds:
        if normal:
            silence = gaps.mean + pause + np.maximum(gaps.standard_deviation, least) * stretch
        else:
            silence = gaps.mean * stretch + pause
        whole_microseconds: Microseconds = np.clip(np.rint(silence), 1, LONGEST * 1e6).astype(np.int64)
        return whole_microseconds

    heard = _Heard.of(recording)
    links, messages = heard.arrivals.shape
    size = min(whole("window", window, at_least=2), messages + 2)  # more gaps than that never come
    gaps = _Gaps((len(values), links), size, recording.interval * 1e6)
    first = patience(gaps)
    deadline, last = first.copy(), np.full(links, -1, dtype=np.int64)
    expiry = np.zeros((messages, len(values), links), dtype=np.int64)
    for number in range(messages):
        now, fresh = heard.arrivals[:, number], heard.fresh[:, number]
        # a peer that was suspected leaves no gap behind, as in Akka; nor does the first heartbeat
        gaps.add(now - last, fresh & (last >= 0) & (deadline > now))
        deadline = np.where(fresh, now + patience(gaps), deadline)
        last = np.where(fresh, now, last)
        expiry[number] = np.where(fresh, deadline, 0)
    results = [heard.judge(expiry[:, k].T, first[k]) for k in range(len(values))]
    return TradeOff(
        "phi, normal" if normal else "phi, exponential", "threshold", values, *np.array(results).T
    )


def replay_ping(
    recording: RecordedDelays, timeouts: Sequence[float] | ArrayLike, *, attempts: int = 1
) -> TradeOff:
    """What ``PingDetector`` would have done with these round trips, for each of many timeouts (seconds)."""
    _check(recording)
    tries = whole("attempts", attempts, at_least=1, at_most=1_000_000)
    values = _settings("timeouts", timeouts, LONGEST)
    sent, answers = recording.sent_times(), recording.arrival_times()
    end = np.int64(round(recording.seconds * 1e6))
    results = []
    for timeout in values:
        patience = np.int64(max(1, round(timeout * 1e6)))
        in_time = answers - sent < patience
        next_answer = _suffix_minimum(np.where(in_time, answers, NEVER))
        closing = sent + patience
        missed_in_a_row = _run_lengths(next_answer >= closing)
        begins = (missed_in_a_row == tries) & (closing < end)
        lasted = np.where(begins, np.minimum(next_answer, end) - closing, 0)
        delay = np.where(in_time, answers - sent, 0) // 2
        detection = _ping_detection(sent, sent + delay, in_time, tries, patience, recording.interval)
        results.append((detection, *_mistakes(begins, lasted, recording.seconds)))
    name = "ping" if tries == 1 else f"ping, {tries} attempts"
    return TradeOff(name, "timeout", values, *np.array(results).T)


@dataclass(frozen=True)
class _Heard:
    """Arrivals by number of heartbeat, and which of them were news (not overtaken by a later one)."""

    sent: Microseconds
    arrivals: Microseconds
    fresh: NDArray[np.bool_]
    following: Microseconds  # arrival of the next fresh heartbeat, or the end
    first: Microseconds
    end: np.int64

    @classmethod
    def of(cls, recording: RecordedDelays) -> _Heard:
        arrivals = recording.arrival_times()
        end = np.int64(round(recording.seconds * 1e6))
        soonest = _suffix_minimum(arrivals)
        later = np.concatenate([soonest[:, 1:], np.full((len(arrivals), 1), NEVER)], axis=1)
        fresh = (arrivals <= later) & (arrivals < end)
        return cls(
            recording.sent_times(),
            arrivals,
            fresh,
            np.minimum(later, end),
            np.minimum(soonest[:, 0], end),
            end,
        )

    def judge(self, expiry: Microseconds, first_patience: Microseconds) -> tuple[float, float, float, float]:
        """The four measures, given until when each fresh heartbeat keeps its sender trusted."""
        seconds = float(self.end) / 1e6
        begins = self.fresh & (expiry > self.arrivals) & (expiry <= self.following) & (expiry < self.end)
        wrong_from = np.maximum(expiry, self.arrivals)
        lasted = np.where(self.fresh, np.maximum(0, self.following - wrong_from), 0)
        # the start of the watch counts as a first sign of life
        at_first = first_patience <= self.first
        begins = np.concatenate([at_first[:, None], begins], axis=1)
        lasted = np.concatenate([np.maximum(0, self.first - first_patience)[:, None], lasted], axis=1)
        rate, duration, accuracy = _mistakes(begins, lasted, seconds)
        return self._detection(expiry, first_patience), rate, duration, accuracy

    def _detection(self, expiry: Microseconds, first_patience: Microseconds) -> float:
        """Mean over crashes at a random moment. Heartbeats on their way at the crash still arrive.

        Moments at which the last heartbeat sent was overtaken by one that a crash would have prevented are left out.
        """
        useful = self.fresh & (expiry > self.arrivals)
        known = np.where(useful, expiry, 0)
        stays_from = np.maximum(np.maximum.accumulate(known, axis=1), first_patience[:, None])
        overtaken = (self.arrivals < self.end) & ~self.fresh
        newest_overtaken = _newest(overtaken, ~overtaken & self.fresh)
        width = np.float64(self.sent[1] if len(self.sent) > 1 else self.end)
        late = np.clip((stays_from - self.sent).astype(np.float64), 0.0, None)
        mean = np.where(late >= width, late - width / 2, late * late / (2 * width))
        counted = ~newest_overtaken & (self.sent + width + late < self.end)
        return float(mean[counted].mean() / 1e6) if counted.any() else math.nan


class _Gaps:
    """Sliding windows of gaps between heartbeats, for many settings and links at once."""

    def __init__(self, shape: tuple[int, int], size: int, interval: float) -> None:
        self._ring = np.zeros((size, *shape))
        self._count = np.zeros(shape, dtype=np.int64)
        self._sum = np.zeros(shape)
        self._squares = np.zeros(shape)
        self._rows, self._columns = np.indices(shape)
        everywhere = np.ones(shape, dtype=bool)
        for share in (0.75, 1.25):
            self.add(np.full(shape[1], round(share * interval), dtype=np.int64), everywhere)

    def add(self, gaps: Microseconds, where: NDArray[np.bool_]) -> None:
        """Take in one gap a link where told; the oldest falls out of a full window."""
        size = len(self._ring)
        slot = self._count % size
        oldest = self._ring[slot, self._rows, self._columns]  # 0 while the window is filling
        gap = np.broadcast_to(gaps.astype(np.float64), where.shape)
        self._sum += np.where(where, gap - oldest, 0.0)
        self._squares += np.where(where, gap * gap - oldest * oldest, 0.0)
        self._ring[slot, self._rows, self._columns] = np.where(where, gap, oldest)
        self._count += where

    @property
    def _filled(self) -> NDArray[np.int64]:
        return np.minimum(self._count, len(self._ring))

    @property
    def mean(self) -> NDArray[np.float64]:
        return self._sum / self._filled

    @property
    def standard_deviation(self) -> NDArray[np.float64]:
        mean = self.mean
        variance: NDArray[np.float64] = np.maximum(0.0, self._squares / self._filled - mean * mean)
        return np.sqrt(variance)


def _check(recording: object, name: str = "recording") -> None:
    instance(name, recording, RecordedDelays, "recorded delays, such as seattle_delays()")


def _settings(
    name: str, values: Sequence[float] | ArrayLike, at_most: float | None = None
) -> NDArray[np.float64]:
    settings = np.atleast_1d(numbers(name, values, above=0.0, at_most=at_most))
    return numbers(name, settings, row=True)


def _mistakes(begins: NDArray[np.bool_], lasted: Microseconds, seconds: float) -> tuple[float, float, float]:
    """Rate, duration and query accuracy: each per link first, then the mean over links, as in ``detector_quality``."""
    number = begins.sum(axis=1)
    wrong = lasted.sum(axis=1) / 1e6
    some = number > 0
    duration = float(np.mean(wrong[some] / number[some])) if some.any() else math.nan
    return float(number.mean() / seconds), duration, float(1.0 - wrong.mean() / seconds)


def _ping_detection(
    sent: Microseconds,
    reached: Microseconds,
    answered: NDArray[np.bool_],
    attempts: int,
    patience: np.int64,
    interval: float,
) -> float:
    """Mean over crashes at a random moment: the last ping answered before it decides when the suspicion stays."""
    total = weight = 0.0
    for row in range(len(reached)):
        moments = np.maximum.accumulate(reached[row][answered[row]]).astype(np.float64)
        stays_from = sent[answered[row]] + attempts * interval * 1e6 + float(patience)
        if len(moments) < 2:
            continue
        width = np.diff(moments)
        late = np.clip(stays_from[:-1] - moments[:-1], 0.0, None)
        area = np.where(late >= width, late * width - width * width / 2, late * late / 2)
        total += float(area.sum())
        weight += float(width.sum())
    return total / weight / 1e6 if weight > 0 else math.nan


def _suffix_minimum(values: Microseconds) -> Microseconds:
    smallest: Microseconds = np.minimum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
    return smallest


def _run_lengths(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many flags in a row end here, this one included."""
    places = np.arange(1, flags.shape[1] + 1)
    last_clear = np.maximum.accumulate(np.where(flags, 0, places), axis=1)
    lengths: NDArray[np.int64] = np.where(flags, places - last_clear, 0)
    return lengths


def _newest(these: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the newest of both so far is one of ``these``."""
    places = np.arange(1, these.shape[1] + 1)
    last_these = np.maximum.accumulate(np.where(these, places, 0), axis=1)
    last_others = np.maximum.accumulate(np.where(others, places, 0), axis=1)
    newest: NDArray[np.bool_] = last_these > last_others
    return newest


def replay_all(one_way: RecordedDelays, round_trip: RecordedDelays) -> list[TradeOff]:
    """Every detector that listens, each under many settings, from hasty to patient.

    Args:
        one_way: for those that wait for heartbeats.
        round_trip: of the same links, for the ping.
    """
    _check(one_way, "one_way")
    _check(round_trip, "round_trip")
    seconds = np.linspace(0.6037, 8.0037, 75) * one_way.interval
    return [
        replay_heartbeat(one_way, seconds),
        replay_heartbeat(one_way, seconds, measure_from="sending"),
        replay_ping(round_trip, seconds),
        replay_phi(one_way, np.geomspace(0.3, 2000.0, 70)),
        replay_phi(one_way, np.linspace(0.2, 3.4, 40), distribution="exponential"),
    ]
