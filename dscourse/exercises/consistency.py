"""Predictions and exercises of notebook 06."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dscourse.consistency import (
    SESSION_GUARANTEES,
    History,
    HistoryVerdict,
    Register,
    check_all,
    check_linearizable,
    history_from_text,
)
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    FunctionExercise,
    Misconception,
    Mistake,
    NumberExercise,
    NumberPrediction,
    Rule,
    TrialExercise,
    Unfit,
)
from dscourse.exercises.nodes.consistency import keep_the_promise, merge_two_sets
from dscourse.exploration import Ask
from dscourse.replication import LeaderlessReplica
from dscourse.simulation import ClosedLoop, Crash, Network, Partition, Run, Scenario, holds, topology
from dscourse.views import Task, Visit

__all__ = ["keep_the_promise", "merge_two_sets"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

LATER_IS_NEWER = Misconception(
    "consistency.later_is_newer",
    belief="A write with a later time was made by somebody who knew the earlier one.",
    question="Two users change one text, a second apart, in two regions that are cut off. Has the later one seen the earlier?",
    answer="No: a time says when, and not what was known. A version vector says what was known.",
)
OVERLAP_IS_ENOUGH = Misconception(
    "consistency.overlap_is_enough",
    belief="If W + R > N, the store behaves like one copy.",
    question="A write has reached one home of three. One reader has asked that home and says the new value. May the next say the old?",
    answer="It may, if it asks the two others. The overlap holds for a write that has ended, and this one is under way.",
)
A_TIMEOUT_IS_A_FAILURE = Misconception(
    "consistency.a_timeout_is_a_failure",
    belief="A write that got no answer in time has not been done.",
    question="A write timed out. A minute later its value appears. Is the store broken?",
    answer="No. Nobody knows whether it was done, nor when: it may take effect at any time after it was asked for.",
)
ONE_ORDER_FOR_ALL = Misconception(
    "consistency.one_order_for_all",
    belief="Whoever keeps cause before effect shows everybody the same order of writes.",
    question="Two writes know nothing of each other. Must all readers see them in the same order, if cause comes before effect?",
    answer="No: neither is the other's cause. Causal memory lets each reader have an order of its own for them.",
)
MISCONCEPTIONS = (LATER_IS_NEWER, OVERLAP_IS_ENOUGH, A_TIMEOUT_IS_A_FAILURE, ONE_ORDER_FOR_ALL)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

the_later_write_wins = ChoicePrediction(
    "consistency.the_later_write_wins",
    question=(
        "Both regions hold a cart with milk and eggs. During the cut, Europe takes the eggs out at 3 s, and Asia adds jam at 3.5 s. "
        "Of two writes that know nothing of each other, the one with the later time wins. What is in the cart after the cut?"
    ),
    right=Expectation(
        "milk, eggs and jam: what Europe did is gone",
        "Each region writes a whole cart, and Asia's is later. It was made from a cart that still held the eggs. Would you "
        "notice, if you had seen only the end?",
    ),
    wrong=(
        Expectation(
            "milk and jam: both changes are made",
            "That is what the two users want. But a cart was written as one value, and one of two values wins as a whole.",
            LATER_IS_NEWER,
        ),
        Expectation(
            "milk: Europe's came first and stays",
            "First come, first served would be a rule, too. Here the later time wins; look at who has it.",
        ),
        Expectation(
            "two carts: each region keeps its own",
            "Only while they are cut off. Then each hears of the other's write, and both apply the same rule.",
        ),
    ),
)

three_and_one = NumberPrediction(
    "consistency.three_and_one",
    question=(
        "Three homes; a write waits for all three, a read for one. 3 + 1 > 3, so whoever reads asks a home that has every write that "
        "ended. One client writes, two read, 36 operations a run, nothing fails. In how many of 100 runs do the answers not fit "
        "one single copy?"
    ),
    scale=(0, 100),
    step=1,
    unit="of 100 runs",
    near=12,
    right=(
        "A write that waits for all three is long under way. Meanwhile one reader meets the new value, and the next, who asks "
        "another home, the old one. How could the first reader prevent that?"
    ),
    typical={
        0: Expectation(
            "none: the quorums overlap",
            "They do, for writes that have ended. While a write is under way some homes have it and some don't, and a read of one home may "
            "meet either.",
            OVERLAP_IS_ENOUGH,
        ),
        100: Expectation(
            "all: somebody always reads at the wrong moment",
            "Two reads must meet the two kinds of home in the wrong order, before the write has ended. In many runs nobody does.",
        ),
    },
    otherwise="It happens while a write is under way: one reader meets the new value, a later reader the old one.",
)

clocks_apart = NumberPrediction(
    "consistency.clocks_apart",
    question=(
        "Now each reader makes sure that two homes have what it is going to say, and of 100 runs with one writer none is bad any more. "
        "Then a second writer comes, whose clock is five seconds ahead; the later time wins. In how many of 100 runs do the answers not "
        "fit one single copy?"
    ),
    scale=(0, 100),
    step=1,
    unit="of 100 runs",
    near=18,
    right=(
        "A write with the slower clock is told that it was done, and loses against one that is older. Writing back spreads the wrong "
        "winner all the better. What could order the writes in place of the clocks?"
    ),
    typical={
        0: Expectation(
            "none: writing back heals it",
            "Writing back makes readers agree on what is newest. What is newest is decided by the clocks, and these don't agree.",
        ),
        100: Expectation(
            "all: every run has five seconds of disorder",
            "Nearly, but the two writers must write at nearly the same time, in an order that the clocks get wrong, and be read.",
        ),
    },
    otherwise="Ask which write wins when the slower clock's writer writes just after the other.",
)

a_write_without_answer = ChoicePrediction(
    "consistency.a_write_without_answer",
    question=(
        "Client a writes 2 and gets no answer; it gives up. Then b reads 1, the old value, and later c reads 2. Nobody else "
        "writes. Would one single copy have answered so?"
    ),
    right=Expectation(
        "it may have, if the write took effect between the two reads",
        "Without an answer nobody knows when it is done, or whether: any time after it was asked for fits. What if b had read again, "
        "after c, and had read 1?",
    ),
    wrong=(
        Expectation(
            "no, since a write that timed out has failed",
            "A timeout says only that no answer came. The write may be on its way, or done with its answer lost.",
            A_TIMEOUT_IS_A_FAILURE,
        ),
        Expectation(
            "no, since b read too late to see the old value",
            "It would be, if the write had ended before. It never ended for anybody, so it may be placed after b's read.",
        ),
        Expectation(
            "that depends: if b's read overlaps c's, yes",
            "They are apart, and need not overlap: there is room for the write between the two.",
        ),
    ),
)

thrown_away = ChoicePrediction(
    "consistency.thrown_away",
    question=(
        "Three homes, two for a write and two for a read. n2 is down from 1 s to 4 s. At 1.6 s the item is deleted: the others put a "
        "tombstone in its place, and throw that away a second later, since it has done its work. n2 returns with what it had. At 5 s "
        "somebody reads through n2. What does the store hold at the end?"
    ),
    right=Expectation(
        "the item, on all three",
        "n2 has a value, and nobody has anything to say against it. Repair takes the value for news. For how long must a tombstone be "
        "kept?",
    ),
    wrong=(
        Expectation(
            "nothing: two of three have deleted it",
            "Two voices would do, if they had something to say. A tombstone that was thrown away says nothing.",
        ),
        Expectation(
            "the item, on n2 alone",
            "n2 shows it to whoever reads, and the read repairs those who seem to have missed it.",
        ),
    ),
)

fresh_at_once = NumberPrediction(
    "consistency.fresh_at_once",
    question=(
        "W = 1 and R = 1 of three homes, with the delays that LinkedIn measured with spinning disks. Somebody reads at the moment "
        "at which a write has ended. In how many of 100 cases is it fresh?"
    ),
    scale=(0, 100),
    step=1,
    unit="of 100 reads",
    near=6,
    right="A little better than one in three: the first home to acknowledge is often quick to answer, too. How long would you have to wait?",
    typical={
        33: Expectation(
            "33: one home of three has it",
            "One has acknowledged. By the time that takes, the others may have got it as well.",
        ),
        100: Expectation(
            "100: the write has ended",
            "It has ended for whoever asked one home. The two others may not have it yet.",
            OVERLAP_IS_ENOUGH,
        ),
    },
    otherwise="One home has the write for certain; the two others may be slower than the read.",
)

# ── Runs, and what to do with them ────────────────────────────────────────────────────────────────────────────


def last_cart(run: Run) -> tuple[str, ...]:
    """What the last look into the cart showed."""
    return tuple(run.history()[-1].value)


def bad_reads(run: Run) -> HistoryVerdict:
    """Whether a run's clients could have spoken to one copy of a register."""
    return check_linearizable(History.from_run(run), Register())


def deleted_item(grace: float) -> Run:
    """An item is put, n2 goes down, the item is deleted, n2 returns, somebody reads; tombstones are kept for a while."""
    clients = [
        ClosedLoop((("put", "cart", "milk"), ("delete", "cart")), 1.5, "n0", timeout=1.0),
        ClosedLoop((("get", "cart"),), 0.1, "n2", timeout=1.0, start=5.0),
        ClosedLoop((("get", "cart"),), 0.1, "n1", timeout=1.0, start=6.0),
    ]
    node = partial(LeaderlessReplica, n=3, w=2, r=2, grace=grace)
    faults = [Crash("n2", 1.0, restart_at=4.0)]
    network = Network(topology.full_mesh(3), latency=0.05)
    return Scenario(node, network, clients=clients, faults=faults).run(8.0)


def cut_off(sloppy: bool) -> Run:
    """Five nodes, three of them homes of the cart; a client's side of a cut has one home only. Others may stand in."""
    node = partial(LeaderlessReplica, n=3, w=2, r=2, sloppy=sloppy)
    ids = ("n0", "n1", "n2", "n3", "n4")
    homes = LeaderlessReplica("n0", ids[1:], n=3, w=2, r=2).homes("cart")
    others = [one for one in ids if one not in homes]
    clients = [
        ClosedLoop((("put", "cart", "milk"), ("get", "cart")), 0.5, others[0], timeout=1.0, start=1.0),
        ClosedLoop((("get", "cart"),), 0.5, homes[1], timeout=1.0, start=2.5),
        ClosedLoop((("get", "cart"),), 0.5, homes[1], timeout=1.0, start=6.0),
    ]
    cut = Partition([[homes[0], *others], homes[1:]], 0.5, until=4.0)
    network = Network(topology.full_mesh(5), latency=0.03)
    return Scenario(node, network, clients=clients, faults=[cut]).run(8.0)


# In the adversary's hands: one writes, two read, and every home coordinates.
HOMES = ("n0", "n1", "n2")
questions = (Ask("n0", ("put", "x", 1)), Ask("n2", ("get", "x")), Ask("n1", ("get", "x")))
one_copy = holds(
    lambda run: bad_reads(run).outcome != "illegal", name="one single copy could have answered so"
)


def home(node_id: str, peers: Sequence[str], *, write_back: bool = False) -> LeaderlessReplica:
    """A home of three that waits for two, for a write and for a read; by default a read is answered as it was found."""
    return LeaderlessReplica(node_id, peers, n=3, w=2, r=2, read_repair=False, write_back=write_back)


see_tombstones = (
    Task("consistency.tombstone", "See the tombstones on n0 and n1, just after 1.7 s", Visit(1.7, 2.6)),
    Task("consistency.risen", "Watch what n2's answer does to the others, after 5 s", Visit(5.0, 6.5)),
)
see_the_choice = (
    Task("consistency.answered", "See c0's write being answered during the cut, at 1 s", Visit(1.0, 2.0)),
    Task(
        "consistency.other_side",
        "See what the other side is told at the same time, near 2.5 s",
        Visit(2.5, 3.5),
    ),
    Task("consistency.handed_over", "See the hints being handed over after 4 s", Visit(4.0, 5.5)),
)
see_it_return = (
    Task("consistency.taken_out", "See the eggs being taken out in Europe, at 3 s", Visit(3.0, 4.4)),
    Task("consistency.resurfaced", "Find the moment at which Europe has them again", Visit(6.0, 9.0)),
)
see_who_wins = (
    Task("consistency.two_carts", "Look at both carts shortly before the cut ends", Visit(4.6, 6.0)),
    Task("consistency.one_cart", "Look at them again after it", Visit(6.5, 9.0)),
)
new_then_old = (
    Task("consistency.new_value", "See reader1 being told the new value, near 1.7 s", Visit(0.9, 1.8)),
    Task("consistency.old_value", "See whom reader0 asks after that, and what it says", Visit(2.2, 2.8)),
)
see_it_merge = (Task("consistency.merged", "See what both have after the cut", Visit(6.5, 9.0)),)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

compare_versions = FunctionExercise(
    "consistency.compare_versions",
    task=(
        "Code. A version vector counts, for each replica, the writes that a value has seen: `{'europe': 2, 'asia': 1}`; a replica that "
        'isn\'t named counts 0. Write a function of two such dicts that returns "before" if the first has seen less, "after" if it has '
        'seen more, "equal", or "concurrent" if each has seen something that the other hasn\'t. Your answer is the function.'
    ),
    expects="your function of (first, second), without brackets; it returns one of four words",
    success="Right. That is how a store tells a conflict from an update, without a clock.",
    hints=(
        "Has the first seen a write that the second hasn't? Ask it of every replica that one or the other names.",
        'Two yes-or-no questions give the four words: both no is "equal", both yes is "concurrent".',
    ),
    solution=(
        "def compare(first, second):\n"
        "    names = {**first, **second}\n"
        "    more = any(first.get(name, 0) > second.get(name, 0) for name in names)\n"
        "    less = any(first.get(name, 0) < second.get(name, 0) for name in names)\n"
        '    return {(False, False): "equal", (True, True): "concurrent"}.get((more, less), "after" if more else "before")\n'
        "\n"
        "answer = compare"
    ),
    returns=str,
    cases=(
        ({"europe": 1}, {"europe": 2}),
        ({"europe": 2, "asia": 1}, {"europe": 2}),
        ({"europe": 3}, {"europe": 1, "asia": 1}),
        ({"europe": 1, "asia": 2}, {"europe": 1, "asia": 2}),
        ({}, {"asia": 1}),
        ({"europe": 1, "asia": 0}, {"europe": 1}),
        ({"europe": 1}, {"asia": 5}),
    ),
    mistakes=(
        Mistake(
            "def compare(first, second):\n"
            "    a, b = sum(first.values()), sum(second.values())\n"
            '    return "equal" if a == b else "before" if a < b else "after"\n'
            "answer = compare",
            "You compare how many writes each has seen. Which ones they are matters: two values may each have seen what the other has not.",
            LATER_IS_NEWER,
        ),
        Mistake(
            "def compare(first, second):\n"
            "    more = any(first[name] > second.get(name, 0) for name in first)\n"
            "    less = any(first[name] < second.get(name, 0) for name in first)\n"
            '    return "concurrent" if more and less else "after" if more else "before" if less else "equal"\n'
            "answer = compare",
            "You look only at the replicas that the first one names. What the second has seen of others counts, too.",
        ),
        Mistake(
            "def compare(first, second):\n"
            "    names = {**first, **second}\n"
            "    if first == second:\n"
            '        return "equal"\n'
            "    less = all(first.get(name, 0) <= second.get(name, 0) for name in names)\n"
            "    more = all(first.get(name, 0) >= second.get(name, 0) for name in names)\n"
            '    return "before" if less else "after" if more else "concurrent"\n'
            "answer = compare",
            "A replica that isn't named counts 0, so {'europe': 1, 'asia': 0} and {'europe': 1} are equal.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}; it should be {right}.",
)

smallest_read = NumberExercise(
    "consistency.smallest_read",
    task=(
        "Calculate. Five homes; a write waits for two of them. How many homes must a read ask, at the least, so that it meets every "
        "write that has ended?"
    ),
    expects="a whole number of homes",
    success="Right: 2 + 4 > 5. With one home down such a read just works; with two down it waits.",
    hints=(
        "How many homes may have missed the write?",
        "Three homes may have missed it. Ask one more than these.",
    ),
    solution="answer = 5 - 2 + 1",
    mistakes=(
        Mistake(
            "answer = 3",
            "Two have it, and three may not. A read of three may ask just these three.",
        ),
        Mistake(
            "answer = 5",
            "That is enough, and more than needed. How many homes can have missed the write?",
        ),
        Mistake("answer = 2", "Two who write and two who read need not have a home in common, of five."),
    ),
    otherwise="A read must ask more homes than may have missed the write.",
    tolerance=0.0,
)


@dataclass(frozen=True)
class _Judged:
    """A history and what all models say of it."""

    history: History
    verdicts: dict[str, HistoryVerdict]

    @classmethod
    def read(cls, answer: Any) -> _Judged:
        given = getattr(answer, "history", answer)
        try:
            history = history_from_text(given) if isinstance(given, str) else given
            if not isinstance(history, History) or not len(history):
                raise Unfit
            return cls(history, check_all(history, decide=False))
        except (ValueError, LookupError, TypeError) as problem:
            raise Unfit(problem.args[0] if problem.args else problem) from None

    def allows(self, *models: str) -> bool:
        return all(self.verdicts[name].outcome == "ok" for name in models)


_WRITTEN = 'a history: as text, such as `"a write x=1 0-2; b read x=- 1-3"`, or the `history` of the widget'

only_sequential = TrialExercise(
    "consistency.only_sequential",
    task=(
        "Break it. Make a history that is sequentially consistent and not linearizable. The widget above gives one as `mine.history`; "
        'or write it, one operation a line or between semicolons: `"a write x=1 0-2; b read x=- 1-3"`, where - is nothing.'
    ),
    expects=_WRITTEN,
    success="Yes: nobody can tell from the answers alone, without a common clock. What would tell them? A phone call.",
    hints=(
        "Sequential consistency forgets real time between processes. Who could read late, and be told something early?",
        "One write of one process; and after it has ended, a read by another.",
    ),
    solution='answer = "a write x=1 0-1; b read x=- 2-3"',
    read=_Judged.read,
    rules=(
        Rule(
            "One single copy could have answered so: it is linearizable. What must a reader be told that is too old by the clock?",
            lambda judged: judged.allows("linearizable"),
            'answer = "a write x=1 0-1; b read x=1 2-3"',
            'answer = "a write x=1 0-4; b read x=- 2-3"',
        ),
        Rule(
            "It isn't sequential either: no order of all operations that keeps each process's own gives these answers. Let different "
            "processes disagree with the clock, and none with itself.",
            lambda judged: not judged.allows("sequential"),
            'answer = "a write x=1 0-1; a read x=- 2-3"',
            'answer = "a write x=1 0-1; b write y=1 0-1; a read y=- 2-3; b read x=- 2-3"',
        ),
    ),
)

only_causal = TrialExercise(
    "consistency.only_causal",
    task=(
        "Break it. Make a history that is causal and not sequentially consistent: cause comes before effect for everybody, and yet no "
        "single order explains all answers."
    ),
    expects=_WRITTEN,
    success="Yes. Where two writes know nothing of each other, causal memory lets everybody have an order of their own.",
    hints=(
        "Two writes, by two processes that have not read each other's. Who could see them in which order?",
        "Let c read the one and then the other, and d the other way round.",
    ),
    solution='answer = "a write x=1 0-1; b write x=2 0-1; c read x=1 2-3; c read x=2 4-5; d read x=2 2-3; d read x=1 4-5"',
    read=_Judged.read,
    rules=(
        Rule(
            "One order explains it: it is sequential. Two readers, or two writers, must disagree.",
            lambda judged: judged.allows("sequential"),
            'answer = "a write x=1 0-1; b write x=2 0-1; c read x=1 2-3; c read x=2 4-5"',
            misconception=ONE_ORDER_FOR_ALL,
        ),
        Rule(
            "It isn't causal: somebody reads something older than what they ought to know of. Of the two writes, neither may know of "
            "the other.",
            lambda judged: not judged.allows("causal"),
            'answer = "a write x=1 0-1; a write x=2 2-3; b read x=2 4-5; b read x=1 6-7"',
        ),
    ),
)

one_guarantee = TrialExercise(
    "consistency.one_guarantee",
    task=(
        'Break it. Make a history that breaks "monotonic writes" and keeps the three other session guarantees: somebody sees the second '
        "of two writes of one process, and not the first."
    ),
    expects=_WRITTEN,
    success="Yes: the second write has arrived where the first has not. Stores keep it by sending a session's writes in order.",
    hints=(
        "Two writes to two keys, by one process; then two reads by another.",
        "It reads the key that was written second, and finds it; then the other, and finds nothing.",
    ),
    solution='answer = "a write x=1 0-1; a write y=2 2-3; b read y=2 4-5; b read x=- 6-7"',
    read=_Judged.read,
    rules=(
        Rule(
            'It keeps "monotonic writes". Who sees the second of two writes of one process, and then something older than the first?',
            lambda judged: judged.allows("monotonic writes"),
            'answer = "a write x=1 0-1; b read x=- 2-3"',
        ),
        Rule(
            "It breaks another session guarantee as well. Let the reader read each key once, and not write.",
            lambda judged: (
                not judged.allows(*(name for name in SESSION_GUARANTEES if name != "monotonic writes"))
            ),
            'answer = "a write x=1 0-1; a write y=2 2-3; b read y=2 4-5; b read x=- 6-7; c write z=1 0-1; c read z=- 2-3"',
        ),
    ),
)
