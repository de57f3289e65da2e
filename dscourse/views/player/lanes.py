"""What is drawn over time under the player's time line, in step with its cursor.

    from dscourse.views import lanes, play
    play(run, lanes=[lanes.throughput(), lanes.latency(0.99), lanes.queue("n1")])

A lane is worked out from the trace once and sent along with it: a step function of some hundred numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dscourse.arguments import one_of, probability, real, text
from dscourse.simulation import Run
from dscourse.views.player.scene import queue_changes

_BUCKETS = 120  # stretches of time that a run is divided into
Points = list[tuple[float, float | None]]


@dataclass(frozen=True)
class Lane:
    """One line over time.

    Attributes:
        name: what is shown.
        unit: of its values.
        points: function of the run and of the moment from which it is no longer the one given to `play` (seconds; None
            if it is that one); returns (seconds, value from then on), with None where there is none.
    """

    name: str
    unit: str
    points: Callable[[Run, float | None], Points]

    def drawn(self, run: Run, changed_from: float | None = None) -> dict[str, Any]:
        """Return it as the browser reads it: [µs, value] where the value changes, rounded to what can be seen."""
        kept: list[list[Any]] = []
        for time, value in self.points(run, changed_from):
            number = None if value is None or not np.isfinite(value) else float(f"{value:.3g}")
            if not kept or kept[-1][1] != number:
                kept.append([round(time * 1e6), number])
        most = max((point[1] for point in kept if point[1] is not None), default=0)
        return {"name": self.name, "unit": self.unit, "points": kept, "most": most}


def throughput(over: float | None = None) -> Lane:
    """Return how many of the clients' operations are answered in a second, with "ok" or "fail".

    Args:
        over: seconds up to the cursor that are looked at; None for as short a time as can be drawn.
    """
    span = _span(over)
    return Lane("throughput", "/s", lambda run, _: _rate(run, _ended(run, ("ok", "fail")), span))


def goodput(within: float) -> Lane:
    """Return how many of the clients' operations succeed in a second, within so many seconds of being asked."""
    longest = real("within", within, above=0.0)
    name = f"goodput within {longest:g} s"
    return Lane(
        name, "/s", lambda run, _: _rate(run, [(t, s) for t, s in _ended(run, ("ok",)) if s <= longest])
    )


def latency(quantile: float, over: float | None = None) -> Lane:
    """Return a quantile of how long the operations took that succeeded lately, such as 0.99.

    Args:
        quantile: from 0 to 1.
        over: seconds up to the cursor that are looked at; None for as short a time as can be drawn.
    """
    share, span = probability("quantile", quantile), _span(over)

    def points(run: Run, _: float | None) -> Points:
        found: list[list[float]] = [[] for _ in range(_BUCKETS)]
        for time, seconds in _ended(run, ("ok",)):
            for bucket in _buckets(run, time, span):
                found[bucket].append(seconds)
        return [
            (index * run.until / _BUCKETS, float(np.quantile(values, share)) if values else None)
            for index, values in enumerate(found)
        ]

    return Lane(f"latency p{100 * share:g}", "s", points)


def queue(node: str) -> Lane:
    """Return how many messages wait at a node that takes time to serve them."""
    text("node", node)

    def points(run: Run, _: float | None) -> Points:
        one_of("node", node, run.nodes)
        most = [0] * _BUCKETS
        length, reached = 0, 0
        for time, change in ((t, c) for t, at, c in queue_changes(run) if at == node):
            bucket = _bucket(run, time / 1e6)
            for between in range(reached, bucket + 1):
                most[between] = max(most[between], length)
            reached, length = bucket, length + change
            most[bucket] = max(most[bucket], length)
        for between in range(reached, _BUCKETS):
            most[between] = max(most[between], length)
        return [(index * run.until / _BUCKETS, float(length)) for index, length in enumerate(most)]

    return Lane(f"queue of {node}", "", points)


def series(name: str, points: Any, unit: str = "") -> Lane:
    """Return a line of your own, such as the inevitability of a broken property.

    Args:
        name: what it shows.
        points: pairs of seconds and value, in order of time, or a table with these two columns.
        unit: of its values.

    It belongs to the run that `play` is given: once the learner changes it, the line ends where the change begins.
    """
    pairs = points.itertuples(index=False) if hasattr(points, "itertuples") else points
    rows = [(float(time), float(value)) for time, value in pairs]

    def told(_: Run, changed_from: float | None) -> Points:
        if changed_from is None:
            return list(rows)
        return [row for row in rows if row[0] <= changed_from] + [(changed_from, None)]

    return Lane(text("name", name), unit, told)


def _ended(run: Run, outcomes: tuple[str, ...]) -> list[tuple[float, float]]:
    """Return (when, after how many seconds) of the operations that ended so."""
    return [(event.time, event.detail["seconds"]) for event in run.trace.select(kind=list(outcomes))]


def _rate(run: Run, ended: list[tuple[float, float]], span: float = 0.0) -> Points:
    width = run.until / _BUCKETS
    counts = [0] * _BUCKETS
    for time, _ in ended:
        for bucket in _buckets(run, time, span):
            counts[bucket] += 1
    return [
        (index * width, count / min(max(span, width), (index + 1) * width))
        for index, count in enumerate(counts)
    ]


def _span(over: float | None) -> float:
    return 0.0 if over is None else real("over", over, above=0.0)


def _buckets(run: Run, time: float, span: float) -> range:
    """Return the stretches in which something is still lately."""
    first = _bucket(run, time)
    return range(first, min(_BUCKETS, first + max(1, round(span / run.until * _BUCKETS))))


def _bucket(run: Run, time: float) -> int:
    return min(_BUCKETS - 1, int(time / run.until * _BUCKETS))
