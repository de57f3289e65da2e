from .balancing import BalancingResult as BalancingResult, simulate_balancing as simulate_balancing
from .calls import (
    ANTI_PATTERNS as ANTI_PATTERNS,
    CallingServer as CallingServer,
    anti_pattern_prices as anti_pattern_prices,
    calls_scenario as calls_scenario,
    utilizations as utilizations,
)
from .fleet_changes import (
    PeeringServer as PeeringServer,
    RollingUpgrade as RollingUpgrade,
    ToldBalancer as ToldBalancer,
    VersionedServer as VersionedServer,
    joining_scenario as joining_scenario,
    rolling_upgrade as rolling_upgrade,
    upgrade_scenario as upgrade_scenario,
)
from .goodput import worker_goodput as worker_goodput
from .health_checks import (
    DEPTHS as DEPTHS,
    TROUBLES as TROUBLES,
    CheckedServer as CheckedServer,
    CheckingBalancer as CheckingBalancer,
    health_check_scenario as health_check_scenario,
    health_check_table as health_check_table,
)
from .load_balancer import (
    Done as Done,
    LoadBalancer as LoadBalancer,
    Server as Server,
    Work as Work,
    balancing_scenario as balancing_scenario,
)
from .policies import (
    Affinity as Affinity,
    LeastConnections as LeastConnections,
    PowerOfTwoChoices as PowerOfTwoChoices,
    RandomChoice as RandomChoice,
    RoundRobin as RoundRobin,
    View as View,
)
from .scaling_curves import (
    PATTERNS as PATTERNS,
    ScalingCurve as ScalingCurve,
    measure_scaling as measure_scaling,
    pattern_table as pattern_table,
)
from .sessions import (
    PLACES as PLACES,
    SessionServer as SessionServer,
    SessionStore as SessionStore,
    session_scenario as session_scenario,
    session_table as session_table,
)
from .theory import (
    call_chain_availability as call_chain_availability,
    supermarket_mean_time as supermarket_mean_time,
)
from .workers import (
    WorkerPool as WorkerPool,
    answer_table as answer_table,
    worker_scenario as worker_scenario,
)
