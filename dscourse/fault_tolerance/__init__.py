"""Faults and redundancy: what can break, how many copies that takes, and how often the whole is up.

- `availability`: series, parallel, k of n, nines, downtime, MTTF and MTTR, where failures are independent;
  `shared_causes`: the same where they aren't.
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
from dscourse.fault_tolerance.failure_record import (
    DownTogether,
    WeibullFit,
    cause_table,
    down_together,
    failure_gaps,
    fit_weibull,
)
from dscourse.fault_tolerance.replicas import FAULT_TYPES, FaultType, replicas_needed
from dscourse.fault_tolerance.shared_causes import (
    Group,
    Part,
    all_of,
    any_of,
    at_least,
    parts_of,
    product_rule,
    shared_parts,
    simulate_availability,
    single_points_of_failure,
    system_availability,
    works,
)

__all__ = [
    "FAULT_TYPES",
    "Decisions",
    "DownTogether",
    "FaultType",
    "Group",
    "Part",
    "Treason",
    "WeibullFit",
    "all_of",
    "any_of",
    "at_least",
    "availability_from_times",
    "cause_table",
    "down_together",
    "downtime_per_year",
    "failure_gaps",
    "find_treason",
    "fit_weibull",
    "k_of_n",
    "nines",
    "oral_message_count",
    "oral_messages",
    "parallel",
    "parts_of",
    "product_rule",
    "replicas_needed",
    "series",
    "shared_parts",
    "signed_messages",
    "simulate_availability",
    "single_points_of_failure",
    "system_availability",
    "time_to_repair_for",
    "works",
]
