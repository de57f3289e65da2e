"""A machine is added: to a pool of caches, and to a cluster that hands its keys over."""

import numpy as np
import pytest

from dscourse.exercises import partitioning as exercises
from dscourse.partitioning import (
    ConsistentHashRing,
    JumpPartitioner,
    ModuloPartitioner,
    cache_pool,
    database_load,
    growing_cluster,
    handed_over,
    keys_held,
    rebalance,
)
from dscourse.simulation import Crash, LoseMessage, check_determinism
from dscourse.views import Task, Visit

SERVERS = ["s1", "s2", "s3", "s4"]
WAYS = [ModuloPartitioner(SERVERS), ConsistentHashRing(SERVERS, 128), JumpPartitioner(SERVERS)]


@pytest.mark.parametrize("partitioner", WAYS, ids=repr)
def test_what_is_handed_over_is_what_rebalancing_says(partitioner):
    run = growing_cluster(partitioner).run(8.0)
    change = rebalance(partitioner, np.arange(60), add="s5")
    moves = handed_over(run)
    assert len(moves) == round(60 * change.moved)
    assert all(partitioner.owner(key) == sender for key, sender, _ in moves)
    held = keys_held(run)
    assert sorted(key for keys in held.values() for key in keys) == list(range(60))
    assert len(held["s5"]) == round(60 * change.takes["s5"])
    assert keys_held(run, 0.5)["s5"] == []


def test_a_key_whose_message_gets_lost_is_nobodys():
    run = growing_cluster(WAYS[1]).with_faults(LoseMessage("s1", "s5", 1)).run(8.0)
    key = handed_over(run)[0][0]
    assert all(key not in keys for keys in keys_held(run).values())


def test_keys_outlive_a_crash_and_the_hand_over_goes_on():
    run = growing_cluster(WAYS[0]).with_faults(Crash("s2", at=1.4, restart_at=4.0)).run(12.0)
    held = keys_held(run)
    lost = set(range(60)) - {key for keys in held.values() for key in keys}
    on_the_way = {key for key, _, to in handed_over(run) if to == "s2"}
    assert lost <= on_the_way
    after = ModuloPartitioner([*SERVERS, "s5"])
    assert all(after.owner(key) == node for node, keys in held.items() for key in keys)


def test_a_warm_pool_asks_its_database_nothing_until_it_grows():
    loads = {}
    for partitioner in WAYS[:2]:
        run = cache_pool(partitioner).run(20.0)
        assert database_load(run, 0.0, 4.0) == 0
        loads[repr(partitioner)] = database_load(run, 4.0, 8.0)
        cached = run.at(20.0).nodes["s5"]["cached"]
        grown = type(partitioner)([*SERVERS, "s5"])
        assert all(grown.owner(key) == "s5" for key in cached)
        assert len(run.history()) > 400
    by_mod, on_ring = loads.values()
    assert by_mod > 10 > on_ring  # questions a second, of which the database answers ten


def test_every_request_is_a_hit_or_asks_the_database_once():
    run = cache_pool(WAYS[0]).run(20.0)
    app = run.at(20.0).nodes["app"]
    looked_up = len(run.trace.select(kind="deliver", node="app", name="Cached"))
    assert app["hits"] + app["misses"] == looked_up
    assert app["misses"] == len(run.trace.select(kind="send", node="app", name="Query"))


def test_runs_repeat():
    check_determinism(cache_pool(WAYS[1]), 6.0)
    check_determinism(growing_cluster(WAYS[1]), 4.0)


TASKS = [task for name, tasks in vars(exercises).items() if name.startswith("watch_") for task in tasks]
RUNS = {
    "lost_on_the_way": lambda: (
        growing_cluster(WAYS[0]).with_faults(Crash("s5", at=2.0, restart_at=3.0)).run(6.0)
    ),
    "participant_crashes": lambda: exercises.transfer(Crash("n1", at=4.0, restart_at=5.0)),
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_can_be_done(task):
    assert isinstance(task, Task)
    make = RUNS.get(task.name.partition(".")[2])
    if make is None:
        assert isinstance(task.done, Visit)
    else:
        assert task.is_done_by(make())
        assert not task.is_done_by(exercises.transfer())


def test_a_crash_while_a_key_is_on_its_way_loses_it():
    run = RUNS["lost_on_the_way"]()
    assert sum(map(len, keys_held(run).values())) < 60


def test_the_runs_of_the_page_show_what_their_tasks_ask_for():
    calm = exercises.transfer()
    assert all(calm.at(time).nodes["n0"]["locked"] for time in (2.5, 3.4))
    doubt = exercises.transfer(Crash("app", at=2.75, restart_at=8.0))
    asked = doubt.trace.select(kind="send", name="Outcome", node="n0").times
    assert 6.0 <= asked[0] <= 8.4
    assert [doubt.at(time).nodes["n0"]["locked"] for time in (9.4, 9.6)] == [["alice"], []]
    stale = exercises.routed("client", exercises.NODES[:3])
    assert any(event.message.moved for event in stale.trace.select(kind="send", name="Answer"))
    for way, passed in (("client", 0), ("proxy", 8), ("any", 8)):
        run = exercises.routed(way)
        assert len(run.trace.select(kind="send", name="Pass")) == passed
        assert [done.outcome for done in run.history()] == ["ok"] * 8
    local, everywhere = exercises.repaint("local"), exercises.repaint("global")
    asks = [len(run.trace.select(kind="send", name="Ask", node="app")) for run in (local, everywhere)]
    assert asks == [2 + 4, 2 + 1]
    assert [run.history()[-1].value for run in (local, everywhere)] == [("car:1",)] * 2
