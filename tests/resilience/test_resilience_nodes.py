"""The nodes of notebook 11: who charges twice does so in a short run to play; odd answers are told what is wanted."""

import pytest

from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.nodes.resilience import ask_within_limits, charge_once, trip_the_breaker

CHARGES_TWICE = {
    "saves when the bank has charged": 1,
    "keeps what is paid in memory only": 1,
    "looks first and reserves later": 1,
    "captures whatever the bank authorises": 2,
}


@pytest.mark.parametrize("name", CHARGES_TWICE)
def test_it_charges_twice_in_a_run_to_play(name):
    (wrong,) = [wrong for wrong in charge_once.wrong_nodes if wrong.name == name]
    charge_once.judge(run_answer(wrong.code))
    run = charge_once.counterexample
    charges = [event.detail for event in run.trace.select(kind="record", name="charge")]
    paid = [(charge["client"], charge["key"]) for charge in charges]
    assert len(paid) > len(set(paid))
    assert len(run.faults) == CHARGES_TWICE[name]
    assert len(run.trace) < 80


def test_each_client_has_its_own_charge():
    run = charge_once.examination.scenario(run_answer(charge_once.solution_code)).run(4.6)
    charges = [tuple(event.detail.values()) for event in run.trace.select(kind="record", name="charge")]
    assert sorted(charges) == [("c0", "a", 30), ("c0", "b", 20), ("c1", "a", 30), ("c1", "c", 10)]
    assert {operation.value for operation in run.history()} == {"paid", 402, 422}


def test_a_payment_that_is_never_attempted_is_told_so():
    assert (
        charge_once.judge(run_answer(charge_once.stub.code.replace("charge_once = ", "answer = "))).status
        == "not attempted"
    )


@pytest.mark.parametrize(
    ("exercise", "code", "told"),
    [
        (trip_the_breaker, "answer = 5", "such as Breaker"),
        (
            trip_the_breaker,
            "class Breaker:\n    def allow(self, now): pass\nanswer = Breaker",
            "such as Breaker",
        ),
        (
            trip_the_breaker,
            "class Breaker:\n    def __init__(self, a): pass\n    def allow(self, now): pass\n"
            "    def record(self, now, ok, token): pass\nanswer = Breaker",
            "missing 1 required positional argument",
        ),
        (ask_within_limits, "def answer(): return 3", "such as Client"),
    ],
)
def test_what_is_no_breaker_and_no_client_is_told_what_is_wanted(exercise, code, told):
    feedback = exercise.judge(run_answer(code))
    assert feedback.status == "wrong"
    assert told in feedback.message


def test_a_breaker_that_never_ends_is_stopped():
    code = trip_the_breaker.solution_code.replace(
        "        self.results.append(ok)\n", "        while True:\n            pass\n"
    )
    feedback = trip_the_breaker.judge(run_answer(code))
    assert feedback.status == "stopped"
    assert "never ends" in feedback.message


def test_a_breaker_that_raises_is_told_where():
    code = trip_the_breaker.solution_code.replace(
        "        self.results.append(ok)\n", "        self.result.append(ok)\n"
    )
    feedback = trip_the_breaker.judge(run_answer(code))
    assert feedback.status == "stopped"
    assert "AttributeError" in feedback.message
    assert feedback.code == "self.result.append(ok)"
