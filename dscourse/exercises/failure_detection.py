"""Predictions and exercises of notebook 08."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from dscourse.detection import DetectorQuality, HeartbeatDetector, SwimMember, detector_quality
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
    told,
    tried_with,
)
from dscourse.simulation import (
    Constant,
    Crash,
    CutLink,
    EventLimit,
    Fault,
    Network,
    Node,
    Pause,
    Run,
    Scenario,
    Uniform,
    topology,
)

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

SILENCE_TELLS_ITS_CAUSE = Misconception(
    "failure_detection.silence_tells_its_cause",
    belief="Silence tells what has happened.",
    question=("A peer has been silent for a minute. Name two troubles that look so, in which it is alive."),
    answer="A cut link, a long pause, a queue of work: while you wait they all look alike.",
)
PATIENCE_DIVIDES_BY_TWO = Misconception(
    "failure_detection.patience_divides_by_two",
    belief="Twice as much patience means half as many mistakes.",
    question=(
        "A link loses one heartbeat in ten, independently. By how much does it divide the mistakes to wait for one "
        "more?"
    ),
    answer="By ten: the next must be lost as well.",
)
PHI_IS_A_PROBABILITY = Misconception(
    "failure_detection.phi_is_a_probability",
    belief="φ says how often a silence of this length occurs.",
    question=("φ = 3 would be one gap in a thousand. What must hold of the gaps for that?"),
    answer="They must have the distribution that the formula assumes. Real ones have longer tails.",
)
COST_GROWS_WITH_THE_GROUP = Misconception(
    "failure_detection.cost_grows_with_the_group",
    belief="To watch a larger group costs each member more.",
    question=(
        "In SWIM, how many members does one member ping in a period, among ten and among ten thousand?"
    ),
    answer="One. There are more to be watched, and as many more who watch.",
)
A_SUSPECT_IS_DEAD = Misconception(
    "failure_detection.a_suspect_is_dead",
    belief="Whoever is suspected is thrown out.",
    question=("A member learns that it is suspected. What can it do?"),
    answer="Contradict with a higher incarnation number, as long as the suspicion has not run out.",
)
PROVED_IS_BEST_EVERYWHERE = Misconception(
    "failure_detection.proved_is_best_everywhere",
    belief="What was proved to be optimal is best in practice.",
    question=(
        "A detector is optimal if delays are independent. On your link a delay that rises stays up. What does the "
        "proof say there?"
    ),
    answer="Nothing: its assumption does not hold.",
)
MISCONCEPTIONS = (
    SILENCE_TELLS_ITS_CAUSE,
    PATIENCE_DIVIDES_BY_TWO,
    PHI_IS_A_PROBABILITY,
    COST_GROWS_WITH_THE_GROUP,
    A_SUSPECT_IS_DEAD,
    PROVED_IS_BEST_EVERYWHERE,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

name_the_crash = ChoicePrediction(
    "failure_detection.name_the_crash",
    question=(
        "Five runs. In each, n0 pings n1 every second, and at 10 s something happens: n1 crashes, or is paused, or is swamped with "
        "work, or the link between them loses nearly everything, or n1 no longer hears n0 (but could answer). At 20 s you look "
        "at n0's notes. In which of the runs can you name the trouble?"
    ),
    right=Expectation(
        "in none of them",
        "N0 holds five identical rows of nothing. Can you say what would tell them apart, and when?",
    ),
    wrong=(
        Expectation(
            "the crash: there the silence begins at once",
            "The first ping after the trouble can go unanswered whatever the trouble is. Compare where the crosses begin.",
            SILENCE_TELLS_ITS_CAUSE,
        ),
        Expectation(
            "the overload: its answers come late instead of never",
            "They do come, much later. Until one is there, late and never are the same observation. Look at the rows at 20 s.",
            SILENCE_TELLS_ITS_CAUSE,
        ),
    ),
)

one_more_heartbeat = ChoicePrediction(
    "failure_detection.one_more_heartbeat",
    question=(
        "Heartbeats come once a second; the link loses one in twenty, each on its own. You raise the timeout from 1.5 s to "
        "2.5 s: one more heartbeat must now be lost before you suspect. How many mistakes do you make then, compared with before?"
    ),
    right=Expectation(
        "about a twentieth",
        "The second loss has a chance of one in twenty, too. Each further second of patience divides again by twenty, "
        "as long as losses are independent. When might they not be?",
    ),
    wrong=(
        Expectation(
            "about half as many",
            "That would be so if a mistake needed either of two losses. It needs both, one after the other.",
            PATIENCE_DIVIDES_BY_TWO,
        ),
        Expectation(
            "about a fifth",
            "Waiting helps more than that. What is the chance that the second heartbeat is lost as well?",
        ),
    ),
)

cheapest_detector = ChoicePrediction(
    "failure_detection.cheapest_detector",
    question=(
        "The same detectors, now on delays that were measured between 40 pairs of real hosts. Each detector gets one setting "
        "for all 40 links, tuned so that a crash is noticed after 2 seconds on average. Which makes the fewest mistakes?"
    ),
    right=Expectation(
        "phi-accrual: it learns what each link is like",
        "The threshold is the same for all, the patience is not: calm links get little, restless ones much. That is "
        "what a detector buys by learning: nobody has to tune a timeout for each single link.",
    ),
    wrong=(
        Expectation(
            "the timeout from sending: it was proved optimal",
            "Proved, for delays that are drawn independently from one distribution. Look at a real link: when its delay rises, "
            "it stays up for a while. What does a detector make of that which counts from the sending?",
            PROVED_IS_BEST_EVERYWHERE,
        ),
        Expectation(
            "the timeout from arrival: the simplest is the most robust",
            "It bears a delay that rises and stays, since it forgets how late the last heartbeat was. But its one timeout must "
            "do for the calmest link and for the wildest.",
        ),
    ),
)

one_in_a_hundred_million = ChoicePrediction(
    "failure_detection.one_in_a_hundred_million",
    question=(
        "φ = 8 says: only one gap in a hundred million is longer than this silence. You have just seen one that was. Now you replay "
        "all 27 480 gaps of those 40 real links, on which every host answered every time. How many of them pass φ = 8?"
    ),
    right=Expectation(
        "dozens",
        "Real delays have tails that no normal distribution has. φ is a good scale for suspicion and a bad "
        "probability.",
    ),
    wrong=(
        Expectation(
            "that one only: it was very bad luck",
            "If gaps were normal, even that one would be too many. Are they?",
            PHI_IS_A_PROBABILITY,
        ),
        Expectation(
            "two or three",
            "You don't trust the formula, and you are right. How wrong it is depends on the tail of the real gaps.",
        ),
    ),
)

members_and_messages = ChoicePrediction(
    "failure_detection.members_and_messages",
    question=(
        "All-to-all heartbeats cost each of 10 members 9 messages a second, and each of 1 000 members 999. "
        "SWIM costs each of 10 members 2 messages a second. What does it cost each of 1 000?"
    ),
    right=Expectation(
        "2 as well",
        "One ping and, on average, one answer to give. Nothing in the loop depends on the size of the group. "
        "So who watches whom?",
    ),
    wrong=(
        Expectation(
            "about 6: it grows with the logarithm",
            "The time for a rumour to reach everybody grows like that, but the rumours ride on messages that are sent "
            "anyway. Count the messages.",
        ),
        Expectation(
            "200: a hundred times as much",
            "That is how all-to-all grows. How many members does one member ping in one period?",
            COST_GROWS_WITH_THE_GROUP,
        ),
    ),
)

first_to_notice = ChoicePrediction(
    "failure_detection.first_to_notice",
    question=(
        "In SWIM each member pings only one other a second. How long does it take until the first of 1 000 members pings "
        "the one that has crashed, compared with a group of 10?"
    ),
    right=Expectation(
        "about the same",
        "A hundred times as many targets, and a hundred times as many eyes: 1.58 periods on average, in the limit "
        "e/(e − 1).",
    ),
    wrong=(
        Expectation(
            "a hundred times as long",
            "Each single member takes a hundred times as long to come round. But how many are looking?",
            COST_GROWS_WITH_THE_GROUP,
        ),
        Expectation(
            "a hundred times less: there are more eyes",
            "There are more eyes, and as many more members for them to look at.",
        ),
    ),
)

paused_for_a_moment = ChoicePrediction(
    "failure_detection.paused_for_a_moment",
    question=(
        "One of 12 members is paused for 3 seconds (a long garbage collection) and then goes on. "
        "What becomes of it in a SWIM group with suspicion?"
    ),
    right=Expectation(
        "it is suspected, hears of it, and clears its name",
        "Suspicion is a question put to the whole group, and the suspect may answer: with a higher incarnation "
        "number, which beats every older rumour.",
    ),
    wrong=(
        Expectation(
            "nothing: nobody notices so short a pause",
            "Each second some member pings it, more likely than not. Look for the suspicions.",
        ),
        Expectation(
            "it is declared faulty and must join again",
            "That is what happens without suspicion. With it, how long does a suspect have to answer?",
            A_SUSPECT_IS_DEAD,
        ),
    ),
)


# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

detection_budget = NumberExercise(
    "failure_detection.detection_budget",
    task=(
        "Calculate. Your service must notice every crash within 4 seconds, at worst. Heartbeats are sent once a second and the "
        "clocks are synchronised, so the timeout counts from the sending (NFD-S). Which shift, in seconds from a heartbeat's "
        "sending to the moment from which that heartbeat must be there, makes the fewest mistakes within that budget?"
    ),
    expects="a number of seconds",
    success="Right: 3 s. When one heartbeat is lost, that leaves the next two time to make good for it.",
    hints=(
        "The longer the shift, the fewer the mistakes. So spend the whole budget.",
        "Worst case: the crash comes right after a heartbeat. Then it takes one interval + shift to notice.",
    ),
    solution="answer = 4.0 - 1.0",
    mistakes=(
        Mistake(
            "answer = 4.0",
            "Four seconds is the whole budget. In the worst case the machine dies right after a heartbeat, and it takes another "
            "interval until the next one is missing. What is left for the shift?",
        ),
        Mistake(
            "answer = 4 + 1",
            "You added the interval. It is already part of the four seconds: detection takes shift + interval at worst.",
        ),
    ),
    otherwise="The detection time is at most shift + interval. One of the three you know, one is the budget.",
    tolerance=0.003,
)

silence_of_a_cassandra_node = NumberExercise(
    "failure_detection.silence_of_a_cassandra_node",
    task=(
        "Calculate. A Cassandra node has had word of another every 2 seconds on average. Its φ assumes exponential gaps, and the "
        "threshold is 8. After how many seconds of silence does it convict?"
    ),
    expects="a number of seconds",
    success="Right: 8 · ln 10 · 2 s = 36.8 s. The rhythm sets the timeout: had the word come every second, it would be half.",
    hints=(
        "For exponential gaps of mean m, the chance of a silence longer than t is e^(−t/m).",
        "φ = −log₁₀ e^(−t/m) = t / (m · ln 10).",
    ),
    solution="from dscourse.detection import phi_timeout\nanswer = phi_timeout(8, 2.0)",
    mistakes=(
        Mistake(
            "missed = 8\nanswer = missed * 2.0",
            "φ does not count missed heartbeats: it is the negative decimal logarithm of a probability. At which silence t is "
            "e^(−t/2) = 10^(−8)?",
        ),
        Mistake(
            "from math import log\nanswer = 8 * log(10)",
            "18.42 is the number of mean gaps. Here a mean gap is 2 seconds.",
        ),
        Mistake(
            "from math import log\nanswer = 8 * 2.0 / log(10)",
            "You divided by ln 10. Solve 10^(−8) = e^(−t/2) for t: on which side does it end up?",
        ),
    ),
    otherwise="Solve 10^(−8) = e^(−t/2) for t, or ask phi_timeout.",
    accepts=(36.5, 37.2),  # 36.84, rounded as you like
    tolerance=0.025,
)

_NO_DIGITS_LEFT = (
    "Right for short silences, but not for one of 40 deviations, where φ is 349.4. 1 − cdf has no digits left out there: ask "
    "for the logarithm of that chance instead (log_ndtr in scipy.special, or logsf in scipy.stats)."
)

your_own_phi = FunctionExercise(
    "failure_detection.your_own_phi",
    task=(
        "Code. Write a function of (silence, mean, standard_deviation) that returns φ for normal gaps, without dscourse.detection. "
        "It must still be right for a silence of 40 standard deviations: detectors do wait that long."
    ),
    expects="your function of (silence, mean, standard_deviation), without brackets; it returns a number",
    success="Right, even 40 standard deviations out, where 1 − cdf would be zero.",
    hints=(
        "φ = −log₁₀ of the chance that a gap is longer than the silence.",
        "scipy.special.log_ndtr(x) is the natural logarithm of the chance that a standard normal number is below x, and so also of "
        "the chance that it is above −x.",
    ),
    solution=(
        "from math import log\nfrom scipy.special import log_ndtr\n\n"
        "def my_phi(silence, mean, standard_deviation):\n"
        "    return -log_ndtr((mean - silence) / standard_deviation) / log(10)\n\n"
        "answer = my_phi"
    ),
    cases=((1.0, 1.0, 0.1), (1.4, 1.0, 0.1), (2.0, 1.0, 0.1), (5.0, 1.0, 0.1)),
    mistakes=(
        Mistake(
            "from math import log10\nfrom scipy.special import ndtr\n"
            "answer = lambda t, m, s: -log10(max(1 - ndtr((t - m) / s), 1e-300))",
            _NO_DIGITS_LEFT,
        ),
        Mistake(
            "from math import log10\nfrom scipy.special import ndtr\n"
            "answer = lambda t, m, s: -log10(1 - ndtr((t - m) / s))",
            _NO_DIGITS_LEFT,
        ),
        Mistake(
            "import numpy as np\nfrom scipy.special import ndtr\n\n"
            "def answer(t, m, s):\n"
            "    with np.errstate(divide='ignore'):\n"
            "        return -np.log10(1 - ndtr((t - m) / s))",
            _NO_DIGITS_LEFT,
        ),
        Mistake(
            "from math import log10\nfrom scipy.special import ndtr\nanswer = lambda t, m, s: -log10(ndtr((m - t) / s))",
            "Right up to 10 deviations, and at 40 the chance itself is too small for any number. Calculate with its logarithm all the "
            "way (log_ndtr in scipy.special, or logsf in scipy.stats).",
        ),
        Mistake(
            "from scipy.special import log_ndtr\nanswer = lambda t, m, s: -log_ndtr((m - t) / s)",
            "Your logarithm is the natural one. φ counts in powers of ten: divide by ln 10, or use log10.",
        ),
        Mistake(
            "from math import log\nfrom scipy.special import log_ndtr\nanswer = lambda t, m, s: -log_ndtr(m - t) / log(10)",
            "At the mean your φ is right, beyond it is not. Do you divide the distance from the mean by the deviation?",
        ),
        Mistake(
            "from math import log\nfrom scipy.special import log_ndtr\nanswer = lambda t, m, s: -log_ndtr((t - m) / s) / log(10)",
            "That is the chance that a gap is shorter than the silence. φ is about the longer ones.",
        ),
    ),
    otherwise=(
        "Called with {arguments} yours returns {given}; it should be {right}. (At the mean it is 0.301: half of all gaps are longer, "
        "and −log₁₀ of a half is 0.301.)"
    ),
    tolerance=1e-3,
    written="{:.4g}".format,
)

MEMBERS = 30
PAUSED = "n9"
CRASHED = "n4"
BUDGET = 8.0
LIMIT = 6.0


def try_design(factory: Any, seconds: float = 75.0, *, event_limit: int = 5_000_000) -> Run:
    """Run a design: 30 members, one of them paused for 3 s at 12 s, one crashed for good at 30 s."""
    network = Network(topology.full_mesh(MEMBERS), latency=Uniform(0.001, 0.02), loss=0.01)
    faults = (Pause(PAUSED, at=12.0, until=15.0), Crash(CRASHED, at=30.0))
    return Scenario(factory, network, faults=faults, seed=1).run(seconds, event_limit=event_limit)


class _Detector:
    """A detector, tried for a while first, so that a costly one is refused before it costs time."""

    def __init__(self, answer: Any) -> None:
        if not callable(answer):
            raise Unfit
        made = answer("n0", ("n1", "n2"))
        if not isinstance(made, Node):
            raise Unfit(f"called with a node's name and its peers, it returned {told(made)}")
        self._factory = answer

    @cached_property
    def run(self) -> Run | None:
        try:
            run = try_design(self._factory, seconds=10.0, event_limit=50_000)
            return run if _load(run) > 1.5 * BUDGET else try_design(self._factory, event_limit=300_000)
        except EventLimit:
            return None

    @cached_property
    def quality(self) -> DetectorQuality:
        if self.run is None:
            raise LookupError("there is no run to judge")
        verdict = "confirm" if self.run.trace.select(kind="record", name="confirm") else "suspect"
        return detector_quality(self.run, verdict=verdict)


def _load(run: Run | None) -> float:
    """Return how many messages a member sends a second."""
    return len(run.trace.select(kind="send")) / MEMBERS / run.until if run else math.inf


design_a_detector = TrialExercise(
    "failure_detection.design_a_detector",
    task=(
        "Design. Thirty members, a network that loses 1 % of the messages, a pause of three seconds now and then. At most 8 "
        "messages a second per member, nobody healthy given up, every member knows of a crash within 6 s on average. "
        "Your answer is a node factory, such as `partial(detection.HeartbeatDetector, interval=2.0)`. "
        '`detection.detector_quality(exercises.try_design(answer))` shows how it does; add `verdict="confirm"` to judge SWIM\'s last word.'
    ),
    expects="a node factory, a detector with its settings, such as `partial(detection.HeartbeatDetector, interval=2.0)`",
    success="That holds: cheap, quick, and nobody was wronged. What would you change for 300 members?",
    hints=(
        "All-to-all heartbeats at 8 messages a second mean one heartbeat every 3.6 s or so. How many may get lost?",
        "SWIM's cost doesn't grow with the group. Which of its settings say how soon a member is pinged, and how long a suspect may "
        "answer? The second must forgive a pause of three seconds.",
    ),
    solution=(
        "from functools import partial\nfrom dscourse.detection import SwimMember\n"
        "answer = partial(SwimMember, period=0.5, ack_timeout=0.25)"
    ),
    read=_Detector,
    rules=(
        Rule(
            "Your members send so much, or set so many timers, that the run was stopped: far beyond 8 messages a second each. "
            "Is an interval or a period far too short?",
            lambda design: design.run is None,
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=1e-3, timeout=1.0)",
        ),
        Rule(
            lambda design: (
                f"Each member sends {_load(design.run):.0f} messages a second; the budget is 8. All-to-all costs 29 an interval: a "
                "longer interval helps a little, fewer watchers per member help for good."
            ),
            lambda design: _load(design.run) > BUDGET,
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=1.0, timeout=5.0)",
        ),
        Rule(
            "A healthy member was given up. The network loses one message in a hundred, and one member is paused for three seconds: "
            "give it more time, or a chance to answer.",
            lambda design: design.quality.mistake_rate > 0,
            "from functools import partial\nfrom dscourse.detection import SwimMember\n"
            "answer = partial(SwimMember, suspicion_multiplier=0)",
        ),
        Rule(
            lambda design: (
                f"{design.quality.undetected} of {MEMBERS - 1} members have not noticed by 75 s that {CRASHED} crashed at 30 s."
            ),
            lambda design: design.quality.undetected > 0,
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=4.0, timeout=60.0)",
        ),
        Rule(
            lambda design: (
                f"It takes {design.quality.detection_time:.1f} s on average until a member knows of the crash; the limit is "
                f"{LIMIT:.0f} s."
            ),
            lambda design: design.quality.detection_time > LIMIT,
            "from functools import partial\nfrom dscourse.detection import HeartbeatDetector\n"
            "answer = partial(HeartbeatDetector, interval=4.0, timeout=20.0)",
            "from dscourse.detection import SwimMember\nanswer = SwimMember",
        ),
    ),
)


def try_faults(faults: Sequence[Fault]) -> tuple[Run, Run]:
    """Run the same faults against all-to-all heartbeats and against SWIM: ten members, 60 seconds."""
    network = Network(topology.full_mesh(10), latency=Constant(0.01))
    heartbeats = partial(HeartbeatDetector, interval=1.0, timeout=3.0)
    return (
        Scenario(heartbeats, network, faults=tuple(faults), seed=2).run(60.0),
        Scenario(SwimMember, network, faults=tuple(faults), seed=2).run(60.0),
    )


def _links(runs: tuple[Run, Run]) -> list[frozenset[str]]:
    """Return the link that each fault is about; an empty one for a fault of a node, or of the whole network."""
    return [
        frozenset((fault.a, fault.b) if isinstance(fault, CutLink) else getattr(fault, "link", None) or ())
        for fault in runs[0].scenario.faults
    ]


def _no_way_round(runs: tuple[Run, Run]) -> bool:
    """Return whether for some troubled link there is no third member that both its ends can reach."""
    troubled = set(_links(runs))
    return any(
        all(
            {frozenset((end, third)) for end in link} & troubled
            for third in runs[0].scenario.network.graph
            if third not in link
        )
        for link in troubled
    )


fool_the_heartbeats = TrialExercise(
    "failure_detection.fool_the_heartbeats",
    task=(
        "Break it. Find faults under which all ten nodes stay up and well, all-to-all heartbeats (timeout 3 s) suspect one of them, "
        "and SWIM declares nobody faulty. Your answer is a list of faults; `exercises.try_faults(answer)` gives both runs."
    ),
    expects='a list of faults, such as `[Pause("n3", at=10.0, until=20.0)]`',
    success="Yes: where a link fails, one observer's silence is not the group's. SWIM asked a third member.",
    hints=(
        "SWIM pings indirectly, through three other members. Which fault can't they see?",
        "Trouble on the link between two members is enough: cut, or lossy. How long must it last?",
    ),
    solution='from dscourse.simulation import CutLink\nanswer = [CutLink("n0", "n3", at=10.0, until=40.0)]',
    read=partial(tried_with, try_faults),
    rules=(
        Rule(
            "A crashed node is rightly suspected. Leave every node up: the heartbeats must be fooled, not informed.",
            lambda runs: any(isinstance(fault, Crash) for fault in runs[0].scenario.faults),
            'from dscourse.simulation import Crash\nanswer = [Crash("n3", at=10.0)]',
        ),
        Rule(
            "Leave the nodes alone, and the network as a whole: a node that is paused or slow isn't well, and where everything gets "
            "lost there is nobody to ask. Trouble single links.",
            lambda runs: not all(_links(runs)),
            'from dscourse.simulation import Pause\nanswer = [Pause("n3", at=10.0, until=14.0)]',
            'from dscourse.simulation import Pause\nanswer = [Pause("n3", at=10.0, until=25.0)]',
            "from dscourse.simulation import Lossy\nanswer = [Lossy(0.5, at=10.0)]",
        ),
        Rule(
            "Nobody suspected anybody with heartbeats: the trouble must last longer than the timeout of 3 seconds.",
            lambda runs: not runs[0].trace.select(kind="record", name="suspect"),
            'from dscourse.simulation import CutLink\nanswer = [CutLink("n0", "n3", at=10.5, until=12.0)]',
        ),
        Rule(
            "Nobody was left whom SWIM could have asked. It asks others before it judges, so leave a way round: trouble between two "
            "members, not around one.",
            lambda runs: _no_way_round(runs) or bool(runs[1].trace.select(kind="record", name="confirm")),
            "from dscourse.simulation import CutLink\n"
            'answer = [CutLink("n3", f"n{each}", at=10.0, until=40.0) for each in range(10) if each != 3]',
            "from dscourse.simulation import CutLink\n"
            'answer = [CutLink("n3", f"n{each}", at=10.0, until=14.0) for each in range(10) if each != 3]',
        ),
    ),
)
