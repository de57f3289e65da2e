from . import topology as topology
from .behaviours import (
    Behaviour as Behaviour,
    Corrupt as Corrupt,
    Equivocate as Equivocate,
    Silent as Silent,
    register_behaviour as register_behaviour,
)
from .clients import (
    ClientOperation as ClientOperation,
    ClosedLoop as ClosedLoop,
    OpenLoop as OpenLoop,
    Workload as Workload,
)
from .errors import (
    EventLimit as EventLimit,
    NodeError as NodeError,
    NotDeterministic as NotDeterministic,
    RunInterrupted as RunInterrupted,
    SimulationError as SimulationError,
)
from .faults import (
    Byzantine as Byzantine,
    ClockDrift as ClockDrift,
    ClockOffset as ClockOffset,
    Crash as Crash,
    CutLink as CutLink,
    DelayMessage as DelayMessage,
    Duplicate as Duplicate,
    Fault as Fault,
    Heal as Heal,
    LoseMessage as LoseMessage,
    Lossy as Lossy,
    MessageFault as MessageFault,
    OtherLuck as OtherLuck,
    Partition as Partition,
    Pause as Pause,
    RepeatMessage as RepeatMessage,
    Restart as Restart,
    Resume as Resume,
    Slow as Slow,
)
from .latency import (
    Constant as Constant,
    Empirical as Empirical,
    Exponential as Exponential,
    LatencyModel as LatencyModel,
    LogNormal as LogNormal,
    Uniform as Uniform,
)
from .messages import Reply as Reply, Request as Request, message_fields as message_fields
from .moment import InFlight as InFlight, Moment as Moment, Status as Status, Waiting as Waiting
from .network import Network as Network
from .node import Context as Context, Node as Node
from .properties import (
    Property as Property,
    Verdict as Verdict,
    Verdicts as Verdicts,
    always as always,
    eventually as eventually,
    holds as holds,
    never as never,
    sometimes as sometimes,
)
from .recorder import KINDS as KINDS
from .recording import Change as Change, Recording as Recording
from .run import Run as Run, check_determinism as check_determinism
from .scenario import Scenario as Scenario
from .trace import Event as Event, Selection as Selection, Trace as Trace
