"""Raft as processes: a leader dies of kill -9, or stands still and comes back; what was acknowledged is not lost."""

import os
import re
import time
from functools import partial
from pathlib import Path

import pytest
from leftovers import is_alive, open_files

from dscourse.consensus import FailoverTimes, KeyValueNode, predict_failovers
from dscourse.consensus.raft.properties import SAFETY
from dscourse.consistency import CasRegister, History, check_linearizable
from dscourse.live import LiveCluster, live_failovers, loopback_delays
from dscourse.simulation import ClosedLoop, Crash, Empirical, Network, Partition, Pause, Scenario, topology
from dscourse.views.live import draw_prediction

FIVE = ("n0", "n1", "n2", "n3", "n4")
THREE = FIVE[:3]
# A second's timeouts, so that no busy machine is taken for a dead one; and bounds far above what it takes.
PATIENT = partial(KeyValueNode, election_timeout=(0.8, 1.6), heartbeat_interval=0.1)
QUICK = partial(KeyValueNode, election_timeout=(0.2, 0.4), heartbeat_interval=0.05)
BOUND = 20.0  # seconds until a leader is elected
ROUNDS = int(os.environ.get("DSCOURSE_LIVE_ROUNDS", "20"))  # a hundred by command, before a release
ROUNDS_OF_A_CLUSTER = 5


def write(cluster, value, besides=()):
    """Write by way of whoever leads, until it is acknowledged."""
    limit = time.monotonic() + BOUND
    while time.monotonic() < limit:
        leader = cluster.wait_for("leader", timeout=BOUND, besides=besides)
        if cluster.ask(leader, ("put", "x", value), timeout=1.0).outcome == "ok":
            return leader
    raise TimeoutError(value)


def read(cluster, besides=()):
    limit = time.monotonic() + BOUND
    while time.monotonic() < limit:
        leader = cluster.wait_for("leader", timeout=BOUND, besides=besides)
        answer = cluster.ask(leader, ("get", "x"), timeout=1.0)
        if answer.outcome == "ok":
            return answer.value
    raise TimeoutError


def is_linearizable(run):
    return check_linearizable(History.from_run(run), CasRegister(), most_states=2_000_000)


def test_a_leader_dies_of_kill_9_and_no_acknowledged_write_with_it():
    operations = tuple(("put", "x", f"c{n}") if n % 2 else ("get", "x") for n in range(300))
    clients = [ClosedLoop(operations, 0.02, FIVE, 0.3)]
    with LiveCluster(PATIENT, FIVE, clients=clients) as cluster:
        write(cluster, 1)
        cluster.sleep(1.0)
        leader = write(cluster, 2)
        killed = cluster.now
        cluster.kill(leader)
        cluster.wait_for("leader", timeout=BOUND, besides=[leader])
        assert cluster.now - killed < BOUND
        assert read(cluster) is not None
        cluster.restart(leader)
        last = write(cluster, 3)
        cluster.kill(next(name for name in FIVE if name != last))
        assert read(cluster) is not None
        cluster.sleep(0.5)
    run = cluster.run
    assert is_linearizable(run)
    assert run.check(*SAFETY)
    assert [one for one in run.history() if one.outcome == "ok" and one.client == "c0"]


def test_a_leader_that_stood_still_is_fenced_when_it_comes_back():
    with LiveCluster(PATIENT, THREE) as cluster:
        old = write(cluster, 1)
        cluster.pause(old)
        new = write(cluster, 2, besides=[old])
        cluster.resume(old)
        late = cluster.ask(old, ("put", "x", "late"), timeout=1.0)
        assert read(cluster, besides=[old]) in (2, "late")
        assert late.outcome != "ok" or late.to != old or cluster.status[old].status == "leader"
        assert new != old
    run = cluster.run
    assert is_linearizable(run)
    assert run.check(*SAFETY)


@pytest.mark.parametrize("number", range(max(1, ROUNDS // ROUNDS_OF_A_CLUSTER)))
def test_round_after_round_and_nothing_is_left(number):
    files = open_files()
    with LiveCluster(QUICK, THREE, seed=number) as cluster:
        pids = dict(cluster.pids)
        for turn in range(ROUNDS_OF_A_CLUSTER):
            leader = write(cluster, turn)
            cluster.kill(leader)
            assert read(cluster, besides=[leader]) == turn
            cluster.restart(leader)
            pids[f"{leader} {turn}"] = cluster.pids[leader]
    assert open_files() == files
    assert not any(map(is_alive, pids.values()))
    assert is_linearizable(cluster.run)


def test_the_same_script_has_the_same_properties_simulated_and_live():
    faults = [
        Partition([["n0", "n1"], ["n2", "n3", "n4"]], 2.5, until=4.0),
        Pause("n3", 4.5, until=5.5),
        Crash("n2", 4.7, restart_at=5.5),
    ]
    operations = tuple(("put", "x", n) if n % 2 else ("get", "x") for n in range(300))
    client = ClosedLoop(operations, 0.1, FIVE, 1.0, start=1.5)
    simulated = Scenario(
        PATIENT, Network(topology.full_mesh(5), latency=0.001), faults=faults, clients=[client], seed=1
    ).run(8.0)
    with LiveCluster(PATIENT, FIVE, clients=[client]) as cluster:
        cluster.follow(faults, 5.6)
        write(cluster, "at the end")
    live = cluster.run
    for run in (simulated, live):
        assert is_linearizable(run)
        assert run.check(*SAFETY)
        over = max(end for _, _, end in run.trace.fault_intervals())
        assert any(one.outcome == "ok" and one.invoked > over for one in run.history())
        assert [type(fault) for fault, _, _ in run.trace.fault_intervals()] == [Partition, Pause, Crash]
        downtimes = run.trace.downtimes()
        assert list(downtimes) == ["n2"]
        assert not run.trace.select(kind="deliver", node="n2", between=downtimes["n2"][0])
        begin, end = next(
            (begin, end) for fault, begin, end in run.trace.fault_intervals() if isinstance(fault, Partition)
        )
        assert not run.trace.select(
            kind="deliver", node=["n0", "n1"], peer=["n2", "n3", "n4"], between=(begin, end)
        )


def test_what_is_measured_can_be_predicted_from_the_machines_own_delays():
    delays = loopback_delays(0.5)
    assert len(delays) > 50
    assert 0 < min(delays) < max(delays) < 5.0
    predicted = predict_failovers(Empirical(delays), failovers=10)
    assert len(predicted.detection) >= 8
    run = live_failovers(kills=1)
    measured = FailoverTimes.of(run)
    assert len(measured.downtime) >= 1
    assert all(0 < one < 10.0 for one in (*measured.downtime, *predicted.downtime))
    assert len(measured.write) == len(run.latencies())
    alt = draw_prediction(predicted, measured).alt
    assert alt.startswith("A leader dies, simulated and for real. Until somebody stands for election:")


def test_the_example_of_the_documentation_runs():
    text = (Path(__file__).resolve().parents[2] / "docs" / "package.md").read_text(encoding="utf-8")
    (block,) = (one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "LiveCluster" in one)
    scope = {"__name__": "__main__"}
    exec(block.replace('("leader")', '("leader", timeout=60.0)'), scope)
    assert scope["answer"].operation == ("get", "x")
    assert scope["cluster"].run.trace.downtimes()
