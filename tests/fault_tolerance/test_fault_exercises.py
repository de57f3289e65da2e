"""The checkers of notebook 07: right answers in other forms pass, near-misses and nonsense are told in words."""

from fractions import Fraction

import numpy as np
import pytest

from dscourse.exercises import faults_and_redundancy as exercises
from dscourse.fault_tolerance import k_of_n
from dscourse.simulation import Byzantine, Corrupt, Crash, Lossy, Slow


def refusal(exercise, answer):
    return exercise._check(answer)


@pytest.mark.parametrize("answer", [np.float64(578.68), Fraction(57868, 100), 578.7])
def test_minutes_in_every_form_pass(answer):
    assert refusal(exercises.chain_minutes, answer) is None


@pytest.mark.parametrize(
    "answer", [None, [578.6], True, np.bool_(True), float("nan"), 10**400, "578.68", np.array([578.68])]
)
def test_what_is_no_number_of_minutes_is_said(answer):
    for exercise in (exercises.chain_minutes, exercises.minutes_to_repair):
        assert refusal(exercise, answer).startswith("The answer is one number, in minutes.")


def test_a_majority_function_must_return_numbers():
    check = exercises.majority_availability
    assert refusal(check, lambda n, a: np.float64(k_of_n(n // 2 + 1, n, a))) is None
    assert "it should be a number" in refusal(check, lambda n, a: float("nan"))
    assert "it should be a number" in refusal(check, lambda n, a: None)
    late_nan = refusal(check, lambda n, a: k_of_n(n // 2 + 1, n, a) if n < 5 else float("nan"))
    assert late_nan.startswith("For 5 members at 0.99 you return nan")
    late_text = refusal(check, lambda n, a: k_of_n(n // 2 + 1, n, a) if n < 5 else "0.99")
    assert late_text.startswith("For 5 members at 0.99 you return '0.99'; it should be 0.999")
    assert "without brackets" in refusal(check, 0.972)


@pytest.mark.parametrize("answer", [(5, 3), [6, 2], np.array([5, 3]), (5.0, 3.0)])
def test_racks_in_every_form_pass(answer):
    assert refusal(exercises.five_nines_of_racks, answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        5,
        (5,),
        (5, 3, 1),
        "53",
        None,
        (5.5, 3),
        {"a": 1, "b": 2},
        ("5", "3"),
        (True, 2),
        {5, 3},
        (float("inf"), 3),
        np.array(5),
    ],
)
def test_what_is_no_pair_of_racks_is_said(answer):
    assert refusal(exercises.five_nines_of_racks, answer).startswith("The answer is a pair")


@pytest.mark.parametrize("racks", [0, -100])
def test_no_racks_are_no_bargain(racks):
    assert "at least one rack" in refusal(exercises.five_nines_of_racks, (7, racks))


@pytest.mark.parametrize(
    "faults",
    [
        [Lossy(1.0, at=0.0, link=("c0", "front"))],
        [Lossy(1.0, at=1.0)],
        [Lossy(1.0, at=1.0, link=("front", "r1")), Slow(100, at=1.0)],
        [Crash("r1", at=1.0), Crash("front", at=2.0)],
    ],
)
def test_faults_that_are_not_one_replicas_alone_break_nothing(faults):
    assert refusal(exercises.break_with_one_replica, faults) == exercises.FRONT_END


def test_a_liar_who_is_never_asked_is_told_so():
    liar = Byzantine("r2", Corrupt(), at=0.0)
    assert refusal(exercises.break_with_one_replica, [liar]) == exercises.NEVER_ASKED
    assert refusal(exercises.break_with_one_replica, [Crash("r2", at=0.0)]) == exercises.IT_HOLDS


@pytest.mark.parametrize("answer", [None, 3, "crash r1", [], [Crash], {"r1": 1.0}, Crash("r1", at=1.0)])
def test_what_is_no_list_of_faults_or_no_agreement_is_said(answer):
    assert refusal(exercises.break_with_one_replica, answer) == exercises.NOT_A_LIST
    assert refusal(exercises.break_three_generals, answer).startswith(
        "The answer is what oral_messages(3, …)"
    )
