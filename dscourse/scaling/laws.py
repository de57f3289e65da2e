"""Three laws of scaling: what more processors can give you at best.

Amdahl (AFIPS 1967): a fixed task has a part that nobody can help with. Gustafson (CACM 31(5), 1988): with more
processors people solve larger tasks in the same time. Gunther's Universal Scalability Law (*Guerrilla Capacity
Planning*, 2007) adds what Amdahl leaves out: the price of keeping everybody's view the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dscourse.arguments import keep, numbers, probability, real

if TYPE_CHECKING:
    from dscourse.arguments import Floats

    Numbers: TypeAlias = float | Sequence[float] | Floats


def amdahl_speedup(n: Numbers, serial_fraction: float) -> Any:
    """Return how many times faster ``n`` processors finish a task of fixed size: 1 / (s + (1 − s) / n).

    Args:
        n: number of processors, at least 1; one number or an array.
        serial_fraction: the share of the task, on one processor, that can't be divided, 0 to 1.

    Raises:
        TypeError: not numbers.
        ValueError: ``n`` below 1, or a share outside 0 to 1.
    """
    processors = numbers("n", n, at_least=1.0)
    serial = probability("serial_fraction", serial_fraction)
    return _as_given(1.0 / (serial + (1.0 - serial) / processors))


def gustafson_speedup(n: Numbers, serial_fraction: float) -> Any:
    """Return how much more work ``n`` processors do in the time that one took: n − s·(n − 1).

    Args:
        n: number of processors, at least 1; one number or an array.
        serial_fraction: the share of the *time on n processors* that is spent in the serial part, 0 to 1.
            (Amdahl's share is taken on one processor: the same program has two different fractions.)

    Raises:
        TypeError: not numbers.
        ValueError: ``n`` below 1, or a share outside 0 to 1.
    """
    processors = numbers("n", n, at_least=1.0)
    serial = probability("serial_fraction", serial_fraction)
    return _as_given(processors - serial * (processors - 1.0))


@dataclass(frozen=True)
class USL:
    """The Universal Scalability Law: X(N) = γN / (1 + α(N − 1) + βN(N − 1)).

    Call it with a load to get the throughput: ``USL(0.05, 0.001, 100.0)(16)``.

    Attributes:
        contention: α ≥ 0, the share of the work that queues for something shared.
        coherency: β ≥ 0, the cost of each pair of parties that must agree; without it there is no peak.
        single_throughput: γ > 0, the throughput of one.

    Raises:
        TypeError: not numbers.
        ValueError: negative, not finite, or a ``single_throughput`` of 0.
    """

    contention: float
    coherency: float
    single_throughput: float = 1.0

    def __post_init__(self) -> None:
        keep(
            self,
            contention=real("contention", self.contention, at_least=0.0),
            coherency=real("coherency", self.coherency, at_least=0.0),
            single_throughput=real("single_throughput", self.single_throughput, above=0.0),
        )

    def __call__(self, load: Numbers) -> Any:
        """Return the throughput at ``load``: processors, users or requests at once, above 0; one or an array.

        Raises:
            TypeError: not numbers.
            ValueError: not above 0, or a load below 1 at which so much contention leaves the law without a meaning.
        """
        n = numbers("load", load, above=0.0)
        throughput = usl_throughput(n, self.contention, self.coherency, self.single_throughput)
        if not (np.isfinite(throughput) & (throughput >= 0.0)).all():
            raise ValueError(
                f"load must be at least 1 with contention {self.contention:g} and coherency {self.coherency:g}: at "
                f"{float(n.min()):g} the law says nothing"
            )
        return _as_given(throughput)

    @property
    def peak_load(self) -> float:
        """The load N* = √((1 − α)/β) at which throughput is highest: ``inf`` if it never falls, at least 1."""
        if self.contention >= 1.0:
            return 1.0
        if self.coherency == 0.0:
            return math.inf
        return max(1.0, math.sqrt((1.0 - self.contention) / self.coherency))

    @property
    def peak_throughput(self) -> float:
        """The highest throughput: at the peak or, where there is none, the limit γ/α that it approaches."""
        if math.isfinite(self.peak_load):
            peak = np.asarray(self.peak_load)
            return float(usl_throughput(peak, self.contention, self.coherency, self.single_throughput))
        return self.single_throughput / self.contention if self.contention > 0.0 else math.inf


def usl_throughput(n: Floats, contention: float, coherency: float, single_throughput: float) -> Floats:
    """Return the law's throughput without checking anything (the fit tries values outside its bounds on its way)."""
    below = 1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0)
    with np.errstate(divide="ignore"):  # it may be 0, or less, at loads below 1
        return np.asarray(single_throughput * n / below)


def _as_given(result: Floats) -> Any:
    return float(result) if result.ndim == 0 else result
