"""What all partitioners promise: one owner however it is asked, distinct replicas, and refusals that change nothing."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.partitioning import (
    BoundedLoadRing,
    ConsistentHashRing,
    DirectoryPartitioner,
    JumpPartitioner,
    MaglevPartitioner,
    ModuloPartitioner,
    Partitioner,
    RangePartitioner,
    RendezvousPartitioner,
    maglev_table,
)


def maglev(nodes, weights=None):
    return MaglevPartitioner(nodes, table_size=1009, weights=weights)


def ring(nodes, weights=None):
    return ConsistentHashRing(nodes, virtual_nodes=16, weights=weights)


def bounded(nodes, weights=None):
    return BoundedLoadRing(nodes, virtual_nodes=16, weights=weights)


def directory(nodes, weights=None):
    return DirectoryPartitioner(nodes, slots=1024, weights=weights)


def ranges(nodes):
    """As many ranges as nodes, over the keys 0 … 999."""
    return RangePartitioner([1000 * cut // len(nodes) for cut in range(1, len(nodes))], nodes)


WEIGHTED = {
    "ring": ring,
    "rendezvous": RendezvousPartitioner,
    "maglev": maglev,
    "bounded": bounded,
    "directory": directory,
}
HASHED = {"modulo": ModuloPartitioner, "jump": JumpPartitioner, **WEIGHTED}
EVERY = {**HASHED, "ranges": ranges}


NODES = [f"n{number}" for number in range(6)]
RACKS = {"n0": "a", "n1": "a", "n2": "b", "n3": "b", "n4": "c", "n5": "c"}
KEYS = np.arange(0, 1000, 7)


def state(partitioner):
    owners = partitioner.owners(KEYS).tolist()
    return partitioner.nodes, partitioner.weights, owners, partitioner.table_bytes


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_all_follow_one_protocol(make):
    partitioner = make(NODES)
    assert isinstance(partitioner, Partitioner)
    assert partitioner.nodes == tuple(NODES)
    assert partitioner.weights == dict.fromkeys(NODES, 1.0)
    assert partitioner.table_bytes > 0
    assert set(partitioner.owners(KEYS).tolist()) <= set(NODES)


KEY_LISTS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8),
    st.lists(st.text(st.characters(exclude_categories=("Cs",))), min_size=1, max_size=8),
    st.lists(st.binary(), min_size=1, max_size=8),
)
WEIGHTS = st.lists(st.sampled_from([0.3, 1.0, 2.5]), min_size=6, max_size=6)


@given(KEY_LISTS, WEIGHTS)
@settings(max_examples=40, deadline=None)
def test_one_key_and_an_array_of_keys_have_the_same_owners(keys, weights):
    heavy = dict(zip(NODES, weights, strict=True))
    made = [make(NODES) for make in HASHED.values()] + [
        make(NODES, weights=heavy) for make in WEIGHTED.values()
    ]
    for partitioner in made:
        for key in keys:
            assert partitioner.owners(np.array([key])).tolist() == [partitioner.owner(key)]
        if not isinstance(
            partitioner, BoundedLoadRing
        ):  # it places all of them, and the later ones find full nodes
            assert partitioner.owners(keys).tolist() == [partitioner.owner(key) for key in keys]


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_no_keys_have_no_owners(make):
    assert make(NODES).owners(np.array([], dtype=int)).tolist() == []


@given(st.integers(0, 10**6), st.integers(1, 6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_replicas_are_distinct_and_begin_with_the_owner(key, count, across_racks):
    for name, make in EVERY.items():
        partitioner = make(NODES)
        wanted = min(count, 3) if across_racks else count
        chosen = partitioner.replicas(key, wanted, racks=RACKS if across_racks else None)
        assert chosen[0] == partitioner.owner(key), name
        assert len(set(chosen)) == wanted, name
        if across_racks:
            assert len({RACKS[node] for node in chosen}) == wanted, name


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_too_many_replicas_are_refused(make):
    partitioner = make(NODES)
    with pytest.raises(ValueError, match="7 copies need 7 nodes, but there are 6"):
        partitioner.replicas(1, 7)
    with pytest.raises(ValueError, match="4 copies need 4 racks, but the nodes stand in 3"):
        partitioner.replicas(1, 4, racks=RACKS)
    with pytest.raises(LookupError, match="nothing of node 'n5'"):
        partitioner.replicas(1, 2, racks=dict.fromkeys(NODES[:5], "a"))
    with pytest.raises(ValueError, match="count must be at least 1"):
        partitioner.replicas(1, 0)
    with pytest.raises(TypeError, match="count must be a whole number"):
        partitioner.replicas(1, True)
    with pytest.raises(TypeError, match="racks must be a mapping"):
        partitioner.replicas(1, 2, racks=["a"])


def test_a_ring_whose_node_dies_finds_the_copies_where_they_are():
    """The second replica is the node that takes over: that is what makes the order of replicas useful."""
    for make in (EVERY["ring"], EVERY["rendezvous"]):
        for key in range(50):
            partitioner = make(NODES)
            first, second = partitioner.replicas(key, 2)
            partitioner.remove_node(first)
            assert partitioner.owner(key) == second


NO_WEIGHTS = {"modulo": EVERY["modulo"], "jump": EVERY["jump"], "ranges": EVERY["ranges"]}
BAD_WEIGHTS = [1e300, 0, 0.0, -1, -0.5, float("nan"), float("inf"), "heavy", None, True]
BAD_CALLS = [
    *(lambda p, weight=weight: p.add_node("fresh", weight) for weight in BAD_WEIGHTS),
    lambda p: p.add_node("n3"),
    lambda p: p.add_node(""),
    lambda p: p.add_node(7),
    lambda p: p.remove_node("stranger"),
    lambda p: p.remove_node(None),
    lambda p: p.owner(None),
    lambda p: p.owner([1]),
    lambda p: p.owner(1.5),
    lambda p: p.owners([1, "a"]),
    lambda p: p.owners("abc"),
    lambda p: p.owners(np.array([0.5])),
    lambda p: p.replicas(1, 99),
]


@given(st.lists(st.integers(0, len(BAD_CALLS) - 1), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_whatever_is_refused_changes_nothing(numbers):
    for make in EVERY.values():
        partitioner = make(NODES)
        before = state(partitioner)
        for number in numbers:
            with pytest.raises((ValueError, TypeError, LookupError)):
                BAD_CALLS[number](partitioner)
            assert state(partitioner) == before


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_the_last_node_stays(make):
    partitioner = make(["only"])
    with pytest.raises(ValueError, match="'only' is the last node"):
        partitioner.remove_node("only")
    assert partitioner.owner(1) == "only"


@pytest.mark.parametrize("make", NO_WEIGHTS.values(), ids=NO_WEIGHTS)
def test_a_weight_where_there_are_none_is_refused_and_changes_nothing(make):
    partitioner = make(NODES)
    before = state(partitioner)
    with pytest.raises(ValueError, match="has no weights"):
        partitioner.add_node("fresh", 2.0)
    assert state(partitioner) == before


@pytest.mark.parametrize("make", HASHED.values(), ids=HASHED)
def test_bad_nodes_are_refused_at_the_door(make):
    for nodes, error in (
        ([], ValueError),
        (["a", "a"], ValueError),
        ([""], ValueError),
        ("abc", TypeError),
        ([1, 2], TypeError),
        (None, TypeError),
    ):
        with pytest.raises(error):
            make(nodes)


@pytest.mark.parametrize("make", WEIGHTED.values(), ids=WEIGHTED)
def test_bad_weights_are_refused_at_the_door(make):
    with pytest.raises(LookupError, match="'z', which is no node"):
        make(["a"], weights={"z": 1.0})
    for weight in BAD_WEIGHTS:
        with pytest.raises((ValueError, TypeError), match="weight of 'a'"):
            make(["a"], weights={"a": weight})


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ConsistentHashRing(["a"], virtual_nodes=0), ValueError, "virtual_nodes must be at least 1"),
        (lambda: ConsistentHashRing(["a"], virtual_nodes=1.5), TypeError, "whole number"),
        (lambda: ConsistentHashRing(["a"], weights={"a": 1e9}), ValueError, "points on the ring"),
        (
            lambda: ConsistentHashRing(["a", "b", "c"], virtual_nodes=1 << 23),
            ValueError,
            "points on the ring",
        ),
        (lambda: BoundedLoadRing(["a"], epsilon=0), ValueError, "epsilon must be above 0"),
        (lambda: BoundedLoadRing(["a"], epsilon=float("nan")), ValueError, "finite"),
        (lambda: MaglevPartitioner(["a"], table_size=65536), ValueError, "must be a prime"),
        (lambda: MaglevPartitioner(["a"], table_size=49), ValueError, "must be a prime"),
        (lambda: maglev_table([7], [1], 7), ValueError, "an offset must be at most 6"),
        (lambda: maglev_table([0], [7], 7), ValueError, "a skip must be at most 6"),
        (lambda: maglev_table([0], [2], 8), ValueError, "they have 2 as a common divisor"),
        (lambda: maglev_table([], [], 7), ValueError, "one offset and one skip for each backend"),
        (lambda: maglev_table([0], [1], 7, [1.0, 2.0]), ValueError, "one weight for each backend"),
        (
            lambda: MaglevPartitioner(["a", "b", "c", "d"], table_size=3),
            ValueError,
            "4 nodes need as many slots",
        ),
        (lambda: DirectoryPartitioner(["a", "b"], slots=1), ValueError, "2 nodes need as many slots"),
        (lambda: RangePartitioner([1, "b"], ["x", "y", "z"]), TypeError, "one kind"),
        (lambda: RangePartitioner([2, 1], ["x", "y", "z"]), ValueError, "must go up"),
        (lambda: RangePartitioner([1, 1], ["x", "y", "z"]), ValueError, "must go up"),
        (lambda: RangePartitioner([1], ["x"]), ValueError, "2 ranges, each with an owner; got 1"),
        (lambda: RangePartitioner([], []), ValueError, "at least one node"),
        (lambda: RangePartitioner("ab", ["x", "y", "z"]), TypeError, "list of keys"),
    ],
)
def test_bad_settings_are_told_in_words(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_a_copy_is_independent(make):
    partitioner = make(NODES)
    before = state(partitioner)
    copy.deepcopy(partitioner).remove_node("n2")
    assert state(partitioner) == before


def test_owners_are_the_same_in_every_version_of_the_course():
    """Fixed once: a change of any hash would move everybody's keys."""
    owners = {
        name: [make(NODES).owner(key) for key in ("a", 42, b"\x00\x01")] for name, make in HASHED.items()
    }
    assert owners == GOLDEN


GOLDEN = {
    "modulo": ["n1", "n1", "n3"],
    "jump": ["n1", "n0", "n1"],
    "ring": ["n5", "n3", "n2"],
    "rendezvous": ["n3", "n3", "n0"],
    "maglev": ["n4", "n3", "n0"],
    "bounded": ["n5", "n3", "n2"],
    "directory": ["n3", "n3", "n0"],
}


@pytest.mark.parametrize(
    "weighted", [ConsistentHashRing, RendezvousPartitioner, MaglevPartitioner, BoundedLoadRing]
)
def test_the_order_of_nodes_does_not_matter_where_it_should_not(weighted):
    one, other = weighted(NODES), weighted(NODES[::-1])
    assert one.owners(np.arange(2000)).tolist() == other.owners(np.arange(2000)).tolist()


def test_the_order_of_nodes_and_weights_does_not_matter_to_any_slot_of_maglev():
    """A small table: there the nodes often want the same slot in the same round, and whose turn it is decides."""
    names = [f"n{number}" for number in range(20)]
    weights = {name: 1.0 + number % 3 for number, name in enumerate(names)}
    for heavy in (None, weights):
        one = MaglevPartitioner(names, 251, heavy)
        other = MaglevPartitioner(names[::-1], 251, heavy)
        assert [one.nodes[place] for place in one.table] == [other.nodes[place] for place in other.table]


def test_a_table_is_as_large_as_what_has_to_be_known():
    """A position of 8 bytes and an owner of 4 a point, a seed or weight of 8 a node, a slot of 4."""
    heavy = {"n0": 2.0}
    sizes = {
        "modulo": (ModuloPartitioner(NODES), 8),
        "jump": (JumpPartitioner(NODES), 8),
        "ring": (ring(NODES, heavy), 12 * 16 * 7),
        "bounded": (bounded(NODES), 12 * 16 * 6 + 8 * 6),
        "rendezvous": (RendezvousPartitioner(NODES), 8 * 6),
        "weighted rendezvous": (RendezvousPartitioner(NODES, heavy), 16 * 6),
        "maglev": (maglev(NODES), 4 * 1009),
        "directory": (directory(NODES), 4 * 1024),
        "numbers": (RangePartitioner([1, 2], ["a", "b", "c"]), 2 * 8 + 3 * 4),
        "texts": (RangePartitioner(["a", "bcd"], ["a", "b", "c"]), 4 + 3 * 4),
    }
    assert {name: made.table_bytes for name, (made, _) in sizes.items()} == {
        name: size for name, (_, size) in sizes.items()
    }


def test_many_keys_have_the_same_owners_as_few_at_the_seams_of_the_batches_too():
    keys = np.arange(40_000)
    for weights in (None, {"n0": 2.0}):
        partitioner = RendezvousPartitioner(NODES, weights)
        in_small_parts = [partitioner.owners(part) for part in np.array_split(keys, 90)]
        assert (partitioner.owners(keys) == np.concatenate(in_small_parts)).all()


def test_the_order_does_matter_to_modulo_and_jump():
    for ordered in (ModuloPartitioner, JumpPartitioner):
        assert (ordered(NODES).owners(np.arange(100)) != ordered(NODES[::-1]).owners(np.arange(100))).any()


@pytest.mark.parametrize("name", ["a\0", "\0"])
def test_a_name_that_an_array_would_shorten_is_refused(name):
    for make in (
        ConsistentHashRing,
        RendezvousPartitioner,
        JumpPartitioner,
        ModuloPartitioner,
        BoundedLoadRing,
    ):
        with pytest.raises(ValueError, match="must not end with a zero character"):
            make(["a", name])
        partitioner = make(["a", "b"])
        with pytest.raises(ValueError, match="must not end with a zero character"):
            partitioner.add_node(name)
        assert partitioner.nodes == ("a", "b")


def test_weights_must_be_a_mapping():
    with pytest.raises(TypeError, match="weights must be a mapping"):
        ConsistentHashRing(["a"], weights=5)
    with pytest.raises(TypeError, match="weights must be a mapping"):
        RendezvousPartitioner(["a"], [1.0])


def test_the_highest_bid_there_is_wins():
    """All 64 bits set: as a fraction it must stay below 1, whose logarithm is 0."""
    best, other = undo_mix((1 << 64) - 1), undo_mix(1 << 63)
    bids = RendezvousPartitioner._bid(np.uint64(0), np.array([best, other], np.uint64), np.array([1.0, 1.0]))
    assert np.isfinite(bids).all()
    assert bids[0] > bids[1] > 0


def undo_mix(z):
    """Return the number that SplitMix64 turns into z."""
    mask = (1 << 64) - 1
    z ^= z >> 31 ^ z >> 62
    z = z * pow(0x94D049BB133111EB, -1, 1 << 64) & mask
    z ^= z >> 27 ^ z >> 54
    z = z * pow(0xBF58476D1CE4E5B9, -1, 1 << 64) & mask
    z ^= z >> 30 ^ z >> 60
    return (z - 0x9E3779B97F4A7C15) & mask


def test_a_key_exactly_on_a_point_belongs_to_that_point():
    ring = ConsistentHashRing(["a", "b", "c"], virtual_nodes=8)
    bounded = BoundedLoadRing(["a", "b", "c"], virtual_nodes=8)
    keys = [undo_mix(position) for position in ring.points.positions.tolist()]
    on_point = [ring.nodes[place] for place in ring.points.owners]
    for owners in (ring.owners(keys).tolist(), [ring.owner(key) for key in keys]):
        assert owners == on_point
    assert [bounded.owner(key) for key in keys] == on_point
    assert [ring.replicas(key, 1)[0] for key in keys] == on_point
