"""The settings of real systems on one small cluster: how fast they notice a crash, and how long a pause they bear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dscourse.arguments import real, whole
from dscourse.detection.measurement import detector_quality, message_load
from dscourse.detection.presets import DetectorPreset, preset, preset_names
from dscourse.simulation import Crash, Fault, Network, Pause, Run, Scenario, Uniform, topology

_PATIENCE = 150.0  # seconds to wait for the verdict; more than any preset needs
_VICTIM = "n1"


@dataclass(frozen=True)
class PresetTrial:
    """How one preset did.

    Attributes:
        preset: the settings.
        detection_time: seconds from a crash to the last word on it, mean over the observers.
        suspicion_time: seconds to the first suspicion that stays; the same for all but SWIM, which may think twice.
        gives_up: length of a pause in seconds → whether somebody gave up the paused (healthy) member.
        messages_per_second: that each member sends.
    """

    preset: DetectorPreset
    detection_time: float
    suspicion_time: float
    gives_up: Mapping[float, bool]
    messages_per_second: float


def try_preset(
    chosen: DetectorPreset,
    *,
    pauses: Iterable[float] = (1.0, 5.0, 15.0, 60.0),
    members: int = 4,
    seed: int = 1,
) -> PresetTrial:
    """Run a preset on a quick, lossless network: once with a crash, and once with a pause of each length.

    The trouble comes when the detector has heard some thirty heartbeats, a little after one of them.
    """
    size = whole("members", members, at_least=2)
    strikes_at = 30.37 * chosen.interval

    def run(fault: Fault, longest: float) -> Run:
        network = Network(topology.full_mesh(size), latency=Uniform(0.0005, 0.002))
        return Scenario(chosen.factory(), network, faults=(fault,), seed=seed).run(strikes_at + longest)

    crash = run(Crash(_VICTIM, at=strikes_at), _PATIENCE)
    given_up = {}
    for pause in pauses:
        length = real("pause", pause, above=0.0)
        paused = run(Pause(_VICTIM, at=strikes_at, until=strikes_at + length), length + 5 * chosen.interval)
        given_up[length] = bool(paused.trace.select(kind="record", peer=_VICTIM, name=chosen.verdict))
    final = detector_quality(crash, verdict=chosen.verdict).detection_time
    suspected = detector_quality(crash).detection_time
    load = message_load(run(Pause(_VICTIM, at=strikes_at, until=strikes_at + 1e-3), 20 * chosen.interval))
    return PresetTrial(chosen, final, suspected, given_up, load)


def try_all_presets(*, members: int = 4, seed: int = 1) -> list[PresetTrial]:
    """``try_preset`` for every preset, from the quickest to the slowest to notice a crash."""
    trials = [try_preset(preset(name), members=members, seed=seed) for name in preset_names()]
    return sorted(trials, key=lambda trial: trial.detection_time)
