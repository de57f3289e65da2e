"""Several things at one instant, or in one place: which comes first, and what they do together."""

import itertools
from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Byzantine,
    ClockOffset,
    Constant,
    Corrupt,
    Crash,
    CutLink,
    Duplicate,
    Heal,
    Lossy,
    Network,
    Node,
    NodeError,
    Partition,
    Pause,
    Restart,
    Resume,
    Scenario,
    Slow,
    Uniform,
    never,
    topology,
)
from dscourse.simulation.engine.kernel import Kernel
from dscourse.simulation.engine.process import Clock, Link
from dscourse.simulation.random_streams import Stream
from dscourse.simulation.recorder import Recorder
from dscourse.simulation.run import setting_of


@dataclass(frozen=True)
class Number:
    value: int


class Counter(Node):
    """n0 sends numbers to n1, so many each time that its timer is due."""

    times = (0.5, 1.0, 1.5, 2.0)
    burst = 1

    def __init__(self, node_id, peers):
        self._id = node_id
        self._numbers = itertools.count()

    def on_start(self, ctx):
        if self._id == "n0":
            for time in self.times:
                ctx.set_timer(f"at {time}", time - ctx.now)

    def on_timer(self, ctx, name):
        for _ in range(self.burst):
            ctx.send("n1", Number(next(self._numbers)))


def counter(**settings):
    return type("Set", (Counter,), settings)


def link(latency=0.1, **attributes):
    graph = topology.full_mesh(2)
    graph.edges["n0", "n1"].update(attributes)
    return Network(graph, latency=latency)


def fates(run):
    """[(number, time), …] of deliveries, and [(number, reason), …] of drops."""
    arrived = [(event.message.value, event.time) for event in run.trace.select(kind="deliver")]
    return arrived, [(event.message.value, event.name) for event in run.trace.select(kind="drop")]


# ── faults at one instant ─────────────────────────────────────────────────────────────────────────────────


def begun_and_ended(*faults):
    run = Scenario(counter(times=()), Network(topology.full_mesh(5)), faults=faults).run(3.0)
    return [(event.detail["phase"], event.node) for event in run.trace.select(kind="fault")]


def test_faults_that_begin_or_end_at_one_instant_do_so_in_the_order_in_which_they_were_given():
    order = ["n3", "n1", "n4", "n0"]
    faults = [Pause(name, at=1.0, until=2.0) for name in order]
    assert begun_and_ended(*faults) == [("start", name) for name in order] + [("end", name) for name in order]
    resumed = [Pause(name, at=0.5) for name in order] + [Resume(name, at=1.0) for name in reversed(order)]
    assert begun_and_ended(*resumed)[4:] == [("start", name) for name in reversed(order)]


def test_what_ends_others_comes_before_what_begins_wherever_it_stands_in_the_list():
    faults = [Crash("n1", at=1.0), Restart("n0", at=1.0), Crash("n0", at=0.5), Pause("n2", at=0.5, until=1.0)]
    run = Scenario(counter(times=()), Network(topology.full_mesh(5)), faults=faults).run(3.0)
    at_one = [
        (event.name, event.detail["phase"]) for event in run.trace.select(kind="fault", between=(1.0, 1.1))
    ]
    assert at_one == [("Restart", "start"), ("Pause", "end"), ("Crash", "start")]


# ── loss, copies, capacity, slowness together ─────────────────────────────────────────────────────────────


def test_a_slow_link_is_slow_for_copies_too():
    faults = [Slow(10.0, at=0.0), Duplicate(1.0, at=0.0)]
    run = Scenario(counter(times=(0.5,)), link(), faults=faults).run(4.0)
    assert fates(run)[0] == [(0, 1.5), (0, 1.5)]


def test_a_copy_leaves_the_sender_with_the_original():
    run = Scenario(counter(times=(0.5,), burst=2), link(capacity=2.0, duplication=1.0)).run(4.0)
    assert fates(run)[0] == [(0, 1.1), (0, 1.1), (1, 1.6), (1, 1.6)]


def test_a_cut_message_takes_no_room_on_the_link():
    network = link(capacity=1.0, queue_limit=0)
    faults = [CutLink("n0", "n1", at=0.4, until=0.6)]
    run = Scenario(counter(times=(0.5, 0.7)), network, faults=faults).run(4.0)
    assert fates(run) == ([(1, 1.8)], [(0, "cut")])


def test_a_message_that_finds_no_room_is_not_lost_on_the_way():
    run = Scenario(counter(times=(0.5,), burst=3), link(capacity=1.0, queue_limit=0, loss=1.0)).run(4.0)
    assert fates(run)[1] == [(0, "lost"), (1, "queue full"), (2, "queue full")]


def test_the_time_to_transmit_is_rounded_to_the_nearest_microsecond():
    run = Scenario(counter(times=(0.5,)), link(latency=0.0, capacity=1.5)).run(4.0)
    assert fates(run)[0] == [(0, 1.166667)]


def test_slownesses_of_one_node_multiply_and_so_do_those_of_both_ends():
    faults = [Slow(2.0, at=0.0, node="n1"), Slow(3.0, at=0.0, node="n1"), Slow(1.5, at=0.0, node="n0")]
    run = Scenario(counter(times=(0.5,)), link(), faults=faults).run(4.0)
    assert fates(run)[0] == [(0, pytest.approx(1.4))]


def test_a_fault_that_loses_messages_loses_the_same_ones_whatever_else_is_lost():
    times = tuple(0.5 + 0.01 * i for i in range(200))
    fault = Lossy(0.5, at=0.0)

    def lost(**attributes):
        run = Scenario(counter(times=times), link(**attributes), faults=[fault], seed=4).run(4.0)
        return {number for number, reason in fates(run)[1]}

    by_the_fault = lost()
    assert 70 < len(by_the_fault) < 130
    assert by_the_fault < lost(loss=0.5)


def test_one_of_several_losing_faults_takes_no_luck_from_the_others():
    times = tuple(0.5 + 0.01 * i for i in range(200))

    def lost(*faults):
        run = Scenario(counter(times=times), link(), faults=faults, seed=4).run(4.0)
        return {number for number, reason in fates(run)[1]}

    one, other = Lossy(0.4, at=0.0), Lossy(0.3, at=0.0)
    assert lost(one, other) == lost(one) | lost(other)


def test_a_heal_of_one_link_leaves_partitions_and_takes_the_link_by_either_end():
    network = Network(topology.full_mesh(4))
    faults = [
        Partition([["n0", "n1"], ["n2", "n3"]], at=0.5), CutLink("n0", "n1", at=0.5), CutLink("n2", "n3", at=0.5),
        Heal(at=1.0, link=("n1", "n0")),
    ]  # fmt: skip
    moment = Scenario(counter(times=()), network, faults=faults).run(2.0).at(1.0)
    assert moment.faults == (faults[0], faults[2])
    assert moment.can_talk("n0", "n1")
    assert not moment.can_talk("n2", "n3")
    assert not moment.can_talk("n0", "n2")


# ── luck of a link ────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_draws_its_latencies_from_one_stream_from_the_first_to_the_last():
    network = link(latency=Uniform(0.001, 0.2))
    times = tuple(0.5 + 0.25 * i for i in range(50))
    run = Scenario(counter(times=times), network, seed=9).run(20.0)
    stream = Stream(Link(*ends(run), None).key(0))
    sample = network.latency.sampler()
    expected = [round(1e6 * time) + sample(stream.draw()) for time in times]
    assert [round(1e6 * time) for _, time in fates(run)[0]] == expected


def ends(run):
    kernel = Kernel(setting_of(run.scenario), Recorder(keep=False), 1)
    return kernel.processes["n0"], kernel.processes["n1"]


def test_a_constant_latency_is_drawn_too():
    """So that another model on one link shifts nobody's luck: the draw is made, whatever becomes of it."""
    times = tuple(0.5 + 0.01 * i for i in range(30))
    runs = [
        Scenario(counter(times=times), link(latency=latency), faults=[Lossy(0.5, at=0.0)], seed=3).run(4.0)
        for latency in (Constant(0.1), Uniform(0.05, 0.15))
    ]
    assert fates(runs[0])[1] == fates(runs[1])[1]


# ── forks and verdicts ────────────────────────────────────────────────────────────────────────────────────


def test_at_one_instant_the_faults_of_a_run_come_before_those_of_its_fork():
    run = Scenario(counter(times=()), Network(topology.full_mesh(3)), faults=[Pause("n2", at=1.0)]).run(2.0)
    forked = run.fork(1.0, Pause("n0", at=1.0), Pause("n1", at=1.0))
    assert [event.node for event in forked.trace.select(kind="fault")] == ["n2", "n0", "n1"]
    assert [fault.node for fault in forked.faults] == ["n2", "n0", "n1"]


class Breaks(Node):
    """Fails as soon as it boots for the second time."""

    def __init__(self, node_id, peers):
        pass

    def on_start(self, ctx):
        if ctx.stored:
            raise KeyError("broken")
        ctx.save(True)


def test_what_fails_at_the_very_instant_of_a_fork_fails_by_its_faults():
    run = Scenario(Breaks, Network(topology.full_mesh(3)), faults=[Crash("n0", at=1.0)]).run(3.0)
    with pytest.raises(NodeError, match="at 2 s, on_start of n0 raised KeyError"):
        run.fork(2.0, Restart("n0", at=2.0))


class Boots(Node):
    def __init__(self, node_id, peers):
        self.boots = 0

    def on_start(self, ctx):
        self.boots = (ctx.stored or 0) + 1
        ctx.save(self.boots)


def test_a_verdict_names_everybody_whom_the_faults_of_an_instant_changed():
    faults = [Crash(name, at=1.0, restart_at=2.0) for name in ("n2", "n0")]
    run = Scenario(Boots, Network(topology.full_mesh(4)), faults=faults).run(3.0)
    again = never(lambda now: any(fields["boots"] == 2 for fields in now.nodes.values()), name="boots twice")
    (verdict,) = run.check(again)
    assert verdict.time == 2.0
    assert verdict.nodes == ("n2", "n0")


class Broadcasts(Node):
    def __init__(self, node_id, peers):
        self._id, self._peers = node_id, peers

    def on_start(self, ctx):
        if self._id == "n0":
            for number in range(40):
                for peer in self._peers:
                    ctx.send(peer, Number(1000 + number))


def test_what_a_liar_says_to_one_peer_is_luck_of_its_own():
    faults = [Byzantine("n0", Corrupt(0.5), at=0.0)]
    run = Scenario(Broadcasts, Network(topology.full_mesh(3)), faults=faults).run(1.0)
    heard = {
        peer: [event.message.value for event in run.trace.select(kind="send", peer=peer)]
        for peer in ("n1", "n2")
    }
    lies = {
        peer: {i for i, value in enumerate(values) if value != 1000 + i} for peer, values in heard.items()
    }
    assert all(8 < len(told) < 32 for told in lies.values())
    assert lies["n1"] != lies["n2"]


# ── clocks and services that are touched twice ────────────────────────────────────────────────────────────


def test_a_clock_that_is_stepped_twice_goes_on_in_between():
    faults = [ClockOffset("n0", 5.0, at=1.0), ClockOffset("n0", 1.0, at=2.0)]
    run = Scenario(counter(times=()), Network(topology.full_mesh(2)), faults=faults).run(4.0)
    assert run.at(3.0).clock == {"n0": 9.0, "n1": 3.0}


@pytest.mark.parametrize("rate", [-0.9, -0.37, -1e-6, 1e-6, 0.013, 0.9, 7.3])
def test_a_timer_on_a_drifting_clock_is_due_as_soon_as_its_reading_allows(rate):
    clock = Clock(0)
    clock.drift(1_234_567, rate)
    for local in (1, 2, 7, 1000, 999_999, 1_000_001):
        delay = clock.true_delay(2_000_003, local)
        begin = clock.read(2_000_003)
        assert clock.read(2_000_003 + delay) - begin >= local
        earlier = delay - 2 - int(1 / (1 + rate))  # readings are rounded: one local microsecond more or less
        assert earlier < 0 or clock.read(2_000_003 + earlier) - begin < local


def test_work_that_a_crash_has_taken_does_not_end_the_work_after_the_restart():
    graph = topology.full_mesh(2)
    graph.nodes["n1"]["service_time"] = 1.0
    faults = [Crash("n1", at=0.9, restart_at=1.0)]
    run = Scenario(counter(times=(0.5, 1.1)), Network(graph, latency=0.1), faults=faults).run(4.0)
    assert fates(run) == ([(1, 2.2)], [(0, "crashed")])
