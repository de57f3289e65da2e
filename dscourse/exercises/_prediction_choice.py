"""A prediction that is one of a few options."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from dscourse.arguments import shown
from dscourse.exercises._learner_code import told
from dscourse.exercises._prediction import Expectation, Outcome, Prediction

_KEYS = "abcdefgh"


class ChoicePrediction(Prediction):
    """A question with options. Their order follows from the name alone, so that no place is the right one more often.

    Args:
        name: "module.name", where the prediction stands.
        question: what will happen?
        right: the option that the experiment will bear out, and what is said of it.
        wrong: the others, and why somebody would choose them.
    """

    kind = "choice"

    def __init__(self, name: str, *, question: str, right: Expectation, wrong: Sequence[Expectation]) -> None:
        super().__init__(name, question=question)
        self.right = right
        self._expectations = (right, *wrong)
        self.options = dict(zip(_KEYS, sorted(self._expectations, key=self._place), strict=False))

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What may be expected, the right one first."""
        return self._expectations

    def _place(self, option: Expectation) -> bytes:
        """Return where an option stands among the others: a digest of the name and its place in the source."""
        return hashlib.sha256(f"{self.name} {self._expectations.index(option)}".encode()).digest()

    def _entry(self, answer: Any) -> str:
        texts = {option.text for option in self._expectations}
        if isinstance(answer, str) and answer in texts:
            return answer
        wanted = answer.strip().lower() if isinstance(answer, str) else ""
        if wanted not in self.options:
            raise LookupError(f"there is no option {shown(answer)}; choose one of {', '.join(self.options)}")
        return self.options[wanted].text

    def _words(self, entry: Any) -> str:
        return str(entry)

    def _outcome(self, entry: Any | None, measured: Any) -> Outcome:
        result = self.right.text if measured is None else f"{self.right.text} (measured: {written(measured)})"
        chosen = next((option for option in self._expectations if option.text == entry), self.right)
        others = tuple(option for option in self.options.values() if option is not chosen)
        return Outcome(result, said=chosen, right=entry is not None and chosen is self.right, others=others)

    def _settings(self) -> dict[str, Any]:
        return {"options": [[key, option.text] for key, option in self.options.items()]}

    def _static(self) -> list[str]:
        return [f"{key}) {option.text}" for key, option in self.options.items()]

    def _example(self) -> str:
        return repr(next(iter(self.options)))


def written(measured: Any) -> str:
    """Return what was measured as it is to be read: floats in three digits."""
    return f"{measured:.3g}" if isinstance(measured, float) else told(measured)
