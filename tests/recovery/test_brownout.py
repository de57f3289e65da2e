"""Graceful degradation: what users get at each level, and from a dial that follows the wait."""

import pytest

from dscourse.recovery import brownout_scenario, service_of
from dscourse.simulation import check_determinism


@pytest.fixture(scope="module")
def runs():
    return {level: brownout_scenario(level=level).run(60.0) for level in (0, 1, 2, None)}


def test_full_answers_in_a_rush_are_answers_for_nobody_and_it_does_not_recover_by_itself(runs):
    assert service_of(runs[0], 10, 30).answered < 0.05
    assert service_of(runs[0], 35, 60).answered < 0.05  # the rush is over, the queue is not


def test_the_dial_serves_everybody_and_gives_everything_back_after_the_rush(runs):
    assert service_of(runs[None]).answered > 0.999
    assert service_of(runs[None], 35, 60).value > 0.99
    assert service_of(runs[2]).answered == 1


def test_the_dial_is_worth_more_than_any_fixed_level(runs):
    worth = {level: service_of(run).value for level, run in runs.items()}
    assert worth[None] > 1.3 * max(worth[level] for level in (0, 1, 2))


def test_it_turns_at_most_once_in_half_a_second_and_back_only_after_two_calm_ones(runs):
    turns = [
        (event.time, event.detail["label"]) for event in runs[None].trace.select(kind="record", name="status")
    ]
    levels = [("full", "lean", "bare").index(label) for _, label in turns]
    for (before, _), (after, _), old, new in zip(turns, turns[1:], levels, levels[1:], strict=False):
        assert abs(new - old) == 1
        assert after - before >= (0.5 if new > old else 2.0) or before == 0


def test_it_is_deterministic():
    check_determinism(brownout_scenario(), 20.0)
