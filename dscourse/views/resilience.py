"""Pictures of notebook 11: what a design survives, what a timeout cuts off, and tables as pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dscourse import datasets
from dscourse.resilience import Ablation, Design
from dscourse.resilience.incidents.dynamodb import METADATA
from dscourse.resilience.incidents.metastable_map import MAP_DESIGNS, MAP_LOADS, MAP_TRIGGERS, recovers
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.axes import given_or_new, legend_above, named_rows, percent_axis, placed_axes, sample
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player import lanes
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings

_OWN = ("retry", "backoff", "retry_budget", "breaker", "deadline", "shedding")
_BACK: dict[str, Any] = {"marker": "o", "color": palette.SKY, "markersize": 9}
_DOWN: dict[str, Any] = {"marker": "X", "color": palette.VERMILION, "markersize": 9}


# ── Lanes of players ──────────────────────────────────────────────────────────────────────────────────────────


def overload_lanes(deadline: float = 2.0) -> tuple[Lane, ...]:
    """Return what a player shows below a run of `overload_scenario`: goodput, attempts, and who waits."""
    return lanes.goodput(deadline), Lane("attempts", "/s", _attempts), lanes.queue("server")


def _attempts(run: Run, _: float | None) -> Points:
    times = np.array(run.trace.select(kind="send", node="front", peer="server").times)
    counts = np.bincount(times.astype(int), minlength=int(run.until))
    return [(float(second), float(count)) for second, count in enumerate(counts)]


def dynamodb_lanes() -> tuple[Lane, ...]:
    """Return what a player shows below a run of `dynamodb_scenario`: servers out of service, and who waits."""
    return Lane("out of service", "servers", _out_of_service), lanes.queue(METADATA)


def _out_of_service(run: Run, _: float | None) -> Points:
    out: dict[str, bool] = {}
    points: Points = []
    for event in run.trace.select(kind="record", name="status"):
        out[str(event.node)] = event.detail["status"] == "off"
        points.append((event.time, float(sum(out.values()))))
    return points


# ── Metastable states ─────────────────────────────────────────────────────────────────────────────────────────


def explore_metastable_map() -> InteractiveFigure:
    """Show for which loads and triggers a design stays down, and your own design as a point on that map.

    The map is computed (``data/resilience/metastable_map``). Your point is a run of its own: it takes about half a
    second whenever you move it or change one of its switches.
    """
    table = datasets.load("resilience/metastable_map")
    back = {(one.design, one.load, one.trigger): one.recovered > 0 for one in table.itertuples()}
    switches = {
        name: widgets.Checkbox(
            name == "retry",
            description=name.replace("_", " "),
            indent=False,
            layout=widgets.Layout(width="8em"),
        )
        for name in _OWN
    }
    return live_figure(
        _set_up_map,
        lambda drawn, map_of, load, trigger, **own: _update_map(drawn, back, map_of, load, trigger, own),
        map_of=widgets.Dropdown(options=list(MAP_DESIGNS), description="map of"),
        load=widgets.SelectionSlider(
            options=MAP_LOADS, value=25, description="your load", continuous_update=False
        ),
        trigger=widgets.SelectionSlider(
            options=MAP_TRIGGERS, value=1.0, description="your trigger", continuous_update=False
        ),
        **switches,
    )


@lru_cache(maxsize=128)
def _recovers(design: Design, load: float, trigger: float) -> bool:
    return recovers(design, load, trigger)


def _set_up_map(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.09, 0.15, 0.66, 0.97, size=(8.6, 4.0))
    ax.set(xlabel="requests a second", ylabel="the database stands still for (s)")
    ax.set(xlim=(-0.6, len(MAP_LOADS) - 0.4), ylim=(-0.6, len(MAP_TRIGGERS) - 0.4))
    ax.set_xticks(range(len(MAP_LOADS)), [str(load) for load in MAP_LOADS])
    ax.set_yticks(range(len(MAP_TRIGGERS)), [f"{trigger:g}" for trigger in MAP_TRIGGERS])
    ax.grid(visible=False)
    (back,) = ax.plot([], [], linestyle="", **_BACK)
    (down,) = ax.plot([], [], linestyle="", **_DOWN)
    (own,) = ax.plot(
        [], [], "s", markersize=21, markerfacecolor="none", markeredgewidth=2.5, color=palette.BLACK
    )
    handles = [
        sample("serves again by itself", **_BACK),
        sample("stays down", **_DOWN),
        sample("your design", marker="s", markerfacecolor="none", color=palette.BLACK, markersize=12),
    ]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.03, 1.0), frameon=False, labelspacing=1.4)
    verdict = figure.text(0.685, 0.45, "", fontsize=10, va="top", linespacing=1.5)
    return {"back": back, "down": down, "own": own, "verdict": verdict}


def _update_map(
    drawn: dict[str, Any],
    back: dict[tuple[str, int, float], bool],
    map_of: str,
    load: int,
    trigger: float,
    own: dict[str, bool],
) -> str:
    cells = [(x, y) for x in range(len(MAP_LOADS)) for y in range(len(MAP_TRIGGERS))]
    serves = {cell: back[map_of, MAP_LOADS[cell[0]], MAP_TRIGGERS[cell[1]]] for cell in cells}
    for name, wanted in (("back", True), ("down", False)):
        chosen = [cell for cell in cells if serves[cell] is wanted]
        drawn[name].set_data(*(zip(*chosen, strict=True) if chosen else ([], [])))
    design = Design(timeout=True, **own)
    fine = _recovers(design, float(load), trigger)
    drawn["own"].set_data([MAP_LOADS.index(load)], [MAP_TRIGGERS.index(trigger)])
    drawn["own"].set_color(palette.BLUE if fine else palette.VERMILION)
    verdict = "serves again by itself" if fine else "stays down"
    switched = [name.replace("_", " ") for name, on in own.items() if on]
    drawn["verdict"].set_text(f"Your design:\ntimeouts, {', '.join(switched) or 'nothing else'}\n\n{verdict}")
    return (
        f"Map of metastable states, {map_of}: of {len(cells)} combinations of load and trigger "
        f"{sum(not one for one in serves.values())} stay down. Your design with {', '.join(design.switched_on)}, "
        f"at {load} requests a second and a trigger of {trigger:g} s, {verdict}."
    )


# ── What a timeout cuts off ──────────────────────────────────────────────────────────────────────────────────


def explore_timeout(seconds: Any) -> InteractiveFigure:
    """Let the learner move a timeout over measured times of good answers, and read what it cuts off.

    Args:
        seconds: how long good answers took, on a calm day.
    """
    times = np.sort(np.asarray(seconds, dtype=float))

    def set_up(figure: Figure) -> dict[str, Any]:
        ax = placed_axes(figure, 0.1, 0.17, 0.97, 0.95, size=(7.4, 3.0))
        ax.set(
            xlabel="milliseconds",
            ylabel="share that takes longer",
            xlim=(0, 600),
            ylim=(2e-4, 1.2),
            yscale="log",
        )
        ax.step(1e3 * times, 1.0 - np.arange(len(times)) / len(times), where="post", color=palette.BLUE)
        line = ax.axvline(0, color=palette.VERMILION, linewidth=2)
        words = ax.text(0.98, 0.9, "", transform=ax.transAxes, ha="right", va="top", fontsize=10)
        return {"line": line, "words": words}

    def update(drawn: dict[str, Any], timeout: int) -> str:
        share = float(np.mean(times > timeout / 1e3))
        drawn["line"].set_xdata([timeout, timeout])
        drawn["words"].set_text(f"{100 * share:.2f} % of good answers are cut off")
        return f"Times of {len(times)} good answers: a timeout of {timeout} ms cuts off {100 * share:.2f} %."

    return live_figure(
        set_up, update, timeout=widgets.IntSlider(50, min=10, max=600, step=10, description="timeout (ms)")
    )


# ── Tables as pictures ────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_ablation(result: Ablation, ax: Axes | None = None) -> Picture:
    """Show what each switch adds to goodput, alone and on average over all combinations of the others, with bands."""
    table = result.table()
    axes = given_or_new(ax, 7.4, 0.55 * len(table) + 1.3)
    named_rows(axes, [name.replace("_", " ") for name in table.index], above=0.7, below=0.7)
    for place, way in enumerate(("alone", "on average", "left out")):
        gain, low, high = (table[way, column].to_numpy(float) for column in ("gain", "low", "high"))
        look: dict[str, Any] = {
            "color": palette.SERIES[place],
            "marker": palette.MARKERS[place],
            "capsize": 3,
            "linestyle": "",
        }
        rows = np.arange(len(table)) + 0.22 * (place - 1)
        axes.errorbar(gain, rows, xerr=[gain - low, high - gain], label=_WAYS[way], **look)
    axes.axvline(0, color=palette.BLACK, linewidth=1)
    axes.set_xlabel("share of the requests that it saves")
    percent_axis(axes.xaxis)
    legend_above(axes)
    told = "; ".join(
        f"{name} alone {100 * row['alone', 'gain']:+.0f} %, on average {100 * row['on average', 'gain']:+.0f} %"
        for name, row in table.iterrows()
    )
    return Picture(axes, f"What each pattern saves in the incident {result.incident}: {told}.")


_WAYS = {"alone": "added to none", "on average": "on average", "left out": "missing from all"}


@default_settings
def draw_defense(table: pd.DataFrame, ax: Axes | None = None) -> Picture:
    """Show the share of requests lost as a grid, as `defense_in_depth` returns it: a row an incident."""
    axes = given_or_new(ax, 7.6, 0.36 * len(table) + 1.1)
    values = table.to_numpy(float)
    axes.imshow(values, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(table.shape[1]), list(table.columns))
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(table)), list(table.index))
    for row, column in np.ndindex(values.shape):
        share = values[row, column]
        axes.text(
            column,
            row,
            f"{100 * share:.0f} %",
            ha="center",
            va="center",
            color="white" if share > 0.6 else "black",
        )
    told = "; ".join(
        f"{name} {', '.join(f'{100 * value:.0f} %' for value in row)}"
        for name, row in zip(table.index, values, strict=True)
    )
    return Picture(axes, f"Share of the requests that are lost, {', '.join(table.columns)}: {told}.")
