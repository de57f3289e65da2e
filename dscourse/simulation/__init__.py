"""A deterministic cluster in virtual time.

    from dscourse.simulation import Crash, Network, Scenario, Uniform, topology

    network = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
    run = Scenario(MyNode, network, faults=[Crash("n0", at=3.0)], seed=1).run(until=8.0)

A run is data: the same scenario, seed and faults give the same trace, byte for byte, on every machine. So a run can be
looked at as it was at any time (`run.at`), and run again with something changed (`run.fork`).
"""

from dscourse.simulation import topology
from dscourse.simulation.behaviours import Behaviour, Corrupt, Equivocate, Silent, register_behaviour
from dscourse.simulation.clients import ClientOperation, ClosedLoop, OpenLoop, Workload
from dscourse.simulation.errors import (
    EventLimit,
    NodeError,
    NotDeterministic,
    RunInterrupted,
    SimulationError,
)
from dscourse.simulation.faults import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    Crash,
    CutLink,
    Duplicate,
    Fault,
    Heal,
    Lossy,
    Partition,
    Pause,
    Restart,
    Resume,
    Slow,
)
from dscourse.simulation.latency import Constant, Empirical, Exponential, LatencyModel, LogNormal, Uniform
from dscourse.simulation.messages import Reply, Request, message_fields
from dscourse.simulation.moment import InFlight, Moment, Status, Waiting
from dscourse.simulation.network import Network
from dscourse.simulation.node import Context, Node
from dscourse.simulation.properties import Property, Verdict, Verdicts, always, eventually, never, sometimes
from dscourse.simulation.recorder import KINDS
from dscourse.simulation.recording import Change, Recording
from dscourse.simulation.run import Run, check_determinism
from dscourse.simulation.scenario import Scenario
from dscourse.simulation.trace import Event, Selection, Trace

__all__ = [
    "KINDS",
    "Behaviour",
    "Byzantine",
    "Change",
    "ClientOperation",
    "ClockDrift",
    "ClockOffset",
    "ClosedLoop",
    "Constant",
    "Context",
    "Corrupt",
    "Crash",
    "CutLink",
    "Duplicate",
    "Empirical",
    "Equivocate",
    "Event",
    "EventLimit",
    "Exponential",
    "Fault",
    "Heal",
    "InFlight",
    "LatencyModel",
    "LogNormal",
    "Lossy",
    "Moment",
    "Network",
    "Node",
    "NodeError",
    "NotDeterministic",
    "OpenLoop",
    "Partition",
    "Pause",
    "Property",
    "Recording",
    "Reply",
    "Request",
    "Restart",
    "Resume",
    "Run",
    "RunInterrupted",
    "Scenario",
    "Selection",
    "Silent",
    "SimulationError",
    "Slow",
    "Status",
    "Trace",
    "Uniform",
    "Verdict",
    "Verdicts",
    "Waiting",
    "Workload",
    "always",
    "check_determinism",
    "eventually",
    "message_fields",
    "never",
    "register_behaviour",
    "sometimes",
    "topology",
]
