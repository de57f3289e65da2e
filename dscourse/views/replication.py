"""Pictures of notebook 05: lag, reads near their users, how far reads scale, and the strategies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dscourse.arguments import one_of, text
from dscourse.replication import replication_lag
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.axes import (
    given_or_new,
    legend_above,
    line_style,
    logarithmic,
    named_rows,
    placed_axes,
    sample,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings

if TYPE_CHECKING:
    import pandas as pd

# ── Lag ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lag(node: str) -> Lane:
    """Return how many of the leader's writes a replica doesn't show yet, as a lane of the player."""
    text("node", node)

    def points(run: Run, _: float | None) -> Points:
        one_of("node", node, run.nodes)
        table = replication_lag(run)
        rows = table[table.node == node]
        return [(0.0, 0.0), *zip(rows.time, rows.applied, strict=True)]

    return Lane(f"lag of {node}", "writes", points)


# ── Regions ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS = ("read", "write")
_SHORTEST, _LONGEST = 0.5, 2000.0  # ms


def explore_regions(
    alone: pd.DataFrame, everywhere: pd.DataFrame, in_step: pd.DataFrame
) -> InteractiveFigure:
    """Show how long reads and writes of users in several regions take, with a control for where copies stand.

    Beside what was measured stands the least that light in glass allows.

    Args:
        alone: what `measure_regions` says of a leader without followers.
        everywhere: the same with a copy in every region, async.
        in_step: the same, sync.
    """
    tables = {
        ("the leader alone", "async"): alone,
        ("the leader alone", "sync"): alone,  # there is nobody to wait for
        ("one in every region", "async"): everywhere,
        ("one in every region", "sync"): in_step,
    }
    return live_figure(
        lambda figure: _set_up_regions(figure, list(alone.region)),
        lambda drawn, copies, mode: _update_regions(drawn, tables[copies, mode], copies, mode),
        copies=widgets.Dropdown(options=["the leader alone", "one in every region"], description="copies"),
        mode=widgets.Dropdown(options=["async", "sync"], description="mode"),
    )


def _set_up_regions(figure: Figure, regions: Sequence[str]) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    places = {"read": (0.14, 0.5), "write": (0.57, 0.93)}
    rows = np.arange(len(regions))
    for kind, (left, right) in places.items():
        axes = placed_axes(figure, left, 0.14, right, 0.83, size=(9.2, 3.6))
        logarithmic(axes, y=None)
        names = regions if kind == "read" else [""] * len(regions)
        named_rows(axes, names, above=0.7, below=0.6)
        axes.set(xlim=(_SHORTEST, _LONGEST), xlabel=f"milliseconds of a {kind}")
        bars = axes.barh(rows, np.ones(len(rows)), 0.5, color=palette.SKY, edgecolor=palette.BLACK)
        (tails,) = axes.plot([], [], "|", color=palette.BLACK, markersize=13, markeredgewidth=2)
        (floors,) = axes.plot([], [], "D", color=palette.ORANGE, markeredgecolor=palette.BLACK, markersize=7)
        words = [axes.text(0, row, "", va="center", fontsize=9) for row in range(len(rows))]
        drawn[kind] = (bars, tails, floors, words)
    legend_above(
        figure.axes[0],
        [
            sample("p50", marker="s", color=palette.SKY, markeredgecolor=palette.BLACK),
            sample("p99", marker="|", color=palette.BLACK, markeredgewidth=2, markersize=11),
            sample(
                "least that light allows", marker="D", color=palette.ORANGE, markeredgecolor=palette.BLACK
            ),
        ],
    )
    return drawn


def _update_regions(drawn: dict[str, Any], table: pd.DataFrame, copies: str, mode: str) -> str:
    rows = np.arange(len(table))
    told = []
    for kind in _KINDS:
        bars, tails, floors, words = drawn[kind]
        middle, tail, floor = (1000 * table[f"{kind}_{part}"].to_numpy() for part in ("p50", "p99", "floor"))
        for bar, word, value, far in zip(bars, words, middle, tail, strict=True):
            bar.set_width(value)
            word.set_text(f"  {value:.0f} ms" if value >= 1.5 else f"  {value:.1f} ms")
            word.set_x(max(value, far))
        tails.set_data(tail, rows)
        seen = floor > _SHORTEST
        floors.set_data(floor[seen], rows[seen])
        told += [
            f"{region}: {kind} {value:.0f} ms, light allows {least:.0f} ms"
            for region, value, least in zip(table.region, middle, floor, strict=True)
        ]
    where = "copies in every region" if copies == "one in every region" else copies
    return f"Reads and writes from {len(table)} regions, {where}, {mode}. {'; '.join(told)}."


# ── Reads ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_REPLICAS = np.arange(1, 33)


def explore_read_scaling(measured: Mapping[int, float], measured_share: float) -> InteractiveFigure:
    """Show what a number of replicas serves together, in machines' worth, with a control for the share of writes.

    Args:
        measured: {replicas: throughput relative to one machine}, as `read_throughput` gives it.
        measured_share: of writes, with which that was measured.
    """

    def set_up(figure: Figure) -> dict[str, Any]:
        axes = placed_axes(figure, 0.1, 0.15, 0.97, 0.88, size=(8.2, 3.7))
        axes.plot(_REPLICAS, _REPLICAS, color=palette.GREY, linestyle=":", label="all in full")
        (line,) = axes.plot([], [], linewidth=2, label="these writes", **line_style(0))
        ceiling = axes.axhline(0, color=palette.VERMILION, linestyle="--", label="their ceiling")
        axes.plot(
            list(measured),
            list(measured.values()),
            linestyle="",
            marker="o",
            color=palette.BLACK,
            label=f"measured, {100 * measured_share:.0f} % writes",
        )
        axes.set(xlim=(0, 33), ylim=(0, 20), xlabel="replicas", ylabel="served, in machines' worth")
        legend_above(axes, columns=4)
        return {"line": line, "ceiling": ceiling}

    def update(drawn: dict[str, Any], writes: int) -> str:
        share = writes / 100
        served = 1 / (share + (1 - share) / _REPLICAS)
        drawn["line"].set_data(_REPLICAS, served)
        top = 1 / share if share else np.inf
        drawn["ceiling"].set_ydata([min(top, 1000.0)] * 2)
        ceiling = f"never more than {top:.3g}" if share else "no ceiling"
        return (
            f"What replicas serve together, {writes} % writes. "
            f"8 of them serve what {served[7]:.3g} machines would, 32 what {served[31]:.3g} would; {ceiling}."
        )

    return live_figure(
        set_up,
        update,
        writes=widgets.IntSlider(20, min=0, max=50, description="writes, %"),
    )


# ── Strategies ────────────────────────────────────────────────────────────────────────────────────────────────────────

# column of `compare_strategies` → what it is called, how a value is written, whether less of it is better
_MEASURES: dict[str, tuple[str, str, bool]] = {
    "stale": ("stale reads, all well", "{:.1%}", True),
    "broken_sessions": ("reads that break a session, all well", "{:.1%}", True),
    "not_linearizable": ("runs that are not linearizable", "{:.0%}", True),
    "lost_writes": ("acknowledged writes lost", "{:.0f}", True),
    "write_p50": ("write latency p50, ms", "{:.0f}", True),
    "write_p99": ("write latency p99, ms", "{:.0f}", True),
    "leader_crash": ("writes answered, leader crashed", "{:.0%}", False),
    "follower_crash": ("writes answered, follower crashed", "{:.0%}", False),
    "partition": ("writes answered, network cut", "{:.0%}", False),
    "messages_per_write": ("messages a write", "{:.1f}", True),
    "messages_per_read": ("messages a read", "{:.1f}", True),
    "message_kinds": ("kinds of message", "{:.0f}", True),
    "node_lines": ("lines of the node", "{:.0f}", True),
    "decisions": ("decisions left to you", "{:.0f}", True),
}


_ALSO = ("not_linearizable", "messages_per_read")


@default_settings
def draw_strategies(table: pd.DataFrame, *, all_measures: bool = False, ax: Axes | None = None) -> Picture:
    """Show what `compare_strategies` has measured: one column a strategy, the best of each row marked.

    Args:
        table: what was measured.
        all_measures: show also which runs are not linearizable, and the messages of a read, where they were measured.
        ax: where; by default on a new figure.
    """
    measures = {
        name: form
        for name, form in _MEASURES.items()
        if name in table and (all_measures or name not in _ALSO)
    }
    height = 0.3 * len(measures) + 0.75
    axes = given_or_new(ax, 3.4 + 1.55 * len(table), height)
    axes.set_axis_off()
    axes.set(xlim=(-2.2, len(table)), ylim=(len(measures), -1.1))
    axes.grid(visible=False)
    for column, name in enumerate(table.index):
        axes.text(
            column + 0.5,
            -0.25,
            name.replace(", ", ",\n"),
            ha="center",
            va="bottom",
            fontsize=9,
            weight="bold",
        )
    told = []
    for row, (measure, (words, form, less)) in enumerate(measures.items()):
        scale = 1000 if measure.startswith("write_") else 1
        values = (scale * table[measure]).tolist()
        best = min(values) if less else max(values)
        axes.text(-0.1, row + 0.5, words, ha="right", va="center", fontsize=9)
        for column, value in enumerate(values):
            wins = np.isclose(value, best) and not np.allclose(values, best)
            look: dict[str, Any] = {"facecolor": "#CDEBDD" if wins else "white", "edgecolor": "#D0D0D0"}
            axes.add_patch(Rectangle((column, row), 1, 1, **look))
            shown = form.format(value).replace("%", " %") + (" ★" if wins else "")
            axes.text(column + 0.5, row + 0.5, shown, ha="center", va="center", fontsize=9)
        told.append(f"{words}: {', '.join(form.format(value) for value in values)}")
    return Picture(axes, f"{len(table)} strategies measured: {'; '.join(table.index)}. {'; '.join(told)}.")
