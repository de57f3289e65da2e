"""A node in the untimed world: its object, its timers, its own clock, and the context it is given.

There is no time between steps. A node's clock stands still until one of its timers fires, and then shows the delay of
that timer more: it is the sum of the delays of all timers that it has fired, and a crash does not set it back.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from dscourse.arguments import real, text
from dscourse.simulation.errors import NodeError
from dscourse.simulation.handlers import check_handlers
from dscourse.simulation.messages import encode, plain_json
from dscourse.simulation.network import Network
from dscourse.simulation.node import Context
from dscourse.simulation.node_state import TO_LOOK_AT, copied
from dscourse.simulation.peers import no_such_peer
from dscourse.simulation.random_streams import key_of
from dscourse.simulation.seen_context import SeenContext
from dscourse.simulation.source_line import own_line
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS, to_microseconds

UP, CRASHED = "up", "crashed"
_SEED = 0  # of every node's stream


class World(Protocol):
    """What takes in what a node does."""

    now: int

    def sent(self, process: Process, to: str, message: Any, text: str) -> None:
        """A node has sent a message; ``text`` is its canonical JSON."""

    def recorded(self, process: Process, kind: str, detail: dict[str, Any]) -> None:
        """A node has recorded something."""


class Process:
    """A node or a client while steps are taken.

    Attributes:
        node: its present object; None while it is down.
        condition: "up" or "crashed".
        incarnation: how often it has booted again.
        timers: names of the pending ones and their delays, in µs, in the order in which they were set.
        clock: what its own clock says, in µs.
        saved: what it has in stable storage.
        rng: its stream of random numbers, once it has drawn from it.
    """

    __slots__ = (
        "clock", "condition", "context", "incarnation", "index", "is_client", "name", "node", "rng", "saved", "timers",
    )  # fmt: skip

    def __init__(self, index: int, name: str, *, is_client: bool = False) -> None:
        self.index = index
        self.name = name
        self.is_client = is_client
        self.node: Any = None
        self.context: Any = None
        self.condition = UP
        self.incarnation = 0
        self.timers: dict[str, int] = {}
        self.clock = 0
        self.saved: Any = None
        self.rng: Random | None = None

    def boot(self, node_factory: Callable[..., Any], peers: Any, now: int) -> None:
        """Make the node's object and start it.

        Raises:
            NodeError: the handler failed, or the factory did so in a later life.
        """
        try:
            node = node_factory(self.name, peers)
        except Exception as error:
            if self.incarnation == 0:
                raise  # nothing has run yet: the caller sees the error as it is
            raise self._blame("node_factory", now, error) from error
        check_handlers(node)
        self.node = node
        self.call("on_start", now)

    def call(self, handler: str, now: int, *arguments: Any) -> None:
        """Run a handler.

        Raises:
            NodeError: it failed.
        """
        try:
            getattr(self.node, handler)(self.context, *arguments)
        except Exception as error:
            raise self._blame(handler, now, error) from error

    def fire(self, timer: str, now: int) -> None:
        """Let a pending timer go off."""
        self.clock += self.timers.pop(timer)
        self.call("on_timer", now, timer)

    def crash(self) -> None:
        """Lose everything but what is saved."""
        self.condition = CRASHED
        self.node = self.rng = None
        self.timers.clear()

    def rise(self) -> None:
        """Be up again, with nothing in memory yet."""
        self.condition = UP
        self.incarnation += 1

    def _blame(self, handler: str, now: int, error: Exception) -> NodeError:
        return NodeError(self.name, handler, now / MICROSECONDS, own_line(error.__traceback__), error)


class UntimedContext(Context):
    """A node's hands and eyes in the untimed world."""

    __slots__ = ("_known", "_network", "_process", "_seen", "_world")

    def __init__(self, world: World, process: Process, network: Network, known: Any) -> None:
        self._world = world
        self._process = process
        self._network = network
        self._known = known  # ids of nodes and clients; whether a node can send to a client needs no link
        self._seen: SeenContext | None = None

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntimedContext | SeenContext:
        """Itself, as in the simulator: a copy of a node's state must not copy the world."""
        if TO_LOOK_AT not in memo:
            return self
        if self._seen is None:
            self._seen = SeenContext(self)
        return self._seen

    @property
    def now(self) -> float:
        """The sum of the delays of the timers that this node has fired."""
        return self._process.clock / MICROSECONDS

    @property
    def rng(self) -> Random:
        """This node's own luck, of seed 0; a restarted node gets a new stream."""
        process = self._process
        if process.rng is None:
            process.rng = Random(key_of(_SEED, "node", process.name, process.incarnation))
        return process.rng

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last."""
        return copied(self._process.saved)

    def save(self, state: Any) -> None:
        """Write ``state`` to stable storage."""
        self._process.saved = copied(state)

    def send(self, to: str, message: Any) -> None:
        """Send a message; when it arrives is up to the adversary."""
        name, network = self._process.name, self._network
        is_known = type(to) is str and to in self._known
        if not is_known or not (network.has_link(name, to) or to not in network.graph):
            raise no_such_peer(name, to, network.peers(name), self._known)
        self._world.sent(self._process, to, message, encode(message))

    def set_timer(self, name: str, delay: float) -> None:
        """Have `on_timer` called some time; the delay is what the node's clock will then show more."""
        text("name of a timer", name)
        delay = real(f"delay of timer {name!r}", delay, at_least=0.0, at_most=LONGEST)
        self._process.timers.pop(name, None)
        self._process.timers[name] = to_microseconds(delay)

    def cancel_timer(self, name: str) -> None:
        """Forget a pending timer."""
        self._process.timers.pop(text("name of a timer", name), None)

    def record(self, kind: str, /, **fields: Any) -> None:
        """Write something into the trace."""
        text("kind of a record", kind)
        self._world.recorded(self._process, kind, plain_json(fields, f"record {kind!r}"))
