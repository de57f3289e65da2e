"""A prediction: a question before an experiment, answered by choosing and committing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dscourse import progress
from dscourse.arguments import shown
from dscourse.exercises._prediction_widget import PredictionWidget
from dscourse.exercises._prose import plain, rich


@dataclass(frozen=True)
class Option:
    """An option of a prediction, and what is said to whoever has committed to it."""

    text: str
    explanation: str


@dataclass(frozen=True)
class Explanation:
    """What is said to a learner who has committed to an option."""

    key: str
    text: str
    explanation: str
    notice: str = ""

    def __repr__(self) -> str:
        lines = [plain(f"You chose {self.key}) {self.text}", "   "), plain(self.explanation)]
        return "\n".join([*lines, plain(self.notice)] if self.notice else lines)

    def _repr_html_(self) -> str:
        notice = f"<p>{rich(self.notice)}</p>" if self.notice else ""
        return f"<p>You chose {rich(self.key)}) {rich(self.text)}</p><p>{rich(self.explanation)}</p>{notice}"


class Prediction:
    """A question with options; each option is explained once the learner has committed to one.

    Its own cell shows it: with buttons where the notebook can, otherwise as text with question and options. The
    explanations leave Python only after a commitment, so a stored notebook gives nothing away. Without buttons,
    `choose("b")` commits.

    Args:
        name: "module.name", where the prediction stands.
        question: what will happen?
        options: by key ("a", "b", …), at least two.
        right: the key of the option that the experiment will bear out.
    """

    def __init__(self, name: str, *, question: str, options: Mapping[str, Option], right: str) -> None:
        self.name = name
        self.question = question
        self.options = options
        self.right = right
        self._widget: PredictionWidget | None = None

    def choose(self, key: str) -> Explanation:
        """Commit to an option and read what is said to it. The first commitment is the one remembered.

        Raises:
            LookupError: if there is no such option.
        """
        wanted = key.strip().lower() if isinstance(key, str) else ""
        if wanted not in self.options:
            raise LookupError(f"there is no option {shown(key)}; choose one of {', '.join(self.options)}")
        notice = progress.record_prediction(self.name, wanted)
        option = self.options[wanted]
        if self._widget is not None:
            self._widget.tell(wanted, {wanted: option.explanation}, notice)
        return Explanation(wanted, option.text, option.explanation, notice)

    def __repr__(self) -> str:
        options = [plain(f"{key}) {option.text}", "   ") for key, option in self.options.items()]
        door = f"To commit without buttons: exercises.{self.name.partition('.')[2]}.choose({next(iter(self.options))!r})"
        return "\n".join([plain(self.question), "", *options, "", door])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{rich(f'{key}) {option.text}')}</li>" for key, option in self.options.items())
        style = "list-style:none;padding-left:1em"
        return f"<p><strong>Prediction.</strong> {rich(self.question)}</p><ul style='{style}'>{items}</ul>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.widget()._repr_mimebundle_()
        shown = view[0] if isinstance(view, tuple) else (view or {})
        return {**shown, "text/plain": repr(self), "text/html": self._repr_html_()}

    def widget(self) -> PredictionWidget:
        """Return the prediction as a widget; all its views show the same choice."""
        if self._widget is None:
            self._widget = PredictionWidget(
                question=self.question,
                options=[[key, option.text] for key, option in self.options.items()],
                on_commit=self.choose,
                on_others=self._explain_all,
            )
            self._restore(self._widget)
        return self._widget

    def _explain_all(self) -> None:
        widget = self.widget()
        if widget.committed:
            explanations = {key: option.explanation for key, option in self.options.items()}
            widget.tell(widget.committed, explanations, "")

    def _restore(self, widget: PredictionWidget) -> None:
        widget.notice = progress.problem()
        key = progress.predictions_made().get(self.name, "")
        if key in self.options:
            widget.tell(key, {key: self.options[key].explanation}, "")
