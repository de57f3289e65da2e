"""Leases, and storage that looks at tokens."""

import pytest

from dscourse.consensus import (
    FencedStorage,
    LeaseHolder,
    LockService,
    Storage,
    lock_cluster,
    no_stale_writes,
    one_holder,
)
from dscourse.consensus.leases import Acquire, Granted, Release
from dscourse.exploration import FaultMix, search
from dscourse.simulation import ClockDrift, ClockOffset, Crash, CutLink, DelayMessage, Pause

PAUSED = Pause("h0", 1.3, until=6.0)
CUT = CutLink("h0", "lock", 1.0)
LATE = DelayMessage("h0", "storage", 4, by=4.0)


def run(*faults, seconds=12.0, **settings):
    return lock_cluster(faults=faults, **settings).run(seconds)


def test_with_nothing_wrong_one_holder_works_on():
    done = run()
    assert done.check(one_holder, no_stale_writes)
    assert len(done.trace.select(kind="record", name="accepted")) > 20
    assert done.at(11.0).nodes["lock"]["token"] == 1, "whoever asks for more time keeps its token"


@pytest.mark.parametrize(("faults", "looks_again", "stale"), [
    ([PAUSED], False, True),  # Kleppmann 2016: paused between the look at the clock and the write
    ([PAUSED], True, False),  # it may look again …
    ([CUT, LATE], True, True),  # … and the write itself may take its time
    ([CUT, ClockDrift("h0", -0.4, 0.5)], True, True),  # or its clock is slow
    ([Crash("h0", 1.0)], False, False),
    ([CUT], False, False),
])  # fmt: skip
def test_a_holder_of_an_old_lease_writes_unless_the_storage_looks(faults, looks_again, stale):
    believing = run(*faults, storage=Storage, looks_again=looks_again)
    assert bool(believing.check(no_stale_writes)) is not stale
    assert run(*faults, storage=FencedStorage, looks_again=looks_again).check(no_stale_writes)


def test_a_slow_clock_makes_two_holders_unless_the_holder_allows_for_it():
    drift = [CUT, ClockDrift("h0", -0.2, 0.5)]
    assert not run(*drift).check(one_holder)
    assert run(*drift, drift=0.25).check(one_holder)


def test_a_jump_of_the_services_clock_makes_two_holders_and_fencing_keeps_the_data():
    jump = [ClockOffset("lock", 5.0, 1.05)]
    done = run(*jump)
    assert not done.check(one_holder)
    assert done.check(no_stale_writes)


def test_fencing_holds_whatever_goes_wrong():
    found = search(lock_cluster(3), no_stale_writes, until=8.0, seeds=150, faults=FaultMix(most=6))
    assert found, found
    assert not search(
        lock_cluster(3, storage=Storage), no_stale_writes, until=8.0, seeds=150, faults=FaultMix(most=6)
    )


class ReleasesForAnybody(LockService):
    """Superset PR 43462, nexspence#223: who comes back late releases the lock of the next."""

    def on_message(self, ctx, sender, message):
        if isinstance(message, Release):
            self.holder = None
        else:
            super().on_message(ctx, sender, message)


class MintsForEveryQuestion(LockService):
    """bsm/redislock PR 94: a token for a renewal, so that the holder's own earlier write looks old."""

    def on_message(self, ctx, sender, message):
        if isinstance(message, Acquire) and self.holder == sender:
            self.token += 1
        super().on_message(ctx, sender, message)


class Forgets(LockService):
    """It keeps nothing on disk: amnesia."""

    def on_start(self, ctx):
        ctx.save((0, None, 0.0))
        super().on_start(ctx)


class Asked:
    """A context for a service that is asked by hand."""

    def __init__(self):
        self.now, self.stored, self.answers = 0.0, None, []

    def save(self, state):
        self.stored = state

    def send(self, to, message):
        self.answers.append((to, message))

    def record(self, kind, /, **fields): ...


@pytest.mark.parametrize(
    ("service", "tokens"), [(LockService, (1, 1, 2)), (MintsForEveryQuestion, (1, 2, 3))]
)
def test_a_token_is_minted_for_a_new_holder_and_for_nothing_else(service, tokens):
    lock, ctx = service("lock", ("h0", "h1")), Asked()
    lock.on_message(ctx, "h0", Acquire(0.0))
    ctx.now = 1.0
    lock.on_message(ctx, "h0", Acquire(1.0))
    lock.on_message(ctx, "h1", Acquire(1.0))
    ctx.now = 3.5
    lock.on_message(ctx, "h1", Acquire(3.5))
    assert tuple(message.token for _, message in ctx.answers) == tokens
    assert [to for to, _ in ctx.answers] == ["h0", "h0", "h1"]


@pytest.mark.parametrize(("service", "kept"), [(LockService, True), (ReleasesForAnybody, False)])
def test_a_stranger_releases_nothing(service, kept):
    lock, ctx = service("lock", ("h0", "h1")), Asked()
    lock.on_message(ctx, "h0", Acquire(0.0))
    ctx.now = 2.5
    lock.on_message(ctx, "h1", Acquire(2.5))
    lock.on_message(ctx, "h0", Release(1))
    assert (lock.holder == "h1") is kept
    lock.on_message(ctx, "h1", Release(2))
    assert lock.holder is None


def test_a_service_that_forgets_grants_a_token_twice():
    for service, once in ((LockService, True), (Forgets, False)):
        done = run(Crash("lock", 1.0, restart_at=1.05), CUT, service=service, seconds=5.0)
        granted = [
            (event.peer, event.message.token)
            for event in done.trace.select(kind="send", node="lock")
            if isinstance(event.message, Granted)
        ]
        assert (len({token for _, token in granted}) == len(set(granted))) is once


def test_a_grant_that_comes_late_counts_from_when_it_was_asked_for():
    slow = run(DelayMessage("lock", "h0", 2, by=1.9), CutLink("h0", "lock", 0.9), seconds=6.0)
    assert slow.check(one_holder)


@pytest.mark.parametrize("settings", [{"work_time": 0.0}, {"drift": -0.1}, {"drift": 1.5}])
def test_settings_of_a_holder_that_are_none(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        LeaseHolder("h0", ("lock", "storage"), **settings)
