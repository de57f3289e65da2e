"""Three homes of one value, for a coordinator that the learner writes, and what must hold of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.consistency import History, Register, check_linearizable
from dscourse.exercises._breach import Breach
from dscourse.simulation import Node, Reply, Request, Run

if TYPE_CHECKING:
    from dscourse.simulation import Context

COORDINATORS, HOMES, STANDS_IN = ("n0", "n1", "n2"), ("n3", "n4", "n5"), "n6"
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
            for home in self.peers[len(COORDINATORS) :]:
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
    for event in run.trace.select(kind=("deliver", "send"), node=COORDINATORS):
        message, node = event.message, str(event.node)
        peer = str(event.peer)
        if event.kind == "send" and isinstance(message, Reply):
            yield event, asked.get((node, (peer, message.number)), _Asked((), {}, [], []))
        elif event.kind == "deliver" and isinstance(message, Request):
            asked[node, (peer, message.number)] = _Asked(message.operation, {}, [], [])
        elif isinstance(message, Found | Stored | Store) and peer in HOMES:
            one = asked.get((node, (message.client, message.number)))
            if one is None:
                continue
            if isinstance(message, Found):
                one.found[peer] = message
            elif isinstance(message, Stored):
                one.stored += [peer] * (peer not in one.stored)
            else:
                one.told += [peer] * (peer not in one.told)


def answers_twice(run: Run) -> Iterator[Breach]:
    """Where a client is answered more than once."""
    seen = set()
    for event, _ in _answers(run):
        key = event.peer, event.message.number
        if key in seen:
            yield Breach(event.time, f"{event.node} answers operation {key[1]} of {key[0]} again")
        seen.add(key)


def leaves_without_answer(run: Run) -> Iterator[Breach]:
    """Where a client waits too long, or is refused."""
    for one in run.history():
        late = one.completed is None or one.completed > one.invoked + _PATIENCE
        if one.invoked + _PATIENCE < run.until and (late or one.outcome != "ok"):
            what = "refuses" if one.outcome == "fail" else "has not answered"
            yield Breach(
                one.invoked + _PATIENCE if late else one.completed or 0.0,
                f"{one.to} {what} the {one.operation[0]} that {one.client} asked for at {one.invoked:.3g} s",
            )


def is_not_stored(run: Run) -> Iterator[Breach]:
    """Where a write is said to be done before two homes have said so."""
    for event, asked in _answers(run):
        if asked.operation[:1] == ("write",) and len(asked.stored) < 2:
            yield Breach(
                event.time,
                f"{event.node} tells {event.peer} that “{asked.operation[1]}” is written, and "
                f"{_so_many(len(asked.stored))} said so",
            )


def is_not_the_newest(run: Run) -> Iterator[Breach]:
    """Where a read says something else than the newest of two answers."""
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


def is_kept_to_itself(run: Run) -> Iterator[Breach]:
    """Where a read says what fewer than two homes have, and are sent."""
    for event, said, have, sent in _spread(run):
        if len(sent) < 2:
            yield Breach(
                event.time,
                f"{event.node} says “{said}” to {event.peer}, which {_so_many(len(have))} told it, and tells nobody else",
            )


def is_not_written_back(run: Run) -> Iterator[Breach]:
    """Where a read says what fewer than two homes are known to have."""
    for event, said, have, _ in _spread(run):
        if len(have) < 2:
            yield Breach(
                event.time,
                f"{event.node} says “{said}” to {event.peer}, and {_so_many(len(have))} said to have it",
            )


def _so_many(homes: int) -> str:
    return ("no home has", "one home only has")[homes]


def is_no_register(run: Run) -> Iterator[Breach]:
    """Where the history is not linearizable."""
    verdict = check_linearizable(History.from_run(run), Register())
    if verdict.outcome == "illegal":
        time = run.until if verdict.culprit is None or verdict.culprit.end is None else verdict.culprit.end
        yield Breach(time, f"the history is no register's: {verdict.explanation.rstrip('.')}")
