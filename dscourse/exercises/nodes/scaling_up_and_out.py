"""The node of notebook 02: a rule that says how many machines there should be, tried with loads that move."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from IPython.display import display

from dscourse.exercises import NodeExercise, Unfit
from dscourse.exercises._learner_code import learner_line
from dscourse.exercises._line_limit import LineCounter
from dscourse.exercises._outside_state import kept_outside, outside_help, told_of
from dscourse.exercises._report import Report
from dscourse.exercises.wrong_nodes.scaling_up_and_out import EQUIVALENTS, RIGHT, STUB, WRONG
from dscourse.readable import readable_number
from dscourse.scaling import LOADS, USL, AutoscalingResult, FleetView, MovingLoad, simulate_autoscaling
from dscourse.views.scaling_up_and_out import draw_autoscaling

SECTION = "How many right now?"
_LINES = 5_000  # of one question to the rule
_STEP = 30  # seconds between two questions

#: What must hold, and how much of what it is that is counted.
_REQUIREMENTS = {
    "overloaded_seconds": ("requests are served at once, but for minutes", "s in which requests waited"),
    "crowded_seconds": (
        "machines keep room for chance",
        "s in which the machines worked more than 85 % of the time",
    ),
    "peak_machines": ("no more machines than will be of use", "machines at once"),
    "machine_hours": ("nothing is paid for that nobody needs", "machine hours"),
    "changes_of_direction": ("it does not go up and down and up again", "changes of direction"),
}


@dataclass(frozen=True)
class NamedLoad:
    """A load under which a rule is tried.

    Attributes:
        name: what happens.
        load: requests, second by second.
        limits: the most that is let pass, of each number that counts.
        law: how machines get in each other's way; by default they don't.
    """

    name: str
    load: MovingLoad
    limits: Mapping[str, float]
    law: USL | None = None


@dataclass(frozen=True)
class FailingLoad:
    """A load under which a rule fails, cut off when it has failed, and what came of it."""

    words: str
    load: MovingLoad
    result: AutoscalingResult

    def __repr__(self) -> str:
        every = max(_STEP, len(self.result.queue) // 8 // _STEP * _STEP)
        lines = [
            f"  {second / 60:4.1f} min: {readable_number(self.load.arrival_rate[second])} requests/s come, "
            f"{self.result.machines[second]:.0f} machines work, {readable_number(round(self.result.queue[second]))} wait"
            for second in range(0, len(self.result.queue), every)
        ]
        return "\n".join([self.words, *lines])

    def _ipython_display_(self) -> None:
        display({"text/plain": self.words}, raw=True)
        display(draw_autoscaling(self.load, {"yours": self.result}))


class LoadExamination:
    """Tries a rule, or a class of rules, under each of several loads."""

    def __init__(self, loads: tuple[NamedLoad, ...]) -> None:
        self.loads = loads
        self._counter = LineCounter(_LINES)

    def read(self, answer: object) -> Any:
        """Return an answer that can be called, or whose objects can; raise `Unfit` if it is none."""
        if not callable(answer):
            raise Unfit
        if isinstance(answer, type) and "__call__" not in {
            name for kind in answer.__mro__ for name in vars(kind)
        }:
            raise Unfit("its objects can't be called: the class has no method `__call__`")
        return answer

    def broken(self, written: Any) -> tuple[tuple[str, str], ...]:
        """Return under which load what breaks."""
        return tuple(
            (named.name, _REQUIREMENTS[measure][0])
            for named in self.loads
            for measure in self._exceeded(named, self._tried(written, named, named.load))
        )

    def examine(self, written: Any) -> Report:
        """Try it, and show the first load under which it fails, up to the moment at which it has failed."""
        outside = outside_help(written) or self._unsteady(written)
        if outside:
            return Report(outside=outside)
        broken = self.broken(written)
        words = {requirement for _, requirement in broken}
        held = tuple((requirement, requirement not in words) for requirement, _ in _REQUIREMENTS.values())
        for named in self.loads:
            for measure in self._exceeded(named, self._tried(written, named, named.load)):
                failing = self._shortest(written, named, measure)
                return Report(
                    held=held,
                    broken=broken,
                    counterexample=failing,
                    explanation=failing.words,
                    section=SECTION,
                )
        return Report(held=held)

    def _tried(self, written: Any, named: NamedLoad, load: MovingLoad) -> AutoscalingResult:
        try:
            rule = self._counter.call(written) if isinstance(written, type) else copy.deepcopy(written)

            def asked(view: FleetView) -> int:
                return self._counter.call(rule, view)  # type: ignore[no-any-return]

            return simulate_autoscaling(asked, load, law=named.law)
        except (TypeError, ValueError) as problem:
            if learner_line(problem) is not None:
                raise
            raise Unfit(problem.args[0] if problem.args else problem) from None

    def _exceeded(self, named: NamedLoad, result: AutoscalingResult) -> list[str]:
        return [measure for measure, most in named.limits.items() if getattr(result, measure) > most]

    def _shortest(self, written: Any, named: NamedLoad, measure: str) -> FailingLoad:
        """Cut the load off as soon as too much has come together; what has come together only grows."""
        enough, too_short = len(named.load.arrival_rate) // _STEP, 0
        while enough - too_short > 1:
            middle = (enough + too_short) // 2
            if measure in self._exceeded(named, self._tried(written, named, _cut(named.load, middle))):
                enough = middle
            else:
                too_short = middle
        load = _cut(named.load, enough)
        result = self._tried(written, named, load)
        words, most = _REQUIREMENTS[measure][1], named.limits[measure]
        return FailingLoad(
            f"“{named.name}”: after {enough * _STEP / 60:g} minutes it has come to "
            f"{readable_number(round(getattr(result, measure)))} {words}; {most:g} would have been let pass.",
            load,
            result,
        )

    def _unsteady(self, written: Any) -> str:
        named, before = self.loads[0], kept_outside(written)
        first = self._tried(written, named, named.load)
        now = kept_outside(written)
        changed = next((place for place, value in now.items() if before.get(place) != value), None)
        if changed is not None:
            return told_of(changed)
        again = self._tried(written, named, named.load)
        if (first.machines != again.machines).any():
            return (
                "Your rule did otherwise the second time. It must depend on what it has seen in `view` alone."
            )
        return ""


def _cut(load: MovingLoad, steps: int) -> MovingLoad:
    return MovingLoad(load.arrival_rate[: steps * _STEP], load.backend[: steps * _STEP])


autoscaler = NodeExercise(
    "scaling_up_and_out.autoscaler",
    task=(
        "Write a rule. Every 30 s it is given a `view` of the fleet and returns how many machines there should be, those that are "
        "starting included. One machine serves 100 requests/s and takes 120 s to start; sent away, it is gone at once. The view has "
        "`.time` (s), `.running`, `.starting`, `.utilization` (of the processors, 0 to 1), `.arrival_rate` (requests/s), `.queue` "
        "(requests that wait) and `.most`, beyond which more machines do less. Six loads try it."
    ),
    expects="your class, such as Autoscaler, without brackets",
    success=(
        "Right, under all six loads. Did yours order more than it needed while the queue was long? So does ours: a queue tells what "
        "was missing, and the machines on their way are an answer to it that nobody has seen yet."
    ),
    hints=(
        "What must be served is what comes in, and what waits already: `view.queue / 120` requests/s work it off in two minutes.",
        "At 60 % a machine serves 60 requests/s and has room left. Never ask for more than `view.most`.",
        "Compare with `there`, which counts those that are starting. Order at once; send away only what has been too much for 300 s.",
    ),
    solution=RIGHT,
    stub=STUB,
    wrong_nodes=WRONG,
    equivalents=EQUIVALENTS,
    examination=LoadExamination(
        (
            NamedLoad(
                "the load triples",
                LOADS["step"],
                {"overloaded_seconds": 300, "crowded_seconds": 300, "peak_machines": 90, "machine_hours": 50},
            ),
            NamedLoad(
                "ten times the load for a quarter of an hour",
                LOADS["burst"],
                {"overloaded_seconds": 450, "peak_machines": 400, "machine_hours": 130},
            ),
            NamedLoad(
                "up and down every minute",
                LOADS["alternating"],
                {"overloaded_seconds": 120, "crowded_seconds": 300, "changes_of_direction": 10},
            ),
            NamedLoad(
                "the database stalls for ten minutes",
                LOADS["backend stall"],
                {"overloaded_seconds": 800, "machine_hours": 25},
            ),
            NamedLoad(
                "ten times the load, and machines get in each other's way",
                LOADS["burst"],
                {"overloaded_seconds": 2500},
                law=USL(0.0, 0.0004),
            ),
            NamedLoad("a day", LOADS["day"], {"overloaded_seconds": 1200, "machine_hours": 800}),
        )
    ),
)
