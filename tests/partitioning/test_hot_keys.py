"""Splitting a hot key, and a cache in front of it."""

from collections import Counter, OrderedDict

import numpy as np
import pytest
from hypothesis import given, strategies as st

from dscourse.partitioning import (
    ConsistentHashRing,
    LruCache,
    load_counts,
    load_imbalance,
    split_hot_key,
    spread_hot_keys,
    zipf_keys,
)


def test_pieces_have_distinct_names_of_the_same_kind():
    assert split_hot_key("tweet", 3) == ["tweet#0", "tweet#1", "tweet#2"]
    assert split_hot_key(b"tweet", 2) == [b"tweet#0", b"tweet#1"]
    assert split_hot_key(7, 1) == ["7#0"]
    for key, pieces in (("a", 0), ("a", -1), ("a", 1.5), (None, 2)):
        with pytest.raises((ValueError, TypeError)):
            split_hot_key(key, pieces)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4))
def test_requests_for_a_hot_key_go_round_its_pieces_and_no_other_is_touched(requests, pieces):
    spread = spread_hot_keys(requests, {0: pieces}).tolist()
    assert [name.split("#")[0] for name in spread] == [str(key) for key in requests]
    turns = Counter(name for name in spread if "#" in name)
    assert sum(turns.values()) == requests.count(0)
    assert not turns or max(turns.values()) - min(turns[name] for name in split_hot_key(0, pieces)) <= 1


def test_splitting_lightens_the_node_of_the_hot_key():
    requests = zipf_keys(20_000, 1000, 1.2, seed=1)
    ring = ConsistentHashRing([f"n{place}" for place in range(8)])
    hot = load_imbalance(load_counts(ring, requests))
    split = load_imbalance(load_counts(ring, spread_hot_keys(requests, {0: 16, 1: 16})))
    assert hot > 2
    assert split < 0.75 * hot


@given(st.lists(st.integers(0, 9), max_size=100), st.integers(1, 6))
def test_the_cache_keeps_what_was_asked_for_last(requests, capacity):
    cache = LruCache(capacity)
    missed = cache.misses(requests)
    for place, key in enumerate(requests):
        since = OrderedDict.fromkeys(reversed(requests[:place]))  # the distinct keys before, the latest first
        assert missed[place] == (key not in list(since)[:capacity])
    assert len(cache) == min(capacity, len(set(requests)))


def test_a_cache_serves_one_key_at_a_time_too():
    cache = LruCache(1)
    assert [cache.ask(key) for key in ("a", "a", "b", "a")] == [False, True, False, False]
    assert cache.capacity == 1
    with pytest.raises(ValueError, match="capacity"):
        LruCache(0)
    with pytest.raises(TypeError):
        cache.misses(np.array([1.5]))


def test_pieces_must_be_a_mapping():
    with pytest.raises(TypeError, match="pieces must be a mapping"):
        spread_hot_keys([1, 2], 5)
