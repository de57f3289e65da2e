from .counterexample import Counterexample as Counterexample
from .exhaustive import Exploration as Exploration, explore as explore
from .fault_mix import FaultMix as FaultMix
from .futures import inevitability as inevitability
from .scripts import ScriptScenario as ScriptScenario, script as script
from .search import Search as Search, search as search
from .shrink import shrink as shrink
from .steps import (
    Ask as Ask,
    Deliver as Deliver,
    Down as Down,
    Fire as Fire,
    Lose as Lose,
    Repeat as Repeat,
    Step as Step,
    Up as Up,
)
from .sweep import sweep as sweep
from .sweep_result import Sweep as Sweep
