"""Agreeing on one leader: how it is done wrong, how it is done right, and what a leader's lease is worth.

    from dscourse.consensus import NaiveFailoverNode, RaftNode, raft_cluster
    raft_cluster(5).run(10.0)

`raft/` holds Raft for a fixed membership, a store on it and what it promises; `leases` and `fencing` what a lock
service can and can't do; `replays` and `dns_plans` six incidents with a public account.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
