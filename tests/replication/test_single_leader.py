"""One leader: what each mode waits for, what a follower that was away gets, what a deposed leader throws away."""

from itertools import combinations

import pytest

from dscourse.exploration import FaultMix, search
from dscourse.replication import (
    SingleLeaderReplica,
    acknowledged_writes_survive,
    lost_writes,
    replicated_store,
)
from dscourse.simulation import (
    Constant,
    Crash,
    LoseMessage,
    OpenLoop,
    Partition,
    Pause,
    RepeatMessage,
    check_determinism,
    holds,
)

REPLICAS = ("n0", "n1", "n2")
WRITES = OpenLoop(
    [("put", f"k{number % 3}", number) for number in range(40)], rate=10.0, to="n0", timeout=1.0
)
SOME = OpenLoop(WRITES.operations[:12], rate=6.0, to="n0", timeout=1.0)  # for searches
SLOW = {"latency": Constant(0.01)}


def store(mode, *faults, client=WRITES, **settings):
    return replicated_store(mode=mode, clients=[client], faults=faults, operator=False, **settings)


def outcomes(run):
    return [one.outcome for one in run.history()]


def logs(run):
    return {node: run.at(run.until).stored[node].log for node in REPLICAS}


@pytest.mark.parametrize("mode", ["sync", "semi-sync", "async"])
def test_calm_weather_all_have_everything(mode):
    run = store(mode).run(6.0)
    assert outcomes(run) == ["ok"] * 40
    assert len(logs(run)["n0"]) == 40
    assert logs(run)["n0"] == logs(run)["n1"] == logs(run)["n2"]
    now = run.at(6.0)
    for node in REPLICAS:
        assert now.nodes[node]["values"] == {"k0": 39, "k1": 37, "k2": 38}
    assert (now.status["n0"].status, now.status["n1"].status) == ("leader", "follower")
    assert (now.status["n0"].label, now.status["n1"].label) == ("log 40", "log 40")
    assert lost_writes(run) == ()


def test_sync_and_semi_sync_wait_a_round_trip_and_async_does_not():
    latencies = {
        mode: store(mode, **SLOW).run(6.0).latencies().max() for mode in ("sync", "semi-sync", "async")
    }
    assert latencies == pytest.approx({"sync": 0.02, "semi-sync": 0.02, "async": 0.0})


def test_a_slow_follower_slows_sync_down_and_not_semi_sync():
    faults = [Pause("n2", at=1.0, until=2.0)]
    slow, fast = (store(mode, *faults, **SLOW).run(6.0).latencies() for mode in ("sync", "semi-sync"))
    assert slow.max() > 0.5
    assert fast.max() == pytest.approx(0.02)


@pytest.mark.parametrize(("mode", "answered"), [("sync", 10), ("semi-sync", 40), ("async", 40)])
def test_a_stopped_follower_stops_the_writes_of_sync(mode, answered):
    run = store(mode, Crash("n2", at=1.05)).run(6.0)
    assert outcomes(run).count("ok") == pytest.approx(answered, abs=6)
    assert set(outcomes(run)) <= {"ok", "unknown"}


def test_two_stopped_followers_stop_semi_sync_which_becomes_async_after_a_while_if_it_may():
    faults = [Crash("n1", at=1.05), Crash("n2", at=1.05, restart_at=3.0)]
    patient, other = (store("semi-sync", *faults, fallback_after=after).run(6.0) for after in (None, 0.5))
    during = {"between": (1.2, 3.0)}
    assert len(patient.latencies(**during)) == 0
    assert len(other.latencies(**during)) > 10
    assert [other.at(time).nodes["n0"]["degraded"] for time in (1.5, 2.9, 5.0)] == [False, True, False]
    waiting, falling_back, back = (other.at(time).status["n0"].label for time in (1.5, 2.9, 5.0))
    assert "safe" in waiting
    assert falling_back.startswith("alone · log ")
    assert "alone" not in back


def test_a_follower_that_was_away_gets_what_it_lacks():
    run = store("async", Crash("n2", at=1.0, restart_at=3.0)).run(6.0)
    assert run.at(2.9).condition["n2"] == "crashed"
    assert logs(run)["n2"] == logs(run)["n0"]
    assert len(run.at(3.1).stored["n2"].log) > 20  # in one go


def test_a_leader_that_collects_its_writes_loses_by_a_crash_what_it_has_not_shipped():
    crash = Crash("n0", at=2.6)
    for every, lost in ((0.0, 0), (1.0, 6)):
        run = replicated_store(mode="async", clients=[WRITES], faults=[crash], ship_every=every, **SLOW).run(
            6.0
        )
        assert len(lost_writes(run)) == pytest.approx(lost, abs=4 if every else 0)
    parcels = [event.message for event in run.trace.select(kind="send", node="n0", peer="n1")]
    assert max(len(getattr(parcel, "entries", ())) for parcel in parcels) > 5


def test_what_a_replica_shows_of_itself_is_its_log():
    run = store("sync", Crash("n2", at=1.0, restart_at=4.0), apply_time=0.2).run(8.0)
    now = run.at(3.0)
    log = now.nodes["n0"]["received"]
    assert now.status["n0"].label == f"log {log}, safe {now.nodes['n0']['acknowledged']}"
    assert now.status["n1"].label == f"log {log}, shows {now.nodes['n1']['applied']}"


def test_a_write_that_is_sent_twice_is_written_once():
    run = store("sync", RepeatMessage("c0", "n0", 3)).run(6.0)
    assert len(logs(run)["n0"]) == 40


def test_a_follower_applies_at_its_own_pace_however_fast_the_writes_come():
    busy = OpenLoop([("put", "x", number) for number in range(100)], 100.0, "n0", 1.0, arrivals="regular")
    run = store("async", client=busy, apply_time=0.02, latency=Constant(0.01)).run(4.0)
    half = run.at(1.0).nodes["n1"]
    assert half["received"] == pytest.approx(99, abs=2)
    assert half["applied"] == pytest.approx(49, abs=2)
    assert run.at(4.0).nodes["n1"]["applied"] == 100


def test_a_lost_message_is_sent_again_and_nothing_is_taken_out_of_order():
    run = store("sync", LoseMessage("n0", "n1", 5), LoseMessage("n0", "n1", 6)).run(6.0)
    assert logs(run)["n1"] == logs(run)["n0"]
    assert outcomes(run) == ["ok"] * 40


def test_who_does_not_lead_refuses_and_says_who_does():
    client = OpenLoop([("put", "x", 1)], rate=1.0, to="n1", timeout=1.0)
    (refused,) = store("sync", client=client).run(3.0).history()
    assert (refused.outcome, refused.value) == ("fail", "n0")


def test_a_restarted_leader_goes_on_and_has_forgotten_nothing():
    run = store("sync", Crash("n0", at=2.0, restart_at=2.5)).run(8.0)
    assert lost_writes(run) == ()
    assert len(logs(run)["n0"]) > 30
    assert run.at(8.0).status["n0"].label.startswith("log ")


def test_a_deposed_leader_throws_away_what_nobody_else_has_and_says_so():
    cut = Partition([["n0"], ["n1", "n2", "operator", "g0"]], at=1.0, until=4.0)
    run = replicated_store(mode="async", clients=[WRITES], faults=[cut]).run(7.0)
    (thrown,) = run.trace.select(kind="record", name="discarded")
    lost = [one.operation[1:] for one in lost_writes(run)]
    assert len(lost) > 10
    assert set(lost) <= {tuple(write) for write in thrown.detail["writes"]}
    assert logs(run)["n0"] == logs(run)["n1"]


def test_async_loses_a_write_by_two_faults_or_fewer():
    found = search(
        replicated_store(mode="async", clients=[SOME], timeout=0.5),
        acknowledged_writes_survive,
        until=4.0,
        seeds=60,
    )
    assert len(found.counterexample.faults) <= 2


def test_semi_sync_loses_one_after_its_time_out():
    scenario = replicated_store(mode="semi-sync", fallback_after=0.4, clients=[SOME], timeout=0.5)
    found = search(scenario, acknowledged_writes_survive, until=4.0, seeds=100, faults=FaultMix(crashes=1))
    assert len(found.counterexample.faults) <= 2
    assert "alone · log" in str(found.counterexample.run.trace.frame().detail.tolist())


def same_log_same_replica(run):
    """Whether two replicas agree on every entry of the same leader, and show what is in their logs, and no more."""
    now = run.at(run.until)
    disks = {node: now.stored[node].log for node in REPLICAS if node in now.stored}
    for one, other in combinations(disks.values(), 2):
        for mine, its in zip(one, other, strict=False):
            if mine.epoch == its.epoch and mine != its:
                return False
    shown = {node: now.nodes[node] for node in disks if node in now.nodes}
    return all(
        fields["values"] == {entry.key: entry.value for entry in disks[node][: fields["applied"]]}
        for node, fields in shown.items()
    )


def test_replicas_that_received_the_same_log_are_equal_under_any_schedule():
    equal = holds(same_log_same_replica, name="the same log gives the same replica")
    for mode in ("sync", "async"):
        scenario = replicated_store(mode=mode, clients=[SOME], timeout=0.5)
        assert search(scenario, equal, until=4.0, seeds=50, faults=FaultMix(most=5))


def test_in_the_end_all_are_equal_once_everything_has_healed():
    def all_equal(run):
        now = run.at(run.until)
        values = [now.nodes[node]["values"] for node in REPLICAS]
        logs = {now.stored[node].log for node in REPLICAS if node in now.stored}
        return len(logs) <= 1 and values[0] == values[1] == values[2]

    scenario = replicated_store(mode="async", clients=[SOME], timeout=0.5)
    found = search(
        scenario,
        holds(all_equal, name="all equal"),
        until=12.0,
        seeds=40,
        faults=FaultMix(clocks=False, heal_at=3.0),
    )
    assert found, found


def test_step_by_step_nothing_is_lost_either_and_the_same_log_is_the_same_replica():
    asks = [
        OpenLoop([("put", "x", f"{node}{number}") for number in range(4)], 5.0, node, 1.0)
        for node in ("n0", "g0")
    ]
    promises = [
        acknowledged_writes_survive,
        holds(same_log_same_replica, name="the same log, the same replica"),
    ]
    scenario = replicated_store(mode="sync", clients=asks)
    found = search(scenario, promises, until=250, seeds=25, faults=FaultMix(most=4), adversary="untimed")
    assert found, found


def test_the_same_scenario_is_the_same_run():
    check_determinism(store("semi-sync", Crash("n1", at=1.0, restart_at=2.0)), 5.0)


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"mode": "fast"}, ValueError, "mode must be one of 'sync', 'semi-sync', 'async', got 'fast'"),
        ({"acknowledgements": 0}, ValueError, "acknowledgements"),
        ({"mode": "sync", "fallback_after": 1.0}, ValueError, "fallback_after"),
        ({"leader": "n9"}, LookupError, "n9"),
        ({"apply_time": -1}, ValueError, "apply_time"),
        ({"ship_every": -1}, ValueError, "ship_every"),
    ],
)
def test_wrong_settings_are_told(settings, error, told):
    with pytest.raises(error, match=told):
        SingleLeaderReplica("n0", ("n1", "n2"), **settings)
