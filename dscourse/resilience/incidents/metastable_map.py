"""Which loads and triggers a design survives: a map of its metastable states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dscourse.resilience.incidents.design import Design
from dscourse.resilience.incidents.incident import INCIDENTS, run_incident

MAP_LOADS = (10, 15, 20, 25, 30, 40, 55, 80)  # requests a second
MAP_TRIGGERS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)  # seconds for which the database stands still
MAP_SEEDS = 1
MAP_DESIGNS: Mapping[str, Design] = {
    "timeouts and retries": Design(timeout=True),
    "with back-off": Design(timeout=True, backoff=True),
    "with a retry budget": Design(timeout=True, retry_budget=True),
}
_SECONDS = 50.0


def recovers(design: Design, load: float, trigger: float, *, seed: int = 0) -> bool:
    """Return whether the services serve again, half a minute after the database has stood still for a while.

    Args:
        design: what protects them.
        load: requests a second.
        trigger: seconds for which the database stands still.
        seed: of the run.
    """
    incident = replace(INCIDENTS["retry storm"], seconds=trigger)
    return run_incident(incident, design, load=load, seed=seed, seconds=_SECONDS).recovers
