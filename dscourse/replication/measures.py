"""What clients noticed of replication, and what was lost: functions of a run.

The order of writes is what clients can tell for certain: one came before another if it had been answered before the
other was asked for. Of each key, no value may be written twice, so that a value says which write was read.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import instance, one_of
from dscourse.replication.single_leader.gateway import GUARANTEES
from dscourse.replication.single_leader.log import Disk, Entry, last_position
from dscourse.simulation import ClientOperation, Moment, Property, Run, holds

if TYPE_CHECKING:
    import pandas as pd

_NEVER = -1.0  # before everything
# What a user has done that binds later reads.
_BINDING = {"read your writes": "put", "monotonic reads": "get", "consistent prefix": "get"}


def lost_writes(run: Run, disks: Mapping[str, Disk] | None = None) -> tuple[ClientOperation, ...]:
    """The writes that a client was told are safe, and that are gone at the end.

    What counts is the disk of the leader of the latest epoch; if that leader is down, the disk of the replica with the
    longest log of those that are up. That others may have a write, on a disk that nobody reads from, saves it for
    nobody.

    Args:
        run: what happened.
        disks: what `disks_up` says of its end, where that is known; else the run is run again for it.
    """
    instance("run", run, Run, "a run, such as scenario.run(10.0)")
    surviving = _surviving_log(disks_up(run.at(run.until)) if disks is None else disks)
    log = {(entry.key, entry.value) for entry in surviving}
    acknowledged = [one for one in run.history() if one.operation[0] == "put" and one.outcome == "ok"]
    return tuple(one for one in acknowledged if one.operation[1:3] not in log)


def disks_up(now: Moment) -> dict[str, Disk]:
    """What is on the disks of those replicas that are not down."""
    return {
        node: stored
        for node, stored in now.stored.items()
        if isinstance(stored, Disk) and now.condition[node] != "crashed"
    }


def _surviving_log(disks: Mapping[str, Disk]) -> tuple[Entry, ...]:
    latest = max((disk.epoch for disk in disks.values()), default=0)
    for node, disk in disks.items():
        if disk.leader == node and disk.epoch == latest:
            return disk.log
    return max((disk.log for disk in disks.values()), key=last_position, default=())


@dataclass(frozen=True)
class Violations:
    """Reads that a guarantee forbids; true if there are none.

    Attributes:
        reads: the reads, by time of asking.
        explanation: the first of them in words.
    """

    reads: tuple[ClientOperation, ...]
    explanation: str = ""

    def __bool__(self) -> bool:
        return not self.reads


def session_violations(run: Run, guarantee: str) -> Violations:
    """The reads of a run that break a guarantee, "read your writes", "monotonic reads" or "consistent prefix".

    A client is a session. What a failover lost counts, too: the user misses it all the same.
    """
    one_of("guarantee", guarantee, GUARANTEES)
    history = _History(run)
    broken = [read for client in run.clients for read in _broken(history, client, guarantee)]
    broken.sort(key=lambda read: read.invoked)
    if not broken:
        return Violations(())
    first = broken[0]
    words = f"At {first.invoked:.4g} s {first.client} reads {first.value!r} of {first.operation[1]!r} from {first.to}"
    return Violations(tuple(broken), f"{words}, which is older than this session may see.")


def keeps(guarantee: str) -> Property:
    """The property that a guarantee is kept in a run; for `Run.check` and for searches."""
    one_of("guarantee", guarantee, GUARANTEES)
    return holds(lambda run: session_violations(run, guarantee), name=guarantee)


acknowledged_writes_survive = holds(lambda run: not lost_writes(run), name="acknowledged writes survive")


def stale_reads(run: Run) -> float:
    """The share of answered reads whose value had been overwritten, and that acknowledged, before they were asked for.

    nan if there were none.
    """
    history = _History(run)
    reads = [one for one in history.done if one.operation[0] == "get"]
    stale = sum(history.is_older(read, history.newest(read.operation[1], read.invoked)) for read in reads)
    return stale / len(reads) if reads else math.nan


def replication_lag(run: Run) -> pd.DataFrame:
    """How far each replica is behind the leader, at every moment at which that changes.

    A leader is not behind itself: its rows tell how much of its log isn't applied yet, that is, not acknowledged.

    Returns:
        One row a change: time (s), node, ``received`` and ``applied`` (entries by which it is behind the log of the
        leader), ``seconds`` (the age of the oldest write that it hasn't applied).
    """
    import pandas as pd

    written: list[float] = []  # by index, when it was written
    at: dict[str, tuple[int, int]] = {}
    rows = []
    for event in run.trace.select(kind="record", name=("write", "status", "epoch")):
        detail, node = event.detail, str(event.node)
        if event.name == "epoch":
            del written[detail["after"][1] :]
            continue
        if event.name == "write":
            written[detail["index"] - 1 :] = [event.time]
            changed: Iterable[str] = at
        elif "received" not in detail:  # the operator's
            continue
        else:
            at[node] = (detail["received"], detail["applied"])
            changed = (node,)
        for one in changed:
            received, applied = (min(count, len(written)) for count in at[one])
            since = written[applied] if applied < len(written) else event.time
            rows.append(
                (event.time, one, len(written) - received, len(written) - applied, event.time - since)
            )
    return pd.DataFrame(rows, columns=["time", "node", "received", "applied", "seconds"])


class _History:
    """The answered operations of a run, and which write each read has read."""

    def __init__(self, run: Run) -> None:
        operations = instance("run", run, Run, "a run, such as scenario.run(10.0)").history()
        self.done = [one for one in operations if one.outcome == "ok"]
        puts = [one for one in operations if one.operation[0] == "put" and one.outcome != "fail"]
        self._writes = {one.operation[1:3]: one for one in puts}
        self._answered: dict[Any, tuple[list[float], list[float]]] = {}
        for one in sorted(
            (one for one in puts if one.completed is not None), key=lambda one: one.completed or 0.0
        ):
            times, newest = self._answered.setdefault(one.operation[1], ([], []))
            times.append(one.completed or 0.0)
            newest.append(max(one.invoked, newest[-1] if newest else _NEVER))

    def asked(self, read: ClientOperation) -> float:
        """When the write that was read had been asked for; −1 if nothing was written yet."""
        write = self._writes.get((read.operation[1], read.value))
        return _NEVER if write is None else write.invoked

    def is_older(self, read: ClientOperation, than: float) -> bool:
        """Whether what was read had been answered before a write that was asked for then."""
        write = self._writes.get((read.operation[1], read.value))
        if write is None:
            return than >= 0.0
        return _end(write) <= than

    def newest(self, key: Any, time: float) -> float:
        """When the newest of the writes of a key that were answered by a time had been asked for; −1 if none was."""
        times, newest = self._answered.get(key, ((), ()))
        place = bisect_right(times, time)
        return newest[place - 1] if place else _NEVER


def _broken(history: _History, client: str, guarantee: str) -> Iterator[ClientOperation]:
    """The reads of one client that return something older than what it had written or read before."""
    own = [one for one in history.done if one.client == client]
    by_end = sorted(own, key=_end)
    ended = 0
    floors: dict[Any, float] = {}  # key → when the oldest write that a read may return had been asked for
    seen = _NEVER
    for read in own:
        if read.operation[0] != "get":
            continue
        while ended < len(own) and _end(by_end[ended]) <= read.invoked:
            one = by_end[ended]
            ended += 1
            kind, key = one.operation[:2]
            if kind == _BINDING[guarantee]:
                asked = one.invoked if kind == "put" else history.asked(one)
                floors[key] = max(asked, floors.get(key, _NEVER))
                seen = max(asked, seen)
        key = read.operation[1]
        floor = history.newest(key, seen) if guarantee == "consistent prefix" else floors.get(key, _NEVER)
        if history.is_older(read, floor):
            yield read


def _end(operation: ClientOperation) -> float:
    return math.inf if operation.completed is None else operation.completed
