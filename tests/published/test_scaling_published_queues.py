"""Published numbers of queueing theory and of The Tail at Scale, and two real traces.

Erlang's formulas and M/M/1, M/D/1 stand in every textbook; J. Dean and L. A. Barroso, CACM 56(2), 2013; arrivals of two
language-model services, Azure/AzurePublicDataset, P. Patel et al., *Splitwise*, ISCA 2024.
"""

import math

import numpy as np
import pytest

from dscourse import datasets
from dscourse.scaling import erlang_b, erlang_c, fan_out_tail, mg1, mm1, simulate_queue


def test_erlang_b():
    assert erlang_b(1, 1) == pytest.approx(0.5, abs=1e-12)
    assert erlang_b(5, 5) == pytest.approx(0.284868, abs=1e-6)


def test_erlang_c():
    assert erlang_c(0.8, 1) == pytest.approx(0.8, abs=1e-12)
    assert erlang_c(3.2, 4) == pytest.approx(0.596432, abs=1e-6)


@pytest.mark.parametrize(
    ("published", "formula", "service"),
    [
        (4.0, mm1(0.8, 1).waiting_time, lambda rng, n: rng.exponential(1, n)),
        (2.0, mg1(0.8, 1, 0).waiting_time, lambda rng, n: np.ones(n)),
    ],
    ids=["M/M/1", "M/D/1"],
)
def test_waiting_at_80_per_cent(published, formula, service):
    assert formula == pytest.approx(published, rel=1e-9)
    waits = []
    for seed in range(12):
        rng = np.random.default_rng([19, seed])
        result = simulate_queue(rng.exponential(1 / 0.8, 120_000), service(rng, 120_000))
        waits.append(result.waiting_times[20_000:].mean())
    assert abs(np.mean(waits) - published) < 4 * np.std(waits, ddof=1) / math.sqrt(len(waits))


def test_the_tail_at_scale():
    assert round(fan_out_tail(0.01, 100), 3) == 0.634
    assert round(fan_out_tail(0.0001, 2000), 3) == 0.181


def trace(name):
    frame = datasets.load(f"queueing/azure_llm_{name}")
    seconds = (frame.TIMESTAMP - frame.TIMESTAMP.iloc[0]).dt.total_seconds().to_numpy()
    return np.diff(seconds), frame.GeneratedTokens.to_numpy(float)[1:]


def measured_over_formula(gaps, tokens, utilization):
    service = tokens * utilization * gaps.mean() / tokens.mean()
    variation = service.var() / service.mean() ** 2
    formula = mg1(1 / gaps.mean(), service.mean(), variation).waiting_time
    return simulate_queue(gaps, service).waiting_times.mean() / formula


def test_gaps_of_the_azure_traces_vary_as_published():
    for name, published in (("code", 173), ("conv", 1.20)):
        gaps, _ = trace(name)
        assert gaps.var() / gaps.mean() ** 2 == pytest.approx(published, rel=5e-3)


def test_mg1_fails_on_bursts_and_holds_near_poisson():
    assert measured_over_formula(*trace("code"), 0.5) > 20
    for utilization in (0.3, 0.5):
        assert measured_over_formula(*trace("conv"), utilization) == pytest.approx(1.0, abs=0.15)


def test_it_is_the_bursts_and_not_the_sizes_that_break_the_formula():
    gaps, tokens = trace("code")
    rng = np.random.default_rng(2)
    ratios = [
        measured_over_formula(rng.exponential(gaps.mean(), gaps.size), rng.permutation(tokens), 0.5)
        for _ in range(8)
    ]
    assert abs(np.mean(ratios) - 1) < 4 * np.std(ratios, ddof=1) / math.sqrt(8)
