from .geography import (
    FIVE_REGIONS as FIVE_REGIONS,
    distance_km as distance_km,
    light_floor as light_floor,
    measure_regions as measure_regions,
    read_throughput as read_throughput,
)
from .gossip import (
    Broadcaster as Broadcaster,
    BroadcastQuality as BroadcastQuality,
    Told as Told,
    broadcast_quality as broadcast_quality,
)
from .leaderless.cluster import leaderless_store as leaderless_store, vanished_writes as vanished_writes
from .leaderless.merkle import MerkleTree as MerkleTree
from .leaderless.messages import (
    Digests as Digests,
    Fetch as Fetch,
    Found as Found,
    Leaves as Leaves,
    Store as Store,
    Stored as Stored,
    Version as Version,
)
from .leaderless.replica import LeaderlessReplica as LeaderlessReplica
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
from .merging.counters import GCounter as GCounter, PNCounter as PNCounter
from .merging.or_set import ORSet as ORSet
from .merging.registers import LWWRegister as LWWRegister, MVRegister as MVRegister, Stamp as Stamp
from .merging.version_vector import Dot as Dot, VersionVector as VersionVector
from .multi_leader.cluster import (
    multi_leader_store as multi_leader_store,
    overruled_writes as overruled_writes,
    two_regions as two_regions,
)
from .multi_leader.gateway import RegionalGateway as RegionalGateway
from .multi_leader.replica import (
    Everything as Everything,
    Merged as Merged,
    MultiLeaderReplica as MultiLeaderReplica,
    Pull as Pull,
    Update as Update,
)
from .multi_leader.resolution import (
    Resolution as Resolution,
    Sibling as Sibling,
    keep_siblings as keep_siblings,
    last_writer_wins as last_writer_wins,
    union as union,
)
from .quorums.anomalies import quorum_anomalies as quorum_anomalies, quorum_run as quorum_run
from .quorums.measured_staleness import (
    MeasuredStaleness as MeasuredStaleness,
    measure_staleness as measure_staleness,
)
from .quorums.staleness import (
    Delay as Delay,
    Staleness as Staleness,
    exponential_delay as exponential_delay,
    linkedin_delays as linkedin_delays,
    pareto_or_exponential_delay as pareto_or_exponential_delay,
    probabilistically_bounded_staleness as probabilistically_bounded_staleness,
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
    SINGLE_LEADER_STRATEGIES as SINGLE_LEADER_STRATEGIES,
    STRATEGIES as STRATEGIES,
    Strategy as Strategy,
    compare_strategies as compare_strategies,
    measured_strategies as measured_strategies,
    strategy_runs as strategy_runs,
)
