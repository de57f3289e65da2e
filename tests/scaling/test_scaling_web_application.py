"""A web application that grows ten thousandfold, and streams from members."""

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.scaling import WebApplication, concurrent_streams


def test_each_step_names_the_tier_that_gave_out_and_relieves_it():
    before = WebApplication()
    steps = list(before.grow(10, 100_000))
    assert len(steps) >= 8
    for step in steps:
        assert before.bottleneck(step.rate) == step.gave_out
        assert before.utilization(step.rate)[step.gave_out] > before.target
        after = step.application.utilization(step.rate)
        assert after.get(step.gave_out, 0.0) < before.utilization(step.rate)[step.gave_out]
        before = step.application
    assert max(before.utilization(100_000).values()) <= before.target * (1 + 1e-9)


def test_every_tier_goes_its_own_way():
    changes = " ".join(step.change for step in WebApplication().grow(10, 100_000, factor=2))
    for word in (
        "machine of its own",
        "load balancers",
        "cache",
        "databases on",
        "read replica",
        "partitions",
    ):
        assert word in changes


@settings(max_examples=30, deadline=None)
@given(st.floats(1, 200_000), st.floats(1.0, 3.0))
def test_what_it_is_sized_for_it_carries_and_costs_rise_with_the_load(rate, times):
    small, large = WebApplication().sized_for(rate), WebApplication().sized_for(rate * times)
    assert max(small.utilization(rate).values()) <= small.target * (1 + 1e-9)
    assert max(large.utilization(rate * times).values()) <= large.target * (1 + 1e-9)
    assert small.price <= large.price


def test_optimise_first():
    plain = WebApplication()
    better = plain.with_work(web=0.004, read=0.0005, write=0.005)
    assert better.sized_for(100_000).price < 0.6 * plain.sized_for(100_000).price
    with pytest.raises(LookupError, match="Work has no 'speed'"):
        plain.with_work(speed=2.0)


def test_streams_at_once_by_littles_law():
    # 260 million, half of whom watch once a day for an hour: 130 million hours a day
    assert concurrent_streams(260e6, 0.5, 1, 60) == pytest.approx(130e6 / 24)
    assert concurrent_streams(260e6, 0.5, 1, 60, peak=2) == pytest.approx(130e6 / 12)
