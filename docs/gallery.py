"""Runs that everybody should have seen once, each with the moment that decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dscourse.consensus import two_coasts
from dscourse.exercises import split_brain
from dscourse.simulation import Run


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
    """

    name: str
    title: str
    words: str
    page: str
    make: Callable[[], Run]
    at: float


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
        "Raft's Figure 8: on three of five disks, and lost",
        "The leader of term 4 counts three copies of an entry of term 2 and calls it committed. Then n4 is elected.",
        "09-split-brain",
        lambda: split_brain.figure_8(by_the_paper=False),
        80.0,
    ),
]
