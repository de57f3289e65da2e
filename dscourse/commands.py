"""What the commands of this package have in common, those that are called as `python -m dscourse.NAME`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

__all__ = ["of_this_python", "until_nobody_reads"]


def of_this_python(arguments: str) -> str:
    """Return a command as one types it here, in a cell or a terminal: this Python does it, whatever is on the PATH."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{'!' * ('ipykernel' in sys.modules)}{python} {arguments}"


def until_nobody_reads(command: Callable[[], int]) -> int:
    """Run a command to its end, or until its output is no longer read, as after `| head`; return its exit status."""
    try:
        status = command()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more as it ends
        return 1
    return status
