"""A picture of when it became inevitable: the share of futures that fail, against the moment at which they part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from dscourse.views import palette
from dscourse.views.axes import given_or_new, percent_axis
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

if TYPE_CHECKING:
    import pandas as pd


@default_settings
def draw_inevitability(table: pd.DataFrame, ax: Axes | None = None) -> Picture:
    """Draw which share of the forks fails, against the time of the fork, with its interval at 95 %.

    Args:
        table: from `dscourse.exploration.inevitability`.
        ax: where to draw; by default in a figure of its own.
    """
    axes = given_or_new(ax, 7.0, 2.8)
    axes.fill_between(table["time"], table["low"], table["high"], color=palette.SKY, alpha=0.35, linewidth=0)
    axes.plot(table["time"], table["share"], color=palette.BLUE, marker="o", markersize=4)
    percent_axis(axes.yaxis)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xlabel("time of the fork (s)")
    axes.set_ylabel("share that fails")
    return Picture(axes, _told(table))


def _told(table: pd.DataFrame) -> str:
    first, last = table.iloc[0], table.iloc[-1]
    words = [
        f"Of {int(first['forks'])} futures at each of {len(table)} moments, {first['share']:.0%} fail if they part at "
        f"{first['time']:g} s and {last['share']:.0%} at {last['time']:g} s."
    ]
    certain = table[table["share"] == 1.0]
    before = table[table["share"] < 1.0]
    if len(certain) and len(before) and before["time"].max() < certain["time"].min():
        words.append(f"From {certain['time'].min():.3g} s on all of them fail.")
    return " ".join(words)
