"""How stale is eventual? Probabilistically bounded staleness, by drawing the delays of a write and of a read after it.

Bailis, Venkataraman, Franklin, Hellerstein, Stoica, Probabilistically Bounded Staleness for Practical Partial Quorums,
PVLDB 5(8), 2012. Its model, WARS: a coordinator sends a write to all N replicas (W) and waits for the first w
acknowledgements (A); t later, a read goes to all N (R), and the first r responses (S) are looked at. The read is fresh
if for one of these the read arrived after the write had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dscourse.arguments import function, probability, real, whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Delay = Callable[["np.random.Generator", tuple[int, ...]], "Floats"]  # of messages, in ms
_CHUNK = 20_000  # trials at a time: they fit into a processor's cache


@dataclass(frozen=True)
class Staleness:
    """What came of many trials; times in ms.

    Attributes:
        thresholds: for each trial, how long after the write's end a read must begin to be fresh; sorted.
        reads: the times that the reads took, sorted.
        writes: the times that the writes took, sorted.
    """

    thresholds: Floats
    reads: Floats
    writes: Floats

    def probability_fresh(self, t: float) -> float:
        """The share of reads that see the write if they begin ``t`` ms after its end."""
        import numpy as np

        return float(np.searchsorted(self.thresholds, real("t", t), side="right") / len(self.thresholds))

    def time_to_fresh(self, share: float) -> float:
        """How long after the write's end (ms) a read must begin to see it with this probability, at least 0."""
        return max(0.0, _quantile(self.thresholds, probability("share", share)))

    def read_latency(self, q: float) -> float:
        """The time in ms within which a share ``q`` of the reads end."""
        return _quantile(self.reads, probability("q", q))

    def write_latency(self, q: float) -> float:
        """The time in ms within which a share ``q`` of the writes end."""
        return _quantile(self.writes, probability("q", q))


def probabilistically_bounded_staleness(
    write: Delay,
    ack: Delay,
    read: Delay,
    response: Delay,
    *,
    n: int,
    w: int,
    r: int,
    trials: int,
    seed: int,
) -> Staleness:
    """Draw the delays of a write and of a read after it many times, and see when the read is fresh.

    Args:
        write: delay of the write on its way to a replica: a function of a NumPy generator and a shape, in ms.
        ack: of the acknowledgement on its way back.
        read: of the read on its way to a replica.
        response: of the response on its way back.
        n: replicas.
        w: acknowledgements that end the write.
        r: responses that end the read.
        trials: how many writes and reads.
        seed: of all that is drawn.
    """
    import numpy as np

    kinds = {"write": write, "ack": ack, "read": read, "response": response}
    drawn_by = [function(name, one, "a function of a generator and a shape") for name, one in kinds.items()]
    whole("n", n, at_least=1)
    whole("w", w, at_least=1, at_most=n)
    whole("r", r, at_least=1, at_most=n)
    rng = np.random.default_rng(seed)
    results = np.empty((3, whole("trials", trials, at_least=1)))
    for start in range(0, trials, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, trials))
        shape = (n, chunk.stop - start)
        results[:, chunk] = _one_chunk([draw(rng, shape) for draw in drawn_by], w, r)
    results.sort(axis=1)
    return Staleness(*results)


def _one_chunk(delays: list[Floats], w: int, r: int) -> tuple[Floats, Floats, Floats]:
    """Thresholds, read times and write times of some trials; each array has a row for each replica."""
    import numpy as np

    write, ack, read, response = delays
    written = write + ack
    written.partition(w - 1, axis=0)
    ended = written[w - 1]
    lead = write - read  # how much later than the write a read must begin, to arrive at that replica after it
    taken = read + response
    for place in range(
        min(r, len(taken) - 1)
    ):  # bring the fastest responses to the front, one after the other
        for other in range(len(taken) - 1, place, -1):
            swap = taken[other] < taken[other - 1]
            for row in (taken, lead):
                above, below = row[other - 1], row[other]
                row[other - 1], row[other] = np.where(swap, below, above), np.where(swap, above, below)
    return lead[:r].min(axis=0) - ended, taken[r - 1], ended


def _quantile(ordered: Floats, share: float) -> float:
    """The least of the values that a share of all doesn't exceed."""
    import math

    return float(ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)])


# ── Delays ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def exponential_delay(mean: float) -> Delay:
    """Exponentially distributed delays with this mean, in ms."""
    scale = real("mean", mean, above=0.0)
    return lambda rng, shape: rng.exponential(scale, shape)


def pareto_or_exponential_delay(share: float, minimum: float, exponent: float, rate: float) -> Delay:
    """Delays of which a share follows a Pareto distribution, and the others an exponential one.

    Args:
        share: of the Pareto part.
        minimum: its shortest delay, in ms.
        exponent: how fast its tail falls.
        rate: of the exponential part, per ms.
    """
    import numpy as np

    pareto = probability("share", share)

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        exponential = rng.standard_exponential(shape)  # the logarithm of a Pareto variable is exponential
        is_pareto = rng.random(shape) < pareto
        return np.where(is_pareto, minimum * np.exp(exponential / exponent), exponential / rate)

    return draw


def linkedin_delays(disk: str) -> dict[str, Delay]:
    """The delays that the paper fitted to LinkedIn's Voldemort: with "ssd", or with "spinning" disks.

    Returns:
        The arguments ``write``, ``ack``, ``read`` and ``response`` of `probabilistically_bounded_staleness`.
    """
    from dscourse.arguments import one_of

    fast = pareto_or_exponential_delay(0.9122, 0.235, 10.0, 1.66)
    slow = pareto_or_exponential_delay(0.38, 1.05, 1.51, 0.183)
    spinning = one_of("disk", disk, ("ssd", "spinning")) == "spinning"
    return {"write": slow if spinning else fast, "ack": fast, "read": fast, "response": fast}
