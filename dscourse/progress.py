"""What a learner has predicted, solved and ticked: one small file for each, in a folder of their home.

A file is replaced as a whole or not at all, so that notebooks which save at the same moment need no lock: they write
different files, and of two that save the same question the later one counts. The folder is `.dscourse-progress` in the
home, or the one that DSCOURSE_PROGRESS names (without its `.json`). Whatever is wrong with it, the lesson goes on:
what can't be saved is kept for this session, and said once; a damaged file counts as none.

Earlier versions kept everything in one file, `.dscourse-progress.json`. It is read once, when there is no folder yet,
and stays as it is. `export_progress` writes such a file, to be carried elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dscourse.arguments import shown

_VERSION = 1
_EXAMPLE = "dscourse-progress.json"
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
# By folder: what could not be saved, and why.
_unsaved: dict[Path | None, dict[str, Any]] = {}
_problems: dict[Path | None, str] = {}


@dataclass(frozen=True)
class Work:
    """What has been done on one exercise."""

    attempts: int = 0
    hints: int = 0
    solution_seen: bool = False
    solved: bool = False

    def merged(self, other: Work) -> Work:
        """Return the work of both: nothing that was reached in either is lost."""
        return Work(
            max(self.attempts, other.attempts),
            max(self.hints, other.hints),
            self.solution_seen or other.solution_seen,
            self.solved or other.solved,
        )


@dataclass(frozen=True)
class _Kind:
    """A kind of thing to remember: its word in a carried file, how one is read from JSON, and what becomes of two."""

    plural: str
    read: Callable[[Any], Any]
    merge: Callable[[Any, Any], Any]


def _prediction(entry: Any) -> Any:
    """Return a prediction: a text (an option, a node), a number, or numbers (a curve)."""
    numbers = entry if isinstance(entry, list) else [] if isinstance(entry, str) else [entry]
    if any(type(number) not in (int, float) or not math.isfinite(number) for number in numbers):
        raise TypeError("no prediction")
    return entry


def _work(entry: Any) -> dict[str, Any]:
    kinds = {"attempts": int, "hints": int, "solution_seen": bool, "solved": bool}
    if any(type(entry[key]) is not kind for key, kind in kinds.items()):
        raise TypeError("no work")
    if entry["attempts"] < 0 or entry["hints"] < 0:
        raise ValueError("less than nothing")
    return {key: entry[key] for key in kinds}


def _ticked(entry: Any) -> bool:
    if entry is not True:
        raise TypeError("no tick")
    return True


def _counts(entry: Any) -> dict[str, int]:
    counts = {key: entry[key] for key in ("shown", "overcome")}
    if any(type(count) is not int or count < 0 for count in counts.values()):
        raise TypeError("no counts")
    return counts


def _first(mine: Any, _other: Any) -> Any:
    return mine


def _more(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return asdict(Work(**mine).merged(Work(**other)))


def _larger(mine: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: max(mine[key], other[key]) for key in mine}


_KINDS = {
    "prediction": _Kind("predictions", _prediction, _first),  # the first commitment counts
    "exercise": _Kind("exercises", _work, _more),
    "task": _Kind("tasks", _ticked, _first),
    "misconception": _Kind("misconceptions", _counts, _larger),
}


# ── To remember and to look up ────────────────────────────────────────────────────────────────────────────────────


def record_prediction(name: str, entry: Any) -> str:
    """Remember a prediction, the first one only; return what to know about the file, mostly nothing."""
    return _record("prediction", name, entry)


def record_exercise(
    name: str, *, attempts: int = 0, hints: int = 0, solution_seen: bool = False, solved: bool = False
) -> str:
    """Remember work on an exercise: so many attempts more, so many hints in all; return what to know about the file."""
    before = exercises_tried().get(name, Work())
    return _record("exercise", name, asdict(Work(before.attempts + attempts, hints, solution_seen, solved)))


def record_task(name: str) -> str:
    """Remember that a task, such as "split_brain.kill_the_leader", was done; return what to know about the file.

    Raises:
        ValueError: if the name has another form.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f'name must be like "split_brain.kill_the_leader", got {shown(name)}')
    return _record("task", name, True)


def record_misconception(name: str, *, overcome: bool) -> str:
    """Remember that an answer showed a misconception, or has overcome it; return what to know about the file."""
    shown = _all("misconception").get(name, {"shown": 0})["shown"]
    return _record("misconception", name, {"shown": shown + (not overcome), "overcome": shown * overcome})


def misconceptions_shown() -> dict[str, bool]:
    """Return, by name, the misconceptions that an answer has shown, and whether each was overcome since."""
    return {name: entry["overcome"] >= entry["shown"] for name, entry in _all("misconception").items()}


def predictions_made() -> dict[str, Any]:
    """Return what was committed to (an option, a number, a curve, a node), by the name of the prediction."""
    return _all("prediction")


def exercises_tried() -> dict[str, Work]:
    """Return what was done, by the name of the exercise."""
    return {name: Work(**entry) for name, entry in _all("exercise").items()}


def tasks_done() -> tuple[str, ...]:
    """Return the names of the tasks that were done, in order."""
    return tuple(sorted(_all("task")))


def problem() -> str:
    """Return why progress is kept for this session only; mostly nothing."""
    return _problems.get(_folder(), "")


# ── To carry elsewhere ────────────────────────────────────────────────────────────────────────────────────────────


def export_progress(path: str | Path) -> None:
    """Save your progress in one file that you can keep and bring back with `import_progress`.

    An earlier export at that place is added to, so that nothing in it is lost.

    Raises:
        TypeError: if `path` is no text or Path.
        FileExistsError: if something else than saved progress is there.
        OSError: if it is a folder, or the file can't be written; nothing there is changed then.
    """
    target = _file(path)
    entries = {kind: _all(kind) for kind in _KINDS}
    if target.exists():
        try:
            saved = _carried(target)
        except ValueError as error:
            raise FileExistsError(f"{path} is there already, and {error}; choose another name") from None
        entries = {kind: _both(kind, entries[kind], saved[kind]) for kind in _KINDS}
    content = {_KINDS[kind].plural: dict(sorted(named.items())) for kind, named in entries.items()}
    try:
        _replace(target, {"dscourse": "progress", "version": _VERSION, **content})
    except OSError as error:
        raise _refused(error, f"your progress can't be saved as {path}", "choose another place") from None


def import_progress(path: str | Path) -> str:
    """Add saved progress to yours, and return what to know about the place it is kept in. What you have stays.

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
        saved = _carried(source)
    except ValueError as error:
        raise ValueError(f"{path} can't be imported: {error}") from None
    notices = [_record(kind, name, entry) for kind in _KINDS for name, entry in saved[kind].items()]
    return next(filter(None, notices), "")


def exported(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return what a file that `export_progress` has written holds, by kind ("prediction", "exercise", …) and name.

    Raises:
        FileNotFoundError, OSError: if there is no such file, or it can't be read.
        ValueError: if it holds no progress of this course, or that of a newer version.
    """
    source = _file(path)
    if not source.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        return _carried(source)
    except ValueError as error:
        raise ValueError(f"{path} can't be read: {error}") from None


def _carried(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of a carried file by kind and name; ValueError if it holds none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(error, f"{path} can't be read", "see who may read it") from None
    except (ValueError, RecursionError):  # not even text, or no JSON
        content = None
    if not isinstance(content, dict) or content.get("dscourse") != "progress":
        raise ValueError("it is not a progress file of this course")
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= _VERSION:
        raise ValueError(f"it is in format {shown(version)}, and this version of the course knows {_VERSION}")
    found: dict[str, dict[str, Any]] = {}
    for word, kind in _KINDS.items():
        named = content.get(kind.plural, {})
        try:
            found[word] = {name: kind.read(entry) for name, entry in named.items() if _NAME.fullmatch(name)}
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"its {kind.plural} are damaged") from None
    return found


def _file(path: object) -> Path:
    """Return where progress is to be saved or read, or say why no file can be there."""
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be the name of a file, such as {_EXAMPLE!r}, got {shown(path)}")
    try:
        os.fsencode(path)
        file = Path(path).expanduser()
        if not str(path).strip() or "\0" in str(path):
            raise ValueError
        if file.is_dir():
            example = str(Path(path, _EXAMPLE))
            raise IsADirectoryError(f"{path} is a folder; name a file in it, such as {example!r}")
        if file.exists() and not file.is_file():  # to read from a device or a pipe may never end
            raise OSError(f"{path} is no ordinary file; choose another name")
    except ValueError:
        raise ValueError(
            f"path must be the name of a file, such as {_EXAMPLE!r}, got {shown(path)}"
        ) from None
    except RuntimeError:
        raise FileNotFoundError(f"{path} names a home folder that is not there") from None
    except OSError as error:
        if not error.errno:
            raise  # said above
        raise _refused(error, f"{path} can't be looked at", "choose another place") from None
    return file


def _refused(error: OSError, what: str, advice: str) -> OSError:
    """Return an error of the same kind in the learner's words: what failed, why, and what to do."""
    return type(error)(f"{what}: {error.strerror or error}; {advice}")


# ── The folder ────────────────────────────────────────────────────────────────────────────────────────────────────


def _folder() -> Path | None:
    """Return the folder of the progress, made from an earlier version's file if need be (None: there is no home)."""
    given = os.environ.get("DSCOURSE_PROGRESS", "").strip()
    try:
        named = Path(given).expanduser() if given else Path.home() / ".dscourse-progress.json"
    except RuntimeError:
        return None
    folder = named.with_suffix("") if named.suffix == ".json" else named
    with contextlib.suppress(ValueError, OSError):  # damaged, newer, or not to be read: it stays where it is
        if not named.is_file():
            return folder
        if folder == named:
            folder = named.with_name(f"{named.name}.d")
        if not folder.exists():
            _make_from(_carried(named), folder)
    return folder


def _make_from(saved: dict[str, dict[str, Any]], folder: Path) -> None:
    """Make the folder with all entries at once: another notebook sees all or nothing."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as beside:
        new = Path(beside, "entries")
        new.mkdir()
        for kind, named in saved.items():
            for name, entry in named.items():
                _replace(new / f"{kind}.{name}.json", entry)
        new.rename(folder)


def _record(kind: str, name: str, entry: Any) -> str:
    """Remember an entry beside what is remembered of the same name, and return what to know about the file."""
    known = _all(kind)
    folder = _folder()
    unsaved = _unsaved.setdefault(folder, {})
    unsaved[f"{kind}.{name}"] = _KINDS[kind].merge(known[name], entry) if name in known else entry
    try:
        if folder is None:
            raise FileNotFoundError(errno.ENOENT, "there is no home folder")
        for word, value in list(unsaved.items()):  # and what could not be saved before
            _replace(folder / f"{word}.json", value)
            del unsaved[word]
    except OSError as error:
        reason = error.strerror or error
        problem = f"Your progress is kept for this session only, since it can't be saved: {reason}."
        new, _problems[folder] = _problems.get(folder) != problem, problem
        return problem if new else ""
    _problems.pop(folder, None)
    return ""


def _all(kind: str) -> dict[str, Any]:
    """Return all that is remembered of a kind, by name."""
    found = {}
    folder = _folder()
    for path in sorted(folder.glob(f"{kind}.*.json")) if folder else ():
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):  # damaged: none
            name = path.name.removeprefix(f"{kind}.").removesuffix(".json")
            found[name] = _KINDS[kind].read(json.loads(path.read_text(encoding="utf-8")))
    for word, entry in _unsaved.get(folder, {}).items():
        if word.startswith(f"{kind}."):
            found[word.removeprefix(f"{kind}.")] = entry
    return found


def _both(kind: str, mine: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of both, by name."""
    merge = _KINDS[kind].merge
    return {
        **others,
        **{name: merge(one, others[name]) if name in others else one for name, one in mine.items()},
    }


def _replace(path: Path, content: Any) -> None:
    """Write a file as a whole or not at all.

    Raises:
        OSError: if it can't be written; an older file at that place is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(errno.ENOTDIR, f"{path.parent} is no folder") from None
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
