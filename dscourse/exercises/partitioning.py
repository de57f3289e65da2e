"""Predictions, exercises, runs and players' tasks of notebook 04."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np

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
)
from dscourse.exercises._fleet_design import FleetDesign, try_design as try_design
from dscourse.exercises.nodes.partitioning import remember_the_vote as remember_the_vote
from dscourse.partitioning import (
    ConsistentHashRing,
    database_load,
    load_counts,
    partitioned_node,
    store_network,
)
from dscourse.simulation import ClosedLoop, Crash, Fault, Run, Scenario
from dscourse.views import Task, Visit

# ── Misconceptions ────────────────────────────────────────────────────────────────────────────────────────────

ONLY_A_FAIR_SHARE_MOVES = Misconception(
    "partitioning.only_a_fair_share_moves",
    belief="When a server joins, only its fair share moves.",
    question=("Nine servers become ten, server = hash mod n. Which share of the keys stays where it is?"),
    answer="A tenth: nine remainders of every ninety. A fair share would leave nine tenths where they are.",
)
BALANCED_DATA_IS_BALANCED_LOAD = Misconception(
    "partitioning.balanced_data_is_balanced_load",
    belief="Where data is spread evenly, load is spread evenly.",
    question=(
        "Every node holds as many users as the others. One user has a million followers. Is the load even?"
    ),
    answer="No: whoever holds that user carries all that asks for them.",
)
RANDOM_PLACES_ARE_EVEN = Misconception(
    "partitioning.random_places_are_even",
    belief="Random places divide a ring into even parts.",
    question=(
        "Ten servers take one random place each on a ring. Is the largest share nearer to a tenth or to three "
        "tenths?"
    ),
    answer="To three tenths: the longest of ten random arcs is 29 % on average.",
)
ASKING_ALL_COSTS_NO_TIME = Misconception(
    "partitioning.asking_all_costs_no_time",
    belief="To ask all nodes at the same time takes as long as to ask one.",
    question=("A search asks 10 nodes at once, each slow once in ten times. How often is it slow?"),
    answer="About two times in three: 1 − 0.9¹⁰ = 0.65.",
)
A_TIMEOUT_SETTLES_IT = Misconception(
    "partitioning.a_timeout_settles_it",
    belief="After a timeout a node may decide for itself.",
    question=("You have voted yes, and the coordinator is silent. What may it have told the other node?"),
    answer="Commit, or abort. Whichever you choose for yourself, the other may have been told the opposite.",
)
MISCONCEPTIONS = (
    ONLY_A_FAIR_SHARE_MOVES,
    BALANCED_DATA_IS_BALANCED_LOAD,
    RANDOM_PLACES_ARE_EVEN,
    ASKING_ALL_COSTS_NO_TIME,
    A_TIMEOUT_SETTLES_IT,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

more_cache = ChoicePrediction(
    "partitioning.more_cache",
    question=(
        "Four caches hold all 150 keys, so the database has nothing to do; it could answer 10 questions a second. Users ask for 25 keys a "
        "second, and the cache of a key is hash(key) mod 4. At 4 s a fifth, empty cache joins: mod 5. What do users notice?"
    ),
    right=Expectation(
        "most answers take ten times as long or more, for some seconds",
        "Most keys are looked for where they aren't, and the database is asked for more than it can answer: a queue forms.",
    ),
    wrong=(
        Expectation(
            "nothing: there is more cache than before",
            "There is more room. But is what users ask for still where they look for it?",
            ONLY_A_FAIR_SHARE_MOVES,
        ),
        Expectation(
            "one answer in five is a little slower: the newcomer is empty",
            "The newcomer gets a fifth of the keys. What of the keys that were the others' already?",
            ONLY_A_FAIR_SHARE_MOVES,
        ),
    ),
)

add_a_machine = NumberPrediction(
    "partitioning.add_a_machine",
    question=(
        "Four servers share a million keys: server number = hash(key) mod 4. You add a fifth, and it becomes mod 5. How many of a hundred keys "
        "must move to another server?"
    ),
    scale=(0, 100),
    step=1,
    unit="of 100",
    near=6,
    right="A key stays only if its hash leaves the same remainder by 4 and by 5. Can you say which those are?",
    typical={
        20: Expectation(
            "a fair share",
            "That is the newcomer's fair share, and the least that any scheme can move. See how far mod is from it.",
            ONLY_A_FAIR_SHARE_MOVES,
        ),
        50: Expectation(
            "half",
            "Half would move if the number of servers doubled. Here 4 becomes 5: which remainders agree?",
        ),
    },
    otherwise="Write down h mod 4 and h mod 5 for h from 0 to 19. For how many of these twenty are the two equal?",
)

keys_in_order = ChoicePrediction(
    "partitioning.keys_in_order",
    question=(
        "Measurements are stored under their time, such as 2026-03-14T15:09. Four nodes share them by ranges, one for each "
        "quarter of the year, so that in the end each holds as many as the others. Today is 20 November. "
        "Which nodes do the writes of today go to?"
    ),
    right=Expectation(
        "one only",
        "Balanced data isn't balanced load: keys that grow with time always fall into the last range.",
    ),
    wrong=(
        Expectation(
            "all four, about equally: the ranges are balanced",
            "Over the year they are. But that is about what will have been written, not about what is being written now.",
            BALANCED_DATA_IS_BALANCED_LOAD,
        ),
        Expectation(
            "two: the last range and the first, since years begin again",
            "Keys are compared as they are written, and 2026-11 comes after 2026-10. Where is the end of the last range?",
        ),
    ),
)

one_point_each = ChoicePrediction(
    "partitioning.one_point_each",
    question=(
        "The same four servers now stand on a ring, each at one place that a hash of its name decides. A key belongs to the next "
        "server clockwise. How much of the ring does the server own that has most of it?"
    ),
    right=Expectation(
        "about half",
        "The longest of four random arcs is (1 + 1/2 + 1/3 + 1/4) / 4 = 52 % of the ring on average.",
    ),
    wrong=(
        Expectation(
            "close to a quarter: hashes are uniform",
            "The places are uniform, the gaps between them aren't. Throw four darts at a circle: how equal are the arcs?",
            RANDOM_PLACES_ARE_EVEN,
        ),
        Expectation(
            "nearly all of it",
            "That can happen, but it is rare. What is the longest of four random arcs on average?",
        ),
    ),
)

hottest_key = NumberPrediction(
    "partitioning.hottest_key",
    question=(
        "Ten nodes, keys hashed perfectly evenly: each owns a tenth of 100 000 keys. The requests follow Zipf's law with exponent 1.2, the "
        "median of Twitter's cache clusters. How many times the mean load does the busiest node get?"
    ),
    scale=(1, 10),
    step=0.1,
    unit="times the mean",
    near=0.5,
    right="The most popular key alone gets twice a node's fair share, and one key lies on one node.",
    typical={
        1.1: Expectation(
            "about the mean",
            "Hashing spreads keys, not requests. How large a share does the most popular key get, all alone?",
            BALANCED_DATA_IS_BALANCED_LOAD,
        ),
        10: Expectation(
            "all of it", "The hottest key is one of many: together the others still get most of the requests."
        ),
    },
    otherwise="The exponent is no factor. Add the share of the most popular key to a tenth of what the others get.",
)

wait_for_all = ChoicePrediction(
    "partitioning.wait_for_all",
    question=(
        "One request in a hundred to a node takes more than 5 ms. A search by something else than the key asks all 100 nodes and "
        "waits for the last answer. How many searches take more than 5 ms?"
    ),
    right=Expectation(
        "more than half", "1 − 0.99¹⁰⁰ = 63 %. What is rare for one is common for all together."
    ),
    wrong=(
        Expectation(
            "one in a hundred: the nodes are asked at the same time",
            "At the same time, yes, but the slowest of 100 answers counts. What is the chance that none is slow?",
            ASKING_ALL_COSTS_NO_TIME,
        ),
        Expectation(
            "about a third",
            "More. All 100 answers must be quick: 0.99 · 0.99 · 0.99 … a hundred times.",
        ),
    ),
)

coordinator_gone = ChoicePrediction(
    "partitioning.coordinator_gone",
    question=(
        "A transfer from an account on one node to an account on another. Both nodes have voted yes. Then the coordinator crashes "
        "before it says commit. What do the two nodes do?"
    ),
    right=Expectation(
        "wait, with both accounts locked",
        "Having voted yes, a node has given its word. It may neither commit nor abort until it hears the decision.",
    ),
    wrong=(
        Expectation(
            "commit: both have voted yes",
            "Neither knows how the other has voted. And the coordinator may have decided otherwise before it crashed.",
            A_TIMEOUT_SETTLES_IT,
        ),
        Expectation(
            "abort after a timeout",
            "And if the coordinator had already told the other one to commit? Money would be lost. What is left to do?",
            A_TIMEOUT_SETTLES_IT,
        ),
    ),
)

# ── Exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

keys_that_stay = NumberExercise(
    "partitioning.keys_that_stay",
    task=(
        "Six servers, `server = hash(key) mod 6`. You add two at once, so that it becomes `mod 8`. Which fraction of the keys "
        "stays where it is? (Between 0 and 1.)"
    ),
    expects="a fraction between 0 and 1",
    success="Right: 6 of every 24 hashes, a quarter. Three quarters move, although two newcomers need only a quarter.",
    hints=(
        "A key stays if hash mod 6 and hash mod 8 are the same number.",
        "6 and 8 have 24 as their least common multiple. Count the h from 0 to 23 with h % 6 == h % 8.",
    ),
    solution="answer = sum(h % 6 == h % 8 for h in range(24)) / 24",
    mistakes=(
        Mistake(
            "answer = 6 / 8",
            "Three quarters would stay if only the two newcomers' fair share moved. With mod, a key stays only if its hash leaves "
            "the same remainder by 6 and by 8. (If you counted the keys that move: the question is how many stay.)",
            ONLY_A_FAIR_SHARE_MOVES,
        ),
        Mistake(
            "answer = 1 / 8",
            "One in eight would be right if the new server had nothing to do with the old one. But the remainders by 6 and by 8 "
            "come from the same hash. Write down both for 0 to 23.",
        ),
        Mistake("answer = 6", "Six of every 24 hashes stay. Which fraction is that?"),
    ),
    otherwise="Remainders by 6 and by 8 repeat together every 24 hashes. For how many of the 24 are the two equal?",
    tolerance=0.004,
)


def _rings() -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield hashes and the rings on which their owners are asked for: a small one to read, and a larger one."""
    for hashed in (42, 40, 95, 91):
        yield hashed, [(10, "a"), (40, "b"), (90, "c")]
    ring = ConsistentHashRing(["n0", "n1", "n2"], virtual_nodes=5)
    owners = [ring.nodes[place] for place in ring.points.owners]
    points = list(zip(ring.points.positions.tolist(), owners, strict=True))
    for hashed in range(0, 2**64, 2**64 // 50):
        yield hashed, points


_NO_WRAP = "my_owner(95, [(10, 'a'), (40, 'b'), (90, 'c')]) must be 'a': beyond the last point the ring goes on with the first."

your_own_ring = FunctionExercise(
    "partitioning.your_own_ring",
    task=(
        "Write `my_owner(hashed, points)`. `points` is the ring, a list of (position, node), sorted by position. Return the node "
        "of the first point at `hashed` or clockwise of it."
    ),
    expects="your function of (hashed, points), without brackets; it returns the name of a node",
    success="Right. That, a hash, and many points a node is all there is to consistent hashing.",
    hints=(
        "bisect_left from the module bisect finds the place of the first position that isn't smaller, in a sorted list.",
        "If that place is len(points), there is no point any more before the ring begins again. The modulo operator helps.",
    ),
    solution=(
        "from bisect import bisect_left\n\n"
        "def my_owner(hashed, points):\n"
        "    place = bisect_left([position for position, node in points], hashed)\n"
        "    return points[place % len(points)][1]\n\n"
        "answer = my_owner"
    ),
    cases=tuple(_rings()),
    returns=str,
    mistakes=(
        Mistake(
            "from bisect import bisect_left\n\n"
            "def my_owner(hashed, points):\n"
            "    return points[bisect_left([position for position, node in points], hashed)][1]\n\n"
            "answer = my_owner",
            _NO_WRAP,
        ),
        Mistake(
            "def my_owner(hashed, points):\n"
            "    for position, node in points:\n"
            "        if position >= hashed:\n"
            "            return node\n\n"
            "answer = my_owner",
            _NO_WRAP,
        ),
        Mistake(
            "def my_owner(hashed, points):\n"
            "    return next((node for position, node in points if position >= hashed), points[-1][1])\n\n"
            "answer = my_owner",
            _NO_WRAP,
        ),
        Mistake(
            "def my_owner(hashed, points):\n"
            "    return min(points, key=lambda point: abs(point[0] - hashed))[1]\n\n"
            "answer = my_owner",
            "my_owner(42, [(10, 'a'), (40, 'b'), (90, 'c')]) must be 'c', the next point clockwise. Point 40 is nearer, but it lies "
            "behind.",
        ),
        Mistake(
            "from bisect import bisect\n\n"
            "def my_owner(hashed, points):\n"
            "    return points[bisect([position for position, node in points], hashed) % len(points)][1]\n\n"
            "answer = my_owner",
            "my_owner(40, [(10, 'a'), (40, 'b'), (90, 'c')]) must be 'b': a key that falls exactly on a point belongs to it.",
        ),
    ),
    otherwise="my_owner{arguments} gave {given}; the next point clockwise belongs to {right}.",
)

design_a_fleet = TrialExercise(
    "partitioning.design_a_fleet",
    task=(
        "Design the partitioning of a fleet of caches. Machines differ: some are twice as strong. Wanted: no machine carries more "
        "than 1.10 times what its weight entitles it to; when any one joins or leaves, at most 1.3 times the least possible moves, "
        "and nothing moves between the others; and the table fits into 64 KiB. Your answer is a function of `nodes` and "
        "`weights` that returns a partitioner. `exercises.try_design(answer)` measures it."
    ),
    expects=(
        "a function of nodes and weights that returns a partitioner, such as "
        "`lambda nodes, weights: ConsistentHashRing(nodes, weights=weights)`"
    ),
    success="That holds, for a small and for a larger fleet. What did you pay for it? Look at the column “look-up” of the table.",
    hints=(
        "Go through the race: which ways have weights at all? Which of those move nothing between bystanders?",
        "Rendezvous hashing needs no table. A directory with fixed slots passes as well, if its table is small enough.",
    ),
    solution=(
        "from dscourse.partitioning import RendezvousPartitioner\n\n"
        "def design(nodes, weights):\n    return RendezvousPartitioner(nodes, weights)\n\n"
        "answer = design"
    ),
    read=FleetDesign,
    rules=(
        Rule(
            "The heaviest node should carry twice what a light one does, but your partitioner knows nothing of the weights.",
            lambda design: len(design.weights) == 1,
            "from dscourse.partitioning import JumpPartitioner\n\nanswer = lambda nodes, weights: JumpPartitioner(nodes)",
        ),
        Rule(
            "Too uneven: for its weight one node carries more than 1.10 times what it should. On a ring that takes more points; "
            "is there a way without?",
            lambda design: design.found["overload"] > 1.10,
            "from dscourse.partitioning import ConsistentHashRing\n\n"
            "answer = lambda nodes, weights: ConsistentHashRing(nodes, weights=weights)",
        ),
        Rule(
            "The table is larger than 64 KiB: every client has to hold it and to be sent it. Which ways need hardly any table?",
            lambda design: design.found["table_bytes"] > 65536,
            "from dscourse.partitioning import ConsistentHashRing\n\n"
            "answer = lambda nodes, weights: ConsistentHashRing(nodes, 2048, weights)",
        ),
        Rule(
            lambda design: (
                "When a node joined or left, keys moved between nodes that had nothing to do with it."
                if design.found["bystanders"] > 1e-9
                else "When a node joined or left, more than 1.3 times the least possible moved."
            ),
            lambda design: design.found["bystanders"] > 1e-9 or design.found["moved"] > 1.3,
            "from dscourse.partitioning import MaglevPartitioner\n\n"
            "answer = lambda nodes, weights: MaglevPartitioner(nodes, 5003, weights)",
        ),
    ),
)


def victim() -> ConsistentHashRing:
    """Return the ring to break: eight nodes with 256 points each."""
    return ConsistentHashRing([f"n{number}" for number in range(8)], virtual_nodes=256)


def _different_keys(answer: Any) -> list[Any]:
    keys = answer.tolist() if isinstance(answer, np.ndarray) and answer.ndim == 1 else answer
    if not isinstance(keys, list | tuple):
        raise Unfit
    if len(keys) < 1000:
        raise Unfit(f"there are {len(keys)} of them")
    try:
        load_counts(victim(), list(keys))
    except (OverflowError, TypeError, ValueError):
        raise Unfit("not all of them are whole numbers or texts") from None
    return list(dict.fromkeys(keys))  # one hot key among a thousand is still one hot key


break_the_balance = TrialExercise(
    "partitioning.break_the_balance",
    task=(
        "Break it. `exercises.victim()` is a ring of eight nodes with 256 points each, balanced to a few per cent. Find at least "
        "1 000 different keys of which one node gets nine tenths or more. Your answer is the list of keys."
    ),
    expects="a list of at least 1 000 keys, whole numbers or texts",
    success=(
        "You have it. Whoever can choose keys and knows the hash can aim at one machine; a secret seed in the hash takes the aim "
        "away. No virtual node helps against that."
    ),
    hints=(
        "You may ask the ring for the owner of any key, as often as you like.",
        "Try the keys of range(20_000) one by one. Which of them serve your purpose?",
    ),
    solution=(
        "from dscourse.exercises import partitioning as exercises\n\n"
        'ring = exercises.victim()\nanswer = [key for key in range(20_000) if ring.owner(key) == "n0"]'
    ),
    read=_different_keys,
    rules=(
        Rule(
            "That is one key, again and again. A cache or a split would mend it. Find 1 000 keys that are all different.",
            lambda keys: len(keys) < 1000,
            'answer = ["celebrity"] * 1000',
        ),
        Rule(
            "Those keys are spread over the nodes as a good hash does it. You know the hash, and so does everyone: choose the keys by "
            "it.",
            lambda keys: max(load_counts(victim(), keys).values()) < 0.9 * len(keys),
            "answer = list(range(1000))",
            'answer = [f"user:{number}" for number in range(5000)]',
        ),
    ),
)


# ── Runs, and what there is to do in their players ────────────────────────────────────────────────────────────

POOL = ("s1", "s2", "s3", "s4")
ACCOUNTS = ("n0", "n1")
NODES = ("n0", "n1", "n2", "n3")


def pool_report(run: Run, since: float = 4.0, until: float = 8.0) -> str:
    """Return what users of a `cache_pool` saw between two times, and what its database was asked."""
    seen = [one.latency for one in run.history() if since <= one.invoked < until and one.outcome == "ok"]
    return (
        f"{since:g} to {until:g} s: median {1000 * median(seen):.0f} ms, slowest {1000 * max(seen):.0f} ms; "
        f"database asked {database_load(run, since, until):.0f} times a second"
    )


def _store(
    storage: Sequence[str],
    operations: Sequence[Any],
    *faults: Fault,
    latency: float,
    until: float,
    **settings: Any,
) -> Run:
    node = partial(partitioned_node, storage=storage, patience=2.0, **settings)
    clients = [ClosedLoop(tuple(operations), 0.0, "app", timeout=6.0)]
    return Scenario(node, store_network(storage, latency), faults=faults, clients=clients).run(until)


def transfer(*faults: Fault, until: float = 12.0) -> Run:
    """Run a transfer from alice (on n0) to dave (on n1) across a slow network, with an application as coordinator."""
    opening = [("put", "alice", 100), ("put", "dave", 100)]
    work = [*opening, ("transact", (("alice", -30), ("dave", 30)))]
    return _store(ACCOUNTS, work, *faults, latency=0.5, until=until)


def repaint(index: str) -> Run:
    """Paint a car red, then blue, and search for blue, in a store of four nodes with a local or a global index."""
    work = [("put", "car:1", "red"), ("put", "car:1", "blue"), ("find", "blue")]
    return _store(NODES, work, latency=0.3, until=3.0, index=index)


def transfers(across: int, count: int = 300) -> list[Any]:
    """Return transactions for a store of eight nodes, each across so many of them, no account in two of them."""
    ring = ConsistentHashRing([f"n{number}" for number in range(8)], virtual_nodes=64)
    names = [f"a{number}" for number in range(20 * count)]
    owners = ring.owners(names).tolist()
    by_node = [
        [name for name, owner in zip(names, owners, strict=True) if owner == node] for node in ring.nodes
    ]
    return [("transact", tuple((name, 1) for name in each)) for each in zip(*by_node[:across], strict=False)][
        :count
    ]


def routed(way: str, known: Sequence[str] | None = None) -> Run:
    """Run eight reads from a store of four nodes, with the requests routed in one of three ways."""
    gets = [("get", f"car:{number}") for number in range(8)]
    return _store(NODES, gets, latency=0.3, until=10.0, way=way, known=known)


def _crashed(run: Run, node: str, begin: float, end: float) -> bool:
    return any(
        isinstance(fault, Crash) and fault.node == node and begin <= fault.at <= end for fault in run.faults
    )


watch_the_pool = (
    Task("partitioning.warm", "At 0.2 ×, see where requests go before 4 s", Visit(1.0, 3.9)),
    Task("partitioning.cold", "See what goes to db just after 4 s, and its queue", Visit(4.2, 7.0)),
    Task("partitioning.warm_again", "At 2 ×, go on until db is idle again", Visit(17.0, 20.0)),
)
watch_the_mended_pool = (
    Task("partitioning.shortest_queue", "From 4 s on, find the longest queue at db", Visit(4.0, 8.0)),
)
watch_the_keys = (
    Task(
        "partitioning.among_the_old",
        "After 1 s, find a key that moves between two old servers",
        Visit(1.0, 2.9),
    ),
    Task("partitioning.to_the_newcomer", "Find one on its way to s5", Visit(1.5, 3.4)),
    Task(
        "partitioning.lost_on_the_way",
        "Crash s5 for a second at about 2 s: which keys has nobody at the end?",
        lambda run: _crashed(run, "s5", 1.5, 2.9),
    ),
)
compare_the_keys = (
    Task("partitioning.both_under_way", "Find both clusters with keys under way", Visit(1.0, 2.5)),
    Task("partitioning.one_is_done", "Find the moment at which only one is done", Visit(2.6, 3.4)),
)
watch_the_votes = (
    Task("partitioning.locked", "Find the moment at which both accounts are locked", Visit(2.5, 3.4)),
    Task("partitioning.answered", "When does the client hear “ok”? Are both unlocked then?", Visit(3.0, 3.5)),
)
watch_the_doubt = (
    Task("partitioning.asks", "From 6 s on, find what n0 asks, and whom", Visit(6.0, 8.4)),
    Task("partitioning.unlocked", "Find the moment at which the locks go", Visit(9.4, 12.0)),
    Task(
        "partitioning.participant_crashes",
        "Crash n1 while it is locked, and restart it: is dave free?",
        lambda run: _crashed(run, "n1", 2.6, 9.0),
    ),
)
watch_the_indexes = (
    Task("partitioning.repainted", "Compare who is told when the car turns blue", Visit(0.6, 1.8)),
    Task("partitioning.searched", "Compare who is asked in each search for blue", Visit(1.8, 2.4)),
)
watch_the_library = (
    Task("partitioning.knows", "Follow a request that finds its node at once", Visit(0.1, 2.4)),
    Task("partitioning.is_told", "Find one that is sent on, and by whom", Visit(0.2, 9.0)),
)
watch_the_ways = (
    Task("partitioning.through_a_proxy", "Count the hops of a request through the proxy", Visit(0.1, 2.0)),
    Task("partitioning.any_node", "On the other side, find a node that passes one on", Visit(0.2, 9.0)),
)
