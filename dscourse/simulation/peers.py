"""Everybody but me: the neighbours in a complete graph, without a list of them for each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload


class EverybodyElse(Sequence[str]):
    """An immutable sequence of all ids but one, in order; equal to the tuple of the same ids.

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
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} peers, numbered from 0")
        return self._everybody[index + (index >= self._me)]

    def __iter__(self) -> Iterator[str]:
        yield from self._everybody[: self._me]
        yield from self._everybody[self._me + 1 :]

    def __contains__(self, item: object) -> bool:
        place = self._places.get(item) if isinstance(item, str) else None
        return place is not None and place != self._me

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EverybodyElse | tuple):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __add__(self, other: Sequence[str]) -> tuple[str, ...]:
        return (*self, *other)

    def __radd__(self, other: Sequence[str]) -> tuple[str, ...]:
        return (*other, *self)

    def __repr__(self) -> str:
        return f"<{len(self)} peers: {self[0]} … {self[-1]}>" if len(self) > 2 else repr(tuple(self))

    def __deepcopy__(self, _: dict[int, Any]) -> EverybodyElse:
        return self
