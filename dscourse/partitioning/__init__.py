"""Partitioning: who owns a key, what moves when the cluster changes, and what to do about skew.

    from dscourse.partitioning import ConsistentHashRing, rebalance

    ring = ConsistentHashRing(["n0", "n1", "n2", "n3"])
    ring.owner("user:42")                 # one node
    ring.owners(numpy.arange(1_000_000))  # a million at once
    rebalance(ring, keys, add="n4")       # on a copy: what would move

All partitioners keep the same promises (`Partitioner`); keys are whole numbers, texts or bytes, hashed in a way that
every process on every machine agrees on.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
