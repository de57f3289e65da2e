from .checklist import (
    PRICES_TO_PAY as PRICES_TO_PAY,
    REASONS as REASONS,
    Advice as Advice,
    Complexity as Complexity,
    complexity as complexity,
    should_distribute as should_distribute,
)
from .design import Design as Design, Layout as Layout
from .designs import GROUPS as GROUPS
from .experiment import (
    Experiment as Experiment,
    ExperimentReport as ExperimentReport,
    SteadyState as SteadyState,
)
from .game_day import (
    LEVELS as LEVELS,
    NAIVE as NAIVE,
    DayResult as DayResult,
    GameDay as GameDay,
    Naming as Naming,
    Trouble as Trouble,
    holds as holds,
    result_sheet as result_sheet,
)
from .incidents import INCIDENTS as INCIDENTS, Incident as Incident
from .monkey import ChaosMonkey as ChaosMonkey, Kill as Kill, crashes as crashes
