"""Predictions and exercises of notebook 07."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dscourse.arguments import real, shown
from dscourse.exercises import Exercise, Option, Prediction, WrongExample
from dscourse.fault_tolerance import (
    Decisions,
    k_of_n,
    nines,
    read_scenario,
    reads_answered,
    replicated_service,
    single_points_of_failure,
    system_availability,
)
from dscourse.simulation import Byzantine, Fault, Run

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────────────

mirror_without_checksum = Prediction(
    "faults_and_redundancy.mirror_without_checksum",
    question=(
        "A block is written to two disks. No checksum is kept. One bit of it flips on the first disk, and then somebody "
        "reads the block. What do they get?"
    ),
    options={
        "a": Option(
            "the right bytes: there is a second copy",
            "There is, but who says which of the two is right? Without a checksum a wrong byte looks like any other.",
        ),
        "b": Option(
            "an error message: the copies differ",
            "Only if somebody compares them at every reading, which doubles the work of the disks, and leaves you with two "
            "answers and no judge.",
        ),
        "c": Option(
            "wrong bytes, and nobody notices",
            "Yes. The second copy is there and is never asked. What would have to be kept so that the error is detected?",
        ),
    },
    right="c",
)

what_two_survive = Prediction(
    "faults_and_redundancy.what_two_survive",
    question=(
        "Two replicas hold a value. A front end asks one of them, and after 0.1 s without an answer the other. This "
        "survives the crash of either. Which other faults of one replica does it survive?"
    ),
    options={
        "a": Option(
            "none: it was built against crashes",
            "It was, but the front end doesn't know why no answer comes. What does a lost answer look like to it, and a "
            "late one?",
        ),
        "b": Option(
            "one that loses messages and one that answers too late, but not one that lies",
            "Yes. Lost and late both look like silence, and silence is what it acts on. A lie comes in time.",
        ),
        "c": Option(
            "all: there is always a good replica left",
            "There is. But will the front end ask it? Think of a replica that answers at once, and wrongly.",
        ),
    },
    right="b",
)

three_generals = Prediction(
    "faults_and_redundancy.three_generals",
    question=(
        "Three generals, one of them a traitor. The commander gives an order; the two lieutenants tell each other what they "
        "heard, and each follows the majority (a tie means retreat). Can the traitor do harm?"
    ),
    options={
        "a": Option(
            "no: two loyal generals outvote one traitor",
            "Each lieutenant has two words to go by, the commander's and the other's. How does he outvote one with one?",
        ),
        "b": Option(
            "yes, if he is the commander: he gives two different orders",
            "Then both lieutenants hold one attack and one retreat: a tie for both, and both retreat. They agree. Who else "
            "could it be?",
        ),
        "c": Option(
            "yes, if he is a lieutenant: he lies about the order",
            "Yes. The loyal lieutenant hears attack from one and retreat from the other and can't tell who lies. Which "
            "order must it be for the lie to hurt?",
        ),
    },
    right="c",
)

with_signatures = Prediction(
    "faults_and_redundancy.with_signatures",
    question=(
        "Now every order carries the signature of whoever gave it or passed it on, and nobody can forge the signature of a "
        "loyal general. How many generals do you need to agree in spite of one traitor?"
    ),
    options={
        "a": Option(
            "still four: signatures don't stop anybody from lying",
            "A traitor may still say what he likes. But can he prove it? Think of what the loyal lieutenant sees.",
        ),
        "b": Option(
            "three are enough",
            "Yes. A traitor can hold orders back or, as a commander, sign two, and then the two signatures convict him.",
        ),
        "c": Option(
            "no number will do: with a traitor there is no agreement",
            "It was possible with four and bare words. Signatures can only help.",
        ),
    },
    right="b",
)

work_lost_by_warm = Prediction(
    "faults_and_redundancy.work_lost_by_warm",
    question=(
        "Ten requests a second. The warm standby gets a copy of the state every 5 s. The active server crashes at a random "
        "moment. How many requests that users believe to be done are lost, on average?"
    ),
    options={
        "a": Option(
            "none: a request that was acknowledged is safe",
            "It was acknowledged by the server that is now dead. Who else knew of it?",
        ),
        "b": Option(
            "about 25",
            "Yes: on average half an interval has passed since the last copy. What would you have to change to lose none?",
        ),
        "c": Option(
            "about 50",
            "That is the worst case, a crash just before the next copy. A crash just after one loses almost nothing.",
        ),
    },
    right="b",
)

three_in_a_rack = Prediction(
    "faults_and_redundancy.three_in_a_rack",
    question=(
        "Three replicas, each up 99 % of the time; one is enough. They stand in one rack, which is up 99.9 % of the time. "
        "How many nines has the service?"
    ),
    options={
        "a": Option(
            "about six: 1 − 0.01 × 0.01 × 0.01",
            "That is the product of three independent failures. When the rack goes dark, how independent are they?",
        ),
        "b": Option(
            "about four and a half, between rack and replicas",
            "Availabilities in series don't average. Which of the two is the weaker link?",
        ),
        "c": Option(
            "about three",
            "Yes: the rack is in series with all of it, and a chain is up no more than its weakest link. What would a second "
            "rack give?",
        ),
    },
    right="c",
)

just_after_a_failure = Prediction(
    "faults_and_redundancy.just_after_a_failure",
    question=(
        "A computer of 49 nodes has just had a failure. Compared with a moment at which the last failure was two days ago, "
        "how likely is another one within the next hour?"
    ),
    options={
        "a": Option(
            "just as likely: failures have no memory",
            "That is what an exponential distribution says, and what most formulas assume. See what the record says.",
        ),
        "b": Option(
            "less likely: it has just been repaired",
            "If the repair took away the cause, and the cause was one node's alone. Run it and see whether the record agrees.",
        ),
        "c": Option(
            "more likely",
            "Yes. Causes linger: a repair that didn't work, a bad batch, a heat wave. Which other formulas stop being true?",
        ),
    },
    right="c",
)

five_at_once = Prediction(
    "faults_and_redundancy.five_at_once",
    question=(
        "The 49 nodes of that computer are down 0.4 % of the time each. If they failed independently, five or more would be "
        "down at once two millionths of the time, one minute a year. How much was it on record?"
    ),
    options={
        "a": Option("about a minute a year", "So the product rule says. Remember the gaps of zero hours."),
        "b": Option("about ten minutes a year", "Further. How many nodes does one power cut take?"),
        "c": Option(
            "more than a day a year",
            "Yes. One cause takes many nodes, and then the product of small numbers has nothing to do with it.",
        ),
    },
    right="c",
)

# ── To calculate ──────────────────────────────────────────────────────────────────────────────────────────────────────

ALL_IN_SERIES = (
    "That is what you get if all three web servers must be up. One is enough: they stand in parallel, and are down only "
    "when all three are."
)
NOT_MINUTES = "The availability is right. The question is how many minutes a year it is down: (1 − availability) × 8766 × 60."
HOURS = "Right, in hours. The question is minutes."
SECONDS = "Right, in seconds. The question is minutes."
ALL_PARALLEL = (
    "That is as good as always up: you have put everything in parallel. A request needs the load balancer and a web server "
    "and the database, all three."
)

_CHAIN = 0.9999 * (1 - 0.01**3) * 0.999
_CHAIN_MINUTES = (1 - _CHAIN) * 8766 * 60


def _number(answer: Any) -> float | None:
    """Return the answer as a float, or None if it is no (finite) number; a text such as "571" is none."""
    try:
        return real("answer", answer)
    except (TypeError, ValueError):
        return None


def _not_a_number(answer: object) -> str:
    return f"The answer is one number, in minutes. Yours is {shown(answer)}."


def _check_chain(answer: Any) -> str | None:
    minutes = _number(answer)
    if minutes is None:
        return _not_a_number(answer)
    if abs(minutes - _CHAIN_MINUTES) < 2:
        return None
    if abs(minutes - (1 - 0.9999 * 0.99**3 * 0.999) * 8766 * 60) < 20:
        return ALL_IN_SERIES
    if abs(minutes - _CHAIN) < 1e-4:
        return NOT_MINUTES
    if abs(minutes - _CHAIN_MINUTES / 60) < 0.05:
        return HOURS
    if abs(minutes - _CHAIN_MINUTES * 60) < 120:
        return SECONDS
    if 0 <= minutes < 1:
        return ALL_PARALLEL
    return (
        f"Not {minutes:.6g}. First the web servers: what is the chance that at least one of three is up? Then everything that "
        "a request needs, one after the other."
    )


chain_minutes = Exercise(
    "faults_and_redundancy.chain_minutes",
    task=(
        "Calculate. A request passes one load balancer (99.99 %), any one of three web servers (99 % each) and one database "
        "(99.9 %); failures are independent. How many minutes a year is the service down? Your answer is a number."
    ),
    check=_check_chain,
    success="Right: nine hours and a half, and nearly all of it is the database. A fourth web server would be money burnt.",
    hints=(
        "The three web servers are one part of the chain: parallel(0.99, 0.99, 0.99).",
        "series(0.9999, parallel(0.99, 0.99, 0.99), 0.999) is the availability; downtime_per_year gives seconds.",
    ),
    solution=(
        "from dscourse.fault_tolerance import downtime_per_year, parallel, series\n"
        "answer = downtime_per_year(series(0.9999, parallel(0.99, 0.99, 0.99), 0.999)) / 60"
    ),
    wrong_examples=(
        WrongExample(
            "from dscourse.fault_tolerance import downtime_per_year, series\n"
            "answer = downtime_per_year(series(0.9999, 0.99, 0.99, 0.99, 0.999)) / 60",
            ALL_IN_SERIES,
        ),
        WrongExample("answer = 0.9999 * (1 - 0.01**3) * 0.999", NOT_MINUTES),
        WrongExample("answer = (1 - 0.9999 * (1 - 0.01**3) * 0.999) * 8766", HOURS),
        WrongExample("answer = (1 - 0.9999 * (1 - 0.01**3) * 0.999) * 8766 * 3600", SECONDS),
        WrongExample(
            "from dscourse.fault_tolerance import downtime_per_year, parallel\n"
            "answer = downtime_per_year(parallel(0.9999, 0.99, 0.99, 0.99, 0.999)) / 60",
            ALL_PARALLEL,
        ),
    ),
    expects="a number of minutes",
)

REPAIR_OF_THREE_NINES = "That is the repair time for three nines. Four nines leave ten times less."
REPAIR_IN_HOURS = "Right, in hours. The question is minutes."
WRONG_WAY_ROUND = (
    "That is longer than the month itself. Unavailability is repair / (up + repair): solve it for the repair."
)


def _check_repair(answer: Any) -> str | None:
    minutes = _number(answer)
    if minutes is None:
        return _not_a_number(answer)
    right = 30 * 24 * 60 * 1e-4 / 0.9999
    if abs(minutes - right) < 0.01:
        return None
    if abs(minutes - right * 10) < 0.2:
        return REPAIR_OF_THREE_NINES
    if abs(minutes - right / 60) < 0.002:
        return REPAIR_IN_HOURS
    if minutes > 30 * 24 * 60:
        return WRONG_WAY_ROUND
    return f"Not {minutes:.4g} minutes. Put it in: is 43 200 / (43 200 + {minutes:.4g}) the availability you want?"


minutes_to_repair = Exercise(
    "faults_and_redundancy.minutes_to_repair",
    task=(
        "Calculate. A server runs 30 days on average until it fails. How many minutes may detection, failover and recovery "
        "take together, on average, for four nines? Your answer is a number."
    ),
    check=_check_repair,
    success="Right: four minutes and a bit. No human being reads a page, gets up and logs in within that: it must be automatic.",
    hints=(
        "availability = up / (up + down). Up is 30 · 24 · 60 minutes.",
        "time_to_repair_for(0.9999, 30 * 24 * 60)",
    ),
    solution=(
        "from dscourse.fault_tolerance import time_to_repair_for\nanswer = time_to_repair_for(0.9999, 30 * 24 * 60)"
    ),
    wrong_examples=(
        WrongExample("answer = 30 * 24 * 60 * 0.001", REPAIR_OF_THREE_NINES),
        WrongExample("answer = 30 * 24 * 0.0001", REPAIR_IN_HOURS),
        WrongExample("answer = 30 * 24 * 60 / 0.0001", WRONG_WAY_ROUND),
    ),
    expects="a number of minutes",
)

# ── To code ───────────────────────────────────────────────────────────────────────────────────────────────────────────

HALF_IS_NO_MAJORITY = (
    "With 4 members your group works with 2. Two others might work on their own at the same time: a majority is more than "
    "half, n // 2 + 1."
)
ALL_MUST_BE_UP = "With 3 members at 0.9 you return 0.729: that needs all of them. Two of three are enough."
ANY_IS_ENOUGH = (
    "With 3 members at 0.9 you return 0.999: that needs any one of them. A majority is two of three."
)


def _check_majority(answer: Any) -> str | None:
    if not callable(answer):
        return f"The answer is your function of (members, availability), without brackets. Yours is {shown(answer)}."
    three, four = _number(answer(3, 0.9)), _number(answer(4, 0.9))
    for members, given in ((3, three), (4, four)):
        if given is None:
            again = shown(answer(members, 0.9))
            return f"For {members} members at 0.9 you return {again}; it should be a number."
    if three is not None and abs(three - 0.729) < 1e-9:
        return ALL_MUST_BE_UP
    if three is not None and abs(three - 0.999) < 1e-9:
        return ANY_IS_ENOUGH
    if four is not None and abs(four - k_of_n(2, 4, 0.9)) < 1e-9:
        return HALF_IS_NO_MAJORITY
    for members, availability in ((1, 0.9), (3, 0.9), (4, 0.9), (5, 0.99), (6, 0.99), (7, 0.999)):
        right, given = k_of_n(members // 2 + 1, members, availability), answer(members, availability)
        number = _number(given)
        if number is None or abs(number - right) > 1e-9:
            shown_as = shown(given) if number is None else f"{number:.9g}"
            return f"For {members} members at {availability} you return {shown_as}; it should be {right:.9g}."
    return None


majority_availability = Exercise(
    "faults_and_redundancy.majority_availability",
    task=(
        "Code. Write a function of (members, availability) that returns how often a majority of the members is up. Then compare "
        "three members with four: what did the fourth buy? Your answer is the function."
    ),
    check=_check_majority,
    success="Right. At 0.99 three members have 3.53 nines and four have 3.23: a fourth member makes it worse. Odd sizes only.",
    hints=(
        "How many of 3, of 4, of 5 are more than half?",
        "k_of_n(members // 2 + 1, members, availability)",
    ),
    solution=(
        "from dscourse.fault_tolerance import k_of_n\n\n"
        "def answer(members, availability):\n"
        "    return k_of_n(members // 2 + 1, members, availability)"
    ),
    wrong_examples=(
        WrongExample(
            "from math import ceil\nfrom dscourse.fault_tolerance import k_of_n\n"
            "answer = lambda n, a: k_of_n(ceil(n / 2), n, a)",
            HALF_IS_NO_MAJORITY,
        ),
        WrongExample("answer = lambda n, a: a**n", ALL_MUST_BE_UP),
        WrongExample("answer = lambda n, a: 1 - (1 - a)**n", ANY_IS_ENOUGH),
    ),
    expects="a function of (members, availability)",
)

# ── To design ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BUDGET = 95
REPLICA_PRICE, RACK_PRICE = 10, 15
WANTED_NINES = 5.0


def try_racks(replicas: int, racks: int) -> Any:
    """Return the service of the exercise: two replicas needed, 99 % each, dealt out to racks at 99.9 %."""
    return replicated_service(replicas, needed=2, availability=0.99, racks=racks, rack_availability=0.999)


def _check_racks(answer: Any) -> str | None:
    pair = list(answer) if isinstance(answer, list | tuple) or getattr(answer, "ndim", 0) == 1 else []
    counts = [_number(each) for each in pair]
    if len(counts) != 2 or any(each is None or each != int(each) for each in counts):
        return f"The answer is a pair (replicas, racks) of whole numbers, such as (4, 2). Yours is {shown(answer)}."
    replicas, racks = (int(each) for each in pair)
    if racks < 1:
        return "The replicas must stand somewhere: at least one rack."
    if replicas < 2:
        return "The load needs two replicas up, so there must be at least two."
    price = replicas * REPLICA_PRICE + racks * RACK_PRICE
    if price > BUDGET:
        return f"{replicas} replicas in {racks} racks cost {price}; the budget is {BUDGET}. Is every rack worth a replica and a half?"
    service = try_racks(replicas, racks)
    alone = [part.name for part in single_points_of_failure(service)]
    if racks == 1:
        return "Everything stands in one rack: up to 99.9 % and no further, however many replicas there are. Spread them."
    if alone:
        return (
            f"{', '.join(alone)} is a single point of failure: without it fewer than two replicas are left. Count what each "
            "rack takes with it."
        )
    reached = nines(system_availability(service))
    if reached < WANTED_NINES:
        return f"No single point of failure, but {reached:.2f} nines; five are wanted. What if a rack and a replica fail together?"
    return None


five_nines_of_racks = Exercise(
    "faults_and_redundancy.five_nines_of_racks",
    task=(
        "Design. The load needs two replicas up. A replica is up 99 % of the time and costs 10; a rack is up 99.9 % and costs "
        "15; replicas are dealt out to the racks in turn. Reach five nines without a single point of failure, for at most 95. "
        "Your answer is (replicas, racks). `exercises.try_racks(replicas, racks)` builds it, so that you can draw it."
    ),
    check=_check_racks,
    success="That holds: any rack may go dark, and a replica with it. Did you see that there are two ways within the budget?",
    hints=(
        "If one rack fails, how many replicas are left? And if one more replica is down at that time?",
        "Two racks need three replicas each. Three racks manage with fewer.",
    ),
    solution="answer = (5, 3)",
    wrong_examples=(
        WrongExample(
            "answer = (6, 1)",
            "Everything stands in one rack: up to 99.9 % and no further, however many replicas there are. Spread them.",
        ),
        WrongExample(
            "answer = (3, 2)",
            "rack A is a single point of failure: without it fewer than two replicas are left. Count what each rack takes "
            "with it.",
        ),
        WrongExample(
            "answer = (4, 2)",
            "No single point of failure, but 4.35 nines; five are wanted. What if a rack and a replica fail together?",
        ),
        WrongExample(
            "answer = (4, 4)",
            "4 replicas in 4 racks cost 100; the budget is 95. Is every rack worth a replica and a half?",
        ),
    ),
    expects="a pair (replicas, racks)",
)

# ── To break ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TRAITOR_IN_COMMAND = (
    "Both conditions hold. A commander who gives two orders leaves both lieutenants with a tie, and both retreat. Try a "
    "traitor among the lieutenants."
)
A_TIE_HELPS = (
    "Both conditions hold: the loyal lieutenant sees a tie and retreats, which is what was ordered. Which order does a tie "
    "not obey?"
)
NO_LIE_TOLD = "Both conditions hold: your traitor has told the truth. What must he say about the order?"


def _check_treason(answer: Any) -> str | None:
    if not isinstance(answer, Decisions):
        return f"The answer is what oral_messages(3, …) returns. Yours is {shown(answer)}."
    if answer.algorithm != "OM" or answer.generals != 3 or len(answer.traitors) != 1 or answer.rounds != 1:
        return "It should be OM(1) with three generals and one traitor: oral_messages(3, {1}, …)."
    if not answer.hold:
        return None
    if 0 in answer.traitors:
        return TRAITOR_IN_COMMAND
    return A_TIE_HELPS if answer.order == "retreat" else NO_LIE_TOLD


break_three_generals = Exercise(
    "faults_and_redundancy.break_three_generals",
    task=(
        "Break it by hand. With three generals and one traitor, choose a traitor, an order and a lie so that IC1 or IC2 "
        'breaks. A lie is `{((0, 2), 1): "attack"}`: general 2 tells 1 that the commander said attack. '
        "Your answer is `oral_messages(3, {traitor}, order, lies={…})`."
    ),
    check=_check_treason,
    success="Broken. The loyal lieutenant heard one attack and one retreat, and had no way to know which of the two lied.",
    hints=(
        "A tie means retreat. Which order is disobeyed by a tie?",
        "Let general 1 be the traitor, the order attack, and his word to general 2 retreat.",
    ),
    solution=(
        "from dscourse.fault_tolerance import oral_messages\n"
        'answer = oral_messages(3, {1}, "attack", lies={((0, 1), 2): "retreat"})'
    ),
    wrong_examples=(
        WrongExample(
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {0}, "attack", lies={((0,), 1): "attack", ((0,), 2): "retreat"})',
            TRAITOR_IN_COMMAND,
        ),
        WrongExample(
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {1}, "retreat", lies={((0, 1), 2): "attack"})',
            A_TIE_HELPS,
        ),
        WrongExample(
            "from dscourse.fault_tolerance import oral_messages\n"
            'answer = oral_messages(3, {1}, "attack", lies={((0, 1), 2): "attack"})',
            NO_LIE_TOLD,
        ),
    ),
    expects="what oral_messages(3, …) returns",
)

TWO_ARE_FAULTY = "Your faults touch r1 and r2. The promise is about one faulty replica: with both gone there is nothing left to tolerate with."
IT_HOLDS = (
    "All reads were answered, rightly and in time. Silence and delay are what the front end is built to survive. What does "
    "it believe without asking?"
)
NEVER_ASKED = (
    "All reads were answered: r1 is up and in time, so the front end never asks r2. Who answers first?"
)
NOT_A_LIST = 'The answer is a list of faults, such as [Crash("r1", at=1.0)].'
FRONT_END = "Leave the front end alone: the promise is about faults of a replica."


def try_faults(faults: Sequence[Fault]) -> Run:
    """Run the replicated reads of this notebook, two replicas, with some faults for six seconds."""
    return read_scenario(2, attempts=2).with_faults(*faults).run(6.0)


def _check_one_fault(answer: Any) -> str | None:
    if (
        not isinstance(answer, list | tuple)
        or not answer
        or not all(isinstance(each, Fault) for each in answer)
    ):
        return NOT_A_LIST
    touched = [set(fault.nodes) for fault in answer]
    replicas = set().union(*touched) & {"r1", "r2"}
    if len(replicas) > 1:
        return TWO_ARE_FAULTY
    if any(not nodes & replicas or nodes - {"r1", "r2", "front"} for nodes in touched):
        return FRONT_END
    if reads_answered(try_faults(answer)):
        return None
    return (
        NEVER_ASKED
        if replicas == {"r2"} and any(isinstance(each, Byzantine) for each in answer)
        else IT_HOLDS
    )


break_with_one_replica = Exercise(
    "faults_and_redundancy.break_with_one_replica",
    task=(
        "Break it. Two replicas, r1 and r2, tolerate a crash, lost messages and late answers of one of them. Find faults of "
        "a single replica that still break the promise. Your answer is a list of faults; `exercises.try_faults(answer)` runs it, "
        "and `reads_answered(run)` says what was wrong with the run."
    ),
    check=_check_one_fault,
    success='Broken, by one node and without a second of silence. "Tolerant" had a missing half: to which kind of fault?',
    hints=(
        "Which kind of fault sends an answer in time?",
        'Byzantine("r1", Corrupt(), at=1.0) spoils the fields of what r1 sends.',
    ),
    solution='from dscourse.simulation import Byzantine, Corrupt\nanswer = [Byzantine("r1", Corrupt(), at=1.0)]',
    wrong_examples=(
        WrongExample('from dscourse.simulation import Crash\nanswer = [Crash("r1", at=1.0)]', IT_HOLDS),
        WrongExample(
            'from dscourse.simulation import Slow\nanswer = [Slow(100, at=1.0, node="r2")]', IT_HOLDS
        ),
        WrongExample(
            'from dscourse.simulation import Crash\nanswer = [Crash("r1", at=1.0), Crash("r2", at=2.0)]',
            TWO_ARE_FAULTY,
        ),
        WrongExample('answer = "crash r1"', NOT_A_LIST),
        WrongExample('from dscourse.simulation import Crash\nanswer = [Crash("front", at=1.0)]', FRONT_END),
    ),
    expects="a list of faults",
)
