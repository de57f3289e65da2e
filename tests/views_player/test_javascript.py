"""The player's JavaScript: its own tests, and its eyes against the kernel's."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from dscourse.views.player import bundle
from dscourse.views.player.scene import scene_at

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None, reason="Node.js is not installed; the player's JavaScript is not tested"
)
HERE = Path(__file__).parent


@needs_node
def test_its_own_tests_pass():
    command = [NODE, "--test", HERE / "player.test.mjs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


@needs_node
def test_the_bundle_is_one_module_that_renders(tmp_path):
    (tmp_path / "bundle.mjs").write_text(bundle.javascript(), "utf-8")
    script = (
        "import(process.argv[1]).then((m) => process.exit(typeof m.default.render === 'function' ? 0 : 1))"
    )
    done = subprocess.run(
        [NODE, "-e", script, tmp_path / "bundle.mjs"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_module_stands_in_the_bundle():
    files = {path.stem for path in (bundle.HERE / "js").iterdir()}
    assert files == set(bundle.ORDER)


def test_text_never_becomes_html():
    for name in bundle.ORDER:
        source = (bundle.HERE / "js" / f"{name}.mjs").read_text("utf-8")
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "DOMParser",
            "http://",
            "https://",
        ):
            assert way not in source.replace("http://www.w3.org/2000/svg", ""), (name, way)


def moments_of(run, count=40):
    """Moments at random, at events, at faults and just before them, and the first of the run."""
    luck = random.Random(5)
    last = round(run.until * 1e6)
    times = [int(time) for time in run.trace.time_us]
    faults = [event.time_us for event in run.trace.select(kind="fault")]
    chosen = [luck.randrange(last) for _ in range(count)] + [luck.choice(times) for _ in range(count)]
    return sorted({*chosen, *times[:100], *faults, *(max(0, time - 1) for time in faults), 0, last})


@pytest.fixture(scope="module")
def told(run, peek):
    """The moments looked at, the events asked about, and what the JavaScript says of them."""
    moments = moments_of(run)
    events = sorted(random.Random(11).sample(range(len(run.trace)), 25))
    return moments, events, peek(run, moments, events)


def test_the_browser_sees_what_the_kernel_saw(run, told):
    moments, _, answer = told
    for t, seen in zip(moments, answer["seen"], strict=True):
        truth = run.at(t / 1e6)
        for node in run.nodes:
            shown = seen["nodes"][node]
            condition = "crashed" if shown["down"] else "paused" if shown["paused"] else "up"
            assert condition == truth.condition[node], (t, node)
            status = truth.status.get(node)
            expected = ("up", "") if status is None else (status.status, status.label or "")
            if not shown["down"]:
                assert (shown["status"], shown["label"]) == expected, (t, node)
            assert shown["suspectedBy"] == sum(node in peers for peers in truth.suspicions.values()), (
                t,
                node,
            )
            if run.scenario.network.graph.nodes[node].get("service_time") is not None:
                assert shown["queue"] == truth.queue_length[node], (t, node)
        assert {tuple(pair) for pair in seen["cut"]} == set(truth.cuts), t
        moving = sorted((m.sender, m.to, round(m.sent * 1e6)) for m in truth.in_flight)
        assert sorted((a, b, sent) for a, b, sent, *_ in seen["flights"]) == moving, t


def test_the_still_picture_sees_the_same(run, told):
    moments, _, answer = told
    for t, seen in list(zip(moments, answer["seen"], strict=True))[::5]:
        scene = scene_at(run, t)
        for node, state in scene.nodes.items():
            shown = seen["nodes"][node]
            drawn = (state.look, state.label, state.suspected_by, state.peers)
            assert drawn == (shown["look"], shown["label"], shown["suspectedBy"], shown["peers"]), (t, node)
        drawn = sorted((f.sender, f.to, f.sent) for f in scene.flights if f.reason is None)
        assert drawn == sorted((a, b, sent) for a, b, sent, *_ in seen["flights"]), t
        assert [band.label for band in scene.bands] == seen["bands"], t


def test_the_causal_past_is_the_kernels(run, told):
    _, events, answer = told
    for event, causes in zip(events, answer["causes"], strict=True):
        assert causes == run.trace.causes(event).indices.tolist(), event


def test_every_event_arrives(run, told):
    events = list(run.trace)
    assert len(told[2]["rows"]) == len(events)
    for row, event in zip(told[2]["rows"], events, strict=True):
        assert row[:4] == [event.time_us, event.kind, event.node or "", event.peer or ""]
        assert row[4] == (type(event.message).__name__ if event.kind == "drop" else event.name)


def test_every_moment_can_be_told(told):
    for seen in told[2]["seen"]:
        assert seen["words"].endswith(".")
        assert not any(slip in seen["words"] for slip in ("undefined", "null", "NaN", "[object"))


def test_a_message_in_the_picture_moves_from_its_sending_to_its_arrival(calm, peek):
    send = next(e for e in calm.trace.select(kind="send") if e.time > 1)
    arrival = next(e for e in calm.trace.select(kind="deliver") if e.message_id == send.message_id)
    quarter = send.time_us + (arrival.time_us - send.time_us) // 4
    flights = peek(calm, [send.time_us, quarter, arrival.time_us - 1, arrival.time_us])["seen"]
    parts = [
        [f[4] for f in seen["flights"] if f[:3] == [send.node, send.peer, send.time_us]] for seen in flights
    ]
    assert parts == [[0], [pytest.approx(0.25, abs=1e-3)], [pytest.approx(1, abs=1e-3)], []]
