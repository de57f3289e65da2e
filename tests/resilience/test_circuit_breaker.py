"""The breaker: resilience4j's own sequences, the defects of published breakers, and what must never happen."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.resilience import CircuitBreaker, SlidingWindow


def run(breaker, results, *, start=0.0, step=0.01):
    """Make calls one after the other: "F" fails, anything else goes well; return how many were allowed."""
    allowed = 0
    for place, result in enumerate(results):
        token = breaker.allow(start + place * step)
        if token is not None:
            allowed += 1
            breaker.record(start + place * step, result != "F", token)
    return allowed


# ── Windows (resilience4j's tests, Apache-2.0: the numbers) ───────────────────────────────────────────────────────────


def test_a_window_of_four_forgets_the_fifth():
    window, rates = SlidingWindow(count=4), []
    for ok in (False, True, True, True, True):
        window.record(0.0, ok)
        rates.append(window.failure_rate(0.0))
    assert rates == pytest.approx([1.0, 0.5, 1 / 3, 0.25, 0.0])
    assert window.calls(0.0) == 4


def test_slow_calls_and_durations_of_a_window():
    window = SlidingWindow(count=5)
    for ok, duration in ((True, 10.0), (False, 10.0), (True, 0.1), (True, 0.1), (True, 0.1)):
        window.record(0.0, ok, duration)
    assert window.slow_rate(0.0, slower_than=5.0) == pytest.approx(0.4)
    assert window.mean_duration(0.0) == pytest.approx(20.3 / 5)  # 4 060 ms of 20 300


def test_a_window_of_seconds_counts_in_whole_ones():
    window = SlidingWindow(seconds=3)
    for second in (0.9, 1.0, 2.0):
        window.record(second, ok=second != 1.0)
    assert [window.calls(now) for now in (2.99, 3.0, 3.99)] == [3, 2, 2]
    assert window.failure_rate(3.99) == 0.5
    assert [window.calls(now) for now in (4.0, 5.0)] == [1, 0]
    assert math.isnan(window.failure_rate(9.0))
    assert math.isnan(SlidingWindow(count=3).slow_rate(0.0, 1.0))
    assert math.isnan(SlidingWindow(count=3).mean_duration(0.0))


@pytest.mark.parametrize("arguments", [{}, {"count": 3, "seconds": 3}])
def test_a_window_is_of_calls_or_of_seconds(arguments):
    with pytest.raises(TypeError, match="either count= or seconds="):
        SlidingWindow(**arguments)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=60), st.integers(1, 6))
def test_windows_remember_what_a_list_would(calls, size):
    by_count, by_seconds, now, told = SlidingWindow(count=size), SlidingWindow(seconds=size), 0.0, []
    for gap, ok in calls:
        now += gap
        told.append((now, ok))
        by_count.record(now, ok)
        by_seconds.record(now, ok)
    last = told[-size:]
    recent = [ok for time, ok in told if math.floor(time) > math.floor(now) - size]
    for window, oks in ((by_count, [ok for _, ok in last]), (by_seconds, recent)):
        assert window.calls(now) == len(oks)
        if oks:
            assert window.failure_rate(now) == oks.count(False) / len(oks)


# ── States (resilience4j: 20 s window, minimum 5, 50 %, open 5 s, 4 permits) ──────────────────────────────────────────


def resilience4j():
    return CircuitBreaker(window=SlidingWindow(seconds=20), minimum_calls=5, open_for=5.0, half_open_calls=4)


@pytest.mark.parametrize(
    ("results", "state"),
    [
        ("FFFS", "closed"),  # fewer than five: no rate
        ("FFFSS", "open"),  # 60 % at the fifth, which is a good one
        ("SSSFF", "closed"),  # 40 %
        ("SSSFFF", "open"),  # exactly 50 %
    ],
)
def test_states_of_resilience4j(results, state):
    breaker = resilience4j()
    run(breaker, results)
    assert breaker.state == state


def test_half_open_hands_out_four_and_takes_one_back():
    breaker = resilience4j()
    run(breaker, "FFFSS")
    assert breaker.allow(5.03) is None  # opened at 0.04
    tokens = [breaker.allow(5.04) for _ in range(5)]
    assert [token is not None for token in tokens] == [True] * 4 + [False]
    breaker.release(5.05, tokens[0])
    breaker.release(5.05, tokens[0])  # a second time gives nothing
    assert breaker.allow(5.05) is not None
    assert breaker.allow(5.05) is None


def test_a_minimum_beyond_the_window_is_the_window():
    breaker = CircuitBreaker(window=4, minimum_calls=100)
    run(breaker, "FFFF")
    assert breaker.state == "open"


# ── Defects of published breakers ─────────────────────────────────────────────────────────────────────────────────────


def small(**settings):
    """Window 4, minimum 4, half of them, open 5 s, two permits, probes have 3 s."""
    return CircuitBreaker(
        **{"window": 4, "minimum_calls": 4, "open_for": 5.0, "half_open_calls": 2, "probe_timeout": 3.0}
        | settings
    )


def test_a_success_resets_what_counts_as_consecutive():
    breaker = CircuitBreaker(consecutive_failures=3)
    run(breaker, "FSFSFFS")
    assert breaker.state == "closed"
    run(breaker, "FFF", start=1.0)
    assert breaker.state == "open"


def test_given_consecutive_failures_no_rate_opens():
    breaker = CircuitBreaker(window=4, minimum_calls=1, failure_rate=0.1, consecutive_failures=3)
    run(breaker, "FFSFFSFFS")
    assert breaker.state == "closed"


def test_the_rate_is_of_the_window_and_not_of_its_life():
    breaker = small()
    run(breaker, "S" * 20 + "FF")
    assert breaker.state == "open"
    breaker = small()
    run(breaker, "FSSS" * 3)
    assert breaker.state == "closed"
    breaker = small()
    run(breaker, "F")
    assert breaker.state == "closed"


def test_half_open_lets_two_of_ten_through_and_two_good_ones_close():
    breaker = small()
    run(breaker, "SSFF")
    tokens = [breaker.allow(5.03) for _ in range(10)]
    assert sum(token is not None for token in tokens) == 2
    breaker.record(5.1, True, tokens[0])
    assert breaker.state == "half-open"
    breaker.record(5.2, True, tokens[1])
    assert breaker.state == "closed"


def test_one_failed_probe_opens_again_at_once_for_a_fresh_wait():
    breaker = small()
    run(breaker, "FFFF")
    tokens = [breaker.allow(5.03) for _ in range(2)]
    breaker.record(6.0, False, tokens[1])
    assert breaker.state == "open"
    breaker.record(6.1, True, tokens[0])  # of the half-open time that is over
    assert breaker.state == "open"
    assert breaker.allow(10.99) is None
    assert breaker.allow(11.0) is not None  # open ends at 5 s, not after them


def test_a_probe_that_never_answers_counts_as_failed():
    breaker = small()
    run(breaker, "FFFF")
    assert breaker.allow(6.0) is not None
    assert breaker.allow(8.99) is not None
    assert breaker.allow(8.99) is None
    assert breaker.allow(9.0) is None  # opened again as of 9.0
    assert breaker.state == "open"
    assert breaker.allow(13.99) is None
    assert breaker.allow(14.0) is not None


def test_without_a_probe_timeout_it_waits():
    breaker = small(probe_timeout=None, half_open_calls=1)
    run(breaker, "FFFF")
    token = breaker.allow(6.0)
    assert breaker.allow(1e6) is None
    breaker.record(1e6, True, token)
    assert breaker.state == "closed"


def test_results_of_an_earlier_generation_are_ignored():
    breaker = small(half_open_calls=1)
    early = breaker.allow(0.0)
    run(breaker, "FFFF", start=0.1)
    breaker.record(1.0, True, early)  # while it is open
    assert breaker.state == "open"
    probe = breaker.allow(6.0)
    breaker.record(6.1, True, early)
    assert breaker.state == "half-open"
    breaker.record(6.2, True, probe)
    assert breaker.state == "closed"
    breaker.record(6.3, False, probe)  # recorded already, in another generation
    assert run(breaker, "SSS", start=7.0) == 3
    assert breaker.state == "closed"


def test_a_new_time_closed_begins_with_an_empty_window():
    breaker = small(half_open_calls=1)
    run(breaker, "FFFF")
    run(breaker, "S", start=6.0)
    run(breaker, "FSSSF", start=7.0)
    assert breaker.state == "closed"


# ── What must never happen ────────────────────────────────────────────────────────────────────────────────────────────

WINDOWS = st.sampled_from([4, 10, SlidingWindow(seconds=5)])


@settings(max_examples=200, deadline=None)
@given(st.data(), WINDOWS, st.sampled_from([None, 3]), st.integers(1, 3), st.sampled_from([None, 2.0]))
def test_no_call_passes_while_it_is_open_and_few_while_half_open(data, window, streak, probes, patience):
    breaker = CircuitBreaker(
        window=window,
        minimum_calls=2,
        consecutive_failures=streak,
        open_for=5.0,
        half_open_calls=probes,
        probe_timeout=patience,
    )
    now, out, tried = 0.0, [], 0
    for _ in range(data.draw(st.integers(1, 60))):
        now += data.draw(st.sampled_from([0.0, 0.5, 2.5]))
        before, since = breaker.state, breaker._opened_at
        if out and data.draw(st.booleans()):
            breaker.record(now, data.draw(st.booleans()), out.pop(data.draw(st.integers(0, len(out) - 1))))
        else:
            token = breaker.allow(now)
            if breaker.state == "half-open" and before != "half-open":
                tried = 0
            if before == "open" and now < since + 5.0:
                assert (token, breaker.state) == (None, "open")
            if breaker.state == "open":
                assert token is None
            elif breaker.state == "half-open" and token is not None:
                tried += 1
                assert tried <= probes
            elif breaker.state == "closed":
                assert token is not None
            if token is not None:
                out.append(token)
