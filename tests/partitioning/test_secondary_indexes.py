"""Local and global indexes find the same records at another price."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dscourse.partitioning import ConsistentHashRing, GlobalIndex, LocalIndex

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
