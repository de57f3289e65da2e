"""Agreeing on one leader: how it is done wrong, and how it is done right.

So far this package holds the wrong way, which notebook 00 breaks:

    from dscourse.consensus import NaiveFailoverNode
    scenario = Scenario(NaiveFailoverNode, Network(topology.full_mesh(5)))
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
