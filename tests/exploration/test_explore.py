"""Every schedule of systems whose answer is known by hand; and a plain enumeration that must come to the same."""

import copy

import networkx as nx
import pytest
from hypothesis import given, settings, strategies as st
from tiny_systems import (
    ElectionNode,
    ForgetfulCoordinatorNode,
    ForgetsVoteNode,
    ImpatientParticipantNode,
    LamportMutexNode,
    OrderedMutexNode,
    RegeneratingTokenRingNode,
    Token,
    TokenRingNode,
    TwoPhaseCommitNode,
    Vote,
    WithoutAcknowledgementNode,
    atomic,
    exclusive,
    one_leader_a_term,
    one_token,
    ring,
    two_of_three_commit,
)

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import Ask, Deliver, Down, Fire, Lose, Repeat, Up, explore, script
from dscourse.exploration.state_key import state_key
from dscourse.simulation import Node, NotDeterministic, Reply, always, eventually, holds, never, sometimes

THREE, TWO = ("n0", "n1", "n2"), ("n0", "n1")


@pytest.mark.parametrize(
    ("factory", "nodes", "right", "budget"),
    [
        (TwoPhaseCommitNode, THREE, atomic, {"crashes": 1}),
        (TwoPhaseCommitNode, THREE, atomic, {"crashes": 2, "losses": 1}),
        (TokenRingNode, ring, one_token, {"fires": 8}),
        (TokenRingNode, ring, one_token, {"fires": 4, "crashes": 1, "losses": 1}),
        (OrderedMutexNode, TWO, exclusive, {"fires": 8}),
        (OrderedMutexNode, THREE, exclusive, {"fires": 2}),
        (ElectionNode, THREE, one_leader_a_term, {"fires": 2, "crashes": 1}),
    ],
)
def test_none_is_said_where_none_is(factory, nodes, right, budget):
    came_to = explore(factory, nodes, right, **budget)
    assert came_to.outcome == "none"
    assert came_to
    assert came_to.counterexample is None
    assert came_to.states > 10


@pytest.mark.parametrize(
    ("factory", "nodes", "wrong", "budget", "fewest"),
    [
        (ImpatientParticipantNode, THREE, atomic, {}, 5),
        (ForgetfulCoordinatorNode, THREE, atomic, {"crashes": 1}, 7),
        (TwoPhaseCommitNode, THREE, two_of_three_commit, {}, 5),
        (RegeneratingTokenRingNode, ring, one_token, {}, 1),
        (TokenRingNode, ring, one_token, {"repeats": 1}, 2),
        (WithoutAcknowledgementNode, THREE, exclusive, {}, 2),
        (LamportMutexNode, TWO, exclusive, {}, 6),
        (ForgetsVoteNode, THREE, one_leader_a_term, {"fires": 2, "crashes": 1}, 8),
        (NaiveFailoverNode, THREE, never(lambda now: leaders(now) > 1, name="two leaders"), {}, 4),
    ],
)
def test_the_shortest_schedule_is_found_where_there_is_one(factory, nodes, wrong, budget, fewest):
    came_to = explore(factory, nodes, wrong, **budget)
    assert came_to.outcome == "found"
    assert not came_to
    shown = came_to.counterexample
    assert len(shown.steps) == fewest
    assert came_to.depth == fewest - 1
    assert shown.explanation.startswith(wrong.name)
    verdict = script(factory, nodes, shown.steps).check(wrong)[0]
    assert verdict.time == fewest


def leaders(now):
    return sum(status.status == "leader" for status in now.status.values())


def test_the_budget_counts_in_all():
    assert explore(ForgetfulCoordinatorNode, THREE, atomic, crashes=0).outcome == "none"
    assert explore(NaiveFailoverNode, TWO, never(lambda now: leaders(now) > 1), fires=3).outcome == "none"
    assert explore(WithoutAcknowledgementNode, THREE, exclusive, fires=1).outcome == "none"


def test_what_was_tried_and_what_was_not_is_said():
    whole = explore(TwoPhaseCommitNode, THREE, atomic, crashes=1)
    assert whole.covered == (
        "of the schedules with up to 4 fired timers, 1 crash, 0 losses, 0 repeats, 0 questions, all."
    )
    assert whole.not_covered == "more than 4 fired timers, 1 crash, 0 losses, 0 repeats."
    stopped = explore(OrderedMutexNode, THREE, exclusive, states=500)
    assert stopped.outcome == "stopped"
    assert not stopped
    assert 500 <= stopped.states < 600
    assert f"those of up to {stopped.depth} steps" in stopped.covered
    assert f"schedules of {stopped.depth + 1} steps or more" in repr(stopped)
    little = explore(OrderedMutexNode, THREE, exclusive, megabytes=1)
    assert little.outcome == "stopped"
    assert little.memory == pytest.approx(1.0, rel=0.1)


def test_it_comes_out_the_same_again():
    one, other = (explore(ForgetfulCoordinatorNode, THREE, atomic, crashes=1) for _ in range(2))
    assert (one.states, one.counterexample.steps) == (other.states, other.counterexample.steps)


def test_what_never_comes_true_is_said():
    reached = sometimes(two_of_three_commit.predicate, name="two have committed")
    not_reached = sometimes(lambda now: len(now.nodes) == 4, name="there are four")
    assert explore(TwoPhaseCommitNode, THREE, [atomic, reached, not_reached]).never_reached == (
        "there are four",
    )


class Register(Node):
    """Each node answers from what it has, and tells the others of each write."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.value = 0

    def on_message(self, ctx, sender, message):
        if isinstance(message, Vote):
            self.value = 1
        elif message.operation == "put":
            self.value = 1
            for peer in self.peers:
                ctx.send(peer, Vote(yes=True))
            ctx.send(sender, Reply(message.number, "ok"))
        else:
            ctx.send(sender, Reply(message.number, "ok", self.value))


def reads_the_last_write(run):
    history = run.history()
    puts = [one.completed for one in history if one.operation == "put" and one.completed is not None]
    reads = [one for one in history if one.operation == "get" and one.outcome == "ok"]
    return all(one.value == 1 for one in reads if puts and puts[0] < one.invoked)


def test_questions_come_in_their_order_at_any_moment_and_holds_is_asked_at_the_end():
    last_write = holds(reads_the_last_write, name="a read gives the last write")
    asks = [Ask("n0", "put"), Ask("n1", "get")]
    came_to = explore(Register, TWO, last_write, asks=asks)
    steps = came_to.counterexample.steps
    assert [step for step in steps if isinstance(step, Ask)] == asks
    assert steps.index(asks[1]) < steps.index(Deliver("n0", "n1"))
    assert explore(Register, TWO, last_write, asks=[Ask("n0", "put"), Ask("n0", "get")]).outcome == "none"
    assert explore(Register, TWO, last_write, asks=reversed(asks)).outcome == "none"


def test_an_ask_of_a_node_that_is_down_is_tried_too():
    down = sometimes(lambda now: now.condition["n0"] == "crashed" and not now.in_flight, name="down")
    came_to = explore(Register, TWO, [down], asks=[Ask("n0", "put")], crashes=1)
    assert came_to.outcome == "none"
    assert came_to.never_reached == ()


def test_a_node_that_fails_is_found():
    class Slips(TwoPhaseCommitNode):
        def prepare(self, ctx, sender):
            if self.decided:
                raise RuntimeError("prepared too late")
            super().prepare(ctx, sender)

    found = explore(Slips, THREE, atomic, crashes=1).counterexample
    assert "prepared too late" in found.explanation
    assert found.run.stopped == len(found.steps)
    assert isinstance(found.steps[-1], Deliver)


def test_a_node_that_fails_as_it_boots_is_found():
    class Slips(Node):
        def on_start(self, ctx):
            raise RuntimeError("never")

    assert explore(Slips, TWO, atomic).counterexample.steps == ()


@pytest.mark.parametrize("name", ["event", "trace", "time"])
def test_a_property_that_asks_for_the_past_is_told_that_there_is_none(name):
    with pytest.raises(LookupError, match=f"there is no now.{name}"):
        explore(TwoPhaseCommitNode, THREE, never(lambda now: getattr(now, name) is None))


def test_a_node_that_keeps_something_outside_itself_is_told_so():
    class Shares(Node):
        kept = []  # noqa: RUF012 - the mistake: one list for all

        def on_start(self, ctx):
            ctx.set_timer("tick", 1.0)

        def on_timer(self, ctx, name):
            self.kept.append(self.node_id)
            self.count = len(self.kept)

    with pytest.raises(NotDeterministic, match="A node must keep nothing outside itself"):
        explore(Shares, TWO, never(lambda now: False), fires=2)


def test_an_eventually_is_refused():
    with pytest.raises(ValueError, match="a message need never arrive"):
        explore(TwoPhaseCommitNode, THREE, eventually(lambda now: True, name="it ends"))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"crashes": -1}, ValueError), ({"fires": 1.5}, TypeError), ({"states": 0}, ValueError),
        ({"megabytes": 0}, ValueError), ({"asks": [Down("n0")]}, TypeError), ({"asks": [Ask("n9", 1)]}, LookupError),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(settings, error):
    with pytest.raises(error):
        explore(TwoPhaseCommitNode, THREE, atomic, **settings)


def test_a_property_that_changes_what_it_sees_is_told_so():
    def meddles(now):
        now.nodes["n0"].get("heard", []).append(1)
        return False

    class Hears(Node):
        def __init__(self, node_id, peers):
            super().__init__(node_id, peers)
            self.heard = []

    with pytest.raises(ValueError, match="a property changed what it was shown"):
        explore(Hears, TWO, never(meddles))


def test_a_property_sees_all_that_it_sees_in_a_script():
    """Each state's view is held against the same moment of the script that leads to it."""
    seen = []

    def look(now):
        seen.append(view_of(now))
        return len(seen) < 60

    def view_of(now):
        flights = sorted((one.sender, one.to, repr(one.message)) for one in now.in_flight)
        return (
            dict(now.nodes), now.status, now.suspicions, now.condition, now.stored, now.timers, now.clock, flights,
            now.waiting, now.queue_length, now.cuts, [fault.node for fault in now.faults],
        )  # fmt: skip

    came_to = explore(
        ForgetfulCoordinatorNode, THREE, always(look, name="few"), crashes=1, losses=1, repeats=1
    )
    run = came_to.counterexample.run
    assert any(view_of(run.at(run.until)) == one for one in seen)


# ── Against a plain enumeration: no numbers, no memory of handlers, whole schedules as scripts ──


def enumerated(factory, nodes, budget):
    """Every state within a budget, as its fields and what waits, by running each schedule from the start."""
    found, level = {}, [((), budget)]
    while level:
        longer = []
        for steps, left in level:
            run = script(factory, nodes, steps)
            now = run.at(run.until)
            key = repr((view(now), sorted(left.items())))
            if key in found:
                continue
            found[key] = steps
            longer += [((*steps, step), less) for step, less in possible(now, left)]
        level = longer
    return found


def view(now):
    flights = sorted((one.sender, one.to, repr(one.message)) for one in now.in_flight)
    return (
        sorted(now.nodes.items()),
        sorted(now.stored.items()),
        sorted(now.clock.items()),
        now.timers,
        flights,
    )


def possible(now, left):
    mails = {}
    for one in now.in_flight:
        mails.setdefault((one.sender, one.to), []).append(one)
    for (sender, to), waiting in mails.items():
        for nth in range(1, len(waiting) + 1):
            yield Deliver(sender, to, nth), left
            for kind, name in ((Lose, "losses"), (Repeat, "repeats")):
                if left[name]:
                    yield kind(sender, to, nth), left | {name: left[name] - 1}
    for node, condition in now.condition.items():
        if condition == "crashed":
            yield Up(node), left
        elif left["crashes"]:
            yield Down(node), left | {"crashes": left["crashes"] - 1}
    for node, timers in now.timers.items():
        for timer in timers if left["fires"] else ():
            yield Fire(node, timer), left | {"fires": left["fires"] - 1}


@pytest.mark.parametrize(
    ("factory", "nodes", "budget"),
    [
        (TokenRingNode, ring, {"fires": 3, "crashes": 0, "losses": 1, "repeats": 1}),
        (TwoPhaseCommitNode, TWO, {"fires": 0, "crashes": 1, "losses": 1, "repeats": 1}),
        (LamportMutexNode, TWO, {"fires": 2, "crashes": 0, "losses": 0, "repeats": 1}),
    ],
)
def test_a_plain_enumeration_comes_to_as_many_states(factory, nodes, budget):
    """The fields shown here leave out what is private, so explore may tell more states apart, and never fewer."""

    class Open(factory):
        """Shows everything, so that both tell the same states apart."""

        @property
        def everything(self):
            return {name: value for name, value in vars(self).items() if name.startswith("_")}

        @property
        def life(self):
            return self._life

        def on_start(self, ctx):
            lives = (ctx.stored or {}).get("lives", 0) if isinstance(ctx.stored, dict) else 0
            self._life = lives
            super().on_start(ctx)

    counted = explore(Open, nodes, never(lambda now: False), **budget)
    plain = enumerated(Open, nodes, budget)
    assert counted.outcome == "none"
    assert counted.states >= len(plain)
    if not budget["crashes"]:  # explore also knows how often a node has booted
        assert counted.states == len(plain)
    assert counted.depth >= max(len(steps) for steps in plain.values())


# ── When two states are the same ──


class Thing:
    def __init__(self, **fields):
        vars(self).update(fields)


def key(value):
    return state_key(value)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (0.0, -0.0), ("1", 1), (b"a", "a"), ([1], (1,)), ({1}, frozenset({1})),
        ([[1], [1]], [[1, 1]]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (Thing(a=1), Thing(b=1)), (Thing(a=1), Thing(a=2)), (None, "None"),
        (["a,b"], ["a", "b"]), (Token(), Vote(yes=True)), (Vote(yes=True), Vote(yes=False)),
        (lambda: 1, lambda: 2), (Thing(go=lambda x=1: x).go, Thing(go=lambda x=2: x).go),
    ],
)  # fmt: skip
def test_what_differs_has_another_key(one, other):
    assert key(one) != key(other)


def test_whether_two_attributes_hold_the_same_list_matters():
    shared = [1]
    assert key(Thing(a=shared, b=shared)) != key(Thing(a=[1], b=[1]))
    assert key(Thing(a=shared, b=shared)) == key(copy.deepcopy(Thing(a=shared, b=shared)))


def test_what_leads_back_to_itself_has_a_key():
    thing = Thing()
    thing.me = thing
    thing.call = thing.__init__
    assert key(thing) == key(copy.deepcopy(thing))


def test_the_order_of_attributes_and_of_sets_does_not_matter():
    assert key(Thing(a=1, b=2)) == key(Thing(b=2, a=1))
    assert key({"x", "y", "z"}) == key({"z", "y", "x"})
    assert key(frozenset({(1, "a"), (2, "b")})) == key(frozenset({(2, "b"), (1, "a")}))


def test_a_key_does_not_depend_on_the_hash_seed():
    import subprocess
    import sys

    program = (
        "from dscourse.exploration.state_key import state_key; "
        "print(state_key([{'a', 'b', 'c'}, {'x': {('p', 1), ('q', 2)}}])[0].hex())"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert len(keys) == 1


def test_what_can_not_be_told_apart_is_refused():
    with pytest.raises(TypeError):
        state_key([iter([1]), (number for number in range(3))])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.sets(st.text(max_size=2), max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values, values)
def test_a_key_stands_for_a_value(one, other):
    assert key(one) == key(copy.deepcopy(one))
    same = repr(one) == repr(other) or one == other
    if not same:
        assert key(one) != key(other)


def test_a_graph_without_links_is_explored_too():
    alone = nx.empty_graph(["n0", "n1"])
    assert explore(TokenRingNode, alone, one_token, fires=0).states == 1


def test_a_node_that_keeps_what_to_do_next_as_a_function_is_explored_whole():
    class Next(Node):
        def on_start(self, ctx):
            self._go, self.bad = None, False
            ctx.set_timer("a", 1.0)
            ctx.set_timer("b", 1.0)

        def on_timer(self, ctx, name):
            if self._go is not None:
                self.bad = self._go()
                return
            self._go = (lambda: False) if name == "a" else (lambda: True)
            ctx.cancel_timer("a")
            ctx.cancel_timer("b")
            ctx.set_timer("go", 1.0)

    found = explore(Next, ["n0"], never(lambda now: now.nodes["n0"]["bad"], name="bad"), fires=2)
    assert found.counterexample.steps == (Fire("n0", "b"), Fire("n0", "go"))
