"""A prediction that is a number on a scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from dscourse.arguments import real
from dscourse.exercises._prediction import Expectation, Outcome, Prediction, unfit


class NumberPrediction(Prediction):
    """A number on a scale, held against the number that the run gives.

    Args:
        name: "module.name", where the prediction stands.
        question: which number will come out?
        scale: from … to ….
        step: how far apart two numbers on the scale are.
        unit: what follows the number, such as "s" or "of the keys".
        near: how far a prediction may lie from the result, or from a typical one, to be taken for it, on this scale.
        right: what is said to who comes near the result, or predicted nothing.
        typical: what is said to other typical predictions, by their value.
        otherwise: what is said to any other.

    Raises:
        ValueError: if two typical predictions would be taken for each other.
    """

    kind = "number"

    def __init__(
        self,
        name: str,
        *,
        question: str,
        scale: tuple[float, float],
        step: float,
        near: float,
        right: str,
        typical: Mapping[float, Expectation],
        otherwise: str,
        unit: str = "",
    ) -> None:
        super().__init__(name, question=question)
        self.scale = scale
        self.step = step
        self.unit = unit
        self.near = near
        self._right = Expectation("what the run shows", right)
        self.typical = dict(typical)
        self._otherwise = Expectation("another number", otherwise)
        values = sorted(self.typical)
        if any(high - low <= near for low, high in pairwise(values)):
            raise ValueError(f"{name}: two of {values} would be taken for each other")

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What may be expected, the right one first."""
        return (self._right, *self.typical.values())

    def _entry(self, answer: Any) -> float:
        low, high = self.scale
        number = float(real("the prediction", answer))
        if not low <= number <= high:
            raise ValueError(unfit("the prediction", f"from {low:g} to {high:g}", answer))
        return number

    def _words(self, entry: Any) -> str:
        return f"{entry:.4g} {self.unit}".rstrip()

    def _outcome(self, entry: Any | None, measured: Any) -> Outcome:
        result = float(real("measured", measured))
        words = self._words(result)
        if entry is None or self._is_near(entry, result):
            others = tuple(
                replace(one, text=self._words(value))
                for value, one in self.typical.items()
                if not self._is_near(value, result)
            )
            return Outcome(words, said=self._right, right=entry is not None, others=others)
        close = [value for value in self.typical if self._is_near(value, entry)]
        said = self.typical[min(close, key=lambda value: abs(value - entry))] if close else self._otherwise
        others = tuple(
            replace(one, text=self._words(v)) for v, one in self.typical.items() if one is not said
        )
        return Outcome(
            words, said=said, right=False, others=(Expectation(words, self._right.explanation), *others)
        )

    def _is_near(self, one: float, other: float) -> bool:
        return abs(one - other) <= self.near or math.isclose(one, other)

    def _settings(self) -> dict[str, Any]:
        return {"low": self.scale[0], "high": self.scale[1], "step": self.step, "unit": self.unit}

    def _static(self) -> list[str]:
        return [f"A number from {self.scale[0]:g} to {self.scale[1]:g} {self.unit}".rstrip() + "."]

    def _example(self) -> str:
        return f"{self.scale[0]:g}"
