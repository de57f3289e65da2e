"""How a figure with controls is drawn while somebody waits: anew each time, or only what changes of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

from dscourse.views.axes import new_figure
from dscourse.views.picture import SHOWN_PER_INCH, checked_alt, png_text

Values = Mapping[str, Any]


class Drawing(Protocol):
    """Something that turns the values of controls into a picture."""

    figure: Figure

    def draw(self, values: Values) -> tuple[str, bytes]:
        """Return alt text and PNG, as fine as it is shown and no finer."""

    def still(self) -> str:
        """Return the picture last drawn as a notebook stores it."""


class DrawnAnew:
    """Draws a new figure for every change: `interactive_figure`.

    All are drawn on one matplotlib canvas, so that what one has measured of the text serves the next.
    """

    def __init__(self, draw: Callable[..., str]) -> None:
        self._draw = draw
        self._canvas: Any = None
        self.figure = new_figure()

    def draw(self, values: Values) -> tuple[str, bytes]:
        """Draw a figure; the last one stays if that fails."""
        figure = new_figure()
        alt = checked_alt(self._draw(figure, **values))
        self._canvas = _canvas_for(figure, self._canvas)
        self._canvas.draw()
        self.figure = figure
        return alt, _packed(self._canvas)

    def still(self) -> str:
        """Return the figure last drawn."""
        return png_text(self.figure)


class Updated:
    """Draws a figure once and then only what changes: `live_figure`.

    What stands still is kept as pixels. Artists that change are *animated*, as matplotlib calls it: it leaves them out
    when it draws the whole, and their changes don't make the figure stale. So a stale figure is one whose background
    has changed (a limit, a tick, an artist that came or went); then the background is drawn anew.
    """

    def __init__(self, set_up: Callable[[Figure], Any], update: Callable[..., str]) -> None:
        self.figure = new_figure()
        self._artists = set_up(self.figure)
        self._update = update
        self._canvas: Any = None
        self._background: Any = None
        self._changing: list[Artist] = []
        self._shown: Values | None = None

    def draw(self, values: Values) -> tuple[str, bytes]:
        """Update the artists and draw them on the background."""
        alt = checked_alt(self._update(self._artists, **values))
        if self._background is None or self.figure.stale:
            self._draw_background()
        else:
            self._canvas.restore_region(self._background)
        for artist in self._changing:
            artist.draw(self._canvas.get_renderer())
        self.figure.stale = False
        self._shown = dict(values)
        return alt, _packed(self._canvas)

    def still(self) -> str:
        """Return the picture last drawn without an error, whole."""
        if self._shown is not None:
            self._update(self._artists, **self._shown)
        self._animate(())
        self._background = None
        return png_text(self.figure)

    def _draw_background(self) -> None:
        self._canvas = _canvas_for(self.figure, self._canvas)
        self._animate(_changing(self.figure, self._artists))
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self.figure.bbox)

    def _animate(self, artists: Iterable[Artist]) -> None:
        for artist in self._changing:
            artist.set_animated(False)
        self._changing = list(artists)
        for artist in self._changing:
            artist.set_animated(True)


def _changing(figure: Figure, artists: Any) -> Iterator[Artist]:
    """Yield the artists to draw each time, from back to front.

    These are the given ones, and what stands in front of them in the same axes, so that it stays in front.
    """
    given = {id(artist) for artist in _flat(artists)}
    for child in _from_back_to_front(figure):
        if id(child) in given:
            yield child
        elif isinstance(child, Axes):
            inner = _from_back_to_front(child)
            first = next((place for place, artist in enumerate(inner) if id(artist) in given), len(inner))
            yield from inner[first:]


def _from_back_to_front(parent: Figure | Axes) -> list[Artist]:
    left_out: list[Any] = [parent.patch]
    if isinstance(parent, Axes) and not parent.axison:
        left_out += [*parent.spines.values(), parent.xaxis, parent.yaxis]
    shown = [artist for artist in parent.get_children() if artist not in left_out]
    return sorted(shown, key=lambda artist: artist.get_zorder())


def _flat(artists: Any) -> Iterator[Artist]:
    if isinstance(artists, Artist):
        yield artists
    elif isinstance(artists, Mapping):
        yield from _flat(artists.values())
    elif isinstance(artists, Iterable) and not isinstance(artists, str):
        for artist in artists:
            yield from _flat(artist)


def _canvas_for(figure: Figure, canvas: Any) -> Any:
    figure.set_dpi(SHOWN_PER_INCH)
    if canvas is None:
        return cast(Any, FigureCanvasAgg)(figure)
    canvas.figure = figure
    figure.set_canvas(canvas)
    return canvas


def _packed(canvas: Any) -> bytes:
    """Return the pixels as PNG, packed lightly: that takes half the time for about the same size."""
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    if to_rgba(canvas.figure.get_facecolor())[3] == 1:  # nothing shines through
        pixels = pixels.convert("RGB")
    buffer = io.BytesIO()
    pixels.save(buffer, "png", compress_level=1)
    return buffer.getvalue()
