"""A service that gives up silent workers: what its timeout costs, and what a mistake sets off."""

import pytest

from dscourse.detection import service_report, worker_service
from dscourse.detection.evictions import Load, failed_requests
from dscourse.simulation import Crash, Pause

PAUSE = Pause("w2", at=10.0, until=13.0)
CRASH = Crash("w3", at=10.0)


def test_without_trouble_all_is_answered_and_nothing_moves():
    run = worker_service(1.0).run(20.0)
    report = service_report(run)
    assert (report.failed, report.given_up, report.messages) == (0, 0, pytest.approx(16, rel=0.02))
    assert not any(isinstance(event.message, Load) for event in run.trace.select(kind="send"))


def test_a_crash_costs_the_workers_share_of_requests_until_it_is_noticed_and_its_data_loaded():
    """w3 has a quarter of 60 requests a second."""
    failed = [service_report(worker_service(timeout, CRASH).run(30.0)).failed for timeout in (4.0, 8.0, 12.0)]
    assert failed[1] - failed[0] == failed[2] - failed[1] == 4 * 15
    run = worker_service(4.0, CRASH).run(30.0)
    (noticed,) = run.trace.select(kind="record", name="suspect").times
    assert 13 < noticed < 14
    assert max(failed_requests(run)) < noticed + 1.0
    assert service_report(run).wrongly == 0


def test_a_pause_that_is_borne_costs_no_more_than_itself():
    report = service_report(worker_service(4.0, PAUSE).run(30.0))
    assert report.given_up == 0
    assert 40 < report.failed < 50


def test_a_mistake_moves_the_work_twice():
    run = worker_service(2.0, PAUSE).run(30.0)
    assert service_report(run).wrongly == service_report(run).given_up == 1
    moved = [event.peer for event in run.trace.select(kind="send") if isinstance(event.message, Load)]
    assert set(moved) == {"w1", "w3", "w2"}
    assert moved.count("w2") == moved.count("w1") + moved.count("w3")
    assert run.at(29.0).nodes["front"]["given_up"] == []


def test_a_hasty_front_end_gives_up_all_after_one_pause_and_does_not_recover():
    run = worker_service(1.0, PAUSE).run(40.0)
    given_up = [event.peer for event in run.trace.select(kind="record", name="suspect")]
    assert given_up[0] == "w2"
    assert set(given_up) == {"w1", "w2", "w3", "w4"}
    assert sum(time > 30 for time in failed_requests(run)) > 0.9 * 9 * 60


def test_requests_that_may_still_be_answered_have_not_failed():
    assert failed_requests(worker_service(1.0).run(5.5)) == []
