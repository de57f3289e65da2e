"""Failure detection: who is down, told from silence alone, and how good the telling is."""

from dscourse.detection.accrual import phi, phi_exponential, phi_timeout
from dscourse.detection.delays import RecordedDelays, drawn_delays, seattle_delays
from dscourse.detection.heartbeat import Heartbeat, HeartbeatDetector
from dscourse.detection.nfd_s import nfd_s
from dscourse.detection.phi_accrual import PhiAccrualDetector, PhiHistory, phi_history
from dscourse.detection.ping import PingDetector
from dscourse.detection.presets import (
    DetectorPreset,
    PresetTrial,
    preset,
    preset_names,
    try_all_presets,
    try_preset,
)
from dscourse.detection.quality import DetectorQuality, detector_quality, message_load
from dscourse.detection.replay import TradeOff, replay_all, replay_heartbeat, replay_phi, replay_ping
from dscourse.detection.suspicions import Suspicion, suspicion_history
from dscourse.detection.swim.measurement import first_probe_waits, measure_swim, seattle_network
from dscourse.detection.swim.member import SwimMember
from dscourse.detection.swim.theory import (
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
    "PhiHistory",
    "PingDetector",
    "PresetTrial",
    "RecordedDelays",
    "Suspicion",
    "SwimMember",
    "TradeOff",
    "detector_quality",
    "drawn_delays",
    "first_probe_waits",
    "measure_swim",
    "message_load",
    "nfd_s",
    "phi",
    "phi_exponential",
    "phi_history",
    "phi_timeout",
    "preset",
    "preset_names",
    "replay_all",
    "replay_heartbeat",
    "replay_phi",
    "replay_ping",
    "seattle_delays",
    "seattle_network",
    "suspicion_history",
    "swim_expected_confirmations",
    "swim_expected_first_detection",
    "swim_retransmissions",
    "swim_suspicion_bounds",
    "swim_suspicion_timeout",
    "try_all_presets",
    "try_preset",
]
