"""Predictions and exercises of notebook 04."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

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
)
from dscourse.partitioning import ConsistentHashRing, Partitioner, load_counts, rebalance

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
TWICE_THE_POINTS_HALF_THE_ERROR = Misconception(
    "partitioning.twice_the_points_half_the_error",
    belief="Twice as many points halve the error.",
    question=("Sixteen times as many virtual nodes: what becomes of the standard error of a node's load?"),
    answer="A quarter of it is left: it falls like 1/√V.",
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
    TWICE_THE_POINTS_HALF_THE_ERROR,
    ASKING_ALL_COSTS_NO_TIME,
    A_TIMEOUT_SETTLES_IT,
)

# ── Predictions ───────────────────────────────────────────────────────────────────────────────────────────────

add_a_machine = ChoicePrediction(
    "partitioning.add_a_machine",
    question=(
        "Four servers share a million keys: server number = hash(key) mod 4. Traffic grows, you add a fifth. "
        "How many of the keys must move to another server?"
    ),
    right=Expectation("about four fifths", "Can you say which keys stay?"),
    wrong=(
        Expectation(
            "about a fifth",
            "That is the newcomer's fair share, and the least any scheme can move. See how far mod is from it.",
            ONLY_A_FAIR_SHARE_MOVES,
        ),
        Expectation(
            "about half", "Halving happens when the count doubles. Here 4 becomes 5: which remainders agree?"
        ),
    ),
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

leave_from_the_middle = ChoicePrediction(
    "partitioning.leave_from_the_middle",
    question=(
        "Jump hash numbers its ten nodes 0 to 9 and moves as little as is possible when number 10 is added. Now node 5 dies, and "
        "nine are left. How many keys move?"
    ),
    right=Expectation(
        "nearly two tenths",
        "Those of node 5, and most of those of the last node, which takes over number 5.",
    ),
    wrong=(
        Expectation(
            "a tenth: those of node 5",
            "Those must move. But the buckets are numbered without gaps: when there are nine, which number is no more?",
        ),
        Expectation(
            "nearly all, as with mod",
            "Jump hash keeps every key whose number still exists. Which numbers exist when there are nine?",
        ),
    ),
)

hottest_key = ChoicePrediction(
    "partitioning.hottest_key",
    question=(
        "Ten nodes, keys hashed perfectly evenly: each owns a tenth of 100 000 keys. The requests follow Zipf's law with exponent "
        "1.2, the median of Twitter's cache clusters. How much does the busiest node get, compared with the mean?"
    ),
    right=Expectation(
        "more than twice the mean",
        "The most popular key alone gets twice a node's fair share, and one key lies on one node.",
    ),
    wrong=(
        Expectation(
            "about the mean: hashing is uniform",
            "Hashing spreads keys, not requests. How large a share does the most popular key get, all alone?",
            BALANCED_DATA_IS_BALANCED_LOAD,
        ),
        Expectation(
            "about 1.2 times the mean",
            "The exponent is no factor. Look at the share of the most popular key.",
        ),
    ),
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

enough_points = NumberExercise(
    "partitioning.enough_points",
    task=(
        "A large ring with 100 points a node has a standard error of 10 % in the load of a node. How many points a node bring "
        "it down to 5 %?"
    ),
    expects="a number of points",
    success="Right: 400. Balance on a ring is bought with memory, and the price goes up with the square.",
    hints=("The standard error is about 1/√V.", "Half the error takes four times the points."),
    solution="answer = 1 / 0.05**2",
    mistakes=(
        Mistake(
            "answer = 200",
            "You took the error to fall like 1/V. It falls like 1/√V: to halve it takes four times as many points.",
            TWICE_THE_POINTS_HALF_THE_ERROR,
        ),
        Mistake("answer = 1 / 0.05", "Close: 1/√V = 0.05 gives √V = 20. And V?"),
    ),
    otherwise="Solve 1/√V = 0.05, or ask the picture under “Checked against the literature”.",
    accepts=(380, 420),
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

_FLEETS = (
    {"n0": 1.0, "n1": 1.0, "n2": 2.0, "n3": 1.0, "n4": 2.0},
    {**{f"n{number}": 1.0 for number in range(12)}, "n3": 2.0, "n7": 2.0},
)
_KEY_COUNT = 100_000


def try_design(make: Callable[[Sequence[str], Mapping[str, float]], Partitioner]) -> dict[str, float]:
    """Measure a design on two fleets and return the worst of each: overload, moved, bystanders, table_bytes.

    `overload` is the load of a node over what its weight entitles it to, `moved` the keys moved over the least possible,
    `bystanders` the fraction of keys that moved between nodes that neither joined nor left.
    """
    worst = {"overload": 0.0, "moved": 0.0, "bystanders": 0.0, "table_bytes": 0.0}
    keys = np.arange(_KEY_COUNT)
    for fleet in _FLEETS:
        partitioner = make(list(fleet), dict(fleet))
        shares = {node: weight / sum(fleet.values()) for node, weight in fleet.items()}
        counts = load_counts(partitioner, keys)
        measured = {
            "overload": max(counts[node] / _KEY_COUNT / share for node, share in shares.items()),
            "table_bytes": float(partitioner.table_bytes),
        }
        for change in (
            rebalance(partitioner, keys, add="fresh"),
            rebalance(partitioner, keys, remove="n1"),
            rebalance(partitioner, keys, remove="n3"),
        ):
            measured["moved"] = max(measured.get("moved", 0.0), change.moved / change.least_possible)
            touched = max(change.takes.get("fresh", 0.0), change.gives["n1"], change.gives["n3"])
            measured["bystanders"] = max(measured.get("bystanders", 0.0), change.moved - touched)
        worst = {name: max(value, measured[name]) for name, value in worst.items()}
    return worst


class _FleetDesign:
    """A way to partition fleets, measured when it is first asked for."""

    def __init__(self, answer: Any) -> None:
        if not callable(answer):
            raise Unfit
        self.make = answer
        made = answer(list(_FLEETS[0]), dict(_FLEETS[0]))
        if not isinstance(made, Partitioner):
            raise Unfit(f"it returned {told(made)}")
        self.weights = set(made.weights.values())

    @cached_property
    def found(self) -> dict[str, float]:
        return try_design(self.make)


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
    success="That holds, for a small and for a larger fleet. What did you pay for it? Look at the time of a look-up in the race.",
    hints=(
        "Go through the race: which ways have weights at all? Which of those move nothing between bystanders?",
        "Rendezvous hashing needs no table. A directory with fixed slots passes as well, if its table is small enough.",
    ),
    solution=(
        "from dscourse.partitioning import RendezvousPartitioner\n\n"
        "def design(nodes, weights):\n    return RendezvousPartitioner(nodes, weights)\n\n"
        "answer = design"
    ),
    read=_FleetDesign,
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
