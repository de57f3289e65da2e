"""A bulkhead: no more than so many calls at one time, so that one slow neighbour can't take all of a server."""

from __future__ import annotations

from dscourse.arguments import whole
from dscourse.resilience.calls import Call
from dscourse.resilience.outcomes import FULL, Outcome
from dscourse.resilience.policies.gate import Gate


class Bulkhead(Gate):
    """Hands out up to `size` permits; each comes back once, when the call has ended or nobody waits for it any more.

    It bounds what the caller itself has under way. Work that goes on elsewhere after the caller has given up isn't
    counted: the other side needs limits of its own.

    Args:
        size: calls at one time.
    """

    def __init__(self, size: int) -> None:
        self.size = whole("size", size, at_least=1)
        self._out: set[int] = set()
        self._permits = 0

    def __repr__(self) -> str:
        return f"Bulkhead({self.size})"

    @property
    def in_use(self) -> int:
        """How many permits are out."""
        return len(self._out)

    def acquire(self) -> int | None:
        """Return a permit, a number from 1; None: all are out."""
        if len(self._out) >= self.size:
            return None
        self._permits += 1
        self._out.add(self._permits)
        return self._permits

    def release(self, permit: int) -> None:
        """Give a permit back; a second time does nothing."""
        self._out.discard(permit)

    def enter(self, call: Call, deadline: float) -> int | Outcome:
        """Refuse with `bulkhead full`, or hand out a permit."""
        return self.acquire() or Outcome(FULL)

    def leave(self, call: Call, permit: int, outcome: Outcome | None) -> None:
        """Take the permit back."""
        self.release(permit)
