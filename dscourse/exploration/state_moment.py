"""What a property is shown in an exhaustive exploration: a state of the cluster, without time and without a past."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from dscourse.exploration.node_states import NodeStates
from dscourse.exploration.process import CRASHED, UP
from dscourse.simulation.faults import Crash, Fault
from dscourse.simulation.moment import InFlight, Moment, NodeFields, Status, Waiting
from dscourse.simulation.node_state import copied
from dscourse.simulation.virtual_time import MICROSECONDS


class StateMoment(Moment):
    """A state of the cluster as a moment. It can't know when it is, nor what has led to it."""

    _now: tuple[tuple[int, ...], tuple[int, ...]]
    _names: tuple[str, ...]
    _states: Sequence[NodeStates]
    _mails: Sequence[tuple[int, int, Any, str]]

    def __init__(
        self, names: tuple[str, ...], states: Sequence[NodeStates], mails: Sequence[tuple[int, int, Any, str]]
    ) -> None:
        vars(self).update(_names=names, _states=states, _mails=mails, _state=_StateView(self), _is_made=True)

    def show(self, nodes: tuple[int, ...], mails: tuple[int, ...]) -> None:
        """Be that state from now on: the number of each node's state, and the messages that wait."""
        vars(self)["_now"] = (nodes, mails)
        vars(self).pop("nodes", None)

    def parts(self) -> Iterator[tuple[str, NodeStates, int]]:
        """Name, states, and number of the present state of each node."""
        return zip(self._names, self._states, self._now[0], strict=True)

    def mails(self) -> Iterator[tuple[str, str, Any]]:
        """Sender, addressee and message of all that waits."""
        for number in self._now[1]:
            sender, to, message, _ = self._mails[number]
            yield self._names[sender], self._names[to], message

    @cached_property
    def nodes(self) -> NodeFields:
        """Public fields of every node that is up, by id."""
        fields = {
            name: states.fields(number)
            for name, states, number in self.parts()
            if states.states[number].condition == UP
        }
        return NodeFields(fields, self._state, lambda: self.time)

    @property
    def status(self) -> dict[str, Status]:
        """What each node last asked to be shown as."""
        found = ((name, states.states[number].status) for name, states, number in self.parts())
        return {name: status for name, status in found if status is not None}

    @property
    def suspicions(self) -> dict[str, tuple[str, ...]]:
        """Whom each node suspects, by observer."""
        found = ((name, states.states[number].suspected) for name, states, number in self.parts())
        return {name: peers for name, peers in found if peers}

    @property
    def in_flight(self) -> tuple[InFlight, ...]:  # type: ignore[override]
        """Messages that wait; when they were sent, nobody can say."""
        return self._state.in_flight()

    @property
    def cuts(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override]
        """None."""
        return ()

    @property
    def clock(self) -> dict[str, float]:
        """What each node's clock says, in seconds."""
        return self._state.clocks(0)

    @property
    def event(self) -> Any:
        """Refused."""
        raise _not_told("event")

    @property
    def trace(self) -> Any:
        """Refused."""
        raise _not_told("trace")

    @property
    def time(self) -> float:
        """Refused."""
        raise _not_told("time")

    def __repr__(self) -> str:
        return f"a state: {dict(self.nodes)!r}"


def _not_told(name: str) -> Exception:
    return LookupError(
        f"explore asks properties of states, each of which many schedules lead to, so there is no now.{name}; "
        "ask it with search, or let the nodes keep what the property needs to know"
    )


class _StateView:
    """The same as a `ClusterState`."""

    def __init__(self, moment: StateMoment) -> None:
        self._moment = moment

    @property
    def node_ids(self) -> tuple[str, ...]:
        return self._moment._names

    @property
    def ids(self) -> tuple[str, ...]:
        return self.node_ids

    def fields(self) -> dict[str, dict[str, Any]]:
        return dict(self._moment.nodes)

    def conditions(self) -> dict[str, str]:
        return {name: states.states[number].condition for name, states, number in self._moment.parts()}

    def in_flight(self) -> tuple[InFlight, ...]:
        return tuple(
            InFlight(0, 0, sender, to, 0.0, math.inf, message) for sender, to, message in self._moment.mails()
        )

    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        return {}

    def queue_length(self) -> dict[str, int]:
        return dict.fromkeys(self.node_ids, 0)

    def faults(self) -> tuple[Fault, ...]:
        return tuple(Crash(name, at=0.0) for name, what in self.conditions().items() if what == CRASHED)

    def can_talk(self, a: str, b: str) -> bool:
        return True

    def cuts(self) -> tuple[tuple[str, str], ...]:
        return ()

    def timers(self) -> dict[str, dict[str, float]]:
        found = {}
        for name, states, number in self._moment.parts():
            here = states.states[number]
            if here.timers:
                pending = sorted(here.timers.items(), key=lambda item: item[1])
                found[name] = {timer: (here.clock + delay) / MICROSECONDS for timer, delay in pending}
        return found

    def clocks(self, _: int) -> dict[str, float]:
        return {
            name: states.states[number].clock / MICROSECONDS for name, states, number in self._moment.parts()
        }

    def stored(self) -> dict[str, Any]:
        found = ((name, states.states[number].saved) for name, states, number in self._moment.parts())
        return {name: copied(saved) for name, saved in found if saved is not None}
