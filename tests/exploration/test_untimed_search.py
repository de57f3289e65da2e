"""The untimed adversary finds what is known to be wrong, shrinks it, and finds nothing where all is well."""

import pytest
from hypothesis import given, settings, strategies as st
from tiny_systems import (
    ForgetfulCoordinatorNode,
    ImpatientParticipantNode,
    LamportMutexNode,
    OrderedMutexNode,
    RegeneratingTokenRingNode,
    TokenRingNode,
    TwoPhaseCommitNode,
    WithoutAcknowledgementNode,
    atomic,
    exclusive,
    one_token,
    ring,
    two_of_three_commit,
)

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import (
    Ask,
    Deliver,
    Down,
    FaultMix,
    Fire,
    Lose,
    Repeat,
    ScriptScenario,
    Up,
    script,
    search,
    shrink,
)
from dscourse.exploration.untimed_search import asks_of, random_scenario
from dscourse.simulation import (
    ClosedLoop,
    Network,
    Node,
    OpenLoop,
    Reply,
    Scenario,
    always,
    eventually,
    holds,
    never,
    sometimes,
    topology,
)

MESH = Network(topology.full_mesh(3))
NAMES = ("n0", "n1", "n2")
two_leaders = never(
    lambda now: sum(s.status == "leader" for n, s in now.status.items() if now.condition[n] == "up") > 1,
    name="two leaders at once",
)


def untimed(factory, properties, network=MESH, *, until=60, seeds=100, faults=FaultMix(), clients=()):  # noqa: B008
    scenario = Scenario(factory, network, clients=clients)
    return search(scenario, properties, until=until, seeds=seeds, faults=faults, adversary="untimed")


@pytest.mark.parametrize(
    ("factory", "wrong", "network", "fewest"),
    [
        (NaiveFailoverNode, two_leaders, MESH, 4),
        (ImpatientParticipantNode, atomic, MESH, 5),
        (ForgetfulCoordinatorNode, atomic, MESH, 7),
        (WithoutAcknowledgementNode, exclusive, MESH, 2),
        (RegeneratingTokenRingNode, one_token, Network(ring), 2),
    ],
)
def test_the_known_wrong_are_found_and_shrunk_to_the_fewest_steps(factory, wrong, network, fewest):
    found = untimed(factory, wrong, network)
    assert not found
    shown = found.counterexample
    assert shown.property is wrong
    assert len(shown.steps) == fewest
    assert shown.explanation.startswith(wrong.name)
    assert not shown.run.check(wrong)
    assert shown.run.check(wrong)[0].time == fewest
    assert script(factory, network.graph, shown.steps).digest() == shown.run.digest()


def test_overtaking_messages_are_found_where_the_links_must_keep_the_order():
    found = untimed(LamportMutexNode, exclusive, faults=FaultMix(most=0))
    assert not found
    assert len(found.counterexample.steps) <= 12


@pytest.mark.parametrize(
    ("factory", "right", "network", "faults"),
    [
        (TwoPhaseCommitNode, atomic, MESH, FaultMix()),
        (TokenRingNode, one_token, Network(ring), FaultMix(duplicates=False)),
        (OrderedMutexNode, exclusive, MESH, FaultMix(most=0)),
    ],
)
def test_nothing_is_found_where_all_is_well(factory, right, network, faults):
    found = untimed(factory, right, network, seeds=150, faults=faults)
    assert found
    assert found.tried == 150


def test_what_was_never_reached_is_said():
    reached = sometimes(lambda now: two_of_three_commit.predicate(now), name="two have committed")
    impossible = sometimes(lambda now: len(now.nodes) > 3, name="there are four nodes")
    found = untimed(TwoPhaseCommitNode, [atomic, reached, impossible], seeds=20)
    assert found.never_reached == ("there are four nodes",)


def test_the_same_seeds_find_the_same():
    one, other = (untimed(ForgetfulCoordinatorNode, atomic) for _ in range(2))
    assert (one.tried, one.seed) == (other.tried, other.seed)
    assert one.counterexample.steps == other.counterexample.steps
    again = untimed(ForgetfulCoordinatorNode, atomic, seeds=[one.seed])
    assert again.counterexample.steps == one.counterexample.steps


def test_the_code_of_a_counterexample_runs_it_again():
    mesh = untimed(WithoutAcknowledgementNode, exclusive).counterexample
    assert eval(mesh.code).digest() == mesh.run.digest()
    on_ring = untimed(RegeneratingTokenRingNode, one_token, Network(ring)).counterexample
    assert "ScriptScenario" in on_ring.code
    assert ScriptScenario is not None
    assert eval(on_ring.code).digest() == on_ring.run.digest()


@pytest.mark.parametrize(
    "faults",
    [FaultMix(pauses=1), FaultMix(partitions=2), FaultMix(clocks=0), FaultMix(heal_at=3.0)],
)
def test_kinds_that_no_step_can_do_are_refused(faults):
    with pytest.raises(ValueError, match="the untimed adversary"):
        untimed(TwoPhaseCommitNode, atomic, faults=faults)


@pytest.mark.parametrize(
    ("faults", "kinds"),
    [
        (FaultMix(most=0), set()),
        (FaultMix(crashes=1, loss=False, duplicates=False), {Down}),
        (FaultMix(crashes=False, duplicates=False), {Lose}),
        (FaultMix(crashes=False, loss=False, duplicates=0.2), {Repeat}),
        (FaultMix(), {Down, Lose, Repeat}),
    ],
)
def test_the_mix_says_what_may_go_wrong_and_how_often(faults, kinds):
    scenario = Scenario(TwoPhaseCommitNode, MESH)
    seen = set()
    for seed in range(60):
        chosen = random_scenario(scenario, (), 60, faults, seed)
        chosen.run()
        wrong = [step for step in chosen.engine.taken if isinstance(step, Down | Lose | Repeat)]
        assert len(wrong) <= faults.most
        if faults.crashes is not True:
            assert sum(isinstance(step, Down) for step in wrong) <= faults.crashes
        seen |= {type(step) for step in wrong}
    assert seen == kinds


class Register(Node):
    """A store without any agreement: each node answers from what it has."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.value = 0

    def on_message(self, ctx, sender, message):
        kind, *rest = message.operation
        if kind == "put":
            (self.value,) = rest
        ctx.send(sender, Reply(message.number, "ok", None if kind == "put" else self.value))


def reads_what_was_written(run):
    written = 0
    for one in run.history():
        if one.outcome == "ok" and one.operation[0] == "put":
            written = one.operation[1]
        elif one.outcome == "ok" and one.value != written:
            return False
    return True


def test_the_clients_operations_become_questions_in_order():
    clients = [
        ClosedLoop([("put", 1), ("get",)], 0.1, ["n0", "n1"], timeout=1.0),
        OpenLoop([("put", 2)], 1.0, "n2", timeout=1.0),
    ]
    scenario = Scenario(Register, MESH, clients=clients)
    assert asks_of(scenario) == (Ask("n0", ("put", 1)), Ask("n2", ("put", 2)), Ask("n1", ("get",)))
    found = untimed(Register, holds(reads_what_was_written, name="reads the last write"), clients=clients)
    write, read = found.counterexample.steps
    assert write in (Ask("n0", ("put", 1)), Ask("n2", ("put", 2)))
    assert read == Ask("n1", ("get",))


def test_a_node_that_fails_is_found():
    class Slips(TwoPhaseCommitNode):
        def on_message(self, ctx, sender, message):
            if self.decided and type(message).__name__ == "Prepare":
                raise RuntimeError("prepared too late")
            super().on_message(ctx, sender, message)

    found = untimed(Slips, atomic, seeds=300)
    assert "every handler ends without an error" in found.counterexample.explanation
    assert "prepared too late" in found.counterexample.explanation
    assert found.counterexample.run.stopped == len(found.counterexample.steps)


def test_an_eventually_can_be_broken_too():
    found = untimed(
        TwoPhaseCommitNode, eventually(lambda now: decisions(now), name="somebody decides"), until=5
    )
    assert found.counterexample.steps == ()


def decisions(now):
    return any(fields["decided"] for fields in now.nodes.values())


def test_shrink_refuses_a_run_in_which_all_is_well():
    run = script(TwoPhaseCommitNode, NAMES, [Deliver("n0", "n1")])
    with pytest.raises(ValueError, match="holds in this run"):
        shrink(run, atomic)


def test_shrinking_follows_a_message_to_its_new_place():
    """The vote that matters waits behind others only as long as those are there."""
    steps = [
        Deliver("n0", "n1"), Fire("n1", "give up"), Deliver("n0", "n2"), Repeat("n2", "n0"), Down("n2"), Up("n2"),
        Deliver("n1", "n0"), Lose("n2", "n0"), Deliver("n2", "n0"),
    ]  # fmt: skip
    run = script(ImpatientParticipantNode, NAMES, steps)
    shown = shrink(run, atomic)
    assert len(shown.steps) == 5
    assert not shown.run.check(atomic)


WRONG = st.sampled_from(
    [
        (ImpatientParticipantNode, atomic, MESH),
        (ForgetfulCoordinatorNode, atomic, MESH),
        (WithoutAcknowledgementNode, exclusive, MESH),
        (LamportMutexNode, exclusive, MESH),
        (RegeneratingTokenRingNode, one_token, Network(ring)),
        (NaiveFailoverNode, two_leaders, MESH),
    ]
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(WRONG, st.integers(0, 10_000), st.integers(5, 60))
def test_shrinking_is_idempotent_never_longer_and_never_passes(wrong, seed, until):
    factory, broken, network = wrong
    chosen = random_scenario(Scenario(factory, network), (), until, FaultMix(), seed)
    run = chosen.run()
    walked = script(factory, network.graph, chosen.engine.taken)
    assert walked.digest() == run.digest() or walked.until < run.until
    assert walked.trace.first_difference(run.trace) is None
    if run.check(broken):
        return
    shown = shrink(walked, broken)
    assert len(shown.steps) <= len(walked.scenario.steps)
    assert not shown.run.check(broken)
    assert shrink(shown.run, broken).steps == shown.steps
    for place in range(len(shown.steps)):  # no single step can be left out
        without = [*shown.steps[:place], *shown.steps[place + 1 :]]
        assert script(factory, network.graph, without, skip=True).check(broken)


class Mimic(Node):
    """Does a little of everything: what a walk may meet."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.seen = []

    def on_start(self, ctx):
        self.boots = (ctx.stored or 0) + 1
        ctx.save(self.boots)
        ctx.set_timer("tick", 1.0)

    def on_message(self, ctx, sender, message):
        self.seen.append(str(message)[:20])
        if sender.startswith("c"):
            ctx.send(sender, Reply(message.number, "ok", len(self.seen)))

    def on_timer(self, ctx, name):
        from tiny_systems import Vote

        ctx.send(self.peers[int(ctx.rng.random() * len(self.peers))], Vote(yes=ctx.rng.random() < 0.5))
        ctx.set_timer("tick", 1.0 + ctx.rng.random())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 80))
def test_the_steps_of_a_random_walk_make_the_same_run(seed, until):
    clients = [OpenLoop([("get", number) for number in range(4)], 1.0, ["n0", "n1"], timeout=1.0)]
    scenario = Scenario(Mimic, MESH, clients=clients)
    chosen = random_scenario(scenario, asks_of(scenario), until, FaultMix(), seed)
    run = chosen.run()
    again = script(Mimic, NAMES, chosen.engine.taken)
    assert again.trace.first_difference(run.trace) is None
    if len(again.clients) == len(run.clients):
        assert again.digest() == run.digest()
    assert run.check(always(lambda now: len(now.nodes) <= 3))


def test_a_script_too_short_for_the_property_is_passed_over():
    class Answers(Node):
        def on_message(self, ctx, sender, message):
            ctx.send(sender, Reply(message.number, "ok", message.operation))

    last = holds(lambda run: run.history()[-1].value != "b", name="the last answer is not b")
    example = shrink(script(Answers, ["n0"], [Ask("n0", "a"), Ask("n0", "b")]), last)
    assert example.steps == (Ask("n0", "b"),)
    with pytest.raises(IndexError):
        shrink(script(Answers, ["n0"], []), last)
