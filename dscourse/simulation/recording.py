"""A run seen from inside: re-run event by event, with every change of every node's public fields."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import real, whole
from dscourse.simulation.moment import Moment


@dataclass(frozen=True)
class Change:
    """What an event changed in one node.

    Attributes:
        index: of the last row that the event wrote into the trace.
        time: in seconds.
        node: whose fields.
        fields: the fields that are new or different, with their new values.
        gone: the fields that are no longer there (all, when it crashes).
        crashed: whether it has lost its memory with this event.
    """

    index: int
    time: float
    node: str
    fields: dict[str, Any]
    gone: tuple[str, ...]
    crashed: bool = False


class Recording:
    """Every change of the nodes' public fields in a run.

    Attributes:
        changes: all of them, in order.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._times: list[float] = []

    def take(self, _: Moment, changes: list[Change]) -> None:
        """Take in what one event changed."""
        self.changes += changes
        self._times += [change.time for change in changes]

    def fields_at(self, time: float) -> dict[str, dict[str, Any]]:
        """Public fields of all nodes that are not down, after all events up to ``time``."""
        time = real("time", time)
        fields: dict[str, dict[str, Any]] = {}
        for change in self.changes[: bisect_right(self._times, time)]:
            if change.crashed:
                fields.pop(change.node, None)
                continue
            of_node = fields.setdefault(change.node, {})
            for name in change.gone:
                of_node.pop(name, None)
            of_node.update(change.fields)
        return fields

    def changed_at(self, index: int) -> list[Change]:
        """What the event that wrote row ``index`` changed."""
        index = whole("index", index, at_least=0)
        place = next((i for i, change in enumerate(self.changes) if change.index >= index), len(self.changes))
        return [change for change in self.changes[place:] if change.index == self.changes[place].index]
