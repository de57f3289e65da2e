"""Small histories that tell consistency models apart, and which of them does so for which two."""

from __future__ import annotations

from functools import cache

from dscourse.arguments import one_of
from dscourse.consistency.comparison import CONSISTENCY_MODELS, check_all
from dscourse.consistency.notation import history_from_text

__all__ = ["EXAMPLES", "separating_example"]

EXAMPLES: dict[str, str] = {
    "one copy": "a write x=1 0-1; b read x=1 2-3; a read x=1 2-3",
    "late news": "a write x=1 0-1; b read x=- 2-3; b read x=1 4-5",
    "two who write and don't see each other": (
        "a write x=1 0-1; b write y=1 0-1; a read y=- 2-3; b read x=- 2-3"
    ),
    "two readers, two orders": (
        "a write x=1 0-1; b write x=2 0-1; c read x=1 2-3; c read x=2 4-5; d read x=2 2-3; d read x=1 4-5"
    ),
    "the answer without the question": (
        "a write q=1 0-1; b read q=1 2-3; b write r=2 4-5; c read r=2 6-7; c read q=- 8-9"
    ),
    "the second without the first": "a write x=1 0-1; a write y=2 2-3; b read y=2 4-5; b read x=- 6-7",
    "back in time": "a write x=1 0-1; b read x=1 2-3; b read x=- 4-5",
    "where is what I wrote?": "a write x=1 0-1; a read x=- 2-3",
    "news through a third": (
        "a write x=1 0-1; b read x=1 2-3; b write y=2 4-5; c read y=2 6-7; c write z=3 8-9; d read z=3 10-11; "
        "d read x=- 12-13"
    ),
}


@cache
def _allowed(name: str) -> frozenset[str]:
    return frozenset(
        model
        for model, verdict in check_all(history_from_text(EXAMPLES[name]), decide=False).items()
        if verdict
    )


def separating_example(allowed: str, forbidden: str) -> str | None:
    """The name of the shortest example that one model allows and another doesn't; None if there is none.

    There is none where the first is as strong as the second or stronger. The checkers are asked, nothing is looked up.

    Args:
        allowed: one of `CONSISTENCY_MODELS`.
        forbidden: another.
    """
    one_of("allowed", allowed, CONSISTENCY_MODELS)
    one_of("forbidden", forbidden, CONSISTENCY_MODELS)
    fit = [name for name in EXAMPLES if allowed in _allowed(name) and forbidden not in _allowed(name)]
    return min(fit, key=lambda name: EXAMPLES[name].count(";"), default=None)
