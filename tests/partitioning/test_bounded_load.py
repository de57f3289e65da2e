"""Bounded loads: never above ⌈(1 + ε)·m/n⌉, whatever is placed, released, added or removed."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import BoundedLoadRing, ConsistentHashRing, hash_key

EPSILONS = st.sampled_from([0.01, 0.1, 0.25, 0.3, 1.0, 7.0])


def bound(epsilon, placed, share):
    return math.ceil((1 + Fraction(str(epsilon))) * placed * share)


def shares(ring):
    weights = {node: Fraction(str(weight)) for node, weight in ring.weights.items()}
    return {node: weight / sum(weights.values()) for node, weight in weights.items()}


@given(
    st.lists(st.integers(0, 40), max_size=150),
    EPSILONS,
    st.lists(st.sampled_from([0.2, 1.0, 3.0]), min_size=1, max_size=7),
)
@settings(max_examples=60, deadline=None)
def test_owners_are_those_of_the_plain_algorithm_and_never_above_the_bound(keys, epsilon, weights):
    nodes = [f"n{place}" for place in range(len(weights))]
    ring = BoundedLoadRing(nodes, epsilon, virtual_nodes=8, weights=dict(zip(nodes, weights, strict=True)))
    bounds = {node: bound(epsilon, len(keys), share) for node, share in shares(ring).items()}
    loads = dict.fromkeys(nodes, 0)
    for key, owner in zip(keys, ring.owners(np.array(keys, dtype=int)).tolist(), strict=True):
        # every node on the ring clockwise of the key, the first with room takes it
        expected = next(node for node in ring.replicas(key, len(nodes)) if loads[node] < bounds[node])
        assert owner == expected
        loads[owner] += 1
        assert loads[owner] <= bounds[owner]
    assert ring.loads == dict.fromkeys(nodes, 0)  # the running load is another matter


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.integers(0, 12)),
        st.tuples(st.just("place"), st.integers(0, 12)),
        st.tuples(st.just("release"), st.integers(0, 12)),
        st.tuples(st.just("add"), st.integers(0, 5)),
        st.tuples(st.just("remove"), st.integers(0, 5)),
    ),
    max_size=80,
)


@given(STEPS, EPSILONS, st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=80, deadline=None)
def test_the_running_load_never_exceeds_the_bound(steps, epsilon, weight):
    ring = BoundedLoadRing(["n0", "n1"], epsilon, virtual_nodes=4)
    placed = []
    for action, number in steps:
        node = f"n{number}"
        if action == "place":
            assert ring.place(number) in ring.nodes
            placed.append(number)
        elif action == "release" and number in placed:
            ring.release(number)
            placed.remove(number)
        elif action == "release":
            with pytest.raises(LookupError, match="isn't placed"):
                ring.release(number)
        elif action == "add" and node not in ring.nodes:
            ring.add_node(node, weight)
        elif action == "remove" and node in ring.nodes and len(ring.nodes) > 1:
            ring.remove_node(node)
        assert sum(ring.loads.values()) == len(placed)
        for name, share in shares(ring).items():
            assert ring.loads[name] <= bound(epsilon, len(placed), share)
            assert ring.capacity(name) == bound(epsilon, len(placed), share)


def test_the_latest_placement_is_released_first():
    ring = BoundedLoadRing(["a", "b", "c", "d"], epsilon=0.25)
    homes = [ring.place("hot") for _ in range(8)]
    assert sorted(ring.loads.values()) == [0, 2, 3, 3]  # ⌈1.25 · 8 / 4⌉ = 3: full nodes pass it on
    assert [ring.release("hot") for _ in range(3)] == homes[:-4:-1]
    assert max(ring.loads.values()) == ring.capacity("a") == 2


def test_one_hot_key_cannot_fill_a_node_as_it_does_on_the_plain_ring():
    requests = ["hot"] * 900 + [f"cold{number}" for number in range(100)]
    nodes = [f"n{place}" for place in range(5)]
    plain = ConsistentHashRing(nodes).owners(requests)
    bounded = BoundedLoadRing(nodes, epsilon=0.25).owners(requests)
    assert np.unique(plain, return_counts=True)[1].max() > 900
    assert np.unique(bounded, return_counts=True)[1].max() == 250


def test_with_much_room_it_is_the_plain_ring():
    nodes = [f"n{place}" for place in range(5)]
    keys = np.arange(1000)
    assert (
        BoundedLoadRing(nodes, epsilon=100.0).owners(keys).tolist()
        == ConsistentHashRing(nodes).owners(keys).tolist()
    )


def test_a_tenth_means_a_tenth():
    """1.1 · 50 / 5 is exactly 11; with floats it comes out a hair above and would be rounded up to 12."""
    assert math.ceil((1 + 0.1) * 50 / 5) == 12
    assert BoundedLoadRing(list("abcde"), epsilon=0.1).capacity("a", placed=50) == 11


def test_errors_are_told_in_words():
    ring = BoundedLoadRing(["a", "b"])
    with pytest.raises(TypeError, match="A key is"):
        ring.place(None)
    with pytest.raises(LookupError, match="no node 'z'"):
        ring.capacity("z")
    assert ring.loads == {"a": 0, "b": 0}
    assert ring.moves == 0
    assert ring.place("k") == ConsistentHashRing(["a", "b"]).owner("k")
    assert hash_key("k") == hash_key("k\0")
    assert ring.release("k\0") == ConsistentHashRing(["a", "b"]).owner("k")
