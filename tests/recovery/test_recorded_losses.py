import numpy as np
import pandas as pd
import pytest

from dscourse import datasets
from dscourse.recovery import pair_losses


def record(*failures):
    start = pd.Timestamp("2000-01-01")
    rows = [
        {"system": 1, "node": node, "start": start + pd.Timedelta(minutes=at), "down_min": minutes}
        for node, at, minutes in failures
    ]
    return pd.DataFrame(rows)


def test_a_failure_counts_once_for_each_node_that_is_down_then():
    found = pair_losses(record((0, 0, 10), (1, 5, 10), (2, 8, 1), (0, 1000, 5)), 1)
    assert (found.nodes, found.seen) == (3, 1 + 2)
    assert (
        pair_losses(record((0, 0, 10), (1, 10, 5), (1, 100, 5)), 1).seen == 0
    )  # the one is up as the other fails
    twice = pair_losses(record((0, 0, 10), (0, 5, 20), (1, 22, 1), (1, 300, 1)), 1)
    assert twice.seen == 1  # two entries for one stretch of time


def test_independent_nodes_are_as_the_formula_says():
    rng = np.random.default_rng(3)
    failures = []
    for node in range(40):
        now = 0.0
        while now < 400_000:
            now += rng.exponential(2_000)
            failures.append((node, now, rng.exponential(20)))
            now += failures[-1][2]
    found = pair_losses(record(*failures), 1)
    assert found.seen == pytest.approx(found.expected, rel=0.05)


def test_real_machines_fail_together_more_often_than_the_formula_says():
    lanl = datasets.load("failures/lanl")
    ratios = {system: pair_losses(lanl, system) for system in (2, 18, 19, 20)}
    assert all(found.seen > found.expected for found in ratios.values())
    assert ratios[2].seen / ratios[2].expected == pytest.approx(17.6, abs=0.1)
    assert ratios[19].seen / ratios[19].expected == pytest.approx(1.05, abs=0.01)


def test_what_is_missing_is_said():
    with pytest.raises(LookupError, match="down_min"):
        pair_losses(record((0, 0, 1), (1, 5, 1)).drop(columns="down_min"), 1)
    with pytest.raises(LookupError, match="two nodes"):
        pair_losses(record((0, 0, 1)), 1)
