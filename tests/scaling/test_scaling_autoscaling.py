"""A fleet under a load that moves: what must add up, and that no wrong rule passes all four loads."""

import math

import numpy as np
import pytest

from dscourse.scaling import LOADS, USL, Autoscaler, MovingLoad, simulate_autoscaling


def needed(view):
    return math.ceil((view.arrival_rate + view.queue / 120) / 60)


def ignores_what_is_starting(view):
    return view.running + view.starting + max(0, needed(view) - view.running)


def looks_at_processors_only(view):
    return math.ceil(view.running * view.utilization / 0.6)


def one_at_a_time(view):
    there = view.running + view.starting
    return max(there - 1, min(there + 1, needed(view)))


def aims_at_all_of_it():
    return Autoscaler(target=1.0)


def peak(rule, load, **terms):
    return simulate_autoscaling(rule, LOADS[load], **terms)


def test_the_right_rule():
    results = {load: peak(Autoscaler(), load) for load in LOADS}
    assert all(result.changes_of_direction <= 1 for result in results.values())
    assert results["step"].overloaded_seconds < 300
    assert results["burst"].overloaded_seconds < 300
    assert results["alternating"].crowded_seconds == 0


@pytest.mark.parametrize(
    ("rule", "load", "measure", "times"),
    [
        (lambda: ignores_what_is_starting, "burst", "peak_machines", 3),
        (lambda: looks_at_processors_only, "backend stall", "overloaded_seconds", 2),
        (lambda: one_at_a_time, "burst", "overloaded_seconds", 6),
        (lambda: needed, "alternating", "changes_of_direction", 50),  # no patience before it shrinks
        (lambda: needed, "alternating", "overloaded_seconds", 1000),
        (aims_at_all_of_it, "alternating", "crowded_seconds", 1000),
    ],
)
def test_each_wrong_rule_is_told_by_one_load_and_one_number(rule, load, measure, times):
    right = getattr(peak(Autoscaler(), load), measure)
    assert getattr(peak(rule(), load), measure) > times * max(right, 1)


def test_beyond_the_peak_more_machines_do_less():
    law = USL(0.02, 0.0005)  # peak at 44 machines
    most = int(law.peak_load)
    wise = peak(Autoscaler(most=most), "burst", law=law)
    eager = peak(Autoscaler(), "burst", law=law)
    assert wise.peak_machines == most < eager.peak_machines
    assert wise.queue[1499] < eager.queue[1499]


def test_what_comes_is_served_or_waits():
    load = MovingLoad(np.full(600, 250.0), np.ones(600))
    result = simulate_autoscaling(lambda view: 2, load, machines=2)
    assert result.queue[-1] == pytest.approx(600 * 50)
    assert result.machine_hours == pytest.approx(2 * 600 / 3600)
    assert (result.utilization == 1.0).all()


def test_machines_come_after_the_start_up_time():
    result = simulate_autoscaling(
        lambda view: 5, LOADS["step"], machines=1, start_seconds=100, control_seconds=30
    )
    assert (result.machines[:130] == 1).all()
    assert (result.machines[130:] == 5).all()


def test_refusals():
    with pytest.raises(TypeError, match="what the rule returns must be a whole number"):
        simulate_autoscaling(lambda view: 2.5, LOADS["step"])
    with pytest.raises(TypeError, match="rule must be a function"):
        simulate_autoscaling(3, LOADS["step"])
