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
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from dscourse.detection import Suspicion, TradeOff, suspicion_history
from dscourse.detection.phi_history import PhiHistory
from dscourse.detection.preset_trials import PresetTrial
from dscourse.detection.silences import OBSERVER, STRIKES_AT, observations, unanswered
from dscourse.readable import readable_number
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.interactive import InteractiveFigure, interactive_figure
from dscourse.views.picture import Picture, new_axes, tidy

History = Mapping[tuple[str, str], Sequence[Suspicion]]

_LOOKS: dict[str, tuple[str, Any, str]] = {  # detector → colour, dash, marker; the same in every picture
    "timeout from arrival": (palette.BLUE, "-", "o"),
    "timeout from sending (NFD-S)": (palette.ORANGE, "--", "s"),
    "ping": (palette.GREY, "-.", "v"),
    "phi, normal": (palette.GREEN, "-", "^"),
    "phi, exponential": (palette.PURPLE, ":", "D"),
    "SWIM": (palette.VERMILION, (0, (1, 1)), "P"),
}


_FLOOR = 0.08  # mistakes per link and hour; a recording of 40 links for 11 minutes shows no rate below 0.13


# ── Silences ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_silences(runs: Mapping[str, Run], observer: str = OBSERVER, ax: Axes | None = None) -> Picture:
    """Show what an observer has heard of its peer in each of several runs: every answer, every ping without one."""
    axes = new_axes(7.0, 0.36 * len(runs) + 1.2) if ax is None else ax
    sentences = []
    for row, (cause, run) in enumerate(runs.items()):
        heard = [time for time, _ in observations(run, observer)]
        missing = unanswered(run, observer)
        axes.plot(heard, [row] * len(heard), "o", color=palette.BLUE, markersize=6)
        axes.plot(
            missing, [row] * len(missing), "x", color=palette.VERMILION, markersize=6, markeredgewidth=1.8
        )
        sentences.append(f"{cause}: {len(heard)} answers, {len(missing)} pings without one")
    until = max(run.until for run in runs.values())
    axes.axvline(STRIKES_AT, color=palette.BLACK, linewidth=1, linestyle=":")
    axes.set_xlim(-0.5, until + 0.5)
    axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.set_yticks(range(len(runs)), list(runs))
    axes.set_ylim(len(runs) - 0.5, -0.75)
    axes.set_xlabel("seconds")
    axes.grid(visible=False, axis="y")
    handles = [
        Line2D([], [], marker="o", linestyle="", color=palette.BLUE, label=f"an answer reaches {observer}"),
        Line2D(
            [],
            [],
            marker="x",
            linestyle="",
            color=palette.VERMILION,
            markeredgewidth=1.8,
            label="a ping without answer so far",
        ),
        Line2D([], [], linestyle=":", color=palette.BLACK, label="the trouble begins"),
    ]
    _legend_above(axes, handles)
    return Picture(axes, f"What {observer} knows of n1 after {until:g} seconds. {'; '.join(sentences)}.")


# ── Suspicions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_suspicions(
    run: Run, peer: str, between: tuple[float, float] | None = None, ax: Axes | None = None
) -> Picture:
    """Show the truth about one node, and below it who suspected it or declared it faulty, from when to when."""
    begin, end = (0.0, run.until) if between is None else between
    observers = [name for name in run.nodes if name != peer]
    axes = new_axes(7.0, 0.24 * len(observers) + 1.6) if ax is None else ax
    suspected, _ = suspicion_history(run)
    faulty, _ = suspicion_history(run, verdict="confirm")
    for kind, since, to in _troubles(run, peer):
        face, hatch = ("white", "xx") if kind == "crashed" else (palette.LIGHT_GREY, "")
        axes.barh(0, to - since, left=since, height=0.8, color=face, hatch=hatch, edgecolor=palette.BLACK)
        axes.annotate(
            f" {peer} is {kind}", (max(since, begin), -0.5), fontsize=8, va="bottom", annotation_clip=False
        )
    for row, observer in enumerate(observers, start=1):
        for held in suspected.get((observer, peer), ()):
            axes.barh(
                row,
                held.end - held.begin,
                left=held.begin,
                height=0.7,
                color=palette.YELLOW,
                hatch="//",
                edgecolor=palette.GREY,
            )
        for held in faulty.get((observer, peer), ()):
            axes.barh(
                row,
                held.end - held.begin,
                left=held.begin,
                height=0.7,
                color=palette.VERMILION,
                edgecolor=palette.BLACK,
            )
    axes.set_yticks(range(len(observers) + 1), ["the truth", *observers], fontsize=8)
    axes.set_ylim(len(observers) + 0.6, -1.4)
    axes.set_xlim(begin, end)
    axes.set_xlabel("seconds")
    axes.grid(visible=False, axis="y")
    handles = [
        _box(palette.YELLOW, "//", "suspects it"),
        _box(palette.VERMILION, "", "has declared it faulty"),
    ]
    _legend_above(axes, handles)
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
    found: list[tuple[str, float, float]] = []
    open_since: dict[str, float] = {}
    words = {"Crash": "crashed", "Pause": "paused"}
    for event in run.trace.select(kind="fault", node=node, name=("Crash", "Pause", "Restart", "Resume")):
        if event.detail.get("moot"):
            continue
        kind = words.get(event.name, {"Restart": "crashed", "Resume": "paused"}.get(event.name, ""))
        begins = event.name in words and event.detail["phase"] == "start"
        if begins:
            open_since.setdefault(kind, event.time)
        elif kind in open_since:
            found.append((kind, open_since.pop(kind), event.time))
    return found + [(kind, since, run.until) for kind, since in open_since.items()]


# ── φ ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_phi(history: PhiHistory, threshold: float = 8.0, ax: Axes | None = None) -> Picture:
    """Show how φ grows in every silence and falls back with every heartbeat, and where it passes the threshold."""
    axes = new_axes(7.0, 3.4) if ax is None else ax
    top = 3 * threshold
    for name, values in (("phi, normal", history.normal), ("phi, exponential", history.exponential)):
        colour, dash, _ = _LOOKS[name]
        axes.plot(
            history.times,
            np.minimum(values, 2 * top),
            color=colour,
            linestyle=dash,
            linewidth=1.6,
            label=name,
        )
    axes.plot(
        history.arrivals,
        np.zeros(len(history.arrivals)),
        "|",
        color=palette.BLACK,
        markersize=12,
        label="a heartbeat arrives",
    )
    axes.axhline(threshold, color=palette.VERMILION, linewidth=1.2)
    axes.annotate(
        f"threshold {threshold:g}",
        (history.times[0], threshold),
        xytext=(2, 3),
        textcoords="offset points",
        fontsize=9,
    )
    axes.set_ylim(-1, top)
    axes.set_xlim(history.times[0], history.times[-1])
    axes.set_xlabel("seconds")
    axes.set_ylabel("φ")
    _legend_above(axes)
    normal, exponential = _passes(history.normal, threshold), _passes(history.exponential, threshold)
    return Picture(
        axes,
        f"φ on one real link, {history.times[0]:g} to {history.times[-1]:.0f} s, {len(history.arrivals)} heartbeats. "
        f"Between two of them it rises, at each it falls back. φ for normal gaps passes {threshold:g} {normal}, "
        f"φ for exponential gaps {exponential} (highest {history.exponential.max():.1f}).",
    )


def _passes(values: NDArray[np.float64], threshold: float) -> str:
    above = values >= threshold
    times = int(np.sum(above[1:] & ~above[:-1]) + above[0])
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


# ── The trade-off ─────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_trade_off(curves: Sequence[TradeOff], ax: Axes | None = None) -> Picture:
    """Show detection time against mistakes for several detectors, one curve each, one point a setting."""
    axes = new_axes(7.0, 4.0) if ax is None else ax
    _paint_curves(axes, curves)
    _legend_right(axes)
    at_two = "; ".join(f"{curve.detector}: {_rate_words(mistakes_at(curve, 2.0))}" for curve in curves)
    return Picture(
        axes,
        f"Mistakes per link and hour against the time to notice a crash, for every setting of {len(curves)} detectors. "
        "Each makes fewer mistakes at its most patient than at its hastiest. "
        f"Tuned to notice a crash after 2 s on average: {at_two}.",
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


def timeout_explorer(networks: Mapping[str, Sequence[TradeOff]]) -> InteractiveFigure:
    """Let the learner turn the timeout and see what it costs, beside all other detectors tuned to the same speed.

    Args:
        networks: name → curves; one of each must be the ``timeout from arrival``, whose setting the slider is.
    """
    names = list(networks)

    def draw(figure: Figure, *, timeout: float, delays: str) -> str:
        figure.set_size_inches(8.2, 3.9)
        figure.set_layout_engine("none")  # a fixed place: twice as quick as working it out at every turn
        axes = tidy(figure.add_axes((0.085, 0.13, 0.53, 0.84)))
        curves = networks[delays]
        simple = next(curve for curve in curves if curve.detector == "timeout from arrival")
        speed = float(np.interp(timeout, simple.values, simple.detection_time))
        rates = {curve.detector: mistakes_at(curve, speed) for curve in curves}
        _paint_curves(axes, curves)
        axes.axvline(speed, color=palette.BLACK, linestyle=":", linewidth=1.2)
        for name, rate in rates.items():
            colour, _, marker = _LOOKS[name]
            axes.plot(
                [speed],
                [max(rate, _FLOOR)],
                marker,
                color=colour,
                markeredgecolor=palette.BLACK,
                markersize=9,
            )
        labels = [f"{name}: {_rate_words(rate)}" for name, rate in rates.items()]
        axes.legend(
            axes.lines[: len(labels)],
            labels,
            title=f"Tuned to notice a crash after {speed:.1f} s:\nmistakes per link and hour",
            loc="upper left",
            bbox_to_anchor=(1.03, 1.0),
            frameon=False,
            fontsize=9,
            title_fontsize=9,
            alignment="left",
            handlelength=3,
            labelspacing=0.9,
        )
        return (
            f"A timeout of {timeout:g} s notices a crash after {speed:.1f} s on average. Mistakes per link and hour of "
            f"each detector tuned to that speed ({delays}): {'; '.join(labels)}."
        )

    slider = widgets.FloatSlider(2.0, min=1.0, max=6.0, step=0.1, description="timeout (s)")
    return interactive_figure(
        draw, timeout=slider, delays=widgets.Dropdown(options=names, description="delays")
    )


def _paint_curves(axes: Axes, curves: Sequence[TradeOff]) -> None:
    for curve in curves:
        colour, dash, marker = _LOOKS.get(curve.detector, (palette.BLACK, "-", "X"))
        seen = np.isfinite(curve.detection_time) & (curve.detection_time < 7.0)
        order = np.argsort(curve.detection_time[seen])
        times, rates = curve.detection_time[seen][order], curve.mistake_rate[seen][order] * 3600
        axes.plot(
            times,
            np.maximum(rates, _FLOOR / 20),  # without a mistake the line leaves the picture downwards
            color=colour,
            linestyle=dash,
            marker=marker,
            markevery=max(1, len(times) // 9),
            markersize=5,
            linewidth=1.6,
            label=curve.detector,
        )
    axes.set_yscale("log")
    axes.set_ylim(_FLOOR, 2000)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: readable_number(value)))
    axes.yaxis.set_major_locator(LogLocator(10, numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0, 6.5)
    axes.set_xlabel("seconds to notice a crash, mean")
    axes.set_ylabel("mistakes per link and hour")


def _rate_words(rate: float) -> str:
    if math.isnan(rate):
        return "not at this speed"
    if rate == 0:
        return "none seen"
    return readable_number(round(rate)) if rate >= 20 else f"{rate:.1f}"


# ── The group ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_load(loads: Mapping[str, Mapping[int, float]], ax: Axes | None = None) -> Picture:
    """Show messages a member sends each second against the size of the group: {detector: {members: messages}}."""
    axes = new_axes(7.0, 3.4) if ax is None else ax
    told = []
    labelled: set[tuple[int, str]] = set()
    for name, measured in loads.items():
        look = (
            "SWIM" if name == "SWIM" else "timeout from arrival" if name.startswith("all-to-all") else "ping"
        )
        colour, dash, marker = _LOOKS[look]
        sizes, values = list(measured), list(measured.values())
        axes.plot(sizes, values, color=colour, linestyle=dash, marker=marker, linewidth=1.8, label=name)
        for size, value in measured.items():
            label = _three_digits(value)
            if (size, label) in labelled:
                continue
            labelled.add((size, label))
            axes.annotate(
                label,
                (size, value),
                xytext=(0, 7),
                textcoords="offset points",
                fontsize=9,
                ha="center",
            )
        told.append(
            f"{name}: "
            + ", ".join(
                f"{_three_digits(value)} with {readable_number(size)} members"
                for size, value in measured.items()
            )
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: readable_number(value)))
        axis.set_minor_locator(NullLocator())
    axes.margins(0.1, 0.15)
    axes.set_xlabel("members")
    axes.set_ylabel("messages a second,\neach member")
    _legend_above(axes)
    return Picture(axes, f"Messages that each member sends a second. {'; '.join(told)}.")


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else readable_number(round(value))


def draw_rumour(run: Run, peer: str, ax: Axes | None = None) -> Picture:
    """Show how many members have heard that ``peer`` is suspected, and how many have declared it faulty, over time."""
    axes = new_axes(7.0, 3.4) if ax is None else ax
    crash = next(since for kind, since, _ in _troubles(run, peer) if kind == "crashed")
    others = len(run.nodes) - 1
    told = []
    for name, label, colour, dash in (
        ("suspect", "suspect it", palette.ORANGE, "-"),
        ("confirm", "have declared it faulty", palette.VERMILION, "--"),
    ):
        times = np.sort(run.trace.select(kind="record", peer=peer, name=name).times)
        if not len(times):
            continue
        axes.step(
            np.append(times, run.until),
            np.append(np.arange(1, len(times) + 1), len(times)),
            where="post",
            color=colour,
            linestyle=dash,
            linewidth=2,
            label=label,
        )
        half = times[min(len(times), (others + 1) // 2) - 1]
        told.append(
            f"{len(times)} of {others} others {label}: the first {times[0] - crash:.1f} s after the crash, "
            f"half of them after {half - crash:.1f} s, the last after {times[-1] - crash:.1f} s"
        )
    axes.axvline(crash, color=palette.BLACK, linestyle=":", linewidth=1.2)
    axes.annotate(
        f"{peer} crashes", (crash, others), xytext=(4, 0), textcoords="offset points", fontsize=9, va="top"
    )
    axes.set_ylim(0, others * 1.06)
    axes.set_xlim(max(0.0, crash - 2), run.until)
    axes.set_xlabel("seconds")
    axes.set_ylabel("members that …")
    _legend_above(axes)
    return Picture(axes, f"How the news of a crash spreads. {'; '.join(told)}.")


# ── Real systems ──────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_presets(trials: Sequence[PresetTrial], ax: Axes | None = None) -> Picture:
    """Show for each real system how long a crash goes unnoticed, and which pauses of a healthy member it forgives."""
    axes = new_axes(7.4, 0.32 * len(trials) + 1.3) if ax is None else ax
    looks = {False: ("o", "white"), True: ("X", palette.VERMILION)}
    for row, trial in enumerate(trials):
        axes.plot(
            [0.5, trial.detection_time], [row, row], color=palette.SKY, linewidth=7, solid_capstyle="butt"
        )
        axes.annotate(f"{trial.detection_time:.1f} s", (150, row), fontsize=9, va="center", ha="right")
        for pause, verdict in trial.gives_up.items():
            marker, colour = looks[verdict]
            axes.plot(
                [pause], [row], marker=marker, color=colour, markeredgecolor=palette.BLACK, markersize=7
            )
    axes.set_xscale("log")
    axes.set_xlim(0.5, 160)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: readable_number(value)))
    axes.set_xticks([1, 2, 5, 10, 15, 30, 60])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(trials)), [trial.preset.system for trial in trials], fontsize=9)
    axes.set_ylim(len(trials) - 0.4, -0.6)
    axes.set_xlabel("seconds")
    axes.grid(visible=False, axis="y")
    forgiven, given_up = (
        Line2D([], [], marker=marker, color=colour, markeredgecolor=palette.BLACK, linestyle="")
        for marker, colour in looks.values()
    )
    forgiven.set_label("forgives a pause of this length")
    given_up.set_label("gives the paused member up")
    bar = Line2D([], [], color=palette.SKY, linewidth=7, label="time to notice a crash (also at the right)")
    _legend_above(axes, [forgiven, given_up, bar], columns=2)
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


def _box(colour: str, hatch: str, label: str) -> Patch:
    return Patch(facecolor=colour, hatch=hatch, edgecolor=palette.GREY, label=label)


def _legend_above(axes: Axes, handles: Sequence[Artist] | None = None, columns: int = 3) -> None:
    given: dict[str, Any] = {"handles": list(handles)} if handles is not None else {}
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        borderaxespad=0.2,
        handlelength=2.2,
        columnspacing=1.2,
        **given,
    )


def _legend_right(axes: Axes) -> None:
    axes.legend(loc="upper right", frameon=True, framealpha=0.9, edgecolor="none", fontsize=9, handlelength=3)
