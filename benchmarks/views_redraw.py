"""How long it takes from a slider to the new picture: `live_figure` beside `ipywidgets.interactive_output`.

    python benchmarks/views_redraw.py

Both draw the same figure (four curves, axes, legend) of the same size and resolution, in the same kernel.

* In Python: from setting the slider to the new picture having been sent. The peer is matplotlib's inline backend in an
  Output widget, which is what `ipywidgets.interact` uses.
* In the browser, where JupyterLab and a Chromium are found: from the key press on the slider to the first frame that
  shows the new picture, and how many redraws a burst of key presses causes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel

ROUNDS = 60
FIGURES = """
%matplotlib inline
import time
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from dscourse.views import live_figure, palette, tidy

plt.rcParams["figure.dpi"] = 120
plt.rcParams["savefig.bbox"] = "standard"

def curves(axes):
    x = np.linspace(0, 0.95, 200)
    for number, colour in enumerate(palette.SERIES[:4], 1):
        axes.plot(x, number / (1 - x), color=colour, label=f"{number} servers")
    axes.set_xlabel("utilisation")
    axes.set_ylabel("response time")
    axes.legend()
    return axes.axvline(0, color=palette.GREY)

def set_up(figure):
    return curves(tidy(figure.subplots()))

def update(line, load):
    line.set_xdata([load, load])
    return f"Four curves and a line at load {load:.2f}."

def theirs(load):
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    update(curves(tidy(axes)), load)
    plt.show()

def slider():
    return widgets.FloatSlider(min=0, max=1, step=0.01, value=0)

our_slider, their_slider = slider(), slider()
our_figure = live_figure(set_up, update, load=our_slider)
their_figure = widgets.VBox([their_slider, widgets.interactive_output(theirs, {"load": their_slider})])
"""
MEASURE = """
import json
spent = {"ours": [], "theirs": []}
for turn in range(1, %d + 1):
    for name, control in (("ours", our_slider), ("theirs", their_slider)):
        start = time.perf_counter()
        control.value = turn / 100
        spent[name].append(time.perf_counter() - start)
print(json.dumps(spent))
"""
# Runs in the page: the time from a key press to the frame in which a new, decoded picture stands.
WATCH = """
(selector) => {
  window.spent = [];
  window.shownPictures = 0;
  let pressed = null;
  document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(async (changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      const image = node.nodeName === "IMG" ? node : node.querySelector?.("img");
      if (!image) continue;
      await image.decode();
      window.shownPictures += 1;
      requestAnimationFrame(() => setTimeout(() => {
        if (pressed !== null) window.spent.push(performance.now() - pressed);
        pressed = null;
      }));
    }
  }).observe(document.querySelector(selector), { childList: true, subtree: true });
}
"""
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


def main() -> None:
    """Measure and print."""
    in_python = measure_in_a_kernel()
    report("In Python, slider to picture sent", in_python)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("No Chromium found: nothing measured in a browser.")
        return
    in_browser, bursts = measure_in_a_browser(chromium)
    report("In the browser, key press to picture shown", in_browser)
    print(f"Pictures shown for 20 key presses in one burst: ours {bursts['ours']}, theirs {bursts['theirs']}")


def report(title: str, spent: dict[str, list[float]]) -> None:
    """Print medians, ninth deciles and the ratio."""
    ours, theirs = (statistics.median(spent[name]) * 1000 for name in ("ours", "theirs"))
    slow = {name: statistics.quantiles(times, n=10)[-1] * 1000 for name, times in spent.items()}
    print(
        f"{title}: ours {ours:.0f} ms (p90 {slow['ours']:.0f}), interactive_output {theirs:.0f} ms "
        f"(p90 {slow['theirs']:.0f}); ours takes {ours / theirs:.2f} of its time"
    )


def measure_in_a_kernel() -> dict[str, list[float]]:
    """Return the seconds of each redraw, measured inside a kernel."""
    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=40"])
    printed: list[str] = []

    def listen(message: dict) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])
        if message["msg_type"] == "error":
            raise RuntimeError(message["content"]["evalue"])

    try:
        client.execute_interactive(FIGURES, timeout=120, output_hook=lambda _message: None)
        client.execute_interactive(MEASURE % ROUNDS, timeout=120, output_hook=listen)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return json.loads("".join(printed))


def measure_in_a_browser(chromium: str) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return the seconds from key press to picture, and how many pictures a burst of key presses causes."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        cells = [nbformat.v4.new_code_cell(code) for code in (FIGURES, "our_figure", "their_figure")]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "redraw.ipynb")
        server, address, token = start_lab(folder)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
                )
                page = browser.new_page(viewport={"width": 1200, "height": 1600})
                page.goto(
                    f"{address}/lab/workspaces/b{secrets.token_hex(4)}/tree/redraw.ipynb?reset&token={token}"
                )
                kernel = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
                page.wait_for_function(kernel, timeout=60_000)
                page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.ready; }")
                page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
                measured = {name: press(page, cell) for name, cell in (("ours", 1), ("theirs", 2))}
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
    return {name: spent for name, (spent, _) in measured.items()}, {
        name: n for name, (_, n) in measured.items()
    }


def press(page: object, cell: int) -> tuple[list[float], int]:
    """Press a key on the slider of a cell again and again; then many times without waiting."""
    area = f".jp-Cell[data-windowed-list-index='{cell}'] .jp-OutputArea"
    page.wait_for_selector(f"{area} img", timeout=30_000)
    handle = page.locator(f"{area} .noUi-handle")
    handle.focus()
    page.evaluate(WATCH, area)
    for turn in range(1, ROUNDS + 1):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("turn => window.spent.length >= turn", arg=turn, timeout=10_000)
        page.wait_for_timeout(50)
    spent = [milliseconds / 1000 for milliseconds in page.evaluate("window.spent")]
    before = page.evaluate("window.shownPictures")
    for _ in range(20):
        page.keyboard.press("ArrowRight", delay=0)
    page.wait_for_timeout(4000)
    return spent, page.evaluate("window.shownPictures") - before


def start_lab(folder: Path) -> tuple[subprocess.Popen, str, str]:
    """Start JupyterLab on a free port of this machine, with settings of its own."""
    settings = folder / "config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(LAB_SETTINGS))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    places = {"CONFIG": "JUPYTER_CONFIG_DIR", "RUNTIME": "JUPYTER_RUNTIME_DIR", "DATA": "JUPYTER_DATA_DIR"}
    own = {variable: str(folder / name.lower()) for name, variable in places.items()}
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--allow-root"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return server, address, token
    server.kill()
    raise RuntimeError((folder / "lab.log").read_text()[-2000:])


if __name__ == "__main__":
    main()
