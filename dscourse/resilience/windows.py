"""What went well of late: the last calls, or the calls of the last seconds."""

from __future__ import annotations

import math
from collections import deque

from dscourse.arguments import real, whole


class SlidingWindow:
    """Remembers the last `count` calls, or those of the last `seconds`.

    Seconds are counted in whole ones of the clock, this one included: with `seconds=20`, at 30.4 s the window begins
    at 11.0 s.

    Args:
        count: calls.
        seconds: whole ones.

    Raises:
        TypeError: neither is given, or both are.
    """

    def __init__(self, count: int | None = None, *, seconds: int | None = None) -> None:
        if (count is None) == (seconds is None):
            raise TypeError("SlidingWindow needs either count= or seconds=, such as SlidingWindow(count=100)")
        self.count = None if count is None else whole("count", count, at_least=1)
        self.seconds = None if seconds is None else whole("seconds", seconds, at_least=1)
        self._calls: deque[tuple[int, bool, float]] = deque()  # (whole second, ok, duration)
        self._failures = 0

    def record(self, now: float, ok: bool, duration: float = 0.0) -> None:
        """A call has ended, after so many seconds."""
        self._calls.append((math.floor(now), bool(ok), duration))
        self._failures += not ok
        self._forget(now)

    def calls(self, now: float) -> int:
        """Return how many calls it remembers."""
        self._forget(now)
        return len(self._calls)

    def failure_rate(self, now: float) -> float:
        """Return the share of them that failed, from 0 to 1; nan without calls."""
        calls = self.calls(now)
        return self._failures / calls if calls else math.nan

    def slow_rate(self, now: float, slower_than: float) -> float:
        """Return the share of them that took longer than so many seconds, from 0 to 1; nan without calls."""
        limit = real("slower_than", slower_than, at_least=0.0)
        calls = self.calls(now)
        return sum(duration > limit for *_, duration in self._calls) / calls if calls else math.nan

    def mean_duration(self, now: float) -> float:
        """Return how many seconds they took in the mean; nan without calls."""
        calls = self.calls(now)
        return math.fsum(duration for *_, duration in self._calls) / calls if calls else math.nan

    def _forget(self, now: float) -> None:
        while self._calls and self._is_old(now):
            self._failures -= not self._calls.popleft()[1]

    def _is_old(self, now: float) -> bool:
        if self.count is not None:
            return len(self._calls) > self.count
        assert self.seconds is not None  # noqa: S101 - one of the two is given
        return self._calls[0][0] <= math.floor(now) - self.seconds
