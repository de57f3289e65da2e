"""Availability arithmetic: closed forms, laws that must hold for all numbers, and bad input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from dscourse.fault_tolerance import (
    availability_from_times,
    k_of_n,
    nines,
    parallel,
    series,
)

AVAILABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=8)
quick = settings(max_examples=60, deadline=None)


def test_by_hand():
    assert series(0.9, 0.8) == pytest.approx(0.72)
    assert parallel(0.9, 0.8) == pytest.approx(0.98)
    assert k_of_n(2, 3, 0.9) == pytest.approx(3 * 0.81 * 0.1 + 0.729)
    assert nines(0.999) == pytest.approx(3)
    assert nines(0.995) == pytest.approx(2.30103, abs=1e-5)
    assert nines(1.0) == math.inf
    assert math.copysign(1, nines(0.0)) == 1
    assert availability_from_times(999, 1) == pytest.approx(0.999)
    assert availability_from_times(10, 0) == 1.0


@quick
@given(AVAILABILITIES)
def test_a_chain_is_no_better_than_its_weakest_link_and_redundancy_no_worse_than_its_best(values):
    slack = 1e-12
    assert series(*values) <= min(values) + slack
    assert parallel(*values) >= max(values) - slack


@quick
@given(AVAILABILITIES)
def test_de_morgan_a_parallel_is_down_iff_all_are_down(values):
    assert 1 - parallel(*values) == pytest.approx(series(*(1 - a for a in values)), abs=1e-12)


@quick
@given(st.integers(1, 12), st.data(), st.floats(0, 1))
def test_k_of_n_duality(n, data, a):
    """At least k up, and at least n − k + 1 down, exclude each other and leave nothing out."""
    k = data.draw(st.integers(1, n))
    assert k_of_n(k, n, a) + k_of_n(n - k + 1, n, 1 - a) == pytest.approx(1, abs=1e-9)


@quick
@given(st.integers(1, 60), st.floats(0, 1))
def test_k_of_n_is_monotone_and_binomial(n, a):
    curve = [k_of_n(k, n, a) for k in range(n + 1)]
    assert curve[0] == 1.0
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(curve))
    assert curve == pytest.approx([float(stats.binom.sf(k - 1, n, a)) for k in range(n + 1)], abs=1e-9)
    assert curve[n] == pytest.approx(series(*[a] * n), abs=1e-12)
    assert curve[1] == pytest.approx(parallel(*[a] * n), abs=1e-12)


@quick
@given(st.integers(1, 8), st.data(), st.floats(0, 1), st.floats(0, 1))
def test_better_parts_make_a_better_whole(n, data, one, other):
    k = data.draw(st.integers(1, n))
    worse, better = sorted((one, other))
    assert k_of_n(k, n, worse) <= k_of_n(k, n, better) + 1e-12


def test_small_unavailabilities_are_not_lost_in_rounding():
    """Five of seven at five nines: three must be down at once, 35·1e-15."""
    assert 1 - k_of_n(5, 7, 0.99999) == pytest.approx(3.5e-14, rel=0.01)


def test_simulated_alternation_of_up_and_down_reaches_the_ratio_whatever_the_distributions():
    luck = np.random.default_rng(1)
    up, down = luck.weibull(0.7, 200_000) * 50, luck.lognormal(0.0, 1.0, 200_000)
    expected = availability_from_times(50 * math.gamma(1 + 1 / 0.7), math.exp(0.5))
    assert up.sum() / (up.sum() + down.sum()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("n", [1_000, 1_001, 50_000])
@pytest.mark.parametrize("a", [0.0, 0.5, 0.99, 1.0])
def test_k_of_very_many_is_the_binomial_tail_and_takes_no_time(n, a):
    for k in (0, 1, n // 2, round(0.99 * n), n):
        assert k_of_n(k, n, a) == pytest.approx(stats.binom.sf(k - 1, n, a), rel=1e-9, abs=1e-12)
