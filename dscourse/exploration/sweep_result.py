"""What came of a sweep: a table of the runs, and what they say about the means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dscourse.arguments import real, shown

if TYPE_CHECKING:
    import pandas as pd

Variant: TypeAlias = Mapping[str, Any]
Cell: TypeAlias = tuple[int, int]  # which variant, counted from 0, and the seed
Outcome: TypeAlias = "dict[str, float] | str"  # the numbers, or why there are none

# A parameter or result of such a name would stand in the same column as ours.
OWN_COLUMNS = ("seed", "error", "result", "mean", "difference", "low", "high", "runs")


class Sweep:
    """The runs of one experiment with every variant and every seed.

    Attributes:
        variants: the parameters of each variant, in order.
        seeds: the seeds, the same for every variant.
        stopped: why it ended before its end, in plain words; empty if it didn't.
    """

    def __init__(self, variants: Sequence[Variant], seeds: Sequence[int]) -> None:
        self.variants = tuple(variants)
        self.seeds = tuple(seeds)
        self.stopped = ""
        self._outcomes: dict[Cell, Outcome] = {}

    # --- filled by `sweep` ---

    def keep(self, cell: Cell, outcome: Outcome) -> None:
        """Keep what came of one run."""
        self._outcomes[cell] = outcome

    def take_over(self, earlier: Sweep) -> None:
        """Keep what an earlier sweep holds of these variants and seeds."""
        places = [
            next((old for old, known in enumerate(earlier.variants) if same_variant(known, variant)), None)
            for variant in self.variants
        ]
        for (place, old), seed in ((pair, seed) for pair in enumerate(places) for seed in self.seeds):
            if old is not None and (old, seed) in earlier._outcomes:
                self.keep((place, seed), earlier._outcomes[old, seed])

    def unfinished(self) -> list[Cell]:
        """Return the cells without an outcome, seed by seed, so that a sweep cut short compares like with like."""
        every = ((place, seed) for seed in self.seeds for place in range(len(self.variants)))
        return [cell for cell in every if cell not in self._outcomes]

    def label(self, cell: Cell) -> str:
        """Return the parameters and the seed of a cell as they would be typed."""
        place, seed = cell
        return ", ".join(f"{name}={shown(value)}" for name, value in self._named(place, seed).items())

    @property
    def failed(self) -> int:
        """How many runs have failed or were given up."""
        return sum(isinstance(outcome, str) for outcome in self._outcomes.values())

    # --- tables ---

    @property
    def rows(self) -> pd.DataFrame:
        """One row a finished run: its parameters, ``seed``, and its results; by variant, then by seed."""
        names = list(dict.fromkeys(name for _, result in self._finished() for name in result))
        records = [self._named(*cell) | result for cell, result in self._finished()]
        return self._frame(records, ["seed", *names])

    @property
    def failures(self) -> pd.DataFrame:
        """One row a run that raised an error or was given up: its parameters, ``seed``, and ``error``, in words."""
        found = [(cell, outcome) for cell, outcome in self._in_order() if isinstance(outcome, str)]
        return self._frame([self._named(*cell) | {"error": why} for cell, why in found], ["seed", "error"])

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Return the mean of each result for each variant, and an interval that holds the true mean so confidently.

        Runs with different seeds are independent, so the interval is Student's t on their mean: mean ± t · s/√n with
        n − 1 degrees of freedom (Kelton, "Statistical analysis of simulation output", WSC 1997, section 5). It is
        exact where runs are normally distributed, and good for the mean of many others; for few, very skewed ones it
        is too narrow. A result that is True or False in every run is a share, for which t fails near 0 and 1 (no
        failure in ten runs would give the interval 0 to 0), so it gets Wilson's score interval, as Brown, Cai and
        DasGupta recommend ("Interval Estimation for a Binomial Proportion", Statistical Science 16(2), 2001).

        Each interval stands for itself: of twenty at 95 %, one misses on average. To compare variants don't look
        whether intervals overlap; ask ``differences``.

        Args:
            level: the confidence, between 0 and 1.

        Returns:
            One row for each variant and result: the parameters, ``result`` (its name), ``mean``, ``low``, ``high``,
            and ``runs``, those that returned it: runs that failed are not among them. ``low`` and ``high`` are nan if
            one run is all there is, and a nan or inf among the results makes the mean one too.

        Raises:
            TypeError: ``level`` is no number.
            ValueError: it doesn't lie between 0 and 1.
        """
        share = _confidence(level)
        records = []
        for place, variant in enumerate(self.variants):
            for name, values in self._by_result(place).items():
                runs = list(values.values())
                whether = all(isinstance(value, bool) for value in runs)
                mean, low, high = wilson(runs, share) if whether else student(runs, share)
                row = {"result": name, "mean": mean, "low": low, "high": high, "runs": len(runs)}
                records.append({**variant, **row})
        return self._frame(records, ["result", "mean", "low", "high", "runs"])

    def differences(self, baseline: Variant, level: float = 0.95) -> pd.DataFrame:
        """Return how much each variant differs from a baseline, run by run with the same seed.

        Runs of the same seed share their luck (common random numbers), and most of it drops out of the difference:
        Var(X − Y) = Var X + Var Y − 2 Cov(X, Y). So this finds differences that are far smaller than the intervals
        of ``summary`` are wide. The interval is Student's t on the differences of the pairs (Kelton, WSC 1997,
        sections 6 and 7).

        Args:
            baseline: the parameters that are changed back: ``{"policy": "random"}`` compares each variant with the
                one that has this policy and is otherwise the same; with all parameters named, with that one variant.
            level: the confidence, between 0 and 1.

        Returns:
            One row for each other variant and result: the parameters, ``result``, ``difference`` (variant − baseline),
            ``low``, ``high``, and ``runs``, the number of seeds that both have finished.

        Raises:
            TypeError: ``baseline`` isn't a dict, or ``level`` no number.
            LookupError: there is no such variant.
            ValueError: ``level`` doesn't lie between 0 and 1.
        """
        share = _confidence(level)
        if not isinstance(baseline, Mapping):
            raise TypeError(f'baseline must be a dict such as {{"load": 0.5}}, got {shown(baseline)}')
        records = []
        for place, variant in enumerate(self.variants):
            other = self._place({**variant, **baseline})
            if other == place:
                continue
            theirs = self._by_result(other)
            for name, values in self._by_result(place).items():
                pairs = [(value, theirs.get(name, {}).get(seed)) for seed, value in values.items()]
                gaps = [float(ours) - float(its) for ours, its in pairs if its is not None]
                difference, low, high = student(gaps, share)
                row = {"result": name, "difference": difference, "low": low, "high": high, "runs": len(gaps)}
                records.append({**variant, **row})
        return self._frame(records, ["result", "difference", "low", "high", "runs"])

    def __repr__(self) -> str:
        total, failed = len(self.variants) * len(self.seeds), self.failed
        words = f"Sweep: {len(self._outcomes) - failed} of {total} runs finished"
        words += f", {failed} failed" if failed else ""
        words += f", {len(self.unfinished())} not run" if self.unfinished() else ""
        words += f"\n{self.first_failure()}" if failed else ""
        return words + (f"\n{self.stopped}" if self.stopped else "")

    def first_failure(self) -> str:
        """Tell the first run that failed, with its parameters, its seed and its error; empty if none did."""
        found = ((cell, outcome) for cell, outcome in self._in_order() if isinstance(outcome, str))
        return next((f"The first that failed: {self.label(cell)}: {why}" for cell, why in found), "")

    # --- inside ---

    def _named(self, place: int, seed: int) -> dict[str, Any]:
        return {**self.variants[place], "seed": seed}

    def _in_order(self) -> Iterator[tuple[Cell, Outcome]]:
        for place in range(len(self.variants)):
            for seed in self.seeds:
                if (place, seed) in self._outcomes:
                    yield (place, seed), self._outcomes[place, seed]

    def _finished(self) -> Iterator[tuple[Cell, dict[str, float]]]:
        return ((cell, outcome) for cell, outcome in self._in_order() if not isinstance(outcome, str))

    def _by_result(self, place: int) -> dict[str, dict[int, float]]:
        """Return {name: {seed: value}} of one variant."""
        found: dict[str, dict[int, float]] = {}
        for seed in self.seeds:
            outcome = self._outcomes.get((place, seed), "")
            for name, value in outcome.items() if not isinstance(outcome, str) else ():
                found.setdefault(name, {})[seed] = value
        return found

    def _place(self, wanted: Variant) -> int:
        for place, variant in enumerate(self.variants):
            if same_variant(variant, wanted):
                return place
        words = ", ".join(f"{name}={shown(value)}" for name, value in wanted.items())
        raise LookupError(
            f"There is no variant {words} to compare with. See `.variants` for those there are."
        )

    def _frame(self, records: list[dict[str, Any]], own: list[str]) -> pd.DataFrame:
        import pandas as pd

        parameters = dict.fromkeys(name for variant in self.variants for name in variant)
        return pd.DataFrame(records, columns=[*parameters, *own])


def student(values: Sequence[float], level: float) -> tuple[float, float, float]:
    """Return the mean and Student's t interval for it, with n − 1 degrees of freedom."""
    import numpy as np
    from scipy import special

    runs = np.asarray(values, dtype=np.float64)
    if runs.size == 0:
        return math.nan, math.nan, math.nan
    if runs.size == 1 or not np.isfinite(runs).all():
        with np.errstate(invalid="ignore"):  # inf − inf is nan, and means it
            return float(runs.mean()), math.nan, math.nan
    error = float(runs.std(ddof=1)) / math.sqrt(runs.size)
    reach = float(special.stdtrit(runs.size - 1, 0.5 + level / 2.0)) * error
    mean = float(runs.mean())
    return mean, mean - reach, mean + reach


def wilson(values: Sequence[float], level: float) -> tuple[float, float, float]:
    """Return the share of True and Wilson's score interval for it."""
    from scipy import special

    n, share = len(values), sum(values) / len(values)
    z = float(special.ndtri(0.5 + level / 2.0))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return share, max(0.0, middle - reach), min(1.0, middle + reach)


def _confidence(level: object) -> float:
    share = real("level", level, above=0.0)
    if share >= 1.0:
        raise ValueError(f"level must be below 1, got {share:g}; for 95 per cent write 0.95")
    return share


def same_variant(one: Variant, other: Variant) -> bool:
    """Return whether two variants are the same, as far as their values can tell."""
    return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())


def _equal(one: object, other: object) -> bool:
    if one is other:
        return True
    if type(one) is not type(other) and isinstance(one, bool | str) | isinstance(other, bool | str):
        return False  # True is 1 to Python
    try:
        return bool(one == other) or repr(one) == repr(other)  # two equal partials differ, but read the same
    except Exception:  # noqa: BLE001 - arrays have no single answer, and long ones are cut in their repr
        import numpy as np

        return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.array_equal(one, other)
