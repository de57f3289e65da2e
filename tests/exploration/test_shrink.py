"""Shrinking: never a passing run, never a longer one, and twice is once."""

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import FaultMix, shrink
from dscourse.exploration.search import first_broken
from dscourse.exploration.shrink import Case, _size
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    Duplicate,
    LoseMessage,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    RepeatMessage,
    Reply,
    Scenario,
    Slow,
    Uniform,
    always,
    eventually,
    holds,
    never,
    topology,
)

MESH = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
ONE_LEADER = never(
    lambda now: sum(status.status == "leader" for status in now.status.values()) > 1,
    name="one leader at a time",
)


class Counter(Node):
    """Adds up what it is told, each time it is told."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.total = 0

    def on_message(self, ctx, sender, message):
        self.total += 1
        ctx.send(sender, Reply(message.number, "ok", self.total))


def counting(*faults, **network):
    clients = [
        OpenLoop(["add"], 3.0, "n0", timeout=1.0, repeat=True),
        ClosedLoop(["add"] * 12, 0.2, ["n0", "n1"], timeout=0.5),
        ClosedLoop(["add"] * 5, 0.5, "n2", timeout=0.5),
    ]
    return Scenario(
        Counter, Network(topology.full_mesh(3), **network), faults=faults, clients=clients, seed=4
    )


ALL_ANSWERED = holds(
    lambda run: all(op.outcome != "unknown" for op in run.history()), name="every question is answered"
)


def test_noise_falls_away():
    faults = [
        Pause("n3", at=0.7, until=1.1),
        Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=2.1234, until=7.5),
        Slow(2.0, at=1.0, node="n4"),
        Lossy(0.05, at=0.0),
    ]
    run = Scenario(NaiveFailoverNode, MESH, faults=faults, seed=3).run(10.0)
    example = shrink(run, ONE_LEADER)
    (fault,) = example.faults
    assert isinstance(fault, Partition)
    assert len(repr(fault.at)) <= 3
    assert example.run.until < 5.0


def test_random_losses_become_the_message_that_mattered():
    run = counting(Lossy(0.6, at=0.0, link=("c1", "n0"))).run(5.0)
    example = shrink(run, ALL_ANSWERED)
    (fault,) = example.faults
    assert isinstance(fault, LoseMessage)
    assert {fault.sender, fault.to} <= {"c0", "n0"}  # the client that is left has become the first
    assert sum(len(client.operations) for client in example.run.scenario.clients) == 1


def test_the_networks_own_luck_becomes_exact_too():
    class Gossip(Counter):
        def on_start(self, ctx):
            self.heard = ()
            ctx.set_timer("tell", 0.5)

        def on_timer(self, ctx, name):
            for peer in self.peers:
                ctx.send(peer, Reply(0, "ok", self.node_id))
            ctx.set_timer("tell", 0.5)

        def on_message(self, ctx, sender, message):
            self.heard += (sender,)

    network = Network(topology.full_mesh(3), loss=0.1, duplication=0.1)
    run = Scenario(Gossip, network, seed=2).run(6.0)
    twice = never(
        lambda now: any(len(f["heard"]) > 3 and f["heard"][-1] == f["heard"][-2] for f in now.nodes.values()),
        name="nobody is told twice by the same",
    )
    example = shrink(run, twice)
    assert example.run.scenario.network.loss == example.run.scenario.network.duplication == 0.0
    assert len(example.faults) == 1
    assert isinstance(example.faults[0], RepeatMessage | LoseMessage)


def test_what_holds_can_not_be_shrunk():
    with pytest.raises(ValueError, match="holds in this run, so there is nothing to shrink"):
        shrink(counting().run(3.0), always(lambda now: True, name="all is well"))


def test_a_learner_is_told_what_shrink_takes():
    with pytest.raises(TypeError, match="run must be a run"):
        shrink(counting(), ALL_ANSWERED)
    with pytest.raises(TypeError, match="property must be a property"):
        shrink(counting().run(1.0), "all is well")


CASES = st.tuples(st.integers(0, 10_000), st.sampled_from(["failover", "counting"]))


@settings(max_examples=12, deadline=None)
@given(CASES)
def test_shrinking_never_passes_never_grows_and_is_idempotent(case):
    seed, which = case
    base = Scenario(NaiveFailoverNode, MESH) if which == "failover" else counting(Duplicate(0.2, at=0.0))
    wanted = ONE_LEADER if which == "failover" else ALL_ANSWERED
    scenario = base.changed(seed=seed, faults=(*base.faults, *FaultMix().draw(base, 6.0, seed)))
    if first_broken(scenario, 6.0, [wanted]) != (wanted,):
        return
    example = shrink(scenario.run(6.0), wanted)
    assert not example.run.check(wanted)
    shrunk = Case(example.run.scenario, example.run.until, 6.0)
    assert _size(shrunk) <= _size(Case(scenario, 6.0, 6.0))
    again = shrink(example.run, wanted)
    assert _size(Case(again.run.scenario, again.run.until, 6.0)) == _size(shrunk)
    assert again.run.digest() == example.run.digest()


class Listener(Node):
    """Counts what it hears of the first node, which tells it something six times."""

    def on_start(self, ctx):
        self.heard = 0
        if self.node_id == "n0":
            for k in range(1, 7):
                ctx.set_timer(f"tell {k}", 0.1 * k)

    def on_timer(self, ctx, name):
        ctx.send("n1", Reply(0, "ok", name))

    def on_message(self, ctx, sender, message):
        self.heard += 1


TOO_MANY = never(lambda now: now.nodes["n1"]["heard"] > 6, name="hears it too often")
TOO_FEW = holds(
    lambda run: run.at(run.until).nodes["n1"]["heard"] == 6 or run.until < 1.0, name="hears it all"
)


@pytest.mark.parametrize("on_the_edge", [False, True])
@pytest.mark.parametrize(
    ("luck", "wanted", "kind"),
    [("duplication", TOO_MANY, RepeatMessage), ("loss", TOO_FEW, LoseMessage)],
)
def test_no_luck_of_the_network_is_left_and_the_message_that_mattered_is(on_the_edge, luck, wanted, kind):
    graph = topology.full_mesh(2)
    if on_the_edge:
        graph.add_edge("n0", "n1", **{luck: 0.3})
    network = Network(graph, **({} if on_the_edge else {luck: 0.3}))
    run = next(
        run
        for seed in range(50)
        if not (run := Scenario(Listener, network, seed=seed).run(2.0)).check(wanted)
    )
    example = shrink(run, wanted)
    assert not example.run.check(wanted)
    assert not example.run.scenario.network.is_lucky
    (fault,) = example.faults
    assert isinstance(fault, kind)


class Slowly(Node):
    """Is ready ten seconds after it boots."""

    def on_start(self, ctx):
        self.ready = False
        ctx.set_timer("ready", 10.0)

    def on_timer(self, ctx, name):
        self.ready = True


def test_what_only_takes_long_is_no_counterexample_of_eventually():
    both = eventually(
        lambda now: len(now.nodes) == 2 and all(fields["ready"] for fields in now.nodes.values()),
        name="both get ready",
        after=9.0,
    )
    scenario = Scenario(Slowly, Network(topology.full_mesh(2)), faults=[Crash("n0", at=1.0, restart_at=5.0)])
    example = shrink(scenario.run(12.0), both)
    (fault,) = example.faults
    assert fault.node == "n0"
    assert example.run.until == 12.0
    assert shrink(example.run, both).run.digest() == example.run.digest()


def test_an_eventually_of_after_the_run_is_broken_by_it():
    late = eventually(lambda now: True, name="late", after=9.0)
    assert shrink(counting().run(3.0), late).explanation.startswith("late: broken.")


def test_a_run_too_short_for_the_property_is_passed_over():
    last = holds(lambda run: run.history()[-1].value != 2, name="the last answer is not two")
    scenario = Scenario(
        Counter, Network(topology.full_mesh(2)), clients=[ClosedLoop(["add"] * 2, 0.2, "n0", timeout=0.5)]
    )
    assert not shrink(scenario.run(3.0), last).run.check(last)
    with pytest.raises(IndexError):  # of the run itself it is the learner's mistake, and told
        shrink(scenario.changed(clients=()).run(3.0), last)
