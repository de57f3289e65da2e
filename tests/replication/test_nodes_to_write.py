"""Examining the nodes to write: the right ones pass, each wrong one is caught, by faults within the promise."""

from functools import partial

import nodes_to_write as written
import pytest

from dscourse.exploration import FaultMix, search
from dscourse.replication import SingleLeaderReplica, choose_successor
from dscourse.simulation import Crash, Network, OpenLoop, Scenario, Uniform, holds, topology

FOLLOWERS = ("n1", "n2", "n3")
SECONDS = 3.0
MIX = FaultMix.only(crashes=2, pauses=True, loss=0.3, duplicates=0.5, messages=True, cuts=True, most=4)


def scenario(**nodes):
    writes = [("put", f"k{number % 2}", number) for number in range(15)]
    client = OpenLoop(writes, rate=8.0, to="n0", timeout=1.0)
    network = Network(topology.full_mesh(4), latency=Uniform(0.005, 0.06))
    return Scenario(
        partial(written.examined, **nodes), network, clients=[client], faults=[Crash("n0", at=2.5)]
    )


def disks(run):
    """What is on the followers' disks, as keys and values in order."""
    stored = run.at(run.until).stored
    logs = {node: getattr(stored.get(node), "log", stored.get(node)) or () for node in FOLLOWERS}
    return {node: [(entry.key, entry.value) for entry in log] for node, log in logs.items()}


def survives(run, gone):
    """Whether, with these followers gone, too, the one with the longest log has every acknowledged write."""
    logs = [log for node, log in disks(run).items() if node not in gone]
    best = max(logs, key=len)
    return all(
        one.operation[1:] in best
        for one in run.history()
        if one.outcome == "ok" and one.operation[0] == "put"
    )


def in_order(run):
    written = [event.detail for event in run.trace.select(kind="record", name="write")]
    order = [(write["key"], write["value"]) for write in written]
    return all(log == order[: len(log)] for log in disks(run).values())


PROMISE = holds(
    lambda run: all(survives(run, {node}) for node in FOLLOWERS), name="survives the leader and a follower"
)
LESS = holds(lambda run: survives(run, ()), name="survives the leader")
ORDER = holds(in_order, name="every follower has the writes in the leader's order, each once")


@pytest.mark.parametrize(
    "right",
    [{}, {"follower": written.Follower}, {"leader": SingleLeaderReplica}],
    ids=["ours", "written", "leader"],
)
def test_the_right_ones_pass(right):
    assert search(scenario(**right), [PROMISE, ORDER], until=SECONDS, seeds=80, faults=MIX)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ({"follower": written.SavesAfterAcknowledging}, PROMISE),
        ({"follower": written.TakesInOrderOfArrival}, ORDER),
        ({"follower": written.TakesTwice}, ORDER),
        ({"leader": written.CountsAcknowledgements}, PROMISE),
        ({"follower": written.AcknowledgesAcrossAGap}, PROMISE),
        ({"leader": written.GivesUpWaiting}, PROMISE),
    ],
    ids=lambda value: (
        getattr(next(iter(value.values())), "__name__", "gives up") if isinstance(value, dict) else ""
    ),
)
def test_a_wrong_one_is_caught_in_a_short_run(wrong, broken):
    found = search(scenario(**wrong), broken, until=SECONDS, seeds=400, faults=MIX)
    assert not found
    assert len(found.counterexample.faults) <= 4


def test_who_promotes_what_is_applied_loses_what_was_received():
    received, applied = {"n1": 10, "n2": 9}, {"n1": 4, "n2": 9}
    assert written.promotes_most_applied(received, applied) == "n2"
    positions = {node: (1, index) for node, index in received.items()}
    assert choose_successor(positions, acknowledged=10).node == "n1"


def test_counting_acknowledgements_is_equivalent_where_only_the_leader_is_lost():
    found = search(scenario(leader=written.CountsAcknowledgements), LESS, until=SECONDS, seeds=80, faults=MIX)
    assert found
