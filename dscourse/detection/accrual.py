"""Phi: suspicion as a number that grows with silence, instead of a yes or no.

``phi`` after Hayashibara, Défago, Yared and Katayama, *The φ accrual failure detector* (SRDS 2004):
φ = −log₁₀ P(the next heartbeat comes later than now). φ = 1 means "one in ten such silences is harmless",
φ = 8 "one in a hundred million", as long as the gaps between heartbeats really follow the distribution.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dscourse.arguments import numbers, real

_LN10 = math.log(10.0)


@overload
def phi(elapsed: float, mean: float, standard_deviation: float) -> float: ...
@overload
def phi(elapsed: ArrayLike, mean: float, standard_deviation: float) -> NDArray[np.float64] | float: ...
def phi(elapsed: ArrayLike, mean: float, standard_deviation: float) -> NDArray[np.float64] | float:
    """Suspicion level of a silence, if the gaps between heartbeats are normal.

    Exact far into the tail: the logarithm of the tail is computed as such, never as ``log(1 - cdf)``, which
    is 0 digits right from φ ≈ 16 on. Any time unit will do, the same for all three.

    Args:
        elapsed: time since the last heartbeat, one number or an array of them.
        mean: mean gap between heartbeats, above 0.
        standard_deviation: of these gaps, above 0.

    Returns:
        φ, at least 0, in the shape of ``elapsed``.

    Raises:
        TypeError: not numbers.
        ValueError: negative, not finite, or a spread of 0.
    """
    centre = real("mean", mean, above=0.0)
    spread = real("standard_deviation", standard_deviation, above=0.0)
    silence = numbers("elapsed", elapsed, at_least=0.0)
    from scipy import special  # takes long to load

    with np.errstate(over="ignore"):  # beyond all numbers φ is inf
        level = np.abs(special.log_ndtr((centre - silence) / spread)) / _LN10
    return float(level) if level.ndim == 0 else level


@overload
def phi_exponential(elapsed: float, mean: float) -> float: ...
@overload
def phi_exponential(elapsed: ArrayLike, mean: float) -> NDArray[np.float64] | float: ...
def phi_exponential(elapsed: ArrayLike, mean: float) -> NDArray[np.float64] | float:
    """Suspicion level of a silence, if the gaps are exponential: elapsed / (mean · ln 10).

    What Apache Cassandra computes (``org.apache.cassandra.gms.FailureDetector``, whose ``PHI_FACTOR`` is
    1/ln 10): only the mean gap counts, so its threshold of 8 is a timeout of 18.42 mean gaps.

    Args:
        elapsed: time since the last heartbeat, one number or an array of them.
        mean: mean gap between heartbeats, above 0.

    Returns:
        φ, at least 0, in the shape of ``elapsed``.
    """
    silence, centre = numbers("elapsed", elapsed, at_least=0.0), real("mean", mean, above=0.0)
    with np.errstate(over="ignore"):
        level = silence / (centre * _LN10)
    return float(level) if level.ndim == 0 else level


def phi_timeout(threshold: float, mean: float, standard_deviation: float | None = None) -> float:
    """The silence at which φ reaches ``threshold``: the timeout that a phi detector uses right now.

    Args:
        threshold: of φ, above 0.
        mean: mean gap between heartbeats, above 0.
        standard_deviation: of the gaps for the normal φ; None for the exponential one.

    Returns:
        The time since the last heartbeat, in the unit of ``mean``; never below 0.
    """
    level = real("threshold", threshold, above=0.0)
    centre = real("mean", mean, above=0.0)
    if standard_deviation is None:
        return level * centre * _LN10
    spread = real("standard_deviation", standard_deviation, above=0.0)
    return max(0.0, centre + spread * tail_deviations(level))


def tail_deviations(threshold: float) -> float:
    """How many standard deviations above the mean a normal φ reaches ``threshold`` (5.61 for 8)."""
    from scipy import special

    return -float(special.ndtri_exp(-real("threshold", threshold, above=0.0) * _LN10))
