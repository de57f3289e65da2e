"""Predictions and exercises of notebook 02."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse.arguments import whole
from dscourse.exercises import (
    ChoicePrediction,
    CurvePrediction,
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
from dscourse.exercises.nodes.scaling_up_and_out import autoscaler
from dscourse.scaling import Machine, machine_named
from dscourse.services import rolling_upgrade
from dscourse.simulation import Crash, Run
from dscourse.views import Task, Visit

__all__ = ["autoscaler"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

A_CLUSTER_IS_FASTER = Misconception(
    "scaling_up_and_out.a_cluster_is_faster",
    belief="A cluster is faster than one machine.",
    question="A program takes ten minutes on a cluster of 128 cores. What do you have to know before you call that fast?",
    answer="How long a good program takes on one of them: clusters pay for talking to each other, and it may be more than they win.",
)
BIG_IS_DEAR = Misconception(
    "scaling_up_and_out.big_is_dear",
    belief="A machine twice as large costs more than twice as much.",
    question="Two machines of one family, one with four times the cores of the other. How do their prices compare?",
    answer="Four to one. Only the very largest machines cost more for each core or GiB.",
)
A_SPARE_IS_ONE_NTH = Misconception(
    "scaling_up_and_out.a_spare_is_one_nth",
    belief="Of n machines, being able to lose one costs an nth.",
    question="Three equal machines are to do the work even if one fails. How much more than the work needs do you buy?",
    answer="Half as much again: two must suffice, and you have three.",
)
ROLLING_IS_FREE = Misconception(
    "scaling_up_and_out.rolling_is_free",
    belief="Upgraded one by one, servers are never missed.",
    question="You stop one of ten servers and tell nobody. What becomes of the requests?",
    answer="A tenth of them goes to a server that isn't there, until whoever sends them is told, or notices.",
)
MORE_NEVER_HURTS = Misconception(
    "scaling_up_and_out.more_never_hurts",
    belief="One more machine can't make it worse.",
    question="Each server keeps a thread for every other one. What does one more server cost each of those that are there?",
    answer="A thread. When that was the last one they may have, it costs all of them everything.",
)
IDLE_IS_TOO_MANY = Misconception(
    "scaling_up_and_out.idle_is_too_many",
    belief="Idle processors mean that there are too many machines.",
    question="The processors of a service are idle, and its queue grows. What may be going on?",
    answer="It waits for something else: a database, a disk, a network. Fewer machines would make it worse.",
)
THE_RENT_IS_THE_BILL = Misconception(
    "scaling_up_and_out.the_rent_is_the_bill",
    belief="What a machine costs is its rent.",
    question="Software is paid by the core. Which machine is cheap for it?",
    answer="One whose cores are all busy, and a small spare: an idle core pays its licence too, at many times the rent.",
)
MISCONCEPTIONS = (
    A_CLUSTER_IS_FASTER,
    BIG_IS_DEAR,
    A_SPARE_IS_ONE_NTH,
    ROLLING_IS_FREE,
    MORE_NEVER_HURTS,
    IDLE_IS_TOO_MANY,
    THE_RENT_IS_THE_BILL,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

one_laptop = NumberPrediction(
    "scaling_up_and_out.one_laptop",
    question=(
        "Which of 42 million users of Twitter are connected with each other, over 1.5 billion links? The fastest of four clusters "
        "with 128 cores needs 200 s. How long does the best program take on one core of a laptop?"
    ),
    scale=(0, 1000),
    step=5,
    unit="s",
    near=40,
    right="One core, and an algorithm that these clusters can't express. What would you have to measure before you buy a cluster?",
    typical={
        1000: Expectation(
            "longer than this scale: 128 times the cluster's time, 25 600 s",
            "That would hold if the cluster lost nothing by being one. But its cores spend most of their time on sending, waiting "
            "and unpacking; the one core has only the work.",
            A_CLUSTER_IS_FASTER,
        ),
        200: Expectation(
            "as long as the cluster",
            "You don't trust clusters, and still too much: a single core may use an algorithm that these clusters can't express.",
        ),
    },
    otherwise="Sending, waiting and unpacking cost a cluster more than it gains here; and one core may use a better algorithm.",
)

price_of_a_core = CurvePrediction(
    "scaling_up_and_out.price_of_a_core",
    question=(
        "You rent machines of one family, from 2 cores to 384. What does a core cost an hour, compared with one in the smallest "
        "machine? Draw it: 1 is the same."
    ),
    at=(2, 8, 32, 128, 384),
    scale=(0.0, 3.0),
    step=0.1,
    across="cores of the machine",
    along="price of a core, smallest machine = 1",
    near=0.2,
    right="Flat: twice the machine, twice the price. So what do people mean who say that scaling up is expensive?",
    otherwise=Expectation(
        "a curve that rises, or falls",
        "Big machines used to be dear, and books still say so. A cloud cuts one large machine into pieces and sells each piece at the "
        "price of its share.",
        BIG_IS_DEAR,
    ),
)

spare_of_five = NumberPrediction(
    "scaling_up_and_out.spare_of_five",
    question=(
        "Five equal machines are to do all of the work even if one of them fails. How much more than the work needs must you buy?"
    ),
    scale=(0, 100),
    step=1,
    unit="%",
    near=2,
    right="Four must suffice, and you have five: a quarter more. What would it be with two, as with one big machine and its standby?",
    typical={
        20: Expectation(
            "a fifth: one of five",
            "One of five is a fifth of what you have. Of what you need it is more, since four of them must do.",
            A_SPARE_IS_ONE_NTH,
        ),
        100: Expectation(
            "as much again",
            "That is the price with two machines, each of which must be able to do everything alone. With five, the other four share.",
        ),
    },
    otherwise="Four machines must do the work. You have a fifth.",
)

untold_roll = NumberPrediction(
    "scaling_up_and_out.untold_roll",
    question=(
        "The one big machine was gone for 3 s, and 74 requests failed. Now four servers, together as strong, are upgraded one "
        "after another, each gone for 3 s. Nobody tells the balancer, which goes on dealing requests out in turn. How many fail?"
    ),
    scale=(0, 300),
    step=2,
    unit="requests",
    near=12,
    right="A quarter of the requests, for four times as long: as many as before. What must the balancer know, and when?",
    typical={
        0: Expectation(
            "none: the others do its work",
            "They could. But only who deals the requests out can give it to them, and it doesn't know.",
            ROLLING_IS_FREE,
        ),
        18: Expectation(
            "a quarter of 74: only one of four is missing",
            "A quarter, at each moment. But it lasts four times as long: one server after another is missing.",
        ),
        296: Expectation(
            "four times 74: four are missing for 3 s each",
            "Four are missing, one at a time. While one is gone the other three are there, so that only a quarter of the requests fails.",
        ),
    },
    otherwise="At each moment one server of four is missing, and that four times for 3 s.",
)

database_grows = ChoicePrediction(
    "scaling_up_and_out.database_grows",
    question=(
        "The application grows from 10 requests/s to 100 000. Its web servers keep nothing, so one adds more of them. And the "
        "database?"
    ),
    right=Expectation(
        "it gets ever larger machines, and only in the end several",
        "As long as there is a larger machine it is the cheap way: no copies that lag, no requests that need several parts. What made "
        "it change over?",
    ),
    wrong=(
        Expectation(
            "more and more machines of one size, as with the web servers",
            "Its machines would have to share one truth: copies, parts, agreement. That is work for many people, and it is put off "
            "for as long as a larger machine is to be had.",
        ),
        Expectation(
            "one machine to the end, which only gets larger",
            "It does, for long. But writes queue inside it, and the largest machine doesn't do much more than the one below it.",
        ),
    ),
)

cheaper_requests = NumberPrediction(
    "scaling_up_and_out.cheaper_requests",
    question=(
        "At 100 000 requests/s somebody makes pages and writes twice as quick, and reads four times. To what does the bill fall, in "
        "per cent of what it was?"
    ),
    scale=(0, 100),
    step=1,
    unit="%",
    near=5,
    right=(
        "Half of the web servers are gone, and the data needn't be divided any more. What one request saves is saved on every machine."
    ),
    typical={
        50: Expectation(
            "half, as most became twice as quick",
            "The machines fall by half, or more. And what was there only because one database did not suffice falls away with them.",
        ),
        100: Expectation(
            "it doesn't: as many requests come as before",
            "As many come, and each needs less of a machine. The number of machines is requests times work.",
        ),
    },
    otherwise="Machines are requests times the work of each; and parts that are not needed any more cost nothing.",
)

after_the_ninth = NumberPrediction(
    "scaling_up_and_out.after_the_ninth",
    question=(
        "Eight servers, half busy, keep a thread each for the seven others, and may have no more than seven. A ninth server joins. "
        "How many of the nine can still do their work?"
    ),
    scale=(0, 9),
    step=1,
    unit="of nine servers",
    near=0.4,
    right="All nine know eight others, and all nine have a thread too many. When did you last look at a limit that is far away?",
    typical={
        9: Expectation(
            "all: there is more room now",
            "More room to work. But each of the nine now has eight others to listen to, and may listen to seven.",
            MORE_NEVER_HURTS,
        ),
        8: Expectation(
            "eight: the newcomer finds no place",
            "The newcomer does find eight others. And each of these finds it: a limit that all have in common is met by all at once.",
        ),
    },
    otherwise="Count the threads of each server once the ninth is there.",
)

stalled_database = ChoicePrediction(
    "scaling_up_and_out.stalled_database",
    question=(
        "A rule keeps the processors of its machines 60 % busy. For ten minutes the database is slow, so that machines spend "
        "most of their time waiting for it. What does the rule do?"
    ),
    right=Expectation(
        "it sends machines away",
        "Who waits does not compute. To this rule a service that is stuck looks like one that has nothing to do. In which other way "
        "could it know?",
    ),
    wrong=(
        Expectation(
            "it adds machines, since requests are waiting",
            "It would, if it saw them. It looks at processors, and those are idle.",
            IDLE_IS_TOO_MANY,
        ),
        Expectation(
            "nothing, since no more requests come than before",
            "It doesn't see what comes, either. It sees how busy the processors are; and they wait.",
        ),
    ),
)

# ── Runs, and what to do with them ────────────────────────────────────────────────────────────────────────────


def failed(run: Run) -> int:
    """Return how many requests failed."""
    return sum(operation.outcome == "fail" for operation in run.history())


def still_working(run: Run, at: float) -> int:
    """Return how many servers of a growing fleet could do their work at a moment, in seconds."""
    return sum(not state["is_lost"] for node, state in run.at(at).nodes.items() if node != "b0")


def _crashed(run: Run, node: str, begin: float, end: float) -> bool:
    return any(
        isinstance(fault, Crash) and fault.node == node and begin <= fault.at < end for fault in run.faults
    )


def _is_back(run: Run, node: str) -> bool:
    return any(end < run.until for _, end in run.trace.downtimes().get(node, ()))


see_the_stop = (
    Task("scaling_up_and_out.before", "Press Play: see which version answers", Visit(1.0, 3.9)),
    Task("scaling_up_and_out.stop", "See what becomes of requests while s0 is away", Visit(4.5, 6.9)),
)
see_it_roll = (
    Task("scaling_up_and_out.untold", "While s1 is away, follow a dot to it", Visit(7.6, 10.4)),
    Task("scaling_up_and_out.latency", "Find where throughput falls", Visit(4.2, 7.0)),
)
break_the_roll = (
    Task("scaling_up_and_out.versions", "Find both versions answering at once", Visit(7.2, 17.4)),
    Task(
        "scaling_up_and_out.no_room",
        "Crash s3 while s1 is away, at 9 s",
        lambda run: _crashed(run, "s3", 8.5, 11.5),
    ),
    Task("scaling_up_and_out.queue", "See what that does to the others", Visit(9.5, 12.0)),
)
add_a_server = (
    Task("scaling_up_and_out.join", "See s8 join, at 5 s", Visit(4.9, 6.0)),
    Task(
        "scaling_up_and_out.take_away",
        "Crash s8 at about 7 s. Better?",
        lambda run: _crashed(run, "s8", 6.0, 9.0),
    ),
    Task(
        "scaling_up_and_out.anew",
        "Crash s0 after that, let it restart: who answers?",
        lambda run: _crashed(run, "s8", 6.0, 9.0) and _is_back(run, "s0"),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

cheapest_fleet = FunctionExercise(
    "scaling_up_and_out.cheapest_fleet",
    task=(
        "Code. Write a function of (work, cores, price): how many dollars a month (730 hours) do the fewest equal machines cost that "
        "do the work even if one of them fails? `work` is in cores that are always busy, a machine has `cores` of them, and "
        "`price` is dollars an hour."
    ),
    expects="your function of (work, cores, price), without brackets; it returns a number",
    success="Right. Try it with a family's largest machine and with its smallest: the rent is the same, the spare is not.",
    hints=(
        "How many machines does the work need? There are no halves.",
        "One more may fail. And a month has 730 hours.",
    ),
    solution=(
        "from math import ceil\n\ndef bill(work, cores, price):\n    return (ceil(work / cores) + 1) * price * 730\n\nanswer = bill"
    ),
    cases=((300, 8, 0.42336), (300, 384, 20.32128), (16, 8, 0.42336), (2, 2, 0.10584), (3, 8, 0.5)),
    mistakes=(
        Mistake(
            "from math import ceil\nanswer = lambda work, cores, price: ceil(work / cores) * price * 730",
            "These do the work while all of them are up. When one fails, the rest can't. Which machine is the spare?",
        ),
        Mistake(
            "answer = lambda work, cores, price: (work / cores + 1) * price * 730",
            "You have rented a part of a machine. Round up before you add the spare.",
        ),
        Mistake(
            "from math import ceil\nanswer = lambda work, cores, price: (ceil(work / cores) + 1) * price",
            "That is for one hour. A month has 730.",
        ),
        Mistake(
            "from math import ceil\nanswer = lambda work, cores, price: 2 * ceil(work / cores) * price * 730",
            "You have bought everything twice. They don't all fail at once: the others are still there, so one spare will do.",
            A_SPARE_IS_ONE_NTH,
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}; it should be {right}. How many machines is that?",
)


@dataclass(frozen=True)
class _Plan:
    servers: int
    at_once: int

    @classmethod
    def read(cls, answer: object) -> _Plan:
        if not isinstance(answer, dict) or set(answer) != {"servers", "at_once"}:
            raise Unfit
        try:
            plan = cls(*(whole(name, answer[name], at_least=1) for name in ("servers", "at_once")))
            rolling_upgrade(plan.servers, 5.0, plan.at_once)
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None
        return plan

    def left(self) -> int:
        """How many are there while others are upgraded."""
        return self.servers - self.at_once


plan_the_upgrade = TrialExercise(
    "scaling_up_and_out.plan_the_upgrade",
    task=(
        "Design. 750 requests/s come, and a server does 100. An upgrade takes each server away for 5 minutes, and all must be "
        "done within half an hour. At no time may requests be turned away, not even if a server crashes just then. With how few servers is "
        "that possible, and how many are upgraded at once? Your answer is `dict(servers=…, at_once=…)`."
    ),
    expects="`dict(servers=…, at_once=…)`, two whole numbers",
    success="Right: 8 that work, 2 that are being upgraded, 1 that may crash. An upgrade is a failure that you have announced.",
    hints=(
        "How many must work at any moment? And who else may be missing at that moment?",
        "Half an hour holds six rounds of 5 minutes.",
    ),
    solution="answer = dict(servers=11, at_once=2)",
    read=_Plan.read,
    rules=(
        Rule(
            "While some are being upgraded, the others can't do 750 requests/s: who is being upgraded serves nobody.",
            lambda plan: plan.left() < 8,
            "answer = dict(servers=8, at_once=1)",
            "answer = dict(servers=1, at_once=1)",
            misconception=ROLLING_IS_FREE,
        ),
        Rule(
            "It works, until a server crashes while others are being upgraded. Then too few are left.",
            lambda plan: plan.left() - 1 < 8,
            "answer = dict(servers=9, at_once=1)",
            "answer = dict(servers=10, at_once=2)",
        ),
        Rule(
            "Enough servers, at any moment; but it takes too long. How many rounds are that, of 5 minutes each?",
            lambda plan: rolling_upgrade(plan.servers, 5.0, plan.at_once).seconds > 30.0,
            "answer = dict(servers=10, at_once=1)",
            "answer = dict(servers=40, at_once=2)",
        ),
        Rule(
            "That is safe, and quick. It can be done with fewer servers.",
            lambda plan: plan.servers > 11,
            "answer = dict(servers=12, at_once=3)",
            "answer = dict(servers=12, at_once=2)",
        ),
    ),
)

streams_at_once = NumberExercise(
    "scaling_up_and_out.streams_at_once",
    task=(
        "Calculate. Of 260 million members half watch on a given day, each twice, for 45 minutes. In the busiest hour there "
        "are three times as many streams as on average. How many run at once then?"
    ),
    expects="a number of streams",
    success="Right: 260 million sessions a day are 3 009 begun a second; each lasts 2 700 s; times three, 24.4 million streams.",
    hints=(
        "Little's law: what runs at once is what begins in a second, times the seconds that it lasts.",
        "Sessions a day: 260 million × 0.5 × 2. A day has 86 400 s, and 45 minutes are 2 700 s. Then the busiest hour.",
    ),
    solution="answer = 260e6 * 0.5 * 2 / 86_400 * 45 * 60 * 3",
    mistakes=(
        Mistake(
            "answer = 260e6 * 0.5 * 2 / 86_400 * 45 * 60",
            "That is the day's average. What runs in the busiest hour?",
        ),
        Mistake("answer = 260e6 * 0.5 / 86_400 * 45 * 60 * 3", "Each of them watches twice."),
        Mistake(
            "answer = 260e6 * 0.5 * 2 / 86_400 * 45 * 3",
            "You have counted seconds and minutes together: 45 minutes are 2 700 s.",
        ),
        Mistake("answer = 260e6 * 2 / 86_400 * 45 * 60 * 3", "Only half of the members watch on that day."),
        Mistake(
            "answer = 260e6 * 0.5",
            "These watch on that day, but not all at once: a session takes 45 minutes of its 24 hours.",
        ),
    ),
    otherwise="{answer}? What runs at once is what begins in a second, times the seconds that it lasts.",
    tolerance=5e-3,
)

_LICENCE, _WORK, _MOST_DOLLARS, _MOST_MACHINES = 0.5, 40, 27.0, 8


@dataclass(frozen=True)
class _Licensed:
    machine: Machine
    count: int

    @classmethod
    def read(cls, answer: object) -> _Licensed:
        if not isinstance(answer, dict) or set(answer) != {"machine", "count"}:
            raise Unfit
        try:
            return cls(machine_named(answer["machine"]), whole("count", answer["count"], at_least=1))
        except (LookupError, TypeError, ValueError) as problem:
            raise Unfit(problem.args[0]) from None

    def price(self) -> float:
        """Dollars an hour, licences included."""
        return self.count * (self.machine.price + _LICENCE * self.machine.cores)


paid_by_the_core = TrialExercise(
    "scaling_up_and_out.paid_by_the_core",
    task=(
        "Design. A database product costs 0.50 dollars an hour for each core of each machine it is installed on, spares too. "
        "The work fills 40 cores, and must be done even if one machine fails. Choose equal machines, eight at the most (each must be "
        "looked after), so that rent and licences stay below 27 dollars an hour. Your answer is "
        '`dict(machine="m8i.large", count=3)` with other values; `machines("m8i")` lists a family.'
    ),
    expects='`dict(machine="…", count=…)`, the name of a machine and how many',
    success="Right: 24 of the 26.5 dollars are licences. What is paid by the core makes a spare dear, and a small spare cheap.",
    hints=(
        "A core costs 0.05 dollars of rent and 0.50 of licence: count cores, the spare's too.",
        "The larger the machine, the more cores the spare has. How small may it be, if there are eight at the most?",
    ),
    solution='answer = dict(machine="m8i.2xlarge", count=6)',
    read=_Licensed.read,
    rules=(
        Rule(
            "Together they have fewer than 40 cores.",
            lambda chosen: chosen.machine.cores * chosen.count < _WORK,
            'answer = dict(machine="m8i.large", count=3)',
        ),
        Rule(
            "When one of them fails, the others have fewer than 40 cores left.",
            lambda chosen: chosen.machine.cores * (chosen.count - 1) < _WORK,
            'answer = dict(machine="m8i.12xlarge", count=1)',
            'answer = dict(machine="m8i.2xlarge", count=5)',
        ),
        Rule(
            "More than eight machines to look after.",
            lambda chosen: chosen.count > _MOST_MACHINES,
            'answer = dict(machine="m8i.xlarge", count=11)',
        ),
        Rule(
            "It works, and it costs more than 27 dollars an hour. Most of that is licences, also for cores that only stand by.",
            lambda chosen: chosen.price() > _MOST_DOLLARS,
            'answer = dict(machine="m8i.12xlarge", count=2)',
            'answer = dict(machine="m8i.4xlarge", count=4)',
            'answer = dict(machine="r8i.2xlarge", count=6)',
            misconception=THE_RENT_IS_THE_BILL,
        ),
    ),
)

faster_cores = NumberExercise(
    "scaling_up_and_out.faster_cores",
    task=(
        "Calculate. A nightly job takes 8 hours on one core. 70 % of that are steps each of which needs the one before; "
        "the rest can be divided. On a machine of 16 cores it should be done in 3 hours. How many times as fast as today's must each "
        "core be?"
    ),
    expects="a number of times",
    success="Right. More cores are scaling up only for what can be divided; the rest waits for a faster one, or for a better algorithm.",
    hints=(
        "How long does it take on 16 of today's cores? The steps take as long as before.",
        "8 × (0.7 + 0.3 / 16) hours; everything in it becomes shorter with a faster core.",
    ),
    solution="answer = 8 * (0.7 + 0.3 / 16) / 3",
    mistakes=(
        Mistake("answer = 8 / 3", "That is for one core. The 30 % that can be divided go to 16."),
        Mistake("answer = 8 / 16 / 3", "As if everything could be divided. 70 % of it can't."),
        Mistake(
            "answer = 8 * (0.3 + 0.7 / 16) / 3",
            "You have divided what can't be divided: 70 % are steps in a row.",
        ),
        Mistake(
            "answer = 8 * 0.7 / 3", "Nearly: the part that is divided among 16 cores takes some time, too."
        ),
    ),
    otherwise="{answer}? First: how long does it take on 16 of today's cores?",
    tolerance=4e-3,
)
