"""Merging types: whatever arrives in whatever order, doubled or late, equals a log of the operations."""

from dataclasses import dataclass, field, replace
from functools import reduce

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.replication import GCounter, LWWRegister, MVRegister, ORSet, PNCounter, VersionVector
from dscourse.simulation import message_fields
from dscourse.simulation.messages import encode

REPLICAS = ("a", "b", "c")
ELEMENTS = st.sampled_from(["milk", "eggs", 7])


@dataclass(frozen=True)
class Step:
    """An operation at a replica, or something that was sent at some time arrives there: a state or a delta."""

    at: int
    what: str  # "do", "state", "delta"
    operation: tuple = ()
    which: int = 0  # of all that was ever sent


@dataclass
class Log:
    """The specification: operations, each with what its replica knew of when it was done."""

    done: list = field(default_factory=list)

    def note(self, operation, known):
        self.done.append((operation, frozenset(known)))
        return len(self.done) - 1

    def in_force(self, known, covers):
        gone = {
            earlier
            for number in known
            for earlier in self.done[number][1]
            if covers(self.done[number][0], self.done[earlier][0])
        }
        return [number for number in sorted(known) if number not in gone]


@dataclass(frozen=True)
class Kind:
    """A type: how an operation is done on it, and the value that a log stands for."""

    make: type
    operations: object
    delta: object
    specified: object


def or_set_delta(state, operation, now):
    return (state.add_delta if operation[0] == "add" else state.remove_delta)(operation[1])


def or_set_value(log, known):
    left = log.in_force(known, lambda later, earlier: later[1] == earlier[1])
    return {log.done[one][0][1] for one in left if log.done[one][0][0] == "add"}


def mv_value(log, known):
    return sorted(log.done[one][0][1] for one in log.in_force(known, lambda *_: True))


def lww_value(log, known):
    return max(((log.done[one][0][2], log.done[one][0][1]) for one in known), default=(0, None))[1]


def counted(log, known):
    return sum(log.done[one][0][1] for one in known)


KINDS = {
    "ORSet": Kind(ORSet, st.tuples(st.sampled_from(["add", "remove"]), ELEMENTS), or_set_delta, or_set_value),
    "MVRegister": Kind(
        MVRegister,
        st.tuples(st.just("write"), st.integers()),
        lambda state, operation, now: state.write_delta(operation[1]),
        mv_value,
    ),
    "LWWRegister": Kind(
        LWWRegister,
        st.tuples(st.just("write"), st.integers()),
        lambda state, operation, now: state.write_delta(operation[1], now),
        lww_value,
    ),
    "GCounter": Kind(
        GCounter,
        st.tuples(st.just("count"), st.integers(0, 5)),
        lambda state, operation, now: state.increment_delta(operation[1]),
        counted,
    ),
    "PNCounter": Kind(
        PNCounter,
        st.tuples(st.just("count"), st.integers(-5, 5)),
        lambda state, operation, now: state.increment_delta(operation[1]),
        counted,
    ),
}


def play(kind, steps, deltas=True):
    """All replicas' states after the steps, what each knows of, and everything that was sent."""
    log = Log()
    states = [kind.make(name) for name in REPLICAS]
    known = [set() for _ in REPLICAS]
    sent = []
    for time, step in enumerate(steps, start=1):
        if step.what == "do":
            operation = (*step.operation, time)
            delta = kind.delta(states[step.at], operation, float(time))
            number = log.note(operation, known[step.at])
            known[step.at].add(number)
            states[step.at] = states[step.at].merge(delta)
            if deltas:
                sent.append((delta, {number}))
            sent.append((states[step.at], set(known[step.at])))
        elif sent:
            state, of = sent[step.which % len(sent)]
            states[step.at] = states[step.at].merge(state)
            known[step.at] |= of
    return log, states, known, sent


def steps_of(kind):
    one = st.builds(
        Step,
        at=st.integers(0, 2),
        what=st.sampled_from(["do", "arrive"]),
        operation=kind.operations,
        which=st.integers(0, 60),
    )
    return st.lists(one, max_size=25)


# A counter's delta holds all that its replica has added so far, so a delta stands for more than its own operation.
CAUSAL = {"GCounter", "PNCounter"}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_every_replica_says_what_the_log_of_what_it_knows_says(name, data):
    kind = KINDS[name]
    log, states, known, sent = play(kind, data.draw(steps_of(kind)), deltas=name not in CAUSAL)
    for state, of in [*zip(states, known, strict=True), *sent]:
        value = sorted(state.value) if name == "MVRegister" else state.value
        assert value == kind.specified(log, of)
    # Whoever has seen the same is equal, however it came about.
    for state, of in zip(states, known, strict=True):
        for other, as_well in zip(states, known, strict=True):
            assert of != as_well or state == other


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_merging_is_commutative_associative_idempotent_and_an_upper_bound(name, data):
    kind = KINDS[name]
    _, states, _, sent = play(kind, data.draw(steps_of(kind)))
    pool = st.sampled_from([*states, *(state for state, _ in sent)])
    a, b, c = data.draw(pool), data.draw(pool), data.draw(pool)
    both = a.merge(b)
    assert both == b.merge(a)
    assert both.merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a
    assert both.merge(a) == both == both.merge(b)
    assert len(encode(both)) == len(encode(both.merge(b).merge(a)))  # repeated merging doesn't make it grow
    assert hash(both) == hash(b.merge(a))


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_all_deltas_in_any_order_and_doubled_make_the_full_state(name, data):
    kind = KINDS[name]
    _, states, _, sent = play(kind, data.draw(steps_of(kind)))
    deltas = [state for state, of in sent if len(of) == 1]
    everything = reduce(lambda one, other: one.merge(other), states)
    shuffled = data.draw(st.permutations([*deltas, *deltas]))
    assert reduce(lambda one, other: one.merge(other), shuffled, kind.make("d")) == everything


def test_an_add_wins_against_a_remove_that_has_not_seen_it():
    here = ORSet("n0").add("milk")
    there = ORSet("n1").merge(here).remove("milk")
    assert here.add("milk").merge(there).value == {"milk"}
    assert here.merge(there).value == set()
    assert there.merge(here).value == set()  # the old state comes late


def test_methods_return_new_values():
    empty = ORSet("n0")
    full = empty.add("milk")
    assert (empty.value, full.value) == (frozenset(), frozenset({"milk"}))
    assert full.remove("eggs") == full
    counter = PNCounter("n0").increment(3).decrement(5)
    assert counter.value == -2


@pytest.mark.parametrize(
    ("make", "write"),
    [
        (ORSet, lambda state: state.add("new")),
        (MVRegister, lambda state: state.write("new")),
        (GCounter, lambda state: state.increment(1)),
    ],
)
def test_a_forgetful_replica_under_its_old_name_is_swallowed_and_under_a_new_one_is_not(make, write):
    before = make("n0")
    for _ in range(3):
        before = write(before)
    elsewhere = before
    if make is ORSet:
        elsewhere = before.remove("new")
    elsewhere = replace(elsewhere, replica="n1")
    reused, renamed = write(make("n0")), write(make("n0/2"))
    assert elsewhere.merge(reused) == elsewhere
    assert elsewhere.merge(renamed) != elsewhere
    if make is GCounter:
        assert elsewhere.merge(renamed).value == 4


def test_last_writer_wins_is_decided_alike_on_both_sides():
    a, b = LWWRegister("n0").write("x", now=1.0), LWWRegister("n1").write("y", now=1.0)
    assert a.merge(b).value == b.merge(a).value == "y"
    forgot = LWWRegister("n0").write("z", now=1.0)  # the same stamp for another value
    assert a.merge(forgot).value == forgot.merge(a).value == "z"


def test_a_register_that_has_seen_a_write_from_the_future_still_takes_the_next_one():
    seen = LWWRegister("n1").merge(LWWRegister("n0").write("early", now=100.0))
    assert seen.write("late", now=1.0).value == "late"
    assert seen.write("late", now=1.0).merge(seen).value == "late"


def test_version_vectors_compare():
    start = VersionVector()
    a, b = start.increment("a"), start.increment("b")
    assert a.compare(b) == "concurrent"
    assert start.compare(a) == "before"
    assert a.merge(b).compare(b) == "after"
    assert a.merge(b).compare(b.merge(a)) == "equal"
    assert VersionVector({"a": 2, "b": 0}) == VersionVector((("a", 2),))
    assert (a["a"], a["z"], ("a", 1) in a, ("a", 2) in a) == (1, 0, True, False)
    assert repr(a.increment("a").merge(b)) == "⟨a:2, b:1⟩"


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)),
)
def test_a_vector_is_before_another_if_and_only_if_merging_adds_nothing(one, other):
    a, b = VersionVector(one), VersionVector(other)
    both = a.merge(b)
    expected = {(True, True): "equal", (True, False): "before", (False, True): "after"}
    assert a.compare(b) == expected.get((both == b, both == a), "concurrent")
    assert both == b.merge(a)


def test_all_of_them_can_be_sent():
    state = ORSet("n0").add("milk").add(("eggs", 6)).remove("milk")
    assert message_fields(state)["replica"] == "n0"
    assert encode(PNCounter("n0").increment(2))
    assert encode(MVRegister("n0").write("x"))
    assert encode(LWWRegister("n0").write("x", 1.0))
