"""Availability arithmetic: how likely is a whole to be up, if its parts fail independently of each other?

An availability is the share of the time, in the long run, in which something does its work: a number from 0 to 1.
Everything here multiplies probabilities, so it holds only where the parts fail *independently*. Where they share a
rack, a power feed or a bug they don't: see `dscourse.fault_tolerance.shared_causes`.

Source: K. S. Trivedi, *Probability and Statistics with Reliability, Queuing, and Computer Science Applications*,
2nd edition, Wiley 2001.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dscourse.arguments import probability, real, whole

HOURS_PER_YEAR = 8766.0  # of 365.25 days
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3600.0
_MOST_STEPS = 1_000


def series(*availabilities: float) -> float:
    """Return the availability of a whole that needs *all* of its parts: the product."""
    product = 1.0
    for availability in _parts("series", availabilities):
        product *= availability
    return product


def parallel(*availabilities: float) -> float:
    """Return the availability of a whole that needs *any one* of its parts: 1 − the product of (1 − a)."""
    all_down = 1.0
    for availability in _parts("parallel", availabilities):
        all_down *= 1.0 - availability
    return 1.0 - all_down


def k_of_n(k: int, n: int, availability: float) -> float:
    """Return the availability of a whole that needs at least `k` of its `n` like parts.

    The sum of the binomial probabilities of k, k + 1, … n parts up. `k = n` is `series`, `k = 1` is `parallel`.

    Args:
        k: parts needed, 0 to n.
        n: parts there are, at least 1.
        availability: of each part.
    """
    count = whole("n", n, at_least=1)
    needed = whole("k", k, at_least=0, at_most=count)
    each = probability("availability", availability)
    if count > _MOST_STEPS:  # the sum takes n² steps; this is the same number without a sum
        from scipy import special

        return float(special.betainc(needed, count - needed + 1, each)) if needed else 1.0
    return at_least_up(needed, [each] * count)


def at_least_up(k: int, availabilities: Sequence[float]) -> float:
    """Return the chance that at least `k` of some unlike, independent parts are up (Poisson binomial)."""
    # chance[j]: exactly j of the parts so far are down. Counting those that are down keeps the small numbers exact.
    chance = [1.0]
    for availability in availabilities:
        down = 1.0 - availability
        chance = [
            (chance[j] * availability if j < len(chance) else 0.0) + (chance[j - 1] * down if j else 0.0)
            for j in range(len(chance) + 1)
        ]
    spare = len(availabilities) - k
    if spare < 0:
        return 0.0
    too_many_down = math.fsum(chance[spare + 1 :])
    return 1.0 - too_many_down if too_many_down < 0.5 else math.fsum(chance[: spare + 1])


def nines(availability: float) -> float:
    """Return the number of nines, −log₁₀(1 − a): 0.999 has 3, 0.995 has 2.3, and 1 has infinitely many."""
    down = 1.0 - probability("availability", availability)
    return math.inf if down == 0.0 else abs(-math.log10(down))


def downtime_per_year(availability: float) -> float:
    """Return the seconds a year in which it is down, on average; a year has 365.25 days (8 766 hours)."""
    return (1.0 - probability("availability", availability)) * SECONDS_PER_YEAR


def availability_from_times(mean_time_to_failure: float, mean_time_to_repair: float) -> float:
    """Return up / (up + down) from the mean time until something fails and the mean time until it works again.

    Both in the same unit, any unit. This holds for every distribution of the two times, not only the exponential. The
    mean time *between* failures (MTBF) runs from one failure to the next, repair included: MTBF = MTTF + MTTR. (Data
    sheets often print MTBF and mean MTTF; for a disk that isn't repaired the two are as good as equal.)
    """
    up = real("mean_time_to_failure", mean_time_to_failure, above=0.0)
    down = real("mean_time_to_repair", mean_time_to_repair, at_least=0.0)
    return up / (up + down)


def _parts(name: str, availabilities: Sequence[object]) -> list[float]:
    if not availabilities:
        raise TypeError(f"{name} needs at least one availability, such as {name}(0.99, 0.999)")
    return [probability("availability", each) for each in availabilities]
