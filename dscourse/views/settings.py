"""The settings of matplotlib under which every picture of the course is made and drawn: its own defaults.

Whoever has `plt.style.use("dark_background")` in a notebook, or a matplotlibrc that asks for LaTeX, sees the same
pictures as everybody else, and finds their settings as they were.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any, cast

from matplotlib import rcParams, rcParamsDefault

_in_force = cast(dict[str, Any], rcParams)


def _copy(settings: Any) -> dict[str, Any]:
    """Return settings unchecked, without the window system: that is no matter of looks."""
    return {name: value for name, value in dict.items(settings) if name != "backend"}


_DEFAULTS = _copy(rcParamsDefault)


class _DefaultSettings(ContextDecorator):
    """Puts matplotlib's defaults in force while a picture is made or drawn, also where several are at once.

    `matplotlib.rc_context` checks every value again, which takes half a millisecond; a redraw enters it often. And of
    two drawings at once, as in threads of a reader's own, the second would take what the first has set for the
    reader's. So the first one in keeps the settings, the last one out puts them back.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._kept: dict[str, Any] = {}

    def __enter__(self) -> None:
        if self._inside == 0:
            self._kept = _copy(rcParams)
            dict.update(_in_force, _DEFAULTS)
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1
        if self._inside == 0:
            dict.update(_in_force, self._kept)


default_settings = _DefaultSettings()
"""A context, and a decorator of every function that makes or draws a picture."""
