"""What may go wrong in a search: faults drawn at random, another set for every seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any, TypeVar

from dscourse.arguments import items, node_ids, real, whole
from dscourse.simulation.behaviours import Behaviour
from dscourse.simulation.faults import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    Crash,
    CutLink,
    DelayMessage,
    Duplicate,
    Fault,
    LoseMessage,
    Lossy,
    Pair,
    Partition,
    Pause,
    RepeatMessage,
    Slow,
)
from dscourse.simulation.names import unknown
from dscourse.simulation.random_streams import key_of
from dscourse.simulation.scenario import Scenario

_Item = TypeVar("_Item")
_HIGHEST_RATE = 0.5  # of loss and duplicates, unless another is given
_WITHOUT_LINKS = ("crashes", "pauses", "slow", "clocks")
_RATES = ("loss", "duplicates")


@dataclass(frozen=True)
class FaultMix:
    """Which faults a search may draw, how many, and until when.

    Each kind is True, False, or the most of it in one run (of `loss` and `duplicates`: the highest rate). Which of
    the allowed kinds are on in a run is drawn, too (Groce et al., Swarm Testing, ISSTA 2012): runs in which everything
    goes wrong at once hide what a single kind would show.

    Args:
        crashes: nodes that stop, most of which come back without their memory.
        pauses: nodes that stand still.
        partitions: the network falls apart into two sides.
        cuts: single links, in one direction or both.
        loss: messages that get lost at random.
        duplicates: messages that arrive twice, at random.
        messages: single messages that are lost, late or doubled.
        slow: nodes or links that take longer.
        clocks: clocks that jump or drift.
        byzantine: what a node may lie, one of these behaviours; without any, nobody lies.
        most: how many faults there are in all, at most; 0 for none.
        heal_at: seconds after which every fault is over and every node is up, for properties that must come true in
            the end. Single messages are then left alone, since nobody can say when they are sent.
        victims: how many different nodes may be befallen in one run, whatever befalls them; None for all. A fault of
            a link or of messages then befalls one of them, too, and the clients are left alone.
        spared: nodes that are never a victim.

    Raises:
        TypeError, ValueError: what is wrong with one of these.
    """

    crashes: bool | int = True
    pauses: bool | int = True
    partitions: bool | int = True
    cuts: bool | int = True
    loss: bool | float = True
    duplicates: bool | float = True
    messages: bool | int = True
    slow: bool | int = True
    clocks: bool | int = True
    byzantine: Sequence[Behaviour] = ()
    most: int = 4
    heal_at: float | None = None
    victims: int | None = None
    spared: Sequence[str] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "byzantine":
                lies = items("byzantine", value, "a list of behaviours, such as [Silent()]")
                object.__setattr__(self, "byzantine", lies)
            elif field.name == "spared":
                object.__setattr__(self, "spared", node_ids("spared", value, at_least=0))
            elif field.name == "victims":
                if value is not None:
                    whole("victims", value, at_least=1)
            elif field.name == "heal_at":
                if value is not None:
                    object.__setattr__(self, "heal_at", real("heal_at", value, above=0.0))
            elif field.name in _RATES and not isinstance(value, bool):
                real(field.name, value, at_least=0.0, at_most=1.0)
            elif field.name == "most" or not isinstance(value, bool):
                whole(field.name, value, at_least=0)

    @classmethod
    def only(cls, **kinds: Any) -> FaultMix:
        """A mix of these kinds and no others: ``FaultMix.only(crashes=2, most=2)``."""
        return cls(**dict.fromkeys(_DRAWN, False) | {"byzantine": ()} | kinds)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that may be drawn."""
        allowed = [name for name in _DRAWN if getattr(self, name)]
        return tuple(name for name in allowed if name != "messages" or self.heal_at is None)

    def draw(self, scenario: Scenario, until: float, seed: int) -> tuple[Fault, ...]:
        """The faults of one run.

        Args:
            scenario: whose nodes and links they befall.
            until: seconds; all begin before.
            seed: of the draw; the same gives the same faults.

        Raises:
            LookupError, ValueError: the spared nodes aren't there, or are all there are.
        """
        for name in self.spared:
            if name not in scenario.node_ids:
                raise unknown("node (spared in a FaultMix)", name, scenario.node_ids)
        if set(self.spared) >= set(scenario.node_ids):
            raise ValueError(f"spared leaves no node that a fault could befall, got {list(self.spared)!r}")
        has_links = any(len(scenario.network.peers(node)) > 0 for node in scenario.node_ids)
        kinds = [name for name in self.kinds if has_links or name in _WITHOUT_LINKS]
        if self.most == 0 or not kinds:
            return ()
        draw = _Draw(
            self, scenario, until, has_links=has_links, random=Random(key_of(seed, "fault mix")).random
        )
        on = [name for name in kinds if draw.chance(0.5)] or [draw.one_of(kinds)]
        left = {name: self._most_of(name) for name in on}
        faults: list[Fault] = []
        for _ in range(1 + int(draw.random() * self.most)):
            if not left:
                break
            kind = draw.one_of(list(left))
            faults.append(_DRAWN[kind](draw))
            left[kind] -= 1
            left = {name: count for name, count in left.items() if count > 0}
        return tuple(sorted(faults, key=lambda fault: (fault.begins or 0.0, fault.canonical())))

    def _most_of(self, kind: str) -> int:
        most = getattr(self, kind)
        return most if isinstance(most, int) and not isinstance(most, bool) else self.most


class _Draw:
    """Draws the parts of faults for one run."""

    def __init__(
        self, mix: FaultMix, scenario: Scenario, until: float, *, has_links: bool, random: Callable[[], float]
    ) -> None:
        self.mix = mix
        self.random = random
        self.all_nodes = scenario.node_ids
        self.nodes = self._victims([node for node in self.all_nodes if node not in mix.spared])
        self.few = len(self.nodes) < len(self.all_nodes)  # then each fault is one of theirs
        self.clients = () if self.few else scenario.client_ids
        self._network = scenario.network
        self.has_links = has_links
        self.end = until if mix.heal_at is None else min(until, mix.heal_at)
        self._digits = max(0, 3 - math.floor(math.log10(until)))  # times are drawn to a thousandth of the run

    def _victims(self, nodes: Sequence[str]) -> tuple[str, ...]:
        """Those whom something may befall in this run, in their order."""
        left = list(nodes)
        while self.mix.victims is not None and len(left) > self.mix.victims:
            left.remove(self.one_of(left))
        return tuple(left)

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def one_of(self, items: Sequence[_Item]) -> _Item:
        return items[int(self.random() * len(items))]

    def begin(self) -> float:
        begin = self.random() * self.end * 0.98
        rounded = round(begin, self._digits)
        return rounded if rounded < self.end else begin // 10.0**-self._digits * 10.0**-self._digits

    def end_after(self, begin: float, lasts: float = 0.5) -> float | None:
        """When it ends; None (with the probability 1 − ``lasts``) if it doesn't, unless everything heals."""
        over = begin + max(10.0**-self._digits, round(self.random() ** 2 * self.end, self._digits))
        if self.chance(lasts) and over < self.end:
            return round(over, self._digits)
        return self.mix.heal_at

    def rate(self, most: bool | float) -> float:
        highest = _HIGHEST_RATE if isinstance(most, bool) else most
        return min(highest, max(0.01, round(self.random() * highest, 2)))

    def link(self) -> Pair:
        """A link, in one of its directions."""
        first = int(self.random() * len(self.nodes))
        around = [*self.nodes[first:], *self.nodes[:first]]
        senders = [*around, *self.all_nodes]  # a victim may have no way out; then it is another's link
        node = next(node for node in senders if self._network.peers(node))
        peer = self.one_of(self._network.peers(node))
        turned = self.few and self.chance(0.5) and self._network.has_link(peer, node)
        return (peer, node) if turned else (node, peer)

    def link_or_all(self) -> Pair | None:
        return self.link() if self.few or self.chance(0.5) else None


def _crash(draw: _Draw) -> Fault:
    at = draw.begin()
    return Crash(draw.one_of(draw.nodes), at, restart_at=draw.end_after(at, 0.8))


def _pause(draw: _Draw) -> Fault:
    at = draw.begin()
    return Pause(draw.one_of(draw.nodes), at, until=draw.end_after(at, 0.8))


def _partition(draw: _Draw) -> Fault:
    alone = draw.one_of(draw.nodes)
    side = [alone] if draw.chance(0.4) else [node for node in draw.nodes if draw.chance(0.5)]
    others = [node for node in draw.all_nodes if node not in side]
    if not side or not others:
        side, others = [alone], [node for node in draw.all_nodes if node != alone]
    at = draw.begin()
    return Partition([side, others], at, until=draw.end_after(at))


def _cut(draw: _Draw) -> Fault:
    a, b = draw.link()
    at = draw.begin()
    return CutLink(a, b, at, until=draw.end_after(at), one_way=draw.chance(0.5))


def _lossy(draw: _Draw) -> Fault:
    at = draw.begin()
    return Lossy(draw.rate(draw.mix.loss), at, until=draw.end_after(at), link=draw.link_or_all())


def _duplicate(draw: _Draw) -> Fault:
    at = draw.begin()
    return Duplicate(draw.rate(draw.mix.duplicates), at, until=draw.end_after(at), link=draw.link_or_all())


def _message(draw: _Draw) -> Fault:
    ends = draw.link()
    if draw.clients and draw.chance(0.3):
        client, node = draw.one_of(draw.clients), draw.one_of(draw.nodes)
        ends = (client, node) if draw.chance(0.5) else (node, client)
    number = 1 + int(draw.random() ** 2 * 20)
    which = int(draw.random() * 3)
    if which == 0:
        return LoseMessage(*ends, number)
    if which == 1:
        return RepeatMessage(*ends, number)
    return DelayMessage(*ends, number, by=max(0.001, round(draw.random() ** 2 * draw.end, 3)))


def _slow(draw: _Draw) -> Fault:
    at, factor = draw.begin(), draw.one_of((2.0, 5.0, 10.0, 30.0))
    until = draw.end_after(at)
    if draw.has_links and draw.chance(0.5):
        return Slow(factor, at, until=until, link=draw.link())
    return Slow(factor, at, until=until, node=draw.one_of(draw.nodes))


def _clock(draw: _Draw) -> Fault:
    node, at = draw.one_of(draw.nodes), draw.begin()
    if draw.mix.heal_at is None and draw.chance(0.5):
        return ClockDrift(node, draw.one_of((-0.5, -0.1, -0.01, 0.01, 0.1, 0.5, 1.0)), at)
    seconds = round((draw.random() ** 2) * draw.end, 2) + 0.01
    return ClockOffset(node, seconds if draw.chance(0.5) else -seconds, at)


def _lie(draw: _Draw) -> Fault:
    at = draw.begin()
    return Byzantine(draw.one_of(draw.nodes), draw.one_of(draw.mix.byzantine), at, until=draw.end_after(at))


_DRAWN: dict[str, Callable[[_Draw], Fault]] = {
    "crashes": _crash,
    "pauses": _pause,
    "partitions": _partition,
    "cuts": _cut,
    "loss": _lossy,
    "duplicates": _duplicate,
    "messages": _message,
    "slow": _slow,
    "clocks": _clock,
    "byzantine": _lie,
}
