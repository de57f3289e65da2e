"""Zipf: shares, draws that repeat, and the sketch that finds the hot keys."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import SpaceSaving, zipf_keys, zipf_probabilities


@given(st.integers(1, 200), st.floats(0, 3))
def test_the_kth_key_gets_one_kth_to_the_theta_of_the_first(n, theta):
    shares = zipf_probabilities(n, theta)
    assert shares.sum() == pytest.approx(1)
    assert shares / shares[0] == pytest.approx(np.arange(1, n + 1) ** -theta)


def test_draws_follow_the_shares_and_repeat():
    keys = zipf_keys(200_000, 50, 0.99, seed=3)
    shares = zipf_probabilities(50, 0.99)
    counts = np.bincount(keys, minlength=50)
    chi_square = ((counts - shares * len(keys)) ** 2 / (shares * len(keys))).sum()
    assert chi_square < 49 + 5 * (2 * 49) ** 0.5
    assert (zipf_keys(200_000, 50, 0.99, seed=3) == keys).all()
    assert (zipf_keys(200_000, 50, 0.99, seed=4) != keys).any()
    assert zipf_keys(10, 1000, 0.99, seed=1).tolist() == GOLDEN


GOLDEN = [27, 698, 1, 689, 5, 13, 285, 12, 36, 0]


def test_a_copy_is_given_so_that_a_change_stays_with_whoever_makes_it():
    zipf_probabilities(5, 1.0)[0] = 7
    assert zipf_probabilities(5, 1.0)[0] < 1


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda: zipf_probabilities(0, 1.0), ValueError),
        (lambda: zipf_probabilities(5, -0.1), ValueError),
        (lambda: zipf_probabilities(5, float("nan")), ValueError),
        (lambda: zipf_probabilities(5.0, 1.0), TypeError),
        (lambda: zipf_keys(-1, 5, 1.0, 0), ValueError),
        (lambda: zipf_keys(1, 5, 1.0, -1), ValueError),
        (lambda: zipf_probabilities(10**12, 1.0), ValueError),  # a MemoryError would say nothing to a learner
        (lambda: zipf_keys(1, 10**12, 1.0, 0), ValueError),
        (lambda: zipf_keys(10**12, 5, 1.0, 0), ValueError),
        (lambda: zipf_keys(True, 5, 1.0, 0), TypeError),
        (lambda: zipf_keys(1, True, 1.0, 0), TypeError),
        (lambda: zipf_keys(1, 5, 1.0, None), TypeError),
    ],
)
def test_bad_arguments_are_refused(ask, error):
    with pytest.raises(error):
        ask()


@given(st.lists(st.integers(0, 30), max_size=300), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_space_saving_keeps_its_promises(stream, capacity):
    sketch = SpaceSaving(capacity)
    sketch.add_all(stream)
    true = Counter(stream)
    known = {hot.key: hot for hot in sketch.top(capacity)}
    assert sketch.seen == len(stream)
    assert len(known) == min(capacity, len(true))
    assert sum(hot.count for hot in known.values()) == len(
        stream
    )  # every key that comes raises one counter by one
    for key, hot in known.items():
        assert hot.count - hot.error <= true[key] <= hot.count
        assert hot.error <= len(stream) / capacity
    assert all(key in known for key, count in true.items() if count > len(stream) / capacity)
    for share in (1 / capacity, (1 + 1 / capacity) / 2, 1.0):
        named = {hot.key for hot in sketch.hot(share)}
        assert {key for key, count in true.items() if count > share * len(stream)} <= named


@given(st.lists(st.integers(0, 30), max_size=200))
def test_with_a_counter_for_each_key_space_saving_is_exact(stream):
    sketch = SpaceSaving(31)
    for key in stream:
        sketch.add(key)
    assert {hot.key: (hot.count, hot.error) for hot in sketch.top(31)} == {
        key: (count, 0) for key, count in Counter(stream).items()
    }


def test_space_saving_takes_texts_and_says_what_it_is():
    sketch = SpaceSaving(2)
    sketch.add_all(["a", "b", "a", "c", "a"])
    assert [(hot.key, hot.count, hot.error) for hot in sketch.top(2)] == [("a", 3, 0), ("c", 2, 1)]
    assert repr(sketch) == "SpaceSaving of 2 counters, 5 keys seen"
    with pytest.raises(TypeError):
        sketch.add(1.5)
    for share in (0.1, 0.49):  # two counters can't tell who has less than half
        with pytest.raises(ValueError, match="share must be at least"):
            sketch.hot(share)
    with pytest.raises(ValueError, match="at most 1"):
        sketch.hot(1.5)
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        SpaceSaving(0)
    assert sketch.seen == 5


def test_among_equal_counts_the_surer_ones_come_first():
    sketch = SpaceSaving(2)
    sketch.add_all(["a", "b", "c", "b"])  # c takes over the counter of a
    assert [(hot.key, hot.count, hot.error) for hot in sketch.top(2)] == [("b", 2, 0), ("c", 2, 1)]
