"""Skew: a few keys get most of the requests.

G. K. Zipf's law: the k-th most popular key is asked for in proportion to 1/k^θ. YCSB takes θ = 0.99 (B. F. Cooper and
others, *Benchmarking cloud serving systems with YCSB*, SoCC 2010); Twitter's cache clusters have the exponents
that J. Yang, Y. Yue and R. Vinayak fitted (OSDI 2020).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dscourse import datasets
from dscourse.arguments import real, whole

if TYPE_CHECKING:
    import pandas as pd

_MOST = 10_000_000  # an array of as many numbers takes 80 MB, and a draw needs three


def zipf_probabilities(n: int, theta: float) -> npt.NDArray[np.float64]:
    """Return the share of the requests that each of n keys gets, the most popular first.

    Args:
        n: number of keys, 1 … 10 000 000 (every one has its place in the array).
        theta: exponent, at least 0; 0 makes all keys equally popular, 1 is Zipf's own.

    Raises:
        ValueError: a number outside its range.
        TypeError: something else than a number.
    """
    return _probabilities(_keys(n), real("theta", theta, at_least=0.0)).copy()


def zipf_keys(count: int, n: int, theta: float, seed: int) -> npt.NDArray[np.int64]:
    """Draw requests for keys 0 … n − 1; key 0 is the most popular one, key 1 the next.

    The same seed gives the same requests on every machine.

    Args:
        count: of requests, 0 … 10 000 000.
        n: number of keys, 1 … 10 000 000.
        theta: exponent, at least 0.
        seed: at least 0.

    Raises:
        ValueError: a number outside its range.
        TypeError: something else than a number.
    """
    wanted = whole("count", count, at_least=0, at_most=_MOST)
    keys = _keys(n)
    ladder = np.cumsum(_probabilities(keys, real("theta", theta, at_least=0.0)))
    # The raw words of a bit generator are promised to stay the same over versions of NumPy, its distributions aren't.
    words = np.random.PCG64(whole("seed", seed, at_least=0)).random_raw(wanted)
    fractions = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.minimum(np.searchsorted(ladder, fractions, side="right"), keys - 1).astype(np.int64)


def twitter_zipf_exponents() -> pd.Series:
    """Return the Zipf exponent of each of Twitter's cache clusters for which one is known, by name of the cluster."""
    clusters = datasets.load("partitioning/twitter_clusters").set_index("cluster")
    exponents: pd.Series = clusters["zipf_alpha"].dropna()
    return exponents


def _keys(n: object) -> int:
    return whole("n", n, at_least=1, at_most=_MOST)


@lru_cache(maxsize=4)
def _probabilities(n: int, theta: float) -> npt.NDArray[np.float64]:
    ranks = np.arange(1, n + 1, dtype=np.float64)
    popularity = ranks**-theta
    shares: npt.NDArray[np.float64] = popularity / popularity.sum()
    return shares
