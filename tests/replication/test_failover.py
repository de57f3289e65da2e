"""Failover: who may be promoted, when the operator refuses, and that sync loses nothing within its promise."""

from dataclasses import replace
from itertools import pairwise

import pytest

from dscourse.exploration import FaultMix, search
from dscourse.replication import (
    acknowledged_writes_survive,
    choose_successor,
    disks_up,
    lost_writes,
    replicated_store,
)
from dscourse.replication.single_leader import failover
from dscourse.simulation import Constant, Crash, CutLink, OpenLoop, Partition, Pause, sometimes

WRITES = OpenLoop(
    [("put", f"k{number % 3}", number) for number in range(60)], rate=10.0, to="g0", timeout=1.0
)
SHORT = [
    OpenLoop(
        [("put", f"k{number % 2}", f"{name}{number}") for number in range(12)], rate=6.0, to=node, timeout=1.0
    )
    for name, node in (("a", "n0"), ("b", "g0"))
]


def at(**received):
    return {node: (1, index) for node, index in received.items()}


# orchestrator#1312 as a table: writes up to 10 were acknowledged.
@pytest.mark.parametrize(
    ("received", "settings", "node", "lost"),
    [
        (at(S1=10, S2=9), {}, "S1", None),  # S1 has applied 4 only: it applies the rest first
        (at(S2=9), {}, None, (10, 10)),  # S1 is out of reach
        (at(S2=9), {"accept_loss": True}, "S2", (10, 10)),
        (at(S1=9, S2=9), {}, None, (10, 10)),  # nobody has it: the loss is certain
        (at(S1=10, S2=10), {}, "S1", None),
        (at(S2=10), {"certain": False}, None, (11, None)),  # S1 may have acknowledged more
        (at(S2=10), {"certain": False, "accept_loss": True}, "S2", (11, None)),
        (at(), {"accept_loss": True}, None, None),
        ({"S1": (1, 12), "S2": (2, 11)}, {}, "S2", None),  # what a deposed leader wrote alone doesn't count
    ],
)
def test_who_may_be_promoted(received, settings, node, lost):
    choice = choose_successor(received, acknowledged=10, **settings)
    assert (choice.node, choice.lost) == (node, lost)
    assert choice.explanation


@pytest.mark.parametrize("mode", ["sync", "semi-sync"])
def test_a_new_leader_has_every_acknowledged_write(mode):
    run = replicated_store(mode=mode, clients=[WRITES], faults=[Crash("n0", at=2.0)]).run(9.0)
    assert lost_writes(run) == ()
    assert [one.outcome for one in run.history()].count("ok") > 45
    (choice,) = run.trace.select(kind="record", name="choice")
    assert choice.detail["leader"] == "n1"
    assert run.at(9.0).status["n1"].label.startswith("epoch 2 · log ")


def test_what_was_received_is_applied_before_the_new_leader_serves():
    run = replicated_store(
        mode="sync", clients=[WRITES], faults=[Crash("n0", at=2.0)], apply_time=0.4, latency=Constant(0.01)
    ).run(12.0)
    (promoted,) = run.trace.select(kind="record", node="n1", name="epoch")
    states = run.trace.select(kind="record", node="n1", name="status")
    serves = next(state for state in states if state.detail["status"] == "leader")
    behind = run.at(promoted.time).nodes["n1"]
    assert behind["applied"] < behind["received"]
    now = run.at(serves.time).nodes["n1"]
    assert now["role"] == "leader"
    assert now["applied"] >= behind["received"]
    assert serves.time - promoted.time == pytest.approx(
        0.4 * (behind["received"] - behind["applied"]), abs=0.4
    )


def test_the_operator_refuses_rather_than_lose_a_write_and_says_what():
    """Two of three are out of reach, so either may have acknowledged what the third doesn't have."""
    cut = Partition([["n0", "n1", "g0"], ["n2", "operator"]], at=2.0, until=5.0)
    run = replicated_store(mode="semi-sync", clients=[WRITES], faults=[cut]).run(9.0)
    choices = run.trace.select(kind="record", name="choice")
    assert choices[0].detail["leader"] is None
    assert "may have acknowledged" in choices[0].detail["why"]
    assert choices[-1].detail["leader"] is not None
    assert lost_writes(run) == ()
    careless = replicated_store(mode="semi-sync", clients=[WRITES], faults=[cut], accept_loss=True).run(9.0)
    assert len(lost_writes(careless)) > 10
    assert lost_writes(careless, disks_up(careless.at(9.0))) == lost_writes(careless)


def test_a_replica_that_is_back_counts_again():
    run = replicated_store(mode="sync", clients=[WRITES], faults=[Crash("n0", at=2.0, restart_at=4.0)]).run(
        9.0
    )
    epochs = run.trace.select(kind="record", name="epoch")
    assert [event.detail["followers"] for event in epochs if event.node == "n1"] == [["n2"], ["n0", "n2"]]


def test_a_leader_that_only_stood_still_is_deposed_and_told_so():
    run = replicated_store(mode="async", clients=[WRITES], faults=[Pause("n0", at=2.0, until=5.0)]).run(9.0)
    assert run.at(9.0).status["n0"].status == "follower"
    assert run.at(9.0).nodes["n0"]["leader"] == "n1"


def test_an_operator_that_was_away_begins_with_a_new_epoch():
    faults = [
        Crash("n0", at=1.0, restart_at=8.0),
        Crash("operator", at=4.0, restart_at=5.0),
        Crash("n1", at=6.0, restart_at=8.0),
    ]
    run = replicated_store(mode="sync", clients=[WRITES], faults=faults).run(12.0)
    assert lost_writes(run) == ()
    assert run.at(3.9).nodes["n1"]["epoch"] == 2
    assert run.at(5.9).nodes["n1"]["epoch"] == 3
    assert run.at(12.0).nodes["operator"]["leader"] is not None


def leaders(now):
    return [status for status in now.status.values() if status.status == "leader"]


def failed_over(now):
    return any("epoch 1" not in status.label for status in leaders(now))


@pytest.mark.parametrize("mode", ["sync", "semi-sync"])
@pytest.mark.parametrize(
    "mix",
    [FaultMix(crashes=1, most=5), FaultMix(most=5, heal_at=3.0)],
    ids=["one machine may stay down", "all come back"],
)
def test_no_acknowledged_write_is_lost_within_the_promise(mode, mix):
    """A copy besides the leader's promises to survive one machine; `benchmarks/replication_search.py` tries more."""
    scenario = replicated_store(mode=mode, clients=SHORT, timeout=0.5)
    found = search(scenario, acknowledged_writes_survive, until=4.0, seeds=250, faults=mix)
    assert found, found


def test_the_search_reaches_what_it_is_for():
    scenario = replicated_store(mode="sync", clients=SHORT, timeout=0.5)
    failover = sometimes(failed_over, name="a failover")
    deposed = sometimes(lambda now: len(leaders(now)) > 1, name="two that take themselves for the leader")
    found = search(scenario, [failover, deposed], until=4.0, seeds=40, faults=FaultMix(most=5))
    assert found.never_reached == ()


def test_an_operator_that_forgets_whom_it_has_promoted_last_loses_a_write(monkeypatch):
    """Only n1 has writes of which the operator hasn't heard. It is promoted, and down before it hears of that.

    So n2 must not be promoted either.
    """
    faults = [CutLink("n0", "n2", at=2.005), Crash("n0", at=2.2), Crash("n1", at=3.505, restart_at=7.0)]
    writes = replace(WRITES, arrivals="regular")
    scenario = replicated_store(mode="semi-sync", clients=[writes], faults=faults, latency=Constant(0.01))
    run = scenario.run(12.0)
    chosen = [event.detail["leader"] for event in run.trace.select(kind="record", name="choice")]
    assert (chosen[0], chosen[1], chosen[-1]) == ("n1", None, "n1")
    assert lost_writes(run) == ()
    choose = failover.FailoverOperator._choose

    def forgetful(self, ctx):
        self._configurations = self._configurations[-1:]
        choose(self, ctx)

    monkeypatch.setattr(failover.FailoverOperator, "_choose", forgetful)
    assert len(lost_writes(scenario.run(12.0))) > 0


def test_beyond_the_promise_a_write_is_lost():
    """All that sync has after a failover is one copy besides the new leader's; both are gone here."""
    cut = Partition([["n0"], ["n1", "n2", "g0", "operator"]], at=1.0, until=5.0)
    faults = [cut, Crash("n1", at=4.5), Crash("n2", at=4.5)]
    run = replicated_store(mode="sync", clients=[WRITES], faults=faults).run(9.0)
    assert len(lost_writes(run)) > 5
    refused = run.trace.select(kind="record", name="choice")[-1]
    assert refused.detail["leader"] is None


# Settings as documented (see the module `failover`), and how long writers were without a leader there.
@pytest.mark.parametrize(
    ("timeout", "interval", "least", "most"),
    [
        (
            10.0,
            2.0,
            8.0,
            14.0,
        ),  # MongoDB: heartbeats every 2 s, election after 10 s; "no more than 12 s", typically
        (30.0, 10.0, 20.0, 45.0),  # Patroni: ttl 30 s, loop_wait 10 s
    ],
    ids=["MongoDB", "Patroni"],
)
def test_a_failover_takes_as_long_as_documented_settings_say(timeout, interval, least, most):
    writes = OpenLoop([("put", "k", number) for number in range(400)], rate=5.0, to="g0", timeout=0.5)
    store = replicated_store(
        mode="sync", clients=[writes], faults=[Crash("n0", at=13.0)], timeout=timeout, interval=interval
    )
    run = store.run(80.0)
    answered = [one.completed for one in run.history() if one.outcome == "ok"]
    outage = max(after - before for before, after in pairwise(answered))
    assert least <= outage <= most
    loop_wait, retry_timeout, ttl = 10, 10, 30
    assert loop_wait + 2 * retry_timeout <= ttl
