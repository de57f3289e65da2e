"""Pictures of notebook 08: silences, suspicions, φ, the trade-off of speed and mistakes, rumours, real settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from dscourse.detection import PhiHistory, PresetTrial, Suspicion, TradeOff, suspicion_history
from dscourse.detection.silences import OBSERVER, STRIKES_AT, observations, unanswered
from dscourse.readable import readable_number
from dscourse.simulation import Crash, Pause, Run
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    label_point,
    legend_above,
    logarithmic,
    named_rows,
    number_axis,
    placed_axes,
    sample,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

History = Mapping[tuple[str, str], Sequence[Suspicion]]

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


_TROUBLE_LOOKS: dict[str, dict[str, Any]] = {
    "crashed": {"color": "white", "hatch": "xx"},
    "paused": {"color": palette.LIGHT_GREY},
}
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
        axes.plot(heard, [row] * len(heard), linestyle="", markersize=6, **answer)
        axes.plot(missing, [row] * len(missing), linestyle="", markersize=6, **silence)
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


# ── Suspicions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_suspicions(
    run: Run, peer: str, between: tuple[float, float] | None = None, ax: Axes | None = None
) -> Picture:
    """Show the truth about one node, and below it who suspected it or declared it faulty, from when to when."""
    begin, end = (0.0, run.until) if between is None else between
    observers = [name for name in run.nodes if name != peer]
    axes = given_or_new(ax, 7.0, 0.24 * len(observers) + 1.6)
    suspected, _ = suspicion_history(run)
    faulty, _ = suspicion_history(run, verdict="confirm")
    for kind, since, to in _troubles(run, peer):
        draw_stretch(axes, 0, since, to, 0.8, edgecolor=palette.BLACK, **_TROUBLE_LOOKS[kind])
        place = (max(since, begin), -0.5)
        axes.annotate(f" {peer} is {kind}", place, fontsize=8, va="bottom", annotation_clip=False)
    doubt = {"color": palette.YELLOW, "hatch": "//", "edgecolor": palette.GREY}
    verdict = {"color": palette.VERMILION, "edgecolor": palette.BLACK}
    for row, observer in enumerate(observers, start=1):
        for history, look in ((suspected, doubt), (faulty, verdict)):
            for held in history.get((observer, peer), ()):
                draw_stretch(axes, row, held.begin, held.end, 0.7, **look)
    named_rows(axes, ["the truth", *observers], above=1.4, below=0.6, fontsize=8)
    axes.set(xlim=(begin, end), xlabel="seconds")
    handles = [
        Patch(facecolor=palette.YELLOW, hatch="//", edgecolor=palette.GREY, label="suspects it"),
        Patch(facecolor=palette.VERMILION, edgecolor=palette.GREY, label="has declared it faulty"),
    ]
    legend_above(axes, handles)
    return Picture(axes, _suspicions_alt(run, peer, observers, suspected, faulty))


def _suspicions_alt(
    run: Run, peer: str, observers: Sequence[str], suspected: History, faulty: History
) -> str:
    truth = [f"{kind} from {since:g} to {to:g} s" for kind, since, to in _troubles(run, peer)]
    doubting = [suspected[observer, peer] for observer in observers if (observer, peer) in suspected]
    final = sum((observer, peer) in faulty for observer in observers)
    words = f"{peer} is {' and '.join(truth) or 'up all the time'}. "
    words += f"{len(doubting)} of {len(observers)} others suspected it"
    if doubting:
        words += f", the first at {min(held[0].begin for held in doubting):.1f} s"
        still = sum(held[-1].end >= run.until for held in doubting)
        words += f"; {still} still do at the end"
    return f"{words}. {final} declared it faulty."


def _troubles(run: Run, node: str) -> list[tuple[str, float, float]]:
    """When a node was crashed or paused: (what, since, to)."""
    words = {Crash: "crashed", Pause: "paused"}
    return [
        (words[type(fault)], since, to)
        for fault, since, to in run.trace.fault_intervals()
        if isinstance(fault, Crash | Pause) and fault.node == node
    ]


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


@default_settings
def draw_trade_off(curves: Sequence[TradeOff], ax: Axes | None = None) -> Picture:
    """Show detection time against mistakes for several detectors, one curve each, one point a setting."""
    axes = _frame_trade_off(given_or_new(ax, 7.0, 4.0))
    _paint_curves(axes, curves)
    axes.legend(loc="upper right", framealpha=0.9, edgecolor="none", fontsize=9, handlelength=3)
    at_two = "; ".join(f"{curve.detector}: {_rate_words(mistakes_at(curve, 2.0))}" for curve in curves)
    banded = any(curve.detection_interval is not None for curve in curves)
    bands = " Bars: the mean of several runs, within which it lies at 95 %." if banded else ""
    return Picture(
        axes,
        f"Mistakes per link and hour against the time to notice a crash, for every setting of {len(curves)} detectors. "
        f"Tuned to notice a crash after 2 s on average: {at_two}.{bands}",
    )


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


@default_settings
def draw_load(loads: Mapping[str, Mapping[int, float]], ax: Axes | None = None) -> Picture:
    """Show messages a member sends each second against the size of the group: {detector: {members: messages}}."""
    axes = given_or_new(ax, 7.0, 3.4)
    told = []
    labelled: set[tuple[int, str]] = set()
    for name, measured in loads.items():
        look = (
            "timeout from arrival" if name.startswith("all-to-all") else "SWIM" if name == "SWIM" else "ping"
        )
        marker = _LOOKS[look][2]
        axes.plot(
            list(measured), list(measured.values()), marker=marker, linewidth=1.8, label=name, **_line(look)
        )
        for size, value in measured.items():
            label = _three_digits(value)
            if (size, label) not in labelled:
                label_point(axes, label, (size, value), (0, 7), ha="center")
            labelled.add((size, label))
        points = (
            f"{_three_digits(value)} with {readable_number(size)} members" for size, value in measured.items()
        )
        told.append(f"{name}: {', '.join(points)}")
    logarithmic(axes, minor=False)
    axes.margins(0.1, 0.15)
    axes.set(xlabel="members", ylabel="messages a second,\neach member")
    legend_above(axes)
    return Picture(axes, f"Messages that each member sends a second. {'; '.join(told)}.")


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else readable_number(round(value))


@default_settings
def draw_rumour(run: Run, peer: str, ax: Axes | None = None) -> Picture:
    """Show how many members have heard that ``peer`` is suspected, and how many have declared it faulty, over time."""
    axes = given_or_new(ax, 7.0, 3.4)
    crash = run.trace.downtimes()[peer][0][0]
    others = len(run.nodes) - 1
    told = []
    for name, label, colour, dash in (
        ("suspect", "suspect it", palette.ORANGE, "-"),
        ("confirm", "have declared it faulty", palette.VERMILION, "--"),
    ):
        times = np.sort(run.trace.select(kind="record", peer=peer, name=name).times)
        if not len(times):
            continue
        steps = np.append(np.arange(1, len(times) + 1), len(times))
        look: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 2, "label": label}
        axes.step(np.append(times, run.until), steps, where="post", **look)
        half = times[min(len(times), (others + 1) // 2) - 1]
        told.append(
            f"{len(times)} of {others} others {label}: the first {times[0] - crash:.1f} s after the crash, "
            f"half of them after {half - crash:.1f} s, the last after {times[-1] - crash:.1f} s"
        )
    axes.axvline(crash, color=palette.BLACK, linestyle=":", linewidth=1.2)
    label_point(axes, f"{peer} crashes", (crash, others), (4, 0), va="top")
    axes.set(ylim=(0, others * 1.06), xlim=(max(0.0, crash - 2), run.until))
    axes.set(xlabel="seconds", ylabel="members that …")
    legend_above(axes)
    return Picture(axes, f"How the news of a crash spreads. {'; '.join(told)}.")


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
