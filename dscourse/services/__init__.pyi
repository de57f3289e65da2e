from .balancing import BalancingResult as BalancingResult, simulate_balancing as simulate_balancing
from .goodput import worker_goodput as worker_goodput
from .theory import (
    call_chain_availability as call_chain_availability,
    supermarket_mean_time as supermarket_mean_time,
)
