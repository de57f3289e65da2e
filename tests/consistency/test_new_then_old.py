"""New, and then old, by hand: a quorum without write-back, in the hands of an adversary."""

from functools import partial

from dscourse.exercises.consistency import HOMES, bad_reads, home, one_copy, questions
from dscourse.exploration import Deliver, explore, script
from dscourse.views import adversary

PUT, FIRST, SECOND = questions
# n2 asks n0, which has the new value, and answers; n1 asks n2, which has only told it.
WAY = (
    PUT,
    FIRST,
    Deliver("n2", "n0"),
    Deliver("n0", "n2", nth=2),
    SECOND,
    Deliver("n1", "n2"),
    Deliver("n2", "n1", nth=2),
)
careful = partial(home, write_back=True)


def test_seven_clicks_show_a_reader_the_new_value_and_the_next_one_the_old():
    panel = adversary(home, HOMES, one_copy, asks=questions)
    panel.take(*WAY[:-1])
    assert not panel.won
    panel.take(WAY[-1])
    assert panel.broken == ("one single copy could have answered so",)
    assert [one.value for one in panel.run.history()] == [None, 1, None]
    assert bad_reads(panel.run).culprit.process == "c2"
    assert "broken at step 7" in repr(panel)
    panel.take(Deliver("n0", "n1"))
    assert "broken at step 7" in repr(panel)  # what comes after it doesn't move it
    assert panel.shortest() == (
        "You took 7 steps. It is judged from whole runs, so whether fewer would do can't be told here."
    )
    panel.undo(2)
    assert not panel.won


def test_readers_that_write_back_leave_no_way_at_all():
    run = script(careful, HOMES, WAY, skip=True)
    assert run.check(one_copy)
    tried = explore(careful, HOMES, one_copy, asks=questions, fires=0, states=100_000)
    assert tried.outcome == "none"
    assert tried.states > 50_000


def test_without_it_a_search_finds_a_way_too():
    assert explore(home, HOMES, one_copy, asks=questions, fires=0, states=20_000).outcome == "found"
