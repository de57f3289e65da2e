"""Agreeing on one leader: how it is done wrong, and how it is done right.

So far this package holds the wrong way, which notebook 00 breaks:

    from dscourse.consensus import NaiveFailoverNode
    scenario = Scenario(NaiveFailoverNode, Network(topology.full_mesh(5)))
"""

from dscourse.consensus.naive_failover import Heartbeat, NaiveFailoverNode

__all__ = ["Heartbeat", "NaiveFailoverNode"]
