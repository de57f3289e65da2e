"""How many machines should there be right now? A load that moves, machines that take their time, and a rule.

    simulate_autoscaling(Autoscaler(), LOADS["step"]).peak_machines

A fluid model in steps of a second: requests flow in, and what the machines can't serve waits; each serves 100 a second.
The rule is asked every half minute what it wants. Machines that are ordered come after the start-up time; machines that
aren't wanted any more leave at once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dscourse.arguments import function, instance, whole
from dscourse.scaling.laws import USL

if TYPE_CHECKING:
    from dscourse.arguments import Floats

_HOUR = 3600
_MACHINE_RATE = 100.0  # requests a second that one machine serves
_INTERVAL = 30  # seconds between two questions to a rule
_MOST = 1_000  # machines that a rule may have


@dataclass(frozen=True)
class FleetView:
    """What the rule sees.

    Attributes:
        time: seconds.
        running: machines at work.
        starting: machines that were ordered and aren't there yet.
        utilization: the share of the time for which the running ones' processors worked, since the last look.
        arrival_rate: requests a second, since the last look.
        queue: requests that wait.
        most: machines beyond which more of them would do less (see `USL`), or which may not be had at all.
    """

    time: float
    running: int
    starting: int
    utilization: float
    arrival_rate: float
    queue: float
    most: int


Rule: TypeAlias = Callable[[FleetView], int]


@dataclass(frozen=True)
class MovingLoad:
    """A load over time.

    Attributes:
        arrival_rate: requests a second, of every second.
        backend: what the backend lets through, as a share of what the machines could do, of every second.
    """

    arrival_rate: Floats
    backend: Floats


def _during(start: int, end: int, inside: float, outside: float, length: int = _HOUR) -> Floats:
    """Return one value from second `start` to `end`, and another before and after."""
    values = np.full(length, outside)
    values[start:end] = inside
    return values


def _day() -> Floats:
    """Quiet at four in the morning, busy at eight in the evening, and half an hour of news at noon."""
    hours = np.arange(24 * _HOUR) / _HOUR
    rising = np.cos((hours - 4.0) / 16.0 * np.pi)
    falling = -np.cos((hours - 20.0) % 24.0 / 8.0 * np.pi)
    waves = 1000.0 - 700.0 * np.where((hours >= 4.0) & (hours < 20.0), rising, falling)
    return waves + _during(12 * _HOUR, 12 * _HOUR + _HOUR // 2, 1500.0, 0.0, 24 * _HOUR)


#: Hours in which rules part, and one whole day. Of each second: requests, and what the backend lets through.
LOADS = {
    "step": MovingLoad(_during(0, 600, 500.0, 1500.0), np.ones(_HOUR)),
    "burst": MovingLoad(_during(600, 1500, 5000.0, 500.0), np.ones(_HOUR)),
    "alternating": MovingLoad(400.0 * np.where(np.arange(_HOUR) // 60 % 2, 1.35, 0.65), np.ones(_HOUR)),
    "backend stall": MovingLoad(np.full(_HOUR, 500.0), _during(600, 1200, 0.3, 1.0)),
    "day": MovingLoad(_day(), np.ones(24 * _HOUR)),
}


@dataclass(frozen=True)
class AutoscalingResult:
    """What came of a rule.

    Attributes:
        machines: how many were at work, of every second.
        starting: how many were ordered and not there yet, of every second.
        queue: how many requests waited, of every second.
        utilization: how much the machines' processors worked, of every second.
        changes_of_direction: how often it went from more to fewer or back.
        machine_hours: what is paid for; those that are starting are paid, too.
    """

    machines: Floats
    starting: Floats
    queue: Floats
    utilization: Floats
    changes_of_direction: int
    machine_hours: float

    @property
    def peak_machines(self) -> int:
        """The most that were at work at once."""
        return int(self.machines.max())

    @property
    def overloaded_seconds(self) -> int:
        """For how long requests had to wait for the next second, or longer."""
        return int((self.queue > 0.5).sum())

    @property
    def crowded_seconds(self) -> int:
        """For how long the machines worked for more than 85 % of the time, where waiting explodes (notebook 01)."""
        return int((self.utilization > 0.85).sum())


@dataclass
class Autoscaler:
    """A rule that knows what is starting, looks at load and queue, stops at the peak, and takes its time to shrink.

    Attributes:
        target: utilization to aim at.
        drain_seconds: how soon a queue should be gone.
        patience: seconds for which fewer must be wanted before any is sent away, and then no more than were too many
            all that time.
    """

    target: float = 0.6
    drain_seconds: float = 120.0
    patience: float = 300.0
    _low_since: float = math.inf
    _most_since: int = 0

    def __call__(self, view: FleetView) -> int:
        """Return how many machines there should be, those that are starting included."""
        work = view.arrival_rate + view.queue / self.drain_seconds
        wanted = min(view.most, math.ceil(work / (self.target * _MACHINE_RATE)))
        there = view.running + view.starting
        if wanted >= there:
            self._low_since, self._most_since = math.inf, 0
            return wanted
        self._low_since = min(self._low_since, view.time)
        self._most_since = max(self._most_since, wanted)
        if view.time - self._low_since < self.patience:
            return there
        wanted, self._low_since, self._most_since = self._most_since, math.inf, 0
        return wanted


def simulate_autoscaling(
    rule: Rule,
    load: MovingLoad,
    *,
    machines: int = 9,
    start_seconds: int = 120,
    law: USL | None = None,
) -> AutoscalingResult:
    """Let a rule keep a fleet under a load that moves.

    Args:
        rule: a function of a `FleetView` that returns how many machines it wants; it gets one at least, and a thousand
            at most.
        load: one of `LOADS`, or your own.
        machines: at the start.
        start_seconds: from order to work.
        law: how machines get in each other's way; by default they don't.

    Raises:
        TypeError, ValueError: what is wrong with an argument, or with what the rule returns.
    """
    decide = function("rule", rule, "a function of a FleetView that returns a number of machines")
    instance("load", load, MovingLoad, 'a load, such as LOADS["step"]')
    running, each = whole("machines", machines, at_least=1), _MACHINE_RATE
    delay, interval = whole("start_seconds", start_seconds, at_least=0), _INTERVAL
    law = law or USL(0.0, 0.0)
    most = int(min(law.peak_load, _MOST))
    power_of = functools.cache(lambda count: each * float(law(count)))
    ordered: list[int] = []  # when each machine that is starting will be there
    queue = paid = came = worked = 0.0
    direction = changes = 0
    counts, coming, queues, busy = [], [], [], []
    for second, (rate, backend) in enumerate(
        zip(load.arrival_rate.tolist(), load.backend.tolist(), strict=True)
    ):
        while ordered and ordered[0] <= second:  # in order of time, since each takes as long
            running += 1
            del ordered[0]
        if second and second % interval == 0:
            view = FleetView(
                second,
                running,
                len(ordered),
                worked / interval,
                came / interval,
                queue,
                most,
            )
            wanted = min(max(1, whole("what the rule returns", decide(view), at_least=0)), _MOST)
            change = wanted - running - len(ordered)
            if change:
                step = 1 if change > 0 else -1
                changes += direction == -step
                direction = step
            if change > 0:
                ordered += [second + delay] * change
            else:
                cancelled = min(-change, len(ordered))
                ordered = ordered[: len(ordered) - cancelled]
                running = max(1, running + change + cancelled)
            came = worked = 0.0
        power = power_of(running) * backend
        done = min(queue + rate, power)
        queue += rate - done
        came += rate
        worked += done / (each * running)
        paid += running + len(ordered)
        counts.append(running)
        coming.append(len(ordered))
        queues.append(queue)
        busy.append(done / (each * running))
    working, starting, waiting, busyness = (
        np.array(values, float) for values in (counts, coming, queues, busy)
    )
    return AutoscalingResult(working, starting, waiting, busyness, changes, paid / _HOUR)
