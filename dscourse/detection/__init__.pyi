from .accrual import phi as phi, phi_exponential as phi_exponential, phi_timeout as phi_timeout
from .delays import (
    RecordedDelays as RecordedDelays,
    drawn_delays as drawn_delays,
    seattle_delays as seattle_delays,
)
from .evictions import (
    ServiceReport as ServiceReport,
    service_report as service_report,
    worker_service as worker_service,
)
from .heartbeat import Heartbeat as Heartbeat, HeartbeatDetector as HeartbeatDetector
from .phi_accrual import (
    PhiAccrualDetector as PhiAccrualDetector,
    PhiHistory as PhiHistory,
    phi_history as phi_history,
)
from .ping import PingDetector as PingDetector
from .presets import (
    DetectorPreset as DetectorPreset,
    PresetTrial as PresetTrial,
    preset as preset,
    preset_names as preset_names,
    try_all_presets as try_all_presets,
    try_preset as try_preset,
)
from .quality import (
    DetectorQuality as DetectorQuality,
    detector_quality as detector_quality,
    message_load as message_load,
)
from .replay import (
    TradeOff as TradeOff,
    replay_all as replay_all,
    replay_heartbeat as replay_heartbeat,
    replay_phi as replay_phi,
    replay_ping as replay_ping,
)
from .suspicions import Suspicion as Suspicion, suspicion_history as suspicion_history
from .swim.measurement import (
    first_probe_waits as first_probe_waits,
    measure_swim as measure_swim,
    seattle_network as seattle_network,
)
from .swim.member import SwimMember as SwimMember
from .swim.theory import (
    swim_expected_confirmations as swim_expected_confirmations,
    swim_expected_first_detection as swim_expected_first_detection,
    swim_retransmissions as swim_retransmissions,
    swim_suspicion_bounds as swim_suspicion_bounds,
    swim_suspicion_timeout as swim_suspicion_timeout,
)
from .theory import nfd_s as nfd_s
