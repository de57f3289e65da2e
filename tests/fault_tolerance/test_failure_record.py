"""Reading a record of failures: the fit against SciPy's, times down together against counting minutes."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from dscourse import datasets
from dscourse.fault_tolerance import (
    down_together,
    failure_gaps,
    fit_weibull,
    system_table,
)


@pytest.fixture(scope="module")
def lanl():
    return datasets.load("failures/lanl")


def test_exponential_times_are_found_out_to_be_none_as_often_as_they_may():
    """Twice the gain against the table of χ² with one degree of freedom: 2.706 in one of ten."""
    draws = np.random.default_rng(8).exponential(3.0, (400, 60))
    beyond = sum(2 * fit_weibull(times).gain > 2.706 for times in draws)
    assert 40 - 4 * 6 < beyond < 40 + 4 * 6  # 0.1 · 400, within four standard deviations


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 4), st.floats(1e-3, 1e6), st.integers(20, 300), st.integers(0, 10**6))
def test_the_fit_is_scipys(shape, scale, count, seed):
    times = np.random.default_rng(seed).weibull(shape, count) * scale
    fit = fit_weibull(times)
    best, _, best_scale = stats.weibull_min.fit(times, floc=0)
    # scipy searches until four digits of small numbers stand still; which of the two is better, the likelihood says
    assert (fit.shape, fit.scale) == pytest.approx((best, best_scale), rel=1e-2)
    likelihood = stats.weibull_min.logpdf(times, fit.shape, scale=fit.scale).sum()
    assert likelihood >= stats.weibull_min.logpdf(times, best, scale=best_scale).sum() - 1e-6


def test_the_fit_finds_what_was_put_in():
    fit = fit_weibull(np.random.default_rng(3).weibull(0.7, 100_000) * 24)
    assert fit.shape == pytest.approx(0.7, abs=0.01)
    assert fit.scale == pytest.approx(24, rel=0.02)
    assert fit.gain > 100


def test_a_rate_that_changes_gives_a_shape_below_one_without_any_memory():
    rng = np.random.default_rng(0)
    steady, drifting = rng.exponential(10.0, 4000), rng.exponential(np.repeat([4.0, 16.0], 2000))
    assert fit_weibull(steady).shape == pytest.approx(1.0, abs=0.03)
    assert fit_weibull(drifting).shape < 0.9
    assert "need not be memory" in type(fit_weibull(steady)).__doc__


def test_exponential_times_gain_nothing():
    fit = fit_weibull(np.random.default_rng(4).exponential(10, 20_000))
    assert fit.shape == pytest.approx(1, abs=0.02)
    assert 2 * fit.gain < 6.635  # of χ² with one degree of freedom, one in a hundred


def test_zero_gaps_have_no_place_in_a_weibull_fit(lanl):
    with pytest.raises(ValueError, match=r"times at position \d+ must be above 0, got 0"):
        fit_weibull(failure_gaps(lanl, 2))
    with pytest.raises(ValueError, match="two different"):
        fit_weibull([3.0, 3.0])
    with pytest.raises(ValueError, match="finite"):
        fit_weibull([1.0, math.nan])


def record(rows):
    frame = pd.DataFrame(rows, columns=["system", "node", "start", "down_min", "cause"])
    frame["start"] = pd.Timestamp("2000-01-01") + pd.to_timedelta(frame["start"], unit="min")
    return frame


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.just(1), st.integers(0, 3), st.integers(0, 200), st.integers(0, 60), st.just("x")),
        min_size=2,
        max_size=15,
    )
)
def test_down_together_is_what_counting_minutes_gives(rows):
    begins = [row[2] for row in rows]
    if min(begins) == max(begins):
        rows = [*rows, (1, 0, max(begins) + 10, 1, "x")]
    first, last = min(row[2] for row in rows), max(row[2] for row in rows)
    nodes = sorted({row[1] for row in rows})
    down = np.zeros((len(nodes), last - first), dtype=bool)
    for _, node, begin, minutes, _ in rows:
        down[nodes.index(node), begin - first : begin - first + minutes] = True
    result = down_together(record(rows), 1, (1, 2, 3))
    for k in (1, 2, 3):
        assert result.observed[k] == pytest.approx((down.sum(axis=0) >= k).mean(), abs=1e-12)
    assert result.independent[1] == pytest.approx(1 - np.prod(1 - down.mean(axis=1)), abs=1e-12)
    assert result.hours == pytest.approx((last - first) / 60)


def test_nodes_that_do_fail_independently_get_a_ratio_of_one():
    luck = np.random.default_rng(5)
    rows = []
    for node in range(10):
        moments = np.cumsum(luck.exponential(300, 4_000) + 30).astype(int)
        rows += [(1, node, int(moment), 30, "x") for moment in moments if moment < 1_200_000]
    result = down_together(record(rows), 1, (1, 2, 3))
    for k, tolerance in ((1, 0.02), (2, 0.04), (3, 0.08)):
        assert result.ratio(k) == pytest.approx(1, abs=tolerance)


def test_no_gap_is_negative(lanl):
    assert (failure_gaps(lanl, 2) >= 0).all()


def test_the_table_of_systems_counts_and_compares(lanl):
    systems = system_table(lanl, at_least=2000)
    assert list(systems.index) == [2, 16, 18, 19, 20]
    assert systems.loc[2, "failures"] == 7104
    assert systems.loc[2, "zero gaps"] == pytest.approx(0.24, abs=0.005)
    luck = np.random.default_rng(6)
    starts = np.cumsum(luck.integers(1, 1000, 2_000)).tolist()
    repairs = (luck.exponential(500, 2_000) + 1).astype(int).tolist()
    exponential = record([(1, 0, start, down, "x") for start, down in zip(starts, repairs, strict=True)])
    assert system_table(exponential).loc[1, "log-normal gain"] < 0
