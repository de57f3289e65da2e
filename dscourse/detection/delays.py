"""Delays of messages, as they were recorded on real links or drawn out of a textbook, in the order of sending."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dscourse import datasets
from dscourse.arguments import keep, numbers, probability, real, truth, whole
from dscourse.readable import readable_number, readable_percent

Microseconds = NDArray[np.int64]
_MOST = 10_000_000  # delays
LONGEST = 1e9  # seconds: thirty years, as in the simulation
NEVER = np.int64(2**62)


@dataclass(frozen=True)
class RecordedDelays:
    """When the messages of some links arrived, one sent every ``interval`` seconds on each link.

    Attributes:
        interval: seconds between two messages on a link.
        delays: seconds each took, one row a link, one column a message; inf for a lost one. For ``replay_ping``
            these are times to the answer and back, for the others one way.
        name: what it is a recording of.
    """

    interval: float
    delays: NDArray[np.float64]
    name: str = ""

    def __post_init__(self) -> None:
        interval = real("interval", self.interval, at_least=1e-6, at_most=LONGEST)
        delays = np.atleast_2d(numbers("delays", self.delays, or_infinite=True))
        if delays.ndim != 2 or delays.size == 0:
            raise ValueError(f"delays must be a table with one row a link, got the shape {delays.shape}")
        if np.any(delays < 0):
            raise ValueError(
                f"delays must be at least 0 seconds (inf for a lost message), got {delays.min():g}"
            )
        if np.any(np.isfinite(delays) & (delays > LONGEST)):
            raise ValueError(
                f"delays must be at most {LONGEST:g} s, or inf for a lost message, got a longer one"
            )
        if interval * delays.shape[1] > LONGEST:
            raise ValueError(
                f"a recording must be at most {LONGEST:g} s long, got {delays.shape[1]} messages of {interval:g} s"
            )
        keep(self, interval=interval, delays=delays)

    @property
    def seconds(self) -> float:
        """How long each link was watched."""
        return float(self.interval * self.delays.shape[1])

    def sent_times(self) -> Microseconds:
        """When each message was sent, in whole microseconds."""
        return np.arange(self.delays.shape[1], dtype=np.int64) * round(self.interval * 1e6)

    def arrival_times(self) -> Microseconds:
        """When each message arrived, in whole microseconds; ``NEVER`` for a lost one."""
        taken = np.rint(np.where(np.isfinite(self.delays), self.delays, 0.0) * 1e6).astype(np.int64)
        return np.where(np.isfinite(self.delays), self.sent_times() + taken, NEVER)


def seattle_delays(*, round_trip: bool = False) -> RecordedDelays:
    """Delays between 40 pairs of real hosts, in the order in which they were measured: one message a second.

    The data set (``latency/seattle_rtt``) holds 688 rounds of round-trip times. How far apart the rounds were is not
    stated; one a second is a choice of ours. Half a round trip stands for the way of one heartbeat. The resolution is
    10 ms, and no message is lost. Neighbouring values are alike, as real delays are: that is what sets the recording
    apart from draws out of a distribution.
    """
    round_trips = datasets.load("latency/seattle_rtt").drop(columns="slice").to_numpy(dtype=np.float64).T
    delays = round_trips if truth("round_trip", round_trip) else round_trips / 2
    return RecordedDelays(1.0, delays, "40 pairs of hosts, Seattle")


def drawn_delays(
    mean_delay: float,
    loss: float,
    *,
    interval: float = 1.0,
    links: int = 40,
    messages: int = 688,
    round_trip: bool = False,
    seed: int = 0,
) -> RecordedDelays:
    """Delays out of a textbook: exponential, with independent losses.

    Args:
        mean_delay: one way, seconds.
        loss: probability that a message is lost, each way.
        interval: seconds between messages on a link.
        links: how many.
        messages: on each link.
        round_trip: there and back, each with its own delay and loss.
        seed: of the draws.
    """
    mean = real("mean_delay", mean_delay, above=0.0)
    lost = probability("loss", loss)
    shape = (whole("links", links, at_least=1), whole("messages", messages, at_least=1))
    if shape[0] * shape[1] > _MOST:
        most = readable_number(_MOST)
        raise ValueError(
            f"links × messages must be at most {most}, got {readable_number(shape[0] * shape[1])}"
        )
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    total = np.zeros(shape)
    for _ in range(2 if truth("round_trip", round_trip) else 1):
        total += np.where(rng.random(shape) < lost, math.inf, rng.exponential(mean, shape))
    return RecordedDelays(interval, total, f"exponential delays, {readable_percent(lost)} lost")
