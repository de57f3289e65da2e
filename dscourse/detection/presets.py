"""Failure detection as real systems ship it: their default settings, put into this package's detectors and on trial.

A preset is a model of the system's settings, not of the system: who watches whom, over which transport, and
what follows from a suspicion differ. ``note`` says where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dscourse.arguments import instance, real, whole
from dscourse.detection.heartbeat import HeartbeatDetector
from dscourse.detection.phi_accrual import PhiAccrualDetector
from dscourse.detection.ping import PingDetector
from dscourse.detection.quality import detector_quality, message_load
from dscourse.detection.swim.member import SwimMember
from dscourse.simulation import Crash, Fault, Network, Node, Pause, Run, Scenario, Uniform, topology

_PATIENCE = 150.0  # seconds to wait for the verdict; more than any preset needs
_VICTIM = "n1"


@dataclass(frozen=True)
class DetectorPreset:
    """One system's defaults.

    Attributes:
        name: to ask for it by.
        system: as people call it, with the version where the default has changed.
        detector: node class that models it.
        settings: keyword arguments for ``detector``; times in seconds.
        source: what documents the defaults, and the names they have there.
        url: where to read it.
        note: what the model leaves out.
    """

    name: str
    system: str
    detector: Callable[..., Node]
    settings: Mapping[str, Any] = field(hash=False)
    source: str
    url: str
    note: str = ""

    def factory(self, **changes: Any) -> Callable[..., Node]:
        """A node factory for ``Scenario``, with some settings changed if you like."""
        return partial(self.detector, **{**self.settings, **changes})

    @property
    def interval(self) -> float:
        """Seconds between two signs of life, or between two probes."""
        return float(self.settings.get("interval") or self.settings["period"])

    @property
    def verdict(self) -> str:
        """What this kind of detector says when it has made up its mind: ``"suspect"``, or SWIM's ``"confirm"``."""
        return "confirm" if self.detector is SwimMember else "suspect"


_PRESETS = (
    DetectorPreset(
        "etcd",
        "etcd",
        HeartbeatDetector,
        {"interval": 0.1, "timeout": 1.0},
        "Tuning guide: heartbeat interval 100 ms, election timeout 1000 ms",
        "https://etcd.io/docs/v3.5/tuning/",
        "only the leader beats; each follower draws a timeout of 10 to 19 ticks of 0.1 s, so it is 1 s at the least",
    ),
    DetectorPreset(
        "hashicorp_raft",
        "hashicorp/raft",
        HeartbeatDetector,
        {"interval": 0.1, "timeout": 1.0},
        "config.go: HeartbeatTimeout 1000 ms; the leader beats at a tenth of it or slower",
        "https://github.com/hashicorp/raft/blob/main/config.go",
        "the real interval is drawn between 100 and 200 ms, and the timeout between 1 and 2 s",
    ),
    DetectorPreset(
        "zookeeper_shortest_session",
        "ZooKeeper, shortest session",
        HeartbeatDetector,
        {"interval": 4.0 / 3, "timeout": 4.0},
        "sessions of 2 to 20 ticks (minSessionTimeout, maxSessionTimeout), tickTime 2000 ms in the sample; "
        "a client pings after a third of its session",
        "https://zookeeper.apache.org/doc/current/zookeeperAdmin.html",
        "a client asks for its session timeout; any traffic counts as a heartbeat, and a client that anything wakes "
        "after a second of silence pings at once (ClientCnxn)",
    ),
    DetectorPreset(
        "zookeeper_longest_session",
        "ZooKeeper, longest session",
        HeartbeatDetector,
        {"interval": 10.0, "timeout": 40.0},
        "sessions of 2 to 20 ticks (minSessionTimeout, maxSessionTimeout), tickTime 2000 ms in the sample; "
        "a client pings every 10 s at the latest (ClientCnxn)",
        "https://zookeeper.apache.org/doc/current/zookeeperAdmin.html",
        "a client asks for its session timeout; any traffic counts as a heartbeat",
    ),
    DetectorPreset(
        "mongodb",
        "MongoDB replica set",
        HeartbeatDetector,
        {"interval": 2.0, "timeout": 10.0},
        "replica set settings: heartbeatIntervalMillis 2000, electionTimeoutMillis 10000",
        "https://www.mongodb.com/docs/manual/reference/replica-configuration/",
        "a heartbeat is a request with an answer",
    ),
    DetectorPreset(
        "kafka_before_3_0",
        "Kafka consumer, before 3.0",
        HeartbeatDetector,
        {"interval": 3.0, "timeout": 10.0},
        "KIP-735: session.timeout.ms was 10 s, heartbeat.interval.ms 3 s",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-735%3A+Increase+default+consumer+session+timeout",
        "the group coordinator watches the consumers",
    ),
    DetectorPreset(
        "kafka",
        "Kafka consumer, since 3.0",
        HeartbeatDetector,
        {"interval": 3.0, "timeout": 45.0},
        "KIP-735 (2021): session.timeout.ms from 10 s to 45 s; heartbeat.interval.ms stays at 3 s",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-735%3A+Increase+default+consumer+session+timeout",
        "the group coordinator watches the consumers",
    ),
    DetectorPreset(
        "kubernetes_before_1_32",
        "Kubernetes node, before 1.32",
        HeartbeatDetector,
        {"interval": 10.0, "timeout": 40.0},
        "the kubelet renews its lease every 10 s; node-monitor-grace-period 40 s",
        "https://github.com/kubernetes/kubernetes/pull/126287",
        "the node controller looks every 5 s, and evicts pods 300 s later",
    ),
    DetectorPreset(
        "kubernetes",
        "Kubernetes node, since 1.32",
        HeartbeatDetector,
        {"interval": 10.0, "timeout": 50.0},
        "the kubelet renews its lease every 10 s; node-monitor-grace-period raised from 40 s to 50 s",
        "https://github.com/kubernetes/kubernetes/pull/126287",
        "the node controller looks every 5 s, and evicts pods 300 s later",
    ),
    DetectorPreset(
        "redis_sentinel",
        "Redis Sentinel",
        PingDetector,
        {"interval": 1.0, "timeout": 1.0, "attempts": 30},
        "sentinel.conf: down-after-milliseconds 30000; a ping a second (SENTINEL_PING_PERIOD)",
        "https://github.com/redis/redis/blob/unstable/sentinel.conf",
        "that is one Sentinel's opinion; a quorum must share it, and a majority elect one of them for the failover",
    ),
    DetectorPreset(
        "akka",
        "Akka and Pekko clusters",
        PhiAccrualDetector,
        {
            "interval": 1.0,
            "threshold": 8.0,
            "window": 1000,
            "minimum_standard_deviation": 0.1,
            "acceptable_pause": 3.0,
        },
        "reference.conf, cluster.failure-detector: heartbeat-interval 1 s, threshold 8, max-sample-size 1000, "
        "min-std-deviation 100 ms, acceptable-heartbeat-pause 3 s",
        "https://pekko.apache.org/docs/pekko/current/typed/failure-detector.html",
        "each member is watched by a few others, not by all; φ there is a logistic approximation",
    ),
    DetectorPreset(
        "cassandra",
        "Apache Cassandra",
        PhiAccrualDetector,
        {
            "interval": 1.0,
            "threshold": 8.0,
            "window": 1000,
            "acceptable_pause": 0.0,
            "distribution": "exponential",
        },
        "cassandra.yaml: phi_convict_threshold 8; FailureDetector.java: 1000 samples, 1/ln 10; gossip every 1 s",
        "https://github.com/apache/cassandra/blob/trunk/conf/cassandra.yaml",
        "heartbeats arrive by gossip, and long gaps are left out of the mean",
    ),
    DetectorPreset(
        "consul",
        "Consul (memberlist, LAN)",
        SwimMember,
        {
            "period": 1.0,
            "ack_timeout": 0.5,
            "indirect_probes": 3,
            "suspicion_multiplier": 4.0,
            "suspicion_maximum_multiplier": 6.0,
            "retransmit_multiplier": 4,
            "gossip_interval": 0.2,
            "gossip_nodes": 3,
        },
        "memberlist config.go, DefaultLANConfig: ProbeInterval 1 s, ProbeTimeout 500 ms, IndirectChecks 3, "
        "SuspicionMult 4, SuspicionMaxTimeoutMult 6, RetransmitMult 4, GossipInterval 200 ms, GossipNodes 3",
        "https://github.com/hashicorp/memberlist/blob/master/config.go",
        "without the probe over TCP, full state exchange and local health",
    ),
)
_BY_NAME = {preset.name: preset for preset in _PRESETS}


def preset(name: str) -> DetectorPreset:
    """The settings of a real system by name.

    Raises:
        LookupError: there is none of that name; the message lists those there are.
    """
    found = _BY_NAME.get(instance("name", name, str, 'the name of a preset, such as "etcd"'))
    if found is None:
        raise LookupError(f"there is no preset {name!r}; there are {', '.join(_BY_NAME)}")
    return found


def preset_names() -> list[str]:
    """Names of all presets, from the quickest detector family to gossip."""
    return list(_BY_NAME)


@dataclass(frozen=True)
class PresetTrial:
    """How one preset did.

    Attributes:
        preset: the settings.
        detection_time: seconds from a crash to the last word on it, mean over the observers.
        suspicion_time: seconds to the first suspicion that stays; the same for all but SWIM, which may think twice.
        gives_up: length of a pause in seconds → whether somebody gave up the paused (healthy) node.
        messages_per_second: that each node sends.
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
    nodes: int = 4,
    seed: int = 1,
) -> PresetTrial:
    """Run a preset on a quick, lossless network: once with a crash, and once with a pause of each length.

    The trouble comes when the detector has heard some thirty heartbeats, a little after one of them.
    """
    size = whole("nodes", nodes, at_least=2)
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


def try_all_presets(*, nodes: int = 4, seed: int = 1) -> list[PresetTrial]:
    """``try_preset`` for every preset, from the quickest to the slowest to notice a crash."""
    trials = [try_preset(preset(name), nodes=nodes, seed=seed) for name in preset_names()]
    return sorted(trials, key=lambda trial: trial.detection_time)
