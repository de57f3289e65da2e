"""A figure with controls beside it, redrawn as they move."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from ipywidgets.widgets.interaction import interactive
from matplotlib.figure import Figure

from dscourse.views.debounce import Follower
from dscourse.views.live_canvas import LiveCanvas
from dscourse.views.picture import checked_alt, new_figure, png_text, shown_width
from dscourse.views.serial_queue import Turns

_PATIENCE = 2.0  # seconds for which a picture that another thread is drawing is waited for

_HERE = Path(__file__).parent


class LivePicture(anywidget.AnyWidget):
    """A picture in the page that can be replaced, with a real alt text, a caption and room for an error."""

    _esm = (_HERE / "interactive.js").read_text(encoding="utf-8")
    _css = (_HERE / "interactive.css").read_text(encoding="utf-8")
    png = traitlets.Bytes(b"").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(672).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        return self.alt


class InteractiveFigure(widgets.VBox):
    """Controls above a figure; see `interactive_figure`.

    Attributes:
        controls: the ipywidgets controls by name.
        picture: the picture widget, with `alt` and `problem`.
        figure: the figure last drawn without an error.
    """

    def __init__(self, draw: Callable[..., str], controls: dict[str, widgets.ValueWidget]) -> None:
        self._draw = draw
        self.controls = controls
        self.figure: Figure = new_figure()
        self.picture = LivePicture()
        self._canvas = LiveCanvas()
        self._turns = Turns()
        self._redraw_or_raise()
        self._follower = Follower(self._redraw, self._redraw_hurriedly, self._lay_out_anew)
        for control in controls.values():
            control.observe(self._follower.changed, names="value")
        panel = widgets.Box(
            list(controls.values()), layout=widgets.Layout(flex_flow="row wrap", grid_gap="0 1.5em")
        )
        super().__init__([panel, self.picture])

    def __repr__(self) -> str:
        return self.picture.alt

    def values(self) -> dict[str, Any]:
        """Return what the controls say at the moment."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self) -> None:
        self._in_turn(self._redraw_or_raise)

    def _redraw_hurriedly(self) -> None:
        self._in_turn(lambda: self._redraw_or_raise(hurried=True))

    def _lay_out_anew(self) -> None:
        self._in_turn(self._lay_out_anew_or_raise)

    def _in_turn(self, action: Callable[[], None]) -> None:
        self._turns.take(lambda: self._or_told(action))

    def _or_told(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told where the learner looks
            given = ", ".join(f"{name}={value!r}" for name, value in self.values().items())
            self.picture.problem = f"No picture for {given}. {type(error).__name__}: {error}"

    def _redraw_or_raise(self, *, hurried: bool = False) -> None:
        with _nothing_collected():
            figure = new_figure()
            alt = checked_alt(self._draw(figure, **self.values()))
            png = self._canvas.hurried_png(figure) if hurried else self._canvas.png(figure)
            self.figure = figure
        with self.picture.hold_sync():  # one message: picture, text and size belong together
            self.picture.problem = ""
            self.picture.alt = alt
            self.picture.width = shown_width(figure)
            self.picture.png = png

    def _lay_out_anew_or_raise(self) -> None:
        """Give the last picture a layout of its own, now that there is time for it."""
        png = self._canvas.laid_out_anew(self.figure)
        if png is not None:
            self.picture.png = png

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = dict(super()._repr_mimebundle_(**kwargs))
        bundle["text/plain"] = self.picture.alt
        bundle |= self._still()
        return bundle, {"image/png": {"width": shown_width(self.figure)}}

    def _still(self) -> dict[str, str]:
        """Return the picture and its text for where no widgets are shown; nothing if drawing goes on for too long."""
        still: dict[str, str] = {}
        self._turns.take(
            lambda: still.update({"text/plain": self.picture.alt, "image/png": png_text(self.figure)})
        )
        patient_until = time.monotonic() + _PATIENCE
        while not still and time.monotonic() < patient_until:
            time.sleep(0.01)
        return still


def interactive_figure(draw: Callable[..., str], **controls: Any) -> InteractiveFigure:
    """Show a figure that is drawn anew whenever a control changes.

    While a slider is dragged the latest value wins. If `draw` fails, the widget says so and keeps the last picture.
    Where no widgets can be shown (GitHub, nbviewer, print) the picture with the first values stands in.

    Args:
        draw: called as `draw(figure, **values)` with an empty matplotlib figure; draws on it and returns its alt text.
        **controls: one for each argument of `draw`: an ipywidgets control, or what `ipywidgets.interact` takes: a range
            `(low, high)` or `(low, high, step)`, a list of choices, True or False.

    Raises:
        TypeError: if `draw` can't be called, returns no text, or a control is of no use as one.
        ValueError: if `draw` returns an empty alt text.

    Example:
        >>> interactive_figure(draw_queue, load=(0.1, 0.95, 0.05))  # doctest: +SKIP
    """
    if not callable(draw):
        raise TypeError(f"draw must be a function draw(figure, **values) -> alt text, got {draw!r}")
    if not controls:
        raise TypeError("interactive_figure needs at least one control, such as load=(0.1, 0.9, 0.1)")
    return InteractiveFigure(draw, {name: _control(name, given) for name, given in controls.items()})


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Suspend the cyclic collector.

    A figure is some thousand objects. Collected while it grows, they are taken for old; and every tenth picture then
    waits for a search through all the objects of a notebook, which takes a quarter of a second.
    """
    collecting = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if collecting:
            gc.enable()


def _control(name: str, given: Any) -> widgets.ValueWidget:
    control = given if isinstance(given, widgets.Widget) else interactive.widget_from_abbrev(given)
    if not isinstance(control, widgets.DOMWidget) or not hasattr(control, "value"):
        raise TypeError(
            f"{name}={given!r} can't be made into a control. Give a range (low, high, step), a list of choices, "
            "True or False, or an ipywidgets control."
        )
    if not control.description:
        control.description = name.replace("_", " ")
    control.style.description_width = "initial"
    if isinstance(control, widgets.widget_int._BoundedInt | widgets.widget_float._BoundedFloat):
        control.layout.width = control.layout.width or "22em"
    return control
