"""Closed forms: numerical care, bad input, and a brute-force check of the NFD-S theory."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from dscourse.detection import (
    DetectorQuality,
    nfd_s,
    phi,
    phi_exponential,
    phi_timeout,
    swim_expected_first_detection,
    swim_retransmissions,
    swim_suspicion_bounds,
    swim_suspicion_timeout,
)

BAD_NUMBERS = [math.nan, math.inf, -math.inf, -1.0]
NOT_NUMBERS = ["1", None, True, [1.0]]


def test_phi_stays_exact_where_the_cdf_is_1():
    # 1 − cdf(20 sd) is 0 in floating point; the tail is 2.75e-89
    assert phi(1000 + 20 * 100, 1000, 100) == pytest.approx(88.5601, abs=1e-3)
    assert phi(1000 + 1000 * 100, 1000, 100) == pytest.approx(1000**2 / 2 / math.log(10), rel=1e-4)
    assert 0 <= phi(0, 1000, 10) < 1e-300


def test_phi_takes_arrays():
    silence = np.array([900.0, 1000.0, 1400.0])
    assert phi(silence, 1000, 100).shape == (3,)
    assert phi(silence, 1000, 100)[1] == phi(1000, 1000, 100)
    assert phi_exponential(silence, 1000).shape == (3,)


@given(st.floats(0.05, 40), st.floats(0.01, 1e4), st.one_of(st.none(), st.floats(1e-3, 1e3)))
def test_phi_timeout_is_the_silence_at_which_phi_reaches_the_threshold(threshold, mean, spread):
    silence = phi_timeout(threshold, mean, spread)
    level = phi_exponential(silence, mean) if spread is None else phi(silence, mean, spread)
    # a silence can't be negative: with a wide spread φ starts above a low threshold
    assert level == pytest.approx(threshold, rel=1e-6) or (silence == 0 and level >= threshold)


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.1, 1e3), st.floats(0.1, 1e3))
def test_phi_only_grows_with_silence(a, b, mean, spread):
    assert phi(min(a, b), mean, spread) <= phi(max(a, b), mean, spread)


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_phi_refuses_impossible_numbers(bad):
    for arguments in [(bad, 1, 1), (1, bad, 1), (1, 1, bad), (np.array([1.0, bad]), 1, 1)]:
        with pytest.raises(ValueError):
            phi(*arguments)


@pytest.mark.parametrize("bad", NOT_NUMBERS)
def test_phi_refuses_what_is_no_number(bad):
    with pytest.raises(TypeError):
        phi(1.0, bad, 1.0)
    with pytest.raises((TypeError, ValueError)):
        phi_timeout(bad, 1.0)
    with pytest.raises(TypeError):
        phi(["a"], 1.0, 1.0)
    with pytest.raises(TypeError):
        phi(True, 1.0, 1.0)


def test_first_detection_tends_to_e_over_e_minus_1_from_below():
    values = [swim_expected_first_detection(n) for n in (2, 3, 5, 10, 100, 1000, 10**6)]
    assert values == sorted(values)
    assert values[1] == pytest.approx(1 / (1 - 0.5**2))


@pytest.mark.parametrize("bad", [1, 0, -5])
def test_first_detection_needs_a_second_member(bad):
    with pytest.raises(ValueError, match="members must be at least 2"):
        swim_expected_first_detection(bad)


@pytest.mark.parametrize("bad", [2.5, "3", None, True, math.nan])
def test_first_detection_counts_whole_members(bad):
    with pytest.raises(TypeError):
        swim_expected_first_detection(bad)


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 100), st.floats(0, 100))
def test_suspicion_timeout_falls_with_confirmations_and_stays_in_its_bounds(heard, wanted, a, b):
    low, high = sorted((a, b))
    seconds = swim_suspicion_timeout(heard, wanted, low, high)
    assert low <= seconds <= high
    assert swim_suspicion_timeout(heard + 1, wanted, low, high) <= seconds
    assert swim_suspicion_timeout(wanted, wanted, low, high) == low


def test_suspicion_timeout_wants_the_maximum_above_the_minimum():
    with pytest.raises(ValueError, match="maximum must be at least"):
        swim_suspicion_timeout(0, 3, 5, 4)


def test_memberlists_scaling_with_the_size_of_the_group():
    assert swim_suspicion_bounds(5, 1.0) == (4.0, 24.0)
    assert swim_suspicion_bounds(1000, 1.0) == pytest.approx((12.0, 72.0))
    assert [swim_retransmissions(n) for n in (1, 9, 10, 99, 100, 999, 1000)] == [4, 4, 8, 8, 12, 12, 16]


def _nfd_s_by_hand(interval, shift, loss, delays, heartbeats, seed):
    """Freshness points, written down again the slow way, over one long run."""
    rng = np.random.default_rng(seed)
    sent = np.arange(heartbeats) * interval
    arrival = np.where(rng.random(heartbeats) < loss, np.inf, sent + delays(rng, heartbeats))
    freshest = np.minimum.accumulate(arrival[::-1])[::-1]  # first arrival of heartbeat i or later
    points = sent + shift
    # in [τ_i, τ_i+1) the peer is trusted from freshest_i on
    wrong = np.clip(freshest - points, 0, interval)[1:-50]
    trusted_before = freshest[:-1] < points[1:]
    begins = (trusted_before & (freshest[1:] > points[1:]))[:-49]
    return begins, wrong


@pytest.mark.parametrize(("shift", "loss", "mean"), [(0.5, 0.1, 0.1), (2.0, 0.1, 0.5), (0.0, 0.02, 0.3)])
def test_nfd_s_theory_agrees_with_freshness_points_worked_out_by_hand(shift, loss, mean):
    theory = nfd_s(1.0, shift, loss, stats.expon(scale=mean).cdf)
    begins, wrong = _nfd_s_by_hand(1.0, shift, loss, lambda r, n: r.exponential(mean, n), 400_000, seed=3)
    rates = np.array([batch.mean() for batch in np.array_split(begins, 40)])
    assert abs(rates.mean() - theory.mistake_rate) < 4 * rates.std(ddof=1) / math.sqrt(40)
    shares = np.array([batch.mean() for batch in np.array_split(wrong, 40)])
    assert abs(1 - shares.mean() - theory.query_accuracy) < 4 * shares.std(ddof=1) / math.sqrt(40)


def test_nfd_s_without_loss_and_with_bounded_delay_makes_no_mistake():
    quality = nfd_s(1.0, 0.5, 0.0, stats.uniform(0, 0.4).cdf)
    assert quality.mistake_rate == 0
    assert quality.query_accuracy == 1
    assert math.isnan(quality.mistake_duration)


def test_nfd_s_with_everything_lost_never_trusts():
    quality = nfd_s(1.0, 0.5, 1.0, stats.uniform(0, 0.4).cdf)
    assert (quality.mistake_rate, quality.query_accuracy, quality.mistake_duration) == (0, 0, math.inf)


def test_nfd_s_takes_measured_delays_though_their_cdf_is_a_staircase():
    samples = np.sort(np.random.default_rng(1).exponential(0.5, 300))
    stairs = nfd_s(1.0, 1.0, 0.1, lambda x: np.searchsorted(samples, x, side="right") / 300)
    grid = np.linspace(0, 1, 20_001)[:-1]
    u = np.prod(
        [0.1 + 0.9 * (1 - np.searchsorted(samples, 1.0 + grid - j, side="right") / 300) for j in range(2)],
        axis=0,
    )
    assert stairs.query_accuracy == pytest.approx(1 - u.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((0, 1, 0.1, float), ValueError),
        ((1, -1, 0.1, float), ValueError),
        ((1, 1, 1.1, float), ValueError),
        ((1, 1, 0.1, 0.5), TypeError),
        ((1, 1, 0.1, lambda x: 7.0), ValueError),
        ((1e-9, 1e9, 0.1, lambda x: 1.0), ValueError),
        ((True, 1, 0.1, float), TypeError),
    ],
)
def test_nfd_s_refuses_what_makes_no_sense(arguments, error):
    with pytest.raises(error):
        nfd_s(*arguments)


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (
            DetectorQuality(2.0123, 0.01, 0.5, 0.995),
            "notices a crash after 2.01 s; 36 mistakes an hour of 0.50 s each; right 99.500 % of the time",
        ),
        (
            DetectorQuality(math.nan, 0.0, math.nan, 1.0),
            "nothing crashed; 0 mistakes an hour; right 100.000 % of the time",
        ),
        (
            DetectorQuality(math.nan, 0.0, math.nan, 1.0, 3),
            "no crash was noticed (3 went unnoticed); 0 mistakes an hour; right 100.000 % of the time",
        ),
    ],
)
def test_a_quality_says_what_it_is_in_words(quality, words):
    assert repr(quality) == words


def test_phi_beyond_all_numbers_is_infinite_without_a_warning():
    assert phi(1e300, 1.0, 1e-300) == math.inf
    assert phi(0.5, 1.0, 1e-320) == 0.0
    assert phi_exponential(1e300, 1e-300) == math.inf


def test_nfd_s_refuses_an_interval_far_shorter_than_the_shift():
    with pytest.raises(ValueError, match="shift must be at most 100 000 intervals"):
        nfd_s(1e-320, 0.5, 0.01, stats.expon(scale=0.02).cdf)
