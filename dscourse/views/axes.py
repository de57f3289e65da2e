"""What pictures of several topics share: axes given or made, their scales, legends, the look of a series, the tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from dscourse.readable import readable_number
from dscourse.views import palette
from dscourse.views.settings import default_settings

HATCHES = ("", "///", "...", "xx")


# ── Axes given or made ────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def new_figure(width: float = 7.0, height: float = 3.6) -> Figure:
    """Return an empty white figure with constrained layout that pyplot knows nothing of; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


@default_settings
def new_axes(width: float = 7.0, height: float = 3.6) -> Axes:
    """Return empty axes of a new figure that pyplot knows nothing of.

    Args:
        width: of the figure, inches.
        height: of the figure, inches.
    """
    return tidy(new_figure(width, height).subplots())


@default_settings
def tidy(axes: Axes) -> Axes:
    """Take away what doesn't carry information: the upper and right frame, heavy grid lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def given_or_new(ax: Axes | None, width: float = 7.0, height: float = 3.6) -> Axes:
    """Return the axes that a drawing function was given, or those of a new figure of this size in inches."""
    return new_axes(width, height) if ax is None else tidy(ax)


@default_settings
def panels(ax: Axes | None, count: int, width: float, height: float, *, sharey: bool = False) -> list[Axes]:
    """Return axes side by side: those given, or ``count`` of a new figure of this size with one x axis for all."""
    if ax is not None:
        return [tidy(ax)]
    made = new_figure(width, height).subplots(1, count, squeeze=False, sharex=True, sharey=sharey)
    return [tidy(axes) for axes in made[0]]


@default_settings
def placed_axes(
    figure: Figure,
    left: float,
    bottom: float,
    right: float,
    top: float,
    *,
    size: tuple[float, float] | None = None,
) -> Axes:
    """Return new axes at a fixed place of a figure, between these parts of its width and height.

    While a slider moves, nothing jumps; and working a place out takes longer than to draw what stands there.
    """
    figure.set_layout_engine(None)
    if size is not None:
        figure.set_size_inches(size)
    return tidy(figure.add_axes((left, bottom, right - left, top - bottom)))


def wiped(axes: Axes) -> Axes:
    """Return axes without what was drawn on them; ticks, labels, legend and limits stay."""
    for artist in (*axes.lines, *axes.patches, *axes.collections, *axes.texts):
        artist.remove()
    return axes


# ── The look of a series ──────────────────────────────────────────────────────────────────────────────────────


def line_style(place: int) -> dict[str, Any]:
    """Return colour and dash of a series by its place, the first being 0."""
    return {"color": palette.SERIES[place], "linestyle": palette.DASHES[place]}


def bar_style(place: int) -> dict[str, Any]:
    """Return colour and hatch of bars by the place of their series."""
    return {"color": palette.SERIES[place], "hatch": HATCHES[place % len(HATCHES)], "edgecolor": "white"}


def on_white(pad: float = 1.5, alpha: float = 0.8) -> dict[str, Any]:
    """Return what stands behind words so that they can be read where a line passes."""
    return {"facecolor": "white", "edgecolor": "none", "alpha": alpha, "pad": pad}


def label_point(
    axes: Axes, words: str, point: tuple[float, float], offset: tuple[float, float], **look: Any
) -> Any:
    """Write words beside a point; ``offset`` in points of type size."""
    return axes.annotate(words, point, xytext=offset, textcoords="offset points", **{"fontsize": 9, **look})


# ── Legends ───────────────────────────────────────────────────────────────────────────────────────────────────


def sample(label: str, **style: Any) -> Line2D:
    """Return an entry of a legend: a marker, or a line where a ``linestyle`` is given."""
    return Line2D([], [], label=label, **{"linestyle": "", **style})


@default_settings
def legend_above(axes: Axes, handles: Sequence[Artist] | None = None, columns: int = 3) -> None:
    """Put the legend above the axes, where no curve can pass."""
    given: dict[str, Any] = {} if handles is None else {"handles": list(handles)}
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        borderaxespad=0.2,
        handlelength=2.2,
        columnspacing=1.2,
        **given,
    )


# ── Scales ────────────────────────────────────────────────────────────────────────────────────────────────────


def number_axis(axis: Axis) -> None:
    """Write 1 000 on an axis instead of 1000 or a power of ten, and name no value between two powers."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
    axis.set_minor_formatter(FuncFormatter(lambda _value, _place: ""))


def _number(value: float) -> str:
    return readable_number(value) if abs(value) >= 1000 else f"{value:g}"


def percent_axis(axis: Axis) -> None:
    """Write 20 % on an axis instead of 0.2."""
    axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def logarithmic(axes: Axes, *, x: float | None = 10, y: float | None = 10, minor: bool = True) -> None:
    """Make axes logarithmic to these bases (None: leave it as it is) and write plain numbers on both."""
    if x:
        axes.set_xscale("log", base=x)
    if y:
        axes.set_yscale("log", base=y)
    for axis in (axes.xaxis, axes.yaxis):
        number_axis(axis)
        if not minor:
            axis.set_minor_locator(NullLocator())


def named_rows(axes: Axes, names: Sequence[str], above: float, below: float, **look: Any) -> None:
    """Name the rows 0, 1, … at the left, the first on top, with this much room above it and below the last."""
    axes.set_yticks(range(len(names)), list(names), **look)
    axes.set_ylim(len(names) - 1 + below, -above)
    axes.grid(visible=False, axis="y")


# ── What a reader meets in several topics ─────────────────────────────────────────────────────────────────────


def draw_stretch(axes: Axes, row: float, begin: float, end: float, height: float, **look: Any) -> None:
    """Draw a bar from ``begin`` to ``end`` in a row: something lasted so long."""
    axes.barh(row, end - begin, height, left=begin, **look)


@default_settings
def tail_curves(axes: Axes, groups: Mapping[str, npt.ArrayLike]) -> None:
    """Draw which share of the requests of each group takes longer than a time, so that the tail can be read.

    Args:
        axes: where.
        groups: {name: seconds of each request}.
    """
    for place, (name, seconds) in enumerate(groups.items()):
        ordered = np.sort(np.asarray(seconds, dtype=np.float64))
        share = 1.0 - np.arange(1, ordered.size + 1) / ordered.size
        kept = ordered.size - np.unique(np.geomspace(1, ordered.size, 400).astype(int))  # dense in the tail
        axes.plot(1000 * ordered[kept], np.maximum(share[kept], 1e-9), label=name, **line_style(place))
    axes.set_yscale("log")
    axes.set_ylabel("share that takes longer")
