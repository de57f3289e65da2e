"""What one user sees of a replicated store, and how a gateway gives the user a consistent view.

A user's requests go through a gateway, which sends writes to the leader and reads to any replica. If the replica that
answers lags behind, the user may see it. Three guarantees for a session (Terry et al., Session Guarantees for Weakly
Consistent Replicated Data, PDIS 1994; Terry, Replicated Data Consistency Explained Through Baseball, CACM 56(12),
2013):

- *read your writes*: what the user has written is there when the same user reads it;
- *monotonic reads*: what the user has read of a key doesn't go back to something older;
- *consistent prefix*: after an answer the user doesn't miss the question; whatever was written before something that
  the user has read is there, too, whatever its key.

Each is given in the same way: the gateway keeps the position in the log that the user has come to, and sends it along
as a token; the replica answers when it has *applied* that much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import items, node_ids, one_of, real, whole
from dscourse.replication.single_leader.log import START, Position
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

GUARANTEES = ("read your writes", "monotonic reads", "consistent prefix")


Positions = dict[str, dict[Any, Position]]  # client → key → position in the log


@dataclass(frozen=True)
class Sessions:
    """What a gateway keeps through a crash: the number of its last request, and what its users have seen."""

    number: int
    written: Positions
    read: Positions

    def __deepcopy__(self, _: dict[int, Any]) -> Sessions:
        return self  # nobody changes it, and it is saved with every answer


def _copied(positions: Positions) -> Positions:
    return {client: dict(places) for client, places in positions.items()}


class Gateway(Node):
    """The application's side of a replicated store: finds the leader, asks again, and remembers what users have seen.

    Each client is one user, with one session. A write that isn't answered is sent again, to whoever is said to lead;
    it is the same request then, so it is written once. A read that isn't answered within ``patience`` goes to the
    leader: that is the way out when a replica is dead, or too far behind. If what the user has seen was lost in a
    failover, reads are refused: the session can't be kept up.

    Args:
        node_id: its name.
        peers: those it is linked with.
        replicas: whom to ask; the first is taken for the leader until it says otherwise.
        reads: whom to ask first: "any" replica at random, the "leader", or the name of one.
        guarantees: some of "read your writes", "monotonic reads", "consistent prefix".
        patience: seconds to wait for an answer before another is asked.
        attempts: how many times one request is sent at most.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        replicas: Sequence[str],
        reads: str = "any",
        guarantees: Sequence[str] = (),
        patience: float = 0.3,
        attempts: int = 10,
    ) -> None:
        super().__init__(node_id, peers)
        self._replicas = node_ids("replicas", replicas)
        self._reads = one_of("reads", reads, ("any", "leader", *self._replicas))
        named = items("guarantees", guarantees, 'a list, such as ["read your writes"]')
        self._guarantees = tuple(one_of("each of guarantees", one, GUARANTEES) for one in named)
        self._attempts = whole("attempts", attempts, at_least=1)
        self._pending = PendingRequests(real("patience", patience, above=0.0))
        self._number = 0
        self.leader = self._replicas[0]
        self._written: Positions = {}  # of each client's own last write of a key
        self._seen: Positions = {}  # how far the log was when it read that key

    def on_start(self, ctx: Context) -> None:
        """Take up what users have seen."""
        if ctx.stored is not None:
            sessions: Sessions = ctx.stored
            self._number = sessions.number
            self._written, self._seen = _copied(sessions.written), _copied(sessions.read)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a request on, or its answer back."""
        if isinstance(message, Request):
            request = self._pending.open(sender, message.number, self._number + 1, message.operation)
            if request is not None:
                self._number += 1
                self._save(ctx)
                self._ask(ctx, request, self._first_choice(ctx, message.operation))
        elif isinstance(message, Reply):
            request = self._pending.get(message.number)
            if request is None:
                return
            if message.outcome == "ok":
                self._pending.reply(ctx, request, "ok", self._note(ctx, request, message.value))
            elif message.value == "lost":
                self._pending.reply(ctx, request, "fail", "lost")
            elif message.value in self._replicas:  # it knows who leads
                self.leader = message.value
                if request.attempts < self._attempts:
                    self._ask(ctx, request, self.leader)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Turn to another replica. A write that nobody has answered stays open: it may be written yet."""
        request = self._pending.expired(name)
        if request is None:
            return
        if request.attempts < self._attempts:
            self._ask(ctx, request, self._next_choice(request))
        elif request.state[0] == "put":
            self._pending.close(ctx, request)
        else:
            self._pending.reply(ctx, request, "fail")

    def token(self, client: str, key: Any) -> Position:
        """How far in the log a replica must be to answer this read of this user."""
        read = self._seen.get(client, {})
        needed = [START]
        if "read your writes" in self._guarantees:
            needed.append(self._written.get(client, {}).get(key, START))
        if "monotonic reads" in self._guarantees:
            needed.append(read.get(key, START))
        if "consistent prefix" in self._guarantees:
            needed += read.values()
        return max(needed)

    def _first_choice(self, ctx: Context, operation: tuple[Any, ...]) -> str:
        if operation[0] == "put" or self._reads == "leader":
            return self.leader
        return ctx.rng.choice(self._replicas) if self._reads == "any" else self._reads

    def _next_choice(self, request: PendingRequest) -> str:
        """The leader, if it wasn't asked just now; else the replica after the last one that was."""
        last = request.waiting[-1]
        if last != self.leader:
            return self.leader
        following = self._replicas[(self._replicas.index(last) + 1) % len(self._replicas)]
        if request.state[0] == "put":
            self.leader = following
        return following

    def _ask(self, ctx: Context, request: PendingRequest, replica: str) -> None:
        operation = request.state
        if operation[0] == "get":
            operation = (*operation, self.token(request.client, operation[1]))
        self._pending.ask(ctx, request, [replica], afresh=True)
        ctx.send(replica, Request(request.key, operation))

    def _note(self, ctx: Context, request: PendingRequest, answer: Any) -> Any:
        """Note how far a user has come, and return what the user is told."""
        if request.state[0] == "put":
            seen, position, value = self._written, answer, answer
        else:
            seen, (value, position) = self._seen, answer
        places = seen.setdefault(request.client, {})
        places[request.state[1]] = max(position, places.get(request.state[1], START))
        self._save(ctx)
        return value

    def _save(self, ctx: Context) -> None:
        ctx.save(Sessions(self._number, _copied(self._written), _copied(self._seen)))
