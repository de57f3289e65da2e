"""Other people's implementations must say the same."""

import jump
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from uhashring import HashRing

import dscourse.partitioning.ring as ring_module
from dscourse.partitioning import ConsistentHashRing, hash_key, jump_hash
from dscourse.partitioning.numbered import jump_all


@given(st.integers(0, 2**64 - 1), st.one_of(st.integers(1, 1000), st.integers(2**30, 2**31 - 1)))
@settings(max_examples=300)
def test_jump_hash_is_that_of_the_c_extension(key, buckets):
    assert jump_hash(key, buckets) == jump.hash(key, buckets)


@pytest.mark.parametrize("buckets", [1, 2, 10, 1000, 2**31 - 1])
def test_jump_hash_of_an_array_is_that_of_the_c_extension(buckets):
    keys = np.arange(0, 2**64 - 1, 2**64 // 997, dtype=np.uint64)
    assert jump_all(keys, buckets).tolist() == [jump.hash(key, buckets) for key in keys.tolist()]


@pytest.mark.parametrize("buckets", [1, 2, 3])
def test_a_jump_of_exactly_one_bucket_lands_on_the_next(buckets):
    """The draw can be exactly 1, once in 2³¹. A key whose first draw is: go back one step of the generator."""
    state = (2**31 - 1) << 33
    key = (state - 1) * pow(2862933555777941757, -1, 2**64) % 2**64
    assert jump_hash(key, buckets) == jump.hash(key, buckets)
    assert jump_all(np.array([key], dtype=np.uint64), buckets).tolist() == [jump.hash(key, buckets)]


def test_jump_hash_refuses_what_is_no_key_or_no_bucket():
    for key, buckets, error in (
        (1, 0, ValueError),
        (1, -3, ValueError),
        (1, 2**31, ValueError),
        ("a", 3, TypeError),
    ):
        with pytest.raises(error):
            jump_hash(key, buckets)
    assert jump_hash(-1, 10) == jump_hash(2**64 - 1, 10)


def uhashrings_points(node, count):
    return np.array([hash_key(f"{node}-{number}") for number in range(count)], dtype=np.uint64)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None)
def test_the_ring_is_that_of_uhashring_if_both_put_their_points_in_the_same_places(toggles):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring_module, "points_of", uhashrings_points)
        ours = ConsistentHashRing(["n8", "n9"], virtual_nodes=20, weights={"n9": 3.0})
        theirs = HashRing({"n8": {"vnodes": 20}, "n9": {"vnodes": 20, "weight": 3}}, hash_fn=hash_key)
        for number in toggles:
            node = f"n{number}"
            if node in ours.nodes:
                ours.remove_node(node)
                theirs.remove_node(node)
            else:
                ours.add_node(node, 2.0)
                theirs.add_node(node, {"vnodes": 20, "weight": 2})
            keys = [f"user:{key}" for key in range(60)]
            assert ours.owners(keys).tolist() == [theirs.get_node(key) for key in keys]
