"""Predictions and exercises of notebook 10."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from dscourse.arguments import real, whole
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    Misconception,
    Mistake,
    NumberExercise,
    NumberPrediction,
    Rule,
    TrialExercise,
    Unfit,
)
from dscourse.exercises.nodes.recovery import keep_the_fleet
from dscourse.recovery import (
    FleetController,
    Machine,
    RepairReport,
    brownout_scenario,
    failover_report,
    failover_scenario,
    repair_report,
    rereplication_scenario,
    stale_answers_scenario,
)
from dscourse.recovery.fleet import Boot
from dscourse.recovery.rereplication import CopyTo
from dscourse.simulation import Crash, Network, Node, Pause, Run, Scenario, topology
from dscourse.views import Task, Visit

__all__ = ["brownout_scenario", "keep_the_fleet", "stale_answers_scenario"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

ELECTED_IS_FOUND = Misconception(
    "recovery.elected_is_found",
    belief="As soon as there is a new primary, everybody uses it.",
    question="A standby has just been promoted. Where do the applications send their next request?",
    answer="To where they believe the primary is. Until they have been told, or ask again, that is the dead one.",
)
FAILOVER_IS_THE_END = Misconception(
    "recovery.failover_is_the_end",
    belief="Once another server has taken over, the trouble is over.",
    question="The standby takes over with an empty cache, at full load. What does the watchdog see?",
    answer="A server that answers too late: the same as it saw of the dead one, so it fails over again.",
)
FASTER_IS_SAFER = Misconception(
    "recovery.faster_is_safer",
    belief="The faster lost copies are made anew, the safer the data.",
    question="All copies of a lost disk are made at the same time. Who else needs the servers that send and take them?",
    answer="Clients, and whoever asks whether the servers are alive. Too busy to answer looks like dead.",
)
RISK_IS_LINEAR = Misconception(
    "recovery.risk_is_linear",
    belief="Twice the time to repair, twice the risk.",
    question="Of three copies two must fail while the first is being made anew. How often does each happen in that time?",
    answer="Each in proportion to the time of repair; both together in proportion to its square.",
)
REPLICA_IS_BACKUP = Misconception(
    "recovery.replica_is_backup",
    belief="Whoever has three replicas needs no backup.",
    question="Somebody deletes the wrong table. On how many of the three replicas is it a second later?",
    answer="On none: a delete is a write, and replication carries it faithfully to all.",
)
MISCONCEPTIONS = (ELECTED_IS_FOUND, FAILOVER_IS_THE_END, FASTER_IS_SAFER, RISK_IS_LINEAR, REPLICA_IS_BACKUP)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

redirected_by_name = NumberPrediction(
    "recovery.redirected_by_name",
    question=(
        "db1 crashes. The controller asks every second and gives it up after three questions without an answer; db2 needs a second to "
        "take over. Three applications find the primary by its name and remember for 60 s what they have looked up; they did so "
        "10, 30 and 50 s before the crash. How long after the crash does the last of them turn to db2?"
    ),
    scale=(0, 120),
    step=1,
    unit="s after the crash",
    near=6,
    right=(
        "The new primary was there after four seconds; the name that somebody remembered outlived it by far. What would a time to live "
        "of one second cost on all other days?"
    ),
    typical={
        4: Expectation(
            "as soon as db2 has taken over",
            "By then there is a primary, and nobody has told the applications. They go on asking the one that they remember.",
            ELECTED_IS_FOUND,
        ),
        64: Expectation(
            "60 s after db2 has taken over",
            "The time to live doesn't begin with the failover: it began when the name was looked up, at the latest 10 s before the crash.",
        ),
    },
    otherwise="Each application asks again when what it remembers is 60 s old, and no sooner.",
)

cold_standby = ChoicePrediction(
    "recovery.cold_standby",
    question=(
        "The same crash, at 10 s; now all learn of a new primary at once. db1 is back at 14 s, with an empty cache. db2's cache is "
        "empty, too: what isn't in it takes 0.3 s on the disk, one after the other. How does it go on?"
    ),
    right=Expectation(
        "the roles go back and forth, again and again",
        "A question of the controller waits behind the queries like any other, so whoever leads with a cold cache looks dead. And "
        "the other one, which has nothing to do, looks well.",
    ),
    wrong=(
        Expectation(
            "one failover; db2 is slow until its cache is warm",
            "It would be, if the controller let it. But what does the controller see of a database that is slow to answer?",
            FAILOVER_IS_THE_END,
        ),
        Expectation(
            "one failover to db2, and one back to db1, whose disk is faster",
            "Both disks are alike, and so are both caches: empty. What happened to db2 happens to db1.",
        ),
    ),
)

all_at_once = NumberPrediction(
    "recovery.all_at_once",
    question=(
        "The same six servers, the same disk that dies; but now all its copies are ordered at the same moment. A server that hasn't "
        "answered the master for 3 s is taken for dead. How many of the six will be, at one time or another?"
    ),
    scale=(0, 6),
    step=1,
    unit="of the six servers",
    near=0.4,
    right=(
        "Each server that is given up makes more copies necessary, and these make more servers late. Only one disk was ever "
        "lost. What would have stopped it?"
    ),
    typical={
        1: Expectation(
            "only the one that has died",
            "The other five are alive, and full of pieces of copies. The master's question waits behind those.",
            FASTER_IS_SAFER,
        ),
    },
    otherwise="Once one healthy server is given up, what it holds is copied, too. Where does that end?",
)

ten_times_as_long = NumberPrediction(
    "recovery.ten_times_as_long",
    question=(
        "Three copies of everything; disks fail independently of each other. Repair used to take a day, and now takes ten. How many "
        "times as likely is it that all three copies of something are lost in a year?"
    ),
    scale=(0, 1000),
    step=10,
    unit="times as likely",
    near=15,
    right="Two more disks must fail before the first is made anew, and both have ten times as long for it. How is it with four copies?",
    typical={
        10: Expectation(
            "ten times",
            "That is how it would be with two copies. With three, the second loss is ten times as likely, and then the third once more.",
            RISK_IS_LINEAR,
        ),
        1000: Expectation(
            "a thousand times: ten for each copy",
            "The first loss is nobody's fault: it comes as often as before. Only what happens during the repair has more time.",
        ),
    },
    otherwise="Ask for each of the three losses: does it have ten times as long to happen?",
)

full_answers_only = NumberPrediction(
    "recovery.full_answers_only",
    question=(
        "A server manages 50 full answers a second. For 20 s, 180 requests come in each second. It serves them in their order; an answer "
        "that takes longer than a second is worth nothing. Which share of the requests of these 20 s is answered in time?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the requests",
    near=5,
    right="It is busy all the time, with requests whose users have left. How would you choose which ones to serve?",
    typical={
        28: Expectation(
            "as many as it can serve: 50 of 180",
            "It does serve 50 a second. But after the first moments each of them has waited for more than a second.",
        ),
    },
    otherwise="How long is the queue after two seconds, and what has then become of whoever comes in?",
)

# ── The clusters of the notebook, and what to do with them ────────────────────────────────────────────────────

#: Six storage servers, three copies of 36 chunks; n1 loses its disk at 5 s.
storage = partial(rereplication_scenario, servers=6, chunks=36, pieces=20, service_time=0.05, reads=4.0)

#: Three applications; db1 crashes at 10 s.
failover = partial(failover_scenario, think_time=0.5)

#: The same with two cold caches, and clients in a hurry.
cold_pair = partial(
    failover_scenario,
    restart_at=14.0,
    standby_is_warm=False,
    patience=0.4,
    database={"disk_time": 0.3},
)


def _fleet_node(node_id: str, peers: Sequence[str]) -> Node:
    if node_id == "n0":
        return FleetController(node_id, tuple(peers), desired=5, working=5)
    return Machine(node_id, tuple(peers), works=int(node_id[1:]) <= 5)


#: A controller, five machines that work and four that are idle; orders travel for half a second.
fleet = Scenario(_fleet_node, Network(topology.star(10), latency=0.5))


def _ordered(run: Run) -> int:
    return sum(isinstance(event.message, Boot) for event in run.trace.select(kind="send"))


watch_a_repair = (
    Task("recovery.disk_dies", "Press Play: n1 loses its disk at 5 s", Visit(4.5, 6.0)),
    Task("recovery.copies_go", "See pieces of copies go from server to server", Visit(9.0, 12.0)),
)
watch_a_failover = (
    Task("recovery.to_the_dead", "See requests go to the dead db1, after 10 s", Visit(10.1, 11.5)),
    Task("recovery.takes_over", "See db2 take over, near 14 s", Visit(13.0, 15.0)),
    Task("recovery.still_there", "Who still asks db1 at 45 s?", Visit(44.0, 47.0)),
)
watch_the_flapping = (
    Task("recovery.cold_db2", "See db2 take over with an empty cache", Visit(13.0, 14.5)),
    Task("recovery.db2_is_late", "See the controller give it up, too, near 19 s", Visit(18.0, 20.5)),
)
watch_the_storm = (
    Task("recovery.storm_begins", "Watch the master give up its servers, from 12 s on", Visit(11.5, 18.0)),
    Task("recovery.storm_ends", "Find out when it ends", Visit(40.0, 44.0)),
)
watch_the_stale = (
    Task("recovery.stale", "Stop near 5.6 s: what is c2 told at g1, and what c3?", Visit(5.3, 5.95)),
    Task("recovery.fresh", "Find c2's first answer after the link is back", Visit(6.0, 6.4)),
)
disturb_the_fleet = (
    Task(
        "recovery.short_pause",
        "Pause n3, resume it within five seconds: nothing is ordered",
        lambda run: (
            any(
                isinstance(fault, Pause) and end - begin < 6 and end < run.until
                for fault, begin, end in run.trace.fault_intervals()
            )
            and _ordered(run) == 0
        ),
    ),
    Task(
        "recovery.replaced",
        "Undo; crash n2, and see it replaced",
        lambda run: any(isinstance(fault, Crash) for fault in run.faults) and _ordered(run) > 0,
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

failover_budget = NumberExercise(
    "recovery.failover_budget",
    task=(
        "Calculate. The controller asks every 2 s; when the next question is due and the last four are unanswered, it gives the primary "
        "up. The standby needs 1 s to take over. Applications remember a name for 30 s. How many seconds after the crash, at the "
        "latest, does the last application turn to the new primary? Leave out the time on the way."
    ),
    expects="a number of seconds",
    success="Right: 10 + 1 + 30. Three quarters of it are a setting that nobody counts as part of the failover.",
    hints=(
        "The worst moment for a crash is just after an answer; the worst moment for a look-up is just before the new primary is known.",
        "From that answer on, four questions go unanswered, and the fifth is due before anything is done.",
    ),
    solution="answer = 5 * 2 + 1 + 30",
    mistakes=(
        Mistake(
            "answer = 4 * 2 + 1 + 30",
            "You count from the first unanswered question. The crash may have come just after the answer before it, an interval earlier.",
        ),
        Mistake(
            "answer = 5 * 2 + 1",
            "By then there is a new primary. Who tells the applications, and when do they ask?",
            ELECTED_IS_FOUND,
        ),
        Mistake(
            "answer = 4 * 2 + 1",
            "Two things are missing: an interval before the first unanswered question, and the time until the applications ask for the name.",
        ),
        Mistake(
            "answer = 5 * 2 + 1 + 15",
            "That is an application in the middle. The last one has looked the name up just before the new primary was known.",
        ),
    ),
    otherwise="Add up the longest time of each step: until it is noticed, until the standby has taken over, until a name is looked up again.",
)


def try_controller(misses: int, cool_down: float) -> Run:
    """Run the cold pair for 90 s with these settings of the controller; db2 crashes, too, at 75 s, and db1 is warm by then or isn't."""
    scenario = cold_pair(controller={"misses": misses, "cool_down": cool_down})
    return scenario.with_faults(*scenario.faults, Crash("db2", at=75.0)).run(90.0)


@dataclass(frozen=True)
class _Controller:
    misses: int
    cool_down: float

    @classmethod
    def read(cls, answer: object) -> _Controller:
        if not isinstance(answer, dict) or set(answer) != {"misses", "cool_down"}:
            raise Unfit
        try:
            return cls(
                whole("misses", answer["misses"], at_least=1),
                real("cool_down", answer["cool_down"], at_least=0.0),
            )
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None

    @cached_property
    def run(self) -> Run:
        return try_controller(self.misses, self.cool_down)

    @property
    def promotions(self) -> list[float]:
        told = self.run.trace.select(kind="record", name="failover")
        return [event.time for event in told if event.detail["step"] == "promote"]

    def too_slow(self) -> bool:
        return self.misses > 20 or (failover_report(self.run).total or 99.0) > 5.0

    def flaps(self) -> bool:
        return sum(time < 75 for time in self.promotions) > 1

    def leaves_it(self) -> bool:
        return not any(75 < time < 82 for time in self.promotions)


end_the_flapping = TrialExercise(
    "recovery.end_the_flapping",
    task=(
        "Design. Set the controller so that the cold pair fails over once, within 5 s of db1's crash, and then stays where it is while "
        "the cache warms up. But if db2 crashes at 75 s, db1 must lead again before 82 s. Your answer is "
        "`dict(misses=2, cool_down=0)` with better numbers; `exercises.try_controller(2, 0)` gives the run."
    ),
    expects="`dict(misses=…, cool_down=…)`, a whole number and a number of seconds",
    success=(
        "That holds. You have told the controller to sit still exactly when it is most tempted to act; what would you want to be told "
        "in that time, as a human?"
    ),
    hints=(
        "`misses` decides how soon it acts at all. What keeps it from acting a second time?",
        "A cold cache is warm after half a minute here: everything has been asked for once.",
    ),
    solution="answer = dict(misses=2, cool_down=45)",
    read=_Controller.read,
    rules=(
        Rule(
            "It takes longer than 5 s until the applications have a primary again. How many questions may go unanswered, at one a second?",
            _Controller.too_slow,
            "answer = dict(misses=30, cool_down=0)",
            "answer = dict(misses=6, cool_down=45)",
        ),
        Rule(
            "It fails over, and over again: a database with a cold cache answers as late as a dead one. Waiting for more answers only "
            "slows that down. Let the controller rest after a failover.",
            _Controller.flaps,
            "answer = dict(misses=3, cool_down=0)",
            "answer = dict(misses=2, cool_down=10)",
            misconception=FAILOVER_IS_THE_END,
        ),
        Rule(
            "No flapping any more; but db2 crashes at 75 s, and nobody takes over before 82 s. The controller is still resting. How long "
            "does a cache take to warm up?",
            _Controller.leaves_it,
            "answer = dict(misses=2, cool_down=3600)",
            "answer = dict(misses=2, cool_down=75)",
        ),
    ),
)


def try_repair(at_once: int, wait: float) -> tuple[Run, Run]:
    """Run the storage cluster for 50 s with these settings: n1 loses its disk; and, instead, n1 only stands still for 9 s."""
    lost = storage(at_once=at_once, wait=wait)
    return lost.run(50.0), lost.with_faults(Pause("n1", at=5.0, until=14.0)).run(50.0)


@dataclass(frozen=True)
class _Repair:
    at_once: int
    wait: float

    @classmethod
    def read(cls, answer: object) -> _Repair:
        if not isinstance(answer, dict) or set(answer) != {"at_once", "wait"}:
            raise Unfit
        try:
            return cls(
                whole("at_once", answer["at_once"], at_least=1), real("wait", answer["wait"], at_least=0.0)
            )
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None

    @cached_property
    def runs(self) -> tuple[Run, Run]:
        return try_repair(self.at_once, self.wait)

    @cached_property
    def report(self) -> RepairReport:
        return repair_report(self.runs[0])

    def storms(self) -> bool:
        return self.report.taken_for_dead > 1

    def hurts(self) -> bool:
        return self.report.p99 > 1.2

    def too_slow(self) -> bool:
        return self.report.repaired_after is None or self.report.repaired_after > 25.0

    def copies_in_vain(self) -> bool:
        return any(isinstance(event.message, CopyTo) for event in self.runs[1].trace.select(kind="send"))


pace_the_repair = TrialExercise(
    "recovery.pace_the_repair",
    task=(
        "Design. Choose how many copies are made at once, and how many seconds the master waits before it begins, so that all chunks have "
        "their three copies within 25 s of the loss, 99 of 100 reads are answered within 1.2 s, no healthy server is taken for dead, and "
        "nothing at all is copied if n1 only stands still for 9 s. Your answer is `dict(at_once=36, wait=0)` with better "
        "numbers; `exercises.try_repair(36, 0)` gives both runs."
    ),
    expects="`dict(at_once=…, wait=…)`, a whole number and a number of seconds",
    success="That holds: slow enough to begin, slow enough to go on, and done in time. Real systems have both of these dials.",
    hints=(
        "Try the wait first: n1 is taken for dead after 3 s of silence, and is back after 9.",
        "Then take the largest number of copies at once that leaves room for the reads.",
    ),
    solution="answer = dict(at_once=4, wait=8)",
    read=_Repair.read,
    rules=(
        Rule(
            "A storm: healthy servers are too busy with copies to answer the master, and are taken for dead. Fewer at once.",
            _Repair.storms,
            "answer = dict(at_once=36, wait=0)",
            "answer = dict(at_once=36, wait=8)",
            misconception=FASTER_IS_SAFER,
        ),
        Rule(
            "No storm, but reads wait behind pieces of copies: one in a hundred takes longer than 1.2 s. Fewer at once.",
            _Repair.hurts,
            "answer = dict(at_once=10, wait=8)",
        ),
        Rule(
            "n1 stands still for 9 s, and by the time it is back, copies of what it holds have been ordered in vain. Wait for longer.",
            _Repair.copies_in_vain,
            "answer = dict(at_once=4, wait=0)",
            "answer = dict(at_once=4, wait=3)",
        ),
        Rule(
            "Safe and quiet, and too slow: after 25 s some chunks still have two copies. Every second of that is a second in which two "
            "losses are enough.",
            _Repair.too_slow,
            "answer = dict(at_once=1, wait=8)",
            "answer = dict(at_once=4, wait=20)",
        ),
    ),
)

minutes_of_work = NumberExercise(
    "recovery.minutes_of_work",
    task=(
        "Calculate. A checkpoint is taken at every full hour; no log is kept. At 14:37 somebody deletes the wrong table. It is noticed at "
        "15:05, and the whole database is restored. How many minutes of work are gone?"
    ),
    expects="a number of minutes",
    success="Right: 37 minutes up to the mistake and 28 after it. With a log you would lose only what came after the mistake, or less.",
    hints=(
        "Which checkpoint still has the table?",
        "All that was done between that checkpoint and now is gone: before the mistake, and since.",
    ),
    solution="answer = 37 + 28",
    mistakes=(
        Mistake(
            "answer = 5",
            "The checkpoint of 15:00 is five minutes old, and the table is missing there, too. A backup remembers mistakes as faithfully as work.",
            REPLICA_IS_BACKUP,
        ),
        Mistake(
            "answer = 37",
            "That is what was done before the mistake. And what was done from 14:37 to 15:05?",
        ),
        Mistake("answer = 28", "That is what was done since the mistake. And from 14:00 to 14:37?"),
        Mistake(
            "answer = 0",
            "A delete reaches every replica at once. What there is to go back to is a checkpoint.",
            REPLICA_IS_BACKUP,
        ),
    ),
    otherwise="You get {answer} minutes. From which checkpoint do you restore, and how long ago was it taken?",
)
