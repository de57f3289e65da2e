"""Predictions and exercises of notebook 03."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dscourse.arguments import real, whole
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
from dscourse.exercises.nodes.scaling_patterns import bounded_worker, pick_a_server
from dscourse.services import CallingServer, LoadBalancer, RoundRobin, Server, worker_goodput
from dscourse.services.load_balancer import tiers
from dscourse.simulation import Exponential, Network, Node, OpenLoop, Pause, Run, Scenario
from dscourse.views import Task, Visit

__all__ = ["bounded_worker", "pick_a_server"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

THE_LEAST_LOADED_IS_BEST = Misconception(
    "scaling_patterns.the_least_loaded_is_best",
    belief="The server that looks least loaded is the best choice.",
    question="A balancer copies the load of its servers every five seconds. Where does it send all that comes in between?",
    answer="To the one server that was least loaded at the last look, until the next.",
)
FAST_IS_HEALTHY = Misconception(
    "scaling_patterns.fast_is_healthy",
    belief="A server that answers fast is a good one.",
    question="One server fails at once, whatever it is asked. How many open requests does it have?",
    answer="None, nearly always: by that measure it is the best of all.",
)
A_DEEPER_CHECK_IS_SAFER = Misconception(
    "scaling_patterns.a_deeper_check_is_safer",
    belief="The more a health check looks at, the safer the service.",
    question="All servers need one database, and their check asks it. It stalls. Which servers are taken out?",
    answer="All of them, those included that could have answered without it.",
)
A_BOUND_IS_ENOUGH = Misconception(
    "scaling_patterns.a_bound_is_enough",
    belief="A queue is safe once it has a bound.",
    question="A job takes a second and is wanted within five. Fifty may wait. What is the last of them worth when it is done?",
    answer="Nothing: it comes forty-six seconds too late.",
)
REPLICAS_SCALE_WRITES = Misconception(
    "scaling_patterns.replicas_scale_writes",
    belief="Each replica adds as much as the first machine could do.",
    question="A tenth of all requests are writes. How much of a replica's time is left for reads when there are ten?",
    answer="A half or less: every replica does all the writes, and there are more of them the more is served.",
)
ALL_NEEDED_IS_AS_GOOD_AS_EACH = Misconception(
    "scaling_patterns.all_needed_is_as_good_as_each",
    belief="A chain of good services is as good as each of them.",
    question="A page needs 30 services, each up 99.9 % of the time. How often does it fail?",
    answer="Three times in a hundred: thirty small chances of failing add up.",
)
THE_BUSIEST_IS_THE_LIMIT = Misconception(
    "scaling_patterns.the_busiest_is_the_limit",
    belief="What is busiest now ends the growth.",
    question="Four web servers are 60 % busy each, the one lock 20 %. You need ten times as much. What stops you?",
    answer="The lock: web servers can be added, and the load on each falls; the lock gets all of it.",
)
MISCONCEPTIONS = (
    THE_LEAST_LOADED_IS_BEST,
    FAST_IS_HEALTHY,
    A_DEEPER_CHECK_IS_SAFER,
    A_BOUND_IS_ENOUGH,
    REPLICAS_SCALE_WRITES,
    ALL_NEEDED_IS_AS_GOOD_AS_EACH,
    THE_BUSIEST_IS_THE_LIMIT,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

fails_at_once = NumberPrediction(
    "scaling_patterns.fails_at_once",
    question=(
        "Ten servers, load 0.7. One of them has a broken disk and answers every request at once with an error. The balancer sends each "
        "request to the server with the fewest open requests. Which share of all requests does the broken one get?"
    ),
    scale=(0, 100),
    step=1,
    unit="% of the requests",
    near=6,
    right="It looks idle, so it gets more than any that works. What would the balancer have to count as load?",
    typical={
        10: Expectation(
            "its fair share, a tenth",
            "That is what a balancer gives that doesn't look. This one looks for the fewest open requests: who has none?",
            FAST_IS_HEALTHY,
        ),
        0: Expectation(
            "none: it is broken",
            "Who has told the balancer? It counts open requests, and an error closes one as well as any answer.",
        ),
        100: Expectation(
            "nearly all",
            "It would, if the others were always busy. At this load some of them are idle, too, and share the ties.",
        ),
    },
    otherwise="The balancer knows how many requests are open at each server, and nothing of what the answers say.",
)

old_views = CurvePrediction(
    "scaling_patterns.old_views",
    question=(
        "A hundred servers, load 0.9. The balancer always takes the server with the fewest open requests, but its counts are copied only "
        "now and then. With a fresh view a request takes about 1 service time; whoever chooses at random makes it take 10. Sketch the mean "
        "time as the view gets older."
    ),
    at=(0, 1, 2, 4, 5),
    scale=(0, 15),
    step=0.5,
    across="age of the view, in service times",
    along="mean time, in service times",
    near=2.0,
    right="You saw it coming: old knowledge, followed by all, is worse than none. From which age on?",
    otherwise=Expectation(
        "some other curve",
        "How many requests come between two looks, and to how many servers do they go? Compare your last point with 10, which not looking at "
        "all gives.",
        THE_LEAST_LOADED_IS_BEST,
    ),
)

many_replicas = NumberPrediction(
    "scaling_patterns.many_replicas",
    question=(
        "One request in ten is a write, which every replica must do; a read is done by any one of them. With 64 replicas, how many times as "
        "much does the system serve as one machine does alone?"
    ),
    scale=(1, 64),
    step=1,
    unit="times one machine",
    near=2,
    right="Ten is the limit, however many there are. What would you do next: add replicas, or divide the data?",
    typical={
        64: Expectation(
            "64 times",
            "The reads are shared out. The writes are not: every replica does each of them.",
            REPLICAS_SCALE_WRITES,
        ),
        58: Expectation(
            "90 % of 64",
            "That takes the writes for a fixed loss. They grow with all that is served, and each costs all 64.",
            REPLICAS_SCALE_WRITES,
        ),
    },
    otherwise="A replica's time goes to all the writes and to its share of the reads. What is left for reads?",
)

one_crashes = ChoicePrediction(
    "scaling_patterns.one_crashes",
    question=(
        "Four servers keep the sessions of their users in memory; a user always comes to the same server. s1 crashes at 5 s and is back, empty, "
        "at 6 s. What do its users notice?"
    ),
    right=Expectation(
        "errors for a second, and then they begin anew",
        "The balancer goes on sending them to s1, where their session was, and when it is back it knows nobody.",
    ),
    wrong=(
        Expectation(
            "nothing: the other three take over",
            "They could take requests over. Could they take the sessions over, which are in s1's memory?",
        ),
        Expectation(
            "errors for a second, and then all is as before",
            "s1 is back, but what was in its memory is not. Look at the answers that its users get.",
        ),
    ),
)

a_bound_of_fifty = ChoicePrediction(
    "scaling_patterns.a_bound_of_fifty",
    question=(
        "A worker needs a second for a job, and a result is of use within 5 s. At load 1.1 it does hardly anything useful: the queue grows, and all "
        "come too late. You let no more than fifty wait. How much of its work is useful now?"
    ),
    right=Expectation(
        "still hardly any",
        "The queue stays at about fifty, so whoever is let in waits about fifty seconds. What would the bound have to be?",
    ),
    wrong=(
        Expectation(
            "nearly all of it: who is let in is served",
            "Served, yes. When? Multiply the place in the line by a second.",
            A_BOUND_IS_ENOUGH,
        ),
        Expectation(
            "about half",
            "How long does somebody wait who comes when forty-five are waiting? And how often are fewer than five?",
            A_BOUND_IS_ENOUGH,
        ),
    ),
)

the_database_stalls = NumberPrediction(
    "scaling_patterns.the_database_stalls",
    question=(
        "Half of the requests are for pages that need the one database, half for pages that don't. Each server's health check asks the database, "
        "too. The database stalls for ten seconds. Which share of all requests is answered meanwhile?"
    ),
    scale=(0, 100),
    step=5,
    unit="% of the requests",
    near=5,
    right="Every server fails its check, so every healthy server is taken out. Who would you let decide that nobody is left?",
    typical={
        50: Expectation(
            "half: the pages that don't need it",
            "The servers could answer those. But are there any servers left to whom the balancer sends them?",
            A_DEEPER_CHECK_IS_SAFER,
        ),
        100: Expectation(
            "all: that is what the check is for",
            "A check can keep requests away from a broken server. Which server here is broken?",
            A_DEEPER_CHECK_IS_SAFER,
        ),
    },
    otherwise="Ask which servers fail their check, and what the balancer does with those.",
)

# ── The players' tasks ────────────────────────────────────────────────────────────────────────────────────────

lose_sessions = (
    Task("scaling_patterns.sticky", "Watch the visits of one user: always the same server", Visit(1.0, 4.9)),
    Task("scaling_patterns.crash", "Look at s1 and its users between 5 s and 6 s", Visit(5.0, 5.9)),
    Task("scaling_patterns.empty", "Find a user whose visits are counted from 1 again", Visit(6.0, 11.0)),
)
see_the_burst = (
    Task("scaling_patterns.calm", "Before the burst: how many wait at w0?", Visit(2.0, 19.0)),
    Task("scaling_patterns.burst", "Watch the burst arrive, at 20 s", Visit(20.0, 23.0)),
    Task("scaling_patterns.after", "A minute later: is it over?", Visit(80.0, 100.0)),
)
see_the_bound = (
    Task("scaling_patterns.busy", "Watch what the burst is told, at 20 s", Visit(20.0, 23.0)),
    Task("scaling_patterns.drained", "Compare a minute later with the run before", Visit(80.0, 100.0)),
)
watch_the_checks = (
    Task("scaling_patterns.stall", "Go to 5 s: the database stalls", Visit(5.0, 5.5)),
    Task("scaling_patterns.all_out", "Find the moment at which nobody is left", Visit(6.0, 8.0)),
    Task("scaling_patterns.all_in", "And the moment at which they are back", Visit(15.0, 17.0)),
    Task(
        "scaling_patterns.pause_more",
        "Pause s1 at 2 s as well: who takes it out?",
        lambda run: any(isinstance(fault, Pause) and fault.node == "s1" for fault in run.faults),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

how_many_may_wait = NumberExercise(
    "scaling_patterns.how_many_may_wait",
    task=(
        "Calculate. One worker takes 0.2 s for each job, exactly. A result is of use within 1 s of the job's arrival. How many jobs may wait, "
        "the one in hand apart, so that whoever is let in is certainly done in time?"
    ),
    expects="a number of jobs",
    success="Right: the job in hand, three in front of you and your own make five times 0.2 s. Deadline over service time, less one.",
    hints=(
        "The worst moment to come is when the worker has just begun: 0.2 s until it is free.",
        "Then come those who wait in front of you, 0.2 s each, and your own 0.2 s.",
    ),
    solution="answer = 1.0 / 0.2 - 1",
    mistakes=(
        Mistake(
            "answer = 1.0 / 0.2",
            "The job in hand takes time as well, and five that wait are then a second and 0.2 s.",
        ),
        Mistake(
            "answer = 1.0 / 0.2 - 2",
            "One too careful: you are among those who wait, so three may stand in front of you.",
        ),
        Mistake(
            "answer = 50",
            "The fiftieth waits ten seconds, and its result is of no use to anybody.",
            A_BOUND_IS_ENOUGH,
        ),
    ),
    otherwise="Add up what happens from your arrival to your result: the job in hand, those in front of you, your own.",
)

ten_replicas = NumberExercise(
    "scaling_patterns.ten_replicas",
    task=(
        "Calculate. A machine does 1 000 requests a second, reads or writes. You run ten, each with all the data: a read is done by one of them, "
        "a write by all ten. One request in five is a write. How many requests a second can they serve?"
    ),
    expects="a number of requests a second",
    success="Right: on average a request costs 0.8 · 1 + 0.2 · 10 = 2.8 machine-requests, and ten machines have 10 000. With any number: below 5 000.",
    hints=(
        "How many machines does an average request keep busy?",
        "0.8 of them one, 0.2 of them ten. The machines together do 10 000.",
    ),
    solution="answer = 10 * 1000 / (0.8 * 1 + 0.2 * 10)",
    mistakes=(
        Mistake(
            "answer = 10 * 1000",
            "That would be so if nobody wrote. Each write costs all ten.",
            REPLICAS_SCALE_WRITES,
        ),
        Mistake(
            "answer = 10 * 1000 * 0.8",
            "You took off the writes once. Each of them is done ten times.",
            REPLICAS_SCALE_WRITES,
        ),
        Mistake(
            "answer = 1000 / 0.2",
            "That is the limit for very many machines, which do nothing but write. You have ten.",
        ),
        Mistake("answer = 1000", "So it would be if every request were a write. Reads are shared out."),
    ),
    otherwise="Count what an average request costs, over all machines, and divide what they have by it.",
)

chain_with_retries = FunctionExercise(
    "scaling_patterns.chain_with_retries",
    task=(
        "Code. A request needs `calls` services, one after the other, all of them. Each call succeeds with probability `availability`, "
        "independently, and is tried up to `attempts` times. Write a function of (availability, calls, attempts) that returns how often the "
        "request succeeds."
    ),
    expects="your function of (availability, calls, attempts), without brackets; it returns a number",
    success="Right. Each attempt also takes time and load: thirty calls with three attempts are up to ninety. Notebook 11 counts them.",
    hints=(
        "First one call: it fails only if all its attempts fail.",
        "All calls must succeed: the chance of one, to the power of `calls`.",
    ),
    solution=(
        "def succeeds(availability, calls, attempts):\n    one = 1 - (1 - availability) ** attempts\n    return one**calls\n\nanswer = succeeds"
    ),
    cases=((0.9, 3, 1), (0.9, 3, 2), (0.99, 30, 2), (0.5, 2, 3)),
    mistakes=(
        Mistake(
            "answer = lambda availability, calls, attempts: 1 - (1 - availability) ** attempts",
            "That is one call. The request needs all of them.",
            ALL_NEEDED_IS_AS_GOOD_AS_EACH,
        ),
        Mistake(
            "answer = lambda availability, calls, attempts: availability**calls", "You left the attempts out."
        ),
        Mistake(
            "answer = lambda availability, calls, attempts: 1 - (1 - availability**calls) ** attempts",
            "That tries the whole chain again. Here each call is tried by itself.",
        ),
        Mistake(
            "answer = lambda availability, calls, attempts: availability ** (calls * attempts)",
            "More attempts make it better, not worse: one of them is enough.",
        ),
        Mistake(
            "answer = lambda availability, calls, attempts: 1 - calls * (1 - availability) ** attempts",
            "Chances of failing add up only while they are small. Multiply the chances of success.",
        ),
    ),
    otherwise="Called with {arguments} yours returns {given}. How often does one call succeed, and how often do all?",
)


@dataclass(frozen=True)
class _Queue:
    """A way to keep a queue, tried at three loads."""

    settings: Mapping[str, Any]

    @classmethod
    def read(cls, answer: object) -> _Queue:
        allowed = {"queue_limit", "newest_first", "drop_expired"}
        if not isinstance(answer, dict) or not answer or not set(answer) <= allowed:
            raise Unfit
        try:
            worker_goodput(1.0, deadline=5.0, requests=10, **answer)
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None
        return cls(answer)

    def useful(self, load: float) -> float:
        return worker_goodput(load, deadline=5.0, requests=20_000, **self.settings)


keep_it_useful = TrialExercise(
    "scaling_patterns.keep_it_useful",
    task=(
        "Design. Keep the queue of one worker so that, with a deadline of 5 service times, it does at least 0.6 useful jobs per service time at "
        "load 0.8 and at least 0.9 at load 2. Your answer is the settings of `worker_goodput`, such as `dict(queue_limit=50)`; there are "
        "`queue_limit`, `newest_first` and `drop_expired`."
    ),
    expects="a dict of the settings queue_limit, newest_first and drop_expired",
    success="Right. Under overload the newest are the only ones with a chance. What would you tell those at the other end?",
    hints=(
        "Who has waited longest has least time left. Whom should an overloaded worker serve?",
        "Newest first leaves the oldest in the queue for ever, unless they are dropped.",
    ),
    solution="answer = dict(newest_first=True, drop_expired=True)",
    read=_Queue.read,
    rules=(
        Rule(
            "At load 0.8 it does less than 0.6 of useful work: most results come after five service times, and are done all the same.",
            lambda tried: tried.useful(0.8) < 0.6,
            "answer = dict(newest_first=False)",
            "answer = dict(queue_limit=50)",
            misconception=A_BOUND_IS_ENOUGH,
        ),
        Rule(
            "At load 2 it does less than 0.9 of useful work: in order of arrival, everybody is served with hardly any time left.",
            lambda tried: tried.useful(2.0) < 0.9,
            "answer = dict(drop_expired=True)",
            "answer = dict(queue_limit=4)",
        ),
    ),
)

# A system not seen before: what a request needs, and how long each machine works for it.
_WEB, _OWN = 0.004, 0.0041  # seconds: of a web server for each of its five messages, and of its store
_SHARED = {"prices": 0.0004, "mail": 0.0002, "audit": 0.0013}


def unknown_shop(servers: int = 4, rate: float = 100.0) -> Run:
    """Run a shop of web servers "s0" …, each with a store "d0" … of its own, for ten seconds.

    `utilizations(run)` says how busy each machine was, `run.latencies()` how long requests took.

    Args:
        servers: how many web servers, and stores.
        rate: requests a second.
    """
    count = whole("servers", servers, at_least=1)
    fronts, stores = [f"s{k}" for k in range(count)], [f"d{k}" for k in range(count)]
    graph = tiers(["b0"], fronts, [*stores, *_SHARED])
    for node, seconds in (dict.fromkeys(fronts, _WEB) | dict.fromkeys(stores, _OWN) | _SHARED).items():
        graph.nodes[node]["service_time"] = Exponential(seconds)
    client = OpenLoop((("buy",),), rate=real("rate", rate, above=0.0), to="b0", timeout=2.0, repeat=True)
    return Scenario(
        partial(_shop_node, servers=tuple(fronts)), Network(graph, latency=0.0005), clients=[client]
    ).run(10.0)


def _shop_node(node_id: str, peers: tuple[str, ...], *, servers: tuple[str, ...]) -> Node:
    if node_id == "b0":
        return LoadBalancer(node_id, peers, servers=servers, policy=RoundRobin)
    if node_id in servers:
        return CallingServer(node_id, peers, rounds=((f"d{node_id[1:]}", "prices"), ("mail", "audit")))
    return Server(node_id, peers)


@dataclass(frozen=True)
class _Suspect:
    """Which machine ends the growth of the shop, and its share of a request's work."""

    machine: str
    share: float

    @classmethod
    def read(cls, answer: object) -> _Suspect:
        if not isinstance(answer, tuple | list) or len(answer) != 2 or not isinstance(answer[0], str):
            raise Unfit
        try:
            return cls(answer[0].strip(), real("the share", answer[1]))
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None


find_the_serial_part = TrialExercise(
    "scaling_patterns.find_the_serial_part",
    task=(
        "Find. `exercises.unknown_shop(servers=4, rate=100.0)` runs a shop that you have not seen before, and returns the run; "
        "`utilizations(run)` says how busy each machine was. However many servers you add, one machine will end the growth. Which one, and "
        'which share of all the work for a request is done there? Your answer is a pair, such as `("s0", 0.5)`.'
    ),
    expects="a pair of a machine's name and a share between 0 and 1",
    success=(
        "Right: everybody waits for the one log, for 1.3 ms each, a twentieth of a request's work. That is Amdahl's 5 %: never more than "
        "twenty times, or 770 requests a second."
    ),
    hints=(
        "Run it with 4 servers and with 8, at the same rate. Whose utilization falls, and whose doesn't?",
        "Of those that stay as they are, the busiest is full first. Its share is its utilization over the sum of all.",
    ),
    solution=(
        "from dscourse.exercises.scaling_patterns import unknown_shop\nfrom dscourse.services import utilizations\n\n"
        'busy = utilizations(unknown_shop())\nanswer = ("audit", busy["audit"] / sum(busy.values()))'
    ),
    read=_Suspect.read,
    rules=(
        Rule(
            "There is no machine of that name; `utilizations(exercises.unknown_shop())` names them all.",
            lambda tried: tried.machine[:1] not in ("s", "d") and tried.machine not in ("b0", *_SHARED),
            'answer = ("lock", 0.05)',
        ),
        Rule(
            "It is the busiest now, and the first to be helped: with twice as many web servers each has half of the work. Try 8.",
            lambda tried: tried.machine.startswith("s"),
            'answer = ("s0", 0.2)',
            misconception=THE_BUSIEST_IS_THE_LIMIT,
        ),
        Rule(
            "Each web server brings a store of its own, so these grow along. Who doesn't?",
            lambda tried: tried.machine.startswith("d"),
            'answer = ("d0", 0.04)',
        ),
        Rule(
            "It is shared by all, but another one is full long before. Look for the busiest of those that don't grow.",
            lambda tried: tried.machine != "audit",
            'answer = ("prices", 0.015)',
            'answer = ("mail", 0.05)',
        ),
        Rule(
            "The machine is right. So busy it is at this rate; at another rate it is something else. Divide by the work of all machines.",
            lambda tried: 0.1 < tried.share < 0.2,
            'answer = ("audit", 0.13)',
        ),
        Rule(
            "The machine is right, the share is not: its utilization over the sum of all utilizations.",
            lambda tried: not 0.04 <= tried.share <= 0.06,
            'answer = ("audit", 0.01)',
        ),
    ),
)
