"""Predictions and exercises of notebook 07."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from dscourse.arguments import real
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    FunctionExercise,
    Misconception,
    Mistake,
    NumberExercise,
    Rule,
    TrialExercise,
    Unfit,
    tried_with,
)
from dscourse.fault_tolerance import (
    Decisions,
    nines,
    read_scenario,
    reads_answered,
    replicated_service,
    single_points_of_failure,
    system_availability,
)
from dscourse.simulation import Byzantine, Fault, Run

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────────────

A_COPY_NOTICES = Misconception(
    "faults_and_redundancy.a_copy_notices",
    belief="A second copy makes errors known.",
    question=("Two copies differ, and there is no checksum. Which of them is right?"),
    answer="Nobody can say, and mostly nobody compares them. Detection has to be built, too.",
)
THE_GOOD_ONES_PREVAIL = Misconception(
    "faults_and_redundancy.the_good_ones_prevail",
    belief="As long as more parts are good than bad, the good ones prevail.",
    question=("You hold two statements, one of them a lie. How does a majority help?"),
    answer="It doesn't: one against one. A vote needs so many honest words that no lie can tie it.",
)
ACKNOWLEDGED_IS_SAFE = Misconception(
    "faults_and_redundancy.acknowledged_is_safe",
    belief="What was acknowledged is safe.",
    question=("A server acknowledges, and crashes before it has told its standby. Who knows of the request?"),
    answer="Only the client. It is lost, although it was acknowledged.",
)
FAILURES_ARE_INDEPENDENT = Misconception(
    "faults_and_redundancy.failures_are_independent",
    belief="Parts fail independently of each other.",
    question=(
        "Two copies, each down one hour in a thousand, on one power feed that is down as often. How often is the "
        "service down?"
    ),
    answer="At least one hour in a thousand: the feed takes both. The product, one in a million, leaves it out.",
)
MISCONCEPTIONS = (
    A_COPY_NOTICES,
    THE_GOOD_ONES_PREVAIL,
    ACKNOWLEDGED_IS_SAFE,
    FAILURES_ARE_INDEPENDENT,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────────────

mirror_without_checksum = ChoicePrediction(
    "faults_and_redundancy.mirror_without_checksum",
    question=(
        "A block is written to two disks. No checksum is kept. One bit of it flips on the first disk, and then somebody "
        "reads the block. What do they get?"
    ),
    right=Expectation(
        "wrong bytes, and nobody notices",
        "The second copy is there and is never asked. What would have to be kept so that the error is detected?",
    ),
    wrong=(
        Expectation(
            "the right bytes: there is a second copy",
            "There is, but who says which of the two is right? Without a checksum a wrong byte looks like any other.",
            A_COPY_NOTICES,
        ),
        Expectation(
            "an error message: the copies differ",
            "Only if somebody compares them at every reading, which doubles the work of the disks, and leaves you with two "
            "answers and no judge.",
            A_COPY_NOTICES,
        ),
    ),
)

what_two_survive = ChoicePrediction(
    "faults_and_redundancy.what_two_survive",
    question=(
        "Two replicas hold a value. A front end asks one of them, and after 0.1 s without an answer the other. This "
        "survives the crash of either. Which other faults of one replica does it survive?"
    ),
    right=Expectation(
        "one that loses messages and one that answers too late, but not one that lies",
        "Lost and late both look like silence, and silence is what it acts on. A lie comes in time.",
    ),
    wrong=(
        Expectation(
            "none: it was built against crashes",
            "It was, but the front end doesn't know why no answer comes. What does a lost answer look like to it, and a "
            "late one?",
        ),
        Expectation(
            "all: there is always a good replica left",
            "There is. But will the front end ask it? Think of a replica that answers at once, and wrongly.",
            THE_GOOD_ONES_PREVAIL,
        ),
    ),
)

three_generals = ChoicePrediction(
    "faults_and_redundancy.three_generals",
    question=(
        "Three generals, one of them a traitor. The commander gives an order; the two lieutenants tell each other what they "
        "heard, and each follows the majority (a tie means retreat). Can the traitor do harm?"
    ),
    right=Expectation(
        "yes, if he is a lieutenant: he lies about the order",
        "The loyal lieutenant hears attack from one and retreat from the other and can't tell who lies. Which "
        "order must it be for the lie to hurt?",
    ),
    wrong=(
        Expectation(
            "no: two loyal generals outvote one traitor",
            "Each lieutenant has two words to go by, the commander's and the other's. How does he outvote one with one?",
            THE_GOOD_ONES_PREVAIL,
        ),
        Expectation(
            "yes, if he is the commander: he gives two different orders",
            "Then both lieutenants hold one attack and one retreat: a tie for both, and both retreat. They agree. Who else "
            "could it be?",
        ),
    ),
)

with_signatures = ChoicePrediction(
    "faults_and_redundancy.with_signatures",
    question=(
        "Now every order carries the signature of whoever gave it or passed it on, and nobody can forge the signature of a "
        "loyal general. How many generals do you need to agree in spite of one traitor?"
    ),
    right=Expectation(
        "three are enough",
        "A traitor can hold orders back or, as a commander, sign two, and then the two signatures convict him.",
    ),
    wrong=(
        Expectation(
            "still four: signatures don't stop anybody from lying",
            "A traitor may still say what he likes. But can he prove it? Think of what the loyal lieutenant sees.",
        ),
        Expectation(
            "no number will do: with a traitor there is no agreement",
            "It was possible with four and bare words. Signatures can only help.",
        ),
    ),
)

work_lost_by_warm = ChoicePrediction(
    "faults_and_redundancy.work_lost_by_warm",
    question=(
        "Ten requests a second. The warm standby gets a copy of the state every 5 s. The active server crashes at a random "
        "moment. How many requests that users believe to be done are lost, on average?"
    ),
    right=Expectation(
        "about 25",
        "On average half an interval has passed since the last copy. What would you have to change to lose none?",
    ),
    wrong=(
        Expectation(
            "none: a request that was acknowledged is safe",
            "It was acknowledged by the server that is now dead. Who else knew of it?",
            ACKNOWLEDGED_IS_SAFE,
        ),
        Expectation(
            "about 50",
            "That is the worst case, a crash just before the next copy. A crash just after one loses almost nothing.",
        ),
    ),
)

three_in_a_rack = ChoicePrediction(
    "faults_and_redundancy.three_in_a_rack",
    question=(
        "Three replicas, each up 99 % of the time; one is enough. They stand in one rack, which is up 99.9 % of the time. "
        "How many nines has the service?"
    ),
    right=Expectation(
        "about three",
        "The rack is in series with all of it, and a chain is up no more than its weakest link. What would a second "
        "rack give?",
    ),
    wrong=(
        Expectation(
            "about six: 1 − 0.01 × 0.01 × 0.01",
            "That is the product of three independent failures. When the rack goes dark, how independent are they?",
            FAILURES_ARE_INDEPENDENT,
        ),
        Expectation(
            "about four and a half, between rack and replicas",
            "Availabilities in series don't average. Which of the two is the weaker link?",
        ),
    ),
)

just_after_a_failure = ChoicePrediction(
    "faults_and_redundancy.just_after_a_failure",
    question=(
        "A computer of 49 nodes has just had a failure. Compared with a moment at which the last failure was two days ago, "
        "how likely is another one within the next hour?"
    ),
    right=Expectation(
        "more likely",
        "Causes linger: a repair that didn't work, a bad batch, a heat wave. Which other formulas stop being true?",
    ),
    wrong=(
        Expectation(
            "just as likely: failures have no memory",
            "That is what an exponential distribution says, and what most formulas assume. See what the record says.",
            FAILURES_ARE_INDEPENDENT,
        ),
        Expectation(
            "less likely: it has just been repaired",
            "If the repair took away the cause, and the cause was one node's alone. See whether the record agrees.",
        ),
    ),
)

five_at_once = ChoicePrediction(
    "faults_and_redundancy.five_at_once",
    question=(
        "The 49 nodes of that computer are down 0.4 % of the time each. If they failed independently, five or more would be "
        "down at once two millionths of the time, one minute a year. How much was it on record?"
    ),
    right=Expectation(
        "more than a day a year",
        "One cause takes many nodes, and then the product of small numbers has nothing to do with it.",
    ),
    wrong=(
        Expectation(
            "about a minute a year",
            "So the product rule says. Remember the gaps of zero hours.",
            FAILURES_ARE_INDEPENDENT,
        ),
        Expectation("about ten minutes a year", "Further. How many nodes does one power cut take?"),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_ALL_PARALLEL = (
    "That is as good as always up: you have put everything in parallel. A request needs the load balancer and a web server "
    "and the database, all three."
)

chain_minutes = NumberExercise(
    "faults_and_redundancy.chain_minutes",
    task=(
        "Calculate. A request passes one load balancer (99.99 %), any one of three web servers (99 % each) and one database "
        "(99.9 %); failures are independent. How many minutes a year is the service down? Your answer is a number."
    ),
    expects="a number of minutes",
    success="Right: 9 hours and 39 minutes, and nearly all of it is the database. A fourth web server would be money burnt.",
    hints=(
        "The three web servers are one part of the chain: parallel(0.99, 0.99, 0.99).",
        "`series` takes the availabilities of all that a request needs; downtime_per_year gives seconds.",
    ),
    solution=(
        "from dscourse.fault_tolerance import downtime_per_year, parallel, series\n"
        "answer = downtime_per_year(series(0.9999, parallel(0.99, 0.99, 0.99), 0.999)) / 60"
    ),
    mistakes=(
        Mistake(
            "from dscourse.fault_tolerance import downtime_per_year, series\n"
            "answer = downtime_per_year(series(0.9999, 0.99, 0.99, 0.99, 0.999)) / 60",
            "That is what you get if all three web servers must be up. One is enough: they stand in parallel, and are down only "
            "when all three are.",
        ),
        Mistake(
            "answer = 0.9999 * (1 - 0.01**3) * 0.999",
            "The availability is right. The question is how many minutes a year it is down: (1 − availability) × 8766 × 60.",
        ),
        Mistake(
            "answer = (1 - 0.9999 * (1 - 0.01**3) * 0.999) * 8766",
            "Right, in hours. The question is minutes.",
        ),
        Mistake(
            "answer = (1 - 0.9999 * (1 - 0.01**3) * 0.999) * 8766 * 3600",
            "Right, in seconds. The question is minutes.",
        ),
        Mistake(
            "from dscourse.fault_tolerance import downtime_per_year, parallel\n"
            "answer = downtime_per_year(parallel(0.9999, 0.99, 0.99, 0.99, 0.999)) / 60",
            _ALL_PARALLEL,
        ),
        Mistake("answer = 0", _ALL_PARALLEL),
    ),
    otherwise=(
        "Not {answer}. First the web servers: what is the chance that at least one of three is up? Then everything that a request "
        "needs, one after the other."
    ),
    tolerance=0.0035,
)

_WRONG_WAY_ROUND = "That is as long as the month itself, or longer. Unavailability is repair / (up + repair): solve it for the repair."

minutes_to_repair = NumberExercise(
    "faults_and_redundancy.minutes_to_repair",
    task=(
        "Calculate. A server runs 30 days on average until it fails. How many minutes may detection, failover and recovery "
        "take together, on average, for four nines? Your answer is a number."
    ),
    expects="a number of minutes",
    success="Right: four minutes and a bit. No human being reads a page, gets up and logs in within that: it must be automatic.",
    hints=(
        "availability = up / (up + down). Up is 30 · 24 · 60 minutes.",
        "Solve it for the time down, or ask `time_to_repair_for`.",
    ),
    solution="from dscourse.fault_tolerance import time_to_repair_for\nanswer = time_to_repair_for(0.9999, 30 * 24 * 60)",
    mistakes=(
        Mistake(
            "answer = 30 * 24 * 60 * 0.001",
            "That is the repair time for three nines. Four nines leave ten times less.",
        ),
        Mistake("answer = 30 * 24 * 0.0001", "Right, in hours. The question is minutes."),
        Mistake("answer = 30 * 24 * 60 / 0.0001", _WRONG_WAY_ROUND),
        Mistake("answer = 30 * 24 * 60 * 0.9999", _WRONG_WAY_ROUND),
    ),
    otherwise="Not {answer} minutes. Put it in: is 43 200 / (43 200 + {answer}) the availability you want, and no more than that?",
    accepts=(4.295, 4.3205),  # rounded to 4.3 it is still four nines; 4.33 is not
    tolerance=0.005,
)

majority_availability = FunctionExercise(
    "faults_and_redundancy.majority_availability",
    task=(
        "Code. Write a function of (members, availability) that returns how often a majority of the members is up. Then compare "
        "three members with four: what did the fourth buy? Your answer is the function."
    ),
    expects="your function of (members, availability), without brackets; it returns a number",
    success="Right. At 0.99 three members have 3.53 nines and four have 3.23: a fourth member makes it worse. Odd sizes only.",
    hints=(
        "How many of 3, of 4, of 5 are more than half?",
        "`k_of_n(k, n, availability)` does the calculation. Which k is a majority of n?",
    ),
    solution=(
        "from dscourse.fault_tolerance import k_of_n\n\n"
        "def answer(members, availability):\n"
        "    return k_of_n(members // 2 + 1, members, availability)"
    ),
    cases=((3, 0.9), (4, 0.9), (1, 0.9), (5, 0.99), (6, 0.99), (7, 0.999)),
    mistakes=(
        Mistake(
            "from math import ceil\nfrom dscourse.fault_tolerance import k_of_n\nanswer = lambda n, a: k_of_n(ceil(n / 2), n, a)",
            "With 4 members your group works with 2. Two others might work on their own at the same time: a majority is more than "
            "half, n // 2 + 1.",
        ),
        Mistake(
            "answer = lambda n, a: a**n",
            "With 3 members at 0.9 you return 0.729: that needs all of them. Two of three are enough.",
        ),
        Mistake(
            "answer = lambda n, a: 1 - (1 - a)**n",
            "With 3 members at 0.9 you return 0.999: that needs any one of them. A majority is two of three.",
        ),
        Mistake(
            "from math import comb\n"
            "def answer(members, availability):\n"
            "    k = members // 2 + 1\n"
            "    return comb(members, k) * availability**k * (1 - availability) ** (members - k)",
            "That is how often exactly a majority is up, and no member more. All of them up is a majority, too.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}; it should be {right}.",
    tolerance=1e-9,
)

BUDGET = 95
REPLICA_PRICE, RACK_PRICE = 10, 15


def try_racks(replicas: int, racks: int) -> Any:
    """Return the service of the exercise: two replicas needed, 99 % each, dealt out to racks at 99.9 %."""
    return replicated_service(replicas, needed=2, availability=0.99, racks=racks, rack_availability=0.999)


class _Racks:
    """A number of replicas in a number of racks."""

    def __init__(self, answer: Any) -> None:
        pair = answer.tolist() if isinstance(answer, np.ndarray) else answer
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Unfit
        try:
            counts = [real("each of the two", each) for each in pair]
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None
        if any(count != int(count) for count in counts):
            raise Unfit("neither of the two can be had in part")
        self.replicas, self.racks = map(int, counts)
        self.price = self.replicas * REPLICA_PRICE + self.racks * RACK_PRICE

    def alone(self) -> str:
        service = try_racks(self.replicas, self.racks)
        return ", ".join(part.name for part in single_points_of_failure(service))

    def nines(self) -> float:
        return nines(system_availability(try_racks(self.replicas, self.racks)))


five_nines_of_racks = TrialExercise(
    "faults_and_redundancy.five_nines_of_racks",
    task=(
        "Design. The load needs two replicas up. A replica is up 99 % of the time and costs 10; a rack is up 99.9 % and costs "
        "15; replicas are dealt out to the racks in turn. Reach five nines without a single point of failure, for at most 95. "
        "Your answer is (replicas, racks). `exercises.try_racks(replicas, racks)` builds it, so that you can draw it."
    ),
    expects="a pair (replicas, racks) of whole numbers, such as (4, 2)",
    success="That holds: any rack may go dark, and a replica with it. Did you see that there are two ways within the budget?",
    hints=(
        "If one rack fails, how many replicas are left? And if one more replica is down at that time?",
        "After the loss of a rack, three replicas should be left. How many does that take with two racks, how many with three?",
    ),
    solution="answer = (5, 3)",
    read=_Racks,
    rules=(
        Rule(
            "The replicas must stand somewhere: at least one rack.",
            lambda design: design.racks < 1,
            "answer = (7, 0)",
            "answer = (7, -100)",
        ),
        Rule(
            "The load needs two replicas up, so there must be at least two.",
            lambda design: design.replicas < 2,
            "answer = (1, 1)",
        ),
        Rule(
            lambda design: (
                f"{design.replicas} replicas in {design.racks} racks cost {design.price}; the budget is {BUDGET}. Is every rack "
                "worth a replica and a half?"
            ),
            lambda design: design.price > BUDGET,
            "answer = (4, 4)",
        ),
        Rule(
            "Everything stands in one rack: up to 99.9 % and no further, however many replicas there are. Spread them.",
            lambda design: design.racks == 1,
            "answer = (6, 1)",
        ),
        Rule(
            lambda design: (
                f"{design.alone()} is a single point of failure: without it fewer than two replicas are left. Count what each rack "
                "takes with it."
            ),
            lambda design: bool(design.alone()),
            "answer = (3, 2)",
        ),
        Rule(
            lambda design: (
                f"No single point of failure, but {design.nines():.2f} nines; five are wanted. What if a rack and a replica fail "
                "together?"
            ),
            lambda design: design.nines() < 5.0,
            "answer = (4, 2)",
        ),
    ),
)


def _three_generals(answer: object) -> Decisions:
    if not isinstance(answer, Decisions):
        raise Unfit
    if answer.algorithm != "OM" or answer.generals != 3 or len(answer.traitors) != 1 or answer.rounds != 1:
        raise Unfit("it should be OM(1) with three generals and one traitor, oral_messages(3, {1}, …)")
    return answer


break_three_generals = TrialExercise(
    "faults_and_redundancy.break_three_generals",
    task=(
        "Break it by hand. With three generals and one traitor, choose a traitor, an order and a lie so that IC1 or IC2 "
        'breaks. A lie is `{((0, 2), 1): "attack"}`: general 2 tells 1 that the commander said attack. '
        "Your answer is `oral_messages(3, {traitor}, order, lies={…})`."
    ),
    expects="what oral_messages(3, …) returns",
    success="Broken. The loyal lieutenant heard one attack and one retreat, and had no way to know which of the two lied.",
    hints=(
        "A tie means retreat. Which order is disobeyed by a tie?",
        "Let a lieutenant be the traitor. What must the loyal one hear from him, against what he heard from the commander?",
    ),
    solution=(
        "from dscourse.fault_tolerance import oral_messages\n"
        'answer = oral_messages(3, {1}, "attack", lies={((0, 1), 2): "retreat"})'
    ),
    read=_three_generals,
    rules=(
        Rule(
            "Both conditions hold. A commander who gives two orders leaves both lieutenants with a tie, and both retreat. Try a "
            "traitor among the lieutenants.",
            lambda decided: decided.hold and 0 in decided.traitors,
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {0}, "attack", lies={((0,), 1): "attack", ((0,), 2): "retreat"})',
        ),
        Rule(
            "Both conditions hold: the loyal lieutenant sees a tie and retreats, which is what was ordered. Which order does a tie "
            "not obey?",
            lambda decided: decided.hold and decided.order == "retreat",
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {1}, "retreat", lies={((0, 1), 2): "attack"})',
        ),
        Rule(
            "Both conditions hold: your traitor has told the truth. What must he say about the order?",
            lambda decided: decided.hold,
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {1}, "attack", lies={((0, 1), 2): "attack"})',
        ),
    ),
)


def try_faults(faults: Sequence[Fault]) -> Run:
    """Run the replicated reads of this notebook, two replicas, with some faults for six seconds."""
    return read_scenario(2, attempts=2).with_faults(*faults).run(6.0)


def _replicas_touched(run: Run) -> set[str]:
    return {node for fault in run.scenario.faults for node in fault.nodes} & {"r1", "r2"}


def _touches_others(run: Run) -> bool:
    touched = [set(fault.nodes) for fault in run.scenario.faults]
    return any(not nodes & {"r1", "r2"} or nodes - {"r1", "r2", "front"} for nodes in touched)


break_with_one_replica = TrialExercise(
    "faults_and_redundancy.break_with_one_replica",
    task=(
        "Break it. Two replicas, r1 and r2, tolerate a crash, lost messages and late answers of one of them. Find faults of "
        "a single replica that still break the promise. Your answer is a list of faults, taken from dscourse.simulation: "
        '`Crash("r1", at=1.0)`, `Pause("r1", at=1.0)`, `Slow(100, at=1.0, node="r1")`, `Lossy(0.5, at=1.0, link=("front", "r1"))`, or '
        "`Byzantine(node, behaviour, at=1.0)`, where the behaviour is `Silent()` or `Corrupt()`, which spoils the fields of what is "
        "sent. `exercises.try_faults(answer)` runs it, and `reads_answered(run)` says what was wrong with the run."
    ),
    expects='a list of faults, such as `[Crash("r1", at=1.0)]`',
    success='Broken, by one node and without a second of silence. "Tolerant" had a missing half: to which kind of fault?',
    hints=(
        "Which kind of fault sends an answer in time?",
        "The front end believes whoever answers first. Which of the two replicas does it ask first?",
    ),
    solution='from dscourse.simulation import Byzantine, Corrupt\nanswer = [Byzantine("r1", Corrupt(), at=1.0)]',
    read=partial(tried_with, try_faults),
    rules=(
        Rule(
            "Your faults touch r1 and r2. The promise is about one faulty replica: with both gone there is nothing left to tolerate with.",
            lambda run: len(_replicas_touched(run)) > 1,
            'from dscourse.simulation import Crash\nanswer = [Crash("r1", at=1.0), Crash("r2", at=2.0)]',
        ),
        Rule(
            "Leave the front end alone: the promise is about faults of a replica.",
            _touches_others,
            'from dscourse.simulation import Crash\nanswer = [Crash("front", at=1.0)]',
            'from dscourse.simulation import Lossy\nanswer = [Lossy(1.0, at=0.0, link=("c0", "front"))]',
            "from dscourse.simulation import Lossy\nanswer = [Lossy(1.0, at=1.0)]",
            "from dscourse.simulation import Lossy, Slow\n"
            'answer = [Lossy(1.0, at=1.0, link=("front", "r1")), Slow(100, at=1.0)]',
            'from dscourse.simulation import Crash\nanswer = [Crash("r1", at=1.0), Crash("front", at=2.0)]',
        ),
        Rule(
            "All reads were answered: r1 is up and in time, so the front end never asks r2. Who answers first?",
            lambda run: (
                not reads_answered(run)
                and _replicas_touched(run) == {"r2"}
                and any(isinstance(fault, Byzantine) for fault in run.scenario.faults)
            ),
            'from dscourse.simulation import Byzantine, Corrupt\nanswer = [Byzantine("r2", Corrupt(), at=0.0)]',
        ),
        Rule(
            "All reads were answered, rightly and in time. Silence and delay are what the front end is built to survive. What does "
            "it believe without asking?",
            lambda run: not reads_answered(run),
            'from dscourse.simulation import Crash\nanswer = [Crash("r1", at=1.0)]',
            'from dscourse.simulation import Slow\nanswer = [Slow(100, at=1.0, node="r2")]',
            'from dscourse.simulation import Byzantine, Silent\nanswer = [Byzantine("r1", Silent(), at=1.0)]',
        ),
    ),
)
