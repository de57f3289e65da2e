"""The processes of a cluster: started, watched, stopped; and the one that tidies up when nobody else can."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from dscourse.live.journal import JournalFile

_BEGIN = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from dscourse.live.process import main; main()"
)
_TIDY = 'trap "" HUP INT TERM; cat >/dev/null; rm -rf -- "$1"; kill -KILL 0'


class Failure(NamedTuple):
    """What a process said of an error in the learner's code, before it ended."""

    handler: str
    time: int
    kind: str
    text: str
    frames: list[tuple[str, int]]


class Cleaner:
    """A small process that waits for this one to end, then removes the folder and kills what is left of the cluster.

    It leads the process group in which the nodes are, so paused ones are reached, too, and an interrupt from the
    terminal reaches none of them.
    """

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            ["sh", "-c", _TIDY, "sh", str(folder)],  # noqa: S607 - wherever sh is
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self.group = self._process.pid

    def close(self) -> None:
        """Let it do its work, and wait for its end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


class ProcessHandle:
    """One life of one node.

    Args:
        setting: what the process needs to know; see `dscourse.live.process`.
        its_socket: that it receives with. It stays open here as well, so the port stays the node's own.
        group: process group to be in.
        journal: what it writes.
    """

    def __init__(
        self, setting: dict[str, Any], its_socket: socket.socket, group: int, journal: JournalFile
    ) -> None:
        self.journal = journal
        self.failure: Failure | None = None
        self._log = journal.path.with_suffix(".log")
        self._rest = b""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _BEGIN, json.dumps([entry or str(Path.cwd()) for entry in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                pass_fds=[its_socket.fileno()],
                process_group=group,
            )
        self._orders: Any = self._process.stdin
        self._reports: Any = self._process.stdout
        self.tell({**setting, "socket": its_socket.fileno(), "journal": str(journal.path)})

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tell(self, order: dict[str, Any]) -> None:
        """Give it an order; one that has ended hears nothing."""
        with contextlib.suppress(BrokenPipeError):
            self._orders.write(json.dumps(order).encode() + b"\n")

    def hear(self, timeout: float) -> dict[str, Any] | None:
        """What it reports next; None if it ends, or says nothing in so many seconds."""
        limit = time.monotonic() + timeout
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._reports], [], [], max(0.0, limit - time.monotonic()))
            read = os.read(self._reports.fileno(), 1 << 16) if ready else b""
            if not read:
                return None
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            self.failure = Failure(*said["error"])
        return said

    def hear_all(self) -> None:
        """Listen to all that an ended process has said."""
        while self.hear(0.0) is not None:
            pass

    def last_words(self) -> str:
        """The end of what it has printed."""
        return self._log.read_text(errors="replace")[-1500:].strip()

    def stop(self) -> None:
        """Stop it where it is (SIGSTOP), and wait until it is."""
        os.kill(self.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._process.returncode = os.waitstatus_to_exitcode(status)

    def go_on(self) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it (SIGKILL), and wait until it is gone."""
        if self.is_alive:
            self._process.kill()
        self._process.wait()
        if not self._reports.closed:
            self.hear_all()
            self._orders.close()
            self._reports.close()
