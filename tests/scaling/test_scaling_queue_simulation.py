"""The simulated queue: right against a slow second writing of it, against formulas, and in what must always hold."""

import math

import numpy as np
import pytest
import simpy
from hypothesis import given, settings, strategies as st

from dscourse.scaling import littles_law, mg1, mm1, mmc, simulate_queue

times = st.floats(0, 10, allow_subnormal=False)
customers = st.lists(st.tuples(times, times), min_size=1, max_size=60)


def by_hand(gaps, service, servers, limit=math.inf):
    """Second by second through the definition: who waits, who starts when; None for whom was turned away."""
    free, arrival, starts, waits = [0.0] * servers, 0.0, [], []
    for gap, needed in zip(gaps, service, strict=True):
        arrival += gap
        place = min(range(servers), key=free.__getitem__)
        if free[place] > arrival and sum(start > arrival for start in starts) >= limit:
            waits.append(None)
            continue
        start = max(arrival, free[place])
        starts.append(start)
        free[place] = start + needed
        waits.append(start - arrival)
    return waits


@settings(max_examples=150, deadline=None)
@given(customers, st.integers(1, 5))
def test_against_the_definition_worked_out_by_hand(people, servers):
    gaps, service = map(list, zip(*people, strict=True))
    result = simulate_queue(gaps, service, servers)
    assert np.allclose(result.waiting_times, by_hand(gaps, service, servers), atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(customers, st.integers(1, 4), st.integers(0, 5))
def test_a_line_of_limited_length_against_the_definition(people, servers, limit):
    # whole seconds, so that no rounding decides who is first
    gaps, service = ([math.floor(x) for x in column] for column in zip(*people, strict=True))
    result = simulate_queue(gaps, service, servers, queue_limit=limit)
    expected = by_hand(gaps, service, servers, limit)
    assert result.accepted.tolist() == [wait is not None for wait in expected]
    assert result.waiting_times.tolist() == [wait for wait in expected if wait is not None]


@settings(max_examples=100, deadline=None)
@given(customers, st.integers(1, 5), st.one_of(st.none(), st.integers(0, 5)))
def test_what_always_holds(people, servers, limit):
    gaps, service = zip(*people, strict=True)
    result = simulate_queue(gaps, service, servers, queue_limit=limit)
    assert (result.waiting_times >= 0).all()
    assert result.accepted[0]
    assert result.accepted.sum() == result.waiting_times.size
    assert (result.sojourn_times >= result.service_times).all()
    started = result.arrival_times + result.waiting_times
    assert (np.diff(started) >= -1e-9).all()  # first come, first served
    moments = np.unique(np.concatenate([result.arrival_times, result.departure_times]))
    came, left = (
        np.searchsorted(np.sort(times), moments, side="right")
        for times in (result.arrival_times, result.departure_times)
    )
    inside = came - left
    if limit is not None:
        assert inside.max() <= servers + limit
    if result.duration > 1e-6:
        assert result.utilization <= 1 + 1e-9  # and so throughput is never above capacity
        # Little's law is exact, since the window starts and ends empty; both sides are counted apart
        rate = result.waiting_times.size / result.duration
        law = littles_law(arrival_rate=rate, time_in_system=float(result.sojourn_times.mean()))
        counted = float(np.sum(inside[:-1] * np.diff(moments))) / result.duration
        assert counted == pytest.approx(law, rel=1e-9, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(customers, st.integers(1, 4))
def test_one_more_server_makes_nobody_wait_longer(people, servers):
    gaps, service = zip(*people, strict=True)
    fewer, more = (simulate_queue(gaps, service, count) for count in (servers, servers + 1))
    assert (more.waiting_times <= fewer.waiting_times + 1e-9).all()


def mean_waits(service_of, rate, servers, customers=60_000, replications=10):
    """Mean waits of independent runs that begin in the steady state's neighbourhood (the first fifth is left out)."""
    waits = []
    for seed in range(replications):
        rng = np.random.default_rng([41, seed])
        result = simulate_queue(rng.exponential(1 / rate, customers), service_of(rng, customers), servers)
        waits.append(result.waiting_times[customers // 5 :].mean())
    return np.array(waits)


@pytest.mark.parametrize(
    ("service_of", "theory", "servers"),
    [
        (lambda r, n: r.exponential(1, n), mm1(0.8, 1).waiting_time, 1),
        (lambda r, n: r.exponential(1, n), mm1(0.5, 1).waiting_time, 1),
        (lambda r, n: r.exponential(1, n), mmc(3.2, 1, 4).waiting_time, 4),
        (lambda r, n: r.exponential(1, n), mmc(18, 1, 20).waiting_time, 20),
        (lambda r, n: np.ones(n), mg1(0.8, 1, 0).waiting_time, 1),
        (lambda r, n: r.gamma(0.25, 4, n), mg1(0.7, 1, 4).waiting_time, 1),
    ],
)
def test_mean_waits_agree_with_the_formulas(service_of, theory, servers):
    rate = {4.0: 0.8, 1.0: 0.5, 2.0: 0.8}.get(round(theory, 9))
    if servers > 1:
        rate = {4: 3.2, 20: 18}[servers]
    elif rate is None:
        rate = 0.7
    waits = mean_waits(service_of, rate, servers)
    assert abs(waits.mean() - theory) < 4 * waits.std(ddof=1) / math.sqrt(waits.size)


@pytest.mark.parametrize(("rate", "servers"), [(0.7, 1), (5.6, 8)])
def test_tails_agree_with_the_formulas(rate, servers):
    queue = mmc(rate, 1, servers)
    for quantile in (0.5, 0.99):
        limit = queue.sojourn_quantile(quantile)
        shares = []
        for seed in range(10):
            rng = np.random.default_rng([43, seed])
            result = simulate_queue(rng.exponential(1 / rate, 40_000), rng.exponential(1, 40_000), servers)
            shares.append((result.sojourn_times[5_000:] > limit).mean())
        assert abs(np.mean(shares) - (1 - quantile)) < 4 * np.std(shares, ddof=1) / math.sqrt(10)


def test_a_full_line_turns_away_as_many_as_the_formula_says():
    # M/M/1 with room for 4 in the line, 5 in all: blocked = (1 − ρ) ρ⁵ / (1 − ρ⁶)
    rho, shares = 1.2, []
    for seed in range(8):
        rng = np.random.default_rng([47, seed])
        result = simulate_queue(rng.exponential(1 / rho, 50_000), rng.exponential(1, 50_000), queue_limit=4)
        shares.append(1 - result.accepted.mean())
    theory = (1 - rho) * rho**5 / (1 - rho**6)
    assert abs(np.mean(shares) - theory) < 4 * np.std(shares, ddof=1) / math.sqrt(8)


@pytest.mark.parametrize("servers", [1, 3])
def test_the_same_customers_wait_as_long_in_simpy(servers):
    rng = np.random.default_rng(5)
    gaps, service = rng.exponential(1 / (0.85 * servers), 400), rng.exponential(1, 400)
    waits = np.zeros(400)
    environment = simpy.Environment()
    counter = simpy.Resource(environment, servers)

    def customer(number):
        came = environment.now
        with counter.request() as turn:
            yield turn
            waits[number] = environment.now - came
            yield environment.timeout(service[number])

    def source():
        for number, gap in enumerate(gaps):
            yield environment.timeout(gap)
            environment.process(customer(number))

    environment.process(source())
    environment.run()
    assert np.allclose(simulate_queue(gaps, service, servers).waiting_times, waits)


def test_nothing_but_zeros_takes_no_time():
    result = simulate_queue([0, 0], [0, 0])
    assert result.duration == 0
    assert math.isnan(result.utilization)


def test_more_servers_than_customers():
    assert simulate_queue([1, 0, 0], [5, 5, 5], 1000).waiting_times.tolist() == [0, 0, 0]


def test_a_result_reads_well():
    result = simulate_queue([1, 0, 0], [5, 5, 5], queue_limit=1)
    assert "2 customers, 1 servers, 1 turned away" in repr(result)


@pytest.mark.parametrize("pause", [1e7, 1e12, 1e17])
def test_a_long_pause_does_not_blur_what_comes_after_it(pause):
    rng = np.random.default_rng(4)
    gaps, service = rng.exponential(1.0, 2000), rng.exponential(0.9, 2000)
    whole_day = simulate_queue([*gaps, pause, *gaps[1:]], [*service, *service]).waiting_times
    assert np.allclose(whole_day[2000:], simulate_queue(gaps, service).waiting_times, rtol=0, atol=1e-9)


def test_the_last_to_come_need_not_be_the_last_to_leave():
    result = simulate_queue([1, 0], [5, 1], 2)
    assert result.departure_times.tolist() == [6, 2]
    assert result.duration == 5
    assert result.utilization == 6 / 10
