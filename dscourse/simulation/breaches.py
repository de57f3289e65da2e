"""Rules of each step, read from a trace: the first event that breaks one says what, when and who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dscourse.simulation.properties import Property, holds
from dscourse.simulation.run import Run


@dataclass(frozen=True)
class Breach:
    """An event that breaks a rule; false, as a verdict that something does not hold.

    Attributes:
        time: when, in seconds.
        words: who did what, without the time.
    """

    time: float
    words: str

    def __bool__(self) -> bool:
        return False

    @property
    def explanation(self) -> str:
        """When, who and what, as a sentence."""
        return f"At {self.time:.4g} s {self.words}."


def unbroken(name: str, breaches: Callable[[Run], Iterator[Breach]]) -> Property:
    """A property that holds while there are no breaches; the first one is what is told."""
    return holds(lambda run: next(breaches(run), True), name=name)
