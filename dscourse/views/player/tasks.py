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
        done: asked of the current run after each command; it may return a `Visit`, or several that happen in this
            order, if there is something to find in this run. Or these visits themselves, if they are in every run.
    """

    name: str
    text: str
    done: Callable[[Run], object] | Visit | Sequence[Visit]

    def __post_init__(self) -> None:
        if not callable(self.done) and not _as_visits(self.done):
            raise TypeError(f"done must be a function of a run, a Visit or several, got {shown(self.done)}")

    def visits(self, run: Run) -> tuple[Visit, ...]:
        """The visits that tick it in this run, in order; none if something else does."""
        return _as_visits(self.done(run) if callable(self.done) else self.done)

    def is_done_by(self, run: Run) -> bool:
        """Whether a run ticks it, wherever the cursor has been."""
        answer = self.done(run) if callable(self.done) else None
        return bool(answer) and not _as_visits(answer)


def _as_visits(answer: object) -> tuple[Visit, ...]:
    """One visit or several as a tuple; none for everything else."""
    several = (answer,) if isinstance(answer, Visit) else answer
    if not isinstance(several, list | tuple) or not all(isinstance(visit, Visit) for visit in several):
        return ()
    return tuple(several)
