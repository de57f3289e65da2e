"""Quorums with the workload of the course, and the delays of the model against those of the simulated store."""

import time

import numpy as np
import pytest

from dscourse.consistency import History, Register, check_linearizable
from dscourse.replication import (
    exponential_delay,
    linkedin_delays,
    measure_staleness,
    probabilistically_bounded_staleness,
    quorum_anomalies,
    quorum_run,
)
from dscourse.simulation import Exponential


def test_two_of_three_is_rarely_not_linearizable_and_never_with_write_back():
    assert 0.01 <= quorum_anomalies(3, 2, 2) <= 0.05
    assert quorum_anomalies(3, 2, 2, write_back=True) == 0


def test_three_and_one_is_not_linearizable_in_a_third_and_never_with_write_back():
    assert 0.25 <= quorum_anomalies(3, 3, 1) <= 0.42
    assert quorum_anomalies(3, 3, 1, write_back=True, seeds=100) == 0


def test_clocks_apart_break_it_again_and_clocks_that_agree_do_not():
    apart = {"writers": 2, "clock_skew": 5.0}
    assert quorum_anomalies(3, 2, 2, **apart, seeds=100) > 0.2
    assert quorum_anomalies(3, 2, 2, **apart, write_back=True, seeds=100) > 0.2
    assert quorum_anomalies(3, 2, 2, writers=2, write_back=True, seeds=100) == 0


def test_quorums_that_do_not_overlap_are_the_worst():
    assert (
        quorum_anomalies(3, 1, 1, seeds=100)
        > quorum_anomalies(3, 3, 1, seeds=100)
        > quorum_anomalies(3, 2, 2, seeds=100)
    )


def test_every_client_does_its_twelve_operations_and_read_repair_is_off():
    run = quorum_run(3, 2, 2, writers=2, seed=4)
    assert [one.outcome for one in run.history()] == ["ok"] * 48
    assert len(run.trace.select(kind="send", node="reader0", peer="n0")) == 12
    assert {type(event.message).__name__ for event in run.trace.select(kind="send", node="reader0")} == {
        "Fetch",
        "Reply",
    }


def test_a_seed_alone_decides():
    seeds = [5, 6, 7, 8]
    bad = [
        seed
        for seed in seeds
        if not check_linearizable(History.from_run(quorum_run(3, 2, 2, seed=seed)), Register())
    ]
    assert quorum_anomalies(3, 2, 2, seeds=seeds) == len(bad) / 4


@pytest.mark.parametrize(
    ("n", "w", "r", "wait"),
    [(3, 1, 1, 0.0), (3, 1, 1, 10.0), (3, 2, 1, 0.0), (3, 1, 2, 5.0), (5, 2, 2, 2.0), (3, 2, 2, 0.0)],
)
def test_the_model_and_the_simulated_store_agree(n, w, r, wait):
    drawn = probabilistically_bounded_staleness(
        *map(exponential_delay, (10.0, 1.0, 1.0, 1.0)), n=n, w=w, r=r, trials=100_000, seed=1
    )
    store = measure_staleness(
        *map(Exponential, (0.010, 0.001, 0.001, 0.001)), n=n, w=w, r=r, wait=wait, trials=1500, seed=2
    )
    expected = drawn.probability_fresh(wait)
    assert store.fresh == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 1500) + 1e-9)
    assert store.read_latency(0.5) == pytest.approx(drawn.read_latency(0.5), rel=0.1)
    assert store.write_latency(0.9) == pytest.approx(drawn.write_latency(0.9), rel=0.15)


def test_overlapping_quorums_are_always_fresh_and_waiting_helps():
    delays = linkedin_delays("spinning")
    for w, r in ((1, 3), (2, 2), (3, 1)):
        drawn = probabilistically_bounded_staleness(**delays, n=3, w=w, r=r, trials=5000, seed=0)
        assert drawn.probability_fresh(0.0) == 1
        assert drawn.time_to_fresh(1.0) == 0
    drawn = probabilistically_bounded_staleness(**delays, n=3, w=1, r=1, trials=5000, seed=0)
    shares = [drawn.probability_fresh(t) for t in (0.0, 1.0, 10.0, 100.0)]
    assert shares == sorted(shares)
    assert drawn.probability_fresh(drawn.time_to_fresh(0.9)) >= 0.9
    assert drawn.probability_fresh(drawn.time_to_fresh(0.9) - 1e-6) < 0.9


@pytest.mark.parametrize(("n", "w", "r"), [(1, 1, 1), (3, 1, 2), (4, 2, 3), (5, 3, 3), (3, 3, 3)])
def test_the_chunks_do_what_a_plain_loop_does(n, w, r):
    def delay(scale):
        return lambda rng, shape: rng.random(shape) * scale

    drawn = probabilistically_bounded_staleness(
        delay(5), delay(2), delay(3), delay(4), n=n, w=w, r=r, trials=200, seed=3
    )
    rng = np.random.default_rng(3)
    write, ack, read, response = (rng.random((n, 200)) * scale for scale in (5, 2, 3, 4))
    thresholds, reads, writes = [], [], []
    for trial in range(200):
        ended = sorted(write[:, trial] + ack[:, trial])[w - 1]
        taken = read[:, trial] + response[:, trial]
        first = sorted(range(n), key=taken.__getitem__)[:r]
        thresholds.append(min(write[one, trial] - read[one, trial] for one in first) - ended)
        reads.append(taken[first[-1]])
        writes.append(ended)
    assert drawn.thresholds == pytest.approx(sorted(thresholds))
    assert drawn.reads == pytest.approx(sorted(reads))
    assert drawn.writes == pytest.approx(sorted(writes))


def test_the_same_seed_draws_the_same():
    settings = {"n": 3, "w": 1, "r": 1, "trials": 45_000}
    one, same, other = (
        probabilistically_bounded_staleness(**linkedin_delays("ssd"), **settings, seed=seed)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.thresholds, same.thresholds)
    assert not np.array_equal(one.thresholds, other.thresholds)


@pytest.mark.parametrize(("delays", "seconds"), [("exponential", 1.0), ("mixture", 2.0)])
def test_a_million_trials_are_quick(delays, seconds):
    kinds = linkedin_delays("spinning")
    if delays == "exponential":
        kinds = {name: exponential_delay(1.0) for name in kinds}
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        probabilistically_bounded_staleness(**kinds, n=3, w=2, r=2, trials=1_000_000, seed=0)
        best = min(best, time.process_time() - start)
    assert best < seconds


@pytest.mark.parametrize(
    ("change", "words"), [({"w": 4}, "w must be at most 3"), ({"r": 0}, "r must be at least 1")]
)
def test_impossible_quorums_are_refused(change, words):
    settings = {"n": 3, "w": 1, "r": 1, "trials": 10, "seed": 0} | change
    with pytest.raises(ValueError, match=words):
        probabilistically_bounded_staleness(**linkedin_delays("ssd"), **settings)
