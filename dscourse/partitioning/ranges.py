"""Ranges of sorted keys, each with an owner; a range that grows is split.

F. Chang and others, *Bigtable*, OSDI 2006 (tablets); HBase calls them regions, CockroachDB ranges, MongoDB chunks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import whole
from dscourse.partitioning.fleet import Fleet, checked_names
from dscourse.partitioning.keys import Key, key_column, plain_key
from dscourse.partitioning.partitioner import choose_replicas
from dscourse.readable import readable_number

_MOST_CUTS = 1_000_000


@dataclass(frozen=True)
class KeyRange:
    """Keys from `start` up to, not including, `end`; None means without a bound."""

    start: Key | None
    end: Key | None
    node: str

    def __str__(self) -> str:
        start = "…" if self.start is None else repr(self.start)
        end = "…" if self.end is None else repr(self.end)
        return f"[{start}, {end}) on {self.node}"


class RangePartitioner:
    """Cuts the sorted keys at boundaries and gives every range to a node.

    Keys that are close together stay together, so a scan over a range asks few nodes; for the same reason keys that
    are written in order all go to one node. Range i holds the keys from boundary i − 1 up to, not including,
    boundary i.

    Args:
        boundaries: sorted, distinct keys of one kind.
        nodes: the owner of each range, one more than there are boundaries; a node may own several.

    Raises:
        TypeError: boundaries of more than one kind, or not of the kind of the keys.
        ValueError: boundaries out of order, or not one owner for each range.

    Example:
        >>> names = RangePartitioner(["h", "q"], ["n0", "n1", "n2"])
        >>> names.owner("mary")
        'n1'
    """

    def __init__(self, boundaries: Sequence[Key], nodes: Iterable[str]) -> None:
        cuts = _sorted_cuts(boundaries)
        owners = list(checked_names(nodes))
        if not owners:
            raise ValueError("A partitioner needs at least one node, got none")
        self._fleet = Fleet.of(dict.fromkeys(owners))
        if len(owners) != len(cuts) + 1:
            raise ValueError(
                f"{len(cuts)} boundaries make {len(cuts) + 1} ranges, each with an owner; got {len(owners)} owners"
            )
        self._cuts: list[Key] = cuts
        self._owners: list[str] = owners

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes, in the order in which they joined."""
        return self._fleet.nodes

    @property
    def weights(self) -> dict[str, float]:
        """1 for each: ranges have no weights, they are moved."""
        return dict.fromkeys(self.nodes, 1.0)

    @property
    def boundaries(self) -> list[Key]:
        """The keys at which a new range begins."""
        return list(self._cuts)

    @property
    def ranges(self) -> list[KeyRange]:
        """All ranges in the order of keys."""
        ends = [None, *self._cuts, None]
        return [
            KeyRange(start, end, node)
            for start, end, node in zip(ends[:-1], ends[1:], self._owners, strict=True)
        ]

    @property
    def table_bytes(self) -> int:
        """The boundaries (8 bytes a number, one a character) and an owner of 4 bytes for each range."""
        sizes = (8 if isinstance(cut, int) else len(cut) for cut in self._cuts)
        return sum(sizes) + 4 * len(self._owners)

    def owner(self, key: Key) -> str:
        """Return the node that owns a key.

        Raises:
            TypeError: if it isn't of the kind of the boundaries.
        """
        return self._owners[self._range_of(key)]

    def owners(self, keys: Any) -> npt.NDArray[np.str_]:
        """Return the owners of an array of keys, the same that `owner` gives for each."""
        return np.array(self.nodes)[self.owner_indices(keys)]

    def owner_indices(self, keys: Any) -> npt.NDArray[np.intp]:
        """Return the owners as places in `nodes`."""
        places = np.array([self._fleet.place(node) for node in self._owners], dtype=np.intp)
        return places[self.range_indices(keys)]

    def range_indices(self, keys: Any) -> npt.NDArray[np.intp]:
        """Return the number of the range of each key."""
        column = key_column(keys)
        if not len(column) or not self._cuts:
            return np.zeros(len(column), dtype=np.intp)
        self._check_kind(int(column[0]) if isinstance(column, np.ndarray) else column[0])
        if isinstance(column, np.ndarray):
            return self._search_numbers(column)
        return np.fromiter(
            (bisect_right(self._cuts, key) for key in column),  # type: ignore[type-var]
            dtype=np.intp,
            count=len(column),
        )

    def counts(self, keys: Any) -> dict[str, int]:
        """Return how many of the keys (or requests) fall into each range, by its description."""
        inside = np.bincount(self.range_indices(keys), minlength=len(self._owners))
        return dict(zip(map(str, self.ranges), inside.tolist(), strict=True))

    def add_node(self, node: str, weight: float = 1.0) -> None:
        """Let a node join and take over whole ranges, from whoever has most, up to its fair share of the ranges.

        As long as there are fewer ranges than nodes it gets none: split first.

        Raises:
            ValueError: if it is there already, or has a weight other than 1.
        """
        fleet = self._fleet.plus(node, weight)
        if fleet.weights[-1] != 1.0:
            raise ValueError("RangePartitioner has no weights: move ranges instead")
        self._fleet = fleet
        for _ in range(len(self._owners) // len(fleet.nodes)):
            self._owners[self._last_range_of(self._fullest())] = node

    def remove_node(self, node: str) -> None:
        """Let a node leave; its ranges go, one at a time, to the node that has fewest.

        Raises:
            LookupError: if it isn't there.
            ValueError: if it is the last one.
        """
        self._fleet = self._fleet.minus(node)
        for number, owner in enumerate(self._owners):
            if owner == node:
                self._owners[number] = min(self.nodes, key=self._owners.count)

    def replicas(self, key: Key, count: int, racks: Mapping[str, str] | None = None) -> list[str]:
        """Return distinct nodes to hold copies of a key: its owner, then the owners of the ranges that follow."""
        return choose_replicas(self._preferred_nodes(key), self.nodes, count, racks)

    def split(self, at: Key) -> None:
        """Let a new range begin at a key. Both halves stay where they are: a split moves nothing.

        Raises:
            ValueError: if a range begins there already.
        """
        number = self._range_of(at)
        cut = plain_key(at)
        if number and self._cuts[number - 1] == cut:
            raise ValueError(f"A range begins at {cut!r} already")
        self._cuts.insert(number, cut)
        self._owners.insert(number, self._owners[number])

    def move(self, key: Key, node: str) -> None:
        """Hand the range that holds a key to a node.

        Raises:
            LookupError: if there is no such node.
        """
        self._fleet.place(node)
        self._owners[self._range_of(key)] = node

    def split_above(self, keys: Any, most: int) -> int:
        """Split every range that holds more than `most` of these keys at its median, until none does.

        Requests count as often as they come in `keys`. A range whose keys are all the same can't be split: no boundary
        divides one hot key.

        Returns:
            How many ranges are still above `most`.
        """
        limit = whole("most", most, at_least=1)
        ordered = self._in_order(keys)
        number = 0
        stuck = 0
        while number < len(self._owners):
            inside = self._slice(ordered, number)
            cut = _median_cut(inside) if len(inside) > limit else None
            if cut is None:
                stuck += len(inside) > limit
                number += 1
            else:
                self.split(cut)
        return stuck

    def nodes_for_scan(self, start: Key, end: Key) -> list[str]:
        """Return the nodes that a scan over [start, end) has to ask, in the order of their keys."""
        first, last = self._range_of(start), self._range_of(end)
        if plain_key(start) >= plain_key(end):  # type: ignore[operator]
            raise ValueError(f"A scan goes from a lower to a higher key, got {start!r} to {end!r}")
        if self._cuts and last and self._cuts[last - 1] == plain_key(end):
            last -= 1
        return list(dict.fromkeys(self._owners[first : last + 1]))

    def __repr__(self) -> str:
        return f"RangePartitioner of {len(self._owners)} ranges on {len(self.nodes)} nodes"

    def _range_of(self, key: Key) -> int:
        plain = plain_key(key)
        self._check_kind(plain)
        return bisect_right(self._cuts, plain)  # type: ignore[type-var]

    def _check_kind(self, key: Key) -> None:
        if self._cuts and type(self._cuts[0]) is not type(key):
            raise TypeError(
                f"The boundaries are of kind {type(self._cuts[0]).__name__}, so they can't be compared with {key!r}"
            )

    def _search_numbers(self, column: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Search in the type of the keys; NumPy would compare signed with unsigned numbers as inexact floats."""
        limits = np.iinfo(column.dtype)
        cuts: list[Any] = self._cuts
        below = bisect_left(cuts, limits.min)
        above = bisect_right(cuts, limits.max)
        return below + np.searchsorted(np.array(cuts[below:above], dtype=column.dtype), column, side="right")

    def _preferred_nodes(self, key: Key) -> Iterator[str]:
        number = self._range_of(key)
        yield from self._owners[number:]
        yield from self._owners[:number]
        yield from self.nodes

    def _fullest(self) -> str:
        return max(self.nodes[:-1], key=self._owners.count)

    def _last_range_of(self, node: str) -> int:
        return len(self._owners) - 1 - self._owners[::-1].index(node)

    def _in_order(self, keys: Any) -> list[Any]:
        column = key_column(keys)
        ordered = sorted(column.tolist() if isinstance(column, np.ndarray) else column)
        for key in ordered[:1]:
            self._check_kind(key)
        return ordered

    def _slice(self, ordered: list[Any], number: int) -> list[Any]:
        """Return the keys of a range out of sorted keys."""
        cuts: list[Any] = self._cuts
        start = bisect_left(ordered, cuts[number - 1]) if number else 0
        end = bisect_left(ordered, cuts[number]) if number < len(cuts) else len(ordered)
        return ordered[start:end]


def _sorted_cuts(boundaries: Sequence[Key]) -> list[Key]:
    if isinstance(boundaries, str | bytes) or not isinstance(boundaries, Iterable):
        raise TypeError(f"boundaries must be a list of keys, got {boundaries!r}")
    if not isinstance(boundaries, Sized) or (isinstance(boundaries, range) and boundaries[_MOST_CUTS:]):
        raise ValueError(
            f"boundaries must be a list of at most {readable_number(_MOST_CUTS)} keys, got {boundaries!r}"
        )
    cuts: list[Any] = [plain_key(key) for key in boundaries]
    kinds = sorted({type(cut).__name__ for cut in cuts})
    if len(kinds) > 1:
        raise TypeError(f"The boundaries must be of one kind, got {' and '.join(kinds)} mixed")
    for lower, higher in pairwise(cuts):
        if not lower < higher:
            raise ValueError(f"The boundaries must go up, each only once; {higher!r} comes after {lower!r}")
    return cuts


def _median_cut(inside: list[Any]) -> Key | None:
    """Return the key nearest to the median at which both sides keep something, or None if all keys are the same."""
    middle = len(inside) // 2
    lower, higher = bisect_left(inside, inside[middle]), bisect_right(inside, inside[middle])
    candidates = [place for place in (lower, higher) if 0 < place < len(inside)]
    if not candidates:
        return None
    cut: Key = inside[min(candidates, key=lambda place: abs(place - middle))]
    return cut
