"""Latencies in a few numbers that don't lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dscourse.arguments import numbers, probability
from dscourse.readable import readable_number, readable_seconds

if TYPE_CHECKING:
    from dscourse.arguments import Floats


@dataclass(frozen=True)
class LatencySummary:
    """What a set of latencies looks like; all in seconds.

    Each percentile is a latency that really occurred: the smallest one such that at least that share of the
    requests took no longer.

    Attributes:
        count: number of requests.
        mean: their average.
        median: half took no longer than this.
        p90: nine of ten took no longer than this.
        p99: ninety-nine of a hundred took no longer than this.
        p999: nine hundred and ninety-nine of a thousand took no longer than this.
        maximum: the slowest.
    """

    count: int
    mean: float
    median: float
    p90: float
    p99: float
    p999: float
    maximum: float

    def __repr__(self) -> str:
        named = {
            "mean": self.mean,
            "median": self.median,
            "p90": self.p90,
            "p99": self.p99,
            "p99.9": self.p999,
            "max": self.maximum,
        }
        values = ", ".join(f"{name} {readable_seconds(value)}" for name, value in named.items())
        return f"{readable_number(self.count)} requests: {values}"


def summarize_latencies(latencies: Sequence[float] | Floats) -> LatencySummary:
    """Return mean and percentiles of a set of latencies.

    Args:
        latencies: seconds, at least 0. Count a request that was never answered as its timeout, at least; leaving
            it out would flatter the system.

    Raises:
        TypeError: not numbers.
        ValueError: empty, negative, NaN or infinite.
    """
    # beyond 1e300 seconds their sum might leave the range of floats
    seconds = np.sort(numbers("latencies", latencies, at_least=0.0, at_most=1e300, row=True))
    return LatencySummary(
        count=seconds.size,
        # a mean of equal values may differ from them in the last bit; it never lies outside them
        mean=min(max(float(seconds.mean()), float(seconds[0])), float(seconds[-1])),
        median=_sorted_quantile(seconds, 0.5),
        p90=_sorted_quantile(seconds, 0.9),
        p99=_sorted_quantile(seconds, 0.99),
        p999=_sorted_quantile(seconds, 0.999),
        maximum=float(seconds[-1]),
    )


def latency_quantile(latencies: Sequence[float] | Floats, quantile: float) -> float:
    """Return the smallest latency such that at least a share ``quantile`` of the requests took no longer.

    Args:
        latencies: seconds, at least 0.
        quantile: between 0 and 1, for example 0.99 for the 99th percentile.

    Raises:
        TypeError: not numbers.
        ValueError: empty, negative, NaN or infinite latencies; a quantile that isn't between 0 and 1.
    """
    seconds = np.sort(numbers("latencies", latencies, at_least=0.0, row=True))
    return _sorted_quantile(seconds, probability("quantile", quantile, inside=True))


def _sorted_quantile(seconds: Floats, quantile: float) -> float:
    # As floats 0.07 · 100 is a hair above 7, which must not make it the eighth.
    rank = quantile * seconds.size
    nearest = round(rank)
    place = nearest if math.isclose(rank, nearest, rel_tol=1e-13) else math.ceil(rank)
    return float(seconds[place - 1])
