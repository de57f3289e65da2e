"""The learner's own code: whether it has been touched, and where it went wrong."""

from __future__ import annotations

import difflib
import dis
import functools
import linecache
import os
import site
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import FunctionType
from typing import Any

from IPython.core.getipython import get_ipython

from dscourse.arguments import shown

_LONGEST = 100
_PACKAGE = str(Path(__file__).resolve().parents[1])
_DOES_NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "COPY_FREE_VARS"}


@dataclass(frozen=True)
class Line:
    """A line of the learner's code: where it is, and what stands there."""

    place: str
    text: str


def is_untouched(answer: object) -> bool:
    """Return whether an answer is still what the notebook put there: `...`, None, an empty function, or a `...` within."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, FunctionType):
        return _does_nothing(answer)
    if type(answer) in (tuple, list, dict):
        parts = answer.values() if isinstance(answer, dict) else answer
        return any(part is ... for part in parts)  # type: ignore[attr-defined]
    return False


def _does_nothing(function: FunctionType) -> bool:
    steps = list(dis.get_instructions(function))
    constants = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in _DOES_NOTHING for step in steps) and all(
        value is None or value is ... for value in constants
    )


def learner_line(error: BaseException) -> Line | None:
    """Return the learner's line at which an error arose, or None if no code of theirs took part.

    An error that the course raised on account of another one (a node's handler that failed) is followed to its cause.
    """
    for link in _chain(error):
        frames = [frame for frame, _ in traceback.walk_tb(link.__traceback__)]
        numbers = [number for _, number in traceback.walk_tb(link.__traceback__)]
        for frame, number in zip(reversed(frames), reversed(numbers), strict=True):
            filename = frame.f_code.co_filename
            text = linecache.getline(filename, number, frame.f_globals).strip()
            if text and not is_library(filename):
                return Line(_place(filename, number, frame.f_code.co_name), text)
    return None


def described(error: BaseException) -> str:
    """Return an error's kind and message, even if its message can't be had."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a learner's exception class may itself be at fault
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def kind_of(value: object) -> str:
    """Return in plain words what kind of thing a value is."""
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value):
        return "a function"
    name = type(value).__name__
    if isinstance(value, Real) and name != "timedelta64":
        return "a number"
    words = {
        "complex": "a complex number",
        "complex128": "a complex number",
        "str": "a text",
        "dict": "a dictionary",
        "ndarray": "an array",
        "DataFrame": "a table (DataFrame)",
        "NoneType": "nothing (None)",
    }
    return words.get(name, f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}")


def told(value: object) -> str:
    """Return a value as it would be typed, or what kind of thing it is where that is long or tells nobody anything."""
    words = shown(value)
    if isinstance(value, int) and words.startswith("something"):
        return "a number of thousands of digits"
    unreadable = len(words) > _LONGEST or "\n" in words or " at 0x" in words or words.startswith("something")
    return kind_of(value) if unreadable else words


def named_in_notebook(name: str) -> Any:
    """Return what the notebook holds under a name.

    Raises:
        LookupError: if it holds nothing there; it says which name was looked for, and which there is that is much alike.
    """
    shell = get_ipython()  # type: ignore[no-untyped-call]
    names: dict[str, Any] = {} if shell is None else shell.user_ns
    if name in names:
        return names[name]
    alike = difflib.get_close_matches(
        name, [one for one in names if not one.startswith("_")], n=1, cutoff=0.8
    )
    hint = f" There is `{alike[0]}`; did you mean that?" if alike else ""
    raise LookupError(
        f"Your notebook has no `{name}`. Give your answer that name and run its cell, then check.{hint}"
    )


def run_answer(code: str) -> Any:
    """Run code as a learner's cell and return what it calls `answer`.

    Raises:
        LookupError: if the code defines no `answer`.
    """
    name = f"<answer {hash_free_number(code)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, name, "exec"), scope)  # noqa: S102 - solutions and wrong examples are code of this course
    if "answer" not in scope:
        raise LookupError(f"the code must define `answer`: {code!r}")
    return scope["answer"]


def hash_free_number(text: str) -> int:
    """Return a number for a text that is the same in every process."""
    return functools.reduce(lambda total, letter: (total * 31 + ord(letter)) % 2**32, text, 7)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        yield link
        seen.add(id(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


@functools.cache
def _library_folders() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {_PACKAGE, *site.getsitepackages(), site.getusersitepackages()}
    return tuple(sorted(f"{folder}{os.sep}" for folder in folders))


def is_library(filename: str) -> bool:
    return filename.startswith(("<frozen", *_library_folders()))


def _place(filename: str, number: int, function: str) -> str:
    where = (
        f"line {number} of {Path(filename).name}"
        if Path(filename).is_file()
        else f"line {number} of your cell"
    )
    return where if function.startswith("<") else f"{where}, in {function}"
