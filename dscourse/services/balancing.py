"""Which server gets the next request? Four policies, with a view of the load that may be old or partial.

Requests come at random (Poisson) to one balancer or several, which pass each on at once to one of many servers. A
server works on one request at a time, in order of arrival; the others wait there and can't go elsewhere. Times are in
units of the mean service time.

Two choices: M. Mitzenmacher, *The power of two choices in randomized load balancing*, IEEE TPDS 12(10), 2001, and
N. Vvedenskaya, R. Dobrushin, F. Karpelevich, 1996. Old views: M. Mitzenmacher, *How useful is old information?*, IEEE
TPDS 11(1), 2000.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from dscourse.arguments import instance, numbers, one_of, probability, real, same_length, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dscourse.arguments import Floats

POLICIES = ("random", "round robin", "least connections", "two choices")
TIES = ("random", "lowest")
_NEVER = (math.inf, -1)  # at the end of a heap of departures, so that it is never empty
_WARM_UP = 0.1  # the share of the requests, from the first on, that is simulated and not counted


@dataclass(frozen=True, eq=False)
class BalancingResult:
    """Where each request went and how long it took; times in mean service times, requests in order of arrival.

    The system starts empty, so the first tenth of the requests is a warm-up: it is kept here, and left out of
    `mean_time`, `quantile`, `waiting_share` and `shares`. The more slowly a policy settles, the more of the start is
    left in: with "random" at load 0.9 and 2 000 requests a server, the mean comes out some per cent low.

    Attributes:
        policy: the policy.
        servers: how many servers there are.
        arrival_times: when each request came.
        chosen: the number of the server that it went to, from 0.
        service_times: how long it was worked on.
        times: how long it took in all, waiting and work.
        warm_up: how many of the first requests don't count.
    """

    policy: str
    servers: int
    arrival_times: Floats
    chosen: NDArray[np.int64]
    service_times: Floats
    times: Floats
    warm_up: int

    @property
    def mean_time(self) -> float:
        """Mean time that a request took."""
        return float(self.times[self.warm_up :].mean())

    @property
    def waiting_share(self) -> float:
        """The share of requests that had to wait at all."""
        waits = self.times - self.service_times
        return float((waits[self.warm_up :] > 1e-9).mean())

    @property
    def shares(self) -> Floats:
        """The share of the requests that each server got."""
        counts = np.bincount(self.chosen[self.warm_up :], minlength=self.servers)
        return np.asarray(counts / counts.sum(), dtype=np.float64)

    def quantile(self, q: float) -> float:
        """Return the time that a share `q` of the requests stayed within."""
        return float(np.quantile(self.times[self.warm_up :], probability("q", q)))

    def open_requests(self, moments: Sequence[float] | Floats) -> NDArray[np.int64]:
        """Return how many requests each server holds at each moment: one row a moment, one column a server."""
        when = numbers("moments", moments, row=True)
        departures = self.arrival_times + self.times
        held = np.zeros((when.size, self.servers), np.int64)
        for server in range(self.servers):
            own = self.chosen == server
            came = np.searchsorted(self.arrival_times[own], when, side="right")
            held[:, server] = came - np.searchsorted(np.sort(departures[own]), when, side="right")
        return held

    def __repr__(self) -> str:
        return (
            f"BalancingResult({self.policy}: {self.times.size} requests, {self.servers} servers; mean "
            f"{self.mean_time:.4g}, p99 {self.quantile(0.99):.4g} service times)"
        )


def simulate_balancing(
    policy: str,
    *,
    servers: int = 100,
    load: float = 0.9,
    view_age: float = 0.0,
    balancers: int = 1,
    ties: str = "random",
    requests: int = 200_000,
    seed: int = 0,
    service_factors: Mapping[int, float] | None = None,
    gaps: Sequence[float] | Floats | None = None,
    work: Sequence[float] | Floats | None = None,
) -> BalancingResult:
    """Send requests through a load balancer and return where they went and how long they took.

    The same seed gives every policy the same arrivals, and the n-th request the same amount of work.

    Args:
        policy: "random", "round robin", "least connections" (the fewest open requests) or "two choices" (of two
            different servers, drawn at random, the one with fewer open requests).
        servers: how many.
        load: mean work that comes, over what all the servers can do; above 0.
        view_age: the balancer's counts are copied every so many service times and stay as they are in between: what
            it has sent itself since isn't added either. 0: it always sees the present.
        balancers: each request comes to one of them at random, which sees only what it has open itself.
        ties: of equal counts, one at "random" or the "lowest" number.
        requests: how many.
        seed: of the random numbers.
        service_factors: {server: factor} for servers that take longer (2.0) or, since they fail at once, shorter
            (0.01) than the rest. The load is reckoned without it.
        gaps: times between arrivals, such as those of a trace, in any unit: only their proportions count.
        work: what each request takes, in proportion; by default it is exponential.

    Raises:
        LookupError: no such server in `service_factors`.
        TypeError, ValueError: what is wrong with an argument.
    """
    one_of("policy", policy, POLICIES)
    one_of("ties", ties, TIES)
    count = whole("servers", servers, at_least=1)
    rate = count * real("load", load, above=0.0)
    age = real("view_age", view_age, at_least=0.0)
    several = whole("balancers", balancers, at_least=1)
    rng = np.random.default_rng([whole("seed", seed, at_least=0), 3])
    size = whole("requests", requests, at_least=10)
    came, needs = _drawn(rng, size, rate, gaps, work)
    number = came.size
    factors = _factors(service_factors, count)
    at = rng.integers(0, several, number) if several > 1 else np.zeros(number, np.int64)
    if policy == "random":
        chosen = rng.integers(0, count, number)
    elif policy == "round robin":
        chosen = _by_turns(at, several, count, rng)
    else:
        system = _System(came, needs, at, count, several, factors.tolist(), age, ties == "lowest")
        pick = _least_connections if policy == "least connections" and age == 0.0 else _with_view
        if policy == "two choices" and age == 0.0 and several == 1:
            pick = _two_choices
        chosen = pick(system, rng, policy)
    needs = needs * factors[chosen]
    times = _times_at_servers(came, needs, chosen, count)
    return BalancingResult(policy, count, came, chosen, needs, times, int(_WARM_UP * number))


def _drawn(
    rng: np.random.Generator,
    size: int,
    rate: float,
    gaps: Sequence[float] | Floats | None,
    work: Sequence[float] | Floats | None,
) -> tuple[Floats, Floats]:
    """Return when requests come and what each takes, in mean service times."""
    if gaps is not None:
        given = numbers("gaps", gaps, at_least=0.0, row=True)
        size = given.size
    if work is not None:
        needs = numbers("work", work, at_least=0.0, row=True)
        if gaps is not None:
            same_length("gaps", given, "work", needs)
        needs, size = needs / needs.mean(), needs.size
    came = np.cumsum(rng.exponential(1.0 / rate, size) if gaps is None else given / (given.mean() * rate))
    return came, rng.exponential(1.0, size) if work is None else needs


def _factors(given: Mapping[int, float] | None, servers: int) -> Floats:
    factors = np.ones(servers)
    example = "a dict such as {0: 2.0}"
    for server, factor in instance("service_factors", given or {}, Mapping, example).items():
        if server not in range(servers):
            raise LookupError(f"There is no server {server!r}; they are numbered from 0 to {servers - 1}.")
        factors[server] = real(f"the factor of server {server}", factor, above=0.0)
    return factors


def _by_turns(
    at: NDArray[np.int64], balancers: int, servers: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Round robin; each balancer begins at a server of its own."""
    chosen = np.empty(at.size, np.int64)
    for balancer, first in enumerate(rng.integers(0, servers, balancers).tolist()):
        own = np.flatnonzero(at == balancer)
        chosen[own] = (first + np.arange(own.size)) % servers
    return chosen


def _times_at_servers(came: Floats, needs: Floats, chosen: NDArray[np.int64], servers: int) -> Floats:
    """Each server is a line of its own: Lindley's recursion, for all of them."""
    times = np.empty(came.size)
    order = np.argsort(chosen, kind="stable")
    ends = np.cumsum(np.bincount(chosen, minlength=servers))
    for own in np.split(order, ends[:-1]):
        if own.size:
            done = np.cumsum(needs[own])
            # a request is done when the work since the last idle moment is: max over k ≤ n of a(k) + S(k) + … + S(n)
            times[own] = done + np.maximum.accumulate(came[own] - done + needs[own]) - came[own]
    return times


@dataclass(frozen=True, eq=False)
class _System:
    came: Floats
    needs: Floats
    at: NDArray[np.int64]
    servers: int
    balancers: int
    factors: list[float]
    age: float
    lowest: bool


def _two_choices(system: _System, rng: np.random.Generator, _policy: str) -> NDArray[np.int64]:
    """Look at two servers and forget what has left them: nobody else need be looked at."""
    came, needs, factors, lowest = system.came.tolist(), system.needs.tolist(), system.factors, system.lowest
    firsts, seconds = _pairs(rng, system.servers, len(came))
    held = [deque[float]() for _ in range(system.servers)]  # when what it holds will be done, in order
    chosen = []
    for now, need, first, second in zip(came, needs, firsts, seconds, strict=True):
        one, other = held[first], held[second]
        while one and one[0] <= now:
            one.popleft()
        while other and other[0] <= now:
            other.popleft()
        a, b = len(one), len(other)
        if b < a or (a == b and lowest and second < first):
            first, one = second, other
        chosen.append(first)
        one.append((one[-1] if one else now) + need * factors[first])
    return np.array(chosen)


def _least_connections(system: _System, rng: np.random.Generator, _policy: str) -> NDArray[np.int64]:
    """Keep the servers in groups of equal count, for each balancer, so that the least is at hand."""
    came, needs, at = system.came.tolist(), system.needs.tolist(), system.at.tolist()
    n, factors, lowest = system.servers, system.factors, system.lowest
    counts = [0] * (n * system.balancers)  # of balancer b and server s at b·n + s
    groups = [[list(range(b * n, b * n + n))] for b in range(system.balancers)]
    place = list(range(n)) * system.balancers  # in its group
    least = [0] * system.balancers
    free = [0.0] * n
    leaving, soonest = [_NEVER], math.inf
    luck = rng.random(len(came)).tolist()
    chosen = []
    for now, need, balancer, draw in zip(came, needs, at, luck, strict=True):
        while soonest <= now:  # what follows is written out twice: a call would cost a third of the time
            index = heappop(leaving)[1]
            soonest = leaving[0][0]
            theirs, count = groups[index // n], counts[index]
            group, where = theirs[count], place[index]
            group[where] = last = group[-1]
            place[last] = where
            group.pop()
            counts[index] = count = count - 1
            place[index] = len(theirs[count])
            theirs[count].append(index)
            if count < least[index // n]:
                least[index // n] = count
        own, low = groups[balancer], least[balancer]
        while not own[low]:
            low += 1
        least[balancer] = low
        group = own[low]
        where = group.index(min(group)) if lowest else int(draw * len(group))
        index = group[where]
        group[where] = last = group[-1]
        place[last] = where
        group.pop()
        counts[index] = low = low + 1
        if low == len(own):
            own.append([])
        place[index] = len(own[low])
        own[low].append(index)
        server = index % n
        done = free[server]
        free[server] = done = (now if done < now else done) + need * factors[server]
        heappush(leaving, (done, index))
        if done < soonest:
            soonest = done
        chosen.append(server)
    return np.array(chosen)


def _with_view(system: _System, rng: np.random.Generator, policy: str) -> NDArray[np.int64]:
    """Choose by counts that were copied some time ago, or that only tell of one's own requests."""
    came, needs, at = system.came.tolist(), system.needs.tolist(), system.at.tolist()
    n, factors, lowest, age = system.servers, system.factors, system.lowest, system.age
    two = policy == "two choices"
    firsts, seconds = _pairs(rng, n, len(came))
    luck = rng.random(len(came)).tolist()
    counts = [0] * (n * system.balancers)
    view = counts if age == 0.0 else counts[:]
    best: dict[int, list[int]] = {}  # of each balancer, by the present view
    free = [0.0] * n
    leaving = [_NEVER]
    next_look = age
    chosen = []
    for now, need, balancer, draw, first, second in zip(came, needs, at, luck, firsts, seconds, strict=True):
        if age and now >= next_look:
            next_look = math.floor(now / age) * age
            while leaving[0][0] <= next_look:
                counts[heappop(leaving)[1]] -= 1
            view, best, next_look = counts[:], {}, next_look + age
        while leaving[0][0] <= now:
            counts[heappop(leaving)[1]] -= 1
        start = balancer * n
        if two:
            a, b = view[start + first], view[start + second]
            server = second if b < a or (a == b and lowest and second < first) else first
        else:
            group = best.get(balancer)
            if group is None:
                own = view[start : start + n]
                low = min(own)
                group = best[balancer] = [s for s, count in enumerate(own) if count == low]
            server = group[0] if lowest else group[int(draw * len(group))]
        done = free[server]
        free[server] = done = (now if done < now else done) + need * factors[server]
        counts[start + server] += 1
        heappush(leaving, (done, start + server))
        chosen.append(server)
    return np.array(chosen)


def _pairs(rng: np.random.Generator, servers: int, size: int) -> tuple[list[int], list[int]]:
    """Draw pairs of different servers; of one server there is only that one."""
    first = rng.integers(0, servers, size)
    step = rng.integers(1, servers, size) if servers > 1 else np.zeros(size, np.int64)
    return first.tolist(), ((first + step) % servers).tolist()
