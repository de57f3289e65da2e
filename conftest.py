"""For every run of pytest: nobody's own progress file is touched, and the end tells what a reader wants to know."""

import os
import shutil
import signal
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

_seconds = defaultdict(float)
_cells = defaultdict(int)


def pytest_configure(config):
    """Give this run a progress file of its own; kernels started by tests and by nbval inherit it."""
    if (
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    ):  # as in a job in the background; tests send interrupts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.dscourse_folder = tempfile.mkdtemp(prefix="dscourse-tests-")
    os.environ["DSCOURSE_PROGRESS"] = str(Path(config.dscourse_folder) / "progress.json")


def pytest_unconfigure(config):
    """Take the temporary progress file away."""
    shutil.rmtree(config.dscourse_folder, ignore_errors=True)


def pytest_runtest_logreport(report):
    """Add up the time of each notebook, with the start of its kernel."""
    notebook = report.nodeid.split("::")[0]
    if notebook.endswith(".ipynb"):
        _seconds[notebook] += report.duration
        _cells[notebook] += report.when == "call"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Tell each notebook's time and why browser tests were skipped; `make test` repeats it at its end."""
    stats = terminalreporter.stats
    counts = [
        f"{len(stats[key])} {key}" for key in ("passed", "failed", "error", "skipped") if stats.get(key)
    ]
    lines = [f"{Path(name).name}: {_seconds[name]:.1f} s, {_cells[name]} cells" for name in sorted(_seconds)]
    browser = [report for report in stats.get("skipped", []) if report.nodeid.startswith("tests/browser/")]
    if browser:
        reason = str(browser[0].longrepr[2]).removeprefix("Skipped: ")
        lines.append(f"{len(browser)} browser tests were SKIPPED: {reason}")
    if lines:
        terminalreporter.section("notebooks" if _seconds else "browser")
        for line in lines:
            terminalreporter.write_line(line)
    note = os.environ.get("DSCOURSE_TEST_SUMMARY")
    if note:
        Path(note).write_text("\n".join([", ".join(counts) or "nothing was run", *lines]), encoding="utf-8")
