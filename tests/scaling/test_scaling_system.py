"""The service with a knob per bottleneck: against formulas, and each knob against the metric that it stops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.scaling import System, latency_quantile, mmc
from dscourse.scaling.system import SystemMetrics

HEALTHY = System()
NODES = (1, 2, 4, 8, 16, 32, 64)


def test_without_a_bottleneck_every_metric_behaves_as_it_should():
    curve = HEALTHY.curve(NODES)
    for metric in ("throughput", "users", "data"):
        assert np.allclose(curve[metric] / curve[metric].iloc[0], NODES)
    for metric in ("median", "p99"):
        assert np.allclose(curve[metric], curve[metric].iloc[0])


def test_latencies_are_those_of_a_row_of_queues():
    # By Burke's theorem each station sees Poisson arrivals, so mean times add up; the lock carries four nodes' load.
    system = System(load_per_node=800, lock_seconds=0.00025, queue_limit=10_000)
    means, theory = (
        [],
        (
            mmc(800, 50, 32).sojourn_time
            + mmc(800, 250, 4).sojourn_time
            + mmc(800, 1000, 1).sojourn_time
            + mmc(3200, 4000, 1).sojourn_time
        ),
    )
    for seed in range(16):
        latencies, share = system._run(4, seed)
        assert share == 1.0
        means.append(latencies.mean())
    assert abs(np.mean(means) - theory) < 4 * np.std(means, ddof=1) / math.sqrt(16)


def test_median_and_p99_of_one_station_are_those_of_the_formula():
    # everything but the CPU made too quick to matter
    system = System(load_per_node=150, cores=1, cpu_seconds=0.005, database_seconds=1e-7, io_seconds=1e-7)
    queue = mmc(150, 200, 1)
    for quantile, metric in ((0.5, "median"), (0.99, "p99")):
        values = [getattr(system.measure(1, seed), metric) for seed in range(16)]
        error = np.std(values, ddof=1) / math.sqrt(16)
        # a quantile of a finite run is a little biased: allow that beside the luck
        assert abs(np.mean(values) - queue.sojourn_quantile(quantile)) < 4 * error + 0.02 * np.mean(values)


WORSE = {  # knob turned → metrics at 32 nodes that fall behind a healthy system
    "cpu_seconds": (0.012, {"throughput", "median", "p99", "users"}),
    "workers": (6, {"throughput", "median", "p99", "users"}),
    "io_seconds": (0.004, {"throughput", "median", "p99", "users"}),
    "lock_seconds": (0.0002, {"throughput", "median", "p99", "users"}),
    "pause_probability": (0.015, {"p99"}),
    "session_size": (8.0, {"users"}),
    "session_copies": (32, {"users"}),
    "connections": (100, {"throughput", "median", "p99", "users"}),
    "refill_rate": (20.0, {"data"}),
    "copies": (3, {"data", "users", "median"}),
}


@pytest.mark.parametrize("knob", WORSE)
def test_each_bottleneck_stops_its_metrics_and_no_others(knob):
    value, stopped = WORSE[knob]
    before, after = HEALTHY.measure(32), HEALTHY.changed(**{knob: value}).measure(32)
    worse = {
        metric
        for metric, sign in {"throughput": 1, "users": 1, "data": 1, "median": -1, "p99": -1}.items()
        if sign * getattr(after, metric) < sign * getattr(before, metric) * (1 - sign * 0.1)
    }
    assert worse == stopped


def test_a_deep_queue_turns_overload_into_latency_and_a_short_one_into_refusals():
    crowded = System(lock_seconds=0.0002)
    short, deep = (crowded.changed(queue_limit=limit).measure(32) for limit in (10, 1000))
    assert deep.median > 5 * short.median
    assert short.throughput == pytest.approx(deep.throughput, rel=0.1)
    # the line in front of the lock is full: its length times the lock's time, and not more
    assert deep.p99 < HEALTHY.measure(32).p99 + 1000 * 0.0002 * 1.3


def test_what_is_shared_stops_growth_and_what_is_local_only_slows_it():
    for shared in ({"lock_seconds": 0.0002}, {"connections": 128}):
        curve = HEALTHY.changed(**shared).curve((32, 64))
        assert curve["throughput"].loc[64] == pytest.approx(curve["throughput"].loc[32], rel=0.05)
    for local in ({"cpu_seconds": 0.012}, {"workers": 6}, {"io_seconds": 0.004}):
        curve = HEALTHY.changed(**local).curve((32, 64))
        assert curve["throughput"].loc[64] == pytest.approx(2 * curve["throughput"].loc[32], rel=0.05)


systems = st.builds(
    System,
    load_per_node=st.floats(1, 3000),
    workers=st.integers(1, 40),
    cores=st.integers(1, 8),
    cpu_seconds=st.floats(1e-4, 0.05),
    io_seconds=st.floats(1e-4, 0.02),
    lock_seconds=st.floats(0, 0.01),
    queue_limit=st.integers(0, 300),
    copies=st.integers(1, 10),
    pause_probability=st.floats(0, 1),
)


@settings(max_examples=30, deadline=None)
@given(systems, st.integers(1, 64))
def test_no_setting_breaks_what_must_hold(system, nodes):
    metrics = system.measure(nodes)
    assert 0 < metrics.throughput <= system.throughput_limit(nodes) * (1 + 1e-9)
    assert metrics.throughput <= nodes * system.load_per_node * (1 + 1e-9)
    assert 0 < metrics.median <= metrics.p99 < math.inf
    assert metrics.users > 0
    assert 0 < metrics.data <= nodes * system.disk


@settings(max_examples=20, deadline=None)
@given(systems)
def test_the_same_system_gives_the_same_numbers(system):
    assert system.measure(4, seed=2) == System(**vars(system)).measure(4, seed=2)


def test_seeds_differ_by_luck_only():
    values = {HEALTHY.measure(2, seed).median for seed in range(4)}
    assert len(values) == 4
    assert max(values) < 1.05 * min(values)


def test_pauses_hit_the_share_they_say():
    latencies, _ = System(pause_probability=0.25, pause_seconds=100.0)._run(1, 0)
    assert (latencies >= 100).mean() == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 10_000))
    assert latency_quantile(latencies, 0.7) < 1


def test_data_that_cannot_be_refilled_in_time_does_not_count():
    # 10 MB/s for 20 days is 17.28 TB, however many disks there are
    system = System(refill_rate=10, days_between_changes=20)
    assert system.most_data(2) == 8.0
    assert system.most_data(50) == pytest.approx(17.28)
    assert system.changed(copies=3).most_data(50) == pytest.approx(17.28 / 3)


def test_users_keep_the_throughput_busy_by_the_interactive_response_time_law():
    system = System(session_size=0.001, think_seconds=5.0)
    assert system.most_users(1) == pytest.approx(1000 * (5 + 0.025))


def test_more_nodes_than_connections_is_refused():
    with pytest.raises(ValueError, match="8 nodes need at least one database connection each, got 7"):
        System(connections=7).measure(8)


def test_an_unknown_knob_is_named_with_those_there_are():
    with pytest.raises(LookupError, match=r"no 'worker'.*workers"):
        HEALTHY.changed(worker=3)


def test_curve_is_a_table_by_nodes():
    curve = HEALTHY.curve((1, 2))
    assert curve.index.tolist() == [1, 2]
    assert list(curve.columns) == ["throughput", "median", "p99", "users", "data"]
    assert isinstance(HEALTHY.measure(1), SystemMetrics)


def test_copies_that_there_are_no_nodes_for_take_no_room():
    assert System(copies=3).most_data(1) == System().most_data(1)
    assert System(copies=3).most_data(6) == pytest.approx(System().most_data(6) / 3)


def test_what_its_node_turns_away_does_not_come_to_the_lock():
    """Two nodes with four threads each let 400 of 800 requests/s pass: the lock, good for 500, is no bottleneck."""
    system = System(workers=4, lock_seconds=0.002, queue_limit=50)
    assert system.measure(2).throughput == pytest.approx(400, rel=0.05)
    assert system.throughput_limit(2) == 400


# A station that is busy half of the time, in front of which nobody may wait, turns away Erlang's B(0.5, 1) = 1/3.
NOBODY_WAITS = System(queue_limit=0, cores=64, cpu_seconds=1e-6, io_seconds=1e-6)


@pytest.mark.parametrize("half_busy", [{"lock_seconds": 0.00125}, {"io_seconds": 0.00125}])
def test_without_a_line_a_third_of_the_requests_is_turned_away(half_busy):
    assert NOBODY_WAITS.measure(1).throughput == pytest.approx(400, rel=0.01)
    assert NOBODY_WAITS.changed(**half_busy).measure(1).throughput == pytest.approx(400 * 2 / 3, rel=0.03)


def test_as_many_nodes_as_connections_are_allowed():
    assert System(connections=4, load_per_node=10.0).measure(4).nodes == 4
    with pytest.raises(ValueError, match="5 nodes need at least one database connection each, got 4 in all"):
        System(connections=4, load_per_node=10.0).measure(5)
