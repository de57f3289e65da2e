"""All partitioners of notebook 04 side by side under the same change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dscourse.partitioning import (
    BoundedLoadRing,
    ConsistentHashRing,
    DirectoryPartitioner,
    JumpPartitioner,
    MaglevPartitioner,
    ModuloPartitioner,
    Partitioner,
    RangePartitioner,
    RendezvousPartitioner,
    load_counts,
    load_imbalance,
    rebalance,
)
from dscourse.readable import readable_number, readable_percent
from dscourse.views.axes import placed_axes
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.palette import BLACK, SERIES

_LAST_LEAVES = "the last node leaves"


def explore_partitioners() -> InteractiveFigure:
    """Show all partitioners side by side under the same change: balance, movement and memory."""
    return live_figure(
        _set_up_partitioners,
        _update_partitioners,
        nodes=widgets.SelectionSlider(options=[3, 5, 10, 20, 50], value=10),
        virtual_nodes=widgets.SelectionSlider(options=[1, 4, 16, 64, 128, 256], value=128),
        change=["a node joins", "a node in the middle leaves", _LAST_LEAVES],
    )


def contestants(
    nodes: Sequence[str], virtual_nodes: int = 128, key_count: int = 20_000
) -> dict[str, Partitioner]:
    """Return one partitioner of each kind, by name; ranges are cut for the keys 0 … `key_count` − 1, 16 a node."""
    ranges = 16 * len(nodes)
    return {
        "modulo": ModuloPartitioner(nodes),
        "ranges": RangePartitioner([key_count * cut // ranges for cut in range(1, ranges)], list(nodes) * 16),
        "ring": ConsistentHashRing(nodes, virtual_nodes),
        "bounded ring": BoundedLoadRing(nodes, 0.1, virtual_nodes),
        "rendezvous": RendezvousPartitioner(nodes),
        "jump": JumpPartitioner(nodes),
        "Maglev": MaglevPartitioner(nodes, table_size=5003),
        "directory": DirectoryPartitioner(nodes, slots=4096),
    }


_KEYS = np.arange(20_000)  # as many as `contestants` cuts its ranges of


@lru_cache(maxsize=16)
def _partitioners(nodes: int, virtual_nodes: int) -> tuple[dict[str, Partitioner], list[float]]:
    """Return the contestants, which nobody changes, and the imbalance of each: the same before every change."""
    partitioners = contestants([f"n{number}" for number in range(nodes)], virtual_nodes)
    return partitioners, [load_imbalance(load_counts(p, _KEYS)) for p in partitioners.values()]


@lru_cache(maxsize=128)
def _compared(nodes: int, virtual_nodes: int, change: str) -> tuple[list[str], list[list[float]], float]:
    """Return names, [imbalance, moved, bytes] of each, and the least possible."""
    names = [f"n{number}" for number in range(nodes)]
    leaver = {"a node in the middle leaves": names[nodes // 2], _LAST_LEAVES: names[-1]}.get(change)
    add = None if leaver else f"n{nodes}"
    rows, least = [], 0.0
    partitioners, imbalances = _partitioners(nodes, virtual_nodes)
    for partitioner, imbalance in zip(partitioners.values(), imbalances, strict=True):
        moved = rebalance(partitioner, _KEYS, add=add, remove=leaver)
        rows.append([imbalance, moved.moved, float(partitioner.table_bytes)])
        least = moved.least_possible
    return list(partitioners), rows, least


class _Column:
    """One quantity as bars in the ``place``-th third of the axes, each with its number."""

    def __init__(
        self, axes: Axes, place: int, title: str, text: Callable[[float], str], *, log: bool = False
    ) -> None:
        self._place, self._text, self._log = place, text, log
        count = len(axes.get_yticks())
        self.bars = axes.hlines(range(count), place, [place] * count, colors=SERIES[place], linewidth=15)
        axes.axvline(place, color=BLACK, linewidth=0.8)
        self.numbers = [axes.text(place, row, "", va="center", fontsize=8) for row in range(count)]
        self.mark = axes.axvline(place, color=BLACK, linestyle="--", linewidth=1.2)
        self.title = axes.text(place + 0.34, count - 0.35, title, ha="center", va="top", fontsize=9)

    def show(self, values: Sequence[float], mark: float = 0.0) -> None:
        """Show a value a row, the largest of which fills the column, and a dashed line at a mark if it is above 0."""
        low = 0.5 * min(value for value in (*values, mark) if value > 0) if self._log else 0.0

        def reach(value: float) -> float:
            part = (
                np.log(max(value, low) / low) / np.log(max(values) / low)
                if self._log
                else value / max(values)
            )
            return self._place + 0.68 * float(part)

        ends = [reach(value) for value in values]
        self.bars.set_segments([[(self._place, row), (end, row)] for row, end in enumerate(ends)])
        for number, end, value in zip(self.numbers, ends, values, strict=True):
            number.set(x=end + 0.02, text=self._text(value))
        self.mark.set(visible=mark > 0, xdata=[reach(mark)] * 2)


def _set_up_partitioners(figure: Figure) -> dict[str, Any]:
    # One pair of axes for all columns: several would take longer to draw.
    axes = placed_axes(figure, 0.12, 0.15, 0.99, 0.98, size=(9.6, 3.4))
    names = list(_partitioners(3, 1)[0])
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, 3), ylim=(len(names) - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    columns = [
        _Column(axes, 0, "imbalance of 20 000 keys\n(busiest / mean)", "{:.2f}".format),
        _Column(axes, 1, "", lambda share: readable_percent(share, 1), log=True),
        _Column(axes, 2, "table, bytes\n(log. scale)", readable_number, log=True),
    ]
    changing = [[column.bars, column.numbers, column.title, column.mark] for column in columns]
    return {"columns": columns, "changing": changing}


def _update_partitioners(drawn: dict[str, Any], nodes: int, virtual_nodes: int, change: str) -> str:
    names, rows, least = _compared(nodes, virtual_nodes, change)
    imbalance, moved, size = zip(*rows, strict=True)
    columns, fewest = drawn["columns"], readable_percent(least, 1)
    for column, values, mark in zip(columns, (imbalance, moved, size), (0, least, 0), strict=True):
        column.show(values, mark)
    columns[1].title.set_text(f"keys moved (log. scale;\ndashed: least, {fewest})")
    told = "; ".join(
        f"{name}: imbalance {i:.2f}, moved {readable_percent(m, 1)}, {readable_number(s)} bytes"
        for name, (i, m, s) in zip(names, rows, strict=True)
    )
    return f"{nodes} nodes, {change}. Least possible {fewest}. {told}."
