"""Every refusal is one line that says what was wrong, what was given and what would be right.

Each checker meets all odd values here, once; elsewhere a test only asks whether an argument goes through its checker.
"""

import math
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from dscourse.arguments import (
    function,
    instance,
    items,
    keep,
    node_ids,
    numbers,
    one_of,
    probability,
    real,
    same_length,
    shown,
    text,
    truth,
    whole,
)


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words for me")


def refused(error, call, *arguments, **settings):
    with pytest.raises(error) as caught:
        call("load", *arguments, **settings)
    message = str(caught.value)
    assert message.startswith("load ")
    assert "\n" not in message
    assert len(message) < 330
    return message


NO_NUMBERS = [
    True, np.bool_(True), "3", b"3", None, [3], (), {}, {3}, 3 + 0j, np.timedelta64(3, "s"), pd.Timedelta("3s"), pd.NA,
    np.ma.masked, np.array([1.0, 2.0]), len, Unspeakable(), [10**5000], list(range(100_000)),
]  # fmt: skip


def test_arguments_are_checked_without_numpy():
    program = (
        "import sys; from dscourse.arguments import *; import dscourse.arguments as a; "
        "a.real('x', 1); a.whole('x', 1, at_least=0); a.truth('x', True); a.probability('x', 1); a.text('x', 'a'); "
        "a.node_ids('x', ['a']); print('numpy' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    "value", [3, 3.0, np.int64(3), np.uint8(3), np.float32(3), np.float16(3), Fraction(3)]
)
def test_every_kind_of_number_becomes_a_plain_one(value):
    number = real("load", value)
    assert number == 3.0
    assert type(number) is float


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: shown(value)[:40])
def test_what_is_no_number_is_a_type_error(value):
    for check in (real, probability):
        assert refused(TypeError, check, value).startswith("load must be a number, got ")
    assert refused(TypeError, whole, value, at_least=0).startswith("load must be a whole number, got ")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf")])
def test_only_finite_numbers_pass(value):
    for check in (real, probability):
        assert refused(ValueError, check, value) == f"load must be finite, got {float(value)}"


def test_a_number_too_large_for_a_float_is_a_value_error():
    for check in (real, probability):
        for value in (10**400, -(10**400), 10**5000, Fraction(10**400)):
            assert refused(ValueError, check, value).startswith("load is too large to calculate with")


@pytest.mark.parametrize(
    ("bounds", "bad", "good", "words"),
    [
        ({"at_least": 0}, -0.5, 0, "at least 0, got -0.5"),
        ({"above": 0}, 0, 0.1, "above 0, got 0"),
        ({"at_most": 2}, 2.5, 2, "at most 2, got 2.5"),
    ],
)
def test_bounds_are_named(bounds, bad, good, words):
    assert real("load", good, **bounds) == good
    assert refused(ValueError, real, bad, **bounds) == f"load must be {words}"


def test_whole_numbers_have_bounds_too():
    for value in (2, np.int32(2), np.uint8(2)):
        assert type(whole("load", value, at_least=1)) is int
    assert refused(ValueError, whole, 0, at_least=1) == "load must be at least 1, got 0"
    assert refused(ValueError, whole, 4, at_least=1, at_most=3) == "load must be at most 3, got 4"
    assert refused(ValueError, whole, 10**5000, at_least=1, at_most=9).endswith("got something of type int")
    for value in (2.0, 2.5, math.nan, np.float64(2), Fraction(2)):
        assert refused(TypeError, whole, value, at_least=1).startswith("load must be a whole number, got ")


def test_a_percentage_given_as_a_probability_is_told_how_to_write_it():
    assert probability("load", 1) == 1.0
    assert probability("load", 0) == 0.0
    assert (
        refused(ValueError, probability, 5)
        == "load must lie between 0 and 1, got 5; for 5 per cent write 0.05"
    )
    assert refused(ValueError, probability, -0.1) == "load must lie between 0 and 1, got -0.1"
    assert refused(ValueError, probability, 101) == "load must lie between 0 and 1, got 101"
    assert probability("load", 0.99, inside=True) == 0.99
    for value in (0, 1):
        words = f"load must lie between 0 and 1, both excluded, got {value}"
        assert refused(ValueError, probability, value, inside=True) == words
    assert refused(ValueError, probability, 99, inside=True).endswith("got 99; for 99 per cent write 0.99")


def test_truth_is_true_or_false():
    for value in (True, False, np.bool_(True), np.False_):
        assert truth("load", value) is bool(value)
    for value in (1, 0, "True", None, [], np.array([True]), Unspeakable(), np.int8(1)):
        assert refused(TypeError, truth, value).startswith("load must be True or False, got ")


def test_words_are_checked_against_what_is_allowed():
    assert one_of("load", "random", ("random", "fixed")) == "random"
    assert refused(ValueError, one_of, "best", ("random", "fixed")) == (
        "load must be one of 'random', 'fixed', got 'best'"
    )
    for value in (3, None, ["random"], b"random", Unspeakable()):
        assert refused(TypeError, one_of, value, ("random", "fixed")).startswith(
            "load must be one of 'random', "
        )


def test_a_text_has_something_in_it():
    assert text("load", "a") == "a"
    for value in ("", "  ", "\n"):
        assert refused(ValueError, text, value) == "load must not be empty"
    for value in (3, None, b"a", ["a"], Unspeakable()):
        assert refused(TypeError, text, value).startswith("load must be a text, got ")


def test_what_is_no_instance_or_no_function_is_described():
    assert instance("load", 3, int, "a run") == 3
    assert instance("load", 3.0, (int, float), "a run") == 3.0
    assert function("load", len, "a function of a run") is len
    for value in ("3", None, Unspeakable()):
        assert refused(TypeError, instance, value, int, "a run").startswith("load must be a run, got ")
        assert refused(TypeError, function, value, "a function of a run").startswith(
            "load must be a function of "
        )


def test_items_come_in_an_order():
    ordered = (
        [1, 2],
        (1, 2),
        range(1, 3),
        iter([1, 2]),
        np.array([1, 2]),
        pd.Series([1, 2]),
        {1: 0, 2: 0}.keys(),
    )
    for value in ordered:
        assert items("load", value, "a list of faults") == (1, 2)
    assert items("load", [], "a list of faults", int) == ()
    for value in (
        "ab",
        b"ab",
        bytearray(b"ab"),
        {1: 2},
        {1, 2},
        frozenset([1]),
        3,
        None,
        np.array(3),
        Unspeakable(),
    ):
        assert refused(TypeError, items, value, "a list of faults").startswith(
            "load must be a list of faults, got "
        )
    assert refused(TypeError, items, [1, "a"], "a list of faults", int) == (
        "load must be a list of faults, got 'a' at position 1"
    )


def test_node_ids_are_names_given_once():
    assert node_ids("load", ["n1", np.str_("n0")]) == ("n1", "n0")
    assert node_ids("load", (), at_least=0) == ()
    for value in ("n0", None, 3, {"n0"}, {"n0": 1}):
        assert refused(TypeError, node_ids, value).startswith("load must be a list of node ids, such as ")
    assert (
        refused(ValueError, node_ids, ["n0", "n1", "n0"]) == "load must name each node once, got 'n0' twice"
    )
    assert refused(ValueError, node_ids, []) == "load must name at least 1 node, got 0"
    assert refused(ValueError, node_ids, ["n0"], at_least=2) == "load must name at least 2 nodes, got 1"
    with pytest.raises(TypeError, match=r"^a node id in load must be a text, got 3$"):
        node_ids("load", ["n0", 3])
    with pytest.raises(ValueError, match=r"^a node id in load must not be empty$"):
        node_ids("load", [""])


@pytest.mark.parametrize(
    "value",
    [
        [1, 2.5],
        (1, Fraction(5, 2)),
        [np.float16(1), np.int8(2) + 0.5],
        np.array([1, 2.5]),
        np.array([1, 2.5], dtype=np.float16),
        np.array([1, 2.5], dtype=object),
        np.ma.array([1, 2.5]),
        pd.Series([1, 2.5], index=[7, 7]),
        pd.Series([1, 2.5], dtype="Float64"),
    ],
)
def test_several_numbers_become_an_array_of_floats(value):
    array = numbers("load", value, row=True)
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 2.5]


def test_the_array_has_the_shape_of_what_was_given():
    assert numbers("load", [[1, 2], [3, 4]]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert numbers("load", 3).shape == numbers("load", np.float32(3)).shape == ()
    assert numbers("load", []).shape == (0,)
    assert numbers("load", range(3)).tolist() == [0.0, 1.0, 2.0]
    assert numbers("load", [10**30]).tolist() == [1e30]


NO_NUMBERS_ALL_THROUGH = [
    None, "12", b"12", bytearray(b"12"), {1: 2}, {1, 2}, True, len, Unspeakable(), 1j, np.bool_(True), ["1", "2"],
    [1, True], [[1, 2], [True, 3]], [1, np.True_, 4], [np.array([True, False]), [1, 2]], [None, 1.0], [1j, 2.0],
    [[1], [2, 3]], [[1, 2], [[3], [4]]], [np.array([1, 2]), np.array([[1, 2]])], np.array([True]),
    np.array([1, "a", 3], dtype=object), np.array(["a"]), np.array([1, 2], dtype="m8[s]"),
    np.array(["2026-01-01"], dtype="M8[s]"), np.zeros(3, dtype="i4,f4"), np.ma.masked_array([1, 2], [0, 1]),
    pd.Series([1, True, 2], dtype=object), pd.Series([1, "a"]), [np.timedelta64(1, "s")],
]  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS_ALL_THROUGH, ids=lambda value: shown(value)[:40])
def test_what_is_not_numbers_all_through_is_a_type_error(value):
    refused(TypeError, numbers, value)


@pytest.mark.parametrize(
    ("value", "bounds", "words"),
    [
        ([1, True], {}, "load at position 1 must be a number, got True"),
        (
            [1, 10**400],
            {},
            "load at position 1 is too large to calculate with; it must be below about 1.8e308",
        ),
        ([1, math.inf], {}, "load at position 1 must be finite, got inf"),
        (np.array([1, math.nan]), {}, "load at position 1 must be finite, got nan"),
        (math.nan, {}, "load must be finite, got nan"),
        ([2.0, 1.0], {"at_least": 2}, "load at position 1 must be at least 2, got 1"),
        ([[2.0, 3.0], [1.0, 0.0]], {"above": 1}, "load at position 2 must be above 1, got 1"),
        (3, {"at_most": 2}, "load must be at most 2, got 3"),
        ([], {"row": True}, "load must not be empty"),
        (3, {"row": True}, "load must be a list or an array of numbers, got 3"),
        ([[1, 2]], {"row": True}, "load must be one row of numbers, got an array of shape (1, 2)"),
        (
            pd.DataFrame({"a": [1.0]}),
            {"row": True},
            "load must be one row of numbers, got an array of shape (1, 1)",
        ),
    ],
)
def test_the_place_of_what_is_wrong_is_named(value, bounds, words):
    error = TypeError if "got True" in words or "a list" in words else ValueError
    assert refused(error, numbers, value, **bounds) == words


def test_a_generator_is_told_what_to_do():
    message = refused(TypeError, numbers, (one for one in (1.0, 2.0)))
    assert message.endswith("; put list(…) around it")


def test_infinity_is_a_number_where_it_is_welcome():
    for value in ([1, math.inf], np.array([1, math.inf])):
        assert numbers("load", value, or_infinite=True).tolist() == [1.0, math.inf]
    for value in ([math.nan], np.array([math.nan])):
        assert refused(ValueError, numbers, value, or_infinite=True).endswith("must be finite, got nan")


def test_rows_that_do_not_belong_together_are_refused():
    same_length("load", [1], "time", [2])
    with pytest.raises(ValueError, match=r"^load and time must have the same length, got 2 and 1$"):
        same_length("load", np.array([1.0, 2.0]), "time", [2])


def test_a_frozen_record_keeps_the_plain_values():
    @dataclass(frozen=True)
    class Load:
        value: float

        def __post_init__(self):
            keep(self, value=real("value", self.value))

    assert type(Load(np.float16(2)).value) is float


def test_what_is_too_long_to_be_read_is_cut_and_what_can_not_be_written_is_described():
    assert shown([1, "a"]) == "[1, 'a']"
    assert shown("x" * 198) == repr("x" * 198)  # 200 signs with its quotes
    assert shown("x" * 199) == "'" + "x" * 199 + " …"
    assert shown(10**5000) == "something of type int"  # Python writes no more than 4 300 digits
    assert shown(Unspeakable()) == "something of type Unspeakable"
