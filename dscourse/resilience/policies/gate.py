"""What most policies do round a call: look at it when it comes, and again when it has ended."""

from __future__ import annotations

from typing import Any

from dscourse.resilience.calls import Call, Cancel, Done, Step, nothing
from dscourse.resilience.outcomes import Outcome


class Gate:
    """A policy that lets a call in or refuses it, and is told how it ended."""

    def __repr__(self) -> str:
        return type(self).__name__

    def around(self, inner: Step) -> Step:
        """Return a step that asks here before it does `inner`."""

        def step(call: Call, deadline: float, done: Done) -> Cancel:
            ticket = self.enter(call, deadline)
            if isinstance(ticket, Outcome):
                done(ticket)
                return nothing

            def ended(outcome: Outcome) -> None:
                done(self.leave(call, ticket, outcome) or outcome)

            def cancel() -> None:
                cancel_inner()
                self.leave(call, ticket, None)

            cancel_inner = inner(call, deadline, ended)
            return cancel

        return step

    def enter(self, call: Call, deadline: float) -> Any:
        """Return an `Outcome` that refuses the call, or anything else as its ticket."""

    def leave(self, call: Call, ticket: Any, outcome: Outcome | None) -> Outcome | None:
        """Take note of how it ended, None if it was cancelled; return another outcome to put in its place."""
        return None
