"""Policies round one call, and one inside the other: one outcome each, deadlines kept, the order as written."""

import math
import time
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.resilience import (
    AdaptiveThrottle,
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Hedge,
    IdempotencyKeys,
    LoadShedder,
    Outcome,
    Retry,
    Timeout,
    TokenBucket,
    compose,
    envoy_budget,
    grpc_throttle,
    run_call,
)

FAILED, GOOD = Outcome("failed"), Outcome("ok", "answer")


def sent(call):
    return [attempt.number for attempt in call.take_attempts()]


def fail_at_once(call, now=0.0):
    """Answer every attempt badly as soon as it is made; return how many there were."""
    count = 0
    while call.outcome is None:
        new = sent(call)
        count += len(new)
        for number in new:
            call.answer(now, number, FAILED)
        if not new:
            now = call.wake_at
            call.tick(now)
    return count


# ── Order ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_retry_outside_a_breaker_and_inside_it():
    breaker = CircuitBreaker(consecutive_failures=3)
    assert fail_at_once(compose(Retry(3, jitter="none"), breaker).call(0.0)) == 3
    assert breaker.state == "open"
    breaker = CircuitBreaker(consecutive_failures=3)
    assert fail_at_once(compose(breaker, Retry(3, jitter="none")).call(0.0)) == 3
    assert breaker.state == "closed"  # it has seen one failure


def test_a_breaker_outside_a_fallback_learns_nothing():
    outside, inside = CircuitBreaker(consecutive_failures=1), CircuitBreaker(consecutive_failures=1)
    assert fail_at_once(compose(outside, Fallback("old"), inside).call(0.0)) == 1
    assert (outside.state, inside.state) == ("closed", "open")


def test_a_breaker_inside_a_timeout_does_not_see_silence():
    breaker = CircuitBreaker(consecutive_failures=1)
    call = compose(Timeout(1.0), breaker).call(0.0)
    call.tick(1.0)
    assert (call.outcome.kind, breaker.state) == ("timed out", "closed")
    call = compose(breaker, Timeout(1.0)).call(0.0)
    call.tick(1.0)
    assert (call.outcome.kind, breaker.state) == ("timed out", "open")


def test_a_timeout_outside_a_retry_limits_all_attempts_and_inside_each():
    each = compose(Retry(3, base=0.1, jitter="none"), Timeout(0.3)).call(0.0)
    assert each.wake_at == pytest.approx(0.3)
    assert fail_at_once(each) == 3
    call = compose(Timeout(0.3), Retry(3, base=0.1, jitter="none")).call(0.0)
    assert sent(call) == [1]
    call.tick(0.3)
    assert (call.outcome.kind, call.take_cancelled()) == ("timed out", [1])


def test_retries_of_hedges_multiply():
    stack = compose(Retry(3, base=0.0, jitter="none"), Hedge(0.1, most=3))
    assert fail_at_once(stack.call(0.0)) == 9


def test_the_order_can_be_read():
    stack = compose(Retry(3), CircuitBreaker(), Timeout(0.3), Bulkhead(5))
    assert repr(stack) == "Retry(3) → CircuitBreaker(closed) → Timeout(0.3) → Bulkhead(5) → the call"


def test_a_policy_is_made_before_it_is_composed():
    with pytest.raises(TypeError, match="a policy must be made, such as Retry"):
        compose(Retry)


# ── Deadlines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_attempt_begins_at_the_deadline_and_none_is_waited_for_in_vain():
    call = compose(Retry(5, base=0.4, jitter="none")).call(0.0, deadline=1.0)
    assert sent(call) == [1]
    call.answer(0.1, 1, FAILED)
    call.tick(0.5)
    assert sent(call) == [2]
    call.answer(0.6, 2, FAILED)  # the next would be at 1.4
    assert call.outcome == FAILED
    late = compose(Retry(5)).call(1.0, deadline=1.0)
    assert (late.outcome.kind, sent(late)) == ("deadline passed", [])


def test_the_earlier_deadline_travels():
    stack = compose(Timeout(2.0), Retry(3, base=0.1, jitter="none"), Timeout(0.5))
    (first,) = stack.call(10.0).take_attempts()
    assert first.deadline == 10.5
    (first,) = stack.call(10.0, deadline=10.2).take_attempts()
    assert first.deadline == 10.2


def test_an_answer_at_the_deadline_comes_too_late():
    call = compose(Timeout(0.3)).call(0.0)
    call.answer(0.3, 1, GOOD)
    assert call.outcome.kind == "timed out"
    call = compose().call(0.0, deadline=0.3)
    call.answer(0.3, 1, GOOD)
    assert call.outcome.kind == "deadline passed"
    call.answer(0.4, 1, GOOD)
    assert call.outcome.kind == "deadline passed"


def test_a_server_that_says_when_to_come_again_is_obeyed():
    stack = compose(Retry(3, base=0.1, jitter="none"))
    call = stack.call(0.0)
    call.answer(0.0, 1, Outcome("failed", retry_after=2.0))
    assert call.wake_at == 2.0
    call = stack.call(0.0)
    call.answer(0.0, 1, Outcome("failed", retry_after=math.inf))
    assert call.outcome.kind == "failed"


def test_a_server_that_says_no_more_counts_as_a_failure_for_the_budget():
    budget = grpc_throttle(4, 1.0)
    compose(Retry(3, budget=budget)).call(0.0).answer(0.0, 1, Outcome("failed", retry_after=math.inf))
    assert budget.tokens == 3


# ── Hedges ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_answer_wins_and_the_others_are_cancelled():
    call = compose(Hedge(0.1, most=3)).call(0.0)
    assert sent(call) == [1]
    call.tick(0.1)
    call.tick(0.2)
    assert sent(call) == [2, 3]
    call.answer(0.25, 2, GOOD)
    assert (call.outcome, sorted(call.take_cancelled()), call.wake_at) == (GOOD, [1, 3], None)


def test_a_failure_sends_the_next_at_once_and_the_last_failure_is_the_end():
    call = compose(Hedge(5.0)).call(0.0)
    call.answer(0.1, 1, FAILED)
    assert sent(call) == [2]
    call.answer(0.2, 2, Outcome("failed", "last"))
    assert call.outcome.value == "last"


def test_a_failure_waits_for_the_others():
    call = compose(Hedge(0.1)).call(0.0)
    call.tick(0.1)
    call.answer(0.2, 2, FAILED)
    assert call.outcome is None
    call.answer(0.3, 1, GOOD)
    assert call.outcome == GOOD


def test_no_hedge_when_the_server_asks_for_none_or_the_budget_says_no():
    call = compose(Hedge(0.1)).call(0.0)
    call.answer(0.05, 1, Outcome("failed", retry_after=math.inf))
    assert call.outcome.kind == "failed"
    stack = compose(Hedge(0.1, budget=envoy_budget(0, 0)))
    call = stack.call(0.0)
    call.tick(0.1)
    assert sent(call) == [1]


# ── Bulkhead, bucket, shedder, throttle, fallback ─────────────────────────────────────────────────────────────────────


def test_a_permit_comes_back_once_whatever_ends_the_call():
    bulkhead = Bulkhead(2)
    stack = compose(Timeout(1.0), bulkhead)
    calls = [stack.call(0.0) for _ in range(3)]
    assert calls[2].outcome.kind == "bulkhead full"
    calls[0].answer(0.1, 1, FAILED)
    assert bulkhead.in_use == 1
    calls[1].tick(1.0)  # timed out
    calls[1].answer(1.1, 1, GOOD)
    assert bulkhead.in_use == 0
    permit = bulkhead.acquire()
    bulkhead.release(permit)
    bulkhead.release(permit)
    assert [bulkhead.acquire() is not None for _ in range(3)] == [True, True, False]


def test_a_full_bulkhead_tells_a_breaker_nothing():
    breaker, bulkhead = CircuitBreaker(consecutive_failures=1), Bulkhead(1)
    bulkhead.acquire()
    call = compose(breaker, bulkhead).call(0.0)
    assert (call.outcome.kind, breaker.state) == ("bulkhead full", "closed")


def test_a_bucket_lets_a_burst_through_and_then_its_rate():
    bucket = TokenBucket(rate=10, burst=5)
    assert sum(bucket.take(0.0) for _ in range(20)) == 5
    assert sum(bucket.take(0.05 * tick) for tick in range(1, 201)) == 100
    assert bucket.wait(10.0) == pytest.approx(0.1)
    assert bucket.wait(10.0, cost=6) == math.inf
    assert bucket.tokens(99.0) == 5


def test_a_bucket_says_when_to_come_again():
    stack = compose(TokenBucket(rate=2, burst=1))
    assert stack.call(0.0).outcome is None
    refused = stack.call(0.1).outcome
    assert (refused.kind, refused.retry_after) == ("rate limited", pytest.approx(0.4))


@pytest.mark.parametrize(
    ("queue_time", "priority", "remaining", "admitted"),
    [
        (2.0, 0, 9.0, True),
        (2.1, 0, 9.0, False),
        (0.5, 1, 9.0, True),
        (0.6, 1, 9.0, False),
        (0.6, 7, 9.0, False),
        (0.4, 0, 0.4, False),
    ],
)
def test_the_less_important_is_shed_first_and_what_would_come_too_late(
    queue_time, priority, remaining, admitted
):
    shedder = LoadShedder((2.0, 0.5))
    assert shedder.admit(queue_time, priority, remaining) is admitted
    call = compose(shedder).call(0.0, deadline=remaining, queue_time=queue_time, priority=priority)
    assert (call.outcome is None) is admitted


def test_a_throttle_needs_luck_and_forgets():
    throttle = AdaptiveThrottle(window=10.0)
    stack = compose(throttle)
    with pytest.raises(ValueError, match="needs rng"):
        stack.call(0.0)
    for _ in range(50):
        stack.call(0.0, Random(1)).answer(0.0, 1, FAILED)
    assert throttle.refusal_probability(0.0) == pytest.approx(50 / 51)
    assert stack.call(0.0, Random(1)).outcome.kind == "throttled"
    assert throttle.refusal_probability(10.0) == 0.0
    stack.call(10.0, Random(1)).answer(10.0, 1, GOOD)
    assert throttle.refusal_probability(10.0) == 0.0


def test_a_fallback_may_be_made_from_what_went_wrong():
    call = compose(Fallback(lambda outcome: f"old, since {outcome.kind}"), Timeout(1.0)).call(0.0)
    call.tick(1.0)
    assert (call.outcome.ok, call.outcome.kind, call.outcome.value) == (
        True,
        "fallback",
        "old, since timed out",
    )
    call = compose(Fallback("old")).call(0.0)
    call.answer(0.0, 1, GOOD)
    assert call.outcome == GOOD


# ── Idempotency ───────────────────────────────────────────────────────────────────────────────────────────────────────


def pay(stack, now, client="ann", amount=30):
    return stack.call(now, key=(client, "k"), body=amount)


def test_a_key_is_worked_on_once():
    stack = compose(IdempotencyKeys())
    first = pay(stack, 0.0)
    assert pay(stack, 0.1).outcome.kind == "in flight"
    assert pay(stack, 0.1, amount=40).outcome.kind == "other body"
    assert pay(stack, 0.1, client="bob").outcome is None
    first.answer(0.2, 1, Outcome("ok", "receipt"))
    assert pay(stack, 0.3).outcome == Outcome("ok", "receipt")
    assert pay(stack, 0.3, amount=40).outcome.kind == "other body"
    assert compose(IdempotencyKeys()).call(0.0).outcome is None  # no key


def test_a_failure_lets_go_and_silence_does_not():
    stack = compose(IdempotencyKeys(reserve_for=60.0), Timeout(1.0))
    pay(stack, 0.0).answer(0.1, 1, FAILED)
    silent = pay(stack, 0.2)
    silent.tick(1.2)
    assert silent.outcome.kind == "timed out"
    assert pay(stack, 1.3).outcome.kind == "in flight"  # it may have been done
    assert pay(stack, 60.1).outcome.kind == "in flight"
    assert pay(stack, 60.2).outcome is None  # whoever had it must have crashed


def test_answers_are_kept_for_a_day():
    stack = compose(IdempotencyKeys(keep_for=86_400.0))
    pay(stack, 0.0).answer(1.0, 1, GOOD)
    assert pay(stack, 86_400.9).outcome == GOOD
    assert pay(stack, 86_401.0).outcome is None


# ── Every call ends in exactly one way ────────────────────────────────────────────────────────────────────────────────


@st.composite
def stacks(draw):
    """Some of all policies in any order."""
    budget = draw(st.sampled_from([lambda: None, lambda: grpc_throttle(4, 0.5), envoy_budget]))
    made = {
        "retry": lambda: Retry(3, base=0.2, jitter="full", budget=budget()),
        "hedge": lambda: Hedge(0.3, most=3, budget=budget()),
        "breaker": lambda: CircuitBreaker(
            window=4, minimum_calls=3, open_for=1.0, half_open_calls=1, probe_timeout=2.0
        ),
        "bulkhead": lambda: Bulkhead(2),
        "timeout": lambda: Timeout(0.5),
        "outer": lambda: Timeout(1.2),
        "bucket": lambda: TokenBucket(4.0, 3.0),
        "shedder": lambda: LoadShedder((0.3,)),
        "throttle": AdaptiveThrottle,
        "fallback": lambda: Fallback("old"),
        "keys": lambda: IdempotencyKeys(reserve_for=5.0),
    }
    return [made[name]() for name in draw(st.permutations(sorted(made)))[: draw(st.integers(0, 7))]]


@settings(max_examples=250, deadline=None)
@given(stacks(), st.data())
def test_every_call_ends_once_and_nothing_stays_behind(policies, data):
    stack, rng = compose(*policies), Random(data.draw(st.integers(0, 99)))
    bulkheads = [policy for policy in policies if isinstance(policy, Bulkhead)]
    now, calls, waiting, deadlines = 0.0, [], [], {}
    for _ in range(data.draw(st.integers(1, 40))):
        now += data.draw(st.sampled_from([0.0, 0.1, 0.25, 0.6]))
        for call in calls:
            call.tick(now)
        if data.draw(st.booleans()):
            deadline = now + data.draw(st.sampled_from([0.0, 0.7, 3.0]))
            call = stack.call(
                now,
                rng,
                deadline=deadline,
                queue_time=data.draw(st.sampled_from([0.0, 0.4])),
                key=data.draw(st.sampled_from([None, ("ann", "k")])),
            )
            calls.append(call)
            deadlines[call] = deadline
        elif waiting:
            call, number = data.draw(st.sampled_from(waiting))
            before = call.outcome
            call.answer(now, number, data.draw(st.sampled_from([GOOD, FAILED])))
            assert before is None or call.outcome is before  # what is over stays as it is
        for call in calls:
            for attempt in call.take_attempts():
                assert now < attempt.deadline <= deadlines[call]
                waiting.append((call, attempt.number))
            gone = call.take_cancelled()
            waiting = [one for one in waiting if one[0] is not call or one[1] not in gone]
            assert call.outcome is None or not call._waiting
        assert all(bulkhead.in_use <= bulkhead.size for bulkhead in bulkheads)
    for call in calls:
        call.tick(now + 10.0)
        assert call.outcome is not None
        assert call.wake_at is None
        assert not call._waiting
    for bulkhead in bulkheads:
        assert bulkhead.in_use == 0
        assert sum(bulkhead.acquire() is not None for _ in range(9)) == bulkhead.size


# ── Round a real call ─────────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """A clock that goes on when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_a_real_call_is_retried_with_waits_and_gives_its_value():
    clock, tries = Clock(), []

    def flaky(attempt):
        tries.append(attempt.deadline)
        if len(tries) < 3:
            raise OSError("no route")
        return "answer"

    outcome = run_call(
        compose(Timeout(5.0), Retry(3, base=0.5, jitter="none")),
        flaky,
        clock=clock,
        sleep=clock.sleep,
        rng=Random(1),
    )
    assert outcome == Outcome("ok", "answer")
    assert clock.slept == pytest.approx([0.5, 1.0])
    assert tries == [105.0] * 3


def test_the_last_exception_is_the_value_of_a_failure_and_others_go_through():
    clock, error = Clock(), OSError("down")

    def fails(attempt):
        raise error

    stack = compose(Retry(2, jitter="none"))
    settings_of = {"clock": clock, "sleep": clock.sleep, "rng": Random(1)}
    assert run_call(stack, fails, **settings_of).value is error
    with pytest.raises(OSError, match="down"):
        run_call(stack, fails, failures=(ValueError,), **settings_of)


def test_a_slow_real_call_is_found_too_late_when_it_comes_back():
    clock = Clock()

    def slow(attempt):
        clock.now += 2.0
        return "late"

    stack = compose(Timeout(1.0))
    outcome = run_call(stack, slow, clock=clock, sleep=clock.sleep, rng=Random(1))
    assert outcome.kind == "timed out"


def test_the_same_stack_on_the_clock_of_this_machine():
    breaker = CircuitBreaker(consecutive_failures=2, open_for=0.02)
    stack = compose(Fallback("old"), breaker, Timeout(5.0))

    def ask(value):
        def function(attempt):
            if value is None:
                raise ConnectionError
            return value

        return run_call(stack, function, clock=time.monotonic, sleep=time.sleep, rng=Random(1)).value

    assert [ask(None), ask(None), ask("new")] == ["old", "old", "old"]
    time.sleep(0.03)
    assert ask("new") == "new"
