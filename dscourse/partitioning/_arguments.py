"""The checks that the public doors of this package make, with messages written for learners."""

from __future__ import annotations

import math
from numbers import Integral, Real


def real(name: str, value: object, *, at_least: float | None = None, above: float | None = None) -> float:
    """Return ``value`` as a float, or say what was wrong with it.

    Raises:
        TypeError: not a number (a bool is none).
        ValueError: not finite, or outside the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least:g}, got {number:g}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be above {above:g}, got {number:g}")
    return number


def whole(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return ``value`` as an int, or say what was wrong with it.

    Raises:
        TypeError: not a whole number (a bool is none).
        ValueError: outside the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {number}")
    return number
