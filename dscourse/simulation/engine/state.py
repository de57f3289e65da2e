"""The state of a kernel, for those who look at a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dscourse.simulation.engine.port import KernelPort
from dscourse.simulation.engine.process import HeldTimer, Link, Process
from dscourse.simulation.faults import Fault, Pair
from dscourse.simulation.moment import InFlight, Waiting
from dscourse.simulation.node_state import copied, public_fields
from dscourse.simulation.virtual_time import MICROSECONDS


class CopyOnTheWay:
    """A copy that the network made of a message, until it is due."""

    __slots__ = ("_kernel", "copy", "link", "message", "number")

    def __init__(self, kernel: KernelPort, link: Link, message: Any, number: int, copy: int) -> None:
        self._kernel = kernel
        self.link = link
        self.message = message
        self.number = number
        self.copy = copy

    def __call__(self) -> None:
        """It is due."""
        self._kernel.arrive(self.link, self.message, self.number, self.copy)


class KernelState:
    """What a moment shows of a kernel; copies, so that nobody can act in the run.

    Args:
        kernel: that has run up to the moment.
        sent: when a message was sent (µs), by its number.
    """

    def __init__(self, kernel: KernelPort, sent: Callable[[int], int]) -> None:
        self._kernel = kernel
        self._sent = sent
        self.node_ids: tuple[str, ...] = kernel.network.node_ids

    @property
    def ids(self) -> tuple[str, ...]:
        """All nodes and clients."""
        return tuple(self._kernel.processes)

    def fields(self) -> dict[str, dict[str, Any]]:
        """Public fields of every node that has a memory."""
        return {one.name: public_fields(one.node) for one in self._nodes() if one.node is not None}

    def conditions(self) -> dict[str, str]:
        """Whether each node is "up", "crashed" or "paused"."""
        return {one.name: one.condition for one in self._nodes()}

    def in_flight(self) -> tuple[InFlight, ...]:
        """Messages on their way, in the order in which they are due."""
        found = []
        for when, order, link, actor, what in self._kernel.heap:
            if link is not None:
                found.append((when, order, link, actor, what, 0))
            elif isinstance(actor, CopyOnTheWay):
                found.append((when, order, actor.link, actor.message, actor.number, actor.copy))
        found.sort(key=lambda entry: entry[:2])
        return tuple(
            InFlight(
                number, copy, link.source.name, link.target.name,
                self._sent(number) / MICROSECONDS, when / MICROSECONDS, message,
            )
            for when, _, link, message, number, copy in found
        )  # fmt: skip

    def waiting(self) -> dict[str, tuple[Waiting, ...]]:
        """Messages that wait at each node: queued (the one in service first) or held by a pause."""
        found = {}
        for process in self._nodes():
            mails = tuple(
                Waiting(
                    mail.number, mail.copy, mail.link.source.name, mail.arrived / MICROSECONDS, mail.message
                )
                for mail in process.waiting_mail()
            )
            if mails:
                found[process.name] = mails
        return found

    def queue_length(self) -> dict[str, int]:
        """How many messages wait at each node, the one in service included."""
        return {one.name: sum(1 for _ in one.waiting_mail()) for one in self._nodes()}

    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return tuple(fault for _, fault in sorted(self._kernel.active.items()))

    def can_talk(self, a: str, b: str) -> bool:
        """Whether nothing is cut between two that are there."""
        return self._kernel.active_faults.can_talk(a, b)

    def cuts(self) -> tuple[Pair, ...]:
        """Directed links of the graph that carry nothing."""
        if not self._kernel.active_faults.is_disturbed:
            return ()
        network, can_talk = self._kernel.network, self._kernel.active_faults.can_talk
        return tuple((a, b) for a in network.node_ids for b in network.peers(a) if not can_talk(a, b))

    def timers(self) -> dict[str, dict[str, float]]:
        """When each pending timer is due, in seconds; one held by a pause is overdue."""
        due: dict[str, dict[str, float]] = {}
        for when, order, link, actor, what in self._kernel.heap:
            if link is None and isinstance(actor, Process) and actor.timers.get(what) == order:
                due.setdefault(actor.name, {})[what] = when / MICROSECONDS
        for process in self._nodes():
            for item in process.held:
                if isinstance(item, HeldTimer) and process.timers.get(item.name) == item.order:
                    due.setdefault(process.name, {})[item.name] = item.due / MICROSECONDS
        return {
            name: dict(sorted(timers.items(), key=lambda item: item[1]))
            for name, timers in sorted(due.items())
        }

    def clocks(self, time: int) -> dict[str, float]:
        """What each node's clock says, in seconds, at true ``time`` (µs)."""
        return {one.name: one.local_time(time) / MICROSECONDS for one in self._nodes()}

    def stored(self) -> dict[str, Any]:
        """What each node has saved."""
        return {one.name: copied(one.saved) for one in self._nodes() if one.saved is not None}

    def _nodes(self) -> Iterator[Process]:
        return (process for process in self._kernel.processes.values() if not process.is_client)
