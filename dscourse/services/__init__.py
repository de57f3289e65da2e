"""Services that scale out: load balancers, servers, workers, and what holds them back.

    from dscourse.services import simulate_balancing
    simulate_balancing("two choices", load=0.9).mean_time

What a notebook shows runs on the simulator's kernel, as nodes; where a curve needs very many requests, a model outside
it stands in, and tests hold the two against each other.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
