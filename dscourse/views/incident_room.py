"""The incident room of notebook 11: services as a graph, what moves between them, and what their clients see."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure

from dscourse.resilience import INCIDENTS, LEVELS, Design, run_incident, service_graph
from dscourse.resilience.incidents.graph import EDGE, INSTANCES, OPERATOR
from dscourse.resilience.incidents.incident import BEGIN
from dscourse.simulation.recorder import KINDS
from dscourse.views import palette
from dscourse.views.axes import legend_above, line_style, placed_axes
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.player.scene import queue_changes

STEP, UNTIL = 0.5, 42.0  # seconds
_DOTS = 5  # on one way, at most
_A_DOT = 8.0  # calls a second
_SERVICES = (EDGE, *INSTANCES["catalog"], *INSTANCES["checkout"])
_WAYS = tuple(
    (caller, callee) for caller, callee in service_graph().edges if OPERATOR not in (caller, callee)
)  # the graph is built from the edge on, so that callers stand first
_QUEUES = {"edge": (EDGE,), "catalog": INSTANCES["catalog"], "checkout": INSTANCES["checkout"]}


def lab_incident_room(
    incident: str = "slow database", *switched_on: str, load: float = 40.0
) -> InteractiveFigure:
    """Show the services in an incident, moment by moment, with a switch for each pattern.

    Play moves the time. Another incident, load or switch begins a new run, which takes about half a second; those that
    were run before are remembered.

    Args:
        incident: one of `INCIDENTS`, to begin with.
        *switched_on: switches of `Design` that are on at first, besides `retry`.
        load: requests a second.
    """
    last = round((UNTIL - 2.0) / STEP)
    moment = widgets.IntSlider(value=6, min=0, max=last, description="time", readout=False)
    player = widgets.Play(value=6, min=0, max=last, interval=150)
    widgets.jslink((player, "value"), (moment, "value"))
    switches = {}
    for name in ("retry", *(name for names in LEVELS.values() for name in names)):
        on = name in ("retry", *switched_on)
        switches[name] = widgets.Checkbox(
            on, description=name.replace("_", " "), indent=False, layout=widgets.Layout(width="9em")
        )
    lab = live_figure(
        _set_up,
        _update,
        moment=moment,
        incident=widgets.Dropdown(options=list(INCIDENTS), value=incident, description="incident"),
        load=widgets.IntSlider(
            round(load), min=10, max=80, step=5, description="requests a second", continuous_update=False
        ),
        **switches,
    )
    panel = lab.children[0]
    main = [widget for name, widget in lab.controls.items() if name not in switches]
    boxes = widgets.Box(list(switches.values()), layout=widgets.Layout(flex_flow="row wrap", width="68em"))
    panel.children = (player, *main, boxes)
    return lab


# ── A run, by half seconds ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Told:
    """What the room shows of a run."""

    offered: Any
    goodput: Any
    p50: Any
    p99: Any
    budget: Any
    waiting: dict[str, Any]  # queue → how many, by step
    calls: dict[tuple[str, str], Any]  # way → calls a second, by step
    status: dict[str, list[tuple[str, str]]]  # service → (label, open breakers), by step
    down: dict[str, tuple[tuple[float, float], ...]]
    end: float
    requests: int
    share: float
    recovers: float


@lru_cache(maxsize=24)
def _told(incident: str, design: Design, load: int) -> _Told:
    outage = run_incident(incident, design, load=float(load), seconds=UNTIL)
    trace, steps = outage.run.trace, round(UNTIL / STEP)
    sent = trace.kind_code == KINDS.index("send")
    place = (trace.time_us / (STEP * 1e6)).astype(int)
    at = {name: number for number, name in enumerate(trace.ids)}
    calls = {}
    for caller, callee in _WAYS:
        rows = sent & (trace.node_code == at[caller]) & (trace.peer_code == at[callee])
        calls[caller, callee] = np.bincount(place[rows], minlength=steps)[:steps] / STEP
    status, waiting = _by_step(outage, steps)
    changes = [
        (time / 1e6, change) for time, node, change in queue_changes(outage.run) if node == "database-1"
    ]
    times = np.array([time for time, _ in changes] or [0.0])
    lengths = np.cumsum([change for _, change in changes] or [0])
    before = np.searchsorted(times, np.arange(steps) * STEP + STEP) - 1
    waiting["database-1"] = np.where(before >= 0, lengths[before], 0)
    return _Told(
        outage.offered, outage.goodput, outage.latency(0.5), outage.latency(0.99), outage.budget_left, waiting,
        calls, status, trace.downtimes(), outage.incident.end, len(outage.run.history()), outage.goodput_share,
        outage.seconds_to_recover,
    )  # fmt: skip


def _by_step(outage: Any, steps: int) -> tuple[dict[str, list[tuple[str, str]]], dict[str, Any]]:
    status: dict[str, list[tuple[str, str]]] = {}
    waiting = {name: np.zeros(steps) for name in _QUEUES}
    queue_of = {node: name for name, nodes in _QUEUES.items() for node in nodes}
    for node in (*_SERVICES, OPERATOR):
        rows: list[tuple[str, str]] = [("", "")] * steps
        for event in outage.run.trace.select(kind="record", name="status", node=node):
            step = min(steps - 1, int(event.time / STEP + 1e-6))
            now = (str(event.detail["label"]), str(event.detail.get("open", "")))
            rows[step:] = [now] * (steps - step)
            if "waiting" in event.detail:
                waiting[queue_of[node]][step] += event.detail["waiting"]
        status[node] = rows
    return status, waiting


# ── The picture ───────────────────────────────────────────────────────────────────────────────────────────────


def _set_up(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.0, 0.06, 0.46, 1.0, size=(9.8, 4.6))
    ax.set_axis_off()
    ax.set(xlim=(-0.4, 2.42), ylim=(-0.75, 1.72))
    graph = service_graph(zones=True)
    places = {node: graph.nodes[node]["pos"] for node in graph}
    for a, b in _WAYS:
        ax.plot(*zip(places[a], places[b], strict=True), color=palette.LIGHT_GREY, linewidth=1, zorder=1)
    (dots,) = ax.plot([], [], "o", color=palette.BLUE, markersize=5, zorder=2)
    (crosses,) = ax.plot(
        [], [], "X", color=palette.VERMILION, markersize=12, markeredgecolor="white", zorder=5
    )
    words = {}
    for node, (x, y) in places.items():
        look = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": palette.BLACK}
        words[node] = ax.text(x, y, node, ha="center", va="center", fontsize=8.5, zorder=4, bbox=look)
    panels, top = {}, 0.93
    for name, height in (("goodput", 0.19), ("latency", 0.16), ("queues", 0.16), ("budget", 0.13)):
        panels[name] = placed_axes(figure, 0.53, top - height, 0.985, top)
        panels[name].set(xlim=(0, UNTIL - 2.0))
        top -= height + 0.06
        if name != "budget":
            panels[name].tick_params(labelbottom=False)
    panels["goodput"].set(ylabel="a second", ylim=(0, 90))
    panels["latency"].set(ylabel="seconds", ylim=(0, 2.05))
    panels["queues"].set(ylabel="waiting", yscale="symlog", ylim=(0, 3000), yticks=[0, 1, 10, 100, 1000])
    panels["budget"].set(ylabel="budget left", xlabel="seconds", ylim=(-1.05, 1.05), yticks=[-1, 0, 1])
    lines = {
        name: panels[panel].plot([], [], label=label, **line_style(place))[0]
        for name, panel, place, label in (
            ("offered", "goodput", 6, "requests"), ("goodput", "goodput", 0, "answered within 2 s"),
            ("p50", "latency", 2, "median"), ("p99", "latency", 3, "p99"),
            ("edge", "queues", 0, "edge"), ("catalog", "queues", 1, "catalog"), ("checkout", "queues", 2, "checkout"),
            ("database-1", "queues", 3, "database-1"), ("budget", "budget", 0, "budget"),
        )
    }  # fmt: skip
    for name in ("goodput", "latency", "queues"):
        legend_above(panels[name], columns=4)
    causes = [
        panel.axvspan(BEGIN, BEGIN + 1, color=palette.YELLOW, alpha=0.35, zorder=0)
        for panel in panels.values()
    ]
    cursors = [panel.axvline(0, color=palette.VERMILION, linewidth=1.5) for panel in panels.values()]
    note = figure.text(0.01, 0.03, "", fontsize=9)
    figure.text(0.53, 0.03, "yellow: while the cause lasts", fontsize=8)
    return {
        "dots": dots, "crosses": crosses, "words": words, "lines": lines, "causes": causes, "cursors": cursors,
        "note": note, "places": places,
    }  # fmt: skip


def _update(drawn: dict[str, Any], moment: int, incident: str, load: int, **switches: bool) -> str:
    design = Design(**{one.name: switches[one.name] for one in fields(Design)})
    told, time = _told(incident, design, load), moment * STEP
    _move_dots(drawn, told, moment)
    opened = _show_nodes(drawn, told, moment, time, design.zones)
    shown = int(time) + 1  # nothing is told of what is to come
    seconds = np.arange(len(told.offered))
    for name in ("offered", "goodput", "p50", "p99", "budget"):
        values = np.clip(getattr(told, name), -1, None) if name == "budget" else getattr(told, name)
        drawn["lines"][name].set_data(seconds[:shown], values[:shown])
    for name, values in told.waiting.items():
        drawn["lines"][name].set_data(np.arange(moment + 1) * STEP, values[: moment + 1])
    for cause, cursor in zip(drawn["causes"], drawn["cursors"], strict=True):
        cause.set_bounds(BEGIN, cause.get_y(), max(0.3, told.end - BEGIN), cause.get_height())
        cause.set_visible(time >= BEGIN)
        cursor.set_xdata([time, time])
    now = min(int(time), len(told.offered) - 1)
    words = INCIDENTS[incident].words if time >= BEGIN else "all is calm"
    drawn["note"].set_text(f"{time:4.1f} s: {words}   ({told.requests} requests in the run)")
    return (
        f"The incident room, {incident}, {load} requests a second, {', '.join(design.switched_on) or 'nothing'} "
        f"switched on. At {time:.1f} s: {words}; of {told.offered[now]:.0f} requests of this second "
        f"{told.goodput[now]:.0f} are answered in time; breakers open: {', '.join(opened) or 'none'}."
    )


def _move_dots(drawn: dict[str, Any], told: _Told, moment: int) -> None:
    xs, ys = [], []
    for (caller, callee), rates in told.calls.items():
        count = min(_DOTS, int(np.ceil(rates[moment] / _A_DOT)))
        (x, y), (to_x, to_y) = drawn["places"][caller], drawn["places"][callee]
        for dot in range(count):
            way = (dot + moment % 4 / 4 + 0.1) / count
            if 0.12 < way % 1.0 < 0.9:
                xs.append(x + way % 1.0 * (to_x - x))
                ys.append(y + way % 1.0 * (to_y - y))
    drawn["dots"].set_data(xs, ys)


def _show_nodes(drawn: dict[str, Any], told: _Told, moment: int, time: float, zones: bool) -> list[str]:
    opened = []
    for node, text in drawn["words"].items():
        label, breakers = told.status.get(node, [("", "")] * (moment + 1))[moment]
        if node == "database-1":
            label = f"{told.waiting[node][moment]:.0f} wait"
        dead = any(begin <= time < end for begin, end in told.down.get(node, ()))
        state = "crashed" if dead else label
        zone = "b" if zones and node.endswith("2") else "a"
        name = f"{node} ({zone})" if node.endswith(("1", "2")) else node
        text.set_text(f"{name}\n{state}" if state else name)
        if breakers and not dead:
            opened += [(node, callee) for callee in breakers.split(", ")]
        colour = (
            palette.LIGHT_GREY
            if dead
            else "#FFF0C0"
            if breakers or label in ("called", "acts", "restarts")
            else "white"
        )
        text.get_bbox_patch().set(facecolor=colour, linestyle=":" if dead else "-")
    middles = [
        tuple((one + other) / 2 for one, other in zip(drawn["places"][a], drawn["places"][b], strict=True))
        for a, b in opened
    ]
    drawn["crosses"].set_data(*(zip(*middles, strict=True) if middles else ([], [])))
    return [f"{a} to {b}" for a, b in opened]
