from .counterexample import Counterexample as Counterexample
from .fault_mix import FaultMix as FaultMix
from .search import Search as Search, search as search
from .shrink import shrink as shrink
from .sweep import sweep as sweep
from .sweep_result import Sweep as Sweep
