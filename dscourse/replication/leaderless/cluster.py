"""Leaderless stores as scenarios: one of three replicas with gateways, and the item that comes back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.replication.leaderless.messages import ABSENT, Version
from dscourse.replication.leaderless.replica import LeaderlessReplica

if TYPE_CHECKING:
    from dscourse.simulation import ClientOperation, Fault, LatencyModel, Run, Scenario, Workload


def leaderless_store(
    replicas: int = 3,
    gateways: int = 1,
    *,
    latency: LatencyModel | float | None = None,
    clients: Iterable[Workload] = (),
    faults: Iterable[Fault] = (),
    seed: int = 0,
    **settings: Any,
) -> Scenario:
    """Return a scenario of a leaderless store, whose gateways coordinate and keep nothing.

    Args:
        replicas: how many machines hold copies: n0, n1 …
        gateways: how many coordinators there are: g0, g1 …
        latency: of every link, one way; by default lognormal with a median of 5 ms.
        clients: who asks for what.
        faults: what goes wrong.
        seed: of the scenario.
        settings: of `LeaderlessReplica`; by default three homes, of which two must have a write and two a read.
    """
    from dscourse.replication.single_leader.cluster import store_network
    from dscourse.simulation import Scenario

    names = tuple(f"n{number}" for number in range(replicas))
    sizes = {"n": 3, "w": 2, "r": 2} | settings
    factory = partial(LeaderlessReplica, storage=names, **sizes)
    network = store_network(replicas, gateways, operator=False, latency=latency)
    return Scenario(factory, network, clients=clients, faults=faults, seed=seed)


def vanished_writes(run: Run) -> tuple[ClientOperation, ...]:
    """The acknowledged "put" operations in whose place the store holds something older in the end, or nothing.

    What was overwritten by a write that was asked for before this one had ended isn't counted: any store may put the
    two in either order. No value may be written twice to a key.
    """
    newest: dict[Any, Version] = {}
    for stored in run.at(run.until).stored.values():
        for key, version in (stored or ({},))[0].items():
            if version.newer_than(newest.get(key, ABSENT)):
                newest[key] = version
    puts = [one for one in run.history() if one.operation[0] == "put"]
    ended = {one.operation[1:3]: one.completed for one in puts if one.completed is not None}
    lost = []
    for one in puts:
        key = one.operation[1]
        last = newest.get(key, ABSENT)
        older = last is ABSENT or ended.get((key, last.value), one.invoked) < one.invoked
        if one.outcome == "ok" and older and not last.deleted:
            lost.append(one)
    return tuple(lost)
