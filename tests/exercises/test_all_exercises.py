"""Every exercise and every prediction of every notebook, found by looking: what it promises, it keeps."""

import ast
import importlib
from pathlib import Path

import pytest

from dscourse.exercises import Exercise, Prediction
from dscourse.exercises._learner_code import run_answer
from dscourse.exercises._modules import _names, contents, notebook_modules

ROOT = Path(importlib.import_module("dscourse").__file__).parent / "exercises"


def _importable():
    for name in notebook_modules():
        try:
            yield importlib.import_module(f"dscourse.exercises.{name}")
        except Exception:  # noqa: BLE001 - test_it_can_be_imported tells which and why
            continue


def _all(kind):
    return [thing for module in MODULES for thing in vars(module).values() if isinstance(thing, kind)]


MODULES = list(_importable())
EXERCISES = _all(Exercise)
PREDICTIONS = _all(Prediction)


def _named(thing):
    return thing.name


@pytest.mark.parametrize("name", notebook_modules())
def test_it_can_be_imported(name):
    importlib.import_module(f"dscourse.exercises.{name}")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_names_start_with_the_module_and_end_with_the_variable(module):
    for variable, thing in vars(module).items():
        if isinstance(thing, Exercise | Prediction):
            assert thing.name == f"{module.__name__.rpartition('.')[2]}.{variable}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_progress_counts_what_is_there_without_importing_it(module):
    found = contents(module.__name__.rpartition(".")[2])
    things = vars(module).values()
    assert list(found.exercises) == [thing.name for thing in things if isinstance(thing, Exercise)]
    assert list(found.predictions) == [thing.name for thing in things if isinstance(thing, Prediction)]


def test_names_are_unique():
    names = [thing.name for thing in EXERCISES + PREDICTIONS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("exercise", EXERCISES, ids=_named)
def test_the_solution_is_right(exercise):
    feedback = exercise.judge(run_answer(exercise.solution_code))
    assert feedback.status == "right", feedback
    assert feedback.message == exercise.success


@pytest.mark.parametrize(
    ("exercise", "example"),
    [(exercise, example) for exercise in EXERCISES for example in exercise.wrong_examples],
    ids=lambda thing: getattr(thing, "name", "-"),
)
def test_a_typical_mistake_gets_its_own_words(exercise, example):
    feedback = exercise.judge(run_answer(example.code))
    assert (feedback.status, feedback.message) == ("wrong", example.message)


@pytest.mark.parametrize("exercise", EXERCISES, ids=_named)
def test_an_untouched_stub_is_not_attempted(exercise):
    for untouched in (exercise.stub, ..., None):
        assert exercise.judge(untouched).status == "not attempted"


@pytest.mark.parametrize("exercise", EXERCISES, ids=_named)
def test_it_offers_a_mistake_and_a_hint(exercise):
    assert exercise.wrong_examples
    assert exercise.hints


@pytest.mark.parametrize("exercise", EXERCISES, ids=_named)
def test_an_answer_of_the_wrong_kind_is_neither_right_nor_a_stack_of_ours(exercise):
    for answer in ("<b>word</b>", object(), [], {}, (1, "x"), {"a": object()}, -1e300, float("nan"), 10**400):
        feedback = exercise.judge(answer)
        assert feedback.status in ("wrong", "not judged", "stopped"), (answer, feedback)
        assert "<b>" not in feedback._repr_html_()


def failing(*_arguments, **_named_arguments):
    raise RuntimeError("the learner's own trouble")


@pytest.mark.parametrize("exercise", EXERCISES, ids=_named)
def test_a_function_that_raises_is_told_with_its_line_or_refused(exercise):
    feedback = exercise.judge(failing)
    assert feedback.status in ("stopped", "wrong", "not judged")
    if feedback.status == "stopped":
        assert feedback.code == 'raise RuntimeError("the learner\'s own trouble")'
    assert "Traceback" not in repr(feedback)


@pytest.mark.parametrize("name", notebook_modules())
def test_messages_of_wrong_examples_are_written_down_not_computed(name):
    """A message that the check itself computes would agree with the check, whatever it says."""
    tree = ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "WrongExample":
            message = call.args[1] if len(call.args) > 1 else call.keywords[-1].value
            parts = list(ast.walk(message))
            parts += [
                part
                for use in parts
                if isinstance(use, ast.Name) and use.id in constants
                for part in ast.walk(constants[use.id])
            ]
            computed = [ast.unparse(part) for part in parts if isinstance(part, ast.Call)]
            assert not computed, f"the message of {ast.unparse(call.args[0])} is computed by {computed}"


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=_named)
def test_a_prediction_gives_nothing_away_before_it_is_made(prediction):
    shown = " ".join(str(part) for part in prediction._repr_mimebundle_().values())
    state = str(prediction.widget().get_state())
    assert prediction.question in prediction.widget().question
    for option in prediction.options.values():
        assert option.explanation not in shown
        assert option.explanation not in state


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=_named)
def test_every_option_of_a_prediction_is_explained_and_one_is_right(prediction: Prediction):
    assert len(prediction.options) >= 2
    assert prediction.right in prediction.options
    texts = [option.text for option in prediction.options.values()]
    assert len(set(texts)) == len(texts)
    for key, option in prediction.options.items():
        assert prediction.choose(key).explanation == option.explanation


def test_an_exercise_without_a_name_is_not_counted():
    code = "one = Exercise()\ntwo = Exercise(name)\nthree = Exercise(5)\nfour = Exercise('a.four', task=1)\n"
    assert _names(ast.parse(code), "Exercise") == ("a.four",)
