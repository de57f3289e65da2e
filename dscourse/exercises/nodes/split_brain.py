"""The nodes of notebook 09: a follower's two handlers, a leader's commit, and a storage that looks at tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dscourse.consensus import (
    STEP_RULES,
    RaftNode,
    StorageNode,
    committed_entries_survive,
    logs_match,
    members_agree,
    no_stale_writes,
    one_leader_per_term,
    step_rule,
    watched,
)
from dscourse.consensus.fencing import Write, Written
from dscourse.consensus.raft.messages import AppendEntries, AppendReply, RequestVote, VoteReply
from dscourse.consensus.raft.properties import COMMIT_FALLS, IN_LOG, ON_DISK, ONE_VOTE, TERM_FALLS
from dscourse.exercises import (
    ClusterExamination,
    ExaminerExercise,
    Mistake,
    NodeExercise,
    Requirement,
    Schedule,
    Unfit,
)
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises._cluster_examination import node_class
from dscourse.exercises.wrong_nodes.split_brain import (
    COMMIT_RIGHT,
    COMMIT_STUB,
    COMMIT_WRONG,
    FOLLOWER_EQUIVALENTS,
    FOLLOWER_RIGHT,
    FOLLOWER_STUB,
    FOLLOWER_WRONG,
    STORAGE_RIGHT,
    STORAGE_STUB,
    STORAGE_WRONG,
)
from dscourse.exploration import Ask, Deliver, Down, FaultMix, Fire, Lose, Up
from dscourse.exploration.steps import Step
from dscourse.simulation import (
    Crash,
    CutLink,
    DelayMessage,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    Run,
    topology,
)

# ── Steps, by name ──

MEMBERS = ("n0", "n1", "n2", "n3", "n4")
_ANSWERS = {"RequestVote": "VoteReply", "AppendEntries": "AppendReply"}


def hand_on(leader: str, *followers: str, nth: int = 1) -> list[Step]:
    """A leader's message arrives at these, and their answers come back."""
    return [
        step
        for follower in followers
        for step in (
            Deliver(leader, follower, nth, message="AppendEntries"),
            Deliver(follower, leader, message="AppendReply"),
        )
    ]


def lose(sender: str, kind: str, *to: str) -> list[Step]:
    """One message to each of these gets lost."""
    return [Lose(sender, other, message=kind) for other in to]


def elect(node: str, *voters: str, attempts: int = 1, members: Sequence[str] = MEMBERS) -> list[Step]:
    """A member stands for election, so many times in vain, and then these vote; nobody else hears of it."""
    others = [name for name in members if name != node]
    steps: list[Step] = []
    for _ in range(attempts - 1):
        steps += [Fire(node, "election"), *lose(node, "RequestVote", *others)]
    steps.append(Fire(node, "election"))
    steps += [Deliver(node, voter, message="RequestVote") for voter in voters]
    steps += lose(node, "RequestVote", *(name for name in others if name not in voters))
    return steps + [Deliver(voter, node, message="VoteReply") for voter in voters]


def restart(node: str) -> list[Step]:
    """A member crashes and is up again."""
    return [Down(node), Up(node)]


FIGURE_8: tuple[Step, ...] = (
    *elect("n0", "n1", "n2"),
    *lose("n0", "AppendEntries", *MEMBERS[1:]),
    Ask("n0", "a"),
    *hand_on("n0", "n1", "n2", "n3", "n4"),
    Fire("n0", "heartbeat"),
    *hand_on("n0", "n1", "n2", "n3", "n4"),
    *restart("n0"),
    *elect("n0", "n1", "n2"),
    *lose("n0", "AppendEntries", *MEMBERS[1:]),
    Ask("n0", "b"),
    *hand_on("n0", "n1"),
    *lose("n0", "AppendEntries", "n2", "n3", "n4"),
    *restart("n0"),
    *elect("n4", "n2", "n3", attempts=2),
    Ask("n4", "c"),
    *lose("n4", "AppendEntries", *MEMBERS[:4]),
    *lose("n4", "AppendEntries", *MEMBERS[:4]),
    *restart("n4"),
    *elect("n0", "n1", "n2", "n3", attempts=2),
    *hand_on("n0", "n1", "n2"),
    *hand_on("n0", "n2"),
    *lose("n0", "AppendEntries", "n3", "n4"),
    *restart("n0"),
    *elect("n4", "n2", "n3", attempts=2),
    Ask("n4", "d"),
    *lose("n4", "AppendEntries", *MEMBERS[:4]),
    *hand_on("n4", "n2", "n3", "n1", "n0"),
    *hand_on("n4", "n2", "n3", "n1", "n0"),
)


# ── What must hold ──


def _owes_an_answer(run: Run) -> Iterator[Breach]:
    """Whoever gets a question of another member answers it at once."""
    answers = {RequestVote: VoteReply, AppendEntries: AppendReply}
    owed: tuple[float, str, str, type] | None = None
    for event in run.trace.select(kind=("deliver", "send", "timer")):
        if event.kind == "send":
            if owed is not None and (event.time, event.node, event.peer, type(event.message)) == owed:
                owed = None
            continue
        if owed is not None:
            break
        if event.kind == "deliver" and type(event.message) in answers:
            owed = event.time, str(event.node), str(event.peer), answers[type(event.message)]
    if owed is not None:
        yield Breach(owed[0], f"{owed[1]} is asked by {owed[2]} and sends no {owed[3].__name__}")


def _makes_no_progress(run: Run) -> Iterator[Breach]:
    """Where nothing goes wrong but that one is dead, all others have committed some entries when the run ends."""
    dead = [fault.node for fault in run.faults if fault in _ONE_DEAD]
    if run.scenario.is_script or len(dead) < len(run.faults):
        return
    committed = {node: 0 for node in run.nodes if node not in dead}
    for event in run.trace.select(kind="record", name="commit"):
        if event.node in committed:
            committed[str(event.node)] = event.detail["log"][-1][1]
    for node, index in committed.items():
        if index < _ENOUGH:
            yield Breach(run.until, f"{node} has {index} committed entries, and a majority is well")


_ONE_DEAD = (Crash("n4", 0.0),)
_ENOUGH = 3  # entries that are committed everywhere when nothing goes wrong
_ELECTIONS, _LOGS, _COMMITS = "Elections with a majority", "One log for all", "When is an entry committed?"
_SECTIONS = {
    ON_DISK: _ELECTIONS,
    TERM_FALLS: _ELECTIONS,
    ONE_VOTE: _ELECTIONS,
    COMMIT_FALLS: _COMMITS,
    IN_LOG: _COMMITS,
}


def _member(kind: type[RaftNode], **settings: Any) -> type[RaftNode]:
    """A member whose steps are watched; its timeouts differ by its place, and need no luck."""
    base: Any = watched(kind)

    class Member(base):
        def __init__(self, node_id: str, peers: Sequence[str]) -> None:
            timeout = 0.16 + 0.04 * sorted((node_id, *peers)).index(node_id)
            super().__init__(
                node_id,
                peers,
                election_timeout=(timeout, timeout),
                heartbeat_interval=0.1,
                most_entries=1,
                **settings,
            )

    Member.__name__ = Member.__qualname__ = kind.__name__
    member: type[RaftNode] = Member
    return member


def _as_follower(answer: object) -> type[RaftNode]:
    kind = node_class(answer)
    if not issubclass(kind, RaftNode):
        raise Unfit("it must be made of RaftNode: class Follower(RaftNode)")
    return _member(kind)


def _as_leader(answer: object) -> type[RaftNode]:
    if not callable(answer) or isinstance(answer, type):
        raise Unfit
    decide: Callable[..., Any] = answer

    class Leader(RaftNode):
        def new_commit_index(self) -> int:
            acknowledged = {**self.match_index, self.node_id: len(self.log)}
            index: int = decide(self.log, acknowledged, self.current_term, self.commit_index)
            if not isinstance(index, int):
                raise TypeError(f"advance_commit must return a whole number, got {index!r}")
            if index < self.commit_index:
                self.commit_index = index  # so that what is wrong is seen
            return index

    return _member(Leader, own_entry=False)


_SAFETY = (
    *(Requirement(step_rule(rule), _SECTIONS.get(rule, _LOGS)) for rule in STEP_RULES),
    Requirement(logs_match, _LOGS),
    Requirement(one_leader_per_term, _ELECTIONS),
    Requirement(committed_entries_survive, _COMMITS),
    Requirement(members_agree, _LOGS),
)
_CLIENTS = [OpenLoop(tuple(f"x{number}" for number in range(20)), 10.0, MEMBERS, 1.0, arrivals="regular")]
_CLUSTER = Network(topology.full_mesh(5), latency=0.01)
_FAULTS = FaultMix(clocks=False, most=5)
_TIMED = (
    Schedule("nothing goes wrong"),
    Schedule("a member is dead from the start", _ONE_DEAD),
    Schedule("the leader dies", (Crash("n0", 0.5),)),
    Schedule("the leader is restarted", (Crash("n0", 0.5, restart_at=1.0),)),
    Schedule("the leader is paused", (Pause("n0", 0.5, until=1.2),)),
    Schedule(
        "the leader is cut off with one follower",
        (Partition([["n0", "n1"], ["n2", "n3", "n4"]], 0.5, until=1.3),),
    ),
)

follow_the_rules = NodeExercise(
    "split_brain.follow_the_rules",
    task=(
        "Write a follower's two handlers. Asked for a vote, it gives one a term, to a candidate whose log is no less up to date "
        "than its own, and remembers it through a crash. Given entries, it refuses those of an old term and those that do not join "
        "its log; it removes what conflicts and nothing else, saves, and says how far it has the leader's log. Everything else of a "
        "member of five is written, and messages carry one entry each."
    ),
    expects="your class of nodes, such as Follower, without brackets",
    success=(
        "Right. Twenty lines, and each of them has been wrong in somebody's production code. Which one would you have left out?"
    ),
    hints=(
        "A vote needs three things: `message.term == self.current_term`, `self.voted_for in (None, message.candidate)`, and a log "
        "for which `(message.last_log_term, message.last_log_index) >= last_position(self.log)`.",
        "Entries join the log if `before` is 0, or if there is `self.log[before - 1]` and its term is `message.prev_log_term`.",
        "Go through `enumerate(message.entries, start=before)`; at the first place that is missing or of another term: "
        "`self.log = self.log[:place] + message.entries[place - before:]`, save, stop. Then `last = before + len(message.entries)`.",
    ),
    solution=FOLLOWER_RIGHT,
    stub=FOLLOWER_STUB,
    wrong_nodes=FOLLOWER_WRONG,
    equivalents=FOLLOWER_EQUIVALENTS,
    examination=ClusterExamination(
        network=_CLUSTER,
        until=2.0,
        clients=_CLIENTS,
        as_node=_as_follower,
        seeds=40,
        requirements=(
            Requirement(unbroken("whoever is asked answers", _owes_an_answer), _ELECTIONS),
            *_SAFETY,
            Requirement(
                unbroken("whoever is well commits, with a majority that is", _makes_no_progress), _LOGS
            ),
        ),
        schedules=(
            *_TIMED,
            Schedule(
                "a voter is restarted between two candidates",
                steps=(
                    Fire("n0", "election"),
                    Deliver("n0", "n1", message="RequestVote"),
                    *restart("n1"),
                    Fire("n2", "election"),
                    Deliver("n2", "n1", message="RequestVote"),
                ),
            ),
            Schedule(
                "a candidate's request comes when another leads already",
                steps=(
                    Fire("n4", "election"),
                    *elect("n0", "n2", "n3"),
                    *hand_on("n0", "n1", "n2", "n3"),
                    *(Deliver("n4", voter, message="RequestVote") for voter in ("n1", "n2", "n3")),
                    *(Deliver(voter, "n4", message="VoteReply") for voter in ("n1", "n2", "n3")),
                ),
            ),
            Schedule(
                "a long log that nobody needs, and a short one that counts",
                steps=(
                    *elect("n0", "n1", "n2"),
                    Ask("n0", "a"),
                    Ask("n0", "b"),
                    *elect("n1", "n3", "n4"),
                    *hand_on("n1", "n3", "n4"),
                    *restart("n0"),
                    *elect("n0", "n2", "n3", attempts=2),
                ),
            ),
            Schedule(
                "a candidate lacks what a majority has",
                steps=(
                    *elect("n0", "n1", "n2"),
                    *hand_on("n0", "n1", "n2"),
                    *elect("n3", "n1", "n4", attempts=2),
                ),
            ),
            Schedule(
                "a candidate has an entry of an older term, in the same place",
                steps=(
                    *elect("n0", "n1", "n2"),
                    *elect("n1", "n3", "n4"),
                    *hand_on("n1", "n3", "n4"),
                    *restart("n0"),
                    *elect("n0", "n2", "n3", attempts=2),
                ),
            ),
            Schedule(
                "a message comes late, with fewer entries than were acknowledged",
                steps=(
                    *elect("n0", "n1", "n2"),
                    Ask("n0", "a"),
                    *(
                        Deliver("n0", "n1", 2, message="AppendEntries"),
                        Deliver("n1", "n0", message="AppendReply"),
                    ),
                    Deliver("n0", "n1", 2, message="AppendEntries"),
                    Deliver("n1", "n0", message="AppendReply"),
                    Deliver("n0", "n1", message="AppendEntries"),
                    Deliver("n0", "n1", message="AppendEntries"),
                ),
            ),
            Schedule(
                "a message of a leader whose term is over",
                steps=(
                    *elect("n0", "n3", "n4"),
                    *elect("n2", "n1", "n3", attempts=2),
                    *hand_on("n2", "n1"),
                    Deliver("n0", "n1", message="AppendEntries"),
                ),
            ),
            Schedule(
                "a follower that lacks what came before",
                steps=(
                    *elect("n0", "n1", "n2"),
                    *hand_on("n0", "n1", "n2"),
                    *restart("n0"),
                    *elect("n0", "n1", "n2"),
                    *lose("n0", "AppendEntries", "n3"),
                    Deliver("n0", "n3", message="AppendEntries"),
                    Deliver("n3", "n0", message="AppendReply"),
                ),
            ),
            Schedule(
                "a follower with a tail that nobody else has",
                steps=(
                    *elect("n0", "n1", "n2"),
                    Ask("n0", "a"),
                    Ask("n0", "b"),
                    *hand_on("n0", "n1", "n1", "n1", "n1"),
                    *elect("n2", "n3", "n4", attempts=2),
                    *hand_on("n2", "n1", "n1", "n3", "n3"),
                ),
            ),
            Schedule(
                "a follower is sent one entry of two, and has others behind it",
                steps=(
                    *elect("n0", "n2", "n3"),
                    *hand_on("n0", "n1", "n2", "n3", "n4"),
                    *elect("n1", "n2", "n3"),
                    *hand_on("n1", "n0"),
                    *lose("n1", "AppendEntries", "n2", "n3", "n4"),
                    Ask("n1", "a"),
                    Ask("n1", "b"),
                    *lose("n1", "AppendEntries", *2 * ("n0", "n2", "n3", "n4")),
                    *elect("n0", "n3", "n4"),
                    *hand_on("n0", "n3", "n3", "n3", "n4", "n4", "n4"),
                    *lose("n0", "AppendEntries", "n1", "n2"),
                    *restart("n0"),
                    *elect("n0", "n3", "n4"),
                    *hand_on("n0", "n3", "n4", "n1", "n1"),
                ),
            ),
        ),
        faults=_FAULTS,
    ),
)

count_the_copies = NodeExercise(
    "split_brain.count_the_copies",
    task=(
        "Write the leader's rule: given its log and up to which index each member has it on disk, up to which index is the log "
        "committed? A cluster of five runs with your rule; its leaders write no entry of their own."
    ),
    expects="your function, such as advance_commit, without brackets",
    success=(
        "Right. The rule has one condition that looks superfluous, and it is the one that the paper needs a figure for. "
        "Which entry protects the old one after all?"
    ),
    hints=(
        "Sort the indexes, highest first: the one in the middle, `[len(acknowledged) // 2]`, is what more than half have.",
        "Only an entry of `current_term` is committed by counting: `log[index - 1].term == current_term`.",
        "If nothing is added, return `commit_index`.",
    ),
    solution=COMMIT_RIGHT,
    stub=COMMIT_STUB,
    wrong_nodes=COMMIT_WRONG,
    examination=ClusterExamination(
        network=_CLUSTER,
        until=2.0,
        clients=_CLIENTS,
        as_node=_as_leader,
        seeds=40,
        requirements=(
            *_SAFETY,
            Requirement(
                unbroken("whoever is well commits, with a majority that is", _makes_no_progress), _COMMITS
            ),
        ),
        schedules=(
            *_TIMED,
            Schedule(
                "an entry of an earlier leader has a majority",
                steps=FIGURE_8[: FIGURE_8.index(Ask("n4", "d"))],
            ),
            Schedule(
                "two of five have it",
                steps=(
                    *elect("n0", "n1", "n2"),
                    Ask("n0", "a"),
                    *hand_on("n0", "n1", "n1"),
                    *elect("n2", "n3", "n4", attempts=2),
                ),
            ),
            Schedule(
                "a new leader knows what is committed",
                steps=(
                    *elect("n0", "n1", "n2"),
                    *lose("n0", "AppendEntries", *MEMBERS[1:]),
                    Ask("n0", "a"),
                    *hand_on("n0", "n1", "n2"),
                    Fire("n0", "heartbeat"),
                    *hand_on("n0", "n1"),
                    *elect("n1", "n3", "n4"),
                    *hand_on("n1", "n2"),
                ),
            ),
            Schedule(
                "acknowledgements come out of order",
                steps=(
                    *elect("n0", "n1", "n2"),
                    Ask("n0", "a"),
                    Ask("n0", "b"),
                    *hand_on("n0", "n1", "n2", "n1", "n2", "n1", "n2"),
                    *restart("n0"),
                    *elect("n0", "n1", "n2"),
                    *hand_on("n0", "n1", "n2"),
                ),
            ),
        ),
        faults=_FAULTS,
    ),
)

# ── A storage that looks at tokens ──

_FENCING = "A token for every lease"


def _as_storage(answer: object) -> type[Node]:
    if not isinstance(answer, type) or not callable(getattr(answer, "write", None)):
        raise Unfit
    storage: Any = answer

    class Store(StorageNode):
        def __init__(self, node_id: str, peers: Sequence[str]) -> None:
            super().__init__(node_id, peers, storage)

    Store.__name__ = Store.__qualname__ = storage.__name__
    return Store


class Replayer(Node):
    """Sends these writes at these times, whatever is answered."""

    writes: tuple[tuple[float, int, str], ...] = ()

    def on_start(self, ctx: Any) -> None:
        """Set a timer for each."""
        for place, (time, _, _) in enumerate(self.writes):
            ctx.set_timer(f"write {place}", time)

    def on_timer(self, ctx: Any, name: str) -> None:
        """Send it."""
        place = int(name.partition(" ")[2])
        _, token, key = self.writes[place]
        ctx.send(self.peers[0], Write(token, key, f"{self.node_id} {place}"))


class _First(Replayer):
    writes = ((0.1, 1, "x"), (0.2, 1, "y"), (1.1, 3, "x"), (1.3, 3, "y"))


class _Second(Replayer):
    writes = ((0.5, 2, "x"), (0.6, 2, "x"), (0.7, 2, "z"), (1.6, 4, "y"), (1.8, 4, "x"))


def _refuses_the_newest(run: Run) -> Iterator[Breach]:
    """A token that is no lower than all that came before is accepted."""
    highest: int = 0
    for event in run.trace.select(kind=("deliver", "send"), node="n0"):
        if event.kind == "deliver" and isinstance(event.message, Write):
            highest = max(highest, event.message.token)
        elif isinstance(event.message, Written):
            said = event.message
            if said.token >= highest and not said.accepted:
                yield Breach(event.time, f"{event.node} refuses token {said.token}, the newest there is")


def _keeps_nothing(run: Run) -> Iterator[Breach]:
    """What was accepted is on the disk."""
    if run.scenario.is_script:
        return
    wanted: dict[str, Any] = {}
    order: list[Write] = []
    for event in run.trace.select(kind=("deliver", "send"), node="n0"):
        if event.kind == "deliver" and isinstance(event.message, Write):
            order.append(event.message)
        elif isinstance(event.message, Written) and event.message.accepted and order:
            wanted[f"value of {order[-1].key}"] = order[-1].value
    disk = run.at(run.until).stored.get("n0", {})
    for name, value in wanted.items():
        if disk.get(name) != value:
            yield Breach(run.until, f"storage has accepted {name} = {value!r} and keeps {disk.get(name)!r}")


refuse_the_old = NodeExercise(
    "split_brain.refuse_the_old",
    task=(
        "Write the storage's side of a lease: `write(token, key, value)` stores the value and says True, or refuses and says False. "
        "Refuse whoever shows a token below the highest that was ever seen here. Messages come late, and the storage crashes; "
        "what is in `self.disk` survives."
    ),
    expects="your class, such as FencedStorage, without brackets",
    success=(
        "Right: three lines, and no clock in them. Holders may believe what they like; who decides is the one that they write to."
    ),
    hints=(
        'The highest token so far must survive a crash: `self.disk.get("token", 0)`.',
        "Lower is refused; equal is the same holder writing once more.",
        'Store the token, then the value: `self.disk["value of " + key] = value`.',
    ),
    solution=STORAGE_RIGHT,
    stub=STORAGE_STUB,
    wrong_nodes=STORAGE_WRONG,
    examination=ClusterExamination(
        network=Network(topology.star(3), latency=0.02),
        until=3.0,
        as_node=_as_storage,
        others={"n1": _First, "n2": _Second},
        requirements=(
            Requirement(no_stale_writes, _FENCING),
            Requirement(unbroken("the newest lease is served", _refuses_the_newest), _FENCING),
            Requirement(unbroken("what was accepted is kept", _keeps_nothing), _FENCING),
        ),
        schedules=(
            Schedule("two holders take turns"),
            Schedule(
                "two writes of an old lease come late, the first that is seen of it",
                (DelayMessage("n1", "n0", 1, by=0.6), DelayMessage("n1", "n0", 2, by=0.6)),
            ),
            Schedule("an old holder writes another key", (DelayMessage("n1", "n0", 2, by=0.6),)),
            Schedule("an old holder writes the same key", (DelayMessage("n1", "n0", 1, by=0.6),)),
            Schedule(
                "the storage is restarted, and then an old write comes",
                (Crash("n0", 0.9, restart_at=1.0), DelayMessage("n1", "n0", 1, by=0.95)),
            ),
            Schedule("a holder is cut off for a while", (CutLink("n2", "n0", 0.55, until=1.7),)),
        ),
        faults=FaultMix(clocks=False),
    ),
)

catch_the_storages = ExaminerExercise(
    "split_brain.catch_the_storages",
    of=refuse_the_old,
    task=(
        "Now you are the examiner. Five wrong storages, and a right one. n1 writes with token 1 at 0.1 s (x) and 0.2 s (y), with "
        "token 3 at 1.1 s (x) and 1.3 s (y); n2 with token 2 at 0.5, 0.6 (x) and 0.7 s (z), with token 4 at 1.6 (y) and 1.8 s (x). "
        "A message takes 0.02 s. Write one list of faults under which each of the five goes wrong."
    ),
    expects='a list of faults, such as [DelayMessage("n1", "n0", 2, by=0.6)]',
    success="All five, with one schedule. Which of your faults catches which of them?",
    hints=(
        "An old write must come after a newer one: `DelayMessage`, the number-th message on that link.",
        "One of them forgets in a crash: between a newer token and a late one the storage n0 must restart.",
        "One trusts a token that it has seen: the late write must be the second of its token, and no crash may come between.",
    ),
    stub="""\
from dscourse.simulation import Crash, DelayMessage

answer = [...]      # n1 and n2 write, n0 is the storage
""",
    solution=(
        "from dscourse.simulation import Crash, DelayMessage\n\n"
        'answer = [\n    Crash("n0", 0.9, restart_at=1.0),\n    DelayMessage("n1", "n0", 2, by=0.85),\n'
        '    DelayMessage("n1", "n0", 4, by=0.4),\n]'
    ),
    mistakes=(
        Mistake(
            'from dscourse.simulation import Crash\nanswer = [Crash("n0", 0.9, restart_at=1.0)]',
            "A crash alone brings no old write. Let one come late as well.",
        ),
        Mistake(
            'from dscourse.simulation import DelayMessage\nanswer = [DelayMessage("n1", "n0", 2, by=0.6)]',
            "A late write finds most of them out. One remembers the token until it crashes: add a crash at the right moment.",
        ),
        Mistake(
            "from dscourse.simulation import Crash, DelayMessage\n"
            'answer = [Crash("n0", 0.9, restart_at=1.0), DelayMessage("n1", "n0", 2, by=0.85)]',
            "One is left, which trusts a token that it has let through before; your crash made it forget that. Add a late write of a "
            "token that it has seen since.",
        ),
    ),
)
