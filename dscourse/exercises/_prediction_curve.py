"""A prediction that is a curve: its points are dragged to where they are expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.arguments import real
from dscourse.exercises._prediction import Expectation, Outcome, Prediction, unfit
from dscourse.exercises._prose import escaped
from dscourse.readable import readable_number

_WIDE, _TALL, _LEFT, _LOW = 380, 200, 46, 34


class CurvePrediction(Prediction):
    """A value at each of a few places, held against the values that the run gives there.

    Args:
        name: "module.name", where the prediction stands.
        question: how will the curve run?
        at: the places, in order; they are drawn at equal distances.
        scale: the values, from … to ….
        step: how far an arrow key moves a point.
        across, along: what stands at the two axes.
        near: how far a value may lie from the result to count as right, on this scale.
        right: what is said if all values come near the result, or nothing was predicted.
        otherwise: what is said to any other curve.
    """

    kind = "curve"

    def __init__(
        self,
        name: str,
        *,
        question: str,
        at: Sequence[float],
        scale: tuple[float, float],
        step: float,
        across: str,
        along: str,
        near: float,
        right: str,
        otherwise: Expectation,
    ) -> None:
        super().__init__(name, question=question)
        self.at = tuple(at)
        self.scale = scale
        self.step = step
        self.across = across
        self.along = along
        self.near = near
        self._right = Expectation("the curve of the run", right)
        self._otherwise = otherwise

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What may be expected, the right one first."""
        return (self._right, self._otherwise)

    def _entry(self, answer: Any) -> list[float]:
        low, high = self.scale
        values = self._values("the prediction", answer)
        if not all(low <= value <= high for value in values):
            raise ValueError(unfit("the prediction", f"from {low:g} to {high:g} at each place", answer))
        return values

    def _values(self, what: str, answer: Any) -> list[float]:
        try:
            values = list(answer)
        except TypeError:
            raise TypeError(unfit(what, f"{len(self.at)} numbers", answer)) from None
        if len(values) != len(self.at):
            raise ValueError(unfit(what, f"{len(self.at)} numbers", answer))
        return [float(real(what, value)) for value in values]

    def _words(self, entry: Any) -> str:
        return ", ".join(readable_number(value) if abs(value) >= 1000 else f"{value:.3g}" for value in entry)

    def _outcome(self, entry: Any | None, measured: Any) -> Outcome:
        result = self._values("measured", measured)
        drawn = self._drawn(entry, result)
        apart = [abs(mine - value) for mine, value in zip(entry or result, result, strict=True)]
        if entry is None or max(apart) <= self.near:
            return Outcome(self._words(result), said=self._right, right=entry is not None, drawn=drawn)
        right = Expectation("as the run", self._right.explanation)
        return Outcome(self._words(result), said=self._otherwise, right=False, others=(right,), drawn=drawn)

    def _drawn(self, entry: Any | None, result: list[float]) -> str:
        """Return both curves as SVG: the prediction dashed with hollow points, the run solid with full ones."""
        alt = f"{self.along}, at {self.across} {', '.join(f'{place:g}' for place in self.at)}. "
        alt += f"Predicted: {self._words(entry)}. " if entry else ""
        curves = self._curve(entry, "5 4", "var(--jp-layout-color1,#fff)") if entry else ""
        curves += self._curve(result, "", "currentColor")
        places = "".join(
            f"<text x='{x:g}' y='{_TALL + 16}' text-anchor='middle'>{place:g}</text>"
            for place, x in zip(self.at, self._xs(), strict=True)
        )
        low, high = self.scale
        return (
            f"<svg role='img' viewBox='0 0 {_LEFT + _WIDE} {_TALL + _LOW}' width='{_LEFT + _WIDE}' font-size='11' "
            f"fill='currentColor' style='max-width:100%;display:block'><title>{escaped(alt)}Run: {self._words(result)}."
            f"</title><path d='M{_LEFT} 6V{_TALL}H{_LEFT + _WIDE}' fill='none' stroke='currentColor' opacity='0.5'/>"
            f"<text x='{_LEFT - 4}' y='14' text-anchor='end'>{high:g}</text>"
            f"<text x='{_LEFT - 4}' y='{_TALL}' text-anchor='end'>{low:g}</text>{places}{curves}"
            f"<text x='{_LEFT + _WIDE / 2:g}' y='{_TALL + 31}' text-anchor='middle'>{escaped(self.across)}</text></svg>"
        )

    def _curve(self, values: list[float], dashes: str, fill: str) -> str:
        points = list(zip(self._xs(), map(self._y, values), strict=True))
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dots = "".join(
            f"<circle cx='{x:g}' cy='{y:g}' r='4' fill='{fill}' stroke='currentColor'/>" for x, y in points
        )
        return (
            f"<polyline points='{path}' fill='none' stroke='currentColor' stroke-dasharray='{dashes}'/>{dots}"
        )

    def _xs(self) -> list[float]:
        gap = _WIDE / len(self.at)
        return [round(_LEFT + gap * (place + 0.5), 1) for place in range(len(self.at))]

    def _y(self, value: float) -> float:
        low, high = self.scale
        share = min(
            1.0, max(0.0, (value - low) / (high - low))
        )  # what lies beyond the scale stands at its edge
        return round(_TALL - share * (_TALL - 10), 1)

    def _settings(self) -> dict[str, Any]:
        low, high = self.scale
        return {
            "at": [f"{place:g}" for place in self.at],
            "low": low,
            "high": high,
            "step": self.step,
            "across": self.across,
            "along": self.along,
        }

    def _static(self) -> list[str]:
        low, high = self.scale
        places = ", ".join(f"{place:g}" for place in self.at)
        return [f"{self.along}, from {low:g} to {high:g}, at {self.across} {places}: {len(self.at)} numbers."]

    def _example(self) -> str:
        return f"[{', '.join(f'{self.scale[0]:g}' for _ in self.at)}]"
