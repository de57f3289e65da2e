"""Keys, and a hash of them that is the same in every process, on every machine, in every year.

Python's own ``hash`` of a text changes with each process (``PYTHONHASHSEED``), so two servers that used it would
disagree about who owns a key. Here a text or bytes go through xxHash's XXH3 (64 bits) and a whole number through the
mixer of SplitMix64, which NumPy can apply to a million numbers at once.

A NumPy array of text or bytes can't hold trailing zero characters: it drops them. So that ``owner(key)`` and
``owners(array)`` always agree, they are dropped everywhere: keys that differ in nothing else count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set, Sized
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from dscourse.readable import readable_number

Key: TypeAlias = int | str | bytes
Hashes: TypeAlias = npt.NDArray[np.uint64]

_MASK = (1 << 64) - 1
_MOST_KEYS = 100_000_000
_LOWEST, _HIGHEST = -(1 << 63), _MASK
# SplitMix64: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(value: int) -> int:
    """Return a well-mixed 64-bit number for a number modulo 2⁶⁴, a different one for each (SplitMix64)."""
    # The constants stand here since a look-up of a global name would cost as much as the sum.
    z = (value + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return z ^ (z >> 31)


def mix_all(values: Hashes) -> Hashes:
    """Return `mix` of every number of an array."""
    z = values + np.uint64(GAMMA)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_FIRST)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_SECOND)
    z ^= z >> np.uint64(31)
    return z


def hash_key(key: Key) -> int:
    """Return the stable 64-bit hash of one key.

    Args:
        key: a whole number from −2⁶³ to 2⁶⁴ − 1, a text or bytes.

    Raises:
        TypeError: any other type; True and False are no keys either.
        ValueError: a number that doesn't fit into 64 bits, or a text that has no UTF-8.
    """
    if type(key) is str:  # the commonest kinds first: this is the path of every single look-up
        return _hash_text(key)
    if type(key) is int and _LOWEST <= key <= _HIGHEST:
        return mix(key)
    plain = plain_key(key)
    return mix(plain) if isinstance(plain, int) else _hash_text(plain)


def hash_keys(keys: Any) -> Hashes:
    """Return the stable 64-bit hashes of an array or list of keys, equal to `hash_key` of each.

    Raises:
        TypeError: keys of another kind, or of more than one.
        ValueError: an array that isn't one-dimensional, a number that doesn't fit, a text that has no UTF-8.
    """
    column = key_column(keys)
    if isinstance(column, np.ndarray):
        return mix_all(column.view(np.uint64))
    texts: Any = map(str.encode, column) if column and isinstance(column[0], str) else column  # type: ignore[arg-type]
    try:
        return np.fromiter(map(xxh3_64_intdigest, texts), dtype=np.uint64, count=len(column))
    except UnicodeEncodeError as error:
        raise _no_utf8(error) from None


def plain_key(key: Any) -> Key:
    """Return a key as a plain int, text or bytes without trailing zero characters; refuse anything else."""
    if isinstance(key, str):
        return str(key).rstrip("\0")
    if isinstance(key, bytes):
        return bytes(key).rstrip(b"\0")
    if isinstance(key, Integral) and not isinstance(key, bool | np.bool_):
        return _fitting(int(key))
    raise TypeError(
        f"A key is a whole number, a text or bytes; got {key!r} of type {type(key).__name__}. "
        "Turn it into one of these first."
    )


def key_column(keys: Any) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64] | list[str] | list[bytes]:
    """Return many keys of one kind: numbers as an array of 64-bit integers, text and bytes as a list of plain keys.

    Raises:
        TypeError: keys of another kind, or of more than one.
        ValueError: an array that isn't one-dimensional, or a number that doesn't fit into 64 bits.
    """
    if isinstance(keys, str | bytes) or not isinstance(keys, Iterable):
        raise TypeError(
            f"Many keys are given as an array or a list, got {keys!r}; a single one is for owner(key)"
        )
    if not isinstance(keys, Sized) or isinstance(keys, Set | Mapping):
        raise TypeError(
            f"Many keys are given as an array or a list, got a {type(keys).__name__}: make a list of it"
        )
    if isinstance(keys, range) and keys[_MOST_KEYS:]:
        raise ValueError(
            f"At most {readable_number(_MOST_KEYS)} keys can be looked at together, got {keys!r}"
        )
    if not isinstance(keys, list | tuple | range | np.ndarray):
        keys = np.asarray(keys) if hasattr(keys, "__array__") else list(keys)
    if not isinstance(keys, np.ndarray):
        return _column_of(list(keys))
    if keys.ndim != 1:
        raise ValueError(f"keys must be a one-dimensional array, got one of shape {keys.shape}")
    if keys.dtype.kind == "u":
        return keys.astype(np.uint64, copy=False)
    if keys.dtype.kind == "i":
        return keys.astype(np.int64, copy=False)
    if keys.dtype.kind in "US":
        return keys.tolist()  # type: ignore[no-any-return]  # NumPy has dropped the trailing zeros already
    if keys.dtype.kind in "OT" or not len(keys):
        return _column_of(keys.tolist())
    raise TypeError(f"Keys are whole numbers, texts or bytes; got an array of {keys.dtype}")


def _column_of(keys: list[Any]) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64] | list[str] | list[bytes]:
    plain: list[Any] = [plain_key(key) for key in keys]
    kinds = sorted({type(key).__name__ for key in plain})
    if len(kinds) > 1:
        raise TypeError(f"The keys of one array must be of one kind, got {' and '.join(kinds)} mixed")
    if kinds and kinds != ["int"]:
        return plain
    if plain and max(plain) > np.iinfo(np.int64).max:
        if min(plain) < 0:
            raise ValueError("Numbers below 0 and numbers from 2⁶³ on don't fit into one array of 64 bits")
        return np.array(plain, dtype=np.uint64)
    return np.array(plain, dtype=np.int64)


def _fitting(key: int) -> int:
    if _LOWEST <= key <= _HIGHEST:
        return key
    raise ValueError(f"A whole number as a key must lie between −2⁶³ and 2⁶⁴ − 1, got {key}")


def _hash_text(text: str | bytes) -> int:
    if text[-1:] in ("\0", b"\0"):
        text = text.rstrip("\0") if isinstance(text, str) else text.rstrip(b"\0")
    try:
        return xxh3_64_intdigest(text.encode() if isinstance(text, str) else text)
    except UnicodeEncodeError as error:
        raise _no_utf8(error) from None


def _no_utf8(error: UnicodeEncodeError) -> ValueError:
    return ValueError(f"The key {error.object!r} can't be written as UTF-8: {error.reason}")
