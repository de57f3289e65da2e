"""The picture of notebook 12 that holds a prediction against what real processes did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dscourse.consensus import FailoverTimes
from dscourse.views import palette
from dscourse.views.axes import new_figure, sample, tidy
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

_TIMES = (
    ("detection", "until somebody stands\nfor election"),
    ("downtime", "until somebody leads"),
    ("write", "a write, with a leader"),
)
_MIDDLE = (0.05, 0.95)
_PREDICTED: dict[str, Any] = {"color": palette.SKY, "marker": "|"}
_MEASURED: dict[str, Any] = {"color": palette.VERMILION, "marker": "D"}


@default_settings
def draw_prediction(predicted: FailoverTimes, measured: FailoverTimes) -> Picture:
    """Show what the simulator expects of failovers and what processes did: three times, each on an axis of its own.

    Args:
        predicted: from `predict_failovers`, with the machine's own message delays.
        measured: ``FailoverTimes.of(run)`` of a live run.
    """
    figure = new_figure(7.4, 3.8)
    words = []
    for axes, (name, label) in zip(figure.subplots(3, 1), _TIMES, strict=True):
        expected, seen = getattr(predicted, name), getattr(measured, name)
        _draw(tidy(axes), label, expected, seen)
        words.append(_in_words(label.replace("\n", " "), expected, seen))
    axes.set_xlabel("milliseconds")
    handles = [
        sample("simulated", **_PREDICTED, markersize=10),
        sample("nine of ten simulated", color=palette.SKY, linestyle="-", linewidth=7, alpha=0.5),
        sample("measured", **_MEASURED, markersize=6),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    return Picture(figure, f"A leader dies, simulated and for real. {' '.join(words)}")


def _draw(axes: Axes, label: str, expected: Sequence[float], seen: Sequence[float]) -> None:
    low, high = _middle(expected)
    axes.barh(0, high - low, 0.5, left=low, color=palette.SKY, alpha=0.5, edgecolor="none")
    for row, seconds, look in ((0, expected, _PREDICTED), (1, seen, _MEASURED)):
        axes.plot(1000 * np.asarray(seconds), [row] * len(seconds), linestyle="", markersize=7, **look)
    axes.set_yticks([0, 1], ["simulated", "measured"], fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylim(1.6, -0.6)
    axes.set_xlim(left=0)
    axes.set_title(label.replace("\n", " "), loc="left", fontsize=9)


def _middle(seconds: Sequence[float]) -> tuple[float, float]:
    """Between which milliseconds nine of ten lie."""
    low, high = np.quantile(np.asarray(seconds), _MIDDLE)
    return 1000 * float(low), 1000 * float(high)


def _in_words(label: str, expected: Sequence[float], seen: Sequence[float]) -> str:
    low, high = _middle(expected)
    inside = sum(low <= 1000 * one <= high for one in seen)
    return (
        f"{label[0].upper()}{label[1:]}: nine of ten simulated take {low:.3g} to {high:.3g} ms; measured were "
        f"{1000 * min(seen):.3g} to {1000 * max(seen):.3g} ms, {inside} of {len(seen)} within."
    )
