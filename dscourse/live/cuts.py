"""The cuts and partitions in force in a live cluster, and whom each process must therefore not hear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

from dscourse.live.replay import Party
from dscourse.simulation.engine.active_faults import ActiveFaults
from dscourse.simulation.faults import CutLink, Fault, Partition


class Cuts:
    """What is cut; the rules are the simulator's own.

    Args:
        parties: nodes and clients by id.
    """

    def __init__(self, parties: Mapping[str, Party]) -> None:
        self._ids = tuple(parties)
        self._in_force: dict[int, Fault] = {}
        self._numbers = count()
        self._active = ActiveFaults(parties, 0)  # type: ignore[arg-type] # it asks no more of them

    def begin(self, fault: Fault) -> None:
        """Let a fault begin, if it cuts anything, and end those that it ends."""
        self._in_force = {number: other for number, other in self._in_force.items() if not fault.ends(other)}
        if isinstance(fault, CutLink | Partition):
            self._in_force[next(self._numbers)] = fault
        self._active.update(self._in_force)

    def blocked(self, name: str) -> list[str]:
        """To whom nothing gets through from one of them, and, with "<" before it, from whom."""
        can_talk = self._active.can_talk
        return [other for other in self._others(name) if not can_talk(name, other)] + [
            f"<{other}" for other in self._others(name) if not can_talk(other, name)
        ]

    def _others(self, name: str) -> Iterable[str]:
        return (other for other in self._ids if other != name)
