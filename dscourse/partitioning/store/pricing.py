"""What operations on a partitioned store cost, measured on the simulated cluster: messages and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import items, probability, whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.store.nodes import APPLICATION, partitioned_node, store_network
from dscourse.partitioning.store.operations import checked_operation
from dscourse.simulation import ClosedLoop, LatencyModel, LogNormal, Scenario

_SETTINGS = ("way", "index", "virtual_nodes", "known")
_MOST_NODES = 1000


@dataclass(frozen=True)
class Price:
    """What one kind of operation cost.

    Attributes:
        messages: sent between machines, for each operation, on average.
        latencies: of the operations that got an answer, seconds.
        outcomes: {"ok": …, "fail": …, "unknown": …}.
    """

    messages: float
    latencies: npt.NDArray[np.float64]
    outcomes: dict[str, int]

    def quantile(self, q: float) -> float:
        """Return the time within which a fraction `q` of the operations was answered, seconds."""
        fraction = probability("q", q)
        if not len(self.latencies):
            raise ValueError("No operation was answered, so there is no latency")
        return float(np.quantile(self.latencies, fraction))

    def __str__(self) -> str:
        if not len(self.latencies):
            return f"{self.messages:.1f} messages each; none was answered"
        median, tail = (1000 * self.quantile(q) for q in (0.5, 0.99))
        return f"{self.messages:.1f} messages each; median {median:.1f} ms, 99th percentile {tail:.1f} ms"

    __repr__ = __str__


def price(
    operations: Sequence[Any],
    *,
    nodes: int | Sequence[str] = 8,
    before: Sequence[Any] = (),
    latency: LatencyModel | float = LogNormal(0.001, 0.5),  # noqa: B008 - frozen
    service_time: LatencyModel | float | None = None,
    seed: int = 0,
    **settings: Any,
) -> Price:
    """Run operations one after the other on a partitioned store and tell what they cost.

    Args:
        operations: ("get", key), ("put", key, value), ("find", value) or ("transact", ((key, amount), …)).
        nodes: how many hold the data (n0, n1, …; at most 1000), or their names.
        before: operations to run first, which aren't counted.
        latency: of a message between two machines; by default 1 ms in the median, with a long tail.
        service_time: of a storage node for each message.
        seed: of the run.
        **settings: of `partitioned_node`: way, index, virtual_nodes, known.

    Raises:
        ValueError: if there are no operations, or one that is none.
        TypeError: for a setting of another name or type.
    """
    for given in (before, operations):
        for operation in items("operations", given, 'a list such as [("get", "a")]'):
            checked_operation(operation)
    if not len(operations):
        raise ValueError("There is nothing to run: give at least one operation")
    for name in settings:
        if name not in _SETTINGS:
            raise TypeError(f"price has no setting {name!r}; besides its own it takes {', '.join(_SETTINGS)}")
    storage = _names(nodes)
    patience = 60.0
    client = ClosedLoop((*before, *operations), 0.0, APPLICATION, timeout=patience)
    scenario = Scenario(
        partial(partitioned_node, storage=storage, patience=patience, **settings),
        store_network(storage, latency, service_time),
        clients=[client],
        seed=seed,
    )
    run = scenario.run(patience * (len(before) + len(operations) + 1))
    history = run.history()[len(before) :]
    outcomes = {word: sum(done.outcome == word for done in history) for word in ("ok", "fail", "unknown")}
    latencies = np.array([done.latency for done in history if done.outcome != "unknown"])
    counted = (history[0].invoked, run.until)
    sent = run.trace.select(kind="send", node=run.nodes, peer=run.nodes, between=counted)
    return Price(len(sent) / len(history), latencies, outcomes)


def _names(nodes: object) -> list[str]:
    if isinstance(nodes, Iterable):
        return list(Fleet.of(nodes).nodes)
    return [f"n{number}" for number in range(whole("nodes", nodes, at_least=1, at_most=_MOST_NODES))]
