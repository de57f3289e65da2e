"""Ping and acknowledgement: ask, and count the questions that were not answered in time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real, whole
from dscourse.detection.detector import Detector

if TYPE_CHECKING:
    from dscourse.simulation import Context


@dataclass(frozen=True)
class EchoRequest:
    """Are you there? ``generation`` counts the asker's boots, so that it knows replies to a former life.

    Named as in ICMP (RFC 792), whose echo messages the program ``ping`` sends.
    """

    generation: int
    number: int


@dataclass(frozen=True)
class EchoReply:
    """I am: the answer to the request of the same generation and number."""

    generation: int
    number: int


class PingDetector(Detector):
    """Pings all peers and suspects whoever leaves ``attempts`` pings in a row unanswered for ``timeout``.

    An answer that comes after its timeout counts as none. Unlike a heartbeat, which a timer sends, an answer
    has to wait its turn in the queue of a busy node: a ping also measures whether the peer still gets work done.
    Where a link leads one way only, no answer can come back, and the peer at its end stays suspected.

    Args:
        node_id: of this node.
        peers: whom it pings.
        interval: seconds between pings to the same peer.
        timeout: seconds to wait for an answer.
        attempts: unanswered pings in a row before it suspects.
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        interval: float = 1.0,
        timeout: float = 1.0,
        attempts: int = 1,
    ) -> None:
        super().__init__(node_id, peers)
        self._interval = real("interval", interval, above=0.0)
        self._timeout = real("timeout", timeout, above=0.0)
        self._attempts = whole("attempts", attempts, at_least=1)
        self._closed = 0  # the newest ping whose time is up
        self._answered = dict.fromkeys(peers, 0)
        self._missed = dict.fromkeys(peers, 0)

    def on_start(self, ctx: Context) -> None:
        """Ask at once."""
        self.count_boot(ctx)
        self._ask(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask again, or see who has not answered the ping whose time is up."""
        if name == "ask":
            self._ask(ctx)
            return
        self._closed = int(name.removeprefix("answers to "))
        for peer in self.peers:
            if self._answered[peer] >= self._closed:
                continue
            self._missed[peer] += 1
            if self._missed[peer] >= self._attempts and peer not in self.suspected:
                self.suspect(ctx, peer)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a ping; take note of an answer that is in time."""
        if isinstance(message, EchoRequest):
            with suppress(LookupError):  # over a link that leads one way only there is no way back
                ctx.send(sender, EchoReply(message.generation, message.number))
        elif (
            isinstance(message, EchoReply)
            and sender in self._answered
            and message.generation == self._generation
            and message.number > max(self._closed, self._answered[sender])
        ):
            self._answered[sender] = message.number
            self._missed[sender] = 0
            self.trust(ctx, sender)

    def _ask(self, ctx: Context) -> None:
        self._number += 1
        for peer in self.peers:
            ctx.send(peer, EchoRequest(self._generation, self._number))
        ctx.set_timer(f"answers to {self._number}", self._timeout)
        ctx.set_timer("ask", self._interval)
