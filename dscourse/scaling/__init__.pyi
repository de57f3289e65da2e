from .autoscaling import (
    LOADS as LOADS,
    Autoscaler as Autoscaler,
    AutoscalingResult as AutoscalingResult,
    FleetView as FleetView,
    MovingLoad as MovingLoad,
    simulate_autoscaling as simulate_autoscaling,
)
from .capacity import CapacityStatement as CapacityStatement, Trial as Trial, find_capacity as find_capacity
from .fitting import USLFit as USLFit, fit_usl as fit_usl
from .latencies import (
    LatencySummary as LatencySummary,
    latency_quantile as latency_quantile,
    summarize_latencies as summarize_latencies,
)
from .launch import launch_latencies as launch_latencies, launch_scenario as launch_scenario
from .laws import USL as USL, amdahl_speedup as amdahl_speedup, gustafson_speedup as gustafson_speedup
from .load_generators import Answer as Answer, Ask as Ask, stall_scenario as stall_scenario
from .machines import (
    Bill as Bill,
    Machine as Machine,
    break_even as break_even,
    machine_named as machine_named,
    machines as machines,
    scale_out_cost as scale_out_cost,
    scale_up_cost as scale_up_cost,
    spare_capacity as spare_capacity,
)
from .queue_simulation import QueueResult as QueueResult, simulate_queue as simulate_queue
from .queues import (
    MarkovQueue as MarkovQueue,
    SteadyQueue as SteadyQueue,
    erlang_b as erlang_b,
    erlang_c as erlang_c,
    littles_law as littles_law,
    mg1 as mg1,
    mm1 as mm1,
    mmc as mmc,
)
from .system import System as System, SystemMetrics as SystemMetrics
from .tails import fan_out_tail as fan_out_tail
from .web_application import (
    GrowthStep as GrowthStep,
    WebApplication as WebApplication,
    Work as Work,
    concurrent_streams as concurrent_streams,
)
