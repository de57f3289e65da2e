"""Past incidents, made small enough for a shop of a dozen parts: what is modelled of each stands in its `model`.

Each has a public account. Times are shorter by far, and the parts are ours; what is kept is the kind of trouble, and
what it asks of a design.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dscourse.chaos.design import GATEWAY, WATCHER, Design
from dscourse.simulation import Crash, CutLink, Fault, OpenLoop, Partition, Slow, Workload

ORDER_TIMEOUT = 4.0  # seconds after which a customer goes away


@dataclass(frozen=True)
class Incident:
    """One past incident.

    Attributes:
        name: who, when and what.
        source: the address of its public account.
        model: what is modelled of it.
        seconds: how long it lasts, here.
        faults: what goes wrong in a design, from a time on, up to another.
        more_orders: a second, while it lasts.
    """

    name: str
    source: str
    model: str
    seconds: float
    faults: Callable[[Design, float, float], list[Fault]]
    more_orders: float = 0.0

    def workload(self, at: float) -> list[Workload]:
        """Return the customers that come on top."""
        if not self.more_orders:
            return []
        orders = (("order",),) * round(self.more_orders * self.seconds)
        return [OpenLoop(orders, self.more_orders, to=GATEWAY, timeout=ORDER_TIMEOUT, start=at)]


def _between(design: Design, ones: list[str], others: list[str], at: float, until: float) -> list[Fault]:
    return [
        CutLink(a, b, at=at, until=until)
        for a in ones
        for b in others
        if design.layout.graph().has_edge(a, b)
    ]


def _nothing(_design: Design, _at: float, _until: float) -> list[Fault]:
    return []


def _zone_dark(design: Design, at: float, until: float) -> list[Fault]:
    return [Crash(name, at=at, restart_at=until) for name in design.layout.inside(0)]


def _sites_apart(design: Design, at: float, until: float) -> list[Fault]:
    """The first zone and the others, or, of a single zone, its customers."""
    others = design.layout.outside(0)
    if not others:
        return [CutLink(GATEWAY, server, at=at, until=until) for server in design.layout.servers]
    return [Partition([[GATEWAY, *design.layout.inside(0)], [GATEWAY, *others]], at=at, until=until)]


def _half_broken_switch(design: Design, at: float, until: float) -> list[Fault]:
    """Whoever sells and whoever is to judge it lose each other; third parties reach both."""
    copies = design.layout.copies
    if len(copies) < 2:
        return _between(design, list(design.layout.servers[::2]), list(copies), at, until)
    judge = WATCHER if design.has_watcher else copies[1]
    zone = design.layout.zone[judge]
    if zone == 0:
        return _between(design, [copies[0]], [judge], at, until)
    return _between(design, design.layout.inside(0), design.layout.inside(zone), at, until)


def _store_out_of_reach(design: Design, at: float, until: float) -> list[Fault]:
    if design.store == "one machine":
        return [CutLink(GATEWAY, "s1", at=at, until=until)]
    return _between(design, list(design.layout.servers), list(design.layout.copies), at, until)


def _mirrors_apart(design: Design, at: float, until: float) -> list[Fault]:
    """The copies lose each other."""
    copies = list(design.layout.copies)
    return [CutLink(copies[0], other, at=at, until=until) for other in copies[1:]]


def _slow_network(design: Design, at: float, until: float) -> list[Fault]:
    links = [(server, copy) for server in design.layout.servers for copy in design.layout.copies]
    return [Slow(_SLOW, at=at, until=until, link=link) for link in links]


_SLOW = 24.0

INCIDENTS = {
    "re-mirroring storm": Incident(
        "Amazon EBS, April 2011: the re-mirroring storm",
        "https://aws.amazon.com/message/65648/",
        "The copies of the store lose sight of each other for a few seconds. Those that come back are made anew.",
        4.0,
        _mirrors_apart,
    ),
    "power failure": Incident(
        "Amazon EC2, June 2012: a data centre without power",
        "https://aws.amazon.com/message/67457/",
        "All that stands in the first zone crashes, and comes back after a while.",
        14.0,
        _zone_dark,
    ),
    "retry storm": Incident(
        "Amazon DynamoDB, September 2015: the retry storm",
        "https://aws.amazon.com/message/5467D2/",
        "No server reaches the store for a few seconds. Then all is as before, except for what has piled up.",
        2.4,
        _store_out_of_reach,
    ),
    "launch": Incident(
        "Niantic, July 2016: a launch with far more users than planned",
        "https://cloud.google.com/blog/products/containers-kubernetes/bringing-pokemon-go-to-life-on-google-cloud",
        "Nothing breaks. More than twice as many customers come as in the busiest hour.",
        10.0,
        _nothing,
        13.0,
    ),
    "sites apart": Incident(
        "GitHub, October 2018: 43 seconds",
        "https://github.blog/2018-10-30-oct21-post-incident-analysis/",
        "The first zone and the others lose each other, while customers reach all of them; "
        "whoever has only that zone is out of their reach.",
        9.0,
        _sites_apart,
    ),
    "half-broken switch": Incident(
        "Cloudflare, November 2020: a switch that failed in part",
        "https://blog.cloudflare.com/a-byzantine-failure-in-the-real-world/",
        "Whoever sells and whoever is to judge it lose each other, while others reach both. "
        "Where there is nobody to judge: half of the servers and the store.",
        12.0,
        _half_broken_switch,
    ),
    "scale-in": Incident(
        "Slack, January 2021: fewer servers just before the rush",
        "https://slack.engineering/slacks-outage-on-january-4th-2021/",
        "The network between servers and store is slow for a while: servers wait, and look idle.",
        16.0,
        _slow_network,
    ),
}
