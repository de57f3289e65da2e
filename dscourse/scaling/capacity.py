"""How far a system scales, as a sentence that can be tested, and a search that measures it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dscourse.arguments import function, probability, real, text
from dscourse.readable import readable_number, readable_seconds
from dscourse.scaling.latencies import latency_quantile

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.arguments import Floats

Outcome = Literal["found", "never", "always"]


@dataclass(frozen=True)
class Trial:
    """One load that was tried.

    Attributes:
        load: the load.
        latency: the latency quantile measured there, seconds.
        met: whether that kept the objective.
    """

    load: float
    latency: float
    met: bool


@dataclass(frozen=True)
class CapacityStatement:
    """What a system can carry: how much, of what, under which objective, and how that is known.

    Print it to read it as a sentence.

    Attributes:
        capacity: the highest load that was measured to meet the objective; 0 if none did.
        workload: what the load consists of, in words.
        objective: the latency that must be kept, seconds.
        quantile: of which latency quantile, for example 0.99.
        unit: of the load.
        outcome: ``"found"``; ``"never"`` if even the lowest load misses the objective; ``"always"`` if the highest
            that was allowed still meets it, so that the true capacity lies above.
        trials: the evidence: every load that was tried, in order of trial.
    """

    capacity: float
    workload: str
    objective: float
    quantile: float
    unit: str
    outcome: Outcome
    trials: tuple[Trial, ...] = ()

    def __str__(self) -> str:
        percentile = f"p{100.0 * self.quantile:g}"
        goal = f"{percentile} ≤ {readable_seconds(self.objective)}"
        if self.outcome == "never":
            lowest = min((trial.load for trial in self.trials), default=0.0)
            return f"does not meet {goal} under {self.workload}, not even at {readable_number(lowest)} {self.unit}"
        beyond = "at least " if self.outcome == "always" else ""
        return f"scales to {beyond}{readable_number(self.capacity)} {self.unit} under {self.workload} with {goal}"

    __repr__ = __str__

    @property
    def evidence(self) -> pd.DataFrame:
        """Every load that was tried, in order of load: load, latency (seconds), met."""
        import pandas as pd

        rows = sorted(self.trials, key=lambda trial: trial.load)
        return pd.DataFrame(
            {
                "load": [trial.load for trial in rows],
                "latency": [trial.latency for trial in rows],
                "met": [trial.met for trial in rows],
            }
        )


def find_capacity(
    measure: Callable[[float], Sequence[float] | Floats],
    *,
    workload: str,
    objective: float,
    quantile: float = 0.99,
    lowest: float = 1.0,
    highest: float = 1e6,
    precision: float = 0.02,
    unit: str = "requests/s",
) -> CapacityStatement:
    """Search for the highest load at which a system still meets its latency objective.

    The load doubles from ``lowest`` until the objective is missed, then the gap between the last good and the
    first bad load is halved until they are as close as ``precision`` says. The answer is always a load that was
    measured to be good, never an interpolation. The search takes for granted that a system which misses the
    objective at one load also misses it above.

    Args:
        measure: called as ``measure(load)``; runs the system at that load and returns the latencies it saw, in
            seconds. Count a request that was refused or lost as its timeout, at least.
        workload: what the load consists of, in words. Without it a capacity means nothing.
        objective: the latency to keep, seconds, above 0.
        quantile: of which quantile; 0.99 for the 99th percentile.
        lowest: the load to begin with, above 0.
        highest: the load to end with, at least ``lowest``.
        precision: how close the first bad load must be, as a fraction of it; 0.02 for 2 %.
        unit: of the load, in words.

    Raises:
        TypeError: a wrong type, or ``measure`` can't be called or returns no latencies.
        ValueError: out of range, or ``measure`` returns something that can't be latencies; the message names the
            load.

    Example:
        >>> find_capacity(lambda load: [0.01 + load / 1000], workload="reads of 1 kB", objective=0.1, precision=0.1)
        scales to 88 requests/s under reads of 1 kB with p99 ≤ 100 ms
    """
    function("measure", measure, "a function measure(load) -> latencies")
    text("workload", workload)
    text("unit", unit)
    goal = real("objective", objective, above=0.0)
    share = probability("quantile", quantile, inside=True)
    first = real("lowest", lowest, above=0.0)
    last = real("highest", highest, at_least=first)
    close = real("precision", precision, at_least=1e-6, at_most=1.0)
    trials: list[Trial] = []

    def good(load: float) -> bool:
        latency = _measured(measure, load, share)
        trials.append(Trial(load, latency, latency <= goal))
        return trials[-1].met

    best, worst = _bracket(good, first, last)
    while best > 0.0 and math.isfinite(worst) and worst - best > close * worst:
        middle = (best + worst) / 2.0
        if good(middle):
            best = middle
        else:
            worst = middle
    outcome: Outcome = "never" if best == 0.0 else "always" if math.isinf(worst) else "found"
    return CapacityStatement(best, workload, goal, share, unit, outcome, tuple(trials))


def _bracket(good: Callable[[float], bool], lowest: float, highest: float) -> tuple[float, float]:
    """Return the last good load while doubling (0 if none) and the first bad one (inf if none)."""
    best, load = 0.0, lowest
    while good(load):
        best = load
        if load >= highest:
            return best, math.inf
        load = min(2.0 * load, highest)
    return best, load


def _measured(measure: Callable[[float], Sequence[float] | Floats], load: float, quantile: float) -> float:
    latencies = measure(load)
    try:
        return latency_quantile(latencies, quantile)
    except (TypeError, ValueError) as error:
        raise type(error)(f"measure({load:g}) must return latencies in seconds: {error}") from None
