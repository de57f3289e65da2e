"""A time limit: of one attempt, or of a whole call, and then of everything that is done for it further on."""

from __future__ import annotations

from dscourse.arguments import real
from dscourse.resilience.calls import Call, Cancel, Done, Step
from dscourse.resilience.outcomes import TIMED_OUT, Outcome


class Timeout:
    """Stops waiting after so many seconds: an answer at that moment comes too late.

    Inside a `Retry` it limits each attempt; outside, all attempts together with the waits between them. What is inside
    is told the earlier of this limit and its caller's, as a deadline, which travels with the attempt.

    Args:
        seconds: for which an answer is waited for.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = real("seconds", seconds, above=0.0)

    def __repr__(self) -> str:
        return f"Timeout({self.seconds:g})"

    def around(self, inner: Step) -> Step:
        """Return a step that ends `timed out` when `inner` takes too long."""

        def step(call: Call, deadline: float, done: Done) -> Cancel:
            limit = call.now + self.seconds
            if limit >= deadline:  # whoever set that deadline will end it
                return inner(call, deadline, done)

            def late() -> None:
                cancel_inner()
                done(Outcome(TIMED_OUT))

            def ended(outcome: Outcome) -> None:
                alarm.cancel()
                done(outcome)

            def cancel() -> None:
                alarm.cancel()
                cancel_inner()

            alarm = call.alarm(limit, late)
            cancel_inner = inner(call, limit, ended)
            return cancel

        return step
