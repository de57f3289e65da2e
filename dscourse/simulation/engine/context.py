"""What a node is given as its context in the simulator."""

from __future__ import annotations

from heapq import heappush
from random import Random
from typing import Any

from dscourse.arguments import real, text
from dscourse.simulation.engine.port import KernelPort
from dscourse.simulation.engine.process import Process
from dscourse.simulation.messages import canonical_json, plain_json
from dscourse.simulation.node import Context
from dscourse.simulation.node_state import TO_LOOK_AT, copied
from dscourse.simulation.recorder import NOBODY, RECORD, SEND
from dscourse.simulation.seen_context import SeenContext
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS


class SimulatorContext(Context):
    """A node's hands and eyes in the simulator."""

    __slots__ = ("_kernel", "_links", "_process", "_rng", "_seen", "now")
    now: float  # set by the kernel before each handler

    def __init__(self, kernel: KernelPort, process: Process) -> None:
        self._kernel = kernel
        self._process = process
        self._links = process.links
        self._rng: Random | None = None
        self._seen: SeenContext | None = None
        self.now = 0.0

    def __deepcopy__(self, memo: dict[Any, Any]) -> SimulatorContext | SeenContext:
        """Itself: a node may keep its context, and a copy of the node's state must not copy the world.

        In a copy that is made to be looked at, one that can do nothing.
        """
        if TO_LOOK_AT not in memo:
            return self
        if self._seen is None:
            self._seen = SeenContext(self)
        return self._seen

    def begin_luck_anew(self) -> None:
        """Draw from a new stream from now on."""
        if self._rng is not None:  # the node may have kept it
            self._rng.setstate(self._kernel.node_luck(self._process).getstate())

    @property
    def rng(self) -> Random:
        """This node's own luck; a restarted node gets a new stream."""
        if self._rng is None:
            self._rng = self._kernel.node_luck(self._process)
        return self._rng

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last; None if nothing ever was."""
        return copied(self._process.saved)

    def save(self, state: Any) -> None:
        """Write ``state`` to stable storage: at once, as a whole, in place of what was there."""
        self._process.saved = copied(state)

    def send(self, to: str, message: Any) -> None:
        """Send a message: a frozen dataclass. Whether and when it arrives, nobody can say.

        Raises:
            LookupError: ``to`` is no neighbour.
            TypeError, ValueError: the message holds what may not travel.
        """
        kernel = self._kernel
        try:
            link = self._links.get(to)
        except TypeError:  # a list of ids can't be looked up
            link = None
        if link is None:
            link = kernel.open_link(self._process, to)
        if message is not kernel.last_message:
            kernel.admit(message)
        random = link.random
        draw = link.draw() if random is None else random()
        settings = link.settings
        if kernel.careful or settings.special:
            kernel.post(link, message, draw)
            return
        now = kernel.now
        number = kernel.next_number()
        kernel.write(
            (now, SEND, link.source.index, link.target.index, number, message, None, kernel.last_text)
        )
        heappush(kernel.heap, (now + settings.sample(draw), number, link, message, number))

    def set_timer(self, name: str, delay: float) -> None:
        """Have `on_timer` called with ``name`` in ``delay`` seconds of the node's own clock.

        A pending timer of that name is replaced.
        """
        if type(name) is not str:
            text("name of a timer", name)
        if type(delay) is not float or not 0.0 <= delay <= LONGEST:
            delay = real(f"delay of timer {name!r}", delay, at_least=0.0, at_most=LONGEST)
        local = int(delay * MICROSECONDS + 0.5) or (1 if delay > 0 else 0)
        kernel, process = self._kernel, self._process
        if process.clock is not None:
            local = process.clock.true_delay(kernel.now, local)
        order = kernel.timer_order(process)
        process.timers[name] = order
        heappush(kernel.heap, (kernel.now + local, order, None, process, name))

    def cancel_timer(self, name: str) -> None:
        """Forget a pending timer; nothing happens if there is none of that name."""
        if type(name) is not str:
            text("name of a timer", name)
        self._process.timers.pop(name, None)

    def record(self, kind: str, /, **fields: Any) -> None:
        """Write something into the trace: what this node now believes, or has decided.

        ``record("status", status="leader", label="term 3")`` says how pictures show the node;
        ``record("suspect", peer=p)`` and ``record("trust", peer=p)`` whom it takes for dead.
        """
        text("kind of a record", kind)
        kernel = self._kernel
        detail = plain_json(fields, f"record {kind!r}")
        peer = kernel.processes.get(detail["peer"]) if type(detail.get("peer")) is str else None
        kernel.write(
            (
                kernel.now,
                RECORD,
                self._process.index,
                NOBODY if peer is None else peer.index,
                NOBODY,
                None,
                (kind, detail),
                canonical_json([kind, detail]),
            )
        )
