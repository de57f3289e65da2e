"""Overload that stays: one server, and DynamoDB's metadata service."""

import math

import pytest

from dscourse.resilience import (
    Retry,
    Timeout,
    ask_once,
    ask_twice,
    compose,
    dynamodb_report,
    dynamodb_scenario,
    grpc_throttle,
    overload_run,
)
from dscourse.resilience.incidents.dynamodb import END
from dscourse.simulation import check_determinism


def _with_budget():
    return compose(Retry(2, base=0.0, jitter="none", budget=grpc_throttle(10, 0.1)), Timeout(1.0))


@pytest.mark.parametrize(("policies", "served"), [(ask_twice, False), (ask_once, True), (_with_budget, True)])
def test_one_retry_keeps_an_overload_up_and_a_budget_lets_it_go(policies, served):
    outcome = overload_run(20.0, 10.0, policies, capacity=30.0, settled=60.0)
    assert (outcome.share > 0.9) is served
    assert outcome.share > 0.9 or outcome.share < 0.1


def test_without_a_trigger_the_same_load_is_served():
    assert overload_run(20.0, 0.0, capacity=30.0, settled=60.0).share > 0.99


@pytest.fixture(scope="module")
def reports():
    cases = {
        "as it was": {},
        "not paused": {"pause": False},
        "small answers": {"growth": 1.0, "pause": False},
        "back-off": {"backoff": True, "pause": False},
    }
    return {name: dynamodb_report(dynamodb_scenario(**case).run(END)) for name, case in cases.items()}


def test_dynamodb_was_down_for_hours_after_minutes_and_ended_only_with_a_pause(reports):
    assert reports["as it was"].error_rate == pytest.approx(0.55, abs=0.05)
    assert 165 < reports["as it was"].minutes < 300
    assert math.isinf(reports["not paused"].minutes)


def test_it_needed_grown_answers_and_servers_that_ask_again_at_once(reports):
    assert reports["small answers"].error_rate == 0
    assert reports["back-off"].error_rate < 0.01
    assert reports["back-off"].minutes < 20
    assert reports["as it was"].questions > 10 * reports["back-off"].questions


def test_it_is_deterministic():
    check_determinism(dynamodb_scenario(), 60.0)
