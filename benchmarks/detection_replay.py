"""A trade-off curve by replay, and by simulating the nodes: the same points, seconds of each, in the same run.

    python benchmarks/detection_replay.py

Then the time to redraw the figure of notebook 08 when its slider moves, which should stay below a tenth of a second.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

import numpy as np

from dscourse.detection import (
    HeartbeatDetector,
    RecordedDelays,
    RecordedPeer,
    detector_quality,
    drawn_delays,
    replay_all,
    replay_heartbeat,
    seattle_delays,
)
from dscourse.simulation import Constant, Network, Scenario, topology
from dscourse.views.detection import explore_timeout

TIMEOUTS = np.linspace(1.0037, 6.0037, 50)
LINKS = 2  # simulated; the replay does 40 in the notebook


def simulate(recording: RecordedDelays) -> list[float]:
    """Mistakes a second for every timeout: a run of two nodes for each link and each timeout."""
    rates = []
    for timeout in TIMEOUTS:
        watcher = partial(HeartbeatDetector, interval=1.0, timeout=timeout)
        found = []
        for delays in recording.delays:
            peer = partial(RecordedPeer, delays=delays, interval=1.0)
            nodes = {"n0": watcher, "n1": peer}
            network = Network(topology.full_mesh(2), latency=Constant(0.0))
            run = Scenario(lambda node, peers, nodes=nodes: nodes[node](node, peers), network).run(
                recording.seconds
            )
            found.append(detector_quality(run, observers=["n0"]).mistake_rate)
        rates.append(statistics.fmean(found))
    return rates


def main() -> None:
    """Print both times, their ratio, and the redraw."""
    recording = RecordedDelays(1.0, seattle_delays().delays[10 : 10 + LINKS])
    started = time.process_time()
    replayed = replay_heartbeat(recording, TIMEOUTS)
    replay_seconds = time.process_time() - started
    started = time.process_time()
    simulated = simulate(recording)
    simulation_seconds = time.process_time() - started
    if not np.allclose(replayed.mistake_rate, simulated):
        raise SystemExit("the replay and the simulation differ")
    print(
        f"{len(TIMEOUTS)} timeouts on {LINKS} links, the same {sum(simulated):.4f} mistakes a second in sum"
    )
    print(f"replay     {1000 * replay_seconds:8.1f} ms")
    print(
        f"simulation {1000 * simulation_seconds:8.1f} ms, {simulation_seconds / replay_seconds:.0f} times as long"
    )

    started = time.process_time()
    curves = replay_all(seattle_delays(), seattle_delays(round_trip=True))
    seconds = time.process_time() - started
    settings = sum(len(curve.values) for curve in curves)
    print(f"all five detectors, 40 links, {settings} settings: {1000 * seconds:.0f} ms")
    drawn = replay_all(drawn_delays(0.3, 0.01), drawn_delays(0.3, 0.01, round_trip=True))
    explorer = explore_timeout({"measured": curves, "drawn": drawn})
    redraws = []
    for timeout in np.arange(1.0, 6.0, 0.25):
        explorer.controls["timeout"].value = float(timeout)
        started = time.process_time()
        explorer._redraw()
        redraws.append(time.process_time() - started)
    print(f"redraw: median {1000 * statistics.median(redraws):.0f} ms, worst {1000 * max(redraws):.0f} ms")


if __name__ == "__main__":
    main()
