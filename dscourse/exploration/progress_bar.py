"""A bar for whoever waits, gone when the waiting is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_PATIENCE = 2.0  # seconds; who waits no longer than that needs no bar


@contextmanager
def progress_bar(total: int, done: int = 0, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show how many of `total` runs are finished, from the third second of waiting on.

    It writes to the terminal or, in a notebook, below the cell, and takes itself away at the end, so that a notebook
    stores nothing of it.

    Yields:
        a function that is told how many more are finished, and how many have failed so far; 0 more only redraws.
    """
    if not shown:
        yield lambda _more, _failed: None
        return
    from tqdm import tqdm

    place = _below_the_cell()
    bar = tqdm(total=total, initial=done, delay=_PATIENCE, leave=False, unit="run", ncols=80, file=place)
    try:

        def advance(more: int, failed: int) -> None:
            if failed:
                bar.set_postfix(failed=failed, refresh=False)
            bar.update(more)

        yield advance
    finally:
        bar.close()
        if place is not None:
            place.clear()


def _below_the_cell() -> _Output | None:
    """Return where a bar goes in a notebook; None without one, which tqdm takes for the terminal."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return _Output() if shell is not None and hasattr(shell, "kernel") else None


class _Output:
    """One output of a cell, written anew with each line, as tqdm writes it to a terminal.

    Text, no widget: it moves in every front end, and a widget's view would outlive its kernel in the stored notebook.
    """

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, line: str) -> None:
        text = line.strip("\r\n ")
        if not text:
            return
        if self._handle is None:
            from IPython.display import display

            # Empty at first, as at last: what only looks at first outputs (nbval) sees no bar either.
            self._handle = display({}, raw=True, display_id=True)
        self._handle.update({"text/plain": text}, raw=True)

    def flush(self) -> None:
        """Do nothing: what is written is sent at once."""

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.update({}, raw=True)
