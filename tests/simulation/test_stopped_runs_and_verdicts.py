"""What a run still answers after it was stopped, and what is said of times at which nothing happens."""

import itertools
from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Constant,
    Crash,
    EventLimit,
    Network,
    Node,
    NodeError,
    NotDeterministic,
    Scenario,
    always,
    check_determinism,
    eventually,
    sometimes,
    topology,
)

NETWORK = Network(topology.full_mesh(2), latency=Constant(0.1))


class Steady(Node):
    """Every second something happens, unless told otherwise."""

    def __init__(self, node_id, peers):
        self.count = 0

    def on_start(self, ctx):
        ctx.set_timer("tick", 1.0)

    def on_timer(self, ctx, name):
        self.count += 1
        ctx.set_timer("tick", 1.0)


class StuckAtThree(Steady):
    """From 3 s on, time stands still."""

    def on_timer(self, ctx, name):
        self.count += 1
        ctx.set_timer("tick", 1.0 if self.count < 3 else 0)


class FailsAtThree(Steady):
    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        assert self.count < 3


# ── Stopped runs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def stuck():
    with pytest.raises(EventLimit) as caught:
        Scenario(StuckAtThree, NETWORK).run(10.0, event_limit=5000)
    return caught.value.run


def test_a_run_that_stood_still_can_still_be_looked_at(stuck):
    assert stuck.stopped == 3.0
    assert stuck.at(2.5).nodes["n0"] == {"count": 2}
    last = stuck.at(3.0).nodes
    assert sum(fields["count"] for fields in last.values()) == len(
        stuck.trace
    )  # a row a timer: exactly as far
    assert stuck.recording().fields_at(3.0) == last


def test_a_run_that_stood_still_can_be_checked(stuck):
    verdicts = stuck.check(
        always(lambda now: now.time <= 3.0, name="early"), sometimes(lambda now: now.time > 3.0)
    )
    assert "early): holds throughout the run of 10 s, which was stopped at 3 s." in repr(verdicts)
    assert [verdict.holds for verdict in verdicts] == [True, False]


def test_a_stopped_run_shows_no_time_after_its_last():
    with pytest.raises(NodeError) as caught:
        Scenario(FailsAtThree, NETWORK).run(10.0)
    moment = caught.value.run.at(8.0)
    assert moment.time == 3.0
    assert moment.clock == {"n0": 3.0, "n1": 3.0}


@pytest.mark.parametrize("limit", [1, 17, 100, 4000, 5000, 9000])
def test_the_limit_of_events_holds_for_any_number(limit):
    count = len(Scenario(Steady, NETWORK).run(limit / 2 + 2).trace)
    assert limit < count
    with pytest.raises(EventLimit, match="in the last") as caught:
        Scenario(Steady, NETWORK).run(limit / 2 + 2, event_limit=limit)
    assert limit < len(caught.value.run.trace) <= limit + 64
    assert Scenario(Steady, NETWORK).run(limit / 2 + 2, event_limit=count).stopped is None


def test_a_fork_has_the_limit_of_its_run():
    run = Scenario(Steady, NETWORK).run(10.0, event_limit=30)
    with pytest.raises(EventLimit):
        run.fork(5.0, until=40.0)


# ── Forks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fork_must_go_beyond_its_beginning():
    run = Scenario(Steady, NETWORK).run(10.0)
    with pytest.raises(ValueError, match="the fork at 5 s must go on for some time, got until=3"):
        run.fork(5.0, until=3.0)
    assert run.fork(5.0, Crash("n0", at=5.0), until=6.0).until == 6.0


# ── Times at which nothing happens ────────────────────────────────────────────────────────────────────────────


class TrueFromTo(Node):
    """``ready`` is true from 1 s to 7 s."""

    def __init__(self, node_id, peers):
        self.ready = False

    def on_start(self, ctx):
        ctx.set_timer("on", 1.0)
        ctx.set_timer("off", 7.0)

    def on_timer(self, ctx, name):
        self.ready = name == "on"


def ready(now):
    return now.nodes["n0"]["ready"]


@pytest.mark.parametrize(
    ("after", "stays", "until", "holds", "time"),
    [
        (0.0, False, 10.0, True, 1.0),
        (0.5, False, 10.0, True, 1.0),
        (1.0, False, 10.0, True, 1.0),
        (5.0, False, 10.0, True, 5.0),  # nothing happens at 5 s, but it is true then
        (5.0, False, 6.0, True, 5.0),  # nothing happens from then on
        (5.0, True, 6.0, True, 5.0),
        (5.0, True, 10.0, False, None),
        (7.0, False, 10.0, False, None),
        (8.0, False, 10.0, False, None),
        (0.1 + 0.2, False, 10.0, True, 1.0),
        (20.0, False, 10.0, False, None),  # later than the run
    ],
)
def test_what_is_true_stays_true_until_something_happens(after, stays, until, holds, time):
    run = Scenario(TrueFromTo, NETWORK).run(until)
    (verdict,) = run.check(eventually(ready, after=after, stays=stays))
    assert (verdict.holds, verdict.time) == (holds, time)


def test_looking_when_nothing_happens_changes_nothing():
    run = Scenario(Steady, NETWORK, shuffle_ties=True).run(5.0)
    seen = []
    run.check(eventually(lambda now: seen.append((now.time, now.event)), after=2.5))
    assert seen[0] == (2.5, None)
    assert [event.index for _, event in seen[1:]] == [4, 5, 6, 7]


# ── Nodes that are not deterministic ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fails_the_second_time():
    boots = itertools.count()

    class FailsLater(Steady):
        def on_start(self, ctx):
            super().on_start(ctx)
            self._fails = next(boots) >= 2

        def on_timer(self, ctx, name):
            super().on_timer(ctx, name)
            if self._fails:
                raise KeyError("only now")

    return Scenario(FailsLater, NETWORK)


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: run.at(3.0),
        lambda run: run.fork(3.0),
        lambda run: run.check(always(lambda now: True)),
        lambda run: run.recording(),
    ],
)
def test_a_node_that_fails_only_the_second_time_is_not_deterministic(fails_the_second_time, ask):
    run = fails_the_second_time.run(5.0)
    with pytest.raises(
        NotDeterministic, match=r"(?s)Only then, at 1 s, on_timer of n0 raised KeyError.*ctx\.rng"
    ):
        ask(run)


def test_check_determinism_notices_it_too(fails_the_second_time):
    with pytest.raises(NotDeterministic, match="Only then, at 1 s"):
        check_determinism(fails_the_second_time, until=5.0)


def test_a_mistake_after_the_fork_is_a_mistake():
    class FailsAlone(Steady):
        def on_timer(self, ctx, name):
            super().on_timer(ctx, name)
            assert ctx.stored is None
            ctx.save(self.count)

        def on_start(self, ctx):
            ctx.set_timer("tick", 1.0 if ctx.stored is None else 2.0)

    run = Scenario(FailsAlone, NETWORK).run(1.5)
    with pytest.raises(NodeError):
        run.fork(1.2, Crash("n0", at=1.2, restart_at=1.4), until=5.0)


@dataclass(frozen=True)
class Value:
    value: object


def test_equal_values_of_different_types_are_different():
    boots = itertools.count()

    class Changeable(Node):
        def __init__(self, node_id, peers):
            self._peers = peers

        def on_start(self, ctx):
            ctx.send(self._peers[0], Value(1 if next(boots) < 2 else True))

    with pytest.raises(
        NotDeterministic, match=r"Event 0 was\n.*Value\(value=1\).*\nand is now\n.*Value\(value=True\)"
    ):
        check_determinism(Scenario(Changeable, NETWORK), until=1.0)
