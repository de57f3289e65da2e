"""The exercises of notebook 04: right answers in other words are right, and what only looks right isn't."""

from fractions import Fraction

import numpy as np
import pytest

from dscourse.exercises import partitioning as exercises
from dscourse.partitioning import DirectoryPartitioner

AIMED = [key for key in range(20_000) if exercises.victim().owner(key) == "n0"]
DECOYS = [f"user:{number}" for number in range(1000)]


@pytest.mark.parametrize("answer", [0.25, np.float64(0.25), np.float32(0.25), Fraction(1, 4)])
def test_a_quarter_in_any_form(answer):
    assert exercises._check_keys_that_stay(answer) is None


@pytest.mark.parametrize("answer", [True, "0.25", None, [0.25], 10**400, float("nan"), 0.26])
def test_what_is_no_quarter(answer):
    assert isinstance(exercises._check_keys_that_stay(answer), str)


@pytest.mark.parametrize("answer", [AIMED, tuple(AIMED), np.array(AIMED), [np.int64(key) for key in AIMED]])
def test_aimed_keys_in_any_form(answer):
    assert exercises._check_break_the_balance(answer) is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (AIMED[:999], exercises.KEYS_WANTED),
        ([*AIMED[:500], *AIMED[:500]], exercises.ONE_HOT_KEY),
        (
            [*DECOYS, *["celebrity"] * 50_000],
            exercises.SPREAD_OUT,
        ),  # one hot key, a thousand that mean nothing
        ([[key] for key in AIMED], exercises.KEYS_WANTED),
        (None, exercises.KEYS_WANTED),
    ],
)
def test_what_only_looks_aimed(answer, message):
    assert exercises._check_break_the_balance(answer) == message


def test_another_design_that_holds():
    assert (
        exercises._check_design_a_fleet(lambda nodes, weights: DirectoryPartitioner(nodes, 4096, weights))
        is None
    )


def test_a_ring_searched_from_the_front_is_as_right():
    def mine(hashed, points):
        return next((np.str_(node) for position, node in points if position >= hashed), points[0][1])

    assert exercises._check_your_own_ring(mine) is None
