"""An exercise whose answer is a function, held against the solution over cases."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from dscourse.exercises._exercise import Exercise, Mistake, Unfit
from dscourse.exercises._learner_code import run_answer, told


@dataclass(frozen=True)
class _Raised:
    kind: type


@dataclass(frozen=True)
class _Other:
    """What a function returned where it should have returned a number, or a text."""

    value: object


class FunctionExercise(Exercise):
    """A function to be written. What solution and mistakes return over the cases is what an answer is held against.

    Args:
        name: "module.name", where the exercise stands.
        cases: the arguments of each call.
        mistakes: typical ones; one speaks if the answer does the same in every case, raising included.
        otherwise: what is said to any other answer, of the first case in which it differs: "{arguments}", "{given}" and
            "{right}" stand for what was given, returned and wanted.
        returns: `float` if it returns a number, `str` if a text.
        tolerance: how far two numbers may lie apart to count as the same, relatively.
        written: how `otherwise` writes what was returned.
        **texts: the texts of every `Exercise`.

    Raises:
        ValueError: if a mistake does what the solution does, or what another mistake does.
    """

    def __init__(
        self,
        name: str,
        *,
        cases: Sequence[tuple[Any, ...]],
        mistakes: Sequence[Mistake],
        otherwise: str,
        returns: type[float] | type[str] = float,
        tolerance: float = 1e-6,
        written: Callable[[Any], str] = told,
        **texts: Any,
    ) -> None:
        super().__init__(name, **texts)
        self._cases = cases
        self._mistakes = tuple(mistakes)
        self._otherwise = otherwise
        self._returns = returns
        self._tolerance = tolerance
        self._written = written
        self._right, error = self._outcomes(run_answer(self.solution_code))
        if error is not None:
            raise error
        self._values: list[list[object]] = []
        for mistake in mistakes:
            outcomes, _ = self._outcomes(run_answer(mistake.code))
            if self._same(outcomes, self._right):
                raise ValueError(f"{name}: {mistake.code!r} is right")
            if any(self._same(outcomes, other) for other in self._values):
                raise ValueError(f"{name}: {mistake.code!r} does what another mistake does")
            self._values.append(outcomes)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical mistakes that it knows."""
        return self._mistakes

    def _fault_in(self, answer: object) -> str | None:
        if not callable(answer):
            raise Unfit
        outcomes, error = self._outcomes(answer)
        if self._same(outcomes, self._right):
            return None
        for value, mistake in zip(self._values, self._mistakes, strict=True):
            if self._same(outcomes, value):
                return mistake.message
        if error is not None:
            raise error
        for case, outcome, right in zip(self._cases, outcomes, self._right, strict=True):
            arguments = f"({', '.join(map(told, case))})"
            if (
                outcome is None
                or isinstance(outcome, _Other)
                or (isinstance(outcome, float) and not math.isfinite(outcome))
            ):
                returned = outcome.value if isinstance(outcome, _Other) else outcome
                return (
                    f"The answer is {self.expects}. Called with {arguments}, yours returned {told(returned)}."
                )
            if not self._same([outcome], [right]):
                given, wanted = self._written(outcome), self._written(right)
                return self._otherwise.format(arguments=arguments, given=given, right=wanted)
        raise AssertionError("outcomes that differ differ somewhere")

    def _outcomes(self, function: Callable[..., object]) -> tuple[list[object], Exception | None]:
        """Return what a function returns in each case, and the first error that it raised."""
        outcomes: list[object] = []
        first = None
        for case in self._cases:
            try:
                outcomes.append(self._value(function(*copy.deepcopy(case))))
            except NotImplementedError:
                raise
            except Exception as error:  # noqa: BLE001 - raised anew unless it is a mistake that is known
                outcomes.append(_Raised(type(error)))
                first = first or error
        return outcomes, first

    def _value(self, returned: object) -> object:
        if returned is None:
            return None
        if self._returns is str:
            return str(returned) if isinstance(returned, str) else _Other(returned)
        if isinstance(returned, bool | np.timedelta64) or not isinstance(returned, Real):
            return _Other(returned)
        try:
            return float(returned)
        except OverflowError:
            return _Other(returned)

    def _same(self, some: list[object], others: list[object]) -> bool:
        return all(
            math.isclose(one, other, rel_tol=self._tolerance)
            if isinstance(one, float) and isinstance(other, float)
            else isinstance(one, str | _Raised | None) and one == other
            for one, other in zip(some, others, strict=True)
        )
