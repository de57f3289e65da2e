"""Runs that everybody should have seen once, each with the moment that decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dscourse.consensus import two_coasts
from dscourse.exercises import consistency, replication, split_brain
from dscourse.services import worker_scenario
from dscourse.simulation import Crash, Run
from dscourse.views import lanes
from dscourse.views.player.lanes import Lane


@dataclass(frozen=True)
class FamousRun:
    """A run, and what to see in it.

    Attributes:
        name: for its address, as in ``gallery.html#split-brain@9``.
        title: what it is called.
        words: what is to be seen, in a sentence or two.
        page: the notebook that explains it.
        make: makes the run.
        at: the second that decides.
        lanes: what to draw over time.
    """

    name: str
    title: str
    words: str
    page: str
    make: Callable[[], Run]
    at: float
    lanes: tuple[Lane, ...] = ()


def _leader_crashes() -> Run:
    calm = replication.bank("async", ship_every=1.0).run(until=9.0)
    return calm.fork(2.6, Crash("n0", at=2.6))


def _burst() -> Run:
    return worker_scenario(0.7, deadline=5.0, attempts=3, burst=(20.0, 15), one_way=0.05, seed=2).run(120.0)


FAMOUS = [
    FamousRun(
        "split-brain",
        "Split brain: two coasts sell the same item",
        "A cut parts two coasts. Each side takes itself for the whole and goes on selling.",
        "09-split-brain",
        lambda: two_coasts(quorum=False).run(60.0),
        11.5,
    ),
    FamousRun(
        "figure-8",
        "Raft's Figure 8: on three of five disks, and gone",
        "The leader of term 4 counts three copies of an entry of term 2 and calls it committed. Then n4 is elected.",
        "09-split-brain",
        lambda: split_brain.figure_8(by_the_paper=False),
        95.0,
    ),
    FamousRun(
        "lost-write",
        "Acknowledged, and lost",
        "n0 has said yes to payments that nobody else has yet, and crashes. Look at the log of whoever leads next.",
        "05-replication",
        _leader_crashes,
        2.5,
    ),
    FamousRun(
        "deleted-item",
        "What was deleted comes back",
        "A shopping cart forgets too soon what was taken out of it. Then a replica answers that had been away.",
        "06-consistency",
        lambda: consistency.deleted_item(grace=1.0),
        5.0,
    ),
    FamousRun(
        "retry-storm",
        "A burst of fifteen requests, and no end",
        "They come at 20 s; clients that wait too long ask again. What becomes of the queue?",
        "03-scaling-patterns",
        _burst,
        22.0,
        (lanes.goodput(within=5.0), lanes.throughput()),
    ),
]
