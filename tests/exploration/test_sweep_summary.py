"""What a sweep says about the means: held against SciPy, and against its own promise."""

import math

import numpy as np
import pytest
from scipy import stats

from dscourse.exploration import sweep


def table(values):
    """A sweep whose results are these numbers: {variant: [value of seed 0, of seed 1, …]}."""
    lengths = {len(column) for column in values.values()}

    def experiment(seed, variant):
        return {"x": values[variant][seed]}

    return sweep(experiment, {"variant": list(values)}, seeds=lengths.pop())


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_interval_is_student_s_t(level):
    values = {"a": [3.0, 1.0, 4.0, 1.0, 5.0], "b": [9, 2, 6, 5, 3]}
    summary = table(values).summary(level)
    for row, runs in zip(summary.itertuples(), values.values(), strict=True):
        expected = stats.ttest_1samp(runs, 0.0).confidence_interval(level)
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
        assert row.mean == pytest.approx(np.mean(runs))
    assert summary.columns.tolist() == ["variant", "result", "mean", "low", "high", "runs"]


@pytest.mark.parametrize("ones", [0, 1, 7, 20])
def test_the_interval_of_a_share_is_wilson_s(ones):
    summary = table({"a": [True] * ones + [False] * (20 - ones)}).summary(0.9)
    expected = stats.binomtest(ones, 20).proportion_ci(0.9, method="wilson")
    assert (summary["low"][0], summary["high"][0]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert summary["mean"][0] == ones / 20
    assert summary["low"][0] >= 0.0
    assert summary["high"][0] <= 1.0


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    """2000 sweeps of five normal runs: the share that covers lies within four standard errors of 90 %."""
    luck = np.random.default_rng(1)
    values = {place: (7.0 + luck.standard_normal(5)).tolist() for place in range(2000)}
    summary = table(values).summary(0.9)
    covered = ((summary["low"] < 7.0) & (summary["high"] > 7.0)).mean()
    assert abs(covered - 0.9) < 4 * math.sqrt(0.9 * 0.1 / 2000)


def test_differences_are_paired_by_seed():
    a, b = [3.0, 1.0, 4.0, 1.0, 5.0], [2.7, 1.1, 3.6, 0.8, 4.7]
    row = table({"a": a, "b": b}).differences({"variant": "a"}, 0.95).to_dict("records")
    (row,) = row
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert (row["variant"], row["result"], row["runs"]) == ("b", "x", 5)
    assert row["difference"] == pytest.approx(-0.22)


def test_common_random_numbers_find_what_the_two_intervals_hide():
    luck = np.random.default_rng(2).standard_normal(50)
    noise = np.random.default_rng(3).standard_normal(50)
    result = table({"old": (10 + luck).tolist(), "new": (9.9 + luck + 0.05 * noise).tolist()})
    old, new = result.summary().itertuples()
    assert old.low < new.high  # the intervals overlap
    (row,) = result.differences({"variant": "old"}).itertuples()
    assert row.low < -0.1 < row.high < 0.0
    assert (row.high - row.low) < 0.1 * (old.high - old.low)


def test_a_baseline_may_name_some_parameters_or_all():
    def experiment(seed, load, policy):
        return {"x": 10 * load + (policy == "two") + 0.01 * seed}

    result = sweep(experiment, {"load": [1, 2], "policy": ["one", "two"]}, seeds=3)
    same_load = result.differences({"policy": "one"})
    assert same_load[["load", "policy"]].to_numpy().tolist() == [[1, "two"], [2, "two"]]
    assert same_load["difference"].tolist() == pytest.approx([1, 1])
    with_one = result.differences({"policy": "one", "load": 1})
    assert with_one["difference"].tolist() == pytest.approx([1, 10, 11])


def test_differences_use_the_seeds_that_both_have_finished():
    def experiment(seed, variant):
        if (variant, seed) in (("a", 0), ("b", 3)):
            raise ValueError("lost")
        return {"x": seed + (variant == "b")}

    with pytest.warns(UserWarning, match="2 runs failed"):
        result = sweep(experiment, {"variant": ["a", "b"]}, seeds=5)
    (row,) = result.differences({"variant": "a"}).itertuples()
    assert (row.runs, row.difference) == (3, 1.0)


def test_one_run_has_no_interval_and_a_nan_is_not_hidden():
    summary = table({"a": [3.0]}).summary()
    assert summary["mean"][0] == 3.0
    assert math.isnan(summary["low"][0])
    summary = table({"a": [1.0, math.nan, 2.0], "b": [1.0, math.inf, 2.0]}).summary()
    assert math.isnan(summary["mean"][0])
    assert summary["mean"][1] == math.inf
    assert summary[["low", "high"]].isna().all(axis=None)


def test_a_result_that_only_some_runs_return_counts_those():
    def experiment(seed):
        return {"x": seed} | ({"y": 2.0 * seed} if seed > 0 else {})

    result = sweep(experiment, {}, seeds=3)
    assert result.summary()["runs"].tolist() == [3, 2]
    assert result.rows["y"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("level", "error"),
    [(0.0, ValueError), (1.0, ValueError), (95, ValueError), ("0.95", TypeError), (True, TypeError)],
)
def test_a_level_is_a_share(level, error):
    result = table({"a": [1.0, 2.0]})
    with pytest.raises(error, match="level must be"):
        result.summary(level)
    with pytest.raises(error, match="level must be"):
        result.differences({"variant": "a"}, level)


def test_an_unknown_baseline_is_told():
    result = table({"a": [1.0, 2.0]})
    with pytest.raises(LookupError, match="no variant variant='z'"):
        result.differences({"variant": "z"})
    with pytest.raises(LookupError, match="no variant variant='a', load=1"):
        result.differences({"load": 1})
    with pytest.raises(TypeError, match="baseline must be a dict"):
        result.differences("a")
