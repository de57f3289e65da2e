"""Whom a SWIM member probes next."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence


class RoundRobin:
    """Goes through all peers in a random order, then again in another.

    Between two probes of the same peer lie at most 2·(number of peers) − 1 others, however the dice fall: that is
    SWIM's bound on the time to the first detection (section 4.3 of the paper).
    """

    def __init__(self, peers: Sequence[str]) -> None:
        self._peers = peers
        self._order = array("H")
        self._position = 0

    def next(self, rng: random.Random, wanted: Callable[[str], bool]) -> str | None:
        """The next peer that is ``wanted``; None if there is none."""
        count = len(self._peers)
        if len(self._order) != count:
            self._order = array("H" if count <= 65_536 else "I", range(count))
        order = self._order
        for _ in range(2 * count):  # the rest of this round and all of the next
            if self._position == count:
                self._position = 0
            # one step of a Fisher–Yates shuffle: the list is shuffled anew while it is being walked
            here = self._position
            there = here + int(rng.random() * (count - here))
            order[here], order[there] = order[there], order[here]
            self._position += 1
            peer = self._peers[order[here]]
            if wanted(peer):
                return peer
        return None


class RandomChoice:
    """Draws anew each time, as in the basic protocol of the paper: simple, but a peer may be missed for long."""

    def __init__(self, peers: Sequence[str]) -> None:
        self._peers = peers

    def next(self, rng: random.Random, wanted: Callable[[str], bool]) -> str | None:
        """A random peer that is ``wanted``; None if none was found."""
        return next(iter(some(self._peers, 1, rng, wanted)), None)


def some(peers: Sequence[str], count: int, rng: random.Random, wanted: Callable[[str], bool]) -> list[str]:
    """Up to ``count`` different peers that are ``wanted``, at random."""
    if count >= len(peers) // 2:  # few to choose from: a shuffle finds them all
        fitting = [peer for peer in peers if wanted(peer)]
        for here in range(min(count, len(fitting))):
            there = here + int(rng.random() * (len(fitting) - here))
            fitting[here], fitting[there] = fitting[there], fitting[here]
        return fitting[:count]
    chosen: list[str] = []
    for _ in range(20 * count + 50):
        if len(chosen) == count:
            break
        peer = peers[int(rng.random() * len(peers))]
        if peer not in chosen and wanted(peer):
            chosen.append(peer)
    return chosen
