"""Broadcast: a value that one node has accepted comes to all, whatever gets lost on the way; and what that costs.

The task and the scores are those of a public series of challenges (Gossip Glomers, 3a to 3e, on the Maelstrom bench).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real
from dscourse.simulation.messages import Reply, Request
from dscourse.simulation.node import Context, Node

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Fault, Run

_PROBE_INTERVAL = 0.1  # seconds between two looks at one node
_HEALED_WITHIN = 2.0  # seconds


@dataclass(frozen=True)
class Told:
    """What one node tells another.

    Attributes:
        values: some of those it has.
        heard: False for news; True for "these have come, and are on my disk".
    """

    values: tuple[Any, ...]
    heard: bool = False


class Broadcaster(Node):
    """A node that tells its peers what it isn't sure they have, again and again until they say so.

    Clients ask for ("broadcast", value) and ("read",), whose answer is all values that it has.

    Args:
        node_id: its name.
        peers: those it tells.
        interval: seconds after which it tells what has come in since, and again what nobody has acknowledged.

    Attributes:
        values: what it has; on disk.
        owed: what each peer isn't known to have.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, interval: float = 0.1) -> None:
        super().__init__(node_id, peers)
        self._interval = real("interval", interval, above=0.0)
        self.values: list[Any] = []
        self.owed: dict[str, list[Any]] = {}

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk, and owe it to everybody."""
        self.values = list(ctx.stored or [])
        self.owed = {peer: list(self.values) for peer in self.peers}
        ctx.set_timer("tell", self._interval)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take in what is new; say so to whom it came from."""
        if isinstance(message, Request):
            if message.operation[0] == "broadcast":
                self.take_in(ctx, message.operation[1:], "")
            ctx.send(sender, Reply(message.number, "ok", tuple(self.values)))
        elif message.heard:
            self.owed[sender] = [value for value in self.owed[sender] if value not in message.values]
        else:
            self.take_in(ctx, message.values, sender)
            ctx.send(sender, Told(message.values, heard=True))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Tell each peer what it is owed."""
        for peer, values in self.owed.items():
            if values:
                ctx.send(peer, Told(tuple(values)))
        ctx.set_timer("tell", self._interval)

    def take_in(self, ctx: Context, values: Sequence[Any], sender: str) -> None:
        """Keep what is new, and owe it to all but the sender."""
        new = [value for value in values if value not in self.values]
        self.values += new
        for peer in self.peers:
            if peer != sender:
                self.owed[peer] += new
        if new:
            ctx.save(self.values)


@dataclass(frozen=True)
class BroadcastQuality:
    """What a broadcast costs and how long it takes, as the public challenge counts it, and how much trouble it stands.

    Attributes:
        messages_per_operation: messages between nodes, for each operation of a client; half of these are reads.
        median_latency: seconds from the acceptance of a value until everybody has it.
        longest_latency: of all values; infinite if somebody never gets one.
        heals: whether everybody has everything two seconds after a partition is over.
        survives_hub: whether all others have everything although the node with most links is down from half-time on.
    """

    messages_per_operation: float
    median_latency: float
    longest_latency: float
    heals: bool
    survives_hub: bool

    def __repr__(self) -> str:
        healed = "heals" if self.heals else "does not heal after a partition"
        hub = "survives its hub" if self.survives_hub else "falls apart without its hub"
        return (
            f"{self.messages_per_operation:.1f} messages per operation, latency {self.median_latency:.2f} s "
            f"(median), {self.longest_latency:.2f} s (longest); {healed}, {hub}"
        )


def broadcast_quality(
    node_factory: Callable[..., Any],
    graph: nx.Graph[Any],
    *,
    latency: float = 0.1,
    rate: float = 100.0,
    duration: float = 3.0,
    seed: int = 0,
) -> BroadcastQuality:
    """Score nodes that broadcast, as in `Broadcaster`, as the public challenge does, and besides under two faults.

    The challenge asks, of 25 nodes and 100 ms, for fewer than 30 messages an operation, a median of less than 400 ms
    and at most 600 ms; then for fewer than 20 within 1 s and 2 s.

    Args:
        node_factory: of the nodes.
        graph: who tells whom.
        latency: of every link, one way, in seconds.
        rate: operations per second, half of them reads.
        duration: seconds during which clients ask.
        seed: of the run.

    Returns:
        The quality. A value counts as being at a node when the node answers a read with it; each is asked ten times a
        second, so latencies are up to 0.1 s too long.
    """
    from dscourse.simulation import Crash, Partition

    def run(*faults: Fault) -> Run:
        return _run(node_factory, graph, latency, rate, duration, seed, faults)

    names = list(graph)
    hub = max(names, key=lambda name: (graph.degree[name], -names.index(name)))
    half = names[: len(names) // 2]
    calm, parted, headless = (
        run(),
        run(Partition([half], duration * 0.3, until=duration)),
        run(Crash(hub, duration / 2)),
    )
    latencies = _latencies(calm, names)
    operations = [one for one in calm.history() if one.client != calm.clients[-1]]
    between = [event for event in calm.trace.select(kind="send", node=names) if event.peer in graph]
    return BroadcastQuality(
        len(between) / len(operations),
        median(latencies),
        max(latencies),
        heals=math.isfinite(max(_latencies(parted, names))),
        survives_hub=math.isfinite(
            max(_latencies(headless, [name for name in names if name != hub], accepted_by=hub))
        ),
    )


def _run(
    node_factory: Callable[..., Any],
    graph: nx.Graph[Any],
    latency: float,
    rate: float,
    duration: float,
    seed: int,
    faults: Sequence[Fault],
) -> Run:
    from dscourse.simulation import Network, OpenLoop, Scenario

    names, until = tuple(graph), duration + _HEALED_WITHIN
    asks = [("broadcast", number // 2) if number % 2 else ("read",) for number in range(int(rate * duration))]
    probes = len(names) * int(until / _PROBE_INTERVAL)
    clients = [
        OpenLoop(tuple(asks), rate, names, timeout=1.0, arrivals="regular"),
        OpenLoop((("read",),) * probes, len(names) / _PROBE_INTERVAL, names, timeout=1.0, arrivals="regular"),
    ]
    scenario = Scenario(
        node_factory, Network(graph, latency=latency), clients=clients, faults=faults, seed=seed
    )
    return scenario.run(until + 1e-3)


def _latencies(run: Run, names: Sequence[str], accepted_by: str = "") -> list[float]:
    """Seconds until the last of these nodes answered a read with a value; of those accepted by others than one."""
    seen: dict[Any, dict[str, float]] = {}
    accepted: dict[Any, float] = {}
    for one in run.history():
        if one.outcome != "ok" or one.completed is None:
            continue
        if one.operation[0] == "broadcast":
            if one.to != accepted_by:
                accepted[one.operation[1]] = one.completed
        else:
            for value in one.value:
                seen.setdefault(value, {}).setdefault(one.to, one.completed)
    return [
        max(seen.get(value, {}).get(name, math.inf) for name in names) - time
        for value, time in accepted.items()
    ]
