"""Checks of what a public function is given, with messages written for learners.

Each returns the value, made plain, or raises an error of one line: `name must be X, got Y`. A wrong type is a
TypeError, a wrong value a ValueError. Nothing here loads NumPy before it is handed an array to make.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from types import UnionType

    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Kind: TypeAlias = type[Any] | UnionType | tuple[type[Any], ...]

_LONGEST = 200
_WITHOUT_ORDER = (str, bytes, bytearray, Mapping, set, frozenset)  # or whose items are no items


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
        TypeError: not a number (a bool is none, nor is NumPy's span of time).
        ValueError: not finite, or out of bounds.
    """
    if not isinstance(value, Real) or _only_looks_like_a_number(value):
        raise _refused(name, "a number", value)
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
        TypeError: not a whole number (a bool is none, nor is NumPy's span of time).
        ValueError: out of bounds.
    """
    if not isinstance(value, Integral) or _only_looks_like_a_number(value):
        raise _refused(name, "a whole number", value)
    number = int(value)
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {shown(number)}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {shown(number)}")
    return number


def probability(name: str, value: object, *, inside: bool = False) -> float:
    """Return `value` as a float from 0 to 1, or inside these; else TypeError or ValueError."""
    number = real(name, value)
    if not 0.0 <= number <= 1.0 or (inside and number in {0.0, 1.0}):
        example = f"; for {number:g} per cent write {number / 100:g}" if 1.0 < number <= 100.0 else ""
        only = ", both excluded" if number in {0.0, 1.0} else ""
        raise ValueError(f"{name} must lie between 0 and 1{only}, got {number:g}{example}")
    return number


def truth(name: str, value: object) -> bool:
    """Return `value` as True or False if it is one of them, NumPy's own included; else TypeError."""
    if isinstance(value, bool) or (
        type(value).__module__ == "numpy" and type(value).__name__ in {"bool", "bool_"}
    ):
        return bool(value)
    raise _refused(name, "True or False", value)


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return `value` if it is one of the `allowed` words; else TypeError or ValueError names them."""
    words = ", ".join(map(repr, allowed))
    if not isinstance(value, str):
        raise _refused(name, f"one of {words}", value)
    if value not in allowed:
        raise ValueError(f"{name} must be one of {words}, got {shown(value)}")
    return value


def text(name: str, value: object) -> str:
    """Return `value` if it is a text with something in it; else TypeError or ValueError."""
    if not isinstance(value, str):
        raise _refused(name, "a text", value)
    if not value.strip():
        raise ValueError(f"{name} must not be empty")
    return value


def instance(name: str, value: object, kind: Kind, what: str) -> Any:
    """Return `value` if it is of a kind, described by `what`: "a run, such as scenario.run(10.0)"; else TypeError."""
    if not isinstance(value, kind):
        raise _refused(name, what, value)
    return value


def function(name: str, value: object, what: str) -> Any:
    """Return `value` if it can be called, as `what` describes: "a function of a run"; else TypeError."""
    if not callable(value):
        raise _refused(name, what, value)
    return value


def items(name: str, value: object, what: str, of: Kind = object) -> tuple[Any, ...]:
    """Return what a list or anything else with an order holds; `what` describes it: "a list of faults".

    Raises:
        TypeError: a text (which would fall into letters), a dict, a set (which has no order), nothing of the kind, or
            an item that isn't one `of` these.
    """
    if isinstance(value, _WITHOUT_ORDER) or not isinstance(value, Iterable):
        raise _refused(name, what, value)
    try:
        found = tuple(value)
    except TypeError:  # an array without dimensions
        raise _refused(name, what, value) from None
    for place, item in enumerate(found):
        if not isinstance(item, of):
            raise TypeError(f"{name} must be {what}, got {shown(item)} at position {place}")
    return found


def node_ids(name: str, value: object, *, at_least: int = 1) -> tuple[str, ...]:
    """Return a list of names of nodes, none of them empty or given twice.

    Raises:
        TypeError: no list, or a name that is no text.
        ValueError: an empty name, a name given twice, or fewer than `at_least`.
    """
    ids: dict[str, None] = {}
    for node in items(name, value, 'a list of node ids, such as ["n0", "n1"]'):
        if text(f"a node id in {name}", node) in ids:
            raise ValueError(f"{name} must name each node once, got {shown(node)} twice")
        ids[node] = None
    if len(ids) < at_least:
        raise ValueError(f"{name} must name at least {at_least} node{'s' * (at_least > 1)}, got {len(ids)}")
    return tuple(ids)


def numbers(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    or_infinite: bool = False,
    row: bool = False,
) -> Floats:
    """Return a number, or a list or array of numbers, as an array of floats of the same shape.

    Args:
        name: what the caller calls it.
        value: what was given.
        at_least: the least that each may be.
        above: each must lie above this.
        at_most: the most that each may be.
        or_infinite: whether inf is welcome; nan never is.
        row: whether it must be one row, with something in it.

    Raises:
        TypeError: not numbers all through (a bool is none).
        ValueError: a number that is not finite or out of bounds; no row.
    """
    import numpy as np

    array = _floats(name, value)
    if row and array.ndim == 0:
        raise _refused(name, "a list or an array of numbers", value)
    if row and array.ndim != 1:
        raise ValueError(f"{name} must be one row of numbers, got an array of shape {array.shape}")
    if row and not array.size:
        raise ValueError(f"{name} must not be empty")
    fit = ~np.isnan(array) if or_infinite else np.isfinite(array)
    for bound, kept in ((at_least, np.greater_equal), (above, np.greater), (at_most, np.less_equal)):
        if bound is not None:
            fit &= kept(array, bound)
    if not fit.all():
        place = int(np.argmin(fit))
        real(_place(name, array, place), array.flat[place], at_least=at_least, above=above, at_most=at_most)
    return array


def same_length(first: str, a: Collection[Any], second: str, b: Collection[Any]) -> None:
    """Refuse two rows that don't belong together."""
    if len(a) != len(b):
        raise ValueError(f"{first} and {second} must have the same length, got {len(a)} and {len(b)}")


def keep(record: object, **plain: object) -> None:
    """Put checked, plain values in the place of what a frozen dataclass was given (half-precision numbers spread)."""
    for name, value in plain.items():
        object.__setattr__(record, name, value)


def _refused(name: str, what: str, value: object) -> TypeError:
    return TypeError(f"{name} must be {what}, got {shown(value)}")


def _only_looks_like_a_number(value: object) -> bool:
    """Python counts True as 1, and NumPy a span of time as a whole number of whatever its unit is."""
    return isinstance(value, bool) or type(value).__name__ == "timedelta64"


def _floats(name: str, value: object) -> Floats:
    """Return numbers as floats, whatever their size, where they are numbers all through."""
    import numpy as np

    if value is None or isinstance(value, str | bytes | bytearray | Mapping | Set):
        raise _refused(name, "a list or an array of numbers", value)
    if isinstance(value, Iterator):
        raise TypeError(
            f"{name} must be a list or an array of numbers, got {shown(value)}; put list(…) around it"
        )
    if np.ma.is_masked(value):
        raise TypeError(f"{name} must be numbers all through, got an array with masked places")
    try:  # as objects, since NumPy would make 1 of True and a text of everything beside a text
        array: NDArray[Any] = np.asarray(value) if hasattr(value, "dtype") else np.array(value, dtype=object)
    except ValueError:
        raise TypeError(f"{name} must be a list or an array of numbers, got rows of unlike shape") from None
    if array.dtype.kind not in "iufO":
        raise TypeError(f"{name} must be a list or an array of numbers, got values of type {array.dtype}")
    if array.dtype.kind == "O" and not set(map(type, array.flat)) <= {float}:
        plain = [_float(_place(name, array, place), item) for place, item in enumerate(array.flat)]
        return np.array(plain, dtype=np.float64).reshape(array.shape)
    with np.errstate(over="ignore"):  # what is beyond all floats becomes inf
        return array.astype(np.float64)


def _float(name: str, value: object) -> float:
    """Return one number as a float; nan and inf are judged by the caller."""
    return value if type(value) is float else real(name, value)


def _place(name: str, array: NDArray[Any], place: int) -> str:
    return f"{name} at position {place}" if array.ndim else name
