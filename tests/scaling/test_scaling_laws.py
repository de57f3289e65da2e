"""Amdahl, Gustafson and the Universal Scalability Law: what must hold for every value."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from dscourse.scaling import USL, amdahl_speedup, gustafson_speedup

fractions = st.floats(0, 1)
counts = st.floats(1, 1e6)


@given(counts, st.floats(1e-6, 1))
def test_amdahl_never_beats_the_serial_part_nor_the_processors(n, serial):
    speedup = amdahl_speedup(n, serial)
    assert 1 - 1e-12 <= speedup <= min(n, 1 / serial) * (1 + 1e-12)


def test_amdahl_is_the_time_of_one_over_the_time_of_many():
    # 100 s of work, 20 s of them serial, on 8 processors: 20 s + 80 s / 8
    assert amdahl_speedup(8, 0.2) == pytest.approx(100 / (20 + 80 / 8))
    assert amdahl_speedup(1e12, 0.05) == pytest.approx(20)
    assert amdahl_speedup(64, 0) == 64
    assert amdahl_speedup(64, 1) == 1


@given(counts, fractions)
def test_gustafson_is_never_below_amdahl(n, serial):
    assert gustafson_speedup(n, serial) >= amdahl_speedup(n, serial) * (1 - 1e-12)


@given(st.integers(1, 10_000), fractions)
def test_both_laws_describe_one_program_once_the_fraction_is_translated(n, serial_on_many):
    # s' of the time on n processors is serial: on one processor that time would be s' + n(1 − s')
    serial_on_one = serial_on_many / (serial_on_many + n * (1 - serial_on_many))
    assert amdahl_speedup(n, serial_on_one) == pytest.approx(gustafson_speedup(n, serial_on_many))


def test_laws_take_arrays_and_give_plain_numbers_for_plain_numbers():
    n = np.array([1, 2, 4])
    for law in (lambda n: amdahl_speedup(n, 0.1), lambda n: gustafson_speedup(n, 0.1), USL(0.1, 0.01, 5)):
        assert law(n).shape == (3,)
        assert law([1, 2, 4])[2] == law(4)
        assert type(law(4)) is float


@given(fractions, counts)
def test_usl_without_coherency_is_amdahl(contention, n):
    assert USL(contention, 0.0, 3.0)(n) == pytest.approx(3.0 * amdahl_speedup(n, contention))


@given(st.floats(0, 0.99), st.floats(1e-6, 0.1), st.floats(0.1, 1e4))
def test_usl_peak_is_where_throughput_is_highest(contention, coherency, single):
    law = USL(contention, coherency, single)
    peak = law.peak_load
    assert law.peak_throughput == law(peak)
    for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
        if peak * factor >= 1:
            assert law(peak * factor) <= law.peak_throughput * (1 + 1e-9)


@given(st.floats(0, 1), st.floats(0, 0.1), st.floats(0.1, 1e4), counts)
def test_usl_throughput_is_never_above_its_peak_nor_above_linear(contention, coherency, single, n):
    law = USL(contention, coherency, single)
    assert law(n) <= law.peak_throughput * (1 + 1e-9)
    assert law(n) <= single * n * (1 + 1e-9)


def test_usl_without_a_peak():
    assert USL(0.05, 0.0, 10).peak_load == math.inf
    assert USL(0.05, 0.0, 10).peak_throughput == pytest.approx(200)
    assert USL(0.0, 0.0, 10).peak_throughput == math.inf


def test_usl_that_only_falls_peaks_at_one():
    assert USL(2.0, 0.01, 10).peak_load == 1.0
    assert USL(0.5, 0.9, 10).peak_load == 1.0
    assert USL(1.0, 0.0, 10).peak_throughput == 10.0


def test_contention_alone_of_1_lets_nobody_help():
    """Everything queues: throughput is the same at every load, so the first one is as good as any."""
    law = USL(1.0, 0.0, 5.0)
    assert law([1, 2, 100]).tolist() == [5.0, 5.0, 5.0]
    assert law.peak_load == 1.0
    assert law.peak_throughput == 5.0


@pytest.mark.parametrize(("law", "load"), [(USL(5, 0), 0.2), (USL(0, 10), [2, 0.5]), (USL(2, 0), 0.5)])
def test_below_one_the_law_is_not_asked_for_what_it_can_not_say(law, load):
    """1 + α(N − 1) is 0 or less for large α and small N: a throughput of infinity, or a negative one."""
    with pytest.raises(
        ValueError, match=r"^load must be at least 1 with contention .* the law says nothing$"
    ):
        law(load)
    assert law(1) == 1.0
    assert USL(0.5, 0.1)(0.5) == pytest.approx(0.5 / (1 - 0.25 - 0.025))
