"""What a change costs, and how uneven a load is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import (
    ConsistentHashRing,
    JumpPartitioner,
    ModuloPartitioner,
    RendezvousPartitioner,
    load_counts,
    load_imbalance,
    rebalance,
)

KEYS = np.arange(10_000)


def test_the_example_of_four_servers_and_a_fifth():
    keys = np.arange(1_000_000)
    change = rebalance(ModuloPartitioner(["s1", "s2", "s3", "s4"]), keys, add="s5")
    assert str(change) == repr(change) == "moved 0.800 of the keys; least possible 0.200"


@given(st.integers(1, 6), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_what_some_give_others_take_and_the_partitioner_stays_as_it_was(count, leaver):
    nodes = [f"n{place}" for place in range(count + 1)]
    partitioner = ConsistentHashRing(nodes, virtual_nodes=8)
    before = partitioner.owners(KEYS).tolist()
    change = rebalance(partitioner, KEYS, add="fresh", remove=nodes[leaver % len(nodes)])
    assert partitioner.owners(KEYS).tolist() == before
    assert partitioner.nodes == tuple(nodes)
    assert sum(change.gives.values()) == pytest.approx(change.moved) == sum(change.takes.values())
    assert list(change.gives) == list(change.takes) == [*nodes, "fresh"]


def test_a_leaver_gives_all_it_had_and_a_newcomer_gives_nothing():
    partitioner = RendezvousPartitioner(["a", "b", "c", "d"])
    held = load_counts(partitioner, KEYS)["b"] / len(KEYS)
    change = rebalance(partitioner, KEYS, remove="b")
    assert change.gives == {"a": 0, "b": held, "c": 0, "d": 0}
    assert change.moved == held
    assert change.least_possible == pytest.approx(1 / 4)
    change = rebalance(partitioner, KEYS, add={"e": 4.0})
    assert change.least_possible == pytest.approx(1 / 2)
    assert change.moved == change.takes["e"] == pytest.approx(0.5, abs=0.02)


def test_jump_is_the_least_possible_up_to_luck():
    change = rebalance(JumpPartitioner([f"n{k}" for k in range(9)]), KEYS, add="n9")
    assert change.moved == pytest.approx(change.least_possible, abs=4 * (0.1 * 0.9 / len(KEYS)) ** 0.5)


def test_changes_that_cannot_be_are_refused():
    ring = ConsistentHashRing(["a", "b"])
    with pytest.raises(ValueError, match="Nothing changes"):
        rebalance(ring, KEYS)
    with pytest.raises(ValueError, match="'a' is there already"):
        rebalance(ring, KEYS, add="a")
    with pytest.raises(LookupError, match="no node 'z'"):
        rebalance(ring, KEYS, remove="z")
    with pytest.raises(ValueError, match="no keys"):
        rebalance(ring, np.array([], dtype=int), add="c")
    assert ring.nodes == ("a", "b")


class EverythingToOne:
    """A partitioner of somebody's own: the protocol is all that is asked of it."""

    nodes, weights, table_bytes = ("a", "b"), {"a": 1.0, "b": 1.0}, 0

    def owner(self, key):
        return "b"

    def owners(self, keys):
        return np.array(["b"] * len(keys))

    def add_node(self, node, weight=1.0):
        self.nodes, self.weights = (*self.nodes, node), {**self.weights, node: weight}

    def remove_node(self, node):
        raise ValueError("nobody leaves")

    def replicas(self, key, count, racks=None):
        return ["b"]


def test_a_partitioner_of_ones_own_is_measured_like_any_other():
    assert load_counts(EverythingToOne(), [1, 2, 3]) == {"a": 0, "b": 3}
    change = rebalance(EverythingToOne(), [1, 2, 3], add={"c": 2.0})
    assert (change.moved, change.least_possible) == (0.0, 0.5)


def test_load_counts_name_the_idle_too():
    assert load_counts(ConsistentHashRing(["a", "b"]), ["k"]) in ({"a": 1, "b": 0}, {"a": 0, "b": 1})


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_imbalance_is_the_maximum_over_the_mean(counts):
    assert load_imbalance(counts) == pytest.approx(max(counts) * len(counts) / sum(counts))
    assert (
        load_imbalance(dict(enumerate(counts))) == load_imbalance(np.array(counts)) == load_imbalance(counts)
    )
    assert load_imbalance(pd.Series(counts)) == load_imbalance(counts)


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1], [[1, 2]]])
def test_loads_that_are_none_are_refused(counts):
    with pytest.raises(ValueError):
        load_imbalance(counts)


@pytest.mark.parametrize(
    "counts", [["a"], "12", [True, False], [3, True], (np.True_, 1.5), {"n0": 2, "n1": True}, None]
)
def test_loads_that_are_no_numbers_are_refused(counts):
    with pytest.raises(TypeError):
        load_imbalance(counts)


def test_wrong_types_are_named():
    ring = ConsistentHashRing(["a", "b"])
    with pytest.raises(TypeError, match="partitioner must be a partitioner, such as"):
        rebalance(5, [1], add="c")
    with pytest.raises(TypeError, match="add must be the name of a node"):
        rebalance(ring, [1], add=["c", "d"])
    with pytest.raises(ValueError, match="Nothing changes"):
        rebalance(ring, [1], add={})
    with pytest.raises(TypeError, match="counts at position 0 must be a number"):
        load_imbalance([[1, 2], [3]])
    assert load_imbalance([1e308, 1e308, 1e308]) == 1.0
