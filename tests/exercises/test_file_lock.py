"""Several notebooks that save in the same moment lose nothing, and no lock ever stops a lesson."""

import os
import subprocess
import sys
import time

import pytest

from dscourse.exercises import _file_lock, _store
from dscourse.exercises._file_lock import locked
from dscourse.exercises._record import Record, Work

PROCESSES, SAVES = 4, 40

# Each process waits for the signal, so that all save in the same milliseconds; each save adds an exercise of its own
# and one more attempt at an exercise that all share.
SAVER = """
import sys, time
from pathlib import Path
from dscourse.exercises import _store
from dscourse.exercises._record import Work

name, saves, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
(folder / f"ready-{name}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for number in range(saves):
    def change(record):
        record.exercises[f"{name}.e{number}"] = Work(attempts=1)
        shared = record.exercises.get("shared.e", Work())
        record.exercises["shared.e"] = Work(attempts=shared.attempts + 1)
    notice = _store.update(change)
    assert not notice, notice
"""

# Dies while it holds the lock, as a kernel does that is killed.
KILLED = """
import os, sys
from pathlib import Path
from dscourse.exercises._file_lock import locked
with locked(Path(sys.argv[1])) as held:
    assert held
    os._exit(7)
"""

HOLDER = """
import sys, time
from pathlib import Path
from dscourse.exercises._file_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy(),
    )  # fmt: skip


def test_processes_that_save_at_the_same_moment_lose_no_entry(monkeypatch, tmp_path):
    progress_file = tmp_path / "not" / "yet" / "progress.json"  # the first of them makes the folder, too
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(progress_file))
    savers = [start(SAVER, f"p{index}", SAVES, tmp_path) for index in range(PROCESSES)]
    end = time.monotonic() + 60
    while len(list(tmp_path.glob("ready-*"))) < PROCESSES and time.monotonic() < end:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    for saver in savers:
        _, errors = saver.communicate(timeout=60)
        assert saver.returncode == 0, errors
    kept = Record.from_json(progress_file.read_text()).exercises
    lost = [
        f"p{index}.e{number}"
        for index in range(PROCESSES)
        for number in range(SAVES)
        if f"p{index}.e{number}" not in kept
    ]
    assert lost == []
    assert kept["shared.e"].attempts == PROCESSES * SAVES


def test_a_process_that_dies_while_it_saves_keeps_nobody_waiting(progress_file):
    killed = start(KILLED, progress_file)
    killed.communicate(timeout=60)
    assert killed.returncode == 7
    before = time.monotonic()
    with locked(progress_file, patience=30) as held:
        assert held
    assert time.monotonic() - before < 10


def test_whoever_holds_the_lock_for_too_long_is_not_waited_for(progress_file, monkeypatch):
    holder = start(HOLDER, progress_file)
    assert holder.stdout.readline().strip() == "held"
    try:
        with locked(progress_file, patience=0.05) as held:
            assert not held
        with locked(progress_file, patience=0.05) as held:  # and the one who gave up took nothing away
            assert not held
        monkeypatch.setattr(_store, "locked", lambda path: locked(path, patience=0.05))
        assert _store.update(lambda record: record.exercises.update({"a.b": Work(attempts=1)})) == ""
        assert _store.load()[0].exercises["a.b"].attempts == 1
    finally:
        holder.communicate("done\n", timeout=60)
    with locked(progress_file, patience=30) as held:
        assert held


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "no"), OSError(37, "No locks available"), NotImplementedError("no locks here")],
)
def test_where_no_lock_can_be_made_the_work_goes_on_at_once(progress_file, monkeypatch, error):
    def refuse(*_given, **_options):
        raise error

    monkeypatch.setattr(_file_lock.FileLock, "acquire", refuse)
    with locked(progress_file, patience=30) as held:
        assert not held


def test_an_error_inside_gives_the_lock_back(progress_file):
    with pytest.raises(ZeroDivisionError), locked(progress_file):
        1 / 0  # noqa: B018
    with locked(progress_file, patience=0) as held:
        assert held
