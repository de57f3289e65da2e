"""Every refusal says what was wrong, what was given and what would be right."""

import math
from fractions import Fraction

import numpy as np
import pytest

from dscourse.arguments import numbers, one_of, probability, real, shown, text, whole


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), Fraction(3)])
def test_every_kind_of_number_becomes_a_plain_one(value):
    number = real("load", value)
    assert number == 3.0
    assert type(number) is float


@pytest.mark.parametrize("value", [True, np.bool_(True), "3", None, [3], 3 + 0j, np.timedelta64(3, "s")])
def test_what_is_no_number_is_a_type_error(value):
    for check in (real, probability):
        with pytest.raises(TypeError, match="load must be a number, got"):
            check("load", value)
    with pytest.raises(TypeError, match="load must be a whole number, got"):
        whole("load", value, at_least=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_pass(value):
    with pytest.raises(ValueError, match="load must be finite, got"):
        real("load", value)


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
    with pytest.raises(ValueError, match=words):
        real("load", bad, **bounds)


def test_whole_numbers_have_bounds_too():
    assert type(whole("servers", np.int32(2), at_least=1)) is int
    with pytest.raises(ValueError, match="servers must be at least 1, got 0"):
        whole("servers", 0, at_least=1)
    with pytest.raises(ValueError, match="servers must be at most 3, got 4"):
        whole("servers", 4, at_least=1, at_most=3)
    with pytest.raises(TypeError, match=r"whole number, got 2\.0"):
        whole("servers", 2.0, at_least=1)


def test_a_percentage_given_as_a_probability_is_told_how_to_write_it():
    assert probability("loss", 1) == 1.0
    with pytest.raises(ValueError, match=r"between 0 and 1, got 5; for 5 per cent write 0\.05"):
        probability("loss", 5)
    with pytest.raises(ValueError, match=r"between 0 and 1, got -0\.1$"):
        probability("loss", -0.1)


def test_words_are_checked_against_what_is_allowed():
    assert one_of("order", "random", ("random", "fixed")) == "random"
    with pytest.raises(ValueError, match="one of 'random', 'fixed', got 'best'"):
        one_of("order", "best", ("random", "fixed"))
    with pytest.raises(TypeError, match="got 3"):
        one_of("order", 3, ("random", "fixed"))


def test_a_text_has_something_in_it():
    assert text("name", "a") == "a"
    with pytest.raises(ValueError, match="name must not be empty"):
        text("name", "  ")
    with pytest.raises(TypeError, match="name must be a text, got 3"):
        text("name", 3)


def test_what_is_too_long_to_be_read_is_cut():
    assert shown([1, "a"]) == "[1, 'a']"
    assert shown("x" * 198) == repr("x" * 198)  # 200 signs with its quotes
    assert shown("x" * 199) == "'" + "x" * 199 + " …"
    with pytest.raises(TypeError) as caught:
        whole("servers", list(range(100_000)), at_least=1)
    assert len(str(caught.value)) < 300


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words for me")


def test_what_can_not_be_written_is_described():
    assert shown(10**5000) == "something of type int"  # Python writes no more than 4 300 digits
    assert shown(Unspeakable()) == "something of type Unspeakable"
    with pytest.raises(ValueError, match=r"^servers must be at most 9, got something of type int$"):
        whole("servers", 10**5000, at_least=1, at_most=9)
    for value in (Unspeakable(), [10**5000]):
        for check in (real, probability, text, lambda name, value: whole(name, value, at_least=0)):
            with pytest.raises(TypeError, match=r"^servers must be a .*, got something of type "):
                check("servers", value)


def test_a_number_too_large_for_a_float_is_a_value_error():
    for check in (real, probability):
        with pytest.raises(ValueError, match="load is too large to calculate with"):
            check("load", 10**400)


@pytest.mark.parametrize(
    "value", [[1, 2.5], (1, Fraction(5, 2)), np.array([1, 2.5]), np.array([1, 2.5], dtype=object)]
)
def test_several_numbers_become_an_array_of_floats(value):
    array = numbers("times", value)
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 2.5]
    assert numbers("times", [[1, 2], [3, 4]]).shape == (2, 2)
    assert numbers("times", 3).shape == ()


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (None, TypeError, "times must be a list or an array of numbers, got None"),
        ("12", TypeError, "list or an array of numbers, got '12'"),
        ({1, 2}, TypeError, "list or an array of numbers"),
        (iter([1]), TypeError, "list or an array of numbers"),
        (True, TypeError, "times must be a number, got True"),
        ([1, True], TypeError, "times at position 1 must be a number, got True"),
        (np.array([True]), TypeError, "values of type bool"),
        ([1, "2"], TypeError, "times at position 1 must be a number, got '2'"),
        ([[1], [2, 3]], TypeError, "times at position 0 must be a number"),
        (np.ma.masked_array([1, 2], [0, 1]), TypeError, "masked places"),
        ([1, 10**400], ValueError, "times at position 1 is too large"),
        ([1, math.inf], ValueError, "times at position 1 must be finite, got inf"),
        (np.array([1, math.nan]), ValueError, "times must be finite, got nan"),
    ],
)
def test_what_is_no_array_of_numbers_is_said(value, error, words):
    with pytest.raises(error, match=words):
        numbers("times", value)


def test_infinity_is_a_number_where_it_is_welcome():
    for value in ([1, math.inf], np.array([1, math.inf])):
        assert numbers("delays", value, or_infinite=True).tolist() == [1.0, math.inf]
    for value in ([math.nan], np.array([math.nan])):
        with pytest.raises(ValueError, match="must be finite, got nan"):
            numbers("delays", value, or_infinite=True)
