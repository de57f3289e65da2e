"""An adversary that draws its steps: who reaches whom is drawn anew now and then, and so is what it likes to do.

Realistic delays leave nearly every run in nearly the same order. Here half of the cluster hears nothing of the other
for some steps, old messages arrive long after newer ones, and a timer may go off before anything has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from dscourse.exploration.process import CRASHED, UP
from dscourse.exploration.steps import Ask, Deliver, Down, Fire, Lose, MailStep, Repeat, Step, Up
from dscourse.exploration.untimed import Link, UntimedCluster
from dscourse.simulation.random_streams import key_of

_EPOCH = 8  # steps, after which it is drawn anew who reaches whom
_ALL_REACH = 0.3  # probability that everybody reaches everybody
_FIRING = (0.03, 0.1, 0.3, 1.0)  # how readily timers go off, beside 1 for a delivery; one of these a walk
_ORDERS = ("oldest", "oldest", "newest", "any")  # which message of a link arrives; one of these for a while
_FAULTS = 0.08  # how readily something goes wrong, of what may
_RISING = 1.0  # how readily a node that is down boots again

T = TypeVar("T")


@dataclass
class Allowance:
    """What a walk may still do, besides delivering messages and firing timers.

    Attributes:
        asks: what clients will ask, in order.
        crashes: nodes that may go down.
        losses: messages that may get lost.
        repeats: messages that may be copied.
    """

    asks: tuple[Ask, ...] = ()
    crashes: int = 0
    losses: int = 0
    repeats: int = 0

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Allowance:
        """As much as these steps need."""
        return cls(
            tuple(step for step in steps if isinstance(step, Ask)),
            *(sum(isinstance(step, kind) for step in steps) for kind in (Down, Lose, Repeat)),
        )


class RandomSteps:
    """Chooses steps at random.

    Args:
        number: of the walk; another number chooses otherwise.
        allowance: what it may do; it is used up.
    """

    def __init__(self, number: int, allowance: Allowance) -> None:
        self._random = Random(key_of(0, "steps", number)).random
        self._left = allowance
        self._asks = list(allowance.asks)
        self._firing = self._one_of(_FIRING)
        self._taken = 0
        self._sides: dict[str, bool] = {}
        self._order = ""

    def all(self, cluster: UntimedCluster, count: int) -> Iterator[Step]:
        """Up to ``count`` steps, each to be taken before the next is asked for; fewer where nothing can be done."""
        for left in range(count, 0, -1):
            step = self.next(cluster, left)
            if step is None:
                return
            yield step

    def next(self, cluster: UntimedCluster, left: int) -> Step | None:
        """The next step, if anything can be done; ``left`` tells how many are still to come."""
        if self._taken % _EPOCH == 0:
            self._draw_epoch(cluster)
        self._taken += 1
        choices = self._choices(cluster, max(1, left))
        total = sum(weight for weight, _ in choices)
        mark = self._random() * total
        for weight, choose in choices:
            mark -= weight
            if mark < 0:
                return choose()
        return choices[-1][1]() if choices else None

    def _choices(self, cluster: UntimedCluster, left: int) -> list[tuple[float, Callable[[], Step]]]:
        """What can be done, with weights, and how to draw it."""
        nodes = [process for process in cluster.processes.values() if not process.is_client]
        timers = [(process.name, timer) for process in nodes for timer in sorted(process.timers)]
        waiting = [link for link, mails in cluster.links.items() if mails]
        open_links = [link for link in waiting if self._sides[link[0]] == self._sides[link[1]]]
        up = [process.name for process in nodes if process.condition == UP]
        down = [process.name for process in nodes if process.condition == CRASHED]
        allowed = self._left
        choices: list[tuple[float, Callable[[], Step]]] = []
        if open_links:
            choices.append((1.0, lambda: self._mail_step(Deliver, cluster, open_links)))
        if timers:
            choices.append((self._firing, lambda: Fire(*self._one_of(timers))))
        if self._asks:
            choices.append((min(1.0, 3.0 * len(self._asks) / left), lambda: self._asks.pop(0)))
        if down:
            choices.append((_RISING, lambda: Up(self._one_of(down))))
        if allowed.crashes and up:
            choices.append((_FAULTS, lambda: self._crash(up)))
        if allowed.losses and waiting:
            choices.append((_FAULTS, lambda: self._lose(cluster, waiting)))
        if allowed.repeats and waiting:
            choices.append((_FAULTS, lambda: self._repeat(cluster, waiting)))
        if not choices and waiting:  # nobody reaches anybody, and nothing else is left to do
            self._sides = dict.fromkeys(self._sides, True)
            return self._choices(cluster, left)
        return choices

    def _draw_epoch(self, cluster: UntimedCluster) -> None:
        together = self._random() < _ALL_REACH
        self._sides = {name: together or self._random() < 0.5 for name in cluster.network.node_ids}
        self._order = self._one_of(_ORDERS)

    def _crash(self, up: Sequence[str]) -> Step:
        self._left.crashes -= 1
        return Down(self._one_of(up))

    def _lose(self, cluster: UntimedCluster, waiting: Sequence[Link]) -> Step:
        self._left.losses -= 1
        return self._mail_step(Lose, cluster, waiting)

    def _repeat(self, cluster: UntimedCluster, waiting: Sequence[Link]) -> Step:
        self._left.repeats -= 1
        return self._mail_step(Repeat, cluster, waiting)

    def _mail_step(self, kind: type[MailStep], cluster: UntimedCluster, links: Sequence[Link]) -> MailStep:
        link = self._one_of(links)
        count = len(cluster.links[link])
        places = {"oldest": 1, "newest": count}
        nth = places.get(self._order) or 1 + int(self._random() * count)
        return kind(*link, nth=nth)  # type: ignore[call-arg]

    def _one_of(self, these: Sequence[T]) -> T:
        return these[int(self._random() * len(these))]
