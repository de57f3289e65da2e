"""What a record of real failures says: times to failure, times to repair, and why independence fails.

Written for the data set `failures/lanl` (23 739 failures of 23 systems at Los Alamos National Laboratory), but any
DataFrame with the columns `system`, `node`, `start`, `down_min` and `cause` will do.

Source of the kind of analysis: B. Schroeder and G. A. Gibson, *A large-scale study of failures in high-performance
computing systems*, DSN 2006. That paper numbers the systems differently from the public release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dscourse.arguments import instance, items, numbers, whole
from dscourse.fault_tolerance.availability import HOURS_PER_YEAR
from dscourse.readable import readable_number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from dscourse.arguments import Floats

_COLUMNS = ("system", "node", "start", "down_min", "cause")


@dataclass(frozen=True)
class WeibullFit:
    """A Weibull distribution fitted to times by maximum likelihood: P(T > t) = exp(−(t / scale)^shape).

    A shape of 1 is the exponential distribution, which has no memory. Below 1 the rate of failures falls with the time
    since the last one: right after a failure the next is most likely. That need not be memory: failures without memory
    whose rate changes over the years are fitted by a shape below 1, too, since short gaps tell of a bad month.

    Attributes:
        shape: estimate of the shape.
        scale: estimate of the scale, in the unit of the times.
        count: how many times went in.
        gain: how much better it fits than the best exponential, in units of log likelihood. For exponential times twice
            the gain is distributed as χ² with one degree of freedom.
    """

    shape: float
    scale: float
    count: int
    gain: float

    def __repr__(self) -> str:
        words = f"shape {self.shape:.3f}, scale {self.scale:.4g}"
        return f"Weibull({words}) from {readable_number(self.count)} times"


def fit_weibull(times: ArrayLike) -> WeibullFit:
    """Fit a Weibull distribution to times above 0, by maximum likelihood.

    The likelihood equation of the shape has exactly one solution; the scale follows from it.

    Raises:
        ValueError: fewer than two different times, or a time that is 0, negative, or not finite: a Weibull distribution
            gives a time of exactly 0 the probability 0, so decide first what a zero in your record means.
    """
    from scipy import optimize, stats

    values = numbers("times", times, above=0.0).ravel()
    if np.unique(values).size < 2:
        raise ValueError(f"a fit needs at least two different times, got {np.unique(values).size}")
    logs = np.log(values / values.max())  # scaled: no power overflows
    mean_log = logs.mean()

    def equation(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float((powers * logs).sum() / powers.sum() - 1.0 / shape - mean_log)

    high = 1.0
    while equation(high) < 0:
        high *= 2.0
    low = high
    while equation(low) > 0:
        low /= 2.0
    shape = float(optimize.brentq(equation, low, high, xtol=1e-12))
    scale = float(values.max() * np.mean(np.exp(shape * logs)) ** (1.0 / shape))
    weibull = stats.weibull_min.logpdf(values, shape, scale=scale).sum()
    exponential = stats.expon.logpdf(values, scale=values.mean()).sum()
    return WeibullFit(shape, scale, values.size, max(0.0, float(weibull - exponential)))


def failure_gaps(record: pd.DataFrame, system: int) -> Floats:
    """Return the hours between one failure and the next of a system, zeros included.

    Raises:
        LookupError: no such system, or a missing column.
    """
    starts = _of_system(record, system)["start"].sort_values().to_numpy().astype("datetime64[s]")
    seconds: NDArray[np.int64] = starts.astype(np.int64)
    return np.asarray(np.diff(seconds) / 3600.0, dtype=np.float64)


def system_table(record: pd.DataFrame, at_least: int = 50) -> pd.DataFrame:
    """Return one row a system: how often it failed, how long repairs took, and which distributions fit.

    Columns: failures; failures a year (of 8 766 h, between its first and its last); mean repair in hours; zero gaps,
    the share of gaps between failures that are 0; Weibull shape of the others; log-normal gain, by how much in log
    likelihood a log-normal distribution fits the repair times better than an exponential one (both fitted; repairs
    of 0 minutes left out). What can't be said, because all failures came at once or all times are the same, is nan.

    Args:
        record: the failures.
        at_least: systems with fewer failures are left out.
    """
    import pandas as pd

    _check(record)
    fewest = whole("at_least", at_least, at_least=3)
    rows = {}
    for system, failures in record.groupby("system"):
        if len(failures) >= fewest:
            rows[system] = _system_row(record, int(str(system)), failures)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("system")


def _system_row(record: pd.DataFrame, system: int, failures: pd.DataFrame) -> dict[str, float]:
    gaps = failure_gaps(record, system)
    above = np.unique(gaps[gaps > 0])
    span = gaps.sum() / HOURS_PER_YEAR
    repairs = failures["down_min"].to_numpy(dtype=float)
    return {
        "failures": len(failures),
        "failures a year": len(gaps) / span if span else math.nan,
        "mean repair, h": repairs.mean() / 60.0,
        "zero gaps": float((gaps == 0).mean()),
        "Weibull shape": fit_weibull(gaps[gaps > 0]).shape if above.size > 1 else math.nan,
        "log-normal gain": _lognormal_gain(repairs[repairs > 0]),
    }


def _lognormal_gain(times: Floats) -> float:
    if np.unique(times).size < 2:
        return math.nan
    from scipy import stats

    logs = np.log(times)
    lognormal = stats.lognorm.logpdf(times, logs.std(), scale=math.exp(logs.mean())).sum()
    return float(lognormal - stats.expon.logpdf(times, scale=times.mean()).sum())


@dataclass(frozen=True)
class DownTogether:
    """How often several nodes of a system were down at once, and how often they would be if they failed independently.

    Attributes:
        system: the number of the system.
        nodes: how many nodes it has on record.
        hours: length of the record.
        observed: share of the time in which at least k nodes were down, by k.
        independent: the same if each node were down as often as it was, at moments of its own (exact).
    """

    system: int
    nodes: int
    hours: float
    observed: dict[int, float]
    independent: dict[int, float]

    def ratio(self, k: int) -> float:
        """Return how many times more often at least `k` were down together than independence would have it."""
        if k not in self.observed:
            raise LookupError(f"k must be one of {list(self.observed)}, got {k!r}")
        if self.independent[k] == 0.0:  # more than there are nodes, or that were ever down
            return math.nan
        return self.observed[k] / self.independent[k]

    def __repr__(self) -> str:
        lines = [f"system {self.system}: {self.nodes} nodes, {readable_number(round(self.hours))} hours"]
        lines += [
            f"  at least {k:2} down: observed {self.observed[k]:.2e}, independent {self.independent[k]:.2e}, "
            f"ratio {self.ratio(k):.3g}"
            for k in self.observed
        ]
        return "\n".join(lines)


def down_together(
    record: pd.DataFrame, system: int, counts: tuple[int, ...] = (1, 2, 3, 4, 5)
) -> DownTogether:
    """Measure how often at least k nodes of a system were down at the same moment.

    A node with several entries for one stretch of time counts once. The record runs from the first failure to the last.

    Args:
        record: the failures.
        system: which system.
        counts: the numbers k.

    Raises:
        LookupError: no such system, or a missing column.
    """
    import pandas as pd

    listed = items("counts", counts, "a list of numbers of nodes, such as (1, 2, 3)")
    ks = tuple(whole("a count", k, at_least=1) for k in listed)
    rows = _of_system(record, system).dropna(subset=["node"])
    if rows.empty:
        raise LookupError(f"no failure of system {system} names its node")
    minutes = rows["start"].to_numpy().astype("datetime64[m]").astype(np.int64)
    span = max(1, int(minutes.max() - minutes.min()))
    changes: list[tuple[int, int]] = []
    shares: list[float] = []
    begin = pd.Series(minutes - minutes.min(), index=rows.index)
    end = (begin + rows["down_min"]).clip(upper=span)
    for indices in rows.groupby("node").groups.values():
        merged = _merged(sorted(zip(begin[indices], end[indices], strict=True)))
        shares.append(sum(stop - start for start, stop in merged) / span)
        changes += [(start, 1) for start, _ in merged] + [(stop, -1) for _, stop in merged]
    time_at = _time_at_level(sorted(changes), span)
    chance = np.array([1.0])
    for share in shares:
        chance = np.convolve(chance, [1.0 - share, share])
    return DownTogether(
        system=int(system),
        nodes=len(shares),
        hours=span / 60.0,
        observed={k: sum(time for level, time in time_at.items() if level >= k) / span for k in ks},
        independent={k: float(chance[k:].sum()) for k in ks},
    )


def _merged(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join intervals that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for start, stop in intervals:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return [(start, stop) for start, stop in joined if stop > start]


def _time_at_level(changes: list[tuple[int, int]], span: int) -> dict[int, int]:
    level, since = 0, 0
    time_at: dict[int, int] = {}
    for moment, change in [*changes, (span, 0)]:
        time_at[level] = time_at.get(level, 0) + moment - since
        level, since = level + change, moment
    return time_at


def _of_system(record: pd.DataFrame, system: int) -> pd.DataFrame:
    _check(record)
    number = whole("system", system, at_least=0)
    rows = record[record["system"] == number]
    if rows.empty:
        known = ", ".join(map(str, sorted(record["system"].unique())))
        raise LookupError(f"there is no system {number} in the record; there are: {known}")
    return rows


def _check(record: pd.DataFrame) -> None:
    import pandas as pd

    instance("record", record, pd.DataFrame, 'a DataFrame, such as datasets.load("failures/lanl")')
    missing = [column for column in _COLUMNS if column not in record.columns]
    if missing:
        raise LookupError(f"the record lacks the columns {', '.join(missing)}")
