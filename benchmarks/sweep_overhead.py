"""What a sweep costs beside a plain loop, and what more workers bring, with the USL that fits beside it.

    python benchmarks/sweep_overhead.py

A cell is 10 ms of arithmetic. Each number is the best of several rounds in turn, since other programs only ever add
time; without an executor CPU time is counted, which they add little to. The throughput of 1, 2, … workers is fitted by
`fit_usl`: on two cores it nearly doubles once and then stands still, which the law can only draw as a bend. Cores that
others keep busy spoil that part.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor

from distributed import Client, LocalCluster

from dscourse.exploration import sweep
from dscourse.scaling import fit_usl

CELL = 0.010  # seconds
CELLS = 100
ROUNDS = 5
MOST = 0.05  # of a cell


def work(steps: int) -> int:
    """Keep a core busy."""
    total = 0
    for step in range(steps):
        total += step * step % 7
    return total


def steps_of_a_cell() -> int:
    """Return how many steps take as long as a cell on this machine."""
    steps = 100_000
    fastest = min(seconds(time.process_time, work, steps) for _ in range(9))
    return int(steps * CELL / fastest)


def seconds(clock: Callable[[], float], task: Callable[..., object], *arguments: object) -> float:
    """Return how long a task takes."""
    started = clock()
    task(*arguments)
    return clock() - started


def main() -> None:
    """Measure and print."""
    steps = steps_of_a_cell()

    def experiment(seed: int, load: float) -> dict[str, float]:
        return {"total": work(steps), "label": load + seed}

    def plain() -> None:
        for seed in range(CELLS):
            experiment(seed=seed, load=0.5)

    def with_sweep(executor: Executor | None = None) -> None:
        result = sweep(experiment, {"load": [0.5]}, seeds=CELLS, executor=executor)
        if len(result.rows) != CELLS:
            raise SystemExit(f"only {len(result.rows)} of {CELLS} runs were finished")

    def overhead(name: str, clock: Callable[[], float], executor: Executor | None) -> float:
        """Print and return the share by which the sweep takes longer than the loop, best round against best round."""
        with_sweep(executor)  # workers start, and load what they need
        rounds = [(seconds(clock, with_sweep, executor), seconds(clock, plain)) for _ in range(ROUNDS)]
        ours, its = (min(column) for column in zip(*rounds, strict=True))
        empty = min(seconds(clock, sweep_of_nothing, executor) for _ in range(ROUNDS))
        print(f"{name:32} {100 * (ours / its - 1.0):6.2f} % {1e6 * empty / CELLS:8.0f} µs an empty cell")
        return ours / its - 1.0

    print(f"{CELLS} cells of {1000 * CELL:g} ms, best of {ROUNDS} rounds, {os.cpu_count()} cores")
    print("overhead")
    here = overhead("no executor, CPU time", time.process_time, None)
    with ProcessPoolExecutor(1) as executor:
        overhead("one process, wall time", time.perf_counter, executor)
    with cluster(1) as local, Client(local) as client:
        overhead("one Dask worker, wall time", time.perf_counter, client.get_executor())
    speed_up("processes", ProcessPoolExecutor, with_sweep)
    if here > MOST:
        raise SystemExit(f"the overhead is above {100 * MOST:g} %")


def sweep_of_nothing(executor: Executor | None) -> None:
    """Run cells that do nothing, so that only what a sweep adds is left."""
    sweep(lambda seed: {"x": seed}, {}, seeds=CELLS, executor=executor)


def cluster(workers: int) -> LocalCluster:
    """Return a Dask cluster on loopback."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    )


def speed_up(name: str, make: Callable[[int], Executor], with_sweep: Callable[[Executor], None]) -> None:
    """Print the throughput of one worker up to twice the cores, and the law that fits it."""
    loads = range(1, 2 * (os.cpu_count() or 1) + 1)
    executors = {workers: make(workers) for workers in loads}
    times: dict[int, list[float]] = {workers: [] for workers in loads}
    for workers in loads:
        with_sweep(executors[workers])
    for _ in range(ROUNDS):  # in turn: what else the machine does meanwhile meets them all
        for workers in loads:
            times[workers].append(seconds(time.perf_counter, with_sweep, executors[workers]))
    for executor in executors.values():
        executor.shutdown()
    throughput = {workers: CELLS / min(times[workers]) for workers in loads}
    fit = fit_usl(list(loads), list(throughput.values()))
    print(f"\n{name:10} cells/s  speed-up   USL")
    for workers, measured in throughput.items():
        print(f"{workers:10} {measured:7.1f} {measured / throughput[1]:9.2f} {float(fit(workers)):5.1f}")
    print(fit)


if __name__ == "__main__":
    main()
