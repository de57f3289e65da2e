"""A key-value store on top of Raft, and the gateway through which clients use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dscourse.arguments import node_ids, one_of, real, whole
from dscourse.consensus.raft.messages import AppendReply, term_at
from dscourse.consensus.raft.node import RaftNode
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

NOT_EQUAL = "not equal"
READS = ("log", "rounds", "lease")
_SHARE_OF_TIMEOUT = (
    0.9  # how much of the shortest election timeout a lease lasts: clocks may differ by a tenth
)


class Session(NamedTuple):
    """What a store remembers of a client: the answers it may still ask for again."""

    oldest: int
    answers: dict[int, Any]


class WaitingRead(NamedTuple):
    """A read that waits until a round that began after it is confirmed."""

    round: int
    client: str
    number: int
    operation: tuple[Any, ...]


class KeyValueNode(RaftNode):
    """A member of a replicated store.

    Commands are ("put", key, value), ("get", key) and ("cas", key, old, new), which fails as "not equal" if the value
    isn't the old one; others do nothing. ("session", client, number, oldest, command) is carried out once, however
    often it comes, and answered alike each time; answers to requests before ``oldest`` are forgotten (dissertation,
    section 6.3).

    Args:
        node_id: its name.
        peers: those it is linked with.
        reads: how a leader answers a "get": by way of the "log"; after a majority has answered one more of its
            "rounds"; or at once while it has a "lease": nobody else can have been elected yet, if clocks run alike.
            The last needs ``check_quorum``.
        settings: of `RaftNode`.

    Attributes:
        values: what has been committed.
        sessions: by client.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, reads: str = "log", **settings: Any) -> None:
        super().__init__(node_id, peers, **settings)
        self._reads = one_of("reads", reads, READS)
        if reads == "lease" and not self._check_quorum:
            raise ValueError("reads='lease' needs check_quorum=True, got check_quorum=False")
        self.values: dict[Any, Any] = {}
        self.sessions: dict[str, Session] = {}
        self._waiting_reads: list[WaitingRead] = []
        self._began: dict[int, float] = {}  # round → when it began

    def on_request(self, ctx: Context, client: str, request: Request) -> None:
        """Answer a read without the log, if that is asked for; all else goes through it."""
        operation = request.operation
        if self._reads == "log" or self.role != "leader" or operation[0] not in ("get", "read"):
            super().on_request(ctx, client, request)
        elif self._reads == "lease" and self.has_lease(ctx) and self.has_committed_own_entry():
            ctx.send(client, Reply(request.number, "ok", self.execute(operation)))
        else:
            self._waiting_reads.append(WaitingRead(self._round + 1, client, request.number, operation))
            self.broadcast(ctx)
            self.answer_reads(ctx)

    def broadcast(self, ctx: Context) -> None:
        """A new round, and when it began."""
        if self._reads == "lease":
            confirmed = self.confirmed_round()
            self._began = {number: time for number, time in self._began.items() if number >= confirmed}
            self._began[self._round + 1] = ctx.now
        super().broadcast(ctx)

    def on_append_reply(self, ctx: Context, sender: str, message: AppendReply) -> None:
        """A round may be confirmed now."""
        super().on_append_reply(ctx, sender, message)
        if self._waiting_reads:
            self.answer_reads(ctx)

    def step_down(self, ctx: Context, term: int, leader: str | None = None) -> None:
        """Whoever leads no more answers no reads."""
        self._waiting_reads, self._began = [], {}
        super().step_down(ctx, term, leader)

    def answer_reads(self, ctx: Context) -> None:
        """Answer the reads for which leadership was confirmed after they came in."""
        if self.role != "leader" or not self.has_committed_own_entry():
            return
        confirmed = self.confirmed_round()
        waiting, self._waiting_reads = self._waiting_reads, []
        for read in waiting:
            if read.round <= confirmed:
                ctx.send(read.client, Reply(read.number, "ok", self.execute(read.operation)))
            else:
                self._waiting_reads.append(read)

    def has_committed_own_entry(self) -> bool:
        """Whether it has applied all that earlier leaders had committed: it has, once an entry of its own is."""
        return term_at(self.log, self.commit_index) == self.current_term

    def has_lease(self, ctx: Context) -> bool:
        """Whether the latest confirmed round began so lately that nobody who answered can have voted since."""
        began = self._began.get(self.confirmed_round())
        return began is not None and ctx.now < began + _SHARE_OF_TIMEOUT * self._election_timeout[0]

    def apply(self, command: Any) -> Any:
        """Carry a command out; one of a session only once."""
        if not isinstance(command, tuple) or command[:1] != ("session",):
            return self.execute(command)
        _, client, number, oldest, operation = command
        known = self.sessions.get(client, Session(0, {}))
        oldest = max(known.oldest, oldest)
        answers = {old: answer for old, answer in known.answers.items() if old >= oldest}
        if number >= oldest and number not in answers:
            answers[number] = self.execute(operation)
        self.sessions[client] = Session(oldest, answers)
        return answers.get(number)

    def reply(self, ctx: Context, client: str, number: int, value: Any) -> None:
        """Tell a client what came of its command."""
        ctx.send(client, Reply(number, "fail" if value == NOT_EQUAL else "ok", value))

    def execute(self, command: Any) -> Any:
        """What a command does to the values, and what is answered."""
        match command:
            case ("put" | "write", key, value):
                self.values[key] = value
            case ("get" | "read", key):
                return self.values.get(key)
            case ("cas", key, old, new):
                if self.values.get(key) != old:
                    return NOT_EQUAL
                self.values[key] = new
        return None


class RaftGateway(Node):
    """The clients' side of a replicated store: finds the leader, and asks again as long as nobody answers.

    A request is the same each time it is sent: its client and number go with it, so that the store carries it out
    once. One that nobody answers in so many attempts stays open for the client: it may be carried out yet.

    Args:
        node_id: its name.
        peers: those it is linked with.
        members: of the cluster; the first is taken for the leader until somebody says otherwise.
        patience: seconds to wait for an answer before the next member is asked.
        attempts: how often one request is sent at most, not counting those that were refused.
        sessions: send client and number along; without, a write that is sent again may be done twice.

    Attributes:
        leader: whom it takes for the leader.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        members: Sequence[str],
        patience: float = 0.3,
        attempts: int = 10,
        sessions: bool = True,
    ) -> None:
        super().__init__(node_id, peers)
        self._members = node_ids("members", members)
        self._attempts = whole("attempts", attempts, at_least=1)
        self._sessions = sessions
        self._pending = PendingRequests(real("patience", patience, above=0.0))
        self._open: dict[str, list[int]] = {}  # client → numbers of its open requests
        self._told: dict[Any, int] = {}  # request → in which attempt it was last sent on to another
        self.leader = self._members[0]

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a request on, or its answer back."""
        if isinstance(message, Request):
            request = self._pending.open(sender, message.number)
            if request is not None:
                numbers = self._open.setdefault(sender, [])
                numbers.append(message.number)
                operation = message.operation
                if self._sessions and operation[0] not in ("get", "read"):
                    operation = ("session", sender, message.number, min(numbers), operation)
                request.state = operation
                self._ask(ctx, request)
        elif isinstance(message, Reply):
            request = self._pending.get(message.number)
            if request is None:
                return
            if message.outcome == "ok" or message.value == NOT_EQUAL:
                self._forget(request)
                self._pending.reply(ctx, request, message.outcome, message.value)
            elif message.value in self._members and self._told.get(request.key) != request.attempts:
                self.leader = message.value
                self._told[request.key] = (
                    request.attempts
                )  # once an attempt: two may take each other for the leader
                ctx.send(self.leader, Request(request.key, request.state))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Nobody answers: turn to the next member."""
        request = self._pending.expired(name)
        if request is None:
            return
        place = self._members.index(self.leader)
        self.leader = self._members[(place + 1) % len(self._members)]
        if request.attempts < self._attempts:
            self._ask(ctx, request)
        else:
            self._forget(request)
            self._pending.close(ctx, request)

    def _ask(self, ctx: Context, request: PendingRequest) -> None:
        self._pending.ask(ctx, request, [self.leader])
        ctx.send(self.leader, Request(request.key, request.state))

    def _forget(self, request: PendingRequest) -> None:
        self._open[request.client].remove(request.number)
        self._told.pop(request.key, None)
