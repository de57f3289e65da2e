"""The launch, message by message, and what stands in for it; a tester beside users."""

import numpy as np
import pytest

from dscourse.exercises import scaling_metrics
from dscourse.scaling import launch_latencies, launch_scenario, mm1, stall_scenario
from dscourse.scaling.launch import LOCK_SECONDS, MACHINE_SECONDS, TRAVEL
from dscourse.simulation import Crash, Pause, check_determinism

MACHINE = mm1(6.0, 1 / MACHINE_SECONDS)


def latencies(run, since=0.0):
    return np.array([one.latency for one in run.history() if one.completed and one.invoked >= since])


@pytest.mark.parametrize(
    ("machines", "load", "lock"), [(1, 6.0, 0.0), (3, 15.0, LOCK_SECONDS), (6, 40.0, 0.01)]
)
def test_the_model_for_many_requests_says_what_the_cluster_does(machines, load, lock):
    runs = [
        launch_scenario(machines, plan=load, lock_seconds=lock, seed=seed).run(200.0) for seed in range(3)
    ]
    played = np.concatenate([latencies(run, since=10.0) for run in runs])
    stands_in = launch_latencies(load, machines=machines, lock_seconds=lock, requests=50_000)
    for quantile, near in ((0.5, 0.08), (0.9, 0.15), (0.99, 0.3)):
        assert np.quantile(played, quantile) == pytest.approx(np.quantile(stands_in, quantile), rel=near)


def test_one_machine_without_a_lock_is_the_queue_of_the_textbooks():
    times = launch_latencies(6.0, machines=1, lock_seconds=0.0, requests=400_000) - 2 * TRAVEL
    assert times.mean() == pytest.approx(MACHINE.sojourn_time, rel=0.03)
    assert np.quantile(times, 0.99) == pytest.approx(MACHINE.sojourn_quantile(0.99), rel=0.05)


@pytest.mark.parametrize("machines", [4, 6, 12])
def test_machines_do_not_get_more_through_the_lock(machines):
    run = launch_scenario(machines, launch=50.0).run(22.0)
    assert scaling_metrics.answered(run, since=4.0) == pytest.approx(1 / LOCK_SECONDS, rel=0.12)
    waiting = {node: len(held) for node, held in run.at(21.9).waiting.items()}
    if machines > 5:
        assert waiting["lock"] > 5 * max(count for node, count in waiting.items() if node != "lock")


def test_nothing_is_lost_and_every_answer_goes_to_who_asked():
    run = launch_scenario(3, plan=5.0, launch=10.0).run(20.0)
    history = run.history()
    early = [one for one in history if one.invoked < 15.0]
    assert {one.client for one in history} == {"c0", "c1"}
    assert all(one.outcome == "ok" for one in early)
    assert min(latencies(run)) > 3 * TRAVEL
    check_determinism(launch_scenario(3, launch=10.0), 6.0)


def test_a_tester_that_waits_stops_asking_while_the_server_stalls():
    run = stall_scenario().run(12.0)
    sent = [event.time for event in run.trace.select(kind="send", node="tester")]
    assert not any(3.3 < time < 7.0 for time in sent)
    reported = run.at(11.9).nodes["tester"]["latencies"]
    assert sum(seconds > 0.3 for seconds in reported) == 2
    assert scaling_metrics.slow_requests(run) == 19
    assert run.at(11.9).status["tester"].label == f"reports 2 slow of {len(reported)}"
    calm = stall_scenario(at=11.0, until=11.01).run(10.0)
    assert scaling_metrics.slow_requests(calm) == 0
    assert len(calm.at(9.9).nodes["tester"]["latencies"]) == 39


TROUBLE = {
    "one_less": (scaling_metrics.find_the_queue, scaling_metrics.launch_day(6), Crash("m4", 5.0)),
    "without_it": (scaling_metrics.find_the_slow, scaling_metrics.slow_machine, Crash("m3", 6.0)),
    "again": (scaling_metrics.see_the_stall, stall_scenario(), Pause("server", 8.5)),
    "not_promised": (scaling_metrics.launch_it, scaling_metrics.launch_day(7, 2), Crash("m1", 5.0)),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_task_is_done_by_what_it_asks_for(name):
    tasks, scenario, fault = TROUBLE[name]
    task = next(task for task in tasks if task.name == f"scaling_metrics.{name}")
    run = scenario.run(9.5)
    assert not task.done(run)
    assert task.done(run.fork(fault.at, fault))
    assert not task.done(run.fork(2.5, type(fault)(fault.node, 2.5)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: launch_scenario(0), "machines must be at least 1, got 0"),
        (lambda: launch_scenario(2, plan=2.0, launch=1.0), "launch must be above 2, got 1"),
        (lambda: launch_scenario(2, lock_seconds=-1), "lock_seconds must be at least 0, got -1"),
        (lambda: launch_latencies(0, machines=2), "load must be above 0, got 0"),
        (lambda: launch_latencies(5, machines=9, requests=8), "requests must be at least 9, got 8"),
        (lambda: scaling_metrics.try_design(201), "machines must"),
        (lambda: scaling_metrics.launch_day(2, lock=-1), "lock must"),
    ],
)
def test_a_wrong_value_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
