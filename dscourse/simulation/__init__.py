"""A deterministic cluster in virtual time.

    from dscourse.simulation import Crash, Network, Scenario, Uniform, topology

    network = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
    run = Scenario(MyNode, network, faults=[Crash("n0", at=3.0)], seed=1).run(until=8.0)

A run is data: the same scenario, seed and faults give the same trace, byte for byte, on every machine. So a run can be
looked at as it was at any time (`run.at`), and run again with something changed (`run.fork`).
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
