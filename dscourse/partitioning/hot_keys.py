"""Hot keys: finding them in a stream, and what helps: cut them into pieces, or answer before they reach their node."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import instance, real, whole
from dscourse.partitioning.keys import Key, key_column, plain_key

_MOST_PIECES = 1_000_000


def split_hot_key(key: Key, pieces: int) -> list[str] | list[bytes]:
    """Return the names of the pieces that a hot key is cut into, such as "tweet#0" and "tweet#1".

    A write goes to any one piece; a read has to ask all of them and put the answers together. So it suits counters,
    sets and logs that are written much and read seldom. Partitioners spread the pieces like any other keys, so two may
    still land on one node.

    Args:
        key: a number, a text or bytes. The pieces of a number are texts.
        pieces: how many, 1 … 1 000 000.
    """
    plain, count = plain_key(key), whole("pieces", pieces, at_least=1, at_most=_MOST_PIECES)
    if isinstance(plain, bytes):
        return [plain + b"#%d" % piece for piece in range(count)]
    return [f"{plain}#{piece}" for piece in range(count)]


def spread_hot_keys(requests: Any, pieces: Mapping[Key, int]) -> npt.NDArray[np.object_]:
    """Return the requests with those for hot keys turned to their pieces, one after the other (round robin).

    Args:
        requests: an array of keys of one kind.
        pieces: {hot key: number of pieces}.

    Returns:
        Texts (or bytes, if the keys are), as many as there were requests.
    """
    instance("pieces", pieces, Mapping, "a mapping {key: number of pieces}")
    column = key_column(requests)
    keys: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column
    names = {plain_key(key): split_hot_key(key, count) for key, count in pieces.items()}
    turns = dict.fromkeys(names, 0)
    spread: list[str | bytes] = []
    for key in keys:
        if key in names:
            spread.append(names[key][turns[key] % len(names[key])])
            turns[key] += 1
        else:
            spread.append(key if isinstance(key, bytes) else str(key))
    return np.array(spread, dtype=object)


class LruCache:
    """A cache in front of the cluster that keeps the keys asked for last, and lets only the others through.

    However many keys there are, a cache of O(n log n) of the most popular entries is enough for n nodes to stay
    balanced (B. Fan and others, *Small cache, big effect*, SoCC 2011).

    Args:
        capacity: number of keys it holds, at least 1.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = whole("capacity", capacity, at_least=1)
        self._kept: OrderedDict[Key, None] = OrderedDict()

    @property
    def capacity(self) -> int:
        """How many keys it holds at most."""
        return self._capacity

    def ask(self, key: Key) -> bool:
        """Ask for a key: True if the cache has it. Afterwards it has."""
        return self._ask(plain_key(key))

    def misses(self, requests: Any) -> npt.NDArray[np.bool_]:
        """Ask for every key in order and tell which requests weren't in the cache, and so reach the cluster."""
        column = key_column(requests)
        keys: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column
        return np.fromiter((not self._ask(key) for key in keys), dtype=np.bool_, count=len(keys))

    def __len__(self) -> int:
        return len(self._kept)

    def _ask(self, key: Key) -> bool:
        if key in self._kept:
            self._kept.move_to_end(key)
            return True
        self._kept[key] = None
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return False


@dataclass(frozen=True)
class HotKey:
    """What a sketch knows of a key: it was seen at most `count` times and at least `count` − `error` times."""

    key: Key
    count: int
    error: int


class SpaceSaving:
    """Counts the keys of an endless stream with `capacity` counters.

    A. Metwally, D. Agrawal, A. El Abbadi, *Efficient computation of frequent and top-k elements in data streams*, ICDT
    2005. Written out here since it is short, is what the notebook explains, and needs no compiled library.

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
