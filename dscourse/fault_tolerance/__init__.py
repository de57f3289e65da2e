"""Faults and redundancy: what can break, how many copies that takes, and how often the whole is up.

- `availability`: series, parallel, k of n, nines, downtime, MTTF and MTTR, where failures are independent;
  `shared_causes`: the same where they aren't.
- `storage`: fault, error, failure. `tolerance`: "tolerant to faults of type F" as a statement that can be tested.
- `experiments`: the four kinds of fault on the simulated cluster (`replicated_reads`, `generals`); `replicas`: how many
  copies each takes.
- `standby`: hot, warm and cold, measured.
- `byzantine`, `byzantine_search`: the Byzantine generals, and a search for a treason that works.
- `failure_record`: what nine years of real failures say about independence.
"""

from dscourse.fault_tolerance.availability import (
    availability_from_times,
    downtime_per_year,
    k_of_n,
    nines,
    parallel,
    series,
    time_to_repair_for,
)
from dscourse.fault_tolerance.byzantine import Decisions, oral_message_count, oral_messages, signed_messages
from dscourse.fault_tolerance.byzantine_search import Treason, find_treason
from dscourse.fault_tolerance.experiments import fault_experiment, fault_table
from dscourse.fault_tolerance.failure_record import (
    DownTogether,
    WeibullFit,
    cause_table,
    down_together,
    failure_gaps,
    fit_weibull,
    system_table,
)
from dscourse.fault_tolerance.generals import (
    General,
    TellLies,
    decisions_of,
    generals_agree,
    generals_scenario,
    replay_on_cluster,
)
from dscourse.fault_tolerance.replicas import FAULT_TYPES, FaultType, replicas_needed
from dscourse.fault_tolerance.replicated_reads import FrontEnd, Replica, read_scenario, reads_answered
from dscourse.fault_tolerance.shared_causes import (
    Group,
    Part,
    Structure,
    all_of,
    any_of,
    at_least,
    parts_of,
    product_rule,
    replicated_service,
    shared_parts,
    simulate_availability,
    single_points_of_failure,
    system_availability,
    works,
)
from dscourse.fault_tolerance.standby import Recovery, Standby
from dscourse.fault_tolerance.storage import BlockStore, Reading
from dscourse.fault_tolerance.tolerance import Tolerance, every_fault, tolerates

__all__ = [
    "FAULT_TYPES",
    "BlockStore",
    "Decisions",
    "DownTogether",
    "FaultType",
    "FrontEnd",
    "General",
    "Group",
    "Part",
    "Reading",
    "Recovery",
    "Replica",
    "Standby",
    "Structure",
    "TellLies",
    "Tolerance",
    "Treason",
    "WeibullFit",
    "all_of",
    "any_of",
    "at_least",
    "availability_from_times",
    "cause_table",
    "decisions_of",
    "down_together",
    "downtime_per_year",
    "every_fault",
    "failure_gaps",
    "fault_experiment",
    "fault_table",
    "find_treason",
    "fit_weibull",
    "generals_agree",
    "generals_scenario",
    "k_of_n",
    "nines",
    "oral_message_count",
    "oral_messages",
    "parallel",
    "parts_of",
    "product_rule",
    "read_scenario",
    "reads_answered",
    "replay_on_cluster",
    "replicas_needed",
    "replicated_service",
    "series",
    "shared_parts",
    "signed_messages",
    "simulate_availability",
    "single_points_of_failure",
    "system_availability",
    "system_table",
    "time_to_repair_for",
    "tolerates",
    "works",
]
