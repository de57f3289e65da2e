"""Doing it once, however often it is asked for: a key is reserved before the work, and its answer is kept.

The same key again gets the same answer; while the first is being worked on, it is refused (HTTP's 409); the same key
with something else in it is refused, too (422). Stripe's API does so, and keeps failures as well, so that its clients
take a new key to try again; here a failure lets go of the key. Who looks first and reserves later does the work twice
when two copies meet.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, NamedTuple

from dscourse.arguments import real
from dscourse.resilience.calls import Call
from dscourse.resilience.outcomes import FAILED, IN_FLIGHT, OK, OTHER_BODY, OWN_REFUSALS, Outcome
from dscourse.resilience.policies.gate import Gate


class Reservation(NamedTuple):
    """What `reserve` found.

    Attributes:
        kind: "new": do the work; "in flight": somebody does; "answered": here is the answer; "other body": refused.
        answer: that was kept.
    """

    kind: Literal["new", "in flight", "answered", "other body"]
    answer: Any = None


_REFUSALS = {"answered": OK, "in flight": IN_FLIGHT, "other body": OTHER_BODY}


class IdempotencyKeys(Gate):
    """Remembers which keys are being worked on, and what was answered.

    A key is whatever tells requests apart: give (client, key), else two clients with the same key share one charge.

    Args:
        keep_for: seconds for which an answer is kept (Stripe: 24 hours at least).
        reserve_for: seconds after which a reservation lapses, because whoever made it must have crashed.
    """

    def __init__(self, *, keep_for: float = 86_400.0, reserve_for: float = 60.0) -> None:
        self.keep_for = real("keep_for", keep_for, above=0.0)
        self.reserve_for = real("reserve_for", reserve_for, above=0.0)
        self._reserved: dict[Hashable, tuple[float, Any]] = {}  # (since, body), oldest first
        self._answers: dict[Hashable, tuple[float, Any, Any]] = {}  # (since, body, answer), oldest first

    def reserve(self, now: float, key: Hashable, body: Any = None) -> Reservation:
        """Reserve a key for a request, or say why not."""
        for table, limit in ((self._reserved, self.reserve_for), (self._answers, self.keep_for)):
            while table and next(iter(table.values()))[0] <= now - limit:
                del table[next(iter(table))]
        if key in self._answers:
            _, known, answer = self._answers[key]
            return Reservation("answered", answer) if known == body else Reservation("other body")
        if key in self._reserved:
            return Reservation("in flight" if self._reserved[key][1] == body else "other body")
        self._reserved[key] = (now, body)
        return Reservation("new")

    def keep(self, now: float, key: Hashable, body: Any, answer: Any) -> None:
        """The work is done: keep its answer."""
        self._reserved.pop(key, None)
        self._answers.pop(key, None)
        self._answers[key] = (now, body, answer)

    def let_go(self, key: Hashable) -> None:
        """The work was not done: the next request with that key may do it."""
        self._reserved.pop(key, None)

    def enter(self, call: Call, deadline: float) -> Outcome | None:
        """Refuse what is known already, with its answer or the reason why not; calls without a key pass."""
        if call.key is None:
            return None
        kind, answer = self.reserve(call.now, call.key, call.body)
        return None if kind == "new" else Outcome(_REFUSALS[kind], answer)

    def leave(self, call: Call, ticket: None, outcome: Outcome | None) -> None:
        """Keep the answer, or let go of the key if the work was not done.

        If nobody knows whether it was, because it timed out or was cancelled, the key stays reserved.
        """
        if call.key is None or outcome is None:
            return
        if outcome.kind == OK:
            self.keep(call.now, call.key, call.body, outcome.value)
        elif outcome.kind == FAILED or outcome.kind in OWN_REFUSALS:
            self.let_go(call.key)
