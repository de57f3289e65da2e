"""When two states of a node are the same: a key made of everything that it holds.

Two states with the same key behave alike from then on. So the key takes in types, the order of a dict, and whether two
attributes hold the same list or two equal ones; of a set, which has no order, only what is in it. What a node may not
rely on, such as the order in which its attributes were made, is left out.
"""

from __future__ import annotations

import hashlib
from functools import cache
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from dscourse.simulation.node import Context

_MADE_BY_CLASS = 1 << 9  # a flag of types: made by a class statement, not built in
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


def state_key(value: Any, *constants: Any) -> tuple[bytes, int]:
    """A key of 16 bytes for a value, and how many letters it takes to tell all that the value holds.

    Args:
        value: anything that can be copied.
        constants: objects that are in every such value and need not be gone into.

    Raises:
        TypeError: something in it can't be told apart from others like it, such as a generator.
    """
    writer = _Writer()
    for number, constant in enumerate(constants):
        writer.known[id(constant)] = number
    writer.write(value)
    told = "".join(writer.out).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told, digest_size=16).digest(), len(told)


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.known: dict[int, int] = {}  # id of an object that may change → its number
        self._kept: list[Any] = []  # else another object could get the id of one that was made on the way

    def write(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN:
            self.out.append(repr(value))
            self.out.append(",")
        elif kind is tuple:
            self._write_all("(", value)
        elif kind is frozenset:
            self._write_set("frozen", value)
        elif isinstance(value, Context):
            self.out.append("ctx,")
        elif isinstance(value, type):
            self.out.append(f"{value.__module__}.{value.__qualname__},")
        elif id(value) in self.known:
            self.out.append(f"@{self.known[id(value)]},")
        else:
            self._write_object(value, kind)

    def _write_object(self, value: Any, kind: type) -> None:
        if not _is_frozen(kind):
            self.known[id(value)] = len(self.known)
        self._kept.append(value)
        if kind is list:
            self._write_all("[", value)
        elif kind is dict:
            self._write_all("{", [part for item in value.items() for part in item])
        elif kind is set:
            self._write_set("", value)
        elif isinstance(value, Random):
            self.out.append(repr(value.getstate()))
        elif isinstance(value, FunctionType | BuiltinFunctionType):
            cells = getattr(value, "__closure__", None) or ()
            defaults = [getattr(value, name, None) for name in ("__defaults__", "__kwdefaults__")]
            place = _place_of(value.__code__) if isinstance(value, FunctionType) else ""
            head = f"{value.__module__}.{value.__qualname__}{place}"
            self._write_all(head, [*defaults, *map(_content, cells)])
        elif isinstance(value, MethodType):
            self._write_all("method", [value.__func__, value.__self__])
        elif _has_dict_only(kind):
            self._write_all(f"{kind.__module__}.{kind.__qualname__}", _in_order(vars(value)))
        else:
            self._write_reduced(value)

    def _write_reduced(self, value: Any) -> None:
        """What a copy of it would be made of."""
        made = value.__reduce_ex__(4)  # TypeError for what can't be copied
        if isinstance(made, str):
            self.out.append(made + ",")
            return
        function, arguments, state, items, pairs = (*made, None, None, None)[:5]
        state = _in_order(state) if type(state) is dict else state
        parts = [function, arguments, state, None if items is None else list(items)]
        parts.append(None if pairs is None else list(pairs))
        self._kept.append(parts)
        for part in parts:
            self.write(part)

    def _write_all(self, head: str, parts: Any) -> None:
        self.out.append(head)
        for part in parts:
            self.write(part)
        self.out.append(";")

    def _write_set(self, head: str, value: Any) -> None:
        outer, written = self.out, []
        for item in value:
            self.out = []
            self.write(item)
            written.append("".join(self.out))
        self.out = outer
        self.out.append(f"{head}<" + "".join(sorted(written)) + ">")


def _in_order(state: dict[str, Any]) -> list[Any]:
    return [part for name in sorted(state) for part in (name, state[name])]


@cache
def _place_of(code: Any) -> str:
    """Where a piece of code stands, letter by letter: two lambdas may have one name, and share a line."""
    told = repr((code.co_filename, list(code.co_positions())))
    return "@" + hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


@cache
def _has_dict_only(kind: Any) -> bool:
    """Whether all there is to an object of that kind stands in its ``__dict__``."""
    ordinary = ("__reduce_ex__", "__reduce__", "__getstate__")
    return all(getattr(kind, name, None) is getattr(object, name, None) for name in ordinary) and all(
        one.__flags__ & _MADE_BY_CLASS and not one.__dict__.get("__slots__") for one in kind.__mro__[:-1]
    )


@cache
def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
