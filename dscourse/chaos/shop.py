"""The parts of the shop by their names, and the shop on one machine."""

from __future__ import annotations

from collections.abc import Sequence

from dscourse.chaos.counter import Disk, close_of_business
from dscourse.chaos.design import GATEWAY, WATCHER, Design
from dscourse.chaos.quorum_store import QuorumStore
from dscourse.chaos.servers import CPU_SECONDS, STORE_SECONDS, Order, OrderGateway, ShopServer, Sold
from dscourse.chaos.stores import PrimaryStore, Watcher
from dscourse.simulation import Context, Node


class OneMachine(ShopServer):
    """A server that keeps the book itself, as strong as so many servers.

    Args:
        node_id: its name.
        peers: the gateway.
        design: of the shop.
        seconds: how long the day is.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> None:
        super().__init__(node_id, peers, design=design)
        self._day = seconds
        self._seconds = (CPU_SECONDS + STORE_SECONDS) / design.servers
        self._items: dict[str, int] = {}
        self.book: tuple[str, ...] = ()

    def on_start(self, ctx: Context) -> None:
        """Find the book again."""
        if ctx.stored is not None:
            self.book = ctx.stored.book
            self._items = {key: place for place, key in enumerate(self.book, start=1)}
        super().on_start(ctx)
        close_of_business(ctx, self._day)

    def on_timer(self, ctx: Context, name: str) -> None:
        """The day is over, or an order is done."""
        if name == "close":
            ctx.record("book", epoch=0, keys=self.book)
        else:
            super().on_timer(ctx, name)

    def _done(self, ctx: Context, gateway: str, order: Order) -> None:
        item = self._items.get(order.key) if self._design.order_keys else None
        if item is None:
            self.book = (*self.book, order.key)
            item = self._items[order.key] = len(self.book)
            ctx.save(Disk(0, self.book))
        ctx.send(gateway, Sold(order.ticket, item))


def shop_node(node_id: str, peers: Sequence[str], *, design: Design, seconds: float) -> Node:
    """Make a part of the shop."""
    if node_id == GATEWAY:
        return OrderGateway(node_id, peers, design=design)
    if node_id == WATCHER:
        return Watcher(node_id, peers, design=design)
    if design.store == "one machine":
        return OneMachine(node_id, peers, design=design, seconds=seconds)
    if node_id in design.layout.servers:
        return ShopServer(node_id, peers, design=design)
    store = QuorumStore if design.store == "quorum" else PrimaryStore
    return store(node_id, peers, design=design, seconds=seconds)
