"""Scaling: the metrics, the laws that limit them, the queues behind latency, capacity as a sentence, and its price."""

from dscourse.readable import readable_number, readable_seconds
from dscourse.scaling.autoscaling import (
    LOADS,
    Autoscaler,
    AutoscalingResult,
    FleetView,
    MovingLoad,
    simulate_autoscaling,
)
from dscourse.scaling.capacity import CapacityStatement, Trial, find_capacity
from dscourse.scaling.fitting import USLFit, fit_usl
from dscourse.scaling.latencies import LatencySummary, latency_quantile, summarize_latencies
from dscourse.scaling.laws import USL, amdahl_speedup, gustafson_speedup
from dscourse.scaling.machines import (
    Bill,
    Machine,
    break_even,
    machine_named,
    machines,
    scale_out_cost,
    scale_up_cost,
    spare_capacity,
)
from dscourse.scaling.queue_simulation import QueueResult, simulate_queue
from dscourse.scaling.queues import MarkovQueue, SteadyQueue, erlang_b, erlang_c, littles_law, mg1, mm1, mmc
from dscourse.scaling.system import System, SystemMetrics
from dscourse.scaling.tails import fan_out_tail
from dscourse.scaling.web_application import (
    GrowthStep,
    WebApplication,
    Work,
    concurrent_streams,
)

__all__ = [
    "LOADS",
    "USL",
    "Autoscaler",
    "AutoscalingResult",
    "Bill",
    "CapacityStatement",
    "FleetView",
    "GrowthStep",
    "LatencySummary",
    "Machine",
    "MarkovQueue",
    "MovingLoad",
    "QueueResult",
    "SteadyQueue",
    "System",
    "SystemMetrics",
    "Trial",
    "USLFit",
    "WebApplication",
    "Work",
    "amdahl_speedup",
    "break_even",
    "concurrent_streams",
    "erlang_b",
    "erlang_c",
    "fan_out_tail",
    "find_capacity",
    "fit_usl",
    "gustafson_speedup",
    "latency_quantile",
    "littles_law",
    "machine_named",
    "machines",
    "mg1",
    "mm1",
    "mmc",
    "readable_number",
    "readable_seconds",
    "scale_out_cost",
    "scale_up_cost",
    "simulate_autoscaling",
    "simulate_queue",
    "spare_capacity",
    "summarize_latencies",
]
