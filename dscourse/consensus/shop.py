"""A shop on a cluster: whoever leads sells, and what a split brain costs is seen in its orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import whole
from dscourse.consensus.naive_failover import Heartbeat, NaiveFailoverNode
from dscourse.simulation import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dscourse.simulation import Context


@dataclass(frozen=True)
class Order:
    """A customer's order, passed on to the leader by the node that was asked."""

    customer: str
    number: int


@dataclass(frozen=True)
class Sold:
    """To all peers: so many items are left."""

    left: int


@dataclass(frozen=True)
class Answer:
    """To the node that passed an order on: which item it got; None if all are sold."""

    customer: str
    number: int
    item: int | None


class ShopNode(NaiveFailoverNode):
    """A node of a shop: its leader sells the items one by one, numbered downwards, and tells the others what is left.

    Whatever a client asks for is an order for one item. The reply bears the number of the item, or "fail"
    when nothing is left. A node that follows passes orders on to its leader. If the leader can't be reached, the
    customer hears nothing.

    Args:
        node_id: this node's name.
        peers: the nodes that it can talk to.
        stock: how many items there are to sell.
    """

    def __init__(self, node_id: str, peers: Sequence[str], stock: int = 3) -> None:
        super().__init__(node_id, tuple(peers))
        self.left = whole("stock", stock, at_least=0)
        self.sold: tuple[int, ...] = ()

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Sell, pass an order on, or hear from a peer."""
        match message:
            case Request():
                self._take(ctx, sender, Order(sender, message.number))
            case Order():
                self._take(ctx, sender, message)
            case Answer():
                self._reply(ctx, message)
            case Sold():
                self.left = min(self.left, message.left)
            case Heartbeat():
                super().on_message(ctx, sender, message)

    def _take(self, ctx: Context, sender: str, order: Order) -> None:
        if self.leader == self.node_id:
            answer = Answer(order.customer, order.number, self._sell(ctx))
            if sender == order.customer:
                self._reply(ctx, answer)
            else:
                ctx.send(sender, answer)
        elif sender == order.customer and self.leader is not None:
            ctx.send(self.leader, order)

    def _sell(self, ctx: Context) -> int | None:
        if self.left == 0:
            return None
        item, self.left = self.left, self.left - 1
        self.sold = (*self.sold, item)
        ctx.record("sold", item=item)
        for peer in self.peers:
            ctx.send(peer, Sold(self.left))
        return item

    def _reply(self, ctx: Context, answer: Answer) -> None:
        outcome = "fail" if answer.item is None else "ok"
        ctx.send(answer.customer, Reply(answer.number, outcome, answer.item))


def sold_twice(run: Any) -> tuple[int, ...]:
    """The items of which more than one customer was told that they have it.

    Args:
        run: of a cluster of `ShopNode`.
    """
    items = [operation.value for operation in run.history() if operation.outcome == "ok"]
    return tuple(sorted({item for item in items if items.count(item) > 1}))
