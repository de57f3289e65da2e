"""The reconciliation loop: named looks, properties, and a fleet that shows what each mistake costs."""

import functools
import random
import statistics

import pytest
from hypothesis import given, strategies as st

from dscourse.recovery import (
    Create,
    FleetController,
    FleetReport,
    Forget,
    Machine,
    Reconciler,
    Remove,
    fleet_report,
)
from dscourse.simulation import Constant, Crash, Lossy, Network, Pause, Scenario, topology

ALL_UP = {"a": "up", "b": "up", "c": "up"}


@pytest.mark.parametrize(
    ("desired", "observed", "pending", "now", "expected"),
    [
        (3, ALL_UP, {}, 0.0, []),
        (5, ALL_UP, {}, 0.0, [Create(2)]),
        (5, ALL_UP, {"d": 0.0, "e": 0.0}, 5.0, []),  # what is ordered counts as there
        (5, ALL_UP, {"d": 0.0, "e": 4.0}, 20.0, [Forget("d"), Create(1)]),  # and is not waited for forever
        (9, ALL_UP, {"d": 0.0}, 1.0, [Create(2)]),  # three at a time
        (3, {**ALL_UP, "d": "dead"}, {}, 0.0, [Remove("d")]),
        (3, {"a": "up", "b": "up", "c": "dead"}, {}, 0.0, [Remove("c"), Create(1)]),
        (3, {"a": "up", "b": "up", "c": "unreachable"}, {}, 0.0, []),  # it may only be slow
        (
            2,
            {"a": "unreachable", "b": "up", "c": "up"},
            {},
            0.0,
            [Remove("a")],
        ),  # never a healthy one before it
        (1, ALL_UP, {}, 0.0, [Remove("c"), Remove("b")]),  # the newest first
        (0, {}, {}, 0.0, []),
    ],
)
def test_named_looks(desired, observed, pending, now, expected):
    assert Reconciler().step(desired, observed, pending, now) == expected


def test_a_silent_member_is_replaced_after_the_patience_and_not_if_it_comes_back():
    reconciler = Reconciler(patience=10)
    silent, back = {"a": "up", "b": "unreachable"}, {"a": "up", "b": "up"}
    assert reconciler.step(2, silent, {}, 0.0) == []
    assert reconciler.step(2, silent, {}, 9.0) == []
    assert reconciler.step(2, back, {}, 9.5) == []
    assert reconciler.step(2, silent, {}, 12.0) == []  # it is counted anew
    assert reconciler.step(2, silent, {}, 22.0) == [Remove("b"), Create(1)]


def test_without_patience_a_silent_member_is_replaced_at_once_and_a_healthy_one_is_left_alone():
    assert Reconciler(patience=0).step(2, {"a": "up", "b": "unreachable"}, {}, 0.0) == [
        Remove("b"),
        Create(1),
    ]


STATES = st.sampled_from(["up", "unreachable", "dead"])
MEMBERS = st.dictionaries(st.sampled_from("abcdefgh"), STATES)
PENDING = st.dictionaries(st.sampled_from("stuvwxyz"), st.floats(0, 30))


@given(st.integers(0, 10), MEMBERS, PENDING, st.floats(30, 60))
def test_it_never_orders_beyond_the_target_and_never_takes_away_what_is_needed(
    desired, observed, pending, now
):
    actions = Reconciler().step(desired, observed, pending, now)
    removed = [action.member for action in actions if isinstance(action, Remove)]
    forgotten = [action.id for action in actions if isinstance(action, Forget)]
    created = sum(action.count for action in actions if isinstance(action, Create))
    staying = [member for member in observed if member not in removed]
    under_way = len(pending) - len(forgotten)
    assert len(set(removed)) == len(removed)
    assert created == 0 or len(staying) + under_way + created <= desired
    assert created + under_way <= max(3, under_way)
    assert all(observed[member] != "dead" for member in staying)
    healthy_gone = [member for member in removed if observed[member] == "up"]
    if healthy_gone:
        assert all(observed[member] == "up" for member in staying)
        assert len(staying) + under_way >= desired


class IgnoresPending(Reconciler):
    def step(self, desired, observed, pending, now):
        return super().step(desired, observed, {}, now)


class WaitsForever(Reconciler):
    def step(self, desired, observed, pending, now):
        return super().step(desired, observed, dict.fromkeys(pending, now), now)


class SilentIsDead(Reconciler):
    def step(self, desired, observed, pending, now):
        return super().step(
            desired,
            {member: "up" if state == "up" else "dead" for member, state in observed.items()},
            pending,
            now,
        )


def fleet(policy, seed, machines=14, desired=5):
    """Orders take 1.5 s and one in five is lost; machines die or pause at times of their own."""
    draw = random.Random(seed)
    faults = []
    for machine in range(1, machines + 1):
        begin = 5 + draw.expovariate(0.01)
        if begin < 185:
            pauses = draw.random() < 0.6
            node, end = f"n{machine}", begin + (draw.uniform(4, 9) if pauses else 30)
            faults.append(
                Pause(node, at=begin, until=end) if pauses else Crash(node, at=begin, restart_at=end)
            )
        faults.append(Lossy(0.2, at=0, link=("n0", f"n{machine}")))

    def node(node_id, peers):
        if node_id == "n0":
            return FleetController(node_id, peers, desired=desired, policy=policy(), working=desired)
        return Machine(node_id, peers, works=int(node_id[1:]) <= desired)

    network = Network(topology.star(machines + 1), latency=Constant(1.5))
    return fleet_report(Scenario(node, network, faults=faults, seed=seed).run(200.0), desired)


@functools.cache
def fleets(policy):
    reports = [fleet(policy, seed) for seed in range(20)]
    return {
        name: statistics.mean(getattr(report, name) for report in reports)
        for name in ("peak", "creations", "under_target", "working")
    }


def test_each_mistake_costs_something_of_its_own():
    right, doubles, waits, hasty = map(fleets, (Reconciler, IgnoresPending, WaitsForever, SilentIsDead))
    assert right["peak"] == 5
    assert doubles["peak"] > 8
    assert doubles["creations"] > 3 * right["creations"]
    assert waits["peak"] == 5  # no more than there should be, and yet:
    assert waits["under_target"] > 1.4 * right["under_target"]
    assert hasty["peak"] > 5.5
    assert hasty["creations"] > 3 * right["creations"]


def test_by_the_end_alone_the_one_that_doubles_the_fleet_would_pass():
    right = fleets(Reconciler)["working"]
    assert fleets(IgnoresPending)["working"] >= right
    assert fleets(WaitsForever)["working"] < right - 0.1


def test_a_controller_that_is_restarted_takes_nobody_for_dead():
    def node(node_id, peers):
        if node_id == "n0":
            return FleetController(node_id, peers, desired=3, working=3)
        return Machine(node_id, peers, works=int(node_id[1:]) <= 3)

    restart = Crash("n0", at=50.0, restart_at=55.0)
    run = Scenario(node, Network(topology.star(6), latency=0.1), faults=[restart]).run(100.0)
    assert fleet_report(run, 3) == FleetReport(peak=3, creations=0, under_target=0.0, working=3)
