"""A load balancer in front of a hundred servers: requests per second here, in SimPy and in ciw, in the same run.

    python benchmarks/services_balancing.py [requests]

SimPy and ciw simulate any system as it happens and are far more general; they get fewer requests, and times per
request are compared. All agree with each other and, for two choices, with the supermarket model, but for the start,
which weighs more in short runs. ciw's own "join the shortest queue" leaves out the request in service, so that it does
a little worse.

Below: the same with an old view, with thirty balancers, and a scaling curve of each pattern, 1, 2, 4 … 64 nodes with
10⁵ requests a point.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import ciw
import numpy as np
import simpy

from dscourse.services import PATTERNS, measure_scaling, simulate_balancing, supermarket_mean_time

SERVERS, LOAD = 100, 0.9
POLICIES = ("random", "round robin", "least connections", "two choices")


def with_simpy(policy: str, requests: int) -> float:
    """Return the mean time of a request that SimPy finds: a resource a server, a process a request."""
    rng = np.random.default_rng(1)
    gaps = rng.exponential(1 / (LOAD * SERVERS), requests).tolist()
    needs = rng.exponential(1, requests).tolist()
    draws = rng.integers(0, SERVERS, (requests, 2)).tolist()
    environment = simpy.Environment()
    servers = [simpy.Resource(environment) for _ in range(SERVERS)]
    times = []

    def held(server: simpy.Resource) -> int:
        return server.count + len(server.queue)

    def choose(number: int) -> simpy.Resource:
        first, second = draws[number]
        if policy == "random":
            return servers[first]
        if policy == "round robin":
            return servers[number % SERVERS]
        if policy == "least connections":
            return min(servers, key=held)
        return min(servers[first], servers[second], key=held)

    def request(number: int):
        came = environment.now
        with choose(number).request() as turn:
            yield turn
            yield environment.timeout(needs[number])
        times.append(environment.now - came)

    def source():
        for number, gap in enumerate(gaps):
            yield environment.timeout(gap)
            environment.process(request(number))

    environment.process(source())
    environment.run()
    return float(np.mean(times[requests // 10 :]))


def with_ciw(requests: int) -> float:
    """Return the mean time that ciw finds for its own "join the shortest queue"."""
    doors = [ciw.dists.Exponential(rate=LOAD * SERVERS)] + [None] * SERVERS
    work = [ciw.dists.Deterministic(value=0.0)] + [ciw.dists.Exponential(rate=1.0)] * SERVERS
    everybody = list(range(2, SERVERS + 2))
    network = ciw.create_network(
        arrival_distributions=doors,
        service_distributions=work,
        number_of_servers=[float("inf")] + [1] * SERVERS,
        routing=ciw.routing.NetworkRouting(
            routers=[ciw.routing.JoinShortestQueue(destinations=everybody)]
            + [ciw.routing.Leave() for _ in everybody]
        ),
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests)
    records = [record for record in simulation.get_all_records() if record.node > 1]
    return float(np.mean([record.exit_date - record.arrival_date for record in records[requests // 10 :]]))


def timed(run: Callable[[], float], requests: int) -> tuple[float, float, float]:
    """Return what it found, seconds, and microseconds a request."""
    start = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - start
    return found, seconds, 1e6 * seconds / requests


def main() -> None:
    """Run all and print the ratios."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    fewer = max(1000, requests // 20)
    print(
        f"{SERVERS} servers at load {LOAD}; supermarket model, two choices: {supermarket_mean_time(LOAD):.4f}\n"
    )
    for policy in POLICIES:
        found, seconds, each = timed(
            lambda policy=policy: simulate_balancing(policy, requests=requests).mean_time, requests
        )
        print(
            f"{policy:18} {requests:>8} requests in {seconds:5.2f} s, {each:6.2f} µs each; mean time {found:.3f}"
        )
        others = [("SimPy", lambda policy=policy: with_simpy(policy, fewer), fewer)]
        if policy == "least connections":
            others.append(("ciw", lambda: with_ciw(fewer // 10), fewer // 10))
        for name, run, count in others:
            found, seconds, theirs = timed(run, count)
            print(f"  {name:16} {count:>8} requests in {seconds:5.2f} s, {theirs:6.2f} µs each; mean time {found:.3f};"
                  f" {theirs / each:.0f} × as long")  # fmt: skip
    print()
    for policy in POLICIES[2:]:
        for terms in ({"view_age": 1.0}, {"view_age": 0.05}, {"balancers": 30}, {"ties": "lowest"}):
            _, seconds, _ = timed(
                lambda policy=policy, terms=terms: (
                    simulate_balancing(policy, requests=requests, **terms).mean_time
                ),
                requests,
            )
            print(f"{policy:18} {terms!s:18} {seconds:5.2f} s")
    print()
    for pattern in PATTERNS:
        _, seconds, _ = timed(lambda pattern=pattern: measure_scaling(pattern).throughput[-1], 1)
        print(f"curve of {pattern:16} {seconds:5.2f} s")


if __name__ == "__main__":
    main()
