"""The learner's page: a node, and the context through which it touches the world.

    class Greeter(Node):
        def on_start(self, ctx):
            for peer in self.peers:
                ctx.send(peer, Hello(self.node_id))

The same class runs in the simulator, in a search that chooses what arrives next, and as a real process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from random import Random
from typing import Any

HANDLERS = ("on_start", "on_message", "on_timer")
_SLIPS = 2  # letters by which a name may miss a handler's and is still taken for it


class Node:
    """What runs on one machine: three handlers, called one at a time, each run to its end.

    A node touches the world only through the ``ctx`` it is given. Keep what you like in attributes; those without
    a leading underscore are shown in pictures and inspectors. Never use global randomness or your computer's clock: the
    same seed would no longer give the same run. Nor the order of a set: to send to the members of one, go through
    ``sorted(…)``. That order is another one at each start of Python, and no run can notice that by itself.

    Attributes:
        node_id: its own name.
        peers: the names of those it can send to, in node order.
    """

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        self.node_id = node_id
        self.peers = peers

    def on_start(self, ctx: Context) -> None:
        """The node boots: at time 0, and again after every restart, with nothing but ``ctx.stored`` left."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """A message has come in."""

    def on_timer(self, ctx: Context, name: str) -> None:
        """The timer ``name`` is due."""

    def __init_subclass__(cls, **settings: Any) -> None:
        """Refuse a handler whose name is nearly right: it would never be called, and nobody would say so."""
        super().__init_subclass__(**settings)
        for name, value in vars(cls).items():
            if name in HANDLERS or not callable(value):
                continue
            for handler in HANDLERS:
                if _distance(name, handler) <= _SLIPS:
                    raise TypeError(
                        f"{cls.__name__} has a method {name}; did you mean {handler}? Nobody would ever call {name}"
                    )


class Context(ABC):
    """A node's hands and eyes."""

    __slots__ = ()

    @property
    @abstractmethod
    def now(self) -> float:
        """What the node's own clock says, in seconds. It need not be the true time."""

    @property
    @abstractmethod
    def rng(self) -> Random:
        """This node's own luck; a restarted node gets a new stream."""

    @property
    @abstractmethod
    def stored(self) -> Any:
        """A fresh copy of what was saved last; None if nothing ever was."""

    @abstractmethod
    def save(self, state: Any) -> None:
        """Write ``state`` to stable storage: at once, as a whole, in place of what was there."""

    @abstractmethod
    def send(self, to: str, message: Any) -> None:
        """Send a message: a frozen dataclass. Whether and when it arrives, nobody can say.

        Raises:
            LookupError: ``to`` is no neighbour.
            TypeError, ValueError: the message holds what may not travel.
        """

    @abstractmethod
    def set_timer(self, name: str, delay: float) -> None:
        """Have `on_timer` called with ``name`` in ``delay`` seconds of the node's own clock.

        A pending timer of that name is replaced.
        """

    @abstractmethod
    def cancel_timer(self, name: str) -> None:
        """Forget a pending timer; nothing happens if there is none of that name."""

    @abstractmethod
    def record(self, kind: str, /, **fields: Any) -> None:
        """Write something into the trace: what this node now believes, or has decided.

        ``record("status", status="leader", label="term 3")`` says how pictures show the node;
        ``record("suspect", peer=p)`` and ``record("trust", peer=p)`` whom it takes for dead.
        """


def _distance(a: str, b: str) -> int:
    """How many letters must be added, left out or changed to make one word of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != other))
    return row[-1]
