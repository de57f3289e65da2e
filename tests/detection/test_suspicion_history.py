"""Pairing suspicions with their ends, and the hours of being up that they are measured against."""

from dscourse.detection.suspicions import Suspicion, Uptime, suspicions


def test_uptime_knows_who_was_up_when():
    uptime = Uptime({"a": ((1.0, 3.0), (8.0, 10.0))}, 10.0)
    assert uptime.downtimes("a") == [(1.0, 3.0), (8.0, 10.0)]
    assert uptime.downtimes("b") == []
    assert [uptime.is_up("a", t) for t in (0.5, 1.0, 2.9, 3.0, 9.0)] == [True, False, False, True, False]
    assert uptime.next_crash("a", 1.5) == 8.0
    assert uptime.next_crash("b", 0.0) == 10.0
    assert uptime.crashed == ["a"]


def test_time_together_counts_overlapping_downtimes_once():
    uptime = Uptime({"a": ((1.0, 4.0),), "b": ((2.0, 5.0),)}, 10.0)
    assert uptime.up_together("a", "b") == 6.0
    assert uptime.up_together("a", "c") == 7.0
    assert uptime.up_together("a", "b", (3.0, 6.0)) == 1.0


def test_suspicions_end_with_trust_the_observers_crash_or_the_run():
    uptime = Uptime({"q": ((5.0, 6.0),)}, 10.0)
    verdicts = [
        (1.0, "q", "p", True),
        (2.0, "q", "p", False),
        (3.0, "q", "p", True),  # forgotten in the crash at 5
        (7.0, "q", "p", True),
        (8.0, "r", "p", False),  # nothing to end
    ]
    assert suspicions(verdicts, uptime) == {
        ("q", "p"): [
            Suspicion("q", "p", 1.0, 2.0),
            Suspicion("q", "p", 3.0, 5.0),
            Suspicion("q", "p", 7.0, 10.0),
        ]
    }
