"""The nodes of notebook 06: how two copies of a set become one, and the coordinator of a quorum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx

from dscourse.consistency import History, Register, check_linearizable
from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule, Unfit, told
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.consistency import (
    QUORUM_EQUIVALENTS,
    QUORUM_RIGHT,
    QUORUM_STUB,
    QUORUM_WRONG,
    SET_EQUIVALENTS,
    SET_RIGHT,
    SET_STUB,
    SET_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    CutLink,
    DelayMessage,
    LoseMessage,
    Network,
    Node,
    OpenLoop,
    Partition,
    RepeatMessage,
    Reply,
    Request,
    Run,
    topology,
)

if TYPE_CHECKING:
    from dscourse.simulation import Context

_SETS, _QUORUMS = "Types that merge themselves", "A quorum is not yet a register"

# ── The merge of a set ────────────────────────────────────────────────────────────────────────────────────────────────

Dot = tuple[str, int]


@dataclass(frozen=True)
class Copy:
    """The sender's copy of the set: (dot, element), and (replica, how many of its adds are known)."""

    dots: tuple[tuple[Dot, str], ...]
    seen: tuple[tuple[str, int], ...]


def _set_node(answer: Any) -> type[Node]:
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


def _returns_no_set(run: Run) -> Iterator[Breach]:
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


def _has_too_much(run: Run) -> Iterator[Breach]:
    for event, log in _moments(run):
        more = [one for one in event.detail["elements"] if one not in log.elements(event.node)]
        if more:
            yield Breach(event.time, f"{event.node} has {' and '.join(more)}, and knows that it was removed")


def _has_too_little(run: Run) -> Iterator[Breach]:
    for event, log in _moments(run):
        less = [one for one in log.elements(event.node) if one not in event.detail["elements"]]
        if less:
            yield Breach(
                event.time, f"{event.node} has no {' and no '.join(less)}, and knows of nobody who removed it"
            )


def _knows_something_else(run: Run) -> Iterator[Breach]:
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


def _triangle() -> Network:
    """Copies between n0 and n2 are long under way, so that old ones arrive after newer ones by way of n1."""
    graph = topology.full_mesh(3)
    for (a, b), latency in {("n0", "n1"): 0.03, ("n1", "n2"): 0.05, ("n0", "n2"): 0.55}.items():
        graph.edges[a, b]["latency"] = latency
    return Network(graph)


def _shopper(node: str, *operations: str, start: float) -> OpenLoop:
    asks = tuple(tuple(operation.split()) for operation in operations)
    return OpenLoop(asks, 2.0, node, timeout=1.0, start=start, arrivals="regular")


merge_two_sets = NodeExercise(
    "consistency.merge_two_sets",
    task=(
        "Write `merge`. Three shops keep a copy each of one cart, change it on their own, and send their copies round, old ones "
        "after newer ones, too. An add bears a dot; a remove takes away the dots that its copy has. Whoever knows a dot and "
        "doesn't have it has removed it. Fill the gap: which dots stay, and what is known afterwards?"
    ),
    expects="your class with a method merge(other), such as ORSet, without brackets",
    success=(
        "Right, and without keeping anything of what was removed. What does a copy from last week do to yours? And your own copy?"
    ),
    hints=(
        "Go through the dots of both: `{**self.dots, **other.dots}.items()`.",
        "A dot stays unless one of the two knows it and doesn't have it: `dot in self.dots or not self.knows(dot)`.",
        "Of each replica the larger of the two counts is known afterwards.",
    ),
    solution=SET_RIGHT,
    stub=SET_STUB,
    wrong_nodes=SET_WRONG,
    equivalents=SET_EQUIVALENTS,
    examination=ClusterExamination(
        network=_triangle(),
        until=3.6,
        clients=(
            _shopper(
                "n0", "add milk", "add eggs", "remove milk", "add jam", "remove eggs", "add milk", start=0.0
            ),
            _shopper("n1", "add bread", "remove eggs", "add milk", "remove bread", "add eggs", start=0.2),
            _shopper("n2", "add milk", "add milk", "remove jam", "remove milk", "add jam", start=0.4),
        ),
        as_node=_set_node,
        requirements=(
            Requirement(unbroken("merge returns a set", _returns_no_set), _SETS),
            Requirement(unbroken("what a copy knows to be removed is not in it", _has_too_much), _SETS),
            Requirement(
                unbroken("what was added and not removed is in every copy that knows", _has_too_little), _SETS
            ),
            Requirement(
                unbroken("a copy knows the adds that reached it, and no others", _knows_something_else), _SETS
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("one shop hears nothing for a while", (Partition([["n2"]], 0.6, until=2.0),)),
            Schedule("a copy comes twice, the second time late", (RepeatMessage("n1", "n0", 4),)),
            Schedule("a copy is late", (DelayMessage("n0", "n1", 4, by=0.9),)),
            Schedule("only neighbours hear of each other", (CutLink("n0", "n2", 0.0),)),
            Schedule(
                "two shops are cut off from each other for a while, and the third is shut",
                (Crash("n2", 0.0), CutLink("n0", "n1", 0.7, until=2.2)),
            ),
            Schedule("everybody is alone until late", (Partition([["n0"], ["n1"], ["n2"]], 0.0, until=3.0),)),
            Schedule("a shop is restarted", (Crash("n1", 1.3, restart_at=1.8),)),
        ),
        faults=FaultMix(clocks=False),
    ),
)

# ── A quorum's coordinator ────────────────────────────────────────────────────────────────────────────────────────────

_COORDINATORS, _HOMES, _STANDS_IN = ("n0", "n1", "n2"), ("n3", "n4", "n5"), "n6"
_PATIENCE = 1.3  # seconds within which a client must be answered


@dataclass(frozen=True)
class Store:
    """Keep this value, unless you have one that was written later, or at the same time by a writer of a later name."""

    client: str
    number: int
    value: str | None
    time: float
    writer: str


@dataclass(frozen=True)
class Stored:
    """Done. ``is_home``: whether readers ask me."""

    client: str
    number: int
    is_home: bool


@dataclass(frozen=True)
class Fetch:
    """What do you have?"""

    client: str
    number: int


@dataclass(frozen=True)
class Found:
    """What I have, when it was written and by whom."""

    client: str
    number: int
    value: str | None
    time: float
    writer: str


class Home(Node):
    """Keeps the newest value, on its disk."""

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk."""
        self.time, self.writer, self.value = -1.0, "", None
        if ctx.stored is not None:
            self.time, self.writer, self.value = ctx.stored
        self._tell(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Store or answer."""
        if isinstance(message, Store):
            if (message.time, message.writer) > (self.time, self.writer):
                self.time, self.writer, self.value = message.time, message.writer, message.value
                ctx.save((self.time, self.writer, self.value))
                self._tell(ctx)
            ctx.send(sender, Stored(message.client, message.number, True))
        elif isinstance(message, Fetch):
            ctx.send(sender, Found(message.client, message.number, self.value, self.time, self.writer))

    def _tell(self, ctx: Context) -> None:
        ctx.record("status", status="up", label=str(self.value or "empty"))


class StandIn(Node):
    """Keeps writes for homes, and hands them over a second later; readers don't ask it."""

    def on_start(self, ctx: Context) -> None:
        """Take up what is on the disk."""
        self.kept = list(ctx.stored or ())
        ctx.set_timer("hand over", 1.0)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Keep it."""
        if isinstance(message, Store):
            self.kept.append(message)
            ctx.save(tuple(self.kept))
            ctx.send(sender, Stored(message.client, message.number, False))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Hand over."""
        for write in self.kept:
            for home in self.peers[len(_COORDINATORS) :]:
                ctx.send(home, write)
        self.kept = []
        ctx.save(())
        ctx.set_timer("hand over", 1.0)


_Key = tuple[str, int]  # client and number


@dataclass
class _Asked:
    """What a coordinator can know of an operation by the messages that have come."""

    operation: tuple[Any, ...]
    found: dict[str, Found]
    stored: list[str]  # homes that have said so
    told: list[str]  # homes that it has sent something to store


def _answers(run: Run) -> Iterator[tuple[Any, _Asked]]:
    """Each answer to a client, in order, with what its coordinator had to go by."""
    asked: dict[tuple[str, _Key], _Asked] = {}
    for event in run.trace.select(kind=("deliver", "send"), node=_COORDINATORS):
        message, node = event.message, str(event.node)
        peer = str(event.peer)
        if event.kind == "send" and isinstance(message, Reply):
            yield event, asked.get((node, (peer, message.number)), _Asked((), {}, [], []))
        elif event.kind == "deliver" and isinstance(message, Request):
            asked[node, (peer, message.number)] = _Asked(message.operation, {}, [], [])
        elif isinstance(message, Found | Stored | Store) and peer in _HOMES:
            one = asked.get((node, (message.client, message.number)))
            if one is None:
                continue
            if isinstance(message, Found):
                one.found[peer] = message
            elif isinstance(message, Stored):
                one.stored += [peer] * (peer not in one.stored)
            else:
                one.told += [peer] * (peer not in one.told)


def _answers_twice(run: Run) -> Iterator[Breach]:
    seen = set()
    for event, _ in _answers(run):
        key = event.peer, event.message.number
        if key in seen:
            yield Breach(event.time, f"{event.node} answers operation {key[1]} of {key[0]} again")
        seen.add(key)


def _leaves_without_answer(run: Run) -> Iterator[Breach]:
    for one in run.history():
        late = one.completed is None or one.completed > one.invoked + _PATIENCE
        if one.invoked + _PATIENCE < run.until and (late or one.outcome != "ok"):
            what = "refuses" if one.outcome == "fail" else "has not answered"
            yield Breach(
                one.invoked + _PATIENCE if late else one.completed or 0.0,
                f"{one.to} {what} the {one.operation[0]} that {one.client} asked for at {one.invoked:.3g} s",
            )


def _is_not_stored(run: Run) -> Iterator[Breach]:
    for event, asked in _answers(run):
        if asked.operation[:1] == ("write",) and len(asked.stored) < 2:
            yield Breach(
                event.time,
                f"{event.node} tells {event.peer} that “{asked.operation[1]}” is written, and "
                f"{_so_many(len(asked.stored))} said so",
            )


def _is_not_the_newest(run: Run) -> Iterator[Breach]:
    for event, asked in _answers(run):
        if asked.operation[:1] != ("read",):
            continue
        said, answers = event.message.value, list(asked.found.values())
        if len(answers) < 2:
            yield Breach(
                event.time, f"{event.node} answers a read, and {_so_many(len(answers))} told it anything"
            )
            continue
        # Two must be enough; what comes in while it writes back may be taken into account or not.
        newest = [
            max(answers[:count], key=lambda one: (one.time, one.writer)).value for count in (2, len(answers))
        ]
        if said not in newest:
            says, right = said or "nothing", newest[0] or "nothing"
            yield Breach(
                event.time, f"{event.node} says “{says}”; the newest that it was told of is “{right}”"
            )


def _spread(run: Run) -> Iterator[tuple[Any, str, set[str], set[str]]]:
    """Each answered read: its answer, what it says, the homes that are known to have that, and those that are sent it."""
    for event, asked in _answers(run):
        if asked.operation[:1] == ("read",):
            said = event.message.value
            have = {home for home, found in asked.found.items() if found.value == said} | set(asked.stored)
            yield event, said or "nothing", have, have | set(asked.told)


def _is_kept_to_itself(run: Run) -> Iterator[Breach]:
    for event, said, have, sent in _spread(run):
        if len(sent) < 2:
            yield Breach(
                event.time,
                f"{event.node} says “{said}” to {event.peer}, which {_so_many(len(have))} told it, and tells nobody else",
            )


def _is_not_written_back(run: Run) -> Iterator[Breach]:
    for event, said, have, _ in _spread(run):
        if len(have) < 2:
            yield Breach(
                event.time,
                f"{event.node} says “{said}” to {event.peer}, and {_so_many(len(have))} said to have it",
            )


def _so_many(homes: int) -> str:
    return ("no home has", "one home only has")[homes]


def _is_no_register(run: Run) -> Iterator[Breach]:
    verdict = check_linearizable(History.from_run(run), Register())
    if verdict.outcome == "illegal":
        time = run.until if verdict.culprit is None or verdict.culprit.end is None else verdict.culprit.end
        yield Breach(time, f"the history is no register's: {verdict.explanation.rstrip('.')}")


def _three_coordinators() -> Network:
    """Each coordinator is near to other homes, so that two of three are seldom the same two."""
    graph: nx.Graph[str] = nx.Graph()
    for row, (nodes, x) in enumerate(((_COORDINATORS, 0.0), (_HOMES, 1.0))):
        for place, node in enumerate(nodes):
            graph.add_node(node, pos=(x, 1.0 - place + 0.02 * row))
    graph.add_node(_STANDS_IN, pos=(1.7, 0.0))
    far = {"n0": (0.02, 0.2, 0.25), "n1": (0.02, 0.06, 0.09), "n2": (0.12, 0.02, 0.03)}
    for coordinator, latencies in far.items():
        for home, latency in zip(_HOMES, latencies, strict=True):
            graph.add_edge(coordinator, home, latency=latency)
        graph.add_edge(coordinator, _STANDS_IN, latency=0.01)
    for home in _HOMES:
        graph.add_edge(home, _STANDS_IN, latency=0.04)
    return Network(graph)


_READ = ("read",)


def _requirement(name: str, breaches: Any) -> Requirement:
    return Requirement(unbroken(name, breaches), _QUORUMS)


keep_the_promise = NodeExercise(
    "consistency.keep_the_promise",
    task=(
        "Write a coordinator whose three homes look like one register to all clients. A write is done when two homes have stored "
        "it. A read asks the homes, takes the newest of two answers, and sees to it that two homes have that before it says so. "
        "One home may be dead, slow or cut off; messages may come twice. `n6` keeps writes for silent homes and is none itself."
    ),
    expects="your class of nodes, such as Coordinator, without brackets",
    success=(
        "Right: linearizable, with one home of three out of order. This is the register of Attiya, Bar-Noy and Dolev. What do you "
        "need the clocks for, and what if two of them don't agree?"
    ),
    hints=(
        '`known = self.open[message.client, message.number]`; note an answer by `known["found"][sender] = message`.',
        "The newest of two answers: the larger of `(one.time, one.writer)`. Store it at all peers, with its own time and writer.",
        "On `Stored`: count each home once, and no others. At two, forget the request and reply.",
    ),
    solution=QUORUM_RIGHT,
    stub=QUORUM_STUB,
    wrong_nodes=QUORUM_WRONG,
    equivalents=QUORUM_EQUIVALENTS,
    examination=ClusterExamination(
        network=_three_coordinators(),
        until=5.0,
        clients=(
            ClosedLoop(
                (("write", "red"), ("write", "green"), ("write", "white"), _READ),
                0.6,
                "n0",
                timeout=4.0,
                start=0.1,
            ),
            ClosedLoop((_READ,) * 8, 0.13, "n1", timeout=4.0, start=0.17),
            ClosedLoop((("write", "blue"), *(_READ,) * 10), 0.09, "n2", timeout=4.0, start=0.1),
        ),
        others=dict.fromkeys(_HOMES, Home) | {_STANDS_IN: StandIn},
        requirements=(
            _requirement("a write is done when two homes have stored it", _is_not_stored),
            _requirement("a read says the newest of what two homes told", _is_not_the_newest),
            _requirement("what a read says is sent to two homes before", _is_kept_to_itself),
            _requirement("what a read says is stored by two homes before", _is_not_written_back),
            _requirement("clients see one register", _is_no_register),
            _requirement("every client is answered", _leaves_without_answer),
            _requirement("every client is answered once", _answers_twice),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a home misses a write", (LoseMessage("n0", "n4", 2),)),
            Schedule("another home misses a write", (LoseMessage("n2", "n5", 1),)),
            Schedule("a home is dead", (Crash("n4", 0.0),)),
            Schedule("a home is restarted", (Crash("n3", 0.8, restart_at=1.6),)),
            Schedule("a home's word comes twice", (RepeatMessage("n3", "n0", 1),)),
            Schedule("two writes are not asked for at once", (DelayMessage("c2", "n2", 1, by=0.05),)),
            Schedule("the one that stands in is dead", (Crash("n6", 0.0),)),
            Schedule("a write is long under way", (DelayMessage("n0", "n4", 2, by=0.8),)),
        ),
        faults=FaultMix(clocks=False, partitions=False, victims=1, spared=_COORDINATORS),
    ),
)
