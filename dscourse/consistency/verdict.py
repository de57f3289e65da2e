"""What a checker says."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse.consistency.history import Operation

__all__ = ["HistoryVerdict"]


@dataclass(frozen=True)
class HistoryVerdict:
    """Whether a history is one that a consistency model allows; true if it is.

    Attributes:
        outcome: "ok", "illegal", or "unknown" where the limit was reached before the answer.
        explanation: why, in words.
        culprit: the operation that can't be placed; None unless illegal.
        order: one order that explains what every operation returned, where it was asked for and found; one after the
            other of each key, if each key was searched for itself. What isn't in it never took effect.
        deciding: operations that decide that it is illegal, where they are known.
        states: how many states were looked at.
    """

    outcome: str
    explanation: str
    culprit: Operation | None = None
    order: tuple[Operation, ...] = ()
    deciding: tuple[Operation, ...] = ()
    states: int = 0

    def __bool__(self) -> bool:
        return self.outcome == "ok"
