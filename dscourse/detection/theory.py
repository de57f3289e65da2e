"""The theory of NFD-S, the detector that counts from the sending of heartbeats.

Chen, Toueg and Aguilera, *On the quality of service of failure detectors*, IEEE Transactions on Computers 51(5), 2002
(the May reprint corrects the January one).
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable

from dscourse.arguments import function, probability, real
from dscourse.detection.quality import DetectorQuality


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
    function("delay_cdf", delay_cdf, "a function of seconds")
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
    from scipy import integrate  # takes long to load

    edges = sorted({0.0, min(max(kink, 0.0), width), width})
    with warnings.catch_warnings():
        # A step function (measured delays) never meets quad's own target; its error stays far below ours.
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        parts = [integrate.quad(function, a, b, limit=200)[0] for a, b in itertools.pairwise(edges)]
    return min(1.0, max(0.0, math.fsum(parts) / width))
