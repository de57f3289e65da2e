"""A node with the context it is given, whether it runs in a process of its own or what it did is gone through again.

What a handler does is collected and takes effect when the handler is over, all of it or, if the process is killed
before, nothing. So a node is a function of what it was given, and when: its state at any time of a live run is had by
giving it the same once more.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from dscourse.arguments import real, text
from dscourse.simulation.handlers import check_handlers
from dscourse.simulation.messages import encode, plain_json
from dscourse.simulation.node import Context
from dscourse.simulation.node_state import TO_LOOK_AT, copied
from dscourse.simulation.peers import no_such_peer
from dscourse.simulation.random_streams import key_of
from dscourse.simulation.seen_context import SeenContext
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS, to_microseconds


class Identity(NamedTuple):
    """Who a node is.

    Attributes:
        name: its id.
        peers: whom it can send to.
        clients: who may ask it.
        seed: of the cluster.
        incarnation: how often it has booted before.
    """

    name: str
    peers: tuple[str, ...]
    clients: tuple[str, ...]
    seed: int
    incarnation: int


class Sent(NamedTuple):
    """A message that a handler has sent."""

    to: str
    message: Any


class Recorded(NamedTuple):
    """Something that a handler has recorded."""

    kind: str
    detail: dict[str, Any]


class Machine:
    """A node, its timers and its stable storage.

    Args:
        identity: who it is.
        saved: what it finds on its disk; None if there is nothing.

    Attributes:
        node: its object; None before it boots.
        timers: when each is due, in µs.
        saved: what it has in stable storage.
        saves: how often it has saved.
        effects: what the handler that ran last has sent and recorded, in order.
    """

    def __init__(self, identity: Identity, saved: Any = None) -> None:
        self.identity = identity
        self.node: Any = None
        self.timers: dict[str, int] = {}
        self.saved = saved
        self.saves = 0
        self.effects: list[Sent | Recorded] = []
        self.context = MachineContext(self)

    def make(self, node_factory: Callable[..., Any]) -> None:
        """Make the node's object."""
        node = node_factory(self.identity.name, self.identity.peers)
        check_handlers(node)
        self.node = node

    def call(self, handler: str, now: int, *arguments: Any) -> None:
        """Run a handler at ``now`` (µs)."""
        self.effects = []
        self.context.now = now / MICROSECONDS
        self.context.time = now
        getattr(self.node, handler)(self.context, *arguments)

    def next_timer(self) -> tuple[str, int] | None:
        """The timer that is due next, and when; None if there is none."""
        return min(self.timers.items(), key=lambda item: item[1]) if self.timers else None


class MachineContext(Context):
    """A node's hands and eyes on a real machine."""

    __slots__ = ("_machine", "_rng", "_seen", "now", "time")
    now: float  # set before each handler; it stands still while one runs, as in the simulator

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._rng: Random | None = None
        self._seen: SeenContext | None = None
        self.now = 0.0
        self.time = 0  # µs

    def __deepcopy__(self, memo: dict[Any, Any]) -> MachineContext | SeenContext:
        """Itself, as in the simulator: a copy of a node's state must not copy the world."""
        if TO_LOOK_AT not in memo:
            return self
        if self._seen is None:
            self._seen = SeenContext(self)
        return self._seen

    @property
    def rng(self) -> Random:
        """This node's own luck; a restarted node gets a new stream."""
        if self._rng is None:
            who = self._machine.identity
            self._rng = Random(key_of(who.seed, "node", who.name, who.incarnation))
        return self._rng

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last; None if nothing ever was."""
        return copied(self._machine.saved)

    def save(self, state: Any) -> None:
        """Write ``state`` to stable storage, when the handler is over and before its messages leave."""
        self._machine.saved = copied(state)
        self._machine.saves += 1

    def send(self, to: str, message: Any) -> None:
        """Send a message, when the handler is over; see `Context.send`."""
        who = self._machine.identity
        if type(to) is not str or (to not in who.peers and to not in who.clients):
            raise no_such_peer(who.name, to, who.peers, (*who.peers, *who.clients))
        encode(message)  # refuses what may not travel
        self._machine.effects.append(Sent(to, message))

    def set_timer(self, name: str, delay: float) -> None:
        """Have `on_timer` called with ``name`` in ``delay`` seconds, or a little later."""
        text("name of a timer", name)
        delay = real(f"delay of timer {name!r}", delay, at_least=0.0, at_most=LONGEST)
        self._machine.timers.pop(name, None)
        self._machine.timers[name] = self.time + to_microseconds(delay)

    def cancel_timer(self, name: str) -> None:
        """Forget a pending timer."""
        self._machine.timers.pop(text("name of a timer", name), None)

    def record(self, kind: str, /, **fields: Any) -> None:
        """Write something into the trace."""
        detail = plain_json(fields, f"record {text('kind of a record', kind)!r}")
        self._machine.effects.append(Recorded(kind, detail))
