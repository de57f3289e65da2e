"""Chaos Monkey: it ends one member of a group at random, on a working day, while people are there to look.

    ChaosMonkey({"web": ["w1", "w2"], "search": ["s1", "s2"]}).schedule(days=28, seed=1)

The rules are those that its authors document (Netflix, *Chaos Monkey* 2.0, documentation of its schedule and its
settings, commit 0be459a): a group must have been opted in; on each working day each group is hit with the probability
that makes the mean time between two hits as wanted, two working days by default; one of its members goes, at a minute
drawn evenly from the working hours; and as long as it is *leashed*, which it is by default, it only writes down what it
would have done. (Ours is not leashed by default: nobody's production is at stake.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from dscourse.arguments import instance, node_ids, real, truth, whole
from dscourse.simulation.random_streams import key_of

if TYPE_CHECKING:
    from dscourse.simulation import Crash

WEEK, WORKING_DAYS = 7, 5


@dataclass(frozen=True)
class Kill:
    """One member of a group goes.

    Attributes:
        day: of the calendar, from 0, a Monday.
        time: seconds after midnight.
        group: of whom.
        node: who.
        leashed: whether it was only written down.
    """

    day: int
    time: float
    group: str
    node: str
    leashed: bool = False


class ChaosMonkey:
    """Draws who goes when.

    Args:
        groups: {group: its members}; only these are ever touched.
        mean_days: working days between two hits of a group, on average.
        min_days: fewest days from one hit of a group to the next; 1 allows two days running.
        hours: from when to when, in hours of the day.
        leashed: only write down who would have gone.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[str]],
        *,
        mean_days: float = 2,
        min_days: int = 1,
        hours: tuple[float, float] = (9, 15),
        leashed: bool = False,
    ) -> None:
        given = instance("groups", groups, Mapping, "a dict of groups and their members")
        self.groups = {group: node_ids(f"group {group!r}", members) for group, members in given.items()}
        self.mean_days = real("mean_days", mean_days, at_least=1.0)
        self.min_days = whole("min_days", min_days, at_least=1)
        first, last = hours
        begin = real("hours[0]", first, at_least=0.0, at_most=24.0)
        self.hours = (begin, real("hours[1]", last, above=begin, at_most=24.0))
        self.leashed = truth("leashed", leashed)

    def schedule(self, days: int, seed: int) -> tuple[Kill, ...]:
        """Return who goes on which of so many calendar days, the first of which is a Monday, in order of time."""
        kills = []
        for group, members in self.groups.items():
            last = -self.min_days
            for day in range(whole("days", days, at_least=1)):
                random = Random(key_of(seed, "chaos monkey", group, day)).random
                if day % WEEK >= WORKING_DAYS or day - last < self.min_days:
                    continue
                if random() < 1.0 / self.mean_days:
                    minute = self._minute(random())
                    victim = members[int(random() * len(members))]
                    kills.append(Kill(day, 60.0 * minute, group, victim, self.leashed))
                    last = day
        return tuple(sorted(kills, key=lambda kill: (kill.day, kill.time, kill.group)))

    def _minute(self, share: float) -> int:
        begin, end = (round(60 * hour) for hour in self.hours)
        return begin + int(share * (end - begin))


def crashes(kills: Iterable[Kill], *, day: float, restart_after: float | None = None) -> tuple[Crash, ...]:
    """Return kills as faults of a run in which a day lasts so many seconds; leashed ones are none.

    Args:
        kills: of a schedule.
        day: seconds of the run for each calendar day.
        restart_after: seconds of the run until a new member stands in the place; None: nobody comes.
    """
    from dscourse.simulation import Crash

    length = real("day", day, above=0.0)
    found = []
    for kill in kills:
        if not kill.leashed:
            at = round(length * (kill.day + kill.time / 86_400), 6)
            found.append(Crash(kill.node, at, None if restart_after is None else at + restart_after))
    return tuple(found)
