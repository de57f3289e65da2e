"""The event loop: what happens next, and to whom.

All that is to come stands in one heap, as tuples (time, order, link, message or process, number or name). Faults are
not in it: they are known beforehand, so the loop runs from one instant with faults to the next, and nothing that a
fault does can shift the order of other events.

A message to a node that is simply up, on a network that simply works, takes the short way through `_events_before`.
Everything else goes through `post` and `arrive`, which know all the exceptions. Both do the same where both apply (a
test compares them).
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, NamedTuple

from dscourse.simulation.clients import Workload
from dscourse.simulation.engine.active_faults import ActiveFaults
from dscourse.simulation.engine.client_actors import client_actor
from dscourse.simulation.engine.context import SimulatorContext
from dscourse.simulation.engine.fault_schedule import FaultSchedule, Transition, plan_of
from dscourse.simulation.engine.process import CRASHED, PAUSED, UP, HeldTimer, Link, Mail, Process, Service
from dscourse.simulation.engine.state import CopyOnTheWay, KernelState
from dscourse.simulation.engine.tie_breaking import TieBreaker
from dscourse.simulation.errors import EventLimit, NodeError, SimulationError
from dscourse.simulation.faults import DelayMessage, Fault, LoseMessage, MessageFault, Pair, RepeatMessage
from dscourse.simulation.handlers import check_handlers
from dscourse.simulation.messages import canonical_json, encode
from dscourse.simulation.network import Network
from dscourse.simulation.peers import no_such_peer
from dscourse.simulation.random_streams import Stream, key_of
from dscourse.simulation.recorder import DELIVER, DROP, NOBODY, RECENT, SEND, TIMER, Recorder
from dscourse.simulation.source_line import own_line
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

_ROUND = 64  # events between two looks at the recorder
_END = -1  # order of the entry that ends a stretch; before all others of its instant
_LAST = 1 << 200  # order of an entry that comes after all others of its instant
_LOSS, _DUPLICATION, _COPY = 1, 2, 3  # purposes of a link's streams, besides 0 for the latency


class Setting(NamedTuple):
    """What a run follows from."""

    node_factory: Callable[..., Any]
    network: Network
    faults: Sequence[Fault]
    clients: Mapping[str, Workload]  # by their ids
    seed: int
    shuffle_ties: bool


class Kernel:
    """One run of a setting."""

    def __init__(self, setting: Setting, recorder: Recorder, event_limit: int) -> None:
        self.recorder = recorder
        self.write = recorder.write
        self.now = 0
        self.heap: list[tuple[Any, ...]] = []
        self.next_number: Callable[[], int] = count().__next__
        self.last_message: Any = object()  # nothing that anybody could send
        self.last_text = ""
        self.ties = TieBreaker(setting.seed, self.next_number) if setting.shuffle_ties else None
        self.careful = self.ties is not None
        self.touched: set[str] = set()
        self.active: dict[int, Fault] = {}  # faults in force, by their number in the scenario
        self.processes: dict[str, Process] = {}
        self.network = setting.network
        self.seed = setting.seed
        self._faults = setting.faults
        self._node_factory = setting.node_factory
        self._event_limit = event_limit
        self._message_faults = _by_link_and_number(setting.faults)
        self._timer_texts: dict[str, str] = {}
        self._observe: Callable[[], None] | None = None
        for name in setting.network.node_ids:
            self._add_service(self._add(name))
        for client, workload in setting.clients.items():
            self._add_client(self._add(client), workload)
        for process in self.processes.values():
            process.refresh()
        self.active_faults = ActiveFaults(self.processes, self.seed)
        self.schedule = FaultSchedule(self)

    # ── Running ───────────────────────────────────────────────────────────────────────────────────────────

    def run(self, until: int, observe: Callable[[], None] | None = None) -> None:
        """Process every event before ``until`` (µs).

        ``observe`` is called after each event, and after the faults of an instant.

        Raises:
            NodeError: a handler failed.
            EventLimit: there were too many events.
        """
        self._observe = observe
        collecting = gc.isenabled()
        gc.disable()  # rows and messages make no cycles, and looking for some takes a fifth of the time
        try:
            plan = plan_of(self._faults)
            for when in sorted({0, *plan}):
                if when >= until:
                    break
                self._events_before(when)
                self._change(when, plan.get(when, []))
            self._events_before(until)
            self._check_limit()
        finally:
            self.recorder.flush()
            if collecting:
                gc.enable()

    def _events_before(self, limit: int) -> None:
        """Process the heap up to ``limit``."""
        heap, write, recorder, pop = self.heap, self.write, self.recorder, heappop
        if self._observe is not None:
            self._watched_events_before(limit, self._observe)
            return
        careful = self.careful
        rounds = range(_ROUND)
        rows, enough = recorder.rows, recorder.room(self._event_limit)
        heappush(heap, (limit, _END, None, None, None))
        link = actor = what = None
        try:
            while True:
                for _ in rounds:
                    when, order, link, actor, what = pop(heap)
                    if link is not None:
                        self.now = when
                        target = link.target
                        if careful or not target.quick:
                            self.arrive(link, actor, what)
                            continue
                        source = link.source
                        write((when, DELIVER, target.index, source.index, what, actor, None, ""))
                        context = target.context
                        context.now = when / MICROSECONDS
                        target.node.on_message(context, source.name, actor)
                    elif order == _END:
                        return
                    elif what is None:
                        self.now = when
                        actor()
                    elif actor.timers.get(what) == order:
                        self.now = when
                        if actor.quick:
                            del actor.timers[what]
                            write(
                                (when, TIMER, actor.index, NOBODY, NOBODY, None, what, self._timer_text(what))
                            )
                            context = actor.context
                            context.now = when / MICROSECONDS
                            actor.node.on_timer(context, what)
                        else:
                            self._timer_due(actor, what, order)
                if len(rows) >= enough:
                    self._check_limit()
                    recorder.flush()
                    enough = recorder.room(self._event_limit)
        except Exception as error:
            if isinstance(error, SimulationError) and error.run is None:
                raise  # of this run, and not of one that a handler ran itself
            process: Any = actor if link is None else link.target
            raise self._blame(process, "on_timer" if link is None else "on_message", error) from error

    def _watched_events_before(self, limit: int, observe: Callable[[], None]) -> None:
        """The same, one by one, with a look at everything after each event."""
        heap, write, recorder, touch = self.heap, self.write, self.recorder, self.touched.add
        rows, enough = recorder.rows, recorder.room(self._event_limit)
        target: Any = (
            None  # whose handler runs by the short way; what goes wrong in it is told as its mistake
        )
        try:
            while heap and heap[0][0] < limit:
                when, order, link, actor, what = heappop(heap)
                self.now = when
                if link is not None:
                    source, target = link.source, link.target
                    if self.careful or not target.quick:
                        target = None
                        self.arrive(link, actor, what)
                    else:
                        write((when, DELIVER, target.index, source.index, what, actor, None, ""))
                        touch(target.name)
                        context = target.context
                        context.now = when / MICROSECONDS
                        target.node.on_message(context, source.name, actor)
                        target = None
                elif what is None:
                    actor()
                elif actor.timers.get(what) == order:
                    self._timer_due(actor, what, order)
                else:
                    continue
                observe()
                if len(rows) >= enough:
                    self._check_limit()
                    recorder.flush()
                    enough = recorder.room(self._event_limit)
        except Exception as error:
            if target is None or (isinstance(error, SimulationError) and error.run is None):
                raise
            raise self._blame(target, "on_message", error) from error

    # ── Messages ──────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, message: Any) -> None:
        """Check a message and keep its canonical JSON; a broadcast is checked once."""
        self.last_text = encode(message)
        self.last_message = message

    def open_link(self, process: Process, to: str) -> Link:
        """The link to a neighbour, when it is used for the first time.

        Raises:
            LookupError: there is no such neighbour.
        """
        target = self.processes.get(to) if type(to) is str else None
        network = self.network
        if target is None:
            raise no_such_peer(process.name, to, network.peers(process.name), self.processes)
        if process.is_client or target.is_client:
            settings = network.client_settings()
        elif network.has_link(process.name, to):
            settings = network.link_settings(process.name, to)
        else:
            raise no_such_peer(process.name, to, network.peers(process.name), self.processes)
        befalls = self._message_faults.get((process.name, to))
        link = process.links[to] = Link(process, target, settings.made_special() if befalls else settings)
        link.befalls = befalls or {}
        return link

    def post(self, link: Link, message: Any, draw: float) -> None:
        """Send a message the long way, where the network or a fault may do something to it."""
        source, target, settings = link.source, link.target, link.settings
        liar = ""
        for behaviour, key in source.behaviours:
            honest = message
            message = behaviour.rewrite(self.active_faults.lies_luck(key, target.name), target.name, honest)
            if message is None:
                return
            if message is not honest:
                liar = type(behaviour).__name__
        if message is not self.last_message:
            self.admit(message)
        faults = self._faults_of_next(link) if link.befalls else ()
        late = sum(to_microseconds(fault.by) for fault in faults if isinstance(fault, DelayMessage))
        delay = settings.sample(draw)
        lost = settings.loss > 0 and link.extras().draw(_LOSS) < settings.loss
        lost = any(
            [lost, *self.active_faults.loss_draws(link), *(isinstance(f, LoseMessage) for f in faults)]
        )
        copies = self.active_faults.copies(link)
        if settings.duplication > 0 and link.extras().draw(_DUPLICATION) < settings.duplication:
            copies.append(link.extras().draw(_COPY))
        copies += [
            link.extras().draw(key_of(self.seed, "fault", fault.canonical()))
            for fault in faults
            if isinstance(fault, RepeatMessage)
        ]
        cut = not self.active_faults.can_talk(source.name, target.name)
        wait = 0 if cut or settings.capacity is None else link.extras().transmit(self.now)
        fate = "cut" if cut else "queue full" if wait is None else "lost" if lost else None
        detail: dict[str, Any] = {"byzantine": liar} if liar else {}
        if copies and fate is None:
            detail["copies"] = 1 + len(copies)
        number = self.next_number()
        text = self.last_text + (canonical_json(detail) if detail else "")
        cell = ("", detail) if detail else None
        self.write((self.now, SEND, source.index, target.index, number, message, cell, text))
        if fate is not None:
            self.drop(fate, Mail(link, message, number, 0, self.now))
            return
        factor = self.active_faults.delay_factor(link)
        due = self.now + (wait or 0) + late
        order = number if self.ties is None else self.ties.message_order(link)
        heappush(self.heap, (due + int(delay * factor + 0.5), order, link, message, number))
        for copy, its_draw in enumerate(copies, start=1):
            its_due = due + int(settings.sample(its_draw) * factor + 0.5)
            self.put_off(its_due, CopyOnTheWay(self, link, message, number, copy), link)

    def _faults_of_next(self, link: Link) -> list[MessageFault]:
        """What befalls the message that is being sent; the trace tells of it."""
        link.sent += 1
        faults = link.befalls.get(link.sent, [])
        for fault in faults:
            self.schedule.write_fault(fault)
        return faults

    def arrive(self, link: Link, message: Any, number: int, copy: int = 0) -> None:
        """A message is due: it is handled, has to wait, or is dropped."""
        target = link.target
        mail = Mail(link, message, number, copy, self.now)
        if self.careful and not self.active_faults.can_talk(link.source.name, target.name):
            self.drop("cut", mail)
        elif target.condition == CRASHED:
            self.drop("crashed", mail)
        elif target.service is not None:
            self._queue(target, target.service, mail)
        elif target.condition == PAUSED:
            target.held.append(mail)
        else:
            self._deliver(target, mail)

    def put_off(self, when: int, act: Callable[[], None], owner: Link | Process) -> None:
        """Have ``act`` called at ``when``; it is a matter of ``owner``."""
        if self.ties is None:
            order = self.next_number()
        elif isinstance(owner, Link):
            order = self.ties.message_order(owner)
        else:
            order = self.ties.timer_order(owner)
        heappush(self.heap, (when, order, None, act, None))

    def _deliver(self, target: Process, mail: Mail) -> None:
        detail = self._detail_of(mail)
        source = mail.link.source
        cell = ("", detail) if detail else None
        text = canonical_json(detail) if detail else ""
        self.write((self.now, DELIVER, target.index, source.index, mail.number, mail.message, cell, text))
        self.call(target, "on_message", target.node.on_message, source.name, mail.message)

    def drop(self, reason: str, mail: Mail) -> None:
        """A message is lost, and the trace tells why."""
        detail = self._detail_of(mail)
        source, target = mail.link.source, mail.link.target
        cell = (reason, detail) if detail else reason
        text = canonical_json([reason, detail])
        self.write((self.now, DROP, target.index, source.index, mail.number, mail.message, cell, text))

    def _detail_of(self, mail: Mail) -> dict[str, Any]:
        detail: dict[str, Any] = {"copy": mail.copy} if mail.copy else {}
        if mail.arrived != self.now:
            detail["arrived"] = mail.arrived / MICROSECONDS
        return detail

    # ── Queues ────────────────────────────────────────────────────────────────────────────────────────────

    def _queue(self, process: Process, service: Service, mail: Mail) -> None:
        if service.is_full:
            self.drop("queue full", mail)
            return
        service.queue.append(mail)
        self._serve_next(process, service)

    def _serve_next(self, process: Process, service: Service) -> None:
        if service.serving is None and service.queue and process.condition == UP:
            service.serving = service.queue.popleft()
            service.due = self.now + service.next_duration()
            self._go_on_serving(process, service)

    def _go_on_serving(self, process: Process, service: Service) -> None:
        service.round += 1
        self.put_off(service.due, partial(self._served, process, service, service.round), process)

    def set_pace(self, process: Process, factor: float) -> None:
        """Let a server work faster or slower, also on what it has begun."""
        service = process.service
        if service is not None and service.set_pace(self.now, factor):
            self._go_on_serving(process, service)

    def _served(self, process: Process, service: Service, number: int) -> None:
        if number != service.round or service.serving is None:
            return  # a crash or a pause has stopped it
        mail, service.serving = service.serving, None
        self._deliver(process, mail)
        self._serve_next(process, service)

    # ── Handlers ──────────────────────────────────────────────────────────────────────────────────────────

    def call(self, process: Process, handler: str, function: Callable[..., None], *arguments: Any) -> None:
        """Run a handler, on the node's own clock."""
        process.context.now = process.local_time(self.now) / MICROSECONDS
        self.touched.add(process.name)
        try:
            function(process.context, *arguments)
        except Exception as error:
            raise self._blame(process, handler, error) from error

    def node_luck(self, process: Process) -> Random:
        """The stream that ``ctx.rng`` draws from, in this incarnation."""
        return Random(key_of(self.seed, "node", process.name, process.incarnation))

    def begin_luck_anew(self, number: int) -> None:
        """Draw from new streams from now on, all of them keyed by ``number``."""
        self.seed = key_of(self.seed, "other luck", number)
        self.active_faults.begin_luck_anew(self.seed)
        if self.ties is not None:
            self.ties = TieBreaker(self.seed, self.next_number)
        for process in self.processes.values():
            process.sending_key, process.receiving_key = self._keys_of(process.name)
            for link in process.links.values():
                link.begin_luck_anew()
            if process.service is not None:
                process.service.stream = Stream(key_of(self.seed, "service", process.name))
            if process.is_client:
                process.node.begin_luck_anew()
            elif process.node is not None:
                process.context.begin_luck_anew()

    def look_at(self, when: int) -> None:
        """Call the observer at ``when``, after all events of that instant, even if there are none."""
        heappush(self.heap, (when, _LAST, None, _nothing, None))

    def timer_order(self, process: Process) -> int:
        """The place of a new timer among the events of its instant."""
        return self.next_number() if self.ties is None else self.ties.timer_order(process)

    def _timer_due(self, process: Process, name: str, order: int) -> None:
        if process.timers.get(name) != order:
            return  # cancelled or replaced while it waited
        if process.condition == PAUSED:
            process.held.append(HeldTimer(name, order, self.now))
            return
        del process.timers[name]
        self.write((self.now, TIMER, process.index, NOBODY, NOBODY, None, name, self._timer_text(name)))
        self.call(process, "on_timer", process.node.on_timer, name)

    def _timer_text(self, name: str) -> str:
        text = self._timer_texts.get(name)
        if text is None:
            text = self._timer_texts[name] = canonical_json(name)
        return text

    def _blame(self, process: Process, handler: str, error: Exception) -> NodeError:
        return NodeError(process.name, handler, self.now / MICROSECONDS, own_line(error.__traceback__), error)

    # ── Beginnings ────────────────────────────────────────────────────────────────────────────────────────

    def wake(self, process: Process) -> None:
        """Boot a process if it has no memory, then have it do what has waited."""
        if process.condition != UP:
            return  # another fault of the same instant
        process.refresh()
        if process.node is None:
            self._boot(process)
        held, process.held = process.held, []
        for item in held:
            if isinstance(item, Mail):
                self._deliver(process, item)
            else:
                self._timer_due(process, item.name, item.order)
        service = process.service
        if service is not None:
            if service.left is not None:
                service.due, service.left = self.now + service.left, None
                self._go_on_serving(process, service)
            self._serve_next(process, service)

    def _boot(self, process: Process) -> None:
        peers = self.network.peers(process.name)
        try:
            node = self._node_factory(process.name, peers)
        except Exception as error:
            if process.incarnation == 0:
                raise  # nothing has run yet: the caller sees the error as it is
            raise self._blame(process, "node_factory", error) from error
        check_handlers(node)
        process.node = node
        process.context = SimulatorContext(self, process)
        self.call(process, "on_start", node.on_start)

    def _change(self, when: int, transitions: list[Transition]) -> None:
        """Let faults end and begin, then let those boot and go on that can."""
        self.now = when
        waking = self.schedule.apply(transitions)
        if when == 0:
            waking = [process for process in self.processes.values() if not process.is_client] + waking
        self.careful = self.ties is not None or self.active_faults.is_disturbed
        for process in waking:
            self.wake(process)
        if when == 0:
            self._start_clients()
        if self._observe is not None:
            self._observe()

    def state(self, sent: Callable[[int], int]) -> KernelState:
        """What a moment shows of it."""
        return KernelState(self, sent)

    # ── Odds and ends ─────────────────────────────────────────────────────────────────────────────────────

    def _add(self, name: str) -> Process:
        process = self.processes[name] = Process(len(self.processes), name, *self._keys_of(name))
        return process

    def _keys_of(self, name: str) -> tuple[int, int]:
        return key_of(self.seed, "from", name), key_of(self.seed, "to", name)

    def _add_service(self, process: Process) -> None:
        sample, limit = self.network.service(process.name)
        if sample is not None:
            process.service = Service(sample, limit, key_of(self.seed, "service", process.name))

    def _add_client(self, process: Process, workload: Workload) -> None:
        process.is_client = True
        process.node = client_actor(workload, self, process)
        process.context = SimulatorContext(self, process)

    def _start_clients(self) -> None:
        for process in self.processes.values():
            if process.is_client:
                process.node.start()

    def _check_limit(self) -> None:
        if len(self.recorder) > self._event_limit:
            raise EventLimit(
                f"the run was stopped at {self.now / MICROSECONDS:g} s, after {self._event_limit} events. "
                f"What kept it busy: {self._busiest()}. If it is meant to be that long, raise event_limit of run(); "
                "if it isn't, look for a timer with delay 0, or for two nodes that answer every answer."
            )

    def _busiest(self) -> str:
        names = list(self.processes)
        seen: Counter[str] = Counter()
        recent = self.recorder.rows[-RECENT:]
        for _, kind, node, peer, _, message, cell, _ in recent:
            if kind == SEND:
                seen[f"{names[node]} sends {type(message).__name__} to {names[peer]}"] += 1
            elif kind == TIMER:
                seen[f"timer {cell!r} of {names[node]}"] += 1
        shares = [
            f"{what} ({count} times in the last {len(recent)} events)" for what, count in seen.most_common(3)
        ]
        return ", ".join(shares) or "nothing but deliveries"


def _by_link_and_number(faults: Iterable[Fault]) -> dict[Pair, dict[int, list[MessageFault]]]:
    found: dict[Pair, dict[int, list[MessageFault]]] = {}
    for fault in faults:
        if isinstance(fault, MessageFault):
            found.setdefault((fault.sender, fault.to), {}).setdefault(fault.number, []).append(fault)
    return found


def _nothing() -> None:
    """Nothing happens."""
