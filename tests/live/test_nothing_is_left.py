"""However a cluster ends, nothing of it is left: not when its kernel is killed, interrupted or fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from leftovers import is_alive
from live_nodes import NAMES, Ticker

from dscourse.live import LiveCluster

PATIENCE = 20.0  # seconds

KERNEL = """
import json, sys, tempfile, time
sys.path[:] = json.loads(sys.argv[1])
tempfile.tempdir = sys.argv[2]
from live_nodes import NAMES, Ticker
from dscourse.live import LiveCluster

cluster = LiveCluster(Ticker, NAMES).start()
cluster.pause("n1")
cluster.kill("n2")
print(json.dumps([*cluster.pids.values(), cluster._group]), flush=True)
{then}
"""


def kernel(then, folder):
    """Start another Python that holds a cluster; return it, and the processes of the cluster."""
    path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", KERNEL.format(then=then), path, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = process.stdout.readline()
    assert line, process.communicate()
    pids = json.loads(line)
    assert len(pids) == 3
    assert all(map(is_alive, pids))
    return process, pids


def gone(pids, folder):
    """Whether within some time no process is left and no file."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if not any(map(is_alive, pids)) and not list(folder.glob("dscourse-live-*")):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_kernel_that_is_killed_leaves_nothing_behind(tmp_path, how):
    process, pids = kernel("time.sleep(1000)", tmp_path)
    with process:
        process.send_signal(how)
        process.wait()
    assert gone(pids, tmp_path)


def test_a_kernel_that_ends_without_a_word_leaves_nothing_behind(tmp_path):
    process, pids = kernel("sys.stdin.readline()", tmp_path)
    with process:
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""
    assert gone(pids, tmp_path)


def test_an_interrupt_ends_the_cluster(tmp_path):
    process, pids = kernel("try: cluster.sleep(1000)\nfinally: cluster.close(); print('closed')", tmp_path)
    with process:
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert "closed" in out
    assert "KeyboardInterrupt" in errors
    assert gone(pids, tmp_path)


def test_an_exception_ends_the_cluster(tmp_path):
    with pytest.raises(ZeroDivisionError), LiveCluster(Ticker, NAMES) as cluster:  # noqa: PT012
        cluster.pause("n0")
        pids = cluster.pids
        raise ZeroDivisionError
    assert gone(pids.values(), tmp_path)
    assert cluster.run.until > 0


def test_a_cluster_that_nobody_holds_any_more_ends(tmp_path):
    cluster = LiveCluster(Ticker, NAMES).start()
    pids = list(cluster.pids.values())
    del cluster
    assert gone(pids, tmp_path)


CELL = """
import json, sys, tempfile
sys.path[:] = json.loads({path!r})
tempfile.tempdir = {folder!r}
from dscourse.live import LiveCluster
from dscourse.simulation import Node, Reply
from dscourse.views import play

class Mine(Node):
    def on_message(self, ctx, sender, message):
        self.asked = message.operation
        ctx.send(sender, Reply(message.number, "ok", message.operation))

with LiveCluster(Mine, ["a", "b"]) as first:
    first.ask("a", ("hello",))
shown = play(first.run)
cluster = LiveCluster(Mine, ["a", "b"]).start()
cluster.pause("a")
pids = [*cluster.pids.values(), cluster._group]
"""


JUPYTER = """
import json, sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel()
told = client.execute_interactive(sys.argv[1], user_expressions={"pids": "pids"}, timeout=60)["content"]
print(told["user_expressions"]["pids"]["data"]["text/plain"] if told["status"] == "ok" else told, flush=True)
sys.stdin.readline()
manager.restart_kernel(now=True)
print("restarted", flush=True)
sys.stdin.readline()
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_a_jupyter_kernel_that_is_restarted_leaves_nothing_behind(tmp_path):
    path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
    cell = CELL.format(path=path, folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", JUPYTER, cell],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
    ) as jupyter:  # fmt: skip
        pids = json.loads(jupyter.stdout.readline())
        assert all(map(is_alive, pids))
        jupyter.stdin.write("\n")
        assert jupyter.stdout.readline() == "restarted\n"
        assert gone(pids, tmp_path)
        jupyter.stdin.write("\n")
