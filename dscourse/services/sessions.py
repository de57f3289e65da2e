"""Where does a session live? In the server's memory, in a store that all servers share, or in a token that travels.

session_table()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, whole
from dscourse.services.calls import utilizations
from dscourse.services.load_balancer import Done, LoadBalancer, Work, tiers
from dscourse.services.policies import Affinity, RoundRobin
from dscourse.simulation import Context, Node
from dscourse.simulation.pending_requests import PendingRequests

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.simulation import Scenario

PLACES = ("memory", "store", "token")
_WEB, _STORE, _CHECKING = 0.004, 0.001, 0.001  # seconds: a page, a call of the store, a token's signature
_CRASH, _BACK = 5.0, 6.0


@dataclass(frozen=True)
class Add:
    """Count one more visit of a session, and tell me how many there are."""

    ticket: int
    session: str


class SessionStore(Node):
    """Keeps all sessions, for all servers, in memory and, unless it may forget, on disk."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self.sessions: dict[str, int] = {}

    def on_start(self, ctx: Context) -> None:
        """Take up what a crash has left."""
        self.sessions = dict(ctx.stored or {})

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Count a visit."""
        if isinstance(message, Add):
            self.sessions[message.session] = self.sessions.get(message.session, 0) + 1
            ctx.save(self.sessions)
            ctx.send(sender, Done(message.ticket, "ok", self.sessions[message.session]))


class SessionServer(Node):
    """Counts the visits of each session: how many have there been, this one included?

    Args:
        node_id: its name.
        peers: those it is linked with.
        place: one of `PLACES`. A token comes with the request, and goes back with the answer.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, place: str) -> None:
        super().__init__(node_id, peers)
        self.sessions: dict[str, int] = {}
        self._place = place
        self._pending = PendingRequests(1.0)
        self._tickets = 0

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Count, or hear from the store what it has counted."""
        if isinstance(message, Work):
            _, session, token = message.operation
            if self._place == "store":
                self._tickets += 1
                request = self._pending.open(sender, message.ticket, self._tickets)
                if request is not None:
                    self._pending.ask(ctx, request, ["store"])
                    ctx.send("store", Add(self._tickets, session))
                return
            seen = token if self._place == "token" else self.sessions.get(session, 0)
            if self._place == "memory":
                self.sessions[session] = seen + 1
            ctx.send(sender, Done(message.ticket, "ok", seen + 1))
        elif isinstance(message, Done):
            answered = self._pending.answer(message.ticket, sender, message)
            if answered is not None:
                self._pending.close(ctx, answered)
                ctx.send(answered.client, Done(answered.number, message.outcome, message.value))

    def on_timer(self, ctx: Context, name: str) -> None:
        """The store doesn't answer."""
        request = self._pending.expired(name)
        if request is not None:
            self._pending.close(ctx, request)
            ctx.send(request.client, Done(request.number, "fail"))


class CookieBalancer(LoadBalancer):
    """A balancer that also stands for the browsers: it keeps for each session the token that came last."""

    def __init__(self, node_id: str, peers: Sequence[str], **settings: Any) -> None:
        super().__init__(node_id, peers, **settings)
        self.tokens: dict[str, int] = {}
        self._sessions: dict[int, str] = {}

    def handed_on(self, ticket: int, operation: Any) -> Any:
        """Put the token to a request."""
        session = operation[1]
        self._sessions[ticket] = session
        return (*operation, self.tokens.get(session, 0))

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Keep the token of an answer."""
        if isinstance(message, Done) and message.outcome == "ok":
            session = self._sessions.pop(message.ticket, None)
            if session is not None:
                self.tokens[session] = message.value
        super().on_message(ctx, sender, message)


def session_scenario(
    place: str,
    *,
    servers: int = 4,
    sessions: int = 60,
    rate: float = 120.0,
    one_way: float = 0.0005,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: sessions visit servers "s0" …; at 5 s "s1" crashes and comes back a second later, empty.

    In memory means sticky: the same session always goes to the same server, by consistent hashing.

    Args:
        place: one of `PLACES`.
        servers: how many.
        sessions: how many, each visiting in its turn.
        rate: visits a second.
        one_way: seconds between two machines.
        seed: of the scenario.
    """
    from dscourse.simulation import Crash, Exponential, Network, OpenLoop, Scenario

    one_of("place", place, PLACES)
    names = [f"s{k}" for k in range(whole("servers", servers, at_least=2))]
    graph = tiers(["b0"], names, ["store"] if place == "store" else [])
    for name in names:
        graph.nodes[name]["service_time"] = Exponential(_WEB + (_CHECKING if place == "token" else 0.0))
    if place == "store":
        graph.nodes["store"]["service_time"] = Exponential(_STORE)
    visits = tuple(("visit", f"user {k}") for k in range(whole("sessions", sessions, at_least=1)))
    client = OpenLoop(visits, rate=real("rate", rate, above=0.0), to="b0", timeout=2.0, repeat=True)
    factory = partial(_session_node, servers=tuple(names), place=place)
    return Scenario(
        factory,
        Network(graph, latency=one_way),
        clients=[client],
        faults=[Crash("s1", at=_CRASH, restart_at=_BACK)],
        seed=seed,
    )


def session_table(
    *, servers: int = 4, sessions: int = 60, rate: float = 120.0, seed: int = 0
) -> pd.DataFrame:
    """Return for each place of the session what it costs and what a crash takes, measured.

    Columns: `median` and `p99` in seconds, `messages` a visit, `lost`: the share of the sessions that had to begin
    again, `unanswered` visits while the server was down, `busiest` machine and the `most_rate` of visits a second that
    it lets through.

    Args:
        servers: how many.
        sessions: how many.
        rate: visits a second.
        seed: of the runs.
    """
    import numpy as np
    import pandas as pd

    rows = {}
    for place in PLACES:
        run = session_scenario(place, servers=servers, sessions=sessions, rate=rate, seed=seed).run(12.0)
        visits = run.history()
        most: Counter[str] = Counter()
        lost = set()
        for visit in sorted(visits, key=lambda visit: visit.completed or visit.invoked):
            if visit.outcome == "ok":
                session = visit.operation[1]
                if visit.value == 1 and most[session] > 1:
                    lost.add(session)
                most[session] = max(most[session], visit.value)
        down = [visit for visit in visits if _CRASH <= visit.invoked < _BACK]
        busy = utilizations(run)
        busiest = max(busy, key=lambda node: busy[node])
        rows[place] = {
            "median": float(np.median(run.latencies())),
            "p99": float(np.quantile(run.latencies(), 0.99)),
            "messages": len(run.trace.select(kind="send")) / len(visits),
            "lost": len(lost) / sessions,
            "unanswered": sum(visit.outcome != "ok" for visit in down) / len(down),
            "busiest": busiest,
            "most_rate": rate / busy[busiest],
        }
    return pd.DataFrame(rows).T.infer_objects()


def _session_node(node_id: str, peers: Sequence[str], *, servers: Sequence[str], place: str) -> Node:
    if node_id == "b0":
        sticky = place == "memory"
        policy, attempts = (Affinity, 1) if sticky else (RoundRobin, 2)
        return CookieBalancer(node_id, peers, servers=servers, policy=policy, patience=0.3, attempts=attempts)
    return SessionStore(node_id, peers) if node_id == "store" else SessionServer(node_id, peers, place=place)
