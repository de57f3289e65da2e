"""Pictures of notebook 06's histories: operations over time, what can't be placed, and a history made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.axes import Axes

from dscourse.arguments import instance, one_of
from dscourse.consistency import (
    CONSISTENCY_MODELS,
    SESSION_GUARANTEES,
    History,
    HistoryVerdict,
    Operation,
    check_all,
    history_from_text,
    separating_example,
    text_of_history,
)
from dscourse.simulation import Run
from dscourse.views import palette
from dscourse.views.axes import draw_stretch, given_or_new, named_rows, new_figure, tidy
from dscourse.views.picture import Picture, with_still
from dscourse.views.player.fault_intervals import bands
from dscourse.views.settings import default_settings
from dscourse.views.shown import let_go_of_earlier

_HERE = Path(__file__).parent
_NO_VERDICT = HistoryVerdict("ok", "")
_MARKS = {"ok": "✓ allowed", "illegal": "✗ not allowed", "unknown": "? not decided"}
_LETTERS = {"write": "w", "put": "w", "read": "r", "get": "r"}


# ── A history over time ───────────────────────────────────────────────────────────────────────────────────────


@default_settings
def draw_history(
    history: History | Run,
    verdict: HistoryVerdict = _NO_VERDICT,
    *,
    run: Run | None = None,
    between: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Picture:
    """Draw the operations of each process as bars from call to return, under the faults of the run they come from.

    Writes are filled and reads are white; what may still take effect at any time is open at its end. What a verdict
    says can't be placed is hatched and marked ✗; the operations that decide have a thick frame.

    Args:
        history: what clients asked and were told; of a run, it is made from it.
        verdict: of a checker; without it nothing is marked.
        run: whose faults are drawn.
        between: seconds from and to; by default all.
        ax: axes to draw on.
    """
    instance("history", history, History | Run, "a History or a run, such as History.from_run(run)")
    instance("verdict", verdict, HistoryVerdict, "a verdict, such as check_linearizable(history, Register())")
    if isinstance(history, Run):
        return draw_history(History.from_run(history), verdict, run=history, between=between, ax=ax)
    last = max((one.start if one.end is None else one.end for one in history), default=0.0)
    first = 0.0 if run is not None else min((one.start for one in history), default=0.0)
    begin, end = between or (first, 1.04 * last + 0.01)
    shown = [one for one in history if one.start < end and one.returned > begin]
    rows = _rows(one.process for one in shown)
    faults = (
        []
        if run is None
        else [band for band in bands(run) if band.begin < 1e6 * end and band.end > 1e6 * begin]
    )
    axes = given_or_new(ax, 8.0, 1.1 + 0.42 * (len(rows) + len(faults)))
    for one in shown:
        _draw_operation(axes, one, len(faults) + rows[one.process], begin, end, verdict)
    for row, band in enumerate(faults):
        left, right = max(begin, band.begin / 1e6), min(end, band.end / 1e6)
        draw_stretch(
            axes,
            row,
            left,
            max(right, left + 0.004 * (end - begin)),
            0.55,
            color=palette.VERMILION,
            alpha=0.35,
        )
    named_rows(axes, [*(band.label for band in faults), *map(str, rows)], 0.6, 0.6, fontsize=9)
    axes.set_xlim(begin, end)
    axes.set_xlabel("time (s)" if run is not None else "time")
    words = f"{len(shown)} operations of {len(rows)} processes"
    if faults:
        words += f", under {len(faults)} fault{'s' * (len(faults) > 1)}"
    told = f" {verdict.explanation}" if verdict.explanation else ""
    return Picture(axes, f"A history over time: {words}.{told}")


def _rows(processes: Any) -> dict[Any, int]:
    names = sorted(set(processes), key=lambda one: (str(type(one)), one))
    return {process: row for row, process in enumerate(names)}


def _draw_operation(
    axes: Axes, one: Operation, row: int, begin: float, end: float, verdict: HistoryVerdict
) -> None:
    is_open = one.returned > end
    right = end if is_open else one.returned
    culprit = verdict.culprit == one
    look: dict[str, Any] = {
        "facecolor": palette.YELLOW if culprit else "white" if one.is_read else palette.SKY,
        "edgecolor": palette.VERMILION if culprit or one in verdict.deciding else palette.BLACK,
        "linewidth": 2.4 if culprit or one in verdict.deciding else 0.9,
        "linestyle": "--" if one.outcome == "unknown" else ":" if one.outcome == "fail" else "-",
    }
    left = max(begin, one.start)
    draw_stretch(axes, row, left, max(right, left + 0.006 * (end - begin)), 0.62, **look)
    label = ("✗ " if culprit else "") + _label(one)
    fits = right - left > 0.009 * len(label) * (end - begin)
    at_the_end = left > begin + 0.9 * (end - begin)
    axes.annotate(
        label, (left, row) if fits else (right if at_the_end else left, row - 0.31), (3, 0) if fits else (0, 1),
        textcoords="offset points", va="center" if fits else "bottom", ha="right" if at_the_end else "left",
        fontsize=8, fontweight="bold" if culprit else "normal",
    )  # fmt: skip


def _label(one: Operation) -> str:
    value = (
        "–"
        if one.value is None
        else f"{one.value[0]}→{one.value[1]}"
        if one.operation == "cas"
        else one.value
    )
    key = "" if one.key is None else f"{one.key}="
    text = f"{_LETTERS.get(one.operation, one.operation)} {key}{value}"
    return text if len(text) <= 16 else f"{text[:15]}…"


# ── Which example tells which two models apart ────────────────────────────────────────────────────────────────


@default_settings
def draw_model_matrix(ax: Axes | None = None) -> Picture:
    """Draw for every two models the shortest example that the one allows and the other doesn't, as checked."""
    names = CONSISTENCY_MODELS
    axes = given_or_new(ax, 9.6, 4.4)
    axes.grid(visible=False)
    found = np.array([[separating_example(one, other) is not None for other in names] for one in names])
    axes.imshow(np.where(found, 1.0, 0.0), cmap="Greys", vmin=0, vmax=6, aspect="auto")
    told = []
    for row, one in enumerate(names):
        for column, other in enumerate(names):
            example = separating_example(one, other)
            if example is not None:
                told.append(f"{one} but not {other}: {example}")
            words = "" if one == other else "none" if example is None else _in_lines(example)
            axes.text(
                column,
                row,
                words,
                ha="center",
                va="center",
                fontsize=7,
                color=palette.BLACK if example else palette.GREY,
            )
    axes.set_xticks(range(len(names)), [_in_lines(f"but not {name}") for name in names], fontsize=8)
    axes.set_yticks(range(len(names)), [f"allowed by {name}" for name in names], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    return Picture(axes, f"Histories that one model allows and another doesn't: {'; '.join(told)}.")


def _in_lines(words: str, width: int = 15) -> str:
    lines = [""]
    for word in words.split():
        if len(lines[-1]) + len(word) > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


# ── A history made by hand ────────────────────────────────────────────────────────────────────────────────────


class HistoryEditor(anywidget.AnyWidget):
    """A history in the learner's hands, and what all models say of it; made by `explore_models`.

    Attributes:
        text: the history as text; set it to show another.
        reached: whether it is what was asked for.
    """

    _esm = (_HERE / "history_editor.js").read_text(encoding="utf-8")
    _css = (_HERE / "history_editor.css").read_text(encoding="utf-8")
    text = traitlets.Unicode("").tag(sync=True)
    verdicts = traitlets.Unicode("[]").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    goal = traitlets.Unicode("").tag(sync=True)
    reached = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)

    def __init__(self, history: History, allowed: str | None, forbidden: str | None) -> None:
        self._history = history
        self._verdicts: dict[str, HistoryVerdict] = {}
        self._wanted = (allowed, forbidden)
        super().__init__(text=text_of_history(history), goal=_goal(allowed, forbidden))
        self._judge()
        self.observe(self._judge, "text")

    def __repr__(self) -> str:
        words = "; ".join(
            f"{name}: {_MARKS[verdict.outcome][2:]}" for name, verdict in self._verdicts.items()
        )
        return f"A history of {len(self._history)} operations by hand. {words}."

    @property
    def history(self) -> History:
        """The history that is shown, or was the last that could be judged."""
        return self._history

    @property
    def results(self) -> dict[str, HistoryVerdict]:
        """What each model says of it."""
        return dict(self._verdicts)

    def _judge(self, _change: Any = None) -> None:
        problem, told = "", "[]"
        try:
            history = history_from_text(self.text)
            verdicts = check_all(history)
        except (ValueError, LookupError, TypeError) as error:
            problem = str(error.args[0])
        else:
            self._history, self._verdicts = history, verdicts
            places = _places(self.text)
            told = json.dumps([_told(name, one, places) for name, one in verdicts.items()])
        allowed, forbidden = self._wanted
        with self.hold_sync():
            self.verdicts, self.problem = told, problem
            self.reached = (
                not problem
                and bool(allowed or forbidden)
                and (
                    (allowed is None or bool(self._verdicts[allowed]))
                    and (forbidden is None or self._verdicts[forbidden].outcome == "illegal")
                )
            )
            self.answered += 1

    def picture(self) -> Picture:
        """Return a still picture of the history and the tree of models, for places where no widget can live."""
        figure = new_figure(9.6, 1.6 + 0.4 * max(4, len({one.process for one in self._history})))
        left, right = figure.subplots(1, 2, width_ratios=(3, 1.4))
        strongest = next((one for one in reversed(self._verdicts.values()) if not one), _NO_VERDICT)
        still = draw_history(self._history, strongest, ax=left)
        _draw_tree(tidy(right), self._verdicts)
        return Picture(figure, f"{still.alt} {self!r}")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        let_go_of_earlier(self)
        return with_still(super()._repr_mimebundle_(**kwargs), self.picture())


def explore_models(
    history: History | str = "a write x=1 0-1\nb read x=1 2-3",
    *,
    allowed: str | None = None,
    forbidden: str | None = None,
) -> HistoryEditor:
    """Put a history of reads and writes into the learner's hands; all consistency models answer at once.

    Operations are dragged, or moved by keys, or written as text. A model that doesn't allow the history shows the
    operations that decide.

    Args:
        history: to begin with; as text, "a write x=1 0-1; b read x=- 2-3".
        allowed: a model, one of `CONSISTENCY_MODELS`, that the history is to keep.
        forbidden: a model that it is to break.

    Returns:
        A widget. Its ``history`` is the one shown, its ``results`` are the verdicts, its ``reached`` says whether it is
        what was asked for.
    """
    for name, value in (("allowed", allowed), ("forbidden", forbidden)):
        if value is not None:
            one_of(name, value, CONSISTENCY_MODELS)
    given = history_from_text(history) if isinstance(history, str) else history
    return HistoryEditor(instance("history", given, History, "a History, or one as text"), allowed, forbidden)


def _goal(allowed: str | None, forbidden: str | None) -> str:
    wanted = (
        [f"is {allowed}" if allowed not in SESSION_GUARANTEES else f"keeps “{allowed}”"] if allowed else []
    )
    wanted += (
        [f"is not {forbidden}" if forbidden not in SESSION_GUARANTEES else f"breaks “{forbidden}”"]
        if forbidden
        else []
    )
    return f"Make a history that {' and '.join(wanted)}." if wanted else ""


def _places(text: str) -> dict[Operation, int]:
    """The line of each operation, as the browser counts them."""
    lines = [part for part in text.replace(";", "\n").splitlines() if part.strip()]
    return {history_from_text(line).operations[0]: place for place, line in enumerate(lines)}


def _told(name: str, verdict: HistoryVerdict, places: dict[Operation, int]) -> dict[str, Any]:
    return {
        "name": name,
        "outcome": verdict.outcome,
        "explanation": verdict.explanation,
        "culprit": None if verdict.culprit is None else places[verdict.culprit],
        "deciding": [places[one] for one in verdict.deciding],
    }


def _draw_tree(axes: Axes, verdicts: dict[str, HistoryVerdict]) -> None:
    """Draw the models from strong to weak, each with what it says."""
    axes.set(xlim=(0, 1), ylim=(len(verdicts) - 0.4, -0.6), xticks=[], yticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(visible=False)
    for row, (name, verdict) in enumerate(reversed(verdicts.items())):
        colour = {"ok": palette.GREEN, "illegal": palette.VERMILION}.get(verdict.outcome, palette.GREY)
        indent = 0.0 if row < 3 else 0.08
        axes.text(
            indent, row, _MARKS[verdict.outcome][0], color=colour, va="center", fontweight="bold", fontsize=9
        )
        axes.text(indent + 0.08, row, name, va="center", fontsize=9)
