"""What the parts of a scenario in JSON must look like. What doesn't is refused in words, with a ValueError."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, TypeVar

_Kind = TypeVar("_Kind")
_WORDS: dict[type, str] = {
    bool: "true or false", int: "a whole number", str: "a text", list: "a list", dict: "an object"
}  # fmt: skip


def part(what: str, value: Any, kind: type[_Kind]) -> _Kind:
    """Return ``value`` if it is of that very kind: bool, int, str, list or dict."""
    if type(value) is not kind:
        raise ValueError(f"{what} in JSON should be {_WORDS[kind]}, got {value!r}")
    return value


def row(what: str, value: Any, *kinds: type) -> list[Any]:
    """Return ``value`` if it is a list with one entry of each kind, in this order."""
    if type(value) is not list or len(value) != len(kinds):
        words = ", ".join(_WORDS[kind] for kind in kinds)
        raise ValueError(f"{what} in JSON should be a list of {words}, got {value!r}")
    return [
        part(f"entry {i} of {what}", item, kind)
        for i, (item, kind) in enumerate(zip(value, kinds, strict=True))
    ]


def named(what: str, example: str, value: Any) -> tuple[str, Any]:
    """The name and the content of an object with one entry."""
    if type(value) is not dict or len(value) != 1:
        raise ValueError(f"{what} in JSON looks like {example}, got {value!r}")
    ((name, content),) = value.items()
    return name, content


def check_fields(what: str, value: Any, known: Collection[str], needed: Collection[str] = ()) -> None:
    """Refuse what is no object, has fields that nobody knows, or lacks one that is needed."""
    for name in part(what, value, dict):
        if name not in known:
            raise ValueError(
                f"{what} has no field {name!r}; it has {', '.join(known)}. Was it made with a newer dscourse?"
            )
    missing = [name for name in needed if name not in value]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")


def rebuilt(kind: Any, fields: Any) -> Any:
    """A dataclass made of its fields; those without a default are needed."""
    known = dataclasses.fields(kind)
    needed = [
        field.name
        for field in known
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    check_fields(kind.__name__, fields, [field.name for field in known], needed)
    return kind(**fields)
