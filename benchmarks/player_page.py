"""How fast the cluster player is in a real JupyterLab, near by and far away.

    python benchmarks/player_page.py

A run of 50 nodes and some 20 000 events, the densest that the course has: everybody greets everybody. Measured are the
time from running the cell to the first picture, the work in one step of the cursor, frames a second in play, bytes
sent for an event, and the time from "Crash" to the picture of the forked run (a run of 60 s with five nodes).
Then the same through a proxy on this machine that holds back everything for 150 ms each way, as far as Binder may be.

The peers: the same trace as JSON records, and a redraw of the still picture by Python for one step of a scrub.
"""

import asyncio
import contextlib
import importlib.util
import json
import statistics
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Crash, Network, Scenario, Uniform, topology
from dscourse.views import cluster_map
from dscourse.views.player.payload import pack

DELAY = 0.15  # s, each way
SETUP = """
from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Crash, Network, Scenario, Uniform, topology
from dscourse.views import play

def run_of(nodes, until, *faults):
    network = Network(topology.full_mesh(nodes), latency=Uniform(0.02, 0.2))
    return Scenario(NaiveFailoverNode, network, faults=faults, seed=1).run(until=until)

big, small = run_of(50, 2.0, Crash("n0", at=1.0)), run_of(5, 60.0)
"""
WORK_OF_STEPS = """async (far) => {
    const line = document.querySelector(".dp-timeline"), box = line.getBoundingClientRect();
    const at = (part) => ({
        bubbles: true, button: 0, pointerId: 1, clientX: box.left + 8 + part * (box.width - 16), clientY: box.top + 12,
    });
    line.setPointerCapture = () => {}; line.hasPointerCapture = () => true;
    line.dispatchEvent(new PointerEvent("pointerdown", at(0.1)));
    const work = [];
    for (let step = 0; step < 120; step += 1) {
        const begin = performance.now();
        const part = far ? (0.1 + 0.6180339 * step) % 1 : 0.5 + 0.001 * step;
        line.dispatchEvent(new PointerEvent("pointermove", at(part)));
        const handled = performance.now() - begin;
        const drawn = await new Promise((done) => requestAnimationFrame((start) => done(performance.now() - start)));
        work.push(handled + drawn); // the player's own frame comes before this one, in the same turn
    }
    delete line.setPointerCapture; delete line.hasPointerCapture;
    return work;
}"""
FRAMES = """async () => {
    const root = document.querySelector(".dscourse-player");
    root.focus();
    const press = (key) => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("Home"); press(" ");
    const gaps = [];
    let last = performance.now();
    const end = last + 3000;
    await new Promise((done) => requestAnimationFrame(function frame(now) {
        gaps.push(now - last); last = now;
        if (now < end) requestAnimationFrame(frame); else done();
    }));
    press(" ");
    return gaps.slice(1);
}"""


def lab_tools():
    """Return the helpers with which the browser tests start JupyterLab."""
    path = Path(__file__).parents[1] / "tests" / "browser" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_tools", path)
    tools = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tools)
    return tools


class SlowRoad:
    """A proxy that passes on everything `DELAY` later, in both directions."""

    def __init__(self, port):
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _connect(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))

    async def _pass_on(self, reader, writer):
        queue = asyncio.Queue()

        async def late():
            while (item := await queue.get()) is not None:
                due, block = item
                await asyncio.sleep(max(0, due - self._loop.time()))
                writer.write(block)
                await writer.drain()
            writer.close()

        sender = asyncio.create_task(late())
        while block := await reader.read(1 << 16):
            queue.put_nowait((self._loop.time() + DELAY, block))
        queue.put_nowait(None)
        await sender

    def close(self):
        """Close the road and wait until nobody is on it."""

        def end():
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_later(0.2, self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join()
        self._loop.close()


def start_lab(tools, home, folder):
    """Return a JupyterLab that shows a folder, and its port."""
    (home / "config" / "labconfig").mkdir(parents=True)
    (home / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(tools.SETTINGS))
    port = tools.free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--allow-root",
    ]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=benchmark"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    command += ["--ServerApp.allow_origin_pat=.*", "--ServerApp.local_hostnames=127.0.0.1"]
    log = home / "server.log"
    with log.open("w") as output:
        process = tools.subprocess.Popen(command, env=tools.own_folders(home), stdout=output, stderr=output)
    tools.wait_for(f"http://127.0.0.1:{port}/api?token=benchmark", process, log)
    return process, port


def open_notebook(browser, port, name):
    """Open a notebook with a fresh kernel and run its first cell."""
    page = browser.new_context(viewport={"width": 1280, "height": 1200}).new_page()
    page.set_default_timeout(180_000)
    page.goto(f"http://127.0.0.1:{port}/lab/tree/{name}?reset&token=benchmark")
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate(
        "async () => { const one = jupyterapp.shell.currentWidget; await one.context.ready;"
        " await one.sessionContext.ready; await one.sessionContext.session.kernel.info; }"
    )
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-cell-and-select-next'); }")
    return page


def first_picture(page):
    """Run the next cell; return seconds until its player's first picture, and the part of it spent in the page."""
    begin = page.evaluate(
        "() => { performance.clearMeasures(); window.began = performance.now();"
        " jupyterapp.commands.execute('notebook:run-cell-and-select-next'); return window.began; }"
    )
    page.wait_for_function("() => performance.getEntriesByName('dscourse-player-first-picture').length > 0")
    start, length = page.evaluate(
        "() => { const [one] = performance.getEntriesByName('dscourse-player-first-picture');"
        " return [one.startTime, one.duration]; }"
    )
    return (start + length - begin) / 1000, length / 1000


LAST = "[...document.querySelectorAll('.dscourse-player')].at(-1)"
ACTS = f"(count) => {LAST}.querySelectorAll('.dp-acts li').length === count"
CRASHED = f"() => {LAST}.querySelector('[data-node=n0]').dataset.status === 'crashed'"


MENU = f"() => {LAST}.querySelector('.dp-menu:not([hidden])')?.contains(document.activeElement) ?? false"


def open_menu(page):
    """Open the menu of n0 half-way; again if JupyterLab has given the focus to the next cell meanwhile."""
    for _ in range(50):
        page.locator(".dscourse-player").last.focus()
        for key in ("Escape", "Home", *["PageDown"] * 5, "ArrowDown", "Enter"):
            page.keyboard.press(key)
        page.wait_for_timeout(150)
        if page.evaluate(MENU):
            return
    raise RuntimeError("the menu of n0 does not open")


def fork_in_page(page):
    """Crash n0 half-way by hand, five times; return seconds from the key press to the picture of the forked run."""
    times = []
    for _ in range(5):
        open_menu(page)
        begin = time.perf_counter()
        page.locator(".dscourse-player").last.locator(".dp-menu button").first.press("Enter")
        page.wait_for_function(ACTS, arg=1)
        page.wait_for_function(CRASHED)
        times.append(time.perf_counter() - begin)
        page.locator(".dscourse-player").last.focus()
        page.keyboard.press("u")
        page.wait_for_function(ACTS, arg=0)
        page.wait_for_timeout(200)
    return statistics.median(times)


def measure(browser, port, name, where):
    """Measure everything that needs a page; return the milliseconds of one step of a scrub."""
    page = open_notebook(browser, port, name)
    total, inside = first_picture(page)
    print(
        f"{where}: first picture {total:.2f} s after the cell was run, {inside:.2f} s of it in the page (aim: 0.5 s)"
    )
    page.wait_for_timeout(500)
    for far, what in ((False, "a step while dragging"), (True, "a jump to anywhere")):
        work = sorted(page.evaluate(WORK_OF_STEPS, far))
        middle, late = statistics.median(work), work[int(0.95 * len(work))]
        print(f"{where}: {what} {middle:.1f} ms, 95 of 100 within {late:.1f} ms (aim: 5 ms)")
    gaps = page.evaluate(FRAMES)
    slow = sum(gap > 25 for gap in gaps) / len(gaps)
    print(
        f"{where}: playing at {1000 / statistics.mean(gaps):.0f} frames a second, {slow:.1%} late (aim: 60)"
    )
    small, _ = first_picture(page)
    forked = fork_in_page(page)
    print(
        f"{where}: 60 s of 5 nodes: first picture {small:.2f} s; from Enter to the fork's picture {forked:.3f} s"
    )
    page.context.close()
    return middle


def run_of(nodes, until, *faults):
    """Return a run in which everybody greets everybody twice a second; the page makes the same."""
    network = Network(topology.full_mesh(nodes), latency=Uniform(0.02, 0.2))
    return Scenario(NaiveFailoverNode, network, faults=faults, seed=1).run(until=until)


def in_python():
    """Measure what needs no browser; return seconds for a redraw of the still picture."""
    big, small = run_of(50, 2.0, Crash("n0", at=1.0)), run_of(5, 60.0)
    events = len(big.trace)
    begin = time.perf_counter()
    ours = len(pack(big))
    packing = time.perf_counter() - begin
    records = big.frame().to_json(orient="records").encode()
    theirs, squeezed = len(records), len(zlib.compress(records))
    print(
        f"{len(big.nodes)} nodes, {events} events: packed in {packing:.2f} s, {ours / events:.1f} bytes an event"
    )
    print(f"peer, JSON records: {theirs / events:.0f} bytes an event ({theirs / ours:.0f} times as many)")
    print(
        f"peer, JSON records compressed: {squeezed / events:.1f} bytes an event ({squeezed / ours:.1f} times)"
    )
    begin = time.perf_counter()
    cluster_map(big, at=1.2).png()
    drawing = time.perf_counter() - begin
    forks = []
    for _ in range(7):
        begin = time.perf_counter()
        small.fork(30.0, Crash("n0", at=30.0))
        forks.append(1000 * (time.perf_counter() - begin))
    print(
        f"fork of 60 s of 5 nodes ({len(small.trace)} events): {statistics.median(forks):.0f} ms (aim: 300 ms)"
    )
    return drawing


def main():
    """Measure and print."""
    drawing = in_python()
    tools = lab_tools()
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as home, tempfile.TemporaryDirectory() as folder:
        names = [tools.write_notebook(Path(folder), [SETUP, "play(big)", "play(small)"]) for _ in range(2)]
        process, port = start_lab(tools, Path(home), folder)
        try:
            with sync_playwright() as running:
                browser = running.chromium.launch(
                    executable_path=tools.CHROMIUM, headless=True, args=tools.SWITCHES
                )
                step = measure(browser, port, names[0], "near by")
                slower = 1000 * drawing / step
                print(
                    f"peer, the same step redrawn by Python: {1000 * drawing:.0f} ms ({slower:.0f} times as long)"
                )
                road = SlowRoad(port)
                measure(browser, road.port, names[1], f"{1000 * DELAY:.0f} ms away, each way")
                road.close()
                browser.close()
        finally:
            tools.stop(process)


if __name__ == "__main__":
    main()
