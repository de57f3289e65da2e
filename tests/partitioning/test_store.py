"""The partitioned store on the simulated cluster: routing, indexes, transactions, and what they cost."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import ConsistentHashRing, partitioned_node, price, store_network
from dscourse.partitioning.store.messages import Answer, Ask, Decided, Outcome
from dscourse.partitioning.store.shard import Shard
from dscourse.simulation import (
    ClosedLoop,
    Constant,
    Crash,
    CutLink,
    Duplicate,
    Exponential,
    LogNormal,
    Lossy,
    OpenLoop,
    Partition,
    Pause,
    Scenario,
    check_determinism,
)

STORAGE = tuple(f"n{number}" for number in range(5))
RING = ConsistentHashRing(STORAGE, virtual_nodes=64)
WAYS = ("client", "proxy", "any")


def scenario(operations, faults=(), seed=0, latency=0.001, patience=0.1, **settings):
    return Scenario(
        partial(partitioned_node, storage=STORAGE, patience=patience, **settings),
        store_network(STORAGE, latency),
        faults=faults,
        clients=[ClosedLoop(tuple(operations), 0.0, "app", timeout=2.0)],
        seed=seed,
    )


def totals(run):
    return {key: value for node in STORAGE for key, value in run.at(run.until).nodes[node]["values"].items()}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_leads_to_the_owner(way):
    operations = [("put", f"u{k}", k) for k in range(40)] + [("get", f"u{k}") for k in range(41)]
    run = scenario(operations, way=way).run(60)
    assert [done.value for done in run.history()[40:]] == [*range(40), None]
    assert all(done.outcome == "ok" for done in run.history())
    for node in STORAGE:
        assert all(RING.owner(key) == node for key in run.at(60).nodes[node]["values"])


def test_messages_and_round_trips_of_the_three_ways():
    """One way takes 1 ms: the client's library makes one round trip, a proxy two, any node one or two."""
    gets = [("get", f"u{k}") for k in range(500)]
    client, proxy, any_node = (price(gets, nodes=5, latency=0.001, way=way) for way in WAYS)
    assert client.messages == 2
    assert set(np.round(client.latencies, 6)) == {0.002}
    assert proxy.messages == 4
    assert set(np.round(proxy.latencies, 6)) == {0.004}
    assert any_node.messages == pytest.approx(4 - 2 / 5, abs=4 * 2 * (0.2 * 0.8 / 500) ** 0.5)
    assert set(np.round(any_node.latencies, 6)) == {0.002, 0.004}


def test_a_library_that_is_out_of_date_is_sent_on():
    gets = [("get", f"u{k}") for k in range(300)]
    stale = price(gets, nodes=STORAGE, latency=0.001, known=STORAGE[:4])
    moved = np.mean([ConsistentHashRing(STORAGE[:4], 64).owner(key) != RING.owner(key) for _, key in gets])
    assert moved > 0.05
    assert stale.outcomes == {"ok": 300, "fail": 0, "unknown": 0}
    assert stale.messages == pytest.approx(2 + 2 * moved)


@pytest.mark.parametrize("nodes", [2, 5, 20])
def test_scatter_and_gather_asks_all_and_waits_for_the_slowest(nodes):
    """Each of n answers takes at most t with probability F(t), the slowest of them with F(t)ⁿ."""
    finds = price([("find", "red")] * 1500, nodes=nodes, latency=Exponential(0.001), seed=3)
    assert finds.messages == 2 * nodes
    # A round trip of two exponential delays is a gamma of shape 2: F(t) = 1 − e^−t (1 + t), t in ms.
    t = 1000 * finds.quantile(0.5)
    one = 1 - np.exp(-t) * (1 + t)
    assert one**nodes == pytest.approx(0.5, abs=5 * (0.25 / 1500) ** 0.5)


def test_a_global_index_asks_one_node_and_pays_when_writing():
    finds = price([("find", "red")] * 50, nodes=20, index="global", latency=0.001)
    assert finds.messages == 2
    red, blue, *cars = keys_on_distinct_nodes(5)
    first, then = ([("put", car, colour) for car in cars] for colour in (red, blue))
    settings = {"nodes": STORAGE, "latency": 0.001}
    local = price(first, index="local", **settings)
    new = price(first, index="global", **settings)
    changed = price(then, before=first, index="global", **settings)
    assert (local.messages, new.messages, changed.messages) == (2, 4, 6)
    at_home = price([("put", red, blue)], before=[("put", red, red)], index="global", **settings)
    assert at_home.messages == 4  # the entry of the old value is on the record's own node


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["red", "green"])), max_size=12),
    st.sampled_from(WAYS),
)
@settings(max_examples=15, deadline=None)
def test_both_indexes_find_what_was_written_last(writes, way):
    truth = dict(writes)
    for index in ("local", "global"):
        operations = [*(("put", key, colour) for key, colour in writes), ("find", "red"), ("find", "green")]
        red, green = scenario(operations, index=index, way=way).run(60).history()[-2:]
        assert sorted(red.value) == sorted(key for key, colour in truth.items() if colour == "red")
        assert sorted(green.value) == sorted(key for key, colour in truth.items() if colour == "green")


def keys_on_distinct_nodes(count):
    first = {RING.owner(f"a{number}"): f"a{number}" for number in reversed(range(100))}
    return [first[node] for node in STORAGE[:count]]


@pytest.mark.parametrize(("nodes", "messages"), [(1, 2), (2, 8), (3, 12), (5, 20)])
def test_a_transaction_across_k_nodes_costs_4k_messages_and_one_round_trip(nodes, messages):
    keys = keys_on_distinct_nodes(nodes)
    cost = price([("transact", tuple((key, 1) for key in keys))] * 20, nodes=STORAGE, latency=0.001)
    assert cost.messages == messages
    assert np.allclose(cost.latencies, 0.002)  # whoever asked is told when the decision is durable


def test_a_transaction_that_would_overdraw_changes_nothing():
    one, other = keys_on_distinct_nodes(2)
    operations = [
        ("put", one, 10),
        ("put", other, 10),
        ("transact", ((one, -11), (other, 11))),
        ("transact", ((one, -4), (other, 4))),
    ]
    run = scenario(operations).run(30)
    assert [done.outcome for done in run.history()] == ["ok", "ok", "fail", "ok"]
    assert totals(run) == {one: 6, other: 14}


ACCOUNTS = [f"a{number}" for number in range(6)]
MACHINES = ("app", "proxy", *STORAGE)
TROUBLE = st.lists(
    st.one_of(
        st.builds(
            lambda node, at, down: Crash(node, at=at, restart_at=at + down),
            st.sampled_from(MACHINES),
            st.floats(1.1, 4.0),
            st.floats(0.05, 2.0),
        ),
        st.builds(
            lambda node, at, down: Pause(node, at=at, until=at + down),
            st.sampled_from(MACHINES),
            st.floats(1.1, 4.0),
            st.floats(0.05, 2.0),
        ),
        st.builds(
            lambda link, at, down: CutLink(link[0], link[1], at=at, until=at + down),
            st.sampled_from(list(itertools.combinations(MACHINES, 2))),
            st.floats(1.1, 4.0),
            st.floats(0.05, 2.0),
        ),
    ),
    min_size=1,
    max_size=4,
)


@given(TROUBLE, st.integers(0, 10**6), st.sampled_from(WAYS))
@settings(max_examples=20, deadline=None)
def test_two_phase_commit_keeps_the_sum_whatever_crashes(faults, seed, way):
    """All of a transfer happens or nothing: money is neither made nor lost, and once all are up no key stays locked."""
    network = store_network(
        STORAGE, latency=LogNormal(0.05, 0.5)
    )  # slow: every fault finds transactions under way
    opening = [("put", account, 100) for account in ACCOUNTS]
    transfers = [
        ("transact", ((ACCOUNTS[k % 6], -(k % 7)), (ACCOUNTS[(k * 5 + 1) % 6], k % 7)))
        for k in range(60)
        if k % 6 != (k * 5 + 1) % 6
    ]
    clients = [
        OpenLoop(tuple(opening), rate=10_000, to="app", timeout=1.0, arrivals="regular"),
        OpenLoop(tuple(transfers), rate=20, to="app", timeout=1.0, start=1.0),
    ]
    factory = partial(partitioned_node, storage=STORAGE, patience=0.4, way=way)
    late = tuple(fault for fault in faults if fault.at > 1.0)
    run = Scenario(factory, network, faults=late, clients=clients, seed=seed).run(20)
    moment = run.at(19.9)
    assert sum(totals(run).values()) == 600
    assert min(totals(run).values()) >= 0
    for node in STORAGE:
        assert moment.nodes[node]["in_doubt"] == []
        assert moment.nodes[node]["locked"] == []


@given(
    st.sampled_from([None, *MACHINES]),
    st.sampled_from([0.0, 0.1]),
    st.integers(0, 10**6),
    st.sampled_from(WAYS),
)
@settings(max_examples=20, deadline=None)
def test_messages_delivered_twice_and_late_move_no_money(crashed, loss, seed, way):
    """A prepare, an addition or a whole request may come once more when all is long over."""
    opening = [("put", account, 100) for account in ACCOUNTS]
    transfers = [
        ("transact", ((ACCOUNTS[k % 6], -(k % 7)), (ACCOUNTS[(k * 5 + 1) % 6], k % 7)))
        for k in range(60)
        if k % 6 != (k * 5 + 1) % 6
    ]
    faults = [Duplicate(0.5, at=7.2, until=16.0), Lossy(loss, at=7.2, until=16.0)]
    faults += [Crash(crashed, at=8.0, restart_at=8.5)] if crashed else []
    clients = [
        OpenLoop(tuple(opening), rate=10_000, to="app", timeout=1.0, arrivals="regular"),
        OpenLoop(
            tuple(transfers), rate=20, to="app", timeout=1.0, start=7.5
        ),  # no put is under way for so long
    ]
    factory = partial(partitioned_node, storage=STORAGE, patience=0.4, way=way)
    network = store_network(STORAGE, latency=LogNormal(0.05, 1.0))
    run = Scenario(factory, network, faults=tuple(faults), clients=clients, seed=seed).run(26)
    moment = run.at(25.9)
    assert sum(totals(run).values()) == 600
    assert min(totals(run).values()) >= 0
    assert all(moment.nodes[node]["in_doubt"] == [] for node in STORAGE)


def test_a_transaction_on_one_node_is_done_once_however_often_it_is_delivered():
    account = "a1"
    operations = [("put", account, 100), *[("transact", ((account, -1),))] * 30]
    for way in WAYS:
        run = Scenario(
            partial(partitioned_node, storage=STORAGE, patience=0.5, way=way),
            store_network(STORAGE, latency=Exponential(0.01)),
            faults=[Duplicate(0.9, at=0.0)],
            clients=[ClosedLoop(tuple(operations), 0.0, "app", timeout=2.0)],
            seed=5,
        ).run(20)
        assert all(done.outcome == "ok" for done in run.history())
        assert totals(run) == {account: 70}


def shard_with(**values):
    """Return a shard that owns everything."""
    shard = Shard("n0", ConsistentHashRing(["n0"]))
    shard.values.update(values)
    return shard


def test_a_promise_is_redeemed_only_by_whom_it_was_made_to_and_never_made_again():
    shard = shard_with(a=10)
    prepare = Ask("c0/0", 1, "prepare", changes=(("a", -4),))
    assert shard.answer("p", prepare).ok
    assert shard.answer("p", prepare).ok
    assert not shard.answer("q", prepare).ok  # the request was delivered twice, to two coordinators
    shard.answer("q", Ask("c0/0", 2, "abort"))
    assert shard.locked() == {"a"}
    shard.answer("p", Ask("c0/0", 2, "commit"))
    assert shard.values == {"a": 6}
    assert not shard.answer("p", prepare).ok  # a late copy of what is over
    shard.decide("p", "c0/0", commit=True)
    assert shard.values == {"a": 6}
    assert shard.locked() == set()


def test_an_abort_that_overtakes_its_prepare_leaves_no_lock():
    shard = shard_with(a=10)
    shard.answer("p", Ask("c0/0", 2, "abort"))
    assert not shard.answer("p", Ask("c0/0", 1, "prepare", changes=(("a", -4),))).ok
    assert shard.locked() == set()


def test_a_late_copy_of_a_write_doesnt_undo_a_newer_one():
    shard = shard_with()
    old, new = Ask("c0/0", 1, "put", "u", "red"), Ask("c0/1", 1, "put", "u", "blue")
    first = shard.answer("p", old)
    shard.answer("p", new)
    again = Shard("n0", ConsistentHashRing(["n0"]))
    again.restore(shard.to_save())  # the memory survives a crash
    assert again.answer("p", old) == first
    assert again.values == {"u": "blue"}


def test_changes_of_one_key_count_together_and_texts_have_no_balance():
    one, other = keys_on_distinct_nodes(2)
    operations = [
        ("put", one, 10),
        ("put", other, "red"),
        ("transact", ((one, -6), (one, -6))),
        ("transact", ((one, -6), (one, 6), (one, -6))),
        ("transact", ((one, 1), (other, 1))),
    ]
    run = scenario(operations).run(30)
    assert [done.outcome for done in run.history()] == ["ok", "ok", "fail", "ok", "fail"]
    assert totals(run) == {one: 4, other: "red"}


def test_an_application_that_is_out_of_date_writes_nothing_where_it_doesnt_belong():
    writes = [("put", f"u{k}", f"red{k}") for k in range(60)]
    finds = [("find", f"red{k}") for k in range(60)]
    transfers = [("transact", ((f"v{k}", 1), (f"w{k}", 1))) for k in range(60)]
    run = scenario([*writes, *finds, *transfers], index="global", known=STORAGE[:3]).run(60)
    assert [done.value for done in run.history()[60:120]] == [(f"u{k}",) for k in range(60)]
    assert {done.outcome for done in run.history()[120:]} == {"ok", "fail"}
    for node in STORAGE:
        assert all(RING.owner(key) == node for key in run.at(60).nodes[node]["values"])


def test_a_participant_in_doubt_stays_locked_until_the_coordinator_is_back():
    one, other = keys_on_distinct_nodes(2)
    operations = [("put", one, 10), ("put", other, 10), ("transact", ((one, -5), (other, 5)))]
    # The votes are on their way back to the coordinator when it crashes, 5.5 ms after the start.
    run = scenario(operations, faults=[Crash("app", at=0.0055, restart_at=3.0)], patience=0.2).run(5)
    during, after = run.at(2.5), run.at(4.9)
    assert [during.nodes[RING.owner(key)]["locked"] for key in (one, other)] == [[one], [other]]
    assert run.history()[-1].outcome == "unknown"
    assert [after.nodes[RING.owner(key)]["locked"] for key in (one, other)] == [[], []]
    assert totals(run) == {one: 10, other: 10}  # presumed abort: nothing had been decided


def test_a_decision_survives_the_coordinators_crash():
    one, other = keys_on_distinct_nodes(2)
    operations = [("put", one, 10), ("put", other, 10), ("transact", ((one, -5), (other, 5)))]
    # The decision leaves at 6 ms; the second participant is cut off just before it hears of it.
    faults = [
        Partition(
            [["app", *(n for n in STORAGE if n != RING.owner(other)), "proxy"], [RING.owner(other)]],
            at=0.0065,
            until=3.0,
        ),
        Crash("app", at=0.0068, restart_at=1.0),
    ]
    run = scenario(operations, faults=faults, patience=0.2).run(6)
    assert run.at(2.9).nodes[RING.owner(other)]["locked"] == [other]
    assert totals(run) == {one: 5, other: 15}


def test_a_locked_key_refuses_other_writers():
    one, other = keys_on_distinct_nodes(2)
    operations = [("put", one, 10), ("transact", ((one, -5), (other, 5)))]
    clients = [
        ClosedLoop(tuple(operations), 0.0, "app", timeout=2.0),
        OpenLoop(
            (("put", one, 99), ("transact", ((one, 1), (other, 1)))),
            rate=1,
            to="proxy",
            timeout=0.5,
            start=1.0,
            arrivals="regular",
        ),
    ]
    factory = partial(partitioned_node, storage=STORAGE, patience=0.2)
    run = Scenario(
        factory, store_network(STORAGE, 0.001), faults=[Crash("app", at=0.0035)], clients=clients
    ).run(4)
    assert [done.outcome for done in run.history() if done.client == "c1"] == ["fail", "fail"]
    assert run.at(3.9).nodes[RING.owner(one)]["values"] == {one: 10}


def test_a_scenario_can_be_written_down_and_run_elsewhere():
    first = scenario([("put", "u", "red"), ("find", "red")], index="global", way="proxy")
    again = Scenario.from_json(first.to_json(), first.node_factory)
    assert again.run(5).digest() == first.run(5).digest()


def test_runs_repeat():
    operations = [("put", f"u{k}", "red") for k in range(20)] + [
        ("find", "red"),
        ("transact", (("a", 1), ("b", 1))),
    ]
    check_determinism(scenario(operations, way="any", index="global", latency=LogNormal(0.001, 0.5)), 10)
    first = price(operations, seed=1)
    assert (first.latencies == price(operations, seed=1).latencies).all()
    assert (first.latencies != price(operations, seed=2).latencies).any()


def test_service_time_adds_up_at_the_node_that_is_asked():
    gets = [("get", "u")] * 10
    assert np.allclose(price(gets, latency=0.001, service_time=Constant(0.003)).latencies, 0.005)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: partitioned_node("n0", (), storage=STORAGE, way="pigeon"), ValueError, "way must be one of"),
        (
            lambda: partitioned_node("n0", (), storage=STORAGE, index="none"),
            ValueError,
            "index must be one of",
        ),
        (lambda: partitioned_node("n9", (), storage=STORAGE), LookupError, "neither 'app', 'proxy' nor"),
        (lambda: partitioned_node("n0", (), storage=()), ValueError, "at least one node"),
        (
            lambda: partitioned_node("n0", (), storage=STORAGE, patience=0),
            ValueError,
            "patience must be above 0",
        ),
        (lambda: store_network([]), ValueError, "at least one node"),
        (lambda: price([]), ValueError, "nothing to run"),
        (lambda: price([("get", "a")]).quantile(2), ValueError, "must lie between 0 and 1"),
        (lambda: price("abc"), TypeError, "operations must be a list"),
        (lambda: price([("get",)]), ValueError, "An operation is"),
        (lambda: price([("transact", ())]), ValueError, "An operation is"),
        (lambda: price([("transact", ("a", 1))]), ValueError, "made of .key, amount."),
        (lambda: price([("transact", (("a", "1"),))]), TypeError, "an amount must be a whole number"),
        (lambda: price([("get", 1.5)]), TypeError, "A key is"),
        (lambda: price([("get", "a")], before=[("zap", "a")]), ValueError, "An operation is"),
    ],
)
def test_bad_settings_are_told_in_words(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_price_says_what_it_is():
    assert (
        str(price([("get", "a")] * 3, latency=0.001))
        == "2.0 messages each; median 2.0 ms, 99th percentile 2.0 ms"
    )


def test_a_coordinator_begins_nothing_twice_not_even_after_a_crash(coordinating, told):
    one, other = keys_on_distinct_nodes(2)
    what = ("transact", ((one, 1), (other, 1)))
    first = coordinating(RING)
    prepares = first.begin(what)
    assert {ask.do for _, ask in prepares} == {"prepare"}
    node = prepares[0][0]
    assert first.hear(node, Outcome("c0/0")) == []  # nobody may be told before it is decided
    assert first.begin(what) == []
    first.restart()
    assert first.hear(node, Outcome("c0/0")) == [
        (node, Decided("c0/0", False))
    ]  # presumed abort, must stay true:
    assert first.begin(what) == []


def test_a_coordinator_begins_nothing_twice_when_it_is_over_either(coordinating, told):
    first = coordinating(RING)
    first.begin(("get", "u"))
    assert first.hear(RING.owner("u"), Answer("c0/0", 1, ok=True, value=3)) == told("ok", 3)
    assert first.begin(("get", "u")) == []
