"""A cluster without time: messages wait on their links until a step lets them arrive.

The same nodes, the same records in the same trace as in the simulator; only that nothing happens unless a step says
so. Any message may arrive next, any pending timer may go off next. So every order of events that some delays would
bring about can be had, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dscourse.exploration.process import CRASHED, UP, Process, UntimedContext
from dscourse.exploration.steps import Ask, Deliver, Down, Fire, Lose, MailStep, Repeat, Step, Up
from dscourse.simulation.clients import words_of_operation
from dscourse.simulation.faults import Crash, Fault, RepeatMessage, Restart
from dscourse.simulation.messages import Reply, Request, canonical_json, encode, readable
from dscourse.simulation.network import Network
from dscourse.simulation.recorder import (
    DELIVER,
    DROP,
    FAIL,
    FAULT,
    INVOKE,
    NOBODY,
    OK,
    RECORD,
    SEND,
    TIMER,
    Recorder,
)
from dscourse.simulation.virtual_time import MICROSECONDS

Link = tuple[str, str]


class Mail(NamedTuple):
    """A message that waits on its link.

    Attributes:
        number: of its sending, the same for its copies.
        place: which of the sendings on its link it was, from 1.
        copy: 0 for the message itself, 1 … for copies.
        sent: when, in µs.
        message: what was sent.
        text: its canonical JSON.
    """

    number: int
    place: int
    copy: int
    sent: int
    message: Any
    text: str


class _Question(NamedTuple):
    """What a client has asked and has no answer to."""

    node: str
    operation: Any
    asked: int


class UntimedCluster:
    """Nodes, and what waits on the links between them.

    Attributes:
        now: µs, told by who takes the steps; the trace shows it.
        links: what waits on each link, in order of sending, copies last; links on which nothing waits may be missing.
    """

    def __init__(
        self, node_factory: Callable[..., Any], network: Network, clients: int, recorder: Recorder
    ) -> None:
        self.now = 0
        self.network = network
        self.touched: set[str] = set()
        self.processes: dict[str, Process] = {}
        self.links: dict[Link, list[Mail]] = {}
        self.down: dict[str, Crash] = {}
        self._node_factory = node_factory
        self._recorder = recorder
        self._numbers = 0
        self._sendings: dict[Link, int] = {}
        self._asked = 0
        self._open: dict[str, _Question] = {}
        self._answers: list[tuple[Process, Process, int, Any]] = []  # on their way to clients
        for name in network.node_ids:
            process = self.processes[name] = Process(len(self.processes), name)
            process.context = UntimedContext(self, process, network, self.processes)
        for number in range(clients):
            name = f"c{number}"
            self.processes[name] = Process(len(self.processes), name, is_client=True)

    def boot(self) -> None:
        """Start every node."""
        for process in self._nodes():
            self._boot(process)

    def take(self, step: Step) -> None:
        """Take one step.

        Raises:
            LookupError: it can't be done now; the message says what could.
            NodeError: a handler failed.
        """
        match step:
            case Deliver():
                self._deliver(step)
            case Lose():
                self._drop("lost", step.sender, step.to, self._take_from(step))
            case Repeat():
                self._repeat(step)
            case Fire():
                self._fire(step)
            case Ask():
                self._ask(step)
            case Down():
                self._crash(step)
            case Up():
                self._restart(step)

    def can_take(self, step: Step) -> bool:
        """Whether a step can be done now."""
        match step:
            case MailStep():
                fits = (type(mail.message).__name__ for mail in self.links.get((step.sender, step.to), ()))
                return sum(step.message in (None, kind) for kind in fits) >= step.nth
            case Fire():
                return step.timer in self.processes[step.node].timers
            case Down() | Up():
                return (self.processes[step.node].condition == UP) == isinstance(step, Down)
        return True

    def waiting(self, step: MailStep) -> tuple[list[Mail], int]:
        """What waits on the link of a step, and the place therein of the message that the step means.

        Raises:
            LookupError: there is no such message.
        """
        mails = self.links.get((step.sender, step.to), [])
        fits = [
            place
            for place, mail in enumerate(mails)
            if step.message is None or type(mail.message).__name__ == step.message
        ]
        if step.nth <= len(fits):
            return mails, fits[step.nth - 1]
        there = "; ".join(f"{i}. {mail.message!r}" for i, mail in enumerate(mails[:6], start=1))
        more = f" and {len(mails) - 6} more" if len(mails) > 6 else ""
        raise LookupError(
            f"no {step.words} waits; on that link "
            + (f"wait {there}{more}" if mails else f"nothing waits, and elsewhere {self._elsewhere()}")
        )

    # ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self, step: Deliver) -> None:
        mail = self._take_from(step)
        target, source = self.processes[step.to], self.processes[step.sender]
        if target.condition == CRASHED:
            self._drop("crashed", step.sender, step.to, mail)
            return
        self._write_delivery(target, source, mail.number, mail.message, mail.copy)
        self._call(target, "on_message", step.sender, mail.message)

    def _repeat(self, step: Repeat) -> None:
        mails, place = self.waiting(step)
        mail = mails[place]
        copies = [other.copy for other in mails if other.number == mail.number]
        mails.append(mail._replace(copy=max(copies) + 1))
        self._write_fault(RepeatMessage(step.sender, step.to, mail.place), step.sender, step.to)

    def _fire(self, step: Fire) -> None:
        process = self._node(step.node)
        if step.timer not in process.timers:
            pending = ", ".join(map(repr, sorted(process.timers))) or "none"
            down = " (it is down)" if process.condition == CRASHED else ""
            raise LookupError(f"{step.node} has no timer {step.timer!r} pending{down}; pending: {pending}")
        self._write(TIMER, process, None, NOBODY, None, step.timer, canonical_json(step.timer))
        self.touched.add(process.name)
        process.fire(step.timer, self.now)
        self._answer()

    def _ask(self, step: Ask) -> None:
        target = self._node(step.node)
        client = self.processes[f"c{self._asked}"]
        self._asked += 1
        self._open[client.name] = _Question(step.node, step.operation, self.now)
        self._note(INVOKE, client, {})
        request = Request(0, step.operation)
        number = self._write_sending(client, target, request, encode(request))
        if target.condition == CRASHED:
            mail = Mail(number, 1, 0, self.now, request, "")
            self._drop("crashed", client.name, target.name, mail)
            return
        self._write_delivery(target, client, number, request, 0)
        self._call(target, "on_message", client.name, request)

    def _crash(self, step: Down) -> None:
        process = self._node(step.node)
        if process.condition == CRASHED:
            raise LookupError(f"{step.node} is down already; up are {self._who_is(UP)}")
        fault = self.down[process.name] = Crash(step.node, at=self.now / MICROSECONDS)
        self._write_fault(fault, step.node)
        self.touched.add(process.name)
        process.crash()

    def _restart(self, step: Up) -> None:
        process = self._node(step.node)
        if process.condition == UP:
            raise LookupError(f"{step.node} is up; down are {self._who_is(CRASHED)}")
        self._write_fault(Restart(step.node, at=self.now / MICROSECONDS), step.node)
        del self.down[process.name]
        process.rise()
        self._boot(process)

    # ── Nodes ─────────────────────────────────────────────────────────────────────────────────────────────

    def _boot(self, process: Process) -> None:
        self.touched.add(process.name)
        process.boot(self._node_factory, self.network.peers(process.name), self.now)
        self._answer()

    def _call(self, process: Process, handler: str, *arguments: Any) -> None:
        self.touched.add(process.name)
        process.call(handler, self.now, *arguments)
        self._answer()

    def _answer(self) -> None:
        """Let what was sent to clients arrive: a handler is over."""
        answers, self._answers = self._answers, []
        for client, source, number, message in answers:
            self._write_delivery(client, source, number, message, 0)
            if isinstance(message, Reply) and message.number == 0 and client.name in self._open:
                seconds = (self.now - self._open[client.name].asked) / MICROSECONDS
                outcome = OK if message.outcome == "ok" else FAIL
                self._note(outcome, client, {"value": message.value, "seconds": seconds})
                del self._open[client.name]

    def sent(self, process: Process, to: str, message: Any, text: str) -> None:
        """A node has sent a message: it waits, or goes to a client."""
        target = self.processes[to]
        number = self._write_sending(process, target, message, text)
        if target.is_client:
            self._answers.append((target, process, number, message))
            return
        link = (process.name, to)
        place = self._sendings[link] = self._sendings.get(link, 0) + 1
        mails = self.links.setdefault(link, [])
        copies = sum(1 for mail in mails if mail.copy)
        mails.insert(len(mails) - copies, Mail(number, place, 0, self.now, message, text))

    def recorded(self, process: Process, kind: str, detail: dict[str, Any]) -> None:
        """A node has recorded something."""
        named = detail.get("peer")
        peer = self.processes.get(named) if type(named) is str else None
        self._write(RECORD, process, peer, NOBODY, None, (kind, detail), canonical_json([kind, detail]))

    # ── The trace ─────────────────────────────────────────────────────────────────────────────────────────

    def _write_sending(self, source: Process, target: Process, message: Any, text: str) -> int:
        number = self._numbers
        self._numbers += 1
        self._write(SEND, source, target, number, message, None, text)
        return number

    def _write_delivery(self, target: Process, source: Process, number: int, message: Any, copy: int) -> None:
        detail = {"copy": copy} if copy else {}
        cell = ("", detail) if detail else None
        self._write(DELIVER, target, source, number, message, cell, canonical_json(detail) if detail else "")

    def _drop(self, reason: str, sender: str, to: str, mail: Mail) -> None:
        detail = {"copy": mail.copy} if mail.copy else {}
        cell = (reason, detail) if detail else reason
        self._write(
            DROP, self.processes[to], self.processes[sender], mail.number, mail.message, cell,
            canonical_json([reason, detail]),
        )  # fmt: skip

    def _write_fault(self, fault: Fault, node: str, peer: str | None = None) -> None:
        detail = {"phase": "start", "fault": fault.to_json_value()}
        other = None if peer is None else self.processes[peer]
        cell = (type(fault).__name__, detail)
        self._write(FAULT, self.processes[node], other, NOBODY, None, cell, canonical_json(detail))

    def _note(self, kind: int, client: Process, more: dict[str, Any]) -> None:
        question = self._open[client.name]
        detail = {"number": 0, "operation": question.operation, **more}
        shown = canonical_json({name: readable(value) for name, value in detail.items()})
        cell = (words_of_operation(question.operation), detail)
        self._write(kind, client, self.processes[question.node], NOBODY, None, cell, shown)

    def _write(
        self, kind: int, node: Process, peer: Process | None, number: int, message: Any, cell: Any, text: str
    ) -> None:
        place = NOBODY if peer is None else peer.index
        self._recorder.write((self.now, kind, node.index, place, number, message, cell, text))

    # ── Words ─────────────────────────────────────────────────────────────────────────────────────────────

    def _take_from(self, step: MailStep) -> Mail:
        mails, place = self.waiting(step)
        return mails.pop(place)

    def _node(self, name: str) -> Process:
        return self.processes[name]

    def _nodes(self) -> Iterator[Process]:
        return (process for process in self.processes.values() if not process.is_client)

    def _who_is(self, condition: str) -> str:
        return ", ".join(one.name for one in self._nodes() if one.condition == condition) or "none"

    def _elsewhere(self) -> str:
        there = [
            f"{sender} → {to}: {len(mails)}" for (sender, to), mails in sorted(self.links.items()) if mails
        ]
        shown = ", ".join(there[:8]) + (", …" if len(there) > 8 else "")
        return f"wait {shown}" if there else "nothing either"
