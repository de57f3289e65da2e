"""A lock between processes, so that two notebooks that save at the same moment wait for each other.

The operating system holds it and takes it back when a process ends, however that ends: a kernel that was killed leaves
no lock behind.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_PATIENCE = 2.0  # seconds; to save takes a few milliseconds
_PAUSE = 0.002


@contextlib.contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[bool]:
    """Hold the lock of a file for the time of a `with`, and tell whether it could be had.

    Where it can't be had, for example since nobody may write in that folder, the work goes on without: a lock that
    keeps a lesson waiting would be worse than a rare lost entry.

    Args:
        path: the file that is protected; the lock is a file beside it, which is there only meanwhile.
        patience: for how many seconds to wait for others at most.
    """
    lock = path.parent / f"{path.name}.lock"
    handle = _acquired(lock, time.monotonic() + patience)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            _release(handle, lock)


def _acquired(lock: Path, end: float) -> int | None:
    """Return a handle that holds the lock, or None if there is no lock to be had, or not in time."""
    while True:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if not _may_pass(error):
                return None
        else:
            try:
                if _taken(handle) and _is_in_place(handle, lock):
                    return handle
            except OSError:  # a file system without locks
                os.close(handle)
                return None
            os.close(handle)
        if time.monotonic() >= end:
            return None
        time.sleep(_PAUSE)


def _may_pass(error: OSError) -> bool:
    """Windows refuses to open a file for as long as another process is taking it away."""
    return sys.platform == "win32" and isinstance(error, PermissionError)


def _taken(handle: int) -> bool:
    """Try to lock an open file; False if another process has it."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_in_place(handle: int, lock: Path) -> bool:
    """Return whether the open file is the one that bears the name: whoever had the lock before took theirs away."""
    try:
        return os.path.samestat(os.fstat(handle), lock.stat())
    except FileNotFoundError:
        return False


def _release(handle: int, lock: Path) -> None:
    if sys.platform == "win32":  # where an open file can't be taken away
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        os.close(handle)
        with contextlib.suppress(OSError):
            lock.unlink()
    else:  # where it must be done while nobody else can hold it
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(handle)
