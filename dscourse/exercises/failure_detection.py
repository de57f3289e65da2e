"""Predictions and exercises of notebook 08."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeGuard

from dscourse.detection import HeartbeatDetector, SwimMember, detector_quality, phi, phi_timeout
from dscourse.exercises import Exercise, Option, Prediction, WrongExample
from dscourse.simulation import (
    Constant,
    Crash,
    EventLimit,
    Fault,
    Network,
    Pause,
    Run,
    Scenario,
    Uniform,
    topology,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

name_the_crash = Prediction(
    "failure_detection.name_the_crash",
    question=(
        "Five runs. In each, n0 pings n1 every second, and at 10 s something happens: n1 crashes, or is paused, or is swamped with "
        "work, or the link between them loses nearly everything, or n1 no longer hears n0 (but could answer). At 20 s you look "
        "at n0's notes. In which of the runs can you name the trouble?"
    ),
    options={
        "a": Option(
            "the crash: there the silence begins at once",
            "The first ping after the trouble can go unanswered whatever the trouble is. Compare where the crosses begin.",
        ),
        "b": Option(
            "the overload: its answers come late instead of never",
            "They do come, much later. Until one is there, late and never are the same observation. Look at the rows at 20 s.",
        ),
        "c": Option(
            "in none of them",
            "Yes. n0 holds five identical rows of nothing. Can you say what would tell them apart, and when?",
        ),
    },
    right="c",
)

one_more_heartbeat = Prediction(
    "failure_detection.one_more_heartbeat",
    question=(
        "Heartbeats come once a second; the link loses one in twenty, each on its own. You raise the timeout from 1.5 s to "
        "2.5 s: one more heartbeat must now be lost before you suspect. How many mistakes do you make then, compared with before?"
    ),
    options={
        "a": Option(
            "about half as many",
            "That would be so if a mistake needed either of two losses. It needs both, one after the other.",
        ),
        "b": Option(
            "about a fifth",
            "Waiting helps more than that. What is the chance that the second heartbeat is lost as well?",
        ),
        "c": Option(
            "about a twentieth",
            "Yes: the second loss has a chance of one in twenty, too. Each further second of patience divides again by twenty, "
            "as long as losses are independent. When might they not be?",
        ),
    },
    right="c",
)

cheapest_detector = Prediction(
    "failure_detection.cheapest_detector",
    question=(
        "The same detectors, now on delays that were measured between 40 pairs of real hosts. Each detector gets one setting "
        "for all 40 links, tuned so that a crash is noticed after 2 seconds on average. Which makes the fewest mistakes?"
    ),
    options={
        "a": Option(
            "the timeout from sending: it was proved optimal",
            "Proved, for delays that are drawn independently from one distribution. Look at a real link: when its delay rises, "
            "it stays up for a while. What does a detector make of that which counts from the sending?",
        ),
        "b": Option(
            "the timeout from arrival: the simplest is the most robust",
            "It bears a delay that rises and stays, since it forgets how late the last heartbeat was. But its one timeout must "
            "do for the calmest link and for the wildest.",
        ),
        "c": Option(
            "phi-accrual: it learns what each link is like",
            "Yes. The threshold is the same for all, the patience is not: calm links get little, restless ones much. That is "
            "what a detector buys by learning: nobody has to tune a timeout for each single link.",
        ),
    },
    right="c",
)

one_in_a_hundred_million = Prediction(
    "failure_detection.one_in_a_hundred_million",
    question=(
        "φ = 8 says: only one gap in a hundred million is longer than this silence. You have just seen one that was. Now you replay "
        "all 27 480 gaps of those 40 real links, on which every host answered every time. How many of them pass φ = 8?"
    ),
    options={
        "a": Option(
            "that one only: it was very bad luck",
            "If gaps were normal, even that one would be too many. Are they? Run it.",
        ),
        "b": Option(
            "two or three",
            "You don't trust the formula, and you are right. How wrong it is depends on the tail of the real gaps.",
        ),
        "c": Option(
            "dozens",
            "Yes. Real delays have tails that no normal distribution has. φ is a good scale for suspicion and a bad "
            "probability.",
        ),
    },
    right="c",
)

members_and_messages = Prediction(
    "failure_detection.members_and_messages",
    question=(
        "All-to-all heartbeats cost each of 10 members 9 messages a second, and each of 1 000 members 999. "
        "SWIM costs each of 10 members 2 messages a second. What does it cost each of 1 000?"
    ),
    options={
        "a": Option(
            "2 as well",
            "Yes: one ping and, on average, one answer to give. Nothing in the loop depends on the size of the group. "
            "So who watches whom?",
        ),
        "b": Option(
            "about 6: it grows with the logarithm",
            "The time for a rumour to reach everybody grows like that, but the rumours ride on messages that are sent "
            "anyway. Count the messages.",
        ),
        "c": Option(
            "200: a hundred times as much",
            "That is how all-to-all grows. How many members does one member ping in one period?",
        ),
    },
    right="a",
)

first_to_notice = Prediction(
    "failure_detection.first_to_notice",
    question=(
        "In SWIM each member pings only one other a second. How long does it take until the first of 1 000 members pings "
        "the one that has crashed, compared with a group of 10?"
    ),
    options={
        "a": Option(
            "a hundred times as long",
            "Each single member takes a hundred times as long to come round. But how many are looking?",
        ),
        "b": Option(
            "about the same",
            "Yes. A hundred times as many targets, and a hundred times as many eyes: 1.58 periods on average, in the limit "
            "e/(e − 1).",
        ),
        "c": Option(
            "a hundred times less: there are more eyes",
            "There are more eyes, and as many more members for them to look at.",
        ),
    },
    right="b",
)

paused_for_a_moment = Prediction(
    "failure_detection.paused_for_a_moment",
    question=(
        "One of 12 members is paused for 3 seconds (a long garbage collection) and then goes on. "
        "What becomes of it in a SWIM group with suspicion?"
    ),
    options={
        "a": Option(
            "nothing: nobody notices so short a pause",
            "Each second some member pings it, more likely than not. Look for the suspicions.",
        ),
        "b": Option(
            "it is suspected, hears of it, and clears its name",
            "Yes. Suspicion is a question put to the whole group, and the suspect may answer: with a higher incarnation "
            "number, which beats every older rumour.",
        ),
        "c": Option(
            "it is declared faulty and must join again",
            "That is what happens without suspicion. With it, how long does a suspect have to answer?",
        ),
    },
    right="b",
)


# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE_BUDGET = (
    "Four seconds is the whole budget. In the worst case the machine dies right after a heartbeat, and it takes another "
    "interval until the next one is missing. What is left for the shift?"
)
ADDED_INTERVAL = "You added the interval. It is already part of the four seconds: detection takes shift + interval at worst."
MISSED_HEARTBEATS = (
    "φ does not count missed heartbeats: it is the negative decimal logarithm of a probability. At which silence t is "
    "e^(−t/2) = 10^(−8)?"
)
MEAN_GAPS = "18.42 is the number of mean gaps. Here a mean gap is 2 seconds."
NATURAL_LOGARITHM = (
    "Your logarithm is the natural one. φ counts in powers of ten: divide by ln 10, or use log10."
)
NO_DIGITS_LEFT = (
    "Right for short silences, but not for one of 40 deviations, where φ is 349.4. 1 − cdf has no digits left out there: ask "
    "for the logarithm of the survival function instead (scipy.stats.norm.logsf)."
)
NOT_SCALED = "At the mean your φ is right, beyond it is not. Do you divide the distance from the mean by the deviation?"
HALF_ARE_LONGER = "answer(1.0, 1.0, 0.1) should be 0.301: half of all gaps are longer than the mean, and −log₁₀ of a half is 0.301."
HEALTHY_GIVEN_UP = (
    "A healthy member was given up. The network loses one message in a hundred, and one member is paused for three seconds: "
    "give it more time, or a chance to answer."
)
ANSWERS_WITH_A_CRASH = (
    "A crashed node is rightly suspected. Leave every node up: the heartbeats must be fooled, not informed."
)
NOBODY_SUSPECTED = (
    "Nobody suspected anybody with heartbeats: the trouble must last longer than the timeout of 3 seconds."
)
SWIM_FOOLED = (
    "SWIM was fooled as well. It asks others before it judges, so leave a way round: trouble between two members, not "
    "around one."
)


def _near(answer: float, *values: float, within: float) -> bool:
    return any(math.isclose(float(answer), value, rel_tol=within) for value in values)


def _check_budget(answer: object) -> str | None:
    if not _is_number(answer):
        return _not_a_number(answer)
    if _near(answer, 3.0, within=0.003):
        return None
    if _near(answer, 4.0, within=0.003):
        return WHOLE_BUDGET
    if _near(answer, 5.0, within=0.003):
        return ADDED_INTERVAL
    return "The detection time is at most shift + interval. One of the three you know, one is the budget."


detection_budget = Exercise(
    "failure_detection.detection_budget",
    task=(
        "Calculate. Your service must notice every crash within 4 seconds, at worst. Heartbeats are sent once a second and the "
        "clocks are synchronised, so the timeout counts from the sending (NFD-S). Which shift, in seconds from a heartbeat's "
        "sending to the moment from which the next one must be there, makes the fewest mistakes within that budget?"
    ),
    check=_check_budget,
    success="Right: 3 s. When one heartbeat is lost, that leaves the next two time to make good for it.",
    hints=(
        "The longer the shift, the fewer the mistakes. So spend the whole budget.",
        "Worst case: the crash comes right after a heartbeat. Then it takes one interval + shift to notice.",
    ),
    solution="answer = 4.0 - 1.0",
    wrong_examples=(
        WrongExample("answer = 4.0", WHOLE_BUDGET),
        WrongExample("answer = 4 + 1", ADDED_INTERVAL),
    ),
    expects="a number of seconds",
)


def _check_silence(answer: object) -> str | None:
    if not _is_number(answer):
        return _not_a_number(answer)
    if _near(answer, phi_timeout(8, 2.0), within=2e-3):
        return None
    if _near(answer, 16.0, within=1e-3):
        return MISSED_HEARTBEATS
    if _near(answer, phi_timeout(8, 1.0), within=2e-3):
        return MEAN_GAPS
    if _near(answer, 8 * 2.0 / math.log(10), within=2e-3):
        return "You divided by ln 10. Solve 10^(−8) = e^(−t/2) for t: on which side does it end up?"
    return "Solve 10^(−8) = e^(−t/2) for t, or ask phi_timeout."


silence_of_a_cassandra_node = Exercise(
    "failure_detection.silence_of_a_cassandra_node",
    task=(
        "Calculate. A Cassandra node has had word of another every 2 seconds on average. Its φ assumes exponential gaps, and the "
        "threshold is 8. After how many seconds of silence does it convict?"
    ),
    check=_check_silence,
    success="Right: 8 · ln 10 · 2 s = 36.8 s. The rhythm sets the timeout: had the word come every second, it would be half.",
    hints=(
        "For exponential gaps of mean m, the chance of a silence longer than t is e^(−t/m).",
        "φ = −log₁₀ e^(−t/m) = t / (m · ln 10).",
    ),
    solution="from dscourse.detection import phi_timeout\nanswer = phi_timeout(8, 2.0)",
    wrong_examples=(
        WrongExample("missed = 8\nanswer = missed * 2.0", MISSED_HEARTBEATS),
        WrongExample("from math import log\nanswer = 8 * log(10)", MEAN_GAPS),
    ),
    expects="a number of seconds",
)

_SILENCES = (1.0, 1.4, 2.0, 5.0)


def _check_own_phi(answer: Any) -> str | None:
    if not callable(answer):
        return f"The answer is your function: answer = my_phi (without brackets). Yours is {answer!r}."
    values: list[float] = []
    for silence in _SILENCES:
        try:
            value = answer(silence, 1.0, 0.1)
        except ValueError as error:
            if len(values) >= 2 and "math domain error" in str(error):
                value = math.inf  # math.log10(0): what 1 − cdf comes to far out
            else:
                raise
        if not isinstance(value, numbers.Real):
            return f"answer({silence}, 1.0, 0.1) should return one number; yours returns {value!r}."
        values.append(float(value))
    right = [phi(silence, 1.0, 0.1) for silence in _SILENCES]
    agree = [math.isclose(mine, theirs, rel_tol=1e-3) for mine, theirs in zip(values, right, strict=True)]
    if all(agree):
        return None
    if math.isclose(values[0], right[0] * math.log(10), rel_tol=1e-3):
        return NATURAL_LOGARITHM
    if agree[0] and agree[1]:
        return NO_DIGITS_LEFT
    return NOT_SCALED if agree[0] else HALF_ARE_LONGER


your_own_phi = Exercise(
    "failure_detection.your_own_phi",
    task=(
        "Code. Write a function of (silence, mean, standard_deviation) that returns φ for normal gaps, without dscourse.detection. "
        "It must still be right for a silence of 40 standard deviations: detectors do wait that long."
    ),
    check=_check_own_phi,
    success="Right, even 40 standard deviations out, where 1 − cdf would be zero.",
    hints=(
        "φ = −log₁₀ of the chance that a gap is longer than the silence.",
        "scipy.stats.norm.logsf(silence, mean, standard_deviation) is the natural logarithm of that chance.",
    ),
    solution=(
        "from math import log\nfrom scipy.stats import norm\n\n"
        "def my_phi(silence, mean, standard_deviation):\n"
        "    return -norm.logsf(silence, mean, standard_deviation) / log(10)\n\n"
        "answer = my_phi"
    ),
    wrong_examples=(
        WrongExample(
            "from math import log10\nfrom scipy.stats import norm\n"
            "answer = lambda t, m, s: -log10(max(1 - norm.cdf(t, m, s), 1e-300))",
            NO_DIGITS_LEFT,
        ),
        WrongExample(
            "from scipy.stats import norm\nanswer = lambda t, m, s: -norm.logsf(t, m, s)", NATURAL_LOGARITHM
        ),
        WrongExample(
            "from math import log\nfrom scipy.stats import norm\nanswer = lambda t, m, s: -norm.logsf(t - m) / log(10)",
            NOT_SCALED,
        ),
    ),
    expects="a function of three numbers",
)

MEMBERS = 30
PAUSED = "n9"
CRASHED = "n4"
BUDGET = 8.0
TOO_MANY = (
    "Your members send so much, or set so many timers, that the run was stopped: far beyond 8 messages a second each. "
    "Is an interval or a period far too short?"
)


def try_design(factory: Any, seconds: float = 75.0, *, event_limit: int = 5_000_000) -> Run:
    """Run a design: 30 members, one of them paused for 3 s at 12 s, one crashed for good at 30 s."""
    network = Network(topology.full_mesh(MEMBERS), latency=Uniform(0.001, 0.02), loss=0.01)
    faults = (Pause(PAUSED, at=12.0, until=15.0), Crash(CRASHED, at=30.0))
    return Scenario(factory, network, faults=faults, seed=1).run(seconds, event_limit=event_limit)


def _messages_per_second(run: Run) -> float:
    return len(run.trace.select(kind="send")) / MEMBERS / run.until


def _check_design(answer: Any) -> str | None:
    if not callable(answer):
        return (
            "The answer is a node factory: a detector class with its settings, as in partial(SwimMember, period=1.0). "
            f"Yours is {answer!r}."
        )
    try:  # a costly design is refused before it costs time
        load = _messages_per_second(try_design(answer, seconds=10.0, event_limit=50_000))
    except EventLimit:
        return TOO_MANY
    if load > 1.5 * BUDGET:
        return _too_costly(load)
    try:
        run = try_design(answer, event_limit=300_000)
    except EventLimit:
        return TOO_MANY
    if (load := _messages_per_second(run)) > BUDGET:
        return _too_costly(load)
    verdict = "confirm" if run.trace.select(kind="record", name="confirm") else "suspect"
    quality = detector_quality(run, verdict=verdict)
    if quality.mistake_rate > 0:
        return HEALTHY_GIVEN_UP
    if quality.undetected:
        return f"{quality.undetected} of {MEMBERS - 1} members have not noticed by 75 s that {CRASHED} crashed at 30 s."
    if quality.detection_time > 12:
        return f"It takes {quality.detection_time:.0f} s on average until a member knows of the crash; the limit is 12 s."
    return None


def _too_costly(load: float) -> str:
    return (
        f"Each member sends {load:.0f} messages a second; the budget is 8. All-to-all costs 29 an interval: a longer "
        "interval helps a little, fewer watchers per member help for good."
    )


design_a_detector = Exercise(
    "failure_detection.design_a_detector",
    task=(
        "Design. Thirty members, a network that loses 1 % of the messages, a pause of three seconds now and then. At most 8 "
        "messages a second per member, nobody healthy given up, every member knows of a crash within 12 s on average. "
        "Your answer is a node factory, such as `partial(detection.HeartbeatDetector, interval=2.0)`. "
        '`detection.detector_quality(exercises.try_design(answer))` shows how it does; add `verdict="confirm"` to judge SWIM\'s last word.'
    ),
    check=_check_design,
    success="That holds: cheap, quick, and nobody was wronged. What would you change for 300 members?",
    hints=(
        "All-to-all heartbeats at 8 messages a second mean one heartbeat every 3.6 s or so. How many may get lost?",
        "SWIM's cost doesn't grow with the group. Which of its settings lets a suspect answer, and forgives a pause of three seconds?",
    ),
    solution="from functools import partial\nfrom dscourse.detection import SwimMember\nanswer = partial(SwimMember, period=1.0)",
    wrong_examples=(
        WrongExample(
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=1.0, timeout=5.0)",
            "Each member sends 29 messages a second; the budget is 8. All-to-all costs 29 an interval: a longer "
            "interval helps a little, fewer watchers per member help for good.",
        ),
        WrongExample(
            "from functools import partial\nfrom dscourse.detection import SwimMember\n"
            "answer = partial(SwimMember, suspicion_multiplier=0)",
            HEALTHY_GIVEN_UP,
        ),
        WrongExample(
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=4.0, timeout=20.0)",
            "It takes 18 s on average until a member knows of the crash; the limit is 12 s.",
        ),
    ),
    expects="a node factory, such as partial(SwimMember, period=1.0)",
)


def try_faults(faults: Sequence[Any]) -> tuple[Run, Run]:
    """Run the same faults against all-to-all heartbeats and against SWIM: ten members, 60 seconds."""
    network = Network(topology.full_mesh(10), latency=Constant(0.01))
    heartbeats = partial(HeartbeatDetector, interval=1.0, timeout=3.0)
    return (
        Scenario(heartbeats, network, faults=tuple(faults), seed=2).run(60.0),
        Scenario(SwimMember, network, faults=tuple(faults), seed=2).run(60.0),
    )


def _check_faults(answer: Any) -> str | None:
    if (
        not isinstance(answer, list | tuple)
        or not answer
        or not all(isinstance(each, Fault) for each in answer)
    ):
        return f'The answer is a list of faults, such as [Pause("n3", at=10.0, until=20.0)]. Yours is {answer!r}.'
    if any(isinstance(fault, Crash) for fault in answer):
        return ANSWERS_WITH_A_CRASH
    heartbeats, swim = try_faults(answer)
    if not heartbeats.trace.select(kind="record", name="suspect"):
        return NOBODY_SUSPECTED
    if swim.trace.select(kind="record", name="confirm"):
        return SWIM_FOOLED
    return None


fool_the_heartbeats = Exercise(
    "failure_detection.fool_the_heartbeats",
    task=(
        "Break it. Find faults under which all ten nodes stay up, all-to-all heartbeats (timeout 3 s) suspect a healthy node, "
        "and SWIM declares nobody faulty. Your answer is a list of faults; `exercises.try_faults(answer)` gives both runs."
    ),
    check=_check_faults,
    success="Yes: where a single link fails, one observer's silence is not the group's. SWIM asked a third member.",
    hints=(
        "SWIM pings indirectly, through three other members. Which fault can't they see?",
        'CutLink("n0", "n3", at=10.0, until=40.0) cuts one link in both directions.',
    ),
    solution='from dscourse.simulation import CutLink\nanswer = [CutLink("n0", "n3", at=10.0, until=40.0)]',
    wrong_examples=(
        WrongExample(
            'from dscourse.simulation import Crash\nanswer = [Crash("n3", at=10.0)]', ANSWERS_WITH_A_CRASH
        ),
        WrongExample(
            'from dscourse.simulation import CutLink\nanswer = [CutLink("n0", "n3", at=10.5, until=12.0)]',
            NOBODY_SUSPECTED,
        ),
        WrongExample(
            'from dscourse.simulation import Pause\nanswer = [Pause("n3", at=10.0, until=25.0)]', SWIM_FOOLED
        ),
    ),
    expects="a list of faults",
)


def _is_number(answer: object) -> TypeGuard[float]:
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        return False
    try:
        float(answer)
    except OverflowError:
        return False
    return True


def _not_a_number(answer: object) -> str:
    return f"The answer is one number, in seconds. Yours is {answer!r}."
