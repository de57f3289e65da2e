"""Health checks of three depths: which failures each sees, and which it makes.

    health_check_table()

A balancer asks its servers now and then whether they are well, and takes those out that aren't. What "well" means is
the question: that the process answers ("shallow"), that it can do its own work ("deep"), or that everything it needs
can, too ("dependencies").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import one_of, probability
from dscourse.services.calls import CallingServer, Rounds
from dscourse.services.load_balancer import Done, LoadBalancer, Server, Work, tiers
from dscourse.services.policies import RoundRobin
from dscourse.simulation import Context, Node

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.simulation import Fault, Scenario

DEPTHS = ("shallow", "deep", "dependencies")
TROUBLES = ("a server crashes", "a server's disk is full", "the shared database stalls")
_FALL = 2  # checks in a row that must fail
_INTERVAL = 0.5  # seconds between checks; who hasn't answered by the next has failed
_BEGIN, _END = 5.0, 15.0  # of the trouble
_WEB, _DATABASE = 0.004, 0.002  # seconds of work


class CheckedServer(CallingServer):
    """Pages that are in its memory it serves alone; for fresh ones it asks the database.

    Args:
        node_id: its name.
        peers: those it is linked with.
        disk_full_at: from when on it can do no work, though its process answers; None: never.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, disk_full_at: float | None = None) -> None:
        super().__init__(node_id, peers, patience=_INTERVAL / 2)
        self._disk_full_at = disk_full_at

    def rounds_for(self, operation: object) -> Rounds:
        """Only fresh pages, and checks that go so far, need the database."""
        return (("database",),) if operation in (("fresh page",), ("check", "dependencies")) else ()

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Do as other servers do, unless the disk is full: then only a shallow check goes well."""
        full = self._disk_full_at is not None and ctx.now >= self._disk_full_at
        if full and isinstance(message, Work) and message.operation != ("check", "shallow"):
            ctx.send(sender, Done(message.ticket, "fail"))
        else:
            super().on_message(ctx, sender, message)


class CheckingBalancer(LoadBalancer):
    """A balancer that takes out whoever fails two checks in a row, and back in after one that went well.

    Args:
        node_id: its name.
        peers: its servers.
        depth: one of `DEPTHS`.
        ejection_cap: the largest share of the servers that may be out at a time.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, depth: str, ejection_cap: float = 1.0) -> None:
        super().__init__(node_id, peers, servers=peers, policy=RoundRobin, patience=_INTERVAL)
        self.out: tuple[str, ...] = ()
        self._all = self.servers
        self._depth, self._most_out = depth, int(ejection_cap * len(peers))
        self._failed = dict.fromkeys(peers, 0)  # checks in a row
        self._well = dict.fromkeys(peers, True)  # has it answered the last one?
        self._checks = 0

    def on_start(self, ctx: Context) -> None:
        """Begin to check."""
        super().on_start(ctx)
        ctx.set_timer("check", _INTERVAL)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take the answer to a check, or do as other balancers do."""
        if isinstance(message, Done) and message.ticket <= 0:
            self._well[sender] = message.outcome == "ok" and message.ticket == -self._checks
        else:
            super().on_message(ctx, sender, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Judge the last checks, and send the next ones."""
        if name != "check":
            super().on_timer(ctx, name)
            return
        for server, well in self._well.items():
            self._failed[server] = 0 if well else self._failed[server] + 1
        kept = [server for server in self.out if self._failed[server]]
        for server in self._all:
            if self._failed[server] >= _FALL and server not in kept and len(kept) < self._most_out:
                kept.append(server)
        if tuple(kept) != self.out:
            self.out = tuple(kept)
            self.servers = tuple(server for server in self._all if server not in kept)
            ctx.record(
                "status", status="degraded" if kept else "ok", label=f"{len(self.servers)} in rotation"
            )
        self._checks += 1
        for server in self._all:
            self._well[server] = False
            ctx.send(server, Work(-self._checks, ("check", self._depth)))
        ctx.set_timer("check", _INTERVAL)


def health_check_scenario(
    depth: str,
    trouble: str,
    *,
    servers: int = 4,
    ejection_cap: float = 1.0,
    rate: float = 40.0,
    one_way: float = 0.0005,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: something is wrong from 5 s to 15 s; the balancer "b0" checks its servers each half second.

    Half of the requests are for fresh pages, which need the one database.

    Args:
        depth: one of `DEPTHS`.
        trouble: one of `TROUBLES`.
        servers: how many.
        ejection_cap: the largest share of the servers that may be taken out.
        rate: requests a second.
        one_way: seconds between two machines.
        seed: of the scenario.
    """
    from dscourse.simulation import Crash, Exponential, Network, OpenLoop, Pause, Scenario

    one_of("trouble", trouble, TROUBLES)
    names = [f"s{k}" for k in range(servers)]
    graph = tiers(["b0"], names, ["database"])
    for name in names:
        graph.nodes[name]["service_time"] = Exponential(_WEB)
    graph.nodes["database"]["service_time"] = Exponential(_DATABASE)
    cap = probability("ejection_cap", ejection_cap)
    full = _BEGIN if trouble == TROUBLES[1] else None
    faults: dict[str, list[Fault]] = {
        TROUBLES[0]: [Crash("s1", at=_BEGIN, restart_at=_END)],
        TROUBLES[1]: [],
        TROUBLES[2]: [Pause("database", at=_BEGIN, until=_END)],
    }
    clients = [
        OpenLoop(((page,),), rate=rate / 2, to="b0", timeout=2.0, repeat=True)
        for page in ("page", "fresh page")
    ]
    factory = partial(
        _checked_node, depth=one_of("depth", depth, DEPTHS), ejection_cap=cap, disk_full_at=full
    )
    return Scenario(
        factory, Network(graph, latency=one_way), clients=clients, faults=faults[trouble], seed=seed
    )


def health_check_table(*, ejection_cap: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """Return the share of requests that are answered while something is wrong, for each depth and each trouble.

    The last row is the check through dependencies again, but for a cap on how many servers may be taken out.

    Args:
        ejection_cap: of the last row.
        seed: of the runs.
    """
    import pandas as pd

    rows = {depth: (depth, 1.0) for depth in DEPTHS}
    rows[f"dependencies, at most {ejection_cap:.0%} out"] = (DEPTHS[2], ejection_cap)
    table: dict[str, dict[str, float]] = {}
    for row, (depth, cap) in rows.items():
        table[row] = {}
        for trouble in TROUBLES:
            run = health_check_scenario(depth, trouble, ejection_cap=cap, seed=seed).run(_END + 1.0)
            asked = [
                operation for operation in run.history() if _BEGIN + 2.0 <= operation.invoked < _END - 1.0
            ]
            table[row][trouble] = sum(operation.outcome == "ok" for operation in asked) / len(asked)
    return pd.DataFrame(table).T


def _checked_node(
    node_id: str, peers: Sequence[str], *, depth: str, ejection_cap: float, disk_full_at: float | None
) -> Node:
    if node_id == "b0":
        return CheckingBalancer(node_id, peers, depth=depth, ejection_cap=ejection_cap)
    if node_id == "database":
        return Server(node_id, peers)
    return CheckedServer(node_id, peers, disk_full_at=disk_full_at if node_id == "s1" else None)
