"""What the mathematics says about SWIM, to hold the simulation against.

Das, Gupta and Motivala, *SWIM: scalable weakly-consistent infection-style process group membership protocol*
(DSN 2002); the suspicion timeout is the one of hashicorp/memberlist (``suspicion.go``), which goes back to
Dadgar, Phillips and Currey, *Lifeguard: local health awareness for more accurate failure detection* (2018).
"""

from __future__ import annotations

import math

from dscourse.arguments import real, whole

_MOST = 10**15  # whole numbers beyond are no longer exact as floats


def swim_expected_first_detection(members: int) -> float:
    """Expected whole periods until some live member first probes the crashed one.

    Every member draws its target at random and alone, once a period: with N members the crashed one is missed
    by all N − 1 others with probability (1 − 1/(N−1))^(N−1), so the wait is geometric. For many members it
    tends to e/(e − 1) = 1.582 periods, whatever their number (SWIM paper, section 3.1).

    Args:
        members: of the group, the crashed one included; at least 2.

    Returns:
        Periods, at least 1.
    """
    others = whole("members", members, at_least=2, at_most=_MOST) - 1
    if others == 1:
        return 1.0
    return -1.0 / math.expm1(others * math.log1p(-1.0 / others))


def swim_suspicion_timeout(confirmations: int, expected: int, minimum: float, maximum: float) -> float:
    """How long a suspect may take to refute, counted from the first suspicion.

    Starts at ``maximum`` and falls with the logarithm of the independent confirmations, down to ``minimum``
    when as many have come as were expected: max − (max − min)·ln(n + 1)/ln(k + 1), at least min.

    Args:
        confirmations: n, from members other than the first accuser, at least 0.
        expected: k, at least 0; with 0 (a group too small to confirm) the minimum holds at once.
        minimum: seconds, at least 0.
        maximum: seconds, at least ``minimum``.

    Returns:
        Seconds in all, not what remains.
    """
    heard = whole("confirmations", confirmations, at_least=0)
    wanted = whole("expected", expected, at_least=0, at_most=_MOST)
    low = real("minimum", minimum, at_least=0.0)
    high = real("maximum", maximum, at_least=0.0)
    if high < low:
        raise ValueError(f"maximum must be at least the minimum of {low:g} s, got {high:g} s")
    if heard >= wanted:
        return low
    return max(low, high - (high - low) * math.log1p(heard) / math.log1p(wanted))


def swim_suspicion_bounds(
    members: int, period: float, multiplier: float = 4, maximum_multiplier: float = 6
) -> tuple[float, float]:
    """The shortest and the longest suspicion timeout in a group of this size, in seconds.

    memberlist (``util.go``, ``suspicionTimeout``): minimum = multiplier · max(1, log₁₀ N) · period; the
    longest is ``maximum_multiplier`` times that. The logarithm gives a rumour time to reach everyone.
    """
    size = whole("members", members, at_least=1)
    factor = real("multiplier", multiplier, at_least=0.0)
    low = factor * max(1.0, math.log10(size)) * real("period", period, above=0.0)
    return low, low * real("maximum_multiplier", maximum_multiplier, at_least=1.0)


def swim_expected_confirmations(members: int, multiplier: float = 4) -> int:
    """How many confirmations of a suspicion are waited for: two less than the multiplier.

    memberlist (``state.go``, ``suspectNode``): none are expected in a group too small to give them.
    """
    size = whole("members", members, at_least=1)
    expected = max(0, math.floor(real("multiplier", multiplier, at_least=0.0)) - 2)
    return expected if size - 2 >= expected else 0


def swim_retransmissions(members: int, multiplier: int = 4) -> int:
    """How often a member passes on a rumour: multiplier · ⌈log₁₀(N + 1)⌉ as memberlist does."""
    size = whole("members", members, at_least=1)
    # Digits of N, not a float logarithm: exact at the powers of ten.
    return whole("multiplier", multiplier, at_least=1) * len(str(size))
