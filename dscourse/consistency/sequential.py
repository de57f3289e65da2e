"""Is there one order of all operations, each process's own kept, in which a single copy would give these answers?

Lamport's sequential consistency (IEEE Transactions on Computers C-28(9), 1979). Unlike linearizability it can't be
asked of one key at a time: each key may have its order, and all together none.
"""

from __future__ import annotations

from typing import Any

from dscourse.arguments import instance
from dscourse.consistency.history import History, Operation
from dscourse.consistency.limits import Limit, LimitReached
from dscourse.consistency.models import REFUSED, Model
from dscourse.consistency.verdict import HistoryVerdict

__all__ = ["check_sequential"]

_Trail = tuple[Operation, Any] | None


def check_sequential(history: History, model: Model, *, most_states: int | None = None) -> HistoryVerdict:
    """Ask whether a history is sequentially consistent: real time between processes doesn't count.

    Args:
        history: what was asked and answered.
        model: of one key: `Register`, `CasRegister`, `KeyValue`, or one of your own.
        most_states: after which the outcome is "unknown"; by default a million.

    Raises:
        ValueError: operations of one process overlap, so that it has no order.
    """
    instance("history", history, History, "a History, such as History.from_run(run)")
    search = _Search(
        history, instance("model", model, Model, "a model, such as Register()"), Limit(most_states)
    )
    try:
        order = search.order()
    except LimitReached as reached:
        return HistoryVerdict("unknown", f"Stopped after {reached}: too many orders are possible.")
    if order is not None:
        words = f"One order explains all {len(order)} operations, if real time isn't asked for."
        return HistoryVerdict("ok", words, order=tuple(order), states=search.limit.states)
    words = (
        f"No order of all operations that keeps to the order within each process explains {search.blocked}."
    )
    return HistoryVerdict("illegal", words, search.blocked, states=search.limit.states)


class _Search:
    """How far each process has come, and what every key holds then, depth first."""

    def __init__(self, history: History, model: Model, limit: Limit) -> None:
        self.limit = limit
        self._model = model
        told = (tuple(filter(model.tells, own)) for own in history.by_process().values())
        self._queues = [own for own in told if own]
        self._keys = {key: place for place, key in enumerate(history.by_key())}
        # What needn't take effect is the last of its process.
        self._enough = tuple(len(own) - (own[-1].outcome == "unknown") for own in self._queues)
        self._most = -1
        self.blocked: Operation | None = None

    def order(self) -> list[Operation] | None:
        """One order that explains all; None if there is none."""
        start = (0,) * len(self._queues)
        stack: list[tuple[tuple[int, ...], tuple[Any, ...], _Trail]] = [
            (start, (self._model.initial,) * len(self._keys), None)
        ]
        seen = set()
        while stack:
            places, states, trail = self._look(*stack.pop())
            if all(place >= enough for place, enough in zip(places, self._enough, strict=True)):
                return _listed(trail)
            if (places, states) in seen:
                continue
            self.limit.count()
            seen.add((places, states))
            self._note(places)
            stack += self._next(places, states, trail)
        return None

    def _heads(self, places: tuple[int, ...]) -> list[tuple[int, Operation]]:
        return [(one, own[places[one]]) for one, own in enumerate(self._queues) if places[one] < len(own)]

    def _look(
        self, places: tuple[int, ...], states: tuple[Any, ...], trail: _Trail
    ) -> tuple[tuple[int, ...], tuple[Any, ...], _Trail]:
        """Place all that may look now: it changes nothing, so no order is lost by placing it at once."""
        again = True
        while again:
            again = False
            for one, head in self._heads(places):
                state = states[self._keys[head.key]]
                if self._model.only_looks(head) and self._model.step(state, head) is not REFUSED:
                    places, trail, again = _further(places, one), (head, trail), True
        return places, states, trail

    def _next(
        self, places: tuple[int, ...], states: tuple[Any, ...], trail: _Trail
    ) -> list[tuple[tuple[int, ...], tuple[Any, ...], _Trail]]:
        """Place one more operation that changes something; what was called first comes last, and is tried first."""
        found: list[tuple[tuple[int, ...], tuple[Any, ...], _Trail]] = []
        for one, head in sorted(self._heads(places), key=lambda pair: -pair[1].start):
            key = self._keys[head.key]
            after = REFUSED if self._model.only_looks(head) else self._model.step(states[key], head)
            if after is not REFUSED:
                found.append(
                    (_further(places, one), (*states[:key], after, *states[key + 1 :]), (head, trail))
                )
        return found

    def _note(self, places: tuple[int, ...]) -> None:
        """Remember what stood in the way where most was placed."""
        if sum(places) > self._most:
            waiting = [head for _, head in self._heads(places) if head.outcome != "unknown"]
            self._most = sum(places)
            self.blocked = min(waiting, key=lambda one: (not self._model.only_looks(one), one.start))


def _further(places: tuple[int, ...], one: int) -> tuple[int, ...]:
    return (*places[:one], places[one] + 1, *places[one + 1 :])


def _listed(trail: _Trail) -> list[Operation]:
    placed = []
    while trail is not None:
        operation, trail = trail
        placed.append(operation)
    return placed[::-1]
