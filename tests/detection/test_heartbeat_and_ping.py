"""The three detectors that listen to one peer each: when exactly they suspect, and what can't fool them."""

import math
from functools import partial

import networkx as nx
import numpy as np
import pytest

from dscourse.detection import (
    HeartbeatDetector,
    PhiAccrualDetector,
    PingDetector,
    detector_quality,
    phi,
    phi_timeout,
)
from dscourse.detection.heartbeat import Heartbeat
from dscourse.detection.ping import EchoReply, EchoRequest
from dscourse.simulation import ClockOffset, Crash, Lossy, Pause, Uniform


def first_suspicion(run, observer="n0"):
    return run.trace.select(kind="record", node=observer, name="suspect").times[0]


@pytest.mark.parametrize(("measure_from", "moment"), [("arrival", 5.01 + 2.5), ("sending", 5.0 + 2.5)])
def test_a_heartbeat_keeps_its_sender_trusted_for_the_timeout(simulate, measure_from, moment):
    factory = partial(HeartbeatDetector, interval=1.0, timeout=2.5, measure_from=measure_from)
    run = simulate(factory, 2, 20.0, faults=[Crash("n1", at=5.5)])
    assert first_suspicion(run) == pytest.approx(moment, abs=1e-6)
    assert detector_quality(run).detection_time == pytest.approx(moment - 5.5, abs=1e-6)


@pytest.mark.parametrize(("attempts", "moment"), [(1, 6.7), (2, 7.7), (3, 8.7)])
def test_a_ping_suspects_when_enough_pings_in_a_row_have_no_answer(simulate, attempts, moment):
    factory = partial(PingDetector, interval=1.0, timeout=0.7, attempts=attempts)
    run = simulate(factory, 2, 20.0, faults=[Crash("n1", at=5.5)])
    assert first_suspicion(run) == pytest.approx(moment, abs=1e-6)


def test_an_answer_in_time_starts_the_count_anew(simulate):
    factory = partial(PingDetector, interval=1.0, timeout=0.7, attempts=2)
    every_other = [Lossy(1.0, at=k - 0.1, until=k + 0.1) for k in range(3, 15, 2)]
    run = simulate(factory, 2, 15.0, faults=every_other)
    assert not run.trace.select(kind="record", name="suspect")


def test_an_answer_after_the_timeout_is_none(ctx):
    detector = PingDetector("n0", ("n1",), timeout=0.7)
    detector.on_start(ctx)
    ctx.now = 0.7
    detector.on_timer(ctx, "answers to 1")
    detector.on_message(ctx, "n1", EchoReply(1, 1))
    assert list(detector.suspected) == ["n1"]
    detector.on_timer(ctx, "ask")
    detector.on_message(ctx, "n1", EchoReply(1, 2))
    assert not detector.suspected


def test_answers_to_a_former_life_are_no_answers(ctx):
    ctx.stored = 1  # this is the second boot
    detector = PingDetector("n0", ("n1",), timeout=0.7)
    detector.on_start(ctx)
    assert ctx.sent == [("n1", EchoRequest(2, 1))]
    detector.on_message(ctx, "n1", EchoReply(1, 57))
    ctx.now = 0.7
    detector.on_timer(ctx, "answers to 1")
    assert list(detector.suspected) == ["n1"]


def test_heartbeats_that_were_overtaken_or_belong_to_a_former_life_count_for_nothing(ctx):
    detector = HeartbeatDetector("n0", ("n1",), timeout=2.0)
    detector.on_start(ctx)
    ctx.now = 1.0
    detector.on_message(ctx, "n1", Heartbeat(2, 5, 0.5))
    for stale in (Heartbeat(2, 5, 0.5), Heartbeat(2, 4, 0.4), Heartbeat(1, 99, 0.1)):
        ctx.now = 1.5
        detector.on_message(ctx, "n1", stale)
        assert ctx.timers["silence n1"] == 3.0


def test_a_heartbeat_too_old_to_prove_anything_lifts_no_suspicion(ctx):
    detector = HeartbeatDetector("n0", ("n1",), timeout=2.0, measure_from="sending")
    detector.on_start(ctx)
    ctx.now = 2.0
    detector.on_timer(ctx, "silence n1")
    detector.on_message(ctx, "n1", Heartbeat(1, 1, 0.0))
    assert list(detector.suspected) == ["n1"]
    detector.on_message(ctx, "n1", Heartbeat(1, 2, 1.0))
    assert not detector.suspected


def test_a_stepped_clock_fools_nobody_who_measures_silence_with_timers(simulate):
    faults = [ClockOffset("n0", seconds=100.0, at=5.5)]
    for factory in (HeartbeatDetector, partial(PingDetector, timeout=0.7)):
        assert not simulate(factory, 3, 20.0, faults=faults).trace.select(kind="record", name="suspect")
    stamped = partial(HeartbeatDetector, measure_from="sending")
    assert simulate(stamped, 3, 20.0, faults=faults).trace.select(kind="record", name="suspect")


def test_a_paused_peer_is_suspected_and_forgiven(simulate):
    for factory in (HeartbeatDetector, PingDetector, partial(PhiAccrualDetector, acceptable_pause=0.0)):
        run = simulate(factory, 3, 40.0, faults=[Pause("n2", at=10.0, until=20.0)])
        for observer in ("n0", "n1"):
            verdicts = [
                event.name
                for event in run.trace.select(kind="record", node=observer, name=("suspect", "trust"))
            ]
            assert verdicts == ["suspect", "trust"]
        assert detector_quality(run).query_accuracy < 1


def test_a_returning_peer_is_trusted_again(simulate):
    for factory in (HeartbeatDetector, PingDetector, PhiAccrualDetector):
        run = simulate(factory, 3, 60.0, faults=[Crash("n2", at=10.0, restart_at=30.0)])
        assert len(run.trace.select(kind="record", peer="n2", name="trust", between=(30.0, 33.0))) == 2


@pytest.mark.parametrize("distribution", ["normal", "exponential"])
def test_phi_stands_at_the_threshold_when_the_detector_suspects(simulate, distribution):
    factory = partial(
        PhiAccrualDetector,
        threshold=5.0,
        minimum_standard_deviation=0.02,
        acceptable_pause=0.3,
        distribution=distribution,
    )
    run = simulate(factory, 2, 120.0, faults=[Crash("n1", at=100.0)], latency=Uniform(0.0, 0.4))
    heard = np.array(run.trace.select(kind="deliver", node="n0").times)
    gaps = [0.75, 1.25, *np.diff(heard)]
    silence = first_suspicion(run) - heard[-1]
    if distribution == "normal":
        level = phi(silence, np.mean(gaps) + 0.3, np.std(gaps))
    else:
        level = (silence - 0.3) / np.mean(gaps) / math.log(10)
    assert level == pytest.approx(5.0, abs=1e-3)


def test_phi_of_the_detector_is_the_closed_form_of_its_window(ctx):
    detector = PhiAccrualDetector("n0", ("n1",), window=3, acceptable_pause=0.0)
    detector.on_start(ctx)
    assert detector.phi("n1", 5.0) == 0.0  # nothing heard yet
    for number, moment in enumerate([1.0, 2.1, 2.9, 4.0], start=1):
        ctx.now = moment
        detector.on_message(ctx, "n1", Heartbeat(1, number, moment))
    window = [1.1, 0.8, 1.1]  # of size 3: the two gaps made up at the start have fallen out
    expected = phi(1.7, np.mean(window), np.std(window))
    assert detector.phi("n1", 5.7) == pytest.approx(expected, rel=1e-9)
    assert detector.timeout("n1") == pytest.approx(phi_timeout(8, np.mean(window), np.std(window)), rel=1e-9)


def test_the_silence_of_a_suspected_peer_does_not_spoil_the_window(ctx):
    detector = PhiAccrualDetector("n0", ("n1",), acceptable_pause=0.0)
    detector.on_start(ctx)
    for number in range(1, 30):
        ctx.now = float(number)
        detector.on_message(ctx, "n1", Heartbeat(1, number, ctx.now))
    before = detector.timeout("n1")
    ctx.now = 90.0
    detector.on_timer(ctx, "silence n1")
    detector.on_message(ctx, "n1", Heartbeat(1, 30, ctx.now))
    assert detector.timeout("n1") == before


@pytest.mark.parametrize(
    "factory",
    [
        partial(HeartbeatDetector, interval=0),
        partial(HeartbeatDetector, timeout=-1),
        partial(HeartbeatDetector, timeout=math.nan),
        partial(HeartbeatDetector, measure_from="birth"),
        partial(PingDetector, attempts=0),
        partial(PingDetector, timeout=math.inf),
        partial(PhiAccrualDetector, threshold=0),
        partial(PhiAccrualDetector, window=1),
        partial(PhiAccrualDetector, minimum_standard_deviation=0),
        partial(PhiAccrualDetector, acceptable_pause=-1),
        partial(PhiAccrualDetector, distribution="cauchy"),
    ],
)
def test_impossible_settings_are_refused(factory):
    with pytest.raises(ValueError):
        factory("n0", ("n1",))


@pytest.mark.parametrize("settings", [{"interval": "1"}, {"timeout": True}, {"measure_from": 1}])
def test_settings_of_the_wrong_type_are_refused(settings):
    with pytest.raises(TypeError):
        HeartbeatDetector("n0", ("n1",), **settings)


def test_a_ping_over_a_link_that_leads_one_way_has_no_answer_and_all_others_have_theirs(simulate):
    graph = nx.DiGraph([("n0", "n1"), ("n1", "n2"), ("n2", "n1"), ("n2", "n0")])
    run = simulate(partial(PingDetector, timeout=0.7), 3, 20.0, graph=graph)
    suspects = [(event.time, event.node, event.peer) for event in run.trace.select(name="suspect")]
    assert suspects == [(0.7, "n0", "n1"), (0.7, "n2", "n0")]
    assert detector_quality(run).query_accuracy == pytest.approx(0.5 + 0.5 * 0.7 / 20)


def test_an_answer_from_a_node_that_was_never_asked_counts_for_nothing(ctx):
    detector = PingDetector("n0", ("n1",))
    detector.on_start(ctx)
    detector.on_message(ctx, "n2", EchoReply(1, 1))
    assert (ctx.records, detector.suspected) == ([], {})


def test_phi_watches_whoever_sends_to_it_also_where_links_lead_one_way(simulate):
    graph = nx.DiGraph([("n1", "n0")])  # n0 hears n1 and can't answer
    factory = partial(PhiAccrualDetector, acceptable_pause=0.0)
    run = simulate(factory, 2, 20.0, faults=[Crash("n1", at=8.5)], graph=graph)
    assert 8.5 < first_suspicion(run) < 11.0
