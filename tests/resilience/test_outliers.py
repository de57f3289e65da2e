"""Outlier ejection with the numbers of gRPC A50 and Envoy."""

import pytest

from dscourse.resilience import OutlierEjection

TEN = [f"s{number}" for number in range(10)]


def interval(ejection, begin, rates, calls=100):
    """Make that many calls to each server, at these shares of failures, within the interval."""
    for server, rate in rates.items():
        failures = round(rate * calls)
        for place in range(calls):  # spread, so that no five fail in a row
            ejection.record(begin + 5.0, server, (place + 1) * failures // calls == place * failures // calls)


def test_far_below_the_mean_is_out_for_thirty_seconds():
    ejection = OutlierEjection(TEN)
    interval(ejection, 0.0, dict.fromkeys(TEN, 0.01) | {"s3": 0.5})
    assert ejection.ejected(9.9) == ()
    assert ejection.ejected(10.0) == ("s3",)
    assert ejection.ejected(39.9) == ("s3",)
    assert ejection.ejected(40.0) == ()


@pytest.mark.parametrize(
    ("rates", "calls"),
    [
        (dict.fromkeys(TEN, 0.5), 100),  # all have the same trouble
        (dict.fromkeys(TEN[:4], 0.0) | {"s4": 0.5}, 99),  # too few calls to be compared
        (dict.fromkeys(TEN[:3], 0.0) | {"s3": 0.5}, 200),  # four servers with calls
    ],
)
def test_nobody_is_an_outlier(rates, calls):
    ejection = OutlierEjection(TEN)
    interval(ejection, 0.0, rates, calls)
    assert ejection.ejected(10.0) == ()


def test_mean_less_one_point_nine_deviations():
    """Four at 1 and one at x: the mean less 1.9 deviations is 1 − (0.2 + 1.9 · 0.4)(1 − x), above x whatever x."""
    ejection = OutlierEjection(TEN[:5])
    interval(ejection, 0.0, dict.fromkeys(TEN[:4], 0.0) | {"s4": 0.04})
    assert ejection.ejected(10.0) == ("s4",)
    generous = OutlierEjection(TEN[:5], deviations=2.01)  # 0.2 + 2.01 · 0.4 > 1
    interval(generous, 0.0, dict.fromkeys(TEN[:4], 0.0) | {"s4": 0.5})
    assert generous.ejected(10.0) == ()


def test_more_than_85_per_cent_failures_of_fifty():
    rates = dict.fromkeys(TEN, 0.0) | {"s1": 0.86, "s2": 0.84}
    ejection = OutlierEjection(TEN, most=1.0, consecutive_failures=1000)
    interval(ejection, 0.0, rates, calls=50)
    assert ejection.ejected(10.0) == ("s1",)


def test_a_tenth_may_be_out_and_at_least_one():
    for count, out in ((5, 1), (10, 1), (20, 2)):
        servers = [f"s{number}" for number in range(count)]
        ejection = OutlierEjection(servers)
        for server in servers:
            for _ in range(5):
                ejection.record(1.0, server, False)
        assert len(ejection.ejected(1.0)) == out


def test_five_in_a_row_eject_at_once():
    ejection = OutlierEjection(TEN)
    for ok in (False,) * 4 + (True,) + (False,) * 4:
        ejection.record(1.0, "s0", ok)
    assert ejection.ejected(1.0) == ()
    ejection.record(1.0, "s0", False)
    assert ejection.ejected(1.0) == ("s0",)


def test_each_time_it_is_out_for_longer_and_good_intervals_are_remembered():
    ejection, now, spells = OutlierEjection(TEN), 0.0, []
    for _ in range(12):
        for _ in range(5):
            ejection.record(now, "s0", False)
        begin = now
        while ejection.ejected(now):
            now += 10.0
        spells.append(now - begin)
    assert spells[:3] == [30.0, 60.0, 90.0]
    assert max(spells) == 300.0
    now += 10.0 * 11  # eleven intervals in which it was well
    for _ in range(5):
        ejection.record(now, "s0", False)
    begin = now
    while ejection.ejected(now):
        now += 10.0
    assert now - begin < 90.0
