"""Self-healing as a loop: compare what is with what should be, and take a small step from the one to the other.

The loop knows less than it seems to: what it sees is old, what it has ordered takes time or gets lost, and a member
that is silent may only be slow. A controller that computes what is missing from an old picture alone starts more than
it needs, and then deletes some at random (ray-project/kuberay, issue 715, 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dscourse.arguments import real, whole

UP, UNREACHABLE, DEAD = "up", "unreachable", "dead"


@dataclass(frozen=True)
class Create:
    """So many new members are ordered."""

    count: int


@dataclass(frozen=True)
class Remove:
    """A member is taken out and stopped, so that it can't come back."""

    member: str


@dataclass(frozen=True)
class Forget:
    """A creation isn't waited for any more: its order, or the member, must have been lost."""

    id: str


Action = Create | Remove | Forget


class Reconciler:
    """Brings a cluster to its size, step by step, from what it is told and nothing else.

    - What it has ordered counts as there, for as long as an order can take. Else it orders again with each look at an
      old picture.
    - A silent member counts as there for `patience`; only then is it taken out and replaced.
    - It repairs at most `at_once` members at a time, so that repair leaves room for the work.
    - Too many members: those that are silent go first, then the newest; a healthy one never goes before a silent one.

    Args:
        patience: seconds for which a silent member is waited for.
        creation_timeout: seconds after which an order that came to nothing is given up.
        at_once: how many creations may be under way.
    """

    def __init__(self, *, patience: float = 10.0, creation_timeout: float = 20.0, at_once: int = 3) -> None:
        self._patience = real("patience", patience, at_least=0.0)
        self._creation_timeout = real("creation_timeout", creation_timeout, above=0.0)
        self._at_once = whole("at_once", at_once, at_least=1)
        self._silent_since: dict[str, float] = {}

    def step(
        self, desired: int, observed: Mapping[str, str], pending: Mapping[str, float], now: float
    ) -> list[Action]:
        """Return what is to be done now.

        Args:
            desired: how many members there should be.
            observed: "up", "unreachable" or "dead" by member, oldest first, as far as is known.
            pending: when each creation that isn't among the observed yet was ordered, by id.
            now: seconds.
        """
        for member in [one for one in self._silent_since if observed.get(one) != UNREACHABLE]:
            del self._silent_since[member]
        for member, state in observed.items():
            if state == UNREACHABLE:
                self._silent_since.setdefault(member, now)
        gone = [
            member
            for member, state in observed.items()
            if state == DEAD or (state == UNREACHABLE and now - self._silent_since[member] >= self._patience)
        ]
        lost = [one for one, since in pending.items() if now - since >= self._creation_timeout]
        staying = [member for member in observed if member not in gone]
        under_way = len(pending) - len(lost)
        surplus = len(staying) + under_way - desired
        actions: list[Action] = [*map(Remove, gone), *map(Forget, lost)]
        if surplus > 0:
            healthy = [member for member in staying if observed[member] == UP]
            silent = [member for member in staying if observed[member] != UP]
            actions += map(Remove, [*silent, *reversed(healthy)][:surplus])
        count = min(-surplus, self._at_once - under_way)
        return [*actions, Create(count)] if count > 0 else actions
