"""How a load balancer picks a server: a function of what it sees, and of luck.

    def pick(view, rng):
        return min(view.servers, key=view.open_requests.get)      # and what is wrong with that?

A policy is called like that. Those that keep something in mind from one request to the next are classes, of which each
balancer makes one for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dscourse.partitioning import ConsistentHashRing


@dataclass(frozen=True)
class View:
    """What a balancer knows when it picks a server for a request.

    Attributes:
        servers: those that may be picked, in order.
        open_requests: {server: how many requests it holds}, as far as this balancer knew when it last looked.
        failures: {server: how many of its last ten answers said that it failed}; no answer in time counts as such.
        answers: {server: how many of these there have been in all}; a newcomer has none.
        tried: servers that this very request was sent to already, in vain.
        key: what the request is about, such as its session; "" if it doesn't say.
    """

    servers: tuple[str, ...]
    open_requests: Mapping[str, int]
    failures: Mapping[str, int]
    answers: Mapping[str, int]
    tried: tuple[str, ...] = ()
    key: str = ""


Policy: TypeAlias = Callable[[View, Random], str]


class RandomChoice:
    """Any server, whatever its load."""

    def __call__(self, view: View, rng: Random) -> str:
        """Pick."""
        return _any_of(view.servers, rng)


class RoundRobin:
    """One after the other, beginning anywhere, so that several balancers don't go in step."""

    def __init__(self) -> None:
        self._next = -1

    def __call__(self, view: View, rng: Random) -> str:
        """Pick."""
        self._next = int(rng.random() * len(view.servers)) if self._next < 0 else self._next + 1
        return view.servers[self._next % len(view.servers)]


class LeastConnections:
    """The one with the fewest open requests, as far as is known.

    Args:
        ties: of equal counts, one at "random", or the "lowest" in order.
    """

    def __init__(self, ties: str = "random") -> None:
        self._ties = ties

    def __call__(self, view: View, rng: Random) -> str:
        """Pick."""
        least = min(view.open_requests[server] for server in view.servers)
        best = [server for server in view.servers if view.open_requests[server] == least]
        return best[0] if self._ties == "lowest" else _any_of(best, rng)


class PowerOfTwoChoices:
    """Of two servers drawn at random the one with fewer open requests."""

    def __call__(self, view: View, rng: Random) -> str:
        """Pick."""
        first = int(rng.random() * len(view.servers))
        if len(view.servers) == 1:
            return view.servers[first]
        second = (first + 1 + int(rng.random() * (len(view.servers) - 1))) % len(view.servers)
        a, b = view.servers[first], view.servers[second]
        return b if view.open_requests[b] < view.open_requests[a] else a


class Affinity:
    """The same server for the same key, by consistent hashing: whoever has its session in memory gets it again."""

    def __init__(self) -> None:
        self._ring: ConsistentHashRing | None = None

    def __call__(self, view: View, rng: Random) -> str:
        """Pick."""
        from dscourse.partitioning import ConsistentHashRing

        if self._ring is None or self._ring.nodes != view.servers:
            self._ring = ConsistentHashRing(view.servers)
        return self._ring.owner(view.key)


def _any_of(servers: tuple[str, ...] | list[str], rng: Random) -> str:
    return servers[int(rng.random() * len(servers))]
