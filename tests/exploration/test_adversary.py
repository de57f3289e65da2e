"""The learner as the adversary, from Python's side: what a click does, and what the page is told."""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from tiny_systems import (
    ForgetfulCoordinatorNode,
    ImpatientParticipantNode,
    TwoPhaseCommitNode,
    atomic,
    ring,
)

import dscourse.views
from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import Ask, Deliver, Down, Fire, Lose, Repeat, Up, script
from dscourse.simulation import Node, Reply, always, eventually, never
from dscourse.views.adversary import adversary
from dscourse.views.player.code import code_for

NAMES = ("n0", "n1", "n2")
JAVASCRIPT = Path(dscourse.views.__file__).parent / "adversary.js"
WAY = [
    Deliver("n0", "n1"),
    Fire("n1", "give up"),
    Deliver("n0", "n2"),
    Deliver("n1", "n0"),
    Deliver("n2", "n0"),
]


def click(widget, *steps):
    for step in steps:
        command(widget, {"type": "step", "step": step.to_json_value()})


def command(widget, content):
    widget.panel._handle_custom_msg(content, [])


def shown(widget):
    return json.loads(widget.panel.shown)


def node(widget, name):
    return next(one for one in shown(widget)["nodes"] if one["id"] == name)


def test_at_first_everything_waits():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    assert widget.steps == ()
    assert not widget.won
    assert [one["text"] for one in node(widget, "n1")["mails"]] == ["Prepare()"]
    assert node(widget, "n1")["timers"] == []
    assert shown(widget)["properties"] == [
        {"name": "one commits and another aborts", "broken": False, "words": "holds so far"}
    ]
    assert "class ImpatientParticipantNode" in widget.panel.source
    assert "class TwoPhaseCommitNode" in widget.panel.source  # what it is derived from stands below


def test_clicks_are_steps_and_a_property_breaks():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY)
    assert widget.steps == tuple(WAY)
    assert widget.broken == (atomic.name,)
    assert widget.won
    assert shown(widget)["properties"][0]["words"] == "broken at step 5"
    assert shown(widget)["steps"][:3] == [
        "n1 gets Prepare() from n0", "timer 'give up' of n1 fires", "n2 gets Prepare() from n0"
    ]  # fmt: skip
    assert widget.run.digest() == script(ImpatientParticipantNode, NAMES, WAY).digest()
    assert widget.panel.answered == 5


def test_the_copied_code_makes_the_same_run():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY)
    known = {"ImpatientParticipantNode": ImpatientParticipantNode}
    exec(widget.panel.code, known)
    assert known["run"].digest() == widget.run.digest()
    on_ring = adversary(NaiveFailoverNode, ring, [atomic_leader])
    click(on_ring, Fire("n0", "heartbeat"))
    known = {"NaiveFailoverNode": NaiveFailoverNode}
    exec(on_ring.panel.code, known)
    assert known["run"].digest() == on_ring.run.digest()


atomic_leader = never(lambda now: len(now.status) > 3, name="four lead")


def test_undo_goes_back_one_by_one_and_start_again_to_the_beginning():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY)
    command(widget, {"type": "undo"})
    assert widget.steps == tuple(WAY[:4])
    assert not widget.won
    command(widget, {"type": "restart"})
    assert widget.steps == ()
    command(widget, {"type": "undo"})
    assert widget.steps == ()
    widget.take(*WAY)
    widget.undo(3)
    assert widget.steps == tuple(WAY[:2])


def test_the_score_is_held_against_the_shortest_way():
    widget = adversary(ForgetfulCoordinatorNode, NAMES, [atomic])
    assert widget.shortest() == "Nothing is broken yet."
    votes = [Deliver("n0", "n1"), Deliver("n0", "n2"), Deliver("n1", "n0"), Deliver("n2", "n0")]
    click(widget, *votes, Lose("n0", "n1"), Down("n0"), Up("n0"), Deliver("n0", "n1"), Deliver("n0", "n2"))
    command(widget, {"type": "shortest"})
    assert widget.panel.score == "You took 9 steps; by the same means 7 steps would do."
    command(widget, {"type": "restart"})
    assert widget.panel.score == ""
    click(widget, *votes, Down("n0"), Up("n0"), Deliver("n0", "n1"))
    command(widget, {"type": "shortest"})
    assert widget.panel.score == "You took 7 steps, and no schedule by the same means is shorter."


def test_steps_after_the_break_do_not_count():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY, Deliver("n0", "n1"), Deliver("n0", "n2"))
    assert "broken at step 5" in repr(widget)
    assert widget.shortest().startswith("You took 5 steps, and no schedule")


def test_every_kind_of_step_is_shown():
    widget = adversary(TwoPhaseCommitNode, NAMES, [atomic])
    click(widget, Repeat("n0", "n1"))
    assert [one["copy"] for one in node(widget, "n1")["mails"]] == [False, True]
    click(widget, Deliver("n0", "n1"))
    assert [one["copy"] for one in node(widget, "n1")["mails"]] == [True]
    assert [one["sender"] for one in node(widget, "n0")["mails"]] == ["n1"]
    click(widget, Lose("n1", "n0"), Down("n1"))
    assert node(widget, "n1")["up"] is False
    assert node(widget, "n1")["fields"] == []
    click(widget, Deliver("n0", "n1"), Up("n1"))
    assert node(widget, "n1")["up"] is True
    assert shown(widget)["steps"] == [
        "Prepare() from n0 to n1 is doubled", "n1 gets Prepare() from n0", "Vote(yes=True) from n1 to n0 is lost",
        "n1 crashes", "n1 gets Prepare() from n0", "n1 restarts",
    ]  # fmt: skip


def test_what_a_step_changed_is_marked():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, WAY[0])
    assert [one["changed"] for one in node(widget, "n1")["fields"]] == [False]
    click(widget, WAY[1])
    assert node(widget, "n1")["fields"] == [{"name": "decided", "text": "'abort'", "changed": True}]
    assert node(widget, "n1")["clock"] == "5"


class Answers(Node):
    def on_message(self, ctx, sender, message):
        if message.operation == "fail":
            raise RuntimeError("<b>no</b>")
        ctx.send(sender, Reply(message.number, "ok", 1))


def test_clients_ask_in_their_order():
    widget = adversary(
        Answers, NAMES, [always(lambda now: True)], asks=[Ask("n0", ("get", "x")), Ask("n1", 2)]
    )
    assert shown(widget)["ask"]["words"] == "a client asks n0: ('get', 'x')"
    command(widget, {"type": "step", "step": shown(widget)["ask"]["step"]})
    assert widget.steps == (Ask("n0", ("get", "x")),)
    assert shown(widget)["ask"]["words"] == "a client asks n1: 2"
    click(widget, Ask("n1", 2))
    assert shown(widget)["ask"] is None
    assert [one.value for one in widget.run.history()] == [1, 1]


def test_a_node_that_fails_is_told_and_can_be_undone():
    widget = adversary(Answers, NAMES, [always(lambda now: True)], asks=[Ask("n0", "fail")])
    click(widget, Ask("n0", "fail"))
    assert "on_message of n0 raised RuntimeError: <b>no</b>" in widget.panel.problem
    assert shown(widget)["over"] is True
    command(widget, {"type": "undo"})
    assert widget.panel.problem == ""
    assert shown(widget)["over"] is False


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"type": "step", "step": {"step": "Deliver", "sender": "n1", "to": "n0"}}, "nothing waits"),
        ({"type": "step", "step": {"step": "Jump"}}, "there is no kind of step 'Jump'"),
        ({"type": "step", "step": {"step": "Down", "node": "n9"}}, "there is no node"),
        ({"type": "dance"}, "there is no command 'dance'"),
    ],
)
def test_what_can_not_be_done_is_told_where_the_learner_looks(content, told):
    widget = adversary(TwoPhaseCommitNode, NAMES, [atomic])
    command(widget, content)
    assert told in widget.panel.problem
    assert widget.steps == ()
    assert widget.panel.answered == 1
    click(widget, Deliver("n0", "n1"))
    assert widget.panel.problem == ""


def test_the_schedule_opens_in_the_player():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY)
    command(widget, {"type": "play"})
    assert widget.children == (widget.panel, widget.player)
    assert widget.player.run.digest() == widget.run.digest()
    known = {"ImpatientParticipantNode": ImpatientParticipantNode}
    exec(
        code_for((), "", widget.run).replace(
            "ImpatientParticipantNode)", "ImpatientParticipantNode, insist=True)"
        ),
        known,
    )
    assert known["run"].digest() == widget.run.digest()


def test_there_is_a_still_picture_with_words():
    widget = adversary(ImpatientParticipantNode, NAMES, [atomic])
    click(widget, *WAY[:2])
    bundle = widget._repr_mimebundle_()[0]
    assert bundle["image/png"]
    assert (
        "3 nodes after 2 steps. one commits and another aborts: holds so far. 2 messages wait."
        in bundle["text/plain"]
    )


def test_settings_of_a_factory_and_a_liveness_property():
    slow = partial(NaiveFailoverNode, timeout=10.0)
    some_day = eventually(lambda now: False, name="it ends")
    widget = adversary(slow, NAMES, [some_day, atomic_leader])
    click(widget, Fire("n0", "heartbeat"))
    assert [one["words"] for one in shown(widget)["properties"]] == ["can't be broken here", "holds so far"]
    assert "class NaiveFailoverNode" in widget.panel.source


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: adversary(TwoPhaseCommitNode, NAMES, ["atomic"]), TypeError),
        (lambda: adversary(TwoPhaseCommitNode, "n0", [atomic]), TypeError),
        (lambda: adversary(TwoPhaseCommitNode, NAMES, [atomic], asks=[Down("n0")]), TypeError),
        (lambda: adversary(TwoPhaseCommitNode, NAMES, [atomic], asks=[Ask("n9", 1)]), LookupError),
    ],
)
def test_wrong_values_are_refused(make, error):
    with pytest.raises(error):
        make()


def test_text_from_outside_is_never_taken_for_html():
    source = JAVASCRIPT.read_text(encoding="utf-8")
    for door in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser"):
        assert door not in source


@pytest.mark.skipif(shutil.which("node") is None, reason="node.js is not installed")
def test_keys_and_focus(tmp_path):
    module = tmp_path / "adversary.mjs"
    module.write_text(JAVASCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    program = """
        import { commandFor, nextFocus } from "./adversary.mjs";
        const columns = [["a mail", "a power"], ["b power"]];
        console.log(JSON.stringify([
          commandFor({ key: "l" }), commandFor({ key: "l", ctrlKey: true }), commandFor({ key: "Enter" }),
          commandFor({ key: "Enter", shiftKey: true }), commandFor({ key: "ArrowDown" }), commandFor({ key: "z" }),
          nextFocus(columns, "b power", 0, 0), nextFocus(columns, "gone", 0, 1), nextFocus(columns, "gone", 0, 7),
          nextFocus(columns, "gone", 5, 0), nextFocus([], "gone", 0, 0),
        ]));
    """
    (tmp_path / "ask.mjs").write_text(program, encoding="utf-8")
    told = subprocess.run(
        ["node", "ask.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(told) == [
        "lose", None, None, None, "down", None, "b power", "a power", "a power", "a mail", None,
    ]  # fmt: skip
