"""Time inside a run: whole microseconds; at every public door: seconds."""

from __future__ import annotations

from dscourse.arguments import real

MICROSECONDS = 1_000_000
LONGEST = 1e9  # seconds, 30 years: no time in a simulation may be longer


def to_microseconds(seconds: float) -> int:
    """Seconds to whole microseconds; a positive time never becomes zero."""
    return int(seconds * MICROSECONDS + 0.5) or (1 if seconds > 0 else 0)


def instant(name: str, value: object) -> int:
    """A moment of a run, in microseconds."""
    return to_microseconds(real(name, value, at_least=0.0, at_most=LONGEST))
