"""Pictures of notebook 04: the ring, ranges, how loads and latencies lie, and explorers of rings and hot keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from dscourse.partitioning import (
    ConsistentHashRing,
    LruCache,
    RendezvousPartitioner,
    hash_keys,
    load_imbalance,
    split_hot_key,
    spread_hot_keys,
    twitter_zipf_exponents,
    zipf_keys,
)
from dscourse.partitioning.ring import CIRCUMFERENCE
from dscourse.readable import readable_number, readable_percent
from dscourse.views.axes import (
    bar_style,
    given_or_new,
    number_axis,
    panels,
    percent_axis,
    placed_axes,
    tail_curves,
    tidy,
    wiped,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.palette import BLACK, BLUE, DASHES, GREY, LIGHT_GREY, MARKERS, ORANGE, SERIES, VERMILION
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

_HATCHED: dict[str, Any] = {"color": ORANGE, "hatch": "///", "edgecolor": "white"}


# ── The ring ──────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_ring(
    ring: ConsistentHashRing, keys: Any = (), before: ConsistentHashRing | None = None, ax: Axes | None = None
) -> Picture:
    """Draw a ring with its arcs, each in the colour of its owner, and some keys in the colour and shape of theirs.

    Hash 0 is at the top; hashes grow clockwise. Keys that have another owner than `before` are drawn large, with a line
    to the ring.

    Args:
        ring: what to draw; at most eight nodes keep colours of their own.
        keys: to be shown.
        before: the ring before a change, to tell which keys moved.
        ax: where; new axes if None.
    """
    axes = given_or_new(ax, 5.0, 4.6)
    looks = _looks([*(before.nodes if before else ()), *ring.nodes])
    _draw_arcs(axes, ring, looks)
    moved = _draw_keys(axes, ring, before, keys, looks)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5))
    shares = ring.shares()
    told = ", ".join(f"{node} {readable_percent(share)}" for node, share in shares.items())
    alt = f"A ring with {len(ring.points.positions)} points of {len(ring.nodes)} nodes. Shares: {told}."
    if before is not None:
        alt += f" {moved} of the {len(keys)} keys drawn have moved."
    return Picture(axes, alt)


def _draw_arcs(axes: Axes, ring: ConsistentHashRing, looks: dict[str, tuple[str, str]]) -> None:
    ends = ring.points.positions / CIRCUMFERENCE
    lengths = ring.points.arcs()
    owners = ring.points.owners
    steps = np.maximum(1, np.ceil(lengths * 180).astype(int))
    arc = np.repeat(np.arange(len(ends)), steps)
    part = np.arange(len(arc)) - np.repeat(np.cumsum(steps) - steps, steps)
    step_length = (lengths / steps)[arc]
    starts = (ends - lengths)[arc] + part * step_length
    # A little longer than they are, or the seams between the pieces would show.
    segments = np.stack([_at(starts, 1.0), _at(starts + step_length + 0.0012, 1.0)], axis=1)
    colours = [looks[ring.nodes[owner]][0] for owner in owners[arc]]
    axes.add_collection(LineCollection(list(segments), colors=colours, linewidths=13, capstyle="butt"))
    if len(ends) <= 40:
        marks = np.stack([_at(ends, 0.94), _at(ends, 1.09)], axis=1)
        axes.add_collection(LineCollection(list(marks), colors=BLACK, linewidths=1.6, capstyle="butt"))
    for end, radius, name in _labels(ring):
        x, y = _at(end, radius)
        axes.text(x, y, name, ha="center", va="center", fontsize=9)


def _labels(ring: ConsistentHashRing) -> list[tuple[float, float, str]]:
    """Return where to write names: beside every point of a small ring, further out where it is crowded."""
    ends = (ring.points.positions / CIRCUMFERENCE).tolist()
    if len(ends) > 40:
        return []
    written: list[tuple[float, float, str]] = []
    for end, owner in zip(ends, ring.points.owners.tolist(), strict=True):
        near = {radius for other, radius, _ in written if min(abs(end - other), 1 - abs(end - other)) < 0.037}
        free = [radius for radius in (1.18, 1.41) if radius not in near]
        if free:
            written.append((end, free[0], ring.nodes[owner]))
    return written


def _draw_keys(
    axes: Axes,
    ring: ConsistentHashRing,
    before: ConsistentHashRing | None,
    keys: Any,
    looks: dict[str, tuple[str, str]],
) -> int:
    if not len(keys):
        return 0
    places = hash_keys(keys) / CIRCUMFERENCE
    owners = ring.owners(keys)
    moved = owners != before.owners(keys) if before is not None else np.zeros(len(places), dtype=bool)
    edge: dict[str, Any] = {"edgecolors": BLACK, "linewidths": 0.7, "zorder": 3}
    for node in ring.nodes:
        colour, marker = looks[node]
        for group, radius, size in ((~moved, 0.86, 14), (moved, 0.74, 75)):
            chosen = (owners == node) & group
            if chosen.any():
                spots = _at(places[chosen], np.full(int(chosen.sum()), radius))
                axes.scatter(spots[:, 0], spots[:, 1], s=size, c=colour, marker=marker, **edge)
    if moved.any():
        lines = np.stack([_at(places[moved], 0.74), _at(places[moved], 0.93)], axis=1)
        axes.add_collection(LineCollection(list(lines), colors=BLACK, linewidths=0.9))
    return int(moved.sum())


def _at(turn: Any, radius: Any) -> npt.NDArray[np.float64]:
    angle = np.asarray(turn) * (2 * np.pi)
    return np.stack([np.sin(angle) * radius, np.cos(angle) * radius], axis=-1)


def _looks(nodes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each node, in order of first mention."""
    distinct = list(dict.fromkeys(nodes))
    return {
        node: (SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)])
        for place, node in enumerate(distinct)
    }


def explore_ring() -> InteractiveFigure:
    """Return a ring to drive: how many nodes and points, the weight of n0, and who joins or leaves."""
    return live_figure(
        _set_up_ring,
        _update_ring,
        nodes=widgets.IntSlider(value=4, min=2, max=7),
        virtual_nodes=widgets.SelectionSlider(options=[1, 2, 4, 8, 16, 32, 64, 128, 256], value=4),
        weight_of_n0=widgets.SelectionSlider(options=[0.5, 1.0, 2.0, 3.0, 4.0], value=1.0),
        change=widgets.Dropdown(options=_CHANGES, value="a node joins"),
    )


_NO_CHANGE, _LAST_LEAVES, _HEAVIER = "none", "the last node leaves", "n1 weighs twice as much"
_CHANGES = [_NO_CHANGE, "a node joins", "n0 leaves", "n1 leaves", _LAST_LEAVES, _HEAVIER]


def _set_up_ring(figure: Figure) -> dict[str, Any]:
    figure.set_size_inches(8.2, 4.2)
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.0, right=0.97, bottom=0.19, top=0.9, wspace=0.12)
    ring, shares = figure.subplots(1, 2, width_ratios=(1.25, 1))
    tidy(shares).invert_yaxis()
    percent_axis(shares.xaxis)
    shares.set_xlabel("share of the ring\nfilled: now · dotted: before · tick: fair", fontsize=9)
    return {"ring": ring, "shares": shares, "title": figure.suptitle("", fontsize=11)}


def _update_ring(
    drawn: dict[str, Any], nodes: int, virtual_nodes: int, weight_of_n0: float, change: str
) -> str:
    before = ConsistentHashRing(
        [f"n{number}" for number in range(nodes)], virtual_nodes, {"n0": weight_of_n0}
    )
    after = _changed_ring(before, change)
    draw_ring(after, keys=_SAMPLE[:48], before=before, ax=wiped(drawn["ring"]))
    _draw_shares(wiped(drawn["shares"]), before, after)
    moved = readable_percent(float((before.owners(_SAMPLE) != after.owners(_SAMPLE)).mean()), 1)
    drawn["title"].set_text(f"{change}: {moved} of 20 000 keys move" if change != _NO_CHANGE else "no change")
    shares = after.shares()
    most = max(shares, key=lambda node: shares[node])
    return (
        f"A ring of {len(after.nodes)} nodes, {virtual_nodes} points for each unit of weight; "
        f"n0 weighs {weight_of_n0:g}. Change: {change}. {moved} of 20 000 keys have "
        "another owner than before; large symbols are moved keys. "
        f"{most} owns most of the ring, {readable_percent(shares[most], 1)}."
    )


_SAMPLE = np.arange(20_000)


def _changed_ring(before: ConsistentHashRing, change: str) -> ConsistentHashRing:
    weights = dict(before.weights)
    if change == "a node joins":
        weights[f"n{len(weights)}"] = 1.0
    elif change == _HEAVIER:
        weights["n1"] *= 2
    elif change.endswith("leaves"):
        del weights[before.nodes[-1] if change == _LAST_LEAVES else change.split()[0]]
    return ConsistentHashRing(list(weights), before.virtual_nodes, weights)


def _draw_shares(axes: Axes, before: ConsistentHashRing, after: ConsistentHashRing) -> None:
    """Draw each node's share before (outline) and after (filled), and its fair share (a tick)."""
    nodes = list(dict.fromkeys([*before.nodes, *after.nodes]))
    looks = _looks(nodes)
    old, new = before.shares(), after.shares()
    total = sum(after.weights.values())
    rows = np.arange(len(nodes))
    axes.barh(rows, [new.get(node, 0.0) for node in nodes], color=[looks[n][0] for n in nodes], height=0.55)
    outline: dict[str, Any] = {"facecolor": "none", "edgecolor": BLACK, "linestyle": ":"}
    axes.barh(rows, [old.get(node, 0.0) for node in nodes], height=0.78, **outline)
    fair = [after.weights.get(node, 0.0) / total for node in nodes]
    # White around the tick, so that it is seen on a black bar, too.
    axes.plot(fair, rows, "|", color="white", markersize=19, markeredgewidth=4)
    axes.plot(fair, rows, "|", color=BLACK, markersize=17, markeredgewidth=2.2)
    axes.set_yticks(rows, nodes)
    margin = 0.05 * (len(nodes) - 0.22)
    longest = max([*old.values(), *new.values(), *fair]) * 1.12
    axes.set(xlim=(-0.07 * longest, longest), ylim=(len(nodes) - 0.61 + margin, -0.39 - margin))
    edge: dict[str, Any] = {"markeredgecolor": BLACK, "markeredgewidth": 0.7}
    # The shape that the node's keys have in the ring.
    for row, node in zip(rows.tolist(), nodes, strict=True):
        colour, marker = looks[node]
        axes.plot(-0.035 * longest, row, marker, color=colour, markersize=7, **edge)


# ── Balance ───────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_standard_errors(
    measured: Mapping[int, float], published: Mapping[int, float] | None = None, ax: Axes | None = None
) -> Picture:
    """Draw the standard error of a node's load against the points it has on the ring, with the law 1/√V.

    Args:
        measured: {points a node: standard error, as a fraction of the mean load}.
        published: the same from a paper.
        ax: where; new axes if None.
    """
    axes = given_or_new(ax, 6.2, 3.4)
    points = np.array(sorted(measured))
    axes.loglog(points, points**-0.5, DASHES[1], color=GREY, label="1/√V")
    axes.loglog(points, [measured[p] for p in points.tolist()], "o-", color=BLUE, label="measured here")
    if published:
        axes.loglog(
            list(published), list(published.values()), "D", color=VERMILION, markersize=9, fillstyle="none",
            markeredgewidth=2, label="published",
        )  # fmt: skip
    axes.set_xticks(points, [str(p) for p in points.tolist()])
    axes.xaxis.set_minor_formatter(NullFormatter())
    percent_axis(axes.yaxis)
    axes.set(xlabel="V, virtual nodes of each node", ylabel="standard error of the load")
    axes.legend()
    told = ", ".join(
        f"{readable_percent(error, 1)} with {count}" for count, error in sorted(measured.items())
    )
    return Picture(axes, f"Standard error of a node's load against its virtual nodes: {told}.")


@default_settings
def draw_loads(loads: Mapping[str, Mapping[str, int]], ax: Axes | None = None) -> Picture:
    """Draw the load of each node over the mean, for one or several cases side by side.

    Args:
        loads: {name of the case: {node: load}}, all with the same nodes.
        ax: where; new axes if None.
    """
    axes = given_or_new(ax, 7.0, 3.2)
    nodes = list(next(iter(loads.values())))
    width = 0.8 / len(loads)
    for place, (name, counts) in enumerate(loads.items()):
        mean = sum(counts.values()) / len(counts)
        rows = np.arange(len(nodes)) + (place - (len(loads) - 1) / 2) * width
        heights = [counts[node] / mean for node in nodes]
        axes.bar(rows, heights, width * 0.92, label=name, **bar_style(place))
    axes.axhline(1, color=BLACK, linewidth=1, linestyle="--")
    axes.set_xticks(range(len(nodes)), nodes)
    axes.set_ylabel("load / mean load")
    axes.legend(fontsize=9)
    told = "; ".join(
        f"{name}: the busiest node carries {load_imbalance(counts):.2f} times the mean"
        for name, counts in loads.items()
    )
    return Picture(axes, f"Load of {len(nodes)} nodes. {told}.")


# ── Skew ──────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_twitter_skew(ax: Axes | None = None) -> Picture:
    """Draw how skewed Twitter's cache clusters are: the Zipf exponent of each, in order."""
    axes = given_or_new(ax, 6.6, 3.0)
    exponents = np.sort(twitter_zipf_exponents().to_numpy())
    axes.plot(np.arange(1, len(exponents) + 1), exponents, "o", color=BLUE, markersize=4)
    median = float(np.median(exponents))
    for value, words, dash in ((0.99, "YCSB's default, 0.99", "--"), (median, f"median, {median:.2f}", ":")):
        axes.axhline(value, color=BLACK, linestyle=dash, linewidth=1)
        axes.text(1, value + 0.04, words, fontsize=9, va="bottom")
    axes.set(xlabel="cluster, in order of skew", ylabel="Zipf exponent", ylim=(0, None))
    return Picture(
        axes,
        f"Zipf exponents of {len(exponents)} of Twitter's cache clusters, from {exponents[0]:.2f} to "
        f"{exponents[-1]:.2f}; mean {exponents.mean():.3f}, median {median:.2f}.",
    )


def explore_hot_keys() -> InteractiveFigure:
    """Show skewed requests to ten nodes: cut the hottest keys into pieces, or put a cache in front."""
    return live_figure(
        _set_up_hot_keys,
        _update_hot_keys,
        theta=widgets.FloatSlider(value=1.2, min=0.0, max=2.0, step=0.1, description="skew θ"),
        hot_keys=widgets.SelectionSlider(
            options=[0, 1, 2, 3, 5, 10], value=0, description="hot keys to split"
        ),
        pieces=widgets.SelectionSlider(options=[2, 4, 8, 16, 32, 64], value=8, description="pieces of each"),
        cache=widgets.SelectionSlider(
            options=[0, 1, 10, 30, 100, 1000], value=0, description="keys in the cache"
        ),
    )


def _set_up_hot_keys(figure: Figure) -> dict[str, Any]:
    axes = placed_axes(figure, 0.09, 0.1, 0.98, 0.88, size=(7.4, 3.4))
    nodes, zeros = [f"n{number}" for number in range(10)], [0.0] * 10
    others = axes.bar(nodes, zeros, color=BLUE, label="other keys")
    hottest = axes.bar(nodes, zeros, label="the hottest key", **_HATCHED)
    axes.axhline(1, color=BLACK, linestyle="--", linewidth=1)
    axes.set_ylabel("requests / fair share")
    legend = axes.legend(loc="upper center", ncols=2, fontsize=9, frameon=False)
    title = axes.set_title("", fontsize=10)
    return {
        "others": others, "hottest": hottest, "legend": legend, "title": title,
        "partitioner": RendezvousPartitioner(nodes),
        "posts": np.array([f"post:{number}" for number in range(100_000)]),  # the most popular first
    }  # fmt: skip


def _update_hot_keys(drawn: dict[str, Any], theta: float, hot_keys: int, pieces: int, cache: int) -> str:
    posts, partitioner = drawn["posts"], drawn["partitioner"]
    requests = posts[zipf_keys(20_000, len(posts), theta, seed=7)]
    through = requests[LruCache(cache).misses(requests)] if cache else requests
    spread = spread_hot_keys(through, dict.fromkeys(posts[:hot_keys].tolist(), pieces))
    hot = np.char.find(spread.astype(str), "#") >= 0 if hot_keys else through == posts[0]
    places = partitioner.owner_indices(spread)
    total, hottest = np.bincount(places, minlength=10), np.bincount(places[hot], minlength=10)
    fair = len(requests) / 10
    for place, (lower, upper) in enumerate(zip(drawn["others"], drawn["hottest"], strict=True)):
        lower.set_height((total[place] - hottest[place]) / fair)
        upper.set(y=(total[place] - hottest[place]) / fair, height=hottest[place] / fair)
    busiest = float(total.max()) / fair
    drawn["title"].axes.set_ylim(0, max(2.2, busiest * 1.22))
    label = "the hottest key" if hot_keys <= 1 else f"the {hot_keys} hottest keys"
    drawn["legend"].get_texts()[1].set_text(f"pieces of {label}" if hot_keys else label)
    imbalance = load_imbalance(total) if total.any() else 1.0
    asked = len(set(partitioner.owners(split_hot_key("post:0", pieces)).tolist())) if hot_keys else 1
    answered = 1 - len(through) / len(requests)
    drawn["title"].set_text(
        f"busiest node: {busiest:.2f} × its fair share of all requests · imbalance {imbalance:.2f}"
    )
    return (
        f"20 000 requests for 100 000 keys with skew {theta:.1f} on ten nodes. The busiest node gets "
        f"{busiest:.2f} times a fair share of all requests (imbalance among the nodes "
        f"{imbalance:.2f}). The cache answers {readable_percent(answered)}. Reading the hottest key asks "
        f"{asked} node{'s' if asked > 1 else ''}."
    )


# ── Tails ─────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_tails(latencies: Mapping[str, npt.ArrayLike], ax: Axes | None = None) -> Picture:
    """Draw how many operations take longer than a time, on a logarithmic scale, so that the tail can be read.

    Args:
        latencies: {name: seconds of each operation}.
        ax: where; new axes if None.
    """
    axes = given_or_new(ax, 6.8, 3.4)
    tail_curves(axes, latencies)
    told = []
    for name, seconds in latencies.items():
        median, slow = np.quantile(np.asarray(seconds, dtype=np.float64) * 1000, (0.5, 0.99))
        told.append(f"{name}: median {median:.1f} ms, 99th percentile {slow:.1f} ms")
    axes.set(xlabel="milliseconds", ylim=(1e-3, 1.2))
    axes.axhline(0.01, color=LIGHT_GREY, linewidth=1)
    axes.legend(fontsize=9)
    return Picture(axes, f"Share of operations that take longer than a time. {'; '.join(told)}.")


@default_settings
def draw_ranges(counts: Mapping[str, Mapping[str, int]], ax: Axes | None = None) -> Picture:
    """Draw how many requests each range gets and on which node, before and after a change.

    Args:
        counts: {title: {label of the range: requests}}.
        ax: where, for a single one; new axes if None.
    """
    drawn = panels(ax, len(counts), 3.6 * len(counts) + 0.4, 2.9)
    for place, (axes, (title, ranges)) in enumerate(zip(drawn, counts.items(), strict=True)):
        axes.barh(list(ranges), list(ranges.values()), **bar_style(place))
        axes.invert_yaxis()
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("requests", fontsize=9)
        number_axis(axes.xaxis)
    told = "; ".join(
        f"{title}: {len(ranges)} {'range' if len(ranges) == 1 else 'ranges'}, "
        f"the busiest with {readable_number(max(ranges.values()))} requests"
        for title, ranges in counts.items()
    )
    return Picture(drawn[0], f"Requests for the keys of each range. {told}.")
