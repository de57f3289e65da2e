"""A chaos experiment: what is normal, what is expected to stay normal, what is broken, how far, and when to stop.

    Experiment(scenario, steady_state=SteadyState("orders answered", share_answered, at_least=0.99),
               hypothesis="One server of three may go.", faults=[Crash("s1", at=10.0)], blast_radius=["s1"],
               stop_below=0.9).run(40.0)

The parts are those of *Principles of Chaos Engineering* (principlesofchaos.org, 2019): a hypothesis about steady state,
events of the real world, and a blast radius that is kept small.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dscourse.arguments import function, instance, items, real, text
from dscourse.simulation import Crash, Fault

if TYPE_CHECKING:
    from dscourse.simulation import Run, Scenario

_LOOK = 1.0  # seconds between two looks of whoever may stop it
_WINDOW = 3.0  # seconds that a look covers


@dataclass(frozen=True)
class SteadyState:
    """What is normal, as a number that customers would notice.

    Attributes:
        name: in words.
        measure: a function of (run, begin, end) that returns the number for that time.
        at_least: as long as it isn't below, all is normal.
    """

    name: str
    measure: Callable[[Run, float, float], float]
    at_least: float


@dataclass(frozen=True)
class ExperimentReport:
    """What became of an experiment.

    Attributes:
        before, during, after: the steady state's number: until the first fault, while something was broken, and since.
        held: whether it stayed normal while something was broken.
        recovered: whether it was normal afterwards.
        stopped_at: when it was called off, in seconds; None if it wasn't.
        run: what happened; if it was called off, with all faults ended from then on.
    """

    before: float
    during: float
    after: float
    held: bool
    recovered: bool
    stopped_at: float | None
    run: Run

    def __repr__(self) -> str:
        """The report in a line."""
        end = "" if self.stopped_at is None else f" Stopped at {self.stopped_at:g} s."
        said = "The hypothesis held." if self.held else "The hypothesis did not hold."
        return f"{said}{end} Before {self.before:.3g}, during {self.during:.3g}, after {self.after:.3g}."


class Experiment:
    """An experiment on a scenario without faults of its own.

    Args:
        scenario: the system and its clients.
        steady_state: what is normal.
        hypothesis: what you expect, in words.
        faults: what is broken.
        blast_radius: the only parts that may be broken.
        stop_below: as soon as the steady state's number of the last three seconds is below this, it is called off, and
            all faults end.

    Raises:
        ValueError: the scenario has faults already, there is nothing to break, or a fault leaves the blast radius.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        steady_state: SteadyState,
        hypothesis: str,
        faults: Iterable[Fault],
        blast_radius: Sequence[str],
        stop_below: float,
    ) -> None:
        if scenario.faults:
            raise ValueError("scenario must be without faults: they belong to the experiment")
        self.scenario = scenario
        self.steady_state = instance("steady_state", steady_state, SteadyState, "a SteadyState")
        function("steady_state.measure", steady_state.measure, "a function of (run, begin, end)")
        self.hypothesis = text("hypothesis", hypothesis)
        self.faults = items("faults", faults, "a list of faults", Fault)
        self.blast_radius = tuple(blast_radius)
        self.stop_below = real("stop_below", stop_below)
        if not self.faults:
            raise ValueError("faults is empty: there would be nothing to see")
        for fault in self.faults:
            if not fault.nodes or any(node not in self.blast_radius for node in fault.nodes):
                raise ValueError(
                    f"faults must stay within the blast radius ({', '.join(self.blast_radius)}), got {fault!r}"
                )

    def run(self, until: float) -> ExperimentReport:
        """Run it, and call it off if the stop condition is met."""
        run = self.scenario.with_faults(*self.faults).run(until)
        begin = min(fault.begins or 0.0 for fault in self.faults)
        stopped = self._stop(run, begin)
        if stopped is not None:
            run = self.scenario.with_faults(*_ended(self.faults, stopped)).run(until)
        intervals = [(start, end) for _, start, end in run.trace.fault_intervals()]
        end = max((end for _, end in intervals), default=until)
        measure, least = self.steady_state.measure, self.steady_state.at_least
        during = measure(run, begin, max(end, begin + _WINDOW))
        settled = min(end + _WINDOW, until)
        after = measure(run, settled, until) if settled < until else during
        return ExperimentReport(
            measure(run, 0.0, begin), during, after, during >= least and stopped is None, after >= least, stopped, run
        )  # fmt: skip

    def _stop(self, run: Run, begin: float) -> float | None:
        now = begin + _WINDOW
        while now < run.until:
            if self.steady_state.measure(run, now - _WINDOW, now) < self.stop_below:
                return now
            now += _LOOK
        return None


def _ended(faults: Sequence[Fault], at: float) -> list[Fault]:
    """Return the faults that had begun, ended by then at the latest."""
    found = []
    for fault in faults:
        if (fault.begins or 0.0) >= at:
            continue
        if not fault.is_instant and (fault.end is None or fault.end > at):
            name = "restart_at" if isinstance(fault, Crash) else "until"
            fault = cast(Fault, dataclasses.replace(cast(Any, fault), **{name: at}))
        found.append(fault)
    return found
