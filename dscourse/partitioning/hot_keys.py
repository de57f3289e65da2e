"""What helps against a hot key: cut it into pieces, or answer it before it reaches its node."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import whole
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
    if not isinstance(pieces, Mapping):
        raise TypeError(f"pieces must be a mapping {{key: number of pieces}}, got {pieces!r}")
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
