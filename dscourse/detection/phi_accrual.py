"""The phi-accrual detector: a timeout that each peer earns by the rhythm of its own heartbeats, and φ over time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import one_of, real, whole
from dscourse.detection.accrual import phi, phi_exponential, tail_deviations
from dscourse.detection.heartbeat import Heartbeat, HeartbeatWatcher

if TYPE_CHECKING:
    from dscourse.detection.delays import RecordedDelays
    from dscourse.simulation import Context


class GapWindow:
    """Mean and standard deviation of the last ``size`` gaps, exact (whole microseconds) and in constant time.

    As in Akka it begins with two gaps that nobody measured, ``interval`` less and more a quarter.
    """

    def __init__(self, size: int, interval: float) -> None:
        self._gaps: deque[int] = deque(maxlen=whole("window", size, at_least=2))
        self._sum = 0
        self._squares = 0
        for share in (0.75, 1.25):
            self.add(share * interval)

    def add(self, seconds: float) -> None:
        """Take in one gap; the oldest falls out when the window is full."""
        if len(self._gaps) == self._gaps.maxlen:
            oldest = self._gaps[0]
            self._sum -= oldest
            self._squares -= oldest * oldest
        gap = round(seconds * 1e6)
        self._gaps.append(gap)
        self._sum += gap
        self._squares += gap * gap

    @property
    def mean(self) -> float:
        """Mean gap in seconds."""
        return self._sum / len(self._gaps) / 1e6

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the gaps in seconds (of the population, as in Akka)."""
        count = len(self._gaps)
        return math.sqrt(count * self._squares - self._sum * self._sum) / count / 1e6


class PhiAccrualDetector(HeartbeatWatcher):
    """Suspects a peer when φ of its silence reaches ``threshold``.

    φ is computed from the last ``window`` gaps between this peer's heartbeats. Nothing polls: at each heartbeat
    the detector works out at which silence φ would reach the threshold, and sets a timer for it. The defaults
    are those of Akka and Pekko clusters, whose estimator this is: the window starts with two gaps around
    ``interval`` (± a quarter), a peer that was suspected leaves no gap behind, and ``acceptable_pause`` is added
    to the mean.

    Args:
        node_id: of this node.
        peers: to whom it sends and whom it watches.
        interval: seconds between heartbeats.
        threshold: φ at which it suspects.
        window: gaps remembered per peer.
        minimum_standard_deviation: seconds; keeps a very regular peer from being suspected for a hiccup.
        acceptable_pause: seconds of silence that are nobody's fault (garbage collection, for one).
        distribution: ``"normal"`` (Hayashibara et al.) or ``"exponential"`` (Cassandra), which uses the mean alone.
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        interval: float = 1.0,
        threshold: float = 8.0,
        window: int = 1000,
        minimum_standard_deviation: float = 0.1,
        acceptable_pause: float = 3.0,
        distribution: str = "normal",
    ) -> None:
        super().__init__(node_id, peers, interval)
        self._normal = one_of("distribution", distribution, ("normal", "exponential")) == "normal"
        level = real("threshold", threshold, above=0.0)
        # φ = threshold at mean + this many standard deviations, or at this many means
        self._stretch = tail_deviations(level) if self._normal else level * math.log(10.0)
        self._least_deviation = real("minimum_standard_deviation", minimum_standard_deviation, above=0.0)
        self._pause = real("acceptable_pause", acceptable_pause, at_least=0.0)
        self._size = whole("window", window, at_least=2)
        self._windows: dict[str, GapWindow] = {}
        self._last: dict[str, float] = {}

    def patience(self, ctx: Context, peer: str, heartbeat: Heartbeat | None) -> float:
        """Learn from the gap, then say how long a silence it takes for φ to reach the threshold."""
        if peer not in self._windows:  # at the start, or if a node that is no peer of ours turns up
            self._windows[peer] = GapWindow(self._size, self._interval)
        if heartbeat is not None and peer in self._last and peer not in self.suspected:
            self._windows[peer].add(max(0.0, ctx.now - self._last[peer]))
        if heartbeat is not None:
            self._last[peer] = ctx.now
        return self.timeout(peer)

    def timeout(self, peer: str) -> float:
        """Seconds of silence at which ``peer`` would be suspected, as things stand."""
        window = self._windows[peer]
        if not self._normal:
            return max(1e-6, window.mean * self._stretch + self._pause)
        spread = max(window.standard_deviation, self._least_deviation)
        return max(1e-6, window.mean + self._pause + spread * self._stretch)

    def phi(self, peer: str, now: float) -> float:
        """φ of ``peer`` at ``now`` by this node's clock; 0 before its first heartbeat."""
        if peer not in self._last:
            return 0.0
        silence = max(0.0, now - self._last[peer])
        window = self._windows[peer]
        if not self._normal:
            return float(phi_exponential(max(0.0, silence - self._pause), window.mean))
        spread = max(window.standard_deviation, self._least_deviation)
        return float(phi(silence, window.mean + self._pause, spread))


@dataclass(frozen=True)
class PhiHistory:
    """φ at many moments of one link.

    Attributes:
        times: seconds.
        normal: φ if the gaps are normal.
        exponential: φ if they are exponential.
        arrivals: when heartbeats came (seconds), those among ``times`` only.
    """

    times: NDArray[np.float64]
    normal: NDArray[np.float64]
    exponential: NDArray[np.float64]
    arrivals: NDArray[np.float64]


def phi_history(
    recording: RecordedDelays,
    link: int,
    between: tuple[float, float],
    *,
    minimum_standard_deviation: float = 0.1,
    window: int = 1000,
    step: float = 0.02,
) -> PhiHistory:
    """Follow φ on one link of a recording; nobody is suspected, so every gap is learnt from.

    Args:
        recording: of heartbeats.
        link: its row.
        between: from when to when, seconds.
        minimum_standard_deviation: seconds.
        window: gaps remembered.
        step: seconds between two values.

    Raises:
        LookupError: no such link.
        ValueError: no heartbeat had come before ``between`` begins.
    """
    row = whole("link", link, at_least=0)
    if row >= len(recording.delays):
        raise LookupError(f"link must be a row from 0 to {len(recording.delays) - 1}, got {row}")
    least = real("minimum_standard_deviation", minimum_standard_deviation, above=0.0)
    sent = np.arange(recording.delays.shape[1]) * recording.interval
    arrivals = np.sort(sent + recording.delays[row])
    arrivals = arrivals[np.isfinite(arrivals)]
    times = np.arange(between[0], between[1], real("step", step, above=0.0))
    newest = np.searchsorted(arrivals, times, side="right") - 1
    if len(times) == 0 or newest[0] < 0:
        raise ValueError(f"between must begin after the first heartbeat and end later, got {between}")
    gaps = GapWindow(window, recording.interval)
    normal, exponential = np.empty(len(times)), np.empty(len(times))
    for index in range(newest[-1] + 1):
        if index > 0:
            gaps.add(arrivals[index] - arrivals[index - 1])
        here = newest == index
        silence = times[here] - arrivals[index]
        normal[here] = phi(silence, gaps.mean, max(gaps.standard_deviation, least))
        exponential[here] = phi_exponential(silence, gaps.mean)
    shown = arrivals[(arrivals >= times[0]) & (arrivals <= times[-1])]
    return PhiHistory(times, normal, exponential, shown)
