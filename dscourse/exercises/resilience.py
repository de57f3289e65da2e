"""Predictions and exercises of notebook 11."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx

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
from dscourse.exercises.nodes.resilience import ask_within_limits, charge_once, trip_the_breaker
from dscourse.resilience import Design, Incident, Outage, run_incident
from dscourse.resilience.incidents.design import LEVELS
from dscourse.views import Task, Visit

__all__ = ["ask_within_limits", "charge_once", "trip_the_breaker"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

CAUSE_GONE_ALL_WELL = Misconception(
    "resilience.cause_gone_all_well",
    belief="When the cause of an overload has gone, the overload goes, too.",
    question="The server is quick again. Whose requests are at the head of its queue, and who still waits for their answers?",
    answer="Those of clients that have given up, and asked again. The server's work is in vain, and each failure brings more of it.",
)
RETRIES_ARE_FREE = Misconception(
    "resilience.retries_are_free",
    belief="Trying again can only help.",
    question="A server fails because it has too much to do. What do three attempts a request give it?",
    answer="Three times as much. A retry helps against luck, not against overload.",
)
BACKOFF_IS_ENOUGH = Misconception(
    "resilience.backoff_is_enough",
    belief="With back-off and jitter, retries can't overload a server.",
    question="Each client waits before it asks again. How many requests a minute does that leave out?",
    answer="None: they come later. Back-off spreads a peak; only a budget, or giving up, makes fewer of them.",
)
TWICE_IS_SAFE = Misconception(
    "resilience.twice_is_safe",
    belief="What stands twice, survives.",
    question="One of two instances is dead. Who tells the callers?",
    answer="Nobody, unless somebody checks. Until then every other request goes to the dead one, and from there again, with retries.",
)
ORDER_IS_TASTE = Misconception(
    "resilience.order_is_taste",
    belief="Policies can be put together in any order.",
    question="A breaker round a retry: how often does it hear of three failed attempts?",
    answer="Once. It sees what comes out of what is inside it, and nothing of how that came about.",
)
MISCONCEPTIONS = (CAUSE_GONE_ALL_WELL, RETRIES_ARE_FREE, BACKOFF_IS_ENOUGH, TWICE_IS_SAFE, ORDER_IS_TASTE)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

with_timeouts = ChoicePrediction(
    "resilience.with_timeouts",
    question=(
        "The database takes ten times as long from 10 s to 25 s. Without timeouts, everything hangs, and serves again a second after "
        "the end. Now every caller waits for 0.3 to 0.8 s instead of 10 s, and asks up to three times, as it always did. "
        "How do clients fare, compared with before?"
    ),
    right=Expectation(
        "far worse: at the end of the minute nothing is answered",
        "Each timeout makes room for another attempt, and none of them takes back the one before: the database still works on it. "
        "Three at the edge times three at the services are up to nine queries for one.",
    ),
    wrong=(
        Expectation(
            "better: threads are free again sooner",
            "They are, and what do they do next? They ask again, of a database that has too much to do already.",
            RETRIES_ARE_FREE,
        ),
        Expectation(
            "worse while the database is slow, and all is well soon after",
            "The cause is gone at 25 s. But the queue is not, and neither are those who ask again.",
            CAUSE_GONE_ALL_WELL,
        ),
    ),
)

_GRAPH: nx.Graph[str] = nx.Graph()
for _name, _place in (("edge", (0.0, 1.0)), ("catalog", (1.0, 1.5)), ("checkout", (1.0, 0.5)), ("cache", (2.0, 2.0)),
                      ("database", (1.9, 1.0)), ("payment", (2.0, 0.0))):  # fmt: skip
    _GRAPH.add_node(_name, pos=_place)
_GRAPH.add_edges_from(
    [("edge", "catalog"), ("edge", "checkout"), ("catalog", "cache"), ("catalog", "database")]
)
_GRAPH.add_edges_from([("checkout", "database"), ("checkout", "payment")])

where_lost = NodePrediction(
    "resilience.where_lost",
    question="In that minute with timeouts, the database was slow. At which service are most requests when their clients give up?",
    graph=_GRAPH,
    right=(
        "They wait for one of its 32 threads; all of these are held by requests that wait for somebody else. The place where it hurts is "
        "not the place where it comes from."
    ),
    otherwise="Follow one request: what does it need first, before it can wait for anybody else?",
    typical={
        "database": Expectation(
            "the slow one",
            "That is where the time went. But requests hold threads all the way up to it, and those that come later don't get that far.",
        ),
    },
)

attempts_a_second = NumberPrediction(
    "resilience.attempts_a_second",
    question=(
        "A server does 30 requests a second. Clients ask 20 times a second; whoever has no answer after a second asks once more, at once, "
        "and gives up after another second. At 20 s the server stands still for ten seconds. How many attempts a second does it get a "
        "minute after that?"
    ),
    scale=(0, 60),
    step=1,
    unit="attempts a second",
    near=3,
    right=(
        "Every request is asked for twice, since none is answered in time; twice 20 is more than 30, so none ever will be. What would "
        "the most be that clients may ask for?"
    ),
    typical={
        20: Expectation(
            "as many as before",
            "So it would be if the queue were worked off. But a queue that is longer than a second makes every request come twice.",
            CAUSE_GONE_ALL_WELL,
        ),
        30: Expectation(
            "as many as the server does",
            "That many it answers, and all too late. What comes doesn't ask what can be done.",
        ),
    },
    otherwise="Is a single request answered in time? Then how often is each one asked?",
)

back_off_alone = ChoicePrediction(
    "resilience.back_off_alone",
    question=(
        "The services, with timeouts and retries, at 40 requests a second; the database stands still for 4 s, and they stay down. Now all "
        "wait before they ask again: 0.1 s, then 0.2 s, with full jitter. What does that change?"
    ),
    right=Expectation(
        "nothing: they stay down",
        "The same number of attempts comes, a little later. Jitter spreads a peak, and this is no peak: it is more than the database "
        "can do, every second.",
    ),
    wrong=(
        Expectation(
            "they serve again, since attempts no longer come all at once",
            "That helps when many clients fail at one moment. Here they fail all the time, at the rate at which they come.",
            BACKOFF_IS_ENOUGH,
        ),
        Expectation(
            "they serve again, but a little later",
            "Later, yes; but what would end it? As many attempts come as before.",
            BACKOFF_IS_ENOUGH,
        ),
    ),
)

failures_counted = NumberPrediction(
    "resilience.failures_counted",
    question=(
        "A server always fails. A client has a retry with three attempts, and a breaker that opens after three failures in a row; the "
        "breaker stands round the retry. How many calls does the client make until the breaker opens?"
    ),
    scale=(0, 10),
    step=1,
    unit="calls",
    near=0.4,
    right="Each call is three attempts and one failure, so nine attempts reach a server that can't do one.",
    typical={
        1: Expectation(
            "one: three attempts, three failures",
            "That is the other order, with the breaker inside. Out here it hears what the retry says in the end.",
            ORDER_IS_TASTE,
        ),
    },
    otherwise="What does the breaker hear of one call: its attempts, or its end?",
)

two_zones = NumberPrediction(
    "resilience.two_zones",
    question=(
        "Of catalog, checkout and database one instance each stands in zone b now. Zone a goes dark from 10 s to 35 s. There are timeouts "
        "and retries, but no health checks. What share of the requests of the 50 s from then on is answered within 2 s?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the requests",
    near=8,
    right=(
        "All that was bought with the second zone is idle: the database in zone b stands by and is never asked, since nobody has noticed. "
        "And the attempts of half a minute keep all down after that."
    ),
    typical={
        50: Expectation(
            "half: every other instance lives",
            "Half of the services live. Which database do they ask?",
            TWICE_IS_SAFE,
        ),
        100: Expectation(
            "all: everything stands twice", "Who has told the callers which half is dead?", TWICE_IS_SAFE
        ),
    },
    otherwise="Go through it node by node: who notices that zone a is dark, and what does it do then?",
)

# ── Runs and tasks ────────────────────────────────────────────────────────────────────────────────────────────


def calm_day() -> Outage:
    """Run the services for a minute in which nothing goes wrong."""
    return run_incident(Incident("calm", "nothing goes wrong", 0.1))


watch_the_outage = (
    Task(
        "resilience.disruption",
        "Press Play: see servers ask for their membership, at 6 s (2:21)",
        Visit(5.5, 8.0),
    ),
    Task(
        "resilience.out_of_service",
        "Find a server that is out of service, and what it asks",
        Visit(15.0, 30.0),
    ),
    Task("resilience.two_hours", "Look at 110 s (4:05): how does it stand?", Visit(108.0, 115.0)),
)
watch_the_storm = (
    Task(
        "resilience.stands_still",
        "See the queue grow while the server stands still, from 20 s",
        Visit(20.5, 29.0),
    ),
    Task("resilience.works_again", "The server works again: for whom?", Visit(31.0, 45.0)),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

cut_off = NumberExercise(
    "resilience.cut_off",
    task=(
        "Calculate. You set the timeout of the database to the 99th percentile of its good answers. A page needs 20 queries, one after "
        "the other, and is lost if one of them times out; nothing is retried. Which share of the pages do you lose on a calm day?"
    ),
    expects="a share between 0 and 1",
    success="Right: nearly a fifth, and nothing has gone wrong. Choose the share first, by what stands above it, and then read off the time.",
    hints=("Of 100 queries, 99 are in time. How likely is it that two are? And twenty?",),
    solution="answer = 1 - 0.99**20",
    mistakes=(
        Mistake(
            "answer = 0.01",
            "One query in a hundred. But a page needs twenty of them, and each must be in time.",
        ),
        Mistake(
            "answer = 0.2",
            "Twenty times one in a hundred counts pages twice that lose two queries. Multiply what goes well.",
        ),
        Mistake("answer = 0.99**20", "That is the share of pages that you keep."),
    ),
    otherwise="A page is in time if all of its twenty queries are.",
)

most_load = NumberExercise(
    "resilience.most_load",
    task=(
        "Calculate. A server does 300 requests a second. Its clients make up to three attempts, each after a timeout. Up to how many "
        "requests a second is it sure to recover by itself, however long it has stood still?"
    ),
    expects="a number of requests a second",
    success="Right: a third. The other two thirds of the server are there only as long as nothing happens: Bronson and others call this hidden capacity.",
    hints=(
        "In the bad state no attempt is answered in time. How many attempts does each request bring then?",
    ),
    solution="answer = 300 / 3",
    mistakes=(
        Mistake(
            "answer = 300",
            "So it is on a good day. In the bad state each request comes more than once.",
            CAUSE_GONE_ALL_WELL,
        ),
        Mistake("answer = 150", "That is for two attempts, as in the run above."),
        Mistake("answer = 75", "Three attempts in all, the first included."),
    ),
    otherwise="Even if every request brings all of its attempts, they must not be more than the server can do.",
)

amplification = NumberExercise(
    "resilience.amplification",
    task=(
        "Calculate. A database is overloaded and answers nobody in time. Above it stand three layers, each of which makes up to four attempts "
        "(the first included) to the next one below. How many attempts reach the database for one request of a user?"
    ),
    expects="a whole number",
    success="Right: 64, as in Google's book. One layer should retry, the one right above what failed, and tell those above it not to.",
    hints=(
        "Begin at the top: four attempts reach the second layer. What does the second layer do with each?",
    ),
    solution="answer = 4 * 4 * 4",
    mistakes=(
        Mistake(
            "answer = 4 + 4 + 4",
            "Each attempt of the upper layer is a whole request for the lower one: multiply.",
        ),
        Mistake("answer = 3 * 3 * 3", "Four attempts, the first included."),
        Mistake("answer = 4 * 4", "Three layers: the one right above the database retries, too."),
    ),
    otherwise="What is one attempt for one layer is a request for the layer below it.",
)


def try_design(*switched_on: str) -> tuple[Outage, Outage]:
    """Run the services at 25 requests a second with timeouts, retries and these switches: in the retry storm, and with an instance that fails at once.

    A switch with "no " before it, such as "no retry", is switched off.
    """
    switches = {name.removeprefix("no "): not name.startswith("no ") for name in switched_on}
    design = replace(Design(timeout=True), **switches)
    return run_incident("retry storm", design, seconds=40.0), run_incident(
        "fast failure", design, seconds=40.0
    )


_KNOWN = ("retry", *(name for names in LEVELS.values() for name in names))


@dataclass(frozen=True)
class _OwnDesign:
    switched_on: tuple[str, ...]

    @classmethod
    def read(cls, answer: object) -> _OwnDesign:
        if (
            not isinstance(answer, list | tuple)
            or not answer
            or not all(isinstance(name, str) for name in answer)
        ):
            raise Unfit
        for name in answer:
            if name.removeprefix("no ") not in _KNOWN:
                raise Unfit(f"there is no switch {name!r}; there are {', '.join(_KNOWN)}")
        return cls(tuple(answer))

    @cached_property
    def outages(self) -> tuple[Outage, Outage]:
        return try_design(*self.switched_on)

    def too_many(self) -> bool:
        return len(set(self.switched_on)) > 2

    def stays_down(self) -> bool:
        return not self.outages[0].recovers

    def falls_for_it(self) -> bool:
        return self.outages[1].goodput_share < 0.95


survive_both = TrialExercise(
    "resilience.survive_both",
    task=(
        "Design. Timeouts and retries are on. Switch on one or two more patterns so that the services recover from the retry storm by "
        "themselves, and still answer 95 % of all requests while one of two instances of catalog fails at once. "
        'Your answer is a list such as `["backoff"]`; `exercises.try_design("backoff")` gives both runs.'
    ),
    expects='a list of one or two switches, such as `["backoff", "fallback"]`; `"no retry"` switches off',
    success=(
        "That holds in both. What ended the storm knew that asking is in vain; what masked the failure knew where it isn't. A breaker for "
        "each instance tells one from the other."
    ),
    hints=(
        "In the storm, attempts must become fewer. Which patterns make fewer of them, and which only make them later?",
        "With one instance failing at once, every other request needs a second attempt. Who would refuse it?",
    ),
    solution='answer = ["breaker"]',
    read=_OwnDesign.read,
    rules=(
        Rule(
            "That is more than two. Each pattern has its price: settings, surprises, a page in the handbook. Which of yours does the work?",
            _OwnDesign.too_many,
            'answer = ["breaker", "retry_budget", "shedding"]',
        ),
        Rule(
            "In the storm the services stay down: as many attempts come as before. Something must make fewer of them.",
            _OwnDesign.stays_down,
            'answer = ["backoff"]',
            'answer = ["deadline", "shedding"]',
            misconception=BACKOFF_IS_ENOUGH,
        ),
        Rule(
            "The storm ends. But with one instance failing at once, requests are lost that the other one could have answered: nobody asks "
            "again, or not often enough.",
            _OwnDesign.falls_for_it,
            'answer = ["no retry"]',
            'answer = ["retry_budget"]',
        ),
    ),
)
