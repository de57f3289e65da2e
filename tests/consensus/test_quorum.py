"""More than half, as tables: etcd's cases of majorities and votes (etcd-io/raft, quorum/testdata), re-expressed."""

from itertools import combinations

import pytest

from dscourse.consensus import (
    Entry,
    advance_commit,
    failures_survived,
    majority_commit_index,
    majority_side,
    quorum_size,
    vote_outcome,
)
from dscourse.consensus.raft.messages import last_possible_match, terms_of


@pytest.mark.parametrize(("members", "quorum", "survived"), [
    (1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2), (6, 4, 2), (7, 4, 3),
])  # fmt: skip
def test_more_than_half_and_what_an_even_member_is_worth(members, quorum, survived):
    assert (quorum_size(members), failures_survived(members)) == (quorum, survived)
    sets = list(combinations(range(members), quorum))
    assert all(set(a) & set(b) for a in sets for b in sets), "any two majorities share a member"
    halves = list(combinations(range(members), quorum - 1))
    assert members == 1 or any(not set(a) & set(b) for a in halves for b in halves), "one fewer is not enough"


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "3", True])
def test_a_number_of_members_that_is_none(wrong):
    with pytest.raises((TypeError, ValueError), match="n must be"):
        quorum_size(wrong)


@pytest.mark.parametrize(("sides", "may"), [
    ((["a", "b"], ["c"]), ("a", "b")),
    ((["a", "b"], ["c", "d"]), None),
    ((["a", "b"], ["c", "d", "witness"]), ("c", "d", "witness")),
    ((["a"], ["b"], ["c"]), None),
    ((["a", "b", "c"],), ("a", "b", "c")),
])  # fmt: skip
def test_which_side_of_a_cut_may_lead(sides, may):
    assert majority_side(sides) == may


@pytest.mark.parametrize(("acknowledged", "index"), [
    ([], 0), ([None], 0), ([12], 12), ([None, None], 0), ([12, None], 0), ([12, 5], 5), ([100, 101], 100),
    ([None, None, None], 0), ([12, None, None], 0), ([12, 5, None], 5), ([12, 5, 6], 6), ([12, 5, 4], 5),
    ([5, 5, None], 5), ([12, 12, None], 12), ([100, 100, 101], 100), ([1, 2, 3], 2),
    ([101, 104, 103, 103], 103), ([101, 102, 103, 104], 102), ([101, 103, 103, 104, None], 103),
    ([101, 104, 103, 103, None], 103), ([101, 102, None, None, None], 0), ([7, 7, 7, 1, 1], 7), ([9, 8, 7, 6, 5], 7),
])  # fmt: skip
def test_what_a_majority_has_on_disk(acknowledged, index):
    members = {f"n{place}": one for place, one in enumerate(acknowledged)}
    assert majority_commit_index(members) == index
    copies = sum((one or 0) >= max(index, 1) for one in acknowledged)
    assert index == 0 or copies >= quorum_size(len(acknowledged))
    more = sum((one or 0) >= index + 1 for one in acknowledged)
    assert not acknowledged or more < quorum_size(len(acknowledged)), "nothing higher would do"


YES, NO = True, False


@pytest.mark.parametrize(("votes", "outcome"), [
    ([YES], "won"), ([NO], "lost"), ([None], "pending"),
    ([None, None], "pending"), ([NO, None], "lost"), ([YES, None], "pending"), ([NO, YES], "lost"), ([YES, YES], "won"),
    ([None, None, None], "pending"), ([NO, None, None], "pending"), ([YES, None, None], "pending"),
    ([YES, NO, None], "pending"), ([YES, YES, None], "won"), ([NO, NO, None], "lost"), ([YES, NO, NO], "lost"),
    ([YES, YES, NO], "won"),
    ([YES, YES, NO, NO], "lost"), ([YES, YES, NO, None], "pending"), ([YES, YES, YES, NO], "won"),
    ([YES, YES, NO, NO, None], "pending"), ([YES, YES, YES, None, None], "won"), ([NO, NO, NO, YES, YES], "lost"),
])  # fmt: skip
def test_an_election_is_won_lost_or_pending(votes, outcome):
    assert vote_outcome({f"n{place}": vote for place, vote in enumerate(votes)}) == outcome


def log(*terms):
    return tuple(Entry(term, f"x{index}") for index, term in enumerate(terms, start=1))


@pytest.mark.parametrize(
    ("acknowledged", "commit"), [([3, 1, 0], 0), ([3, 2, 0], 0), ([3, 3, 0], 3), ([3, 3, 3], 3)]
)
def test_a_leader_commits_by_counting_only_what_is_of_its_own_term(acknowledged, commit):
    """etcd-io/raft, TestLeaderOnlyCommitsLogFromCurrentTerm."""
    members = {f"n{place}": one for place, one in enumerate(acknowledged)}
    assert advance_commit(log(1, 2, 3), members, 3, 0) == commit


def test_a_commit_index_never_falls():
    assert advance_commit(log(1, 1, 1), {"n0": 3, "n1": 1, "n2": 1}, 1, 2) == 2


@pytest.mark.parametrize(("leader", "follower", "next_index"), [
    (log(1, 2, 2, 4, 4, 4, 4), log(1, 2, 2, *8 * [3]), 3),
    (log(1, 1, 1, 1), log(1, 2, 2, 4), 1),
    (log(1, 1, 1, 1, 1), log(1, 1), 2),
    (log(1, 1, 1, 5, 5), log(1, 1, 1, 4, 4), 3),
    (log(2), log(1), 0),
])  # fmt: skip
def test_how_far_a_follower_sends_its_leader_back(leader, follower, next_index):
    """Of etcd-io/raft's fast back-up: a term that conflicts is passed over as a whole."""
    assert last_possible_match(follower, len(leader), leader[-1].term) == next_index


def test_a_log_in_short():
    assert terms_of(log(1, 1, 2, 5, 5)) == [[1, 2], [2, 3], [5, 5]]
    assert terms_of(log(1, 1, 2, 5, 5), first=3) == [[2, 3], [5, 5]]
    assert terms_of(()) == []
