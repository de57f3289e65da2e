"""An exercise judges an answer, whatever the answer is, and never shows a stack of ours."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dscourse.exercises import Exercise, Feedback, WrongExample, _learner_code
from dscourse.exercises._learner_code import kind_of, run_answer
from dscourse.simulation import Network, Scenario, topology

FORGOT = "Three is the number of hops; the question is about links."


def make(check=lambda answer: None if answer == 4 else FORGOT, **changed):
    settings = {
        "task": "How many `links` has a ring of four?",
        "check": check,
        "success": "Yes.",
        "hints": ("Draw it.", "Count the lines."),
        "solution": "answer = 2 + 2",
        "wrong_examples": (WrongExample("answer = 3", FORGOT),),
    }
    return Exercise("rings.links", **{**settings, **changed})


def test_right_wrong_and_untouched():
    exercise = make()
    assert repr(exercise.check(4)) == "✓ Solved. Yes."
    assert repr(exercise.check(3)) == f"✗ Not yet. {FORGOT}"
    assert repr(exercise.check()).startswith("○ Not attempted yet.")
    assert exercise.check(4)
    assert not exercise.check(3)
    assert not exercise.check()


@pytest.mark.parametrize(
    "answer",
    [..., None, [1, ...], (..., ...), {"a": ...}, lambda x: ..., lambda: None],
)
def test_what_a_learner_has_not_touched(answer):
    assert make().check(answer).status == "not attempted"


def test_an_empty_function_is_not_attempted_with_or_without_a_docstring():
    for code in (
        "def answer(a, b):\n    ...",
        "def answer(a, b):\n    'Say what it does.'",
        "def answer(a, b):\n    pass",
        "def answer(a, b):\n    '''Say.'''\n    return None",
    ):
        assert make(check=lambda answer: "called").judge(run_answer(code)).status == "not attempted"
    raising = run_answer("def answer():\n    raise NotImplementedError")
    assert make(check=lambda answer: answer()).judge(raising).status == "not attempted"


def test_a_function_with_a_body_is_attempted():
    for code in ("answer = lambda x: 0", "answer = lambda x: x", "def answer(x):\n    return ''"):
        assert make().judge(run_answer(code)).status == "wrong"


@pytest.mark.parametrize("stub", [0, "your answer", [1, 2], {"a": 1}, 1.5])
def test_an_unchanged_stub_is_not_attempted_but_a_changed_one_is(stub):
    assert make(stub=stub).check(type(stub)(stub)).status == "not attempted"
    assert make(stub=stub).check(7).status == "wrong"


def test_answers_that_cannot_be_compared_with_a_stub_are_still_judged():
    exercise = make(check=lambda answer: "no", stub=[1, 2])
    for answer in (np.zeros(3), pd.DataFrame({"a": [1]}), [np.zeros(2), np.zeros(2)]):
        assert exercise.check(answer).status == "wrong"


LEARNERS = """\
def helper(x):
    return 1 / x

def answer(x):
    return helper(x - 1)
"""


def test_an_error_in_the_learners_code_is_told_with_their_line():
    feedback = make(check=lambda answer: str(answer(1))).check(run_answer(LEARNERS))
    assert feedback.status == "stopped"
    assert feedback.message == "ZeroDivisionError: division by zero (line 2 of your cell, in helper):"
    assert feedback.code == "return 1 / x"
    assert "Traceback" not in repr(feedback)
    assert "dscourse" not in repr(feedback)


def test_an_error_deep_in_a_library_is_told_with_the_learners_line():
    answer = run_answer("import json\n\ndef answer():\n    return json.loads('{')")
    feedback = make(check=lambda answer: answer()).check(answer)
    assert feedback.status == "stopped"
    assert feedback.code == "return json.loads('{')"


@pytest.fixture
def _this_file_is_the_course(monkeypatch):
    """Count the checks in this file as code of the course, as those of an exercise module are."""
    library = _learner_code._is_library
    monkeypatch.setattr(
        _learner_code, "_is_library", lambda filename: filename == __file__ or library(filename)
    )


@pytest.mark.usefixtures("_this_file_is_the_course")
def test_an_error_that_the_course_wraps_is_followed_to_the_learners_line():
    def check(answer):
        try:
            answer(1)
        except ZeroDivisionError as error:
            raise RuntimeError("node n1 failed at 0.5 s") from error

    feedback = make(check=check).check(run_answer(LEARNERS))
    assert feedback.message == "RuntimeError: node n1 failed at 0.5 s (line 2 of your cell, in helper):"
    assert feedback.code == "return 1 / x"


@pytest.mark.usefixtures("_this_file_is_the_course")
def test_a_node_of_the_learners_that_fails_in_a_run_is_told_with_its_line():
    def check(answer):
        return str(Scenario(answer, Network(topology.ring(3))).run(1.0))

    node = """\
from dscourse.simulation import Node

class Mine(Node):
    def on_start(self, ctx):
        ctx.send("n7", 5)

answer = Mine
"""
    feedback = make(check=check).check(run_answer(node))
    assert feedback.status == "stopped"
    assert feedback.code == 'ctx.send("n7", 5)'
    assert "n0" in feedback.message


@pytest.mark.usefixtures("_this_file_is_the_course")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("four", "It is a text; what is expected is a number. What went wrong: TypeError: '>' not supported"),
        (lambda: 1, "It is a function; what is expected is a number."),
        ({"a": 4}, "It is a dictionary; what is expected is a number."),
    ],
)
def test_a_check_that_fails_on_an_unforeseen_answer_says_what_is_expected(answer, words):
    feedback = make(check=lambda answer: "too many" if answer > 4 else None).check(answer)
    assert feedback.status == "not judged"
    assert feedback.message.startswith(words)
    assert feedback.code == ""


@pytest.mark.usefixtures("_this_file_is_the_course")
def test_a_function_that_takes_other_arguments_is_told_so():
    exercise = make(
        check=lambda answer: answer(1, 2, 3), solution="answer = max", expects="a function of three numbers"
    )
    message = exercise.check(run_answer("answer = lambda x: x")).message
    assert "what is expected is a function of three numbers" in message
    assert "takes 1 positional argument but 3 were given" in message


def test_a_check_that_returns_neither_none_nor_a_text_judges_nothing():
    assert make(check=lambda answer: True).check(4).status == "not judged"


def test_a_learners_file_beside_the_course_is_not_taken_for_the_course():
    package = Path(_learner_code.__file__).parents[1]
    assert _learner_code._is_library(str(package / "scaling" / "usl.py"))
    assert not _learner_code._is_library(str(package.with_name("dscourse_of_mine.py")))


def test_recursion_without_end_and_exit_are_told_too():
    endless = run_answer("def answer(n):\n    return answer(n + 1)")
    feedback = make(check=lambda answer: answer(0)).check(endless)
    assert (feedback.status, feedback.code) == ("stopped", "return answer(n + 1)")
    leaving = run_answer("import sys\n\ndef answer():\n    sys.exit(3)")
    assert make(check=lambda answer: answer()).check(leaving).code == "sys.exit(3)"


def test_an_interrupted_check_says_where_it_was():
    looping = run_answer("def answer():\n    raise KeyboardInterrupt")  # as Kernel → Interrupt does
    feedback = make(check=lambda answer: answer()).check(looping)
    assert feedback.status == "stopped"
    assert "Does it ever end?" in feedback.message
    assert feedback.code == "raise KeyboardInterrupt"


def test_an_error_message_that_cannot_be_made_does_no_harm():
    code = (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\n\n"
        "def answer():\n    raise Odd"
    )
    feedback = make(check=lambda answer: answer()).check(run_answer(code))
    assert feedback.message.startswith("Odd (line 6 of your cell")


def test_html_from_outside_stays_text():
    nasty = "<script>alert(1)</script>"
    exercise = make(check=lambda answer: f"not {answer}", task=nasty, success=nasty, hints=(nasty,))
    for shown in (exercise, exercise.check(nasty), exercise.hint()):
        assert "<script>" not in shown._repr_html_()
        assert "&lt;script&gt;" in shown._repr_html_()
    raising = run_answer("def answer():\n    raise ValueError('<script>alert(2)</script>')")
    assert "<script>" not in make(check=lambda answer: answer()).check(raising)._repr_html_()


def test_dollar_signs_are_not_taken_for_mathematics():
    shown = make(check=lambda answer: "from $5 to $6").check(5)
    assert "<span>$</span>5 to <span>$</span>6" in shown._repr_html_()
    assert "from $5 to $6" in repr(shown)


def test_addresses_in_memory_are_left_out():
    message = make(check=lambda answer: f"Yours is {answer!r}.").check(object()).message
    assert message == "Yours is <object object>."


def test_a_message_without_end_is_cut():
    assert len(make(check=lambda answer: "x" * 10**6).check(5).message) < 2000


def test_one_more_hint_each_time_and_then_no_more():
    exercise = make()
    assert repr(exercise.hint()) == "Hint 1: Draw it.\n1 more: run this cell again."
    last = exercise.hint()
    assert last.given == ("Draw it.", "Count the lines.")
    assert "There are no more hints. `exercises.links.solution()`" in repr(last)
    assert exercise.hint() == last


def test_the_solution_is_shown_as_code():
    solution = make(solution='answer = """```"""').solution()
    assert repr(solution) == 'answer = """```"""'
    assert solution._repr_markdown_() == '````python\nanswer = """```"""\n````'


def test_its_own_cell_shows_the_task_and_the_doors():
    assert "How many `links` has a ring of four?" in repr(make())
    assert "exercises.links.check(answer)" in repr(make())
    assert "<code>links</code>" in make()._repr_html_()


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"check": "answer"}, TypeError, "check must be a function"),
        ({"task": " "}, ValueError, "task must be a text"),
        ({"hints": ("",)}, ValueError, "each hint"),
        ({"solution": ""}, ValueError, "solution"),
        ({"hints": "Draw it."}, TypeError, "hints must be a list or tuple, got 'Draw it.'"),
        ({"hints": None}, TypeError, "hints must be a list or tuple, got None"),
        ({"wrong_examples": 5}, TypeError, "wrong_examples must be a list or tuple, got 5"),
        ({"wrong_examples": ["answer = 3"]}, TypeError, "each of wrong_examples must be a WrongExample"),
        ({"expects": None}, TypeError, "expects must be a text, got None"),
        ({"task": 10**5000}, ValueError, "task must be a text that is not empty, got something of type int"),
    ],
)
def test_an_unfit_exercise_is_refused(changed, error, words):
    with pytest.raises(error, match=words):
        make(**changed)


def test_an_unfit_wrong_example_is_refused():
    with pytest.raises(ValueError, match="code must be a text"):
        WrongExample("", "m")
    with pytest.raises(ValueError, match="message must be a text"):
        WrongExample("answer = 3", None)


def test_an_unfit_feedback_is_refused():
    with pytest.raises(ValueError, match=r"status must be one of 'right', .*, got 'fine'"):
        Feedback("fine", "m")
    for texts in ((5,), ("m", None), ("m", "", ["n"])):
        with pytest.raises(TypeError, match=r"(message|code|notice) must be a text, got"):
            Feedback("right", *texts)


def test_a_name_without_its_module_is_refused():
    with pytest.raises(ValueError, match=r"scaling_metrics\.speedup"):
        Exercise("links", task="t", check=str, success="s", solution="answer = 1")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "a number"),
        (np.float64(3), "a number"),
        (np.float16(3), "a number"),
        (Fraction(1, 3), "a number"),
        (1j, "a complex number"),
        (np.complex128(1j), "a complex number"),
        (np.timedelta64(1, "s"), "a timedelta64"),
        (True, "True or False"),
        ("x", "a text"),
        ([], "a list"),
        (len, "a function"),
        (dict, "the class dict"),
        (np.zeros(2), "an array"),
        (pd.DataFrame(), "a table (DataFrame)"),
        (object(), "an object"),
    ],
)
def test_kinds_in_plain_words(value, words):
    assert kind_of(value) == words


def test_code_without_an_answer_is_refused():
    with pytest.raises(LookupError, match="answer"):
        run_answer("x = 1")


def test_errors_that_name_each_other_as_their_cause_are_not_followed_for_ever():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert _learner_code.learner_line(first) is None


def test_a_line_outside_of_any_function_is_told_without_one():
    feedback = make(check=lambda answer: answer()).check(lambda: 1 / 0)
    assert "of test_exercise.py):" in feedback.message
    assert "lambda" not in feedback.message


def test_a_solution_that_holds_fences_is_shown_within_a_longer_one():
    code = "answer = '''\n```\n````\n'''"
    shown = make(solution=code).solution()._repr_markdown_()
    assert shown == f"`````python\n{code}\n`````"


def test_an_answer_of_another_kind_than_the_stub_is_an_answer():
    assert make(stub=1).check(1).status == "not attempted"
    assert make(stub=1).check(True).status == "wrong"  # Python finds them equal
    assert make(stub=1).check(1.0).status == "wrong"


def test_an_error_that_was_put_in_the_place_of_another_is_not_followed():
    """`raise … from None` says that what came before is of no use to the reader."""
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        first = error
    assert _learner_code.learner_line(first).text.startswith("1 / 0")
    second = ValueError("in the words of the course")
    second.__context__ = first
    assert _learner_code.learner_line(second).text.startswith("1 / 0")
    second.__suppress_context__ = True
    assert _learner_code.learner_line(second) is None
