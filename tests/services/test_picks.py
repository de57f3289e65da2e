"""Each wrong way to pick a server is told from the right one by a load of its own, on the kernel."""

import numpy as np
import pytest

from dscourse.exercises.wrong_nodes.scaling_patterns import PICK_RIGHT, PICK_WRONG
from dscourse.services import RandomChoice, balancing_scenario
from dscourse.simulation import Pause


def function(cell):
    names = {}
    exec(cell, names)
    return names["answer"]


def mean_time(pick, **settings):
    run = balancing_scenario(pick, servers=20, load=0.9, **settings).run(150.0)
    return np.mean([op.latency for op in run.history() if op.outcome == "ok" and op.invoked > 30])


def error_share(pick):
    run = balancing_scenario(pick, servers=10, load=0.7, service_factors={"s0": 0.01}, failing=["s0"]).run(
        100.0
    )
    outcomes = [op.outcome for op in run.history()]
    return outcomes.count("fail") / len(outcomes)


def lost_share(pick):
    scenario = balancing_scenario(pick, servers=5, load=0.3, patience=6.0, attempts=2, seed=3)
    run = scenario.with_faults(Pause("s2", at=5.0)).run(100.0)
    asked = [op for op in run.history() if 5 <= op.invoked < 80]
    return sum(op.outcome != "ok" for op in asked) / len(asked)


def test_the_right_pick_passes_every_load():
    right, random = function(PICK_RIGHT), RandomChoice
    assert mean_time(right, view_age=5.0) < 0.8 * mean_time(random, view_age=5.0)
    assert mean_time(right, balancers=10) < 0.9 * mean_time(random, balancers=10)
    assert error_share(right) < 0.03
    assert lost_share(right) < 0.02


@pytest.mark.parametrize(
    ("name", "measure", "factor"),
    [
        ("the least of an old view", lambda pick: mean_time(pick, view_age=5.0), 1.8),
        ("ties to the lowest", lambda pick: mean_time(pick, balancers=10), 1.5),
        ("loves the one that fails fast", error_share, 5),
        ("tries the same server again", lost_share, 2),
        ("any of them", mean_time, 1.8),
    ],
)
def test_each_wrong_pick_is_told_by_a_load_of_its_own(name, measure, factor):
    wrong, right = measure(function(PICK_WRONG[name][0])), measure(function(PICK_RIGHT))
    assert wrong > factor * max(right, 0.01)
