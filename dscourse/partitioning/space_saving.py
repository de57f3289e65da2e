"""Space-Saving: the hottest keys of an endless stream, in a fixed number of counters.

A. Metwally, D. Agrawal, A. El Abbadi, *Efficient computation of frequent and top-k elements in data streams*, ICDT
2005. Written out here since it is short, is what the notebook explains, and needs no compiled library.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dscourse.arguments import real, whole
from dscourse.partitioning.keys import Key, key_column, plain_key


@dataclass(frozen=True)
class HotKey:
    """What a sketch knows of a key: it was seen at most `count` times and at least `count` − `error` times."""

    key: Key
    count: int
    error: int


class SpaceSaving:
    """Counts the keys of a stream with `capacity` counters.

    A key without a counter takes over the lowest one and carries on from its count: that may be too high, by no more
    than what it took over, but no hot key is ever missed. After N keys:

    - every key seen more than N / capacity times has a counter;
    - count − error ≤ true number ≤ count;
    - no error is above N / capacity.

    Args:
        capacity: number of counters, at least 1.

    Example:
        >>> sketch = SpaceSaving(2)
        >>> sketch.add_all(["a", "b", "a", "c", "a"])
        >>> sketch.top(1)
        [HotKey(key='a', count=3, error=0)]
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = whole("capacity", capacity, at_least=1)
        self._seen = 0
        self._counts: dict[Key, int] = {}
        self._errors: dict[Key, int] = {}
        self._buckets: dict[
            int, dict[Key, None]
        ] = {}  # count -> keys with that count, the longest there first
        self._lowest = 0

    @property
    def capacity(self) -> int:
        """Number of counters."""
        return self._capacity

    @property
    def seen(self) -> int:
        """N, how many keys have come."""
        return self._seen

    def add(self, key: Key) -> None:
        """Count one more occurrence of a key; takes the same short time however many have come before."""
        self._count(plain_key(key))

    def add_all(self, keys: Any) -> None:
        """Count an array or a list of keys of one kind, in order."""
        column = key_column(keys)
        for key in column.tolist() if isinstance(column, np.ndarray) else column:
            self._count(key)

    def top(self, count: int) -> list[HotKey]:
        """Return the keys with the highest counters, at most `count` of them; among equals the surer ones first."""
        return self._ordered()[: whole("count", count, at_least=0)]

    def hot(self, share: float) -> list[HotKey]:
        """Return every key that may have had more than a share of all occurrences: it misses none, but may add some.

        Args:
            share: between 0 and 1, at least 1 / capacity, since below it keys may be without a counter.
        """
        fraction = real("share", share, at_least=1.0 / self._capacity)
        if fraction > 1.0:
            raise ValueError(f"share is a fraction of all occurrences, at most 1, got {share}")
        return [key for key in self._ordered() if key.count > fraction * self._seen]

    def __repr__(self) -> str:
        return f"SpaceSaving of {self._capacity} counters, {self._seen} keys seen"

    def _ordered(self) -> list[HotKey]:
        known: Iterable[HotKey] = (HotKey(key, n, self._errors[key]) for key, n in self._counts.items())
        return sorted(known, key=lambda hot: (-hot.count, hot.error))

    def _count(self, key: Key) -> None:
        self._seen += 1
        count = self._counts.get(key)
        if count is not None:
            self._leave(key, count)
        elif len(self._counts) < self._capacity:
            count = 0
            self._lowest = 1
            self._errors[key] = 0
        else:
            count = self._lowest
            victim = next(iter(self._buckets[count]))
            self._leave(victim, count)
            del self._counts[victim], self._errors[victim]
            self._errors[key] = count
        self._counts[key] = count + 1
        self._buckets.setdefault(count + 1, {})[key] = None

    def _leave(self, key: Key, count: int) -> None:
        bucket = self._buckets[count]
        del bucket[key]
        if not bucket:
            del self._buckets[count]
            if count == self._lowest:
                self._lowest = (
                    count + 1
                )  # whoever leaves the lowest bucket goes one up, or makes room for one who does
