"""The formula for mirrored pairs, held against machines that really failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dscourse.arguments import instance, whole
from dscourse.recovery.durability import mean_time_to_data_loss

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("system", "node", "start", "down_min")


@dataclass(frozen=True)
class PairLosses:
    """How often both machines of a pair were down, over all pairs of a system.

    Attributes:
        nodes: of the system that have failures on record.
        seen: times at which a node failed while another was down, once for each such pair.
        expected: what `mean_time_to_data_loss` gives for so many pairs of such nodes, failing independently.
    """

    nodes: int
    seen: int
    expected: float


def pair_losses(record: pd.DataFrame, system: int) -> PairLosses:
    """Count in a record of failures how often a mirrored pair would have lost both its copies.

    Every pair of nodes counts as mirrored. Entries of one node that overlap are one failure. The mean times to failure
    and to repair that the formula is given are those of the record itself, from its first failure to its last.

    Args:
        record: failures with the columns ``system``, ``node``, ``start`` and ``down_min`` (minutes), such as
            ``datasets.load("failures/lanl")``.
        system: which system.

    Raises:
        LookupError: if the record lacks a column, or two nodes of that system.
    """
    import pandas as pd

    instance("record", record, pd.DataFrame, 'a DataFrame, such as datasets.load("failures/lanl")')
    missing = [column for column in _COLUMNS if column not in record.columns]
    if missing:
        raise LookupError(f"the record lacks the columns {', '.join(missing)}")
    rows = record[record["system"] == whole("system", system, at_least=0)].dropna(subset=["node"])
    if rows["node"].nunique() < 2:
        raise LookupError(f"system {system} has fewer than two nodes with failures in the record")
    start = (rows["start"] - rows["start"].min()).dt.total_seconds() / 60
    down: list[tuple[float, float]] = []
    for _, node in pd.DataFrame(
        {"node": rows["node"], "start": start, "end": start + rows["down_min"]}
    ).groupby("node"):
        down += _merged(sorted(zip(node["start"], node["end"], strict=True)))
    nodes, span, repair = (
        int(rows["node"].nunique()),
        float(start.max()),
        sum(end - begin for begin, end in down),
    )
    mttr, mttf = repair / len(down), (span * nodes - repair) / len(down)
    pairs = nodes * (nodes - 1) / 2
    return PairLosses(
        nodes, _failures_beside_another(down), pairs * span / mean_time_to_data_loss(2, mttf, mttr)
    )


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _failures_beside_another(down: list[tuple[float, float]]) -> int:
    """Return how many are down already when each fails, in all; who is repaired at that moment is up again."""
    changes = sorted([(begin, 1) for begin, _ in down] + [(end, -1) for _, end in down])
    count = losses = 0
    for _, change in changes:
        losses += count if change > 0 else 0
        count += change
    return losses
