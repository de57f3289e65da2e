"""Local and global indexes find the same records at another price."""

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import ConsistentHashRing, GlobalIndex, LocalIndex, RangePartitioner

RING = ConsistentHashRing([f"n{place}" for place in range(5)])
WRITES = st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["red", "green", "blue"])), max_size=30)


@given(WRITES)
@settings(max_examples=50, deadline=None)
def test_both_find_what_was_written_last(writes):
    local, everywhere, truth = LocalIndex(RING), GlobalIndex(RING), {}
    for key, colour in writes:
        old = truth.get(key)
        assert local.put(key, colour) == (RING.owner(key),)
        touched = everywhere.put(key, colour)
        needed = {RING.owner(key)} | ({RING.owner(c) for c in (old, colour) if c} if old != colour else set())
        assert set(touched) == needed
        assert touched[0] == RING.owner(key)
        assert len(touched) == len(needed) <= 3
        truth[key] = colour
    for colour in ("red", "green", "blue", "pink"):
        wanted = {key for key, term in truth.items() if term == colour}
        by_all, by_one = local.find(colour), everywhere.find(colour)
        assert set(by_all.keys) == set(by_one.keys) == wanted
        assert by_all.asked == RING.nodes
        assert by_one.asked == (RING.owner(colour),)


@pytest.mark.parametrize("kind", [LocalIndex, GlobalIndex])
def test_a_refused_write_changes_nothing(kind):
    """Keys and terms are texts here; a number is refused by the ranges, after the old term was looked at."""
    index = kind(RangePartitioner(["m"], ["n0", "n1"]))
    index.put("user", "red")
    for key, term in ((5, "blue"), ("user", 5)) if kind is GlobalIndex else ((5, "blue"),):
        with pytest.raises(TypeError):
            index.put(key, term)
    assert index.find("red").keys == ("user",)
    assert index.find("blue").keys == ()
    index.put("user", "blue")
    assert (index.find("red").keys, index.find("blue").keys) == ((), ("user",))
