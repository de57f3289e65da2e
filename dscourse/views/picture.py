"""A figure together with the sentence that says what it shows."""

from __future__ import annotations

import base64
import io
from typing import Any

from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_PIXELS_PER_INCH = 144  # twice what a plain screen shows, so that it stays sharp on a fine one
_SHOWN_PER_INCH = 80


def new_axes(width: float = 7.0, height: float = 3.6) -> Axes:
    """Return empty axes of a new figure that pyplot knows nothing of.

    Args:
        width: of the figure, inches.
        height: of the figure, inches.
    """
    return tidy(new_figure(width, height).subplots())


def new_figure(width: float = 7.0, height: float = 3.6) -> Figure:
    """Return an empty white figure with constrained layout; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def tidy(axes: Axes) -> Axes:
    """Take away what doesn't carry information: the upper and right frame, heavy grid lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


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
        if isinstance(figure, Axes):
            root = figure.get_figure(root=True)
            figure = root if root is not None else figure  # type: ignore[assignment]
        if not isinstance(figure, Figure):
            raise TypeError(f"figure must be a matplotlib Figure or Axes, got {type(figure).__name__}")
        self.figure = figure
        self.alt = checked_alt(alt)

    def __repr__(self) -> str:
        return self.alt

    def png(self) -> bytes:
        """Return the figure as PNG."""
        return png_bytes(self.figure)

    def _ipython_display_(self) -> None:
        display(*self._outputs(), raw=True)

    def _outputs(self) -> list[dict[str, Any]]:
        picture = static_bundle(self.figure, self.alt)
        return [picture, {"text/markdown": f"*{escaped_markdown(self.alt)}*", "text/plain": self.alt}]


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
    figure.savefig(buffer, format="png", dpi=pixels_per_inch, metadata={"Software": None})
    return buffer.getvalue()


def static_bundle(figure: Figure, alt: str) -> dict[str, Any]:
    """Return what stands in a stored notebook: the picture, and the alt text for whoever can't see it."""
    return {"image/png": base64.b64encode(png_bytes(figure)).decode("ascii"), "text/plain": alt}


def escaped_markdown(text: str) -> str:
    """Return text in which nothing is taken for Markdown or HTML."""
    for mark in "\\`*_{}[]<>()#+!|$~&":
        text = text.replace(mark, "\\" + mark)
    return text
