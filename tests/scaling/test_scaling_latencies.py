"""Latency summaries: order, honest percentiles, readable units."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from dscourse.readable import readable_number, readable_seconds
from dscourse.scaling import latency_quantile, summarize_latencies

seconds = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


@given(seconds)
def test_percentiles_are_ordered_and_the_mean_lies_within(latencies):
    s = summarize_latencies(latencies)
    assert min(latencies) <= s.median <= s.p90 <= s.p99 <= s.p999 <= s.maximum == max(latencies)
    assert min(latencies) <= s.mean <= s.maximum
    assert s.count == len(latencies)


@given(seconds, st.floats(0.001, 0.999))
def test_a_quantile_is_the_least_latency_that_enough_stayed_below(latencies, quantile):
    value = latency_quantile(latencies, quantile)
    values = np.array(latencies)
    assert value in values
    assert (values <= value).mean() >= quantile - 1e-12
    assert (values < value).mean() < quantile + 1e-12


@given(seconds)
def test_order_does_not_matter(latencies):
    assert summarize_latencies(latencies) == summarize_latencies(latencies[::-1])


def test_a_hundred_requests_counted_by_hand():
    s = summarize_latencies(np.arange(1, 101) / 1000)
    assert (s.median, s.p90, s.p99, s.p999) == (0.050, 0.090, 0.099, 0.100)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.5, "2.5 s"),
        (0.0123, "12.3 ms"),
        (4.2e-5, "42 µs"),
        (0.0, "0 µs"),
        (61.0, "61 s"),
        (12_345.6, "12 346 s"),
    ],
)
def test_readable_units(value, text):
    assert readable_seconds(value) == text


@pytest.mark.parametrize("power", range(-6, 6))
def test_no_readable_time_is_written_with_an_exponent(power):
    for digits in (1.0, 9.994, 9.995, 9.9949999, 9.9951, 9.9996, 9.99999999):
        assert "e" not in readable_seconds(digits * 10.0**power)
        assert "1000" not in readable_seconds(digits * 10.0**power)


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12 346"), (999.96, "1 000"), (0.12345, "0.1235"), (-2e6, "-2 000 000")]
)
def test_readable_numbers(value, text):
    assert readable_number(value) == text


def test_summary_reads_well():
    assert repr(summarize_latencies([0.001] * 99 + [1.0])) == (
        "100 requests: mean 11 ms, median 1 ms, p90 1 ms, p99 1 ms, p99.9 1 s, max 1 s"
    )


@pytest.mark.parametrize("count", [3, 7, 10, 49, 100, 1000])
def test_the_kth_of_n_is_the_kth_whatever_floats_make_of_it(count):
    """0.07 · 100 is a hair above 7 as a float; the seventh of a hundred is meant."""
    for rank in range(1, count):
        assert latency_quantile(range_of(count), rank / count) == rank
    assert latency_quantile(range_of(count), 1e-20) == 1
    assert latency_quantile(range_of(count), (1 + 1e-9) / count) == 2


def range_of(count):
    return np.arange(1, count + 1)


def test_readable_at_the_ends_of_its_forms():
    assert readable_seconds(999.4) == "999 s"
    assert readable_seconds(999.7) == "999.7 s"  # three digits would make it 1e+03
    assert readable_number(999_999_999_999_999) == "999 999 999 999 999"
    assert readable_number(1e15) == "1e+15"
    assert readable_number(-1e15) == "-1e+15"
