"""How a figure with controls is drawn while somebody waits: anew each time, or only what changes of it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
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
from dscourse.views.settings import default_settings

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

    @default_settings
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

    What stands still is kept as pixels: a background, and layers for what stands in front of something that changes (to
    draw a legend takes half the time of a redraw). Artists that change are *animated*, as matplotlib calls it: it
    leaves them out when it draws the whole, and their changes don't make the figure stale. So a stale figure is one of
    which something else has changed (a limit, a tick, an artist that came or went); then all of it is drawn anew.
    """

    @default_settings
    def __init__(self, set_up: Callable[[Figure], Any], update: Callable[..., str]) -> None:
        self.figure = new_figure()
        self._artists = set_up(self.figure)
        self._update = update
        self._canvas: Any = None
        self._background: Any = None
        self._animated: list[Artist] = []
        self._front: list[Artist | Layer] = []  # what is drawn on the background, from back to front
        self._shown: Values | None = None

    @default_settings
    def draw(self, values: Values) -> tuple[str, bytes]:
        """Update the artists and draw them on the background."""
        alt = checked_alt(self._update(self._artists, **values))
        if self._background is None or self.figure.stale:
            self._draw_background()
        else:
            self._canvas.restore_region(self._background)
        for part in self._front:
            part.draw(self._canvas.get_renderer())
        self.figure.stale = False
        self._shown = dict(values)
        return alt, _packed(self._canvas)

    @default_settings
    def still(self) -> str:
        """Return the picture last drawn without an error, whole."""
        if self._shown is not None:
            self._update(self._artists, **self._shown)
        self._animate(())
        self._background = None
        return png_text(self.figure)

    def _draw_background(self) -> None:
        self._canvas = _canvas_for(self.figure, self._canvas)
        given = {id(artist) for artist in _flat(self._artists)}
        front = list(_changing(self.figure, given))
        self._animate(front)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        self._front = list(self._layers(front, given))
        self._animate(artist for artist in front if id(artist) in given)
        self._canvas.restore_region(self._background)

    def _layers(self, front: Iterable[Artist], given: Container[int]) -> Iterator[Artist | Layer]:
        """Yield the artists that change, and one layer for all that stand still between two of them."""
        for changes, run in itertools.groupby(front, lambda artist: id(artist) in given):
            artists = list(run)
            yield from artists if changes or not _opaque(self.figure) else [Layer(self._canvas, artists)]

    def _animate(self, artists: Iterable[Artist]) -> None:
        for artist in self._animated:
            artist.set_animated(False)
        self._animated = list(artists)
        for artist in self._animated:
            artist.set_animated(True)


class Layer:
    """Pixels of artists that stand still, to be laid over what is drawn on an opaque canvas."""

    def __init__(self, canvas: Any, artists: Iterable[Artist]) -> None:
        renderer = canvas.get_renderer()
        renderer.clear()
        for artist in artists:
            artist.draw(renderer)
        pixels = np.asarray(canvas.buffer_rgba())
        self._place = np.nonzero(pixels[..., 3])
        colours = pixels[self._place].astype(np.uint16)
        self._through = 255 - colours[:, 3:]
        self._colours = colours[:, :3] * colours[:, 3:] + 127  # 127: the quotient below is rounded

    def draw(self, renderer: Any) -> None:
        """Lay the pixels over those of the canvas."""
        colours = np.asarray(renderer.buffer_rgba())[..., :3]
        colours[self._place] = (colours[self._place] * self._through + self._colours) // 255


def _changing(figure: Figure, given: Container[int]) -> Iterator[Artist]:
    """Yield what is not in the background, from back to front.

    These are the artists with a given id, and what stands in front of them in the same axes, so that it stays in front.
    """
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
    if _opaque(canvas.figure):
        pixels = pixels.convert("RGB")
    buffer = io.BytesIO()
    pixels.save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def _opaque(figure: Figure) -> bool:
    return to_rgba(figure.get_facecolor())[3] == 1
