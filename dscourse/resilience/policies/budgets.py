"""Retry budgets: how many retries a client may make in all, so that retries can't multiply an overload.

Four, as four real systems have them. All answer the same questions: `begin` says that a call begins, `may_retry` asks
for one more attempt, and each attempt ends with `success`, `failure` or `abandoned` (nobody waited for the answer, or
it was never sent). `retry=` says whether the attempt was a retry; if it is left out, an attempt counts as a retry as
long as there are granted ones that haven't ended.
"""

from __future__ import annotations

from collections import deque

from dscourse.arguments import real, whole


class RetryBudget:
    """Grants every retry; the others refuse some. `granted` counts them."""

    def __init__(self) -> None:
        self.granted = 0
        self._under_way = 0  # retries

    @property
    def tokens(self) -> float:
        """What is left, in the units of this budget."""
        return float("inf")

    def begin(self, now: float) -> None:
        """A call begins, with its first attempt."""

    def may_retry(self, now: float) -> bool:
        """Return whether one more attempt may be made now; if so, it must be made, or be `abandoned`."""
        if not self._grant(now):
            return False
        self.granted += 1
        self._under_way += 1
        return True

    def success(self, now: float, *, retry: bool | None = None) -> None:
        """An attempt succeeded."""
        self._ended(now, ok=True, retry=self._was_retry(retry))

    def failure(self, now: float, *, retry: bool | None = None) -> None:
        """An attempt failed, or was waited for in vain."""
        self._ended(now, ok=False, retry=self._was_retry(retry))

    def abandoned(self, now: float, *, retry: bool | None = None) -> None:
        """An attempt ended without a result."""
        self._ended(now, ok=None, retry=self._was_retry(retry))

    def _was_retry(self, said: bool | None) -> bool:
        retry = self._under_way > 0 if said is None else said
        if retry:
            self._under_way = max(0, self._under_way - 1)
        return retry

    def _grant(self, now: float) -> bool:
        return True

    def _ended(self, now: float, *, ok: bool | None, retry: bool) -> None:
        pass


class _GrpcThrottle(RetryBudget):
    """Kept in thousandths of a token, as gRPC does, so that sums are exact."""

    def __init__(self, max_tokens: int, ratio: float) -> None:
        super().__init__()
        self._most = self._left = 1_000 * max_tokens
        self._ratio = round(1_000 * ratio)

    @property
    def tokens(self) -> float:
        return self._left / 1_000

    def _grant(self, now: float) -> bool:
        return 2 * self._left > self._most

    def _ended(self, now: float, *, ok: bool | None, retry: bool) -> None:
        if ok is not None:
            self._left = min(self._most, self._left + self._ratio) if ok else max(0, self._left - 1_000)


def grpc_throttle(max_tokens: int, ratio: float) -> RetryBudget:
    """Return gRPC's retry throttle (proposal A6, *gRPC Retry Design*).

    A failed attempt takes one token, a good one gives `ratio` back; there is no retry with half of the tokens or fewer.

    Args:
        max_tokens: 1 to 1000; it begins with all of them.
        ratio: tokens a success; three digits after the point count.
    """
    most = whole("max_tokens", max_tokens, at_least=1, at_most=1_000)
    return _GrpcThrottle(most, real("ratio", ratio, above=0.0))


class _AwsQuota(RetryBudget):
    def __init__(self, capacity: int, cost: int) -> None:
        super().__init__()
        self._most = self._left = capacity
        self._cost = cost

    def _was_retry(self, said: bool | None) -> bool:
        if said is not None:
            return super()._was_retry(said)
        retry, self._under_way = self._under_way > 0, 0  # it has one call, and that one last retry
        return retry

    @property
    def tokens(self) -> float:
        return self._left

    def _grant(self, now: float) -> bool:
        if self._left < self._cost:
            return False
        self._left -= self._cost
        return True

    def _ended(self, now: float, *, ok: bool | None, retry: bool) -> None:
        if ok and retry:
            self._left = min(self._most, self._left + self._cost)


def aws_retry_quota(capacity: int = 500, cost: int = 5) -> RetryBudget:
    """Return the retry quota of AWS's SDKs (standard retry mode).

    A retry takes its cost from the quota; a call that succeeds gives back the cost of its last retry. Failures do
    nothing more.

    Args:
        capacity: tokens; it begins with all of them.
        cost: tokens a retry.
    """
    return _AwsQuota(whole("capacity", capacity, at_least=0), whole("cost", cost, at_least=1))


class _FinagleBudget(RetryBudget):
    """Kept in thousandths of a retry, so that sums are exact."""

    def __init__(self, ratio: float, per_second: float, window: float) -> None:
        super().__init__()
        self._deposit, self._window = round(1_000 * ratio), window
        self._left = round(1_000 * per_second * window)
        self._moves: deque[tuple[float, int]] = deque()

    @property
    def tokens(self) -> float:
        return self._left / 1_000

    def _move(self, now: float, thousandths: int) -> None:
        self._moves.append((now, thousandths))
        self._left += thousandths

    def _grant(self, now: float) -> bool:
        while self._moves and self._moves[0][0] <= now - self._window:
            self._left -= self._moves.popleft()[1]
        if self._left < 1_000:
            return False
        self._move(now, -1_000)
        return True

    def _ended(self, now: float, *, ok: bool | None, retry: bool) -> None:
        if not retry:
            self._move(now, self._deposit)


def finagle_budget(ratio: float = 0.2, retries_per_second: float = 10.0, window: float = 10.0) -> RetryBudget:
    """Return Finagle's retry budget: in any window, a share of the calls, and a few more.

    Args:
        ratio: retries a call.
        retries_per_second: granted whatever the calls; those of a whole window may come at once.
        window: seconds after which calls and retries are forgotten.
    """
    return _FinagleBudget(
        real("ratio", ratio, at_least=0.0),
        real("retries_per_second", retries_per_second, at_least=0.0),
        real("window", window, above=0.0),
    )


class _EnvoyBudget(RetryBudget):
    def __init__(self, percent: float, floor: int) -> None:
        super().__init__()
        self._percent, self._floor = percent, floor
        self._active = 0  # attempts under way

    @property
    def tokens(self) -> float:
        return self._limit() - self._under_way

    def _limit(self) -> int:
        return max(self._floor, int(self._percent * self._active / 100))

    def begin(self, now: float) -> None:
        self._active += 1

    def _grant(self, now: float) -> bool:
        if self._under_way >= self._limit():
            return False
        self._active += 1
        return True

    def _ended(self, now: float, *, ok: bool | None, retry: bool) -> None:
        self._active = max(0, self._active - 1)


def envoy_budget(percent: float = 20.0, min_retry_concurrency: int = 3) -> RetryBudget:
    """Return Envoy's retry budget: so many retries at one time, as a share of all that is under way.

    Args:
        percent: of the attempts under way, retries among them.
        min_retry_concurrency: retries at one time, however little is under way.
    """
    return _EnvoyBudget(
        real("percent", percent, at_least=0.0, at_most=100.0),
        whole("min_retry_concurrency", min_retry_concurrency, at_least=0),
    )
