"""Nodes as processes: started, stopped, cut off, asked; and the run that comes of it."""

import socket
import subprocess
import sys
import textwrap
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from leftovers import is_alive
from live_nodes import NAMES, Asked, Bomb, Heavy, Ticker, Unmakeable

from dscourse.detection import HeartbeatDetector, detector_quality
from dscourse.live import LiveCluster, LiveUnavailable, what_is_missing
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    CutLink,
    Heal,
    NodeError,
    NotDeterministic,
    OpenLoop,
    Partition,
    Pause,
    Restart,
    Resume,
    always,
    topology,
)
from dscourse.views.player.commands import fault_for
from dscourse.views.player.payload import pack

MEGABYTES = 40


def memory(pid):
    """Megabytes that a process has had at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def deliveries(run, between):
    return {
        (event.peer, event.node)
        for event in run.trace.select(kind="deliver", node=NAMES, peer=NAMES, between=between)
    }


@pytest.fixture(scope="module")
def eventful(tmp_path_factory):
    """A run in which much was done to three processes, what they said of themselves, and when what was done."""
    said, times = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("live")))
        with LiveCluster(Ticker, NAMES, seed=3) as cluster:
            cluster.sleep(0.8)
            cluster.ask("n1", ("keep", "before"))
            cluster.pause("n2")
            times["paused"] = cluster.now
            cluster.sleep(0.8)
            times["resumed"] = cluster.now
            cluster.resume("n2")
            cluster.kill("n1")
            times["killed"] = cluster.now
            cluster.sleep(0.4)
            said["down"] = cluster.ask("n1", ("kept",), timeout=0.2)
            times["restarted"] = cluster.now
            cluster.restart("n1")
            said["kept"] = cluster.ask("n1", ("kept",))
            cluster.cut("n0", "n1", one_way=True)
            times["cut"] = cluster.now
            cluster.sleep(0.8)
            times["healed"] = cluster.now
            cluster.heal()
            cluster.partition([["n0"], ["n1", "n2"]])
            times["parted"] = cluster.now
            cluster.sleep(0.8)
            times["joined"] = cluster.now
            cluster.heal()
            cluster.sleep(0.8)
            said["state"] = cluster.ask("n0", ("state",))
            said["pids"], said["condition"] = cluster.pids, cluster.condition
    return cluster.run, said, times


def test_everybody_talks_to_everybody(eventful):
    run, _, times = eventful
    everybody = {(a, b) for a in NAMES for b in NAMES if a != b}
    assert deliveries(run, (0.0, times["paused"])) == everybody
    assert deliveries(run, (times["joined"], run.until)) == everybody


def test_what_was_done_stands_in_the_trace(eventful):
    run, said, _ = eventful
    kinds = [Pause, Resume, Crash, Restart, CutLink, Heal, Partition, Heal]
    assert [type(fault) for fault in run.faults] == kinds
    assert [event.name for event in run.trace.select(kind="fault")] == [kind.__name__ for kind in kinds]
    assert list(run.trace.downtimes()) == ["n1"]
    assert said["condition"] == dict.fromkeys(NAMES, "up")
    assert not any(map(is_alive, said["pids"].values()))


def test_a_paused_process_does_nothing_and_then_what_has_waited(eventful):
    run, _, _ = eventful
    pause, resume = (run.trace.select(kind="fault", name=name)[0].time for name in ("Pause", "Resume"))
    assert not run.trace.select(kind=("deliver", "timer"), node="n2", between=(pause + 1e-6, resume))
    waited = [
        event
        for event in run.trace.select(kind="deliver", node="n2", between=(resume, resume + 1.0))
        if run.trace.select(kind="send", between=(pause, resume)).select(node=event.peer)
    ]
    assert waited


def test_a_killed_process_keeps_what_it_has_saved_and_nothing_else(eventful):
    run, said, times = eventful
    ((down, up),) = run.trace.downtimes()["n1"]
    assert times["paused"] < down < up
    assert not run.trace.select(kind=("deliver", "timer", "send"), node="n1", between=(down, up))
    assert (said["down"].outcome, said["down"].completed) == ("unknown", None)
    assert said["kept"].value == ("before",)
    assert "crashed" in run.trace.select(kind="drop").names
    assert run.at(up + 0.01).stored["n1"] == ("before",)


def test_a_cut_lets_nothing_through_in_its_direction(eventful):
    run, _, times = eventful
    through = deliveries(run, (times["cut"], times["healed"]))
    assert ("n0", "n1") not in through
    assert {("n1", "n0"), ("n0", "n2"), ("n2", "n1")} <= through
    now = run.at(times["healed"] - 0.01)
    assert now.cuts == (("n0", "n1"),)
    assert (now.can_talk("n0", "n1"), now.can_talk("n1", "n0")) == (False, True)
    assert "cut" in run.trace.select(kind="drop").names


def test_a_partition_parts(eventful):
    run, _, times = eventful
    assert deliveries(run, (times["parted"], times["joined"])) == {("n1", "n2"), ("n2", "n1")}


def test_no_message_arrives_before_it_is_sent_or_twice_and_none_is_unaccounted_for(eventful):
    run, _, _ = eventful
    sent = {event.message_id: event for event in run.trace.select(kind="send")}
    over = run.trace.select(kind=("deliver", "drop"))
    assert len({event.message_id for event in over}) == len(over)
    for event in over:
        begun = sent[event.message_id]
        assert begun.index < event.index
        assert begun.message == event.message
        assert (begun.peer, begun.node) == (event.node, event.peer)
    ended = {event.message_id for event in over}
    left = [event for key, event in sent.items() if key not in ended]
    assert all(event.time > run.until - 0.6 for event in left)


def test_its_states_are_those_that_the_processes_had(eventful):
    run, said, _ = eventful
    answer = said["state"]
    fields = run.at(answer.completed).nodes["n0"]
    assert (fields["ticks"], tuple(fields["heard"].items())) == answer.value
    assert run.at(0.45).nodes["n1"]["ticks"] > 0
    assert run.check(always(lambda now: all(node["ticks"] < 10_000 for node in now.nodes.values())))


def test_it_can_be_gone_through_again_and_not_be_changed(eventful):
    run, _, _ = eventful
    assert run.fork(1.0).digest() == run.digest()
    assert run.scenario.run(run.until).digest() == run.digest()
    with pytest.raises(ValueError, match="this run was live"):
        run.fork(1.0, Crash("n0", 1.5))
    with pytest.raises(TypeError, match=r"keep run.frame\(\) instead"):
        run.scenario.to_json()


def test_the_player_shows_it_and_offers_no_faults(eventful):
    run, _, _ = eventful
    assert pack(run)
    with pytest.raises(ValueError, match="was live"):
        fault_for({"do": "crash", "node": "n0"}, 1.0, run)
    assert len(run.frame()) == run.event_count


def test_a_process_is_small_and_loads_nothing_heavy():
    with LiveCluster(Heavy, NAMES) as cluster:
        leader = cluster.wait_for("leader", timeout=30.0)
        cluster.ask(leader, ("put", "x", 1))
        cluster.sleep(0.3)
        if sys.platform == "linux":
            assert max(map(memory, cluster.pids.values())) < MEGABYTES
    loaded = cluster.run.trace.select(kind="record", name="loaded")
    assert [event.detail["names"] for event in loaded] == [[]] * 3


IN_A_NOTEBOOK = """
import asyncio
from dataclasses import dataclass
from dscourse.live import LiveCluster
from dscourse.simulation import Node, Reply

@dataclass(frozen=True)
class Inner:
    text: str

@dataclass(frozen=True)
class Passed:
    inner: Inner
    by: tuple

@dataclass
class Disk:
    seen: list

FACTOR = 3

class Mine(Node):
    def on_start(self, ctx):
        self.disk = ctx.stored or Disk([])
        assert isinstance(self.disk, Disk)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Passed):
            assert isinstance(message.inner, Inner)
            self.disk.seen.append(message.inner.text * FACTOR)
            ctx.save(self.disk)
        elif message.operation == ("pass",):
            for peer in self.peers:
                ctx.send(peer, Passed(Inner("ab"), (self.node_id,)))
            ctx.send(sender, Reply(message.number, "ok"))
        else:
            ctx.send(sender, Reply(message.number, "ok", tuple(self.disk.seen)))

async def cell():          # Jupyter's event loop runs while a cell does
    with LiveCluster(Mine, ["a", "b"]) as cluster:
        cluster.ask("a", ("pass",))
        cluster.sleep(0.3)
        before = cluster.ask("b", ("read",)).value
        cluster.kill("b")
        cluster.restart("b")
        print(before, cluster.ask("b", ("read",)).value)
    run = cluster.run
    print(type(run.trace.select(kind="send", node="a", peer="b")[0].message) is Passed, run.at(run.until).nodes["b"]["disk"].seen)

asyncio.run(cell())
"""  # noqa: E501


def test_a_class_from_a_notebooks_cell_runs_inside_a_running_event_loop():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(IN_A_NOTEBOOK)], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.splitlines(), done.stderr) == (["('ababab',) ('ababab',)", "True ['ababab']"], "")


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (("fail",), "on_message of n1 raised ZeroDivisionError: asked for\n  live_nodes.py:"),
        (("leave",), "on_message of n1 raised SystemExit: 3"),
        (("too much",), "holds at most 60000 bytes, and this Tick to n0 has 70"),
    ],
)
def test_a_mistake_in_a_handler_is_told_with_its_line_and_the_run_so_far(operation, told):
    with pytest.raises(NodeError) as caught, LiveCluster(Ticker, NAMES) as cluster:  # noqa: PT012
        cluster.ask("n1", operation, timeout=0.1)
        cluster.sleep(10.0)
    assert told in str(caught.value)
    run = caught.value.run
    assert [type(fault) for fault in run.faults] == [Crash]
    assert run.at(run.until).condition["n1"] == "crashed"


def test_a_mistake_is_told_at_the_end_if_nobody_has_looked():
    with pytest.raises(NodeError, match="on_timer of a raised KeyError"), LiveCluster(Bomb, ["a"]) as cluster:  # noqa: PT012
        while cluster._processes["a"].is_alive:
            time.sleep(0.01)


def test_a_node_that_cannot_be_made_is_told_at_once():
    with pytest.raises(NodeError, match="node_factory of n0 raised RuntimeError: no n0 today"):
        LiveCluster(Unmakeable, NAMES).start()


def test_a_node_that_looks_at_another_clock_is_found_out():
    with LiveCluster(Ticker, NAMES) as cluster:
        cluster.ask("n0", ("clock",), timeout=0.2)
    with pytest.raises(NotDeterministic, match="n0 does another thing than in its process"):
        cluster.run.at(cluster.run.until)


def test_a_stray_datagram_is_dropped_and_counted():
    with LiveCluster(Asked, ["a", "b"]) as cluster, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for datagram in (b"hello", b"x" * 65_000, b'["b",0,1,0,"a",null]'):
            one.sendto(datagram, ("127.0.0.1", cluster.ports["a"]))
        assert cluster.ask("a", ("still", "there")).value == ("still", "there")
        assert cluster.strays == {"a": 3, "b": 0}
    assert not cluster.run.trace.select(kind="drop")


def test_clients_ask_by_themselves_and_a_graph_says_who_can_talk_to_whom():
    clients = [
        ClosedLoop((("a",), ("b", 1)), 0.02, "n1", timeout=2.0),
        OpenLoop((("c",),) * 5, 50.0, ["n0", "n2"], timeout=2.0, arrivals="regular"),
    ]
    with LiveCluster(Asked, topology.star(3), clients=clients) as cluster:
        cluster.sleep(0.6)
        assert cluster.ask("n1", ("x",)).client == "c2"
    history = cluster.run.history()
    assert [one.value for one in history if one.client == "c0"] == [("a",), ("b", 1)]
    assert [one.to for one in history if one.client == "c1"] == ["n0", "n2", "n0", "n2", "n0"]
    assert all(one.outcome == "ok" and one.latency > 0 for one in history)
    assert cluster.run.scenario.network.peers("n1") == ("n0",)


def test_a_detectors_quality_is_measured_on_what_it_records():
    with LiveCluster(partial(HeartbeatDetector, interval=0.2, timeout=1.0), NAMES) as cluster:
        cluster.sleep(0.5)
        cluster.kill("n2")
        cluster.sleep(2.0)
    assert cluster.run.clients == ()
    quality = detector_quality(cluster.run)
    assert 0.5 < quality.detection_time < 2.0
    assert quality.undetected == 0


@pytest.mark.parametrize(
    ("platform", "word"), [("win32", "SIGSTOP"), ("emscripten", "in a browser"), ("wasi", "in a browser")]
)
def test_where_there_are_no_processes_it_says_what_is_missing(monkeypatch, platform, word):
    monkeypatch.setattr(sys, "platform", platform)
    assert word in what_is_missing()
    assert "simulator" in what_is_missing()
    with pytest.raises(LiveUnavailable, match=word):
        LiveCluster(Asked, ["a", "b"])


def test_what_cannot_be_done_is_refused():
    with LiveCluster(Asked, ["a", "b"]) as cluster:
        for act, told in (
            (lambda: cluster.kill("c"), "c"),
            (lambda: cluster.restart("a"), "node must be crashed, got a, which is up"),
            (lambda: cluster.resume("a"), "node must be paused, got a, which is up"),
            (lambda: cluster.cut("a", "x"), "x"),
            (lambda: cluster.ask("a", ["list"]), "list"),
            (lambda: cluster.wait_for("king", timeout=0.05), "no node has become 'king' within 0.05 s"),
        ):
            with pytest.raises((LookupError, ValueError, TypeError, TimeoutError), match=told):
                act()
        cluster.kill("a")
        with pytest.raises(ValueError, match="node must be up or paused, got a, which is crashed"):
            cluster.kill("a")
    with pytest.raises(TypeError, match="can't be sent to another process"):
        LiveCluster(partial(Asked, lock=threading.Lock()), ["a"])
