"""Game days: the score tells designs apart, each day can be won with its best grade, and nobody wins all."""

import functools
import statistics

import pytest

from dscourse.chaos import GROUPS, INCIDENTS, LEVELS, Design, GameDay, holds
from dscourse.exercises.game_day import CAREFUL, NAIVE

DESIGNS = {name: design for group in GROUPS.values() for name, design in group.items()}
SEEDS = range(7)
SAMPLE = {
    "naive": ("two of everything",),
    "sensible": ("a quorum that sheds", "no retries"),
    "careful": ("six, quick to judge", "six, retries at once", "seven servers"),
}
#: With them every day below reaches its best grade; tried in this order.
WINNERS = {
    "the careful ones": [DESIGNS[name] for name in SAMPLE["careful"]],
    "others": [
        DESIGNS["no retries"],
        Design(
            zones=3, servers=8, copies=3, store="quorum", careful_elections=True, detection=0.5, order_keys=True,
            repair="paced",
        ),
    ],
}  # fmt: skip


@functools.cache
def told(level, seed, design):
    """Play a day; keep only what is asked of it."""
    result = GameDay(level, seed).play(design)
    return result.score, result.grade, result.won


@pytest.mark.parametrize("level", LEVELS)
def test_the_score_ranks_naive_sensible_careful(level):
    means = {
        group: statistics.mean(told(level, seed, DESIGNS[name])[0] for name in names for seed in SEEDS)
        for group, names in SAMPLE.items()
    }
    assert means["naive"] < means["sensible"] < means["careful"], means


@pytest.mark.parametrize("level", LEVELS)
def test_every_day_can_be_won_with_the_best_grade(level):
    for seed in SEEDS:
        designs = (design for group in WINNERS.values() for design in group)
        assert any(told(level, seed, design)[1] == "A" for design in designs), (level, seed)


def test_doing_nothing_wins_no_day_and_none_of_the_sample_wins_all():
    days = [(level, seed) for level in LEVELS for seed in SEEDS]
    assert not any(told(*day, NAIVE)[2] for day in days)
    for name in [name for names in SAMPLE.values() for name in names]:
        assert not all(told(*day, DESIGNS[name])[2] for day in days), name


def test_buying_everything_loses_even_a_calm_day():
    for design in GROUPS["lavish"].values():
        result = GameDay(1, 1, rehearsal=[]).play(design)
        assert result.budget_left == 1.0
        assert result.bill > result.day.rules.budget
        assert result.grade == "D"


def test_there_are_thirty_designs():
    assert len(DESIGNS) == 30 == len({repr(design) for design in DESIGNS.values()})


@pytest.mark.parametrize("level", LEVELS)
def test_seven_days_running_have_seven_first_incidents(level):
    firsts = [GameDay(level, seed).name_incidents().were for seed in range(14)]
    assert all(len(were) == LEVELS[level].incidents == len(set(were)) for were in firsts)
    for block in (firsts[:7], firsts[7:]):
        assert {were[0].name for were in block} == {incident.name for incident in INCIDENTS.values()}


def test_a_fix_must_hold_at_other_moments():
    day = GameDay(1, 2, rehearsal=["half-broken switch"])
    assert holds(day.play(CAREFUL), days=2)
    assert not holds(day.play(NAIVE))
    begins = {day.other_moments(number)._schedule[0][0] for number in range(4)}
    assert len(begins) == 4
