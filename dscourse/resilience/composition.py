"""Policies one inside the other; their order matters.

    compose(Retry(3), CircuitBreaker(), Timeout(0.3))

Here each attempt is timed, the breaker counts attempts, and a retry asks the breaker first. With the breaker outside,
it would count a call and its three attempts as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from dscourse.resilience.calls import Attempt, Call, Policy, Step, send
from dscourse.resilience.outcomes import FAILED, OK, Outcome


class Stack:
    """Policies round a call, the outermost first. The same stack serves all calls of a client: breakers, bulkheads and
    budgets keep count for all of them.
    """  # noqa: D205 - one sentence

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        self.policies = policies
        step: Step = send
        for policy in reversed(policies):
            step = policy.around(step)
        self._step = step

    def __repr__(self) -> str:
        return " → ".join([*map(repr, self.policies), "the call"])

    def call(
        self,
        now: float,
        rng: Random | None = None,
        *,
        deadline: float = math.inf,
        priority: int = 0,
        queue_time: float = 0.0,
        key: Any = None,
        body: Any = None,
    ) -> Call:
        """Begin a call; what it is told is described at `Call`."""
        return Call(
            self._step,
            now,
            rng,
            deadline=deadline,
            priority=priority,
            queue_time=queue_time,
            key=key,
            body=body,
        )


def compose(*policies: Policy) -> Stack:
    """Return the policies as one, the first of them outermost."""
    for policy in policies:
        if isinstance(policy, type) or not callable(getattr(policy, "around", None)):
            raise TypeError(f"a policy must be made, such as Retry(3) or Timeout(0.3), got {policy!r}")
    return Stack(policies)


def run_call(
    stack: Stack,
    function: Callable[[Attempt], Any],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
    rng: Random,
    deadline: float = math.inf,
    failures: tuple[type[BaseException], ...] = (Exception,),
    key: Any = None,
    body: Any = None,
) -> Outcome:
    """Make a real call through a stack, and return how it ended.

    One attempt is made after the other, and none is interrupted: a timeout is noticed when `function` comes back. So
    give it the time left, `attempt.deadline - clock()`, and let it keep to that, as sockets and HTTP clients can.

    Args:
        stack: what `compose` returned.
        function: makes one attempt; returns the answer or raises.
        clock: seconds, such as `time.monotonic`.
        sleep: waits for so many seconds, such as `time.sleep`.
        rng: the luck, such as `random.Random()`.
        deadline: of the whole call, on that clock.
        failures: which exceptions are a failed attempt; others go through to the caller.
        key: (client, key), for `IdempotencyKeys`.
        body: what is asked for under that key.
    """
    call = stack.call(clock(), rng, deadline=deadline, key=key, body=body)
    while True:
        for attempt in call.take_attempts():
            try:
                outcome = Outcome(OK, function(attempt))
            except failures as problem:
                outcome = Outcome(FAILED, problem)
            call.answer(clock(), attempt.number, outcome)
        if call.outcome is not None:
            return call.outcome
        if call.wake_at is not None and (wait := call.wake_at - clock()) > 0.0:
            sleep(wait)
        call.tick(clock())
