"""Open the course as a learner does (`make lab`), as far as the page answers, and close it again.

    python .ci/lab_answers.py

Sets up what isn't set up yet. The exit status is 0 if JupyterLab served its page and the start notebook.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 900  # seconds; the first time it sets up
ADDRESS = re.compile(r"(http://(?:127\.0\.0\.1|localhost):\d+)/lab/tree/\S+[?&]token=(\w+)")


def main() -> int:
    """Start, ask, end; the result is the exit status."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        log = Path(temporary) / "log.txt"
        start = time.monotonic()
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "course.py"), "lab", "--no-browser"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            answered = wait_for_the_page(process, log, start + PATIENCE)
        finally:
            end(process)
        if not answered:
            print(log.read_text(encoding="utf-8", errors="replace"), "The page did not answer.", sep="\n")
            return 1
    print(f"The page answered after {time.monotonic() - start:.1f} s.")
    return 0


def wait_for_the_page(process: subprocess.Popen[bytes], log: Path, deadline: float) -> bool:
    """Return whether the page and the start notebook were served before the deadline."""
    while time.monotonic() < deadline and process.poll() is None:
        printed = ADDRESS.search(log.read_text(encoding="utf-8", errors="replace"))
        if printed and serves(printed[0], "<title>JupyterLab</title>"):
            server, token = printed.groups()
            return serves(f"{server}/api/contents/00-start-here.ipynb?token={token}", "Start here")
        time.sleep(0.1)
    return False


def serves(address: str, words: str) -> bool:
    """Return whether an address answers with these words in it."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
            return words in answer.read().decode("utf-8")
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """End the script and the server that it started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], check=False)  # noqa: S607
    else:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
