"""A learner's function or class that is no node is examined by calls in an order: named sequences, then drawn ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from dscourse.exercises._exercise import Unfit
from dscourse.exercises._learner_code import run_answer, told
from dscourse.exercises._line_limit import LineCounter
from dscourse.exercises._outside_state import kept_outside, outside_help, told_of
from dscourse.exercises._report import Report
from dscourse.simulation.random_streams import key_of

LINES = 50_000  # of one call
SEARCHED = "a search"


@dataclass(frozen=True)
class Call:
    """One call: of a method, or of the function itself where there is no method.

    Attributes:
        method: its name; "" for the function that is examined.
        arguments: what it is given.
    """

    method: str
    arguments: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"{self.method}({', '.join(map(told, self.arguments))})"


@dataclass(frozen=True)
class CallSequence:
    """Calls that show something, and what that is, in words."""

    name: str
    section: str
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class FailingCalls:
    """The shortest calls found after which the last one returns something wrong."""

    calls: tuple[Call, ...]
    returned: Any
    right: Any

    def __repr__(self) -> str:
        lines = [f"  {call!r}" for call in self.calls]
        return "\n".join(
            [*lines[:-1], f"→ {self.calls[-1]!r} returned {told(self.returned)}; right is {told(self.right)}"]
        )


class CallExamination:
    """Holds what is written against the solution, call by call.

    Args:
        sequences: what is tried in any case.
        solution: code that defines a right `answer`.
        draw: makes of luck a sequence of calls that nobody has thought of; None for none.
        seeds: how many of these.
        settings: arguments with which a class is made.
    """

    def __init__(
        self,
        *,
        sequences: Sequence[CallSequence],
        solution: str,
        draw: Callable[[Random], Sequence[Call]] | None = None,
        seeds: int = 200,
        settings: Sequence[Any] = (),
    ) -> None:
        self.sequences = tuple(sequences)
        self._solution = solution
        self._draw = draw
        self._seeds = seeds
        self._settings = tuple(settings)
        self._counter = LineCounter(LINES)

    def read(self, answer: object) -> Any:
        """Return an answer that can be called, or raise `Unfit`."""
        if not callable(answer):
            raise Unfit
        wanted = {call.method for sequence in self.sequences for call in sequence.calls if call.method}
        missing = sorted(name for name in wanted if not callable(getattr(answer, name, None)))
        if missing:
            raise Unfit(f"it has no method {missing[0]}")
        return answer

    def broken(self, written: Any) -> tuple[tuple[str, str], ...]:
        """Return which sequences break, and what came instead."""
        found = []
        for sequence in self._all():
            failing = self._failing(written, sequence.calls)
            if failing is not None:
                found.append((sequence.name, f"{failing.calls[-1]!r} → {told(failing.returned)}"))
            if found and sequence.name == SEARCHED:
                break
        return tuple(found)

    def examine(self, written: Any) -> Report:
        """Try it, and make the first sequence that breaks as short as can be."""
        outside = outside_help(written) or self._unsteady(written)
        if outside:
            return Report(outside=outside)
        broken = self.broken(written)
        names = {name for name, _ in broken}
        held = tuple((sequence.name, sequence.name not in names) for sequence in self.sequences)
        for sequence in self._all():
            failing = self._failing(written, sequence.calls)
            if failing is None:
                continue
            shortest = self._shortest(written, failing)
            before = f" after {len(shortest.calls) - 1} calls" if len(shortest.calls) > 1 else ""
            return Report(
                held=held,
                broken=broken,
                counterexample=shortest,
                faults=len(shortest.calls),
                explanation=(
                    f"“{sequence.name}”:{before} `{shortest.calls[-1]!r}` returned {told(shortest.returned)}; right is "
                    f"{told(shortest.right)}."
                ),
                section=sequence.section,
            )
        return Report(held=held)

    def _all(self) -> Sequence[CallSequence]:
        section = self.sequences[-1].section
        drawn = [
            CallSequence(SEARCHED, section, tuple(self._draw(Random(key_of(seed, "calls")))))
            for seed in range(self._seeds if self._draw is not None else 0)
            if self._draw is not None
        ]
        return [*self.sequences, *drawn]

    def _failing(self, written: Any, calls: Sequence[Call]) -> FailingCalls | None:
        """The calls up to the first that returns something else than the solution's."""
        one, other = self._made(written), self._made(run_answer(self._solution))
        for place, call in enumerate(calls):
            returned, right = self._result(one, call), self._result(other, call)
            if not _same(returned, right):
                return FailingCalls(tuple(calls[: place + 1]), returned, right)
        return None

    def _shortest(self, written: Any, failing: FailingCalls) -> FailingCalls:
        place = 0
        while place < len(failing.calls) - 1:
            fewer = self._failing(written, (*failing.calls[:place], *failing.calls[place + 1 :]))
            failing, place = (fewer, 0) if fewer is not None else (failing, place + 1)
        return failing

    def _made(self, written: Any) -> Any:
        return self._counter.call(written, *self._settings) if isinstance(written, type) else written

    def _result(self, made: Any, call: Call) -> Any:
        return self._counter.call(getattr(made, call.method) if call.method else made, *call.arguments)

    def _unsteady(self, written: Any) -> str:
        before = kept_outside(written)
        first = [self._failing(written, sequence.calls) for sequence in self.sequences]
        changed = next(
            (place for place, value in kept_outside(written).items() if before.get(place) != value), None
        )
        if changed is not None:
            return told_of(changed)
        again = [self._failing(written, sequence.calls) for sequence in reversed(self.sequences)][::-1]
        for sequence, one, other in zip(self.sequences, first, again, strict=True):
            if repr(one) != repr(other):
                return f"Your code did otherwise the second time, in “{sequence.name}”. It must depend on its calls alone."
        return ""


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and bool(one == other)
