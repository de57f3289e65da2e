"""Closed forms of queueing theory: Little's law, Erlang's formulas, M/M/1, M/M/c and M/G/1.

A queue is written arrivals/service/servers: *M* means memoryless (exponential gaps or times), *G* any
distribution. The formulas stand in every textbook, for example L. Kleinrock, *Queueing Systems*, volume 1, 1975,
or M. Harchol-Balter, *Performance Modeling and Design of Computer Systems*, 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dscourse.arguments import probability, real, whole

_MOST_SERVERS = 10_000_000  # counting them one by one takes seconds


def littles_law(
    *,
    in_system: float | None = None,
    arrival_rate: float | None = None,
    time_in_system: float | None = None,
) -> float:
    """Return the third quantity of L = λ·W; give the two others by name.

    J. D. C. Little, *Operations Research* 9(3), 1961. It holds for every system in which what goes in comes out
    again, whatever the order of service and the distributions.

    Args:
        in_system: L, the mean number inside.
        arrival_rate: λ, arrivals per second.
        time_in_system: W, the mean seconds that one spends inside.

    Raises:
        TypeError: not exactly two were given, or one is no number.
        ValueError: negative, not finite, or 0 where it divides.

    Example:
        >>> littles_law(arrival_rate=1000, time_in_system=0.05)
        50.0
    """
    given = {"in_system": in_system, "arrival_rate": arrival_rate, "time_in_system": time_in_system}
    known = {name: real(name, value, at_least=0.0) for name, value in given.items() if value is not None}
    if len(known) != 2:
        raise TypeError(
            f"littles_law takes exactly two of {', '.join(given)} and returns the third; "
            f"got {', '.join(known) or 'none'}"
        )
    if "in_system" not in known:
        return known["arrival_rate"] * known["time_in_system"]
    divisor = "arrival_rate" if "arrival_rate" in known else "time_in_system"
    return known["in_system"] / real(divisor, known[divisor], above=0.0)


def erlang_b(offered_load: float, servers: int) -> float:
    """Return the chance that a call finds all lines busy and is lost (M/M/c/c, Erlang's first formula).

    Args:
        offered_load: arrival rate × mean service time, in erlangs, at least 0.
        servers: number of lines, 0 to 10 million.

    Raises:
        TypeError: not numbers.
        ValueError: out of range.
    """
    load = real("offered_load", offered_load, at_least=0.0)
    lines = whole("servers", servers, at_least=0, at_most=_MOST_SERVERS)
    blocked = 1.0
    for count in range(1, lines + 1):  # a recursion that neither overflows nor cancels
        blocked = load * blocked / (count + load * blocked)
        if blocked == 0.0:
            break
    return blocked


def erlang_c(offered_load: float, servers: int) -> float:
    """Return the chance that an arrival has to wait (M/M/c, Erlang's second formula).

    Args:
        offered_load: arrival rate × mean service time, in erlangs, at least 0 and below ``servers``.
        servers: number of servers, 1 to 10 million.

    Raises:
        TypeError: not numbers.
        ValueError: out of range, or a load that the servers can't carry: then the queue grows without end.
    """
    load = real("offered_load", offered_load, at_least=0.0)
    count = whole("servers", servers, at_least=1, at_most=_MOST_SERVERS)
    if load >= count:
        raise ValueError(
            f"offered_load must be below the number of servers, got {load:g} for {count}: "
            "the queue would grow without end"
        )
    blocked = erlang_b(load, count)
    return count * blocked / (count - load * (1.0 - blocked))


@dataclass(frozen=True)
class SteadyQueue:
    """What a formula says about a queue that has been running for long; times in seconds.

    Attributes:
        arrival_rate: arrivals per second.
        service_rate: what one server completes per second while it is busy.
        servers: how many servers share the one line.
        utilization: the share of time that a server is busy.
        probability_of_waiting: the chance that an arrival finds no server free.
        waiting_time: mean seconds in the line.
        sojourn_time: mean seconds in all, line and service.
        waiting: mean number in the line.
        in_system: mean number in all.
    """

    arrival_rate: float
    service_rate: float
    servers: int
    utilization: float
    probability_of_waiting: float
    waiting_time: float
    sojourn_time: float
    waiting: float
    in_system: float


@dataclass(frozen=True)
class MarkovQueue(SteadyQueue):
    """An M/M/c queue, of which also the whole distribution is known."""

    def sojourn_quantile(self, quantile: float) -> float:
        """Return the seconds within which a share ``quantile`` of arrivals is done, for example 0.99."""
        from scipy import optimize

        share = probability("quantile", quantile, inside=True)
        high = self.sojourn_time
        while self.sojourn_exceeds(high) > 1.0 - share:
            high *= 2.0
        return float(
            optimize.brentq(lambda t: self.sojourn_exceeds(t) - (1.0 - share), 0.0, high, xtol=1e-14 * high)
        )

    def sojourn_exceeds(self, seconds: float) -> float:
        """Return the chance of spending longer than that, in line and service together."""
        t = real("seconds", seconds, at_least=0.0)
        mu, spare = self.service_rate, self.servers * self.service_rate - self.arrival_rate
        alone = math.exp(-mu * t)
        if abs(spare - mu) < 1e-9 * mu:  # the limit of the expression below
            return alone + self.probability_of_waiting * mu * t * alone
        queued = mu * (math.exp(-spare * t) - alone) / (mu - spare)
        return alone + self.probability_of_waiting * queued


def mm1(arrival_rate: float, service_rate: float) -> MarkovQueue:
    """Return the steady state of one server with Poisson arrivals and exponential service times.

    Args:
        arrival_rate: arrivals per second, above 0 and below ``service_rate``.
        service_rate: what the server completes per second while it is busy.

    Raises:
        TypeError: not numbers.
        ValueError: out of range, or more arrivals than the server can carry.
    """
    return mmc(arrival_rate, service_rate, 1)


def mmc(arrival_rate: float, service_rate: float, servers: int) -> MarkovQueue:
    """Return the steady state of several servers that share one line (M/M/c).

    Args:
        arrival_rate: arrivals per second, above 0 and below ``servers`` · ``service_rate``.
        service_rate: what one server completes per second while it is busy.
        servers: how many there are, at least 1.

    Raises:
        TypeError: not numbers.
        ValueError: out of range, or more arrivals than the servers can carry.
    """
    arrivals = real("arrival_rate", arrival_rate, above=0.0)
    mu = real("service_rate", service_rate, above=0.0)
    count = whole("servers", servers, at_least=1, at_most=_MOST_SERVERS)
    _refuse_overload(arrivals, count * mu)
    wait_chance = erlang_c(min(arrivals / mu, math.nextafter(count, 0.0)), count)  # a quotient may round up
    waiting_time = wait_chance / (count * mu - arrivals)
    return MarkovQueue(
        arrival_rate=arrivals,
        service_rate=mu,
        servers=count,
        utilization=arrivals / (count * mu),
        probability_of_waiting=wait_chance,
        waiting_time=waiting_time,
        sojourn_time=waiting_time + 1.0 / mu,
        waiting=arrivals * waiting_time,
        in_system=arrivals * (waiting_time + 1.0 / mu),
    )


def mg1(arrival_rate: float, mean_service_time: float, squared_variation: float) -> SteadyQueue:
    """Return the steady state of one server with Poisson arrivals and any service times (Pollaczek and Khinchine).

    Args:
        arrival_rate: arrivals per second, above 0.
        mean_service_time: seconds, above 0; times ``arrival_rate`` it must be below 1.
        squared_variation: variance of the service times over their squared mean: 0 if all are equal, 1 if
            exponential.

    Raises:
        TypeError: not numbers.
        ValueError: out of range, or more arrivals than the server can carry.
    """
    arrivals = real("arrival_rate", arrival_rate, above=0.0)
    mean = real("mean_service_time", mean_service_time, above=0.0)
    variation = real("squared_variation", squared_variation, at_least=0.0)
    _refuse_overload(arrivals, 1.0 / mean)
    busy = arrivals * mean
    waiting_time = busy / (1.0 - busy) * (1.0 + variation) / 2.0 * mean
    return SteadyQueue(
        arrival_rate=arrivals,
        service_rate=1.0 / mean,
        servers=1,
        utilization=busy,
        probability_of_waiting=busy,
        waiting_time=waiting_time,
        sojourn_time=waiting_time + mean,
        waiting=arrivals * waiting_time,
        in_system=arrivals * (waiting_time + mean),
    )


def _refuse_overload(arrivals: float, capacity: float) -> None:
    if arrivals >= capacity:
        raise ValueError(
            f"arrival_rate must be below what the servers complete, got {arrivals:g} for {capacity:g} per second: "
            "the queue would grow without end"
        )
