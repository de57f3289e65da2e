"""One worker and its queue: small cases by hand, and what must hold for all."""

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.services import worker_goodput
from dscourse.services.goodput import _useful


def test_a_case_by_hand():
    came, needs = [0.0, 0.1, 0.2, 0.3], [1.0, 1.0, 1.0, 1.0]
    # done at 1, 2, 3, 4 in order of arrival; the deadline is 2 after arrival
    assert _useful(came, needs, 2.0, None, False, False).tolist() == [True, True, False, False]
    # newest first: the first, then 3, 2, 1
    assert _useful(came, needs, 2.0, None, True, False).tolist() == [True, False, False, True]
    # one may wait: the last two are turned away
    assert _useful(came, needs, 2.0, 1, False, False).tolist() == [True, True, False, False]
    # the third begins at 2 although its deadline is 2.2; the fourth, due at 2.3, isn't begun at 3
    assert _useful(came, needs, 2.0, None, False, True).tolist() == [True, True, False, False]


def test_without_a_place_to_wait_only_the_idle_worker_takes_work():
    came, needs = [0.0, 0.5, 1.0, 1.2], [1.0, 0.1, 0.5, 0.1]
    assert _useful(came, needs, 9.0, 0, False, False).tolist() == [True, False, True, False]


def test_work_that_can_no_longer_be_of_use_costs_nothing_once_it_is_dropped():
    came, needs = [0.0, 0.1, 0.2], [5.0, 1.0, 1.0]
    assert _useful([*came, 4.9], [*needs, 1.0], 2.0, None, False, True).tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert _useful([*came, 4.9], [*needs, 1.0], 2.0, None, False, False).tolist() == [
        False,
        False,
        False,
        False,
    ]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 3.0), st.floats(0.5, 10.0), st.integers(0, 100))
def test_dropping_the_dead_and_serving_the_newest_keep_a_worker_useful(load, deadline, seed):
    kept = {"deadline": deadline, "requests": 2000, "seed": seed}
    plain = worker_goodput(load, **kept)
    best = worker_goodput(load, newest_first=True, drop_expired=True, **kept)
    assert 0 <= plain <= best + 0.05
    assert best < min(load, 1.0) * 1.25  # no more than comes, and than one can do, but for luck


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"load": 0.0}, "load must be above 0"),
        ({"deadline": 0.0}, "deadline must be above 0"),
        ({"queue_limit": -1}, "queue_limit must be at least 0"),
        ({"requests": 5}, "requests must be at least 10"),
    ],
)
def test_refusals(wrong, told):
    with pytest.raises(ValueError, match=told):
        worker_goodput(**({"load": 0.8, "deadline": 5.0} | wrong))
