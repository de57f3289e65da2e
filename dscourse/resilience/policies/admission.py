"""Saying no early: to more than a rate, to what would come too late, and on behalf of a server that says no."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from random import Random

from dscourse.arguments import items, real
from dscourse.resilience.calls import Call
from dscourse.resilience.outcomes import LIMITED, SHED, THROTTLED, Outcome
from dscourse.resilience.policies.gate import Gate


class TokenBucket(Gate):
    """Lets calls through at a rate, and a burst of them at once; the bucket begins full.

    Args:
        rate: tokens a second.
        burst: how many it holds.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = real("rate", rate, above=0.0)
        self.burst = real("burst", burst, above=0.0)
        self._tokens = self.burst
        self._at = -math.inf  # when it held so many

    def __repr__(self) -> str:
        return f"TokenBucket({self.rate:g}/s, {self.burst:g})"

    def tokens(self, now: float) -> float:
        """Return how many tokens it holds."""
        return min(self.burst, self._tokens + (now - self._at) * self.rate)

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Take so many tokens if they are there, and say whether they were."""
        left = self.tokens(now) - cost
        if left < -1e-9:
            return False
        self._tokens, self._at = max(0.0, left), now
        return True

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Return in how many seconds so many tokens are there; inf: never, the bucket is too small."""
        if cost > self.burst:
            return math.inf
        return max(0.0, cost - self.tokens(now)) / self.rate

    def enter(self, call: Call, deadline: float) -> Outcome | None:
        """Refuse with `rate limited` where no token is there."""
        return None if self.take(call.now) else Outcome(LIMITED, retry_after=self.wait(call.now))


class LoadShedder(Gate):
    """Lets a request in only if it waits short enough: the less important it is, the shorter.

    Args:
        most_waiting: seconds of waiting by priority, the most important first: (2.0, 0.5) lets priority 0 wait for
            2 s and priority 1 for half a second. Less important ones still are treated as the last.
    """

    def __init__(self, most_waiting: Sequence[float] = (1.0,)) -> None:
        limits = items("most_waiting", most_waiting, "a list of seconds, such as (2.0, 0.5)")
        if not limits:
            raise ValueError("most_waiting must hold at least one limit, got none")
        self.most_waiting = tuple(real("each of most_waiting", limit, at_least=0.0) for limit in limits)

    def __repr__(self) -> str:
        return f"LoadShedder({', '.join(f'{limit:g}' for limit in self.most_waiting)})"

    def admit(self, queue_time: float, priority: int = 0, remaining: float = math.inf) -> bool:
        """Return whether to let a request in.

        Args:
            queue_time: seconds that it has waited, or must expect to wait.
            priority: 0 is the most important.
            remaining: seconds to its deadline; who would wait that long or longer isn't let in.
        """
        return (
            queue_time <= self.most_waiting[min(priority, len(self.most_waiting) - 1)]
            and queue_time < remaining
        )

    def enter(self, call: Call, deadline: float) -> Outcome | None:
        """Refuse with `shed` what has waited for too long."""
        admitted = self.admit(call.queue_time, call.priority, deadline - call.now)
        return None if admitted else Outcome(SHED)


class AdaptiveThrottle(Gate):
    """A client that is refused often begins to refuse by itself, before anything is sent.

    It refuses with probability max(0, (requests − k · accepts) / (requests + 1)), counted over a while; what it refuses
    itself counts as a request: B. Beyer and others, *Site Reliability Engineering*, 2016, chapter 21.

    Args:
        k: with 2, about as many requests as are accepted still reach the server in vain.
        window: seconds after which a request is forgotten.
    """

    def __init__(self, k: float = 2.0, window: float = 120.0) -> None:
        self.k = real("k", k, at_least=1.0)
        self.window = real("window", window, above=0.0)
        self._requests: deque[float] = deque()
        self._accepts: deque[float] = deque()

    def __repr__(self) -> str:
        return f"AdaptiveThrottle({self.k:g})"

    def refusal_probability(self, now: float) -> float:
        """Return how likely it is to refuse the next request."""
        for times in (self._requests, self._accepts):
            while times and times[0] <= now - self.window:
                times.popleft()
        requests, accepts = len(self._requests), len(self._accepts)
        return max(0.0, (requests - self.k * accepts) / (requests + 1))

    def admit(self, now: float, rng: Random) -> bool:
        """Count a request, and say whether to send it."""
        refused = rng.random() < self.refusal_probability(now)
        self._requests.append(now)
        return not refused

    def accepted(self, now: float) -> None:
        """The server took a request, whatever its answer."""
        self._accepts.append(now)

    def enter(self, call: Call, deadline: float) -> Outcome | None:
        """Refuse with `throttled`."""
        if call.rng is None:
            raise ValueError("a call through an AdaptiveThrottle needs rng, such as ctx.rng, got None")
        return None if self.admit(call.now, call.rng) else Outcome(THROTTLED)

    def leave(self, call: Call, ticket: None, outcome: Outcome | None) -> None:
        """Count a good end as accepted."""
        if outcome is not None and outcome.ok:
            self.accepted(call.now)
