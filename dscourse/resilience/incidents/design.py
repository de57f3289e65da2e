"""What protects a system of services, as switches: four levels of defense in depth, each with a model behind it.

bare = Design()
better = Design(timeout=True, retry_budget=True)
everything = Design.with_levels(*LEVELS)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from dscourse.arguments import one_of, truth

#: The switches of each level, from the request outwards.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "application": ("validation", "idempotency", "fallback", "single_flight"),
    "service": (
        "timeout",
        "deadline",
        "backoff",
        "retry_budget",
        "breaker",
        "bulkhead",
        "shedding",
        "rate_limit",
        "hedging",
    ),
    "infrastructure": ("zones", "health_checks", "backups"),
    "process": ("alert", "runbook", "canary", "post_mortem"),
}


@dataclass(frozen=True)
class Design:
    """How the services of `service_graph` are protected. The bare one retries, as most client libraries do.

    Attributes:
        retry: ask again, up to three times in all, on each way from caller to callee.
        validation: the edge refuses what no service could digest.
        idempotency: the payment service does an order once, however often it is asked.
        fallback: the edge answers a page view with an old page if it can't have a new one.
        single_flight: of many readers who miss the same key in the cache, one asks the database.
        timeout: wait as long as 999 of 1000 good answers take, and not the library's ten seconds.
        deadline: the client's deadline travels along; nobody begins or waits after it.
        backoff: wait before asking again, exponentially longer and with full jitter.
        retry_budget: ask again for at most a fifth of the calls.
        breaker: don't ask an instance for a while that mostly fails.
        bulkhead: no callee may hold more than its share of a caller's threads.
        shedding: refuse at once what would wait too long for a thread.
        rate_limit: the edge admits no more requests a second than the services were tested with.
        hedging: ask a second instance if the first doesn't answer quickly.
        zones: the second instance of everything stands in another zone.
        health_checks: instances that don't answer are no longer asked.
        backups: there is a copy of the data that no command reaches.
        alert: somebody is told when too many requests fail; otherwise customers have to phone.
        runbook: what to do is written down; otherwise whoever knows it must be found.
        canary: a new release goes to one instance first.
        post_mortem: the incident has happened before, and what was to be done has been made a script.
    """

    retry: bool = True
    validation: bool = False
    idempotency: bool = False
    fallback: bool = False
    single_flight: bool = False
    timeout: bool = False
    deadline: bool = False
    backoff: bool = False
    retry_budget: bool = False
    breaker: bool = False
    bulkhead: bool = False
    shedding: bool = False
    rate_limit: bool = False
    hedging: bool = False
    zones: bool = False
    health_checks: bool = False
    backups: bool = False
    alert: bool = False
    runbook: bool = False
    canary: bool = False
    post_mortem: bool = False

    def __post_init__(self) -> None:
        for switch in fields(self):
            truth(switch.name, getattr(self, switch.name))

    @property
    def switched_on(self) -> tuple[str, ...]:
        """The switches that are on, beginning with the application's; `retry` last."""
        names = [name for names in LEVELS.values() for name in names if getattr(self, name)]
        return (*names, "retry") if self.retry else tuple(names)

    def with_levels(self, *levels: str) -> Design:
        """Return this design with all switches of some levels on.

        Raises:
            ValueError: no such level.
        """
        names = [name for level in levels for name in LEVELS[one_of("level", level, tuple(LEVELS))]]
        return replace(self, **dict.fromkeys(names, True))
