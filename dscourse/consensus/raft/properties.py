"""What Raft promises: of a whole run, of each moment, and of each step of one member.

Raft, figure 3: election safety is `one_leader_per_term`, log matching `logs_match`, leader completeness and state
machine safety together `committed_entries_survive`. The rules of each step are asked of members whose class went
through `watched`; they break earlier than the promises, and say where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from dscourse.consensus.raft.messages import Disk, Entry
from dscourse.consensus.raft.node import RaftNode
from dscourse.simulation.breaches import Breach, unbroken
from dscourse.simulation.moment import Moment
from dscourse.simulation.node import Context
from dscourse.simulation.properties import Property, always
from dscourse.simulation.run import Run

# ── Of a whole run: read from what members record ──


def _second_leaders(run: Run) -> Iterator[Breach]:
    leaders: dict[int, str] = {}
    for event in run.trace.select(kind="record", name="leads"):
        term, node = event.detail["term"], str(event.node)
        if leaders.setdefault(term, node) != node:
            yield Breach(
                event.time, f"{node} becomes the leader of term {term}, which {leaders[term]} has led"
            )


def _lost_entries(run: Run) -> Iterator[Breach]:
    committed: dict[int, _Commit] = {}  # by index
    for event in run.trace.select(kind="record", name=("leads", "commit")):
        node, leads, in_term = str(event.node), event.name == "leads", event.detail["term"]
        terms = _unfolded(event.detail["log"], event.detail.get("first", 1))
        for index in (
            committed if leads else terms
        ):  # a leader must have all that was committed in earlier terms
            known = committed.setdefault(index, _Commit(terms.get(index, 0), in_term, event.time, node))
            if known.term != terms.get(index) and (not leads or in_term > known.in_term):
                does = "leads with" if leads else "commits"
                has = f"of term {terms[index]}" if index in terms else "empty"
                yield Breach(
                    event.time,
                    f"{node} {does} index {index} {has}, where {known.by} committed one of term {known.term} at "
                    f"{known.time:.4g} s",
                )


class _Commit(NamedTuple):
    """An entry that somebody knew to be committed: its term, and the first who did, in which term, when."""

    term: int
    in_term: int
    time: float
    by: str


def _unfolded(short: Sequence[Sequence[int]], first: int) -> dict[int, int]:
    terms: dict[int, int] = {}
    for term, last in short:
        terms.update(dict.fromkeys(range(first, last + 1), term))
        first = last + 1
    return terms


one_leader_per_term = unbroken("at most one leader in each term", _second_leaders)
committed_entries_survive = unbroken("what is committed is never lost", _lost_entries)

# ── Of each moment ──


class _Member(NamedTuple):
    """What a moment shows of one member."""

    name: str
    log: Sequence[Entry]
    role: str
    term: int
    leader: str | None
    commit: int
    match: tuple[tuple[str, int], ...]
    breach: str


class _OfMembers:
    """A rule asked of all members that are up; the last answer holds until something changes that it is about."""

    def __init__(self, *rules: Callable[[Sequence[_Member]], bool]) -> None:
        self._rules = rules
        self._asked: list[_Member] = []
        self._answer = True

    def __call__(self, now: Moment) -> bool:
        members = [
            _Member(
                name, fields["log"], fields["role"], fields["current_term"], fields["leader"], fields["commit_index"],
                tuple(fields["match_index"].items()), fields.get("breach", ""),
            )
            for name, fields in now.nodes.items()
            if "log" in fields
        ]  # fmt: skip
        if members != self._asked:
            self._asked = members
            self._answer = all(rule(members) for rule in self._rules)
        return self._answer


class _LogsMatch:
    """The last answer holds until a log changes: they change seldom, and are the same objects until then."""

    def __init__(self) -> None:
        self._logs: list[Sequence[Entry]] = []
        self._answer = True

    def __call__(self, now: Moment) -> bool:
        logs = [fields["log"] for fields in now.nodes.values() if "log" in fields]
        if logs != self._logs:
            self._answer = all(_match(a, b) for place, a in enumerate(logs) for b in logs[:place])
            self._logs = logs
        return self._answer


def _match(a: Sequence[Entry], b: Sequence[Entry]) -> bool:
    """Whether two logs are the same up to the last index at which their terms agree."""
    if a is b:
        return True
    index = min(len(a), len(b))
    while index and a[index - 1].term != b[index - 1].term:
        index -= 1
    return a[:index] == b[:index]


def _counts_what_is_there(members: Sequence[_Member]) -> bool:
    """What a leader counts as copied is in that follower's log."""
    for leader in members:
        if leader.role != "leader":
            continue
        matches, log = dict(leader.match), leader.log
        for follower in members:
            index, theirs = matches.get(follower.name, 0), follower.log
            if not index or theirs is log or follower.term != leader.term:
                continue
            if min(len(theirs), len(log)) < index or theirs[index - 1].term != log[index - 1].term:
                return False
    return True


def _agree_on_leader(members: Sequence[_Member]) -> bool:
    """No two members know different leaders of one term."""
    leaders: dict[int, str] = {}
    for member in members:
        if member.leader is not None and leaders.setdefault(member.term, member.leader) != member.leader:
            return False
    return True


def _agree_on_commits(members: Sequence[_Member]) -> bool:
    """What two members know to be committed is the same, as far as both know it."""
    longest = max(members, key=lambda member: member.commit, default=None)
    if longest is None or len(longest.log) < longest.commit:
        return longest is None
    return all(
        len(member.log) >= member.commit
        and (not member.commit or member.log[member.commit - 1] == longest.log[member.commit - 1])
        for member in members
    )


def _same_values(now: Moment) -> bool:
    seen: dict[int, Any] = {}
    for fields in now.nodes.values():
        if (
            "values" in fields
            and seen.setdefault(fields["commit_index"], fields["values"]) != fields["values"]
        ):
            return False
    return True


logs_match = always(_LogsMatch(), name="logs with one entry in common are the same before it")
same_values = always(_same_values, name="stores that have applied as much hold the same values")


# ── Of each step ──

ON_DISK = "what must survive a crash is on disk when a step is over"
TERM_FALLS = "the term never falls"
ONE_VOTE = "one vote a term, never taken back"
COMMIT_FALLS = "the commit index never falls"
IN_LOG = "only what is in the log is committed"
KEPT = "a committed entry is never removed"
APPEND_ONLY = "a leader never changes what is in its log"
STEP_RULES = (ON_DISK, TERM_FALLS, ONE_VOTE, COMMIT_FALLS, IN_LOG, KEPT, APPEND_ONLY)


def watched(node_class: type[RaftNode]) -> type[RaftNode]:
    """Return a class that does the same, and notes the first rule that one of its own steps breaks as ``breach``."""

    class Watched(node_class):  # type: ignore[misc,valid-type]
        breach = ""

        def on_start(self, ctx: Context) -> None:
            stored = ctx.stored
            before = (stored.current_term, stored.voted_for, 0, stored.log) if stored else (0, None, 0, ())
            super().on_start(ctx)
            _judge(self, ctx, before, led=False)

        def on_message(self, ctx: Context, sender: str, message: Any) -> None:
            before = (self.current_term, self.voted_for, self.commit_index, self.log)
            led = self.role == "leader"
            super().on_message(ctx, sender, message)
            _judge(self, ctx, before, led=led)

        def on_timer(self, ctx: Context, name: str) -> None:
            before = (self.current_term, self.voted_for, self.commit_index, self.log)
            led = self.role == "leader"
            super().on_timer(ctx, name)
            _judge(self, ctx, before, led=led)

    Watched.__name__ = Watched.__qualname__ = node_class.__name__
    return Watched


def step_rule(rule: str) -> Property:
    """One of the rules of each step, as a property of a run of watched members."""

    def breaches(run: Run) -> Iterator[Breach]:
        for event in run.trace.select(kind="record", name="breach"):
            if event.detail["rule"] == rule:
                yield Breach(event.time, f"{event.node} breaks it")

    return unbroken(rule, breaches)


def _judge(node: Any, ctx: Context, before: tuple[int, str | None, int, Any], *, led: bool) -> None:
    """Note what a step has broken, if it changed anything."""
    after = (node.current_term, node.voted_for, node.commit_index, node.log)
    if node.breach or (after[3] is before[3] and after[:3] == before[:3]):
        return
    rule = _broken(before, after, led=led and node.role == "leader")
    if not rule and ctx.stored != Disk(after[0], after[1], tuple(after[3])):
        rule = ON_DISK
    if rule:
        node.breach = rule
        ctx.record("breach", rule=rule)


def _broken(before: tuple[Any, ...], after: tuple[Any, ...], *, led: bool) -> str:
    term, vote, commit, log = before
    new_term, new_vote, new_commit, new_log = after
    if new_term < term:
        return TERM_FALLS
    if new_term == term and vote is not None and new_vote != vote:
        return ONE_VOTE
    if new_commit < commit:
        return COMMIT_FALLS
    if new_commit > len(new_log):
        return IN_LOG
    if new_log is not log:
        if new_log[:commit] != log[:commit]:
            return KEPT
        if led and new_term == term and new_log[: len(log)] != log:
            return APPEND_ONLY
    return ""


def _no_breach(members: Sequence[_Member]) -> bool:
    return not any(member.breach for member in members)


members_agree = always(
    _OfMembers(_counts_what_is_there, _agree_on_leader, _agree_on_commits),
    name="members agree on who leads, what is copied and what is committed",
)
rules_of_every_moment = always(
    _OfMembers(_no_breach, _counts_what_is_there, _agree_on_leader, _agree_on_commits),
    name="members keep the rules of each step, and agree with each other",
)

SAFETY = (logs_match, rules_of_every_moment, one_leader_per_term, committed_entries_survive)
