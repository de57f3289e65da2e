"""Pictures of notebook 01: five metrics, latencies, queues, laws and capacity."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from dscourse.readable import readable_number, readable_percent, readable_seconds
from dscourse.scaling import (
    USL,
    CapacityStatement,
    System,
    USLFit,
    amdahl_speedup,
    latency_quantile,
    mmc,
    simulate_queue,
)
from dscourse.views import palette
from dscourse.views.axes import (
    given_or_new,
    label_point,
    logarithmic,
    on_white,
    placed_axes,
    tail_curves,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

Row = Sequence[float] | np.ndarray[Any, Any]

_NODES = (1, 2, 4, 8, 16, 32, 64)
_HEALTHY = System()


# ── Five metrics, one system ──────────────────────────────────────────────────────────────────────────────────

_METRICS = (
    ("throughput", "throughput, requests/s", +1, (100.0, 1e5)),
    ("median", "median latency, ms", -1, (8.0, 3000.0)),
    ("p99", "99th percentile, ms", -1, (50.0, 3000.0)),
    ("users", "users at once", +1, (1e3, 2e6)),
    ("data", "data, TB", +1, (1.0, 500.0)),
)
#: Knob of a `System` → what it is called, its choices, their unit, and the model's value of one such unit.
_KNOBS: dict[str, tuple[str, tuple[float, ...], str, float]] = {
    "cpu_seconds": ("CPU", (2, 4, 8, 12, 20), "ms", 0.001),
    "workers": ("worker threads", (4, 6, 8, 16, 32), "", 1),
    "io_seconds": ("disk (I/O)", (0.5, 1, 2, 3, 4), "ms", 0.001),
    "lock_seconds": ("shared lock", (0, 0.05, 0.1, 0.2, 0.5), "ms", 0.001),
    "queue_limit": ("queue depth", (10, 50, 200, 1000, 5000), "", 1),
    "pause_probability": ("pauses", (0, 0.5, 1, 2, 5), "%", 0.01),
    "session_size": ("session size", (0.5, 1, 2, 4, 8), "MB", 1),
    "session_copies": ("session copies", (1, 2, 4, 16, 64), "", 1),
    "connections": ("DB connections", (64, 128, 320, 640, 5000), "", 1),
    "refill_rate": ("rebalancing", (10, 20, 50, 100, 1000), "MB/s", 1),
    "copies": ("data copies", (1, 2, 3, 5, 8), "", 1),
    "write_share": ("writes", (0, 10, 25, 50, 100), "%", 0.01),
}
_FRONT = 3.5  # curves and titles stand in front of the words that never change


def explore_bottlenecks() -> InteractiveFigure:
    """Show the five metrics of a service against its size, with a control for each bottleneck."""
    return live_figure(_set_up_metrics, _update_metrics, **{knob: _dial(knob) for knob in _KNOBS})


def _dial(knob: str) -> widgets.SelectionSlider:
    name, choices, unit, scale = _KNOBS[knob]
    return widgets.SelectionSlider(
        options=[(f"{readable_number(value)} {unit}".rstrip(), value * scale) for value in choices],
        value=getattr(_HEALTHY, knob),
        description=name,
        layout=widgets.Layout(width="23em"),
    )


def _set_up_metrics(figure: Figure) -> dict[str, Any]:
    # One pair of axes for all panels, without ticks of its own: five would take three times as long to draw.
    ax = placed_axes(figure, 0.0, 0.0, 1.0, 1.0, size=(10.0, 5.2))
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    healthy = _metrics(_HEALTHY)
    grid, titles, curves = [], {}, {}
    for (metric, *_), panel in zip(_METRICS, _PANELS, strict=True):
        titles[metric] = panel.write(ax)
        grid += panel.grid()
        ax.plot(*panel.at(_NODES, healthy[metric]), "--", color=palette.GREY, linewidth=1.5)
        (curves[metric],) = ax.plot([], [], markersize=5, zorder=_FRONT)
    ax.add_collection(LineCollection(grid, colors="#E0E0E0", linewidths=0.8, zorder=0))
    _explain_panels(ax)
    return {"titles": titles, "curves": curves, "healthy": healthy}


def _update_metrics(drawn: dict[str, Any], **knobs: float) -> str:
    now, told = _metrics(_HEALTHY.changed(**knobs)), []
    for (metric, label, sign, _), panel in zip(_METRICS, _PANELS, strict=True):
        values, ideal = now[metric], drawn["healthy"][metric]
        behind = sign * (values[-1] - ideal[-1]) < -0.1 * ideal[-1]
        colour, marker = (palette.VERMILION, "s") if behind else (palette.BLUE, "o")
        drawn["curves"][metric].set(data=panel.at(_NODES, values), color=colour, marker=marker)
        drawn["titles"][metric].set(text=f"{label}{': behind' if behind else ''}", color=colour)
        told.append(f"{label} {readable_number(values[-1])}{' (behind)' if behind else ''}")
    turned = [_KNOBS[knob][0] for knob, value in knobs.items() if value != getattr(_HEALTHY, knob)]
    state = f"Turned: {', '.join(turned)}." if turned else "No knob is turned."
    return (
        f"Five metrics against 1 to 64 nodes, the load growing with the nodes. {state} "
        f"At 64 nodes: {'; '.join(told)}."
    )


def _metrics(system: System) -> dict[str, np.ndarray[Any, Any]]:
    """Return the five metrics of a system at 1 to 64 nodes, latencies in milliseconds."""
    curve = system.curve(_NODES)
    return {
        metric: curve[metric].to_numpy() * (1000.0 if metric in ("median", "p99") else 1.0)
        for metric, *_ in _METRICS
    }


@dataclass(frozen=True)
class _Panel:
    """A small logarithmic diagram at a place of larger axes that go from 0 to 1."""

    left: float
    bottom: float
    limits: tuple[float, float]
    width: float = 0.26
    height: float = 0.345

    def at(self, nodes: Row, values: Row) -> tuple[Any, Any]:
        """Return where points lie; what lies outside the diagram is put on its edge."""
        low, high = np.log(self.limits)
        up = np.clip((np.log(np.asarray(values, float)) - low) / (high - low), 0.0, 1.0)
        along = np.log2(np.asarray(nodes, float)) / math.log2(_NODES[-1])
        return self.left + self.width * along, self.bottom + self.height * up

    def powers(self) -> list[float]:
        """Return the powers of ten within the limits."""
        low, high = (math.log10(limit) for limit in self.limits)
        return [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]

    def grid(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """Return the lines of the grid, as pairs of ends."""
        right, top = self.left + self.width, self.bottom + self.height
        powers = self.powers()
        across = [((self.left, y), (right, y)) for y in self.at((1,) * len(powers), powers)[1]]
        upward = [((x, self.bottom), (x, top)) for x in self.at(_NODES, (1.0,) * len(_NODES))[0]]
        return across + upward + [((self.left, self.bottom), (right, self.bottom))]

    def write(self, ax: Axes) -> Any:
        """Write the labels of the grid; return a title that is still empty."""
        powers = self.powers()
        for power, y in zip(powers, self.at((1,) * len(powers), powers)[1], strict=True):
            ax.text(self.left - 0.007, y, _short(power), ha="right", va="center", fontsize=9)
        for count in (1, 4, 16, 64):
            x = self.at((count,), (1.0,))[0][0]
            ax.text(x, self.bottom - 0.015, str(count), ha="center", va="top", fontsize=9)
        above = self.bottom + self.height + 0.025
        return ax.text(self.left - 0.04, above, "", fontsize=11, va="bottom", zorder=_FRONT)


_PANELS = [
    _Panel(0.06 + 0.33 * (place % 3), 0.58 if place < 3 else 0.08, metric[-1])
    for place, metric in enumerate(_METRICS)
]


def _explain_panels(ax: Axes) -> None:
    looks = (
        ("--", palette.GREY, "healthy system"),
        ("o-", palette.BLUE, "yours, as it should be"),
        ("s-", palette.VERMILION, "yours, behind at 64 nodes"),
    )
    for place, (look, colour, words) in enumerate(looks):
        y = 0.40 - 0.055 * place
        ax.plot((0.72, 0.735, 0.75), (y, y, y), look, color=colour, markersize=5, markevery=(1, 2))
        ax.text(0.765, y, words, va="center", fontsize=10)
    words = f"across: number of nodes; with each\ncome {_HEALTHY.load_per_node:g} requests/s"
    ax.text(0.72, 0.22, words, fontsize=10, va="top")


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


# ── Percentiles ───────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_latency_tails(groups: Mapping[str, Row], ax: Axes | None = None) -> Picture:
    """Draw, for several sets of latencies, which share of requests took longer, with the 99th percentile marked."""
    ax = given_or_new(ax)
    tail_curves(ax, groups)
    told = []
    for place, (name, latencies) in enumerate(groups.items()):
        p99 = latency_quantile(latencies, 0.99)
        ax.plot(1000 * p99, 0.01, palette.MARKERS[place], color=palette.SERIES[place], markersize=8)
        told.append(f"{name} {readable_seconds(p99)}")
    ax.axhline(0.01, color=palette.GREY, linewidth=0.8)
    ax.text(0.01, 0.0088, "one in a hundred takes longer", va="top", fontsize=9, color=palette.GREY, bbox=on_white(),
            transform=ax.get_yaxis_transform())  # fmt: skip
    ax.set_xscale("log")
    fastest = 1000 * min(float(np.quantile(latencies, 0.02)) for latencies in groups.values())
    ax.set(xlabel="latency, ms", ylim=(1e-4, 1.1), xlim=(max(fastest, 1e-3), None))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(frameon=False, loc="lower left")
    return Picture(
        ax, f"Share of requests that takes longer than a given time. 99th percentiles: {'; '.join(told)}."
    )


# ── The hockey stick ──────────────────────────────────────────────────────────────────────────────────────────


def explore_waiting() -> InteractiveFigure:
    """Show waiting against utilisation, formula and simulation, for any number of servers and any load."""
    return live_figure(
        _set_up_waiting,
        _update_waiting,
        servers=[("1 server", 1), ("2 servers", 2), ("4 servers", 4), ("8 servers", 8), ("16 servers", 16)],
        busy=widgets.IntSlider(value=80, min=5, max=97, description="utilisation, %"),
    )


_SHARES = np.linspace(0.02, 0.97, 40)
_SIMULATED_SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.8, 0.9])


def _set_up_waiting(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.1, 0.15, 0.97, 0.91)
    ax.set(
        xlabel="utilisation, %",
        ylabel="time in the system,\nin mean service times",
        ylim=(0, 50),  # the 99th percentile of one server at 90 % is 46
        xlim=(0, 100),
    )
    lines = [
        ax.plot(100 * shares, np.zeros(shares.size), look, color=colour, label=label)[0]
        for shares, look, colour, label in (
            (_SHARES, "-", palette.BLUE, "mean, formula"),
            (_SHARES, "--", palette.VERMILION, "99th percentile, formula"),
            (_SIMULATED_SHARES, "o", palette.BLUE, "simulated"),
            (_SIMULATED_SHARES, "s", palette.VERMILION, None),
        )
    ]
    ax.legend(loc="center left", fontsize=9, facecolor="white", edgecolor="none", framealpha=1)
    here = ax.axvline(0, color=palette.GREY, linewidth=1)
    return {"lines": lines, "here": here, "title": ax.set_title("", loc="left", fontsize=9)}


def _update_waiting(drawn: dict[str, Any], servers: int, busy: int) -> str:
    for line, times in zip(drawn["lines"], _waiting(servers), strict=True):
        line.set_ydata(times)
    chosen = mmc(busy / 100 * servers, 1.0, servers)
    mean, tail = chosen.sojourn_time, chosen.sojourn_quantile(0.99)
    wait = readable_percent(chosen.probability_of_waiting)
    drawn["here"].set_xdata([busy, busy])
    drawn["title"].set_text(
        f"{busy} % busy: mean {mean:.1f}, 99th percentile {tail:.1f}, {wait} have to wait"
    )
    return (
        f"Time in an M/M/{servers} queue against utilisation. At {busy} % the mean is "
        f"{mean:.1f} service times, the 99th percentile {tail:.1f}, and {wait} have to wait."
    )


@functools.cache
def _waiting(servers: int) -> tuple[Any, ...]:
    """Return mean and 99th percentile of the time in an M/M/c queue, by formula and simulated."""
    formulas = [mmc(share * servers, 1.0, servers) for share in _SHARES]
    means, tails = zip(*(_simulated_times(share, servers) for share in _SIMULATED_SHARES), strict=True)
    return (
        [queue.sojourn_time for queue in formulas],
        [queue.sojourn_quantile(0.99) for queue in formulas],
        means,
        tails,
    )


def _simulated_times(share: float, servers: int) -> tuple[float, float]:
    """Return mean and 99th percentile of the time in the system; with fewer customers the tail at 90 % is far off."""
    customers = 400_000
    rng = np.random.default_rng(6)
    gaps = rng.exponential(1.0, customers) / (share * servers)
    times = simulate_queue(gaps, rng.exponential(1.0, customers), servers).sojourn_times
    return float(times.mean()), latency_quantile(times, 0.99)


# ── Laws ──────────────────────────────────────────────────────────────────────────────────────────────────────


def explore_usl() -> InteractiveFigure:
    """Show the Universal Scalability Law beside proportion and Amdahl, for any contention and coherency."""
    return live_figure(
        _set_up_usl,
        _update_usl,
        contention=widgets.FloatSlider(
            value=0.03, min=0, max=0.2, step=0.005, readout_format=".3f", description="contention α"
        ),
        coherency=widgets.FloatSlider(
            value=0.0005, min=0, max=0.004, step=0.0001, readout_format=".4f", description="coherency β"
        ),
    )


_LOADS = np.linspace(1, 128, 200)


def _set_up_usl(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.1, 0.15, 0.97, 0.97)
    ax.set(xlabel="nodes", ylabel="throughput, in that of one node", ylim=(0, 64), xlim=(0, 128))
    ax.plot(_LOADS, _LOADS, ":", color=palette.GREY, label="in proportion")
    (amdahl,) = ax.plot(_LOADS, _LOADS, "--", color=palette.GREEN, label="contention only (Amdahl)")
    (law,) = ax.plot(_LOADS, _LOADS, "-", color=palette.BLUE, label="with coherency (USL)")
    (peak,) = ax.plot([], [], "v", color=palette.VERMILION, markersize=9)
    words = label_point(ax, "", (0, 0), (0, 0), color=palette.VERMILION, fontsize=10, bbox=on_white(0.5, 1))
    ax.legend(frameon=False, loc="upper left", fontsize=9)
    return {"amdahl": amdahl, "law": law, "peak": peak, "words": words}


def _update_usl(drawn: dict[str, Any], contention: float, coherency: float) -> str:
    law = USL(contention, coherency)
    drawn["amdahl"].set_ydata(amdahl_speedup(_LOADS, contention))
    drawn["law"].set_ydata(law(_LOADS))
    where, within = "no peak", law.peak_load <= 128
    if within:
        where = f"peak {law.peak_throughput:.1f} at {law.peak_load:.0f}"
        drawn["peak"].set_data([law.peak_load], [law.peak_throughput])
        low = law.peak_throughput < 9  # no room between the curve and the axis
        drawn["words"].xy = (law.peak_load, law.peak_throughput)
        drawn["words"].set(
            text=where, position=(0, 9 if low else -12), ha="left" if law.peak_load < 12 else "center",
            va="bottom" if low else "top",
        )  # fmt: skip
    elif math.isfinite(law.peak_load):
        where = f"peak beyond 128, at {law.peak_load:.0f}"
    drawn["peak"].set_visible(within)
    drawn["words"].set_visible(within)
    return (
        f"Throughput against nodes with contention {contention:.3f} and coherency {coherency:.4f}: {where}; "
        f"at 128 nodes {law(128):.1f} times that of one."
    )


@default_settings
def draw_fitted_law(
    fit: USLFit,
    more: tuple[Row, Row] | None = None,
    *,
    load: str = "processors",
    throughput: str = "throughput",
    ax: Axes | None = None,
) -> Picture:
    """Draw measurements and the law fitted to them, and perhaps measurements that the fit has not seen.

    Args:
        fit: the fitted law.
        more: further loads and throughputs.
        load: name of the load.
        throughput: name and unit of the throughput.
        ax: where to draw.
    """
    ax = given_or_new(ax)
    seen = np.asarray(fit.load)
    last = max(float(seen.max()), float(np.max(more[0])) if more else 0.0)
    grid = np.linspace(min(1.0, float(seen.min())), last * 1.05, 200)
    small = 3 if seen.size > 100 else 6
    ax.plot(seen, fit.throughput, "o", color=palette.BLUE, markersize=small, label="used for the fit")
    if more:
        ax.plot(more[0], more[1], "D", markerfacecolor="none", color=palette.VERMILION, label="not used")
    ax.plot(grid, fit(grid), "-", color=palette.BLACK, linewidth=1.2, label="fitted law")
    peak = "no peak"
    if math.isfinite(fit.peak_load):
        peak = f"peak {readable_number(fit.peak_throughput)} at {fit.peak_load:.3g}"
        if fit.peak_load <= grid[-1]:
            place = (fit.peak_load, fit.peak_throughput)
            ax.plot(*place, "v", color=palette.BLACK, markersize=9)
            label_point(ax, peak, place, (0, -12), fontsize=10, ha="center", va="top", bbox=on_white())
    ax.set(xlabel=load, ylabel=throughput, ylim=(0, 1.18 * max(*fit.throughput, *(more[1] if more else ()))))
    ax.legend(frameon=False, loc="lower right")
    unseen = ""
    if more:
        said = fit(float(more[0][-1]))
        unseen = f" At {more[0][-1]:g} the law says {readable_number(said)}; measured: {more[1][-1]:g}."
    return Picture(
        ax,
        f"Law fitted to {seen.size} measurements of {throughput} against {load}: contention {fit.contention:.4f}, "
        f"coherency {fit.coherency:.5f}, {peak}.{unseen}",
    )


# ── Capacity ──────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_capacity_evidence(statement: CapacityStatement, ax: Axes | None = None) -> Picture:
    """Draw every load that a search tried, and whether it met the objective."""
    ax = given_or_new(ax, height=3.2)
    table = statement.evidence
    for met, marker, colour, label in (
        (True, "o", palette.BLUE, "met"),
        (False, "X", palette.VERMILION, "missed"),
    ):
        rows = table[table["met"] == met]
        ax.plot(rows["load"], 1000 * rows["latency"], marker, color=colour, label=f"{label} ({len(rows)})")
    ax.axhline(1000 * statement.objective, color=palette.GREY, linestyle="--")
    ax.text(table["load"].min(), 1080 * statement.objective, "objective", color=palette.GREY, fontsize=9)
    logarithmic(ax)
    ax.set(xlabel=f"load, {statement.unit}", ylabel=f"p{100 * statement.quantile:g}, ms")
    ax.legend(frameon=False, loc="upper left")
    return Picture(
        ax,
        f"Loads tried, and the p{100 * statement.quantile:g} of each: {len(table)} tried, "
        f"{int(table['met'].sum())} met the objective. The system {statement}.",
    )
