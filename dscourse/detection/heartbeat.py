"""Heartbeats with a timeout: "I am alive", said at regular intervals, and a limit on the silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real
from dscourse.detection.detector import Detector

if TYPE_CHECKING:
    from dscourse.simulation import Context


@dataclass(frozen=True)
class Heartbeat:
    """Sign of life. ``generation`` counts the sender's boots, ``number`` its heartbeats since the last boot."""

    generation: int
    number: int
    sent_at: float


class HeartbeatWatcher(Detector):
    """Sends heartbeats to all peers and suspects each peer whose heartbeat is overdue.

    A subclass says in ``patience`` how long a heartbeat keeps its sender trusted. Old heartbeats (overtaken or
    duplicated) count for nothing. Timers, not differences of clock readings, measure the silence, so a stepped
    clock fools nobody.
    """

    def __init__(self, node_id: str, peers: tuple[str, ...], interval: float) -> None:
        super().__init__(node_id, peers)
        self._interval = real("interval", interval, above=0.0)
        self._newest: dict[str, tuple[int, int]] = {}

    def patience(self, ctx: Context, peer: str, heartbeat: Heartbeat | None) -> float:
        """Seconds from now for which ``heartbeat`` keeps ``peer`` trusted; None stands for the start of the watch."""
        raise NotImplementedError

    def on_start(self, ctx: Context) -> None:
        """Start to beat and start to listen."""
        self.count_boot(ctx)
        for peer in self.peers:
            ctx.set_timer(f"silence {peer}", self.patience(ctx, peer, None))
        self._beat(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send the next heartbeat, or suspect the peer whose time is up."""
        if name == "beat":
            self._beat(ctx)
        else:
            self.suspect(ctx, name.removeprefix("silence "))

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Trust the sender of a new heartbeat for a while."""
        if not isinstance(message, Heartbeat):
            return
        stamp = (message.generation, message.number)
        if stamp <= self._newest.get(sender, (0, 0)):
            return
        self._newest[sender] = stamp
        patience = self.patience(ctx, sender, message)
        if patience <= 0:  # it was on its way for too long to prove anything
            return
        ctx.set_timer(f"silence {sender}", patience)
        self.trust(ctx, sender)

    def _beat(self, ctx: Context) -> None:
        self._number += 1
        heartbeat = Heartbeat(self._generation, self._number, ctx.now)
        for peer in self.peers:
            ctx.send(peer, heartbeat)
        ctx.set_timer("beat", self._interval)


class HeartbeatDetector(HeartbeatWatcher):
    """Fixed timeout: suspect a peer after ``timeout`` seconds without a new heartbeat.

    With ``measure_from="sending"`` the timeout counts from the time stamped on the heartbeat, not from its
    arrival. Then it is NFD-S of Chen, Toueg and Aguilera with a shift of ``timeout − interval``: a late
    heartbeat no longer buys its sender extra time, but the two clocks must agree.

    Args:
        node_id: of this node.
        peers: to whom it sends and whom it watches.
        interval: seconds between heartbeats.
        timeout: seconds of silence that it bears.
        measure_from: ``"arrival"`` or ``"sending"``.
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        interval: float = 1.0,
        timeout: float = 3.0,
        measure_from: str = "arrival",
    ) -> None:
        super().__init__(node_id, peers, interval)
        self._timeout = real("timeout", timeout, above=0.0)
        self._from_sending = one_of("measure_from", measure_from, ("arrival", "sending")) == "sending"

    def patience(self, ctx: Context, peer: str, heartbeat: Heartbeat | None) -> float:
        """The timeout, less the time on the way if it counts from the sending."""
        if heartbeat is None or not self._from_sending:
            return self._timeout
        return heartbeat.sent_at + self._timeout - ctx.now
