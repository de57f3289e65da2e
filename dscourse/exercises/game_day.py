"""Predictions and exercises of notebook 12."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dscourse.chaos import (
    NAIVE,
    ChaosMonkey,
    DayResult,
    Design,
    Experiment,
    GameDay,
    SteadyState,
    holds,
)
from dscourse.consensus.failovers import members_of
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
from dscourse.exercises.nodes.game_day import tell_everybody
from dscourse.simulation import Crash, Network, OpenLoop, Run, Scenario, topology
from dscourse.views import Task, Visit

__all__ = ["NAIVE", "tell_everybody"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

OVER_WITH_ITS_CAUSE = Misconception(
    "game_day.over_with_its_cause",
    belief="When the cause is gone, the outage is over.",
    question="The store can be reached again. What is in the queues of the servers?",
    answer="What was asked for meanwhile, several times. If each is asked for again before it is served, that stays.",
)
MORE_IS_SAFER = Misconception(
    "game_day.more_is_safer",
    belief="More machines make it safer.",
    question="A third of all machines goes dark. Who finds out which, and what does each of them cost until then?",
    answer="Each dead machine costs requests until it is noticed: more machines, more to notice.",
)
KILL_TESTS_THE_DISK = Misconception(
    "game_day.kill_tests_the_disk",
    belief="A process that survives kill -9 survives a power failure.",
    question="A process has written to a file and not waited for the disk; it is killed. Who has the data now?",
    answer="The operating system, which goes on, and writes it. Without power it would be gone.",
)
RARE_IS_SELDOM_SEEN = Misconception(
    "game_day.rare_is_seldom_seen",
    belief="What hits each of several groups every other day hits somebody every other day.",
    question="Three coins are thrown. How often is at least one of them heads?",
    answer="Seven times of eight.",
)
DISTRIBUTED_IS_BETTER = Misconception(
    "game_day.distributed_is_better",
    belief="A distributed system is better than one machine.",
    question="What can go wrong between three parts that can't go wrong inside one?",
    answer="Losing each other, disagreeing, being late: each link and each pair of failures is a new way.",
)
MISCONCEPTIONS = (
    OVER_WITH_ITS_CAUSE, MORE_IS_SAFER, KILL_TESTS_THE_DISK, RARE_IS_SELDOM_SEEN, DISTRIBUTED_IS_BETTER,
)  # fmt: skip

# ── The days of the notebook, and what to do with them ────────────────────────────────────────────────────────

#: As careful as the course has made you: to begin with, and to be beaten.
CAREFUL = Design(
    zones=3, servers=6, copies=3, store="quorum", careful_elections=True, detection=0.5, retries="budget",
    order_keys=True, shedding=True, repair="paced",
)  # fmt: skip
ONE_MACHINE = Design(store="one machine", servers=4, order_keys=True, retries="budget")

#: Fourteen seconds without power in the first zone; everybody knows it.
dark_day = GameDay(1, 3, rehearsal=["power failure"])

#: A store out of reach for 2.4 s.
short_cut = GameDay(1, 1, rehearsal=["retry storm"])

#: Nothing goes wrong.
calm_day = GameDay(1, 1, rehearsal=[])


def one_part_less(part: str, design: Design = CAREFUL) -> Experiment:
    """Return an experiment: a server or a copy of a design crashes at 20 s of a calm day, for 10 s."""
    return Experiment(
        calm_day.scenario(design),
        steady_state=SteadyState("share of the orders in time", share_in_time, at_least=0.95),
        hypothesis=f"Customers don't notice that {part} is gone.",
        faults=[Crash(part, at=20.0, restart_at=30.0)],
        blast_radius=[part],
        stop_below=0.7,
    )


def share_in_time(run: Run, begin: float, end: float) -> float:
    """Return which share of the orders of a time was confirmed within two seconds; nan without orders."""
    asked = [one for one in run.history() if begin <= one.invoked < min(end, run.until - 4.0)]
    good = sum(one.outcome == "ok" and one.latency <= 2.0 for one in asked)
    return good / len(asked) if asked else float("nan")


def simulated_failovers() -> Run:
    """Return a run like that of `live_failovers`, for machines on which no processes can be started."""
    network = Network(topology.full_mesh(5), latency=0.0005, client_latency=0.0005)
    writes = OpenLoop((("put", "x", 1),), 20.0, network.node_ids, timeout=1.0, repeat=True)
    scenario = Scenario(members_of(network.node_ids), network, clients=[writes], seed=1)
    leader = scenario.run(2.0).trace.select(kind="record", name="leads")[-1].node
    return scenario.with_faults(Crash(str(leader), at=2.0, restart_at=4.0)).run(6.0)


#: What the public bench says to a node: who it is, a value, and that it wants to read.
BENCH_LINES = """\
{"src": "c1", "dest": "n1", "body": {"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1"]}}
{"src": "c1", "dest": "n1", "body": {"type": "broadcast", "msg_id": 2, "message": 7}}
{"src": "c1", "dest": "n1", "body": {"type": "read", "msg_id": 3}}
"""

#: Three groups that have been opted in.
monkey = ChaosMonkey({"web": ["w1", "w2", "w3"], "search": ["s1", "s2"], "store": ["d1", "d2", "d3"]})

watch_it_go_dark = (
    Task("game_day.dark", "Press Play: zone A goes dark at about 16 s", Visit(15.0, 18.0)),
    Task("game_day.takes_over", "Who sells at 22 s?", Visit(21.0, 23.0)),
    Task("game_day.light_again", "Power is back at 30 s: and the orders?", Visit(32.0, 40.0)),
)
watch_the_storm = (
    Task("game_day.out_of_reach", "Watch the store out of reach, from 20 s", Visit(19.5, 22.0)),
    Task(
        "game_day.in_reach_again", "It is back at about 22 s. What of the orders at 35 s?", Visit(33.0, 37.0)
    ),
)
watch_yours = (Task("game_day.yours", "Watch the same moments with your design", Visit(15.0, 20.0)),)
watch_the_processes = (
    Task("game_day.killed", "Find the moment of kill -9, and the next leader", Visit(0.5, 60.0)),
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

after_the_dark = NumberPrediction(
    "game_day.after_the_dark",
    question=(
        "Two of everything, in two zones: four servers, a primary and a copy that stands by. Of the 60 s of the day, zone A is without "
        "power for 14 s. An order that gets no answer is tried again at once, up to five times in all. Which share of the day's orders is confirmed?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the orders",
    near=8,
    right="Power was gone for a quarter of the day, and the orders for most of it. What kept them away when the light was on again?",
    typical={
        77: Expectation(
            "all but those of the dark seconds",
            "Half of the system stood in the other zone, and power came back. Look at the queues of the servers after that.",
            OVER_WITH_ITS_CAUSE,
        ),
        95: Expectation(
            "nearly all: the other zone takes over",
            "It did take over. But two servers had to do the work of four, and each order was asked for up to five times.",
            MORE_IS_SAFER,
        ),
    },
    otherwise="Count how many attempts two servers get a second while the customers' orders are tried again and again.",
)

cut_and_retry = ChoicePrediction(
    "game_day.cut_and_retry",
    question=(
        "Four servers, at half of their capacity. For 2.4 s they can't reach the store; then all is as it was. Whoever gets no answer "
        "asks again at once, up to five times. How long after the end of the cut do orders go well again?"
    ),
    right=Expectation(
        "not on this day",
        "Each order is asked for up to five times, that is more work than the servers can do, so none is done in time, so each is asked for "
        "again. The cause is gone and the effect feeds itself.",
    ),
    wrong=(
        Expectation(
            "at once",
            "At the end of the cut the servers have the orders of more than two seconds to do, each several times.",
            OVER_WITH_ITS_CAUSE,
        ),
        Expectation(
            "after about two seconds, when what has piled up is done",
            "They have twice the capacity they need, so two seconds would do, if only each order came once.",
            OVER_WITH_ITS_CAUSE,
        ),
    ),
)

days_with_a_kill = NumberPrediction(
    "game_day.days_with_a_kill",
    question=(
        "A monkey looks after three groups. Each is hit every other working day on average, independently. On which share of the working "
        "days does it end at least one machine?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the working days",
    near=5,
    right="Seven days of eight: nobody who works there can think that machines don't go. That is what it is for.",
    typical={
        50: Expectation(
            "every other day, like each group",
            "That holds for each group. A day without any kill needs three lucky draws at once.",
            RARE_IS_SELDOM_SEEN,
        ),
        100: Expectation(
            "every day: three halves are more than one",
            "Chances don't add up like that. On one day of eight all three groups are spared.",
        ),
    },
    otherwise="On which share of the days are all three spared?",
)

kill_minus_nine = ChoicePrediction(
    "game_day.kill_minus_nine",
    question=(
        "A leader writes its log into a file before it answers, without waiting for the disk itself (no `fsync`). `kill -9` ends the process "
        "in the middle of its work. Then it is started again. Is what it had confirmed still there?"
    ),
    right=Expectation(
        "it is there, and that says nothing about a power failure",
        "The operating system had the data and lives on. So this experiment can't find a missing `fsync`; the simulator, which loses what wasn't "
        "saved, can.",
    ),
    wrong=(
        Expectation(
            "it is gone: what isn't on the disk dies with the process",
            "It had left the process: it was in the memory of the operating system, which no signal to a process touches.",
            KILL_TESTS_THE_DISK,
        ),
        Expectation(
            "it is there, so the disk had it",
            "It was there; but not because of the disk. Pull the plug instead, and what the operating system hadn't written yet is gone.",
            KILL_TESTS_THE_DISK,
        ),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

what_is_left = NumberExercise(
    "game_day.what_is_left",
    task=(
        "Calculate. A service takes 240 000 orders a day; 99 % of them must go well. For six minutes 200 orders a minute failed. Which share of "
        "the day's error budget is left, in percent?"
    ),
    expects="a number of percent",
    success="Right: 1200 of 2400 are gone, half of it. One more incident of that size, and nothing new is rolled out today.",
    hints=("How many orders may go wrong on a day?", "2400 may. How many did?"),
    solution="answer = 100 * (1 - 6 * 200 / (0.01 * 240_000))",
    mistakes=(
        Mistake("answer = 99.5", "That is the share of orders that went well. How much of the one percent that may fail is left?"),
        Mistake("answer = 0.5", "That is the share of all orders that failed, in percent, or half as a number. In percent of the error budget?"),
        Mistake("answer = 100 * 6 * 200 / 240_000 / 0.99", "You divide by what must go well. The error budget is what may go wrong: 1 %."),
    ),
    otherwise="The error budget is 1 % of 240 000 orders. How much of it do 6 × 200 failed ones use?",
)  # fmt: skip

spared = FunctionExercise(
    "game_day.spared",
    task=(
        "Code. Write a function of (mean_days, groups) that returns the share of working days on which the monkey ends nothing at all, if each "
        "group is hit once in `mean_days` working days on average. Your answer is the function."
    ),
    expects="your function of (mean_days, groups), without brackets; it returns a number",
    success="Right. With forty groups and a mean of ten days, one working day in seventy is quiet.",
    hints=("A group is spared with 1 − 1/mean_days.", "All groups must be spared at once, independently."),
    solution="def spared(mean_days, groups):\n    return (1 - 1 / mean_days) ** groups\n\nanswer = spared",
    cases=((2, 3), (2, 1), (5, 4), (10, 40)),
    mistakes=(
        Mistake(
            "answer = lambda mean_days, groups: 1 - 1 / mean_days",
            "That is the chance that one group is spared. All of them must be.",
            RARE_IS_SELDOM_SEEN,
        ),
        Mistake(
            "answer = lambda mean_days, groups: (1 / mean_days) ** groups",
            "That is the share of days on which every group is hit.",
        ),
        Mistake(
            "answer = lambda mean_days, groups: 1 - (1 - 1 / mean_days) ** groups",
            "That is the share of days with at least one kill. You were asked for the quiet ones.",
        ),
        Mistake(
            "answer = lambda mean_days, groups: max(0, 1 - groups / mean_days)",
            "Chances of independent events can't be subtracted like that: with four groups and two days it would be below zero.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}. When is a day quiet: what must be true of each group?",
)  # fmt: skip


@dataclass(frozen=True)
class _Played:
    """A design on the day with the half-broken switch, and at other moments."""

    design: Design

    @classmethod
    def read(cls, answer: object) -> _Played:
        if not isinstance(answer, Design):
            raise Unfit
        return cls(answer)

    @cached_property
    def result(self) -> DayResult:
        return try_switch(self.design)

    def too_dear(self) -> bool:
        return self.result.bill > self.result.day.rules.budget

    def is_wrong(self) -> bool:
        return self.result.lost + self.result.sold_twice > 0

    def is_lost(self) -> bool:
        return not self.result.won

    def is_not_best(self) -> bool:
        return self.result.grade != "A" or self.design.zones < 3 or not holds(self.result, days=2)


def try_switch(design: Design) -> DayResult:
    """Play the day on which a switch fails in part, and everybody knows it."""
    return GameDay(1, 2, rehearsal=["half-broken switch"]).play(design)


stand_the_switch = TrialExercise(
    "game_day.stand_the_switch",
    task=(
        "Design. A switch fails in part: whoever sells and whoever is to judge it lose each other, while others reach both. Find a design in three "
        "zones with grade A on this day; and the fix must hold: the day must also be won with the same incident at two other moments. "
        "Your answer is a `Design(…)`; `exercises.try_switch(answer)` plays the day."
    ),
    expects="a `Design(…)`",
    success="It holds. Who sells is decided by a majority that asks before it votes, so one broken link between two of them can't start a quarrel.",
    hints=(
        "Who may decide that the primary is dead? One who can't see it is not enough.",
        "With a quorum, whoever doesn't hear the leader stands for election again and again, unless elections are careful.",
        "When the switch is mended, a copy that was silent is made anew: all of it at once, or piece by piece?",
    ),
    solution=(
        "from dscourse.chaos import Design\n"
        'answer = Design(zones=3, servers=6, copies=3, store="quorum", careful_elections=True,\n'
        '                detection=0.5, retries="budget", order_keys=True, shedding=True, repair="paced")'
    ),
    read=_Played.read,
    rules=(
        Rule(
            "That costs more than the budget of 20. What of it does nothing on this day?",
            _Played.too_dear,
            "from dscourse.chaos import Design\n"
            'answer = Design(zones=3, servers=16, copies=3, store="quorum", careful_elections=True)',
            misconception=MORE_IS_SAFER,
        ),
        Rule(
            lambda tried: (
                f"{tried.result.lost} orders are lost and {tried.result.sold_twice} sold twice: two sides sell, or one order is carried out again. "
                "Who decides who sells, and how does the store know an order that it has seen?"
            ),
            _Played.is_wrong,
            "from dscourse.chaos import Design\nanswer = Design(zones=3, servers=6, copies=3, order_keys=True)",
            "from dscourse.chaos import NAIVE\nanswer = NAIVE",
        ),
        Rule(
            lambda tried: (
                f"Nothing is wrong, but {tried.result.late} orders came late or never, more than the objective allows: "
                f"{'; '.join(hint for one in tried.result.trouble[:2] for hint in one.hints)}."
            ),
            _Played.is_lost,
            "from dscourse.chaos import Design\n"
            'answer = Design(zones=3, servers=6, copies=3, store="quorum", detection=5, retries="budget", order_keys=True)',
        ),
        Rule(
            lambda tried: (
                f"Won with grade {tried.result.grade}, {tried.result.score} points, with zones={tried.design.zones}. What costs more than it "
                "brings, and what would have kept the store's leader in office? (An A must also be won with the switch failing at two other moments.)"
            ),
            _Played.is_not_best,
            "from dscourse.chaos import Design\n"
            'answer = Design(store="one machine", servers=4, order_keys=True)',
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Two:
    """A clinic's appointments on one design, a ticket shop on another."""

    clinic: Design
    tickets: Design

    @classmethod
    def read(cls, answer: object) -> _Two:
        if not isinstance(answer, dict) or set(answer) != {"clinic", "tickets"}:
            raise Unfit
        if not all(isinstance(design, Design) for design in answer.values()):
            raise Unfit
        return cls(**answer)

    @cached_property
    def calm(self) -> DayResult:
        return calm_day.play(self.clinic)

    @cached_property
    def dark(self) -> DayResult:
        return dark_day.play(self.tickets)

    def clinic_fails(self) -> bool:
        return self.calm.budget_left < 0.9

    def clinic_is_dear(self) -> bool:
        return self.calm.bill > 5.0

    def tickets_fail(self) -> bool:
        return not self.dark.won or self.dark.lost + self.dark.sold_twice > 0

    def tickets_are_dear(self) -> bool:
        return self.dark.bill > 16.0


two_designs = TrialExercise(
    "game_day.two_designs",
    task=(
        "Design, to close the course. A clinic's appointments: on a calm day nine tenths of the error budget must be left, a dark day may "
        "close it (there is paper), and the bill may be 5. A ticket shop: the dark day must be won, nothing lost, nothing sold twice, "
        "and the bill may be 16. The load is the same. Your answer is `dict(clinic=Design(…), tickets=Design(…))`; "
        "`exercises.calm_day.play(design)` and `exercises.dark_day.play(design)` try them."
    ),
    expects="`dict(clinic=Design(…), tickets=Design(…))`",
    success=(
        "Both are right, and they have hardly anything in common. Which is better can't be said without saying for whom; if you can say that, "
        "you have what this course is for."
    ),
    hints=(
        "What does the clinic need that one machine can't give?",
        "For the tickets: three zones, a quorum, keys for the orders, and somebody who notices quickly.",
    ),
    solution=(
        "from dscourse.chaos import Design\n"
        'answer = dict(clinic=Design(store="one machine", servers=3),\n'
        '              tickets=Design(zones=3, servers=6, copies=3, store="quorum", careful_elections=True, detection=0.5,\n'
        '                             retries="budget", order_keys=True, shedding=True, repair="paced"))'
    ),
    read=_Two.read,
    rules=(
        Rule(
            "The clinic can't keep up even on a calm day. How many orders a second come at the busiest time, and what does one take?",
            _Two.clinic_fails,
            "from dscourse.chaos import NAIVE, Design\n"
            'answer = dict(clinic=Design(store="one machine", servers=1), tickets=NAIVE)',
        ),
        Rule(
            "The clinic pays for what it doesn't need. What of it would be missed on a calm day?",
            _Two.clinic_is_dear,
            "from dscourse.chaos import NAIVE\nanswer = dict(clinic=NAIVE, tickets=NAIVE)",
            misconception=DISTRIBUTED_IS_BETTER,
        ),
        Rule(
            "The ticket shop doesn't stand the dark day: read `exercises.dark_day.play(design).trouble`.",
            _Two.tickets_fail,
            "from dscourse.chaos import NAIVE, Design\n"
            'answer = dict(clinic=Design(store="one machine", servers=3), tickets=NAIVE)',
            "from dscourse.chaos import Design\n"
            'answer = dict(clinic=Design(store="one machine", servers=3), tickets=Design(store="one machine", servers=8))',
        ),
        Rule(
            "The ticket shop stands the dark day, for more than 16. Take away what isn't needed for that.",
            _Two.tickets_are_dear,
            "from dscourse.chaos import Design\n"
            'answer = dict(clinic=Design(store="one machine", servers=3),\n'
            '              tickets=Design(zones=3, servers=6, copies=5, store="quorum", careful_elections=True, detection=0.5,\n'
            '                             retries="budget", order_keys=True, shedding=True, repair="paced"))',
        ),
    ),
)  # fmt: skip

#: Two products, one on each side of the checklist.
CLINIC = {"must survive a machine": 0.5, "nobody on call": 1.0, "few have run such a system": 1.0,
          "an hour of outage costs little": 1.0, "the product still changes weekly": 0.5}  # fmt: skip
TICKETS = {"one machine is too small": 1.0, "must survive a machine": 1.0, "must survive a data centre": 1.0,
           "data must agree at once": 1.0, "teams deploy on their own": 0.5}  # fmt: skip
