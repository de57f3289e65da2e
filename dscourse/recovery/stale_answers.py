"""The side of a partition without a majority serves reads, and says how old they are; it takes no writes.

A leader dates each entry of its log. Whoever knows of no leader answers a read with what it has applied, as a stale
answer: this was so when the last entry that it has applied was written. No write that was acknowledged before is
missing, since an entry written later and elsewhere would not have been committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dscourse.arguments import truth
from dscourse.consensus import KeyValueNode, RaftGateway, raft_cluster
from dscourse.simulation import ClosedLoop, Context, Node, Partition, Reply, Request, Scenario

NO_LEADER = "no leader"


@dataclass(frozen=True)
class Stale:
    """A stale answer: the value, as of so many seconds."""

    value: Any
    as_of: float


class StaleAnswersNode(KeyValueNode):
    """A member of a replicated store that answers reads even when it knows of no leader, and marks them as stale.

    Args:
        node_id: its name.
        peers: those it is linked with.
        serves_stale: whether it does; else it refuses reads, as it refuses writes.
        settings: of `KeyValueNode`.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], *, serves_stale: bool = True, **settings: Any
    ) -> None:
        safe: dict[str, Any] = {"reads": "rounds", "check_quorum": True, "pre_vote": True}
        super().__init__(node_id, peers, **safe | settings)
        self._serves_stale = truth("serves_stale", serves_stale)
        self.as_of: float | None = None

    def on_request(self, ctx: Context, client: str, request: Request) -> None:
        """Answer as a leader does, or name the leader; if there is none, answer with an old value, or refuse."""
        if self.role == "leader" or self.leader is not None:
            super().on_request(ctx, client, request)
        elif self._serves_stale and self.as_of is not None and request.operation[0] == "get":
            ctx.send(client, Reply(request.number, "ok", Stale(self.execute(request.operation), self.as_of)))
        else:
            ctx.send(client, Reply(request.number, "fail", NO_LEADER))

    def append(self, ctx: Context, command: Any) -> None:
        """Date it."""
        super().append(ctx, ("at", ctx.now, command))

    def apply(self, command: Any) -> Any:
        """Note how recent the values are."""
        _, self.as_of, dated = command
        return super().apply(dated)


class StaleAnswersGateway(RaftGateway):
    """Tells its clients at once what is refused, unless it is a write of which an earlier attempt may still be done."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a refusal on."""
        if not isinstance(message, Reply) or message.value != NO_LEADER:
            super().on_message(ctx, sender, message)
            return
        self.leader = sender
        request = self._pending.get(message.number)
        if request is not None and (request.attempts == 1 or request.state[0] == "get"):
            self._forget(request)
            self._pending.reply(ctx, request, "fail", NO_LEADER)


def stale_answers_scenario(*, serves_stale: bool = True, cut_until: float = 6.0, seed: int = 0) -> Scenario:
    """Five members; n3, n4 and g1 are cut off from 2 s to ``cut_until``. One reads and one writes at each gateway.

    Members that know of no leader answer reads if ``serves_stale``.
    """
    clients = [
        ClosedLoop(operations, 0.3, to=gateway, timeout=3.0, start=1.2, repeat=True)
        for gateway in ("g0", "g1")
        for operations in ((("get", "page"),), tuple(("put", "page", f"{gateway} {n}") for n in range(100)))
    ]
    cluster = raft_cluster(
        gateways=2,
        clients=clients,
        faults=[Partition([["n0", "n1", "n2", "g0"], ["n3", "n4", "g1"]], at=2.0, until=cut_until)],
        seed=seed,
    )
    members = tuple(node for node in cluster.node_ids if node.startswith("n"))
    return cluster.changed(node_factory=partial(_machine, members=members, serves_stale=serves_stale))


def _machine(node_id: str, peers: Sequence[str], *, members: Sequence[str], serves_stale: bool) -> Node:
    if node_id in members:
        timing: dict[str, Any] = {"election_timeout": (0.5, 1.0), "heartbeat_interval": 0.2}
        return StaleAnswersNode(node_id, peers, members=members, serves_stale=serves_stale, **timing)
    return StaleAnswersGateway(node_id, peers, members=members)
