"""What the examination of something that the learner wrote came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from dscourse.simulation import NodeError


@dataclass(frozen=True)
class Report:
    """What an examination came to.

    Attributes:
        held: each thing that must hold, in words, and whether it did wherever it was tried.
        broken: which of them broke, and where: what does the same wrong has the same.
        counterexample: a `Run` to be played, or the calls that show it; None if nothing broke.
        faults: how many faults it needs, or how many calls.
        explanation: what happened, in words.
        section: of the notebook, which explains why it must hold.
        outside: what is said to code that looks or keeps something outside its node; else empty.
        error: of the learner's code, where it ended the run.
    """

    held: tuple[tuple[str, bool], ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    counterexample: Any = None
    faults: int = 0
    explanation: str = ""
    section: str = ""
    outside: str = ""
    error: NodeError | None = None

    @property
    def is_right(self) -> bool:
        """Whether nothing was found."""
        return not self.broken and not self.outside


class Examination(Protocol):
    """How something that the learner wrote is tried."""

    def read(self, answer: object) -> Any:
        """Return an answer as what is tried; raise `Unfit` if it is none."""

    def broken(self, written: Any) -> tuple[tuple[str, str], ...]:
        """Return what breaks where, as `Report.broken` has it, and no more."""

    def examine(self, written: Any) -> Report:
        """Try it, and make what breaks as short as can be."""


Factory = Callable[[str, tuple[str, ...]], Any]
