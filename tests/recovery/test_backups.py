"""Restoring: exactly the state at its point, against a store that is simply replayed; and backups nobody has tried."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from dscourse.recovery import BackedUpStore, chance_that_none_works

CHANGES = st.lists(
    st.tuples(st.floats(0, 50), st.sampled_from("abcd"), st.none() | st.integers(0, 9)), max_size=40
).map(lambda changes: sorted(changes, key=lambda change: change[0]))


def filled(changes, **settings):
    store = BackedUpStore(**settings)
    for change in changes:
        store.put(*change)
    return store


def replayed(changes, to):
    state = {key: value for time, key, value in changes if time <= to}
    return {key: value for key, value in state.items() if value is not None}


@given(CHANGES, st.floats(0.5, 30), st.floats(0, 60))
def test_a_restore_gives_exactly_the_state_at_its_point(changes, interval, to):
    restored = filled(changes, checkpoint_interval=interval).restore(to)
    assert restored.state == replayed(changes, to)
    assert restored.lost == 0
    assert restored.undone == sum(time > to for time, _, _ in changes)


@given(CHANGES, st.floats(0.5, 30), st.floats(0, 60))
def test_without_a_log_it_gives_the_last_checkpoint_and_says_what_is_lost(changes, interval, to):
    restored = filled(changes, checkpoint_interval=interval, keep_log=False).restore(to)
    times = [change[0] for change in changes]
    checkpoints = [math.floor(time / interval) * interval for time in times]
    due = max((time for time in checkpoints if time <= to), default=0)
    kept = [change for change in changes if change[0] < due]
    assert restored.state == replayed(kept, to)
    assert restored.lost == sum(due <= time <= to for time in times)


def test_more_checkpoints_make_it_quicker_and_lose_less():
    changes = [(time / 10, time % 50, time) for time in range(1000)]
    often, seldom = (filled(changes, checkpoint_interval=interval).restore(99.0) for interval in (10.0, 80.0))
    assert often.state == seldom.state
    assert often.seconds == pytest.approx(
        50 / 1000 + 91 / 100
    )  # 50 keys are loaded, 9.1 s of changes replayed
    assert seldom.seconds == pytest.approx(50 / 1000 + 191 / 100)
    bare = filled(changes, checkpoint_interval=80.0, keep_log=False).restore(99.0)
    assert bare.lost == 191


def test_a_mistaken_delete_is_undone_by_going_back_to_just_before():
    store = filled([(1.0, "orders", 7), (2.0, "orders", None)], checkpoint_interval=100.0)
    assert store.state == {}
    assert store.restore(1.999).state == {"orders": 7}


def test_time_does_not_run_backwards():
    store = filled([(2.0, "a", 1)], checkpoint_interval=1.0)
    with pytest.raises(ValueError, match="time must be at least 2, got 1"):
        store.put(1.0, "a", 2)


@pytest.mark.parametrize("methods", [1, 2, 5])
@pytest.mark.parametrize("tried_every", [0.1, 1.0, 5.0])
def test_the_chance_that_no_backup_works_is_the_mean_over_the_time_since_the_trial(methods, tried_every):
    since = np.linspace(0, tried_every, 20_001)
    mean = np.trapezoid((-np.expm1(-0.5 * since)) ** methods, since) / tried_every
    assert chance_that_none_works(methods, 0.5, tried_every) == pytest.approx(mean, rel=1e-5)


def test_backups_that_nobody_tries_are_broken_in_the_end():
    assert chance_that_none_works(5, 0.1, math.inf) == 1
    assert chance_that_none_works(5, 0.0, math.inf) == chance_that_none_works(5, 0.0, 1.0) == 0
