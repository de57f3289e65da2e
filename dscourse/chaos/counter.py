"""What every store of the shop has: a queue, copies that are made anew, and a book that it closes at night."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.chaos.design import Design
from dscourse.chaos.servers import STORE_SECONDS, Sell, WorkTime
from dscourse.simulation import Context

PING_SECONDS = 0.001
PIECES = 150  # of a copy of the store
PACE = 0.2  # seconds between two pieces of a paced copy
SILENT_FOR = 2.0  # seconds after which a copy that comes back is made anew
SHED_AT = 20  # orders that may wait at a store that sheds


@dataclass(frozen=True)
class Disk:
    """What a copy must find again after a crash."""

    epoch: int
    book: tuple[str, ...]

    def __deepcopy__(self, _: dict[int, Any]) -> Disk:
        return self  # nobody can change it


@dataclass(frozen=True)
class Piece:
    """A piece of a copy that is made anew."""

    number: int


@dataclass(frozen=True)
class Ping:
    """Of the watcher: are you well? It waits its turn behind the orders."""


class Counter:
    """The queue of a store: orders, pieces of copies and pings, one after another; a part of its node."""

    def __init__(self, *, sheds: bool) -> None:
        self._sheds = sheds
        self._jobs: deque[tuple[str, Any]] = deque()
        self._work_time = WorkTime()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, ctx: Context, sender: str, job: Any) -> bool:
        """Queue a job; False if an order is refused, as too many wait."""
        if self._sheds and isinstance(job, Sell) and len(self._jobs) >= SHED_AT:
            return False
        self._jobs.append((sender, job))
        if len(self._jobs) == 1:
            self._begin(ctx)
        return True

    def done(self, ctx: Context) -> tuple[str, Any]:
        """Take out the job whose time is over, and begin the next."""
        sender, job = self._jobs.popleft()
        while self._sheds and self._jobs and self._is_too_late(ctx, self._jobs[0][1]):
            self._jobs.popleft()
        if self._jobs:
            self._begin(ctx)
        else:
            self._work_time.turn(ctx.now, busy=False)
        return sender, job

    def tell_load(self, ctx: Context, label: str, status: str) -> None:
        """Record how busy it was."""
        share = self._work_time.look(ctx.now)
        ctx.record("load", utilization=share, occupied=share, waiting=len(self._jobs))
        ctx.record("status", status=status, label=f"{label}, {100 * share:.0f} %")

    def _begin(self, ctx: Context) -> None:
        self._work_time.turn(ctx.now, busy=True)
        ctx.set_timer("counter", PING_SECONDS if isinstance(self._jobs[0][1], Ping) else STORE_SECONDS)

    @staticmethod
    def _is_too_late(ctx: Context, job: Any) -> bool:
        return isinstance(job, Sell) and job.deadline < ctx.now


class Copies:
    """Who of the other copies has been silent, and the pieces that are still to be sent to those who came back."""

    def __init__(self, design: Design, peers: Sequence[str]) -> None:
        self._paced = design.repair == "paced"
        self._heard = dict.fromkeys(peers, 0.0)
        self.to_send: deque[str] = deque()

    def hear(self, ctx: Context, peer: str) -> bool:
        """Note an answer; True if that copy must be made anew."""
        silent = ctx.now - self._heard[peer] > SILENT_FOR
        self._heard[peer] = ctx.now
        if silent:
            ctx.record("repair", copy=peer)
        return silent

    def begin_to_listen(self, now: float) -> None:
        """Whoever was silent towards another is not yet silent towards me."""
        self._heard = dict.fromkeys(self._heard, now)
        self.to_send.clear()

    def order(self, ctx: Context, counter: Counter, copy: str) -> None:
        """Send all pieces at once, or begin to send them."""
        if self._paced:
            self.to_send.extend([copy] * PIECES)
            ctx.set_timer("piece", PACE)
        else:
            for number in range(PIECES):
                counter.put(ctx, copy, Piece(number))

    def next_piece(self, ctx: Context, counter: Counter) -> None:
        """Put the next piece into the queue."""
        if self.to_send:
            counter.put(ctx, self.to_send.popleft(), Piece(len(self.to_send)))
            ctx.set_timer("piece", PACE)


def close_of_business(ctx: Context, seconds: float) -> None:
    """Set the timer at which a copy shows its book, just before the end of the day."""
    if ctx.now < seconds - 0.01:
        ctx.set_timer("close", seconds - 0.01 - ctx.now)
