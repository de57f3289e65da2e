"""The leaderless store: quorums, read repair, write-back, stand-ins and their hints, tombstones, anti-entropy."""

from functools import partial

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.replication import LeaderlessReplica, MerkleTree, Stamp, Version, measure_staleness
from dscourse.replication.leaderless.replica import ABSENT
from dscourse.simulation import (
    ClockOffset,
    ClosedLoop,
    Constant,
    Crash,
    CutLink,
    Exponential,
    Network,
    OpenLoop,
    Partition,
    RepeatMessage,
    Scenario,
    check_determinism,
    topology,
)


def client(*operations, to="n0", start=0.0, think=0.05, timeout=1.0):
    return ClosedLoop(operations, think, to, timeout=timeout, start=start)


def scenario(*clients, nodes=3, faults=(), latency=0.01, seed=0, **settings):
    settings = {"n": 3, "w": 2, "r": 2} | settings
    network = Network(topology.full_mesh(nodes), latency=latency)
    factory = partial(LeaderlessReplica, **settings)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed)


def told(run):
    return [(one.outcome, one.value) for one in run.history()]


def kept(run, time=None):
    moment = run.at(run.until if time is None else time)
    return {node: moment.nodes[node]["values"] for node in run.nodes if moment.nodes.get(node)}


def test_a_write_is_read_wherever_one_asks():
    ask = client(
        ("get", "x"),
        ("put", "x", 1),
        ("get", "x"),
        ("get", "x"),
        ("delete", "x"),
        ("get", "x"),
        to=("n0", "n1"),
    )
    run = scenario(ask).run(3.0)
    assert told(run) == [("ok", None), ("ok", None), ("ok", 1), ("ok", 1), ("ok", None), ("ok", None)]
    assert kept(run) == {key: {"x": "(deleted)"} for key in run.nodes}


def test_without_w_a_write_is_not_answered_and_without_r_a_read_fails():
    down = [Crash("n1", 0.1), Crash("n2", 0.1)]
    run = scenario(client(("put", "x", 1), ("get", "x"), start=0.2), faults=down).run(3.0)
    assert [outcome for outcome, _ in told(run)] == ["unknown", "fail"]
    one_is_enough = scenario(client(("put", "x", 1), ("get", "x"), start=0.2), faults=down, w=1, r=1).run(3.0)
    assert told(one_is_enough) == [("ok", None), ("ok", 1)]


def test_one_replica_counts_once_though_its_answer_comes_twice():
    faults = [Crash("n2", 0.0), CutLink("n0", "n1", 0.0, one_way=True), RepeatMessage("n1", "n0", 1)]
    assert told(scenario(client(("put", "x", 1)), faults=faults, w=3).run(2.0)) == [("unknown", None)]


def test_read_repair_brings_a_replica_up_to_date_and_without_it_nothing_does():
    ask = client(("put", "x", 1), ("get", "x"), think=1.0)
    faults = [CutLink("n0", "n2", 0.0, until=0.5)]
    for repairs in (True, False):
        run = scenario(ask, faults=faults, read_repair=repairs).run(3.0)
        assert kept(run)["n2"] == ({"x": 1} if repairs else {})
        assert kept(run, 0.9)["n2"] == {}


def test_write_back_answers_only_when_w_have_what_it_says():
    # The write reaches n0 and its coordinator n3 hears of no one; a reader who meets n0 must pass it on first.
    settings = {"nodes": 4, "storage": ("n0", "n1", "n2"), "read_repair": False}
    writer = client(("put", "x", 1), to="n3", timeout=10.0)
    reader = client(("get", "x"), to="n0", start=1.0)
    faults = [CutLink("n3", "n1", 0.0), CutLink("n3", "n2", 0.0)]
    after = client(("get", "x"), to="n1", start=2.0)
    cut = [*faults, CutLink("n0", "n1", 1.5)]
    for back in (True, False):
        run = scenario(writer, reader, after, faults=cut, write_back=back, **settings).run(4.0)
        assert told(run)[1:] == [("ok", 1), ("ok", 1 if back else None)]
        assert sum(node["x"] == 1 for node in kept(run, 1.4).values() if node) == (3 if back else 1)


def test_a_coordinator_that_is_a_home_writes_back_once():
    ask = client(("put", "x", 1), ("get", "x"), think=1.0)
    run = scenario(ask, w=3, r=1, write_back=True, faults=[CutLink("n0", "n2", 0.0, until=0.5)]).run(3.0)
    assert told(run) == [("unknown", None), ("ok", 1)]
    stores = [
        event.peer
        for event in run.trace.select(kind="send", node="n0", between=(1.0, 3.0))
        if event.name == "Store"
    ]
    assert stores == ["n1", "n2"]


def test_clocks_of_coordinators_decide_and_the_earlier_write_may_win():
    ask = client(("put", "x", "first"), ("put", "x", "second"), ("get", "x"), to=("n0", "n1", "n2"))
    run = scenario(ask, faults=[ClockOffset("n0", 60.0, 0.0)]).run(2.0)
    assert told(run)[-1] == ("ok", "first")


def test_a_coordinator_whose_clock_goes_back_is_not_masked_by_its_own_write():
    ask = client(("put", "x", "first"), ("put", "x", "second"), ("get", "x"), think=1.0)
    run = scenario(ask, faults=[ClockOffset("n0", -60.0, 0.5)]).run(4.0)
    assert told(run)[-1] == ("ok", "second")


def test_equal_stamps_are_decided_alike_everywhere():
    stamp = Stamp(1.0, 0, "n0")  # used twice, by a coordinator that forgot it
    versions = [
        Version("x", stamp),
        Version("y", stamp),
        Version(None, stamp, deleted=True),
        Version(10, stamp),
    ]
    for one in versions:
        assert [one.newer_than(other) + other.newer_than(one) for other in versions].count(0) == 1  # itself


def sloppy_case(until=8.0, **settings):
    """Two homes are cut off; the client's side has one home and the two nodes that are none."""
    homes = LeaderlessReplica("n0", ("n1", "n2", "n3", "n4"), n=3, w=2, r=2).homes("cart")
    others = [node for node in ("n0", "n1", "n2", "n3", "n4") if node not in homes]
    side = [homes[0], *others]
    ask = client(("put", "cart", "milk"), ("get", "cart"), to=others[0], start=1.0)
    late = client(("get", "cart"), to=homes[1], start=6.0)
    cut = Partition([side], 0.5, until=4.0)
    return homes, others, scenario(ask, late, nodes=5, faults=[cut], **settings).run(until)


def test_a_strict_quorum_stops_where_a_sloppy_one_goes_on_and_hands_over():
    homes, others, strict = sloppy_case()
    assert told(strict) == [
        ("unknown", None),
        ("fail", None),
        ("ok", "milk"),
    ]  # it did take effect at one home
    homes, others, run = sloppy_case(sloppy=True)
    assert told(run) == [("ok", None), ("ok", "milk"), ("ok", "milk")]
    during = run.at(3.9)
    assert sorted(hint for node in others for hint in during.nodes[node]["hints"]) == sorted(
        f"cart for {home}" for home in homes[1:]
    )
    assert kept(run, 3.9)[homes[1]] == {}
    for home in homes:
        assert kept(run, 5.0)[home] == {"cart": "milk"}
    assert not any(run.at(5.0).nodes[node]["hints"] for node in run.nodes)


def test_a_hint_survives_a_crash_of_who_keeps_it():
    homes, others, run = sloppy_case(sloppy=True)
    crashed = run.fork(3.0, *(Crash(node, 3.0, restart_at=3.5) for node in others))
    assert kept(crashed, 5.0)[homes[1]] == {"cart": "milk"}


def test_after_healing_and_before_handing_over_a_sloppy_read_is_stale():
    homes, _, run = sloppy_case(sloppy=True, handoff_interval=3.5)
    stale = run.fork(4.0, CutLink(homes[0], homes[1], 4.0), CutLink(homes[0], homes[2], 4.0))
    early = scenario(
        client(("put", "cart", "milk"), to=_others(homes)[0], start=1.0),
        client(("get", "cart"), to=homes[1], start=4.1),
        nodes=5,
        faults=stale.scenario.faults,
        sloppy=True,
        handoff_interval=3.5,
    ).run(6.0)
    assert told(early) == [("ok", None), ("ok", None)]  # acknowledged, and not there


def _others(homes):
    return [node for node in ("n0", "n1", "n2", "n3", "n4") if node not in homes]


def deletion(grace, back_at=4.0, **settings):
    """An item is put, one replica goes down, the item is deleted, the replica returns, somebody reads."""
    faults = [Crash("n2", 1.0, restart_at=back_at)]
    writer = client(("put", "cart", "milk"), ("delete", "cart"), think=1.5)
    readers = [client(("get", "cart"), to="n2", start=start) for start in (5.0, 6.0)]
    return scenario(writer, *readers, faults=faults, grace=grace, **settings).run(8.0)


def test_a_deleted_item_comes_back_after_the_grace_period_and_not_before():
    returned = deletion(grace=1.0)
    assert told(returned)[2:] == [("ok", "milk"), ("ok", "milk")]
    assert kept(returned)["n0"] == {"cart": "milk"}  # repaired, back from the dead
    assert kept(returned, 3.9)["n0"] == {}
    for careful in (deletion(grace=60.0), deletion(grace=None)):
        assert told(careful)[2:] == [("ok", None), ("ok", None)]
        assert kept(careful) == {key: {"cart": "(deleted)"} for key in careful.nodes}


def test_a_replica_that_returns_and_is_compared_within_the_grace_period_brings_nothing_back():
    run = deletion(grace=3.0, back_at=2.5, anti_entropy=0.3, read_repair=False)
    assert kept(run) == {key: {} for key in run.nodes}
    assert told(run)[2:] == [("ok", None), ("ok", None)]


def test_tombstones_are_collected_after_a_crash_too():
    run = scenario(
        client(("put", "x", 1), ("delete", "x")), faults=[Crash("n1", 1.0, restart_at=1.5)], grace=2.0
    ).run(4.0)
    assert kept(run) == {key: {} for key in run.nodes}


def test_anti_entropy_makes_replicas_equal_without_reads_and_sends_only_what_differs():
    keys = [f"k{number}" for number in range(40)]
    before = OpenLoop(tuple(("put", key, 1) for key in keys), 100.0, "n0", timeout=1.0)
    during = OpenLoop((("put", "k3", 2), ("put", "new", 2)), 10.0, "n0", timeout=1.0, start=2.0)
    cut = Partition([["n2"]], 1.5, until=4.0)
    run = scenario(before, during, faults=[cut], anti_entropy=0.5).run(8.0)
    values = kept(run)
    assert values["n0"] == values["n1"] == values["n2"]
    assert values["n2"]["k3"] == values["n2"]["new"] == 2
    leaves = [
        event.message for event in run.trace.select(kind="send", between=(4.0, 8.0)) if event.name == "Leaves"
    ]
    sent = {key for message in leaves for key, _ in message.items}
    assert {"k3", "new"} <= sent
    assert len(sent) < 10  # those that share a leaf with them come along


def test_keys_belong_to_their_homes_only():
    keys = tuple(("put", f"k{number}", number) for number in range(20))
    run = scenario(OpenLoop(keys, 50.0, "n0", timeout=1.0), nodes=6, anti_entropy=0.5).run(4.0)
    homes = LeaderlessReplica("n5", tuple(f"n{number}" for number in range(5)), n=3, w=2, r=2).homes
    for node, values in kept(run).items():
        assert set(values) == {f"k{number}" for number in range(20) if node in homes(f"k{number}")}


def test_the_same_scenario_gives_the_same_run():
    keys = tuple(("put", f"k{number % 3}", number) for number in range(20))
    faults = [Partition([["n0", "n3"]], 0.5, until=2.0), Crash("n1", 1.0, restart_at=2.5)]
    settings = {"nodes": 5, "sloppy": True, "grace": 1.0, "anti_entropy": 0.5, "latency": Exponential(0.02)}
    check_determinism(
        scenario(OpenLoop(keys, 10.0, ("n0", "n1"), timeout=1.0), faults=faults, **settings), 4.0
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n": 4}, "n must be at most 3"),
        ({"w": 4}, "w must be at most 3"),
        ({"r": 0}, "r must be at least 1"),
    ],
)
def test_sizes_that_can_never_be_reached_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        LeaderlessReplica("n0", ("n1", "n2"), **({"n": 3, "w": 2, "r": 2} | settings))


def test_absent_is_older_than_everything():
    assert not ABSENT.newer_than(ABSENT)


# ── Merkle trees ──────────────────────────────────────────────────────────────────────────────────────────────────────

ITEMS = st.dictionaries(st.one_of(st.integers(), st.text(max_size=3)), st.integers(0, 2), max_size=40)


@given(ITEMS, ITEMS, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_merkle_trees_find_exactly_the_keys_that_differ(one, other, depth):
    different = {key for key in {**one, **other} if one.get(key) != other.get(key)}
    a, b = MerkleTree(one, depth), MerkleTree(other, depth)
    assert sorted(map(repr, a.differences(b))) == sorted(map(repr, different))
    assert sorted(map(repr, b.differences(a))) == sorted(map(repr, different))
    assert (a.digest() == b.digest()) == (not different)
    assert MerkleTree(dict(reversed(one.items())), depth).digest() == a.digest()


def test_of_a_hundred_thousand_keys_few_digests_are_compared():
    items = {f"k{number}": number for number in range(100_000)}
    one, other = MerkleTree(items, 3), MerkleTree(items | {"k7": -1, "more": 0}, 3)
    assert sorted(one.differences(other)) == ["k7", "more"]
    assert sum(len(one.keys(path)) for path in one.differing_leaves(other)) < 100


def test_trees_of_different_depths_are_refused():
    with pytest.raises(ValueError, match="other must have depth 2"):
        MerkleTree({}).differences(MerkleTree({}, 3))


# ── Staleness, measured ───────────────────────────────────────────────────────────────────────────────────────────────


def test_delays_that_are_known_give_staleness_that_is_known():
    fixed = {"ack": Constant(0.001), "read": Constant(0.001), "response": Constant(0.001), "trials": 20}
    at_once = measure_staleness(Constant(0.001), n=3, w=1, r=1, **fixed)
    assert at_once.fresh == 1.0
    assert (at_once.read_latency(0.5), at_once.write_latency(0.999)) == pytest.approx((2.0, 2.0))
