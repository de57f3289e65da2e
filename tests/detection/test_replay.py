"""The vectorised replay against the simulated node classes, and against the closed form of NFD-S."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from dscourse.detection import (
    HeartbeatDetector,
    PhiAccrualDetector,
    PingDetector,
    RecordedDelays,
    detector_quality,
    drawn_delays,
    nfd_s,
    replay_heartbeat,
    replay_phi,
    replay_ping,
    seattle_delays,
    suspicion_history,
)
from dscourse.detection.heartbeat import Heartbeat
from dscourse.detection.ping import EchoReply, EchoRequest
from dscourse.simulation import Constant, Network, Node, Scenario, topology


class RecordedPeer(Node):
    """Stands at the far end of a recorded link, on a network without delay of its own.

    Heartbeat k, stamped as sent at (k − 1)·interval, leaves when it is due to arrive; the reply to ping k leaves
    delays[k − 1] seconds after the ping. What would have been sent after `dies_at` is never sent; what is on its way
    still arrives (a Crash of this node would take back what it holds).
    """

    def __init__(self, node_id, peers, *, delays, interval, dies_at):
        self._peers, self._delays, self._interval, self._dies_at = peers, delays, interval, dies_at
        self._waiting = {}

    def on_start(self, ctx):
        for index, delay in enumerate(self._delays if self._interval else ()):
            sent_at = index * self._interval
            if sent_at < self._dies_at and math.isfinite(delay):
                ctx.set_timer(f"heartbeat {index + 1}", sent_at + delay)

    def on_message(self, ctx, sender, message):
        if not isinstance(message, EchoRequest) or message.number > len(self._delays):
            return
        round_trip = float(self._delays[message.number - 1])
        if ctx.now + round_trip / 2 < self._dies_at and math.isfinite(round_trip):
            name = f"reply {sender} {message.number}"
            self._waiting[name] = (sender, EchoReply(message.generation, message.number))
            ctx.set_timer(name, round_trip)

    def on_timer(self, ctx, name):
        if name in self._waiting:
            ctx.send(*self._waiting.pop(name))
            return
        number = int(name.removeprefix("heartbeat "))
        for peer in self._peers:
            ctx.send(peer, Heartbeat(1, number, (number - 1) * self._interval))


def simulated(detector, delays, *, interval=1.0, beats=True, until=None, dies_at=math.inf):
    """Let node n0 watch node n1, whose messages arrive as recorded."""
    peer = partial(RecordedPeer, delays=delays, interval=interval if beats else None, dies_at=dies_at)
    network = Network(topology.full_mesh(2), latency=Constant(0.0))
    scenario = Scenario(lambda node, peers: (detector if node == "n0" else peer)(node, peers), network)
    return scenario.run(len(delays) * interval if until is None else until)


def restless(count, seed, loss=0.1):
    """Delays up to a few intervals, so that heartbeats overtake each other, some of them lost."""
    rng = np.random.default_rng(seed)
    delays = np.round(rng.exponential(0.4, count) + (rng.random(count) < 0.1) * rng.random(count) * 3, 6)
    return np.where(rng.random(count) < loss, math.inf, delays)


def assert_same(trade_off, quality):
    assert trade_off.mistake_rate[0] == pytest.approx(quality.mistake_rate, abs=1e-12)
    assert trade_off.query_accuracy[0] == pytest.approx(quality.query_accuracy, abs=1e-6)
    assert trade_off.mistake_duration[0] == pytest.approx(quality.mistake_duration, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize("measure_from", ["arrival", "sending"])
@pytest.mark.parametrize(("seed", "timeout"), [(1, 0.537), (2, 1.237), (3, 2.037), (5, 2.637)])
def test_heartbeat_replay_makes_the_same_mistakes_as_the_simulated_detector(measure_from, seed, timeout):
    delays = restless(200, seed)
    node = partial(HeartbeatDetector, timeout=timeout, measure_from=measure_from)
    quality = detector_quality(simulated(node, delays), observers=["n0"])
    trade_off = replay_heartbeat(RecordedDelays(1.0, delays), [timeout], measure_from=measure_from)
    assert quality.mistake_rate > 0
    assert_same(trade_off, quality)


@pytest.mark.parametrize("distribution", ["normal", "exponential"])
@pytest.mark.parametrize(
    ("seed", "threshold", "window"), [(1, 1.0, 1000), (2, 1.3, 1000), (3, 0.8, 7), (6, 1.1, 25)]
)
def test_phi_replay_makes_the_same_mistakes_as_the_simulated_detector(distribution, seed, threshold, window):
    delays = restless(200, seed, loss=0.3)
    chosen = {"window": window, "distribution": distribution, "acceptable_pause": 0.05}
    node = partial(PhiAccrualDetector, threshold=threshold, **chosen)
    quality = detector_quality(simulated(node, delays), observers=["n0"])
    trade_off = replay_phi(RecordedDelays(1.0, delays), [threshold], **chosen)
    assert quality.mistake_rate > 0
    assert_same(trade_off, quality)


@pytest.mark.parametrize("attempts", [1, 2, 3])
@pytest.mark.parametrize(("seed", "timeout"), [(1, 0.337), (2, 0.837), (3, 1.737), (4, 2.537)])
def test_ping_replay_makes_the_same_mistakes_as_the_simulated_detector(attempts, seed, timeout):
    round_trips = restless(200, seed, loss=0.2)
    node = partial(PingDetector, timeout=timeout, attempts=attempts)
    quality = detector_quality(simulated(node, round_trips, beats=False), observers=["n0"])
    trade_off = replay_ping(RecordedDelays(1.0, round_trips), [timeout], attempts=attempts)
    assert_same(trade_off, quality)


def detection_times(detector, delays, moments, *, beats=True):
    times = []
    for moment in moments:
        run = simulated(detector, delays, beats=beats, until=len(delays) + 20.0, dies_at=moment)
        history, _ = suspicion_history(run)
        last = history["n0", "n1"][-1]
        assert last.end == run.until  # it stays
        times.append(max(0.0, last.begin - moment))
    return times


@pytest.mark.parametrize(
    ("detector", "replay"),
    [
        (partial(HeartbeatDetector, timeout=2.037), lambda r: replay_heartbeat(r, [2.037])),
        (
            partial(HeartbeatDetector, timeout=2.437, measure_from="sending"),
            lambda r: replay_heartbeat(r, [2.437], measure_from="sending"),
        ),
        (partial(PhiAccrualDetector, threshold=4, acceptable_pause=0.0), lambda r: replay_phi(r, [4])),
    ],
)
def test_replayed_detection_time_is_the_mean_over_crashes_of_the_simulated_detector(detector, replay):
    rng = np.random.default_rng(8)
    delays = np.where(rng.random(40) < 0.1, math.inf, np.round(rng.uniform(0, 0.9, 40), 6))  # none overtaken
    # a crash right after heartbeat k, and in the middle of each quarter of the interval that follows
    moments = [k + quarter for k in range(30) for quarter in (0.125, 0.375, 0.625, 0.875)]
    expected = np.mean(detection_times(detector, delays, moments))
    recording = RecordedDelays(1.0, delays)
    heard = replay(recording).detection_time[0]
    assert heard == pytest.approx(expected, rel=0.03)


def test_replayed_ping_detection_time_is_the_mean_over_crashes_of_the_simulated_detector():
    rng = np.random.default_rng(9)
    round_trips = np.where(rng.random(40) < 0.1, math.inf, np.round(rng.uniform(0.1, 0.5, 40), 6))
    detector = partial(PingDetector, timeout=0.737, attempts=2)
    moments = np.arange(2.0, 36.0, 0.2)
    expected = np.mean(detection_times(detector, round_trips, moments, beats=False))
    replayed = replay_ping(RecordedDelays(1.0, round_trips), [0.737], attempts=2).detection_time[0]
    assert replayed == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("shift", "loss", "mean"), [(0.5, 0.05, 0.1), (2.0, 0.1, 0.5)])
def test_replay_of_drawn_delays_follows_the_theory_of_nfd_s(shift, loss, mean):
    theory = nfd_s(1.0, shift, loss, stats.expon(scale=mean).cdf)
    rates, accuracies, times = [], [], []
    for seed in range(12):
        recording = drawn_delays(mean, loss, links=40, messages=1500, seed=seed)
        # a shift of δ is a timeout of δ + one interval: heartbeat i must be there by the freshness point of i + 1
        replayed = replay_heartbeat(recording, [shift + 1.0], measure_from="sending")
        rates.append(replayed.mistake_rate[0])
        accuracies.append(replayed.query_accuracy[0])
        times.append(replayed.detection_time[0])
    error = np.std(rates, ddof=1) / math.sqrt(12)
    assert (
        abs(np.mean(rates) - theory.mistake_rate) < 3 * error + 2e-5
    )  # 2e-5: the start of each watch is different
    error = np.std(accuracies, ddof=1) / math.sqrt(12)
    assert abs(np.mean(accuracies) - theory.query_accuracy) < 3 * error + 2e-5
    assert max(times) <= theory.detection_time


def test_a_longer_timeout_is_slower_and_never_less_accurate():
    recording = seattle_delays()
    timeouts = np.arange(0.6037, 8, 0.25)
    for measure_from in ("arrival", "sending"):
        replayed = replay_heartbeat(recording, timeouts, measure_from=measure_from)
        assert np.all(np.diff(replayed.detection_time) > 0)
        assert np.all(np.diff(replayed.query_accuracy) >= 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 4.0), st.floats(0.0, 0.5))
def test_measures_are_consistent_whatever_the_recording(seed, timeout, loss):
    recording = RecordedDelays(1.0, restless(60, seed, loss))
    for replayed in (
        replay_heartbeat(recording, [timeout]),
        replay_heartbeat(recording, [timeout], measure_from="sending"),
        replay_phi(recording, [timeout]),
        replay_ping(recording, [timeout], attempts=2),
    ):
        accuracy, rate = replayed.query_accuracy[0], replayed.mistake_rate[0]
        assert 0 <= accuracy <= 1
        # per link: share of wrong time = mistakes a second · seconds a mistake
        wrong = rate * replayed.mistake_duration[0] if rate > 0 else 0.0
        assert 1 - accuracy == pytest.approx(wrong, abs=1e-9)


def test_seattle_is_40_links_in_their_measured_order():
    recording = seattle_delays()
    assert recording.delays.shape == (40, 688)
    assert np.all(seattle_delays(round_trip=True).delays == 2 * recording.delays)
    centred = recording.delays - recording.delays.mean(axis=1, keepdims=True)
    neighbours = (centred[:, 1:] * centred[:, :-1]).sum() / (centred**2).sum()
    assert 0.6 < neighbours < 0.95  # a shuffled recording would have about 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: RecordedDelays(0.0, [[1.0]]), ValueError),
        (lambda: RecordedDelays(1.0, [[-1.0]]), ValueError),
        (lambda: RecordedDelays(1.0, [[math.nan]]), ValueError),
        (lambda: RecordedDelays(1.0, []), ValueError),
        (lambda: RecordedDelays(True, [[1.0]]), TypeError),
        (lambda: replay_heartbeat(seattle_delays(), []), ValueError),
        (lambda: replay_heartbeat(seattle_delays(), [math.nan]), ValueError),
        (lambda: replay_heartbeat(seattle_delays(), [1.0], measure_from="birth"), ValueError),
        (lambda: replay_phi(seattle_delays(), [-1.0]), ValueError),
        (lambda: replay_ping(seattle_delays(), [1.0], attempts=0), ValueError),
        (lambda: drawn_delays(-1.0, 0.1), ValueError),
        (lambda: drawn_delays(1.0, 1.1), ValueError),
    ],
)
def test_bad_recordings_and_settings_are_refused(call, error):
    with pytest.raises(error):
        call()


def test_a_sign_of_life_at_the_very_moment_of_the_deadline_is_too_late_as_in_the_simulation(simulate):
    """The timer was set before the message was on its way, so it goes off first."""
    recording = RecordedDelays(1.0, [[0.5] * 20])
    for factory, replay, latency in (
        (HeartbeatDetector, replay_heartbeat, 0.5),
        (PingDetector, replay_ping, 0.25),  # each way
    ):
        for timeout in (0.5, 0.6, 1.0):
            run = simulate(partial(factory, timeout=timeout), 2, 20.0, latency=Constant(latency))
            suspicions = len(run.trace.select(kind="record", node="n0", name="suspect"))
            replayed = replay(recording, [timeout]).mistake_rate[0] * 20
            assert replayed == pytest.approx(suspicions), (factory, timeout)
    assert replay_ping(recording, [0.5]).query_accuracy[0] == pytest.approx(0.5 / 20)
