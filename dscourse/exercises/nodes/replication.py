"""The nodes of notebook 05: a follower, and the rule by which a leader tells a client that its payment is safe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule, Unfit
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._cluster_examination import node_class
from dscourse.exercises.wrong_nodes.replication import (
    FOLLOWER_EQUIVALENTS,
    FOLLOWER_RIGHT,
    FOLLOWER_STUB,
    FOLLOWER_WRONG,
    RULE_EQUIVALENTS,
    RULE_RIGHT,
    RULE_STUB,
    RULE_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.replication import Append, Entry, Received, SingleLeaderReplica
from dscourse.simulation import (
    Crash,
    CutLink,
    DelayMessage,
    LoseMessage,
    Network,
    Node,
    OpenLoop,
    Partition,
    RepeatMessage,
    Run,
    topology,
)

if TYPE_CHECKING:
    from dscourse.simulation import Context

_NEEDED = 2  # followers; the promise: the leader and one follower may be lost
_UNTIL, _CALM = 3.5, 1.5  # seconds; the last payment is asked for at 1.375 s
_PAYMENTS = OpenLoop(
    tuple(("put", f"p{n}", n) for n in range(1, 13)), 8.0, "n0", timeout=5.0, arrivals="regular"
)
_MESH = topology.full_mesh(4)
for _place, (_a, _b) in enumerate(_MESH.edges):
    _MESH.edges[_a, _b]["latency"] = 0.02 + 0.01 * _place  # no luck, which is keyed by names
_NETWORK = Network(_MESH)
_LEADER = partial(SingleLeaderReplica, mode="semi-sync", acknowledgements=_NEEDED)


def _watched(answer: object) -> type[Node]:
    """The same follower, which also records what is on its disk."""
    base: Any = node_class(answer)

    class Watched(base):
        def on_start(self, ctx: Context) -> None:
            super().on_start(ctx)
            self._tell(ctx)

        def on_message(self, ctx: Context, sender: str, message: Any) -> None:
            super().on_message(ctx, sender, message)
            self._tell(ctx)

        def on_timer(self, ctx: Context, name: str) -> None:
            super().on_timer(ctx, name)
            self._tell(ctx)

        def _tell(self, ctx: Context) -> None:
            stored = ctx.stored
            entries = stored if isinstance(stored, list | tuple) else []
            disk = [entry.key if isinstance(entry, Entry) else repr(entry) for entry in entries]
            ctx.record("disk", log=disk)

    Watched.__name__, Watched.__qualname__ = base.__name__, base.__qualname__
    return Watched


def _ruled(answer: Any) -> type[Node]:
    """A leader that tells its clients when the rule allows it."""
    methods = ("on_received", "is_safe")
    if not isinstance(answer, type) or not all(callable(getattr(answer, name, None)) for name in methods):
        raise Unfit

    class Leader(SingleLeaderReplica):
        def __init__(self, node_id: str, peers: Sequence[str]) -> None:
            super().__init__(node_id, peers, mode="semi-sync", acknowledgements=_NEEDED)
            self._rule = answer(tuple(peers), _NEEDED)
            self._now = 0.0
            self._since: dict[int, float] = {}  # index → when it began to wait

        def on_start(self, ctx: Context) -> None:
            self._now = ctx.now
            super().on_start(ctx)
            ctx.set_timer("look again", 0.1)

        def on_message(self, ctx: Context, sender: str, message: Any) -> None:
            self._now = ctx.now
            super().on_message(ctx, sender, message)

        def on_timer(self, ctx: Context, name: str) -> None:
            self._now = ctx.now
            super().on_timer(ctx, name)
            if name == "look again":
                self.advance(ctx)
                ctx.set_timer("look again", 0.1)

        def on_received(self, ctx: Context, sender: str, message: Received) -> None:
            if message.complete and message.epoch == self.epoch:
                self._rule.on_received(sender, message.index)
            super().on_received(ctx, sender, message)

        def is_safe(self, index: int) -> bool:
            waited = self._now - self._since.setdefault(index, self._now)
            return bool(self._rule.is_safe(index, waited))

    Leader.__name__ = Leader.__qualname__ = answer.__name__
    return Leader


# ── What must hold ────────────────────────────────────────────────────────────────────────────────────────────────────


def _disks(run: Run) -> Iterator[tuple[float, Any, dict[str, list[str]]]]:
    """After each event of a follower's, a client's or the leader's: when, the event, and what is on the followers' disks."""
    leader, *followers = run.nodes
    disks: dict[str, list[str]] = {follower: [] for follower in followers}
    order: list[str] = []
    for event in run.trace.select(kind=("record", "send", "ok")):
        if event.name == "write":
            order.append(event.detail["key"])
        elif event.name == "disk":
            disks[str(event.node)] = list(event.detail["log"])
        elif event.name == "status" and event.node != leader and "received" in event.detail:
            disks[str(event.node)] = order[: event.detail["received"]]  # one of ours
        yield event.time, event, disks


def _out_of_order(run: Run) -> Iterator[Breach]:
    order: list[str] = []
    for time, event, disks in _disks(run):
        if event.name == "write":
            order.append(event.detail["key"])
        elif event.name == "disk" and disks[event.node] != order[: len(disks[event.node])]:
            yield Breach(
                time,
                f"{event.node} has {', '.join(disks[event.node])} on its disk, and not the leader's order",
            )


def _says_too_much(run: Run) -> Iterator[Breach]:
    """An acknowledgement is held against the disk just after the handler that sent it."""
    said: tuple[float, str, int] | None = None
    for time, event, disks in _disks(run):
        if event.kind == "send" and isinstance(event.message, Received) and event.message.complete:
            said = time, str(event.node), event.message.index
        elif event.name == "disk" and said is not None and said[1] == event.node:
            if len(disks[said[1]]) < said[2]:
                yield Breach(
                    said[0],
                    f"{said[1]} acknowledges {said[2]} entries, and has {len(disks[said[1]])} on its disk",
                )
            said = None


def _is_not_safe(run: Run) -> Iterator[Breach]:
    for time, event, disks in _disks(run):
        if event.kind == "ok":
            key = str(event.detail["operation"][1])
            has = [follower for follower, disk in disks.items() if key in disk]
            if len(has) < _NEEDED:
                where = f"only {has[0]} has it" if has else "no follower has it"
                yield Breach(time, f"the client is told that {key} is paid, and {where} on its disk")


def _owes_an_answer(run: Run) -> Iterator[Breach]:
    owed: tuple[float, str] | None = None
    for event in run.trace.select(kind=("deliver", "send", "timer")):
        if event.kind == "send" and isinstance(event.message, Received):
            owed = None if owed == (event.time, event.node) else owed
            continue
        if owed is not None:
            break
        if event.kind == "deliver" and isinstance(event.message, Append):
            owed = event.time, str(event.node)
    if owed is not None:
        yield Breach(owed[0], f"{owed[1]} is sent entries, and does not say how far its log is complete")


def _keeps_waiting(run: Run) -> Iterator[Breach]:
    """At the end no payment waits if, for a second and a half, the leader and two followers have been well."""
    leader, *followers = run.nodes
    befallen: set[str] = set()
    for fault, begin, end in run.trace.fault_intervals():
        ever = leader in fault.nodes and fault.link_pair is None  # its clients are forgotten in a crash
        if ever or any(client in fault.nodes for client in run.clients) or not fault.nodes:
            return
        if end >= run.until - _CALM or begin >= run.until - _CALM:
            befallen |= set(fault.nodes) & set(followers)
    if len(followers) - len(befallen) < _NEEDED:
        return
    for one in run.history():
        if one.outcome != "ok" and one.invoked <= run.until - _CALM:
            yield Breach(
                one.invoked + _CALM, f"{one.operation[1]} is not acknowledged, and nothing stands in its way"
            )


_FOLLOWS, _WAITS = "Write a follower", "When is a payment safe?"
_ORDER = Requirement(
    unbroken("each disk holds the leader's log: in order, without gaps, each entry once", _out_of_order),
    _FOLLOWS,
)
_ANSWERS = Requirement(
    unbroken("whoever is sent entries says how far its log is complete", _owes_an_answer), _FOLLOWS
)
_HONEST = Requirement(unbroken("nobody acknowledges what is not on its disk", _says_too_much), _FOLLOWS)
_SAFE = Requirement(
    unbroken("an acknowledged payment is on the disks of two followers", _is_not_safe), _WAITS
)
_GOES_ON = Requirement(
    unbroken("with the leader and two followers well, every payment is acknowledged", _keeps_waiting), _WAITS
)
_MIX = FaultMix(clocks=False)

follow_the_log = NodeExercise(
    "replication.follow_the_log",
    task=(
        "Write a follower. The leader sends `Append(epoch, after, entries)`: the entries that come after that position of its log. "
        "Keep them in order, without gaps, each once; put the log onto the disk; and say up to which index it is complete. The "
        "leader tells its client that a payment is safe once two of three followers have said so. Messages get lost, late and "
        "doubled, and followers crash."
    ),
    expects="your class of nodes, such as Follower, without brackets",
    success=(
        "Right: what it says is on its disk, and nothing is missing before it. That is why a leader may count such followers, and "
        "why one number is enough to say what somebody has."
    ),
    hints=(
        "`message.after[1]` is how many entries come before these. Has the log fewer, then something is missing.",
        "It may have some of the entries already, if a message came twice: the new ones begin at place len(self.log) - start.",
        "Afterwards the log is complete up to the last of the entries that were sent: start + len(message.entries).",
    ),
    solution=FOLLOWER_RIGHT,
    stub=FOLLOWER_STUB,
    wrong_nodes=FOLLOWER_WRONG,
    equivalents=FOLLOWER_EQUIVALENTS,
    examination=ClusterExamination(
        network=_NETWORK,
        until=_UNTIL,
        clients=(_PAYMENTS,),
        others={"n0": _LEADER},
        as_node=_watched,
        requirements=(_ANSWERS, _ORDER, _HONEST, _SAFE, _GOES_ON),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("an entry gets lost", (LoseMessage("n0", "n1", 3),)),
            Schedule("an entry is overtaken", (DelayMessage("n0", "n1", 3, by=0.3),)),
            Schedule("an entry comes twice", (RepeatMessage("n0", "n1", 3),)),
            Schedule("an acknowledgement gets lost", (LoseMessage("n1", "n0", 12),)),
            Schedule("a follower is restarted", (Crash("n1", 0.8, restart_at=1.1),)),
            Schedule(
                "one follower is gone, and another is restarted",
                (Crash("n3", 0.3), Crash("n1", 0.8, restart_at=1.1)),
            ),
            Schedule("a link is cut for a while", (CutLink("n0", "n2", 0.5, until=1.0),)),
        ),
        faults=_MIX,
    ),
)

when_is_it_safe = NodeExercise(
    "replication.when_is_it_safe",
    task=(
        "Write the rule by which a leader tells a client that its payment is safe. The promise: the leader and one follower may be "
        "lost for ever, and no acknowledged payment with them. So two followers must have it on their disks. Nor may payments "
        "wait as long as two of the three followers are well. Messages get lost, late and doubled."
    ),
    expects="your class with the methods on_received and is_safe, such as Rule, without brackets",
    success=(
        "Right. The rule fits on three lines, and the whole promise hangs on it. What does it do when two followers are stopped? "
        "It waits, and has nothing better to say."
    ),
    hints=(
        "Remember for each follower how far its disk goes: `self.has = dict.fromkeys(followers, 0)`.",
        "A late message may tell of less than you know already. Keep the higher one.",
        "Count the followers whose disk goes at least as far as the index, and compare with `self.needed`.",
    ),
    solution=RULE_RIGHT,
    stub=RULE_STUB,
    wrong_nodes=RULE_WRONG,
    equivalents=RULE_EQUIVALENTS,
    examination=ClusterExamination(
        network=_NETWORK,
        until=_UNTIL,
        clients=(_PAYMENTS,),
        others=dict.fromkeys(("n1", "n2", "n3"), _LEADER),
        as_node=_ruled,
        requirements=(_SAFE, _GOES_ON),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a follower is stopped", (Crash("n1", 0.4),)),
            Schedule(
                "two followers are out of reach", (Partition([["n0", "n1"], ["n2", "n3"]], 0.4, until=2.0),)
            ),
            Schedule(
                "two followers get a payment late",
                (DelayMessage("n0", "n2", 4, by=0.1), DelayMessage("n0", "n3", 4, by=0.1)),
            ),
            Schedule(
                "an acknowledgement comes twice, and nobody else gives one",
                (RepeatMessage("n1", "n0", 4), Partition([["n0", "n1"], ["n2", "n3"]], 0.3, until=0.6)),
            ),
            Schedule("an acknowledgement is late", (DelayMessage("n1", "n0", 4, by=0.3),)),
            Schedule(
                "two acknowledgements of one payment get lost",
                (LoseMessage("n1", "n0", 4), LoseMessage("n2", "n0", 4)),
            ),
        ),
        faults=_MIX,
    ),
)
