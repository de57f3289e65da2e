"""How good a failure detector is: the measures of Chen, Toueg and Aguilera, and their theory of one detector.

*On the quality of service of failure detectors*, IEEE Transactions on Computers 51(5), 2002 (the May reprint
corrects the January one). A detector is judged by how fast it detects (detection time) and by how well it
avoids mistakes (how often, how long, and how much of the time it is right).
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from scipy import integrate

from dscourse.arguments import probability, real


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


def nfd_s(interval: float, shift: float, loss: float, delay_cdf: Callable[[float], float]) -> DetectorQuality:
    """Quality of NFD-S, which has the best query accuracy for its detection time where clocks are synchronised.

    That holds among detectors of one link whose delays and losses are independent, with one distribution that is known.
    Heartbeat i is sent at i·``interval``; from i·``interval`` + ``shift`` on, the observer trusts the peer
    only if it has heartbeat i or a later one. The paper's section 3: with
    p_j(x) = loss + (1 − loss)·P(D > shift + x − j·interval) the chance that heartbeat i + j has not come by x
    after that moment, and u(x) = Π p_j(x), j = 0 … ⌈shift/interval⌉, a mistake begins at a freshness point
    with probability p_s = (1 − loss)·P(D < shift + interval) · u(0). Delays and losses are independent.

    Args:
        interval: seconds between heartbeats (η), above 0.
        shift: seconds from sending to the freshness point (δ), at least 0.
        loss: probability that a heartbeat is lost.
        delay_cdf: P(delay ≤ x) for a number of seconds x, for example ``scipy.stats.expon(scale=0.02).cdf``.

    Returns:
        The expected quality. ``detection_time`` is the bound ``shift + interval``, which is tight.
        ``mistake_duration`` is nan where no mistake can happen.

    Raises:
        TypeError: a wrong type, or a ``delay_cdf`` that can't be called.
        ValueError: a value out of range, or a ``delay_cdf`` that returns no probability.
    """
    eta = real("interval", interval, above=0.0)
    delta = real("shift", shift, at_least=0.0)
    lost = probability("loss", loss)
    if not callable(delay_cdf):
        raise TypeError(f"delay_cdf must be a function of seconds, got {delay_cdf!r}")
    if delta > 100_000 * eta:
        raise ValueError(f"shift must be at most 100 000 intervals, got {delta:g} s of {eta:g} s each")
    last = math.ceil(delta / eta)

    def arrived(seconds: float) -> float:
        return probability("delay_cdf(x)", float(delay_cdf(seconds))) if seconds >= 0 else 0.0

    def none_fresh(x: float) -> float:
        product = 1.0
        for j in range(last + 1):
            product *= lost + (1.0 - lost) * (1.0 - arrived(delta + x - j * eta))
            if product == 0.0:
                break
        return product

    suspicious = _mean_over(none_fresh, eta, kink=last * eta - delta)
    begins = (1.0 - lost) * arrived(delta + eta) * none_fresh(0.0)
    duration = suspicious * eta / begins if begins > 0 else (math.inf if suspicious > 0 else math.nan)
    return DetectorQuality(delta + eta, begins / eta, duration, 1.0 - suspicious)


def _mean_over(function: Callable[[float], float], width: float, kink: float) -> float:
    """Mean of ``function`` over [0, width), split where one more heartbeat can begin to arrive."""
    edges = sorted({0.0, min(max(kink, 0.0), width), width})
    with warnings.catch_warnings():
        # A step function (measured delays) never meets quad's own target; its error stays far below ours.
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        parts = [integrate.quad(function, a, b, limit=200)[0] for a, b in itertools.pairwise(edges)]
    return min(1.0, max(0.0, math.fsum(parts) / width))
