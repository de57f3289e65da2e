"""Partitioning: who owns a key, what moves when the cluster changes, and what to do about skew.

    from dscourse.partitioning import ConsistentHashRing, rebalance

    ring = ConsistentHashRing(["n0", "n1", "n2", "n3"])
    ring.owner("user:42")                 # one node
    ring.owners(numpy.arange(1_000_000))  # a million at once
    rebalance(ring, keys, add="n4")       # on a copy: what would move

All partitioners keep the same promises (`Partitioner`); keys are whole numbers, texts or bytes, hashed in a way that
every process on every machine agrees on.
"""

from dscourse.partitioning.bounded import BoundedLoadRing
from dscourse.partitioning.directory import DirectoryPartitioner
from dscourse.partitioning.hot_keys import LruCache, split_hot_key, spread_hot_keys
from dscourse.partitioning.jump import JumpPartitioner, jump_hash
from dscourse.partitioning.keys import Key, hash_key, hash_keys
from dscourse.partitioning.maglev import MaglevPartitioner, maglev_table
from dscourse.partitioning.modulo import ModuloPartitioner
from dscourse.partitioning.pricing import Price, messages_between_machines, price
from dscourse.partitioning.protocol import Partitioner
from dscourse.partitioning.ranges import KeyRange, RangePartitioner
from dscourse.partitioning.rebalancing import Rebalance, load_counts, load_imbalance, rebalance
from dscourse.partitioning.rendezvous import RendezvousPartitioner
from dscourse.partitioning.ring import ConsistentHashRing
from dscourse.partitioning.secondary_indexes import Found, GlobalIndex, LocalIndex, SecondaryIndex
from dscourse.partitioning.skew import twitter_zipf_exponents, zipf_keys, zipf_probabilities
from dscourse.partitioning.space_saving import HotKey, SpaceSaving
from dscourse.partitioning.store_nodes import (
    Application,
    CoordinatingNode,
    Proxy,
    StorageNode,
    partitioned_node,
    store_network,
)

__all__ = [
    "Application",
    "BoundedLoadRing",
    "ConsistentHashRing",
    "CoordinatingNode",
    "DirectoryPartitioner",
    "Found",
    "GlobalIndex",
    "HotKey",
    "JumpPartitioner",
    "Key",
    "KeyRange",
    "LocalIndex",
    "LruCache",
    "MaglevPartitioner",
    "ModuloPartitioner",
    "Partitioner",
    "Price",
    "Proxy",
    "RangePartitioner",
    "Rebalance",
    "RendezvousPartitioner",
    "SecondaryIndex",
    "SpaceSaving",
    "StorageNode",
    "hash_key",
    "hash_keys",
    "jump_hash",
    "load_counts",
    "load_imbalance",
    "maglev_table",
    "messages_between_machines",
    "partitioned_node",
    "price",
    "rebalance",
    "split_hot_key",
    "spread_hot_keys",
    "store_network",
    "twitter_zipf_exponents",
    "zipf_keys",
    "zipf_probabilities",
]
