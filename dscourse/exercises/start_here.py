"""Predictions and exercises of notebook 00."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from dscourse.arguments import real, shown
from dscourse.consensus import NaiveFailoverNode
from dscourse.exercises import Exercise, Option, Prediction, WrongExample
from dscourse.simulation import Crash, Network, Partition, Run, Scenario, Uniform, topology

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

all_machines_up = Prediction(
    "start_here.all_machines_up",
    question=(
        "A service needs all of its 100 machines at once. Each is up 99.9 % of the time, and they fail independently of "
        "each other. How much of the time is the service up?"
    ),
    options={
        "a": Option(
            "about 99.9 %, like each of them",
            "That holds for each machine taken alone. The service needs all 100 at the same moment. Run it and see what "
            "becomes of the chances when they have to come true together.",
        ),
        "b": Option(
            "about 99 %",
            "You expect some loss, and there is some. Each machine takes away a tenth of a percent, and there are a hundred "
            "of them. Run it.",
        ),
        "c": Option(
            "about 90 %",
            "Yes. A hundred small chances of being down, hardly ever at the same time, add up to almost a tenth. What would "
            "a thousand machines give?",
        ),
    },
    right="c",
)

crash_the_leader = Prediction(
    "start_here.crash_the_leader",
    question=(
        "Five nodes greet each other twice a second and follow n0. At 3 s n0 crashes, without a word. "
        "When do the others follow a new leader?"
    ),
    options={
        "a": Option(
            "at once: they notice that n0 is gone",
            "How would they notice? A crashed node sends nothing, and silence looks the same as a message that is late. "
            "Look at how long the others go on following n0.",
        ),
        "b": Option(
            "after a while: when n0 has been silent for too long",
            "Yes. Nobody sees a crash; the others only stop hearing from n0. How long they wait is a choice, and "
            "notebook 08 is about nothing else.",
        ),
        "c": Option(
            "never: somebody has to tell them",
            "Nobody outside is watching here. But the nodes have agreed on a rule about silence. Run it and see the rule "
            "at work.",
        ),
    },
    right="b",
)

cut_the_network = Prediction(
    "start_here.cut_the_network",
    question=(
        "All five nodes are up. At 3 s the network is cut: n0 and n1 on one side, n2, n3 and n4 on the other. "
        "How many leaders are there a few seconds later?"
    ),
    options={
        "a": Option(
            "none: without the whole cluster nobody leads",
            "That would be careful, but the rule here asks no one how many nodes they can reach. Look at the colours.",
        ),
        "b": Option(
            "one: n0 is up and goes on leading",
            "n0 does go on leading, on its own side. What do the three nodes see that no longer hear from it?",
        ),
        "c": Option(
            "two: one on each side",
            "Yes. To n2, n3 and n4 a cut looks exactly like a crash of n0 and n1, so they apply the same rule. This is "
            "called split brain, and notebook 09 mends it.",
        ),
    },
    right="c",
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

_NODES = ("n0", "n1", "n2", "n3", "n4")
_NETWORK = Network(topology.full_mesh(len(_NODES)), latency=Uniform(0.02, 0.2))

FROM_THE_CRASH = "1.6 s is counted from the last heartbeat that came, not from the crash. How long before the crash may n0 have sent it?"
NO_TIME_ON_THE_WAY = "Nearly: you count the silence from when the last heartbeat was sent. The others count from when it arrived."
LONGEST_WAY = "You took the longest time on the way. The soonest moment asks for the shortest."


def _check_soonest(answer: object) -> str | None:
    try:
        seconds = real("The answer, in seconds,", answer)
    except (TypeError, ValueError) as problem:
        return f"{problem}."
    for value, told in ((1.6, FROM_THE_CRASH), (1.1, NO_TIME_ON_THE_WAY), (1.3, LONGEST_WAY)):
        if math.isclose(seconds, value, abs_tol=0.005):
            return told
    if math.isclose(seconds, 1.12, abs_tol=0.005):
        return None
    return "Three times matter: when the last heartbeat was sent, how long it travelled, and the 1.6 s of silence."


soonest_suspicion = Exercise(
    "start_here.soonest_suspicion",
    task=(
        "Calculate. Heartbeats are sent every 0.5 s and travel for 0.02 to 0.2 s. A node that has not been heard for 1.6 s is taken "
        "for dead. How soon after its crash, in seconds, can that be at the earliest?"
    ),
    check=_check_soonest,
    success="Right: −0.5 + 0.02 + 1.6 = 1.12 s after the crash. In your first run it was 1.15 s.",
    hints=(
        "The silence is counted from the arrival of the last heartbeat. When, at the earliest, was that one sent?",
        "The last heartbeat may have been sent just short of 0.5 s before the crash, and may have travelled for 0.02 s.",
    ),
    solution="answer = -0.5 + 0.02 + 1.6",
    wrong_examples=(
        WrongExample("answer = 1.6", FROM_THE_CRASH),
        WrongExample("answer = 1.6 - 0.5", NO_TIME_ON_THE_WAY),
        WrongExample("answer = 1.6 - 0.5 + 0.2", LONGEST_WAY),
    ),
    expects="a number of seconds",
)

ALL_AT_ONCE = (
    "That is the chance that all of them are up at once. Here one is enough: when is none of them up?"
)
ADDED = "Chances of being up can't be added: two machines at 0.9 would be up 180 % of the time. When is none of them up?"
ALL_NOT_UP = "That is the chance that not all of them are up. The service is gone only when none is."


def _check_one_enough(answer: Any) -> str | None:
    if not callable(answer):
        return f"The answer is your function (without brackets). Yours is {shown(answer)}."
    cases = ((0.9, 1), (0.9, 2), (0.99, 3), (0.5, 4))
    returned = [answer(availability, machines) for availability, machines in cases]
    try:
        given = [real("what it returns", value) for value in returned]
    except (TypeError, ValueError) as problem:
        return f"Your function should return one number: {problem}."
    formulas: tuple[tuple[Callable[[float, int], float], str | None], ...] = (
        (lambda a, n: 1 - (1 - a) ** n, None),
        (lambda a, n: a**n, ALL_AT_ONCE),
        (lambda a, n: a * n, ADDED),
        (lambda a, n: 1 - a**n, ALL_NOT_UP),
    )
    for formula, told in formulas:
        if np.allclose(given, [formula(a, n) for a, n in cases], rtol=1e-6, atol=0):
            return told
    return f"With two machines at 0.9 you get {given[1]:g}. Each is down a tenth of the time; how often are both?"


one_is_enough = Exercise(
    "start_here.one_is_enough",
    task=(
        "Code. A service needs only one of its machines. Write a function of (availability, machines) that returns the share of time "
        "in which at least one is up, if they fail independently of each other. Your answer is the function."
    ),
    check=_check_one_enough,
    success='Right. Two machines at 99 % make 99.99 %, if nothing is shared. Notebook 07 looks into that "if".',
    hints=(
        "Ask the opposite: when is the service down?",
        "It is down when all machines are down at once: (1 − availability) multiplied by itself, once for each machine.",
    ),
    solution="def up(availability, machines):\n    return 1 - (1 - availability) ** machines\n\nanswer = up",
    wrong_examples=(
        WrongExample("answer = lambda availability, machines: availability ** machines", ALL_AT_ONCE),
        WrongExample("answer = lambda availability, machines: availability * machines", ADDED),
        WrongExample("answer = lambda availability, machines: 1 - availability ** machines", ALL_NOT_UP),
    ),
    expects="a function of (availability, machines)",
)

TOO_MANY_MESSAGES = (
    "Too many messages: each node sends one to each of the four others in every interval. How long must an interval be for 20 a "
    "second?"
)
FALSE_ALARMS = (
    "Nobody crashed, and yet nodes changed their leader. From one heartbeat to the next it may take the interval and 0.18 s more, "
    "as one is quick and the next is late. Your timeout is shorter than that."
)
TOO_SLOW = "It works, but after the crash it takes longer than 0.9 s until everybody follows a new leader. Wait less."


def try_settings(heartbeat_interval: float, timeout: float, seed: int = 1) -> tuple[Run, Run]:
    """Run the cluster of the notebook with these settings: 20 calm seconds, and the same with a crash of n0 at 5.33 s."""
    node = partial(NaiveFailoverNode, heartbeat_interval=heartbeat_interval, timeout=timeout)
    calm = Scenario(node, _NETWORK, seed=seed).run(until=20.0)
    return calm, calm.fork(5.33, Crash("n0", at=5.33))


def _check_settings(answer: Any) -> str | None:
    if not isinstance(answer, dict) or set(answer) != {"heartbeat_interval", "timeout"}:
        return (
            f"The answer is dict(heartbeat_interval=…, timeout=…), both in seconds. Yours is {shown(answer)}."
        )
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in answer.values()):
        return f"Both are numbers of seconds. Yours is {shown(answer)}."
    interval, timeout = answer["heartbeat_interval"], answer["timeout"]
    if not 0 < interval < timeout <= 20:
        return "The interval must be above 0 and below the timeout, or every peer looks dead between two heartbeats."
    if interval < 0.2:
        return TOO_MANY_MESSAGES
    for seed in (1, 2, 3):
        calm, crashed = try_settings(interval, timeout, seed)
        if len(calm.trace.select(kind="record", name="status", between=(1.0, 20.0))):
            return FALSE_ALARMS
        after = [crashed.at(5.33 + 0.9).nodes[node]["leader"] for node in _NODES[1:]]
        if after != ["n1"] * 4:
            return TOO_SLOW
    return None


quick_and_quiet = Exercise(
    "start_here.quick_and_quiet",
    task=(
        "Design. Choose the heartbeat interval and the timeout so that 0.9 s after a crash of n0 all others follow n1, nobody changes "
        "its leader while all is well, and no node sends more than 20 messages a second. Your answer is "
        "`dict(heartbeat_interval=0.5, timeout=1.6)` with better numbers; `exercises.try_settings(0.5, 1.6)` gives two runs, calm and "
        "with the crash."
    ),
    check=_check_settings,
    success="That holds, for three different lucks. It took you three wishes that pull in different directions; notebook 08 has more.",
    hints=(
        "Four messages an interval, at most 20 a second: what is the shortest interval?",
        "The timeout must outlast the interval and 0.18 s of difference on the way. Beyond that, every tenth of a second is delay.",
    ),
    solution="answer = dict(heartbeat_interval=0.25, timeout=0.6)",
    wrong_examples=(
        WrongExample("answer = dict(heartbeat_interval=0.1, timeout=0.4)", TOO_MANY_MESSAGES),
        WrongExample("answer = dict(heartbeat_interval=0.25, timeout=0.3)", FALSE_ALARMS),
        WrongExample("answer = dict(heartbeat_interval=0.5, timeout=1.6)", TOO_SLOW),
    ),
    expects="dict(heartbeat_interval=…, timeout=…)",
)

KNOWN_WAY = "A Partition does it, as you have seen. Find another way: what else keeps n0's heartbeats from the others?"
ONE_LEADER = (
    "At no time, looked at every half second, did two running nodes lead for a whole second. A crashed node leads nobody, and a "
    "paused one stands still. Who must be up, and yet not be heard?"
)


def try_faults(faults: Sequence[Any]) -> Run:
    """Run the cluster of the notebook for 8 s with these faults."""
    return Scenario(NaiveFailoverNode, _NETWORK, faults=tuple(faults), seed=1).run(until=8.0)


def _leaders(run: Run, time: float) -> int:
    moment = run.at(time)
    return sum(moment.condition[node] == "up" and moment.nodes[node]["leader"] == node for node in _NODES)


def _check_two_leaders(answer: Any) -> str | None:
    if not isinstance(answer, list | tuple) or not answer:
        return f'The answer is a list of faults, such as [Crash("n0", at=2.0)]. Yours is {shown(answer)}.'
    if any(isinstance(fault, Partition) for fault in answer):
        return KNOWN_WAY
    run = try_faults(answer)
    split = [_leaders(run, half_seconds / 2) >= 2 for half_seconds in range(16)]
    if any(all(split[start : start + 3]) for start in range(14)):
        return None
    return ONE_LEADER


two_leaders = Exercise(
    "start_here.two_leaders",
    task=(
        "Break it. Find faults, without `Partition`, with which two nodes that are up lead at the same time, for a second or more. Your "
        "answer is a list of faults; `exercises.try_faults(answer)` runs it for 8 s, and `play` shows it. The player offers faults "
        "that you can copy as code."
    ),
    check=_check_two_leaders,
    success="Yes: a split brain without a partition. Whatever hides a leader that is up is enough.",
    hints=(
        "n0 must be up and not be heard. Which links carry its heartbeats?",
        '`CutLink("n0", "n1", at=2.0, until=6.0, one_way=True)` keeps n1 from hearing n0. Who else hears n0?',
    ),
    solution=(
        "from dscourse.simulation import CutLink\n"
        'answer = [CutLink("n0", peer, at=2.0, until=6.0, one_way=True) for peer in ("n1", "n2", "n3", "n4")]'
    ),
    wrong_examples=(
        WrongExample(
            "from dscourse.simulation import Partition\n"
            'answer = [Partition([["n0"], ["n1", "n2", "n3", "n4"]], at=2.0, until=6.0)]',
            KNOWN_WAY,
        ),
        WrongExample("from dscourse.simulation import Crash\nanswer = [Crash('n0', at=2.0)]", ONE_LEADER),
        WrongExample(
            "from dscourse.simulation import Pause\nanswer = [Pause('n0', at=2.0, until=5.0)]", ONE_LEADER
        ),
    ),
    expects="a list of faults",
)
