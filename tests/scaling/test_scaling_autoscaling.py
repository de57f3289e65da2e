"""A fleet under a load that moves: what must add up, and that no wrong rule passes all four loads."""

import numpy as np
import pytest

from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.wrong_nodes.scaling_up_and_out import WRONG
from dscourse.scaling import LOADS, USL, Autoscaler, MovingLoad, simulate_autoscaling


def rule(name):
    return run_answer(next(wrong.code for wrong in WRONG if wrong.name == name))()


def peak(chosen, load, **terms):
    return simulate_autoscaling(chosen, LOADS[load], **terms)


def test_the_right_rule():
    results = {load: peak(Autoscaler(), load) for load in LOADS if load != "day"}
    assert all(result.changes_of_direction <= 1 for result in results.values())
    assert results["step"].overloaded_seconds < 300
    assert results["burst"].overloaded_seconds < 300
    assert results["alternating"].crowded_seconds == 0


@pytest.mark.parametrize(
    ("name", "load", "measure", "times"),
    [
        ("ignores what is starting", "burst", "peak_machines", 3),
        ("looks at processors only", "backend stall", "overloaded_seconds", 2),
        ("one at a time", "burst", "overloaded_seconds", 6),
        ("no patience", "alternating", "changes_of_direction", 50),
        ("no patience", "alternating", "overloaded_seconds", 1000),
        ("aims at all of it", "alternating", "crowded_seconds", 1000),
    ],
)
def test_each_wrong_rule_is_told_by_one_load_and_one_number(name, load, measure, times):
    right = getattr(peak(Autoscaler(), load), measure)
    assert getattr(peak(rule(name), load), measure) > times * max(right, 1)


def test_beyond_the_peak_more_machines_do_less():
    law = USL(0.0, 0.0004)
    most = int(law.peak_load)
    assert most == 50
    wise = peak(Autoscaler(), "burst", law=law)
    eager = peak(rule("adds beyond the peak"), "burst", law=law)
    assert wise.peak_machines == most < eager.peak_machines
    assert wise.queue[-1] == 0 < eager.queue[-1]


def test_no_more_than_a_thousand_can_be_had():
    assert peak(lambda view: 10**9, "step").peak_machines == 1000


def test_what_comes_is_served_or_waits():
    load = MovingLoad(np.full(600, 250.0), np.ones(600))
    result = simulate_autoscaling(lambda view: 2, load, machines=2)
    assert result.queue[-1] == pytest.approx(600 * 50)
    assert result.machine_hours == pytest.approx(2 * 600 / 3600)
    assert (result.utilization == 1.0).all()


def test_machines_come_after_the_start_up_time():
    result = simulate_autoscaling(lambda view: 5, LOADS["step"], machines=1, start_seconds=100)
    assert (result.machines[:130] == 1).all()
    assert (result.machines[130:] == 5).all()


def test_refusals():
    with pytest.raises(TypeError, match="what the rule returns must be a whole number"):
        simulate_autoscaling(lambda view: 2.5, LOADS["step"])
    with pytest.raises(TypeError, match="rule must be a function"):
        simulate_autoscaling(3, LOADS["step"])
