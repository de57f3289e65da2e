"""The times of a failover, read off simulated runs."""

from dscourse.consensus import FailoverTimes, predict_failovers, raft_cluster
from dscourse.simulation import Constant, Crash, OpenLoop
from dscourse.views.live import draw_prediction


def test_they_are_read_off_the_trace():
    client = OpenLoop((("put", "x", 1), ("get", "x")), 20.0, "n0", timeout=1.0, arrivals="regular", start=1.0)
    first = raft_cluster(5, seed=2, clients=[client]).run(2.0)
    leader = first.trace.select(kind="record", name="leads")[-1].node
    run = first.fork(2.0, Crash(leader, 2.0), until=4.0)
    (detection,), (downtime,) = (found := FailoverTimes.of(run)).detection, found.downtime
    stands = run.trace.select(kind="record", name="status", between=(2.0, 4.0))
    assert detection == next(one.time for one in stands if one.detail["status"] == "candidate") - 2.0
    leads = run.trace.select(kind="record", name="leads", between=(2.0, 4.0))
    assert downtime == leads[0].time - 2.0
    assert len(found.write) == (1 if leader == "n0" else 0)
    assert FailoverTimes.of(first) == FailoverTimes((), (), found.write)


def test_the_crash_of_a_follower_is_no_failover():
    first = raft_cluster(3, seed=1).run(2.0)
    leader = first.trace.select(kind="record", name="leads")[-1].node
    follower = next(name for name in first.nodes if name != leader)
    assert FailoverTimes.of(first.fork(2.0, Crash(follower, 2.0), until=4.0)).downtime == ()


def test_longer_delays_make_longer_failovers_and_writes():
    fast, slow = (predict_failovers(Constant(delay), failovers=20) for delay in (0.001, 0.02))
    assert len(fast.downtime) == len(slow.downtime) == 20
    assert all(0.2 <= one <= 0.7 for one in fast.detection), "a timeout, less up to a heartbeat interval"
    assert sum(slow.downtime) > sum(fast.downtime)
    assert min(slow.write) >= 4 * 0.02 - 1e-9  # to the leader, to a follower and back, to the client
    assert max(fast.write) < 0.02
    assert predict_failovers(Constant(0.001), failovers=20) == fast


def test_the_picture_says_what_lies_where():
    predicted = FailoverTimes(tuple(n / 100 for n in range(20, 41)), (0.3, 0.5), (0.001, 0.002))
    measured = FailoverTimes((0.25, 0.9), (0.4,), (0.0015,))
    picture = draw_prediction(predicted, measured)
    assert picture.caption == "A leader dies, simulated and for real"
    assert (
        "nine of ten simulated take 210 to 390 ms; measured were 250 to 900 ms, 1 of 2 within" in picture.alt
    )
