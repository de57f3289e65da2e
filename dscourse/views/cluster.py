"""Still pictures of a run: the cluster at a moment, and the space-time diagram. The twins of what the player shows.

from dscourse.views import cluster_map, space_time
cluster_map(run, at=3.2)
space_time(run, between=(2.0, 4.0))
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from dscourse.arguments import instance, items, real, shown
from dscourse.simulation import Fault, Run
from dscourse.views import palette
from dscourse.views.axes import given_or_new, sample
from dscourse.views.picture import Picture
from dscourse.views.player.fault_intervals import Band, bands as bands_of
from dscourse.views.player.positions import positions
from dscourse.views.player.scene import Flight, NodeState, Scene, flights_between, scene_at
from dscourse.views.player.strips import COLOURS
from dscourse.views.settings import default_settings

Place = tuple[float, float]

_MOST_LABELS = 20  # nodes; with more, names only
_MESSAGE_COLOURS = (
    palette.BLUE,
    palette.ORANGE,
    palette.GREEN,
    palette.PURPLE,
    palette.SKY,
    palette.YELLOW,
    palette.GREY,
)
_MESSAGE_MARKERS = ("o", "s", "^", "D", "v", "P", "*", "p")
_SIZES = {"*": 1.35, "X": 1.0, "D": 0.85}  # so that all shapes look about as large
_CUT: dict[str, Any] = {
    "marker": "s", "markersize": 7, "color": "white", "markeredgecolor": palette.VERMILION, "markeredgewidth": 2,
}  # fmt: skip
_DROP: dict[str, Any] = {"marker": "x", "color": palette.VERMILION, "markersize": 7, "markeredgewidth": 2}
_LONGEST_LEGEND = 7  # types of message: as many as there are colours
_MESSAGES_TOLD = 120  # about as many messages are in the diagram of the picture that stands in for the player
_TOLD_APART = 2_000  # marks on a time line
_MOST_TOLD = 400  # beyond that it is left out: drawing takes long, and nobody can read it
_LARGEST_DIAGRAM = 4000  # messages; beyond that it is a grey smear


@default_settings
def cluster_map(run: Run, at: float, ax: Axes | None = None) -> Picture:
    """Draw the cluster as it is at a moment: what every node believes, which messages are under way, what is cut.

    Args:
        run: the run.
        at: the moment, in seconds; every event up to and including it has happened.
        ax: axes to draw on; new ones if None.

    Returns:
        The picture, with an alt text that tells every node's state.

    Raises:
        TypeError: if `run` is no run or `at` no number.
        ValueError: if `at` lies outside the run.
    """
    axes = given_or_new(ax, 6.4, 4.2)
    return Picture(axes, _draw_map(axes, run, _moment("at", at, _checked(run)), ()))


def _draw_map(axes: Axes, run: Run, moment: int, hidden: Collection[Fault]) -> str:
    """Draw the cluster at a moment (µs) without what tells of the hidden faults; return it in words."""
    scene = scene_at(run, moment, hidden)
    places = {party: (x, 1 - y) for party, (x, y) in positions(run).items()}
    axes.set_axis_off()
    axes.set_xlim(-0.14, 1.14)
    axes.set_ylim(-0.16, 1.16)
    cut = _draw_links(axes, run, scene, places)
    types = _types(run)
    _draw_flights(axes, scene.flights, places, types)
    few = len(run.trace.ids) <= _MOST_LABELS
    for node, state in scene.nodes.items():
        _draw_node(axes, node, state, places[node], few=few)
    for client in run.clients:
        axes.plot(
            *places[client], marker="s", markersize=16, color="white", markeredgecolor="black", zorder=4
        )
        axes.text(*places[client], client, ha="center", va="center", fontsize=9, zorder=5, parse_math=False)
    _legend(axes, scene, types, cut=cut)
    axes.set_title(f"{moment / 1e6:g} s", fontsize=11)
    return _cluster_words(run, scene, moment)


@default_settings
def space_time(run: Run, between: tuple[float, float], ax: Axes | None = None) -> Picture:
    """Draw the space-time diagram: a row per node, time from left to right, a slanted line for every message.

    Args:
        run: the run.
        between: begin and end of the part to draw, in seconds.
        ax: axes to draw on; new ones if None.

    Returns:
        The picture with its alt text.

    Raises:
        TypeError: if `run` is no run, or `between` no pair of numbers.
        ValueError: if the interval is empty, lies outside the run, or holds too many messages to tell apart.
    """
    _checked(run)
    begin, end = _interval(between, run)
    flights = flights_between(run, begin, end)
    if len(flights) > _LARGEST_DIAGRAM:
        raise ValueError(
            f"{len(flights)} messages between {begin / 1e6:g} and {end / 1e6:g} s are too many to tell apart; "
            f"choose a shorter interval (up to {_LARGEST_DIAGRAM})"
        )
    axes = given_or_new(ax, 7.4, 1.2 + 0.36 * len(run.trace.ids))
    return Picture(axes, _draw_diagram(axes, run, flights, begin, end, ()))


def _draw_diagram(
    axes: Axes, run: Run, flights: list[Flight], begin: int, end: int, hidden: Collection[Fault]
) -> str:
    """Draw the space-time diagram between two moments (µs); return it in words."""
    parties, types, window = list(run.trace.ids), _types(run), (begin / 1e6, end / 1e6)
    bands = [band for band in bands_of(run, hidden) if band.begin < end and band.end > begin]
    rows = {party: -index for index, party in enumerate(parties)}
    axes.hlines(list(rows.values()), *window, color=palette.LIGHT_GREY, linewidth=1, zorder=1)
    _draw_spans(axes, bands, rows, begin, end)
    for flight in flights:
        _draw_message(axes, flight, rows, types, window)
    states = _draw_records(axes, run, rows, begin, end)
    axes.set(xlim=window, ylim=(0.4 - len(parties), 0.6), xlabel="time (s)")
    axes.set_yticks(list(rows.values()), parties, parse_math=False)
    axes.grid(visible=False)
    drawn = {flight.type for flight in flights if flight.reason is None}
    handles = [
        sample(name, linestyle="-", color=_MESSAGE_COLOURS[number % 7])
        for name, number in types.items()
        if name in drawn
    ][:_LONGEST_LEGEND]
    if any(flight.reason for flight in flights):
        handles.append(sample("dropped", **{**_DROP, "linestyle": "--"}))
    handles += _state_samples(states)
    if handles:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize=8, frameon=False)
    return _diagram_words(run, flights, states, bands, window)


@default_settings
def run_picture(run: Run, hidden: Collection[Fault] = ()) -> Picture:
    """Draw the picture that stands in for the player: a story in three parts.

    The cluster at its most telling moment, which is when the last fault has had its effect, or the end of the run; the
    time line with all faults; and the space-time diagram of the time that leads up to that moment.

    Args:
        run: the run.
        hidden: faults of which the picture must not tell.
    """
    moment, first = run.until, 0.0
    intervals = [interval for interval in run.trace.fault_intervals() if interval[0] not in hidden]
    if intervals and not hidden:
        moment, first = intervals[-1][1], intervals[0][1]
        over = min([run.until, *(end for _, _, end in intervals if end > moment)])
        changes = run.trace.select(kind="record", name="status").times
        moment = max((time for time in changes if moment < time < over), default=moment)
    lasting = bands_of(run, hidden)
    lanes = _lanes(lasting, run.until * 3e5)
    rows = len(run.trace.ids)
    begin, end = _telling_window(run, first)
    flights = flights_between(run, begin, end, hidden)
    told = len(flights) <= _MOST_TOLD
    strip = 0.3 + 0.2 * (1 + max(lanes, default=0) if lasting else 0)
    diagram = 0.22 * min(rows, 20) + 0.2 if told else 0.0
    below = 0.5 + diagram + 0.55 if told else 0.35
    height = below + strip + 3.65  # the map, and its title above it
    figure = Figure(figsize=(7.4, height), facecolor="white")  # places are given: laying out takes long

    def part(bottom: float, high: float, left: float = 0.08, wide: float = 0.7) -> Axes:
        return figure.add_axes((left, bottom / height, wide, high / height))

    words = _draw_map(part(below + strip + 0.25, 3.1, 0.02, 0.72), run, round(moment * 1e6), hidden)
    _draw_time_line(part(below, strip), run, lasting, lanes, moment, hidden)
    if not told:
        return Picture(figure, words)
    axes = part(0.5, diagram)
    words += " " + _draw_diagram(axes, run, flights, begin, end, hidden)
    axes.tick_params(axis="y", labelsize=8 if rows <= 20 else 4)
    return Picture(figure, words)


def _telling_window(run: Run, first: float) -> tuple[int, int]:
    """Return from when to when (µs) the diagram goes: some messages, from shortly before the first fault."""
    until, sent = round(run.until * 1e6), len(run.trace.select(kind="send"))
    width = min(until, max(until // 100, round(until * _MESSAGES_TOLD / max(1, sent))))
    begin = max(0, min(round(first * 1e6) - width // 5, until - width))
    return begin, begin + width


def _lanes(bands: list[Band], room: float) -> list[int]:
    """Return a row for each fault so that none covers another."""
    ends: list[float] = []
    lanes = []
    for band in bands:
        lane = next((row for row, end in enumerate(ends) if end <= band.begin), len(ends))
        ends[lane : lane + 1] = [max(band.end, band.begin + room)]  # of instant ones the words need room
        lanes.append(lane)
    return lanes


def _draw_time_line(
    axes: Axes, run: Run, bands: list[Band], lanes: list[int], moment: float, hidden: Collection[Fault]
) -> None:
    """Draw the whole run as one strip: changes of state above the line, faults below it."""
    axes.set(xlim=(0, run.until), ylim=(-1 - max(lanes, default=-1), 1.2), yticks=[])
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.vlines(
        _apart(run.trace.select(kind="send").times, run.until),
        0,
        0.35,
        color=palette.LIGHT_GREY,
        linewidth=0.5,
    )
    axes.vlines(
        run.trace.select(kind="record", name="status").times, 0, 0.9, color=palette.GREEN, linewidth=1.5
    )
    if not hidden:
        axes.vlines(run.trace.select(kind="fault").times, 0, 1.1, color=palette.VERMILION, linewidth=1.5)
    for band, lane in zip(bands, lanes, strict=True):
        left, right = band.begin / 1e6, max(band.end / 1e6, band.begin / 1e6 + 0.004 * run.until)
        axes.barh(-lane - 0.5, right - left, 0.8, left, color=palette.VERMILION, alpha=0.25)
        beyond = left > 0.7 * run.until
        place = (right if beyond else left, -lane - 0.5)
        axes.annotate(band.label, place, (-3 if beyond else 3, 0), textcoords="offset points", fontsize=7,
                      ha="right" if beyond else "left", va="center")  # fmt: skip
    axes.plot(moment, 1.0, marker="v", color=palette.BLUE, markersize=6, clip_on=False)
    axes.axvline(moment, color=palette.BLUE, linewidth=1)
    axes.tick_params(axis="x", labelsize=8, length=2, pad=1)
    axes.grid(visible=False)


def _apart(times: Sequence[float], until: float) -> Sequence[float]:
    """Return no more times than can be told apart on a line: of thousands the last in each of its pieces."""
    if len(times) <= _TOLD_APART:
        return times
    return list({int(time * _TOLD_APART / until): time for time in times}.values())


# --- the cluster


def _draw_links(axes: Axes, run: Run, scene: Scene, places: dict[str, Place]) -> bool:
    """Draw all links; return whether one of them is cut."""
    links = _links(run)
    crowded = len(links) > 120
    whole, cut, marks = [], [], []
    for a, b in links:
        start, goal = places[a], places[b]
        there, back = scene.can_talk(a, b), scene.can_talk(b, a)
        if there and back:
            whole.append((start, goal))
        else:  # the mark of a cut is in the middle; if it is one way only, before the end that hears nothing
            cut.append((start, goal))
            marks.append(_towards(start, goal, 0.5 if not (there or back) else 0.2 if there else 0.8))
    width = 0.4 if crowded else 1.0
    axes.add_collection(LineCollection(whole, colors=palette.LIGHT_GREY, linewidths=width, zorder=1))
    dashed = {"colors": palette.VERMILION, "linestyles": [(0, (4, 3))], "alpha": 0.3 if crowded else 0.7}
    axes.add_collection(LineCollection(cut, linewidths=0.8 * width, zorder=1, **dashed))
    if marks and not crowded:
        axes.plot(*zip(*marks, strict=True), linestyle="", zorder=2, **_CUT)
    return bool(cut)


def _draw_flights(axes: Axes, flights: list[Flight], places: dict[str, Place], types: dict[str, int]) -> None:
    moving: dict[int, list[Place]] = defaultdict(list)
    dropped: list[Place] = []
    told: set[tuple[str, str]] = set()
    for flight in reversed(flights):  # the latest first: it tells the reason of a drop for its neighbours too
        start, goal = places[flight.sender], places[flight.to]
        length = math.dist(start, goal) or 1.0
        x, y = _towards(start, goal, flight.part)  # a little to the right, so that there and back don't meet
        place = x + 0.012 * (goal[1] - start[1]) / length, y - 0.012 * (goal[0] - start[0]) / length
        if flight.reason is None:
            moving[types[flight.type]].append(place)
            continue
        dropped.append(place)
        if (flight.reason, flight.to) not in told:
            told.add((flight.reason, flight.to))
            axes.annotate(flight.reason, place, (5, 2), textcoords="offset points", fontsize=8, zorder=3)
    size = 7 if len(flights) < 200 else 3
    for number, spots in sorted(moving.items()):
        look = {**_message_mark(number), "markersize": size}
        axes.plot(*zip(*spots, strict=True), linestyle="", zorder=3, **look)
    if dropped:
        axes.plot(*zip(*dropped, strict=True), linestyle="", zorder=3, **{**_DROP, "markersize": size})


def _draw_node(axes: Axes, node: str, state: NodeState, place: Place, *, few: bool) -> None:
    look = palette.look(state.look)
    size = (26 if few else 13) * _SIZES.get(look.shape, 1.0)
    if state.suspected_by:
        share = min(1.0, state.suspected_by / max(1, state.peers))
        ring: dict[str, Any] = {"color": "none", "markeredgecolor": palette.VERMILION}
        axes.plot(
            *place, marker="o", markersize=1.3 * size, markeredgewidth=0.8 + 3.2 * share, zorder=4, **ring
        )
    axes.plot(
        *place, marker=look.shape, markersize=size, color=look.colour, markeredgecolor="black", zorder=4
    )
    plain: dict[str, Any] = {"ha": "center", "zorder": 5, "parse_math": False}  # a $ is a $
    axes.text(*place, node, va="center", fontsize=9 if few else 6, color=look.text, **plain)
    if not few:
        return
    words = look.label if state.look in ("crashed", "paused") or not state.label else state.label
    if state.suspected_by:
        words += f"\nsuspected by {state.suspected_by} of {state.peers}"
    axes.annotate(words, place, (0, -17), textcoords="offset points", va="top", fontsize=9, **plain)
    for number, (_, term, committed) in enumerate(state.strip or ()):
        fill, ink = COLOURS[(term - 1) % len(COLOURS)]
        across = 9 * (number - (len(state.strip or ()) - 1) / 2)
        box = {"boxstyle": "square,pad=0.15", "edgecolor": fill, "facecolor": fill if committed else "white"}
        axes.annotate(
            str(term), place, (across, -31 if state.suspected_by == 0 else -42), textcoords="offset points",
            va="top", fontsize=6.5, color=ink if committed else "black", bbox=box, **plain,
        )  # fmt: skip


def _legend(axes: Axes, scene: Scene, types: dict[str, int], *, cut: bool) -> None:
    handles = _state_samples([state.look for state in scene.nodes.values()])
    moving = {flight.type for flight in scene.flights if flight.reason is None}
    handles += [sample(name, **_message_mark(number)) for name, number in types.items() if name in moving]
    if len(moving) < len({flight.type for flight in scene.flights}) or any(
        flight.reason for flight in scene.flights
    ):
        handles.append(sample("dropped message", **_DROP))
    if cut:
        handles.append(sample("link cut", **_CUT))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _cluster_words(run: Run, scene: Scene, moment: int) -> str:
    nodes = "; ".join(f"{node} {state.words()}" for node, state in list(scene.nodes.items())[:_MOST_LABELS])
    if len(scene.nodes) > _MOST_LABELS:
        nodes += f"; and {len(scene.nodes) - _MOST_LABELS} more"
    moving = sum(flight.reason is None for flight in scene.flights)
    dropped = len(scene.flights) - moving
    words = f"The cluster of {len(run.nodes)} nodes at {moment / 1e6:g} s: {nodes}. "
    words += f"{_count(moving, 'message')} under way{f', {dropped} just dropped' if dropped else ''}."
    network = [band.label for band in scene.bands if band.kind not in ("crash", "pause")]
    return words + (f" In force: {'; '.join(network)}." if network else "")


# --- the space-time diagram


def _draw_spans(axes: Axes, bands: list[Band], rows: dict[str, int], begin: int, end: int) -> None:
    """Draw from when to when nodes were down or paused."""
    for band in bands:
        if band.kind not in ("crash", "pause"):
            continue
        row = rows[band.nodes[0]]
        crashed = band.kind == "crash"
        left, right = max(begin, band.begin) / 1e6, min(end, band.end) / 1e6
        colour, width = ("white", 3) if crashed else (palette.LIGHT_GREY, 6)
        axes.plot([left, right], [row, row], color=colour, linewidth=width, zorder=2, solid_capstyle="butt")
        text = "crashed" if crashed else "paused"
        axes.text((left + right) / 2, row, text, ha="center", va="center", fontsize=8, zorder=3)
        if band.begin >= begin:
            axes.plot(left, row, zorder=4, **{**_DROP, "marker": "x" if crashed else "|", "markersize": 9})


def _draw_message(
    axes: Axes, flight: Flight, rows: dict[str, int], types: dict[str, int], window: Place
) -> None:
    x1, y1 = flight.sent / 1e6, float(rows[flight.sender])
    x2, y2 = flight.end / 1e6, float(rows[flight.to])
    if (
        flight.reason is not None and flight.end == flight.sent
    ):  # dropped as it was sent: a stub towards its goal
        x2, y2 = x1 + 0.3 * flight.typical / 1e6, y1 + 0.3 * (y2 - y1)
    begin, end = window
    arrives = x2 <= end
    (x1, y1), (x2, y2) = _clipped((x1, y1), (x2, y2), begin, end)
    if flight.reason is not None:
        axes.plot([x1, x2], [y1, y2], color=palette.VERMILION, linestyle="--", linewidth=1, zorder=3)
        if arrives:
            axes.plot(x2, y2, zorder=4, **{**_DROP, "markersize": 5, "markeredgewidth": 1.5})
        return
    style = {"color": _MESSAGE_COLOURS[types[flight.type] % 7], "shrinkA": 0, "shrinkB": 0, "linewidth": 0.9}
    arrow = {**style, "arrowstyle": "-|>" if arrives else "-", "mutation_scale": 8}
    axes.annotate("", (x2, y2), (x1, y1), annotation_clip=False, zorder=3, arrowprops=arrow)


def _clipped(start: Place, goal: Place, begin: float, end: float) -> tuple[Place, Place]:
    """Return the part of a line that lies between two times."""
    span = goal[0] - start[0]
    if span <= 0:
        return start, goal
    first, last = max(0.0, (begin - start[0]) / span), min(1.0, (end - start[0]) / span)
    return _towards(start, goal, first), _towards(start, goal, last)


def _draw_records(axes: Axes, run: Run, rows: dict[str, int], begin: int, end: int) -> list[str]:
    """Draw changes of state; return the states."""
    states = []
    for event in run.trace.select(kind="record", name="status"):
        if begin <= event.time_us <= end and event.node in rows:
            look = palette.look(str(event.detail.get("status", "up")))
            mark: dict[str, Any] = {"marker": look.shape, "color": look.colour, "markeredgecolor": "black"}
            size = 8 * _SIZES.get(look.shape, 1.0)
            axes.plot(event.time, rows[str(event.node)], markersize=size, zorder=5, clip_on=False, **mark)
            states.append(str(event.detail.get("status", "up")))
    return states


def _diagram_words(
    run: Run, flights: list[Flight], states: list[str], bands: list[Band], window: Place
) -> str:
    dropped = sum(flight.reason is not None for flight in flights)
    words = (
        f"Space-time diagram of {len(run.nodes)} nodes from {window[0]:g} to {window[1]:g} s: "
        f"{_count(len(flights), 'message')}, {dropped} of them dropped; {_count(len(states), 'change')} of state."
    )
    return words + (f" Faults: {'; '.join(band.label for band in bands)}." if bands else "")


# --- small things


def _links(run: Run) -> list[tuple[str, str]]:
    graph = run.scenario.network.graph
    if graph.graph.get("complete"):
        return [(a, b) for index, a in enumerate(run.nodes) for b in run.nodes[index + 1 :]]
    return list(dict.fromkeys((min(a, b), max(a, b)) for a, b in graph.edges if a != b))


def _message_mark(number: int) -> dict[str, Any]:
    look = {"marker": _MESSAGE_MARKERS[number % 8], "color": _MESSAGE_COLOURS[number % 7]}
    return {**look, "markeredgecolor": "white", "markersize": 7}


def _state_samples(states: Sequence[str]) -> list[Any]:
    looks = [palette.look(state) for state in dict.fromkeys(states)]
    return [
        sample(look.label, marker=look.shape, color=look.colour, markeredgecolor="black", markersize=9)
        for look in looks
    ]


def _towards(start: Place, goal: Place, part: float) -> Place:
    return start[0] + part * (goal[0] - start[0]), start[1] + part * (goal[1] - start[1])


def _types(run: Run) -> dict[str, int]:
    """Types of message, numbered in the order in which they first appear."""
    names, sends = run.trace.names, run.trace.select(kind="send").indices.tolist()
    return {name: number for number, name in enumerate(dict.fromkeys(names[row] for row in sends))}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _checked(run: object) -> Run:
    given: Run = instance("run", run, Run, "a Run, as scenario.run(until=…) returns it")
    return given


def _moment(name: str, at: object, run: Run) -> int:
    return round(real(name, at, at_least=0, at_most=run.until) * 1e6)


def _interval(between: object, run: Run) -> tuple[int, int]:
    pair = items("between", between, "a pair (begin, end) in seconds")
    moments = [_moment("between", value, run) for value in pair]
    if len(moments) != 2 or moments[0] >= moments[1]:
        raise ValueError(f"between must be (begin, end) with begin before end, got {shown(between)}")
    return moments[0], moments[1]
