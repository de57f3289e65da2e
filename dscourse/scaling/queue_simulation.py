"""Simulate one line in front of one or more servers, customer by customer.

With one server the waiting times follow from Lindley's recursion W(n+1) = max(0, W(n) + S(n) − T(n+1)) (D. V.
Lindley, 1952), which is a running minimum of a sum and needs no loop. With several, a heap holds the moments at
which servers become free (J. Kiefer and J. Wolfowitz, 1955).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

import numpy as np

from dscourse.arguments import numbers, same_length, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dscourse.arguments import Floats


@dataclass(frozen=True, eq=False)
class QueueResult:
    """What happened to each customer; times in seconds, in order of arrival.

    Attributes:
        arrival_times: when each customer that was let in came.
        waiting_times: how long it stood in line.
        service_times: how long it was served.
        servers: number of servers.
        accepted: one boolean per arrival: False if it was turned away because the line was full.
    """

    arrival_times: Floats
    waiting_times: Floats
    service_times: Floats
    servers: int
    accepted: NDArray[np.bool_] = field(repr=False)

    @property
    def sojourn_times(self) -> Floats:
        """Time in all, line and service."""
        return self.waiting_times + self.service_times

    @property
    def departure_times(self) -> Floats:
        """When each customer left; with several servers not in order."""
        return self.arrival_times + self.sojourn_times

    @property
    def duration(self) -> float:
        """From the first arrival until the last has left: a window that starts and ends empty."""
        return float(self.departure_times.max() - self.arrival_times[0])

    @property
    def utilization(self) -> float:
        """The share of that window in which a server was busy."""
        return _share(float(self.service_times.sum()), self.servers * self.duration)

    def __repr__(self) -> str:
        refused = int(self.accepted.size - self.accepted.sum())
        turned_away = f", {refused} turned away" if refused else ""
        return (
            f"QueueResult({self.arrival_times.size} customers, {self.servers} servers{turned_away}: utilization "
            f"{self.utilization:.3f}, mean wait {self.waiting_times.mean():.4g} s, "
            f"mean sojourn {self.sojourn_times.mean():.4g} s)"
        )


def simulate_queue(
    interarrival_times: Sequence[float] | Floats,
    service_times: Sequence[float] | Floats,
    servers: int = 1,
    *,
    queue_limit: int | None = None,
) -> QueueResult:
    """Send customers through one line in front of one or more servers, first come, first served.

    A million customers take a fraction of a second with one server, and about a second with several.

    Args:
        interarrival_times: seconds between one arrival and the next; the first customer comes after the first of
            them.
        service_times: seconds that each customer needs, in order of arrival.
        servers: how many serve, at least 1.
        queue_limit: who finds so many waiting is turned away; by default nobody is.

    Raises:
        TypeError: not numbers.
        ValueError: empty, negative, NaN or infinite times; not as many of one as of the other; fewer than one server.

    Example:
        >>> simulate_queue([0, 1, 1], [2, 2, 2]).waiting_times
        array([0., 1., 2.])
    """
    gaps = numbers("interarrival_times", interarrival_times, at_least=0.0, row=True)
    service = numbers("service_times", service_times, at_least=0.0, row=True)
    same_length("interarrival_times", gaps, "service_times", service)
    count = whole("servers", servers, at_least=1)
    limit = None if queue_limit is None else whole("queue_limit", queue_limit, at_least=0)
    arrivals = np.cumsum(gaps)
    if limit is not None:
        waiting, accepted = _bounded_line(arrivals, service, count, limit)
        return QueueResult(arrivals[accepted], waiting[accepted], service[accepted], count, accepted)
    waiting = _one_server(gaps, service) if count == 1 else _several_servers(arrivals, service, count)
    return QueueResult(arrivals, waiting, service, count, np.ones(arrivals.size, bool))


def _one_server(gaps: Floats, service: Floats) -> Floats:
    # Nobody waits for longer than all the work there is: a longer gap empties the line and says no more than that.
    # Cut short, it can't drown the short times that follow in a huge sum.
    gaps = np.minimum(gaps, service.sum())
    backlog = np.empty(gaps.size)
    backlog[0] = 0.0
    np.cumsum(service[:-1] - gaps[1:], out=backlog[1:])
    return np.asarray(backlog - np.minimum.accumulate(backlog), dtype=np.float64)


def _several_servers(arrivals: Floats, service: Floats, servers: int) -> Floats:
    free = [float(arrivals[0])] * min(servers, arrivals.size)
    waiting: list[float] = []
    append = waiting.append
    for now, needed in zip(arrivals.tolist(), service.tolist(), strict=True):
        earliest = free[0]
        if earliest > now:
            append(earliest - now)
            heapreplace(free, earliest + needed)
        else:
            append(0.0)
            heapreplace(free, now + needed)
    return np.array(waiting)


def _bounded_line(
    arrivals: Floats, service: Floats, servers: int, limit: int
) -> tuple[Floats, NDArray[np.bool_]]:
    free = [float(arrivals[0])] * min(servers, arrivals.size)
    heapify(free)
    starts: deque[float] = deque()  # of those who still wait; first come, first served keeps them in order
    waiting, accepted = np.zeros(arrivals.size), np.ones(arrivals.size, bool)
    for index, (now, needed) in enumerate(zip(arrivals.tolist(), service.tolist(), strict=True)):
        earliest = free[0]
        if earliest <= now:
            heapreplace(free, now + needed)
            continue
        while starts and starts[0] <= now:
            starts.popleft()
        if len(starts) >= limit:
            accepted[index] = False
            continue
        starts.append(earliest)
        waiting[index] = earliest - now
        heapreplace(free, earliest + needed)
    return waiting, accepted


def _share(part: float, whole_of_it: float) -> float:
    return part / whole_of_it if whole_of_it > 0.0 else float("nan")
