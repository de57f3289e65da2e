"""Raft under whatever goes wrong: both adversaries, then healing, and all schedules of a tiny cluster."""

import pytest

from dscourse.consensus import SAFETY, RaftNode, logs_match, raft_cluster, rules_of_every_moment, watched
from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.wrong_nodes import split_brain as wrong
from dscourse.exploration import Ask, FaultMix, explore, search
from dscourse.simulation import ClosedLoop, OpenLoop, eventually

SEEDS = 60  # of each adversary; benchmarks/raft_search.py tries as many as one likes


def cluster(members, node=RaftNode, **settings):
    names = tuple(f"n{place}" for place in range(members))
    clients = [OpenLoop(tuple(f"x{number}" for number in range(60)), 15.0, names, 1.0)]
    return raft_cluster(members, node=watched(node), clients=clients, **settings)


def untimed(members, node=RaftNode, **settings):
    clients = [ClosedLoop(tuple(range(3)), 1.0, f"n{place}", 1.0) for place in range(members)]
    return raft_cluster(members, node=watched(node), clients=clients, **settings)


SETTINGS = {
    "as it is": {},
    "as in the paper's figures": {"own_entry": False, "most_entries": 1},
    "with pre-vote and check-quorum": {"pre_vote": True, "check_quorum": True},
}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("members", [3, 4, 5])
def test_nothing_that_goes_wrong_in_time_breaks_it(members, settings):
    mix = FaultMix(most=8)
    found = search(cluster(members, **SETTINGS[settings]), SAFETY, until=3.0, seeds=SEEDS // 3, faults=mix)
    assert found, found


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("members", [3, 5])
def test_no_order_of_steps_breaks_it(members, settings):
    mix = FaultMix(most=8)
    found = search(
        untimed(members, **SETTINGS[settings]),
        SAFETY,
        until=200,
        seeds=SEEDS,
        faults=mix,
        adversary="untimed",
    )
    assert found, found


@pytest.mark.parametrize(
    "settings", [{}, {"pre_vote": True, "check_quorum": True}], ids=["plain", "with both"]
)
def test_when_all_is_healed_a_leader_appears_and_commits(settings):
    """Within 2 s: thirteen of the shortest timeouts; the last bounded by clocks that jumped, not by luck."""

    def commits_again(now):
        members = [fields for fields in now.nodes.values() if "log" in fields]
        leads = [fields for fields in members if fields["role"] == "leader"]
        return len(leads) == 1 and all(
            fields["commit_index"] == len(fields["log"]) == len(leads[0]["log"]) for fields in members
        )

    healed = eventually(commits_again, "all have one leader's log", after=5.0)
    scenario = raft_cluster(5, node=watched(RaftNode), **settings)
    mix = FaultMix(most=8, heal_at=3.0, clocks=False)
    found = search(scenario, (*SAFETY, healed), until=5.05, seeds=SEEDS // 2, faults=mix)
    assert found, found


def test_all_schedules_of_three_members_with_one_entry_and_one_crash():
    """As far as a test may take; benchmarks/raft_search.py goes on to a million states."""

    def member(node_id, peers):
        return watched(RaftNode)(node_id, peers, election_timeout=(0.2, 0.2), own_entry=False)

    rules = (logs_match, rules_of_every_moment)
    done = explore(
        member, ("n0", "n1", "n2"), rules, asks=[Ask("n0", "a")], crashes=1, fires=1, states=30_000
    )
    assert done.outcome == "none", done
    more = explore(
        member, ("n0", "n1", "n2"), rules, asks=[Ask("n0", "a")], crashes=1, fires=2, states=20_000
    )
    assert more.outcome == "stopped", more


def test_exploring_finds_a_vote_that_is_not_saved():
    forgets = run_answer(
        next(one.code for one in wrong.FOLLOWER_WRONG if one.name == "votes for everybody who asks")
    )

    def member(node_id, peers):
        return watched(forgets)(node_id, peers, election_timeout=(0.2, 0.2), own_entry=False)

    found = explore(member, ("n0", "n1", "n2"), rules_of_every_moment, fires=2, states=50_000)
    assert found.outcome == "found"
    assert len(found.counterexample.steps) <= 4


FOUND = {  # what a search finds besides the schedule by hand: with how many members, by which adversary
    wrong.ForgetsTerm: (3, "timed"),
    wrong.LowersTerm: (3, "timed"),
    wrong.ForgetsVoteSteppingDown: (3, "untimed"),
    wrong.CountsOldVotes: (5, "untimed"),
    wrong.HalfIsEnough: (3, "untimed"),
    wrong.MajorityOfReachable: (3, "untimed"),
    wrong.CountsAcknowledgementsTwice: (5, "untimed"),
    wrong.HalfIsCommitted: (3, "untimed"),
    wrong.RemovesCommittedEntries: (3, "untimed"),
}
# Not found so: CountsVotesTwice and CommitsOlderTerms, which take a rare schedule (by hand: test_raft_schedules);
# PreVoteTeachesNoTerm, which loses nothing and elects nobody (test_raft_store).
# MatchMayFall is equivalent: a leader that takes a late acknowledgement for the latest knows of fewer copies than there
# are, so it commits later, and never what isn't there. In a cluster of three a vote or an acknowledgement that counts
# twice needs the leader's own and one more, which are a majority already: those two need five.


@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.__name__)
def test_a_search_finds_a_wrong_member_too(kind):
    members, adversary = FOUND[kind]
    settings = {"own_entry": False, "most_entries": 1}
    scenario = (untimed if adversary == "untimed" else cluster)(members, kind, **settings)
    until = 200 if adversary == "untimed" else 3.0
    found = search(scenario, SAFETY, until=until, seeds=40, faults=FaultMix(most=8), adversary=adversary)
    assert found.counterexample is not None


@pytest.mark.parametrize("adversary", ["timed", "untimed"])
def test_what_is_only_slower_is_never_found(adversary):
    scenario = (untimed if adversary == "untimed" else cluster)(3, wrong.MatchMayFall)
    until = 200 if adversary == "untimed" else 3.0
    assert search(scenario, SAFETY, until=until, seeds=30, faults=FaultMix(most=8), adversary=adversary)
