"""Which of several events at one instant comes first, when that is to be shuffled.

Without it, the first to be scheduled comes first: one schedule of many that the real world might choose.
"""

from __future__ import annotations

from collections.abc import Callable

from dscourse.simulation.engine.process import Link, Process
from dscourse.simulation.random_streams import key_of, scramble

_SHIFT = 64


class TieBreaker:
    """Gives each event a place among those of its instant, from streams of the link or node that it belongs to."""

    def __init__(self, seed: int, next_number: Callable[[], int]) -> None:
        self._key = key_of(seed, "ties")
        self._next_number = next_number
        self._counts: dict[tuple[int, int], int] = {}

    def message_order(self, link: Link) -> int:
        """For a message on ``link``."""
        return self._order(link.source.sending_key, link.target.receiving_key)

    def timer_order(self, process: Process) -> int:
        """For a timer of ``process``."""
        return self._order(process.sending_key, 0)

    def _order(self, a: int, b: int) -> int:
        count = self._counts.get((a, b), 0) + 1
        self._counts[a, b] = count
        return scramble(scramble(self._key + a + b) + count) << _SHIFT | self._next_number()
