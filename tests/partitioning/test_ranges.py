"""Ranges: where keys go, how ranges are split and moved."""

from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import KeyRange, RangePartitioner, load_counts, rebalance

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=4)


@pytest.mark.parametrize(
    "keys", [st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**64 - 1), WORDS], ids=str
)
def test_a_key_belongs_to_the_last_range_that_begins_at_or_before_it(keys):
    @given(st.lists(keys, unique=True, max_size=6), st.lists(keys, min_size=1, max_size=10))
    @settings(max_examples=40, deadline=None)
    def check(boundaries, asked):
        cuts = sorted(boundaries)
        nodes = [f"n{place}" for place in range(len(cuts) + 1)]
        ranges = RangePartitioner(cuts, nodes)
        expected = [nodes[bisect_right(cuts, key)] for key in [*asked, *cuts]]
        assert [ranges.owner(key) for key in [*asked, *cuts]] == expected
        assert ranges.owners([*asked, *cuts]).tolist() == expected

    check()


def test_big_numbers_are_compared_exactly():
    """As floats 2⁶³ − 1 and 2⁶³ are the same."""
    ranges = RangePartitioner([-5, 2**63 - 1, 2**63], ["a", "b", "c", "d"])
    assert ranges.owners(np.array([-6, -5, 2**63 - 2, 2**63 - 1])).tolist() == ["a", "b", "b", "c"]
    assert ranges.owners(np.array([0, 2**63 - 1, 2**63], dtype=np.uint64)).tolist() == ["b", "c", "d"]


def test_keys_of_another_kind_than_the_boundaries_are_refused():
    ranges = RangePartitioner(["h"], ["a", "b"])
    for ask in (
        lambda: ranges.owner(1),
        lambda: ranges.owners([1, 2]),
        lambda: ranges.split(3),
    ):
        with pytest.raises(TypeError, match="boundaries are of kind str"):
            ask()
    assert ranges.boundaries == ["h"]


def test_a_split_moves_nothing_and_a_move_one_range():
    ranges = RangePartitioner([500], ["a", "b"])
    keys = np.arange(1000)
    before = ranges.owners(keys)
    ranges.split(250)
    assert (ranges.owners(keys) == before).all()
    ranges.move(300, "b")
    assert np.flatnonzero(ranges.owners(keys) != before).tolist() == list(range(250, 500))
    assert ranges.ranges == [KeyRange(None, 250, "a"), KeyRange(250, 500, "b"), KeyRange(500, None, "b")]
    assert ranges.counts([0, 249, 250]) == {"[…, 250) on a": 2, "[250, 500) on b": 1, "[500, …) on b": 0}


def test_splits_that_make_no_sense_are_refused():
    ranges = RangePartitioner([10], ["a", "b"])
    with pytest.raises(ValueError, match="begins at 10 already"):
        ranges.split(10)
    with pytest.raises(LookupError, match="no node 'z'"):
        ranges.move(3, "z")
    assert ranges.ranges == [KeyRange(None, 10, "a"), KeyRange(10, None, "b")]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_splitting_leaves_no_range_above_the_limit_but_those_of_one_key(keys, most):
    ranges = RangePartitioner([], ["a"])
    stuck = ranges.split_above(keys, most)
    inside = np.bincount(ranges.range_indices(keys), minlength=len(ranges.ranges))
    too_big = np.flatnonzero(inside > most)
    assert len(too_big) == stuck
    for number in too_big.tolist():
        assert (
            len({key for key, where in zip(keys, ranges.range_indices(keys), strict=True) if where == number})
            == 1
        )
    assert inside.min() > 0 or len(ranges.ranges) == 1


def test_a_newcomer_takes_whole_ranges_and_a_leaver_spreads_its_own():
    keys = np.arange(1200)
    ranges = RangePartitioner(list(range(100, 1200, 100)), ["a", "b", "c"] * 4)
    change = rebalance(ranges, keys, add="d")
    assert change.moved == change.least_possible == pytest.approx(1 / 4)
    assert {node for node, share in change.takes.items() if share} == {"d"}
    change = rebalance(ranges, keys, remove="b")
    assert change.moved == pytest.approx(1 / 3)
    assert change.takes["a"] == change.takes["c"] == pytest.approx(1 / 6)


def test_with_one_range_each_a_newcomer_gets_nothing_until_a_split():
    ranges = RangePartitioner([10], ["a", "b"])
    ranges.add_node("c")
    assert load_counts(ranges, np.arange(20)) == {"a": 10, "b": 10, "c": 0}
    ranges.split(15)
    ranges.move(15, "c")
    assert load_counts(ranges, np.arange(20)) == {"a": 10, "b": 5, "c": 5}


def test_a_scan_asks_the_nodes_of_its_ranges_only():
    ranges = RangePartitioner([10, 20, 30], ["a", "b", "c", "a"])
    assert ranges.nodes_for_scan(12, 20) == ["b"]
    assert ranges.nodes_for_scan(12, 21) == ["b", "c"]
    assert ranges.nodes_for_scan(0, 99) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="from a lower to a higher key"):
        ranges.nodes_for_scan(5, 5)


def test_keys_in_order_of_time_all_go_to_the_last_range():
    days = RangePartitioner(["2026-02", "2026-03"], ["a", "b", "c"])
    assert set(days.owners([f"2026-03-{day:02}" for day in range(1, 32)]).tolist()) == {"c"}
    assert repr(days) == "RangePartitioner of 3 ranges on 3 nodes"
