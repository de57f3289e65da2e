"""The search for capacity: against a known answer, at both ends, and with what a system may do wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.scaling import CapacityStatement, Trial, find_capacity, mm1, simulate_queue


def cliff(limit):
    return lambda load: [0.01 if load <= limit else 1.0]


@settings(deadline=None)
@given(st.floats(1, 1e6), st.sampled_from([0.5, 0.1, 0.02, 0.001]))
def test_the_capacity_found_was_measured_good_and_is_as_close_as_asked(limit, precision):
    found = find_capacity(cliff(limit), workload="a cliff", objective=0.1, precision=precision, highest=1e9)
    assert found.outcome == "found"
    assert found.capacity <= limit <= found.capacity / (1 - precision) * (1 + 1e-9)
    good = [trial.load for trial in found.trials if trial.met]
    bad = [trial.load for trial in found.trials if not trial.met]
    assert found.capacity == max(good)
    assert max(good) < min(bad)
    assert len(found.trials) < 100


def test_a_simulated_queue_is_found_to_carry_what_the_formula_says():
    # p99 of M/M/1 is ln(100) / (μ − λ): with μ = 1000/s and 50 ms that allows λ = 1000 − 92.1
    def measure(load):
        rng = np.random.default_rng(11)
        return simulate_queue(
            rng.exponential(1 / load, 200_000), rng.exponential(1e-3, 200_000)
        ).sojourn_times

    found = find_capacity(measure, workload="one server", objective=0.05, lowest=50)
    assert found.capacity == pytest.approx(1000 - math.log(100) / 0.05, rel=0.04)
    assert mm1(found.capacity, 1000).sojourn_quantile(0.99) == pytest.approx(0.05, rel=0.4)


def test_a_system_that_never_meets_the_objective():
    found = find_capacity(lambda load: [5.0], workload="reads", objective=0.1, lowest=10)
    assert (found.outcome, found.capacity, len(found.trials)) == ("never", 0.0, 1)
    assert str(found) == "does not meet p99 ≤ 100 ms under reads, not even at 10 requests/s"


def test_a_system_that_always_meets_the_objective():
    found = find_capacity(lambda load: [0.001], workload="reads", objective=0.1, highest=1000)
    assert (found.outcome, found.capacity) == ("always", 1000.0)
    assert str(found) == "scales to at least 1 000 requests/s under reads with p99 ≤ 100 ms"


def test_lowest_and_highest_may_be_the_same():
    assert find_capacity(cliff(5), workload="w", objective=0.1, lowest=5, highest=5).outcome == "always"
    assert find_capacity(cliff(4), workload="w", objective=0.1, lowest=5, highest=5).outcome == "never"


def test_the_evidence_lists_every_load_tried_in_order():
    found = find_capacity(cliff(700), workload="w", objective=0.1)
    evidence = found.evidence
    assert evidence["load"].is_monotonic_increasing
    assert len(evidence) == len(found.trials)
    assert evidence.loc[evidence["met"], "load"].max() == found.capacity
    assert set(evidence.columns) == {"load", "latency", "met"}


def test_the_sentence_reads_as_the_course_writes_it():
    statement = CapacityStatement(812.0, "reads of 1 kB", 0.05, 0.99, "requests/s", "found")
    assert str(statement) == "scales to 812 requests/s under reads of 1 kB with p99 ≤ 50 ms"
    half = CapacityStatement(12_345.0, "chat", 2.0, 0.5, "users", "found")
    assert str(half) == "scales to 12 345 users under chat with p50 ≤ 2 s"


def test_a_measurement_that_is_no_latency_is_told_with_its_load():
    for bad in ([], [math.nan], [-1.0], [math.inf]):
        with pytest.raises(ValueError, match=r"measure\(1\) must return latencies in seconds"):
            find_capacity(lambda load, bad=bad: bad, workload="w", objective=0.1)
    for bad in (None, "fast", 0.5):
        with pytest.raises(TypeError, match=r"measure\(1\) must return latencies in seconds"):
            find_capacity(lambda load, bad=bad: bad, workload="w", objective=0.1)


def test_an_error_inside_the_system_is_not_swallowed():
    def broken(load):
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        find_capacity(broken, workload="w", objective=0.1)


def test_workload_has_no_default_since_a_capacity_without_one_means_nothing():
    with pytest.raises(TypeError, match="workload"):
        find_capacity(cliff(5), objective=0.1)


def test_a_wide_search_is_still_as_precise_as_was_asked_for():
    found = find_capacity(
        lambda load: [0.01 if load <= 3e200 else 1.0],
        workload="reads",
        objective=0.1,
        lowest=1e-200,
        highest=1e300,
        precision=0.01,
    )
    assert 0.99 * 3e200 <= found.capacity <= 3e200


def test_a_noisy_system_ends_the_search_and_the_answer_was_measured():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = find_capacity(
            lambda load, rng=rng: [rng.random()], workload="noise", objective=0.7, precision=1e-6, highest=1e9
        )
        good = [trial.load for trial in found.trials if trial.met]
        assert found.capacity == (good[-1] if good else 0.0)
        assert len(found.trials) < 60


def test_the_load_doubles_and_then_the_gap_is_halved():
    found = find_capacity(cliff(100), workload="w", objective=0.1, precision=0.05)
    assert [trial.load for trial in found.trials] == [1, 2, 4, 8, 16, 32, 64, 128, 96, 112, 104, 100]
    assert found.capacity == 100


def test_precision_is_a_share_of_the_first_bad_load():
    """From 64 to 128 it is half of 128, and that was asked for: nothing more is measured."""
    found = find_capacity(cliff(100), workload="w", objective=0.1, precision=0.5)
    assert (found.capacity, len(found.trials)) == (64, 8)


def test_a_latency_of_just_the_objective_meets_it():
    assert find_capacity(lambda _load: [0.1], workload="w", objective=0.1, highest=4).outcome == "always"


def test_a_statement_made_by_hand_names_the_lowest_load_that_was_tried():
    trials = (Trial(5.0, 1.0, False), Trial(2.0, 1.0, False), Trial(9.0, 1.0, False))
    statement = CapacityStatement(0.0, "reads", 0.1, 0.99, "users", "never", trials)
    assert str(statement) == "does not meet p99 ≤ 100 ms under reads, not even at 2 users"
