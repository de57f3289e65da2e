"""φ of one recorded link over time, under both distributions: what a phi detector feels between two heartbeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dscourse.arguments import real, whole
from dscourse.detection.accrual import phi, phi_exponential
from dscourse.detection.delays import RecordedDelays
from dscourse.detection.phi_accrual import GapWindow


@dataclass(frozen=True)
class PhiHistory:
    """φ at many moments of one link.

    Attributes:
        times: seconds.
        normal: φ if the gaps are normal.
        exponential: φ if they are exponential.
        arrivals: when heartbeats came (seconds), those among ``times`` only.
    """

    times: NDArray[np.float64]
    normal: NDArray[np.float64]
    exponential: NDArray[np.float64]
    arrivals: NDArray[np.float64]


def phi_history(
    recording: RecordedDelays,
    link: int,
    between: tuple[float, float],
    *,
    minimum_standard_deviation: float = 0.1,
    window: int = 1000,
    step: float = 0.02,
) -> PhiHistory:
    """Follow φ on one link of a recording; nobody is suspected, so every gap is learnt from.

    Args:
        recording: of heartbeats.
        link: its row.
        between: from when to when, seconds.
        minimum_standard_deviation: seconds.
        window: gaps remembered.
        step: seconds between two values.

    Raises:
        LookupError: no such link.
        ValueError: no heartbeat had come before ``between`` begins.
    """
    row = whole("link", link, at_least=0)
    if row >= len(recording.delays):
        raise LookupError(f"link must be a row from 0 to {len(recording.delays) - 1}, got {row}")
    least = real("minimum_standard_deviation", minimum_standard_deviation, above=0.0)
    sent = np.arange(recording.delays.shape[1]) * recording.interval
    arrivals = np.sort(sent + recording.delays[row])
    arrivals = arrivals[np.isfinite(arrivals)]
    times = np.arange(between[0], between[1], real("step", step, above=0.0))
    newest = np.searchsorted(arrivals, times, side="right") - 1
    if len(times) == 0 or newest[0] < 0:
        raise ValueError(f"between must begin after the first heartbeat and end later, got {between}")
    gaps = GapWindow(window)
    for share in (0.75, 1.25):
        gaps.add(share * recording.interval)
    normal, exponential = np.empty(len(times)), np.empty(len(times))
    for index in range(newest[-1] + 1):
        if index > 0:
            gaps.add(arrivals[index] - arrivals[index - 1])
        here = newest == index
        silence = times[here] - arrivals[index]
        normal[here] = phi(silence, gaps.mean, max(gaps.standard_deviation, least))
        exponential[here] = phi_exponential(silence, gaps.mean)
    shown = arrivals[(arrivals >= times[0]) & (arrivals <= times[-1])]
    return PhiHistory(times, normal, exponential, shown)
