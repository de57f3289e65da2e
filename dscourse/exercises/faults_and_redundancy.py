"""Predictions and exercises of notebook 07."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx

from dscourse.arguments import node_ids
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    Misconception,
    Mistake,
    NodePrediction,
    NumberExercise,
    NumberPrediction,
    Rule,
    TrialExercise,
    Unfit,
)
from dscourse.exercises.nodes.faults_and_redundancy import believe_two, catch_the_wrong
from dscourse.fault_tolerance import (
    Decisions,
    FlipBit,
    OnlyHeartbeats,
    SayAnotherValue,
    Standby,
    generals_agree,
    generals_scenario,
    reach_scenario,
    read_scenario,
    single_points_by_crashing,
)
from dscourse.fault_tolerance.generals import Contradict
from dscourse.simulation import Byzantine, Crash, Equivocate, Fault, Lossy, Run, Scenario, Slow
from dscourse.views import Task, Visit

__all__ = ["believe_two", "catch_the_wrong"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────────────

A_HEARTBEAT_IS_HEALTH = Misconception(
    "faults_and_redundancy.a_heartbeat_is_health",
    belief="Who sends heartbeats is well.",
    question="A server's disk hangs. Its heartbeats come from another part of the program. What do they say?",
    answer="That this other part is well. Only an answer to what users ask tells whether users are answered.",
)
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
BACK_IS_AS_BEFORE = Misconception(
    "faults_and_redundancy.back_is_as_before",
    belief="A node that is back after a crash is as good as before.",
    question="A machine kept a value in its memory, and was switched off and on. What does it answer?",
    answer="Whatever it starts with. What was in memory is gone, and nothing tells it so.",
)
LOST_IS_UNDONE = Misconception(
    "faults_and_redundancy.lost_is_undone",
    belief="No answer means that nothing was done.",
    question="You send money, and the page never loads. Has it been sent?",
    answer="Perhaps. A lost question and a lost answer look the same to you; only in the second case it was done.",
)
MISCONCEPTIONS = (
    A_HEARTBEAT_IS_HEALTH,
    A_COPY_NOTICES,
    THE_GOOD_ONES_PREVAIL,
    ACKNOWLEDGED_IS_SAFE,
    FAILURES_ARE_INDEPENDENT,
    BACK_IS_AS_BEFORE,
    LOST_IS_UNDONE,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────────────

half_dead = NumberPrediction(
    "faults_and_redundancy.half_dead",
    question=(
        "At 6 s server a becomes half dead: its heartbeats go on, every half second, and it answers no request any more. b stands "
        "by, and is well. Of the requests of the next 24 s, which share is answered?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the requests",
    near=6,
    right="Nobody asks b to take over, for a is alive, as far as its heartbeats tell. What would you have to listen to instead?",
    typical={
        88: Expectation(
            "all but those of three seconds, until b has taken over",
            "That is how it goes if a crashes. But front counts heartbeats, and they haven't stopped.",
            A_HEARTBEAT_IS_HEALTH,
        ),
        50: Expectation(
            "every second one: there are two servers",
            "Only one of them is asked at a time. As long as that is a, b hears of nothing.",
        ),
    },
    otherwise="Who decides that b takes over, and what does it go by?",
)

mirror_without_checksum = ChoicePrediction(
    "faults_and_redundancy.mirror_without_checksum",
    question=(
        "A value is kept on two replicas, each with a disk; no checksum is kept. On r1's disk a bit of it flips at 2 s. front asks "
        "r1 first, and r2 if r1 gives no answer. What do clients get from then on?"
    ),
    right=Expectation(
        "wrong values, and nobody notices",
        "The second copy is there and is never asked. What would have to be kept so that the error is detected?",
    ),
    wrong=(
        Expectation(
            "the right value: there is a second copy",
            "There is, but who says which of the two is right? Without a checksum a wrong value looks like any other.",
            A_COPY_NOTICES,
        ),
        Expectation(
            "an error message: the copies differ",
            "Only if somebody compares them at every reading, which doubles the work, and leaves you with two answers and no judge.",
            A_COPY_NOTICES,
        ),
    ),
)

what_two_survive = ChoicePrediction(
    "faults_and_redundancy.what_two_survive",
    question=(
        "Two replicas hold a value. front asks one of them, and after 0.1 s without an answer the other. This survives the crash of "
        "either. Which other faults of one replica does it survive?"
    ),
    right=Expectation(
        "one that loses messages and one that is late, but not one that lies",
        "Lost and late both look like silence, and silence is what it acts on. A lie comes in time.",
    ),
    wrong=(
        Expectation(
            "none: it was built against crashes",
            "It was, but front doesn't know why no answer comes. What does a lost answer look like to it, and a late one?",
        ),
        Expectation(
            "all: there is always a good replica left",
            "There is. But will front ask it? Think of a replica that answers at once, and wrongly.",
            THE_GOOD_ONES_PREVAIL,
        ),
    ),
)

back_with_nothing = ChoicePrediction(
    "faults_and_redundancy.back_with_nothing",
    question=(
        "The same two replicas now keep the value in memory only. r1 crashes at 1 s and is switched on again at 2 s. r2 is well all "
        "the time. What do clients read after 2 s?"
    ),
    right=Expectation(
        "something else than the value, from r1",
        "r1 is up, in time, and honest: it tells what it has. Which promise of f + 1 did you take for granted?",
    ),
    wrong=(
        Expectation(
            "the value: one of two replicas never failed",
            "It didn't, and front doesn't ask it: r1 answers first, and promptly.",
            BACK_IS_AS_BEFORE,
        ),
        Expectation(
            "nothing, until somebody has given r1 the value again",
            "That would be honest. But r1 can't tell that it has lost something.",
            BACK_IS_AS_BEFORE,
        ),
    ),
)

answer_lost = NumberPrediction(
    "faults_and_redundancy.answer_lost",
    question=(
        "An account holds 100. A client asks six times to add 10. The answer to its second request gets lost on the way back. front "
        "hears nothing for 0.1 s, and asks again. What does the account hold in the end?"
    ),
    scale=(100, 200),
    step=5,
    unit="in the account",
    near=2,
    right="The second request was done twice. What could it carry, so that the account can tell?",
    typical={
        160: Expectation(
            "six times ten more",
            "So it is if the *question* gets lost. This one had arrived, and was done, before its answer went astray.",
            LOST_IS_UNDONE,
        ),
        150: Expectation(
            "one of the six is missing",
            "Nothing is missing: front asks again until it gets an answer. How often was the second request done?",
        ),
    },
    otherwise="For each request: how often did a question reach the account?",
)

three_generals = ChoicePrediction(
    "faults_and_redundancy.three_generals",
    question="Three generals, one of them a traitor, who may say what he likes. Can he do harm, so that IC1 or IC2 breaks?",
    right=Expectation(
        "yes, as a lieutenant",
        "The loyal lieutenant hears attack from one and retreat from the other, and can't tell who lies. Which order must it be "
        "for the lie to hurt?",
    ),
    wrong=(
        Expectation(
            "yes, as the commander",
            "Say that he gives two orders. Then both lieutenants hold one attack and one retreat, and both retreat: they agree. Who "
            "else could it be?",
        ),
        Expectation(
            "no, whoever it is",
            "Two loyal generals against one traitor: but each lieutenant has two words to go by. How does he outvote one with one?",
            THE_GOOD_ONES_PREVAIL,
        ),
    ),
)

work_lost = NumberPrediction(
    "faults_and_redundancy.work_lost",
    question=(
        "Ten requests a second. The warm standby gets a copy of the state at 5, 10, 15 s … The active server crashes at 18 s. How "
        "many requests that users believe to be done are lost?"
    ),
    scale=(0, 200),
    step=5,
    unit="requests",
    near=4,
    right="All that was acknowledged since the last copy. What would you have to change to lose none?",
    typical={
        0: Expectation(
            "none: what was acknowledged is safe",
            "It was acknowledged by the server that is now dead. Who else knew of it?",
            ACKNOWLEDGED_IS_SAFE,
        ),
        50: Expectation(
            "as many as come in an interval",
            "That is the worst case, a crash just before the next copy. This one comes three seconds after the last.",
        ),
    },
    otherwise="Which was the last copy that b got, and what was acknowledged since?",
)

nines_in_a_rack = NumberPrediction(
    "faults_and_redundancy.nines_in_a_rack",
    question=(
        "Three replicas, each up 99 % of the time; one is enough. They stand in one rack, which is up 99.9 % of the time. How many "
        "nines has the service?"
    ),
    scale=(0, 8),
    step=0.1,
    unit="nines",
    near=0.25,
    right="When the rack is dark, all three are. What would a second rack give?",
    typical={
        6: Expectation(
            "1 − 0.01 × 0.01 × 0.01",
            "That is three failures that have nothing to do with each other. When the rack goes dark, how independent are they?",
            FAILURES_ARE_INDEPENDENT,
        ),
        4.5: Expectation(
            "something between the rack's and the replicas'",
            "They don't average. How often is the service up when the rack isn't?",
        ),
    },
    otherwise="Ask first how often the rack is up, then what is left when it is.",
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

#: Two ways from the front end to d, and only e has a copy.
network: nx.Graph[str] = nx.Graph()
network.add_edges_from((link[0], link[1]) for link in ["fa", "fb", "ac", "bc", "bg", "cd", "de", "dh", "eh"])
nx.set_node_attributes(
    network,
    {"f": (0, 1), "a": (1, 2), "b": (1, 0), "g": (2, -1), "c": (2, 1), "d": (3, 1), "e": (4, 2), "h": (4, 0)},
    "pos",
)

without_whom = NodePrediction(
    "faults_and_redundancy.without_whom",
    question=(
        "A client at f wants what only e has a copy of. One node crashes; all others that are up can still reach each other, "
        "and yet the client gets nothing. Which node has crashed?"
    ),
    graph=network,
    right="No other node needs it as a bridge; it is what is at the end of the way. A graph doesn't know what its nodes are for.",
    typical={
        "c": Expectation(
            "c",
            "Without c the client gets nothing, but the others can't reach each other either: a, b, f and g are cut off.",
        ),
        "d": Expectation("d", "Without d the client gets nothing, but e and h are cut off from the rest."),
        "b": Expectation("b", "Without b only g is cut off, and the client goes by a."),
    },
    otherwise="Look for two things: the rest stays in one piece, and the client's question leads nowhere.",
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

# ── The clusters of the notebook, and what to do with them ────────────────────────────────────────────────────────────


def half_dead_pair(mode: str, watch: str) -> Scenario:
    """Return a pair of servers; a answers nothing from 6 s on, and goes on sending heartbeats."""
    calm = Standby(mode, rate=5.0, boot_time=10.0, watch=watch).scenario(None, until=30.0)
    return calm.with_faults(Byzantine("a", OnlyHeartbeats(), at=6.0))


#: An account to which six requests add 10 each.
account = read_scenario(1, add=10, reads=6, rate=1.0)
reads_lies = (FlipBit(), SayAnotherValue())
generals_lies = (Contradict(), Equivocate("order", ("attack", "retreat")))


def loyal(generals: int, order: str = "attack", rounds: int = 1) -> Run:
    """Return a run of loyal generals; against two traitors they need two rounds."""
    return generals_scenario(generals, order, rounds).run(rounds + 1.5)


def _has(kind: type[Fault], **fields: object) -> Callable[[Run], bool]:
    """Return whether a run has a fault of that kind, with these values of its fields."""
    return lambda run: any(
        isinstance(fault, kind) and all(getattr(fault, name) == value for name, value in fields.items())
        for fault in run.faults
    )


def _task(name: str, text: str, done: Any) -> Task:
    return Task(f"faults_and_redundancy.{name}", text, done)


watch_half_dead = (
    _task("swallowed", "Press Play: from 6 s on a answers nothing", Visit(6.1, 8.0)),
    _task("heartbeats_go_on", "See heartbeats go from a to front at 12 s", Visit(11.5, 13.0)),
    _task("kill_the_half_dead", "Crash a, at about 14 s, and play on", _has(Crash)),
)
watch_the_sector = (
    _task("read_the_sector", "Read an answer of r1 before 2 s, and one after", Visit(2.1, 3.0)),
    _task("second_copy_idle", "Look at r2 at 4 s: what does it hold, and who asks?", Visit(3.8, 4.5)),
)
break_by_hand = (
    _task("crash", "Crash r1. Whom does front ask now? Then undo", _has(Crash)),
    _task("omission", "Lose half of the messages between front and r1; undo", _has(Lossy)),
    _task("timing", "Slow r1 down; undo", _has(Slow)),
    _task("sector", "Give r1 a bad sector; undo", _has(Byzantine, behaviour=FlipBit())),
    _task("lie", "Have r1 say another value", _has(Byzantine, behaviour=SayAnotherValue())),
)
watch_the_return = (
    _task("gone", "Between 1 and 2 s: how long do clients wait?", Visit(1.2, 2.0)),
    _task("back", "After 2 s: what does r1 hold?", Visit(2.1, 3.0)),
)
lose_by_hand = (
    _task("one_of_each", "Near 1 s: which message is lost in which cluster?", Visit(0.95, 1.3)),
    _task("totals", "Compare what r1 holds at 6 s", Visit(5.5, 7.0)),
    _task("lose_another", "Click another message under way, and lose it", lambda run: len(run.faults) > 1),
)
betray_by_hand = (
    _task("treacherous_commander", "At 0 s make n0 a traitor; play to the end", _has(Byzantine, node="n0")),
    _task("treason", "Undo. Break IC1 or IC2 with another traitor", lambda run: bool(generals_agree(run))),
)
watch_the_take_over = (
    _task("last_copy", "See the last copy go to b, at 15 s", Visit(14.9, 15.3)),
    _task("take_over", "See b take over: when?", Visit(20.0, 21.5)),
)
save_the_pair = (
    _task(
        "boots",
        "cold, answers: see b boot, and take over",
        lambda run: "store" in run.nodes and Visit(17, 19),
    ),
    _task("masks", "hot: who notices?", lambda run: run.at(1.0).nodes["b"]["active"] and Visit(6.0, 10.0)),
)
crash_the_network = (
    _task("served_without", "Crash nodes, one after the other, and undo: who is cut off?", _has(Crash)),
    _task("whole_but_useless", "Find the one of the question", _has(Crash, node="e")),
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


@dataclass(frozen=True)
class _Network:
    """A graph, and who holds copies."""

    graph: nx.Graph[Any]
    copies: tuple[str, ...]

    @classmethod
    def read(cls, answer: object) -> _Network:
        if not isinstance(answer, tuple | list) or len(answer) != 2 or not isinstance(answer[0], nx.Graph):
            raise Unfit
        graph, copies = answer
        if graph.is_directed() or not all(isinstance(node, str) for node in graph):
            raise Unfit("a graph without directions is wanted, whose nodes are texts")
        try:
            names = node_ids("the copies", copies)
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None
        missing = [node for node in ("f", *names) if node not in graph]
        if missing:
            raise Unfit(f"there is no node {missing[0]!r} in your graph")
        return cls(graph, names)

    @cached_property
    def single_points(self) -> tuple[str, ...]:
        return single_points_by_crashing(self.graph, "f", self.copies)

    def near(self) -> bool:
        return any(copy == "f" or self.graph.has_edge("f", copy) for copy in self.copies)


def try_network(graph: nx.Graph[Any], copies: Sequence[str]) -> Run:
    """Run a service on a graph of your own: a client at "f" asks twice a second for what `copies` hold."""
    return reach_scenario(graph, "f", copies).run(8.0)


_A_GRAPH = "import networkx as nx\n"
draw_your_own = TrialExercise(
    "faults_and_redundancy.draw_your_own",
    task=(
        "Design. Draw a network of your own: `f`, where the client is, and at least six other nodes, none with more than three links. "
        "Two nodes hold copies, neither of them f nor next to f. No single crash, of any node but f, may leave the client without "
        'an answer. Your answer is (graph, copies), such as `(nx.Graph(["fa", "ab"]), ["b"])`; '
        "`exercises.try_network(graph, copies)` runs it, to be played."
    ),
    expects="a pair: a NetworkX graph, and a list of two of its nodes",
    success="It holds: each node was crashed, one a run. How many links would you need if any two might fail?",
    hints=(
        "From f two ways must lead off that share no node. What about their ends?",
        "A ring has two ways from everywhere to everywhere. Where on it do the copies stand?",
    ),
    solution=_A_GRAPH
    + 'ring = nx.Graph(["fa", "ab", "bc", "cd", "de", "eg", "gf"])\nanswer = (ring, ["c", "d"])',
    read=_Network.read,
    rules=(
        Rule(
            lambda answer: f"Your graph has {len(answer.graph)} nodes; seven are wanted, at least.",
            lambda answer: len(answer.graph) < 7,
            _A_GRAPH + 'answer = (nx.Graph(["fa", "ab"]), ["b"])',
        ),
        Rule(
            lambda answer: (
                f"{max(answer.graph, key=answer.graph.degree)} has more than three links. A hub for all is what this is to avoid."
            ),
            lambda answer: max(degree for _, degree in answer.graph.degree) > 3,
            _A_GRAPH + 'answer = (nx.Graph(["fa", "ab", "ac", "ad", "ae", "ag"]), ["b", "c"])',
        ),
        Rule(
            "Two copies are wanted, no more and no fewer.",
            lambda answer: len(answer.copies) != 2,
            _A_GRAPH + 'answer = (nx.Graph(["fa", "ab", "bc", "cd", "de", "eg", "gf"]), ["c"])',
        ),
        Rule(
            "A copy stands at f, or next to it. The client's building may burn: put both farther away.",
            _Network.near,
            _A_GRAPH + 'answer = (nx.Graph(["fa", "ab", "bc", "cd", "de", "eg", "gf"]), ["a", "g"])',
        ),
        Rule(
            lambda answer: (
                f"Without {' or '.join(answer.single_points)} the client gets nothing. Where do all ways from f to a copy meet?"
            ),
            lambda answer: bool(answer.single_points),
            _A_GRAPH + 'answer = (nx.Graph(["fa", "ab", "bc", "cd", "de", "eg"]), ["c", "g"])',
            _A_GRAPH + 'answer = (nx.Graph(["fa", "fb", "ac", "bc", "cd", "de", "dg", "eg"]), ["e", "g"])',
        ),
    ),
)
