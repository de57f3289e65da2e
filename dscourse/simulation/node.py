"""A node and the only world it knows: its context."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from heapq import heappush
from random import Random
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real, text
from dscourse.simulation.messages import canonical_json, plain_json
from dscourse.simulation.recorder import NOBODY, RECORD, SEND
from dscourse.simulation.virtual_time import LONGEST, MICROSECONDS

if TYPE_CHECKING:
    from dscourse.simulation.engine.kernel import Kernel
    from dscourse.simulation.engine.process import Process

_TO_LOOK_AT = "to look at"  # in the memo of a deep copy
_IMMUTABLE = frozenset({bool, int, float, str, bytes, type(None)})


class Node:
    """What runs on one machine: three handlers, called one at a time, each run to its end.

    A node touches the world only through the ``ctx`` it is given. Keep what you like in attributes; those without
    a leading underscore are shown in pictures and inspectors. Never use global randomness, the clock of your computer
    or the order of a set: the same seed would no longer give the same run.
    """

    def on_start(self, ctx: Context) -> None:
        """The node boots: at time 0, and again after every restart, with nothing but ``ctx.stored`` left."""

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """A message has come in."""

    def on_timer(self, ctx: Context, name: str) -> None:
        """The timer ``name`` is due."""


class Context:
    """A node's hands and eyes.

    Attributes:
        now: what the node's own clock says, in seconds. It need not be the true time.
    """

    __slots__ = ("_kernel", "_links", "_process", "_rng", "_seen", "now")

    def __init__(self, kernel: Kernel, process: Process) -> None:
        self._kernel = kernel
        self._process = process
        self._links = process.links
        self._rng: Random | None = None
        self._seen: SeenContext | None = None
        self.now = 0.0

    def __deepcopy__(self, memo: dict[Any, Any]) -> Context:
        """Itself: a node may keep its context, and a copy of the node's state must not copy the world.

        In a copy that is made to be looked at, one that can do nothing.
        """
        if _TO_LOOK_AT not in memo:
            return self
        if self._seen is None:
            self._seen = SeenContext(self)
        return self._seen

    @property
    def rng(self) -> Random:
        """This node's own luck; a restarted node gets a new stream."""
        if self._rng is None:
            self._rng = self._kernel.node_luck(self._process)
        return self._rng

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last; None if nothing ever was."""
        return _copy(self._process.saved)

    def save(self, state: Any) -> None:
        """Write ``state`` to stable storage: at once, as a whole, in place of what was there."""
        self._process.saved = _copy(state)

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


class SeenContext(Context):
    """What stands for a node's context in a copy of the node's state: who looks at a run can't act in it."""

    __slots__ = ("_of",)

    def __init__(self, of: Context) -> None:
        self._of = of

    def __deepcopy__(self, _: dict[Any, Any]) -> Context:
        """Itself, for the same reason."""
        return self

    @property
    def now(self) -> float:  # type: ignore[override]
        """What the node's own clock says."""
        return self._of.now

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last."""
        return self._of.stored

    @property
    def rng(self) -> Random:
        """Nothing: a draw would change the run."""
        raise self._refusal("draw from rng")

    def send(self, to: str, message: Any) -> None:
        """Refuse."""
        raise self._refusal("send")

    def set_timer(self, name: str, delay: float) -> None:
        """Refuse."""
        raise self._refusal("set a timer")

    def cancel_timer(self, name: str) -> None:
        """Refuse."""
        raise self._refusal("cancel a timer")

    def save(self, state: Any) -> None:
        """Refuse."""
        raise self._refusal("save")

    def record(self, kind: str, /, **fields: Any) -> None:
        """Refuse."""
        raise self._refusal("record")

    def _refusal(self, what: str) -> Exception:
        return RuntimeError(
            f"this is a copy of a node's state, to be looked at; it can't {what}, only the node can"
        )


def public_fields(node: Any) -> dict[str, Any]:
    """Copies of a node's attributes and properties whose names begin with no underscore; of functions their names."""
    fields = {}
    for name in _public_names(node):
        try:
            value = getattr(node, name)
        except Exception:  # noqa: BLE001, S112 - a property that has no value yet is simply not shown
            continue
        if isinstance(value, Context):
            continue  # its hands and eyes are no state
        if isinstance(value, MethodType | FunctionType):
            fields[name] = value.__name__  # a copy of a method would be a copy of its node
            continue
        try:
            fields[name] = _copy(value, {_TO_LOOK_AT: True})
        except Exception:  # noqa: BLE001 - an open file, a generator: better a word than nothing
            fields[name] = repr(value)
    return fields


def same_value(a: Any, b: Any) -> bool:
    """Whether two values of a public field look the same; objects without equality of their own go by their parts."""
    return _look_alike(a, b, [])


def _look_alike(a: Any, b: Any, met: list[tuple[Any, Any]]) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        if a == b:
            return True
    except ValueError:  # arrays: their truth is one for each element
        if not isinstance(a, list | tuple | dict):
            return repr(a) == repr(b)
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_look_alike(x, y, met) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_look_alike(value, b[key], met) for key, value in a.items())
    if hasattr(a, "__dict__") and type(a).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
        if any(a is x and b is y for x, y in met):  # it leads back to itself
            return True
        met.append((a, b))
        return _look_alike(vars(a), vars(b), met)
    return False


def _public_names(node: Any) -> list[str]:
    own = getattr(node, "__dict__", None)
    names = [name for name in own if not name.startswith("_")] if isinstance(own, Mapping) else []
    for kind in type(node).__mro__[:-1]:
        slots = kind.__dict__.get("__slots__", ())
        slots = (slots,) if isinstance(slots, str) else slots
        names += [name for name in slots if not name.startswith("_")]
        names += [
            name
            for name, value in vars(kind).items()
            if isinstance(value, property) and not name.startswith("_")
        ]
    return list(dict.fromkeys(names))


def _copy(value: Any, memo: dict[Any, Any] | None = None) -> Any:
    return value if type(value) in _IMMUTABLE else copy.deepcopy(value, memo)
