"""Each argument of each public function goes through its checker; the checkers meet odd values in test_arguments.py."""

import numpy as np
import pandas as pd
import pytest

import dscourse.scaling as scaling
from dscourse.readable import readable_number, readable_seconds
from dscourse.scaling import (
    USL,
    System,
    amdahl_speedup,
    erlang_b,
    erlang_c,
    fan_out_tail,
    find_capacity,
    fit_usl,
    gustafson_speedup,
    latency_quantile,
    littles_law,
    mg1,
    mm1,
    mmc,
    simulate_queue,
    summarize_latencies,
)


def capacity(**changes):
    return find_capacity(lambda load: [0.01], **{"workload": "reads", "objective": 0.1, **changes})


FIT = fit_usl([1, 2, 3, 4], [1, 2, 3, 3])
NO_NUMBER = "must be a number, got '1'"
NO_WHOLE = "must be a whole number, got 2.5"
FIVE = "must lie between 0 and 1, got 5; for 5 per cent write 0.05"
INSIDE = "must lie between 0 and 1, both excluded, got 1"

# how to call, the name of the argument, what it is given, what is said
REFUSED = [
    (lambda v: amdahl_speedup(v, 0.1), "n", 0.5, "must be at least 1, got 0.5"),
    (lambda v: amdahl_speedup(v, 0.1), "n", "1", "must be a list or an array of numbers, got '1'"),
    (lambda v: amdahl_speedup(2, v), "serial_fraction", 5, FIVE),
    (lambda v: gustafson_speedup(v, 0.1), "n", [1, True], "at position 1 must be a number, got True"),
    (lambda v: gustafson_speedup(v, 0.1), "n", [1, 0.5], "at position 1 must be at least 1, got 0.5"),
    (lambda v: gustafson_speedup(2, v), "serial_fraction", -1, "must lie between 0 and 1, got -1"),
    (lambda v: USL(v, 0.1, 1), "contention", -1, "must be at least 0, got -1"),
    (lambda v: USL(v, 0.1, 1), "contention", "1", NO_NUMBER),
    (lambda v: USL(0.1, v, 1), "coherency", -1, "must be at least 0, got -1"),
    (lambda v: USL(0.1, 0.1, v), "single_throughput", 0, "must be above 0, got 0"),
    (USL(0.1, 0.1, 1), "load", [1, 0], "at position 1 must be above 0, got 0"),
    (lambda v: fit_usl(v, [1, 2, 3]), "load", [0, 1, 2], "at position 0 must be above 0, got 0"),
    (lambda v: fit_usl(v, [1, 2, 3]), "load", [[1, 2, 3]], "must be one row of numbers, got an array of shape (1, 3)"),
    (lambda v: fit_usl([1, 2, 3], v), "throughput", [1, 2, -1], "at position 2 must be at least 0, got -1"),
    (lambda v: fit_usl([1, 2, 3], v), "throughput", [], "must not be empty"),
    (lambda v: FIT.confidence_interval("contention", v), "level", 1, INSIDE),
    (lambda v: erlang_b(v, 2), "offered_load", -1, "must be at least 0, got -1"),
    (lambda v: erlang_b(v, 2), "offered_load", "1", NO_NUMBER),
    (lambda v: erlang_b(1, v), "servers", 2.5, NO_WHOLE),
    (lambda v: erlang_b(1, v), "servers", 10**9, "must be at most 10000000, got 1000000000"),
    (lambda v: erlang_c(v, 2), "offered_load", -1, "must be at least 0, got -1"),
    (lambda v: erlang_c(v, 2), "offered_load", 2, "must be below the number of servers, got 2 for 2: the queue"),
    (lambda v: erlang_c(0.1, v), "servers", 0, "must be at least 1, got 0"),
    (lambda v: fan_out_tail(v, 2), "slow_probability", 5, FIVE),
    (lambda v: fan_out_tail(0.1, v), "servers", [1, -1], "at position 1 must be at least 0, got -1"),
    (lambda v: fan_out_tail(0.1, v), "servers", [1, 1.5], "must be whole numbers, got [1, 1.5]"),
    (lambda v: littles_law(in_system=v, arrival_rate=1), "in_system", -1, "must be at least 0, got -1"),
    (lambda v: littles_law(in_system=1, arrival_rate=v), "arrival_rate", 0, "must be above 0, got 0"),
    (lambda v: littles_law(in_system=1, time_in_system=v), "time_in_system", "1", NO_NUMBER),
    (lambda v: mm1(v, 2), "arrival_rate", 0, "must be above 0, got 0"),
    (lambda v: mm1(v, 2), "arrival_rate", 2, "must be below what the servers complete, got 2 for 2 per second"),
    (lambda v: mm1(0.5, v), "service_rate", 0, "must be above 0, got 0"),
    (lambda v: mmc(v, 1, 2), "arrival_rate", 3, "must be below what the servers complete, got 3 for 2 per second"),
    (lambda v: mmc(0.5, v, 2), "service_rate", "1", NO_NUMBER),
    (lambda v: mmc(0.1, 1, v), "servers", 0, "must be at least 1, got 0"),
    (lambda v: mg1(v, 1, 1), "arrival_rate", 1, "must be below what the servers complete, got 1 for 1 per second"),
    (lambda v: mg1(v, 1, 1), "arrival_rate", "1", NO_NUMBER),
    (lambda v: mg1(0.5, v, 1), "mean_service_time", 0, "must be above 0, got 0"),
    (lambda v: mg1(0.5, 1, v), "squared_variation", -1, "must be at least 0, got -1"),
    (mm1(1, 2).sojourn_quantile, "quantile", 1, INSIDE),
    (mm1(1, 2).sojourn_exceeds, "seconds", -1, "must be at least 0, got -1"),
    (lambda v: latency_quantile([1.0], v), "quantile", 99, "must lie between 0 and 1, got 99; for 99 per cent write 0"),
    (lambda v: latency_quantile(v, 0.5), "latencies", [1, -1], "at position 1 must be at least 0, got -1"),
    (lambda v: latency_quantile(v, 0.5), "latencies", 5, "must be a list or an array of numbers, got 5"),
    (summarize_latencies, "latencies", [0.1, True, 0.4], "at position 1 must be a number, got True"),
    (summarize_latencies, "latencies", [], "must not be empty"),
    (lambda v: simulate_queue(v, [1, 2]), "interarrival_times", [1, -1], "at position 1 must be at least 0, got -1"),
    (lambda v: simulate_queue(v, [1, 2]), "interarrival_times", [], "must not be empty"),
    (lambda v: simulate_queue([1, 2], v), "service_times", [1, -1], "at position 1 must be at least 0, got -1"),
    (lambda v: simulate_queue([1, 2], v), "service_times", 5, "must be a list or an array of numbers, got 5"),
    (lambda v: simulate_queue([1], [1], v), "servers", 0, "must be at least 1, got 0"),
    (lambda v: simulate_queue([1], [1], queue_limit=v), "queue_limit", -1, "must be at least 0, got -1"),
    (lambda v: simulate_queue([1], [1], queue_limit=v), "queue_limit", 2.5, NO_WHOLE),
    (lambda v: find_capacity(v, workload="w", objective=1), "measure", "s", "must be a function measure(load)"),
    (lambda v: capacity(workload=v), "workload", "", "must not be empty"),
    (lambda v: capacity(unit=v), "unit", 5, "must be a text, got 5"),
    (lambda v: capacity(objective=v), "objective", 0, "must be above 0, got 0"),
    (lambda v: capacity(quantile=v), "quantile", 1, INSIDE),
    (lambda v: capacity(lowest=v), "lowest", 0, "must be above 0, got 0"),
    (lambda v: capacity(lowest=10, highest=v), "highest", 5, "must be at least 10, got 5"),
    (lambda v: capacity(precision=v), "precision", 0, "must be at least 1e-06, got 0"),
    (lambda v: capacity(precision=v), "precision", 2, "must be at most 1, got 2"),
    (readable_seconds, "seconds", "1", NO_NUMBER),
    (readable_number, "value", True, "must be a number, got True"),
    (lambda v: System().measure(v), "nodes", 0, "must be at least 1, got 0"),
    (lambda v: System().measure(1, v), "seed", -1, "must be at least 0, got -1"),
    (lambda v: System().most_users(v), "nodes", 2.5, NO_WHOLE),
    (lambda v: System().most_data(v), "nodes", 0, "must be at least 1, got 0"),
    (lambda v: System().throughput_limit(v), "nodes", 0, "must be at least 1, got 0"),
    (lambda v: System().curve(v), "nodes", 5, "must be a list of whole numbers, got 5"),
    (lambda v: System().curve(v), "nodes", (), "must not be empty"),
    (lambda v: System().curve(v), "nodes", (0, 1), "must be at least 1, got 0"),
]  # fmt: skip

ABOVE_0 = (
    "load_per_node", "database_seconds", "cpu_seconds", "io_seconds", "session_memory", "session_size",
    "think_seconds", "disk", "refill_rate", "days_between_changes",
)  # fmt: skip
REFUSED += [
    (lambda v, name=name: System(**{name: v}), name, value, words)
    for names, value, words in (
        (ABOVE_0, 0, "must be above 0, got 0"),
        (("lock_seconds", "pause_seconds"), -1, "must be at least 0, got -1"),
        (("workers", "cores", "copies", "session_copies", "connections"), 0, "must be at least 1, got 0"),
        (("write_share", "pause_probability"), 1.5, "must lie between 0 and 1, got 1.5"),
        (("queue_limit",), 2.5, NO_WHOLE),
    )
    for name in names
]


@pytest.mark.parametrize(("call", "name", "value", "words"), REFUSED)
def test_every_argument_goes_through_its_checker(call, name, value, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(value)
    assert str(caught.value).startswith(f"{name} {words}")


def test_no_public_function_is_missing_above():
    checked = {"find_capacity"}  # by way of `capacity`
    for call, *_ in REFUSED:
        checked |= {getattr(call, "__name__", ""), *getattr(getattr(call, "__code__", None), "co_names", ())}
    results = {
        "CapacityStatement",
        "LatencySummary",
        "MarkovQueue",
        "QueueResult",
        "SteadyQueue",
        "SystemMetrics",
    }
    modules = (
        "autoscaling",
        "launch",
        "load_generators",
        "machines",
        "web_application",
    )  # refused in the tests of their own
    elsewhere = {
        name
        for name in scaling.__all__
        if getattr(getattr(scaling, name), "__module__", "").rpartition(".")[2] in modules
    }
    assert set(scaling.__all__) - results - {"LOADS", "Trial", "USLFit"} - elsewhere <= checked


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: littles_law(in_system=1),
            TypeError,
            "takes exactly two of in_system, arrival_rate, time_in_system",
        ),
        (
            lambda: fit_usl([1, 2, 3], [1, 2]),
            ValueError,
            "load and throughput must have the same length, got 3 and 2",
        ),
        (lambda: fit_usl([1, 2], [1, 2]), ValueError, "3 different loads or more; got 2"),
        (lambda: fit_usl([1, 2, 3], [0, 0, 0]), ValueError, "throughput must not be 0 everywhere"),
        (lambda: simulate_queue([1, 2], [1]), ValueError, "the same length, got 2 and 1"),
        (
            lambda: FIT.confidence_interval(5),
            LookupError,
            "no parameter 5. There are: contention, coherency, single_",
        ),
        (lambda: FIT.confidence_interval(np.ones(2)), LookupError, "no parameter array"),
    ],
)
def test_what_only_goes_wrong_together(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_plain_number_is_kept_of_one_of_half_precision():
    assert USL(np.float16(0.5), np.float16(0.25), np.float16(1000.0))(300) == USL(0.5, 0.25, 1000.0)(300)
    assert type(System(cpu_seconds=np.float16(0.25)).cpu_seconds) is float
    assert type(System(workers=np.int8(100)).workers) is int


def test_numpy_numbers_and_series_are_as_good_as_plain_ones():
    assert amdahl_speedup(np.int64(4), np.float64(0.1)) == amdahl_speedup(4, 0.1)
    assert erlang_b(np.float64(5), np.int32(5)) == erlang_b(5.0, 5)
    assert summarize_latencies(pd.Series([1, 2, 3], index=[7, 7, 9])).median == 2.0
