"""Fit the Universal Scalability Law to measurements, and say how sure the answer is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.arguments import numbers, probability, same_length, shown
from dscourse.scaling.laws import USL, usl_throughput

if TYPE_CHECKING:
    from dscourse.arguments import Floats

_PARAMETERS = ("contention", "coherency", "single_throughput")
_DIPS = 3
_FACES = ((True, True), (True, False), (False, True), (False, False))  # is α free, is β free?


@dataclass(frozen=True)
class USLFit(USL):
    """The law that fits a set of measurements best, in the sense of least squares on throughput.

    It is a `USL`, so it can be called, and has ``.peak_load`` and ``.peak_throughput``.

    Attributes:
        load: the loads that were measured.
        throughput: what was measured there.
    """

    load: tuple[float, ...] = ()
    throughput: tuple[float, ...] = ()

    @property
    def residuals(self) -> Floats:
        """What was measured minus what the law says."""
        return np.asarray(self.throughput) - self._predicted()

    @property
    def r_squared(self) -> float:
        """The share of the variance of throughput that the law accounts for; nan if throughput never varied."""
        measured = np.asarray(self.throughput)
        spread = float(np.sum((measured - measured.mean()) ** 2))
        return 1.0 - float(np.sum(self.residuals**2)) / spread if spread > 0.0 else math.nan

    def confidence_interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the interval in which a parameter lies with the given confidence.

        estimate ± t · standard error, Student's t with n − 3 degrees of freedom, and the standard error from the
        Jacobian at the fit. It isn't clipped: a lower end below 0 says that the measurements can't tell the
        parameter from 0. If an estimate is 0 because it may not be negative, the interval is only a rough guide.

        Args:
            name: ``"contention"``, ``"coherency"`` or ``"single_throughput"``.
            level: between 0 and 1.

        Raises:
            TypeError: ``level`` is no number.
            LookupError: no parameter of that name.
            ValueError: the measurements determine no interval: three points leave nothing to judge the error by, and
                loads that are too alike can't tell the parameters apart.
        """
        if not isinstance(name, str) or name not in _PARAMETERS:
            raise LookupError(f"There is no parameter {shown(name)}. There are: {', '.join(_PARAMETERS)}.")
        share = probability("level", level, inside=True)
        freedom = len(self.load) - len(_PARAMETERS)
        if freedom < 1:
            raise ValueError(
                f"A confidence interval needs at least 4 measurements, got {len(self.load)}: 3 parameters pass through "
                "3 points exactly, and nothing is left to judge the error by."
            )
        from scipy import stats

        place = _PARAMETERS.index(name)
        estimate = (self.contention, self.coherency, self.single_throughput)[place]
        reach = float(stats.t.ppf(0.5 + share / 2.0, freedom)) * self._standard_errors(freedom)[place]
        return float(estimate - reach), float(estimate + reach)

    def _predicted(self) -> Floats:
        return usl_throughput(np.asarray(self.load), self.contention, self.coherency, self.single_throughput)

    def _standard_errors(self, freedom: int) -> Floats:
        n = np.asarray(self.load)
        predicted = self._predicted()
        below = 1.0 + self.contention * (n - 1.0) + self.coherency * n * (n - 1.0)
        jacobian = np.column_stack(
            [
                -predicted * (n - 1.0) / below,
                -predicted * n * (n - 1.0) / below,
                predicted / self.single_throughput,
            ]
        )
        size = np.linalg.norm(jacobian, axis=0)
        if (size == 0.0).any() or np.linalg.cond(jacobian / size) > 1e6:
            raise ValueError(
                "These loads are too alike to tell the three parameters apart; measure at others."
            )
        inverse = np.linalg.inv((jacobian / size).T @ (jacobian / size))
        variance = float(np.sum(self.residuals**2)) / freedom
        return np.asarray(np.sqrt(variance * np.diag(inverse)) / size, dtype=np.float64)

    def __repr__(self) -> str:
        peak = f"{self.peak_load:.1f}" if math.isfinite(self.peak_load) else "inf"
        return (
            f"USLFit(contention {self.contention:.5g}, coherency {self.coherency:.5g}, "
            f"single_throughput {self.single_throughput:.5g}; peak at {peak}, R² {self.r_squared:.3f}, "
            f"{len(self.load)} measurements)"
        )


def fit_usl(load: Sequence[float] | Floats, throughput: Sequence[float] | Floats) -> USLFit:
    """Fit X(N) = γN / (1 + α(N − 1) + βN(N − 1)) by least squares on X, with α ≥ 0 and β ≥ 0.

    All three parameters are fitted. (Gunther's older fit with two parameters takes γ from the measurement at N = 1
    and gives other numbers on the same data.)

    Args:
        load: processors, users or requests at once; above 0, at least three different ones.
        throughput: what was measured at each, at least 0.

    Raises:
        TypeError: not numbers.
        ValueError: not as many loads as throughputs, fewer than three different loads, loads that aren't above 0,
            NaN or infinity, or nothing but zeros.

    Example:
        >>> fit_usl([1, 2, 4, 8], [100, 180, 290, 380]).peak_load > 8
        True
    """
    n = numbers("load", load, above=0.0, row=True)
    x = numbers("throughput", throughput, at_least=0.0, row=True)
    same_length("load", n, "throughput", x)
    different = np.unique(n).size
    if different < len(_PARAMETERS):
        raise ValueError(
            f"The law has 3 parameters, so it takes measurements at 3 different loads or more; got {different}."
        )
    if not x.any():
        raise ValueError("throughput must not be 0 everywhere")
    scale_n, scale_x = float(n.max()), float(x.max())
    candidates = [_best_on_face(n, x / scale_x, scale_n, *face) for face in _FACES]
    # A face of the bounds holds the answer only if it fits better than the whole; the first of equals is the freest.
    _, contention, coherency, single = min(candidates, key=lambda candidate: candidate[0])
    return USLFit(contention, coherency, single * scale_x, tuple(n.tolist()), tuple(x.tolist()))


def _best_on_face(
    n: Floats, x: Floats, scale: float, free_contention: bool, free_coherency: bool
) -> tuple[float, float, float, float]:
    """Return (squared error, α, β, γ) of the best fit with α or β held at 0; infinite error if it breaks a bound."""
    from scipy import optimize

    free = np.array([free_contention, free_coherency])
    units = np.array([1.0 / scale, 1.0 / scale**2])[
        free
    ]  # so that α and β are of the order of 1 to the optimiser

    def shape(values: Any) -> Floats:
        parameters = np.zeros(2)
        parameters[free] = np.asarray(values) * units
        return usl_throughput(n, float(parameters[0]), float(parameters[1]), 1.0)

    def single(curve: Floats) -> float:
        return float(curve @ x / (curve @ curve))  # γ enters linearly: the best one is known at once

    def error(values: Any) -> Floats:
        curve = shape(values)
        return np.asarray(single(curve) * curve - x, dtype=np.float64)

    if not free.any():
        curve = shape([])
        return float(np.sum(error([]) ** 2)), 0.0, 0.0, single(curve)
    best = (math.inf, 0.0, 0.0, 1.0)
    for start in _starts(shape, error, int(free.sum())):
        found = optimize.least_squares(error, start, bounds=(0.0, np.inf), xtol=1e-15, ftol=1e-15, gtol=1e-15)
        values = np.zeros(2)
        values[free] = found.x * units
        # The optimiser only comes close to a bound: that answer belongs to a face on which the value is exactly 0.
        on_bound = bool((found.active_mask != 0).any() or (found.x < 1e-9).any())
        if not on_bound and _has_a_meaning(shape(found.x)) and 2.0 * float(found.cost) < best[0]:
            best = (2.0 * float(found.cost), float(values[0]), float(values[1]), single(shape(found.x)))
    return best


def _has_a_meaning(curve: Floats) -> bool:
    """Return whether throughput is above 0 at every load; below load 1, large parameters turn its sign."""
    return bool(np.isfinite(curve).all() and (curve > 0.0).all())


def _starts(shape: Callable[[Any], Floats], error: Callable[[Any], Floats], parameters: int) -> list[Floats]:
    """Return the lowest dips of a grid over six orders of magnitude.

    Scattered measurements have more than one: a curve that follows the first of them, another that follows the last.
    """
    powers = 10.0 ** np.arange(-3.0, 3.25, 0.5)
    heights = np.full(
        (powers.size + 2,) * parameters, np.inf
    )  # with a rim, so that every point has neighbours
    places = list(itertools.product(range(1, powers.size + 1), repeat=parameters))
    points = {place: powers[np.array(place) - 1] for place in places}
    for place, point in points.items():
        if _has_a_meaning(shape(point)):
            heights[place] = float(np.sum(error(point) ** 2))
    around = {place: heights[tuple(slice(index - 1, index + 2) for index in place)] for place in places}
    dips = [place for place in places if heights[place] < math.inf and heights[place] <= around[place].min()]
    return [points[place] for place in sorted(dips, key=lambda place: float(heights[place]))[:_DIPS]]
