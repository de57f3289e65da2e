"""A figure together with the sentence that says what it shows."""

from __future__ import annotations

import base64
import html
import io
import re
from typing import Any

from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure

_PIXELS_PER_INCH = 144  # more than a plain screen shows, so that it stays sharp on a fine one
SHOWN_PER_INCH = 96  # so that ten-point labels are as large as the text around them


class Picture:
    """A matplotlib figure and its alt text, for the last line of a notebook cell.

    It shows the figure and, below it, the alt text as a visible caption: JupyterLab drops the alt text of a PNG, and a
    caption serves every reader. The stored output holds `image/png`, `text/plain` (the alt text) and the caption.

    Args:
        figure: a figure, or axes of one.
        alt: a sentence or two that say what the figure shows to someone who can't see it.

    Raises:
        TypeError: if `figure` is neither a figure nor axes, or `alt` no text.
        ValueError: if `alt` is empty.
    """

    def __init__(self, figure: Figure | Axes, alt: str) -> None:
        root: Any = figure
        while isinstance(root, Axes | SubFigure):
            root = root.figure
        if not isinstance(root, Figure):
            raise TypeError(f"figure must be a matplotlib Figure or Axes, got {type(figure).__name__}")
        self.figure = root
        self.alt = checked_alt(alt)

    def __repr__(self) -> str:
        return self.alt

    def png(self) -> bytes:
        """Return the figure as PNG."""
        return png_bytes(self.figure)

    def _ipython_display_(self) -> None:
        picture, caption = self._outputs()
        display(picture, raw=True, metadata={"image/png": {"width": shown_width(self.figure)}})
        display(caption, raw=True)

    def _outputs(self) -> list[dict[str, Any]]:
        picture = {"image/png": png_text(self.figure), "text/plain": self.alt}
        caption = f"<p style='font-style:italic;max-width:44em;margin:0'>{_numbers_kept_whole(escaped(self.alt))}</p>"
        return [picture, {"text/html": caption, "text/plain": self.alt}]


def checked_alt(alt: object) -> str:
    """Return alt text on one line; refuse what is no text or empty."""
    if not isinstance(alt, str):
        raise TypeError(f"alt must be a text that says what the figure shows, got {type(alt).__name__}")
    text = " ".join(alt.split())
    if not text:
        raise ValueError("alt must say what the figure shows; got an empty text")
    return text


def png_bytes(figure: Figure, pixels_per_inch: float = _PIXELS_PER_INCH) -> bytes:
    """Return a figure as PNG without a trace of when and by which version it was made."""
    buffer = io.BytesIO()
    before = figure.get_dpi()
    figure.set_dpi(pixels_per_inch)
    try:  # the canvas draws once, where figure.savefig draws twice, for the same bytes
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
    finally:
        figure.set_dpi(before)
    return buffer.getvalue()


def shown_width(figure: Figure) -> int:
    """Return how wide a figure is shown in the page, in pixels."""
    return round(figure.get_figwidth() * SHOWN_PER_INCH)


def png_text(figure: Figure) -> str:
    """Return a figure as PNG in the form in which a notebook stores it."""
    return base64.b64encode(png_bytes(figure)).decode("ascii")


def escaped(text: str) -> str:
    """Return text as HTML in which nothing is taken for a tag, nor for mathematics between dollar signs."""
    return html.escape(text).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def _numbers_kept_whole(text: str) -> str:
    """Return HTML in which no line ends in the middle of 25 600 or 5 %."""
    return re.sub(r"(?<=\d) (?=\d{3}(?!\d)|%)", "&nbsp;", text)
