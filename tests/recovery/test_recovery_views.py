"""Pictures of notebook 10: they show what the models say, also at the ends of every control."""

import pytest

from dscourse.exercises import recovery as exercises
from dscourse.recovery import (
    failover_report,
    fleet_report,
    probability_of_data_loss,
    repair_report,
    service_of,
)
from dscourse.simulation import Crash
from dscourse.views import recovery as views


@pytest.fixture(scope="module")
def failovers():
    ways = {"names": {"redirect": "dns"}, "address": {}}
    return {way: exercises.failover(**settings).run(75.0) for way, settings in ways.items()}


def test_a_failover_is_told_with_its_steps_and_what_failed(failovers):
    report = failover_report(failovers["names"])
    alt = views.draw_failover(failovers["names"]).alt
    assert "detect 3.0 s, elect 0.0 s, promote 1.0 s, redirect 46.0 s" in alt
    assert f"after {report.total:.1f} s; {report.failed} requests failed" in alt


def test_each_way_of_redirecting_can_be_chosen_and_chosen_again(failovers):
    figure = views.explore_redirect(failovers)
    first = figure.picture.alt
    assert first.startswith("Redirected by names. ")
    for way in ("address", "names"):
        figure.controls["redirect"].value = way
        assert figure.picture.problem == ""
        assert figure.picture.alt.startswith(f"Redirected by {way}. ")
    assert figure.picture.alt == first
    (axes,) = figure.figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["steps", "app1", "app2", "app3"]


def test_the_repair_slider_says_what_the_chain_says_at_its_ends():
    figure = views.explore_repair_time()
    for name, control in figure.controls.items():
        for value in (0.1, 1000.0) if name == "repair_hours" else (control.min, control.max):
            control.value = value
            assert figure.picture.problem == "", (name, value)
    chance = probability_of_data_loss(3, views.YEAR / 0.13, 1000.0, views.YEAR, repairers="each")
    assert f"3 copies: {chance:.1e}" in figure.picture.alt
    assert "13 % of the disks" in figure.picture.alt


def test_lanes_of_a_repair_end_with_what_the_report_says():
    run = exercises.storage(at_once=36).run(45.0)
    short, dead, latency = views.repair_lanes()
    assert [lane.name for lane in (short, dead, latency)] == [
        "chunks short of a copy", "servers taken for dead", "latency p99",
    ]  # fmt: skip
    assert short.points(run, None)[-1][1] == 0
    assert max(value for _, value in short.points(run, None)) > 20
    assert 1 < max(value for _, value in dead.points(run, None)) <= repair_report(run).taken_for_dead


def test_lanes_of_a_fleet_count_its_machines():
    run = exercises.fleet.with_faults(Crash("n2", at=10.0)).run(60.0)
    working, booting = views.fleet_lanes()
    values = [value for _, value in working.points(run, None)]
    assert values[-1] == fleet_report(run, 5).working == 5
    assert min(values[5:]) == 4
    assert max(value for _, value in booting.points(run, None)) == 1


def test_the_dial_shows_each_setting_as_the_model_has_it():
    runs = {
        name: exercises.brownout_scenario(level=level, rush_for=2.0).run(20.0)
        for name, level in (("full", 0), ("bare", 2))
    }
    figure = views.explore_dial(runs)
    figure.controls["dial"].value = "bare"
    answered, worth = views._by_second(runs["bare"])
    for second in (3, 11, 15):
        got = service_of(runs["bare"], second, second + 1)
        assert (answered[second], worth[second]) == pytest.approx((got.answered, got.value))
    assert f"worth {service_of(runs['bare']).value:.2f} on average" in figure.picture.alt
