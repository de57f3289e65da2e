from .availability import LiveUnavailable as LiveUnavailable, what_is_missing as what_is_missing
from .cluster import LiveCluster as LiveCluster
from .measuring import (
    live_failovers as live_failovers,
    loopback_delays as loopback_delays,
    message_delays as message_delays,
)
