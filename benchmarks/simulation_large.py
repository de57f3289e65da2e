"""A thousand nodes and a million messages, with the whole trace kept: time and memory, and SimPy's rate beside it.

Two loads: every node sends ten messages a second to peers drawn at random, and every node greets every other once (a
million links, each used once). SimPy runs a tenth of the first load in the same process, for the ratio.

    python benchmarks/simulation_large.py
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from random import Random

import simpy

from dscourse.simulation import Exponential, Network, Node, Scenario, topology

NODES = 1000


@dataclass(frozen=True)
class _Greeting:
    number: int


class _Greeter(Node):
    """Greets everybody once, at a random moment of the first second."""

    def __init__(self, node_id, peers):
        self._peers = peers
        self.heard = 0

    def on_start(self, ctx):
        ctx.set_timer("greet", ctx.rng.random())

    def on_timer(self, ctx, name):
        for peer in self._peers:
            ctx.send(peer, _Greeting(1))

    def on_message(self, ctx, sender, message):
        self.heard += 1


class _Gossiper(_Greeter):
    """Sends ten messages a second, each to a peer drawn at random."""

    def on_timer(self, ctx, name):
        peer = self._peers[int(ctx.rng.random() * len(self._peers))]
        ctx.send(peer, _Greeting(self.heard))
        ctx.set_timer("greet", 0.1)


def _run_ours(factory, seconds):
    network = Network(topology.full_mesh(NODES), latency=Exponential(0.02))
    return Scenario(factory, network, seed=1).run(seconds)


def _run_simpy(seconds):
    environment = simpy.Environment()
    random = Random(1)
    stores = [simpy.Store(environment) for _ in range(NODES)]
    trace = []

    def travel(sender, to, message):
        yield environment.timeout(random.expovariate(50.0))
        yield stores[to].put((sender, message))

    def gossip(me):
        yield environment.timeout(random.random())
        while True:
            to = int(random.random() * NODES)
            message = _Greeting(0)
            trace.append((environment.now, "send", me, to, message))
            environment.process(travel(me, to, message))
            yield environment.timeout(0.1)

    def receive(me):
        while True:
            sender, message = yield stores[me].get()
            trace.append((environment.now, "deliver", me, sender, message))

    for me in range(NODES):
        environment.process(gossip(me))
        environment.process(receive(me))
    environment.run(until=seconds)
    return sum(row[1] == "send" for row in trace)


def _megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _main():
    before = _megabytes()
    begin = time.process_time()
    simpy_rate = _run_simpy(10.0) / (time.process_time() - begin)
    print(f"SimPy, a tenth of the gossip: {simpy_rate:9,.0f} messages/s (CPU time)")
    for factory, seconds in ((_Gossiper, 100.5), (_Greeter, 2.0)):
        begin = time.process_time()
        run = _run_ours(factory, seconds)
        took = time.process_time() - begin
        count = len(run.trace.select(kind="send"))
        print(
            f"{factory.__name__}: {count:9,} messages in {took:5.1f} s: {count / took:9,.0f} messages/s, "
            f"{count / took / simpy_rate:4.2f} × SimPy; peak memory so far {_megabytes() - before:5.0f} MB"
        )
        del run


if __name__ == "__main__":
    _main()
