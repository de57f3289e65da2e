"""Checks of what a public function is given, with messages written for learners.

Each returns the value, made plain, or says what was wrong, what was given and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Set
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

# Python counts True as 1, and NumPy a span of time as a whole number of whatever its unit is.
_NO_NUMBERS = (bool, np.bool_, np.timedelta64)
_LONGEST = 200


def shown(value: object) -> str:
    """Return a value as it would be typed, for a message: cut where it is too long to be read."""
    try:
        words = repr(value)
    except Exception:  # noqa: BLE001 - also what can't be written, such as a number of 5 000 digits, needs a message
        return f"something of type {type(value).__name__}"
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def real(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a finite float.

    Raises:
        TypeError: not a number (a bool is none).
        ValueError: not finite, or out of bounds.
    """
    if isinstance(value, _NO_NUMBERS) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large to calculate with; it must be below about 1.8e308") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be above {above:g}, got {number:g}")
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least:g}, got {number:g}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most:g}, got {number:g}")
    return number


def whole(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int.

    Raises:
        TypeError: not a whole number (a bool is none).
        ValueError: out of bounds.
    """
    if isinstance(value, _NO_NUMBERS) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {shown(value)}")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {shown(number)}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {shown(number)}")
    return number


def probability(name: str, value: object) -> float:
    """Return `value` as a float between 0 and 1, both included; else TypeError or ValueError."""
    number = real(name, value)
    if not 0.0 <= number <= 1.0:
        example = f"; for {number:g} per cent write {number / 100:g}" if 1.0 < number <= 100.0 else ""
        raise ValueError(f"{name} must lie between 0 and 1, got {number:g}{example}")
    return number


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return `value` if it is one of the `allowed` words; else TypeError or ValueError names them."""
    words = ", ".join(map(repr, allowed))
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {words}, got {shown(value)}")
    if value not in allowed:
        raise ValueError(f"{name} must be one of {words}, got {shown(value)}")
    return value


def text(name: str, value: object) -> str:
    """Return `value` if it is a text with something in it; else TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {shown(value)}")
    if not value.strip():
        raise ValueError(f"{name} must not be empty")
    return value


def numbers(name: str, value: object, *, or_infinite: bool = False) -> NDArray[np.float64]:
    """Return a number, or a list or array of numbers, as an array of floats of the same shape.

    Args:
        name: what the caller calls it.
        value: what was given.
        or_infinite: whether inf is welcome; nan never is.

    Raises:
        TypeError: not numbers all through (a bool is none).
        ValueError: a number that is not finite.
    """
    if value is None or isinstance(value, str | bytes | Mapping | Set | Iterator):
        raise TypeError(f"{name} must be a list or an array of numbers, got {shown(value)}")
    if np.ma.is_masked(value):
        raise TypeError(f"{name} must be numbers all through, got an array with masked places")
    array = np.asarray(value) if hasattr(value, "dtype") else np.array(value, dtype=object)
    if array.dtype.kind not in "iufO":
        raise TypeError(f"{name} must be a list or an array of numbers, got values of type {array.dtype}")
    if array.ndim == 0 and array.dtype.kind == "O":
        return np.array(_float(name, value, or_infinite))
    if array.dtype.kind == "O":
        items = enumerate(array.ravel())
        floats = [_float(f"{name} at position {place}", item, or_infinite) for place, item in items]
        return np.array(floats, dtype=np.float64).reshape(array.shape)
    with np.errstate(over="ignore"):  # what is beyond all floats becomes inf
        plain: NDArray[np.float64] = array.astype(np.float64)
    unfit = np.isnan(plain) if or_infinite else ~np.isfinite(plain)
    if unfit.any():
        raise ValueError(f"{name} must be finite, got {plain[unfit][0]}")
    return plain


def _float(name: str, value: object, or_infinite: bool) -> float:
    if or_infinite and isinstance(value, float) and math.isinf(value):
        return float(value)
    return real(name, value)
