"""Defense in depth: what each level catches that the others let through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dscourse.arguments import items, one_of, whole
from dscourse.resilience.incidents.design import LEVELS, Design
from dscourse.resilience.incidents.incident import INCIDENTS, run_incident

if TYPE_CHECKING:
    import pandas as pd

BARE, ALL = "bare", "all levels"
_SECONDS = 45.0  # that a run lasts


def defense_in_depth(
    incidents: Sequence[str] = tuple(INCIDENTS), order: Sequence[str] = tuple(LEVELS), *, seeds: int = 1
) -> pd.DataFrame:
    """Return the share of requests lost as one level of defense after the other is added: a row an incident.

    Columns: "bare", then "+ application" and so on, each with all before it.

    Args:
        incidents: names of `INCIDENTS`.
        order: of the levels.
        seeds: runs a cell.
    """
    levels = [
        one_of("each of order", level, tuple(LEVELS)) for level in items("order", order, "a list of levels")
    ]
    designs = {BARE: Design()} | {
        f"+ {level}": Design().with_levels(*levels[: place + 1]) for place, level in enumerate(levels)
    }
    return _lost(incidents, designs, seeds)


def caught_by_level(incidents: Sequence[str] = tuple(INCIDENTS), *, seeds: int = 1) -> pd.DataFrame:
    """Return what each level catches that the three others let through: a row an incident, a column a level.

    The share of requests that are lost without that level, less the share that is lost with all four. A number below 0
    is a level that costs more than it brings there.

    Args:
        incidents: names of `INCIDENTS`.
        seeds: runs a cell.
    """
    designs = {
        level: Design().with_levels(*(other for other in LEVELS if other != level)) for level in LEVELS
    } | {ALL: Design().with_levels(*LEVELS)}
    lost = _lost(incidents, designs, seeds)
    return lost[list(LEVELS)].sub(lost[ALL], axis=0)


def _lost(incidents: Sequence[str], designs: dict[str, Design], seeds: int) -> pd.DataFrame:
    import pandas as pd

    count = whole("seeds", seeds, at_least=1)
    return pd.DataFrame(
        {
            name: {
                incident: sum(
                    1.0 - run_incident(incident, design, seed=seed, seconds=_SECONDS).goodput_share
                    for seed in range(count)
                )
                / count
                for incident in items("incidents", incidents, "a list of incidents")
            }
            for name, design in designs.items()
        }
    )
