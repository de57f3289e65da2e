"""Predictions and exercises of notebook 00."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dscourse.arguments import real
from dscourse.consensus import NaiveFailoverNode, ShopNode
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
    tried_with,
)
from dscourse.exercises.nodes.start_here import greet_and_count
from dscourse.simulation import (
    ClosedLoop,
    Crash,
    Fault,
    Moment,
    Network,
    Partition,
    Pause,
    Run,
    Scenario,
    Uniform,
    topology,
)
from dscourse.views import Task, Visit

__all__ = ["greet_and_count"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

A_CRASH_IS_SEEN = Misconception(
    "start_here.a_crash_is_seen",
    belief="The others see a crash when it happens.",
    question=("A node has stopped sending. What do the others know of it one millisecond later?"),
    answer="Nothing. They notice only when something that was due has not come for too long.",
)
ALL_AS_GOOD_AS_EACH = Misconception(
    "start_here.all_as_good_as_each",
    belief="All parts together are up as often as each of them.",
    question=(
        "Two parts, both needed, are up half of the time each, independently. How often does the whole work?"
    ),
    answer="A quarter of the time: both must be up at once, and the chances multiply.",
)
CHANCES_ADD_UP = Misconception(
    "start_here.chances_add_up",
    belief="Chances of being up add up.",
    question=("One copy is up 60 % of the time. How often is at least one of two independent copies up?"),
    answer="84 %: both are down 0.4 × 0.4 of the time. A sum would give 120 %.",
)
THE_LEADER_IS_KNOWN = Misconception(
    "start_here.the_leader_is_known",
    belief="While a leader is up, everybody knows that it leads.",
    question=(
        "The leader is well, but no message of its comes through to you. How can you tell that from its crash?"
    ),
    answer="You can't: both are silence. So you may elect another, while the first goes on.",
)
MISCONCEPTIONS = (
    A_CRASH_IS_SEEN,
    ALL_AS_GOOD_AS_EACH,
    CHANCES_ADD_UP,
    THE_LEADER_IS_KNOWN,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

all_machines_up = NumberPrediction(
    "start_here.all_machines_up",
    question=(
        "A service needs all of its 100 machines at once. Each is up 99.9 % of the time, and they fail independently of "
        "each other. How much of the time is the service up?"
    ),
    scale=(0, 100),
    step=0.5,
    unit="% of the time",
    near=2,
    right=(
        "A hundred small chances of being down, hardly ever at the same time, add up to almost a tenth. What would "
        "a thousand machines give?"
    ),
    typical={
        99.9: Expectation(
            "like each of them",
            "That holds for each machine taken alone. The service needs all 100 at the same moment, and chances that must come "
            "true together multiply: 0.999 a hundred times over.",
            ALL_AS_GOOD_AS_EACH,
        ),
    },
    otherwise="Chances that must come true together multiply: 0.999 a hundred times over.",
)

crash_the_leader = ChoicePrediction(
    "start_here.crash_the_leader",
    question=(
        "Five nodes greet each other twice a second and follow n0. At 3 s n0 crashes, without a word. "
        "When do the others follow a new leader?"
    ),
    right=Expectation(
        "after a while: when n0 has been silent for too long",
        "Nobody sees a crash; the others only stop hearing from n0. How long they wait is a choice, and "
        "notebook 08 is about nothing else.",
    ),
    wrong=(
        Expectation(
            "at once: they notice that n0 is gone",
            "How would they notice? A crashed node sends nothing, and silence looks the same as a message that is late. "
            "Look at how long the others go on following n0.",
            A_CRASH_IS_SEEN,
        ),
        Expectation(
            "never: somebody has to tell them",
            "Nobody outside is watching here. But the nodes have agreed on a rule about silence. See the rule "
            "at work.",
        ),
    ),
)

cut_the_network = NumberPrediction(
    "start_here.cut_the_network",
    question=(
        "All five nodes are up. From 2 s to 6 s the network is cut: n0 and n1 on one side, n2, n3 and n4 on the other. On each side a "
        "customer asks for the last item. How many customers are told that it is theirs?"
    ),
    scale=(0, 2),
    step=1,
    unit="of the two customers",
    near=0.4,
    right=(
        "To n2, n3 and n4 a cut looks exactly like a crash of n0 and n1, so they follow a leader of their own, and it sells. What would "
        "each side have to know before it may sell?"
    ),
    typical={
        1: Expectation(
            "one: n0 leads and sells, the others can't",
            "n0 does go on leading, on its own side. But the three nodes that no longer hear from it apply the rule that helped them "
            "when it had crashed.",
            THE_LEADER_IS_KNOWN,
        ),
        0: Expectation(
            "none: without the whole cluster nobody sells",
            "That would be careful, but the rule here asks no one how many nodes they can reach. Notebook 09 has one that does.",
        ),
    },
    otherwise="Each side goes by what it hears.",
)

# ── The shop, and what to do with it ──────────────────────────────────────────────────────────────────────────

_NODES = ("n0", "n1", "n2", "n3", "n4")
_NETWORK = Network(topology.full_mesh(len(_NODES)), latency=Uniform(0.02, 0.2))

#: Five nodes, three items, two customers who buy twice.
shop = Scenario(
    ShopNode,
    _NETWORK,
    clients=[
        ClosedLoop(("buy",) * 2, 3.0, "n1", timeout=1.0, start=0.5),
        ClosedLoop(("buy",) * 2, 3.0, "n4", timeout=1.0, start=1.5),
    ],
    seed=1,
)


def holders(run: Run, item: int) -> int:
    """How many customers were told that an item is theirs."""
    return sum(operation.outcome == "ok" and operation.value == item for operation in run.history())


def at_most_one_leads(now: Moment) -> bool:
    """Whether no two nodes that are up take themselves for the leader."""
    leaders = [node for node, fields in now.nodes.items() if fields["leader"] == node]
    return sum(now.condition[node] == "up" for node in leaders) <= 1


def _is_paused_and_goes_on(run: Run) -> bool:
    paused = [(begin, end) for fault, begin, end in run.trace.fault_intervals() if isinstance(fault, Pause)]
    return any(end < run.until for _, end in paused)


def _while_two_lead(run: Run) -> Visit | None:
    """From when to when two nodes lead, once n0 has resumed; none while it has not."""
    if not _is_paused_and_goes_on(run):
        return None
    two = None
    for time in sorted({event.time for event in run.trace.select(between=(2.0, run.until))}):
        if at_most_one_leads(run.at(time)):
            if two is not None:
                return Visit(two, time)
        elif two is None:
            two = time
    return None if two is None else Visit(two, run.until)


watch = (Task("start_here.watch", "Press Play: see the first item sold", Visit(0.6, 2.0)),)
see_them_notice = (
    Task("start_here.silence", "Look at the others just after the crash, at 3 s", Visit(3.0, 3.6)),
    Task("start_here.agreed", "Look at them again two seconds later", Visit(4.8, 8.0)),
)
drive = (
    Task(
        "start_here.crash_n0",
        "Crash n0 at about 2 s",
        lambda run: any(isinstance(fault, Crash) and fault.node == "n0" for fault in run.faults),
    ),
    Task(
        "start_here.go_back", "Play on, then go back to before the crash", (Visit(3.0, 8.0), Visit(0.0, 1.9))
    ),
    Task("start_here.pause_n0", "Undo; pause n0 at 2 s, resume it at 5 s", _is_paused_and_goes_on),
    Task(
        "start_here.wakes_up",
        "Find the moment after 5 s at which two nodes lead",
        _while_two_lead,
    ),
)
see_the_price = (
    Task("start_here.one_side", "Watch what becomes of c0's order, near 4 s", Visit(3.6, 4.2)),
    Task("start_here.other_side", "Watch what becomes of c1's order, near 5 s", Visit(4.7, 5.3)),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

soonest_suspicion = NumberExercise(
    "start_here.soonest_suspicion",
    task=(
        "Calculate. Heartbeats are sent every 0.5 s and travel for 0.02 to 0.2 s. A node that has not been heard for 1.6 s is taken "
        "for dead. How soon after its crash, in seconds, can that be at the earliest?"
    ),
    expects="a number of seconds",
    success="Right: −0.5 + 0.02 + 1.6 = 1.12 s after the crash. In your first run it was 1.15 s.",
    hints=(
        "The silence is counted from the arrival of the last heartbeat. When, at the earliest, was that one sent?",
        "The last heartbeat may have been sent just short of 0.5 s before the crash, and may have travelled for 0.02 s.",
    ),
    solution="answer = -0.5 + 0.02 + 1.6",
    mistakes=(
        Mistake(
            "answer = 1.6",
            "1.6 s is counted from the last heartbeat that came, not from the crash. How long before the crash may n0 have sent it?",
        ),
        Mistake(
            "answer = 1.6 - 0.5",
            "Nearly: you count the silence from when the last heartbeat was sent. The others count from when it arrived.",
        ),
        Mistake(
            "answer = 1.6 - 0.5 + 0.2",
            "You took the longest time on the way. The soonest moment asks for the shortest.",
        ),
        Mistake(
            "answer = 0.02 + 1.6",
            "That is counted from when the last heartbeat was sent. n0 may have crashed almost 0.5 s after that.",
        ),
    ),
    otherwise="Three times matter: when the last heartbeat was sent, how long it travelled, and the 1.6 s of silence.",
    tolerance=0.004,
)

one_is_enough = FunctionExercise(
    "start_here.one_is_enough",
    task=(
        "Code. A service needs only one of its machines. Write a function of (availability, machines) that returns the share of time "
        "in which at least one is up, if they fail independently of each other. Your answer is the function."
    ),
    expects="your function of (availability, machines), without brackets; it returns a number",
    success='Right. Two machines at 99 % make 99.99 %, if nothing is shared. Notebook 07 looks into that "if".',
    hints=(
        "Ask the opposite: when is the service down?",
        "It is down when all machines are down at once: (1 − availability) multiplied by itself, once for each machine.",
    ),
    solution="def up(availability, machines):\n    return 1 - (1 - availability) ** machines\n\nanswer = up",
    cases=((0.9, 2), (0.9, 1), (0.99, 3), (0.5, 4)),
    mistakes=(
        Mistake(
            "answer = lambda availability, machines: availability ** machines",
            "That is the chance that all of them are up at once. Here one is enough: when is none of them up?",
            ALL_AS_GOOD_AS_EACH,
        ),
        Mistake(
            "answer = lambda availability, machines: availability * machines",
            "Chances of being up can't be added: two machines at 0.9 would be up 180 % of the time. When is none of them up?",
            CHANCES_ADD_UP,
        ),
        Mistake(
            "answer = lambda availability, machines: min(1, availability * machines)",
            "Chances of being up can't be added: three machines at 0.5 are not always up. When is none of them up?",
            CHANCES_ADD_UP,
        ),
        Mistake(
            "answer = lambda availability, machines: 1 - availability ** machines",
            "That is the chance that not all of them are up. The service is gone only when none is.",
        ),
        Mistake(
            "answer = lambda availability, machines: (1 - availability) ** machines",
            "That is the share of time in which none of them is up. You were asked for the rest.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}. Each machine is down for a part of the time; how often are all of them?",
)


def try_settings(heartbeat_interval: float, timeout: float, seed: int = 1) -> tuple[Run, Run]:
    """Run the cluster of the notebook with these settings: 20 calm seconds, and the same with a crash of n0 at 5.33 s."""
    node = partial(NaiveFailoverNode, heartbeat_interval=heartbeat_interval, timeout=timeout)
    calm = Scenario(node, _NETWORK, seed=seed).run(until=20.0)
    return calm, calm.fork(5.33, Crash("n0", at=5.33))


@dataclass(frozen=True)
class _Settings:
    """Settings of a failover, to be tried with three seeds, and with crashes at moments all over an interval."""

    interval: float
    timeout: float

    @classmethod
    def read(cls, answer: object) -> _Settings:
        if not isinstance(answer, dict) or set(answer) != {"heartbeat_interval", "timeout"}:
            raise Unfit
        try:
            return cls(*(real(name, answer[name]) for name in ("heartbeat_interval", "timeout")))
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None

    def too_short(self) -> bool:
        return not 0 < self.interval < self.timeout

    def too_many(self) -> bool:
        return 4 / self.interval > 20 * (1 + 1e-9)

    def false_alarms(self) -> bool:
        return self.timeout < 5 and any(
            len(run.trace.select(kind="record", name="status", between=(1.0, 20.0)))
            for run in self._run(20.0)
        )

    def too_slow(self) -> bool:
        return self.timeout >= 5 or any(
            run.at(at + 0.65).nodes[node]["leader"] != "n1"
            for at in (5.0, 5.07, 5.14, 5.21, 5.33, 5.42)
            for run in self._run(at + 0.7, Crash("n0", at=at))
            for node in _NODES[1:]
        )

    def _run(self, until: float, *faults: Fault) -> Iterator[Run]:
        node = partial(NaiveFailoverNode, heartbeat_interval=self.interval, timeout=self.timeout)
        for seed in (1, 2, 3):
            yield Scenario(node, _NETWORK, faults=faults, seed=seed).run(until)


quick_and_quiet = TrialExercise(
    "start_here.quick_and_quiet",
    task=(
        "Design. Choose the heartbeat interval and the timeout so that 0.65 s after a crash of n0, at each of six moments and "
        "with each of three seeds, all others follow n1; that nobody changes its leader while all is well; and that no node sends more "
        "than 20 messages a second. Your answer is "
        "`dict(heartbeat_interval=0.5, timeout=1.6)` with better numbers; `exercises.try_settings(0.5, 1.6)` gives two runs, calm and "
        "with the crash."
    ),
    expects="`dict(heartbeat_interval=…, timeout=…)`, two numbers of seconds",
    success=(
        "That holds, for three seeds and six moments of the crash. Three wishes that pull in different directions leave little room; "
        "notebook 08 has more of them."
    ),
    hints=(
        "Four messages an interval, at most 20 a second: what is the shortest interval?",
        "The timeout must outlast the interval and 0.18 s of difference on the way. Beyond that, every tenth of a second is delay.",
    ),
    solution="answer = dict(heartbeat_interval=0.2, timeout=0.4)",
    read=_Settings.read,
    rules=(
        Rule(
            "The interval must be above 0 and below the timeout, or every peer looks dead between two heartbeats.",
            _Settings.too_short,
            "answer = dict(heartbeat_interval=0.5, timeout=0.4)",
            "answer = dict(heartbeat_interval=0, timeout=0.4)",
        ),
        Rule(
            "Too many messages: each node sends one to each of the four others in every interval. How long must an interval be for "
            "20 a second?",
            _Settings.too_many,
            "answer = dict(heartbeat_interval=0.1, timeout=0.4)",
        ),
        Rule(
            "Nobody crashed, and yet nodes changed their leader. From one heartbeat to the next it may take the interval and 0.18 s "
            "more, as one is quick and the next is late. Your timeout is shorter than that.",
            _Settings.false_alarms,
            "answer = dict(heartbeat_interval=0.25, timeout=0.3)",
        ),
        Rule(
            "It works, but it can take longer than 0.65 s after the crash until everybody follows a new leader. Wait less.",
            _Settings.too_slow,
            "answer = dict(heartbeat_interval=0.5, timeout=1.6)",
            "answer = dict(heartbeat_interval=0.5, timeout=0.9)",
            "answer = dict(heartbeat_interval=0.25, timeout=0.6)",
            "answer = dict(heartbeat_interval=60, timeout=600)",
        ),
    ),
)


def try_faults(faults: Sequence[Fault]) -> Run:
    """Run the cluster of the notebook for 8 s with these faults."""
    return Scenario(NaiveFailoverNode, _NETWORK, faults=tuple(faults), seed=1).run(until=8.0)


def _one_leader(run: Run) -> bool:
    """Return whether no three looks in a row, half a second apart, show two running nodes that lead."""
    moments = [run.at(half_seconds / 2) for half_seconds in range(16)]
    split = [
        sum(now.condition[node] == "up" and now.nodes[node]["leader"] == node for node in _NODES) >= 2
        for now in moments
    ]
    return not any(all(split[start : start + 3]) for start in range(14))


two_leaders = TrialExercise(
    "start_here.two_leaders",
    task=(
        "Break it. Find faults, without `Partition`, with which two nodes that are up lead at the same time, for a second or more. Your "
        "answer is a list of faults; `exercises.try_faults(answer)` runs it for 8 s, and `play` shows it. The player offers faults "
        "that you can copy as code."
    ),
    expects='a list of faults, such as `[Crash("n0", at=2.0)]`',
    success="Yes: a split brain without a partition. Whatever hides a leader that is up is enough.",
    hints=(
        "n0 must be up and not be heard. Which links carry its heartbeats?",
        "One node that doesn't hear n0 is enough. Which one would lead then, and which fault is about a single link?",
    ),
    solution=(
        "from dscourse.simulation import CutLink\n"
        'answer = [CutLink("n0", peer, at=2.0, until=6.0, one_way=True) for peer in ("n1", "n2", "n3", "n4")]'
    ),
    read=partial(tried_with, try_faults),
    rules=(
        Rule(
            "A Partition does it, as you have seen. Find another way: what else keeps n0's heartbeats from the others?",
            lambda run: any(isinstance(fault, Partition) for fault in run.scenario.faults),
            "from dscourse.simulation import Partition\n"
            'answer = [Partition([["n0"], ["n1", "n2", "n3", "n4"]], at=2.0, until=6.0)]',
        ),
        Rule(
            "At no time, looked at every half second, did two running nodes lead for a whole second. A crashed node leads nobody, "
            "and a paused one stands still. Who must be up, and yet not be heard?",
            _one_leader,
            'from dscourse.simulation import Crash\nanswer = [Crash("n0", at=2.0)]',
            'from dscourse.simulation import Pause\nanswer = [Pause("n0", at=2.0, until=5.0)]',
            misconception=THE_LEADER_IS_KNOWN,
        ),
    ),
)
