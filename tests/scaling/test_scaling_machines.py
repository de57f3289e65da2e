"""Machines, prices, and the folklore about them, held against a real price table."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.scaling import (
    USL,
    Machine,
    break_even,
    machine_named,
    machines,
    scale_out_cost,
    scale_up_cost,
    spare_capacity,
)

sizes = st.floats(0.1, 3000.0)


def test_prices_are_linear_inside_a_family_and_dear_at_the_ceiling():
    for family in ("m8i", "r8i"):
        per_core = [machine.price / machine.cores for machine in machines(family)]
        assert max(per_core) == pytest.approx(min(per_core), rel=1e-3)
    *rest, largest = machines("x8i")
    assert largest.price / largest.cores > 1.15 * rest[-1].price / rest[-1].cores
    giant, big = machine_named("u7i-12tb.224xlarge"), machine_named("x8i.64xlarge")
    assert 1.4 < (giant.price / giant.memory) / (big.price / big.memory) < 1.6
    huge = machine_named("u7in-32tb.224xlarge")
    assert 1.5 < (huge.price / huge.memory) / (big.price / big.memory) < 1.7


def test_beyond_the_largest_machine_no_money_helps():
    assert scale_up_cost(896).count == 1
    beyond = scale_up_cost(897)
    assert beyond.machine is None
    assert beyond.price == math.inf
    assert scale_out_cost(897).price < 50


@settings(max_examples=25, deadline=None)
@given(sizes, sizes, st.floats(0, 5000), st.integers(0, 2), st.sampled_from([0.0, 0.02]), st.floats(0, 0.1))
def test_costs_never_fall_when_a_requirement_rises(one, other, memory, spare, contention, licence):
    less, more = sorted([one, other])
    terms = {"spare": spare, "contention": contention, "licence_per_core": licence}
    for cost in (scale_up_cost, scale_out_cost):
        assert cost(less, memory, **terms).price <= cost(more, memory, **terms).price
        assert cost(less, memory, **terms).price <= cost(less, 2 * memory, **terms).price
        assert cost(less, memory, **terms).price <= cost(less, memory, **(terms | {"spare": spare + 1})).price


@settings(max_examples=60, deadline=None)
@given(sizes, st.floats(0.001, 0.1), st.floats(0.0, 0.001))
def test_what_is_bought_does_the_work_and_one_machine_less_would_not(work, contention, coherency):
    box = Machine("box", 8, 32.0, 1.0)
    bill = scale_out_cost(work, choices=[box], contention=contention, coherency=coherency)
    law = USL(contention, coherency)
    if bill.machine is None:
        best = int(min(law.peak_load, 10**5))
        assert 8 * law(best) < work or law.peak_load < 1
    else:
        assert 8 * law(bill.count) >= work * (1 - 1e-9)
        assert bill.count == 1 or 8 * law(bill.count - 1) < work


def test_adding_machines_beyond_the_peak_does_not_help():
    box = [Machine("box", 2, 8.0, 0.1)]
    law = USL(0.05, 0.001)
    most = 2 * law.peak_throughput
    assert scale_out_cost(0.99 * most, choices=box, contention=0.05, coherency=0.001).count < law.peak_load
    assert scale_out_cost(1.01 * most, choices=box, contention=0.05, coherency=0.001).machine is None


def test_spare_capacity_is_what_scaling_out_saves():
    assert [spare_capacity(n) for n in (2, 3, 5, 10)] == pytest.approx([1.0, 0.5, 0.25, 1 / 9])
    box = Machine("box", 10, 40.0, 1.0)
    small = Machine("small", 1, 4.0, 0.1)
    up = scale_up_cost(10, choices=[box], spare=1).price
    out = scale_out_cost(10, choices=[small], spare=1).price
    assert (up, out) == pytest.approx((2.0, 1.1))


def test_where_scaling_out_begins_to_pay():
    terms = {
        "up": {"spare": 1},
        "out": {"spare": 1, "operation": 1.0, "choices": [machine_named("m8i.xlarge")]},
    }
    first, table = break_even([2, 8, 16, 32, 64, 2000], **terms)
    assert first == 32
    assert (table.loc[:16, "up"] < table.loc[:16, "out"]).all()
    assert table.loc[2000, "up"] == math.inf
    never, _ = break_even([2, 8], **terms)
    assert math.isnan(never)


def test_contention_inside_one_box():
    largest = machines("m8i")[-1]
    assert largest.capacity() == 384
    assert largest.capacity(0.05) == pytest.approx(384 / (1 + 0.05 * 383))
    assert scale_up_cost(30, contention=0.05).machine is None


def test_licences_by_the_core_are_paid_for_the_whole_machine():
    assert scale_up_cost(33, licence_per_core=0.5, choices=machines("m8i")).price == pytest.approx(
        2.54016 + 24.0
    )
    assert scale_up_cost(33, licence_per_core=0.0, choices=machines("m8i")).price == pytest.approx(2.54016)


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: scale_up_cost(0), ValueError, "cores must be above 0"),
        (lambda: scale_out_cost(1, choices=[]), ValueError, "choices must not be empty"),
        (lambda: scale_out_cost(1, choices=["m8i.large"]), TypeError, "a list of machines"),
        (lambda: machines("m9"), LookupError, "There are: m8i"),
        (lambda: machine_named("m8i.tiny"), LookupError, "no machine 'm8i.tiny'"),
        (lambda: spare_capacity(1), ValueError, "total must be at least 2"),
        (lambda: Machine("", 1, 1.0, 1.0), ValueError, "name must not be empty"),
    ],
)
def test_refusals(call, error, told):
    with pytest.raises(error, match=told):
        call()
