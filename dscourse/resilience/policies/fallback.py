"""A second-best answer instead of none: the last one known, a default, an empty list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dscourse.resilience.calls import Call
from dscourse.resilience.outcomes import FALLBACK, Outcome
from dscourse.resilience.policies.gate import Gate


class Fallback(Gate):
    """Answers with `value` when there is no other answer.

    What stands outside of it, such as a breaker, sees a good end and learns nothing of the trouble.

    Args:
        value: the answer, or a function that makes it from the `Outcome` that it replaces.
    """

    def __init__(self, value: Any | Callable[[Outcome], Any]) -> None:
        self.value = value

    def leave(self, call: Call, ticket: None, outcome: Outcome | None) -> Outcome | None:
        """Put the second-best answer in the place of none."""
        if outcome is None or outcome.ok:
            return None
        return Outcome(FALLBACK, self.value(outcome) if callable(self.value) else self.value)
