"""A disk dies, and its copies are made anew: as many at a time as one dares to.

Every chunk has copies on several storage servers. A master asks the servers every second whether they are there; of
one that stays silent for too long it has all chunks copied, from servers that have them to servers that don't. A copy
is many pieces, and each has to be served like any request of a client. If all copies are made at once, servers are so
busy with pieces that they answer the master too late; then they are taken for dead in their turn, and what they hold is
copied, too. Amazon's disks in Virginia fell into such a storm in April 2011 (Amazon Web Services, *Summary of the
Amazon EC2 and Amazon RDS Service Disruption in the US East Region*, 2011: "re-mirroring storm").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import real, whole
from dscourse.simulation import (
    Constant,
    Context,
    Crash,
    Network,
    Node,
    OpenLoop,
    Reply,
    Request,
    Run,
    Scenario,
    topology,
)

MASTER = "n0"
_ASK = 1.0  # seconds between two questions of the master
_ONE_WAY = 0.002  # seconds
_PATIENCE = 5.0  # seconds, of clients


@dataclass(frozen=True)
class AreYouThere:
    """A question of the master."""

    number: int


@dataclass(frozen=True)
class Here:
    """Its answer, and what it holds."""

    number: int
    chunks: tuple[int, ...]


@dataclass(frozen=True)
class CopyTo:
    """Send a copy of that chunk to that server."""

    chunk: int
    server: str


@dataclass(frozen=True)
class Piece:
    """A piece of a copy; ``last`` is the last one."""

    chunk: int
    last: bool


@dataclass(frozen=True)
class Copied:
    """That chunk is here now."""

    chunk: int


class StorageServer(Node):
    """Holds chunks, serves reads, sends and takes in copies.

    Args:
        node_id: its id.
        peers: all others.
        chunks: what it holds at the beginning.
        pieces: in a copy of a chunk.
        piece_interval: seconds between two pieces that it sends.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        chunks: Sequence[int],
        pieces: int = 100,
        piece_interval: float = 0.01,
    ) -> None:
        super().__init__(node_id, peers)
        self.chunks = sorted(chunks)
        self._pieces = pieces
        self._interval = piece_interval

    def on_start(self, ctx: Context) -> None:
        """After a crash the disk is new, and empty."""
        if ctx.stored is not None:
            self.chunks = []
        ctx.save(True)
        self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Serve."""
        if isinstance(message, Request):
            ctx.send(sender, Reply(message.number, "ok", None))
        elif isinstance(message, AreYouThere):
            ctx.send(sender, Here(message.number, tuple(self.chunks)))
        elif isinstance(message, CopyTo):
            ctx.set_timer(f"copy {message.chunk} {message.server} {self._pieces}", self._interval)
        elif isinstance(message, Piece) and message.last:
            if message.chunk not in self.chunks:
                self.chunks = sorted([*self.chunks, message.chunk])
            self._show(ctx)
            ctx.send(MASTER, Copied(message.chunk))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Send the next piece."""
        _, chunk, server, left = name.split()
        ctx.send(server, Piece(int(chunk), last=left == "1"))
        if left != "1":
            ctx.set_timer(f"copy {chunk} {server} {int(left) - 1}", self._interval)

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status="up", label=f"{len(self.chunks)} chunks")


class RepairMaster(Node):
    """Knows where the copies are, and has them made anew.

    Args:
        node_id: its id.
        peers: the storage servers.
        placement: the servers of each chunk.
        dead_after: so many seconds without an answer, and a server is taken for dead.
        at_once: how many copies may be under way.
        wait: seconds for which it waits before it repairs: whoever comes back meanwhile need not be replaced.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        placement: Sequence[Sequence[str]],
        dead_after: float = 3.0,
        at_once: int = 4,
        wait: float = 0.0,
    ) -> None:
        super().__init__(node_id, peers)
        self._placement = [list(servers) for servers in placement]
        self._copies = len(self._placement[0])
        self._dead_after = real("dead_after", dead_after, above=0.0)
        self._at_once = whole("at_once", at_once, at_least=1)
        self._wait = real("wait", wait, at_least=0.0)
        self._heard = dict.fromkeys(peers, 0.0)
        self._round = 0
        self.dead: list[str] = []
        self.under_way: dict[int, str] = {}  # chunk → the server that is to have it

    @property
    def short(self) -> int:
        """How many chunks have fewer copies than they should."""
        return sum(len(servers) < self._copies for servers in self._placement)

    @property
    def lost(self) -> int:
        """How many chunks nobody holds, as far as it knows."""
        return sum(not servers for servers in self._placement)

    def on_start(self, ctx: Context) -> None:
        """Begin to ask."""
        self._show(ctx)
        ctx.set_timer("ask", _ASK)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """A server is there, or a copy is made."""
        if isinstance(message, Here):
            self._heard[sender] = ctx.now
            self._believe(ctx, sender, message.chunks)
        elif isinstance(message, Copied) and self.under_way.get(message.chunk) == sender:
            del self.under_way[message.chunk]
            self._placement[message.chunk].append(sender)
            self._show(ctx)
            self._repair(ctx)

    def _believe(self, ctx: Context, server: str, chunks: Sequence[int]) -> None:
        """What a server holds counts, also if it was only late; what it has lost with its disk does not."""
        was_dead, held, changed = server in self.dead, frozenset(chunks), False
        for chunk, servers in enumerate(self._placement):
            if server in servers and chunk not in held:
                servers.remove(server)
                changed = True
            elif was_dead and chunk in held and server not in servers:
                servers.append(server)
        self.dead = [one for one in self.dead if one != server]
        if was_dead or changed:
            self._show(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Judge, repair, and ask again."""
        for server, heard in self._heard.items():
            if ctx.now - heard > self._dead_after and server not in self.dead:
                self._bury(ctx, server)
        self._repair(ctx)
        self._round += 1
        for server in self.peers:
            ctx.send(server, AreYouThere(self._round))
        ctx.set_timer("ask", _ASK)

    def _bury(self, ctx: Context, server: str) -> None:
        ctx.record("suspect", peer=server)
        self.dead = [*self.dead, server]
        for servers in self._placement:
            if server in servers:
                servers.remove(server)
        self.under_way = {chunk: to for chunk, to in self.under_way.items() if to != server}
        self._show(ctx)

    def _repair(self, ctx: Context) -> None:
        """Order copies: the chunks with fewest first, each to the server that holds fewest and doesn't hold it."""
        load = {server: 0 for server in self.peers if server not in self.dead}
        for server in [one for servers in self._placement for one in servers] + list(self.under_way.values()):
            load[server] = load.get(server, 0) + 1
        waits = {
            server for server in self.dead if ctx.now - self._heard[server] < self._dead_after + self._wait
        }
        if waits:
            return
        wanting = sorted(
            (len(servers), chunk)
            for chunk, servers in enumerate(self._placement)
            if 0 < len(servers) < self._copies and chunk not in self.under_way
        )
        for _, chunk in wanting[: self._at_once - len(self.under_way)]:
            servers = self._placement[chunk]
            free = [server for server in load if server not in servers and server not in self.dead]
            if not free:
                return
            target = min(free, key=lambda server: load[server])
            load[target] += 1
            self.under_way[chunk] = target
            ctx.send(servers[chunk % len(servers)], CopyTo(chunk, target))

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status="leader", label=f"{self.short} short, {len(self.dead)} dead")


def rereplication_scenario(
    *,
    servers: int = 10,
    chunks: int = 120,
    copies: int = 3,
    at_once: int = 4,
    wait: float = 0.0,
    dead_after: float = 3.0,
    reads: float = 20.0,
    service_time: float = 0.01,
    pieces: int = 100,
    crash_at: float = 5.0,
    restart_at: float | None = None,
    seed: int = 0,
) -> Scenario:
    """A master and storage servers of which one loses its disk, with clients that read all the while.

    Args:
        servers: how many.
        chunks: how many, spread evenly.
        copies: of each chunk.
        at_once: how many copies the master has made at a time.
        wait: seconds before it begins to repair.
        dead_after: seconds of silence.
        reads: of clients, a second and server.
        service_time: seconds that a server takes for a read, for a piece of a copy and for an answer.
        pieces: of a chunk; a server sends one each service time.
        crash_at: seconds.
        restart_at: when the crashed server is there again, with an empty disk; None: it isn't.
        seed: of the run.
    """
    whole("copies", copies, at_least=1, at_most=whole("servers", servers, at_least=2))
    graph = topology.star(servers + 1)
    names = [f"n{number}" for number in range(1, servers + 1)]
    graph.add_edges_from((a, b) for a in names for b in names if a < b)
    for name in names:
        graph.nodes[name]["service_time"] = Constant(service_time)
    groups = list(itertools.combinations(names, copies))
    spread = max(1, len(groups) // whole("chunks", chunks, at_least=1))
    placement = [groups[chunk * spread % len(groups)] for chunk in range(chunks)]

    def node(node_id: str, peers: Sequence[str]) -> Node:
        if node_id == MASTER:
            return RepairMaster(
                node_id, peers, placement=placement, dead_after=dead_after, at_once=at_once, wait=wait
            )
        held = [chunk for chunk, on in enumerate(placement) if node_id in on]
        return StorageServer(node_id, peers, chunks=held, pieces=pieces, piece_interval=service_time)

    clients = [OpenLoop(("read",), reads, to=name, timeout=_PATIENCE, repeat=True) for name in names[1:]]
    crash = Crash(names[0], at=crash_at, restart_at=restart_at)
    return Scenario(
        node, Network(graph, latency=Constant(_ONE_WAY)), faults=[crash], clients=clients, seed=seed
    )


@dataclass(frozen=True)
class RepairReport:
    """What a repair took.

    Attributes:
        repaired_after: seconds from the crash until no chunk was short; None if that never came.
        taken_for_dead: how many servers were given up, the one that crashed included.
        lost_chunks: of which no copy was left, as far as the master knows.
        p99: of the clients' reads, in seconds; what wasn't answered counts as the client's patience.
    """

    repaired_after: float | None
    taken_for_dead: int
    lost_chunks: int
    p99: float


def repair_report(run: Run) -> RepairReport:
    """Read from a run of `rereplication_scenario` what the repair took, from the first crash on."""
    crash = min(begin for fault, begin, _ in run.trace.fault_intervals() if isinstance(fault, Crash))
    buried = sorted({str(event.detail["peer"]) for event in run.trace.select(kind="record", name="suspect")})
    told = run.trace.select(kind="record", name="status", node=MASTER)
    short = [
        (event.time, not event.detail["label"].startswith("0 short")) for event in told if event.time >= crash
    ]
    healed = next((time for time, is_short in short[len(short) - _since_last(short) :]), None)
    times = sorted(
        _PATIENCE
        if operation.completed is None or operation.outcome != "ok"
        else operation.completed - operation.invoked
        for operation in run.history()
    )
    lost = run.at(run.until).nodes[MASTER]["lost"]
    return RepairReport(
        None if healed is None else healed - crash, len(buried), lost, times[int(0.99 * (len(times) - 1))]
    )


def _since_last(short: list[tuple[float, bool]]) -> int:
    """Return how many of the last entries in a row tell that nothing is short."""
    return next((place for place, (_, is_short) in enumerate(reversed(short)) if is_short), len(short))
