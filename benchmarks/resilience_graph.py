"""One minute at 1 000 requests a second through the services of notebook 11, here and in SimPy; and a whole ablation.

    python benchmarks/resilience_graph.py            # the minute, ours and SimPy's
    python benchmarks/resilience_graph.py ablation   # 2^6 designs, ten seeds each, on two processes

For SimPy the same graph is built from resources: threads at edge and services, one server a database, delays between
them, cache hits with the share that ours has. It keeps no trace and knows no policies, timeouts or losses: a lower
bound of its cost. Ours does all that a run always does: messages are checked and encoded, the trace is kept, every call
goes through its stack of policies. Both databases are made quick enough for that load.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from random import Random

import simpy

from dscourse.resilience import Design, ablation
from dscourse.resilience.incidents.graph import EDGE, ONE_WAY, TO_PAYMENT, service_graph
from dscourse.resilience.incidents.incident import Incident, incident_scenario
from dscourse.resilience.incidents.services import THREADS, WORK
from dscourse.simulation import Network

RATE, SECONDS, QUERY = 1_000.0, 60.0, 0.0012
HITS, ORDERS = 0.7, 0.2


def ours(design: Design) -> tuple[int, float]:
    """Return how many requests there were, and how many seconds of CPU they took."""
    scenario = incident_scenario(Incident("calm", "nothing goes wrong", 0.1), design, load=RATE)
    network = Network(service_graph(database_seconds=QUERY), latency=ONE_WAY)
    begun = time.process_time()
    run = scenario.changed(network=network).run(SECONDS)
    done = time.process_time() - begun
    return len(run.trace.select(kind="invoke", peer=EDGE)), done


def with_simpy() -> tuple[int, float]:
    """Return the same of SimPy."""
    random, environment = Random(1), simpy.Environment()
    edge = simpy.Resource(environment, THREADS["edge"])
    services = {
        name: [simpy.Resource(environment, THREADS[name]) for _ in range(2)]
        for name in ("catalog", "checkout")
    }
    database = simpy.Resource(environment, 1)
    served = []

    def query():
        yield environment.timeout(ONE_WAY)
        with database.request() as turn:
            yield turn
            yield environment.timeout(random.expovariate(1 / QUERY))
        yield environment.timeout(ONE_WAY)

    def request(number):
        order = random.random() < ORDERS
        with edge.request() as thread:
            yield thread
            yield environment.timeout(ONE_WAY)
            with services["checkout" if order else "catalog"][number % 2].request() as inner:
                yield inner
                yield environment.timeout(WORK)
                if order:
                    yield from query()
                    yield environment.timeout(2 * TO_PAYMENT)
                else:
                    yield environment.timeout(2 * ONE_WAY)
                    if random.random() > HITS:
                        yield from query()
            yield environment.timeout(ONE_WAY)
        served.append(environment.now)

    def source():
        for number in range(int(RATE * SECONDS)):
            yield environment.timeout(random.expovariate(RATE))
            environment.process(request(number))

    environment.process(source())
    begun = time.process_time()
    environment.run(SECONDS)
    return len(served), time.process_time() - begun


def main() -> None:
    """Print what was asked for."""
    if sys.argv[1:] == ["ablation"]:
        begun = time.perf_counter()
        with ProcessPoolExecutor(2) as pool:
            result = ablation("retry storm", seeds=10, executor=pool, progress=True)
        print(f"{len(result.sweep.rows)} runs in {time.perf_counter() - begun:.0f} s")
        print(result.table().round(3).to_string())
        return
    requests, simpys = with_simpy()
    print(f"SimPy                {requests} requests in {simpys:5.1f} s of CPU")
    for name, design in (("bare", Design()), ("timeouts, breakers", Design(timeout=True, breaker=True))):
        requests, seconds = ours(design)
        print(f"{name:20} {requests} requests in {seconds:5.1f} s of CPU, {seconds / simpys:.1f} × SimPy")


if __name__ == "__main__":
    main()
