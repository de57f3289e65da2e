"""One message lost, late or doubled; other luck from a moment on; and when which fault was in force."""

from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    ClockDrift,
    ClockOffset,
    ClosedLoop,
    Constant,
    Crash,
    CutLink,
    DelayMessage,
    Duplicate,
    Exponential,
    Heal,
    LoseMessage,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    RepeatMessage,
    Reply,
    Restart,
    Resume,
    Scenario,
    Slow,
    Uniform,
    topology,
)


@dataclass(frozen=True)
class Tick:
    number: int


class Ticker(Node):
    """Sends a numbered tick to everybody each second, and answers clients."""

    def on_start(self, ctx):
        self.count, self.heard = 0, ()
        ctx.set_timer("tick", 1.0)

    def on_timer(self, ctx, name):
        self.count += 1
        for peer in self.peers:
            ctx.send(peer, Tick(self.count))
        ctx.set_timer("tick", 1.0)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Tick):
            self.heard += ((sender, message.number, round(ctx.now, 6)),)
        else:
            ctx.send(sender, Reply(message.number, "ok", ctx.rng.random()))


def ticking(*faults, seed=0, latency=0.1, clients=(), **settings):
    network = Network(topology.full_mesh(3), latency=latency, **settings)
    return Scenario(Ticker, network, faults=faults, clients=clients, seed=seed)


def heard(run, node="n1", sender="n0"):
    return [(number, time) for who, number, time in run.at(run.until).nodes[node]["heard"] if who == sender]


def test_exactly_this_message_is_lost():
    run = ticking(LoseMessage("n0", "n1", 2)).run(4.5)
    assert heard(run) == [(1, 1.1), (3, 3.1), (4, 4.1)]
    assert len(heard(run, "n2")) == 4
    (fault,) = run.trace.select(kind="fault")
    assert (fault.time, fault.node, fault.peer, fault.name) == (2.0, "n0", "n1", "LoseMessage")
    assert fault.text == "2 s: message 2 from n0 to n1 gets lost"
    (drop,) = run.trace.select(kind="drop")
    assert (drop.name, drop.message) == ("lost", Tick(2))


def test_exactly_this_message_is_late_and_this_one_doubled():
    run = ticking(DelayMessage("n0", "n1", 1, by=2.0), RepeatMessage("n0", "n1", 3)).run(4.5)
    assert heard(run) == [(2, 2.1), (1, 3.1), (3, 3.1), (3, 3.1), (4, 4.1)]
    copies = [
        event.detail for event in run.trace.select(kind="deliver", node="n1", peer="n0") if event.detail
    ]
    assert copies == [{"copy": 1}]


def test_a_copy_of_the_network_shares_the_fate_of_its_message():
    always_twice = [Duplicate(1.0, at=0.0)]
    assert [number for number, _ in heard(ticking(*always_twice).run(2.5))] == [1, 1, 2, 2]
    lost = ticking(*always_twice, LoseMessage("n0", "n1", 1)).run(2.5)
    assert [number for number, _ in heard(lost)] == [2, 2]
    late = ticking(*always_twice, DelayMessage("n0", "n1", 1, by=0.5)).run(2.5)
    assert heard(late) == [(1, 1.6), (1, 1.6), (2, 2.1), (2, 2.1)]


def test_the_count_goes_on_over_restarts_cuts_and_losses():
    faults = [
        CutLink("n0", "n1", at=0.5, until=1.5),  # message 1 is cut off
        Lossy(1.0, at=1.6, until=2.5, link=("n0", "n1")),  # message 2 is lost
        Crash("n0", at=2.6, restart_at=2.7),  # messages 3, 4 … at 3.7, 4.7
        LoseMessage("n0", "n1", 3),
    ]
    assert heard(ticking(*faults).run(5.0)) == [(2, 4.8)]


def test_either_end_may_be_a_client():
    client = ClosedLoop(["a", "b", "c"], 0.1, "n0", timeout=0.5)
    outcomes = lambda *faults: [op.outcome for op in ticking(*faults, clients=[client]).run(3.0).history()]  # noqa: E731
    assert outcomes() == ["ok"] * 3
    assert outcomes(LoseMessage("c0", "n0", 2)) == ["ok", "unknown", "ok"]
    assert outcomes(LoseMessage("n0", "c0", 3)) == ["ok", "ok", "unknown"]


def test_others_keep_their_luck():
    calm = ticking(latency=Uniform(0.01, 0.4), seed=3).run(6.0)
    hit = ticking(
        LoseMessage("n0", "n1", 2), RepeatMessage("n0", "n1", 4), latency=Uniform(0.01, 0.4), seed=3
    ).run(6.0)
    assert heard(hit, "n2") == heard(calm, "n2")
    assert [entry for entry in heard(calm) if entry[0] != 2] == [
        entry for number, entry in enumerate(heard(hit)) if entry in heard(calm)
    ]


def test_a_message_that_is_never_sent_leaves_no_trace():
    assert ticking(LoseMessage("n0", "n1", 99)).run(3.0).digest() == ticking().run(3.0).digest()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (lambda: LoseMessage("n0", "n1", 0), ValueError, "number of LoseMessage must be at least 1"),
        (lambda: LoseMessage("n0", "n0", 1), ValueError, "two different nodes"),
        (lambda: DelayMessage("n0", "n1", 1, by=0.0), ValueError, "by of DelayMessage must be above 0"),
        (lambda: ticking(LoseMessage("n0", "n9", 1)), LookupError, "n9"),
        (lambda: ticking(LoseMessage("c0", "n0", 1)), LookupError, "c0"),
        (
            lambda: ticking().run(4.0).fork(3.0, LoseMessage("n0", "n1", 2)),
            ValueError,
            "was sent at 2 s, before the fork",
        ),
        (lambda: ticking().run(4.0).fork(3.0, reseed=-1), ValueError, "reseed must be at least 0"),
    ],
)
def test_mistakes_are_told(fault, kind, words):
    with pytest.raises(kind, match=words):
        fault()


def test_they_go_to_json_and_back():
    faults = [LoseMessage("n0", "n1", 2), DelayMessage("n1", "n0", 1, by=0.5), RepeatMessage("n2", "n0", 3)]
    scenario = ticking(*faults)
    again = Scenario.from_json(scenario.to_json(), Ticker)
    assert again.faults == tuple(faults)
    assert again.run(4.0).digest() == scenario.run(4.0).digest()


def test_a_fork_keeps_all_before_it_and_may_hit_what_comes():
    run = ticking(seed=5, latency=Uniform(0.01, 0.4)).run(5.5)
    forked = run.fork(2.5, LoseMessage("n0", "n1", 3))
    assert [n for n, _ in heard(forked)] == [1, 2, 4, 5]


# ── other luck ──


def rich(seed=1):
    clients = [
        OpenLoop(["x"], 5.0, "n0", timeout=1.0, repeat=True),
        ClosedLoop(["y"], Exponential(0.2), "n1", timeout=1.0, repeat=True),
    ]
    return ticking(seed=seed, latency=Exponential(0.1), clients=clients, loss=0.1)


def test_other_luck_begins_exactly_at_the_fork():
    run = rich().run(6.0)
    forked = run.fork(3.0, reseed=7)
    place = run.first_difference(forked)
    assert forked.trace[place].name == "OtherLuck"
    assert forked.trace[place].time == 3.0
    assert run.trace[place].time >= 3.0
    before = [event.text for event in run.trace.select(between=(0.0, 3.0))]
    assert [event.text for event in forked.trace.select(between=(0.0, 3.0))] == before


def test_each_number_is_a_future_of_its_own_and_always_the_same():
    run = rich().run(6.0)
    digests = [run.fork(3.0, reseed=number).digest() for number in (0, 1, 2, 0, 1, 2)]
    assert digests[:3] == digests[3:]
    assert len(set(digests)) == 3


def test_all_luck_is_drawn_anew():
    run = rich().run(9.0)
    forked = run.fork(3.0, reseed=4)
    for kind, node in [("invoke", "c0"), ("invoke", "c1"), ("ok", "c0"), ("deliver", "n2")]:
        times = [one.trace.select(kind=kind, node=node, between=(3.5, 9.0)).times for one in (run, forked)]
        assert times[0] != times[1], (kind, node)
    assert forked.at(8.0).time == 8.0  # it can be looked at, and forked again
    assert forked.fork(5.0, reseed=4).digest() != forked.digest()


def test_a_fork_with_other_luck_goes_to_json_and_back():
    forked = rich().run(6.0).fork(3.0, reseed=7)
    again = Scenario.from_json(forked.scenario.to_json(), Ticker).run(6.0)
    assert again.digest() == forked.digest()


# ── which fault, from when to when ──


def intervals(*faults, until=10.0):
    return [(fault, begin, end) for fault, begin, end in ticking(*faults).run(until).trace.fault_intervals()]


def test_faults_end_by_themselves_by_others_and_with_the_run():
    crash, pause, cut = Crash("n0", at=1.0, restart_at=2.0), Pause("n1", at=1.5), CutLink("n0", "n2", at=3.0)
    parted, slow = Partition([["n0"], ["n1"]], at=4.0), Slow(2.0, at=5.0)
    faults = [
        crash,
        pause,
        Resume("n1", at=2.5),
        cut,
        parted,
        Heal(at=6.0, link=("n2", "n0")),
        Heal(at=7.0),
        slow,
    ]
    assert intervals(*faults) == [
        (crash, 1.0, 2.0),
        (pause, 1.5, 2.5),
        (cut, 3.0, 6.0),
        (parted, 4.0, 7.0),
        (slow, 5.0, 10.0),
    ]


def test_moot_faults_are_in_neither():
    crash = Crash("n0", at=1.0)
    run = ticking(crash, Crash("n0", at=2.0), Restart("n1", at=2.0), Pause("n0", at=3.0), Heal(at=4.0)).run(
        5.0
    )
    assert run.trace.fault_intervals() == ((crash, 1.0, 5.0),)
    assert run.trace.downtimes() == {"n0": ((1.0, 5.0),)}


def test_a_crash_ends_a_pause_and_a_drift_another_drift():
    pause, crash = Pause("n0", at=1.0, until=9.0), Crash("n0", at=2.0, restart_at=3.0)
    fast, slow = ClockDrift("n1", 0.5, at=1.0), ClockDrift("n1", -0.5, at=2.0)
    right, jump = ClockDrift("n1", 0.0, at=3.0), ClockOffset("n2", 5.0, at=4.0)
    found = intervals(pause, crash, fast, slow, right, jump, LoseMessage("n2", "n1", 6))
    assert found == [
        (pause, 1.0, 2.0),
        (fast, 1.0, 2.0),
        (crash, 2.0, 3.0),
        (slow, 2.0, 3.0),
        (right, 3.0, 3.0),
        (jump, 4.0, 4.0),
        (LoseMessage("n2", "n1", 6), 6.0, 6.0),
    ]


def test_downtimes_of_one_node_stand_in_order():
    faults = [
        Crash("n0", at=1.0, restart_at=2.0),
        Crash("n0", at=4.0),
        Restart("n0", at=5.0),
        Crash("n2", at=6.0),
    ]
    assert ticking(*faults).run(8.0).trace.downtimes() == {
        "n0": ((1.0, 2.0), (4.0, 5.0)),
        "n2": ((6.0, 8.0),),
    }


# ── a server that stands still, or works more slowly ──


class Worker(Node):
    def on_message(self, ctx, sender, message):
        ctx.send(sender, Reply(message.number, "ok", None))


def answered(*faults, until=200.0):
    graph = topology.full_mesh(1)
    graph.nodes["n0"]["service_time"] = Constant(10.0)
    client = OpenLoop(["job"], 1.0, "n0", timeout=150.0, arrivals="regular")
    return ticking_server(graph, faults, client).run(until).history()[0].completed


def ticking_server(graph, faults, client):
    return Scenario(Worker, Network(graph), faults=faults, clients=[client])


def test_a_paused_job_goes_on_where_it_was():
    assert answered() == 10.0
    assert answered(Pause("n0", at=1.0, until=5.0)) == 14.0
    assert answered(Pause("n0", at=1.0, until=2.0), Pause("n0", at=3.0, until=5.0)) == 13.0
    assert answered(Pause("n0", at=1.0, until=5.0), Crash("n0", at=2.0, restart_at=3.0)) is None


def test_slowness_sets_in_and_ends_for_the_job_in_service():
    assert answered(Slow(2.0, at=4.0, node="n0")) == 16.0  # 4 s done, 6 s left at half the pace
    assert answered(Slow(2.0, at=4.0, until=8.0, node="n0")) == 12.0  # 4 s, 2 s worth in 4 s, 4 s
    assert (
        answered(Slow(3.0, at=1.0, node="n0"), Pause("n0", at=4.0, until=10.0)) == 34.0
    )  # 1 s, 1 s worth, 8 s × 3
    assert answered(Pause("n0", at=1.0, until=5.0), Slow(2.0, at=2.0, until=4.0, node="n0")) == 14.0


def test_a_node_that_has_kept_its_stream_draws_anew_too():
    class Keeps(Node):
        def on_start(self, ctx):
            self._rng, self.drawn = ctx.rng, ()
            ctx.set_timer("draw", 1.0)

        def on_timer(self, ctx, name):
            self.drawn += (self._rng.random(),)
            ctx.set_timer("draw", 1.0)

    run = Scenario(Keeps, Network(topology.full_mesh(1))).run(5.5)
    one, other = (r.at(5.0).nodes["n0"]["drawn"] for r in (run, run.fork(2.5, reseed=1)))
    assert one[:2] == other[:2]
    assert not set(one[2:]) & set(other[2:])
