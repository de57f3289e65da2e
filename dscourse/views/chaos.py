"""Pictures of notebook 12: a day of the shop, the game day with its dials, three designs on one day, and lanes."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
from matplotlib.axes import Axes

from dscourse.chaos import INCIDENTS, NAIVE, DayResult, Design, GameDay, Naming
from dscourse.chaos.design import REPAIRS, RETRIES, SCALING, STORES
from dscourse.chaos.game_day import IN_TIME
from dscourse.simulation import Crash, Run
from dscourse.views import palette
from dscourse.views.axes import bar_style, given_or_new, legend_above, line_style, new_figure, tidy
from dscourse.views.debounce import Debounce
from dscourse.views.interactive import LivePicture
from dscourse.views.picture import Picture, png_bytes, shown_width, with_still
from dscourse.views.player import lanes
from dscourse.views.player.lanes import Lane, Points
from dscourse.views.settings import default_settings
from dscourse.views.shown import let_go_of_earlier

# ── Over time ─────────────────────────────────────────────────────────────────────────────────────────────────


def _at_work(run: Run, letter: str) -> Points:
    """Return for how much of each second, in percent, the busiest server ("s") or copy ("d") was occupied."""
    most: dict[int, float] = {}
    for event in run.trace.select(kind="record", name="load"):
        if event.node and event.node[0] == letter:
            second = round(event.time)
            most[second] = max(most.get(second, 0.0), 100.0 * event.detail["occupied"])
    return [(float(second - 1), most.get(second)) for second in range(1, round(run.until) + 1)]


def shop_lanes() -> tuple[Lane, ...]:
    """Return what a player shows below a day of the shop: orders in time, the busiest server, the busiest copy."""
    return (
        lanes.goodput(IN_TIME),
        Lane("busiest server occupied", "%", lambda run, _: _at_work(run, "s")),
        Lane("busiest copy occupied", "%", lambda run, _: _at_work(run, "d")),
    )


def _by_second(result: DayResult) -> tuple[list[int], list[int]]:
    """Return the orders of each second that went well, and those that didn't."""
    seconds = round(result.day.rules.seconds)
    good, bad = [0] * seconds, [0] * seconds
    for order in result.orders:
        well = order.outcome == "ok" and order.latency <= IN_TIME
        (good if well else bad)[int(order.invoked)] += 1
    return good, bad


@default_settings
def draw_day(result: DayResult, ax: Axes | None = None) -> Picture:
    """Show what became of the orders of each second, and how busy the busiest server and copy were."""
    if ax is not None:
        axes = given_or_new(ax)
        below = None
    else:
        figure = new_figure(7.6, 3.9)
        axes, below = (tidy(one) for one in figure.subplots(2, 1, sharex=True, height_ratios=(3, 2)))
    good, bad = _by_second(result)
    seconds = range(len(good))
    axes.bar(seconds, good, width=1.0, align="edge", label=f"in {IN_TIME:g} s", **bar_style(0))
    axes.bar(
        seconds, bad, width=1.0, align="edge", bottom=good, label="late or no answer",
        color=palette.VERMILION, hatch="xx", edgecolor="white",
    )  # fmt: skip
    axes.set(ylabel="orders a second", xlim=(0, len(good)))
    legend_above(axes)
    if below is not None:
        for place, (letter, name) in enumerate((("s", "busiest server"), ("d", "busiest copy of the store"))):
            points = [(at, value) for at, value in _at_work(result.run, letter) if value is not None]
            if points:
                below.plot(
                    *zip(*points, strict=True), drawstyle="steps-post", label=name, **line_style(place)
                )
        below.set(ylabel="% occupied", xlabel="seconds of the day", ylim=(0, 105), yticks=(0, 50, 100))
        legend_above(below)
    else:
        axes.set_xlabel("seconds of the day")
    troubles = "; ".join(f"{one.begin:g} to {one.end:g} s: {one.failed} orders" for one in result.trouble)
    return Picture(axes, f"The orders of a day, second by second. {result!r}. Trouble: {troubles or 'none'}.")


@default_settings
def draw_compared(results: Mapping[str, DayResult], ax: Axes | None = None) -> Picture:
    """Show designs on the same day: orders answered in time over the seconds, and the numbers of each beside it.

    Args:
        results: {name: result}, all of the same day.
        ax: draw only the first on these axes.
    """
    shown = list(results.items())[: 1 if ax is not None else None]
    figure = new_figure(8.6, 1.25 * len(shown) + 0.75)
    made = (
        [given_or_new(ax)]
        if ax is not None
        else figure.subplots(len(shown), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    )
    words = []
    for place, ((name, result), axes) in enumerate(zip(shown, made, strict=True)):
        tidy(axes)
        good, bad = _by_second(result)
        axes.step(range(len(good)), [g + b for g, b in zip(good, bad, strict=True)], where="post",
                  color=palette.GREY, linestyle=":", linewidth=1, label="asked")  # fmt: skip
        axes.step(range(len(good)), good, where="post", label="answered in time", **line_style(0))
        for fault, begin, end in result.run.trace.fault_intervals():
            if isinstance(fault, Crash):
                axes.axvspan(begin, end, color=palette.LIGHT_GREY, alpha=0.12, linewidth=0)
        told = (
            f"{result.taken} of {len(result.orders)} taken\n{result.lost} lost, {result.sold_twice} sold twice\n"
            f"p99 {result.p99:.2f} s, bill {result.bill:g}"
        )
        axes.text(1.02, 0.5, f"{name}\n{told}", transform=axes.transAxes, va="center", fontsize=9)
        axes.set(xlim=(0, len(good)), ylabel="orders/s" if place == len(shown) // 2 else "")
        words.append(f"{name}: {told}".replace("\n", ", "))
    legend_above(made[0])
    made[-1].set_xlabel("seconds; grey: a part of it is dark")
    return Picture(made[0], f"{len(shown)} designs on the same day. {'. '.join(words)}.")


# ── The game day ──────────────────────────────────────────────────────────────────────────────────────────────

_WORDS = {
    "zones": "zones",
    "servers": "servers",
    "copies": "copies of the store",
    "store": "who sells",
    "detection": "detection (s)",
    "careful_elections": "careful elections",
    "retries": "retries",
    "order_keys": "orders have keys",
    "shedding": "shed load",
    "scaling": "servers switched on",
    "repair": "repair",
}


def _dials(design: Design) -> dict[str, widgets.ValueWidget]:
    """Return one control for each choice of a design."""
    value = {name: getattr(design, name) for name in _WORDS}

    def slider(name: str, low: int, high: int) -> widgets.ValueWidget:
        return widgets.IntSlider(value[name], min=low, max=high)

    def choice(name: str, options: tuple[str, ...]) -> widgets.ValueWidget:
        return widgets.Dropdown(options=options, value=value[name])

    def switch(name: str) -> widgets.ValueWidget:
        return widgets.Checkbox(value[name], indent=False)

    made = {
        "zones": slider("zones", 1, 3),
        "servers": slider("servers", 1, 16),
        "copies": slider("copies", 1, 7),
        "store": choice("store", STORES),
        "detection": widgets.FloatSlider(
            value["detection"], min=0.5, max=10.0, step=0.1, readout_format=".1f"
        ),
        "careful_elections": switch("careful_elections"),
        "retries": choice("retries", RETRIES),
        "order_keys": switch("order_keys"),
        "shedding": switch("shedding"),
        "scaling": choice("scaling", SCALING),
        "repair": choice("repair", REPAIRS),
    }
    for name, control in made.items():
        control.description = _WORDS[name]
        control.style.description_width = "initial"
        wide = isinstance(control, widgets.IntSlider | widgets.FloatSlider)
        control.layout.width = "20em" if wide else "auto"
    return made


class GameDayLab(widgets.VBox):
    """A game day with a dial for each choice; see `lab_game_day`.

    Attributes:
        dials: the controls by the name of the choice.
        result: of the design that was played last.
        results: of all that were played, in order.
        naming: what the learner took the incidents for; None as long as nobody has said.
    """

    def __init__(self, day: GameDay, design: Design) -> None:
        self.day = day
        self.dials = _dials(design)
        self.results: list[DayResult] = []
        self.naming: Naming | None = None
        self._picture = LivePicture()
        self._words, self._told = widgets.HTML(), widgets.HTML()
        self.play_button = widgets.Button(description="Play the day", button_style="primary")
        self.play_button.on_click(lambda _: self.play())
        self.guesses = [
            widgets.Dropdown(options=["?", *INCIDENTS], description="it was")
            for _ in range(day.rules.incidents)
        ]
        self.name_button = widgets.Button(description="Name", disabled=True)
        self.name_button.on_click(lambda _: self.name())
        wrap = widgets.Layout(flex_flow="row wrap", grid_gap="0 1.2em")
        panel = widgets.Box(list(self.dials.values()), layout=wrap)
        naming = widgets.Box([*self.guesses, self.name_button], layout=wrap)
        self.play()
        self._debounce = Debounce(self._show)
        for dial in self.dials.values():
            dial.observe(self._debounce.changed, names="value")
        super().__init__([panel, self.play_button, self._words, self._picture, naming, self._told])

    def __repr__(self) -> str:
        return f"{self.day!r}, played {len(self.results)} times. {self.result!r}"

    @property
    def design(self) -> Design:
        """What the dials say."""
        return Design(**{name: control.value for name, control in self.dials.items()})

    @property
    def result(self) -> DayResult:
        """Of the design that was played last."""
        return self.results[-1]

    def play(self) -> None:
        """Play the day with the design that the dials say."""
        self.play_button.disabled = True
        try:
            result = self.day.play(self.design)
            self.results.append(result)
            self._drawn = draw_day(result)
            self._drawn.figure.draw_without_rendering()
            self._drawn.figure.set_layout_engine("none")  # what follows a dial must be quick
            self._show()
            self._words.value = self._describe(result)
            self.name_button.disabled = len(self.results) < 2
        finally:
            self.play_button.disabled = False

    def _show(self) -> None:
        """Show the day that was played, and above it what the dials say now, if that has not been played."""
        plan = self.design
        is_new = plan != self.result.design
        bill = f"{plan.bill(plan.servers):.1f} of {self.day.rules.budget:g}"
        note = f"Not played yet: a design for at most {bill}" if is_new else ""
        self._drawn.figure.axes[0].set_title(note, loc="right", fontsize=9)
        with self._picture.hold_sync():
            said = f" The dials say {plan!r}, for at most {bill}: not played yet." if is_new else ""
            self._picture.alt, self._picture.caption = self._drawn.alt + said, self._drawn.caption
            self._picture.width = shown_width(self._drawn.figure)
            self._picture.png = png_bytes(self._drawn.figure)

    def name(self) -> None:
        """Say what it was, and be told."""
        named = [guess.value for guess in self.guesses if guess.value != "?"]
        if named:
            self.naming = self.day.name_incidents(*named)
            lines = [f"<b>{self.naming.right} of {len(self.naming.were)} named.</b>"]
            lines += [
                f'<a href="{one.source}" target="_blank">{html.escape(one.name)}</a>. {html.escape(one.model)}'
                for one in self.naming.were
            ]
            self._told.value = "<br>".join(lines)

    def _describe(self, result: DayResult) -> str:
        first = self.results[0]
        lines = [f"<b>{html.escape(repr(result))}</b>"]
        if len(self.results) > 1:
            lines.append(f"The design of the beginning had {first.score} points.")
        for one in result.trouble[:4]:
            seen = "; ".join(one.hints) or "nothing remarkable"
            lines.append(f"{one.begin:g}–{one.end:g} s, {one.failed} orders: {html.escape(seen)}.")
        return "<br>".join(lines)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        let_go_of_earlier(self)
        return with_still(super()._repr_mimebundle_(**kwargs), draw_day(self.result))


def lab_game_day(level: int = 1, seed: int = 1, design: Design | None = None) -> GameDayLab:
    """Let the learner set the dials of a design, play a hidden day with it, see what went wrong, and name it.

    Args:
        level: 1, 2 or 3.
        seed: which day.
        design: to begin with; by default the naive one, whose score is the one to beat.
    """
    return GameDayLab(GameDay(level, seed), NAIVE if design is None else design)
