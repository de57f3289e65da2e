"""Resilience against the literature: AWS's jitter table, hedging, throttling, retry budgets, amplification."""

import heapq
from random import Random

import pytest

from dscourse.resilience import (
    AdaptiveThrottle,
    Hedge,
    Outcome,
    Retry,
    compose,
    exponential_backoff,
    finagle_budget,
)

# ── M. Brooker, Exponential Backoff and Jitter, 2015; numbers of its simulator, aws-arch-backoff-simulator 66cb169 ────

# By kind and clients: ms until the last has won, and write calls; means of 100 runs.
AWS = {
    "none": {50: (1137, 691), 100: (2028, 2424)},
    "exponential": {50: (36363, 623), 100: (63288, 1854)},
    "equal": {50: (4258, 348), 100: (6601, 811.8)},
    "full": {50: (2885, 333), 100: (4919, 795.9)},
    "decorrelated": {50: (2277, 375), 100: (4558, 1000.7)},
}
RUNS = 25


def waits(kind, rng):
    """A client's back-off: how many ms to wait after its next failure."""
    attempt, previous = 0, None
    while True:
        attempt += 1
        if kind == "none":
            yield 0.0
        elif kind == "decorrelated":
            previous = exponential_backoff(
                attempt, base=5.0, cap=2000.0, jitter=kind, rng=rng, previous=previous
            )
            yield previous
        else:  # their first wait is 2^1 · 5 ms
            jitter = "none" if kind == "exponential" else kind
            yield exponential_backoff(attempt, base=10.0, cap=2000.0, jitter=jitter, rng=rng)


def contend(kind, clients, seed):
    """Clients read a row's version, and write if it is still the same; who fails waits and reads again."""
    rng = Random(seed)

    def delay():
        return abs(rng.gauss(10.0, 2.0))

    version = calls = 0
    end = 0.0
    backoffs = [waits(kind, rng) for _ in range(clients)]
    events = [(delay(), client, None) for client in range(clients)]  # a read reaches the server
    heapq.heapify(events)
    while events:
        now, client, seen = heapq.heappop(events)
        if seen is None:
            heapq.heappush(events, (now + delay() + delay(), client, version))
            continue
        calls += 1
        if seen == version:
            version += 1
            end = max(end, now + delay())
        else:
            back = now + delay()
            heapq.heappush(events, (back + next(backoffs[client]) + delay(), client, None))
    return end, calls


@pytest.mark.parametrize("clients", [50, 100])
@pytest.mark.parametrize("kind", AWS)
def test_the_jitter_table_of_aws(kind, clients):
    runs = [contend(kind, clients, seed) for seed in range(RUNS)]
    time, calls = (sum(column) / RUNS for column in zip(*runs, strict=True))
    published_time, published_calls = AWS[kind][clients]
    assert time == pytest.approx(published_time, rel=0.08)  # four per cent at 100 runs
    assert calls == pytest.approx(published_calls, rel=0.06 if kind in ("none", "exponential") else 0.02)


# ── J. Dean, L. A. Barroso, The Tail at Scale, CACM 2013 ──────────────────────────────────────────────────────────────


def hedged(after, times):
    """Make calls one after the other; the n-th attempt of all takes times[n]. Return durations and attempts."""
    stack, durations, used = compose(Hedge(after)), [], 0
    while used < len(times) - 2:
        call, due = stack.call(0.0), []
        while call.outcome is None:
            for attempt in call.take_attempts():
                due.append((call.now + times[used], attempt.number))
                used += 1
            due.sort()
            if call.wake_at is not None and call.wake_at <= due[0][0]:
                call.tick(call.wake_at)
            else:
                call.answer(*due.pop(0), Outcome("ok"))
        durations.append(call.now)
    return sorted(durations), used


def test_a_hedge_at_the_95th_percentile_costs_five_per_cent_and_cuts_the_tail():
    rng = Random(1)
    times = [rng.lognormvariate(-4.6, 1.0) for _ in range(40_000)]
    p95 = sorted(times)[int(0.95 * len(times))]
    durations, attempts = hedged(p95, times)
    assert attempts / len(durations) == pytest.approx(1.05, abs=0.005)
    p999 = sorted(times)[int(0.999 * len(times))]
    assert durations[int(0.999 * len(durations))] < 0.6 * p999


# ── B. Beyer and others, Site Reliability Engineering, 2016, chapters 21 and 22 ───────────────────────────────────────


def test_ten_requests_of_which_none_was_accepted():
    throttle = AdaptiveThrottle(k=2.0)
    for _ in range(10):
        throttle.admit(0.0, Random(0))
    assert throttle.refusal_probability(0.0) == pytest.approx(10 / 11)  # .909


@pytest.mark.parametrize("k", [1.1, 2.0])
def test_a_throttled_client_sends_about_k_times_what_is_accepted(k):
    """The book: with 2, each accepted request comes with one that is refused at the server."""
    throttle, rng, sent, accepted = AdaptiveThrottle(k=k), Random(2), 0, 0
    for tick in range(60_000):  # 100 requests a second, of which the server takes 20
        now = tick / 100
        if throttle.admit(now, rng):
            counts = now >= 300.0
            sent += counts
            if rng.random() < 20 / max(20.0, 100 * (1 - throttle.refusal_probability(now))):
                throttle.accepted(now)
                accepted += counts
    assert sent / accepted == pytest.approx(k, rel=0.05)


def outage(attempts, budget=None, calls=1000):
    """How many attempts reach a server that fails each of them."""
    stack, count = compose(Retry(attempts, base=0.0, jitter="none", budget=budget)), 0
    for _ in range(calls):
        call = stack.call(0.0)
        while call.outcome is None:
            (attempt,) = call.take_attempts()
            count += 1
            call.answer(0.0, attempt.number, Outcome("failed"))
    return count / calls


def test_a_budget_of_ten_per_cent_holds_the_load_of_retries_at_a_tenth():
    assert outage(3) == 3.0
    assert outage(3, finagle_budget(ratio=0.1, retries_per_second=0.0)) == pytest.approx(1.1)


def test_finagle_in_an_outage_grants_a_fifth_and_ten_a_second():
    assert outage(3, finagle_budget()) == pytest.approx(
        1.2 + 100 / 1000
    )  # all within one window of ten seconds


def test_three_layers_of_four_attempts_are_sixty_four():
    layers = compose(*[Retry(4, base=0.0, jitter="none")] * 3)
    call, count = layers.call(0.0), 0
    while call.outcome is None:
        (attempt,) = call.take_attempts()
        count += 1
        call.answer(0.0, attempt.number, Outcome("failed"))
    assert count == 64
