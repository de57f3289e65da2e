"""Drawing one figure after another in the same place, while somebody waits for each."""

from __future__ import annotations

import io
from typing import Any, cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

from dscourse.views.kept_layout import KeptLayout
from dscourse.views.picture import SHOWN_PER_INCH


class LiveCanvas:
    """Turns figures into PNG, as fine as they are shown and no finer.

    It draws all of them on one matplotlib canvas, so that what one has measured of the text serves the next; and it
    packs the pixels lightly, which takes half the time for about the same size.
    """

    def __init__(self) -> None:
        self._canvas: Any = None
        self._layout: KeptLayout | None = None

    def png(self, figure: Figure) -> bytes:
        """Draw a figure in its own layout and keep that for those that follow."""
        packed = self._drawn(figure)
        self._layout = KeptLayout(figure)
        return packed

    def hurried_png(self, figure: Figure) -> bytes:
        """Draw a figure in the layout of the last one if it fits; see `laid_out_anew`."""
        if self._layout is None or not self._layout.fits(figure):
            return self.png(figure)
        with self._layout.used_by(figure):
            return self._drawn(figure)

    def laid_out_anew(self, figure: Figure) -> bytes | None:
        """Give the figure last drawn, in a hurry, its own layout.

        Returns:
            The new picture; None if nobody would see a difference.
        """
        before, engine = self._layout, figure.get_layout_engine()
        if engine is None or before is None or not figure.axes:
            return None
        self._take(figure)
        engine.execute(figure)
        self._layout = KeptLayout(figure)
        return self._drawn(figure) if self._layout.differs_from(before) else None

    def _take(self, figure: Figure) -> None:
        figure.set_dpi(SHOWN_PER_INCH)
        if self._canvas is None:
            self._canvas = cast(Any, FigureCanvasAgg)(figure)
        self._canvas.figure = figure
        figure.set_canvas(self._canvas)

    def _drawn(self, figure: Figure) -> bytes:
        self._take(figure)
        self._canvas.draw()
        pixels = Image.fromarray(np.asarray(self._canvas.buffer_rgba()))
        if to_rgba(figure.get_facecolor())[3] == 1:  # nothing shines through
            pixels = pixels.convert("RGB")
        buffer = io.BytesIO()
        pixels.save(buffer, "png", compress_level=1)
        return buffer.getvalue()
