"""Twenty nodes beat to each other every 100 ms: messages per second here and in SimPy, in the same run.

SimPy is used as its documentation has it: a Store a node, a process a message, a process a node that takes from the
store. Its side keeps a list of tuples as its trace and checks nothing. Our side does all that a run always does: it
checks and encodes messages, draws from a stream per link, keeps the trace and its digest. Both sides build one message
per send; the last line shows what one object for all peers saves.

Our kernel suspends the collector of cyclic garbage while it runs. That alone makes SimPy much faster, too, so a second
line shows SimPy with the collector suspended.

    python benchmarks/simulation_against_simpy.py
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from dataclasses import dataclass
from random import Random

import simpy

from dscourse.simulation import Exponential, Network, Node, Scenario, topology

NODES, INTERVAL, SECONDS, MEAN_DELAY, ROUNDS = 20, 0.1, 20.0, 0.02, 5


@dataclass(frozen=True)
class _Heartbeat:
    number: int


class _Beater(Node):
    def __init__(self, node_id, peers):
        self._peers = peers
        self._number = 0
        self._heard = dict.fromkeys(peers, 0)

    def on_start(self, ctx):
        self.on_timer(ctx, "beat")

    def on_timer(self, ctx, name):
        self._number += 1
        for peer in self._peers:
            ctx.send(peer, _Heartbeat(self._number))
        ctx.set_timer("beat", INTERVAL)

    def on_message(self, ctx, sender, message):
        self._heard[sender] = message.number


class _OneForAll(_Beater):
    """The same, with one message object for all peers."""

    def on_timer(self, ctx, name):
        self._number += 1
        heartbeat = _Heartbeat(self._number)
        for peer in self._peers:
            ctx.send(peer, heartbeat)
        ctx.set_timer("beat", INTERVAL)


def _run_ours(factory=_Beater):
    network = Network(topology.full_mesh(NODES), latency=Exponential(MEAN_DELAY))
    return Scenario(factory, network, seed=1).run(SECONDS)


def _run_simpy():
    environment = simpy.Environment()
    random = Random(1)
    names = [f"n{i}" for i in range(NODES)]
    stores = {name: simpy.Store(environment) for name in names}
    trace = []

    def travel(sender, to, message):
        yield environment.timeout(random.expovariate(1 / MEAN_DELAY))
        yield stores[to].put((sender, message))

    def beat(me):
        number = 0
        while True:
            number += 1
            for to in names:
                if to != me:
                    message = _Heartbeat(number)
                    trace.append((environment.now, "send", me, to, message))
                    environment.process(travel(me, to, message))
            yield environment.timeout(INTERVAL)

    def receive(me):
        heard = {}
        while True:
            sender, message = yield stores[me].get()
            trace.append((environment.now, "deliver", me, sender, message))
            heard[sender] = message.number

    for name in names:
        environment.process(beat(name))
        environment.process(receive(name))
    environment.run(until=SECONDS)
    return trace


def _run_simpy_without_collector():
    gc.disable()
    try:
        return _run_simpy()
    finally:
        gc.enable()


def _seconds_for(function, *arguments):
    gc.collect()
    begin = time.process_time()
    result = function(*arguments)
    return time.process_time() - begin, result


def _bytes_per_message(function, *arguments):
    gc.collect()
    tracemalloc.start()
    result = function(*arguments)
    if hasattr(result, "trace"):
        result.trace  # noqa: B018 - as it is when somebody looks at it
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used / _messages_in(result)


def _messages_in(result):
    if hasattr(result, "trace"):
        return len(result.trace.select(kind="send"))
    return sum(row[1] == "send" for row in result)


def _main():
    contenders = {
        "SimPy": (_run_simpy,),
        "SimPy, collector suspended": (_run_simpy_without_collector,),
        "dscourse": (_run_ours, _Beater),
        "dscourse, one object for all": (_run_ours, _OneForAll),
    }
    rates = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            seconds, result = _seconds_for(*call)
            rates[name].append(_messages_in(result) / seconds)
    print(
        f"{NODES} nodes, all to all every {INTERVAL * 1000:g} ms for {SECONDS:g} s; median of {ROUNDS} rounds, CPU time"
    )
    for name, call in contenders.items():
        ratio = statistics.median(a / b for a, b in zip(rates[name], rates["SimPy"], strict=True))
        size = _bytes_per_message(*call)
        rate = statistics.median(rates[name])
        print(f"{name:28} {rate:9,.0f} messages/s  {ratio:5.2f} × SimPy  {size:5.0f} bytes a traced message")


if __name__ == "__main__":
    _main()
