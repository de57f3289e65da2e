from .availability import LiveUnavailable as LiveUnavailable, what_is_missing as what_is_missing
from .cluster import LiveCluster as LiveCluster
