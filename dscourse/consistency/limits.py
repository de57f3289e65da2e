"""How far a search may go."""

from __future__ import annotations

from dscourse.arguments import real, whole

__all__ = ["MOST_STATES", "Limit", "LimitReached"]

MOST_STATES = 1_000_000  # about 300 MB in the worst case
_LOOK_EVERY = 1024


class LimitReached(Exception):  # noqa: N818
    """A search has looked at as many states, or for as long, as it may."""


class Limit:
    """Counts the states of searches; the time, where it is limited, runs from when this is made."""

    def __init__(self, most_states: int | None, time_limit: float | None = None) -> None:
        self.most_states = (
            MOST_STATES if most_states is None else whole("most_states", most_states, at_least=1)
        )
        self.time_limit = None if time_limit is None else real("time_limit", time_limit, above=0.0)
        self.states = 0
        self._stop = self.most_states
        self._end = None if self.time_limit is None else _seconds() + self.time_limit

    def begin(self) -> None:
        """Another search begins, which may look at as many states again."""
        self._stop = self.states + self.most_states

    def count(self) -> None:
        """One more state.

        Raises:
            LimitReached: it was one too many, or the time is up.
        """
        if self.states >= self._stop:
            raise LimitReached(f"{self.most_states} states")
        if self._end is not None and self.states % _LOOK_EVERY == 0 and _seconds() > self._end:
            raise LimitReached(f"{self.time_limit:g} s")
        self.states += 1


def _seconds() -> float:
    import time  # only a caller who limits the time waits in real time

    return time.monotonic()
