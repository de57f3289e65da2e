"""What a search has found: the shortest run that breaks a property, and how to see it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dscourse.simulation.faults import Fault
from dscourse.simulation.properties import Property
from dscourse.simulation.run import Run


@dataclass(frozen=True)
class Counterexample:
    """A run in which a property does not hold, made as short as could be.

    Attributes:
        run: the run, to look at, fork and play.
        property: what does not hold.
        explanation: what happened, in words; it begins with the property's name.
        code: lines that make the run again.
        faults: what must go wrong for it.
        steps: of a run that was chosen step by step; empty for a run in time.
    """

    run: Run
    property: Property
    explanation: str
    code: str
    faults: tuple[Fault, ...] = ()
    steps: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return self.explanation
