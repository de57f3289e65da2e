"""Is there one order, true to real time, in which a single copy would have given all these answers?

The search of Wing and Gong (J. Parallel and Distributed Computing 17, 1993), as improved by Lowe (Concurrency and
Computation 29(4), 2017): an operation is placed no sooner than some operation is about to return without having been
placed ("just in time"), no state is looked at twice, and each key is searched for itself, which is enough, since a
history is linearizable if it is so on each of its objects (Herlihy and Wing, ACM TOPLAS 12(3), 1990).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dscourse.arguments import instance, shown
from dscourse.consistency.history import History, Operation
from dscourse.consistency.limits import Limit, LimitReached
from dscourse.consistency.models import REFUSED, Model
from dscourse.consistency.verdict import HistoryVerdict

__all__ = ["check_linearizable"]

_Trail = tuple[int, Any] | None  # the operations placed so far: (index of the last, those before)
_ANY = object()  # in the place of every state that nobody will read
_SHOWN = 3
_LOOK_AHEAD = 4


def check_linearizable(
    history: History, model: Model, *, most_states: int | None = None, time_limit: float | None = None
) -> HistoryVerdict:
    """Ask whether a history is linearizable.

    One operation comes before another if it returned before the other was called; two that touch at one instant
    overlap, unless they are of one process, which does one thing after the other.

    Args:
        history: what was asked and answered.
        model: of one key: `Register`, `CasRegister`, `KeyValue`, or one of your own.
        most_states: of one key, after which the outcome is "unknown"; by default a million.
        time_limit: seconds of real time for all, after which it is "unknown"; by default as many as it takes. Use
            ``most_states`` where the outcome must be the same on every machine.
    """
    instance("history", history, History, "a History, such as History.from_run(run)")
    instance("model", model, Model, "a model, such as Register()")
    limit = Limit(most_states, time_limit)
    order: list[Operation] = []
    stopped: HistoryVerdict | None = None
    for operations in history.by_key().values():
        limit.begin()
        search = _Search(operations, model, limit)
        try:
            found = search.order()
        except LimitReached as reached:
            stopped = stopped or HistoryVerdict(
                "unknown", f"Stopped after {reached}: too many orders are possible.{_of_key(operations)}"
            )
            continue
        if found is None:
            limit.begin()
            return HistoryVerdict("illegal", *search.why(), states=limit.states)
        order += found
    if stopped is not None:
        return HistoryVerdict("unknown", stopped.explanation, states=limit.states)
    words = f"One order explains all {len(order)} operations" if order else "There is nothing to explain"
    return HistoryVerdict("ok", f"{words}.", order=tuple(order), states=limit.states)


def _of_key(operations: tuple[Operation, ...]) -> str:
    key = operations[0].key
    return "" if key is None else f" (Those of key {key}.)"


@dataclass
class _Return:
    """The return of one operation, and which operations are then open: called, and not returned before."""

    operation: int
    bit: int
    looks: list[tuple[int, int]]  # (index, bit) of the open ones that change nothing
    changes: list[tuple[int, int]]  # and of the others
    maybe: int  # bits of the open ones that need never take effect
    waiting: dict[int, int]  # index → bit of what the same process must have done just before
    ahead: list[_Ahead] = field(default_factory=list)
    fresh: dict[Any, int] = field(default_factory=dict)  # state → the bits of those that may just look at it
    seen: dict[tuple[Any, int], list[int]] = field(default_factory=dict)


class _Ahead(NamedTuple):
    """A read that returns soon, and that needs what there is already, or an operation that is open already."""

    place: int  # of its return
    value: Any
    bit: int  # 0 while it isn't called yet
    overwrites: int  # bits of the open operations that would do
    until_then: list[tuple[int, Any]]  # (bit, value) of all reads that are called before it returns


class _Search:
    """The orders of the operations on one key, depth first."""

    def __init__(self, operations: tuple[Operation, ...], model: Model, limit: Limit) -> None:
        self._operations = [one for one in operations if model.tells(one)]
        self._model = model
        self._limit = limit
        self._starts = [one.start for one in self._operations]
        self._returns = list(self._all_returns())
        self._furthest = 0

    def order(self) -> list[Operation] | None:
        """One order that explains all; None if there is none."""
        return self._order_until(len(self._returns), len(self._returns))

    def why(self) -> tuple[str, Operation]:
        """Why there is no order, and the operation that can't be placed: the first whose return is one too many."""
        end = self._furthest + 1
        try:
            while self._order_until(end, end) is not None:
                end += 1
            self._order_until(
                end, end - 1
            )  # now without looking ahead to the culprit, to see what it could find
        except LimitReached:
            return f"No order explains {self._operation_at(end - 1)}.", self._operation_at(end - 1)
        culprit = self._operation_at(end - 1)
        seen = dict.fromkeys(state for state, _ in self._returns[end - 1].seen if state is not _ANY)
        states = [shown(state) for state in seen]
        held = " or ".join(states[:_SHOWN]) + (" or something else" if len(states) > _SHOWN else "")
        what = "the value" if culprit.key is None else f"{culprit.key}"
        return (
            f"No order explains {culprit}: by any order that explains what returned before, {what} is then {held}.",
            culprit,
        )

    def _operation_at(self, place: int) -> Operation:
        return self._operations[self._returns[place].operation]

    def _order_until(self, end: int, look_ahead: int) -> list[Operation] | None:
        """One order that explains the first so many returns; reads that return later are not looked ahead to."""
        for now in self._returns:
            now.seen.clear()
        stack: list[tuple[int, Any, int, _Trail]] = [(0, self._model.initial, 0, None)]
        while stack:
            place, state, placed, trail = stack.pop()
            if place == end:
                return self._listed(trail)
            now = self._returns[place]
            self._furthest = max(self._furthest, place)
            placed, trail = self._look(now, state, placed, trail)
            if placed & now.bit:
                stack.append((place + 1, state, placed & ~now.bit, trail))
            elif self._has_hope(now, state, placed, look_ahead) and self._is_new(
                now, state, placed, look_ahead
            ):
                stack += self._next(place, state, placed, trail)
        return None

    def _look(self, now: _Return, state: Any, placed: int, trail: _Trail) -> tuple[int, _Trail]:
        """Place all that may look at this state: it changes nothing, so no order is lost by placing it at once."""
        fresh = now.fresh.get(state)
        if fresh is None:
            step = self._model.step
            fits = (bit for index, bit in now.looks if step(state, self._operations[index]) is not REFUSED)
            fresh = now.fresh[state] = sum(fits)
        if not fresh & ~placed:
            return placed, trail
        for index, bit in now.looks:  # by their start, so that what a process did before comes before
            if bit & fresh & ~placed and not now.waiting.get(index, 0) & ~placed:
                placed |= bit
                trail = (index, trail)
        return placed, trail

    def _has_hope(self, now: _Return, state: Any, placed: int, look_ahead: int) -> bool:
        """Whether the reads that return next may still find what they return."""
        return all(
            one.place >= look_ahead
            or one.bit & placed
            or one.overwrites & ~placed
            or self._model.can_become(state, one.value)
            for one in now.ahead
        )

    def _next(
        self, place: int, state: Any, placed: int, trail: _Trail
    ) -> Iterator[tuple[int, Any, int, _Trail]]:
        """Place one more of the open operations that change something; what is likeliest comes last."""
        now = self._returns[place]
        tried = set()
        for index, bit in now.changes:
            if placed & bit or now.waiting.get(index, 0) & ~placed:
                continue
            one = self._operations[index]
            if bit & now.maybe:
                if (one.operation, one.value) in tried:  # of several that are alike, the first will do
                    continue
                tried.add((one.operation, one.value))
            after = self._model.step(state, one)
            if after is not REFUSED:
                yield place, after, placed | bit, (index, trail)

    def _is_doomed(self, now: _Return, state: Any, placed: int, look_ahead: int) -> bool:
        """Whether a state will be overwritten before anybody reads it: then all such states are alike."""
        can_become = self._model.can_become
        return any(
            one.place < look_ahead
            and not one.bit & placed
            and not any(can_become(state, value) for bit, value in one.until_then if not bit & placed)
            for one in now.ahead
        )

    def _is_new(self, now: _Return, state: Any, placed: int, look_ahead: int) -> bool:
        """Remember a state; one in which only more of what need not be done is done has nothing new to offer."""
        maybe = placed & now.maybe
        kept = _ANY if self._is_doomed(now, state, placed, look_ahead) else state
        known = now.seen.setdefault((kept, placed & ~now.maybe), [])
        if any(less & maybe == less for less in known):
            return False
        self._limit.count()
        known[:] = [more for more in known if more & maybe != maybe]
        known.append(maybe)
        return True

    def _listed(self, trail: _Trail) -> list[Operation]:
        placed = []
        while trail is not None:
            index, trail = trail
            placed.append(self._operations[index])
        return placed[::-1]

    def _all_returns(self) -> Iterator[_Return]:
        """Walk through calls and returns in order of time; at one instant calls come first: what touches overlaps."""
        operations = self._operations
        calls = [(one.start, 0, index) for index, one in enumerate(operations)]
        ends = sorted(
            (one.returned, 1, index) for index, one in enumerate(operations) if one.outcome != "unknown"
        )
        looks_ahead = type(self._model).can_become is not Model.can_become
        reads = [
            (at, index) for at, (_, _, index) in enumerate(ends) if looks_ahead and operations[index].is_read
        ]
        bits: dict[int, int] = {}  # of what is open, in order of start
        before: dict[int, int] = {}  # an operation → what its process did before
        last: dict[Any, int] = {}  # a process → its operation called last
        free: list[int] = []
        place = 0
        for _, is_return, index in sorted(calls + ends):
            if not is_return:
                bits[index] = free.pop() if free else 1 << len(bits)
                process = operations[index].process
                if process in last and operations[last[process]].returned <= operations[index].start:
                    before[index] = last[process]
                last[process] = index
                continue
            now = self._return_of(index, bits, before)
            now.ahead = list(self._ahead(reads[bisect_left(reads, (place, 0)) :][:_LOOK_AHEAD], bits))
            yield now
            free.append(bits.pop(index))
            place += 1

    def _return_of(self, index: int, bits: dict[int, int], before: dict[int, int]) -> _Return:
        operations = self._operations
        looks = [pair for pair in bits.items() if self._model.only_looks(operations[pair[0]])]
        changes = [pair for pair in bits.items() if pair not in looks]
        # The last is tried first: what returns now; and what may never take effect is tried last.
        changes.sort(key=lambda pair: (pair[0] == index, operations[pair[0]].outcome != "unknown"))
        maybe = sum(bit for one, bit in changes if operations[one].outcome == "unknown")
        waiting = {one: bits[before[one]] for one in bits if before.get(one) in bits}
        return _Return(index, bits[index], looks, changes, maybe, waiting)

    def _ahead(self, reads: list[tuple[int, int]], bits: dict[int, int]) -> Iterator[_Ahead]:
        """Those of the next reads that nothing will make possible that isn't open yet, but what is there already."""
        operations, first_to_come = self._operations, max(bits) + 1
        for place, read in reads:
            until, value = operations[read].returned, operations[read].value
            to_come = range(first_to_come, bisect_right(self._starts, until))
            if not any(self._leads_to(index, value) for index in to_come):
                open_ones = sum(bit for index, bit in bits.items() if self._leads_to(index, value))
                then = [index for index in (*bits, *to_come) if operations[index].is_read]
                until_then = [(bits.get(index, 0), operations[index].value) for index in then]
                yield _Ahead(place, value, bits.get(read, 0), open_ones, until_then)

    def _leads_to(self, index: int, value: Any) -> bool:
        """Whether an operation overwrites what was there with something that may become a value."""
        one = self._operations[index]
        return self._model.overwrites(one) and self._model.can_become(
            self._model.step(self._model.initial, one), value
        )
