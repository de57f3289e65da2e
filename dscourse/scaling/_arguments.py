"""The checks that only this package makes of its arguments, beside those of `dscourse.arguments`."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import real, shown

Floats = NDArray[np.float64]
LARGEST = 1e100  # beyond it, squares and products of a few numbers leave the range of floats
LEAST = 1e-100
MOST = 10**9  # of what is counted, for example servers


def inner_fraction(name: str, value: object) -> float:
    """Return ``value`` as a float strictly between 0 and 1, or say what was wrong with it."""
    number = real(name, value)
    if not 0.0 < number < 1.0:
        example = f"; for {number:g} per cent write {number / 100:g}" if 1.0 < number < 100.0 else ""
        raise ValueError(f"{name} must lie between 0 and 1, got {number:g}{example}")
    return number


def numbers(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    scalar: bool = False,
) -> Floats:
    """Return ``value`` as an array of floats, or say what was wrong with it.

    Args:
        name: what the caller calls it.
        value: a list, tuple, array or Series of numbers.
        at_least: the least value allowed.
        above: every value must lie above this.
        at_most: the largest value allowed.
        scalar: a single number and any shape are welcome too; otherwise it must be a non-empty row of numbers.

    Raises:
        TypeError: not numbers.
        ValueError: empty, not one row, not finite, or out of bounds.
    """
    if scalar and isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        return np.asarray(real(name, value, at_least=at_least, above=above, at_most=at_most))
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
    if at_most is not None and array.max() > at_most:
        raise ValueError(f"{name} must be at most {at_most:g} everywhere, got {array.max():g}")
    return array


def _as_array(name: str, value: object) -> Floats:
    if isinstance(value, str | bytes | bytearray | dict | set) or value is None:
        raise TypeError(f"{name} must be a list or array of numbers, got {shown(value)}")
    if isinstance(value, Iterator):
        raise TypeError(
            f"{name} must be a list or array of numbers, got {shown(value)}; put list(…) around it"
        )
    if np.ma.is_masked(value):
        raise TypeError(f"{name} must be numbers all through, got an array with masked places")
    try:
        array: NDArray[Any] = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name} must be a list or array of numbers, got rows of different length") from None
    if array.ndim == 0 and not hasattr(value, "__array__"):
        raise TypeError(f"{name} must be a list or array of numbers, got {shown(value)}")
    if not hasattr(value, "dtype"):
        _refuse_booleans(name, value, array.ndim)
    if array.dtype.kind == "O":
        return _one_by_one(name, array)
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a list or array of numbers, got values of type {array.dtype}")
    with np.errstate(over="ignore"):  # a number beyond all floats becomes inf, which the caller refuses
        return array.astype(np.float64)


def _refuse_booleans(name: str, value: Any, depth: int) -> None:
    """Refuse True and False among numbers: NumPy would silently make them 1 and 0."""
    if depth > 1:
        for row in value:
            _refuse_booleans(name, row, depth - 1)
    elif depth == 1 and not {bool, np.bool_}.isdisjoint(map(type, value)):
        place = next(index for index, item in enumerate(value) if isinstance(item, bool | np.bool_))
        raise TypeError(f"{name} at position {place} must be a number, got {value[place]}")


def _one_by_one(name: str, array: NDArray[Any]) -> Floats:
    """Return values that NumPy has no type for, such as fractions or very large numbers, as floats."""
    floats = [real(f"{name} at position {place}", item) for place, item in enumerate(array.ravel())]
    return np.array(floats, dtype=np.float64).reshape(array.shape)


def keep(record: object, **plain: object) -> None:
    """Put checked, plain values in the place of what a frozen dataclass was given (half-precision numbers spread)."""
    for name, value in plain.items():
        object.__setattr__(record, name, value)


def same_length(first: str, a: Floats, second: str, b: Floats) -> None:
    """Refuse two rows that don't belong together."""
    if a.size != b.size:
        raise ValueError(f"{first} and {second} must have the same length, got {a.size} and {b.size}")
