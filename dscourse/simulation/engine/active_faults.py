"""What the faults in force do to the network, at this moment of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from dscourse.simulation.engine.process import Link, Process
from dscourse.simulation.faults import Byzantine, CutLink, Duplicate, Fault, Lossy, Pair, Partition, Slow
from dscourse.simulation.random_streams import key_of, scramble

_DISTURBING = (Partition, CutLink, Lossy, Slow, Duplicate, Byzantine)
_EVERYBODY = -1  # all bits set


class ActiveFaults:
    """The sum of all network faults that have begun and not ended; worked out anew when one comes or goes."""

    def __init__(self, processes: Mapping[str, Process], seed: int) -> None:
        self._processes = processes
        self._seed = seed
        self._faults: dict[int, Fault] = {}
        self._groups: dict[int, dict[str, int]] = {}  # of each partition: process → bit mask of its groups
        self._cut: frozenset[Pair] = frozenset()
        self._loss: list[tuple[float, int, Pair | None]] = []  # rate, key, link
        self._duplication: list[tuple[float, int, Pair | None]] = []
        self._slow_links: list[tuple[float, Pair | None]] = []
        self._slow_nodes: dict[str, float] = {}
        self._liars: dict[tuple[int, str], Random] = {}

    @property
    def is_disturbed(self) -> bool:
        """Whether any message may fare otherwise than the network alone would have it."""
        return bool(self._faults)

    def update(self, active: Mapping[int, Fault]) -> None:
        """Work out what ``active`` (number of the fault → fault) does together."""
        faults = {i: fault for i, fault in active.items() if isinstance(fault, _DISTURBING)}
        self._faults = dict(faults)
        self._groups = {
            i: self._groups.get(i) or self._masks(fault)
            for i, fault in faults.items()
            if isinstance(fault, Partition)
        }
        cuts = [fault for fault in faults.values() if isinstance(fault, CutLink)]
        self._cut = frozenset(pair for cut in cuts for pair in _directions(cut))
        self._loss = self._rates(fault for fault in faults.values() if isinstance(fault, Lossy))
        self._duplication = self._rates(fault for fault in faults.values() if isinstance(fault, Duplicate))
        self._update_slow([fault for fault in faults.values() if isinstance(fault, Slow)])
        self._update_liars([fault for fault in faults.values() if isinstance(fault, Byzantine)])

    def can_talk(self, a: str, b: str) -> bool:
        """Whether every partition and cut lets a message from ``a`` to ``b`` through."""
        if (a, b) in self._cut:
            return False
        return all(groups[a] & groups[b] for groups in self._groups.values())

    def loss_draws(self, link: Link) -> Iterable[bool]:
        """One draw for each fault that may lose a message here: is it lost?"""
        return [link.extras().draw(key) < rate for rate, key, pair in self._loss if _concerns(pair, link)]

    def copies(self, link: Link) -> list[float]:
        """For each fault that copies a message here: a draw for the delay of the copy."""
        extras = link.extras()
        return [
            extras.draw(scramble(key))
            for rate, key, pair in self._duplication
            if _concerns(pair, link) and extras.draw(key) < rate
        ]

    def delay_factor(self, link: Link) -> float:
        """How many times as long a message takes here."""
        factor = 1.0
        for slowness, pair in self._slow_links:
            if _concerns(pair, link):
                factor *= slowness
        if self._slow_nodes:
            for process in (link.source, link.target):
                if process.service is None:  # a slow server takes longer over its work, not over its messages
                    factor *= self._slow_nodes.get(process.name, 1.0)
        return factor

    def work_factor(self, node: str) -> float:
        """How many times as long a node's work takes."""
        return self._slow_nodes.get(node, 1.0)

    def begin_luck_anew(self, seed: int) -> None:
        """Draw from new streams from now on."""
        self._seed = seed
        self._liars.clear()

    def lies_luck(self, key: int, to: str) -> Random:
        """The luck of what a Byzantine node tells one peer: whom else it talks to must not change it."""
        luck = self._liars.get((key, to))
        if luck is None:
            luck = self._liars[key, to] = Random(key_of(key, to))
        return luck

    def _masks(self, partition: Partition) -> dict[str, int]:
        rest = 1 << len(partition.groups)
        masks = {name: _EVERYBODY if m.is_client else 0 for name, m in self._processes.items()}
        for number, group in enumerate(partition.groups):
            for name in group:
                masks[name] = (0 if masks[name] == _EVERYBODY else masks[name]) | 1 << number
        return {name: mask or rest for name, mask in masks.items()}

    def _rates(self, faults: Iterable[Lossy | Duplicate]) -> list[tuple[float, int, Pair | None]]:
        return [(fault.rate, key_of(self._seed, "fault", fault.canonical()), fault.link) for fault in faults]

    def _update_slow(self, faults: list[Slow]) -> None:
        self._slow_links = [(fault.factor, fault.link) for fault in faults if fault.node is None]
        factors: dict[str, float] = {}
        for fault in faults:
            if fault.node is not None:
                factors[fault.node] = factors.get(fault.node, 1.0) * fault.factor
        self._slow_nodes = factors

    def _update_liars(self, faults: list[Byzantine]) -> None:
        for process in self._processes.values():
            if process.behaviours:
                process.behaviours = []
        for fault in faults:
            key = key_of(self._seed, "fault", fault.canonical())
            self._processes[fault.node].behaviours.append((fault.behaviour, key))


def _directions(cut: CutLink) -> tuple[Pair, ...]:
    return ((cut.a, cut.b),) if cut.one_way else ((cut.a, cut.b), (cut.b, cut.a))


def _concerns(pair: Pair | None, link: Link) -> bool:
    """A fault without a link concerns all links between nodes; clients stand outside."""
    source, target = link.source, link.target
    if pair is None:
        return not (source.is_client or target.is_client)
    return pair in ((source.name, target.name), (target.name, source.name))
