"""The directory: fixed slots, an explicit table, pinned keys."""

import numpy as np
import pytest

from dscourse.partitioning import DirectoryPartitioner, hash_key


def test_a_slot_can_be_assigned_by_hand():
    directory = DirectoryPartitioner(["a", "b"], slots=16)
    slot = directory.slot("user")
    assert slot == hash_key("user") % 16
    for node in ("a", "b", "a"):
        directory.assign(slot, node)
        assert directory.owner("user") == node == directory.owners(["user"])[0]
    with pytest.raises(LookupError, match="no node 'z'"):
        directory.assign(slot, "z")
    with pytest.raises(ValueError, match="slot must be at most 15"):
        directory.assign(16, "a")
    assert directory.owner("user") == "a"


def test_a_pinned_key_has_a_node_of_its_own():
    directory = DirectoryPartitioner(["a", "b", "c"], slots=16)
    at_home = directory.owner(7)
    other = next(node for node in directory.nodes if node != at_home)
    directory.pin(7, other)
    assert directory.owner(7) == directory.owner(np.int64(7)) == other
    assert directory.owners(np.array([7, 7])).tolist() == [other, other]
    assert directory.replicas(7, 3)[0] == other
    assert len(set(directory.replicas(7, 3))) == 3
    racks = {"a": "r1", "b": "r2", "c": "r3", other: "r9"}
    assert directory.replicas(7, 2, racks=racks)[0] == other


def test_a_pinned_key_goes_home_when_its_node_leaves():
    directory = DirectoryPartitioner(["a", "b"], slots=16)
    directory.pin("vip", "b")
    directory.remove_node("b")
    assert directory.owner("vip") == "a"
    assert directory.pins == {}
    with pytest.raises(LookupError, match="no node 'b'"):
        directory.pin("vip", "b")


def test_a_table_changed_by_hand_is_respected_when_nodes_come():
    directory = DirectoryPartitioner(["a", "b"], slots=12)
    for slot in range(12):
        directory.assign(slot, "a")
    directory.add_node("c")
    held = np.unique(np.array(directory.nodes)[directory._table], return_counts=True)
    assert dict(zip(held[0].tolist(), held[1].tolist(), strict=True)) == {"a": 8, "c": 4}
