"""Closed forms of failure detection against the numbers of their sources."""

import math

import pytest
from scipy import stats

from dscourse.detection import (
    nfd_s,
    phi,
    phi_exponential,
    phi_timeout,
    swim_expected_first_detection,
    swim_suspicion_timeout,
)


@pytest.mark.parametrize(("elapsed", "level"), [(1000, 0.3010), (1400, 4.4993)])
def test_phi_of_hayashibara_for_normal_gaps_of_1000_ms_and_100_ms(elapsed, level):
    assert phi(elapsed, 1000, 100) == pytest.approx(level, rel=1e-3)


def test_cassandras_threshold_of_8_is_18_42_mean_gaps():
    assert phi_timeout(8, 1.0) == pytest.approx(18.42, rel=1e-3)
    assert phi_exponential(18.42, 1.0) == pytest.approx(8, rel=1e-3)


@pytest.mark.parametrize(("members", "periods"), [(100, 1.5773), (10**9, math.e / (math.e - 1)), (2, 1.0)])
def test_swim_first_detection(members, periods):
    assert swim_expected_first_detection(members) == pytest.approx(periods, rel=1e-4)


@pytest.mark.parametrize(("confirmations", "seconds"), [(0, 30.0), (1, 16.0), (2, 7.81), (3, 2.0), (5, 2.0)])
def test_suspicion_timeout_of_memberlist(confirmations, seconds):
    # hashicorp/memberlist, suspicion_test.go; it rounds down to whole milliseconds
    assert swim_suspicion_timeout(confirmations, 3, 2, 30) == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(
    ("loss", "mean", "shift", "recurrence", "duration", "accuracy"),
    [(0.01, 0.02, 0.5, 101.010, 0.53010, 0.9947520), (0.1, 0.5, 2.0, 43.113, 0.38340, 0.9911070)],
)
def test_nfd_s_of_chen_toueg_and_aguilera(loss, mean, shift, recurrence, duration, accuracy):
    quality = nfd_s(1.0, shift, loss, stats.expon(scale=mean).cdf)
    assert 1 / quality.mistake_rate == pytest.approx(recurrence, rel=1e-4)
    assert quality.mistake_duration == pytest.approx(duration, rel=1e-4)
    assert quality.query_accuracy == pytest.approx(accuracy, rel=1e-4)
    assert quality.detection_time == shift + 1.0
