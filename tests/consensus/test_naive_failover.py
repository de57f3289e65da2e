"""Naive failover does what it says, and goes wrong exactly as it should."""

import subprocess
import sys

import networkx as nx
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.consensus import NaiveFailoverNode
from dscourse.consensus.naive_failover import Heartbeat
from dscourse.simulation import Constant, Crash, Network, Partition, Pause, Scenario, Uniform, topology
from dscourse.simulation.names import natural_order

INTERVAL, TIMEOUT, SLOWEST = 0.5, 1.6, 0.2
NETWORK = Network(topology.full_mesh(5), latency=Uniform(0.02, SLOWEST))
NODES = ("n0", "n1", "n2", "n3", "n4")


def run(*faults, until=8.0, network=NETWORK, seed=1):
    return Scenario(NaiveFailoverNode, network, faults=faults, seed=seed).run(until=until)


def leaders(run, at):
    return {node: fields["leader"] for node, fields in run.at(at).nodes.items()}


def test_while_all_is_well_everybody_follows_the_first_node():
    calm = run()
    assert set(leaders(calm, 8.0).values()) == {"n0"}
    assert len(calm.trace.select(kind="record", name="status")) == 5  # each said so once, at the start
    statuses = calm.at(8.0).status
    assert (statuses["n0"].status, statuses["n0"].label) == ("leader", "I lead")
    assert (statuses["n4"].status, statuses["n4"].label) == ("follower", "follows n0")


def test_the_order_of_names_is_the_one_that_people_expect():
    twelve = Network(topology.full_mesh(12), latency=Constant(0.05))
    assert set(leaders(run(Crash("n0", at=1), Crash("n1", at=1), network=twelve), 8.0).values()) == {"n2"}


def test_after_a_crash_each_waits_for_the_timeout_and_then_follows_the_next():
    crashed = run(Crash("n0", at=3.0))
    changes = crashed.trace.select(kind="record", name="status", between=(3.0, 8.0))
    assert {event.node for event in changes} == {"n1", "n2", "n3", "n4"}
    assert {event.detail["label"] for event in changes} == {"I lead", "follows n1"}
    heard = {
        node: crashed.trace.select(kind="deliver", node=node, peer="n0").times[-1]
        for node in ("n1", "n2", "n3", "n4")
    }
    for event in changes:
        silence = event.time - heard[event.node]
        assert (
            TIMEOUT <= silence <= TIMEOUT + INTERVAL
        )  # noticed at the next look, at the latest one interval later


def test_a_restarted_node_leads_again():
    back = run(Crash("n0", at=2.0, restart_at=5.0))
    assert set(leaders(back, 4.9).values()) == {"n1"}
    assert set(leaders(back, 8.0).values()) == {"n0"}


def test_a_paused_leader_wakes_up_and_still_believes_that_it_leads():
    paused = run(Pause("n0", at=2.0, until=6.0))
    assert leaders(paused, 5.9)["n0"] == "n0"
    assert {leaders(paused, 5.9)[node] for node in NODES[1:]} == {"n1"}
    assert not paused.trace.select(kind="record", node="n0", between=(2.0, 8.0))  # it never noticed


def test_a_cut_makes_two_leaders_and_healing_makes_one_again():
    split = run(Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=3.0, until=6.0))
    during = leaders(split, 5.9)
    assert [during[node] for node in NODES] == ["n0", "n0", "n2", "n2", "n2"]
    assert set(leaders(split, 7.9).values()) == {"n0"}


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(NODES), min_size=1, max_size=4), st.integers(0, 10_000))
def test_each_side_of_any_cut_ends_up_with_its_own_first_node(side, seed):
    other = set(NODES) - side
    settled = TIMEOUT + INTERVAL + SLOWEST
    split = run(Partition([side, other], at=1.0), until=1.0 + settled + 0.1, seed=seed)
    for group in (side, other):
        assert {leaders(split, 1.0 + settled)[node] for node in group} == {min(group)}


def test_a_heartbeat_says_nothing_but_that_the_sender_is_up():
    assert {event.message for event in run().trace.select(kind="send")} == {Heartbeat()}


@pytest.mark.parametrize(("interval", "timeout"), [(0.5, 0.5), (1.0, 0.5), (0.0, 1.0), (-1.0, 1.0)])
def test_settings_that_make_no_sense_are_refused(interval, timeout):
    with pytest.raises(ValueError, match="heartbeat_interval must be positive and shorter than timeout"):
        NaiveFailoverNode("n0", ("n1",), heartbeat_interval=interval, timeout=timeout)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"heartbeat_interval": float("nan")}, ValueError, "heartbeat_interval must be finite, got nan"),
        ({"timeout": float("inf")}, ValueError, "timeout must be finite, got inf"),
        ({"timeout": True}, TypeError, "timeout must be a number, got True"),
        ({"heartbeat_interval": "0.5"}, TypeError, "heartbeat_interval must be a number, got '0.5'"),
    ],
)
def test_what_is_no_time_is_refused_in_words(settings, error, words):
    with pytest.raises(error, match=words):
        NaiveFailoverNode("n0", ("n1",), **settings)


def test_the_order_of_names_is_the_same_for_all_whatever_they_are_called():
    names = ["n10", "n2", "n02", "b", "a10", "a", "n2x"]
    expected = ["a", "a10", "b", "n02", "n2", "n2x", "n10"]
    backwards = names[::-1]
    assert sorted(names, key=natural_order) == sorted(backwards, key=natural_order) == expected


def test_whoever_is_heard_may_lead_also_where_no_link_leads_back():
    one_way = Network(nx.DiGraph([("n0", "n1"), ("n1", "n2"), ("n2", "n1")]), latency=Constant(0.05))
    assert leaders(run(network=one_way), 8.0) == {"n0": "n0", "n1": "n0", "n2": "n1"}
    assert leaders(run(Crash("n0", at=3.0), network=one_way), 8.0) == {"n1": "n1", "n2": "n1"}


def test_a_bare_process_that_needs_the_node_loads_no_graphs_arrays_or_tables():
    code = (
        "import sys; from dscourse.consensus import NaiveFailoverNode; "
        "print([name for name in ('networkx', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
