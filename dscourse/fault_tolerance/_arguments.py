"""What every public door of this package checks, with messages a learner can act on."""

from __future__ import annotations

import math
from numbers import Integral, Real


def real(name: str, value: object, *, above: float | None = None, at_least: float | None = None) -> float:
    """Return ``value`` as a finite float, or say what was wrong with it.

    Raises:
        TypeError: no number (a bool is none).
        ValueError: nan, infinite, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be above {above:g}, got {number:g}")
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least:g}, got {number:g}")
    return number


def whole(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return ``value`` as an int, or say what was wrong with it.

    Raises:
        TypeError: no whole number (a bool is none).
        ValueError: out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {number}")
    return number


def probability(name: str, value: object) -> float:
    """Return ``value`` as a float between 0 and 1, or say what was wrong with it."""
    number = real(name, value)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} is a share of time between 0 and 1, got {number:g} (99.9 % is 0.999)")
    return number


def text(name: str, value: object) -> str:
    """Return ``value`` if it is a text that isn't empty, or say what was wrong with it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r}")
    if not value.strip():
        raise ValueError(f"{name} must not be empty")
    return value
