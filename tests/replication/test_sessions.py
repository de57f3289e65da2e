"""What users see: lag, and the three guarantees, each broken first, then given, and how each is given wrongly."""

import pytest
import wrong_readers as written

from dscourse.exploration import FaultMix, search
from dscourse.replication import (
    GUARANTEES,
    Gateway,
    SingleLeaderReplica,
    keeps,
    lost_writes,
    replicated_store,
    replication_lag,
    session_violations,
    stale_reads,
)
from dscourse.simulation import ClockOffset, ClosedLoop, Constant, Crash, OpenLoop, Partition, Pause, Slow


def users(pairs=12, think=0.005):
    """One who writes two keys by turns and reads each at once, and one who reads both all the time."""
    writes = [
        operation
        for number in range(pairs)
        for operation in (
            ("put", "question", number),
            ("get", "question"),
            ("put", "answer", number),
            ("get", "answer"),
        )
    ]
    reads = [("get", "answer"), ("get", "question")] * (2 * pairs)
    return [
        ClosedLoop(writes, think, to="g0", timeout=2.0),
        ClosedLoop(reads, think, to="g0", timeout=2.0),
    ]


def store(*guarantees, mode="async", faults=(), operator=False, **settings):
    lagging = {"apply_time": 0.08, "latency": Constant(0.01)} | settings
    return replicated_store(
        mode=mode, clients=users(), faults=faults, operator=operator, guarantees=guarantees, **lagging
    )


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_each_guarantee_is_broken_first(guarantee):
    found = search(store(), keeps(guarantee), until=10.0, seeds=20, faults=FaultMix(most=0))
    assert not found
    assert found.counterexample.faults == ()
    assert found.counterexample.explanation.startswith(f"{guarantee}: broken")
    assert "older than this session may see" in found.counterexample.explanation


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_each_guarantee_once_given_is_never_broken(guarantee):
    found = search(store(guarantee), keeps(guarantee), until=10.0, seeds=60, faults=FaultMix(most=4))
    assert found, found


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_nor_is_it_when_leaders_are_replaced(guarantee):
    scenario = store(guarantee, mode="sync", operator=True, latency=None)
    found = search(scenario, keeps(guarantee), until=6.0, seeds=40, faults=FaultMix(most=4, crashes=1))
    assert found, found


@pytest.mark.parametrize("guarantee", GUARANTEES[:2])
def test_what_a_failover_has_lost_is_refused_rather_than_forgotten(guarantee):
    cut = Partition([["n0", "g0"], ["n1", "n2", "operator", "g1"]], at=0.3, until=1.5)
    others = OpenLoop([("put", "other", number) for number in range(60)], 20.0, "g1", 1.0)
    scenario = replicated_store(
        gateways=2,
        mode="async",
        clients=[*users(60), others],
        faults=[cut],
        timeout=0.3,
        guarantees=[guarantee],
    )
    run = scenario.run(8.0)
    assert len(lost_writes(run)) > 0
    assert run.check(keeps(guarantee))
    assert any(one.value == "lost" for one in run.history() if one.outcome == "fail")
    found = search(scenario, keeps(guarantee), until=4.0, seeds=30, faults=FaultMix(most=3, crashes=1))
    assert found, found


def test_a_guarantee_costs_time_and_only_its_own_violations_go():
    free, given = (store(*guarantees).run(10.0) for guarantees in ((), ("read your writes",)))
    assert given.latencies(client="c0").mean() > free.latencies(client="c0").mean()
    assert len(session_violations(free, "read your writes").reads) > 5
    assert not session_violations(free, "read your writes")
    assert session_violations(given, "read your writes")
    assert not session_violations(given, "monotonic reads")


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("fault", [Crash("n1", at=0.5), Pause("n1", at=0.5), Slow(1000.0, 0.5, node="n1")])
def test_there_is_a_way_out_when_the_replica_is_dead(guarantee, fault):
    run = store(guarantee, faults=[fault], reads="n1").run(60.0)
    assert run.check(keeps(guarantee))
    assert {one.outcome for one in run.history()} == {"ok"}


def test_who_takes_received_for_applied_breaks_read_your_writes():
    scenario = store("read your writes", replica=written.TakesReceivedForApplied)
    found = search(scenario, keeps("read your writes"), until=8.0, seeds=20, faults=FaultMix(most=0))
    assert not found


def test_who_tells_by_the_clock_breaks_read_your_writes_when_it_jumps():
    operations = [("put", "x", 1), ("get", "x")]
    client = ClosedLoop(operations, 0.3, to="g0", timeout=1.0)
    for faults, value in (([], 1), ([ClockOffset("g0", 5.0, at=0.2)], None)):
        run = replicated_store(
            clients=[client],
            faults=faults,
            operator=False,
            apply_time=0.8,
            gateway=written.TellsByTheClock,
            reads="n1",
        ).run(3.0)
        assert run.history()[-1].value == value
        assert bool(session_violations(run, "read your writes")) == (value == 1)


def test_who_waits_for_ever_on_a_dead_replica_never_answers():
    run = store("read your writes", faults=[Crash("n1", at=0.5)], reads="n1", attempts=1).run(12.0)
    assert {one.outcome for one in run.history() if one.operation[0] == "get"} == {"ok", "fail"}


def test_lag_is_how_far_each_follower_is_behind():
    writes = OpenLoop([("put", "k", number) for number in range(30)], 20.0, "n0", 1.0, arrivals="regular")
    faults = [Pause("n2", at=0.5, until=1.02)]
    run = replicated_store(
        mode="async", clients=[writes], faults=faults, operator=False, apply_time=0.01, latency=Constant(0.01)
    ).run(3.0)
    lag = replication_lag(run)
    paused = lag[(lag.node == "n2") & (lag.time < 1.02)]
    assert paused.received.max() == 11
    assert paused.seconds.max() == pytest.approx(0.5)
    end = lag.groupby("node").last()
    assert end[["received", "applied"]].to_numpy().sum() == 0
    assert lag[lag.node == "n1"].received.max() == 1
    assert (lag.applied >= lag.received).all()


def test_stale_reads_are_counted_by_what_clients_know():
    operations = [("put", "x", 1), ("put", "x", 2), ("get", "x")]
    client = ClosedLoop(operations, 0.01, to=("n0", "n0", "n1"), timeout=1.0)
    run = replicated_store(mode="async", clients=[client], operator=False, latency=Constant(0.05)).run(2.0)
    assert run.history()[-1].value is None
    assert stale_reads(run) == 1.0
    assert session_violations(run, "read your writes").reads == (run.history()[-1],)
    calm = replicated_store(mode="sync", clients=[client], operator=False, latency=Constant(0.05)).run(2.0)
    assert stale_reads(calm) == 0.0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"guarantees": ["linearizable"]}, "guarantees"),
        ({"guarantees": "monotonic reads"}, "guarantees"),
        ({"reads": "n9"}, "reads must be one of"),
        ({"attempts": 0}, "attempts"),
    ],
)
def test_wrong_settings_are_told(settings, told):
    with pytest.raises((ValueError, TypeError), match=told):
        Gateway("g0", ("n0",), replicas=["n0"], **settings)


def test_a_replica_of_ones_own_takes_part():
    assert replicated_store(replica=SingleLeaderReplica, clients=users()).run(1.0).history()
