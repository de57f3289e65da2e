"""What the learner does becomes a fault; the code that the player gives makes the same run."""

import functools

import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import (
    Crash,
    CutLink,
    Heal,
    Network,
    Partition,
    Pause,
    Restart,
    Resume,
    Run,
    Scenario,
    Slow,
    topology,
)  # fmt: skip
from dscourse.views import play
from dscourse.views.player.code import code_for
from dscourse.views.player.commands import SLOWER, fault_for

ACTS = [
    ({"do": "crash", "node": "n0"}, Crash("n0", at=2.5)),
    ({"do": "restart", "node": "n0"}, Restart("n0", at=2.5)),
    ({"do": "pause", "node": "n1"}, Pause("n1", at=2.5)),
    ({"do": "resume", "node": "n1"}, Resume("n1", at=2.5)),
    ({"do": "slow", "node": "n1"}, Slow(SLOWER, at=2.5, node="n1")),
    ({"do": "cut", "a": "n0", "b": "n1"}, CutLink("n0", "n1", at=2.5)),
    ({"do": "heal", "a": "n0", "b": "n1"}, Heal(at=2.5, link=("n0", "n1"))),
    ({"do": "heal"}, Heal(at=2.5)),
    ({"do": "partition", "nodes": ["n1", "n0"]}, Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=2.5)),
]


@pytest.mark.parametrize(("act", "fault"), ACTS, ids=[act["do"] + str(len(act)) for act, _ in ACTS])
def test_an_act_is_a_fault(calm, act, fault):
    assert fault_for(act, 2.5, calm) == fault


@pytest.mark.parametrize(
    ("act", "at", "error", "words"),
    [
        ({"do": "crash", "node": "n9"}, 1.0, LookupError, "there is no node 'n9'; this run has n0, n1"),
        ({"do": "melt", "node": "n1"}, 1.0, LookupError, "it can crash, restart"),
        ({}, 1.0, LookupError, "can't"),
        ({"do": "partition", "nodes": []}, 1.0, ValueError, "holds 0 of 5"),
        ({"do": "partition", "nodes": ["n0", "n1", "n2", "n3", "n4"]}, 1.0, ValueError, "holds 5 of 5"),
        ({"do": "crash", "node": "n0"}, 8.0, ValueError, "The run ends at 8 s"),
    ],
)
def test_an_act_that_makes_no_sense_is_refused(calm, act, at, error, words):
    with pytest.raises(error, match=words):
        fault_for(act, at, calm)


MOMENT = 2.5
ENDS = [
    (Crash("n0", at=MOMENT), {"do": "restart", "node": "n0"}),
    (Pause("n1", at=MOMENT), {"do": "resume", "node": "n1"}),
    (CutLink("n0", "n1", at=MOMENT), {"do": "heal", "a": "n1", "b": "n0"}),
    (CutLink("n0", "n1", at=MOMENT), {"do": "heal"}),
    (Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=MOMENT), {"do": "heal"}),
]


@pytest.mark.parametrize(("begun", "act"), ENDS)
def test_what_would_come_before_that_which_it_ends_is_refused_not_ignored(calm, begun, act):
    run = calm.fork(MOMENT, begun)
    with pytest.raises(ValueError, match="would change nothing"):
        fault_for(act, MOMENT, run)
    late = run.fork(MOMENT + 0.1, fault_for(act, MOMENT + 0.1, run))
    assert late.digest() != run.digest()
    other = {"do": act["do"], **({"node": "n2"} if "node" in act else {"a": "n2", "b": "n3"})}
    assert fault_for(other, MOMENT, run).at == MOMENT  # it has nothing to do with the other


def made_by(code, **names):
    exec(code, names)
    return names["forked"]


@pytest.fixture
def broken(calm):
    """A player in which five things were done, not in order of time."""
    player = play(calm)
    for at, act in [
        (3.0, {"do": "crash", "node": "n0"}),
        (1.234567, {"do": "slow", "node": "n3"}),
        (5.0, {"do": "restart", "node": "n0"}),
        (2.0, {"do": "partition", "nodes": ["n1", "n4"]}),
        (4.1, {"do": "heal"}),
    ]:
        player.add(fault_for(act, at, player.run))
    return player


def test_the_code_makes_the_same_run(calm, broken):
    assert made_by(broken.code, calm=calm).digest() == broken.run.digest()
    assert broken.run.digest() != calm.digest()


def test_the_code_uses_the_learners_own_name_for_the_run(calm):
    my_run = calm
    player = play(my_run)
    player.add(Crash("n0", at=3.0))
    assert player.code in (
        "from dscourse.simulation import Crash\n\nforked = my_run.fork(3.0, Crash('n0', at=3.0))\n",
        "from dscourse.simulation import Crash\n\nforked = calm.fork(3.0, Crash('n0', at=3.0))\n",
    )


def test_without_a_name_the_code_stands_on_its_own(calm, broken):
    code = code_for(broken.faults, "", calm)
    assert made_by(code).digest() == broken.run.digest()


def test_without_a_name_settings_of_the_factory_are_kept():
    patient = functools.partial(NaiveFailoverNode, timeout=3.0)
    base = Scenario(patient, Network(topology.full_mesh(3)), seed=2).run(until=6.0)
    faults = (Crash("n0", at=1.0),)
    assert made_by(code_for(faults, "", base)).digest() == base.fork(1.0, *faults).digest()


def test_before_anything_is_done_the_code_names_the_run(calm):
    assert made_by(play(calm).code, calm=calm) is calm


def test_each_kind_of_act_can_be_copied(calm):
    for act, fault in ACTS:
        code = code_for([fault], "calm", calm)
        forked = made_by(code, calm=calm)
        assert isinstance(forked, Run), act
        assert forked.digest() == calm.fork(2.5, fault).digest()
