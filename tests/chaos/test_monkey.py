"""The monkey draws by the published rules."""

import itertools

import pytest

from dscourse.chaos import ChaosMonkey, crashes
from dscourse.simulation import Crash

GROUPS = {"web": ["w1", "w2", "w3"], "search": ["s1", "s2"]}
WEEKS = 500


@pytest.fixture(scope="module")
def kills():
    return ChaosMonkey(GROUPS).schedule(days=7 * WEEKS, seed=1)


def test_weekends_are_free_and_hours_are_kept(kills):
    assert all(kill.day % 7 < 5 for kill in kills)
    assert all(9 * 3600 <= kill.time < 15 * 3600 and kill.time % 60 == 0 for kill in kills)
    assert {int(kill.time // 3600) for kill in kills} == set(range(9, 15))


def test_at_most_one_of_a_group_a_day_and_only_of_those_opted_in(kills):
    assert len({(kill.day, kill.group) for kill in kills}) == len(kills)
    assert all(kill.node in GROUPS[kill.group] for kill in kills)
    assert list(kills) == sorted(kills, key=lambda kill: (kill.day, kill.time))


@pytest.mark.parametrize("mean", [1, 2, 5])
def test_the_mean_is_that_of_the_documentation(mean):
    drawn = ChaosMonkey({"web": GROUPS["web"]}, mean_days=mean).schedule(days=7 * WEEKS, seed=2)
    expected = 5 * WEEKS / mean
    deviation = (5 * WEEKS * (1 / mean) * (1 - 1 / mean)) ** 0.5
    assert abs(len(drawn) - expected) <= 3.5 * deviation


def test_victims_are_drawn_evenly(kills):
    web = [kill.node for kill in kills if kill.group == "web"]
    assert all(abs(web.count(node) / len(web) - 1 / 3) < 0.05 for node in GROUPS["web"])


def test_min_days_keep_a_distance():
    drawn = ChaosMonkey({"web": ["w1"]}, mean_days=1, min_days=3).schedule(days=70, seed=1)
    days = [kill.day for kill in drawn]
    assert min(b - a for a, b in itertools.pairwise(days)) >= 3


def test_another_group_changes_nobodys_luck(kills):
    alone = ChaosMonkey({"web": GROUPS["web"]}).schedule(days=7 * WEEKS, seed=1)
    assert list(alone) == [kill for kill in kills if kill.group == "web"]


def test_a_leashed_monkey_only_writes_down():
    drawn = ChaosMonkey(GROUPS, leashed=True).schedule(days=14, seed=1)
    assert drawn
    assert crashes(drawn, day=10.0) == ()
    free = ChaosMonkey(GROUPS).schedule(days=14, seed=1)
    assert [(kill.day, kill.node) for kill in free] == [(kill.day, kill.node) for kill in drawn]


def test_kills_become_crashes_of_a_run():
    kill = ChaosMonkey({"web": ["w1"]}, mean_days=1).schedule(days=2, seed=1)[1]
    (crash,) = crashes([kill], day=10.0, restart_after=2.0)
    assert crash == Crash("w1", at=crash.at, restart_at=crash.at + 2.0)
    assert 10.0 + 10 * 9 / 24 <= crash.at < 10.0 + 10 * 15 / 24


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean_days": 0.5}, "mean_days must be at least 1"),
        ({"min_days": 0}, "min_days must be at least 1"),
        ({"hours": (15, 9)}, r"hours\[1\] must be above 15"),
    ],
)
def test_odd_settings_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        ChaosMonkey(GROUPS, **change)
