"""Availability when parts share causes of failure: a rack, a power feed, a bug, a person with a keyboard.

    power = Part("power", 0.9995)
    rack = Part("rack 1", 0.9999, needs=[power])
    replicas = [Part(f"replica {i}", 0.99, needs=[rack]) for i in (1, 2, 3)]
    service = any_of(*replicas)
    system_availability(service)          # exact
    product_rule(service)                 # what you get if you multiply as if nothing were shared

A part is up if its own health is good and everything it needs is up. Own healths are independent of each other; what
makes the parts dependent is that the same rack stands below several of them. So the exact answer goes through all
combinations of healths of what is shared, and between these everything *is* independent.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dscourse.arguments import instance, items, keep, probability, text, whole
from dscourse.fault_tolerance.availability import at_least_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_SHARED = 18
_LETTERS = "ABCDEFGH"
_SEVERAL = "parts and groups, such as [Part('rack', 0.999)]"


@dataclass(frozen=True, eq=False)
class Part:
    """Something that can fail by itself, and fails with what it needs.

    Two parts are the same only if they are the same object: make a rack once and name it in all that stand in it.

    Args:
        name: what to call it.
        availability: share of the time in which its own health is good.
        needs: parts or groups without which it is down.
    """

    name: str
    availability: float
    needs: Sequence[Structure] = ()

    def __post_init__(self) -> None:
        share = probability(f"availability of {text('name', self.name)}", self.availability)
        needs = (self.needs,) if isinstance(self.needs, Part | Group) else self.needs
        keep(self, availability=share, needs=items(f"needs of {self.name}", needs, _SEVERAL, Structure))

    def __repr__(self) -> str:
        return f"{self.name} ({self.availability:g})"


@dataclass(frozen=True, eq=False)
class Group:
    """At least `needed` of `members`; made by `all_of`, `any_of` and `at_least`."""

    needed: int
    members: tuple[Structure, ...] = field(repr=False)

    def __post_init__(self) -> None:
        members = items("members", self.members, _SEVERAL, Structure)
        keep(self, members=members, needed=whole("needed", self.needed, at_least=1, at_most=len(members)))

    def __repr__(self) -> str:
        return f"{self.needed} of {len(self.members)}: " + ", ".join(map(_short, self.members))


Structure = Part | Group


def all_of(*members: Structure) -> Group:
    """Return a group that is up while all of its members are (series)."""
    return Group(len(members), members)


def any_of(*members: Structure) -> Group:
    """Return a group that is up while at least one of its members is (parallel)."""
    return Group(1, members)


def at_least(k: int, *members: Structure) -> Group:
    """Return a group that is up while at least `k` of its members are."""
    return Group(k, members)


def parts_of(structure: Structure) -> list[Part]:
    """Return every part of a structure once, those needed by others included, in the order they are first met."""
    return list(dict.fromkeys(_appearances(_checked(structure))))


def system_availability(structure: Structure) -> float:
    """Return the exact availability of a structure, whatever its parts share.

    Goes through every combination of healths of the parts that appear more than once: 2ˢ for s of them.

    Raises:
        ValueError: more than 18 parts are shared; `simulate_availability` has no such limit.
    """
    shared = _shared_parts(structure)
    if len(shared) > _MOST_SHARED:
        raise ValueError(
            f"{len(shared)} parts are shared, which makes 2^{len(shared)} combinations; this goes up to "
            f"{_MOST_SHARED}. Use simulate_availability."
        )
    terms = []
    for healths in itertools.product((True, False), repeat=len(shared)):
        known = dict(zip(shared, healths, strict=True))
        chance = math.prod(part.availability if up else 1.0 - part.availability for part, up in known.items())
        if chance:
            # Sum up what is missing to 1: the interesting numbers are small, and stay exact that way.
            terms.append(chance * (1.0 - _independent(structure, known)))
    return 1.0 - math.fsum(terms)


def product_rule(structure: Structure) -> float:
    """Return what multiplying gives: the availability if each part had racks, power … of its own.

    That is right only where nothing is shared. It is the number on many slides.
    """
    return _independent(_checked(structure), {})


def _shared_parts(structure: Structure) -> list[Part]:
    """Return the parts that appear more than once below a structure: the shared causes."""
    return [part for part, count in Counter(_appearances(_checked(structure))).items() if count > 1]


def single_points_of_failure(structure: Structure) -> list[Part]:
    """Return the parts any one of which, failing alone, takes the whole structure down."""
    parts = parts_of(structure)
    return [part for part in parts if not _independent(structure, {each: each is not part for each in parts})]


def simulate_availability(structure: Structure, trials: int = 100_000, seed: int = 0) -> float:
    """Return the share of random moments at which a structure is up (Monte Carlo).

    Its standard error is about √(a·(1 − a)/trials).

    Args:
        structure: a part or a group.
        trials: moments to look at.
        seed: of the random numbers.
    """
    count = whole("trials", trials, at_least=1)
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    healthy = {part: rng.random(count) < part.availability for part in parts_of(structure)}
    return float(_up(structure, healthy).mean())


def replicated_service(
    replicas: int,
    *,
    needed: int = 1,
    availability: float = 0.99,
    racks: int | None = None,
    rack_availability: float = 0.999,
    power_availability: float | None = None,
    front_availability: float | None = None,
) -> Structure:
    """Return a service of like replicas in racks, with what they share.

    Args:
        replicas: how many.
        needed: how many of them must be up.
        availability: of each replica by itself.
        racks: how many racks the replicas are dealt out to, one after the other; None for no racks at all.
        rack_availability: of each rack (its switch, its power strip).
        power_availability: of one power feed below all of it; None for none that is shared.
        front_availability: of one load balancer through which every request must go; None for none.
    """
    count = whole("replicas", replicas, at_least=1)
    feed = [] if power_availability is None else [Part("power", power_availability)]
    letters = "" if racks is None else _LETTERS[: whole("racks", racks, at_least=1, at_most=len(_LETTERS))]
    frames = [Part(f"rack {letter}", rack_availability, needs=feed) for letter in letters]
    members = [
        Part(f"replica {i + 1}", availability, needs=[frames[i % len(frames)]] if frames else feed)
        for i in range(count)
    ]
    service = at_least(needed, *members)
    if front_availability is None:
        return service
    return all_of(Part("load balancer", front_availability, needs=feed), service)


def _up(structure: Structure, healthy: dict[Part, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    if isinstance(structure, Part):
        up = healthy[structure].copy()
        for need in structure.needs:
            up &= _up(need, healthy)
        return up
    counts = sum(_up(member, healthy).astype(np.int64) for member in structure.members)
    return np.asarray(counts >= structure.needed)


def _independent(structure: Structure, known: Mapping[Part, float]) -> float:
    """Availability of a structure whose appearances are independent, where some healths are known."""
    if isinstance(structure, Part):
        own = known.get(structure, structure.availability)
        return own * math.prod(_independent(need, known) for need in structure.needs) if own else 0.0
    return at_least_up(structure.needed, [_independent(member, known) for member in structure.members])


def _appearances(structure: Structure) -> Iterator[Part]:
    if isinstance(structure, Part):
        yield structure
    for below in structure.needs if isinstance(structure, Part) else structure.members:
        yield from _appearances(below)


def _checked(structure: Structure) -> Structure:
    checked: Structure = instance(
        "structure", structure, Structure, "a part or a group, such as any_of(a, b)"
    )
    return checked


def _short(structure: Structure) -> str:
    return structure.name if isinstance(structure, Part) else f"({structure!r})"
