"""Each model against its closed form, from the draws that a link would make."""

import math

import numpy as np
import pytest

from dscourse import datasets
from dscourse.simulation import Constant, Empirical, Exponential, LogNormal, Uniform
from dscourse.simulation.random_streams import Stream

COUNT = 20_000


def samples(model):
    stream, sample = Stream(1), model.sampler()
    times = [sample(stream.draw()) for _ in range(COUNT)]
    assert all(type(time) is int and time >= 0 for time in times)  # whole microseconds
    return np.array(times) / 1e6


def within(value, expected, standard_error):
    assert abs(value - expected) < 4 * standard_error


def test_constant():
    assert set(samples(Constant(0.25))) == {0.25}
    assert set(samples(Constant(0))) == {0.0}


def test_uniform():
    times = samples(Uniform(0.01, 0.03))
    assert 0.01 <= times.min() < 0.0101
    assert 0.0299 < times.max() <= 0.03
    within(times.mean(), 0.02, 0.02 / math.sqrt(12 * COUNT))
    assert set(samples(Uniform(0.5, 0.5))) == {0.5}


def test_exponential():
    times = samples(Exponential(0.02))
    within(times.mean(), 0.02, 0.02 / math.sqrt(COUNT))
    for share in (0.5, 0.9, 0.99):
        within((times <= -0.02 * math.log(1 - share)).mean(), share, math.sqrt(share * (1 - share) / COUNT))
    assert Exponential(1.0).quantile(0.5) == round(math.log(2), 6)


def test_log_normal():
    times = samples(LogNormal(0.05, 0.5))
    within(np.log(times).mean(), math.log(0.05), 0.5 / math.sqrt(COUNT))
    within(np.log(times).std(), 0.5, 0.5 / math.sqrt(2 * COUNT))
    assert LogNormal(1.0, 0.5).quantile(0.5) == 1.0
    assert LogNormal(1.0, 0.5).quantile(0.99) == pytest.approx(math.exp(0.5 * 2.3263478740408408), abs=1e-6)
    assert LogNormal(1.0, 0.5).quantile(0.0) >= 0.0
    assert set(samples(LogNormal(0.05, 0.0))) == {0.05}


def test_empirical():
    times = samples(Empirical([0.1, 0.2, 0.2, 0.4]))
    for value, share in ((0.1, 0.25), (0.2, 0.5), (0.4, 0.25)):
        within((times == value).mean(), share, math.sqrt(share * (1 - share) / COUNT))
    assert Empirical([100, 300], scale=0.001).quantile(0.5) == 0.3


def test_empirical_from_a_data_set():
    table = datasets.load("latency/seattle_rtt")
    one = Empirical("latency/seattle_rtt", column="n32_n56")
    assert one.quantile(0.5) == pytest.approx(table["n32_n56"].median(), rel=0.02)
    everything = Empirical("latency/seattle_rtt", scale=0.5)
    values = table.drop(columns="slice").to_numpy(dtype=float).ravel()
    assert everything.quantile(0.9) == pytest.approx(np.nanquantile(values, 0.9) / 2, rel=0.01)
    matrix = datasets.load("latency/planetlab_rtt")
    hosts = Empirical("latency/planetlab_rtt", scale=0.001)
    off_diagonal = matrix[~np.eye(len(matrix), dtype=bool)]
    assert hosts.quantile(0.5) == pytest.approx(np.median(off_diagonal) / 1000, rel=0.01)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: Constant(-0.1), ValueError, "seconds of Constant must be at least 0"),
        (lambda: Constant(float("inf")), ValueError, "must be finite"),
        (lambda: Constant(True), TypeError, "must be a number"),
        (lambda: Uniform(0.2, 0.1), ValueError, "high must be at least low, got low=0.2, high=0.1"),
        (lambda: Exponential(0), ValueError, "mean of Exponential must be above 0"),
        (lambda: LogNormal(0, 1), ValueError, "median of LogNormal must be above 0"),
        (lambda: LogNormal(1, 9), ValueError, "sigma must be at most 5"),
        (lambda: Empirical([]), ValueError, "at least one sample"),
        (lambda: Empirical([0.1, -0.1]), ValueError, "at least 0"),
        (lambda: Empirical([0.1, float("nan")]), ValueError, "finite"),
        (lambda: Empirical(["a"]), TypeError, "must be a number"),
        (lambda: Empirical([0.1], column="x"), ValueError, "column names a column"),
        (lambda: Empirical("latency/nowhere"), LookupError, "no data set"),
        (lambda: Empirical("latency/seattle_rtt", column="x"), LookupError, "has no column 'x'"),
        (lambda: Empirical("latency/planetlab_rtt", column="x"), LookupError, "matrix"),
        (lambda: Constant(1).quantile(1.0), ValueError, "below 1"),
    ],
)
def test_bad_models_are_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()
