"""What must hold for every detector, whatever the delays, the losses and the moment of the crash."""

import subprocess
import sys
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from dscourse.detection import (
    HeartbeatDetector,
    PhiAccrualDetector,
    PingDetector,
    SwimMember,
    suspicion_history,
)
from dscourse.simulation import (
    Constant,
    Crash,
    Exponential,
    Network,
    Partition,
    Pause,
    Scenario,
    Uniform,
    check_determinism,
    topology,
)

DETECTORS = {
    "heartbeat": partial(HeartbeatDetector, interval=1.0, timeout=2.5),
    "heartbeat from sending": partial(HeartbeatDetector, interval=1.0, timeout=2.5, measure_from="sending"),
    "ping": partial(PingDetector, interval=1.0, timeout=0.9, attempts=2),
    "phi": partial(PhiAccrualDetector, interval=1.0, acceptable_pause=0.5),
    "phi exponential": partial(
        PhiAccrualDetector, interval=1.0, acceptable_pause=0.0, threshold=2.0, distribution="exponential"
    ),
    "swim": SwimMember,
}
several = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("factory", DETECTORS.values(), ids=DETECTORS)
@several
@given(
    crash=st.floats(0.0, 20.0),
    mean=st.floats(0.001, 0.6),
    loss=st.floats(0.0, 0.3),
    members=st.integers(2, 6),
    seed=st.integers(0, 10**6),
)
def test_a_crashed_node_is_suspected_for_good(simulate, factory, crash, mean, loss, members, seed):
    run = simulate(
        factory,
        members,
        140.0,
        faults=[Crash("n0", at=crash)],
        latency=Exponential(mean),
        loss=loss,
        seed=seed,
    )
    history, _ = suspicion_history(run)
    for observer in run.nodes[1:]:
        last = history[observer, "n0"][-1]
        assert last.end == run.until
        assert last.begin < 125.0  # and has been for a while


@pytest.mark.parametrize(
    ("detector", "chosen"),
    [
        # D is the longest delay: a gap between two heartbeats is at most interval + D
        (HeartbeatDetector, lambda d: {"interval": 1.0, "timeout": 1.0 + d + 1e-5}),
        (
            HeartbeatDetector,
            lambda d: {"interval": 1.0, "timeout": 1.0 + d + 1e-5, "measure_from": "sending"},
        ),
        (PingDetector, lambda d: {"interval": 1.0, "timeout": 2 * d + 1e-5}),
        (PhiAccrualDetector, lambda d: {"interval": 1.0, "acceptable_pause": d}),
        (SwimMember, lambda d: {"ack_timeout": 0.99, "period": max(1.0, 2 * d + 0.01)}),
    ],
    ids=["heartbeat", "heartbeat from sending", "ping", "phi", "swim"],
)
@several
@given(longest=st.floats(0.001, 0.9), members=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_with_bounded_delays_and_enough_patience_nobody_is_suspected(
    simulate, detector, chosen, longest, members, seed
):
    run = simulate(
        partial(detector, **chosen(longest)), members, 40.0, latency=Uniform(0.0, longest), seed=seed
    )
    assert not run.trace.select(kind="record", name=("suspect", "confirm"))


@several
@given(
    members=st.integers(3, 14),
    crashes=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=3),
    loss=st.floats(0.0, 0.15),
    order=st.sampled_from(["round_robin", "random"]),
    gossip=st.sampled_from([None, 0.2]),
    seed=st.integers(0, 10**6),
)
def test_every_live_swim_member_learns_of_every_crash(simulate, members, crashes, loss, order, gossip, seed):
    dead = [f"n{i}" for i in range(min(len(crashes), members - 2))]
    faults = [Crash(name, at=moment) for name, moment in zip(dead, crashes, strict=False)]
    factory = partial(SwimMember, probe_order=order, gossip_interval=gossip)
    run = simulate(factory, members, 190.0, faults=faults, loss=loss, latency=Constant(0.02), seed=seed)
    history, _ = suspicion_history(run, verdict="confirm")
    for observer in run.nodes[len(dead) :]:
        for peer in dead:
            assert history[observer, peer][-1].end == run.until


@several
@given(
    members=st.integers(3, 9),
    troubles=st.lists(
        st.tuples(
            st.sampled_from(["crash", "reboot", "pause", "cut"]),
            st.integers(0, 8),
            st.floats(1.0, 40.0),
            st.floats(0.2, 25.0),
        ),
        max_size=4,
    ),
    multiplier=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 10**6),
)
def test_when_the_trouble_is_over_a_swim_group_agrees_with_the_truth(
    simulate, members, troubles, multiplier, seed
):
    names = [f"n{i}" for i in range(members)]
    faults = []
    for kind, number, at, lasts in troubles:
        name = names[number % members]
        if kind == "crash":
            faults.append(Crash(name, at=at))
        elif kind == "reboot":
            faults.append(Crash(name, at=at, restart_at=at + lasts))
        elif kind == "pause":
            faults.append(Pause(name, at=at, until=at + lasts))
        else:
            faults.append(Partition([names[: members // 2], names[members // 2 :]], at=at, until=at + lasts))
    factory = partial(SwimMember, suspicion_multiplier=multiplier)
    run = simulate(factory, members, 600.0, faults=faults, seed=seed)
    history, uptime = suspicion_history(run, verdict="confirm")
    up = [name for name in names if uptime.is_up(name, 599.0)]
    for observer in up:
        for peer in names:
            if peer == observer:
                continue
            held = history.get((observer, peer), [])
            assert bool(held and held[-1].end == run.until) == (peer not in up), (observer, peer)


@pytest.mark.parametrize("factory", DETECTORS.values(), ids=DETECTORS)
def test_the_same_scenario_gives_the_same_run_to_the_last_event(factory):
    network = Network(topology.full_mesh(6), latency=Exponential(0.05), loss=0.05)
    faults = (Crash("n1", at=5.0, restart_at=12.0), Pause("n2", at=8.0, until=14.0))
    check_determinism(Scenario(factory, network, faults=faults, seed=5), 30.0)


@pytest.mark.parametrize("node", ["HeartbeatDetector", "PingDetector", "SwimMember"])
def test_a_bare_process_that_needs_a_detector_loads_no_graphs_arrays_or_tables(node):
    code = (
        f"import sys; from dscourse.detection import {node}; "
        "print([name for name in ('networkx', 'numpy', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
