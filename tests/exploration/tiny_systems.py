"""Tiny systems whose answers are known by hand, right ones and wrong ones."""

from dataclasses import dataclass

import networkx as nx

from dscourse.simulation import Node, always, never

# ── Two-phase commit: n0 asks the others, which all say yes; it crashes, perhaps, before it has told everybody ──


@dataclass(frozen=True)
class Prepare:
    pass


@dataclass(frozen=True)
class Vote:
    yes: bool


@dataclass(frozen=True)
class Decision:
    commit: bool


class TwoPhaseCommitNode(Node):
    """n0 coordinates. Nobody decides alone once it has voted yes, so a crash may block, but never part them."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.decided = None
        self._votes = set()

    def on_start(self, ctx):
        if ctx.stored is not None:
            self.decided = ctx.stored["decided"]
        if self.node_id != "n0":
            return
        if ctx.stored is None:
            ctx.save({"decided": None})
            for peer in self.peers:
                ctx.send(peer, Prepare())
        elif self.decided is None:  # it was down before it had decided: nobody can have committed
            self.decide(ctx, commit=False)
        else:
            self.decide(ctx, commit=self.decided == "commit")

    def on_message(self, ctx, sender, message):
        match message:
            case Prepare():
                self.prepare(ctx, sender)
            case Vote() if self.decided is None:
                self._votes.add(sender)
                if not message.yes:
                    self.decide(ctx, commit=False)
                elif len(self._votes) == len(self.peers):
                    self.decide(ctx, commit=True)
            case Decision():
                self.learn(ctx, commit=message.commit)

    def prepare(self, ctx, sender):
        if self.decided is None:
            ctx.send(sender, Vote(yes=True))

    def decide(self, ctx, *, commit):
        self.learn(ctx, commit=commit)
        for peer in self.peers:
            ctx.send(peer, Decision(commit))

    def learn(self, ctx, *, commit):
        self.decided = "commit" if commit else "abort"
        ctx.save({"decided": self.decided})


class ImpatientParticipantNode(TwoPhaseCommitNode):
    """Gives up and aborts by itself although it has voted yes."""

    def prepare(self, ctx, sender):
        super().prepare(ctx, sender)
        ctx.set_timer("give up", 5.0)

    def on_timer(self, ctx, name):
        if self.decided is None:
            self.learn(ctx, commit=False)


class ForgetfulCoordinatorNode(TwoPhaseCommitNode):
    """Tells its decision and does not write it down."""

    def decide(self, ctx, *, commit):
        self.decided = "commit" if commit else "abort"
        for peer in self.peers:
            ctx.send(peer, Decision(commit))


def decisions(now):
    return {fields["decided"] for fields in now.nodes.values()} - {None}


atomic = never(lambda now: len(decisions(now)) > 1, name="one commits and another aborts")
two_of_three_commit = never(
    lambda now: sum(fields["decided"] == "commit" for fields in now.nodes.values()) >= 2,
    name="two have committed",
)

# ── A token ring ──


@dataclass(frozen=True)
class Token:
    pass


class TokenRingNode(Node):
    """Has the token, works, and hands it on."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.has_token = False

    def on_start(self, ctx):
        if self.node_id == "n0" and ctx.stored is None:
            ctx.save("the token was made")
            self.has_token = True
            ctx.set_timer("hand on", 1.0)

    def on_message(self, ctx, sender, message):
        self.has_token = True
        ctx.set_timer("hand on", 1.0)

    def on_timer(self, ctx, name):
        self.has_token = False
        ctx.send(self.peers[0], Token())


class RegeneratingTokenRingNode(TokenRingNode):
    """Makes another token when none has come for a while: the old one may only be slow."""

    def on_start(self, ctx):
        super().on_start(ctx)
        ctx.set_timer("none has come", 10.0)

    def on_timer(self, ctx, name):
        if name == "none has come":
            self.has_token = True
            ctx.set_timer("hand on", 1.0)
        else:
            super().on_timer(ctx, name)


ring = nx.DiGraph([("n0", "n1"), ("n1", "n2"), ("n2", "n0")])
one_token = always(
    lambda now: (
        sum(fields["has_token"] for fields in now.nodes.values())
        + sum(type(flight.message) is Token for flight in now.in_flight)
        <= 1
    ),
    name="there is one token at most",
)

# ── Mutual exclusion with logical clocks (Lamport 1978): request, acknowledge, release ──


@dataclass(frozen=True)
class Wants:
    time: int


@dataclass(frozen=True)
class Acknowledged:
    time: int


@dataclass(frozen=True)
class Released:
    time: int


class LamportMutexNode(Node):
    """Enters once it has the oldest request and has heard something later from everybody."""

    waits_for_answers = True

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.inside = False
        self._time = 0
        self._requests = {}
        self._heard = dict.fromkeys(peers, 0)

    def on_start(self, ctx):
        ctx.set_timer("enter", 1.0)

    def on_timer(self, ctx, name):
        self._time += 1
        if name == "enter":
            self._requests[self.node_id] = self._time
            self.tell_all(ctx, Wants(self._time))
        else:
            self.inside = False
            del self._requests[self.node_id]
            self.tell_all(ctx, Released(self._time))

    def on_message(self, ctx, sender, message):
        self._time = max(self._time, message.time) + 1
        self._heard[sender] = max(self._heard[sender], message.time)
        if isinstance(message, Wants):
            self._requests[sender] = message.time
            if self.waits_for_answers:
                ctx.send(sender, Acknowledged(self._time))
        elif isinstance(message, Released):
            self._requests.pop(sender, None)
        self.enter_if_it_may(ctx)

    def enter_if_it_may(self, ctx):
        mine = self._requests.get(self.node_id)
        if mine is None or self.inside:
            return
        is_oldest = all((mine, self.node_id) <= (time, node) for node, time in self._requests.items())
        if is_oldest and (not self.waits_for_answers or all(time > mine for time in self._heard.values())):
            self.inside = True
            ctx.set_timer("leave", 1.0)

    def tell_all(self, ctx, message):
        for peer in self.peers:
            ctx.send(peer, message)


@dataclass(frozen=True)
class Numbered:
    number: int
    what: Wants | Acknowledged | Released


class OrderedMutexNode(LamportMutexNode):
    """Takes each sender's messages in the order of sending, as Lamport's algorithm asks for."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self._sent = dict.fromkeys(peers, 0)
        self._taken = dict.fromkeys(peers, 0)
        self._early = {}

    def on_message(self, ctx, sender, message):
        self._early[sender, message.number] = message.what
        while (sender, self._taken[sender]) in self._early:
            what = self._early.pop((sender, self._taken[sender]))
            self._taken[sender] += 1
            super().on_message(_Numbering(ctx, self._sent), sender, what)

    def on_timer(self, ctx, name):
        super().on_timer(_Numbering(ctx, self._sent), name)


class _Numbering:
    """A context that numbers what is sent on each link."""

    def __init__(self, ctx, sent):
        self._ctx, self._sent = ctx, sent
        self.set_timer = ctx.set_timer

    def send(self, to, message):
        self._ctx.send(to, Numbered(self._sent[to], message))
        self._sent[to] += 1


class WithoutAcknowledgementNode(LamportMutexNode):
    """Leaves out the second message: it enters as soon as its request is the oldest that it knows."""

    waits_for_answers = False

    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        self.enter_if_it_may(ctx)


exclusive = never(
    lambda now: sum(fields["inside"] for fields in now.nodes.values()) > 1, name="two are inside at once"
)

# ── Elections: one vote a term, for the first who asks ──


@dataclass(frozen=True)
class AsksForVote:
    term: int


@dataclass(frozen=True)
class Grants:
    term: int


class ElectionNode(Node):
    """Stands when its timer goes off, and leads a term if most vote for it. Its vote is kept in stable storage."""

    keeps_vote = True

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.term = 0
        self.voted_for = None
        self.leads = 0
        self._votes = set()

    def on_start(self, ctx):
        if ctx.stored is not None:
            self.term, voted_for = ctx.stored
            self.voted_for = voted_for if self.keeps_vote else None
        ctx.set_timer("stand", 1.0)

    def on_timer(self, ctx, name):
        self.begin_term(ctx, self.term + 1, voted_for=self.node_id)
        self._votes = {self.node_id}
        for peer in self.peers:
            ctx.send(peer, AsksForVote(self.term))
        ctx.set_timer("stand", 1.0)

    def begin_term(self, ctx, term, voted_for):
        self.term, self.voted_for, self.leads, self._votes = term, voted_for, 0, set()
        ctx.save((self.term, self.voted_for))

    def on_message(self, ctx, sender, message):
        if message.term > self.term:
            self.begin_term(ctx, message.term, voted_for=None)
        if message.term < self.term:
            return
        if isinstance(message, AsksForVote):
            if self.voted_for in (None, sender):
                self.voted_for = sender
                ctx.save((self.term, self.voted_for))
                ctx.send(sender, Grants(self.term))
        elif self.voted_for == self.node_id:
            self._votes.add(sender)
            if len(self._votes) > (len(self.peers) + 1) // 2:
                self.leads = self.term


class ForgetsVoteNode(ElectionNode):
    """Remembers the term after a crash, and not for whom it has voted in it."""

    keeps_vote = False


def leading_terms(now):
    return [fields["leads"] for fields in now.nodes.values() if fields["leads"]]


one_leader_a_term = always(
    lambda now: len(set(leading_terms(now))) == len(leading_terms(now)), name="one leader a term"
)
