"""Exact steps, as the contract says what they do; and that their runs are runs like any other."""

import json
from dataclasses import dataclass

import networkx as nx
import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import (
    Ask,
    Deliver,
    Down,
    Fire,
    Lose,
    Repeat,
    ScriptScenario,
    Step,
    Up,
    script,
)
from dscourse.exploration.steps import steps_from_json, steps_to_json
from dscourse.simulation import Crash, Node, NodeError, NotDeterministic, Reply, always, holds, never
from dscourse.simulation.random_streams import key_of

TWO, THREE = ["n0", "n1"], ["n0", "n1", "n2"]


@dataclass(frozen=True)
class Note:
    text: str


@dataclass(frozen=True)
class Echo:
    text: str


class ListNode(Node):
    """Keeps what it hears, and sends what its timers say; a store for clients."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.heard = []
        self.times = []
        self.store = {}

    def on_start(self, ctx):
        self.starts = (ctx.stored or 0) + 1
        ctx.save(self.starts)
        if self.node_id == "n0":
            for text in ("a", "b", "c"):
                ctx.send("n1", Note(text))
        ctx.set_timer("slow", 5.0)
        ctx.set_timer("quick", 1.0)

    def on_message(self, ctx, sender, message):
        if sender.startswith("c"):
            self.answer(ctx, sender, message)
            return
        self.heard.append((sender, message.text))
        if message.text == "c":
            ctx.send(sender, Echo("c"))

    def answer(self, ctx, sender, request):
        kind, *rest = request.operation
        if kind == "put":
            self.store[rest[0]] = rest[1]
            ctx.send(sender, Reply(request.number, "ok"))
        elif kind == "get":
            ctx.send(sender, Reply(request.number, "ok", self.store.get(rest[0])))
        elif kind == "refuse":
            ctx.send(sender, Reply(request.number, "fail"))

    def on_timer(self, ctx, name):
        self.times.append((name, ctx.now))
        if name == "quick":
            ctx.set_timer("quick", 1.0)
        self.luck = ctx.rng.random()


def fields(run, node, t=None):
    return run.at(run.until if t is None else t).nodes[node]


def test_nothing_happens_by_itself():
    run = script(ListNode, THREE, [])
    now = run.at(1.0)
    assert now.nodes["n1"]["heard"] == []
    assert [(one.sender, one.to, one.message) for one in now.in_flight] == [
        ("n0", "n1", Note(text)) for text in "abc"
    ]
    assert set(now.timers["n2"]) == {"slow", "quick"}
    assert not run.trace.select(kind=("deliver", "timer"))


def test_step_k_stands_at_k_seconds():
    run = script(ListNode, TWO, [Deliver("n0", "n1"), Fire("n1", "slow")])
    assert run.until == 3.0
    assert run.trace.select(kind="deliver").times == [1.0]
    assert run.trace.select(kind="timer").times == [2.0]
    assert run.at(0.99).nodes["n1"]["heard"] == []
    assert run.at(1.0).nodes["n1"]["heard"] == [("n0", "a")]


def test_nth_counts_what_waits_on_the_link():
    run = script(ListNode, TWO, [Deliver("n0", "n1", nth=3), Deliver("n0", "n1"), Deliver("n0", "n1")])
    assert [text for _, text in fields(run, "n1")["heard"]] == ["c", "a", "b"]


def test_nth_of_a_type_counts_only_that_type():
    steps = [Deliver("n0", "n1", nth=3), Deliver("n1", "n0", message=Echo)]
    run = script(ListNode, TWO, steps)
    assert fields(run, "n0")["heard"] == [("n1", "c")]
    assert Deliver("n1", "n0", message=Echo) == Deliver("n1", "n0", message="Echo")
    with pytest.raises(LookupError, match=r"no Echo 1 from n0 to n1 waits; on that link wait 1\. Note"):
        script(ListNode, TWO, [Deliver("n0", "n1", message=Echo)])


def test_a_lost_message_is_gone_and_the_trace_says_so():
    run = script(ListNode, TWO, [Lose("n0", "n1", nth=2), Deliver("n0", "n1", nth=2)])
    assert fields(run, "n1")["heard"] == [("n0", "c")]
    (drop,) = run.trace.select(kind="drop")
    assert (drop.name, drop.message, drop.time) == ("lost", Note("b"), 1.0)


def test_a_copy_waits_behind_all_others_and_delivers_nothing():
    steps = [Repeat("n0", "n1"), *[Deliver("n0", "n1")] * 4]
    run = script(ListNode, TWO, steps)
    assert [text for _, text in fields(run, "n1")["heard"]] == ["a", "b", "c", "a"]
    assert fields(run, "n1", 1.0)["heard"] == []
    assert [event.detail.get("copy") for event in run.trace.select(kind="deliver")] == [None, None, None, 1]


def test_what_is_sent_after_a_copy_waits_before_it():
    class Twice(ListNode):
        def on_timer(self, ctx, name):
            ctx.send("n1", Note("d"))

    steps = [Repeat("n0", "n1"), Fire("n0", "slow"), *[Deliver("n0", "n1")] * 5]
    run = script(Twice, TWO, steps)
    assert [text for _, text in fields(run, "n1")["heard"]] == ["a", "b", "c", "d", "a"]


def test_a_copy_of_a_copy_has_a_number_of_its_own():
    run = script(ListNode, TWO, [Repeat("n0", "n1"), Repeat("n0", "n1", nth=4), *[Deliver("n0", "n1")] * 5])
    copies = [event.detail.get("copy", 0) for event in run.trace.select(kind="deliver")]
    assert copies == [0, 0, 0, 1, 2]


def test_a_nodes_clock_is_the_sum_of_the_delays_it_has_fired():
    steps = [Fire("n1", "slow"), Fire("n1", "quick"), Fire("n1", "quick"), Fire("n0", "quick")]
    run = script(ListNode, TWO, steps)
    assert fields(run, "n1")["times"] == [("slow", 5.0), ("quick", 6.0), ("quick", 7.0)]
    assert fields(run, "n0")["times"] == [("quick", 1.0)]
    assert run.at(4.0).clock == {"n0": 1.0, "n1": 7.0}


def test_luck_is_the_nodes_stream_of_seed_0():
    from random import Random

    run = script(ListNode, TWO, [Fire("n1", "slow"), Down("n1"), Up("n1"), Fire("n1", "slow")])
    assert fields(run, "n1", 1.0)["luck"] == Random(key_of(0, "node", "n1", 0)).random()
    assert fields(run, "n1")["luck"] == Random(key_of(0, "node", "n1", 1)).random()


def test_a_crash_loses_memory_and_timers_and_keeps_what_was_saved_and_sent():
    run = script(ListNode, TWO, [Deliver("n0", "n1"), Down("n1"), Down("n0"), Up("n1"), Deliver("n0", "n1")])
    assert fields(run, "n1", 1.0) == {"heard": [("n0", "a")], "times": [], "store": {}, "starts": 1}
    assert run.at(2.0).condition == {"n0": "up", "n1": "crashed"}
    assert "n1" not in run.at(2.0).timers
    assert run.at(2.0).stored["n1"] == 1
    after = fields(run, "n1")
    assert after["starts"] == 2
    assert after["heard"] == [("n0", "b")]
    assert run.trace.downtimes() == {"n1": ((2.0, 4.0),), "n0": ((3.0, 6.0),)}
    assert run.at(5.0).faults == (Crash("n0", at=3.0),)


def test_a_message_to_a_node_that_is_down_is_dropped():
    run = script(ListNode, TWO, [Down("n1"), Deliver("n0", "n1"), Up("n1"), Deliver("n0", "n1")])
    (drop,) = run.trace.select(kind="drop")
    assert (drop.name, drop.message) == ("crashed", Note("a"))
    assert fields(run, "n1")["heard"] == [("n0", "b")]


def test_each_ask_has_a_client_of_its_own_and_takes_no_time():
    steps = [
        Ask("n0", ("put", "x", 1)),
        Ask("n0", ("get", "x")),
        Ask("n1", ("refuse",)),
        Ask("n1", ("mute",)),
    ]
    run = script(ListNode, TWO, steps)
    assert run.clients == ("c0", "c1", "c2", "c3")
    told = [(one.client, one.invoked, one.completed, one.outcome, one.value) for one in run.history()]
    assert told == [
        ("c0", 1.0, 1.0, "ok", None),
        ("c1", 2.0, 2.0, "ok", 1),
        ("c2", 3.0, 3.0, "fail", None),
        ("c3", 4.0, None, "unknown", None),
    ]
    assert run.latencies().tolist() == [0.0, 0.0]


def test_an_ask_of_a_node_that_is_down_ends_unknown():
    run = script(ListNode, TWO, [Down("n0"), Ask("n0", ("get", "x"))])
    assert [one.outcome for one in run.history()] == ["unknown"]
    assert run.trace.select(kind="drop").names == {"crashed"}


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([Deliver("n1", "n0")], "step 1, Deliver('n1', 'n0'): no message 1 from n1 to n0 waits; on that link nothing"),
        ([Deliver("n1", "n0")], "elsewhere wait n0 → n1: 3"),
        ([Fire("n1", "tick")], "n1 has no timer 'tick' pending; pending: 'quick', 'slow'"),
        ([Down("n1"), Fire("n1", "quick")], "n1 has no timer 'quick' pending (it is down)"),
        ([Down("n1"), Down("n1")], "n1 is down already; up are n0"),
        ([Up("n1")], "n1 is up; down are none"),
        ([Deliver("n0", "n7")], "there is no node (named in step 1, Deliver('n0', 'n7')) 'n7'"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_done_says_what_could(steps, told):
    with pytest.raises(LookupError) as refused:
        script(ListNode, TWO, steps)
    assert told in str(refused.value.args[0])


def test_skip_passes_over_what_cannot_be_done():
    run = script(ListNode, TWO, [Up("n1"), Deliver("n1", "n0"), Deliver("n0", "n1")], skip=True)
    assert fields(run, "n1")["heard"] == [("n0", "a")]
    assert run.trace.select(kind="deliver").times == [3.0]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Deliver("n0", "n1", nth=0), ValueError),
        (lambda: Deliver("n0", 1), TypeError),
        (lambda: Fire("n0", ""), ValueError),
        (lambda: Ask("n0", {"not": "a value"}), TypeError),
        (lambda: script(ListNode, TWO, Deliver("n0", "n1")), TypeError),
        (lambda: script(ListNode, TWO, ["n0"]), TypeError),
        (lambda: script(ListNode, "n0", []), TypeError),
        (lambda: script(ListNode, ["n0", "n0"], []), ValueError),
        (lambda: script(ListNode, ["n0", "c0"], [Ask("n0", 1)]), ValueError),
        (lambda: script(ListNode, TWO, [], skip=1), TypeError),
        (lambda: script(lambda: None, TWO, []), TypeError),
    ],
)
def test_wrong_values_are_refused(make, error):
    with pytest.raises(error):
        make()


# ── A run like any other ──

STEPS = [
    Deliver("n0", "n1", nth=3), Repeat("n1", "n0"), Deliver("n1", "n0"), Fire("n1", "slow"), Down("n0"),
    Ask("n1", ("put", "x", (1, 2))), Up("n0"), Lose("n1", "n0"), Ask("n1", ("get", "x")), Fire("n0", "quick"),
]  # fmt: skip


def test_the_digest_is_the_same_again_and_through_json():
    run = script(ListNode, THREE, STEPS)
    assert script(ListNode, THREE, STEPS).digest() == run.digest()
    again = ScriptScenario.from_json(run.scenario.to_json(), ListNode)
    assert again.steps == tuple(STEPS)
    assert again.run().digest() == run.digest()
    assert run.scenario.run(trace=False).digest() == run.digest()
    assert script(ListNode, THREE, STEPS[:-1]).digest() != run.digest()


def test_steps_go_to_json_and_back_and_their_repr_is_code():
    steps = (*STEPS, Deliver("n0", "n1", message=Note), Lose("n0", "n1", 2, Note))
    assert steps_from_json(steps_to_json(steps)) == steps
    for step in steps:
        assert eval(repr(step)) == step
        assert isinstance(step, Step)


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"steps":[],"skip":false}', '{"version":1}',
        json.dumps({"steps": [{"step": "Jump"}], "skip": False}),
        json.dumps({"steps": [{"step": "Up", "node": "n0", "more": 1}], "skip": False}),
    ],
)  # fmt: skip
def test_json_that_is_no_script_is_refused(text):
    with pytest.raises((ValueError, LookupError)):
        ScriptScenario.from_json(text, ListNode)


def test_check_asks_after_each_step_and_holds_once():
    run = script(ListNode, TWO, [Deliver("n0", "n1"), Deliver("n0", "n1"), Deliver("n0", "n1")])
    asked = []

    def looks(now):
        asked.append(now.time)
        return len(now.nodes["n1"]["heard"]) < 2

    verdict, at_the_end = run.check(always(looks, name="hears little"), holds(lambda run: len(run.trace) > 3))
    assert asked[:3] == [0.0, 1.0, 2.0]
    assert not verdict
    assert verdict.time == 2.0
    assert verdict.text.startswith("always(hears little): violated at 2 s, with n1, n0 taking part.")
    assert at_the_end


def test_a_fork_with_other_luck_shares_the_past_and_goes_on_as_long():
    run = script(
        NaiveFailoverNode, THREE, [Fire("n1", "heartbeat"), Deliver("n1", "n0"), Down("n2"), Up("n2")] * 5
    )
    forks = [run.fork(6.5, reseed=number) for number in range(6)]
    for fork in forks:
        assert fork.scenario.steps[:6] == run.scenario.steps[:6]
        assert len(fork.scenario.steps) == len(run.scenario.steps)
        assert run.first_difference(fork) is None or run.trace[run.first_difference(fork)].time >= 7.0
        assert script(NaiveFailoverNode, THREE, fork.scenario.steps).digest() == fork.digest()
        downs = sum(isinstance(step, Down) for step in fork.scenario.steps[6:])
        assert downs <= sum(isinstance(step, Down) for step in run.scenario.steps[6:])
    assert len({fork.digest() for fork in forks}) > 1
    assert run.fork(6.5, reseed=3).digest() == forks[3].digest()
    assert len(run.fork(6.5, reseed=3, until=31.0).scenario.steps) == 30
    again = forks[0].fork(9.0, reseed=1)
    assert again.scenario.steps[:8] == forks[0].scenario.steps[:8]


def test_a_fork_may_do_no_more_than_what_it_replaces():
    """What has gone wrong, or was asked, before the fork is not to be done again."""
    past = [Ask("n0", ("get", "x")), Down("n2"), Up("n2"), Repeat("n0", "n1"), Lose("n0", "n1")]
    run = script(ListNode, THREE, [*past, *[Fire("n0", "quick")] * 60])
    for number in range(8):
        rest = run.fork(5.5, reseed=number).scenario.steps[5:]
        assert len(rest) == 60
        assert {type(step) for step in rest} <= {Fire, Deliver}


def test_random_steps_begin_when_the_last_step_is_over_at_the_latest():
    run = script(ListNode, THREE, STEPS).scenario.run(100.0)
    with pytest.raises(ValueError, match="so random ones must begin by then, got 50 s"):
        run.fork(50.0, reseed=1)
    assert len(run.fork(len(STEPS) + 1.0, reseed=1).scenario.steps) > len(STEPS)


def test_a_fork_with_the_same_luck_is_the_same_run():
    run = script(ListNode, THREE, STEPS)
    assert run.fork(4.0).digest() == run.digest()


def test_a_script_takes_no_faults():
    run = script(ListNode, TWO, [Deliver("n0", "n1")])
    with pytest.raises(ValueError, match="a script takes no faults"):
        run.fork(1.0, Crash("n0", at=1.0))


def test_a_graph_says_who_may_send_to_whom():
    graph = nx.DiGraph([("n0", "n1"), ("n1", "n2")])
    seen = {}

    class Peers(Node):
        def on_start(self, ctx):
            seen[self.node_id] = tuple(self.peers)

    script(Peers, graph, [])
    assert seen == {"n0": ("n1",), "n1": ("n2",), "n2": ()}
    with pytest.raises(NodeError, match="n0 has no link to n2"):
        script(_SendsTo("n2"), graph, [])


def _SendsTo(target):  # noqa: N802 - a node factory
    class Sends(Node):
        def on_start(self, ctx):
            if self.node_id == "n0":
                ctx.send(target, Note("x"))

    return Sends


def test_a_mistake_in_a_handler_ends_the_run_and_keeps_it():
    class Slips(ListNode):
        def on_message(self, ctx, sender, message):
            raise KeyError(message.text)

    with pytest.raises(NodeError) as failed:
        script(Slips, TWO, [Fire("n0", "quick"), Deliver("n0", "n1")])
    assert (failed.value.node, failed.value.handler, failed.value.time) == ("n1", "on_message", 2.0)
    assert "raise KeyError(message.text)" in failed.value.line
    assert failed.value.run.stopped == 2.0
    assert failed.value.run.at(2.0).condition["n1"] == "up"


def test_the_learners_own_line_is_named_when_the_context_refuses():
    with pytest.raises(NodeError) as failed:
        script(_SendsTo("n9"), TWO, [])
    assert "ctx.send(target" in failed.value.line


def test_a_node_that_is_not_deterministic_is_told_so():
    kept = []

    class Remembers(ListNode):
        def on_timer(self, ctx, name):
            kept.append(name)
            ctx.record("seen", count=len(kept))

    run = script(Remembers, TWO, [Fire("n0", "quick")])
    with pytest.raises(NotDeterministic):
        run.at(1.5)


def test_the_same_two_leaders_in_a_script_as_in_a_split():
    """Four of n1's own timers and no word from anybody: it leads, beside n0."""
    two = never(
        lambda now: sum(status.status == "leader" for status in now.status.values()) > 1, name="two leaders"
    )
    assert script(NaiveFailoverNode, THREE, [Fire("n2", "heartbeat")] * 3).check(two)
    assert not script(NaiveFailoverNode, THREE, [Fire("n2", "heartbeat")] * 4).check(two)
