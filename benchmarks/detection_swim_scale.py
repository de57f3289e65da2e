"""What a SWIM group costs as it grows, beside all-to-all heartbeats: messages, simulated events, seconds, memory.

    python benchmarks/detection_swim_scale.py

Each row is a process of its own, so that its peak memory is its own. One member crashes; the last column says after how
many seconds the others suspected it, on average.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from functools import partial

from dscourse.detection import HeartbeatDetector, SwimMember, detector_quality, message_load
from dscourse.simulation import Crash, Network, Scenario, Uniform, topology

SECONDS = 20.0
SWIM_SIZES = (10, 100, 1000, 5000)
ALL_TO_ALL_SIZES = (10, 100, 200)
DETECTORS = {"SWIM": SwimMember, "all-to-all": partial(HeartbeatDetector, interval=1.0, timeout=3.0)}


def measure(kind: str, members: int) -> str:
    """Run one group and return one row of numbers."""
    network = Network(topology.full_mesh(members), latency=Uniform(0.001, 0.02))
    before = _peak_megabytes()
    started = time.process_time()
    run = Scenario(DETECTORS[kind], network, faults=(Crash("n3", at=2.3),), seed=1).run(SECONDS)
    seconds = time.process_time() - started
    memory = _peak_megabytes() - before
    quality = detector_quality(run)
    if quality.undetected:
        raise SystemExit(f"{kind}, {members} members: {quality.undetected} never learnt of the crash")
    return f"{message_load(run)} {len(run.trace)} {seconds} {memory} {quality.detection_time}"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(kind: str, members: int) -> list[float]:
    """Run ``measure`` in a process of its own."""
    command = [sys.executable, __file__, kind, str(members)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Print the table, then what grows and what does not."""
    print(f"{SECONDS:g} simulated seconds")
    print(
        f"{'':12}{'members':>8}{'msg/s each':>12}{'events':>10}{'CPU s':>8}{'ms/member':>11}{'MB':>7}{'suspected':>11}"
    )
    loads: dict[tuple[str, int], float] = {}
    for kind, sizes in (("SWIM", SWIM_SIZES), ("all-to-all", ALL_TO_ALL_SIZES)):
        for members in sizes:
            load, events, seconds, memory, detected = row(kind, members)
            loads[kind, members] = load
            print(
                f"{kind:12}{members:8d}{load:12.2f}{events:10.0f}{seconds:8.2f}{1000 * seconds / members:11.2f}"
                f"{memory:7.0f}{detected:10.1f}s"
            )
    grown = loads["SWIM", SWIM_SIZES[-1]] / loads["SWIM", SWIM_SIZES[0]]
    print(
        f"SWIM: {SWIM_SIZES[-1] // SWIM_SIZES[0]} times the members, {grown:.2f} times the messages per member"
    )
    grown = loads["all-to-all", ALL_TO_ALL_SIZES[-1]] / loads["all-to-all", ALL_TO_ALL_SIZES[0]]
    print(
        f"all-to-all: {ALL_TO_ALL_SIZES[-1] // ALL_TO_ALL_SIZES[0]} times the members, {grown:.1f} times the messages "
        "per member"
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
