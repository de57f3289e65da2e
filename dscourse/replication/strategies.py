"""The strategies of replication side by side: the same workload, the same faults, everything measured.

A strategy is a cluster of replicas n0 … n2 with two gateways and what else it needs. To compare another one, give
`compare_strategies` a `Strategy` of its own.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dscourse.arguments import whole
from dscourse.replication.leaderless.cluster import leaderless_store, vanished_writes
from dscourse.replication.leaderless.replica import LeaderlessReplica
from dscourse.replication.measures import lost_writes, session_violations, stale_reads
from dscourse.replication.multi_leader.cluster import multi_leader_store, overruled_writes
from dscourse.replication.multi_leader.replica import MultiLeaderReplica
from dscourse.replication.single_leader.cluster import OPERATOR, replicated_store
from dscourse.replication.single_leader.gateway import GUARANTEES
from dscourse.replication.single_leader.replica import SingleLeaderReplica
from dscourse.simulation import Node

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.simulation import ClientOperation, Fault, Run, Scenario

FAULT_AT, FAULT_FOR, UNTIL = 2.0, 4.0, 9.0  # seconds
SITUATIONS = ("calm", "leader crash", "follower crash", "partition")
_KEYS = 6
_APPLY_TIME = 0.025  # seconds that a follower takes for an entry: without, nobody would see it lag
_PATIENCE = 0.5  # seconds after which a user gives up
_RATE = 12.0  # operations a second of each of four users
_OF_CLIENTS = {"Request", "Reply"}
_OF_READS = {"Fetch", "Found"}


@dataclass(frozen=True)
class Strategy:
    """A way to replicate.

    Attributes:
        name: in words.
        store: makes the scenario of it, with three replicas n0 … n2 and gateways g0 and g1; takes ``gateways=``,
            ``clients=``, ``faults=`` and ``seed=``, as `replicated_store` does.
        node: the class of a replica, whose lines are counted.
        decisions: what the application, or whoever runs it, has to decide.
        lost: which acknowledged writes of a run are gone: by a failover, or by what became of a conflict.
    """

    name: str
    store: Callable[..., Scenario]
    node: type[Node]
    decisions: tuple[str, ...]
    lost: Callable[[Run], Sequence[ClientOperation]] = lost_writes


SINGLE_LEADER_SYNC = Strategy(
    "single leader, sync",
    partial(replicated_store, mode="sync", apply_time=_APPLY_TIME),
    SingleLeaderReplica,
    ("when a stopped follower is given up", "which reads may be stale"),
)
SINGLE_LEADER_SEMI_SYNC = Strategy(
    "single leader, semi-sync",
    partial(replicated_store, mode="semi-sync", apply_time=_APPLY_TIME),
    SingleLeaderReplica,
    ("how many acknowledgements", "whether to fall back to async, and when", "which reads may be stale"),
)
SINGLE_LEADER_ASYNC = Strategy(
    "single leader, async",
    partial(replicated_store, mode="async", apply_time=_APPLY_TIME),
    SingleLeaderReplica,
    (
        "whether to promote although writes are lost",
        "what to do about writes that were lost",
        "which reads may be stale",
    ),
)
MULTI_LEADER = Strategy(
    "multi-leader, last writer wins",
    multi_leader_store,
    MultiLeaderReplica,
    (
        "what becomes of conflicting writes",
        "which clocks decide",
        "which reads may be stale",
        "to which replica a user belongs",
    ),
    overruled_writes,
)
LEADERLESS = Strategy(
    "leaderless, 2 of 3",
    leaderless_store,
    LeaderlessReplica,
    (
        "how many replicas",
        "how many for a write",
        "how many for a read",
        "which clocks decide",
        "how long tombstones are kept",
        "whether others stand in for silent homes",
    ),
    vanished_writes,
)
SINGLE_LEADER_STRATEGIES = (SINGLE_LEADER_SYNC, SINGLE_LEADER_SEMI_SYNC, SINGLE_LEADER_ASYNC)
STRATEGIES = (*SINGLE_LEADER_STRATEGIES, MULTI_LEADER, LEADERLESS)


def situation_faults(situation: str) -> tuple[Fault, ...]:
    """What goes wrong in a situation: from `FAULT_AT` on, for `FAULT_FOR` seconds.

    Under "partition", n0 and the gateway g0 are on one side, all others on the other; each gateway has users.
    """
    from dscourse.simulation import Crash, Partition

    end = FAULT_AT + FAULT_FOR
    faults: Mapping[str, tuple[Fault, ...]] = {
        "calm": (),
        "leader crash": (Crash("n0", FAULT_AT, restart_at=end),),
        "follower crash": (Crash("n2", FAULT_AT, restart_at=end),),
        "partition": (Partition([["n0", "g0"]], FAULT_AT, until=end),),
    }
    return faults[situation]


def strategy_runs(strategy: Strategy, seed: int = 0) -> dict[str, Run]:
    """Run a strategy through every situation.

    There are two gateways, each with a user who writes and reads, and one who only reads.

    Args:
        strategy: one of `STRATEGIES`, or your own.
        seed: of the runs.
    """
    from dscourse.simulation import OpenLoop

    keys = [f"k{number % _KEYS}" for number in range(200)]
    clients = []
    for gateway in ("g0", "g1"):
        pairs = [(("put", key, f"{gateway}.{number}"), ("get", key)) for number, key in enumerate(keys)]
        writes_and_reads = tuple(operation for pair in pairs for operation in pair)
        clients.append(OpenLoop(writes_and_reads, rate=_RATE, to=gateway, timeout=_PATIENCE))
        clients.append(
            OpenLoop(tuple(("get", key) for key in keys), rate=_RATE, to=gateway, timeout=_PATIENCE)
        )
    return {
        situation: strategy.store(
            gateways=2,
            clients=clients,
            faults=situation_faults(situation),
            seed=whole("seed", seed, at_least=0),
        ).run(UNTIL)
        for situation in SITUATIONS
    }


def compare_strategies(
    strategies: Sequence[Strategy] = STRATEGIES, *, seeds: int | Sequence[int] = 1
) -> pd.DataFrame:
    """Run strategies through the same workload and the same faults, and measure what they give and cost.

    Args:
        strategies: which.
        seeds: how many runs of each situation, or their seeds; numbers are means over these.

    Returns:
        One row a strategy. Consistency, as shares of all answered reads, in calm weather and in the three situations
        with faults: ``stale``, ``stale_faulty`` and ``broken_sessions``, ``broken_sessions_faulty`` (reads that break
        one of the three session guarantees). ``not_linearizable``: the share of the runs whose history isn't.
        ``lost_writes``: acknowledged, in all situations together. Write latency
        in calm weather, in seconds: ``write_p50``, ``write_p99``. Availability, the share of writes that were answered
        within half a second while a fault lasted: ``leader_crash``, ``follower_crash``, ``partition``; ``reads``, the
        share of reads during all three. Complexity: ``messages_per_write`` and ``messages_per_read`` between machines,
        without the questions of clients, ``message_kinds``, ``node_lines``, ``decisions``.
    """
    import pandas as pd

    chosen = range(whole("seeds", seeds, at_least=1)) if isinstance(seeds, int) else list(seeds)
    rows = []
    for strategy in strategies:
        measured = [_measured(strategy, strategy_runs(strategy, seed)) for seed in chosen]
        means = {name: sum(one[name] for one in measured) / len(measured) for name in measured[0]}
        means |= {"node_lines": lines_of_code(strategy.node), "decisions": len(strategy.decisions)}
        rows.append({"strategy": strategy.name, **means})
    return pd.DataFrame(rows).set_index("strategy")


def measured_strategies() -> pd.DataFrame:
    """What `compare_strategies` returns for all `STRATEGIES` and ten seeds, as it was computed beforehand.

    The data set ``replication/strategies`` has it seed by seed; lines of code and decisions are counted now.
    """
    from dscourse import datasets

    seeds = datasets.load("replication/strategies")
    means: pd.DataFrame = seeds.groupby("strategy", sort=False).mean().drop(columns="seed")
    return means.assign(
        node_lines=[lines_of_code(strategy.node) for strategy in STRATEGIES],
        decisions=[len(strategy.decisions) for strategy in STRATEGIES],
    )


def _measured(strategy: Strategy, runs: Mapping[str, Run]) -> dict[str, float]:
    import numpy as np

    calm = runs["calm"]
    done = [one for one in calm.history() if one.outcome == "ok"]
    latencies = [one.latency for one in done if one.operation[0] == "put"]
    sent = _messages(calm)
    faulty = {name: _while_faulty(run) for name, run in runs.items() if name != "calm"}
    answered = {name.replace(" ", "_"): _share_answered(one, "put") for name, one in faulty.items()}
    others = [run for name, run in runs.items() if name != "calm"]
    return {
        "stale": stale_reads(calm),
        "stale_faulty": float(np.mean([stale_reads(run) for run in others])),
        "broken_sessions": _broken_sessions(calm),
        "broken_sessions_faulty": float(np.mean([_broken_sessions(run) for run in others])),
        "not_linearizable": float(np.mean([_is_illegal(run) for run in runs.values()])),
        "lost_writes": sum(len(strategy.lost(run)) for run in runs.values()),
        "write_p50": float(np.quantile(latencies, 0.5)),
        "write_p99": float(np.quantile(latencies, 0.99)),
        **answered,
        "reads": _share_answered([one for history in faulty.values() for one in history], "get"),
        "messages_per_write": sum(name not in _OF_READS for name in sent) / len(latencies),
        "messages_per_read": sum(name in _OF_READS for name in sent) / (len(done) - len(latencies)),
        "message_kinds": len({name for run in runs.values() for name in _kinds(run)}),
    }


def _broken_sessions(run: Run) -> float:
    broken = {read for one in GUARANTEES for read in session_violations(run, one).reads}
    answered = [one for one in run.history() if one.operation[0] == "get" and one.outcome == "ok"]
    return len(broken) / len(answered)


def _while_faulty(run: Run) -> list[ClientOperation]:
    return [one for one in run.history() if FAULT_AT <= one.invoked < FAULT_AT + FAULT_FOR]


def _share_answered(history: Sequence[ClientOperation], kind: str) -> float:
    asked = [one for one in history if one.operation[0] == kind]
    return sum(one.outcome == "ok" for one in asked) / len(asked)


def _is_illegal(run: Run) -> bool:
    from dscourse.consistency import History, Register, check_linearizable

    return check_linearizable(History.from_run(run), Register()).outcome == "illegal"


def _messages(run: Run) -> list[str]:
    """The types of all messages between machines, but for the operator's and for clients' questions and answers."""
    machines = [node for node in run.nodes if node != OPERATOR]
    sent = run.trace.select(kind="send", node=machines, peer=machines)
    return [name for name in (type(event.message).__name__ for event in sent) if name not in _OF_CLIENTS]


def _kinds(run: Run) -> set[str]:
    """The types of message that machines sent, but for a client's question and its answer."""
    return {
        type(event.message).__name__ for event in run.trace.select(kind="send", node=run.nodes)
    } - _OF_CLIENTS


def lines_of_code(kind: type) -> int:
    """How many lines of a class are code: no blank ones, no comments, no docstrings."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return len(ast.unparse(tree).replace("\n\n", "\n").splitlines())
