"""Raft by hand: each schedule shows one thing, which the right member does and a wrong one does not."""

import pytest

from dscourse.consensus import SAFETY, Entry, RaftNode
from dscourse.consensus.raft.messages import AppendEntries, AppendReply, Disk, RequestVote, VoteReply
from dscourse.exercises.nodes.split_brain import FIGURE_8, elect, hand_on, restart
from dscourse.exercises.wrong_nodes import split_brain as wrong
from dscourse.exploration import Ask, Deliver, Fire, Repeat
from dscourse.simulation.node import Context

THREE = ("n0", "n1", "n2")


def roles(run):
    return [name for name, fields in run.at(run.until).nodes.items() if fields["role"] == "leader"]


# ── Schedules that wrong members of all kinds break; those of a follower's handlers stand with the exercise ──

OLD_VOTE = (
    *elect("n0", "n1", "n2")[:-2],  # the answers of term 1 are still on their way
    Fire("n0", "election"),
    Deliver("n1", "n0", message="VoteReply"),
    Deliver("n2", "n0", message="VoteReply"),
)
VOTE_TWICE = (
    Fire("n0", "election"),
    Deliver("n0", "n1", message="RequestVote"),
    Repeat("n1", "n0", message="VoteReply"),
    Deliver("n1", "n0", message="VoteReply"),
    Deliver("n1", "n0", message="VoteReply"),
)
ACKNOWLEDGED_TWICE = (
    *elect("n0", "n1", "n2"),
    Ask("n0", "a"),
    Deliver("n0", "n1", 2, message="AppendEntries"),
    Repeat("n1", "n0", message="AppendReply"),
    Repeat("n1", "n0", message="AppendReply"),
    *3 * (Deliver("n1", "n0", message="AppendReply"),),
)
TWO_OF_FIVE = (*elect("n0", "n1"), *elect("n2", "n3", "n4"))
ANSWERED = (
    Fire("n0", "election"),
    Deliver("n0", "n1", message="RequestVote"),
    Deliver("n1", "n0", message="VoteReply"),
)
HALF_COPIED = (
    *elect("n0", "n1", "n2"),
    Ask("n0", "a"),
    *hand_on("n0", "n1", "n1"),
    *elect("n2", "n3", "n4", attempts=2),
)
STEPPING_DOWN = (Fire("n1", "election"), *elect("n0", "n2", "n3"), *hand_on("n0", "n1"))
RESTARTED = (
    *elect("n0", "n1", "n2"),
    *hand_on("n0", "n1", "n2"),
    *restart("n1"),
    Fire("n3", "election"),
    Deliver("n3", "n1", message="RequestVote"),
)
OLD_LEADER = (
    *elect("n0", "n3", "n4"),
    *elect("n2", "n1", "n3", attempts=2),
    Deliver("n0", "n1", message="AppendEntries"),
)
BY_HAND = {
    wrong.ForgetsTerm: RESTARTED,
    wrong.LowersTerm: OLD_LEADER,
    wrong.ForgetsVoteSteppingDown: STEPPING_DOWN,
    wrong.CountsOldVotes: (*OLD_VOTE, *elect("n3", "n1", "n4", attempts=2)),
    wrong.CountsVotesTwice: (*VOTE_TWICE, *elect("n2", "n3", "n4"), *hand_on("n0", "n1"), *hand_on("n2", "n3")),
    wrong.HalfIsEnough: TWO_OF_FIVE,
    wrong.MajorityOfReachable: (*ANSWERED, *elect("n2", "n3", "n4")),
    wrong.CountsAcknowledgementsTwice: (*ACKNOWLEDGED_TWICE, *elect("n2", "n3", "n4", attempts=2)),
    wrong.CommitsOlderTerms: FIGURE_8,
    wrong.HalfIsCommitted: HALF_COPIED,
}  # fmt: skip


@pytest.mark.parametrize("steps", list(BY_HAND.values()), ids=[kind.__name__ for kind in BY_HAND])
def test_the_right_member_passes_each_schedule(members, steps):
    for settings in ({"own_entry": False}, {"own_entry": True}, {"most_entries": 1}):
        verdicts = members(steps, **settings).check(*SAFETY)
        assert verdicts, verdicts


@pytest.mark.parametrize("kind", list(BY_HAND), ids=lambda kind: kind.__name__)
def test_each_wrong_member_is_caught_by_its_schedule(members, kind):
    own_entry = kind is not wrong.CommitsOlderTerms
    assert not members(BY_HAND[kind], kind=kind, own_entry=own_entry).check(*SAFETY)


def test_one_acknowledgement_delivered_three_times_commits_nothing(members):
    run = members(ACKNOWLEDGED_TWICE)
    assert run.at(run.until).nodes["n0"]["commit_index"] == 0


def test_one_vote_delivered_twice_elects_nobody(members):
    assert roles(members(VOTE_TWICE)) == []
    assert roles(members(VOTE_TWICE, kind=wrong.CountsVotesTwice)) == ["n0"]


def test_a_late_answer_to_a_pre_vote_does_not_make_a_leader_stand_again(members):
    """Found by the untimed search: the leader sent heartbeats of a term in which it was only a candidate."""
    steps = [
        Fire("n0", "election"), Deliver("n0", "n1", message="PreVote"), Deliver("n1", "n0", message="PreVoteReply"),
        Deliver("n0", "n1", message="RequestVote"), Fire("n0", "election"), Deliver("n1", "n0", message="VoteReply"),
        Deliver("n0", "n1", message="PreVote"), Deliver("n1", "n0", message="PreVoteReply"),
    ]  # fmt: skip
    assert roles(members(steps, count=3, pre_vote=True)) == ["n0"]


def test_a_leader_of_an_earlier_term_may_be_elected_late_and_harms_nobody(members):
    """n2 hears of its old votes when n1 has committed in a later term: no entry is lost by that."""
    steps = [
        *elect("n2", "n0", "n1", members=THREE)[:-2], Fire("n1", "election"),
        Deliver("n1", "n0", message="RequestVote"), Deliver("n0", "n1", message="VoteReply"), *hand_on("n1", "n0"),
        Deliver("n0", "n2", message="VoteReply"),
    ]  # fmt: skip
    run = members(steps, count=3)
    assert roles(run) == ["n1", "n2"]
    assert run.check(*SAFETY)


# ── Figures 7 and 8 ──


def test_figure_8_does_not_commit_the_old_entry_and_all_logs_agree_in_the_end(members):
    run = members(FIGURE_8, own_entry=False)
    takes_over = max(event.time for event in run.trace.select(kind="record", name="leads"))
    before = run.at(takes_over - 1).nodes
    assert max(fields["commit_index"] for fields in before.values()) == 1
    assert members.logs(run) == dict.fromkeys(("n0", "n1", "n2", "n3", "n4"), "1a 3c 5d")


def test_figure_8_with_the_old_rule_loses_what_was_committed(members):
    run = members(FIGURE_8, kind=wrong.CommitsOlderTerms, own_entry=False)
    committed = [event.detail["log"][-1] for event in run.trace.select(kind="record", name="commit")]
    assert [2, 2] in committed
    assert "1a 3c 5d" in members.logs(run).values()


def test_an_entry_of_its_own_protects_the_old_one(members):
    """With its own entry on a majority too, n0's term-2 entry is committed, and n4 can't be elected any more."""
    longer = [*FIGURE_8]
    place = next(i for i, step in enumerate(longer) if step == Fire("n4", "election") and i > 60)
    run = members([*longer[: place - 2], *hand_on("n0", "n1", "n2"), *longer[place - 2 :]], own_entry=True)
    assert run.check(*SAFETY)
    commits = [event.detail["log"][-1] for event in run.trace.select(kind="record", name="commit", node="n0")]
    assert [4, 4] in commits or [4, 5] in commits


def member(terms, *, current_term=1, **settings):
    """A follower with entries of these terms, and what it is given to answer with."""
    node = RaftNode("n0", ("n1", "n2"), election_timeout=(0.2, 0.2), **settings)
    ctx = Recorded(Disk(current_term, None, tuple(Entry(term, f"x{i}") for i, term in enumerate(terms, 1))))
    node.on_start(ctx)
    ctx.sent.clear()
    return node, ctx


class Recorded(Context):
    """A context that keeps what is sent."""

    now, rng = 0.0, None

    def __init__(self, stored):
        self.kept, self.sent, self.saves = stored, [], 0

    @property
    def stored(self):
        return self.kept

    def save(self, state):
        self.kept, self.saves = state, self.saves + 1

    def send(self, to, message):
        self.sent.append(message)

    def set_timer(self, name, delay): ...

    def cancel_timer(self, name): ...

    def record(self, kind, /, **fields): ...


FIGURE_7 = {  # leader and followers a … f of the paper's figure 7; the leader's term is 8
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}
LEADER_7 = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)


@pytest.mark.parametrize("name", FIGURE_7)
def test_figure_7_every_follower_ends_with_the_leaders_log(name):
    leader, out = member(LEADER_7, current_term=7)
    leader.stand_for_election(out)
    leader.on_message(out, "n1", VoteReply(8, True))
    follower, back = member(FIGURE_7[name], current_term=7)
    out.sent = [message for message in out.sent if isinstance(message, AppendEntries)][:1]
    rounds = 0
    while out.sent:
        back.sent.clear()
        follower.on_message(back, "n0", out.sent.pop())
        leader.on_message(out, "n2", back.sent[-1])
        if not out.sent and leader.match_index["n2"] < len(leader.log):
            leader.broadcast(out)
            out.sent = [out.sent[-1]]
        rounds += 1
        assert rounds < 12
    assert [entry.term for entry in follower.log] == [*LEADER_7, 8]
    assert follower.log[-1] == leader.log[-1]
    assert back.kept.log == follower.log


# ── Tables: what a voter and a follower answer (etcd-io/raft, re-expressed) ──


@pytest.mark.parametrize(("terms", "last_term", "last_index", "granted"), [
    ([1], 1, 1, True), ([1], 1, 2, True), ([1, 1], 1, 1, False), ([1], 2, 1, True), ([1], 2, 2, True),
    ([1, 1], 2, 1, True), ([2], 1, 1, False), ([2], 1, 2, False), ([2, 1], 1, 1, False), ([], 0, 0, True),
])  # fmt: skip
def test_who_is_given_a_vote(terms, last_term, last_index, granted):
    node, ctx = member(terms, current_term=2)
    node.on_message(ctx, "n1", RequestVote(3, "n1", last_index, last_term))
    assert ctx.sent == [VoteReply(3, granted)]
    assert ctx.kept.voted_for == ("n1" if granted else None)


def test_one_vote_a_term_and_the_same_one_again():
    node, ctx = member([1])
    for candidate, granted in (("n1", True), ("n2", False), ("n1", True)):
        node.on_message(ctx, candidate, RequestVote(2, candidate, 1, 1))
        assert ctx.sent[-1] == VoteReply(2, granted)
    node.on_message(ctx, "n2", RequestVote(1, "n2", 9, 9))
    assert ctx.sent[-1] == VoteReply(2, False), "an old term is refused, with the new one"


@pytest.mark.parametrize(("before", "before_term", "new", "leader_commit", "log", "reply", "commit"), [
    (2, 2, [3], 0, [1, 2, 3], (True, 3), 0),
    (1, 1, [3, 4], 0, [1, 3, 4], (True, 3), 0),
    (0, 0, [1], 0, [1, 2], (True, 1), 0),
    (0, 0, [3], 0, [3], (True, 1), 0),
    (2, 2, [], 2, [1, 2], (True, 2), 2),
    (1, 1, [], 3, [1, 2], (True, 1), 1),
    (1, 1, [2], 9, [1, 2], (True, 2), 2),
    (3, 3, [4], 2, [1, 2], (False, 2), 0),
    (2, 3, [4], 2, [1, 2], (False, 1), 0),
    (1, 2, [4], 2, [1, 2], (False, 0), 0),
])  # fmt: skip
def test_what_a_follower_with_terms_1_and_2_makes_of_entries(
    before, before_term, new, leader_commit, log, reply, commit
):
    node, ctx = member([1, 2], current_term=2)
    entries = tuple(Entry(term, f"y{term}") for term in new)
    node.on_message(ctx, "n1", AppendEntries(4, "n1", before, before_term, entries, leader_commit, round=7))
    assert ctx.sent == [AppendReply(4, *reply, round=7)]
    assert [entry.term for entry in node.log] == log
    assert (node.commit_index, node.leader, node.role) == (commit, "n1", "follower")
    assert ctx.kept == Disk(4, None, node.log)


def test_entries_of_an_older_term_are_refused_with_the_newer_one():
    node, ctx = member([1], current_term=5)
    node.on_message(ctx, "n1", AppendEntries(4, "n1", 1, 1, (Entry(4, "y"),), 0))
    assert ctx.sent == [AppendReply(5, False, 0)]
    assert [entry.term for entry in node.log] == [1]


def test_nothing_is_written_to_disk_that_is_there_already():
    node, ctx = member([1, 2], current_term=2)
    node.on_message(ctx, "n1", AppendEntries(2, "n1", 0, 0, node.log, 0))
    assert ctx.saves == 0


# ── Requests ──


def test_a_follower_refuses_for_certain_and_names_the_leader(members):
    run = members([*elect("n0", "n1", "n2"), *hand_on("n0", "n1"), Ask("n1", "a"), Ask("n4", "b")])
    assert [(one.outcome, one.value) for one in run.history()] == [("fail", "n0"), ("fail", None)]


def test_a_leader_answers_when_the_command_is_applied_and_never_after_it_lost_its_term(members):
    steps = [
        *elect("n0", "n1", "n2"),
        Ask("n0", "a"),
        *hand_on("n0", "n1"),
        *hand_on("n0", "n1"),
        *hand_on("n0", "n2", "n2"),
    ]
    assert [one.outcome for one in members(steps).history()] == ["ok"]
    deposed = [
        *elect("n0", "n1", "n2"), Ask("n0", "a"), *elect("n1", "n2", "n3"), *hand_on("n1", "n0", "n0", "n2", "n3"),
    ]  # fmt: skip
    assert [one.outcome for one in members(deposed).history()] == ["unknown"]


def test_a_member_that_boots_again_has_its_term_its_vote_and_its_log(members):
    run = members(
        [*elect("n0", "n1", "n2"), Ask("n0", "a"), *hand_on("n0", "n1", "n1"), *restart("n1"), *restart("n0")]
    )
    nodes = run.at(run.until).nodes
    for name in ("n0", "n1"):
        assert (nodes[name]["current_term"], nodes[name]["voted_for"], nodes[name]["role"]) == (
            1,
            "n0",
            "follower",
        )
        assert [entry.command for entry in nodes[name]["log"]] == [None, "a"]
        assert nodes[name]["commit_index"] == 0


@pytest.mark.parametrize(("settings", "said"), [
    ({"election_timeout": (0.3, 0.1)}, "election_timeout"),
    ({"election_timeout": (0.0, 0.1)}, "election_timeout"),
    ({"heartbeat_interval": 0.0}, "heartbeat_interval"),
    ({"most_entries": 0}, "most_entries"),
    ({"pre_vote": 1}, "pre_vote"),
    ({"members": ["n0", "n0"]}, "members"),
])  # fmt: skip
def test_settings_that_are_none(settings, said):
    with pytest.raises((TypeError, ValueError), match=said):
        RaftNode("n0", ("n1", "n2"), **settings)
