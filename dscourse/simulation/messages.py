"""What may travel between nodes: small frozen dataclasses that go to JSON and back.

A message that could still be changed after it was sent would let two nodes share memory, which no network allows.
So `send` takes only frozen dataclasses, and looks into them.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any

from dscourse.simulation.peers import EverybodyElse

SCALARS = frozenset({bool, int, float, str, type(None)})

canonical_json = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


@dataclass(frozen=True)
class Request:
    """What a client sends to a node. Answer with ``ctx.send(sender, Reply(message.number, "ok", value))``.

    Attributes:
        number: of the client's operation; the reply must carry the same.
        operation: what is asked for.
    """

    number: int
    operation: Any


@dataclass(frozen=True)
class Reply:
    """What a node answers to a client.

    Attributes:
        number: of the request.
        outcome: ``"ok"`` or ``"fail"``; "fail" says for certain that the operation had no effect.
        value: the result, if there is one.
    """

    number: int
    outcome: str
    value: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.outcome, str) or self.outcome not in ("ok", "fail"):
            raise ValueError(f'outcome of a Reply must be "ok" or "fail", got {self.outcome!r}')


@dataclass(frozen=True)
class _Shape:
    name: str
    fields: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    head: str  # of its JSON


_SHAPES: dict[type, _Shape] = {}


def encode(message: Any) -> str:
    """The canonical JSON of a message: ``["Ping",3]``, type name and fields in their order.

    Raises:
        TypeError: it isn't a frozen dataclass, or holds something that may not travel.
        ValueError: it holds a NaN or an infinite number.
    """
    shape = _SHAPES.get(type(message)) or _learn(message)
    try:
        # Most messages hold scalars only. Their JSON is put together here, in a quarter of the time.
        return shape.head + "".join([_TEXT[type(value)](value) for value in shape.values(message)]) + "]"
    except (KeyError, ValueError):
        return canonical_json(_plain(message, shape.name))


def _finite(value: float) -> str:
    if value - value != 0.0:
        raise ValueError
    return "," + repr(value)


_TEXT: dict[type, Callable[[Any], str]] = {
    int: lambda value: f",{value}",
    float: _finite,
    str: lambda value: "," + encode_basestring_ascii(value),
    bool: {True: ",true", False: ",false"}.__getitem__,
    type(None): lambda _: ",null",
}


def says_the_same(a: Any, b: Any) -> bool:
    """Whether two messages that were sent have the same canonical JSON; much faster than making it."""
    kind = type(a)
    if kind is not type(b):
        return canonical_json(_plain(a, "")) == canonical_json(
            _plain(b, "")
        )  # a class defined once more may agree
    if kind is float:
        return a == b and (a != 0.0 or str(a) == str(b))
    if kind in SCALARS:
        return bool(a == b)
    if kind is tuple or kind is EverybodyElse:
        return len(a) == len(b) and all(map(says_the_same, a, b))
    values = (_SHAPES.get(kind) or _learn(a)).values
    return all(map(says_the_same, values(a), values(b)))


def check_value(value: Any, where: str) -> None:
    """Raise TypeError or ValueError if ``value`` could not stand in a field of a message."""
    _plain(value, where)


def message_fields(message: Any) -> dict[str, Any]:
    """The fields of a message as plain JSON values; a dataclass inside becomes ``{"type": name, …}``."""
    shape = _SHAPES.get(type(message)) or _learn(message)
    return {field: readable(value) for field, value in zip(shape.fields, shape.values(message), strict=True)}


def readable(value: Any) -> Any:
    """A value of a field as plain JSON: tuples become lists, dataclasses dicts with their type name."""
    if isinstance(value, tuple | EverybodyElse):
        return [readable(item) for item in value]
    if type(value) in SCALARS:
        return value
    return {"type": type(value).__name__, **message_fields(value)}


def plain_json(value: Any, where: str) -> Any:
    """A deep copy of ``value`` made of JSON values only.

    Raises:
        TypeError: something in it has no JSON form.
        ValueError: a NaN or an infinite number.
    """
    kind = type(value)
    if kind in SCALARS:
        if kind is float and not math.isfinite(value):
            raise ValueError(f"{where} is {value}; only finite numbers have a JSON form")
        return value
    if isinstance(value, list | tuple | EverybodyElse):
        return [plain_json(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise TypeError(f"{where} has the key {key!r}; keys must be str")
        return {key: plain_json(value[key], f"{where}[{key!r}]") for key in value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        _plain(value, where)
        return readable(value)
    raise TypeError(f"{where} is {_a(value)}, which has no JSON form; {_advice(value)}")


def _plain(value: Any, where: str) -> Any:
    kind = type(value)
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{where} is {value}; a message holds only finite numbers")
    if kind in SCALARS:
        return value
    if kind is tuple or kind is EverybodyElse:
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shape = _SHAPES.get(kind) or _learn(value)
        fields = zip(shape.fields, shape.values(value), strict=True)
        return [shape.name, *(_plain(item, f"{where}.{field}") for field, item in fields)]
    raise TypeError(
        f"{where} is {_a(value)}; a message holds bool, int, float, str, None, tuples and frozen dataclasses of "
        f"these. {_advice(value)}"
    )


def _learn(message: Any) -> _Shape:
    kind = type(message)
    if not dataclasses.is_dataclass(message) or isinstance(message, type):
        raise TypeError(
            f"a message must be a frozen dataclass, got {_a(message)}. Write @dataclass(frozen=True) above a class "
            "with the fields that you want to send, and send an instance of it."
        )
    if "__dataclass_params__" not in vars(kind):
        raise TypeError(
            f"{kind.__name__} is derived from a frozen dataclass, but is none itself, so its instances could still be "
            f"changed; write @dataclass(frozen=True) above {kind.__name__}, too"
        )
    if not kind.__dataclass_params__.frozen:
        raise TypeError(
            f"{kind.__name__} is a dataclass that can still be changed after it was sent; write "
            "@dataclass(frozen=True) above it"
        )
    fields = tuple(field.name for field in dataclasses.fields(message))
    shape = _Shape(kind.__name__, fields, _getter(fields), "[" + canonical_json(kind.__name__))
    _SHAPES[kind] = shape
    return shape


def _getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not fields:
        return lambda _: ()
    if len(fields) == 1:
        (only,) = fields
        return lambda message: (getattr(message, only),)
    return attrgetter(*fields)


def _a(value: Any) -> str:
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 60 else shown[:57] + '…'}"


def _advice(value: Any) -> str:
    if isinstance(value, list | set | frozenset):
        return "Make it a tuple: tuple(sorted(...)) or tuple(...)."
    if isinstance(value, dict):
        return "Make it a tuple of pairs: tuple(d.items())."
    if type(value).__module__ == "numpy" or isinstance(value, int | float | str):
        return "Convert it first: int(...), float(...), str(...) or .value of an enum."
    return "Send its parts."
