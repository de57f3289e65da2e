"""Predictions, exercises and players' tasks of notebook 09."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from dscourse import datasets
from dscourse.consensus import (
    FirstLeads,
    RaftNode,
    committed_entries_survive,
    logs_match,
    one_leader_per_term,
    raft_cluster,
)
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    Misconception,
    Mistake,
    NumberExercise,
    NumberPrediction,
    Rule,
    TrialExercise,
    tried_with,
)
from dscourse.exercises.nodes import split_brain as nodes
from dscourse.exercises.nodes.split_brain import (
    catch_the_storages as catch_the_storages,
    count_the_copies as count_the_copies,
    follow_the_rules as follow_the_rules,
    refuse_the_old as refuse_the_old,
)
from dscourse.exercises.wrong_nodes.split_brain import CommitsOlderTerms
from dscourse.exploration import Ask, script
from dscourse.simulation import CutLink, Fault, Lossy, OpenLoop, Partition, Run, Uniform
from dscourse.views import Task, Visit

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────────

A_LEADER_KNOWS = Misconception(
    "split_brain.a_leader_knows",
    belief="A leader that has been replaced knows it.",
    question="The network is cut, and the other side elects. What reaches the old leader?",
    answer="Nothing. It learns of a higher term when the first message comes through.",
)
A_MAJORITY_IS_ENOUGH = Misconception(
    "split_brain.a_majority_is_enough",
    belief="What a majority has on disk is committed.",
    question="An entry of term 2 is on three of five disks. Who may still be elected without it?",
    answer="A member whose last entry is of term 3. Only an entry of the leader's own term is safe by counting.",
)
EVEN_IS_SAFER = Misconception(
    "split_brain.even_is_safer",
    belief="Four members are safer than three.",
    question="How many members may fail in a cluster of three, and in one of four?",
    answer="One, and one. The fourth only makes a majority larger.",
)
A_LEASE_PROTECTS = Misconception(
    "split_brain.a_lease_protects",
    belief="Whoever holds a lease can't be overtaken.",
    question="A holder has just looked at its clock. What may happen before its write arrives?",
    answer="A pause, a slow network: the lease may be over by then. The storage must look, too.",
)
MISCONCEPTIONS = (A_LEADER_KNOWS, A_MAJORITY_IS_ENOUGH, EVEN_IS_SAFER, A_LEASE_PROTECTS)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────────

sold_in_the_cut = NumberPrediction(
    "split_brain.sold_in_the_cut",
    question=(
        "The shop of notebook 00 stands on two coasts, one customer on each, who orders five times a second. For 43 seconds the coasts "
        "don't hear each other. How many items are sold to both customers?"
    ),
    scale=(0, 300),
    step=5,
    unit="items",
    near=40,
    right="Nearly every order of 43 seconds. Each side sold what the other had sold. Which rule would have stopped one of them?",
    typical={
        0: Expectation(
            "none: one side stops",
            "Nothing told either side to stop. Each follows the first machine that it hears of, and each hears of one.",
            A_LEADER_KNOWS,
        ),
    },
    otherwise="Count the orders that one customer places in 43 seconds, and ask which of them the other coast knew about.",
)

cut_in_halves = ChoicePrediction(
    "split_brain.cut_in_halves",
    question=(
        "A side may elect a leader only if it has more than half of all members. A cluster of four is cut into two and two. Who may "
        "lead?"
    ),
    right=Expectation(
        "nobody, until the cut heals",
        "Two of four are not more than half. What has the fourth member bought you over three?",
        None,
    ),
    wrong=(
        Expectation(
            "the side on which the old leader stands",
            "It may go on calling itself the leader. Two of four can commit nothing, so it leads nobody anywhere.",
            A_LEADER_KNOWS,
        ),
        Expectation(
            "either side: two are as many as two",
            "Then both might. More than half was chosen since two such sets always share a member; two halves share none.",
            EVEN_IS_SAFER,
        ),
    ),
)

asked_in_the_minority = ChoicePrediction(
    "split_brain.asked_in_the_minority",
    question=(
        "Five members, n0 leads. At 3 s the network is cut: n0 and n1 on one side, n2, n3 and n4 on the other. After that a client asks "
        "n0 to write something. What does it hear?"
    ),
    right=Expectation(
        "no answer at all",
        "n0 writes the command into its log and can't commit it. It may not say yes, and it can't say no: the entry might yet survive.",
    ),
    wrong=(
        Expectation(
            "“ok”: n0 is the leader",
            "It still takes itself for one. But it says ok when a majority has the entry, and n1 is all it reaches.",
            A_LEADER_KNOWS,
        ),
        Expectation(
            "“fail”: n0 sees that it is cut off",
            "It sees silence, which has many causes. Its entry stands in two logs and may still be committed, so “fail” would be a guess.",
            A_LEADER_KNOWS,
        ),
    ),
)

on_three_disks = ChoicePrediction(
    "split_brain.on_three_disks",
    question=(
        "An entry of term 2 is on the disks of three of five members. The leader of term 4, which has written nothing of its own, counts "
        "three copies, tells the client “done”, and crashes. Can the entry still be lost?"
    ),
    right=Expectation(
        "yes: a member without it may be elected",
        "One whose last entry is of term 3 has the better claim than those whose last is of term 2. The paper's figure 8.",
    ),
    wrong=(
        Expectation(
            "no: every majority has a member that knows it",
            "True, and that member votes. It compares last terms: 3 beats 2, so it votes for a candidate without the entry.",
            A_MAJORITY_IS_ENOUGH,
        ),
        Expectation(
            "only if two more members lose their disks",
            "No disk is lost in what you will see. The members that have the entry are told to remove it.",
            A_MAJORITY_IS_ENOUGH,
        ),
    ),
)

half_of_the_elections = NumberPrediction(
    "split_brain.half_of_the_elections",
    question=(
        "On a local network the leader of five members crashes, a thousand times. Timeouts are drawn between 150 and 155 ms. After how "
        "many milliseconds was half of the elections over?"
    ),
    scale=(0, 1000),
    step=10,
    unit="ms",
    near=40,
    right="Twice as long as one timeout: five milliseconds are too few to keep candidates apart, so the first vote is often split.",
    typical={
        150: Expectation(
            "one timeout",
            "So it would be if somebody always won at once. With timeouts so close together several stand at the same time, and split "
            "the vote.",
        ),
    },
    otherwise="One timeout if somebody wins at once, one more for every vote that is split.",
)

a_holder_wakes = ChoicePrediction(
    "split_brain.a_holder_wakes",
    question=(
        "A lease lasts two seconds. h0 holds it, looks at its clock, begins to work, and is paused for nearly five seconds. Meanwhile h1 "
        "gets the lease and writes. What becomes of h0's write when it wakes?"
    ),
    right=Expectation(
        "it is stored, over h1's newer one",
        "h0 had looked before it was paused, and nothing between its hands and the disk looked again. Where must the check stand?",
    ),
    wrong=(
        Expectation(
            "h0 sees that its lease is over, and doesn't write",
            "It would, if it looked. Its look was before the pause; to look once more only moves the gap, it doesn't close it.",
            A_LEASE_PROTECTS,
        ),
        Expectation(
            "the lock service stops it",
            "The write doesn't pass the lock service. It goes straight to the storage, which knows of no lease.",
            A_LEASE_PROTECTS,
        ),
    ),
)

price_of_a_quorum = NumberPrediction(
    "split_brain.price_of_a_quorum",
    question=(
        "The same two coasts, now as one Raft cluster: two members in the East (where the leader stands), two in the West, a fifth "
        "elsewhere; 30 ms one way between the places. How long does a write of the eastern customer take?"
    ),
    scale=(0, 200),
    step=1,
    unit="ms",
    near=6,
    right="One round trip to the third member of a majority, on every single write. That is what 43 safe seconds cost all year round.",
    typical={
        30: Expectation(
            "one way", "The entry must get there, and the word that it is on disk must come back."
        ),
        1: Expectation(
            "next to nothing",
            "Two of five are in the East, and two are no majority: somebody further away must answer.",
        ),
    },
    otherwise="Leader and one neighbour are two. When does the third of five answer?",
)

met_by_a_clean_up = ChoicePrediction(
    "split_brain.met_by_a_clean_up",
    question=(
        "A plan a second. Two workers, e0 and e1, each look once whether their plan is newer than the one in use, change three endpoints "
        "one after the other, then delete all plans that are more than five older than theirs. e0 looks with plan 3 and is held up for six "
        "seconds; it changes the endpoint to plan 3 just before e1, with plan 9, cleans up. What do users get from then on?"
    ),
    right=Expectation(
        "no address, also when plan 10 comes",
        "Plan 3 is deleted while it is in use, and whoever comes with a newer plan finds nothing to compare it with. Which two changes "
        "would each have prevented that?",
    ),
    wrong=(
        Expectation(
            "the addresses of plan 3, until plan 10 comes",
            "They would, if the clean-up asked what is in use. It asks only what is old.",
        ),
        Expectation(
            "the addresses of plan 9: it is newer, so it stays",
            "Who would have refused plan 3? e0 looked before it was held up, and the table takes what comes last.",
            A_LEASE_PROTECTS,
        ),
    ),
)

# ── Players ───────────────────────────────────────────────────────────────────────────────────────────────────────

MEMBERS = ("n0", "n1", "n2", "n3", "n4")
slow: dict[str, Any] = {
    "election_timeout": (1.0, 2.0),
    "heartbeat_interval": 0.4,
    "latency": Uniform(0.05, 0.15),
}
calm = raft_cluster(5, node=FirstLeads, **slow).run(10.0)
busy = raft_cluster(
    5,
    node=FirstLeads,
    clients=[OpenLoop(tuple("abcdefgh"), 1.0, "n0", 3.0, start=1.0, arrivals="regular")],
    **slow,
).run(10.0)
split = busy.fork(3.0, Partition([["n0", "n1"], ["n2", "n3", "n4"]], 3.0, until=8.0))


def _leaders(run: Run, after: float = 0.0) -> list[str]:
    return [str(event.node) for event in run.trace.select(kind="record", name="leads") if event.time > after]


def _groups(run: Run) -> list[tuple[tuple[str, ...], ...]]:
    return [tuple(map(tuple, fault.groups)) for fault in run.faults if isinstance(fault, Partition)]


watch_the_strips = (
    Task(
        "split_brain.first_cell",
        "Find a cell that is not solid yet: in one log, then in all",
        Visit(1.0, 1.6),
    ),
    Task("split_brain.all_solid", "Wait until it is solid everywhere", Visit(1.6, 3.0)),
)
drive_elections = (
    Task(
        "split_brain.kill_the_leader",
        "Crash n0 at about 2 s; play on until another leads",
        lambda run: (
            any(getattr(fault, "node", "") == "n0" for fault in run.faults) and bool(_leaders(run, 1.0))
        ),
    ),
    Task(
        "split_brain.cut_two_off",
        "Undo; cut n0 off together with one other",
        lambda run: any("n0" in side and len(side) == 2 for groups in _groups(run) for side in groups),
    ),
    Task(
        "split_brain.no_majority",
        "Undo; cut the five into sides of which none has three",
        lambda run: any(len(groups) >= 2 and max(map(len, groups)) < 3 for groups in _groups(run)),
    ),
)
watch_the_coasts = (
    Task("split_brain.before_the_cut", "See who serves both customers before the cut", Visit(1.0, 9.9)),
    Task("split_brain.in_the_cut", "See who serves them at about 30 s", Visit(20.0, 52.9)),
    Task("split_brain.after_the_cut", "And after 53 s, when the cut is over", Visit(53.0, 60.0)),
)
see_figure_8 = (
    Task(
        "split_brain.three_copies",
        "Find n0's old entry on a third disk, and n0's cell solid",
        Visit(92.0, 99.0),
    ),
    Task("split_brain.it_is_gone", "Find the step at which n2's cell of term 2 goes", Visit(122.0, 130.0)),
)
see_it_wake = (
    Task("split_brain.falls_asleep", "Find h0's pause, and who holds the lease meanwhile", Visit(1.3, 5.9)),
    Task("split_brain.wakes", "Watch h0's message just after 6 s", Visit(6.0, 6.1)),
)
see_it_flap = (
    Task("split_brain.term_rises", "Watch n0's term from 2 s on", Visit(2.0, 3.0)),
    Task("split_brain.flaps", "Find three leaders after that", Visit(4.0, 8.0)),
)
see_the_clean_up = (
    Task("split_brain.held_up", "See e0 begin with plan 3, and stand still", Visit(2.0, 8.2)),
    Task(
        "split_brain.late_change",
        "Find whose plan the table has shortly before e1 cleans up",
        Visit(8.35, 8.65),
    ),
    Task("split_brain.next_plan", "See what e0 and e1 make of plan 10, after 9 s", Visit(9.2, 14.0)),
)
see_the_promotion = (
    Task("split_brain.two_primaries", "Find two primaries at once, one on each coast", Visit(11.4, 52.9)),
    Task(
        "split_brain.two_logs",
        "Compare their logs just before the cut ends, at 53 s, and after it",
        Visit(53.5, 70.0),
    ),
)
see_two_lead = (Task("split_brain.two_stars", "Find the moment at which two lead", Visit(20.1, 21.9)),)
see_the_split = (
    Task(
        "split_brain.other_side",
        "Find the moment at which the larger side has a leader of its own",
        Visit(4.0, 7.9),
    ),
    Task("split_brain.healed", "Watch n0's log when the cut is over", Visit(8.0, 10.0)),
)


def figure_8(*, by_the_paper: bool) -> Run:
    """Run the steps of the paper's figure 8, with its rule or with a leader that counts entries of every term."""
    member = partial(RaftNode if by_the_paper else CommitsOlderTerms, own_entry=False)
    return script(member, MEMBERS, nodes.FIGURE_8, skip=True)


def careless_member(node_id: str, peers: Sequence[str]) -> RaftNode:
    """A member that counts entries of every term, with timeouts that need no luck."""
    return CommitsOlderTerms(node_id, peers, own_entry=False, election_timeout=(0.2, 0.2))


promises = (one_leader_per_term, committed_entries_survive, logs_match)
questions = tuple(
    Ask(node, command) for node, command in (("n0", "a"), ("n0", "b"), ("n2", "c"), ("n2", "d"))
)


def recorded_median(timeouts: str) -> float:
    """Milliseconds after which half of the recorded elections with these timeouts were over."""
    table = datasets.load("election/raft_downtime")
    return float(
        table[(table.figure == "randomness") & (table.timeout_range_ms == timeouts)].downtime_ms.median()
    )


def write_latency(run: Run, client: str) -> float:
    """Milliseconds that half of a client's writes before 10 s took at most."""
    return 1000 * median(
        one.latency
        for one in run.history()
        if one.client == client and one.outcome == "ok" and one.invoked < 10.0
    )


# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────────

members_needed = NumberExercise(
    "split_brain.members_needed",
    task="Calculate. Your cluster must go on electing and committing when any three of its members have failed. How many members?",
    expects="a whole number",
    success="Right: 7, of which 4 are more than half. An eighth would survive no more than these.",
    hints=("Those that are left must be more than half of all.", "n − 3 > n / 2."),
    solution="answer = 2 * 3 + 1",
    mistakes=(
        Mistake(
            "answer = 3 + 1",
            "Four keep a copy. But the one that is left is no majority of four, and may decide nothing.",
        ),
        Mistake(
            "answer = 2 * 3",
            "Three of six are exactly half. The other three might be alive, and just as sure of themselves.",
        ),
    ),
    otherwise="With f failures, the others must be more than half of all: n − f > n / 2.",
)

lease_margin = NumberExercise(
    "split_brain.lease_margin",
    task=(
        "Calculate. A lease lasts 15 seconds by the service's clock, from when it is granted. A holder's clock may be slow by up to 2 %. "
        "How many seconds after it asked, by its own clock, must a holder stop at the latest?"
    ),
    expects="a number of seconds",
    success="Right: 14.7. While its slow clock counts 14.7 seconds, 15 go by elsewhere.",
    hints=(
        "A clock that is slow by 2 % shows 0.98 seconds for each true second.",
        "It must not count from when the answer came: the service has begun to count before.",
    ),
    solution="answer = 15 * (1 - 0.02)",
    mistakes=(
        Mistake(
            "answer = 15",
            "Its clock is slow: when it shows 15 seconds, more than 15 have gone by, and the lease is over.",
        ),
        Mistake(
            "answer = 15 * (1 + 0.02)",
            "You went the wrong way: a slow clock shows less than has gone by. It must stop earlier.",
        ),
    ),
    otherwise="What does a clock show that is 2 % slow, when 15 true seconds have gone by?",
    tolerance=0.001,
)


confirmed_by = NumberExercise(
    "split_brain.confirmed_by",
    task=(
        "Calculate. The same databases: e0 leads, e1 stands beside it, w0, w1 and w2 in the West. e0 is to tell nobody that a write is done "
        "before k followers have it. What is the smallest k with which a cut between the coasts loses nothing that was acknowledged? "
        '`consensus.promoted_in_the_west("semi-sync", acknowledgements=k).run(70.0)` tries one.'
    ),
    expects="a whole number",
    success="Right: of two followers one is in the West. Each write of the East then takes 61 ms, and in a cut it waits.",
    hints=(
        "Who of the followers is cut off together with e0?",
        "At least one of the k must stand elsewhere.",
    ),
    solution="answer = 1 + 1",
    mistakes=(
        Mistake("answer = 1", "That one is e1, which answers first, and is cut off along with e0."),
        Mistake(
            "answer = 4",
            "All of them is safe, and then any one that is down stops all writes. Fewer are enough.",
        ),
        Mistake(
            "answer = 3",
            "A majority of five is e0 and two others. Which of fewer followers must be in the West?",
        ),
    ),
    otherwise="Ask how many followers may confirm a write without one of them standing in the West.",
    tolerance=0.0,
)


def try_faults(faults: Sequence[Fault]) -> tuple[Run, Run]:
    """Run the same faults against three members without pre-vote, and with it: eight seconds."""
    return tuple(  # type: ignore[return-value]
        raft_cluster(3, node=FirstLeads, faults=tuple(faults), pre_vote=pre_vote).run(8.0)
        for pre_vote in (False, True)
    )


_MANY = 5

keep_them_electing = TrialExercise(
    "split_brain.keep_them_electing",
    task=(
        "Break it. Three members, n0 leads; all stay up and well. Find faults of links under which a cluster without pre-vote elects "
        "five times more within 8 s, and one with pre-vote not once. Your answer is a list of faults; `exercises.try_faults(answer)` "
        "gives both runs."
    ),
    expects='a list of faults, such as `[CutLink("n0", "n1", at=2.0)]`',
    success="Yes: a member that is heard and hears nobody raises the term again and again. With pre-vote it must ask first.",
    hints=(
        "A member stands when it hears of no leader. When does that not end, although somebody leads?",
        "`CutLink(a, b, at=…, one_way=True)` cuts the way from a to b and leaves the way back.",
    ),
    solution=(
        "from dscourse.simulation import CutLink\n"
        'answer = [CutLink(other, "n2", at=1.0, one_way=True) for other in ("n0", "n1")]'
    ),
    read=partial(tried_with, try_faults),
    rules=(
        Rule(
            "Leave the nodes alone: only `CutLink` and `Lossy` here.",
            lambda runs: not all(isinstance(fault, CutLink | Lossy) for fault in runs[0].faults),
            'from dscourse.simulation import Pause\nanswer = [Pause("n0", at=2.0)]',
        ),
        Rule(
            lambda runs: (
                f"Without pre-vote it elected {len(_leaders(runs[0], 0.5))} times more. Who could go on asking, unheard of?"
            ),
            lambda runs: len(_leaders(runs[0], 0.5)) < _MANY,
            'from dscourse.simulation import CutLink\nanswer = [CutLink("n0", "n1", at=2.0)]',
        ),
        Rule(
            "With pre-vote it elected, too: your faults take the leader from a majority. Leave it one that it reaches.",
            lambda runs: bool(_leaders(runs[1], 0.5)),
            "from dscourse.simulation import CutLink\n"
            'answer = [CutLink(other, "n2", at=1.0, until=6.0, one_way=True) for other in ("n0", "n1")]\n'
            'answer += [CutLink("n0", other, at=6.5) for other in ("n1", "n2")]',
        ),
    ),
)
