"""An exercise whose answer is one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dscourse.arguments import real
from dscourse.exercises._exercise import Exercise, Mistake, Unfit
from dscourse.exercises._learner_code import run_answer


class NumberExercise(Exercise):
    """A number to be found. Solution and mistakes are computed from their code, and answers are held against them.

    Args:
        name: "module.name", where the exercise stands.
        mistakes: typical ones; of several near an answer, the nearest speaks.
        otherwise: what is said to any other number; "{answer}" stands for it.
        tolerance: how far an answer may lie from the solution or from a mistake to be taken for it, relatively.
        accepts: the right answers, from … to …, where the tolerance would be too strict or too lax.
        **texts: the texts of every `Exercise`.

    Raises:
        ValueError: if a mistake would be taken for the solution, or for another mistake.
    """

    def __init__(
        self,
        name: str,
        *,
        mistakes: Sequence[Mistake],
        otherwise: str,
        tolerance: float = 1e-3,
        accepts: tuple[float, float] | None = None,
        **texts: Any,
    ) -> None:
        super().__init__(name, **texts)
        self._mistakes = tuple(mistakes)
        self._otherwise = otherwise
        self._tolerance = tolerance
        self._accepts = accepts
        self._right = real("the solution", run_answer(self.solution_code))
        self._values = [real("a mistake", run_answer(mistake.code)) for mistake in mistakes]
        if not self._is_right(self._right):
            raise ValueError(f"{name} does not accept its own solution, {self._right}")
        for place, (mistake, value) in enumerate(zip(mistakes, self._values, strict=True)):
            if self._is_right(value):
                raise ValueError(f"{name}: {mistake.code!r} gives {value}, which is right")
            if any(self._near(value, other) for other in self._values[:place]):
                raise ValueError(f"{name}: {mistake.code!r} gives {value}, as another mistake does")

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical mistakes that it knows."""
        return self._mistakes

    def _fault_in(self, answer: object) -> str | None:
        try:
            number = real("it", answer)
        except (TypeError, ValueError):
            raise Unfit from None
        if self._is_right(number):
            return None
        pairs = zip(self._values, self._mistakes, strict=True)
        near = [
            (abs(number - value), mistake.message) for value, mistake in pairs if self._near(number, value)
        ]
        return min(near)[1] if near else self._otherwise.format(answer=f"{number:.6g}")

    def _is_right(self, number: float) -> bool:
        if self._accepts is None:
            return self._near(number, self._right)
        low, high = self._accepts
        return low <= number <= high

    def _near(self, number: float, value: float) -> bool:
        return math.isclose(number, value, rel_tol=self._tolerance)
