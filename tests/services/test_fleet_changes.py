"""Servers that are upgraded or added under clients: what the formula says, the runs show."""

from collections import Counter

import pytest

from dscourse.services import joining_scenario, rolling_upgrade, upgrade_scenario
from dscourse.simulation import Crash


def outcomes(run, begin, end):
    return Counter(one.outcome for one in run.history() if begin <= one.invoked < end)


def test_a_rolling_upgrade_against_a_stop():
    rolling, stop = rolling_upgrade(10, 60), rolling_upgrade(1, 60)
    assert (rolling.seconds, rolling.least_capacity, rolling.two_versions) == (600, 0.9, 540)
    assert (stop.seconds, stop.least_capacity, stop.two_versions) == (60, 0.0, 0.0)
    assert rolling_upgrade(10, 60, at_once=4).seconds == 180
    with pytest.raises(ValueError, match="at_once must be at most 3"):
        rolling_upgrade(3, 60, at_once=4)


def test_nobody_is_refused_in_a_rolling_upgrade_of_which_the_balancer_is_told():
    run = upgrade_scenario(4).run(24.0)
    assert set(outcomes(run, 0.0, 22.0)) == {"ok"}
    versions = [one.value for one in run.history() if one.outcome == "ok"]
    assert set(versions[:40]) == {1}
    assert set(versions[-20:]) == {2}
    assert set(versions[150:250]) == {1, 2}


def test_untold_it_costs_as_many_requests_as_the_stop_of_one_big_machine():
    stop, untold = (upgrade_scenario(servers, drain=False).run(24.0) for servers in (1, 4))
    failed = [outcomes(run, 0.0, 22.0)["fail"] for run in (stop, untold)]
    assert failed == pytest.approx([3.0 * 24.0] * 2, rel=0.2)


def test_a_crash_during_an_upgrade_takes_the_room_that_was_left():
    run = upgrade_scenario(4).run(24.0).fork(9.0, Crash("s3", at=9.0))
    assert outcomes(run, 8.5, 12.0)["fail"] > 15


@pytest.mark.parametrize(("servers", "threads", "lost"), [(8, 7, 9), (8, 8, 0), (4, 7, 0), (3, 2, 4)])
def test_one_machine_too_many_takes_all_of_them_down(servers, threads, lost):
    run = joining_scenario(servers, threads=threads).run(12.0)
    assert set(outcomes(run, 0.0, 4.5)) == {"ok"}
    assert set(outcomes(run, 7.0, 10.0)) == ({"fail"} if lost else {"ok"})
    nodes = run.at(8.0).nodes
    assert sum(fields.get("is_lost", False) for fields in nodes.values()) == lost
    assert all(len(fields["known"]) == servers for node, fields in nodes.items() if node != "b0")


def test_taking_it_away_again_does_not_help_until_the_others_are_started_anew():
    run = joining_scenario(8).run(14.0).fork(7.0, Crash("s8", at=7.0))
    assert outcomes(run, 9.0, 12.0)["ok"] == 0
    run = run.fork(8.0, Crash("s0", at=8.0, restart_at=8.5))
    assert {one.value for one in run.history() if one.invoked > 10.5 and one.outcome == "ok"} == {"s0"}
    assert len(run.at(12.0).nodes["s0"]["known"]) == 7
