"""Pictures of notebook 08: silences, what patience costs, φ, speed against mistakes, who watches whom, defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from dscourse.detection import PhiHistory, PresetTrial, TradeOff, service_report, suspicion_history
from dscourse.detection.evictions import WORKERS, failed_requests
from dscourse.detection.silences import OBSERVER, STRIKES_AT, observations, unanswered
from dscourse.readable import readable_number
from dscourse.simulation import Crash, Pause, Run
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    label_point,
    legend_above,
    named_rows,
    number_axis,
    on_white,
    placed_axes,
    sample,
    wiped,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings

_LOOKS: dict[str, tuple[str, Any, str]] = {  # detector → colour, dash, marker; the same in every picture
    "timeout from arrival": (palette.BLUE, "-", "o"),
    "timeout from sending (NFD-S)": (palette.ORANGE, "--", "s"),
    "ping": (palette.GREY, "-.", "v"),
    "phi, normal": (palette.GREEN, "-", "^"),
    "phi, exponential": (palette.PURPLE, ":", "D"),
    "SWIM": (palette.VERMILION, (0, (1, 1)), "P"),
}


def _line(detector: str) -> dict[str, Any]:
    colour, dash, _ = _LOOKS.get(detector, (palette.BLACK, "-", "X"))
    return {"color": colour, "linestyle": dash}


_FLOOR = 0.08  # mistakes per link and hour; a recording of 40 links for 11 minutes shows no rate below 0.13


# ── Silences ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_silences(runs: Mapping[str, Run], observer: str = OBSERVER, ax: Axes | None = None) -> Picture:
    """Show what an observer has heard of its peer in each of several runs: every answer, every ping without one."""
    axes = given_or_new(ax, 7.0, 0.36 * len(runs) + 1.2)
    answer: dict[str, Any] = {"marker": "o", "color": palette.BLUE}
    silence: dict[str, Any] = {"marker": "x", "color": palette.VERMILION, "markeredgewidth": 1.8}
    sentences = []
    for row, (cause, run) in enumerate(runs.items()):
        heard = [time for time, _ in observations(run, observer)]
        missing = unanswered(run, observer)
        axes.plot(heard, [row - 0.12] * len(heard), linestyle="", markersize=6, **answer)
        axes.plot(missing, [row + 0.12] * len(missing), linestyle="", markersize=6, **silence)
        sentences.append(f"{cause}: {len(heard)} answers, {len(missing)} pings without one")
    until = max(run.until for run in runs.values())
    axes.axvline(STRIKES_AT, color=palette.BLACK, linewidth=1, linestyle=":")
    axes.set(xlim=(-0.5, until + 0.5), xlabel="seconds")
    axes.xaxis.set_major_locator(MultipleLocator(5))
    named_rows(axes, list(runs), above=0.75, below=0.5)
    handles = [
        sample(f"an answer reaches {observer}", **answer),
        sample("a ping without answer so far", **silence),
        sample("the trouble begins", linestyle=":", color=palette.BLACK),
    ]
    legend_above(axes, handles)
    return Picture(axes, f"What {observer} knows of n1 after {until:g} seconds. {'; '.join(sentences)}.")


# ── A service ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def explore_patience(runs: Mapping[float, Run]) -> InteractiveFigure:
    """Let the learner choose a service's timeout, and see who is given up and when its clients get no answer.

    Args:
        runs: timeout → a run of `worker_service`; all of the same length and with the same faults.
    """
    first = next(iter(runs.values()))

    def set_up(figure: Figure) -> list[Axes]:
        above = placed_axes(figure, 0.13, 0.6, 0.98, 0.97, size=(7.6, 3.9))
        below = figure.add_axes((0.13, 0.13, 0.85, 0.36))
        above.set(xlim=(0, first.until), ylim=(0, 78), ylabel="requests a second\nthat fail")
        above.tick_params(labelbottom=False)
        named_rows(below, list(WORKERS), above=0.6, below=0.6)
        below.set(xlim=(0, first.until), xlabel="seconds")
        handles = [
            Patch(label=label, **look) for label, look in (("paused or down", _DOWN), ("given up", _GIVEN_UP))
        ]
        legend_above(below, handles)
        return [above, below]

    def update(drawn: list[Axes], timeout: float) -> str:
        above, below = (wiped(axes) for axes in drawn)
        run = runs[timeout]
        above.hist(failed_requests(run), bins=int(run.until), range=(0, run.until), color=palette.VERMILION)
        for fault, since, to in run.trace.fault_intervals():
            if isinstance(fault, Crash | Pause):
                draw_stretch(below, WORKERS.index(fault.node), since, to, 0.9, **_DOWN)
        for held in (one for several in suspicion_history(run)[0].values() for one in several):
            draw_stretch(below, WORKERS.index(held.peer), held.begin, held.end, 0.45, **_GIVEN_UP)
        report = service_report(run)
        words = f"{report.failed} requests fail; 99 of 100 others take at most {report.p99:.2f} s"
        above.text(
            0.99, 0.95, words, transform=above.transAxes, ha="right", va="top", fontsize=9, bbox=on_white()
        )
        return (
            f"Timeout {timeout:g} s: {report.failed} requests fail, and 99 of 100 of the others are answered within "
            f"{report.p99:.2f} s. Workers were given up {report.given_up} times, {report.wrongly} of them wrongly."
        )

    slider = widgets.SelectionSlider(options=list(runs), value=list(runs)[-1], description="timeout (s)")
    return live_figure(set_up, update, timeout=slider)


_DOWN: dict[str, Any] = {"facecolor": palette.LIGHT_GREY, "hatch": "xx", "edgecolor": palette.GREY}
_GIVEN_UP: dict[str, Any] = {"facecolor": palette.VERMILION, "edgecolor": palette.BLACK}


# ── φ ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_phi(history: PhiHistory, threshold: float = 8.0, ax: Axes | None = None) -> Picture:
    """Show how φ grows in every silence and falls back with every heartbeat, and where it passes the threshold."""
    axes = given_or_new(ax, 7.0, 3.4)
    top = 3 * threshold
    for name, values in (("phi, normal", history.normal), ("phi, exponential", history.exponential)):
        axes.plot(history.times, np.minimum(values, 2 * top), linewidth=1.6, label=name, **_line(name))
    beats: dict[str, Any] = {"color": palette.BLACK, "markersize": 12, "label": "a heartbeat arrives"}
    axes.plot(history.arrivals, np.zeros(len(history.arrivals)), "|", **beats)
    axes.axhline(threshold, color=palette.VERMILION, linewidth=1.2)
    label_point(axes, f"threshold {threshold:g}", (history.times[0], threshold), (2, 3))
    axes.set(ylim=(-1, top), xlim=(history.times[0], history.times[-1]), xlabel="seconds", ylabel="φ")
    legend_above(axes)
    normal, exponential = _passes(history.normal, threshold), _passes(history.exponential, threshold)
    return Picture(
        axes,
        f"φ on one real link, {history.times[0]:g} to {history.times[-1]:.0f} s, {len(history.arrivals)} heartbeats. "
        f"φ for normal gaps passes {threshold:g} {normal}, "
        f"φ for exponential gaps {exponential} (highest {history.exponential.max():.1f}).",
    )


def _passes(values: NDArray[np.float64], threshold: float) -> str:
    above = values >= threshold
    times = int(np.sum(above[1:] & ~above[:-1]) + above[0])
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


# ── The trade-off ─────────────────────────────────────────────────────────────────────────────────────────────────────


def mistakes_at(curve: TradeOff, detection_time: float) -> float:
    """Mistakes per link and hour of a detector tuned to this mean detection time; nan if it has no such setting.

    Between two settings the logarithm is interpolated. Below the least that the recording can show, it is 0.
    """
    known = np.isfinite(curve.detection_time)
    order = np.argsort(curve.detection_time[known])
    times, rates = curve.detection_time[known][order], curve.mistake_rate[known][order] * 3600
    if not times[0] <= detection_time <= times[-1]:
        return math.nan
    after = int(np.searchsorted(times, detection_time))
    before = max(0, after - 1)
    if rates[before] == 0 or rates[after] == 0:
        return float(rates[after])
    return float(np.exp(np.interp(detection_time, times, np.log(np.maximum(rates, 1e-12)))))


def explore_timeout(networks: Mapping[str, Sequence[TradeOff]]) -> InteractiveFigure:
    """Let the learner turn the timeout and see what it costs, beside all other detectors tuned to the same speed.

    Args:
        networks: name → curves; one of each must be the ``timeout from arrival``, whose setting the slider is.
    """

    def set_up(figure: Figure) -> dict[str, Any]:
        axes = _frame_trade_off(placed_axes(figure, 0.085, 0.13, 0.615, 0.97, size=(8.2, 3.9)))
        speed = axes.axvline(0, color=palette.BLACK, linestyle=":", linewidth=1.2, zorder=_FRONT)
        mark: dict[str, Any] = {"markeredgecolor": palette.BLACK, "markersize": 9, "zorder": _FRONT}
        marks = {
            name: axes.plot([], [], marker, color=colour, **mark)[0]
            for name, (colour, _, marker) in _LOOKS.items()
        }
        return {"marks": marks, "speed": speed, "curves": [], "delays": ""}

    def update(drawn: dict[str, Any], timeout: float, delays: str) -> str:
        curves = networks[delays]
        axes = drawn["speed"].axes
        if drawn["delays"] != delays:
            for line in drawn["curves"]:
                line.remove()
            drawn["curves"] = _paint_curves(axes, curves)
            drawn["legend"] = _legend_beside(
                axes, [one for one in drawn["curves"] if one.get_label() != "_interval"]
            )
            drawn["delays"] = delays
        simple = next(curve for curve in curves if curve.detector == "timeout from arrival")
        speed = float(np.interp(timeout, simple.values, simple.detection_time))
        rates = {curve.detector: mistakes_at(curve, speed) for curve in curves}
        labels = [f"{name}: {_rate_words(rate)}" for name, rate in rates.items()]
        drawn["speed"].set_xdata([speed, speed])
        for name, mark in drawn["marks"].items():
            mark.set_data([speed], [max(rates.get(name, math.nan), _FLOOR)])
            mark.set_visible(name in rates)
        for text, label in zip(drawn["legend"].get_texts(), labels, strict=True):
            text.set_text(label)
        drawn["legend"].set_title(f"Tuned to notice a crash after {speed:.1f} s:\nmistakes per link and hour")
        return (
            f"Mistakes per link and hour of each detector, all as quick as a timeout of {timeout:g} s "
            f"({delays}). It notices a crash after {speed:.1f} s on average: {'; '.join(labels)}."
        )

    slider = widgets.FloatSlider(2.0, min=1.0, max=6.0, step=0.1, description="timeout (s)")
    return live_figure(set_up, update, timeout=slider, delays=list(networks))


_FRONT = 2.1  # in front of curves that are drawn later


def _legend_beside(axes: Axes, lines: Sequence[Artist]) -> Artist:
    return axes.legend(
        handles=lines,
        title=" ",
        loc="upper left",
        bbox_to_anchor=(1.03, 1.0),
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        alignment="left",
        handlelength=3,
        labelspacing=0.9,
    )


def _frame_trade_off(axes: Axes) -> Axes:
    axes.set(yscale="log", ylim=(_FLOOR, 2000), xlim=(0, 6.5))
    axes.set(xlabel="seconds to notice a crash, mean", ylabel="mistakes per link and hour")
    number_axis(axes.yaxis)
    axes.yaxis.set_major_locator(LogLocator(10, numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())
    return axes


def _paint_curves(axes: Axes, curves: Sequence[TradeOff]) -> list[Artist]:
    lines: list[Artist] = []
    for curve in curves:
        marker = _LOOKS.get(curve.detector, ("", "", "X"))[2]
        seen = np.isfinite(curve.detection_time) & (curve.detection_time < 7.0)
        order = np.argsort(curve.detection_time[seen])
        times, rates = curve.detection_time[seen][order], curve.mistake_rate[seen][order] * 3600
        look: dict[str, Any] = {
            "marker": marker,
            "markevery": max(1, len(times) // 9),
            **_line(curve.detector),
        }
        look |= {"markersize": 5, "linewidth": 1.6, "label": curve.detector}
        # Without a mistake the line leaves the picture downwards.
        lines += axes.plot(times, np.maximum(rates, _FLOOR / 20), **look)
        if curve.detection_interval is not None:
            low, high = (bound[seen][order] for bound in curve.detection_interval)
            bars = {
                "color": _line(curve.detector)["color"],
                "linewidth": 5,
                "alpha": 0.35,
                "label": "_interval",
            }
            lines += [axes.hlines(rates, low, high, **bars)]
    return lines


def _rate_words(rate: float) -> str:
    if math.isnan(rate):
        return "not at this speed"
    if rate == 0:
        return "none seen"
    return readable_number(round(rate)) if rate >= 20 else f"{rate:.1f}"


# ── The group ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def rumour_lanes(peer: str) -> tuple[Lane, Lane]:
    """Return what a player shows below a run of SWIM: how many suspect ``peer``, and how many hold it for faulty."""

    def believers(verdict: str, run: Run) -> Points:
        held = [one for (_, about), several in suspicion_history(run, verdict=verdict)[0].items() if about == peer
                for one in several]  # fmt: skip
        changes = sorted(
            [(one.begin, 1) for one in held] + [(one.end, -1) for one in held if one.end < run.until]
        )
        count = 0
        points: Points = [(0.0, 0.0)]
        for time, change in changes:
            count += change
            points.append((time, float(count)))
        return points

    return (
        Lane(f"have heard ill of {peer}", "", lambda run, _: believers("suspect", run)),
        Lane(f"hold {peer} for faulty", "", lambda run, _: believers("confirm", run)),
    )


#: Who watches whom → how many messages a second a member sends, the busiest one, and all together.
WATCHES: dict[str, Callable[[int], tuple[int, int, int]]] = {
    "one monitor": lambda n: (1, n - 1, 2 * (n - 1)),
    "a ring": lambda n: (2, 2, 2 * n),
    "everybody": lambda n: (n - 1, n - 1, n * (n - 1)),
    "SWIM": lambda n: (2, 2, 2 * n),
}


def explore_watchers() -> InteractiveFigure:
    """Let the learner choose how members watch each other and how many they are; count the messages."""

    def set_up(figure: Figure) -> Axes:
        axes = placed_axes(figure, 0.02, 0.02, 0.98, 0.98, size=(6.4, 3.9))
        axes.set(xlim=(-1.2, 3.4), ylim=(-1.2, 1.2), aspect="equal")
        axes.set_axis_off()
        return axes

    def update(axes: Axes, who_watches: str, members: int) -> str:
        drawn = min(members, _MOST_DRAWN)
        places = [(np.sin(turn), np.cos(turn)) for turn in 2 * np.pi * np.arange(drawn) / drawn]
        watched = _watched(who_watches, drawn)
        wiped(axes)
        axes.add_collection(LineCollection([(places[a], places[b]) for a, b in watched], **_WATCHING))
        axes.plot(*zip(*places, strict=True), linestyle="", marker="o", markersize=11, **_MEMBER)
        for a, b in watched if drawn * len(watched) < 900 else ():  # a dot at the end of who is watched
            (x, y), (to_x, to_y) = places[a], places[b]
            axes.plot(x + 0.8 * (to_x - x), y + 0.8 * (to_y - y), ".", color=palette.BLUE, markersize=5)
        each, most, total = (readable_number(count) for count in WATCHES[who_watches](members))
        words = [
            f"messages a second: {total}",
            f"a member sends {each}",
            f"the busiest sends {most}",
        ]
        words.append(f"a crash is seen first by {_SEEN_BY[who_watches]}")
        lines = [line.replace(" by ", " by\n", 1) for line in words] + (
            [f"(drawn with {drawn} members)"] if drawn < members else []
        )
        axes.text(1.4, 0, "\n\n".join(lines), va="center", fontsize=10)
        return f"{members} members, watched by {who_watches}. {'; '.join(words)}."

    sizes = widgets.SelectionSlider(options=[3, 5, 8, 12, 24, 100, 1000], value=8, description="members")
    return live_figure(set_up, update, who_watches=list(WATCHES), members=sizes)


_MOST_DRAWN = 24
_WATCHING: dict[str, Any] = {"colors": palette.GREY, "linewidths": 0.8}
_MEMBER: dict[str, Any] = {"color": palette.SKY, "markeredgecolor": palette.BLACK}
_SEEN_BY = {
    "one monitor": "the monitor (its own by nobody)",
    "a ring": "two neighbours",
    "everybody": "everybody",
    "SWIM": "whoever happens to ask",
}


def _watched(who_watches: str, members: int) -> list[tuple[int, int]]:
    """Return (watcher, watched) pairs; for SWIM those of one period."""
    everyone = range(members)
    if who_watches == "one monitor":
        return [(0, other) for other in everyone[1:]]
    if who_watches == "a ring":
        return [(one, (one + step) % members) for one in everyone for step in (1, members - 1)]
    if who_watches == "everybody":
        return [(one, other) for one in everyone for other in everyone if other != one]
    steps = np.random.default_rng(members).integers(1, members, members)
    return [(one, int((one + step) % members)) for one, step in zip(everyone, steps, strict=True)]


# ── Real systems ──────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_presets(trials: Sequence[PresetTrial], ax: Axes | None = None) -> Picture:
    """Show for each real system how long a crash goes unnoticed, and which pauses of a healthy member it forgives."""
    axes = given_or_new(ax, 7.4, 0.32 * len(trials) + 1.3)
    edge: dict[str, Any] = {"markeredgecolor": palette.BLACK, "linestyle": ""}
    looks: dict[bool, dict[str, Any]] = {
        False: {"marker": "o", "color": "white"},
        True: {"marker": "X", "color": palette.VERMILION},
    }
    bar: dict[str, Any] = {"color": palette.SKY, "linestyle": "-", "linewidth": 7}
    for row, trial in enumerate(trials):
        axes.plot([0.5, trial.detection_time], [row, row], solid_capstyle="butt", **bar)
        axes.annotate(f"{trial.detection_time:.1f} s", (150, row), fontsize=9, va="center", ha="right")
        for pause, verdict in trial.gives_up.items():
            axes.plot([pause], [row], markersize=7, **edge, **looks[verdict])
    axes.set(xscale="log", xlim=(0.5, 160), xlabel="seconds")
    number_axis(axes.xaxis)
    axes.set_xticks([1, 2, 5, 10, 15, 30, 60])
    axes.xaxis.set_minor_locator(NullLocator())
    names = [trial.preset.system for trial in trials]
    named_rows(axes, names, above=0.6, below=0.6, fontsize=9)
    handles = [
        sample("forgives a pause of this length", **edge, **looks[False]),
        sample("gives the paused member up", **edge, **looks[True]),
        sample("time to notice a crash (also at the right)", **bar),
    ]
    legend_above(axes, handles, columns=2)
    told = "; ".join(
        f"{trial.preset.system}: {trial.detection_time:.1f} s, {_pause_words(trial)}" for trial in trials
    )
    return Picture(
        axes,
        f"Time to notice a crash with the defaults of real systems, and the pauses they forgive. {told}.",
    )


def _pause_words(trial: PresetTrial) -> str:
    forgiven = [pause for pause, given_up in trial.gives_up.items() if not given_up]
    return f"forgives {max(forgiven):g} s" if forgiven else "forgives none of these pauses"
