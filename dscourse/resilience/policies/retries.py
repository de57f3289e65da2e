"""Try again, later each time, and not all at the same moment."""

from __future__ import annotations

import math
from collections.abc import Collection
from random import Random
from typing import Literal, TypeAlias

from dscourse.arguments import one_of, real, whole
from dscourse.resilience.calls import Alarm, Call, Cancel, Done, Step, nothing
from dscourse.resilience.outcomes import FAILED, TIMED_OUT, Outcome
from dscourse.resilience.policies.budgets import RetryBudget

Jitter: TypeAlias = Literal["none", "full", "equal", "decorrelated"]
JITTERS = ("none", "full", "equal", "decorrelated")


def exponential_backoff(
    attempt: int,
    *,
    base: float,
    cap: float,
    jitter: Jitter = "none",
    rng: Random | None = None,
    previous: float | None = None,
) -> float:
    """Return how many seconds to wait after a failed attempt: min(cap, base · 2^(attempt − 1)), and luck.

    The kinds of jitter are those of M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015: "full"
    draws from 0 to that delay, "equal" from its half to all of it, "decorrelated" from `base` to three times the
    previous delay, whatever the attempt.

    Args:
        attempt: which attempt failed, from 1; as many as you like.
        base: seconds after the first.
        cap: seconds; no delay is longer.
        jitter: "none", "full", "equal" or "decorrelated".
        rng: the luck; needed with jitter.
        previous: the delay before, for "decorrelated"; None: `base`.

    Raises:
        ValueError: jitter without rng, or a value out of bounds.
    """
    tries = whole("attempt", attempt, at_least=1)
    first = real("base", base, at_least=0.0)
    most = real("cap", cap, at_least=0.0)
    kind = one_of("jitter", jitter, JITTERS)
    delay = min(most, first * 2.0 ** min(tries - 1, 1_000))
    if kind == "none":
        return delay
    if rng is None:
        raise ValueError(
            f"rng must be given for jitter={kind!r}, such as random.Random(1) or ctx.rng, got None"
        )
    luck = rng.random()
    if kind == "full":
        return luck * delay
    if kind == "equal":
        return (1 + luck) / 2 * delay
    longest = 3 * (first if previous is None else real("previous", previous, at_least=0.0))
    return min(most, first + luck * max(0.0, longest - first))


class Retry:
    """Makes up to `attempts` attempts, with back-off between them.

    No attempt begins at the deadline or after it, and none is waited for that would. A server that says when to come
    again (`Outcome.retry_after`) is obeyed.

    Args:
        attempts: in all, the first included.
        base: of the back-off, in seconds.
        cap: of the back-off, in seconds.
        jitter: of the back-off.
        budget: must grant each retry; None: every retry is made. One budget is shared by all calls of a client.
        on: after which kinds of outcome there is another attempt.
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        base: float = 0.1,
        cap: float = 10.0,
        jitter: Jitter = "full",
        budget: RetryBudget | None = None,
        on: Collection[str] = (FAILED, TIMED_OUT),
    ) -> None:
        self.attempts = whole("attempts", attempts, at_least=1)
        self.base = real("base", base, at_least=0.0)
        self.cap = real("cap", cap, at_least=0.0)
        self.jitter: Jitter = one_of("jitter", jitter, JITTERS)  # type: ignore[assignment]
        self.budget = RetryBudget() if budget is None else budget
        self.on = frozenset(on)

    def __repr__(self) -> str:
        return f"Retry({self.attempts})"

    def delay(
        self, attempt: int, outcome: Outcome, rng: Random | None, previous: float | None = None
    ) -> float | None:
        """Return how many seconds to wait after such an end of such an attempt; None: there is no further one."""
        if outcome.kind not in self.on or attempt >= self.attempts or outcome.retry_after == math.inf:
            return None
        wait = exponential_backoff(
            attempt, base=self.base, cap=self.cap, jitter=self.jitter, rng=rng, previous=previous
        )
        return wait if outcome.retry_after is None else max(wait, outcome.retry_after)

    def around(self, inner: Step) -> Step:
        """Return a step that does `inner` as often as it takes, and ends as the last time did."""

        def step(call: Call, deadline: float, done: Done) -> Cancel:
            return _Retrying(self, inner, call, deadline, done).cancel

        return step


class _Retrying:
    """One call's attempts."""

    __slots__ = ("alarm", "attempt", "call", "cancel_inner", "deadline", "done", "inner", "previous", "retry")

    def __init__(self, retry: Retry, inner: Step, call: Call, deadline: float, done: Done) -> None:
        self.retry, self.inner, self.call, self.deadline, self.done = retry, inner, call, deadline, done
        self.attempt = 0
        self.previous: float | None = None
        self.alarm: Alarm | None = None
        self.cancel_inner: Cancel | None = None  # while an attempt is under way
        retry.budget.begin(call.now)
        self.begin()

    def begin(self) -> None:
        """Make the next attempt."""
        self.alarm = None
        self.attempt += 1
        self.cancel_inner = nothing
        cancel = self.inner(self.call, self.deadline, self.ended)
        if self.cancel_inner is nothing:  # it hasn't ended already
            self.cancel_inner = cancel

    def ended(self, outcome: Outcome) -> None:
        """An attempt has ended: wait for the next one, or end."""
        self.cancel_inner = None
        call, budget, retried = self.call, self.retry.budget, self.attempt > 1
        if not outcome.tells_about_callee:
            budget.abandoned(call.now, retry=retried)
        elif outcome.ok:
            budget.success(call.now, retry=retried)
        else:
            budget.failure(call.now, retry=retried)
        wait = self.retry.delay(self.attempt, outcome, call.rng, self.previous)
        if wait is None or call.now + wait >= self.deadline or not budget.may_retry(call.now):
            self.done(outcome)
            return
        self.previous = wait
        self.alarm = call.alarm(call.now + wait, self.begin)

    def cancel(self) -> None:
        """Nobody waits for this call any more."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None
            self.retry.budget.abandoned(self.call.now, retry=True)  # granted, and never made
        elif self.cancel_inner is not None:
            cancel, self.cancel_inner = self.cancel_inner, None
            cancel()
            self.retry.budget.abandoned(self.call.now, retry=self.attempt > 1)
