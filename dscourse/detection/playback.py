"""A peer whose signs of life arrive as they were recorded, so that real delays can drive any detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dscourse.arguments import numbers, real
from dscourse.detection._peers import peers_of
from dscourse.detection.heartbeat import Heartbeat
from dscourse.detection.ping import Ack, Ping
from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Context


class RecordedPeer(Node):
    """Stands at the far end of a recorded link. Use it on a network without delay of its own.

    Heartbeat k, stamped as sent at (k − 1)·``interval``, leaves when it is due to arrive; the answer to ping k leaves
    ``delays[k − 1]`` seconds after the ping. So a list of heartbeat delays serves ``HeartbeatDetector`` and
    ``PhiAccrualDetector``, and a list of round-trip times serves ``PingDetector``.

    Args:
        node_id: of this node.
        peers: who hears it.
        delays: seconds, in order; inf for a lost message. After the last one it is silent.
        interval: seconds between two heartbeats; None for a peer that only answers.
        dies_at: seconds. What would have been sent later is never sent; what is on its way still arrives. (A ``Crash``
            of this node would take back what it holds.)
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        delays: Sequence[float],
        interval: float | None = None,
        dies_at: float = math.inf,
    ) -> None:
        self._peers = peers_of(peers)
        if isinstance(delays, str) or not hasattr(delays, "__iter__"):
            raise TypeError(f"delays must be several numbers of seconds, such as [0.1, 0.2], got {delays!r}")
        row = numbers("delays", delays, or_infinite=True)
        if row.ndim != 1:
            raise ValueError(f"delays must be one row of numbers, got an array of the shape {row.shape}")
        if (row < 0).any():
            raise ValueError(f"delays must be at least 0 seconds (inf for a lost message), got {row.min():g}")
        self._delays = tuple(row.tolist())
        self._interval = None if interval is None else real("interval", interval, above=0.0)
        self._dies_at = (
            math.inf
            if isinstance(dies_at, float) and dies_at == math.inf
            else real("dies_at", dies_at, at_least=0.0)
        )
        self._waiting: dict[str, tuple[str, Ack]] = {}

    def on_start(self, ctx: Context) -> None:
        """Plan the arrival of every heartbeat."""
        if self._interval is None:
            return
        for index, delay in enumerate(self._delays):
            sent_at = index * self._interval
            if sent_at < self._dies_at and math.isfinite(delay):
                ctx.set_timer(f"heartbeat {index + 1}", sent_at + delay)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer a ping after the recorded time, if it reached this peer alive."""
        if not isinstance(message, Ping) or message.number > len(self._delays):
            return
        round_trip = self._delays[message.number - 1]
        if ctx.now + round_trip / 2 < self._dies_at and math.isfinite(round_trip):
            name = f"answer {sender} {message.generation} {message.number}"
            self._waiting[name] = (sender, Ack(message.generation, message.number))
            ctx.set_timer(name, round_trip)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Deliver what is due."""
        if name.startswith("answer"):
            ctx.send(*self._waiting.pop(name))
            return
        number = int(name.removeprefix("heartbeat "))
        heartbeat = Heartbeat(1, number, (number - 1) * (self._interval or 0.0))
        for peer in self._peers:
            ctx.send(peer, heartbeat)
