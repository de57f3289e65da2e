"""Where the axes of the last picture stood, so that the next one needn't search for their places again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, LayoutEngine

_NOTICED = 0.5  # pixels by which an edge must move for anyone to see it


class KeptLayout(LayoutEngine):
    """A layout engine that puts axes where they stood in an earlier figure of the same plan.

    Constrained layout measures every label twice to find out how much room it needs: a quarter of the time that a
    picture takes. While a slider moves, the places of the last picture do.

    Args:
        figure: a figure that has been drawn.
    """

    _adjust_compatible = False
    _colorbar_gridspec = False  # as with constrained layout

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._plan = _plan(figure)
        self._pixels = np.tile(figure.get_size_inches() * figure.get_dpi(), 2)
        self._boxes = [axes.get_position(original=True).frozen() for axes in figure.axes]

    def fits(self, figure: Figure) -> bool:
        """Return whether a figure has the same plan: size, axes in the same cells, labels at the same sides."""
        return self._plan is not None and self._plan == _plan(figure)

    @contextmanager
    def used_by(self, figure: Figure) -> Iterator[None]:
        """Let a figure have this layout for a while."""
        before = figure.get_layout_engine()
        figure.set_layout_engine(self)
        try:
            yield
        finally:
            figure.set_layout_engine(before)

    def execute(self, fig: Figure) -> None:
        """Put the axes in their places; called by matplotlib before it draws."""
        for axes, box in zip(fig.axes, self._boxes, strict=True):
            axes.set_position(box)
            axes.set_in_layout(True)  # or matplotlib would leave them out of any later layout

    def differs_from(self, other: KeptLayout) -> bool:
        """Return whether anyone would see the difference between two layouts."""
        if self._plan != other._plan:
            return True
        ours, theirs = (np.array([box.extents for box in layout._boxes]) for layout in (self, other))
        return bool(np.any(np.abs(ours - theirs) * self._pixels > _NOTICED))


def _plan(figure: Figure) -> tuple[object, ...] | None:
    """Return what decides the layout of a figure apart from how wide its labels are; None if that isn't enough."""
    engine = figure.get_layout_engine()
    placed_by_layout = (figure.get_suptitle(), figure.get_supxlabel(), figure.get_supylabel())
    if (
        not isinstance(engine, ConstrainedLayoutEngine)
        or any(placed_by_layout)
        or figure.subfigs
        or figure.legends
    ):
        return None
    plans = [_plan_of_axes(axes, figure) for axes in figure.axes]
    if not plans or None in plans:
        return None
    return (tuple(figure.get_size_inches()), sorted(engine.get().items()), *plans)


def _plan_of_axes(axes: Axes, figure: Figure) -> tuple[object, ...] | None:
    cell = axes.get_subplotspec()
    if cell is None or not axes.get_in_layout():  # placed by hand, or a colour bar
        return None
    titles = [axes.get_title(loc=side) for side in ("left", "center", "right")]
    labels = [axes.get_xlabel(), axes.get_ylabel(), *titles]
    lines = [label.count("\n") + 1 if label else 0 for label in labels]
    sides = (axes.xaxis.get_label_position(), axes.yaxis.get_label_position())
    shown = (axes.get_visible(), axes.axison, axes.get_legend() is not None)
    return (cell.get_position(figure).bounds, axes.get_aspect(), *lines, *sides, *shown)
