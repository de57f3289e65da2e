"""The widget on its Python side: it answers commands, keeps acts apart, and says what went wrong."""

import json
import re

import pytest

from dscourse.simulation import Crash, Network, Node, Partition, Pause, Scenario, Slow, topology
from dscourse.views import play
from dscourse.views.player import bundle
from dscourse.views.player.payload import pack


def order(player, **command):
    """What arrives from the browser."""
    player._on_command(player, command, [])


def act(player, at, **what):
    order(player, type="act", act=what, time=round(at * 1e6))


def test_an_act_forks_the_run_and_keeps_the_past(calm):
    player = play(calm)
    act(player, 3.0, do="crash", node="n0")
    assert player.problem == ""
    assert player.faults == (Crash("n0", at=3.0),)
    assert player.run.faults == (*calm.faults, Crash("n0", at=3.0))
    shared = player.run.first_difference(calm)
    assert player.run.trace[shared].time == 3.0
    assert player.payload == pack(player.run)
    assert player.acts == ["Crash('n0', at=3.0)"]
    assert player.answered == 1


def test_undo_takes_back_one_act_after_the_other(calm):
    player = play(calm)
    act(player, 3.0, do="crash", node="n0")
    act(player, 2.0, do="pause", node="n1")
    order(player, type="undo", index=None)
    assert player.faults == (Crash("n0", at=3.0),)
    assert player.run.digest() == calm.fork(3.0, Crash("n0", at=3.0)).digest()
    order(player, type="undo", index=None)
    assert player.run is calm
    assert (player.faults, player.acts, player.problem) == ((), [], "")
    assert player.payload == pack(calm)


def test_any_act_can_be_taken_back(calm):
    player = play(calm)
    for node in ("n0", "n1", "n2"):
        act(player, 3.0, do="crash", node=node)
    order(player, type="undo", index=1)
    assert [fault.node for fault in player.faults] == ["n0", "n2"]
    expected = calm.fork(3.0, Crash("n0", at=3.0)).fork(3.0, Crash("n2", at=3.0))
    assert player.run.digest() == expected.digest()


def test_a_slowness_is_ended_where_the_cursor_stands(calm):
    player = play(calm)
    act(player, 2.0, do="slow", node="n1")
    act(player, 3.0, do="crash", node="n0")
    act(player, 4.0, do="full speed", node="n1")
    ended = Slow(10.0, at=2.0, until=4.0, node="n1")
    assert player.problem == ""
    assert player.faults == (Crash("n0", at=3.0), ended)
    assert player.run.digest() == calm.fork(3.0, Crash("n0", at=3.0)).fork(2.0, ended).digest()
    assert set(player.run.faults) == {*calm.faults, Crash("n0", at=3.0), ended}
    assert ended in player.run.at(3.9).faults
    assert ended not in player.run.at(4.0).faults
    late = player.run.trace.select(kind="send", node="n1", between=(4.0, 6.0))
    longest = max(player.run.trace.select(kind="deliver", peer="n1", between=(4.0, 6.5)).times)
    assert longest - late.times[-1] < 0.7


def test_undo_takes_back_the_end_of_a_slowness_first(calm):
    player = play(calm)
    act(player, 2.0, do="slow", node="n1")
    slow = player.run.digest()
    act(player, 4.0, do="full speed", node="n1")
    order(player, type="undo", index=None)
    assert player.faults == (Slow(10.0, at=2.0, node="n1"),)
    assert player.run.digest() == slow
    act(player, 3.0, do="full speed", node="n1")
    assert player.faults == (Slow(10.0, at=2.0, until=3.0, node="n1"),)
    order(player, type="undo", index=0)
    order(player, type="undo", index=0)
    assert player.run is calm


def test_of_two_slownesses_each_ends_by_itself(calm):
    player = play(calm)
    act(player, 2.0, do="slow", node="n1")
    act(player, 2.0, do="slow", node="n1")
    act(player, 3.0, do="full speed", node="n1")
    assert player.faults == (Slow(10.0, at=2.0, node="n1"), Slow(10.0, at=2.0, until=3.0, node="n1"))
    act(player, 3.0, do="full speed", node="n1")
    assert player.faults == (Slow(10.0, at=2.0, until=3.0, node="n1"),) * 2
    assert player.run.at(3.0).faults == ()


def test_a_slowness_that_cannot_be_ended_says_why(calm):
    slow = calm.fork(1.0, Slow(3.0, at=1.0, node="n2"))
    player = play(slow)
    act(player, 2.0, do="slow", node="n1")
    for at, node, why in (
        (3.0, "n0", "n0 isn't slow at 3 s"),
        (1.0, "n1", "n1 isn't slow at 1 s"),
        (2.0, "n1", r"begins at this very moment.*Move the cursor on first"),
        (3.0, "n2", r"slow in the run that play\(\) was given.*until="),
        (3.0, "n9", "there is no node 'n9'"),
    ):
        act(player, at, do="full speed", node=node)
        assert re.search(why, player.problem), player.problem
        assert player.faults == (Slow(10.0, at=2.0, node="n1"),)


def test_what_was_there_before_is_sent_along_once_something_is_done(calm):
    player = play(calm)
    assert player.before == b""
    act(player, 3.0, do="crash", node="n0")
    act(player, 3.0, do="crash", node="n1")
    assert player.before == pack(calm)
    order(player, type="undo", index=None)
    order(player, type="undo", index=None)
    assert player.before == b""


def test_a_run_given_to_compare_with_stays(calm):
    split = calm.fork(3.0, Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=3.0, until=6.0))
    player = play(split, calm)
    act(player, 4.0, do="crash", node="n3")
    assert player.before == pack(calm)
    assert player.run.faults == (*split.faults, Crash("n3", at=4.0))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"type": "act", "act": {"do": "crash", "node": "n9"}, "time": 0}, "there is no node 'n9'"),
        ({"type": "act", "act": {"do": "crash", "node": "n0"}, "time": 8_000_000}, "The run ends at 8 s"),
        ({"type": "undo", "index": None}, "nothing|no fault"),
        ({"type": "dance"}, "no command 'dance'"),
        ({"type": "act"}, "KeyError|act"),
    ],
)
def test_a_command_that_fails_says_so_in_the_widget_and_changes_nothing(calm, command, words):
    player = play(calm)
    order(player, **command)
    assert re.search(words, player.problem)
    assert player.run is calm
    assert player.answered == 1  # the page must not wait for ever
    act(player, 3.0, do="crash", node="n0")
    assert player.problem == ""


def test_the_insides_of_the_nodes_are_told_at_the_cursor(calm):
    player = play(calm)
    act(player, 3.0, do="crash", node="n0")
    change = next(e for e in player.run.trace.select(kind="record", node="n3") if e.time > 3)
    order(player, type="fields", time=change.time_us)
    told = json.loads(player.fields)
    assert told["time"] == change.time_us
    assert told["nodes"]["n0"] is None  # crashed
    assert told["nodes"]["n3"]["leader"] == "'n1'"
    assert told["changed"]["n3"] == {"leader": "'n0'"}
    order(player, type="fields", time=change.time_us - 1)
    told = json.loads(player.fields)
    assert told["nodes"]["n3"]["leader"] == "'n0'"
    assert "n3" not in told["changed"]


def test_the_insides_are_those_that_the_run_tells(calm):
    player = play(calm.fork(2.0, Pause("n1", at=2.0)))
    for t in (0, 10_000, 2_000_000, 3_700_000, 8_000_000):
        order(player, type="fields", time=t)
        told = json.loads(player.fields)["nodes"]
        truth = player.run.at(t / 1e6).nodes
        assert told == {node: {name: repr(value) for name, value in truth[node].items()} for node in truth}


class Forgetful(Node):
    """Works until it is restarted."""

    def __init__(self, node_id, peers):
        self._boots = 0

    def on_start(self, ctx):
        self._boots = (ctx.stored or 0) + 1
        ctx.save(self._boots)
        ctx.set_timer("beat", 0.5)

    def on_timer(self, ctx, name):
        if self._boots > 1:
            raise RuntimeError("I don't know what to do after a restart")
        ctx.set_timer("beat", 0.5)


def test_a_mistake_in_a_handler_is_told_and_the_run_up_to_it_is_shown():
    run = Scenario(Forgetful, Network(topology.full_mesh(2))).run(until=4.0)
    player = play(run)
    player.add(Crash("n0", at=1.2, restart_at=2.0))
    assert "I don't know what to do after a restart" in player.problem
    assert player.run.stopped == 2.5
    assert player.payload == pack(player.run)
    player.undo()
    assert (player.run, player.problem) == (run, "")


def test_play_refuses_what_is_no_run(calm):
    with pytest.raises(TypeError, match="run must be a Run"):
        play("calm")
    with pytest.raises(TypeError, match="before must be a Run"):
        play(calm, 3)


def test_play_refuses_a_run_without_a_trace():
    with pytest.raises(LookupError, match="trace=False"):
        play(Scenario(Forgetful, Network(topology.full_mesh(2))).run(until=1.0, trace=False))


def test_without_a_widget_a_still_picture_stands_in(calm):
    player = play(calm.fork(3.0, Crash("n0", at=3.0)))
    bundle_, _ = player._repr_mimebundle_()
    assert set(bundle_) >= {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"}
    assert "n0 crashed; n1 leader (I lead)" in bundle_["text/plain"]
    again, _ = play(calm.fork(3.0, Crash("n0", at=3.0)))._repr_mimebundle_()
    assert (again["image/png"], again["text/plain"]) == (bundle_["image/png"], bundle_["text/plain"])


def test_nothing_of_the_page_comes_from_the_network():
    for text in (bundle.javascript(), bundle.style()):
        assert "@import" not in text
        assert "https:" not in text
        assert "url(" not in text


def test_a_node_that_is_not_deterministic_is_played_and_told_so_where_the_learner_looks():
    class Fickle(Node):
        turns = 0

        def on_start(self, ctx):
            Fickle.turns += 1
            ctx.set_timer("tick", 0.1 * Fickle.turns)

    player = play(Scenario(Fickle, Network(topology.full_mesh(2))).run(1.0))
    bundle_, _ = player._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle_
    assert bundle_["text/plain"] == player.problem
    assert "differ" in player.problem or "determin" in player.problem
