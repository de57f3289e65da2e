"""What operations on a partitioned store cost, measured on the simulated cluster: messages and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dscourse.arguments import real
from dscourse.partitioning.coordinator import checked_operation
from dscourse.partitioning.store_nodes import APPLICATION, partitioned_node, store_network
from dscourse.simulation import ClosedLoop, LatencyModel, LogNormal, Run, Scenario


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
        if not 0.0 <= real("q", q) <= 1.0:
            raise ValueError(f"q is a fraction between 0 and 1, got {q}")
        if not len(self.latencies):
            raise ValueError("No operation was answered, so there is no latency")
        return float(np.quantile(self.latencies, q))

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
        nodes: how many hold the data (n0, n1, …), or their names.
        before: operations to run first, which aren't counted.
        latency: of a message between two machines; by default 1 ms in the median, with a long tail.
        service_time: of a storage node for each message.
        seed: of the run.
        **settings: of `partitioned_node`: way, index, virtual_nodes, known …

    Raises:
        ValueError: if there are no operations, or one that is none.
        TypeError: for a setting of another name or type.
    """
    for given in (before, operations):
        if isinstance(given, str | bytes) or not isinstance(given, Sequence):
            raise TypeError(f'operations must be a list such as [("get", "a")], got {given!r}')
        for operation in given:
            checked_operation(operation)
    if not len(operations):
        raise ValueError("There is nothing to run: give at least one operation")
    storage = [f"n{number}" for number in range(nodes)] if isinstance(nodes, int) else list(nodes)
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
    return Price(messages_between_machines(run, since=history[0].invoked) / len(history), latencies, outcomes)


def messages_between_machines(run: Run, since: float = 0.0) -> int:
    """Count the messages that machines sent each other, clients left out."""
    sends = run.trace.select(kind="send", node=run.nodes, peer=run.nodes, between=(since, run.until))
    return len(sends)
