"""The checks every public door of this package makes, with messages written for learners."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real


def real(name: str, value: object, *, at_least: float | None = None, above: float | None = None) -> float:
    """Return ``value`` as a float, or say what was wrong with it.

    Raises:
        TypeError: not a number (a bool is none).
        ValueError: not finite, or below the bound.
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


def whole(name: str, value: object, *, at_least: int) -> int:
    """Return ``value`` as an int, or say what was wrong with it.

    Raises:
        TypeError: not a whole number (a bool is none).
        ValueError: below ``at_least``.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}")
    return number


def probability(name: str, value: object) -> float:
    """Return ``value`` as a float between 0 and 1, or say what was wrong with it."""
    number = real(name, value, at_least=0.0)
    if number > 1.0:
        raise ValueError(f"{name} is a probability between 0 and 1, got {number:g}")
    return number


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return ``value`` if it is one of the ``allowed`` words, or name them."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value
