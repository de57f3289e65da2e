"""A misconception: what many believe at first, by a name that predictions, exercises and nodes share."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse import progress


@dataclass(frozen=True)
class Misconception:
    """What many believe at first.

    Attributes:
        name: "module.name", as for predictions.
        belief: the belief, in a sentence.
        question: one question on it, asked again later.
        answer: its answer.
    """

    name: str
    belief: str
    question: str
    answer: str

    @property
    def module(self) -> str:
        """The exercise module of its notebook."""
        return self.name.partition(".")[0]

    def record_shown(self) -> str:
        """Remember that an answer of the learner's showed it; return what to know about the file, mostly nothing."""
        return progress.record_misconception(self.name, overcome=False)

    def record_overcome(self) -> str:
        """Remember that it was overcome, if it had been shown; return what to know about the file, mostly nothing."""
        if self.name not in progress.misconceptions_shown():
            return ""
        return progress.record_misconception(self.name, overcome=True)
