"""The load balancer's vectorised model: exact where it can be worked out, against theory elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse import datasets
from dscourse.scaling import erlang_c, mmc, simulate_queue
from dscourse.services import simulate_balancing
from dscourse.services.balancing import POLICIES

random_systems = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(POLICIES),
        "servers": st.integers(1, 12),
        "load": st.floats(0.1, 1.5),
        "view_age": st.sampled_from([0.0, 0.3, 5.0]),
        "balancers": st.integers(1, 3),
        "ties": st.sampled_from(["random", "lowest"]),
        "requests": st.integers(10, 300),
        "seed": st.integers(0, 1000),
    }
)


def standard_error(values):
    return np.std(values, ddof=1) / math.sqrt(len(values))


@settings(max_examples=60, deadline=None)
@given(random_systems)
def test_a_server_works_on_one_request_at_a_time_in_order_of_arrival(system):
    result = simulate_balancing(**system)
    assert result.chosen.min() >= 0
    assert result.chosen.max() < system["servers"]
    assert result.times.size == system["requests"]
    for server in range(system["servers"]):
        own = result.chosen == server
        came, needs = result.arrival_times[own], result.service_times[own]
        free = 0.0
        for now, need, took in zip(came, needs, result.times[own], strict=True):
            free = max(free, now) + need
            assert took == pytest.approx(free - now, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(random_systems)
def test_every_request_is_done_or_open(system):
    result = simulate_balancing(**system)
    for moment in np.quantile(result.arrival_times, [0.3, 0.7, 1.0]):
        done = (result.arrival_times + result.times <= moment).sum()
        assert (result.arrival_times <= moment).sum() == done + result.open_requests([moment]).sum()


@settings(max_examples=40, deadline=None)
@given(random_systems.map(lambda s: s | {"policy": "least connections", "view_age": 0.0, "balancers": 1}))
def test_least_connections_with_a_fresh_view_never_idles_a_server_while_another_queues_two(system):
    result = simulate_balancing(**system)
    held = result.open_requests(result.arrival_times)
    before = held.copy()
    before[np.arange(result.chosen.size), result.chosen] -= 1
    picked = before[np.arange(result.chosen.size), result.chosen]
    assert (picked == before.min(axis=1)).all()


def test_the_fewest_seen_is_chosen_among_all_that_have_as_few():
    first = simulate_balancing("least connections", servers=5, load=1e-6, requests=2000)
    assert np.allclose(first.shares, 0.2, atol=0.04)  # all idle: at random
    lowest = simulate_balancing("least connections", servers=5, load=1e-6, requests=2000, ties="lowest")
    assert lowest.shares[0] == 1.0


def test_what_was_sent_since_the_view_was_copied_is_not_seen():
    result = simulate_balancing(
        "least connections", servers=10, load=0.9, view_age=1e9, ties="lowest", requests=50
    )
    assert (result.chosen == 0).all()
    short = simulate_balancing(
        "least connections", servers=10, load=0.9, view_age=4.0, ties="lowest", requests=400
    )
    for epoch in range(int(short.arrival_times[-1] / 4.0)):
        within = (short.arrival_times >= 4.0 * epoch) & (short.arrival_times < 4.0 * (epoch + 1))
        expected = int(np.argmin(short.open_requests([4.0 * epoch])[0]))
        assert (short.chosen[within] == expected).all()


def test_policies_get_the_same_requests_from_the_same_seed():
    runs = [simulate_balancing(policy, requests=500, seed=3) for policy in POLICIES]
    for run in runs[1:]:
        assert (run.arrival_times == runs[0].arrival_times).all()
        assert (run.service_times == runs[0].service_times).all()
    again = simulate_balancing("two choices", requests=500, seed=3)
    assert (again.chosen == runs[3].chosen).all()


def test_balls_into_bins():
    """A view that is never renewed is a throw without looking; one that is always fresh is two choices.

    With nothing ever leaving: the fullest of n bins after n throws holds about ln n / ln ln n, of two choices about
    ln ln n / ln 2 (Y. Azar, A. Broder, A. Karlin, E. Upfal, SIAM J. Comput. 29(1), 1999).
    """
    bins = 1000
    stuck = {"servers": bins, "load": 1e9, "requests": bins, "gaps": np.ones(bins), "work": np.ones(bins)}
    fullest = {
        policy: [np.bincount(simulate_balancing(policy, seed=s, **stuck).chosen).max() for s in range(10)]
        for policy in ("random", "two choices")
    }
    assert 4.5 < np.mean(fullest["random"]) < 6.5
    assert max(fullest["two choices"]) == 3


def test_random_choice_is_many_single_queues():
    means = [simulate_balancing("random", servers=20, load=0.7, seed=s).mean_time for s in range(8)]
    assert abs(np.mean(means) - 1 / 0.3) < 4 * standard_error(means)


def test_one_server_is_the_same_for_every_policy():
    for policy in POLICIES:
        means = [
            simulate_balancing(policy, servers=1, load=0.5, requests=60_000, seed=s).mean_time
            for s in range(8)
        ]
        assert abs(np.mean(means) - 2.0) < 4 * standard_error(means)


def test_round_robin_makes_the_gaps_at_each_server_erlang_distributed():
    result = simulate_balancing("round robin", servers=4, load=0.8, requests=200_000)
    gaps = np.diff(result.arrival_times[result.chosen == 0])
    assert gaps.var() / gaps.mean() ** 2 == pytest.approx(1 / 4, rel=0.05)  # Erlang of order 4
    means, theory = [], []
    for seed in range(8):
        rng = np.random.default_rng([77, seed])
        erlang = rng.gamma(4, 1 / (4 * 0.8), 200_000)
        theory.append(simulate_queue(erlang, rng.exponential(1, 200_000)).sojourn_times[20_000:].mean())
        means.append(simulate_balancing("round robin", servers=4, load=0.8, seed=seed).mean_time)
    assert abs(np.mean(means) - np.mean(theory)) < 4 * math.hypot(
        standard_error(means), standard_error(theory)
    )


def test_the_best_of_fresh_views_lies_between_one_queue_for_all_and_two_choices():
    """One queue that all servers share (M/M/c) is the least any balancer can reach: nobody waits for a busy server."""
    shared = mmc(0.9 * 10, 1.0, 10)
    least = [
        simulate_balancing("least connections", servers=10, load=0.9, requests=100_000, seed=s).mean_time
        for s in range(8)
    ]
    two = simulate_balancing("two choices", servers=10, load=0.9).mean_time
    assert shared.sojourn_time - 4 * standard_error(least) < np.mean(least) < two
    waiting = simulate_balancing("least connections", servers=10, load=0.9).waiting_share
    assert waiting < erlang_c(9, 10)  # some wait behind one request, where all servers are busy


def test_a_server_that_fails_at_once_draws_the_requests():
    """Measured independently: 10, 10, 16.4 and 25.4 per cent for the four policies, 10 servers at load 0.7."""
    share = {
        policy: simulate_balancing(policy, servers=10, load=0.7, service_factors={0: 0.01}).shares[0]
        for policy in POLICIES
    }
    assert share["random"] == pytest.approx(0.10, abs=0.005)
    assert share["round robin"] == pytest.approx(0.10, abs=0.001)
    assert share["two choices"] == pytest.approx(0.164, abs=0.01)
    assert share["least connections"] == pytest.approx(0.254, abs=0.02)


def test_a_trace_brings_its_own_arrivals_and_sizes():
    frame = datasets.load("queueing/azure_llm_conv")
    gaps = np.diff((frame.TIMESTAMP - frame.TIMESTAMP.iloc[0]).dt.total_seconds().to_numpy())
    tokens = frame.GeneratedTokens.to_numpy(float)[1:]
    result = simulate_balancing("round robin", servers=20, load=0.6, gaps=gaps, work=tokens)
    assert result.service_times.mean() == pytest.approx(1.0)
    assert result.arrival_times[-1] == pytest.approx(gaps.size / (20 * 0.6))
    least = simulate_balancing("least connections", servers=20, load=0.6, gaps=gaps, work=tokens)
    assert least.mean_time < result.mean_time


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"policy": "best"}, ValueError, "'two choices'"),
        ({"ties": "first"}, ValueError, "ties must be one of"),
        ({"servers": 0}, ValueError, "servers must be at least 1"),
        ({"load": 0}, ValueError, "load must be above 0"),
        ({"view_age": -1}, ValueError, "view_age must be at least 0"),
        ({"balancers": 1.5}, TypeError, "balancers must be a whole number"),
        ({"requests": 3}, ValueError, "requests must be at least 10"),
        ({"service_factors": {7: 2.0}, "servers": 3}, LookupError, "numbered from 0 to 2"),
        ({"service_factors": [2.0]}, TypeError, "a dict such as"),
        ({"gaps": [1.0] * 10, "work": [1.0] * 11}, ValueError, "same length"),
    ],
)
def test_refusals(wrong, error, told):
    with pytest.raises(error, match=told):
        simulate_balancing(**({"policy": "random"} | wrong))
