"""The directory: fixed slots and an explicit table."""

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


def test_a_table_changed_by_hand_is_respected_when_nodes_come():
    directory = DirectoryPartitioner(["a", "b"], slots=12)
    for slot in range(12):
        directory.assign(slot, "a")
    directory.add_node("c")
    held = np.unique(np.array(directory.nodes)[directory._table], return_counts=True)
    assert dict(zip(held[0].tolist(), held[1].tolist(), strict=True)) == {"a": 8, "c": 4}
