"""How a call can end: in exactly one of these ways, and each says who ended it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OK = "ok"
FALLBACK = "fallback"  # a second-best answer
FAILED = "failed"  # the other side said so
TIMED_OUT = "timed out"  # nobody answered within a `Timeout`
EXPIRED = "deadline passed"  # of the whole call
OPEN = "circuit open"
FULL = "bulkhead full"
LIMITED = "rate limited"
THROTTLED = "throttled"
SHED = "shed"
IN_FLIGHT = "in flight"  # the same key is being worked on: HTTP's 409
OTHER_BODY = "other body"  # the same key came with something else: HTTP's 422

GOOD = frozenset((OK, FALLBACK))
# What a policy decides on this side says nothing about the other side.
OWN_REFUSALS = frozenset((EXPIRED, OPEN, FULL, LIMITED, THROTTLED, SHED, IN_FLIGHT, OTHER_BODY))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a call or of one attempt.

    Attributes:
        kind: one of the words of this module.
        value: the answer, or what is known about the failure.
        retry_after: seconds that the other side asks for before the next attempt; inf: none, please; None: as you like.
    """

    kind: str
    value: Any = None
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the caller has an answer, be it a second-best one."""
        return self.kind in GOOD

    @property
    def tells_about_callee(self) -> bool:
        """Whether the other side (or its silence) brought this about, and not a policy on this side."""
        return self.kind not in OWN_REFUSALS
