"""Failover step by step: each step against what its settings allow, and what goes wrong between them."""

import pytest

from dscourse.recovery import DOCUMENTED, failover_report, failover_scenario
from dscourse.simulation import Partition, check_determinism

CRASHES = [10.0, 10.3, 11.7, 12.99]


def report(until=90.0, **settings):
    return failover_report(failover_scenario(**settings).run(until))


@pytest.mark.parametrize("crash_at", CRASHES)
@pytest.mark.parametrize(("interval", "misses"), [(1.0, 3), (0.5, 1), (2.0, 4)])
def test_detection_takes_so_many_intervals_and_promotion_its_time(crash_at, interval, misses):
    steps = report(crash_at=crash_at, controller={"interval": interval, "misses": misses}).steps
    assert misses * interval - 0.02 <= steps["detect"] <= (misses + 1) * interval + 0.02
    assert steps["elect"] == 0  # one observer's word
    assert steps["promote"] == pytest.approx(1.01)  # there and back


@pytest.mark.parametrize("crash_at", CRASHES)
@pytest.mark.parametrize(("name", "least", "most"), [("Patroni", 20, 30), ("MongoDB", 8, 12)])
def test_documented_settings_are_met_in_order_of_magnitude(crash_at, name, least, most):
    assert least <= report(crash_at=crash_at, controller=DOCUMENTED[name]).total <= most + 1.1


def test_the_way_of_redirecting_decides_how_long_requests_go_to_the_dead():
    found = {ttl: report(redirect="dns", time_to_live=ttl) for ttl in (5.0, 60.0)}
    address, library = report(redirect="virtual address"), report(redirect="client library")
    assert address.steps["redirect"] < 0.01 < library.steps["redirect"] < 0.6
    assert found[5.0].steps["redirect"] <= 5
    assert 20 < found[60.0].steps["redirect"] <= 60
    assert address.misdirected <= library.misdirected < found[5.0].misdirected < found[60.0].misdirected
    assert address.failed <= found[5.0].failed < found[60.0].failed


APPLICATIONS = ["app1", "app2", "app3"]
OTHERS = ["db2", "names", *APPLICATIONS]


@pytest.mark.parametrize(
    "groups",
    [[["watch"], ["db1", *OTHERS]], [["watch", *OTHERS], ["db1", *APPLICATIONS]]],
    ids=["from all", "from one"],
)
@pytest.mark.parametrize(("witnesses", "failovers"), [([], 1), (APPLICATIONS, 0)])
def test_a_controller_that_is_cut_off_fails_over_although_all_is_well_unless_it_asks(
    groups, witnesses, failovers
):
    scenario = failover_scenario(crash_at=60.0, controller={"witnesses": witnesses})
    run = scenario.with_faults(*scenario.faults, Partition(groups, at=2.0, until=6.5)).run(50.0)
    records = run.trace.select(kind="record", name="failover")
    assert sum(event.detail["step"] == "promote" for event in records) == failovers


def test_witnesses_agree_where_the_primary_is_really_gone():
    alone, asked = report(), report(controller={"witnesses": ["app1", "app2", "app3"]})
    assert asked.failovers == alone.failovers == 1
    assert asked.steps["elect"] == pytest.approx(0.01)  # one question and its answer


COLD = {"restart_at": 14.0, "database": {"disk_time": 0.3}, "standby_is_warm": False, "patience": 0.4}


def test_a_cold_standby_answers_late_and_is_given_up_in_its_turn():
    """Failing over to a cold cache: its checks wait behind queries, so it looks dead, and so does the other."""
    warm = report(**{**COLD, "standby_is_warm": True}, controller={"misses": 2})
    cold = report(**COLD, controller={"misses": 2})
    assert warm.failovers == 1
    assert cold.failovers > 3
    assert cold.failed > 5 * warm.failed


def test_a_cool_down_ends_the_flapping():
    flapping = report(**COLD, controller={"misses": 2})
    calm = report(**COLD, controller={"misses": 2, "cool_down": 3600.0})
    assert calm.failovers == 1 < flapping.failovers


def test_failing_back_at_once_is_a_second_failover():
    back = report(restart_at=20.0, controller={"fail_back": True})
    assert back.failovers == 2
    assert report(restart_at=20.0).failovers == 1


def test_it_is_deterministic():
    check_determinism(failover_scenario(redirect="dns", time_to_live=5.0), 30.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"redirect": "pigeon"}, "redirect must be one of"),
        ({"time_to_live": 0.0}, "time_to_live must be above 0"),
        ({"applications": 0}, "applications must be at least 1, got 0"),
        ({"controller": {"misses": 0}}, "misses must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(Exception, match=message):
        failover_scenario(**settings).run(20.0)
