"""The labs of notebook 03: what they show is what the models say, and it moves."""

import numpy as np
import pytest

from dscourse.services import PATTERNS, simulate_balancing
from dscourse.services.balancing import POLICIES
from dscourse.views import services


def test_the_lab_shows_each_request_that_is_there_once():
    lab = services.lab_load_balancer()
    assert lab.picture.caption.startswith("Twenty servers and their queues under four policies")
    film = services._films(slow=True, failing=False, load=0.85, first=False, view_age=0.0, balancers=1)
    factors, count = {0: 3.0}, int(1.3 * 20 * 0.85 * 0.5 * 121)
    for policy in POLICIES:
        run = simulate_balancing(
            policy, servers=20, load=0.85, requests=count, service_factors=factors, seed=4
        )
        held = film[policy].held[60]
        assert (held == run.open_requests([30.0])[0]).all()
        served, waiting, more = services._dots(policy, held)
        assert len(served) == (held > 0).sum()
        assert len(waiting) == np.minimum(np.maximum(held - 1, 0), 11).sum()
        assert len(more) == (held > 12).sum()
        done = run.arrival_times + run.times
        lately = run.times[(done > 15.0) & (done <= 30.0)]
        assert film[policy].p99[60] == pytest.approx(np.quantile(lately, 0.99, method="higher"), rel=0.15)


def test_the_lab_moves_with_time_and_with_every_control():
    lab = services.lab_load_balancer()
    play, moment = lab.children[0].children[:2]
    assert (play.min, play.max) == (moment.min, moment.max)
    seen = {lab.picture.png}
    for name, value in (
        ("moment", 100),
        ("view_age", 4.0),
        ("load", 0.95),
        ("failing", True),
        ("slow", False),
        ("balancers", 30),
        ("first", True),
    ):
        lab.controls[name].value = value
        assert lab.picture.problem == ""
        assert lab.picture.png not in seen, name
        seen.add(lab.picture.png)
    assert "view 4 old, balancers: 30, ties to the first, one fails at once" in lab.picture.alt
    assert "% failed" in lab.picture.alt


def test_the_lab_begins_as_it_is_told():
    lab = services.lab_load_balancer(30, ties_to_first=True)
    assert "balancers: 30, ties to the first" in lab.picture.alt


def test_the_pattern_lab_names_the_bottleneck():
    lab = services.explore_patterns()
    ends = {}
    for pattern in PATTERNS:
        lab.controls["pattern"].value = pattern
        lab.controls["share"].value = 0.1
        assert lab.picture.problem == ""
        ends[pattern] = lab.picture.alt
    assert "bottleneck: lock" in ends["shared-nothing"]
    assert "bottleneck: store" in ends["stateless"]
    assert "bottleneck: broker" in ends["asynchronous"]
    assert "stale reads" in ends["read replicas"]
    for pattern, most in (("shared-nothing", 10), ("read replicas", 7.8), ("stateless", 10)):
        assert services._point(pattern, 0.1, 32).throughput[0] == pytest.approx(most, rel=0.06)


def test_no_part_works_for_more_than_all_of_the_time():
    for pattern in PATTERNS:
        for nodes in (1, 8, 32):
            busy = services._point(pattern, 0.1, nodes).utilization
            assert all(0 < value <= 1 for value in busy.values()), (pattern, nodes, busy)


def test_curves():
    picture = services.draw_stale_views((0, 1), {"random": [10, 10], "two choices": [2.6, 2.9]})
    assert picture.alt == (
        "Mean time of a request against the age of the view: random from 10 at 0 to 10 at 1; two choices from 2.6 at 0 "
        "to 2.9 at 1."
    )
    assert services.draw_useful_work((0.5, 2.0), {"in order": [0.5, 0.0]}).caption.startswith(
        "Useful work of one"
    )
