"""Metastable failures: N. Bronson, A. Aghayev, A. Charapko, T. Zhu, HotOS 2021.

A server of 300 requests a second, a timeout of 1 s and one retry: stable up to 150 requests a second, vulnerable
between 150 and 300. It stands still from second 20 to 30; measured is from 180 to 200.
"""

import pytest

from dscourse.resilience import overload_run


def test_below_half_of_the_capacity_it_recovers():
    outcome = overload_run(140.0)
    assert outcome.goodput == pytest.approx(140, rel=0.05)
    assert outcome.attempts == pytest.approx(140, rel=0.05)


def test_above_it_stays_down_at_twice_the_load():
    outcome = overload_run(160.0)
    assert outcome.goodput < 3
    assert outcome.attempts == pytest.approx(311, rel=0.03)
