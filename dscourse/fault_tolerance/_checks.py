"""Checks that several modules of this package make."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dscourse.arguments import shown, whole
from dscourse.simulation import Run

LONGEST = 1e9  # seconds: thirty years, as in the simulation


def run_of(value: object) -> Run:
    """Return `value` if it is a run of a scenario; else TypeError."""
    if not isinstance(value, Run):
        raise TypeError(f"run must be a run of a scenario, such as scenario.run(10.0), got {shown(value)}")
    return value


def traitors_of(value: object, generals: int) -> frozenset[int]:
    """Return the numbers of the traitors; TypeError or ValueError if there can be no such traitors."""
    if isinstance(value, str | bytes) or not isinstance(value, Collection):
        raise TypeError(
            f"traitors must be a collection of the traitors' numbers, such as {{2}} or [0, 3], got {shown(value)}"
        )
    return frozenset(whole("a traitor's number", each, at_least=0, at_most=generals - 1) for each in value)


def check_lies(value: object, example: str) -> None:
    """Refuse lies that are not told message by message."""
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"lies must say what is told in which message, such as {example}, got {shown(value)}")
