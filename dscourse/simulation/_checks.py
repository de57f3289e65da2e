"""The checks that every public door makes, with messages written for learners."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from numbers import Integral, Real

MICROSECONDS = 1_000_000


def real(name: str, value: object, *, at_least: float | None = None, above: float | None = None) -> float:
    """Return ``value`` as a float, or say what was wrong with it.

    Raises:
        TypeError: not a number (a bool is none).
        ValueError: not finite, or out of bounds.
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
    """Return ``value`` as an int, or say what was wrong with it."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}")
    return number


def rate(name: str, value: object) -> float:
    """Return ``value`` as a probability between 0 and 1, or say what was wrong with it."""
    number = real(name, value)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} is a probability and must lie between 0 and 1, got {number:g}")
    return number


def text(name: str, value: object) -> str:
    """Return ``value`` if it is a non-empty str, or say what was wrong with it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {value!r}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    return value


def unknown(what: str, given: object, known: Iterable[str]) -> LookupError:
    """An error that says which names there are, the nearest first."""
    names = list(known)
    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0.6)
    if near:
        return LookupError(f"there is no {what} {given!r}; did you mean {' or '.join(map(repr, near))}?")
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return LookupError(f"there is no {what} {given!r}; there are {shown or 'none'}")


def to_microseconds(seconds: float) -> int:
    """Seconds to whole microseconds; a positive time never becomes zero."""
    return int(seconds * MICROSECONDS + 0.5) or (1 if seconds > 0 else 0)


def instant(name: str, value: object) -> int:
    """A moment of a run, in microseconds."""
    return to_microseconds(real(name, value, at_least=0.0))
