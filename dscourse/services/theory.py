"""What is known in closed form about balancing load, and about calls in a row."""

from __future__ import annotations

import math

from dscourse.arguments import probability, whole


def supermarket_mean_time(load: float, choices: int = 2) -> float:
    """Return the mean time of a request, in service times, if each joins the shortest of `choices` random queues.

    Exact in the limit of very many servers: T = Σ λ^((dⁱ − d)/(d − 1)), i from 1. One choice gives 1/(1 − λ). N.
    Vvedenskaya, R. Dobrushin, F. Karpelevich, 1996; M. Mitzenmacher, IEEE TPDS 12(10), 2001, who calls it the
    supermarket model.

    Args:
        load: λ, above 0 and below 1.
        choices: d, at least 1.
    """
    share = probability("load", load, inside=True)
    d = whole("choices", choices, at_least=1)
    if d == 1:
        return 1.0 / (1.0 - share)
    total, power = 0.0, 0.0  # the powers are 0, d, d + d², …
    term = 1.0
    while term > 1e-17:
        total += term
        power = power * d + d
        term = math.exp(power * math.log(share))
    return total


def call_chain_availability(availability: float, calls: int) -> float:
    """Return the availability of a request that needs `calls` services, one after the other, all of them.

    They must fail independently of each other; see also `dscourse.fault_tolerance.series`, for unlike ones.
    """
    return probability("availability", availability) ** whole("calls", calls, at_least=0)
