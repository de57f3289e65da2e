"""Chances of losing data: published numbers, closed forms, and failures that are played."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from dscourse.recovery import (
    copyset_loss_probability,
    copysets_in_use,
    erasure_loss_probability,
    lost_groups,
    mean_time_to_data_loss,
    probability_of_data_loss,
)


@pytest.mark.parametrize(("mttf", "mttr"), [(1e6, 24.0), (3.0, 2.0), (1.0, 100.0)])
def test_a_mirror_has_a_closed_form(mttf, mttr):
    assert mean_time_to_data_loss(2, mttf, mttr) == pytest.approx((3 * mttr + mttf) * mttf / (2 * mttr))


def test_one_copy_lives_as_long_as_itself():
    assert mean_time_to_data_loss(1, 1e6, 24) == 1e6
    assert probability_of_data_loss(1, 100.0, 1.0, 50.0) == pytest.approx(1 - math.exp(-0.5), rel=1e-12)


@pytest.mark.parametrize("repairers", ["one", "each"])
@pytest.mark.parametrize(("copies", "needed"), [(2, 1), (3, 1), (5, 3), (8, 7)])
def test_the_mean_is_the_integral_of_the_survival(repairers, copies, needed):
    mean = mean_time_to_data_loss(copies, 10.0, 2.0, needed=needed, repairers=repairers)
    times = np.linspace(0, 40 * mean, 4001)
    alive = [
        1 - probability_of_data_loss(copies, 10.0, 2.0, time, needed=needed, repairers=repairers)
        for time in times
    ]
    assert np.trapezoid(alive, times) == pytest.approx(mean, rel=1e-3)


def test_a_tiny_chance_keeps_its_digits():
    """What is rare goes with time: the chance of a year is a year divided by the mean time, to many digits."""
    mean = mean_time_to_data_loss(3, 1e6, 1.0, repairers="each")
    chance = probability_of_data_loss(3, 1e6, 1.0, 8766.0, repairers="each")
    assert chance < 1e-13
    assert chance == pytest.approx(8766 / mean, rel=1e-3)


@given(st.integers(1, 5), st.floats(1, 100), st.floats(0.1, 10), st.floats(0, 200), st.floats(0, 50))
def test_more_time_never_makes_it_safer_and_a_copy_more_never_less_safe(copies, mttf, mttr, span, more):
    chance = probability_of_data_loss(copies, mttf, mttr, span)
    assert 0 <= chance <= 1 + 1e-12
    assert probability_of_data_loss(copies, mttf, mttr, span + more) >= chance - 1e-12
    assert probability_of_data_loss(copies + 1, mttf, mttr, span) <= chance + 1e-12
    assert probability_of_data_loss(copies, mttf, mttr, span, repairers="each") <= chance + 1e-12


@pytest.mark.parametrize("repairers", ["one", "each"])
@pytest.mark.parametrize(("copies", "needed"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_played_failures_agree_with_the_chain_within_the_error_of_sampling(repairers, copies, needed):
    groups = 40_000
    chance = probability_of_data_loss(copies, 20.0, 2.0, 30.0, needed=needed, repairers=repairers)
    played = lost_groups(copies, 20.0, 2.0, 30.0, needed=needed, repairers=repairers, groups=groups, seed=3)
    assert abs(played - chance) < 4 * math.sqrt(chance * (1 - chance) / groups)


def test_a_rack_that_takes_its_copies_along_ruins_the_formula():
    formula = probability_of_data_loss(3, 1000.0, 5.0, 100.0)
    apart = lost_groups(3, 1000.0, 5.0, 100.0, racks=3, rack_mttf=2000.0, groups=200_000)
    together = lost_groups(3, 1000.0, 5.0, 100.0, racks=1, rack_mttf=2000.0, groups=200_000)
    assert together == pytest.approx(1 - math.exp(-100 / 2000), rel=0.05)  # one rack: its failure is the loss
    assert together > 1000 * formula
    assert formula < apart < together / 100


def test_played_failures_follow_their_seed():
    one, again, other = (lost_groups(2, 5.0, 1.0, 9.0, groups=2000, seed=seed) for seed in (1, 1, 2))
    assert one == again != other


def test_permutations_need_fewer_copysets_than_chance():
    assert copysets_in_use(5000, 3, 10, random=False) == 5 * 1666
    assert copysets_in_use(5000, 3, 10, random=True) == 5000 * 45
    assert copysets_in_use(6, 3, 5, random=True) == math.comb(6, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_time_to_data_loss(0, 1, 1), "copies must be at least 1, got 0"),
        (lambda: mean_time_to_data_loss(3, 1, 1, needed=4), "needed must be at most 3, got 4"),
        (lambda: mean_time_to_data_loss(3, 1, 0), "mttr must be above 0, got 0"),
        (lambda: probability_of_data_loss(3, 1, 1, -1), "duration must be at least 0, got -1"),
        (lambda: copyset_loss_probability(9, 10, 3, 1), "failed must be at most 9, got 10"),
        (lambda: copyset_loss_probability(9, 3, 3, 85), "copysets must be at most 84, got 85"),
        (lambda: erasure_loss_probability(17, 3, 0.1, 0), "rebuild_days must be above 0, got 0"),
        (lambda: lost_groups(3, 1, 1, 1, racks=4, rack_mttf=1), "racks must be at most 3, got 4"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()
