"""Why a replica is no backup: checkpoints, a log, and the way back to a moment before the mistake.

A mistaken delete is a write like any other: within a moment it is on all copies. What helps is a way back in time: the
last checkpoint before the mistake, and the log from there up to the moment just before it. How much work is lost, and
how long it takes, are two different questions, and have the field's names: recovery point and recovery time.

And a backup that was never restored is a hope: on the last day of January 2017 GitLab lost six hours of changes for
good, replicas and backups notwithstanding (GitLab, *Postmortem of database outage of January 31*, 2017).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Hashable
from dataclasses import dataclass

from dscourse.arguments import real, truth, whole


@dataclass(frozen=True)
class Change:
    """One entry of the log: at that time the key got that value, or (None) was deleted."""

    time: float
    key: Hashable
    value: object


@dataclass(frozen=True)
class Restored:
    """What a restore gave.

    Attributes:
        state: keys and values.
        lost: changes up to the wanted point that it lacks.
        undone: later changes that it undoes: all that was done since, the mistake among them.
        seconds: how long it took.
    """

    state: dict[Hashable, object]
    lost: int
    undone: int
    seconds: float


class BackedUpStore:
    """A store with checkpoints at times and a log that is kept, or isn't.

    Args:
        checkpoint_interval: seconds between two checkpoints; the first is at 0 and empty.
        keep_log: whether the changes since a checkpoint are kept, too; otherwise only the checkpoints are.
        load_rate: keys of a checkpoint that are loaded in a second.
        replay_rate: changes of the log that are replayed in a second.
    """

    def __init__(
        self,
        *,
        checkpoint_interval: float,
        keep_log: bool = True,
        load_rate: float = 1000.0,
        replay_rate: float = 100.0,
    ) -> None:
        self._interval = real("checkpoint_interval", checkpoint_interval, above=0.0)
        self._keep_log = truth("keep_log", keep_log)
        self._load_rate = real("load_rate", load_rate, above=0.0)
        self._replay_rate = real("replay_rate", replay_rate, above=0.0)
        self.state: dict[Hashable, object] = {}
        self._changes: list[Change] = []
        self._checkpoints: list[tuple[float, int, dict[Hashable, object]]] = [(0.0, 0, {})]

    def put(self, time: float, key: Hashable, value: object) -> None:
        """Write a value, or delete the key if it is None; times never fall."""
        at = real("time", time, at_least=self._changes[-1].time if self._changes else 0.0)
        self._check_point(at)
        self._changes.append(Change(at, key, value))
        _apply(self.state, self._changes[-1])

    def _check_point(self, time: float) -> None:
        """Take the last checkpoint that was due up to now; those between are the same, since nothing has changed."""
        due = math.floor(time / self._interval) * self._interval
        if due > self._checkpoints[-1][0]:
            self._checkpoints.append((due, len(self._changes), dict(self.state)))

    def restore(self, to: float) -> Restored:
        """Go back to the state at a time: all changes up to it, that one included.

        Without a log it is the last checkpoint up to that time, and what came after it is lost.
        """
        wanted = real("to", to, at_least=0.0)
        upto = bisect.bisect_right(self._changes, wanted, key=lambda change: change.time)
        place = bisect.bisect_right(self._checkpoints, wanted, key=lambda checkpoint: checkpoint[0]) - 1
        _, first, saved = self._checkpoints[place]
        state, seconds = dict(saved), len(saved) / self._load_rate
        replayed = self._changes[first:upto] if self._keep_log else []
        for change in replayed:
            _apply(state, change)
        seconds += len(replayed) / self._replay_rate
        return Restored(state, upto - first - len(replayed), len(self._changes) - upto, seconds)


def _apply(state: dict[Hashable, object], change: Change) -> None:
    if change.value is None:
        state.pop(change.key, None)
    else:
        state[change.key] = change.value


def chance_that_none_works(methods: int, breaks_a_year: float, tried_every: float) -> float:
    """Return the chance that no backup can be restored when one is needed, if each breaks in silence.

    Each method breaks independently at a constant rate, is found broken when it is tried, and is mended then. At a
    moment by chance the last trial is between 0 and ``tried_every`` ago.

    Args:
        methods: how many ways of backing up there are.
        breaks_a_year: how often one of them breaks in silence.
        tried_every: years between two trials of all of them at once; `inf` if they are never tried: then all are
            broken in the end.
    """
    whole("methods", methods, at_least=1)
    rate = real("breaks_a_year", breaks_a_year, at_least=0.0)
    if tried_every == math.inf:
        return 1.0 if rate else 0.0
    period = real("tried_every", tried_every, above=0.0)
    if not rate:
        return 0.0
    # The mean of (1 − e^(−rate·t))^methods over t in [0, period], term by term of the binomial.
    decays = [count * rate * period for count in range(1, methods + 1)]
    terms = [1.0, *(-math.expm1(-decay) / decay for decay in decays)]
    mean = math.fsum((-1) ** count * math.comb(methods, count) * term for count, term in enumerate(terms))
    return min(1.0, max(0.0, mean))
