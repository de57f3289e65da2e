"""One call on its way through a stack of policies: told the time and the luck, it says what to do next.

    stack = compose(Retry(3), CircuitBreaker(), Timeout(0.3))
    call = stack.call(now, rng)
    call.take_attempts()                  # send these; `call.wake_at` says when to call `call.tick(now)`
    call.answer(now, 1, Outcome("ok"))    # attempt 1 was answered
    call.outcome                          # None until the call has ended

A node in the simulator sends, sets a timer and answers; `run_call` does the same round a real function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Protocol

from dscourse.resilience.outcomes import EXPIRED, Outcome

Done = Callable[[Outcome], None]
Cancel = Callable[[], None]  # does nothing once the step has ended
# A step begins something within a call, by a deadline, and either calls `done` once or is cancelled.
Step = Callable[["Call", float, Done], Cancel]

_SLACK = 1e-6  # seconds: clocks that count microseconds may wake a call that much too early


class Policy(Protocol):
    """What can be composed."""

    def around(self, inner: Step) -> Step:
        """Return a step that does `inner` under this policy."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """To be sent now, with its deadline.

    Attributes:
        number: from 1, in one call.
        deadline: seconds on the caller's clock; inf: none. The other side need not work beyond it.
    """

    number: int
    deadline: float


class Alarm:
    """A moment at which a call goes on by itself, unless cancelled."""

    __slots__ = ("at", "ring")

    def __init__(self, at: float, ring: Callable[[], object] | None) -> None:
        self.at = at
        self.ring = ring

    def cancel(self) -> None:
        """Forget it."""
        self.ring = None


def nothing() -> None:
    """Cancel what has ended already."""


def send(call: Call, deadline: float, done: Done) -> Cancel:
    """Begin an attempt: the innermost step of every stack. None begins at or after the deadline."""
    return call.begin_attempt(deadline, done)


class Call:
    """One call, from its beginning to its only outcome.

    Attributes:
        now: seconds; the last time that it was told.
        rng: the luck that it was given.
        outcome: how it ended; None: not yet.
        attempts: how many have begun.
        priority: 0 is the most important.
        queue_time: seconds that it has waited, or must expect to wait, where it is admitted.
        key: (client, key) of a request that must not be done twice; None: it has none.
        body: what is asked for under that key.
    """

    __slots__ = (
        "_alarms",
        "_cancelled",
        "_new",
        "_waiting",
        "attempts",
        "body",
        "key",
        "now",
        "outcome",
        "priority",
        "queue_time",
        "rng",
    )

    def __init__(
        self,
        step: Step,
        now: float,
        rng: Random | None = None,
        *,
        deadline: float = math.inf,
        priority: int = 0,
        queue_time: float = 0.0,
        key: Any = None,
        body: Any = None,
    ) -> None:
        self.now, self.rng = now, rng
        self.priority, self.queue_time, self.key, self.body = priority, queue_time, key, body
        self.outcome: Outcome | None = None
        self.attempts = 0
        self._alarms: list[Alarm] = []
        self._new: list[Attempt] = []
        self._cancelled: list[int] = []
        self._waiting: dict[int, Done] = {}
        cancel: Cancel = nothing
        if deadline < math.inf:
            self.alarm(deadline, lambda: self._expire(cancel))
        if now < deadline:
            cancel = step(self, deadline, self._end)
        self._run_due()

    @property
    def wake_at(self) -> float | None:
        """When `tick` is to be called next, in seconds; None: only an answer can bring this call further."""
        times = [alarm.at for alarm in self._alarms if alarm.ring is not None]
        return min(times) if times else None

    def tick(self, now: float) -> None:
        """Time has passed."""
        self.now = now
        self._run_due()

    def answer(self, now: float, attempt: int, outcome: Outcome) -> None:
        """An attempt has been answered. What comes at a deadline or later comes too late and is ignored."""
        self.tick(now)
        done = self._waiting.pop(attempt, None)
        if done is not None:
            done(outcome)
            self._run_due()

    def take_attempts(self) -> list[Attempt]:
        """Return the attempts that are to be sent now, each once."""
        new, self._new = self._new, []
        return [attempt for attempt in new if attempt.number in self._waiting]

    def take_cancelled(self) -> list[int]:
        """Return the numbers of the attempts that nobody waits for any more, each once."""
        cancelled, self._cancelled = self._cancelled, []
        return cancelled

    # --- for policies ---

    def alarm(self, at: float, ring: Callable[[], object]) -> Alarm:
        """Go on with `ring` at a time."""
        alarm = Alarm(at, ring)
        self._alarms.append(alarm)
        return alarm

    def begin_attempt(self, deadline: float, done: Done) -> Cancel:
        """Send, unless it is too late; `done` hears the answer."""
        if self.now >= deadline:
            done(Outcome(EXPIRED))
            return nothing
        self.attempts += 1
        self._waiting[self.attempts] = done
        self._new.append(Attempt(self.attempts, deadline))
        return partial(self._give_up, self.attempts)

    def _give_up(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            self._cancelled.append(number)

    def _run_due(self) -> None:
        while self._alarms:
            alarm = min(self._alarms, key=_when)
            if alarm.at > self.now + _SLACK and alarm.ring is not None:
                return
            self._alarms.remove(alarm)
            if alarm.ring is not None:
                alarm.ring()

    def _expire(self, cancel: Cancel) -> None:
        cancel()
        self._end(Outcome(EXPIRED))

    def _end(self, outcome: Outcome) -> None:
        assert self.outcome is None, "a call ends once"  # noqa: S101 - the one promise of this module
        self.outcome = outcome
        self._alarms.clear()


def _when(alarm: Alarm) -> float:
    return alarm.at if alarm.ring is not None else -math.inf
