"""Hedged requests: who waits for longer than most asks once more, elsewhere, and takes the first answer."""

from __future__ import annotations

import math
from functools import partial

from dscourse.arguments import real, whole
from dscourse.resilience.calls import Alarm, Call, Cancel, Done, Step, nothing
from dscourse.resilience.outcomes import FAILED, TIMED_OUT, Outcome
from dscourse.resilience.policies.budgets import RetryBudget


class Hedge:
    """Begins another attempt when `after` seconds have passed, or at once when one has failed; the others are cancelled
    as soon as one is answered.

    With `after` at the 95th percentile of the answers' times, about 5 % more is sent (J. Dean, L. A. Barroso, *The Tail
    at Scale*, CACM 2013). Inside a `Retry` each retry is hedged anew: up to `attempts` times `most` in all.

    Args:
        after: seconds.
        most: attempts at one time, the first included.
        budget: must grant each attempt but the first, as a retry; None: all are made.
    """  # noqa: D205 - one sentence

    def __init__(self, after: float, most: int = 2, *, budget: RetryBudget | None = None) -> None:
        self.after = real("after", after, at_least=0.0)
        self.most = whole("most", most, at_least=1)
        self.budget = RetryBudget() if budget is None else budget

    def __repr__(self) -> str:
        return f"Hedge({self.after:g}, {self.most})"

    def around(self, inner: Step) -> Step:
        """Return a step that does `inner` up to `most` times side by side, and ends with the first good end."""

        def step(call: Call, deadline: float, done: Done) -> Cancel:
            return _Hedging(self, inner, call, deadline, done).cancel

        return step


class _Hedging:
    """One call's attempts side by side."""

    __slots__ = ("alarm", "call", "deadline", "done", "hedge", "inner", "running", "started")

    def __init__(self, hedge: Hedge, inner: Step, call: Call, deadline: float, done: Done) -> None:
        self.hedge, self.inner, self.call, self.deadline, self.done = hedge, inner, call, deadline, done
        self.started = 0
        self.running: dict[int, Cancel] = {}
        self.alarm: Alarm | None = None
        hedge.budget.begin(call.now)
        self.begin()

    def begin(self) -> None:
        """Begin one more attempt, and wait for the moment of the next."""
        self.started += 1
        number = self.started
        self.running[number] = nothing
        if number < self.hedge.most:
            self.alarm = self.call.alarm(self.call.now + self.hedge.after, self.ring)
        cancel = self.inner(self.call, self.deadline, partial(self.ended, number))
        if number in self.running:
            self.running[number] = cancel

    def ring(self) -> bool:
        """Begin one more if that may be, and say whether it was: none has been answered for long enough."""
        self.alarm = None
        if self.call.now >= self.deadline or not self.hedge.budget.may_retry(self.call.now):
            return False
        self.begin()
        return True

    def ended(self, number: int, outcome: Outcome) -> None:
        """One attempt has ended: take its answer, go on at once, or wait for the others."""
        del self.running[number]
        self._tell_budget(number, outcome)
        if outcome.ok:
            self.cancel()
            self.done(outcome)
            return
        if outcome.retry_after == math.inf:
            self._calm()
        elif outcome.kind in (FAILED, TIMED_OUT) and self.alarm is not None:
            self._calm()
            if self.ring():
                return  # the next one says how it ends, and may have said so already
        if not self.running:
            self._calm()
            self.done(outcome)

    def cancel(self) -> None:
        """Nobody waits for these attempts any more."""
        self._calm()
        while self.running:
            number, cancel = self.running.popitem()
            cancel()
            self.hedge.budget.abandoned(self.call.now, retry=number > 1)

    def _calm(self) -> None:
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    def _tell_budget(self, number: int, outcome: Outcome) -> None:
        tell = self.hedge.budget.success if outcome.ok else self.hedge.budget.failure
        if not outcome.tells_about_callee:
            tell = self.hedge.budget.abandoned
        tell(self.call.now, retry=number > 1)
