"""How a Byzantine node lies: what it says to each peer instead of what its code wanted to say.

A behaviour is a registered frozen dataclass with ``rewrite(rng, to, message)``. It gets a stream of luck of its own,
the addressee and the honest message, and returns the message that is really sent, or None to send nothing. Its
``words``, if it has any, say what it does after the name of a node. Write your own the same way::

    @register_behaviour
    @dataclass(frozen=True)
    class Boast:
        words: ClassVar[str] = "boasts of a later term"
        term: int

        def rewrite(self, rng, to, message):
            return replace(message, term=self.term)
"""

from __future__ import annotations

import copy
import dataclasses
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol, TypeVar

from dscourse.arguments import probability, text
from dscourse.simulation.messages import check_value
from dscourse.simulation.names import unknown


class Behaviour(Protocol):
    """What a registered behaviour looks like."""

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Return the message to send to ``to`` instead of ``message``, or None for silence."""


_REGISTERED: dict[str, type] = {}
_Class = TypeVar("_Class", bound=type)


def register_behaviour(behaviour: _Class) -> _Class:
    """Make a behaviour known by its class name, so that a scenario with it can go to JSON and back.

    Raises:
        TypeError: it isn't a frozen dataclass with ``rewrite``.
        ValueError: another class of that name is registered already.
    """
    if not (isinstance(behaviour, type) and dataclasses.is_dataclass(behaviour)):
        raise TypeError(f"a behaviour must be a frozen dataclass, got {behaviour!r}")
    if not behaviour.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{behaviour.__name__} must be frozen: @dataclass(frozen=True)")
    if not callable(getattr(behaviour, "rewrite", None)):
        raise TypeError(f"{behaviour.__name__} must have a method rewrite(self, rng, to, message)")
    known = _REGISTERED.get(behaviour.__name__)
    if known is not None and (known.__module__, known.__qualname__) != (
        behaviour.__module__,
        behaviour.__qualname__,
    ):
        raise ValueError(f"another behaviour is called {behaviour.__name__} already: {known.__module__}")
    _REGISTERED[behaviour.__name__] = behaviour
    return behaviour


def behaviour_named(name: str) -> Callable[..., Behaviour]:
    """The registered class of that name."""
    if name not in _REGISTERED:
        raise unknown("registered behaviour", name, _REGISTERED)
    return _REGISTERED[name]


def is_registered(behaviour: object) -> bool:
    """Whether ``behaviour`` is an instance of a registered class."""
    return _REGISTERED.get(type(behaviour).__name__) is type(behaviour)


def behaviour_in_words(behaviour: object) -> str:
    """Say what it does, to stand after the name of a node: "says nothing"; as code if its class has no words."""
    return str(getattr(behaviour, "words", f"behaves as {behaviour!r}"))


@register_behaviour
@dataclass(frozen=True)
class Silent:
    """Says nothing: to anybody, or to some.

    Args:
        to: whom it leaves without word; empty means everybody.
    """

    to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.to, Iterable):
            raise TypeError(f"to of Silent must be the id of a node, or several, got {self.to!r}")
        recipients = (self.to,) if isinstance(self.to, str) else tuple(self.to)
        named = tuple(text("to of Silent", node) for node in recipients)
        object.__setattr__(
            self, "to", tuple(sorted(named)) if isinstance(self.to, set | frozenset) else named
        )

    @property
    def words(self) -> str:
        """What it does."""
        return f"says nothing{' to ' + ', '.join(self.to) if self.to else ''}"

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Swallow the message."""
        return None if not self.to or to in self.to else message


@register_behaviour
@dataclass(frozen=True)
class Equivocate:
    """Tells different peers different things, and each of them always the same.

    The peer whose id ends in the number k hears value k modulo their count (a peer without a number gets one from
    a checksum of its id). Messages without the field pass as they are.

    Args:
        field: of the message that it lies about.
        values: what it says instead, at least two.
    """

    words: ClassVar[str] = "tells different peers different things"
    field: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        text("field", self.field)
        if isinstance(self.values, str | bytes) or not isinstance(self.values, Sequence):
            raise TypeError(f"values must be a tuple of things to say, such as (0, 1), got {self.values!r}")
        object.__setattr__(self, "values", tuple(self.values))
        if len(self.values) < 2:
            raise ValueError(f"values must be at least two different things to say, got {self.values!r}")
        check_value(self.values, "values")

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Put this peer's value into the field."""
        if self.field not in {field.name for field in dataclasses.fields(message)}:
            return message
        value = self.values[_number_of(to) % len(self.values)]
        return _changed(message, self.field, value)


@register_behaviour
@dataclass(frozen=True)
class Corrupt:
    """Spoils one field of a message, chosen at random, as broken memory or a broken cable would.

    A number changes, a truth value flips, a text or a tuple is turned round. (Real networks guard against this with
    checksums; a node that is itself broken computes the checksum of its own nonsense.)

    Args:
        rate: share of its messages that it spoils.
    """

    words: ClassVar[str] = "spoils what it sends"
    rate: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", probability("rate of Corrupt", self.rate))

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Spoil a field, if luck will have it."""
        fields = [field.name for field in dataclasses.fields(message) if field.init]
        spoils, which, how = rng.random() < self.rate, rng.random(), rng.random()
        if not spoils or not fields:
            return message
        field = fields[int(which * len(fields))]
        return _changed(message, field, _spoilt(getattr(message, field), how))


def _changed(message: Any, field: str, value: Any) -> Any:
    """A copy with another value, even one that the class itself would not take: nobody makes a liar check."""
    lie = copy.copy(message)
    object.__setattr__(lie, field, value)
    return lie


def _spoilt(value: Any, how: float) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ (1 << int(how * 8))
    if isinstance(value, float):
        return value * (0.5 + how) + 1.0
    if isinstance(value, str):
        return value[::-1] + "?"
    if isinstance(value, tuple):
        return value[1:] if len(value) != 1 else ()
    return None


def _number_of(node_id: str) -> int:
    digits = node_id[len(node_id.rstrip("0123456789")) :]
    return int(digits) if digits else zlib.crc32(node_id.encode())
