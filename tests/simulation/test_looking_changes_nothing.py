"""Whoever looks at a run, in a property or in a moment, can't change it; and what is compared is compared strictly."""

import itertools
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import pytest

from dscourse.simulation import (
    Byzantine,
    Crash,
    Network,
    Node,
    NotDeterministic,
    Scenario,
    Silent,
    always,
    check_determinism,
    eventually,
    never,
    sometimes,
    topology,
)
from dscourse.simulation.node_state import same_value

NETWORK = Network(topology.full_mesh(3))


@dataclass(frozen=True)
class Note:
    value: object


class Helper:
    """A part of a node that keeps its context, as a detector of one's own might."""

    def __init__(self):
        self.seen = 0
        self._ctx = None

    def act(self, what):
        {
            "send": lambda: self._ctx.send("n1", Note(0)),
            "set a timer": lambda: self._ctx.set_timer("tick", 0.1),
            "cancel a timer": lambda: self._ctx.cancel_timer("tick"),
            "save": lambda: self._ctx.save("spoilt"),
            "record": lambda: self._ctx.record("spoilt"),
            "draw from rng": lambda: self._ctx.rng.random(),
        }[what]()


class Keeper(Node):
    def __init__(self, node_id, peers):
        self._peers = peers
        self.log = []
        self.table = {"a": [1]}
        self.helper = Helper()

    def on_start(self, ctx):
        self.helper._ctx = ctx
        ctx.save([1])
        ctx.set_timer("tick", 0.5)

    def on_timer(self, ctx, name):
        self.log.append(ctx.now)
        self.helper.seen += 1
        ctx.send(self._peers[0], Note(ctx.rng.random()))
        ctx.set_timer("tick", 0.5)


@pytest.fixture
def run():
    return Scenario(Keeper, NETWORK, faults=[Crash("n2", at=1.2, restart_at=2.0)], seed=5).run(3.0)


CHANGES = {
    "a list": lambda now: now.nodes["n0"]["log"].append("spoilt"),
    "a list in a dict": lambda now: now.nodes["n0"]["table"]["a"].append("spoilt"),
    "a part": lambda now: setattr(now.nodes["n0"]["helper"], "seen", -1),
    "a field": lambda now: now.nodes["n0"].update(log="spoilt"),
    "a new field": lambda now: now.nodes["n0"].update(more="spoilt"),
    "a field less": lambda now: now.nodes["n0"].pop("log"),
    "all fields": lambda now: now.nodes["n0"].clear(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("when", [0.0, 1.7, 2.5])
def test_a_property_that_changes_what_it_is_shown_is_refused(run, change, when):
    def spoils(now):
        if now.time >= when and "n0" in now.nodes and now.nodes["n0"].get("log") is not None:
            change(now)
        return True

    with pytest.raises(
        ValueError, match=r"a property changed what it was shown: the field '\w+' of n0.*on a copy"
    ):
        run.check(always(spoils))


NODES = {
    "set": lambda now: now.nodes.__setitem__("n0", {}),
    "taken out": lambda now: now.nodes.pop("n0"),
    "deleted": lambda now: now.nodes.__delitem__("n0"),
    "emptied": lambda now: now.nodes.clear(),
    "filled": lambda now: now.nodes.update(n9={}),
    "set if missing": lambda now: now.nodes.setdefault("n9", {}),
    "last one": lambda now: now.nodes.popitem(),
    "joined": lambda now: now.nodes.__ior__({"n9": {}}),
    "another time": lambda now: setattr(now, "_time", 0),
    "another event": lambda now: setattr(now, "event", None),
}


@pytest.mark.parametrize("change", NODES.values(), ids=NODES)
def test_a_moment_itself_does_not_change(run, change):
    for look in (lambda: run.check(never(change)), lambda: change(run.at(1.0))):
        with pytest.raises(TypeError, match="a moment can be looked at, and not changed; copy"):
            look()


@pytest.mark.parametrize("what", ["send", "set a timer", "cancel a timer", "save", "record", "draw from rng"])
def test_a_copy_of_a_node_can_not_act(run, what):
    digest = run.digest()
    for look in (
        lambda: run.check(sometimes(lambda now: now.nodes["n0"]["helper"].act(what))),
        lambda: run.at(1.0).nodes["n0"]["helper"].act(what),
    ):
        with pytest.raises(RuntimeError, match=f"a copy of a node's state, to be looked at; it can't {what}"):
            look()
    assert run.fork(3.0).digest() == digest
    assert run.at(1.0).nodes["n0"]["helper"]._ctx.now == 1.0
    assert run.at(1.0).nodes["n0"]["helper"]._ctx.stored == [1]


@pytest.mark.parametrize("column", ["time_us", "kind_code", "node_code", "peer_code", "message_id"])
def test_the_columns_of_a_trace_do_not_change(run, column):
    def spoils(now):
        getattr(now.trace, column)[0] = 1
        return False

    with pytest.raises(ValueError, match="read-only"):
        run.check(never(spoils))
    assert isinstance(run.trace.messages, tuple)


class Odd(Node):
    """Fields that no comparison of copies by == gets right."""

    def __init__(self, node_id, peers):
        self.nan = float("nan")
        self.parts = [Helper(), (Helper(),)]
        self.by_name = {"a": Helper()}
        self.bag = {Helper()}
        self.array = np.arange(3)
        self.arrays = [np.arange(3)]
        self.queue = deque([Helper()])
        self.loop = Helper()
        self.loop.back = self.loop
        self.loop.chain = [self.loop]
        self.open = (i for i in range(3))

    def on_start(self, ctx):
        ctx.set_timer("tick", 0.5)

    def on_timer(self, ctx, name):
        ctx.set_timer("tick", 0.5)


def test_nobody_is_accused_of_a_change_that_was_none():
    run = Scenario(Odd, NETWORK).run(2.0)
    verdicts = run.check(always(lambda now: all(len(fields) == 9 for fields in now.nodes.values())))
    assert verdicts
    changed = {name for change in run.recording().changes if change.time > 0 for name in change.fields}
    assert changed <= {"bag", "queue"}  # of these no order is known that could pair their parts


def test_values_look_the_same_if_their_parts_do():
    one, other = Helper(), Helper()
    other.seen = 1
    assert same_value([one], [Helper()])
    assert not same_value([one], [other])
    assert not same_value([one], [one, one])
    assert not same_value({"a": one}, {"a": other})
    assert not same_value({"a": one}, {"b": one})
    assert not same_value((one,), [one])
    assert not same_value([float("nan")], [1.0])
    assert same_value([np.arange(2)], [np.arange(2)])
    assert not same_value([np.arange(2)], [np.arange(3)])


def test_fields_come_in_the_order_of_the_nodes(run):
    assert run.check(always(lambda now: list(now.nodes) == sorted(now.nodes)))


# ── comparing ─────────────────────────────────────────────────────────────────────────────────────────────


def changeable(first, later, how):
    """A scenario whose first run sees one value, all later runs another."""
    boots = itertools.count()

    class Changeable(Node):
        def __init__(self, node_id, peers):
            self._peers = peers

        def on_start(self, ctx):
            value = first if next(boots) < 3 else later
            if how == "send":
                ctx.send(self._peers[0], Note(value))
            elif how == "send inside":
                ctx.send(self._peers[0], Note((Note(value), 2)))
            else:
                ctx.record("seen", value=value)

    return Scenario(Changeable, NETWORK)


@pytest.mark.parametrize(("first", "later"), [(1, True), (1, 1.0), (0.0, -0.0), (False, 0), ((1,), (True,))])
@pytest.mark.parametrize("how", ["send", "send inside", "record"])
def test_equal_values_that_are_not_the_same_are_told_by_fork_at_and_check(first, later, how):
    for again in (
        lambda run: run.fork(1.0),
        lambda run: run.at(1.0),
        lambda run: run.check(always(lambda now: True)),
    ):
        run = changeable(first, later, how).run(2.0)
        with pytest.raises(NotDeterministic, match="Event 0 was"):
            again(run)
    with pytest.raises(NotDeterministic, match="Event 0 was"):
        check_determinism(changeable(first, later, how), 2.0)


def test_a_difference_after_the_fork_is_none_of_its_past():
    run = Scenario(Keeper, NETWORK, seed=5).run(3.0)
    forked = run.fork(1.0, Crash("n0", at=1.0))
    assert run.trace[run.first_difference(forked)].time >= 1.0


def test_the_same_values_are_the_same_even_in_a_class_that_was_defined_again():
    def scenario():
        @dataclass(frozen=True)
        class Word:
            value: object

        class Speaker(Node):
            def __init__(self, node_id, peers):
                self._peers = peers

            def on_start(self, ctx):
                for peer in self._peers:
                    ctx.send(peer, Word((1, None, "x", 0.5, Note(True))))

        return Scenario(Speaker, NETWORK)

    first, second = scenario().run(1.0), scenario().run(1.0)
    assert first.digest() == second.digest()
    assert first.first_difference(second) is None


# ── silence ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("to", [(1,), ("n1", None), (("n1",),), [2.0]])
def test_silence_towards_something_that_is_no_name_is_refused(to):
    with pytest.raises(TypeError, match="to of Silent must be a text, got"):
        Silent(to)


def test_silence_towards_nothing_countable_is_refused():
    with pytest.raises(TypeError, match="to of Silent must be the id of a node, or several, got 5"):
        Silent(5)


def test_silence_towards_a_node_that_is_not_there_is_refused_before_the_run():
    with pytest.raises(
        LookupError, match=r"no node \(to which n0 is to be silent at 1 s\) 'n11'; did you mean 'n1'"
    ):
        Scenario(Keeper, NETWORK, faults=[Byzantine("n0", Silent(("n1", "n11")), at=1.0)])
    run = Scenario(Keeper, NETWORK, seed=5).run(2.0)
    with pytest.raises(LookupError, match="'x9'"):
        run.fork(1.0, Byzantine("n0", Silent("x9"), at=1.0))


def test_silence_towards_one_hides_nothing_from_the_others():
    fault = Byzantine("n0", Silent("n1"), at=0.0)
    run = Scenario(Keeper, NETWORK, faults=[fault], seed=5).run(2.0)
    assert not run.trace.select(kind="send", node="n0", peer="n1")
    other = Scenario(Keeper, NETWORK, faults=[replace(fault, behaviour=Silent("n2"))], seed=5).run(2.0)
    assert other.trace.select(kind="send", node="n0", peer="n1")


def test_a_property_that_only_looks_is_as_welcome_as_before(run):
    assert run.check(eventually(lambda now: len(sorted(now.nodes["n0"]["log"])) == 5))
