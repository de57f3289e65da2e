"""How fast `simulate_queue` is beside SimPy and ciw, on the same M/M/c queue in the same run.

    python benchmarks/scaling_queue.py [customers]

SimPy and ciw simulate any system as it happens and are far more general; this says what it buys to write one queue
down as a recursion. They get fewer customers, and times per customer are compared. All three must agree with Erlang's
formula.
"""

from __future__ import annotations

import sys
import time

import ciw
import numpy as np
import simpy

from dscourse.scaling import mmc, simulate_queue

UTILIZATION = 0.8


def ours(customers: int, servers: int, seed: int) -> float:
    """Return the mean wait that `simulate_queue` finds."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / (UTILIZATION * servers), customers)
    return float(simulate_queue(gaps, rng.exponential(1, customers), servers).waiting_times.mean())


def with_simpy(customers: int, servers: int, seed: int) -> float:
    """Return the mean wait that SimPy finds."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / (UTILIZATION * servers), customers).tolist()
    service = rng.exponential(1, customers).tolist()
    environment = simpy.Environment()
    counter = simpy.Resource(environment, servers)
    waits = []

    def customer(needed: float):
        came = environment.now
        with counter.request() as turn:
            yield turn
            waits.append(environment.now - came)
            yield environment.timeout(needed)

    def source():
        for gap, needed in zip(gaps, service, strict=True):
            yield environment.timeout(gap)
            environment.process(customer(needed))

    environment.process(source())
    environment.run()
    return sum(waits) / len(waits)


def with_ciw(customers: int, servers: int, seed: int) -> float:
    """Return the mean wait that ciw finds."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=UTILIZATION * servers)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[servers],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers)
    waits = [record.waiting_time for record in simulation.get_all_records()]
    return sum(waits) / len(waits)


def main() -> None:
    """Run all three and print the ratios."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"M/M/c at {UTILIZATION:.0%} utilization; wait = mean wait in service times")
    for servers in (1, 8):
        theory = mmc(UTILIZATION * servers, 1.0, servers).waiting_time
        print(f"\n{servers} server{'s' if servers > 1 else ''}; Erlang says {theory:.4f}")
        per_customer = {}
        for name, run, count in (
            ("simulate_queue", ours, customers),
            ("SimPy", with_simpy, max(1, customers // 10)),
            ("ciw", with_ciw, max(1, customers // 40)),
        ):
            start = time.perf_counter()
            wait = run(count, servers, seed=1)
            seconds = time.perf_counter() - start
            per_customer[name] = seconds / count
            print(
                f"  {name:15} {count:>9} customers in {seconds:6.2f} s, "
                f"{1e6 * seconds / count:8.3f} µs each; wait {wait:.4f}"
            )
        for name in ("SimPy", "ciw"):
            print(f"  {name} takes {per_customer[name] / per_customer['simulate_queue']:.0f} times as long")


if __name__ == "__main__":
    main()
