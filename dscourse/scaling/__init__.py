"""Scaling: the metrics, the laws that limit them, the queues behind latency, and capacity as a testable sentence."""

from dscourse.readable import readable_number, readable_seconds
from dscourse.scaling.capacity import CapacityStatement, Trial, find_capacity
from dscourse.scaling.fitting import USLFit, fit_usl
from dscourse.scaling.latencies import LatencySummary, latency_quantile, summarize_latencies
from dscourse.scaling.laws import USL, amdahl_speedup, gustafson_speedup
from dscourse.scaling.queue_simulation import QueueResult, simulate_queue
from dscourse.scaling.queues import MarkovQueue, SteadyQueue, erlang_b, erlang_c, littles_law, mg1, mm1, mmc
from dscourse.scaling.system import System, SystemMetrics
from dscourse.scaling.tails import fan_out_tail

__all__ = [
    "USL",
    "CapacityStatement",
    "LatencySummary",
    "MarkovQueue",
    "QueueResult",
    "SteadyQueue",
    "System",
    "SystemMetrics",
    "Trial",
    "USLFit",
    "amdahl_speedup",
    "erlang_b",
    "erlang_c",
    "fan_out_tail",
    "find_capacity",
    "fit_usl",
    "gustafson_speedup",
    "latency_quantile",
    "littles_law",
    "mg1",
    "mm1",
    "mmc",
    "readable_number",
    "readable_seconds",
    "simulate_queue",
    "summarize_latencies",
]
