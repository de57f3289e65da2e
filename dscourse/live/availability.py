"""Whether nodes can be real processes here."""

from __future__ import annotations

import shutil
import sys

_NO_PROCESSES = ("emscripten", "wasi")


class LiveUnavailable(RuntimeError):  # noqa: N818 - it reads as what it is
    """Nodes can't be real processes here; the message says what is missing."""


def what_is_missing() -> str:
    """What a live cluster needs and this machine doesn't have, as a sentence; empty if nothing is missing."""
    if sys.platform in _NO_PROCESSES:
        return "This kernel runs in a browser, which starts no processes. Go on with the simulator."
    if sys.platform == "win32":
        return (
            "Windows can't stop a process and let it go on, as Linux and macOS can (SIGSTOP, SIGCONT). "
            "Go on with the simulator, or open the course in WSL."
        )
    if not sys.executable:
        return (
            "It isn't known which Python runs here, so no other one can be started. Go on with the simulator."
        )
    for command in ("sh", "cat", "rm"):
        if shutil.which(command) is None:
            return f"The command {command} is missing, which tidies up. Go on with the simulator."
    return ""


def require_processes() -> None:
    """Raise LiveUnavailable if something is missing."""
    missing = what_is_missing()
    if missing:
        raise LiveUnavailable(missing)
