"""A cluster that grows: every machine sends the keys that are no longer its own to their new owner, one by one.

run = growing_cluster(ConsistentHashRing(["s1", "s2", "s3", "s4"])).run(6.0)
handed_over(run)                      # [(key, from, to), …]
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.partitioning.partitioner import Partitioner
from dscourse.simulation import Network, Node, Run, Scenario, topology

if TYPE_CHECKING:
    from dscourse.simulation import Context

_CHANGE, _SEND = "change", "send"


@dataclass(frozen=True)
class HandOver:
    """This key is yours now."""

    key: int


class KeyHolder(Node):
    """Holds its keys on its disk, and hands over those that another machine owns after the change.

    It forgets a key when it has sent it, and asks for no acknowledgement: a key whose message gets lost is lost.

    Args:
        node_id: its name.
        peers: all others.
        before: who owns which key at first.
        after: and after the change.
        at: when that is, seconds.
        keys: how many keys there are: 0, 1, 2, …
        pause: between two keys that it sends, seconds.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        before: Partitioner,
        after: Partitioner,
        at: float,
        keys: int,
        pause: float,
    ) -> None:
        super().__init__(node_id, peers)
        self._after, self._at, self._pause = after, at, pause
        self.keys = [key for key in range(keys) if before.owner(key) == node_id]

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk, and wait for the change."""
        self.keys = ctx.stored if ctx.stored is not None else self.keys
        ctx.set_timer(_CHANGE, max(0.0, self._at - ctx.now))
        self._keep(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send the next key that has another owner."""
        key = next((key for key in self.keys if self._after.owner(key) != self.node_id), None)
        if key is not None:
            self.keys.remove(key)
            self._keep(ctx)
            ctx.send(self._after.owner(key), HandOver(key))
            ctx.set_timer(_SEND, self._pause)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take a key over."""
        self.keys.append(message.key)
        self._keep(ctx)

    def _keep(self, ctx: Context) -> None:
        ctx.save(self.keys)
        ctx.record("status", status="up", label=f"{len(self.keys)} keys")


def growing_cluster(
    partitioner: Partitioner, *, add: str = "s5", at: float = 1.0, keys: int = 60, pause: float = 0.15
) -> Scenario:
    """Return a cluster to which a machine is added, while messages take half a second.

    Args:
        partitioner: says who owns a key; stays as it is.
        add: the name of the new machine.
        at: when it is added, seconds.
        keys: how many there are.
        pause: between two keys that a machine sends, seconds.
    """
    grown = deepcopy(partitioner)
    grown.add_node(add)
    names = dict(enumerate(grown.nodes))
    import networkx as nx

    graph = nx.relabel_nodes(
        topology.full_mesh(len(names)), {f"n{place}": name for place, name in names.items()}
    )
    node = partial(KeyHolder, before=partitioner, after=grown, at=at, keys=keys, pause=pause)
    return Scenario(node, Network(graph, latency=0.5))


def handed_over(run: Run) -> list[tuple[int, str, str]]:
    """Return what was sent in a `growing_cluster`: (key, from, to), in the order of sending."""
    sent = run.trace.select(kind="send", name="HandOver")
    return [(event.message.key, str(event.node), str(event.peer)) for event in sent]


def keys_held(run: Run, time: float | None = None) -> dict[str, list[int]]:
    """Return the keys that each machine of a `growing_cluster` holds at a time, at the end if None."""
    nodes = run.at(run.until if time is None else time).nodes
    return {node: sorted((fields or {}).get("keys", [])) for node, fields in nodes.items()}
