"""A set of which three nodes keep copies: a node that holds the learner's `merge`, and what must hold of its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.exercises._breach import Breach
from dscourse.exercises._exercise import Unfit
from dscourse.exercises._learner_code import told
from dscourse.simulation import Node, Reply, Request, Run

if TYPE_CHECKING:
    from dscourse.simulation import Context

Dot = tuple[str, int]


@dataclass(frozen=True)
class Copy:
    """The sender's copy of the set: (dot, element), and (replica, how many of its adds are known)."""

    dots: tuple[tuple[Dot, str], ...]
    seen: tuple[tuple[str, int], ...]


def set_node(answer: Any) -> type[Node]:
    """A node that keeps a copy of a set, changes it for its users, and sends it round; the learner's code merges."""
    if not isinstance(answer, type) or not callable(getattr(answer, "merge", None)):
        raise Unfit

    class Replica(Node):
        def on_start(self, ctx: Context) -> None:
            self._dots: dict[Dot, str] = {}
            self._seen: dict[str, int] = {}
            if ctx.stored is not None:
                self._dots, self._seen = ctx.stored
            self._tell(ctx)
            ctx.set_timer("send", 0.25)

        def on_timer(self, ctx: Context, name: str) -> None:
            for peer in self.peers:
                ctx.send(peer, Copy(tuple(sorted(self._dots.items())), tuple(sorted(self._seen.items()))))
            ctx.set_timer("send", 0.25)

        def on_message(self, ctx: Context, sender: str, message: Any) -> None:
            if isinstance(message, Request):
                what, element = message.operation
                self._dots = {dot: one for dot, one in self._dots.items() if one != element}
                if what == "add":
                    number = self._seen.get(self.node_id, 0) + 1
                    self._seen[self.node_id] = number
                    self._dots[self.node_id, number] = element
                ctx.send(sender, Reply(message.number, "ok"))
            else:
                mine = answer(dict(self._dots), dict(self._seen))
                self._take(ctx, mine.merge(answer(dict(message.dots), dict(message.seen))))
            ctx.save((self._dots, self._seen))
            self._tell(ctx)

        def _take(self, ctx: Context, merged: Any) -> None:
            dots: Any = getattr(merged, "dots", None)
            seen: Any = getattr(merged, "seen", None)
            if _is_copy(dots, seen):
                self._dots, self._seen = dict(dots), dict(seen)
            else:
                ctx.record("no set", returned=told(merged))

        def _tell(self, ctx: Context) -> None:
            self.elements = sorted(set(self._dots.values()))
            ctx.record("set", elements=list(self.elements), seen=dict(self._seen))
            ctx.record("status", status="up", label=", ".join(self.elements) or "empty")

    Replica.__name__ = Replica.__qualname__ = answer.__name__
    return Replica


def _is_copy(dots: Any, seen: Any) -> bool:
    return (
        isinstance(dots, dict)
        and isinstance(seen, dict)
        and all(isinstance(dot, tuple) and len(dot) == 2 for dot in dots)
        and all(isinstance(element, str) for element in dots.values())
        and all(isinstance(name, str) and isinstance(number, int) for name, number in seen.items())
    )


def returns_no_set(run: Run) -> Iterator[Breach]:
    """Where `merge` returns something else."""
    for event in run.trace.select(kind="record", name="no set"):
        yield Breach(
            event.time, f"`merge` at {event.node} returns {event.detail['returned']}, which is no ORSet"
        )


class _Log:
    """The operations of a run, and which of them each node knows of, whatever brought them there."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self.known: dict[str, int] = dict.fromkeys(nodes, 0)  # a bit for each operation
        self._adds: list[tuple[int, str, str]] = []  # bit, element, and by whom
        self._undoes: list[
            tuple[int, int]
        ] = []  # bit of an operation, and bits of the adds that it did away with
        self._sent: dict[int, int] = {}  # message → what it stands for

    def send(self, node: str, message: int) -> None:
        """Somebody sends all that it has."""
        self._sent[message] = self.known[node]

    def arrive(self, node: str, message: int) -> None:
        """That arrives."""
        self.known[node] |= self._sent[message]

    def do(self, node: str, what: str, element: str) -> None:
        """A client has something added or removed."""
        bit = 1 << len(self._undoes)
        self._undoes.append((bit, sum(add for add, one, _ in self._in_force(node) if one == element)))
        if what == "add":
            self._adds.append((bit, element, node))
        self.known[node] |= bit

    def elements(self, node: str) -> list[str]:
        """What a node's set should be."""
        return sorted({element for _, element, _ in self._in_force(node)})

    def counts(self, node: str) -> dict[str, int]:
        """How many adds of each replica it knows."""
        return dict(Counter(by for bit, _, by in self._adds if bit & self.known[node]))

    def _in_force(self, node: str) -> list[tuple[int, str, str]]:
        known = self.known[node]
        gone = 0
        for bit, undone in self._undoes:
            if bit & known:
                gone |= undone
        return [add for add in self._adds if add[0] & known & ~gone]


def _moments(run: Run) -> Iterator[tuple[Any, _Log]]:
    """Each time that a node tells what it has, with the log up to then."""
    log = _Log(run.nodes)
    for event in run.trace.select(kind=("deliver", "send", "record"), name=("Copy", "Request", "set")):
        node = str(event.node)
        if event.kind == "record":
            yield event, log
        elif isinstance(event.message, Request):
            if event.kind == "deliver":
                log.do(node, *event.message.operation)
        else:
            (log.send if event.kind == "send" else log.arrive)(node, int(event.message_id or 0))


def has_too_much(run: Run) -> Iterator[Breach]:
    """Where a copy has what it knows to be removed."""
    for event, log in _moments(run):
        more = [one for one in event.detail["elements"] if one not in log.elements(event.node)]
        if more:
            yield Breach(event.time, f"{event.node} has {' and '.join(more)}, and knows that it was removed")


def has_too_little(run: Run) -> Iterator[Breach]:
    """Where a copy lacks what it knows to be added and not removed."""
    for event, log in _moments(run):
        less = [one for one in log.elements(event.node) if one not in event.detail["elements"]]
        if less:
            yield Breach(
                event.time, f"{event.node} has no {' and no '.join(less)}, and knows of nobody who removed it"
            )


def knows_something_else(run: Run) -> Iterator[Breach]:
    """Where a copy says that it knows other adds than have reached it."""
    for event, log in _moments(run):
        seen, right = dict(event.detail["seen"]), log.counts(event.node)
        if {name: count for name, count in seen.items() if count} != right:
            wrong = next(
                name for name in sorted({**seen, **right}) if seen.get(name, 0) != right.get(name, 0)
            )
            yield Breach(
                event.time,
                f"{event.node} says that it knows {seen.get(wrong, 0)} adds of {wrong}; it knows {right.get(wrong, 0)}",
            )
