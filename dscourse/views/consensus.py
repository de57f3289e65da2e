"""Pictures of notebook 09: who leads when, logs side by side, which side of a cut may lead, how long elections take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from dscourse import datasets
from dscourse.consensus import election_downtimes, failures_survived, majority_side, quorum_size
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    legend_above,
    line_style,
    named_rows,
    percent_axis,
    placed_axes,
    sample,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player.strips import COLOURS, strip_of, strip_words
from dscourse.views.settings import default_settings

RANGES = (
    "150-155",
    "150-175",
    "150-200",
    "150-300",
)  # ms; those of the recorded elections that end within seconds

# ── Who leads when ────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_leaders(
    run: Run, between: tuple[float, float] | None = None, ax: Axes | None = None, *, caption: str = ""
) -> Picture:
    """Show for every member from when to when it took itself for the leader, with the term."""
    begin, end = (0.0, run.until) if between is None else between
    spans = leading(run)
    members = [node for node in run.nodes if node in spans]
    axes = given_or_new(ax, 7.0, 0.4 * len(members) + 1.3)
    sentences = []
    for row, node in enumerate(members):
        for term, since, to in spans[node]:
            fill, ink = COLOURS[(term - 1) % len(COLOURS)]
            draw_stretch(axes, row, since, to, 0.7, color=fill, edgecolor=palette.BLACK)
            left, right = max(since, begin), min(to, end)
            if right - left > 0.03 * (end - begin):
                axes.text((left + right) / 2, row, str(term), color=ink, ha="center", va="center", fontsize=8)
            if right > left:
                sentences.append(f"{node} from {since:.4g} s to {to:.4g} s in term {term}")
    named_rows(axes, members, above=0.7, below=0.6)
    axes.set(xlim=(begin, end), xlabel="seconds")
    alt = f"Who takes itself for the leader. {'; '.join(sentences[:12]) or 'nobody'}."
    more = f" And {len(sentences) - 12} more." if len(sentences) > 12 else ""
    return Picture(axes, alt + more, caption or "Who takes itself for the leader; the number is the term")


def leading(run: Run) -> dict[str, list[tuple[int, float, float]]]:
    """Return for every node that recorded a status: (term, from, to) of each stretch in which it led."""
    spans: dict[str, list[tuple[int, float, float]]] = {}
    since: dict[str, tuple[int, float]] = {}
    down = {node: [begin for begin, _ in stretches] for node, stretches in run.trace.downtimes().items()}

    def close(node: str, time: float) -> None:
        if node in since:
            term, began = since.pop(node)
            crash = next((at for at in down.get(node, ()) if began <= at < time), time)
            spans[node].append((term, began, min(time, crash)))

    for event in run.trace.select(kind="record", name="status"):
        node = str(event.node)
        spans.setdefault(node, [])
        close(node, event.time)
        if event.detail.get("status") == "leader":
            since[node] = (int(event.detail.get("term", 1)), event.time)
    for node in list(since):
        close(node, run.until)
    return spans


# ── Logs side by side ─────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_logs(runs: Mapping[str, Run], time: float | None = None, ax: Axes | None = None) -> Picture:
    """Show all members' logs at a moment, of several runs side by side: a cell an entry, solid if committed.

    Args:
        runs: by title.
        time: seconds; by default each run's end.
        ax: where to draw; by default in a figure of its own.
    """
    axes = given_or_new(ax, 7.0, 2.6)
    sentences, left = [], 0.0
    for title, run in runs.items():
        moment = run.at(run.until if time is None else time)
        logs = {node: strip_of(fields) or [] for node, fields in moment.nodes.items() if "log" in fields}
        widest = max([4, *map(len, logs.values())])
        axes.text(left + widest / 2, -0.9, title, ha="center", va="bottom", fontsize=9)
        for row, (node, cells) in enumerate(logs.items()):
            leads = moment.nodes[node]["role"] == "leader"
            axes.text(left - 0.25, row, f"{node}{' ★' if leads else ''}", ha="right", va="center", fontsize=8)
            for place, (_, term, committed) in enumerate(cells):
                _draw_cell(axes, left + place, row, term, committed=bool(committed))
            sentences.append(f"{title}, {node}{' (leads)' if leads else ''}: {strip_words(cells)}")
        left += widest + 2.2
    rows = max(len(run.nodes) for run in runs.values())
    axes.set(xlim=(-1.8, left - 1.8), ylim=(rows - 0.4, -1.5))
    axes.axis("off")
    return Picture(
        axes,
        ". ".join(sentences) + ".",
        "A cell is an entry, its number the term; solid: committed",
    )


def _draw_cell(axes: Axes, x: float, y: float, term: int, *, committed: bool) -> None:
    fill, ink = COLOURS[(term - 1) % len(COLOURS)]
    look: dict[str, Any] = {"facecolor": fill if committed else "white", "edgecolor": fill, "linewidth": 1.5}
    axes.add_patch(Rectangle((x + 0.05, y - 0.42), 0.9, 0.84, linestyle="-" if committed else ":", **look))
    axes.text(
        x + 0.5, y, str(term), ha="center", va="center", fontsize=8, color=ink if committed else palette.BLACK
    )


# ── Which side of a cut may lead ──────────────────────────────────────────────────────────────────────────────────


def explore_sides() -> InteractiveFigure:
    """Move the cut through a cluster of any size: which side, if any, has more than half."""

    def set_up(figure: Figure) -> Axes:
        axes = placed_axes(figure, 0.02, 0.04, 0.98, 0.96, size=(7.6, 1.9))
        axes.axis("off")
        return axes

    def update(axes: Axes, members: int, left: int) -> str:
        axes.clear()
        axes.axis("off")
        cut = min(left, members)
        names = [f"n{place}" for place in range(members)]
        may = majority_side([names[:cut], names[cut:]])
        for place, name in enumerate(names):
            leads = may is not None and name in may
            x = place + (0.9 if place >= cut else 0.0)
            axes.plot(
                x, 0, marker="*" if leads else "s", markersize=22 if leads else 15,
                color=palette.GREEN if leads else palette.LIGHT_GREY, markeredgecolor="black",
            )  # fmt: skip
            axes.text(x, -0.55, name, ha="center", va="top", fontsize=9)
        axes.axvline(cut - 0.05, ymax=0.6, color=palette.VERMILION, linestyle="--", linewidth=2)
        words = "neither side may lead" if may is None else f"{', '.join(may)} may elect a leader"
        needs = f"{members} members: {quorum_size(members)} are more than half, {failures_survived(members)} may fail"
        axes.set(xlim=(-0.8, 10.7), ylim=(-1.2, 1.4))
        axes.text(-0.6, 1.0, f"{needs}; {words}", fontsize=10)
        return f"{needs}. Cut after {cut}: {words}."

    return live_figure(
        set_up,
        update,
        members=widgets.IntSlider(5, 1, 9, description="members"),
        left=widgets.IntSlider(2, 0, 9, description="left of the cut"),
    )


# ── How long elections take ───────────────────────────────────────────────────────────────────────────────────────


def explore_election_timeouts(trials: int = 60, ranges: Sequence[str] = RANGES) -> InteractiveFigure:
    """Choose a range of election timeouts: how long a cluster was without a leader, recorded and by our own nodes.

    Args:
        trials: elections of our own for each range, run once at the beginning.
        ranges: shortest and longest timeout in ms, as they stand in the data.
    """
    table = datasets.load("election/raft_downtime")
    table = table[table.figure == "randomness"]
    recorded = {
        name: np.sort(table[table.timeout_range_ms == name].downtime_ms.to_numpy()) for name in ranges
    }
    ours = {}
    for name in ranges:
        low, high = (int(word) / 1000 for word in name.split("-"))
        ours[name] = 1000 * np.sort(election_downtimes((low, high), trials=trials))

    def set_up(figure: Figure) -> tuple[Axes, Any, Any]:
        axes = placed_axes(figure, 0.1, 0.16, 0.97, 0.86, size=(7.2, 3.4))
        (theirs,) = axes.plot([], [], drawstyle="steps-post", **line_style(0))
        (own,) = axes.plot([], [], drawstyle="steps-post", **line_style(1))
        axes.set(
            xlim=(0, 1000),
            ylim=(0, 1.02),
            xlabel="ms without a leader",
            ylabel="share of elections that are over",
        )
        percent_axis(axes.yaxis)
        legend_above(
            axes,
            [
                sample("recorded, 1000 elections", **line_style(0)),
                sample(f"our nodes, {trials}", **line_style(1)),
            ],
        )
        return axes, theirs, own

    def update(artists: tuple[Axes, Any, Any], timeouts: str) -> str:
        _, theirs, own = artists
        for line, times in ((theirs, recorded[timeouts]), (own, ours[timeouts])):
            line.set_data(
                np.concatenate([[0], times, [1000]]),
                np.concatenate([[0], np.arange(1, len(times) + 1) / len(times), [1]]),
            )
        return (
            f"Timeouts of {timeouts} ms: recorded median {np.median(recorded[timeouts]):.0f} ms, nine tenths within "
            f"{np.quantile(recorded[timeouts], 0.9):.0f} ms; our nodes {np.median(ours[timeouts]):.0f} and "
            f"{np.quantile(ours[timeouts], 0.9):.0f} ms."
        )

    return live_figure(
        set_up,
        update,
        timeouts=widgets.SelectionSlider(options=list(ranges), value=ranges[0], description="timeouts, ms"),
    )


# ── Leases ────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_lease(run: Run, ax: Axes | None = None) -> Picture:
    """Show from when to when each holder believed in its lease, and what the storage made of its writes."""
    spans: dict[str, list[tuple[float, float]]] = {}
    recording = run.recording()
    for change in recording.changes:
        if "valid_until" in change.fields or "token" in change.fields:
            spans.setdefault(change.node, [])
    holders = [node for node in run.nodes if node.startswith("h") and node in spans]
    axes = given_or_new(ax, 7.0, 0.5 * len(holders) + 1.4)
    for row, node in enumerate(holders):
        for begin, end in _beliefs(run, node):
            draw_stretch(axes, row, begin, end, 0.6, color=palette.SKY, edgecolor=palette.BLACK)
    looks = {"accepted": ("o", palette.GREEN), "refused": ("X", palette.VERMILION)}
    counts = dict.fromkeys(looks, 0)
    for event in run.trace.select(kind="record", name=tuple(looks)):
        marker, colour = looks[event.name]
        counts[event.name] += 1
        axes.plot(
            event.time,
            holders.index(event.detail["by"]),
            marker=marker,
            color=colour,
            markeredgecolor="black",
        )
    named_rows(axes, holders, above=0.7, below=0.6)
    axes.set(xlim=(0, run.until), xlabel="seconds")
    legend_above(
        axes,
        [
            Patch(facecolor=palette.SKY, edgecolor=palette.BLACK, label="takes itself for the holder"),
            *(
                sample(f"write {name}", marker=marker, color=colour)
                for name, (marker, colour) in looks.items()
            ),
        ],
    )
    alt = f"Two holders over {run.until:g} seconds; {counts['accepted']} writes accepted, {counts['refused']} refused."
    return Picture(axes, alt, "Who believes in its lease, and what the storage did with each write")


def _beliefs(run: Run, node: str) -> list[tuple[float, float]]:
    """From when to when a holder had a token that was still good by its own clock (here: true time)."""
    spans: list[tuple[float, float]] = []
    token, until, since = 0, 0.0, None
    for change in run.recording().changes:
        if change.node != node:
            continue
        token = 0 if change.crashed else change.fields.get("token", token)
        until = change.fields.get("valid_until", until)
        if token and since is None:
            since = change.time
        elif since is not None and not token:
            spans.append((since, change.time))
            since = None
    if since is not None:
        spans.append((since, min(run.until, until)))
    return spans


# ── Plans ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_plans(runs: Mapping[str, Run], ax: Axes | None = None) -> Picture:
    """Show which plan's addresses the users of `late_clean_up` were given, run by run; crosses: none."""
    axes = given_or_new(ax, 7.2, 3.0)
    told, samples = [], []
    for place, (name, run) in enumerate(runs.items()):
        asked = [(one.invoked, one.value, one.outcome) for one in run.history()]
        given = [(time, plan + 0.12 * place) for time, plan, outcome in asked if outcome == "ok"]
        missed = [time for time, _, outcome in asked if outcome == "fail"]
        axes.plot(*zip(*given, strict=True), drawstyle="steps-post", **line_style(place))
        axes.plot(missed, [0.12 * place] * len(missed), "x", color=line_style(place)["color"], markersize=5)
        samples.append(sample(name, **line_style(place)))
        told.append(f"{name}: {len(missed)} of {len(asked)} questions without an address")
    axes.set(xlabel="seconds", ylabel="plan in use (crosses: none)", ylim=(-0.6, None))
    legend_above(axes, samples)
    return Picture(axes, f"Which plan's addresses users got. {'; '.join(told)}.")
