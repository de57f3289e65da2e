"""Intervals, the order at one instant, crash, pause, moot faults, clocks."""

from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    ClockDrift,
    ClockOffset,
    Constant,
    Crash,
    CutLink,
    Heal,
    Lossy,
    Network,
    Node,
    Partition,
    Pause,
    Restart,
    Resume,
    Scenario,
    Slow,
    topology,
)


@dataclass(frozen=True)
class Note:
    text: str


class Diary(Node):
    """Sends a note to n1 at given times (n0 only), and records everything that reaches it."""

    times = (1.0, 2.0, 3.0, 4.0)

    def __init__(self, node_id, peers):
        self._id = node_id
        self._peers = peers
        self.entries = []

    def on_start(self, ctx):
        self.entries.append(("start", ctx.now))
        if self._id == "n0":
            for time in self.times:
                ctx.set_timer(f"{time:g}", time)

    def on_timer(self, ctx, name):
        self.entries.append((name, ctx.now))
        if self._id == "n0":
            ctx.send("n1", Note(name))

    def on_message(self, ctx, sender, message):
        self.entries.append((message.text, ctx.now))


def run(*faults, until=10.0, latency=0.5, nodes=2, factory=Diary, **more):
    network = Network(topology.full_mesh(nodes), latency=Constant(latency))
    return Scenario(factory, network, faults=faults, **more).run(until)


def entries(run, node="n1"):
    return run.at(run.until).nodes[node]["entries"]


# ── Intervals ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_processes_every_event_before_until_and_none_at_it():
    assert [event.time for event in run(until=2.0).trace.select(kind="timer")] == [1.0]
    assert [event.time for event in run(until=2.000001).trace.select(kind="timer")] == [1.0, 2.0]


def test_at_shows_the_state_after_all_events_up_to_and_including_t():
    result = run()
    assert result.at(1.499999).nodes["n1"]["entries"] == [("start", 0.0)]
    assert result.at(1.5).nodes["n1"]["entries"] == [("start", 0.0), ("1", 1.5)]


def test_a_fault_is_in_force_at_its_beginning_and_no_longer_at_its_end():
    moments = run(CutLink("n0", "n1", at=2.0, until=3.0))
    assert moments.at(1.999999).can_talk("n0", "n1")
    assert not moments.at(2.0).can_talk("n0", "n1")
    assert not moments.at(2.999999).can_talk("n0", "n1")
    assert moments.at(3.0).can_talk("n0", "n1")


def test_a_fork_at_t_shares_every_event_before_t_and_may_differ_at_t():
    base = run()
    fork = base.fork(2.0, CutLink("n0", "n1", at=2.0))
    place = base.first_difference(fork)
    assert fork.trace[place].time == 2.0
    assert fork.trace[place].kind == "fault"  # a fault comes before everything else at its instant
    with pytest.raises(ValueError, match="would change the past"):
        base.fork(2.0, CutLink("n0", "n1", at=1.999999))
    with pytest.raises(ValueError, match="ends at 10 s"):
        base.fork(10.5)


def test_a_fork_may_run_longer():
    base = run(until=2.5)
    longer = base.fork(2.5, until=10.0)
    assert longer.digest() == run().digest()


@pytest.mark.parametrize("until", [0, -1.0, float("nan"), float("inf")])
def test_run_refuses_an_end_that_is_none(until):
    with pytest.raises(ValueError, match="until must be"):
        run(until=until)


def test_ends_of_faults_come_before_starts_and_both_before_everything_else():
    # The new cut begins when the old one ends: the message due at 2.5 meets the new one.
    result = run(CutLink("n0", "n1", at=2.2, until=2.5), CutLink("n0", "n1", at=2.5, until=2.6))
    assert [(e.name, e.detail["phase"]) for e in result.trace.select(kind="fault", between=(2.5, 2.51))] == [
        ("CutLink", "end"),
        ("CutLink", "start"),
    ]
    assert ("2", 2.5) not in entries(result)
    # Listed the other way round, the order is the same.
    again = run(CutLink("n0", "n1", at=2.5, until=2.6), CutLink("n0", "n1", at=2.2, until=2.5))
    assert [e.detail["phase"] for e in again.trace.select(kind="fault", between=(2.5, 2.51))] == [
        "end",
        "start",
    ]


def test_restart_and_crash_at_one_instant_leave_the_node_down():
    result = run(Crash("n1", at=1.0, restart_at=2.0), Crash("n1", at=2.0))
    assert result.at(2.0).condition["n1"] == "crashed"
    assert result.trace.select(kind="record", node="n1").names == set()


def test_events_at_one_instant_go_in_order_of_insertion():
    class Burst(Diary):
        times = ()

        def on_start(self, ctx):
            super().on_start(ctx)
            if self._id == "n0":
                for word in ("a", "b", "c", "d"):
                    ctx.send("n1", Note(word))

    assert [text for text, _ in entries(run(factory=Burst))] == ["start", "a", "b", "c", "d"]


class Burst(Diary):
    """Everybody sends eight notes to n0 at once."""

    def on_start(self, ctx):
        self.entries = []
        if self._id != "n0":
            for number in range(8):
                ctx.send("n0", Note(f"{self._id} {number}"))


def test_shuffled_ties_are_another_order_by_seed_and_adding_a_node_leaves_the_others_order_alone():
    def order(nodes, seed, shuffle=True):
        result = run(factory=Burst, nodes=nodes, seed=seed, shuffle_ties=shuffle)
        return [text for text, _ in entries(result, "n0") if not text.startswith("n3")]

    plain = order(3, 1, shuffle=False)
    assert plain == [f"n{i} {number}" for i in (1, 2) for number in range(8)]
    assert order(3, 1) != plain
    assert sorted(order(3, 1)) == sorted(plain)
    assert order(3, 1) == order(3, 1)
    assert order(3, 1) != order(3, 2)
    assert order(4, 1) == order(3, 1)


# ── Crash and pause ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_to_a_node_that_is_down_when_it_is_due_is_dropped_and_one_due_later_arrives():
    result = run(
        Crash("n1", at=1.2, restart_at=2.2)
    )  # sent while up, due while down; sent while down, due while up
    assert [e.name for e in result.trace.select(kind="drop")] == ["crashed"]
    assert entries(result) == [("start", 2.2), ("2", 2.5), ("3", 3.5), ("4", 4.5)]


def test_a_crash_takes_timers_and_a_restarted_node_is_a_new_object_that_runs_on_start():
    result = run(Crash("n0", at=1.5, restart_at=5.0))
    assert entries(result, "n0") == [("start", 5.0), ("1", 6.0), ("2", 7.0), ("3", 8.0), ("4", 9.0)]


def test_a_restart_handles_on_start_before_a_message_due_at_the_same_instant():
    result = run(Crash("n1", at=1.1, restart_at=1.5))
    assert entries(result)[:2] == [("start", 1.5), ("1", 1.5)]


class Saver(Node):
    def __init__(self, node_id, peers):
        self.boots = []

    def on_start(self, ctx):
        self.boots = ctx.stored or []
        self.found_nothing = ctx.stored is None
        self.boots.append(ctx.now)
        ctx.save(self.boots)
        self.boots.append("not saved")
        ctx.stored.append("a fresh copy each time")
        self.reads = ctx.stored


def test_save_stores_a_copy_at_once_and_stored_gives_a_fresh_one():
    result = run(Crash("n0", at=1.0, restart_at=2.0), Crash("n0", at=3.0, restart_at=4.0), factory=Saver)
    first, last = result.at(0.5), result.at(5.0)
    assert first.nodes["n0"] == {"boots": [0.0, "not saved"], "found_nothing": True, "reads": [0.0]}
    assert last.nodes["n0"] == {
        "boots": [0.0, 2.0, 4.0, "not saved"],
        "found_nothing": False,
        "reads": [0.0, 2.0, 4.0],
    }
    assert last.stored["n0"] == [0.0, 2.0, 4.0]


def test_paused_messages_and_timers_run_at_resume_in_the_order_in_which_they_were_due():
    class Busy(Diary):
        def on_start(self, ctx):
            super().on_start(ctx)
            if self._id == "n1":
                ctx.set_timer("own 3.2", 3.2)
                ctx.set_timer("own 2.1", 2.1)

    result = run(Pause("n1", at=1.0, until=4.2), factory=Busy)
    assert entries(result) == [
        ("start", 0.0), ("1", 4.2), ("own 2.1", 4.2), ("2", 4.2), ("own 3.2", 4.2), ("3", 4.2), ("4", 4.5),
    ]  # fmt: skip
    late = result.trace.select(kind="deliver", node="n1", between=(4.2, 4.3))
    assert [event.detail for event in late] == [{"arrived": 1.5}, {"arrived": 2.5}, {"arrived": 3.5}]


def test_a_timer_that_a_resumed_handler_cancels_does_not_run_though_it_was_due():
    class Cancels(Node):
        def __init__(self, node_id, peers):
            self.ran = []

        def on_start(self, ctx):
            ctx.set_timer("first", 1.0)
            ctx.set_timer("second", 2.0)

        def on_timer(self, ctx, name):
            self.ran.append(name)
            ctx.cancel_timer("second")

    assert run(Pause("n0", at=0.5, until=3.0), factory=Cancels).at(5).nodes["n0"]["ran"] == ["first"]


def test_a_crash_while_paused_discards_what_waited():
    result = run(Pause("n1", at=1.0, until=6.0), Crash("n1", at=3.0, restart_at=4.2))
    assert entries(result) == [("start", 4.2), ("4", 4.5)]
    assert [(e.time, e.name, e.detail) for e in result.trace.select(kind="drop")] == [
        (3.0, "crashed", {"arrived": 1.5}),
        (3.0, "crashed", {"arrived": 2.5}),
        (3.5, "crashed", {}),
    ]
    end = result.trace.select(kind="fault", name="Pause", between=(6.0, 6.1))
    assert [event.detail["moot"] for event in end] == [True]  # the crash has ended the pause


def test_a_node_that_is_paused_from_the_beginning_starts_when_it_resumes():
    assert entries(run(Pause("n1", at=0.0, until=2.2)))[:3] == [("start", 2.2), ("1", 2.2), ("2", 2.5)]


def test_a_node_that_crashes_at_the_beginning_never_started():
    result = run(Crash("n1", at=0.0, restart_at=2.2))
    assert entries(result)[0] == ("start", 2.2)


@pytest.mark.parametrize(
    ("faults", "moot"),
    [
        ([Crash("n1", at=1), Crash("n1", at=2)], [False, True]),
        ([Restart("n1", at=1)], [True]),
        ([Resume("n1", at=1)], [True]),
        ([Heal(at=1)], [True]),
        ([CutLink("n0", "n1", at=1), Heal(at=2, link=("n0", "n2"))], [False, True]),
        ([Crash("n1", at=1), Pause("n1", at=2)], [False, True]),
        ([Pause("n1", at=1), Pause("n1", at=2)], [False, True]),
        ([Pause("n1", at=1), Restart("n1", at=2)], [False, True]),
        ([CutLink("n0", "n1", at=1, until=4), Heal(at=2)], [False, False, True]),
        ([Crash("n1", at=1, restart_at=4), Restart("n1", at=2)], [False, False, True]),
        ([Pause("n1", at=1, until=4), Resume("n1", at=2)], [False, False, True]),
    ],
    ids=lambda value: (
        " ".join(type(fault).__name__ for fault in value) if value and not isinstance(value[0], bool) else ""
    ),
)
def test_a_fault_that_has_become_moot_is_a_recorded_no_op(faults, moot):
    result = run(*faults, nodes=3)
    assert ["moot" in event.detail for event in result.trace.select(kind="fault")] == moot


def test_the_restart_of_a_moot_crash_restarts_nothing():
    result = run(Crash("n1", at=1.0), Crash("n1", at=2.0, restart_at=3.0))
    assert result.at(9.0).condition["n1"] == "crashed"


def test_an_old_restart_does_not_end_a_later_crash():
    result = run(Crash("n1", at=1.0, restart_at=5.0), Restart("n1", at=2.0), Crash("n1", at=3.0))
    assert result.at(9.0).condition["n1"] == "crashed"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Crash("n1", at=3, restart_at=3), "restart_at must be later than at, got at=3, restart_at=3"),
        (lambda: Pause("n1", at=3, until=2), "until must be later than at"),
        (lambda: Partition([["n0"]], at=-1), "at of Partition must be at least 0, got -1"),
        (lambda: Lossy(1.5, at=0), "rate of Lossy must lie between 0 and 1, got 1.5"),
        (lambda: Lossy(float("nan"), at=0), "finite"),
        (lambda: Slow(0, at=0), "factor of Slow must be above 0"),
        (lambda: Slow(2, at=0, node="n0", link=("n0", "n1")), "a node or a link, not both"),
        (lambda: ClockDrift("n0", -1.0, at=0), "rate of ClockDrift must be above -1"),
        (lambda: CutLink("n0", "n0", at=0), "two different nodes"),
        (lambda: Partition([], at=0), "at least one group"),
        (lambda: Partition([["n0"], []], at=0), "group of a Partition is empty"),
    ],
)
def test_a_fault_with_a_bad_value_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Crash(3, at=1),
        lambda: Crash("n1", at="1"),
        lambda: Crash("n1", at=True),
        lambda: Partition(["n0", "n1"], at=1),
        lambda: Partition("n0", at=1),
        lambda: Heal(1, link="n0"),
        lambda: CutLink("n0", "n1", at=1, one_way=1),
    ],
)
def test_a_fault_with_a_value_of_a_wrong_type_is_refused(make):
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Crash("n7", at=1), "there is no node .*'n7'; there are n0, n1, n2"),
        (Partition([["n0", "x"]], at=1), "there is no node .*'x'"),
        (CutLink("n1", "n2", at=1), "no link from 'n1' to 'n2'"),
        (Lossy(0.1, at=1, link=("n0", "c0")), "there is no node .*'c0'"),
    ],
)
def test_unknown_names_are_refused_before_the_run_starts(fault, words):
    network = Network(topology.star(3))
    with pytest.raises(LookupError, match=words):
        Scenario(Diary, network, faults=[fault])


def test_faults_of_a_wrong_type_are_refused():
    with pytest.raises(TypeError, match="faults must be a list"):
        run(factory=Diary).scenario.__class__(Diary, Network(topology.ring(3)), faults=Crash("n0", at=1))
    with pytest.raises(TypeError, match="each of faults"):
        Scenario(Diary, Network(topology.ring(3)), faults=["crash"])


# ── Clocks ────────────────────────────────────────────────────────────────────────────────────────────────────


class Watch(Node):
    """One timer of ten seconds, set at the start, and one a second."""

    def __init__(self, node_id, peers):
        self.readings = []

    def on_start(self, ctx):
        ctx.set_timer("ten", 10.0)
        ctx.set_timer("one", 1.0)

    def on_timer(self, ctx, name):
        self.readings.append((name, round(ctx.now, 5)))
        if name == "one":
            ctx.set_timer("one", 1.0)


def when(result, name):
    return [event.time for event in result.trace.select(kind="timer", node="n0", name=name)]


def test_drift_is_extra_local_seconds_per_true_second_and_the_trace_holds_true_time():
    result = run(ClockDrift("n0", 0.25, at=0.0), factory=Watch, until=20.0)
    assert when(result, "one")[:3] == [0.8, 1.6, 2.4]
    assert when(result, "ten") == [8.0]
    assert result.at(19.0).nodes["n0"]["readings"][:2] == [("one", 1.0), ("one", 2.0)]


def test_a_clock_may_run_slow():
    assert when(run(ClockDrift("n0", -0.5, at=0.0), factory=Watch, until=25.0), "ten") == [20.0]


def test_pending_timers_are_measured_on_the_drifting_clock_from_the_moment_it_drifts():
    # Five seconds are over when the clock begins to run at double speed: five local seconds are 2.5 true ones.
    assert when(run(ClockDrift("n0", 1.0, at=5.0), factory=Watch, until=20.0), "ten") == [7.5]
    back = run(ClockDrift("n0", 1.0, at=5.0), ClockDrift("n0", 0.0, at=6.0), factory=Watch, until=20.0)
    assert when(back, "ten") == [9.0]
    assert back.at(20.0).clock["n0"] == 21.0
    assert back.at(5.5).faults == (ClockDrift("n0", 1.0, at=5.0),)
    assert back.at(6.5).faults == ()


def test_an_offset_steps_now_and_moves_no_pending_timer():
    result = run(ClockOffset("n0", -3.0, at=5.0), factory=Watch, until=20.0)
    assert when(result, "ten") == [10.0]
    assert ("ten", 7.0) in result.at(20.0).nodes["n0"]["readings"]


def test_offset_and_drift_survive_a_crash_as_a_hardware_clock_does():
    result = run(ClockOffset("n0", 5.0, at=1.0), Crash("n0", at=2.0, restart_at=3.0), factory=Diary)
    assert entries(result, "n0")[0] == ("start", 8.0)


def test_set_timer_replaces_a_pending_one_of_that_name_and_cancel_of_an_unknown_one_does_nothing():
    class Resets(Node):
        def on_start(self, ctx):
            ctx.set_timer("alarm", 1.0)
            ctx.set_timer("alarm", 3.0)
            ctx.set_timer("gone", 1.0)
            ctx.cancel_timer("gone")
            ctx.cancel_timer("never set")

    result = run(factory=Resets)
    assert [(e.node, e.time, e.name) for e in result.trace.select(kind="timer")] == [
        ("n0", 3.0, "alarm"),
        ("n1", 3.0, "alarm"),
    ]


def test_a_timer_of_zero_is_due_at_once_and_a_tiny_one_a_microsecond_later():
    class Quick(Node):
        def on_start(self, ctx):
            ctx.set_timer("zero", 0)
            ctx.set_timer("tiny", 1e-9)

    result = run(factory=Quick, nodes=1)
    assert [(e.name, e.time) for e in result.trace.select(kind="timer")] == [("zero", 0.0), ("tiny", 1e-6)]
