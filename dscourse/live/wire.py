"""Messages on their way between processes: JSON, sealed with the cluster's secret, in one datagram each."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from dscourse.simulation.messages import SCALARS
from dscourse.simulation.peers import EverybodyElse

LARGEST = 60_000  # bytes of a message; a datagram holds 65 507
_SEAL = 16  # bytes

Classes = Mapping[str, type]  # classes of messages that no import finds, by their keys


class Parcel(NamedTuple):
    """A message with what its receiver needs to know.

    Attributes:
        sender: who sent it.
        incarnation: in which of its lives.
        number: of its messages in that life.
        sent: when, in µs.
        to: for whom.
        message: the message.
    """

    sender: str
    incarnation: int
    number: int
    sent: int
    to: str
    message: Any


def key_of_class(kind: type) -> str:
    """Under which name a class travels."""
    return f"{kind.__module__}:{kind.__qualname__}"


def to_wire(value: Any) -> Any:
    """A message, or a value in it, as JSON: tuples become lists, dataclasses objects with type and fields."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is tuple or kind is EverybodyElse:
        return [to_wire(item) for item in value]
    values = [to_wire(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return {"type": key_of_class(kind), "fields": values}


def from_wire(value: Any, classes: Classes) -> Any:
    """The message, or the value in it, that `to_wire` was given.

    Raises:
        LookupError: it is of a class that isn't known here.
    """
    if isinstance(value, list):
        return tuple(from_wire(item, classes) for item in value)
    if not isinstance(value, dict):
        return value
    kind: Any = _class_named(value["type"], classes)
    made = object.__new__(kind)  # its checks were made where it was
    for field, part in zip(dataclasses.fields(kind), value["fields"], strict=True):
        object.__setattr__(made, field.name, from_wire(part, classes))
    return made


def sealed(parcel: Parcel, secret: bytes) -> bytes:
    """A datagram that holds a parcel.

    Raises:
        ValueError: it would be too large.
    """
    content = json.dumps([*parcel[:-1], to_wire(parcel.message)], separators=(",", ":")).encode()
    if len(content) > LARGEST:
        raise ValueError(
            f"a message between processes holds at most {LARGEST} bytes, and this {type(parcel.message).__name__} to "
            f"{parcel.to} has {len(content)}; send it in parts"
        )
    return _seal_of(content, secret) + content


def opened(datagram: bytes, secret: bytes, classes: Classes) -> Parcel | None:
    """The parcel in a datagram; None if it isn't one of this cluster's."""
    seal, content = datagram[:_SEAL], datagram[_SEAL:]
    if len(content) > LARGEST or seal != _seal_of(content, secret):
        return None
    *head, message = json.loads(content)
    return Parcel._make([*head, from_wire(message, classes)])


def _seal_of(content: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(content, key=secret, digest_size=_SEAL).digest()


def _class_named(key: str, classes: Classes) -> type:
    known = classes.get(key)
    if known is not None:
        return known
    module, _, names = key.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name, None)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise LookupError(f"there is no class of messages {names} in {module}")
    return found
