"""Pictures of notebook 07: fates of reads, generals and their lies, standbys, availability, nodes down at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dscourse.fault_tolerance import (
    Decisions,
    DownTogether,
    Group,
    Part,
    Recovery,
    Standby,
    Structure,
    downtime_per_year,
    nines,
    oral_messages,
    parts_of,
    product_rule,
    read_fates,
    replicated_service,
    signed_messages,
    single_points_of_failure,
    system_availability,
)
from dscourse.fault_tolerance.byzantine import ATTACK, RETREAT, oral_paths
from dscourse.readable import readable_number, readable_seconds
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.axes import (
    draw_stretch,
    given_or_new,
    label_point,
    legend_above,
    named_rows,
    on_white,
    placed_axes,
    sample,
    wiped,
)
from dscourse.views.interactive import InteractiveFigure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings

_FATE_LOOKS: dict[str, dict[str, Any]] = {
    "right": {"marker": "o", "color": palette.BLUE, "markersize": 4},
    "wrong": {"marker": "X", "color": palette.VERMILION, "markersize": 8},
    "refused": {"marker": "v", "color": palette.ORANGE, "markersize": 7},
    "late": {"marker": "^", "color": palette.PURPLE, "markersize": 7},
}
_ORDER_LOOKS = {ATTACK: (palette.VERMILION, "-", "A"), RETREAT: (palette.BLUE, (0, (4, 2)), "R")}
_MOST_GENERALS = 7


# ── Reads ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_lanes() -> tuple[Lane, ...]:
    """Return what a player shows below a run of `read_scenario`: right and wrong answers a second."""
    return tuple(Lane(f"{fate} answers", "/s", partial(_a_second, fate=fate)) for fate in ("right", "wrong"))


def _a_second(run: Run, _: float | None, fate: str) -> Points:
    """Return how many reads a second got this fate, for each half second in which they were asked."""
    counts = [0.0] * math.ceil(2 * run.until)
    for asked, found, _ in read_fates(run):
        counts[int(2 * asked)] += 2.0 * (found == fate)
    return [(half / 2, count) for half, count in enumerate(counts)]


def explore_reads(runs: Mapping[str, Run], of: str = "run") -> InteractiveFigure:
    """Let the learner choose a run, and see when each read was asked, after how long it was answered, and how.

    Args:
        runs: name → a run of `read_scenario`.
        of: what the names tell apart.
    """
    slowest = max(seconds for run in runs.values() for _, _, seconds in read_fates(run))

    def set_up(figure: Figure) -> Axes:
        axes = placed_axes(figure, 0.09, 0.17, 0.98, 0.87, size=(7.6, 2.8))
        axes.set(xlim=(-0.1, max(run.until for run in runs.values())), ylim=(0, 1.15 * slowest))
        axes.set(xlabel="when it was asked, s", ylabel="answered after, s")
        legend_above(axes, [sample(fate, **look) for fate, look in _FATE_LOOKS.items()], columns=4)
        return axes

    def update(axes: Axes, which: str) -> str:
        wiped(axes)
        fates = read_fates(runs[which])
        told = []
        for fate, look in _FATE_LOOKS.items():
            mine = [(asked, seconds) for asked, found, seconds in fates if found == fate]
            axes.plot([at for at, _ in mine], [seconds for _, seconds in mine], linestyle="", **look)
            told += [f"{len(mine)} {fate}, at most {max(s for _, s in mine):.2f} s"] if mine else []
        return f"{len(fates)} reads, {which}: {'; '.join(told)}."

    return live_figure(set_up, update, which=widgets.Dropdown(options=list(runs), description=of))


# ── The generals ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Lies(widgets.VBox):  # type: ignore[misc]
    """Who betrays, and what each traitor tells each lieutenant: a row for every speaker, a column for every listener.

    Attributes:
        value: (numbers of the traitors, pairs (traitor, listener) who are told to attack); all others hear "retreat".
    """

    value = traitlets.Tuple(((1,), ()))

    def __init__(self, generals: widgets.IntSlider) -> None:
        self.description = "lies"
        self._generals = generals
        self._traitors = [_toggle(f"{one} is loyal", "7em") for one in range(_MOST_GENERALS)]
        self._told = {
            (one, to): _toggle(f"to {to}: R", "5.2em")
            for one in range(_MOST_GENERALS)
            for to in range(1, _MOST_GENERALS)
            if one != to
        }
        self._traitors[1].value = True
        self._rows = [
            widgets.HBox([button, *(told for (who, _), told in self._told.items() if who == one)])
            for one, button in enumerate(self._traitors)
        ]
        super().__init__(self._rows)
        for button in (*self._traitors, *self._told.values()):
            button.observe(self._tell, names="value")
        generals.observe(self._tell, names="value")
        self._tell()

    def toggle(self, traitor: int, to: int | None = None) -> None:
        """Press a button: of a general, or of what that one tells another."""
        button = self._traitors[traitor] if to is None else self._told[traitor, to]
        button.value = not button.value

    def _tell(self, _: object = None) -> None:
        count = self._generals.value
        bad = [one for one, button in enumerate(self._traitors[:count]) if button.value]
        for one, (row, button) in enumerate(zip(self._rows, self._traitors, strict=True)):
            row.layout.display = "" if one < count else "none"
            button.description = f"{one} {'betrays' if button.value else 'is loyal'}"
        for (one, to), button in self._told.items():
            button.layout.display = "" if one in bad and to < count else "none"
            button.description = f"to {to}: {'A' if button.value else 'R'}"
        told = [
            pair for pair, button in self._told.items() if button.value and pair[0] in bad and pair[1] < count
        ]
        self.value = (tuple(bad), tuple(told))


def _toggle(words: str, width: str) -> widgets.ToggleButton:
    return widgets.ToggleButton(description=words, layout=widgets.Layout(width=width, margin="1px"))


def explore_generals() -> InteractiveFigure:
    """Let the learner choose how many generals there are, who betrays, and what the traitors tell each lieutenant."""
    count = widgets.IntSlider(3, min=1, max=_MOST_GENERALS)

    def update(axes: Axes, generals: int, order: str, messages: str, lies: Any) -> str:
        decisions = _decided(generals, order, messages, *lies)
        _paint_generals(decisions, wiped(axes))
        return _generals_alt(decisions)

    return live_figure(
        lambda figure: _frame_generals(placed_axes(figure, 0.006, 0.064, 0.994, 0.933, size=(7.4, 4.0))),
        update,
        generals=count,
        order=[ATTACK, RETREAT],
        messages=["oral", "signed"],
        lies=Lies(count),
    )


def _decided(
    generals: int, order: str, messages: str, traitors: tuple[int, ...], told: tuple[tuple[int, int], ...]
) -> Decisions:
    """Let the traitors keep one story for each peer, whatever a report is about."""
    story = {
        (one, to): ATTACK if (one, to) in told else RETREAT for one in traitors for to in range(1, generals)
    }
    rounds = len(traitors)
    if messages == "oral":
        paths = [path for path in oral_paths(generals, rounds) if path[-1] in traitors]
        lies = {
            (path, to): story[path[-1], to] for path in paths for to in range(1, generals) if to not in path
        }
        return oral_messages(generals, traitors, order, lies=lies)
    loyal = [to for to in range(1, generals) if to not in traitors]
    steps = range(1, min(rounds + 2, generals + 1))
    signed = {(step, one, to): (story[one, to],) for step in steps for one in traitors for to in loyal}
    return signed_messages(generals, traitors, order, lies=signed)


def _frame_generals(axes: Axes) -> Axes:
    axes.set_axis_off()
    axes.set(xlim=(-3.0, 3.0), ylim=(-2.1, 1.55))
    handles = [
        sample(f"says {order} ({letter})", color=colour, linestyle=dash)
        for order, (colour, dash, letter) in _ORDER_LOOKS.items()
    ]
    axes.legend(
        handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=9, bbox_to_anchor=(0.5, -0.08)
    )
    return axes


def _paint_generals(decisions: Decisions, axes: Axes) -> None:
    """The commander's orders and the traitors' reports about them; with up to four generals the reports of all."""
    places, traitors = _places(decisions.generals), set(decisions.traitors)
    for (path, to), order in decisions.said.items():
        if len(path) == 1 or (len(path) == 2 and (decisions.generals <= 4 or path[-1] in traitors)):
            _arrow(axes, places, path, to, order)
    for number, (x, y) in places.items():
        traitor = number in traitors
        look: dict[str, Any] = (
            {"marker": "D", "markersize": 25, "color": "#FFFFFF", "markeredgewidth": 2.4}
            if traitor
            else {"marker": "o", "markersize": 28, "color": palette.LIGHT_GREY, "markeredgewidth": 1.2}
        )
        axes.plot(x, y, markeredgecolor=palette.BLACK, zorder=3, **look)
        axes.text(x, y, str(number), ha="center", va="center", fontsize=12, weight="bold", zorder=4)
        words = (
            "traitor"
            if traitor
            else f"decides {decisions.decided[number]}"
            if number
            else f"orders {decisions.order}"
        )
        side = 1 if number == 0 or x > 0.3 else -1 if x < -0.3 else 0  # at the right, the left, or below
        place: dict[str, Any] = {
            "ha": {-1: "right", 0: "center", 1: "left"}[side],
            "va": "center" if side else "top",
        }
        axes.text(
            x + 0.28 * side,
            y - (0.05 if side else 0.27),
            words,
            fontsize=9.5,
            bbox=on_white(),
            zorder=5,
            **place,
        )
    axes.set_ylim(-0.9 if decisions.generals == 3 else -2.1, 1.55)
    verdict = "both conditions hold" if decisions.hold else _broken(decisions)
    axes.set_title(
        f"{decisions.algorithm}({decisions.rounds}), {decisions.generals} generals: {verdict}", fontsize=11
    )


def _arrow(
    axes: Axes, places: dict[int, tuple[float, float]], path: tuple[int, ...], to: int, order: str
) -> None:
    colour, dash, letter = _ORDER_LOOKS[order]
    start, end = np.array(places[path[-1]]), np.array(places[to])
    bend = 0.0 if len(path) == 1 else 0.17
    line: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 1.7, "zorder": 2}
    head: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 13, "shrinkA": 16, "shrinkB": 16}
    axes.add_artist(  # as no patch: limits stand, and working them out takes a sixth of a redraw
        FancyArrowPatch(tuple(start), tuple(end), connectionstyle=f"arc3,rad={bend}", **head, **line)
    )
    along = start + (end - start) * (0.5 if len(path) == 1 else 0.45)
    normal = np.array([(end - start)[1], -(end - start)[0]])
    white = {"boxstyle": "circle,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    words: dict[str, Any] = {"color": colour, "fontsize": 9.5, "weight": "bold", "bbox": white, "zorder": 2.5}
    x, y = along + normal * bend * 0.5
    axes.text(x, y, letter, ha="center", va="center", **words)


def _places(generals: int) -> dict[int, tuple[float, float]]:
    turns = [
        math.radians(196 + 148 * (one / (generals - 2) if generals > 2 else 0.5))
        for one in range(generals - 1)
    ]
    lieutenants = {
        one: (1.9 * math.cos(turn), 1.75 * math.sin(turn) + 0.2) for one, turn in enumerate(turns, start=1)
    }
    return {0: (0.0, 1.2), **lieutenants}


def _broken(decisions: Decisions) -> str:
    names = [name for name, holds in (("IC1", decisions.ic1), ("IC2", decisions.ic2)) if not holds]
    return f"{' and '.join(names)} broken"


def _generals_alt(decisions: Decisions) -> str:
    traitors = ", ".join(map(str, decisions.traitors)) or "none"
    decided = ", ".join(f"general {number} decides {said}" for number, said in decisions.decided.items())
    decided = decided or "there is no loyal lieutenant"
    commander = "" if 0 in decisions.traitors else f" The loyal commander orders {decisions.order}."
    verdict = "Both conditions hold." if decisions.hold else f"{_broken(decisions)}."
    return (
        f"{decisions.generals} generals, {'signed' if decisions.algorithm == 'SM' else 'oral'} messages, "
        f"traitors: {traitors}.{commander} {decided[0].upper()}{decided[1:]}. {verdict}"
    )


# ── Standby ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_REQUEST_LOOKS = {  # colour and hatch
    "answered": (palette.SKY, ""),
    "answered, then lost": (palette.YELLOW, "//"),
    "not answered": (palette.VERMILION, "xx"),
}


def explore_standby(crash_at: float = 18.0) -> InteractiveFigure:
    """Let the learner turn how often the state is copied, how long silence is borne, and how long a spare boots.

    Args:
        crash_at: when the active server crashes, seconds.
    """

    def set_up(figure: Figure) -> Axes:
        axes = placed_axes(figure, 0.08, 0.15, 0.98, 0.88, size=(7.8, 3.2))
        named_rows(axes, ["hot", "warm", "cold"], above=0.6, below=0.4)
        axes.set(xlim=(-crash_at, 24), xlabel="when the request was made, seconds since the crash")
        legend_above(
            axes,
            [sample(kind, marker="s", markersize=9, color=look[0]) for kind, look in _REQUEST_LOOKS.items()],
        )
        return axes

    def update(axes: Axes, copy_interval: float, timeout: float, boot_time: float) -> str:
        wiped(axes)
        words = []
        axes.axvline(0.0, color=palette.BLACK, linewidth=1.4)
        for row, mode in enumerate(("hot", "warm", "cold")):
            pair = Standby(
                mode,
                timeout=timeout,
                checkpoint_interval=copy_interval,
                backup_interval=2 * copy_interval,
                boot_time=boot_time,
                rate=5.0,
            )
            words.append(_paint_recovery(axes, row, pair.measure(crash_at)))
        return f"A crash of the active server after {crash_at:g} s. {'; '.join(words)}."

    return live_figure(
        set_up,
        update,
        copy_interval=widgets.FloatSlider(5.0, min=1.0, max=10.0, step=1.0, description="copy every (s)"),
        timeout=widgets.FloatSlider(2.0, min=1.0, max=5.0, step=0.5, description="silence borne (s)"),
        boot_time=widgets.FloatSlider(10.0, min=1.0, max=15.0, step=1.0, description="a spare boots (s)"),
    )


def _paint_recovery(axes: Axes, row: int, recovery: Recovery) -> str:
    for start, stop, kind in _stretches(recovery):
        colour, hatch = _REQUEST_LOOKS[kind]
        draw_stretch(
            axes, row, start, stop, 0.34, color=colour, hatch=hatch, edgecolor=palette.BLACK, linewidth=0.6
        )
    words = (
        f"back after {recovery.recovery_time:.2g} s, {recovery.lost_work} acknowledged requests lost, "
        f"{recovery.failed_requests} not answered"
    )
    axes.text(
        -17.6,
        row - 0.27,
        f"{words}; {recovery.work:.0f} × the work, {recovery.machines} machine{'s' * (recovery.machines > 1)} on",
        fontsize=9,
        bbox=on_white(),
    )
    return f"{recovery.mode}: {words}"


def _stretches(recovery: Recovery) -> list[tuple[float, float, str]]:
    """Join requests of the same fate: (from, to, fate), in seconds since the crash."""
    run = recovery.run
    (crash,) = (begin for _, begin, _ in run.trace.fault_intervals())
    stretches: list[tuple[float, float, str]] = []
    for op in run.history():
        if op.outcome == "unknown" and op.invoked + run.scenario.clients[0].timeout >= run.until:
            continue  # still open at the end
        kind = "not answered"
        if op.outcome == "ok":
            kind = "answered" if op.operation[1] in recovery.kept else "answered, then lost"
        moment = op.invoked - crash
        if stretches and stretches[-1][2] == kind:
            stretches[-1] = (stretches[-1][0], moment, kind)
        else:
            stretches.append((stretches[-1][1] if stretches else moment, moment, kind))
    return stretches


# ── Availability ──────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── The record of failures ────────────────────────────────────────────────────────────────────────────────────────────


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
