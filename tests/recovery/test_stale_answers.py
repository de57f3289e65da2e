"""A side without a majority that serves reads and says so: what is marked, what it is worth, and what is refused."""

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.consistency import History, Register, check_linearizable
from dscourse.recovery import Stale, stale_answers_scenario
from dscourse.simulation import Partition, check_determinism

LIMITED = settings(max_examples=15, deadline=None)


def ended(run, outcome="ok"):
    return [one for one in run.history() if one.outcome == outcome]


def is_read(operation):
    return operation.operation[0] == "get"


@pytest.fixture(scope="module")
def run():
    return stale_answers_scenario().run(9.0)


def at_g1(run):
    """What was asked where the majority is out of reach, while it was."""
    clients = [f"c{number}" for number in (2, 3)]
    return [one for one in run.history() if one.client in clients and 2.0 < one.invoked < 5.9]


def test_reads_on_that_side_are_marked_and_writes_refused_and_all_is_well_after_the_heal(run):
    reads = [one for one in at_g1(run) if is_read(one)]
    writes = [one for one in at_g1(run) if not is_read(one)]
    assert len(reads) > 5
    assert all(isinstance(one.value, Stale) for one in reads)
    assert {one.outcome for one in writes} == {
        "unknown",
        "fail",
    }  # the first was under way when the link went
    later = [one for one in run.history() if 6.5 < one.invoked < 8.5]
    assert later
    assert all(one.outcome == "ok" and not isinstance(one.value, Stale) for one in later)


def test_where_the_majority_is_nothing_is_stale_and_writes_go_on(run):
    there = [one for one in ended(run) if one.client in ("c0", "c1")]
    assert not any(isinstance(one.value, Stale) for one in there)
    assert len([one for one in there if not is_read(one) and 2.0 < one.invoked < 6.0]) > 8


def test_without_the_switch_reads_are_refused_like_writes():
    for seed in range(3):
        run = stale_answers_scenario(serves_stale=False, seed=seed, cut_until=8.0).run(8.0)
        assert not any(isinstance(one.value, Stale) for one in run.history())
        assert {one.outcome for one in at_g1(run)} == {"unknown", "fail"}


CUTS = st.tuples(
    st.floats(1.5, 4.0), st.floats(0.3, 4.0), st.sampled_from([1, 2, 3, 4]), st.integers(0, 10**6)
)


@LIMITED
@given(CUTS)
def test_whatever_is_not_marked_is_as_from_one_copy_and_whatever_is_marked_was_so_at_its_time(cut):
    begin, length, size, seed = cut
    sides = [[f"n{n}" for n in range(size)] + ["g0"], [f"n{n}" for n in range(size, 5)] + ["g1"]]
    scenario = stale_answers_scenario(seed=seed).with_faults(Partition(sides, at=begin, until=begin + length))
    run = scenario.changed(faults=scenario.faults[-1:]).run(9.0)
    stale = [one for one in ended(run) if isinstance(one.value, Stale)]
    unmarked = [one for one in History.from_run(run) if not isinstance(one.value, Stale)]
    assert check_linearizable(History(unmarked), Register())
    assert all(is_read(one) for one in stale)
    writes = {one.operation[2]: one for one in run.history() if not is_read(one)}
    for read in stale:
        value, as_of = read.value.value, read.value.as_of
        assert as_of <= read.completed
        if value is None:
            assert not any(one.outcome == "ok" and one.completed < as_of for one in writes.values())
            continue
        written = writes[value]
        assert written.invoked <= as_of
        between = [
            one
            for one in writes.values()
            if one.outcome == "ok" and one.invoked > (written.completed or 9.0) and one.completed < as_of
        ]
        assert not between, "a write that was acknowledged before is missing"


def test_it_is_deterministic():
    check_determinism(stale_answers_scenario(), 5.0)
