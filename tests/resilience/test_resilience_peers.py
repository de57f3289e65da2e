"""Other people's policies as oracles, over thousands of random sequences of calls; each difference is named here.

- pybreaker counts consecutive failures and lets calls through one by one when half-open, however many there are; ours
  hands out as many tokens as good calls are needed. One after the other, both do the same.
- tenacity's exponential wait is our back-off without jitter, its random one our full jitter.
- token-bucket compares floats as they are; ours forgives a billionth of a token, so that ten times a tenth is one. On
  times and rates that are sums of powers of two, both do the same.
"""

import contextlib
import datetime
import sys
from random import Random
from types import SimpleNamespace

import pybreaker
import pytest
import tenacity
import token_bucket

from dscourse.resilience import CircuitBreaker, TokenBucket, exponential_backoff

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize("seed", range(200))
def test_pybreaker_on_random_calls(seed, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(
        pybreaker, "datetime", SimpleNamespace(now=lambda zone: START + datetime.timedelta(seconds=clock.now))
    )
    rng = Random(seed)
    limit, wait, good = rng.randint(1, 5), rng.randint(1, 8), rng.randint(1, 3)
    ours = CircuitBreaker(consecutive_failures=limit, open_for=wait, half_open_calls=good)
    theirs = pybreaker.CircuitBreaker(fail_max=limit, reset_timeout=wait, success_threshold=good)
    failing = rng.choice([0.2, 0.5, 0.8])
    for _ in range(100):
        clock.now += rng.choice([0.0, 0.25, 0.5, 1.0, 4.0])
        ok, made = rng.random() >= failing, []

        def call(ok=ok, made=made):
            made.append(ok)
            if not ok:
                raise ConnectionError

        with contextlib.suppress(pybreaker.CircuitBreakerError, ConnectionError):
            theirs.call(call)
        token = ours.allow(clock.now)
        assert (token is not None) is bool(made)
        if token is not None:
            ours.record(clock.now, ok, token)
        assert ours.state == theirs.current_state


ATTEMPTS = [*range(1, 70), 100, 1023, 1024, 1025, 5000, 10_000]
BASES = [(0.1, 20.0), (1.0, 1e6), (0.5, 0.25), (1e-3, 60.0), (3.0, 1e300)]


@pytest.mark.parametrize(("base", "cap"), BASES)
def test_tenacity_waits_as_long_without_jitter(base, cap):
    wait = tenacity.wait_exponential(multiplier=base, max=cap)
    for attempt in ATTEMPTS:
        theirs = wait(SimpleNamespace(attempt_number=attempt))
        assert exponential_backoff(attempt, base=base, cap=cap) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(("base", "cap"), BASES)
def test_tenacity_waits_as_long_with_full_jitter(base, cap, monkeypatch):
    rng, luck = Random(7), Random(7)
    monkeypatch.setattr(tenacity.wait.random, "uniform", lambda low, high: low + luck.random() * (high - low))
    wait = tenacity.wait_random_exponential(multiplier=base, max=cap)
    for attempt in ATTEMPTS:
        ours = exponential_backoff(attempt, base=base, cap=cap, jitter="full", rng=rng)
        assert ours == pytest.approx(wait(SimpleNamespace(attempt_number=attempt)), rel=1e-12)


@pytest.mark.parametrize("seed", range(100))
def test_token_bucket_on_random_calls(seed, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    storage = sys.modules[token_bucket.MemoryStorage.__module__]
    monkeypatch.setattr(storage, "time", SimpleNamespace(monotonic=lambda: clock.now))
    rng = Random(seed)
    rate, size = rng.choice([0.25, 1.0, 4.0, 12.5]), rng.randint(1, 20)
    ours = TokenBucket(rate, size)
    theirs = token_bucket.Limiter(rate, size, token_bucket.MemoryStorage())
    for _ in range(100):
        clock.now += rng.choice([0.0, 0.0, 0.125, 0.5, 3.0])
        cost = rng.randint(1, 4)
        assert ours.take(clock.now, cost) == theirs.consume("us", cost)
