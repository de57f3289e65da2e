"""How long "what if?" takes: a fork of a 60 s run of five nodes, a look at one moment, and the run itself.

SimPy can't fork; the same load run once in SimPy stands beside it. Each number is the median of several, in wall-clock
time, since that is what a learner waits for.

    python benchmarks/simulation_fork.py
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from random import Random

import simpy

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Crash, Network, Scenario, Uniform, topology

NODES, SECONDS, ROUNDS = 5, 60.0, 7


def _scenario(interval):
    factory = partial(NaiveFailoverNode, heartbeat_interval=interval, timeout=3.2 * interval)
    return Scenario(factory, Network(topology.full_mesh(NODES), latency=Uniform(0.02, 0.2)), seed=1)


def _simpy(interval):
    environment, random, trace = simpy.Environment(), Random(1), []
    stores = [simpy.Store(environment) for _ in range(NODES)]

    def travel(sender, to):
        yield environment.timeout(random.uniform(0.02, 0.2))
        yield stores[to].put(sender)

    def beat(me):
        while True:
            for to in range(NODES):
                if to != me:
                    trace.append((environment.now, "send", me, to))
                    environment.process(travel(me, to))
            yield environment.timeout(interval)

    def receive(me):
        heard = {}
        while True:
            sender = yield stores[me].get()
            trace.append((environment.now, "deliver", me, sender))
            heard[sender] = environment.now

    for me in range(NODES):
        environment.process(beat(me))
        environment.process(receive(me))
    environment.run(until=SECONDS)


def _milliseconds(call):
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def _main():
    for interval in (0.5, 0.1):
        scenario = _scenario(interval)
        run = scenario.run(SECONDS)
        peer = _milliseconds(lambda: _simpy(interval))  # noqa: B023 - called at once
        load = f"{NODES} nodes, heartbeats every {interval:g} s for {SECONDS:g} s"
        print(f"{load}: {len(run.trace)} events; SimPy {peer:.0f} ms")
        for what, call in {
            "run": lambda: scenario.run(SECONDS),  # noqa: B023
            "fork at 30 s with a crash": lambda: run.fork(30.0, Crash("n0", at=31.0)),  # noqa: B023
            "state at 30 s": lambda: scenario.run(SECONDS).at(30.0),  # noqa: B023
            "recording of every change": lambda: scenario.run(SECONDS).recording(),  # noqa: B023
        }.items():
            took = _milliseconds(call)
            print(f"  {what:28} {took:6.0f} ms   {took / peer:5.2f} × SimPy's run")


if __name__ == "__main__":
    _main()
