"""Wrong nodes of notebook 09: a follower's handlers, a leader's commit, a fenced storage, and members for the tests."""

# ruff: noqa: D102 - what a wrong member does stands at its class

from __future__ import annotations

import dataclasses
from typing import Any

from dscourse.consensus import (
    AppendEntries,
    AppendReply,
    KeyValueNode,
    PreVoteReply,
    RaftNode,
    VoteReply,
    majority_commit_index,
    quorum_size,
)
from dscourse.exercises._node_exercise import WrongNode
from dscourse.simulation import Context, Reply, Request

# ── A follower's two handlers ──

_HEAD = '''\
from dscourse.consensus import AppendReply, RaftNode, VoteReply, last_position, last_possible_match

class Follower(RaftNode):
    """All but two handlers is there. A higher term has been taken over before they are called."""
'''

FOLLOWER_STUB = f"""\
{_HEAD}
    def on_request_vote(self, ctx, sender, message):
        granted = ...        # term, candidate, last_log_term, last_log_index
        # keep a promise: self.voted_for, self.save(ctx); then self.reset_election_timer(ctx)
        ctx.send(sender, VoteReply(self.current_term, granted))

    def on_append_entries(self, ctx, sender, message):
        before, entries = message.prev_log_index, message.entries     # log[0] has index 1
        # an old term: refuse. Else self.follow(ctx, message.leader)
        # no such entry before these: refuse, with this hint instead of ...
        hint = last_possible_match(self.log, before, message.prev_log_term)
        # take over what is missing or conflicts (a tuple), self.save(ctx), self.commit(ctx, ...)
        ctx.send(sender, AppendReply(self.current_term, False, ..., message.round))

answer = Follower
"""

_GRANTED = """\
        granted = (
            message.term == self.current_term
            and self.voted_for in (None, message.candidate)
            and (message.last_log_term, message.last_log_index) >= last_position(self.log)
        )
"""
_PROMISE = """\
        if granted:
            self.voted_for = message.candidate
            self.save(ctx)
            self.reset_election_timer(ctx)
"""
_VOTE = "        ctx.send(sender, VoteReply(self.current_term, granted))\n"
_OLD_TERM = """\
        if message.term < self.current_term:
            ctx.send(sender, AppendReply(self.current_term, False, 0, message.round))
            return
        self.follow(ctx, message.leader)
"""
_BEFORE = """\
        before = message.prev_log_index
        if before > len(self.log) or (before and self.log[before - 1].term != message.prev_log_term):
            hint = last_possible_match(self.log, before, message.prev_log_term)
            ctx.send(sender, AppendReply(self.current_term, False, hint, message.round))
            return
"""
_TAKE_OVER = """\
        for place, entry in enumerate(message.entries, start=before):
            if place >= len(self.log) or self.log[place].term != entry.term:
                self.log = self.log[:place] + message.entries[place - before :]
                self.save(ctx)
                break
"""
_ACKNOWLEDGE = """\
        last = before + len(message.entries)
        self.commit(ctx, min(message.leader_commit, last))
        ctx.send(sender, AppendReply(self.current_term, True, last, message.round))
"""


def _follower(
    vote: str = _GRANTED + _PROMISE + _VOTE, append: str = _OLD_TERM + _BEFORE + _TAKE_OVER + _ACKNOWLEDGE
) -> str:
    return (
        f"{_HEAD}\n    def on_request_vote(self, ctx, sender, message):\n{vote}"
        f"\n    def on_append_entries(self, ctx, sender, message):\n{append}\nanswer = Follower\n"
    )


def _append(old: str, new: str) -> str:
    return _follower(append=(_OLD_TERM + _BEFORE + _TAKE_OVER + _ACKNOWLEDGE).replace(old, new))


FOLLOWER_RIGHT = _follower()
# A handler runs to its end or not at all, so a vote that is saved after it is sent is as safe. Whoever grants a vote and
# doesn't wait longer is only more impatient.
FOLLOWER_EQUIVALENTS = (
    _follower(vote=_GRANTED + _VOTE + _PROMISE),
    _follower(vote=_GRANTED + _PROMISE.replace("            self.reset_election_timer(ctx)\n", "") + _VOTE),
)
FOLLOWER_WRONG = (
    WrongNode(
        "votes for everybody who asks",
        _follower(
            vote=_GRANTED.replace("            and self.voted_for in (None, message.candidate)\n", "")
            + _PROMISE
            + _VOTE
        ),
        "Yours votes twice in one term, for two candidates, and both may win. One vote a term: `self.voted_for` says whether it "
        "is given; to the same candidate it may be given again, for the first answer may be lost.",
        0,
    ),
    WrongNode(
        "looks at the term alone",
        _follower(
            vote=_GRANTED.replace(
                "            and (message.last_log_term, message.last_log_index) >= last_position(self.log)\n",
                "",
            )
            + _PROMISE
            + _VOTE
        ),
        "Yours votes for a candidate whose log is behind its own. What a majority has on disk may then be overwritten by the new "
        "leader: compare last terms, then lengths.",
        0,
    ),
    WrongNode(
        "compares lengths alone",
        _follower(
            vote=_GRANTED.replace(
                "(message.last_log_term, message.last_log_index) >= last_position(self.log)",
                "message.last_log_index >= len(self.log)",
            )
            + _PROMISE
            + _VOTE
        ),
        "Yours takes the longer log for the better one. A leader that was cut off can write a long log that nobody needs; the "
        "term of the last entry counts first, the length only among equals.",
        1,
    ),
    WrongNode(
        "compares lengths first",
        _follower(
            vote=_GRANTED.replace(
                "(message.last_log_term, message.last_log_index) >= last_position(self.log)",
                "(message.last_log_index, message.last_log_term) >= last_position(self.log)[::-1]",
            )
            + _PROMISE
            + _VOTE
        ),
        "Yours compares lengths before terms. The term of the last entry counts first: a shorter log of a later term is the one "
        "that may hold what was committed.",
        1,
    ),
    WrongNode(
        "doesn't save its vote",
        _follower(vote=_GRANTED + _PROMISE.replace("            self.save(ctx)\n", "") + _VOTE),
        "Yours gives a vote and doesn't save it: after a crash it votes again in the same term. `self.save(ctx)` before the "
        "answer goes out.",
        0,
    ),
    WrongNode(
        "gets its vote back when somebody leads",
        _append(
            "        self.follow(ctx, message.leader)\n",
            "        self.follow(ctx, message.leader)\n        self.voted_for = None\n        self.save(ctx)\n",
        ),
        "Yours forgets its vote when it hears from a leader. The term is not over: a late request of another candidate in the "
        "same term gets a second vote. Only a higher term clears the vote.",
        0,
    ),
    WrongNode(
        "follows a leader of an older term",
        _append(_OLD_TERM, "        self.follow(ctx, message.leader)\n"),
        "Yours obeys a leader whose term is over. Its late messages overwrite what the new one has written: refuse them, with "
        "your own term, and it learns that it leads no more.",
        1,
    ),
    WrongNode(
        "doesn't look at what comes before",
        _append(_BEFORE, "        before = message.prev_log_index\n"),
        "Yours takes entries over without asking whether it has the one before them, in its place and of that term. Its log then "
        "has a gap, or another past than the leader's.",
        1,
    ),
    WrongNode(
        "cuts its log at every message",
        _append(
            _TAKE_OVER, "        self.log = self.log[:before] + message.entries\n        self.save(ctx)\n"
        ),
        "Yours cuts its log after the entry before, although nothing conflicts. A late message with fewer entries then removes "
        "what it has acknowledged, and the leader has counted. Remove only what conflicts.",
        0,
    ),
    WrongNode(
        "replaces what conflicts and keeps the rest",
        _append(
            _TAKE_OVER,
            """\
        for place, entry in enumerate(message.entries, start=before):
            if place >= len(self.log) or self.log[place].term != entry.term:
                self.log = self.log[:place] + (entry,) + self.log[place + 1 :]
                self.save(ctx)
""",
        ),
        "Yours replaces an entry that conflicts and keeps what came after it. That belongs to another past: from the first "
        "conflict on, all goes.",
        1,
    ),
    WrongNode(
        "never removes anything",
        _append(
            _TAKE_OVER,
            """\
        if before + len(message.entries) > len(self.log):
            self.log = self.log + message.entries[len(self.log) - before :]
            self.save(ctx)
""",
        ),
        "Yours only ever adds to its log. Where it has another entry than the leader, it keeps its own and says yes all the same.",
        1,
    ),
    WrongNode(
        "doesn't save its log",
        _append("                self.save(ctx)\n", ""),
        "Yours acknowledges entries that are not on its disk. The leader counts them, a crash, and the majority that had them is "
        "none: `self.save(ctx)` before the answer.",
        0,
    ),
    WrongNode(
        "commits what it hasn't compared",
        _append("min(message.leader_commit, last)", "min(message.leader_commit, len(self.log))"),
        "Yours commits up to the end of its own log. What lies behind the entries of this message was never compared with the "
        "leader's, and may still be removed: commit up to the last entry of the message at most.",
        1,
    ),
    WrongNode(
        "acknowledges its whole log",
        _append("True, last,", "True, len(self.log),"),
        "Yours acknowledges as much as it has. Behind the entries of this message it may have others than the leader: say up to "
        "where you know that you have the same.",
        1,
    ),
)

# ── A leader's commit ──

COMMIT_STUB = '''\
def advance_commit(log, acknowledged, current_term, commit_index):
    """Up to which index is the log committed now? log[0] has index 1; each entry has a .term.

    acknowledged: {member: up to which index it has this log}; the leader itself is in it.
    """
    ...

answer = advance_commit
'''

_COMMIT_HEAD = "def advance_commit(log, acknowledged, current_term, commit_index):\n"
_COUNT = "    counted = sorted(acknowledged.values(), reverse=True)\n"
_INDEX = "    index = counted[len(counted) // 2]\n"
_DECIDE = """\
    if index > commit_index and log[index - 1].term == current_term:
        return index
    return commit_index
"""


def _commit(index: str = _INDEX, decide: str = _DECIDE) -> str:
    return f"{_COMMIT_HEAD}{_COUNT}{index}{decide}\nanswer = advance_commit\n"


COMMIT_RIGHT = _commit()
COMMIT_WRONG = (
    WrongNode(
        "commits an entry of an older term",
        _commit(decide="    return max(index, commit_index)\n"),
        "Yours commits an entry of an earlier leader because a majority has it. Another leader may still overwrite it: Figure 8 "
        "of the paper. Count only entries of `current_term`; what is before such a one is committed with it.",
        2,
    ),
    WrongNode(
        "takes half for a majority",
        _commit(index="    index = counted[len(counted) // 2 - 1]\n"),
        "Yours is content with half of the members, or fewer. The other half may elect a leader that has never seen the entry: "
        "more than half must have it.",
        1,
    ),
    WrongNode(
        "waits for everybody",
        _commit(index="    index = counted[-1]\n"),
        "Yours waits until all members have the entry. It loses nothing, and one dead member stops the whole cluster.",
        1,
    ),
    WrongNode(
        "goes back",
        _commit(decide="    return index if index and log[index - 1].term == current_term else 0\n"),
        "Yours gives a lower index than before. What is committed stays so: return `commit_index` when nothing is added.",
        0,
    ),
    WrongNode(
        "commits what it has itself",
        _commit(index="    index = len(log)\n"),
        "Yours commits what the leader has, whether or not anybody else has it. If the leader dies, it is gone.",
        1,
    ),
)

# ── A storage that looks at tokens ──

STORAGE_STUB = '''\
class FencedStorage:
    """Keys and values. Whoever writes shows the token of its lease; newer ones are higher."""

    def __init__(self, disk):
        self.disk = disk    # a dict that outlives a crash; values are disk["value of " + key]

    def write(self, token, key, value):
        ...                      # store it and return True; or refuse it and return False

answer = FencedStorage
'''


def _storage(write: str, init: str = "        self.disk = disk\n") -> str:
    return (
        f"class FencedStorage:\n    def __init__(self, disk):\n{init}\n"
        f"    def write(self, token, key, value):\n{write}\nanswer = FencedStorage\n"
    )


_STORE = """\
        self.disk["value of " + key] = value
        return True
"""
_REFUSE = """\
        if token < self.disk.get("token", 0):
            return False
        self.disk["token"] = token
"""
STORAGE_RIGHT = _storage(_REFUSE + _STORE)
STORAGE_WRONG = (
    WrongNode(
        "believes everybody",
        _storage(_STORE),
        "Yours stores whatever comes. A holder that was paused doesn't know that its lease is over; you can know, by its token.",
        1,
    ),
    WrongNode(
        "takes each token once",
        _storage(_REFUSE.replace("token < ", "token <= ") + _STORE),
        "Yours refuses the second write of the same holder. Its lease is still the newest: an equal token is good.",
        0,
    ),
    WrongNode(
        "keeps a token for each key",
        _storage(_REFUSE.replace('"token"', '"token of " + key') + _STORE),
        "Yours compares with the newest token of the same key. The lease is about all of the storage: an old holder must not "
        "write anywhere.",
        1,
    ),
    WrongNode(
        "forgets the token in a crash",
        _storage(
            _REFUSE.replace('self.disk.get("token", 0)', "self.token").replace(
                'self.disk["token"]', "self.token"
            )
            + _STORE,
            init="        self.disk = disk\n        self.token = 0\n",
        ),
        "Yours keeps the newest token in memory. After a crash it believes the old holder again: put it onto the disk.",
        2,
    ),
    WrongNode(
        "looks only at the first write",
        _storage(
            """\
        if token not in self.seen:
            if token < self.disk.get("token", 0):
                return False
            self.seen = self.seen + (token,)
            self.disk["token"] = token
"""
            + _STORE,
            init="        self.disk = disk\n        self.seen = ()\n",
        ),
        "Yours looks at a token when it comes first and then trusts it for ever. The check must be made at each write: meanwhile "
        "a newer lease may have been granted.",
        1,
    ),
)


# ── Members that are wrong elsewhere, for the tests ──


class ForgetsTerm(RaftNode):
    """Its term is not on its disk."""

    def on_start(self, ctx: Context) -> None:
        super().on_start(ctx)
        self.current_term = 0


class LowersTerm(RaftNode):
    """An old leader's message sets its term back."""

    def on_append_entries(self, ctx: Context, sender: str, message: AppendEntries) -> None:
        self.current_term = message.term
        super().on_append_entries(ctx, sender, message)


class ForgetsVoteSteppingDown(RaftNode):
    """A candidate that finds a leader forgets that it has voted for itself."""

    def step_down(self, ctx: Context, term: int, leader: str | None = None) -> None:
        if self.role == "candidate":
            self.voted_for = None
            self.save(ctx)
        super().step_down(ctx, term, leader)


class CountsOldVotes(RaftNode):
    """A vote of an older term counts."""

    def on_vote_reply(self, ctx: Context, sender: str, message: VoteReply) -> None:
        super().on_vote_reply(ctx, sender, VoteReply(self.current_term, message.granted))


class CountsVotesTwice(RaftNode):
    """It counts answers, and not who has answered."""

    _yes = 1

    def stand_for_election(self, ctx: Context) -> None:
        self._yes = 1
        super().stand_for_election(ctx)

    def on_vote_reply(self, ctx: Context, sender: str, message: VoteReply) -> None:
        if self.role == "candidate" and message.term == self.current_term and message.granted:
            self._yes += 1
            if self._yes >= quorum_size(1 + len(self._others)):
                self.lead(ctx)


class HalfIsEnough(RaftNode):
    """Half of the members elect."""

    def count_votes(self, ctx: Context) -> None:
        if sum(vote is True for vote in self.votes.values()) >= (1 + len(self._others)) // 2:
            self.lead(ctx)


class MajorityOfReachable(RaftNode):
    """It asks for a majority of those that have answered, as if the others were gone."""

    def on_vote_reply(self, ctx: Context, sender: str, message: VoteReply) -> None:
        super().on_vote_reply(ctx, sender, message)
        answered = {name: vote for name, vote in self.votes.items() if vote is not None}
        if self.role == "candidate" and sum(answered.values()) >= quorum_size(len(answered)):
            self.lead(ctx)


class CountsAcknowledgementsTwice(RaftNode):
    """It counts acknowledgements, and not who has acknowledged."""

    _copies: dict[int, int]

    def lead(self, ctx: Context) -> None:
        self._copies = {}
        super().lead(ctx)

    def on_append_reply(self, ctx: Context, sender: str, message: AppendReply) -> None:
        super().on_append_reply(ctx, sender, message)
        if self.role == "leader" and message.success and message.term == self.current_term:
            index = message.match_index
            self._copies[index] = self._copies.get(index, 1) + 1
            is_own = index and self.log[index - 1].term == self.current_term
            if is_own and self._copies[index] >= quorum_size(1 + len(self._others)):
                self.commit(ctx, index)


class CommitsOlderTerms(RaftNode):
    """It commits whatever a majority has, of whichever term."""

    def new_commit_index(self) -> int:
        return max(
            self.commit_index, majority_commit_index({**self.match_index, self.node_id: len(self.log)})
        )


class HalfIsCommitted(RaftNode):
    """Half of the members are enough to commit."""

    def new_commit_index(self) -> int:
        copies = sorted({**self.match_index, self.node_id: len(self.log)}.values(), reverse=True)
        index = copies[max(0, len(copies) // 2 - 1)]
        return index if index and self.log[index - 1].term == self.current_term else self.commit_index


class MatchMayFall(RaftNode):
    """A late acknowledgement sets back what it knows of a follower: slower, and as safe."""

    def on_append_reply(self, ctx: Context, sender: str, message: AppendReply) -> None:
        if self.role == "leader" and message.success and message.term == self.current_term:
            self.match_index[sender] = min(self.match_index[sender], message.match_index)
        super().on_append_reply(ctx, sender, message)


class RemovesCommittedEntries(RaftNode):
    """After a restart it takes all that it knows for uncommitted, and removes it at the first gap."""

    def on_append_entries(self, ctx: Context, sender: str, message: AppendEntries) -> None:
        if message.term >= self.current_term and message.prev_log_index > len(self.log):
            self.log = ()
            self.save(ctx)
        super().on_append_entries(ctx, sender, message)


class PreVoteTeachesNoTerm(RaftNode):
    """Refusing a pre-vote, it doesn't say how far the terms are."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        if not isinstance(message, PreVoteReply) or message.granted:
            super().on_message(ctx, sender, message)


class AnswersReadsAtOnce(KeyValueNode):
    """A leader answers reads from what it has, whether or not it still leads."""

    def on_request(self, ctx: Context, client: str, request: Request) -> None:
        if self.role == "leader" and request.operation[0] == "get":
            ctx.send(client, Reply(request.number, "ok", self.execute(request.operation)))
        else:
            super().on_request(ctx, client, request)


class ReadsBeforeOwnEntry(KeyValueNode):
    """A new leader answers reads before an entry of its own is committed."""

    def has_committed_own_entry(self) -> bool:
        return True


class CountsLateRounds(KeyValueNode):
    """A late reply to an old round confirms that it leads."""

    def on_append_reply(self, ctx: Context, sender: str, message: AppendReply) -> None:
        super().on_append_reply(ctx, sender, dataclasses.replace(message, round=self._round))
