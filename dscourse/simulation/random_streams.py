"""Luck that does not spread: one stream of random numbers per purpose, keyed by names.

If all of a simulation shared one generator, one more message anywhere would change every later delay everywhere.
Here each link, node, client and fault draws from a stream of its own, whose key is made from the seed and from
names. So a node more, or a fault more, leaves everybody else's luck as it was.

There can be millions of links, most of them hardly used, and a Mersenne Twister takes 2.5 kB and ten microseconds
to set up. So the first draws of a stream come from SplitMix64, a counter-based generator: draw k is a function of
key and k, and nothing need be kept but the count. Only a stream that goes on gets a twister, which is faster per draw.
Both are exact integer arithmetic, the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from random import Random

SPARSE_DRAWS = 16  # that a stream makes before it is worth a generator of its own

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_UNIT = 2.0**-53


def key_of(seed: int, *names: str | int) -> int:
    """A key of 64 bits for a stream, from the seed and the names of what it is for."""
    text = json.dumps([seed, *names], separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def scramble(z: int) -> int:
    """The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


def sparse_draw(key: int, count: int) -> float:
    """Draw number ``count`` of the stream ``key``: a float in [0, 1)."""
    z = (key + (count + 1) * _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return ((z ^ (z >> 31)) >> 11) * _UNIT


def dense_stream(key: int) -> Callable[[], float]:
    """What a stream draws from, once it has made its first `SPARSE_DRAWS` draws."""
    return Random(key & _MASK).random


class Stream:
    """One stream of random numbers in [0, 1)."""

    __slots__ = ("_count", "_key", "_random")

    def __init__(self, key: int) -> None:
        self._key = key
        self._count = 0
        self._random: Callable[[], float] | None = None

    def draw(self) -> float:
        """The next number."""
        if self._random is not None:
            return self._random()
        value = sparse_draw(self._key, self._count)
        self._count += 1
        if self._count >= SPARSE_DRAWS:
            self._random = dense_stream(self._key)
        return value
