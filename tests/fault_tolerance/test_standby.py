"""Hot, warm and cold standby: what is measured against what must come out."""

import pytest

from dscourse.fault_tolerance import OnlyHeartbeats, Standby, answered_share
from dscourse.simulation import Byzantine, Crash, check_determinism


@pytest.fixture(scope="module")
def measured():
    return {mode: Standby(mode).measure(crash_at=47.0) for mode in ("hot", "warm", "cold")}


def test_hot_loses_nothing_and_hardly_stops(measured):
    hot = measured["hot"]
    assert hot.lost_work == 0
    assert hot.recovery_time <= 1 / 10 + 4 * 0.005 + 1e-9
    assert hot.failed_requests <= 1
    assert hot.work == pytest.approx(2.0, abs=0.02)


def test_warm_waits_for_the_timeout_and_loses_what_came_after_the_last_copy(measured):
    warm = measured["warm"]
    # the last heartbeat left at 46.5: silence until 48.5, then a second to take over
    assert warm.recovery_time == pytest.approx(48.5 + 1.0 - 47.0, abs=0.15)
    assert warm.lost_work == pytest.approx((47.0 - 45.0) * 10, abs=1)
    assert warm.failed_requests == pytest.approx(warm.recovery_time * 10, abs=2)
    assert warm.work == pytest.approx(1.0, abs=0.01)


def test_cold_boots_first_and_loses_what_came_after_the_last_backup(measured):
    cold = measured["cold"]
    assert cold.recovery_time == pytest.approx(48.5 + 25.0 - 47.0, abs=0.15)
    assert cold.lost_work == pytest.approx((47.0 - 30.0) * 10, abs=1)
    assert (cold.machines, measured["warm"].machines, measured["hot"].machines) == (1, 2, 2)


@pytest.mark.parametrize("mode", ["hot", "warm", "cold"])
def test_nothing_more_is_asked_of_a_server_that_is_taken_for_dead(measured, mode):
    trace = measured[mode].run.trace
    suspected = trace.select(kind="record", name="suspect").times[0]
    asked = trace.select(kind="send", node="front", peer="a", name="Apply")
    assert len(asked) == pytest.approx(suspected * 10, abs=2)
    assert max(asked.times) < suspected


def test_the_order_is_the_same_in_every_column(measured):
    for column in ("recovery_time", "lost_work", "failed_requests"):
        values = [getattr(measured[mode], column) for mode in ("hot", "warm", "cold")]
        assert values == sorted(values)
    assert measured["hot"].messages > measured["warm"].messages > 3


def test_on_average_half_an_interval_is_lost():
    moments = [40.5, 41.5, 42.5, 43.5, 44.5]
    lost = [Standby("warm").measure(crash_at=moment).lost_work for moment in moments]
    assert sum(lost) / len(lost) == pytest.approx(10 * 5.0 / 2, abs=1)


def test_settings_move_what_they_should():
    quick = Standby("warm", heartbeat_interval=0.1, timeout=0.3, checkpoint_interval=0.5, takeover_time=0.2)
    result = quick.measure(crash_at=10.03)
    assert result.recovery_time < 0.7
    assert result.lost_work <= 6


def test_a_crash_before_the_first_copy_loses_everything():
    result = Standby("cold", boot_time=2.0).measure(crash_at=10.0)
    assert result.lost_work == pytest.approx(100, abs=2)


def test_the_same_scenario_gives_the_same_run():
    check_determinism(Standby("warm").scenario(5.0, 12.0), 12.0)


@pytest.mark.parametrize(
    ("mode", "watch", "share"),
    [
        ("warm", "heartbeats", 0.0),
        ("warm", "answers", 0.87),
        ("cold", "answers", 0.4),
        ("hot", "heartbeats", 1.0),
    ],
)
def test_a_server_that_is_half_dead_is_replaced_by_who_listens_to_answers(mode, watch, share):
    calm = Standby(mode, watch=watch, boot_time=10.0).scenario(None, 30.0)
    run = calm.with_faults(Byzantine("a", OnlyHeartbeats(), at=6.0)).run(30.0)
    assert answered_share(run, 0.0) < 1.0 or mode == "hot"
    assert answered_share(run, 6.0) == pytest.approx(share, abs=0.15 if mode == "cold" else 0.02)
    assert bool(run.trace.select(kind="send", name="TakeOver")) == (watch == "answers")


def test_who_listens_to_answers_takes_nobody_for_dead_without_need():
    assert not Standby("warm", watch="answers").scenario(None, 10.0).run(10.0).trace.select(name="suspect")
    idle = Standby("warm", watch="answers", rate=0.2).scenario(None, 10.0).run(10.0)  # a request every 5 s
    assert not idle.trace.select(name="suspect")


def test_a_half_dead_server_that_is_killed_is_replaced():
    calm = Standby("warm").scenario(None, 30.0)
    run = calm.with_faults(Byzantine("a", OnlyHeartbeats(), at=6.0), Crash("a", 14.0)).run(30.0)
    assert answered_share(run, 17.6) == 1.0
