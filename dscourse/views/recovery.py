"""Pictures of notebook 10: a failover's steps and what clients saw, repair time against loss, a dial, and lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dscourse.recovery import (
    failover_report,
    probability_of_data_loss,
    service_of,
)
from dscourse.recovery.failover import STEPS
from dscourse.recovery.fleet import machine_states
from dscourse.recovery.rereplication import MASTER
from dscourse.simulation import Crash, Run
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    legend_above,
    line_style,
    logarithmic,
    named_rows,
    on_white,
    placed_axes,
    sample,
    wiped,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player import lanes
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings

_STEP_LOOKS: dict[str, dict[str, Any]] = {
    "detect": {"color": palette.VERMILION, "hatch": ""},
    "elect": {"color": palette.PURPLE, "hatch": "xx"},
    "promote": {"color": palette.ORANGE, "hatch": "///"},
    "redirect": {"color": palette.SKY, "hatch": "..."},
}
_ANSWERED: dict[str, Any] = {"marker": "o", "color": palette.BLUE, "markersize": 3}
_FAILED: dict[str, Any] = {"marker": "x", "color": palette.VERMILION, "markersize": 6}
_BEFORE, _AFTER = 3.0, 60.0  # seconds around the crash that a picture of a failover shows
YEAR = 8766.0  # hours
REPAIR_HOURS = np.geomspace(0.1, 1000, 41)
COPIES = (2, 3, 4)


# ── Failover ──────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_failover(run: Run, ax: Axes | None = None) -> Picture:
    """Show the steps of a run's first failover on one time axis, and below them what each application's clients saw."""
    axes = _frame_failover(given_or_new(ax, 7.4, 3.2), run)
    return Picture(axes, _paint_failover(axes, run))


def explore_redirect(runs: Mapping[str, Run]) -> InteractiveFigure:
    """Let the learner choose how applications are redirected, and see the same crash.

    Args:
        runs: name → a run of `failover_scenario`; all with the same applications.
    """

    def set_up(figure: Figure) -> Axes:
        axes = placed_axes(figure, 0.09, 0.15, 0.98, 0.88, size=(7.6, 3.3))
        return _frame_failover(axes, next(iter(runs.values())))

    def update(axes: Axes, redirect: str) -> str:
        return f"Redirected by {redirect}. {_paint_failover(wiped(axes), runs[redirect])}"

    choice = widgets.Dropdown(options=list(runs), description="redirected by")
    return live_figure(set_up, update, redirect=choice)


def _applications(run: Run) -> list[str]:
    return [node for node in run.nodes if node.startswith("app")]


def _frame_failover(axes: Axes, run: Run) -> Axes:
    named_rows(axes, ["steps", *_applications(run)], above=0.7, below=0.6)
    axes.set(xlim=(-_BEFORE, _AFTER), xlabel="seconds after the crash")
    handles = [sample(step, marker="s", markersize=9, color=_STEP_LOOKS[step]["color"]) for step in STEPS]
    handles += [sample("answered", **_ANSWERED), sample("failed", **_FAILED)]
    legend_above(axes, handles, columns=6)
    return axes


def _paint_failover(axes: Axes, run: Run) -> str:
    crash = min(begin for fault, begin, _ in run.trace.fault_intervals() if isinstance(fault, Crash))
    report, history = failover_report(run), run.history()
    begin = 0.0
    for step, seconds in report.steps.items():
        draw_stretch(axes, 0, begin, begin + seconds, 0.8, edgecolor=palette.BLACK, **_STEP_LOOKS[step])
        begin += seconds
    axes.text(begin + 0.7, 0, f"{begin:.1f} s", va="center", fontsize=9, bbox=on_white())
    axes.axvline(0, color=palette.BLACK, linewidth=1, linestyle=":")
    for row, app in enumerate(_applications(run), start=1):
        asked = [one for one in history if one.to == app]
        for good, look in ((True, _ANSWERED), (False, _FAILED)):
            times = [one.invoked - crash for one in asked if (one.outcome == "ok") == good]
            axes.plot(times, [row] * len(times), linestyle="", **look)
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.steps.items())
    total = "never" if report.total is None else f"after {report.total:.1f} s"
    return (
        f"The steps after the crash: {steps}. The last application has turned to the new primary {total}; "
        f"{report.failed} requests failed."
    )


# ── Repair ────────────────────────────────────────────────────────────────────────────────────────────────────


def repair_lanes() -> tuple[Lane, ...]:
    """Return what a player shows below a run of `rereplication_scenario`: chunks short, servers given up, p99."""

    def told(place: int, run: Run) -> Points:
        labels = run.trace.select(kind="record", name="status", node=MASTER)
        return [
            (event.time, float(event.detail["label"].split(", ")[place].split()[0]))
            for event in labels  # "3 short, 1 dead"
        ]

    return (
        Lane("chunks short of a copy", "", lambda run, _: told(0, run)),
        Lane("servers taken for dead", "", lambda run, _: told(1, run)),
        lanes.latency(0.99),
    )


def fleet_lanes() -> tuple[Lane, ...]:
    """Return what a player shows below a run of a fleet: how many machines work, and how many boot."""

    def count(state: str, run: Run) -> Points:
        return [(time, float(list(states.values()).count(state))) for time, states in machine_states(run)]

    return (
        Lane("machines that work", "", lambda run, _: count("works", run)),
        Lane("machines that boot", "", lambda run, _: count("boots", run)),
    )


def explore_repair_time() -> InteractiveFigure:
    """Let the learner turn the time of repair and the disks' failure rate, and read the chance of losing data."""

    def set_up(figure: Figure) -> dict[str, Any]:
        axes = _frame_loss(placed_axes(figure, 0.11, 0.14, 0.66, 0.97, size=(8.0, 3.7)))
        curves = [
            axes.plot([], [], label=" ", marker=palette.MARKERS[place], markevery=[], **line_style(place))[0]
            for place in range(len(COPIES))
        ]
        marks = [
            axes.plot([], [], palette.MARKERS[place], color=palette.SERIES[place], markersize=9)[0]
            for place in range(len(COPIES))
        ]
        now = axes.axvline(1, color=palette.BLACK, linestyle=":", linewidth=1.2)
        legend = axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.03, 1.0),
            frameon=False,
            fontsize=9,
            labelspacing=1.0,
            handlelength=3,
        )
        return {"curves": curves, "marks": marks, "now": now, "legend": legend, "rate": None}

    def update(drawn: dict[str, Any], repair_hours: float, fail_a_year: float) -> str:
        words = []
        for copies, curve, mark, text in zip(
            COPIES, drawn["curves"], drawn["marks"], drawn["legend"].get_texts(), strict=True
        ):
            chance = _chance(copies, fail_a_year / 100, repair_hours)
            if drawn["rate"] != fail_a_year:
                curve.set_data(REPAIR_HOURS, _chances(copies, fail_a_year / 100))
            mark.set_data([repair_hours], [chance])
            text.set_text(f"{copies} copies: {chance:.1e}")
            words.append(f"{copies} copies: {chance:.1e}")
        drawn["rate"] = fail_a_year
        drawn["now"].set_xdata([repair_hours, repair_hours])
        return (
            f"Chance that a group is lost in a year if {fail_a_year:g} % of the disks fail in a year and a copy is "
            f"made anew in {repair_hours:.3g} h on average. {'; '.join(words)}."
        )

    hours = widgets.FloatLogSlider(24.0, base=10, min=-1, max=3, step=0.1, description="repair takes (h)")
    rate = widgets.FloatSlider(1.5, min=0.5, max=13.0, step=0.5, description="fail a year (%)")
    return live_figure(set_up, update, repair_hours=hours, fail_a_year=rate)


def _frame_loss(axes: Axes) -> Axes:
    axes.set(xlim=(0.1, 1000), ylim=(1e-20, 1), xlabel="hours until a copy is made anew, mean")
    axes.set_ylabel("chance of losing a group in a year")
    logarithmic(axes, y=None, minor=False)
    axes.set_yscale("log")
    axes.set_yticks([10.0**power for power in range(-20, 1, 4)])
    return axes


def _chance(copies: int, yearly_failure_rate: float, hours: float) -> float:
    return probability_of_data_loss(copies, YEAR / yearly_failure_rate, hours, YEAR, repairers="each")


def _chances(copies: int, yearly_failure_rate: float) -> list[float]:
    return [_chance(copies, yearly_failure_rate, float(hours)) for hours in REPAIR_HOURS]


# ── Degradation ───────────────────────────────────────────────────────────────────────────────────────────────


def explore_dial(runs: Mapping[str, Run]) -> InteractiveFigure:
    """Let the learner set a server's dial, and see what its users got in each second.

    Args:
        runs: name of a setting → a run of `brownout_scenario`; all of the same length.
    """
    until = round(next(iter(runs.values())).until)
    got = {name: _by_second(run) for name, run in runs.items()}
    told = {name: service_of(run) for name, run in runs.items()}

    def set_up(figure: Figure) -> dict[str, Any]:
        axes = placed_axes(figure, 0.09, 0.15, 0.98, 0.88, size=(7.4, 3.2))
        axes.set(xlim=(0, until), ylim=(-0.03, 1.05), xlabel="seconds", ylabel="mean over a second")
        lines = [
            axes.plot([], [], drawstyle="steps-post", label=label, **line_style(place))[0]
            for place, label in enumerate(("share answered in time", "worth of a request"))
        ]
        legend_above(axes)
        return {"lines": lines}

    def update(drawn: dict[str, Any], dial: str) -> str:
        for line, values in zip(drawn["lines"], got[dial], strict=True):
            line.set_data(range(len(values)), values)
        return (
            f"Dial at {dial}: {100 * told[dial].answered:.0f} % of all requests are answered in time, and a request "
            f"is worth {told[dial].value:.2f} on average."
        )

    return live_figure(set_up, update, dial=widgets.Dropdown(options=list(runs), description="dial"))


def _by_second(run: Run) -> tuple[list[float], list[float]]:
    """Return the share answered in time and the mean worth of the requests of each second but the last."""
    seconds = round(run.until) - 1
    asked, answered, worth = [0] * seconds, [0] * seconds, [0.0] * seconds
    for one in run.history():
        if one.invoked < seconds:
            second = int(one.invoked)
            asked[second] += 1
            answered[second] += one.outcome == "ok"
            worth[second] += float(one.value) if one.outcome == "ok" else 0.0
    return (
        [count / max(1, of) for count, of in zip(answered, asked, strict=True)],
        [value / max(1, of) for value, of in zip(worth, asked, strict=True)],
    )
