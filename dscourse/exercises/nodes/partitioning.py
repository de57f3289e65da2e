"""The node of notebook 04: a participant of two-phase commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.partitioning import EQUIVALENTS, RIGHT, STUB, WRONG
from dscourse.exploration import Deliver, Down, FaultMix, Fire, Up
from dscourse.simulation import (
    Crash,
    CutLink,
    DelayMessage,
    LoseMessage,
    Network,
    Node,
    RepeatMessage,
    Run,
    topology,
)

if TYPE_CHECKING:
    from dscourse.simulation import Context


@dataclass(frozen=True)
class Prepare:
    """The coordinator asks: can you carry out this transaction, whatever happens?"""

    transaction: str


@dataclass(frozen=True)
class Vote:
    """The participant's answer. A yes is a promise."""

    transaction: str
    yes: bool


@dataclass(frozen=True)
class Decision:
    """The coordinator's last word."""

    transaction: str
    commit: bool


# When each transaction begins, and whether its user changes their mind before it is decided.
_TRANSACTIONS = {"t1": (0.1, True), "t2": (1.1, False), "t3": (1.2, False), "t4": (2.1, False)}
_PATIENCE = 0.5


class Coordinator(Node):
    """Asks all participants, asks again who is silent, and decides after half a second; a decision is saved."""

    def __init__(self, node_id: str, peers: Sequence[str]) -> None:
        super().__init__(node_id, peers)
        self.votes: dict[str, dict[str, bool]] = {}
        self.decided: dict[str, bool] = {}

    def on_start(self, ctx: Context) -> None:
        """Begin what lies ahead; abort what was left undecided by a crash."""
        begun, self.decided = ctx.stored or ([], {})
        for transaction, (begin, _) in _TRANSACTIONS.items():
            if begin > ctx.now:
                ctx.set_timer(f"begin {transaction}", begin - ctx.now)
            elif transaction in begun and transaction not in self.decided:
                self._decide(ctx, transaction, commit=False)
            else:
                self._tell(ctx, transaction)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Begin, ask again, or decide."""
        what, _, transaction = name.partition(" ")
        if what == "begin":
            self.votes[transaction] = {}
            ctx.save(([*self.votes, *self.decided], self.decided))
            ctx.set_timer(f"decide {transaction}", _PATIENCE)
            self._ask(ctx, transaction)
        elif transaction in self.decided:
            self._tell(ctx, transaction)
        elif what == "ask":
            self._ask(ctx, transaction)
        else:
            votes = self.votes[transaction]
            all_agree = len(votes) == len(self.peers) and all(votes.values())
            self._decide(ctx, transaction, commit=all_agree and not _TRANSACTIONS[transaction][1])

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take a vote; one no is enough. Who votes late is told what was decided."""
        if not isinstance(message, Vote) or message.transaction not in _TRANSACTIONS:
            return
        if message.transaction in self.decided:
            ctx.send(sender, Decision(message.transaction, self.decided[message.transaction]))
        elif message.transaction in self.votes:
            self.votes[message.transaction][sender] = message.yes
            if not message.yes:
                self._decide(ctx, message.transaction, commit=False)

    def _ask(self, ctx: Context, transaction: str) -> None:
        for peer in self.peers:
            if peer not in self.votes[transaction]:
                ctx.send(peer, Prepare(transaction))
        ctx.set_timer(f"ask {transaction}", 0.2)

    def _decide(self, ctx: Context, transaction: str, *, commit: bool) -> None:
        self.decided = {**self.decided, transaction: commit}
        ctx.save(([*self.votes, *self.decided], self.decided))
        ctx.record("decide", transaction=transaction, commit=commit)
        self._tell(ctx, transaction)
        ctx.set_timer(f"tell {transaction}", 0.3)

    def _tell(self, ctx: Context, transaction: str) -> None:
        if transaction in self.decided:
            for peer in self.peers:
                ctx.send(peer, Decision(transaction, self.decided[transaction]))


def _participants_events(run: Run) -> Iterator[tuple[Any, str, str | None]]:
    """What each participant hears and says, with whom its seat is promised to just before."""
    promised: dict[str, str | None] = {}
    for event in run.trace.select(kind=("deliver", "send")):
        node, said = str(event.node), event.message
        held = promised.get(node)
        if event.kind == "send" and isinstance(said, Vote):
            yield event, node, held
            promised[node] = said.transaction if said.yes and held is None else held
        elif (
            event.kind == "deliver"
            and isinstance(said, Decision)
            and not said.commit
            and held == said.transaction
        ):
            promised[node] = None


def _promises_twice(run: Run) -> Iterator[Breach]:
    for event, node, held in _participants_events(run):
        if event.message.yes and held not in (None, event.message.transaction):
            yield Breach(
                event.time,
                f"{node} votes yes for {event.message.transaction}, and its seat is promised to {held}",
            )


def _takes_back(run: Run) -> Iterator[Breach]:
    for event, node, held in _participants_events(run):
        if not event.message.yes and held == event.message.transaction:
            yield Breach(event.time, f"{node} votes no for {held}, after it has voted yes")


def _refuses_although_free(run: Run) -> Iterator[Breach]:
    for event, node, held in _participants_events(run):
        if not event.message.yes and held is None:
            yield Breach(event.time, f"{node} votes no for {event.message.transaction}, and its seat is free")


def _owes_a_vote(run: Run) -> Iterator[Breach]:
    owed: tuple[float, str, str] | None = None
    for event in run.trace.select(kind=("deliver", "send", "timer")):
        if event.kind == "send" and isinstance(event.message, Vote):
            if owed == (event.time, event.node, event.message.transaction):
                owed = None
            continue
        if owed is not None:
            break
        if event.kind == "deliver" and isinstance(event.message, Prepare):
            owed = event.time, str(event.node), event.message.transaction
    if owed is not None:
        yield Breach(owed[0], f"{owed[1]} is asked about {owed[2]} and does not vote")


_SECTION = "Transactions across partitions"


remember_the_vote = NodeExercise(
    "partitioning.remember_the_vote",
    task=(
        "Write a participant of two-phase commit. It has one seat. Asked to prepare, it votes yes if the seat is free or promised "
        "to this very transaction, else no. A yes is a promise: until that transaction is aborted, nobody else gets the seat, and "
        "a crash is no excuse. A committed transaction keeps it. Two such participants stand below a coordinator that we have "
        "written; messages get lost, late and doubled, and everybody may crash."
    ),
    expects="your class of nodes, such as Participant, without brackets",
    success=(
        "Right. What did the promise cost? A participant that has voted yes and hears nothing more must keep the seat for ever: "
        "it may neither sell it nor give it up. That is why two-phase commit is called blocking."
    ),
    hints=(
        "After a crash `on_start` runs again, with a new object: only `ctx.stored` knows what was promised (None at first).",
        "Save whenever the seat changes, `ctx.save(self.seat)`, and vote after that.",
        "An abort may be about a transaction that never had the seat.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.star(3), latency=0.05),
        until=3.0,
        others={"n0": Coordinator},
        requirements=(
            Requirement(unbroken("whoever is asked to prepare votes", _owes_a_vote), _SECTION),
            Requirement(unbroken("a promised seat is promised to nobody else", _promises_twice), _SECTION),
            Requirement(unbroken("nobody takes back a yes", _takes_back), _SECTION),
            Requirement(
                unbroken("nobody is refused while the seat is free", _refuses_although_free), _SECTION
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a participant crashes after its vote", (Crash("n1", 1.18, restart_at=1.24),)),
            Schedule("a participant crashes after the commit", (Crash("n1", 1.8, restart_at=1.9),)),
            Schedule("a participant crashes after an abort", (Crash("n1", 1.0, restart_at=1.05),)),
            Schedule("a vote gets lost", (LoseMessage("n1", "n0", 2),)),
            Schedule("a question arrives twice", (RepeatMessage("n0", "n1", 1),)),
            Schedule("an abort comes late", (DelayMessage("n0", "n1", 2, by=0.7),)),
            Schedule("the coordinator crashes before it decides", (Crash("n0", 1.4, restart_at=1.7),)),
            Schedule("a participant is cut off after its vote", (CutLink("n0", "n2", 1.2, until=2.0),)),
            Schedule(
                "a participant crashes between two questions",
                steps=(
                    Fire("n0", "begin t2"),
                    Deliver("n0", "n1"),
                    Down("n1"),
                    Up("n1"),
                    Fire("n0", "begin t3"),
                    Deliver("n0", "n1"),
                ),
            ),
        ),
        faults=FaultMix(clocks=False),
    ),
)
