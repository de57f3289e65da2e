"""What a moment shows of a node that stands still: timers that came due, and one that has not even booted."""

import pytest

from dscourse.simulation import Crash, Network, Node, Pause, Scenario, topology


class Alarm(Node):
    def __init__(self, node_id, peers):
        self.rung = []

    def on_start(self, ctx):
        ctx.set_timer("early", 1.0)
        ctx.set_timer("late", 3.0)

    def on_timer(self, ctx, name):
        self.rung.append(name)


def run(*faults):
    return Scenario(Alarm, Network(topology.full_mesh(2)), faults=faults).run(6.0)


@pytest.mark.parametrize(
    "faults",
    [
        (Pause("n0", at=0.0, until=4.0),),
        (Crash("n0", at=1.0, restart_at=2.0), Pause("n0", at=2.0, until=4.0)),
    ],
    ids=["from the beginning", "at its restart"],
)
def test_a_node_that_was_paused_before_it_booted_has_no_fields_yet(faults):
    moment = run(*faults).at(3.0)
    assert moment.condition["n0"] == "paused"
    assert "n0: paused\n" in repr(moment)
    assert list(moment.nodes) == ["n1"]
    with pytest.raises(LookupError, match="n0 has not booted yet at 3 s"):
        moment.nodes["n0"]
    assert run(*faults).at(4.0).nodes["n0"] == {"rung": []}


def test_a_timer_held_by_a_pause_is_shown_overdue():
    paused = run(Pause("n0", at=0.5, until=4.0))
    assert paused.at(2.0).timers["n0"] == {"early": 1.0, "late": 3.0}
    assert paused.at(3.5).timers == {"n0": {"early": 1.0, "late": 3.0}}
    assert paused.at(4.0).timers == {}
    assert paused.at(4.0).nodes["n0"]["rung"] == ["early", "late"]


def test_a_timer_set_anew_while_the_old_one_waits_is_shown_once():
    class Again(Alarm):
        def on_message(self, ctx, sender, message):
            """Never called: nobody sends."""

        def on_timer(self, ctx, name):
            super().on_timer(ctx, name)
            if name == "early":
                ctx.set_timer("late", 1.0)

    scenario = Scenario(Again, Network(topology.full_mesh(1)), faults=[Pause("n0", at=0.5, until=4.0)])
    assert scenario.run(6.0).at(4.5).timers == {"n0": {"late": 5.0}}


def test_a_crash_takes_the_timers_that_a_pause_held():
    crashed = run(Pause("n0", at=0.5, until=4.0), Crash("n0", at=2.0))
    assert crashed.at(1.5).timers["n0"] == {"early": 1.0, "late": 3.0}
    assert "n0" not in crashed.at(2.5).timers
