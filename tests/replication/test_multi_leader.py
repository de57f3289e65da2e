"""Several leaders: conflicts are noticed, resolved alike everywhere, and a replica without memory loses nothing."""

from functools import partial

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.replication import (
    LWWRegister,
    MultiLeaderReplica,
    ORSet,
    PNCounter,
    keep_siblings,
    last_writer_wins,
    multi_leader_store,
    overruled_writes,
    two_regions,
    union,
)
from dscourse.simulation import (
    ClockOffset,
    ClosedLoop,
    Crash,
    Duplicate,
    Exponential,
    Lossy,
    Network,
    OpenLoop,
    Partition,
    Scenario,
    check_determinism,
    topology,
)


def client(*operations, to, start=0.0, think=0.2):
    return ClosedLoop(operations, think, to, timeout=1.0, start=start)


def scenario(*clients, nodes=3, faults=(), seed=0, node=MultiLeaderReplica, latency=0.01, **settings):
    network = Network(topology.full_mesh(nodes), latency=latency)
    return Scenario(partial(node, **settings), network, clients=clients, faults=faults, seed=seed)


def answers(run, who=None):
    return [one.value for one in run.history() if who in (None, one.client)]


def kept(run):
    end = run.at(run.until).nodes
    return [end[node]["values"] for node in run.nodes]


def at_the_end(resolution, **settings):
    """What the two users see of the cart when the regions have come together again."""
    run = two_regions(resolution, **settings).run(9.0)
    europe, asia = kept(run)
    assert europe == asia
    return run, europe["cart"]


@pytest.mark.parametrize(
    ("resolution", "cart"),
    [
        (last_writer_wins, ("eggs", "jam", "milk")),  # the removal is lost
        (keep_siblings, (("milk",), ("eggs", "jam", "milk"))),
        (union, ("eggs", "jam", "milk")),  # what was removed is back
        (ORSet, ("jam", "milk")),
    ],
)
def test_four_resolutions_of_the_same_conflict(resolution, cart):
    run, found = at_the_end(resolution)
    assert sorted(found, key=repr) == sorted(cart, key=repr)
    during = [one.value for one in run.history() if one.operation[0] == "get" and 4.0 <= one.invoked < 6.0]
    assert during[:2] == [("milk",), ("eggs", "jam", "milk")]  # each region goes on by itself
    conflicts = run.trace.select(kind="record", name="conflict")
    assert bool(conflicts) == (resolution is not ORSet)


def test_without_a_cut_there_is_no_conflict():
    for resolution in (last_writer_wins, keep_siblings, union, ORSet):
        run, cart = at_the_end(resolution, faults=[])
        assert cart == ("jam", "milk")
        assert not run.trace.select(kind="record", name="conflict")


def test_the_application_settles_siblings_with_a_put_and_nothing_else():
    cut = [Partition([["n0"]], 0.5, until=1.5)]
    start = client(("put", "x", "old"), to="n0")
    a, b = client(("put", "x", "a"), to="n0", start=1.0), client(("put", "x", "b"), to="n1", start=1.1)
    later = client(("add", "x", "c"), ("get", "x"), ("put", "x", "both"), ("get", "x"), to="n2", start=3.0)
    run = scenario(start, a, b, later, faults=cut, resolution=keep_siblings).run(6.0)
    outcomes = [(one.outcome, one.value) for one in run.history() if one.client == "c3"]
    assert outcomes == [("fail", None), ("ok", ("a", "b")), ("ok", None), ("ok", "both")]
    assert kept(run) == [{"x": "both"}] * 3


def test_last_writer_wins_names_the_acknowledged_write_that_it_lost_and_ties_go_alike():
    for offset in (0.0, 5.0):
        cut = [Partition([["n0"]], 0.5, until=1.5), ClockOffset("n0", offset, 0.0)]
        a, b = client(("put", "x", "a"), to="n0", start=1.0), client(("put", "x", "b"), to="n1", start=1.0)
        run = scenario(a, b, faults=cut).run(4.0)
        values = {node["x"] for node in kept(run)}
        assert len(values) == 1
        assert {one.operation[2] for one in overruled_writes(run)} == {"a", "b"} - values
        if offset:
            assert values == {"a"}  # its clock is ahead


def test_a_write_that_has_seen_another_replaces_it_whatever_the_clocks_say():
    ask = client(
        ("put", "x", "first"), ("put", "x", "second"), ("get", "x"), to=("n0", "n1", "n2"), think=0.5
    )
    run = scenario(ask, faults=[ClockOffset("n0", 60.0, 0.0)]).run(3.0)
    assert answers(run)[-1] == "second"
    assert overruled_writes(run) == ()


class Forgetful(MultiLeaderReplica):
    """Its disk is lost in a crash."""

    def on_start(self, ctx):
        ctx.save(None)
        super().on_start(ctx)


class ForgetfulUnderItsOldName(Forgetful):
    """What would go wrong: it numbers its writes from 1 again."""

    def on_start(self, ctx):
        super().on_start(ctx)
        self.writes_as = self.node_id
        self._unasked = []

    def on_message(self, ctx, sender, message):
        if type(message).__name__ != "Everything":
            super().on_message(ctx, sender, message)


def amnesia(node, resolution=last_writer_wins, operations=None, last=("put", "x", "new")):
    operations = operations or [("put", "x", number) for number in range(3)]
    before = client(*operations, to="n0", think=0.1)
    after = client(last, to="n0", start=2.5)
    faults = [Crash("n0", 1.5, restart_at=2.0), Partition([["n0"]], 2.2, until=3.0)]
    return scenario(before, after, faults=faults, node=node, resolution=resolution).run(6.0)


def test_after_amnesia_no_dot_is_used_again():
    assert kept(amnesia(Forgetful)) == [{"x": "new"}] * 3
    swallowed = kept(amnesia(ForgetfulUnderItsOldName, keep_siblings))
    assert swallowed[1] == {"x": 2}  # the new write looks like one that was long seen
    counted = amnesia(Forgetful, PNCounter, [("increment", "x", 5)], ("increment", "x", 1))
    assert kept(counted) == [{"x": 6}] * 3
    lost = amnesia(ForgetfulUnderItsOldName, PNCounter, [("increment", "x", 5)], ("increment", "x", 1))
    assert kept(lost)[1] == {"x": 5}


def test_a_replica_without_memory_is_told_everything():
    ask = client(("put", "x", 1), ("put", "y", 2), to="n1")
    run = scenario(ask, node=Forgetful, faults=[Crash("n0", 1.0, restart_at=2.0)]).run(4.0)
    assert kept(run)[0] == {"x": 1, "y": 2}


KINDS = {
    last_writer_wins: ("put", "add", "remove"),
    keep_siblings: ("put",),
    union: ("add", "remove"),
    ORSet: ("add", "remove"),
    PNCounter: ("increment",),
    LWWRegister: ("put",),
}


@pytest.mark.parametrize("resolution", KINDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_replicas_that_have_seen_the_same_writes_are_equal(resolution, data):
    one = st.tuples(st.sampled_from(KINDS[resolution]), st.sampled_from(["k0", "k1"]), st.integers(0, 3))
    if resolution is last_writer_wins:
        one = st.tuples(st.just("put"), st.sampled_from(["k0", "k1"]), st.integers(0, 3))
    clients = [
        OpenLoop(tuple(data.draw(st.lists(one, min_size=1, max_size=8))), 5.0, f"n{place}", timeout=1.0)
        for place in range(3)
    ]
    faults = [
        Partition([["n0"]], 0.3, until=1.0),
        Lossy(0.3, 0.0, until=3.0),
        Duplicate(0.3, 0.0, until=3.0),
        Crash("n1", 0.5, restart_at=1.2),
    ]
    seed = data.draw(st.integers(0, 1000))
    run = scenario(*clients, faults=faults, resolution=resolution, seed=seed, latency=Exponential(0.05)).run(
        12.0
    )
    end = run.at(run.until)
    values = [end.nodes[node]["values"] for node in run.nodes]
    assert values[0] == values[1] == values[2]
    assert all(not pending for node in run.nodes for pending in end.stored[node][3].values())


def test_the_same_scenario_gives_the_same_run():
    check_determinism(two_regions(union), 8.0)


def test_a_gateway_turns_to_the_next_replica_and_stays_there():
    ask = client(*[("put", "x", number) for number in range(4)], ("get", "x"), to="g0")
    run = multi_leader_store(clients=[ask], faults=[Crash("n0", 0.3)]).run(4.0)
    assert [one.outcome for one in run.history()] == ["ok"] * 5
    assert answers(run)[-1] == 3
    assert sum(one.latency > 0.15 for one in run.history()) == 1
    gone = multi_leader_store(clients=[ask], faults=[Crash(node, 0.0) for node in ("n0", "n1", "n2")]).run(
        4.0
    )
    assert gone.history()[0].outcome == "unknown"
