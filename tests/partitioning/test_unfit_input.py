"""What no model can work with is refused at the door in the course's own words, soon, and without a change."""

import numpy as np
import pytest

from dscourse.partitioning import (
    BoundedLoadRing,
    ConsistentHashRing,
    RangePartitioner,
    load_counts,
    partitioned_node,
    price,
    rebalance,
    split_hot_key,
)

NODES = ["a", "b", "c"]
RING = ConsistentHashRing(NODES, 8)
ONE = [("get", "k")]
HUGE, ENDLESS = 10**12, range(10**12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: RING.owners(ENDLESS), ValueError, "At most 100 000 000 keys"),
        (lambda: ConsistentHashRing(NODES, 10**400), ValueError, "virtual_nodes must be at most"),
        (lambda: BoundedLoadRing(NODES, 0.25, 10**400), ValueError, "virtual_nodes must be at most"),
        (lambda: RangePartitioner(ENDLESS, NODES), ValueError, "at most 1 000 000 keys"),
        (lambda: RangePartitioner(iter([1]), NODES), ValueError, "a list of at most"),
        (lambda: RangePartitioner([1], ENDLESS), TypeError, "The name of a node is a text"),
        (lambda: RangePartitioner([1], np.array([["a"]])), TypeError, "The name of a node is a text"),
        (
            lambda: RangePartitioner([1], ["a", "b"]).split_above(["x"], 1),
            TypeError,
            "boundaries are of kind int",
        ),
        (lambda: rebalance(RING, [1], add=np.array(["d", "e"])), TypeError, "add must be the name of a node"),
        (
            lambda: load_counts(None, [1]),
            TypeError,
            "partitioner must be a partitioner, such as a .*, got None",
        ),
        (lambda: split_hot_key("a", HUGE), ValueError, "pieces must be at most 1000000"),
        (lambda: price(ONE, nodes=True), TypeError, "nodes must be a whole number, got True"),
        (lambda: price(ONE, nodes=2.5), TypeError, "nodes must be a whole number, got 2.5"),
        (lambda: price(ONE, nodes=0), ValueError, "nodes must be at least 1"),
        (lambda: price(ONE, nodes=HUGE), ValueError, "nodes must be at most 1000"),
        (lambda: price(ONE, nodes="abc"), TypeError, "nodes must be a list of names"),
        (lambda: price(ONE, nodes=2, known=5), TypeError, "nodes must be a list of names"),
        (lambda: price(ONE, nodes=2, known=["n0", "n7"]), LookupError, "known names 'n7', but the storage"),
        (lambda: price(ONE, nodes=2, pigeons=3), TypeError, "price has no setting 'pigeons'"),
        (lambda: price([("put", "k", None)]), TypeError, "A key is a whole number, a text or bytes"),
        (lambda: price([("put", "k", True)]), TypeError, "A key is a whole number, a text or bytes"),
        (lambda: price([("transact", (("k", 0.5),))]), TypeError, "an amount must be a whole number"),
        (lambda: price([("transact", (("k", 10**400),))]), ValueError, "an amount must be at most"),
        (
            lambda: partitioned_node(np.array([1, 2]), (), storage=NODES),
            TypeError,
            "The name of a node is a text",
        ),
        (lambda: partitioned_node("app", (), storage=7), TypeError, "nodes must be a list of names"),
    ],
)
def test_it_is_said_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpys_own_numbers_are_as_good_as_pythons():
    assert price(ONE * 4, nodes=np.int8(3), latency=0.001).quantile(np.float32(0.5)) == pytest.approx(0.002)
    assert split_hot_key(np.int64(7), np.uint8(2)) == ["7#0", "7#1"]
