"""A node that suspects others: what all simple detectors do with a suspicion, however they came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Context


class Detector(Node):
    """Keeps whom it suspects, and writes into the trace when that changes.

    Attributes:
        suspected: peer → since when, by this node's clock.
    """

    def __init__(self, node_id: str, peers: tuple[str, ...]) -> None:
        super().__init__(node_id, peers)
        self._generation = 1
        self._number = 0
        self.suspected: dict[str, float] = {}

    def count_boot(self, ctx: Context) -> None:
        """Count this boot in stable storage, so that messages of a former life can be told from those of this one."""
        self._generation = (ctx.stored or 0) + 1
        ctx.save(self._generation)

    def suspect(self, ctx: Context, peer: str) -> None:
        """Begin to suspect ``peer``."""
        self.suspected[peer] = ctx.now
        ctx.record("suspect", peer=peer)
        self._show(ctx)

    def trust(self, ctx: Context, peer: str) -> None:
        """Take a suspicion back, if there is one."""
        if self.suspected.pop(peer, None) is not None:
            ctx.record("trust", peer=peer)
            self._show(ctx)

    def _show(self, ctx: Context) -> None:
        number = len(self.suspected)
        names = ", ".join(sorted(self.suspected)) if number <= 3 else number
        label = f"suspects {names}" if number else ""
        ctx.record("status", status="suspicious" if label else "up", label=label)
