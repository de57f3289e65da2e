"""Failure detection: who is down, told from silence alone, and how good the telling is."""

from dscourse.detection.accrual import phi, phi_exponential, phi_timeout
from dscourse.detection.delays import RecordedDelays, drawn_delays, seattle_delays
from dscourse.detection.heartbeat import Heartbeat, HeartbeatDetector
from dscourse.detection.measurement import (
    detector_quality,
    first_probe_waits,
    message_load,
    suspicion_history,
)
from dscourse.detection.phi_accrual import PhiAccrualDetector
from dscourse.detection.ping import PingDetector
from dscourse.detection.playback import RecordedPeer
from dscourse.detection.presets import DetectorPreset, preset, preset_names
from dscourse.detection.quality import DetectorQuality, nfd_s
from dscourse.detection.replay import (
    TradeOff,
    replay_all,
    replay_heartbeat,
    replay_phi,
    replay_ping,
)
from dscourse.detection.suspicions import Suspicion
from dscourse.detection.swim import SwimMember
from dscourse.detection.swim_theory import (
    swim_expected_confirmations,
    swim_expected_first_detection,
    swim_retransmissions,
    swim_suspicion_bounds,
    swim_suspicion_timeout,
)

__all__ = [
    "DetectorPreset",
    "DetectorQuality",
    "Heartbeat",
    "HeartbeatDetector",
    "PhiAccrualDetector",
    "PingDetector",
    "RecordedDelays",
    "RecordedPeer",
    "Suspicion",
    "SwimMember",
    "TradeOff",
    "detector_quality",
    "drawn_delays",
    "first_probe_waits",
    "message_load",
    "nfd_s",
    "phi",
    "phi_exponential",
    "phi_timeout",
    "preset",
    "preset_names",
    "replay_all",
    "replay_heartbeat",
    "replay_phi",
    "replay_ping",
    "seattle_delays",
    "suspicion_history",
    "swim_expected_confirmations",
    "swim_expected_first_detection",
    "swim_retransmissions",
    "swim_suspicion_bounds",
    "swim_suspicion_timeout",
]
