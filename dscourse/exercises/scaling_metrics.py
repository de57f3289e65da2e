"""Predictions and exercises of notebook 01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import whole
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
from dscourse.exercises.nodes.scaling_metrics import load_generator
from dscourse.readable import readable_seconds
from dscourse.scaling import (
    CapacityStatement,
    find_capacity,
    launch_latencies,
    launch_scenario,
)
from dscourse.scaling.launch import LOCK_SECONDS, MACHINE_SECONDS
from dscourse.simulation import Crash, Pause, Run, Scenario, Slow
from dscourse.views import Task, Visit

__all__ = ["load_generator"]  # besides what is defined here

# ── Misconceptions ────────────────────────────────────────────────────

THE_TEST_SEES_WHAT_USERS_SEE = Misconception(
    "scaling_metrics.the_test_sees_what_users_see",
    belief="A load test meets a stall as often as users do.",
    question="A tester waits for each answer before it sends the next request. How often does it ask a server that stalls for a minute?",
    answer="Once. Whoever comes in that minute waits, and the tester doesn't come.",
)
THE_MEDIAN_TELLS = Misconception(
    "scaling_metrics.the_median_tells",
    belief="When a part of a service is slow, the median shows it.",
    question="One request in six goes to a server that is ten times as slow. What does the median of all latencies do?",
    answer="Hardly anything: more than half of the requests never meet that server. A higher percentile shows it.",
)
MORE_NODES_HELP = Misconception(
    "scaling_metrics.more_nodes_help",
    belief="With enough nodes any load can be carried.",
    question=(
        "Every request holds a lock that all nodes share for 1 ms. How many requests a second can a thousand nodes "
        "serve?"
    ),
    answer="1 000: the lock lets one pass each millisecond, whatever the number of nodes.",
)
PERCENTILES_AVERAGE = Misconception(
    "scaling_metrics.percentiles_average",
    belief="Percentiles can be averaged.",
    question=("A dashboard shows the mean of the p99 of ten servers. Which requests is that the p99 of?"),
    answer="Of none. The slowest hundredth of all requests may come from one server alone.",
)
WAITING_GROWS_LIKE_THE_LOAD = Misconception(
    "scaling_metrics.waiting_grows_like_the_load",
    belief="Waiting grows in proportion to the load.",
    question=(
        "A server is busy 90 % of the time, then 95 %. What becomes of the mean time in an M/M/1 system?"
    ),
    answer="It doubles: the idle time fell by half.",
)
RARE_FOR_ONE_IS_RARE_FOR_ALL = Misconception(
    "scaling_metrics.rare_for_one_is_rare_for_all",
    belief="What is rare for one server is as rare for a request that asks many.",
    question=(
        "Each of 70 servers is slow once in a hundred times. How often does a request that waits for all see a "
        "slow one?"
    ),
    answer="About every second time: 1 − 0.99⁷⁰ = 0.505.",
)
THE_SERIAL_PART_SHRINKS = Misconception(
    "scaling_metrics.the_serial_part_shrinks",
    belief="More processors shorten the part that can't be divided, too.",
    question=("A tenth of a program can't be divided. How much faster can it ever run?"),
    answer="Less than ten times: that tenth takes as long as before.",
)
A_GOOD_FIT_FORETELLS = Misconception(
    "scaling_metrics.a_good_fit_foretells",
    belief="A law that fits well can be trusted further out.",
    question=("R² is 0.999 from 1 to 8 nodes. What does that say of 64?"),
    answer="Nothing. It tells how well the law meets what was measured, where it was measured.",
)
MISCONCEPTIONS = (
    THE_TEST_SEES_WHAT_USERS_SEE,
    THE_MEDIAN_TELLS,
    MORE_NODES_HELP,
    PERCENTILES_AVERAGE,
    WAITING_GROWS_LIKE_THE_LOAD,
    RARE_FOR_ONE_IS_RARE_FOR_ALL,
    THE_SERIAL_PART_SHRINKS,
    A_GOOD_FIT_FORETELLS,
)

# ── Predictions ───────────────────────────────────────────────────────

on_launch_day = NumberPrediction(
    "scaling_metrics.on_launch_day",
    question=(
        "One machine can serve 10 requests a second, and 50 come. You add machines until there are six. Each request also takes a lock "
        "that all machines share, and holds it for 40 ms. How many requests a second are answered?"
    ),
    scale=(0, 80),
    step=1,
    unit="requests/s",
    near=4,
    right="What each holds for 40 ms can be held 25 times a second, by however many machines. Where is everybody else?",
    typical={
        50: Expectation(
            "all 50",
            "The machines could do it: together they are 83 % busy. Then each request needs the lock, and how often a second can that "
            "be held for 40 ms?",
            MORE_NODES_HELP,
        ),
        60: Expectation(
            "60: six machines, 10 each",
            "That is what six machines can do. More can't be answered than come, and each of them still needs the lock.",
            MORE_NODES_HELP,
        ),
        10: Expectation(
            "10, as before",
            "Then the machines would share nothing but work for each other. They do work side by side, up to the lock.",
        ),
    },
    otherwise="The machines could do 60 a second, and 50 come. Look at the dots, and ask how often a second a lock can be held for 40 ms.",
)

a_shared_lock = ChoicePrediction(
    "scaling_metrics.a_shared_lock",
    question=(
        "All knobs are healthy but one: each request now holds a lock that all nodes share, for 0.2 ms. With 64 nodes, each "
        "bringing 400 requests a second, which of the five metrics fall behind?"
    ),
    right=Expectation(
        "throughput, both latencies, and users",
        "What can't pass waits, so latency rises; and users who wait for their answers, or are refused, are users you "
        "can't have. Only data doesn't pass through the lock.",
    ),
    wrong=(
        Expectation(
            "throughput only",
            "Throughput does stop. But where are the requests that the lock can't take, and for how long?",
        ),
        Expectation(
            "all five",
            "Does stored data have to pass through the lock? Look at the last column.",
        ),
    ),
)

one_slow_machine = ChoicePrediction(
    "scaling_metrics.one_slow_machine",
    question=(
        "Six machines, dealt out to in turn, are half busy. After 3 s one of them, m3, begins to take three times as long for everything. "
        "What do the latencies of all requests show over the next ten seconds?"
    ),
    right=Expectation(
        "the median hardly moves, the 99th percentile climbs on and on",
        "Five in six never meet m3. The sixth stands in a queue that gets longer and longer.",
    ),
    wrong=(
        Expectation(
            "both rise by about a third, then stay",
            "That is what the mean would do if m3 could keep up. It gets 5 requests a second and can do 3.3: look at its queue. And how "
            "many requests does the median speak of?",
            THE_MEDIAN_TELLS,
        ),
        Expectation(
            "both climb on and on",
            "Something does climb: m3's queue. But who stands in it? Ask how many of all requests the median leaves above it.",
            THE_MEDIAN_TELLS,
        ),
    ),
)

average_of_p99 = ChoicePrediction(
    "scaling_metrics.average_of_p99",
    question=(
        "Two servers form one service. The first answered 90 000 requests with a 99th percentile of 46 ms, the second 10 000 "
        "with 452 ms. What is the 99th percentile of the service?"
    ),
    right=Expectation(
        "these four numbers can't tell",
        "The answer depends on how the slow server's latencies are spread, and a percentile has thrown that away. You "
        "need the latencies themselves, or a histogram of them.",
    ),
    wrong=(
        Expectation(
            "the mean of the two, 249 ms",
            "A dashboard would say so. But the slowest hundredth of all requests doesn't come in equal parts from both servers. "
            "Put the requests together and look.",
            PERCENTILES_AVERAGE,
        ),
        Expectation(
            "the mean weighted by requests, 86 ms",
            "Better thought, and further off. Nine tenths of the requests are fast, but which requests make up the slowest "
            "hundredth?",
            PERCENTILES_AVERAGE,
        ),
    ),
)

slow_for_the_tester = NumberPrediction(
    "scaling_metrics.slow_for_the_tester",
    question=(
        "Users send a request every 0.25 s, whatever happens. A load tester means to do the same, but waits for each answer before it sends "
        "the next. The server, which needs 50 ms, stalls for 4 s. How many slow requests (above 0.3 s) does the tester report?"
    ),
    scale=(0, 40),
    step=1,
    unit="slow requests",
    near=1.5,
    right="It stops asking exactly while it is bad. How many of the users' requests were slow meanwhile?",
    typical={
        16: Expectation(
            "about 16: it runs into the stall as the users do",
            "It does run into the stall, with one request, and then it waits. Count what it sends in those four seconds.",
            THE_TEST_SEES_WHAT_USERS_SEE,
        ),
        0: Expectation(
            "none",
            "It isn't blind altogether: one request is under way, or begins, when the stall does, and comes back after 4 s.",
        ),
    },
    otherwise="How many requests does the tester send while it waits for an answer?",
)

how_full = CurvePrediction(
    "scaling_metrics.how_full",
    question=(
        "Requests come at random to one server, and take times that vary at random. At 50 % of what it could do, a request spends 2 mean service "
        "times there, waiting included. Draw how long it spends there when the server is busier."
    ),
    at=(50, 80, 90, 95),
    scale=(0.0, 24.0),
    step=0.5,
    across="utilisation, %",
    along="time in the system, in service times",
    near=2.0,
    right="It goes with what is left free: from 20 % to 10 %, by half, and the time doubles. What would be at 99 %?",
    otherwise=Expectation(
        "another curve",
        "Work grows like the load. Waiting happens when requests come close together, and the server has ever less idle time to catch up "
        "in. From 80 to 90 % the load rises by an eighth, and the idle time falls by half.",
        WAITING_GROWS_LIKE_THE_LOAD,
    ),
)

one_in_a_hundred = ChoicePrediction(
    "scaling_metrics.one_in_a_hundred",
    question=(
        "A server is slow once in a hundred times. A request asks 100 such servers at once and waits for all of them. How often "
        "is the request slow?"
    ),
    right=Expectation(
        "about two times in three",
        "All are quick with a chance of 0.99 to the power of 100, which is little more than a third.",
    ),
    wrong=(
        Expectation(
            "once in a hundred times",
            "That is one server's rate. How often are all hundred quick at the same time?",
            RARE_FOR_ONE_IS_RARE_FOR_ALL,
        ),
        Expectation(
            "always: a hundred servers, one in a hundred",
            "You added the chances. Sometimes two are slow at once, and so sometimes none is.",
        ),
    ),
)

a_thousand_processors = ChoicePrediction(
    "scaling_metrics.a_thousand_processors",
    question=(
        "One part in twenty of a program can't be divided; the rest spreads over any number of processors. How much faster does "
        "it run on 1 024 of them?"
    ),
    right=Expectation(
        "less than 20 times",
        "The serial twentieth takes as long as ever, so the whole can't take less than a twentieth of the time.",
    ),
    wrong=(
        Expectation(
            "about 970 times: 95 % of 1 024",
            "That would be so if the serial part shrank as well. How long does it take, on any number of processors?",
            THE_SERIAL_PART_SHRINKS,
        ),
        Expectation(
            "about 500 times",
            "The serial part costs more than you would think. Suppose the divided part took no time at all: what is left?",
        ),
    ),
)

sixty_four_processors = ChoicePrediction(
    "scaling_metrics.sixty_four_processors",
    question=(
        "You fit the law to the first six measurements of the ray tracer, at 1 to 20 processors, and it meets all six almost "
        "perfectly. You know already that the machine did 310 at 64 processors. What does the fitted law say for 64?"
    ),
    right=Expectation(
        "less than half of 310",
        "Six points at the start tell the law that a peak comes soon, and a fall after it. What could have gone wrong with "
        "such a good fit?",
    ),
    wrong=(
        Expectation(
            "about 310: a law that fits so well can be trusted further out",
            "It is splendid where it was fitted. Sixty-four is three times as far away. See where the fit puts its peak.",
            A_GOOD_FIT_FORETELLS,
        ),
        Expectation(
            "about 500: it knows nothing of what slows the machine down later",
            "The six slow down already: 20 processors do ten times the work of one. See how the fit goes on from there.",
        ),
    ),
)

two_real_services = ChoicePrediction(
    "scaling_metrics.two_real_services",
    question=(
        "Requests of two real services are replayed against one server that is busy half of the time. A formula for random, "
        "independent arrivals (M/G/1) predicts the mean wait. How far off is it?"
    ),
    right=Expectation(
        "within a tenth for one, more than twenty times too low for the other",
        "One is people in conversation, the other is code completion, where requests come in bursts. Utilisation alone "
        "doesn't tell you how long the line is.",
    ),
    wrong=(
        Expectation(
            "within a tenth for both: arrivals from thousands of users are random",
            "They are, if the users don't know of each other. Compare the two services.",
        ),
        Expectation(
            "twice too low for both: real traffic is never random",
            "Real traffic can be close to random. Which of the two would you expect to be?",
        ),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────

busy_threads = NumberExercise(
    "scaling_metrics.busy_threads",
    task=(
        "A web server takes 2 000 requests a second. Each holds a thread until it is answered, on a good day for 80 ms. Today the "
        "database is slow, and it takes 150 ms. How many threads are busy, on average?"
    ),
    expects="a number of threads",
    success=(
        "Right: 2 000/s · 0.15 s = 300, on average. A pool of 200 threads, Tomcat's default, is now too small, though not one request "
        "more has come: the slow database has become a line in front of the web server."
    ),
    hints=(
        "Which law connects a rate, a time and a number inside?",
        "Write the time in seconds: 150 ms is 0.15 s.",
    ),
    solution="from dscourse.scaling import littles_law\n\nanswer = littles_law(arrival_rate=2000, time_in_system=0.15)",
    mistakes=(
        Mistake(
            "answer = 2000 * 0.08",
            "160 is the number on a good day, when a request takes 80 ms. What does the slow database change?",
        ),
        Mistake(
            "answer = 2000 * 150",
            "You multiplied requests per second by milliseconds. Little's law wants both in the same unit of time.",
        ),
        Mistake(
            "answer = 2000 / 0.15",
            "You divided the rate by the time. Little's law multiplies: each arrival stays for that long.",
        ),
    ),
    otherwise="Little's law: the number inside is the arrival rate times the time that each stays.",
)

_LIMIT_OF_CONTENTION = (
    "1/α is no number of nodes: it says how many times the throughput of one node contention alone would allow. Where does the "
    "curve stop growing?"
)

last_useful_node = NumberExercise(
    "scaling_metrics.last_useful_node",
    task=(
        "A fit of the Universal Scalability Law gives contention 0.03, coherency 0.0001 and 500 requests/s for one node. "
        "With how many nodes (a whole number) is the throughput highest?"
    ),
    expects="a whole number of nodes",
    success="Right: 98. And look at what you pay for the end of the curve: with 50 nodes you would have 91 % of that throughput.",
    hints=(
        "The peak of the curve lies at √((1 − α)/β).",
        "USL(0.03, 0.0001, 500)(n) gives the throughput of n nodes. Try the whole numbers on both sides of the peak.",
    ),
    solution="from dscourse.scaling import USL\n\nlaw = USL(0.03, 0.0001, 500)\nanswer = max(range(1, 200), key=lambda n: law(n))",
    mistakes=(
        Mistake(
            "answer = (1 / 0.0001) ** 0.5",
            "You took √(1/β). Contention moves the peak a little: the law's peak is at √((1 − α)/β).",
        ),
        Mistake(
            "from dscourse.scaling import USL\nanswer = USL(0.03, 0.0001, 500).peak_load",
            "That is where the curve peaks, but you can't buy a part of a node. Compare the two whole numbers beside it.",
        ),
        Mistake(
            "answer = 99",
            "You rounded up. Compute the throughput at both whole numbers beside the peak, and compare.",
        ),
        Mistake("answer = (1 - 0.03) / 0.0001", "Don't forget the root: the peak is at √((1 − α)/β)."),
        Mistake("answer = 1 / 0.03", _LIMIT_OF_CONTENTION),
        Mistake("answer = 33", _LIMIT_OF_CONTENTION),
    ),
    otherwise="Where does X(N) = 500 N / (1 + 0.03 (N − 1) + 0.0001 N (N − 1)) stop growing? Try USL(0.03, 0.0001, 500).",
    accepts=(98, 98),
)


def _three_servers() -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(12)
    sizes_and_means = ((90_000, 0.010), (9_000, 0.040), (1_000, 0.300))
    return [rng.exponential(mean, size) for size, mean in sizes_and_means]


service_percentile = FunctionExercise(
    "scaling_metrics.service_percentile",
    task=(
        "Write a function that takes a list of arrays, each the latencies of one server in seconds, and returns the 99th percentile "
        "of the whole service. The servers don't get equally many requests."
    ),
    expects="your function of a list of arrays, without brackets; it returns a number of seconds",
    success="Right. And that is why monitoring systems ship histograms, which can be added up, and not percentiles.",
    hints=(
        "Which requests does the service's percentile talk about? All of them, whoever answered.",
        "np.concatenate joins arrays; latency_quantile(all_of_them, 0.99) does the rest.",
    ),
    solution=(
        "import numpy as np\nfrom dscourse.scaling import latency_quantile\n\n"
        "def service_p99(servers):\n    return latency_quantile(np.concatenate(servers), 0.99)\n\nanswer = service_p99"
    ),
    cases=((_three_servers(),),),
    mistakes=(
        Mistake(
            "import numpy as np\nanswer = lambda servers: np.mean([np.quantile(s, 0.99) for s in servers])",
            "You took the mean of the servers' percentiles. Two servers, one of them slow and little used: try it by hand.",
            PERCENTILES_AVERAGE,
        ),
        Mistake(
            "import numpy as np\nanswer = lambda servers: np.average(\n"
            "    [np.quantile(s, 0.99) for s in servers], weights=[len(s) for s in servers])",
            "You weighted the percentiles by the number of requests. A mean of percentiles is still no percentile.",
            PERCENTILES_AVERAGE,
        ),
        Mistake(
            "import numpy as np\nanswer = lambda servers: max(np.quantile(s, 0.99) for s in servers)",
            "You took the worst server's percentile. That is an upper bound, and far too high where that server gets few requests.",
        ),
        Mistake(
            "import numpy as np\nanswer = lambda servers: 1000 * np.quantile(np.concatenate(servers), 0.99)",
            "That is the right value in milliseconds. The latencies come in seconds; give the percentile in seconds too.",
        ),
    ),
    otherwise=(
        "For three servers with 90 000, 9 000 and 1 000 requests you get {given}; it should be {right}. In the end only one row of "
        "latencies counts: all of them."
    ),
    tolerance=0.005,
    written=readable_seconds,
)

OBJECTIVE, LAUNCH, BUDGET = 1.5, 50, 14  # seconds of p99, requests a second, points


@dataclass(frozen=True)
class Design:
    """What is bought for the launch, what it costs, and how far it scales."""

    machines: int
    lock: int
    statement: CapacityStatement

    @property
    def cost(self) -> int:
        """Points: 1 for a machine, 3 for each halving of the lock."""
        return self.machines + 3 * self.lock

    def __repr__(self) -> str:
        return f"It costs {self.cost} of {BUDGET} points, and {self.statement}."


def try_design(machines: int, lock: int = 0) -> Design:
    """Build the game and find out how far it scales.

    Args:
        machines: how many, 1 point each.
        lock: how often the time for which a request holds the lock is halved, 3 points each.
    """
    return _tried(
        whole("machines", machines, at_least=1, at_most=200), whole("lock", lock, at_least=0, at_most=20)
    )


@lru_cache(maxsize=64)
def _tried(machines: int, lock: int) -> Design:
    def measure(load: float) -> Any:
        return launch_latencies(load, machines=machines, lock_seconds=LOCK_SECONDS / 2**lock)

    return Design(
        machines, lock, find_capacity(measure, workload="players who come at random", objective=OBJECTIVE)
    )


def launch_day(machines: int, lock: int = 0) -> Scenario:
    """Return the launch: two seconds as planned, then fifty times as many requests, with what has been bought.

    Args:
        machines: how many.
        lock: how often the time for which a request holds the lock is halved.
    """
    held = LOCK_SECONDS / 2 ** whole("lock", lock, at_least=0, at_most=20)
    return launch_scenario(machines, launch=float(LAUNCH), lock_seconds=held, seed=3)


def _read_design(answer: object) -> Design:
    if not isinstance(answer, Mapping) or "machines" not in answer or not set(answer) <= {"machines", "lock"}:
        raise Unfit
    try:
        return try_design(**answer)
    except (TypeError, ValueError) as problem:
        raise Unfit(problem) from None


ready_for_launch = TrialExercise(
    "scaling_metrics.ready_for_launch",
    task=(
        "Design. The game must carry the launch: 50 requests a second with a 99th percentile of at most 1.5 s. You have 14 points. A machine "
        "(100 ms of work for a request) costs 1; halving the time for which each request holds the lock (40 ms) costs 3, and can be bought "
        "again and again.\nYour answer is a dict such as `dict(machines=6, lock=0)`. `exercises.try_design(machines=6, lock=0)` says how far "
        "it scales."
    ),
    expects="a dict such as `dict(machines=6, lock=0)`",
    success="It holds, within the budget, and you can say for which load. Keep it: it is launched below.",
    hints=(
        "How many requests a second can pass the lock, and how many can the machines do? Both must be more than 50, and not just.",
        "Halved twice, the lock lets 100 a second pass. What is left for machines, and how busy are they?",
    ),
    solution="answer = dict(machines=7, lock=2)",
    read=_read_design,
    rules=(
        Rule(
            lambda design: (
                f"The lock can be held {2**design.lock / LOCK_SECONDS:g} times a second, by however many machines, and 50 requests come. "
                "At 100 % a queue has no end."
            ),
            lambda design: 2**design.lock / LOCK_SECONDS <= LAUNCH,
            "answer = dict(machines=14, lock=0)",
            "answer = dict(machines=11, lock=1)",
        ),
        Rule(
            lambda design: (
                f"{design.machines} machines can do {design.machines / MACHINE_SECONDS:g} requests a second if they never rest, and 50 come "
                "at random. At 100 % a queue has no end."
            ),
            lambda design: design.machines / MACHINE_SECONDS <= LAUNCH,
            "answer = dict(machines=5, lock=3)",
            "answer = dict(machines=3, lock=2)",
        ),
        Rule(
            lambda design: (
                f"All 50 get through, but the 99th percentile is too high: it {design.statement}. What is so busy that requests have to wait?"
            ),
            lambda design: design.statement.capacity < LAUNCH,
            "answer = dict(machines=6, lock=2)",
        ),
        Rule(
            lambda design: (
                f"That does the job, but it costs {design.cost} points and you have {BUDGET}. What did you buy that wasn't short?"
            ),
            lambda design: design.cost > BUDGET,
            "answer = dict(machines=9, lock=2)",
            "answer = dict(machines=7, lock=3)",
        ),
    ),
)


# ── Players: what is asked of a run, and what there is to do ──────────


#: Six machines half busy, the lock idle; from 3 s on m3 takes three times as long.
slow_machine = launch_scenario(6, plan=30.0, lock_seconds=0.01).with_faults(Slow(3.0, at=3.0, node="m3"))


def answered(run: Run, since: float) -> float:
    """Return how many requests a second a run answers from a moment on."""
    return sum((one.completed or 0.0) >= since for one in run.history()) / (run.until - since)


def slow_requests(run: Run, above: float = 0.3) -> int:
    """Return how many of the users' requests took longer than so many seconds."""
    return sum(one.latency > above for one in run.history())


def _hit(run: Run, kind: type[Crash] | type[Pause], nodes: str, after: float) -> bool:
    return any(
        isinstance(fault, kind) and fault.node.startswith(nodes) and fault.at > after for fault in run.faults
    )


see_the_launch = (
    Task("scaling_metrics.as_planned", "Press Play: see a request go its way", Visit(0.2, 1.9)),
    Task("scaling_metrics.too_many", "See where requests wait after 2 s", Visit(3.0, 9.9)),
)
find_the_queue = (
    Task("scaling_metrics.where", "Find where requests wait now", Visit(4.0, 9.9)),
    Task(
        "scaling_metrics.one_less",
        "Crash m4 at about 5 s: what does throughput do?",
        lambda run: _hit(run, Crash, "m4", 4.0),
    ),
)
find_the_slow = (
    Task("scaling_metrics.slow_queue", "Find the queue that grows", Visit(5.0, 11.9)),
    Task("scaling_metrics.two_lines", "Hold p50 against p99 at the end", Visit(10.0, 11.9)),
    Task(
        "scaling_metrics.without_it",
        "Crash m3 at about 6 s. Better?",
        lambda run: _hit(run, Crash, "m3", 5.0),
    ),
)
see_the_stall = (
    Task("scaling_metrics.who_asks", "See who asks while the server stalls", Visit(3.5, 6.9)),
    Task("scaling_metrics.worked_off", "See the line being worked off", Visit(7.0, 7.8)),
    Task(
        "scaling_metrics.again",
        "Pause the server once more, after 8 s",
        lambda run: _hit(run, Pause, "server", 8.0),
    ),
)
launch_it = (
    Task("scaling_metrics.launched", "See fifty times the load arrive", Visit(2.1, 4.0)),
    Task("scaling_metrics.kept", "Is p99 below 1.5 s at the end?", Visit(9.0, 9.9)),
    Task(
        "scaling_metrics.not_promised", "Crash a machine at about 5 s", lambda run: _hit(run, Crash, "m", 4.0)
    ),
)
