"""A real JupyterLab and a real Chromium: one server for the whole run, a fresh kernel for every test.

    def test_something(open_notebook):
        page = open_notebook("01-scaling-metrics.ipynb")            # the learner's copy, run from top to bottom
        page = open_notebook(["from x import y", "y.picture()"])    # a notebook made of these cells
        page = open_notebook("01-scaling-metrics.ipynb", run_all=False)

`page` is Playwright's. It has `page.problems`: errors in the browser's console; a test that leaves some there fails.
Where no Chromium is found these tests are skipped; DSCOURSE_CHROMIUM names one that isn't on the PATH.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import course
from dscourse import workspace

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("DSCOURSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
SWITCHES = [
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    **course.LAB_SETTINGS,
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # every cell is in the page at once
}
PATIENCE = 120_000  # milliseconds, for a slow machine


def pytest_collection_modifyitems(items):
    """Mark the tests of this folder and put them last: Playwright's event loop stays once it has begun."""
    here = [item for item in items if Path(__file__).parent in Path(item.path).parents]
    for item in here:
        item.add_marker(pytest.mark.browser)
    items[:] = [item for item in items if item not in here] + here


@pytest.fixture(scope="session")
def browser():
    """Return a running Chromium, or skip."""
    if CHROMIUM is None:
        pytest.skip("no Chromium was found (apt install chromium, or name one in DSCOURSE_CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, headless=True, args=SWITCHES)
        yield chromium
        chromium.close()


class Server:
    """A Jupyter server that a test has started.

    Attributes:
        url: where it answers, without a slash at its end.
        token: what it asks for.
        folder: the folder it shows.
        progress: the progress file of its kernels.
    """

    def __init__(self, url, token, folder, progress):
        self.url = url
        self.token = token
        self.folder = folder
        self.progress = progress


def stop(process):
    """End a server and its kernels."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(url, process, log, seconds=90):
    """Wait until a server answers; fail with its last words if it ends."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        else:
            return


def own_folders(folder):
    """Return environment variables that keep Jupyter away from everything of this machine's user."""
    names = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    kept = {f"JUPYTER_{name}": str(folder / sub) for name, sub in names.items()}
    kept |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    return {**os.environ, **kept, "DSCOURSE_PROGRESS": str(folder / "progress.json")}


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """Return a JupyterLab that shows a learner's copies of the notebooks."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = tmp_path_factory.mktemp("workspace")
    workspace.lay_out(folder)
    (home / "config" / "labconfig").mkdir(parents=True)
    (home / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    port, token = free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--allow-root"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    command += ["--ServerApp.terminals_enabled=False"]
    log = home / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=own_folders(home), stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api?token={token}", process, log)
        yield Server(url, token, folder, home / "progress.json")
    finally:
        stop(process)


def watch(page):
    """Collect what goes wrong in a page."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(f"error: {error}"))
    page.on("console", lambda line: page.problems.append(line.text) if line.type == "error" else None)


@pytest.fixture
def new_page(browser):
    """Return a function that opens an empty page whose errors are collected; its arguments are those of a context."""
    contexts = []

    def new(**options):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 2600}, **options})
        contexts.append(context)
        page = context.new_page()
        watch(page)
        return page

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def open_notebook(lab, new_page, tmp_path):
    """Return a function that opens a notebook in JupyterLab, with a fresh kernel, and runs it from top to bottom."""
    pages, made = [], []

    def open_(notebook, run_all=True, **options):
        name = notebook if isinstance(notebook, str) else write_notebook(lab.folder, notebook)
        if name != notebook:
            made.append(lab.folder / name)
        lab.progress.unlink(missing_ok=True)
        shutil.rmtree(lab.progress.with_suffix(""), ignore_errors=True)
        page = new_page(**options)
        pages.append(page)
        # A workspace of its own gives a fresh layout each time; reset drops what was saved of it.
        address = f"{lab.url}/lab/workspaces/t{secrets.token_hex(4)}/tree/{name}?reset&token={lab.token}"
        page.goto(address, timeout=PATIENCE)
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook", timeout=PATIENCE)
        # Running cells before a kernel is attached would bring up a dialogue that blocks everything.
        kernel = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(kernel, timeout=PATIENCE)
        page.evaluate(
            "async () => { const shown = jupyterapp.shell.currentWidget; await shown.context.ready;"
            " await shown.sessionContext.ready; await shown.sessionContext.session.kernel.info;"
            " jupyterapp.shell.collapseLeft(); }"
        )
        if run_all:
            page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
        return page

    yield open_
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:  # a kernel that lives on would be used again by the next who opens this notebook
        page.evaluate(
            "async () => { await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown(); }"
        )
    for path in made:
        path.unlink(missing_ok=True)
    assert not problems, f"errors in the browser: {problems}"


def write_notebook(folder, sources):
    """Write a notebook of these code cells and return its name."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{n}",
            "metadata": {},
            "source": s,
            "outputs": [],
            "execution_count": None,
        }
        for n, s in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    name = f"test-{secrets.token_hex(4)}.ipynb"
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return name


@pytest.fixture(scope="session")
def site(browser, tmp_path_factory):
    """Return the folder of the site's pages: the one that DSCOURSE_SITE names, or one with the first notebook."""
    given = os.environ.get("DSCOURSE_SITE")
    if given:
        return Path(given)
    docs = Path(__file__).resolve().parents[2] / "docs"
    sys.path.insert(0, str(docs))
    try:
        import build
    finally:
        sys.path.remove(str(docs))
    into = tmp_path_factory.mktemp("site")
    build.build(into, only=["00"])
    return into / "html"
