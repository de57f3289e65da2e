"""Six incidents, replayed."""

from statistics import median

import pytest

from dscourse.consensus import (
    SAFETY,
    FencedStorage,
    FirstLeads,
    Storage,
    always_an_address,
    committed_entries_survive,
    half_broken_switch,
    late_clean_up,
    late_plan,
    lease_by_timer,
    no_stale_writes,
    promoted_in_the_west,
    sold_twice,
    two_coasts,
)
from dscourse.consistency import History, Register, check_linearizable
from dscourse.replication import lost_writes


def leads(run, after=0.0):
    events = run.trace.select(kind="record", name="leads")
    return [(str(event.node), event.time) for event in events if event.time >= after]


@pytest.mark.parametrize(("settings", "elections"), [
    ({}, range(8, 40)), ({"pre_vote": True}, range(1)), ({"check_quorum": True}, range(1)),
    ({"pre_vote": True, "check_quorum": True}, range(1)),
])  # fmt: skip
def test_a_member_that_hears_nobody_elects_again_and_again_unless_it_asks_first(settings, elections):
    run = half_broken_switch(deaf=True, **settings).run(12.0)
    assert len(leads(run, after=2.0)) in elections
    done = sum(one.outcome == "ok" and one.invoked > 2.0 for one in run.history())
    assert (done < 60) == (not settings)
    assert run.check(*SAFETY)


def test_a_link_cut_both_ways_costs_one_election_more():
    assert len(leads(half_broken_switch().run(12.0), after=2.0)) <= 2
    assert leads(half_broken_switch(pre_vote=True).run(12.0), after=2.0) == []


def test_a_lease_that_a_timer_looks_at_leaves_two_leaders_for_two_seconds():
    run = lease_by_timer().run(26.0)
    (node, begins), (old, ends) = leads(run)[1], ("n0", 0.0)
    down = run.trace.select(kind="record", name="status", node="n0")
    ends = next(event.time for event in down if event.time > 1.0 and event.detail["status"] == "follower")
    assert (node, old) == ("n2", "n0")
    assert begins == pytest.approx(20.0, abs=0.1)
    assert ends - begins == pytest.approx(2.0, abs=0.1)
    assert not check_linearizable(History.from_run(run), Register())
    right = lease_by_timer(FirstLeads).run(26.0)
    assert check_linearizable(History.from_run(right), Register())
    assert leads(right)[1][0] == "n2"


def test_a_plan_that_comes_late_replaces_a_newer_one_unless_the_storage_looks():
    assert not late_plan(Storage).run(10.0).check(no_stale_writes)
    assert late_plan(FencedStorage).run(10.0).check(no_stale_writes)


def test_two_coasts_diverge_or_pay_with_latency():
    def latency(run, client):
        done = [one.latency for one in run.history() if one.client == client and one.outcome == "ok"]
        return median(done[:30])

    naive, quorum = two_coasts(quorum=False).run(60.0), two_coasts(quorum=True).run(60.0)
    assert len(sold_twice(naive)) > 100
    assert quorum.check(committed_entries_survive)
    assert latency(naive, "c0") < 0.002
    assert latency(quorum, "c0") == pytest.approx(0.061, abs=0.005)
    assert latency(quorum, "c1") == pytest.approx(0.12, abs=0.01)
    elected = leads(quorum, after=10.0)
    assert elected
    assert all(name.startswith(("w", "z")) for name, time in elected if time < 53.0)


@pytest.mark.parametrize(("settings", "seen"), [
    ({}, {3, None}), ({"compares": True}, set()), ({"spares": True}, {3}),
])  # fmt: skip
def test_a_clean_up_deletes_what_is_in_use_unless_one_of_two_things_is_looked_at(settings, seen):
    run = late_clean_up(**settings).run(14.0)
    assert bool(run.check(always_an_address)) == (None not in seen)
    late = [(one.invoked, one.value) for one in run.history() if one.invoked > 8.0]
    assert {plan for _, plan in late if plan is None or plan < 8} == seen
    mended = {plan for time, plan in late if time > 9.7}
    assert (mended == {None}) == (None in seen)  # no newer plan is applied any more
    assert {one.value for one in run.history() if 1.5 < one.invoked < 8.0} >= {3, 4, 5, 6, 7}


@pytest.mark.parametrize(
    ("mode", "copies", "lost"), [("async", 1, 214), ("semi-sync", 1, 213), ("semi-sync", 2, 0)]
)
def test_a_promotion_on_the_other_coast_loses_what_stands_on_one_coast_only(mode, copies, lost):
    run = promoted_in_the_west(mode, acknowledgements=copies).run(70.0)
    assert len(lost_writes(run)) == lost

    def latencies(user, begin, end):
        history = [one for one in run.history() if one.client == user and begin <= one.invoked < end]
        return [one.latency for one in history if one.outcome == "ok"]

    assert (median(latencies("c0", 0, 9)) < 0.003) == (copies == 1)
    assert bool(latencies("c0", 12, 52)) == (copies == 1)  # the East goes on alone, or not at all
    assert median(latencies("c0", 56, 70)) == pytest.approx(0.06, abs=0.002)  # its leader is now far away
    assert median(latencies("c1", 12, 52)) < 0.003
