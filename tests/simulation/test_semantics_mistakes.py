"""A learner's mistakes: what is said, and what is kept."""

import contextlib
import gc
import re
import signal
import sys
from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Constant,
    Crash,
    EventLimit,
    Network,
    Node,
    NodeError,
    Run,
    RunInterrupted,
    Scenario,
    topology,
)


@dataclass(frozen=True)
class Ping:
    number: int


class Pinger(Node):
    def __init__(self, node_id, peers):
        self._id, self._peers = node_id, peers
        self.count = 0

    def on_start(self, ctx):
        ctx.set_timer("ping", 1.0)

    def on_timer(self, ctx, name):
        self.count += 1
        for peer in self._peers:
            ctx.send(peer, Ping(self.count))
        ctx.set_timer("ping", 1.0)

    def on_message(self, ctx, sender, message):
        pass


def run(factory, *faults, until=10.0, nodes=2, **more):
    network = Network(topology.full_mesh(nodes), latency=Constant(0.1))
    return Scenario(factory, network, faults=faults).run(until, **more)


class FailsInMessage(Pinger):
    def on_message(self, ctx, sender, message):
        if message.number == 3:
            _ = {}["missing"]  # the learner's own line


class FailsInTimer(Pinger):
    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        if self.count == 2 and self._id == "n1":
            ctx.send("n7", Ping(1))


class FailsAtStart(Pinger):
    def on_start(self, ctx):
        ctx.set_timer("x", -1.0)


@pytest.mark.parametrize(
    ("factory", "node", "handler", "time", "line", "cause"),
    [
        (
            FailsInMessage,
            "n1",
            "on_message",
            3.1,
            '_ = {}["missing"]  # the learner\'s own line',
            KeyError,
        ),
        (FailsInTimer, "n1", "on_timer", 2.0, 'ctx.send("n7", Ping(1))', LookupError),
        (FailsAtStart, "n0", "on_start", 0.0, 'ctx.set_timer("x", -1.0)', ValueError),
    ],
)
@pytest.mark.parametrize("long_way", [False, True])
def test_a_mistake_in_a_handler_ends_the_run_and_says_where(
    factory, node, handler, time, line, cause, long_way
):
    faults = [Crash("n2", at=0.0)] if not long_way else [Crash("n2", at=0.0), *_disturbance()]
    with pytest.raises(NodeError) as caught:
        run(factory, *faults, nodes=3)
    error = caught.value
    assert (error.node, error.handler, error.time) == (node, handler, time)
    assert isinstance(error.__cause__, cause)
    assert re.fullmatch(r"test_semantics_mistakes\.py:\d+: " + re.escape(line), error.line)
    for part in (
        f"at {time:g} s, {handler} of {node} raised {type(error.__cause__).__name__}",
        line,
        "`run`",
    ):
        assert part in str(error)


def _disturbance():
    from dscourse.simulation import Slow

    return [Slow(1.0, at=0.0)]


def test_the_trace_so_far_stays_playable():
    with pytest.raises(NodeError) as caught:
        run(FailsInMessage)
    played = caught.value.run
    assert isinstance(played, Run)
    assert (played.stopped, played.until) == (3.1, 10.0)
    assert played.trace[-1].text == "3.1 s: n1 gets Ping(number=3) from n0"
    assert len(played.digest()) == 64
    assert played.at(2.5).nodes["n0"]["count"] == 2
    assert played.at(9.0).nodes["n0"]["count"] == 3
    assert played.recording().fields_at(2.5)["n0"] == {"count": 2}
    assert played.check().__bool__() is True
    assert "stopped at 3.1 s" in repr(played)
    saved = played.fork(
        3.05, Crash("n0", at=3.05), Crash("n1", at=3.05)
    )  # nobody is there to make the mistake
    assert saved.stopped is None


def test_a_mistake_of_the_factory_is_raised_as_it_is_and_after_a_restart_as_a_node_error():
    boots = {"n1": 0}

    def factory(node_id, peers):
        if node_id == "n1":
            boots["n1"] += 1
            if boots["n1"] > 1:
                raise ValueError("only once")
        return Pinger(node_id, peers)

    with pytest.raises(NodeError, match="at 2 s, node_factory of n1 raised ValueError: only once"):
        run(factory, Crash("n1", at=1.0, restart_at=2.0))
    with pytest.raises(ValueError, match="only once"):
        run(factory)


def test_a_factory_must_return_a_node():
    with pytest.raises(TypeError, match="must return a Node, got NoneType, which has no on_start"):
        run(lambda node_id, peers: None)
    with pytest.raises(TypeError, match="node_factory must be a class or function"):
        run(Pinger("n0", ()))


def test_any_object_with_the_three_handlers_will_do():
    class Duck:
        heard = 0

        def on_start(self, ctx):
            ctx.send("n1" if self.me == "n0" else "n0", Ping(1))

        def on_message(self, ctx, sender, message):
            self.heard += 1

        def on_timer(self, ctx, name):
            pass

    def factory(node_id, peers):
        duck = Duck()
        duck.me = node_id
        return duck

    assert run(factory).at(5.0).nodes == {"n0": {"me": "n0", "heard": 1}, "n1": {"me": "n1", "heard": 1}}


class ChangesItsHandlers(Pinger):
    """A state machine whose states are handlers: allowed in Python, so it must not be ignored."""

    def on_start(self, ctx):
        self.heard = []
        self.on_timer = self._first
        ctx.set_timer("a", 1.0)
        ctx.set_timer("b", 2.0)
        ctx.send(self._peers[0], Ping(1))

    def _first(self, ctx, name):
        self.heard.append(f"first {name}")
        self.on_timer = self._second

    def _second(self, ctx, name):
        self.heard.append(f"second {name}")

    def on_message(self, ctx, sender, message):
        self.on_message = lambda ctx, sender, message: self.heard.append("other")
        ctx.send(sender, Ping(2))


@pytest.mark.parametrize("long_way", [False, True])
def test_a_handler_that_is_exchanged_while_the_node_runs_is_the_one_that_is_called(long_way):
    played = run(ChangesItsHandlers, *(_disturbance() if long_way else []))
    assert played.at(5.0).nodes["n0"]["heard"] == ["other", "first a", "second b"]
    shown = [change.fields.get("on_timer") for change in played.recording().changes if change.node == "n0"]
    assert [name for name in shown if name] == ["_first", "_second"]


class RunsAnother(Pinger):
    """A node that runs a scenario of its own, in which there is a mistake."""

    def on_timer(self, ctx, name):
        run(FailsInMessage)


def test_a_mistake_in_a_run_inside_a_handler_is_a_mistake_of_that_handler():
    with pytest.raises(
        NodeError, match=r"at 1 s, on_timer of n0 raised NodeError: at 3\.1 s, on_message"
    ) as caught:
        run(RunsAnother)
    assert caught.value.run.scenario.node_factory is RunsAnother


class MuteError(Exception):
    def __str__(self):
        raise ValueError("no words")


class FailsWithoutWords(Pinger):
    def on_timer(self, ctx, name):
        raise MuteError


def test_an_error_that_has_no_text_is_told_all_the_same():
    with pytest.raises(NodeError, match=r"on_timer of n0 raised MuteError: \(it has no text\)") as caught:
        run(FailsWithoutWords)
    assert len(caught.value.run.trace) == 1


# ── Runs that don't end by themselves ─────────────────────────────────────────────────────────────────────────


class Restless(Pinger):
    def on_start(self, ctx):
        if self._id == "n0":
            ctx.set_timer("at once", 0)

    def on_timer(self, ctx, name):
        ctx.set_timer("at once", 0)


class Polite(Pinger):
    def on_start(self, ctx):
        if self._id == "n0":
            ctx.send("n1", Ping(0))

    def on_message(self, ctx, sender, message):
        ctx.send(sender, message)


def test_an_event_limit_stops_an_endless_run_and_names_what_kept_it_busy():
    with pytest.raises(
        EventLimit, match=r"stopped at 0 s, after 20000 events.*timer 'at once' of n0 \(1000 times"
    ) as caught:
        run(Restless, event_limit=20_000)
    assert len(caught.value.run.trace) > 20_000
    with pytest.raises(
        EventLimit,
        match=r"n0 sends Ping to n1 .*n1 sends Ping to n0|n1 sends Ping to n0 .*n0 sends Ping to n1",
    ):
        run(Polite, until=1e6, event_limit=20_000)


def test_the_limit_leaves_a_run_within_it_alone():
    assert run(Polite, until=50.0, event_limit=2000).stopped is None


class Interrupted(Pinger):
    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        if self.count == 3:
            signal.raise_signal(signal.SIGINT)


def test_a_keyboard_interrupt_keeps_the_trace():
    with pytest.raises(RunInterrupted, match="interrupted at 3 s") as caught:
        run(Interrupted)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.run.trace.select(kind="timer").times == [1.0, 1.0, 2.0, 2.0, 3.0]


def test_an_interrupt_at_any_line_of_the_bookkeeping_loses_and_doubles_nothing(monkeypatch):
    monkeypatch.setattr("dscourse.simulation.recorder._BULK", 64)
    network = Network(topology.full_mesh(5), latency=Constant(0.1))
    scenario = Scenario(Pinger, network)
    whole = scenario.run(30.0)
    stops, before = 0, sys.gettrace()
    for line in range(60):
        counter = iter(range(10**9))

        def interrupt(frame, event, argument, counter=counter, line=line):
            if frame.f_code.co_name != "flush":
                return None
            if event == "line" and next(counter) == line:
                raise KeyboardInterrupt
            return interrupt

        try:
            sys.settrace(interrupt)
            scenario.run(30.0)
        except RunInterrupted as error:
            sys.settrace(before)
            stops += 1
            kept = error.run
            assert kept.trace.first_difference(whole.trace) in (None, len(kept.trace))
            assert len(kept.trace) > 64
            assert kept.at(0.5).nodes["n0"] == {"count": 0}
        finally:
            sys.settrace(before)
    assert stops == 60


# ── Garbage collection ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("factory", [Pinger, FailsInMessage, Interrupted])
@pytest.mark.parametrize("enabled", [True, False])
def test_cyclic_garbage_collection_is_as_before_afterwards(factory, enabled):
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with contextlib.suppress(NodeError, RunInterrupted):
            run(factory)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_it_is_suspended_while_a_run_goes_on():
    class Looks(Pinger):
        def on_start(self, ctx):
            self.collecting = gc.isenabled()

    assert run(Looks).at(1.0).nodes["n0"]["collecting"] is False


# ── Other doors ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda ctx: ctx.set_timer(3, 1.0), TypeError, "name of a timer must be a text, got 3"),
        (lambda ctx: ctx.set_timer("x", "1"), TypeError, "delay of timer 'x' must be a number"),
        (lambda ctx: ctx.set_timer("x", True), TypeError, "delay of timer 'x' must be a number"),
        (lambda ctx: ctx.set_timer("x", float("nan")), ValueError, "must be finite"),
        (lambda ctx: ctx.set_timer("x", float("inf")), ValueError, "must be finite"),
        (lambda ctx: ctx.record("x", when={1, 2}), TypeError, r"record 'x'\['when'\] is set"),
        (lambda ctx: ctx.record("x", value=float("nan")), ValueError, "only finite numbers"),
        (lambda ctx: ctx.record("x", value={1: 2}), TypeError, "keys must be str"),
        (lambda ctx: ctx.record(""), ValueError, "must not be empty"),
        (lambda ctx: ctx.record(3), TypeError, "must be a text"),
    ],
)
def test_the_context_refuses_what_makes_no_sense(call, kind, words):
    class Calls(Node):
        def on_start(self, ctx):
            call(ctx)

    with pytest.raises(NodeError) as caught:
        run(Calls)
    with pytest.raises(kind, match=words):
        raise caught.value.__cause__


def test_scenario_refuses_what_makes_no_sense():
    network = Network(topology.ring(3))
    for seed in ("1", 1.0, True, None):
        with pytest.raises(TypeError, match="seed must be a whole number"):
            Scenario(Pinger, network, seed=seed)
    with pytest.raises(TypeError, match="network must be a Network"):
        Scenario(Pinger, topology.ring(3))
    with pytest.raises(TypeError, match="shuffle_ties"):
        Scenario(Pinger, network, shuffle_ties=1)
    with pytest.raises(ValueError, match="event_limit must be at least 1"):
        Scenario(Pinger, network).run(1.0, event_limit=0)


def test_a_run_without_trace_says_so():
    bare = run(Pinger, trace=False)
    with pytest.raises(LookupError, match="kept no trace"):
        bare.trace  # noqa: B018
    assert bare.at(2.5).nodes["n0"]["count"] == 2
    assert bare.fork(3.0).digest() == bare.digest()
