"""How long a message travels, or a piece of work takes: models of random times.

Each model turns one number from [0, 1) into whole microseconds by inverting its distribution. No model uses a
generator's own transforms, which may change from one version of Python to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from statistics import NormalDist
from typing import Any

import numpy as np

from dscourse import datasets
from dscourse.arguments import real, text
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS, to_microseconds

_TINY = 2.0**-54


class LatencyModel:
    """A distribution of times. Build one of `Constant`, `Uniform`, `Exponential`, `LogNormal`, `Empirical`."""

    def sampler(self) -> Callable[[float], int]:
        """A function from a number in [0, 1) to microseconds."""
        raise NotImplementedError

    def quantile(self, probability: float) -> float:
        """Seconds that a share ``probability`` (0 up to, not including, 1) of all times stay within."""
        share = real("probability", probability, at_least=0.0)
        if share >= 1.0:
            raise ValueError(f"probability must be below 1, got {share:g}")
        return self.sampler()(share) / MICROSECONDS


@dataclass(frozen=True)
class Constant(LatencyModel):
    """Always the same time.

    Args:
        seconds: the time, at least 0.
    """

    seconds: float

    def __post_init__(self) -> None:
        _set(self, "seconds", at_least=0.0)

    def sampler(self) -> Callable[[float], int]:
        """Ignore the draw."""
        fixed = to_microseconds(self.seconds)
        return lambda _: fixed


@dataclass(frozen=True)
class Uniform(LatencyModel):
    """Every time between two bounds is as likely as any other.

    Args:
        low: the shortest time in seconds, at least 0.
        high: the longest time in seconds, at least ``low``.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _set(self, "low", at_least=0.0)
        _set(self, "high", at_least=0.0)
        if self.high < self.low:
            raise ValueError(f"high must be at least low, got low={self.low:g}, high={self.high:g}")

    def sampler(self) -> Callable[[float], int]:
        """Stretch the draw between the bounds, both included."""
        low = to_microseconds(self.low)
        choices = to_microseconds(self.high) - low + 1
        return lambda draw: low + int(draw * choices)


@dataclass(frozen=True)
class Exponential(LatencyModel):
    """Mostly short, sometimes long; the past says nothing about the time still to come.

    Args:
        mean: mean time in seconds, above 0.
    """

    mean: float

    def __post_init__(self) -> None:
        _set(self, "mean", above=0.0)

    def sampler(self) -> Callable[[float], int]:
        """−mean · ln(1 − draw)."""
        scale = -self.mean * MICROSECONDS
        log1p = math.log1p
        return lambda draw: int(scale * log1p(-draw) + 0.5)


@dataclass(frozen=True)
class LogNormal(LatencyModel):
    """The logarithm is normal: a long right tail, as round trips in real networks have.

    Args:
        median: half of all times are shorter, in seconds, above 0.
        sigma: standard deviation of the logarithm, from 0 to 5; at 0.5 the 99th percentile is 3.2 medians.
    """

    median: float
    sigma: float

    def __post_init__(self) -> None:
        _set(self, "median", above=0.0)
        _set(self, "sigma", at_least=0.0)
        if self.sigma > 5.0:
            raise ValueError(
                f"sigma must be at most 5 (it is on the scale of logarithms), got {self.sigma:g}"
            )

    def sampler(self) -> Callable[[float], int]:
        """Median · exp(sigma · z), z the normal quantile of the draw."""
        median, sigma, exp = self.median * MICROSECONDS, self.sigma, math.exp
        normal_quantile = NormalDist().inv_cdf
        return lambda draw: int(median * exp(sigma * normal_quantile(draw or _TINY)) + 0.5)


@dataclass(frozen=True, init=False)
class Empirical(LatencyModel):
    """Times that were measured; each sample is as likely as any other.

    Args:
        samples: seconds, or the name of a data set (``dscourse.datasets.names()``), of which all numbers are taken
            (of a square matrix all but the diagonal, of a table the columns that hold measurements).
        column: of the data set, if only one is wanted.
        scale: each number is multiplied by it: 0.5 makes one way out of a round trip, 0.001 seconds out of ms.
    """

    samples: tuple[float, ...] | str
    column: str | None = None
    scale: float = 1.0

    def __init__(self, samples: Iterable[float] | str, column: str | None = None, scale: float = 1.0) -> None:
        object.__setattr__(self, "scale", real("scale", scale, above=0.0))
        if column is not None:
            text("column", column)
        if column is not None and not isinstance(samples, str):
            raise ValueError("column names a column of a data set, but samples are given as numbers")
        object.__setattr__(self, "column", column)
        if isinstance(samples, str):
            object.__setattr__(self, "samples", samples)
            _checked_samples(_from_dataset(samples, column), f"data set {samples!r}", self.scale)
        else:
            numbers = _checked_samples(samples, "samples", self.scale)
            object.__setattr__(self, "samples", tuple(numbers.tolist()))

    def sampler(self) -> Callable[[float], int]:
        """Pick one of the sorted samples."""
        values = self.samples
        numbers = (
            _from_dataset(values, self.column) if isinstance(values, str) else np.asarray(values, dtype=float)
        )
        sorted_times = sorted(to_microseconds(float(number) * self.scale) for number in numbers)
        count = len(sorted_times)
        return lambda draw: sorted_times[int(draw * count)]


def as_latency(name: str, value: object) -> LatencyModel:
    """Return a latency model; a plain number of seconds stands for `Constant`."""
    if isinstance(value, LatencyModel):
        return value
    if isinstance(value, Real) and not isinstance(value, bool):
        return Constant(real(name, value, at_least=0.0))
    raise TypeError(
        f"{name} must be a latency model, such as Uniform(0.01, 0.05), or a number of seconds, got {value!r}"
    )


def _set(
    model: LatencyModel, field: str, *, at_least: float | None = None, above: float | None = None
) -> None:
    number = real(f"{field} of {type(model).__name__}", getattr(model, field), at_least=at_least, above=above)
    if field != "sigma" and number > LONGEST:
        raise ValueError(f"{field} of {type(model).__name__} must be at most {LONGEST:g} s, got {number:g}")
    object.__setattr__(model, field, number)


def _checked_samples(samples: Any, what: str, scale: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(samples, Iterable) or isinstance(samples, bytes):
        raise TypeError(f"samples must be numbers of seconds or the name of a data set, got {samples!r}")
    if not isinstance(samples, np.ndarray):
        samples = [real("a sample", sample, at_least=0.0) for sample in samples]
    numbers = np.asarray(samples, dtype=float)
    if numbers.size == 0:
        raise ValueError(f"{what}: Empirical needs at least one sample")
    if not np.isfinite(numbers).all() or numbers.min() < 0 or numbers.max() > LONGEST / scale:
        raise ValueError(
            f"{what}: samples times scale must be seconds, finite, from 0 to {LONGEST:g}, got up to "
            f"{numbers.max():g} times {scale:g}"
        )
    return numbers.ravel()


def _from_dataset(name: str, column: str | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    data = datasets.load(name)
    if isinstance(data, np.ndarray):
        if column is not None:
            raise LookupError(f"data set {name!r} is a matrix and has no column {column!r}")
        if data.ndim == 2 and data.shape[0] == data.shape[1]:
            data = data[~np.eye(len(data), dtype=bool)]
        numbers = data.ravel()
    elif column is not None:
        if column not in data.columns:
            raise LookupError(f"data set {name!r} has no column {column!r}; it has {', '.join(data.columns)}")
        numbers = data[column].to_numpy(dtype=float)
    else:
        measured = data.select_dtypes("number")
        measured = measured.drop(columns=[c for c in ("slice",) if c in measured.columns])
        numbers = measured.to_numpy(dtype=float).ravel()
    return np.asarray(numbers[np.isfinite(numbers)], dtype=float)
