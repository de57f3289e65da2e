"""detector_quality, worked out by hand on runs in which the verdicts are scripted."""

import math

import pytest

from dscourse.detection import (
    HeartbeatDetector,
    detector_quality,
    first_probe_waits,
    message_load,
    suspicion_history,
)
from dscourse.simulation import Constant, Crash, Network, Node, Pause, Restart, Scenario, topology


class Scripted(Node):
    """Records given verdicts at given moments of this life: {(boot, seconds): (kind, peer)}."""

    def __init__(self, verdicts):
        self._verdicts = verdicts

    def on_start(self, ctx):
        boot = (ctx.stored or 0) + 1
        ctx.save(boot)
        for wanted, moment in self._verdicts:
            if wanted == boot:
                ctx.set_timer(f"{boot} {moment}", max(0.0, moment - ctx.now))

    def on_timer(self, ctx, name):
        boot, moment = name.split()
        kind, peer = self._verdicts[int(boot), float(moment)]
        ctx.record(kind, peer=peer)


def run(scripts, until, faults=(), members=2, graph=None):
    graph = topology.full_mesh(members) if graph is None else graph
    network = Network(graph, latency=Constant(0.01))
    return Scenario(lambda node, _: Scripted(scripts.get(node, {})), network, faults=tuple(faults)).run(until)


def test_a_mistake_is_counted_per_second_of_being_up_and_averaged_over_ordered_pairs():
    verdicts = {(1, 10.0): ("suspect", "n1"), (1, 14.0): ("trust", "n1")}
    quality = detector_quality(run({"n0": verdicts}, 100.0))
    assert math.isnan(quality.detection_time)
    # one mistake in 100 s for n0 → n1, none for n1 → n0
    assert quality.mistake_rate == pytest.approx((1 / 100 + 0) / 2)
    assert quality.mistake_duration == pytest.approx(4.0)
    assert quality.query_accuracy == pytest.approx((0.96 + 1.0) / 2)
    assert quality.undetected == 0


def test_only_the_observers_asked_for_count():
    verdicts = {(1, 10.0): ("suspect", "n1"), (1, 14.0): ("trust", "n1")}
    quality = detector_quality(run({"n0": verdicts}, 100.0), observers=["n0"])
    assert (quality.mistake_rate, quality.query_accuracy) == pytest.approx((0.01, 0.96))
    with pytest.raises(LookupError, match="'n7' is no node of this run; its nodes are n0, n1"):
        detector_quality(run({}, 10.0), observers=["n7"])


def test_detection_counts_to_the_beginning_of_the_suspicion_that_stays():
    verdicts = {
        (1, 52.0): ("suspect", "n1"),
        (1, 55.0): ("trust", "n1"),  # an old message: not yet for good
        (1, 58.0): ("suspect", "n1"),
    }
    quality = detector_quality(run({"n0": verdicts}, 100.0, [Crash("n1", at=50.0)]))
    assert quality.detection_time == pytest.approx(8.0)
    # while n1 is down no suspicion is a mistake
    assert (quality.mistake_rate, quality.query_accuracy) == (0.0, 1.0)


def test_a_peer_that_was_suspected_already_is_detected_at_once_and_the_mistake_ends_with_the_crash():
    quality = detector_quality(run({"n0": {(1, 40.0): ("suspect", "n1")}}, 100.0, [Crash("n1", at=50.0)]))
    assert quality.detection_time == 0.0
    assert quality.mistake_duration == pytest.approx(10.0)
    assert quality.mistake_rate == pytest.approx(1 / 50 / 2)
    assert quality.query_accuracy == pytest.approx((0.8 + 1) / 2)


def test_a_crash_that_nobody_notices_is_said_and_is_no_detection_time():
    quality = detector_quality(run({}, 100.0, [Crash("n1", at=50.0)]))
    assert math.isnan(quality.detection_time)
    assert quality.undetected == 1


def test_each_crash_of_a_pair_counts_and_moot_faults_do_not():
    verdicts = {
        (1, 13.0): ("suspect", "n1"),
        (1, 22.0): ("trust", "n1"),
        (1, 35.0): ("suspect", "n1"),
    }
    faults = [
        Crash("n1", at=10.0, restart_at=20.0),
        Crash("n1", at=11.0),  # down already
        Restart("n1", at=25.0),  # up already
        Crash("n1", at=30.0),
    ]
    quality = detector_quality(run({"n0": verdicts}, 50.0, faults))
    assert quality.detection_time == pytest.approx((3.0 + 5.0) / 2)
    assert quality.mistake_rate == 0.0
    # suspected for 2 s after its return: no new mistake, but wrong all the same, in 20 s of being up
    assert quality.query_accuracy == pytest.approx((1 - 2 / 20 + 1) / 2)


def test_the_observers_own_downtime_counts_for_nothing_and_its_crash_forgets():
    verdicts = {(1, 10.0): ("suspect", "n1"), (2, 60.0): ("suspect", "n1"), (2, 61.0): ("trust", "n1")}
    quality = detector_quality(
        run({"n0": verdicts}, 100.0, [Crash("n0", at=20.0, restart_at=40.0)]), observers=["n0"]
    )
    assert quality.mistake_rate == pytest.approx(2 / 80)
    assert quality.mistake_duration == pytest.approx((10 + 1) / 2)
    assert quality.query_accuracy == pytest.approx(1 - 11 / 80)


def test_an_observer_that_dies_in_the_meantime_is_no_witness():
    quality = detector_quality(run({}, 100.0, [Crash("n1", at=50.0), Crash("n0", at=60.0)]))
    assert quality.undetected == 0


def test_a_paused_peer_is_up_so_that_to_suspect_it_is_a_mistake():
    verdicts = {(1, 12.0): ("suspect", "n1"), (1, 21.0): ("trust", "n1")}
    quality = detector_quality(run({"n0": verdicts}, 100.0, [Pause("n1", at=10.0, until=20.0)]))
    assert quality.mistake_rate == pytest.approx(1 / 100 / 2)


def test_only_reachable_pairs_count_with_or_without_stored_edges():
    verdicts = {"n1": {(1, 10.0): ("suspect", "n0"), (1, 11.0): ("trust", "n0")}}
    star = detector_quality(run(verdicts, 100.0, graph=topology.star(4)))
    assert star.mistake_rate == pytest.approx(1 / 100 / 6)  # three links, both ways
    mesh = detector_quality(run(verdicts, 100.0, members=4))
    assert mesh.mistake_rate == pytest.approx(1 / 100 / 12)


def test_swims_final_verdict_can_be_judged_instead_of_the_suspicion():
    verdicts = {
        (1, 10.0): ("suspect", "n1"),
        (1, 12.0): ("trust", "n1"),
        (1, 52.0): ("suspect", "n1"),
        (1, 56.0): ("confirm", "n1"),
    }
    done = run({"n0": verdicts}, 100.0, [Crash("n1", at=50.0)])
    assert detector_quality(done, verdict="confirm").mistake_rate == 0.0
    assert detector_quality(done, verdict="confirm").detection_time == pytest.approx(6.0)
    assert detector_quality(done).detection_time == pytest.approx(2.0)
    with pytest.raises(ValueError, match="verdict must be one of 'suspect', 'confirm'"):
        detector_quality(done, verdict="dead")


def test_the_history_lists_suspicions_by_pair():
    history, uptime = suspicion_history(
        run({"n0": {(1, 10.0): ("suspect", "n1")}}, 30.0, [Crash("n1", at=20.0)])
    )
    (only,) = history["n0", "n1"]
    assert (only.begin, only.end) == (10.0, 30.0)
    assert uptime.crashed == ["n1"]


def test_hearsay_about_nodes_out_of_reach_is_no_pair():
    graph = topology.ring(4)  # n0 reaches n1 and n3; what it believes of n2 is nobody's measure
    verdicts = {(1, 10.0): ("suspect", "n2"), (1, 20.0): ("suspect", "n1"), (1, 24.0): ("trust", "n1")}
    quality = detector_quality(run({"n0": verdicts}, 100.0, members=4, graph=graph))
    assert quality.mistake_rate == pytest.approx(1 / 100 / 8)
    assert quality.mistake_duration == pytest.approx(4.0)
    assert quality.query_accuracy == pytest.approx(1 - 0.04 / 8)


@pytest.mark.parametrize(
    "measure",
    [detector_quality, suspicion_history, message_load, first_probe_waits],
    ids=lambda f: f.__name__,
)
def test_what_is_no_run_is_refused_in_words(measure):
    with pytest.raises(TypeError, match=r"run must be a run of a scenario, such as .*, got None"):
        measure(None)


def test_a_crash_goes_unnoticed_only_by_those_who_could_have_noticed_it(simulate):
    run = simulate(HeartbeatDetector, 5, 20.0, faults=[Crash("n1", at=5.5)], graph=topology.ring(5))
    quality = detector_quality(run)
    assert quality.undetected == 0  # n3 and n4 have no link to n1
    assert quality.detection_time == pytest.approx(5.01 + 3.0 - 5.5, abs=1e-6)
    assert detector_quality(run, observers=["n3"]).undetected == 0
