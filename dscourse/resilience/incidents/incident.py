"""Incidents that the services of `service_graph` meet, and what became of the requests.

outcome = run_incident("retry storm", Design(timeout=True))
outcome.goodput_share, outcome.seconds_to_recover, outcome.lost()
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dscourse.arguments import instance, one_of, real
from dscourse.resilience.incidents.backends import CacheNode, DatabaseNode, OperatorNode, PaymentNode
from dscourse.resilience.incidents.design import Design
from dscourse.resilience.incidents.graph import (
    CACHE,
    DEADLINE,
    EDGE,
    FRONT_PAGE,
    INSTANCES,
    ONE_WAY,
    OPERATOR,
    PAYMENT,
    Ask,
    service_graph,
    zone_members,
)
from dscourse.resilience.incidents.services import ServiceNode
from dscourse.simulation import Crash, Network, OpenLoop, Pause, Scenario, Slow
from dscourse.simulation.random_streams import Stream, key_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dscourse.simulation import Fault, Node, Run

BEGIN = 10.0  # seconds: when every incident begins
SECONDS = 60.0  # that a run lasts
LOAD = 40.0  # requests a second
PAGES = 1_000
_SKEW = 0.6  # exponent of Zipf's law
OBJECTIVE = 0.99  # share of the requests that are to be answered within the deadline
_ORDERS = 0.2  # share of the requests
_OPERATIONS = 10_007  # then they begin again
_RECOVERED = 0.9  # share of a second's requests from which on it counts as served


@dataclass(frozen=True)
class Incident:
    """Something that goes wrong for a while, from second 10 on.

    Attributes:
        name: what it is called.
        words: what happens.
        seconds: how long it lasts.
        load: requests a second, before, meanwhile and after.
        slow: node → how many times as long it takes.
        paused: nodes that stand still.
        crashed: nodes that crash and restart at the end; `("zone a",)`: all that stand there.
        front_page: share of the page views that are for the front page, which is put together of eight queries.
        surge: for how many times the load more there is in the ten seconds after the end.
        poison: requests a second that crash whoever handles them.
        failing: instances that fail every request at once; a canary would have reached only the first of them.
        deleted: whether somebody deletes the database's table.
    """

    name: str
    words: str
    seconds: float = 10.0
    load: float = LOAD
    slow: Mapping[str, float] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    crashed: tuple[str, ...] = ()
    front_page: float = 0.0
    surge: float = 0.0
    poison: float = 0.0
    failing: tuple[str, ...] = ()
    deleted: bool = False

    @property
    def end(self) -> float:
        """When the cause is gone, if nobody takes it away before."""
        return BEGIN + self.seconds

    def faults(self, zone_a: tuple[str, ...]) -> tuple[Fault, ...]:
        """Return what goes wrong, as faults of a scenario."""
        dead = zone_a if self.crashed == ("zone a",) else self.crashed
        return (
            *(Slow(factor, at=BEGIN, until=self.end, node=node) for node, factor in self.slow.items()),
            *(Pause(node, at=BEGIN, until=self.end) for node in self.paused),
            *(Crash(node, at=BEGIN, restart_at=self.end) for node in dead),
        )


_DATABASES = INSTANCES["database"]
INCIDENTS: Mapping[str, Incident] = {
    one.name: one
    for one in (
        Incident("slow database", "each query takes ten times as long", 15.0, slow={"database-1": 10.0}),
        Incident("slow payment", "the other firm's answers take seconds", 20.0, slow={PAYMENT: 100.0}),
        Incident("dead zone", "zone a is dark", 25.0, crashed=("zone a",)),
        Incident(
            "retry storm", "the database stands still for a few seconds", 4.0, 55.0, paused=("database-1",)
        ),
        Incident("cache flush", "the cache is emptied", 0.1, 55.0, crashed=(CACHE,), front_page=0.5),
        Incident("poison request", "some requests crash whoever handles them", 20.0, poison=0.4),
        Incident(
            "thundering herd",
            "the database is down, and then everybody comes back",
            10.0,
            crashed=_DATABASES,
            surge=1.5,
        ),
        Incident("fast failure", "one instance of catalog fails at once", 30.0, failing=("catalog-1",)),
        Incident("bad release", "a new release of catalog fails at once", 50.0, failing=INSTANCES["catalog"]),
        Incident("deleted table", "a command deletes the table, on all replicas", 50.0, deleted=True),
    )
}


def incident_scenario(
    incident: Incident | str, design: Design | None = None, *, load: float | None = None, seed: int = 0
) -> Scenario:
    """Return the services with an incident, to be run for 60 s.

    Args:
        incident: one of `INCIDENTS`, its name, or one of your own.
        design: what protects the services; None: nothing but retries.
        load: requests a second; None: the incident's.
        seed: of the scenario.

    Raises:
        ValueError: there is no such incident.
    """
    what, means = _incident(incident), Design() if design is None else design
    instance("design", means, Design, "a Design, such as Design(timeout=True)")
    rate = what.load if load is None else real("load", load, above=0.0)
    graph = service_graph(means.zones)
    asked = operations(what.front_page)
    clients = [OpenLoop(asked, rate, to=EDGE, timeout=DEADLINE, repeat=True)]
    if what.surge:
        more = asked[: math.ceil(10.0 * what.surge * rate)]
        clients.append(OpenLoop(more, what.surge * rate, to=EDGE, timeout=DEADLINE, start=what.end))
    if what.poison:
        bad = ("poison 0",) * math.ceil(what.seconds * what.poison)
        clients.append(OpenLoop(bad, what.poison, to=EDGE, timeout=DEADLINE, start=BEGIN, arrivals="regular"))
    return Scenario(
        partial(_service_node, incident=what, design=means),
        Network(graph, latency=ONE_WAY),
        clients=clients,
        faults=what.faults(zone_members(graph, "a")),
        seed=seed,
    )


def run_incident(
    incident: Incident | str,
    design: Design | None = None,
    *,
    load: float | None = None,
    seed: int = 0,
    seconds: float = SECONDS,
) -> Outage:
    """Let the services meet an incident, and return what became of the requests.

    Args:
        incident: one of `INCIDENTS`, its name, or one of your own.
        design: what protects the services; None: nothing but retries.
        load: requests a second; None: the incident's.
        seed: of the scenario.
        seconds: how long to run.

    Raises:
        ValueError: there is no such incident.
    """
    scenario = incident_scenario(incident, design, load=load, seed=seed)
    return Outage(scenario.run(seconds), _incident(incident))


def _incident(incident: Incident | str) -> Incident:
    if isinstance(incident, Incident):
        return incident
    return INCIDENTS[one_of("incident", incident, tuple(INCIDENTS))]


@cache
def operations(front_page: float = 0.0) -> tuple[str, ...]:
    """Return what clients ask for: "order 7", or "browse 3" with some pages looked at more often (Zipf's law).

    Args:
        front_page: share of the page views that are for the front page instead.
    """
    kinds, pages, fronts = (Stream(key_of(0, name)) for name in ("kinds", "pages", "fronts"))
    heap = list(accumulate((page + 1) ** -_SKEW for page in range(PAGES)))

    def one(number: int) -> str:
        if kinds.draw() < _ORDERS:
            return f"order {number}"
        page = bisect(heap, pages.draw() * heap[-1])
        return f"front {FRONT_PAGE}" if fronts.draw() < front_page else f"browse {page}"

    return tuple(one(number) for number in range(_OPERATIONS))


def _service_node(node_id: str, peers: tuple[str, ...], *, incident: Incident, design: Design) -> Node:
    if node_id == CACHE:
        return CacheNode(node_id, peers, pages=PAGES)
    if node_id == PAYMENT:
        return PaymentNode(node_id, peers, idempotency=design.idempotency)
    if node_id == OPERATOR:
        return OperatorNode(node_id, peers, design=design)
    if node_id in _DATABASES:
        return DatabaseNode(node_id, peers, deleted_at=BEGIN if incident.deleted else None)
    release = (math.inf, math.inf)
    if node_id in incident.failing[: 1 if design.canary else None]:
        release = (BEGIN, incident.end)
    return ServiceNode(node_id, peers, design=design, bad_release=release)


@dataclass(frozen=True)
class Outage:
    """What became of the requests of a run with an incident.

    Attributes:
        run: the run.
        incident: what the services met.
    """

    run: Run
    incident: Incident

    @cached_property
    def _requests(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """When each request was asked, whether it was answered in time, and after how long (nan: not)."""
        import numpy as np

        done = [one for one in self.run.history() if one.invoked < self.run.until - DEADLINE]
        asked = np.array([one.invoked for one in done])
        good = np.array([one.outcome == "ok" for one in done])
        took = np.array([one.latency if one.outcome == "ok" else np.nan for one in done])
        return asked, good, took

    @property
    def seconds(self) -> int:
        """How many whole seconds have requests whose end is known."""
        return int(self.run.until - DEADLINE)

    @cached_property
    def offered(self) -> np.ndarray[Any, Any]:
        """Requests asked in each second."""
        return self._by_second(self._requests[0])

    @cached_property
    def goodput(self) -> np.ndarray[Any, Any]:
        """Of the requests asked in each second, how many were answered within their deadline."""
        asked, good, _ = self._requests
        return self._by_second(asked[good])

    def _by_second(self, times: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.bincount(times.astype(int), minlength=self.seconds)[: self.seconds]

    def latency(self, quantile: float) -> np.ndarray[Any, Any]:
        """Return a quantile of the seconds that good answers took, for each second in which they were asked for."""
        import numpy as np

        asked, good, took = self._requests
        order = asked[good].astype(int)
        return np.array(
            [
                np.quantile(values, quantile) if len(values := took[good][order == second]) else np.nan
                for second in range(self.seconds)
            ]
        )

    @property
    def goodput_share(self) -> float:
        """Share of the requests since the incident began that were answered within their deadline."""
        asked, good, _ = self._requests
        return float(good[asked >= BEGIN].mean())

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 good answers came since the incident began; nan: there was none."""
        import numpy as np

        asked, good, took = self._requests
        values = took[good & (asked >= BEGIN)]
        return float(np.quantile(values, 0.99)) if len(values) else math.nan

    @property
    def seconds_to_recover(self) -> float:
        """Seconds from the end of the cause until nine of ten requests are answered again, for good; inf: never."""
        served = self.goodput >= _RECOVERED * self.offered
        smooth = [bool(served[max(0, k - 1) : k + 2].sum() >= 2) for k in range(self.seconds)]
        if not smooth[-1]:
            return math.inf
        last_bad = max((k for k, good in enumerate(smooth) if not good), default=-1)
        return max(0.0, last_bad + 1 - self.incident.end)

    @property
    def recovers(self) -> bool:
        """Whether it does before the run ends."""
        return math.isfinite(self.seconds_to_recover)

    @cached_property
    def budget_left(self) -> np.ndarray[Any, Any]:
        """What is left of the error budget at the end of each second: 1 at first, below 0 when it is overdrawn.

        The budget is that of the whole run: 1 % of its requests may be lost.
        """
        import numpy as np

        lost = np.cumsum(self.offered - self.goodput)
        return np.asarray(1.0 - lost / ((1.0 - OBJECTIVE) * self.offered.sum()))

    @property
    def amplification(self) -> float:
        """How many queries the databases were asked for, per request, since the incident began."""
        events = self.run.trace.select(kind="send", peer=list(_DATABASES), between=(BEGIN, self.run.until))
        asked = sum(isinstance(event.message, Ask) for event in events)
        return asked / max(1, int((self._requests[0] >= BEGIN).sum()))

    @property
    def old_pages(self) -> int:
        """How many answers were an old page."""
        return sum(one.value == "old page" for one in self.run.history() if one.outcome == "ok")

    @property
    def charged_twice(self) -> int:
        """How many orders were charged more than once."""
        charged = Counter(
            event.detail["request"] for event in self.run.trace.select(kind="record", name="charged")
        )
        return sum(times > 1 for times in charged.values())

    def lost(self) -> pd.DataFrame:
        """Return why requests were lost, and where: a row a reason, a column a node, the most frequent first.

        Each lost request is counted once, as the edge saw it end: a reason that another node gave stands at that node,
        and one that came "too late" where it was when its client left.
        """
        import pandas as pd

        found = Counter(
            (event.detail["reason"], event.detail["where"])
            for event in self.run.trace.select(kind="record", name="request lost")
        )
        table = pd.Series(found, dtype=int).unstack(fill_value=0) if found else pd.DataFrame()
        if not found:
            return table
        table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
        return table[table.sum().sort_values(ascending=False, kind="stable").index]

    def waiting(self, node: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return (seconds, how many wait) of a service, as it was whenever it looked."""
        import numpy as np

        told = self.run.trace.select(kind="record", name="status", node=node)
        rows = [(event.time, event.detail["waiting"]) for event in told if "waiting" in event.detail]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
