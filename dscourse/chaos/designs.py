"""Thirty designs to hold against each other: the score of a game day must tell them apart."""

from __future__ import annotations

from typing import Any

from dscourse.chaos.design import Design

_KEYS: dict[str, Any] = {"retries": "budget", "order_keys": True}
_SAFE: dict[str, Any] = {**_KEYS, "shedding": True}
_QUORUM: dict[str, Any] = {
    "store": "quorum",
    "copies": 3,
    "careful_elections": True,
    "detection": 1.0,
    "repair": "paced",
}

#: As they come to mind: more of something, without a thought of what may go wrong.
NAIVE_DESIGNS = {
    "two of everything": Design(zones=2, servers=4, copies=2),
    "one zone": Design(servers=4),
    "one zone, more servers": Design(servers=8),
    "a copy in the same zone": Design(servers=4, copies=2),
    "two zones, quick to judge": Design(zones=2, servers=4, copies=2, detection=0.5),
    "two zones, slow to judge": Design(zones=2, servers=4, copies=2, detection=10.0),
    "three zones, one store": Design(zones=3, servers=6),
    "three zones, a primary": Design(zones=3, servers=6, copies=3),
    "scales by CPU": Design(zones=2, servers=8, copies=2, scaling="by CPU"),
    "one machine": Design(store="one machine", servers=3),
}

#: What has failed before is thought of, though not all of it.
SENSIBLE_DESIGNS = {
    "orders have keys": Design(zones=2, servers=6, copies=2, store="waiting primary", **_KEYS),
    "no retries": Design(zones=2, servers=6, copies=2, store="waiting primary", retries="none"),
    "a primary that waits": Design(zones=3, servers=6, copies=3, store="waiting primary", detection=1.0, **_KEYS),
    "a quorum": Design(zones=3, servers=6, copies=3, store="quorum", **_KEYS),
    "a quorum in two zones": Design(zones=2, servers=6, copies=3, store="quorum", **_SAFE),
    "a quorum, quick to judge": Design(zones=3, servers=6, copies=3, store="quorum", detection=0.5, **_KEYS),
    "a quorum that sheds": Design(zones=3, servers=6, copies=3, store="quorum", **_SAFE),
    "a quorum, repair at once": Design(**{**_QUORUM, "repair": "at once"}, zones=3, servers=5, **_KEYS),
    "a strong machine": Design(store="one machine", servers=6, **_SAFE),
    "a quorum, scaling by work": Design(**_QUORUM, zones=3, servers=9, scaling="by work", **_SAFE),
    "a quorum, scaling by CPU": Design(**_QUORUM, zones=3, servers=9, scaling="by CPU", **_SAFE),
}  # fmt: skip

#: Each failure that is known has been thought of.
CAREFUL_DESIGNS = {
    "five servers": Design(**_QUORUM, zones=3, servers=5, **_SAFE),
    "six servers": Design(**_QUORUM, zones=3, servers=6, **_SAFE),
    "seven servers": Design(**_QUORUM, zones=3, servers=7, **_SAFE),
    "six, quick to judge": Design(**{**_QUORUM, "detection": 0.5}, zones=3, servers=6, **_SAFE),
    "six, retries at once": Design(**{**_QUORUM, "detection": 0.5}, zones=3, servers=6, order_keys=True),
}

#: All of everything.
LAVISH_DESIGNS = {
    "everything": Design(**{**_QUORUM, "copies": 7}, zones=3, servers=16, **_SAFE),
    "everything, by work": Design(
        **{**_QUORUM, "copies": 7}, zones=3, servers=16, scaling="by work", **_SAFE
    ),
    "five copies, twelve servers": Design(**{**_QUORUM, "copies": 5}, zones=3, servers=12, **_SAFE),
    "sixteen servers": Design(**_QUORUM, zones=3, servers=16, **_SAFE),
}

GROUPS = {
    "naive": NAIVE_DESIGNS,
    "sensible": SENSIBLE_DESIGNS,
    "careful": CAREFUL_DESIGNS,
    "lavish": LAVISH_DESIGNS,
}
