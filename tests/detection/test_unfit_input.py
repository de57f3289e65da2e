"""What a learner's notebook may get wrong is refused at the door, in one line that says what would be right.

That each checker refuses all odd values is tested once, in tests/test_arguments.py; here each argument goes through its
checker, and what is particular to an argument is tried.
"""

import math

import numpy as np
import pytest

from dscourse.detection import (
    HeartbeatDetector,
    RecordedDelays,
    SwimMember,
    detector_quality,
    drawn_delays,
    first_probe_waits,
    message_load,
    phi,
    preset,
    replay_all,
    replay_heartbeat,
    replay_phi,
    replay_ping,
    seattle_delays,
    swim_expected_first_detection,
)

ONE = RecordedDelays(1.0, [[0.1, 0.2, math.inf, 0.1]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: RecordedDelays(1e-9, [[0.1]]), ValueError, "interval must be at least 1e-06"),
        (lambda: RecordedDelays(1.0, [[1e300]]), ValueError, r"delays must be at most 1e\+09 s, or inf"),
        (lambda: RecordedDelays(1e9, [[0.1, 0.1]]), ValueError, r"a recording must be at most 1e\+09 s long"),
        (lambda: RecordedDelays(1.0, "0.1"), TypeError, "delays must be a list or an array of numbers"),
        (lambda: RecordedDelays(1.0, [-0.5]), ValueError, "delays must be at least 0 seconds .*, got -0.5"),
        (lambda: drawn_delays(0.1, 0.0, links=10**18), ValueError, "links × messages must be at most"),
        (lambda: drawn_delays(0.1, 0.0, round_trip="no"), TypeError, "round_trip must be True or False"),
        (lambda: seattle_delays(round_trip=1), TypeError, "round_trip must be True or False, got 1"),
        (lambda: replay_heartbeat([0.1], [1.0]), TypeError, "recording must be recorded delays"),
        (lambda: replay_ping(None, [1.0]), TypeError, "recording must be recorded delays"),
        (lambda: replay_phi("seattle", [1.0]), TypeError, "recording must be recorded delays"),
        (lambda: replay_all(ONE, 3), TypeError, "round_trip must be recorded delays"),
        (lambda: replay_heartbeat(ONE, "fast"), TypeError, "timeouts must be a list or an array of numbers"),
        (lambda: replay_ping(ONE, [[1.0], [2.0]]), ValueError, "timeouts must be one row of numbers"),
        (lambda: replay_ping(ONE, [1e300]), ValueError, "timeouts at position 0 must be at most"),
        (lambda: replay_ping(ONE, [1.0], attempts=10**400), ValueError, "attempts must be at most"),
        (lambda: replay_phi(ONE, [0.0]), ValueError, "thresholds at position 0 must be above 0"),
        (lambda: phi("1", 1.0, 0.1), TypeError, "elapsed must be a list or an array of numbers"),
        (lambda: swim_expected_first_detection(10**400), ValueError, "members must be at most"),
        (lambda: message_load("run"), TypeError, "run must be a run of a scenario"),
        (lambda: detector_quality(3), TypeError, "run must be a run of a scenario"),
        (lambda: preset(3), TypeError, "name must be the name of a preset"),
    ],
)
def test_unfit_input_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_what_a_run_can_not_tell_is_said(simulate):
    run = simulate(HeartbeatDetector, 3, 20.0)
    for observers in ("n0", 5):
        with pytest.raises(TypeError, match="observers must be a list of node ids"):
            detector_quality(run, observers=observers)
    with pytest.raises(LookupError, match="'n9' is no node of this run; its nodes are n0, n1, n2"):
        detector_quality(run, observers=["n9"])
    with pytest.raises(ValueError, match="nobody probes anybody in this run"):
        first_probe_waits(run)
    group = simulate(SwimMember, 3, 20.0)
    assert len(first_probe_waits(group)) > 0
    for period in (2.0, 1e-300):
        with pytest.raises(ValueError, match="must last more than 10 periods and at most 1 000 000;"):
            first_probe_waits(group, period)


def test_a_patience_beyond_all_times_never_ends():
    patient = replay_phi(ONE, [1e300], distribution="exponential")
    assert patient.mistake_rate[0] == 0.0
    assert patient.query_accuracy[0] == 1.0
    assert np.isnan(patient.detection_time[0])


def test_a_window_larger_than_the_recording_is_as_good_as_one_that_holds_it_all():
    recording = drawn_delays(0.1, 0.1, links=4, messages=50)
    fitting, vast = (replay_phi(recording, [0.5, 1.0], window=size) for size in (52, 10**18))
    assert np.array_equal(fitting.mistake_rate, vast.mistake_rate)
    assert fitting.mistake_rate.max() > 0
