"""Where in the learner's own code an error came from."""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

_HERE = Path(__file__).resolve().parent
_NOT_THEIRS = (
    str(_HERE),
    str(_HERE.parent / "exploration"),
    str(_HERE.parent / "live"),
    str(_HERE.parent / "arguments.py"),
    str(Path(linecache.__file__).parent),
)


def own_line(traceback: TracebackType | None) -> str:
    """The innermost line that is neither the simulator's nor a library's, with its place; empty if there is none."""
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return own_line_of(frames)


def own_line_of(frames: Iterable[tuple[str, int]]) -> str:
    """The same of the files and lines that a traceback goes through."""
    found = ""
    for file, line in frames:
        if not file.startswith(_NOT_THEIRS) and "site-packages" not in file:
            # IPython gives each cell a file of its own, whose name says nothing.
            is_cell = "ipykernel" in file or file.startswith("<")
            place = f"line {line} of the cell" if is_cell else f"{Path(file).name}:{line}"
            found = f"{place}: {linecache.getline(file, line).strip()}"
    return found
