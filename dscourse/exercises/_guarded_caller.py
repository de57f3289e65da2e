"""A caller into which a learner's breaker is put, beside one that does right, and what must hold of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dscourse.exercises._breach import Breach
from dscourse.exercises._cluster_examination import LINES
from dscourse.exercises._exercise import Unfit
from dscourse.exercises._line_limit import LineCounter
from dscourse.exercises._planned_server import Answer, Ask
from dscourse.resilience import CircuitBreaker
from dscourse.simulation import Node, Reply, Request, Run

if TYPE_CHECKING:
    from dscourse.simulation import Context

SHUT = "while the circuit is open, no call passes"
FEW = "while it is half-open, two calls pass"
CLOSED = "while it is closed, every call passes"
TRIED = "when it has been open for 1.5 s, calls try again"
FORGOTTEN = 3.0  # seconds after which an answer isn't waited for, and never recorded


def right_breaker() -> CircuitBreaker:
    """What the learner is to write."""
    return CircuitBreaker(
        window=4, minimum_calls=4, failure_rate=0.5, open_for=1.5, half_open_calls=2, probe_timeout=FORGOTTEN
    )


class GuardedCaller(Node):
    """Asks two breakers, the learner's and the right one, and follows the learner's."""

    def __init__(self, node_id: str, peers: tuple[str, ...], breaker: Any) -> None:
        super().__init__(node_id, peers)
        self._breaker = breaker
        self.breaker = dict(getattr(breaker, "__dict__", {}))  # what a player shows of it
        self._counter = LineCounter(LINES)  # a method that never ends is stopped, as a handler is
        self._right = right_breaker()
        self._open: dict[tuple[str, int], tuple[float, Any, Any]] = {}

    def on_start(self, ctx: Context) -> None:
        """Show that the circuit is closed."""
        ctx.record("status", status="up", label=self._right.state)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Make a call if the breaker lets it pass, or record how one went."""
        if isinstance(message, Request):
            token = self._counter.call(self._breaker.allow, ctx.now)
            right = self._right.allow(ctx.now)
            ctx.record("asked", passes=token is not None, right=right is not None, circuit=self._right.state)
            if token is None:
                ctx.send(sender, Reply(message.number, "fail", "refused"))
            else:
                self._open[sender, message.number] = (ctx.now, token, right)
                ctx.send(
                    self.peers[0], Ask(sender, message.number, 1, ctx.now + FORGOTTEN, message.operation)
                )
        elif isinstance(message, Answer):
            call = (message.client, message.number)
            since, token, right = self._open.pop(call, (-FORGOTTEN, None, None))
            if ctx.now - since < FORGOTTEN:
                self._counter.call(self._breaker.record, ctx.now, message.ok, token)
                if right is not None:
                    self._right.record(ctx.now, message.ok, right)
                ctx.send(message.client, Reply(message.number, "ok" if message.ok else "fail", None))
        self.breaker = dict(getattr(self._breaker, "__dict__", {}))
        ctx.record("status", status="up", label=self._right.state)


def as_caller(answer: Any) -> Callable[..., Node]:
    """Put a breaker into a caller, or raise `Unfit`."""
    methods = ("allow", "record")
    if not isinstance(answer, type) or not all(callable(getattr(answer, name, None)) for name in methods):
        raise Unfit
    try:
        answer()
    except TypeError as problem:
        raise Unfit(problem) from None

    return guarded(answer)


def guarded(make_breaker: Callable[[], Any]) -> Callable[..., Node]:
    """Return what makes callers, each with a breaker of its own."""

    def node(node_id: str, peers: tuple[str, ...]) -> Node:
        return GuardedCaller(node_id, peers, make_breaker())

    return node


def lets_pass_wrongly(run: Run, rule: str) -> Iterator[Breach]:
    """The first call of which the learner's breaker says something else than the right one, if that is against this rule."""
    for event in run.trace.select(kind="record", name="asked"):
        passes, right, circuit = (event.detail[name] for name in ("passes", "right", "circuit"))
        if passes != right:
            rules = {"open": SHUT, "half-open": FEW if passes else TRIED, "closed": CLOSED}
            if rules[circuit] == rule:
                said = "passes" if passes else "is refused"
                yield Breach(event.time, f"a call {said}, and the circuit should be {circuit}")
            return
