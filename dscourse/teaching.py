"""For those who teach: answer sheets, sheets to print, and a class's progress in one table, all on your own machine.

    python -m dscourse.teaching answers FOLDER      # solutions, right options, the words for each mistake
    python -m dscourse.teaching sheets FOLDER       # a page a notebook to predict on, by hand
    python -m dscourse.teaching progress FOLDER     # the progress files in a folder, in one table

A learner exports a progress file with `exercises.export_progress("my-name.json")`. Nothing of this is in a learner's
copy.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from dscourse import progress
from dscourse.exercises import ChoicePrediction, Exercise, NumberPrediction, Prediction
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._modules import NOTEBOOKS, contents, notebook_modules

__all__ = ["answer_sheet", "class_progress", "main", "misconceptions", "sheet_to_print"]


def answer_sheet(module: str) -> str:
    """Return, as Markdown, everything that a notebook asks, with its answers and what is said to wrong ones.

    Args:
        module: the notebook's name without its number, with underscores: ``"split_brain"``.

    Raises:
        LookupError: if there is no such notebook.
    """
    _loaded(module)
    lines = [f"# Answers · {_title(module)}", "", "## Predictions"]
    for prediction in _predictions(module):
        right, *others = prediction.expectations
        lines += ["", f"### `{_short(prediction.name)}`", "", prediction.question, ""]
        lines += [f"**{right.text}.** {right.explanation}", ""]
        lines += [f"- *{_expected(prediction, one)}*: {one.explanation}" for one in others]
    lines += ["", "## Exercises"]
    for exercise in _exercises(module):
        lines += ["", f"### `{_short(exercise.name)}`", "", exercise.task, ""]
        lines += [
            "```python",
            exercise.solution_code.strip(),
            "```",
            "",
            f"**Right:** {exercise.success}",
            "",
        ]
        lines += [f"- hint {number}: {hint}" for number, hint in enumerate(exercise.hints, 1)]
        lines += [f"- to a wrong answer: {message}" for message in _messages(exercise)]
    lines += ["", "## Misconceptions", ""]
    lines += [f"- **{one.belief}** {one.question} *{one.answer}*" for one in misconceptions(module)]
    return "\n".join(lines) + "\n"


def sheet_to_print(module: str) -> str:
    """Return, as Markdown, a sheet on which a learner predicts by hand: every question with its options, no answer.

    Raises:
        LookupError: if there is no such notebook.
    """
    _loaded(module)
    lines = [f"# {_title(module)}", "", "Name: ______________________", ""]
    for number, prediction in enumerate(_predictions(module), 1):
        lines += [f"**{number}.** {prediction.question}", ""]
        lines += [f"- ☐ {line}" for line in prediction._static()]
        lines += ["", "What the run showed: ______________________", ""]
    return "\n".join(lines)


def misconceptions(module: str) -> list[Misconception]:
    """Return the misconceptions that a notebook's questions can show, in the order in which they stand there.

    Raises:
        LookupError: if there is no such notebook.
    """
    held = (thing for thing in vars(_loaded(module)).values() if isinstance(thing, Misconception))
    return [one for one in held if one.module == module]


def class_progress(files: Iterable[str | Path]) -> pd.DataFrame:
    """Return what a class has done, one row for each question that anybody has answered.

    Args:
        files: progress files, as `exercises.export_progress` writes them, one a learner.

    Returns:
        A table with the columns ``notebook``, ``question``, ``kind`` (prediction, exercise, misconception),
        ``learners`` (who has answered, tried or shown it), ``right`` (predicted as the run shows, where options tell;
        solved; overcome), ``attempts`` (mean of those who tried), ``solutions_seen`` and ``most_said`` (the commonest
        wrong option, or the median of a number).

    Raises:
        FileNotFoundError, OSError: if a file can't be read.
        ValueError: if one holds no progress of this course.
    """
    learners = [progress.exported(file) for file in files]
    rows = []
    for module in notebook_modules():
        rows += [_prediction_row(module, one, learners) for one in _predictions(module)]
        rows += [_exercise_row(module, name, learners) for name in contents(module).exercises]
        rows += [_misconception_row(module, one, learners) for one in misconceptions(module)]
    columns = ["notebook", "question", "kind", "learners", "right", "attempts", "solutions_seen", "most_said"]
    return pd.DataFrame([row for row in rows if row["learners"]], columns=columns)


def _prediction_row(module: str, prediction: Prediction, learners: list[dict[str, Any]]) -> dict[str, Any]:
    made = [one["prediction"][prediction.name] for one in learners if prediction.name in one["prediction"]]
    row = _row(module, prediction.name, "prediction", len(made))
    if isinstance(prediction, ChoicePrediction):
        wrong = Counter(entry for entry in made if entry != prediction.right.text)
        row |= {
            "right": len(made) - wrong.total(),
            "most_said": next((text for text, _ in wrong.most_common(1)), ""),
        }
    elif isinstance(prediction, NumberPrediction) and made:
        row["most_said"] = f"median {pd.Series(made).median():.4g} {prediction.unit}".rstrip()
    return row


def _exercise_row(module: str, name: str, learners: list[dict[str, Any]]) -> dict[str, Any]:
    tried = [progress.Work(**one["exercise"][name]) for one in learners if name in one["exercise"]]
    attempts = [work.attempts for work in tried if work.attempts]
    return {
        **_row(module, name, "exercise", len(tried)),
        "right": sum(work.solved for work in tried),
        "attempts": round(sum(attempts) / len(attempts), 1) if attempts else None,
        "solutions_seen": sum(work.solution_seen for work in tried),
    }


def _misconception_row(module: str, one: Misconception, learners: list[dict[str, Any]]) -> dict[str, Any]:
    shown = [entry["misconception"][one.name] for entry in learners if one.name in entry["misconception"]]
    overcome = sum(counts["overcome"] >= counts["shown"] for counts in shown)
    return {**_row(module, one.name, "misconception", len(shown)), "right": overcome, "most_said": one.belief}


def _row(module: str, name: str, kind: str, learners: int) -> dict[str, Any]:
    start = {"notebook": _number(module), "question": name.rpartition(".")[2], "kind": kind}
    return {**start, "learners": learners, "right": None, "most_said": ""}


def _loaded(module: str) -> Any:
    if module not in notebook_modules():
        raise LookupError(f"there is no notebook {module!r}; there are {', '.join(notebook_modules())}")
    return importlib.import_module(f"dscourse.exercises.{module}")


def _predictions(module: str) -> list[Prediction]:
    """Return a notebook's predictions in the order in which they stand in its module."""
    return _named(module, Prediction, contents(module).predictions)


def _exercises(module: str) -> list[Exercise]:
    return _named(module, Exercise, contents(module).exercises)


def _named(module: str, kind: type[Prediction | Exercise], names: tuple[str, ...]) -> list[Any]:
    held = {thing.name: thing for thing in vars(_loaded(module)).values() if isinstance(thing, kind)}
    return [held[name] for name in names if name in held]


def _expected(prediction: Prediction, expectation: Any) -> str:
    """Return what may be expected in words; of a number, the number."""
    if isinstance(prediction, NumberPrediction):
        value = next(value for value, one in prediction.typical.items() if one is expectation)
        return f"{value:g} {prediction.unit}".rstrip()
    return str(expectation.text)


def _messages(exercise: Exercise) -> list[str]:
    return list(dict.fromkeys(mistake.message for mistake in exercise.mistakes))


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _number(module: str) -> str:
    return f"{NOTEBOOKS.index(module):02d}"


def _title(module: str) -> str:
    return f"{_number(module)} {module.replace('_', ' ').capitalize()}"


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dscourse.teaching", description="For those who teach.")
    parser.add_argument("what", choices=["answers", "sheets", "progress"])
    parser.add_argument("folder", type=Path, help="where to write, or where the progress files are")
    options = parser.parse_args(arguments)
    if options.what == "progress":
        files = sorted(options.folder.glob("*.json"))
        if not files:
            print(f"There is no progress file (….json) in {options.folder}.", file=sys.stderr)
            return 1
        try:
            table = class_progress(files)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{len(files)} learners")
        print(table.to_string(index=False, na_rep="", max_colwidth=60))
        return 0
    make = {"answers": answer_sheet, "sheets": sheet_to_print}[options.what]
    options.folder.mkdir(parents=True, exist_ok=True)
    for module in notebook_modules():
        path = options.folder / f"{_number(module)}-{module.replace('_', '-')}-{options.what}.md"
        path.write_text(make(module), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
