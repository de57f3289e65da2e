"""Who suspected whom, from when to when: the history that a run leaves behind."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dscourse.arguments import instance, one_of
from dscourse.simulation import Run

Interval = tuple[float, float]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Suspicion:
    """``observer`` suspected ``peer`` in [``begin``, ``end``), in true seconds; it may last to the end of the run."""

    observer: str
    peer: str
    begin: float
    end: float


class Uptime:
    """When each node was up. A paused node is up: it will be back, so to suspect it is a mistake."""

    def __init__(self, downtimes: Mapping[str, Sequence[Interval]], end: float) -> None:
        """``downtimes`` are those of each node that crashed, in order; ``end`` is that of the run."""
        self.end = end
        self._down = downtimes

    def downtimes(self, node: str) -> list[Interval]:
        """The intervals in which ``node`` was down."""
        return list(self._down.get(node, ()))

    @property
    def crashed(self) -> list[str]:
        """Nodes that were down at some time, in order of their first crash."""
        return list(self._down)

    def up_together(self, a: str, b: str, within: Interval | None = None) -> float:
        """Seconds in which both nodes were up (in an interval; by default in the whole run)."""
        begin, end = within or (0.0, self.end)
        covered, reached = 0.0, begin
        for down_from, down_to in sorted(self.downtimes(a) + self.downtimes(b)):
            down_from, down_to = max(down_from, reached), min(down_to, end)
            if down_to > down_from:
                covered += down_to - down_from
                reached = down_to
        return max(0.0, end - begin) - covered

    def is_up(self, node: str, time: float) -> bool:
        """Whether ``node`` was up at ``time``."""
        intervals = self.downtimes(node)
        index = bisect_right([interval[0] for interval in intervals], time) - 1
        return index < 0 or time >= intervals[index][1]

    def next_crash(self, node: str, after: float) -> float:
        """When ``node`` crashed next at or after ``after``; the end of the run if it did not."""
        return min((begin for begin, _ in self.downtimes(node) if begin >= after), default=self.end)


def suspicions(
    verdicts: Iterable[tuple[float, str, str, bool]], uptime: Uptime
) -> dict[Pair, list[Suspicion]]:
    """Pair up suspicions and their ends, by (observer, peer).

    Args:
        verdicts: (time, observer, peer, suspects it from now on), in order of time.
        uptime: an observer that crashes forgets whom it suspected.
    """
    history: dict[Pair, list[Suspicion]] = defaultdict(list)
    begun: dict[Pair, float] = {}

    def close(pair: tuple[str, str], time: float) -> None:
        begin = begun.pop(pair)
        end = min(time, uptime.next_crash(pair[0], begin))
        history[pair].append(Suspicion(*pair, begin, end))

    for time, observer, peer, suspects in verdicts:
        pair = (observer, peer)
        if pair in begun and (not suspects or uptime.next_crash(observer, begun[pair]) <= time):
            close(pair, time)
        if suspects and pair not in begun:
            begun[pair] = time
    for pair in list(begun):
        close(pair, uptime.end)
    return dict(history)


def check_run(run: object) -> None:
    """Refuse what is no run."""
    instance("run", run, Run, "a run of a scenario, such as scenario.run(60.0)")


def suspicion_history(run: Run, *, verdict: str = "suspect") -> tuple[dict[Pair, list[Suspicion]], Uptime]:
    """Who suspected whom from when to when, by (observer, peer), and when each node was up."""
    check_run(run)
    begins = one_of("verdict", verdict, ("suspect", "confirm"))
    uptime = Uptime(run.trace.downtimes(), run.until)
    verdicts = (
        (event.time, str(event.node), str(event.peer), event.name == begins)
        for event in run.trace.select(kind="record", name=(begins, "trust"))
    )
    return suspicions(verdicts, uptime), uptime
