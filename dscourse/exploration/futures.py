"""When did it become inevitable? The same past with many futures, forked at moments along a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dscourse.arguments import instance, whole
from dscourse.simulation.errors import EventLimit, NodeError
from dscourse.simulation.faults import OtherLuck
from dscourse.simulation.properties import Property
from dscourse.simulation.run import Run, judged_run
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

if TYPE_CHECKING:
    import pandas as pd

_LIMIT = 200_000  # events of one fork, or twice as many as the run has
_Z = 1.959964  # of a level of 95 %


def inevitability(
    run: Run,
    property: Property,  # noqa: A002 - the word of the field
    *,
    forks: int = 50,
    moments: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """How often a property fails if the run is forked at a moment and all luck is drawn anew from there on.

    The run's own faults still happen. (In a run of steps, the steps after the moment are drawn at random; they may ask,
    crash, lose and repeat as often as those that they replace.) Where the share is near 0, nothing was decided yet;
    where it has become 1, nothing could help any more. A fork in which a handler fails, or that doesn't end, counts
    as failed.

    Args:
        run: of which to tell.
        property: what ought to hold.
        forks: futures at each moment.
        moments: from the beginning to the end of the run, equally far apart.
        seed: of the futures; fork number k at any moment is ``run.fork(t, reseed=seed * forks + k)``.

    Returns:
        A table with one row a moment: time (s), forks, failed, share (of the forks that fail), and low and high, the
        ends of Wilson's interval at 95 % (Wilson, JASA 1927).
    """
    import pandas as pd  # a table is wanted: only now is its library loaded

    instance("run", run, Run, "a run, such as scenario.run(10.0)")
    instance("property", property, Property, "a property, such as always(lambda now: …)")
    count, first = (
        whole("forks", forks, at_least=1),
        whole("seed", seed, at_least=0) * whole("forks", forks, at_least=1),
    )
    last = whole("moments", moments, at_least=2) - 1
    run.check(property)  # judged runs show the nodes themselves: does it change what it sees?
    rows = []
    for place in range(last + 1):
        time = to_microseconds(run.until * place / last) / MICROSECONDS
        failed = sum(_fails(run, property, time, number) for number in range(first, first + count))
        low, high = wilson_interval(failed, count)
        rows.append((time, count, failed, failed / count, low, high))
    return pd.DataFrame(rows, columns=["time", "forks", "failed", "share", "low", "high"])


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval for a probability, at 95 %."""
    share, spread = successes / trials, _Z * _Z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return low, high


def _fails(run: Run, wanted: Property, time: float, number: int) -> bool:
    scenario = run.scenario.with_faults(*run.faults, OtherLuck(number, time))
    limit = max(_LIMIT, 2 * run.event_count)
    try:
        return bool(judged_run(scenario, run.until, [wanted], event_limit=limit)[1])
    except (NodeError, EventLimit):
        return True
