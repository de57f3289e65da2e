"""The same data on several machines: who may write, who has what, and what a failover loses.

from dscourse.replication import SingleLeaderReplica
scenario = Scenario(SingleLeaderReplica, Network(topology.full_mesh(3)))

Measured on the simulated cluster, in runs that anybody can make again.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
