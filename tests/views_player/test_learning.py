"""What makes a player a lesson: hidden faults, tasks, lanes, single messages; and it lets go of what is over."""

import json
import zlib
from dataclasses import dataclass

import numpy as np
import pytest

from dscourse import progress
from dscourse.simulation import (
    Byzantine,
    ClosedLoop,
    Corrupt,
    Crash,
    DelayMessage,
    Exponential,
    LoseMessage,
    Lossy,
    RepeatMessage,
    Reply,
    Silent,
    Slow,
)  # fmt: skip
from dscourse.simulation.behaviours import behaviour_in_words
from dscourse.views import Task, Visit, lanes, play
from dscourse.views.player.commands import fault_for
from dscourse.views.player.payload import in_words, pack
from dscourse.views.player.scene import scene_at

from .conftest import RUNS, Rumour, restless


def order(player, **command):
    player._on_command(player, command, [])


def act(player, at, **what):
    order(player, type="act", act=what, time=round(at * 1e6))


def header_of(payload):
    block = zlib.decompress(payload)
    return json.loads(block[4 : 4 + int.from_bytes(block[:4], "little")])


# ── Faults that are hidden ────────────────────────────────────────────────────────────────────────────────────────

SECRETS = ("crash", "pause", "cut", "lost", "slow", "drift", "partition", "Lossy", "twice", "late", " | ")


@pytest.mark.parametrize("name", [name for name in RUNS if name not in ("calm", "clients")])
def test_nothing_that_is_sent_or_drawn_tells_of_a_hidden_fault(name):
    player = play(RUNS[name](), hide_faults=True)
    header = header_of(player.payload)
    assert header["bands"] == []
    told = (
        json.dumps([header[key] for key in ("types", "texts", "marks", "lies")])
        + player.code
        + player.picture().alt
    )
    assert not [word for word in SECRETS if word in told]
    order(player, type="fields", time=1_000_000)
    assert (player.fields, "Reveal" in player.problem) == ("", True)
    order(player, type="reveal")
    assert player.payload == pack(player.run)
    assert header_of(player.payload)["bands"]


@pytest.mark.parametrize("name", ["crashes", "pauses", "cuts", "weather", "queues"])
def test_page_and_still_picture_hide_the_same(name, peek, monkeypatch):
    run = RUNS[name]()
    hidden = frozenset(run.faults)
    monkeypatch.setattr("tests.views_player.conftest.pack", lambda run: pack(run, hidden))
    moments = [300_000, 1_000_000, 1_234_567, 2_100_000, 3_400_000, 4_000_000]
    for t, seen in zip(moments, peek(run, moments)["seen"], strict=True):
        scene = scene_at(run, t, hidden)
        for node, state in scene.nodes.items():
            shown = seen["nodes"][node]
            drawn = (state.look, state.label, state.suspected_by, state.peers)
            assert drawn == (shown["look"], shown["label"], shown["suspectedBy"], shown["peers"]), (t, node)
        assert seen["bands"] == [] == scene.bands
        assert seen["cut"] == []


def test_the_learners_own_faults_are_shown_beside_hidden_ones(calm):
    mystery = calm.fork(3.0, Crash("n2", at=3.0))
    player = play(mystery, hide_faults=True)
    act(player, 4.0, do="crash", node="n0")
    assert [band["label"] for band in header_of(player.payload)["bands"]] == ["n0 crashed"]
    assert "n2 crashed" not in player.picture().alt
    assert "n0 crashed" in player.picture().alt
    assert header_of(player.before)["bands"] == []
    slow = play(calm.fork(1.0, Slow(3.0, at=1.0, node="n2")), hide_faults=True)
    act(slow, 2.0, do="full speed", node="n2")
    assert slow.problem == "n2 isn't slow at 2 s."


# ── Tasks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "progress"))


def crashed(run):
    return any(isinstance(fault, Crash) for fault in run.faults)


def test_a_task_is_ticked_by_what_was_done_and_stays_ticked(calm):
    tasks = [
        Task("test.crash", "Crash a node", crashed),
        Task("test.visit", "Look back", [Visit(7, 9), Visit(0, 1)]),
    ]
    player = play(calm, tasks=tasks)
    assert player.done == ()
    act(player, 2.0, do="pause", node="n0")
    assert player.done == ()
    act(player, 3.0, do="crash", node="n0")
    assert player.done == ("test.crash",)
    assert [task["done"] for task in json.loads(player.tasks)] == [True, False]
    assert [task["visits"] for task in json.loads(player.tasks)] == [
        [],
        [[7_000_000, 9_000_000], [0, 1_000_000]],
    ]
    order(player, type="undo", index=None)
    order(player, type="visited", name="test.visit")
    assert player.done == ("test.crash", "test.visit")
    assert progress.tasks_done() == ("test.crash", "test.visit")
    assert play(calm, tasks=tasks).done == ("test.crash", "test.visit")
    order(player, type="visited", name="test.other")
    assert "test.other" in player.problem


def test_what_is_to_be_visited_may_depend_on_the_run(calm):
    task = Task("test.find", "Find it", lambda run: Visit(3, 4) if crashed(run) else ())
    player = play(calm, tasks=[task])
    assert json.loads(player.tasks)[0]["visits"] == []
    act(player, 2.0, do="crash", node="n0")
    assert player.done == ()
    assert json.loads(player.tasks)[0]["visits"] == [[3_000_000, 4_000_000]]
    order(player, type="undo", index=None)
    assert json.loads(player.tasks)[0]["visits"] == []


@pytest.mark.parametrize("done", [None, 3, [], [3], "later"])
def test_a_task_that_nothing_can_tick_is_refused(done):
    with pytest.raises(TypeError, match="done must be"):
        Task("test.task", "Do it", done)


def test_play_refuses_what_are_no_tasks_or_lanes(calm):
    with pytest.raises(TypeError, match="tasks must be"):
        play(calm, tasks=["crash it"])
    with pytest.raises(TypeError, match="lanes must be"):
        play(calm, lanes=["throughput"])
    with pytest.raises(TypeError, match="hide_faults must be"):
        play(calm, hide_faults="yes")


# ── Lanes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def value_at(lane, seconds):
    return [value for time, value in lane["points"] if time <= seconds * 1e6][-1]


def test_lanes_tell_what_the_trace_tells():
    client = ClosedLoop([("get", "x")] * 60, 0.05, to="n0", timeout=1.0)
    run = restless(clients=[client], client_latency=Exponential(0.1))
    done = list(run.trace.select(kind=["ok", "fail"]))
    width = run.until / 120
    throughput = lanes.throughput().drawn(run)
    counts = [sum(int(event.time / width) == bucket for event in done) for bucket in range(120)]
    for bucket, count in enumerate(counts):
        assert value_at(throughput, (bucket + 0.5) * width) == pytest.approx(count / width, rel=0.01)
    assert len(throughput["points"]) < 120
    longest = float(np.median(run.latencies()))
    quick = lanes.goodput(longest).drawn(run)
    for bucket in range(120):
        soon = sum(
            int(e.time / width) == bucket and e.kind == "ok" and e.detail["seconds"] <= longest for e in done
        )
        assert value_at(quick, (bucket + 0.5) * width) == pytest.approx(soon / width, rel=0.01)
    latency = lanes.latency(0.5).drawn(run)
    bucket = counts.index(max(counts))
    took = [e.detail["seconds"] for e in done if e.kind == "ok" and int(e.time / width) == bucket]
    assert value_at(latency, (bucket + 0.5) * width) == pytest.approx(np.median(took), rel=0.01)


def test_a_lane_may_look_back_over_some_seconds():
    client = ClosedLoop([("get", "x")] * 60, 0.05, to="n0", timeout=1.0)
    run = restless(clients=[client], client_latency=Exponential(0.1))
    done = [(e.time, e.detail["seconds"]) for e in run.trace.select(kind="ok")]
    width = run.until / 120
    rate, median = (
        lanes.throughput(over=10 * width).drawn(run),
        lanes.latency(0.5, over=10 * width).drawn(run),
    )
    for bucket in (20, 45, 60):
        lately = [seconds for time, seconds in done if bucket - 9 <= int(time / width) <= bucket]
        assert value_at(rate, (bucket + 0.5) * width) == pytest.approx(len(lately) / (10 * width), rel=0.01)
        assert value_at(median, (bucket + 0.5) * width) == pytest.approx(np.median(lately), rel=0.01)
    with pytest.raises(ValueError, match="over must be above 0"):
        lanes.throughput(over=0)


def test_the_lane_of_a_queue_is_as_long_as_the_queue():
    run = RUNS["queues"]()
    lane = lanes.queue("n1").drawn(run)
    for bucket in range(0, 120, 7):
        moment = (bucket + 0.5) * run.until / 120
        assert value_at(lane, moment) >= run.at(moment).queue_length["n1"]
    assert lane["most"] == max(run.at(t).queue_length["n1"] for t in np.arange(0, run.until, 0.01))
    with pytest.raises(ValueError, match="node must be one of"):
        lanes.queue("n9").drawn(run)


def test_a_series_of_ones_own_ends_where_the_learner_changes_the_run(calm):
    player = play(calm, lanes=[lanes.series("inevitability", [(0, 0.0), (3, 0.25), (5, 1.0)])])
    assert header_of(player.payload)["lanes"][0]["points"] == [[0, 0.0], [3_000_000, 0.25], [5_000_000, 1.0]]
    act(player, 4.0, do="crash", node="n0")
    assert header_of(player.payload)["lanes"][0]["points"] == [[0, 0.0], [3_000_000, 0.25], [4_000_000, None]]


def test_lanes_take_few_bytes():
    run = RUNS["clients"]()
    plain = len(pack(run))
    assert len(pack(run, lanes=[lanes.throughput(), lanes.latency(0.99)])) < plain + 600


# ── More that can go wrong ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ({"do": "lose", "a": "n0", "b": "n1", "number": 2}, LoseMessage("n0", "n1", 2)),
        ({"do": "repeat", "a": "n0", "b": "n1", "number": 2}, RepeatMessage("n0", "n1", 2)),
        ({"do": "delay", "a": "n0", "b": "n1", "number": 2, "by": 1}, DelayMessage("n0", "n1", 2, by=1.0)),
        ({"do": "lossy"}, Lossy(0.5, at=2.0)),
        ({"do": "lossy", "a": "n0", "b": "n1"}, Lossy(0.5, at=2.0, link=("n0", "n1"))),
        ({"do": "slow", "a": "n0", "b": "n1"}, Slow(10.0, at=2.0, link=("n0", "n1"))),
    ],
)
def test_what_is_done_to_messages_and_links_is_shown_copied_and_undone(calm, what, fault):
    player = play(calm)
    act(player, 2.0, **what)
    assert (player.problem, player.faults) == ("", (fault,))
    assert [band["from"] < band["to"] for band in header_of(player.payload)["bands"]] == [True]
    names = {"calm": calm}
    exec(player.code, names)
    assert names["forked"].digest() == player.run.digest() != calm.digest()
    order(player, type="undo", index=None)
    assert player.run is calm


def test_a_loss_and_a_slow_link_end(calm):
    player = play(calm)
    act(player, 1.0, do="lossy")
    act(player, 1.0, do="lossy", a="n0", b="n1")
    act(player, 1.0, do="slow", a="n0", b="n1")
    act(player, 2.0, do="no loss")
    act(player, 2.0, do="full speed", a="n1", b="n0")
    assert set(player.faults) == {
        Lossy(0.5, at=1.0, until=2.0),
        Lossy(0.5, at=1.0, link=("n0", "n1")),
        Slow(10.0, at=1.0, until=2.0, link=("n0", "n1")),
    }


@dataclass(frozen=True)
class Unworded:
    rate: float = 0.5


def test_lies_are_told_in_words_and_any_node_may_be_given_those_that_play_was_given(calm):
    from dscourse.fault_tolerance import SayAnotherValue

    player = play(calm, lies=[Silent(to="n1"), SayAnotherValue()])
    assert header_of(player.payload)["lies"] == ["says nothing to n1", "says another value"]
    act(player, 2.0, do="lie", node="n3", number=1)
    assert player.faults == (Byzantine("n3", SayAnotherValue(), at=2.0),)
    assert header_of(player.payload)["bands"][0]["label"] == "n3 says another value"
    told = header_of(player.payload)["texts"]
    assert any("it says another value" in text for text in told)
    assert not any("SayAnotherValue" in text for text in told)
    names = {}
    exec(player.code, {"calm": calm}, names)
    assert names["forked"].digest() == player.run.digest()
    assert behaviour_in_words(Unworded()) == "behaves as Unworded(rate=0.5)"
    with pytest.raises(TypeError, match="lies must be a list of registered behaviours"):
        play(calm, lies=Silent())


def test_a_lie_that_the_run_names_is_told_by_any_node(calm):
    run = calm.fork(1.0, Byzantine("n0", Corrupt(), at=1.0))
    player = play(run)
    assert header_of(player.payload)["lies"] == ["spoils what it sends"]
    act(player, 2.0, do="lie", node="n3", number=0)
    assert player.faults == (Byzantine("n3", Corrupt(), at=2.0),)
    names = {"run": run}
    exec(player.code, names)
    assert names["forked"].digest() == player.run.digest()


def test_a_script_takes_no_faults(calm, monkeypatch):
    monkeypatch.setattr(type(calm.scenario), "is_script", True)
    monkeypatch.setattr(type(calm.scenario), "takes_faults", False)
    assert header_of(pack(calm))["takesFaults"] is False
    with pytest.raises(ValueError, match="script of single steps"):
        fault_for({"do": "crash", "node": "n0"}, 1.0, calm)


def test_messages_are_told_in_words():
    assert in_words(Rumour(3, "n0")) == "Rumour: number 3, about n0"
    assert (
        in_words(Reply(1, "ok", (True, None, 0.1 + 0.2)))
        == "Reply: number 1, outcome ok, value (yes, none, 0.3)"
    )
