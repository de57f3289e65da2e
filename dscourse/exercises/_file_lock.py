"""A lock between processes, so that two notebooks that save at the same moment wait for each other."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from xxhash import xxh3_64_hexdigest

_PATIENCE = 2.0  # seconds; to save takes a few milliseconds


@contextlib.contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[bool]:
    """Hold the lock of a file for the time of a `with`, and tell whether it could be had.

    Where it can't be had, for example since nobody may write in that folder, the work goes on without: a lock that
    keeps a lesson waiting would be worse than a rare lost entry. The operating system holds the lock and takes it back
    when a process ends, however that ends.

    Args:
        path: the file that is protected. The lock is an empty file in the folder for temporary files, so that nothing
            lies beside the learner's own.
        patience: for how many seconds to wait for others at most.
    """
    lock = FileLock(Path(tempfile.gettempdir(), f"dscourse-{xxh3_64_hexdigest(os.fsencode(path))}.lock"))
    try:
        lock.acquire(timeout=patience, poll_interval=0.002)
    except (OSError, NotImplementedError):  # not in time, not allowed, or not to be had on this file system
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
