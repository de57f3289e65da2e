"""A deterministic cluster in virtual time: write a node, say who can talk to whom and what goes wrong, and run it.

    from dataclasses import dataclass
    from dscourse.simulation import Crash, Network, Node, Scenario, Uniform, topology

    @dataclass(frozen=True)
    class Hello:
        name: str

    class Greeter(Node):
        def on_start(self, ctx):
            for peer in self.peers:
                ctx.send(peer, Hello(self.node_id))

        def on_message(self, ctx, sender, message):
            ctx.record("status", status="greeted", label=f"greeted by {message.name}")

    network = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
    run = Scenario(Greeter, network, faults=[Crash("n0", at=0.1)], seed=1).run(until=1.0)

A run is data: the same scenario, seed and faults give the same trace, byte for byte, on every machine. So a run can be
looked at as it was at any time (`run.at`), and run again with something changed (`run.fork`).
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
