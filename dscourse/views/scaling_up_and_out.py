"""Pictures of notebook 02: what machines cost, an application that grows, and a fleet that follows its load."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dscourse.readable import readable_number, readable_percent
from dscourse.scaling import (
    LOADS,
    Autoscaler,
    AutoscalingResult,
    Machine,
    MovingLoad,
    WebApplication,
    break_even,
    machines,
    simulate_autoscaling,
)
from dscourse.views import palette
from dscourse.views.axes import (
    bar_style,
    given_or_new,
    legend_above,
    line_style,
    logarithmic,
    new_figure,
    on_white,
    placed_axes,
    tidy,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.settings import default_settings

_MONTH = 730.0

# ── What machines cost ────────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_price_curves(per: str = "core", ax: Axes | None = None) -> Picture:
    """Draw what a core (or a GiB of memory) costs an hour in machines of every size, family by family.

    Args:
        per: "core" or "GiB".
        ax: where to draw.
    """
    ax = given_or_new(ax)
    told, highest, largest = [], 0.0, 0.0
    for place, family in enumerate(dict.fromkeys(machine.family for machine in machines())):
        sizes = np.array([machine.cores if per == "core" else machine.memory for machine in machines(family)])
        prices = np.array([machine.price for machine in machines(family)]) / sizes
        look = line_style(place) | ({"linestyle": ""} if family == "u7i" else {})  # one per amount of memory
        ax.plot(sizes, prices, marker=palette.MARKERS[place], label=family, **look)
        told.append(f"{family} from {prices.min():.3g} to {prices.max():.3g}")
        highest, largest = max(highest, prices.max()), max(largest, sizes.max())
    logarithmic(ax, x=2, y=None, minor=False)
    ax.axvspan(largest * 1.3, largest * 4, color=palette.LIGHT_GREY, alpha=0.6)
    ax.text(largest * 2.25, 0.0, "none to\nbe had", ha="center", va="bottom", fontsize=9)
    what = "cores of the machine" if per == "core" else "memory of the machine, GiB"
    ax.set(
        xlabel=what,
        ylabel=f"dollars an hour for each {per}",
        ylim=(0, 1.1 * highest),
        xlim=(None, largest * 4),
    )
    legend_above(ax, columns=4)
    return Picture(ax, f"Dollars an hour for each {per}, by the size of the machine: {'; '.join(told)}.")


_SIZES = np.geomspace(2, 4000, 34).tolist()


def explore_break_even() -> InteractiveFigure:
    """Show what one machine costs, and what several of one kind, for work of any size, under terms that can be set."""
    small = [machine.name for machine in machines("m8i")][:6]
    return live_figure(
        _set_up_break_even,
        _update_break_even,
        each_of_several=widgets.Dropdown(options=small, value="m8i.xlarge"),
        spare_machines=(0, 2, 1),
        licence=widgets.FloatSlider(min=0.0, max=1.0, step=0.1, description="licence, $/core·h"),
        people=widgets.FloatSlider(min=0.0, max=50.0, step=5.0, description="people, $/h"),
        contention=widgets.FloatSlider(
            min=0.0, max=0.05, step=0.005, readout_format=".1%", description="contention"
        ),
    )


def _set_up_break_even(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.09, 0.13, 0.98, 0.86, size=(8.6, 4.0))
    logarithmic(ax, x=2)
    ax.set(
        xlim=(2, 4000),
        ylim=(0.08, 3000),
        xlabel="work, in cores that are always busy",
        ylabel="dollars an hour",
    )
    (up,) = ax.plot([], [], "o-", markersize=4, color=palette.BLUE, label="one machine, and its spares")
    (out,) = ax.plot([], [], "s--", markersize=4, color=palette.ORANGE, label="several, and their spares")
    legend_above(ax, columns=2)
    words = ax.text(0.02, 0.94, "", transform=ax.transAxes, va="top", fontsize=10, bbox=on_white())
    return {"up": up, "out": out, "words": words}


def _update_break_even(drawn: dict[str, Any], **terms: Any) -> str:
    kind = [machine for machine in machines() if machine.name == terms["each_of_several"]]
    shared = {
        "spare": terms["spare_machines"],
        "licence_per_core": terms["licence"],
        "contention": terms["contention"],
    }
    first, prices = break_even(
        _SIZES, up=shared, out={**shared, "choices": kind, "operation": terms["people"]}
    )
    drawn["up"].set_data(_SIZES, prices["up"].to_numpy())
    drawn["out"].set_data(_SIZES, prices["out"].to_numpy())
    told = "several are never cheaper"
    if not math.isnan(first):
        told = f"several are cheaper from about {first:.0f} cores on"
    ceiling = max(machine.capacity(terms["contention"]) for machine in machines())
    most = f"one machine can do {ceiling:.0f} at the most"
    drawn["words"].set_text(f"{told}\n{most}")
    return f"Dollars an hour for work of 2 to 4 000 cores: {told}; {most}."


# ── An application that grows ─────────────────────────────────────────────────────────────────────────────────

_TIERS = ("load balancers", "web servers", "caches", "database")


@dataclass(frozen=True)
class _Stage:
    """A moment in the growth: the load, how the application stands, and what is said."""

    rate: float
    application: WebApplication
    words: str
    gave_out: str = ""


def _stages(application: WebApplication) -> list[_Stage]:
    stages = [_Stage(10.0, application, "one machine does everything")]
    for step in application.grow(10, 100_000, factor=10**0.5):
        busy = readable_percent(application.utilization(step.rate)[step.gave_out])
        words = f"{step.gave_out}: would have to work {busy} of the time"
        stages.append(_Stage(step.rate, application, words, step.gave_out))
        application = step.application
        stages.append(_Stage(step.rate, application, f"changed: {step.change}"))
    return stages


def explore_growth(**work: float) -> InteractiveFigure:
    """Show a web application that grows ten thousandfold, as a cluster: what gives out, what is changed, the price.

    Args:
        **work: what a request costs, where it is other than usual (see `Work`).
    """
    stages = _stages(WebApplication().with_work(**work))
    return live_figure(
        lambda figure: {"stages": stages, **_set_up_growth(figure)},
        _update_growth,
        step=widgets.IntSlider(min=0, max=len(stages) - 1),
    )


def _set_up_growth(figure: Figure) -> dict[str, Any]:
    ax = placed_axes(figure, 0.0, 0.28, 1.0, 1.0, size=(9.6, 4.9))
    ax.set_axis_off()
    ax.set(xlim=(0, 10), ylim=(0, 5))
    bill = placed_axes(figure, 0.09, 0.1, 0.98, 0.28)
    logarithmic(bill, minor=False)
    bill.set(xlim=(7, 150_000), ylim=(60, 400_000), xlabel="requests/s", ylabel="$ a month")
    (line,) = bill.plot([], [], "o-", color=palette.BLUE, markersize=4)
    return {"cluster": ax, "line": line}


def _update_growth(drawn: dict[str, Any], step: int) -> str:
    stages: list[_Stage] = drawn["stages"]
    now, ax = stages[step], drawn["cluster"]
    for artist in (*ax.texts, *ax.patches, *ax.lines):
        artist.remove()
    busy, held = now.application.utilization(now.rate), now.application.machines()
    month = now.application.price * _MONTH
    head = f"{readable_number(now.rate)} requests/s   ·   {readable_number(round(month))} dollars a month"
    ax.text(0.15, 4.75, head, fontsize=13, va="center", fontweight="bold")
    ax.text(
        0.15, 4.3, now.words, fontsize=12, va="center", color=palette.VERMILION if now.gave_out else "black"
    )
    there = [tier for tier in ("the one machine", *_TIERS) if tier in held]
    width = 9.7 / max(len(there), 3)
    told = []
    for place, tier in enumerate(there):
        kind, count = held[tier]
        left = 0.15 + place * width + (9.7 - width * len(there)) / 2
        _draw_tier(ax, left, width - 0.3, tier, held[tier], busy[tier])
        if place:
            ax.annotate(
                "", (left, 2.2), (left - 0.3, 2.2), arrowprops={"arrowstyle": "->", "color": palette.GREY}
            )
        told.append(f"{tier}: {count} × {kind.name}, busy {readable_percent(busy[tier])}")
    past = [stage for stage in stages[: step + 1] if not stage.gave_out]
    drawn["line"].set_data([one.rate for one in past], [one.application.price * _MONTH for one in past])
    return f"The application at {head}. {now.words}. {'; '.join(told)}."


def _draw_tier(
    ax: Axes, left: float, width: float, tier: str, held: tuple[Machine, int], busy: float
) -> None:
    """Draw a tier as a box: a square for each machine, the larger the more cores it has, and how much they work."""
    kind, count = held
    too_much = busy > WebApplication.target * (1 + 1e-9)
    colour, middle = palette.VERMILION if too_much else palette.BLUE, left + width / 2
    ax.add_patch(
        Rectangle((left, 0.2), width, 3.7, facecolor="#F6F6F6", edgecolor=colour, linewidth=1 + too_much)
    )
    ax.text(middle, 3.62, tier, ha="center", va="center", fontsize=11)
    ax.text(middle, 3.22, f"{count} × {kind.name}", ha="center", va="center", fontsize=9.5)
    columns = min(count, math.ceil(math.sqrt(count * 1.4)))
    rows, places = math.ceil(count / columns), np.arange(count)
    cell = min(1.0, 0.95 * width / columns, 2.0 / rows)
    across = middle + (places % columns - (columns - 1) / 2) * cell
    down = 1.95 + ((rows - 1) / 2 - places // columns) * cell
    ax.plot(across, down, "s", color=colour, markersize=min(38 * cell, 5 + 4.5 * math.log2(kind.cores)))
    ax.add_patch(Rectangle((left + 0.1, 0.42), width - 0.2, 0.3, facecolor="white", edgecolor=palette.GREY))
    full = (width - 0.2) * min(busy, 1.0)
    ax.add_patch(Rectangle((left + 0.1, 0.42), full, 0.3, facecolor=colour, alpha=0.5))
    words = f"busy {readable_percent(busy)}" + (": too much" if too_much else "")
    ax.text(middle, 0.57, words, ha="center", va="center", fontsize=9.5)


@default_settings
def draw_bills(applications: Mapping[str, WebApplication], ax: Axes | None = None) -> Picture:
    """Draw what applications cost a month, tier by tier, and the upkeep of copies and partitions.

    Args:
        applications: by name, each sized for its load.
        ax: where to draw.
    """
    ax = given_or_new(ax, 7.0, 2.4)
    told = []
    for row, (name, application) in enumerate(applications.items()):
        rent = {tier: count * kind.price * _MONTH for tier, (kind, count) in application.machines().items()}
        parts = {**{tier: rent.get(tier, 0.0) for tier in _TIERS}}
        parts["upkeep"] = application.price * _MONTH - sum(parts.values())
        begin = 0.0
        for place, (part, price) in enumerate(parts.items()):
            ax.barh(row, price, 0.6, left=begin, label=part if not row else None, **bar_style(place))
            begin += price
        ax.text(begin, row, f" {readable_number(round(begin))} $", va="center", fontsize=10)
        told.append(f"{name} {readable_number(round(begin))}")
    ax.set_yticks(range(len(applications)), list(applications))
    ax.invert_yaxis()
    ax.set_xlabel("dollars a month")
    ax.xaxis.set_major_formatter(lambda value, _: readable_number(value))
    ax.margins(x=0.15)
    legend_above(ax, columns=5)
    return Picture(ax, f"Dollars a month, by tier: {'; '.join(told)}.")


# ── A fleet that follows its load ─────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_autoscaling(
    load: MovingLoad, results: Mapping[str, AutoscalingResult], ax: Axes | None = None
) -> Picture:
    """Draw the machines that were at work beside those that the load fills, and below it what waited.

    Args:
        load: that came.
        results: of rules, by name.
        ax: where to draw the machines alone.
    """
    made = (
        [tidy(one) for one in new_figure(7.4, 4.2).subplots(2, 1, sharex=True)] if ax is None else [tidy(ax)]
    )
    long = len(load.arrival_rate) > 7200
    times = np.arange(len(load.arrival_rate)) / (3600 if long else 60)
    made[0].plot(times, load.arrival_rate / 100, color=palette.GREY, label="filled by what comes")
    told = []
    for place, (name, result) in enumerate(results.items()):
        made[0].plot(times, result.machines, label=name, **line_style(place))
        made[-1].plot(times, result.queue, **line_style(place)) if ax is None else None
        told.append(
            f"{name}: at most {result.peak_machines} machines, waiting for {result.overloaded_seconds} s"
        )
    made[0].set_ylabel("machines at work")
    legend_above(made[0])
    if ax is None:
        made[1].set_ylabel("requests that wait")
        made[1].yaxis.set_major_formatter(lambda value, _: readable_number(value))
    made[-1].set(xlabel="hour" if long else "minute", xlim=(0, times[-1]))
    return Picture(made[0], f"Machines and what waits, over time. {'; '.join(told)}.")


@functools.lru_cache(maxsize=64)
def _day(target: float, start_minutes: int, patience: int) -> AutoscalingResult:
    rule = Autoscaler(target=target, patience=60.0 * patience)
    return simulate_autoscaling(rule, LOADS["day"], machines=12, start_seconds=60 * start_minutes)


def explore_autoscaling() -> InteractiveFigure:
    """Show a fleet that follows the load of a day, as it goes: machines at work, and requests that wait."""
    hour = widgets.FloatSlider(min=0.0, max=24.0, step=0.05, value=24.0, description="hour")
    play = widgets.Play(min=0, max=240, value=0, step=1, interval=150, layout={"width": "9em"})
    play.observe(lambda change: setattr(hour, "value", change.new / 10), "value")
    aims = [(readable_percent(share), share) for share in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    figure = live_figure(
        _set_up_day,
        _update_day,
        hour=hour,
        aim=widgets.SelectionSlider(options=aims, value=0.6),
        start_up=widgets.SelectionSlider(options=[(f"{m} min", m) for m in (1, 2, 5, 10, 20)], value=2),
        patience=widgets.SelectionSlider(options=[(f"{m} min", m) for m in (0, 5, 15, 60)], value=5),
    )
    panel = figure.children[0]
    panel.children = [play, *panel.children]
    return figure


_ROW = 30  # machines


def _set_up_day(figure: Figure) -> dict[str, Any]:
    fleet = placed_axes(figure, 0.02, 0.5, 0.98, 0.99, size=(9.0, 4.8))
    fleet.set_axis_off()
    fleet.set(xlim=(-0.5, _ROW - 0.5), ylim=(-0.6, 4.9))
    drawn: dict[str, Any] = {
        "head": fleet.text(-0.3, 4.5, "", fontsize=12, va="center"),
        "waits": fleet.text(-0.3, 0.85, "", fontsize=11, va="center"),
    }
    (drawn["working"],) = fleet.plot([], [], "s", color=palette.BLUE, markersize=12)
    (drawn["starting"],) = fleet.plot([], [], "s", color=palette.BLUE, markersize=12, fillstyle="none")
    (drawn["queue"],) = fleet.plot([], [], "o", color=palette.VERMILION, markersize=6)
    ax = placed_axes(figure, 0.08, 0.11, 0.98, 0.48)
    ax.set(xlim=(0, 24), ylim=(0, 80), xlabel="hour", ylabel="machines", xticks=range(0, 25, 2))
    (drawn["machines"],) = ax.plot([], [], color=palette.BLUE, label="at work")
    (drawn["load"],) = ax.plot([], [], color=palette.GREY, linestyle="--", label="filled by what comes")
    (drawn["late"],) = ax.plot([], [], "|", color=palette.VERMILION, markersize=8, label="requests wait")
    ax.legend(loc="upper left", frameon=False, ncols=3, fontsize=9)
    return drawn


def _update_day(drawn: dict[str, Any], hour: float, aim: float, start_up: int, patience: int) -> str:
    result, load = _day(aim, start_up, patience), LOADS["day"].arrival_rate
    now = min(int(hour * 3600), len(load) - 1)
    working, starting, queue = (
        int(values[now]) for values in (result.machines, result.starting, result.queue)
    )
    places = np.arange(min(working + starting, 3 * _ROW))
    for name, shown in (("working", places[:working]), ("starting", places[working:])):
        drawn[name].set_data(shown % _ROW, 3.7 - shown // _ROW)
    dots = np.arange(min(2 * _ROW, math.ceil(queue / 1000)))
    drawn["queue"].set_data(dots % _ROW, 0.2 - 0.5 * (dots // _ROW))
    coming = f"{readable_number(load[now])} requests/s come, {working} machines work, {starting} start"
    drawn["head"].set_text(f"{int(hour):02d}:{int(hour % 1 * 60):02d}   {coming}")
    waits = f"{readable_number(queue)} requests wait" + (", one dot for 1 000" if queue else "")
    hours = (result.machines[: now + 1] + result.starting[: now + 1]).sum() / 3600
    drawn["waits"].set_text(f"{waits}   ·   paid so far: {readable_number(round(hours))} machine hours")
    past = np.arange(0, now + 1, 60)
    drawn["machines"].set_data(past / 3600, result.machines[past])
    drawn["load"].set_data(past / 3600, load[past] / 100)
    late = past[result.queue[past] > 0.5]
    drawn["late"].set_data(late / 3600, np.full(late.size, 3.0))
    return (
        f"The fleet at {hour:.1f} h: {coming}; {waits}; {readable_number(round(hours))} machine hours so far."
    )
