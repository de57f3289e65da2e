"""Failure detection: who is down, told from silence alone, and how good the telling is."""

from dscourse.detection.accrual import phi, phi_exponential, phi_timeout
from dscourse.detection.quality import DetectorQuality, nfd_s
from dscourse.detection.swim_theory import (
    swim_expected_first_detection,
    swim_retransmissions,
    swim_suspicion_bounds,
    swim_suspicion_timeout,
)

__all__ = [
    "DetectorQuality",
    "nfd_s",
    "phi",
    "phi_exponential",
    "phi_timeout",
    "swim_expected_first_detection",
    "swim_retransmissions",
    "swim_suspicion_bounds",
    "swim_suspicion_timeout",
]
