"""Searching: what is broken is found, what is right is not, and what was never reached is said."""

from dataclasses import dataclass

import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import FaultMix, inevitability, search
from dscourse.simulation import (
    Byzantine,
    ClosedLoop,
    Crash,
    CutLink,
    Equivocate,
    Lossy,
    MessageFault,
    Network,
    Node,
    Partition,
    Reply,
    Restart,
    Scenario,
    Silent,
    Slow,
    Uniform,
    always,
    eventually,
    holds,
    never,
    sometimes,
    topology,
)

MESH = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
FAILOVER = Scenario(NaiveFailoverNode, MESH)


def leaders(now):
    return sum(status.status == "leader" for status in now.status.values())


ONE_LEADER = never(lambda now: leaders(now) > 1, name="one leader at a time")


AGREED_IN_THE_END = eventually(
    lambda now: leaders(now) == 1, name="in the end one leads", after=9.9, stays=True
)


def test_a_cut_splits_the_naive_failover_and_one_fault_is_enough():
    found = search(FAILOVER, ONE_LEADER, until=10.0, seeds=50)
    assert not found
    (fault,) = found.counterexample.faults
    assert isinstance(fault, Partition | CutLink | Slow | Lossy)
    assert found.counterexample.explanation.startswith("one leader at a time: broken at ")
    assert not found.counterexample.run.check(ONE_LEADER)


def test_the_line_of_code_makes_the_run_again():
    example = search(FAILOVER, ONE_LEADER, until=10.0, seeds=50).counterexample
    again = eval(example.code, {"Scenario": Scenario, "NaiveFailoverNode": NaiveFailoverNode})
    assert again.digest() == example.run.digest()


def test_with_crashes_alone_it_agrees_in_the_end():
    mix = FaultMix.only(crashes=2, heal_at=6.0)
    reached = sometimes(lambda now: "crashed" in now.condition.values(), name="a crash")
    assert search(FAILOVER, [AGREED_IN_THE_END, reached], until=12.0, seeds=60, faults=mix)


def test_without_faults_nothing_is_found_and_the_unreached_is_told():
    crash = sometimes(lambda now: "crashed" in now.condition.values(), name="a node is down")
    calm = search(FAILOVER, [ONE_LEADER, crash], until=5.0, seeds=10, faults=FaultMix(most=0))
    assert calm
    assert (calm.tried, calm.seed, calm.counterexample) == (10, None, None)
    assert calm.never_reached == ("a node is down",)
    assert "Never reached: a node is down" in repr(calm)


def test_the_same_search_finds_the_same():
    found = [search(FAILOVER, ONE_LEADER, until=10.0, seeds=50) for _ in range(2)]
    assert found[0].seed == found[1].seed
    assert found[0].counterexample.run.digest() == found[1].counterexample.run.digest()
    assert repr(found[0]) == repr(found[1])


@dataclass(frozen=True)
class Copy:
    value: int


class ReadAnywhere(Node):
    """The first node takes writes and tells the others; every node answers reads from what it has."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.value = 0

    def on_message(self, ctx, sender, message):
        if isinstance(message, Copy):
            self.value = message.value
            return
        if message.operation != "read":
            self.value = message.operation
            for peer in self.peers:
                ctx.send(peer, Copy(self.value))
        ctx.send(sender, Reply(message.number, "ok", self.value))


class ReadAtTheFirst(ReadAnywhere):
    """Only the first node answers reads."""

    def on_message(self, ctx, sender, message):
        if isinstance(message, Copy) or self.node_id == "n0" or message.operation != "read":
            super().on_message(ctx, sender, message)


def reads_never_go_back(run):
    values = [op.value for op in run.history() if op.outcome == "ok" and op.client == "c1"]
    return values == sorted(values)


def reading(factory):
    writer = ClosedLoop([1, 2, 3, 4, 5], 0.5, "n0", timeout=1.0)
    reader = ClosedLoop(["read"] * 20, 0.1, ["n0", "n1", "n2"], timeout=0.3)
    network = Network(topology.full_mesh(3), latency=Uniform(0.01, 0.1))
    return Scenario(factory, network, clients=[writer, reader])


FORWARD = holds(reads_never_go_back, name="reads never go back in time")
UP = FaultMix(crashes=False, clocks=False)


def test_a_read_from_any_replica_goes_back_in_time():
    found = search(reading(ReadAnywhere), FORWARD, until=5.0, seeds=100, faults=UP)
    assert len(found.counterexample.faults) <= 1  # mostly the delay of a copy is enough
    assert len(found.counterexample.run.scenario.clients) == 2


def test_reads_at_one_place_never_do():
    assert search(reading(ReadAtTheFirst), FORWARD, until=5.0, seeds=200, faults=UP)


class NeverForgives(Node):
    """Suspects whoever was silent for a second, for ever."""

    forgives = False

    def on_start(self, ctx):
        self.heard = dict.fromkeys(self.peers, ctx.now)
        self.suspected = ()
        ctx.set_timer("beat", 0.25)

    def on_message(self, ctx, sender, message):
        self.heard[sender] = ctx.now
        if self.forgives and sender in self.suspected:
            self.suspected = tuple(peer for peer in self.suspected if peer != sender)
            ctx.record("trust", peer=sender)

    def on_timer(self, ctx, name):
        for peer in self.peers:
            ctx.send(peer, Copy(0))
            if ctx.now - self.heard[peer] > 1.0 and peer not in self.suspected:
                self.suspected += (peer,)
                ctx.record("suspect", peer=peer)
        ctx.set_timer("beat", 0.25)


class Forgives(NeverForgives):
    forgives = True


def all_trusted(now):
    return not now.suspicions and "crashed" not in now.condition.values()


CALM_AGAIN = eventually(all_trusted, name="in the end everybody is trusted", after=9.0)
HEALS = FaultMix(heal_at=6.0, clocks=False)


def test_a_detector_that_never_forgives_is_found_by_one_fault():
    found = search(Scenario(NeverForgives, MESH), CALM_AGAIN, until=12.0, seeds=50, faults=HEALS)
    assert len(found.counterexample.faults) == 1


def test_one_that_forgives_is_not():
    assert search(Scenario(Forgives, MESH), CALM_AGAIN, until=12.0, seeds=100, faults=HEALS)


class Breaks(Node):
    """Fails when it hears from itself restarted."""

    def on_start(self, ctx):
        ctx.save((ctx.stored or 0) + 1)
        if ctx.stored > 1:
            raise RuntimeError("I have been here before")


def test_an_error_in_a_handler_is_found_and_shrunk_to_what_raises_it():
    found = search(Scenario(Breaks, MESH), always(lambda now: True, name="nothing"), until=10.0, seeds=100)
    (fault,) = found.counterexample.faults
    assert isinstance(fault, Crash)
    assert "I have been here before" in found.counterexample.explanation
    assert found.counterexample.run.stopped is not None


class Endless(Node):
    """Answers every answer once it was restarted."""

    def on_start(self, ctx):
        if ctx.stored:
            ctx.set_timer("again", 0.0)
        ctx.save(True)

    def on_timer(self, ctx, name):
        ctx.set_timer("again", 0.0)


def test_a_run_that_never_ends_is_found():
    mix = FaultMix(
        most=1,
        pauses=False,
        partitions=False,
        cuts=False,
        loss=False,
        duplicates=False,
        messages=False,
        slow=False,
        clocks=False,
    )
    nothing = always(lambda now: True, name="nothing")
    scenario = Scenario(Endless, Network(topology.full_mesh(2)))
    found = search(scenario, nothing, until=3.0, seeds=20, faults=mix)
    assert len(found.counterexample.faults) == 1
    assert "never came to an end" in found.counterexample.explanation


# ── the mix ──


def drawn(mix, count=300, until=10.0, scenario=FAILOVER):
    return [mix.draw(scenario, until, seed) for seed in range(count)]


def test_every_kind_is_drawn_but_lies():
    kinds = {type(fault).__name__ for faults in drawn(FaultMix()) for fault in faults}
    assert kinds == {
        "Crash", "Pause", "Partition", "CutLink", "Lossy", "Duplicate", "Slow", "ClockOffset", "ClockDrift",
        "LoseMessage", "DelayMessage", "RepeatMessage",
    }  # fmt: skip
    lies = FaultMix(byzantine=[Silent(), Equivocate("value", (0, 1))])
    assert any(isinstance(fault, Byzantine) for faults in drawn(lies) for fault in faults)


def test_a_mix_keeps_to_its_numbers():
    for faults in drawn(FaultMix(crashes=1, partitions=False, loss=0.1, most=3)):
        assert 1 <= len(faults) <= 3
        assert sum(isinstance(fault, Crash) for fault in faults) <= 1
        assert not any(isinstance(fault, Partition) for fault in faults)
        assert all(fault.rate <= 0.1 for fault in faults if isinstance(fault, Lossy))
    assert drawn(FaultMix(most=0), 5) == [()] * 5


def test_swarm_many_runs_have_one_kind_only():
    alone = [len({type(fault) for fault in faults}) == 1 for faults in drawn(FaultMix())]
    assert 0.2 < sum(alone) / len(alone) < 0.8


def test_after_healing_everybody_is_up_and_nothing_is_in_force():
    for faults in drawn(FaultMix(heal_at=6.0), 100):
        assert not any(isinstance(fault, MessageFault) for fault in faults)
        run = FAILOVER.with_faults(*faults).run(8.0)
        now = run.at(6.0)
        assert set(now.condition.values()) == {"up"}
        assert now.faults == ()


def test_every_draw_is_a_valid_scenario():
    alone = Scenario(NaiveFailoverNode, Network(topology.full_mesh(1)))
    for scenario in (FAILOVER, alone, reading(ReadAnywhere)):
        for faults in drawn(FaultMix(), 200, 0.5, scenario):
            scenario.with_faults(*faults).run(0.5)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"properties": []}, ValueError, "must know what to look for"),
        ({"properties": "x"}, TypeError, "each of properties"),
        ({"seeds": 0}, ValueError, "seeds must be at least 1"),
        ({"until": 0.0}, ValueError, "until must be above 0"),
        ({"faults": [Crash("n0", at=1.0)]}, TypeError, "faults must be a FaultMix"),
        ({"adversary": "evil"}, ValueError, "'timed', 'untimed'"),
        ({"progress": 1}, TypeError, "progress must be True or False"),
    ],
)
def test_mistakes_are_told(arguments, kind, words):
    with pytest.raises(kind, match=words):
        search(FAILOVER, **{"properties": ONE_LEADER, "until": 5.0, **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"crashes": -1}, "crashes"),
        ({"loss": 2.0}, "loss"),
        ({"most": 1.5}, "most"),
        ({"heal_at": 0.0}, "heal_at"),
    ],
)
def test_mistakes_in_a_mix_are_told(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        FaultMix(**arguments)


def test_a_property_that_wants_the_whole_trace_gets_it():
    asked = []
    whole = always(lambda now: asked.append(len(now.trace)) or True, name="looks at the trace")
    assert search(FAILOVER, whole, until=1.0, seeds=2, faults=FaultMix(most=0))
    assert min(asked) > 50


def test_restarts_alone_find_nothing_where_all_heals():
    assert all(not isinstance(fault, Restart) for faults in drawn(FaultMix()) for fault in faults)


LEADS = sometimes(lambda now: leaders(now) == 1, name="somebody leads")
UNREACHED = sometimes(lambda now: leaders(now) > 5, name="six lead")


@pytest.mark.parametrize("adversary", ["timed", "untimed"])
def test_what_was_never_reached_is_said_beside_what_was_found(adversary):
    mix = FaultMix() if adversary == "timed" else FaultMix(most=0)
    found = search(
        FAILOVER, [ONE_LEADER, LEADS, UNREACHED], until=40, seeds=50, faults=mix, adversary=adversary
    )
    assert not found
    assert found.never_reached == ("six lead",)


def test_what_was_never_reached_is_said_beside_an_error():
    found = search(Scenario(Breaks, MESH), [UNREACHED], until=10.0, seeds=100)
    assert "I have been here before" in found.counterexample.explanation
    assert found.never_reached == ("six lead",)


class Log(Node):
    """Keeps a list, of which the first entry counts."""

    def on_start(self, ctx):
        self.log, self.head = [3, 1, 2], 0
        ctx.set_timer("look", 1.0)

    def on_timer(self, ctx, name):
        self.head = self.log[0]


def sorts_in_place(now):
    for fields in now.nodes.values():
        fields["log"].sort()
    return any(fields["head"] == 3 for fields in now.nodes.values())


@pytest.mark.parametrize("adversary", ["timed", "untimed"])
def test_a_property_that_changes_what_it_sees_is_told_so(adversary):
    scenario = Scenario(Log, Network(topology.full_mesh(2)))
    with pytest.raises(ValueError, match="a property changed what it was shown: the field 'log' of n"):
        search(
            scenario, never(sorts_in_place), until=3, seeds=2, faults=FaultMix(most=0), adversary=adversary
        )
    with pytest.raises(ValueError, match="a property changed what it was shown"):
        inevitability(scenario.run(3.0), never(sorts_in_place), forks=1, moments=2)
