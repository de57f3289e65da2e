"""Outlier ejection: a caller leaves out, for a while, those of its servers that do much worse than the others.

As in gRPC's proposal A50 and in Envoy; the defaults are theirs. A breaker judges one server by itself; this compares
them, so that trouble that all of them have ejects nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from dscourse.arguments import node_ids, probability, real, whole


@dataclass
class _Server:
    good: int = 0
    bad: int = 0
    in_a_row: int = 0  # failures
    ejected_at: float | None = None
    times: int = 0  # ejected, less one for each interval in which it was well

    @property
    def calls(self) -> int:
        return self.good + self.bad


class OutlierEjection:
    """Counts results by server, and judges them once an interval.

    A server is ejected if its share of good calls is below the mean of all less `deviations` standard deviations; if
    more than `failure_rate` of its calls failed; or at once, after `consecutive_failures`. It stays out for `base` the
    first time, twice as long the second, and so on, up to `cap`. No more are ejected once `most` of them are, so there
    may always be one.

    Args:
        servers: their names.
        interval: seconds between two judgements; counts begin anew after each.
        base: seconds of a first ejection.
        cap: seconds of the longest.
        most: share of the servers.
        deviations: standard deviations; for servers with 100 calls, if there are five of these.
        failure_rate: for servers with 50 calls, if there are five of these.
        consecutive_failures: failures in a row.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        interval: float = 10.0,
        base: float = 30.0,
        cap: float = 300.0,
        most: float = 0.1,
        deviations: float = 1.9,
        failure_rate: float = 0.85,
        consecutive_failures: int = 5,
    ) -> None:
        self._servers = {name: _Server() for name in node_ids("servers", servers)}
        self._interval = real("interval", interval, above=0.0)
        self._base = real("base", base, above=0.0)
        self._cap = real("cap", cap, at_least=base)
        self._most = probability("most", most)
        self._deviations = real("deviations", deviations, at_least=0.0)
        self._failure_rate = probability("failure_rate", failure_rate)
        self._in_a_row = whole("consecutive_failures", consecutive_failures, at_least=1)
        self._next = self._interval

    def record(self, now: float, server: str, ok: bool) -> None:
        """A call to that server went well, or didn't."""
        self._judge_if_due(now)
        one = self._servers[server]
        one.good, one.bad, one.in_a_row = one.good + ok, one.bad + (not ok), 0 if ok else one.in_a_row + 1
        if one.in_a_row >= self._in_a_row:
            one.in_a_row = 0
            self._eject(now, [one])

    def ejected(self, now: float) -> tuple[str, ...]:
        """Return who is out."""
        self._judge_if_due(now)
        return tuple(name for name, one in self._servers.items() if one.ejected_at is not None)

    def _judge_if_due(self, now: float) -> None:
        while now >= self._next:
            self._judge(self._next)
            self._next += self._interval

    def _judge(self, now: float) -> None:
        busy = self._with_calls(100)
        if busy:
            shares = [one.good / one.calls for one in busy]
            limit = fmean(shares) - self._deviations * pstdev(shares)
            self._eject(now, [one for one, share in zip(busy, shares, strict=True) if share < limit])
        failing = [one for one in self._with_calls(50) if one.bad / one.calls > self._failure_rate]
        self._eject(now, failing)
        for one in self._servers.values():
            one.good = one.bad = 0
            if one.ejected_at is None:
                one.times = max(0, one.times - 1)
            elif now >= one.ejected_at + min(self._base * one.times, max(self._base, self._cap)):
                one.ejected_at = None

    def _with_calls(self, calls: int) -> list[_Server]:
        """Who had that many calls, if there are five of these: fewer can't be compared."""
        busy = [one for one in self._servers.values() if one.calls >= calls]
        return busy if len(busy) >= 5 else []

    def _eject(self, now: float, servers: Sequence[_Server]) -> None:
        for one in servers:
            out = sum(other.ejected_at is not None for other in self._servers.values())
            if one.ejected_at is None and out < max(1.0, self._most * len(self._servers)):
                one.ejected_at, one.times = now, one.times + 1
