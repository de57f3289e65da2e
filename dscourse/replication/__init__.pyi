from .geography import (
    FIVE_REGIONS as FIVE_REGIONS,
    distance_km as distance_km,
    light_floor as light_floor,
    measure_regions as measure_regions,
    read_throughput as read_throughput,
)
from .measures import (
    Violations as Violations,
    acknowledged_writes_survive as acknowledged_writes_survive,
    disks_up as disks_up,
    keeps as keeps,
    lost_writes as lost_writes,
    replication_lag as replication_lag,
    session_violations as session_violations,
    stale_reads as stale_reads,
)
from .single_leader.cluster import (
    replicated_store as replicated_store,
    store_network as store_network,
    store_node as store_node,
)
from .single_leader.failover import (
    Choice as Choice,
    FailoverOperator as FailoverOperator,
    choose_successor as choose_successor,
)
from .single_leader.gateway import GUARANTEES as GUARANTEES, Gateway as Gateway
from .single_leader.log import (
    Append as Append,
    Entry as Entry,
    Inspect as Inspect,
    Position as Position,
    Promote as Promote,
    Received as Received,
    Report as Report,
)
from .single_leader.replica import MODES as MODES, SingleLeaderReplica as SingleLeaderReplica
from .strategies import (
    STRATEGIES as STRATEGIES,
    Strategy as Strategy,
    compare_strategies as compare_strategies,
    strategy_runs as strategy_runs,
)
