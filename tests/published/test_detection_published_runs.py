"""Runs of the simulation against what the literature says of them."""

import math
from functools import partial

import numpy as np
import pytest
from scipy import stats

from dscourse.detection import (
    HeartbeatDetector,
    SwimMember,
    first_probe_waits,
    nfd_s,
    suspicion_history,
    swim_expected_first_detection,
)
from dscourse.simulation import Constant, Crash, Exponential, Network, Scenario, topology


def run(factory, members, until, *, latency=0.01, loss=0.0, faults=(), seed=1):
    latency = Constant(latency) if isinstance(latency, float) else latency
    network = Network(topology.full_mesh(members), latency=latency, loss=loss)
    return Scenario(factory, network, faults=tuple(faults), seed=seed).run(until)


@pytest.mark.parametrize(("loss", "mean", "shift"), [(0.01, 0.02, 0.5), (0.1, 0.5, 2.0)])
def test_nfd_s_theory_of_chen_toueg_and_aguilera_agrees_with_the_simulated_detector(loss, mean, shift):
    """Within three standard errors; the pairs of a full mesh are independent replications."""
    theory = nfd_s(1.0, shift, loss, stats.expon(scale=mean).cdf)
    detector = partial(HeartbeatDetector, interval=1.0, timeout=shift + 1.0, measure_from="sending")
    done = run(detector, 7, 1200.0, latency=Exponential(mean), loss=loss)
    history, _ = suspicion_history(done)
    pairs = [history.get((a, b), []) for a in done.nodes for b in done.nodes if a != b]
    rates = np.array([len(held) for held in pairs]) / done.until
    wrong = np.array([sum(s.end - s.begin for s in held) for held in pairs]) / done.until
    for measured, expected in [(rates, theory.mistake_rate), (wrong, 1 - theory.query_accuracy)]:
        assert abs(measured.mean() - expected) < 3 * measured.std(ddof=1) / math.sqrt(len(pairs))
    # the mean duration of a mistake is their ratio
    assert wrong.mean() / rates.mean() == pytest.approx(theory.mistake_duration, rel=0.15)


def test_nfd_s_never_takes_longer_than_its_bound_to_detect_a_crash():
    detector = partial(HeartbeatDetector, interval=1.0, timeout=1.5, measure_from="sending")
    done = run(detector, 12, 60.0, latency=Exponential(0.02), faults=[Crash("n0", at=30.001)])
    history, _ = suspicion_history(done)
    times = [history[observer, "n0"][-1].begin - 30.001 for observer in done.nodes[1:]]
    assert max(times) <= 1.5  # shift 0.5 + interval 1
    assert max(times) > 1.45  # and the bound is tight: this crash came right after a heartbeat


@pytest.mark.parametrize("members", [5, 25])
def test_swims_law_of_the_first_detection(members):
    """DSN 2002, section 3.1: 1/(1 − (1 − 1/(N−1))^(N−1)) periods when targets are drawn at random."""
    law = swim_expected_first_detection(members)
    done = run(partial(SwimMember, probe_order="random"), members, 6000.0 / members)
    assert first_probe_waits(done).mean() == pytest.approx(law, rel=0.03)


def test_round_robin_is_a_little_faster_than_the_law():
    law = swim_expected_first_detection(8)
    done = run(partial(SwimMember, probe_order="round_robin"), 8, 600.0)
    assert 0.90 * law < first_probe_waits(done).mean() < 0.99 * law


def test_a_crashed_member_is_probed_first_after_as_long_as_the_law_says():
    law, members = swim_expected_first_detection(10), 10
    waits = []
    for seed in range(150):
        done = run(
            partial(SwimMember, probe_order="random"), members, 16.0, faults=[Crash("n3", at=5.0)], seed=seed
        )
        waits.append(
            math.ceil(
                done.trace.select(kind="send", peer="n3", name="Ping", between=(5.0, 16.0)).times[0] - 5.0
            )
        )
    assert abs(np.mean(waits) - law) < 4 * np.std(waits, ddof=1) / math.sqrt(len(waits))


def own_probes(done, order_of):
    """For each ordered pair, how many of the observer's periods pass between two probes of the same peer."""
    gaps = []
    for member in done.nodes:
        targets = [event.peer for event in done.trace.select(kind="send", node=member, name="Ping")]
        for peer in order_of(done, member):
            places = np.flatnonzero(np.array(targets) == peer)
            gaps.extend(np.diff(places))
    return np.array(gaps)


def test_round_robin_bounds_the_detection_by_2n_minus_1_periods():
    """DSN 2002, section 4.3. In a healthy group every ping is a probe, one a period."""
    peers = lambda done, member: [other for other in done.nodes if other != member]  # noqa: E731
    members = 9
    in_turn = own_probes(run(partial(SwimMember, probe_order="round_robin"), members, 900.0), peers)
    assert in_turn.max() <= 2 * members - 1
    assert in_turn.max() >= members  # it is no fixed order either
    drawn = own_probes(run(partial(SwimMember, probe_order="random"), members, 900.0), peers)
    assert drawn.max() > 2 * members - 1  # without the list there is no bound


@pytest.mark.parametrize("members", [10, 100])
def test_swims_load_per_member_does_not_depend_on_the_size_of_the_group(members):
    done = run(SwimMember, members, 20.0)
    sent = len(done.trace.select(kind="send"))
    periods = len(done.trace.select(kind="send", name="Ping"))
    assert sent / periods == pytest.approx(2.0, rel=0.01)
    assert periods == pytest.approx(20 * members, rel=0.03)
