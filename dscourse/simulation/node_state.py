"""The state of a node: which of it is shown, when it is the same as before, and how it is copied."""

from __future__ import annotations

import contextlib
import copy
import math
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from dscourse.simulation.node import Context

TO_LOOK_AT = "to look at"  # in the memo of a deep copy
_IMMUTABLE = frozenset({bool, int, float, str, bytes, type(None)})
_NOT_STATE = frozenset({"node_id", "peers"})  # who it is and whom it knows: a picture shows that anyway


class _Shown(dict[str, bool]):
    """Whether an attribute of this name is shown; each name is looked at once, since a search asks a million times."""

    def __missing__(self, name: str) -> bool:
        self[name] = not name.startswith("_") and name not in _NOT_STATE
        return self[name]


_IS_SHOWN = _Shown()


def shown_fields(node: Any) -> dict[str, Any]:
    """A node's attributes and properties whose names begin with no underscore, not copied; of functions their names."""
    own = getattr(node, "__dict__", None)
    fields: dict[str, Any] = {}
    if type(own) is dict:
        fields = {name: value for name, value in own.items() if _IS_SHOWN[name]}
    kind: Any = type(node)
    for name in _names_of_class(kind):
        if name not in fields:
            with contextlib.suppress(Exception):  # a property that has no value yet is simply not shown
                fields[name] = getattr(node, name)
    for value in fields.values():
        if type(value) not in _IMMUTABLE:
            return {
                name: value.__name__ if isinstance(value, MethodType | FunctionType) else value
                for name, value in fields.items()  # a copy of a method would be a copy of its node
                if not isinstance(value, Context)  # its hands and eyes are no state
            }
    return fields


def public_fields(node: Any) -> dict[str, Any]:
    """Copies of what `shown_fields` gives."""
    fields = shown_fields(node)
    for name, value in fields.items():
        if type(value) in _IMMUTABLE:
            continue
        try:
            fields[name] = copied(value, {TO_LOOK_AT: True})
        except Exception:  # noqa: BLE001 - an open file, a generator: better a word than nothing
            fields[name] = repr(value)
    return fields


def same_value(a: Any, b: Any) -> bool:
    """Whether two values of a public field look the same; objects without equality of their own go by their parts."""
    return _look_alike(a, b, [])


def _look_alike(a: Any, b: Any, met: list[tuple[Any, Any]]) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        if a == b:
            return True
    except ValueError:  # arrays: their truth is one for each element
        if not isinstance(a, list | tuple | dict):
            return repr(a) == repr(b)
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_look_alike(x, y, met) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_look_alike(value, b[key], met) for key, value in a.items())
    if hasattr(a, "__dict__") and type(a).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
        if any(a is x and b is y for x, y in met):  # it leads back to itself
            return True
        met.append((a, b))
        return _look_alike(vars(a), vars(b), met)
    return False


@cache
def _names_of_class(kind: type) -> tuple[str, ...]:
    """Public slots and properties, which no instance lists."""
    names: list[str] = []
    for one in kind.__mro__[:-1]:
        slots = one.__dict__.get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
        names += [name for name, value in vars(one).items() if isinstance(value, property)]
    return tuple(name for name in names if not name.startswith("_"))


def copied(value: Any, memo: dict[Any, Any] | None = None) -> Any:
    """A deep copy; what can't change is its own copy, also within a list: a log has thousands of such entries."""
    if _is_flat(value):
        return value
    if type(value) is list and all(map(_is_flat, value)):
        return list(value)
    return copy.deepcopy(value, memo)


def _is_flat(value: Any) -> bool:
    return type(value) in _IMMUTABLE or (type(value) is tuple and all(map(_is_flat, value)))
