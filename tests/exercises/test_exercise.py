"""The kinds of exercise: how an answer is judged, and that no stack of ours is shown, whatever the answer does."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dscourse.exercises import (
    FunctionExercise,
    Misconception,
    Mistake,
    NumberExercise,
    Rule,
    TrialExercise,
    Unfit,
    _learner_code,
    start_here,
    told,
)
from dscourse.exercises._learner_code import kind_of, run_answer
from dscourse.progress import exercises_tried, misconceptions_shown
from dscourse.simulation import Network, Scenario, topology

TEXTS = {
    "task": "How many `links` has a ring of four?",
    "expects": "a number of links",
    "success": "Yes.",
    "hints": ("Draw it.", "Count the lines."),
}
FORGOT = "Three is the number of hops; the question is about links."


def number(**changed):
    settings = {
        "solution": "answer = 2 + 2",
        "mistakes": (Mistake("answer = 3", FORGOT),),
        "otherwise": "Not {answer}.",
    }
    return NumberExercise("rings.links", **{**TEXTS, **settings, **changed})


def function(**changed):
    settings = {
        "solution": "answer = lambda nodes: 2 * nodes",
        "cases": ((4,), (5,)),
        "mistakes": (
            Mistake("answer = lambda nodes: nodes", FORGOT),
            Mistake("answer = lambda nodes: 1 / 0", "No zero."),
        ),
        "otherwise": "{arguments}: {given} for {right}",
    }
    return FunctionExercise("rings.ends", **{**TEXTS, **settings, **changed})


def make(check=lambda answer: "" if answer == 4 else FORGOT, **changed):
    """Return an exercise whose check is a function of the answer that returns what is wrong."""

    def read(answer):
        return check(answer) or ""

    settings = {
        "solution": "answer = 2 + 2",
        "rules": (Rule(lambda wrong: wrong, bool, "answer = 3"),),
        "read": read,
    }
    return TrialExercise("rings.links", **{**TEXTS, **settings, **changed})


def test_right_wrong_and_untouched():
    exercise = number()
    assert repr(exercise.check(4)) == "✓ Solved. Yes."
    assert repr(exercise.check(3)) == f"✗ Not yet. {FORGOT}"
    assert repr(exercise.check(7)) == "✗ Not yet. Not 7."
    assert repr(exercise.check("4")) == "✗ Not yet. The answer is a number of links. Yours is '4'."
    assert repr(exercise.check()).startswith("○ Not attempted yet.")
    assert exercise.check(4)
    assert not exercise.check(3)
    assert not exercise.check()


def test_the_nearest_mistake_speaks():
    near = number(mistakes=(Mistake("answer = 3", "three"), Mistake("answer = 2.7", "less")), tolerance=0.08)
    assert [near.judge(answer).message for answer in (2.8, 2.9, 2.2)] == ["less", "three", "Not 2.2."]


def test_a_function_that_does_what_a_mistake_does_is_that_mistake_raising_included():
    assert function().judge(lambda nodes: nodes + nodes)
    assert function().judge(lambda nodes: nodes + 0.0).message == FORGOT
    assert function().judge(lambda nodes: nodes // 0).message == "No zero."
    assert function().judge(lambda nodes: 2 * nodes if nodes == 4 else 9).message == "(5): 9.0 for 10.0"
    assert function().judge(run_answer("answer = lambda nodes: {}[1]")).status == "stopped"


def test_a_function_may_spoil_what_it_is_given():
    exercise = function(
        cases=(([1, 2],), ([1, 2, 3],)),
        solution="answer = lambda row: row.pop()",
        mistakes=(Mistake("answer = lambda row: row[0]", "first"),),
    )
    for _ in range(2):
        assert exercise.judge(lambda row: row.pop())


def test_the_first_rule_that_is_broken_speaks():
    exercise = make(
        read=int,
        rules=(
            Rule("too few", lambda count: count < 4, "answer = 3"),
            Rule(lambda count: f"{count} is odd", lambda count: count % 2, "answer = 5", "answer = 7"),
        ),
    )
    assert [exercise.judge(answer).message for answer in (3, 5, 4)] == ["too few", "5 is odd", "Yes."]
    assert [mistake.message for mistake in exercise.mistakes] == ["too few", "5 is odd", "7 is odd"]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: number(mistakes=(Mistake("answer = 4.001", "m"),)), "which is right"),
        (
            lambda: number(mistakes=(Mistake("answer = 3", "m"), Mistake("answer = 6 / 2", "n"))),
            "as another mistake does",
        ),
        (lambda: number(accepts=(5, 6)), "does not accept its own solution"),
        (lambda: function(mistakes=(Mistake("answer = lambda n: n + n", "m"),)), "is right"),
        (
            lambda: function(mistakes=(Mistake("answer = float", "m"), Mistake("answer = int", "n"))),
            "another mistake",
        ),
        (lambda: make(rules=(Rule("m", bool),)), "without an answer that breaks it"),
        (
            lambda: make(rules=(Rule("m", bool, "answer = 1"), Rule("n", bool, "answer = 1"))),
            "one answer twice",
        ),
        (lambda: make(rules=(Rule("m", bool, "answer = 2 + 2"),)), "one answer twice"),
        (
            lambda: make(rules=(Rule("m", bool, "answer = 1"), Rule("m", bool, "answer = 2"))),
            "two rules that say the same",
        ),
    ],
)
def test_mistakes_that_can_not_be_told_apart_are_refused_when_the_exercise_is_made(build, words):
    with pytest.raises(ValueError, match=words):
        build()


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
    library = _learner_code.is_library
    monkeypatch.setattr(
        _learner_code, "is_library", lambda filename: filename == __file__ or library(filename)
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


LIAR = """\
from dataclasses import dataclass
from dscourse.simulation import Byzantine, register_behaviour

@register_behaviour
@dataclass(frozen=True)
class Mine:
    def rewrite(self, rng, to, message):
        return message.nonsense

answer = [Byzantine("n0", Mine(), at=1.0)]
"""


def test_a_liars_behaviour_of_the_learners_that_fails_in_a_run_is_told_with_its_line():
    assert start_here.two_leaders.judge(run_answer(LIAR)).code == "return message.nonsense"


@pytest.mark.usefixtures("_this_file_is_the_course")
def test_what_goes_wrong_without_a_line_of_the_learners_says_what_an_answer_is():
    feedback = function().check(lambda: 1)
    assert feedback.status == "not judged"
    assert feedback.message.startswith(
        "The answer is a number of links. Yours is a function, and trying it ended with TypeError:"
    )
    assert feedback.code == ""


def test_an_answer_that_can_not_be_tried_is_told_why():
    def read(answer):
        raise Unfit("it must be shorter")

    message = make(read=read).judge("x" * 1000).message
    assert message == "The answer is a number of links. Yours can't be tried: it must be shorter."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.5, "3.5"),
        ("x" * 1000, "a text"),
        (10**5000, "a number of thousands of digits"),
        (object(), "an object"),
        (pd.DataFrame({"a": [1]}), "a table (DataFrame)"),
        (np.zeros(3), "array([0., 0., 0.])"),
    ],
    ids=["short", "long", "huge", "object", "table", "array"],
)
def test_an_answer_is_shown_as_typed_or_by_its_kind(value, words):
    assert told(value) == words


def test_a_learners_file_beside_the_course_is_not_taken_for_the_course():
    package = Path(_learner_code.__file__).parents[1]
    assert _learner_code.is_library(str(package / "scaling" / "usl.py"))
    assert not _learner_code.is_library(str(package.with_name("dscourse_of_mine.py")))


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
    assert repr(solution) == 'links = """```"""'
    assert solution._repr_markdown_() == '````python\nlinks = """```"""\n````'


def test_its_own_cell_shows_the_task_and_the_doors():
    assert "How many `links` has a ring of four?" in repr(make())
    assert "exercises.links.check(links)" in repr(make())
    assert "<code>links</code>" in make()._repr_html_()


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
    assert shown == f"`````python\n{code.replace('answer', 'links')}\n`````"


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


# ── Its buttons, and the answer's own name ────────────────────────────────────────────────────────────────────────


class Shell:
    """A notebook that holds these names."""

    def __init__(self, **names):
        self.user_ns = names


@pytest.fixture
def notebook(monkeypatch):
    shell = Shell()
    monkeypatch.setattr(_learner_code, "get_ipython", lambda: shell)
    return shell.user_ns


def press(exercise, button):
    exercise.widget()._handle_custom_msg({"ask": button}, [])
    return exercise.widget().said


def test_a_button_judges_what_the_notebook_holds_under_the_exercises_own_name(notebook):
    exercise = number()
    notebook["links"] = 3
    assert press(exercise, "Check") == [["head", "✗ Not yet."], ["text", FORGOT]]
    notebook["links"] = 4
    assert press(exercise, "Check") == [["head", "✓ Solved."], ["text", "Yes."]]
    assert exercises_tried()["rings.links"].attempts == 2
    notebook["links"] = ...
    assert press(exercise, "Check")[0] == ["head", "○ Not attempted yet."]


def test_a_typo_in_the_name_judges_nothing_and_is_told(notebook):
    notebook["answer"] = 4  # of another exercise
    notebook["linkz"] = 4
    feedback = number().check()
    assert feedback.status == "not attempted"
    assert "Your notebook has no `links`." in feedback.message
    assert "There is `linkz`; did you mean that?" in feedback.message
    assert exercises_tried() == {}


def test_the_buttons_for_hints_and_solution():
    exercise = number()
    assert press(exercise, "Hint") == [["head", "Hints"], ["hint", "Draw it."], ["text", "1 more."]]
    assert press(exercise, "Hint")[1:] == [
        ["hint", "Draw it."],
        ["hint", "Count the lines."],
        ["text", "There are no more hints."],
    ]
    assert press(exercise, "Solution") == [["head", "One way to do it"], ["code", "links = 2 + 2"]]
    turns = exercise.widget().turn
    for message in ({"ask": "all"}, {"ask": ["Hint"]}, {}, None):
        exercise.widget()._handle_custom_msg(message, [])
    assert exercise.widget().turn == turns == 3


def test_neither_hint_nor_solution_is_in_the_page_before_it_is_asked_for():
    exercise = number()
    bundle = exercise._repr_mimebundle_()
    words = str(exercise.widget().get_state()) + bundle["text/plain"] + bundle["text/html"]
    assert "Draw it." not in words
    assert "2 + 2" not in words
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_task_names_the_answer_by_its_own_name():
    exercise = number(task="Give an answer: `try_it(answer)`.")
    assert exercise.widget().task == "Give an answer: `try_it(links)`."


def test_a_wrong_answer_shows_its_misconception_and_a_right_one_overcomes_it():
    hops = Misconception("rings.hops", "Hops are links.", "Are they?", "No.")
    exercise = number(mistakes=(Mistake("answer = 3", FORGOT, hops),))
    exercise.check(4)
    assert misconceptions_shown() == {}
    exercise.check(3)
    assert misconceptions_shown() == {"rings.hops": False}
    exercise.check(4)
    assert misconceptions_shown() == {"rings.hops": True}
    exercise.check(3)
    assert misconceptions_shown() == {"rings.hops": False}
    rule = Rule("too few", lambda count: count < 4, "answer = 3", misconception=hops)
    make(read=int, rules=(rule,)).check(4)
    assert misconceptions_shown() == {"rings.hops": True}
