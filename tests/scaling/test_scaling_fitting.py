"""The USL fit: it finds what was put in, is sure only as far as it may be, and refuses the rest."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import optimize, stats

from dscourse import datasets
from dscourse.scaling import USL, fit_usl

LOADS = np.array([1, 2, 4, 8, 12, 16, 24, 32, 48, 64.0])


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.5), st.one_of(st.just(0.0), st.floats(1e-5, 0.05)), st.floats(1e-3, 1e5))
def test_fit_recovers_the_law_that_made_the_data(contention, coherency, single):
    truth = USL(contention, coherency, single)
    fit = fit_usl(LOADS, truth(LOADS))
    assert fit.contention == pytest.approx(contention, abs=1e-5)
    assert fit.coherency == pytest.approx(coherency, abs=1e-6)
    assert fit.single_throughput == pytest.approx(single, rel=1e-4)
    assert np.allclose(fit(LOADS), truth(LOADS), rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.3))
def test_no_neighbour_and_no_other_optimiser_fits_better(seed, noise):
    rng = np.random.default_rng(seed)
    x = USL(0.05, 0.001, 100)(LOADS) * rng.uniform(1 - noise, 1 + noise, LOADS.size)
    fit = fit_usl(LOADS, x)
    error = float(np.sum(fit.residuals**2))

    def residual(p):
        return p[2] * LOADS / (1 + p[0] * (LOADS - 1) + p[1] * LOADS * (LOADS - 1)) - x

    for start in ([0.01, 1e-4, 90], [0.3, 0.01, 150]):
        other = optimize.least_squares(
            residual, start, bounds=([0, 0, 1e-9], np.inf), x_scale=[0.1, 1e-3, 100]
        )
        assert error <= 2 * other.cost * (1 + 1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-4, 1e4), st.integers(0, 1000))
def test_the_unit_of_throughput_does_not_matter(unit, seed):
    x = USL(0.03, 0.0005, 50)(LOADS) * np.random.default_rng(seed).uniform(0.97, 1.03, LOADS.size)
    one, other = fit_usl(LOADS, x), fit_usl(LOADS, x * unit)
    assert other.contention == pytest.approx(one.contention, abs=1e-6)
    assert other.single_throughput == pytest.approx(one.single_throughput * unit, rel=1e-5)


def test_intervals_hold_the_truth_as_often_as_they_say():
    truth = USL(0.05, 0.002, 100)
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(120):
        fit = fit_usl(LOADS, truth(LOADS) + rng.normal(0, 8, LOADS.size))
        low, high = fit.confidence_interval("contention", 0.8)
        hits += low <= truth.contention <= high
    # 120 tries at 80 %: four standard errors are 15 points, and 95 % intervals would hit 114 times
    assert 0.8 - 4 * math.sqrt(0.8 * 0.2 / 120) <= hits / 120 <= 0.8 + 4 * math.sqrt(0.8 * 0.2 / 120)


def test_intervals_are_those_of_a_general_curve_fit():
    frame = datasets.load("scaling/cisco_schwartz")
    fit = fit_usl(frame.concurrency, frame.throughput)

    def law(n, a, b, g):
        return g * n / (1 + a * (n - 1) + b * n * (n - 1))

    values, covariance = optimize.curve_fit(law, frame.concurrency, frame.throughput, [0.02, 1e-3, 1000])
    t = stats.t.ppf(0.975, len(frame) - 3)
    for place, name in enumerate(("contention", "coherency", "single_throughput")):
        reach = t * math.sqrt(covariance[place, place])
        assert fit.confidence_interval(name) == pytest.approx(
            (values[place] - reach, values[place] + reach), rel=1e-3
        )


def test_a_wider_level_gives_a_wider_interval_around_the_estimate():
    frame = datasets.load("scaling/raytracer")
    fit = fit_usl(frame.processors, frame.throughput)
    narrow, wide = (fit.confidence_interval("contention", level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < fit.contention < narrow[1] < wide[1]


def test_three_points_are_fitted_exactly_and_have_no_interval():
    truth = USL(0.1, 0.01, 10)
    fit = fit_usl([1, 4, 16], [truth(n) for n in (1, 4, 16)])
    assert np.allclose(fit.residuals, 0, atol=1e-6)
    with pytest.raises(ValueError, match="at least 4 measurements, got 3"):
        fit.confidence_interval("contention")


def test_loads_that_are_too_alike_have_no_interval():
    n = [1.0, 1.0 + 1e-9, 1.0 + 2e-9, 1.0 + 3e-9]
    with pytest.raises(ValueError, match="too alike"):
        fit_usl(n, [10, 10.1, 9.9, 10.05]).confidence_interval("contention")


def test_an_unknown_parameter_is_named_with_those_there_are():
    fit = fit_usl(LOADS, USL(0.1, 0.01, 10)(LOADS))
    with pytest.raises(LookupError, match="contention, coherency, single_throughput"):
        fit.confidence_interval("alpha")


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, math.nan])
def test_a_level_is_a_fraction(level):
    with pytest.raises(ValueError, match="level must"):
        fit_usl(LOADS, USL(0.1, 0.01, 10)(LOADS)).confidence_interval("contention", level)


def test_too_few_points_are_refused_by_number():
    with pytest.raises(ValueError, match="3 different loads or more; got 2"):
        fit_usl([1, 2, 2, 1], [10, 18, 18, 10])


def test_superlinear_data_are_not_given_a_negative_contention():
    fit = fit_usl([1, 2, 4, 8], [10, 22, 48, 100])
    assert fit.contention == 0
    assert fit.coherency == 0
    assert fit.peak_load == math.inf


def test_fit_says_what_it_found():
    frame = datasets.load("scaling/raytracer")
    assert "peak at inf" in repr(fit_usl(frame.processors, frame.throughput))
    assert "6 measurements" in repr(fit_usl(frame.processors[:6], frame.throughput[:6]))
    assert math.isnan(fit_usl([1, 2, 3, 4], [5, 5, 5, 5]).r_squared)


def test_contention_alone_may_be_on_its_bound():
    """Throughput that falls from the start would like α < 0: then α is 0, and β the best that goes with it."""
    load, throughput = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0])
    fit = fit_usl(load, throughput)

    def error(beta):
        curve = load / (1 + beta * load * (load - 1))
        return np.sum((throughput - curve * (curve @ throughput) / (curve @ curve)) ** 2)

    best = optimize.minimize_scalar(error, bounds=(0.01, 10), method="bounded").x
    assert fit.contention == 0.0
    assert fit.coherency == pytest.approx(best, rel=1e-3)


def test_loads_by_the_billion_are_fitted_like_any_others():
    """The optimiser sees α and β in units that suit the loads; in those of one processor they would look like 0."""
    load, truth = np.array([1e9, 2e9, 4e9, 8e9, 16e9, 32e9]), USL(3e-11, 2e-21, 1.0)
    fit = fit_usl(load, truth(load))
    assert fit.contention == pytest.approx(3e-11, rel=1e-6)
    assert fit.coherency == pytest.approx(2e-21, rel=1e-6)
    assert fit.peak_load == pytest.approx(truth.peak_load, rel=1e-6)


def test_loads_that_are_alike_but_not_too_alike_have_a_wide_interval():
    """From 100 to 108 one sees little of the curve: the interval is wide, but it is one, and the right one."""
    load = np.array([100.0, 101.0, 103.0, 105.0, 108.0])
    throughput = USL(0.05, 0.002, 100)(load) * np.array([1.001, 0.999, 1.001, 1.001, 0.999])
    fit = fit_usl(load, throughput)
    assert fit.contention == 0.0

    def law(n, a, b, g):
        return g * n / (1 + a * (n - 1) + b * n * (n - 1))

    start = [fit.contention, fit.coherency, fit.single_throughput]
    jacobian = optimize.approx_fprime(start, lambda p: law(load, *p), np.array([1e-7, 1e-9, 1e-5]))
    size = np.linalg.norm(jacobian, axis=0)
    inverse = np.linalg.pinv(jacobian / size, rcond=1e-12)
    variance = np.sum(fit.residuals**2) / (load.size - 3)
    reach = stats.t.ppf(0.975, load.size - 3) * np.sqrt(variance * np.diag(inverse @ inverse.T)) / size
    low, high = fit.confidence_interval("single_throughput")
    assert (high - low) / 2 == pytest.approx(reach[2], rel=0.01)
    assert low < 0 < high  # these measurements can't even tell what one node does


def test_an_answer_on_a_bound_is_exactly_0():
    """The optimiser stops a hair above the bound, here at α = 2e-17: that is contention which nobody measured."""
    load = [2.0, 8.0, 12.0, 16.0, 48.0, 64.0, 128.0]
    throughput = [
        213.6612252314023, 747.9251781651197, 890.1657539314227, 1192.532423502579,
        1360.414578804341, 1120.9193370370058, 652.1383861349017,
    ]  # fmt: skip
    fit = fit_usl(load, throughput)
    assert fit.contention == 0.0
    assert fit.coherency == pytest.approx(0.00102334, rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_loads_below_one_never_end_in_a_law_without_a_meaning(seed):
    """Below 1 a large contention turns the sign of the law; such a curve may pass near the points, but is no fit."""
    rng = np.random.default_rng(seed)
    load, throughput = 10.0 ** rng.uniform(-2, 1, 6), rng.uniform(0, 100, 6)
    fit = fit_usl(load, throughput)
    assert (fit(load) > 0).all()
    flat = load * float(load @ throughput) / float(load @ load)  # α = β = 0 is always there to be chosen
    assert np.sum(fit.residuals**2) <= np.sum((throughput - flat) ** 2) * (1 + 1e-9)


def least_on_a_grid(load, throughput):
    """The least squared error of 20 000 curves, each with the γ that suits it best."""
    steps = np.concatenate([[0.0], 10.0 ** np.linspace(-4, 4, 140)])
    alpha, beta = steps[:, None, None] / load.max(), steps[None, :, None] / load.max() ** 2
    curves = load / (1 + alpha * (load - 1) + beta * load * (load - 1))
    single = (curves @ throughput) / np.sum(curves**2, axis=-1)
    return np.sum((single[..., None] * curves - throughput) ** 2, axis=-1).min()


@pytest.mark.parametrize(
    ("load", "throughput"),
    [
        ([1, 3, 16, 32, 64], [0.541, 11.746, 0.5109, 0.02036, 12.5348]),  # where the lowest dip leads astray
        ([1, 3, 6, 24, 64, 128], [3.377, 0.041, 3.132, 0.787, 0.056, 5.652]),
    ],
)
def test_measurements_that_look_best_from_two_sides_get_the_better_one(load, throughput):
    """From most starts the optimiser slides down to α = β = 0 here, though a curve with contention fits better."""
    fit = fit_usl(load, throughput)
    load, throughput = np.array(load, float), np.array(throughput)
    assert fit.contention > 0.5
    assert np.sum(fit.residuals**2) <= least_on_a_grid(load, throughput) * (1 + 1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000))
def test_no_curve_of_a_fine_grid_fits_better_however_scattered_the_measurements(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 7))
    load = np.sort(rng.choice([1.0, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 512], count, replace=False))
    throughput = np.exp(rng.normal(0, 2, count))
    fit = fit_usl(load, throughput)
    slack = 1e-9 * float(throughput @ throughput)
    assert np.sum(fit.residuals**2) <= least_on_a_grid(load, throughput) * (1 + 1e-6) + slack
