"""Predictions, exercises and players' tasks of notebook 08."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from dscourse.arguments import real
from dscourse.detection import (
    HeartbeatDetector,
    PingDetector,
    ServiceReport,
    SwimMember,
    service_report,
    suspicion_history,
    worker_service,
)
from dscourse.detection.silences import CAUSES, silence
from dscourse.exercises import (
    ChoicePrediction,
    CurvePrediction,
    Expectation,
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
from dscourse.exercises.nodes.failure_detection import (
    ask_somebody_else as ask_somebody_else,
    catch_the_detectors as catch_the_detectors,
    suspect_the_silent as suspect_the_silent,
)
from dscourse.simulation import (
    Constant,
    Crash,
    CutLink,
    Fault,
    Moment,
    Network,
    Pause,
    Run,
    Scenario,
    Uniform,
    always,
    topology,
)
from dscourse.views import Task, Visit

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
        "A detector is optimal if all delays are drawn from one distribution. Your links differ. What does the proof say there?"
    ),
    answer="Nothing: its assumption does not hold.",
)
SOONER_IS_SAFER = Misconception(
    "failure_detection.sooner_is_safer",
    belief="The sooner a silent worker is given up, the better for the clients.",
    question="A worker that is only slow is given up. Who does its work now, and what must they do first?",
    answer="The others, who load its share while their own requests wait. So they are late, and look silent, too.",
)
MISCONCEPTIONS = (
    SILENCE_TELLS_ITS_CAUSE,
    PATIENCE_DIVIDES_BY_TWO,
    PHI_IS_A_PROBABILITY,
    COST_GROWS_WITH_THE_GROUP,
    A_SUSPECT_IS_DEAD,
    PROVED_IS_BEST_EVERYWHERE,
    SOONER_IS_SAFER,
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

given_up_in_turn = NumberPrediction(
    "failure_detection.given_up_in_turn",
    question=(
        "The same four workers, but the front end waits for one second only. At 10 s w2 stands still for three seconds, and then goes on. "
        "Nobody crashes. How many of the four workers are given up, at one time or another?"
    ),
    scale=(0, 4),
    step=1,
    unit="of the four workers",
    near=0.4,
    right=(
        "Whoever takes over a share has to load it. A worker that loads is late with its answers, and late looks like gone. What would "
        "have stopped it?"
    ),
    typical={
        1: Expectation(
            "only w2",
            "w2's shares go to the others, who have to load them. The question whether they are there waits behind that.",
            SOONER_IS_SAFER,
        ),
        0: Expectation(
            "none: it was only a pause",
            "For the front end a pause of three seconds is a silence of three seconds, and it waits for one.",
            SILENCE_TELLS_ITS_CAUSE,
        ),
    },
    otherwise="Each worker that is given up leaves its shares to those that remain. Where does that end?",
)

price_of_patience = CurvePrediction(
    "failure_detection.price_of_patience",
    question=(
        "One bad minute: w2 stands still for three seconds, and later w3 crashes. 3 600 requests come in. Drag the points: how many of them "
        "fail, if a silent worker is given up after 1, 2, 4, 8, 16 seconds?"
    ),
    at=(1, 2, 4, 8, 16),
    scale=(0, 3600),
    step=50,
    across="timeout in seconds",
    along="requests that fail",
    near=250,
    right="Too short and too long are no mirror images: the one costs some requests for each second, the other may cost all.",
    otherwise=Expectation(
        "another curve",
        "At the left a pause is taken for a death, and the work that this makes is taken for more deaths. At the right a death is just not "
        "noticed: 15 requests a second, w3's share, go nowhere. Which of the two did you think of?",
        SOONER_IS_SAFER,
    ),
)

paused_for_a_moment = ChoicePrediction(
    "failure_detection.paused_for_a_moment",
    question=(
        "One of 8 members is paused for 3 seconds (a long garbage collection) and then goes on. "
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


members_and_messages = NumberPrediction(
    "failure_detection.members_and_messages",
    question=(
        "Once a second, each member of a group tells all others that it is there: with 1 000 members that is 999 messages for each to send. "
        "How many does a member of a SWIM group of 1 000 send a second, if all is well?"
    ),
    scale=(0, 1000),
    step=1,
    unit="messages a second",
    near=2,
    right="One ping and, on average, one answer to give. Nothing in that depends on the size of the group. So who watches whom?",
    typical={
        1000: Expectation(
            "about as many as there are members",
            "That is how all-to-all grows. How many members does one member ping in one period?",
            COST_GROWS_WITH_THE_GROUP,
        ),
        10: Expectation(
            "about ten: it grows with the logarithm",
            "The time for a rumour to reach everybody grows like that, but the rumours ride on messages that are sent anyway. Count the messages.",
        ),
    },
    otherwise="Count what one member sends in one period: to how many others, and how often is it asked itself?",
)

#: Eight places of the world, a member in each.
world = Network(topology.regions())
for _node, _east, _north in (
    ("n0", -0.2, 0.0),
    ("n3", -0.1, 0.2),
    ("n4", 0.1, -0.1),
):  # else they cover each other
    _x, _y = world.graph.nodes[_node]["pos"]
    world.graph.nodes[_node]["pos"] = (_x + _east, _y + _north)

farthest_city = NodePrediction(
    "failure_detection.farthest_city",
    question=(
        "Eight members, each in another part of the world: n0 Dallas, n1 Washington, n2 São Paulo, n3 London, n4 Frankfurt, n5 Mumbai, n6 Tokyo, "
        "n7 Sydney. Each pings all others once a second, and suspects whoever hasn't answered after 0.2 s. All is well. Who is suspected by "
        "the most others, most of the time?"
    ),
    graph=world.graph,
    right="Four of the seven others are more than 0.2 s away, there and back, and suspect it nearly all the time. Would a heartbeat have the same trouble?",
    typical={
        "n2": Expectation(
            "São Paulo",
            "It is far from Asia and Australia, and near enough to North America and Europe: three suspect it.",
        ),
    },
    otherwise="A round trip has to fit into 0.2 s. For whom does it fit least often?",
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
            "Proved, for delays that are drawn independently from one known distribution. Here are forty links, each with delays of its "
            "own, and one setting for all. What is a heartbeat of the slowest link, if it is counted from the sending?",
            PROVED_IS_BEST_EVERYWHERE,
        ),
        Expectation(
            "the timeout from arrival: the simplest is the most robust",
            "It bears a delay that rises and stays, since it forgets how late the last heartbeat was. But its one timeout must "
            "do for the calmest link and for the wildest.",
        ),
    ),
)

# ── The clusters of the notebook, and what to do with them ────────────────────────────────────────────────────

MYSTERIES = {"A": "paused", "B": "lossy link", "C": "crashed", "D": "overloaded", "E": "one-way link"}


def mystery(letter: str, until: float = 20.0, observers: int = 1) -> Run:
    """One of five runs in which something happens to n1, or to its link to n0, at 10.2 s."""
    return silence(MYSTERIES[letter], until, observers=observers)


#: Five nodes that send each other heartbeats over links which lose one message in twenty.
lossy = Network(topology.full_mesh(5), latency=Uniform(0.05, 0.2), loss=0.05)


def heartbeats(timeout: float, until: float) -> Run:
    """The five nodes with heartbeats once a second."""
    return Scenario(partial(HeartbeatDetector, timeout=timeout), lossy, seed=3).run(until)


def bad_minute(timeout: float) -> Run:
    """Run the four workers for a minute: w2 stands still for three seconds, and later w3 crashes."""
    return worker_service(timeout, Pause("w2", at=10.0, until=13.0), Crash("w3", at=35.0)).run(60.0)


#: Eight members of a SWIM group; messages take long enough to be followed.
swim = Scenario(SwimMember, Network(topology.full_mesh(8), latency=Uniform(0.1, 0.2)), seed=1)


def swim_group(members: int) -> Scenario:
    """A SWIM group on a quick network; each member draws anew whom it probes."""
    network = Network(topology.full_mesh(members), latency=Uniform(0.001, 0.02))
    return Scenario(partial(SwimMember, probe_order="random"), network)


#: A member in each of the eight places, which pings all others.
pings = Scenario(partial(PingDetector, interval=1.0, timeout=0.2), world, seed=1)


def most_suspected(run: Run) -> str:
    """Who is suspected for the longest time, by all others together."""
    history, _ = suspicion_history(run)
    seconds = dict.fromkeys(run.nodes, 0.0)
    for (_, peer), held in history.items():
        seconds[peer] += sum(one.end - one.begin for one in held)
    return max(seconds, key=lambda node: seconds[node])


def _nobody_alive_is_suspected(now: Moment) -> bool:
    return all(
        now.condition[peer] == "crashed" for fields in now.nodes.values() for peer in fields["suspected"]
    )


#: Suspects whoever leaves three pings in a row without an answer.
PatientDetector = partial(PingDetector, attempts=3)
nobody_alive_is_suspected = always(_nobody_alive_is_suspected, "nobody alive is suspected")


def _ended_pauses(run: Run) -> list[Fault]:
    return [
        fault for fault, _, end in run.trace.fault_intervals() if isinstance(fault, Pause) and end < run.until
    ]


def _suspected(run: Run, name: str = "suspect", peer: str | None = None) -> list[float]:
    return [event.time for event in run.trace.select(kind="record", name=name, peer=peer)]


def _has_crash(run: Run) -> bool:
    return any(isinstance(fault, Crash) for fault in run.faults)


def _a_wrong_suspicion(run: Run) -> Visit | None:
    first = min(_suspected(run), default=None)
    return None if first is None else Visit(first, first + 0.5)


drive_the_workers = (
    Task(
        "failure_detection.short_pause",
        "Pause w2, resume it three seconds later: it is not given up",
        lambda run: bool(_ended_pauses(run)) and not _suspected(run),
    ),
    Task(
        "failure_detection.crash_noticed",
        "Undo; crash w2 at about 5 s. When is it given up?",
        lambda run: (
            _has_crash(run) and Visit(min(_suspected(run)) - 0.3, run.until) if _suspected(run) else None
        ),
    ),
)
look_at_a_mystery = (
    Task("failure_detection.last_answer", "See the last answer reach n0, just after 10 s", Visit(10.0, 10.6)),
    Task("failure_detection.silence", "See pings go, and nothing come back", Visit(13.0, 17.0)),
)
watch_the_doubts = (
    Task(
        "failure_detection.wrongly", "Find a moment at which somebody well is suspected", _a_wrong_suspicion
    ),
    Task(
        "failure_detection.rightly",
        "Crash n3 yourself: how long until all four suspect it?",
        lambda run: (
            any(isinstance(fault, Crash) and fault.node == "n3" for fault in run.faults)
            and len({event.node for event in run.trace.select(kind="record", name="suspect", peer="n3")}) == 4
        ),
    ),
)
watch_it_spread = (
    Task("failure_detection.stands_still", "See w2 stand still, and its shares move", Visit(10.0, 11.3)),
    Task("failure_detection.no_end", "Is it over ten seconds after w2 is back?", Visit(22.0, 26.0)),
)
follow_the_rumour = (
    Task("failure_detection.first_doubt", "Find the first member that suspects n5", Visit(6.2, 6.45)),
    Task("failure_detection.all_have_heard", "See all seven suspect it (triangles)", Visit(8.0, 9.9)),
    Task("failure_detection.verdicts", "See the triangles turn into verdicts (diamonds)", Visit(10.3, 11.4)),
)
see_it_answer = (
    Task("failure_detection.suspected_asleep", "See n5 suspected while it is paused", Visit(6.3, 7.9)),
    Task("failure_detection.wakes", "See n5 wake, and hear what is said of it", Visit(8.0, 9.0)),
)
look_at_the_world = (
    Task(
        "failure_detection.far_away",
        "See an answer that is on its way for longer than 0.2 s",
        Visit(0.2, 0.35),
    ),
    Task("failure_detection.for_good", "Is anybody forgiven, ten seconds later?", Visit(9.0, 12.0)),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

_LINKS = {"lossy link", "one-way link"}


def _read_names(answer: object) -> Mapping[str, str]:
    if not isinstance(answer, dict) or set(answer) != set(MYSTERIES):
        raise Unfit
    if sorted(map(str, answer.values())) != sorted(CAUSES):
        raise Unfit(f"each of {', '.join(CAUSES)} must be in it once")
    return answer


name_the_trouble = TrialExercise(
    "failure_detection.name_the_trouble",
    task=(
        'Name the trouble of each run: `"crashed"`, `"paused"`, `"overloaded"`, `"lossy link"` or `"one-way link"`; your answer is '
        '`{"A": "crashed", "B": "paused", …}`. You may wait until 45 s now, and there is a second observer, n2; the cell below shows what '
        "they know. A pause ends, and a machine under too much work goes on working, slowly. Two of the five can't be told apart even so: "
        "either way round is right."
    ),
    expects=f'a name for each letter, such as `{{"A": "crashed", …, "E": "paused"}}`, with each of {", ".join(CAUSES)}',
    success=(
        "Right. It took another observer, and another 25 seconds: in that time you would have had to decide. Which two might as well be "
        "the other way round, and whom would you have to ask to tell them apart?"
    ),
    hints=(
        "Whom does n2 hear all the time? There n1 is well, and its link to n0 isn't.",
        "In one run n1 never comes back. In one all that was missing comes at once, in one an answer every ten seconds.",
    ),
    solution='answer = {"A": "paused", "B": "lossy link", "C": "crashed", "D": "overloaded", "E": "one-way link"}',
    read=_read_names,
    rules=(
        Rule(
            "In two of the runs n2 goes on hearing n1, so n1 is well there, and the trouble is one of a link. In yours it is elsewhere.",
            lambda names: {names["B"], names["E"]} != _LINKS,
            'answer = {"A": "paused", "B": "crashed", "C": "lossy link", "D": "overloaded", "E": "one-way link"}',
            'answer = {"A": "crashed", "B": "paused", "C": "overloaded", "D": "lossy link", "E": "one-way link"}',
            misconception=SILENCE_TELLS_ITS_CAUSE,
        ),
        Rule(
            "One is named as crashed from which answers come again before 45 s: whoever is dead doesn't answer.",
            lambda names: names["C"] != "crashed",
            'answer = {"A": "crashed", "B": "lossy link", "C": "paused", "D": "overloaded", "E": "one-way link"}',
            'answer = {"A": "paused", "B": "lossy link", "C": "overloaded", "D": "crashed", "E": "one-way link"}',
        ),
        Rule(
            "Pause and too much work are the wrong way round. Who wakes from a pause has everything waiting, and answers it at full speed.",
            lambda names: names["A"] != "paused",
            'answer = {"A": "overloaded", "B": "one-way link", "C": "crashed", "D": "paused", "E": "lossy link"}',
        ),
    ),
)


def try_timeout(interval: float, timeout: float) -> tuple[Run, Run]:
    """Run the four workers for 25 s with these settings: w2 stands still for 3 s; and, instead, w3 crashes."""
    faults = (Pause("w2", at=10.0, until=13.0), Crash("w3", at=10.0))
    paused, crashed = (worker_service(timeout, fault, interval=interval).run(25.0) for fault in faults)
    return paused, crashed


@dataclass(frozen=True)
class _Timeout:
    interval: float
    timeout: float

    @classmethod
    def read(cls, answer: object) -> _Timeout:
        if not isinstance(answer, dict) or set(answer) != {"interval", "timeout"}:
            raise Unfit
        try:
            interval = real("interval", answer["interval"], at_least=0.05)
            return cls(interval, real("timeout", answer["timeout"], above=0.0))
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None

    @cached_property
    def reports(self) -> tuple[ServiceReport, ServiceReport]:
        paused, crashed = try_timeout(self.interval, self.timeout)
        return service_report(paused), service_report(crashed)

    def costs_too_much(self) -> bool:
        return max(report.messages for report in self.reports) > 10.0

    def spreads(self) -> bool:
        return max(report.wrongly for report in self.reports) > 1

    def accuses(self) -> bool:
        return max(report.wrongly for report in self.reports) > 0

    def waits_too_long(self) -> bool:
        return self.reports[1].failed > 75


choose_a_timeout = TrialExercise(
    "failure_detection.choose_a_timeout",
    task=(
        "Design. Choose how often the front end asks, and how long it waits, so that no worker that is up is given up when w2 stands still "
        "for 3 s; that at most 75 requests fail when w3 crashes instead; and that all this takes at most 10 messages a second. Your answer is "
        "`dict(interval=0.5, timeout=1.0)` with better numbers; `exercises.try_timeout(0.5, 1.0)` gives both runs, and "
        "`detection.service_report(run)` their numbers."
    ),
    expects="`dict(interval=…, timeout=…)`, both in seconds, the interval at least 0.05",
    success="That holds. You have bought it with one number that you had to know: how long a healthy worker may stand still. Where would you get it from?",
    hints=(
        "Each question and each answer is a message, and there are four workers: 8 messages for each interval.",
        "The silence that w2 is heard of begins up to an interval before its pause. So the timeout must be longer than the two together.",
    ),
    solution="answer = dict(interval=1.0, timeout=4.5)",
    read=_Timeout.read,
    rules=(
        Rule(
            "It asks too often: more than 10 messages a second. A question and an answer for each of four workers, once an interval.",
            _Timeout.costs_too_much,
            "answer = dict(interval=0.5, timeout=4.0)",
        ),
        Rule(
            "One healthy worker was given up, and the work that this made had others given up, too, or the same one again and again.",
            _Timeout.spreads,
            "answer = dict(interval=1.0, timeout=1.2)",
            misconception=SOONER_IS_SAFER,
        ),
        Rule(
            "w2 only stood still for three seconds, and was given up. From the last answer before the pause to the first one after it is longer "
            "than that.",
            _Timeout.accuses,
            "answer = dict(interval=1.0, timeout=3.0)",
            "answer = dict(interval=2.0, timeout=3.5)",
        ),
        Rule(
            lambda timeout: (
                f"Nobody is wronged, and when w3 crashes {timeout.reports[1].failed} requests fail until it is given up; at most 75 may."
            ),
            _Timeout.waits_too_long,
            "answer = dict(interval=1.0, timeout=10.0)",
            "answer = dict(interval=3.0, timeout=45.0)",
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
