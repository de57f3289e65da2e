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

from dscourse.views.settings import default_settings

_PIXELS_PER_INCH = 144  # more than a plain screen shows, so that it stays sharp on a fine one
_STAND_IN_PIXELS_PER_INCH = 100
SHOWN_PER_INCH = 96  # so that ten-point labels are as large as the text around them


class Picture:
    """A matplotlib figure, its alt text and a caption, for the last line of a notebook cell.

    The alt text begins with what is drawn and goes on with what is to be seen. The first is the visible caption, so
    that nothing is told there that a learner is to find. The whole stays with the image for whoever can't see it and,
    since JupyterLab drops the alt text of a PNG, folded behind the caption.

    Args:
        figure: a figure, or axes of one.
        alt: a sentence or two that say what the figure shows to someone who can't see it.
        caption: one line that says what is drawn; by default `alt` up to its first colon, semicolon or full stop.

    Raises:
        TypeError: if `figure` is neither a figure nor axes, or `alt` no text.
        ValueError: if `alt` is empty.
    """

    def __init__(self, figure: Figure | Axes, alt: str, caption: str = "") -> None:
        root: Any = figure
        while isinstance(root, Axes | SubFigure):
            root = root.figure
        if not isinstance(root, Figure):
            raise TypeError(f"figure must be a matplotlib Figure or Axes, got {type(figure).__name__}")
        self.figure = root
        self.alt = checked_alt(alt)
        self.caption = caption or what_is_drawn(self.alt)

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
        words, whole = (_numbers_kept_whole(escaped(text)) for text in (self.caption, self.alt))
        style = "style='font-style:italic;max-width:44em;margin:0'"
        caption = f"<p {style}>{words}</p>"
        if self.alt != self.caption:
            caption = f"<details {style}><summary>{words}</summary>{whole}</details>"
        return [picture, {"text/html": caption, "text/plain": self.caption}]


def checked_alt(alt: object) -> str:
    """Return alt text on one line; refuse what is no text or empty."""
    if not isinstance(alt, str):
        raise TypeError(f"alt must be a text that says what the figure shows, got {type(alt).__name__}")
    text = " ".join(alt.split())
    if not text:
        raise ValueError("alt must say what the figure shows; got an empty text")
    return text


def what_is_drawn(alt: str) -> str:
    """Return the beginning of an alt text, up to its first colon, semicolon or full stop: what is drawn."""
    return re.split(r"[.:;](?:\s|$)", alt, maxsplit=1)[0]


@default_settings
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


def png_text(figure: Figure, pixels_per_inch: float = _PIXELS_PER_INCH) -> str:
    """Return a figure as PNG in the form in which a notebook stores it."""
    return base64.b64encode(png_bytes(figure, pixels_per_inch)).decode("ascii")


def with_still(shown: Any, still: Picture) -> Any:
    """Return what a widget shows, with a picture that stands in for it where no widget lives.

    The picture is a little coarser than others: whoever sees the widget itself has waited for it.
    """
    views, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
    png = png_text(still.figure, _STAND_IN_PIXELS_PER_INCH)
    return ({**views, "text/plain": still.alt, "image/png": png}, metadata)


def escaped(text: str) -> str:
    """Return text as HTML in which nothing is taken for a tag, nor for mathematics between dollar signs."""
    return html.escape(text).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def _numbers_kept_whole(text: str) -> str:
    """Return HTML in which no line ends in the middle of 25 600 or 5 %."""
    return re.sub(r"(?<=\d) (?=\d{3}(?!\d)|%)", "&nbsp;", text)
