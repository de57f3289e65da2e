"""Pictures of notebook 07: generals and their lies, availability, standbys, and a record of real failures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dscourse.fault_tolerance import (
    Decisions,
    DownTogether,
    Group,
    Part,
    Recovery,
    Structure,
    cause_table,
    downtime_per_year,
    failure_gaps,
    fit_weibull,
    nines,
    oral_messages,
    parts_of,
    product_rule,
    replicated_service,
    signed_messages,
    single_points_of_failure,
    system_availability,
)
from dscourse.readable import readable_number, readable_seconds
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    label_point,
    named_rows,
    new_figure,
    placed_axes,
    sample,
    wiped,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

_ORDER_LOOKS = {"attack": (palette.VERMILION, "-", "A"), "retreat": (palette.BLUE, (0, (4, 2)), "R")}


# ── The generals ──────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_generals(decisions: Decisions, ax: Axes | None = None) -> Picture:
    """Show who told whom what, and what each loyal lieutenant decided.

    Drawn are the commander's orders and, with up to four generals, the reports about them; deeper rounds are left out.
    """
    axes = _frame_generals(given_or_new(ax, 7.0, 4.6))
    _paint_generals(decisions, axes)
    return Picture(axes, _generals_alt(decisions))


def explore_generals() -> InteractiveFigure:
    """Show the generals with controls: how many, who betrays, signed or not, and which lies (a seed)."""

    def update(axes: Axes, generals: int, traitor: str, order: str, messages: str, lies: int) -> str:
        number = {"commander": 0, "general 1": 1, "nobody": -1}[traitor]
        run = signed_messages if messages == "signed" else oral_messages
        decisions = run(generals, () if number < 0 else (number,), order, rounds=1, seed=lies)
        _paint_generals(decisions, wiped(axes))
        return _generals_alt(decisions)

    return live_figure(
        lambda figure: _frame_generals(placed_axes(figure, 0.006, 0.064, 0.994, 0.933)),
        update,
        generals=widgets.IntSlider(3, min=3, max=4),
        traitor=["general 1", "commander", "nobody"],
        order=["attack", "retreat"],
        messages=["oral", "signed"],
        lies=widgets.IntSlider(1, min=0, max=15, description="lies (seed)"),
    )


def _frame_generals(axes: Axes) -> Axes:
    axes.set_axis_off()
    handles = [
        sample(f"says {order} ({letter})", color=colour, linestyle=dash)
        for order, (colour, dash, letter) in _ORDER_LOOKS.items()
    ]
    axes.legend(
        handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=9, bbox_to_anchor=(0.5, -0.08)
    )
    return axes


def _paint_generals(decisions: Decisions, axes: Axes) -> None:
    places = _places(decisions.generals)
    traitors = set(decisions.traitors)
    for (path, to), order in decisions.said.items():
        if len(path) == 1 or (len(path) == 2 and decisions.generals <= 4):
            _arrow(axes, places, path, to, order)
    for number, (x, y) in places.items():
        traitor = number in traitors
        look: dict[str, Any] = (
            {"marker": "D", "markersize": 34, "color": "#FFFFFF", "markeredgewidth": 2.4}
            if traitor
            else {"marker": "o", "markersize": 38, "color": palette.LIGHT_GREY, "markeredgewidth": 1.2}
        )
        axes.plot(x, y, markeredgecolor=palette.BLACK, zorder=3, **look)
        axes.text(x, y, str(number), ha="center", va="center", fontsize=13, weight="bold", zorder=4)
        words = ["traitor"] if traitor else []
        if number == 0:
            words.insert(0, "commander" if traitor else f"commander: {decisions.order}")
        elif not traitor:
            words.append(f"decides {decisions.decided[number]}")
        side = (
            -1 if x < -0.3 else 1 if x > 0.3 or number == 0 else 0
        )  # words at the left, the right, or below
        axes.text(
            x + 0.31 * side,
            y - (0.0 if side else 0.3),
            "\n".join(words),
            ha={-1: "right", 0: "center", 1: "left"}[side],
            va="center" if side else "top",
            fontsize=10,
        )
    verdict = "both conditions hold" if decisions.hold else _broken(decisions)
    axes.set_title(
        f"{decisions.algorithm}({decisions.rounds}), {decisions.generals} generals: {verdict}", fontsize=11
    )
    axes.set_xlim(-2.6, 2.6)
    axes.set_ylim(-0.9 if decisions.generals == 3 else -2.05, 1.35)


def _arrow(
    axes: Axes, places: dict[int, tuple[float, float]], path: tuple[int, ...], to: int, order: str
) -> None:
    colour, dash, letter = _ORDER_LOOKS[order]
    start, end = np.array(places[path[-1]]), np.array(places[to])
    bend = 0.0 if len(path) == 1 else 0.17
    line: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 1.7, "zorder": 2}
    head: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 13, "shrinkA": 21, "shrinkB": 21}
    axes.add_patch(
        FancyArrowPatch(tuple(start), tuple(end), connectionstyle=f"arc3,rad={bend}", **head, **line)
    )
    along = start + (end - start) * (0.5 if len(path) == 1 else 0.62)
    normal = np.array([(end - start)[1], -(end - start)[0]])
    white = {"boxstyle": "circle,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    words: dict[str, Any] = {"color": colour, "fontsize": 9.5, "weight": "bold", "bbox": white, "zorder": 5}
    x, y = along + normal * bend * 0.5
    axes.text(x, y, letter, ha="center", va="center", **words)


def _places(generals: int) -> dict[int, tuple[float, float]]:
    places = {0: (0.0, 1.0)}
    for place in range(generals - 1):
        angle = math.radians(200 + 140 * (place / (generals - 2) if generals > 2 else 0.5))
        places[place + 1] = (1.6 * math.cos(angle), 1.7 * math.sin(angle) + 0.25)
    return places


def _broken(decisions: Decisions) -> str:
    names = [name for name, holds in (("IC1", decisions.ic1), ("IC2", decisions.ic2)) if not holds]
    return f"{' and '.join(names)} broken"


def _generals_alt(decisions: Decisions) -> str:
    traitors = ", ".join(map(str, decisions.traitors)) or "none"
    decided = ", ".join(f"general {number} decides {said}" for number, said in decisions.decided.items())
    commander = "" if 0 in decisions.traitors else f" The loyal commander orders {decisions.order}."
    verdict = "Both conditions hold." if decisions.hold else f"{_broken(decisions)}."
    return (
        f"{decisions.generals} generals, {'signed' if decisions.algorithm == 'SM' else 'oral'} messages, "
        f"traitors: {traitors}.{commander} {decided[0].upper()}{decided[1:]}. {verdict}"
    )


# ── Availability ──────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_structure(structure: Structure, ax: Axes | None = None) -> Picture:
    """Show what stands on what, and how often it is up: exactly, and by the product rule."""
    figure = new_figure(8.6, 3.8)
    if ax is None:
        parts, bars = _set_up_design(figure)
        _paint_nines(structure, bars)
    _paint_structure(structure, parts if ax is None else ax)
    return Picture(figure if ax is None else ax, _structure_alt(structure))


def explore_availability() -> InteractiveFigure:
    """Show a replicated service with controls for replicas, racks, power and load balancer."""
    shares = {"no": None, "99 %": 0.99, "99.9 %": 0.999, "99.99 %": 0.9999, "99.999 %": 0.99999}
    known = {label: value for label, value in shares.items() if value is not None}

    def set_up(figure: Figure) -> list[Any]:
        figure.set_size_inches(8.6, 3.8)
        return [*_set_up_design(figure), figure.text(0.01, 0.015, "", fontsize=9, weight="bold")]

    def update(
        drawn: list[Any],
        replicas: int,
        needed: int,
        replica: str,
        racks: int,
        rack: str,
        power: str,
        load_balancer: str,
    ) -> str:
        structure = replicated_service(
            replicas,
            needed=min(needed, replicas),
            availability=known[replica],
            racks=racks or None,
            rack_availability=known[rack],
            power_availability=shares[power],
            front_availability=shares[load_balancer],
        )
        parts, bars, note = drawn
        _paint_structure(structure, wiped(parts))
        _paint_nines(structure, bars)
        short = f"k = {needed} is more than there are replicas: shown for k = {replicas}"
        note.set_text(short if needed > replicas else "")
        return f"{short}. {_structure_alt(structure)}" if needed > replicas else _structure_alt(structure)

    return live_figure(
        set_up,
        update,
        replicas=widgets.IntSlider(3, min=1, max=6),
        needed=widgets.IntSlider(1, min=1, max=6, description="needed (k)"),
        replica=widgets.Dropdown(options=list(known), value="99 %", description="each replica"),
        racks=widgets.IntSlider(1, min=0, max=4, description="racks (0: none)"),
        rack=widgets.Dropdown(options=list(known), value="99.9 %", description="each rack"),
        power=widgets.Dropdown(options=list(shares), value="no", description="shared power"),
        load_balancer=widgets.Dropdown(options=list(shares), value="no", description="load balancer"),
    )


def _set_up_design(figure: Figure) -> tuple[Axes, dict[str, Any]]:
    """Return axes for the parts, and the bars and words of the nines."""
    parts = placed_axes(figure, 0.0, 0.02, 0.53, 0.87)
    axes = placed_axes(figure, 0.62, 0.16, 0.98, 0.9)
    rows, colours = [1, 0], [palette.LIGHT_GREY, palette.BLUE]
    bars = axes.barh(rows, [0, 0], color=colours, hatch=["//", ""], edgecolor=palette.BLACK, height=0.5)
    axes.set_yticks(rows, ["product\nrule", "with what\nis shared"])
    axes.set(ylim=(-0.5, 1.75), xlabel="nines")
    axes.grid(visible=False, axis="y")
    words = [axes.text(0.1, row + 0.36, "", fontsize=9) for row in rows]
    values = [axes.text(0.0, row, "", va="center", fontsize=9) for row in rows]
    return parts, {"bars": bars, "words": words, "values": values}


def _paint_structure(structure: Structure, axes: Axes) -> None:
    """Boxes in rows: what is needed stands below what needs it; a thick edge marks a single point of failure."""
    axes.set_axis_off()
    single = set(single_points_of_failure(structure))
    parts = parts_of(structure)
    gates = {
        member
        for member in getattr(structure, "members", ())
        if isinstance(member, Part) and _has_group(structure)
    }
    top = 1 + max(map(_depth, parts))
    rows: dict[int, list[Part]] = {}
    for part in parts:
        rows.setdefault(top if part in gates else _depth(part), []).append(part)
    widest = max(map(len, rows.values()))
    spots: dict[Part, tuple[float, float]] = {}
    width = min(0.9, 5.4 / widest)
    for depth, row in sorted(rows.items()):
        row.sort(key=lambda part: _first_need_x(part, spots))
        for place, part in enumerate(row):
            spots[part] = ((place - (len(row) - 1) / 2) * max(1.0, widest / len(row) * 0.8), 1.15 * depth)
    for part, (x, y) in spots.items():
        for need in part.needs:
            if isinstance(need, Part):
                ends = zip((x, y), spots[need], strict=True)
                axes.plot(*ends, color=palette.GREY, linewidth=1.2, zorder=1)
        alone = part in single
        half = width * 0.47
        box: dict[str, Any] = (
            {"facecolor": palette.YELLOW, "linewidth": 2.6}
            if alone
            else {"facecolor": "#DCEBF5", "linewidth": 0.9}
        )
        corner = (x - half, y - 0.3)
        axes.add_patch(
            FancyBboxPatch(
                corner, 2 * half, 0.6, boxstyle="round,pad=0.02", edgecolor=palette.BLACK, zorder=2, **box
            )
        )
        name = part.name.replace(" ", "\n") + ("\n(!)" if alone else "")
        axes.text(x, y, name, ha="center", va="center", fontsize=8.2, linespacing=1.0, zorder=3)
    reach = max(abs(x) for x, _ in spots.values()) + 0.75
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.6, max(y for _, y in spots.values()) + 0.85)
    needed = _needed(structure)
    axes.set_title(f"needs {needed}\n(!) single point of failure", fontsize=9.5)


def _paint_nines(structure: Structure, drawn: dict[str, Any]) -> None:
    shares = product_rule(structure), system_availability(structure)
    lengths = [min(12.0, nines(share)) for share in shares]
    rows = zip(drawn["bars"], drawn["words"], drawn["values"], shares, lengths, strict=True)
    for bar, words, value, share, length in rows:
        bar.set_width(length)
        bar.axes.set_xlim(0, max(8.0, max(lengths) + 1.2))
        words.set_text(f"{_percent(share)}: {_duration(downtime_per_year(share))} down a year")
        value.set(x=length + 0.1, text=f"{length:.2f}")


def _structure_alt(structure: Structure) -> str:
    exact, naive = system_availability(structure), product_rule(structure)
    alone = ", ".join(part.name for part in single_points_of_failure(structure)) or "none"
    return (
        f"A service that needs {_needed(structure)}. Multiplying as if nothing were shared gives "
        f"{nines(naive):.2f} nines ({_duration(downtime_per_year(naive))} down a year); with what is shared it is "
        f"{nines(exact):.2f} nines ({_duration(downtime_per_year(exact))}). Single points of failure: {alone}."
    )


def _needed(structure: Structure) -> str:
    if isinstance(structure, Part):
        return structure.name
    if structure.needed == len(structure.members) and any(
        isinstance(member, Group) for member in structure.members
    ):
        return " and ".join(
            "the " + _needed(m) if isinstance(m, Part) else _needed(m) for m in structure.members
        )
    return f"{structure.needed} of {len(structure.members)} replicas"


def _has_group(structure: Structure) -> bool:
    return isinstance(structure, Group) and any(isinstance(member, Group) for member in structure.members)


def _depth(part: Part) -> int:
    return 1 + max((_depth(need) for need in part.needs if isinstance(need, Part)), default=-1)


def _first_need_x(part: Part, spots: dict[Part, tuple[float, float]]) -> float:
    return next((spots[need][0] for need in part.needs if isinstance(need, Part) and need in spots), 0.0)


def _percent(share: float) -> str:
    digits = 2 if share < 0.9999 else min(10, math.ceil(nines(share)))
    return f"{100 * share:.{digits}f} %" if share < 1.0 else "100 %"


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {name}"
    return readable_seconds(seconds) if 0 < seconds < 0.01 else f"{seconds:.2g} seconds"


# ── Standby ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_recoveries(recoveries: Sequence[Recovery], ax: Axes | None = None) -> Picture:
    """Show the requests around the crash, one row a mode: answered, answered and then lost, or not answered."""
    axes = given_or_new(ax, 8.0, 3.2)
    for row, recovery in enumerate(recoveries):
        for start, stop, kind in _stretches(recovery):
            draw_stretch(axes, row, start, stop, 0.34, **_request_look(kind))
        words = f"back after {recovery.recovery_time:.2g} s, {recovery.lost_work} acknowledged requests lost"
        axes.text(0.5, row - 0.27, words, fontsize=9)
    axes.axvline(0.0, color=palette.BLACK, linewidth=1.4)
    for kind in _REQUEST_LOOKS:
        draw_stretch(axes, 0, 0.0, 0.0, 0.34, label=kind, **_request_look(kind))
    named_rows(axes, [recovery.mode for recovery in recoveries], above=0.6, below=0.4)
    axes.set(xlim=(-22, 33), xlabel="seconds since the crash of the active server, when the request was made")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3, frameon=False, fontsize=9)
    words = "; ".join(
        f"{r.mode}: back after {r.recovery_time:.2g} s, {r.lost_work} acknowledged requests lost, "
        f"{r.failed_requests} not answered"
        for r in recoveries
    )
    return Picture(
        axes, f"Requests before and after a crash of the active server. {words[0].upper()}{words[1:]}."
    )


_REQUEST_LOOKS = {  # colour and hatch
    "answered": (palette.SKY, ""),
    "answered, then lost": (palette.YELLOW, "//"),
    "not answered": (palette.VERMILION, "xx"),
}


def _request_look(kind: str) -> dict[str, Any]:
    colour, hatch = _REQUEST_LOOKS[kind]
    return {"color": colour, "hatch": hatch, "edgecolor": palette.BLACK, "linewidth": 0.6}


def _stretches(recovery: Recovery) -> list[tuple[float, float, str]]:
    """Join requests of the same fate: (from, to, fate), in seconds since the crash."""
    run = recovery.run
    (crash,) = (begin for _, begin, _ in run.trace.fault_intervals())
    survivor = set(run.at(run.until).nodes["b"]["items"])
    stretches: list[tuple[float, float, str]] = []
    for op in run.history():
        if op.outcome == "unknown" and op.invoked + run.scenario.clients[0].timeout >= run.until:
            continue  # still open at the end
        kind = "not answered"
        if op.outcome == "ok":
            kind = "answered" if op.operation[1] in survivor else "answered, then lost"
        moment = op.invoked - crash
        if stretches and stretches[-1][2] == kind:
            stretches[-1] = (stretches[-1][0], moment, kind)
        else:
            stretches.append((stretches[-1][1] if stretches else moment, moment, kind))
    return stretches


# ── The record of failures ────────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_causes(record: pd.DataFrame, ax: Axes | None = None) -> Picture:
    """Show the share of failures and the share of time down of each cause."""
    table = cause_table(record)
    axes = given_or_new(ax, 7.0, 3.4)
    rows = np.arange(len(table))
    axes.barh(rows - 0.2, table["share"] * 100, 0.38, color=palette.BLUE, label="of failures")
    look: dict[str, Any] = {
        "color": palette.ORANGE,
        "hatch": "//",
        "edgecolor": palette.BLACK,
        "linewidth": 0.5,
    }
    axes.barh(rows + 0.2, table["share of time down"] * 100, 0.38, label="of time down", **look)
    axes.set_yticks(rows, [str(cause) for cause in table.index])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("share, %")
    axes.legend(frameon=False)
    parts = ", ".join(f"{cause} {100 * row['share']:.1f} %" for cause, row in table.iterrows())
    return Picture(
        axes,
        f"Causes of {readable_number(len(record))} failures: {parts}. Their shares of the time down are similar.",
    )


@default_settings
def draw_failure_gaps(record: pd.DataFrame, system: int, ax: Axes | None = None) -> Picture:
    """Show how long a system runs from one failure to the next, against a Weibull and an exponential distribution."""
    gaps = failure_gaps(record, system)
    positive = np.sort(gaps[gaps > 0])
    fit = fit_weibull(positive)
    axes = given_or_new(ax, 7.0, 3.8)
    share = (np.arange(len(positive)) + 1) / len(positive)
    axes.step(positive, share * 100, where="post", color=palette.BLACK, linewidth=2.4, label="recorded")
    hours = np.geomspace(positive[0], positive[-1], 300)
    weibull = 100 * (1 - fit.survival(hours))
    axes.plot(hours, weibull, "--", color=palette.ORANGE, label=f"Weibull, shape {fit.shape:.2f}")
    exponential = 100 * (1 - np.exp(-hours / positive.mean()))
    axes.plot(hours, exponential, ":", color=palette.BLUE, linewidth=2, label="exponential, same mean")
    axes.set(
        xscale="log", xlabel="hours until the next failure", ylabel="share of gaps that are no longer, %"
    )
    axes.legend(frameon=False)
    zero = 100 * (gaps == 0).mean()
    soon, expected = 100 * (positive <= 1).mean(), 100 * (1 - math.exp(-1 / positive.mean()))
    return Picture(
        axes,
        f"How many of {readable_number(len(positive))} positive gaps between failures of system {system} are no longer "
        f"than a time. Within an hour {soon:.0f} % of them are over; an exponential distribution with the same mean of "
        f"{positive.mean():.1f} hours says {expected:.0f} %, a Weibull distribution with shape {fit.shape:.3f} is "
        f"drawn beside. Another {zero:.0f} % of all gaps are zero.",
    )


@default_settings
def draw_repair_times(record: pd.DataFrame, ax: Axes | None = None) -> Picture:
    """Show how long repairs took, with median and mean."""
    minutes = record["down_min"].to_numpy()
    axes = given_or_new(ax, 7.0, 3.2)
    edges = np.geomspace(1, minutes.max(), 45)
    axes.hist(minutes[minutes > 0], bins=list(edges), color=palette.SKY, edgecolor="white", linewidth=0.5)
    top = axes.get_ylim()[1] * 1.25
    axes.set_ylim(0, top)
    median, mean = float(np.median(minutes)), float(minutes.mean())
    for value, dash, name in ((median, "-", "median"), (mean, "--", "mean")):
        axes.axvline(value, color=palette.BLACK, linestyle=dash)
        axes.text(value * 1.08, top * 0.97, f"{name}\n{value:.0f} min", va="top", fontsize=9)
    axes.set(xscale="log", xlabel="minutes down", ylabel="failures")
    longest = np.sort(minutes)[::-1]
    longest_share = longest[: len(longest) // 100].sum() / longest.sum()
    return Picture(
        axes,
        f"Times to repair of {readable_number(len(minutes))} failures on a logarithmic axis: "
        f"median {median:.0f} minutes, mean {mean:.0f}. "
        f"The longest 1 % of the repairs make {100 * longest_share:.0f} % of all time down.",
    )


@default_settings
def draw_down_together(result: DownTogether, ax: Axes | None = None) -> Picture:
    """Show how often at least k nodes were down at once, and how often they would be if failures were independent."""
    axes = given_or_new(ax, 7.0, 3.6)
    ks = list(result.observed)
    axes.plot(ks, [result.observed[k] for k in ks], "o-", color=palette.BLUE, label="recorded")
    alone = [result.independent[k] for k in ks]
    axes.plot(ks, alone, "s--", color=palette.VERMILION, label="if failures were independent")
    for k in [k for k in ks[2:] if not math.isnan(result.ratio(k))]:
        label_point(axes, f"×{_ratio(result.ratio(k))}", (k, result.observed[k]), (0, 9), ha="center")
    axes.margins(y=0.15)
    axes.set(
        yscale="log", xticks=ks, xlabel="nodes down at the same moment, at least", ylabel="share of the time"
    )
    axes.legend(frameon=False, loc="lower left")
    last = ks[-1]
    fewer = "" if math.isnan(result.ratio(last)) else f", {_ratio(result.ratio(last))} times less"
    return Picture(
        axes,
        f"Share of the time in which at least k of the {result.nodes} nodes of system {result.system} were down. At "
        f"least {last}: recorded {100 * result.observed[last]:.2f} %, "
        f"independent {result.independent[last]:.1e}{fewer}.",
    )


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 10 else readable_number(round(value))
