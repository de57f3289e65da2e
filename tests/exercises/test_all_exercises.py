"""Every exercise and every prediction of every notebook, found by looking: what it promises, it keeps."""

import ast
import datetime
import decimal
import importlib
import math
import re
import types

import numpy as np
import pandas as pd
import pytest

from dscourse.exercises import ChoicePrediction, Exercise, FunctionExercise, NodeExercise, Prediction
from dscourse.exercises._learner_code import run_answer
from dscourse.exercises._modules import _names, contents, notebook_modules

MODULES = [importlib.import_module(f"dscourse.exercises.{name}") for name in notebook_modules()]


def every(kind):
    things = [thing for module in MODULES for thing in vars(module).values() if isinstance(thing, kind)]
    return pytest.mark.parametrize(kind.__name__.lower(), things, ids=lambda thing: thing.name)


each_exercise, each_prediction = every(Exercise), every(Prediction)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_progress_counts_what_is_there_without_importing_it(module):
    name = module.__name__.rpartition(".")[2]
    for kind, counted in ((Exercise, contents(name).exercises), (Prediction, contents(name).predictions)):
        found = {variable: thing for variable, thing in vars(module).items() if isinstance(thing, kind)}
        assert [f"{name}.{variable}" for variable in found] == [thing.name for thing in found.values()]
        assert list(counted) == [thing.name for thing in found.values()]


def test_an_exercise_without_a_name_is_not_counted():
    code = "one = Exercise()\ntwo = Exercise(name)\nthree = Exercise(5)\nfour = NumberExercise('a.four', task=1)\n"
    assert _names(ast.parse(code), "Exercise") == ("a.four",)


def test_an_exercise_that_a_module_takes_in_from_nodes_is_counted():
    code = "from dscourse.exercises.nodes.start_here import greet_and_count\nfrom dscourse.simulation import Node\n"
    assert _names(ast.parse(code), "Exercise") == ("start_here.greet_and_count",)
    assert _names(ast.parse(code), "Prediction") == ()


@each_exercise
def test_the_solution_is_right_and_each_mistake_gets_its_own_words(exercise):
    feedback = exercise.judge(run_answer(exercise.solution_code))
    assert (feedback.status, feedback.message) == ("right", exercise.success)
    assert exercise.mistakes
    for mistake in exercise.mistakes:
        feedback = exercise.judge(run_answer(mistake.code))
        assert (feedback.status, feedback.message) == ("wrong", mistake.message), mistake.code


@each_exercise
def test_what_has_not_been_touched_is_not_attempted(exercise):
    for code in (
        "answer = ...",
        "answer = None",
        "answer = [1, ...]",
        "answer = {'nodes': ...}",
        "def answer(a, b):\n    ...",
        "def answer(a, b):\n    'Say what it does.'",
    ):
        assert exercise.judge(run_answer(code)).status == "not attempted", code


@each_exercise
def test_no_hint_is_a_solution(exercise):
    """What a hint shows as code, alone or in a list, solves nothing."""
    assert exercise.hints
    names = {}
    for room in ("simulation", "scaling", "partitioning", "fault_tolerance", "detection"):
        names |= vars(importlib.import_module(f"dscourse.{room}"))
    for hint in exercise.hints:
        for code in [hint, *re.findall(r"`([^`]+)`", hint)]:
            for form in (code, f"[{code}]", f"lambda members, availability: {code}"):
                try:
                    answer = eval(form, dict(names))
                except Exception:  # noqa: BLE001 - it is no code, or not all of it
                    continue
                assert not exercise.judge(answer), hint


# ── Odd answers ───────────────────────────────────────────────────────────────────────────────────────────────


class Unwritable:
    def __repr__(self):
        raise RuntimeError("no")


class Unequal:
    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("no")


class Uncountable:
    def __len__(self):
        raise RuntimeError("no")

    __bool__ = __iter__ = __len__


def endless():
    while True:
        yield 1


NOTHING_LIKE_IT = [
    True, np.True_, math.nan, math.inf, -math.inf, 10**400, 10**5000, np.timedelta64(3, "s"),
    np.datetime64("2026-01-01"),
    datetime.timedelta(3), 1j, np.complex128(1j), np.longdouble("1e4000"), decimal.Decimal(3), pd.NA, pd.Timedelta(1),
    "", "5", "<b>word</b>", "x" * 10**6, b"5", bytearray(b"5"),
    [], (), {}, set(), {1, 2}, frozenset(), {1: 2}, {"a": object()},
    [None], [[]], ["x"], (1, "x"), range(3), range(10**12), np.array([]), np.array(3), np.ones((2, 2)),
    np.array([1j, 2]),
    np.array([True]), np.array([None] * 10_000), np.full(10_000, math.nan),
    pd.Series([1, 2]), pd.DataFrame({"a": [1]}),
    endless(), iter([1]), object(), Unwritable(), Unequal(), Uncountable(), math, types.SimpleNamespace(a=1),
    [10**5000] * 1000, [10**400] * 10_000, [Unequal()] * 1000,
    [math.nan] * 10_000, [True] * 10_000, [0.001] * 9_999, np.full(10_000, 0.0005),
    {"machines": 10**5000}, {"machines": 7.5}, {"machines": True}, {"machines": [1]}, {"machines": 0}, {"lock": 1},
    {"machines": 10**9}, {"machines": 7, "lock": pd.NA}, {"machines": 7, "lock": "1"}, {"machines": 7, "lock": 10**9},
    {"heartbeat_interval": math.nan, "timeout": 1}, {"heartbeat_interval": "0.2", "timeout": 1},
    {"heartbeat_interval": 1},
    (5,), (5, 3, 1), (10**5000, 3), (math.inf, 3), (True, 2), (5.5, 3), ("5", "3"), {5, 3},
]  # fmt: skip
CALLED = [dict, object, int, len, max, Exercise, Unwritable, lambda: 1, lambda *given: given, lambda *given: "x",
          lambda *given: 1j, lambda *given: [], lambda *given: [None], lambda *given: {}, lambda *given: np.ones(3),
          lambda *given: True, lambda *given: pd.NA, lambda *given: math.nan, lambda *given: math.inf,
          lambda *given: 10**400, lambda *given: 10**5000, lambda *given: np.timedelta64(1, "s"),
          lambda *given: Unequal(),
          lambda *given: Unwritable(), lambda *given: (90, "c"), lambda *given: None if len(given) else 1,
          endless]  # fmt: skip
PYTHONS = (
    "Traceback",
    "Exceeds the limit",
    "unhashable",
    "ambiguous",
    "object has no",
    "convert",
    "NoneType",
)


def words(feedback):
    assert "<b>" not in feedback._repr_html_()
    assert not any(pythons in repr(feedback) for pythons in PYTHONS), feedback
    assert len(repr(feedback)) < 800
    return feedback.message


@each_exercise
def test_odd_answers_are_told_what_an_answer_is(exercise):
    """In one dialect, and whatever they are: no traceback, no "right", nothing that never ends."""
    for answer in NOTHING_LIKE_IT:
        feedback = exercise.judge(answer)
        assert feedback.status == "wrong", (type(answer), feedback)
        assert words(feedback).startswith(f"The answer is {exercise.expects}. Yours "), (
            type(answer),
            feedback,
        )


@each_exercise
def test_odd_functions_are_told_what_a_function_should_do(exercise):
    for answer in CALLED:
        feedback = exercise.judge(answer)
        if feedback.status == "not judged":  # called with other arguments than it takes, or by name
            assert "and trying it ended with" in feedback.message
            assert feedback.message.startswith(f"The answer is {exercise.expects}. Yours is ")
        else:  # a part of a node is called in a run, which it stops
            stops = ("wrong", "stopped") if isinstance(exercise, NodeExercise) else ("wrong",)
            assert feedback.status in stops, (answer, feedback)
            assert words(feedback)


@each_exercise
def test_a_function_that_raises_is_told_with_its_line_or_refused(exercise):
    failing = run_answer("def answer(*given):\n    raise RuntimeError('the trouble')")
    feedback = exercise.judge(failing)
    if feedback.status == "stopped":
        assert feedback.message.endswith("RuntimeError: the trouble (line 2 of your cell, in answer):")
        assert feedback.code == "raise RuntimeError('the trouble')"
    else:
        assert feedback.message == f"The answer is {exercise.expects}. Yours is a function."


@every(FunctionExercise)
def test_a_function_that_returns_something_else_is_told_what(functionexercise):
    for returned, shown in (
        (None, "None"),
        ((90, "c"), "(90, 'c')"),
        (np.timedelta64(1, "s"), "np.timedelta64(1,'s')"),
    ):
        message = functionexercise.judge(lambda *given, it=returned: [it][0]).message
        assert message.startswith(f"The answer is {functionexercise.expects}. Called with (")
        assert message.endswith(f"yours returned {shown}.")


# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────


@each_prediction
def test_a_prediction_gives_nothing_away_before_the_run(prediction):
    shown = " ".join(str(part) for part in prediction._repr_mimebundle_().values())
    state = str(prediction.widget().get_state())
    assert prediction.question in prediction.widget().question
    for expectation in prediction.expectations:
        assert expectation.explanation not in shown
        assert expectation.explanation not in state


@each_prediction
def test_everything_that_may_be_expected_is_explained_and_no_two_are_the_same(prediction):
    assert len(prediction.expectations) >= 2
    assert all(expectation.explanation for expectation in prediction.expectations)
    meanings = [meaning(expectation.text) for expectation in prediction.expectations]
    for place, one in enumerate(meanings):
        for other in meanings[:place]:
            assert one != other, prediction.expectations


WORDS = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10, "twentieth": 1 / 20,
    "hundredth": 1 / 100, "none": 0, "no": 0, "one": 1, "once": 1, "two": 2, "twice": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "ten": 10, "dozen": 12, "hundred": 100, "thousand": 1000, "all": 1, "always": 1, "never": 0,
}  # fmt: skip


def meaning(text):
    """Return what an option says: its numbers if it has any, else its words; "a fifth" and "20 %" are the same."""
    text = re.sub(r"(?<=\d) (?=\d{3})", "", text.lower().partition(":")[0])
    text = re.sub(r"(\d+(?:\.\d+)?) ?%", lambda found: str(float(found[1]) / 100), text)
    words = re.findall(r"\d+(?:\.\d+)?|[a-zà-ÿ]+", text)
    numbers = [round(float(WORDS.get(word.rstrip("s"), WORDS.get(word, word))), 6) for word in words
               if word[0].isdigit() or word in WORDS or word.rstrip("s") in WORDS]  # fmt: skip
    rest = [
        word
        for word in words
        if not word[0].isdigit() and word not in WORDS and word.rstrip("s") not in WORDS
    ]
    idle = {"a", "about", "of", "the", "it", "as", "nearly", "around", "roughly", "is", "are"}
    return (math.prod(numbers) if numbers else None), tuple(sorted(set(rest) - idle))


def test_the_same_number_in_other_words_is_noticed():
    assert meaning("about a fifth of the keys") == meaning("20 % of the keys")
    assert meaning("two fifths") == meaning("0.4") == meaning("40 %")
    assert meaning("about half as many") != meaning("about a fifth")


def test_the_right_option_stands_at_every_place_alike():
    """Over all of the course: as far from equal as chance would have it, and no further."""
    choices = [
        thing for module in MODULES for thing in vars(module).values() if isinstance(thing, ChoicePrediction)
    ]
    places = [
        next(place for place, option in enumerate(one.options.values()) if option is one.right)
        for one in choices
    ]
    expected = sum(1 / len(one.options) for one in choices)
    for place in range(3):
        assert 0.6 * expected < places.count(place) < 1.4 * expected


def test_names_are_unique():
    things = [
        thing.name
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, Exercise | Prediction)
    ]
    assert len(set(things)) == len(things)


# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_misconception_of_a_notebook_is_named_once_and_can_be_shown(module):
    name = module.__name__.rpartition(".")[2]
    listed = module.MISCONCEPTIONS
    assert 3 <= len(listed) <= 8
    assert len({one.name for one in listed}) == len({one.belief for one in listed}) == len(listed)
    assert all(one.name.startswith(f"{name}.") for one in listed)
    shown = set()
    for thing in vars(module).values():
        if isinstance(thing, Prediction):
            assert thing.expectations[0].misconception is None, (
                f"{thing.name}: the right one is no misconception"
            )
            shown |= {one.misconception for one in thing.expectations}
        if isinstance(thing, Exercise):
            shown |= {one.misconception for one in thing._known()}
            for one in thing._known():
                assert one.misconception is None or isinstance(one.message, str), "or it is never recognised"
    assert shown - {None} == set(listed)
