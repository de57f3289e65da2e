"""The checks every public door of this package makes, with messages written for learners."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def real(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return ``value`` as a float, or say what was wrong with it.

    Raises:
        TypeError: not a number (a bool is none).
        ValueError: not finite, or out of bounds.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least:g}, got {number:g}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be above {above:g}, got {number:g}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most:g}, got {number:g}")
    return number


def whole(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return ``value`` as an int, or say what was wrong with it.

    Raises:
        TypeError: not a whole number (a bool is none).
        ValueError: out of bounds.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
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
        raise ValueError(f"{name} must lie between 0 and 1, got {number:g}")
    return number


def inner_fraction(name: str, value: object) -> float:
    """Return ``value`` as a float strictly between 0 and 1, or say what was wrong with it."""
    number = real(name, value)
    if not 0.0 < number < 1.0:
        example = f"; for {number:g} per cent write {number / 100:g}" if 1.0 < number < 100.0 else ""
        raise ValueError(f"{name} must lie between 0 and 1, got {number:g}{example}")
    return number


def text(name: str, value: object) -> str:
    """Return ``value`` if it is a text with something in it, or say what was wrong with it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {value!r}")
    if not value.strip():
        raise ValueError(f"{name} must not be empty")
    return value


def numbers(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    scalar: bool = False,
) -> Floats:
    """Return ``value`` as an array of floats, or say what was wrong with it.

    Args:
        name: what the caller calls it.
        value: a list, tuple, array or Series of numbers.
        at_least: the least value allowed.
        above: every value must lie above this.
        scalar: a single number and any shape are welcome too; otherwise it must be a non-empty row of numbers.

    Raises:
        TypeError: not numbers.
        ValueError: empty, not one row, not finite, or out of bounds.
    """
    if scalar and isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        return np.asarray(real(name, value, at_least=at_least, above=above))
    array = _as_array(name, value)
    if array.ndim != 1 and not scalar:
        raise ValueError(f"{name} must be one row of numbers, got an array of shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty")
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array.ravel()))[0])
        raise ValueError(f"{name} must be finite, got {array.ravel()[place]} at position {place}")
    least = float(array.min())
    if at_least is not None and least < at_least:
        raise ValueError(f"{name} must be at least {at_least:g} everywhere, got {least:g}")
    if above is not None and least <= above:
        raise ValueError(f"{name} must be above {above:g} everywhere, got {least:g}")
    return array


def _as_array(name: str, value: object) -> Floats:
    if isinstance(value, str | bytes | dict | set) or value is None:
        raise TypeError(f"{name} must be a list or array of numbers, got {value!r}")
    try:
        array: NDArray[Any] = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name} must be a list or array of numbers, got rows of different length") from None
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a list or array of numbers, got values of type {array.dtype}")
    if array.ndim == 0 and not hasattr(value, "__array__"):
        raise TypeError(f"{name} must be a list or array of numbers, got {value!r}")
    return array.astype(np.float64)


def same_length(first: str, a: Floats, second: str, b: Floats) -> None:
    """Refuse two rows that don't belong together."""
    if a.size != b.size:
        raise ValueError(f"{first} and {second} must have the same length, got {a.size} and {b.size}")
