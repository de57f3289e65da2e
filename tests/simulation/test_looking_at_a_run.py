"""Trace, moments, recordings, properties: questions to a run."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import dscourse
from dscourse.detection import PingDetector
from dscourse.simulation import (
    KINDS,
    Constant,
    Crash,
    CutLink,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    Reply,
    Restart,
    Scenario,
    Status,
    Trace,
    always,
    eventually,
    never,
    sometimes,
    topology,
)


@dataclass(frozen=True)
class Hello:
    number: int


class Chain(Node):
    """n0 says hello to n1 every second, n1 tells n2, n2 records it. n3 talks to nobody."""

    def __init__(self, node_id, peers):
        self._id = node_id
        self.number = 0
        self.doubts = []

    @property
    def is_busy(self):
        return self.number > 1

    @property
    def unready(self):
        raise ValueError("not yet")

    def on_start(self, ctx):
        if self._id in ("n0", "n3"):
            ctx.set_timer("tick", 1.0)

    def on_timer(self, ctx, name):
        self.number += 1
        if self._id == "n0":
            ctx.send("n1", Hello(self.number))
        ctx.set_timer("tick", 1.0)

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Hello):
            ctx.send(sender, Reply(message.number, "ok", self.number))
            return
        self.number = message.number
        if self._id == "n1":
            ctx.send("n2", message)
        else:
            self.doubts.append(message.number)
            ctx.record("status", status="informed", label=f"knows {message.number}", more=(1, {"a": None}))
            ctx.record("suspect" if message.number % 2 else "trust", peer="n0")


def chain(*faults, until=4.0, clients=()):
    network = Network(topology.full_mesh(4), latency=Constant(0.25))
    return Scenario(Chain, network, faults=faults, clients=clients).run(until)


@pytest.fixture(scope="module")
def run():
    return chain(Crash("n2", at=2.75))


# ── Trace ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_select_answers_messages_from_n0_to_n1_between_two_and_three_seconds(run):
    sent = run.trace.select(kind="send", node="n0", peer="n1", between=(2.0, 3.0))
    assert [(event.time, event.message) for event in sent] == [(2.0, Hello(2))]
    assert len(run.trace.select(between=(2.0, 2.0))) == 0
    assert run.trace.select(kind=("send", "deliver"), node=["n1"]).times == [
        1.25,
        1.25,
        2.25,
        2.25,
        3.25,
        3.25,
    ]
    assert run.trace.select(name="status").names == {"status"}
    assert run.trace.select(kind="record").select(node="n2", between=(2.0, 9.0)).select(
        name="trust"
    ).times == [2.5]


def test_a_selection_is_a_sequence_and_shows_itself_in_words(run):
    sent = run.trace.select(kind="send")
    assert (len(sent), len(sent[1:3]), sent[0].kind, sent[-1].node) == (6, 2, "send", "n1")
    assert not run.trace.select(kind="unknown")
    assert repr(sent).splitlines()[:2] == ["6 events", "1 s: n0 sends Hello(number=1) to n1"]
    assert "… and" in repr(run.trace)
    assert isinstance(sent.indices, np.ndarray)
    assert repr(sent[0]) == f"<{sent[0].index}: 1 s: n0 sends Hello(number=1) to n1>"


@pytest.mark.parametrize(
    ("question", "kind", "words"),
    [
        ({"kind": "sent"}, LookupError, "did you mean 'send'"),
        ({"node": "n9"}, LookupError, "there is no node 'n9'"),
        ({"peer": "x"}, LookupError, "there is no node 'x'"),
        ({"between": (3.0, 2.0)}, ValueError, "forward in time"),
        ({"between": 3.0}, TypeError, "two times in seconds"),
        ({"between": (-1.0, 2.0)}, ValueError, "at least 0"),
    ],
)
def test_questions_that_make_no_sense_are_refused(run, question, kind, words):
    with pytest.raises(kind, match=words):
        run.trace.select(**question)


def test_events_say_what_happened_in_words():
    client = OpenLoop(["how many?", "again"], 1.0, "n1", timeout=0.5, start=0.5, arrivals="regular")
    faults = [
        CutLink("n1", "n2", at=0.0, until=1.5, one_way=True),
        Crash("n1", at=1.5, restart_at=2.0),
        Restart("n0", at=3.0),
    ]
    words = [event.text for event in chain(*faults, until=3.1, clients=[client]).trace]
    for expected in (
        "0 s: the link n1 → n2 is cut",
        "0.5 s: c0 asks n1: how many?",
        "0.5 s: c0 has its answer to 'how many?' from n1: 0",
        "1 s: timer 'tick' of n0 is due",
        "1.25 s: n1 gets Hello(number=1) from n0",
        "1.25 s: Hello(number=1) from n1 to n2 is dropped: cut",
        "1.5 s: n1 crashes",
        "1.5 s: end of: the link n1 → n2 is cut",
        "2 s: c0 gives up waiting for 'again' from n1",
        "2 s: end of: n1 crashes",
        "2.5 s: n2 records trust: peer='n0'",
        "3 s: n0 restarts (without effect)",
    ):
        assert expected in words


def test_the_frame_has_one_row_an_event(run):
    frame = run.frame()
    assert list(frame.columns) == ["time", "kind", "node", "peer", "message", "detail", "message_id"]
    assert len(frame) == len(run.trace)
    row = frame[frame.kind == "deliver"].iloc[0]
    assert row.to_dict() == {
        "time": 1.25, "kind": "deliver", "node": "n1", "peer": "n0", "message": "Hello(number=1)", "detail": "",
        "message_id": run.trace[int(row.name)].message_id,
    }  # fmt: skip
    assert frame[frame.kind == "record"].detail.iloc[1] == 'suspect {"peer": "n0"}'
    assert frame[frame.kind == "fault"].detail.iloc[0].startswith("Crash start")
    assert frame[frame.kind == "drop"].detail.tolist() == ["crashed"]
    assert frame.message_id[frame.kind == "timer"].isna().all()


def test_columns_hold_the_same_as_the_events(run):
    trace = run.trace
    assert trace.ids == ("n0", "n1", "n2", "n3")
    for event in trace:
        i = event.index
        assert trace.time_us[i] == event.time_us
        assert KINDS[trace.kind_code[i]] == event.kind
        assert (trace.names[i], trace.details[i], trace.messages[i]) == (
            event.name,
            event.detail,
            event.message,
        )
        assert (trace.ids[trace.node_code[i]] if trace.node_code[i] >= 0 else None) == event.node
        assert trace.message_id[i] == (-1 if event.message_id is None else event.message_id)


def test_causes_are_the_causal_past_and_nothing_else():
    run = chain()
    record = run.trace.select(kind="record", name="status")[1]
    past = run.trace.causes(record)
    assert past[-1].index == record.index
    assert {event.node for event in past} == {"n0", "n1", "n2"}  # n3 ticks all the time and has no part in it
    assert [e.message.number for e in past.select(kind="send", node="n0")] == [1, 2]
    assert past.select(kind="timer", node="n0").times == [1.0, 2.0]
    alone = run.trace.causes(run.trace.select(node="n3")[2])
    assert {event.node for event in alone} == {"n3"}


def test_what_silence_brought_about_is_no_cause_and_the_docstring_says_so():
    def suspects(faults):
        nodes = partial(PingDetector, interval=1.0, timeout=0.5)
        run = Scenario(nodes, Network(topology.full_mesh(2), latency=0.01), faults=faults).run(6.0)
        return run, run.trace.select(kind="record", node="n0", name="suspect")

    run, suspicions = suspects([Crash("n1", at=2.5)])
    assert suspicions
    assert not suspects([])[1]  # so the crash had an influence
    assert not run.trace.causes(suspicions[0]).select(kind="fault")
    assert "by silence" in Trace.causes.__doc__
    player = Path(dscourse.__file__).parent / "views" / "player" / "js" / "diagram.mjs"
    assert "Nothing else can have influenced" not in player.read_text(encoding="utf-8")


def test_the_cause_of_a_lost_message_is_its_sending():
    run = chain(CutLink("n1", "n2", at=0.0))
    drop = run.trace.select(kind="drop")[0]
    past = run.trace.causes(drop)
    assert [event.kind for event in past][-2:] == ["send", "drop"]
    assert {event.node for event in past[:-1]} == {"n0", "n1"}
    assert [event.kind for event in run.trace.causes(run.trace.select(kind="fault")[0])] == ["fault"]


# ── Moments ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moment_shows_public_fields_and_properties_of_nodes_that_are_not_down(run):
    moment = run.at(2.5)
    assert moment.nodes["n2"] == {"number": 2, "doubts": [1, 2], "is_busy": True}
    assert moment.time == 2.5
    later = run.at(3.0)
    assert set(later.nodes) == {"n0", "n1", "n3"}
    with pytest.raises(LookupError, match=r"n2 is down at 3 s and remembers nothing"):
        later.nodes["n2"]
    with pytest.raises(LookupError, match="there is no node 'n8'"):
        later.nodes["n8"]


def test_what_a_moment_shows_is_a_copy(run):
    run.at(2.5).nodes["n2"]["doubts"].append("changed")
    assert run.at(2.5).nodes["n2"]["doubts"] == [1, 2]


def test_status_and_suspicions_follow_the_records_and_a_crash_forgets_them(run):
    assert run.at(1.0).status == {}
    assert run.at(1.5).status == {"n2": Status("informed", "knows 1")}
    assert run.at(1.5).suspicions == {"n2": ("n0",)}
    assert run.at(2.5).suspicions == {}  # trusted again
    assert run.at(2.75).status == {}
    crashed_suspicious = chain(Crash("n2", at=1.75)).at(2.0)
    assert crashed_suspicious.suspicions == {}


def test_timers_faults_in_force_and_words(run):
    moment = run.at(2.8)
    assert moment.timers == {"n0": {"tick": 3.0}, "n3": {"tick": 3.0}}
    assert moment.faults == (Crash("n2", at=2.75),)
    assert moment.condition == {"n0": "up", "n1": "up", "n2": "crashed", "n3": "up"}
    assert "n2: crashed" in repr(moment)
    assert "in force: n2 crashes" in repr(moment)
    with pytest.raises(LookupError, match="there is no node 'n9'"):
        moment.can_talk("n0", "n9")


@pytest.mark.parametrize("t", [-1.0, 4.5, float("nan")])
def test_a_moment_outside_the_run_is_refused(run, t):
    with pytest.raises(ValueError, match=r"must be at least 0|ends at 4 s|finite"):
        run.at(t)


def test_a_recording_tells_every_change(run):
    recording = run.recording()
    changes = [(c.time, c.node, c.fields, c.gone) for c in recording.changes if c.node == "n2"]
    assert changes == [
        (0.0, "n2", {"number": 0, "doubts": [], "is_busy": False}, ()),
        (1.5, "n2", {"number": 1, "doubts": [1]}, ()),
        (2.5, "n2", {"number": 2, "doubts": [1, 2], "is_busy": True}, ()),
        (2.75, "n2", {}, ("number", "doubts", "is_busy")),
    ]
    last_row = run.trace.select(kind="record", between=(1.5, 1.6))[-1].index
    assert [change.node for change in recording.changed_at(last_row)] == ["n2"]
    assert recording.fields_at(2.6)["n2"]["doubts"] == [1, 2]
    assert "n2" not in recording.fields_at(3.0)


class Thing:
    """Has no equality of its own."""

    def __init__(self):
        self.parts = {"a": []}


class Odd(Chain):
    """Its public fields are hard to copy and to compare."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.array = np.zeros(3)
        self.thing = Thing()
        if node_id == "n1":
            self.generator = (i for i in range(3))

    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        if self.number == 2:
            self.array[1] = 5.0
        if self.number == 3:
            self.thing.parts["a"].append(1)


def test_a_recording_copes_with_fields_that_have_no_equality_or_can_not_be_copied():
    network = Network(topology.full_mesh(2), latency=Constant(0.25))
    run = Scenario(Odd, network, faults=[CutLink("n0", "n1", at=0)]).run(4.0)
    changed = [(c.time, sorted(c.fields)) for c in run.recording().changes if c.node == "n0"][1:]
    assert changed == [(1.0, ["number"]), (2.0, ["array", "is_busy", "number"]), (3.0, ["number", "thing"])]
    assert "generator" in run.at(0.2).nodes["n1"]["generator"]


# ── Properties ────────────────────────────────────────────────────────────────────────────────────────────────


def test_always_and_never(run):
    assert run.check(
        always(lambda now: now.nodes["n1"]["number"] < 9), never(lambda now: now.nodes["n1"]["number"] > 8)
    )
    verdicts = run.check(always(lambda now: now.nodes["n1"]["number"] < 2, name="n1 knows little"))
    assert not verdicts
    (verdict,) = verdicts
    assert (verdict.holds, verdict.time, verdict.nodes) == (False, 2.25, ("n1", "n0"))
    assert run.trace[verdict.index].text in verdict.text
    lines = verdict.text.splitlines()
    assert lines[0] == "always(n1 knows little): violated at 2.25 s, with n1, n0 taking part."
    assert "  → 2.25 s: n1 gets Hello(number=2) from n0" in lines
    assert "    2 s: n0 sends Hello(number=2) to n1" in lines
    (verdict,) = run.check(never(lambda now: now.nodes["n1"]["number"] == 2))
    assert verdict.time == 2.25


def test_sometimes():
    run = chain()
    (verdict,) = run.check(sometimes(lambda now: len(now.in_flight) > 0, name="a message in flight"))
    assert (bool(verdict), verdict.time) == (True, 1.0)
    (verdict,) = run.check(sometimes(lambda now: "n9" in now.nodes))
    assert verdict.text == "sometimes(the property): violated. It never was true in the run of 4 s."


def test_eventually_after_a_time_and_to_stay():
    run = chain(Partition([["n1"]], at=0.5, until=2.5))

    def told(now):
        return now.nodes["n2"]["number"] > 0

    (verdict,) = run.check(eventually(told, after=2.5))
    assert verdict.text == "eventually(told): holds; true at 3.5 s."
    (verdict,) = run.check(eventually(lambda now: now.time < 1.0, after=2.5))
    assert (
        verdict.text
        == "eventually(the property): violated. It never was true at or after 2.5 s in the run of 4 s."
    )

    def odd(now):
        return now.nodes["n3"]["number"] % 2 == 1

    assert run.check(eventually(odd, after=1.5))
    assert run.check(eventually(odd, after=1.5, stays=True))  # 3 at 3.0 s, and the run ends before 4
    assert run.check(eventually(odd, after=1.5, stays=True))[0].time == 3.0
    assert not chain(until=2.5).check(eventually(odd, after=0.5, stays=True))


def test_a_predicate_sees_the_event_just_past_and_the_trace(run):
    seen = []

    def look(now):
        seen.append((now.time, now.event and now.event.text, now.trace is run.trace))
        return True

    assert run.check(always(look))
    assert (1.0, "1 s: timer 'tick' of n0 is due", True) in seen
    assert all(traced for *_, traced in seen)
    assert any(text == "2.75 s: n2 crashes" for _, text, _ in seen)


def test_live_moments_agree_with_those_of_at():
    run = chain(
        Pause("n1", at=1.1, until=1.9), Crash("n2", at=2.6, restart_at=2.9), CutLink("n0", "n1", at=2.1)
    )
    seen = {}

    def look(now):
        seen[now.time] = everything(now)
        return True

    run.check(always(look))
    assert len(seen) > 10
    for time, state in seen.items():
        assert state == everything(run.at(time))


def everything(now):
    on_the_way = (now.in_flight, now.waiting, now.timers)
    return (
        dict(now.nodes),
        now.condition,
        now.cuts,
        now.faults,
        now.status,
        now.suspicions,
        now.clock,
        *on_the_way,
    )


def test_verdicts_speak_for_themselves(run):
    verdicts = run.check(
        always(lambda now: True, name="all is well"), sometimes(lambda now: False, name="a miracle")
    )
    assert len(verdicts) == 2
    assert [bool(verdict) for verdict in verdicts] == [True, False]
    assert repr(verdicts).splitlines() == [
        "always(all is well): holds throughout the run of 4 s.",
        "sometimes(a miracle): violated. It never was true in the run of 4 s.",
    ]
    assert run.check()


def test_check_takes_properties_only(run):
    with pytest.raises(TypeError, match="check takes properties"):
        run.check(lambda now: True)
    with pytest.raises(TypeError, match="always takes a function"):
        always(True)
    with pytest.raises(TypeError, match="stays must be"):
        eventually(lambda now: True, stays=1)
    with pytest.raises(ValueError, match="after must be at least 0"):
        eventually(lambda now: True, after=-1)


def test_a_run_shows_itself(run):
    assert repr(run).startswith(f"Run({len(run.trace)} events in 4 s, digest ")
    assert run.nodes == ("n0", "n1", "n2", "n3")
    assert (run.seed, run.clients, run.faults, run.stopped) == (0, (), (Crash("n2", at=2.75),), None)
