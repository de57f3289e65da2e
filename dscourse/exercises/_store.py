"""The progress file: one small JSON file in the learner's home, or where DSCOURSE_PROGRESS says.

Whatever is wrong with it, the lesson goes on: what can't be saved is kept for this session, and said once.
Two notebooks may write at the same time: each reads the file again, adds what is new and replaces it as a whole, and
holds a lock meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from dscourse.exercises._file_lock import locked
from dscourse.exercises._record import NewerVersionError, Record

_unsaved: dict[str, Record] = {}
_told: set[str] = set()


def load() -> tuple[Record, str]:
    """Return what is remembered, and what is wrong with the progress file ("" if nothing)."""
    with _locked_file():
        record, problem, _ = _current()
    return record, problem


def update(change: Callable[[Record], None]) -> str:
    """Change what is remembered, and return what the learner should know about the file: mostly nothing."""
    with contextlib.suppress(OSError):  # whatever is wrong with that folder is said below
        _path().parent.mkdir(parents=True, exist_ok=True)
    with _locked_file():
        record, problem, path = _current()
        change(record)
        try:
            if path is not None:
                write(path, record)
                _unsaved.pop(_key(), None)
            else:
                _unsaved[_key()] = record
        except OSError as error:
            _unsaved[_key()] = record
            problem = problem or _unsaved_because(error)
    return once(problem)


def write(path: Path, record: Record) -> None:
    """Write a record as a whole or not at all.

    Raises:
        OSError: if it can't be written; an older file at that place is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(errno.ENOTDIR, f"{path.parent} is no folder") from None
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(record.to_json())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _locked_file() -> contextlib.AbstractContextManager[object]:
    """Hold the lock of the progress file, if there is one that can be locked."""
    try:
        return locked(_path())
    except OSError:
        return contextlib.nullcontext()


def _key() -> str:
    return os.environ.get("DSCOURSE_PROGRESS", "").strip()


def _path() -> Path:
    try:
        path = Path(_key()).expanduser() if _key() else Path.home() / ".dscourse-progress.json"
        return path.resolve()  # so that a link to a file elsewhere stays a link
    except RuntimeError as error:  # no home folder, or a link to itself
        raise FileNotFoundError(str(error)) from error


def _current() -> tuple[Record, str, Path | None]:
    """Return what is remembered, what is wrong with the file, and where to write (None: nowhere)."""
    unsaved = _unsaved.get(_key(), Record())
    try:
        path = _path()
        record, problem = _read(path)
    except (OSError, NewerVersionError) as error:
        return Record().merged(unsaved), _unsaved_because(error), None
    return record.merged(unsaved), problem, path


def _read(path: Path) -> tuple[Record, str]:
    if path.exists() and not path.is_file():  # to read from a device or a pipe may never end
        raise OSError(f"{path} is no ordinary file")
    try:
        return Record.from_json(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return Record(), ""
    except NewerVersionError:
        raise
    except ValueError as error:  # broken, or not even text
        reason = "it is not text" if isinstance(error, UnicodeDecodeError) else error
        aside = _set_aside(path)
        return (
            Record(),
            f"Your progress file could not be read: {reason}. It is kept as {aside}; a new one begins.",
        )


def _set_aside(path: Path) -> str:
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    path.replace(aside)
    return aside.name


def _unsaved_because(error: Exception) -> str:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return f"Your progress is kept for this session only, since its file can't be used: {reason}."


def once(problem: str) -> str:
    """Return what is wrong with the file if the learner hasn't been told in this session, else ""."""
    if not problem or problem in _told:
        return ""
    _told.add(problem)
    return problem
