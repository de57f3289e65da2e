"""A learner's first minutes: the course opens, widgets show, predictions and exercises answer."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds
ERRORS = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'


def assert_no_cell_failed(page):
    failed = page.locator(ERRORS).all_text_contents()
    assert not failed, failed


def test_the_start_page_runs_from_top_to_bottom(open_notebook):
    page = open_notebook("00-start-here.ipynb")
    assert_no_cell_failed(page)
    page.get_by_text("All is well: the course runs here.").wait_for(timeout=PATIENCE)
    page.locator(".dscourse-widgets-work").wait_for(timeout=PATIENCE)
    assert page.get_by_text("No widgets here").count() == 0


def test_a_prediction_explains_itself_only_after_the_run(open_notebook):
    page = open_notebook("00-start-here.ipynb", run_all=False)
    question = page.locator(".jp-OutputArea-output", has_text="When do the others follow a new leader?").first
    question.wait_for(timeout=PATIENCE)
    assert "How would they notice?" not in page.content()


# `make lab` itself, but with the Python that runs the tests, which has everything installed already.
OPEN_LAB = "import sys, course; course.set_up = lambda extras: None; course.PYTHON = sys.executable; "
OPEN_LAB += "sys.exit(course.main(['lab', *sys.argv[1:]]))"


@pytest.fixture
def made_lab(browser, tmp_path):
    """Start the course as `make lab ARGS=--no-browser` does; return the address that it prints."""
    kept = {"JUPYTER_CONFIG_DIR": "c", "JUPYTER_RUNTIME_DIR": "r", "JUPYTER_DATA_DIR": "d"}
    kept |= {"JUPYTERLAB_SETTINGS_DIR": "s", "JUPYTERLAB_WORKSPACES_DIR": "w", "DSCOURSE_WORKSPACE": "mine"}
    environment = {**os.environ, **{name: str(tmp_path / folder) for name, folder in kept.items()}}
    log = tmp_path / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", OPEN_LAB, "--no-browser"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield printed_address(process, log)
    finally:
        end_group(process)


def end_group(process, seconds=15):
    """End the script and the server that it started; make sure that neither stays behind."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(seconds)
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)  # raises once nobody is left
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)


def printed_address(process, log, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/lab/tree/\S+", log.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    return pytest.fail(f"no address was printed:\n{log.read_text()[-3000:]}")


@pytest.mark.skipif(sys.platform == "win32", reason="the server is stopped by its process group")
def test_make_lab_opens_the_start_page_and_keeps_its_token(made_lab, new_page, tmp_path):
    assert "token=" in made_lab
    server = re.match(r"http://[^/]+", made_lab)[0]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server}/api/contents")
    page = new_page()
    page.goto(made_lab, timeout=PATIENCE)
    page.get_by_role("heading", name="00 · Start here").wait_for(timeout=PATIENCE)
    page.get_by_role("heading", name="Does it run?").wait_for(timeout=PATIENCE)
    assert page.get_by_text("Jupyter news").count() == 0
    assert (tmp_path / "mine" / "00-start-here.ipynb").exists()
    assert (tmp_path / "mine" / "glossary.md").exists()


def test_errors_of_the_browser_are_noticed(open_notebook):
    page = open_notebook(["1 + 1"])
    page.evaluate("() => console.error('something broke')")
    page.evaluate("() => { setTimeout(() => { throw new Error('and this too'); }, 0); }")
    page.wait_for_timeout(200)
    assert page.problems == ["something broke", "error: and this too"]
    page.problems.clear()


def test_a_figure_is_redrawn_when_its_slider_moves(open_notebook):
    page = open_notebook(
        [
            "from dscourse.views import interactive_figure",
            "def draw(figure, load):\n    figure.subplots().plot([0, load])\n    return f'a line up to {load:.1f}'",
            "interactive_figure(draw, load=(0.1, 0.9, 0.1))",
        ]
    )
    assert_no_cell_failed(page)
    picture = page.locator(".dscourse-figure img")
    picture.wait_for(timeout=PATIENCE)
    before = picture.get_attribute("src"), picture.get_attribute("alt")
    page.get_by_role("slider").first.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('.dscourse-figure img').src !== old", arg=before[0], timeout=PATIENCE
    )
    assert picture.get_attribute("alt") != before[1]
    assert picture.get_attribute("alt").startswith("a line up to 0.")
