"""Everybody but me: the neighbours in a complete graph, without a list of them for each node."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from dscourse.simulation.names import unknown


class EverybodyElse(Sequence[str]):
    """An immutable sequence of all ids but one, in order; it does what the tuple of the same ids does, and equals it.

    Five thousand nodes with five thousand peers each would be 200 MB of tuples. They share one.
    """

    __slots__ = ("_everybody", "_me", "_places")

    def __init__(self, everybody: tuple[str, ...], places: Mapping[str, int], me: str) -> None:
        self._everybody = everybody
        self._places = places
        self._me = places[me]

    def __len__(self) -> int:
        return len(self._everybody) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        place = operator.index(index)
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(f"there are {len(self)} peers, numbered from 0, so there is no peer {index}")
        return self._everybody[place + (place >= self._me)]

    def __iter__(self) -> Iterator[str]:
        yield from self._everybody[: self._me]
        yield from self._everybody[self._me + 1 :]

    def __contains__(self, item: object) -> bool:
        place = self._places.get(item) if isinstance(item, str) else None
        return place is not None and place != self._me

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Its place, as `tuple.index` gives it.

        Raises:
            ValueError: it is no peer, or stands outside of [start, stop).
        """
        if value in self:
            place = self._places[value] - (self._places[value] > self._me)
            if place in range(*slice(start, stop).indices(len(self))):
                return place
        raise ValueError(f"{value!r} is not among these peers; there are {len(self)} of them")

    def count(self, value: Any) -> int:
        """1 if it is a peer, else 0."""
        return int(value in self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EverybodyElse) and self._everybody is other._everybody:
            return self._me == other._me
        if isinstance(other, EverybodyElse | tuple):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __add__(self, other: tuple[Any, ...] | EverybodyElse) -> tuple[Any, ...]:
        return (*self, *other) if isinstance(other, EverybodyElse | tuple) else NotImplemented

    def __radd__(self, other: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*other, *self) if isinstance(other, tuple) else NotImplemented

    def __repr__(self) -> str:
        return f"<{len(self)} peers: {self[0]} … {self[-1]}>" if len(self) > 2 else repr(tuple(self))

    def __copy__(self) -> EverybodyElse:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> EverybodyElse:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Elsewhere there is nobody to share with: it is pickled as the tuple that it stands for."""
        return (tuple, (tuple(self),))


def no_such_peer(sender: str, to: object, peers: Sequence[str], known: Collection[str]) -> Exception:
    """What to say to a node that sends to somebody to whom it has no link."""
    if type(to) is not str:
        advice = "; send to each of them in a loop" if isinstance(to, Iterable) else ""
        return TypeError(f"send takes the id of one node, a str, got {to!r}{advice}")
    if to == sender:
        return LookupError(f"{to} has no link to itself; set_timer(name, 0) calls it back at once")
    if to not in known:
        return unknown("node", to, peers)
    shown = ", ".join(peers[:8]) + (", …" if len(peers) > 8 else "")
    return LookupError(f"{sender} has no link to {to}; its peers are {shown or 'none'}")
