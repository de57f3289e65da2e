"""The parts of a SWIM member: what beats what, how often a rumour is told, whose turn it is."""

import itertools
import random

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.detection import swim_expected_confirmations
from dscourse.detection.swim.member_list import MemberList
from dscourse.detection.swim.probe_order import RandomChoice, RoundRobin, some
from dscourse.detection.swim.rumours import ALIVE, FAULTY, SUSPECT, Rumour, RumourBuffer
from dscourse.detection.swim.suspicion import OpenSuspicion


@pytest.mark.parametrize(
    ("news", "held", "wins"),
    [
        # SWIM paper, section 4.2: (status, incarnation) against what is held
        ((SUSPECT, 1), (ALIVE, 1), True),
        ((SUSPECT, 0), (ALIVE, 1), False),
        ((ALIVE, 1), (SUSPECT, 1), False),
        ((ALIVE, 2), (SUSPECT, 1), True),
        ((ALIVE, 1), (ALIVE, 1), False),
        ((ALIVE, 2), (ALIVE, 1), True),
        ((SUSPECT, 1), (SUSPECT, 1), False),
        ((SUSPECT, 2), (SUSPECT, 1), True),
        ((FAULTY, 1), (SUSPECT, 1), True),
        ((FAULTY, 1), (ALIVE, 1), True),
        ((FAULTY, 0), (ALIVE, 1), False),
        # a member that was declared faulty returns with a higher incarnation only
        ((ALIVE, 1), (FAULTY, 1), False),
        ((ALIVE, 2), (FAULTY, 1), True),
        ((SUSPECT, 2), (FAULTY, 1), False),
    ],
)
def test_which_news_beats_which(news, held, wins):
    assert Rumour("n1", *news).supersedes(*held) is wins


statements = st.tuples(st.sampled_from([ALIVE, SUSPECT, FAULTY]), st.integers(0, 3))


@settings(max_examples=200, deadline=None)
@given(st.lists(statements, max_size=8))
def test_a_belief_is_never_replaced_by_older_news(told):
    held, incarnations = (ALIVE, 0), [0]
    for status, incarnation in told:
        if Rumour("n1", status, incarnation).supersedes(*held):
            assert incarnation >= held[1]
            held = (status, incarnation)
        incarnations.append(held[1])
    assert incarnations == sorted(incarnations)


def test_a_rumour_is_told_as_often_as_wanted_and_the_least_told_first():
    mill = RumourBuffer(per_message=2)
    for name in ("a", "b", "c"):
        mill.add(Rumour(name, SUSPECT, 0), times=2)
    told = [rumour.member for _ in range(4) for rumour in mill.take()]
    assert sorted(told) == ["a", "a", "b", "b", "c", "c"]
    assert set(told[:3]) == {"a", "b", "c"}
    assert len(mill) == 0
    assert mill.take() == ()


def test_newer_news_about_the_same_member_replaces_the_older():
    mill = RumourBuffer(per_message=6)
    mill.add(Rumour("a", SUSPECT, 0), times=5)
    mill.add(Rumour("a", ALIVE, 1), times=1)
    assert mill.holds("a")
    assert mill.take() == (Rumour("a", ALIVE, 1),)
    assert not mill.holds("a")


def test_what_is_held_against_the_addressee_goes_along_once():
    mill = RumourBuffer(per_message=6)
    mill.add(Rumour("a", SUSPECT, 0, "me"), times=3)
    assert mill.take(Rumour("a", SUSPECT, 0, "me")) == (Rumour("a", SUSPECT, 0, "me"),)
    assert mill.take(Rumour("b", SUSPECT, 0, "me"))[0] == Rumour("b", SUSPECT, 0, "me")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_round_robin_visits_all_before_it_repeats_and_never_waits_longer_than_the_bound(count, seed):
    peers = [f"n{i}" for i in range(count)]
    order, rng = RoundRobin(peers), random.Random(seed)
    visits = [order.next(rng, lambda _: True) for _ in range(5 * count)]
    for start in range(0, 5 * count, count):
        assert sorted(visits[start : start + count]) == sorted(peers)
    for peer in peers:
        places = [place for place, visited in enumerate(visits) if visited == peer]
        assert max(b - a for a, b in itertools.pairwise(places)) <= 2 * count - 1


def test_orders_pass_over_whom_they_are_told_not_to_probe():
    peers = [f"n{i}" for i in range(20)]
    wanted = {"n3", "n17"}
    for order in (RoundRobin(peers), RandomChoice(peers)):
        seen = {order.next(random.Random(seed), wanted.__contains__) for seed in range(40)}
        assert seen - {None} == wanted
        assert order.next(random.Random(1), lambda _: False) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.integers(0, 6), st.integers(0, 999))
def test_some_are_different_and_wanted(count, wanted_count, seed):
    peers = [f"n{i}" for i in range(count)]
    chosen = some(peers, wanted_count, random.Random(seed), lambda peer: peer != "n0")
    assert len(set(chosen)) == len(chosen) <= wanted_count
    assert "n0" not in chosen
    assert len(chosen) == min(wanted_count, max(0, count - 1))


def test_a_suspicion_gets_shorter_with_each_new_accuser():
    suspicion = OpenSuspicion(10.0, "a", expected=3, shortest=2.0, longest=30.0)
    assert suspicion.left(10.0) == 30.0
    assert not suspicion.confirm("a")
    assert suspicion.confirm("b")
    assert suspicion.left(14.0) == pytest.approx(16.0 - 4.0)
    assert not suspicion.confirm("b")
    assert suspicion.confirm("c")
    assert suspicion.left(14.0) == pytest.approx(7.81 - 4.0, abs=1e-3)
    assert suspicion.confirm("d")
    assert suspicion.left(10.0) == 2.0
    assert suspicion.left(14.0) == 0.0
    assert not suspicion.confirm("e")


@pytest.mark.parametrize(
    ("members", "multiplier", "expected"),
    [(100, 4, 2), (100, 6, 4), (3, 4, 0), (4, 4, 2), (5, 6, 0), (9, 1, 0)],
)
def test_confirmations_waited_for(members, multiplier, expected):
    assert swim_expected_confirmations(members, multiplier) == expected


def test_a_list_counts_who_is_in_the_group():
    members = MemberList("n0", ("n1", "n2", "n3"))
    assert members.size == 4
    assert members.entry("n3") == (ALIVE, 0)
    members.believe(Rumour("n1", SUSPECT, 0))
    assert (members.size, members.faulty) == (4, [])
    assert members.held_against("n1") == Rumour("n1", SUSPECT, 0, "n0")
    members.believe(Rumour("n1", FAULTY, 0))
    assert (members.size, members.faulty) == (3, ["n1"])
    assert not members.has("n1")
    members.believe(Rumour("n1", ALIVE, 1))
    assert (members.size, members.faulty) == (4, [])
    assert members.held_against("n1") is None
    assert set(members.differences()) == {Rumour("n1", ALIVE, 1)}


@pytest.mark.parametrize("peers", [1, 2, 5, 9])
def test_round_robin_finds_the_only_peer_that_is_left_every_time(peers):
    names = [f"n{i}" for i in range(peers)]
    for seed in range(20):
        order, rng = RoundRobin(names), random.Random(seed)
        assert [order.next(rng, lambda peer: peer == "n0") for _ in range(20)] == ["n0"] * 20
