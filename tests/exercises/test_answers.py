"""Right answers in other forms are right, what only looks right isn't, and praise is for what was asked for."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from scipy import stats

from dscourse.chaos import Design
from dscourse.detection import HeartbeatDetector, SwimMember, phi
from dscourse.exercises import (
    failure_detection,
    faults_and_redundancy,
    game_day,
    partitioning,
    recovery,
    scaling_metrics,
    scaling_patterns,
    start_here,
)
from dscourse.fault_tolerance import availability_from_times, k_of_n
from dscourse.partitioning import DirectoryPartitioner
from dscourse.simulation import CutLink, Lossy, Partition, Pause

AIMED = [key for key in range(20_000) if partitioning.victim().owner(key) == "n0"]
STALL = np.full(10_000, 0.001)
STALL[5_000] = 3.0

RIGHT = [
    (start_here.soonest_suspicion, np.float32(1.12)),
    (start_here.quick_and_quiet, {"heartbeat_interval": Fraction(1, 5), "timeout": np.float64(0.4)}),
    (start_here.two_leaders, [CutLink("n0", "n1", at=2.0, one_way=True)]),
    (scaling_metrics.busy_threads, 300),
    (scaling_metrics.design_the_shop, {"nodes": np.int64(18), "lock": 1, "sessions": 1, "threads": 1}),
    (scaling_metrics.flatter_the_report, STALL),
    (scaling_metrics.flatter_the_report, STALL.tolist()),
    (scaling_metrics.flatter_the_report, [0.001] * 5_000 + [0.3] * 90 + [0.001] * 4_910),  # many in a row do it as well
    (scaling_patterns.how_many_may_wait, np.int64(4)),
    (scaling_patterns.ten_replicas, 3571),
    (scaling_patterns.ten_replicas, Fraction(25000, 7)),
    (scaling_patterns.chain_with_retries, lambda a, calls, attempts: np.prod([1 - (1 - a) ** attempts] * calls)),
    (scaling_patterns.keep_it_useful, {"newest_first": True, "drop_expired": True, "queue_limit": np.int64(50)}),
    (scaling_patterns.find_the_serial_part, [" audit", np.float64(0.05)]),
    (partitioning.keys_that_stay, Fraction(1, 4)),
    (partitioning.your_own_ring, lambda h, points: next((np.str_(n) for p, n in points if p >= h), points[0][1])),
    (partitioning.design_a_fleet, lambda nodes, weights: DirectoryPartitioner(nodes, 4096, weights)),
    (partitioning.break_the_balance, tuple(AIMED)),
    (partitioning.break_the_balance, np.array(AIMED)),
    (faults_and_redundancy.chain_minutes, 579),
    (faults_and_redundancy.chain_minutes, Fraction(57868, 100)),
    (faults_and_redundancy.minutes_to_repair, 4.3),
    (faults_and_redundancy.minutes_to_repair, 4.32),
    (faults_and_redundancy.majority_availability, lambda n, a: np.float64(k_of_n(n // 2 + 1, n, a))),
    (faults_and_redundancy.five_nines_of_racks, [6, 2]),
    (faults_and_redundancy.five_nines_of_racks, np.array([5, 3])),
    (faults_and_redundancy.five_nines_of_racks, (5.0, 3.0)),
    (failure_detection.detection_budget, 3),
    (failure_detection.silence_of_a_cassandra_node, 36.84),
    (failure_detection.silence_of_a_cassandra_node, 37),
    (failure_detection.your_own_phi, phi),
    (failure_detection.your_own_phi, lambda t, m, s: -stats.norm.logsf(t, m, s) / np.log(10)),
    (failure_detection.design_a_detector, partial(SwimMember, period=0.75, suspicion_multiplier=3)),
    (failure_detection.fool_the_heartbeats, (CutLink("n1", "n2", at=5.0, one_way=True),)),
    (failure_detection.fool_the_heartbeats, [Lossy(1.0, at=5.0, link=("n0", "n3"))]),
    (recovery.failover_budget, Fraction(41)),
    (recovery.end_the_flapping, {"misses": np.int64(3), "cool_down": 30}),
    (recovery.end_the_flapping, {"cool_down": np.float64(60), "misses": 1}),
    (recovery.pace_the_repair, {"at_once": 3, "wait": Fraction(15, 2)}),
    (recovery.pace_the_repair, {"at_once": 5, "wait": 10}),
    (recovery.minutes_of_work, 65.0),
    (game_day.what_is_left, Fraction(50)),
    (game_day.spared, lambda mean, groups: np.float64(1 - 1 / mean) ** groups),
    (game_day.stand_the_switch, game_day.CAREFUL),
    (game_day.two_designs, {"clinic": Design(store="one machine", servers=3), "tickets": game_day.CAREFUL}),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=lambda thing: getattr(thing, "name", "-"))
def test_right_answers_in_other_forms(exercise, answer):
    assert exercise.judge(answer), exercise.judge(answer)


WRONG = [
    (start_here.soonest_suspicion, 1.15, "Three times matter"),  # what the first run showed: looked up, not calculated
    (start_here.soonest_suspicion, 1.105, "Three times matter"),
    (start_here.quick_and_quiet, {"heartbeat_interval": 0.19, "timeout": 0.4}, "Too many messages"),
    (start_here.one_is_enough, lambda a, n: float(n), "Called with (0.9, 2) yours returns 2.0."),
    (scaling_metrics.last_useful_node, 98.2, "Where does X(N)"),
    (scaling_metrics.design_the_shop, {"nodes": 19, "lock": 1, "sessions": 1, "threads": 1}, "it costs 28 points"),
    (scaling_metrics.service_percentile, lambda servers: 1e300, "you get 1e+300 s; it should be 129 ms"),
    (scaling_metrics.flatter_the_report, [0.001] * 9_999 + [True], "position 9999 must be a number, got True"),
    (scaling_metrics.flatter_the_report, np.full(10_000, 1e308), "none may be below 1 ms (0.001)"),
    (scaling_metrics.flatter_the_report, [0.001] * 9_999, "there are 9999 of them instead of 10 000"),
    (partitioning.keys_that_stay, 0.26, "Remainders by 6 and by 8"),
    (partitioning.your_own_ring, lambda hashed, points: points[0], "a node. Called with (42, "),
    (partitioning.break_the_balance, AIMED[:999], "there are 999 of them"),
    (partitioning.break_the_balance, AIMED[:500] * 2, "again and again"),
    (partitioning.break_the_balance, [f"user:{n}" for n in range(1000)] + ["one"] * 50_000, "spread over the nodes"),
    (faults_and_redundancy.minutes_to_repair, 4.33, "is 43 200 / (43 200 + 4.33) the availability you want"),
    (faults_and_redundancy.minutes_to_repair, 4, "is 43 200 / (43 200 + 4) the availability you want"),
    (faults_and_redundancy.majority_availability, lambda n, a: k_of_n(n // 2 + 1, n, a) if n < 5 else "x", "(5, 0.99)"),
    (failure_detection.detection_budget, 4, "Four seconds is the whole budget"),
    (failure_detection.silence_of_a_cassandra_node, 18, "number of mean gaps"),
    (failure_detection.design_a_detector, SwimMember, "It takes 8.9 s on average"),
    (failure_detection.design_a_detector, partial(HeartbeatDetector, interval=1e-9, timeout=1.0), "so much"),
    (failure_detection.design_a_detector, partial(HeartbeatDetector, interval=3.7, timeout=12.0), "It takes 11.6 s"),
    (failure_detection.fool_the_heartbeats, [Pause("n3", at=10.0, until=14.0)], "Leave the nodes alone"),
    (failure_detection.fool_the_heartbeats, [Lossy(0.9, at=10.0, until=14.0)], "Leave the nodes alone"),
    (failure_detection.fool_the_heartbeats, [Partition([["n0"], ["n1"]], at=10.0)], "Leave the nodes alone"),
    (failure_detection.fool_the_heartbeats, [CutLink("n0", "n77", at=10.0)], "Yours can't be tried"),
    (recovery.failover_budget, 40, "Add up the longest time of each step"),
    (recovery.end_the_flapping, {"misses": 4, "cool_down": 45}, "longer than 5 s"),
    (recovery.end_the_flapping, {"misses": 1, "cool_down": 20}, "over again"),
    (recovery.end_the_flapping, {"misses": 2, "cool_down": 68}, "nobody takes over"),
    (recovery.pace_the_repair, {"at_once": 12, "wait": 8}, "No storm"),
    (recovery.pace_the_repair, {"at_once": 2, "wait": 12}, "too slow"),
    (recovery.minutes_of_work, 60, "You get 60 minutes"),
    (game_day.what_is_left, 0.5, "In percent of the error budget"),
    (game_day.stand_the_switch, game_day.ONE_MACHINE, "with zones=1"),
    (game_day.two_designs, {"clinic": game_day.ONE_MACHINE, "tickets": game_day.CAREFUL}, "doesn't need"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("exercise", "answer", "words"), WRONG, ids=lambda thing: getattr(thing, "name", "-")
)
def test_what_only_looks_right(exercise, answer, words):
    feedback = exercise.judge(answer)
    assert feedback.status == "wrong"
    assert words in feedback.message


def test_the_notebooks_own_stall_does_not_flatter_the_report():
    """Notebook 01 shows `service`, with a stall of 2 s: to hand it in would be to have copied it."""
    service = np.full(10_000, 0.001)
    service[5_000] = 2.0
    assert (
        "A hundred of them must wait for more than two seconds"
        in scaling_metrics.flatter_the_report.judge(service).message
    )


def test_a_repair_time_that_counts_as_right_keeps_four_nines():
    for minutes in (4.295, 4.3, 4.32):
        assert availability_from_times(30 * 24 * 60, minutes) > 0.9999
        assert faults_and_redundancy.minutes_to_repair.judge(minutes)


def test_every_shop_that_carries_the_load_keeps_within_its_percentile():
    """So the exercise needs no rule about it."""
    for nodes in range(15, 28):
        for bought in np.ndindex(3, 3, 2):
            answer = dict(zip(("nodes", "lock", "sessions", "threads"), (nodes, *bought), strict=True))
            if scaling_metrics.design_the_shop.judge(answer):
                assert scaling_metrics.try_design(**answer).metrics.p99 <= 0.15


def test_no_answer_is_given_away_in_what_an_answer_should_be():
    message = failure_detection.design_a_detector.judge("swim").message
    assert "SwimMember" not in message
    for example in (partial(HeartbeatDetector, interval=2.0), SwimMember):
        assert not failure_detection.design_a_detector.judge(example)


def test_what_is_needed_to_break_one_replica_is_named_in_the_task():
    task = faults_and_redundancy.break_with_one_replica.task
    assert "Byzantine" in task
    assert "Corrupt" in task


def test_wording():
    assert "9 hours and 39 minutes" in faults_and_redundancy.chain_minutes.success
    assert "that heartbeat must be there" in failure_detection.detection_budget.task
    assert "on average" in scaling_metrics.busy_threads.success
