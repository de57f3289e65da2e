"""A supervisor restarts what has crashed. If the cause is still there, it crashes again: a crash loop.

A worker takes messages from a durable queue in their order. One that it can't bear makes it crash; since it wasn't
acknowledged, it is the first again after the restart. Waiting longer each time (as Kubernetes does: 10 s, 20 s, 40 s,
… 300 s, and anew after 600 s without a crash) spares everybody else the restarts, and doesn't help the queue: for
that, a message that has failed too often is set aside, in a dead-letter queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from dscourse.arguments import real, whole


class Supervisor:
    """Says how long to wait before a restart; the wait doubles with each crash that follows soon upon a start.

    Args:
        first: seconds before the first restart; 0: it restarts at once, always.
        cap: seconds; it never waits longer.
        reset_after: seconds of work after which a crash counts as the first.
    """

    def __init__(self, *, first: float = 10.0, cap: float = 300.0, reset_after: float = 600.0) -> None:
        self._first = real("first", first, at_least=0.0)
        self._cap = real("cap", cap, at_least=first)
        self._reset_after = real("reset_after", reset_after, above=0.0)
        self._next = self._first

    def crashed(self, worked: float) -> float:
        """Return how many seconds to wait before the restart, after so many seconds of work."""
        if real("worked", worked, at_least=0.0) >= self._reset_after:
            self._next = self._first
        wait, self._next = self._next, min(2 * self._next, self._cap)
        return wait


@dataclass(frozen=True)
class WorkReport:
    """What became of a queue.

    Attributes:
        done: messages that were worked off.
        restarts: of the worker.
        set_aside: messages in the dead-letter queue.
        waiting: messages still in the queue.
    """

    done: int
    restarts: int
    set_aside: int
    waiting: int


def work_off(
    poisoned: Sequence[bool],
    supervisor: Supervisor,
    *,
    until: float,
    seconds_each: float = 1.0,
    start_time: float = 2.0,
    set_aside_after: int | None = None,
) -> WorkReport:
    """Let a supervised worker work off a queue, and return what became of it.

    Args:
        poisoned: for each message, whether it makes the worker crash.
        supervisor: decides when it is restarted.
        until: seconds that it has.
        seconds_each: for a message, also for one that ends in a crash.
        start_time: seconds of a restart.
        set_aside_after: crashes after which a message is set aside; None: never.
    """
    limit = None if set_aside_after is None else whole("set_aside_after", set_aside_after, at_least=1)
    queue, done, restarts, aside, tries = deque(poisoned), 0, 0, 0, 0
    each, start = real("seconds_each", seconds_each, above=0.0), real("start_time", start_time, at_least=0.0)
    now = started = 0.0
    while queue and now + each <= until:
        now += each
        if not queue[0]:
            queue.popleft()
            done, tries = done + 1, 0
            continue
        tries += 1
        if tries == limit:
            queue.popleft()
            aside, tries = aside + 1, 0
        now += supervisor.crashed(now - started) + start
        if now > until:
            break
        started = now
        restarts += 1
    return WorkReport(done, restarts, aside, len(queue))
