"""Predictions and exercises of notebook 05."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dscourse.exercises import (
    ChoicePrediction,
    CurvePrediction,
    Expectation,
    FunctionExercise,
    Misconception,
    Mistake,
    NodePrediction,
    NumberExercise,
    NumberPrediction,
    Rule,
    TrialExercise,
    Unfit,
    tried_with,
)
from dscourse.exercises.nodes.replication import follow_the_log, when_is_it_safe
from dscourse.replication import lost_writes, replicated_store
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    Exponential,
    Fault,
    LatencyModel,
    OpenLoop,
    Partition,
    Run,
    Scenario,
    Uniform,
    topology,
)
from dscourse.views import Task, Visit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["follow_the_log", "when_is_it_safe"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────────────

PAID_IS_EVERYWHERE = Misconception(
    "replication.paid_is_everywhere",
    belief="A write that was acknowledged is on all replicas.",
    question="A leader answers its client, and sends the write on a moment later. It dies in between. Who has the write?",
    answer="Nobody. What an acknowledgement promises is decided by what the leader waited for before it gave it.",
)
MORE_COPIES_STAY_UP = Misconception(
    "replication.more_copies_stay_up",
    belief="The more copies there are, the less can one of them stop anything.",
    question="A leader waits for all of its four followers before it answers. How many of the five machines must be up to write?",
    answer="All five. Whoever waits for all depends on each of them.",
)
SEMI_SYNC_KEEPS_TWO = Misconception(
    "replication.semi_sync_keeps_two",
    belief="Semi-synchronous replication always keeps a second copy.",
    question="No follower has answered for ten seconds, and the leader gives up waiting. What does it tell its clients from then on?",
    answer="That their writes are safe, as before; nobody but itself has them.",
)
WHAT_IS_SHOWN_COUNTS = Misconception(
    "replication.what_is_shown_counts",
    belief="The replica that shows the newest data should lead.",
    question="One replica has received 10 entries and applied 4, another 9 of each. Who can show entry 10 in a minute?",
    answer="The first alone: it has entry 10 on its disk and only needs to apply it. The other will never have it.",
)
REPLICAS_DIVIDE_ALL_WORK = Misconception(
    "replication.replicas_divide_all_work",
    belief="Twice the replicas serve twice the load.",
    question="Ten replicas, and every operation is a write. How many times the load of one machine do they serve?",
    answer="Once: every replica does every write. Replicas divide the reads alone.",
)
MISCONCEPTIONS = (
    PAID_IS_EVERYWHERE,
    MORE_COPIES_STAY_UP,
    SEMI_SYNC_KEEPS_TWO,
    WHAT_IS_SHOWN_COUNTS,
    REPLICAS_DIVIDE_ALL_WORK,
)

# ── The bank, and its users ───────────────────────────────────────────────────────────────────────────────────────────

_CUSTOMER = OpenLoop(
    tuple(("put", f"p{n}", 10 * n) for n in range(1, 25)), 4.0, "g0", timeout=2.5, arrivals="regular"
)
_UNTIL = 9.0


def bank(mode: str = "async", *faults: Fault, **settings: Any) -> Scenario:
    """Three replicas in three cities, an operator, and a customer who pays four times a second: p1, p2 … p24.

    Args:
        mode: "sync", "semi-sync" or "async".
        faults: what goes wrong.
        settings: of `SingleLeaderReplica`: ``ship_every=1.0``, ``fallback_after=1.0`` …
    """
    return replicated_store(
        mode=mode,
        clients=[_CUSTOMER],
        faults=faults,
        latency=Uniform(0.01, 0.05),
        replica_latency=Uniform(0.25, 0.4),
        seed=1,
        timeout=1.2,
        interval=0.5,
        patience=1.5,
        **{"resend_after": 1.0, **settings},
    )


def desk(*guarantees: str, think: LatencyModel | float | None = None) -> Scenario:
    """Three replicas, two of which take 0.3 s to apply a write, behind a gateway that reads from any of them.

    c0 writes an order, then its receipt, and looks at each just after; c1 goes on looking at receipt and order.

    Args:
        guarantees: what the gateway gives its users: some of `GUARANTEES`.
        think: how long c0 waits between two operations; by default not always as long.
    """
    mine = [
        operation
        for n in range(40)
        for key in ("order", "receipt")
        for operation in (("put", key, n), ("get", key))
    ]
    looks = (("get", "receipt"), ("get", "order")) * 160
    users = [
        ClosedLoop(tuple(mine), Exponential(0.2) if think is None else think, to="g0", timeout=3.0),
        ClosedLoop(looks, 0.1, to="g0", timeout=3.0),
    ]
    return replicated_store(
        mode="async",
        operator=False,
        clients=users,
        latency=Uniform(0.005, 0.02),
        apply_time=0.3,
        guarantees=guarantees,
        patience=2.0,
        seed=1,
    )


def outage(timeout: float, interval: float) -> float:
    """Seconds for which no write succeeds after a leader's crash, if it is asked every `interval` and given up after `timeout`."""
    writes = OpenLoop(tuple(("put", "k", n) for n in range(400)), 5.0, "g0", timeout=0.5)
    store = replicated_store(
        mode="sync", clients=[writes], faults=[Crash("n0", at=13.0)], timeout=timeout, interval=interval
    )
    answered = [one.completed or 0.0 for one in store.run(80.0).history() if one.outcome == "ok"]
    return max(after - before for before, after in pairwise(answered))


def _is_down(run: Run, node: str) -> bool:
    return any(isinstance(fault, Crash) and fault.node == node for fault in run.faults)


def _new_leader(run: Run) -> Visit | None:
    """From when on somebody else than n0 leads; None if nobody does."""
    for event in run.trace.select(kind="record", name="status"):
        if event.node != "n0" and event.detail["status"] == "leader":
            return Visit(event.time, min(event.time + 1.0, run.until))
    return None


def _rejoins(run: Run) -> Visit | None:
    thrown = run.trace.select(kind="record", node="n0", name="discarded")
    return Visit(thrown[0].time, min(thrown[0].time + 0.5, run.until)) if thrown else None


watch = (
    Task("replication.watch", "Press Play: the first payments, at n0 and at the others", Visit(0.9, 1.6)),
    Task("replication.inside", "Look at the nodes' logs again at about 2.6 s", Visit(2.5, 2.7)),
)
see_the_loss = (
    Task("replication.before", "Just before the crash: who has p9, p10 and p11?", Visit(2.4, 2.6)),
    Task("replication.next_leader", "Go on until somebody else leads: how long is its log?", _new_leader),
)
kill_it_yourself = (
    Task(
        "replication.kill_and_lose",
        "Crash n0 at a moment at which an acknowledged payment gets lost",
        lambda run: _is_down(run, "n0") and bool(lost_writes(run)),
    ),
    Task(
        "replication.kill_and_keep",
        "Undo; crash n0 at a moment at which none does",
        lambda run: _is_down(run, "n0") and not lost_writes(run),
    ),
    Task(
        "replication.returns",
        "Restart n0 after another has taken over, and find the moment at which it throws entries away",
        _rejoins,
    ),
)
see_it_wait = (
    Task(
        "replication.waits",
        "After 2.6 s: how far does n0's log go, and how much of it is safe?",
        Visit(3.5, 5.0),
    ),
    Task(
        "replication.lets_go",
        "Let n2 come back at about 5 s (restart it), and see the queue dissolve",
        lambda run: any(
            isinstance(fault, Crash) and fault.node == "n2" and end < run.until
            for fault, _, end in run.trace.fault_intervals()
        ),
    ),
)
see_it_alone = (
    Task("replication.gives_up", "When n0 has waited for a second, read what it says", Visit(3.0, 4.0)),
    Task("replication.two_lead", "Find a moment at which two lead, and compare their logs", _new_leader),
    Task("replication.heals", "The cut heals at 7 s: whose log is kept?", Visit(7.0, 8.5)),
)
see_it_lag = (
    Task(
        "replication.stale",
        "c0 has just written its order and reads it: what does it get, and from whom?",
        Visit(0.15, 0.35),
    ),
    Task("replication.lag", "Compare the lanes: how long is a replica behind?", Visit(1.0, 2.0)),
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────────────

payments_lost = NumberPrediction(
    "replication.payments_lost",
    question=(
        "n0 answers a customer at once, and sends its log to n1 and n2 once a second. Payments come four a second. At 2.6 s n0 "
        "crashes, and the operator makes another replica the leader. How many payments that were acknowledged does the new leader "
        "not have?"
    ),
    scale=(0, 8),
    step=1,
    unit="payments",
    near=0.4,
    right=(
        "Whatever came after the last parcel is on n0's disk alone. At another moment it would have been none, or four. What would "
        "n0 have to do before it says paid?"
    ),
    typical={
        0: Expectation(
            "none: they were acknowledged",
            "Acknowledged by n0, which did not ask the others first. What it hasn't sent by 2.6 s nobody else can have.",
            PAID_IS_EVERYWHERE,
        ),
        1: Expectation(
            "the one that was under way",
            "A payment under way wasn't acknowledged, so its customer knows at least that something is open. What of those that were "
            "answered since the last parcel?",
        ),
    },
    otherwise="Look at the logs at 2.6 s in the first picture: n0 has some that n1 and n2 lack.",
)

a_stopped_follower = ChoicePrediction(
    "replication.a_stopped_follower",
    question=(
        "Now n0 waits for both followers before it acknowledges (sync), and sends each payment at once. At 2.6 s follower n2 "
        "stops; n0 and n1 are well. What becomes of the payments?"
    ),
    right=Expectation(
        "none is acknowledged any more",
        "n0 has promised itself to wait for both. It takes payments in, and answers nobody until n2 is back, or is struck off.",
    ),
    wrong=(
        Expectation(
            "they go on: two of three copies are left",
            "Two copies are enough to keep the data. But n0 waits for three, and one of them is silent.",
            MORE_COPIES_STAY_UP,
        ),
        Expectation(
            "they go on, but each takes longer",
            "That is what a slow follower does. How long do you wait for one that has stopped?",
        ),
    ),
)

after_the_time_out = ChoicePrediction(
    "replication.after_the_time_out",
    question=(
        "Semi-sync: n0 waits for one follower of two, but after a second without any it goes on by itself. From 2 s to 7 s a cut "
        "keeps n0 and its customer from all the others; the operator, on the other side, makes n1 the leader. Which acknowledged "
        "payments are lost?"
    ),
    right=Expectation(
        "nearly all of the five seconds",
        "After one second n0 is asynchronous, and says paid to everybody who had waited, too. The customer sees a second of delay, "
        "and nothing else.",
    ),
    wrong=(
        Expectation(
            "none: one follower always has a copy",
            "That was so for the first second. What does n0 do then, with nobody there to acknowledge?",
            SEMI_SYNC_KEEPS_TWO,
        ),
        Expectation(
            "those of the first second, while it waited",
            "While it waits it acknowledges nothing, so nothing acknowledged can get lost. It is afterwards that it does.",
        ),
    ),
)

_CANDIDATES = topology.full_mesh(4).subgraph(["n1", "n2", "n3"])

who_leads_next = NodePrediction(
    "replication.who_leads_next",
    question=(
        "n0 is dead. It had acknowledged payments up to 10. n1 has received 10 entries and applied 4 of them; n2 has received 9 and "
        "applied 9; n3 has received 7 and applied 7. Whom would you make the leader?"
    ),
    graph=_CANDIDATES,
    right=(
        "It has everything that was acknowledged on its disk, and only needs to apply it before it leads. What would you do if n1 "
        "couldn't be reached?"
    ),
    typical={
        "n2": Expectation(
            "the one that shows most",
            "n2 shows more than n1 does at the moment. But payment 10 is on n1's disk alone: make n2 the leader and it is gone.",
            WHAT_IS_SHOWN_COUNTS,
        ),
    },
    otherwise="Which of them has payment 10 at all?",
)

own_write = NumberPrediction(
    "replication.own_write",
    question=(
        "Three replicas; n1 and n2 show a write about 0.3 s after n0. A user writes an order, and 0.15 s after the answer looks at it. "
        "The gateway reads from any of the three, at random. In how many of a hundred cases does the user not find the order?"
    ),
    scale=(0, 100),
    step=1,
    unit="of 100",
    near=8,
    right=(
        "Two of three replicas are 0.3 s behind, and it is 0.15 s later. Nothing is broken: every replica tells what it knows. Which "
        "one should this user be sent to?"
    ),
    typical={
        0: Expectation(
            "none: the write was acknowledged",
            "By n0. The gateway may ask one that hasn't applied it yet.",
            PAID_IS_EVERYWHERE,
        ),
        33: Expectation(
            "one in three",
            "One in three is the chance to be sent to n0, which has it. What about the other two?",
        ),
        50: Expectation(
            "every second time: half of the 0.3 s have passed",
            "The lag is about the same each time: after 0.15 s a follower never shows it yet, after 0.4 s always.",
        ),
    },
    otherwise="How many of the three replicas show the order 0.15 s after it was written?",
)

reads_of_a_growing_cluster = CurvePrediction(
    "replication.reads_of_a_growing_cluster",
    question=(
        "A fifth of all operations are writes, the rest reads. Reads are divided among the replicas, and each write is done by all of "
        "them. How much do 1, 2, 4, 8 and 16 replicas serve together, if one serves 1?"
    ),
    at=(1, 2, 4, 8, 16),
    scale=(0, 16),
    step=0.25,
    across="replicas",
    along="operations served, one machine = 1",
    near=0.7,
    right=(
        "The writes are the part that isn't divided: with a fifth of them it never gets beyond 5. Where have you met this curve? What "
        "would you do about the writes?"
    ),
    otherwise=Expectation(
        "more",
        "Each replica does all of the writes, however many there are, so that part of the work isn't divided. A fifth of writes means "
        "never more than five times one machine.",
        REPLICAS_DIVIDE_ALL_WORK,
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────────────

who_may_lead = FunctionExercise(
    "replication.who_may_lead",
    task=(
        "Code. Write a function of (received, applied, acknowledged): two dictionaries, replica → number of entries, of those that can "
        "be reached, and up to which entry clients have been told. It returns the name of the replica that should lead, of equals "
        'the first, or "nobody" if an acknowledged entry would be lost. Your answer is the function.'
    ),
    expects="your function of (received, applied, acknowledged), without brackets; it returns a name",
    success="Right. Refusing is the hardest line of it: somebody is being paged at three in the morning because you wrote it.",
    returns=str,
    hints=(
        "What counts is what stands on a disk. What is applied can be caught up on before it leads.",
        "Take the one that has received most, and compare that with `acknowledged`. Nobody in reach: nobody to promote.",
    ),
    solution=(
        "def choose(received, applied, acknowledged):\n"
        "    best = max(received, key=received.get, default=None)\n"
        '    return best if best is not None and received[best] >= acknowledged else "nobody"\n\n'
        "answer = choose"
    ),
    cases=(
        ({"n1": 10, "n2": 9}, {"n1": 4, "n2": 9}, 10),
        ({"n2": 9, "n3": 7}, {"n2": 9, "n3": 7}, 10),
        ({"n1": 7, "n2": 8, "n3": 7}, {"n1": 3, "n2": 5, "n3": 7}, 7),
        ({}, {}, 4),
        ({"n1": 5, "n2": 5}, {"n1": 4, "n2": 5}, 5),
        ({"n1": 9, "n2": 6}, {"n1": 9, "n2": 6}, 6),
    ),
    mistakes=(
        Mistake(
            "def answer(received, applied, acknowledged):\n"
            "    best = max(applied, key=applied.get, default=None)\n"
            '    return best if best is not None and received[best] >= acknowledged else "nobody"',
            "Yours goes by what is applied. n1 has received 10 and applied 4: it has what n2 lacks, and is passed over. What is on a disk "
            "can still be applied.",
            WHAT_IS_SHOWN_COUNTS,
        ),
        Mistake(
            'def answer(received, applied, acknowledged):\n    return max(received, key=received.get, default="nobody")',
            "Yours promotes the best of those in reach, even if it lacks what was acknowledged. Then a failover loses payments and "
            "nobody is told.",
        ),
        Mistake(
            "def answer(received, applied, acknowledged):\n"
            '    return next((one for one in received if received[one] >= acknowledged), "nobody")',
            "Yours takes the first that has all that was acknowledged. Another may have more, and throwing that away is a loss, too: of "
            "writes whose clients haven't been told yet.",
        ),
        Mistake(
            'def answer(received, applied, acknowledged):\n    return next(iter(received), "nobody")',
            "Yours promotes the first one, whatever it has.",
        ),
        Mistake(
            "def answer(received, applied, acknowledged):\n"
            "    best = max(received, key=received.get, default=None)\n"
            '    return best if best is not None and applied[best] >= acknowledged else "nobody"',
            "Yours asks that everything is applied already. It needn't be: the new leader applies what it has received before it serves "
            "anybody.",
            WHAT_IS_SHOWN_COUNTS,
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}; right is {right}.",
)

may_answer = FunctionExercise(
    "replication.may_answer",
    task=(
        "Code. A user's request carries a position: up to there the user has seen the log. Write what a replica does, as a function of "
        '(position, received, applied, waited): "answer", "wait", or "leader", which sends the request to the leader when it has waited '
        "for 0.3 s or longer and may not answer yet. Your answer is the function."
    ),
    expects='your function of (position, received, applied, waited), without brackets; it returns "answer", "wait" or "leader"',
    success="Right: applied, not received; and a way out, since a replica that has stopped never catches up.",
    returns=str,
    hints=(
        "A reader is told what has been applied. What lies on the disk isn't readable yet.",
        "Two questions, in this order: is it applied? Has it waited long enough to give up?",
    ),
    solution=(
        "def may_answer(position, received, applied, waited):\n"
        "    if applied >= position:\n"
        '        return "answer"\n'
        '    return "leader" if waited >= 0.3 else "wait"\n\n'
        "answer = may_answer"
    ),
    cases=(
        (5, 9, 9, 0.0),
        (5, 9, 4, 0.1),
        (5, 9, 5, 0.1),
        (5, 5, 4, 0.3),
        (5, 3, 3, 0.5),
        (5, 6, 6, 0.4),
        (5, 4, 4, 0.29),
        (0, 0, 0, 0.0),
    ),
    mistakes=(
        Mistake(
            "def answer(position, received, applied, waited):\n"
            "    if received >= position:\n"
            '        return "answer"\n'
            '    return "leader" if waited >= 0.3 else "wait"',
            "Yours compares what was received. It lies on the disk, but a reader is told what has been applied: the user would miss what "
            "they have just written.",
            WHAT_IS_SHOWN_COUNTS,
        ),
        Mistake(
            'def answer(position, received, applied, waited):\n    return "answer" if applied >= position else "wait"',
            "Yours waits for ever. A replica that is cut off never gets there, and its users hang with it.",
        ),
        Mistake(
            "def answer(position, received, applied, waited):\n"
            '    return "answer" if applied >= position or waited >= 0.3 else "wait"',
            "Yours answers when it has waited long enough, whatever it knows. Time proves nothing here: the lag may be longer.",
        ),
        Mistake(
            "def answer(position, received, applied, waited):\n"
            "    if applied > position:\n"
            '        return "answer"\n'
            '    return "leader" if waited >= 0.3 else "wait"',
            "Yours wants more than the position. Who has applied exactly that far has all that the user has seen.",
        ),
        Mistake(
            'def answer(position, received, applied, waited):\n    return "answer" if applied >= position else "leader"',
            "Yours sends everybody to the leader at once. A moment's wait would do in most cases, and the leader has enough to do.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}; right is {right}.",
)

replicas_needed = NumberExercise(
    "replication.replicas_needed",
    task=(
        "Calculate. One machine serves 1 000 operations a second, reads or writes. One operation in ten is a write, which every replica "
        "must do; the reads are divided. How many replicas do you need for 5 000 operations a second? Your answer is a number."
    ),
    expects="a number of replicas",
    success="Right: nine machines for the work of five, and each further one adds less. For more than 10 000 a second no number is enough.",
    hints=(
        "Of 5 000 operations 500 are writes. They take half of every machine.",
        "What is left of each machine does reads: 500 a second. There are 4 500 reads.",
    ),
    solution="answer = 4500 / (1000 - 500)",
    mistakes=(
        Mistake(
            "answer = 5",
            "That would do if all operations were divided. Each replica does all 500 writes: what is left of it for reads?",
            REPLICAS_DIVIDE_ALL_WORK,
        ),
        Mistake(
            "answer = 4.5",
            "That many would serve the reads, if they had nothing else to do. But each does all 500 writes a second as well.",
            REPLICAS_DIVIDE_ALL_WORK,
        ),
        Mistake(
            "answer = 10",
            "Ten times one machine is the ceiling with a tenth of writes, which you would reach with endlessly many. For five times, how "
            "many are enough?",
        ),
    ),
    otherwise="Not {answer}. First: how much of each machine do the writes take?",
)

ocean_writes = NumberExercise(
    "replication.ocean_writes",
    task=(
        "Calculate. The leader stands in Frankfurt, its one synchronous follower in Washington DC, 6 547 km away. Light in glass makes "
        "200 000 km in a second. Payments of one account must be written one after the other. How many a second does light allow, at "
        "most? Your answer is a number."
    ),
    expects="a number of payments a second",
    success="Right: fifteen. No engineer will make it sixteen; only another place for the follower, or another promise, does.",
    hints=(
        "The entry goes there, and the acknowledgement comes back.",
        "2 · 6547 / 200 000 seconds each; the next can't begin before.",
    ),
    solution="answer = 200_000 / (2 * 6547)",
    mistakes=(
        Mistake(
            "answer = 200_000 / 6547", "That is one way. The leader waits until the acknowledgement is back."
        ),
        Mistake(
            "answer = 299_792 / (2 * 6547)",
            "That is light in a vacuum. In glass it makes two thirds of that: 200 000 km in a second.",
        ),
        Mistake(
            "answer = 2 * 6547 / 200_000", "That is how many seconds one takes. How many fit into one second?"
        ),
        Mistake(
            "answer = 2 * 6547 / 200",
            "That is how many milliseconds one takes. How many fit into one second?",
        ),
    ),
    otherwise="Not {answer}. How long is the way there and back, and how many of these fit into a second?",
    tolerance=0.01,
)


def try_semi_sync(faults: Sequence[Fault]) -> Run:
    """Run the bank for 9 s with these faults: semi-sync, and after a second without a follower n0 goes on alone."""
    return bank("semi-sync", *faults, fallback_after=1.0).run(_UNTIL)


lose_a_payment = TrialExercise(
    "replication.lose_a_payment",
    task=(
        "Break it. Find at most three faults, no `Partition` among them, with which semi-sync loses an acknowledged payment "
        "although it waits for a follower, for a second. Your answer is a list of faults; `exercises.try_semi_sync(answer)` runs it, "
        "and `lost_writes` says what is lost."
    ),
    expects='a list of faults, such as `[Crash("n0", at=2.0)]`',
    success="Yes. First its followers went, and it stopped waiting without a word; then it went itself. Who was watching the first step?",
    hints=(
        "As long as one follower answers, n0 waits for it. What must become of both?",
        "They must miss what n0 acknowledges alone, and be back when it dies: a crash with restart_at.",
    ),
    solution=(
        "from dscourse.simulation import Crash\n"
        'answer = [Crash("n1", 2.0, restart_at=4.5), Crash("n2", 2.0, restart_at=4.5), Crash("n0", 4.2)]'
    ),
    read=partial(tried_with, try_semi_sync),
    rules=(
        Rule(
            "A Partition does it, as you have seen. Find another way: crashes are enough.",
            lambda run: any(isinstance(fault, Partition) for fault in run.scenario.faults),
            "from dscourse.simulation import Partition\n"
            'answer = [Partition([["n0", "g0"], ["n1", "n2", "operator"]], 2.0, until=7.0)]',
        ),
        Rule(
            "More than three faults. Which of them can you leave out?",
            lambda run: len(run.scenario.faults) > 3,
            "from dscourse.simulation import Crash\n"
            'answer = [Crash("n1", 2.0, restart_at=4.5), Crash("n2", 2.0, restart_at=4.5), Crash("n0", 4.2), Crash("g0", 8.9)]',
        ),
        Rule(
            "Nothing is lost: whatever was acknowledged is in the log of whoever leads at the end. As long as one follower answers within "
            "a second, n0 waits for it; and as long as n0 is there, nobody misses anything.",
            lambda run: not lost_writes(run),
            'from dscourse.simulation import Crash\nanswer = [Crash("n0", 2.6)]',
            'from dscourse.simulation import Crash\nanswer = [Crash("n1", 2.0), Crash("n0", 4.2)]',
            'from dscourse.simulation import Crash\nanswer = [Crash("n1", 2.0), Crash("n2", 2.0), Crash("g0", 4.2)]',
            misconception=SEMI_SYNC_KEEPS_TWO,
        ),
    ),
)


@dataclass(frozen=True)
class _Design:
    """Settings of the bank, to be tried in calm weather, with each machine down, and with the network cut."""

    settings: Mapping[str, Any]

    @classmethod
    def read(cls, answer: object) -> _Design:
        known = {"mode", "acknowledgements", "fallback_after", "ship_every"}
        if not isinstance(answer, dict) or not answer or not set(answer) <= known:
            raise Unfit
        try:
            bank(**answer).run(0.01)
        except (TypeError, ValueError) as problem:
            raise Unfit(problem.args[0] if problem.args else problem) from None
        return cls(answer)

    def run(self, *faults: Fault) -> Run:
        settings = dict(self.settings)
        return bank(settings.pop("mode", "async"), *faults, **settings).run(_UNTIL)

    def loses(self) -> bool:
        return any(lost_writes(self.run(*faults)) for faults in _TROUBLES.values())

    def stops(self) -> bool:
        return any(_answered(self.run(Crash(node, 2.6))) < 0.9 for node in ("n1", "n2"))

    def is_slow(self) -> bool:
        return bool(self.run().latencies().max() > 1.0)


_TROUBLES: dict[str, tuple[Fault, ...]] = {
    "all well": (),
    "n0 crashes": (Crash("n0", 2.6),),
    "n2 crashes": (Crash("n2", 2.6),),
    "n0 is cut off": (Partition([["n0", "g0"], ["n1", "n2", "operator"]], 2.0, until=7.0),),
}


def _answered(run: Run) -> float:
    """The share of payments that were acknowledged."""
    history = run.history()
    return sum(one.outcome == "ok" for one in history) / len(history)


def the_case(**designs: Any) -> pd.DataFrame:
    """Try designs of the bank: payments lost, and the share acknowledged, in four situations.

    Args:
        designs: {name: settings of `bank`}; one that is still `...` is left out.
    """
    import pandas as pd

    rows = {}
    for name, settings in designs.items():
        if settings is not ...:
            runs = {trouble: _Design.read(settings).run(*faults) for trouble, faults in _TROUBLES.items()}
            rows[name] = {
                trouble: f"{len(lost_writes(run))} lost, {100 * _answered(run):.0f} % acknowledged"
                for trouble, run in runs.items()
            }
    return pd.DataFrame(rows)


keep_the_promise = TrialExercise(
    "replication.keep_the_promise",
    task=(
        "Design. Choose the bank's settings so that no acknowledged payment is lost when any one machine crashes for good or n0 is cut "
        "off; that nine payments of ten are acknowledged although a follower has crashed; and that, with all well, none takes longer "
        'than a second. Your answer is a dict such as `dict(mode="async", ship_every=1.0)`, with some of mode, acknowledgements, '
        "fallback_after, ship_every; `exercises.bank(**answer)` is the scenario."
    ),
    expects='a dict of settings of the bank, such as `dict(mode="async")`',
    success=(
        "That holds. And it has its price: more than half a second instead of 0.05 s for each payment, and silence while no follower answers. Whoever "
        "can't pay that price has to say so to the customers."
    ),
    hints=(
        "Which modes lose nothing when n0 crashes? And which of them can do without a follower?",
        "One follower is enough for this promise. It must be waited for, however long that takes.",
    ),
    solution='answer = dict(mode="semi-sync", acknowledgements=1)',
    read=_Design.read,
    rules=(
        Rule(
            "An acknowledged payment is lost when n0 crashes, or is cut off. Before it says paid, somebody else must have the payment, and "
            "there is no time after which that stops being true.",
            _Design.loses,
            'answer = dict(mode="async", ship_every=1.0)',
            'answer = dict(mode="async")',
            'answer = dict(mode="semi-sync", fallback_after=1.0)',
            misconception=PAID_IS_EVERYWHERE,
        ),
        Rule(
            "Nothing is lost. But when one follower has crashed, payments are not acknowledged any more, since n0 waits for it, too.",
            _Design.stops,
            'answer = dict(mode="sync")',
            'answer = dict(mode="semi-sync", acknowledgements=2)',
            misconception=MORE_COPIES_STAY_UP,
        ),
        Rule(
            "Nothing is lost, and one follower is enough. But with all well some payments take longer than a second: n0 keeps them back to "
            "send several at once, and their customers wait for that.",
            _Design.is_slow,
            'answer = dict(mode="semi-sync", ship_every=0.5)',
        ),
    ),
)
