"""Failover without a quorum: every node trusts its own view of who is alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real
from dscourse.simulation import Node
from dscourse.simulation.names import natural_order

if TYPE_CHECKING:
    from dscourse.simulation import Context


@dataclass(frozen=True)
class Heartbeat:
    """Says no more than: the sender is up."""


class NaiveFailoverNode(Node):
    """A node that follows the first node, in order of name, from which it has heard lately.

    Every node sends a heartbeat to all its peers each `heartbeat_interval` seconds. Whoever is silent for `timeout`
    seconds is taken for dead. The first node among those alive leads; if that is this node itself, it leads.

    The rule looks sensible and works when nodes crash. It fails when the network is cut: both sides then find a leader
    of their own. It is here to be broken; a real election needs a majority.

    Args:
        node_id: this node's name.
        peers: the nodes that it can talk to.
        heartbeat_interval: seconds between two heartbeats, on the node's own clock.
        timeout: seconds of silence after which a peer is taken for dead.

    Raises:
        TypeError: if one of them is no number.
        ValueError: if the timeout isn't longer than the heartbeat interval, or the interval isn't positive.
    """

    def __init__(
        self, node_id: str, peers: tuple[str, ...], heartbeat_interval: float = 0.5, timeout: float = 1.6
    ) -> None:
        interval = real("heartbeat_interval", heartbeat_interval)
        patience = real("timeout", timeout)
        if not 0 < interval < patience:
            raise ValueError(
                "heartbeat_interval must be positive and shorter than timeout, or every peer looks dead between two "
                f"heartbeats; got heartbeat_interval={heartbeat_interval!r}, timeout={timeout!r}"
            )
        super().__init__(node_id, peers)
        self.leader: str | None = None
        self._heartbeat_interval = interval
        self._timeout = patience
        self._last_heard: dict[str, float] = {}
        self._in_order: list[str] = []  # whoever may lead, the first choice first

    def on_start(self, ctx: Context) -> None:
        """Give every peer the benefit of the doubt, and start sending."""
        self._last_heard = dict.fromkeys(self.peers, ctx.now)
        self._put_in_order()
        self._beat(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send the next heartbeat, and look who has fallen silent."""
        self._beat(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Note that the sender is up."""
        stranger = sender not in self._last_heard  # over a link that leads one way only
        self._last_heard[sender] = ctx.now
        if stranger:
            self._put_in_order()
        self._choose_leader(ctx)

    def _beat(self, ctx: Context) -> None:
        for peer in self.peers:
            ctx.send(peer, Heartbeat())
        ctx.set_timer("heartbeat", self._heartbeat_interval)
        self._choose_leader(ctx)

    def _put_in_order(self) -> None:
        self._in_order = sorted((*self._last_heard, self.node_id), key=natural_order)

    def whom_to_follow(self, now: float) -> str:
        """The rule: the first in order of name that was heard lately, or that I am myself."""
        for node in self._in_order:
            if node == self.node_id or now - self._last_heard[node] < self._timeout:
                return node
        return self.node_id

    def _choose_leader(self, ctx: Context) -> None:
        leader = self.whom_to_follow(ctx.now)
        if leader == self.leader:
            return
        self.leader = leader
        if leader == self.node_id:
            ctx.record("status", status="leader", label="I lead")
        else:
            ctx.record("status", status="follower", label=f"follows {leader}")
