"""Pictures of notebook 06's stores: one conflict under four resolutions, and what N, W and R give and cost."""

from __future__ import annotations

from functools import cache
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from dscourse import datasets
from dscourse.replication import (
    ORSet,
    Staleness,
    keep_siblings,
    last_writer_wins,
    linkedin_delays,
    probabilistically_bounded_staleness,
    two_regions,
    union,
)
from dscourse.replication.multi_leader.cluster import CUT_AT, HEALED_AT
from dscourse.views import palette
from dscourse.views.axes import line_style, logarithmic, named_rows, percent_axis, placed_axes
from dscourse.views.interactive import InteractiveFigure, live_figure

# ── A conflict under four resolutions ─────────────────────────────────────────────────────────────────────────────────

_RESOLUTIONS: dict[str, Any] = {
    "last writer wins": last_writer_wins,
    "keep both versions": keep_siblings,
    "union of the carts": union,
    "set that merges (OR-set)": ORSet,
}
_REGIONS = {"europe": 2.05, "asia": 0.25}  # the foot of its box
_HEIGHT, _WIDTH = 0.95, 0.84
_UNTIL, _STEP = 9.0, 0.05  # seconds
_EUROPE = {"take eggs out": ("remove", "eggs"), "add bread": ("add", "bread"), "nothing": None}
_ASIA = {
    "add jam": ("add", "jam"),
    "take eggs out": ("remove", "eggs"),
    "add eggs again": ("add", "eggs"),
    "nothing": None,
}
_CHANGES = {"europe": 3.0, "asia": 3.5}


def lab_conflicts() -> InteractiveFigure:
    """Show a cart in two regions that are cut off from each other, under four resolutions side by side.

    Play moves the time; the controls are what is done in each region during the cut.
    """
    last = round(_UNTIL / _STEP) - 1
    moment = widgets.IntSlider(value=20, min=0, max=last, description="time", readout=False)
    player = widgets.Play(value=20, min=0, max=last, interval=120)
    widgets.jslink((player, "value"), (moment, "value"))
    lab = live_figure(
        _set_up_conflicts,
        _update_conflicts,
        moment=moment,
        europe=widgets.Dropdown(options=list(_EUROPE), description="Europe"),
        asia=widgets.Dropdown(options=list(_ASIA), description="Asia"),
    )
    lab.children[0].children = (player, *lab.children[0].children)
    return lab


@cache
def _carts(resolution: str, europe: str, asia: str) -> tuple[Any, tuple[tuple[float, float, str, bool], ...]]:
    """The recording of a run, and its messages: when sent, when due, from where, and whether they arrived."""
    scenario = two_regions(_RESOLUTIONS[resolution], europe=_EUROPE[europe], asia=_ASIA[asia])
    run = scenario.run(_UNTIL)
    sent = run.trace.select(kind="send", node=list(_REGIONS), peer=list(_REGIONS))
    ends = {
        event.message_id: (event.time, event.kind == "deliver")
        for event in run.trace.select(kind=("deliver", "drop"))
        if event.message_id is not None
    }
    flights = []
    for event in sent:
        end, arrives = ends.get(event.message_id or 0, (_UNTIL, True))
        if event.name in ("Update", "Merged"):
            flights.append((event.time, end, str(event.node), arrives))
    return run.recording(), tuple(flights)


def _set_up_conflicts(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.005, 0.17, 0.995, 0.99, size=(9.4, 4.5))
    ax.set_axis_off()
    ax.set(xlim=(-0.14, 4), ylim=(0.1, 3.35))
    boxes, words, links, cuts = {}, {}, {}, {}
    for column, name in enumerate(_RESOLUTIONS):
        middle = column + 0.5
        ax.text(middle, 3.18, name, ha="center", va="center", fontsize=10, weight="bold")
        (links[name],) = ax.plot([middle] * 2, [_REGIONS["asia"] + _HEIGHT, _REGIONS["europe"]], zorder=1)
        cuts[name] = ax.text(middle + 0.06, 1.62, "cut", fontsize=9, color=palette.VERMILION, va="center")
        for region, foot in _REGIONS.items():
            boxes[name, region] = ax.add_patch(
                FancyBboxPatch(
                    (column + (1 - _WIDTH) / 2, foot), _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.08",
                    facecolor="white", edgecolor=palette.GREY, linewidth=1.5, zorder=2,
                )
            )  # fmt: skip
            place = (middle, foot + _HEIGHT / 2)
            words[name, region] = ax.text(*place, "", ha="center", va="center", fontsize=9.5, zorder=3)
    for region, foot in _REGIONS.items():
        ax.text(-0.05, foot + _HEIGHT / 2, region.title(), rotation=90, ha="center", va="center", fontsize=10)
    (messages,) = ax.plot([], [], "o", color=palette.BLUE, markersize=7, zorder=4)
    (lost,) = ax.plot([], [], "X", color=palette.VERMILION, markersize=8, zorder=4)
    strip = _time_strip(figure)
    return {
        "boxes": boxes, "words": words, "links": links, "cuts": cuts, "messages": messages, "lost": lost, **strip,
    }  # fmt: skip


def _time_strip(figure: Figure) -> dict[str, Any]:
    strip = placed_axes(figure, 0.045, 0.1, 0.985, 0.16)
    strip.set(xlim=(0, _UNTIL), ylim=(0, 1), yticks=[], xlabel="seconds")
    strip.grid(visible=False)
    strip.axvspan(CUT_AT, HEALED_AT, color=palette.LIGHT_GREY)
    strip.text((CUT_AT + HEALED_AT) / 2, 0.45, "cut", ha="center", va="center", fontsize=9)
    for region, time in _CHANGES.items():
        strip.plot([time], [0.5], "v" if region == "europe" else "^", color=palette.BLACK, markersize=7)
    changes = strip.text(HEALED_AT + 0.1, 0.45, "", va="center", fontsize=8.5)
    return {"cursor": strip.axvline(0, color=palette.VERMILION, linewidth=2), "changes": changes}


def _update_conflicts(drawn: dict[str, Any], moment: int, europe: str, asia: str) -> str:
    time = moment * _STEP
    is_cut = CUT_AT <= time < HEALED_AT
    drawn["cursor"].set_xdata([time, time])
    drawn["changes"].set_text(f"▼ Europe: {europe}   ▲ Asia: {asia}")
    flying: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    told = []
    for column, name in enumerate(_RESOLUTIONS):
        recording, flights = _carts(name, europe, asia)
        drawn["links"][name].set(
            color=palette.LIGHT_GREY if is_cut else palette.BLACK, linestyle=":" if is_cut else "-"
        )
        drawn["cuts"][name].set_visible(is_cut)
        fields = recording.fields_at(time)
        for region in _REGIONS:
            lines = _lines(fields.get(region, {}).get("values", {}).get("cart"))
            does = {"europe": europe, "asia": asia}[region] != "nothing"
            changing = does and _CHANGES[region] <= time
            drawn["boxes"][name, region].set_edgecolor(palette.VERMILION if len(lines) > 1 else palette.GREY)
            drawn["boxes"][name, region].set_facecolor("#FFF6D6" if changing and is_cut else "white")
            drawn["words"][name, region].set_text("\n— or —\n".join(lines))
            told.append(f"{name}, {region.title()}: {' or '.join(lines)}")
        low, high = _REGIONS["asia"] + _HEIGHT, _REGIONS["europe"]
        for begin, end, sender, arrives in flights:
            if begin <= time < max(end, begin + _STEP):
                way = min(1.0, (time - begin) / max(end - begin, _STEP)) if arrives else 0.35
                flying[arrives].append(
                    (
                        column + 0.5,
                        high - way * (high - low) if sender == "europe" else low + way * (high - low),
                    )
                )
    drawn["messages"].set_data(*(zip(*flying[True], strict=True) if flying[True] else ([], [])))
    drawn["lost"].set_data(*(zip(*flying[False], strict=True) if flying[False] else ([], [])))
    state = "cut" if is_cut else "connected"
    return f"A cart in two regions under four resolutions. At {time:.1f} s, {state}: {'; '.join(told)}."


def _lines(cart: Any) -> list[str]:
    """What is in a cart, one line for each version."""
    versions = cart if cart and isinstance(cart[0], tuple) else (cart or (),)
    return [", ".join(version) or "empty" for version in versions]


# ── What N, W and R give and cost ─────────────────────────────────────────────────────────────────────────────────────

_TRIALS = 20_000
_TIMES = np.geomspace(0.02, 100.0, 80)  # ms after a write; the first stands for at once
_DISKS = {"solid-state disks": "ssd", "spinning disks": "spinning"}


def explore_quorums() -> InteractiveFigure:
    """Show what a quorum gives and costs, with controls for N, W and R, and for the disks.

    Three panels: which share of reads is fresh some time after a write; how long reads and writes take; and the share
    of runs of `quorum_run` that isn't linearizable, with and without write-back, as ``data/consistency`` has it.
    """
    table = datasets.load("consistency/quorum_anomalies")
    anomalies = {
        (one.n, one.w, one.r, bool(one.write_back)): (one.not_linearizable, one.seeds)
        for one in table.itertuples()
    }
    sizes = sorted({key[0] for key in anomalies})
    homes = widgets.Dropdown(options=sizes, description="N")
    w, r = (widgets.IntSlider(1, min=1, max=sizes[0], description=name) for name in "WR")

    def limit(change: dict[str, Any]) -> None:
        for slider in (w, r):
            slider.max = change["new"]

    homes.observe(limit, names="value")
    return live_figure(
        _set_up_quorums,
        lambda drawn, n, w, r, disks: _update_quorums(drawn, anomalies, n, min(w, n), min(r, n), disks),
        n=homes,
        w=w,
        r=r,
        disks=widgets.Dropdown(options=list(_DISKS), description="disks"),
    )


@cache
def _staleness(n: int, w: int, r: int, disks: str) -> Staleness:
    delays = linkedin_delays(_DISKS[disks])
    return probabilistically_bounded_staleness(**delays, n=n, w=w, r=r, trials=_TRIALS, seed=6)


def _set_up_quorums(figure: Figure) -> dict[str, Any]:
    fresh = placed_axes(figure, 0.06, 0.17, 0.34, 0.78, size=(9.4, 3.5))
    logarithmic(fresh, y=None)
    fresh.set(xlim=(_TIMES[0], _TIMES[-1]), ylim=(0, 1.02), xlabel="ms after the end of a write")
    percent_axis(fresh.yaxis)
    (curve,) = fresh.plot(_TIMES, np.ones_like(_TIMES), linewidth=2, **line_style(0))
    (at_once,) = fresh.plot(_TIMES[:1], [1], "o", color=palette.BLACK, clip_on=False)
    taken = placed_axes(figure, 0.42, 0.17, 0.665, 0.78)
    logarithmic(taken, y=None)
    named_rows(taken, ("read", "write"), above=0.6, below=0.6)
    taken.set(xlim=(0.1, 200), xlabel="ms")
    bars = taken.barh([0, 1], [1, 1], 0.5, color=palette.SKY, edgecolor=palette.BLACK)
    (tails,) = taken.plot([1, 1], [0, 1], "|", color=palette.BLACK, markersize=20, markeredgewidth=2.5)
    words = [taken.text(1, row + 0.37, "", fontsize=8, va="center", ha="center") for row in (0, 1)]
    wrong = placed_axes(figure, 0.78, 0.17, 0.965, 0.78)
    named_rows(wrong, ("plain", "write-back"), above=0.6, below=0.6)
    wrong.set(xlim=(0, 1), xticks=[0, 0.5, 1], xlabel="runs not linearizable")
    percent_axis(wrong.xaxis)
    shares = wrong.barh([0, 1], [0, 0], 0.5, color=palette.ORANGE, edgecolor=palette.BLACK)
    counts = [wrong.text(0, row + 0.37, "", fontsize=8, va="center") for row in (0, 1)]
    title = figure.text(0.06, 0.94, "", fontsize=11, weight="bold", va="center")
    for left, words_above in (
        (0.06, "reads that are fresh (dot: at once)"),
        (0.42, "half end within the bar, 99.9 % by the line"),
        (0.78, "simulated quorums"),
    ):
        figure.text(left, 0.82, words_above, fontsize=9)
    return {
        "curve": curve, "at_once": at_once, "bars": bars, "tails": tails, "words": words, "shares": shares,
        "counts": counts, "title": title,
    }  # fmt: skip


def _update_quorums(
    drawn: dict[str, Any],
    anomalies: dict[tuple[int, int, int, bool], tuple[int, int]],
    n: int,
    w: int,
    r: int,
    disks: str,
) -> str:
    staleness = _staleness(n, w, r, disks)
    at_once = staleness.probability_fresh(0.0)
    shares = [at_once, *(staleness.probability_fresh(time) for time in _TIMES[1:])]
    drawn["curve"].set_ydata(shares)
    drawn["at_once"].set_ydata([at_once])
    told = [f"{at_once:.1%} of reads are fresh at once"]
    tails = []
    for row, (kind, latency) in enumerate(
        (("reads", staleness.read_latency), ("writes", staleness.write_latency))
    ):
        middle, tail = latency(0.5), latency(0.999)
        drawn["bars"][row].set_width(middle)
        drawn["words"][row].set_text(f"{middle:.2g} … {tail:.3g} ms")
        drawn["words"][row].set_x(np.sqrt(middle * tail))
        tails.append(tail)
        told.append(f"half of the {kind} take {middle:.2g} ms, 99.9 % {tail:.3g} ms")
    drawn["tails"].set_data(tails, [0, 1])
    for row, write_back in enumerate((False, True)):
        count, runs = anomalies[n, w, r, write_back]
        drawn["shares"][row].set_width(count / runs)
        drawn["counts"][row].set_text(f"{count} of {runs}")
        drawn["counts"][row].set_x(min(count / runs + 0.02, 0.62))
        told.append(
            f"{count} of {runs} runs {'with' if write_back else 'without'} write-back are not linearizable"
        )
    overlap = f"W + R = {w + r} {'>' if w + r > n else '≤'} N = {n}"
    drawn["title"].set_text(f"{overlap}   (W = {w}, R = {r})")
    return f"Freshness, latency and linearizability of quorums, {disks}: {overlap}. {'; '.join(told)}."
