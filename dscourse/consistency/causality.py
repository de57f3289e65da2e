"""What each process may know: the four session guarantees, and causal memory.

All are judged from reads and writes alone. A value says which write was read. Where several writes of a key have the
same value, or that of the beginning, every way to say which of them a read returned is tried, a *reading* of the
history; one that fits is enough, and too many are given up as "unknown".

One operation is *causally before* another if a chain leads from it there: to the next operation of its process, or from
a write to a read that returned it (Ahamad, Neiger, Burns, Kohli, Hutto, Distributed Computing 9(1), 1995). A write is
*older* than another of the same key if it is causally before it; what was there at first is older than all.

The guarantees are those of Terry et al. (PDIS 1994), each as the one pattern that breaks it: a read that returns
something older than a write that its process ought to know of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise, product
from typing import Any

from dscourse.arguments import instance, one_of, whole
from dscourse.consistency.history import History
from dscourse.consistency.models import Model
from dscourse.consistency.verdict import HistoryVerdict

__all__ = ["SESSION_GUARANTEES", "check_causal", "check_session_guarantee"]

SESSION_GUARANTEES = ("read your writes", "monotonic reads", "monotonic writes", "writes follow reads")
MOST_READINGS = 10_000
_WRITES = ("write", "put")


def check_session_guarantee(
    history: History, guarantee: str, model: Model, *, most_readings: int = MOST_READINGS
) -> HistoryVerdict:
    """Ask whether a history keeps one of the session guarantees; each process is a session.

    A process must not read anything older than a write …

    - "read your writes": that it made before;
    - "monotonic reads": that it read before;
    - "monotonic writes": that was made before another write, by the same process, that it read before;
    - "writes follow reads": that was read before another write, by the same process, that it read before.

    Args:
        history: of reads and writes.
        guarantee: one of `SESSION_GUARANTEES`.
        model: says what a key holds at first.
        most_readings: how many ways to say which write was read are tried, before the outcome is "unknown".

    Raises:
        ValueError: a process's operations overlap.
        LookupError: an operation that is neither a read nor a write.
    """
    one_of("guarantee", guarantee, SESSION_GUARANTEES)

    def judge(known: _Knowledge) -> HistoryVerdict:
        for read in known.reads:
            if known.is_ambiguous and known.before[read] >> read & 1:
                return _in_circle(known, read)
            for newer in known.newer_than_read(read):
                chain = _CHAINS[guarantee](known, read, newer)
                if chain is not None:
                    return _illegal(known, read, [newer, *chain])
        return HistoryVerdict("ok", f"Nothing in it breaks {guarantee!r}.")

    return _best_reading(_Knowledge(history, model), judge, most_readings)


def check_causal(history: History, model: Model, *, most_readings: int = MOST_READINGS) -> HistoryVerdict:
    """Ask whether a history is one of a causal memory.

    Each process may have an order of its own for all writes and its reads, but every such order keeps to what is
    causally before what. Decided by the patterns of Bouajjani, Enea, Guerraoui and Hamza (On Verifying Causal
    Consistency, POPL 2017), in polynomial time.

    Args:
        history: of reads and writes.
        model: says what a key holds at first.
        most_readings: how many ways to say which write was read are tried, before the outcome is "unknown".

    Raises:
        ValueError: a process's operations overlap.
        LookupError: an operation that is neither a read nor a write.
    """
    return _best_reading(_Knowledge(history, model), _judge_causal, most_readings)


def _judge_causal(known: _Knowledge) -> HistoryVerdict:
    for read in known.reads:
        if known.source[read] == _NOBODY:
            one = known.operations[read]
            return HistoryVerdict("illegal", f"Nobody wrote what is returned by {one}.", one, deciding=(one,))
        if known.before[read] >> read & 1:
            return _in_circle(known, read)
        for newer in known.newer_than_read(read):
            if known.before[newer] >> read & 1:
                return _illegal(known, read, known.path(newer, read)[:-1])
    for own in known.own.values():
        unfit = _without_order(known, own)
        if unfit is not None:
            one = known.operations[unfit]
            words = f"{one} fits into no order of all writes that keeps to what is causally before what."
            return HistoryVerdict("illegal", words, one)
    return HistoryVerdict("ok", "Every process can have an order that keeps to what is causally before what.")


def _best_reading(
    known: _Knowledge, judge: Callable[[_Knowledge], HistoryVerdict], most_readings: int
) -> HistoryVerdict:
    """The verdict of the first reading that fits; if none does, that of the likeliest."""
    most = whole("most_readings", most_readings, at_least=1)
    unfit: list[HistoryVerdict] = []
    for tried, sources in enumerate(islice(product(*known.choices), most + 1)):
        if tried == most:
            words = f"None of {most} ways to say which write was read fits; there are more, so nobody knows."
            return HistoryVerdict("unknown", words, states=most)
        known.assume(sources)
        verdict = judge(known)
        if verdict or not known.is_ambiguous:
            return verdict
        unfit = unfit or [verdict]
    words = f"Values are written more than once; whichever of the writes was read, none fits. {unfit[0].explanation}"
    return replace(unfit[0], explanation=words, deciding=())


_FIRST, _NOBODY = -1, -2  # sources of reads that no write is


class _Knowledge:
    """Who read what from whom, and what is causally before what: ``before[i]`` has the bits of what comes after i.

    Each read has ``choices`` of where its value may come from, the likeliest first; `assume` settles on one of each.
    """

    def __init__(self, history: History, model: Model) -> None:
        instance("history", history, History, "a History, such as History.from_run(run)")
        instance("model", model, Model, "a model, such as Register()")
        told = {
            process: [
                one for one in own if one.outcome != "fail" and (one.outcome == "ok" or not one.is_read)
            ]
            for process, own in history.by_process().items()
        }
        self.operations = [one for own in told.values() for one in own]
        self.own: dict[Any, range] = {}
        for process, operations in told.items():
            begin = max((own.stop for own in self.own.values()), default=0)
            self.own[process] = range(begin, begin + len(operations))
        self.writes: dict[Any, list[int]] = {}  # key → its writes
        for index, one in enumerate(self.operations):
            if not one.is_read:
                if one.operation not in _WRITES:
                    raise LookupError(f"causality is judged from reads and writes alone, got {one}")
                self.writes.setdefault(one.key, []).append(index)
        reads = [index for index, one in enumerate(self.operations) if one.is_read]
        self.reads = sorted(reads, key=lambda index: self.operations[index].start)
        self.choices = [self._choices(index, model.initial) for index in self.reads]
        self.is_ambiguous = any(len(choice) > 1 for choice in self.choices)

    def assume(self, sources: Sequence[int]) -> None:
        """Take these for what was read, in the order of the reads."""
        self.source = dict(zip(self.reads, sources, strict=True))
        self.edges = self._all_edges()
        self.before = _closure([sum({1 << after for after in afters}) for afters in self.edges])

    def _choices(self, read: int, initial: Any) -> tuple[int, ...]:
        """Where a value may come from: what was written last before it first."""
        one, operations = self.operations[read], self.operations
        alike = [write for write in self.writes.get(one.key, ()) if operations[write].value == one.value]
        alike.sort(key=lambda write: (operations[write].start > one.start, -operations[write].start))
        if one.value == initial:
            return (*alike, _FIRST)
        return tuple(alike) or (_NOBODY,)

    def _all_edges(self) -> list[list[int]]:
        edges: list[list[int]] = [[] for _ in self.operations]
        for own in self.own.values():
            for first, second in pairwise(own):
                edges[first].append(second)
        for read, source in self.source.items():
            if source >= 0:
                edges[source].append(read)
        return edges

    def newer_than_read(self, read: int) -> Iterator[int]:
        """The writes that are certainly newer than what was read."""
        source = self.source[read]
        for write in self.writes.get(self.operations[read].key, ()):
            if source == _FIRST or (source >= 0 and write != source and self.before[source] >> write & 1):
                yield write

    def earlier(self, index: int) -> range:
        """What the process did before, in order."""
        return range(self.own[self.operations[index].process].start, index)

    def later(self, index: int) -> range:
        """What the process did afterwards, in order."""
        return range(index + 1, self.own[self.operations[index].process].stop)

    def reads_of(self, write: int, among: range) -> Iterator[int]:
        """The reads in some places that returned a write."""
        return (index for index in among if self.source.get(index) == write)

    def path(self, start: int, end: int) -> list[int]:
        """A shortest chain from one operation to another that it is causally before."""
        came_from: dict[int, int] = {}
        queue = [start]
        for one in queue:
            for after in self.edges[one]:
                if after not in came_from:
                    came_from[after] = one
                    queue.append(after)
        chain = [end]
        while chain[-1] != start or len(chain) == 1:
            chain.append(came_from[chain[-1]])
        return chain[::-1]


def _closure(after: list[int]) -> list[int]:
    for middle in range(len(after)):
        bit = 1 << middle
        for one in range(len(after)):
            if after[one] & bit:
                after[one] |= after[middle]
    return after


def _own_write(known: _Knowledge, read: int, newer: int) -> list[int] | None:
    return [] if newer in known.earlier(read) else None


def _own_read(known: _Knowledge, read: int, newer: int) -> list[int] | None:
    seen = next(known.reads_of(newer, known.earlier(read)), None)
    return None if seen is None else [seen]


def _write_after(known: _Knowledge, read: int, newer: int) -> list[int] | None:
    for write in known.later(newer):
        seen = next(known.reads_of(write, known.earlier(read)), None)
        if seen is not None:
            return [write, seen]
    return None


def _write_after_read(known: _Knowledge, read: int, newer: int) -> list[int] | None:
    for other in known.reads_of(newer, range(len(known.operations))):
        for write in known.later(other):
            seen = next(known.reads_of(write, known.earlier(read)), None)
            if seen is not None:
                return [other, write, seen]
    return None


# What links a write to a read that ought to know of it: the operations between them, or None.
_CHAINS = {
    "read your writes": _own_write,
    "monotonic reads": _own_read,
    "monotonic writes": _write_after,
    "writes follow reads": _write_after_read,
}


def _illegal(known: _Knowledge, read: int, chain: list[int]) -> HistoryVerdict:
    """A read that returned something older than the first of a chain of operations that leads to it."""
    one = known.operations[read]
    links = [known.operations[index] for index in chain]
    source = known.source[read]
    old = [known.operations[source]] if source >= 0 else []
    words = ", then ".join(map(str, links))
    what = "what was there at first" if source == _FIRST else "something older"
    return HistoryVerdict(
        "illegal",
        f"{one} is {what}, though {one.process} ought to know of a newer write: {words}.",
        one,
        deciding=(*(item for item in old if item not in links), *links, one),
    )


def _in_circle(known: _Knowledge, read: int) -> HistoryVerdict:
    circle = tuple(known.operations[index] for index in known.path(read, read)[:-1])
    one = known.operations[read]
    return HistoryVerdict(
        "illegal", f"{one} would be causally before itself.", one, deciding=(*circle[1:], one)
    )


def _without_order(known: _Knowledge, own: range) -> int | None:
    """A read of a process that fits into no order of its own; None if there is an order.

    A write that must come before a read, in the process's order, must come before the write that was read, too
    (the happened-before of Bouajjani et al.); if that leads into a circle, there is no order.
    """
    if not own:
        return None
    last = own[-1]
    past = 1 << last | sum(1 << one for one, after in enumerate(known.before) if after >> last & 1)
    before = [after & past for after in known.before]
    again = True
    while again:
        again = False
        for read in (one for one in own if one in known.source):
            source = known.source[read]
            for write in known.writes.get(known.operations[read].key, ()):
                if write == source or not before[write] >> read & 1:
                    continue
                if source == _FIRST or before[source] >> write & 1:
                    return read
                if not before[write] >> source & 1:
                    again = True
                    _add(before, write, source)
    return None


def _add(before: list[int], first: int, second: int) -> None:
    new = 1 << second | before[second]
    for one in range(len(before)):
        if one == first or before[one] >> first & 1:
            before[one] |= new
