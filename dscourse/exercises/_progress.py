"""How far the learner has come, as a table with bars; and the way to carry it to another machine."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass, replace
from pathlib import Path

from dscourse.arguments import shown
from dscourse.exercises import _store
from dscourse.exercises._modules import NOTEBOOKS, contents, notebook_modules
from dscourse.exercises._record import Record, Work

_BAR = 10
_EXAMPLE = "dscourse-progress.json"
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
    """The learner's progress, one row a notebook, and what is wrong with the progress file (mostly nothing)."""

    rows: tuple[Row, ...]
    problem: str = ""

    def __repr__(self) -> str:
        wide = max((len(row.notebook) for row in self.rows), default=0)
        lines = [
            f"{row.notebook:<{wide}}  predictions {_text_bar(row.predicted, row.predictions):<22}"
            f"exercises {_text_bar(row.solved, row.exercises)}{_underway(row)}"
            for row in self.rows
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
        problem = f"<p>{html.escape(self.problem)}</p>" if self.problem else ""
        return f"<table><caption>Your progress</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{problem}"


def progress() -> Progress:
    """Show which predictions you have made and which exercises you have solved, notebook by notebook."""
    record, problem = _store.load()
    return Progress(tuple(_row(name, record) for name in notebook_modules()), problem)


def export_progress(path: str | Path) -> Progress:
    """Save your progress in a file that you can keep and bring back with `import_progress`.

    An earlier export at that place is added to, so that nothing in it is lost.

    Raises:
        TypeError: if `path` is no text or Path.
        FileExistsError: if something else than saved progress is there.
        OSError: if it is a folder, or the file can't be written; nothing there is changed then.
    """
    target = _file(path)
    record, problem = _store.load()
    if target.exists():
        try:
            record = record.merged(_saved(target))
        except ValueError as error:
            raise FileExistsError(f"{path} is there already, and {error}; choose another name") from None
    try:
        _store.write(target, record)
    except OSError as error:
        raise _refused(error, f"your progress can't be saved as {path}", "choose another place") from None
    return _progress_after(problem)


def import_progress(path: str | Path) -> Progress:
    """Add saved progress to yours. What you have reached already stays.

    Raises:
        TypeError: if `path` is no text or Path.
        FileNotFoundError: if there is no such file.
        OSError: if it is a folder, or the file can't be read.
        ValueError: if the file holds no progress of this course, or that of a newer version.
    """
    source = _file(path)
    if not source.exists():
        raise FileNotFoundError(f"there is no file {path}; upload it beside this notebook first")
    try:
        saved = _saved(source)
    except ValueError as error:
        raise ValueError(f"{path} can't be imported: {error}") from None

    def change(record: Record) -> None:
        both = record.merged(saved)
        record.predictions, record.exercises = both.predictions, both.exercises

    return _progress_after(_store.update(change))


def _progress_after(problem: str) -> Progress:
    """Return the progress with what went wrong before: a broken file that was set aside is found no second time."""
    after = progress()
    return replace(after, problem=problem or after.problem)


def _file(path: object) -> Path:
    """Return where progress is to be saved or read, or say why no file can be there."""
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be the name of a file, such as {_EXAMPLE!r}, got {shown(path)}")
    if not str(path).strip() or "\0" in str(path) or not _is_encodable(str(path)):
        raise ValueError(f"path must be the name of a file, such as {_EXAMPLE!r}, got {shown(path)}")
    try:
        file = Path(path).expanduser()
        if file.is_dir():
            raise IsADirectoryError(
                f"{path} is a folder; name a file in it, such as {str(Path(path, _EXAMPLE))!r}"
            )
        if file.exists() and not file.is_file():
            raise OSError(f"{path} is no ordinary file; choose another name")
    except RuntimeError:
        raise FileNotFoundError(
            f"{path} names a home folder that is not there; write the path in full"
        ) from None
    except OSError as error:
        if not error.errno:
            raise  # said above
        raise _refused(error, f"{path} can't be looked at", "choose another place") from None
    return file


def _saved(path: Path) -> Record:
    try:
        return Record.from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is not a progress file of this course") from None
    except OSError as error:
        raise _refused(error, f"{path} can't be read", "see who may read it") from None


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def _refused(error: OSError, what: str, advice: str) -> OSError:
    """Return an error of the same kind in the learner's words: what failed, why, and what to do."""
    return type(error)(f"{what}: {error.strerror or error}; {advice}")


def _row(name: str, record: Record) -> Row:
    number = f"{NOTEBOOKS.index(name):02d} " if name in NOTEBOOKS else ""
    title = f"{number}{name.replace('_', ' ').capitalize()}"
    asked = contents(name)
    works = [record.exercises.get(exercise, Work()) for exercise in asked.exercises]
    return Row(
        title,
        predicted=sum(prediction in record.predictions for prediction in asked.predictions),
        predictions=len(asked.predictions),
        solved=sum(work.solved for work in works),
        tried=sum(work.attempts > 0 and not work.solved for work in works),
        exercises=len(works),
    )


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
