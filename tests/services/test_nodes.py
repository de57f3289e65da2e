"""Balancers, servers and workers on the simulator, and the vectorised models held against them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.services import (
    Affinity,
    LeastConnections,
    PowerOfTwoChoices,
    RandomChoice,
    RoundRobin,
    View,
    balancing_scenario,
    calls_scenario,
    health_check_scenario,
    measure_scaling,
    session_scenario,
    simulate_balancing,
    worker_goodput,
    worker_scenario,
)
from dscourse.services.balancing import POLICIES
from dscourse.simulation import ClosedLoop, NodeError, Pause, Scenario, always, check_determinism


def mean_times(policy, seeds, seconds, **settings):
    """Mean times of several runs on the kernel, without the first tenth."""
    means = []
    for seed in range(seeds):
        run = balancing_scenario(policy, seed=seed, **settings).run(seconds)
        done = [operation for operation in run.history() if operation.completed is not None]
        means.append(np.mean([operation.latency for operation in done if operation.invoked > seconds / 10]))
    return np.array(means)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("terms", [{}, {"view_age": 2.0}, {"balancers": 3}], ids=["fresh", "old", "several"])
def test_the_vectorised_twin_agrees_with_the_kernel(policy, terms):
    system = {"servers": 5, "load": 0.7} | terms
    kernel = mean_times(policy, 5, 260.0, **system)
    twin = np.array([simulate_balancing(policy, requests=900, seed=s, **system).mean_time for s in range(60)])
    error = math.hypot(kernel.std(ddof=1) / math.sqrt(5), twin.std(ddof=1) / math.sqrt(60))
    assert abs(kernel.mean() - twin.mean()) < 4 * error


def test_a_server_that_fails_at_once_draws_the_requests_on_the_kernel_too():
    run = balancing_scenario(
        "least connections", servers=5, load=0.7, service_factors={"s0": 0.01}, failing=["s0"]
    ).run(150.0)
    outcomes = [operation.outcome for operation in run.history()]
    assert outcomes.count("fail") / len(outcomes) > 0.3
    assert all(operation.value == "s0" for operation in run.history() if operation.outcome == "fail")


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 6), st.floats(0.3, 1.4), st.integers(0, 99))
def test_least_connections_never_idles_a_server_while_another_is_sent_a_second(servers, load, seed):
    run = balancing_scenario("least connections", servers=servers, load=load, seed=seed).run(15.0)
    held = dict.fromkeys([f"s{k}" for k in range(servers)], 0)
    for event in run.trace:
        if event.kind == "send" and event.peer in held:
            assert held[event.peer] == min(held.values())
            held[event.peer] += 1
        elif event.kind == "deliver" and event.node in held:
            held[event.node] -= 1


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(0, 5), st.floats(0.5, 3.0), st.integers(0, 99))
def test_a_bounded_server_never_holds_more_than_its_bound(servers, limit, load, seed):
    scenario = balancing_scenario("random", servers=servers, load=load, queue_limit=limit, seed=seed)
    run = scenario.run(12.0)
    held = dict.fromkeys([f"s{k}" for k in range(servers)], 0)
    for event in run.trace:
        if event.kind == "send" and event.peer in held:
            held[event.peer] += 1
        elif event.kind in ("deliver", "drop") and event.node in held:
            assert event.kind == "deliver" or held[event.node] == limit + 2  # the one that found it full
            held[event.node] -= 1
            assert held[event.node] <= limit + 1  # and the one in service


random_pools = st.fixed_dictionaries(
    {
        "load": st.floats(0.3, 3.0),
        "deadline": st.floats(0.5, 5.0),
        "workers": st.integers(1, 3),
        "queue_limit": st.one_of(st.none(), st.integers(0, 5)),
        "newest_first": st.booleans(),
        "drop_expired": st.booleans(),
        "says_busy": st.booleans(),
        "attempts": st.integers(1, 3),
        "answer": st.sampled_from(["when done", "accepted"]),
        "seed": st.integers(0, 99),
    }
)


@settings(max_examples=25, deadline=None)
@given(random_pools)
def test_what_was_accepted_is_done_dropped_or_still_there_and_no_bound_is_passed(pool):
    def adds_up(moment):
        held = moment.nodes["w0"]
        there = len(held["queue"]) + len(held["in_hand"])
        return held["accepted"] == held["completed"] + held["dropped"] + there

    def within(moment):
        limit = pool["queue_limit"]
        return limit is None or len(moment.nodes["w0"]["queue"]) <= limit

    def never_idle_while_work_waits(moment):
        held = moment.nodes["w0"]
        return not held["queue"] or len(held["in_hand"]) == pool["workers"]

    verdicts = (
        worker_scenario(**pool)
        .run(12.0)
        .check(always(adds_up), always(within), always(never_idle_while_work_waits))
    )
    assert verdicts, verdicts


@pytest.mark.parametrize(
    "terms", [{}, {"queue_limit": 5}, {"drop_expired": True}, {"newest_first": True, "drop_expired": True}]
)
def test_the_worker_on_the_kernel_is_as_useful_as_its_twin(terms):
    useful = []
    for seed in range(4):
        run = worker_scenario(0.9, deadline=5.0, seed=seed, **terms).run(400.0)
        done = [op for op in run.history() if op.outcome == "ok" and op.invoked > 40 and op.latency <= 5.002]
        useful.append(len(done) / 360)
    twin = [worker_goodput(0.9, deadline=5.0, requests=400, seed=s, **terms) for s in range(60)]
    error = math.hypot(np.std(useful, ddof=1) / 2, np.std(twin, ddof=1) / math.sqrt(60))
    assert abs(np.mean(useful) - np.mean(twin)) < 4 * error


def test_a_burst_and_retries_leave_a_worker_that_does_nothing_but_useless_work():
    """Load 0.7, so there is room; the queue of a burst outlasts the deadline, and retries keep it there for ever."""

    def useful_late(**terms):
        run = worker_scenario(0.7, deadline=5.0, burst=(100.0, 60), **terms).run(800.0)
        late = [op for op in run.history() if 500 <= op.invoked < 780]
        return sum(op.outcome == "ok" and op.latency <= 15.1 for op in late) / len(late)

    assert useful_late(attempts=1) > 0.6
    assert useful_late(attempts=3) < 0.1
    assert useful_late(attempts=3, queue_limit=3) > 0.6


def test_runs_are_deterministic():
    check_determinism(balancing_scenario("two choices", servers=4, balancers=2, view_age=1.0), 10.0)
    check_determinism(worker_scenario(1.2, deadline=3.0, attempts=2, queue_limit=4), 20.0)


def test_a_scenario_travels_as_json():
    for scenario in (
        balancing_scenario("least connections", servers=3, view_age=0.5, failing=["s1"]),
        worker_scenario(1.2, deadline=3.0, attempts=2, queue_limit=4, burst=(2.0, 5)),
        health_check_scenario("deep", "a server's disk is full"),
        session_scenario("store"),
        calls_scenario("call chain", servers=3),
    ):
        again = Scenario.from_json(scenario.to_json(), scenario.node_factory)
        assert again.run(6.0).digest() == scenario.run(6.0).digest()


def test_a_server_that_stands_still_is_given_up_and_another_is_tried():
    def answered(attempts):
        scenario = balancing_scenario("round robin", servers=4, load=0.3, patience=8.0, attempts=attempts)
        run = scenario.with_faults(Pause("s1", at=5.0)).run(80.0)
        asked = [op for op in run.history() if 10 <= op.invoked < 60]
        return sum(op.outcome == "ok" for op in asked) / len(asked)

    assert answered(1) < 0.8
    assert answered(2) > 0.9


class Draws:
    """Luck that is known."""

    def __init__(self, *values):
        self.values = list(values)

    def random(self):
        return self.values.pop(0)


def view(counts, **more):
    names = tuple(counts)
    return View(names, counts, dict.fromkeys(names, 0), dict.fromkeys(names, 0), **more)


def test_policies_by_hand():
    load = view({"a": 3, "b": 1, "c": 1, "d": 0})
    assert RandomChoice()(load, Draws(0.6)) == "c"
    turns, luck = RoundRobin(), Draws(0.5)
    assert [turns(load, luck) for _ in range(3)] == ["c", "d", "a"]
    assert LeastConnections()(load, Draws(0.9)) == "d"
    equal = view({"a": 1, "b": 1})
    assert LeastConnections()(equal, Draws(0.9)) == "b"
    assert LeastConnections(ties="lowest")(equal, Draws(0.9)) == "a"
    assert PowerOfTwoChoices()(load, Draws(0.0, 0.0)) == "b"  # a and b
    assert PowerOfTwoChoices()(load, Draws(0.25, 0.0)) == "b"  # b and c: the first of equals
    assert PowerOfTwoChoices()(view({"a": 7}), Draws(0.9)) == "a"


def test_affinity_sends_a_key_to_the_same_server_and_moves_few_when_one_leaves():
    everybody = {f"s{k}": 0 for k in range(10)}
    pick, luck = Affinity(), Draws()
    keys = [f"session {k}" for k in range(300)]
    before = [pick(view(everybody, key=key), luck) for key in keys]
    assert before == [pick(view(everybody, key=key), luck) for key in keys]
    del everybody["s3"]
    after = [pick(view(everybody, key=key), luck) for key in keys]
    assert all(new == old for new, old in zip(after, before, strict=True) if old != "s3")


def test_refusals():
    with pytest.raises(ValueError, match="policy must be one of"):
        balancing_scenario("best")
    with pytest.raises(ValueError, match="load must be above 0"):
        worker_scenario(0.0, deadline=1.0)


def test_the_curve_of_partitions_agrees_with_the_kernel():
    """Users who ask again as soon as they have an answer, behind a balancer that picks at random."""
    nodes, users = 4, 3
    open_loop = balancing_scenario("random", servers=nodes, load=0.5)
    clients = [ClosedLoop((("get",),), think_time=0.0, to="b0", timeout=1e4, repeat=True)] * (nodes * users)
    done = []
    for seed in range(4):
        run = open_loop.changed(clients=clients, seed=seed).run(330.0)
        done.append(len(run.latencies(between=(30.0, 330.0))) / 300)
    curve = measure_scaling("partitioning", [nodes], users=users, requests=40_000)
    assert abs(np.mean(done) - curve.throughput[0]) < 4 * np.std(done, ddof=1) / 2 + 0.02


def test_a_server_that_joins_is_not_asked_before_and_takes_its_share_then():
    run = balancing_scenario("two choices", servers=4, load=0.6, joining={"s3": 20.0}).run(60.0)
    asked = [event.time for event in run.trace.select(kind="send", peer="s3") if event.node == "b0"]
    assert min(asked) >= 20.0
    assert 0.15 < len(asked) / len(run.trace.select(kind="send", node="b0", between=(20.0, 60.0))) * 2 < 0.35


def test_a_policy_that_picks_nobody_is_told_so():
    with pytest.raises(NodeError, match="a policy must return one of view"):
        balancing_scenario(lambda view, rng: None, servers=3).run(5.0)
