"""Which policies stand between a caller and a callee, and in which order.

From outside to inside: a bulkhead counts calls, not attempts; a retry sees each attempt's end; a hedge duplicates an
attempt; a timeout bounds it. The breaker, one an instance, is where the instance is chosen.
"""

from __future__ import annotations

from dscourse.resilience.calls import Policy
from dscourse.resilience.composition import Stack, compose
from dscourse.resilience.incidents.design import Design
from dscourse.resilience.policies.budgets import grpc_throttle
from dscourse.resilience.policies.bulkhead import Bulkhead
from dscourse.resilience.policies.hedging import Hedge
from dscourse.resilience.policies.retries import Retry
from dscourse.resilience.policies.timeout import Timeout

ATTEMPTS = 3
NO_TIMEOUT = 10.0  # seconds: what a library waits if nobody has told it
#: callee → seconds: above the 999th of 1000 good answers of a calm day, and each hop's shorter than its caller's
TIMEOUTS = {"catalog": 0.8, "checkout": 0.8, "cache": 0.05, "database": 0.4, "payment": 0.3}
#: (caller, callee) → calls at one time, of the caller's 32 or 12 threads
BULKHEADS = {
    ("edge", "catalog"): 22,
    ("edge", "checkout"): 10,
    ("catalog", "database"): 8,
    ("checkout", "database"): 6,
    ("checkout", "payment"): 6,
}
HEDGE_AFTER = 0.15  # seconds: nineteen of twenty good answers are there by then


def patience(design: Design, callee: str) -> float:
    """Return for how many seconds an attempt is waited for."""
    return TIMEOUTS[callee] if design.timeout else NO_TIMEOUT


def stack_for(design: Design, caller: str, callee: str) -> Stack:
    """Return the policies of a design between two services; each instance of the caller has its own."""
    policies: list[Policy] = []
    if design.bulkhead and (caller, callee) in BULKHEADS:
        policies.append(Bulkhead(BULKHEADS[caller, callee]))
    if design.retry and callee != "cache":
        budget = grpc_throttle(10, 0.1) if design.retry_budget else None
        base = 0.1 if design.backoff else 0.0
        policies.append(Retry(ATTEMPTS, base=base, cap=1.0, jitter="full", budget=budget))
    if design.hedging and callee == "catalog":
        policies.append(Hedge(HEDGE_AFTER))
    policies.append(Timeout(patience(design, callee)))
    return compose(*policies)
