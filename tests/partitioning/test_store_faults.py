"""The partitioned store under faults: no acknowledged write is lost or done twice, no search leaves out a part."""

import itertools
import random
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import ConsistentHashRing, partitioned_node, price, store_network
from dscourse.partitioning.coordinator import Coordinator
from dscourse.partitioning.deduplication import remember
from dscourse.partitioning.shard import Shard
from dscourse.partitioning.store_messages import Answer, Ask
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


def test_a_repeated_write_mends_the_entry_that_a_crash_left_out():
    """The record is written after 1 ms; then the machine that would write the entry crashes."""
    key, colour = next(
        (f"k{n}", f"c{n}") for n in range(99) if RING.owner(f"k{n}") == "n0" and RING.owner(f"c{n}") == "n1"
    )
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, index="global", patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[Crash("app", at=0.0015, restart_at=0.1)],
        clients=[
            ClosedLoop((("put", key, colour),), 0.0, "app", timeout=0.5, start=0.0),
            ClosedLoop(
                (("find", colour), ("put", key, colour), ("find", colour)), 0.0, "app", 0.5, start=1.0
            ),
        ],
    ).run(5)
    first, lost, again, found = run.history()
    assert (first.outcome, lost.value, again.outcome, found.value) == ("unknown", (), "ok", (key,))


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


def test_a_search_whose_map_never_comes_to_rest_fails():
    """Every answer names a node more: the coordinator gives up rather than call a part the whole."""
    coordinator = Coordinator(ConsistentHashRing(["m0"]), "local")
    asks, ending = coordinator.begin("c0/0", "c0", ("find", "red"))
    for number in range(1, 5):
        (node, ask), *none = asks
        assert (node, none) == (f"m{number - 1}", [])
        answer = Answer(ask.operation, ask.step, ok=True, value=(), nodes=(node, f"m{number}"))
        asks, ending = coordinator.hear(node, answer)
    assert (asks, ending) == ([], ("fail", None))


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


@given(DEEDS, st.lists(st.tuples(st.integers(0, 25), st.integers(0, MEMORY - 1)), max_size=10))
@settings(max_examples=100, deadline=None)
def test_a_copy_takes_no_effect_while_fewer_writes_than_the_memory_holds_have_come_between(deeds, copies):
    once, often = (Shard("n0", ConsistentHashRing(["n0"]), memory=MEMORY) for _ in range(2))
    asks = list(asks_of(deeds))
    for place, ask in enumerate(asks):
        answer = once.answer("p", ask)
        assert often.answer("p", ask) == answer
        for late, writes_between in copies:
            if late == place and place >= writes_between:
                earlier = asks[place - writes_between]
                often.answer("p", earlier)
                again = Shard("n0", ConsistentHashRing(["n0"]), memory=MEMORY)
                again.restore(often.to_save())  # the memory survives a crash
                often = again
        assert often.values == once.values
        assert len(often.answered) <= MEMORY


def test_a_copy_that_comes_later_than_the_memory_reaches_is_taken_for_new():
    shard = Shard("n0", ConsistentHashRing(["n0"]), memory=2)
    asks = [Ask(f"c/{number}", 1, "add", changes=(("a", 1),)) for number in range(3)]
    for ask in (*asks, asks[1]):
        shard.answer("p", ask)
    assert shard.values == {"a": 3}
    shard.answer("p", asks[0])
    assert shard.values == {"a": 4}


def test_what_is_noted_first_is_forgotten_first():
    past = {}
    for name in "abcb":
        remember(past, name, name.upper(), 3)
    assert past == {"a": "A", "b": "B", "c": "C"}
    remember(past, "d", "D", 3)
    assert list(past) == ["b", "c", "d"]


@given(st.integers(0, 10**6), st.sampled_from(WAYS))
@settings(max_examples=5, deadline=None)
def test_the_disk_holds_no_more_than_the_memory_and_the_records(seed, way):
    """Transfers among three accounts, with every message possibly delivered twice: sums stay, and so does the space."""
    accounts = [next(f"a{n}" for n in range(99) if RING.owner(f"a{n}") == node) for node in STORAGE]
    transfers = [("transact", ((accounts[n % 3], -1), (accounts[(n + 1) % 3], 1))) for n in range(120)]
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, way=way, patience=1.0, memory=30),
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


def test_a_decision_is_remembered_until_all_have_confirmed_it():
    one, other = (next(f"a{n}" for n in range(99) if RING.owner(f"a{n}") == node) for node in ("n0", "n1"))
    coordinator = Coordinator(RING, "local")
    coordinator.begin("c0/0", "c0", ("transact", ((one, 1), (other, 1))))
    for node in ("n0", "n1"):
        coordinator.hear(node, Answer("c0/0", 1, ok=True))
    coordinator.hear("n0", Answer("c0/0", 2, ok=True))
    assert coordinator.outcome("c0/0") is True
    assert coordinator.hear("n1", Answer("c0/0", 2, ok=True)) == ([], ("ok", None))
    coordinator.close("c0/0")
    assert list(coordinator.committed) == []
    coordinator.begin("c0/1", "c0", ("transact", ((one, 1), (other, 1))))
    for node in ("n0", "n1"):
        coordinator.hear(node, Answer("c0/1", 1, ok=True))
    coordinator.hear("n0", Answer("c0/1", 2, ok=True))
    assert coordinator.lose_patience("c0/1") == ([], ("ok", None))
    coordinator.close("c0/1")
    assert coordinator.outcome("c0/1") is True  # n1 may still ask


# ── A coordinator, message by message ─────────────────────────────────────────────────────────────────────────

ACCOUNTS = tuple(next(f"a{n}" for n in range(99) if RING.owner(f"a{n}") == node) for node in STORAGE[:2])
TRANSFER = ("transact", ((ACCOUNTS[0], -1), (ACCOUNTS[1], 1)))


def test_a_vote_that_is_delivered_twice_counts_once_and_confirms_nothing():
    coordinator = Coordinator(RING, "local")
    coordinator.begin("c0/0", "c0", TRANSFER)
    vote = Answer("c0/0", 1, ok=True)
    assert coordinator.hear("n0", vote) == ([], None)
    assert coordinator.hear("n0", vote) == ([], None)  # n1 hasn't voted
    asks, _ = coordinator.hear("n1", vote)
    assert [(node, ask.do) for node, ask in asks] == [("n0", "commit"), ("n1", "commit")]
    assert [coordinator.hear(node, vote) for node in ("n0", "n1")] == [([], None)] * 2  # nobody has confirmed
    assert coordinator.outcome("c0/0") is True


def test_a_missing_vote_is_a_no():
    coordinator = Coordinator(RING, "local")
    coordinator.begin("c0/0", "c0", TRANSFER)
    coordinator.hear("n0", Answer("c0/0", 1, ok=True))
    asks, _ = coordinator.lose_patience("c0/0")
    assert [(node, ask.do) for node, ask in asks] == [("n0", "abort"), ("n1", "abort")]
    assert coordinator.lose_patience("c0/0") == ([], ("fail", None))


def test_an_answer_about_the_new_entry_says_nothing_of_the_old_one():
    """All on one node: only the step tells the two apart, when the first answer is delivered twice."""
    coordinator = Coordinator(ConsistentHashRing(["n0"]), "global")
    coordinator.begin("c0/0", "c0", ("put", "car", "blue"))
    ((_, index),), _ = coordinator.hear("n0", Answer("c0/0", 1, ok=True, value="red", version=2))
    ((_, unindex),), _ = coordinator.hear("n0", Answer("c0/0", index.step, ok=True))
    assert (index.do, index.key, unindex.do, unindex.key) == ("index", "blue", "unindex", "red")
    assert coordinator.hear("n0", Answer("c0/0", index.step, ok=True)) == ([], None)
    assert coordinator.hear("n0", Answer("c0/0", unindex.step, ok=True)) == ([], ("ok", "red"))


def test_a_record_without_its_entry_is_no_failure_since_the_record_is_written():
    coordinator = Coordinator(ConsistentHashRing(["n0"]), "global")
    asks, ending = coordinator.begin("c0/0", "c0", ("put", "car", "blue"))
    asks, ending = coordinator.hear("n0", Answer("c0/0", 1, ok=True, version=1))
    while asks:  # whoever is asked for the entry names somebody else
        ((node, ask),) = asks
        asks, ending = coordinator.hear(node, Answer("c0/0", ask.step, ok=False, moved=node))
    assert ending == ("unknown", None)


def test_writing_the_same_value_again_takes_no_entry_away():
    puts = [("put", f"car:{number}", "red") for number in range(30)]
    assert price(puts, before=puts, nodes=20, index="global", latency=0.001).messages == 4


def test_an_account_may_be_emptied_and_not_overdrawn():
    shard = Shard("n0", ConsistentHashRing(["n0"]))
    shard.values["a"] = 4
    assert not shard.answer("p", Ask("c/0", 1, "add", changes=(("a", -5),))).ok
    assert shard.answer("p", Ask("c/1", 1, "add", changes=(("a", -4),))).ok
    assert shard.values == {"a": 0}


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


class Machine:
    """As much of a machine as passing a request on needs."""

    rng = random.Random(0)
    stored = None

    def __init__(self):
        self.sent = []

    def send(self, to, message):
        self.sent.append((to, message))

    def save(self, state):
        """Write to a disk that nobody reads."""


def test_a_request_that_is_delivered_twice_is_passed_on_once():
    app, machine = partitioned_node("app", (), storage=STORAGE, way="any"), Machine()
    for number in (0, 0, 1):
        app.on_message(machine, "c0", Request(number, ("get", "car")))
    assert [message.operation for _, message in machine.sent] == ["c0/0", "c0/1"]


def test_a_coordinator_waits_no_longer_than_its_patience_in_each_phase():
    """A participant that is down neither votes nor confirms: two waits of 0.2 s, and the transfer is off."""
    run = Scenario(
        partial(partitioned_node, storage=STORAGE, patience=0.2),
        store_network(STORAGE, 0.001),
        faults=[Crash("n1", at=0.0)],
        clients=[ClosedLoop((TRANSFER,), 0.0, "app", timeout=2.0)],
    ).run(5)
    (done,) = run.history()
    assert (done.outcome, round(done.latency, 6)) == ("fail", 0.4)
