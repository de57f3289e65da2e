"""Pictures of notebook 03: the load-balancer lab, the pattern lab, old views of the load, useful work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dscourse.readable import readable_number, readable_percent
from dscourse.services import PATTERNS, BalancingResult, ScalingCurve, measure_scaling, simulate_balancing
from dscourse.services.balancing import POLICIES
from dscourse.views import palette
from dscourse.views.axes import (
    given_or_new,
    legend_above,
    line_style,
    logarithmic,
    number_axis,
    percent_axis,
    placed_axes,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

# ── The load-balancer lab ─────────────────────────────────────────────────────────────────────────────────────

Points: TypeAlias = NDArray[np.float64]

_SERVERS = 20
_SLOW, _FAILING = 0, _SERVERS - 1
_FRAME = 0.5  # service times from one picture to the next
_FRAMES = 121
_FIRST = 24  # the frame that is shown at first
_LATELY = 15.0  # service times over which percentiles are taken
_MOST_DOTS = 12  # of one queue
_AGES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_LOADS = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
_FRONT = 3.5  # what moves stands in front of frames and ticks, which are then drawn once


@dataclass(frozen=True)
class _Film:
    """What there is to see of one policy: rows are frames."""

    held: NDArray[np.int64]  # by each server
    median: Points
    p99: Points
    failed: Points  # share of all answers so far


def lab_load_balancer(balancers: int = 1, *, ties_to_first: bool = False) -> InteractiveFigure:
    """Show twenty servers with their queues under four policies, as time goes by, and what the policies are given.

    Args:
        balancers: how many at first: 1, 3, 10 or 30.
        ties_to_first: whether the first of equals is chosen at first, instead of any of them.
    """
    moment = widgets.IntSlider(value=_FIRST, min=0, max=_FRAMES - 1, description="time", readout=False)
    player = widgets.Play(value=_FIRST, min=0, max=_FRAMES - 1, interval=150)
    widgets.jslink((player, "value"), (moment, "value"))
    lab = live_figure(
        _set_up_lab,
        _update_lab,
        moment=moment,
        view_age=_choices("age of the view", _AGES, 0.0),
        load=_choices("load", _LOADS, 0.85),
        balancers=_choices("balancers", (1, 3, 10, 30), balancers),
        first=widgets.Checkbox(value=ties_to_first, description="the first of equals", indent=False),
        slow=widgets.Checkbox(value=True, description="a slow server", indent=False),
        failing=widgets.Checkbox(value=False, description="one fails at once", indent=False),
    )
    lab.children[0].children = (player, *lab.children[0].children)
    return lab


def _choices(name: str, values: Sequence[float], first: float) -> widgets.SelectionSlider:
    return widgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in values],
        value=first,
        description=name,
        layout=widgets.Layout(width="20em"),
    )


def _set_up_lab(figure: Figure) -> dict[str, Any]:
    # One pair of axes without ticks for all four panels: four would take three times as long to draw.
    ax = placed_axes(figure, 0.0, 0.345, 1.0, 0.955, size=(9.2, 4.9))
    ax.set_axis_off()
    ax.set(xlim=(0, 2), ylim=(0, 2))
    titles = {}
    for policy in POLICIES:
        left, bottom = _corner(policy)
        ax.plot([left, left + 0.86], [bottom, bottom], color=palette.GREY, linewidth=1)
        titles[policy] = ax.text(left, bottom + 0.76, "", fontsize=10, va="bottom", zorder=_FRONT)
    under: dict[str, Any] = {"fontsize": 8, "ha": "center", "va": "top", "color": palette.VERMILION}
    marks = {
        server: [ax.text(*_place(policy, server, -0.045), word, **under) for policy in POLICIES]
        for server, word in ((_SLOW, "slow"), (_FAILING, "fails"))
    }

    def mark(server: int, shown: bool) -> None:  # not among the artists: they change only with a control
        for text in marks[server]:
            text.set_visible(shown)

    dots: dict[str, Any] = {"linestyle": "", "markersize": 5.5, "zorder": _FRONT}
    (served,) = ax.plot([], [], "s", color=palette.BLUE, label="in service", **dots)
    (waiting,) = ax.plot([], [], "o", color=palette.ORANGE, label="waits", **dots)
    (more,) = ax.plot([], [], "^", color=palette.VERMILION, label=f"and more than {_MOST_DOTS}", **dots)
    strip = placed_axes(figure, 0.07, 0.09, 0.98, 0.28)
    strip.set(xlim=(0, (_FRAMES - 1) * _FRAME), ylim=(1, 200), xlabel="time, in service times", ylabel="p99")
    strip.set_yscale("log")
    number_axis(strip.yaxis)
    curves = {
        policy: strip.plot([], [], label=policy, zorder=_FRONT, **line_style(place))[0]
        for place, policy in enumerate(POLICIES)
    }
    # Legends of the figure stand still; one of the axes would be drawn with each picture.
    legend: dict[str, Any] = {"frameon": False, "fontsize": 9, "borderaxespad": 0.1}
    figure.legend(handles=[served, waiting, more], loc="upper right", ncols=3, **legend)
    figure.legend(
        handles=list(curves.values()), loc="lower left", bbox_to_anchor=(0.07, 0.285), ncols=4, **legend
    )
    return {
        "served": served, "waiting": waiting, "more": more, "titles": titles, "mark": mark, "curves": curves,
    }  # fmt: skip


def _update_lab(drawn: dict[str, Any], moment: int, slow: bool, failing: bool, **terms: Any) -> str:
    films = _films(slow=slow, failing=failing, **terms)
    times = np.arange(moment + 1) * _FRAME
    points: dict[str, list[Points]] = {"served": [], "waiting": [], "more": []}
    told = []
    for policy, film in films.items():
        held = film.held[moment]
        for name, some in zip(points, _dots(policy, held), strict=True):
            points[name].append(some)
        words = f"p50 {_digits(film.median[moment])}, p99 {_digits(film.p99[moment])}"
        words += f", {readable_percent(film.failed[moment])} failed" if failing else ""
        drawn["titles"][policy].set_text(f"{policy}: {words}")
        drawn["curves"][policy].set_data(times, film.p99[: moment + 1])
        told.append(f"{policy} {words}, {held.sum()} requests there, at most {held.max()} at one server")
    for name, places in points.items():
        drawn[name].set_data(*np.concatenate(places).T)
    drawn["mark"](_SLOW, slow)
    drawn["mark"](_FAILING, failing)
    said = f"load {terms['load']:g}, view {terms['view_age']:g} old, balancers: {terms['balancers']}"
    said += ", ties to the first" * terms["first"] + ", one is slow" * slow + ", one fails at once" * failing
    return (
        f"Twenty servers and their queues under four policies after {moment * _FRAME:g} service times: {said}. "
        f"{'; '.join(told)}."
    )


@lru_cache(maxsize=32)
def _films(*, slow: bool, failing: bool, load: float, first: bool, **terms: Any) -> dict[str, _Film]:
    terms |= {"load": load, "ties": "lowest" if first else "random", "servers": _SERVERS, "seed": 4}
    terms["service_factors"] = ({_SLOW: 3.0} if slow else {}) | ({_FAILING: 0.01} if failing else {})
    terms["requests"] = int(1.3 * _SERVERS * load * _FRAME * _FRAMES)
    return {policy: _film(simulate_balancing(policy, **terms), failing=failing) for policy in POLICIES}


def _film(result: BalancingResult, *, failing: bool) -> _Film:
    moments: Points = np.linspace(0.0, (_FRAMES - 1) * _FRAME, _FRAMES)
    order = np.argsort(result.arrival_times + result.times)
    done = (result.arrival_times + result.times)[order]
    times = result.times[order]
    fails = (result.chosen[order] == _FAILING) & failing
    median, p99, failed = np.full((3, _FRAMES), np.nan)
    for frame, now in enumerate(moments):
        first, last = np.searchsorted(done, (now - _LATELY, now), side="right")
        good = np.sort(times[first:last][~fails[first:last]])
        if good.size:
            median[frame], p99[frame] = good[[good.size // 2, int(0.99 * good.size)]]
        failed[frame] = fails[:last].mean() if last else 0.0
    return _Film(result.open_requests(moments), median, p99, failed)


def _corner(policy: str) -> tuple[float, float]:
    number = POLICIES.index(policy)
    return 0.07 + 1.0 * (number % 2), 1.12 if number < 2 else 0.12


def _place(policy: str, server: Any, height: Any) -> tuple[Any, Any]:
    left, bottom = _corner(policy)
    return left + 0.86 * (server + 0.5) / _SERVERS, bottom + height


def _dots(policy: str, held: NDArray[np.int64]) -> tuple[Points, ...]:
    """Return where to draw those in service, those that wait, and the marks of queues that go on."""
    shown = np.minimum(held, _MOST_DOTS + 1)
    servers = np.repeat(np.arange(_SERVERS), shown)
    height = np.arange(servers.size) - np.repeat(np.cumsum(shown) - shown, shown)
    at = np.stack(_place(policy, servers, 0.035 + 0.055 * height), axis=1)
    over = height == _MOST_DOTS
    return at[height == 0], at[(height > 0) & ~over], at[over]


def _digits(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1f}"


# ── The pattern lab ───────────────────────────────────────────────────────────────────────────────────────────

_SIZES = (1, 2, 4, 8, 16, 32)
_SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
#: Pattern → the setting of `measure_scaling` that the one knob turns.
_KNOBS = {
    "shared-nothing": "shared",
    "partitioning": "cross_partition",
    "read replicas": "writes",
    "stateless": "store",
    "asynchronous": "broker",
}
_MEANINGS = {
    "shared": "{} of the work passes through one lock",
    "cross_partition": "{} of the requests need all partitions",
    "writes": "{} of the requests are writes",
    "store": "the store takes {} of a node's time for each request",
    "broker": "the broker takes {} of a node's time for each request",
}


def explore_patterns() -> InteractiveFigure:
    """Show how one of the five patterns scales, and how busy its parts are at a size."""
    return live_figure(
        _set_up_patterns,
        _update_patterns,
        pattern=widgets.Dropdown(options=PATTERNS, value="shared-nothing"),
        nodes=_choices("nodes", _SIZES, 32),
        share=widgets.SelectionSlider(
            options=[(readable_percent(value), value) for value in _SHARES],
            value=0.0,
            description="share",
            layout=widgets.Layout(width="20em"),
        ),
    )


def _set_up_patterns(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.08, 0.15, 0.62, 0.88, size=(9.2, 3.9))
    ax.plot(_SIZES, _SIZES, ":", color=palette.GREY, label="in proportion")
    (measured,) = ax.plot([], [], "o-", color=palette.BLUE, label="measured", zorder=_FRONT)
    (here,) = ax.plot([], [], "D", color=palette.VERMILION, markersize=9, label="these nodes", zorder=6)
    logarithmic(ax, x=2, y=2, minor=False)
    ax.set(xlim=(0.9, 36), ylim=(0.5, 40), xlabel="nodes", ylabel="requests per service time")
    ax.legend(frameon=False, loc="upper left").set_zorder(3)
    bars = placed_axes(figure, 0.74, 0.15, 0.98, 0.88)
    bars.set(xlim=(-0.6, 1.6), ylim=(0, 1), ylabel="busy")
    bars.set_xticks([])
    percent_axis(bars.yaxis)
    drawn = bars.bar(
        [0, 1], [0, 0], 0.7, color=[palette.SKY, palette.ORANGE], edgecolor=palette.BLACK, zorder=_FRONT
    )
    names = [bars.text(x, -0.03, "", ha="center", va="top", fontsize=10) for x in (0, 1)]
    words = figure.text(0.08, 0.93, "", fontsize=10.5)
    return {"measured": measured, "here": here, "bars": list(drawn), "names": names, "words": words}


def _update_patterns(drawn: dict[str, Any], pattern: str, nodes: int, share: float) -> str:
    sizes = [size for size in _SIZES if size <= nodes]
    points = [_point(pattern, share, size) for size in sizes]
    curve = points[-1]
    drawn["measured"].set_data(sizes, [point.throughput[0] for point in points])
    drawn["here"].set_data([nodes], curve.throughput)
    busy = list(curve.utilization.items())
    for place, (bar, name) in enumerate(zip(drawn["bars"], drawn["names"], strict=True)):
        word, value = busy[place] if place < len(busy) else ("", 0.0)
        bar.set_height(value)
        bar.set_hatch("///" if word == curve.bottleneck else "")
        name.set_text(f"{word}{' ◀' if word == curve.bottleneck else ''}")
    stale = f"; stale reads {readable_percent(curve.stale_share[0])}" if any(curve.stale_share) else ""
    said = _MEANINGS[_KNOBS[pattern]].format(readable_percent(share))
    drawn["words"].set_text(
        f"{said}: {curve.throughput[0]:.1f} times one node; bottleneck: {curve.bottleneck}{stale}"
    )
    parts = ", ".join(f"{name} {readable_percent(value)}" for name, value in busy)
    return (
        f"Throughput of {pattern} against nodes: {said}. With {nodes} nodes {curve.throughput[0]:.1f} requests per "
        f"service time; busy: {parts}; bottleneck: {curve.bottleneck}{stale}."
    )


@lru_cache(maxsize=256)
def _point(pattern: str, share: float, nodes: int) -> ScalingCurve:
    knob: dict[str, Any] = {_KNOBS[pattern]: share}
    # Replicas take longer than the rest until the queue of their writes is as long as it gets.
    requests = 4_000 if pattern == "read replicas" and nodes >= 16 else 800
    return measure_scaling(pattern, [nodes], users=8, requests=requests, **knob)


# ── Curves ────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_stale_views(
    ages: Sequence[float], times: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Picture:
    """Draw the mean time of a request against the age of the balancer's view of the load.

    Args:
        ages: of the view, in service times.
        times: by policy, the mean time at each age, in service times.
        ax: where to draw.
    """
    ax = given_or_new(ax)
    _curves(ax, ages, times)
    ax.set(xlabel="age of the view, in service times", ylabel="mean time, in service times")
    ax.set(ylim=(0, 1.1 * max(max(values) for values in times.values())))
    return Picture(ax, f"Mean time of a request against the age of the view: {_ends(ages, times)}.")


@default_settings
def draw_useful_work(
    loads: Sequence[float], useful: Mapping[str, Sequence[float]], ax: Axes | None = None
) -> Picture:
    """Draw the useful completions of a worker against the load, for several ways to keep its queue.

    Args:
        loads: requests that come in one service time.
        useful: by name of the way, the useful completions per service time at each load.
        ax: where to draw.
    """
    ax = given_or_new(ax)
    ax.plot(loads, np.minimum(loads, 1.0), color=palette.GREY, linewidth=1, label="the most there can be")
    _curves(ax, loads, useful)
    ax.set(xlabel="load", ylabel="useful work per service time", ylim=(-0.02, 1.05))
    return Picture(ax, f"Useful work of one worker against the load: {_ends(loads, useful)}.")


def _curves(ax: Axes, across: Sequence[float], curves: Mapping[str, Sequence[float]]) -> None:
    for place, (name, values) in enumerate(curves.items()):
        ax.plot(across, values, marker=palette.MARKERS[place], label=name, **line_style(place))
    legend_above(ax, columns=2)


def _ends(across: Sequence[float], curves: Mapping[str, Sequence[float]]) -> str:
    return "; ".join(
        f"{name} from {readable_number(values[0])} at {across[0]:g} to {readable_number(values[-1])} at {across[-1]:g}"
        for name, values in curves.items()
    )
