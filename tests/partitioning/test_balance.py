"""How evenly keys are spread, against what the algorithm promises."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import (
    ConsistentHashRing,
    DirectoryPartitioner,
    JumpPartitioner,
    MaglevPartitioner,
    ModuloPartitioner,
    RendezvousPartitioner,
    load_counts,
)

KEYS = np.arange(120_000)


def deviations(partitioner, shares):
    """By how many standard deviations each node's number of keys is off, if keys fall independently."""
    counts = load_counts(partitioner, KEYS)
    return [
        (counts[node] - share * len(KEYS)) / (len(KEYS) * share * (1 - share)) ** 0.5
        for node, share in shares.items()
    ]


@pytest.mark.parametrize("make", [ModuloPartitioner, JumpPartitioner, RendezvousPartitioner])
@pytest.mark.parametrize("count", [2, 7, 40])
def test_hashing_alone_spreads_consecutive_numbers_like_luck(make, count):
    nodes = [f"n{number}" for number in range(count)]
    off = np.array(deviations(make(nodes), dict.fromkeys(nodes, 1 / count)))
    assert abs(off).max() < 4.5
    assert (off**2).mean() < 1 + 5 * (2 / count) ** 0.5


def test_weighted_rendezvous_follows_its_weights():
    weights = {"a": 0.5, "b": 1.0, "c": 1.0, "d": 3.0}
    off = deviations(RendezvousPartitioner(list(weights), weights), {n: w / 5.5 for n, w in weights.items()})
    assert max(map(abs, off)) < 4.5


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_weighted_ring_has_points_in_proportion(weights):
    nodes = [f"n{place}" for place in range(len(weights))]
    ring = ConsistentHashRing(nodes, virtual_nodes=32, weights=dict(zip(nodes, weights, strict=True)))
    points = np.bincount(ring.points.owners, minlength=len(nodes))
    assert points.tolist() == [max(1, round(32 * weight)) for weight in weights]
    assert sum(ring.shares().values()) == pytest.approx(1)


@pytest.mark.parametrize("name", ["{}", "n{}", "cache-{}.example"])
def test_points_of_different_nodes_have_nothing_in_common_however_short_their_names(name):
    """A node's share of a ring of n·V random points is Beta(V, (n − 1)·V): its error has to be that small."""
    nodes = [name.format(number) for number in range(10)]
    ring = ConsistentHashRing(nodes, virtual_nodes=4096)
    assert len(set(ring.points.positions.tolist())) == 40_960
    error = (1 / 4096 * (1 - 1 / 10)) ** 0.5
    assert max(abs(10 * share - 1) for share in ring.shares().values()) < 4.5 * error


def test_even_a_node_of_next_to_no_weight_has_a_point():
    ring = ConsistentHashRing(["feather", "mountain"], virtual_nodes=4, weights={"feather": 0.01})
    assert np.bincount(ring.points.owners).tolist() == [1, 4]


def test_a_rings_shares_are_what_its_keys_find():
    ring = ConsistentHashRing(["a", "b", "c"], virtual_nodes=4)
    off = deviations(ring, ring.shares())
    assert max(map(abs, off)) < 4.5
    assert ConsistentHashRing(["a"], virtual_nodes=1).shares() == {"a": 1.0}


@given(st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_maglev_gives_equal_nodes_slots_that_differ_by_at_most_one(count):
    table = MaglevPartitioner([f"n{place}" for place in range(count)], table_size=499).table
    slots = np.bincount(table, minlength=count)
    assert slots.max() - slots.min() <= 1


@pytest.mark.parametrize("make", [RendezvousPartitioner, DirectoryPartitioner])
def test_a_feather_beside_a_mountain_is_no_trouble(make):
    weights = {"feather": 1e-300, "mountain": 1e12}
    partitioner = make(list(weights), weights=weights)
    assert set(partitioner.owners(KEYS[:5000]).tolist()) == {"mountain"}
    assert len(partitioner.replicas(1, 2)) == 2


def test_weighted_maglev_gives_slots_in_proportion():
    table = MaglevPartitioner(["a", "b", "c"], table_size=4999, weights={"b": 0.5, "c": 0.25}).table
    assert np.bincount(table) / 4999 == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=2e-3)


def test_turns_that_a_weight_leaves_over_are_not_lost_to_it():
    """0.3 of a turn a round is a turn after 3⅓ rounds: dropping the rest would make it a turn in every fourth."""
    table = MaglevPartitioner(["a", "b", "c"], table_size=4999, weights={"b": 0.3, "c": 0.7}).table
    assert np.bincount(table) == pytest.approx(4999 * np.array([1.0, 0.3, 0.7]) / 2, abs=2)


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8), st.integers(8, 500))
@settings(max_examples=40, deadline=None)
def test_a_directory_gives_every_node_its_share_to_within_one_slot(weights, slots):
    nodes = [f"n{place}" for place in range(len(weights))]
    directory = DirectoryPartitioner(nodes, slots, dict(zip(nodes, weights, strict=True)))
    held = np.bincount(directory._table, minlength=len(nodes))
    assert np.abs(held - np.array(weights) / sum(weights) * slots).max() < 1


def test_maglev_refuses_a_node_so_light_that_it_would_own_nothing():
    refusal = "'light' would own none of the 65537 slots: its weight is 1 of"
    with pytest.raises(ValueError, match=refusal):
        MaglevPartitioner(["light", "b", "heavy"], weights={"b": 127, "heavy": 1e6})
    partitioner = MaglevPartitioner(["b", "heavy"], weights={"b": 127, "heavy": 1e6})
    with pytest.raises(ValueError, match=refusal):
        partitioner.add_node("light")
    assert partitioner.nodes == ("b", "heavy")
    assert set(partitioner.table) == {0, 1}  # 127 of a million is a slot or more
