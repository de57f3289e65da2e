"""Predictions and exercises of notebook 01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import numbers, whole
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
)
from dscourse.scaling import (
    LatencySummary,
    System,
    SystemMetrics,
    latency_quantile,
    readable_number,
    readable_seconds,
    simulate_queue,
    summarize_latencies,
)

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

FAST_IS_SCALABLE = Misconception(
    "scaling_metrics.fast_is_scalable",
    belief="What is faster on one node is faster on many.",
    question=(
        "Product A serves twice as much as B on one node. What must you measure before you know which serves more "
        "on twenty?"
    ),
    answer="How each grows when nodes are added: a shared lock shows only then.",
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
    FAST_IS_SCALABLE,
    MORE_NODES_HELP,
    PERCENTILES_AVERAGE,
    WAITING_GROWS_LIKE_THE_LOAD,
    RARE_FOR_ONE_IS_RARE_FOR_ALL,
    THE_SERIAL_PART_SHRINKS,
    A_GOOD_FIT_FORETELLS,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

which_to_buy = ChoicePrediction(
    "scaling_metrics.which_to_buy",
    question=(
        "Two products do the same job. On one node, the first serves 1 600 requests a second, the second 800. The first takes a "
        "lock, shared by all nodes, for 0.2 ms of each request; the second shares nothing. You need 20 000 requests a second. "
        "Which one do you buy?"
    ),
    right=Expectation(
        "the second",
        "One lock that is held for 0.2 ms lets 5 000 requests a second pass, whatever the number of nodes. The slower "
        "product has no such ceiling.",
    ),
    wrong=(
        Expectation(
            "the first: it is twice as fast, so half as many nodes will do",
            "That is true of one node. Look at what happens to its line when there are several, and ask yourself how many "
            "requests a second can pass through a lock that each holds for 0.2 ms.",
            FAST_IS_SCALABLE,
        ),
        Expectation(
            "either: with enough nodes both get there",
            "Enough nodes help only where nodes are what is short. What is short in the first product once there are four of them?",
            MORE_NODES_HELP,
        ),
    ),
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
            "Does stored data have to pass through the lock? Look at the fifth panel.",
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

a_two_second_stall = ChoicePrediction(
    "scaling_metrics.a_two_second_stall",
    question=(
        "A server answers in 1 ms. Your load tester sends a request every 10 ms for 100 s, but waits for each answer before it "
        "sends the next. Once, the server stalls for 2 s. What 99th percentile does the tester report, and what do users see "
        "who really come every 10 ms?"
    ),
    right=Expectation(
        "the tester reports about 1 ms, users see about 1 s",
        "The tester stops sending exactly while it is bad, and so asks only once. Two hundred users come in those 2 s.",
    ),
    wrong=(
        Expectation(
            "about 1 ms both: one stall in 10 000 requests is nothing",
            "One request in 10 000 for the tester. But how many users come while the server stalls?",
        ),
        Expectation(
            "about 1 s both: the tester runs into the stall as well",
            "It does, with one request. How many does it send while it waits for that answer?",
        ),
    ),
)

from_80_to_90 = ChoicePrediction(
    "scaling_metrics.from_80_to_90",
    question=(
        "One server is busy 80 % of the time. The load rises by an eighth, and it is busy 90 % of the time. What happens to the "
        "mean time that a request spends in the system?"
    ),
    right=Expectation(
        "it doubles",
        "What counts is the share of time that is left free: it falls from 20 % to 10 %, by half, and so the time doubles.",
    ),
    wrong=(
        Expectation(
            "it rises by about an eighth, like the load",
            "That is what work would do. Waiting isn't work: it happens when arrivals come close together, and the server has "
            "ever less idle time to catch up in.",
            WAITING_GROWS_LIKE_THE_LOAD,
        ),
        Expectation(
            "it rises tenfold",
            "It will, but later. Which load leaves a tenth of the idle time that 80 % leaves?",
        ),
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

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

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

BUDGET = 27
_REQUESTS, _P99, _USERS, _DATA = 6_000, 0.15, 80_000, 32


@dataclass(frozen=True)
class Design:
    """What a design costs and what it achieves."""

    cost: int
    metrics: SystemMetrics

    def __repr__(self) -> str:
        m = self.metrics
        carried, wanted, users, most = (
            readable_number(round(each)) for each in (m.throughput, _REQUESTS, m.users, _USERS)
        )
        return (
            f"cost {self.cost} of {BUDGET}; {carried} of {wanted} requests/s, p99 {readable_seconds(m.p99)} (at most "
            f"{readable_seconds(_P99)}), {users} users (at least {most}), {readable_number(round(m.data))} TB (at least {_DATA})"
        )


def try_design(nodes: int, lock: int = 0, sessions: int = 0, threads: int = 0) -> Design:
    """Build the shop of the exercise `design_the_shop` and measure it.

    Args:
        nodes: how many to rent, 1 point each, at most 64.
        lock: how often the time that each request holds the lock is halved, 5 points each.
        sessions: how often the size of a session is halved, 3 points each.
        threads: 1 to have 32 worker threads a node instead of 6, for 1 point.
    """
    whole("nodes", nodes, at_least=1, at_most=64)
    whole("lock", lock, at_least=0, at_most=8)
    whole("sessions", sessions, at_least=0, at_most=8)
    whole("threads", threads, at_least=0, at_most=1)
    shop = System(
        load_per_node=_REQUESTS / nodes,
        lock_seconds=0.0002 / 2**lock,
        session_size=4.0 / 2**sessions,
        workers=32 if threads else 6,
        copies=2,
    )
    return Design(int(nodes + 5 * lock + 3 * sessions + threads), shop.measure(int(nodes)))


@dataclass(frozen=True)
class _Shop:
    """A design that was tried, with what was bought for it."""

    design: Design
    bought: Mapping[str, int]

    @classmethod
    def read(cls, answer: object) -> _Shop:
        names = {"nodes", "lock", "sessions", "threads"}
        if not isinstance(answer, Mapping) or "nodes" not in answer or not set(answer) <= names:
            raise Unfit
        try:
            return cls(try_design(**answer), {**dict.fromkeys(names, 0), **answer})
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None

    def too_slow(self) -> bool:
        return self.design.metrics.throughput < 0.99 * _REQUESTS

    def few_users(self) -> bool:
        return self.design.metrics.users < _USERS

    def no_room(self) -> bool:
        return self.few_users() and self.bought["nodes"] * 16_000 / 4 * 2 ** self.bought["sessions"] < _USERS


design_the_shop = TrialExercise(
    "scaling_metrics.design_the_shop",
    task=(
        "A shop must carry 6 000 requests/s with a 99th percentile of at most 150 ms, 80 000 users at once, and 32 TB in two copies. "
        "You have 27 points. A node costs 1 (4 TB, 16 GB for sessions, 6 threads). Halving the time that each request holds the "
        "shared lock (0.2 ms) costs 5, halving the size of a session (4 MB) costs 3, and 32 threads on every node cost 1 in all.\n"
        "Your answer is a dict such as `dict(nodes=10, lock=0, sessions=0, threads=0)`, with how often you buy each. "
        "`exercises.try_design(nodes=10, lock=0, sessions=0, threads=0)` measures it."
    ),
    expects="a dict such as `dict(nodes=10, lock=0, sessions=0, threads=0)`",
    success="It holds, within the budget. Nodes helped against what is each node's own; the lock had to be changed itself.",
    hints=(
        "Take the requirements one by one. Which of them is helped by more nodes, and which is not?",
        "The data alone takes 16 nodes. What is still missing with 16 nodes, and what does it cost other than nodes?",
    ),
    solution="answer = dict(nodes=16, lock=1, sessions=1, threads=1)",
    read=_Shop.read,
    # No rule on the 99th percentile: whatever carries the load keeps within it.
    rules=(
        Rule(
            "Not all of the 6 000 requests/s get through. A lock that each holds for 0.2 ms lets 5 000 a second pass, however many "
            "nodes there are.",
            lambda shop: shop.too_slow() and not shop.bought["lock"],
            "answer = dict(nodes=27, lock=0, sessions=0, threads=0)",
            "answer = dict(nodes=30, lock=0, sessions=0, threads=0)",
            misconception=MORE_NODES_HELP,
        ),
        Rule(
            "Not all of the 6 000 requests/s get through. Each node's threads wait 20 ms for the database with every request: how many "
            "requests a second can six of them carry?",
            lambda shop: shop.too_slow() and not shop.bought["threads"],
            "answer = dict(nodes=16, lock=1, sessions=1, threads=0)",
        ),
        Rule(
            "Not all of the 6 000 requests/s get through, and neither the lock nor the threads are what is short now: CPU and disk "
            "are. Those are each node's own, so how many nodes does the load take?",
            _Shop.too_slow,
            "answer = dict(nodes=7, lock=1, sessions=2, threads=1)",
        ),
        Rule(
            "The data doesn't fit: 32 TB in two copies take 16 disks of 4 TB.",
            lambda shop: shop.design.metrics.data < _DATA,
            "answer = dict(nodes=12, lock=1, sessions=1, threads=1)",
        ),
        Rule(
            "The users don't fit. Each node has 16 GB for sessions of 4 MB; how many of those does that take for 80 000 users?",
            _Shop.no_room,
            "answer = dict(nodes=16, lock=1, sessions=0, threads=1)",
        ),
        Rule(
            "Their sessions fit, but the users' requests would not: each user sends one about every 10 s, so 80 000 users send up to "
            "8 000 a second. What do the threads carry?",
            _Shop.few_users,
            "answer = dict(nodes=25, lock=1, sessions=0, threads=0)",
        ),
        Rule(
            lambda shop: (
                f"That does the job, but it costs {shop.design.cost} points and you have 27. What did you buy that wasn't short?"
            ),
            lambda shop: shop.design.cost > BUDGET,
            "answer = dict(nodes=16, lock=2, sessions=1, threads=1)",
            "answer = dict(nodes=19, lock=1, sessions=1, threads=1)",
        ),
    ),
)


@dataclass(frozen=True)
class _Service:
    """Ten thousand service times, what a tester reports of them, and what the users' 99th percentile is."""

    times: NDArray[np.float64]
    report: LatencySummary
    users: float

    @classmethod
    def read(cls, answer: Any) -> _Service:
        if not (isinstance(answer, list | tuple) or getattr(answer, "ndim", 0) == 1):
            raise Unfit
        try:
            if len(answer) != 10_000:
                raise ValueError(f"there are {len(answer)} of them instead of 10 000")
            times = numbers("service times", answer)
            if not (times.min() >= 0.001 and times.max() <= 1e6):
                raise ValueError(
                    "none may be below 1 ms (0.001), as the server can't be quicker than that, or above 1e6"
                )
            report = summarize_latencies(times)
            queue = simulate_queue(np.full(10_000, 0.01), times)
        except (TypeError, ValueError) as problem:
            raise Unfit(problem) from None
        return cls(times, report, latency_quantile(queue.sojourn_times, 0.99))

    def happy(self) -> bool:
        return self.users <= 2.0

    def too_late(self) -> bool:
        return self.happy() and self.times.max() > 2.0 and self.times.size - int(self.times.argmax()) <= 100

    def in_one_piece(self) -> bool:
        """Return whether one stall at most keeps others waiting: a user comes every 10 ms."""
        return self.happy() and int((self.times > 0.01).sum()) <= 1


flatter_the_report = TrialExercise(
    "scaling_metrics.flatter_the_report",
    task=(
        "Break the load test. A server takes at least 1 ms a request; the tester sends 10 000 requests and waits for each answer. Find "
        "10 000 service times with which the tester reports a 99th percentile of at most 2 ms and a mean of at most 5 ms, "
        "while for users who come every 10 ms the 99th percentile is above 2 s. Your answer is an array of 10 000 seconds."
    ),
    expects="a row of 10 000 service times in seconds, such as `np.full(10_000, 0.001)`",
    success=(
        "Yes. The tester asked hardly ever while it was bad; users came all the while. To see what they see, count from the moment at "
        "which a request was due, not from when it was sent."
    ),
    hints=(
        "Begin with np.full(10_000, 0.001), where everybody is happy, and make one request slow.",
        "During a stall of s seconds, 100·s users arrive. A hundredth of 10 000 must wait for more than two seconds.",
    ),
    solution="import numpy as np\n\nanswer = np.full(10_000, 0.001)\nanswer[5_000] = 4.0",
    read=_Service.read,
    rules=(
        Rule(
            "The tester's report shows it: its 99th percentile is above 2 ms. More than one request in a hundred is slow.",
            lambda service: service.report.p99 > 0.002,
            "import numpy as np\nanswer = np.full(10_000, 0.001)\nanswer[:200] = 1.0",
        ),
        Rule(
            "The tester's report shows it: its mean is above 5 ms. The stall needn't be that long.",
            lambda service: service.report.mean > 0.005,
            "import numpy as np\nanswer = np.full(10_000, 0.001)\nanswer[5_000] = 60.0",
        ),
        Rule(
            "The report looks fine, and so do the users: your stall is so close to the end that hardly anybody comes after it. Let it "
            "happen earlier.",
            _Service.too_late,
            "import numpy as np\nanswer = np.full(10_000, 0.001)\nanswer[-1] = 30.0",
        ),
        Rule(
            lambda service: (
                "The report looks fine, but the users don't suffer enough: their 99th percentile is "
                f"{readable_seconds(service.users)}. A hundred of them must wait for more than two seconds, and one comes every 10 "
                "ms. How long does a stall have to last for that?"
            ),
            _Service.in_one_piece,
            "import numpy as np\nanswer = np.full(10_000, 0.001)\nanswer[5_000] = 2.0",
            "import numpy as np\nanswer = np.full(10_000, 0.001)",
        ),
        Rule(
            lambda service: (
                "The report looks fine, but the users don't suffer enough: their 99th percentile is "
                f"{readable_seconds(service.users)}. Many short stalls hurt few users each. What if it is the same time, but in one "
                "piece?"
            ),
            _Service.happy,
            "import numpy as np\nanswer = np.full(10_000, 0.001)\nanswer[::200] = 0.1",
        ),
    ),
)
