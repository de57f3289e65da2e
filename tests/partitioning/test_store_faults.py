"""The store under faults: no acknowledged write is lost or done twice, a search finds what is so and nothing else."""

import itertools
from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from dscourse.partitioning import ConsistentHashRing, partitioned_node, price, store_network
from dscourse.partitioning.store import deduplication
from dscourse.partitioning.store.deduplication import remember
from dscourse.partitioning.store.messages import Answer, Ask, Decided, Outcome
from dscourse.partitioning.store.shard import Shard
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    CutLink,
    Duplicate,
    LogNormal,
    Lossy,
    OpenLoop,
    Partition,
    Pause,
    Request,
    Scenario,
    Slow,
)

STORAGE = ("n0", "n1", "n2")
MACHINES = ("app", "proxy", *STORAGE)
RING = ConsistentHashRing(STORAGE, virtual_nodes=64)
WAYS = ("client", "proxy", "any")
TIMES = st.floats(0.2, 3.0)


def lasting(make):
    """Faults that begin some time in the first three seconds and last up to two."""
    return st.builds(make, TIMES, st.floats(0.05, 2.0))


FAULT = st.one_of(
    st.sampled_from(MACHINES).flatmap(
        lambda node: lasting(lambda at, for_: Crash(node, at=at, restart_at=at + for_))
    ),
    st.sampled_from(MACHINES).flatmap(
        lambda node: lasting(lambda at, for_: Pause(node, at=at, until=at + for_))
    ),
    st.sampled_from(MACHINES).flatmap(
        lambda node: lasting(lambda at, for_: Slow(30.0, at=at, until=at + for_, node=node))
    ),
    st.sampled_from(list(itertools.combinations(MACHINES, 2))).flatmap(
        lambda link: lasting(lambda at, for_: CutLink(*link, at=at, until=at + for_))
    ),
    st.sets(st.sampled_from(MACHINES), min_size=1, max_size=4).flatmap(
        lambda apart: lasting(
            lambda at, for_: Partition(
                [sorted(apart), [m for m in MACHINES if m not in apart]], at=at, until=at + for_
            )
        )
    ),
    lasting(lambda at, for_: Lossy(0.3, at=at, until=at + for_)),
)
FAULTS = st.lists(FAULT, max_size=3)


def writes_and_reads(client, count):
    """Return operations of one client on four keys: every value is written once in the whole run."""
    return tuple(
        ("get", f"k{number % 4}") if number % 3 == 2 else ("put", f"k{number % 4}", f"{client}.{number}")
        for number in range(count)
    )


def check_record(history, final):
    """Check what clients saw of one record against the rule that it is at one place and every write happens once.

    An answered put tells the value that it replaced. So the answered puts hang together in chains, which only puts
    without an answer can interrupt.
    """
    puts = [done for done in history if done.operation[0] == "put"]
    replaced = {done.operation[2]: done.value for done in puts if done.outcome == "ok"}
    unanswered = {done.operation[2] for done in puts if done.outcome == "unknown"}
    refused = {done.operation[2] for done in puts if done.outcome == "fail"}
    seen = {final, *replaced.values(), *(done.value for done in history if done.operation[0] == "get")}
    assert not seen & refused, "a write that was said to have failed took effect"
    twice = [value for value, times in Counter(replaced.values()).items() if times > 1]
    assert not twice, "two writes replaced the same value: it was there twice"
    ends = set(replaced) - set(replaced.values()) - {final}
    assert len(ends) <= len(unanswered), "an acknowledged write is gone, and nothing can have overwritten it"

    def before(value):
        while value in replaced:
            value = replaced[value]
            yield value

    for done in history:
        if done.outcome == "ok":
            held = done.value
            for earlier in puts:
                if earlier.outcome == "ok" and earlier.completed < done.invoked:
                    assert held not in set(before(earlier.operation[2])), "an overwritten value came back"


CRASH = st.builds(
    lambda node, at, for_: Crash(node, at=at, restart_at=at + for_),
    st.sampled_from(STORAGE),
    TIMES,
    st.floats(0.05, 0.5),
)


@given(
    st.lists(CRASH, min_size=1, max_size=2, unique_by=lambda crash: crash.node),
    FAULTS,
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(WAYS),
    st.sampled_from(["local", "global"]),
    st.integers(0, 10**6),
)
@settings(max_examples=30, deadline=None)
def test_no_acknowledged_write_is_lost_and_no_overwritten_one_comes_back(
    crashes, faults, twice, way, index, seed
):
    clients = [
        ClosedLoop(writes_and_reads(name, 24), 0.05, to, timeout=1.0)
        for name, to in (("a", "app"), ("b", ("app", "proxy")), ("c", ("n0", "n1", "n2")))
    ]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, index=index, patience=0.4),
        store_network(STORAGE, LogNormal(0.03, 1.0)),
        faults=[*crashes, *faults, *([Duplicate(twice, at=0.0, until=8.0)] if twice else [])],
        clients=clients,
        seed=seed,
    ).run(60)
    assert len(run.history()) == 72
    for key in ("k0", "k1", "k2", "k3"):
        final = run.at(60).nodes[RING.owner(key)]["values"].get(key)
        check_record([done for done in run.history() if done.operation[1] == key], final)


@given(st.integers(0, 10**6), st.sampled_from(WAYS), st.sampled_from([0.0, 0.5]))
@settings(max_examples=15, deadline=None)
def test_a_global_index_ends_up_right_whoever_overtakes_whom(seed, way, twice):
    """Three write the same records at once; an entry that comes late must not undo that of a later write."""
    clients = [
        OpenLoop(
            tuple(
                ("put", f"k{number % 2}", ("red", "green", "blue")[(number + shift) % 3])
                for number in range(20)
            ),
            rate=30.0,
            to="app",
            timeout=10.0,
        )
        for shift in range(3)
    ]
    asks = ClosedLoop(
        tuple(("find", colour) for colour in ("red", "green", "blue")), 0.0, "app", 10.0, start=30.0
    )
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, index="global", patience=20.0),
        store_network(STORAGE, LogNormal(0.03, 1.0)),
        faults=[Duplicate(twice, at=0.0)] if twice else [],
        clients=[*clients, asks],
        seed=seed,
    ).run(60)
    records = {key: run.at(60).nodes[RING.owner(key)]["values"][key] for key in ("k0", "k1")}
    for done in run.history()[-3:]:
        assert sorted(done.value) == sorted(
            key for key, colour in records.items() if colour == done.operation[1]
        )


def apart(*prefixes):
    """One name a prefix, each on a node of its own."""
    return [
        next(f"{prefix}{n}" for n in range(99) if RING.owner(f"{prefix}{n}") == node)
        for prefix, node in zip(prefixes, STORAGE, strict=False)
    ]


def test_a_write_whose_answer_was_lost_leaves_no_entry_behind():
    """The record turns blue, but whoever wants that isn't told, and says so again. Red must be gone all the same."""
    car, red, blue = apart("car", "red", "blue")
    operations = [("put", car, red), ("put", car, blue), ("put", car, blue), ("find", red), ("find", blue)]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, index="global", patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[CutLink(RING.owner(car), "app", at=1.0, until=2.0, one_way=True)],
        clients=[
            ClosedLoop((operation,), 0.0, "app", timeout=0.5, start=start)
            for operation, start in zip(operations, (0.5, 1.5, 2.5, 3.0, 3.0), strict=True)
        ],
    ).run(5)
    first, lost, again, *finds = run.history()
    assert (first.outcome, lost.outcome, again.outcome) == ("ok", "unknown", "ok")
    assert [done.value for done in finds] == [(), (car,)]


def test_a_search_finds_what_was_put_last_also_where_a_transaction_changed_it_since():
    account, other, *_ = apart("a", "b")
    operations = [
        ("put", account, 100),
        ("put", other, 0),
        ("transact", ((account, -30), (other, 30))),
        ("find", 100),
        ("put", account, 5),
        *(("find", balance) for balance in (100, 70, 5)),
    ]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, index="global"),
        store_network(STORAGE, 0.001),
        clients=[ClosedLoop(operations, 0.0, "app", timeout=1.0)],
    ).run(5)
    assert [done.value for done in run.history() if done.operation[0] == "find"] == [
        (account,),
        (),
        (),
        (account,),
    ]


@given(
    st.lists(CRASH, max_size=2, unique_by=lambda crash: crash.node),
    FAULTS,
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(WAYS),
    st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_once_the_trouble_is_over_a_global_index_has_every_entry_and_no_other(
    crashes, faults, twice, way, seed
):
    """Whether or not a write was acknowledged: what its record holds is found, and nothing else."""
    slow = [
        fault for fault in faults if isinstance(fault, Slow)
    ]  # several at once delay a message beyond the end
    bearable = [fault for fault in faults if fault not in slow[1:]]
    colours = ("red", "green", "blue")
    writes = [
        ClosedLoop(
            tuple(("put", f"k{number % 3}", colours[(number * shift) % 3]) for number in range(18)),
            0.05,
            to,
            timeout=1.0,
        )
        for shift, to in ((1, "app"), (2, ("app", "proxy")), (4, STORAGE))
    ]
    asks = ClosedLoop(tuple(("find", colour) for colour in colours * 4), 0.0, "app", 2.0, start=60.0)
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, index="global", patience=0.4),
        store_network(STORAGE, LogNormal(0.03, 0.7)),
        faults=[*crashes, *bearable, *([Duplicate(twice, at=0.0, until=8.0)] if twice else [])],
        clients=[*writes, asks],
        seed=seed,
    ).run(80)
    records = {key: value for node in STORAGE for key, value in run.at(80).nodes[node]["values"].items()}
    finds = [done for done in run.history() if done.operation[0] == "find" and done.outcome == "ok"]
    assert {done.operation[1] for done in finds} == {
        *colours
    }  # slow as the network is, each was answered once
    for done in finds:
        assert sorted(done.value) == sorted(
            key for key, colour in records.items() if colour == done.operation[1]
        )


def test_an_entry_that_a_crash_left_out_is_written_when_the_owner_is_back():
    """The owner crashes when the record is on its disk and the entry under way to a node that is cut off."""
    car, red = apart("car", "red")
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, index="global", patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[
            CutLink(RING.owner(car), RING.owner(red), at=0.0, until=1.0),
            Crash(RING.owner(car), at=0.5, restart_at=0.6),
        ],
        clients=[
            ClosedLoop((("put", car, red),), 0.0, "app", timeout=0.4),
            *(ClosedLoop((("find", red),), 0.0, "app", 0.4, start=start) for start in (0.8, 2.0)),
        ],
    ).run(5)
    assert [(done.outcome, done.value) for done in run.history()] == [
        ("unknown", None),
        ("ok", ()),
        ("ok", (car,)),
    ]


# ── A map that is out of date ─────────────────────────────────────────────────────────────────────────────────

CARS = [("put", f"car:{number}", "red") for number in range(40)]


@pytest.mark.parametrize("known", [STORAGE[:1], STORAGE[:2], STORAGE[1:]])
def test_a_search_by_someone_who_doesnt_know_all_nodes_still_finds_everything(known):
    from_all = price([("find", "red")] * 5, before=CARS, nodes=STORAGE, latency=0.001)
    stale = price([("find", "red")] * 5, before=CARS, nodes=STORAGE, latency=0.001, known=known)
    assert from_all.messages == stale.messages == 2 * len(STORAGE)
    assert set(from_all.latencies.round(6)) == {0.002}
    assert set(stale.latencies.round(6)) == {0.004}  # one round more
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, known=known),
        store_network(STORAGE),
        clients=[ClosedLoop((*CARS, ("find", "red")), 0.0, "app", timeout=1.0)],
    ).run(5)
    assert sorted(run.history()[-1].value) == sorted(key for _, key, _ in CARS)


@pytest.mark.parametrize("known", [STORAGE, STORAGE[:2]])
def test_a_search_that_a_node_doesnt_answer_has_no_answer(known):
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, known=known, patience=0.2),
        store_network(STORAGE),
        faults=[Crash("n2", at=0.5)],
        clients=[
            ClosedLoop(CARS, 0.0, "app", timeout=1.0),
            ClosedLoop((("find", "red"),), 0.0, "app", timeout=1.0, start=1.0),
        ],
    ).run(5)
    assert run.history()[-1].outcome == "unknown"


def test_a_search_whose_map_never_comes_to_rest_fails(coordinating, told):
    """Every answer names a node more: the coordinator gives up rather than call a part the whole."""
    coordinator = coordinating(ConsistentHashRing(["m0"]))
    sent = coordinator.begin(("find", "red"))
    for number in range(1, 5):
        (node, ask), *none = sent
        assert (node, none) == (f"m{number - 1}", [])
        answer = Answer(ask.operation, ask.step, ok=True, value=(), nodes=(node, f"m{number}"))
        sent = coordinator.hear(node, answer)
    assert sent == told("fail")


# ── The memory for what came before ───────────────────────────────────────────────────────────────────────────

MEMORY = 5
DEEDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["put", "add"]), st.integers(0, 99)), max_size=25
)


def asks_of(deeds):
    for number, (key, do, value) in enumerate(deeds):
        if do == "put":
            yield Ask(f"c/{number}", 1, "put", key, value)
        else:
            yield Ask(f"c/{number}", 1, "add", changes=((key, value),))


@pytest.fixture
def short_memory(monkeypatch):
    """monkeypatch.setattr once for all examples of a test."""
    return lambda size: monkeypatch.setattr(deduplication, "MEMORY", size)


@given(DEEDS, st.lists(st.tuples(st.integers(0, 25), st.integers(0, MEMORY - 1)), max_size=10))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_copy_takes_no_effect_while_fewer_writes_than_the_memory_holds_have_come_between(
    short_memory, deeds, copies
):
    short_memory(MEMORY)
    once, often = (Shard("n0", ConsistentHashRing(["n0"])) for _ in range(2))
    asks = list(asks_of(deeds))
    for place, ask in enumerate(asks):
        answer = once.answer("p", ask)
        assert often.answer("p", ask) == answer
        for late, writes_between in copies:
            if late == place and place >= writes_between:
                earlier = asks[place - writes_between]
                often.answer("p", earlier)
                again = Shard("n0", ConsistentHashRing(["n0"]))
                again.restore(often.to_save())  # the memory survives a crash
                often = again
        assert often.values == once.values
        assert len(often.answered) <= MEMORY


def test_a_copy_that_comes_later_than_the_memory_reaches_is_taken_for_new(short_memory):
    short_memory(2)
    shard = Shard("n0", ConsistentHashRing(["n0"]))
    asks = [Ask(f"c/{number}", 1, "add", changes=(("a", 1),)) for number in range(3)]
    for ask in (*asks, asks[1]):
        shard.answer("p", ask)
    assert shard.values == {"a": 3}
    shard.answer("p", asks[0])
    assert shard.values == {"a": 4}


def test_what_is_noted_first_is_forgotten_first(short_memory):
    short_memory(3)
    past = {}
    for name in "abcb":
        remember(past, name, name.upper())
    assert past == {"a": "A", "b": "B", "c": "C"}
    remember(past, "d", "D")
    assert list(past) == ["b", "c", "d"]


@given(st.integers(0, 10**6), st.sampled_from(WAYS))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_disk_holds_no_more_than_the_memory_and_the_records(short_memory, seed, way):
    """Transfers among three accounts, with every message possibly delivered twice: sums stay, and so does the space."""
    short_memory(30)
    accounts = [next(f"a{n}" for n in range(99) if RING.owner(f"a{n}") == node) for node in STORAGE]
    transfers = [("transact", ((accounts[n % 3], -1), (accounts[(n + 1) % 3], 1))) for n in range(120)]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, patience=1.0),
        store_network(STORAGE, LogNormal(0.01, 0.5)),
        faults=[Duplicate(0.5, at=0.5)],
        clients=[
            ClosedLoop([("put", account, 200) for account in accounts], 0.0, "app", timeout=2.0),
            ClosedLoop(transfers, 0.01, "app", timeout=2.0, start=1.0),
        ],
        seed=seed,
    ).run(20)
    moment = run.at(20)
    assert (
        sum(moment.nodes[node]["values"][account] for node, account in zip(STORAGE, accounts, strict=True))
        == 600
    )
    for node in ("app", *STORAGE):
        held = moment.stored.get(node) or {}
        assert len(held.get("begun", ())) <= 30
        assert len(held.get("passed", ())) <= 30
        for name in ("answered", "ended"):
            assert len(held.get("shard", {}).get(name, ())) <= 30
        assert moment.nodes[node]["committed"] == []  # all has been confirmed


# ── A coordinator, message by message ─────────────────────────────────────────────────────────────────────────

ACCOUNTS = tuple(next(f"a{n}" for n in range(99) if RING.owner(f"a{n}") == node) for node in STORAGE[:2])
TRANSFER = ("transact", ((ACCOUNTS[0], -1), (ACCOUNTS[1], 1)))


def test_a_decision_is_remembered_until_all_have_confirmed_it(coordinating, told):
    coordinator = coordinating(RING)
    for number, confirmed in enumerate((True, False)):
        operation, last = f"c0/{number}", ("n0", "n1")[confirmed]
        coordinator.begin(TRANSFER, number)
        heard = [coordinator.hear(node, Answer(operation, 1, ok=True)) for node in ("n0", "n1")]
        assert heard[1][:1] == told("ok", number=number)  # the decision is on the disk: whoever asked is told
        coordinator.hear("n0", Answer(operation, 2, ok=True))
        assert coordinator.hear("n1", Outcome(operation)) == [("n1", Decided(operation, True))]
        end = (
            coordinator.hear(last, Answer(operation, 2, ok=True))
            if confirmed
            else coordinator.lose_patience(number)
        )
        assert end == []  # and isn't told twice
        assert coordinator.node.committed == ([] if confirmed else [operation])  # n1 may still ask


def test_a_vote_that_is_delivered_twice_counts_once_and_confirms_nothing(coordinating, told):
    coordinator = coordinating(RING)
    coordinator.begin(TRANSFER)
    vote = Answer("c0/0", 1, ok=True)
    assert coordinator.hear("n0", vote) == []
    assert coordinator.hear("n0", vote) == []  # n1 hasn't voted
    reply, *commits = coordinator.hear("n1", vote)
    assert [reply] == told("ok")
    assert [(node, ask.do) for node, ask in commits] == [("n0", "commit"), ("n1", "commit")]
    assert [coordinator.hear(node, vote) for node in ("n0", "n1")] == [[], []]  # nobody has confirmed
    assert coordinator.node.committed == ["c0/0"]


def test_a_missing_vote_is_a_no(coordinating, told):
    coordinator = coordinating(RING)
    coordinator.begin(TRANSFER)
    coordinator.hear("n0", Answer("c0/0", 1, ok=True))
    reply, *aborts = coordinator.lose_patience()
    assert [reply] == told("fail")
    assert [(node, ask.do) for node, ask in aborts] == [("n0", "abort"), ("n1", "abort")]
    assert coordinator.lose_patience() == []


def test_writing_the_same_value_again_takes_no_entry_away():
    car, red = apart("car", "red")
    puts = [("put", car, red)] * 5
    assert price(puts, before=puts, nodes=STORAGE, index="global", latency=0.001).messages == 4


def test_an_account_may_be_emptied_and_not_overdrawn():
    shard = Shard("n0", ConsistentHashRing(["n0"]))
    shard.values["a"] = 4
    assert not shard.answer("p", Ask("c/0", 1, "add", changes=(("a", -5),))).ok
    assert shard.answer("p", Ask("c/1", 1, "add", changes=(("a", -4),))).ok
    assert shard.values == {"a": 0}


def test_an_entry_that_was_made_late_does_not_hide_that_a_later_write_has_changed_it():
    shard = Shard("n0", ConsistentHashRing(["n0"]), "global")
    for number, colour in enumerate(("red", "blue")):
        shard.answer("p", Ask(f"c/{number}", 1, "put", "car", colour))
    assert shard.due == {("red", "car"): (2, False), ("blue", "car"): (2, True)}
    shard.entry_made(("red", "car"), 1)  # the node of "red" has only now heard of the first write
    assert shard.due_with(2) == [(("red", "car"), False), (("blue", "car"), True)]
    shard.entry_made(("red", "car"), 2)
    assert shard.due_with(2) == [(("blue", "car"), True)]


def test_versions_go_on_where_they_were_after_a_crash():
    """Else the entry of a write after the crash would look older than one of before."""
    shard = Shard("n0", ConsistentHashRing(["n0"]))
    versions = [shard.answer("p", Ask(f"c/{n}", 1, "put", "car", f"colour {n}")).version for n in range(3)]
    again = Shard("n0", ConsistentHashRing(["n0"]))
    again.restore(shard.to_save())
    versions.append(again.answer("p", Ask("c/3", 1, "put", "car", "red")).version)
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("way", WAYS)
def test_what_nobody_knows_is_told_to_nobody(way):
    """The owner is down: the client must find out by waiting, and isn't told that nothing happened."""
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[Crash(RING.owner("car"), at=0.0)],
        clients=[ClosedLoop((("put", "car", "red"),), 0.0, "app", timeout=2.0)],
        seed=3,
    ).run(5)
    assert run.history()[0].outcome == "unknown"
    assert len(run.trace.select(kind="send", peer="c0")) == 0


def test_a_request_that_is_delivered_twice_is_passed_on_once(ctx):
    app = partitioned_node("app", (), storage=STORAGE, way="any")
    for number in (0, 0, 1):
        app.on_message(ctx, "c0", Request(number, ("get", "car")))
    assert [message.operation for _, message in ctx.sent] == ["c0/0", "c0/1"]


def test_a_coordinator_waits_no_longer_than_its_patience_for_votes():
    """A participant that is down doesn't vote: the transfer is off after 0.2 s, and nobody waits for an "aborted"."""
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[Crash("n1", at=0.0)],
        clients=[ClosedLoop((TRANSFER,), 0.0, "app", timeout=2.0)],
    ).run(5)
    (done,) = run.history()
    assert (done.outcome, round(done.latency, 6)) == ("fail", 0.2)


def test_the_client_is_told_as_soon_as_the_decision_is_durable():
    """n1 is cut off after its vote: the transfer is done all the same, and until n1 has heard nobody may read there."""
    opening = [("put", account, 100) for account in ACCOUNTS]
    reads = [
        ClosedLoop((("get", ACCOUNTS[1]),), 0.0, "proxy", timeout=0.5, start=start) for start in (1.5, 4.0)
    ]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, patience=0.2),
        store_network(STORAGE, 0.01),
        faults=[CutLink("app", "n1", at=1.025, until=3.0), Crash("app", at=1.1, restart_at=1.2)],
        clients=[
            ClosedLoop(opening, 0.0, "app", timeout=1.0),
            ClosedLoop((TRANSFER,), 0.0, "app", timeout=2.0, start=1.0),
            *reads,
        ],
    ).run(5)
    done, early, late = run.history()[2:]
    assert (done.outcome, round(done.latency, 6)) == ("ok", 0.02)
    assert (early.outcome, late.outcome, late.value) == ("fail", "ok", 101)


@given(st.integers(0, 10**6), st.sampled_from(WAYS))
@settings(max_examples=10, deadline=None)
def test_nobody_reads_an_old_balance_after_a_transfer_was_acknowledged(seed, way):
    """A read may overtake the commit on its way to a participant: then it is refused, never answered with the past."""
    opening = [("put", account, 1000) for account in ACCOUNTS]
    rounds = [one for _ in range(40) for one in (TRANSFER, *(("get", account) for account in ACCOUNTS))]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, patience=2.0),
        store_network(STORAGE, LogNormal(0.01, 1.0)),
        clients=[ClosedLoop((*opening, *rounds), 0.0, "app", timeout=5.0)],
        seed=seed,
    ).run(60)
    moved = 0
    for done in run.history()[2:]:
        kind, *rest = done.operation
        moved += kind == "transact" and done.outcome == "ok"
        if kind == "get" and done.outcome == "ok":
            assert done.value == 1000 + (moved if rest[0] == ACCOUNTS[1] else -moved)
    assert moved > 5
