"""The generals as nodes: what the cluster decides is what the algorithm on paper decides."""

from hypothesis import given, settings, strategies as st

from dscourse.fault_tolerance import (
    decisions_of,
    find_treason,
    generals_agree,
    generals_scenario,
    oral_messages,
    replay_on_cluster,
)
from dscourse.fault_tolerance.generals import Contradict
from dscourse.simulation import Byzantine, Crash, Equivocate, Scenario


def as_nodes(decided):
    return {f"n{number}": decision for number, decision in decided.items()}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 6),
    st.integers(0, 2),
    st.sampled_from(["attack", "retreat"]),
    st.integers(0, 10**6),
    st.data(),
)
def test_the_cluster_decides_what_oral_messages_decides(generals, rounds, order, seed, data):
    traitors = data.draw(st.sets(st.integers(0, generals - 1), max_size=2))
    decisions = oral_messages(generals, traitors, order, rounds, seed)
    run = replay_on_cluster(decisions)
    assert decisions_of(run) == as_nodes(decisions.decided)
    assert (generals_agree(run) == "") == decisions.hold
    assert len(run.trace.select(kind="send")) == decisions.messages


def test_a_found_treason_breaks_the_cluster_too_and_survives_json():
    treason = find_treason(3, 1)
    run = replay_on_cluster(treason.found)
    assert generals_agree(run) == "IC2 broken: n0 says attack, n2 decides retreat"
    again = Scenario.from_json(run.scenario.to_json(), run.scenario.node_factory).run(run.until)
    assert again.digest() == run.digest()


def test_whoever_is_not_heard_is_taken_to_have_said_retreat():
    run = generals_scenario(4, "attack", 1).with_faults(Crash("n0", at=0.0)).run(3.0)
    assert set(decisions_of(run).values()) == {"retreat"}
    silent_lieutenant = generals_scenario(4, "attack", 1).with_faults(Crash("n3", at=0.0)).run(3.0)
    assert decisions_of(silent_lieutenant) == {"n1": "attack", "n2": "attack"}


def test_the_kernels_own_liar_breaks_three_and_not_four():
    """Equivocate says retreat to even peers and attack to odd ones."""
    lie = Equivocate("order", ("retreat", "attack"))
    three = generals_scenario(3, "attack", 1).with_faults(Byzantine("n1", lie, at=0.0)).run(3.0)
    four = generals_scenario(4, "attack", 1).with_faults(Byzantine("n1", lie, at=0.0)).run(3.0)
    assert "IC2 broken" in generals_agree(three)
    assert generals_agree(four) == ""


def test_nobody_can_speak_in_anothers_name():
    """A report whose last name isn't its sender's is ignored: here n1 tells n2 "I am the commander"."""
    honest = generals_scenario(3, "attack", 1).run(3.0)
    forged = (
        generals_scenario(3, "attack", 1)
        .with_faults(Byzantine("n1", Equivocate("path", ((0,), (0, 2))), at=0.0))
        .run(3.0)
    )
    assert honest.at(3.0).nodes["n2"]["heard"] == {"0": "attack", "0-1": "attack"}
    assert forged.at(3.0).nodes["n2"]["heard"] == {"0": "attack"}


def test_a_treason_is_told_in_words_and_not_as_code():
    run = replay_on_cluster(find_treason(3, 1).found)
    assert "n1 turns Byzantine: it may say what it likes" in repr(run.trace)
    assert "TellLies(" not in repr(run.trace)


def test_a_traitor_who_contradicts_breaks_three_and_not_four():
    for generals, broken in ((3, True), (4, False)):
        loyal = generals_scenario(generals, "attack", 1)
        run = loyal.with_faults(Byzantine("n1", Contradict(), at=0.0)).run(2.5)
        assert ("IC2" in generals_agree(run)) == broken
