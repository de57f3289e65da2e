"""The shop of notebook 00: what its tasks ask for can be done, and is seen where they say."""

import pytest

from dscourse.exercises import start_here
from dscourse.simulation import Crash, Partition, Pause, Resume

CALM = start_here.shop.run(until=8.0)
WOKEN = CALM.fork(2.0, Pause("n0", at=2.0)).fork(5.0, Resume("n0", at=5.0))
TASKS = {task.name.rpartition(".")[2]: task for task in start_here.drive}


@pytest.mark.parametrize(
    ("name", "run"), [("crash_n0", CALM.fork(2.0, Crash("n0", at=2.0))), ("pause_n0", WOKEN)]
)
def test_a_task_is_done_by_what_it_says_and_not_before(name, run):
    assert TASKS[name].done(run)
    assert not TASKS[name].done(CALM)


def test_the_moment_at_which_two_lead_is_there_to_find_only_when_n0_has_resumed():
    task = TASKS["wakes_up"]
    (visit,) = task.visits(WOKEN)
    middle = (visit.begin + visit.end) / 2
    assert 5.0 <= visit.begin < visit.end < 5.3
    assert not start_here.at_most_one_leads(WOKEN.at(visit.begin))
    assert not start_here.at_most_one_leads(WOKEN.at(middle))
    assert start_here.at_most_one_leads(WOKEN.at(visit.end))
    assert WOKEN.at(4.9).nodes["n1"]["leader"] == "n1"
    for other in (CALM, CALM.fork(2.0, Pause("n0", at=2.0)), CALM.fork(2.0, Crash("n0", at=2.0))):
        assert task.visits(other) == ()
    assert not any(task.is_done_by(run) for run in (CALM, WOKEN))  # by the cursor alone


def test_each_sale_of_the_last_item_happens_where_the_tasks_look():
    split = CALM.fork(2.0, Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=2.0, until=6.0))
    sold = [
        event.time for event in split.trace.select(kind="record", name="sold") if event.detail["item"] == 1
    ]
    for time, task in zip(sold, start_here.see_the_price, strict=True):
        (visit,) = task.visits(split)
        assert visit.begin <= time <= visit.end
    assert start_here.holders(split, 1) == 2
    assert start_here.holders(CALM, 1) == 1
