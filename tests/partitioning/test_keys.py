"""Hashing: the same in every process and for one key as for many."""

import itertools
import os
import subprocess
import sys
from array import array
from collections import deque

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from xxhash import xxh3_64_intdigest

from dscourse.partitioning import hash_key, hash_keys
from dscourse.partitioning.keys import mix

NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))


def test_whole_numbers_go_through_splitmix64():
    """First five outputs of SplitMix64 from seed 1234567, as listed on Rosetta Code."""
    gamma = 0x9E3779B97F4A7C15
    outputs = [mix((1234567 + step * gamma) % 2**64) for step in range(5)]
    assert outputs == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_texts_and_bytes_go_through_xxh3():
    assert hash_key("straße") == hash_key("straße".encode()) == xxh3_64_intdigest("straße".encode())
    assert hash_key("") == 0x2D06800538D394C2  # XXH3_64bits of nothing, as in xxHash's own sanity test


@given(st.lists(NUMBERS, min_size=1))
def test_many_numbers_hash_as_each(keys):
    singles = [hash_key(key) for key in keys]
    assert hash_keys(keys).tolist() == singles
    assert hash_keys(np.array(keys)).tolist() == singles
    assert hash_keys(np.array(keys, dtype=object)).tolist() == singles


@given(st.integers(-128, 127), st.sampled_from(["int8", "int16", "int32", "int64"]))
def test_the_width_of_an_integer_does_not_matter(key, dtype):
    assert hash_keys(np.array([key], dtype=dtype)).tolist() == [hash_key(key)]
    assert hash_key(np.dtype(dtype).type(key)) == hash_key(key)


@given(st.integers(0, 2**64 - 1))
def test_unsigned_numbers_hash_as_their_value(key):
    assert hash_keys(np.array([key], dtype=np.uint64)).tolist() == [hash_key(key)]
    assert hash_keys([key]).tolist() == [hash_key(key)]


@given(TEXTS)
def test_texts_hash_alike_whether_one_or_many_and_with_zeros_at_the_end(text):
    for key in (text, text + "\0"):
        assert hash_keys(np.array([key])).tolist() == [hash_key(key)] == hash_keys([key]).tolist()
        assert hash_keys(np.array([key, "x"], dtype=object))[0] == hash_key(key)


@given(st.binary())
def test_bytes_hash_alike_whether_one_or_many_and_with_zeros_at_the_end(data):
    for key in (data, data + b"\0"):
        assert hash_keys(np.array([key])).tolist() == [hash_key(key)] == hash_keys([key]).tolist()


@pytest.mark.parametrize("key", [None, 1.0, True, np.True_, [1], {"a": 1}, ("a",), np.float64(2)])
def test_other_types_are_no_keys(key):
    with pytest.raises(TypeError, match="A key is a whole number, a text or bytes"):
        hash_key(key)


@pytest.mark.parametrize(
    "keys",
    [
        [1, "a"],
        ["a", b"a"],
        np.array([1, "a"], dtype=object),
        [1, True],
        [1.0],
        np.array([1.5]),
        np.array([True]),
        [None],
        "abc",
        7,
    ],
)
def test_arrays_of_other_or_mixed_types_are_refused(keys):
    with pytest.raises(TypeError):
        hash_keys(keys)


@pytest.mark.parametrize("key", [2**64, -(2**63) - 1])
def test_numbers_beyond_64_bits_are_refused(key):
    with pytest.raises(ValueError, match="2⁶⁴"):
        hash_key(key)
    with pytest.raises(ValueError, match="2⁶⁴"):
        hash_keys([key])


def test_odd_arrays_are_refused_with_words():
    with pytest.raises(ValueError, match="one-dimensional"):
        hash_keys(np.zeros((2, 2), dtype=int))
    with pytest.raises(ValueError, match="don't fit into one array"):
        hash_keys([-1, 2**63])
    with pytest.raises(ValueError, match="UTF-8"):
        hash_key("\ud800")
    with pytest.raises(ValueError, match="UTF-8"):
        hash_keys(["\ud800"])
    assert len(hash_keys(np.array([]))) == len(hash_keys([])) == 0


def test_a_column_of_any_kind_is_taken_as_a_list_of_its_keys_would_be():
    """Without turning what is mixed into texts, as NumPy would do, or True into 1."""
    for column in (pd.Series([3, 1]), deque([3, 1]), array("q", [3, 1]), range(3, 0, -2)):
        assert hash_keys(column).tolist() == [hash_key(3), hash_key(1)]
    for mixed in (deque([1, "a"]), deque([1, True]), pd.Series([1, True]), pd.Series([1, "a"])):
        with pytest.raises(TypeError):
            hash_keys(mixed)


@pytest.mark.parametrize("keys", [{1, 2}, {1: "a"}, frozenset("a"), itertools.count(), (k for k in [1])])
def test_what_has_no_order_or_no_end_is_refused_with_words(keys):
    with pytest.raises(TypeError, match="make a list of it"):
        hash_keys(keys)


def test_every_process_agrees():
    code = "from dscourse.partitioning import hash_key; print(hash_key('user:42'), hash_key(b'user:42'), hash_key(42))"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] == [str(hash_key("user:42")), str(hash_key(b"user:42")), str(hash_key(42))]
