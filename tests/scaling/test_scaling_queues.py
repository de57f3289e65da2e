"""Closed forms of queueing: against each other, against direct sums, and at their edges."""

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from dscourse.scaling import erlang_b, erlang_c, fan_out_tail, littles_law, mg1, mm1, mmc

servers = st.integers(1, 200)
busy = st.floats(0.01, 0.99)


@given(st.floats(0, 300), servers)
def test_erlang_b_is_the_truncated_poisson_distribution(load, lines):
    k = np.arange(lines + 1)
    weights = stats.poisson.pmf(k, load)
    if weights.sum() > 1e-250:
        assert erlang_b(load, lines) == pytest.approx(weights[-1] / weights.sum(), rel=1e-6, abs=1e-300)


@given(busy, servers)
def test_erlang_c_lies_above_erlang_b_and_below_one(share, count):
    load = share * count
    assert erlang_b(load, count) <= erlang_c(load, count) <= 1


@given(busy, st.integers(1, 60))
def test_erlang_c_is_the_tail_of_the_birth_and_death_chain(share, count):
    load = share * count
    states = np.arange(4000)
    log_weight = np.cumsum(np.log(load / np.minimum(states[1:], count)))
    weight = np.exp(np.concatenate([[0.0], log_weight]))
    assert erlang_c(load, count) == pytest.approx(weight[count:].sum() / weight.sum(), rel=1e-6)


def test_erlang_edges():
    assert erlang_b(0, 3) == 0
    assert erlang_b(5, 0) == 1
    assert erlang_c(0, 3) == 0
    assert erlang_b(1, 10_000_000) == 0  # and at once
    assert 0 < erlang_b(10_000, 10_000) < 0.01


@given(busy, st.floats(0.01, 1e4))
def test_mm1_in_its_textbook_form(share, mu):
    queue = mm1(share * mu, mu)
    assert queue.sojourn_time == pytest.approx(1 / (mu - share * mu))
    assert queue.in_system == pytest.approx(share / (1 - share))
    for q in (0.5, 0.99):
        assert queue.sojourn_quantile(q) == pytest.approx(-math.log(1 - q) / (mu * (1 - share)), rel=1e-6)


@given(busy, st.floats(0.1, 100), servers)
def test_littles_law_holds_in_every_formula(share, mu, count):
    queue = mmc(share * count * mu, mu, count)
    assert queue.in_system == pytest.approx(
        littles_law(arrival_rate=queue.arrival_rate, time_in_system=queue.sojourn_time)
    )
    assert queue.waiting == pytest.approx(queue.in_system - count * queue.utilization, abs=1e-6)


@settings(deadline=None)
@given(busy, st.floats(0.1, 100), st.integers(1, 50), st.floats(0.01, 0.999))
def test_quantiles_answer_the_tail_they_are_taken_from(share, mu, count, q):
    queue = mmc(share * count * mu, mu, count)
    assert queue.sojourn_exceeds(queue.sojourn_quantile(q)) == pytest.approx(1 - q, abs=1e-6)


@given(busy, st.floats(0.1, 100), st.integers(1, 50))
def test_the_tail_integrates_to_the_mean(share, mu, count):
    queue = mmc(share * count * mu, mu, count)
    slowest = min(mu, count * mu - queue.arrival_rate)
    t = np.linspace(0, 40 / slowest, 20_001)
    area = np.trapezoid([queue.sojourn_exceeds(x) for x in t[::20]], t[::20])
    assert area == pytest.approx(queue.sojourn_time, rel=2e-2)


@given(busy, st.floats(0.01, 100), st.floats(0, 50))
def test_mg1_agrees_with_mm1_and_grows_with_variation(share, mean, variation):
    queue = mg1(share / mean, mean, 1.0)
    assert queue.waiting_time == pytest.approx(mm1(share / mean, 1 / mean).waiting_time)
    assert mg1(share / mean, mean, 0.0).waiting_time == pytest.approx(queue.waiting_time / 2)
    assert mg1(share / mean, mean, variation).waiting_time == pytest.approx(
        queue.waiting_time * (1 + variation) / 2
    )


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_littles_law_goes_round(rate, time):
    number = littles_law(arrival_rate=rate, time_in_system=time)
    assert littles_law(in_system=number, time_in_system=time) == pytest.approx(rate)
    assert littles_law(in_system=number, arrival_rate=rate) == pytest.approx(time)


@pytest.mark.parametrize(
    "given_", [{}, {"in_system": 1}, {"in_system": 1, "arrival_rate": 1, "time_in_system": 1}]
)
def test_littles_law_wants_two_of_three(given_):
    with pytest.raises(TypeError, match="exactly two of in_system, arrival_rate, time_in_system"):
        littles_law(**given_)


@pytest.mark.parametrize(
    "overload", [lambda: erlang_c(4, 4), lambda: mm1(2, 1), lambda: mmc(4, 1, 4), lambda: mg1(1, 1, 1)]
)
def test_overload_is_refused_with_the_reason(overload):
    with pytest.raises(ValueError, match="would grow without end"):
        overload()


@given(st.floats(0, 1), st.integers(0, 5000), st.integers(0, 5000))
def test_fan_out_grows_with_servers_and_is_a_probability(p, a, b):
    few, many = sorted((a, b))
    assert 0 <= fan_out_tail(p, few) <= fan_out_tail(p, many) <= 1
    assert fan_out_tail(p, 1) == pytest.approx(p, abs=1e-12)


def test_fan_out_where_rounding_would_lose_everything():
    assert fan_out_tail(1e-18, 10) == pytest.approx(1e-17, rel=1e-9, abs=0)
    assert fan_out_tail(1.0, 3) == 1
    assert fan_out_tail(1.0, 0) == 0
    assert fan_out_tail(0.01, [1, 100])[1] == fan_out_tail(0.01, 100)


def test_fan_out_against_counting():
    rng = np.random.default_rng(3)
    slow = (rng.random((20_000, 50)) < 0.02).any(axis=1).mean()
    expected = fan_out_tail(0.02, 50)
    assert abs(slow - expected) < 4 * math.sqrt(expected * (1 - expected) / 20_000)


def test_quantiles_of_a_queue_as_fast_as_light_are_as_exact_as_of_a_slow_one():
    for speed in (1e-6, 1.0, 1e12):
        assert mm1(0.8 * speed, speed).sojourn_quantile(0.99) * speed == pytest.approx(
            math.log(100) / 0.2, rel=1e-11
        )


@pytest.mark.parametrize("servers", [1, 3, 10, 1000])
def test_the_last_load_below_saturation_is_carried(servers):
    for rate in (0.1, 0.3, 1 / 3, 7.0, 1e-3):
        busiest = math.nextafter(servers * rate, 0.0)
        queue = mmc(busiest, rate, servers)
        assert 0.99 < queue.probability_of_waiting <= 1.0
        assert math.isfinite(queue.waiting_time)


@given(st.integers(1, 300), st.floats(0.0, 0.9999))
@settings(deadline=None, max_examples=50)
def test_erlang_in_fifty_digits(servers, share):
    """The textbook formulas, sums of powers and factorials, in numbers that neither overflow nor cancel."""
    load = share * servers
    with localcontext(Context(prec=50, Emin=-(10**6), Emax=10**6)):
        offered, term, total = Decimal(load), Decimal(1), Decimal(1)
        for count in range(1, servers + 1):
            term *= offered / count
            total += term
        waits = term * servers / (servers - offered)
        blocked, waiting = float(term / total), float(waits / (total - term + waits))
    assert erlang_b(load, servers) == pytest.approx(blocked, rel=1e-11, abs=1e-300)
    assert erlang_c(load, servers) == pytest.approx(waiting, rel=1e-9, abs=1e-300)


def test_the_tail_is_as_exact_beside_its_removable_gap_as_in_it():
    """With c·μ − λ = μ the formula divides 0 by 0; a hair beside it, it would divide noise by next to nothing."""
    inside = mmc(1.0, 1.0, 2)
    for hair in (1e-15, 1e-12, 1e-10, -1e-12):
        beside = mmc(1.0 + hair, 1.0, 2)
        for seconds in (0.1, 1.0, 10.0):
            assert beside.sojourn_exceeds(seconds) == pytest.approx(inside.sojourn_exceeds(seconds), rel=2e-8)
