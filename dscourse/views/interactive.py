"""A figure with controls beside it, redrawn as they move."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from ipywidgets.widgets.interaction import interactive
from matplotlib.figure import Figure

from dscourse.views.debounce import Debounce
from dscourse.views.drawing import Drawing, DrawnAnew, Updated
from dscourse.views.picture import shown_width, what_is_drawn
from dscourse.views.serial_queue import SerialQueue
from dscourse.views.shown import let_go_of_earlier

_PATIENCE = 2.0  # seconds for which a picture that another thread is drawing is waited for

_HERE = Path(__file__).parent


class LivePicture(anywidget.AnyWidget):
    """A picture in the page that can be replaced, with a real alt text, a caption and room for an error."""

    _esm = (_HERE / "interactive.js").read_text(encoding="utf-8")
    _css = (_HERE / "interactive.css").read_text(encoding="utf-8")
    png = traitlets.Bytes(b"").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(672).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __repr__(self) -> str:
        return self.alt


class InteractiveFigure(widgets.VBox):
    """Controls above a figure; see `interactive_figure` and `live_figure`.

    Attributes:
        controls: the ipywidgets controls by name.
        picture: the picture widget, with `alt` and `problem`.
    """

    def __init__(
        self, drawing: Drawing, controls: dict[str, widgets.ValueWidget], given: Mapping[str, Any]
    ) -> None:
        self._own: list[widgets.Widget] = []
        self._drawing = drawing
        self.controls = controls
        self.picture = LivePicture()
        self._queue = SerialQueue()
        self._redraw_or_raise()
        self._debounce = Debounce(self._redraw)
        for control in controls.values():
            control.observe(self._debounce.changed, names="value")
        panel = widgets.Box(
            list(controls.values()), layout=widgets.Layout(flex_flow="row wrap", grid_gap="0 1.5em")
        )
        super().__init__([panel, self.picture])
        made = [control for name, control in controls.items() if control is not given[name]]
        own = [self, self.picture, panel, *made]
        self._own = [*own[1:], *(part.layout for part in own), *(control.style for control in made)]

    def __repr__(self) -> str:
        return self.picture.alt

    def close(self) -> None:
        """End the figure in kernel and page. Controls that it was given may be in use elsewhere; they stay."""
        if self.comm is not None:
            for control in self.controls.values():
                control.unobserve(self._debounce.changed, names="value")
        super().close()  # type: ignore[no-untyped-call]
        for widget in self._own:
            widget.close()

    @property
    def figure(self) -> Figure:
        """The figure last drawn without an error."""
        return self._drawing.figure

    def values(self) -> dict[str, Any]:
        """Return what the controls say at the moment."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self) -> None:
        self._queue.run(self._redraw_or_tell)

    def _redraw_or_tell(self) -> None:
        try:
            self._redraw_or_raise()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told where the learner looks
            given = ", ".join(f"{name}={value!r}" for name, value in self.values().items())
            self.picture.problem = f"No picture for {given}. {type(error).__name__}: {error}"

    def _redraw_or_raise(self) -> None:
        with _nothing_collected():
            alt, png = self._drawing.draw(self.values())
        with self.picture.hold_sync():  # one message: picture, text and size belong together
            self.picture.problem = ""
            self.picture.alt = alt
            self.picture.caption = what_is_drawn(alt)
            self.picture.width = shown_width(self.figure)
            self.picture.png = png

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        let_go_of_earlier(self)
        bundle: dict[str, Any] = dict(super()._repr_mimebundle_(**kwargs))
        bundle["text/plain"] = self.picture.alt
        bundle |= self._still()
        return bundle, {"image/png": {"width": shown_width(self.figure)}}

    def _still(self) -> dict[str, str]:
        """Return the picture and its text for where no widgets are shown; nothing if drawing goes on for too long."""
        still: dict[str, str] = {}
        self._queue.run(
            lambda: still.update({"text/plain": self.picture.alt, "image/png": self._drawing.still()})
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
    return InteractiveFigure(DrawnAnew(draw), _controls("interactive_figure", controls), controls)


def live_figure(
    set_up: Callable[[Figure], Any], update: Callable[..., str], **controls: Any
) -> InteractiveFigure:
    """Show a figure that is drawn once, and of which only what changes is drawn when a control moves.

    It is three times as quick as `interactive_figure`, and otherwise the same. Limits, ticks and labels may change too:
    then the whole is drawn again. Whole axes may be among the artists, too.

    Args:
        set_up: called once with an empty matplotlib figure; draws what stands still and returns the artists that
            change: one, or a list or dict of them, which may also hold other lists, dicts and values for `update`.
        update: called as `update(artists, **values)` with what `set_up` has returned; changes the artists, to what
            they have to be for these values and not only by what is new, and returns the alt text.
        **controls: as in `interactive_figure`.

    Raises:
        TypeError: if `set_up` or `update` can't be called, `update` returns no text, or a control is of no use as one.
        ValueError: if `update` returns an empty alt text.

    Example:
        >>> def set_up(figure):
        ...     axes = figure.subplots()
        ...     axes.set(xlim=(0, 1), ylim=(0, 20), xlabel="load", ylabel="time")
        ...     return axes.plot([], [], "o")[0]
        >>> def update(point, load):
        ...     point.set_data([load], [1 / (1 - load)])
        ...     return f"At load {load:.2f} it takes {1 / (1 - load):.1f}."
        >>> live_figure(set_up, update, load=(0.1, 0.9, 0.1))
        At load 0.50 it takes 2.0.
    """
    for name, given in (("set_up", set_up), ("update", update)):
        if not callable(given):
            raise TypeError(f"{name} must be a function, got {given!r}")
    return InteractiveFigure(Updated(set_up, update), _controls("live_figure", controls), controls)


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


def _controls(door: str, given: dict[str, Any]) -> dict[str, widgets.ValueWidget]:
    if not given:
        raise TypeError(f"{door} needs at least one control, such as load=(0.1, 0.9, 0.1)")
    return {name: _control(name, abbreviation) for name, abbreviation in given.items()}


def _control(name: str, given: Any) -> widgets.ValueWidget:
    control = given if isinstance(given, widgets.Widget) else interactive.widget_from_abbrev(given)
    if not isinstance(control, widgets.DOMWidget) or not hasattr(control, "value"):
        raise TypeError(
            f"{name}={given!r} can't be made into a control. Give a range (low, high, step), a list of choices, "
            "True or False, or an ipywidgets control."
        )
    if not control.description:
        control.description = name.replace("_", " ")
    if hasattr(control, "style"):
        control.style.description_width = "initial"
    if isinstance(control, widgets.widget_int._BoundedInt | widgets.widget_float._BoundedFloat):
        control.layout.width = control.layout.width or "22em"
    return control
