"""The checkers of notebook 08: right answers in other forms pass, near-misses and nonsense are told in words."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from scipy import stats

from dscourse.detection import HeartbeatDetector, SwimMember, phi
from dscourse.exercises import failure_detection as exercises
from dscourse.simulation import CutLink, Lossy


def refusal(exercise, answer):
    return exercise._check(answer)


@pytest.mark.parametrize("answer", [3, np.float32(3), Fraction(3)])
def test_seconds_in_every_form_pass(answer):
    assert refusal(exercises.detection_budget, answer) is None


@pytest.mark.parametrize("answer", [None, True, "3", [3], 10**400])
def test_what_is_no_number_of_seconds_is_said(answer):
    for exercise in (exercises.detection_budget, exercises.silence_of_a_cassandra_node):
        assert refusal(exercise, answer).startswith("The answer is one number, in seconds.")


def test_a_phi_of_any_make_passes_and_one_without_digits_is_told_why():
    assert refusal(exercises.your_own_phi, phi) is None
    assert refusal(exercises.your_own_phi, lambda t, m, s: np.float64(phi(t, m, s))) is None
    no_digits = refusal(exercises.your_own_phi, lambda t, m, s: -math.log10(1 - stats.norm.cdf(t, m, s)))
    assert no_digits == exercises.NO_DIGITS_LEFT
    for nothing in (None, "x", np.array([1.0])):
        assert "should return one number" in refusal(exercises.your_own_phi, lambda *_, it=nothing: it)


@pytest.mark.parametrize("interval", [1e-9, 1e-3])
def test_a_design_that_floods_the_network_is_refused_before_it_costs_time(interval):
    design = partial(HeartbeatDetector, interval=interval, timeout=1.0)
    assert refusal(exercises.design_a_detector, design) == exercises.TOO_MANY


def test_other_designs_that_hold_pass():
    for design in (
        partial(SwimMember, gossip_interval=0.2),
        partial(HeartbeatDetector, interval=3.7, timeout=12.0),
    ):
        assert refusal(exercises.design_a_detector, design) is None


def test_trouble_on_a_link_passes_and_what_is_no_list_of_faults_is_said():
    assert refusal(exercises.fool_the_heartbeats, (CutLink("n1", "n2", at=5.0, one_way=True),)) is None
    assert refusal(exercises.fool_the_heartbeats, [Lossy(1.0, at=5.0, link=("n0", "n3"))]) is None
    for answer in ([3], [], CutLink("n0", "n3", at=5.0)):
        assert refusal(exercises.fool_the_heartbeats, answer).startswith("The answer is a list of faults")
