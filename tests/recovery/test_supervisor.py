"""A supervisor's waits, and what becomes of a queue with a message that makes its worker crash."""

import pytest
from hypothesis import given, strategies as st

from dscourse.recovery import Supervisor, WorkReport, at_work_since, restart_storm, work_off
from dscourse.simulation import check_determinism

POISON = [False] * 3 + [True] + [False] * 6


def test_the_wait_doubles_up_to_the_cap_and_begins_anew_after_a_long_time_of_work():
    supervisor = Supervisor()
    assert [supervisor.crashed(1.0) for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]
    assert supervisor.crashed(600.0) == 10


def test_a_poisoned_message_stops_all_behind_it_however_long_one_waits():
    hasty = work_off(POISON, Supervisor(first=0.0), until=600.0)
    patient = work_off(POISON, Supervisor(), until=600.0)
    assert hasty == WorkReport(done=3, restarts=199, set_aside=0, waiting=7)
    assert patient == WorkReport(done=3, restarts=5, set_aside=0, waiting=7)


def test_set_aside_after_a_few_crashes_it_lets_the_others_through():
    assert work_off(POISON, Supervisor(), until=600.0, set_aside_after=3) == WorkReport(9, 3, 1, 0)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 4), st.floats(1, 5000))
def test_no_message_is_lost_or_done_twice(poisoned, limit, until):
    report = work_off(poisoned, Supervisor(), until=until, set_aside_after=limit)
    assert report.done + report.set_aside + report.waiting == len(poisoned)
    assert report.done <= poisoned.count(False)
    assert report.set_aside <= sum(poisoned)
    assert report.restarts <= limit * sum(poisoned)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="cap must be at least 10, got 5"):
        Supervisor(cap=5.0)
    with pytest.raises(ValueError, match="set_aside_after must be at least 1, got 0"):
        work_off([], Supervisor(), until=1.0, set_aside_after=0)


BACK_OFF = {"first": 1.0, "cap": 30.0}


def test_restarted_at_once_most_never_come_up_and_back_off_with_jitter_is_quicker_than_without():
    at_once = at_work_since(restart_storm(backoff={"first": 0.0}).run(300.0))
    back_off = at_work_since(restart_storm(backoff=BACK_OFF).run(300.0))
    assert len(at_once) == 3  # those that were first in the queue
    assert len(back_off) == 12
    for seed in range(10):
        spread = at_work_since(restart_storm(backoff=BACK_OFF, jitter=0.5, seed=seed).run(300.0))
        assert len(spread) == 12
        assert max(spread) < 0.7 * max(back_off)


def test_few_enough_come_up_however_they_are_restarted():
    assert len(at_work_since(restart_storm(3, backoff={"first": 0.0}).run(10.0))) == 3


def test_a_worker_works_only_once_and_the_storm_is_deterministic():
    scenario = restart_storm(20, backoff=BACK_OFF, jitter=1.0)
    run = scenario.run(200.0)
    up = [
        event.node
        for event in run.trace.select(kind="record", name="status")
        if event.detail["label"] == "works"
    ]
    assert len(set(up)) == len(up) == 20
    check_determinism(scenario, 60.0)
