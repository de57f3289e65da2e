from .calls import Attempt as Attempt, Call as Call
from .composition import Stack as Stack, compose as compose, run_call as run_call
from .incidents.ablation import PATTERNS as PATTERNS, Ablation as Ablation, ablation as ablation
from .incidents.defense import caught_by_level as caught_by_level, defense_in_depth as defense_in_depth
from .incidents.design import LEVELS as LEVELS, Design as Design
from .incidents.dynamodb import (
    DynamoDBReport as DynamoDBReport,
    dynamodb_report as dynamodb_report,
    dynamodb_scenario as dynamodb_scenario,
)
from .incidents.graph import service_graph as service_graph
from .incidents.incident import (
    INCIDENTS as INCIDENTS,
    Incident as Incident,
    Outage as Outage,
    incident_scenario as incident_scenario,
    run_incident as run_incident,
)
from .incidents.metastability import (
    Overload as Overload,
    ask_once as ask_once,
    ask_twice as ask_twice,
    overload_run as overload_run,
    overload_scenario as overload_scenario,
)
from .outcomes import Outcome as Outcome
from .outliers import OutlierEjection as OutlierEjection
from .policies.admission import (
    AdaptiveThrottle as AdaptiveThrottle,
    LoadShedder as LoadShedder,
    TokenBucket as TokenBucket,
)
from .policies.budgets import (
    RetryBudget as RetryBudget,
    aws_retry_quota as aws_retry_quota,
    envoy_budget as envoy_budget,
    finagle_budget as finagle_budget,
    grpc_throttle as grpc_throttle,
)
from .policies.bulkhead import Bulkhead as Bulkhead
from .policies.circuit_breaker import CircuitBreaker as CircuitBreaker
from .policies.fallback import Fallback as Fallback
from .policies.hedging import Hedge as Hedge
from .policies.idempotency import IdempotencyKeys as IdempotencyKeys, Reservation as Reservation
from .policies.retries import Retry as Retry, exponential_backoff as exponential_backoff
from .policies.timeout import Timeout as Timeout
from .windows import SlidingWindow as SlidingWindow
