"""A member of a Raft cluster: it votes, follows, stands for election, and leads.

    Scenario(RaftNode, Network(topology.full_mesh(5), latency=0.005))

The membership is fixed. Names and rules follow figure 2 of Ongaro and Ousterhout, In Search of an Understandable
Consensus Algorithm (USENIX ATC 2014); pre-vote, check-quorum and reads follow Ongaro's dissertation (Stanford, 2014),
sections 9.6, 6.2 and 6.4. The log's first entry has index 1; 0 stands for what is before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.arguments import node_ids, real, truth, whole
from dscourse.consensus.quorum import advance_commit, majority_commit_index, quorum_size, vote_outcome
from dscourse.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Disk,
    Entry,
    PreVote,
    PreVoteReply,
    RequestVote,
    VoteReply,
    last_position,
    last_possible_match,
    term_at,
    terms_of,
)
from dscourse.simulation import Context, Node, Reply, Request

_HANDLERS = {
    AppendEntries: "on_append_entries",
    AppendReply: "on_append_reply",
    RequestVote: "on_request_vote",
    VoteReply: "on_vote_reply",
    PreVote: "on_pre_vote",
    PreVoteReply: "on_pre_vote_reply",
}


class RaftNode(Node):
    """One member of a cluster that agrees on a log.

    A leader answers a client's request when its command is applied; a follower answers "fail" with the name of the
    leader it knows, and has then done nothing. A leader that lost its term never answers: it doesn't know.

    Args:
        node_id: its name.
        peers: those it is linked with.
        members: who takes part in elections, itself included; None for itself and all peers.
        election_timeout: seconds without a leader after which a member stands for election, drawn anew each time from
            between these two.
        heartbeat_interval: seconds after which a leader sends again.
        most_entries: how many entries one message carries at most.
        own_entry: a new leader begins with an entry of its own, which lets it commit what it has inherited.
        pre_vote: ask first whether an election could be won, without raising anybody's term.
        check_quorum: a leader that hasn't heard of a majority for an election timeout steps down, and whoever hears
            of a leader ignores candidates.

    Attributes:
        role: "follower", "candidate" or "leader".
        current_term: the latest term it knows; on disk.
        voted_for: whom it gave its vote in this term; on disk.
        log: its entries; on disk.
        commit_index: up to which index it knows the log to be committed; all that is applied.
        leader: who leads this term, as far as it knows.
        votes: of a candidate: what each member has answered.
        next_index, match_index: of a leader: what each follower is sent next, and what it is known to have on disk.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        members: Sequence[str] | None = None,
        election_timeout: tuple[float, float] = (0.15, 0.3),
        heartbeat_interval: float = 0.05,
        most_entries: int = 100,
        own_entry: bool = True,
        pre_vote: bool = False,
        check_quorum: bool = False,
    ) -> None:
        super().__init__(node_id, peers)
        low, high = election_timeout
        shortest = real("election_timeout[0]", low, above=0.0)
        self._election_timeout = (shortest, real("election_timeout[1]", high, at_least=shortest))
        self._heartbeat_interval = real("heartbeat_interval", heartbeat_interval, above=0.0)
        self._most_entries = whole("most_entries", most_entries, at_least=1)
        self._own_entry = truth("own_entry", own_entry)
        self._pre_vote = truth("pre_vote", pre_vote)
        self._check_quorum = truth("check_quorum", check_quorum)
        known = (node_id, *peers) if members is None else node_ids("members", members)
        self._others = tuple(name for name in known if name != node_id)
        self.role = "follower"
        self.current_term = 0
        self.voted_for: str | None = None
        self.log: tuple[Entry, ...] = ()
        self.commit_index = 0
        self.leader: str | None = None
        self.votes: dict[str, bool | None] = {}
        self.next_index: dict[str, int] = {}
        self.match_index: dict[str, int] = {}
        self._pre_votes: dict[str, bool | None] = {}
        self._round = 0
        self._answered: dict[
            str, int
        ] = {}  # follower → the latest of this leader's rounds that it has answered
        self._heard: dict[
            str, float
        ] = {}  # who was heard last, and when; of a leader its followers, else its leader
        self._waiting: dict[int, tuple[str, int]] = {}  # index → client and number of its request

    # ── Handlers ──

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk, and follow."""
        if ctx.stored is not None:
            disk: Disk = ctx.stored
            self.current_term, self.voted_for, self.log = disk.current_term, disk.voted_for, disk.log
        if self._check_quorum:  # who has forgotten when it last heard a leader must not vote at once
            self._heard = {"": ctx.now}
        self._show(ctx)
        self.reset_election_timer(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Whatever comes, a higher term comes first."""
        handler = _HANDLERS.get(type(message))
        if handler is None:
            if isinstance(message, Request):
                self.on_request(ctx, sender, message)
            return
        if message.term > self.current_term:
            kind = type(message)
            if kind is RequestVote and self._check_quorum and self._hears_leader(ctx):
                return
            if kind is not PreVote and not (kind is PreVoteReply and message.granted):
                self.step_down(ctx, message.term)
        getattr(self, handler)(ctx, sender, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A leader's time to send again, or the end of a follower's patience."""
        if name == "heartbeat":
            if self._check_quorum and not self.hears_majority(ctx):
                self.step_down(ctx, self.current_term)
            else:
                self.broadcast(ctx)
        elif name == "election":
            if self._pre_vote:
                self.ask_first(ctx)
            else:
                self.stand_for_election(ctx)

    # ── Follower ──

    def on_request_vote(self, ctx: Context, sender: str, message: RequestVote) -> None:
        """A voter's rule: one vote a term, on disk before it is sent, and for nobody whose log is behind."""
        granted = (
            message.term == self.current_term
            and self.voted_for in (None, message.candidate)
            and self.is_up_to_date(message)
        )
        if granted:
            self.voted_for = message.candidate
            self.save(ctx)
            self.reset_election_timer(ctx)
        ctx.send(sender, VoteReply(self.current_term, granted))

    def on_append_entries(self, ctx: Context, sender: str, message: AppendEntries) -> None:
        """A follower's rule: accept what joins its log, remove what conflicts, acknowledge what is on disk."""
        if message.term < self.current_term:
            ctx.send(sender, AppendReply(self.current_term, False, 0, message.round))
            return
        self.follow(ctx, message.leader)
        before, term = message.prev_log_index, message.prev_log_term
        if before > len(self.log) or term_at(self.log, before) != term:
            may_match = last_possible_match(self.log, before, term)
            ctx.send(sender, AppendReply(self.current_term, False, may_match, message.round))
            return
        self.take_over_entries(ctx, before, message.entries)
        last = before + len(message.entries)
        self.commit(ctx, min(message.leader_commit, last))
        ctx.send(sender, AppendReply(self.current_term, True, last, message.round))

    def take_over_entries(self, ctx: Context, before: int, entries: tuple[Entry, ...]) -> None:
        """Put entries behind index ``before``: from the first that is missing or conflicts on, the log is as theirs."""
        for place, entry in enumerate(entries, start=before):
            if place >= len(self.log) or self.log[place].term != entry.term:
                self.log = self.log[:place] + entries[place - before :]
                self.save(ctx)
                return

    def is_up_to_date(self, message: RequestVote | PreVote) -> bool:
        """Whether a candidate's log is as up to date as one's own: the last term counts first, then the length."""
        return (message.last_log_term, message.last_log_index) >= last_position(self.log)

    def on_pre_vote(self, ctx: Context, sender: str, message: PreVote) -> None:
        """Would it vote so? Not while it hears a leader."""
        granted = (
            message.term > self.current_term and self.is_up_to_date(message) and not self._hears_leader(ctx)
        )
        ctx.send(sender, PreVoteReply(message.term if granted else self.current_term, granted))

    def follow(self, ctx: Context, leader: str) -> None:
        """Somebody leads this term: be its follower, and be patient again."""
        if self.role != "follower" or self.leader != leader:
            self.step_down(ctx, self.current_term, leader)
        if self._check_quorum or self._pre_vote:
            self._heard = {leader: ctx.now}
        self.reset_election_timer(ctx)

    def step_down(self, ctx: Context, term: int, leader: str | None = None) -> None:
        """Be a follower; a higher term comes with a vote that is still to be given."""
        if term > self.current_term:
            self.current_term, self.voted_for = term, None
            self.save(ctx)
        if self.role == "leader":
            self._heard = {}
            ctx.cancel_timer("heartbeat")
            self.reset_election_timer(ctx)
        self.role, self.leader = "follower", leader
        self.votes, self._pre_votes, self.next_index, self.match_index = {}, {}, {}, {}
        self._waiting, self._answered = {}, {}
        self._show(ctx)

    # ── Candidate ──

    def ask_first(self, ctx: Context) -> None:
        """Ask whether an election could be won."""
        self._pre_votes = dict.fromkeys(self._others) | {self.node_id: True}
        self.leader = None
        self.reset_election_timer(ctx)
        term, index = last_position(self.log)
        self._send_all(ctx, PreVote(self.current_term + 1, self.node_id, index, term))
        self._stand_if_welcome(ctx)

    def on_pre_vote_reply(self, ctx: Context, sender: str, message: PreVoteReply) -> None:
        """Enough would vote for it: then stand."""
        asked = message.term == self.current_term + 1 or not message.granted
        if sender in self._pre_votes and asked:
            self._pre_votes[sender] = message.granted
            self._stand_if_welcome(ctx)

    def stand_for_election(self, ctx: Context) -> None:
        """Begin a new term with a vote for oneself, and ask all others for theirs."""
        self.current_term += 1
        self.voted_for = self.node_id
        self.save(ctx)
        self.role, self.leader, self._pre_votes = "candidate", None, {}
        self.votes = dict.fromkeys(self._others) | {self.node_id: True}
        self._show(ctx)
        self.reset_election_timer(ctx)
        term, index = last_position(self.log)
        self._send_all(ctx, RequestVote(self.current_term, self.node_id, index, term))
        self.count_votes(ctx)

    def on_vote_reply(self, ctx: Context, sender: str, message: VoteReply) -> None:
        """Take a vote in."""
        if self.role == "candidate" and message.term == self.current_term and sender in self.votes:
            self.votes[sender] = message.granted
            self.count_votes(ctx)

    def count_votes(self, ctx: Context) -> None:
        """Lead if the election is won."""
        if vote_outcome(self.votes) == "won":
            self.lead(ctx)

    # ── Leader ──

    def lead(self, ctx: Context) -> None:
        """Be the leader of this term."""
        self.role, self.leader = "leader", self.node_id
        self.votes, self._pre_votes = {}, {}  # a late answer must not make a leader stand again
        self.next_index = dict.fromkeys(self._others, len(self.log) + 1)
        self.match_index = dict.fromkeys(self._others, 0)
        self._round, self._answered = 0, dict.fromkeys(self._others, 0)
        self._heard = dict.fromkeys(self._others, ctx.now) if self._check_quorum else {}
        ctx.cancel_timer("election")
        self._show(ctx)
        ctx.record("leads", term=self.current_term, log=terms_of(self.log))
        if self._own_entry:
            self.append(ctx, None)
        self.broadcast(ctx)
        self.commit(ctx, self.new_commit_index())

    def on_request(self, ctx: Context, client: str, request: Request) -> None:
        """Put a client's command into the log; it is answered when it is applied."""
        if self.role != "leader":
            ctx.send(client, Reply(request.number, "fail", self.leader))
            return
        self.append(ctx, request.operation)
        self._waiting[len(self.log)] = (client, request.number)
        self.broadcast(ctx)
        self.commit(ctx, self.new_commit_index())

    def append(self, ctx: Context, command: Any) -> None:
        """Put a command of one's own term at the end of the log."""
        self.log = (*self.log, Entry(self.current_term, command))
        self.save(ctx)

    def broadcast(self, ctx: Context) -> None:
        """A new round: every follower is sent what it may lack."""
        self._round += 1
        made: dict[int, AppendEntries] = {}
        for peer in self._others:
            index = self.next_index[peer]
            message = made.get(index)
            if message is None:
                message = made[index] = self._entries_from(index)
            ctx.send(peer, message)
        ctx.set_timer("heartbeat", self._heartbeat_interval)

    def on_append_reply(self, ctx: Context, sender: str, message: AppendReply) -> None:
        """Count what a follower has, or send it what came before."""
        if self.role != "leader" or message.term < self.current_term or sender not in self.match_index:
            return
        if message.round > self._answered[sender]:
            self._answered[sender] = message.round
        if self._check_quorum:
            self._heard[sender] = ctx.now
        known, match = self.match_index[sender], message.match_index
        if message.success:
            if match > known:
                self.match_index[sender] = match
                self.next_index[sender] = max(self.next_index[sender], match + 1)
                self.commit(ctx, self.new_commit_index())
                if match + self._most_entries <= len(self.log):  # it is far behind
                    ctx.send(sender, self._entries_from(match + 1))
        elif known <= match < self.next_index[sender] - 1:
            self.next_index[sender] = match + 1
            ctx.send(sender, self._entries_from(match + 1))

    def new_commit_index(self) -> int:
        """Up to which index the log is committed, by what followers have on disk."""
        acknowledged = {**self.match_index, self.node_id: len(self.log)}
        return advance_commit(self.log, acknowledged, self.current_term, self.commit_index)

    def hears_majority(self, ctx: Context) -> bool:
        """Whether a leader has heard of enough followers within an election timeout to make a majority with them."""
        limit = ctx.now - self._election_timeout[1]
        return 1 + sum(time > limit for time in self._heard.values()) >= quorum_size(1 + len(self._others))

    def confirmed_round(self) -> int:
        """The latest of its rounds after whose beginning a majority still took this node for their leader."""
        return majority_commit_index({**self._answered, self.node_id: self._round})

    # ── Everybody ──

    def commit(self, ctx: Context, index: int) -> None:
        """Apply the entries up to an index, and answer those who wait for them."""
        if index <= self.commit_index:
            return
        first, self.commit_index = self.commit_index + 1, index
        ctx.record("commit", term=self.current_term, first=first, log=terms_of(self.log[:index], first))
        for place in range(first, index + 1):
            value = self.apply(self.log[place - 1].command)
            client, number = self._waiting.pop(place, ("", 0))
            if client:
                self.reply(ctx, client, number, value)

    def apply(self, command: Any) -> Any:
        """What a committed command does to the state machine, and what its client is told; here nothing."""
        return None

    def reply(self, ctx: Context, client: str, number: int, value: Any) -> None:
        """Tell a client that its command is applied."""
        ctx.send(client, Reply(number, "ok", value))

    def save(self, ctx: Context) -> None:
        """Put term, vote and log onto the disk."""
        ctx.save(Disk(self.current_term, self.voted_for, self.log))

    def reset_election_timer(self, ctx: Context) -> None:
        """Wait for a new, randomly drawn time."""
        low, high = self._election_timeout
        ctx.set_timer("election", low if low == high else low + (high - low) * ctx.rng.random())

    def _entries_from(self, index: int) -> AppendEntries:
        before = index - 1
        return AppendEntries(
            self.current_term, self.node_id, before, term_at(self.log, before),
            self.log[before : before + self._most_entries], self.commit_index, self._round,
        )  # fmt: skip

    def _hears_leader(self, ctx: Context) -> bool:
        """Whether it leads, or heard a leader less than the shortest timeout ago."""
        if self.role == "leader":
            return True
        return any(ctx.now - time < self._election_timeout[0] for time in self._heard.values())

    def _stand_if_welcome(self, ctx: Context) -> None:
        if vote_outcome(self._pre_votes) == "won":
            self.stand_for_election(ctx)

    def _send_all(self, ctx: Context, message: Any) -> None:
        for peer in self._others:
            ctx.send(peer, message)

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status=self.role, label=f"term {self.current_term}", term=self.current_term)
