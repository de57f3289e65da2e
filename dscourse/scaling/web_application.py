"""One web application that grows ten thousandfold, step by step: what gives out, what is changed, what it costs.

    for step in WebApplication().grow(10, 100_000): print(step.rate, step.gave_out, step.change, step.price_per_month)

It begins on one machine. Each step looks at which tier works too hard at the new load, and changes that tier and no
other: a machine of its own, a bigger machine, more machines, a cache, replicas, partitions. Different tiers go
different ways, up and out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dscourse.arguments import keep, probability, real
from dscourse.scaling.machines import HOURS_PER_MONTH, Machine, machine_named, machines

_WEB, _CACHE, _BALANCER = "m8i.2xlarge", "r8i.xlarge", "m8i.xlarge"
_DATABASES = "r8i"  # the family in which the database grows
_MOST_REPLICAS, _MOST_DOUBLINGS = 5, 14
_MOST_STEPS = 1_000


@dataclass(frozen=True)
class Work:
    """What a request costs, in seconds of one core. Make it less before you buy more: it is paid on every machine.

    Attributes:
        web: to build a page.
        balancing: to pass a request on.
        queries: reads of the database in each request.
        read: the database's part of a read.
        lookup: the cache's part of a read.
        hit_share: the share of reads that the cache answers, once there is one.
        write_share: the share of requests that write.
        write: the database's part of a write.
        contention: the share of the database's work that queues for something inside its machine.
    """

    web: float = 0.008
    balancing: float = 0.00005
    queries: float = 2.4
    read: float = 0.002
    lookup: float = 0.00005
    hit_share: float = 0.85
    write_share: float = 0.05
    write: float = 0.01
    contention: float = 0.01

    def __post_init__(self) -> None:
        for name in ("web", "balancing", "queries", "read", "lookup", "write"):
            keep(self, **{name: real(name, getattr(self, name), at_least=0.0)})
        for name in ("hit_share", "write_share", "contention"):
            keep(self, **{name: probability(name, getattr(self, name))})


@dataclass(frozen=True)
class WebApplication:
    """How the application stands: how many machines of what in each tier.

    Attributes:
        work: what a request costs.
        target: the share of the time up to which a tier may work; beyond it queues grow (notebook 01).
        separate: whether the database has machines of its own; at first one machine does everything.
        balancers: load balancers; none before there are several web servers.
        web_servers: how many.
        caches: how many machines keep answers.
        database: the machine of each database.
        replicas: further copies of each database, which answer reads.
        partitions: parts into which the data is divided, each with its leader and its replicas.
        replica_upkeep: dollars an hour for living with one more copy, beyond its machine: lag, failover.
        partition_upkeep: dollars an hour for living with one more partition: requests that need several of them,
            keys that must move. Without it, many small machines would always look cheapest.
    """

    work: Work = Work()
    target: float = 0.6
    separate: bool = False
    balancers: int = 0
    web_servers: int = 1
    caches: int = 0
    database: Machine = field(default_factory=lambda: machines(_DATABASES)[0])
    replicas: int = 0
    partitions: int = 1
    replica_upkeep: float = 2.0
    partition_upkeep: float = 20.0

    def __post_init__(self) -> None:
        keep(self, target=real("target", self.target, above=0.0, at_most=1.0))

    def utilization(self, rate: float) -> dict[str, float]:
        """Return for each tier which share of its capacity `rate` requests a second take; above 1, they don't fit."""
        work, requests = self.work, real("rate", rate, above=0.0)
        misses = 1.0 - work.hit_share if self.caches else 1.0
        reads = requests * (1.0 - work.write_share) * work.queries * misses * work.read / self.partitions
        writes = requests * work.write_share * work.write / self.partitions
        power = self.database.capacity(work.contention)
        if not self.separate:
            return {"the one machine": (requests * work.web + reads + writes) / power}
        # every copy does every write; reads are shared by all copies
        tiers = {
            "web servers": requests * work.web / (self.web_servers * machine_named(_WEB).cores),
            "database": (writes + reads / (1 + self.replicas)) / power,
        }
        if self.balancers:
            tiers["load balancers"] = (
                requests * work.balancing / (self.balancers * machine_named(_BALANCER).cores)
            )
        if self.caches:
            looked_up = requests * (1.0 - work.write_share) * work.queries * work.lookup
            tiers["caches"] = looked_up / (self.caches * machine_named(_CACHE).cores)
        return tiers

    @property
    def _limit(self) -> float:
        """The target, and a hair for what rounding makes of it."""
        return self.target * (1.0 + 1e-9)

    def bottleneck(self, rate: float) -> str:
        """Return the tier that works hardest at a rate."""
        tiers = self.utilization(rate)
        return max(tiers, key=lambda tier: tiers[tier])

    def machines(self) -> dict[str, tuple[Machine, int]]:
        """Return of each tier the kind of machine and how many."""
        databases = (self.database, self.partitions * (1 + self.replicas))
        if not self.separate:
            return {"the one machine": databases}
        tiers = {
            "load balancers": (machine_named(_BALANCER), self.balancers),
            "web servers": (machine_named(_WEB), self.web_servers),
            "caches": (machine_named(_CACHE), self.caches),
            "database": databases,
        }
        return {tier: held for tier, held in tiers.items() if held[1]}

    @property
    def price(self) -> float:
        """Dollars an hour."""
        rent = sum(count * machine.price for machine, count in self.machines().values())
        upkeep = self.partition_upkeep * (self.partitions - 1)
        return rent + upkeep + self.replica_upkeep * self.replicas * self.partitions

    def grow(self, first: float, last: float, factor: float = 10.0) -> Iterator[GrowthStep]:
        """Let the load rise from `first` to `last` requests a second, by `factor` each time, and give every change.

        Args:
            first: requests a second to begin with.
            last: requests a second to end with.
            factor: above 1.
        """
        start, times = real("first", first, above=0.0), real("factor", factor, above=1.0)
        end = real("last", last, at_least=start)
        stages = math.floor(math.log(end / start, times) + 1e-9)
        application = self
        for stage in range(stages + 1):
            rate = start * times**stage
            for _ in range(_MOST_STEPS):
                gave_out = application.bottleneck(rate)
                if application.utilization(rate)[gave_out] <= self._limit:
                    break
                application, change = application._changed_at(gave_out, rate)
                yield GrowthStep(rate, gave_out, change, application)

    def sized_for(self, rate: float) -> WebApplication:
        """Return it as it stands when the load has risen to `rate`."""
        application = self
        for step in self.grow(min(1.0, rate), rate, factor=max(2.0, rate)):
            application = step.application
        return application

    def with_work(self, **changes: float) -> WebApplication:
        """Return the same application with cheaper (or dearer) requests: ``with_work(read=0.0005)``.

        Raises:
            LookupError: no such part of the work.
        """
        unknown = sorted(set(changes) - set(asdict(self.work)))
        if unknown:
            raise LookupError(f"Work has no {unknown[0]!r}. It has: {', '.join(asdict(self.work))}.")
        return replace(self, work=replace(self.work, **changes))

    def _changed_at(self, tier: str, rate: float) -> tuple[WebApplication, str]:
        if tier == "the one machine":
            return replace(self, separate=True), "the database gets a machine of its own"
        if tier == "database":
            return self._relieved_database(rate)
        field = {"web servers": "web_servers", "caches": "caches", "load balancers": "balancers"}[tier]
        busy = self.utilization(rate)[tier]
        count = math.ceil(getattr(self, field) * busy / self._limit)
        changes: dict[str, Any] = {field: count}
        if tier == "web servers" and not self.balancers:
            changes["balancers"] = 2  # one would be the next single point of failure
            return replace(self, **changes), f"{count} web servers behind two load balancers"
        return replace(self, **changes), f"{count} {tier}"

    def _relieved_database(self, rate: float) -> tuple[WebApplication, str]:
        """First a cache; then whatever costs least, of bigger machines, replicas and partitions."""
        if not self.caches:
            return replace(self, caches=1), "a cache in front of the database"
        designs = (
            replace(self, database=machine, replicas=replicas, partitions=self.partitions << doublings)
            for doublings in range(_MOST_DOUBLINGS)
            for machine in machines(_DATABASES)
            for replicas in range(_MOST_REPLICAS + 1)
        )
        fit = [design for design in designs if design.utilization(rate)["database"] <= self._limit]
        best = min(fit, key=lambda design: design.price)
        changes = {
            f"the data in {best.partitions} partitions": best.partitions != self.partitions,
            f"{best.replicas} read replica{'s' * (best.replicas != 1)}": best.replicas != self.replicas,
            f"databases on {best.database.name}": best.database != self.database,
        }
        return best, ", ".join(words for words, changed in changes.items() if changed)


@dataclass(frozen=True)
class GrowthStep:
    """One change on the way.

    Attributes:
        rate: requests a second at which it became necessary.
        gave_out: the tier that worked too hard.
        change: what was done.
        application: how it stands afterwards.
    """

    rate: float
    gave_out: str
    change: str
    application: WebApplication

    @property
    def price_per_month(self) -> float:
        """Dollars a month after the change."""
        return self.application.price * HOURS_PER_MONTH


def concurrent_streams(
    members: float, share_watching: float, sessions: float, minutes: float, peak: float = 1.0
) -> float:
    """Return how many streams run at once, by Little's law: sessions begun a second × seconds of one.

    Args:
        members: subscribers.
        share_watching: which share of them watches on a given day.
        sessions: how often each of those does, that day.
        minutes: length of a session.
        peak: how many times the day's average the busiest hour has.
    """
    begun = real("members", members, at_least=0.0) * probability("share_watching", share_watching)
    begun *= real("sessions", sessions, at_least=0.0) / 86_400.0
    return begun * real("minutes", minutes, at_least=0.0) * 60.0 * real("peak", peak, at_least=1.0)
