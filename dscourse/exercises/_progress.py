"""How far the learner has come, as a table with bars, and what to look at again; the way to carry it elsewhere."""

from __future__ import annotations

import html
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dscourse import progress as remembered
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._modules import NOTEBOOKS, contents, notebook_modules
from dscourse.exercises._prose import plain, rich
from dscourse.exercises._review import Review
from dscourse.progress import Work

_BAR = 10
_DOOR = "`exercises.progress().question` asks it."
_LEFT = "style='text-align:left'"


@dataclass(frozen=True)
class Row:
    """What has been done of one notebook."""

    notebook: str
    predicted: int
    predictions: int
    solved: int
    tried: int
    exercises: int


@dataclass(frozen=True)
class Progress:
    """The learner's progress.

    Attributes:
        rows: one a notebook.
        problem: why it can't be saved (mostly nothing).
        again: the misconceptions that an answer has shown and none has overcome, in order of the notebooks.
    """

    rows: tuple[Row, ...]
    problem: str = ""
    again: tuple[Misconception, ...] = ()

    @property
    def question(self) -> Review | None:
        """One question on what to look at again first; None if there is nothing."""
        return Review(self.again[0]) if self.again else None

    def __repr__(self) -> str:
        wide = max((len(row.notebook) for row in self.rows), default=0)
        lines = [
            f"{row.notebook:<{wide}}  predictions {_text_bar(row.predicted, row.predictions):<22}"
            f"exercises {_text_bar(row.solved, row.exercises)}{_underway(row)}"
            for row in self.rows
        ]
        if self.again:
            beliefs = [plain(f"  {_title(one.module)}: {one.belief}", "    ") for one in self.again]
            lines += [
                "To look at again, for it is not so:",
                *beliefs,
                plain(f"A question on the first. {_DOOR}"),
            ]
        return "\n".join(["Your progress", *lines, *([self.problem] if self.problem else [])])

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th scope='col' {_LEFT}>{word}</th>" for word in ("Notebook", "Predictions", "Exercises")
        )
        rows = "".join(
            f"<tr><th scope='row' {_LEFT}>{html.escape(row.notebook)}</th>"
            f"<td {_LEFT}>{_html_bar(row.predicted, row.predictions)}</td>"
            f"<td {_LEFT}>{_html_bar(row.solved, row.exercises)}{_underway(row)}</td></tr>"
            for row in self.rows
        )
        again = ""
        if self.again:
            items = "".join(
                f"<li>{_title(one.module)}: <em>{rich(one.belief)}</em></li>" for one in self.again
            )
            again = f"<p>To look at again, for it is not so:</p><ul>{items}</ul><p>A question on the first. {rich(_DOOR)}</p>"
        problem = f"<p>{html.escape(self.problem)}</p>" if self.problem else ""
        return f"<table><caption>Your progress</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{again}{problem}"


def progress() -> Progress:
    """Show which predictions you have made and which exercises you have solved, notebook by notebook."""
    made, tried = remembered.predictions_made(), remembered.exercises_tried()
    rows = tuple(_row(name, made, tried) for name in notebook_modules())
    return Progress(rows, remembered.problem(), _to_look_at_again())


def _to_look_at_again() -> tuple[Misconception, ...]:
    """Return the misconceptions that were shown and not overcome; their modules alone are imported."""
    open_ = {name for name, overcome in remembered.misconceptions_shown().items() if not overcome}
    modules = [name for name in notebook_modules() if any(one.startswith(f"{name}.") for one in open_)]
    named = [
        one
        for name in modules
        for one in getattr(importlib.import_module(f"dscourse.exercises.{name}"), "MISCONCEPTIONS", ())
    ]
    return tuple(one for one in named if one.name in open_)


def export_progress(path: str | Path) -> Progress:
    """Save your progress in one file: `dscourse.progress.export_progress` says what is raised. Show it."""
    remembered.export_progress(path)
    return progress()


def import_progress(path: str | Path) -> Progress:
    """Add saved progress to yours: `dscourse.progress.import_progress` says what is raised. Show what you have then."""
    remembered.import_progress(path)
    return progress()


def _row(name: str, made: Mapping[str, str], tried: Mapping[str, Work]) -> Row:
    title = _title(name)
    asked = contents(name)
    works = [tried.get(exercise, Work()) for exercise in asked.exercises]
    return Row(
        title,
        predicted=sum(prediction in made for prediction in asked.predictions),
        predictions=len(asked.predictions),
        solved=sum(work.solved for work in works),
        tried=sum(work.attempts > 0 and not work.solved for work in works),
        exercises=len(works),
    )


def _title(name: str) -> str:
    number = f"{NOTEBOOKS.index(name):02d} " if name in NOTEBOOKS else ""
    return f"{number}{name.replace('_', ' ').capitalize()}"


def _underway(row: Row) -> str:
    return f", {row.tried} under way" if row.tried else ""


def _text_bar(done: int, of: int) -> str:
    if not of:
        return "none here"
    full = done * _BAR // of
    return f"{'█' * full}{'░' * (_BAR - full)} {done} of {of}"


def _html_bar(done: int, of: int) -> str:
    if not of:
        return "none here"
    box = "display:inline-block;height:0.8em;vertical-align:middle;"
    inner = f"<span style='{box}width:{100 * done // of}%;background:currentColor'></span>"
    frame = f"{box}width:8em;border:1px solid currentColor;margin-right:0.6em;line-height:0"
    return f"<span style='{frame}' aria-hidden='true'>{inner}</span>{done} of {of}"
