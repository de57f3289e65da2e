"""What lives on a notebook's page, as data that a page without a kernel can show: run in the notebook's own kernel.

from collect import collect
collect("live.json")        # every player and every figure with controls that this kernel has made
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
from ipywidgets.widgets.widget import _instances as widgets_by_id

from dscourse.views.interactive import InteractiveFigure
from dscourse.views.picture import shown_width, what_is_drawn
from dscourse.views.player.widget import Player

LARGEST_TABLE = 36  # pictures
FEWEST_VALUES = 3  # of a control: with fewer there is nothing to step through
TABLE_SECONDS = 12.0
TABLE_BYTES = 2_500_000
#: What a player's page needs to know beside its runs.
PLAYER_STATE = ("acts", "code", "fields", "problem", "answered", "tasks", "hides_future", "hides_faults")
UNREACHABLE = "To break it you need Python: open the notebook in JupyterLab or on Binder."


def collect(path: str) -> None:
    """Write a description of each live thing of this kernel, by its model's id, as JSON."""
    found: dict[str, Any] = {}
    for model_id, widget in list(widgets_by_id.items()):
        if isinstance(widget, Player):
            found[model_id] = player(widget)
        elif isinstance(widget, InteractiveFigure):
            described = table(widget)
            if described is not None:
                found[model_id] = described
    Path(path).write_text(json.dumps(found), encoding="utf-8")


def player(widget: Player) -> dict[str, Any]:
    """Describe a player: its runs as they go to the page, and what it shows when its faults are revealed."""
    state = {name: getattr(widget, name) for name in PLAYER_STATE}
    described = {"kind": "player", "state": {**state, "unreachable": UNREACHABLE}, "bytes": _runs(widget)}
    if widget.hides_faults:
        widget.reveal()
        described["revealed"] = _runs(widget)
    return described


def _runs(widget: Player) -> dict[str, str]:
    return {name: base64.b64encode(getattr(widget, name)).decode("ascii") for name in ("payload", "before")}


def table(widget: InteractiveFigure) -> dict[str, Any] | None:
    """Describe a figure by pictures of some of its settings; None where there are too many, or they take too long."""
    controls = list(widget.controls.items())
    choices = [_values(control) for _, control in controls]
    if not choices or any(values is None for values in choices):
        return None
    fits = math.prod(map(len, choices)) <= LARGEST_TABLE
    each = LARGEST_TABLE if fits else int(LARGEST_TABLE ** (1 / len(choices)) + 1e-9)
    if each < FEWEST_VALUES:
        return None
    thinned = [
        _thinned(values, control.value, each) for values, (_, control) in zip(choices, controls, strict=True)
    ]
    if any(len(few) < min(FEWEST_VALUES, len(all_)) for few, all_ in zip(thinned, choices, strict=True)):
        return None
    names = [name for name, _ in controls]
    pictures, began, size = {}, time.monotonic(), 0
    for places in itertools.product(*(range(len(values)) for values in thinned)):
        setting = {
            name: thinned[place][index][1]
            for place, (name, index) in enumerate(zip(names, places, strict=True))
        }
        alt, png = widget._drawing.draw(setting)
        text = base64.b64encode(png).decode("ascii")
        size += len(text)
        if time.monotonic() - began > TABLE_SECONDS or size > TABLE_BYTES:
            return None
        pictures[",".join(map(str, places))] = {
            "png": text,
            "alt": alt,
            "caption": what_is_drawn(alt),
            "width": shown_width(widget.figure),
        }
    told = [
        {
            "label": control.description,
            "values": [label for label, _ in values],
            "start": next(i for i, (_, value) in enumerate(values) if value == control.value),
        }
        for values, (_, control) in zip(thinned, controls, strict=True)
    ]
    return {"kind": "table", "controls": told, "pictures": pictures}


def _values(control: Any) -> list[tuple[str, Any]] | None:
    """Return what a control can say, with the words for it; None for a control that isn't of a kind known here."""
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return [("no", False), ("yes", True)]
    if isinstance(control, ipywidgets.IntSlider | ipywidgets.FloatSlider | ipywidgets.FloatLogSlider):
        return [(_label(control, value), value) for value in _steps(control)]
    options = getattr(control, "_options_full", None)
    return [(str(label), value) for label, value in options] if options else None


def _label(control: Any, value: float) -> str:
    return format(value, control.readout_format)


def _steps(control: Any) -> Iterator[float]:
    count = round((control.max - control.min) / control.step)
    for step in range(count + 1):
        value = control.min + step * control.step
        if isinstance(control, ipywidgets.FloatLogSlider):
            yield control.base**value
        else:
            yield value if isinstance(control, ipywidgets.IntSlider) else round(value, 10)


def _thinned(values: Sequence[tuple[str, Any]], start: Any, count: int) -> list[tuple[str, Any]]:
    """Return at most so many of them, evenly spread, with the one at the start and both ends."""
    nearest = min(
        range(len(values)), key=lambda place: (values[place][1] != start, _distance(values[place][1], start))
    )
    if len(values) <= count:
        kept = list(range(len(values)))
    else:
        kept = sorted({round(step * (len(values) - 1) / (count - 1)) for step in range(count)})
        if nearest not in kept:
            kept[min(range(len(kept)), key=lambda place: abs(kept[place] - nearest))] = nearest
    chosen = [values[place] for place in kept]
    label, _ = values[nearest]
    return [(one, start if one == label else value) for one, value in chosen]


def _distance(value: Any, start: Any) -> float:
    return abs(value - start) if isinstance(value, int | float) and isinstance(start, int | float) else 0.0
