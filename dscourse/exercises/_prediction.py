"""A prediction: a question before an experiment, committed to without an answer, and held against the run afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from dscourse import progress
from dscourse.arguments import shown
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._prediction_widget import PredictionWidget
from dscourse.exercises._prose import plain, rich


@dataclass(frozen=True)
class Expectation:
    """Something that may be expected, why somebody would, and the misconception behind it, if it has a name."""

    text: str
    explanation: str
    misconception: Misconception | None = None


@dataclass(frozen=True)
class Outcome:
    """A prediction held against the run.

    Attributes:
        result: what the run shows, in words.
        said: the expectation that is explained: the learner's own, or the right one.
        right: whether the run bears the learner out.
        others: what else may be expected, with its explanation.
        drawn: the prediction and the run as a drawing in SVG, where there is something to draw.
    """

    result: str
    said: Expectation
    right: bool
    others: tuple[Expectation, ...] = ()
    drawn: str = ""


@dataclass(frozen=True)
class Committed:
    """What is said to a commitment: what you expect, and that the run decides."""

    expected: str
    first: bool
    notice: str = ""

    def _lines(self) -> list[str]:
        said = (
            f"You expect: {self.expected}. The run decides."
            if self.first
            else f"What you expected first counts: {self.expected}. The run decides."
        )
        return [said, *([self.notice] if self.notice else [])]

    def __repr__(self) -> str:
        return "\n".join(plain(line) for line in self._lines())

    def _repr_html_(self) -> str:
        return "".join(f"<p>{rich(line)}</p>" for line in self._lines())


@dataclass(frozen=True)
class Comparison:
    """A prediction beside the result, why somebody would think so, and the other options on demand.

    Attributes:
        expected: what the learner had committed to, in words; empty without a commitment.
        outcome: what the run makes of it.
        name: how the prediction is called in the notebook.
        notice: something to know about where progress is kept, told once; mostly empty.
    """

    expected: str
    outcome: Outcome
    name: str
    notice: str = ""

    def _beside(self) -> tuple[str, str]:
        mine = f"You expected: {self.expected}." if self.expected else "You made no prediction."
        return mine, f"The run: {self.outcome.result}."

    @property
    def others(self) -> Others:
        """What else may be expected, and what is said to it."""
        return Others(self.outcome.others)

    def __repr__(self) -> str:
        lines = [*self._beside(), self.outcome.said.explanation]
        if self.outcome.others:
            lines.append(f"What else one may expect: {self.name}.compare(…).others")
        return "\n".join(plain(line) for line in [*lines, *([self.notice] if self.notice else [])])

    def _repr_html_(self) -> str:
        mine, run = self._beside()
        mark = " ✓" if self.expected and self.outcome.right else ""
        parts = [
            f"<p style='margin:0'><em>{rich(mine)}</em>{mark}<br><strong>{rich(run)}</strong></p>",
            self.outcome.drawn,
            f"<p style='margin:0.5em 0 0'>{rich(self.outcome.said.explanation)}</p>",
        ]
        if self.outcome.others:
            parts.append(
                f"<details><summary>What else one may expect</summary>{self.others._repr_html_()}</details>"
            )
        parts += [f"<p>{rich(self.notice)}</p>"] if self.notice else []
        frame = "border-left:3px solid currentColor;padding:0.2em 0 0.2em 0.8em;max-width:48em"
        return f"<div role='status' style='{frame}'>{''.join(parts)}</div>"


@dataclass(frozen=True)
class Others:
    """What else may be expected, each with what is said to it."""

    expectations: tuple[Expectation, ...]

    def __repr__(self) -> str:
        return "\n".join(plain(f"{one.text}: {one.explanation}", "  ") for one in self.expectations)

    def _repr_html_(self) -> str:
        return "".join(
            f"<p><em>{rich(one.text)}</em>: {rich(one.explanation)}</p>" for one in self.expectations
        )


class Prediction(ABC):
    """A question before an experiment.

    Its own cell shows it: with controls where the notebook can, otherwise as text. *Commit*, or `choose(…)` in code,
    records what is expected and tells nothing; the first commitment counts. After the run `compare(measured)` holds it
    against the result. Explanations leave Python with `compare` only, so neither a stored question nor the page gives
    anything away.

    Args:
        name: "module.name", where the prediction stands.
        question: what will happen?
    """

    kind: ClassVar[str]

    def __init__(self, name: str, *, question: str) -> None:
        self.name = name
        self.question = question
        self._widget: PredictionWidget | None = None

    # ── What a kind of prediction says ────────────────────────────────────────────────────────────────────────

    @property
    @abstractmethod
    def expectations(self) -> tuple[Expectation, ...]:
        """What may be expected, the right one first."""

    @abstractmethod
    def _entry(self, answer: Any) -> Any:
        """Return an answer in the form in which it is remembered; LookupError, TypeError or ValueError if it is none."""

    @abstractmethod
    def _words(self, entry: Any) -> str:
        """Return what was expected in words that fit behind "You expected:"."""

    @abstractmethod
    def _outcome(self, entry: Any | None, measured: Any) -> Outcome:
        """Hold what was expected (None: nothing) against what was measured."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Return what the page needs to draw the controls; nothing that tells the answer."""

    @abstractmethod
    def _static(self) -> list[str]:
        """Return, a line each, what there is to choose among."""

    @abstractmethod
    def _example(self) -> str:
        """Return an answer as it would be typed."""

    # ── What the learner does ─────────────────────────────────────────────────────────────────────────────────

    def choose(self, answer: Any) -> Committed:
        """Commit to an answer; it is remembered and nothing is told. The first commitment counts.

        Raises:
            LookupError, TypeError, ValueError: if it is no answer of this kind.
        """
        made = self._made()
        if made is not None:
            self._entry(answer)
            return Committed(self._words(made), first=False)
        entry = self._entry(answer)
        notice = progress.record_prediction(self.name, entry)
        if self._widget is not None:
            self._widget.tell(entry, self._words(entry), notice)
        return Committed(self._words(entry), first=True, notice=notice)

    def compare(self, measured: Any = None) -> Comparison:
        """Show the prediction beside what the run gave, and why somebody would think so.

        Raises:
            TypeError, ValueError: if `measured` is needed and is not of the kind predicted.
        """
        entry = self._made()
        outcome = self._outcome(entry, measured)
        notice = ""
        if entry is not None:
            notice = self._note(outcome)
        return Comparison(
            "" if entry is None else self._words(entry), outcome, self._short_name(), notice=notice
        )

    def _note(self, outcome: Outcome) -> str:
        """Remember which misconception was shown, or which are overcome, since the run bears the learner out."""
        if not outcome.right:
            return outcome.said.misconception.record_shown() if outcome.said.misconception else ""
        named = [one.misconception for one in self.expectations if one.misconception]
        return "".join([one.record_overcome() for one in named][:1])

    def _made(self) -> Any | None:
        """Return what was committed to, or None; what is no answer any more is no commitment."""
        entry = progress.predictions_made().get(self.name)
        try:
            return None if entry is None else self._entry(entry)
        except (LookupError, TypeError, ValueError):
            return None

    def _short_name(self) -> str:
        return f"exercises.{self.name.partition('.')[2]}"

    # ── How it is shown ───────────────────────────────────────────────────────────────────────────────────────

    def __repr__(self) -> str:
        lines = [plain(line, "   ") for line in self._static()]
        door = f"To commit without buttons: {self._short_name()}.choose({self._example()})"
        return "\n".join([plain(self.question), "", *lines, "", door])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{rich(line)}</li>" for line in self._static())
        style = "list-style:none;padding-left:1em"
        return f"<p><strong>Prediction.</strong> {rich(self.question)}</p><ul style='{style}'>{items}</ul>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.widget()._repr_mimebundle_()
        made = view[0] if isinstance(view, tuple) else (view or {})
        return {**made, "text/plain": repr(self), "text/html": self._repr_html_()}

    def widget(self) -> PredictionWidget:
        """Return the prediction as a widget; all its views show the same choice."""
        if self._widget is None:
            self._widget = PredictionWidget(
                question=self.question, kind=self.kind, settings=self._settings(), on_commit=self._hear
            )
            made = self._made()
            if made is not None:
                self._widget.tell(made, self._words(made), progress.problem())
            else:
                self._widget.notice = progress.problem()
        return self._widget

    def _hear(self, answer: Any) -> None:
        """Act on a commitment in the page; what no page of ours would send is ignored."""
        try:
            self.choose(answer)
        except (LookupError, TypeError, ValueError):
            return


def unfit(what: str, wanted: str, answer: object) -> str:
    """Return the one line that is said to what is no answer."""
    return f"{what} must be {wanted}, got {shown(answer)}"
