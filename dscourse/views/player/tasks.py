"""A checklist that ticks itself: what the learner is to do in a player."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dscourse.arguments import real, shown
from dscourse.simulation import Run


@dataclass(frozen=True)
class Visit:
    """The cursor has been within [``begin``, ``end``]; the page notices by itself.

    Args:
        begin: seconds.
        end: seconds, not before ``begin``.
    """

    begin: float
    end: float

    def __post_init__(self) -> None:
        real("begin", self.begin, at_least=0.0)
        real("end", self.end, at_least=self.begin)


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Args:
        name: under which it is kept with the learner's progress, such as ``"split_brain.kill_the_leader"``.
        text: what to do, one short sentence.
        done: asked of the current run after each command, or a `Visit`, or several that happen in this order.
    """

    name: str
    text: str
    done: Callable[[Run], object] | Visit | Sequence[Visit]

    def __post_init__(self) -> None:
        if not callable(self.done) and not (self.visits and all(isinstance(v, Visit) for v in self.visits)):
            raise TypeError(f"done must be a function of a run, a Visit or several, got {shown(self.done)}")

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits that tick it, in order; none if a function of the run does."""
        if isinstance(self.done, Visit):
            return (self.done,)
        return tuple(self.done) if isinstance(self.done, list | tuple) else ()
