"""Unfit input to every public function is refused with a message that names the argument."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import dscourse.scaling as scaling
from dscourse.arguments import shown
from dscourse.scaling import (
    USL,
    CapacityStatement,
    QueueResult,
    System,
    Trial,
    USLFit,
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
    readable_number,
    readable_seconds,
    simulate_queue,
    summarize_latencies,
)

NOT_A_NUMBER = ["5", None, True, [1.0], 1j, np.timedelta64(1, "s")]
NOT_FINITE = [math.nan, math.inf, -math.inf]
NEGATIVE = [-1, -0.001]
ROWS_OF_WRONG_TYPE = [
    "abc",
    b"abc",
    bytearray(b"abc"),
    None,
    {"a": 1},
    {1, 2},
    [True, False],
    [1.0, True, 4.0],  # NumPy would make it 1
    [1, np.True_, 4],
    ["1", "2"],
    [None, 1.0],
    [1j, 2.0],
    [[1], [1, 2]],
    5,
    len,
    np.array([True, False, True]),
    np.array([1, "a", 3], dtype=object),
    np.array([1, 2, 3], dtype="m8[s]"),
    np.array(["2026-01-01"], dtype="M8[s]"),
    np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),  # NumPy would forget the mask
    np.zeros(3, dtype="i4,f4"),
    pd.Series([1, True, 2], dtype=object),
    pd.Series([1, "a", 2]),
]
ROWS_OF_WRONG_VALUE = [
    [],
    [math.nan, 1.0, 2.0],
    [1.0, math.inf, 2.0],
    [1.0, -1.0, 2.0],
    [[1.0, 2.0], [3.0, 4.0]],
    [10**400, 1.0, 2.0],
    np.empty((3, 0)),
    np.array(2.0),
    np.full(3, np.longdouble("1e4000")) if np.finfo(np.longdouble).max > 1e308 else [math.inf],
    pd.DataFrame({"a": [1.0, 2.0, 3.0]}),
    pd.Series([1, None, 2], dtype="Int64"),
]
HUGE = [1e300, 10**400]  # a unit that went wrong; what would be calculated from it is inf or nan


def capacity(**changes):
    given = {"workload": "reads", "objective": 0.1, **changes}
    return find_capacity(lambda load: [0.01], **given)


def statement(**changes):
    given = {
        "capacity": 1.0,
        "workload": "w",
        "objective": 0.1,
        "quantile": 0.99,
        "unit": "u",
        "outcome": "found",
    }
    return CapacityStatement(**{**given, **changes})


# Every argument that is one number: how to call with it, its name, and further values that it must refuse.
SCALARS = {
    "amdahl_speedup n": (lambda v: amdahl_speedup(v, 0.1), "n", [0, 0.5]),
    "amdahl_speedup serial_fraction": (lambda v: amdahl_speedup(2, v), "serial_fraction", [1.1, 5]),
    "gustafson_speedup n": (lambda v: gustafson_speedup(v, 0.1), "n", [0, 0.5]),
    "gustafson_speedup serial_fraction": (lambda v: gustafson_speedup(2, v), "serial_fraction", [1.1, 5]),
    "USL contention": (lambda v: USL(v, 0.1, 1), "contention", []),
    "USL coherency": (lambda v: USL(0.1, v, 1), "coherency", []),
    "USL single_throughput": (lambda v: USL(0.1, 0.1, v), "single_throughput", [0]),
    "USL load": (USL(0.1, 0.1, 1), "load", [0]),
    "erlang_b offered_load": (lambda v: erlang_b(v, 2), "offered_load", []),
    "erlang_c offered_load": (lambda v: erlang_c(v, 2), "offered_load", [2, 3]),
    "fan_out_tail slow_probability": (lambda v: fan_out_tail(v, 2), "slow_probability", [1.1, 5]),
    "fan_out_tail servers": (lambda v: fan_out_tail(0.1, v), "servers", [1.5]),
    "littles_law in_system": (lambda v: littles_law(in_system=v, arrival_rate=1), "in_system", []),
    "littles_law arrival_rate": (lambda v: littles_law(arrival_rate=v, in_system=1), "arrival_rate", [0]),
    "littles_law time_in_system": (lambda v: littles_law(time_in_system=v, in_system=1), "time_in_system", [0]),
    "mm1 arrival_rate": (lambda v: mm1(v, 2), "arrival_rate", [0, 2, 3]),
    "mm1 service_rate": (lambda v: mm1(0.5, v), "service_rate", [0]),
    "mmc arrival_rate": (lambda v: mmc(v, 1, 2), "arrival_rate", [0, 2, 3]),
    "mmc service_rate": (lambda v: mmc(0.5, v, 2), "service_rate", [0]),
    "mg1 arrival_rate": (lambda v: mg1(v, 1, 1), "arrival_rate", [0, 1]),
    "mg1 mean_service_time": (lambda v: mg1(0.5, v, 1), "mean_service_time", [0]),
    "mg1 squared_variation": (lambda v: mg1(0.5, 1, v), "squared_variation", []),
    "waiting_quantile": (mm1(1, 2).waiting_quantile, "quantile", [0, 1, 99]),
    "sojourn_quantile": (mm1(1, 2).sojourn_quantile, "quantile", [0, 1, 99]),
    "sojourn_exceeds": (mm1(1, 2).sojourn_exceeds, "seconds", []),
    "latency_quantile quantile": (lambda v: latency_quantile([1.0], v), "quantile", [0, 1, 99]),
    "confidence_interval level": (
        lambda v: fit_usl([1, 2, 3, 4], [1, 2, 3, 3]).confidence_interval("contention", v),
        "level",
        [0, 1, 95],
    ),
    "find_capacity objective": (lambda v: capacity(objective=v), "objective", [0]),
    "find_capacity quantile": (lambda v: capacity(quantile=v), "quantile", [0, 1, 99]),
    "find_capacity lowest": (lambda v: capacity(lowest=v), "lowest", [0]),
    "find_capacity highest": (lambda v: capacity(highest=v), "highest", [0, 0.5]),
    "find_capacity precision": (lambda v: capacity(precision=v), "precision", [0, 2]),
    "CapacityStatement capacity": (lambda v: statement(capacity=v), "capacity", []),
    "CapacityStatement objective": (lambda v: statement(objective=v), "objective", [0]),
    "CapacityStatement quantile": (lambda v: statement(quantile=v), "quantile", [0, 1, 99]),
    **{
        f"System {name}": (lambda v, name=name: System(**{name: v}), name, [0])
        for name in (
            "load_per_node", "database_seconds", "cpu_seconds", "io_seconds", "session_memory",
            "session_size", "think_seconds", "disk", "refill_rate", "days_between_changes",
        )
    },
    "System lock_seconds": (lambda v: System(lock_seconds=v), "lock_seconds", []),
    "System pause_seconds": (lambda v: System(pause_seconds=v), "pause_seconds", []),
    "System write_share": (lambda v: System(write_share=v), "write_share", [1.5]),
    "System pause_probability": (lambda v: System(pause_probability=v), "pause_probability", [1.5]),
}  # fmt: skip

# Every argument that counts something.
COUNTS = {
    "erlang_b servers": (lambda v: erlang_b(1, v), "servers", [10**9]),
    "erlang_c servers": (lambda v: erlang_c(0.1, v), "servers", [0, 10**9]),
    "mmc servers": (lambda v: mmc(0.1, 1, v), "servers", [0]),
    "simulate_queue servers": (lambda v: simulate_queue([1], [1], v), "servers", [0]),
    "simulate_queue queue_limit": (lambda v: simulate_queue([1], [1], queue_limit=v), "queue_limit", []),
    "System.measure nodes": (lambda v: System().measure(v), "nodes", [0]),
    "System.measure seed": (lambda v: System().measure(1, v), "seed", []),
    "System.most_users": (lambda v: System().most_users(v), "nodes", [0]),
    "System.most_data": (lambda v: System().most_data(v), "nodes", [0]),
    "System.throughput_limit": (lambda v: System().throughput_limit(v), "nodes", [0]),
    **{
        f"System {name}": (lambda v, name=name: System(**{name: v}), name, [0])
        for name in ("workers", "cores", "copies", "session_copies", "connections")
    },
    "System queue_limit": (lambda v: System(queue_limit=v), "queue_limit", []),
}

# Every argument that is a row of numbers.
ROWS = {
    "fit_usl load": (lambda v: fit_usl(v, [1.0, 2.0, 3.0]), "load"),
    "fit_usl throughput": (lambda v: fit_usl([1.0, 2.0, 3.0], v), "throughput"),
    "simulate_queue interarrival_times": (lambda v: simulate_queue(v, [1.0, 2.0, 3.0]), "interarrival_times"),
    "simulate_queue service_times": (lambda v: simulate_queue([1.0, 2.0, 3.0], v), "service_times"),
    "summarize_latencies": (summarize_latencies, "latencies"),
    "latency_quantile": (lambda v: latency_quantile(v, 0.5), "latencies"),
}

TEXTS = {
    "find_capacity workload": (lambda v: capacity(workload=v), "workload"),
    "find_capacity unit": (lambda v: capacity(unit=v), "unit"),
    "CapacityStatement workload": (lambda v: statement(workload=v), "workload"),
    "CapacityStatement unit": (lambda v: statement(unit=v), "unit"),
}

HUGE_REFUSED = [
    case
    for case in SCALARS
    if case.startswith(("USL", "mm1", "mmc", "mg1", "System")) or case.endswith(("_fraction", "_probability"))
]

ALLOWED_NONE = ("littles_law", "queue_limit")
TAKES_ROWS_TOO = ("amdahl_speedup n", "gustafson_speedup n", "USL load", "fan_out_tail servers")


def _cases():
    for case, (call, name, further) in SCALARS.items():
        for value in NOT_A_NUMBER:
            if not (
                (value is None and case.startswith(ALLOWED_NONE))
                or (value == [1.0] and case in TAKES_ROWS_TOO)
            ):
                yield case, call, name, value, TypeError
        for value in [*NOT_FINITE, *NEGATIVE, *further, *(HUGE if case in HUGE_REFUSED else [10**400])]:
            yield case, call, name, value, ValueError
    for case, (call, name, further) in COUNTS.items():
        for value in [*NOT_A_NUMBER, 2.0, 2.5, math.nan, math.inf]:
            if not (value is None and case == "simulate_queue queue_limit"):
                yield case, call, name, value, TypeError
        for value in [-1, -(10**5000), *further, *([] if "seed" in case else [10**400, 10**5000])]:
            yield case, call, name, value, ValueError
    for case, (call, name) in ROWS.items():
        for value in ROWS_OF_WRONG_TYPE:
            yield case, call, name, value, TypeError
        for value in ROWS_OF_WRONG_VALUE:
            yield case, call, name, value, ValueError
    for case, (call, name) in TEXTS.items():
        yield from ((case, call, name, value, TypeError) for value in (None, 5, ["w"]))
        yield from ((case, call, name, value, ValueError) for value in ("", "  "))


@pytest.mark.parametrize(
    ("call", "name", "value", "error"),
    [pytest.param(*case[1:], id=f"{case[0]}: {shown(case[3])[:40]}") for case in _cases()],
)
def test_unfit_input_is_refused_and_the_message_names_the_argument(call, name, value, error):
    with pytest.raises(error) as caught:
        call(value)
    message = str(caught.value)
    # littles_law with one value left out is told which two it wants
    assert name in message
    assert len(name) + 10 < len(message) < 400


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fit_usl([1, 2, 3], [1, 2]),
            ValueError,
            "load and throughput must have the same length, got 3 and 2",
        ),
        (lambda: fit_usl([0, 1, 2], [1, 2, 3]), ValueError, "load must be above 0 everywhere, got 0"),
        (lambda: fit_usl([1, 2], [1, 2]), ValueError, "3 different loads or more; got 2"),
        (lambda: fit_usl([1, 2, 3], [0, 0, 0]), ValueError, "throughput must not be 0 everywhere"),
        (
            lambda: fit_usl([1, math.nan, 3], [1, 2, 3]),
            ValueError,
            "load must be finite, got nan at position 1",
        ),
        (lambda: simulate_queue([1, 2], [1]), ValueError, "the same length, got 2 and 1"),
        (
            lambda: summarize_latencies([1.7e308] * 3),
            ValueError,
            "latencies add up to more than any number can hold; are they in seconds",
        ),
        (
            lambda: simulate_queue([1.0, 1.0], [1.7e308] * 2),
            ValueError,
            "interarrival_times and service_times add up to more than any number can hold",
        ),
        (
            lambda: capacity(lowest=10, highest=5),
            ValueError,
            "highest must be at least lowest, got 5 and 10",
        ),
        (lambda: System().effects({5: {}}), TypeError, "changes must be a dict such as"),
        (
            lambda: System().effects({"a": 10**5000}),
            TypeError,
            "changes must be a dict such as .*, got something",
        ),
        (lambda: find_capacity("system", workload="w", objective=1), TypeError, "measure must be a function"),
        (
            lambda: statement(outcome="maybe"),
            ValueError,
            "outcome must be one of 'found', 'never', 'always', got 'maybe'",
        ),
        (lambda: latency_quantile([1.0], 99), ValueError, "for 99 per cent write 0.99"),
        (lambda: readable_seconds("1"), TypeError, "seconds must be a number"),
        (lambda: readable_number(True), TypeError, "value must be a number"),
        (lambda: readable_number(math.inf), ValueError, "value must be finite"),
        (lambda: readable_seconds(math.nan), ValueError, "seconds must be finite"),
        (lambda: System().effects({"a": 5}), TypeError, "changes must be a dict such as"),
        (lambda: System().effects([("a", {})]), TypeError, "changes must be a dict such as"),
        (lambda: System().effects({}), ValueError, "changes must not be empty"),
        (lambda: System().effects({"a": {"b": 1}}), LookupError, "no 'b'"),
        (lambda: System().curve(()), ValueError, "nodes must not be empty"),
        (lambda: System().curve(5), TypeError, "nodes must be a list of whole numbers"),
        (lambda: System().curve((0, 1)), ValueError, "nodes must be at least 1"),
    ],
)
def test_what_only_goes_wrong_together(call, error, message):
    with pytest.raises(error, match=message):
        call()


ONE_OR_MANY = {
    "n": (lambda v: amdahl_speedup(v, 0.1), lambda v: gustafson_speedup(v, 0.1)),
    "load": (USL(0.1, 0.01, 1),),
    "servers": (lambda v: fan_out_tail(0.1, v),),
}


@pytest.mark.parametrize(
    "value", [[1, True, 4], [[1, 2], [True, 3]], [np.array([True, False]), [1, 2]], {1: 2}, "ab"]
)
def test_where_one_number_or_many_will_do_no_other_kind_will(value):
    for name, calls in ONE_OR_MANY.items():
        for call in calls:
            with pytest.raises(TypeError, match=f"^{name} "):
                call(value)


def test_a_generator_is_told_what_to_do():
    for call in (summarize_latencies, USL(0.1, 0.01, 1)):
        with pytest.raises(TypeError, match=r"got <generator object .*>; put list\(…\) around it"):
            call(one for one in (1.0, 2.0))


def test_the_place_of_what_is_wrong_is_named():
    with pytest.raises(TypeError, match=r"^latencies at position 1 must be a number, got True$"):
        summarize_latencies([0.1, True, 0.4])
    with pytest.raises(ValueError, match=r"^latencies at position 2 is too large"):
        summarize_latencies([0.1, 1, 10**400])


def test_rows_of_every_honest_kind_are_taken():
    for row in (
        range(1, 4),
        (1, 2, 3),
        [Fraction(1), 2, 3],
        np.array([1, 2, 3], dtype=np.uint8),
        np.array([1, 2, 3], dtype=object),
        np.ma.array([1, 2, 3]),
        pd.Series([1, 2, 3], index=[7, 7, 9]),
        pd.Series([1, 2, 3], dtype="Int64"),
    ):
        assert summarize_latencies(row).mean == 2.0
    assert summarize_latencies([10**30]).maximum == 1e30


def test_half_precision_does_not_spread():
    assert USL(np.float16(0.5), np.float16(0.25), np.float16(1000.0))(300) == USL(0.5, 0.25, 1000.0)(300)
    assert type(System(cpu_seconds=np.float16(0.25)).cpu_seconds) is float
    assert type(System(workers=np.int8(100)).workers) is int
    assert type(statement(capacity=np.float16(0.5)).capacity) is float


def test_a_peak_beyond_all_loads_that_may_be_asked_for_has_a_throughput():
    law = USL(0.5, 1e-300, 1.0)
    assert law.peak_load == pytest.approx(math.sqrt(0.5e300))
    assert law.peak_throughput == pytest.approx(2.0)


def test_numbers_at_the_ends_of_what_is_allowed_give_finite_answers():
    for law in (USL(1e100, 1e100, 1e100), USL(0, 0, 1e100), USL(1e100, 0, 1e-300)):
        assert math.isfinite(law(1e100))
        assert math.isfinite(law(1))
    assert USL(0, 0, 1e100)(1e-300) == pytest.approx(1e-200)
    for queue in (
        mm1(1e-100, 1e100),
        mmc(0.9e100, 1e100, 1),
        mg1(1e-100, 1e-100, 1e100),
        mg1(1e-100, 0.9e100, 1e100),
    ):
        for value in vars(queue).values():
            assert math.isfinite(value)


@pytest.mark.parametrize("trials", [None, 5, "ab", [1], [None], {"a": 1}, len, np.ones(2)])
def test_evidence_is_made_of_trials(trials):
    with pytest.raises(TypeError, match=r"^trials must be a tuple of Trial, got "):
        statement(trials=trials)
    assert statement(trials=[Trial(1, 0.1, True)]).trials == (Trial(1.0, 0.1, True),)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"load": "1"}, TypeError),
        ({"load": math.nan}, ValueError),
        ({"load": -1}, ValueError),
        ({"latency": True}, TypeError),
        ({"latency": math.inf}, ValueError),
        ({"met": 1}, TypeError),
        ({"met": None}, TypeError),
    ],
)
def test_a_trial_is_made_of_numbers_and_a_yes_or_no(changes, error):
    with pytest.raises(error, match=f"^{next(iter(changes))} must"):
        Trial(**{"load": 1.0, "latency": 0.1, "met": True, **changes})
    assert Trial(1, 0.5, np.True_) == Trial(1.0, 0.5, True)


@pytest.mark.parametrize("outcome", [None, True, ["found"], np.ones(2), pd.NA, 10**5000], ids=shown)
def test_an_outcome_is_a_word(outcome):
    with pytest.raises(TypeError, match=r"^outcome must be one of 'found', 'never', 'always', got "):
        statement(outcome=outcome)


@pytest.mark.parametrize("name", [None, 5, ["contention"], np.ones((2, 2)), pd.NA, 10**5000, "a"], ids=shown)
def test_a_parameter_is_found_by_its_name_only(name):
    with pytest.raises(
        LookupError, match=r"(?s)^There is no parameter .* There are: contention, coherency, single_thr"
    ):
        fit_usl([1, 2, 3, 4], [1, 2, 3, 3]).confidence_interval(name)


def test_a_fit_made_by_hand_needs_its_measurements():
    with pytest.raises(ValueError, match="load must not be empty"):
        USLFit(0.1, 0.01, 1.0)
    with pytest.raises(ValueError, match="the same length, got 2 and 1"):
        USLFit(0.1, 0.01, 1.0, (1, 2), (1,))


def test_no_public_function_is_missing_above():
    names = " ".join([*SCALARS, *COUNTS, *ROWS, *TEXTS])
    made_by_others = {
        "LatencySummary",
        "MarkovQueue",
        "SteadyQueue",
        "QueueResult",
        "SystemMetrics",
        "Trial",
        "USLFit",
    }
    checked_one_by_one = {"readable_number", "readable_seconds"}
    for name in set(scaling.__all__) - made_by_others - checked_one_by_one:
        assert name in names, name
    assert QueueResult.__name__ in made_by_others


def test_numpy_numbers_and_series_are_as_good_as_plain_ones():
    assert amdahl_speedup(np.int64(4), np.float64(0.1)) == amdahl_speedup(4, 0.1)
    assert erlang_b(np.float64(5), np.int32(5)) == erlang_b(5.0, 5)
    assert summarize_latencies(np.array([1, 2, 3])).median == 2.0
