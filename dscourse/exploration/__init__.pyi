from .counterexample import Counterexample as Counterexample
from .script import ScriptScenario as ScriptScenario, script as script
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
