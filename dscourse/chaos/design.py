"""A design of a shop that takes orders: what is chosen, where its parts stand, and what it costs.

    Design(zones=3, servers=6, copies=3, store="quorum", retries="budget")

Orders come to a gateway, which hands each to a server; a server asks the store, which numbers the orders and so sells
one item after another. Servers and copies of the store are spread over the zones in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dscourse.arguments import instance, one_of, real, truth, whole

if TYPE_CHECKING:
    import networkx as nx

#: Who sells: one machine that does everything; a primary, whose other copies stand by and are told afterwards; a
#: primary that first waits for one of them; or whoever a majority of the copies has elected.
STORES = ("one machine", "primary", "waiting primary", "quorum")
RETRIES = ("none", "at once", "budget")
SCALING = ("fixed", "by CPU", "by work")
REPAIRS = ("at once", "paced")
MOST_ZONES = 3
GATEWAY, WATCHER = "g0", "w0"
_APART = 1.4  # of two zones, in a picture
PRICES = {"server": 1.0, "copy": 1.5, "zone": 1.5, "policy": 0.4}  # of one of each, for a day


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a team has decided on.

    On one machine zones and copies don't count, and servers are how many times as strong it is.

    Attributes:
        zones: data centres, up to three.
        servers: how many; of a fleet that scales, the most.
        copies: of the store.
        store: one of `STORES`.
        detection: seconds of silence after which a server, a primary or a leader is taken for dead.
        careful_elections: a quorum's members ask before they stand, and a leader that hears no majority steps down.
        retries: one of `RETRIES`; "budget": one for every five orders of the last ten seconds, and one a second.
        order_keys: an order that comes a second time is sold once.
        shedding: queues have a limit, and what nobody waits for any more is not worked on.
        scaling: one of `SCALING`; by CPU or by the work that waits, a part of the fleet is switched off when quiet.
        repair: how a copy is made anew after a silence: all pieces at once, or one every fifth of a second.
    """

    zones: int = 1
    servers: int = 4
    copies: int = 1
    store: str = "primary"
    detection: float = 2.0
    careful_elections: bool = False
    retries: str = "at once"
    order_keys: bool = False
    shedding: bool = False
    scaling: str = "fixed"
    repair: str = "at once"

    def __post_init__(self) -> None:
        whole("zones", self.zones, at_least=1, at_most=MOST_ZONES)
        whole("servers", self.servers, at_least=1, at_most=16)
        whole("copies", self.copies, at_least=1, at_most=7)
        one_of("store", self.store, STORES)
        object.__setattr__(self, "detection", real("detection", self.detection, at_least=0.5, at_most=30.0))
        one_of("retries", self.retries, RETRIES)
        one_of("scaling", self.scaling, SCALING)
        one_of("repair", self.repair, REPAIRS)
        for name in ("careful_elections", "order_keys", "shedding"):
            truth(name, getattr(self, name))

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> Design:
        """Return the design with these choices; the rest as usual.

        Raises:
            LookupError: nothing is chosen under that name.
        """
        known = [field.name for field in fields(cls)]
        for name in instance("choices", choices, Mapping, "a dict of choices"):
            if name not in known:
                raise LookupError(f"A design has no {name!r}. It has: {', '.join(known)}.")
        return cls(**choices)

    def choices(self) -> dict[str, Any]:
        """Return what differs from the usual."""
        usual = {field.name: field.default for field in fields(self)}
        return {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}

    def __repr__(self) -> str:
        """The design as code."""
        return f"Design({', '.join(f'{name}={value!r}' for name, value in self.choices().items())})"

    @property
    def policies(self) -> tuple[str, ...]:
        """What has been added to the plain system, and must be looked after."""
        if self.store == "one machine":
            chosen = {"scaling": False, "careful_elections": False, "paced repair": False}
        else:
            chosen = {
                "scaling": self.scaling != "fixed",
                "careful_elections": self.careful_elections and self.store == "quorum",
                "paced repair": self.repair == "paced" and self.copies > 1,
            }
        chosen |= {
            "retry budget": self.retries == "budget",
            "order_keys": self.order_keys,
            "shedding": self.shedding,
        }
        return tuple(name for name, is_on in chosen.items() if is_on)

    @property
    def fewest_servers(self) -> int:
        """How few a fleet that scales may come to."""
        return self.servers if self.scaling == "fixed" else max(2, self.servers // 2)

    def bill(self, mean_servers: float) -> float:
        """Return what a day costs with so many servers switched on, on average."""
        extra = PRICES["policy"] * len(self.policies)
        if self.store == "one machine":
            return PRICES["server"] * self.servers + PRICES["copy"] + extra
        return (
            PRICES["server"] * mean_servers
            + PRICES["copy"] * self.copies
            + PRICES["zone"] * (self.zones - 1)
            + extra
        )

    @cached_property
    def layout(self) -> Layout:
        """Which parts there are, and in which zones."""
        if self.store == "one machine":
            return Layout(("s1",), (), {"s1": 0}, 1)
        servers = tuple(f"s{number}" for number in range(1, self.servers + 1))
        copies = tuple(f"d{number}" for number in range(1, self.copies + 1))
        zone = {name: place % self.zones for names in (servers, copies) for place, name in enumerate(names)}
        if self.has_watcher:
            zone[WATCHER] = self.zones - 1
        return Layout(servers, copies, zone, self.zones)

    @property
    def has_watcher(self) -> bool:
        """Whether somebody watches the primary, to put another in its place."""
        return self.store in ("primary", "waiting primary") and self.copies > 1


@dataclass(frozen=True)
class Layout:
    """The parts of a design.

    Attributes:
        servers: their names.
        copies: the members of the store; the first sells at the beginning.
        zone: of each part but the gateway, which stands on the customers' side.
        zones: how many.
    """

    servers: tuple[str, ...]
    copies: tuple[str, ...]
    zone: Mapping[str, int]
    zones: int

    def inside(self, zone: int) -> list[str]:
        """Return the parts in a zone."""
        return [name for name, where in self.zone.items() if where == zone]

    def outside(self, zone: int) -> list[str]:
        """Return the parts in other zones."""
        return [name for name, where in self.zone.items() if where != zone]

    def graph(self) -> nx.Graph[str]:
        """Return who can talk to whom, with a place for each part to be drawn at: one column a zone."""
        import networkx as nx

        graph: nx.Graph[str] = nx.Graph()
        graph.add_node(GATEWAY, pos=(-1.2, _APART * (self.zones - 1) / 2))
        widest = max(sum(self.zone[name] == zone for name in self.servers) for zone in range(self.zones))
        for zone in range(self.zones):
            inside = self.inside(zone)
            shop = [name for name in inside if name in self.servers]
            rest = [name for name in inside if name not in self.servers]
            for column, names in ((0.0, shop), (widest + 0.6, rest)):
                for place, name in enumerate(names):
                    up = _APART * (self.zones - 1 - zone) + 0.3 * (place % 2)
                    graph.add_node(name, zone="ABC"[zone], pos=(column + 0.7 * place, up))
        backs = [*self.copies, *([WATCHER] if WATCHER in self.zone else [])]
        graph.add_edges_from((GATEWAY, server) for server in self.servers)
        graph.add_edges_from((server, back) for server in self.servers for back in backs)
        graph.add_edges_from((a, b) for place, a in enumerate(backs) for b in backs[place + 1 :])
        return graph
