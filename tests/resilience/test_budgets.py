"""Back-off and retry budgets: published sequences of four systems, and bounds that hold for any attempt."""

import math
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.resilience import (
    Outcome,
    Retry,
    RetryBudget,
    aws_retry_quota,
    compose,
    envoy_budget,
    exponential_backoff,
    finagle_budget,
    grpc_throttle,
)

JITTERS = ("none", "full", "equal", "decorrelated")

# ── Back-off ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_doubles_up_to_the_cap():
    delays = [exponential_backoff(attempt, base=0.1, cap=1.0) for attempt in range(1, 7)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize(("base", "cap"), [(0.1, 20.0), (1e-9, 1e9), (1e300, 1e308), (0.0, 1.0), (5.0, 1.0)])
def test_any_attempt_up_to_ten_thousand_gives_a_delay_within_bounds(jitter, base, cap):
    rng, previous, last = Random(1), None, 0.0
    for attempt in [*range(1, 200), 1024, 1025, 10_000, 10**9]:
        delay = exponential_backoff(attempt, base=base, cap=cap, jitter=jitter, rng=rng, previous=previous)
        assert 0.0 <= delay <= cap
        if jitter == "none":
            assert delay >= last
        previous = last = delay


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(0, 10**6))
def test_jitter_is_on_the_delay_without_jitter_and_does_not_add_up(attempt, seed):
    def drawn(jitter):
        return exponential_backoff(attempt, base=0.1, cap=20.0, jitter=jitter, rng=Random(seed), previous=0.4)

    plain, luck = drawn("none"), Random(seed).random()
    assert drawn("full") == pytest.approx(luck * plain)
    assert drawn("equal") == pytest.approx(plain / 2 + luck * plain / 2)
    assert drawn("decorrelated") == pytest.approx(0.1 + luck * (1.2 - 0.1))


def test_decorrelated_begins_from_the_base():
    low, high = exponential_backoff(1, base=0.1, cap=9.0, jitter="decorrelated", rng=Random(3)), 0.3
    assert 0.1 <= low <= high


def test_jitter_needs_luck():
    with pytest.raises(ValueError, match="rng must be given for jitter='full'"):
        exponential_backoff(1, base=0.1, cap=1.0, jitter="full")


# ── gRPC (A6, Apache-2.0: the numbers) ────────────────────────────────────────────────────────────────────────────────


def test_grpc_throttle_of_its_own_tests():
    throttle = grpc_throttle(4, 1.6)
    rows = []
    for result in "FSFFFFFFSSS":
        (throttle.failure if result == "F" else throttle.success)(0.0)
        rows.append((throttle.tokens, throttle.may_retry(0.0)))
    assert rows == [
        (3, True), (4, True), (3, True), (2, False), (1, False), (0, False), (0, False), (0, False), (1.6, False),
        (3.2, True), (4, True),
    ]  # fmt: skip


def test_grpc_sums_are_exact():
    throttle = grpc_throttle(10, 0.1)
    for _ in range(6):
        throttle.failure(0.0)
    for _ in range(10):
        throttle.success(0.0)
    assert (throttle.tokens, throttle.may_retry(0.0)) == (5.0, False)
    throttle.success(0.0)
    assert throttle.may_retry(0.0)


# ── AWS (smithy-python's tests, Apache-2.0: the numbers) ──────────────────────────────────────────────────────────────


def aws_call(quota, answers, attempts):
    """Answers of one call, by status; return whether it went well in the end, and what is left of the quota."""
    stack = compose(Retry(attempts, base=0.0, jitter="none", budget=quota))
    call = stack.call(0.0)
    for number, status in enumerate(answers, 1):
        assert [attempt.number for attempt in call.take_attempts()] == [number]
        call.answer(0.0, number, Outcome("ok" if status == 200 else "failed"))
    assert call.take_attempts() == []
    return call.outcome.ok, quota.tokens


@pytest.mark.parametrize(
    ("capacity", "attempts", "answers", "ends"),
    [
        (500, 3, [500, 500, 200], (True, 495)),
        (500, 3, [502, 502, 502], (False, 490)),
        (5, 3, [500, 502], (False, 0)),
        (0, 3, [500], (False, 0)),
        (10, 5, [500, 502, 503], (False, 0)),
    ],
)
def test_aws_quota(capacity, attempts, answers, ends):
    assert aws_call(aws_retry_quota(capacity, 5), answers, attempts) == ends


def test_aws_quota_is_shared_by_calls():
    quota = aws_retry_quota(15, 5)
    assert aws_call(quota, [500, 502, 200], 3) == (True, 10)
    assert aws_call(quota, [500, 200], 3) == (True, 10)


def test_aws_quota_asked_by_itself():
    quota = aws_retry_quota()
    assert quota.may_retry(0.0)
    assert quota.may_retry(0.0)
    quota.success(0.0)
    assert quota.tokens == 495
    quota.success(0.0)  # of a call without a retry
    quota.failure(0.0)
    assert quota.tokens == 495


# ── Finagle and Envoy ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_finagle_grants_a_fifth_of_the_calls_and_ten_a_second():
    budget = finagle_budget()
    assert budget.tokens == 100  # ten a second, of ten seconds
    for _ in range(50):
        budget.failure(0.0)
    assert sum(budget.may_retry(0.0) for _ in range(500)) == 110
    assert not budget.may_retry(9.99)
    assert sum(budget.may_retry(10.0) for _ in range(500)) == 100  # the window has passed


def test_envoy_grants_a_fifth_of_what_is_under_way_and_three():
    budget = envoy_budget()
    assert sum(budget.may_retry(0.0) for _ in range(10)) == 3
    budget.failure(0.0)
    assert budget.may_retry(0.0)  # one has ended
    busy = envoy_budget()
    for _ in range(100):
        busy.begin(0.0)
    # The retries are under way, too: the next is granted while r < ⌊(100 + r) / 5⌋, so 24 of them and not 20.
    assert sum(busy.may_retry(0.0) for _ in range(100)) == 24


# ── A client whose server always fails ────────────────────────────────────────────────────────────────────────────────

BUDGETS = {
    "none": (RetryBudget, math.inf),
    "grpc": (lambda: grpc_throttle(10, 0.1), 8),  # the failures up to half of ten
    "aws": (aws_retry_quota, 100),
    "finagle": (lambda: finagle_budget(0.2, 0.0), 200),  # a fifth of the thousand calls
    "envoy": (lambda: envoy_budget(20, 3), math.inf),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_in_an_outage_a_budget_grants_so_many_retries_and_no_more(name):
    make, most = BUDGETS[name]
    budget, attempts = make(), 0
    stack = compose(Retry(4, base=0.0, jitter="none", budget=budget))
    for number in range(1000):
        call = stack.call(number * 0.001)
        while call.outcome is None:
            (attempt,) = call.take_attempts()
            attempts += 1
            call.answer(number * 0.001, attempt.number, Outcome("failed"))
    assert attempts == 1000 + budget.granted
    assert budget.granted <= min(most, 3000)
    if most == math.inf:
        assert budget.granted == 3000
    elif name in ("aws", "finagle"):
        assert budget.granted == most


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(sorted(BUDGETS)))
def test_retries_never_exceed_the_budget_and_nothing_leaks(data, name):
    """Calls end in any order, some are cut off by their deadline; in the end no retry is under way any more."""
    budget = BUDGETS[name][0]()
    stack = compose(Retry(3, base=0.1, jitter="none", budget=budget))
    now, running, attempts, calls = 0.0, [], 0, 0
    for _ in range(data.draw(st.integers(1, 60))):
        now += data.draw(st.sampled_from([0.0, 0.05, 0.3]))
        for call in running:
            call.tick(now)
        if data.draw(st.booleans()):
            running.append(stack.call(now, deadline=now + data.draw(st.sampled_from([0.25, 9.0]))))
            calls += 1
        elif running:
            call = data.draw(st.sampled_from(running))
            call.answer(now, call.attempts, Outcome(data.draw(st.sampled_from(["ok", "failed"]))))
        attempts += sum(len(call.take_attempts()) for call in running)
        if name == "envoy":
            assert budget._under_way <= max(3, 0.2 * budget._active)
        elif name != "none":
            assert budget.tokens >= 0
    for call in running:
        call.tick(now + 10.0)  # another attempt may begin; deadlines pass
        attempts += len(call.take_attempts())
        call.tick(now + 20.0)
    assert all(call.outcome is not None for call in running)
    assert attempts <= calls + budget.granted
    assert budget._under_way == 0
    if name == "envoy":
        assert budget._active == 0
