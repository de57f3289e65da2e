from .availability import (
    availability_from_times as availability_from_times,
    downtime_per_year as downtime_per_year,
    k_of_n as k_of_n,
    nines as nines,
    parallel as parallel,
    series as series,
)
from .byzantine import (
    Decisions as Decisions,
    oral_message_count as oral_message_count,
    oral_messages as oral_messages,
    signed_messages as signed_messages,
)
from .byzantine_search import find_treason as find_treason
from .experiments import fault_experiment as fault_experiment, fault_table as fault_table
from .failure_record import (
    DownTogether as DownTogether,
    down_together as down_together,
    failure_gaps as failure_gaps,
    fit_weibull as fit_weibull,
    system_table as system_table,
)
from .generals import (
    decisions_of as decisions_of,
    generals_agree as generals_agree,
    generals_scenario as generals_scenario,
    replay_on_cluster as replay_on_cluster,
)
from .reachability import (
    reach_scenario as reach_scenario,
    single_points_by_crashing as single_points_by_crashing,
    still_served as still_served,
)
from .replicas import FAULT_TYPES as FAULT_TYPES, replicas_needed as replicas_needed
from .replicated_reads import (
    FlipBit as FlipBit,
    FrontEnd as FrontEnd,
    SayAnotherValue as SayAnotherValue,
    read_fates as read_fates,
    read_scenario as read_scenario,
    reads_answered as reads_answered,
)
from .shared_causes import (
    Group as Group,
    Part as Part,
    Structure as Structure,
    all_of as all_of,
    any_of as any_of,
    at_least as at_least,
    parts_of as parts_of,
    product_rule as product_rule,
    replicated_service as replicated_service,
    simulate_availability as simulate_availability,
    single_points_of_failure as single_points_of_failure,
    system_availability as system_availability,
)
from .standby import (
    OnlyHeartbeats as OnlyHeartbeats,
    Recovery as Recovery,
    Standby as Standby,
    answered_share as answered_share,
)
from .tolerance import every_fault as every_fault, tolerates as tolerates
