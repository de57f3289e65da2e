from .design import Design as Design
from .game_day import (
    LEVELS as LEVELS,
    NAIVE as NAIVE,
    DayResult as DayResult,
    GameDay as GameDay,
    holds as holds,
    result_sheet as result_sheet,
)
from .incidents import INCIDENTS as INCIDENTS, Incident as Incident
