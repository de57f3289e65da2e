"""A circuit breaker: who fails too often isn't called for a while, and then a few calls try whether it is back.

Terms and numbers are those of resilience4j, save that here one failed probe opens the circuit again at once: there the
rate is judged when all probes have ended. The pattern is M. Nygard's, *Release It!*, 2007.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from dscourse.arguments import probability, real, whole
from dscourse.resilience.calls import Call
from dscourse.resilience.outcomes import OPEN, Outcome
from dscourse.resilience.policies.gate import Gate
from dscourse.resilience.windows import SlidingWindow

State: TypeAlias = Literal["closed", "open", "half-open"]


class Token(NamedTuple):
    """What a call through the breaker carries, so that its result counts for the state in which it began."""

    generation: int
    number: int


class CircuitBreaker(Gate):
    """Closed, it lets calls through and counts; open, it lets none through; half-open, a few.

    A circuit is open until `open_for` has passed; the first `allow` from then on makes it half-open and hands out
    `half_open_calls` tokens. If all of these calls go well it closes; if one fails it opens afresh. A result of a call
    that began before the last change of state is ignored.

    Args:
        window: the last so many calls, or a `SlidingWindow`.
        minimum_calls: with fewer in the window it never opens (at most the window's count of calls).
        failure_rate: of the calls in the window; at this rate it opens.
        consecutive_failures: opens after so many in a row, and nothing else opens it; None: the rate counts.
        open_for: seconds.
        half_open_calls: how many calls try whether the other side is back.
        probe_timeout: seconds after which such a call that isn't recorded counts as failed; None: it is waited for,
            for ever if need be.
    """

    def __init__(
        self,
        *,
        window: int | SlidingWindow = 100,
        minimum_calls: int = 100,
        failure_rate: float = 0.5,
        consecutive_failures: int | None = None,
        open_for: float = 60.0,
        half_open_calls: int = 10,
        probe_timeout: float | None = None,
    ) -> None:
        like = (
            window
            if isinstance(window, SlidingWindow)
            else SlidingWindow(whole("window", window, at_least=1))
        )
        self._count, self._seconds = like.count, like.seconds
        self._minimum = min(whole("minimum_calls", minimum_calls, at_least=1), like.count or minimum_calls)
        self._rate = probability("failure_rate", failure_rate)
        self._streak_limit = (
            None
            if consecutive_failures is None
            else whole("consecutive_failures", consecutive_failures, at_least=1)
        )
        self._open_for = real("open_for", open_for, at_least=0.0)
        self._probes = whole("half_open_calls", half_open_calls, at_least=1)
        self._patience = None if probe_timeout is None else real("probe_timeout", probe_timeout, above=0.0)
        self.state: State = "closed"
        self._generation = 0
        self._tokens = 0
        self._opened_at = 0.0
        self._enter("closed", 0.0)

    def __repr__(self) -> str:
        return f"CircuitBreaker({self.state})"

    def allow(self, now: float) -> Token | None:
        """Return a token for a call that may be made now; None: it may not."""
        self._give_up_probes(now)
        if self.state == "open" and now >= self._opened_at + self._open_for:
            self._enter("half-open", now)
        if self.state == "open" or (self.state == "half-open" and not self._left):
            return None
        self._tokens += 1
        token = Token(self._generation, self._tokens)
        if self.state == "half-open":
            self._left -= 1
            self._under_way[token] = now
        return token

    def record(self, now: float, ok: bool, token: Token) -> None:
        """The call with that token ended well, or didn't."""
        self._give_up_probes(now)
        if token.generation != self._generation:
            return
        if self.state == "closed":
            self._count_call(now, ok)
        elif self._under_way.pop(token, None) is not None:
            self._good += ok
            if not ok:
                self._enter("open", now)
            elif self._good >= self._probes:
                self._enter("closed", now)

    def release(self, now: float, token: Token) -> None:
        """The call with that token told nothing about the other side (it was never sent): the token is free again."""
        self._give_up_probes(now)
        if self._under_way.pop(token, None) is not None:
            self._left += 1

    def enter(self, call: Call, deadline: float) -> Token | Outcome:
        """Refuse with `circuit open`, or hand out a token."""
        return self.allow(call.now) or Outcome(OPEN)

    def leave(self, call: Call, token: Token, outcome: Outcome | None) -> None:
        """Record how it went, if that tells about the other side; else take the token back."""
        if outcome is not None and outcome.tells_about_callee:
            self.record(call.now, outcome.ok, token)
        else:
            self.release(call.now, token)

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self._generation += 1
        self._opened_at = now
        self._window = SlidingWindow(self._count, seconds=self._seconds)
        self._streak = self._good = 0
        self._left = self._probes  # tokens to hand out
        self._under_way: dict[Token, float] = {}  # probes, and when they began; oldest first

    def _count_call(self, now: float, ok: bool) -> None:
        self._window.record(now, ok)
        self._streak = 0 if ok else self._streak + 1
        if self._streak_limit is not None:
            if self._streak >= self._streak_limit:
                self._enter("open", now)
        elif self._window.calls(now) >= self._minimum and self._window.failure_rate(now) >= self._rate:
            self._enter("open", now)

    def _give_up_probes(self, now: float) -> None:
        """Open again if the oldest probe has been silent for too long: as of the moment when it was."""
        if self._patience is not None and self._under_way:
            due = next(iter(self._under_way.values())) + self._patience
            if now >= due:
                self._enter("open", due)
